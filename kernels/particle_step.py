"""One time step of the particles: modes where the diffusivity is the same for all stoichiometries,
shells where it is not.
"""

from kernels import parameters as p
from kernels import tables as t
from kernels import workspace as s
from kernels.compiled import lanes, law, sequence
from kernels.kinetics import arrhenius
from kernels.limits import SHORTEST_STEP
from kernels.parameters import LANES
from kernels.particle import MODES, RATES, RESIDUES, decays, mean_decay, mode_step
from kernels.shell_step import describe, propose_shells


@law
def describe_modes(w, i, rate, activation, per_ampere, steps, per_steps, unit_0, unit):
    """Write the step in diffusion times, its inverse and the forcing per ampere at both ends.

    `rate` is D / R^2 at the reference temperature and `per_ampere` what a current adds to the mean,
    a third of it; the last four are rows.
    """
    rate *= arrhenius(activation, w[s.Z_MID + i])
    half = arrhenius(activation, w[s.Z_1 + i] - w[s.Z_MID + i])
    h = max(w[s.H + i], SHORTEST_STEP)
    per_all = 1.0 / (h * rate * half)  # one division instead of three
    midway = per_ampere * h * per_all  # u = (tau / 3) ds/dt, over `half`
    w[steps + i], w[per_steps + i] = w[s.H + i] * rate, half * per_all
    w[unit_0 + i], w[unit + i] = midway * half * half, midway


@law
def propose_modes(
    w, i, before, after, steps, per_steps, unit_0, unit, mode, mode_c, mode_i, surface_c,
    surface_i, surface,
):  # fmt: skip
    """Modes and surface of a particle at the end of the step, after its mean: `before` and `after`
    are the currents at both ends, the latter without the end current; the others are rows.

    Counted in diffusion times the modes decay at constant rates, however the diffusivity changes
    with temperature; what forces them is a current times the diffusion time of its own moment.
    """
    unit, unit_0 = w[unit + i], w[unit_0 + i]
    e = decays(w[steps + i])
    constants, slopes = w[surface_c + i], w[surface_i + i]
    for k in range(MODES):
        at = k * LANES + i
        mean = mean_decay(RATES[k], e[k], w[steps + i], w[per_steps + i])
        constant = mode_step(w[mode + at], RESIDUES[k], before * unit_0, after * unit, e[k], mean)
        slope = RESIDUES[k] * unit * (1.0 - mean)
        w[mode_c + at], w[mode_i + at] = constant, slope
        constants, slopes = constants + constant, slopes + slope
    w[surface_c + i], w[surface_i + i] = constants, slopes
    w[surface + i] = constants + slopes * w[s.I_1 + i]


@lanes
def propose_negative_modes(w):
    """Negative particles at the end of the step; they are filled by the side currents too."""
    for i in range(LANES):
        describe_modes(
            w, i, w[s.RATE_N + i], w[p.E_D_N + i], (-1.0 / 3.0) * w[s.Q_N + i], s.STEPS_N,
            s.PER_STEPS_N, s.UNIT_N_0, s.UNIT_N,
        )  # fmt: skip
    for i in range(LANES):
        before, after = w[s.I_0 + i] + w[s.SIDE_0 + i], w[s.SIDE_1 + i]
        propose_modes(
            w, i, before, after, s.STEPS_N, s.PER_STEPS_N, s.UNIT_N_0, s.UNIT_N, s.X_MODE,
            s.X_MODE_C, s.X_MODE_I, s.XS_C, s.XS_I, s.XS,
        )  # fmt: skip


@lanes
def propose_positive_modes(w):
    """Positive particles at the end of the step."""
    for i in range(LANES):
        describe_modes(
            w, i, w[s.RATE_P + i], w[p.E_D_P + i], (1.0 / 3.0) * w[s.Q_P + i], s.STEPS_P,
            s.PER_STEPS_P, s.UNIT_P_0, s.UNIT_P,
        )  # fmt: skip
    for i in range(LANES):
        propose_modes(
            w, i, w[s.I_0 + i], 0.0, s.STEPS_P, s.PER_STEPS_P, s.UNIT_P_0, s.UNIT_P, s.Y_MODE,
            s.Y_MODE_C, s.Y_MODE_I, s.YS_C, s.YS_I, s.YS,
        )  # fmt: skip


@lanes
def describe_negative(w):
    """What shells have to know of the negative particles."""
    for i in range(LANES):
        per_ampere = -w[s.Q_N + i]
        before, after = w[s.I_0 + i] + w[s.SIDE_0 + i], w[s.SIDE_1 + i]
        rate = w[s.RATE_N + i] * arrhenius(w[p.E_D_N + i], w[s.Z_MID + i])
        describe(w, i, i, per_ampere * before, per_ampere * after, per_ampere, rate)


@lanes
def describe_positive(w):
    """What shells have to know of the positive particles."""
    for i in range(LANES):
        per_ampere = w[s.Q_P + i]
        rate = w[s.RATE_P + i] * arrhenius(w[p.E_D_P + i], w[s.Z_MID + i])
        describe(w, i, s.TO_POSITIVE + i, per_ampere * w[s.I_0 + i], 0.0, per_ampere, rate)


@lanes
def take_surface(w, shells, surface, surface_c, surface_i):
    """Copy the surface that the shells found to the rows where all others look for it."""
    for i in range(LANES):
        w[surface + i] = w[s.SHELL_XS + shells + i]
        w[surface_c + i] = w[s.SHELL_XS_C + shells + i]
        w[surface_i + i] = w[s.SHELL_XS_I + shells + i]


@sequence
def propose_negative(w, tables, flat):
    """Negative particles at the end of the step."""
    if flat[t.SHAPE_D_N] and flat[t.WARM_D_N]:
        propose_negative_modes(w)
    else:
        describe_negative(w)
        propose_shells(w, 0, tables, flat, t.SHAPE_D_N, t.WARM_D_N)
        take_surface(w, 0, s.XS, s.XS_C, s.XS_I)


@sequence
def propose_positive(w, tables, flat):
    """Positive particles at the end of the step."""
    if flat[t.SHAPE_D_P] and flat[t.WARM_D_P]:
        propose_positive_modes(w)
    else:
        describe_positive(w)
        propose_shells(w, s.TO_POSITIVE, tables, flat, t.SHAPE_D_P, t.WARM_D_P)
        take_surface(w, s.TO_POSITIVE, s.YS, s.YS_C, s.YS_I)
