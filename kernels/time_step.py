"""One time step of a block of cells: SPMe, lumped heat, SEI with film resistance.

Model: Marquis et al. 2019 (J. Electrochem. Soc. 166 A3693), Brosa Planella and Widanage 2022
(SPMe with side reactions), in the form PyBaMM solves it. Positive current discharges. Per lane the
unknowns are the mean stoichiometries x, y, the particle modes, the filtered electrolyte current
density, the temperature and the film thickness.

The current is linear in time within the step, so that everything diffusive is exact and affine in
the end current I_1 (`propose`); the terminal voltage follows (`evaluate`), with Newton's method on
I_1 where the voltage is set (`hold`); the side reaction is integrated along the potential
(`grow_film`).
"""

import math

from kernels import parameters as p
from kernels import sei
from kernels import tables as t
from kernels import workspace as s
from kernels.compiled import lanes
from kernels.electrolyte import mean_log_ratio, unit_profile
from kernels.kinetics import FARADAY, GAS, arrhenius, exchange_current
from kernels.parameters import LANES
from kernels.particle import MODES, RATES, RESIDUES, decay, mode_step
from kernels.tables import CONCENTRATION_LIMIT, lookup
from kernels.thermal import temperature_step
from kernels.vector_math import asinh, log

# Departures of the side charge within one step at tolerance 1, shares of the negative electrode's
# capacity.
SIDE_CHARGE_CURVATURE = 3e-4  # between trapezoid and Simpson's rule
SIDE_CHARGE_CHANGE = 3e-5  # between the last two looks at the film
SALT_EDGE = 1.0  # mol m-3
HOLD_WINDOW = 1e-4  # V, before the last Newton iteration, which squares what is left


@lanes
def read_lanes(w, tables, which, position, factor, value):
    """Look one table up for every lane: at row `position` times factor, into row `value`."""
    for i in range(LANES):
        w[value + i], _, _ = lookup(tables, which, w[position + i] * factor)


@lanes
def read_potential(w, tables, which, position, value, slope, area):
    """Look a potential up for every lane, with its slope and its integral over stoichiometry."""
    for i in range(LANES):
        w[value + i], w[slope + i], w[area + i] = lookup(tables, which, w[position + i])


