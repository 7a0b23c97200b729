"""Global sensitivity: which inputs of the whole chain the variance of the footprint comes from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from cellmodel.cell import Cell, load_cell
from cellmodel.chain import Chain
from cellmodel.distribution import check_quantiles, correlated, from_normal
from cellmodel.equipment import Equipment, load_equipment
from cellmodel.errors import InputError, quoted, unknown_name
from cellmodel.factors import Factors, load_factors
from cellmodel.formed import check_sites
from cellmodel.plant import DEFAULT_PLANT, Plant, load_plant
from cellmodel.protocol import Protocol, load_protocol
from cellmodel.quantity import Range
from cellmodel.uncertainty import CORRELATION, RANGE_QUANTILES
from cellmodel.variables import SAMPLE, label

MOST_SAMPLES = 2**20  # base samples; each takes two cases and one more per input
_VARIABLES = ("carbon_footprint_total", "carbon_footprint_to_gate")
DISTRIBUTIONS = ("uniform", "lognormal")
_FARTHEST = 8.0  # standard deviations: a scrambled sequence may come as near to 0 as it likes
_NAMES = {
    "S1": "first_order_index",
    "S1_conf": "first_order_confidence",
    "ST": "total_order_index",
    "ST_conf": "total_order_confidence",
}


@dataclass(frozen=True)
class _Input:
    """A number that varies: uniform from low to high, or, with a `family`, lognormal.

    `family` is that of `Chain.family`, "" for a lognormal input by itself, None for a uniform one.
    """

    low: float
    high: float
    family: str | None = None


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
    distribution: str = "uniform",
    correlation: float = CORRELATION,
    range_quantiles: tuple[float, float] = RANGE_QUANTILES,
) -> xr.Dataset:
    """Return Sobol indices of the footprint over inputs of the whole chain, kernels included.

    The first-order index is the share of the variance that would go, on average, if the input were
    known; the total index is the share that would stay if all others were. Every sample is formed
    by the kernels: samples x (inputs or groups + 2) cases.

    Inputs with (low, high), such as what an engineer may choose, are uniform between them and
    independent. Those with None are so, too, or by distribution="lognormal" what
    `footprint_uncertainty` draws: value as median, low and high as `range_quantiles`, correlated
    within a lineage of factors, or a kind of plant field as the yields of all steps. Inputs that
    are correlated have no indices of their own that add up: two or more of one family are a group
    with one index (correlation=0 gives each its own).

    Parameters
    ----------
    cell, protocol, equipment, plant, factors
        As for `sweep_formation` and `footprint`.
    over
        Name -> (low, high), or None for the range that comes with an equipment field, a plant
        field, a factor or a number of the cell; a lognormal one has to have its value in it. A
        name is a protocol variable, an equipment field, a plant field, an emission factor
        ("nmc811", "electricity FR") or a PyBaMM parameter.
    sites
        Where the plant stands: each site has its own indices.
    samples
        Base samples of the sequence of Sobol; a power of 2.
    seed
        Of the scrambling of the sequence and of the bootstrap behind the confidence.
    variable
        "carbon_footprint_total" or "carbon_footprint_to_gate".
    distribution
        "uniform" or "lognormal", of inputs with None.
    correlation, range_quantiles
        Of lognormal inputs, as for `footprint_uncertainty`.

    Returns
    -------
    xarray.Dataset
        first_order_index, total_order_index (site, input) [1] and the half widths of their 95 %
        confidence intervals; a group is an `input` with the name of its family. The attribute
        `ranges` holds low, high and unit of every input, `groups` the members of every group.

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
    sites = check_sites(sites, factors)
    if variable not in _VARIABLES:
        raise unknown_name("variable of the footprint", variable, _VARIABLES)
    samples = int(Range(8, MOST_SAMPLES).check("samples", samples))
    if samples & (samples - 1):
        raise InputError(f"samples must be a power of 2, got {samples}")
    seed = int(Range(0, 2**32 - 1).check("seed", seed))
    if distribution not in DISTRIBUTIONS:
        raise unknown_name("distribution", distribution, DISTRIBUTIONS)
    check_quantiles(range_quantiles)
    correlation = Range(0, 1).check("correlation", correlation)
    inputs = _inputs(chain, over, distribution)
    groups = _groups(inputs) if correlation else {}
    problem = _problem(inputs, groups)
    points = sequence.sample(problem, samples, calc_second_order=False, seed=seed)
    columns = _columns(chain, inputs, groups, points, correlation, range_quantiles)
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
    coords = {"site": sites, "input": list(dict.fromkeys(problem["groups"]))}
    return label(data, coords).assign_attrs(
        variable=variable,
        cell=chain.cell.name,
        protocol=chain.protocol.name,
        equipment=chain.equipment.name,
        plant=chain.plant.name,
        samples=samples,
        cases=len(points),
        seed=seed,
        distribution=distribution,
        correlation=correlation if groups else 0.0,
        ranges=json.dumps({n: [one.low, one.high, chain.unit(n)] for n, one in inputs.items()}),
        groups=json.dumps(groups),
    )


