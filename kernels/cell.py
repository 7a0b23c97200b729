"""A block of cells marching through one protocol in lock step: SPMe, lumped heat, SEI with film resistance.

Model: Marquis et al. 2019 (J. Electrochem. Soc. 166 A3693), Brosa Planella and Widanage 2022 (SPMe with side reactions),
in the form PyBaMM solves it. Positive current discharges. Per lane the unknowns are the mean stoichiometries x, y, the
particle modes, the filtered electrolyte current density, the temperature and the film thickness.

A time step is taken with the current linear in time, so that everything diffusive is exact and affine in the end
current I_1 (`propose`); the terminal voltage follows (`evaluate`), with Newton's method on I_1 where the voltage is
set; side reaction and heat are predicted and corrected, second order (`settle`). Each lane has its own step length,
chosen from how far the voltage, the side current and the held current departed from straight lines, and lands on
its limit by a last step of exact length. A lane never sees another one, so results do not depend on how cases are
grouped.
"""

import math


from kernels import sei
from kernels.compiled import lanes
from kernels.electrolyte import mean_log_ratio, unit_profile
from kernels.kinetics import FARADAY, GAS, arrhenius, exchange_current
from kernels.parameters import (
    AREA, BETA, B_N, B_P, B_S, B_SN, B_SP, COOLING, COUNT, C_E, C_EC, C_E_REF, C_MAX_N, C_MAX_P, D_E, D_EC, D_N,
    D_P, EPS_N, EPS_P, EPS_S, EPS_SN, EPS_SP, E_D_E, E_D_N, E_D_P, E_J_N, E_J_P, E_KAPPA, E_SEI, HEAT_CAPACITY,
    J0_SEI, J_N, J_P, KAPPA, K_SEI, LANES, LOWER, L_N, L_P, L_S, L_SEI_0, O_J_N, O_J_P, RHO_SEI, R_CC, R_CONTACT,
    R_N, R_P, SIGMA_N, SIGMA_P, TDF, T_AMB, T_INIT, T_PLUS, T_REF, UPPER, U_SEI, V_SEI, X_0, Y_0, Z_SEI,
)  # fmt: skip
from kernels.particle import MODES, RATES, RESIDUES, decay, mode_step
from kernels.protocol import CURRENT, NONE, VOLTAGE
from kernels.status import (
    ELECTROLYTE_DEPLETED,
    INFEASIBLE_STEP,
    INVALID_INPUT,
    OK,
    STEP_COUNT_LIMIT,
    STOICHIOMETRY_LIMIT,
    TEMPERATURE_LIMIT,
)
from kernels.tables import (
    CONCENTRATION_LIMIT, DUDT_N, DUDT_P, SHAPE_D_E, SHAPE_D_N, SHAPE_D_P, SHAPE_J_N, SHAPE_J_P, SHAPE_KAPPA,
    SHAPE_TDF, SHAPE_T_PLUS, U_N, U_P, lookup,
)  # fmt: skip
from kernels.thermal import temperature_step
from kernels.vector_math import asinh, log
from kernels.workspace import (
    ACCEPTED, ACTIVE, AREA_N, AREA_N_0, AREA_P, AREA_P_0, ATTEMPTS, BRACKET, CHARGE_IN, CHARGE_OUT, CHI, C_AV, C_N,
    C_P, C_S, DROP_N, DROP_P, DV_DI, ENERGY_IN, ENERGY_OUT, ENT_N, ENT_P, ERROR, ETA_0, ETA_1, ETA_SLOPE, FILM,
    FILM_1, F_DS_N, F_DS_P, F_D_N, F_D_P, F_D_S, F_J_N, F_J_P, F_KAPPA, F_TDF, F_T_PLUS, G, G_C, G_I, H, HEAT_0,
    HEAT_1, HELD, HIT, H_NEXT, I_0, I_1, I_SLOPE, J_0, J_1, J_GUESS, J_N_0, J_N_1, J_SLOPE, LEFT, LIMIT, OVER,
    PHI_0, PHI_1, PHI_MIN, POT_MID, POT_N, POT_N_0, POT_P, Q_N, Q_P, R_ELECTROLYTE, R_SOLID, SETPOINT, SIDE_0,
    SIDE_1, SIDE_CHARGE, SIDE_ERROR, SLOPE_N, SLOPE_P, SQUARED_CURRENT, STATUS, S_N, S_P, T, TAU_N, TAU_P, TIME,
    TIME_IN, TIME_OUT, TOR_N, TOR_P, TOR_S, TO_LIMIT, T_1, T_MAX, UNIT_N, UNIT_P, U_SALT_AV, U_SALT_N, U_SALT_P,
    V_0, V_1, V_SLOPE, X, XS, XS_0, XS_C, XS_I, XS_MID, XS_SLOPE, X_C, X_I, X_MODE, X_MODE_C, X_MODE_I, Y, YS, YS_0,
    YS_C, YS_I, YS_SLOPE, Y_C, Y_I, Y_MODE, Y_MODE_C, Y_MODE_I,
)  # fmt: skip

# What the departures from straight lines may add up to in one time step at tolerance 1, for a current step in energy,
# for a hold in charge, and in side charge; charges are shares of the negative electrode's capacity. The error of a
# trapezoid is a sixth of it. Voltages at the ends of a step do not depend on its length: quick transients that move
# hardly any charge need no small steps.
ENERGY_DEPARTURE = 6e-5  # V
CHARGE_DEPARTURE = 2e-5
SIDE_CHARGE_CURVATURE = 3e-4  # between trapezoid and Simpson's rule
SIDE_CHARGE_CHANGE = 3e-5  # between the last two looks at the film
LIMIT_WINDOW = 3e-5  # V within which a limit counts as reached
CUT_OFF_WINDOW = 2e-4  # share of the cut-off current, likewise
FIRST_STEP = 2.0  # s
SHORTEST_STEP = 1e-6  # s
STUCK_STEP = 1e-3  # s, below which a step that would leave the model's range ends the case
GROWTH = 3.0  # of time steps in a sweep
ATTEMPT_LIMIT = 500  # per protocol step at tolerance 1
STOICHIOMETRY_EDGE = 1e-5
SALT_EDGE = 1.0  # mol m-3
TEMPERATURE_LOW, TEMPERATURE_HIGH = 233.0, 373.0  # K
HOLD_WINDOW = 1e-4  # V, before the last Newton iteration, which squares what is left
NEWTON_AT_START = 20
NEWTON = 6

