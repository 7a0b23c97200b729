"""Adaptive cycle jumping: simulate a few cycles, leap over many, and check the leap.

What ages a cell changes little from one cycle to the next, so that most cycles need not be run.
The state at the end of a cycle moves along a line for a while; n cycles after the last one it is

    state + (its change per cycle) * integral of g(s) / g(0) ds from 0 to n,

where g is the lithium that leaves the particles per cycle. 1 / g is taken to be linear in s: exact
for growth with the logarithm of time (tunnelling), good for its square root (diffusion). Whatever
is conserved and linear in the state stays conserved.

After a leap one cycle settles and two are measured. The parabola of 1 / g through this rate and the
two before says how many cycles the leap really was; so cycle numbers are not whole ones any more,
and `at_whole_cycles` interpolates. What the correction amounts to in lithium is held below a
tolerance by the length of the leaps; a leap that misses it is taken back and made shorter.

The idea is that of projective integration: Gear & Kevrekidis 2003, SIAM J. Sci. Comput. 24, 1091,
doi 10.1137/S1064827501388157.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from cellmodel.errors import InputError

State = TypeVar("State")
Results = Mapping[str, float]

#: of the results: lithium that has left the particles, lost or kept, by which leaps are measured
GONE = ("lithium_loss", "stored_lithium")
SCALE = "discharge_capacity"  # of the results: the tolerance is relative to its first value
CAPACITIES = ("charge_capacity", SCALE)
SETTLE = 1  # cycles after a leap that are not used: where charge and discharge end finds back
MEASURED = 2  # cycles that give a rate
FIRST = 10  # cycles before the first leap
LEAST = 4.0  # cycles, a shorter leap does not pay
GROWTH = 2.5  # most that a leap may be longer than the one before
SAFETY = 0.8
RECOVERY = 1.2  # growth per cycle of a leap that has become too short to pay
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)


@dataclass(frozen=True)
class March(Generic[State]):
    """How a cell is cycled.

    Parameters
    ----------
    run
        State (None: the start) -> the state one cycle later, and the results of that cycle, the
        first of GONE and SCALE among them. Raises InputError where the cycle cannot be run.
    ahead
        Earlier state, later state, factor -> later + factor (later - earlier).
    visit
        Called with each stop and the state there, after a leap within about one cycle.
    """

    run: Callable[[State | None], tuple[State, Results]]
    ahead: Callable[[State, State, float], State]
    visit: Callable[[int, State], None]


@dataclass
class Course:
    """What was simulated.

    Parameters
    ----------
    done
        Cycles done before each cycle kept; whole numbers until the first leap.
    results
        Of each cycle kept.
    simulated
        Cycles run, with those that settled or were taken back.
    stopped
        Why the march ended early, "" if it did not.
    """

    done: list[float] = field(default_factory=list)
    results: list[Results] = field(default_factory=list)
    simulated: int = 0
    stopped: str = ""


class _Pace(NamedTuple):
    """Cycles done, and cycles that it takes to lose 1 A h there."""

    done: float
    cycles_per_loss: float


@dataclass(frozen=True)
class _Landing(Generic[State]):
    """Where a leap came down: cycles done, ends of the cycles measured, their results, error."""

    done: float
    chain: list[tuple[State, float]]
    results: list[Results]
    error: float


def march(
    how: March[State], cycles: int, tolerance: float | None, stops: Sequence[int] = ()
) -> Course:
    """Run many cycles, leaping over most of them.

    Parameters
    ----------
    how
        The cell.
    cycles
        How many.
    tolerance
        Most that a leap may be corrected by in lithium, or may miss of the course of SCALE, / first
        value of SCALE [1]. None runs every cycle.
    stops
        Numbers of cycles done, above 0 and ascending, at which `how.visit` is called.

    Raises
    ------
    InputError
        If the first cycle cannot be run.
    """
    course = Course()
    waiting = list(stops)
    done, state, length = 0.0, None, FIRST / 2
    chain: list[tuple[State, float]] = []  # ends of the last cycles without a leap: state, loss
    before: _Pace | None = None
    while done < cycles:
        room = (waiting[0] if waiting else cycles) - done - SETTLE - MEASURED
        leap = min(length, room)
        if tolerance is not None and done >= FIRST and len(chain) > MEASURED and leap >= LEAST:
            here = _pace(done, chain)
            landing = _leap(how, course, chain, done, leap, (before, here))
            limit = tolerance * course.results[0][SCALE]
            # the error of a leap grows with the cube of its length
            factor = SAFETY * np.cbrt(limit / max(landing.error, 1e-12 * limit))
            length = leap * min(GROWTH, max(0.2, factor))
            if landing.error > limit:
                continue
            before, done, chain = here, landing.done, landing.chain
            state = chain[-1][0]
            course.done += [done - MEASURED + i for i in range(MEASURED)]
            course.results += landing.results
        else:
            try:
                state, results = how.run(state)
            except InputError as error:
                if not course.results:
                    raise
                course.stopped = f"after {done:.0f} cycles: {error}"
                return course
            course.simulated += 1
            course.done.append(done)
            course.results.append(results)
            done += 1.0
            chain = [*chain, (state, _gone(results))][-MEASURED - 1 :]
            if done == FIRST // 2:
                before = _pace(done, chain)
            if length < LEAST:
                length *= RECOVERY
        while waiting and done >= waiting[0] - 0.5:
            how.visit(waiting.pop(0), state)
    return course


def _gone(results: Mapping[str, float | np.ndarray]) -> float | np.ndarray:
    return sum(results[name] for name in GONE if name in results)


def _pace(done: float, chain: Sequence[tuple[State, float]]) -> _Pace:
    lost = np.diff([loss for _, loss in chain])
    return _Pace(done - MEASURED / 2, MEASURED / lost.sum() if lost.min() > 0 else np.inf)


def _leap(
    how: March[State],
    course: Course,
    chain: Sequence[tuple[State, float]],
    done: float,
    leap: float,
    paces: tuple[_Pace, _Pace],
) -> _Landing:
    """Leap, settle and measure; an infinite error means that the leap led nowhere."""
    nowhere = _Landing(done, [], [], np.inf)
    loss = _loss(paces, done, done + leap)
    if not np.isfinite(loss):
        return nowhere
    factor = loss / (chain[-1][1] - chain[0][1])
    state = how.ahead(chain[0][0], chain[-1][0], factor)
    ends, results = [], []
    for _ in range(SETTLE + MEASURED):
        try:
            state, numbers = how.run(state)
        except InputError:  # the state left what the cell can be in
            return nowhere
        course.simulated += 1
        ends.append((state, _gone(numbers)))
        results.append(numbers)
    landed = done + leap + SETTLE + MEASURED
    measured = ends[SETTLE - 1 :]
    pace = _pace(landed, measured)
    error = loss - _loss((*paces, pace), done, done + leap)
    if not abs(error) < 0.5 * loss:
        return nowhere
    landed += error * pace.cycles_per_loss
    unseen = _unseen(course.results[-2:], results[SETTLE : SETTLE + 2])
    return _Landing(landed, measured, results[SETTLE:], max(abs(error), unseen))


def _loss(paces: Sequence[_Pace], start: float, end: float) -> float:
    """Return the lithium lost between two numbers of cycles done; NaN where the polynomial through
    the paces is no pace.
    """
    cycles = 0.5 * (start + end + (end - start) * _NODES)
    at = np.array([pace.done for pace in paces])
    values = np.array([pace.cycles_per_loss for pace in paces])
    if not np.isfinite(values).all():
        return np.nan
    polynomial = sum(
        value * np.prod([(cycles - other) / (own - other) for other in at[at != own]], axis=0)
        for own, value in zip(at, values, strict=True)
    )
    if polynomial.min() < 0.1 * values.min():
        return np.nan
    return float(0.5 * (end - start) * np.sum(_WEIGHTS / polynomial))


def _unseen(first: Sequence[Results], final: Sequence[Results]) -> float:
    """Return how far SCALE may be off the cubic of `at_whole_cycles` between two pairs of cycles.

    A quarter of what the cubic is off a straight line in the middle: it would be nothing for a
    parabola, and all of it for a step.
    """
    lost = _gone(final[0]) - _gone(first[1])
    rise = final[0][SCALE] - first[1][SCALE]
    slopes = [(b[SCALE] - a[SCALE]) / (_gone(b) - _gone(a)) for a, b in (first, final)]
    return 0.25 * sum(abs(slope * lost - rise) for slope in slopes) / 8


def at_whole_cycles(course: Course, cycles: int) -> dict[str, np.ndarray]:
    """Return every result at 0, 1, ... `cycles` - 1 cycles done, NaN after the last one simulated.

    Over a leap, lithium is lost at a rate whose inverse is linear in the number of cycles; the
    CAPACITIES are cubics of the lithium lost, with the slopes at both ends, and every other result
    is linear in it: slopes of one cycle would only magnify the solver's noise.

    Parameters
    ----------
    course
        From `march`.
    cycles
        Length of each array.
    """
    done = np.array(course.done)
    columns = {
        name: np.array([results[name] for results in course.results]) for name in course.results[0]
    }
    last = len(done) - 1
    whole = np.arange(cycles, dtype=float)
    left = np.clip(np.searchsorted(done, whole, side="right") - 1, 0, max(last - 1, 0))
    right = np.minimum(left + 1, last)
    gap = np.maximum(done[right] - done[left], 1.0)
    share = (whole - done[left]) / gap
    known = whole <= done[-1] + 1e-6
    leapt = np.flatnonzero(known & (gap > 1.5))
    values = {
        name: np.where(known, column[left] + share * (column[right] - column[left]), np.nan)
        for name, column in columns.items()
    }
    left, right, gap, share = left[leapt], right[leapt], gap[leapt], share[leapt]
    # A cycle and the one before it stand at the beginning of a leap, one and the next at its end.
    steps = {name: np.diff(column, prepend=np.nan) for name, column in columns.items()}
    gone = _gone(columns)
    first, final = (np.diff(gone, prepend=np.nan)[at] for at in (left, right + 1))
    bend = (first / final - 1) / (gap + 1)  # of 1 / rate; both are those of half a cycle outside
    slowing = (1 + bend * (gap + 0.5)) / (1 + bend / 2)
    straight = np.abs(slowing - 1) < 1e-9
    factor = np.where(straight, 2.0, slowing)
    share = np.where(straight, share, np.log1p((factor - 1) * share) / np.log(factor))
    lost = gone[right] - gone[left]
    for name, column in columns.items():
        rise = column[right] - column[left]
        values[name][leapt] = column[left] + rise * share
        if name in CAPACITIES:
            # y(t) = y0 + rise t + t (1 - t) ((m0 - rise) (1 - t) - (m1 - rise) t)
            off_first = steps[name][left] / first * lost - rise
            off_final = steps[name][right + 1] / final * lost - rise
            bulge = off_first * (1 - share) - off_final * share
            values[name][leapt] += share * (1 - share) * bulge
    return values
