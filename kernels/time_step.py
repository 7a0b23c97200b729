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
from kernels.electrolyte import mean_log, unit_profile
from kernels.kinetics import FARADAY, GAS, arrhenius, exchange_current
from kernels.parameters import LANES
from kernels.particle import MODES, RATES, RESIDUES, decay, mode_step, scaled_decay
from kernels.tables import CONCENTRATION_LIMIT, lookup, temperature_factor
from kernels.thermal import temperature_step
from kernels.vector_math import asinh, log

# Departures of the side charge within one step at tolerance 1, shares of the negative electrode's
# capacity.
SIDE_CHARGE_CURVATURE = 3e-4  # between trapezoid and Simpson's rule
SIDE_CHARGE_CHANGE = 3e-5  # between the last two looks at the film
SALT_EDGE = 1.0  # mol m-3
HOLD_WINDOW = 1e-3  # V, before the last Newton iteration, which leaves 2e-5 V of it


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
def warm_lanes(w, tables, which, position, factor, value):
    """Multiply row `value` by the temperature factor of a property, midway through the step."""
    for i in range(LANES):
        T_a = w[s.T + i]
        T_b = temperature_step(
            T_a, w[s.HEAT_0 + i], w[s.H + i], w[p.HEAT_CAPACITY + i], w[p.COOLING + i],
            w[p.T_AMB + i],
        )  # fmt: skip
        w[value + i] *= temperature_factor(
            tables, which, w[position + i] * factor, 0.5 * (T_a + T_b), w[p.T_REF + i]
        )


@lanes
def warm(w, tables, flat):
    """Multiply the shapes that were read by temperature factors, where Arrhenius is not enough.

    Apart from `propose`, which is slower by a tenth with this in it even where all are flat.
    """
    if not flat[t.WARM_D_N]:
        warm_lanes(w, tables, t.WARM_D_N, s.XS_0, 1.0, s.F_DS_N)
    if not flat[t.WARM_D_P]:
        warm_lanes(w, tables, t.WARM_D_P, s.YS_0, 1.0, s.F_DS_P)
    if not flat[t.WARM_D_E]:
        warm_lanes(w, tables, t.WARM_D_E, s.C_N, 1.0 / CONCENTRATION_LIMIT, s.F_D_N)
        warm_lanes(w, tables, t.WARM_D_E, s.C_S, 1.0 / CONCENTRATION_LIMIT, s.F_D_S)
        warm_lanes(w, tables, t.WARM_D_E, s.C_P, 1.0 / CONCENTRATION_LIMIT, s.F_D_P)
    if not flat[t.WARM_KAPPA]:
        warm_lanes(w, tables, t.WARM_KAPPA, s.C_AV, 1.0 / CONCENTRATION_LIMIT, s.F_KAPPA)
    if not flat[t.WARM_TDF]:
        warm_lanes(w, tables, t.WARM_TDF, s.C_AV, 1.0 / CONCENTRATION_LIMIT, s.F_TDF)
    if not flat[t.WARM_T_PLUS]:
        warm_lanes(w, tables, t.WARM_T_PLUS, s.C_AV, 1.0 / CONCENTRATION_LIMIT, s.F_T_PLUS)


