"""One time step of a block of cells: SPMe, lumped heat, SEI with film resistance.

Model: Marquis et al. 2019 (J. Electrochem. Soc. 166 A3693), Brosa Planella and Widanage 2022
(SPMe with side reactions), in the form PyBaMM solves it. Positive current discharges. Per lane the
unknowns are the mean stoichiometries x, y, the particle modes, the salt concentrations, the
temperature and the film thickness.

The current is linear in time within the step, so that everything diffusive is affine in the end
current I_1 (`propose`); so is the charge that a held voltage lets through, with a current that
follows a parabola. The terminal voltage and its slope follow (`evaluate`); where voltage or power
is set, one iteration of Newton's method moves the current and everything with it (`steer`); the
side reaction is integrated along the potential (`grow_film`).
"""

import math

from kernels import parameters as p
from kernels import sei
from kernels import tables as t
from kernels import workspace as s
from kernels.bends import bend_of, lasting
from kernels.block_lookup import read_block, read_values
from kernels.compiled import lanes, law, sequence
from kernels.electrolyte import CELLS, ELECTRODE_CELLS, SEPARATOR, product_of_squares, spread
from kernels.kinetics import FARADAY, GAS, arrhenius, exchange_current, per_thermal_voltage
from kernels.parameters import LANES
from kernels.properties import read_properties
from kernels.protocol import CURRENT, POWER, VOLTAGE
from kernels.salt_step import salt_at
from kernels.thermal import response, temperature_step
from kernels.vector_math import asinh_of_ratio, log

# Departures of the side charge within one step at tolerance 1, shares of the negative electrode's
# capacity.
SIDE_CHARGE_CURVATURE = 1.6e-4  # from straight lines; the rule integrates most of it
SIDE_CHARGE_CHANGE = 2e-6  # left by one iteration on the film
WIDEST_STEP = 0.2  # in stoichiometry: of a wider one four points tell too little
EARLY = 0.5 - 0.5 / math.sqrt(5.0)  # inner points of Lobatto's rule, weights 5/12
LATE = 1.0 - EARLY
OTHER = 0.5 - 0.6 / math.sqrt(5.0)  # see `averaged`
LEAST_PART = 1e-7  # of a step, in stoichiometry, from which its mean potential is known


@lanes
def predict_temperature(w):
    """Temperature at the end of the step, were the heat to change as it has been changing."""
    for i in range(LANES):
        T_a, cooling = w[s.T + i], w[p.COOLING + i]
        per_watt, late = response(w[s.H + i], w[s.PER_HEAT_CAPACITY + i], cooling)
        heat, change = w[s.HEAT_0 + i], w[s.HEAT_SLOPE + i] * w[s.H + i]
        T_b = temperature_step(T_a, heat, change, per_watt, late, cooling, w[p.T_AMB + i])
        w[s.PER_WATT + i], w[s.PER_WATT_LATE + i], w[s.T_1 + i] = per_watt, late, T_b
        T_sum = T_a + T_b
        per_both = 1.0 / (T_sum * T_b)
        w[s.Z_MID + i] = (w[s.PER_T_REF + i] - 2.0 * T_b * per_both) * (1.0 / GAS)
        w[s.Z_1 + i] = (w[s.PER_T_REF + i] - T_sum * per_both) * (1.0 / GAS)


