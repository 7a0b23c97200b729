"""A second material in the negative electrode, as silicon beside graphite: PyBaMM's SPMe with two
particle phases (Ai et al. 2022, J. Power Sources 527, 231142), its currents averaged over the
electrode.

Both materials share electrolyte and solid, hence the potential difference phi between them:

    phi = U_k(x_ks) + eta_k + R_k I,      I_k = 2 j0_k S_k sinh(F eta_k / (2 R T)),    k = 1, 2
    I_1 + I_2 = I + j_1 S_1 + j_2 S_2
    U_2 = mean of both branches + h half their distance,    h = tanh(100 m2 A-1 I / A)

Each has its own particles, surface S_k, exchange current j0_k, entropic change and film, which
grows at j_k of its own law (`sei`), driven by phi. Each film carries the whole current I in
PyBaMM: R_k = rho_k L_k / S_k. Heat: I_k (eta_k + T dU_k/dT), and I_2 times the distance of U_2 from
the mean of its branches.

Numerics: I_2 is a second end current. It is predicted from its last slope, and found by the same
single iteration of Newton's method that moves I (`split` eliminates it, `follow` lets it move
along). For the first material, which the rest of the kernels know, I_2 is a side current that
fills it less. Where a protocol step opens, surfaces are given, and I_2 follows in closed form:
with y = exp(F eta_1 / (2 R T)), d the distance of both potentials in the same unit and own_k = 2
j0_k S_k,

    (own_1 + own_2 exp(-d)) y^2 - 2 (I_1 + I_2) y - (own_1 + own_2 exp(d)) = 0.
"""

import math

from kernels import parameters as p
from kernels import sei
from kernels import tables as t
from kernels import workspace as s
from kernels.block_lookup import read_block, read_values
from kernels.compiled import lanes, law
from kernels.electrolyte import CELLS, ELECTRODE_CELLS
from kernels.kinetics import FARADAY, GAS, arrhenius, exchange_current
from kernels.parameters import LANES
from kernels.particle import MODES
from kernels.particle_step import describe_modes, propose_modes
from kernels.step_control import STOICHIOMETRY_EDGE
from kernels.tables import lookup
from kernels.time_step import (
    EARLY,
    LATE,
    SIDE_CHARGE_CHANGE,
    SIDE_CHARGE_CURVATURE,
    departure,
    inverse_thermal_voltages,
    move_negative_surface,
    salt_of_electrode,
)
from kernels.uneven_reaction import settle_uneven
from kernels.uneven_salt import keep_uneven, propose_uneven
from kernels.vector_math import asinh, choose, exp, log

SHARPNESS = 100.0  # m2 A-1, of the change between branches, PyBaMM's "current sigmoid"
EMPTIEST = 1e-4  # stoichiometry of the second material
STEEPEST = 40.0  # exponent at which branches are one or the other, and distances are cut
#: what the departure of I_2 from a straight line may move from one material to the other in a time
#: step at tolerance 1, share of the first one's capacity
SPLIT_DEPARTURE = 1e-4
SPLIT_WINDOW = 4e-3  # V that both potentials are apart before the iteration that makes them one


@lanes
def settle_second(w, i):
    """Derive what is fixed for the case in lane `i`, and its fresh state; harmless without."""
    volume = w[p.EPS_2 + i] * w[p.L_N + i] * w[p.AREA + i]
    capacity = FARADAY * w[p.C_MAX_2 + i] * volume
    there = capacity > 0.0
    w[s.S_2 + i] = 3.0 * volume / w[p.R_2 + i] if there else 1.0
    w[s.PER_S_2 + i] = 1.0 / w[s.S_2 + i]
    w[s.Q_2 + i] = 1.0 / capacity if there else 0.0
    w[s.SHARE_2 + i] = capacity * w[s.Q_N + i] / (1.0 + capacity * w[s.Q_N + i])
    w[s.RATE_2 + i] = w[p.D_2 + i] / (w[p.R_2 + i] * w[p.R_2 + i])
    w[s.FILM_2_PER_CHARGE + i] = w[p.V_SEI_2 + i] / (w[p.Z_SEI_2 + i] * FARADAY)
    w[s.X_2 + i], w[s.FILM_2 + i] = w[p.X_2_0 + i], w[p.L_SEI_2_0 + i]
    w[s.X_MEAN_MAX + i] = w[s.LOST_2 + i] = 0.0
    for k in range(MODES):
        w[s.X_2_MODE + k * LANES + i] = 0.0
    for row in range(s.I_2_0, s.J_2_SLOPE + LANES, LANES):
        w[row + i] = 0.0
    w[s.ENT_2 + i], w[s.F_J_2 + i] = 0.0, 1.0  # where their tables are flat
    settle_uneven(w, i)


