"""The best admissible design of a sweep, cell by cell."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from cellmodel.errors import InputError, unknown_name
from cellmodel.ledger import Region
from cellmodel.study_file import Best, Limits

GROUPS = ("cell", "equipment")  # each has a best design of its own
_NOT_OF_THE_DESIGN = ("cycle", "site", "component", "rule_set", "year")
_COUNTED = ("cycle", "year")  # labelled by numbers


@dataclass(frozen=True)
class Choice:
    """The best design of one cell and equipment.

    Parameters
    ----------
    place
        Dimension -> index of the best case; empty if no case is admissible.
    value
        What was minimised there.
    admissible, cases
        How many cases are admissible, and how many there are.
    """

    place: Mapping[str, int]
    value: float
    admissible: int
    cases: int


def check_choice(results: xr.Dataset, best: Best, admissible: Mapping[str, Limits]) -> None:
    """Raise InputError unless `results` can be searched for the best design.

    Parameters
    ----------
    results
        Any piece of the results.
    best, admissible
        As in the study file.
    """
    for name in (best.minimise, *admissible):
        if name not in results:
            raise unknown_name("variable to choose a design by", name, results.data_vars)
    variable = results[best.minimise]
    for dim, label in best.at.items():
        if dim not in variable.dims or dim not in _NOT_OF_THE_DESIGN:
            known = [dim for dim in variable.dims if dim in _NOT_OF_THE_DESIGN]
            raise unknown_name(f"dimension of {best.minimise} in [best] at", dim, known)
        if label not in variable[dim]:
            raise unknown_name(dim, label, map(str, variable[dim].values))
    open_dims = [d for d in variable.dims if d in _NOT_OF_THE_DESIGN and d not in best.at]
    if open_dims:
        dim = open_dims[0]
        label = variable[dim].values[0]
        raise InputError(
            f"[best]: {best.minimise} has several values per design, one per {dim}; say which to "
            f"minimise: at = {{ {dim} = {str(label) if dim in _COUNTED else repr(str(label))} }}"
        )


def best_designs(
    results: xr.Dataset,
    regions: Iterable[Region],
    best: Best,
    admissible: Mapping[str, Limits],
) -> dict[tuple[str, str], Choice]:
    """Return the best design of every cell and equipment.

    Parameters
    ----------
    results
        With the dimensions cell and equipment; read region by region, and only what is needed.
    regions
        Parts that together are all cases.
    best, admissible
        As in the study file. A case whose status is not 0 is never admissible.
    """
    needed = list({best.minimise, "status", *admissible})
    designs = [d for d in results.dims if d not in (*GROUPS, *_NOT_OF_THE_DESIGN)]
    found = {
        labels: Choice({}, np.inf, 0, 0)
        for labels in itertools.product(*(results[dim].values.tolist() for dim in GROUPS))
    }
    for region in regions:
        part = results[needed].isel(region).load()
        allowed = admissible_cases(part, admissible)
        objective, allowed = xr.broadcast(part[best.minimise].sel(best.at), allowed)
        # of designs that differ only in what does not count, the first is taken
        objective = objective.expand_dims(
            {dim: results.sizes[dim] for dim in designs if dim not in objective.dims}
        )
        for labels, before in found.items():
            group = dict(zip(GROUPS, labels, strict=True))
            if group["cell"] in part["cell"]:
                values = _select(objective.where(allowed), group)
                found[labels] = _better(before, values, region)
    return found


def admissible_cases(part: xr.Dataset, admissible: Mapping[str, Limits]) -> xr.DataArray:
    """Return where status is 0 and every limit holds, at every site, in every cycle and year."""
    allowed = part["status"] == 0
    for name, limits in admissible.items():
        # written so that the NaN of a cycle which a shorter protocol does not have counts as held
        low = -np.inf if limits.low is None else limits.low
        high = np.inf if limits.high is None else limits.high
        broken = (part[name] < low) | (part[name] > high)
        allowed = allowed & ~broken.any([dim for dim in broken.dims if dim in _NOT_OF_THE_DESIGN])
    return allowed


def _select(array: xr.DataArray, group: Mapping[str, str]) -> xr.DataArray:
    return array.sel({dim: label for dim, label in group.items() if dim in array.dims})


def _better(before: Choice, values: xr.DataArray, region: Region) -> Choice:
    flat = values.to_numpy().ravel()
    counts = {
        "admissible": before.admissible + int(np.isfinite(flat).sum()),
        "cases": before.cases + flat.size,
    }
    if not np.isfinite(flat).any() or np.nanmin(flat) >= before.value:
        return Choice(before.place, before.value, **counts)
    at = np.unravel_index(np.nanargmin(flat), values.shape)
    place = {
        str(dim): int(index) + (region[dim].start if dim in region else 0)
        for dim, index in zip(values.dims, at, strict=True)
    }
    return Choice(place, float(np.nanmin(flat)), **counts)
