"""How long a time step may be, and what is done with it: errors, limits, verdict, bookkeeping.

Each lane has its own step length, chosen from how far voltage, current and side charge departed
from straight lines. It lands within LANDING of a limit by steps of predicted length; the rest of
the way, forth or back, is linear.
"""

import math

from kernels import parameters as p
from kernels import tables as t
from kernels import workspace as s
from kernels.compiled import lanes, law
from kernels.electrolyte import CELLS
from kernels.kinetics import FARADAY, GAS
from kernels.parameters import LANES
from kernels.particle import MODES
from kernels.protocol import CURRENT, NONE, POWER, VOLTAGE
from kernels.status import (
    ELECTROLYTE_DEPLETED,
    INFEASIBLE_STEP,
    INVALID_INPUT,
    STEP_COUNT_LIMIT,
    STOICHIOMETRY_LIMIT,
    TEMPERATURE_LIMIT,
)
from kernels.tables import lookup
from kernels.thermal import temperature_step
from kernels.time_step import SALT_EDGE
from kernels.vector_math import choose, exp, log

# What the departures from straight lines may add up to in one time step at tolerance 1: in energy
# for a current step, in charge for the others; charges are shares of the negative electrode's
# capacity. The mean voltage follows them to second order, so that what is left is a small part.
# Voltages at the ends of a step do not depend on its length: quick transients that move hardly any
# charge need no small steps.
ENERGY_DEPARTURE = 2e-4  # V
CHARGE_DEPARTURE = 7e-5
SIDE_CHARGE_DEPARTURE = 3e-4
HOLD_WINDOW = 2.5e-3  # V, before the last Newton iteration, which leaves a small part of it
NEWTON_REACH = 0.05  # V, from which on another iteration may do what a shorter step would
LANDING = 2e-4  # V, from which on the way to a limit is linear
LANDING_WIDE, WAY_SHARE = 10.0, 0.01  # times that, too, where the way is such a share of the step
LANDING_SHARE = 3e-3  # likewise, share of a limiting current or charge
ACCEPTABLE = 2.0  # error of a step that is kept; the next one aims at 1
NEARNESS = 2.0  # a limit within so many steps, at the present slope, is looked for on the tables
FIRST_STEP = 10.0  # s
TINY = 1e-30  # A, C: no current, no charge
TREND = 8.0  # most by which errors are expected to go on rising or falling, beyond those with h^3
SHORTEST_STEP = 1e-6  # s
STUCK_STEP = 1e-3  # s, below which a step that would leave the model's range ends the case
ATTEMPT_LIMIT = 500  # per protocol step at tolerance 1
# within a thousandth of empty or full PyBaMM's potentials are asymptotes of its own making
STOICHIOMETRY_EDGE = 1e-3
HALVINGS = 8  # of the interval in which the charge left is; within it the voltage is linear
TEMPERATURE_LOW, TEMPERATURE_HIGH = 233.0, 373.0  # K, range of the tables


@lanes
def share_to_limit(w, tables, i, voltage, x, dx, y, dy, eta, deta):
    """Share of a step at which its voltage, now `voltage`, meets the limit, or 1: potentials from
    the tables, all else linear in time.
    """
    limit = w[s.VOLTAGE_LIMIT + i]
    low, below, high = 0.0, voltage - limit, 1.0
    U_n, _, _ = lookup(tables, t.U_N, x + dx)
    U_p, _, _ = lookup(tables, t.U_P, y + dy)
    above = U_p - U_n + eta + deta - limit
    share = 1.0
    if below * above >= 0.0:
        return share
    for _ in range(8):  # regula falsi, Illinois variant
        share = (low * above - high * below) / (above - below)
        U_n, _, _ = lookup(tables, t.U_N, x + share * dx)
        U_p, _, _ = lookup(tables, t.U_P, y + share * dy)
        away = U_p - U_n + eta + share * deta - limit
        if abs(away) < 0.1 * LANDING:
            break
        if away * above > 0.0:
            high, above, below = share, away, 0.5 * below
        else:
            low, below, above = share, away, 0.5 * above
    return share


