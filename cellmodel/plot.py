"""Figures of results: Dataset in, matplotlib Figure out."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cellmodel.errors import InputError
from cellmodel.output_folder import whole_file

STYLE = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "legend.frameon": False,
    "figure.dpi": 100,
    "figure.constrained_layout.use": True,
}
# Okabe and Ito, Color Universal Design (2008): distinct for people who do not see all colours
BLUE, SKY, GREEN, YELLOW = "#0072B2", "#56B4E9", "#009E73", "#F0E442"
VERMILION, ORANGE, PURPLE = "#D55E00", "#E69F00", "#CC79A7"
MAP = "cividis"  # uniform in lightness, whatever colours are seen
# what people read: units of the Dataset -> unit, factor, offset
_DISPLAYED: Mapping[str, tuple[str, float, float]] = {
    "K": ("°C", 1.0, -273.15),
    "m": ("nm", 1e9, 0.0),
    "h-1": ("C", 1.0, 0.0),
    "kg kWh-1": ("kg kWh$^{-1}$", 1.0, 0.0),
}


def formation_energy(
    results: xr.Dataset,
    designs: xr.Dataset | None = None,
    *,
    x: str = "charge_rate",
    y: str = "temperature",
    variable: str = "specific_formation_energy",
    note: str = "",
) -> Figure:
    """Return a map of a result over two swept quantities, one panel per cell.

    Parameters
    ----------
    results
        `variable` and `status` over the dimensions `x`, `y` and, for several cells, `cell`.
    designs
        Designs to mark, as in StudyResults: coordinates cell, choice, `x` and `y`.
    x, y, variable
        What is drawn over what. Cases with another status than 0 stay grey.
    note
        What else holds, for the top of the figure.

    Raises
    ------
    InputError
        If `results` has other dimensions.
    """
    field = results[variable].where(results["status"] == 0)
    if "cell" not in field.dims:
        field = field.expand_dims(cell=[results.attrs.get("cell", "")])
    if set(field.dims) != {"cell", x, y}:
        raise InputError(
            f"the map needs the dimensions cell, {x} and {y}, got "
            f"{', '.join(map(str, field.dims))}; choose one value of the others by .sel or .isel"
        )
    field = field.transpose("cell", y, x)
    levels = _levels(field.to_numpy())
    with mpl.rc_context(STYLE):
        count = field.sizes["cell"]
        columns = min(count, 3)
        rows = -(-count // columns)
        figure = Figure(figsize=(1.2 + 3.1 * columns, 0.6 + 2.7 * rows))
        axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for place in axes.flat[count:]:
            place.set_visible(False)
        for place, name in zip(axes.flat, field["cell"].values, strict=False):
            panel = field.sel(cell=name)
            across, up = (shown(results[dim]) for dim in (x, y))
            filled = place.contourf(across, up, panel, levels, cmap=MAP, extend="neither")
            lines = place.contour(across, up, panel, levels, colors="white", linewidths=0.5)
            place.clabel(lines, levels[1::2], fontsize=7, fmt="%.3g")
            place.set_facecolor("0.85")
            place.set_title(str(name))
            if _is_logarithmic(across):
                place.set_xscale("log")
                _plain_ticks(place, across)
            _mark(place, designs, str(name), x, y)
        for place in axes[-1]:
            place.set_xlabel(label_of(results[x]))
        for place in axes[:, 0]:
            place.set_ylabel("\n".join(textwrap.wrap(label_of(results[y]), 30)))
        bar = figure.colorbar(filled, ax=axes, pad=0.02, aspect=30)
        bar.set_label("\n".join(textwrap.wrap(label_of(results[variable]), 40)))
        bar.outline.set_visible(False)
        figure.suptitle(note, x=0.01, ha="left", size=9, color="0.3")
        if designs is not None:
            axes[0, 0].legend(loc="upper right", labelcolor="white", handletextpad=0.2)
    return figure


def formation_trace(formed: xr.Dataset) -> Figure:
    """Return voltage, current, temperature and SEI over the time of a formation.

    Parameters
    ----------
    formed
        From `simulate_formation`: with the dimension `time`.
    """
    names = ("voltage", "current", "cell_temperature", "sei_thickness_series")
    colours = (BLUE, VERMILION, PURPLE, GREEN)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8, 7.5))
        axes = figure.subplots(len(names), 1, sharex=True, height_ratios=(1.5, 1, 1, 1))
        time = shown(formed["time"])
        for place, name, colour in zip(axes, names, colours, strict=True):
            place.plot(time, shown(formed[name]), color=colour, linewidth=1.4)
            place.set_ylabel("\n".join(textwrap.wrap(label_of(formed[name]), 20)))
            place.margins(x=0.01)
        axes[1].axhline(0, color="0.7", linewidth=0.8, zorder=0)
        cycles = formed["cycle_index"].to_numpy()
        for cycle in np.unique(cycles):
            start = time[np.argmax(cycles == cycle)]
            for place in axes:
                place.axvline(start, color="0.7", linewidth=0.8, linestyle=":", zorder=0)
            axes[0].annotate(
                f"cycle {cycle + 1}", (start, 1.0), xycoords=("data", "axes fraction"),
                xytext=(3, 3), textcoords="offset points", color="0.4", fontsize=8,
            )  # fmt: skip
        axes[-1].set_xlabel(label_of(formed["time"]))
        figure.align_ylabels(axes)
        figure.suptitle(
            str(formed.attrs.get("cell", "")), x=0.01, ha="left", weight="bold", size=10
        )
    return figure


def tornado(levers: xr.Dataset, *, most: int = 25) -> Figure:
    """Return bars of what each lever does to the footprint, the strongest on top.

    Parameters
    ----------
    levers
        From `levers`: footprint_change and its error over `lever`, with `change` and `unit`.
    most
        Levers that are drawn.

    Raises
    ------
    InputError
        If `levers` lacks what is drawn.
    """
    needed = ("footprint_change", "footprint_change_error", "change", "unit")
    missing = [name for name in needed if name not in levers]
    if missing:
        raise InputError(f"levers lacks {', '.join(missing)}; pass the Dataset of levers")
    order = np.argsort(-np.abs(levers["footprint_change"].to_numpy()), kind="stable")[:most]
    shown = levers.isel(lever=order)
    changes = shown["footprint_change"].to_numpy()
    rows = -np.arange(len(changes))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8, 1.1 + 0.26 * len(rows)))
        place = figure.subplots()
        colours = [BLUE if change < 0 else VERMILION for change in changes]
        errors = shown["footprint_change_error"].fillna(0).to_numpy()
        place.barh(rows, changes, 0.75, color=colours, xerr=errors, ecolor="0.3")
        for row, change in zip(rows, changes, strict=True):
            place.annotate(
                f"{change:+.2g}", (change, row), xytext=(3 if change >= 0 else -3, 0),
                textcoords="offset points", va="center", fontsize=8,
                ha="left" if change >= 0 else "right",
            )  # fmt: skip
        names = [
            name if unit == "switch" else f"{name} {change:+g} {unit.replace('um', 'µm')}"
            for name, change, unit in zip(
                *(shown[key].values.tolist() for key in ("lever", "change", "unit")), strict=True
            )
        ]
        place.set_yticks(rows, names, fontsize=8)
        place.tick_params(axis="y", length=0)
        place.axvline(0, color="0.3", linewidth=0.8)
        place.margins(x=0.12, y=0.02)
        place.set_xlabel(label_of(levers["footprint_change"]))
        titles = [str(levers.attrs[key]) for key in ("cell", "site") if key in levers.attrs]
        place.set_title(", ".join(titles))
    return figure


def write_png(path: Path, figure: Figure, description: str) -> None:
    """Write a figure, with a description for those who cannot see it."""
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=150, metadata={"Description": description})


def label_of(variable: xr.DataArray) -> str:
    """Return the axis label of a variable: its long name, and its unit as it is shown.

    What is swept goes by its name: its long name is a protocol's description of it, which may be
    a sentence.
    """
    units = variable.attrs.get("units", "")
    unit, _, _ = _DISPLAYED.get(units, (units, 1, 0))
    words = _words(variable.name)
    name = words if variable.name in variable.dims else variable.attrs.get("long_name") or words
    return name if unit in ("", "1") else f"{name} [{unit}]"


def shown(variable: xr.DataArray) -> np.ndarray:
    """Return the numbers of a variable in the unit that `label_of` names."""
    _, factor, offset = _DISPLAYED.get(variable.attrs.get("units", ""), ("", 1, 0))
    return variable.to_numpy() * factor + offset


def _words(name: object) -> str:
    return str(name).replace("_", " ")


def _levels(values: np.ndarray) -> np.ndarray:
    """Return round levels that span the finite values."""
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        raise InputError("there is nothing to draw: no case has status ok")
    low, high = float(finite.min()), float(finite.max())
    if high - low < 1e-6 * abs(high):
        low, high = low - 0.01 * abs(low) - 1e-12, high + 0.01 * abs(high) + 1e-12
    return MaxNLocator(14, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)


def _is_logarithmic(values: np.ndarray) -> bool:
    """Return whether positive values are spaced more evenly as logarithms."""
    if len(values) < 3 or values.min() <= 0:
        return False
    return np.ptp(np.diff(np.log(values))) / np.ptp(np.log(values)) < np.ptp(
        np.diff(values)
    ) / np.ptp(values)


def _plain_ticks(place: Axes, values: np.ndarray) -> None:
    """Label a logarithmic axis by a few plain numbers: 0.05, 0.1, 0.2 ..."""
    decades = 10.0 ** np.arange(np.floor(np.log10(values.min())), np.log10(values.max()) + 1)
    ticks = np.outer(decades, (1, 2, 5)).ravel()
    place.set_xticks(ticks[(ticks >= values.min()) & (ticks <= values.max() * 1.001)])
    place.set_xticks([], minor=True)
    place.xaxis.set_major_formatter("{x:g}")


def _mark(place: Axes, designs: xr.Dataset | None, cell: str, x: str, y: str) -> None:
    if designs is None:
        return
    for choice, marker in (("nominal", "o"), ("best", "*")):
        chosen = (designs["cell"] == cell) & (designs["choice"] == choice)
        points = designs.isel(design=np.flatnonzero(chosen))
        place.plot(
            shown(points[x]), shown(points[y]), marker, color="white", markeredgecolor="black",
            markersize=6 if marker == "o" else 11, label=choice, clip_on=False, linestyle="none",
        )  # fmt: skip