@lanes
def predict_means(w):
    """Mean stoichiometries at the end of the step, an affine function of the current there, and the
    resistances of the electrolyte.
    """
    for i in range(LANES):
        h, I_a = w[s.H + i], w[s.I_0 + i]
        # side reaction, predicted; it fills the negative electrode no less than the cell's current
        j_a = w[s.J_0 + i]
        j_b = max(j_a + w[s.J_SLOPE + i] * h, 0.0)
        side_a = w[s.S_N + i] * (j_a + w[s.OTHER_0 + i])
        side_b = w[s.S_N + i] * (j_b + w[s.OTHER_1 + i])
        w[s.J_GUESS + i], w[s.SIDE_0 + i], w[s.SIDE_1 + i] = j_b, side_a, side_b
        charge = 0.5 * h * (j_a + j_b) + w[s.HEALED + i]
        w[s.FILM_1 + i] = w[s.FILM + i] + charge * w[s.FILM_PER_CHARGE + i]
        # mean stoichiometries: charge balance; a current that is held at a voltage decays along a
        # parabola through its last slope
        before = w[s.H_0 + i]
        w[s.BEND + i] = h * h / (6.0 * (h + before)) if before > 0.0 else 0.0
        bend = w[s.BEND + i] if w[s.KIND + i] == VOLTAGE else 0.0
        known = (0.5 * h + bend) * I_a + bend * h * w[s.I_SLOPE + i]
        x = w[s.X + i] - w[s.Q_N + i] * (known + 0.5 * h * (side_a + side_b))
        y = w[s.Y + i] + w[s.Q_P + i] * known
        per_ampere_n = w[s.Q_N + i] * (bend - 0.5 * h)
        per_ampere_p = w[s.Q_P + i] * (0.5 * h - bend)
        w[s.X_C + i], w[s.XS_C + i] = x, x
        w[s.Y_C + i], w[s.YS_C + i] = y, y
        w[s.X_I + i], w[s.XS_I + i] = per_ampere_n, per_ampere_n
        w[s.Y_I + i], w[s.YS_I + i] = per_ampere_p, per_ampere_p
        kappa = w[p.KAPPA + i] * w[s.F_KAPPA + i] * arrhenius(w[p.E_KAPPA + i], w[s.Z_1 + i])
        w[s.R_ELECTROLYTE + i] = w[s.R_PATH + i] / kappa
        t_plus = w[p.T_PLUS + i] * w[s.F_T_PLUS + i]
        w[s.CHI + i] = 2.0 * (1.0 - t_plus) * w[p.TDF + i] * w[s.F_TDF + i]


@sequence
def predict(w, tables, flat):
    """Whatever does not depend on place: temperature, properties, means."""
    predict_temperature(w)
    read_properties(w, tables, flat)
    predict_means(w)


@law
def salt_of_electrode(w, i, outer, inwards, current):
    """Mean of ln(c) over an electrode at the end of the step, the inverse of the sum of c over its
    volumes, from the `outer` one on by +1 or -1, and its `spread`.
    """
    c_0, c_1 = salt_at(w, i, outer, current), salt_at(w, i, outer + inwards, current)
    c_2 = salt_at(w, i, outer + 2 * inwards, current)
    c_3 = salt_at(w, i, outer + 3 * inwards, current)
    mean = 0.125 * log(product_of_squares(c_0, c_1, c_2, c_3))
    per_sum = 1.0 / (c_0 + c_1 + c_2 + c_3)
    return mean, per_sum, spread(c_0, c_1, c_2, c_3, 4.0 * per_sum)