@law
def open_circuit_voltage(tables, x, y):
    """Difference of both potentials [V] at the reference temperature."""
    U_n, _, _ = lookup(tables, t.U_N, x)
    U_p, _, _ = lookup(tables, t.U_P, y)
    return U_p - U_n


@lanes
def charge_left(w, i, tables):
    """Charge [C] that a discharge without end would still take down to the last cut-off."""
    x, y, cut_off = w[s.X + i], w[s.Y + i], w[s.CUT_OFF + i]
    per_x, per_y = -w[s.Q_N + i], w[s.Q_P + i]
    low, before = 0.0, open_circuit_voltage(tables, x, y)
    high = min((x - STOICHIOMETRY_EDGE) / -per_x, (1.0 - STOICHIOMETRY_EDGE - y) / per_y)
    after = open_circuit_voltage(tables, x + per_x * high, y + per_y * high)
    if cut_off >= before:
        return 0.0
    if after >= cut_off:
        return max(high, 0.0)
    for _ in range(HALVINGS):
        charge = 0.5 * (low + high)
        voltage = open_circuit_voltage(tables, x + per_x * charge, y + per_y * charge)
        if voltage > cut_off:
            low, before = charge, voltage
        else:
            high, after = charge, voltage
    return low + (high - low) * (before - cut_off) / (before - after)


