"""Limits of a protocol step: how far away they are, and how a time step lands on them.

It comes close to a limit by steps of predicted length; the rest of the way, forth or back, is
linear.
"""

import math

from kernels import tables as t
from kernels import workspace as s
from kernels.compiled import lanes, law
from kernels.parameters import LANES
from kernels.protocol import CURRENT, NONE, VOLTAGE
from kernels.tables import lookup
from kernels.vector_math import choose, log

# Close to a limit: the rest of the way as a share of the time step; the charge by which a curve
# that bends over the time step departs from a line there, as a share of the negative electrode's
# capacity; the rest of the voltage or the current
LANDING_WAY = 0.15
LANDING_CHARGE = 1.5e-5
LANDING_STRETCH = 3e-4  # charge of the rest of the way, likewise: tables bend within it
LANDING_VOLTAGE = 4e-3  # V
LANDING_SHIFT = 1e-4  # by which the side charge moved the surface, on a straight line
LANDING_CURRENT = 3e-3  # share of a limiting current
EXACT = 1e-5  # V, and share of a limiting current: from which it counts as met, however far
EXACT_AT_ONCE = 2e-4  # V, likewise at the very beginning of a protocol step
FAR = 20.0  # error of a step to where a surface is empty or full: it tells nothing about the way
NEAR = 5e-4  # V, from which one more move of Newton's method is good enough
# Rise at the limit over the mean rise before, below which the last part of the way is searched
FLAT, LAST_PART, PROBES = 0.5, 0.4, 8
UNEVEN, LEAST_FAR = 5e-3, 3e-3  # V, stoichiometry: slow enough, and far enough for a bump
CLOSE = 1e-3  # V: a step that starts there and ends before a limit may meet it in between
LANDING_SHARE = 3e-3  # likewise, of a limiting charge
SHORTEST_STEP = 1e-6  # s
SHORTEST_SHARE = 0.02  # of a step that goes to a limit
BACK, WAY = -1.0, 1.0  # where a step to a limit starts: where the last one did, or where it ends
TINY = 1e-30  # A, C: no current, no charge


@law
def open_circuit_voltage(tables, x, y):
    """Difference of both potentials [V] at the reference temperature."""
    U_n, _, _ = lookup(tables, t.U_N, x)
    U_p, _, _ = lookup(tables, t.U_P, y)
    return U_p - U_n


@law
def parabola(before, after, slope, h, h_0, H, back):
    """Start, rise and bow of a quantity over the step to a limit, which is `H` long: through its
    values at both ends of the last step, and with its mean slope over the step before that one.
    """
    rise = after - before
    bow = (rise / h - slope) / (h + h_0) if h_0 > 0.0 else 0.0
    if back:
        return before, rise, bow * h * h
    return after, rise * H / h + bow * H * (H + h), bow * H * H


@law
def along(path, share):
    """Where a `parabola` is, and how fast it rises, at a share of the step."""
    start, rise, bow = path
    return start + share * (rise + (share - 1.0) * bow), rise + (2.0 * share - 1.0) * bow


@law
def away_from_limit(tables, limit, share, x_path, y_path, eta_path):
    """Voltage beyond the limit at a share of the step, and how fast it rises along it."""
    x, dx = along(x_path, share)
    y, dy = along(y_path, share)
    eta, deta = along(eta_path, share)
    U_n, slope_n, _ = lookup(tables, t.U_N, x)
    U_p, slope_p, _ = lookup(tables, t.U_P, y)
    return U_p - U_n + eta - limit, slope_p * dy - slope_n * dx + deta


@law
def first_meeting(tables, limit, before, first, last, x_path, y_path, eta_path):
    """The first place between two shares of a step where its voltage meets the limit, or the last
    share, by probes.
    """
    apart = (last - first) / PROBES
    for probe in range(PROBES):
        at = first + probe * apart
        away, rise = away_from_limit(tables, limit, at, x_path, y_path, eta_path)
        if away * (before - limit) < 0.0:
            return max(at - away / rise, at - apart) if away * rise > 0.0 else at - 0.5 * apart
    return last


