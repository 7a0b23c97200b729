"""Figures of footprints beside a target: what measures change, and how sure it is."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cellmodel.errors import InputError
from cellmodel.plot import BLUE, GREEN, ORANGE, PURPLE, SKY, STYLE, VERMILION, label_of
from cellmodel.plot_footprint import WIDTH, check_dims, write_beside

LINES = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)


def waterfall(
    footprints: xr.DataArray,
    *,
    neutral: Sequence[str] = (),
    target: float | None = None,
    target_name: str = "target",
) -> Figure:
    """Return what each measure changes on top of those before it, from the first bar to the last.

    Parameters
    ----------
    footprints
        Footprint after each measure (measure) [kg kWh-1]; the first is where it starts, and is
        drawn from 0, as is what is left after all.
    neutral
        Steps that nobody takes, such as from a published footprint to one's own: drawn grey.
    target
        Drawn as a line [kg kWh-1].
    target_name
        What it is called.

    Raises
    ------
    InputError
        If there are other dimensions, or fewer than two footprints.
    """
    check_dims(footprints, {"measure"}, "the waterfall")
    if footprints.sizes["measure"] < 2:
        raise InputError("the waterfall needs a start and at least one measure")
    values = footprints.to_numpy()
    names = [str(name) for name in footprints["measure"].values]
    rows = -np.arange(len(values) + 1)
    changes = np.diff(values)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8, 1.3 + 0.34 * len(rows)))
        place = figure.subplots()
        ends = rows[[0, -1]]
        place.barh(ends, values[[0, -1]], 0.7, color="0.45")
        colours = [
            "0.7" if name in neutral else BLUE if change <= 0 else VERMILION
            for name, change in zip(names[1:], changes, strict=True)
        ]
        place.barh(rows[1:-1], changes, 0.7, left=values[:-1], color=colours)
        for row, value in zip(rows[:-1], values, strict=True):  # where the next one begins
            place.plot([value, value], [row, row - 1], color="0.6", linewidth=0.8)
        for row, value in zip(ends, values[[0, -1]], strict=True):
            write_beside(place, value, row, f"{value:.1f}")
        for row, change, start in zip(rows[1:-1], changes, values[:-1], strict=True):
            write_beside(place, max(start, start + change), row, f"{change:+.1f}")
        if target is not None:
            _draw_target(place, target, target_name)
        labels = [textwrap.fill(name, WIDTH) for name in (*names, "all of it")]
        place.set_yticks(rows, labels, fontsize=8)
        place.tick_params(axis="y", length=0)
        place.set_xlim(0, 1.1 * values.max())
        place.set_ylim(rows[-1] - 0.8, 0.6)
        place.set_xlabel(_wrapped(label_of(footprints), 70))
    return figure


def uncertainty_bands(
    footprints: xr.DataArray,
    along: str,
    *,
    target: float | None = None,
    target_name: str = "target",
) -> Figure:
    """Return bands between quantiles, widest lightest, with the median where it is given.

    Of several sites over years only the narrowest bands are filled; the wider ones are dotted.

    Parameters
    ----------
    footprints
        (`along`, quantile, and perhaps `site`), from `footprint_uncertainty(quantiles=...)`
        [kg kWh-1]. Quantiles pair up from the outside; one in the middle is a line.
    along
        Dimension of numbers, "year", as curves; one of names, "measure" or "site", as rows.
    target, target_name
        As for `waterfall`.

    Raises
    ------
    InputError
        If there are other dimensions, or fewer than two quantiles.
    """
    lines = [name for name in ("site",) if name in footprints.dims and name != along]
    check_dims(footprints, {along, "quantile", *lines}, "the bands")
    if footprints.sizes["quantile"] < 2:
        raise InputError("the bands need at least two quantiles")
    ordered = footprints.sortby("quantile").transpose("quantile", along, ...)
    labels = ordered["site"].values.tolist() if lines else [""]
    numeric = np.issubdtype(ordered[along].dtype, np.number)
    with mpl.rc_context(STYLE):
        size = (8, 3.6) if numeric else (8, 1.3 + 0.34 * ordered.sizes[along])
        figure = Figure(figsize=size)
        place = figure.subplots()
        for number, name in enumerate(labels):
            own = (ordered.sel(site=name) if lines else ordered).to_numpy()
            colour = LINES[number % len(LINES)]
            draw = _curve if numeric else _rows
            draw(place, ordered[along].values, own, colour, name, (number, len(labels)))
        if numeric:
            place.set_ylabel(_wrapped(label_of(footprints), 40))
            if target is not None:
                place.axhline(target, color="black", linewidth=1, linestyle="--", label=target_name)
        else:
            place.set_xlabel(_wrapped(label_of(footprints), 70))
            place.set_xlim(left=0)
            place.set_ylim(-ordered.sizes[along] - 0.1, 0.6)
            if target is not None:
                _draw_target(place, target, target_name)
        place.set_title(_spans(ordered["quantile"].to_numpy()))
        if place.get_legend_handles_labels()[1]:
            figure.legend(loc="outside upper right", ncols=len(labels) + 1)
    return figure


def _spans(quantiles: np.ndarray) -> str:
    """Return in words what the bands are, from the widest to the narrowest."""
    pairs = [
        f"{low:.0%} to {high:.0%}"
        for low, high in zip(quantiles, quantiles[::-1], strict=True)
        if low < high
    ]
    return ", dark ".join(pairs) + " of the samples"


def _curve(
    place: Axes, x: np.ndarray, values: np.ndarray, colour: str, name: str, of: tuple[int, int]
) -> None:
    pairs = len(values) // 2
    for pair in range(pairs):
        if pair < pairs - 1 and of[1] > 1:  # wide bands of several sites would mix their colours
            place.plot(x, values[[pair, -1 - pair]].T, ":", color=colour, linewidth=1.2)
        else:
            place.fill_between(
                x, values[pair], values[-1 - pair], color=colour, alpha=0.22, linewidth=0
            )
    if len(values) % 2:
        place.plot(x, values[len(values) // 2], color=colour, linewidth=1.8, label=name)
    place.margins(x=0.01)
    if np.all(x == np.round(x)):
        place.xaxis.set_major_locator(MaxNLocator(integer=True))


def _rows(
    place: Axes,
    x: np.ndarray,
    values: np.ndarray,
    colour: str,
    name: str,
    place_of: tuple[int, int],
) -> None:
    number, count = place_of
    height = 0.8 / count
    rows = -np.arange(len(x)) - height * (number - (count - 1) / 2)
    for pair in range(len(values) // 2):
        place.barh(
            rows, values[-1 - pair] - values[pair], 0.85 * height, left=values[pair],
            color=colour, alpha=0.3,
        )  # fmt: skip
    if len(values) % 2:
        place.plot(
            values[len(values) // 2], rows, "|", color=colour, markersize=9, mew=2, label=name
        )
    place.set_yticks(-np.arange(len(x)), [textwrap.fill(str(n), WIDTH) for n in x], fontsize=8)
    place.tick_params(axis="y", length=0)


def _draw_target(place: Axes, target: float, name: str) -> None:
    """Draw a line across rows, its name at the foot."""
    place.axvline(target, color="black", linewidth=1, linestyle="--")
    place.annotate(
        f"{name} {target:.1f}", (target, 0.0), xycoords=("data", "axes fraction"),
        xytext=(3, 3), textcoords="offset points", fontsize=8,
    )  # fmt: skip


def _wrapped(label: str, width: int) -> str:
    """Return a label in lines, its unit in one piece."""
    name, bracket, unit = label.partition(" [")
    return textwrap.fill(name + bracket + unit.replace(" ", "\u00a0"), width)