@law
def mean_stoichiometry(w, i):
    """Lithium content of the negative electrode / capacity of its materials."""
    return w[s.X + i] + w[s.SHARE_2 + i] * (w[s.X_2 + i] - w[s.X + i])


@lanes
def predict_split(w):
    """Current and side current of the second material at the end of the step; the first one has
    the rest, as if they were side currents of its own.
    """
    for i in range(LANES):
        h, I_a, j_a = w[s.H + i], w[s.I_2_0 + i], w[s.J_2_0 + i]
        I_b = I_a + w[s.I_2_SLOPE + i] * h
        j_b = max(j_a + w[s.J_2_SLOPE + i] * h, 0.0)
        w[s.I_2_GUESS + i], w[s.I_2_1 + i], w[s.J_2_GUESS + i] = I_b, I_b, j_b
        w[s.FILM_2_1 + i] = w[s.FILM_2 + i] + 0.5 * h * (j_a + j_b) * w[s.FILM_2_PER_CHARGE + i]
        w[s.LOSS_GUESS + i] = w[s.S_2 + i] * j_b * w[s.PER_S_N + i]
        w[s.OTHER_0 + i] = (w[s.S_2 + i] * j_a - I_a) * w[s.PER_S_N + i]
        w[s.OTHER_1 + i] = w[s.LOSS_GUESS + i] - I_b * w[s.PER_S_N + i]
        w[s.X_MEAN_MAX + i] = max(w[s.X_MEAN_MAX + i], mean_stoichiometry(w, i))


@lanes
def propose_second(w):
    """Particles of the second material at the end of the step, affine in its end current."""
    for i in range(LANES):
        h, I_a = w[s.H + i], w[s.I_2_0 + i]
        describe_modes(
            w, i, w[s.RATE_2 + i], w[p.E_D_2 + i], (-1.0 / 3.0) * w[s.Q_2 + i], s.STEPS_2,
            s.PER_STEPS_2, s.UNIT_2_0, s.UNIT_2,
        )  # fmt: skip
        per_ampere = -0.5 * h * w[s.Q_2 + i]
        x = w[s.X_2 + i] + per_ampere * I_a
        w[s.X_2_C + i], w[s.XS_2_C + i] = x, x
        w[s.X_2_I + i], w[s.XS_2_I + i] = per_ampere, per_ampere
    for i in range(LANES):
        propose_modes(
            w, i, w[s.I_2_0 + i], 0.0, s.STEPS_2, s.PER_STEPS_2, s.UNIT_2_0, s.UNIT_2, s.X_2_MODE,
            s.X_2_MODE_C, s.X_2_MODE_I, s.XS_2_C, s.XS_2_I, s.XS_2,
        )  # fmt: skip
    for i in range(LANES):
        w[s.XS_2 + i] = w[s.XS_2_C + i] + w[s.XS_2_I + i] * w[s.I_2_1 + i]
    propose_uneven(w)


@law
def share_of_second(through, own_1, own_2, distance):
    """Current of the second material [A], surfaces given.

    Parameters
    ----------
    through : A, of both
    own_1, own_2 : A, 2 j0 S of each
    distance : of the second one's potential from the first one's, in units of 2 R T / F
    """
    d = min(max(distance, -STEEPEST), STEEPEST)
    up, down = exp(d), exp(-d)
    a, b = own_1 + own_2 * down, own_1 + own_2 * up
    root = math.sqrt(through * through + a * b)
    y = (through + root) / a if through > 0.0 else b / (root - through)
    return 0.5 * own_2 * (y * down - up / y)


