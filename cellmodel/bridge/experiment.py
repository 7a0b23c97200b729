"""A protocol as pybamm.Experiment."""

from __future__ import annotations

from collections.abc import Mapping

import pybamm

from cellmodel.protocol import Protocol
from cellmodel.step import Step

# PyBaMM ends a step without a time after 24 h or twice the nominal time, which a C/50 charge
# needs; this one is long enough for C/1000, and reaching it is an error.
LONGEST_STEP_TIME = 1e7  # s


def experiment(
    protocol: Protocol, values: Mapping[str, float], nominal_capacity: float
) -> pybamm.Experiment:
    """Return the steps of a protocol for PyBaMM.

    Built from the parsed steps, not from their sentences: so the kernels and PyBaMM get the very
    same numbers, and PyBaMM's default durations do not cut slow steps short.

    Parameters
    ----------
    protocol
        What is done.
    values
        Every protocol variable -> number, in the variable's unit.
    nominal_capacity
        Of the cell [A h], which makes a rate a current.
    """
    cycles: list[list[pybamm.step.BaseStep]] = []
    for step in protocol.steps:
        if step.cycle == len(cycles):
            cycles.append([])
        cycles[-1].append(_step(step, values, nominal_capacity))
    return pybamm.Experiment([tuple(steps) for steps in cycles])


def _step(step: Step, values: Mapping[str, float], nominal_capacity: float) -> pybamm.step.BaseStep:
    number = {
        name: None if term is None else float(term.evaluate(values, nominal_capacity))
        for name, term in (
            ("value", step.value),
            ("voltage", step.voltage_limit),
            ("current", step.current_limit),
            ("time", step.time_limit),
        )
    }
    terminations = []
    if number["voltage"] is not None:
        way = "<" if step.sign > 0 else ">"
        terminations.append(pybamm.step.VoltageTermination(number["voltage"], operator=way))
    if number["current"] is not None:
        terminations.append(pybamm.step.CurrentTermination(number["current"]))
    options = {
        "termination": terminations,
        "duration": LONGEST_STEP_TIME if number["time"] is None else number["time"],
        "description": step.template,
    }
    if step.kind == "rest":
        return pybamm.step.rest(**options)
    if step.kind == "voltage":
        return pybamm.step.voltage(number["value"], **options)
    return pybamm.step.current(step.sign * number["value"], **options)
