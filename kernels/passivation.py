"""What happens on surface that is not passivated yet: a shuttle, lost lithium, healing.

Graphite expands while it first fills and opens surface u, relative to all that it ever will. It
heals in hours, by growing a film that costs the charge q_f. Until then a shuttle is reduced there
that the positive electrode oxidises near the top of charge: a discharge current inside the cell,
which costs charge but no lithium. Beside it the electrolyte is oxidised.

    I_leak = S_n (j_sh u s + j_ox exp((phi_p - U_ox) / w_ox))
    s = 1 / (1 + exp(-(phi_p - U) / w))        the gate of the shuttle
    j_f = q_f u / tau                          the healing film
    j_x = j_un u s                             lithium lost there, without a film
    du/dt = dG/dt - u / tau
    G = 1 - exp(-x_max / x_0)                  the surface opened so far
    dq/dt = k^2 x / (2 q) (1 - (q / q_max)^2)  lithium that the electrode keeps, slow and reversible

phi_p: potential of the positive electrode against lithium; S_n: particle surface of the negative
electrode, to which densities refer; x_max: highest mean stoichiometry so far. j_ox, j_un, 1 / tau
and k follow Arrhenius, j_un and 1 / tau with one energy. Evidence: 29 formation protocols of NMC532
/ graphite cells, data of Cui et al. 2024 (Joule); that surface opens with expansion is in Weng et
al. 2023, J. Electrochem. Soc. 170 090523. The square root of time is that of diffusion, into
overhang for example; at constant x the store holds q_max sqrt(1 - exp(-k^2 x t / q_max^2)),
Vermeulen's approximation of diffusion into what is finite (1953, Ind. Eng. Chem. 45, 1664). Tried
on the protocols and left out, because they explained nothing more: lithium plating as another
source of surface, a shuttle that rises with a power of u, the volume curve of graphite in place of
G, and films of two reductions.
"""

import math

from kernels import parameters as p
from kernels import workspace as s
from kernels.compiled import lanes, law
from kernels.kinetics import GAS, arrhenius
from kernels.parameters import LANES
from kernels.particle import decay
from kernels.protocol import CURRENT, VOLTAGE
from kernels.time_step import move_negative_surface, move_positive_surface
from kernels.vector_math import choose, exp

STORE_AT_START = 0.01  # C m-2: the store's first filling, so that its rate is finite
LEAST_SCALE = 1e-3  # of cells without, whose scale is 0
NEWTON = 2  # iterations on what opens in a step; what they leave is corrected at its end
STEEPEST = 40.0  # exponent at which a current is cut: far beyond any that could flow


@law
def gate(potential, onset, width):
    """Share of the shuttle that the positive electrode oxidises."""
    return 1.0 / (1.0 + exp(min(-(potential - onset) / width, STEEPEST)))


@law
def opened(highest, scale):
    """Share of the surface that expansion has opened at the highest stoichiometry so far."""
    return 1.0 - exp(-highest / max(scale, LEAST_SCALE))


@law
def leak_density(potential, shuttle, onset, width, oxidation, reference, oxidation_width):
    """Leak current density [A m-2] and its slope over the potential of the positive electrode.

    Parameters
    ----------
    potential : V, of the positive electrode against lithium
    shuttle : A m-2, j_sh u
    onset, width : V
    oxidation : A m-2, j_ox at this temperature
    reference, oxidation_width : V
    """
    share = gate(potential, onset, width)
    oxidised = oxidation * exp(min((potential - reference) / oxidation_width, STEEPEST))
    slope = shuttle * share * (1.0 - share) / width + oxidised / oxidation_width
    return shuttle * share + oxidised, slope


@law
def heal(surface, new, late, steps):
    """Surface that is left after `steps` healing times in which `new` is opened, at a rate that
    runs linearly to `late` times twice its mean.
    """
    e, mean = decay(steps)
    opening = 2.0 * ((1.0 - late) * (mean - e) + late * (1.0 - mean)) / max(steps, 1e-4)
    return surface * e + new * (opening if steps > 1e-4 else 1.0)


@law
def lateness(open_0, open_1):
    """Share of the rate of opening that belongs to the end of a step; it follows 1 - G."""
    left_0, left_1 = 1.0 - open_0, 1.0 - open_1
    return left_1 / max(left_0 + left_1, 1e-300)


