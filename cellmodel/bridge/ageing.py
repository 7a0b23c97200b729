"""Many cycles with PyBaMM: the model is built once, and only the ends of steps are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

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
    "charge_voltage",
    "discharge_voltage",
    "resistance",
    "sei_thickness",
    "second_sei_thickness",
    "lithium_loss",
    "stored_lithium",
    "parasitic_charge",
    "lowest_negative_potential",
)


@dataclass(frozen=True)
class CycleEnd:
    """The whole state of a cell at the end of a cycle, with clock and totals at zero.

    Totals that grow over hundreds of cycles would let the solver, whose tolerance is relative,
    grow careless with each of them.

    Parameters
    ----------
    values
        Array, shape (states, 1): the model's own state vector.
    model
        The discretised model that it belongs to.
    """

    values: np.ndarray
    model: pybamm.BaseModel

    @classmethod
    def of(cls, solution: pybamm.Solution) -> CycleEnd:
        """Return the end of a solution."""
        last = solution.last_state
        model = last.all_models[-1]
        values = np.array(last.all_ys[0])
        for variable, slices in model.y_slices.items():
            if variable.name in (*readout.TOTALS, readout.PARASITIC):
                values[slices[0]] = 0
        return cls(values, model)

    def solution(self) -> pybamm.Solution:
        """Return it as a start for PyBaMM."""
        return pybamm.Solution(np.zeros(1), self.values, self.model, {})


def ahead(earlier: CycleEnd, later: CycleEnd, factor: float) -> CycleEnd:
    """Return `later` + `factor` (`later` - `earlier`), which keeps every linear invariant."""
    return CycleEnd(later.values + factor * (later.values - earlier.values), later.model)


def one_cycle(
    cell: Cell,
    protocol: Protocol,
    values: Mapping[str, float],
    start: State,
    method: reference.Method,
) -> Callable[[CycleEnd | None], tuple[CycleEnd, dict[str, float]]]:
    """Return a function that runs a protocol once.

    It takes the end of a cycle, None for the start, and returns the next end and everything in
    RESULTS; the voltages are means, energy / charge, and lithium_loss [A h] counts from the start;
    the lowest potential is that of the ends of steps.
    It raises InputError where the protocol cannot be run.

    Parameters
    ----------
    cell, protocol, values
        What is done to what; every protocol variable -> number.
    start
        Where the cell starts.
    method
        How it is solved.
    """
    simulation = reference.simulation(
        cell, protocol, values, method, state=start, only_step_ends=True
    )
    lithium_at_start: list[float] = []

    def run(state: CycleEnd | None) -> tuple[CycleEnd, dict[str, float]]:
        begin = None if state is None else state.solution()
        steps = reference.solve(simulation, cell, protocol, start=begin)
        over_time = readout.series(steps)
        lithium = readout.inventory(over_time)
        if state is None:
            lithium_at_start[:] = [lithium[0]]
        numbers = readout.raw(over_time, len(protocol.cycles))
        numbers["lithium_loss"] = lithium_at_start[0] - lithium[-1]
        numbers["resistance"] = _resistance(over_time)
        numbers = {name: float(np.sum(number)) for name, number in numbers.items()}
        for way in ("charge", "discharge"):
            if numbers[f"{way}_capacity"] == 0:
                raise InputError(
                    f"protocol '{protocol.name}' must charge and discharge the cell each time it "
                    f"is run, but there was no {way}; add the step that is missing"
                )
            numbers[f"{way}_voltage"] = numbers[f"{way}_energy"] / numbers[f"{way}_capacity"]
        return CycleEnd.of(steps[-1][-1]), {name: numbers[name] for name in RESULTS}

    return run


def _resistance(over_time: Mapping[str, np.ndarray]) -> float:
    """Return the step of voltage / step of current [ohm] where the first discharge begins."""
    current, voltage = over_time["current"], over_time["voltage"]
    begins = np.flatnonzero((current[1:] > 0) & (current[:-1] <= 0)) + 1
    if not begins.size:
        return np.nan
    at = begins[0]
    return float((voltage[at - 1] - voltage[at]) / (current[at] - current[at - 1]))
