"""Where each number of a block of cells lies: one flat array, one row of LANES doubles a quantity.

`w[ROW + lane]` reads one of them. A single array with offsets known at compile time lets LLVM
prove that rows do not overlap, which it needs before it vectorises a loop over lanes.
"""

from kernels.parameters import COUNT, LANES
from kernels.particle import MODES

_start = COUNT * LANES


def _rows(count):
    global _start
    first, _start = _start, _start + count * LANES
    return range(first, _start, LANES)


def _modes():
    """The first of one row per mode."""
    return _rows(MODES)[0]


# Fixed for a case: stoichiometry per coulomb, particle area and its inverse, D / R^2 at reference;
(Q_N, Q_P, S_N, S_P, PER_S_N, PER_S_P, RATE_N, RATE_P) = _rows(8)
# paths L / efficiency of the layers, their salt volumes L eps, shares of the thickness;
(PATH_N, PATH_S, PATH_P, SALT_N, SALT_S, SALT_P, SHARE_N, SHARE_S, SHARE_P) = _rows(9)
# resistances: electrolyte times conductivity, solid, collectors; inverses; film per charge density
(R_PATH, R_SOLID, R_HEAT, PER_AREA, PER_T_REF, LOG_C_REF, FILM_PER_CHARGE) = _rows(7)
# State: mean stoichiometries, filtered current density, temperature, film thickness, modes
(X, Y, G, T, FILM) = _rows(5)
X_MODE, Y_MODE = _modes(), _modes()
# At the last accepted time: current, voltage, overpotentials, side current density, heat, surfaces
(I_0, V_0, ETA_0, J_0, HEAT_0, XS_0, YS_0, AREA_N_0, AREA_P_0, PHI_0, POT_N_0, J_N_0) = _rows(12)
# and how fast they have been changing
(V_SLOPE, ETA_SLOPE, I_SLOPE, J_SLOPE, XS_SLOPE, YS_SLOPE) = _rows(6)
# The step under trial: length, current, voltage, overpotentials, negative electrode against Li,
# dV/dI, side current density (predicted, computed), heat, temperature, film
(H, I_1, V_1, ETA_1, PHI_1, J_N_1, DV_DI, J_GUESS, J_1, HEAT_1, T_1, FILM_1) = _rows(12)
# its Arrhenius variable at both ends and midway, side current at its ends, side charge
(Z_MID, SIDE_0, SIDE_1, XS_MID, POT_MID, SIDE_CHARGE, SIDE_ERROR) = _rows(7)
# the state at its end as an affine function of its end current: constant and slope
(X_C, X_I, Y_C, Y_I, XS_C, XS_I, YS_C, YS_I, G_C, G_I) = _rows(10)
X_MODE_C, X_MODE_I, Y_MODE_C, Y_MODE_I = _modes(), _modes(), _modes(), _modes()
# Particles: step over diffusion time, its inverse, surface deviation at steady state per ampere
(STEPS_N, STEPS_P, PER_STEPS_N, PER_STEPS_P, UNIT_N, UNIT_P) = _rows(6)
# Electrolyte: layer means, factors read from the tables, unit profile, resistance, chi
(C_N, C_S, C_P, C_AV, F_D_N, F_D_S, F_D_P, F_KAPPA, F_TDF, F_T_PLUS) = _rows(10)
(U_SALT_N, U_SALT_S, U_SALT_P, DROP_N, DROP_P, R_ELECTROLYTE, CHI, SALT_MIX) = _rows(8)
# Surfaces: stoichiometry, potential with its slope and integral, entropic change, other factors
(XS, YS, POT_N, POT_P, SLOPE_N, SLOPE_P, AREA_N, AREA_P, ENT_N, ENT_P) = _rows(10)
(F_J_N, F_J_P, F_DS_N, F_DS_P, J0_N, J0_P) = _rows(6)
# The protocol step: setpoint, limit, time left, bracket of the limit, marching or not, status
(SETPOINT, LIMIT, LEFT, BRACKET, ACTIVE, STATUS, ATTEMPTS) = _rows(7)
# The verdict on a time step
(ERROR, MISTAKEN, OVER, HIT, TO_LIMIT, ACCEPTED, H_NEXT, HELD) = _rows(8)
# Sums over the protocol step, and over the protocol
(CHARGE_IN, CHARGE_OUT, ENERGY_IN, ENERGY_OUT) = _rows(4)
(TIME, TIME_IN, TIME_OUT, SQUARED_CURRENT, T_MAX, PHI_MIN) = _rows(6)

SIZE = _start
