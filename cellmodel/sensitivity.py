"""Global sensitivity: which inputs of the whole chain the variance of the footprint comes from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import xarray as xr

from cellmodel.cell import Cell, load_cell
from cellmodel.chain import Chain
from cellmodel.equipment import Equipment, load_equipment
from cellmodel.errors import InputError, quoted, unknown_name
from cellmodel.factors import Factors, load_factors
from cellmodel.plant import DEFAULT_PLANT, Plant, load_plant
from cellmodel.protocol import Protocol, load_protocol
from cellmodel.quantity import Range
from cellmodel.variables import SAMPLE, label

MOST_SAMPLES = 2**20  # base samples; each takes two cases and one more per input
_VARIABLES = ("carbon_footprint_total", "carbon_footprint_to_gate")
_NAMES = {
    "S1": "first_order_index",
    "S1_conf": "first_order_confidence",
    "ST": "total_order_index",
    "ST_conf": "total_order_confidence",
}


def sobol(
    cell: Cell | str | Path,
    protocol: Protocol | str | Path,
    equipment: Equipment | str | Path,
    plant: str | Path | Plant = DEFAULT_PLANT,
    *,
    over: Mapping[str, tuple[float, float] | None],
    sites: Iterable[str] = ("FR",),
    factors: str | Path | Factors | None = None,
    samples: int = 1024,
    seed: int = 0,
    variable: str = "carbon_footprint_total",
) -> xr.Dataset:
    """Return Sobol indices of the footprint over inputs of the whole chain, kernels included.

    Inputs are independent and uniform between low and high. The first-order index is the share of
    the variance that would go, on average, if the input were known; the total index is the share
    that would stay if all others were. Every sample is formed by the kernels: samples x (inputs +
    2) cases.

    Parameters
    ----------
    cell, protocol, equipment, plant, factors
        As for `sweep_formation` and `footprint`.
    over
        Name -> (low, high), or None for the range that comes with an equipment field, a plant
        field, a factor or a number of the cell. A name is a protocol variable, an equipment field,
        a plant field, an emission factor ("nmc811", "electricity FR") or a PyBaMM parameter.
    sites
        Where the plant stands: each site has its own indices.
    samples
        Base samples of the sequence of Sobol; a power of 2.
    seed
        Of the scrambling of the sequence and of the bootstrap behind the confidence.
    variable
        "carbon_footprint_total" or "carbon_footprint_to_gate".

    Returns
    -------
    xarray.Dataset
        first_order_index, total_order_index (site, input) [1] and the half widths of their 95 %
        confidence intervals; the attribute `ranges` holds low, high and unit of every input.

    Raises
    ------
    InputError
        If a name is unknown, a range is none, a sample cannot be formed, or SALib is missing.

    References
    ----------
    Saltelli et al. 2010, Computer Physics Communications 181, 259 (estimators, as in SALib).
    """
    try:
        from SALib.analyze import sobol as analysis  # extra `sensitivity`
        from SALib.sample import sobol as sequence
    except ImportError as error:
        raise InputError("sobol needs SALib: pip install 'cellmodel[sensitivity]'") from error
    loaded = load_cell(cell), load_protocol(protocol), load_equipment(equipment), load_plant(plant)
    factors = factors if isinstance(factors, Factors) else load_factors(factors)
    chain = Chain(*loaded, factors)
    sites = [sites] if isinstance(sites, str) else list(sites)
    if variable not in _VARIABLES:
        raise unknown_name("variable of the footprint", variable, _VARIABLES)
    samples = int(Range(8, MOST_SAMPLES).check("samples", samples))
    if samples & (samples - 1):
        raise InputError(f"samples must be a power of 2, got {samples}")
    seed = int(Range(0, 2**32 - 1).check("seed", seed))
    ranges = _ranges(chain, over)
    problem = {
        "num_vars": len(ranges),
        "names": list(ranges),
        "bounds": [list(entry) for entry in ranges.values()],
    }
    points = sequence.sample(problem, samples, calc_second_order=False, seed=seed)
    columns = {name: points[:, i].copy() for i, name in enumerate(ranges)}
    _, result = chain.run(columns, sites)
    footprints = result[variable].transpose("site", SAMPLE)
    found = [
        analysis.analyze(
            problem, footprints.sel(site=site).to_numpy(), calc_second_order=False, seed=seed
        )
        for site in sites
    ]
    data = {
        name: (("site", "input"), np.array([indices[key] for indices in found]))
        for key, name in _NAMES.items()
    }
    coords = {"site": sites, "input": list(ranges)}
    return label(data, coords).assign_attrs(
        variable=variable,
        cell=chain.cell.name,
        protocol=chain.protocol.name,
        equipment=chain.equipment.name,
        plant=chain.plant.name,
        samples=samples,
        cases=len(points),
        seed=seed,
        ranges=json.dumps({name: [*ends, chain.unit(name)] for name, ends in ranges.items()}),
    )


def _ranges(chain: Chain, over: object) -> dict[str, tuple[float, float]]:
    """Return name -> (low, high), checked."""
    if not isinstance(over, Mapping) or not over:
        raise InputError(f"over must map names to (low, high), got {quoted(over)}")
    ranges = {}
    for name, given in over.items():
        chain.owner(name)
        ends = chain.own_range(name) if given is None else given
        if not isinstance(ends, tuple | list) or len(ends) != 2:
            raise InputError(f"over['{name}'] must be (low, high) or None, got {quoted(given)}")
        bounds = chain.bounds(name)
        low, high = (bounds.check(f"over['{name}']: {name}", end) for end in ends)
        if not low < high:
            raise InputError(f"over['{name}']: low must be below high, got {low:g} and {high:g}")
        ranges[name] = (low, high)
    return ranges
