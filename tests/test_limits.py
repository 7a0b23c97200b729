"""How a time step finds the limit that it is on the way to, or has passed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

from kernels import tables as t
from kernels.limits import NEAR, along, parabola, share_to_limit

pytestmark = pytest.mark.kernel

GRID = np.linspace(0.0, 1.0, t.INTERVALS + 1)


def bent(time):
    return 0.3 + 2e-4 * time + 3e-7 * time**2


@pytest.mark.parametrize("back", [True, False])
def test_three_points_of_a_parabola_make_the_whole(back):
    h_0, h, H = 40.0, 100.0, 250.0
    length, start = (h, 0.0) if back else (H, h)
    slope = (bent(0.0) - bent(-h_0)) / h_0
    path = parabola(bent(0.0), bent(h), slope, h, h_0, H, back)
    for share in (0.0, 0.3, 1.0):
        value, rise = along(path, share)
        time = start + share * length
        np.testing.assert_allclose(value, bent(time), rtol=1e-13, atol=0)
        np.testing.assert_allclose(rise, length * (2e-4 + 6e-7 * time), rtol=1e-10, atol=0)


def test_without_a_step_before_it_is_a_line():
    assert along(parabola(1.0, 2.0, 5.0, 10.0, 0.0, 20.0, True), 0.5) == (1.5, 1.0)


def test_the_limit_is_met_on_a_curve_and_nowhere_else():
    """A potential that falls ever faster, from 4 V: y^2 below it."""
    tables = np.zeros((len(t.NAMES), t.INTERVALS, t.COLUMNS))
    tables[t.U_P] = t.hermite_table(4.0 - GRID**2, -2.0 * GRID)
    still, eta = (0.5, 0.0, 0.0), (-0.1, -0.05, 0.02)
    y = (0.2, 0.6, 0.0)

    def voltage(share):
        return 4.0 - along(y, share)[0] ** 2 + along(eta, share)[0]

    for share in (0.05, 0.5, 0.98):
        found = share_to_limit(tables, voltage(share), voltage(0.0), still, y, eta)
        # the last move of Newton's method starts from NEAR, and squares it
        np.testing.assert_allclose(voltage(found), voltage(share), rtol=0, atol=NEAR / 50)
    assert share_to_limit(tables, 3.0, voltage(0.0), still, y, eta) == 1.0


def test_where_the_voltage_has_become_flat_its_first_meeting_with_the_limit_is_looked_for():
    """A measured potential that rises past the limit, falls back and meets it once more."""
    places, heights = [0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 1.0], [-18, -9, -2, 0.45, -0.15, -0.02, 0.3]
    curve = PchipInterpolator(places, 4.1 + 1e-3 * np.array(heights))
    tables = np.zeros((len(t.NAMES), t.INTERVALS, t.COLUMNS))
    tables[t.U_P] = t.hermite_table(curve(GRID), curve.derivative()(GRID))
    meetings = curve.solve(4.1, extrapolate=False)
    assert meetings.size == 3
    still, line = (0.5, 0.0, 0.0), (0.0, 1.0, 0.0)
    found = share_to_limit(tables, 4.1, curve(0.0), still, line, (0.0, 0.0, 0.0))
    np.testing.assert_allclose(found, meetings[0], rtol=0, atol=0.03)
