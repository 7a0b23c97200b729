"""Figures of footprints: bars that add up, credits below 0, steps that meet, bands in order."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

import cellmodel as cm
from cellmodel import plot_footprint as plot
from cellmodel.plot import BLUE, VERMILION
from cellmodel.plot_footprint import PARTS
from cellmodel.variables import label

CELLS = ["nmc811-graphite-siox", "lfp-graphite"]
SITES = ["FR", "PL"]
TOTAL = "carbon_footprint_to_gate"


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


def measures(values: list[float]) -> xr.DataArray:
    names = [f"measure {number}" for number in range(len(values))]
    data = {TOTAL: (("site", "measure"), [values])}
    return label(data, {"site": ["FR"], "measure": names})[TOTAL].isel(site=0)


def quantiles(along: str, labels: list, sites: list[str] | None = None) -> xr.DataArray:
    """Footprints of 10, 20, 30 kg per kWh at the quantiles, one more for each label and site."""
    values = np.array([10.0, 20.0, 30.0])[:, None] + np.arange(len(labels))
    names = sites or ["FR"]
    data = xr.DataArray(values, dims=("quantile", along)) + xr.DataArray(
        np.arange(len(names)), dims="site"
    )
    coords = {along: labels, "site": names, "quantile": [0.05, 0.5, 0.95]}
    found = label({TOTAL: data}, coords)[TOTAL]
    return found if sites else found.isel(site=0)


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
        assert {text.get_text() for text in axes.texts} == {f"{total:.1f}"}
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
    assert [text.get_text() for text in axes.texts] == [f"{once:.1f}", f"{2 * once:.1f}"]
    assert bars_of(axes.containers[-1]) == [(0.0, -8.0), (0.0, -16.0)]
    with pytest.raises(cm.InputError, match="dimensions component, site, stage, got year, stage"):
        plot.footprint_along(years, "site")


def test_every_colour_is_its_own():
    colours = [colour for colour, _ in PARTS.values()] + [plot.OTHER[1], plot.CREDIT[1]]
    assert len(set(colours)) == len(colours)


def test_steps_of_the_waterfall_meet():
    values = [74.0, 60.0, 63.0, 30.0]
    figure = drawn(
        plot.waterfall(measures(values), neutral=["measure 1"], target=24.7, target_name="a third")
    )
    (axes,) = figure.axes
    ends, steps = axes.containers
    assert bars_of(ends) == [(0.0, 74.0), (0.0, 30.0)]
    assert bars_of(steps) == [(74.0, 60.0), (60.0, 63.0), (63.0, 30.0)]
    colours = [bar.get_facecolor() for bar in steps]
    assert len(set(colours)) == 3  # no measure, more, less
    assert colours[1] == to_rgba(VERMILION)
    assert colours[2] == to_rgba(BLUE)
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["74.0", "30.0", "-14.0", "+3.0", "-33.0", "a third 24.7"]
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == ["measure 0", "measure 1", "measure 2", "measure 3", "all of it"]
    assert axes.get_xlabel().endswith("[kg\u00a0kWh$^{-1}$]")


def test_a_waterfall_needs_measures():
    with pytest.raises(cm.InputError, match="a start and at least one measure"):
        plot.waterfall(measures([74.0]))
    with pytest.raises(cm.InputError, match="must have the dimensions measure, got measure, site"):
        plot.waterfall(measures([74.0, 60.0]).expand_dims(site=["FR"], axis=1))


def test_bands_over_years_lie_between_quantiles():
    found = quantiles("year", [2026, 2027, 2028], SITES)
    figure = drawn(plot.uncertainty_bands(found, "year", target=25.0, target_name="a third"))
    (axes,) = figure.axes
    assert len(axes.collections) == len(SITES)
    heights = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (10.0, 32.0)
    np.testing.assert_allclose(axes.lines[1].get_ydata(), [21, 22, 23], rtol=1e-12, atol=0)
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["FR", "PL", "a third"]
    assert axes.get_title(loc="left") == "5% to 95% of the samples"
    assert all(tick == int(tick) for tick in axes.get_xticks())


def test_bands_of_names_are_rows_from_top_to_bottom():
    figure = drawn(plot.uncertainty_bands(quantiles("measure", ["today", "all"]), "measure"))
    (axes,) = figure.axes
    assert bars_of(axes.containers[0]) == [(10.0, 30.0), (11.0, 31.0)]
    np.testing.assert_allclose(axes.lines[0].get_xdata(), [20, 21], rtol=1e-12, atol=0)
    assert [text.get_text() for text in axes.get_yticklabels()] == ["today", "all"]
    assert axes.get_yticks()[0] > axes.get_yticks()[1]
    assert axes.get_xlim()[0] == 0
    assert "[kg\u00a0kWh$^{-1}$]" in axes.get_xlabel()


def test_bands_refuse_what_they_cannot_draw():
    found = quantiles("year", [2026, 2027])
    with pytest.raises(cm.InputError, match="need at least two quantiles"):
        plot.uncertainty_bands(found.isel(quantile=[1]), "year")
    with pytest.raises(
        cm.InputError, match="must have the dimensions quantile, site, got quantile"
    ):
        plot.uncertainty_bands(found, "site")
