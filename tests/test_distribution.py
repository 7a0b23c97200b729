"""Samples from ranges: quantiles, shares, correlation, and the same ones for any chunk."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellmodel.distribution import BLOCK, Draw
from cellmodel.errors import InputError
from cellmodel.quantity import Range

MANY = 200_000
AMOUNT, SHARE = Range(0, 1e5, "kg kg-1"), Range(0, 1, "1", above=True)
# the quantile of so many samples is known to about 1 % of the distance to the median
ABOUT = 0.02


def draw(value, low, high, bounds=AMOUNT, name="x", family="", **options):
    return Draw(3, 0, MANY, **options).number(name, value, low, high, bounds, family)


@pytest.mark.parametrize(
    ("value", "low", "high", "bounds"),
    [
        (21, 12, 40, AMOUNT),
        (0.3, 0.1, 1.2, AMOUNT),
        (4, 1, 4.1, AMOUNT),  # far from symmetric
        (0.985, 0.95, 0.995, SHARE),
        (0.95, 0.4, 1.0, SHARE),  # no logarithm of what is above
        (2, 0, 3, AMOUNT),  # nor of what is below
        (0, 0, 3, AMOUNT),
        (295, 288, 303, Range(233, 373, "K")),
    ],
)
def test_value_is_the_median_and_the_ends_are_the_quantiles(value, low, high, bounds):
    samples = draw(value, low, high, bounds)
    found = np.quantile(samples, [0.05, 0.5, 0.95])
    np.testing.assert_allclose(found, [low, value, high], rtol=0, atol=ABOUT * (high - low))
    assert bounds.contains(samples).all()


def test_other_quantiles_for_the_ends():
    wide = draw(21, 12, 40, quantiles=(0.25, 0.75))
    found = np.quantile(wide, [0.25, 0.5, 0.75])
    np.testing.assert_allclose(found, [12, 21, 40], rtol=ABOUT, atol=0)


def test_equal_ratios_give_a_lognormal():
    """sigma = ln(high / low) / (2 z), z = 1.644854 of the 95th percentile."""
    logarithms = np.log(draw(10, 5, 20))
    sigma = np.log(4) / (2 * 1.644854)
    np.testing.assert_allclose(logarithms.std(), sigma, rtol=0.01, atol=0)
    np.testing.assert_allclose(logarithms.mean(), np.log(10), rtol=0.002, atol=0)
    third = np.mean((logarithms - logarithms.mean()) ** 3) / logarithms.std() ** 3
    assert abs(third) < 0.03


def test_a_loss_near_zero_is_lognormal():
    loss = np.log(1 - draw(0.999, 0.998, 0.9995, SHARE))
    np.testing.assert_allclose(loss.std(), np.log(4) / (2 * 1.644854), rtol=0.01, atol=0)


def test_no_range_is_no_spread():
    assert set(draw(7, 7, 7)) == {7.0}
    one_sided = draw(7, 7, 9)
    assert one_sided.min() == 7
    np.testing.assert_allclose((one_sided == 7).mean(), 0.5, rtol=0.02, atol=0)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 1.0])
def test_a_family_has_the_correlation_and_others_have_none(correlation):
    logarithms = np.log(
        [
            draw(10, 5, 20, name="a", family="one", correlation=correlation),
            draw(3, 1, 9, name="b", family="one", correlation=correlation),
            draw(3, 1, 9, name="c", family="other", correlation=correlation),
            draw(3, 1, 9, name="d", correlation=correlation),
        ]
    )
    found = np.corrcoef(logarithms)
    expected = np.eye(4)
    expected[0, 1] = expected[1, 0] = correlation
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.01)


@given(st.integers(0, 3 * BLOCK), st.integers(1, 2 * BLOCK))
def test_chunks_are_parts_of_the_whole(start, length):
    whole = Draw(5, 0, 5 * BLOCK).number("x", 3, 1, 4, AMOUNT, "family")
    part = Draw(5, start, start + length).number("x", 3, 1, 4, AMOUNT, "family")
    np.testing.assert_array_equal(part, whole[start : start + length])


def test_names_and_seeds_have_streams_of_their_own():
    first, other = draw(3, 1, 9, name="a"), draw(3, 1, 9, name="b")
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.01
    again = Draw(4, 0, MANY).number("a", 3, 1, 9, AMOUNT)
    assert abs(np.corrcoef(first, again)[0, 1]) < 0.01


def test_what_cannot_be_is_refused():
    with pytest.raises(InputError, match=r"x: low <= value <= high must hold, got 5, 3, 9"):
        draw(3, 5, 9)
    with pytest.raises(InputError, match=r"correlation must be between 0 and 1, got 1\.5"):
        Draw(0, 0, 1, correlation=1.5)
    with pytest.raises(InputError, match=r"seed must be between 0"):
        Draw(-1, 0, 1)
    with pytest.raises(InputError, match=r"seed must be a whole number, got 0\.5"):
        Draw(0.5, 0, 1)
    with pytest.raises(InputError, match=r"the first of range_quantiles must be above 0"):
        Draw(0, 0, 1, quantiles=(0.6, 0.9))
    with pytest.raises(InputError, match=r"range_quantiles must be two numbers"):
        Draw(0, 0, 1, quantiles=(0.6,))
