"""The tables of one cell while they are being filled."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.polynomial import Polynomial

from kernels import tables

SLOPE_STEP = 1e-5  # of the position, for slopes by central differences
GRID = np.linspace(0.0, 1.0, tables.INTERVALS + 1)
HELD = 3  # intervals at which PyBaMM holds functions of the salt, up to 10 mol m-3, and one more
NOWHERE = np.empty(0)
BESIDE = 1e-7  # of the position, from a kink, for the slopes on both of its sides


class SetTables:
    """Coefficients of every table, and which of them are flat; at first those that need not be.

    Attributes
    ----------
    coefficients
        Array, shape (len(kernels.tables.NAMES), INTERVALS, COLUMNS).
    flat
        Bool array, shape (len(kernels.tables.NAMES),).
    """

    def __init__(self) -> None:
        self.coefficients = np.zeros((len(tables.NAMES), tables.INTERVALS, tables.COLUMNS))
        self.flat = np.ones(len(tables.NAMES), dtype=bool)

    def fill(
        self,
        which: int,
        function: Callable[[np.ndarray], np.ndarray],
        constant: float | None = None,
        within: float = 1e-12,
        kinks: np.ndarray = NOWHERE,
    ) -> None:
        """Tabulate a function of the position; flat if it stays `within` of the `constant`. `kinks`
        are positions where its slope jumps.
        """
        low, high = np.clip(GRID - SLOPE_STEP, 0, 1), np.clip(GRID + SLOPE_STEP, 0, 1)
        values, slopes = function(GRID), (function(high) - function(low)) / (high - low)
        # PyBaMM's potentials climb by a volt within the first and last interval: keep the cubic
        # there from swinging over
        for i, chord in ((0, values[1] - values[0]), (-1, values[-1] - values[-2])):
            steepest = 3.0 * chord * tables.INTERVALS
            slopes[i] = np.clip(slopes[i], min(0.0, steepest), max(0.0, steepest))
        self.coefficients[which] = tables.hermite_table(values, slopes, *_jumps(function, kinks))
        self.flat[which] = constant is not None and bool(np.all(np.abs(values - constant) < within))

    def fit(self, which: int, shape: int, within: float) -> None:
        """Put a polynomial through the table of a shape, if there is one that stays `within` of it,
        relative.
        """
        if self.flat[shape]:
            return
        at, values = GRID[HELD:-1], self.coefficients[shape, HELD:, 0]
        fitted = Polynomial.fit(at, values, tables.COLUMNS - 1, w=1 / values).convert()
        if np.all(np.abs(fitted(at) / values - 1) < within):
            self.coefficients[which, 0, : fitted.coef.size] = fitted.coef
            self.flat[which] = False

    def warm(self, name: str, coefficients: np.ndarray) -> None:
        """Tabulate the temperature factor of a property.

        Parameters
        ----------
        name
            One of kernels.tables.PROPERTIES.
        coefficients
            Array, shape (3, INTERVALS + 1): linear, quadratic and cubic.
        """
        first = tables.NAMES.index(f"{name}_linear")
        for which, values in enumerate(coefficients, first):
            slopes = np.gradient(values, GRID, edge_order=2)
            self.coefficients[which] = tables.hermite_table(values, slopes)
            self.flat[which] = False
        self.flat[tables.NAMES.index(f"{name}_shape")] = False  # read first, each time


def _jumps(
    function: Callable[[np.ndarray], np.ndarray], kinks: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Places of kinks within the intervals and the jumps there: of those in one interval the
    largest.
    """
    places, jumps = np.zeros(tables.INTERVALS), np.zeros(tables.INTERVALS)
    for kink in kinks:
        # so close to the grid that slopes there are taken across it
        if np.abs(GRID - kink).min() <= 2 * SLOPE_STEP:
            continue
        before, at, after = function(np.array([kink - BESIDE, kink, kink + BESIDE]))
        jump = (after - 2.0 * at + before) / BESIDE
        i = int(kink * tables.INTERVALS)
        if abs(jump) > abs(jumps[i]):
            places[i], jumps[i] = kink * tables.INTERVALS - i, jump
    return places, jumps
