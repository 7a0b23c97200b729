"""Electricity that formation takes at the wall: cycler, chamber, soak and ageing halls.

Floats, numpy arrays and DataArrays are all the same to these functions: one formula serves the
reference and the sweep.

The boundary ends at the meters of cycler, formation chamber and halls. Outside it are the air
conditioning that removes the cyclers' waste heat from the building, transport, and degassing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

import numpy as np

Number = TypeVar("Number")  # float, numpy array or DataArray

SECONDS_PER_HOUR = 3600.0
WATTS_PER_KILOWATT = 1000.0


def cycler_energy(
    charge_energy: Number,
    discharge_energy: Number,
    charge_time: Number,
    discharge_time: Number,
    channel_time: Number,
    squared_current_time: Number,
    nominal_energy: Number,
    nominal_capacity: Number,
    equipment: Mapping[str, Number],
) -> Number:
    """Return the electricity of the cycler, the recovered discharge energy subtracted.

    With P_rated = rated_rate * nominal_energy and the converter's loss linear in its load,

        charge    = E_c (1 + k_c) + n P_rated t_c,      k_c = 1 / charge_efficiency - 1 - n
        returned  = E_d (1 - k_d) - n P_rated t_d,      k_d = 1 - discharge_efficiency - n
        cables    = cable_loss P_rated * integral(I^2 dt) / I_rated^2
        cycler    = charge + cables + standby P_rated t - recovered * returned

    hold exactly for any course of the load: only its integrals enter. n is no_load_loss,
    I_rated = rated_rate * nominal_capacity. A channel whose losses exceed what the cell
    delivers draws the difference, whatever its recovered share.

    Parameters
    ----------
    charge_energy, discharge_energy
        At the terminals, both positive [W h].
    charge_time, discharge_time
        Time with current in that direction [h].
    channel_time
        Time the channel is occupied [h].
    squared_current_time
        Time integral of the squared current [A2 h].
    nominal_energy, nominal_capacity
        Of the cell: the channel is sized by them [W h, A h].
    equipment
        Field of Equipment -> value.

    Returns
    -------
    Number
        [W h], negative only if the cell itself delivers more than it takes.
    """
    no_load = equipment["no_load_loss"]
    rated_power = equipment["rated_rate"] * nominal_energy
    rated_current = equipment["rated_rate"] * nominal_capacity
    charge_slope = 1 / equipment["charge_efficiency"] - 1 - no_load
    discharge_slope = 1 - equipment["discharge_efficiency"] - no_load
    charge = charge_energy * (1 + charge_slope) + no_load * rated_power * charge_time
    returned = discharge_energy * (1 - discharge_slope) - no_load * rated_power * discharge_time
    reused = equipment["recovered"] * np.maximum(returned, 0) + np.minimum(returned, 0)
    cables = equipment["cable_loss"] * rated_power * squared_current_time / rated_current**2
    return charge + cables + equipment["standby"] * rated_power * channel_time - reused


def chamber_energy(
    temperature: Number,
    channel_time: Number,
    halls: Iterable[tuple[str, Number, Number]],
    nominal_energy: Number,
    equipment: Mapping[str, Number],
) -> Number:
    """Return the electricity that tempers cell, position and halls.

    Each stay at a temperature T other than hall_temperature T_h costs the heat-up of cell and
    tray and the heat lost meanwhile, per kWh of nominal energy and divided by the coefficient of
    performance (COP) of heating or cooling; the halls also have a base power:

        position = [position_heat_capacity + position_heat_loss t] (T - T_h) / COP
        hall     = [position_heat_capacity + hall_heat_loss t] (T - T_h) / COP + hall_power t

    Parameters
    ----------
    temperature
        Of the formation chamber [K].
    channel_time
        Time in it [h].
    halls
        For each stay in a hall: "soak" or "ageing", duration [h], temperature [K].
    nominal_energy
        Of the cell [W h].
    equipment
        Field of Equipment -> value.

    Returns
    -------
    Number
        [W h].
    """
    heat_capacity = equipment["position_heat_capacity"] / SECONDS_PER_HOUR
    position = heat_capacity + equipment["position_heat_loss"] * channel_time
    energy = position * _kelvins_to_pump(temperature, equipment)
    for hall, duration, hall_temperature in halls:
        heat = heat_capacity + equipment["hall_heat_loss"] * duration
        energy = energy + heat * _kelvins_to_pump(hall_temperature, equipment)
        energy = energy + equipment[f"{hall}_hall_power"] * duration
    return energy * nominal_energy / WATTS_PER_KILOWATT


def _kelvins_to_pump(temperature: Number, equipment: Mapping[str, Number]) -> Number:
    """Return the distance from hall temperature, each kelvin weighted by 1 / COP [K]."""
    warmer = temperature - equipment["hall_temperature"]
    heating = np.maximum(warmer, 0) / equipment["heating_cop"]
    return heating + np.maximum(-warmer, 0) / equipment["cooling_cop"]
