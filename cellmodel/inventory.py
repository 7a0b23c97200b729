"""Inventory: what a kilowatt-hour of good cells takes in kg and kWh, before any factor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import xarray as xr

from cellmodel.errors import InputError, unknown_name
from cellmodel.plant import EnergyUse, Plant, energy_use, plant_fields, started

_NEEDED = ("component_mass", "nominal_energy", "formation_energy")


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
        If a variable or coordinate is missing in `formed`, a component does not enter at any
        step, or a plant field is unknown or out of range.
    """
    _check_formed(formed)
    values = _plant_values(formed, plant)
    kilowatt_hours = bare(formed["nominal_energy"]) / 1000
    contained = bare(formed["component_mass"]) / kilowatt_hours
    bought = contained * _started_per_component(plant, values, formed["component"].values)
    mass = contained.sum("component", skipna=False)
    efficiency = formed.get("first_cycle_efficiency")
    energy = energy_use(
        plant,
        values,
        bare(formed["formation_energy"]) / kilowatt_hours / 1000,
        None if efficiency is None else bare(efficiency),
    )
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


def bare(array: xr.DataArray) -> xr.DataArray:
    """Return the array with the coordinates of its dimensions only: they decide on alignment."""
    return array.reset_coords(drop=True).drop_attrs()


def stack(parts: Mapping[str, xr.DataArray], dim: str = "component") -> xr.DataArray:
    """Return one array of several, name -> array, along a new dimension."""
    arrays = xr.broadcast(*(xr.DataArray(part) for part in parts.values()))
    stacked = xr.concat(arrays, dim, coords="minimal", compat="override", join="exact")
    return stacked.assign_coords({dim: list(parts)})


def _check_formed(formed: object) -> None:
    if not isinstance(formed, xr.Dataset):
        raise InputError(
            f"formed must be a Dataset from simulate_formation or sweep_formation, got "
            f"{type(formed).__name__}"
        )
    missing = [name for name in _NEEDED if name not in formed]
    if missing:
        raise InputError(
            f"formed lacks {', '.join(missing)}; pass the Dataset of simulate_formation or "
            "sweep_formation (component_mass needs a cell with [materials])"
        )
    if "material" not in formed["component_mass"].coords:
        raise InputError(
            "formed: component_mass must have the coordinate 'material' that bill_of_materials "
            "gives it: the name of each component's emission factor"
        )


def _plant_values(formed: xr.Dataset, plant: Plant) -> dict[str, float | xr.DataArray]:
    """Return the plant's numbers, those that `formed` sweeps in place of its own."""
    values: dict[str, float | xr.DataArray] = plant.values()
    fields, usual = plant.fields(), plant_fields()
    for name in formed.coords:
        if name in fields:
            fields[name].check_array(str(name), formed[name].values)
            values[str(name)] = bare(formed[name]).astype(float)
        elif name in usual:
            raise unknown_name(f"field of plant {plant.name!r}, swept in formed:", name, fields)
    return values


def _started_per_component(
    plant: Plant, values: Mapping, components: Iterable[str]
) -> xr.DataArray:
    """Return (component): how much of it enters per unit that leaves in good cells."""
    entering = started(plant, values)
    step_of = {component: step.name for step in plant.steps for component in step.adds}
    missing = [str(component) for component in components if component not in step_of]
    if missing:
        raise InputError(
            f"plant {plant.name!r}: {', '.join(missing)} must enter at a step; add it to the "
            "'adds' of one"
        )
    return stack({str(component): entering[step_of[component]] for component in components})
