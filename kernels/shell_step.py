"""One time step of the shells of a particle, affine in the current at its end.

`v` is the workspace from where the rows of the particle lie as those of the negative one do in
`workspace`. Loops over shells stand around loops over lanes, and those have a length that is not
known at compile time: LLVM would unroll the one inside a dozen shells, or sixteen lanes, and then
not vectorise. What a loop over shells writes and what it reads are both numbered by shell: LLVM
cannot tell a row without a number from those, and would compare their places before each shell (63
instead of 21 ns a lane for 24 shells).
"""

from kernels import parameters as p
from kernels import tables as t
from kernels import workspace as s
from kernels.block_lookup import read_block
from kernels.compiled import lanes, law, sequence
from kernels.parameters import LANES
from kernels.shells import (
    CONDUCTANCES,
    DISTANCE,
    GAMMA,
    INNER_SHARES,
    INNER_SLOPE,
    OUTER_SHARES,
    OUTER_SLOPE,
    SHELLS,
    STAGES,
    VOLUMES,
    lift,
    mean_diffusivity,
)
from kernels.tables import temperature_factor
from kernels.vector_math import choose

LAST = SHELLS - 1
OUTER, INNER = LAST * LANES, (LAST - 1) * LANES  # offsets of the outer two shells
#: how far on the second stage begins, on the way to the end of the first one, and the third one on
#: the ways to both
SECOND = 0.5 * (1.0 - GAMMA) / GAMMA
THIRD_SECOND = (1.5 * GAMMA * GAMMA - 5.0 * GAMMA + 1.25) / GAMMA
THIRD_FIRST = (-1.5 * GAMMA * GAMMA + 4.0 * GAMMA - 0.25) / GAMMA - THIRD_SECOND * SECOND
SURFACE_ITERATIONS = 2
LEAST_D = 1e-12  # relative: a diffusivity of 0, of a full surface for example, makes no NaN
PER_RISE = INNER_SLOPE / DISTANCE  # of the integral of D, between the outer two shells


@law
def describe(w, i, j, before, after, per_ampere, rate):
    """Write what the step of the particle whose rows begin `j` on needs: the rate of its mean at
    both ends of the step [s-1], without and per ampere of the end current, and D / R^2.
    """
    w[s.INFLOW_0 + j], w[s.INFLOW_1 + j], w[s.INFLOW_I + j] = before, after, per_ampere
    w[s.DIFFUSION + j] = rate
    w[s.SHELL_H + j], w[s.SHELL_H_0 + j] = w[s.H + i], w[s.H_0 + i]
    w[s.SHELL_I_1 + j] = w[s.I_1 + i]
    w[s.SHELL_T + j], w[s.SHELL_T_REF + j] = 0.5 * (w[s.T + i] + w[s.T_1 + i]), w[p.T_REF + i]


@lanes
def place(v, count, share):
    """Guess the stoichiometries at a share of the step: as the shells have been changing, or, where
    that is not known, as the mean changes.
    """
    for i in range(count):
        h = share * v[s.SHELL_H + i]
        inflow_1 = v[s.INFLOW_1 + i] + v[s.INFLOW_I + i] * v[s.SHELL_I_1 + i]
        v[s.CARRY + i] = h * 0.5 * (v[s.INFLOW_0 + i] + inflow_1)
    for k in range(0, SHELLS * LANES, LANES):
        for i in range(count):
            rate = share * v[s.SHELL_H + i] * v[s.SHELL_RATE + k + i]
            moved = choose(v[s.SHELL_H_0 + i], rate, v[s.CARRY + i])
            v[s.SHELL_AT + k + i] = min(max(v[s.SHELL + k + i] + moved, 0.0), 1.0)


@lanes
def settle_shells(v, count):
    """Take the end of a stage that has been found as the better guess."""
    for k in range(0, SHELLS * LANES, LANES):
        for i in range(count):
            end = v[s.SHELL_C + k + i] + v[s.SHELL_I + k + i] * v[s.SHELL_I_1 + i]
            v[s.SHELL_AT + k + i] = min(max(end, 0.0), 1.0)


@lanes
def link_shells(v, count):
    """Conductances times gamma h for a diffusivity of 1."""
    for i in range(count):
        v[s.GAIN + i] = GAMMA * v[s.SHELL_H + i]
    for shell in range(LAST):
        k, conductance = shell * LANES, CONDUCTANCES[shell]
        for i in range(count):
            v[s.SHELL_LINK + k + i] = conductance * v[s.GAIN + i] * v[s.DIFFUSION + i]