@lanes
def propose(w, tables, flat):
    """State at the end of a step of length H as an affine function of the current at its end."""
    if not flat[t.SHAPE_D_N]:
        read_lanes(w, tables, t.SHAPE_D_N, s.XS, 1.0, s.F_DS_N)
    if not flat[t.SHAPE_D_P]:
        read_lanes(w, tables, t.SHAPE_D_P, s.YS, 1.0, s.F_DS_P)
    if not flat[t.SHAPE_D_E]:
        read_lanes(w, tables, t.SHAPE_D_E, s.C_N, 1.0 / CONCENTRATION_LIMIT, s.F_D_N)
        read_lanes(w, tables, t.SHAPE_D_E, s.C_S, 1.0 / CONCENTRATION_LIMIT, s.F_D_S)
        read_lanes(w, tables, t.SHAPE_D_E, s.C_P, 1.0 / CONCENTRATION_LIMIT, s.F_D_P)
    if not flat[t.SHAPE_KAPPA]:
        read_lanes(w, tables, t.SHAPE_KAPPA, s.C_AV, 1.0 / CONCENTRATION_LIMIT, s.F_KAPPA)
    if not flat[t.SHAPE_TDF]:
        read_lanes(w, tables, t.SHAPE_TDF, s.C_AV, 1.0 / CONCENTRATION_LIMIT, s.F_TDF)
    if not flat[t.SHAPE_T_PLUS]:
        read_lanes(w, tables, t.SHAPE_T_PLUS, s.C_AV, 1.0 / CONCENTRATION_LIMIT, s.F_T_PLUS)

    for i in range(LANES):
        h = w[s.H + i]
        I_0_ = w[s.I_0 + i]
        T_1_ = temperature_step(
            w[s.T + i], w[s.HEAT_0 + i], h, w[p.HEAT_CAPACITY + i], w[p.COOLING + i], w[p.T_AMB + i]
        )
        T_mid = 0.5 * (w[s.T + i] + T_1_)
        w[s.T_1 + i] = T_1_
        z = (1.0 / w[p.T_REF + i] - 1.0 / T_mid) / GAS
        # side reaction, predicted; its charge lies on top of the cell current at the negative
        # electrode
        j_guess = max(w[s.J_0 + i] + w[s.J_SLOPE + i] * h, 0.0)
        side_0, side_1 = w[s.S_N + i] * w[s.J_0 + i], w[s.S_N + i] * j_guess
        w[s.J_GUESS + i], w[s.SIDE_0 + i], w[s.SIDE_1 + i] = j_guess, side_0, side_1
        w[s.FILM_1 + i] = w[s.FILM + i] + 0.5 * h * (w[s.J_0 + i] + j_guess) * w[p.V_SEI + i] / (
            w[p.Z_SEI + i] * FARADAY
        )
        # mean stoichiometries: charge balance
        w[s.X_C + i] = w[s.X + i] - w[s.Q_N + i] * 0.5 * h * (I_0_ + side_0 + side_1)
        w[s.X_I + i] = -w[s.Q_N + i] * 0.5 * h
        w[s.Y_C + i] = w[s.Y + i] + w[s.Q_P + i] * 0.5 * h * I_0_
        w[s.Y_I + i] = w[s.Q_P + i] * 0.5 * h
        # particles: u = (tau / 3) ds/dt, per ampere
        tau_n = (
            w[p.R_N + i]
            * w[p.R_N + i]
            / (w[p.D_N + i] * w[s.F_DS_N + i] * arrhenius(w[p.E_D_N + i], z))
        )
        tau_p = (
            w[p.R_P + i]
            * w[p.R_P + i]
            / (w[p.D_P + i] * w[s.F_DS_P + i] * arrhenius(w[p.E_D_P + i], z))
        )
        w[s.TAU_N + i], w[s.UNIT_N + i] = tau_n, -w[s.Q_N + i] * tau_n / 3.0
        w[s.TAU_P + i], w[s.UNIT_P + i] = tau_p, w[s.Q_P + i] * tau_p / 3.0
        w[s.XS_C + i], w[s.XS_I + i], w[s.YS_C + i], w[s.YS_I + i] = (
            w[s.X_C + i],
            w[s.X_I + i],
            w[s.Y_C + i],
            w[s.Y_I + i],
        )

    for k in range(MODES):
        rate, residue, at = RATES[k], RESIDUES[k], k * LANES
        for i in range(LANES):
            e, mean = decay(rate * w[s.H + i] / w[s.TAU_N + i])
            gain = residue * w[s.UNIT_N + i]
            constant = mode_step(
                w[s.X_MODE + at + i], gain, w[s.I_0 + i] + w[s.SIDE_0 + i], w[s.SIDE_1 + i], e, mean
            )
            slope = gain * (1.0 - mean)
            w[s.X_MODE_C + at + i], w[s.X_MODE_I + at + i] = constant, slope
            w[s.XS_C + i] += constant
            w[s.XS_I + i] += slope
        for i in range(LANES):
            e, mean = decay(rate * w[s.H + i] / w[s.TAU_P + i])
            gain = residue * w[s.UNIT_P + i]
            constant = mode_step(w[s.Y_MODE + at + i], gain, w[s.I_0 + i], 0.0, e, mean)
            slope = gain * (1.0 - mean)
            w[s.Y_MODE_C + at + i], w[s.Y_MODE_I + at + i] = constant, slope
            w[s.YS_C + i] += constant
            w[s.YS_I + i] += slope

    for i in range(LANES):
        h = w[s.H + i]
        I_0_ = w[s.I_0 + i]
        T_mid = 0.5 * (w[s.T + i] + w[s.T_1 + i])
        z = (1.0 / w[p.T_REF + i] - 1.0 / T_mid) / GAS
        # electrolyte
        D = w[p.D_E + i] * arrhenius(w[p.E_D_E + i], z)
        t_plus = w[p.T_PLUS + i] * w[s.F_T_PLUS + i]
        u_n, u_s, u_p, d_n, d_p, tau_e = unit_profile(
            w[p.L_N + i], w[p.L_S + i], w[p.L_P + i], w[p.EPS_N + i], w[p.EPS_S + i], w[p.EPS_P +
            i],
            D * w[s.F_D_N + i] * w[s.TOR_N + i], D * w[s.F_D_S + i] * w[s.TOR_S + i], D * w[s.F_D_P
            + i] * w[s.TOR_P + i], t_plus,
        )  # fmt: skip
        e, mean = decay(h / tau_e)
        gain = 1.0 / w[p.AREA + i]
        w[s.G_C + i] = mode_step(w[s.G + i], gain, I_0_, 0.0, e, mean)
        w[s.G_I + i] = gain * (1.0 - mean)
        thickness = w[p.L_N + i] + w[p.L_S + i] + w[p.L_P + i]
        w[s.U_SALT_N + i], w[s.U_SALT_P + i], w[s.DROP_N + i], w[s.DROP_P + i] = u_n, u_p, d_n, d_p
        w[s.U_SALT_AV + i] = (
            w[p.L_N + i] * u_n + w[p.L_S + i] * u_s + w[p.L_P + i] * u_p
        ) / thickness
        kappa = w[p.KAPPA + i] * w[s.F_KAPPA + i] * arrhenius(w[p.E_KAPPA + i], z)
        w[s.R_ELECTROLYTE + i] = (
            w[p.L_N + i] / (3.0 * w[s.TOR_N + i])
            + w[p.L_S + i] / w[s.TOR_S + i]
            + w[p.L_P + i] / (3.0 * w[s.TOR_P + i])
        ) / (kappa * w[p.AREA + i])
        w[s.CHI + i] = 2.0 * (1.0 - t_plus) * w[p.TDF + i] * w[s.F_TDF + i]


