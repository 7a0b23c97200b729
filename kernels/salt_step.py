"""One time step of the salt in the electrolyte, affine in the current at its end.

phi in the volumes of `electrolyte` is linear in their concentrations about the start of the step:
phi + D (c - c_start). That keeps the second order of the theta method, and makes a tridiagonal,
symmetric system of the increments D (c - c_start), which have a constant part and one per ampere. D
is relative here, as tabulated; its scale and temperature are in the conductances. Inner loops over
volumes have constant bounds: LLVM unrolls them, and the loop over lanes becomes vector
instructions.
"""

from kernels import parameters as p
from kernels import workspace as s
from kernels.compiled import lanes, law, sequence
from kernels.electrolyte import CELLS, ELECTRODE_CELLS, SEPARATOR, theta
from kernels.kinetics import arrhenius
from kernels.parameters import LANES
from kernels.tables import CONCENTRATION_LIMIT

FACES = CELLS - 1
SALT_EDGE = 1.0  # mol m-3, least of all concentrations
FIRST, MIDDLE, LAST = 0, SEPARATOR * LANES, FACES * LANES  # offsets of volumes
LEAST_D = 1e-6  # relative: a diffusivity of 0 makes no infinity
#: rise of phi across the last volume of an electrode, over that from the centre of the one before,
#: where the flux is linear
RISE_BEFORE_EDGE = (2.0 * ELECTRODE_CELLS - 1.0) / (2.0 * ELECTRODE_CELLS - 2.0)


@lanes
def locate(w):
    """Concentrations at the start of the step, where the diffusivity is read, as positions in its
    table.
    """
    for i in range(LANES):
        for k in range(i, i + CELLS * LANES, LANES):
            w[s.SALT_AT + k] = w[s.SALT + k] * (1.0 / CONCENTRATION_LIMIT)


@law
def mean_potential(w, at, drop):
    """Mean of phi over a volume, from the diffusivity's table and how much phi changes across."""
    u, D = w[s.SALT_AT + at], w[s.SALT_D + at]
    across = drop * w[s.PER_SALT_D + at]
    phi = w[s.SALT_AREA + at] + D * (u - min(max(u, 0.0), 1.0))
    return CONCENTRATION_LIMIT * (phi + w[s.SALT_SLOPE + at] * across * across * (1.0 / 24.0))


@lanes
def transform(w):
    """phi in every volume, from what was read of the diffusivity."""
    for i in range(LANES):
        for k in range(i, i + CELLS * LANES, LANES):
            w[s.SALT_D + k] = max(w[s.SALT_D + k], LEAST_D)
            w[s.PER_SALT_D + k] = 1.0 / w[s.SALT_D + k]
        for outer, inwards in ((i, LANES), (i + LAST, -LANES)):
            rise_n = 0.0
            for k in range(outer, outer + (SEPARATOR - 1) * inwards, inwards):
                before, rise_n = rise_n, w[s.SALT_AREA + k + inwards] - w[s.SALT_AREA + k]
                w[s.SALT_PHI + k] = mean_potential(w, k, 0.5 * (before + rise_n))
            k = outer + (SEPARATOR - 1) * inwards
            w[s.SALT_PHI + k] = mean_potential(w, k, RISE_BEFORE_EDGE * rise_n)
        w[s.SALT_PHI + MIDDLE + i] = mean_potential(w, MIDDLE + i, 0.0)


@lanes
def link(w):
    """Conductances between neighbouring volumes midway, per diffusivity, times the length of the
    step [m].

    What makes of them those at the end, times their weight there, and the weighted mean of both
    ends, are rows of their own.
    """
    for i in range(LANES):
        D = w[s.H + i] * w[p.D_E + i] * arrhenius(w[p.E_D_E + i], w[s.Z_MID + i])
        middle = D * w[s.SALT_D + MIDDLE + i] * w[s.F_FACE + MIDDLE - LANES + i]
        weight = theta(middle / w[s.RELAXATION + i])
        half = arrhenius(w[p.E_D_E + i], w[s.Z_1 + i] - w[s.Z_MID + i])
        w[s.WEIGHT + i], w[s.LATER + i] = weight, weight * half
        w[s.BOTH + i] = weight * half + (1.0 - weight) / half
        for k in range(FIRST, MIDDLE - LANES, LANES):
            m = LAST - k - LANES
            w[s.LINK + k + i] = D * w[s.LINK_N + i] * w[s.F_FACE + k + i]
            w[s.LINK + m + i] = D * w[s.LINK_P + i] * w[s.F_FACE + m + i]
        k, m = MIDDLE - LANES, MIDDLE
        w[s.LINK + k + i] = D * w[s.LINK_N_S + i] * w[s.F_FACE + k + i]
        w[s.LINK + m + i] = D * w[s.LINK_S_P + i] * w[s.F_FACE + m + i]


