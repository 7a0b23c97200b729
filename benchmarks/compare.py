"""How far one formation is from another, and whether PyBaMM kept to where its equations hold."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from references import FAILED, SERIES, Results

from kernels.salt_step import SALT_EDGE
from kernels.step_control import STOICHIOMETRY_EDGE  # where the kernels end a case

SECONDS_PER_HOUR = 3600.0

#: kind of difference -> what the kernels owe (DESIGN)
OWED = {
    "charge energy [%]": 0.1,
    "discharge energy [%]": 0.1,
    "net energy loss, all cycles [%]": 0.5,
    "net energy loss, worst cycle [%]": 0.5,
    "lithium loss [%]": 0.5,
    "end of the protocol [%]": 0.2,
    "highest temperature [K]": None,
    "ends of steps [%]": 0.2,
    "voltage, RMS over a step [mV]": 1.0,
}

Differences = Mapping[str, float]


def differences(found: Results | xr.Dataset, known: Results) -> Differences:
    """Return the differences of one formation, of that cycle where they are largest."""

    def percent(name: str) -> float:
        return float(np.max(_percent(found[name], known[name])))

    net = np.asarray(found["charge_energy"] - found["discharge_energy"])
    known_net = known["charge_energy"] - known["discharge_energy"]
    warmer = found["max_cell_temperature"] - known["max_cell_temperature"]
    return {
        "charge energy [%]": percent("charge_energy"),
        "discharge energy [%]": percent("discharge_energy"),
        "net energy loss, all cycles [%]": float(_percent(net.sum(), known_net.sum())),
        "net energy loss, worst cycle [%]": float(np.max(_percent(net, known_net))),
        "lithium loss [%]": percent("lithium_loss"),
        "end of the protocol [%]": percent("formation_time"),
        "highest temperature [K]": abs(float(warmer)),
    }


def trace_differences(trace: xr.Dataset, known: Results) -> Differences:
    """Return the differences over time of one formation, of that step where they are largest."""
    ours = _steps({name: trace[name].values for name in SERIES})
    theirs = _steps({**known, "time": known["time"] / SECONDS_PER_HOUR})
    ends, voltages = [], []
    for step in ours.keys() & theirs.keys():  # PyBaMM leaves out a hold that is over at once
        (time, voltage), (known_time, known_voltage) = ours[step], theirs[step]
        ends.append(float(_percent(time[-1], known_time[-1])))
        time, known_time = time - time[0], known_time - known_time[0]
        within = time <= known_time[-1]
        square = (voltage - np.interp(time, known_time, known_voltage))[within] ** 2
        duration = time[within][-1]
        if duration > 0:
            voltages.append(np.sqrt(np.trapezoid(square, time[within]) / duration))
    return {
        "ends of steps [%]": max(ends),
        "voltage, RMS over a step [mV]": 1000 * float(max(voltages)),
    }


def outside(known: Results) -> str:
    """Return how PyBaMM left the range in which its equations hold, "" if it did not."""
    if FAILED in known:
        return "does not get to the end"
    if known["lowest_salt"] < SALT_EDGE:
        return "runs out of salt"
    if min(known["emptiest_surface"], 1 - known["fullest_surface"]) < STOICHIOMETRY_EDGE:
        return "comes within a thousandth of an empty or full particle"
    return ""


def _steps(course: Results) -> dict[tuple[int, int], tuple[np.ndarray, np.ndarray]]:
    """Return cycle and step -> time [h] since the start of the protocol, and voltage [V]."""
    cycle, step = course["cycle_index"].astype(int), course["step_index"].astype(int)
    parts = {}
    for key in set(zip(cycle.tolist(), step.tolist(), strict=True)):
        own = (cycle == key[0]) & (step == key[1])
        parts[key] = course["time"][own], course["voltage"][own]
    return parts


def _percent(found: np.ndarray, known: np.ndarray) -> np.ndarray:
    return 100 * np.abs(np.asarray(found) / np.asarray(known) - 1)
