"""Monte Carlo of the footprint: factors, plant and equipment with their ranges."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from cellmodel.distribution import Draw
from cellmodel.electricity import Shares
from cellmodel.equipment import FIELDS, Equipment, load_equipment
from cellmodel.errors import InputError, quoted
from cellmodel.factors import Factor, Factors, load_factors
from cellmodel.footprint import Rules, chosen_rules, footprint
from cellmodel.formed import check_formed, check_grid, check_sites, electricity_of_sites
from cellmodel.inventory import NEEDED
from cellmodel.plant import DEFAULT_PLANT, Plant, load_plant
from cellmodel.quantity import Range
from cellmodel.ramp import Ramp
from cellmodel.rules import DEFAULT_RULES
from cellmodel.uncertain_plant import (
    is_uncertain,
    numbers,
    plant_coordinates,
    ramp_coordinates,
    ramp_of,
)
from cellmodel.variables import DIMENSIONS, SAMPLE, label
from cellmodel.waste_loop import WasteLoop

DEFAULT_SAMPLES = 10_000
LARGEST_RESULT = 10**8  # samples times cases times sites: 1.6 GB for the two totals
CORRELATION = 0.5  # engineering judgement: figures of one family share half of their variance
RANGE_QUANTILES = (0.05, 0.95)  # engineering judgement: no shipped range says what share it holds
_CHUNK = 1 << 14  # samples times cases: the arrays of one pass stay in the processor's cache
_FACTOR = Range(0, 1e5)
_TOTALS = ("carbon_footprint_total", "carbon_footprint_to_gate")


def footprint_uncertainty(
    formed: xr.Dataset,
    plant: str | Path | Plant = DEFAULT_PLANT,
    sites: Iterable[str] = ("FR", "DE", "PL", "CN"),
    factors: str | Path | Factors | None = None,
    *,
    rules: Rules | Iterable[Rules] = DEFAULT_RULES,
    recycled_content: Mapping[str, float] | None = None,
    onsite_share: Shares = 0.0,
    contract_share: Shares = 0.0,
    waste_loop: str | Path | WasteLoop | None = None,
    ramp: str | Path | Ramp | None = None,
    samples: int | None = None,
    seed: int = 0,
    quantiles: Sequence[float] | None = None,
    correlation: float = CORRELATION,
    range_quantiles: tuple[float, float] = RANGE_QUANTILES,
    chunk_size: int | None = None,
) -> xr.Dataset:
    """Return the footprint of formed cells with every factor and plant field uncertain.

    Each is drawn from its own low, value and high; see `distribution.Draw` for how. Factors of
    one lineage err together with the given `correlation`, and so do the yields of all steps, their
    electricity, their heat and so on, for they come from one judgement each. Fixed are numbers
    without a range, "definitions" such as the throughput, and plant fields that `formed` sweeps.
    Of the years of a ramp, fields and grid are drawn from the ramp's ranges: a field's years err
    alike, and a grid's are the present factor as drawn, changed by what the ramp says of the years
    to come, which errs together at all sites. For uncertain equipment pass what was formed with
    `sample_equipment`.

    Parameters
    ----------
    formed, plant, sites, factors, rules, recycled_content, onsite_share, contract_share, waste_loop
        As for `footprint`; rules and shares are choices, and not drawn. Nor are the parameters
        behind credits (A, B, recoveries, efficiencies of the incinerator, heating values), though
        `cellmodel show pef-2021` states ranges of them, and the amounts of recipes, which have
        none. What recycling replaces in a material stays the share of the material's own factor
        that it is, and is sampled with it. If `formed` has the dimension `sample` each case of it
        gets its own draw.
    ramp
        What `ramp_up` was given, if that is no shipped ramp: name, path of a .toml file, or Ramp.
    samples
        How many; as many as `formed` has, or 10,000, if None.
    seed
        The same seed gives the same samples (on one version of NumPy), whatever their number and
        `chunk_size`, and for other cells, sites and plants too: differences are of the same draw.
    quantiles
        Shares between 0 and 1: then the result has the dimension `quantile` in place of `sample`.
    correlation
        Within a lineage, from 0, where errors cancel and the variance is too small, to 1.
    range_quantiles
        What low and high are taken for.
    chunk_size
        Samples computed at a time; results do not depend on it.

    Returns
    -------
    xarray.Dataset
        carbon_footprint_total and carbon_footprint_to_gate (site, sample or quantile)
        [kg kWh-1], over the dimensions of `formed`, and `rule_set` if there are several, too.

    Raises
    ------
    InputError
        If an input is wrong, as for `footprint`, `formed` has other years than its ramp, or the
        result would not fit in memory.
    """
    plant = load_plant(plant)
    factors = factors if isinstance(factors, Factors) else load_factors(factors)
    sites = check_sites(sites, factors)
    rule_sets, several = chosen_rules(rules)
    check_formed(formed, NEEDED)
    if "grid_intensity" in formed.coords:
        check_grid(formed, sites, factors)
        electricity_of_sites(formed, sites, ())
        formed = formed.sel(site=sites)
    ramp = ramp_of(formed, ramp, factors, sites)
    samples = _samples(formed, samples)
    Draw(seed, 0, samples, correlation, range_quantiles)
    if quantiles is not None:
        quantiles = np.atleast_1d(Range(0, 1).check_array("quantiles", quantiles))
    cases = _cases(formed) * len(rule_sets)
    if samples * cases * max(len(sites), 1) > LARGEST_RESULT:
        raise InputError(
            "samples x cases and rule sets x sites must be at most "
            f"{LARGEST_RESULT:.0e}, got {samples} x {cases} x {len(sites)}; choose cases of formed "
            "by .sel, or take fewer samples"
        )
    step = max(1, _CHUNK // cases) if chunk_size is None else chunk_size
    step = int(Range(1).check("chunk_size", step))
    parts = []
    for start in range(0, samples, step):
        stop = min(start + step, samples)
        draw = Draw(seed, start, stop, correlation, range_quantiles)
        chunk = formed.isel({SAMPLE: slice(start, stop)}, missing_dims="ignore")
        drawn = chunk.assign_coords(plant_coordinates(plant, formed, draw))
        rows = _SampledRows(factors.rows, draw)
        sampled = _SampledFactors(
            rows, factors.recipes, factors.contents, factors.own, certain=factors
        )
        if ramp is not None:
            drawn = drawn.assign_coords(ramp_coordinates(ramp, formed, sampled, sites, draw))
        result = footprint(
            drawn,
            plant,
            sites,
            sampled,
            rules=rule_sets if several else rule_sets[0],
            recycled_content=recycled_content,
            onsite_share=onsite_share,
            contract_share=contract_share,
            waste_loop=waste_loop,
            detail=False,
        )
        own = [name for name, coordinate in result.coords.items() if SAMPLE in coordinate.dims]
        parts.append(_with_samples(result[list(_TOTALS)].drop_vars(own), stop - start))
    whole = xr.concat(parts, SAMPLE, combine_attrs="override").transpose(..., SAMPLE)
    if quantiles is not None:
        labels = whole.coords
        whole = whole.quantile(quantiles, dim=SAMPLE, skipna=False, keep_attrs=True)
        whole = whole.assign_coords(labels).transpose(..., "quantile")  # it drops the others
    labelled = label(dict(whole.data_vars), whole.coords)
    for name in _TOTALS:
        labelled[name].attrs = parts[0][name].attrs  # what a kWh is depends on more than the table
    return labelled.assign_attrs(
        parts[0].attrs,
        samples=samples,
        seed=int(seed),
        correlation=float(correlation),
        range_quantiles=[float(quantile) for quantile in range_quantiles],
    )


def sample_equipment(
    equipment: str | Path | Equipment,
    samples: int = DEFAULT_SAMPLES,
    seed: int = 0,
    *,
    range_quantiles: tuple[float, float] = RANGE_QUANTILES,
) -> dict[str, tuple[str, np.ndarray]]:
    """Return `over` entries for `sweep_formation`: every field of the equipment with a range.

    The cell is simulated once for all of them; only its wall energy is computed anew. Fields are
    independent, except that no sample may lose more without load than in all: no_load_loss is
    lowered to that.

    Parameters
    ----------
    equipment
        Name, path, or Equipment.
    samples, seed, range_quantiles
        As for `footprint_uncertainty`, which takes the same number of samples then.

    Returns
    -------
    dict
        Field -> ("sample", array).
    """
    equipment = load_equipment(equipment)
    draw = Draw(seed, 0, _count(samples), 0.0, range_quantiles)
    drawn = {
        name: draw.number(f"equipment {name}", *numbers(quantity), FIELDS[name])
        for name, quantity in equipment.quantities.items()
        if is_uncertain(quantity)
    }
    values = equipment.values() | drawn
    whole_loss = np.minimum(1 / values["charge_efficiency"] - 1, 1 - values["discharge_efficiency"])
    if np.any(values["no_load_loss"] > whole_loss):
        drawn["no_load_loss"] = np.broadcast_to(
            np.minimum(values["no_load_loss"], whole_loss), draw.stop
        ).copy()
    return {name: (SAMPLE, values) for name, values in drawn.items()}


class _SampledRows(Mapping):
    """The rows of Factors, each sampled when it is first looked up: a study needs few of them."""

    def __init__(self, rows: Mapping[tuple[str, str], Factor], draw: Draw) -> None:
        self._rows = rows
        self._draw = draw
        self._sampled: dict[tuple[str, str], Factor] = {}

    def __getitem__(self, key: tuple[str, str]) -> Factor:
        if key not in self._sampled:
            row = self._rows[key]
            if row.low < row.high:
                numbers = (row.value, row.low, row.high)
                name = f"factor {row.name} {row.region}"
                values = self._draw.number(name, *numbers, _FACTOR, family=row.lineage)
                row = dataclasses.replace(row, value=xr.DataArray(values, dims=SAMPLE))
            self._sampled[key] = row
        return self._sampled[key]

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


@dataclass(frozen=True)
class _SampledFactors(Factors):
    """Factors with sampled rows, beside the `certain` ones that they were sampled from."""

    certain: Factors = dataclasses.field(kw_only=True)

    def within(self, product: str, name: str) -> Factor:
        """Return the factor of an input as part of a product that may have a row of its own.

        That row is sampled as a whole, and a salt in it stays the share of it that it was: drawn by
        itself, the salt could take more from the whole than it has.
        """
        part = self.certain.get(name)
        whole = self.certain.get(product)
        sums = product in self.recipes and (product, whole.region) not in self.rows
        if sums or not whole.value:
            return self.get(name)
        return dataclasses.replace(part, value=part.value / whole.value * self.get(product).value)


def _with_samples(result: xr.Dataset, count: int) -> xr.Dataset:
    """Return the result over `sample`, even if nothing in it is uncertain."""
    return result if SAMPLE in result.dims else result.expand_dims({SAMPLE: count}, axis=-1)


def _count(samples: object) -> int:
    number = Range(1, LARGEST_RESULT).check("samples", samples)
    if not number.is_integer():
        raise InputError(f"samples must be a whole number, got {quoted(samples)}")
    return int(number)


def _samples(formed: xr.Dataset, samples: int | None) -> int:
    has = formed.sizes.get(SAMPLE)
    if samples is None:
        return has or DEFAULT_SAMPLES
    count = _count(samples)
    if has is not None and has != count:
        raise InputError(f"samples must be the {has} that formed has, got {count}")
    return count


def _cases(formed: xr.Dataset) -> int:
    cases = ("cell", "year")  # of the dimensions in the table, those that footprints have
    return math.prod(n for dim, n in formed.sizes.items() if dim not in DIMENSIONS or dim in cases)