@law
def admitted(squared, endless, capacity):
    """Share of what an endless store would take in a step that one of this capacity takes, exact.

    Parameters
    ----------
    squared : C2 m-4, squared filling when the step begins
    endless : C2 m-4, by which the squared filling of an endless store rises
    capacity : C m-2
    """
    most = capacity * capacity
    _, mean = decay(endless / most)
    return mean * (1.0 - squared / most)


@lanes
def predict_side_currents(w):
    """Lithium lost and kept besides the film, at both ends of the step; kept in closed form.

    The healing film may take most of the current that opens the surface which it heals. The mean
    stoichiometry at the end and what heals until then are found together: extrapolated from one
    step to the next, they would swing, however short the steps.
    """
    for i in range(LANES):
        h, z = w[s.H + i], (w[s.PER_T_REF + i] - 1.0 / w[s.T + i]) / GAS
        rate = w[p.STORAGE + i] * arrhenius(w[p.E_STORAGE + i], z)
        store, filling = w[s.STORE + i], rate * rate * w[s.X + i]
        filling *= admitted(store, h * filling, w[p.STORE_CAPACITY + i])
        kept = filling / (math.sqrt(store) + math.sqrt(store + h * filling))
        lost = w[s.LOSS_0 + i] - w[s.HEAL_0 + i]
        lost_1 = max(lost + w[s.LOSS_SLOPE + i] * h, 0.0)
        j_a = w[s.J_0 + i]
        j_b = max(j_a + w[s.J_SLOPE + i] * h, 0.0)
        # x + per_new max(opened(x) - before, 0) = x_healed, by Newton's method from below
        healing = arrhenius(w[p.E_HEALING + i], z) / w[p.HEALING_TIME + i]
        per_charge = w[s.Q_N + i] * w[s.S_N + i]
        healed = w[s.SURFACE + i] - heal(w[s.SURFACE + i], 0.0, 0.5, h * healing)
        per_new = 1.0 - heal(0.0, 1.0, 0.5, h * healing)
        others = h * (kept + 0.5 * (j_a + j_b + lost + lost_1)) + w[p.PASSIVATION + i] * healed
        x_healed = w[s.X + i] - per_charge * others
        x_healed -= 0.5 * h * w[s.Q_N + i] * (w[s.I_0 + i] + w[s.I_1 + i])
        per_new *= per_charge * w[p.PASSIVATION + i]
        scale = max(w[p.NEW_SURFACE + i], LEAST_SCALE)
        x, before = w[s.X_MAX + i], w[s.OPENED + i]
        for _ in range(NEWTON):
            open_1 = opened(x, scale)
            missing = x_healed - x - per_new * (open_1 - before)
            x += max(missing, 0.0) / (1.0 + per_new * (1.0 - open_1) / scale)
        open_1 = max(opened(x, scale), before)
        late = lateness(before, open_1)
        surface = heal(w[s.SURFACE + i], open_1 - before, late, h * healing)
        healed = w[s.SURFACE + i] + open_1 - before - surface
        mean = healed / h if h > 0.0 else w[s.SURFACE + i] * healing
        mean, end = w[p.PASSIVATION + i] * mean, w[p.PASSIVATION + i] * surface * healing
        w[s.HEALED + i], w[s.HEAL_GUESS + i] = h * mean, end
        w[s.LOSS_GUESS + i] = lost_1 + end
        w[s.OTHER_0 + i] = lost + 2.0 * mean - end + kept
        w[s.OTHER_1 + i] = lost_1 + end + kept


