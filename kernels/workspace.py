"""Where each number of a block of cells lies: one flat array, one row of LANES doubles a quantity.

`w[ROW + lane]` reads one of them. A single array with offsets known at compile time lets LLVM
prove that rows do not overlap, which it needs before it vectorises a loop over lanes.
"""

import numpy as np

from kernels.electrolyte import CELLS
from kernels.parameters import COUNT, LANES
from kernels.particle import MODES
from kernels.shells import SHELLS

_start = COUNT * LANES


def _rows(count):
    global _start
    first, _start = _start, _start + count * LANES
    return range(first, _start, LANES)


def _block(count):
    """The first of several rows that are numbered: modes, volumes."""
    return _rows(count)[0]


# Fixed for a case: stoichiometry per coulomb, particle area and its inverse, D / R^2 at reference;
(Q_N, Q_P, S_N, S_P, PER_S_N, RATE_N, RATE_P) = _rows(7)
# electrolyte: conductance per diffusivity between volumes and from the last one to the separator,
# salt volumes, salt source per ampere, relaxation time times diffusivity, mean concentration;
(LINK_N, LINK_N_S, LINK_S_P, LINK_P) = _rows(4)
(SALT_N, SALT_S, SALT_P, SOURCE, RELAXATION, C_AV) = _rows(6)
# resistances: electrolyte times conductivity and the bow of its drop in the negative electrode over
# that, solid, collectors; inverses; film per charge density
(R_PATH, SHARE_N, R_SOLID, R_HEAT, PER_HEAT_CAPACITY, PER_T_REF) = _rows(6)
(LOG_C_REF, FILM_PER_CHARGE) = _rows(2)
# State: mean stoichiometries, temperature, film thickness, modes, salt concentrations
(X, Y, T, FILM) = _rows(4)
X_MODE, Y_MODE, SALT = _block(MODES), _block(MODES), _block(CELLS)
# At the last accepted time: current, overpotentials, negative overpotential, side current density,
# heat, surfaces with the integrals of their potentials, the negative one
(I_0, V_0, ETA_0, ETA_N_0, J_0, HEAT_0, XS_0, YS_0, AREA_N_0, AREA_P_0, EVEN_0) = _rows(11)
(POT_N_0,) = _rows(1)
# and how fast they have been changing, their `bends`; error of straight lines and length of the
# last step
(ETA_SLOPE, I_SLOPE, J_SLOPE, HEAT_SLOPE, XS_SLOPE, YS_SLOPE) = _rows(6)
(ETA_BEND_0, XS_BEND_0, YS_BEND_0, ERROR_0, H_0) = _rows(5)
# The step under trial: length, current, voltage, overpotentials, negative electrode against Li,
# how they change with current, side current density (predicted, computed), heat, temperature, film
(H, I_1, V_1, ETA_1, ETA_N_1, DV_DI, DETA_N, AWAY, J_GUESS, J_1, HEAT_1, T_1, FILM_1) = _rows(13)
# kelvin per watt of it, its Arrhenius variable midway and at the end, side current at its ends;
(PER_WATT, PER_WATT_LATE, Z_MID, Z_1, SIDE_0, SIDE_1) = _rows(6)
# inner points of the side charge's rule: surface, potential with its slope and integral
(XS_A, XS_B, POT_A, POT_B, SLOPE_A, SLOPE_B, AREA_A, AREA_B) = _rows(8)
# side charge; charge of a parabola per ampere by which the end current is off the last slope, and
# other bends
(SIDE_CHARGE, SIDE_ERROR, SIDE_SHIFT, BEND, ETA_BEND, XS_BEND, YS_BEND) = _rows(7)
# the state at its end as an affine function of its end current: constant and slope
(X_C, X_I, Y_C, Y_I, XS_C, XS_I, YS_C, YS_I) = _rows(8)
X_MODE_C, X_MODE_I, Y_MODE_C, Y_MODE_I = _block(MODES), _block(MODES), _block(MODES), _block(MODES)
SALT_C, SALT_I = _block(CELLS), _block(CELLS)
# Particles: step over diffusion time, its inverse, forcing per ampere at both ends of the step
(STEPS_N, STEPS_P, PER_STEPS_N, PER_STEPS_P, UNIT_N_0, UNIT_P_0, UNIT_N, UNIT_P) = _rows(8)
# Electrolyte: diffusivities with their slopes and integrals over concentration, inverse; how faces
# differ from that by temperature, conductances, elimination; resistance, chi
SALT_AT, SALT_D, SALT_SLOPE, SALT_AREA = (
    _block(CELLS), _block(CELLS), _block(CELLS), _block(CELLS)
)  # fmt: skip
SALT_PHI, PER_SALT_D, F_FACE = _block(CELLS), _block(CELLS), _block(CELLS - 1)
LINK, RATIO, PIVOT = _block(CELLS - 1), _block(CELLS - 1), _block(CELLS)
(WEIGHT, LATER, BOTH, F_KAPPA, F_TDF, F_T_PLUS, R_ELECTROLYTE, CHI) = _rows(8)
# Surfaces: stoichiometry, potential with its slope and integral, entropic change, other factors,
# `uneven_potential`
(XS, YS, POT_N, POT_P, SLOPE_N, SLOPE_P, AREA_N, AREA_P, ENT_N, ENT_P) = _rows(10)
(F_J_N, F_J_P, EVEN_1) = _rows(3)
# The protocol step: kind, setpoint, limits, time left, bracket of the limit, charge passed;
(KIND, SETPOINT, VOLTAGE_LIMIT, CURRENT_LIMIT, CHARGE_LIMIT, LEFT, BRACKET, PASSED) = _rows(8)
# marching or not, status, attempts
(ACTIVE, OPENING, STATUS, ATTEMPTS, SKIPPABLE) = _rows(5)
# The verdict on a time step
(VOLTAGE_BOW, BOW, ERROR, OVER, OVER_VOLTAGE, OVER_CURRENT, OVER_CHARGE, HIT) = _rows(8)
(BEYOND, AHEAD, LANDING_FROM, REPEATED) = _rows(4)
(ACCEPTED, H_NEXT, FINISHED) = _rows(3)
# Sums over the protocol step, and over the protocol
(CHARGE_IN, CHARGE_OUT, ENERGY_IN, ENERGY_OUT) = _rows(4)
(TIME, TIME_IN, TIME_OUT, SQUARED_CURRENT, T_MAX, PHI_MIN, CUT_OFF) = _rows(7)
# `passivation`, 0 without it. State: unpassivated surface, all that was opened, highest mean
# stoichiometry, squared store, charges lost and leaked; at the end of the step;
(SURFACE, OPENED, X_MAX, STORE, LOST, LEAKED) = _rows(6)
(SURFACE_1, OPENED_1) = _rows(2)
# leak, loss of lithium, other side current densities than the film's (predicted) at both ends;
# leak over current; what of it heals, and in the whole step; potential of the positive electrode
(LEAK_0, LEAK_1, DLEAK, LOSS_0, LOSS_1, LOSS_GUESS, LOSS_SLOPE, OTHER_0, OTHER_1) = _rows(9)
(LEAK_SLOPE, LEAK_BOW, LOSS_BOW, HEAL_0, HEAL_1, HEAL_GUESS, HEALED, NEW) = _rows(8)
# lost, healed and stored until the end, what that is beyond the prediction, by which the surface
# moved; rate of healing; share of the opening that is late, the rate it ended with, what it is bent
(LOST_1, HEALED_1, STORE_1, EXCESS, OTHER_SHIFT, HEALING_1) = _rows(6)
(LATENESS, OPENING_RATE, HEAL_BOW) = _rows(3)
(PHI_P_1, DPHI_P) = _rows(2)
# `second_phase`. Fixed for a case: as above, and its share of the electrode's capacity;
(Q_2, S_2, PER_S_2, RATE_2, FILM_2_PER_CHARGE, SHARE_2) = _rows(6)
# state; at the last accepted time: its current, its side current density, how they change;
(X_2, FILM_2, X_MEAN_MAX, LOST_2) = _rows(4)
X_2_MODE = _block(MODES)
(I_2_0, J_2_0, I_2_SLOPE, J_2_SLOPE) = _rows(4)
# the step under trial: predicted and solved, per ampere of the cell, how far potentials were
# apart, how fast both rise with the current that they share, the cell's before the last iteration;
(I_2_GUESS, I_2_1, DI_2, APART, ALONG, I_BEFORE) = _rows(6)
(J_2_GUESS, J_2_1, FILM_2_1, SIDE_2_CHARGE) = _rows(4)
# its particles, affine in its own end current; its surface; potential with half the distance of
# its branches; what the table of the first one's lacks; exchange currents and salt
(X_2_C, X_2_I, XS_2_C, XS_2_I, XS_2, STEPS_2, PER_STEPS_2, UNIT_2_0, UNIT_2) = _rows(9)
X_2_MODE_C, X_2_MODE_I = _block(MODES), _block(MODES)
(POT_2, SLOPE_2, AREA_2, APART_2, APART_SLOPE_2, APART_AREA_2, ENT_2, F_J_2) = _rows(8)
(LACKING, LACKING_SLOPE) = _rows(2)
(LOG_N, CHANGE_N, OWN_N, OWN_2, OWN_P) = _rows(5)
# `uneven_reaction`: u and ln c in each volume and how much they change across it, what runs as them
# of both materials, with their P and M, and of both side reactions; resistances of solid, and of
# salt times conductivity; how side reactions follow u; even currents, and what runs per the above
UNEVEN_U, UNEVEN_DU = _block(CELLS), _block(CELLS)
UNEVEN_LN, UNEVEN_DLN = _block(CELLS), _block(CELLS)
UNEVEN_UP, UNEVEN_DOWN = _block(CELLS), _block(CELLS)
UNEVEN_UP_2, UNEVEN_DOWN_2 = _block(CELLS), _block(CELLS)
UNEVEN_SIDE, UNEVEN_SIDE_2 = _block(CELLS), _block(CELLS)
(UP_N, DOWN_N, UP_2, DOWN_2, UP_P, DOWN_P) = _rows(6)
(R_SOLID_N, R_SOLID_P, R_SALT_N, R_SALT_P) = _rows(4)
(STEEP, STEEP_2, EVEN, EVEN_SIDE, UNEVEN_HEAT) = _rows(5)
(PER_UP, PER_DOWN, PER_UP_2, PER_DOWN_2, PER_SIDE, PER_SIDE_2) = _rows(6)
# `uneven_salt`: what reactions release at both ends of the step, what of it is in the salt, a
# better guess; `last_volume` of both electrodes: conductance to the separator over that between
# volumes, change of ln c and rise of reactions across it, what is moved across its faces, its lift
UNEVEN_0, UNEVEN_1, UNEVEN_STEP = _block(CELLS), _block(CELLS), _block(CELLS)
TARGET = _block(CELLS)
THROUGH, ACROSS, RISE = _block(2), _block(2), _block(2)
MOVED_BEFORE, MOVED, LIFT = _block(2), _block(2), _block(2)
# Shells of the negative particle, where it has them instead of modes. State; how fast it has been
# changing; a guess of it within the step, with diffusivities and their integrals there;
_first = _start
SHELL, SHELL_RATE, SHELL_AT = _block(SHELLS), _block(SHELLS), _block(SHELLS)
SHELL_D, SHELL_AREA, SHELL_LIFT = _block(SHELLS), _block(SHELLS), _block(SHELLS)
# beginning and end of a stage as above, conductances, elimination;
BEGIN_C, BEGIN_I, SHELL_C, SHELL_I = _block(SHELLS), _block(SHELLS), _block(SHELLS), _block(SHELLS)
FIRST_C, FIRST_I = _block(SHELLS), _block(SHELLS)
SHELL_LINK, SHELL_RATIO = _block(SHELLS - 1), _block(SHELLS)
(GAIN, CARRY, SURFACE_D, SURFACE_AREA, SURFACE_MOVE) = _rows(5)
# the surface, and by how much the last iteration moved it;
(SHELL_XS_0, SHELL_XS, SHELL_XS_C, SHELL_XS_I, SHELL_UNSETTLED) = _rows(5)
# and what `shell_step.describe` and `describe_move` write
(INFLOW_0, INFLOW_1, INFLOW_I, DIFFUSION) = _rows(4)
(SHELL_H, SHELL_H_0, SHELL_I_1, SHELL_T, SHELL_T_REF) = _rows(5)
(SHELL_PER_H, SHELL_ACCEPTED, SHELL_MEAN) = _rows(3)
TO_POSITIVE = _start - _first  # from these rows to the same ones of the positive particle
_rows(TO_POSITIVE // LANES)

SIZE = _start
ROWS = SIZE // LANES
CACHE_LINE = 8  # numbers


def room(entries):
    """Where a block of cells is marched.

    Returns
    -------
    tuple of arrays: workspace, shape (SIZE,), from the beginning of a cache line on (6 % faster);
        vectors of the lanes' cases, shape (LANES, entries); their cases and protocol steps, int64,
        shape (2, LANES)
    """
    numbers = np.empty(SIZE + CACHE_LINE)
    first = -numbers.ctypes.data // 8 % CACHE_LINE
    places = np.empty((2, LANES), dtype=np.int64)
    return numbers[first : first + SIZE], np.empty((LANES, entries)), places
