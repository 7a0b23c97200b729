"""Formation equipment: cycler channel, position and halls, per unit of the cell's energy."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from cellmodel.errors import InputError, unknown_name
from cellmodel.quantity import TEMPERATURE, Quantity, Range, read_input, read_quantity, shipped

# field -> what it may be; the TOML files must use these units
FIELDS: Mapping[str, Range] = MappingProxyType(
    {
        "rated_rate": Range(0.01, 100, "h-1"),
        "charge_efficiency": Range(0.05, 1, "1", hint="did you pass per cent?"),
        "discharge_efficiency": Range(0.05, 1, "1", hint="did you pass per cent?"),
        "no_load_loss": Range(0, 0.5, "1", hint="did you pass per cent?"),
        "recovered": Range(0, 1, "1", hint="did you pass per cent?"),
        "standby": Range(0, 1, "1", hint="did you pass per cent?"),
        "cable_loss": Range(0, 1, "1", hint="did you pass per cent?"),
        "position_heat_loss": Range(0, 1000, "W K-1 kWh-1"),
        "position_heat_capacity": Range(0, 1e6, "J K-1 kWh-1"),
        "heating_cop": Range(0.3, 20, "1"),
        "cooling_cop": Range(0.3, 20, "1"),
        "hall_temperature": TEMPERATURE,
        "soak_hall_power": Range(0, 1000, "W kWh-1"),
        "ageing_hall_power": Range(0, 1000, "W kWh-1"),
        "hall_heat_loss": Range(0, 1000, "W K-1 kWh-1"),
    }
)


@dataclass(frozen=True)
class Equipment:
    """What cells are formed with. "kWh" is the nominal energy of the cells in place.

    A channel is chosen for its cell, so that everything scales with the cell's energy. The
    converter loses a constant and a part in proportion to its load P,

        loss(P) = P_rated (no_load_loss + k |P| / P_rated),

    where k follows from the efficiency at rated power: 1 / charge_efficiency - 1 - no_load_loss
    on charge (P at the cell), 1 - discharge_efficiency - no_load_loss on discharge. Hence the
    efficiency falls at low load. `cellmodel.wall` has the energies.

    Parameters
    ----------
    name, title, source
        File stem, one line for people, where the figures come from.
    rated_rate
        Rated power of a channel / nominal energy of its cell [h-1].
    charge_efficiency, discharge_efficiency
        Of the converter at rated power [1].
    no_load_loss
        Loss of the running converter that does not depend on load / rated power [1].
    recovered
        Share of the discharge energy behind the converter that is used again [1].
    standby
        Auxiliary power while the position is occupied / rated power [1].
    cable_loss
        Resistive loss of cables and contacts at rated current / rated power [1].
    position_heat_loss
        Heat that a formation position loses to the hall [W K-1 kWh-1].
    position_heat_capacity
        Cell and tray [J K-1 kWh-1].
    heating_cop, cooling_cop
        Heat moved / electricity [1].
    hall_temperature
        Of the surroundings of positions and halls [K].
    soak_hall_power, ageing_hall_power
        Electricity of a hall at `hall_temperature`: fans, cranes, light [W kWh-1].
    hall_heat_loss
        Heat that a soak or ageing hall loses to its surroundings [W K-1 kWh-1].
    quantities
        Field -> Quantity, with unit, source and range.
    """

    name: str
    title: str
    source: str
    rated_rate: float
    charge_efficiency: float
    discharge_efficiency: float
    no_load_loss: float
    recovered: float
    standby: float
    cable_loss: float
    position_heat_loss: float
    position_heat_capacity: float
    heating_cop: float
    cooling_cop: float
    hall_temperature: float
    soak_hall_power: float
    ageing_hall_power: float
    hall_heat_loss: float
    quantities: Mapping[str, Quantity]

    def values(self) -> dict[str, float]:
        """Return field -> number."""
        return {name: getattr(self, name) for name in FIELDS}

    def replace(self, **values: float) -> Equipment:
        """Return the equipment with other numbers.

        Parameters
        ----------
        values
            Field = number, in the field's unit.

        Raises
        ------
        InputError
            If a field is unknown, or a value is no number, out of range, or more is lost
            without load than the efficiency at rated power allows.
        """
        quantities = dict(self.quantities)
        for name, value in values.items():
            if name not in FIELDS:
                raise unknown_name("equipment field", name, FIELDS)
            number = FIELDS[name].check(name, value)
            quantities[name] = Quantity(number, FIELDS[name].unit, "set by the user")
        numbers = {name: quantity.value for name, quantity in quantities.items()}
        check_equipment(numbers)
        return dataclasses.replace(self, **numbers, quantities=MappingProxyType(quantities))


def check_equipment(values: Mapping[str, object]) -> None:
    """Raise InputError unless `values` (numbers, arrays or DataArrays) describe equipment.

    Parameters
    ----------
    values
        Every field -> number or array; arrays must broadcast.
    """
    for name, bounds in FIELDS.items():
        bounds.check_array(name, values[name])
    lost = {
        "charge_efficiency": 1 / values["charge_efficiency"] - 1,
        "discharge_efficiency": 1 - values["discharge_efficiency"],
    }
    for name, loss in lost.items():
        if np.any(np.asarray(values["no_load_loss"] - loss) > 1e-12):
            raise InputError(
                "no_load_loss must not exceed the whole loss at rated power, "
                f"{float(np.min(np.asarray(loss))):.3g} by {name}; lower no_load_loss or {name}"
            )


def list_equipment() -> list[str]:
    """Return the names of the equipment that comes with the package."""
    return list(shipped("equipment"))


def load_equipment(name: str | Path | Equipment) -> Equipment:
    """Read equipment.

    Parameters
    ----------
    name
        Name of shipped equipment, or path of a .toml file.

    Raises
    ------
    InputError
        If there is no such equipment, or the file is wrong: unknown or missing keys, units,
        numbers out of range.
    """
    if isinstance(name, Equipment):
        return name
    path, table, texts = read_input("equipment", "equipment", name, FIELDS)
    quantities = {
        field: read_quantity(table[field], f"{path}: {field}", bounds)
        for field, bounds in FIELDS.items()
    }
    numbers = {field: quantity.value for field, quantity in quantities.items()}
    try:
        check_equipment(numbers)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return Equipment(**texts, quantities=MappingProxyType(quantities), **numbers)