@lanes
def eliminate(w):
    """Pivots of (salt volumes / D + theta h conductances) without a subtraction, from both ends to
    the separator: half as many divisions wait for one another.
    """
    for i in range(LANES):
        rest_n = rest_p = 0.0
        for k in range(FIRST, MIDDLE, LANES):
            m = LAST - k
            rest_n += w[s.SALT_N + i] * w[s.PER_SALT_D + k + i]
            rest_p += w[s.SALT_P + i] * w[s.PER_SALT_D + m + i]
            across_n = w[s.LATER + i] * w[s.LINK + k + i]
            across_p = w[s.LATER + i] * w[s.LINK + m - LANES + i]
            pivot_n, pivot_p = 1.0 / (rest_n + across_n), 1.0 / (rest_p + across_p)
            ratio_n, ratio_p = across_n * pivot_n, across_p * pivot_p
            w[s.PIVOT + k + i], w[s.PIVOT + m + i] = pivot_n, pivot_p
            w[s.RATIO + k + i], w[s.RATIO + m - LANES + i] = ratio_n, ratio_p
            rest_n, rest_p = ratio_n * rest_n, ratio_p * rest_p
        rest = w[s.SALT_S + i] * w[s.PER_SALT_D + MIDDLE + i] + rest_n + rest_p
        w[s.PIVOT + MIDDLE + i] = 1.0 / rest


@lanes
def substitute(w):
    """Concentrations at the end of the step, SALT_C + SALT_I I_1, from the changes of phi."""
    for i in range(LANES):
        source = w[s.H + i] * w[s.SOURCE + i] * (1.0 - w[p.T_PLUS + i] * w[s.F_T_PLUS + i])
        per_ampere = w[s.WEIGHT + i] * source
        of_start = (source - per_ampere) * w[s.I_0 + i]
        flow_n = flow_p = constant_n = constant_p = slope_n = slope_p = 0.0
        for k in range(FIRST, MIDDLE, LANES):
            m = LAST - k
            before_n, before_p = flow_n, flow_p
            flow_n = w[s.SALT_PHI + k + LANES + i] - w[s.SALT_PHI + k + i]
            flow_p = w[s.SALT_PHI + m - LANES + i] - w[s.SALT_PHI + m + i]
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
        per_D = w[s.PER_SALT_D + MIDDLE + i]
        w[s.SALT_C + MIDDLE + i] = w[s.SALT + MIDDLE + i] + per_D * constant_n
        w[s.SALT_I + MIDDLE + i] = per_D * slope_n
        for k in range(MIDDLE - LANES, FIRST - LANES, -LANES):
            m = LAST - k
            ratio_n, ratio_p = w[s.RATIO + k + i], w[s.RATIO + m - LANES + i]
            pivot_n, pivot_p = w[s.PIVOT + k + i], w[s.PIVOT + m + i]
            constant_n = pivot_n * w[s.SALT_C + k + i] + ratio_n * constant_n
            constant_p = pivot_p * w[s.SALT_C + m + i] + ratio_p * constant_p
            slope_n = pivot_n * w[s.SALT_I + k + i] + ratio_n * slope_n
            slope_p = pivot_p * w[s.SALT_I + m + i] + ratio_p * slope_p
            per_D_n, per_D_p = w[s.PER_SALT_D + k + i], w[s.PER_SALT_D + m + i]
            w[s.SALT_C + k + i] = w[s.SALT + k + i] + per_D_n * constant_n
            w[s.SALT_C + m + i] = w[s.SALT + m + i] + per_D_p * constant_p
            w[s.SALT_I + k + i], w[s.SALT_I + m + i] = per_D_n * slope_n, per_D_p * slope_p


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
