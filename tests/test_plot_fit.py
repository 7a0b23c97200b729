"""Figures of a fit: differences in per cent, intervals in ratios, correlations as they are."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from matplotlib.figure import Figure

import cellmodel as cm
from cellmodel import plot_fit
from cellmodel.variables import label

RATE, ENERGY = "Lithium storage rate [C.m-2.s-0.5]", "Healing energy [J.mol-1]"
MEASURED = np.array([2.0, 4.0])


def drawn(figure: Figure) -> None:
    figure.draw_without_rendering()  # layout and text are worked out here, warnings are errors


def compared(away, how):
    values = np.array([MEASURED, MEASURED + away, away])
    return label(
        {"first_charge_capacity": (("comparison", "case"), values)},
        {"comparison": ["measured", how, "difference"], "case": [0, 1]},
    )


@pytest.fixture
def fit():
    names = [RATE, ENERGY]
    parameters = {
        "fitted_value": [2.0, 3e4],
        "interval_low": [1.0, 2.7e4],
        "interval_high": [4.0, 3.6e4],
    }
    parameters = {name: ("input", values) for name, values in parameters.items()}
    correlation = label(
        {"correlation": (("input", "input_other"), [[1.0, -0.25], [-0.25, 1.0]])},
        {"input": names, "input_other": names},
    )["correlation"]
    residuals = compared(np.array([0.02, -0.08]), "simulated")
    rmse = residuals.sel(comparison="difference").max("case")
    return cm.FormationFit(
        cm.load_cell("lfp-graphite"), label(parameters, {"input": names}), correlation,
        residuals, rmse, {}, (1.0,),
    )  # fmt: skip


def test_residuals_are_in_per_cent_of_what_was_measured(fit):
    figure = plot_fit.residuals(fit)
    drawn(figure)
    (place,) = figure.axes
    np.testing.assert_allclose(place.lines[0].get_xydata(), [[2, 1], [4, -2]], rtol=1e-12, atol=0)
    assert place.get_xlabel() == "first charge capacity [A h]"
    assert place.get_ylabel() == "model - measurement [%]"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["fitted"]


def test_predictions_stand_beside_the_fit(fit):
    unseen = dataclasses.replace(fit, cross_validation=compared(np.array([0.1, 0.2]), "predicted"))
    figure = plot_fit.residuals(unseen)
    drawn(figure)
    np.testing.assert_allclose(figure.axes[0].lines[1].get_ydata(), [5, 5], rtol=1e-12, atol=0)
    assert len(figure.legends[0].get_texts()) == 2


def test_intervals_are_ratios_to_the_fitted_value(fit):
    figure = plot_fit.intervals(fit, known={ENERGY: 3.3e4})
    drawn(figure)
    place = figure.axes[0]
    ends = [segment[:, 0] for segment in place.collections[0].get_segments()]
    np.testing.assert_allclose(ends, [[0.5, 2], [0.9, 1.2]], rtol=1e-12, atol=0)
    np.testing.assert_allclose(place.lines[1].get_xydata(), [[1.1, -1]], rtol=1e-12, atol=0)
    labels = [text.get_text() for text in place.get_yticklabels()]
    assert labels == ["Lithium storage rate", "Healing energy"]
    assert len(plot_fit.intervals(fit).axes[0].lines) == 1


def test_what_is_known_must_have_been_fitted(fit):
    with pytest.raises(cm.InputError, match="fitted parameter"):
        plot_fit.intervals(fit, known={"Healing [J.mol-1]": 1.0})


def test_correlations_are_written_into_the_map(fit):
    figure = plot_fit.correlation(fit)
    drawn(figure)
    written = [text.get_text() for text in figure.axes[0].texts]
    assert written == ["1.00", "-0.25", "-0.25", "1.00"]
    assert figure.axes[0].images[0].get_clim() == (-1, 1)
