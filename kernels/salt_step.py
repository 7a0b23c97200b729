"""One time step of the salt in the electrolyte, affine in the current at its end.

The volumes of `electrolyte` form a tridiagonal system, which is solved for the increments over the
step: a constant part, and one per ampere. Inner loops over volumes have constant bounds: LLVM
unrolls them, and the loop over lanes becomes vector instructions.
"""

from kernels import parameters as p
from kernels import tables as t
from kernels import workspace as s
from kernels.compiled import lanes
from kernels.electrolyte import CELLS, SEPARATOR, theta
from kernels.kinetics import arrhenius
from kernels.parameters import LANES
from kernels.tables import CONCENTRATION_LIMIT, INTERVALS

FACES = CELLS - 1
FIRST, MIDDLE, LAST = 0, SEPARATOR * LANES, FACES * LANES  # offsets of volumes


@lanes
def read_diffusivity(w, tables):
    """Factor of the diffusivity in every volume, at the start of the step.

    By the tangent at the interval's start: it is 6 mol m-3 wide, and diffusivity is no potential.
    """
    for k in range(0, CELLS * LANES, LANES):
        for i in range(LANES):
            u = w[s.SALT + k + i] * (INTERVALS / CONCENTRATION_LIMIT)
            n = max(min(int(u), INTERVALS - 1), 0)
            w[s.F_D_E + k + i] = tables[t.SHAPE_D_E, n, 0] + (u - n) * tables[t.SHAPE_D_E, n, 1]


@lanes
def link(w):
    """Conductances between neighbouring volumes [m s-1] times the length of the step [m]."""
    for i in range(LANES):
        D = w[p.D_E + i] * arrhenius(w[p.E_D_E + i], w[s.Z_MID + i])
        h = w[s.H + i]
        w[s.WEIGHT + i] = theta(h * D * w[s.F_D_E + MIDDLE + i] / w[s.RELAXATION + i])
        n, m, q = h * D * w[s.LINK_N + i], h * D, h * D * w[s.LINK_P + i]
        for k in range(FIRST, MIDDLE - LANES, LANES):
            w[s.LINK + k + i] = n * (w[s.F_D_E + k + i] + w[s.F_D_E + k + LANES + i])
        for k in range(MIDDLE + LANES, LAST, LANES):
            w[s.LINK + k + i] = q * (w[s.F_D_E + k + i] + w[s.F_D_E + k + LANES + i])
        # to the separator: two resistances in series
        left = w[s.EDGE_N + i] * w[s.F_D_E + MIDDLE - LANES + i]
        middle = w[s.EDGE_S + i] * w[s.F_D_E + MIDDLE + i]
        right = w[s.EDGE_P + i] * w[s.F_D_E + MIDDLE + LANES + i]
        w[s.LINK + MIDDLE - LANES + i] = m * left * middle / (left + middle)
        w[s.LINK + MIDDLE + i] = m * middle * right / (middle + right)


@lanes
def eliminate(w):
    """Pivots of (salt volumes + theta h conductances), without a subtraction."""
    for i in range(LANES):
        rest = w[s.SALT_N + i]
        for k in range(FIRST, LAST, LANES):
            across = w[s.WEIGHT + i] * w[s.LINK + k + i]
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
                flow = w[s.LINK + k + i] * (w[s.SALT + k + LANES + i] - w[s.SALT + k + i])
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