#: columns of a trace
TRACE = ("time", "voltage", "current", "temperature", "negative_stoichiometry", "positive_stoichiometry", "sei_thickness", "step")  # fmt: skip


@lanes
def initialise(w):
    """Derive what is fixed for each case and put every cell into its fresh state."""
    for l in range(LANES):
        w[STATUS + l] = OK
    for row in range(COUNT):
        for l in range(LANES):
            value = w[row * LANES + l]
            if not (LOWER[row] < value < UPPER[row]):
                w[STATUS + l] = INVALID_INPUT
                # a harmless number keeps this lane's arithmetic finite; it takes no step
                w[row * LANES + l] = 0.5 * (max(LOWER[row], -1.0) + min(UPPER[row], 1.0)) if UPPER[row] < 233.0 or LOWER[row] < 0.5 else 300.0
    for l in range(LANES):
        area = w[AREA + l]
        w[S_N + l] = 3.0 * w[EPS_SN + l] / w[R_N + l] * w[L_N + l] * area
        w[S_P + l] = 3.0 * w[EPS_SP + l] / w[R_P + l] * w[L_P + l] * area
        w[Q_N + l] = 1.0 / (FARADAY * w[C_MAX_N + l] * w[EPS_SN + l] * w[L_N + l] * area)
        w[Q_P + l] = 1.0 / (FARADAY * w[C_MAX_P + l] * w[EPS_SP + l] * w[L_P + l] * area)
        # transport efficiencies after Bruggeman; the solid phase's is that of everything but the pores, as in PyBaMM
        w[TOR_N + l] = w[EPS_N + l] ** w[B_N + l]
        w[TOR_S + l] = w[EPS_S + l] ** w[B_S + l]
        w[TOR_P + l] = w[EPS_P + l] ** w[B_P + l]
        w[R_SOLID + l] = (
            w[L_N + l] / (3.0 * w[SIGMA_N + l] * (1.0 - w[EPS_N + l]) ** w[B_SN + l])
            + w[L_P + l] / (3.0 * w[SIGMA_P + l] * (1.0 - w[EPS_P + l]) ** w[B_SP + l])
        ) / area
        w[X + l] = w[X_0 + l]
        w[Y + l] = w[Y_0 + l]
        w[G + l] = 0.0
        w[T + l] = w[T_INIT + l]
        w[FILM + l] = w[L_SEI_0 + l]
        w[C_N + l] = w[C_S + l] = w[C_P + l] = w[C_AV + l] = w[C_E + l]
        w[XS + l] = w[X_0 + l]
        w[YS + l] = w[Y_0 + l]
        w[I_0 + l] = w[J_0 + l] = w[J_SLOPE + l] = w[HEAT_0 + l] = w[V_0 + l] = 0.0
        w[TIME + l] = w[TIME_IN + l] = w[TIME_OUT + l] = w[SQUARED_CURRENT + l] = 0.0
        w[T_MAX + l] = w[T_INIT + l]
        w[PHI_MIN + l] = NONE
        w[F_D_N + l] = w[F_D_S + l] = w[F_D_P + l] = w[F_KAPPA + l] = w[F_TDF + l] = w[F_T_PLUS + l] = 1.0
        w[F_J_N + l] = w[F_J_P + l] = w[F_DS_N + l] = w[F_DS_P + l] = 1.0
        w[ENT_N + l] = w[ENT_P + l] = 0.0
    for k in range(MODES):
        for l in range(LANES):
            w[X_MODE + k * LANES + l] = w[Y_MODE + k * LANES + l] = 0.0


@lanes
def read_lanes(w, tables, which, position, factor, value):
    """Look one table up for every lane: at row `position` times factor, into row `value`."""
    for l in range(LANES):
        w[value + l], _, _ = lookup(tables, which, w[position + l] * factor)


@lanes
def read_potential(w, tables, which, position, value, slope, area):
    """Look a potential up for every lane, with its slope and its integral over stoichiometry."""
    for l in range(LANES):
        w[value + l], w[slope + l], w[area + l] = lookup(tables, which, w[position + l])


