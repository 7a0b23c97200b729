"""Formation and ageing protocols: PyBaMM experiment strings with named, sweepable variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from cellmodel.errors import InputError, quoted, unknown_name
from cellmodel.quantity import TEMPERATURE, Range, check_keys, read_input, shipped, text
from cellmodel.repeated_cycle import (
    COUNT,
    MOST_STEPS,
    RepeatedCycle,
    expand,
    measuring_cycles,
    read_repeated_cycles,
)
from cellmodel.step import Step, Term, parse_term

if TYPE_CHECKING:
    from cellmodel.cell import Cell

TIMES = ("s", "min", "h")
UNITS = ("C", "A", "W", "V", "A.h", *TIMES, "K", COUNT)
HALLS = ("soak", "ageing")


@dataclass(frozen=True)
class Variable:
    """A number of a protocol that may be changed and swept.

    Parameters
    ----------
    default
        The number, or the PyBaMM name of the cell's parameter that gives it.
    unit
        One of C, A, W, V, A.h, s, min, h, K; "C" is the rate in nominal capacities per hour. Or
        "1", a whole number: how often a cycle is run. That cannot be swept.
    low, high
        What the variable may be.
    description, source
        What it is, and where its default comes from.
    """

    default: float | str
    unit: str
    low: float
    high: float
    description: str
    source: str

    @property
    def bounds(self) -> Range:
        """The range that values must keep to."""
        hint = TEMPERATURE.hint if self.unit == "K" else ""
        return Range(self.low, self.high, self.unit, hint=hint)

    def check(self, what: str, value: object) -> float:
        """Return `value` as a float.

        Raises
        ------
        InputError
            If it is no number, out of range, or not whole where it counts cycles.
        """
        number = self.bounds.check(what, value)
        if self.unit == COUNT and number != int(number):
            raise InputError(f"{what} must be a whole number, got {number!r}")
        return number


@dataclass(frozen=True)
class OffChannel:
    """A step that needs a hall and time, but no channel: soak before, ageing after formation.

    Parameters
    ----------
    name
        What the step is called.
    duration
        How long it takes, in h.
    temperature
        Temperature of the hall, in K.
    hall
        "soak" or "ageing": whose power and losses count.
    """

    name: str
    duration: Term
    temperature: Term
    hall: str


@dataclass(frozen=True)
class Protocol:
    """What is done with a cell, in cycles of steps.

    A step is a sentence in the style of PyBaMM's experiments: what is held, then what ends it.

        Charge | Discharge at {charge_rate} C | C/10 | 0.5 A | 500 mA | 10 W | {power} W
        Hold at 4.2 V
        Rest

        for 2 hours | {minutes} minutes | 30 seconds
        until 4.2 V | C/20 | 50 mA | 0.5 A.h | {capacity} A.h

    Limits are joined by " or ": "Discharge at 1 C until 0.5 A.h or until 3.0 V", "Hold at 4.2 V
    until C/20 or for 3 hours"; the first that is reached ends the step. There is at most one of a
    kind. A voltage ends a charge from below and a discharge from above. A current ends a step when
    its magnitude has fallen so far, which only that of a hold and of a charge at a power does. A
    capacity is the net charge that has passed since the step began. A rest ends by time.
    `{name}` is a variable, whose unit must be the one that follows.

    A charge whose voltage limit is already met when it begins is passed over where another stage
    or a hold follows, as a cycler does; likewise a discharge. Elsewhere that is an error.

    Parameters
    ----------
    name, title, source
        File stem, one line for people, where the protocol comes from.
    variables
        Name -> Variable; `temperature` [K] is the temperature of chamber and cell at the start.
    written
        The cycles as in the file, each with how often it is run.
    cycles
        The steps of each cycle that is run, as written.
    steps
        The same steps parsed, in order, each with the index of its cycle.
    off_channel
        Steps in halls.
    """

    name: str
    title: str
    source: str
    variables: Mapping[str, Variable]
    written: tuple[RepeatedCycle, ...]
    cycles: tuple[tuple[str, ...], ...]
    steps: tuple[Step, ...]
    off_channel: tuple[OffChannel, ...] = ()

    def with_variables(self, **values: float) -> Protocol:
        """Return the protocol with other defaults.

        Parameters
        ----------
        values
            Variable name = number, in the variable's unit.

        Raises
        ------
        InputError
            If a name is unknown, a value is no number or out of range, cut-offs are out of
            order, or there are too many steps.
        """
        variables = dict(self.variables)
        for name, value in values.items():
            if name not in variables:
                raise unknown_name(f"variable of protocol '{self.name}'", name, variables)
            number = variables[name].check(name, value)
            variables[name] = replace(variables[name], default=number, source="set by the user")
        changed = replace(self, variables=MappingProxyType(variables))
        if _counts(variables) != _counts(self.variables):
            cycles, steps = _expanded(self.written, variables, f"protocol '{self.name}'")
            changed = replace(changed, cycles=cycles, steps=steps)
        changed._check_order(changed._own_defaults())
        return changed

    def defaults(self, cell: Cell) -> dict[str, float]:
        """Return the value of every variable for `cell`, in the variables' units.

        Raises
        ------
        InputError
            If a value taken from the cell is out of range, or cut-offs are out of order.
        """
        values = {}
        for name, variable in self.variables.items():
            value = variable.default
            if isinstance(value, str):
                what = f"{name} (taken from '{value}' of cell '{cell.name}')"
                value = variable.bounds.check(what, cell.parameter(value))
            values[name] = value
        self._check_order(values)
        return values

    def check(self, values: Mapping[str, object]) -> None:
        """Raise InputError unless `values` (numbers, arrays or DataArrays) can be run.

        Parameters
        ----------
        values
            Every variable name -> number or array, in the variables' units; arrays must
            broadcast.
        """
        for name, variable in self.variables.items():
            if name not in values:
                raise InputError(f"protocol '{self.name}' needs a value for variable '{name}'")
            variable.bounds.check_array(name, values[name])
            if variable.unit == COUNT and (
                np.ndim(values[name]) or values[name] != variable.default
            ):
                raise InputError(
                    f"'{name}' sets how many steps protocol '{self.name}' has, which all cases of "
                    f"a sweep share; use protocol.with_variables({name}=...) and one sweep for "
                    "each"
                )
        for name in values:
            if name not in self.variables:
                raise unknown_name(f"variable of protocol '{self.name}'", name, self.variables)
        self._check_order(values)

    def instructions(self, values: Mapping[str, float]) -> list[tuple[str, ...]]:
        """Return the sentences of each cycle with their numbers.

        PyBaMM reads them as its own experiment strings, unless a step is limited by a capacity, or
        by more than a time and then one other limit.

        Parameters
        ----------
        values
            Every variable name -> number, in the variables' units.

        Raises
        ------
        InputError
            As `check`.
        """
        self.check(values)
        # PyBaMM does not read exponents: 1e-05 must be written 0.00001.
        written = {
            name: np.format_float_positional(float(value), trim="-")
            for name, value in values.items()
        }
        return [tuple(step.format_map(written) for step in steps) for steps in self.cycles]

    @property
    def capacity_cycle(self) -> int:
        """Index of the last cycle that discharges once, to a cut-off voltage: it measures the
        cell.
        """
        return max(self.cut_offs)

    @property
    def cut_offs(self) -> dict[int, Term]:
        """Indices of the cycles that discharge once, to a cut-off voltage, and that voltage."""
        return measuring_cycles(self.steps)

    def _own_defaults(self) -> dict[str, float]:
        return {n: v.default for n, v in self.variables.items() if not isinstance(v.default, str)}

    def _check_order(self, values: Mapping[str, object]) -> None:
        """Raise unless charges end above, and discharges below, the voltage they start from.

        Another limit may end the step before at a voltage that is further away, never at a nearer
        one: so its cut-off bounds where this one starts, whatever else may end it.

        Only cut-offs whose values are known are compared: at load time some still belong to a
        cell that is not known yet.
        """
        reached: Term | None = None  # cut-off of the last charge or discharge
        way = 0  # +1 if that was a discharge, -1 if it was a charge
        for step in self.steps:
            limit = step.voltage_limit
            # Only where the current turns: a second discharge may well begin above the cut-off of
            # the first one, if it is slower.
            if limit is not None and reached is not None and step.sign != way:
                known = all(t.variable is None or t.variable in values for t in (limit, reached))
                if known:
                    start, end = reached.evaluate(values, 1.0), limit.evaluate(values, 1.0)
                    if np.any(step.sign * np.asarray(start - end) <= 0):
                        self._raise_order(step, start, end)
            if step.sign != 0:
                reached, way = limit, step.sign
            elif step.kind == "voltage" and step.value != reached:
                reached = None  # a hold at another voltage may charge or discharge

    def _raise_order(self, step: Step, start: object, end: object) -> None:
        way = "below" if step.sign > 0 else "above"
        at = np.argmin(step.sign * np.asarray(start - end))
        # start and end may be DataArrays with dimensions of their own
        first, last = (float(np.asarray(v).flat[at]) for v in (start + 0 * end, 0 * start + end))
        raise InputError(
            f"protocol '{self.name}', cycle {step.cycle}: the cut-off of '{step.template}' must "
            f"lie {way} the {first:g} V where the step before ends, got {last:g} V; put the "
            "cut-offs in order"
        )


def list_protocols() -> list[str]:
    """Return the names of the protocols that come with the package."""
    return list(shipped("protocols"))


def load_protocol(name: str | Path | Protocol) -> Protocol:
    """Read a protocol.

    Parameters
    ----------
    name
        Name of a shipped protocol, path of a .toml file, or a Protocol, which is returned as it is.

    Returns
    -------
    Protocol

    Raises
    ------
    InputError
        If there is no such protocol, or the file is wrong: unknown keys, numbers out of range,
        a step that is not supported, cut-offs out of order.
    """
    if isinstance(name, Protocol):
        return name
    required, optional = ("variables", "cycle"), ("off_channel",)
    path, table, texts = read_input("protocols", "protocol", name, required, optional)
    variables = _read_variables(table["variables"], f"{path}: [variables]")
    units = {key: variable.unit for key, variable in variables.items()}
    written = read_repeated_cycles(table["cycle"], units, f"{path}: [[cycle]]")
    cycles, steps = _expanded(written, variables, str(path))
    off_channel = _read_off_channel(table.get("off_channel", []), units, f"{path}: [[off_channel]]")
    protocol = Protocol(
        **texts,
        variables=MappingProxyType(variables),
        written=written,
        cycles=cycles,
        steps=steps,
        off_channel=off_channel,
    )
    protocol._check_order(protocol._own_defaults())
    return protocol


def _counts(variables: Mapping[str, Variable]) -> dict[str, float]:
    """Return the variables that say how often a cycle is run."""
    return {
        name: variable.default for name, variable in variables.items() if variable.unit == COUNT
    }


def _expanded(
    written: tuple[RepeatedCycle, ...], variables: Mapping[str, Variable], where: str
) -> tuple[tuple[tuple[str, ...], ...], tuple[Step, ...]]:
    units = {name: variable.unit for name, variable in variables.items()}
    return expand(written, _counts(variables), units, where)


def _read_variables(table: object, where: str) -> dict[str, Variable]:
    if not isinstance(table, Mapping):
        raise InputError(f"{where} must be a table, got {quoted(table)}")
    variables = {}
    for name, entry in table.items():
        here = f"{where} {name}"
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,59}", name):
            raise InputError(f"{here}: a name must be lower-case letters, digits and underscores")
        keys = ("default", "unit", "low", "high", "description", "source")
        check_keys(entry, keys, here, required=keys)
        unit = entry["unit"]
        if unit not in UNITS:
            raise InputError(f"{here}: the unit must be one of {', '.join(UNITS)}, got {unit!r}")
        bounds = {"K": TEMPERATURE, COUNT: Range(0, MOST_STEPS)}.get(
            unit, Range(0, unit=unit, above=unit not in TIMES)
        )
        low = bounds.check(f"{here}.low", entry["low"])
        high = bounds.check(f"{here}.high", entry["high"])
        if not low <= high:
            raise InputError(f"{here}: low <= high must hold, got {low:g} and {high:g}")
        texts = {key: text(entry[key], f"{here}.{key}") for key in ("description", "source")}
        variable = Variable(entry["default"], unit, low, high, **texts)
        if not isinstance(variable.default, str) or unit == COUNT:  # a cell counts no cycles
            number = variable.check(f"{here}.default", variable.default)
            variable = replace(variable, default=number)
        variables[name] = variable
    if "temperature" not in variables or variables["temperature"].unit != "K":
        raise InputError(
            f"{where}: a protocol must have the variable 'temperature' with unit 'K', the "
            "temperature of the chamber and of the cell at the start"
        )
    return variables


def _read_off_channel(
    tables: object, units: Mapping[str, str], where: str
) -> tuple[OffChannel, ...]:
    if not isinstance(tables, list):
        raise InputError(f"{where} must be a list of tables, got {quoted(tables)}")
    entries = []
    for table in tables:
        keys = ("name", "duration", "temperature", "hall")
        check_keys(table, keys, where, required=keys)
        name = text(table["name"], f"{where}.name")
        if table["hall"] not in HALLS:
            raise InputError(
                f"{where} {name}: hall must be one of {', '.join(HALLS)}, got {table['hall']!r}"
            )
        duration = parse_term(table["duration"], "h", units, f"{where} {name}.duration")
        temperature = parse_term(table["temperature"], "K", units, f"{where} {name}.temperature")
        entries.append(OffChannel(name, duration, temperature, table["hall"]))
    return tuple(entries)
