"""A formation as a plant sees it: a Dataset, checked, and results over its cases."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

import xarray as xr

from cellmodel.errors import InputError, nearest, quoted, unknown_name
from cellmodel.factors import Factors
from cellmodel.plant import Plant, plant_fields
from cellmodel.quantity import Range
from cellmodel.variables import label

RAMP = "ramp"  # attribute of the coordinates that a ramp sets
# resemblance of a misspelt field; names of our variables and dimensions, of equipment, protocols
# and PyBaMM's parameters resemble one by 0.83 at most
_SLIP = 0.85
_INTENSITY = Range(0, 10, "kg kWh-1", hint="did you pass grams?")


def check_formed(formed: object, needed: Iterable[str]) -> None:
    """Raise InputError unless `formed` is a Dataset with sound variables `needed`.

    Parameters
    ----------
    formed
        From `simulate_formation` or `sweep_formation`.
    needed
        Names of variables; all but nominal_energy, which must be above 0, may be 0.
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
    for name in needed:
        array = formed[name]
        positive = name == "nominal_energy"
        wrong = array <= 0 if positive else array < 0  # NaN, a case that failed, is neither
        if bool(wrong.any()):
            least = float(array.min())
            bound = "above 0" if positive else "at least 0"
            raise InputError(f"formed: {name} must be {bound}, got {least:g}")
    efficiency = formed.get("first_cycle_efficiency", xr.DataArray(1.0))
    if bool(((efficiency <= 0) | (efficiency > 1)).any()):
        raise InputError(
            "formed: first_cycle_efficiency must be above 0 and at most 1, got "
            f"{float(efficiency.min()):g} to {float(efficiency.max()):g}; did you pass per cent?"
        )
    if "component_mass" in needed and "material" not in formed["component_mass"].coords:
        raise InputError(
            "formed: component_mass must have the coordinate 'material' that bill_of_materials "
            "gives it: the name of each component's emission factor"
        )


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
        elif name != "grid_intensity" and nearest(name, (*fields, "grid_intensity"), _SLIP):
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
        If `formed` has a grid intensity, but not of one of the sites, or one out of range.
    """
    names = list(sites)
    if "grid_intensity" not in formed.coords:
        return xr.DataArray(list(intensity), dims="site", coords={"site": names})
    given = bare(formed["grid_intensity"])
    known = given["site"].values.tolist()
    for name in names:
        if name not in known:
            raise unknown_name("site, whose grid intensity formed should have:", name, known)
    chosen = given.sel(site=names)
    _INTENSITY.check_array("grid_intensity", chosen.values)
    return chosen


def check_sites(sites: Iterable[str], factors: Factors) -> list[str]:
    """Return the sites as a list if each is known and named once."""
    places = [sites] if isinstance(sites, str) else list(sites)
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
    valid = formed["status"] == 0 if "status" in formed else formed["nominal_energy"].notnull()
    valid = bare(valid)
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