@lanes
def evaluate(w, tables, flat):
    """Terminal voltage, its slope over current, and heat at the end, for the currents I_1."""
    read_block(w, tables, t.U_N, s.XS, s.POT_N, s.SLOPE_N, s.AREA_N)
    read_block(w, tables, t.U_P, s.YS, s.POT_P, s.SLOPE_P, s.AREA_P)
    if not flat[t.DUDT_N]:
        read_values(w, tables, t.DUDT_N, s.XS, 1.0, s.ENT_N)
    if not flat[t.DUDT_P]:
        read_values(w, tables, t.DUDT_P, s.YS, 1.0, s.ENT_P)
    if not flat[t.SHAPE_J_N]:
        read_values(w, tables, t.SHAPE_J_N, s.XS, 1.0, s.F_J_N)
    if not flat[t.SHAPE_J_P]:
        read_values(w, tables, t.SHAPE_J_P, s.YS, 1.0, s.F_J_P)

    for i in range(LANES):
        I, T, z = w[s.I_1 + i], w[s.T_1 + i], w[s.Z_1 + i]
        thermal_voltage = (GAS / FARADAY) * T
        # electrolyte: means of ln(c) over the electrodes, and how they change with current
        log_n, per_sum_n, spread_n = salt_of_electrode(w, i, 0, 1, I)
        log_p, per_sum_p, spread_p = salt_of_electrode(w, i, CELLS - 1, -1, I)
        change_n = change_p = 0.0
        for k in range(i, i + ELECTRODE_CELLS * LANES, LANES):
            change_n += w[s.SALT_I + k]
            change_p += w[s.SALT_I + k + (SEPARATOR + 1) * LANES]
        change_n, change_p = change_n * per_sum_n, change_p * per_sum_p
        chi = w[s.CHI + i] * thermal_voltage
        eta_c = chi * (log_p - log_n)
        # charge transfer
        log_n, log_p = log_n - w[s.LOG_C_REF + i], log_p - w[s.LOG_C_REF + i]
        x, y = w[s.XS + i], w[s.YS + i]
        order_n, order_p = w[p.O_J_N + i], w[p.O_J_P + i]
        factor_n, factor_p = w[p.J_N + i] * w[s.F_J_N + i], w[p.J_P + i] * w[s.F_J_P + i]
        own_n = 2.0 * exchange_current(factor_n, x, order_n, log_n, w[p.E_J_N + i], z)
        own_p = 2.0 * exchange_current(factor_p, y, order_p, log_p, w[p.E_J_P + i], z)
        own_n, own_p = own_n * w[s.S_N + i], own_p * w[s.S_P + i]
        # means of asinh(I / own) where exchange currents follow the salt's profile: half its second
        # derivative over ln(c) times the variance of that, which is twice the spread
        both_n, both_p = math.sqrt(I * I + own_n * own_n), math.sqrt(I * I + own_p * own_p)
        # 1 / both and 1 / inside of both electrodes by one division
        inside_x, inside_y = max(x * (1.0 - x), 1e-8), max(y * (1.0 - y), 1e-8)
        both, inside = both_n * both_p, inside_x * inside_y
        per_all = 1.0 / (both * inside)
        per_both, per_inside = per_all * inside, per_all * both
        per_n, per_p = both_p * per_both, both_n * per_both
        share_n, share_p = order_n * own_n * per_n, order_p * own_p * per_p
        eta_n = asinh_of_ratio(I, own_n, both_n) + share_n * share_n * spread_n * I * per_n
        eta_p = -asinh_of_ratio(I, own_p, both_p) - share_p * share_p * spread_p * I * per_p
        eta_n, eta_p = 2.0 * thermal_voltage * eta_n, 2.0 * thermal_voltage * eta_p
        film = w[s.FILM_1 + i] * w[p.RHO_SEI + i] * w[s.PER_S_N + i]
        ohmic = w[s.R_ELECTROLYTE + i] + w[s.R_SOLID + i]
        # potentials are linear in temperature, as in PyBaMM
        away, ent_n, ent_p = T - w[p.T_REF + i], w[s.ENT_N + i], w[s.ENT_P + i]
        U_n, U_p = w[s.POT_N + i] + away * ent_n, w[s.POT_P + i] + away * ent_p
        resistance = ohmic + film + w[p.R_CONTACT + i]
        w[s.V_1 + i] = U_p - U_n + eta_p - eta_n + eta_c - I * resistance
        w[s.ETA_N_1 + i] = U_n - w[s.POT_N + i] + eta_n
        # d ln(j0) / dI through surface and salt; d eta / dI is that of asinh(I / (2 j0 S))
        dj0_n = (0.5 - x) * inside_y * per_inside * w[s.XS_I + i] + order_n * change_n
        dj0_p = (0.5 - y) * inside_x * per_inside * w[s.YS_I + i] + order_p * change_p
        deta_n = 2.0 * thermal_voltage * (1.0 - I * dj0_n) * per_n
        deta_p = 2.0 * thermal_voltage * (1.0 - I * dj0_p) * per_p
        w[s.DETA_N + i] = deta_n
        w[s.PHI_P_1 + i] = U_p + eta_p
        w[s.DPHI_P + i] = w[s.SLOPE_P + i] * w[s.YS_I + i] - deta_p
        w[s.DV_DI + i] = (
            w[s.SLOPE_P + i] * w[s.YS_I + i]
            - w[s.SLOPE_N + i] * w[s.XS_I + i]
            - deta_n
            - deta_p
            + chi * (change_p - change_n)
            - resistance
        )
        # heat: reaction, reversible, ohmic (electrolyte with its concentration part, solid,
        # collectors, contact)
        w[s.HEAT_1 + i] = (
            (I + w[s.SIDE_1 + i]) * (eta_n + T * ent_n)
            - I * (eta_p + T * ent_p)
            + I * (I * (ohmic + w[s.R_HEAT + i]) - eta_c)
        )