@lanes
def find_exchange(w):
    """Twice the exchange currents of both electrodes [A], the second material aside, and what of
    the salt moves those of the negative one: as in `time_step.evaluate`, which stays untouched.
    """
    for i in range(LANES):
        I, z = w[s.I_1 + i], w[s.Z_1 + i]
        log_n, per_sum_n, _ = salt_of_electrode(w, i, 0, 1, I)
        log_p, _, _ = salt_of_electrode(w, i, CELLS - 1, -1, I)
        log_n, log_p = log_n - w[s.LOG_C_REF + i], log_p - w[s.LOG_C_REF + i]
        change_n = 0.0
        for k in range(i, i + ELECTRODE_CELLS * LANES, LANES):
            change_n += w[s.SALT_I + k]
        j_n = exchange_current(
            w[p.J_N + i] * w[s.F_J_N + i], w[s.XS + i], w[p.O_J_N + i], log_n, w[p.E_J_N + i], z
        )
        j_p = exchange_current(
            w[p.J_P + i] * w[s.F_J_P + i], w[s.YS + i], w[p.O_J_P + i], log_p, w[p.E_J_P + i], z
        )
        w[s.LOG_N + i], w[s.CHANGE_N + i] = log_n, change_n * per_sum_n
        w[s.OWN_N + i], w[s.OWN_P + i] = 2.0 * j_n * w[s.S_N + i], 2.0 * j_p * w[s.S_P + i]


@lanes
def split(w, tables, flat):
    """Solve for the second material's end current, and correct what `evaluate` found for the first
    one alone: voltage, overpotential, their slopes along with I_2, and heat.
    """
    find_exchange(w)
    read_block(w, tables, t.U_2, s.XS_2, s.POT_2, s.SLOPE_2, s.AREA_2)
    read_block(w, tables, t.HALF_2, s.XS_2, s.APART_2, s.APART_SLOPE_2, s.APART_AREA_2)
    if not flat[t.DUDT_2]:
        read_values(w, tables, t.DUDT_2, s.XS_2, 1.0, s.ENT_2)
    if not flat[t.SHAPE_J_2]:
        read_values(w, tables, t.SHAPE_J_2, s.XS_2, 1.0, s.F_J_2)
    for i in range(LANES):
        finer = 1.0 / t.EMPTY
        lacking, slope, _ = lookup(tables, t.U_N_EMPTY, w[s.XS + i] * finer)
        w[s.LACKING + i], w[s.LACKING_SLOPE + i] = lacking, slope * finer
        lacking, slope, _ = lookup(tables, t.U_2_EMPTY, w[s.XS_2 + i] * finer)
        w[s.POT_2 + i] += lacking
        w[s.SLOPE_2 + i] += slope * finer
        lacking, slope, _ = lookup(tables, t.HALF_2_EMPTY, w[s.XS_2 + i] * finer)
        w[s.APART_2 + i] += lacking
        w[s.APART_SLOPE_2 + i] += slope * finer
    for i in range(LANES):
        I, T = w[s.I_1 + i], w[s.T_1 + i]
        z = w[s.Z_1 + i]
        unit = 2.0 * (GAS / FARADAY) * T
        x, x_2 = w[s.XS + i], w[s.XS_2 + i]
        own, log_salt, change = w[s.OWN_N + i], w[s.LOG_N + i], w[s.CHANGE_N + i]
        order, order_2 = w[p.O_J_N + i], w[p.O_J_2 + i]
        factor = w[p.J_2 + i] * w[s.F_J_2 + i]
        own_2 = 2.0 * exchange_current(factor, x_2, order_2, log_salt, w[p.E_J_2 + i], z)
        own_2 *= w[s.S_2 + i]
        # branch of the hysteresis
        per_area = SHARPNESS / w[p.AREA + i]
        e = exp(min(max(2.0 * per_area * I, -STEEPEST), STEEPEST))
        branch = 1.0 - 2.0 / (1.0 + e)
        apart = w[s.APART_2 + i]
        swing = per_area * (1.0 - branch * branch) * apart
        away, ent, ent_2 = T - w[p.T_REF + i], w[s.ENT_N + i], w[s.ENT_2 + i]
        # what its table lacks of the first one's potential, counted with its overpotential
        lacking = w[s.LACKING + i]
        U = w[s.POT_N + i] + lacking + away * ent
        U_2 = w[s.POT_2 + i] + branch * apart + away * ent_2
        film = w[s.FILM_1 + i] * w[p.RHO_SEI + i] * w[s.PER_S_N + i]
        film_2 = w[s.FILM_2_1 + i] * w[p.RHO_SEI_2 + i] * w[s.PER_S_2 + i]
        between = U_2 - U + (film_2 - film) * I
        # uneven reactions
        w[s.OWN_2 + i] = own_2
        up, down, up_2, down_2 = w[s.UP_N + i], w[s.DOWN_N + i], w[s.UP_2 + i], w[s.DOWN_2 + i]
        own, own_2 = own * math.sqrt(up * down), own_2 * math.sqrt(up_2 * down_2)
        tilt, tilt_2 = 0.5 * unit * log(up / down), 0.5 * unit * log(up_2 / down_2)
        # currents: of both, and of each
        through = I + w[s.SIDE_1 + i] + w[s.I_2_GUESS + i]
        given = share_of_second(through, own, own_2, (between + tilt - tilt_2) / unit)
        I_2 = w[s.I_2_GUESS + i] if w[s.H + i] > 0.0 else given
        I_n = through - I_2
        eta, eta_2 = unit * asinh(I_n / own) - tilt, unit * asinh(I_2 / own_2) - tilt_2
        # how fast the potential of each rises with its own current, and with that of the cell
        inside, inside_2 = max(x * (1.0 - x), 1e-8), max(x_2 * (1.0 - x_2), 1e-8)
        dj0 = (0.5 - x) / inside * w[s.XS_I + i]
        dj0_2 = (0.5 - x_2) / inside_2 * w[s.XS_2_I + i]
        per_own = unit / math.sqrt(I_n * I_n + own * own)
        per_own_2 = unit / math.sqrt(I_2 * I_2 + own_2 * own_2)
        deta = per_own * (1.0 - I_n * dj0) + w[s.LACKING_SLOPE + i] * w[s.XS_I + i]
        salt = -per_own * I_n * order * change
        rise = w[s.SLOPE_N + i] * w[s.XS_I + i] + deta
        slope_2 = w[s.SLOPE_2 + i] + branch * w[s.APART_SLOPE_2 + i]
        rise_2 = slope_2 * w[s.XS_2_I + i] + per_own_2 * (1.0 - I_2 * dj0_2)
        salt_2 = swing - per_own_2 * I_2 * order_2 * change
        # eliminate I_2: both potentials are one
        missing = eta - eta_2 - between
        moved = missing / (rise + rise_2)
        with_cell = (rise + salt + film - salt_2 - film_2) / (rise + rise_2)
        w[s.APART + i], w[s.DI_2 + i] = abs(missing), with_cell
        w[s.ALONG + i] = per_own * per_own_2 / (per_own + per_own_2)
        before = w[s.ETA_N_1 + i] - away * ent
        up, down = w[s.UP_P + i], w[s.DOWN_P + i]
        own_p = w[s.OWN_P + i] * math.sqrt(up * down)
        phi_p = w[s.POT_P + i] + away * w[s.ENT_P + i]
        phi_p -= unit * (asinh(I / own_p) + 0.5 * log(up / down))
        more_p = phi_p - w[s.PHI_P_1 + i]
        w[s.PHI_P_1 + i] = phi_p
        w[s.HEAT_1 + i] += (
            I_n * (eta + T * ent)
            + I_2 * (eta_2 + T * ent_2 + branch * apart)
            - (I + w[s.SIDE_1 + i]) * (before + T * ent)
            + w[s.UNEVEN_HEAT + i]
            - I * more_p
        )
        w[s.V_1 + i] += before - eta - lacking + rise * moved + more_p
        w[s.DV_DI + i] += w[s.DETA_N + i] - (deta + salt) + rise * with_cell
        w[s.ETA_N_1 + i] = away * ent + lacking + eta - deta * moved
        w[s.DETA_N + i] = deta + salt - deta * with_cell
        w[s.I_2_1 + i] = I_2 + moved
        w[s.XS_2 + i] = w[s.XS_2_C + i] + w[s.XS_2_I + i] * (I_2 + moved)
        move_negative_surface(w, i, -w[s.XS_I + i] * (I_2 + moved - w[s.I_2_GUESS + i]))
        w[s.I_BEFORE + i] = I


