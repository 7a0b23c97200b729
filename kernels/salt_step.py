"""One time step of the salt in the electrolyte, affine in the current at its end.

The volumes of `electrolyte` form a tridiagonal system, which is solved for the increments over the
step: a constant part, and one per ampere. Inner loops over volumes have constant bounds: LLVM
unrolls them, and the loop over lanes becomes vector instructions.
"""

from kernels import parameters as p
from kernels import workspace as s
from kernels.compiled import lanes, law, sequence
from kernels.electrolyte import CELLS, SEPARATOR, theta
from kernels.kinetics import arrhenius
from kernels.parameters import LANES

FACES = CELLS - 1
SALT_EDGE = 1.0  # mol m-3, least of all concentrations
FIRST, MIDDLE, LAST = 0, SEPARATOR * LANES, FACES * LANES  # offsets of volumes
#: half way from the last volume's centre to the edge of its electrode, in volumes beyond the centre
BEYOND_CENTRE = 0.25


@lanes
def locate(w):
    """Concentrations at which diffusivity is read: at the inner faces of both electrodes, on the
    way to their edges, and in the separator.
    """
    for i in range(LANES):
        for k in range(FIRST, MIDDLE - LANES, LANES):
            m = LAST - k
            w[s.C_AT + k + i] = 0.5 * (w[s.SALT + k + i] + w[s.SALT + k + LANES + i])
            w[s.C_AT + m + i] = 0.5 * (w[s.SALT + m + i] + w[s.SALT + m - LANES + i])
        for inner, side in ((MIDDLE - LANES, -LANES), (MIDDLE + LANES, LANES)):
            c = w[s.SALT + inner + i]
            beyond = BEYOND_CENTRE * (c - w[s.SALT + inner + side + i])
            w[s.C_AT + inner + i] = max(c + beyond, 0.0)
        w[s.C_AT + MIDDLE + i] = w[s.SALT + MIDDLE + i]


@lanes
def link(w):
    """Conductances between neighbouring volumes midway [m s-1] times the length of the step [m].

    What makes of them those at the end, times their weight there, and the weighted mean of both
    ends, are rows of their own.
    """
    for i in range(LANES):
        D = w[s.H + i] * w[p.D_E + i] * arrhenius(w[p.E_D_E + i], w[s.Z_MID + i])
        weight = theta(D * w[s.F_S + i] / w[s.RELAXATION + i])
        half = arrhenius(w[p.E_D_E + i], w[s.Z_1 + i] - w[s.Z_MID + i])
        # to the separator: two resistances in series (one division for what follows)
        left, right = w[s.EDGE_N + i] * w[s.F_EDGE_N + i], w[s.EDGE_P + i] * w[s.F_EDGE_P + i]
        middle = w[s.EDGE_S + i] * w[s.F_S + i]
        sum_n, sum_p = left + middle, middle + right
        per_all = 1.0 / (sum_n * sum_p * half)
        w[s.LINK + MIDDLE - LANES + i] = D * left * middle * (sum_p * half * per_all)
        w[s.LINK + MIDDLE + i] = D * middle * right * (sum_n * half * per_all)
        w[s.WEIGHT + i], w[s.LATER + i] = weight, weight * half
        w[s.BOTH + i] = weight * half + (1.0 - weight) * (sum_n * sum_p * per_all)
        n, q = D * w[s.LINK_N + i], D * w[s.LINK_P + i]
        for k in range(FIRST, MIDDLE - LANES, LANES):
            m = LAST - k
            w[s.LINK + k + i] = n * w[s.F_AT + k + i]
            w[s.LINK + m - LANES + i] = q * w[s.F_AT + m + i]


