"""Where each number of a block of cells lies: one flat array, one row of LANES doubles per
quantity.

`w[ROW + lane]` reads one of them. A single array with offsets known at compile time lets LLVM
prove that rows do not
overlap, which it needs before it vectorises a loop over lanes.
"""

from kernels.parameters import COUNT, LANES
from kernels.particle import MODES

_start = COUNT * LANES


def _rows(count):
    global _start
    first, _start = _start, _start + count * LANES
    return range(first, _start, LANES)


# fixed for a case: stoichiometry per coulomb, particle area, solid resistance, R^2
(Q_N, Q_P, S_N, S_P, R_SOLID, TOR_N, TOR_S, TOR_P) = _rows(8)
# state: mean stoichiometries, filtered current density, temperature, film thickness
(X, Y, G, T, FILM) = _rows(5)
(X_MODE,) = _rows(1)
_rows(MODES - 1)
(Y_MODE,) = _rows(1)
_rows(MODES - 1)
# at the last accepted time: current, voltage, overpotentials, SEI current density, heat, surfaces;
# rates of change
(I_0, V_0, ETA_0, J_0, HEAT_0, XS_0, YS_0, AREA_N_0, AREA_P_0, PHI_0, POT_N_0, J_N_0) = _rows(12)
(V_SLOPE, ETA_SLOPE, I_SLOPE, J_SLOPE, XS_SLOPE, YS_SLOPE) = _rows(6)
# the step under trial: length, current, voltage, overpotentials, negative electrode against Li,
# dV/dI, SEI current density (predicted, computed), heat
(H, I_1, V_1, ETA_1, PHI_1, J_N_1, DV_DI, J_GUESS, J_1, HEAT_1, T_1, FILM_1) = _rows(12)
# side reaction over the step
(XS_MID, POT_MID, SIDE_CHARGE, SIDE_ERROR) = _rows(4)
# the state at its end as an affine function of its end current: constant and slope
(X_C, X_I, Y_C, Y_I, XS_C, XS_I, YS_C, YS_I, G_C, G_I) = _rows(10)
(X_MODE_C,) = _rows(1)
_rows(MODES - 1)
(X_MODE_I,) = _rows(1)
_rows(MODES - 1)
(Y_MODE_C,) = _rows(1)
_rows(MODES - 1)
(Y_MODE_I,) = _rows(1)
_rows(MODES - 1)
# particles: diffusion time and surface deviation at steady state per ampere; side current at both
# ends
(TAU_N, TAU_P, UNIT_N, UNIT_P, SIDE_0, SIDE_1) = _rows(6)
# electrolyte: unit profile and properties
(
    C_N,
    C_S,
    C_P,
    C_AV,
    F_D_N,
    F_D_S,
    F_D_P,
    F_KAPPA,
    F_TDF,
    F_T_PLUS,
    U_SALT_N,
    U_SALT_P,
    U_SALT_AV,
    DROP_N,
    DROP_P,
) = _rows(15)
(R_ELECTROLYTE, CHI) = _rows(2)
# surfaces: stoichiometry, potential with its slope and integral, entropic change, shapes of
# exchange current and diffusivity
(
    XS,
    YS,
    POT_N,
    POT_P,
    SLOPE_N,
    SLOPE_P,
    AREA_N,
    AREA_P,
    ENT_N,
    ENT_P,
    F_J_N,
    F_J_P,
    F_DS_N,
    F_DS_P,
) = _rows(14)
# the protocol step: setpoint, limit, time left, bracket of the limit, marching or not, status
(SETPOINT, LIMIT, LEFT, BRACKET, ACTIVE, STATUS, ATTEMPTS) = _rows(7)
# the verdict on a time step
(ERROR, OVER, HIT, TO_LIMIT, ACCEPTED, H_NEXT, HELD) = _rows(7)
# sums over the step, and over the protocol
(CHARGE_IN, CHARGE_OUT, ENERGY_IN, ENERGY_OUT) = _rows(4)
(TIME, TIME_IN, TIME_OUT, SQUARED_CURRENT, T_MAX, PHI_MIN) = _rows(6)

SIZE = _start
