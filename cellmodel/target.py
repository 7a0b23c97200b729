"""Published footprints to be compared with, and how likely a target is met."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import xarray as xr

from cellmodel.errors import InputError, quoted, unknown_name
from cellmodel.quantity import Quantity, Range, read_input, read_quantity, shipped
from cellmodel.variables import SAMPLE, label

#: boundary of a reference -> the total it is compared with
BOUNDARIES = MappingProxyType(
    {
        "cradle to gate": "carbon_footprint_to_gate",
        "all stages but use": "carbon_footprint_total",
    }
)
_FOOTPRINT = Range(0, 10_000, "kg kWh-1", above=True)
_YEAR = Range(1990, 2100)


@dataclass(frozen=True)
class Reference:
    """A published footprint.

    Parameters
    ----------
    name, title, source
        File stem, what it is the footprint of, where it was published.
    year
        When.
    boundary
        One of BOUNDARIES.
    value
        CO2-equivalent per kWh of capacity [kg kWh-1].
    """

    name: str
    title: str
    source: str
    year: int
    boundary: str
    value: Quantity


def list_references() -> list[str]:
    """Return the names of the references that come with the package."""
    return list(shipped("references"))


def load_reference(name: str | Path | Reference) -> Reference:
    """Read a reference.

    Parameters
    ----------
    name
        Name of a shipped reference, path of a .toml file, or a Reference.

    Raises
    ------
    InputError
        If there is no such reference, or the file is wrong: keys, unit, boundary, range.
    """
    if isinstance(name, Reference):
        return name
    required = ("year", "boundary", "value")
    path, table, texts = read_input("references", "reference", name, required)
    if table["boundary"] not in BOUNDARIES:
        raise unknown_name(f"boundary in {path}:", table["boundary"], BOUNDARIES)
    return Reference(
        **texts,
        year=int(_YEAR.check(f"{path}: year", table["year"])),
        boundary=table["boundary"],
        value=read_quantity(table["value"], f"{path}: value", _FOOTPRINT),
    )


def target_probability(
    uncertain: xr.Dataset, reference: str | Path | Reference, factor: float = 3.0
) -> xr.Dataset:
    """Return how likely the footprint is at most a reference divided by a factor.

    Parameters
    ----------
    uncertain
        From `footprint_uncertainty`, with the dimension `sample`.
    reference
        What is compared with; there is none by default, as any statement of "three times lower"
        depends on it. Its own uncertainty is not counted.
    factor
        3 for "three times below".

    Returns
    -------
    xarray.Dataset
        target [kg kWh-1]; target_probability and its standard error, that of the number of
        samples, (site, and the other dimensions of `uncertain`) [1]; NaN where the footprint is.
        The attributes hold the reference, its source and year.

    Raises
    ------
    InputError
        If `uncertain` has no samples or is not per kWh of capacity, as references are, or the
        reference or factor is wrong.
    """
    reference = load_reference(reference)
    factor = Range(0, 1000, above=True).check("factor", factor)
    name = BOUNDARIES[reference.boundary]
    if not isinstance(uncertain, xr.Dataset) or name not in uncertain:
        raise InputError(
            f"uncertain must be a Dataset of footprint_uncertainty with {name}, got "
            f"{quoted(type(uncertain).__name__)}"
        )
    footprints = uncertain[name]
    if SAMPLE not in footprints.dims:
        raise InputError(
            f"uncertain must have the dimension {SAMPLE!r}, got {footprints.dims}; call "
            "footprint_uncertainty without quantiles"
        )
    unit = uncertain.attrs.get("functional_unit", "capacity")
    if unit != "capacity":
        raise InputError(
            f"uncertain must be per kWh of capacity, as the reference is, got per kWh of {unit}; "
            "choose such a rule set"
        )
    target = reference.value.value / factor
    met = (footprints <= target).mean(SAMPLE).where(footprints.notnull().all(SAMPLE))
    error = np.sqrt(met * (1 - met) / footprints.sizes[SAMPLE])
    data = {"target": xr.DataArray(target), "target_probability": met}
    return label(data | {"target_probability_error": error}).assign_attrs(
        reference=reference.name,
        reference_title=reference.title,
        reference_source=reference.source,
        reference_year=reference.year,
        reference_value=reference.value.value,
        boundary=reference.boundary,
        factor=factor,
    )
