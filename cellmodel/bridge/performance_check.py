"""What a cell can do at a given age: capacity, resistance and power, measured on the side.

The check starts from a copy of the cell's state and costs the cell nothing, unlike on a bench. It
follows the hybrid pulse power characterisation of the US Department of Energy (FreedomCAR Battery
Test Manual for Power-Assist Hybrid Electric Vehicles, DOE/ID-11069, 2003): a discharge pulse of
10 s after an hour of rest at several states of charge, resistance from the step of the voltage,
power from the resistance. The pulse here is of 1 C.

    R = (V_rest - V_pulse) / I          V_pulse at the end of the pulse
    P = V_lower (V_rest - V_lower) / R

P is the power at which a cell of this open-circuit voltage and resistance would arrive at its
lower voltage at the end of the pulse. It takes the resistance measured at the current of the pulse
also at the larger one that the power takes, as laboratories do. Against pulses of constant power,
searched for with SPMe (lfp-graphite, nmc811-graphite-siox, 8 to 22 C): 0.86 times (LFP at 20 %)
to more than 1.3 times as much is found, because charge transfer needs less than in proportion, and
an electrode may be drained. So P compares cells and ages; it is no rating.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import pybamm

from cellmodel.bridge import readout, reference
from cellmodel.bridge.ageing import CycleEnd
from cellmodel.bridge.parameter_values import State
from cellmodel.cell import Cell
from cellmodel.protocol import Protocol
from cellmodel.step import parse_step

STATES_OF_CHARGE = (0.8, 0.5, 0.2)  # descending; of the capacity that the check itself finds
PULSE_RATE = 1.0  # C
PULSE_TIME = 10.0  # s
REMOVED = "Charge removed before the pulse [A.h]"

_FULL = (
    "Charge at C/3 until {upper_voltage} V",
    "Hold at {upper_voltage} V until C/20",
    "Rest for 1 hour",
)
_CAPACITY = ("Discharge at C/3 until {lower_voltage} V",)
_PULSE = (
    "Discharge at C/3 until {removed} A.h",
    "Rest for 1 hour",
    f"Discharge at {PULSE_RATE:g} C for {PULSE_TIME:g} seconds",
)


def performance_check(
    cell: Cell, temperature: float, start: State, method: reference.Method
) -> Callable[[CycleEnd | None], dict[str, float | list[float]]]:
    """Return a function that checks a cell at the end of a cycle (None: at its start).

    It returns `check_capacity` [A h], a C/3 discharge from full charge, and over STATES_OF_CHARGE
    `dc_resistance` [ohm] and `pulse_power` [W]. It raises InputError where the cell cannot be
    checked.

    Parameters
    ----------
    cell
        Its own voltage window is used.
    temperature
        Of chamber, and of the cell at the start [K].
    start
        Where the cell starts.
    method
        How it is solved.
    """
    lower = cell.parameter("Lower voltage cut-off [V]")
    nominal = cell.parameter("Nominal cell capacity [A.h]")
    values = {
        "temperature": temperature,
        "upper_voltage": cell.parameter("Upper voltage cut-off [V]"),
        "lower_voltage": lower,
        "removed": pybamm.InputParameter(REMOVED),
    }

    def prepared(name: str, steps: tuple[str, ...]) -> Callable:
        units = {"upper_voltage": "V", "lower_voltage": "V", "removed": "A.h"}
        parsed = tuple(parse_step(step, 0, units, name) for step in steps)
        protocol = Protocol(name, name, __doc__, MappingProxyType({}), (), (steps,), parsed)
        simulation = reference.simulation(
            cell, protocol, values, method, state=start, only_step_ends=True
        )

        def run(begin: CycleEnd | None, removed: float = 0.0) -> tuple[CycleEnd, Mapping]:
            solved = reference.solve(
                simulation,
                cell,
                protocol,
                start=None if begin is None else begin.solution(),
                inputs={REMOVED: removed},
            )
            return CycleEnd.of(solved[-1][-1]), readout.series(solved)

        return run

    charge = prepared("charge of the performance check", _FULL)
    discharge = prepared("discharge of the performance check", _CAPACITY)
    pulse = prepared("pulse of the performance check", _PULSE)

    def check(state: CycleEnd | None) -> dict[str, float | list[float]]:
        full, _ = charge(state)
        capacity = float(discharge(full)[1]["discharge_capacity"][-1])
        resistances, powers = [], []
        at, left = full, 1.0
        for share in STATES_OF_CHARGE:
            at, series = pulse(at, (left - share) * capacity)
            left = share - PULSE_RATE * nominal * PULSE_TIME / readout.SECONDS_PER_HOUR / capacity
            rest = series["voltage"][series["step_index"] == _PULSE.index("Rest for 1 hour")][-1]
            resistances.append(float((rest - series["voltage"][-1]) / series["current"][-1]))
            powers.append(float(lower * (rest - lower) / resistances[-1]))
        return {"check_capacity": capacity, "dc_resistance": resistances, "pulse_power": powers}

    return check