@lanes
def propose(w, tables, flat):
    """State at the end of a step of length H as an affine function of the current at its end."""
    if not flat[t.SHAPE_D_N]:
        read_lanes(w, tables, t.SHAPE_D_N, s.XS_0, 1.0, s.F_DS_N)
    if not flat[t.SHAPE_D_P]:
        read_lanes(w, tables, t.SHAPE_D_P, s.YS_0, 1.0, s.F_DS_P)
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
    warm(w, tables, flat)

    for i in range(LANES):
        h, I_a = w[s.H + i], w[s.I_0 + i]
        T_a, heat = w[s.T + i], w[s.HEAT_0 + i]
        T_b = temperature_step(
            T_a, heat, h, w[p.HEAT_CAPACITY + i], w[p.COOLING + i], w[p.T_AMB + i]
        )
        z = (w[s.PER_T_REF + i] - 2.0 / (T_a + T_b)) / GAS
        w[s.T_1 + i], w[s.Z_MID + i] = T_b, z
        # side reaction, predicted; it fills the negative electrode no less than the cell's current
        j_a = w[s.J_0 + i]
        j_b = max(j_a + w[s.J_SLOPE + i] * h, 0.0)
        side_a, side_b = w[s.S_N + i] * j_a, w[s.S_N + i] * j_b
        w[s.J_GUESS + i], w[s.SIDE_0 + i], w[s.SIDE_1 + i] = j_b, side_a, side_b
        w[s.FILM_1 + i] = w[s.FILM + i] + 0.5 * h * (j_a + j_b) * w[s.FILM_PER_CHARGE + i]
        # mean stoichiometries: charge balance
        per_ampere_n, per_ampere_p = -0.5 * h * w[s.Q_N + i], 0.5 * h * w[s.Q_P + i]
        x = w[s.X + i] + per_ampere_n * (I_a + side_a + side_b)
        y = w[s.Y + i] + per_ampere_p * I_a
        w[s.X_C + i], w[s.XS_C + i] = x, x
        w[s.Y_C + i], w[s.YS_C + i] = y, y
        w[s.X_I + i], w[s.XS_I + i] = per_ampere_n, per_ampere_n
        w[s.Y_I + i], w[s.YS_I + i] = per_ampere_p, per_ampere_p
        # particles: u = (tau / 3) ds/dt, per ampere
        rate_n = w[s.RATE_N + i] * w[s.F_DS_N + i] * arrhenius(w[p.E_D_N + i], z)
        rate_p = w[s.RATE_P + i] * w[s.F_DS_P + i] * arrhenius(w[p.E_D_P + i], z)
        w[s.STEPS_N + i], w[s.STEPS_P + i] = h * rate_n, h * rate_p
        w[s.PER_STEPS_N + i], w[s.PER_STEPS_P + i] = 1.0 / (h * rate_n), 1.0 / (h * rate_p)
        w[s.UNIT_N + i], w[s.UNIT_P + i] = (
            -w[s.Q_N + i] / (3.0 * rate_n),
            w[s.Q_P + i] / (3.0 * rate_p),
        )

    for k in range(MODES):
        rate, residue, at = RATES[k], RESIDUES[k], k * LANES
        for i in range(LANES):
            e, mean = scaled_decay(rate, w[s.STEPS_N + i], w[s.PER_STEPS_N + i])
            gain = residue * w[s.UNIT_N + i]
            before, after = w[s.I_0 + i] + w[s.SIDE_0 + i], w[s.SIDE_1 + i]
            constant = mode_step(w[s.X_MODE + at + i], gain, before, after, e, mean)
            slope = gain * (1.0 - mean)
            w[s.X_MODE_C + at + i], w[s.X_MODE_I + at + i] = constant, slope
            w[s.XS_C + i] += constant
            w[s.XS_I + i] += slope
        for i in range(LANES):
            e, mean = scaled_decay(rate, w[s.STEPS_P + i], w[s.PER_STEPS_P + i])
            gain = residue * w[s.UNIT_P + i]
            constant = mode_step(w[s.Y_MODE + at + i], gain, w[s.I_0 + i], 0.0, e, mean)
            slope = gain * (1.0 - mean)
            w[s.Y_MODE_C + at + i], w[s.Y_MODE_I + at + i] = constant, slope
            w[s.YS_C + i] += constant
            w[s.YS_I + i] += slope

    for i in range(LANES):
        z = w[s.Z_MID + i]
        f_n, f_s, f_p = w[s.F_D_N + i], w[s.F_D_S + i], w[s.F_D_P + i]
        per_D = 1.0 / (w[p.D_E + i] * arrhenius(w[p.E_D_E + i], z) * f_n * f_s * f_p)
        t_plus = w[p.T_PLUS + i] * w[s.F_T_PLUS + i]
        u_n, u_s, u_p, d_n, d_p, tau = unit_profile(
            w[s.PATH_N + i], w[s.PATH_S + i], w[s.PATH_P + i],
            w[s.SALT_N + i], w[s.SALT_S + i], w[s.SALT_P + i],
            per_D * f_s * f_p, per_D * f_n * f_p, per_D * f_n * f_s, t_plus,
        )  # fmt: skip
        w[s.U_SALT_N + i], w[s.U_SALT_S + i], w[s.U_SALT_P + i] = u_n, u_s, u_p
        w[s.DROP_N + i], w[s.DROP_P + i] = d_n, d_p
        e, mean = decay(w[s.H + i] / tau)
        w[s.G_C + i] = mode_step(w[s.G + i], w[s.PER_AREA + i], w[s.I_0 + i], 0.0, e, mean)
        w[s.G_I + i] = w[s.PER_AREA + i] * (1.0 - mean)
        w[s.SALT_MIX + i] = 0.5 * (1.0 - e)
        kappa = w[p.KAPPA + i] * w[s.F_KAPPA + i] * arrhenius(w[p.E_KAPPA + i], z)
        w[s.R_ELECTROLYTE + i] = w[s.R_PATH + i] / kappa
        w[s.CHI + i] = 2.0 * (1.0 - t_plus) * w[p.TDF + i] * w[s.F_TDF + i]


