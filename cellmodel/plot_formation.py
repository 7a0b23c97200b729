"""Figures of formations: courses of several cells, where charge goes, efficiency."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import xarray as xr
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
    label_of,
    shown,
)

# where the charge of a formation goes: variable -> name, colour
LOSSES: Mapping[str, tuple[str, str]] = {
    "lithium_loss": ("lithium lost", BLUE),
    "parasitic_charge": ("charge not stored", VERMILION),
    "stored_lithium": ("lithium kept, slowly reversible", GREEN),
    "kinetic_loss": ("kinetic: would come at a lower rate", SKY),
}
BELOW = ("left at the lower voltage, however slow", "0.7")
_LINES = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
_MARKERS = "os^Dvp"


def courses(formed: Sequence[xr.Dataset]) -> Figure:
    """Return the voltage of several formations over time, and over the charge in the cell.

    Where a loop does not close, charge was lost.

    Parameters
    ----------
    formed
        From `trace_formation` or `simulate_formation`, with the dimension `time`; a column each.

    Raises
    ------
    InputError
        If there is none, or one has no course over time.
    """
    if not formed or any("time" not in one.dims for one in formed):
        raise InputError(
            "courses needs at least one formation with its course over time; pass a list of what "
            "trace_formation or simulate_formation returned"
        )
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(0.6 + 2.1 * len(formed), 5))
        axes = figure.subplots(2, len(formed), sharey="col", squeeze=False)
        for (over_time, over_charge), one in zip(axes.T, formed, strict=True):
            time, voltage = shown(one["time"]), shown(one["voltage"])
            charge = 100 * -one["capacity"].to_numpy() / float(one["charge_capacity"][0])
            cycles = one["cycle_index"].to_numpy()
            for cycle in np.unique(cycles)[::-1]:  # the first one on top
                mine = cycles == cycle
                colour = BLUE if cycle == 0 else SKY
                over_time.plot(time[mine], voltage[mine], color=colour, linewidth=1.2)
                over_charge.plot(charge[mine], voltage[mine], color=colour, linewidth=1.2)
            lost = 100 * (1 - float(one["first_cycle_efficiency"]))
            bottom = voltage.min() - 0.08 * np.ptp(voltage)
            over_charge.plot(
                [0, lost], [bottom] * 2, color=VERMILION, linewidth=4, solid_capstyle="butt"
            )
            over_charge.annotate(
                f"{lost:.1f} %", (lost, bottom), xytext=(4, 0), textcoords="offset points",
                va="center", color=VERMILION, fontsize=8,
            )  # fmt: skip
            over_time.set_title("\n".join(textwrap.wrap(str(one.attrs.get("cell", "")), 18)))
            over_time.set_xlabel("time [h]")
        for place in axes[:, 0]:
            place.set_ylabel(label_of(formed[0]["voltage"]))
        figure.supxlabel("charge in the cell / charge of the first cycle [%]", fontsize=9)
    return figure


def losses(formed: xr.Dataset) -> Figure:
    """Return stacked bars of where the charge of formations went, from top to bottom.

    What was charged and not discharged is the sum of lithium lost, charge that was never stored,
    lithium kept in the negative electrode, charge that a slower discharge would give, and what
    even an infinitely slow one leaves at the lower voltage. The number is the sum of the bar; it
    is 1 - first_cycle_efficiency after one cycle.

    Parameters
    ----------
    formed
        From `sweep_formation`: the variables of LOSSES and the capacities, over `cycle` and one
        more dimension, whose coordinate labels the bars.

    Raises
    ------
    InputError
        If `formed` lacks a variable, or has other dimensions.
    """
    needed = ("charge_capacity", "discharge_capacity", *LOSSES)
    missing = [name for name in needed if name not in formed]
    if missing:
        raise InputError(
            f"formed lacks {', '.join(missing)}; pass the Dataset of sweep_formation or "
            "trace_formation"
        )
    dim = _one_dimension(formed["lithium_loss"])
    first = formed["charge_capacity"].isel(cycle=0)
    gap = (formed["charge_capacity"] - formed["discharge_capacity"]).sum("cycle", skipna=False)
    known = {name: formed[name] for name in LOSSES}
    parts = [
        *((known[name], *LOSSES[name]) for name in LOSSES),
        (gap - sum(known.values()), *BELOW),
    ]
    with mpl.rc_context(STYLE):
        rows = -np.arange(formed.sizes[dim])
        figure = Figure(figsize=(8, 1.4 + 0.38 * len(rows)))
        place = figure.subplots()
        right, left = np.zeros(len(rows)), np.zeros(len(rows))
        for amount, name, colour in parts:
            width = 100 * (amount / first).to_numpy()
            start = np.where(width < 0, left, right)
            place.barh(rows, width, 0.72, left=start, color=colour, label=name)
            right, left = right + np.maximum(width, 0), left + np.minimum(width, 0)
        for row, end, total in zip(rows, right, 100 * (gap / first).to_numpy(), strict=True):
            place.annotate(
                f"{total:.1f}", (end, row), xytext=(3, 0), textcoords="offset points",
                va="center", fontsize=8,
            )  # fmt: skip
        place.set_yticks(rows, [str(label) for label in formed[dim].values])
        place.tick_params(axis="y", length=0)
        place.axvline(0, color="0.3", linewidth=0.8)
        place.margins(x=0.08)
        place.set_xlabel("charged and not discharged / charge of the first cycle [%]")
        figure.legend(loc="outside upper left", ncols=3, handlelength=1, columnspacing=1.2)
    return figure


def efficiency(
    formed: xr.Dataset,
    measured: xr.Dataset | None = None,
    *,
    x: str = "temperature",
    scatter: float = 0.0,
) -> Figure:
    """Return first-cycle efficiency over a swept quantity, a line per formation, and measurements.

    Parameters
    ----------
    formed
        From `sweep_formation`: first_cycle_efficiency over `x` and one more dimension, whose
        coordinate names the lines.
    measured
        first_cycle_efficiency over that dimension, with the coordinate `x`: a point for each
        line that has one, in its colour. Outside of what these span lines are extrapolations; the
        range within is shaded.
    x
        What is on the axis.
    scatter
        Standard deviation of replicates [1], drawn to either side of a point.

    Raises
    ------
    InputError
        If dimensions are others, or a point belongs to no line.
    """
    simulated = formed["first_cycle_efficiency"]
    if x not in simulated.dims:
        raise InputError(f"formed must have the dimension {x}, got {_names(simulated.dims)}")
    dim = _one_dimension(simulated.isel({x: 0}, drop=True))
    names = formed[dim].values.tolist()
    if len(names) > len(_LINES):
        raise InputError(f"formed must have at most {len(_LINES)} lines, got {len(names)}")
    for name in [] if measured is None else measured[dim].values:
        if name not in names:
            raise InputError(f"measured must name lines of formed, {_names(names)}, got {name}")
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8, 3.8))
        place = figure.subplots()
        across = shown(formed[x])
        if measured is not None:
            points = shown(measured[x].assign_attrs(formed[x].attrs))
            ends = float(points.min()), float(points.max())
            place.axvspan(*ends, color="0.94", zorder=0)
        for name, colour, marker in zip(names, _LINES, _MARKERS, strict=False):
            line = 100 * simulated.sel({dim: name}).to_numpy()
            place.plot(across, line, color=colour, linewidth=1.6, label=str(name))
            if measured is None or name not in measured[dim].values:
                continue
            point = measured.sel({dim: name})
            place.errorbar(
                float(shown(point[x].assign_attrs(formed[x].attrs))),
                100 * float(point["first_cycle_efficiency"]), 100 * scatter,
                fmt=marker, color=colour, markersize=8, markeredgecolor="black", capsize=3,
            )  # fmt: skip
        place.set_xlabel(label_of(formed[x]))
        place.set_ylabel(f"{label_of(simulated)} [%]")
        figure.legend(loc="outside right center", handlelength=1.5)
    return figure


def _one_dimension(array: xr.DataArray) -> str:
    if len(array.dims) != 1 or array.dims[0] not in array.coords:
        raise InputError(
            "formed must have one dimension whose coordinate names the cases, got "
            f"{_names(array.dims) or 'none'}; choose one value of the others by .sel, and name the "
            "cases by .assign_coords"
        )
    return str(array.dims[0])


def _names(names: Sequence[object]) -> str:
    return ", ".join(map(str, names))
