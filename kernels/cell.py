"""A block of cells marching in lock step, each through its own part of the protocol.

Every lane has its own case and its own place in the protocol; it takes the next case as soon as
one is done. A lane never sees another one, so results do not depend on how cases are grouped.
"""

from kernels import parameters as p
from kernels import workspace as s
from kernels.compiled import lanes, sequence
from kernels.electrolyte import CELLS, EDGE, ELECTRODE_CELLS, relaxation_time
from kernels.kinetics import FARADAY
from kernels.limits import compare_with_limits, land
from kernels.parameters import COUNT, LANES, LOWER, UPPER
from kernels.particle import MODES
from kernels.particle_step import (
    propose_negative,
    propose_negative_modes,
    propose_positive,
    propose_positive_modes,
)
from kernels.passivation import STORE_AT_START, consume, keep, leak, opened, predict_side_currents
from kernels.protocol import CURRENT, NONE, SKIP, VALUES
from kernels.salt_step import propose_salt
from kernels.second_phase import (
    depart,
    follow,
    grow_second_film,
    keep_second,
    predict_split,
    propose_second,
    split,
)  # fmt: skip
from kernels.shell_step import move_particles
from kernels.shells import SHELLS
from kernels.status import INVALID_INPUT, OK
from kernels.step_control import judge, measure_departure
from kernels.step_sums import add_up, move_on
from kernels.time_step import evaluate, follow_side_charge, grow_film, predict, steer
from kernels.uneven_potential import even_out
from kernels.vector_math import log

NOTHING = (0.0,) * len(VALUES)  # the values of a protocol step that does nothing

#: columns of a trace
TRACE = (
    "time",
    "voltage",
    "current",
    "temperature",
    "negative_stoichiometry",
    "positive_stoichiometry",
    "sei_thickness",
    "lithium_loss",  # C
    "step",
)


