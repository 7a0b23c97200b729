"""Foreground inventory: activities and exchanges, as bw2data's `Database.write` takes them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import xarray as xr

from cellmodel.account import (
    CREDIT,
    FREIGHT,
    STAGES,
    Sourcing,
    counted,
    per_functional_unit,
)
from cellmodel.electricity import Shares, supply
from cellmodel.end_of_life import waste_flows
from cellmodel.errors import InputError, quoted
from cellmodel.factors import ANYWHERE, GAS, Factor, Factors, load_factors
from cellmodel.footprint import Rules, footprint, sourced
from cellmodel.formed import check_sites
from cellmodel.inventory import Inventory, take_inventory
from cellmodel.output_folder import whole_file
from cellmodel.plant import DEFAULT_PLANT, Plant, load_plant
from cellmodel.recycling import recycled_flows, returned_flows
from cellmodel.rules import DEFAULT_RULES, FUNCTIONAL_UNITS, RuleSet, load_rules
from cellmodel.waste_loop import WasteLoop

EMISSION = "co2-equivalent"
CELL = "battery-cell"
_UNITS = {"kg": "kilogram", "kWh": "kilowatt hour", "t km": "ton kilometer"}
_INPUT_UNIT = {"electricity": "kWh", "fuel": "kWh", "transport": "t km"}  # kg for all others
Key = tuple[str, str]
Flow = tuple[str, str, str, str, float]  # stage, component, factor, region, amount


def foreground(
    formed: xr.Dataset,
    plant: str | Path | Plant = DEFAULT_PLANT,
    sites: Iterable[str] = ("FR", "DE", "PL", "CN"),
    factors: str | Path | Factors | None = None,
    *,
    rules: Rules = DEFAULT_RULES,
    recycled_content: Mapping[str, float] | None = None,
    onsite_share: Shares = 0.0,
    contract_share: Shares = 0.0,
    waste_loop: str | Path | WasteLoop | None = None,
    database: str = "cellmodel",
) -> dict[Key, dict]:
    """Return the inventory behind a footprint, to be written to brightway or to CSV.

    One activity per site makes a kWh of the functional unit out of what is bought; each factor is
    an activity that emits "co2-equivalent", and each recipe one that takes its ingredients. Link
    these to a background database of your own to have its emissions instead of ours.

    Parameters
    ----------
    formed, plant, sites, factors, rules, recycled_content, onsite_share, contract_share, waste_loop
        As for `footprint`, but a single case and a single rule set.
    database
        Name of the database that is to be written.

    Returns
    -------
    dict
        (database, code) -> activity: name, unit, location, exchanges; those of a cell say to
        which `stage` and `component` of the footprint they belong. The score of the method
        `[((database, "co2-equivalent"), 1.0)]` for (database, "battery-cell FR") is the
        `carbon_footprint_total` of the site.

    Raises
    ------
    InputError
        As `footprint`, and if `formed` is no single case or the database has no name.
    """
    if not isinstance(database, str) or not database:
        raise InputError(f"database must be a name, got {quoted(database)}")
    if not isinstance(rules, (str, Path, RuleSet)):
        raise InputError(f"rules must be a single rule set, got {quoted(rules)}")
    rules, plant = load_rules(rules), load_plant(plant)
    factors = factors if isinstance(factors, Factors) else load_factors(factors)
    sites = check_sites(sites, factors)
    # what cannot be counted must not be exported: the same checks, and the same sentences
    checked = footprint(
        formed, plant, sites, factors, rules=rules, recycled_content=recycled_content,
        onsite_share=onsite_share, contract_share=contract_share, waste_loop=waste_loop,
        detail=False,
    )  # fmt: skip
    total = checked["carbon_footprint_total"]
    if total.dims != ("site",):
        raise InputError(
            f"formed must be a single case, got the dimensions {dict(total.sizes)}; choose one, as "
            "by formed.isel(...)"
        )
    if not np.isfinite(total.values).all():
        raise InputError("formed holds NaN: this case could not be solved, see status")
    if "grid_intensity" in formed.coords:
        raise InputError(
            "formed has the grid_intensity of a ramp, which no factor holds; write it into factors "
            "of your own and drop the coordinate"
        )
    inventory = take_inventory(formed, plant)
    sourcing = sourced(
        formed, factors, sites, recycled_content, onsite_share, contract_share, waste_loop
    )
    background: dict[Key, dict] = {}
    cells: dict[Key, dict] = {}
    for site in sites:
        cell = (database, f"{CELL} {site}")
        exchanges = [_exchange(cell, 1.0, "production", "kWh")]
        for stage, component, name, region, amount in _flows(
            formed, inventory, factors, site, rules, sourcing
        ):
            key, unit = _add(background, factors, name, region, database)
            named = {"stage": stage, "component": component}
            exchanges.append(_exchange(key, amount, "technosphere", unit) | named)
        cells[cell] = {
            "name": f"battery cell, {FUNCTIONAL_UNITS[rules.functional_unit]}, made in {site}",
            "unit": _UNITS["kWh"],
            "location": site,
            "type": "process",
            "comment": f"plant {plant.name}, rule set {rules.name} {rules.version}",
            "exchanges": exchanges,
        }
    emission = {
        "name": "carbon dioxide equivalent, GWP100",
        "unit": _UNITS["kg"],
        "type": "emission",
        "categories": ("air",),
        "exchanges": [],
    }
    return {(database, EMISSION): emission, **background, **cells}


def write_foreground(activities: Mapping[Key, Mapping], path: str | Path) -> None:
    """Write activities as CSV, a row per exchange.

    Parameters
    ----------
    activities
        From `foreground`.
    path
        The file; written whole or not at all.
    """
    columns = (
        "activity", "activity name", "activity unit", "location", "exchange", "stage", "component",
        "input", "input name", "amount", "unit", "comment",
    )  # fmt: skip
    path = Path(path)
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for (_, code), activity in activities.items():
            for exchange in activity["exchanges"]:
                row = (
                    code, activity["name"], activity["unit"], activity.get("location", ""),
                    exchange["type"], exchange.get("stage", ""), exchange.get("component", ""),
                    exchange["input"][1], activities[exchange["input"]]["name"],
                    repr(exchange["amount"]), exchange["unit"], activity.get("comment", ""),
                )  # fmt: skip
                writer.writerow(row)


def _flows(
    formed: xr.Dataset,
    inventory: Inventory,
    factors: Factors,
    site: str,
    rules: RuleSet,
    sourcing: Sourcing,
) -> Iterator[Flow]:
    """Yield what the functional unit takes of every factor at a site."""
    per_unit = per_functional_unit(rules, formed, inventory)
    per_unit = 1.0 if per_unit is None else float(per_unit)
    raw, making, distribution, end = STAGES
    kept, energy = counted(inventory, rules), inventory.energy
    materials = formed["component_mass"]["material"]
    for component in formed["component"].values:
        material = str(materials.sel(component=component).item())
        mass = float(kept.bought.sel(component=component)) * per_unit
        contained = float(kept.contained.sel(component=component)) * per_unit
        yield raw, str(component), material, ANYWHERE, mass
        recycled = recycled_flows(material, factors, rules, sourcing.recycled_content)
        for name, amount in recycled.production.items():
            yield raw, str(component), name, ANYWHERE, amount * mass
        if sourcing.waste_loop is not None:
            back = returned_flows(
                material, str(component), factors, rules, sourcing.recycled_content,
                sourcing.waste_loop,
            )  # fmt: skip
            for name, amount in back.items():
                yield raw, str(component), name, ANYWHERE, amount * (mass - contained)
        for name, amount in recycled.end_of_life.items():
            yield end, CREDIT, name, ANYWHERE, amount * contained
        for part, flows in waste_flows(material, factors, rules).items():
            for (name, region), amount in flows.items():
                yield end, part, name, region, amount * contained
    yield raw, FREIGHT, "inbound-freight", site, float(kept.bought.sum()) * per_unit
    shares = supply(
        rules, site, factors, sourcing.onsite_share[site], sourcing.contract_share[site]
    )
    for (name, region), share in shares.items():
        yield making, "electricity", name, region, float(energy.electricity) * share * per_unit
        yield (
            making, "formation_electricity", name, region,
            float(energy.formation) * share * per_unit,
        )  # fmt: skip
    for fuel in GAS:
        yield making, "heat", fuel, ANYWHERE, float(energy.gas) * per_unit
    treatment = "cell-pretreatment"
    yield making, "scrap_treatment", treatment, ANYWHERE, float(inventory.scrap) * per_unit
    yield distribution, "transport", "road-freight", ANYWHERE, float(inventory.freight) * per_unit
    yield end, "used_cell_treatment", treatment, ANYWHERE, float(inventory.mass) * per_unit


def _add(
    background: dict[Key, dict], factors: Factors, name: str, region: str, database: str
) -> tuple[Key, str]:
    """Add the activity of a factor and of all that its recipe takes; return its key and unit."""
    row = factors.get(name, region)
    key = (database, f"{name} {row.region}")
    unit = _INPUT_UNIT.get(row.kind, "kg")
    if key in background:
        return key, unit
    exchanges = [_exchange(key, 1.0, "production", unit)]
    if (name, row.region) in factors.rows:
        exchanges.append(_exchange((database, EMISSION), row.value, "biosphere", "kg"))
    else:
        for part in factors.recipes[name]:
            taken, own = _add(background, factors, part.input, part.region, database)
            exchanges.append(_exchange(taken, part.amount, "technosphere", own))
    background[key] = _activity(row, unit, exchanges)
    return key, unit


def _activity(row: Factor, unit: str, exchanges: list[dict]) -> dict:
    return {
        "name": row.name,
        "unit": _UNITS[unit],
        "location": row.region,
        "type": "process",
        "comment": f"{row.source} ({row.certainty}; {row.licence}; {row.lineage})",
        "exchanges": exchanges,
    }


def _exchange(key: Key, amount: float, kind: str, unit: str) -> dict:
    return {"input": key, "amount": amount, "type": kind, "unit": _UNITS[unit]}
