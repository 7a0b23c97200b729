"""Many cells through one protocol, in parallel, each with its own numbers; nothing is returned,
outputs are filled.

The numbers of a case are a base vector shared by all, with a few columns of its own: memory per
case is what varies. A vector is the cell's parameters (`parameters.NAMES`) followed by the
protocol's values, step by step.
"""

import math

import numpy as np
from numba import config, njit, prange

from kernels import parameters as p
from kernels import workspace as s
from kernels.cell import TRACE, attempt, attempt_two, enter, idle, settle
from kernels.compiled import lanes
from kernels.parameters import COUNT, LANES
from kernels.passivation import STORE_AT_START
from kernels.protocol import VALUES
from kernels.second_phase import mean_stoichiometry, settle_second
from kernels.status import INVALID_INPUT, OK
from kernels.step_control import FIRST_STEP, LANDING, charge_left

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
)
NEW_SURFACE, SECOND_PHASE = p.NEW_SURFACE // LANES, p.EPS_2 // LANES  # in the vector of a case
TASK = 64 * LANES  # cases: long enough that lanes without one are rare, at its end
GROWTH = 3.0  # most that a time step may be longer than the one before
TRACE_GROWTH = 1.15  # enough points to draw a relaxation by straight lines


@lanes
def board(w, i, vector, base, columns, own):
    """Put a case into lane `i`: its numbers, and the fresh cell that they make."""
    vector[:] = base
    for column in range(columns.shape[0]):
        vector[columns[column]] = own[column]
    for row in range(COUNT):
        w[row * LANES + i] = vector[row]
    settle(w, i)
    w[s.ACTIVE + i] = 1.0


@lanes
def close(w, i, cycle, case, per_cycle):
    """Add the sums of a finished protocol step up."""
    per_cycle[0, cycle, case] += w[s.CHARGE_IN + i]
    per_cycle[1, cycle, case] += w[s.CHARGE_OUT + i]
    per_cycle[2, cycle, case] += w[s.ENERGY_IN + i]
    per_cycle[3, cycle, case] += w[s.ENERGY_OUT + i]


@lanes
def leave(w, i, case, tables, per_cycle, summary, status):
    """Write the results of the case that lane `i` has finished."""
    status[case] = np.int8(w[s.STATUS + i])
    if w[s.STATUS + i] != OK:
        per_cycle[:, :, case] = np.nan
        summary[:, case] = np.nan
        return
    film = w[s.FILM + i] - w[p.L_SEI_0 + i]
    summary[0, case] = (film / w[s.FILM_PER_CHARGE + i] + w[s.LOST + i]) * w[s.S_N + i]
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


@lanes
def run(
    w, base, columns, own, first, last, tables, flat, kinds, cycles, tolerance, growth, opened,
    per_cycle, summary, status, trace,
):  # fmt: skip
    """Form the cases from `first` to before `last`; see `sweep`.

    Returns the rows of the trace in use and the attempts it took. A trace follows one case: the
    last one in lane 0.
    """
    idle(w)
    vectors = np.empty((LANES, base.shape[0]))
    case = np.full(LANES, -1)
    step = np.zeros(LANES, dtype=np.int64)
    bare = base[NEW_SURFACE] > 0.0  # whether there is unpassivated surface, for all cases alike
    double = base[SECOND_PHASE] > 0.0  # likewise, a second material in the negative electrode
    for column in columns:
        bare = bare or column == NEW_SURFACE
        double = double or column == SECOND_PHASE
    if double:
        for i in range(LANES):
            settle_second(w, i)
    landing = LANDING * min(tolerance, 1.0)
    # with a leak or two materials, the currents inside the cell have to be found first
    first_step = 0.0 if bare or double else opened
    following, rows, tried, busy = first, 0, 0, 0
    finished = True
    w[s.FINISHED : s.FINISHED + LANES] = 1.0
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
                            enter(w, i, kinds[step[i]], values, first_step)
                            if w[s.STATUS + i] == OK:
                                break
                        leave(w, i, case[i], tables, per_cycle, summary, status)
                        case[i], busy = -1, busy - 1
                        w[s.ACTIVE + i] = w[s.H + i] = 0.0
                    if following >= last:
                        break
                    case[i], busy, step[i] = following, busy + 1, 0
                    following += 1
                    per_cycle[:, :, case[i]] = 0.0
                    board(w, i, vectors[i], base, columns, own[:, case[i]])
                    if double and w[s.STATUS + i] == OK:
                        settle_second(w, i)
                        if w[s.SHARE_2 + i] == 0.0:
                            w[s.STATUS + i] = INVALID_INPUT
                w[s.FINISHED + i] = 0.0
            if busy == 0:
                break
        at, before = step[0], w[s.TIME]
        if double:
            finished = attempt_two(w, tables, flat, tolerance, growth, landing)
        else:
            finished = attempt(w, tables, flat, bare, tolerance, growth, landing)
        tried += 1
        if rows < trace.shape[0] and (
            w[s.TIME] > before or (w[s.ACCEPTED] > 0.0 and w[s.H_0] == 0.0)
        ):
            for column, row in enumerate((s.TIME, s.V_0, s.I_0, s.T, s.X, s.Y, s.FILM)):
                trace[rows, column] = w[row]
            trace[rows, 2] -= w[s.LEAK_0]
            trace[rows, 4] = mean_stoichiometry(w, 0)
            trace[rows, 7] = at
            trace[rows, 8] = w[s.FILM] + w[s.LOST_2] * w[s.FILM_PER_CHARGE]
            rows += 1
    return rows, tried