@lanes
def settle(w, i):
    """Derive what is fixed for the case in lane `i` and put its cell into the fresh state."""
    w[s.STATUS + i] = OK
    for row in range(COUNT):
        value = w[row * LANES + i]
        if not (LOWER[row] < value < UPPER[row]):
            w[s.STATUS + i] = INVALID_INPUT
            return
    area, L_n, L_s, L_p = w[p.AREA + i], w[p.L_N + i], w[p.L_S + i], w[p.L_P + i]
    w[s.S_N + i] = 3.0 * w[p.EPS_SN + i] / w[p.R_N + i] * L_n * area
    w[s.S_P + i] = 3.0 * w[p.EPS_SP + i] / w[p.R_P + i] * L_p * area
    w[s.PER_S_N + i] = 1.0 / w[s.S_N + i]
    w[s.Q_N + i] = 1.0 / (FARADAY * w[p.C_MAX_N + i] * w[p.EPS_SN + i] * L_n * area)
    w[s.Q_P + i] = 1.0 / (FARADAY * w[p.C_MAX_P + i] * w[p.EPS_SP + i] * L_p * area)
    w[s.RATE_N + i] = w[p.D_N + i] / (w[p.R_N + i] * w[p.R_N + i])
    w[s.RATE_P + i] = w[p.D_P + i] / (w[p.R_P + i] * w[p.R_P + i])
    # transport efficiencies after Bruggeman; the solid phase's is that of everything but the
    # pores, as in PyBaMM
    path_n = L_n / w[p.EPS_N + i] ** w[p.B_N + i]
    path_s = L_s / w[p.EPS_S + i] ** w[p.B_S + i]
    path_p = L_p / w[p.EPS_P + i] ** w[p.B_P + i]
    path_solid_n = L_n / (w[p.SIGMA_N + i] * (1.0 - w[p.EPS_N + i]) ** w[p.B_SN + i])
    path_solid_p = L_p / (w[p.SIGMA_P + i] * (1.0 - w[p.EPS_P + i]) ** w[p.B_SP + i])
    w[s.R_SOLID + i] = (path_solid_n + path_solid_p) / (3.0 * area)
    path = path_n / 3.0 + path_s + path_p / 3.0
    w[s.R_PATH + i], w[s.SHARE_N + i] = path / area, 0.5 * path_n / path
    w[s.R_HEAT + i] = w[p.R_CC + i] / area + w[p.R_CONTACT + i]
    # salt, per diffusivity
    w[s.LINK_N + i] = ELECTRODE_CELLS / path_n
    w[s.LINK_P + i] = ELECTRODE_CELLS / path_p
    w[s.LINK_N_S + i] = 2.0 / (EDGE * path_n / ELECTRODE_CELLS + path_s)
    w[s.LINK_S_P + i] = 2.0 / (path_s + EDGE * path_p / ELECTRODE_CELLS)
    v_n, v_s, v_p = L_n * w[p.EPS_N + i], L_s * w[p.EPS_S + i], L_p * w[p.EPS_P + i]
    w[s.SALT_N + i], w[s.SALT_S + i] = v_n / ELECTRODE_CELLS, v_s
    w[s.SALT_P + i] = v_p / ELECTRODE_CELLS
    w[s.SOURCE + i] = 1.0 / (FARADAY * area * ELECTRODE_CELLS)
    w[s.RELAXATION + i] = relaxation_time(path_n, path_s, path_p, v_n, v_s, v_p)
    # the mean concentration at which PyBaMM's SPMe reads conductivity, thermodynamic factor and
    # transference number: x-average of eps c, which is conserved, times that of 1 / eps
    mean_inverse = L_n / w[p.EPS_N + i] + L_s / w[p.EPS_S + i] + L_p / w[p.EPS_P + i]
    thickness = L_n + L_s + L_p
    shape = (v_n + v_s + v_p) * mean_inverse / (thickness * thickness)
    w[s.C_AV + i] = w[p.C_E + i] * shape
    w[s.PER_HEAT_CAPACITY + i] = 1.0 / w[p.HEAT_CAPACITY + i]
    w[s.PER_T_REF + i] = 1.0 / w[p.T_REF + i]
    w[s.LOG_C_REF + i] = log(w[p.C_E_REF + i])
    w[s.FILM_PER_CHARGE + i] = w[p.V_SEI + i] / (w[p.Z_SEI + i] * FARADAY)
    w[s.X + i], w[s.Y + i] = w[p.X_0 + i], w[p.Y_0 + i]
    for row in range(s.I_0, s.H_0 + LANES, LANES):  # of the lane's last case
        w[row + i] = 0.0
    w[s.XS_0 + i], w[s.YS_0 + i] = w[p.X_0 + i], w[p.Y_0 + i]
    w[s.T + i], w[s.T_MAX + i] = w[p.T_INIT + i], w[p.T_INIT + i]
    w[s.FILM + i] = w[p.L_SEI_0 + i]
    for k in range(MODES):
        w[s.X_MODE + k * LANES + i] = w[s.Y_MODE + k * LANES + i] = 0.0
    for k in range(SHELLS):
        at = s.SHELL + k * LANES + i
        w[at], w[at + s.TO_POSITIVE] = w[p.X_0 + i], w[p.Y_0 + i]
    w[s.SHELL_XS_0 + i], w[s.SHELL_XS_0 + s.TO_POSITIVE + i] = w[p.X_0 + i], w[p.Y_0 + i]
    for k in range(CELLS):
        w[s.SALT + k * LANES + i] = w[p.C_E + i]
    w[s.TIME + i] = w[s.TIME_IN + i] = w[s.TIME_OUT + i] = w[s.SQUARED_CURRENT + i] = 0.0
    w[s.PHI_MIN + i], w[s.CUT_OFF + i] = NONE, NONE
    for row in range(s.SURFACE, s.DPHI_P + LANES, LANES):
        w[row + i] = 0.0
    w[s.X_MAX + i], w[s.STORE + i] = w[p.X_0 + i], STORE_AT_START * STORE_AT_START
    w[s.OPENED + i] = opened(w[p.X_0 + i], w[p.NEW_SURFACE + i])