@lanes
def follow(w):
    """Let the second material's current move along with that of the cell (`steer`), and with it
    the particles of the first.
    """
    for i in range(LANES):
        moved = w[s.DI_2 + i] * (w[s.I_1 + i] - w[s.I_BEFORE + i])
        w[s.I_2_1 + i] += moved
        w[s.XS_2 + i] += w[s.XS_2_I + i] * moved
        move_negative_surface(w, i, -w[s.XS_I + i] * moved)
        w[s.ETA_1 + i] = w[s.V_1 + i] - w[s.POT_P + i] + w[s.POT_N + i]
        mistaken = w[s.I_2_1 + i] - w[s.I_2_GUESS + i]
        w[s.X_C + i] += 0.5 * w[s.H + i] * w[s.Q_N + i] * mistaken
        for k in range(i, i + MODES * LANES, LANES):
            w[s.X_MODE_C + k] -= w[s.X_MODE_I + k] * mistaken


@lanes
def grow_second_film(w):
    """Side charge of the second material over the step, as `time_step.grow_film` has it: at the
    same potentials.
    """
    for i in range(LANES):
        h, film_0, film_1 = w[s.H + i], w[s.FILM_2 + i], w[s.FILM_2_1 + i]
        per_charge, j_0 = w[s.FILM_2_PER_CHARGE + i], w[s.J_2_0 + i]
        alpha, U, beta = w[p.ALPHA_SEI_2 + i], w[p.U_SEI_2 + i], w[p.BETA_SEI_2 + i]
        a, b, d = w[p.REACTION_SEI_2 + i], w[p.SLOWING_SEI_2 + i], w[p.TRANSPORT_SEI_2 + i]
        m = w[p.MIGRATION_SEI_2 + i]
        grown, early, late = (
            film_1 - film_0, h * per_charge * j_0, h * per_charge * w[s.J_2_GUESS + i],
        )  # fmt: skip
        film_a = film_0 + EARLY * EARLY * (3.0 - 2.0 * EARLY) * grown
        film_a += EARLY * LATE * (LATE * early - EARLY * late)
        film_b = film_0 + LATE * LATE * (3.0 - 2.0 * LATE) * grown
        film_b += EARLY * LATE * (EARLY * early - LATE * late)
        # drop over the first film, which phi has, and over the second, where the law is behind it
        first = w[p.RHO_SEI + i] * w[s.PER_S_N + i]
        own = w[p.DROP_SEI_2 + i] * w[p.RHO_SEI_2 + i] * w[s.PER_S_2 + i]
        I_a = LATE * w[s.I_0 + i] + EARLY * w[s.I_1 + i]
        I_b = EARLY * w[s.I_0 + i] + LATE * w[s.I_1 + i]
        first_a = LATE * w[s.FILM + i] + EARLY * w[s.FILM_1 + i]
        first_b = EARLY * w[s.FILM + i] + LATE * w[s.FILM_1 + i]
        eta_0, eta_1 = w[s.ETA_N_0 + i] - w[s.EVEN_0 + i], w[s.ETA_N_1 + i] - w[s.EVEN_1 + i]
        phi_1 = w[s.POT_N + i] + eta_1 + w[s.I_1 + i] * (first * w[s.FILM_1 + i] - own * film_1)
        phi_a = w[s.POT_A + i] + LATE * eta_0 + EARLY * eta_1
        phi_a += I_a * (first * first_a - own * film_a)
        phi_b = w[s.POT_B + i] + EARLY * eta_0 + LATE * eta_1
        phi_b += I_b * (first * first_b - own * film_b)
        at_a, at_b, at_1 = inverse_thermal_voltages(w, i)
        A, E = w[p.A_SEI_2 + i], w[p.E_SEI_2 + i]
        A_1 = A * arrhenius(E, w[s.Z_1 + i])
        A_mid = A * arrhenius(E, w[s.Z_MID + i])
        A_a, A_b = A_mid - (LATE - EARLY) * (A_1 - A_mid), A_mid + (LATE - EARLY) * (A_1 - A_mid)
        j_1, fall_1 = sei.growth(phi_1, film_1, at_1, A_1, alpha, U, beta, a, b, d, m)
        j_a, fall_a = sei.growth(phi_a, film_a, at_a, A_a, alpha, U, beta, a, b, d, m)
        j_b, fall_b = sei.growth(phi_b, film_b, at_b, A_b, alpha, U, beta, a, b, d, m)
        charge = h / 12.0 * (j_0 + 5.0 * (j_a + j_b) + j_1)
        fall_a *= 5.0 * EARLY * EARLY * (3.0 - 2.0 * EARLY)
        fall_b *= 5.0 * LATE * LATE * (3.0 - 2.0 * LATE)
        fall = h / 12.0 * (fall_a + fall_b + fall_1)
        moved = (film_0 + charge * per_charge - film_1) / (1.0 + fall * per_charge)
        curved = departure(h, j_0, j_a, j_b, j_1) / SIDE_CHARGE_CURVATURE
        unsettled = 0.5 * fall_1 * moved / (j_1 + 1e-300)
        unsettled *= fall * moved / SIDE_CHARGE_CHANGE
        w[s.SIDE_ERROR + i] += (curved + abs(unsettled)) * w[s.S_2 + i] * w[s.Q_N + i]
        # a side current that is not as predicted moves the overpotentials that it depends on, by
        # up to half as much back: those that agree, were they exponential
        j, j_2 = w[s.J_1 + i], max(j_1 - fall_1 * moved, 0.0)
        back = w[p.ALPHA_SEI + i] * w[s.S_N + i] * j + alpha * w[s.S_2 + i] * j_2
        agreed = 1.0 / (1.0 + w[s.ALONG + i] * at_1 * back)
        w[s.J_1 + i] = w[s.J_GUESS + i] + agreed * (j - w[s.J_GUESS + i])
        w[s.J_2_1 + i] = w[s.J_2_GUESS + i] + agreed * (j_2 - w[s.J_2_GUESS + i])
        w[s.SIDE_2_CHARGE + i] = max(charge - fall * moved, 0.0)
        # the first material was filled by the side current as predicted
        w[s.LOSS_1 + i] = w[s.S_2 + i] * w[s.J_2_1 + i] * w[s.PER_S_N + i]