@lanes
def compare_with_limits(w, landing):
    """How far the step departed from straight lines (DEPARTURE in volts, ERROR relative), whether
    it passes a limit (OVER) or lands on one (HIT, and the rest of the way BEYOND).
    """
    for i in range(LANES):
        h, kind = w[s.H + i], w[s.KIND + i]
        # of the terminals: what leaks inside the cell does not count
        I_a, I_b = w[s.I_0 + i] - w[s.LEAK_0 + i], w[s.I_1 + i] - w[s.LEAK_1 + i]
        dxs, dys = w[s.XS + i] - w[s.XS_0 + i], w[s.YS + i] - w[s.YS_0 + i]
        bent_eta = w[s.ETA_1 + i] - w[s.ETA_0 + i] - w[s.ETA_SLOPE + i] * h
        bent_n = w[s.SLOPE_N + i] * (dxs - w[s.XS_SLOPE + i] * h)
        bent_p = w[s.SLOPE_P + i] * (dys - w[s.YS_SLOPE + i] * h)
        bent = bent_eta + bent_p - bent_n
        w[s.DEPARTURE + i] = bent
        # surfaces were filled by the side current as predicted and by a leak on a straight line
        mistaken = abs(w[s.J_1 + i] - w[s.J_GUESS + i] + w[s.LOSS_1 + i] - w[s.LOSS_GUESS + i])
        mistaken *= 0.5 * h * w[s.S_N + i] * w[s.Q_N + i]
        mistaken *= abs(w[s.SLOPE_N + i])
        mistaken += abs(w[s.LEAK_BOW + i] * w[s.Q_P + i] * w[s.SLOPE_P + i])
        energy = (abs(bent_eta) + abs(bent_n) + abs(bent_p) + mistaken) * abs(I_b)
        inside = abs(w[s.I_1 + i] - w[s.I_0 + i] - w[s.I_SLOPE + i] * h)
        charge = inside + (0.0 if kind == CURRENT else abs(mistaken / w[s.DV_DI + i]))
        share = energy * (1.0 / ENERGY_DEPARTURE) if kind == CURRENT else 0.0
        share += charge * (1.0 / CHARGE_DEPARTURE)
        # the side reaction was integrated along a bent path, too, from where it was predicted to
        # take the surface; at rest nothing else counts
        steepness = w[p.ALPHA_SEI + i] * (FARADAY / GAS) / w[s.T_1 + i]
        side = 0.5 * (w[s.J_0 + i] + w[s.J_1 + i]) * w[s.S_N + i] * steepness
        side *= abs(bent_n) + mistaken
        share += side * (1.0 / SIDE_CHARGE_DEPARTURE)
        w[s.ERROR + i] = share * h * w[s.Q_N + i]

        # voltage: +1 while charging, when it climbs towards its limit
        per_second = 1.0 / max(h, SHORTEST_STEP)
        sign = -math.copysign(1.0, I_b)
        limited = (w[s.VOLTAGE_LIMIT + i] < NONE) & (kind != VOLTAGE)
        excess = sign * (w[s.V_1 + i] - w[s.VOLTAGE_LIMIT + i]) if limited else -NONE
        # how fast it goes there now: the tables' slopes are of this moment, all else bends slowly
        rate = w[s.SLOPE_P + i] * dys - w[s.SLOPE_N + i] * dxs + w[s.ETA_1 + i] - w[s.ETA_0 + i]
        rate *= sign * per_second
        way = -excess / rate if rate > 0.0 else NONE
        w[s.AHEAD + i] = way if (excess < 0.0) & (h > 0.0) else NONE
        near = (abs(excess) <= LANDING_WIDE * landing) & (abs(way) <= WAY_SHARE * h)
        hit_voltage = near | (abs(excess) <= landing)
        over_voltage = (excess > landing) & (not hit_voltage)
        to_voltage = way if hit_voltage & (rate > 0.0) else 0.0
        # current
        I_limit, size_a, size_b = w[s.CURRENT_LIMIT + i], abs(I_a), abs(I_b)
        limited = (I_limit < NONE) & (kind != CURRENT)
        over_current = limited & (size_b < I_limit * (1.0 - LANDING_SHARE))
        hit_current = limited & (abs(size_b - I_limit) <= I_limit * LANDING_SHARE)
        decay = (size_a - size_b) * per_second
        to_current = (size_b - I_limit) / decay if hit_current & (decay > 0.0) else 0.0
        # charge
        charge = w[s.PASSED + i] + 0.5 * h * abs(I_a + I_b)
        Q_limit = w[s.CHARGE_LIMIT + i]
        over_charge = charge > Q_limit * (1.0 + LANDING_SHARE)
        hit_charge = abs(charge - Q_limit) <= Q_limit * LANDING_SHARE
        to_charge = (Q_limit - charge) / max(size_b, TINY) if hit_charge else 0.0
        w[s.OVER + i] = 1.0 if over_voltage | over_current | over_charge else 0.0
        w[s.HIT + i] = 1.0 if hit_voltage | hit_current | hit_charge else 0.0
        beyond = to_voltage if hit_voltage else (to_current if hit_current else to_charge)
        w[s.BEYOND + i] = max(beyond, -h)
        w[s.V_1 + i] = w[s.VOLTAGE_LIMIT + i] if near & (not over_charge) else w[s.V_1 + i]
        w[s.OVER_VOLTAGE + i] = 1.0 if over_voltage & (h > 0.0) else 0.0
        w[s.OVER_CURRENT + i] = 1.0 if over_current else 0.0
        w[s.OVER_CHARGE + i] = 1.0 if over_charge else 0.0


@lanes
def turn_back(w, tables):
    """How long the step should have been, TO_LIMIT, where it has passed a limit."""
    for i in range(LANES):
        h = w[s.H + i]
        w[s.TO_LIMIT + i] = h
        if w[s.OVER + i] * w[s.ACTIVE + i] == 0.0:
            continue
        share = 1.0
        if w[s.OVER_VOLTAGE + i] > 0.0:
            x, y, eta = w[s.XS_0 + i], w[s.YS_0 + i], w[s.ETA_0 + i]
            dx, dy, deta = w[s.XS + i] - x, w[s.YS + i] - y, w[s.ETA_1 + i] - eta
            share = share_to_limit(w, tables, i, w[s.V_0 + i], x, dx, y, dy, eta, deta)
        size_a, size_b = abs(w[s.I_0 + i] - w[s.LEAK_0 + i]), abs(w[s.I_1 + i] - w[s.LEAK_1 + i])
        if w[s.OVER_CURRENT + i] > 0.0:  # it decays about exponentially
            size_a, size_b, limit = size_a + TINY, size_b + TINY, w[s.CURRENT_LIMIT + i] + TINY
            if size_a != size_b:
                share = min(share, log(size_a / limit) / log(size_a / size_b))
        if w[s.OVER_CHARGE + i] > 0.0:
            charge = 0.5 * h * abs(w[s.I_0 + i] - w[s.LEAK_0 + i] + w[s.I_1 + i] - w[s.LEAK_1 + i])
            share = min(share, (w[s.CHARGE_LIMIT + i] - w[s.PASSED + i]) / max(charge, TINY))
        w[s.TO_LIMIT + i] = h * share


