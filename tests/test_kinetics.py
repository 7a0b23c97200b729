"""Charge transfer: exchange current and Arrhenius factor against their formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import constants

from kernels.kinetics import FARADAY, GAS, arrhenius, exchange_current

pytestmark = pytest.mark.kernel


def test_constants_are_those_of_codata():
    np.testing.assert_allclose(
        FARADAY, constants.physical_constants["Faraday constant"][0], rtol=1e-10, atol=0
    )
    np.testing.assert_allclose(GAS, constants.R, rtol=1e-12, atol=0)


@pytest.mark.parametrize("T", [253.15, 298.15, 333.15])
def test_arrhenius_is_one_at_the_reference_and_rises_with_temperature(T):
    factor = arrhenius(35_000.0, (1 / 298.15 - 1 / T) / GAS)
    np.testing.assert_allclose(
        factor, math.exp(35_000 / constants.R * (1 / 298.15 - 1 / T)), rtol=1e-13, atol=0
    )
    assert (factor > 1) == (T > 298.15)
    assert arrhenius(0.0, 1e-3) == 1.0


def test_exchange_current_is_the_product_of_its_factors():
    z = (1 / 298.15 - 1 / 313.15) / GAS
    found = exchange_current(4.0, 0.3, 0.5, math.log(1200 / 1000), 30_000.0, z)
    expected = 4.0 * math.sqrt(0.3 * 0.7) * (1200 / 1000) ** 0.5 * math.exp(30_000 * z)
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=0)


def test_exchange_current_is_symmetric_and_largest_half_full():
    s = np.linspace(0.001, 0.999, 201)
    found = np.array([exchange_current(1.0, x, 0.0, 0.0, 0.0, 0.0) for x in s])
    np.testing.assert_allclose(found, found[::-1], rtol=1e-12, atol=0)
    assert s[found.argmax()] == pytest.approx(0.5)


@pytest.mark.parametrize("s", [-0.2, 0.0, 1.0, 1.7])
def test_exchange_current_stays_positive_in_an_empty_or_full_particle(s):
    found = exchange_current(2.0, s, 0.5, 0.0, 0.0, 0.0)
    np.testing.assert_allclose(found, 2.0 * math.sqrt(1e-8 * (1 - 1e-8)), rtol=1e-6, atol=0)
