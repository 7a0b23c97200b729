"""Inventory: what a kilowatt-hour of good cells takes in kg and kWh, before any factor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import xarray as xr

from cellmodel.errors import InputError, unknown_name
from cellmodel.formed import bare, check_formed, first_cycle_efficiency, plant_values, stack
from cellmodel.materials import COMPONENTS, SECOND
from cellmodel.plant import EnergyUse, Plant, energy_use, started

NEEDED = ("component_mass", "nominal_energy", "formation_energy")


@dataclass(frozen=True)
class Inventory:
    """What a kilowatt-hour of good cells takes.

    Parameters
    ----------
    kilowatt_hours
        Nominal energy of a cell [kWh].
    values
        Field of the plant -> number or DataArray.
    contained, bought
        (component, ...) in the cells, and bought for them [kg kWh-1].
    mass, scrap
        Of the cells, and of what did not become one [kg kWh-1].
    freight
        Transport to the customer [t km kWh-1].
    energy
        Of the plant [1].
    """

    kilowatt_hours: xr.DataArray
    values: Mapping[str, float | xr.DataArray]
    contained: xr.DataArray
    bought: xr.DataArray
    mass: xr.DataArray
    scrap: xr.DataArray
    freight: xr.DataArray
    energy: EnergyUse


def take_inventory(formed: xr.Dataset, plant: Plant) -> Inventory:
    """Return what a kilowatt-hour of good cells takes.

    Parameters
    ----------
    formed
        As for `footprint`.
    plant
        Its steps and numbers; a coordinate of `formed` that is a field of it takes its place.

    Raises
    ------
    InputError
        If a variable or coordinate is missing in `formed`, or a number in it is negative or, in
        a case that was solved, not finite; a component does not enter at any step, or a plant
        field is unknown or out of range.
    """
    check_formed(formed, NEEDED, ("formation_time",))
    values = plant_values(formed, plant)
    kilowatt_hours = bare(formed["nominal_energy"]) / 1000
    contained = bare(formed["component_mass"]) / kilowatt_hours
    bought = contained * _started_per_component(plant, values, formed["component"].values)
    mass = contained.sum("component", skipna=False)
    specific = bare(formed["formation_energy"]) / kilowatt_hours / 1000
    energy = energy_use(plant, values, specific, first_cycle_efficiency(formed))
    return Inventory(
        kilowatt_hours,
        values,
        contained,
        bought,
        mass,
        bought.sum("component", skipna=False) - mass,
        mass / 1000 * values["distribution_distance"],
        energy,
    )


def entry_steps(plant: Plant, components: Iterable[str]) -> dict[str, str]:
    """Return component -> step at which it enters.

    Raises
    ------
    InputError
        If a component enters at no step, or a step adds what is no component.
    """
    names = [str(component) for component in components]
    step_of = {added: step.name for step in plant.steps for added in step.adds}
    for added, step in step_of.items():
        if added not in (*names, *COMPONENTS, SECOND):
            raise unknown_name(f"component that plant {plant.name!r} adds at {step},", added, names)
    missing = [name for name in names if name not in step_of]
    if missing:
        raise InputError(
            f"plant {plant.name!r}: {', '.join(missing)} must enter at a step; add it to the "
            "'adds' of one"
        )
    return {name: step_of[name] for name in names}


def _started_per_component(
    plant: Plant, values: Mapping, components: Iterable[str]
) -> xr.DataArray:
    """Return (component): how much of it enters per unit that leaves in good cells."""
    entering = started(plant, values)
    steps = entry_steps(plant, components)
    return stack({component: entering[step] for component, step in steps.items()}, "component")