@lanes
def share_to_limit(tables, limit, before, x_path, y_path, eta_path):
    """Share of a step at which its voltage, at first `before`, meets the limit, or 1: potentials
    from the tables, of surfaces and overpotential on parabolas.
    """
    share, low, high, away, attempts = 1.0, 0.0, 1.0, NONE, 0
    # Newton's method within a bracket: each move leaves far less than it was
    while abs(away) > NEAR and attempts < 9:
        away, rise = away_from_limit(tables, limit, share, x_path, y_path, eta_path)
        forth = away * (before - limit) > 0.0
        if attempts == 0:
            if forth:  # unless it does so in between
                if abs(limit - before) > CLOSE:
                    return 1.0
                return first_meeting(tables, limit, before, 0.0, 1.0, x_path, y_path, eta_path)
            share = (before - limit) / (before - limit - away)
        else:
            low, high = (share, high) if forth else (low, share)
            share -= away / rise
            share = share if low <= share <= high else 0.5 * (low + high)
        attempts += 1
    # along the last part a measured potential that rises slowly may have met the limit before
    part = LAST_PART * abs(limit - before)
    far = abs(along(x_path, share)[0] - along(x_path, (1.0 - LAST_PART) * share)[0])
    if rise * share * (limit - before) < FLAT * (limit - before) * (limit - before) or (
        part < UNEVEN and far > LEAST_FAR
    ):
        first = (1.0 - LAST_PART) * share
        return first_meeting(tables, limit, before, first, share, x_path, y_path, eta_path)
    return share


@law
def way_to_limit(excess, rise, h):
    """Seconds from the end of a step of `h` to the limit that it exceeds, negative if it does, on
    the straight line that rose so much over the step; NONE where it does not go there.
    """
    return -excess * h / rise if rise > 0.0 else NONE


@law
def is_short(way, h, per_second, strict):
    """Whether a line is good for the way from a step of `h`; `per_second` is the charge's share."""
    most = strict * strict * LANDING_CHARGE * h
    charge = abs(way) * per_second
    near = (abs(way) <= strict * LANDING_WAY * h) & (charge <= strict * LANDING_STRETCH)
    return near & (abs(way) * charge <= most)


@lanes
def compare_with_limits(w, strict):
    """Whether the step passes a limit, OVER, or lands on one, HIT, and how far it is BEYOND."""
    for i in range(LANES):
        h, kind = w[s.H + i], w[s.KIND + i]
        # of the terminals: what leaks inside the cell does not count
        I_a, I_b = w[s.I_0 + i] - w[s.LEAK_0 + i], w[s.I_1 + i] - w[s.LEAK_1 + i]
        dxs, dys = w[s.XS + i] - w[s.XS_0 + i], w[s.YS + i] - w[s.YS_0 + i]
        # voltage: +1 while charging, when it climbs towards its limit
        sign = -math.copysign(1.0, I_b)
        limited = (w[s.VOLTAGE_LIMIT + i] < NONE) & (kind != VOLTAGE)
        excess = sign * (w[s.V_1 + i] - w[s.VOLTAGE_LIMIT + i]) if limited else -NONE
        # how fast it goes there now: the tables' slopes are of this moment, all else bends slowly
        rise = w[s.SLOPE_P + i] * dys - w[s.SLOPE_N + i] * dxs + w[s.ETA_1 + i] - w[s.ETA_0 + i]
        rise *= sign
        second = max(h, SHORTEST_STEP)
        way = way_to_limit(excess, rise, second)
        ahead = way if excess < 0.0 else NONE
        size_a, size_b = abs(I_a), abs(I_b)
        per_second = size_b * w[s.Q_N + i]
        hit_voltage = is_short(way, h, per_second, strict)
        hit_voltage = hit_voltage & (abs(excess) <= strict * LANDING_VOLTAGE)
        hit_voltage = hit_voltage & (abs(w[s.SIDE_SHIFT + i]) <= strict * LANDING_SHIFT)
        hit_voltage = hit_voltage | (abs(excess) <= strict * (EXACT if h > 0.0 else EXACT_AT_ONCE))
        over_voltage = (excess > 0.0) & (not hit_voltage)
        to_voltage = way if hit_voltage & (rise > 0.0) else 0.0
        met = 1.0 if hit_voltage else 0.0
        w[s.V_1 + i] = choose(met, w[s.VOLTAGE_LIMIT + i], w[s.V_1 + i])
        # current
        I_limit, decay = w[s.CURRENT_LIMIT + i], size_a - size_b
        limited = (I_limit < NONE) & (kind != CURRENT)
        excess = I_limit - size_b if limited else -NONE
        way = way_to_limit(excess, decay, second)
        hit_current = is_short(way, h, per_second, strict)
        hit_current = hit_current & (abs(excess) <= strict * LANDING_CURRENT * I_limit)
        hit_current = hit_current | (abs(excess) <= EXACT * I_limit)
        over_current = (excess > 0.0) & (not hit_current)
        ahead = min(ahead, way if excess < 0.0 else NONE)
        w[s.AHEAD + i] = ahead if h > 0.0 else NONE
        to_current = way if hit_current & (decay > 0.0) else 0.0
        # charge
        charge = w[s.PASSED + i] + abs(0.5 * h * (I_a + I_b) - w[s.BOW + i])
        Q_limit = w[s.CHARGE_LIMIT + i]
        over_charge = charge > Q_limit * (1.0 + LANDING_SHARE)
        hit_charge = abs(charge - Q_limit) <= Q_limit * LANDING_SHARE
        to_charge = (Q_limit - charge) / max(size_b, TINY) if hit_charge else 0.0
        w[s.OVER + i] = 1.0 if over_voltage | over_current | over_charge else 0.0
        w[s.HIT + i] = 1.0 if hit_voltage | hit_current | hit_charge else 0.0
        beyond = to_voltage if hit_voltage else (to_current if hit_current else to_charge)
        w[s.BEYOND + i] = max(beyond, -h)
        w[s.OVER_VOLTAGE + i] = 1.0 if over_voltage & (h > 0.0) else 0.0
        w[s.OVER_CURRENT + i] = 1.0 if over_current else 0.0
        w[s.OVER_CHARGE + i] = 1.0 if over_charge else 0.0


