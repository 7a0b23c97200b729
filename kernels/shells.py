"""A particle cut into spherical shells, for a diffusivity that depends on stoichiometry.

    ds/dt = 1/r^2 d/dr(r^2 D(s, T) ds/dr),      D ds/dr at the surface = R/3 times ds_mean/dt

in units of the radius R; a state is the mean stoichiometry of a shell. Widths shrink towards the
surface, where the flux is largest and profiles are steepest. Distances between shells are such that
a parabola in r, the profile of a constant flux and diffusivity, is met exactly; what flows between
two of them follows the integral of D over stoichiometry, which the tables hold, so that a profile
whose integral of D is a parabola is met nearly as well.

Time steps are those of the singly diagonally implicit Runge-Kutta method of two stages that is
stable and damps the fastest changes (Alexander 1977, SIAM J. Numer. Anal. 14, 1006). Its last stage
is the end of the step: thin outer shells are at once in balance with the diffusivity there.
"""

import itertools
import math

from kernels.compiled import law

SHELLS = 32
THINNEST = 0.003  # of the radius; at the surface
_GROWTH = 1.12424  # width of a shell over that of the next one outwards; the innermost is the rest

GAMMA = 1.0 - math.sqrt(0.5)
#: where neighbours are nearer, the mean diffusivity between them is that of both values: no loss of
#: digits in the difference of integrals
NEAR = 1e-4


def _boundaries():
    radii, width = [1.0], THINNEST
    for _ in range(SHELLS - 1):
        radii.append(radii[-1] - width)
        width *= _GROWTH
    return (0.0, *reversed(radii))


def _difference(power, radii):
    return tuple(b**power - a**power for a, b in itertools.pairwise(radii))


#: radii of the boundaries, centre to surface
BOUNDARIES = _boundaries()
#: shares of the particle's volume
VOLUMES = _difference(3, BOUNDARIES)
_SQUARES = tuple(  # mean of r^2 over each shell
    0.6 * fifth / volume for fifth, volume in zip(_difference(5, BOUNDARIES), VOLUMES, strict=True)
)
#: distances between neighbours: what a parabola rises, over its slope at the boundary
DISTANCES = tuple(
    (b - a) / (2.0 * r)
    for a, b, r in zip(_SQUARES[:-1], _SQUARES[1:], BOUNDARIES[1:-1], strict=True)
)
#: conductances between neighbours for a diffusivity of 1: area over distance, of the volume 1
CONDUCTANCES = tuple(3.0 * r * r / d for r, d in zip(BOUNDARIES[1:-1], DISTANCES, strict=True))
#: from the outer shell's mean to the surface: weights of the slopes at its inner and outer
#: boundary, those of a slope that is linear across a thin shell, corrected to be exact for a
#: parabola
INNER_SLOPE = (1.0 - BOUNDARIES[-2]) / 6.0
OUTER_SLOPE = (1.0 - _SQUARES[-1]) / 2.0 - INNER_SLOPE * BOUNDARIES[-2]


@law
def mean_diffusivity(s_a, D_a, area_a, s_b, D_b, area_b):
    """Mean of D over stoichiometry between two shells, from its values and integrals there."""
    apart = s_b - s_a
    near = abs(apart) < NEAR
    return 0.5 * (D_a + D_b) if near else (area_b - area_a) / (1.0 if near else apart)
