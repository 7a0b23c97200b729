"""One time step of the salt in the electrolyte, affine in the current at its end.

The volumes of `electrolyte` form a tridiagonal system, which is solved for the increments over the
step: a constant part, and one per ampere. Inner loops over volumes have constant bounds: LLVM
unrolls them, and the loop over lanes becomes vector instructions.
"""

from kernels import parameters as p
from kernels import workspace as s
from kernels.compiled import lanes
from kernels.electrolyte import CELLS, SEPARATOR, theta
from kernels.kinetics import arrhenius
from kernels.parameters import LANES

FACES = CELLS - 1
FIRST, MIDDLE, LAST = 0, SEPARATOR * LANES, FACES * LANES  # offsets of volumes
#: from the outer to the inner pair of volumes, and on to half way between last volume and edge
EXTRAPOLATION = 0.375


@lanes
def locate(w):
    """Concentrations at which diffusivity is read: means of two volumes, and the separator's."""
    for i in range(LANES):
        c_0, c_1 = w[s.SALT + i], w[s.SALT + LANES + i]
        c_2, c_3 = w[s.SALT + 2 * LANES + i], w[s.SALT + 3 * LANES + i]
        c_s = w[s.SALT + MIDDLE + i]
        c_5, c_6 = w[s.SALT + 5 * LANES + i], w[s.SALT + 6 * LANES + i]
        c_7, c_8 = w[s.SALT + 7 * LANES + i], w[s.SALT + 8 * LANES + i]
        w[s.C_OUTER_N + i], w[s.C_INNER_N + i] = 0.5 * (c_0 + c_1), 0.5 * (c_2 + c_3)
        w[s.C_S + i] = c_s
        w[s.C_INNER_P + i], w[s.C_OUTER_P + i] = 0.5 * (c_5 + c_6), 0.5 * (c_7 + c_8)


@lanes
def link(w):
    """Conductances between neighbouring volumes midway [m s-1] times the length of the step [m].

    What makes of them those at the end, times their weight there, and the weighted mean of both
    ends, are rows of their own.
    """
    for i in range(LANES):
        D = w[s.H + i] * w[p.D_E + i] * arrhenius(w[p.E_D_E + i], w[s.Z_MID + i])
        outer_n, inner_n = w[s.F_OUTER_N + i], w[s.F_INNER_N + i]
        outer_p, inner_p = w[s.F_OUTER_P + i], w[s.F_INNER_P + i]
        weight = theta(D * w[s.F_S + i] / w[s.RELAXATION + i])
        half = arrhenius(w[p.E_D_E + i], w[s.Z_1 + i] - w[s.Z_MID + i])
        w[s.WEIGHT + i], w[s.LATER + i] = weight, weight * half
        w[s.BOTH + i] = weight * half + (1.0 - weight) / half
        n, q = D * w[s.LINK_N + i], D * w[s.LINK_P + i]
        w[s.LINK + i], w[s.LINK + 2 * LANES + i] = n * outer_n, n * inner_n
        w[s.LINK + LANES + i] = 0.5 * n * (outer_n + inner_n)
        w[s.LINK + 5 * LANES + i], w[s.LINK + 7 * LANES + i] = q * inner_p, q * outer_p
        w[s.LINK + 6 * LANES + i] = 0.5 * q * (outer_p + inner_p)
        # to the separator: two resistances in series; the diffusivity there is extrapolated
        at_n = max(inner_n + EXTRAPOLATION * (inner_n - outer_n), 0.1 * inner_n)
        at_p = max(inner_p + EXTRAPOLATION * (inner_p - outer_p), 0.1 * inner_p)
        left, right = w[s.EDGE_N + i] * at_n, w[s.EDGE_P + i] * at_p
        middle = w[s.EDGE_S + i] * w[s.F_S + i]
        w[s.LINK + 3 * LANES + i] = D * left * middle / (left + middle)
        w[s.LINK + 4 * LANES + i] = D * middle * right / (middle + right)


@lanes
def eliminate(w):
    """Pivots of (salt volumes + theta h conductances), without a subtraction."""
    for i in range(LANES):
        rest = w[s.SALT_N + i]
        for k in range(FIRST, LAST, LANES):
            across = w[s.LATER + i] * w[s.LINK + k + i]
            pivot = 1.0 / (rest + across)
            w[s.PIVOT + k + i] = pivot
            w[s.RATIO + k + i] = across * pivot
            here = s.SALT_N if k + LANES < MIDDLE else s.SALT_P
            here = s.SALT_S if k + LANES == MIDDLE else here
            rest = w[here + i] + across * pivot * rest
        w[s.PIVOT + LAST + i] = 1.0 / rest


@lanes
def propose_salt(w):
    """Concentrations at the end of the step: SALT_C + SALT_I I_1."""
    for i in range(LANES):
        source = w[s.H + i] * w[s.SOURCE + i] * (1.0 - w[p.T_PLUS + i] * w[s.F_T_PLUS + i])
        per_ampere = w[s.WEIGHT + i] * source
        of_start = (source - per_ampere) * w[s.I_0 + i]
        flow = constant = slope = 0.0
        for k in range(FIRST, LAST + LANES, LANES):
            sign = 1.0 if k < MIDDLE else (-1.0 if k > MIDDLE else 0.0)
            constant += sign * of_start - flow
            slope += sign * per_ampere
            flow = 0.0
            if k < LAST:
                flow = w[s.SALT + k + LANES + i] - w[s.SALT + k + i]
                flow *= w[s.BOTH + i] * w[s.LINK + k + i]
            constant += flow
            w[s.SALT_C + k + i], w[s.SALT_I + k + i] = constant, slope
            if k < LAST:
                constant *= w[s.RATIO + k + i]
                slope *= w[s.RATIO + k + i]
        constant = slope = 0.0
        for k in range(LAST, FIRST - LANES, -LANES):
            constant = w[s.PIVOT + k + i] * w[s.SALT_C + k + i] + constant
            slope = w[s.PIVOT + k + i] * w[s.SALT_I + k + i] + slope
            w[s.SALT_C + k + i] = w[s.SALT + k + i] + constant
            w[s.SALT_I + k + i] = slope
            if k > FIRST:
                constant *= w[s.RATIO + k - LANES + i]
                slope *= w[s.RATIO + k - LANES + i]