@lanes
def propose(w, tables, flat):
    """State at the end of a step of length H as an affine function of the current at its end."""
    if not flat[SHAPE_D_N]:
        read_lanes(w, tables, SHAPE_D_N, XS, 1.0, F_DS_N)
    if not flat[SHAPE_D_P]:
        read_lanes(w, tables, SHAPE_D_P, YS, 1.0, F_DS_P)
    if not flat[SHAPE_D_E]:
        read_lanes(w, tables, SHAPE_D_E, C_N, 1.0 / CONCENTRATION_LIMIT, F_D_N)
        read_lanes(w, tables, SHAPE_D_E, C_S, 1.0 / CONCENTRATION_LIMIT, F_D_S)
        read_lanes(w, tables, SHAPE_D_E, C_P, 1.0 / CONCENTRATION_LIMIT, F_D_P)
    if not flat[SHAPE_KAPPA]:
        read_lanes(w, tables, SHAPE_KAPPA, C_AV, 1.0 / CONCENTRATION_LIMIT, F_KAPPA)
    if not flat[SHAPE_TDF]:
        read_lanes(w, tables, SHAPE_TDF, C_AV, 1.0 / CONCENTRATION_LIMIT, F_TDF)
    if not flat[SHAPE_T_PLUS]:
        read_lanes(w, tables, SHAPE_T_PLUS, C_AV, 1.0 / CONCENTRATION_LIMIT, F_T_PLUS)

    for l in range(LANES):
        h = w[H + l]
        I_0_ = w[I_0 + l]
        T_1_ = temperature_step(w[T + l], w[HEAT_0 + l], h, w[HEAT_CAPACITY + l], w[COOLING + l], w[T_AMB + l])
        T_mid = 0.5 * (w[T + l] + T_1_)
        w[T_1 + l] = T_1_
        z = (1.0 / w[T_REF + l] - 1.0 / T_mid) / GAS
        # side reaction, predicted; its charge lies on top of the cell current at the negative electrode
        j_guess = max(w[J_0 + l] + w[J_SLOPE + l] * h, 0.0)
        side_0, side_1 = w[S_N + l] * w[J_0 + l], w[S_N + l] * j_guess
        w[J_GUESS + l], w[SIDE_0 + l], w[SIDE_1 + l] = j_guess, side_0, side_1
        w[FILM_1 + l] = w[FILM + l] + 0.5 * h * (w[J_0 + l] + j_guess) * w[V_SEI + l] / (w[Z_SEI + l] * FARADAY)
        # mean stoichiometries: charge balance
        w[X_C + l] = w[X + l] - w[Q_N + l] * 0.5 * h * (I_0_ + side_0 + side_1)
        w[X_I + l] = -w[Q_N + l] * 0.5 * h
        w[Y_C + l] = w[Y + l] + w[Q_P + l] * 0.5 * h * I_0_
        w[Y_I + l] = w[Q_P + l] * 0.5 * h
        # particles: u = (tau / 3) ds/dt, per ampere
        tau_n = w[R_N + l] * w[R_N + l] / (w[D_N + l] * w[F_DS_N + l] * arrhenius(w[E_D_N + l], z))
        tau_p = w[R_P + l] * w[R_P + l] / (w[D_P + l] * w[F_DS_P + l] * arrhenius(w[E_D_P + l], z))
        w[TAU_N + l], w[UNIT_N + l] = tau_n, -w[Q_N + l] * tau_n / 3.0
        w[TAU_P + l], w[UNIT_P + l] = tau_p, w[Q_P + l] * tau_p / 3.0
        w[XS_C + l], w[XS_I + l], w[YS_C + l], w[YS_I + l] = w[X_C + l], w[X_I + l], w[Y_C + l], w[Y_I + l]

    for k in range(MODES):
        rate, residue, at = RATES[k], RESIDUES[k], k * LANES
        for l in range(LANES):
            e, mean = decay(rate * w[H + l] / w[TAU_N + l])
            gain = residue * w[UNIT_N + l]
            constant = mode_step(w[X_MODE + at + l], gain, w[I_0 + l] + w[SIDE_0 + l], w[SIDE_1 + l], e, mean)
            slope = gain * (1.0 - mean)
            w[X_MODE_C + at + l], w[X_MODE_I + at + l] = constant, slope
            w[XS_C + l] += constant
            w[XS_I + l] += slope
        for l in range(LANES):
            e, mean = decay(rate * w[H + l] / w[TAU_P + l])
            gain = residue * w[UNIT_P + l]
            constant = mode_step(w[Y_MODE + at + l], gain, w[I_0 + l], 0.0, e, mean)
            slope = gain * (1.0 - mean)
            w[Y_MODE_C + at + l], w[Y_MODE_I + at + l] = constant, slope
            w[YS_C + l] += constant
            w[YS_I + l] += slope

    for l in range(LANES):
        h = w[H + l]
        I_0_ = w[I_0 + l]
        T_mid = 0.5 * (w[T + l] + w[T_1 + l])
        z = (1.0 / w[T_REF + l] - 1.0 / T_mid) / GAS
        # electrolyte
        D = w[D_E + l] * arrhenius(w[E_D_E + l], z)
        t_plus = w[T_PLUS + l] * w[F_T_PLUS + l]
        u_n, u_s, u_p, d_n, d_p, tau_e = unit_profile(
            w[L_N + l], w[L_S + l], w[L_P + l], w[EPS_N + l], w[EPS_S + l], w[EPS_P + l],
            D * w[F_D_N + l] * w[TOR_N + l], D * w[F_D_S + l] * w[TOR_S + l], D * w[F_D_P + l] * w[TOR_P + l], t_plus,
        )  # fmt: skip
        e, mean = decay(h / tau_e)
        gain = 1.0 / w[AREA + l]
        w[G_C + l] = mode_step(w[G + l], gain, I_0_, 0.0, e, mean)
        w[G_I + l] = gain * (1.0 - mean)
        thickness = w[L_N + l] + w[L_S + l] + w[L_P + l]
        w[U_SALT_N + l], w[U_SALT_P + l], w[DROP_N + l], w[DROP_P + l] = u_n, u_p, d_n, d_p
        w[U_SALT_AV + l] = (w[L_N + l] * u_n + w[L_S + l] * u_s + w[L_P + l] * u_p) / thickness
        kappa = w[KAPPA + l] * w[F_KAPPA + l] * arrhenius(w[E_KAPPA + l], z)
        w[R_ELECTROLYTE + l] = (
            w[L_N + l] / (3.0 * w[TOR_N + l]) + w[L_S + l] / w[TOR_S + l] + w[L_P + l] / (3.0 * w[TOR_P + l])
        ) / (kappa * w[AREA + l])
        w[CHI + l] = 2.0 * (1.0 - t_plus) * w[TDF + l] * w[F_TDF + l]


