"""How long a time step may be, and what is done with it: errors, limits, verdict, bookkeeping.

Each lane has its own step length, chosen from how far voltage, current and side charge departed
from straight lines, and lands on its limit by a last step of exact length.
"""

import math

from kernels import parameters as p
from kernels import tables as t
from kernels import workspace as s
from kernels.compiled import lanes
from kernels.parameters import LANES
from kernels.particle import MODES
from kernels.protocol import CURRENT, NONE, VOLTAGE
from kernels.status import (
    ELECTROLYTE_DEPLETED,
    INVALID_INPUT,
    STEP_COUNT_LIMIT,
    STOICHIOMETRY_LIMIT,
    TEMPERATURE_LIMIT,
)
from kernels.tables import lookup
from kernels.thermal import temperature_step
from kernels.time_step import SALT_EDGE
from kernels.vector_math import exp, log

# What the departures from straight lines may add up to in one time step at tolerance 1: in energy
# for a current step, in charge for a hold; charges are shares of the negative electrode's
# capacity. The error of a trapezoid is a sixth of it. Voltages at the ends of a step do not depend
# on its length: quick transients that move hardly any charge need no small steps.
ENERGY_DEPARTURE = 4e-5  # V
CHARGE_DEPARTURE = 3e-5
LIMIT_WINDOW = 3e-5  # V within which a limit counts as reached
CUT_OFF_WINDOW = 2e-4  # share of the cut-off current, likewise
SHORTEST_STEP = 1e-6  # s
STUCK_STEP = 1e-3  # s, below which a step that would leave the model's range ends the case
ATTEMPT_LIMIT = 500  # per protocol step at tolerance 1
# within a thousandth of empty or full PyBaMM's potentials are asymptotes of its own making
STOICHIOMETRY_EDGE = 1e-3
TEMPERATURE_LOW, TEMPERATURE_HIGH = 233.0, 373.0  # K, range of the tables


@lanes
def share_to_limit(w, tables, i):
    """Share of a step at which its voltage meets the limit: potentials from the tables, all else
    linear in time.
    """
    low, high = 0.0, 1.0
    below = w[s.V_0 + i] - w[s.LIMIT + i]
    above = w[s.V_1 + i] - w[s.LIMIT + i]
    share = 1.0
    for _ in range(8):  # regula falsi, Illinois variant
        share = (low * above - high * below) / (above - below)
        U_n, _, _ = lookup(tables, t.U_N, w[s.XS_0 + i] + share * (w[s.XS + i] - w[s.XS_0 + i]))
        U_p, _, _ = lookup(tables, t.U_P, w[s.YS_0 + i] + share * (w[s.YS + i] - w[s.YS_0 + i]))
        away = (
            U_p - U_n + w[s.ETA_0 + i] + share * (w[s.ETA_1 + i] - w[s.ETA_0 + i]) - w[s.LIMIT + i]
        )
        if abs(away) < 0.5 * LIMIT_WINDOW:
            break
        if away * above > 0.0:
            high, above, below = share, away, 0.5 * below
        else:
            low, below, above = share, away, 0.5 * above
    return share


