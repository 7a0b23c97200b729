"""A block of cells marching through one protocol in lock step.

A lane never sees another one, so results do not depend on how cases are grouped.
"""

import math

from kernels import parameters as p
from kernels import workspace as s
from kernels.compiled import lanes
from kernels.kinetics import FARADAY
from kernels.parameters import COUNT, LANES, LOWER, UPPER
from kernels.particle import MODES
from kernels.protocol import CURRENT, NONE, REST, VOLTAGE
from kernels.status import INFEASIBLE_STEP, INVALID_INPUT, OK
from kernels.step_control import (
    CUT_OFF_WINDOW,
    LIMIT_WINDOW,
    SHORTEST_STEP,
    advance,
    compare_with_limit,
    judge,
)
from kernels.time_step import evaluate, grow_film, hold, propose
from kernels.vector_math import log

FIRST_STEP = 10.0  # s
GROWTH = 3.0  # of time steps in a sweep
NEWTON_AT_START = 20
NEWTON = 6

#: columns of a trace
TRACE = (
    "time",
    "voltage",
    "current",
    "temperature",
    "negative_stoichiometry",
    "positive_stoichiometry",
    "sei_thickness",
    "step",
)


@lanes
def initialise(w):
    """Derive what is fixed for each case and put every cell into its fresh state."""
    for i in range(LANES):
        w[s.STATUS + i] = OK
    for row in range(COUNT):
        for i in range(LANES):
            value = w[row * LANES + i]
            if not (LOWER[row] < value < UPPER[row]):
                w[s.STATUS + i] = INVALID_INPUT
                # a harmless number keeps this lane's arithmetic finite; it takes no step
                w[row * LANES + i] = (
                    0.5 * (max(LOWER[row], -1.0) + min(UPPER[row], 1.0))
                    if UPPER[row] < 233.0 or LOWER[row] < 0.5
                    else 300.0
                )
    for i in range(LANES):
        area, L_n, L_s, L_p = w[p.AREA + i], w[p.L_N + i], w[p.L_S + i], w[p.L_P + i]
        w[s.S_N + i] = 3.0 * w[p.EPS_SN + i] / w[p.R_N + i] * L_n * area
        w[s.S_P + i] = 3.0 * w[p.EPS_SP + i] / w[p.R_P + i] * L_p * area
        w[s.PER_S_N + i], w[s.PER_S_P + i] = 1.0 / w[s.S_N + i], 1.0 / w[s.S_P + i]
        w[s.Q_N + i] = 1.0 / (FARADAY * w[p.C_MAX_N + i] * w[p.EPS_SN + i] * L_n * area)
        w[s.Q_P + i] = 1.0 / (FARADAY * w[p.C_MAX_P + i] * w[p.EPS_SP + i] * L_p * area)
        w[s.RATE_N + i] = w[p.D_N + i] / (w[p.R_N + i] * w[p.R_N + i])
        w[s.RATE_P + i] = w[p.D_P + i] / (w[p.R_P + i] * w[p.R_P + i])
        # transport efficiencies after Bruggeman; the solid phase's is that of everything but the
        # pores, as in PyBaMM
        w[s.PATH_N + i] = L_n / w[p.EPS_N + i] ** w[p.B_N + i]
        w[s.PATH_S + i] = L_s / w[p.EPS_S + i] ** w[p.B_S + i]
        w[s.PATH_P + i] = L_p / w[p.EPS_P + i] ** w[p.B_P + i]
        path_solid_n = L_n / (w[p.SIGMA_N + i] * (1.0 - w[p.EPS_N + i]) ** w[p.B_SN + i])
        path_solid_p = L_p / (w[p.SIGMA_P + i] * (1.0 - w[p.EPS_P + i]) ** w[p.B_SP + i])
        w[s.R_SOLID + i] = (path_solid_n + path_solid_p) / (3.0 * area)
        path = w[s.PATH_N + i] / 3.0 + w[s.PATH_S + i] + w[s.PATH_P + i] / 3.0
        w[s.R_PATH + i] = path / area
        w[s.R_HEAT + i] = w[p.R_CC + i] / area + w[p.R_CONTACT + i]
        w[s.SALT_N + i] = L_n * w[p.EPS_N + i]
        w[s.SALT_S + i] = L_s * w[p.EPS_S + i]
        w[s.SALT_P + i] = L_p * w[p.EPS_P + i]
        per_thickness = 1.0 / (L_n + L_s + L_p)
        w[s.SHARE_N + i] = L_n * per_thickness
        w[s.SHARE_S + i] = L_s * per_thickness
        w[s.SHARE_P + i] = L_p * per_thickness
        w[s.PER_AREA + i], w[s.PER_T_REF + i] = 1.0 / area, 1.0 / w[p.T_REF + i]
        w[s.LOG_C_REF + i] = log(w[p.C_E_REF + i])
        w[s.FILM_PER_CHARGE + i] = w[p.V_SEI + i] / (w[p.Z_SEI + i] * FARADAY)
        w[s.X + i] = w[p.X_0 + i]
        w[s.Y + i] = w[p.Y_0 + i]
        w[s.G + i] = 0.0
        w[s.T + i] = w[p.T_INIT + i]
        w[s.FILM + i] = w[p.L_SEI_0 + i]
        w[s.C_N + i] = w[s.C_S + i] = w[s.C_P + i] = w[s.C_AV + i] = w[p.C_E + i]
        w[s.XS + i] = w[p.X_0 + i]
        w[s.YS + i] = w[p.Y_0 + i]
        w[s.I_0 + i] = w[s.J_0 + i] = w[s.J_SLOPE + i] = w[s.HEAT_0 + i] = w[s.V_0 + i] = 0.0
        w[s.PHI_0 + i] = w[s.POT_N_0 + i] = w[s.J_N_0 + i] = 0.0
        w[s.XS_0 + i], w[s.YS_0 + i] = w[p.X_0 + i], w[p.Y_0 + i]
        w[s.TIME + i] = w[s.TIME_IN + i] = w[s.TIME_OUT + i] = w[s.SQUARED_CURRENT + i] = 0.0
        w[s.T_MAX + i] = w[p.T_INIT + i]
        w[s.PHI_MIN + i] = NONE
        w[s.F_D_N + i] = w[s.F_D_S + i] = w[s.F_D_P + i] = 1.0
        w[s.F_KAPPA + i] = w[s.F_TDF + i] = w[s.F_T_PLUS + i] = 1.0
        w[s.F_J_N + i] = w[s.F_J_P + i] = w[s.F_DS_N + i] = w[s.F_DS_P + i] = 1.0
        w[s.ENT_N + i] = w[s.ENT_P + i] = 0.0
    for k in range(MODES):
        for i in range(LANES):
            w[s.X_MODE + k * LANES + i] = w[s.Y_MODE + k * LANES + i] = 0.0


