"""Properties of the electrolyte that depend on concentration or temperature, read from the tables
for one time step: as concentrations stand at its start.
"""

from kernels import parameters as p
from kernels import tables as t
from kernels import workspace as s
from kernels.compiled import lanes, sequence
from kernels.parameters import LANES
from kernels.salt_step import locate
from kernels.tables import CONCENTRATION_LIMIT, lookup, temperature_factor


@lanes
def read_lanes(w, tables, which, position, factor, value):
    """Look one table up for every lane: at row `position` times factor, into row `value`."""
    for i in range(LANES):
        w[value + i], _, _ = lookup(tables, which, w[position + i] * factor)


@lanes
def read_property(w, tables, flat, shape, warm, position, factor, value, share):
    """Look up what a property is of its row: its shape, and if it has one its temperature factor at
    a share of the step.
    """
    if not flat[shape]:
        read_lanes(w, tables, shape, position, factor, value)
    if not flat[warm]:
        for i in range(LANES):
            if flat[shape]:
                w[value + i] = 1.0
            at, T = w[position + i] * factor, w[s.T + i] + share * (w[s.T_1 + i] - w[s.T + i])
            w[value + i] *= temperature_factor(tables, warm, at, T, w[p.T_REF + i])


@lanes
def read_constants(w, i, tables, flat):
    """Factors that depend on the mean concentration alone, once for the case in lane `i`."""
    at = w[s.C_AV + i] * (1.0 / CONCENTRATION_LIMIT)
    if not flat[t.SHAPE_KAPPA]:
        w[s.F_KAPPA + i], _, _ = lookup(tables, t.SHAPE_KAPPA, at)
    if not flat[t.SHAPE_TDF]:
        w[s.F_TDF + i], _, _ = lookup(tables, t.SHAPE_TDF, at)
    if not flat[t.SHAPE_T_PLUS]:
        w[s.F_T_PLUS + i], _, _ = lookup(tables, t.SHAPE_T_PLUS, at)


@sequence
def read_properties(w, tables, flat):
    """Factors that change within a case: of the salt's diffusivity, in five places, and of what
    depends on temperature.
    """
    per_limit = 1.0 / CONCENTRATION_LIMIT
    shape, warm = t.SHAPE_D_E, t.WARM_D_E
    if not (flat[shape] and flat[warm]):
        locate(w)
        read_property(w, tables, flat, shape, warm, s.C_MIDDLE_N, per_limit, s.F_MIDDLE_N, 0.5)
        read_property(w, tables, flat, shape, warm, s.C_EDGE_N, per_limit, s.F_EDGE_N, 0.5)
        read_property(w, tables, flat, shape, warm, s.C_S, per_limit, s.F_S, 0.5)
        read_property(w, tables, flat, shape, warm, s.C_EDGE_P, per_limit, s.F_EDGE_P, 0.5)
        read_property(w, tables, flat, shape, warm, s.C_MIDDLE_P, per_limit, s.F_MIDDLE_P, 0.5)
    shape, warm = t.SHAPE_KAPPA, t.WARM_KAPPA
    if not flat[warm]:
        read_property(w, tables, flat, shape, warm, s.C_AV, per_limit, s.F_KAPPA, 1.0)
    shape, warm = t.SHAPE_TDF, t.WARM_TDF
    if not flat[warm]:
        read_property(w, tables, flat, shape, warm, s.C_AV, per_limit, s.F_TDF, 1.0)
    shape, warm = t.SHAPE_T_PLUS, t.WARM_T_PLUS
    if not flat[warm]:
        read_property(w, tables, flat, shape, warm, s.C_AV, per_limit, s.F_T_PLUS, 1.0)
