"""A particle cut into spherical shells, for a diffusivity that depends on stoichiometry.

    ds/dt = 1/r^2 d/dr(r^2 D(s, T) ds/dr),      D ds/dr at the surface = R/3 times ds_mean/dt

in units of the radius R; a state is the mean stoichiometry of a shell. Widths shrink towards the
surface, where the flux is largest and profiles are steepest.

What flows between two shells is the rise of the integral of D over stoichiometry, which the tables
hold, times a conductance, plus shares of how fast both shells change: the flux is not the same all
the way from one mean to the next, and a mean is not the value at a fixed place. Conductance and
shares are such that, with a constant diffusivity, three profiles are met exactly: 1 / r, which is
steady, r^2, that of a constant flux, and r^4. On shells of one width this is Numerov's method, of
fourth order. `lift` is by how much the mean of the integral of D is above the integral at the mean.

Time steps are those of the singly diagonally implicit Runge-Kutta method of three stages and third
order that is stable and damps the fastest changes (Alexander 1977, SIAM J. Numer. Anal. 14, 1006).
Its last stage is the end of the step: thin outer shells are at once in balance with the diffusivity
there.
"""

from itertools import pairwise

from kernels.compiled import law

SHELLS = 20
GROWTH = 1.25  # width of a shell over that of the next one outwards

GAMMA = 0.4358665215084590  # what makes the method of third order and damping
STAGES = (GAMMA, 0.5 * (1.0 + GAMMA), 1.0)  # where they lie, shares of a step
#: where neighbours are nearer, the mean diffusivity between them is that of both values: no loss of
#: digits in the difference of integrals
NEAR = 1e-4


def _rises(values):
    return tuple(b - a for a, b in pairwise(values))


#: radii of the boundaries, centre to surface
BOUNDARIES = tuple(1.0 - (GROWTH**k - 1.0) / (GROWTH**SHELLS - 1.0) for k in range(SHELLS, -1, -1))
#: shares of the particle's volume
VOLUMES = _rises([r**3 for r in BOUNDARIES])


def _means(power):
    """Means of a power of the radius over each shell."""
    parts = _rises([3.0 / (power + 3.0) * r ** (power + 3) for r in BOUNDARIES])
    return tuple(part / volume for part, volume in zip(parts, VOLUMES, strict=True))


_SQUARES, _FOURTHS = _means(2), _means(4)
#: conductances between neighbours for a diffusivity of 1, of the volume 1
CONDUCTANCES = tuple(-3.0 / rise for rise in _rises(_means(-1)))


def _shares():
    """Of what the inner and the outer neighbour's change adds to the flow between them."""
    inner, outer = [], []
    for k, (conductance, r) in enumerate(zip(CONDUCTANCES, BOUNDARIES[1:-1], strict=True)):
        square, rise, fourth_rise = _SQUARES[k], _rises(_SQUARES)[k], _rises(_FOURTHS)[k]
        # what flows less what the rise makes flow, over the change, of r^2 and of r^4
        both = (6.0 * r**3 - conductance * rise) / 6.0
        fourth = (12.0 * r**5 - conductance * fourth_rise) / 20.0
        outer.append((fourth - both * square) / rise)
        inner.append(both - outer[-1])
    return tuple(inner), tuple(outer)


INNER_SHARES, OUTER_SHARES = _shares()
#: from the outer shell's mean to the surface: weights of the slopes at its inner and outer
#: boundary, those of a slope that is linear across a thin shell, corrected to be exact for a
#: parabola
INNER_SLOPE = (1.0 - BOUNDARIES[-2]) / 6.0
OUTER_SLOPE = (1.0 - _SQUARES[-1]) / 2.0 - INNER_SLOPE * BOUNDARIES[-2]
#: weight of the rise between the outer two shells, over that of the slope where they meet
DISTANCE = (_SQUARES[-1] - _SQUARES[-2]) / (2.0 * BOUNDARIES[-2])


@law
def mean_diffusivity(s_a, D_a, area_a, s_b, D_b, area_b):
    """Mean of D over stoichiometry between two shells, from its values and integrals there."""
    apart = s_b - s_a
    near = abs(apart) < NEAR
    return 0.5 * (D_a + D_b) if near else (area_b - area_a) / (1.0 if near else apart)


@law
def lift(rise_D, rise, D):
    """Mean of the integral of D over a shell less the integral at its mean: half the slope of D
    times the variance across the shell. The rises are those of D and stoichiometry across it; where
    D changes by more than its own least value around, that is no guide, and the first is held.
    """
    return (1.0 / 24.0) * min(max(rise_D, -D), D) * rise
