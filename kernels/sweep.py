"""Many cells through one protocol, in parallel, each with its own numbers; nothing is returned,
outputs are filled.

The numbers of a case are a base vector shared by all, with a few columns of its own: memory per
case is what varies. A vector is the cell's parameters (`parameters.NAMES`) followed by the
protocol's values, step by step.
"""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import config, get_num_threads, njit

from kernels import parameters as p
from kernels import tables as t
from kernels import workspace as s
from kernels.cell import TRACE, attempt, attempt_extended, enter, idle, settle
from kernels.charge_left import charge_left
from kernels.compiled import FASTMATH, lanes, law
from kernels.parameters import COUNT, LANES
from kernels.passivation import STORE_AT_START
from kernels.properties import read_once
from kernels.protocol import CURRENT, VALUES
from kernels.second_phase import mean_stoichiometry, settle_second
from kernels.status import INVALID_INPUT, OK

#: rows of the summary
SUMMARY = (
    "lithium_loss",  # C
    "sei_thickness",  # m
    "formation_time",  # s
    "charge_time",  # s
    "discharge_time",  # s
    "squared_current_time",  # A2 s
    "max_cell_temperature",  # K
    "lowest_negative_potential",  # V
    "negative_stoichiometry",
    "positive_stoichiometry",
    "parasitic_charge",  # C
    "stored_lithium",  # C
    "kinetic_loss",  # C
    "unpassivated_surface",
    "highest_negative_stoichiometry",
    "second_negative_stoichiometry",
    "second_sei_thickness",  # m
)
NEW_SURFACE, SECOND_PHASE = p.NEW_SURFACE // LANES, p.EPS_2 // LANES  # in the vector of a case
TASK = 64 * LANES  # cases: long enough that lanes without one are rare, at its end
GROWTH = 5.0  # most that a time step may be longer than the one before
FIRST_STEP = 10.0  # s
SHELL_FIRST_STEP = 2.5  # modes follow a jump of the current exactly, shells do not
# A trace is one case, and may be drawn by straight lines. Where voltage falls by 40 mV a second, a
# discharge that ends 2e-5 too late shows as a millivolt over all of it.
TRACE_TOLERANCE = 0.1  # times that of a sweep
TRACE_FIRST_STEP = 1.0  # s
TRACE_GROWTH = 1.15


@lanes
def board(w, i, vector, base, columns, own):
    """Put a case into lane `i`: its numbers, and the fresh cell that they make."""
    for k in range(base.shape[0]):
        vector[k] = base[k]
    for column in range(columns.shape[0]):
        vector[columns[column]] = own[column]
    for row in range(COUNT):
        w[row * LANES + i] = vector[row]
    settle(w, i)
    w[s.ACTIVE + i] = 1.0


@lanes
def fill(per_cycle, case, value):
    """Give all that is summed per cycle one value."""
    for cycle in range(per_cycle.shape[1]):
        for row in range(per_cycle.shape[0]):
            per_cycle[row, cycle, case] = value


@lanes
def close(w, i, cycle, case, per_cycle):
    """Add the sums of a finished protocol step up."""
    per_cycle[0, cycle, case] += w[s.CHARGE_IN + i]
    per_cycle[1, cycle, case] += w[s.CHARGE_OUT + i]
    per_cycle[2, cycle, case] += w[s.ENERGY_IN + i]
    per_cycle[3, cycle, case] += w[s.ENERGY_OUT + i]


@law
def lithium_lost(w, i):
    """Lithium that the film holds and that was lost beside it [C]."""
    film = w[s.FILM + i] - w[p.L_SEI_0 + i]
    return (film / w[s.FILM_PER_CHARGE + i] + w[s.LOST + i]) * w[s.S_N + i]


