"""Limits of a protocol step: how far away they are, and how a time step lands on them.

It lands within LANDING of a limit by steps of predicted length; the rest of the way, forth or back,
is linear.
"""

import math

from kernels import tables as t
from kernels import workspace as s
from kernels.compiled import lanes, law
from kernels.parameters import LANES
from kernels.protocol import CURRENT, NONE, VOLTAGE
from kernels.tables import lookup
from kernels.vector_math import log

LANDING = 2e-4  # V, from which on the way to a limit is linear
LANDING_WAY = 0.05  # and share of the time step that is left, or was too much
CLOSE = 5.0 * LANDING  # V, from which one more move of Newton's method is good enough
LANDING_SHARE = 3e-3  # likewise, share of a limiting current or charge
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


@lanes
def share_to_limit(tables, limit, before, x, dx, y, dy, eta, deta):
    """Share of a step at which its voltage, at first `before`, meets the limit, or 1: potentials
    from the tables, all else linear in time.
    """
    after = open_circuit_voltage(tables, x + dx, y + dy) + eta + deta
    share = 1.0
    if (before - limit) * (after - limit) < 0.0:
        share = (before - limit) / (before - after)
        low, high, away, attempts = 0.0, 1.0, NONE, 0
        # Newton's method within a bracket: each move leaves far less than it was
        while abs(away) > CLOSE and attempts < 8:
            U_n, slope_n, _ = lookup(tables, t.U_N, x + share * dx)
            U_p, slope_p, _ = lookup(tables, t.U_P, y + share * dy)
            away = U_p - U_n + eta + share * deta - limit
            forth = away * (before - limit) > 0.0
            low, high = (share, high) if forth else (low, share)
            share -= away / (slope_p * dy - slope_n * dx + deta)
            share = share if low <= share <= high else 0.5 * (low + high)
            attempts += 1
    return share


@lanes
def compare_with_limits(w, landing):
    """Whether the step passes a limit, OVER, or lands on one, HIT, and how far it is BEYOND."""
    for i in range(LANES):
        h, kind = w[s.H + i], w[s.KIND + i]
        # of the terminals: what leaks inside the cell does not count
        I_a, I_b = w[s.I_0 + i] - w[s.LEAK_0 + i], w[s.I_1 + i] - w[s.LEAK_1 + i]
        dxs, dys = w[s.XS + i] - w[s.XS_0 + i], w[s.YS + i] - w[s.YS_0 + i]
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
        # where the voltage hardly changes, a small excess may be a long way
        near = max(LANDING_WAY * abs(rate) * h, LANDING_WAY * landing) if h > 0.0 else landing
        near = min(near, landing)
        over_voltage, hit_voltage = excess > near, abs(excess) <= near
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
        w[s.OVER_VOLTAGE + i] = 1.0 if over_voltage & (h > 0.0) else 0.0
        w[s.OVER_CURRENT + i] = 1.0 if over_current else 0.0
        w[s.OVER_CHARGE + i] = 1.0 if over_charge else 0.0


@lanes
def land(w, tables):
    """Shorten the next step to where it meets a limit: that of lanes which have passed one and go
    BACK, or are on the WAY to a voltage limit, by what the tables say about their way.
    """
    for i in range(LANES):
        back, H = w[s.LANDING_FROM + i] == BACK, w[s.H_NEXT + i]
        if w[s.LANDING_FROM + i] * w[s.ACTIVE + i] * (1.0 - w[s.FINISHED + i]) == 0.0:
            continue
        h = w[s.H + i]
        dx, dy = w[s.XS + i] - w[s.XS_0 + i], w[s.YS + i] - w[s.YS_0 + i]
        deta, share = w[s.ETA_1 + i] - w[s.ETA_0 + i], 1.0
        x, y, eta, before = w[s.XS + i], w[s.YS + i], w[s.ETA_1 + i], w[s.V_1 + i]
        if back:
            x, y, eta, before = w[s.XS_0 + i], w[s.YS_0 + i], w[s.ETA_0 + i], w[s.V_0 + i]
        else:
            dx, dy, deta = dx * H / h, dy * H / h, deta * H / h
        if not back or w[s.OVER_VOLTAGE + i] > 0.0:
            limit = w[s.VOLTAGE_LIMIT + i]
            share = share_to_limit(tables, limit, before, x, dx, y, dy, eta, deta)
        size_a, size_b = abs(w[s.I_0 + i] - w[s.LEAK_0 + i]), abs(w[s.I_1 + i] - w[s.LEAK_1 + i])
        if w[s.OVER_CURRENT + i] > 0.0:  # it decays about exponentially
            size_a, size_b, limit = size_a + TINY, size_b + TINY, w[s.CURRENT_LIMIT + i] + TINY
            if size_a != size_b:
                share = min(share, log(size_a / limit) / log(size_a / size_b))
        if w[s.OVER_CHARGE + i] > 0.0:
            charge = 0.5 * h * abs(w[s.I_0 + i] - w[s.LEAK_0 + i] + w[s.I_1 + i] - w[s.LEAK_1 + i])
            share = min(share, (w[s.CHARGE_LIMIT + i] - w[s.PASSED + i]) / max(charge, TINY))
        landed = max(share, SHORTEST_SHARE) * (h if back else H)
        w[s.H_NEXT + i] = min(H, max(landed, SHORTEST_STEP))