@njit(parallel=True, error_model="numpy", cache=True)
def sweep(base, columns, own, tables, flat, kinds, cycles, tolerance, per_cycle, summary, status):
    """Run every case.

    Parameters
    ----------
    base : float64 array, shape (parameters.COUNT + steps * len(protocol.VALUES),)
    columns : int64 array, shape (k,), which entries of `base` differ from case to case
    own : float64 array, shape (k, cases), those entries
    tables : float64 array, shape (len(tables.NAMES), INTERVALS, 5);  flat : bool array, True where
        a table is 1 or 0
    kinds, cycles : int64 arrays, shape (steps,)
    tolerance : float, 1 for the stated accuracy; smaller is more accurate
    per_cycle : float64 array, shape (4, cycles, cases), filled: charge in, charge out [C], energy
        in, energy out [J]
    summary : float64 array, shape (len(SUMMARY), cases), filled; SI
    status : int8 array, shape (cases,), filled; where it is not 0 the other outputs are NaN
    """
    cases = status.shape[0]
    tasks = (cases + TASK - 1) // TASK
    for task in prange(tasks):
        w, no_trace = np.empty(s.SIZE), np.empty((0, len(TRACE)))
        run(
            w, base, columns, own, task * TASK, min((task + 1) * TASK, cases), tables, flat, kinds,
            cycles, tolerance, GROWTH, FIRST_STEP, per_cycle, summary, status, no_trace,
        )  # fmt: skip


@njit(error_model="numpy", cache=True)
def trace(base, tables, flat, kinds, cycles, tolerance, rows):
    """Run one case and record it.

    Parameters
    ----------
    base, tables, flat, kinds, cycles, tolerance : as for `sweep`
    rows : float64 array, shape (n, len(cell.TRACE)), filled: the first instant of each step and
        the end of each time step

    Returns
    -------
    tuple of int: rows in use, status
    """
    status = np.zeros(1, dtype=np.int8)
    used, _ = run(
        np.empty(s.SIZE), base, np.empty(0, dtype=np.int64), np.empty((0, 1)), 0, 1, tables, flat,
        kinds, cycles, tolerance, TRACE_GROWTH, 0.0, np.empty((4, cycles.max() + 1, 1)),
        np.empty((len(SUMMARY), 1)), status, rows,
    )  # fmt: skip
    return used, int(status[0])


#: one compilation for every call: outputs may be slices of larger arrays
SIGNATURE = (
    "void(float64[::1], int64[::1], float64[:, ::1], float64[:, :, ::1], boolean[::1], "
    "int64[::1], int64[::1], float64, float64[:, :, :], float64[:, :], int8[::1])"
)


def compile_all():
    """Compile `sweep`, or read it from the cache; `trace` is compiled when it is first called."""
    if not config.DISABLE_JIT:
        sweep.compile(SIGNATURE)
        sweep.disable_compile()
