"""One step of a protocol: its sentence, and the numbers in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from cellmodel.errors import InputError, quoted, unknown_name
from cellmodel.quantity import TEMPERATURE, Range

Number = TypeVar("Number")  # float, numpy array or DataArray: arithmetic is all that is needed

SUPPORTED = (
    "'Charge at {charge_rate} C until {upper_voltage} V', 'Discharge at C/5 for 2 hours or until "
    "2.5 V', 'Charge at 0.5 A for 30 minutes', 'Hold at 4.2 V for 1 hour or until C/20', "
    "'Rest for {rest_time} hours'; rates in C, A or mA, voltages in V, times in hours, minutes "
    "or seconds"
)
LONGEST_STEP = 300  # characters

_VALUE = r"(?:\{[a-z][a-z0-9_]*\}|\d{1,20}(?:\.\d{1,20})?)"
_RATE = rf"C/\d{{1,9}}(?:\.\d{{1,9}})?|{_VALUE}\s?(?:C|mA|A)"
_VOLTAGE = rf"{_VALUE}\s?V"
_TIME = rf"{_VALUE}\s?(?:hours?|h|minutes?|min|seconds?|s)"
_STEP = re.compile(
    rf"(?:(?P<way>Charge|Discharge) at (?P<rate>{_RATE})"
    rf"|Hold at (?P<hold>{_VOLTAGE})|(?P<rest>Rest))"
    rf"(?: for (?P<time>{_TIME})(?= or until |$))?"
    rf"(?:(?: or)? until (?:(?P<voltage_limit>{_VOLTAGE})|(?P<current_limit>{_RATE})))?"
)
_TERM = re.compile(rf"(?P<value>{_VALUE})\s?(?P<unit>[a-zA-Z]+)")

# spelling in a step -> unit of the Term, factor to it, unit that a variable must have there
_UNITS = {
    "C": ("C", 1.0, "C"),
    "A": ("A", 1.0, "A"),
    "mA": ("A", 1e-3, None),
    "V": ("V", 1.0, "V"),
    **dict.fromkeys(("hour", "hours", "h"), ("s", 3600.0, "h")),
    **dict.fromkeys(("minute", "minutes", "min"), ("s", 60.0, "min")),
    **dict.fromkeys(("second", "seconds", "s"), ("s", 1.0, "s")),
}


@dataclass(frozen=True)
class Term:
    """A number of a step: written out, or a variable in braces.

    Parameters
    ----------
    template
        "0.2" or "{charge_rate}".
    unit
        "A", "C" (a rate: nominal capacities per hour), "V", "s", "h" or "K".
    scale
        Factor from what is written to `unit`: 3600 for hours, 1/20 for "C/20".
    """

    template: str
    unit: str
    scale: float = 1.0

    @property
    def variable(self) -> str | None:
        """Name of the variable, None for a written number."""
        return self.template[1:-1] if self.template.startswith("{") else None

    def evaluate(self, variables: Mapping[str, Number], nominal_capacity: Number) -> Number:
        """Return the value: A for rates and currents, otherwise in `unit`.

        Parameters
        ----------
        variables
            Variable name -> number or array, in the variable's unit.
        nominal_capacity
            Nominal capacity of the cell [A h], which makes a rate a current.
        """
        name = self.variable
        value = float(self.template) if name is None else variables[name]
        value = value * self.scale
        return value * nominal_capacity if self.unit == "C" else value


@dataclass(frozen=True)
class Step:
    """A parsed step; what is None does not limit it.

    Parameters
    ----------
    template
        The step as written.
    cycle
        Index of its cycle.
    kind
        What is held: "current", "voltage", or "rest" for no current.
    sign
        +1 discharge, -1 charge, 0 for a hold or a rest.
    value
        The current (a magnitude) or voltage held.
    voltage_limit, current_limit, time_limit
        The step ends at the first of these; the current limit is a magnitude.
    """

    template: str
    cycle: int
    kind: str
    sign: int
    value: Term | None = None
    voltage_limit: Term | None = None
    current_limit: Term | None = None
    time_limit: Term | None = None

    @property
    def is_full_discharge(self) -> bool:
        """Whether the step always ends at a discharge cut-off."""
        return self.sign > 0 and self.voltage_limit is not None and self.time_limit is None


def parse_step(template: object, cycle: int, units: Mapping[str, str], where: str) -> Step:
    """Read one step.

    Parameters
    ----------
    template
        A sentence such as "Charge at {charge_rate} C until {upper_voltage} V".
    cycle
        Index of its cycle.
    units
        Variable name -> unit.
    where
        File, for messages.

    Raises
    ------
    InputError
        If the step is not supported, has no end, or uses a variable that is unknown or of
        another unit.
    """
    here = f"{where}: step {quoted(template)}"
    if not isinstance(template, str) or len(template) > LONGEST_STEP:
        raise InputError(f"{here} must be a string of at most {LONGEST_STEP} characters")
    match = _STEP.fullmatch(template.strip())
    if match is None:
        raise InputError(f"{here} is not supported; supported are {SUPPORTED}")
    parts = match.groupdict()
    terms = {
        key: _parse_written(parts[key], units, here)
        for key in ("rate", "hold", "time", "voltage_limit", "current_limit")
        if parts[key] is not None
    }
    if parts["rest"]:
        if terms.keys() != {"time"}:
            raise InputError(f"{here} must say how long: 'Rest for 1 hour'")
        return Step(template, cycle, "rest", 0, time_limit=terms["time"])
    time = terms.get("time")
    if parts["hold"]:
        current = terms.get("current_limit")
        if "voltage_limit" in terms or (current is None and time is None):
            raise InputError(f"{here}: a hold must end by a current or a time, not by a voltage")
        return Step(template, cycle, "voltage", 0, terms["hold"], None, current, time)
    voltage = terms.get("voltage_limit")
    if "current_limit" in terms or (voltage is None and time is None):
        raise InputError(
            f"{here}: a charge or discharge must end by a voltage or a time, not by a current"
        )
    sign = 1 if parts["way"] == "Discharge" else -1
    return Step(template, cycle, "current", sign, terms["rate"], voltage, None, time)


def parse_term(value: object, unit: str, units: Mapping[str, str], where: str) -> Term:
    """Read a number or "{variable}" that has `unit`, for steps outside the channel."""
    if isinstance(value, str):
        name = value[1:-1]
        if value != f"{{{name}}}":
            raise InputError(f"{where} must be a number or '{{variable}}', got {quoted(value)}")
        _check_variable(name, unit, units, where)
        return Term(value, unit)
    bounds = TEMPERATURE if unit == "K" else Range(0, unit=unit, above=True)
    return Term(repr(bounds.check(where, value)), unit)


def _parse_written(written: str, units: Mapping[str, str], where: str) -> Term:
    if written.startswith("C/"):
        divisor = Range(0, above=True).check(f"{where}: the rate {written}", float(written[2:]))
        return Term("1", "C", 1 / divisor)
    match = _TERM.fullmatch(written)
    template = match["value"]
    unit, scale, variable_unit = _UNITS[match["unit"]]
    if template.startswith("{"):
        _check_variable(template[1:-1], variable_unit or match["unit"], units, where)
    else:
        Range(0, above=True).check(f"{where}: '{written}'", float(template))
    return Term(template, unit, scale)


def _check_variable(name: str, unit: str, units: Mapping[str, str], where: str) -> None:
    if name not in units:
        raise unknown_name(f"variable in {where};", name, units)
    if units[name] != unit:
        raise InputError(
            f"{where}: '{{{name}}}' stands where unit '{unit}' is needed, but the variable has "
            f"unit '{units[name]}'"
        )