@law
def move_negative_surface(w, i, x):
    """Move the surface of the negative particles by a stoichiometry, its potential with it."""
    w[s.XS + i] += x
    w[s.AREA_N + i] += w[s.POT_N + i] * x
    w[s.POT_N + i] += w[s.SLOPE_N + i] * x


@law
def move_positive_surface(w, i, y):
    """Likewise of the positive ones."""
    w[s.YS + i] += y
    w[s.AREA_P + i] += w[s.POT_P + i] * y
    w[s.POT_P + i] += w[s.SLOPE_P + i] * y


@lanes
def steer(w):
    """One iteration of Newton's method on the end current where it is not given: where voltage or
    power is set, or part of the current leaks inside the cell.

    AWAY is how far the voltage was from where it belongs. Surfaces and potentials move along.
    """
    for i in range(LANES):
        I, V, kind = w[s.I_1 + i] - w[s.LEAK_1 + i], w[s.V_1 + i], w[s.KIND + i]
        dI, dV = 1.0 - w[s.DLEAK + i], w[s.DV_DI + i]
        missing = w[s.SETPOINT + i] - (V * I if kind == POWER else (I if kind == CURRENT else V))
        slope = V * dI + I * dV if kind == POWER else (dI if kind == CURRENT else dV)
        moved = missing / slope
        w[s.AWAY + i] = abs(moved * dV)
        w[s.I_1 + i] += moved
        w[s.V_1 + i] = V + dV * moved
        w[s.LEAK_1 + i] += w[s.DLEAK + i] * moved
        w[s.PHI_P_1 + i] += w[s.DPHI_P + i] * moved
        move_negative_surface(w, i, w[s.XS_I + i] * moved)
        move_positive_surface(w, i, w[s.YS_I + i] * moved)
        w[s.ETA_N_1 + i] += w[s.DETA_N + i] * moved
        w[s.ETA_1 + i] = w[s.V_1 + i] - w[s.POT_P + i] + w[s.POT_N + i]


@law
def inverse_thermal_voltages(w, i):
    """F / (R T) [V-1] at both inner points of Lobatto's rule and at the end of the step."""
    end = per_thermal_voltage(w[s.PER_T_REF + i], w[s.Z_1 + i])
    later = FARADAY * (w[s.Z_1 + i] - w[s.Z_MID + i])
    return end + 2.0 * LATE * later, end + 2.0 * EARLY * later, end