@lanes
def leave(w, i, case, tables, per_cycle, summary, status):
    """Write the results of the case that lane `i` has finished."""
    status[case] = np.int8(w[s.STATUS + i])
    if w[s.STATUS + i] != OK:
        fill(per_cycle, case, math.nan)
        for row in range(len(SUMMARY)):
            summary[row, case] = math.nan
        return
    summary[0, case] = lithium_lost(w, i)
    summary[1, case] = w[s.FILM + i]
    summary[2, case] = w[s.TIME + i]
    summary[3, case] = w[s.TIME_IN + i]
    summary[4, case] = w[s.TIME_OUT + i]
    summary[5, case] = w[s.SQUARED_CURRENT + i]
    summary[6, case] = w[s.T_MAX + i]
    summary[7, case] = w[s.PHI_MIN + i]
    summary[8, case] = mean_stoichiometry(w, i)
    summary[9, case] = w[s.Y + i]
    summary[10, case] = w[s.LEAKED + i]
    summary[11, case] = (math.sqrt(w[s.STORE + i]) - STORE_AT_START) * w[s.S_N + i]
    double = w[s.SHARE_2 + i] > 0.0  # equilibrium of two materials is not solved
    summary[12, case] = np.nan if double else charge_left(w, i, tables)
    summary[13, case] = w[s.SURFACE + i]
    highest = max(w[s.X_MEAN_MAX + i], mean_stoichiometry(w, i))
    summary[14, case] = highest if double else w[s.X_MAX + i]
    summary[15, case] = w[s.X_2 + i] if double else 0.0
    summary[16, case] = w[s.FILM_2 + i] if double else 0.0


@njit(fastmath=FASTMATH, error_model="numpy", nogil=True, cache=True, _nrt=False)
def run(
    w, vectors, places, base, columns, own, first, last, tables, flat, kinds, cycles, tolerance,
    growth, first_step, per_cycle, summary, status, trace, extended,
):  # fmt: skip
    """Form the cases from `first` to before `last` in a `workspace.room`; see `sweep` and, for
    `extended`, `extensions`.

    Returns the rows of the trace in use and the attempts it took. A trace follows one case: the
    last one in lane 0.
    """
    idle(w)
    case, step = places
    strict = min(tolerance, 1.0)
    bare = extended is not None and extended[0]
    double = extended is not None and extended[1]
    if double:
        for i in range(LANES):
            settle_second(w, i)
    # with a leak or two materials, the currents inside the cell have to be found first; a trace
    # begins with the first instant
    opened = 0.0 if bare or double or trace.shape[0] > 0 else first_step
    following, rows, tried, busy = first, 0, 0, 0
    finished = True
    for i in range(LANES):
        case[i], step[i] = -1, 0
        w[s.FINISHED + i] = 1.0
    while True:
        if finished:
            for i in range(LANES):
                if w[s.FINISHED + i] == 0.0:
                    continue
                if case[i] >= 0:
                    close(w, i, cycles[step[i]], case[i], per_cycle)
                    step[i] += 1
                while True:
                    if case[i] >= 0:
                        if w[s.STATUS + i] == OK and step[i] < kinds.shape[0]:
                            at = COUNT + step[i] * len(VALUES)
                            values = vectors[i, at : at + len(VALUES)]
                            enter(w, i, kinds[step[i]], values, opened)
                            if w[s.STATUS + i] == OK:
                                break
                        leave(w, i, case[i], tables, per_cycle, summary, status)
                        case[i], busy = -1, busy - 1
                        w[s.ACTIVE + i] = w[s.H + i] = 0.0
                    if following >= last:
                        break
                    case[i], busy, step[i] = following, busy + 1, 0
                    following += 1
                    fill(per_cycle, case[i], 0.0)
                    board(w, i, vectors[i], base, columns, own[:, case[i]])
                    read_once(w, i, tables, flat)
                    if double and w[s.STATUS + i] == OK:
                        settle_second(w, i)
                        if w[s.SHARE_2 + i] == 0.0:
                            w[s.STATUS + i] = INVALID_INPUT
                w[s.FINISHED + i] = 0.0
            if busy == 0:
                break
        at, before = step[0], w[s.TIME]
        if extended is None:
            finished = attempt(w, tables, flat, tolerance, growth, first_step, strict)
        else:
            finished = attempt_extended(
                w, tables, flat, bare, double, tolerance, growth, first_step, strict
            )
        tried += 1
        if rows < trace.shape[0] and (
            w[s.TIME] > before or (w[s.ACCEPTED] > 0.0 and w[s.H_0] == 0.0)
        ):
            for column, row in enumerate((s.TIME, s.V_0, s.I_0, s.T, s.X, s.Y, s.FILM)):
                trace[rows, column] = w[row]
            trace[rows, 2] -= w[s.LEAK_0]
            trace[rows, 4] = mean_stoichiometry(w, 0)
            trace[rows, 7], trace[rows, 8] = lithium_lost(w, 0), at
            rows += 1
            if w[s.TIME] == before and w[s.KIND] == CURRENT and not double:
                w[s.OPENING] = 1.0  # after its first instant, too
    return rows, tried