@lanes
def judge(w, tolerance, growth):
    """Accept or refuse the step of each lane, choose its next length, and end lanes that cannot go
    on. A protocol step opens with a short one, whose beginning counts as its end.
    """
    per_tolerance = 1.0 / tolerance
    for i in range(LANES):
        h, left, active = w[s.H + i], w[s.LEFT + i], w[s.ACTIVE + i] > 0.0
        opening = w[s.OPENING + i] > 0.0
        error = 0.0 if opening else max(w[s.ERROR + i], w[s.SIDE_ERROR + i]) * per_tolerance
        I = w[s.I_1 + i]
        last = s.SALT_C + (CELLS - 1) * LANES
        salt_n = w[s.SALT_C + i] + w[s.SALT_I + i] * I
        salt_p = w[last + i] + w[last + s.SALT_I - s.SALT_C + i] * I
        x, xs = w[s.X_C + i] + w[s.X_I + i] * I, w[s.XS + i]
        y, ys = w[s.Y_C + i] + w[s.Y_I + i] * I, w[s.YS + i]
        emptiest, fullest = min(min(x, xs), min(y, ys)), max(max(x, xs), max(y, ys))
        inside = min(emptiest, 1.0 - fullest) > STOICHIOMETRY_EDGE
        salted = min(salt_n, salt_p) > SALT_EDGE
        warm = (w[s.T_1 + i] > TEMPERATURE_LOW) & (w[s.T_1 + i] < TEMPERATURE_HIGH)
        finite = abs(w[s.V_1 + i]) + abs(I) < NONE
        settled = w[s.AWAY + i] <= HOLD_WINDOW
        valid = inside & salted & warm & finite
        short = h <= SHORTEST_STEP  # a limit this close has been reached
        over = (w[s.OVER + i] > 0.0) & ((not short) | opening & (h > 0.0))
        hit = (w[s.HIT + i] > 0.0) | (w[s.OVER + i] > 0.0) | (h >= left)
        accepted = active & valid & settled & (not over) & ((error <= ACCEPTABLE) | short)
        infeasible = active & accepted & opening & (h == 0.0) & (w[s.OVER + i] > 0.0)
        infeasible = infeasible & (w[s.KIND + i] != VOLTAGE) & (w[s.SKIPPABLE + i] == 0.0)
        stuck = active & (not valid) & (h < STUCK_STEP) & ((h > 0.0) | settled)
        attempts = w[s.ATTEMPTS + i] + 1.0
        endless = active & (not stuck) & (attempts >= ATTEMPT_LIMIT / math.sqrt(tolerance))
        w[s.ATTEMPTS + i] = attempts
        code = INVALID_INPUT if warm else TEMPERATURE_LIMIT
        code = code if salted else ELECTROLYTE_DEPLETED
        code = code if inside else STOICHIOMETRY_LIMIT
        status = STEP_COUNT_LIMIT if endless else w[s.STATUS + i]
        status = INFEASIBLE_STEP if infeasible else status
        status = code if stuck else status
        w[s.STATUS + i] = status
        ended = (accepted & hit) | stuck | endless | infeasible
        w[s.ACCEPTED + i] = 1.0 if accepted else 0.0
        w[s.FINISHED + i] = 1.0 if active & ended else 0.0
        # what is left of the step, and of the bracket that the limit is known to lie in
        left = left - h if accepted & (left < NONE) else left
        ahead = w[s.BRACKET + i] - h
        ahead = ahead if (ahead > SHORTEST_STEP) & (ahead < 0.5 * NONE) else NONE
        bracket = ahead if accepted else (h if over & valid & settled else w[s.BRACKET + i])
        w[s.LEFT + i], w[s.BRACKET + i] = left, bracket
        most = growth * growth if I == 0.0 else growth
        # both errors rise with h^3; that of straight lines also goes on as it has been changing
        bent, bent_0, h_0 = w[s.ERROR + i], w[s.ERROR_0 + i], w[s.H_0 + i]
        usual = bent_0 * (h * h * h)
        trend = bent * (h_0 * h_0 * h_0) / usual if usual > 0.0 else 1.0
        trend = min(max(trend, 1.0 / TREND), TREND)
        expected = max(bent * trend, w[s.SIDE_ERROR + i]) * per_tolerance
        expected = (0.0 if opening else expected) if accepted else error
        w[s.ERROR_0 + i] = (0.0 if opening else bent) if accepted else bent_0
        scale = 0.9 * exp(log(max(expected, 1e-6)) * (-1.0 / 3.0))
        longer = min(h * min(max(scale, 0.3), most), bracket)
        longer = min(max(longer, FIRST_STEP) if opening else longer, left)
        shorter = h * min(max(scale, 0.2), 0.8)
        to_limit = min(max(w[s.TO_LIMIT + i], 0.02 * h), 0.995 * h)
        to_limit = min(to_limit, shorter) if error > ACCEPTABLE else to_limit
        retry = to_limit if over else shorter
        retry = retry if valid | over else 0.3 * h
        again = h if w[s.AWAY + i] < NEWTON_REACH else 0.7 * h
        retry = max(retry if settled | (not finite) else again, SHORTEST_STEP)
        # at the very first moment it must be possible; Newton's method may need several attempts
        retry = (0.0 if settled else h) if opening else retry
        w[s.H_NEXT + i] = longer if accepted else retry
        near = accepted & (not opening) & (w[s.AHEAD + i] < NEARNESS * longer)
        w[s.NEAR + i] = 1.0 if near else 0.0