@lanes
def evaluate(w, tables, flat):
    """Terminal voltage, its derivative and the heat at the end of the step, for currents I_1."""
    for i in range(LANES):
        w[s.XS + i] = w[s.XS_C + i] + w[s.XS_I + i] * w[s.I_1 + i]
        w[s.YS + i] = w[s.YS_C + i] + w[s.YS_I + i] * w[s.I_1 + i]
    read_potential(w, tables, t.U_N, s.XS, s.POT_N, s.SLOPE_N, s.AREA_N)
    read_potential(w, tables, t.U_P, s.YS, s.POT_P, s.SLOPE_P, s.AREA_P)
    if not flat[t.DUDT_N]:
        read_lanes(w, tables, t.DUDT_N, s.XS, 1.0, s.ENT_N)
    if not flat[t.DUDT_P]:
        read_lanes(w, tables, t.DUDT_P, s.YS, 1.0, s.ENT_P)
    if not flat[t.SHAPE_J_N]:
        read_lanes(w, tables, t.SHAPE_J_N, s.XS, 1.0, s.F_J_N)
    if not flat[t.SHAPE_J_P]:
        read_lanes(w, tables, t.SHAPE_J_P, s.YS, 1.0, s.F_J_P)

    for i in range(LANES):
        I, T_ = w[s.I_1 + i], w[s.T_1 + i]
        z = (1.0 / w[p.T_REF + i] - 1.0 / T_) / GAS
        thermal_voltage = GAS * T_ / FARADAY
        # electrolyte: means, concentration overpotential
        g = w[s.G_C + i] + w[s.G_I + i] * I
        c_n = max(w[p.C_E + i] + g * w[s.U_SALT_N + i], SALT_EDGE)
        c_p = max(w[p.C_E + i] + g * w[s.U_SALT_P + i], SALT_EDGE)
        chi = w[s.CHI + i] * thermal_voltage
        eta_c = chi * mean_log_ratio(c_p, w[s.DROP_P + i] * g, c_n, w[s.DROP_N + i] * g)
        # charge transfer
        factor_n = w[p.J_N + i] * w[s.F_J_N + i]
        factor_p = w[p.J_P + i] * w[s.F_J_P + i]
        j0_n = exchange_current(
            factor_n, w[s.XS + i], w[p.O_J_N + i], log(c_n / w[p.C_E_REF + i]), w[p.E_J_N + i], z
        )
        j0_p = exchange_current(
            factor_p, w[s.YS + i], w[p.O_J_P + i], log(c_p / w[p.C_E_REF + i]), w[p.E_J_P + i], z
        )
        j_n, j_p = I / w[s.S_N + i], -I / w[s.S_P + i]
        eta_n = 2.0 * thermal_voltage * asinh(j_n / (2.0 * j0_n))
        eta_p = 2.0 * thermal_voltage * asinh(j_p / (2.0 * j0_p))
        film = j_n * w[s.FILM_1 + i] * w[p.RHO_SEI + i]
        # potentials: U(s, s.T) = U(s) + (s.T - T_ref) dU/dT(s)
        U_n = w[s.POT_N + i] + (T_ - w[p.T_REF + i]) * w[s.ENT_N + i]
        U_p = w[s.POT_P + i] + (T_ - w[p.T_REF + i]) * w[s.ENT_P + i]
        drop = I * (w[s.R_ELECTROLYTE + i] + w[s.R_SOLID + i])
        w[s.ETA_1 + i] = eta_p - eta_n - film + eta_c - drop - I * w[p.R_CONTACT + i]
        w[s.V_1 + i] = U_p - U_n + w[s.ETA_1 + i]
        w[s.PHI_1 + i] = U_n + eta_n
        w[s.J_N_1 + i] = j_n
        # d ln(j0) / dI through the surface stoichiometry and the salt, and d eta / dI = that of
        # asinh(I / (2 j0 S))
        x, y = w[s.XS + i], w[s.YS + i]
        dlog_n = (
            0.5 * (1.0 - 2.0 * x) / (x * (1.0 - x)) * w[s.XS_I + i]
            + w[p.O_J_N + i] * w[s.U_SALT_N + i] * w[s.G_I + i] / c_n
        )
        dlog_p = (
            0.5 * (1.0 - 2.0 * y) / (y * (1.0 - y)) * w[s.YS_I + i]
            + w[p.O_J_P + i] * w[s.U_SALT_P + i] * w[s.G_I + i] / c_p
        )
        root_n = math.sqrt(I * I + (2.0 * j0_n * w[s.S_N + i]) ** 2)
        root_p = math.sqrt(I * I + (2.0 * j0_p * w[s.S_P + i]) ** 2)
        w[s.DV_DI + i] = (
            w[s.SLOPE_P + i] * w[s.YS_I + i]
            - w[s.SLOPE_N + i] * w[s.XS_I + i]
            - 2.0 * thermal_voltage * ((1.0 - I * dlog_n) / root_n + (1.0 - I * dlog_p) / root_p)
            - w[s.FILM_1 + i] * w[p.RHO_SEI + i] / w[s.S_N + i]
            + chi * w[s.G_I + i] * (w[s.U_SALT_P + i] / c_p - w[s.U_SALT_N + i] / c_n)
            - w[s.R_ELECTROLYTE + i] - w[s.R_SOLID + i] - w[p.R_CONTACT + i]
        )  # fmt: skip
        # heat: reaction, reversible, ohmic (electrolyte with its concentration part, solid,
        # collectors, contact)
        side = w[s.SIDE_1 + i]
        w[s.HEAT_1 + i] = (
            (I + side) * (eta_n + T_ * w[s.ENT_N + i])
            - I * (eta_p + T_ * w[s.ENT_P + i])
            + I * (drop - eta_c)
            + I * I * (w[p.R_CC + i] / w[p.AREA + i] + w[p.R_CONTACT + i])
        )


