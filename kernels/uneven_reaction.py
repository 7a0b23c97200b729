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

P, M and the heat, current times d, count the variance of u within each volume as well.

Reactions are concentrated near the separator, and change the concentration overpotential by a tenth
(LG M50 at C/10). Their sum over an electrode is I_k, so that salt is conserved. PyBaMM lets salt
migrate with the current of even reactions: what is uneven releases all of its salt, not 1 - t+.
"""

import math

from kernels import parameters as p
from kernels import workspace as s
from kernels.compiled import lanes, law
from kernels.electrolyte import CELLS, EDGE, ELECTRODE_CELLS, SEPARATOR
from kernels.kinetics import FARADAY, GAS
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
HEAT_PER_KELVIN = 2.0 * (GAS / FARADAY) / ELECTRODE_CELLS  # of a current times u
POSITIVE = (SEPARATOR + 1) * LANES  # where the volumes of the positive electrode begin


@lanes
def settle_uneven(w, i):
    """Derive what is fixed for the case in lane `i`; reactions are even in its fresh state."""
    area, L_n, L_p = w[p.AREA + i], w[p.L_N + i], w[p.L_P + i]
    w[s.R_SALT_N + i] = ELECTRODE_CELLS / (w[s.LINK_N + i] * area)
    w[s.R_SALT_P + i] = ELECTRODE_CELLS / (w[s.LINK_P + i] * area)
    w[s.THROUGH_N + i] = 0.5 * EDGE * w[s.LINK_N_S + i] / w[s.LINK_N + i]
    w[s.THROUGH_P + i] = 0.5 * EDGE * w[s.LINK_S_P + i] / w[s.LINK_P + i]
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
    w[s.UNEVEN_G + at + i] = ln


@law
def take_mean_off(w, i, row, first):
    """Take the mean off what is numbered by the volumes of an electrode."""
    a = row + first + i
    b, c, d = a + LANES, a + 2 * LANES, a + 3 * LANES
    mean = 0.25 * (w[a] + w[b] + w[c] + w[d])
    w[a], w[b], w[c], w[d] = w[a] - mean, w[b] - mean, w[c] - mean, w[d] - mean


@law
def vary(w, i, first):
    """Write the variances of u within the volumes of an electrode."""
    a = s.UNEVEN_U + first + i
    u_0, u_1, u_2, u_3 = w[a], w[a + LANES], w[a + 2 * LANES], w[a + 3 * LANES]
    r_0, r_1 = 2.0 * u_1 - 1.5 * u_0 - 0.5 * u_2, 0.5 * (u_2 - u_0)
    r_2, r_3 = 0.5 * (u_3 - u_1), 1.5 * u_3 - 2.0 * u_2 + 0.5 * u_1
    v = s.UNEVEN_V + first + i
    w[v], w[v + LANES] = (1.0 / 12.0) * r_0 * r_0, (1.0 / 12.0) * r_1 * r_1
    w[v + 2 * LANES], w[v + 3 * LANES] = (1.0 / 12.0) * r_2 * r_2, (1.0 / 12.0) * r_3 * r_3


@law
def weigh(w, i, at, order, order_2):
    """Write exp(u) and g of both reactions in a volume."""
    within, ln = 1.0 + 0.5 * w[s.UNEVEN_V + at + i], w[s.UNEVEN_G + at + i]
    w[s.UNEVEN_E + at + i] = exp(min(max(w[s.UNEVEN_U + at + i], -STEEPEST), STEEPEST))
    w[s.UNEVEN_G + at + i] = within * exp(w[order + i] * ln)
    w[s.UNEVEN_G_2 + at + i] = within * exp(w[order_2 + i] * ln)


@law
def both_means(w, i, row, first):
    """P and M."""
    up = down = 0.0
    for k in range(first, first + ELECTRODE_CELLS * LANES, LANES):
        e = w[s.UNEVEN_E + k + i]
        up, down = up + 0.25 * w[row + k + i] * e, down + 0.25 * w[row + k + i] / e
    return up, down


@lanes
def describe_negative_electrode(w, count):
    """u, its variance, exp(u), g, P and M of the negative electrode, from the collector on."""
    for k in range(ELECTRODE_CELLS):
        for i in range(count):
            sense(w, i, k * LANES, SQUARES[k], LINES[k], 1.0, s.R_SOLID_N, s.R_SALT_N)
    for i in range(LANES):
        take_mean_off(w, i, s.UNEVEN_U, 0)
        take_mean_off(w, i, s.UNEVEN_G, 0)
        vary(w, i, 0)
    for k in range(ELECTRODE_CELLS):
        for i in range(count):
            weigh(w, i, k * LANES, p.O_J_N, p.O_J_2)
    for i in range(LANES):
        w[s.UP_N + i], w[s.DOWN_N + i] = both_means(w, i, s.UNEVEN_G, 0)
        w[s.UP_2 + i], w[s.DOWN_2 + i] = both_means(w, i, s.UNEVEN_G_2, 0)


@lanes
def describe_positive_electrode(w, count):
    """Likewise of the positive one, from the separator on."""
    for k in range(ELECTRODE_CELLS):
        from_collector, at = ELECTRODE_CELLS - 1 - k, POSITIVE + k * LANES
        for i in range(count):
            square, line = SQUARES[from_collector], LINES[from_collector]
            sense(w, i, at, square, line, -1.0, s.R_SOLID_P, s.R_SALT_P)
    for i in range(LANES):
        take_mean_off(w, i, s.UNEVEN_U, POSITIVE)
        take_mean_off(w, i, s.UNEVEN_G, POSITIVE)
        vary(w, i, POSITIVE)
    for k in range(ELECTRODE_CELLS):
        for i in range(count):
            weigh(w, i, POSITIVE + k * LANES, p.O_J_P, p.O_J_P)
    for i in range(LANES):
        w[s.UP_P + i], w[s.DOWN_P + i] = both_means(w, i, s.UNEVEN_G, POSITIVE)


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
    for k in range(0, ELECTRODE_CELLS * LANES, LANES):
        for i in range(count):
            I_2, at = w[s.I_2_1 + i], k + i
            I = w[s.I_1 + i] + w[s.SIDE_1 + i] + w[s.I_2_GUESS + i] - I_2
            rise, fall = parts(I, w[s.OWN_N + i], w[s.UP_N + i], w[s.DOWN_N + i])
            rise_2, fall_2 = parts(I_2, w[s.OWN_2 + i], w[s.UP_2 + i], w[s.DOWN_2 + i])
            e, g, g_2 = w[s.UNEVEN_E + at], w[s.UNEVEN_G + at], w[s.UNEVEN_G_2 + at]
            forward, backward = (g * rise + g_2 * rise_2) * e, (g * fall + g_2 * fall_2) / e
            uneven = forward + backward - I - I_2
            w[s.TARGET + at] = uneven
            heat = uneven * w[s.UNEVEN_U + at] + (forward - backward) * w[s.UNEVEN_V + at]
            w[s.UNEVEN_HEAT + i] += HEAT_PER_KELVIN * w[s.T_1 + i] * heat


@lanes
def distribute_positive(w, count):
    """Likewise of the positive electrode."""
    for k in range(POSITIVE, CELLS * LANES, LANES):
        for i in range(count):
            I, at = -w[s.I_1 + i], k + i
            rise, fall = parts(I, w[s.OWN_P + i], w[s.UP_P + i], w[s.DOWN_P + i])
            e, g = w[s.UNEVEN_E + at], w[s.UNEVEN_G + at]
            forward, backward = g * rise * e, g * fall / e
            w[s.TARGET + at] = forward + backward - I
            heat = (forward + backward - I) * w[s.UNEVEN_U + at]
            heat += (forward - backward) * w[s.UNEVEN_V + at]
            w[s.UNEVEN_HEAT + i] += HEAT_PER_KELVIN * w[s.T_1 + i] * heat


@lanes
def find_uneven(w):
    """How uneven the reactions are at the end of the step, for its salt and current: TARGET."""
    count = w.shape[0] // s.ROWS
    describe_negative_electrode(w, count)
    distribute_negative(w, count)
    describe_positive_electrode(w, count)
    distribute_positive(w, count)


@law
def release(w, i, first, step, through):
    """Write what the volumes of one electrode have to release for its uneven reactions, and return
    what the separator has to. `through` is its half's share of the conductance to the last volume.

    Between means of volumes lies a slope that is exact for even reactions (`electrolyte`): here the
    source is linear between them, and what it adds to the flux across a face is moved across.
    """
    weight = w[s.WEIGHT + i]
    here = before = 0.0
    for k in range(ELECTRODE_CELLS):
        at = (first + k * step) * LANES + i
        uneven = (1.0 - weight) * w[s.UNEVEN_0 + at] + weight * w[s.UNEVEN_1 + at]
        moved = (uneven - here) * (1.0 / 12.0) if k > 0 else 0.0
        if k > 0:
            w[s.TARGET + at - step * LANES] += moved
        w[s.TARGET + at] = uneven - moved
        before, here = here, uneven
    moved = through * (here + 0.25 * (here - before)) * (1.0 / (3.0 * EDGE))
    w[s.TARGET + (first + (ELECTRODE_CELLS - 1) * step) * LANES + i] -= moved
    return moved


@lanes
def add_uneven(w):
    """Salt at the end of the step with uneven reactions: the equations of `salt_step` once more."""
    for i in range(LANES):
        into = release(w, i, 0, 1, w[s.THROUGH_N + i])
        into += release(w, i, CELLS - 1, -1, w[s.THROUGH_P + i])
        w[s.TARGET + SEPARATOR * LANES + i] = into
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
    separator = ELECTRODE_CELLS * LANES
    for i in range(LANES):
        for k in range(i, i + CELLS * LANES, LANES):
            w[s.UNEVEN_1 + k], w[s.UNEVEN_STEP + k] = w[s.UNEVEN_0 + k], 0.0
    add_uneven(w)
    for _ in range(ITERATIONS):
        find_uneven(w)
        for i in range(LANES):
            w[s.TARGET + separator + i] = 0.0
            for k in range(i, i + CELLS * LANES, LANES):
                w[s.UNEVEN_1 + k] += DAMPING * (w[s.TARGET + k] - w[s.UNEVEN_1 + k])
        add_uneven(w)


@lanes
def keep_uneven(w):
    """Take over how uneven reactions are at the end of accepted steps."""
    find_uneven(w)
    separator = ELECTRODE_CELLS * LANES
    for i in range(LANES):
        w[s.TARGET + separator + i] = 0.0
        for k in range(i, i + CELLS * LANES, LANES):
            w[s.UNEVEN_0 + k] = choose(w[s.ACCEPTED + i], w[s.TARGET + k], w[s.UNEVEN_0 + k])
