"""Figures of footprints: parts of a bar, what measures change, how sure it is."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cellmodel.errors import InputError
from cellmodel.plot import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    STYLE,
    VERMILION,
    YELLOW,
    label_of,
)

# parts of a bar: name -> colour, components; materials cool and grey, energy warm
PARTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "positive active material": (BLUE, ("positive_active_material",)),
    "negative active material": (SKY, ("negative_active_material",)),
    "electrolyte": (GREEN, ("electrolyte",)),
    "foils": ("0.45", ("positive_foil", "negative_foil")),
    "binder and carbon": ("0.65", ("positive_filler", "negative_filler")),
    "separator and housing": ("0.82", ("separator", "housing")),
    "plant electricity": (ORANGE, ("electricity",)),
    "formation electricity": (VERMILION, ("formation_electricity",)),
    "plant heat": (PURPLE, ("heat",)),
}
OTHER = ("everything else", YELLOW)
CREDIT = ("recycling credit", "0.15", "recycling_credit")  # drawn only where there is one
LINES = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
_WIDTH = 34  # characters of a label at the left


def footprint_by_component(footprint: xr.Dataset) -> Figure:
    """Return stacked bars of the footprint: a panel per cell, a bar per site and design.

    Credits stand left of 0; the number is what is left of a bar with them.

    Parameters
    ----------
    footprint
        `carbon_footprint` over stage, component, site and `design`, with the coordinates cell
        and choice, of one rule set; see StudyResults.

    Raises
    ------
    InputError
        If there are several rule sets.
    """
    if "rule_set" in footprint["carbon_footprint"].dims:
        raise InputError(
            "the bars must be of one rule set, got "
            f"{', '.join(footprint['rule_set'].values)}; choose one by .sel(rule_set=...)"
        )
    parts, colours = _grouped(footprint["carbon_footprint"].sum("stage", skipna=False))
    cells = list(dict.fromkeys(footprint["cell"].values.tolist()))
    sites = footprint["site"].values.tolist()
    with mpl.rc_context(STYLE):
        bars = len(sites) * max(int((footprint["cell"] == cell).sum()) for cell in cells)
        figure = Figure(figsize=(8.5, 1.2 + len(cells) * (0.4 + 0.2 * bars)))
        axes = figure.subplots(len(cells), 1, sharex=True, squeeze=False)[:, 0]
        for place, cell in zip(axes, cells, strict=True):
            own = parts.isel(design=np.flatnonzero(footprint["cell"].values == cell))
            count = own.sizes["design"]
            choices = own["choice"].values
            rows, names, columns = [], [], []
            for number, site in enumerate(sites):
                for design in range(count):
                    rows.append(-(number * (count + 0.6) + design))
                    names.append(f"{site}  {choices[design]}")
                    columns.append(own.sel(site=site).isel(design=design).to_numpy())
            _bars(place, np.array(rows), np.array(columns).T, colours)
            place.set_yticks(rows, names, fontsize=8)
            place.set_title(cell)
        axes[-1].set_xlabel(label_of(footprint["carbon_footprint_total"]))
        _legend(figure, axes[0], parts)
    return figure


def footprint_along(footprint: xr.Dataset, dim: str, *, note: str = "") -> Figure:
    """Return stacked bars of the footprint, one per label of a dimension, from top to bottom.

    Parameters
    ----------
    footprint
        `carbon_footprint` over stage, component and `dim`, nothing else: a ramp over "year", rule
        sets over "rule_set", sites over "site".
    dim
        That dimension.
    note
        What holds for all bars, for the top of the figure.

    Raises
    ------
    InputError
        If `footprint` has other dimensions.
    """
    emissions = footprint["carbon_footprint"]
    _check_dims(emissions, {"stage", "component", dim}, "the bars")
    parts, colours = _grouped(emissions.sum("stage", skipna=False))
    names = [str(name) for name in emissions[dim].values]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.5, 1.5 + 0.32 * len(names)))
        place = figure.subplots()
        rows = -np.arange(len(names))
        _bars(place, rows, parts.transpose("component", dim).to_numpy(), colours)
        place.set_yticks(rows, [textwrap.fill(name, _WIDTH) for name in names])
        place.set_xlabel(label_of(emissions))
        place.set_title(note)
        _legend(figure, place, parts)
    return figure


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
    _check_dims(footprints, {"measure"}, "the waterfall")
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
            _write(place, value, row, f"{value:.1f}")
        for row, change, start in zip(rows[1:-1], changes, values[:-1], strict=True):
            _write(place, max(start, start + change), row, f"{change:+.1f}")
        if target is not None:
            _draw_target(place, target, target_name)
        labels = [textwrap.fill(name, _WIDTH) for name in (*names, "all of it")]
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
    _check_dims(footprints, {along, "quantile", *lines}, "the bands")
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
        shares = [f"{share:.0%}" for share in ordered["quantile"].values[[0, -1]]]
        place.set_title(f"{shares[0]} to {shares[1]} of the samples")
        if place.get_legend_handles_labels()[1]:
            figure.legend(loc="outside upper right", ncols=len(labels) + 1)
    return figure


def _grouped(emissions: xr.DataArray) -> tuple[xr.DataArray, list[str]]:
    """Return the emissions (component, ...) of the PARTS, of the rest, of a credit; and colours."""
    known = {name: part for part, (_, names) in PARTS.items() for name in names}
    known[CREDIT[2]] = CREDIT[0]
    colours = {name: colour for name, (colour, _) in PARTS.items()} | {OTHER[0]: OTHER[1]}
    part = [known.get(name, OTHER[0]) for name in emissions["component"].values.tolist()]
    if CREDIT[0] in part:
        colours[CREDIT[0]] = CREDIT[1]
    summed = [
        emissions.isel(component=np.flatnonzero(np.array(part) == name)).sum(
            "component", skipna=False
        )
        for name in colours
    ]
    joined = xr.concat(summed, "component", coords="minimal", compat="override", join="exact")
    return joined.assign_coords(component=list(colours)), list(colours.values())


def _curve(
    place: Axes, x: np.ndarray, values: np.ndarray, colour: str, name: str, _: tuple[int, int]
) -> None:
    for pair in range(len(values) // 2):
        place.fill_between(
            x, values[pair], values[-1 - pair], color=colour, alpha=0.22, linewidth=0
        )
    if len(values) % 2:
        place.plot(x, values[len(values) // 2], color=colour, linewidth=1.6, label=name)
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
        place.plot(values[len(values) // 2], rows, "|", color=colour, markersize=9, label=name)
    place.set_yticks(-np.arange(len(x)), [textwrap.fill(str(n), _WIDTH) for n in x], fontsize=8)
    place.tick_params(axis="y", length=0)


def _check_dims(array: xr.DataArray, wanted: set[str], what: str) -> None:
    if set(array.dims) != wanted:
        raise InputError(
            f"{what} must have the dimensions {', '.join(sorted(wanted))}, got "
            f"{', '.join(map(str, array.dims))}; choose one value of the others by .sel"
        )


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


def _write(place: Axes, x: float, row: float, text: str) -> None:
    place.annotate(
        text, (x, row), xytext=(3, 0), textcoords="offset points", va="center", fontsize=8
    )


def _legend(figure: Figure, place: Axes, parts: xr.DataArray) -> None:
    figure.legend(
        place.containers, parts["component"].values.tolist(), loc="outside upper left", ncols=4,
        handlelength=1, columnspacing=1.2,
    )  # fmt: skip


def _bars(place: Axes, rows: np.ndarray, widths: np.ndarray, colours: list[str]) -> None:
    """Draw bars of widths (part, row): what is above 0 to the right of it, the rest to the left."""
    right, left = np.zeros(len(rows)), np.zeros(len(rows))
    for part, colour in zip(widths, colours, strict=True):
        place.barh(rows, part, 0.85, left=np.where(part < 0, left, right), color=colour)
        right, left = right + part.clip(min=0), left + part.clip(max=0)
    for row, end, total in zip(rows, right, right + left, strict=True):
        _write(place, end, row, f"{total:.1f}" if abs(total) >= 1 else f"{total:.3g}")
    place.tick_params(axis="y", length=0)
    if (left < 0).any():
        place.axvline(0, color="0.3", linewidth=0.8)
        lowered = left < 0
        net = (right + left)[lowered]
        place.plot(net, rows[lowered], "D", color="white", markeredgecolor="black", markersize=4)
    low, high = min(place.get_xlim()[0], 1.06 * left.min()), 1.08 * right.max()
    place.set_xlim(low if left.min() < 0 else 0, max(high, place.get_xlim()[1]))