@lanes
def leak(w):
    """Surface at the end of the step, the leak there and its slope over current."""
    for i in range(LANES):
        h = w[s.H + i]
        x = max(w[s.X_C + i] + w[s.X_I + i] * w[s.I_1 + i], w[s.X_MAX + i])
        open_1 = opened(x, w[p.NEW_SURFACE + i])
        new = max(open_1 - w[s.OPENED + i], 0.0)
        healing = arrhenius(w[p.E_HEALING + i], w[s.Z_MID + i]) / w[p.HEALING_TIME + i]
        late = lateness(w[s.OPENED + i], max(open_1, w[s.OPENED + i]))
        u = heal(w[s.SURFACE + i], new, late, h * healing)
        w[s.OPENED_1 + i], w[s.NEW + i], w[s.LATENESS + i] = open_1, new, late
        w[s.SURFACE_1 + i] = u
        z = w[s.Z_1 + i]
        density, slope = leak_density(
            w[s.PHI_P_1 + i], w[p.SHUTTLE + i] * u, w[p.U_SHUTTLE + i], w[p.W_SHUTTLE + i],
            w[p.OXIDATION + i] * arrhenius(w[p.E_OXIDATION + i], z), w[p.U_OXIDATION + i],
            w[p.W_OXIDATION + i],
        )  # fmt: skip
        w[s.LEAK_1 + i] = density * w[s.S_N + i]
        w[s.DLEAK + i] = slope * w[s.S_N + i] * w[s.DPHI_P + i]
        # contacts carry the current of the terminals
        w[s.V_1 + i] += w[s.LEAK_1 + i] * w[p.R_CONTACT + i]
        w[s.DV_DI + i] += w[s.DLEAK + i] * w[p.R_CONTACT + i]


@law
def stored(w, i, seconds):
    """Squared filling of the store [C2 m-4] so long after the step has begun."""
    rate = w[p.STORAGE + i] * arrhenius(w[p.E_STORAGE + i], w[s.Z_MID + i])
    x_1 = w[s.X_C + i] + w[s.X_I + i] * w[s.I_1 + i]
    endless = seconds * rate * rate * 0.5 * (w[s.X + i] + x_1)
    after = w[s.STORE + i] + endless * admitted(w[s.STORE + i], endless, w[p.STORE_CAPACITY + i])
    return max(after, STORE_AT_START * STORE_AT_START)


@lanes
def consume(w):
    """Lithium that the healing film takes, that is lost beside it and that is kept, heat and bow of
    the leak. Surfaces and voltage follow; a voltage that is held stays.
    """
    for i in range(LANES):
        z = w[s.Z_1 + i]
        share = gate(w[s.PHI_P_1 + i], w[p.U_SHUTTLE + i], w[p.W_SHUTTLE + i])
        density = w[p.UNPASSIVATED + i] * arrhenius(w[p.E_HEALING + i], z)
        healing = arrhenius(w[p.E_HEALING + i], z) / w[p.HEALING_TIME + i]
        w[s.HEALING_1 + i] = healing
        w[s.HEAL_1 + i] = w[p.PASSIVATION + i] * w[s.SURFACE_1 + i] * healing
        w[s.LOSS_1 + i] = density * w[s.SURFACE_1 + i] * share + w[s.HEAL_1 + i]
        w[s.HEAT_1 + i] += w[s.LEAK_1 + i] * w[s.V_1 + i]
        # charge by which the leak, a parabola through its last slope, is off the straight line
        # that the state followed
        h, bend = w[s.H + i], w[s.BEND + i]
        bent = w[s.LEAK_1 + i] - w[s.LEAK_0 + i] - w[s.LEAK_SLOPE + i] * h
        w[s.LEAK_BOW + i] = bend * bent
        loss_0, loss_1 = w[s.LOSS_0 + i] - w[s.HEAL_0 + i], w[s.LOSS_1 + i] - w[s.HEAL_1 + i]
        w[s.LOSS_BOW + i] = bend * (loss_1 - loss_0 - w[s.LOSS_SLOPE + i] * h)
        w[s.LOST_1 + i] = 0.5 * h * (loss_0 + loss_1) - w[s.LOSS_BOW + i]
        healed = w[s.SURFACE + i] + w[s.NEW + i] - w[s.SURFACE_1 + i]
        w[s.HEALED_1 + i] = w[p.PASSIVATION + i] * healed
        # surface opens at a rate that runs linearly: how far from where the last step left it
        bent = 2.0 * (1.0 - w[s.LATENESS + i]) * w[s.NEW + i] - w[s.OPENING_RATE + i] * h
        bent *= min(h * healing, 1.0) * (1.0 / 3.0) if bend > 0.0 else 0.0
        w[s.HEAL_BOW + i] = w[p.PASSIVATION + i] * bent
        w[s.STORE_1 + i] = stored(w, i, h)
        kept = math.sqrt(w[s.STORE_1 + i]) - math.sqrt(w[s.STORE + i])
        guessed = 0.5 * h * (w[s.OTHER_0 + i] + w[s.OTHER_1 + i])
        excess = w[s.LOST_1 + i] + w[s.HEALED_1 + i] + kept - guessed
        w[s.EXCESS + i] = w[s.S_N + i] * excess
        free = 1.0 if w[s.KIND + i] == CURRENT else 0.0
        x = -free * w[s.Q_N + i] * (w[s.EXCESS + i] - w[s.LEAK_BOW + i])
        y = -free * w[s.Q_P + i] * w[s.LEAK_BOW + i]
        move_negative_surface(w, i, x)
        move_positive_surface(w, i, y)
        w[s.PHI_P_1 + i] += w[s.SLOPE_P + i] * y
        w[s.V_1 + i] += w[s.SLOPE_P + i] * y - w[s.SLOPE_N + i] * x
        w[s.OTHER_SHIFT + i] = x


