"""Cycles of a protocol as written: their steps, and how often they are run."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cellmodel.errors import InputError, quoted, unknown_name
from cellmodel.quantity import check_keys
from cellmodel.step import Step, Term, parse_step

MOST_STEPS = 64
COUNT = "1"  # unit of a variable that is a whole number: how often a cycle is run


@dataclass(frozen=True)
class RepeatedCycle:
    """A cycle as written.

    Parameters
    ----------
    steps
        Its sentences.
    repeat
        How often it is run: a whole number, or the name of a variable of unit "1".
    """

    steps: tuple[str, ...]
    repeat: int | str

    def times(self, counts: Mapping[str, float]) -> int:
        """Return how often it is run with these values of the variables."""
        return int(counts[self.repeat]) if isinstance(self.repeat, str) else self.repeat


def read_repeated_cycles(
    tables: object, units: Mapping[str, str], where: str
) -> tuple[RepeatedCycle, ...]:
    """Read the tables [[cycle]] of a protocol.

    Parameters
    ----------
    tables
        As TOML has them: `steps`, and `repeat`, a whole number or "{variable}".
    units
        Variable name -> unit.
    where
        File and table, for messages.

    Raises
    ------
    InputError
        If there is no cycle, one has no steps, or its repeat is neither a whole number above 0
        nor a variable of unit "1".
    """
    if not isinstance(tables, list) or not tables:
        raise InputError(f"{where} must be a list of at least one table, got {quoted(tables)}")
    cycles = []
    for table in tables:
        check_keys(table, ("steps", "repeat"), where, required=("steps",))
        steps = table["steps"]
        if not isinstance(steps, list) or not steps:
            raise InputError(f"{where}.steps must be a list of steps, got {quoted(steps)}")
        repeat = _read_repeat(table.get("repeat", 1), units, f"{where}.repeat")
        cycles.append(RepeatedCycle(tuple(steps), repeat))
    return tuple(cycles)


def _read_repeat(repeat: object, units: Mapping[str, str], where: str) -> int | str:
    if isinstance(repeat, str) and repeat.startswith("{") and repeat.endswith("}"):
        name = repeat[1:-1]
        if name not in units:
            raise unknown_name(f"variable in {where};", name, units)
        if units[name] != COUNT:
            raise InputError(
                f"{where}: '{{{name}}}' must have the unit '{COUNT}', got '{units[name]}'"
            )
        return name
    if isinstance(repeat, bool) or not isinstance(repeat, int) or repeat < 1:
        raise InputError(
            f"{where} must be a whole number above 0, got {quoted(repeat)}; for a number that may "
            f"be changed write '{{variable}}'"
        )
    return repeat


def expand(
    written: Sequence[RepeatedCycle],
    counts: Mapping[str, float],
    units: Mapping[str, str],
    where: str,
) -> tuple[tuple[tuple[str, ...], ...], tuple[Step, ...]]:
    """Return the sentences of every cycle that is run, and all their steps parsed, in order.

    Parameters
    ----------
    written
        The cycles.
    counts
        Variable name -> value, of those that say how often a cycle is run.
    units
        Name of every variable -> unit.
    where
        File, for messages.

    Raises
    ------
    InputError
        If there are too many steps, one is wrong, or none measures the formed cell.
    """
    times = [cycle.times(counts) for cycle in written]
    total = sum(n * len(cycle.steps) for n, cycle in zip(times, written, strict=True))
    if total > MOST_STEPS:
        raise InputError(f"{where}: at most {MOST_STEPS} steps are supported, got {total}")
    cycles = [cycle.steps for n, cycle in zip(times, written, strict=True) for _ in range(n)]
    steps = [
        parse_step(template, index, units, where)
        for index, templates in enumerate(cycles)
        for template in templates
    ]
    steps = [
        replace(step, leads_on=_leads_on(step, after))
        for step, after in itertools.zip_longest(steps, steps[1:])
    ]
    if not measuring_cycles(steps):
        raise InputError(
            f"{where}: one step must discharge to a cut-off ('Discharge at ... until ... V') in a "
            "cycle that does not charge between two discharges, because the energy of the formed "
            "cell is measured there"
        )
    return tuple(cycles), tuple(steps)


def _leads_on(step: Step, after: Step | None) -> bool:
    if after is None or step.sign == 0 or step.voltage_limit is None:
        return False
    return after.sign == step.sign or after.kind == "voltage"


def measuring_cycles(steps: Sequence[Step]) -> dict[int, Term]:
    """Return the cycles whose discharge energy is that of one full discharge, maybe in stages, each
    with its cut-off.
    """
    cycles = {}
    for cycle, members in itertools.groupby(steps, key=lambda step: step.cycle):
        moving = [step for step in members if step.sign != 0]
        ways = itertools.groupby(moving, key=lambda step: step.sign)
        discharges = [list(stages) for sign, stages in ways if sign > 0]
        cut_offs = [s.voltage_limit for d in discharges for s in d if s.is_full_discharge]
        if len(discharges) == 1 and cut_offs:
            cycles[cycle] = cut_offs[-1]
    return cycles
