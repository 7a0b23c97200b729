"""A protocol as pybamm.Experiment."""

from __future__ import annotations

from collections.abc import Mapping

import pybamm

from cellmodel.bridge.readout import SECONDS_PER_HOUR
from cellmodel.protocol import Protocol
from cellmodel.step import Step

# PyBaMM ends a step without a time after 24 h or twice the nominal time, which a C/50 charge
# needs; this one is long enough for C/1000, and reaching it is an error.
LONGEST_STEP_TIME = 1e7  # s
SHORTEST_STEP_TIME = 1e-6  # s, for a step of no length, which PyBaMM refuses
CHARGE_BEFORE = "Net discharged capacity before the step [A.h]"  # input, see CapacityTermination


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


class CapacityTermination(pybamm.step.BaseTermination):
    """Ends a step when the net charge since its beginning reaches `value` [A h].

    PyBaMM's own capacities count from the beginning of the experiment
    (github.com/pybamm-team/PyBaMM/issues/5338), as those of `reference.model_with_totals` do; what
    they were when the step began is an input that the solver gives.
    """

    def get_event_name(self, step: pybamm.step.BaseStep) -> str:
        """Return the name by which PyBaMM knows why a step ended."""
        return f"Capacity since the step began > {self.value} [A.h] [experiment]"

    def get_event_expression(self, variables: Mapping, step: pybamm.step.BaseStep) -> pybamm.Symbol:
        """Return what is positive before the event and zero when it happens."""
        passed = variables["discharge_capacity"] - variables["charge_capacity"]
        return self.value - abs(passed - pybamm.InputParameter(CHARGE_BEFORE))


def _step(step: Step, values: Mapping[str, float], nominal_capacity: float) -> pybamm.step.BaseStep:
    setpoint, voltage, current, duration, charge = step.numbers(values, nominal_capacity)
    terminations: list[pybamm.step.BaseTermination] = []
    if voltage is not None:
        way = "<" if step.sign > 0 else ">"
        terminations.append(pybamm.step.VoltageTermination(float(voltage), operator=way))
    if current is not None:
        terminations.append(pybamm.step.CurrentTermination(float(current)))
    if charge is not None:
        terminations.append(CapacityTermination(charge / SECONDS_PER_HOUR))
    kinds = {
        "current": pybamm.step.current,
        "voltage": pybamm.step.voltage,
        "power": pybamm.step.power,
    }
    return kinds[step.kind](
        float(setpoint),
        termination=terminations,
        duration=LONGEST_STEP_TIME
        if duration is None
        else max(float(duration), SHORTEST_STEP_TIME),
        description=step.template,
    )