@law
def averaged(w, i):
    """Potential at both inner points, such that the rule has its integral over the step right,
    however jagged it is between the points.

    Its mean from each point to the next is exact. What the means differ from those of the cubic
    through the four points goes to the inner point of that part, of the middle one by halves.
    """
    U_a, U_b = w[s.POT_A + i], w[s.POT_B + i]
    first, last = w[s.XS_A + i] - w[s.XS_0 + i], w[s.XS + i] - w[s.XS_B + i]
    middle = w[s.XS_B + i] - w[s.XS_A + i]
    known = min(min(abs(first), abs(last)), abs(middle)) > LEAST_PART
    known = known & (w[s.OPENING + i] == 0.0)
    per_all = 1.0 / (first * middle * last if known else 1.0)  # one division instead of three
    sum_a = EARLY * (w[s.AREA_A + i] - w[s.AREA_N_0 + i]) * (middle * last * per_all)
    sum_b = EARLY * (w[s.AREA_N + i] - w[s.AREA_B + i]) * (first * middle * per_all)
    half = (0.5 - EARLY) * (w[s.AREA_B + i] - w[s.AREA_A + i]) * (first * last * per_all)
    U_0, U_1 = w[s.POT_N_0 + i], w[s.POT_N + i]
    a = 2.4 * (sum_a + half) + OTHER * (U_a - U_b) - 0.22 * U_0 + 0.02 * U_1
    b = 2.4 * (sum_b + half) + OTHER * (U_b - U_a) - 0.22 * U_1 + 0.02 * U_0
    return a if known else U_a, b if known else U_b


@law
def departure(h, j_0, j_a, j_b, j_1):
    """How far a side charge is from that along a straight line, or what is odd about the middle of
    the step: the even and the odd part of what the rule's points see; per area.
    """
    even = abs(5.0 * (j_a + j_b - j_0 - j_1))
    odd = abs(5.0 * (j_1 - j_0 - (j_b - j_a) * (1.0 / (LATE - EARLY))))
    return max(even, odd) * h * (1.0 / 12.0)


