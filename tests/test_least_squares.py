"""Bounded least squares: against closed forms of linear problems, and where a simulation fails."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cellmodel as cm
from cellmodel.fit_parameter import Box, read_box
from cellmodel.least_squares import best_starts, covariance, jacobian, minimise, screen

RATE = "SEI reaction exchange current density [A.m-2]"
RADIUS = "Positive particle radius [m]"
RNG = np.random.default_rng(5)
MATRIX = RNG.normal(size=(12, 3))
INSIDE = np.array([0.2, 0.5, 0.7])


def _linear(target):
    return lambda positions: positions @ MATRIX.T - MATRIX @ target


def test_the_minimum_of_a_linear_problem_is_found():
    noise = RNG.normal(size=12) * 0.01
    found = minimise(lambda u: _linear(INSIDE)(u) - noise, np.full(3, 0.5), 50)
    exact = np.linalg.lstsq(MATRIX, MATRIX @ INSIDE + noise, rcond=None)[0]
    np.testing.assert_allclose(found.position, exact, rtol=1e-6, atol=0)
    np.testing.assert_allclose(found.jacobian, MATRIX, rtol=1e-9, atol=0)
    assert found.cost == pytest.approx((found.residuals**2).sum() / 2)


def test_the_minimum_stays_in_the_box():
    found = minimise(_linear(np.array([0.2, 0.5, 1.4])), np.full(3, 0.5), 50)
    assert found.position[2] == pytest.approx(1, abs=1e-3)
    assert (found.position <= 1).all()


def test_kinks_smaller_than_a_step_do_not_stop_the_search():
    def kinked(positions):
        smooth = _linear(INSIDE)(positions)
        return smooth + 2e-4 * np.abs((200 * positions[:, :1]) % 2 - 1)

    found = minimise(kinked, np.array([0.9, 0.1, 0.1]), 50)
    np.testing.assert_allclose(found.position, INSIDE, rtol=0, atol=2e-3)


@pytest.mark.parametrize("position", [[0.0, 0.5, 1.0], [0.003, 0.999, 0.5]])
def test_derivatives_at_the_edge_are_one_sided(position):
    np.testing.assert_allclose(
        jacobian(_linear(INSIDE), np.array(position)), MATRIX, rtol=1e-9, atol=0
    )


def test_derivatives_are_exact_for_parabolas():
    position = np.array([0.3, 0.6])
    slopes = jacobian(lambda u: u**2, position)
    np.testing.assert_allclose(slopes, np.diag(2 * position), rtol=1e-9, atol=1e-12)


def test_derivatives_do_without_a_side_that_fails():
    def failing(positions):
        values = _linear(INSIDE)(positions)
        values[positions[:, 0] > 0.5, :6] = np.nan
        values[positions[:, 1] != 0.5, 6] = np.nan
        return values

    slopes = jacobian(failing, np.array([0.5, 0.5, 0.5]))
    expected = MATRIX.copy()
    expected[6, 1] = 0.0
    np.testing.assert_allclose(slopes, expected, rtol=1e-9, atol=0)


def test_a_jacobian_is_one_call():
    calls = []

    def counted(positions):
        calls.append(len(positions))
        return _linear(INSIDE)(positions)

    jacobian(counted, INSIDE)
    assert calls == [7]


def test_covariance_is_the_inverse_of_the_information():
    none = np.full(3, math.inf)
    expected = 0.01 * np.linalg.inv(MATRIX.T @ MATRIX)
    np.testing.assert_allclose(covariance(MATRIX, 0.01, none), expected, rtol=1e-5, atol=0)
    prior = np.array([math.inf, 0.001, math.inf])
    assert covariance(MATRIX, 100.0, prior)[1, 1] == pytest.approx(1e-6, rel=1e-2)


def test_what_is_degenerate_is_unknown_and_tied():
    twice = np.column_stack([MATRIX[:, 0], MATRIX[:, 0], np.zeros(12)])
    spread = covariance(twice, 1.0, np.full(3, math.inf))
    sd = np.sqrt(np.diag(spread))
    assert (sd > 100).all()
    assert spread[0, 1] / (sd[0] * sd[1]) == pytest.approx(-1, abs=1e-6)


def test_starts_are_spread_seeded_and_the_best_that_can_be_simulated():
    positions = screen(4, 3, seed=1)
    np.testing.assert_array_equal(positions, screen(4, 3, seed=1))
    assert not np.array_equal(positions, screen(4, 3, seed=2))
    cells = np.floor(positions * len(positions))  # a Latin hypercube: one in every layer
    np.testing.assert_array_equal(np.sort(cells, axis=0)[:, 0], np.arange(len(positions)))
    costs = np.full(len(positions), np.nan)
    costs[[3, 8, 5]] = 2.0, 1.0, 3.0
    np.testing.assert_array_equal(best_starts(positions, costs, 2), positions[[8, 3]])
    assert len(best_starts(positions, costs, 9)) == 3


@given(st.lists(st.floats(0, 1), min_size=2, max_size=2))
def test_the_box_is_inverted(position):
    box = read_box({RATE: (1e-3, 1e3), RADIUS: cm.Parameter(1e-6, 2e-5, log=False)})
    values = box.values(np.array(position))
    assert (values >= [1e-3, 1e-6]).all()
    assert (values <= [1e3, 2e-5]).all()
    np.testing.assert_allclose(box.position(values), position, rtol=0, atol=1e-12)


def test_logarithms_and_priors_in_the_box():
    box = Box({"a": cm.Parameter(1, 100, prior_mean=10, prior_sd=math.log(10)), "b": _pair(-1, 3)})
    np.testing.assert_allclose(box.values(np.array([0.5, 0.5])), [10, 1], rtol=1e-12)
    mean, sd = box.prior()
    np.testing.assert_allclose(mean[0], 0.5, rtol=1e-12)
    np.testing.assert_allclose(sd, [0.5, math.inf], rtol=1e-12)


def _pair(low, high):
    return cm.Parameter(low, high)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"low": 2, "high": 1}, "low must lie below high, got 2 and 1"),
        ({"low": math.nan, "high": 1}, "low must be finite, got nan"),
        ({"low": 1, "high": math.inf}, "high must be finite, got inf"),
        ({"low": 0, "high": 1, "log": True}, "low must be above 0 for a logarithm, got 0"),
        ({"low": 1, "high": 2, "start": 3}, "start must be between 1 and 2, got 3"),
        ({"low": 1, "high": 2, "prior_mean": 1.5}, "both prior_mean and prior_sd, or neither"),
        ({"low": 1, "high": 2, "prior_mean": 1.5, "prior_sd": 0}, "prior_sd must be above 0"),
        ({"low": 1, "high": 2, "log": "yes"}, "log must be True, False or None, got 'yes'"),
    ],
)
def test_wrong_parameters_are_refused(arguments, message):
    with pytest.raises(cm.InputError, match=message):
        cm.Parameter(**arguments)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "must map at least one name"),
        ([RATE], "must map at least one name"),
        ({RATE: 1.0}, r"parameters\['SEI .*'\]: must be \(low, high\) or a Parameter, got 1.0"),
        ({RATE: (2, 1)}, "low must lie below high"),
        ({RATE: (0, 1)}, "low must be in A.m-2 above 0, got 0"),
        ({RADIUS: (1, 10)}, "did you pass micrometres"),
        ({"positive_stoichiometry": (0.5, 1.2)}, "high must be above 0 and below 1, got 1.2"),
        ({"Ambient temperature [K]": (280, 320)}, "use the protocol's variable 'temperature'"),
        ({3: (1, 2)}, "named by a string"),
    ],
)
def test_wrong_boxes_are_refused(parameters, message):
    with pytest.raises(cm.InputError, match=message):
        read_box(parameters)