@lanes
def compare_with_limit(w, kind, tables):
    """How far the step departed from straight lines (ERROR, relative), and where in it the step's
    limit lies (TO_LIMIT).
    """
    for i in range(LANES):
        h = w[s.H + i]
        eta = (
            w[s.V_1 + i] - w[s.POT_P + i] + w[s.POT_N + i]
        )  # all of the voltage that is not the tabulated potentials
        dxs, dys = w[s.XS + i] - w[s.XS_0 + i], w[s.YS + i] - w[s.YS_0 + i]
        w[s.ETA_1 + i] = eta
        departure = (
            abs(eta - w[s.ETA_0 + i] - w[s.ETA_SLOPE + i] * h)
            + abs(w[s.SLOPE_N + i] * (dxs - w[s.XS_SLOPE + i] * h))
            + abs(w[s.SLOPE_P + i] * (dys - w[s.YS_SLOPE + i] * h))
        )
        # the surface was filled by the side current as predicted
        mistaken = 0.5 * h * abs(w[s.J_1 + i] - w[s.J_GUESS + i]) * w[s.S_N + i] * w[s.Q_N + i]
        mistaken *= abs(w[s.SLOPE_N + i])
        departure += mistaken
        w[s.MISTAKEN + i] = mistaken
        w[s.ERROR + i] = departure * h * abs(w[s.I_1 + i]) * w[s.Q_N + i] / ENERGY_DEPARTURE
        w[s.OVER + i] = 0.0
        w[s.HIT + i] = 0.0
        w[s.TO_LIMIT + i] = h
    if kind == CURRENT:
        for i in range(LANES):
            h = w[s.H + i]
            sign = -math.copysign(
                1.0, w[s.I_1 + i]
            )  # +1 while charging: the voltage climbs towards its limit
            gap = sign * (w[s.LIMIT + i] - w[s.V_0 + i])
            rise = sign * (w[s.V_1 + i] - w[s.V_0 + i])
            limited = w[s.LIMIT + i] < NONE
            w[s.OVER + i] = 1.0 if (rise - gap > LIMIT_WINDOW) & limited else 0.0
            w[s.HIT + i] = 1.0 if (abs(rise - gap) <= LIMIT_WINDOW) & limited else 0.0
        for i in range(LANES):
            if w[s.OVER + i] * w[s.ACTIVE + i] > 0.0:
                w[s.TO_LIMIT + i] = w[s.H + i] * share_to_limit(w, tables, i)
    elif kind == VOLTAGE:
        for i in range(LANES):
            h = w[s.H + i]
            I_a, I_b, u = (
                max(abs(w[s.I_0 + i]), 1e-30),
                max(abs(w[s.I_1 + i]), 1e-30),
                max(w[s.LIMIT + i], 1e-30),
            )
            limited = w[s.LIMIT + i] < NONE
            departure = abs(w[s.I_1 + i] - w[s.I_0 + i] - w[s.I_SLOPE + i] * h)
            departure += abs(w[s.MISTAKEN + i] / w[s.DV_DI + i])
            w[s.ERROR + i] = departure * h * w[s.Q_N + i] / CHARGE_DEPARTURE
            w[s.OVER + i] = 1.0 if (I_b < u * (1.0 - CUT_OFF_WINDOW)) & limited else 0.0
            w[s.HIT + i] = 1.0 if (I_b <= u * (1.0 + CUT_OFF_WINDOW)) & limited else 0.0
            w[s.TO_LIMIT + i] = (
                h * log(I_a / u) / log(I_a / I_b)
            )  # the current decays about exponentially


@lanes
def judge(w, tolerance, growth):
    """Accept or refuse the step of each lane, choose its next length, and end lanes that cannot go
    on.
    """
    for i in range(LANES):
        h, left, active = w[s.H + i], w[s.LEFT + i], w[s.ACTIVE + i] > 0.0
        error = max(w[s.ERROR + i], w[s.SIDE_ERROR + i]) / tolerance
        g = w[s.G_C + i] + w[s.G_I + i] * w[s.I_1 + i]
        salt_p = w[p.C_E + i] + g * (w[s.U_SALT_P + i] - w[s.DROP_P + i] * (1.0 / 3.0))
        salt_n = w[p.C_E + i] + g * (w[s.U_SALT_N + i] + w[s.DROP_N + i] * (1.0 / 3.0))
        low, high = STOICHIOMETRY_EDGE, 1.0 - STOICHIOMETRY_EDGE
        x = w[s.X_C + i] + w[s.X_I + i] * w[s.I_1 + i]
        y = w[s.Y_C + i] + w[s.Y_I + i] * w[s.I_1 + i]
        inside = (w[s.XS + i] > low) & (w[s.XS + i] < high) & (x > low) & (x < high)
        inside = inside & (w[s.YS + i] > low) & (w[s.YS + i] < high) & (y > low) & (y < high)
        salted = (salt_n > SALT_EDGE) & (salt_p > SALT_EDGE)
        warm = (w[s.T_1 + i] > TEMPERATURE_LOW) & (w[s.T_1 + i] < TEMPERATURE_HIGH)
        valid = inside & salted & warm & (abs(w[s.V_1 + i]) < NONE)
        short = h <= SHORTEST_STEP  # a limit this close has been reached
        over = (w[s.OVER + i] > 0.0) & (not short)
        hit = (w[s.HIT + i] > 0.0) | (w[s.OVER + i] > 0.0) | (h >= left)
        accepted = active & valid & (not over) & ((error <= 1.0) | short)
        stuck = active & (not valid) & (h < STUCK_STEP)
        attempts = w[s.ATTEMPTS + i] + 1.0
        endless = active & (not stuck) & (attempts >= ATTEMPT_LIMIT / math.sqrt(tolerance))
        w[s.ATTEMPTS + i] = attempts
        code = INVALID_INPUT if warm else TEMPERATURE_LIMIT
        code = code if salted else ELECTROLYTE_DEPLETED
        code = code if inside else STOICHIOMETRY_LIMIT
        status = STEP_COUNT_LIMIT if endless else w[s.STATUS + i]
        w[s.STATUS + i] = code if stuck else status
        w[s.ACCEPTED + i] = 1.0 if accepted else 0.0
        go_on = active & (not (accepted & hit)) & (not stuck) & (not endless)
        w[s.ACTIVE + i] = 1.0 if go_on else 0.0
        # what is left of the step, and of the bracket that the limit is known to lie in
        left = left - h if accepted & (left < NONE) else left
        ahead = w[s.BRACKET + i] - h
        ahead = ahead if (ahead > SHORTEST_STEP) & (ahead < 0.5 * NONE) else NONE
        bracket = ahead if accepted else (h if over & valid else w[s.BRACKET + i])
        w[s.LEFT + i], w[s.BRACKET + i] = left, bracket
        scale = 0.9 * exp(log(max(error, 1e-6)) * (-1.0 / 3.0))  # both errors rise with h^3
        longer = min(min(h * min(max(scale, 0.3), growth), bracket), left)
        shorter = h * min(max(scale, 0.2), 0.8)
        to_limit = min(max(w[s.TO_LIMIT + i], 0.02 * h), 0.995 * h)
        to_limit = min(to_limit, shorter) if error > 1.0 else to_limit
        retry = to_limit if over else shorter
        retry = max(retry if valid else 0.3 * h, SHORTEST_STEP)
        w[s.H_NEXT + i] = (longer if accepted else retry) if go_on else 0.0


