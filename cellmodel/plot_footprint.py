"""Figures of footprints: what is in a bar."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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
    "negative active material": (
        SKY,
        ("negative_active_material", "negative_second_active_material"),
    ),
    "electrolyte": (GREEN, ("electrolyte",)),
    "foils": ("0.45", ("positive_foil", "negative_foil")),
    "binder and carbon": ("0.65", ("positive_filler", "negative_filler")),
    "separator and housing": ("0.82", ("separator", "housing")),
    "plant electricity": (ORANGE, ("electricity",)),
    "formation electricity": (VERMILION, ("formation_electricity",)),
    "plant heat": (PURPLE, ("heat",)),
    "transport": ("#6B4C2A", ("inbound_freight", "transport")),
}
OTHER = ("everything else", YELLOW)
CREDIT = ("recycling credit", "0.15", "recycling_credit")  # drawn only where there is one
WIDTH = 34  # characters of a label at the left


def footprint_by_component(footprint: xr.Dataset) -> Figure:
    """Return stacked bars of the footprint: a panel per cell, a bar per site and design.

    Credits stand left of 0; the diamond and the number, "net", are what is left with them.

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
    check_dims(emissions, {"stage", "component", dim}, "the bars")
    parts, colours = _grouped(emissions.sum("stage", skipna=False))
    names = [str(name) for name in emissions[dim].values]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.5, 1.5 + 0.32 * len(names)))
        place = figure.subplots()
        rows = -np.arange(len(names))
        _bars(place, rows, parts.transpose("component", dim).to_numpy(), colours)
        place.set_yticks(rows, [textwrap.fill(name, WIDTH) for name in names])
        place.set_xlabel(label_of(emissions))
        place.set_title(note)
        _legend(figure, place, parts)
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


def check_dims(array: xr.DataArray, wanted: set[str], what: str) -> None:
    """Raise InputError unless an array has exactly these dimensions."""
    if set(array.dims) != wanted:
        raise InputError(
            f"{what} must have the dimensions {', '.join(sorted(wanted))}, got "
            f"{', '.join(map(str, array.dims))}; choose one value of the others by .sel"
        )


def write_beside(place: Axes, x: float, row: float, text: str) -> None:
    """Write a number at the end of a bar."""
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
        number = f"{total:.1f}" if abs(total) >= 1 else f"{total:.3g}"
        write_beside(place, end, row, number if total == end else f"net {number}")
    place.tick_params(axis="y", length=0)
    if (left < 0).any():
        place.axvline(0, color="0.3", linewidth=0.8)
        lowered = left < 0
        net = (right + left)[lowered]
        place.plot(net, rows[lowered], "D", color="white", markeredgecolor="black", markersize=4)
    room = 1.14 if left.any() else 1.08  # for the number, and the word "net"
    low, high = min(place.get_xlim()[0], 1.06 * left.min()), room * right.max()
    place.set_xlim(low if left.min() < 0 else 0, max(high, place.get_xlim()[1]))