@lanes
def evaluate(w, tables, flat):
    """Terminal voltage and heat at the end of the step, for the currents I_1."""
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
        I, T = w[s.I_1 + i], w[s.T_1 + i]
        z = (w[s.PER_T_REF + i] - 1.0 / T) / GAS
        thermal_voltage = (GAS / FARADAY) * T
        # electrolyte: means, concentration overpotential
        g = w[s.G_C + i] + w[s.G_I + i] * I
        c_n = max(w[p.C_E + i] + g * w[s.U_SALT_N + i], SALT_EDGE)
        c_p = max(w[p.C_E + i] + g * w[s.U_SALT_P + i], SALT_EDGE)
        log_n, log_p = log(c_n), log(c_p)
        mean_n = mean_log(log_n, w[s.DROP_N + i] * g / c_n)
        mean_p = mean_log(log_p, w[s.DROP_P + i] * g / c_p)
        eta_c = w[s.CHI + i] * thermal_voltage * (mean_p - mean_n)
        # charge transfer
        log_n, log_p = log_n - w[s.LOG_C_REF + i], log_p - w[s.LOG_C_REF + i]
        factor_n, factor_p = w[p.J_N + i] * w[s.F_J_N + i], w[p.J_P + i] * w[s.F_J_P + i]
        order_n, order_p = w[p.O_J_N + i], w[p.O_J_P + i]
        j0_n = exchange_current(factor_n, w[s.XS + i], order_n, log_n, w[p.E_J_N + i], z)
        j0_p = exchange_current(factor_p, w[s.YS + i], order_p, log_p, w[p.E_J_P + i], z)
        j_n, j_p = I * w[s.PER_S_N + i], -I * w[s.PER_S_P + i]
        eta_n = 2.0 * thermal_voltage * asinh(0.5 * j_n / j0_n)
        eta_p = 2.0 * thermal_voltage * asinh(0.5 * j_p / j0_p)
        film = j_n * w[s.FILM_1 + i] * w[p.RHO_SEI + i]
        # potentials are linear in temperature, as in PyBaMM
        away = T - w[p.T_REF + i]
        U_n, U_p = w[s.POT_N + i] + away * w[s.ENT_N + i], w[s.POT_P + i] + away * w[s.ENT_P + i]
        drop = I * (w[s.R_ELECTROLYTE + i] + w[s.R_SOLID + i])
        w[s.V_1 + i] = U_p - U_n + eta_p - eta_n - film + eta_c - drop - I * w[p.R_CONTACT + i]
        w[s.PHI_1 + i], w[s.J_N_1 + i] = U_n + eta_n, j_n
        w[s.J0_N + i], w[s.J0_P + i] = j0_n, j0_p
        # heat: reaction, reversible, ohmic (electrolyte with its concentration part, solid,
        # collectors, contact)
        w[s.HEAT_1 + i] = (
            (I + w[s.SIDE_1 + i]) * (eta_n + T * w[s.ENT_N + i])
            - I * (eta_p + T * w[s.ENT_P + i])
            + I * (drop - eta_c)
            + I * I * w[s.R_HEAT + i]
        )