@lanes
def look_ahead(w, tables):
    """Shorten steps that would pass a voltage limit, by what the tables say about their way."""
    for i in range(LANES):
        if w[s.NEAR + i] * w[s.ACTIVE + i] > 0.0 and w[s.FINISHED + i] == 0.0:
            steps = w[s.H_NEXT + i] / w[s.H + i]
            x, y, eta = w[s.XS + i], w[s.YS + i], w[s.ETA_1 + i]
            dx, dy, deta = x - w[s.XS_0 + i], y - w[s.YS_0 + i], eta - w[s.ETA_0 + i]
            dx, dy, deta = steps * dx, steps * dy, steps * deta
            share = share_to_limit(w, tables, i, w[s.V_1 + i], x, dx, y, dy, eta, deta)
            w[s.H_NEXT + i] *= max(share, 0.01)


@lanes
def add_up(w):
    """Add the sums of accepted steps up; means, film and temperature with them."""
    for i in range(LANES):
        accepted = w[s.ACCEPTED + i] > 0.0
        landed = accepted & (w[s.FINISHED + i] > 0.0)
        h = w[s.H + i] if accepted else 0.0
        beyond = w[s.BEYOND + i] if landed else 0.0
        I_a = w[s.I_0 + i] - w[s.LEAK_0 + i]
        I_b = w[s.I_1 + i] - w[s.LEAK_1 + i] if accepted else I_a  # a refused one may be infinite
        dxs, dys = w[s.XS + i] - w[s.XS_0 + i], w[s.YS + i] - w[s.YS_0 + i]
        # the mean of each potential over the step is exact, the rest of the voltage a parabola
        mean_n = (w[s.AREA_N + i] - w[s.AREA_N_0 + i]) / dxs if abs(dxs) > 1e-6 else w[s.POT_N + i]
        mean_p = (w[s.AREA_P + i] - w[s.AREA_P_0 + i]) / dys if abs(dys) > 1e-6 else w[s.POT_P + i]
        mean = mean_p - mean_n + 0.5 * (w[s.ETA_0 + i] + w[s.ETA_1 + i])
        before = w[s.H_0 + i]
        bow = w[s.DEPARTURE + i] * (1.0 / 6.0) * h / (h + before + SHORTEST_STEP)
        mean -= bow if before > 0.0 else 0.0
        constant = (w[s.KIND + i] == VOLTAGE) | (w[s.OPENING + i] > 0.0)
        mean = w[s.V_1 + i] if constant else mean
        charge, rest = 0.5 * h * (I_a + I_b), beyond * I_b
        powered = w[s.KIND + i] == POWER
        energy = (w[s.SETPOINT + i] * h if powered else charge * mean) + rest * w[s.V_1 + i]
        charge += rest
        w[s.PASSED + i] += abs(charge)
        w[s.CHARGE_IN + i] += max(-charge, 0.0)
        w[s.CHARGE_OUT + i] += max(charge, 0.0)
        w[s.ENERGY_IN + i] += -energy if charge < 0.0 else 0.0
        w[s.ENERGY_OUT + i] += energy if charge > 0.0 else 0.0
        w[s.TIME_IN + i] += h + beyond if charge < 0.0 else 0.0
        w[s.TIME_OUT + i] += h + beyond if charge > 0.0 else 0.0
        w[s.SQUARED_CURRENT + i] += h / 3.0 * (I_a * I_a + I_a * I_b + I_b * I_b) + rest * I_b
        w[s.TIME + i] += h + beyond
        # side charge, corrected: what leaves the particles is what the film gains
        consumed = w[s.SIDE_CHARGE + i] + beyond * w[s.J_1 + i] if accepted else 0.0
        guessed = 0.5 * h * (w[s.J_0 + i] + w[s.J_GUESS + i])
        I_b = w[s.I_1 + i]
        rest = beyond * I_b
        x = w[s.X_C + i] + w[s.X_I + i] * I_b - w[s.Q_N + i] * rest
        x -= w[s.Q_N + i] * w[s.S_N + i] * (consumed - guessed)
        y = w[s.Y_C + i] + w[s.Y_I + i] * I_b + w[s.Q_P + i] * rest
        w[s.X + i] = x if accepted else w[s.X + i]
        w[s.X_MAX + i] = max(w[s.X_MAX + i], w[s.X + i])
        w[s.Y + i] = y if accepted else w[s.Y + i]
        w[s.FILM + i] += consumed * w[s.FILM_PER_CHARGE + i]
        heat, change = w[s.HEAT_0 + i], w[s.HEAT_1 + i] - w[s.HEAT_0 + i]
        per_watt, late = w[s.PER_WATT + i], w[s.PER_WATT_LATE + i]
        cooling, ambient = w[p.COOLING + i], w[p.T_AMB + i]
        T = temperature_step(w[s.T + i], heat, change, per_watt, late, cooling, ambient)
        T = T if accepted else w[s.T + i]
        w[s.T + i] = T
        w[s.T_MAX + i] = max(w[s.T_MAX + i], T)
        phi = min(w[s.PHI_MIN + i], w[s.POT_N + i] + w[s.ETA_N_1 + i])
        w[s.PHI_MIN + i] = phi if accepted else w[s.PHI_MIN + i]


