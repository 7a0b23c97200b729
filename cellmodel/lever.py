"""Levers: what moves the footprint per unit of engineering change, by the model's derivatives."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from cellmodel.cell import SEI_LAWS, Cell, load_cell
from cellmodel.chain import Chain
from cellmodel.equipment import Equipment, load_equipment
from cellmodel.errors import InputError, quoted
from cellmodel.factors import Factors, load_factors
from cellmodel.footprint import footprint
from cellmodel.formed import names_of_sites
from cellmodel.plant import DEFAULT_PLANT, Plant, load_plant
from cellmodel.protocol import Protocol, load_protocol
from cellmodel.variables import SAMPLE, label

HALVINGS = 5  # steps of every difference, each half of the one before
SEI_STEP = 0.1  # first half step of the SEI rate / rate: about a point of first-cycle efficiency
POINT = 0.01
TOLERANCE = 0.01  # of the kernels: at 1 the length of their time steps shows in the differences
_FREE = 0.45  # of the distance to the end of the range that the first half step may take
_TOTAL = "carbon_footprint_total"


@dataclass(frozen=True)
class _Lever:
    """A change of some inputs; `changes` are in their units, `amount` in `unit` for people."""

    name: str
    changes: Mapping[str, float]
    amount: float
    unit: str


@dataclass(frozen=True)
class _Derivative:
    """Of the footprint [kg kWh-1] and the first-cycle efficiency [1] per unit of an input.

    The errors are what the last halving of the step changed.
    """

    footprint: float
    footprint_error: float
    per_efficiency: float
    per_efficiency_error: float


def levers(
    cell: Cell | str | Path,
    protocol: Protocol | str | Path,
    equipment: Equipment | str | Path,
    plant: str | Path | Plant = DEFAULT_PLANT,
    site: str = "FR",
    factors: str | Path | Factors | None = None,
    *,
    changes: Mapping[str, float] | None = None,
    other_sites: Iterable[str] = ("FR", "DE", "PL", "CN"),
) -> xr.Dataset:
    """Rank what moves the footprint per unit of engineering change.

    One point of first-cycle efficiency (by way of the rate of the SEI reaction), of every yield and
    of the cycler's efficiency in both directions, a kelvin of the chamber, a micrometre of positive
    electrode, each from central differences through kernels and footprint; one point of recycled
    content of every input that has a factor of what is recycled (cut-off), and what another site or
    heat pumps would change. Every difference is computed with five steps, each half of the one
    before, and taken where halving changes least; what it changes there is the stated error.

    The change is the derivative times the amount: a tangent, which is exact for small changes. A
    thicker positive electrode leaves all else as it is: negative electrode, currents (in A).

    Parameters
    ----------
    cell, protocol, equipment, plant, factors
        As for `sweep_formation` and `footprint`.
    site
        Where the plant stands.
    changes
        Further levers: a name as for `sobol` -> change in its unit, {"nmc811": -0.05}.
    other_sites
        To be compared with `site`.

    Returns
    -------
    xarray.Dataset
        footprint_change [kg kWh-1] (all stages but use), its error and elasticity (lever), the
        largest change first; coordinates `change` and `unit` say what was changed by how much.
        Elasticity and error are NaN for what can only be switched.

    Raises
    ------
    InputError
        If an input is wrong, or a case within the steps cannot be formed.
    """
    chain = Chain(
        load_cell(cell),
        load_protocol(protocol),
        load_equipment(equipment),
        load_plant(plant),
        factors if isinstance(factors, Factors) else load_factors(factors),
    )
    if not isinstance(site, str):
        raise InputError(f"site must be one site, got {quoted(site)}")
    others = dict.fromkeys(names_of_sites(other_sites, "other_sites"))
    others = [other for other in others if other != site]
    for place in (site, *others):
        chain.factors.get("electricity", place)
    given = _given(chain, changes or {})
    rate = SEI_LAWS[chain.cell.sei]
    known = [lever for lever in _engineering(chain) if _has_room(chain, lever)]
    inputs = {name: _first_step(chain, name, by) for name, by in _steps([*known, *given]).items()}
    inputs[rate] = SEI_STEP * chain.value(rate)
    base, formed, derivatives = _derivatives(chain, inputs, site)
    rows = [_row(chain, lever, derivatives, base) for lever in (*known, *given)]
    loss = derivatives[rate]
    efficiency = float(formed["first_cycle_efficiency"])
    rows.append(
        (
            "first-cycle efficiency",
            1.0,
            "point",
            loss.per_efficiency * POINT,
            loss.per_efficiency_error * POINT,
            loss.per_efficiency * efficiency / base,
        )
    )
    rows += _recycled(chain, formed, site, base)
    rows += _switches(chain, formed, site, others, base)
    rows.sort(key=lambda row: -abs(row[3]))
    name, amount, unit, change, error, elasticity = zip(*rows, strict=True)
    data = {
        "footprint_change": ("lever", np.array(change)),
        "footprint_change_error": ("lever", np.array(error)),
        "elasticity": ("lever", np.array(elasticity)),
    }
    words = {"long_name": "change of the lever, in `unit`; a point is 0.01"}
    coords = {
        "lever": list(name),
        "change": ("lever", np.array(amount), words),
        "unit": ("lever", list(unit)),
    }
    return label(data, coords).assign_attrs(
        cell=chain.cell.name,
        protocol=chain.protocol.name,
        equipment=chain.equipment.name,
        plant=chain.plant.name,
        site=site,
        carbon_footprint_total=base,
    )


def _engineering(chain: Chain) -> list[_Lever]:
    """Return the levers that every cell and plant have."""
    yields = [
        _Lever(
            f"yield of {step.name.replace('_', ' ')}", {f"{step.name}_yield": POINT}, 1.0, "point"
        )
        for step in chain.plant.steps
        if f"{step.name}_yield" in chain.plant.quantities
    ]
    converters = {"charge_efficiency": POINT, "discharge_efficiency": POINT}
    return [
        *yields,
        _Lever("cycler efficiency", converters, 1.0, "point"),
        _Lever("formation temperature", {"temperature": 1.0}, 1.0, "K"),
        _Lever(
            "positive electrode thickness", {"Positive electrode thickness [m]": 1e-6}, 1.0, "um"
        ),
    ]


def _given(chain: Chain, changes: object) -> list[_Lever]:
    if not isinstance(changes, Mapping):
        raise InputError(f"changes must map names to numbers, got {quoted(changes)}")
    found = []
    for name, change in changes.items():
        chain.owner(name)
        number = isinstance(change, int | float) and not isinstance(change, bool)
        if not number or not math.isfinite(change) or change == 0:
            raise InputError(f"changes['{name}'] must be a number other than 0, got {change!r}")
        chain.bounds(name).check(f"{name}, changed by {change:g},", chain.value(name) + change)
        lever = _Lever(name, {name: float(change)}, float(change), chain.unit(name))
        if not _has_room(chain, lever):
            raise InputError(
                f"'{name}' is {chain.value(name):g}, at an end of what it may be: its derivative "
                "needs room on both sides; move it inside first"
            )
        found.append(lever)
    return found


def _room(chain: Chain, name: str) -> float:
    bounds, value = chain.bounds(name), chain.value(name)
    return min(value - bounds.low, bounds.high - value)


def _has_room(chain: Chain, lever: _Lever) -> bool:
    """Return whether every input has room on both sides: a yield of 1 is no lever."""
    return all(_room(chain, name) > 0 for name in lever.changes)


def _steps(found: Iterable[_Lever]) -> dict[str, float]:
    return {name: change for lever in found for name, change in lever.changes.items()}


def _first_step(chain: Chain, name: str, change: float) -> float:
    return min(abs(change) / 2, _FREE * _room(chain, name))


def _derivatives(
    chain: Chain, first_steps: Mapping[str, float], site: str
) -> tuple[float, xr.Dataset, dict[str, _Derivative]]:
    """Return the footprint at the point itself, what is formed there, and all derivatives.

    One sweep has all cases: the point, then for every input and step one above and one below.
    """
    shape = (len(first_steps), HALVINGS, 2)
    count = 1 + math.prod(shape)
    columns = {}
    distances = {}
    for i, (name, first) in enumerate(first_steps.items()):
        steps = first / 2.0 ** np.arange(HALVINGS)
        column = np.full(count, chain.value(name))
        block = column[1:].reshape(shape)[i]
        block += np.stack([steps, -steps], axis=1)
        columns[name] = column
        # what was really added, rounding included
        distances[name] = block[:, 0] - block[:, 1]
    formed, result = chain.run(columns, [site], TOLERANCE)
    totals = result[_TOTAL].sel(site=site).to_numpy()
    efficiencies = formed["first_cycle_efficiency"].broadcast_like(result[_TOTAL].sel(site=site))
    found = {}
    for i, name in enumerate(first_steps):
        change, gain = (
            -np.diff(array[1:].reshape(shape)[i], axis=1)[:, 0]
            for array in (totals, efficiencies.to_numpy())
        )
        slope = _settled(change / distances[name])
        # only the SEI rate is asked for this ratio; what leaves the efficiency alone has none
        ratio = _settled(change / gain) if np.all(gain != 0) else (math.nan, math.nan)
        found[name] = _Derivative(*slope, *ratio)
    return float(totals[0]), formed.isel({SAMPLE: 0}), found


def _settled(differences: np.ndarray) -> tuple[float, float]:
    """Return the quotient of the step whose halving changed it least, and that change.

    A large step sees the curvature, a small one the rounding and the steps of the kernels in time.
    """
    changes = np.abs(np.diff(differences))
    best = int(np.argmin(changes))
    return float(differences[best + 1]), float(changes[best])


def _row(
    chain: Chain, lever: _Lever, derivatives: Mapping[str, _Derivative], base: float
) -> tuple[str, float, str, float, float, float]:
    slopes = {name: derivatives[name] for name in lever.changes}
    return (
        lever.name,
        lever.amount,
        lever.unit,
        sum(slope.footprint * lever.changes[name] for name, slope in slopes.items()),
        sum(slope.footprint_error * abs(lever.changes[name]) for name, slope in slopes.items()),
        sum(slope.footprint * chain.value(name) for name, slope in slopes.items()) / base,
    )


def _recycled(
    chain: Chain, formed: xr.Dataset, site: str, base: float
) -> list[tuple[str, float, str, float, float, float]]:
    """Return the rows of recycled content: the footprint is linear in it, so one side is enough."""
    point = _bare_point(formed)
    materials = formed["material"].values.tolist()
    inputs = [part.input for name in materials for part in chain.factors.contents.get(name, ())]
    rows = []
    for name in dict.fromkeys(inputs):
        if f"{name}-recycled" not in chain.factors.names():
            continue
        change, half = (
            float(
                footprint(
                    point,
                    chain.plant,
                    [site],
                    chain.factors,
                    recycled_content={name: share},
                    detail=False,
                )[_TOTAL].squeeze()
            )
            - base
            for share in (POINT, POINT / 2)
        )
        label = f"recycled {name.removesuffix('-primary').replace('-', ' ')}"
        rows.append((label, 1.0, "point", change, abs(change - 2 * half), math.nan))
    return rows


def _bare_point(formed: xr.Dataset) -> xr.Dataset:
    """Return the point without the swept numbers, which are those of the inputs."""
    return formed.reset_coords(drop=True).assign_coords(material=formed["material"])


def _switches(
    chain: Chain, formed: xr.Dataset, site: str, others: list[str], base: float
) -> list[tuple[str, float, str, float, float, float]]:
    """Return the rows of what cannot be changed by degrees: site and source of heat."""
    point = _bare_point(formed)
    switched = {}
    if others:
        elsewhere = footprint(point, chain.plant, others, chain.factors, detail=False)[_TOTAL]
        for other in others:
            switched[f"site {other} instead of {site}"] = float(elsewhere.sel(site=other))
    if chain.plant.heat_source != "heat_pump":
        before = {"gas": "gas boiler", "electric": "electric heating"}[chain.plant.heat_source]
        pumped = chain.plant.replace(heat_source="heat_pump")
        total = footprint(point, pumped, [site], chain.factors, detail=False)[_TOTAL]
        switched[f"heat pump instead of {before}"] = float(total.squeeze())
    return [
        (name, 1.0, "switch", total - base, math.nan, math.nan) for name, total in switched.items()
    ]