@lanes
def differentiate(w):
    """Derivative of the voltage by the current at the end of the step, after `evaluate`."""
    for i in range(LANES):
        I, thermal_voltage = w[s.I_1 + i], (GAS / FARADAY) * w[s.T_1 + i]
        g = w[s.G_C + i] + w[s.G_I + i] * I
        c_n = max(w[p.C_E + i] + g * w[s.U_SALT_N + i], SALT_EDGE)
        c_p = max(w[p.C_E + i] + g * w[s.U_SALT_P + i], SALT_EDGE)
        dc_n = w[s.U_SALT_N + i] * w[s.G_I + i] / c_n
        dc_p = w[s.U_SALT_P + i] * w[s.G_I + i] / c_p
        # d ln(j0) / dI through surface and salt; d eta / dI is that of asinh(I / (2 j0 S))
        x, y = w[s.XS + i], w[s.YS + i]
        dj0_n = (0.5 - x) / (x * (1.0 - x)) * w[s.XS_I + i] + w[p.O_J_N + i] * dc_n
        dj0_p = (0.5 - y) / (y * (1.0 - y)) * w[s.YS_I + i] + w[p.O_J_P + i] * dc_p
        own_n, own_p = 2.0 * w[s.J0_N + i] * w[s.S_N + i], 2.0 * w[s.J0_P + i] * w[s.S_P + i]
        transfer = (1.0 - I * dj0_n) / math.sqrt(I * I + own_n * own_n)
        transfer += (1.0 - I * dj0_p) / math.sqrt(I * I + own_p * own_p)
        ohmic = w[s.R_ELECTROLYTE + i] + w[s.R_SOLID + i] + w[p.R_CONTACT + i]
        ohmic += w[s.FILM_1 + i] * w[p.RHO_SEI + i] * w[s.PER_S_N + i]
        w[s.DV_DI + i] = (
            w[s.SLOPE_P + i] * w[s.YS_I + i]
            - w[s.SLOPE_N + i] * w[s.XS_I + i]
            + thermal_voltage * (w[s.CHI + i] * (dc_p - dc_n) - 2.0 * transfer)
            - ohmic
        )


@lanes
def hold(w, iterations, tables, flat):
    """Newton's method on the end current, so that the voltage there is the setpoint.

    Each lane stops at its own convergence and all are evaluated once more, so that none depends on
    its neighbours.
    """
    for i in range(LANES):
        w[s.HELD + i] = 1.0 - w[s.ACTIVE + i]
    for _ in range(iterations):
        evaluate(w, tables, flat)
        differentiate(w)
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
    differentiate(w)
    for i in range(LANES):
        w[s.V_1 + i] = w[s.SETPOINT + i]


@lanes
def grow_film(w, tables):
    """Side charge over the step by Simpson's rule, and the film that it makes.

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
        # V per metre of film, for laws that see the potential with the film's drop
        drop = (1.0 - w[p.DROP_SEI + i]) * w[p.RHO_SEI + i]
        drop_1 = w[s.J_N_1 + i] * drop
        drop_mid = 0.5 * (w[s.J_N_0 + i] + w[s.J_N_1 + i]) * drop
        T_1_ = w[s.T_1 + i]
        T_mid = 0.5 * (w[s.T + i] + T_1_)
        z_1, z_mid = (w[s.PER_T_REF + i] - 1.0 / T_1_) / GAS, w[s.Z_MID + i]
        a_1, a_mid = arrhenius(w[p.E_SEI + i], z_1), arrhenius(w[p.E_SEI + i], z_mid)
        per_charge = w[s.FILM_PER_CHARGE + i]
        j_0, film = w[s.J_0 + i], w[s.FILM + i]
        film_1 = w[s.FILM_1 + i]
        A, alpha, U = w[p.A_SEI + i], w[p.ALPHA_SEI + i], w[p.U_SEI + i]
        beta, a, b = w[p.BETA_SEI + i], w[p.REACTION_SEI + i], w[p.SLOWING_SEI + i]
        d, m = w[p.TRANSPORT_SEI + i], w[p.MIGRATION_SEI + i]
        j_1 = j_mid = charge = before = 0.0
        for _ in range(2):
            film_mid = 0.5 * (film + film_1)
            j_1 = sei.growth(phi_1 + drop_1 * film_1, film_1, T_1_, A, alpha, U, beta, a, b, d, m)
            j_mid = sei.growth(
                phi_mid + drop_mid * film_mid, film_mid, T_mid, A, alpha, U, beta, a, b, d, m
            )
            j_1, j_mid = j_1 * a_1, j_mid * a_mid
            before = charge
            charge = h / 6.0 * (j_0 + 4.0 * j_mid + j_1)
            film_1 = film + charge * per_charge
        w[s.J_1 + i], w[s.SIDE_CHARGE + i] = j_1, charge
        curved = abs(charge - 0.5 * h * (j_0 + j_1)) / SIDE_CHARGE_CURVATURE
        unsettled = abs(charge - before) / SIDE_CHARGE_CHANGE
        w[s.SIDE_ERROR + i] = max(curved, unsettled) * w[s.S_N + i] * w[s.Q_N + i]