def _inputs(chain: Chain, over: object, distribution: str) -> dict[str, _Input]:
    """Return name -> input, checked."""
    if not isinstance(over, Mapping) or not over:
        raise InputError(f"over must map names to (low, high), got {quoted(over)}")
    inputs = {}
    for name, given in over.items():
        chain.owner(name)
        ends = chain.own_range(name) if given is None else given
        if not isinstance(ends, tuple | list) or len(ends) != 2:
            raise InputError(f"over['{name}'] must be (low, high) or None, got {quoted(given)}")
        bounds = chain.bounds(name)
        low, high = (bounds.check(f"over['{name}']: {name}", end) for end in ends)
        if not low < high:
            raise InputError(f"over['{name}']: low must be below high, got {low:g} and {high:g}")
        if given is not None or distribution == "uniform":
            inputs[name] = _Input(low, high)
            continue
        if not low <= chain.value(name) <= high:
            raise InputError(
                f"'{name}' must lie in its own range to be lognormal, {low:g} to {high:g}, got "
                f"{chain.value(name):g}: give it (low, high)"
            )
        inputs[name] = _Input(low, high, chain.family(name))
    return inputs


def _groups(inputs: Mapping[str, _Input]) -> dict[str, list[str]]:
    """Return family -> its inputs, of families that have more than one."""
    families: dict[str, list[str]] = {}
    for name, one in inputs.items():
        if one.family:
            families.setdefault(one.family, []).append(name)
    return {family: names for family, names in families.items() if len(names) > 1}


def _problem(inputs: Mapping[str, _Input], groups: Mapping[str, list[str]]) -> dict:
    """Return what SALib samples: the uniform inputs, z of the others, and z of every group."""
    group_of = {name: group for group, names in groups.items() for name in names}
    uniform = {name: one.family is None for name, one in inputs.items()}
    return {
        "num_vars": len(inputs) + len(groups),
        "names": [*inputs, *groups],
        "bounds": [[o.low, o.high] if o.family is None else [0, 1] for o in inputs.values()]
        + [[0, 1]] * len(groups),  # mean and standard deviation
        "dists": ["unif" if uniform.get(name) else "norm" for name in (*inputs, *groups)],
        "groups": [*(group_of.get(name, name) for name in inputs), *groups],
    }


def _columns(
    chain: Chain,
    inputs: Mapping[str, _Input],
    groups: Mapping[str, list[str]],
    points: np.ndarray,
    correlation: float,
    quantiles: tuple[float, float],
) -> dict[str, np.ndarray]:
    """Return name -> numbers (samples,) of the points of SALib."""
    drawn = dict(zip((*inputs, *groups), points.T, strict=True))
    columns = {}
    for name, one in inputs.items():
        column = drawn[name].copy()
        if one.family is not None:
            if one.family in groups:
                column = correlated(drawn[one.family], column, correlation)
            column = from_normal(
                column.clip(-_FARTHEST, _FARTHEST), chain.value(name), one.low, one.high,
                chain.bounds(name), quantiles,
            )  # fmt: skip
        columns[name] = column
    return columns
