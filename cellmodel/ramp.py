"""A plant over the years: throughput, yields and the grid become a dimension `year`."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import xarray as xr

from cellmodel.errors import InputError, quoted, unknown_name
from cellmodel.factors import Factors, load_factors
from cellmodel.formed import BEGUN_WITH, INTENSITY, RAMP, stack
from cellmodel.plant import Plant, field_range, load_plant
from cellmodel.quantity import Quantity, Range, check_keys, read_input, read_quantity, shipped
from cellmodel.variables import SAMPLE, label

DEFAULT_RAMP = "ramp-16-to-50gwh"
_YEAR = Range(1990, 2100, "1")
SHARE = Range(0, 10, "1", hint="did you pass per cent?")
_LISTS = ("value", "low", "high")


@dataclass(frozen=True)
class Ramp:
    """How a plant grows.

    Parameters
    ----------
    name, title, source
        File stem, one line for people, where the figures come from.
    plant
        The plant that grows; its steps have the fields below.
    years
        Calendar years, in order.
    fields
        Field of the plant -> a Quantity per year, in place of the plant's own.
    grid
        Site -> year -> intensity of its electricity [kg kWh-1]: the user's own.
    grid_share
        For all other sites: intensity in `grid_target_year` / the present one [1].
    grid_target_year
        When that share is reached.
    """

    name: str
    title: str
    source: str
    plant: Plant
    years: tuple[int, ...]
    fields: Mapping[str, tuple[Quantity, ...]]
    grid: Mapping[str, Mapping[int, Quantity]]
    grid_share: Quantity
    grid_target_year: int

    def grid_intensity(
        self, site: str, present: float | np.ndarray, present_year: int
    ) -> np.ndarray:
        """Return the intensity of a site's electricity in each year [kg kWh-1].

        Straight lines join the present value and the stated years, of the site itself or, if
        there are none, the target; outside of them it stays as at the nearest.

        Parameters
        ----------
        site
            Name of the site.
        present, present_year
            Its emission factor [kg kWh-1], (samples,) where it is sampled, and the year that this
            describes.

        Returns
        -------
        numpy.ndarray
            (years,), or (years, samples) where a number is sampled.
        """
        stated = {year: entry.value for year, entry in self.grid.get(site, {}).items()}
        if not stated and present_year < self.grid_target_year:
            stated = {self.grid_target_year: self.grid_share.value * present}
        if present_year < min(stated, default=math.inf):
            stated[present_year] = present
        at = sorted(stated)
        weights = [np.interp(self.years, at, each) for each in np.eye(len(at))]
        values = np.broadcast_arrays(*(stated[year] for year in at))
        return sum(np.multiply.outer(*pair) for pair in zip(weights, values, strict=True))

    def coordinates(self, factors: Factors, sites: Iterable[str]) -> dict[str, xr.DataArray]:
        """Return the fields of the plant (year) and grid_intensity (site, year) [kg kWh-1].

        Where numbers of the ramp or factors are sampled there is the dimension `sample`, too.

        Parameters
        ----------
        factors
            With the present electricity of the sites.
        sites
            Names of the sites.
        """

        def over_years(values: np.ndarray) -> xr.DataArray:
            return xr.DataArray(
                values, dims=("year", SAMPLE)[: values.ndim], coords={"year": list(self.years)}
            )

        found = {
            field: over_years(np.array([entry.value for entry in entries], float))
            for field, entries in self.fields.items()
        }
        rows = {site: factors.get("electricity", site) for site in sites}
        grid = {
            site: over_years(self.grid_intensity(site, row.value, _year_of(row.year, self)))
            for site, row in rows.items()
        }
        return found | {"grid_intensity": stack(grid, "site")}


def ramp_up(
    formed: xr.Dataset,
    ramp: str | Path | Ramp = DEFAULT_RAMP,
    factors: str | Path | Factors | None = None,
) -> xr.Dataset:
    """Return formed cells with the dimension `year`, for `footprint`, `plant_balance` and others.

    The years come in as coordinates: the fields of the plant that the ramp sets (year), and
    grid_intensity (site, year) of every site that has a factor. What is bought keeps its emission
    factors: only the plant's own electricity follows the grid. The intensities take the place of
    the electricity in the factors that `footprint` and `plant_balance` are given, which must be the
    same as here. `footprint_uncertainty` draws the years from the ranges of the ramp.

    Parameters
    ----------
    formed
        From `simulate_formation` or `sweep_formation`.
    ramp
        Name of a shipped ramp, path of a .toml file, or Ramp.
    factors
        CSV file or Factors with the present intensities, the shipped ones by default.

    Raises
    ------
    InputError
        If there is no such ramp or the file is wrong, or `formed` has years or sweeps one of the
        fields already.
    """
    if not isinstance(formed, xr.Dataset):
        raise InputError(
            "formed must be a Dataset from simulate_formation or sweep_formation, got "
            f"{type(formed).__name__}"
        )
    ramp = load_ramp(ramp)
    factors = factors if isinstance(factors, Factors) else load_factors(factors)
    taken = [name for name in ("year", "grid_intensity", *ramp.fields) if name in formed.coords]
    if taken or "year" in formed.dims:
        raise InputError(
            f"formed must not have {', '.join(taken or ['year'])} already; ramp {ramp.name!r} "
            "sets it: remove it from the ramp or from the sweep"
        )
    sites = factors.sites()
    found = ramp.coordinates(factors, sites)
    intensity = label({"grid_intensity": found.pop("grid_intensity")})["grid_intensity"]
    begun_with = {site: factors.get("electricity", site).value for site in sites}
    coordinates = {
        field: xr.Variable(
            "year",
            array.values,
            {
                "units": ramp.fields[field][0].unit,
                "long_name": field.replace("_", " "),
                RAMP: ramp.name,
            },
        )
        for field, array in found.items()
    }
    return formed.assign_coords(coordinates).assign_coords(
        grid_intensity=intensity.assign_attrs({RAMP: ramp.name, BEGUN_WITH: json.dumps(begun_with)})
    )


def _year_of(text: str, ramp: Ramp) -> int:
    """Return the year of a factor; one without a year counts for the first of the ramp."""
    return int(text) if text.isdecimal() else ramp.years[0]


def list_ramps() -> list[str]:
    """Return the names of the ramps that come with the package."""
    return list(shipped("ramps"))


def load_ramp(name: str | Path | Ramp) -> Ramp:
    """Read a ramp.

    Parameters
    ----------
    name
        Name of a shipped ramp, path of a .toml file, or a Ramp, which is returned as it is.

    Raises
    ------
    InputError
        If there is no such ramp, or the file is wrong: unknown or missing keys, fields that the
        plant lacks, lists that do not have a number per year, units, numbers out of range.
    """
    if isinstance(name, Ramp):
        return name
    path, table, texts = read_input(
        "ramps", "ramp", name, ("plant", "years", "fields", "grid_target"), ("grid",)
    )
    plant = load_plant(table["plant"])
    years = _years(table["years"], f"{path}: years")
    check_keys(table["fields"], plant.quantities, f"{path}: [fields]", ("throughput",))
    fields = {
        field: _per_year(entry, f"{path}: [fields] {field}", field_range(field), len(years))
        for field, entry in table["fields"].items()
    }
    target = f"{path}: [grid_target]"
    check_keys(table["grid_target"], ("year", "share"), target, ("year", "share"))
    return Ramp(
        **texts,
        plant=plant,
        years=years,
        fields=MappingProxyType(fields),
        grid=_read_grid(table.get("grid", {}), f"{path}: [grid]"),
        grid_share=read_quantity(table["grid_target"]["share"], f"{target} share", SHARE),
        grid_target_year=_year(table["grid_target"]["year"], f"{target} year"),
    )


def _years(value: object, where: str) -> tuple[int, ...]:
    if not isinstance(value, list) or not value:
        raise InputError(f"{where} must be a list of calendar years, got {quoted(value)}")
    years = tuple(_year(entry, where) for entry in value)
    if any(later <= earlier for earlier, later in itertools.pairwise(years)):
        raise InputError(f"{where} must rise, got {quoted(value)}")
    return years


def _year(value: object, where: str) -> int:
    number = _YEAR.check(where, value)
    if number != int(number):
        raise InputError(f"{where} must be a whole year, got {number!r}")
    return int(number)


def _per_year(table: object, where: str, bounds: Range, count: int) -> tuple[Quantity, ...]:
    """Return a Quantity per year from a table whose value, low and high are lists."""
    check_keys(table, (*_LISTS, "unit", "source", "certainty"), where, ("value",))
    for key in _LISTS:
        if key in table and (not isinstance(table[key], list) or len(table[key]) != count):
            raise InputError(
                f"{where}.{key} must be a list of {count} numbers, one per year, got "
                f"{quoted(table[key])}"
            )
    return tuple(
        read_quantity(
            {key: entry[i] if key in _LISTS else entry for key, entry in table.items()},
            where,
            bounds,
        )
        for i in range(count)
    )


def _read_grid(table: object, where: str) -> Mapping[str, Mapping[int, Quantity]]:
    if not isinstance(table, Mapping):
        raise InputError(f"{where} must be a table of sites, got {quoted(table)}")
    known = load_factors().sites()
    grid = {}
    for site, years in table.items():
        if site not in known:
            raise unknown_name(f"site in {where}", site, known)
        if not isinstance(years, Mapping) or not years:
            raise InputError(f"{where} {site} must be a table of years, got {quoted(years)}")
        grid[site] = MappingProxyType(
            {
                _year(int(year) if year.isdecimal() else year, f"{where} {site}"): read_quantity(
                    entry, f"{where} {site} {year}", INTENSITY
                )
                for year, entry in years.items()
            }
        )
    return MappingProxyType(grid)