@lanes
def advance(w, kind):
    """Add the sums of accepted steps up and move their state. Returns whether any lane still
    marches.
    """
    for i in range(LANES):
        accepted = w[s.ACCEPTED + i] > 0.0
        h = w[s.H + i] if accepted else 0.0
        I_a, I_b, V_a, V_b = w[s.I_0 + i], w[s.I_1 + i], w[s.V_0 + i], w[s.V_1 + i]
        dxs, dys = w[s.XS + i] - w[s.XS_0 + i], w[s.YS + i] - w[s.YS_0 + i]
        # the mean of each potential over the step is exact, the rest of the voltage is nearly
        # linear
        mean_n = (w[s.AREA_N + i] - w[s.AREA_N_0 + i]) / dxs if abs(dxs) > 1e-6 else w[s.POT_N + i]
        mean_p = (w[s.AREA_P + i] - w[s.AREA_P_0 + i]) / dys if abs(dys) > 1e-6 else w[s.POT_P + i]
        mean = mean_p - mean_n + 0.5 * (w[s.ETA_0 + i] + w[s.ETA_1 + i])
        mean = mean if kind == CURRENT else 0.5 * (V_a + V_b)
        charge = 0.5 * h * (I_a + I_b)
        w[s.CHARGE_IN + i] += max(-charge, 0.0)
        w[s.CHARGE_OUT + i] += max(charge, 0.0)
        w[s.ENERGY_IN + i] += max(-charge, 0.0) * mean
        w[s.ENERGY_OUT + i] += max(charge, 0.0) * mean
        w[s.TIME_IN + i] += h if charge < 0.0 else 0.0
        w[s.TIME_OUT + i] += h if charge > 0.0 else 0.0
        w[s.SQUARED_CURRENT + i] += h / 3.0 * (I_a * I_a + I_a * I_b + I_b * I_b)
        w[s.TIME + i] += h
        # side charge, corrected: what leaves the particles is what the film gains
        consumed = w[s.SIDE_CHARGE + i] if accepted else 0.0
        guessed = 0.5 * h * (w[s.J_0 + i] + w[s.J_GUESS + i])
        x = w[s.X_C + i] + w[s.X_I + i] * I_b - w[s.Q_N + i] * w[s.S_N + i] * (consumed - guessed)
        w[s.X + i] = x if accepted else w[s.X + i]
        w[s.Y + i] = w[s.Y_C + i] + w[s.Y_I + i] * I_b if accepted else w[s.Y + i]
        w[s.FILM + i] += consumed * w[s.FILM_PER_CHARGE + i]
        heat = 0.5 * (w[s.HEAT_0 + i] + w[s.HEAT_1 + i])
        T_ = temperature_step(
            w[s.T + i], heat, h, w[p.HEAT_CAPACITY + i], w[p.COOLING + i], w[p.T_AMB + i]
        )
        w[s.T + i] = T_
        w[s.T_MAX + i] = max(w[s.T_MAX + i], T_)
        w[s.PHI_MIN + i] = min(w[s.PHI_MIN + i], w[s.PHI_1 + i]) if accepted else w[s.PHI_MIN + i]
    for k in range(0, MODES * LANES, LANES):
        for i in range(LANES):
            accepted = w[s.ACCEPTED + i] > 0.0
            x = w[s.X_MODE_C + k + i] + w[s.X_MODE_I + k + i] * w[s.I_1 + i]
            y = w[s.Y_MODE_C + k + i] + w[s.Y_MODE_I + k + i] * w[s.I_1 + i]
            w[s.X_MODE + k + i] = x if accepted else w[s.X_MODE + k + i]
            w[s.Y_MODE + k + i] = y if accepted else w[s.Y_MODE + k + i]
    for i in range(LANES):
        accepted = w[s.ACCEPTED + i] > 0.0
        g = w[s.G_C + i] + w[s.G_I + i] * w[s.I_1 + i]
        c, u_n, u_s, u_p = w[p.C_E + i], w[s.U_SALT_N + i], w[s.U_SALT_S + i], w[s.U_SALT_P + i]
        mean = w[s.SHARE_N + i] * u_n + w[s.SHARE_S + i] * u_s + w[s.SHARE_P + i] * u_p
        w[s.G + i] = g if accepted else w[s.G + i]
        # the concentrations at which properties are read follow as the profile does, and by half
        # at most: where a diffusivity rises steeply with salt the whole way would swing for ever
        mix = w[s.SALT_MIX + i] if accepted else 0.0
        w[s.C_N + i] += mix * (c + g * u_n - w[s.C_N + i])
        w[s.C_S + i] += mix * (c + g * u_s - w[s.C_S + i])
        w[s.C_P + i] += mix * (c + g * u_p - w[s.C_P + i])
        w[s.C_AV + i] += mix * (c + g * mean - w[s.C_AV + i])
    for i in range(LANES):
        accepted = w[s.ACCEPTED + i] > 0.0
        per_second = 1.0 / w[s.H + i] if w[s.H + i] > 0.0 else 0.0
        w[s.V_SLOPE + i] = (
            (w[s.V_1 + i] - w[s.V_0 + i]) * per_second if accepted else w[s.V_SLOPE + i]
        )
        w[s.ETA_SLOPE + i] = (
            (w[s.ETA_1 + i] - w[s.ETA_0 + i]) * per_second if accepted else w[s.ETA_SLOPE + i]
        )
        w[s.I_SLOPE + i] = (
            (w[s.I_1 + i] - w[s.I_0 + i]) * per_second if accepted else w[s.I_SLOPE + i]
        )
        w[s.J_SLOPE + i] = (
            (w[s.J_1 + i] - w[s.J_0 + i]) * per_second if accepted else w[s.J_SLOPE + i]
        )
        w[s.XS_SLOPE + i] = (
            (w[s.XS + i] - w[s.XS_0 + i]) * per_second if accepted else w[s.XS_SLOPE + i]
        )
        w[s.YS_SLOPE + i] = (
            (w[s.YS + i] - w[s.YS_0 + i]) * per_second if accepted else w[s.YS_SLOPE + i]
        )
        w[s.V_0 + i] = w[s.V_1 + i] if accepted else w[s.V_0 + i]
        w[s.ETA_0 + i] = w[s.ETA_1 + i] if accepted else w[s.ETA_0 + i]
        w[s.I_0 + i] = w[s.I_1 + i] if accepted else w[s.I_0 + i]
        w[s.J_0 + i] = w[s.J_1 + i] if accepted else w[s.J_0 + i]
        w[s.HEAT_0 + i] = w[s.HEAT_1 + i] if accepted else w[s.HEAT_0 + i]
        w[s.XS_0 + i] = w[s.XS + i] if accepted else w[s.XS_0 + i]
        w[s.YS_0 + i] = w[s.YS + i] if accepted else w[s.YS_0 + i]
        w[s.AREA_N_0 + i] = w[s.AREA_N + i] if accepted else w[s.AREA_N_0 + i]
        w[s.AREA_P_0 + i] = w[s.AREA_P + i] if accepted else w[s.AREA_P_0 + i]
        w[s.PHI_0 + i] = w[s.PHI_1 + i] if accepted else w[s.PHI_0 + i]
        w[s.POT_N_0 + i] = w[s.POT_N + i] if accepted else w[s.POT_N_0 + i]
        w[s.J_N_0 + i] = w[s.J_N_1 + i] if accepted else w[s.J_N_0 + i]
    for i in range(LANES):
        w[s.H + i] = w[s.H_NEXT + i]
        w[s.I_1 + i] = w[s.I_0 + i]
    if kind == VOLTAGE:  # outside the loop, where the last lane would be rounded differently
        for i in range(LANES):
            w[s.I_1 + i] += w[s.I_SLOPE + i] * w[s.H + i]
    # a loop of its own: a sum must keep its order, which would stop the vectorisation of the others
    marching = False
    for i in range(LANES):
        marching = marching | (w[s.ACTIVE + i] > 0.0)
    return marching
