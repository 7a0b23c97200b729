"""What a plant takes and emits in a year, and which step takes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import xarray as xr

from cellmodel.equipment import FIELDS, Equipment, check_equipment, load_equipment
from cellmodel.errors import InputError
from cellmodel.factors import GAS, Factors, load_factors
from cellmodel.formed import (
    bare,
    check_formed,
    check_grid,
    check_sites,
    electricity_of_sites,
    first_cycle_efficiency,
    label_cases,
    plant_values,
    stack,
)
from cellmodel.mixture import mixture, refuse_mixture, stated
from cellmodel.plant import (
    DEFAULT_PLANT,
    Plant,
    annual_output,
    energy_use,
    formed_per_good,
    forming_step,
    load_plant,
    per_usual_cell,
    step_loads,
)
from cellmodel.rules import DEFAULT_RULES, load_rules
from cellmodel.wall import cycler_energy

_NEEDED = ("nominal_energy", "formation_energy", "formation_time")
_FOR_PEAK = ("charge_energy", "charge_time", "chamber_energy")


def plant_balance(
    formed: xr.Dataset,
    plant: str | Path | Plant = DEFAULT_PLANT,
    sites: Iterable[str] = ("FR", "DE", "PL", "CN"),
    factors: str | Path | Factors | None = None,
    equipment: str | Path | Equipment | None = None,
    *,
    strict: bool = False,
) -> xr.Dataset:
    """Return what the plant takes and emits in a year, with the share of each step.

    A plant makes cells, not kWh: throughput counts cells of its usual first-cycle efficiency e_u.
    With first-cycle efficiency e, energy per cell E, and so the good cells of a year
    N = throughput utilisation (e / e_u) / E, the cells formed per good cell s, formation time t
    and h operating hours a year,

        channels occupied  n = N s t / h           channels needed  n / utilisation
        average power      N s E_formation / h     (over the operating hours)

    and the peak is that of all channels needed charging at once, each with its mean power while
    it charges, and tempered as on average: a plant that staggers its lots stays near the average
    over utilisation. A protocol whose later charges are faster exceeds this peak meanwhile.
    Channels needed have no spares for repair.

    Parameters
    ----------
    formed
        From `simulate_formation` or `sweep_formation`; needs nominal_energy and formation_energy
        [W h] and formation_time [h]. Coordinates that are fields of the plant or of equipment
        take the place of theirs; `ramp_up` adds the dimension `year`.
    plant
        Name of a shipped plant, path of a .toml file, or Plant.
    sites
        Where the plant may stand.
    factors
        CSV file whose rows replace the shipped emission factors, or Factors.
    equipment
        What `formed` was formed with, for the peak; by default the one that it names, if any.
    strict
        Refuse to add factors of several lineages or sets of warming potentials.

    Returns
    -------
    xarray.Dataset
        annual_output, annual_electricity, annual_heat [GW h a-1]; annual_formation_electricity
        [MW h a-1]; formation_channels, formation_channels_needed [1]; formation_average_power
        and, if the equipment is known and `formed` has charge_energy, charge_time and
        chamber_energy, formation_peak_power [MW]; annual_plant_emissions (site) [t a-1], of the
        plant's electricity and gas, location-based; electricity_share, heat_share (step) [1],
        which sum to 1, or are 0 where there is no heat. Electricity for heat counts for the
        step that is heated, soak and ageing halls for formation. NaN where status is not 0. The
        attributes name the factors with their certainty, lineages and sets of warming potentials.

    Raises
    ------
    InputError
        If `formed` lacks a variable or holds a number that is negative or, in a case that was
        solved, not finite; if a site or plant field is unknown, a number is out of range, factors
        are mixed that must not be, or have other electricity of a site than a ramp began with.
    """
    plant = load_plant(plant)
    factors = factors if isinstance(factors, Factors) else load_factors(factors)
    places = check_sites(sites, factors)
    check_formed(formed, _NEEDED, _FOR_PEAK)
    check_grid(formed, places, factors)
    values = plant_values(formed, plant)
    found = [factors.get("electricity", place) for place in places]
    grid = electricity_of_sites(formed, places, [row.value for row in found])
    gas = [factors.get(name) for name in GAS]
    burning = sum(row.value for row in gas)
    used = {f"{row.name} {row.region}": row for row in (*found, *gas)}
    rules = load_rules(DEFAULT_RULES)  # of these only what they say of mixtures counts here
    if strict:
        refuse_mixture(used, rules)

    kilowatt_hours = bare(formed["nominal_energy"]) / 1000
    specific = bare(formed["formation_energy"]) / kilowatt_hours / 1000
    efficiency = first_cycle_efficiency(formed)
    energy = energy_use(plant, values, specific, efficiency)
    electricity = energy.electricity + energy.formation

    output = annual_output(values, efficiency)
    entered = output * 1e6 / kilowatt_hours * formed_per_good(plant, values)  # cells a-1
    occupied = entered / values["operating_hours"] * bare(formed["formation_time"])
    needed = occupied / values["utilisation"]
    formation = output * energy.formation  # GWh a-1
    electricity_share, heat_share = _shares(plant, values, energy.formation, efficiency)
    results = {
        "annual_output": output,
        "annual_electricity": output * electricity,
        "annual_heat": output * energy.heat,
        "annual_formation_electricity": formation * 1000,
        "annual_plant_emissions": output * (electricity * grid + energy.gas * burning) * 1000,
        "formation_channels": occupied,
        "formation_channels_needed": needed,
        "formation_average_power": formation * 1000 / values["operating_hours"],
        "electricity_share": electricity_share,
        "heat_share": heat_share,
    }
    equipment = _equipment(formed, equipment)
    if equipment is not None and all(name in formed for name in _FOR_PEAK):
        charging = _charging_power(formed, equipment)  # W per channel
        tempering = bare(formed["chamber_energy"]) / bare(formed["formation_time"])
        results["formation_peak_power"] = needed * (charging + tempering) / 1e6
    return label_cases(results, formed, ("step", "site")).assign_attrs(
        plant=plant.name,
        heat_source=plant.heat_source,
        electricity="location-based",
        mixed=mixture(used, rules),
        **stated(used),
        **_mismatch(plant, formed, equipment),
    )


def _shares(
    plant: Plant,
    values: Mapping,
    formation: float | xr.DataArray,
    efficiency: xr.DataArray | None,
) -> tuple[xr.DataArray, xr.DataArray]:
    """Return the share of each step of electricity and of heat (step, cases)."""
    per_usual = per_usual_cell(values, efficiency)
    heat = step_loads(plant, values, "heat", "heat_power")
    per_heat = {"gas": 0.0, "heat_pump": 1 / values["heat_pump_cop"], "electric": 1.0}
    electricity = {
        step: (own + heat[step] * per_heat[plant.heat_source]) * per_usual
        for step, own in step_loads(plant, values, "electricity", "power").items()
    }
    forming = forming_step(plant)
    electricity[forming] = electricity[forming] + formation
    shares = []
    for parts in (electricity, heat):
        stacked = stack(parts, "step")
        total = stacked.sum("step", skipna=False)
        shares.append(stacked / total.where(total != 0, 1.0))  # nothing has no shares: 0, not NaN
    return shares[0], shares[1]


def _equipment(formed: xr.Dataset, equipment: str | Path | Equipment | None) -> Equipment | None:
    if equipment is not None:
        return load_equipment(equipment)
    if "equipment" not in formed.attrs:
        return None
    try:
        return load_equipment(formed.attrs["equipment"])
    except InputError as error:
        raise InputError(
            f"{error}; formed names this equipment, pass its file: equipment=..."
        ) from error


def _charging_power(formed: xr.Dataset, equipment: Equipment) -> xr.DataArray:
    """Return the mean power of a channel at the wall while it charges, without cables [W]."""
    values: dict[str, float | xr.DataArray] = equipment.values()
    values |= {name: bare(formed[name]) for name in FIELDS if name in formed.coords}
    check_equipment(values)
    energy = bare(formed["charge_energy"])
    energy = energy.sum("cycle", skipna=False) if "cycle" in energy.dims else energy
    time = bare(formed["charge_time"])
    # a charge and nothing else: no discharge, no time at rest, no current in cables
    charged = cycler_energy(
        energy, 0.0, time, 0.0, time, 0.0, bare(formed["nominal_energy"]), 1.0, values
    )
    return charged / time


def _mismatch(plant: Plant, formed: xr.Dataset, equipment: Equipment | None) -> dict[str, str]:
    used = formed.attrs.get("equipment", "") if equipment is None else equipment.name
    if not plant.equipment or not used or used == plant.equipment:
        return {}
    return {"note": f"formed with {used}; {plant.name} forms with {plant.equipment}"}
