"""Where in the electrodes the reactions run: what PyBaMM's surface form adds to SPMe, which it
needs for two materials in an electrode; its salt is in `uneven_salt`.

The potential across the particles' surface differs from its mean by what drops in solid and
electrolyte; xi is 0 at the collector and 1 at the separator, r = L / (conductivity A) of an
electrode, and the sign that of the negative one, the other of the positive:

    d(xi) = +- I (r_electrolyte xi^2 / 2 - r_solid (xi - xi^2 / 2)) - chi (R T / F) ln c  - mean

A reaction k is 2 j0_k S_k sinh(F (eta_k + d) / (2 R T)), and j0_k follows (c / c_mean)^order,
with c_mean that of the mean logarithm. With u = F d / (2 R T), g = (c / c_mean)^order, and P and M
the means of g exp(u) and g exp(-u) over the electrode, the mean of that is

    2 j0_k S_k sqrt(P M) sinh(F eta_k / (2 R T) + ln(P / M) / 2),

so that uneven reactions count as a change of exchange current and overpotential (`second_phase`);
and it runs, K^2 being I_k^2 + (2 j0_k S_k)^2 P M, at

    g ((I_k + K) exp(u) / (2 P) + (I_k - K) exp(-u) / (2 M)).

A side reaction runs as exp(-a u), a being 2 alpha where its film does not slow it down. All means
over a volume, and the heat, current times d, count how u and ln c vary within it. Reactions are
concentrated near the separator, and change the concentration overpotential by a tenth (LG M50 at
C/10).
"""

import math

from kernels import last_volume
from kernels import parameters as p
from kernels import workspace as s
from kernels.compiled import lanes, law
from kernels.electrolyte import CELLS, ELECTRODE_CELLS, SEPARATOR
from kernels.kinetics import FARADAY, GAS, arrhenius
from kernels.parameters import LANES
from kernels.salt_step import salt_at
from kernels.vector_math import choose, exp, log

#: means of xi^2 / 2 and of xi over the volumes of an electrode, from the collector
SQUARES = tuple(
    (3 * k * k + 3 * k + 1) / (6.0 * ELECTRODE_CELLS**2) for k in range(ELECTRODE_CELLS)
)
LINES = tuple((2 * k + 1) / (2.0 * ELECTRODE_CELLS) for k in range(ELECTRODE_CELLS))
STEEPEST = 40.0  # exponent
LEAST_PREFACTOR = 1e-300  # A m-2, of a side reaction that there is
HEAT_PER_KELVIN = 2.0 * (GAS / FARADAY) / ELECTRODE_CELLS  # of a current times u
POSITIVE = (SEPARATOR + 1) * LANES  # where the volumes of the positive electrode begin


@lanes
def settle_uneven(w, i):
    """Derive what is fixed for the case in lane `i`; reactions are even in its fresh state."""
    area, L_n, L_p = w[p.AREA + i], w[p.L_N + i], w[p.L_P + i]
    w[s.R_SALT_N + i] = ELECTRODE_CELLS / (w[s.LINK_N + i] * area)
    w[s.R_SALT_P + i] = ELECTRODE_CELLS / (w[s.LINK_P + i] * area)
    w[s.THROUGH + i] = w[s.LINK_N_S + i] / w[s.LINK_N + i]
    w[s.THROUGH + LANES + i] = w[s.LINK_S_P + i] / w[s.LINK_P + i]
    w[s.R_SOLID_N + i] = L_n / (w[p.SIGMA_N + i] * (1.0 - w[p.EPS_N + i]) ** w[p.B_SN + i] * area)
    w[s.R_SOLID_P + i] = L_p / (w[p.SIGMA_P + i] * (1.0 - w[p.EPS_P + i]) ** w[p.B_SP + i] * area)
    w[s.OWN_N + i] = w[s.OWN_2 + i] = w[s.OWN_P + i] = 0.0
    for k in range(i, i + CELLS * LANES, LANES):
        w[s.UNEVEN_0 + k] = 0.0
    for e in (i, LANES + i):
        w[s.ACROSS + e] = w[s.RISE + e] = w[s.MOVED + e] = w[s.MOVED_BEFORE + e] = 0.0


