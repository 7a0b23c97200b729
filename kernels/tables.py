"""Functions of stoichiometry or salt concentration, tabulated on a uniform grid and read by cubic
Hermite interpolation.

A table holds the four coefficients of each interval, so that a value costs one multiplication for
the position, one
contiguous read and three fused multiply-adds, whatever the formula was. On 1024 intervals the
error in a potential is
5 nV where the formula is smooth. A fifth number is the integral up to the interval: the mean of a
measured, jagged potential over a time step is then exact however long the step. Two more are the
place of a kink within the interval and the jump of the slope there: measured potentials that are
joined by straight lines are exact where at most one of their points lies between two of the grid.
Without that, a cliff that ends within an interval is up to 0.15 V off (positive electrode of
`nvpf-hard-carbon`, which ends its charges there).

A property of particle or electrolyte is
    row * shape(s) * exp(E_row (1 / T_ref - 1 / T) / R) * (1 + a(s) t + b(s) t**2 + c(s) t**3),
t = (T - T_ref) / DEGREES. Most properties follow Arrhenius: their a, b and c are 0 and not read.
"""

import numpy as np

from kernels.compiled import law

INTERVALS = 1024
COLUMNS = 8  # numbers per interval: a cache line; the last one is not used
KINK, JUMP = 5, 6  # columns
CONCENTRATION_LIMIT = 6000.0  # mol m-3, upper end of the tables over salt concentration
COLDEST, WARMEST = 253.15, 343.15  # K, where a, b and c hold; they are held beyond
DEGREES = 50.0  # K, so that they are of one size

#: what has a shape and a temperature dependence, in the order of their tables
PROPERTIES = (
    "negative_diffusivity",
    "positive_diffusivity",
    "electrolyte_diffusivity",
    "electrolyte_conductivity",
    "thermodynamic_factor",
    "transference_number",
)

#: the tables of one cell, in the order of their first index
NAMES = (
    "negative_potential",  # V
    "positive_potential",  # V
    "negative_entropic_change",  # V K-1
    "positive_entropic_change",  # V K-1
    "negative_exchange_current_shape",  # j0 / (row * sqrt(s (1 - s)))
    "positive_exchange_current_shape",
    # over stoichiometry, and over concentration / CONCENTRATION_LIMIT
    *(f"{name}_shape" for name in PROPERTIES),
    # a, b and c of each, in this order
    *(f"{name}_{power}" for name in PROPERTIES for power in ("linear", "quadratic", "cubic")),
    # of `second_phase`: mean of its potential's branches, half of what they are apart [V],
    "second_potential",
    "second_hysteresis",
    "second_entropic_change",  # V K-1
    "second_exchange_current_shape",
    # what both potentials lack, over stoichiometry / EMPTY: either material may empty the other
    "empty_negative_potential",
    "empty_second_potential",
    "empty_second_hysteresis",
    # coefficients of a polynomial, in its first row, where that is as good as the shape's table
    "electrolyte_diffusivity_polynomial",
)
#: stoichiometry below which two materials have finer tables of their potentials
EMPTY = 1.0 / 64.0
(
    U_N, U_P, DUDT_N, DUDT_P, SHAPE_J_N, SHAPE_J_P, SHAPE_D_N, SHAPE_D_P,
    SHAPE_D_E, SHAPE_KAPPA, SHAPE_TDF, SHAPE_T_PLUS,
) = range(12)  # fmt: skip
#: the first of the three tables of each property; flat if all three are
(WARM_D_N, WARM_D_P, WARM_D_E, WARM_KAPPA, WARM_TDF, WARM_T_PLUS) = range(12, 30, 3)
(U_2, HALF_2, DUDT_2, SHAPE_J_2, U_N_EMPTY, U_2_EMPTY, HALF_2_EMPTY, POLYNOMIAL_D_E) = range(
    30, len(NAMES)
)


def hermite_table(values, slopes, kinks=0.0, jumps=0.0):
    """Coefficients of a cubic Hermite interpolant on a uniform grid over [0, 1].

    Parameters
    ----------
    values, slopes : array, shape (INTERVALS + 1,)
        Function and its derivative with respect to the position in [0, 1].
    kinks, jumps : array, shape (INTERVALS,), or 0
        Place of a kink within each interval, 0 to 1, and by how much the derivative jumps there.

    Returns
    -------
    array, shape (INTERVALS, COLUMNS)
        Coefficients of 1, f, f**2, f**3 with f the position within the interval, 0 to 1; integral
        from 0 to the interval; place of a kink and jump of the derivative with respect to f; zero.
    """
    # before its kink the function is beside what lies after it by the jump times the way to it
    jumps = jumps / (len(values) - 1)
    a, b = values[:-1] - jumps * kinks, values[1:]
    da, db = slopes[:-1] / (len(values) - 1) + jumps, slopes[1:] / (len(values) - 1)
    areas = (0.5 * (a + b) + (da - db) / 12.0 + 0.5 * jumps * kinks**2) / (len(values) - 1)
    integral = np.concatenate([[0.0], np.cumsum(areas)[:-1]])
    rows = np.zeros((len(values) - 1, COLUMNS))
    rows[:, 0], rows[:, 1], rows[:, 4] = a, da, integral
    rows[:, 2], rows[:, 3] = 3 * (b - a) - 2 * da - db, 2 * (a - b) + da + db
    rows[:, KINK], rows[:, JUMP] = kinks, jumps
    return rows


@law
def lookup(tables, which, position):
    """Value, slope and integral from 0 of table `which` at a position, held within [0, 1]."""
    u = min(max(position, 0.0), 1.0) * INTERVALS
    i = max(min(int(u), INTERVALS - 1), 0)  # a NaN may be any integer
    f = u - i
    c0, c1, c2, c3 = (
        tables[which, i, 0],
        tables[which, i, 1],
        tables[which, i, 2],
        tables[which, i, 3],
    )
    kink, jump = tables[which, i, KINK], tables[which, i, JUMP]
    before = max(kink - f, 0.0)  # the kink lies ahead
    value = c0 + f * (c1 + f * (c2 + f * c3)) + jump * before
    slope = (c1 + f * (2.0 * c2 + f * (3.0 * c3))) * INTERVALS
    slope -= jump * INTERVALS if before > 0.0 else 0.0
    integral = (
        tables[which, i, 4]
        + f * (c0 + f * (c1 / 2.0 + f * (c2 / 3.0 + f * (c3 / 4.0)))) / INTERVALS
        + 0.5 * jump * (kink * kink - before * before) / INTERVALS
    )
    return value, slope, integral


@law
def temperature_factor(tables, which, position, T, T_ref):
    """The cubic in temperature, 1 at T_ref, whose coefficients begin at table `which`."""
    a, _, _ = lookup(tables, which, position)
    b, _, _ = lookup(tables, which + 1, position)
    c, _, _ = lookup(tables, which + 2, position)
    t = (min(max(T, COLDEST), WARMEST) - T_ref) * (1.0 / DEGREES)
    return 1.0 + t * (a + t * (b + t * c))