def extensions(base, columns, flat):
    """What some cells have beyond the plain model, for all cases of a sweep alike.

    Parameters
    ----------
    base, columns, flat : as for `sweep`

    Returns
    -------
    None, or bool array, shape (2,): whether there is unpassivated surface, and a second material in
    the negative electrode. The argument's type chooses between two compilations of `run`: most
    cells need nothing of this, and compile less.
    """
    bare = base[NEW_SURFACE] > 0.0 or NEW_SURFACE in columns
    double = base[SECOND_PHASE] > 0.0 or SECOND_PHASE in columns
    return np.array([bare, double]) if bare or double or shelled(flat) else None


def shelled(flat):
    """Whether a diffusivity of the particles depends on more than temperature, by Arrhenius."""
    return not flat[[t.SHAPE_D_N, t.WARM_D_N, t.SHAPE_D_P, t.WARM_D_P]].all()


def opening_step(flat):
    """Return how long the first time step of a protocol step is [s]."""
    return SHELL_FIRST_STEP if shelled(flat) else FIRST_STEP


def sweep(base, columns, own, tables, flat, kinds, cycles, tolerance, per_cycle, summary, status):
    """Run every case, on as many threads as `numba.get_num_threads()` says.

    Parameters
    ----------
    base : float64 array, shape (parameters.COUNT + steps * len(protocol.VALUES),)
    columns : int64 array, shape (k,), which entries of `base` differ from case to case
    own : float64 array, shape (k, cases), those entries
    tables : float64 array, shape (len(tables.NAMES), INTERVALS, COLUMNS);  flat : bool array,
        True where a table is 1 or 0
    kinds, cycles : int64 arrays, shape (steps,)
    tolerance : float, 1 for the stated accuracy; smaller is more accurate
    per_cycle : float64 array, shape (4, cycles, cases), filled: charge in, charge out [C], energy
        in, energy out [J]
    summary : float64 array, shape (len(SUMMARY), cases), filled; SI
    status : int8 array, shape (cases,), filled; where it is not 0 the other outputs are NaN
    """
    cases, no_trace = status.shape[0], np.empty((0, len(TRACE)))
    extended = extensions(base, columns, flat)

    def task(first):
        run(
            *s.room(base.size), base, columns, own, first, min(first + TASK, cases), tables, flat,
            kinds, cycles, tolerance, GROWTH, opening_step(flat), per_cycle, summary, status,
            no_trace, extended,
        )  # fmt: skip

    tasks = range(0, cases, TASK)
    count = min(get_num_threads(), len(tasks))
    if count < 2:
        for first in tasks:
            task(first)
        return
    with ThreadPoolExecutor(count) as threads:
        for _ in threads.map(task, tasks):
            pass  # a task that failed raises here


def trace(base, tables, flat, kinds, cycles, tolerance, rows):
    """Run one case and record it.

    Parameters
    ----------
    base, tables, flat, kinds, cycles, tolerance : as for `sweep`; time steps are those of a tenth
        of the tolerance
    rows : float64 array, shape (n, len(cell.TRACE)), filled: the first instant of each step and
        the end of each time step

    Returns
    -------
    tuple of int: rows in use, status
    """
    status, columns = np.zeros(1, dtype=np.int8), np.empty(0, dtype=np.int64)
    used, _ = run(
        *s.room(base.size), base, columns, np.empty((0, 1)), 0, 1, tables, flat, kinds, cycles,
        TRACE_TOLERANCE * tolerance, TRACE_GROWTH, TRACE_FIRST_STEP,
        np.empty((4, cycles.max() + 1, 1)), np.empty((len(SUMMARY), 1)), status, rows,
        extensions(base, columns, flat),
    )  # fmt: skip
    return used, int(status[0])


#: outputs may be slices of larger arrays; what is left open is the type of `extended`
SIGNATURE = (
    "(float64[::1], float64[:, ::1], int64[:, ::1], float64[::1], int64[::1], float64[:, ::1], "
    "int64, int64, float64[:, :, ::1], boolean[::1], int64[::1], int64[::1], float64, float64, "
    "float64, float64[:, :, :], float64[:, :], int8[::1], float64[:, ::1], {})"
)


def compile_run(*, extended):
    """Compile `run`, with extensions or without, or read it from the cache."""
    if not config.DISABLE_JIT:
        run.disable_compile(False)
        run.compile(SIGNATURE.format("boolean[::1]" if extended else "none"))
        run.disable_compile()
