"""What an accepted time step adds up to, and what the next one begins with."""

from kernels import parameters as p
from kernels import workspace as s
from kernels.compiled import lanes
from kernels.electrolyte import CELLS
from kernels.parameters import LANES
from kernels.particle import MODES
from kernels.protocol import NONE, POWER, VOLTAGE
from kernels.step_control import ACCEPTABLE
from kernels.thermal import temperature_step
from kernels.vector_math import choose

#: what a path along the root of time is from its end, over what one along a line is
ON_THE_WAY = 2.0 / 3.0


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
        # the mean of the negative potential over the step is that of Lobatto's rule in `grow_film`;
        # of the positive one it is exact along a line; overpotentials are a parabola
        mean_n = 5.0 * (w[s.POT_A + i] + w[s.POT_B + i]) + w[s.POT_N_0 + i] + w[s.POT_N + i]
        dys = w[s.YS + i] - w[s.YS_0 + i]
        moved = abs(dys) > 1e-6
        mean_p = (w[s.AREA_P + i] - w[s.AREA_P_0 + i]) / (dys if moved else 1.0)
        mean_p = mean_p if moved else w[s.POT_P + i]
        mean = mean_p - mean_n * (1.0 / 12.0) + 0.5 * (w[s.ETA_0 + i] + w[s.ETA_1 + i])
        mean -= w[s.VOLTAGE_BOW + i]
        # a protocol step's first time step: of the overpotentials the end alone is known; surfaces
        # went with the root of time, two thirds of the way in the mean
        way = mean_p - w[s.POT_P + i] - mean_n * (1.0 / 12.0) + w[s.POT_N + i]
        mean = w[s.V_1 + i] + ON_THE_WAY * way if w[s.OPENING + i] > 0.0 else mean
        mean = w[s.V_1 + i] if w[s.KIND + i] == VOLTAGE else mean
        charge, rest = 0.5 * h * (I_a + I_b), beyond * I_b
        charge -= w[s.BOW + i] if accepted else 0.0
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
        phi = w[s.POT_N + i] - w[s.SLOPE_N + i] * w[s.Q_N + i] * rest + w[s.ETA_N_1 + i]
        w[s.PHI_MIN + i] = min(w[s.PHI_MIN + i], phi) if accepted else w[s.PHI_MIN + i]


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
        w[s.ETA_BEND_0 + i] = choose(accepted, w[s.ETA_BEND + i], w[s.ETA_BEND_0 + i])
        w[s.XS_BEND_0 + i] = choose(accepted, w[s.XS_BEND + i], w[s.XS_BEND_0 + i])
        w[s.YS_BEND_0 + i] = choose(accepted, w[s.YS_BEND + i], w[s.YS_BEND_0 + i])
        w[s.I_SLOPE + i] = choose(accepted, I, w[s.I_SLOPE + i])
        # a step tried once more to meet a limit knows better where it ends
        learnt = (w[s.OVER + i] > 0.0) & (w[s.ERROR + i] < ACCEPTABLE) & continued
        w[s.J_SLOPE + i] = j if (accepted > 0.0) | learnt else w[s.J_SLOPE + i]
        w[s.HEAT_SLOPE + i] = choose(accepted, heat, w[s.HEAT_SLOPE + i])
        w[s.XS_SLOPE + i] = choose(accepted, x, w[s.XS_SLOPE + i])
        w[s.YS_SLOPE + i] = choose(accepted, y, w[s.YS_SLOPE + i])
        H_0 = h if continued else 0.0
        w[s.H_0 + i] = choose(accepted, H_0, w[s.H_0 + i])
        w[s.OPENING + i] = choose(accepted, 0.0, w[s.OPENING + i])
        w[s.V_0 + i] = choose(accepted, w[s.V_1 + i], w[s.V_0 + i])
        w[s.ETA_0 + i] = choose(accepted, w[s.ETA_1 + i], w[s.ETA_0 + i])
        w[s.ETA_N_0 + i] = choose(accepted, w[s.ETA_N_1 + i], w[s.ETA_N_0 + i])
        w[s.EVEN_0 + i] = choose(accepted, w[s.EVEN_1 + i], w[s.EVEN_0 + i])
        w[s.J_0 + i] = choose(accepted, w[s.J_1 + i], w[s.J_0 + i])
        w[s.HEAT_0 + i] = choose(accepted, w[s.HEAT_1 + i], w[s.HEAT_0 + i])
        w[s.XS_0 + i] = choose(accepted, w[s.XS + i], w[s.XS_0 + i])
        w[s.YS_0 + i] = choose(accepted, w[s.YS + i], w[s.YS_0 + i])
        w[s.POT_N_0 + i] = choose(accepted, w[s.POT_N + i], w[s.POT_N_0 + i])
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
