"""One time step of the shells of a particle, affine in the current at its end.

`v` is the workspace from where the rows of the particle lie as those of the negative one do in
`workspace`. Loops over shells stand around loops over lanes, and those have a length that is not
known at compile time: LLVM would unroll the one inside a dozen shells, or sixteen lanes, and then
not vectorise (300 ns a lane instead of 100).
"""

from kernels import parameters as p
from kernels import tables as t
from kernels import workspace as s
from kernels.block_lookup import read_block
from kernels.compiled import lanes, law, sequence
from kernels.parameters import LANES
from kernels.shells import (
    CONDUCTANCES,
    DISTANCES,
    GAMMA,
    INNER_SLOPE,
    OUTER_SLOPE,
    SHELLS,
    VOLUMES,
    mean_diffusivity,
)
from kernels.tables import lookup, temperature_factor
from kernels.vector_math import choose

ROWS = s.SIZE // LANES
LAST = SHELLS - 1
OUTER, INNER = LAST * LANES, (LAST - 1) * LANES  # offsets of the outer two shells
#: how far on the second stage begins, on the way to the end of the first one
ONWARD = (1.0 - GAMMA) / GAMMA
SURFACE_ITERATIONS = 2


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
            v[s.SHELL_AT + k + i] = v[s.SHELL + k + i] + moved


@lanes
def settle_shells(v, count):
    """Take the end of the step that has been found as the better guess."""
    for k in range(0, SHELLS * LANES, LANES):
        for i in range(count):
            end = v[s.SHELL_C + k + i] + v[s.SHELL_I + k + i] * v[s.SHELL_I_1 + i]
            v[s.SHELL_AT + k + i] = end


@lanes
def read_shells(v, count, tables, flat, shape, warm):
    """Diffusivity between neighbouring shells, over its row: the mean over the stoichiometries."""
    for k in range(0, SHELLS * LANES, LANES):
        read_block(v, tables, shape, s.SHELL_AT + k, s.SHELL_D + k, s.CARRY, s.SHELL_AREA + k)
    for k in range(0, LAST * LANES, LANES):
        for i in range(count):
            m = k + LANES + i
            v[s.SHELL_LINK + k + i] = mean_diffusivity(
                v[s.SHELL_AT + k + i], v[s.SHELL_D + k + i], v[s.SHELL_AREA + k + i],
                v[s.SHELL_AT + m], v[s.SHELL_D + m], v[s.SHELL_AREA + m],
            )  # fmt: skip
    if not flat[warm]:
        for k in range(0, LAST * LANES, LANES):
            for i in range(count):
                between = 0.5 * (v[s.SHELL_AT + k + i] + v[s.SHELL_AT + k + LANES + i])
                T, T_ref = v[s.SHELL_T + i], v[s.SHELL_T_REF + i]
                v[s.SHELL_LINK + k + i] *= temperature_factor(tables, warm, between, T, T_ref)


@lanes
def eliminate_shells(v, count):
    """Conductances times gamma h, and pivots of the shells' equations, without a subtraction."""
    for i in range(count):
        v[s.SHELL_D_INNER + i] = v[s.SHELL_LINK + INNER + i]
        v[s.CARRY + i] = VOLUMES[0]
    for shell in range(LAST):
        k = shell * LANES
        volume, conductance = VOLUMES[shell + 1], GAMMA * CONDUCTANCES[shell]
        for i in range(count):
            rest = v[s.CARRY + i]
            link = conductance * v[s.SHELL_H + i] * v[s.DIFFUSION + i] * v[s.SHELL_LINK + k + i]
            pivot = 1.0 / (rest + link)
            ratio = link * pivot
            v[s.SHELL_LINK + k + i], v[s.SHELL_PIVOT + k + i] = link, pivot
            v[s.SHELL_RATIO + k + i] = ratio
            v[s.CARRY + i] = volume + ratio * rest
    for i in range(count):
        v[s.SHELL_PIVOT + OUTER + i] = 1.0 / v[s.CARRY + i]


@lanes
def begin(v, count, onward):
    """Where a stage begins: from the start of the step, as far on as the end of the last stage
    says.
    """
    for k in range(0, SHELLS * LANES, LANES):
        for i in range(count):
            before = v[s.SHELL + k + i]
            v[s.BEGIN_C + k + i] = before + onward * (v[s.SHELL_C + k + i] - before)
            v[s.BEGIN_I + k + i] = onward * v[s.SHELL_I + k + i]


