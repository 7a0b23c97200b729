"""Tables: exact for cubics, stated error for a real potential, held beyond their ends."""

from __future__ import annotations

import math

import numpy as np
import pybamm
import pytest

from kernels.tables import (
    COLDEST,
    COLUMNS,
    DEGREES,
    INTERVALS,
    NAMES,
    PROPERTIES,
    U_N,
    U_P,
    WARM_D_N,
    WARM_TDF,
    WARMEST,
    hermite_table,
    lookup,
    temperature_factor,
)

pytestmark = pytest.mark.kernel

GRID = np.linspace(0.0, 1.0, INTERVALS + 1)
POSITIONS = np.random.default_rng(1).uniform(0.0, 1.0, 500)


def _stacked(table):
    tables = np.zeros((len(NAMES), INTERVALS, COLUMNS))
    tables[U_P] = table
    return tables


def _read(tables, positions, which=U_P):
    return np.array([lookup(tables, which, position) for position in positions]).T


@pytest.mark.parametrize(
    "coefficients", [(2.0,), (1.0, -3.0), (0.5, 1.0, -4.0), (3.0, -2.0, 0.7, 5.0)]
)
def test_a_cubic_its_slope_and_its_integral_are_exact(coefficients):
    cubic = np.polynomial.Polynomial(coefficients)
    tables = _stacked(hermite_table(cubic(GRID), cubic.deriv()(GRID) + 0 * GRID))
    positions = np.concatenate([POSITIONS, GRID[:50], [0.0, 1.0]])
    value, slope, integral = _read(tables, positions)
    np.testing.assert_allclose(value, cubic(positions), rtol=0, atol=1e-14)
    np.testing.assert_allclose(slope, cubic.deriv()(positions), rtol=0, atol=2e-11)
    np.testing.assert_allclose(integral, cubic.integ()(positions), rtol=0, atol=2e-14)


def test_the_interpolant_is_smooth_where_intervals_meet():
    tables = _stacked(hermite_table(np.sin(9 * GRID), 9 * np.cos(9 * GRID)))
    inner = GRID[1:-1]
    below, above = _read(tables, inner - 1e-13), _read(tables, inner + 1e-13)
    np.testing.assert_allclose(below, above, rtol=0, atol=1e-10)


def test_the_error_falls_with_the_fourth_power_of_the_interval():
    errors = []
    for step in (4, 8, 16):  # read coarser tables by hand: lookup knows one size
        x = GRID[::step]
        table = hermite_table(np.exp(-3 * x), -3 * np.exp(-3 * x))
        middle = table[:, 0] + 0.5 * (table[:, 1] + 0.5 * (table[:, 2] + 0.5 * table[:, 3]))
        errors.append(np.abs(middle - np.exp(-3 * (x[:-1] + x[1:]) / 2)).max())
    np.testing.assert_allclose(np.log2(errors[1:]) - np.log2(errors[:-1]), 4.0, rtol=0.02, atol=0)


@pytest.mark.parametrize(("electrode", "largest"), [("Negative", 5e-9), ("Positive", 5e-9)])
def test_a_real_potential_is_met_to_the_stated_nanovolts(electrode, largest):
    x = pybamm.StateVector(slice(0, 1))
    values = pybamm.ParameterValues("Chen2020")
    potential = values[f"{electrode} electrode OCP [V]"](x)
    slope = potential.diff(x)

    def evaluate(symbol, at):
        return np.array([symbol.evaluate(y=np.array([[s]])).item() for s in at])

    table = hermite_table(evaluate(potential, GRID), evaluate(slope, GRID))
    inside = POSITIONS[(POSITIONS > 0.02) & (POSITIONS < 0.98)]
    value, read_slope, _ = _read(_stacked(table), inside)
    np.testing.assert_allclose(value, evaluate(potential, inside), rtol=0, atol=largest)
    np.testing.assert_allclose(read_slope, evaluate(slope, inside), rtol=1e-4, atol=1e-5)


