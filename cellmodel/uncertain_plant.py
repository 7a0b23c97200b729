"""An uncertain plant: its fields, and the years of its ramp, drawn from their ranges."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import xarray as xr

from cellmodel.distribution import Draw
from cellmodel.errors import InputError
from cellmodel.factors import Factors
from cellmodel.formed import INTENSITY, RAMP, bare
from cellmodel.plant import PLANT_FIELDS, Plant, field_range
from cellmodel.quantity import Quantity, Range
from cellmodel.ramp import SHARE, Ramp, load_ramp
from cellmodel.variables import SAMPLE

_GRID = "ramp grid"  # family: the intensities of all sites in years to come err together
Coordinates = dict[str, tuple[tuple, np.ndarray]]


def is_uncertain(quantity: Quantity) -> bool:
    """Return whether it is drawn: it has a range, and is no definition."""
    low, high = quantity.low, quantity.high
    return quantity.certainty != "definition" and None not in (low, high) and low != high


def numbers(quantity: Quantity) -> tuple[float, float, float]:
    """Return value, low and high; one without a range has its value for both."""
    value, low, high = quantity.value, quantity.low, quantity.high
    return value, value if low is None else low, value if high is None else high


def plant_family(plant: Plant, field: str) -> str:
    """Return what the steps of a plant share, and err in together: "plant yield" of a yield."""
    if field in PLANT_FIELDS:
        return ""
    steps = [step.name for step in plant.steps if field.startswith(f"{step.name}_")]
    return "plant " + field.removeprefix(max(steps, key=len, default="") + "_")


def plant_coordinates(plant: Plant, formed: xr.Dataset, draw: Draw) -> Coordinates:
    """Return plant field -> (dims, samples), which `footprint` takes for the plant's own.

    Fields that `formed` sweeps, or a ramp sets, are not among them.
    """
    return {
        name: (
            (SAMPLE,),
            draw.number(
                f"plant {name}", *numbers(quantity), field_range(name), plant_family(plant, name)
            ),
        )
        for name, quantity in plant.quantities.items()
        if is_uncertain(quantity) and name not in formed.coords
    }


def ramp_of(
    formed: xr.Dataset, ramp: str | Path | Ramp | None, factors: Factors, sites: Iterable[str]
) -> Ramp | None:
    """Return the ramp that `formed` was ramped up with, None if it has no years of one.

    Parameters
    ----------
    formed
        Whose coordinates `ramp_up` may have set.
    ramp
        Its name or file, by default the name that `formed` has.
    factors, sites
        As for `footprint`; those of grid_intensity in `formed`.

    Raises
    ------
    InputError
        If there is no such ramp, or `formed` has other numbers than the ramp.
    """
    names = _set_by_ramp(formed)
    if not names:
        if ramp is not None:
            raise InputError("formed has no years of a ramp; pass what ramp_up returns")
        return None
    named = formed[names[0]].attrs[RAMP]
    advice = f"formed names the ramp {named!r}: pass its file, ramp=..., and the factors it had"
    try:
        ramp = load_ramp(named if ramp is None else ramp)
    except InputError as error:
        raise InputError(f"{error}; {advice}") from error
    stated = ramp.coordinates(factors, sites)
    for name in names:
        if name not in stated or not _agrees(stated[name], formed[name]):
            raise InputError(
                f"formed must have the {name} of ramp {ramp.name!r}, whose ranges are drawn; "
                f"{advice}; or assign {name} without attributes, to keep it as it is"
            )
    return ramp


def ramp_coordinates(
    ramp: Ramp, formed: xr.Dataset, factors: Factors, sites: Iterable[str], draw: Draw
) -> Coordinates:
    """Return what the ramp has set in `formed`, sampled: name -> (dims, samples).

    The years of a field err alike, and as the field of a plant without a ramp does. So do the
    years of a grid, by the present factor, which is sampled in `factors`, and by the ramp's share
    or own intensities, which err together over the sites with the correlation of `draw`.
    """
    fields = {
        name: _drawn(
            entries, f"plant {name}", field_range(name), plant_family(ramp.plant, name), draw
        )
        for name, entries in ramp.fields.items()
    }
    grid = {}
    for site, years in ramp.grid.items():
        own = _drawn(tuple(years.values()), f"{_GRID} {site}", INTENSITY, _GRID, draw)
        grid[site] = dict(zip(years, own, strict=True))
    (share,) = _drawn((ramp.grid_share,), f"{_GRID} share", SHARE, _GRID, draw)
    sampled = dataclasses.replace(ramp, fields=fields, grid=grid, grid_share=share)
    stated = sampled.coordinates(factors, sites)
    chosen = {
        name: stated[name].sel(year=bare(formed[name]["year"])) for name in _set_by_ramp(formed)
    }
    return {name: (array.dims, array.values) for name, array in chosen.items()}


def _set_by_ramp(formed: xr.Dataset) -> list[str]:
    return [str(name) for name, array in formed.coords.items() if RAMP in array.attrs]


def _drawn(
    entries: tuple[Quantity, ...], name: str, bounds: Range, family: str, draw: Draw
) -> tuple[Quantity, ...]:
    """Return the quantities with samples for values, all from one stream; as they are if none has
    a range.
    """
    if not any(is_uncertain(entry) for entry in entries):
        return entries
    return tuple(
        dataclasses.replace(entry, value=draw.number(name, *numbers(entry), bounds, family))
        for entry in entries
    )


def _agrees(stated: xr.DataArray, own: xr.DataArray) -> bool:
    """Return whether a coordinate of formed has the years of a ramp, and what that says of them."""
    if "year" not in own.coords or not bool(own["year"].isin(stated["year"]).all()):
        return False
    chosen = stated.sel(year=bare(own["year"]))
    return chosen.dims == own.dims and np.allclose(chosen, own, rtol=1e-9, atol=0)