@lanes
def read_shells(v, count, tables, flat, shape, warm):
    """Diffusivities, their integrals over stoichiometry with the `lift` of those; conductances
    follow them in warmth.
    """
    for k in range(0, SHELLS * LANES, LANES):
        read_block(v, tables, shape, s.SHELL_AT + k, s.SHELL_D + k, s.CARRY, s.SHELL_AREA + k)
    for i in range(count):
        o, n = OUTER + i, INNER + i
        D_o, D_n, rise = v[s.SHELL_D + o], v[s.SHELL_D + n], v[s.SHELL_AT + o] - v[s.SHELL_AT + n]
        v[s.SHELL_LIFT + i], v[s.SHELL_LIFT + o] = 0.0, lift(D_o - D_n, rise, min(D_o, D_n))
    for k in range(LANES, OUTER, LANES):  # half of what is between both neighbours
        for i in range(count):
            a, b = k - LANES + i, k + LANES + i
            D_a, D_b, rise = (
                v[s.SHELL_D + a],
                v[s.SHELL_D + b],
                v[s.SHELL_AT + b] - v[s.SHELL_AT + a],
            )
            least = min(min(D_a, D_b), v[s.SHELL_D + k + i])
            v[s.SHELL_LIFT + k + i] = lift(0.5 * (D_b - D_a), 0.5 * rise, least)
    if not flat[warm]:
        link_shells(v, count)
        for k in range(0, LAST * LANES, LANES):
            for i in range(count):
                between = 0.5 * (v[s.SHELL_AT + k + i] + v[s.SHELL_AT + k + LANES + i])
                T, T_ref = v[s.SHELL_T + i], v[s.SHELL_T_REF + i]
                v[s.SHELL_LINK + k + i] *= temperature_factor(tables, warm, between, T, T_ref)


@lanes
def begin_first(v, count):
    """Where the first stage begins."""
    for k in range(0, SHELLS * LANES, LANES):
        for i in range(count):
            v[s.BEGIN_C + k + i], v[s.BEGIN_I + k + i] = v[s.SHELL + k + i], 0.0


@lanes
def begin_second(v, count):
    """Where the second stage begins, and a guess of its end, further on the way that the first one
    went. The end of that is kept.
    """
    for k in range(0, SHELLS * LANES, LANES):
        for i in range(count):
            before, end, slope = v[s.SHELL + k + i], v[s.SHELL_C + k + i], v[s.SHELL_I + k + i]
            v[s.FIRST_C + k + i], v[s.FIRST_I + k + i] = end, slope
            v[s.BEGIN_C + k + i] = before + SECOND * (end - before)
            v[s.BEGIN_I + k + i] = SECOND * slope
            now = end + slope * v[s.SHELL_I_1 + i]
            v[s.SHELL_AT + k + i] = min(max(now + SECOND * (now - before), 0.0), 1.0)


@lanes
def begin_third(v, count):
    """Where the third stage begins, and a guess of its end, from both others, equally far apart."""
    for k in range(0, SHELLS * LANES, LANES):
        for i in range(count):
            before, first, second = v[s.SHELL + k + i], v[s.FIRST_C + k + i], v[s.SHELL_C + k + i]
            first_i, second_i = v[s.FIRST_I + k + i], v[s.SHELL_I + k + i]
            moved = THIRD_FIRST * (first - before) + THIRD_SECOND * (second - before)
            v[s.BEGIN_C + k + i] = before + moved
            v[s.BEGIN_I + k + i] = THIRD_FIRST * first_i + THIRD_SECOND * second_i
            ahead = 2.0 * second - first + (2.0 * second_i - first_i) * v[s.SHELL_I_1 + i]
            v[s.SHELL_AT + k + i] = min(max(ahead, 0.0), 1.0)


