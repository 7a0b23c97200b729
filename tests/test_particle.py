"""Diffusion in a sphere by five fitted modes: against Fick's exact series and closed forms."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

from kernels.particle import MODES, RATES, RESIDUES, decay, decays, mean_decay, mode_step

pytestmark = pytest.mark.kernel

TIMES = np.geomspace(1e-7, 2.0, 400)  # of the diffusion time R^2 / D


@functools.cache
def _squared_roots(count):
    """Squares of the first roots of tan(l) = l."""
    roots = [
        brentq(
            lambda x: math.sin(x) - x * math.cos(x), k * math.pi, (k + 0.5) * math.pi, xtol=1e-13
        )
        for k in range(1, count + 1)
    ]
    return np.square(roots)


def _exact_response(times):
    """(surface - mean) / u after a constant flux began: Crank eq. 6.45, 4000 terms."""
    squares = _squared_roots(4000)
    return 0.2 - (2.0 / squares * np.exp(-squares * times[:, None])).sum(axis=1)


def _response(rates, residues, times):
    return (residues * (1.0 - np.exp(-np.outer(times, rates)))).sum(axis=1)


def test_the_roots_are_those_of_the_sphere():
    np.testing.assert_allclose(
        np.sqrt(_squared_roots(3)), [4.493409458, 7.725251837, 10.904121659], rtol=1e-9, atol=0
    )


def test_modes_keep_the_steady_state_and_the_first_moment():
    assert MODES == len(RATES) == len(RESIDUES) == 5
    np.testing.assert_allclose(np.sum(RESIDUES), 1 / 5, rtol=1e-10, atol=0)
    np.testing.assert_allclose(np.sum(np.divide(RESIDUES, RATES)), 1 / 175, rtol=1e-8, atol=0)


def test_the_slowest_rate_is_exact():
    np.testing.assert_allclose(RATES[0], _squared_roots(1)[0], rtol=1e-9, atol=0)


def test_the_exact_series_starts_with_the_root_of_time():
    early = np.geomspace(
        1e-6, 1e-4, 5
    )  # plane sheet: 2 sqrt(t / pi), less the mean 3 t and curvature
    np.testing.assert_allclose(
        _exact_response(early), 2 * np.sqrt(early / np.pi) - 2 * early, rtol=4e-3, atol=0
    )


@pytest.mark.parametrize(
    ("after", "share"),
    [(0.0, 0.0078), (1e-4, 0.003), (1e-3, 0.0017), (1e-2, 0.00085), (0.1, 0.00012)],
)
def test_a_step_of_flux_is_met_to_the_stated_share_of_its_final_value(after, share):
    error = np.abs(_response(RATES, RESIDUES, TIMES) - _exact_response(TIMES)) / 0.2
    assert error[after < TIMES].max() < share


def test_as_many_exact_modes_with_the_rest_instantaneous_are_worse_as_stated():
    squares = _squared_roots(MODES)
    at_once = 0.2 - np.sum(2 / squares)
    error = np.abs(_response(squares, 2 / squares, TIMES) + at_once - _exact_response(TIMES)) / 0.2
    np.testing.assert_allclose(error.max(), 0.17, rtol=0.02, atol=0)
    np.testing.assert_allclose(error[TIMES > 2e-3].max(), 0.023, rtol=0.1, atol=0)


@pytest.mark.parametrize("z", [0.0, 1e-300, 1e-12, 0.9e-4, 1.1e-4, 0.1, 3.0, 40.0, 1e4, 1e300])
def test_decay_is_an_exponential_and_its_mean(z):
    e, mean = decay(z)
    np.testing.assert_allclose(e, math.exp(-min(z, 700.0)), rtol=1e-13, atol=1e-300)
    np.testing.assert_allclose(mean, -math.expm1(-z) / z if z > 0 else 1.0, rtol=3e-12, atol=0)


@pytest.mark.parametrize("steps", [1e-12, 1e-6, 1e-3, 0.02, 0.5, 30.0])
def test_squarings_give_all_exponentials(steps):
    expected = [math.exp(-rate * steps) for rate in RATES]
    np.testing.assert_allclose(decays(steps), expected, rtol=2e-11, atol=1e-300)


@pytest.mark.parametrize("steps", [1e-12, 1e-6, 1e-3, 0.5, 30.0])
@pytest.mark.parametrize("rate", RATES)
def test_the_mean_without_a_division_is_the_same(rate, steps):
    e, mean = decay(rate * steps)
    np.testing.assert_allclose(mean_decay(rate, e, steps, 1 / steps), mean, rtol=1e-11, atol=0)


@pytest.mark.parametrize("z", [1e-6, 1e-3, 0.3, 5.0, 200.0])
def test_a_mode_is_exact_for_forcing_that_is_linear_in_time(z):
    start, gain, forcing_0, forcing_1 = 0.013, 0.4, 2.0, -1.5
    e, mean = decay(z)
    stepped = mode_step(start, gain, forcing_0, forcing_1, e, mean)
    # da/dt = z (gain f(t) - a) over t from 0 to 1
    integral, _ = quad(
        lambda t: z * math.exp(-z * (1 - t)) * gain * (forcing_0 + (forcing_1 - forcing_0) * t),
        0, 1, epsabs=1e-13, epsrel=1e-12, points=[max(0.0, 1 - 20 / z)],
    )  # fmt: skip
    np.testing.assert_allclose(stepped, start * math.exp(-z) + integral, rtol=1e-10, atol=0)


def test_constant_forcing_does_not_care_how_time_is_cut():
    gain, forcing, z = 0.7, 1.3, 2.0
    once = mode_step(0.2, gain, forcing, forcing, *decay(z))
    np.testing.assert_allclose(
        once, gain * forcing + (0.2 - gain * forcing) * math.exp(-z), rtol=1e-14, atol=0
    )
    twice = mode_step(
        mode_step(0.2, gain, forcing, forcing, *decay(0.3)), gain, forcing, forcing, *decay(z - 0.3)
    )
    np.testing.assert_allclose(once, twice, rtol=1e-14, atol=0)


def test_a_ramp_is_followed_at_its_delay():
    """Long after a ramp of the flux began the surface lags as sum(b / r) = 1/175 says."""
    slope, end = 3.0, 10.0
    surface = sum(
        mode_step(0.0, residue, 0.0, slope * end, *decay(rate * end))
        for rate, residue in zip(RATES, RESIDUES, strict=True)
    )
    np.testing.assert_allclose(surface, slope * (end / 5 - 1 / 175), rtol=1e-9, atol=0)