@lanes
def hold(w, iterations, tables, flat):
    """Newton's method on the current at the end of the step, so that the voltage there is the
    setpoint.

    Each lane stops at its own convergence and all are evaluated once more, so that none depends on
    its neighbours.
    """
    for i in range(LANES):
        w[s.HELD + i] = 1.0 - w[s.ACTIVE + i]
    for _ in range(iterations):
        evaluate(w, tables, flat)
        for i in range(LANES):
            away = w[s.SETPOINT + i] - w[s.V_1 + i]
            w[s.I_1 + i] += away / w[s.DV_DI + i] * (1.0 - w[s.HELD + i])
            w[s.HELD + i] = 1.0 if (abs(away) < HOLD_WINDOW) | (w[s.HELD + i] > 0.0) else 0.0
        all_held = True
        for i in range(LANES):
            all_held = all_held & (w[s.HELD + i] > 0.0)
        if all_held:
            break
    evaluate(w, tables, flat)
    for i in range(LANES):
        w[s.V_1 + i] = w[s.SETPOINT + i]


@lanes
def grow_film(w, tables, sei_law):
    """Side charge over the step by Simpson's rule, with the potential's own course and the film
    that it makes.

    The rate follows the measured, jagged potential exponentially; everything else is taken as
    linear in time.
    """
    for i in range(LANES):
        w[s.XS_MID + i] = 0.5 * (w[s.XS_0 + i] + w[s.XS + i])
    read_lanes(w, tables, t.U_N, s.XS_MID, 1.0, s.POT_MID)
    for i in range(LANES):
        h = w[s.H + i]
        phi_1 = w[s.PHI_1 + i]
        phi_mid = w[s.POT_MID + i] + 0.5 * (
            w[s.PHI_0 + i] - w[s.POT_N_0 + i] + phi_1 - w[s.POT_N + i]
        )
        drop_1 = w[s.J_N_1 + i] * w[p.RHO_SEI + i]  # V per metre of film
        drop_mid = 0.5 * (w[s.J_N_0 + i] + w[s.J_N_1 + i]) * w[p.RHO_SEI + i]
        T_1_ = w[s.T_1 + i]
        T_mid = 0.5 * (w[s.T + i] + T_1_)
        z_1, z_mid = (
            (1.0 / w[p.T_REF + i] - 1.0 / T_1_) / GAS,
            (1.0 / w[p.T_REF + i] - 1.0 / T_mid) / GAS,
        )
        a_1, a_mid = arrhenius(w[p.E_SEI + i], z_1), arrhenius(w[p.E_SEI + i], z_mid)
        per_charge = w[p.V_SEI + i] / (w[p.Z_SEI + i] * FARADAY)
        j_0, film = w[s.J_0 + i], w[s.FILM + i]
        film_1 = w[s.FILM_1 + i]
        j_1 = j_mid = charge = before = 0.0
        for _ in range(2):
            film_mid = 0.5 * (film + film_1)
            if sei_law == sei.TUNNELLING_LIMITED:
                j_1 = sei.tunnelling_limited(
                    phi_1 + drop_1 * film_1, film_1, T_1_, w[p.J0_SEI + i], w[p.BETA + i]
                )
                j_mid = sei.tunnelling_limited(
                    phi_mid + drop_mid * film_mid, film_mid, T_mid, w[p.J0_SEI + i], w[p.BETA + i]
                )
            else:
                k, c, D, U = w[p.K_SEI + i], w[p.C_EC + i], w[p.D_EC + i], w[p.U_SEI + i]
                j_1 = sei.ec_reaction_limited(phi_1, film_1, T_1_, k, c, D, U)
                j_mid = sei.ec_reaction_limited(phi_mid, film_mid, T_mid, k, c, D, U)
            j_1, j_mid = j_1 * a_1, j_mid * a_mid
            before = charge
            charge = h / 6.0 * (j_0 + 4.0 * j_mid + j_1)
            film_1 = film + charge * per_charge
        w[s.J_1 + i], w[s.SIDE_CHARGE + i] = j_1, charge
        curved = abs(charge - 0.5 * h * (j_0 + j_1)) / SIDE_CHARGE_CURVATURE
        unsettled = abs(charge - before) / SIDE_CHARGE_CHANGE
        w[s.SIDE_ERROR + i] = max(curved, unsettled) * w[s.S_N + i] * w[s.Q_N + i]