@lanes
def eliminate(w):
    """Pivots of (salt volumes + theta h conductances) without a subtraction, from both ends to the
    separator: half as many divisions wait for one another.
    """
    for i in range(LANES):
        rest_n, rest_p = w[s.SALT_N + i], w[s.SALT_P + i]
        carried_n = carried_p = 0.0
        for k in range(FIRST, MIDDLE, LANES):
            m = LAST - k
            across_n = w[s.LATER + i] * w[s.LINK + k + i]
            across_p = w[s.LATER + i] * w[s.LINK + m - LANES + i]
            pivot_n, pivot_p = 1.0 / (rest_n + across_n), 1.0 / (rest_p + across_p)
            ratio_n, ratio_p = across_n * pivot_n, across_p * pivot_p
            w[s.PIVOT + k + i], w[s.PIVOT + m + i] = pivot_n, pivot_p
            w[s.RATIO + k + i], w[s.RATIO + m - LANES + i] = ratio_n, ratio_p
            carried_n, carried_p = ratio_n * rest_n, ratio_p * rest_p
            rest_n, rest_p = w[s.SALT_N + i] + carried_n, w[s.SALT_P + i] + carried_p
        w[s.PIVOT + MIDDLE + i] = 1.0 / (w[s.SALT_S + i] + carried_n + carried_p)


@lanes
def substitute(w):
    """Concentrations at the end of the step: SALT_C + SALT_I I_1."""
    for i in range(LANES):
        source = w[s.H + i] * w[s.SOURCE + i] * (1.0 - w[p.T_PLUS + i] * w[s.F_T_PLUS + i])
        per_ampere = w[s.WEIGHT + i] * source
        of_start = (source - per_ampere) * w[s.I_0 + i]
        flow_n = flow_p = constant_n = constant_p = slope_n = slope_p = 0.0
        for k in range(FIRST, MIDDLE, LANES):
            m = LAST - k
            before_n, before_p = flow_n, flow_p
            flow_n = w[s.SALT + k + LANES + i] - w[s.SALT + k + i]
            flow_p = w[s.SALT + m - LANES + i] - w[s.SALT + m + i]
            flow_n *= w[s.BOTH + i] * w[s.LINK + k + i]
            flow_p *= w[s.BOTH + i] * w[s.LINK + m - LANES + i]
            constant_n += of_start + flow_n - before_n
            constant_p += flow_p - before_p - of_start
            slope_n, slope_p = slope_n + per_ampere, slope_p - per_ampere
            w[s.SALT_C + k + i], w[s.SALT_I + k + i] = constant_n, slope_n
            w[s.SALT_C + m + i], w[s.SALT_I + m + i] = constant_p, slope_p
            ratio_n, ratio_p = w[s.RATIO + k + i], w[s.RATIO + m - LANES + i]
            constant_n, constant_p = constant_n * ratio_n, constant_p * ratio_p
            slope_n, slope_p = slope_n * ratio_n, slope_p * ratio_p
        pivot = w[s.PIVOT + MIDDLE + i]
        constant_n = constant_p = pivot * (constant_n + constant_p - flow_n - flow_p)
        slope_n = slope_p = pivot * (slope_n + slope_p)
        w[s.SALT_C + MIDDLE + i] = w[s.SALT + MIDDLE + i] + constant_n
        w[s.SALT_I + MIDDLE + i] = slope_n
        for k in range(MIDDLE - LANES, FIRST - LANES, -LANES):
            m = LAST - k
            ratio_n, ratio_p = w[s.RATIO + k + i], w[s.RATIO + m - LANES + i]
            pivot_n, pivot_p = w[s.PIVOT + k + i], w[s.PIVOT + m + i]
            constant_n = pivot_n * w[s.SALT_C + k + i] + ratio_n * constant_n
            constant_p = pivot_p * w[s.SALT_C + m + i] + ratio_p * constant_p
            slope_n = pivot_n * w[s.SALT_I + k + i] + ratio_n * slope_n
            slope_p = pivot_p * w[s.SALT_I + m + i] + ratio_p * slope_p
            w[s.SALT_C + k + i] = w[s.SALT + k + i] + constant_n
            w[s.SALT_C + m + i] = w[s.SALT + m + i] + constant_p
            w[s.SALT_I + k + i], w[s.SALT_I + m + i] = slope_n, slope_p


@sequence
def propose_salt(w):
    """Concentrations at the end of the step, an affine function of the current there."""
    link(w)
    eliminate(w)
    substitute(w)


@law
def salt_at(w, i, volume, current):
    """Concentration in a volume at the end of the step [mol m-3], for the end current [A]."""
    at = volume * LANES + i
    return max(w[s.SALT_C + at] + w[s.SALT_I + at] * current, SALT_EDGE)
