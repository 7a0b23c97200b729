"""Many cycles with PyBaMM: the model is built once, and only the ends of steps are kept."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pybamm

from cellmodel.bridge import readout, reference
from cellmodel.bridge.parameter_values import State
from cellmodel.cell import Cell
from cellmodel.errors import InputError
from cellmodel.protocol import Protocol

RESULTS = (
    "charge_capacity",
    "discharge_capacity",
    "charge_energy",
    "discharge_energy",
    "resistance",
    "sei_thickness",
    "lithium_loss",
)


def cycle(
    cell: Cell,
    protocol: Protocol,
    values: Mapping[str, float],
    start: tuple[float, float, float],
    cycles: int,
    method: reference.Method,
) -> tuple[dict[str, np.ndarray], str]:
    """Repeat a protocol.

    Parameters
    ----------
    cell, protocol, values
        What is done to what; every protocol variable -> number.
    start
        Negative and positive stoichiometry [1] and SEI thickness [m].
    cycles
        How many times.
    method
        How it is solved.

    Returns
    -------
    dict, str
        Everything in RESULTS, an array over the cycles; why it stopped early, "" if it did not.

    Raises
    ------
    InputError
        If the first cycle cannot be run.
    """
    simulation = reference.simulation(
        cell, protocol, values, method, state=State(*start), only_step_ends=True
    )
    results = {name: np.full(cycles, np.nan) for name in RESULTS}
    fresh_lithium = None
    state = None
    for index in range(cycles):
        try:
            steps = reference.solve(simulation, cell, protocol, start=state)
        except InputError as error:
            if index == 0:
                raise
            return results, f"after {index} cycles: {error}"
        over_time = readout.series(steps)
        lithium = readout.inventory(over_time)
        fresh_lithium = lithium[0] if fresh_lithium is None else fresh_lithium
        numbers = readout.raw(over_time, len(protocol.cycles))
        numbers["lithium_loss"] = fresh_lithium - lithium[-1]
        numbers["resistance"] = _resistance(over_time)
        for name in RESULTS:
            results[name][index] = np.sum(numbers[name])
        state = _restart(steps[-1][-1])
    return results, ""


def _resistance(over_time: Mapping[str, np.ndarray]) -> float:
    """Return the step of voltage / step of current [ohm] where the first discharge begins."""
    current, voltage = over_time["current"], over_time["voltage"]
    begins = np.flatnonzero((current[1:] > 0) & (current[:-1] <= 0)) + 1
    if not begins.size:
        return np.nan
    at = begins[0]
    return float((voltage[at - 1] - voltage[at]) / (current[at] - current[at - 1]))


def _restart(solution: pybamm.Solution) -> pybamm.Solution:
    """Return the end of `solution` as a start, with clock and totals at zero.

    Totals that grow over hundreds of cycles would let the solver, whose tolerance is relative,
    grow careless with each of them.
    """
    last = solution.last_state
    model = last.all_models[-1]
    y = np.array(last.all_ys[0])
    for variable, slices in model.y_slices.items():
        if variable.name in (*readout.TOTALS, readout.PARASITIC):
            y[slices[0]] = 0
    return pybamm.Solution(np.zeros(1), y, model, {})
