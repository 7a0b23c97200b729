"""Where in the electrodes the reactions run, as it feeds back on the salt: what PyBaMM's surface
form adds to SPMe, which it needs for two materials in an electrode.

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

P, M and the heat, current times d, count how u and ln c vary within each volume as well.

Reactions are concentrated near the separator, and change the concentration overpotential by a tenth
(LG M50 at C/10). Their sum over an electrode is I_k, so that salt is conserved. PyBaMM lets salt
migrate with the current of even reactions: what is uneven releases all of its salt, not 1 - t+.
"""

import math

from kernels import parameters as p
from kernels import workspace as s
from kernels.compiled import lanes, law
from kernels.electrolyte import CELLS, ELECTRODE_CELLS, SEPARATOR
from kernels.kinetics import FARADAY, GAS, arrhenius
from kernels.parameters import LANES
from kernels.salt_step import FIRST, LAST, MIDDLE, salt_at
from kernels.vector_math import choose, exp, log

#: means of xi - xi^2 / 2 and of xi^2 / 2 over the volumes of an electrode, from the collector
SQUARES = tuple(
    (3 * k * k + 3 * k + 1) / (6.0 * ELECTRODE_CELLS**2) for k in range(ELECTRODE_CELLS)
)
LINES = tuple((2 * k + 1) / (2.0 * ELECTRODE_CELLS) for k in range(ELECTRODE_CELLS))
#: the salt at the end of a step and what the reactions make of it are iterated on, damped: salt
#: that gathers where reactions are faster slows them down, by up to as much again
ITERATIONS = 3
DAMPING = 0.4
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
    w[s.THROUGH_N + i] = w[s.LINK_N_S + i] / w[s.LINK_N + i]
    w[s.THROUGH_P + i] = w[s.LINK_S_P + i] / w[s.LINK_P + i]
    w[s.R_SOLID_N + i] = L_n / (w[p.SIGMA_N + i] * (1.0 - w[p.EPS_N + i]) ** w[p.B_SN + i] * area)
    w[s.R_SOLID_P + i] = L_p / (w[p.SIGMA_P + i] * (1.0 - w[p.EPS_P + i]) ** w[p.B_SP + i] * area)
    w[s.OWN_N + i] = w[s.OWN_2 + i] = w[s.OWN_P + i] = 0.0
    for k in range(0, CELLS * LANES, LANES):
        w[s.UNEVEN_0 + k + i] = 0.0


