"""Figures beside a target: steps that meet, bands in order."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

import cellmodel as cm
from cellmodel import plot_target as plot
from cellmodel.plot import BLUE, VERMILION
from cellmodel.variables import label

SITES = ["FR", "PL"]
TOTAL = "carbon_footprint_to_gate"


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


def test_wide_bands_of_several_sites_are_dotted_and_named():
    found = quantiles("year", [2026, 2027], SITES)
    wider = xr.concat([found.isel(quantile=0) - 5, found, found.isel(quantile=2) + 5], "quantile")
    wider = wider.assign_coords(quantile=[0.05, 0.25, 0.5, 0.75, 0.95]).assign_attrs(found.attrs)
    (axes,) = drawn(plot.uncertainty_bands(wider, "year")).axes
    assert len(axes.collections) == len(SITES)  # the inner bands
    dotted = [line for line in axes.lines if line.get_linestyle() == ":"]
    np.testing.assert_allclose(dotted[0].get_ydata(), [5, 6], rtol=1e-12, atol=0)
    assert axes.get_title(loc="left") == "5% to 95%, dark 25% to 75% of the samples"
    (alone,) = drawn(plot.uncertainty_bands(wider.isel(site=0), "year")).axes
    assert len(alone.collections) == 2