@lanes
def evaluate(w, tables, flat):
    """Terminal voltage, its derivative and the heat at the end of the step, for the currents I_1."""
    for l in range(LANES):
        w[XS + l] = w[XS_C + l] + w[XS_I + l] * w[I_1 + l]
        w[YS + l] = w[YS_C + l] + w[YS_I + l] * w[I_1 + l]
    read_potential(w, tables, U_N, XS, POT_N, SLOPE_N, AREA_N)
    read_potential(w, tables, U_P, YS, POT_P, SLOPE_P, AREA_P)
    if not flat[DUDT_N]:
        read_lanes(w, tables, DUDT_N, XS, 1.0, ENT_N)
    if not flat[DUDT_P]:
        read_lanes(w, tables, DUDT_P, YS, 1.0, ENT_P)
    if not flat[SHAPE_J_N]:
        read_lanes(w, tables, SHAPE_J_N, XS, 1.0, F_J_N)
    if not flat[SHAPE_J_P]:
        read_lanes(w, tables, SHAPE_J_P, YS, 1.0, F_J_P)

    for l in range(LANES):
        I, T_ = w[I_1 + l], w[T_1 + l]
        z = (1.0 / w[T_REF + l] - 1.0 / T_) / GAS
        thermal_voltage = GAS * T_ / FARADAY
        # electrolyte: means, concentration overpotential
        g = w[G_C + l] + w[G_I + l] * I
        c_n = max(w[C_E + l] + g * w[U_SALT_N + l], SALT_EDGE)
        c_p = max(w[C_E + l] + g * w[U_SALT_P + l], SALT_EDGE)
        chi = w[CHI + l] * thermal_voltage
        eta_c = chi * mean_log_ratio(c_p, w[DROP_P + l] * g, c_n, w[DROP_N + l] * g)
        # charge transfer
        factor_n = w[J_N + l] * w[F_J_N + l]
        factor_p = w[J_P + l] * w[F_J_P + l]
        j0_n = exchange_current(factor_n, w[XS + l], w[O_J_N + l], log(c_n / w[C_E_REF + l]), w[E_J_N + l], z)
        j0_p = exchange_current(factor_p, w[YS + l], w[O_J_P + l], log(c_p / w[C_E_REF + l]), w[E_J_P + l], z)
        j_n, j_p = I / w[S_N + l], -I / w[S_P + l]
        eta_n = 2.0 * thermal_voltage * asinh(j_n / (2.0 * j0_n))
        eta_p = 2.0 * thermal_voltage * asinh(j_p / (2.0 * j0_p))
        film = j_n * w[FILM_1 + l] * w[RHO_SEI + l]
        # potentials: U(s, T) = U(s) + (T - T_ref) dU/dT(s)
        U_n = w[POT_N + l] + (T_ - w[T_REF + l]) * w[ENT_N + l]
        U_p = w[POT_P + l] + (T_ - w[T_REF + l]) * w[ENT_P + l]
        drop = I * (w[R_ELECTROLYTE + l] + w[R_SOLID + l])
        w[ETA_1 + l] = eta_p - eta_n - film + eta_c - drop - I * w[R_CONTACT + l]
        w[V_1 + l] = U_p - U_n + w[ETA_1 + l]
        w[PHI_1 + l] = U_n + eta_n
        w[J_N_1 + l] = j_n
        # d ln(j0) / dI through the surface stoichiometry and the salt, and d eta / dI = that of asinh(I / (2 j0 S))
        x, y = w[XS + l], w[YS + l]
        dlog_n = 0.5 * (1.0 - 2.0 * x) / (x * (1.0 - x)) * w[XS_I + l] + w[O_J_N + l] * w[U_SALT_N + l] * w[G_I + l] / c_n
        dlog_p = 0.5 * (1.0 - 2.0 * y) / (y * (1.0 - y)) * w[YS_I + l] + w[O_J_P + l] * w[U_SALT_P + l] * w[G_I + l] / c_p
        root_n = math.sqrt(I * I + (2.0 * j0_n * w[S_N + l]) ** 2)
        root_p = math.sqrt(I * I + (2.0 * j0_p * w[S_P + l]) ** 2)
        w[DV_DI + l] = (
            w[SLOPE_P + l] * w[YS_I + l]
            - w[SLOPE_N + l] * w[XS_I + l]
            - 2.0 * thermal_voltage * ((1.0 - I * dlog_n) / root_n + (1.0 - I * dlog_p) / root_p)
            - w[FILM_1 + l] * w[RHO_SEI + l] / w[S_N + l]
            + chi * w[G_I + l] * (w[U_SALT_P + l] / c_p - w[U_SALT_N + l] / c_n)
            - w[R_ELECTROLYTE + l] - w[R_SOLID + l] - w[R_CONTACT + l]
        )  # fmt: skip
        # heat: reaction, reversible, ohmic (electrolyte with its concentration part, solid, collectors, contact)
        side = w[SIDE_1 + l]
        w[HEAT_1 + l] = (
            (I + side) * (eta_n + T_ * w[ENT_N + l])
            - I * (eta_p + T_ * w[ENT_P + l])
            + I * (drop - eta_c)
            + I * I * (w[R_CC + l] / w[AREA + l] + w[R_CONTACT + l])
        )