@law
def sense(w, i, at, place, sign, solid, salt):
    """Write what of u is ohmic, how much that changes across a volume, and ln c; `solid` and `salt`
    are rows of resistances, `at` the volume, and `place` its number from the collector.
    """
    per_kappa = w[s.R_ELECTROLYTE + i] / w[s.R_PATH + i] * w[salt + i]
    per_drop = sign * w[s.I_1 + i] * FARADAY / (2.0 * GAS * w[s.T_1 + i])
    square, line = SQUARES[place], LINES[place]
    w[s.UNEVEN_U + at + i] = per_drop * (per_kappa * square - w[solid + i] * (line - square))
    across = per_kappa * line - w[solid + i] * (1.0 - line)
    w[s.UNEVEN_DU + at + i] = (1.0 / ELECTRODE_CELLS) * per_drop * across
    w[s.UNEVEN_LN + at + i] = log(salt_at(w, i, at // LANES, w[s.I_1 + i]))


@law
def vary(w, i, first, step, side):
    """Write by how much ln c varies across the volumes of an electrode, from its collector on."""
    a, b, n = s.UNEVEN_LN + first + i, s.UNEVEN_DLN + first + i, step * LANES
    ln_0, ln_1, ln_2, ln_3 = w[a], w[a + n], w[a + 2 * n], w[a + 3 * n]
    w[b], w[b + n] = 2.0 * ln_1 - 1.5 * ln_0 - 0.5 * ln_2, 0.5 * (ln_2 - ln_0)
    w[b + 2 * n] = 0.5 * (ln_3 - ln_1)
    opening = (1.0 / 6.0) * (11.0 * ln_3 - 18.0 * ln_2 + 9.0 * ln_1 - 2.0 * ln_0)
    w[b + 3 * n] = choose(w[s.H + i], last_volume.across(w, i, side), opening)


@law
def take_mean_off(w, i, row, first):
    """Take the mean off what is numbered by the volumes of an electrode."""
    a = row + first + i
    b, c, d = a + LANES, a + 2 * LANES, a + 3 * LANES
    mean = 0.25 * (w[a] + w[b] + w[c] + w[d])
    w[a], w[b], w[c], w[d] = w[a] - mean, w[b] - mean, w[c] - mean, w[d] - mean


@law
def add_salt(w, i, first):
    """Make means of ln c of logarithms of means, and add to u what is of the salt."""
    for k in range(first + i, first + i + ELECTRODE_CELLS * LANES, LANES):
        w[s.UNEVEN_LN + k] -= (1.0 / 24.0) * w[s.UNEVEN_DLN + k] * w[s.UNEVEN_DLN + k]
        w[s.UNEVEN_U + k] -= 0.5 * w[s.CHI + i] * w[s.UNEVEN_LN + k]
        w[s.UNEVEN_DU + k] -= 0.5 * w[s.CHI + i] * w[s.UNEVEN_DLN + k]
    take_mean_off(w, i, s.UNEVEN_U, first)
    take_mean_off(w, i, s.UNEVEN_LN, first)


@law
def weigh(w, i, at, order, up, down):
    """Write the means of g exp(u) and g exp(-u) over a volume."""
    du, dln = w[s.UNEVEN_DU + at + i], w[order + i] * w[s.UNEVEN_DLN + at + i]
    u = min(max(w[s.UNEVEN_U + at + i], -STEEPEST), STEEPEST)
    ln = w[order + i] * w[s.UNEVEN_LN + at + i]
    w[up + at + i] = exp(ln + u) * (1.0 + (1.0 / 24.0) * (dln + du) * (dln + du))
    w[down + at + i] = exp(ln - u) * (1.0 + (1.0 / 24.0) * (dln - du) * (dln - du))


@law
def transferred(alpha, slowing, film, current, prefactor):
    """-d ln(j) / du of a side reaction (`sei`): of what the film slows down, the less."""
    return 2.0 * alpha * (1.0 - film * slowing * current / max(prefactor, LEAST_PREFACTOR))


@lanes
def describe_side_reactions(w):
    """How steeply side reactions follow u, from what of them is predicted for the step."""
    for i in range(LANES):
        j, A = w[s.J_GUESS + i], w[p.A_SEI + i] * arrhenius(w[p.E_SEI + i], w[s.Z_1 + i])
        j_2, A_2 = w[s.J_2_GUESS + i], w[p.A_SEI_2 + i] * arrhenius(w[p.E_SEI_2 + i], w[s.Z_1 + i])
        slowing, slowing_2 = w[p.SLOWING_SEI + i], w[p.SLOWING_SEI_2 + i]
        w[s.STEEP + i] = transferred(w[p.ALPHA_SEI + i], slowing, w[s.FILM_1 + i], j, A)
        w[s.STEEP_2 + i] = transferred(w[p.ALPHA_SEI_2 + i], slowing_2, w[s.FILM_2_1 + i], j_2, A_2)


@law
def weigh_side(w, i, at, steepness, row):
    """Write the mean of exp(-steepness u) over a volume."""
    du, u = w[steepness + i] * w[s.UNEVEN_DU + at + i], w[steepness + i] * w[s.UNEVEN_U + at + i]
    u = min(max(u, -STEEPEST), STEEPEST)
    w[row + at + i] = exp(-u) * (1.0 + (1.0 / 24.0) * du * du)


@law
def mean_of(w, i, row, first):
    """P or M."""
    a = row + first + i
    return 0.25 * (w[a] + w[a + LANES] + w[a + 2 * LANES] + w[a + 3 * LANES])


@lanes
def describe_negative_electrode(w):
    """u, ln c and what runs as them in the negative electrode, from the collector on; P and M."""
    for i in range(LANES):
        for k in range(ELECTRODE_CELLS):
            sense(w, i, k * LANES, k, 1.0, s.R_SOLID_N, s.R_SALT_N)
    for i in range(LANES):
        vary(w, i, 0, 1, last_volume.NEGATIVE)
    for i in range(LANES):
        add_salt(w, i, 0)
    for i in range(LANES):
        for k in range(ELECTRODE_CELLS):
            weigh(w, i, k * LANES, p.O_J_N, s.UNEVEN_UP, s.UNEVEN_DOWN)
            weigh(w, i, k * LANES, p.O_J_2, s.UNEVEN_UP_2, s.UNEVEN_DOWN_2)
            weigh_side(w, i, k * LANES, s.STEEP, s.UNEVEN_SIDE)
            weigh_side(w, i, k * LANES, s.STEEP_2, s.UNEVEN_SIDE_2)
    for i in range(LANES):
        w[s.UP_N + i] = mean_of(w, i, s.UNEVEN_UP, 0)
        w[s.DOWN_N + i] = mean_of(w, i, s.UNEVEN_DOWN, 0)
        w[s.UP_2 + i] = mean_of(w, i, s.UNEVEN_UP_2, 0)
        w[s.DOWN_2 + i] = mean_of(w, i, s.UNEVEN_DOWN_2, 0)


@lanes
def describe_positive_electrode(w):
    """Likewise of the positive one, from the separator on."""
    for i in range(LANES):
        for k in range(ELECTRODE_CELLS):
            place, at = ELECTRODE_CELLS - 1 - k, POSITIVE + k * LANES
            sense(w, i, at, place, -1.0, s.R_SOLID_P, s.R_SALT_P)
    for i in range(LANES):
        vary(w, i, (CELLS - 1) * LANES, -1, last_volume.POSITIVE)
    for i in range(LANES):
        add_salt(w, i, POSITIVE)
    for i in range(LANES):
        for k in range(ELECTRODE_CELLS):
            weigh(w, i, POSITIVE + k * LANES, p.O_J_P, s.UNEVEN_UP, s.UNEVEN_DOWN)
    for i in range(LANES):
        w[s.UP_P + i] = mean_of(w, i, s.UNEVEN_UP, POSITIVE)
        w[s.DOWN_P + i] = mean_of(w, i, s.UNEVEN_DOWN, POSITIVE)


@law
def parts(I, own, up, down):
    """What a reaction runs at, per g exp(u) and per g exp(-u)."""
    K = math.sqrt(I * I + own * own * up * down)
    return 0.5 * (I + K) / up, 0.5 * (I - K) / down


@lanes
def distribute_negative(w):
    """Write how uneven the reactions of the negative electrode are, per its volumes' share of it,
    by how much they rise across the last volume, and their heat.
    """
    for i in range(LANES):
        I_2 = w[s.I_2_1 + i]
        I = w[s.I_1 + i] + w[s.SIDE_1 + i] + w[s.I_2_GUESS + i] - I_2
        up, down = parts(I, w[s.OWN_N + i], w[s.UP_N + i], w[s.DOWN_N + i])
        up_2, down_2 = parts(I_2, w[s.OWN_2 + i], w[s.UP_2 + i], w[s.DOWN_2 + i])
        side, side_2 = w[s.S_N + i] * w[s.J_GUESS + i], w[s.S_2 + i] * w[s.J_2_GUESS + i]
        w[s.PER_UP + i], w[s.PER_DOWN + i], w[s.EVEN + i] = up, down, I + I_2
        w[s.PER_UP_2 + i], w[s.PER_DOWN_2 + i], w[s.EVEN_SIDE + i] = up_2, down_2, side + side_2
        w[s.PER_SIDE + i] = side / mean_of(w, i, s.UNEVEN_SIDE, 0)
        w[s.PER_SIDE_2 + i] = side_2 / mean_of(w, i, s.UNEVEN_SIDE_2, 0)
        w[s.UNEVEN_HEAT + i] = 0.0
    for i in range(LANES):
        for k in range(0, ELECTRODE_CELLS * LANES, LANES):
            at = k + i
            forward, backward = (
                w[s.PER_UP + i] * w[s.UNEVEN_UP + at],
                w[s.PER_DOWN + i] * w[s.UNEVEN_DOWN + at],
            )
            forward_2, backward_2 = (
                w[s.PER_UP_2 + i] * w[s.UNEVEN_UP_2 + at],
                w[s.PER_DOWN_2 + i] * w[s.UNEVEN_DOWN_2 + at],
            )
            first, second = forward + backward, forward_2 + backward_2
            side = w[s.PER_SIDE + i] * w[s.UNEVEN_SIDE + at]
            side += w[s.PER_SIDE_2 + i] * w[s.UNEVEN_SIDE_2 + at]
            uneven = first + second - w[s.EVEN + i]
            w[s.TARGET + at] = uneven - (side - w[s.EVEN_SIDE + i])
            du, dln = w[s.UNEVEN_DU + at], w[s.UNEVEN_DLN + at]
            rise = (forward - backward + forward_2 - backward_2) * du
            rise += (first * w[p.O_J_N + i] + second * w[p.O_J_2 + i]) * dln
            w[s.RISE + i] = rise
            heat = uneven * w[s.UNEVEN_U + at] + (1.0 / 12.0) * rise * du
            w[s.UNEVEN_HEAT + i] += HEAT_PER_KELVIN * w[s.T_1 + i] * heat


@lanes
def distribute_positive(w):
    """Likewise of the positive electrode."""
    for i in range(LANES):
        up, down = parts(-w[s.I_1 + i], w[s.OWN_P + i], w[s.UP_P + i], w[s.DOWN_P + i])
        w[s.PER_UP + i], w[s.PER_DOWN + i] = up, down
    # the last volume comes first, and is the last one here
    for i in range(LANES):
        for k in range((CELLS - 1) * LANES, POSITIVE - LANES, -LANES):
            at = k + i
            forward, backward = (
                w[s.PER_UP + i] * w[s.UNEVEN_UP + at],
                w[s.PER_DOWN + i] * w[s.UNEVEN_DOWN + at],
            )
            both, du = forward + backward, w[s.UNEVEN_DU + at]
            rise = (forward - backward) * du + both * w[p.O_J_P + i] * w[s.UNEVEN_DLN + at]
            w[s.TARGET + at], w[s.RISE + LANES + i] = both + w[s.I_1 + i], rise
            heat = (both + w[s.I_1 + i]) * w[s.UNEVEN_U + at] + (1.0 / 12.0) * rise * du
            w[s.UNEVEN_HEAT + i] += HEAT_PER_KELVIN * w[s.T_1 + i] * heat


@lanes
def distribute(w):
    """How uneven reactions are at the end of the step, for its salt and current: TARGET."""
    describe_negative_electrode(w)
    distribute_negative(w)
    describe_positive_electrode(w)
    distribute_positive(w)
