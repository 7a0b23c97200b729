"""Figures of footprints: bars that add up, credits below 0."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

import cellmodel as cm
from cellmodel import plot_footprint as plot
from cellmodel.plot_footprint import PARTS
from cellmodel.variables import label

CELLS = ["nmc811-graphite-siox", "lfp-graphite"]
SITES = ["FR", "PL"]


def make_footprint(credit: float | None = None) -> xr.Dataset:
    """Components of 1, 2, 3 ... kg per kWh in both of two stages, over site and design."""
    components = [*(name for _, names in PARTS.values() for name in names), "scrap_treatment"]
    numbers = np.arange(1.0, len(components) + 1)
    if credit is not None:
        components, numbers = [*components, "recycling_credit"], np.append(numbers, credit)
    values = numbers[:, None, None] * np.ones((len(numbers), 2, 4))
    return label(
        {
            "carbon_footprint": (
                ("stage", "component", "site", "design"), np.stack([values, values]),
            ),
            "carbon_footprint_total": (("site", "design"), 2 * values.sum(0)),
        },
        {
            "component": components,
            "site": SITES,
            "stage": ["a", "b"],
            "cell": ("design", np.repeat(CELLS, 2)),
            "choice": ("design", ["nominal", "best"] * 2),
        },
    )  # fmt: skip


def drawn(figure: Figure) -> Figure:
    figure.draw_without_rendering()  # layout and text are worked out here, warnings are errors
    return figure


def bars_of(container) -> list[tuple[float, float]]:
    return [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in container]


def test_bars_add_up_to_the_footprint():
    footprint = make_footprint()
    figure = drawn(plot.footprint_by_component(footprint))
    assert [axes.get_title(loc="left") for axes in figure.axes] == CELLS
    assert figure.axes[-1].get_xlabel().startswith("CO2-equivalent (GWP100) per kWh of capacity")
    assert figure.axes[-1].get_xlabel().endswith("[kg kWh$^{-1}$]")
    total = float(footprint["carbon_footprint_total"][0, 0])
    for axes in figure.axes:
        assert len(axes.containers) == len(PARTS) + 1
        ends = [end for _, end in bars_of(axes.containers[-1])]
        np.testing.assert_allclose(ends, total, rtol=1e-12, atol=0)
        labels = [text.get_text() for text in axes.get_yticklabels()]
        assert labels == ["FR  nominal", "FR  best", "PL  nominal", "PL  best"]
        assert {text.get_text() for text in axes.texts} == {f"{total:.1f}"}
        assert axes.get_xlim()[0] == 0
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == [*PARTS, "everything else"]


def test_a_credit_stands_left_of_0_and_lowers_the_number():
    footprint = make_footprint(credit=-4.0)
    figure = drawn(plot.footprint_by_component(footprint))
    total = float(footprint["carbon_footprint_total"][0, 0])
    for axes in figure.axes:
        *_, rest, credit = axes.containers
        np.testing.assert_allclose([end for _, end in bars_of(rest)], total + 8, rtol=1e-12, atol=0)
        assert bars_of(credit) == [(0.0, -8.0)] * 4
        assert {text.get_text() for text in axes.texts} == {f"net {total:.1f}"}
        np.testing.assert_allclose(axes.lines[-1].get_xdata(), total, rtol=1e-12, atol=0)
        assert axes.get_xlim()[0] < -8
    assert figure.legends[0].get_texts()[-1].get_text() == "recycling credit"


def test_a_credit_that_is_a_burden_stands_on_top():
    figure = drawn(plot.footprint_by_component(make_footprint(credit=2.0)))
    total = float(make_footprint(credit=2.0)["carbon_footprint_total"][0, 0])
    for start, end in bars_of(figure.axes[0].containers[-1]):
        np.testing.assert_allclose((start, end), (total - 4, total), rtol=1e-12, atol=0)


def test_bars_are_of_one_rule_set():
    both = xr.concat([make_footprint()] * 2, "rule_set").assign_coords(rule_set=["a", "b"])
    with pytest.raises(cm.InputError, match=r"one rule set, got a, b; choose one by \.sel"):
        plot.footprint_by_component(both)


def test_bars_along_a_dimension():
    footprint = make_footprint(credit=-4.0).isel(design=0, drop=True)
    years = xr.concat([footprint.sel(site="FR"), 2 * footprint.sel(site="FR")], "year")
    years = years.assign_coords(year=[2026, 2027])
    figure = drawn(plot.footprint_along(years, "year", note="a ramp"))
    (axes,) = figure.axes
    assert axes.get_title(loc="left") == "a ramp"
    assert [text.get_text() for text in axes.get_yticklabels()] == ["2026", "2027"]
    once = float(footprint["carbon_footprint_total"].sel(site="FR"))
    assert [text.get_text() for text in axes.texts] == [f"net {once:.1f}", f"net {2 * once:.1f}"]
    assert bars_of(axes.containers[-1]) == [(0.0, -8.0), (0.0, -16.0)]
    with pytest.raises(cm.InputError, match="dimensions component, site, stage, got year, stage"):
        plot.footprint_along(years, "site")


def test_every_colour_is_its_own():
    colours = [colour for colour, _ in PARTS.values()] + [plot.OTHER[1], plot.CREDIT[1]]
    assert len(set(colours)) == len(colours)