@lanes
def grow_film(w, tables, sei_law):
    """Side charge over the step by Simpson's rule, with the potential's own course and the film that it makes.

    The rate follows the measured, jagged potential exponentially; everything else is taken as linear in time.
    """
    for l in range(LANES):
        w[XS_MID + l] = 0.5 * (w[XS_0 + l] + w[XS + l])
    read_lanes(w, tables, U_N, XS_MID, 1.0, POT_MID)
    for l in range(LANES):
        h = w[H + l]
        phi_1 = w[PHI_1 + l]
        phi_mid = w[POT_MID + l] + 0.5 * (w[PHI_0 + l] - w[POT_N_0 + l] + phi_1 - w[POT_N + l])
        drop_1 = w[J_N_1 + l] * w[RHO_SEI + l]  # V per metre of film
        drop_mid = 0.5 * (w[J_N_0 + l] + w[J_N_1 + l]) * w[RHO_SEI + l]
        T_1_ = w[T_1 + l]
        T_mid = 0.5 * (w[T + l] + T_1_)
        z_1, z_mid = (1.0 / w[T_REF + l] - 1.0 / T_1_) / GAS, (1.0 / w[T_REF + l] - 1.0 / T_mid) / GAS
        a_1, a_mid = arrhenius(w[E_SEI + l], z_1), arrhenius(w[E_SEI + l], z_mid)
        per_charge = w[V_SEI + l] / (w[Z_SEI + l] * FARADAY)
        j_0, film = w[J_0 + l], w[FILM + l]
        film_1 = w[FILM_1 + l]
        j_1 = j_mid = charge = before = 0.0
        for _ in range(2):
            film_mid = 0.5 * (film + film_1)
            if sei_law == sei.TUNNELLING_LIMITED:
                j_1 = sei.tunnelling_limited(phi_1 + drop_1 * film_1, film_1, T_1_, w[J0_SEI + l], w[BETA + l])
                j_mid = sei.tunnelling_limited(phi_mid + drop_mid * film_mid, film_mid, T_mid, w[J0_SEI + l], w[BETA + l])
            else:
                k, c, D, U = w[K_SEI + l], w[C_EC + l], w[D_EC + l], w[U_SEI + l]
                j_1 = sei.ec_reaction_limited(phi_1, film_1, T_1_, k, c, D, U)
                j_mid = sei.ec_reaction_limited(phi_mid, film_mid, T_mid, k, c, D, U)
            j_1, j_mid = j_1 * a_1, j_mid * a_mid
            before = charge
            charge = h / 6.0 * (j_0 + 4.0 * j_mid + j_1)
            film_1 = film + charge * per_charge
        w[J_1 + l], w[SIDE_CHARGE + l] = j_1, charge
        curved = abs(charge - 0.5 * h * (j_0 + j_1)) / SIDE_CHARGE_CURVATURE
        unsettled = abs(charge - before) / SIDE_CHARGE_CHANGE
        w[SIDE_ERROR + l] = max(curved, unsettled) * w[S_N + l] * w[Q_N + l]


@lanes
def hold(w, iterations, tables, flat):
    """Newton's method on the current at the end of the step, so that the voltage there is the setpoint.

    Each lane stops at its own convergence and all are evaluated once more, so that none depends on its neighbours.
    """
    for l in range(LANES):
        w[HELD + l] = 1.0 - w[ACTIVE + l]
    for _ in range(iterations):
        evaluate(w, tables, flat)
        for l in range(LANES):
            away = w[SETPOINT + l] - w[V_1 + l]
            w[I_1 + l] += away / w[DV_DI + l] * (1.0 - w[HELD + l])
            w[HELD + l] = 1.0 if (abs(away) < HOLD_WINDOW) | (w[HELD + l] > 0.0) else 0.0
        all_held = True
        for l in range(LANES):
            all_held = all_held & (w[HELD + l] > 0.0)
        if all_held:
            break
    evaluate(w, tables, flat)
    for l in range(LANES):
        w[V_1 + l] = w[SETPOINT + l]


@lanes
def begin(w, kind, tables, flat, sei_law):
    """Enter a protocol step: consistent current, voltage and side reaction at its first instant."""
    for l in range(LANES):
        w[ACTIVE + l] = 1.0 if w[STATUS + l] == OK else 0.0
        w[H + l] = 0.0
        w[ATTEMPTS + l] = 0.0
        w[BRACKET + l] = NONE
        w[CHARGE_IN + l] = w[CHARGE_OUT + l] = w[ENERGY_IN + l] = w[ENERGY_OUT + l] = 0.0
        w[I_1 + l] = w[SETPOINT + l] if kind == CURRENT else (w[I_0 + l] if kind == VOLTAGE else 0.0)
        if not (math.fabs(w[SETPOINT + l]) < NONE and w[LIMIT + l] >= 0.0 and w[LEFT + l] >= 0.0):
            w[STATUS + l] = INVALID_INPUT if w[STATUS + l] == OK else w[STATUS + l]
            w[ACTIVE + l] = 0.0
            w[I_1 + l] = w[SETPOINT + l] = 0.0
    propose(w, tables, flat)
    if kind == VOLTAGE:
        hold(w, NEWTON_AT_START, tables, flat)
    else:
        evaluate(w, tables, flat)
    grow_film(w, tables, sei_law)
    for l in range(LANES):
        I = w[I_1 + l]
        w[PHI_0 + l], w[POT_N_0 + l], w[J_N_0 + l] = w[PHI_1 + l], w[POT_N + l], w[J_N_1 + l]
        w[I_0 + l], w[V_0 + l], w[J_0 + l], w[HEAT_0 + l] = I, w[V_1 + l], w[J_1 + l], w[HEAT_1 + l]
        w[ETA_0 + l], w[XS_0 + l], w[YS_0 + l] = w[V_1 + l] - w[POT_P + l] + w[POT_N + l], w[XS + l], w[YS + l]
        w[AREA_N_0 + l], w[AREA_P_0 + l] = w[AREA_N + l], w[AREA_P + l]
        w[V_SLOPE + l] = w[ETA_SLOPE + l] = w[I_SLOPE + l] = w[J_SLOPE + l] = w[XS_SLOPE + l] = w[YS_SLOPE + l] = 0.0
        w[H + l] = min(FIRST_STEP, w[LEFT + l]) * w[ACTIVE + l]
        if w[ACTIVE + l] > 0.0:
            if kind == CURRENT and w[LIMIT + l] < NONE and math.copysign(1.0, I) * (w[LIMIT + l] - w[V_1 + l]) > LIMIT_WINDOW:
                w[STATUS + l] = INFEASIBLE_STEP
                w[ACTIVE + l] = 0.0
            if w[LEFT + l] <= 0.0 or (kind == VOLTAGE and math.fabs(I) <= w[LIMIT + l] * (1.0 + CUT_OFF_WINDOW) and w[LIMIT + l] < NONE):
                w[ACTIVE + l] = 0.0  # a hold that begins below its cut-off current is already over