@lanes
def land(w, tables):
    """Shorten the next step to where it meets a limit: that of lanes which have passed one and go
    BACK, or are on the WAY to one of voltage, by what the tables say about their way, or of
    current, which decays about exponentially.
    """
    for i in range(LANES):
        if w[s.LANDING_FROM + i] == 0.0:
            continue
        back, H = w[s.LANDING_FROM + i] == BACK, w[s.H_NEXT + i]
        h, h_0, share = w[s.H + i], w[s.H_0 + i], 1.0
        held = w[s.KIND + i] == VOLTAGE
        if w[s.OVER_VOLTAGE + i] > 0.0 or not (back or held):
            limit, before = w[s.VOLTAGE_LIMIT + i], w[s.V_0 + i] if back else w[s.V_1 + i]
            eta_0, eta_1, slope = w[s.ETA_0 + i], w[s.ETA_1 + i], w[s.ETA_SLOPE + i]
            if back and h_0 > 0.0 and w[s.ERROR + i] > FAR:
                eta_1 = eta_0 + slope * h
            eta = parabola(eta_0, eta_1, slope, h, h_0, H, back)
            x = parabola(w[s.XS_0 + i], w[s.XS + i], w[s.XS_SLOPE + i], h, h_0, H, back)
            y = parabola(w[s.YS_0 + i], w[s.YS + i], w[s.YS_SLOPE + i], h, h_0, H, back)
            share = share_to_limit(tables, limit, before, x, y, eta)
        if w[s.OVER_CURRENT + i] > 0.0 or (held and not back):
            size_a = abs(w[s.I_0 + i] - w[s.LEAK_0 + i]) + TINY
            size_b = abs(w[s.I_1 + i] - w[s.LEAK_1 + i]) + TINY
            if size_a != size_b:
                decay = log(size_a / (w[s.CURRENT_LIMIT + i] + TINY)) / log(size_a / size_b)
                share = min(share, decay if back else (decay - 1.0) * h / H)
        if w[s.OVER_CHARGE + i] > 0.0:
            I_mean = 0.5 * (w[s.I_0 + i] - w[s.LEAK_0 + i] + w[s.I_1 + i] - w[s.LEAK_1 + i])
            charge = abs(h * I_mean - w[s.BOW + i])
            share = min(share, (w[s.CHARGE_LIMIT + i] - w[s.PASSED + i]) / max(charge, TINY))
        landed = max(share, SHORTEST_SHARE) * (h if back else H)
        w[s.H_NEXT + i] = min(H, max(landed, SHORTEST_STEP))
