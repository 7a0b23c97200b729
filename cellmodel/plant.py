"""The plant: process steps with yields, electricity and heat, kept apart."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from cellmodel.errors import InputError, quoted, unknown_name
from cellmodel.quantity import (
    Quantity,
    Range,
    check_keys,
    read_input,
    read_quantity,
    shipped,
    text,
)

if TYPE_CHECKING:
    import xarray as xr

HEAT_SOURCES = ("gas", "heat_pump", "electric")
PLANT_FIELDS: Mapping[str, Range] = MappingProxyType(
    {
        "throughput": Range(0, 1e4, "GWh a-1", above=True),
        "utilisation": Range(0, 1, "1", above=True, hint="did you pass per cent?"),
        "operating_hours": Range(0, 8784, "h a-1", above=True),
        "boiler_efficiency": Range(0.3, 1.1, "1", hint="did you pass per cent?"),
        "heat_pump_cop": Range(1, 20, "1"),
        "distribution_distance": Range(0, 40_000, "km"),
        "usual_efficiency": Range(0.3, 1, "1", hint="did you pass per cent?"),
    }
)
STEP_FIELDS: Mapping[str, Range] = MappingProxyType(
    {
        "electricity": Range(0, 1000, "1"),
        "heat": Range(0, 1000, "1"),
        "power": Range(0, 10_000, "MW"),
        "heat_power": Range(0, 10_000, "MW"),
        "yield": Range(0.05, 1, "1", hint="did you pass per cent?"),
    }
)
DEFAULT_PLANT = "gigafactory-16gwh"


@dataclass(frozen=True)
class ProcessStep:
    """A step of production.

    Parameters
    ----------
    name
        Prefix of its fields: `coating` has `coating_yield`, `coating_heat` ...
    adds
        Components of the cell that enter here; scrap of this and later steps takes them along.
    formation
        Whether this is formation, whose electricity comes from the simulation.
    """

    name: str
    adds: tuple[str, ...] = ()
    formation: bool = False


@dataclass(frozen=True)
class Plant:
    """A cell plant.

    Parameters
    ----------
    name, title, source
        File stem, one line for people, where the figures come from.
    heat_source
        "gas" (boiler), "heat_pump" or "electric" (resistance).
    steps
        In the order of production.
    quantities
        Field -> Quantity. Of the plant: `throughput`, good cells of the usual first-cycle
        efficiency at full utilisation [GWh a-1]: the plant makes as many cells of any other, which
        are fewer GWh if they lose more of their first charge; `usual_efficiency` [1];
        `utilisation` [1]; `operating_hours` during which fixed loads run [h a-1];
        `boiler_efficiency`, `heat_pump_cop` [1]; `distribution_distance` to the customer [km].
        Of a step, as `<step>_<field>`, none for what it does not have: `electricity` and `heat`
        [kWh per kWh of cells that enter the step], `power` and `heat_power`, drawn all the time
        the plant runs [MW], `yield` [1].
    equipment
        Name of the equipment it forms cells with; empty if the file does not say.
    """

    name: str
    title: str
    source: str
    heat_source: str
    steps: tuple[ProcessStep, ...]
    quantities: Mapping[str, Quantity]
    equipment: str = ""

    def values(self) -> dict[str, float]:
        """Return field -> number."""
        return {name: quantity.value for name, quantity in self.quantities.items()}

    def fields(self) -> dict[str, Range]:
        """Return field -> what it may be: the names that can be replaced and swept."""
        return {name: field_range(name) for name in self.quantities}

    def replace(self, *, heat_source: str | None = None, **values: float) -> Plant:
        """Return the plant with other numbers.

        Parameters
        ----------
        heat_source
            "gas", "heat_pump" or "electric".
        values
            Field = number, in the field's unit.

        Raises
        ------
        InputError
            If a field is unknown, or a value is no number or out of range.
        """
        quantities = dict(self.quantities)
        for name, value in values.items():
            if name not in quantities:
                raise unknown_name("plant field", name, quantities)
            bounds = field_range(name)
            number = bounds.check(name, value)
            quantities[name] = Quantity(number, bounds.unit, "set by the user")
        source = self.heat_source if heat_source is None else _heat_source(heat_source)
        return dataclasses.replace(
            self, heat_source=source, quantities=MappingProxyType(quantities)
        )


@dataclass(frozen=True)
class EnergyUse:
    """Energy of a plant [kWh per kWh of good cells]; numbers or DataArrays.

    Parameters
    ----------
    electricity
        Of everything but formation, that for heat included.
    formation
        Electricity of formation, rejected cells included.
    heat
        Useful heat.
    gas
        Burnt for heat, lower heating value.
    """

    electricity: float | xr.DataArray
    formation: float | xr.DataArray
    heat: float | xr.DataArray
    gas: float | xr.DataArray


def field_range(name: str) -> Range:
    """Return what a plant field may be; `name` as in `Plant.quantities`."""
    if name in PLANT_FIELDS:
        return PLANT_FIELDS[name]
    fitting = [field for field in STEP_FIELDS if name.endswith(f"_{field}")]
    return STEP_FIELDS[max(fitting, key=len)]  # heat_power, not power


def started(plant: Plant, values: Mapping) -> dict[str, float | xr.DataArray]:
    """Return, for every step, the cells that must enter it per good cell that leaves the plant.

    It is 1 / product of the yields of this step and all after it.

    Parameters
    ----------
    plant
        For the order of its steps.
    values
        Field -> number or DataArray.
    """
    entering = {}
    need = 1.0
    for step in reversed(plant.steps):
        need = need / values.get(f"{step.name}_yield", 1.0)
        entering[step.name] = need
    return entering


def energy_use(
    plant: Plant,
    values: Mapping,
    formation: float | xr.DataArray,
    efficiency: float | xr.DataArray | None = None,
) -> EnergyUse:
    """Return the energy of the plant per kWh of good cells.

    A step needs fixed power * hours / output, and per kWh that enters it its variable energy:

        E = P h / (throughput utilisation) + e / product of the yields from this step on.

    Throughput and variable energy count kWh of cells of the usual first-cycle efficiency. A plant
    makes cells, not kWh: those that keep less of their first charge took the same energy, so both
    terms are multiplied by usual_efficiency / first-cycle efficiency; `annual_output` is divided by
    it, and the power of the fixed loads stays what it is.

    Parameters
    ----------
    plant
        Steps and heat source.
    values
        Field -> number or DataArray.
    formation
        Simulated electricity of forming one cell / its nominal energy [1].
    efficiency
        First-cycle efficiency of the cells [1]; the usual one if None.
    """
    per_usual = per_usual_cell(values, efficiency)

    def total(variable: str, fixed: str) -> float | xr.DataArray:
        return sum(step_loads(plant, values, variable, fixed).values()) * per_usual

    electricity, heat = total("electricity", "power"), total("heat", "heat_power")
    gas = heat / values["boiler_efficiency"] if plant.heat_source == "gas" else 0.0 * heat
    if plant.heat_source == "heat_pump":
        electricity = electricity + heat / values["heat_pump_cop"]
    elif plant.heat_source == "electric":
        electricity = electricity + heat
    return EnergyUse(electricity, formation * formed_per_good(plant, values), heat, gas)


def step_loads(
    plant: Plant, values: Mapping, variable: str, fixed: str
) -> dict[str, float | xr.DataArray]:
    """Return step -> energy [kWh per kWh of good cells of the usual first-cycle efficiency].

    Parameters
    ----------
    plant, values
        As for `energy_use`.
    variable, fixed
        The fields that add up: "electricity" and "power", or "heat" and "heat_power".
    """
    entering = started(plant, values)
    output = values["throughput"] * values["utilisation"] * 1000  # MWh a-1
    hours_per_output = values["operating_hours"] / output
    return {
        step.name: values.get(f"{step.name}_{fixed}", 0.0) * hours_per_output
        + values.get(f"{step.name}_{variable}", 0.0) * entering[step.name]
        for step in plant.steps
    }


def per_usual_cell(
    values: Mapping, efficiency: float | xr.DataArray | None
) -> float | xr.DataArray:
    """Return kWh of usual cells made per kWh of these; see `energy_use`."""
    return 1.0 if efficiency is None else values["usual_efficiency"] / efficiency


def annual_output(
    values: Mapping, efficiency: float | xr.DataArray | None = None
) -> float | xr.DataArray:
    """Return the good cells of a year [GWh a-1]: as many, whatever their efficiency.

    Parameters
    ----------
    values, efficiency
        As for `energy_use`.
    """
    return values["throughput"] * values["utilisation"] / per_usual_cell(values, efficiency)


def formed_per_good(plant: Plant, values: Mapping) -> float | xr.DataArray:
    """Return the cells that enter formation per good cell."""
    return started(plant, values)[forming_step(plant)]


def forming_step(plant: Plant) -> str:
    """Return the name of the step that is formation."""
    return next(step.name for step in plant.steps if step.formation)


def plant_fields(plant: str | Path | Plant = DEFAULT_PLANT) -> dict[str, Range]:
    """Return the fields of a plant that can be swept, with what they may be."""
    return load_plant(plant).fields()


def list_plants() -> list[str]:
    """Return the names of the plants that come with the package."""
    return list(shipped("plants"))


def load_plant(name: str | Path | Plant) -> Plant:
    """Read a plant.

    Parameters
    ----------
    name
        Name of a shipped plant, path of a .toml file, or a Plant, which is returned as it is.

    Raises
    ------
    InputError
        If there is no such plant, or the file is wrong: unknown or missing keys, units, numbers
        out of range, not exactly one formation step.
    """
    if isinstance(name, Plant):
        return name
    required = ("heat_source", *PLANT_FIELDS, "step")
    path, table, texts = read_input("plants", "plant", name, required, ("equipment",))
    quantities = {
        field: read_quantity(table[field], f"{path}: {field}", bounds)
        for field, bounds in PLANT_FIELDS.items()
    }
    if not isinstance(table["step"], list):
        raise InputError(f"{path}: steps must be tables [[step]], got {quoted(table['step'])}")
    steps = []
    for number, entry in enumerate(table["step"], start=1):
        step, own = _read_step(entry, f"{path}: step {number}")
        if step.name in [other.name for other in steps]:
            raise InputError(f"{path}: step {number}: there is a step {step.name!r} already")
        again = [part for other in steps for part in other.adds if part in step.adds]
        if again:
            raise InputError(
                f"{path}: step {number} ({step.name}): {', '.join(again)} must enter at one step, "
                "and does so at an earlier one"
            )
        steps.append(step)
        quantities.update(own)
    forming = sum(step.formation for step in steps)
    if forming != 1:
        raise InputError(f"{path}: one step must have formation = true, got {forming}")
    return Plant(
        **texts,
        heat_source=_heat_source(table["heat_source"]),
        steps=tuple(steps),
        quantities=MappingProxyType(quantities),
        equipment=text(table["equipment"], f"{path}: equipment") if "equipment" in table else "",
    )


def _read_step(entry: object, where: str) -> tuple[ProcessStep, dict[str, Quantity]]:
    check_keys(entry, ("name", "adds", "formation", *STEP_FIELDS), where, required=("name",))
    name = text(entry["name"], f"{where}: name")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,50}", name):
        raise InputError(f"{where}: a name must be lower case letters and _, got {quoted(name)}")
    adds, formation = entry.get("adds", []), entry.get("formation", False)
    if not isinstance(adds, list) or not isinstance(formation, bool):
        raise InputError(f"{where}: adds must be a list of components, formation true or false")
    if formation and "electricity" in entry:
        raise InputError(f"{where}: the electricity of formation is simulated; remove the key")
    components = tuple(text(component, f"{where}: adds") for component in adds)
    quantities = {
        f"{name}_{field}": read_quantity(entry[field], f"{where} ({name}): {field}", bounds)
        for field, bounds in STEP_FIELDS.items()
        if field in entry
    }
    return ProcessStep(name, components, formation), quantities


def _heat_source(value: object) -> str:
    if value not in HEAT_SOURCES:
        raise unknown_name("heat source", value, HEAT_SOURCES)
    return value