@lanes
def share_to_limit(w, tables, l):
    """Share of a step at which its voltage meets the limit: potentials from the tables, all else linear in time."""
    low, high = 0.0, 1.0
    below = w[V_0 + l] - w[LIMIT + l]
    above = w[V_1 + l] - w[LIMIT + l]
    share = 1.0
    for _ in range(8):  # regula falsi, Illinois variant
        share = (low * above - high * below) / (above - below)
        U_n, _, _ = lookup(tables, U_N, w[XS_0 + l] + share * (w[XS + l] - w[XS_0 + l]))
        U_p, _, _ = lookup(tables, U_P, w[YS_0 + l] + share * (w[YS + l] - w[YS_0 + l]))
        away = U_p - U_n + w[ETA_0 + l] + share * (w[ETA_1 + l] - w[ETA_0 + l]) - w[LIMIT + l]
        if abs(away) < 0.5 * LIMIT_WINDOW:
            break
        if away * above > 0.0:
            high, above, below = share, away, 0.5 * below
        else:
            low, below, above = share, away, 0.5 * above
    return share


@lanes
def compare_with_limit(w, kind, tables):
    """How far the step departed from straight lines (ERROR, relative), and where in it the step's limit lies (TO_LIMIT)."""
    for l in range(LANES):
        h = w[H + l]
        eta = w[V_1 + l] - w[POT_P + l] + w[POT_N + l]  # all of the voltage that is not the tabulated potentials
        dxs, dys = w[XS + l] - w[XS_0 + l], w[YS + l] - w[YS_0 + l]
        w[ETA_1 + l] = eta
        departure = (
            abs(eta - w[ETA_0 + l] - w[ETA_SLOPE + l] * h)
            + abs(w[SLOPE_N + l] * (dxs - w[XS_SLOPE + l] * h))
            + abs(w[SLOPE_P + l] * (dys - w[YS_SLOPE + l] * h))
        )
        w[ERROR + l] = departure * h * abs(w[I_1 + l]) * w[Q_N + l] / ENERGY_DEPARTURE
        w[OVER + l] = 0.0
        w[HIT + l] = 0.0
        w[TO_LIMIT + l] = h
    if kind == CURRENT:
        for l in range(LANES):
            h = w[H + l]
            sign = -math.copysign(1.0, w[I_1 + l])  # +1 while charging: the voltage climbs towards its limit
            gap = sign * (w[LIMIT + l] - w[V_0 + l])
            rise = sign * (w[V_1 + l] - w[V_0 + l])
            limited = w[LIMIT + l] < NONE
            w[OVER + l] = 1.0 if (rise - gap > LIMIT_WINDOW) & limited else 0.0
            w[HIT + l] = 1.0 if (abs(rise - gap) <= LIMIT_WINDOW) & limited else 0.0
        for l in range(LANES):
            if w[OVER + l] * w[ACTIVE + l] > 0.0:
                w[TO_LIMIT + l] = w[H + l] * share_to_limit(w, tables, l)
    elif kind == VOLTAGE:
        for l in range(LANES):
            h = w[H + l]
            I_a, I_b, u = max(abs(w[I_0 + l]), 1e-30), max(abs(w[I_1 + l]), 1e-30), max(w[LIMIT + l], 1e-30)
            limited = w[LIMIT + l] < NONE
            departure = abs(w[I_1 + l] - w[I_0 + l] - w[I_SLOPE + l] * h)
            w[ERROR + l] = departure * h * w[Q_N + l] / CHARGE_DEPARTURE
            w[OVER + l] = 1.0 if (I_b < u * (1.0 - CUT_OFF_WINDOW)) & limited else 0.0
            w[HIT + l] = 1.0 if (I_b <= u * (1.0 + CUT_OFF_WINDOW)) & limited else 0.0
            w[TO_LIMIT + l] = h * log(I_a / u) / log(I_a / I_b)  # the current decays about exponentially