@lanes
def grow_film(w, tables):
    """Side charge over the step by Lobatto's rule of four points, and the film that it makes.

    The rate follows the measured, jagged potential exponentially: the table is read at both inner
    points. The film, which slows the reaction, is a cubic with the right slopes at both ends; its
    end is predicted and corrected by one iteration of Newton's method. What heals new surface
    (`passivation`) thickens it as well.
    """
    for i in range(LANES):
        h, dxs = w[s.H + i], w[s.XS + i] - w[s.XS_0 + i]
        bend = bend_of(dxs, w[s.XS_SLOPE + i], h, w[s.H_0 + i])
        bow = h * h * bend * lasting(bend, w[s.XS_BEND_0 + i])
        w[s.XS_BEND + i] = bend
        w[s.XS_A + i] = w[s.XS_0 + i] + EARLY * dxs - EARLY * LATE * bow
        w[s.XS_B + i] = w[s.XS_0 + i] + LATE * dxs - EARLY * LATE * bow
    read_block(w, tables, t.U_N, s.XS_A, s.POT_A, s.SLOPE_A, s.AREA_A)
    read_block(w, tables, t.U_N, s.XS_B, s.POT_B, s.SLOPE_B, s.AREA_B)
    for i in range(LANES):
        w[s.POT_A + i], w[s.POT_B + i] = averaged(w, i)
        h, film_0, film_1 = w[s.H + i], w[s.FILM + i], w[s.FILM_1 + i]
        A, alpha, U, beta = w[p.A_SEI + i], w[p.ALPHA_SEI + i], w[p.U_SEI + i], w[p.BETA_SEI + i]
        a, b, d = w[p.REACTION_SEI + i], w[p.SLOWING_SEI + i], w[p.TRANSPORT_SEI + i]
        m, per_charge = w[p.MIGRATION_SEI + i], w[s.FILM_PER_CHARGE + i]
        grown = film_1 - film_0
        early = h * per_charge * (w[s.J_0 + i] + w[s.HEAL_0 + i])
        late = h * per_charge * (w[s.J_GUESS + i] + w[s.HEAL_GUESS + i])
        film_a = film_0 + EARLY * EARLY * (3.0 - 2.0 * EARLY) * grown
        film_a += EARLY * LATE * (LATE * early - EARLY * late)
        film_b = film_0 + LATE * LATE * (3.0 - 2.0 * LATE) * grown
        film_b += EARLY * LATE * (EARLY * early - LATE * late)
        # potential of the reaction: with or without the drop over the film, per metre and ampere
        drop = (1.0 - w[p.DROP_SEI + i]) * w[p.RHO_SEI + i] * w[s.PER_S_N + i]
        I_0, I_1 = w[s.I_0 + i], w[s.I_1 + i]
        eta_0, eta_1 = w[s.ETA_N_0 + i] - w[s.EVEN_0 + i], w[s.ETA_N_1 + i] - w[s.EVEN_1 + i]
        phi_1 = w[s.POT_N + i] + eta_1 + drop * I_1 * film_1
        phi_a = w[s.POT_A + i] + LATE * eta_0 + EARLY * eta_1
        phi_a += drop * (LATE * I_0 + EARLY * I_1) * film_a
        phi_b = w[s.POT_B + i] + EARLY * eta_0 + LATE * eta_1
        phi_b += drop * (EARLY * I_0 + LATE * I_1) * film_b
        at_a, at_b, at_1 = inverse_thermal_voltages(w, i)
        A_1 = A * arrhenius(w[p.E_SEI + i], w[s.Z_1 + i])
        A_mid = A * arrhenius(w[p.E_SEI + i], w[s.Z_MID + i])
        A_a, A_b = A_mid - (LATE - EARLY) * (A_1 - A_mid), A_mid + (LATE - EARLY) * (A_1 - A_mid)
        j_1, fall_1 = sei.growth(phi_1, film_1, at_1, A_1, alpha, U, beta, a, b, d, m)
        j_a, fall_a = sei.growth(phi_a, film_a, at_a, A_a, alpha, U, beta, a, b, d, m)
        j_b, fall_b = sei.growth(phi_b, film_b, at_b, A_b, alpha, U, beta, a, b, d, m)
        charge = h / 12.0 * (w[s.J_0 + i] + 5.0 * (j_a + j_b) + j_1)
        # where the film ends counts for less, the earlier
        fall_a *= 5.0 * EARLY * EARLY * (3.0 - 2.0 * EARLY)
        fall_b *= 5.0 * LATE * LATE * (3.0 - 2.0 * LATE)
        fall = h / 12.0 * (fall_a + fall_b + fall_1)
        missing = film_0 + (charge + w[s.HEALED + i]) * per_charge - film_1
        moved = missing / (1.0 + fall * per_charge)
        curved = departure(h, w[s.J_0 + i], j_a, j_b, j_1) / SIDE_CHARGE_CURVATURE
        unsettled = 0.5 * fall_1 * moved / (j_1 + 1e-300)
        unsettled *= fall * moved / SIDE_CHARGE_CHANGE
        wide = abs(w[s.XS + i] - w[s.XS_0 + i]) * (1.0 / WIDEST_STEP)
        error = (curved + abs(unsettled)) * w[s.S_N + i] * w[s.Q_N + i]
        w[s.SIDE_ERROR + i] = max(error, wide * wide * wide)
        w[s.J_1 + i] = max(j_1 - fall_1 * moved, 0.0)
        w[s.SIDE_CHARGE + i] = max(charge - fall * moved, 0.0)


@lanes
def follow_side_charge(w):
    """Surface and voltage as the side charge turned out: the surface was filled by what had been
    predicted of it. A voltage that is held stays.
    """
    for i in range(LANES):
        guessed = 0.5 * w[s.H + i] * (w[s.J_0 + i] + w[s.J_GUESS + i])
        more = w[s.S_N + i] * (w[s.SIDE_CHARGE + i] - guessed)
        x = -w[s.Q_N + i] * more if w[s.KIND + i] == CURRENT else 0.0
        w[s.SIDE_SHIFT + i] = w[s.OTHER_SHIFT + i] + x
        move_negative_surface(w, i, x)
        w[s.POT_A + i] += EARLY * w[s.SLOPE_N + i] * x
        w[s.POT_B + i] += LATE * w[s.SLOPE_N + i] * x
        w[s.V_1 + i] -= w[s.SLOPE_N + i] * x
