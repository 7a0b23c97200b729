"""SEI growth laws: limits, slopes and signs of the scalar functions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kernels.kinetics import FARADAY, GAS
from kernels.sei import (
    EC_REACTION_LIMITED,
    LAWS,
    TUNNELLING_LIMITED,
    ec_reaction_limited,
    tunnelling_limited,
)

pytestmark = pytest.mark.kernel

T = 305.0
RATE, CONCENTRATION, DIFFUSIVITY, OPEN = 1e-13, 4541.0, 2e-18, 0.4
HALF = 0.5 * FARADAY / (GAS * T)  # 1/V


def _ec(potential, thickness):
    return ec_reaction_limited(potential, thickness, T, RATE, CONCENTRATION, DIFFUSIVITY, OPEN)


def test_codes_are_those_of_the_names():
    assert LAWS[EC_REACTION_LIMITED] == "ec reaction limited"
    assert LAWS[TUNNELLING_LIMITED] == "tunnelling limited"


def test_ec_without_a_film_is_reaction_limited():
    for potential in (-0.1, 0.1, OPEN, 1.5):
        k = RATE * math.exp(-HALF * (potential - OPEN))
        np.testing.assert_allclose(
            _ec(potential, 0.0), FARADAY * CONCENTRATION * k, rtol=1e-13, atol=0
        )


def test_ec_behind_a_thick_film_is_diffusion_limited():
    for thickness in (1e-6, 1e-5):
        limit = FARADAY * CONCENTRATION * DIFFUSIVITY / thickness
        np.testing.assert_allclose(_ec(-0.3, thickness), limit, rtol=1e-4, atol=0)


@pytest.mark.parametrize("thickness", [1e-10, 5e-9, 1e-7])
def test_ec_resistances_of_reaction_and_diffusion_add(thickness):
    k = RATE * math.exp(-HALF * (0.1 - OPEN))
    parts = 1 / (FARADAY * CONCENTRATION * k) + thickness / (FARADAY * CONCENTRATION * DIFFUSIVITY)
    np.testing.assert_allclose(1 / _ec(0.1, thickness), parts, rtol=1e-13, atol=0)


def test_a_rate_of_zero_grows_nothing():
    assert ec_reaction_limited(0.1, 1e-9, T, 0.0, CONCENTRATION, DIFFUSIVITY, OPEN) == 0.0
    assert ec_reaction_limited(0.1, 1e-9, T, RATE, 0.0, DIFFUSIVITY, OPEN) == 0.0
    assert tunnelling_limited(0.1, 1e-9, T, 0.0, 2e8) == 0.0


def test_tunnelling_falls_exponentially_with_potential_and_thickness():
    base = tunnelling_limited(0.1, 5e-9, T, 3.0, 2e8)
    np.testing.assert_allclose(base, 3.0 * math.exp(-HALF * 0.1 - 1.0), rtol=1e-13, atol=0)
    decade = math.log(10) / HALF
    np.testing.assert_allclose(
        tunnelling_limited(0.1 + decade, 5e-9, T, 3.0, 2e8), base / 10, rtol=1e-13, atol=0
    )
    np.testing.assert_allclose(
        tunnelling_limited(0.1, 10e-9, T, 3.0, 2e8), base / math.e, rtol=1e-13, atol=0
    )


def test_currents_are_positive_and_fall_with_potential_and_thickness():
    for law in (
        _ec,
        lambda potential, thickness: tunnelling_limited(potential, thickness, T, 3.0, 2e8),
    ):
        found = np.array(
            [[law(p, d) for d in (1e-10, 1e-9, 1e-8, 1e-7)] for p in (-0.2, 0.0, 0.3, 1.0)]
        )
        assert (found > 0).all()
        assert (np.diff(found, axis=0) < 0).all()
        assert (np.diff(found, axis=1) < 0).all()
