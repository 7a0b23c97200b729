"""Calibration of the SEI: one rate, so that the simulated first cycle loses what real ones do."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path

import xarray as xr

from cellmodel.cell import SEI_LAWS, Cell, load_cell
from cellmodel.errors import InputError
from cellmodel.protocol import Protocol, load_protocol
from cellmodel.quantity import Quantity, Range
from cellmodel.summary import first_cycle_efficiency

WIDEST_SEARCH = 8  # decades to either side of where the search begins
PRIMARY = "Primary: "  # PyBaMM's prefix of the first of two materials in an electrode
RESOLUTION = 1e-4  # of the logarithm; moves the efficiency by less than 1e-5


def calibrate_sei(
    cell: Cell | str | Path,
    protocol: Protocol | str | Path | None = None,
    *,
    efficiency: float | None = None,
    parameter: str | None = None,
) -> Cell:
    """Fit one SEI parameter to the efficiency of the first cycle.

    Parameters
    ----------
    cell
        Whose parameter gives the start of the search.
    protocol
        What it does up to the first full discharge, at its defaults, is simulated with SPMe; that
        of the cell's calibration if None.
    efficiency
        As `first_cycle_efficiency` of a formation [1]; that of the cell if None.
    parameter
        PyBaMM name of a positive number. If None, that of the cell's calibration; where its SEI
        law was replaced by one that does not read it, the rate of the new one.

    Returns
    -------
    Cell
        With the fitted number, whose source says how it was found.

    Raises
    ------
    InputError
        If the cell has no calibration of its own and lacks one; or no value within eight decades
        gives this efficiency: without any SEI the efficiency is below 1 already, and where the
        positive electrode runs out of lithium it cannot fall.
    """
    from cellmodel.bridge import (
        kernel_rows,
        readout,
        reference,
    )  # imports PyBaMM, which takes two seconds

    cell = load_cell(cell)
    if not cell.calibration and None in (protocol, efficiency, parameter):
        raise InputError(
            f"cell '{cell.name}' was calibrated to no efficiency of the first cycle ({cell.source}"
            "); pass protocol, efficiency and parameter if it shall be"
        )
    protocol = cell.calibration["protocol"] if protocol is None else protocol
    protocol = load_protocol(protocol)
    goal = cell.first_cycle_efficiency
    if efficiency is not None:
        goal = Quantity(efficiency, "1", "set by the user")
    target = Range(0, 1, above=True, below=True).check("efficiency", goal.value)
    name = cell.calibration["parameter"] if parameter is None else parameter
    phase = PRIMARY if name.startswith(PRIMARY) else ""  # of two materials, graphite is fitted
    if parameter is None and name.removeprefix(phase) not in kernel_rows.names(cell.sei):
        name = phase + SEI_LAWS[cell.sei]
    first_value = Range(0, above=True).check(name, cell.parameter(name))
    protocol_values = protocol.defaults(cell)
    first_cycle = _to_the_first_full_discharge(protocol, protocol_values)
    simulation = reference.simulation(
        cell,
        first_cycle,
        protocol_values,
        reference.Method(),
        free=(name,),
        only_step_ends=True,
    )

    def excess(logarithm: float) -> float:
        steps = reference.solve(simulation, cell, first_cycle, inputs={name: math.exp(logarithm)})
        results = readout.raw(readout.series(steps), len(first_cycle.cycles))
        per_cycle = {
            name: xr.Variable("cycle", results[name])
            for name in ("charge_capacity", "discharge_capacity")
        }
        return float(first_cycle_efficiency(per_cycle, first_cycle, protocol_values)) - target

    value = math.exp(_root(excess, math.log(first_value), cell, name, target))
    source = (
        f"Calibrated: first-cycle efficiency {target:g} with PyBaMM SPMe under protocol "
        f"'{protocol.name}'; {goal.source}"
    )
    return cell.replace_parameters({name: Quantity(value, _unit(name), source)})


def _to_the_first_full_discharge(protocol: Protocol, values: Mapping[str, float]) -> Protocol:
    """Return the protocol without the cycles after the one that counts as the first."""
    cut_offs = {cycle: term.evaluate(values, 1.0) for cycle, term in protocol.cut_offs.items()}
    full = cut_offs[protocol.capacity_cycle]
    last = min(cycle for cycle, cut_off in cut_offs.items() if cut_off <= full)
    return dataclasses.replace(
        protocol,
        cycles=protocol.cycles[: last + 1],
        steps=tuple(step for step in protocol.steps if step.cycle <= last),
    )


def _root(excess, start: float, cell: Cell, name: str, target: float) -> float:
    """Return the logarithm at which `excess` is zero, which lies on either side of `start`."""
    from scipy.optimize import brentq

    here = excess(start)
    for way in (1, -1):  # the rate has to rise if the efficiency is too high, if it is a rate
        near, value = start, here
        for _ in range(WIDEST_SEARCH):
            far = near + way * math.log(10)
            beyond = excess(far)
            if (beyond > 0) != (value > 0):
                return brentq(excess, near, far, xtol=RESOLUTION)
            if abs(beyond) > abs(value):  # it gets worse: look the other way
                break
            near, value = far, beyond
    raise InputError(
        f"no '{name}' gives cell '{cell.name}' a first-cycle efficiency of {target:g}: at "
        f"{math.exp(start):g} it is {target + here:.4f}; choose another efficiency or parameter"
    )


def _unit(name: str) -> str:
    from cellmodel.parameter_name import unit_of

    return unit_of(name) or "1"
