"""Figures of a fit: what it leaves, how well its parameters are known, and which only together."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cellmodel.errors import unknown_name
from cellmodel.plot import BLUE, STYLE, VERMILION

if TYPE_CHECKING:
    from cellmodel.fit_result import FormationFit

TWO_SIDED = "PuOr"  # told apart whatever colours are seen, white at 0


def residuals(fit: FormationFit) -> Figure:
    """Return what is left of each outcome over what was measured, a panel per outcome.

    Parameters
    ----------
    fit
        From `fit_formation`. Where it was cross-validated, what was predicted for cases that the
        fit had not seen is drawn beside what was fitted.
    """
    outcomes = list(fit.residuals.data_vars)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(0.6 + 3.7 * len(outcomes), 3.3))
        for place, name in zip(
            figure.subplots(1, len(outcomes), squeeze=False)[0], outcomes, strict=True
        ):
            _differences(place, fit.residuals[name], "fitted", marker="o", color=BLUE)
            if fit.cross_validation is not None:
                _differences(
                    place, fit.cross_validation[name], "predicted, case not seen", marker="o",
                    markerfacecolor="none", markeredgecolor=VERMILION,
                )  # fmt: skip
            place.axhline(0, color="0.6", linewidth=0.8, zorder=0)
            units = fit.residuals[name].attrs["units"]
            unit = "" if units == "1" else f" [{units}]"
            place.set_xlabel("\n".join(textwrap.wrap(name.replace("_", " ") + unit, 34)))
        figure.axes[0].set_ylabel("model - measurement [%]")
        figure.legend(
            *figure.axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=2
        )
    return figure


def intervals(fit: FormationFit, known: Mapping[str, float] | None = None) -> Figure:
    """Return the 95 % interval of each parameter, relative to its fitted value.

    Parameters
    ----------
    fit
        From `fit_formation`.
    known
        Parameter -> value to mark in its unit, such as the one that a table was simulated with.

    Raises
    ------
    InputError
        If `known` names something that was not fitted.
    """
    names = fit.parameters["input"].values.tolist()
    known = {} if known is None else known
    for name in known:
        if name not in names:
            raise unknown_name("fitted parameter", name, names)
    value, low, high = (
        fit.parameters[key].to_numpy() for key in ("fitted_value", "interval_low", "interval_high")
    )
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8, 1 + 0.42 * len(names)))
        place = figure.subplots()
        rows = -np.arange(len(names))
        place.hlines(rows, low / value, high / value, color=BLUE, linewidth=3)
        place.plot(np.ones(len(names)), rows, "o", color=BLUE, label="fitted, 95 % interval")
        if known:
            at = [names.index(name) for name in known]
            place.plot(
                [known[names[i]] / value[i] for i in at], rows[at], "|", color=VERMILION,
                markersize=16, markeredgewidth=2, label="known",
            )  # fmt: skip
        place.set_yticks(rows, [_short(name) for name in names], fontsize=8)
        place.tick_params(axis="y", length=0)
        place.margins(y=0.15)
        place.set_xlabel("value / fitted value")
        figure.legend(loc="outside upper left", ncols=2)
    return figure


def correlation(fit: FormationFit) -> Figure:
    """Return the correlations of the fitted parameters as a map with numbers.

    Parameters
    ----------
    fit
        From `fit_formation`.
    """
    values = fit.correlation.to_numpy()
    names = [_short(name) for name in fit.correlation["input"].values.tolist()]
    with mpl.rc_context(STYLE):
        side = 2.2 + 0.62 * len(names)
        figure = Figure(figsize=(side + 0.9, side))
        place = figure.subplots()
        image = place.imshow(values, cmap=TWO_SIDED, vmin=-1, vmax=1)
        for row, column in np.ndindex(*values.shape):
            ink = "white" if abs(values[row, column]) > 0.7 else "black"
            place.text(
                column, row, f"{values[row, column]:.2f}", ha="center", va="center", color=ink,
                fontsize=8,
            )  # fmt: skip
        place.set_xticks(range(len(names)), names, rotation=90, fontsize=8)
        place.set_yticks(range(len(names)), names, fontsize=8)
        place.tick_params(length=0)
        place.spines[:].set_visible(False)
        bar = figure.colorbar(image, shrink=0.7, label="correlation")
        bar.outline.set_visible(False)
    return figure


def _differences(place: Axes, compared: xr.DataArray, label: str, **look: str) -> None:
    measured = compared.sel(comparison="measured").to_numpy()
    away = compared.sel(comparison="difference").to_numpy()
    place.plot(measured, 100 * away / measured, linestyle="none", label=label, **look)


def _short(name: str) -> str:
    """Return the name of a parameter without its unit, in lines."""
    return "\n".join(textwrap.wrap(name.split(" [")[0], 26))
