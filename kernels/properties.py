"""Properties of the electrolyte that depend on concentration or temperature, read from the tables
for one time step: as concentrations stand at its start.
"""

from kernels import parameters as p
from kernels import tables as t
from kernels import workspace as s
from kernels.block_lookup import read_block, read_values
from kernels.compiled import lanes, law, sequence
from kernels.electrolyte import CELLS
from kernels.parameters import LANES
from kernels.salt_step import locate, transform
from kernels.tables import CONCENTRATION_LIMIT, lookup, temperature_factor


@lanes
def read_diffusivities(w, tables):
    """The salt's diffusivity in every volume, relative, with its slope and its integral."""
    for k in range(0, CELLS * LANES, LANES):
        D, slope, area = s.SALT_D + k, s.SALT_SLOPE + k, s.SALT_AREA + k
        read_block(w, tables, t.SHAPE_D_E, s.SALT_AT + k, D, slope, area)


@law
def polynomial(u, c_0, c_1, c_2, c_3, c_4, c_5, c_6, c_7):
    """c_0 + c_1 u + c_2 u^2 ..."""
    return c_0 + u * (c_1 + u * (c_2 + u * (c_3 + u * (c_4 + u * (c_5 + u * (c_6 + u * c_7))))))


@lanes
def evaluate_diffusivities(w, tables):
    """The same from a polynomial of the position (16 lanes, AVX-512, nine volumes: 3.6 instead of
    12.6 ns a lane).
    """
    c_0, c_1 = tables[t.POLYNOMIAL_D_E, 0, 0], tables[t.POLYNOMIAL_D_E, 0, 1]
    c_2, c_3 = tables[t.POLYNOMIAL_D_E, 0, 2], tables[t.POLYNOMIAL_D_E, 0, 3]
    c_4, c_5 = tables[t.POLYNOMIAL_D_E, 0, 4], tables[t.POLYNOMIAL_D_E, 0, 5]
    c_6, c_7 = tables[t.POLYNOMIAL_D_E, 0, 6], tables[t.POLYNOMIAL_D_E, 0, 7]
    for i in range(CELLS * LANES):
        u = min(max(w[s.SALT_AT + i], 0.0), 1.0)
        w[s.SALT_D + i] = polynomial(u, c_0, c_1, c_2, c_3, c_4, c_5, c_6, c_7)
        w[s.SALT_SLOPE + i] = polynomial(
            u, c_1, 2.0 * c_2, 3.0 * c_3, 4.0 * c_4, 5.0 * c_5, 6.0 * c_6, 7.0 * c_7, 0.0
        )
        w[s.SALT_AREA + i] = u * polynomial(
            u, c_0, c_1 / 2.0, c_2 / 3.0, c_3 / 4.0, c_4 / 5.0, c_5 / 6.0, c_6 / 7.0, c_7 / 8.0
        )


@lanes
def warm_diffusivities(w, tables):
    """How the salt's diffusivity follows temperature, between neighbouring volumes."""
    for k in range(0, (CELLS - 1) * LANES, LANES):
        for i in range(LANES):
            at = 0.5 * (w[s.SALT_AT + k + i] + w[s.SALT_AT + k + LANES + i])
            T = 0.5 * (w[s.T + i] + w[s.T_1 + i])
            factor = temperature_factor(tables, t.WARM_D_E, at, T, w[p.T_REF + i])
            w[s.F_FACE + k + i] = factor


@lanes
def keep_concentrations(w):
    """phi, were the diffusivity the same everywhere."""
    for i in range(LANES):
        for k in range(i, i + CELLS * LANES, LANES):
            w[s.SALT_PHI + k] = w[s.SALT + k]


@lanes
def read_warmed(w, tables, flat, shape, warm, value):
    """Factor of a property at the mean concentration, at the end of the step."""
    per_limit = 1.0 / CONCENTRATION_LIMIT
    if not flat[shape]:
        read_values(w, tables, shape, s.C_AV, per_limit, value)
    for i in range(LANES):
        factor = temperature_factor(
            tables, warm, w[s.C_AV + i] * per_limit, w[s.T_1 + i], w[p.T_REF + i]
        )
        w[value + i] = factor * (1.0 if flat[shape] else w[value + i])


@lanes
def read_once(w, i, tables, flat):
    """What is read once for the case in lane `i`: factors that depend on the mean concentration
    alone, and the potentials of the fresh surfaces with their integrals.
    """
    at = w[s.C_AV + i] * (1.0 / CONCENTRATION_LIMIT)
    if not flat[t.SHAPE_KAPPA]:
        w[s.F_KAPPA + i], _, _ = lookup(tables, t.SHAPE_KAPPA, at)
    if not flat[t.SHAPE_TDF]:
        w[s.F_TDF + i], _, _ = lookup(tables, t.SHAPE_TDF, at)
    if not flat[t.SHAPE_T_PLUS]:
        w[s.F_T_PLUS + i], _, _ = lookup(tables, t.SHAPE_T_PLUS, at)
    w[s.POT_N_0 + i], _, w[s.AREA_N_0 + i] = lookup(tables, t.U_N, w[s.XS_0 + i])
    _, _, w[s.AREA_P_0 + i] = lookup(tables, t.U_P, w[s.YS_0 + i])


@sequence
def read_properties(w, tables, flat):
    """Factors that change within a case: of the salt's diffusivity, and of what depends on
    temperature.
    """
    if not (flat[t.SHAPE_D_E] and flat[t.WARM_D_E]):
        locate(w)
    if flat[t.SHAPE_D_E]:
        keep_concentrations(w)
    else:
        if flat[t.POLYNOMIAL_D_E]:
            read_diffusivities(w, tables)
        else:
            evaluate_diffusivities(w, tables)
        transform(w)
    if not flat[t.WARM_D_E]:
        warm_diffusivities(w, tables)
    if not flat[t.WARM_KAPPA]:
        read_warmed(w, tables, flat, t.SHAPE_KAPPA, t.WARM_KAPPA, s.F_KAPPA)
    if not flat[t.WARM_TDF]:
        read_warmed(w, tables, flat, t.SHAPE_TDF, t.WARM_TDF, s.F_TDF)
    if not flat[t.WARM_T_PLUS]:
        read_warmed(w, tables, flat, t.SHAPE_T_PLUS, t.WARM_T_PLUS, s.F_T_PLUS)
