"""How long a time step may be: its errors, and the verdict on it.

Each lane has its own step length, chosen from how far voltage, current and side charge departed
from straight lines, and from how that has been changing.
"""

import math

from kernels import parameters as p
from kernels import workspace as s
from kernels.bends import bend_of, lasting
from kernels.compiled import lanes
from kernels.electrolyte import CELLS
from kernels.kinetics import per_thermal_voltage
from kernels.limits import BACK, FAR, SHORTEST_STEP, WAY
from kernels.parameters import LANES
from kernels.protocol import CURRENT, NONE, VOLTAGE
from kernels.salt_step import SALT_EDGE
from kernels.status import (
    ELECTROLYTE_DEPLETED,
    INFEASIBLE_STEP,
    INVALID_INPUT,
    STEP_COUNT_LIMIT,
    STOICHIOMETRY_LIMIT,
    TEMPERATURE_LIMIT,
)
from kernels.vector_math import exp, log

# What the departures from straight lines may add up to in one time step at tolerance 1: in energy
# for a current step, in charge for the others; charges are shares of the negative electrode's
# capacity. Mean voltages and held currents follow them to second order, so that what is left is a
# small part.
# Voltages at the ends of a step do not depend on its length: quick transients that move hardly any
# charge need no small steps.
ENERGY_DEPARTURE = 2.5e-4  # V
CHARGE_DEPARTURE = 7e-5
VOLTAGE_DEPARTURE = 2e-3  # V, by which that charge moves the equilibrium, where it is steep
SIDE_CHARGE_DEPARTURE = 3e-4
BOW_DEPARTURE = 1e-5  # of charges that leak or are lost on open surface
ETA_PER_KELVIN = 0.05  # of overpotentials, about that of Arrhenius's law with 37 kJ mol-1 at 298 K
ALL_THE_WAY = 20.0  # weight of an error that ends of steps have, too
LEAST_SLOPE = 0.2  # V, of a potential about a surface that is not settled: it may lie elsewhere
HOLD_WINDOW = 2.5e-3  # V, before the last Newton iteration, which leaves a small part of it
ACCEPTABLE = 2.0  # error of a step that is kept; the next one aims at 1
NEARNESS = 1.3  # a limit within so many steps, at the present slope, is looked for on the tables
TREND = 8.0  # most by which errors are expected to go on rising or falling, beyond those with h^3
STUCK_STEP = 1e-3  # s, below which a step that would leave the model's range ends the case
SCARCE_SALT = 10.0  # mol m-3, below which that is why a case needs ever more steps
ATTEMPT_LIMIT = 500  # per protocol step at tolerance 1
# within a thousandth of empty or full PyBaMM's potentials are asymptotes of its own making
STOICHIOMETRY_EDGE = 1e-3
TEMPERATURE_LOW, TEMPERATURE_HIGH = 233.0, 373.0  # K, range of the tables