@lanes
def enter(w, i, kind, values, opened):
    """Let lane `i` begin a protocol step of the given kind and values (protocol.VALUES).

    The first time step of a current step is `opened` long [s].
    """
    w[s.SKIPPABLE + i] = 1.0 if kind >= SKIP else 0.0
    kind = kind % SKIP
    setpoint, voltage, current, left, charge = values[0], values[1], values[2], values[3], values[4]
    if kind == CURRENT:  # its charge is a matter of time
        left = min(left, charge / max(abs(setpoint), 1e-30))
        charge = NONE
    limits = (voltage >= 0.0) & (current >= 0.0) & (left >= 0.0) & (charge >= 0.0)
    if not (limits and abs(setpoint) < NONE):
        w[s.STATUS + i] = INVALID_INPUT
    w[s.KIND + i], w[s.SETPOINT + i] = kind, setpoint
    w[s.VOLTAGE_LIMIT + i], w[s.CURRENT_LIMIT + i] = voltage, current
    w[s.LEFT + i], w[s.CHARGE_LIMIT + i] = left, charge
    w[s.BRACKET + i] = NONE
    w[s.PASSED + i] = w[s.ATTEMPTS + i] = 0.0
    w[s.OPENING + i] = 1.0
    for row in range(s.ETA_SLOPE, s.H_0 + LANES, LANES):  # nothing is known yet of how it changes
        w[row + i] = 0.0
    # where the current has to be found first, the step opens with a time step of no length
    w[s.H + i] = min(opened, left) if kind == CURRENT else 0.0
    w[s.CHARGE_IN + i] = w[s.CHARGE_OUT + i] = w[s.ENERGY_IN + i] = w[s.ENERGY_OUT + i] = 0.0
    if kind == CURRENT:  # it jumps
        w[s.I_0 + i] = setpoint + w[s.LEAK_0 + i]
        if setpoint > 0.0 and voltage < NONE:
            w[s.CUT_OFF + i] = voltage
    w[s.I_1 + i] = w[s.I_0 + i]


@lanes
def idle(w):
    """Fill a workspace with numbers that are harmless wherever a lane has no case."""
    w[:] = 1.0  # the factors of properties that are flat, which nobody writes, among them
    for i in range(LANES):
        for row in range(COUNT):
            middle = 0.5 * (max(LOWER[row], -1.0) + min(UPPER[row], 1.0))
            w[row * LANES + i] = 300.0 if LOWER[row] > 200.0 else middle
        settle(w, i)
        enter(w, i, CURRENT, NOTHING, 0.0)
        w[s.ACTIVE + i] = 0.0
    w[s.ENT_N : s.ENT_N + LANES] = 0.0
    w[s.ENT_P : s.ENT_P + LANES] = 0.0
    unsettled = s.SHELL_UNSETTLED, s.SHELL_UNSETTLED + s.TO_POSITIVE
    # of cells without a second material, with one, or without shells
    for row in (s.SHARE_2, s.LOST_2, s.SIDE_SHIFT, *unsettled):
        w[row : row + LANES] = 0.0


@sequence
def attempt(w, tables, flat, tolerance, growth, first, strict):
    """Try one time step in every lane; returns whether any lane has finished its protocol step."""
    predict(w, tables, flat)
    propose_negative_modes(w)
    propose_positive_modes(w)
    propose_salt(w)
    evaluate(w, tables, flat)
    steer(w)
    even_out(w)
    grow_film(w, tables)
    follow_side_charge(w)
    measure_departure(w)
    compare_with_limits(w, strict)
    judge(w, tolerance, growth, first)
    land(w, tables)
    add_up(w)
    return move_on(w)


@sequence
def attempt_extended(w, tables, flat, bare, double, tolerance, growth, first, strict):
    """`attempt` with what only some cells have: shells, surface that is not passivated, a second
    material in the negative electrode.
    """
    if bare:
        predict_side_currents(w)
    if double:
        predict_split(w)
    predict(w, tables, flat)
    propose_negative(w, tables, flat)
    propose_positive(w, tables, flat)
    propose_salt(w)
    if double:
        propose_second(w)
    evaluate(w, tables, flat)
    if bare:
        leak(w)
    if double:
        split(w, tables, flat)
    steer(w)
    if bare:
        consume(w)
    if double:
        follow(w)
    even_out(w)
    grow_film(w, tables)
    if double:
        grow_second_film(w)
    else:
        follow_side_charge(w)
    measure_departure(w)
    compare_with_limits(w, strict)
    if double:
        depart(w)
    judge(w, tolerance, growth, first)
    land(w, tables)
    if bare:
        keep(w)
    if double:
        keep_second(w)
    add_up(w)
    move_particles(w, flat)
    return move_on(w)
