"""One time step of the shells of a particle, affine in the current at its end.

Rows are those of the negative particle; `side` is how far on the rows of the particle in question
lie: 0, or `workspace.TO_POSITIVE`. So one function serves both, and LLVM still knows how far apart
rows are. Loops over shells stand within loops over lanes and have constant bounds, as in
`salt_step`.
"""

from kernels import parameters as p
from kernels import tables as t
from kernels import workspace as s
from kernels.compiled import lanes
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

LAST = SHELLS - 1
OUTER, INNER = LAST * LANES, (LAST - 1) * LANES  # offsets of the outer two shells
#: how far on each stage begins, on the way to the one before, and where it ends in the step
STAGES = ((0.0, GAMMA), ((1.0 - GAMMA) / GAMMA, 1.0))
SURFACE_ITERATIONS = 2


@lanes
def place(w, side, share):
    """Stoichiometries at a share of the step: as the shells have been changing, or, where that is
    not known, as the mean changes.
    """
    for i in range(LANES):
        j = side + i
        h = share * w[s.H + i]
        inflow_1 = w[s.INFLOW_1 + j] + w[s.INFLOW_I + j] * w[s.I_1 + i]
        change = h * 0.5 * (w[s.INFLOW_0 + j] + inflow_1)
        for k in range(SHELLS):
            at = j + k * LANES
            moved = choose(w[s.H_0 + i], h * w[s.SHELL_RATE + at], change)
            w[s.SHELL_MID + at] = w[s.SHELL + at] + moved


@lanes
def read_shells(w, tables, flat, side, shape, warm):
    """Diffusivity between shells, relative to its row: its mean over the stoichiometry there."""
    for i in range(side, side + LANES):
        D_a = area_a = s_a = 0.0
        for k in range(SHELLS):
            s_b = w[s.SHELL_MID + i + k * LANES]
            D_b, _, area_b = lookup(tables, shape, s_b)
            if k > 0:
                w[s.SHELL_LINK + i + (k - 1) * LANES] = mean_diffusivity(
                    s_a, D_a, area_a, s_b, D_b, area_b
                )
            s_a, D_a, area_a = s_b, D_b, area_b
    if not flat[warm]:
        for i in range(LANES):
            j = side + i
            T = 0.5 * (w[s.T + i] + w[s.T_1 + i])
            for k in range(LAST):
                at = j + k * LANES
                between = 0.5 * (w[s.SHELL_MID + at] + w[s.SHELL_MID + at + LANES])
                factor = temperature_factor(tables, warm, between, T, w[p.T_REF + i])
                w[s.SHELL_LINK + at] *= factor


@lanes
def eliminate_shells(w, side):
    """Conductances times gamma h, and pivots of the shells' equations, without a subtraction."""
    for i in range(LANES):
        j = side + i
        per_diffusivity = GAMMA * w[s.H + i] * w[s.DIFFUSION + j]
        rest = VOLUMES[0]
        for k in range(LAST):
            at = j + k * LANES
            link = per_diffusivity * CONDUCTANCES[k] * w[s.SHELL_LINK + at]
            pivot = 1.0 / (rest + link)
            ratio = link * pivot
            w[s.SHELL_LINK + at], w[s.SHELL_PIVOT + at], w[s.SHELL_RATIO + at] = link, pivot, ratio
            rest = VOLUMES[k + 1] + ratio * rest
        w[s.SHELL_PIVOT + j + OUTER] = 1.0 / rest


@lanes
def solve_shells(w, side, share):
    """Add the increment of a stage that ends at a share of the step to SHELL_C + SHELL_I I_1."""
    for i in range(LANES):
        j = side + i
        gain = GAMMA * w[s.H + i]
        flow = flow_i = increment = slope = 0.0
        for k in range(SHELLS):
            at = j + k * LANES
            increment -= flow
            slope -= flow_i
            if k < LAST:
                link = w[s.SHELL_LINK + at]
                flow = link * (w[s.SHELL_C + at + LANES] - w[s.SHELL_C + at])
                flow_i = link * (w[s.SHELL_I + at + LANES] - w[s.SHELL_I + at])
            else:
                flow = (1.0 - share) * w[s.INFLOW_0 + j] + share * w[s.INFLOW_1 + j]
                flow, flow_i = gain * flow, gain * share * w[s.INFLOW_I + j]
            increment += flow
            slope += flow_i
            w[s.SHELL_MID + at], w[s.SHELL_BACK + at] = increment, slope
            if k < LAST:
                increment *= w[s.SHELL_RATIO + at]
                slope *= w[s.SHELL_RATIO + at]
        increment = slope = 0.0
        for k in range(LAST, -1, -1):
            at = j + k * LANES
            increment = w[s.SHELL_PIVOT + at] * w[s.SHELL_MID + at] + increment
            slope = w[s.SHELL_PIVOT + at] * w[s.SHELL_BACK + at] + slope
            w[s.SHELL_C + at] += increment
            w[s.SHELL_I + at] += slope
            if k > 0:
                increment *= w[s.SHELL_RATIO + at - LANES]
                slope *= w[s.SHELL_RATIO + at - LANES]


