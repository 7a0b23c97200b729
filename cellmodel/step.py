"""One step of a protocol: its sentence, and the numbers in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from cellmodel.errors import InputError, quoted, unknown_name
from cellmodel.quantity import TEMPERATURE, Range

Number = TypeVar("Number")  # float, numpy array or DataArray: arithmetic is all that is needed

SUPPORTED = (
    "'Charge at {charge_rate} C until {upper_voltage} V', 'Discharge at C/5 for 2 hours or until "
    "2.5 V', 'Charge at 10 W until 3 A.h or until 4.2 V', 'Hold at 4.2 V until C/20 or for 3 "
    "hours', 'Rest for {rest_time} hours'; rates in C, A or mA, powers in W or mW, voltages in V, "
    "capacities in A.h or mA.h, times in hours, minutes or seconds; 'for' stands before a time, "
    "'until' before any other limit, ' or ' between limits"
)
LONGEST_STEP = 300  # characters

_VALUE = r"(?:\{[a-z][a-z0-9_]*\}|\d{1,20}(?:\.\d{1,20})?)"
_RATE = rf"C/\d{{1,9}}(?:\.\d{{1,9}})?|{_VALUE}\s?(?:C|mA|A)"
_POWER = rf"{_VALUE}\s?(?:mW|W)"
_VOLTAGE = rf"{_VALUE}\s?V"
_CAPACITY = rf"{_VALUE}\s?(?:mA\.h|A\.h)"
_TIME = rf"{_VALUE}\s?(?:hours?|h|minutes?|min|seconds?|s)"
_STEP = re.compile(
    rf"(?:(?P<way>Charge|Discharge) at (?:(?P<current>{_RATE})|(?P<power>{_POWER}))"
    rf"|Hold at (?P<voltage>{_VOLTAGE})|Rest)(?: (?P<limits>(?:for|until) .+))?"
)
_LIMIT = re.compile(
    rf"for (?P<time>{_TIME})"
    rf"|until (?:(?P<voltage>{_VOLTAGE})|(?P<current>{_RATE})|(?P<capacity>{_CAPACITY}))"
)
_TERM = re.compile(rf"(?P<value>{_VALUE})\s?(?P<unit>[a-zA-Z.]+)")

# what is held and which way -> what may end the step; a current only where the current falls
_ENDS = {
    ("current", 0): ("time",),  # a rest
    ("current", -1): ("voltage", "capacity", "time"),
    ("current", 1): ("voltage", "capacity", "time"),
    ("voltage", 0): ("current", "capacity", "time"),
    ("power", -1): ("voltage", "current", "capacity", "time"),
    ("power", 1): ("voltage", "capacity", "time"),
}

# spelling in a step -> unit of the Term, factor to it, unit that a variable must have there
_UNITS = {
    "C": ("C", 1.0, "C"),
    "A": ("A", 1.0, "A"),
    "mA": ("A", 1e-3, None),
    "W": ("W", 1.0, "W"),
    "mW": ("W", 1e-3, None),
    "V": ("V", 1.0, "V"),
    "A.h": ("A s", 3600.0, "A.h"),
    "mA.h": ("A s", 3.6, None),
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
        "A", "C" (a rate: nominal capacities per hour), "W", "V", "A s", "s", "h" or "K".
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


class Numbers(NamedTuple):
    """What a step holds and what ends it, as numbers in SI units; None where nothing limits it.

    Parameters
    ----------
    setpoint
        Current [A] or power [W], positive on discharge, or voltage [V].
    voltage_limit
        Ends a charge from below, a discharge from above [V].
    current_limit
        The step ends when the magnitude of its current has fallen to this [A].
    duration
        The step ends after this time [s].
    charge
        The step ends when this much net charge has passed since its beginning [C, a magnitude].
    """

    setpoint: Number
    voltage_limit: Number | None
    current_limit: Number | None
    duration: Number | None
    charge: Number | None


@dataclass(frozen=True)
class Step:
    """A parsed step; what is None does not limit it, the first limit reached ends it.

    Parameters
    ----------
    template
        The step as written.
    cycle
        Index of its cycle.
    kind
        What is held: "current" (0 in a rest), "voltage" or "power".
    sign
        +1 discharge, -1 charge, 0 for a hold or a rest.
    value
        The current or power (a magnitude) or voltage held.
    voltage_limit, current_limit, time_limit, capacity_limit
        What may end the step; current and capacity are magnitudes, and the capacity counts from
        the beginning of the step.
    leads_on
        Whether the same charge or discharge goes on after it, by a further stage or a hold: then it
        is passed over if its voltage limit is met when it begins.
    """

    template: str
    cycle: int
    kind: str
    sign: int
    value: Term
    voltage_limit: Term | None = None
    current_limit: Term | None = None
    time_limit: Term | None = None
    capacity_limit: Term | None = None
    leads_on: bool = False

    @property
    def is_full_discharge(self) -> bool:
        """Whether the step always ends at a discharge cut-off."""
        others = (self.current_limit, self.time_limit, self.capacity_limit)
        return self.sign > 0 and self.voltage_limit is not None and others == (None, None, None)

    def numbers(self, variables: Mapping[str, Number], nominal_capacity: Number) -> Numbers:
        """Return setpoint and limits in SI units.

        Parameters
        ----------
        variables
            Variable name -> number or array, in the variable's unit.
        nominal_capacity
            Nominal capacity of the cell [A h], which makes a rate a current.
        """
        terms = (
            self.value,
            self.voltage_limit,
            self.current_limit,
            self.time_limit,
            self.capacity_limit,
        )
        held, *limits = (
            None if term is None else term.evaluate(variables, nominal_capacity) for term in terms
        )
        return Numbers(held if self.kind == "voltage" else self.sign * held, *limits)


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
        If the step is not supported, has no end or one that it need not reach, or uses a variable
        that is unknown or of another unit.
    """
    here = f"{where}: step {quoted(template)}"
    if not isinstance(template, str) or len(template) > LONGEST_STEP:
        raise InputError(f"{here} must be a string of at most {LONGEST_STEP} characters")
    match = _STEP.fullmatch(template.strip())
    written = match["limits"].split(" or ") if match and match["limits"] else []
    ends = [_LIMIT.fullmatch(limit) for limit in written]
    if match is None or None in ends:
        raise InputError(f"{here} is not supported; supported are {SUPPORTED}")
    sign = {"Charge": -1, "Discharge": 1, None: 0}[match["way"]]
    kind = next((k for k in ("voltage", "power") if match[k] is not None), "current")
    possible, given = _ENDS[kind, sign], [end.lastgroup for end in ends]
    if not given or not set(given) <= set(possible):
        raise InputError(
            f"{here} must end by {' or '.join(possible)}, got {' and '.join(given) or 'no end'}"
        )
    if len(set(given)) < len(given):
        raise InputError(f"{here} has two limits of one kind; keep the one that comes first")
    value = _parse_written(match[kind], units, here) if match[kind] else Term("0", "A")  # rest
    limits = {
        f"{end.lastgroup}_limit": _parse_written(end[end.lastgroup], units, here) for end in ends
    }
    return Step(template, cycle, kind, sign, value, **limits)


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