@lanes
def solve_shells(v, count, share):
    """SHELL_C + SHELL_I I_1 at the end of a stage, a share of the step, from where it begins."""
    for i in range(count):
        v[s.CARRY + i] = v[s.CARRY_I + i] = 0.0
    for k in range(0, LAST * LANES, LANES):
        for i in range(count):
            link, ratio = v[s.SHELL_LINK + k + i], v[s.SHELL_RATIO + k + i]
            flow = link * (v[s.BEGIN_C + k + LANES + i] - v[s.BEGIN_C + k + i])
            flow_i = link * (v[s.BEGIN_I + k + LANES + i] - v[s.BEGIN_I + k + i])
            increment, slope = v[s.CARRY + i] + flow, v[s.CARRY_I + i] + flow_i
            v[s.SHELL_C + k + i], v[s.SHELL_I + k + i] = increment, slope
            v[s.CARRY + i], v[s.CARRY_I + i] = ratio * increment - flow, ratio * slope - flow_i
    for i in range(count):
        gain, pivot = GAMMA * v[s.SHELL_H + i], v[s.SHELL_PIVOT + OUTER + i]
        inflow = (1.0 - share) * v[s.INFLOW_0 + i] + share * v[s.INFLOW_1 + i]
        increment = pivot * (v[s.CARRY + i] + gain * inflow)
        slope = pivot * (v[s.CARRY_I + i] + gain * share * v[s.INFLOW_I + i])
        v[s.SHELL_C + OUTER + i] = v[s.BEGIN_C + OUTER + i] + increment
        v[s.SHELL_I + OUTER + i] = v[s.BEGIN_I + OUTER + i] + slope
        v[s.CARRY + i], v[s.CARRY_I + i] = increment, slope
    for k in range(INNER, -LANES, -LANES):
        for i in range(count):
            ratio, pivot = v[s.SHELL_RATIO + k + i], v[s.SHELL_PIVOT + k + i]
            increment = pivot * v[s.SHELL_C + k + i] + ratio * v[s.CARRY + i]
            slope = pivot * v[s.SHELL_I + k + i] + ratio * v[s.CARRY_I + i]
            v[s.SHELL_C + k + i] = v[s.BEGIN_C + k + i] + increment
            v[s.SHELL_I + k + i] = v[s.BEGIN_I + k + i] + slope
            v[s.CARRY + i], v[s.CARRY_I + i] = increment, slope


@lanes
def find_surface(v, count, tables, flat, shape, warm):
    """Stoichiometry of the surface, from that of the outer shells and the slopes about it. It does
    not jump with the current: a step of no length leaves it as it was.
    """
    for i in range(count):
        I = v[s.SHELL_I_1 + i]
        outer_i = v[s.SHELL_I + OUTER + i]
        rise_i = outer_i - v[s.SHELL_I + INNER + i]
        rise = v[s.SHELL_C + OUTER + i] - v[s.SHELL_C + INNER + i] + rise_i * I
        per_flux = OUTER_SLOPE / (3.0 * v[s.DIFFUSION + i])
        inner = v[s.SHELL_D_INNER + i] * (INNER_SLOPE / DISTANCES[LAST - 1])
        inflow = v[s.INFLOW_1 + i] + v[s.INFLOW_I + i] * I
        v[s.SHELL_XS_C + i] = per_flux * inflow + inner * rise
        v[s.SHELL_XS_I + i] = per_flux * v[s.INFLOW_I + i] + inner * rise_i
        v[s.SHELL_XS + i] = v[s.SHELL_C + OUTER + i] + outer_i * I
    for i in range(count):
        # the integral of D over stoichiometry rises by the integral of its slope: Newton's method
        outer, rise, rise_i = v[s.SHELL_XS + i], v[s.SHELL_XS_C + i], v[s.SHELL_XS_I + i]
        if not flat[warm]:
            T, T_ref = v[s.SHELL_T + i], v[s.SHELL_T_REF + i]
            per_warmth = 1.0 / temperature_factor(tables, warm, outer, T, T_ref)
            rise, rise_i = rise * per_warmth, rise_i * per_warmth
        D_outer, _, area_outer = lookup(tables, shape, outer)
        end, D = outer + rise / D_outer, D_outer
        for _ in range(SURFACE_ITERATIONS):
            held = min(max(end, 0.0), 1.0)
            D, _, area = lookup(tables, shape, held)
            end = held + (rise - (area - area_outer)) / D
        slope = (D_outer * v[s.SHELL_I + OUTER + i] + rise_i) / D
        still = v[s.SHELL_H + i] == 0.0
        end, slope = v[s.SHELL_XS_0 + i] if still else end, 0.0 if still else slope
        v[s.SHELL_XS + i], v[s.SHELL_XS_I + i] = end, slope
        v[s.SHELL_XS_C + i] = end - slope * v[s.SHELL_I_1 + i]


@lanes
def propose_shells(w, first, tables, flat, shape, warm):
    """Shells and surface at the end of the step of the particle whose rows begin `first` on."""
    v, count = w[first:], w.shape[0] // ROWS
    place(v, count, GAMMA)
    read_shells(v, count, tables, flat, shape, warm)
    eliminate_shells(v, count)
    begin(v, count, 0.0)
    solve_shells(v, count, GAMMA)
    begin(v, count, ONWARD)
    place(v, count, 1.0)
    read_shells(v, count, tables, flat, shape, warm)
    eliminate_shells(v, count)
    solve_shells(v, count, 1.0)
    # where the diffusivity varies over decades, a guess from the past is not enough for the end
    settle_shells(v, count)
    read_shells(v, count, tables, flat, shape, warm)
    eliminate_shells(v, count)
    solve_shells(v, count, 1.0)
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
    v, count = w[first:], w.shape[0] // ROWS
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