@lanes
def surface(w, tables, flat, side, shape, warm):
    """Stoichiometry of the surface, from that of the outer shells and the slopes about it."""
    for i in range(LANES):
        j = side + i
        I = w[s.I_1 + i]
        inflow = w[s.INFLOW_1 + j] + w[s.INFLOW_I + j] * I
        outer, inner = w[s.SHELL_C + j + OUTER], w[s.SHELL_C + j + INNER]
        outer_i, inner_i = w[s.SHELL_I + j + OUTER], w[s.SHELL_I + j + INNER]
        per_flux = OUTER_SLOPE / (3.0 * w[s.DIFFUSION + j])
        D_inner = w[s.SHELL_D + j] * (INNER_SLOPE / DISTANCES[LAST - 1])
        w[s.SURFACE_S + j] = outer + outer_i * I
        rise = outer - inner + (outer_i - inner_i) * I
        w[s.SURFACE_C + j] = per_flux * inflow + D_inner * rise
        w[s.SURFACE_I + j] = per_flux * w[s.INFLOW_I + j] + D_inner * (outer_i - inner_i)
    for i in range(LANES):
        # the integral of D over stoichiometry rises by the integral of its slope: Newton's method
        j = side + i
        outer = w[s.SURFACE_S + j]
        if not flat[warm]:
            T = 0.5 * (w[s.T + i] + w[s.T_1 + i])
            warmth = temperature_factor(tables, warm, outer, T, w[p.T_REF + i])
            w[s.SURFACE_C + j] /= warmth
            w[s.SURFACE_I + j] /= warmth
        D_outer, _, area = lookup(tables, shape, outer)
        target = area + w[s.SURFACE_C + j]
        at, D = outer + w[s.SURFACE_C + j] / D_outer, D_outer
        for _ in range(SURFACE_ITERATIONS):
            held = min(max(at, 0.0), 1.0)
            D, _, area = lookup(tables, shape, held)
            at = held + (target - area) / D
        outer_i = w[s.SHELL_I + j + OUTER]
        slope = (D_outer * outer_i + w[s.SURFACE_I + j]) / D
        w[s.SURFACE_S + j], w[s.SURFACE_I + j] = at, slope
        w[s.SURFACE_C + j] = at - slope * w[s.I_1 + i]


@lanes
def go_on(w, side, onward):
    """Begin a stage: from the start of the step, as far on as the stage before says."""
    for i in range(side, side + LANES):
        for at in range(i, i + SHELLS * LANES, LANES):
            before = w[s.SHELL + at]
            w[s.SHELL_C + at] = before + onward * (w[s.SHELL_C + at] - before)
            w[s.SHELL_I + at] *= onward


@lanes
def propose_shells(w, tables, flat, side, shape, warm):
    """Shells and surface of a particle at the end of the step."""
    for onward, share in STAGES:
        place(w, side, share)
        read_shells(w, tables, flat, side, shape, warm)
        for i in range(side, side + LANES):
            w[s.SHELL_D + i] = w[s.SHELL_LINK + i + INNER]
        eliminate_shells(w, side)
        go_on(w, side, onward)
        solve_shells(w, side, share)
    surface(w, tables, flat, side, shape, warm)


@lanes
def move_shells(w, side):
    """Shells of accepted steps, moved all alike so that their mean is that of the particle."""
    for i in range(LANES):
        j = side + i
        accepted, I, h = w[s.ACCEPTED + i], w[s.I_1 + i], w[s.H + i]
        continued = (h > 0.0) & (w[s.OPENING + i] == 0.0)
        per_second = 1.0 / h if continued else 0.0
        mean = 0.0
        for k in range(SHELLS):
            at = j + k * LANES
            end = w[s.SHELL_C + at] + w[s.SHELL_I + at] * I
            w[s.SHELL_C + at] = end
            mean += VOLUMES[k] * end
        shift = w[s.SHELL_MEAN + j] - mean
        for k in range(SHELLS):
            at = j + k * LANES
            before, end = w[s.SHELL + at], w[s.SHELL_C + at]
            rate = (end - before) * per_second
            w[s.SHELL_RATE + at] = choose(accepted, rate, w[s.SHELL_RATE + at])
            w[s.SHELL + at] = choose(accepted, end + shift, before)


@lanes
def move_particles(w, flat):
    """Shells of all particles that have some, after the means of accepted steps have moved."""
    if not (flat[t.SHAPE_D_N] and flat[t.WARM_D_N]):
        for i in range(LANES):
            w[s.SHELL_MEAN + i] = w[s.X + i]
        move_shells(w, 0)
    if not (flat[t.SHAPE_D_P] and flat[t.WARM_D_P]):
        for i in range(LANES):
            w[s.SHELL_MEAN + s.TO_POSITIVE + i] = w[s.Y + i]
        move_shells(w, s.TO_POSITIVE)
