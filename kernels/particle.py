"""Diffusion of lithium in a spherical particle as a few decaying modes, exact for a flux that is
linear in time.

The surface stoichiometry differs from the mean by a sum over modes k,
    s_surf - s_mean = sum_k a_k,      da_k/dt = (r_k / tau) (b_k u - a_k),      tau = R^2 / D,  u =
    (tau / 3) ds_mean/dt,
which is the exact solution of Fick's law when r_k and b_k = 2 / r_k are the squares of the roots
of tan(l) = l and
their residues (Crank, The Mathematics of Diffusion, 2nd ed., 1975, eq. 6.45) and k runs to
infinity. We keep the first
mode exactly and fit three more to the step response with sum(b) = 1/5 (steady state) and sum(b /
r) = 1/175 (first
moment) held: the largest error of the response is 0.9 % of its final value at 1e-5 tau and 0.6 %
after 5e-5 tau, against
20 % at once and 4 % after 2e-3 tau for four exact modes with the rest taken as instantaneous
(`tests/test_particle.py`
repeats the comparison).
"""

from kernels.compiled import law
from kernels.vector_math import exp

MODES = 4
RATES = (20.190728556427, 72.57330083833, 548.579945308106, 12929.074789348388)
RESIDUES = (0.099055365655, 0.054057785194, 0.03426153422, 0.012625314931)


@law
def decay(rate_time):
    """Factors of an exponential step: exp(-z) and its mean over the step (1 - exp(-z)) / z, for z
    >= 0.
    """
    e = exp(-rate_time)
    mean = (1.0 - e) / rate_time if rate_time > 1e-4 else 1.0 - rate_time * (0.5 - rate_time / 6.0)
    return e, mean


@law
def scaled_decay(rate, steps, per_steps):
    """`decay(rate * steps)` without a division: `per_steps` is 1 / steps."""
    rate_time = rate * steps
    e = exp(-rate_time)
    mean = (1.0 - e) * (per_steps * (1.0 / rate))
    return e, mean if rate_time > 1e-4 else 1.0 - rate_time * (0.5 - rate_time / 6.0)


@law
def mode_step(amplitude, gain, forcing_0, forcing_1, e, mean):
    """Amplitude after a step over which gain * forcing runs linearly from forcing_0 to forcing_1
    (units of the forcing).
    """
    return amplitude * e + gain * (forcing_0 * (mean - e) + forcing_1 * (1.0 - mean))
