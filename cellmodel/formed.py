"""A formation as a plant sees it: a Dataset, checked, and results over its cases."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping

import numpy as np
import xarray as xr

from cellmodel.errors import SLIP, InputError, nearest, quoted, unknown_name
from cellmodel.factors import Factors
from cellmodel.plant import Plant, plant_fields
from cellmodel.quantity import Range
from cellmodel.variables import label

RAMP = "ramp"  # attribute of the coordinates that a ramp sets
BEGUN_WITH = "begun_with"  # of its grid_intensity: site -> the factor that it began with, as JSON
INTENSITY = Range(0, 10, "kg kWh-1", hint="did you pass grams?")


def check_formed(formed: object, needed: Iterable[str], used: Iterable[str] = ()) -> None:
    """Raise InputError unless `formed` is a Dataset of sound variables.

    Sound are numbers of at least 0 (nominal_energy above 0), finite in every case that was solved;
    and a first_cycle_efficiency above 0 and at most 1, if there is one.

    Parameters
    ----------
    formed
        From `simulate_formation` or `sweep_formation`.
    needed, used
        Names of variables that must be there, and of those that count if they are.
    """
    if not isinstance(formed, xr.Dataset):
        raise InputError(
            f"formed must be a Dataset from simulate_formation or sweep_formation, got "
            f"{type(formed).__name__}"
        )
    missing = [name for name in needed if name not in formed]
    if missing:
        raise InputError(
            f"formed lacks {', '.join(missing)}; pass the Dataset of simulate_formation or "
            "sweep_formation (component_mass needs a cell with [materials])"
        )
    valid = solved(formed)
    for name in (*needed, *used, "first_cycle_efficiency"):
        if name not in formed:
            continue
        array = bare(formed[name])
        # NaN, a case that failed, is neither
        if name == "nominal_energy":
            _refuse(formed, name, array <= 0, "above 0")
        elif name == "first_cycle_efficiency":
            wrong = (array <= 0) | (array > 1)
            _refuse(formed, name, wrong, "above 0 and at most 1", "did you pass per cent?")
        else:
            _refuse(formed, name, array < 0, "at least 0")
        # NaN is no defect of a life that does not end within the cycles, nor of a cycle that
        # only other protocols have
        may_be_nan = name == "delivered_energy" or "cycle" in array.dims
        wrong = np.isinf(array) if may_be_nan else ~np.isfinite(array)
        advice = "drop the case, or give it a status other than 0, which makes its results NaN"
        _refuse(formed, name, wrong & valid, "finite in a case that was solved", advice)
    if "component_mass" in needed and "material" not in formed["component_mass"].coords:
        raise InputError(
            "formed: component_mass must have the coordinate 'material' that bill_of_materials "
            "gives it: the name of each component's emission factor"
        )


def _refuse(
    formed: xr.Dataset, name: str, wrong: xr.DataArray, wanted: str, advice: str = ""
) -> None:
    """Raise InputError if anything is wrong, with the first such value and its case."""
    if not bool(wrong.any()):
        return
    index = np.unravel_index(np.argmax(wrong.values), wrong.shape)
    place = dict(zip(wrong.dims, map(int, index), strict=True))
    value = float(formed[name].isel(place, missing_dims="ignore"))
    where = ", ".join(f"{dim} = {formed[dim].values[at]}" for dim, at in place.items())
    raise InputError(
        f"formed: {name} must be {wanted}, got {value:g}"
        + (f" at {where}" if where else "")
        + (f"; {advice}" if advice else "")
    )


def solved(formed: xr.Dataset) -> xr.DataArray:
    """Return where a case was solved: status 0, or, if there is none, energy that is no NaN."""
    return bare(formed["status"] == 0 if "status" in formed else formed["nominal_energy"].notnull())


def first_cycle_efficiency(formed: xr.Dataset) -> xr.DataArray | None:
    """Return the first-cycle efficiency [1], None if `formed` does not say."""
    return bare(formed["first_cycle_efficiency"]) if "first_cycle_efficiency" in formed else None


def bare(array: xr.DataArray) -> xr.DataArray:
    """Return the array with the coordinates of its dimensions only: they decide on alignment."""
    return array.reset_coords(drop=True).drop_attrs()


def plant_values(formed: xr.Dataset, plant: Plant) -> dict[str, float | xr.DataArray]:
    """Return the plant's numbers, those that `formed` sweeps or a ramp sets in place of its own.

    Raises
    ------
    InputError
        If a coordinate is a field that this plant lacks, nearly spelt as one, or out of range.
    """
    values: dict[str, float | xr.DataArray] = plant.values()
    fields, usual = plant.fields(), plant_fields()
    for name, coordinate in formed.coords.items():
        if name in fields:
            fields[name].check_array(str(name), coordinate.values)
            values[str(name)] = bare(coordinate).astype(float)
        elif name in usual or (RAMP in coordinate.attrs and name != "grid_intensity"):
            raise unknown_name(f"field of plant {plant.name!r}, swept in formed:", name, fields)
        elif name != "grid_intensity" and nearest(name, (*fields, "grid_intensity"), SLIP):
            what = "coordinate of formed, which would not count: for a label take another name;"
            raise unknown_name(what, name, (*fields, "grid_intensity"))
    return values


def electricity_of_sites(
    formed: xr.Dataset, sites: Iterable[str], intensity: Iterable[float]
) -> xr.DataArray:
    """Return the emissions of electricity (site, and `year` if `formed` has it) [kg kWh-1].

    Parameters
    ----------
    formed
        With the coordinate grid_intensity (site, year) [kg kWh-1] if a ramp has set it.
    sites, intensity
        Names of the sites, and their present intensities.

    Raises
    ------
    InputError
        If `formed` has a grid intensity, but without the dimension `site`, not of one of the
        sites, or one out of range.
    """
    names = list(sites)
    if "grid_intensity" not in formed.coords:
        return xr.DataArray(list(intensity), dims="site", coords={"site": names})
    given = bare(formed["grid_intensity"])
    if "site" not in given.indexes:
        raise InputError(
            "formed: grid_intensity must have the dimension site with the names of sites, as from "
            f"ramp_up, got the dimensions {given.dims}; for one number for each site give factors "
            "of your own"
        )
    known = [str(name) for name in given["site"].values]
    for name in names:
        if name not in known:
            raise unknown_name("site, whose grid intensity formed should have:", name, known)
    chosen = given.sel(site=names)
    INTENSITY.check_array("grid_intensity", chosen.values)
    return chosen


def check_grid(formed: xr.Dataset, sites: Iterable[str], factors: Factors) -> None:
    """Raise InputError if a ramp began with other electricity of a site than `factors` have.

    The ramp's intensities count, so that those of the factors would be ignored.
    """
    if "grid_intensity" not in formed.coords:
        return
    begun_with = json.loads(formed["grid_intensity"].attrs.get(BEGUN_WITH, "{}"))
    for site in [site for site in sites if site in begun_with]:
        value = factors.get("electricity", site).value
        if begun_with[site] != value:
            raise InputError(
                f"factors have {value:g} kg kWh-1 for electricity in {site}, which would not "
                f"count: the ramp in formed began with {begun_with[site]:g}; give ramp_up the same "
                "factors"
            )


def names_of_sites(sites: object, what: str = "sites") -> list[str]:
    """Return the sites as a list; `what` is the argument's name, for messages.

    Raises
    ------
    InputError
        If they are no names.
    """
    places = [sites] if isinstance(sites, str) else sites
    if not isinstance(places, Iterable):
        raise InputError(f'{what} must be names of sites, as ["FR", "DE"], got {quoted(sites)}')
    places = list(places)
    for place in places:
        if not isinstance(place, str):
            raise InputError(f'{what} must be names of sites, as ["FR"], got {quoted(place)}')
    return places


def check_sites(sites: object, factors: Factors) -> list[str]:
    """Return the sites as a list.

    Raises
    ------
    InputError
        Unless they are names, each known and named once.
    """
    places = names_of_sites(sites)
    if not places:
        raise InputError("sites must name at least one site, got none")
    known = factors.sites()
    for place in places:
        if place not in known:
            raise unknown_name("site", place, known)
    if len(set(places)) < len(places):
        raise InputError(f"sites must differ from each other, got {quoted(places)}")
    return places


def label_cases(
    results: Mapping[str, xr.DataArray | float], formed: xr.Dataset, leading: Iterable[str]
) -> xr.Dataset:
    """Return a labelled Dataset: NaN where a case failed, with the coordinates of `formed`.

    Parameters
    ----------
    results
        Variable of our table -> numbers.
    formed
        Whose `status` and coordinates count.
    leading
        Dimensions that come before those of the cases.
    """
    valid = solved(formed)
    cases = [formed[name].dims for name in ("nominal_energy", "component_mass") if name in formed]
    order = dict.fromkeys([*leading, *itertools.chain(*cases)])
    masked = {}
    for name, result in results.items():
        array = xr.DataArray(result).where(valid)
        masked[name] = array.transpose(*[dim for dim in order if dim in array.dims], ...)
    dataset = label(masked)
    kept = {
        name: coordinate
        for name, coordinate in formed.coords.items()
        if name not in dataset.coords
        and name != "material"
        and set(coordinate.dims) <= set(dataset.dims) - {"component"}
    }
    return dataset.assign_coords(kept)


def stack(parts: Mapping[str, xr.DataArray | float], dim: str) -> xr.DataArray:
    """Return the parts along a new dimension that their names label; they are broadcast."""
    arrays = xr.broadcast(*(xr.DataArray(part) for part in parts.values()))
    stacked = xr.concat(arrays, dim, coords="minimal", compat="override", join="exact")
    return stacked.assign_coords({dim: list(parts)})
