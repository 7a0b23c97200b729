"""Carbon footprint of formed cells, by life-cycle stage, component and site."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import xarray as xr

from cellmodel.account import STAGES, Account, Blocks, Sourcing, account
from cellmodel.electricity import Shares, site_shares
from cellmodel.errors import InputError, quoted
from cellmodel.factors import Factors, load_factors
from cellmodel.formed import (
    bare,
    check_formed,
    check_grid,
    check_sites,
    first_cycle_efficiency,
    label_cases,
    solved,
    stack,
)
from cellmodel.inventory import Inventory, take_inventory
from cellmodel.mixture import mixture, refuse_mixture, stated
from cellmodel.own_factors import check_own_names
from cellmodel.plant import (
    DEFAULT_PLANT,
    Plant,
    annual_output,
    formed_per_good,
    load_plant,
    started,
)
from cellmodel.recycling import check_effect, check_recycled_content
from cellmodel.rules import (
    DEFAULT_RULES,
    ELECTRICITY,
    FUNCTIONAL_UNITS,
    RECYCLING,
    RuleSet,
    load_rules,
)
from cellmodel.waste_loop import WasteLoop, load_waste_loop

Rules = str | Path | RuleSet
NOT_COUNTED = "use phase; make-up of coating solvent, water, packaging, machines and buildings; "
NO_ENDS = "energy recovery and final disposal at the end of life; "
WITHOUT_CREDIT = "credits for material recycled at the end of life"
WITHOUT_RETURN = "credits for metal recovered from production scrap"
WITHOUT_BOTH = "credits for recycled material"
WITH_RETURN = "returned scrap where no factor says what recycling costs"
SCRAP_ENDS = "energy recovery and final disposal of production scrap; "
PURCHASES = "; recycled_in_purchases of the waste loop, for recycled_content is what counts"


def footprint(
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
    strict: bool = False,
    detail: bool = True,
) -> xr.Dataset:
    """Return the carbon footprint of formed cells, per kWh of capacity unless the rules differ.

    The kWh are those of the formed cell, `nominal_energy`, so that a loss in the first cycle
    raises everything that went into the cell. With y_j the yield of step j, a component that
    enters at step i is bought 1 / (y_i ... y_n) times; cells rejected at formation or at the end
    of the line thus carry the materials and the energy of all steps before. Formation costs what
    the simulation says, times the cells formed per good cell. What is divided by, how recycling
    and electricity count, is a matter of the rule set.

    Parameters
    ----------
    formed
        From `simulate_formation` or `sweep_formation`: component_mass (component) [kg] with its
        coordinate `material`, nominal_energy and formation_energy [W h], and status if there is
        one; any further dimensions. A coordinate that is a field of the plant
        ("formation_yield") takes the place of the plant's number, grid_intensity (site, year)
        that of the national mix of electricity; delivered_energy [kW h] is needed if the
        functional unit is energy over the simulated life; where it is NaN, for a life that does
        not end within the simulated cycles, so is the footprint.
    plant
        Name of a shipped plant, path of a .toml file, or Plant.
    sites
        Where the plant may stand: regions that have a row for electricity, "FR".
    factors
        CSV file whose rows replace the shipped emission factors, or Factors.
    rules
        Name of a shipped rule set, path of a .toml file, or RuleSet; several of them give the
        dimension `rule_set`.
    recycled_content
        Material, also of an input that a component is made of ("nickel-sulphate") -> share that
        is recycled, R1 of the circular footprint formula [1]. Manufacturing scrap that runs
        around is none.
    onsite_share, contract_share
        Share of the plant's electricity generated at the site, and share of the rest under
        contract, which counts with market-based rules [1]; a number, or site -> number.
    waste_loop
        Name of a shipped waste loop, path of a .toml file, or WasteLoop, by which metals of the
        production scrap come back (see `metal_balance`): they take the place of bought ones, and
        cost what refining costs. If None, nothing comes back.
    strict
        Refuse to add factors of several lineages or sets of warming potentials.
    detail
        Whether to return `carbon_footprint` itself, which has some 60 numbers per case and site.

    Returns
    -------
    xarray.Dataset
        carbon_footprint (stage, component, site) and its totals, all stages and cradle to gate
        (site) [kg kWh-1 of the functional unit]; with several rules also over `rule_set`, with
        the coordinate `functional_unit`; material_input (component) [kg kWh-1];
        plant_electricity, plant_heat, formation_share_of_plant_electricity, plant_yield [1];
        formation_channels [1] if `formed` has formation_time; each over the dimensions of
        `formed` too. NaN where status is not 0. The attributes name plant, rule sets, factors
        with their certainty, data families, sets of warming potentials, what is not counted,
        own_factors_not_used, names of a user's rows that nothing asks for, if there are any, and,
        as `note`, how many cases have no life.

    Raises
    ------
    InputError
        If a variable or coordinate is missing in `formed`, or a number in it is negative or, in
        a case that was solved, not finite; if a component has no factor or does not enter at any
        step, a site, plant field or rule set is unknown, a number is out of range, factors are
        mixed that must not be, or have other electricity of a site than a ramp began with, or a
        row of a user's that nothing asks for is nearly spelt as a shipped one.

    References
    ----------
    Regulation (EU) 2023/1542 on batteries, Article 7 and Annex II; Commission Recommendation
    (EU) 2021/2279.
    """
    rule_sets, several = chosen_rules(rules)
    plant = load_plant(plant)
    factors = factors if isinstance(factors, Factors) else load_factors(factors)
    places = check_sites(sites, factors)
    inventory = take_inventory(formed, plant)
    check_grid(formed, places, factors)
    sourcing = sourced(
        formed, factors, places, recycled_content, onsite_share, contract_share, waste_loop
    )
    materials = formed["component_mass"]["material"].values.flat
    idle = check_own_names(factors, materials, rule_sets)
    credited = any(one.recycling != "cutoff" for one in rule_sets)
    accounts = {
        one.name: account(inventory, formed, factors, places, one, sourcing, credited=credited)
        for one in rule_sets
    }
    note = _without_life(formed, rule_sets)
    for one in rule_sets:
        if strict or one.strict:
            refuse_mixture(accounts[one.name].used, one)

    def emissions(of: Callable[[Blocks], xr.DataArray]) -> xr.DataArray:
        found = {name: of(one.blocks) for name, one in accounts.items()}
        return stack(found, "rule_set") if several else found[rule_sets[0].name]

    energy, bought = inventory.energy, inventory.bought
    results = {
        "carbon_footprint_total": emissions(_total),
        "carbon_footprint_to_gate": emissions(_to_gate),
        "material_input": bought,
        "plant_electricity": energy.electricity + energy.formation,
        "plant_heat": energy.heat,
        "plant_yield": 1 / started(plant, inventory.values)[plant.steps[0].name],
        "formation_share_of_plant_electricity": energy.formation
        / (energy.electricity + energy.formation),
    }
    if detail:
        results["carbon_footprint"] = by_stage = emissions(_by_stage)
        results["material_input"] = bought.reindex_like(by_stage["component"], fill_value=0.0)
    if "formation_time" in formed:
        results["formation_channels"] = _channels(formed, plant, inventory)
    dataset = _labelled(results, formed, plant, accounts)
    if idle:
        dataset.attrs["own_factors_not_used"] = ", ".join(idle)
    dataset = _with_rules(dataset, rule_sets, accounts, several, sourcing.waste_loop)
    return dataset.assign_attrs(note)


def sourced(
    formed: xr.Dataset,
    factors: Factors,
    sites: Iterable[str],
    recycled_content: Mapping[str, float] | None,
    onsite_share: Shares,
    contract_share: Shares,
    waste_loop: str | Path | WasteLoop | None,
) -> Sourcing:
    """Return what a maker buys, checked; arguments as for `footprint`."""
    content = check_recycled_content(recycled_content, factors)
    check_effect(content, set(formed["component_mass"]["material"].values.flat), factors)
    return Sourcing(
        content,
        site_shares("onsite_share", onsite_share, sites),
        site_shares("contract_share", contract_share, sites),
        None if waste_loop is None else load_waste_loop(waste_loop),
    )


def _total(blocks: Blocks) -> xr.DataArray:
    return sum(block.sum("component", skipna=False) for _, block in blocks)


def _to_gate(blocks: Blocks) -> xr.DataArray:
    return _total(tuple(pair for pair in blocks if pair[0] in STAGES[:2]))


def _by_stage(blocks: Blocks) -> xr.DataArray:
    """Return one array over stage and component; a component has 0 in the stages it is not in."""
    components = [name for _, block in blocks for name in block["component"].values]
    names = [stage for stage, _ in blocks]
    arrays = xr.broadcast(*(block for _, block in blocks), exclude=["component"])
    filled = [array.reindex(component=components, fill_value=0.0) for array in arrays]
    summed = [
        sum(array for name, array in zip(names, filled, strict=True) if name == stage)
        for stage in STAGES
    ]
    stages = xr.concat(summed, "stage", coords="minimal", compat="override", join="exact")
    return stages.assign_coords(stage=list(STAGES))


def _channels(formed: xr.Dataset, plant: Plant, inventory: Inventory) -> xr.DataArray:
    """Return the formation channels that are occupied on average."""
    values = inventory.values
    output = annual_output(values, first_cycle_efficiency(formed)) * 1e6
    good = output / inventory.kilowatt_hours  # cells a year
    per_hour = good * formed_per_good(plant, values) / values["operating_hours"]
    return per_hour * bare(formed["formation_time"])


def chosen_rules(rules: Rules | Iterable[Rules]) -> tuple[tuple[RuleSet, ...], bool]:
    """Return the rule sets, and whether they make a dimension."""
    if isinstance(rules, (str, Path, RuleSet)):
        return (load_rules(rules),), False
    if not isinstance(rules, Iterable):
        raise InputError(
            f"rules must be a rule set, its name, or several of them, got {quoted(rules)}"
        )
    found = tuple(load_rules(one) for one in rules)
    names = [one.name for one in found]
    if not found:
        raise InputError("rules must name at least one rule set, got none")
    if len(set(names)) < len(names):
        raise InputError(
            f"rules must differ from each other in name, got {quoted(names)}; rename one by "
            "replace(name=...)"
        )
    return found, True


def _labelled(
    results: Mapping[str, xr.DataArray | float],
    formed: xr.Dataset,
    plant: Plant,
    accounts: Mapping[str, Account],
) -> xr.Dataset:
    """Mask failed cases, order dimensions, restore coordinates, and say what was used."""
    dataset = label_cases(results, formed, ("rule_set", "stage", "component", "site"))
    used = {key: row for one in accounts.values() for key, row in one.used.items()}
    return dataset.assign_attrs(
        plant=plant.name,
        heat_source=plant.heat_source,
        **stated(used),
    )


def _with_rules(
    dataset: xr.Dataset,
    rule_sets: tuple[RuleSet, ...],
    accounts: Mapping[str, Account],
    several: bool,
    loop: WasteLoop | None,
) -> xr.Dataset:
    """Say by which rules it was counted, and what a kWh is in them."""
    units = [FUNCTIONAL_UNITS[one.functional_unit] for one in rule_sets]
    credited = any(one.recycling != "cutoff" for one in rule_sets)
    national = sorted({site for one in accounts.values() for site in one.national})
    attributes = {
        "rule_set": "; ".join(one.name for one in rule_sets),
        "rules": json.dumps(
            {one.name: [one.title, one.version, one.status, one.published] for one in rule_sets}
        ),
        "functional_unit": _each(units),
        "electricity": _each(ELECTRICITY[one.electricity] for one in rule_sets),
        "recycling": _each(RECYCLING[one.recycling] for one in rule_sets),
        "not_counted": NOT_COUNTED + _left_out(credited, loop) + _cut_off(accounts),
        "waste_loop": "none" if loop is None else loop.name,
        "mixed": "".join(dict.fromkeys(mixture(accounts[one.name].used, one) for one in rule_sets)),
    }
    if national:
        attributes["national_mix_for_residual"] = ", ".join(national)
    unit = units[0] if len(set(units)) == 1 else "the functional unit"
    for name in dataset.data_vars:
        if name.startswith("carbon_footprint"):
            known = dataset[name].attrs["long_name"]
            dataset[name].attrs["long_name"] = known.replace("kWh of capacity", f"kWh of {unit}")
    if several:
        dataset = dataset.assign_coords(functional_unit=("rule_set", units))
    return dataset.assign_attrs(attributes)


def _without_life(formed: xr.Dataset, rule_sets: tuple[RuleSet, ...]) -> dict[str, str]:
    """Return a note on the cases whose life is not known, if the rules divide by it."""
    names = [one.name for one in rule_sets if one.functional_unit == "life"]
    if not names:
        return {}
    check_formed(formed, (), ("delivered_energy",))
    unknown = bare(formed["delivered_energy"]).isnull() & solved(formed)
    if not bool(unknown.any()):
        return {}
    cases = f"{int(unknown.sum())} of {unknown.size} cases"
    return {"note": f"delivered_energy is NaN in {cases}: no footprint by {', '.join(names)}"}


def _left_out(credited: bool, loop: WasteLoop | None) -> str:
    ends = SCRAP_ENDS if credited else NO_ENDS + SCRAP_ENDS
    if loop is None:
        return ends + (WITHOUT_RETURN if credited else WITHOUT_BOTH)
    bought = PURCHASES if loop.recycled_in_purchases.value else ""
    return ends + (WITH_RETURN if credited else f"{WITHOUT_CREDIT}; {WITH_RETURN}") + bought


def _cut_off(accounts: Mapping[str, Account]) -> str:
    return "".join(
        f"; by {name}, below the cut-off criterion: {', '.join(one.left_out)}"
        for name, one in accounts.items()
        if one.left_out
    )


def _each(words: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(words))
