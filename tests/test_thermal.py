"""One lumped temperature: closed forms and limits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kernels.thermal import response, temperature_step

pytestmark = pytest.mark.kernel

C, HA, AMBIENT = 80.0, 0.05, 298.15  # J K-1, W K-1, K


def _after(T, heat, h, heat_capacity, cooling, ambient, change=0.0):
    responses = response(h, 1 / heat_capacity, cooling)
    return temperature_step(T, heat, change, *responses, cooling, ambient)


@pytest.mark.parametrize("h", [0.0, 1e-6, 1.0, 600.0, 1e5, 1e9])
def test_the_step_is_the_exact_exponential(h):
    found = _after(310.0, 0.8, h, C, HA, AMBIENT)
    steady = AMBIENT + 0.8 / HA
    np.testing.assert_allclose(
        found, steady + (310.0 - steady) * math.exp(-h * HA / C), rtol=1e-12, atol=0
    )


@pytest.mark.parametrize("h", [1e-3, 1.0, 30.0, 600.0, 1e5])
def test_heat_that_grows_linearly_is_followed_exactly(h):
    """C dT/dt = (0.8 W + slope t) - hA (T - T_ambient), solved by variation of constants."""
    slope, tau = -0.3 / h, C / HA
    particular = 0.8 - slope * tau  # W, heat that the cell lags behind with
    found = _after(310.0, 0.8, h, C, HA, AMBIENT, change=-0.3)
    decayed = (310.0 - AMBIENT - particular / HA) * math.exp(-h / tau)
    np.testing.assert_allclose(
        found, AMBIENT + (particular + slope * h) / HA + decayed, rtol=1e-9, atol=0
    )


def test_without_cooling_growing_heat_counts_half():
    assert _after(300.0, 1.0, 250.0, C, 0.0, AMBIENT, change=2.0) == 300.0 + 2.0 * 250.0 / C


@pytest.mark.parametrize("heat", [-1.0, 0.0, 2.0])
def test_without_cooling_heat_accumulates(heat):
    np.testing.assert_allclose(
        _after(300.0, heat, 250.0, C, 0.0, AMBIENT),
        300.0 + heat * 250.0 / C,
        rtol=1e-15,
        atol=0,
    )


def test_weak_cooling_joins_no_cooling():
    without = _after(300.0, 1.0, 100.0, C, 0.0, AMBIENT)
    np.testing.assert_allclose(
        _after(300.0, 1.0, 100.0, C, 1e-12, AMBIENT), without, rtol=1e-12, atol=0
    )


def test_after_long_the_heat_leaves_by_cooling():
    np.testing.assert_allclose(
        _after(340.0, 0.5, 1e7, C, HA, AMBIENT), AMBIENT + 0.5 / HA, rtol=1e-13, atol=0
    )


def test_strong_cooling_holds_the_ambient_temperature():
    np.testing.assert_allclose(
        _after(330.0, 1.0, 10.0, C, 1e6, AMBIENT), AMBIENT, rtol=1e-8, atol=0
    )


def test_two_half_steps_are_one():
    once = _after(305.0, 0.3, 1000.0, C, HA, AMBIENT)
    half = _after(305.0, 0.3, 500.0, C, HA, AMBIENT)
    np.testing.assert_allclose(_after(half, 0.3, 500.0, C, HA, AMBIENT), once, rtol=1e-14, atol=0)


def test_at_ambient_temperature_without_heat_nothing_happens():
    assert _after(AMBIENT, 0.0, 1e4, C, HA, AMBIENT) == AMBIENT
