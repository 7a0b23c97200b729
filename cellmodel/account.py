"""Account: the emissions of an inventory by one rule set."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from cellmodel.electricity import supply
from cellmodel.end_of_life import DISPOSAL, ENERGY_RECOVERY, waste_flows
from cellmodel.errors import InputError, quoted
from cellmodel.factors import ANYWHERE, GAS, Factor, Factors
from cellmodel.formed import bare, electricity_of_sites, stack
from cellmodel.inventory import Inventory
from cellmodel.mixture import BY_RAMP
from cellmodel.recycling import RECYCLED, recycled_flows, returned_flows
from cellmodel.rules import RuleSet
from cellmodel.waste_loop import WasteLoop

# Regulation (EU) 2023/1542, Annex II; the use phase is excluded there
STAGES = (
    "raw material acquisition and pre-processing",
    "main product production",
    "distribution",
    "end of life and recycling",
)
CREDIT = "recycling_credit"
ENDS = (CREDIT, ENERGY_RECOVERY, DISPOSAL)  # of materials, beside the treatment of the whole cell
BOUGHT, RETURNED = "bought", "returned"
FREIGHT = "inbound_freight"
Value = float | xr.DataArray  # of a factor; an array where it is sampled
Blocks = tuple[tuple[str, xr.DataArray], ...]


@dataclass(frozen=True)
class Sourcing:
    """What a maker buys, whatever the rules.

    Parameters
    ----------
    recycled_content
        Material -> R1 [1].
    onsite_share, contract_share
        Site -> share of electricity generated there, and share of the rest under contract [1].
    waste_loop
        By which metals of production scrap come back; None if they do not.
    """

    recycled_content: Mapping[str, float]
    onsite_share: Mapping[str, float]
    contract_share: Mapping[str, float]
    waste_loop: WasteLoop | None = None


@dataclass(frozen=True)
class Account:
    """Emissions by one rule set.

    Parameters
    ----------
    blocks
        Stage, and emissions of some components in it (component, site where it matters, cases)
        per functional unit [kg].
    used
        "name region" -> factor.
    national
        Sites where the national mix stands in for a residual mix.
    left_out
        Components that the cut-off criterion leaves out, in some case at least.
    """

    blocks: Blocks
    used: Mapping[str, Factor]
    national: tuple[str, ...]
    left_out: tuple[str, ...]


def account(
    inventory: Inventory,
    formed: xr.Dataset,
    factors: Factors,
    sites: Iterable[str],
    rules: RuleSet,
    sourcing: Sourcing,
    *,
    credited: bool,
) -> Account:
    """Return the emissions of an inventory.

    Parameters
    ----------
    inventory, formed
        Of the same cells; `formed` names the materials, and has `delivered_energy` if the
        functional unit is energy over life.
    factors, sites, rules, sourcing
        What it is multiplied by.
    credited
        Whether the end of life has the components "recycling_credit", "energy_recovery" and
        "disposal".

    Raises
    ------
    InputError
        If a factor, or the delivered energy, is missing.
    """
    used: dict[str, Factor] = {}

    def factor(name: str, region: str = ANYWHERE) -> Value:
        found = factors.get(name, region)
        used[f"{name} {found.region}"] = found
        return found.value

    def by_ramp(site: str, intensity: xr.DataArray) -> Value:
        # beside it, what is displaced at the end of life keeps the present mix
        row = factors.get("electricity", site)
        used[f"electricity {site}, of the plant"] = dataclasses.replace(
            row, value=intensity, certainty=BY_RAMP
        )
        return intensity

    supplies = {
        site: supply(
            rules, site, factors, sourcing.onsite_share[site], sourcing.contract_share[site]
        )
        for site in sites
    }
    grid = _grid(formed, supplies, factor, by_ramp)
    burning = sum(factor(fuel) for fuel in GAS)
    treatment = factor("cell-pretreatment")

    def inside(material: str, name: str) -> Value:
        if name.endswith(RECYCLED):
            return factor(name)
        found = factors.within(material, name)
        used[f"{name} {found.region}"] = found
        return found.value

    per_kilogram = _material_factors(formed, factors, rules, sourcing, factor, inside)
    energy, kept = inventory.energy, counted(inventory, rules)
    end = {"used_cell_treatment": inventory.mass * treatment}
    if credited:
        for component in ENDS:
            ending = kept.contained * per_kilogram[component]
            end[component] = ending.sum("component", skipna=False)
    raw = kept.bought * per_kilogram[BOUGHT]
    if sourcing.waste_loop is not None:
        raw = raw + (kept.bought - kept.contained) * per_kilogram[RETURNED]
    delivery = stack({site: factor("inbound-freight", site) for site in sites}, "site")
    inbound = kept.bought.sum("component", skipna=False) * delivery
    making = {
        "electricity": energy.electricity * grid,
        "formation_electricity": energy.formation * grid,
        "heat": energy.gas * burning,
        "scrap_treatment": inventory.scrap * treatment,
    }
    outbound = inventory.freight * factor("road-freight")
    blocks = (
        (STAGES[0], raw),  # the same at every site, unlike its freight: apart it stays small
        (STAGES[0], stack({FREIGHT: inbound}, "component")),
        (STAGES[1], stack(making, "component")),
        (STAGES[2], stack({"transport": outbound}, "component")),
        (STAGES[3], stack(end, "component")),
    )
    per_unit = per_functional_unit(rules, formed, inventory)
    if per_unit is not None:
        blocks = tuple((stage, block * per_unit) for stage, block in blocks)
    national = [
        s for s in supplies if rules.electricity == "market" and ("electricity", s) in supplies[s]
    ]
    return Account(blocks, used, tuple(national), _left_out(inventory, kept))


def counted(inventory: Inventory, rules: RuleSet) -> Inventory:
    """Return the inventory with 0 kg contained and bought of what the cut-off criterion leaves out.

    The whole cell, its mass and its scrap, is treated and transported as it is.
    """
    if not rules.cutoff_criterion:
        return inventory
    left_out = inventory.contained / inventory.mass < rules.cutoff_criterion
    return dataclasses.replace(
        inventory,
        contained=inventory.contained.where(~left_out, 0.0),
        bought=inventory.bought.where(~left_out, 0.0),
    )


def _left_out(inventory: Inventory, kept: Inventory) -> tuple[str, ...]:
    if kept is inventory:
        return ()
    missing = (inventory.contained > 0) & (kept.contained == 0)
    missing = missing.any([dim for dim in missing.dims if dim != "component"])
    return tuple(map(str, missing["component"].values[missing.values]))


def per_functional_unit(
    rules: RuleSet, formed: xr.Dataset, inventory: Inventory
) -> xr.DataArray | float | None:
    """Return the kWh of capacity per functional unit; None if that is the capacity itself.

    Raises
    ------
    InputError
        If `formed` lacks the energy delivered over life, or that is not above 0 kWh.
    """
    if rules.functional_unit == "capacity":
        return None
    if rules.functional_unit == "warranty":
        return 1 / rules.deliveries()
    if "delivered_energy" not in formed:
        raise InputError(
            f"rule set {rules.name!r}: formed must have delivered_energy, the kWh that a cell "
            "delivers over its life; assign that of simulate_cycling"
        )
    delivered = formed["delivered_energy"]
    if delivered.attrs.get("units", "kW h") not in ("kW h", "kWh"):
        raise InputError(
            f"delivered_energy must be in 'kW h' per cell, got {quoted(delivered.attrs['units'])}"
        )
    if bool((delivered <= 0).any()):
        raise InputError(f"delivered_energy must be above 0 kWh, got {float(delivered.min()):g}")
    return inventory.kilowatt_hours / bare(delivered)


def _grid(
    formed: xr.Dataset,
    supplies: Mapping[str, Mapping],
    factor: Callable[[str, str], Value],
    by_ramp: Callable[[str, xr.DataArray], Value],
) -> xr.DataArray:
    """Return the emissions of a site's electricity (site, perhaps year) [kg kWh-1].

    A ramp's grid_intensity takes the place of the national mix, of nothing else.
    """
    ramp = None
    if "grid_intensity" in formed.coords:
        ramp = electricity_of_sites(formed, supplies, ())

    def intensity(site: str, key: tuple[str, str]) -> Value:
        if ramp is None or key != ("electricity", site):
            return factor(*key)
        return by_ramp(site, ramp.sel(site=site, drop=True))

    mixes = {
        site: sum(share * intensity(site, key) for key, share in parts.items())
        for site, parts in supplies.items()
    }
    return stack(mixes, "site")


def _material_factors(
    formed: xr.Dataset,
    factors: Factors,
    rules: RuleSet,
    sourcing: Sourcing,
    factor: Callable[..., Value],
    inside: Callable[[str, str], Value],
) -> dict[str, xr.DataArray]:
    """Return what a kilogram BOUGHT, RETURNED as scrap, and at each of its ENDS emits.

    Each is over component, and perhaps cell; all but the first are negative where they save.
    `inside` tells what a part of a material, or what is recycled to replace it, emits.
    """
    known: dict[tuple[object, str], dict[str, Value]] = {}

    def look_up(component: object, name: str) -> dict[str, Value]:
        if (component, name) in known:
            return known[component, name]
        try:
            own = factor(name)
        except InputError as error:
            raise InputError(f"component '{component}' has no emission factor: {error}") from error
        recycled = recycled_flows(name, factors, rules, sourcing.recycled_content)
        changed = sum(amount * inside(name, part) for part, amount in recycled.production.items())
        if np.any(own + changed < 0):
            raise InputError(
                f"recycled content saves {-np.min(changed):.3g} kg per kg of {name!r}, more than "
                f"its whole factor of {np.min(own):.3g}; give factors of "
                f"{', '.join(recycled.production)} that fit"
            )
        recovered = sum(
            amount * inside(name, part) for part, amount in recycled.end_of_life.items()
        )
        returned: Value = 0.0
        if sourcing.waste_loop is not None:
            flows = returned_flows(
                name, str(component), factors, rules, sourcing.recycled_content, sourcing.waste_loop
            )
            returned = sum(amount * inside(name, part) for part, amount in flows.items())
        ends = {
            end: sum(amount * factor(*key) for key, amount in flows.items())
            for end, flows in waste_flows(name, factors, rules).items()
        }
        known[component, name] = {
            BOUGHT: own + changed,
            RETURNED: returned,
            CREDIT: recovered,
            **ends,
        }
        return known[component, name]

    material = bare(formed["component_mass"].coords["material"])
    component, material = xr.broadcast(formed["component"], material)
    pairs = zip(component.values.flat, material.values.flat, strict=True)
    found = [look_up(part, str(name)) for part, name in pairs]
    return {
        key: _filled(material, [one[key] for one in found]) for key in (BOUGHT, RETURNED, *ENDS)
    }


def _filled(places: xr.DataArray, values: Iterable[Value]) -> xr.DataArray:
    """Return `places` with a value each, in C order; sampled values bring their dimension."""
    arrays = xr.broadcast(*(xr.DataArray(value) for value in values))
    data = np.reshape([array.values for array in arrays], places.shape + arrays[0].shape)
    return xr.DataArray(data, dims=(*places.dims, *arrays[0].dims), coords=places.coords)
