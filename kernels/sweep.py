"""Many cells through one protocol, in parallel, each with its own numbers; nothing is returned,
outputs are filled.

The numbers of a case are a base vector shared by all, with a few columns of its own: memory per
case is what varies.
A vector is the cell's parameters (`parameters.NAMES`) followed by the protocol's values, step by
step.
"""

import numpy as np
from numba import config, njit, prange

from kernels import parameters as p
from kernels import workspace as s
from kernels.cell import GROWTH, march
from kernels.kinetics import FARADAY
from kernels.parameters import COUNT, LANES
from kernels.protocol import VALUES
from kernels.status import OK

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
)
BLOCKS_PER_TASK = 4
TRACE_GROWTH = 1.15  # enough points to draw a relaxation by straight lines


@njit(parallel=True, error_model="numpy", cache=True)
def sweep(base, columns, own, tables, flat, kinds, cycles, tolerance, per_cycle, summary, status):
    """Run every case.

    Parameters
    ----------
    base : float64 array, shape (parameters.COUNT + steps * len(protocol.VALUES),)
    columns : int64 array, shape (k,), which entries of `base` differ from case to case
    own : float64 array, shape (k, cases), those entries
    tables, flat, kinds, cycles, tolerance : see `cell.march`
    per_cycle : float64 array, shape (4, cycles, cases), filled: charge in, charge out [C], energy
        in, energy out [J]
    summary : float64 array, shape (len(SUMMARY), cases), filled; SI
    status : int8 array, shape (cases,), filled; where it is not 0 the other outputs are NaN
    """
    cases = status.shape[0]
    blocks = (cases + LANES - 1) // LANES
    tasks = (blocks + BLOCKS_PER_TASK - 1) // BLOCKS_PER_TASK
    steps = kinds.shape[0]
    for task in prange(tasks):
        w = np.empty(s.SIZE)
        values = np.empty((steps, len(VALUES), LANES))
        sums = np.empty((4, per_cycle.shape[1], LANES))
        no_trace = np.empty((0, 8))
        for block in range(task * BLOCKS_PER_TASK, min((task + 1) * BLOCKS_PER_TASK, blocks)):
            load(w, values, base, columns, own, block * LANES, cases)
            march(w, values, tables, flat, kinds, cycles, tolerance, GROWTH, sums, no_trace)
            for i in range(min(LANES, cases - block * LANES)):
                store(w, sums, i, block * LANES + i, per_cycle, summary, status)


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
    w = np.empty(s.SIZE)
    values = np.empty((kinds.shape[0], len(VALUES), LANES))
    sums = np.empty((4, cycles.max() + 1, LANES))
    load(w, values, base, np.empty(0, dtype=np.int64), np.empty((0, 1)), 0, 1)
    used, _ = march(w, values, tables, flat, kinds, cycles, tolerance, TRACE_GROWTH, sums, rows)
    return used, int(w[s.STATUS])


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


@njit(error_model="numpy")
def load(w, values, base, columns, own, first, cases):
    """Put LANES cases into a workspace; beyond the last case the last one is repeated."""
    for row in range(COUNT):
        for i in range(LANES):
            w[row * LANES + i] = base[row]
    for k in range(base.shape[0] - COUNT):
        for i in range(LANES):
            values[k // len(VALUES), k % len(VALUES), i] = base[COUNT + k]
    for column in range(columns.shape[0]):
        k = columns[column] - COUNT
        for i in range(LANES):
            value = own[column, min(first + i, cases - 1)]
            if k < 0:
                w[columns[column] * LANES + i] = value
            else:
                values[k // len(VALUES), k % len(VALUES), i] = value


@njit(error_model="numpy")
def store(w, sums, i, case, per_cycle, summary, status):
    """Copy lane `i` of a finished workspace to its case."""
    status[case] = np.int8(w[s.STATUS + i])
    if status[case] != OK:
        per_cycle[:, :, case] = np.nan
        summary[:, case] = np.nan
        return
    for quantity in range(4):
        for cycle in range(per_cycle.shape[1]):
            per_cycle[quantity, cycle, case] = sums[quantity, cycle, i]
    film = w[s.FILM + i] - w[p.L_SEI_0 + i]
    summary[0, case] = film / w[p.V_SEI + i] * w[p.Z_SEI + i] * FARADAY * w[s.S_N + i]
    summary[1, case] = w[s.FILM + i]
    summary[2, case] = w[s.TIME + i]
    summary[3, case] = w[s.TIME_IN + i]
    summary[4, case] = w[s.TIME_OUT + i]
    summary[5, case] = w[s.SQUARED_CURRENT + i]
    summary[6, case] = w[s.T_MAX + i]
    summary[7, case] = w[s.PHI_MIN + i]
    summary[8, case] = w[s.X + i]
    summary[9, case] = w[s.Y + i]