@law
def sense(w, i, at, square, line, sign, solid, salt):
    """Write u, without its mean, and ln c of a volume, `at` its place; `solid` and `salt` are rows
    of resistances.
    """
    I, per_kappa = sign * w[s.I_1 + i], w[s.R_ELECTROLYTE + i] / w[s.R_PATH + i]
    drop = I * (per_kappa * w[salt + i] * square - w[solid + i] * (line - square))
    ln = log(salt_at(w, i, at // LANES, w[s.I_1 + i]))
    w[s.UNEVEN_U + at + i] = drop * FARADAY / (2.0 * GAS * w[s.T_1 + i]) - 0.5 * w[s.CHI + i] * ln
    w[s.UNEVEN_LN + at + i] = ln


@law
def take_mean_off(w, i, row, first):
    """Take the mean off what is numbered by the volumes of an electrode."""
    a = row + first + i
    b, c, d = a + LANES, a + 2 * LANES, a + 3 * LANES
    mean = 0.25 * (w[a] + w[b] + w[c] + w[d])
    w[a], w[b], w[c], w[d] = w[a] - mean, w[b] - mean, w[c] - mean, w[d] - mean


@law
def vary(w, i, row, across, first):
    """Write by how much a row varies across the volumes of an electrode."""
    a, b = row + first + i, across + first + i
    u_0, u_1, u_2, u_3 = w[a], w[a + LANES], w[a + 2 * LANES], w[a + 3 * LANES]
    w[b], w[b + LANES] = 2.0 * u_1 - 1.5 * u_0 - 0.5 * u_2, 0.5 * (u_2 - u_0)
    w[b + 2 * LANES], w[b + 3 * LANES] = 0.5 * (u_3 - u_1), 1.5 * u_3 - 2.0 * u_2 + 0.5 * u_1


@law
def lower_logarithm(w, i, first):
    """Make means of ln c of logarithms of means, over the volumes of an electrode."""
    for k in range(first + i, first + i + ELECTRODE_CELLS * LANES, LANES):
        below = (1.0 / 24.0) * w[s.UNEVEN_DLN + k] * w[s.UNEVEN_DLN + k]
        w[s.UNEVEN_LN + k] -= below
        w[s.UNEVEN_U + k] += 0.5 * w[s.CHI + i] * below


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
def describe_negative_electrode(w, count):
    """u, its variance, exp(u), g, P and M of the negative electrode, from the collector on."""
    for k in range(ELECTRODE_CELLS):
        for i in range(count):
            sense(w, i, k * LANES, SQUARES[k], LINES[k], 1.0, s.R_SOLID_N, s.R_SALT_N)
    for i in range(LANES):
        vary(w, i, s.UNEVEN_LN, s.UNEVEN_DLN, 0)
        lower_logarithm(w, i, 0)
        vary(w, i, s.UNEVEN_U, s.UNEVEN_DU, 0)
        take_mean_off(w, i, s.UNEVEN_U, 0)
        take_mean_off(w, i, s.UNEVEN_LN, 0)
        j, A = w[s.J_GUESS + i], w[p.A_SEI + i] * arrhenius(w[p.E_SEI + i], w[s.Z_1 + i])
        j_2, A_2 = w[s.J_2_GUESS + i], w[p.A_SEI_2 + i] * arrhenius(w[p.E_SEI_2 + i], w[s.Z_1 + i])
        slowing, slowing_2 = w[p.SLOWING_SEI + i], w[p.SLOWING_SEI_2 + i]
        w[s.STEEP + i] = transferred(w[p.ALPHA_SEI + i], slowing, w[s.FILM_1 + i], j, A)
        w[s.STEEP_2 + i] = transferred(w[p.ALPHA_SEI_2 + i], slowing_2, w[s.FILM_2_1 + i], j_2, A_2)
    for k in range(ELECTRODE_CELLS):
        for i in range(count):
            weigh(w, i, k * LANES, p.O_J_N, s.UNEVEN_UP, s.UNEVEN_DOWN)
            weigh(w, i, k * LANES, p.O_J_2, s.UNEVEN_UP_2, s.UNEVEN_DOWN_2)
            weigh_side(w, i, k * LANES, s.STEEP, s.UNEVEN_SIDE)
            weigh_side(w, i, k * LANES, s.STEEP_2, s.UNEVEN_SIDE_2)
    for i in range(LANES):
        w[s.UP_N + i], w[s.DOWN_N + i] = (
            mean_of(w, i, s.UNEVEN_UP, 0),
            mean_of(w, i, s.UNEVEN_DOWN, 0),
        )
        w[s.UP_2 + i], w[s.DOWN_2 + i] = (
            mean_of(w, i, s.UNEVEN_UP_2, 0),
            mean_of(w, i, s.UNEVEN_DOWN_2, 0),
        )


@lanes
def describe_positive_electrode(w, count):
    """Likewise of the positive one, from the separator on."""
    for k in range(ELECTRODE_CELLS):
        from_collector, at = ELECTRODE_CELLS - 1 - k, POSITIVE + k * LANES
        for i in range(count):
            square, line = SQUARES[from_collector], LINES[from_collector]
            sense(w, i, at, square, line, -1.0, s.R_SOLID_P, s.R_SALT_P)
    for i in range(LANES):
        vary(w, i, s.UNEVEN_LN, s.UNEVEN_DLN, POSITIVE)
        lower_logarithm(w, i, POSITIVE)
        vary(w, i, s.UNEVEN_U, s.UNEVEN_DU, POSITIVE)
        take_mean_off(w, i, s.UNEVEN_U, POSITIVE)
        take_mean_off(w, i, s.UNEVEN_LN, POSITIVE)
    for k in range(ELECTRODE_CELLS):
        for i in range(count):
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
def distribute_negative(w, count):
    """Write how uneven the reactions of the negative electrode are, per its volumes' share of it,
    and the heat of that.
    """
    for i in range(count):
        w[s.UNEVEN_HEAT + i] = 0.0
        side, side_2 = w[s.S_N + i] * w[s.J_GUESS + i], w[s.S_2 + i] * w[s.J_2_GUESS + i]
        w[s.SIDE_RISE + i] = side / mean_of(w, i, s.UNEVEN_SIDE, 0)
        w[s.SIDE_RISE_2 + i] = side_2 / mean_of(w, i, s.UNEVEN_SIDE_2, 0)
    for k in range(0, ELECTRODE_CELLS * LANES, LANES):
        for i in range(count):
            I_2, at = w[s.I_2_1 + i], k + i
            I = w[s.I_1 + i] + w[s.SIDE_1 + i] + w[s.I_2_GUESS + i] - I_2
            rise, fall = parts(I, w[s.OWN_N + i], w[s.UP_N + i], w[s.DOWN_N + i])
            rise_2, fall_2 = parts(I_2, w[s.OWN_2 + i], w[s.UP_2 + i], w[s.DOWN_2 + i])
            forward, backward = rise * w[s.UNEVEN_UP + at], fall * w[s.UNEVEN_DOWN + at]
            forward_2, backward_2 = rise_2 * w[s.UNEVEN_UP_2 + at], fall_2 * w[s.UNEVEN_DOWN_2 + at]
            first, second = forward + backward, forward_2 + backward_2
            uneven = first + second - I - I_2
            side = w[s.SIDE_RISE + i] * w[s.UNEVEN_SIDE + at]
            side += w[s.SIDE_RISE_2 + i] * w[s.UNEVEN_SIDE_2 + at]
            side -= w[s.S_N + i] * w[s.J_GUESS + i] + w[s.S_2 + i] * w[s.J_2_GUESS + i]
            w[s.TARGET + at] = uneven - side
            du, dln = w[s.UNEVEN_DU + at], w[s.UNEVEN_DLN + at]
            within = (forward - backward + forward_2 - backward_2) * du
            within += (first * w[p.O_J_N + i] + second * w[p.O_J_2 + i]) * dln
            heat = uneven * w[s.UNEVEN_U + at] + (1.0 / 12.0) * within * du
            w[s.UNEVEN_HEAT + i] += HEAT_PER_KELVIN * w[s.T_1 + i] * heat
            w[s.RISE_N + i] = within


@lanes
def distribute_positive(w, count):
    """Likewise of the positive electrode."""
    for k in range(POSITIVE, CELLS * LANES, LANES):
        for i in range(count):
            I, at = -w[s.I_1 + i], k + i
            rise, fall = parts(I, w[s.OWN_P + i], w[s.UP_P + i], w[s.DOWN_P + i])
            forward, backward = rise * w[s.UNEVEN_UP + at], fall * w[s.UNEVEN_DOWN + at]
            both, du = forward + backward, w[s.UNEVEN_DU + at]
            w[s.TARGET + at] = both - I
            within = (forward - backward) * du + both * w[p.O_J_P + i] * w[s.UNEVEN_DLN + at]
            heat = (both - I) * w[s.UNEVEN_U + at] + (1.0 / 12.0) * within * du
            w[s.UNEVEN_HEAT + i] += HEAT_PER_KELVIN * w[s.T_1 + i] * heat
            w[s.RISE_P + i] = within if k == POSITIVE else w[s.RISE_P + i]


@law
def release(w, i, first, step, rise, through):
    """Make of how uneven the reactions of one electrode are what its volumes have to release, and
    return what the separator has to. `rise` is that across the last volume, `through` the
    conductance to the separator over that between volumes.
    """
    a, b = s.TARGET + first * LANES + i, step * LANES
    uneven_0, uneven_1, uneven_2, uneven_3 = w[a], w[a + b], w[a + 2 * b], w[a + 3 * b]
    j_1, j_2, j_3 = uneven_0, uneven_0 + uneven_1, -uneven_3
    moved_1 = (1.0 / 120.0) * (-18.0 * j_1 + 7.0 * j_2 + 2.0 * j_3)
    moved_2 = (1.0 / 120.0) * (12.0 * j_1 - 23.0 * j_2 + 12.0 * j_3)
    moved_3 = (1.0 / 120.0) * (2.0 * j_1 + 7.0 * j_2 - 18.0 * j_3)
    moved_4 = through * ((1.0 / 6.0) * uneven_3 + (1.0 / 24.0) * rise)
    w[a] = uneven_0 + moved_1
    w[a + b] = uneven_1 + moved_2 - moved_1
    w[a + 2 * b] = uneven_2 + moved_3 - moved_2
    w[a + 3 * b] = uneven_3 - moved_3 - moved_4
    return moved_4


@lanes
def find_uneven(w):
    """What uneven reactions release at the end of the step, for its salt and current: TARGET."""
    count = w.shape[0] // s.ROWS
    describe_negative_electrode(w, count)
    distribute_negative(w, count)
    describe_positive_electrode(w, count)
    distribute_positive(w, count)
    for i in range(LANES):
        into = release(w, i, 0, 1, w[s.RISE_N + i], w[s.THROUGH_N + i])
        into += release(w, i, CELLS - 1, -1, -w[s.RISE_P + i], w[s.THROUGH_P + i])
        w[s.TARGET + SEPARATOR * LANES + i] = into


@lanes
def add_uneven(w):
    """Salt at the end of the step with uneven reactions: the equations of `salt_step` once more."""
    for i in range(LANES):
        weight = w[s.WEIGHT + i]
        for k in range(i, i + CELLS * LANES, LANES):
            w[s.TARGET + k] = (1.0 - weight) * w[s.UNEVEN_0 + k] + weight * w[s.UNEVEN_1 + k]
    for i in range(LANES):
        source = w[s.H + i] * w[s.SOURCE + i]
        carry_n = carry_p = 0.0
        for k in range(FIRST, MIDDLE, LANES):
            n, m = k + i, LAST - k + i
            carry_n += source * w[s.TARGET + n]
            carry_p += source * w[s.TARGET + m]
            w[s.TARGET + n], w[s.TARGET + m] = carry_n, carry_p
            carry_n, carry_p = carry_n * w[s.RATIO + n], carry_p * w[s.RATIO + m - LANES]
        n = MIDDLE + i
        carry_n = carry_p = w[s.PIVOT + n] * (source * w[s.TARGET + n] + carry_n + carry_p)
        moved = w[s.PER_SALT_D + n] * carry_n
        w[s.SALT_C + n] += moved - w[s.UNEVEN_STEP + n]
        w[s.UNEVEN_STEP + n] = moved
        for k in range(MIDDLE - LANES, FIRST - LANES, -LANES):
            n, m = k + i, LAST - k + i
            carry_n = w[s.PIVOT + n] * w[s.TARGET + n] + w[s.RATIO + n] * carry_n
            carry_p = w[s.PIVOT + m] * w[s.TARGET + m] + w[s.RATIO + m - LANES] * carry_p
            moved_n, moved_p = w[s.PER_SALT_D + n] * carry_n, w[s.PER_SALT_D + m] * carry_p
            w[s.SALT_C + n] += moved_n - w[s.UNEVEN_STEP + n]
            w[s.SALT_C + m] += moved_p - w[s.UNEVEN_STEP + m]
            w[s.UNEVEN_STEP + n], w[s.UNEVEN_STEP + m] = moved_n, moved_p


@lanes
def propose_uneven(w):
    """Salt at the end of the step as it makes the reactions uneven, and they the salt."""
    for i in range(LANES):
        for k in range(i, i + CELLS * LANES, LANES):
            w[s.UNEVEN_1 + k], w[s.UNEVEN_STEP + k] = w[s.UNEVEN_0 + k], 0.0
    add_uneven(w)
    for _ in range(ITERATIONS):
        find_uneven(w)
        for i in range(LANES):
            for k in range(i, i + CELLS * LANES, LANES):
                w[s.UNEVEN_1 + k] += DAMPING * (w[s.TARGET + k] - w[s.UNEVEN_1 + k])
        add_uneven(w)


@lanes
def keep_uneven(w):
    """Take over how uneven reactions are at the end of accepted steps."""
    find_uneven(w)
    for i in range(LANES):
        for k in range(i, i + CELLS * LANES, LANES):
            w[s.UNEVEN_0 + k] = choose(w[s.ACCEPTED + i], w[s.TARGET + k], w[s.UNEVEN_0 + k])