@lanes
def depart(w):
    """Add to the error how far the second material's current departed from a straight line, and
    compare it with how far potentials were apart, which rises with the square of the step; show
    its surface in place of the first one's to who judges, if it is beyond what tables have.
    """
    for i in range(LANES):
        h, apart = w[s.H + i], w[s.APART + i] * (1.0 / SPLIT_WINDOW)
        bent = abs(w[s.I_2_1 + i] - w[s.I_2_0 + i] - w[s.I_2_SLOPE + i] * h)
        error = w[s.ERROR + i] + bent * (1.0 / SPLIT_DEPARTURE) * h * w[s.Q_N + i]
        w[s.ERROR + i] = max(error, apart * math.sqrt(apart))
        low, high, x = EMPTIEST, 1.0 - STOICHIOMETRY_EDGE, w[s.XS_2 + i]
        w[s.XS + i] = w[s.XS + i] if (x > low) & (x < high) else x


@lanes
def keep_second(w):
    """Move the second material's state on where a step is accepted; side charge that was not
    predicted comes out of its particles, and the way beyond is taken off the first one's.
    """
    for i in range(LANES):
        accepted, h = w[s.ACCEPTED + i], w[s.H + i]
        landed = (accepted > 0.0) & (w[s.FINISHED + i] > 0.0)
        beyond = w[s.BEYOND + i] if landed else 0.0
        I, j = w[s.I_2_1 + i], w[s.J_2_1 + i]
        charge = w[s.SIDE_2_CHARGE + i]
        unforeseen = charge - 0.5 * h * (w[s.J_2_0 + i] + w[s.J_2_GUESS + i])
        # the current is a parabola through its last slope; the state followed a straight line
        continued = (h > 0.0) & (w[s.OPENING + i] == 0.0)
        known = continued & (w[s.H_0 + i] > 0.0)
        bow = h * h / (6.0 * (h + w[s.H_0 + i])) if known else 0.0
        bow *= I - w[s.I_2_0 + i] - w[s.I_2_SLOPE + i] * h
        x = w[s.X_2_C + i] + w[s.X_2_I + i] * I
        x -= w[s.Q_2 + i] * (beyond * I - bow + w[s.S_2 + i] * unforeseen)
        w[s.X_2 + i] = choose(accepted, x, w[s.X_2 + i])
        moved = beyond * (I - w[s.S_2 + i] * j) - bow
        w[s.X_C + i] += choose(accepted, w[s.Q_N + i] * moved, 0.0)
        consumed = choose(accepted, charge + beyond * j, 0.0)
        w[s.FILM_2 + i] += consumed * w[s.FILM_2_PER_CHARGE + i]
        lost = consumed * w[s.S_2 + i] * w[s.PER_S_N + i]
        w[s.LOST + i] += lost
        w[s.LOST_2 + i] += lost
        for k in range(i, i + MODES * LANES, LANES):
            mode = w[s.X_2_MODE_C + k] + w[s.X_2_MODE_I + k] * I
            w[s.X_2_MODE + k] = choose(accepted, mode, w[s.X_2_MODE + k])
        per_second = 1.0 / h if continued else 0.0
        dI, dj = (I - w[s.I_2_0 + i]) * per_second, (j - w[s.J_2_0 + i]) * per_second
        w[s.I_2_SLOPE + i] = choose(accepted, dI, w[s.I_2_SLOPE + i])
        w[s.J_2_SLOPE + i] = choose(accepted, dj, w[s.J_2_SLOPE + i])
        w[s.I_2_0 + i] = choose(accepted, I, w[s.I_2_0 + i])
        w[s.J_2_0 + i] = choose(accepted, j, w[s.J_2_0 + i])
    keep_uneven(w)