@lanes
def measure_departure(w):
    """How far the step departed from straight lines: ERROR, relative. VOLTAGE_BOW [V] is how far
    means of overpotentials and positive potential lie below those of their chords, BOW [C] how much
    less charge than along a chord the terminals' current carried where a voltage is held.
    """
    for i in range(LANES):
        h, kind = w[s.H + i], w[s.KIND + i]
        I_b = w[s.I_1 + i] - w[s.LEAK_1 + i]  # of the terminals
        dxs, dys = w[s.XS + i] - w[s.XS_0 + i], w[s.YS + i] - w[s.YS_0 + i]
        bent_eta = w[s.ETA_1 + i] - w[s.ETA_0 + i] - w[s.ETA_SLOPE + i] * h
        bent_n = w[s.SLOPE_N + i] * (dxs - w[s.XS_SLOPE + i] * h)
        bent_p = w[s.SLOPE_P + i] * (dys - w[s.YS_SLOPE + i] * h)
        h_0 = w[s.H_0 + i]
        bend_eta = bend_of(w[s.ETA_1 + i] - w[s.ETA_0 + i], w[s.ETA_SLOPE + i], h, h_0)
        bend_y = bend_of(dys, w[s.YS_SLOPE + i], h, h_0)
        bend = bend_eta * lasting(bend_eta, w[s.ETA_BEND_0 + i])
        bend += w[s.SLOPE_P + i] * bend_y * lasting(bend_y, w[s.YS_BEND_0 + i])
        w[s.ETA_BEND + i], w[s.YS_BEND + i] = bend_eta, bend_y
        w[s.VOLTAGE_BOW + i] = bend * h * h * (1.0 / 6.0)
        # surfaces were filled by the side current as predicted and by a leak on a straight line
        mistaken = abs(w[s.J_1 + i] - w[s.J_GUESS + i] + w[s.LOSS_1 + i] - w[s.LOSS_GUESS + i])
        mistaken *= 0.5 * h * w[s.S_N + i] * w[s.Q_N + i]
        mistaken *= abs(w[s.SLOPE_N + i])
        mistaken += abs(w[s.LEAK_BOW + i] * w[s.Q_P + i] * w[s.SLOPE_P + i])
        unsettled_n = w[s.SHELL_UNSETTLED + i]
        unsettled_p = w[s.TO_POSITIVE + s.SHELL_UNSETTLED + i]
        mistaken += max(abs(w[s.SLOPE_N + i]), LEAST_SLOPE) * unsettled_n
        mistaken += max(abs(w[s.SLOPE_P + i]), LEAST_SLOPE) * unsettled_p
        # overpotentials are of the temperature as predicted: wrong all the way, not only between
        heat = w[s.HEAT_1 + i] - w[s.HEAT_0 + i] - w[s.HEAT_SLOPE + i] * h
        warmer = w[s.ETA_1 + i] * ETA_PER_KELVIN * heat * w[s.PER_WATT_LATE + i]
        energy = abs(bent_eta) + abs(bent_n) + abs(bent_p) + mistaken + ALL_THE_WAY * abs(warmer)
        energy *= abs(I_b)
        bent_I = w[s.I_1 + i] - w[s.I_0 + i] - w[s.I_SLOPE + i] * h
        w[s.BOW + i] = w[s.BEND + i] * bent_I - w[s.LEAK_BOW + i] if kind == VOLTAGE else 0.0
        charge = abs(bent_I) + (0.0 if kind == CURRENT else abs(mistaken / w[s.DV_DI + i]))
        share = energy * (1.0 / ENERGY_DEPARTURE) if kind == CURRENT else 0.0
        share += charge * (1.0 / CHARGE_DEPARTURE)
        steep = abs(w[s.SLOPE_N + i]) * w[s.Q_N + i] + abs(w[s.SLOPE_P + i]) * w[s.Q_P + i]
        after = 0.0 if kind == CURRENT else charge * steep * (1.0 / VOLTAGE_DEPARTURE)
        # the side reaction was integrated along a bent path, too, from where it was predicted to
        # take the surface; at rest nothing else counts
        steepness = w[p.ALPHA_SEI + i] * per_thermal_voltage(w[s.PER_T_REF + i], w[s.Z_1 + i])
        side = 0.5 * (w[s.J_0 + i] + w[s.J_1 + i]) * w[s.S_N + i] * steepness
        side *= abs(bent_n) + mistaken
        share += side * (1.0 / SIDE_CHARGE_DEPARTURE)
        # leak and loss on open surface were integrated along parabolas, charges that a cell which
        # loses most of what it is given adds up
        bows = abs(w[s.LOSS_BOW + i]) + abs(w[s.HEAL_BOW + i])
        bows = abs(w[s.LEAK_BOW + i]) + bows * w[s.S_N + i]
        lost = bows * w[s.Q_N + i] * (1.0 / BOW_DEPARTURE)
        w[s.ERROR + i] = (share * w[s.Q_N + i] + after) * h + lost


@lanes
def judge(w, tolerance, growth, first):
    """Accept or refuse the step of each lane, choose its next length, and end lanes that cannot go
    on. A protocol step opens with a short one, whose beginning counts as its end; where that has no
    length, the next one is `first` [s] long, or less.
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
        # where nothing has moved, the step before was inside, and the next one may lead away
        inside = (min(emptiest, 1.0 - fullest) > STOICHIOMETRY_EDGE) | (h == 0.0)
        scarcest = min(salt_n, salt_p)
        salted = scarcest > SALT_EDGE
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
        why = ELECTROLYTE_DEPLETED if scarcest < SCARCE_SALT else STEP_COUNT_LIMIT
        status = why if endless else w[s.STATUS + i]
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
        longer = min(max(longer, first) if opening else longer, left)
        shorter = h * min(max(scale, 0.2), 0.8)
        retry = 0.995 * h if over & (error <= ACCEPTABLE) else shorter
        retry = 0.5 * h if over & (error > FAR) else retry
        retry = retry if valid | over else 0.3 * h
        # a hold is tried once more from where Newton's method was, then shortened
        repeated = (not settled) & (w[s.REPEATED + i] == 0.0)
        w[s.REPEATED + i] = 1.0 if repeated else 0.0
        retry = max(
            retry if settled | (not finite) else (h if repeated else 0.7 * h), SHORTEST_STEP
        )
        # at the very first moment it must be possible; Newton's method may need several attempts
        retry = (0.0 if settled else h) if opening else retry
        w[s.H_NEXT + i] = longer if accepted else retry
        # a limit is looked for on the tables
        goes_on = active & (not ended) & (not opening)
        ahead = goes_on & accepted & (w[s.AHEAD + i] < NEARNESS * longer)
        passed = goes_on & (not accepted) & over & settled
        w[s.LANDING_FROM + i] = WAY if ahead else (BACK if passed else 0.0)
