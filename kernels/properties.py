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
def read_salt(w, tables, flat):
    """Factors of the salt's diffusivity in five places, and of the cell's other properties."""
    locate(w)
    share = 1.0 / CONCENTRATION_LIMIT
    shape, warm = t.SHAPE_D_E, t.WARM_D_E
    if not (flat[shape] and flat[warm]):
        read_property(w, tables, flat, shape, warm, s.C_OUTER_N, share, s.F_OUTER_N, 0.5)
        read_property(w, tables, flat, shape, warm, s.C_INNER_N, share, s.F_INNER_N, 0.5)
        read_property(w, tables, flat, shape, warm, s.C_S, share, s.F_S, 0.5)
        read_property(w, tables, flat, shape, warm, s.C_INNER_P, share, s.F_INNER_P, 0.5)
        read_property(w, tables, flat, shape, warm, s.C_OUTER_P, share, s.F_OUTER_P, 0.5)
    if not flat[t.WARM_KAPPA]:
        read_property(w, tables, flat, t.SHAPE_KAPPA, t.WARM_KAPPA, s.C_AV, share, s.F_KAPPA, 1.0)
    if not flat[t.WARM_TDF]:
        read_property(w, tables, flat, t.SHAPE_TDF, t.WARM_TDF, s.C_AV, share, s.F_TDF, 1.0)
    if not flat[t.WARM_T_PLUS]:
        shape, warm = t.SHAPE_T_PLUS, t.WARM_T_PLUS
        read_property(w, tables, flat, shape, warm, s.C_AV, share, s.F_T_PLUS, 1.0)


@sequence
def read_properties(w, tables, flat):
    """Factors of all properties that are not flat."""
    salt = True
    for which in (t.SHAPE_D_E, t.SHAPE_KAPPA, t.SHAPE_TDF, t.SHAPE_T_PLUS):
        salt = salt and flat[which]
    for which in (t.WARM_D_E, t.WARM_KAPPA, t.WARM_TDF, t.WARM_T_PLUS):
        salt = salt and flat[which]
    if not salt:
        read_salt(w, tables, flat)