@lanes
def keep(w):
    """Add up and move on what an accepted step did to the surface; takes the lithium it consumed
    beyond what was predicted from the negative electrode.
    """
    for i in range(LANES):
        accepted = w[s.ACCEPTED + i]
        landed = (accepted > 0.0) & (w[s.FINISHED + i] > 0.0)
        h, beyond = w[s.H + i], w[s.BEYOND + i] if landed else 0.0
        after = stored(w, i, h + beyond)
        more = math.sqrt(after) - math.sqrt(w[s.STORE_1 + i])
        continued = (h > 0.0) & (w[s.OPENING + i] == 0.0)
        leak_0, leak_1, bow_leak = w[s.LEAK_0 + i], w[s.LEAK_1 + i], w[s.LEAK_BOW + i]
        loss_0, loss_1 = w[s.LOSS_0 + i] - w[s.HEAL_0 + i], w[s.LOSS_1 + i] - w[s.HEAL_1 + i]
        lost = w[s.LOST_1 + i] + beyond * loss_1
        healed = w[s.HEALED_1 + i] + beyond * w[s.HEAL_1 + i]
        more += beyond * w[s.LOSS_1 + i]
        surface = w[s.SURFACE_1 + i] * max(1.0 - beyond * w[s.HEALING_1 + i], 0.0)
        leaked = 0.5 * h * (leak_0 + leak_1) - bow_leak + beyond * leak_1
        # where a voltage is held, the cell's current is a parabola with its leak
        bow = 0.0 if w[s.KIND + i] == VOLTAGE else bow_leak
        excess = w[s.Q_N + i] * (w[s.EXCESS + i] + more * w[s.S_N + i] - bow)
        per_second = 1.0 / h if continued else 0.0
        change_leak = (leak_1 - leak_0) * per_second
        change_loss = (loss_1 - loss_0) * per_second  # without what heals
        opening = 2.0 * w[s.LATENESS + i] * w[s.NEW + i] * per_second
        w[s.OPENING_RATE + i] = choose(accepted, opening, w[s.OPENING_RATE + i])
        w[s.X_C + i] -= choose(accepted, excess, 0.0)
        w[s.Y_C + i] -= choose(accepted, w[s.Q_P + i] * bow, 0.0)
        w[s.LOST + i] += choose(accepted, lost, 0.0)
        w[s.FILM + i] += choose(accepted, healed * w[s.FILM_PER_CHARGE + i], 0.0)
        w[s.HEAL_0 + i] = choose(accepted, w[s.HEAL_1 + i], w[s.HEAL_0 + i])
        w[s.LEAKED + i] += choose(accepted, leaked, 0.0)
        w[s.STORE + i] = choose(accepted, after, w[s.STORE + i])
        w[s.LOSS_SLOPE + i] = choose(accepted, change_loss, w[s.LOSS_SLOPE + i])
        w[s.LEAK_SLOPE + i] = choose(accepted, change_leak, w[s.LEAK_SLOPE + i])
        w[s.LOSS_0 + i] = choose(accepted, w[s.LOSS_1 + i], w[s.LOSS_0 + i])
        w[s.SURFACE + i] = choose(accepted, surface, w[s.SURFACE + i])
        w[s.OPENED + i] = choose(accepted, w[s.OPENED_1 + i], w[s.OPENED + i])
