"""Figures of formations: bars that add up, points on their lines, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

import cellmodel as cm
from cellmodel import plot_formation
from cellmodel.variables import label

NAMES = ["slow", "fast"]


def drawn(figure: Figure) -> None:
    figure.draw_without_rendering()  # layout and text are worked out here, warnings are errors


def one_course(name: str, efficiency: float) -> xr.Dataset:
    time = np.linspace(0, 20, 41)
    capacity = -2 * np.interp(time, [0, 10, 20], [0, 1, 1 - efficiency])
    series = {
        "voltage": 3 + 0.04 * time,
        "capacity": capacity,
        "cycle_index": (time > 15).astype(int),
    }
    cycles = {"charge_capacity": ("cycle", [2.0, 1.0]), "first_cycle_efficiency": efficiency}
    courses = {name: ("time", values) for name, values in series.items()}
    formed = label({**courses, **cycles}, {"time": time, "cycle": [0, 1]})
    return formed.assign_attrs(cell=name)


@pytest.fixture
def formed() -> xr.Dataset:
    variables = {
        "charge_capacity": (("formation", "cycle"), [[0.30, 0.25], [0.40, 0.24]]),
        "discharge_capacity": (("formation", "cycle"), [[0.25, 0.248], [0.241, 0.239]]),
        "lithium_loss": ("formation", [0.026, 0.044]),
        "parasitic_charge": ("formation", [0.004, 0.09]),
        "stored_lithium": ("formation", [0.002, 0.0015]),
        "kinetic_loss": ("formation", [0.015, 0.0285]),
    }
    return label(variables, {"formation": NAMES, "cycle": [0, 1]})


@pytest.fixture
def over_temperature() -> xr.Dataset:
    temperature = xr.Variable("temperature", [288.15, 298.15, 318.15], {"units": "K"})
    values = [[0.7, 0.65, np.nan], [0.6, 0.55, 0.5]]
    return label(
        {"first_cycle_efficiency": (("formation", "temperature"), values)},
        {"formation": NAMES, "temperature": temperature},
    )


def test_a_loop_ends_where_its_loss_does():
    figure = plot_formation.courses([one_course("cell one", 0.9), one_course("two", 0.75)])
    drawn(figure)
    assert [place.get_title(loc="left") for place in figure.axes[:2]] == ["cell one", "two"]
    assert figure.axes[0].get_ylabel() == "terminal voltage [V]"
    assert figure.axes[0].get_xlabel() == "time [h]"
    for place, lost in zip(figure.axes[2:], (10, 25), strict=True):
        ends = [line.get_xdata()[-1] for line in place.lines]
        # second cycle, first cycle, bar: the last two agree with each other at the end only
        np.testing.assert_allclose([ends[0], ends[2]], lost, rtol=1e-12, atol=0)
        assert place.texts[0].get_text() == f"{lost:.1f} %"


def test_courses_need_time():
    for wrong in ([], [one_course("a", 0.9).drop_dims("time")]):
        with pytest.raises(cm.InputError, match="at least one formation with its course"):
            plot_formation.courses(wrong)


def test_losses_add_up_to_what_did_not_come_back(formed):
    figure = plot_formation.losses(formed)
    drawn(figure)
    place = figure.axes[0]
    assert [text.get_text() for text in place.get_yticklabels()] == NAMES
    assert len(place.containers) == len(plot_formation.LOSSES) + 1
    widths = np.array([[bar.get_width() for bar in bars] for bars in place.containers])
    np.testing.assert_allclose(widths.sum(0), [100 * 0.052 / 0.30, 100 * 0.160 / 0.40], rtol=1e-12)
    np.testing.assert_allclose(widths[1], [400 / 300, 9000 / 400], rtol=1e-12, atol=0)
    # what is left is a loss in the first case; in the second it is negative, and left of zero
    assert widths[-1, 0] > 0 > widths[-1, 1]
    assert place.containers[-1][1].get_x() == 0
    np.testing.assert_allclose(
        [bar.get_x() for bar in place.containers[1]], widths[0], rtol=1e-12, atol=0
    )
    assert [text.get_text() for text in place.texts] == ["17.3", "40.0"]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names[0] == "lithium lost"
    assert len(set(names)) == len(names)
    colours = [bars[0].get_facecolor() for bars in place.containers]
    assert len(set(colours)) == len(colours)


def test_losses_say_what_they_need(formed):
    with pytest.raises(cm.InputError, match="formed lacks parasitic_charge, kinetic_loss"):
        plot_formation.losses(formed.drop_vars(["parasitic_charge", "kinetic_loss"]))
    with pytest.raises(cm.InputError, match="whose coordinate names the cases, got none"):
        plot_formation.losses(formed.isel(formation=0))
    with pytest.raises(cm.InputError, match="one dimension whose coordinate names the cases"):
        plot_formation.losses(formed.drop_vars("formation"))


def test_points_lie_over_the_axis_of_their_lines(over_temperature):
    measured = xr.Dataset(
        {"first_cycle_efficiency": ("formation", [0.52, 0.71])},
        {"formation": ["fast", "slow"], "temperature": ("formation", [318.15, 298.15])},
    )
    figure = plot_formation.efficiency(over_temperature, measured, scatter=0.01)
    drawn(figure)
    place = figure.axes[0]
    assert place.get_ylabel() == "coulombic efficiency of the first full cycle [%]"
    np.testing.assert_allclose(place.lines[0].get_ydata()[:2], [70, 65], rtol=1e-12, atol=0)
    point, _, bars = place.containers[1]
    np.testing.assert_allclose(point.get_xydata(), [[45, 52]], rtol=1e-12, atol=0)
    np.testing.assert_allclose(bars[0].get_segments()[0][:, 1], [51, 53], rtol=1e-12, atol=0)
    lines = {line.get_label(): line.get_color() for line in place.lines}
    assert point.get_color() == lines["fast"] != lines["slow"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == NAMES
    # beyond the measurements lines are extrapolations
    (shade,) = place.patches
    np.testing.assert_allclose(
        [shade.get_x(), shade.get_x() + shade.get_width()], [25, 45], rtol=1e-12, atol=0
    )


def test_efficiency_without_measurements(over_temperature):
    figure = plot_formation.efficiency(over_temperature)
    drawn(figure)
    assert not figure.axes[0].containers


def test_efficiency_refuses_what_has_no_place(over_temperature):
    with pytest.raises(cm.InputError, match="must have the dimension charge_rate, got formation"):
        plot_formation.efficiency(over_temperature, x="charge_rate")
    stranger = xr.Dataset(
        {"first_cycle_efficiency": ("formation", [0.5])},
        {"formation": ["warm"], "temperature": ("formation", [318.15])},
    )
    with pytest.raises(cm.InputError, match="must name lines of formed, slow, fast, got warm"):
        plot_formation.efficiency(over_temperature, stranger)
    many = over_temperature.isel(formation=[0] * 7).assign_coords(formation=list("abcdefg"))
    with pytest.raises(cm.InputError, match="at most 6 lines, got 7"):
        plot_formation.efficiency(many)