def test_straight_lines_that_meet_between_the_grids_points_are_exact():
    """As measured potentials have them; one knot in some intervals, in others none."""
    rng = np.random.default_rng(8)
    knots = np.sort((rng.permutation(INTERVALS)[:40] + rng.uniform(0.01, 0.99, 40)) / INTERVALS)
    x = np.concatenate([[0.0], knots, [1.0]])
    y = rng.uniform(3.0, 4.0, x.size)
    rises, places = np.diff(y) / np.diff(x), (knots * INTERVALS).astype(int)
    kinks, jumps = np.zeros(INTERVALS), np.zeros(INTERVALS)
    kinks[places], jumps[places] = knots * INTERVALS - places, np.diff(rises)
    slopes = rises[np.searchsorted(knots, GRID)]
    tables = _stacked(hermite_table(np.interp(GRID, x, y), slopes, kinks, jumps))
    value, slope, integral = _read(tables, POSITIONS)
    np.testing.assert_allclose(value, np.interp(POSITIONS, x, y), rtol=0, atol=1e-12)
    np.testing.assert_allclose(
        slope, rises[np.searchsorted(knots, POSITIONS)], rtol=1e-9, atol=1e-9
    )
    exact = [
        np.trapezoid(np.interp(at, x, y), at)
        for at in (np.append(x[x < end], end) for end in POSITIONS)
    ]
    np.testing.assert_allclose(integral, exact, rtol=0, atol=1e-12)


def test_values_are_held_beyond_the_ends():
    tables = _stacked(hermite_table(np.cos(GRID), -np.sin(GRID)))
    for beyond in (-1e-12, -0.3, -1e300, -math.inf):
        assert lookup(tables, U_P, beyond) == lookup(tables, U_P, 0.0)
    for beyond in (1.0 + 1e-12, 1.3, 1e300, math.inf):
        assert lookup(tables, U_P, beyond) == lookup(tables, U_P, 1.0)
    np.testing.assert_allclose(lookup(tables, U_P, 1.0)[0], math.cos(1.0), rtol=1e-15, atol=0)
    np.testing.assert_allclose(lookup(tables, U_P, 1.0)[2], math.sin(1.0), rtol=1e-12, atol=0)


def test_each_table_is_read_by_its_own_index():
    tables = np.zeros((len(NAMES), INTERVALS, COLUMNS))
    for which in range(len(NAMES)):
        tables[which] = hermite_table(np.full(INTERVALS + 1, float(which)), np.zeros(INTERVALS + 1))
    for which in range(len(NAMES)):
        assert lookup(tables, which, 0.37)[0] == which
    assert NAMES[U_N] == "negative_potential"
    assert NAMES[U_P] == "positive_potential"


def test_the_tables_of_a_property_stand_where_their_indices_say():
    for i, name in enumerate(PROPERTIES):
        assert NAMES[6 + i] == f"{name}_shape"
        first = 12 + 3 * i
        assert NAMES[first : first + 3] == tuple(
            f"{name}_{power}" for power in ("linear", "quadratic", "cubic")
        )
    assert NAMES[WARM_D_N] == "negative_diffusivity_linear"
    assert NAMES[WARM_TDF] == "thermodynamic_factor_linear"


def test_the_temperature_factor_is_its_cubic_and_held_beyond_its_range():
    tables = np.zeros((len(NAMES), INTERVALS, COLUMNS))
    level = np.zeros(INTERVALS + 1)
    for power, coefficient in enumerate((0.5, -0.2, 0.1)):
        tables[WARM_TDF + power] = hermite_table(coefficient * (1 + GRID), level + coefficient)
    T_ref, at = 296.0, 0.37
    for T in (COLDEST, 280.0, T_ref, 310.0, WARMEST):
        t = (T - T_ref) / DEGREES
        expected = 1 + (1 + at) * (0.5 * t - 0.2 * t**2 + 0.1 * t**3)
        found = temperature_factor(tables, WARM_TDF, at, T, T_ref)
        np.testing.assert_allclose(found, expected, rtol=1e-14, atol=0)
    assert temperature_factor(tables, WARM_TDF, at, T_ref, T_ref) == 1.0
    for beyond, edge in ((-1e300, COLDEST), (240.0, COLDEST), (360.0, WARMEST), (1e300, WARMEST)):
        assert temperature_factor(tables, WARM_TDF, at, beyond, T_ref) == temperature_factor(
            tables, WARM_TDF, at, edge, T_ref
        )