@lanes
def move_on(w):
    """Move all that is local for accepted steps, and choose the next trial current.

    Returns whether any lane has finished its protocol step.
    """
    # volumes and modes within a loop over lanes: the other way round LLVM unrolls and does not
    # vectorise (10 ns a lane instead of 3)
    for i in range(LANES):
        accepted, I = w[s.ACCEPTED + i], w[s.I_1 + i]
        for k in range(i, i + MODES * LANES, LANES):
            x = w[s.X_MODE_C + k] + w[s.X_MODE_I + k] * I
            y = w[s.Y_MODE_C + k] + w[s.Y_MODE_I + k] * I
            w[s.X_MODE + k] = choose(accepted, x, w[s.X_MODE + k])
            w[s.Y_MODE + k] = choose(accepted, y, w[s.Y_MODE + k])
        for k in range(i, i + CELLS * LANES, LANES):
            c = w[s.SALT_C + k] + w[s.SALT_I + k] * I
            w[s.SALT + k] = choose(accepted, c, w[s.SALT + k])
    for i in range(LANES):
        accepted, h = w[s.ACCEPTED + i], w[s.H + i]
        continued = (h > 0.0) & (w[s.OPENING + i] == 0.0)
        per_second = 1.0 / h if continued else 0.0
        eta = (w[s.ETA_1 + i] - w[s.ETA_0 + i]) * per_second
        I = (w[s.I_1 + i] - w[s.I_0 + i]) * per_second
        j = (w[s.J_1 + i] - w[s.J_0 + i]) * per_second
        heat = (w[s.HEAT_1 + i] - w[s.HEAT_0 + i]) * per_second
        x = (w[s.XS + i] - w[s.XS_0 + i]) * per_second
        y = (w[s.YS + i] - w[s.YS_0 + i]) * per_second
        w[s.ETA_SLOPE + i] = choose(accepted, eta, w[s.ETA_SLOPE + i])
        w[s.I_SLOPE + i] = choose(accepted, I, w[s.I_SLOPE + i])
        w[s.J_SLOPE + i] = choose(accepted, j, w[s.J_SLOPE + i])
        w[s.HEAT_SLOPE + i] = choose(accepted, heat, w[s.HEAT_SLOPE + i])
        w[s.XS_SLOPE + i] = choose(accepted, x, w[s.XS_SLOPE + i])
        w[s.YS_SLOPE + i] = choose(accepted, y, w[s.YS_SLOPE + i])
        H_0 = h if continued else 0.0
        w[s.H_0 + i] = choose(accepted, H_0, w[s.H_0 + i])
        w[s.OPENING + i] = choose(accepted, 0.0, w[s.OPENING + i])
        w[s.V_0 + i] = choose(accepted, w[s.V_1 + i], w[s.V_0 + i])
        w[s.ETA_0 + i] = choose(accepted, w[s.ETA_1 + i], w[s.ETA_0 + i])
        w[s.ETA_N_0 + i] = choose(accepted, w[s.ETA_N_1 + i], w[s.ETA_N_0 + i])
        w[s.J_0 + i] = choose(accepted, w[s.J_1 + i], w[s.J_0 + i])
        w[s.HEAT_0 + i] = choose(accepted, w[s.HEAT_1 + i], w[s.HEAT_0 + i])
        w[s.XS_0 + i] = choose(accepted, w[s.XS + i], w[s.XS_0 + i])
        w[s.YS_0 + i] = choose(accepted, w[s.YS + i], w[s.YS_0 + i])
        w[s.AREA_N_0 + i] = choose(accepted, w[s.AREA_N + i], w[s.AREA_N_0 + i])
        w[s.AREA_P_0 + i] = choose(accepted, w[s.AREA_P + i], w[s.AREA_P_0 + i])
    for i in range(LANES):
        # the trial current of the next step: decaying if the current is free; a refused one goes
        # on from where Newton's method was
        accepted, h, H = w[s.ACCEPTED + i], w[s.H + i], w[s.H_NEXT + i]
        now = choose(accepted, w[s.I_1 + i], w[s.I_0 + i])
        change = w[s.I_SLOPE + i] * H
        share = abs(change) / max(abs(now), 1e-30)
        falling = now / (1.0 + share * (1.0 + 0.5 * share))
        trial = falling if change * now < 0.0 else now + change
        again = (accepted == 0.0) & (h == H) & (abs(w[s.I_1 + i]) < NONE)
        trial = w[s.I_1 + i] if again else trial
        w[s.I_0 + i] = now
        w[s.LEAK_0 + i] = choose(accepted, w[s.LEAK_1 + i], w[s.LEAK_0 + i])
        w[s.I_1 + i] = trial
        w[s.H + i] = H * w[s.ACTIVE + i]
    # a loop of its own: a sum must keep its order, which would stop the vectorisation of the others
    finished = False
    for i in range(LANES):
        finished = finished | (w[s.FINISHED + i] > 0.0)
    return finished