@lanes
def solve_shells(v, count, share, tangent):
    """SHELL_C + SHELL_I I_1 at the end of a stage, a share of the step, from where it begins.

    What flows between two shells, their conductance times the rise of the integral of D, is linear
    about SHELL_AT: along `tangent`s, which is Newton's method, or along the chord, which does not
    lead out of the range of what was there. Elimination from the centre outwards; no pivot is a
    difference.
    """
    for i in range(count):
        v[s.SHELL_RATIO + i], v[s.SHELL_C + i], v[s.SHELL_I + i] = VOLUMES[0], 0.0, 0.0
    for shell in range(LAST):
        k, volume, next_volume = shell * LANES, VOLUMES[shell], VOLUMES[shell + 1]
        share_a, share_b = INNER_SHARES[shell], OUTER_SHARES[shell]
        for i in range(count):
            a, b = k + i, k + LANES + i
            link = v[s.SHELL_LINK + a]
            area_a, area_b = v[s.SHELL_AREA + a], v[s.SHELL_AREA + b]
            D_a, D_b = v[s.SHELL_D + a], v[s.SHELL_D + b]
            if not tangent:
                D_a = mean_diffusivity(
                    v[s.SHELL_AT + a], D_a, area_a, v[s.SHELL_AT + b], D_b, area_b
                )
                D_b = D_a
            # how far they have moved since the beginning, and what that adds to the flow
            moved_a, moved_b = (
                v[s.SHELL_AT + a] - v[s.BEGIN_C + a],
                v[s.SHELL_AT + b] - v[s.BEGIN_C + b],
            )
            begin_a, begin_b = v[s.BEGIN_I + a], v[s.BEGIN_I + b]
            rise = area_b - area_a + v[s.SHELL_LIFT + b] - v[s.SHELL_LIFT + a]
            flow = link * rise + share_a * moved_a + share_b * moved_b
            flow_i = -share_a * begin_a - share_b * begin_b
            link_a, link_b = link * D_a - share_a, link * D_b + share_b
            # what the shell within left behind lies where the answers will
            rest, carry, carry_i = v[s.SHELL_RATIO + a], v[s.SHELL_C + a], v[s.SHELL_I + a]
            pivot = 1.0 / (rest + link_a)
            increment = pivot * (flow + carry - volume * moved_a)
            slope = pivot * (volume * begin_a + flow_i + carry_i)
            ratio = pivot * link_b
            v[s.SHELL_C + a], v[s.SHELL_I + a], v[s.SHELL_RATIO + a] = increment, slope, ratio
            v[s.SHELL_C + b], v[s.SHELL_I + b] = link_a * increment - flow, link_a * slope - flow_i
            v[s.SHELL_RATIO + b] = next_volume + ratio * rest
    for i in range(count):
        o = OUTER + i
        before, after = (1.0 - share) * v[s.INFLOW_0 + i], share * v[s.INFLOW_1 + i]
        pivot, volume = 1.0 / v[s.SHELL_RATIO + o], VOLUMES[LAST]
        missing = volume * (v[s.BEGIN_C + o] - v[s.SHELL_AT + o]) + v[s.SHELL_C + o]
        increment = pivot * (missing + v[s.GAIN + i] * (before + after))
        slope = volume * v[s.BEGIN_I + o] + v[s.SHELL_I + o]
        slope = pivot * (slope + v[s.GAIN + i] * share * v[s.INFLOW_I + i])
        v[s.SHELL_C + o], v[s.SHELL_I + o] = increment, slope
    for k in range(INNER, -LANES, -LANES):
        for i in range(count):
            a, b = k + i, k + LANES + i
            v[s.SHELL_C + a] += v[s.SHELL_RATIO + a] * v[s.SHELL_C + b]
            v[s.SHELL_I + a] += v[s.SHELL_RATIO + a] * v[s.SHELL_I + b]
    for k in range(0, SHELLS * LANES, LANES):
        for i in range(count):
            v[s.SHELL_C + k + i] += v[s.SHELL_AT + k + i]


@lanes
def find_surface(v, count, tables, flat, shape, warm):
    """Stoichiometry of the surface, to which the integral of D rises from the outer shell as the
    slopes about that say, by Newton's method. It does not jump with the current: a step of no
    length leaves it as it was. SHELL_UNSETTLED is how far the last iterations moved it.
    """
    for i in range(count):
        I, o, n = v[s.SHELL_I_1 + i], OUTER + i, INNER + i
        outer = v[s.SHELL_C + o] + v[s.SHELL_I + o] * I
        inner = v[s.SHELL_C + n] + v[s.SHELL_I + n] * I
        D_o, D_n = v[s.SHELL_D + o], v[s.SHELL_D + n]
        area = v[s.SHELL_AREA + o] + v[s.SHELL_LIFT + o] + D_o * (outer - v[s.SHELL_AT + o])
        rise = area - v[s.SHELL_AREA + n] - v[s.SHELL_LIFT + n]
        rise -= D_n * (inner - v[s.SHELL_AT + n])
        area_i = D_o * v[s.SHELL_I + o]
        rise_i = area_i - D_n * v[s.SHELL_I + n]
        per_flux = OUTER_SLOPE / (3.0 * v[s.DIFFUSION + i])
        if not flat[warm]:
            T, T_ref = v[s.SHELL_T + i], v[s.SHELL_T_REF + i]
            per_flux /= temperature_factor(tables, warm, outer, T, T_ref)
        inflow = v[s.INFLOW_1 + i] + v[s.INFLOW_I + i] * I
        rise = per_flux * inflow + PER_RISE * rise
        rise_i = per_flux * v[s.INFLOW_I + i] + PER_RISE * rise_i
        v[s.SHELL_XS_C + i], v[s.SHELL_XS_I + i] = area + rise, area_i + rise_i
        v[s.SHELL_XS + i] = outer + rise / max(D_o, LEAST_D)
        v[s.SHELL_UNSETTLED + i] = abs(outer - v[s.SHELL_AT + o])
    for _ in range(SURFACE_ITERATIONS):
        read_block(v, tables, shape, s.SHELL_XS, s.SURFACE_D, s.CARRY, s.SURFACE_AREA)
        for i in range(count):
            held = min(max(v[s.SHELL_XS + i], 0.0), 1.0)
            missing = v[s.SHELL_XS_C + i] - v[s.SURFACE_AREA + i]
            D = max(v[s.SURFACE_D + i], LEAST_D)
            v[s.SURFACE_D + i], v[s.SURFACE_MOVE + i] = D, missing / D
            v[s.SHELL_XS + i] = held + v[s.SURFACE_MOVE + i]
    for i in range(count):
        slope = v[s.SHELL_XS_I + i] / v[s.SURFACE_D + i]
        v[s.SHELL_UNSETTLED + i] += abs(v[s.SURFACE_MOVE + i])
        still = v[s.SHELL_H + i] == 0.0
        end, slope = v[s.SHELL_XS_0 + i] if still else v[s.SHELL_XS + i], 0.0 if still else slope
        v[s.SHELL_XS + i], v[s.SHELL_XS_I + i] = end, slope
        v[s.SHELL_XS_C + i] = end - slope * v[s.SHELL_I_1 + i]