@lanes
def judge(w, tolerance, growth):
    """Accept or refuse the step of each lane, choose its next length, and end lanes that cannot go on."""
    for l in range(LANES):
        h, left, active = w[H + l], w[LEFT + l], w[ACTIVE + l] > 0.0
        error = max(w[ERROR + l], w[SIDE_ERROR + l]) / tolerance
        g = w[G_C + l] + w[G_I + l] * w[I_1 + l]
        salt_p = w[C_E + l] + g * (w[U_SALT_P + l] - w[DROP_P + l] * (1.0 / 3.0))
        salt_n = w[C_E + l] + g * (w[U_SALT_N + l] + w[DROP_N + l] * (1.0 / 3.0))
        low, high = STOICHIOMETRY_EDGE, 1.0 - STOICHIOMETRY_EDGE
        inside = (w[XS + l] > low) & (w[XS + l] < high) & (w[YS + l] > low) & (w[YS + l] < high)
        salted = (salt_n > SALT_EDGE) & (salt_p > SALT_EDGE)
        warm = (w[T_1 + l] > TEMPERATURE_LOW) & (w[T_1 + l] < TEMPERATURE_HIGH)
        valid = inside & salted & warm & (abs(w[V_1 + l]) < NONE)
        short = h <= SHORTEST_STEP  # a limit this close has been reached
        over = (w[OVER + l] > 0.0) & (not short)
        hit = (w[HIT + l] > 0.0) | (w[OVER + l] > 0.0) | (h >= left)
        accepted = active & valid & (not over) & ((error <= 1.0) | short)
        stuck = active & (not valid) & (h < STUCK_STEP)
        attempts = w[ATTEMPTS + l] + 1.0
        endless = active & (not stuck) & (attempts >= ATTEMPT_LIMIT / math.sqrt(tolerance))
        w[ATTEMPTS + l] = attempts
        code = INVALID_INPUT if warm else TEMPERATURE_LIMIT
        code = code if salted else ELECTROLYTE_DEPLETED
        code = code if inside else STOICHIOMETRY_LIMIT
        status = STEP_COUNT_LIMIT if endless else w[STATUS + l]
        w[STATUS + l] = code if stuck else status
        w[ACCEPTED + l] = 1.0 if accepted else 0.0
        go_on = active & (not (accepted & hit)) & (not stuck) & (not endless)
        w[ACTIVE + l] = 1.0 if go_on else 0.0
        # what is left of the step, and of the bracket that the limit is known to lie in
        left = left - h if accepted & (left < NONE) else left
        ahead = w[BRACKET + l] - h
        ahead = ahead if (ahead > SHORTEST_STEP) & (ahead < 0.5 * NONE) else NONE
        bracket = ahead if accepted else (h if over & valid else w[BRACKET + l])
        w[LEFT + l], w[BRACKET + l] = left, bracket
        scale = 0.9 / math.sqrt(max(error, 1e-6))
        longer = min(min(h * min(max(scale, 0.3), growth), bracket), left)
        shorter = h * min(max(scale, 0.2), 0.8)
        to_limit = min(max(w[TO_LIMIT + l], 0.02 * h), 0.995 * h)
        to_limit = min(to_limit, shorter) if error > 1.0 else to_limit
        retry = to_limit if over else shorter
        retry = max(retry if valid else 0.3 * h, SHORTEST_STEP)
        w[H_NEXT + l] = (longer if accepted else retry) if go_on else 0.0


@lanes
def advance(w, kind):
    """Add the sums of accepted steps up and move their state. Returns whether any lane still marches."""
    for l in range(LANES):
        accepted = w[ACCEPTED + l] > 0.0
        h = w[H + l] if accepted else 0.0
        I_a, I_b, V_a, V_b = w[I_0 + l], w[I_1 + l], w[V_0 + l], w[V_1 + l]
        dxs, dys = w[XS + l] - w[XS_0 + l], w[YS + l] - w[YS_0 + l]
        # the mean of each potential over the step is exact, the rest of the voltage is nearly linear
        mean_n = (w[AREA_N + l] - w[AREA_N_0 + l]) / dxs if abs(dxs) > 1e-6 else w[POT_N + l]
        mean_p = (w[AREA_P + l] - w[AREA_P_0 + l]) / dys if abs(dys) > 1e-6 else w[POT_P + l]
        mean = mean_p - mean_n + 0.5 * (w[ETA_0 + l] + w[ETA_1 + l])
        mean = mean if kind == CURRENT else 0.5 * (V_a + V_b)
        charge = 0.5 * h * (I_a + I_b)
        w[CHARGE_IN + l] += max(-charge, 0.0)
        w[CHARGE_OUT + l] += max(charge, 0.0)
        w[ENERGY_IN + l] += max(-charge, 0.0) * mean
        w[ENERGY_OUT + l] += max(charge, 0.0) * mean
        w[TIME_IN + l] += h if charge < 0.0 else 0.0
        w[TIME_OUT + l] += h if charge > 0.0 else 0.0
        w[SQUARED_CURRENT + l] += h / 3.0 * (I_a * I_a + I_a * I_b + I_b * I_b)
        w[TIME + l] += h
        # side charge, corrected: what leaves the particles is what the film gains
        consumed = w[SIDE_CHARGE + l] if accepted else 0.0
        guessed = 0.5 * h * (w[J_0 + l] + w[J_GUESS + l])
        x = w[X_C + l] + w[X_I + l] * I_b - w[Q_N + l] * w[S_N + l] * (consumed - guessed)
        w[X + l] = x if accepted else w[X + l]
        w[Y + l] = w[Y_C + l] + w[Y_I + l] * I_b if accepted else w[Y + l]
        w[FILM + l] += consumed * w[V_SEI + l] / (w[Z_SEI + l] * FARADAY)
        heat = 0.5 * (w[HEAT_0 + l] + w[HEAT_1 + l])
        T_ = temperature_step(w[T + l], heat, h, w[HEAT_CAPACITY + l], w[COOLING + l], w[T_AMB + l])
        w[T + l] = T_
        w[T_MAX + l] = max(w[T_MAX + l], T_)
        w[PHI_MIN + l] = min(w[PHI_MIN + l], w[PHI_1 + l]) if accepted else w[PHI_MIN + l]
    for k in range(0, MODES * LANES, LANES):
        for l in range(LANES):
            accepted = w[ACCEPTED + l] > 0.0
            x = w[X_MODE_C + k + l] + w[X_MODE_I + k + l] * w[I_1 + l]
            y = w[Y_MODE_C + k + l] + w[Y_MODE_I + k + l] * w[I_1 + l]
            w[X_MODE + k + l] = x if accepted else w[X_MODE + k + l]
            w[Y_MODE + k + l] = y if accepted else w[Y_MODE + k + l]
    for l in range(LANES):
        accepted = w[ACCEPTED + l] > 0.0
        g = w[G_C + l] + w[G_I + l] * w[I_1 + l]
        g = g if accepted else w[G + l]
        c = w[C_E + l]
        v_n, v_p = w[EPS_N + l] * w[L_N + l], w[EPS_P + l] * w[L_P + l]
        u_s = -(v_n * w[U_SALT_N + l] + v_p * w[U_SALT_P + l]) / (w[EPS_S + l] * w[L_S + l])
        w[G + l] = g
        w[C_N + l] = c + g * w[U_SALT_N + l]
        w[C_S + l] = c + g * u_s
        w[C_P + l] = c + g * w[U_SALT_P + l]
        w[C_AV + l] = c + g * w[U_SALT_AV + l]
    for l in range(LANES):
        accepted = w[ACCEPTED + l] > 0.0
        per_second = 1.0 / w[H + l] if w[H + l] > 0.0 else 0.0
        w[V_SLOPE + l] = (w[V_1 + l] - w[V_0 + l]) * per_second if accepted else w[V_SLOPE + l]
        w[ETA_SLOPE + l] = (w[ETA_1 + l] - w[ETA_0 + l]) * per_second if accepted else w[ETA_SLOPE + l]
        w[I_SLOPE + l] = (w[I_1 + l] - w[I_0 + l]) * per_second if accepted else w[I_SLOPE + l]
        w[J_SLOPE + l] = (w[J_1 + l] - w[J_0 + l]) * per_second if accepted else w[J_SLOPE + l]
        w[XS_SLOPE + l] = (w[XS + l] - w[XS_0 + l]) * per_second if accepted else w[XS_SLOPE + l]
        w[YS_SLOPE + l] = (w[YS + l] - w[YS_0 + l]) * per_second if accepted else w[YS_SLOPE + l]
        w[V_0 + l] = w[V_1 + l] if accepted else w[V_0 + l]
        w[ETA_0 + l] = w[ETA_1 + l] if accepted else w[ETA_0 + l]
        w[I_0 + l] = w[I_1 + l] if accepted else w[I_0 + l]
        w[J_0 + l] = w[J_1 + l] if accepted else w[J_0 + l]
        w[HEAT_0 + l] = w[HEAT_1 + l] if accepted else w[HEAT_0 + l]
        w[XS_0 + l] = w[XS + l] if accepted else w[XS_0 + l]
        w[YS_0 + l] = w[YS + l] if accepted else w[YS_0 + l]
        w[AREA_N_0 + l] = w[AREA_N + l] if accepted else w[AREA_N_0 + l]
        w[AREA_P_0 + l] = w[AREA_P + l] if accepted else w[AREA_P_0 + l]
        w[PHI_0 + l] = w[PHI_1 + l] if accepted else w[PHI_0 + l]
        w[POT_N_0 + l] = w[POT_N + l] if accepted else w[POT_N_0 + l]
        w[J_N_0 + l] = w[J_N_1 + l] if accepted else w[J_N_0 + l]
    for l in range(LANES):
        w[H + l] = w[H_NEXT + l]
        w[I_1 + l] = w[I_0 + l] + (w[I_SLOPE + l] * w[H + l] if kind == VOLTAGE else 0.0)
    # a loop of its own: a sum must keep its order, which would stop the vectorisation of the others
    marching = False
    for l in range(LANES):
        marching = marching | (w[ACTIVE + l] > 0.0)
    return marching


