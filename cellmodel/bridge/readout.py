"""What is read from a PyBaMM solution: the course over time, and totals per cycle and case."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pybamm

from cellmodel.bridge.passivation_submodels import HIGHEST, LOST, STORED, UNPASSIVATED

# Time series: name in our table -> PyBaMM's.
SERIES = {
    "voltage": "Voltage [V]",
    "current": "Current [A]",
    "cell_temperature": "Volume-averaged cell temperature [K]",
    "sei_thickness_series": "X-averaged negative SEI thickness [m]",
    "negative_stoichiometry_series": "Negative electrode stoichiometry",
    "positive_stoichiometry_series": "Positive electrode stoichiometry",
}
# Their sum is the potential of the negative electrode against lithium, under the film.
NEGATIVE_POTENTIAL = (
    "X-averaged negative electrode open-circuit potential [V]",
    "X-averaged negative electrode reaction overpotential [V]",
)
# PyBaMM's "Loss of lithium to negative SEI" forgets electrode pairs in parallel.
LITHIUM = "Total lithium in particles [mol]"
TOTALS = (
    "charge_capacity",
    "discharge_capacity",
    "charge_energy",
    "discharge_energy",
    "squared_current_time",
)
PARASITIC = "parasitic_charge"
PASSIVATION = (UNPASSIVATED, HIGHEST, STORED, LOST, PARASITIC)  # of formation models only
SECOND = {  # of a second negative material only
    "second_negative_stoichiometry": "Average negative secondary particle stoichiometry",
    "second_sei_thickness": "X-averaged negative secondary SEI thickness [m]",
}
READ = (*SERIES.values(), LITHIUM, *NEGATIVE_POTENTIAL, *TOTALS)  # from the solution
SECONDS_PER_HOUR = 3600.0
FARADAY = 96485.33212  # C/mol


def series(cycles: list[list[pybamm.Solution]]) -> dict[str, np.ndarray]:
    """Return what happened over time: `time` [s] and everything in SERIES, LITHIUM, TOTALS and, of
    a model that has it, PASSIVATION and SECOND, and the indices `cycle_index` and `step_index`
    (within its cycle), each an array over time.
    """
    parts: dict[str, list] = {"time": [], "cycle_index": [], "step_index": []}
    names = SERIES | {name: name for name in READ if name not in SERIES.values()}
    for cycle, steps in enumerate(cycles):
        for number, solution in enumerate(steps):
            if isinstance(solution, pybamm.EmptySolution):
                continue
            parts["time"].append(solution.t)
            parts["cycle_index"].append(np.full(len(solution.t), cycle))
            parts["step_index"].append(np.full(len(solution.t), number))
            for name, pybamm_name in (names | _optional(solution.all_models[0])).items():
                parts.setdefault(name, []).append(solution[pybamm_name].entries)
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}


def read(model: pybamm.BaseModel) -> list[str]:
    """Return the names of what is read from a solution of `model`."""
    return [*READ, *_optional(model).values()]


def _optional(model: pybamm.BaseModel) -> dict[str, str]:
    optional = {name: name for name in PASSIVATION} | SECOND
    return {name: known for name, known in optional.items() if known in model.variables}


def inventory(over_time: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the lithium that is not lost [A h]: in the particles, and kept for long."""
    particles = over_time[LITHIUM] * FARADAY / SECONDS_PER_HOUR
    return particles + over_time.get(STORED, 0.0)


def raw(over_time: Mapping[str, np.ndarray], cycles: int) -> dict[str, np.ndarray]:
    """Return the raw results of the contract between reference and kernels.

    Parameters
    ----------
    over_time
        From `series`.
    cycles
        Number of cycles.

    Returns
    -------
    dict
        Per cycle charge_capacity, discharge_capacity [A h], charge_energy, discharge_energy
        [W h], each an array; per case the rest, each a number. What only a formation model or a
        second negative material has is 0 without.
    """
    last = np.searchsorted(over_time["cycle_index"], np.arange(cycles), side="right") - 1
    results = {
        name: np.diff(over_time[name][last], prepend=0.0)
        for name in TOTALS
        if name != "squared_current_time"
    }
    lithium = inventory(over_time)
    charge_time, discharge_time = _times(over_time)
    none = np.zeros(1)
    stoichiometry = over_time["negative_stoichiometry_series"]
    return results | {
        "lithium_loss": lithium[0] - lithium[-1],
        "parasitic_charge": over_time.get(PARASITIC, none)[-1],
        "stored_lithium": over_time.get(STORED, none)[-1],
        "unpassivated_surface": over_time.get(UNPASSIVATED, none)[-1],
        "highest_negative_stoichiometry": over_time.get(HIGHEST, stoichiometry).max(),
        "sei_thickness": over_time["sei_thickness_series"][-1],
        "second_sei_thickness": over_time.get("second_sei_thickness", none)[-1],
        "formation_time": (over_time["time"][-1] - over_time["time"][0]) / SECONDS_PER_HOUR,
        "charge_time": charge_time,
        "discharge_time": discharge_time,
        "squared_current_time": over_time["squared_current_time"][-1],
        "max_cell_temperature": over_time["cell_temperature"].max(),
        "lowest_negative_potential": sum(over_time[n] for n in NEGATIVE_POTENTIAL).min(),
        "negative_stoichiometry": over_time["negative_stoichiometry_series"][-1],
        "second_negative_stoichiometry": over_time.get("second_negative_stoichiometry", none)[-1],
        "positive_stoichiometry": over_time["positive_stoichiometry_series"][-1],
    }


def _times(over_time: Mapping[str, np.ndarray]) -> tuple[float, float]:
    """Return hours with charging and with discharging current; a step has only one of them."""
    cycle, step = over_time["cycle_index"], over_time["step_index"]
    changed = (np.diff(cycle) != 0) | (np.diff(step) != 0)
    first = np.concatenate([[0], np.flatnonzero(changed) + 1])
    last = np.concatenate([first[1:] - 1, [len(over_time["time"]) - 1]])
    hours = (over_time["time"][last] - over_time["time"][first]) / SECONDS_PER_HOUR
    into, out = (
        over_time[f"{way}_capacity"][last] - over_time[f"{way}_capacity"][first]
        for way in ("charge", "discharge")
    )
    return float(hours[into > out].sum()), float(hours[out > into].sum())