@lanes
def propose_shells(w, first, tables, flat, shape, warm):
    """Shells and surface at the end of the step of the particle whose rows begin `first` on."""
    v, count = w[first:], w.shape[0] // s.ROWS
    link_shells(v, count)
    begin_first(v, count)
    place(v, count, STAGES[0])
    read_shells(v, count, tables, flat, shape, warm)
    solve_shells(v, count, STAGES[0], False)
    # where the diffusivity varies over decades, a guess from the past may be far from the end, and
    # Newton's method would not find it; what the first stage is off counts fourfold in the third
    settle_shells(v, count)
    read_shells(v, count, tables, flat, shape, warm)
    solve_shells(v, count, STAGES[0], True)
    begin_second(v, count)
    read_shells(v, count, tables, flat, shape, warm)
    solve_shells(v, count, STAGES[1], False)
    begin_third(v, count)
    read_shells(v, count, tables, flat, shape, warm)
    solve_shells(v, count, STAGES[2], True)
    find_surface(v, count, tables, flat, shape, warm)


@law
def describe_move(w, i, j, mean):
    """Write what has become of the step of the particle whose rows begin `j` on."""
    continued = (w[s.H + i] > 0.0) & (w[s.OPENING + i] == 0.0)
    w[s.SHELL_PER_H + j] = 1.0 / w[s.H + i] if continued else 0.0
    w[s.SHELL_I_1 + j], w[s.SHELL_ACCEPTED + j] = w[s.I_1 + i], w[s.ACCEPTED + i]
    w[s.SHELL_MEAN + j] = mean


@lanes
def move_shells(w, first):
    """Shells and surface of accepted steps, moved all alike so that the mean is the particle's."""
    v, count = w[first:], w.shape[0] // s.ROWS
    for shell in range(SHELLS):
        k, volume = shell * LANES, VOLUMES[shell]
        for i in range(count):
            end = v[s.SHELL_C + k + i] + v[s.SHELL_I + k + i] * v[s.SHELL_I_1 + i]
            v[s.SHELL_C + k + i] = end
            v[s.SHELL_MEAN + i] -= volume * end
    for k in range(0, SHELLS * LANES, LANES):
        for i in range(count):
            accepted, before = v[s.SHELL_ACCEPTED + i], v[s.SHELL + k + i]
            end, rate = v[s.SHELL_C + k + i], v[s.SHELL_RATE + k + i]
            now = (end - before) * v[s.SHELL_PER_H + i]
            v[s.SHELL_RATE + k + i] = choose(accepted, now, rate)
            v[s.SHELL + k + i] = choose(accepted, end + v[s.SHELL_MEAN + i], before)
    for i in range(count):
        surface = (
            v[s.SHELL_XS_C + i] + v[s.SHELL_XS_I + i] * v[s.SHELL_I_1 + i] + v[s.SHELL_MEAN + i]
        )
        v[s.SHELL_XS_0 + i] = choose(v[s.SHELL_ACCEPTED + i], surface, v[s.SHELL_XS_0 + i])


@sequence
def move_particles(w, flat):
    """Shells of all particles that have some, after the means of accepted steps have moved."""
    if not (flat[t.SHAPE_D_N] and flat[t.WARM_D_N]):
        for i in range(LANES):
            describe_move(w, i, i, w[s.X + i])
        move_shells(w, 0)
    if not (flat[t.SHAPE_D_P] and flat[t.WARM_D_P]):
        for i in range(LANES):
            describe_move(w, i, s.TO_POSITIVE + i, w[s.Y + i])
        move_shells(w, s.TO_POSITIVE)