@lanes
def begin(w, kind, tables, flat):
    """Enter a protocol step: consistent current, voltage and side reaction at its first instant."""
    for i in range(LANES):
        w[s.ACTIVE + i] = 1.0 if w[s.STATUS + i] == OK else 0.0
        w[s.H + i] = 0.0
        w[s.ATTEMPTS + i] = 0.0
        w[s.BRACKET + i] = NONE
        w[s.CHARGE_IN + i] = w[s.CHARGE_OUT + i] = w[s.ENERGY_IN + i] = w[s.ENERGY_OUT + i] = 0.0
        w[s.I_1 + i] = (
            w[s.SETPOINT + i] if kind == CURRENT else (w[s.I_0 + i] if kind == VOLTAGE else 0.0)
        )
        if not (
            math.fabs(w[s.SETPOINT + i]) < NONE and w[s.LIMIT + i] >= 0.0 and w[s.LEFT + i] >= 0.0
        ):
            w[s.STATUS + i] = INVALID_INPUT if w[s.STATUS + i] == OK else w[s.STATUS + i]
            w[s.ACTIVE + i] = 0.0
            w[s.I_1 + i] = w[s.SETPOINT + i] = 0.0
    propose(w, tables, flat)
    if kind == VOLTAGE:
        hold(w, NEWTON_AT_START, tables, flat)
    else:
        evaluate(w, tables, flat)
    grow_film(w, tables)
    for i in range(LANES):
        w[s.I_0 + i] = w[s.I_1 + i]
        w[s.V_0 + i] = w[s.V_1 + i]
        w[s.J_0 + i] = w[s.J_1 + i]
        w[s.HEAT_0 + i] = w[s.HEAT_1 + i]
        w[s.PHI_0 + i] = w[s.PHI_1 + i]
        w[s.POT_N_0 + i] = w[s.POT_N + i]
        w[s.J_N_0 + i] = w[s.J_N_1 + i]
        w[s.ETA_0 + i] = w[s.V_1 + i] - w[s.POT_P + i] + w[s.POT_N + i]
        w[s.XS_0 + i] = w[s.XS + i]
        w[s.YS_0 + i] = w[s.YS + i]
        w[s.AREA_N_0 + i] = w[s.AREA_N + i]
        w[s.AREA_P_0 + i] = w[s.AREA_P + i]
        w[s.V_SLOPE + i] = w[s.ETA_SLOPE + i] = w[s.I_SLOPE + i] = 0.0
        w[s.J_SLOPE + i] = w[s.XS_SLOPE + i] = w[s.YS_SLOPE + i] = 0.0
        limit, I = w[s.LIMIT + i], w[s.I_1 + i]
        beyond = math.copysign(1.0, I) * (limit - w[s.V_1 + i]) > LIMIT_WINDOW
        if w[s.ACTIVE + i] > 0.0 and kind == CURRENT and limit < NONE and beyond:
            w[s.STATUS + i] = INFEASIBLE_STEP
            w[s.ACTIVE + i] = 0.0
        # a hold that begins below its cut-off current is already over
        held = kind == VOLTAGE and limit < NONE and abs(I) <= limit * (1.0 + CUT_OFF_WINDOW)
        if held or w[s.LEFT + i] < SHORTEST_STEP:
            w[s.ACTIVE + i] = 0.0
        w[s.H + i] = min(FIRST_STEP, w[s.LEFT + i]) * w[s.ACTIVE + i]