@lanes
def record(w, trace, count, step):
    """Append lane 0 to a trace; returns the number of rows used."""
    if count < trace.shape[0]:
        for column, row in enumerate((TIME, V_0, I_0, T, X, Y, FILM)):
            trace[count, column] = w[row]
        trace[count, 7] = step
        return count + 1
    return count


@lanes
def march(w, values, tables, flat, sei_law, kinds, cycles, tolerance, growth, per_cycle, trace):
    """Take a block through its protocol.

    Parameters
    ----------
    w : float64 array, shape (workspace.SIZE,); its first rows hold the parameters of each lane
    values : float64 array, shape (steps, len(protocol.VALUES), LANES)
    tables : float64 array, shape (len(tables.NAMES), INTERVALS, 5);  flat : bool array, True where a table is 1 or 0
    sei_law : int, index into sei.LAWS
    kinds, cycles : int64 arrays, shape (steps,)
    tolerance : float, 1 for the stated accuracy; smaller is more accurate, the error falls in proportion
    growth : float, above 1, most that a time step may be longer than the one before
    per_cycle : float64 array, shape (4, cycles, LANES), filled with charge in, charge out [C], energy in, energy out [J]
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
        for l in range(LANES):
            w[SETPOINT + l] = values[step, 0, l]
            w[LIMIT + l] = values[step, 1, l]
            w[LEFT + l] = values[step, 2, l]
        begin(w, kind, tables, flat, sei_law)
        if trace.shape[0] > 0:
            rows = record(w, trace, rows, step)
        marching = True
        while marching:
            before = w[TIME]
            propose(w, tables, flat)
            if kind == VOLTAGE:
                hold(w, NEWTON, tables, flat)
            else:
                evaluate(w, tables, flat)
            grow_film(w, tables, sei_law)
            compare_with_limit(w, kind, tables)
            judge(w, tolerance, growth)
            marching = advance(w, kind)
            tried += 1
            if trace.shape[0] > 0 and w[TIME] > before:
                rows = record(w, trace, rows, step)
        for l in range(LANES):
            per_cycle[0, cycles[step], l] += w[CHARGE_IN + l]
            per_cycle[1, cycles[step], l] += w[CHARGE_OUT + l]
            per_cycle[2, cycles[step], l] += w[ENERGY_IN + l]
            per_cycle[3, cycles[step], l] += w[ENERGY_OUT + l]
    return rows, tried
