"""Figures: what their axes say, and what they refuse to draw."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

import cellmodel as cm
from cellmodel import plot
from cellmodel.variables import label

CELLS = ["nmc811-graphite-siox", "lfp-graphite"]


@pytest.fixture
def results() -> xr.Dataset:
    rates, temperatures = np.geomspace(0.05, 0.5, 5), np.linspace(288.15, 318.15, 4)
    energy = 2 + 0.05 / rates * np.ones((2, 4, 1)) + 0.01 * (temperatures - 298)[:, None]
    status = np.zeros(energy.shape, dtype=np.int8)
    status[1, 0, 0] = 2
    units = {"units": "h-1", "long_name": "rate of the first charge"}
    return label(
        {
            "specific_formation_energy": (("cell", "temperature", "charge_rate"), energy),
            "status": (("cell", "temperature", "charge_rate"), status),
        },
        {
            "cell": CELLS,
            "charge_rate": ("charge_rate", rates, units),
            "temperature": ("temperature", temperatures, {"units": "K", "long_name": "a chamber"}),
        },
    )


def designs() -> dict:
    return {
        "cell": ("design", np.repeat(CELLS, 2)),
        "choice": ("design", ["nominal", "best"] * 2),
        "charge_rate": ("design", [0.1, 0.5, 0.1, 0.3], {"units": "h-1"}),
        "temperature": ("design", [298.15, 318.15, 298.15, 288.15], {"units": "K"}),
    }


def panels(figure: Figure) -> list:
    return [axes for axes in figure.axes if axes.get_title(loc="left")]


def drawn(figure: Figure) -> None:
    figure.draw_without_rendering()  # layout and text are worked out here, warnings are errors


def test_the_map_has_a_panel_per_cell_and_units_on_its_axes(results):
    figure = plot.formation_energy(results, xr.Dataset(coords=designs()), note="two-cycle")
    drawn(figure)
    assert [axes.get_title(loc="left") for axes in panels(figure)] == CELLS
    for axes in panels(figure):
        assert axes.get_xlabel() == "charge rate [C]"
        assert axes.get_xscale() == "log"
    assert panels(figure)[0].get_ylabel() == "temperature [°C]"
    np.testing.assert_allclose(panels(figure)[0].get_ylim(), (15, 45), rtol=1e-9, atol=0)
    bar = figure.axes[-1].get_ylabel().replace("\n", " ")
    assert bar == "electricity of formation / nominal energy of the cell"
    points = [line.get_xydata().tolist() for line in panels(figure)[1].lines]
    assert points == [[[0.1, 25.0]], [[0.3, 15.0]]]


def test_the_map_takes_one_cell(results):
    one = results.isel(cell=0, drop=True).assign_attrs(cell="mine")
    figure = plot.formation_energy(one)
    drawn(figure)
    assert [axes.get_title(loc="left") for axes in panels(figure)] == ["mine"]


def test_a_linear_sweep_has_a_linear_axis(results):
    linear = results.assign_coords(charge_rate=np.linspace(0.1, 0.5, 5))
    assert plot.formation_energy(linear).axes[0].get_xscale() == "linear"


def test_a_constant_field_can_be_drawn(results):
    drawn(plot.formation_energy(xr.ones_like(results) * 0 + results.isel(charge_rate=0)))


def test_the_map_refuses_what_it_cannot_draw(results):
    with pytest.raises(cm.InputError, match="needs the dimensions cell, charge_rate and temp"):
        plot.formation_energy(results.expand_dims(protocol=["two-cycle"]))
    results["status"][:] = 1
    with pytest.raises(cm.InputError, match="nothing to draw: no case has status ok"):
        plot.formation_energy(results)


def test_the_trace_shows_four_courses_with_units():
    time = np.linspace(0, 30, 50)
    series = {
        "voltage": 3 + 0.04 * time,
        "current": np.sin(time),
        "cell_temperature": 298.15 + np.cos(time),
        "sei_thickness_series": 1e-9 * time,
        "cycle_index": (time > 15).astype(int),
    }
    formed = label({name: ("time", values) for name, values in series.items()}, {"time": time})
    figure = plot.formation_trace(formed.assign_attrs(cell="mine"))
    drawn(figure)
    labels = [axes.get_ylabel().replace("\n", " ") for axes in figure.axes]
    assert [name[name.index("[") :] for name in labels] == ["[V]", "[A]", "[°C]", "[nm]"]
    assert figure.axes[-1].get_xlabel() == "time [h]"
    assert [text.get_text() for text in figure.axes[0].texts] == ["cycle 1", "cycle 2"]
    np.testing.assert_allclose(figure.axes[3].lines[0].get_ydata()[-1], 30, rtol=1e-12, atol=0)


def test_the_tornado_has_the_strongest_lever_on_top():
    rows = {"footprint_change": [0.1, -2.0, 5.0], "footprint_change_error": [0.01, np.nan, np.nan]}
    levers = label(
        {name: ("lever", values) for name, values in rows.items()},
        {
            "lever": ["warmer", "heat pump", "site PL"],
            "change": ("lever", [1.0, 1.0, 1.0]),
            "unit": ("lever", ["K", "switch", "switch"]),
        },
    ).assign_attrs(cell="mine", site="FR")
    figure = plot.tornado(levers)
    drawn(figure)
    place = figure.axes[0]
    assert [text.get_text() for text in place.get_yticklabels()] == [
        "site PL",
        "heat pump",
        "warmer +1 K",
    ]
    bars = sorted(place.containers[-1], key=lambda bar: -bar.get_y())
    np.testing.assert_allclose([bar.get_width() for bar in bars], [5, -2, 0.1], rtol=1e-12, atol=0)
    assert bars[0].get_facecolor() != bars[1].get_facecolor()
    assert place.get_xlabel().endswith("[kg kWh$^{-1}$]")
    assert place.get_title(loc="left") == "mine, FR"
    assert len(plot.tornado(levers, most=2).axes[0].get_yticklabels()) == 2
    with pytest.raises(cm.InputError, match="levers lacks change, unit"):
        plot.tornado(levers.drop_vars(["change", "unit"]))


def test_pictures_carry_a_description(results, tmp_path):
    path = tmp_path / "map.png"
    plot.write_png(path, plot.formation_energy(results), "Electricity over rate.")
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG")
    assert b"Description\x00Electricity over rate." in content
    assert [file.name for file in tmp_path.iterdir()] == ["map.png"]