@lanes
def record(w, trace, count, step):
    """Append lane 0 to a trace; returns the number of rows used."""
    if count < trace.shape[0]:
        for column, row in enumerate((s.TIME, s.V_0, s.I_0, s.T, s.X, s.Y, s.FILM)):
            trace[count, column] = w[row]
        trace[count, 7] = step
        return count + 1
    return count


@lanes
def march(w, values, tables, flat, kinds, cycles, tolerance, growth, per_cycle, trace):
    """Take a block through its protocol.

    Parameters
    ----------
    w : float64 array, shape (workspace.SIZE,); its first rows hold the parameters of each lane
    values : float64 array, shape (steps, len(protocol.VALUES), LANES)
    tables : float64 array, shape (len(tables.NAMES), INTERVALS, 5);  flat : bool array, True where
        a table is 1 or 0
    kinds, cycles : int64 arrays, shape (steps,)
    tolerance : float, 1 for the stated accuracy; smaller is more accurate, the errors of energies
        fall with its power 0.5 to 0.75
    growth : float, above 1, most that a time step may be longer than the one before
    per_cycle : float64 array, shape (4, cycles, LANES), filled with charge in, charge out [C],
        energy in, energy out [J]
    trace : float64 array, shape (rows, len(TRACE)), filled for lane 0; no rows, no trace

    Returns
    -------
    tuple of int: rows of the trace in use, time steps tried
    """
    initialise(w)
    per_cycle[:] = 0.0
    rows = 0
    tried = 0
    for step in range(kinds.shape[0]):
        kind = kinds[step]
        for i in range(LANES):
            w[s.SETPOINT + i] = values[step, 0, i]
            w[s.LIMIT + i] = values[step, 1, i]
            w[s.LEFT + i] = values[step, 2, i]
        begin(w, kind, tables, flat)
        if trace.shape[0] > 0:
            rows = record(w, trace, rows, step)
        marching = True
        while marching:
            before = w[s.TIME]
            propose(w, tables, flat)
            if kind == VOLTAGE:
                hold(w, NEWTON, tables, flat)
            else:
                evaluate(w, tables, flat)
            grow_film(w, tables)
            compare_with_limit(w, kind, tables)
            judge(w, tolerance, growth * growth if kind == REST else growth)
            marching = advance(w, kind)
            tried += 1
            if trace.shape[0] > 0 and w[s.TIME] > before:
                rows = record(w, trace, rows, step)
        for i in range(LANES):
            per_cycle[0, cycles[step], i] += w[s.CHARGE_IN + i]
            per_cycle[1, cycles[step], i] += w[s.CHARGE_OUT + i]
            per_cycle[2, cycles[step], i] += w[s.ENERGY_IN + i]
            per_cycle[3, cycles[step], i] += w[s.ENERGY_OUT + i]
    return rows, tried
