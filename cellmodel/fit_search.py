"""Searches for the parameters that fit measured formations best."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cellmodel.cell import Cell
from cellmodel.errors import InputError
from cellmodel.fit_parameter import FRESH, Box
from cellmodel.fit_problem import FitProblem
from cellmodel.least_squares import Minimum, best_starts, minimise, screen


class FitSearch:
    """Searches over one problem, which share the points of one Latin hypercube.

    Parameters
    ----------
    problem
        What is fitted to what.
    iterations
        Steps of a search at most.
    seed
        Of the Latin hypercube.
    starts
        Searches for which it has points.
    """

    def __init__(self, problem: FitProblem, iterations: int, seed: int, starts: int) -> None:
        self.problem, self.iterations = problem, iterations
        self.prior_mean, self.prior_sd = problem.box.prior()
        self._has_prior = np.isfinite(self.prior_sd)
        self._screen = screen(starts, len(problem.box.names), seed)
        self._screened: np.ndarray | None = None

    def simulate(self, positions: np.ndarray) -> np.ndarray:
        """Return the outcomes at places in the unit box; see `FitProblem.outcomes`."""
        return self.problem.outcomes(self.problem.box.values(positions))

    def residuals(self, positions: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return those of the cases `rows`, then those of the priors."""
        return self._with_priors(self.simulate(positions), positions, rows)

    def _with_priors(
        self, outcomes: np.ndarray, positions: np.ndarray, rows: np.ndarray
    ) -> np.ndarray:
        away = (positions - self.prior_mean)[:, self._has_prior] / self.prior_sd[self._has_prior]
        return np.concatenate([self.problem.residuals(outcomes, rows), away], axis=1)

    def minima(
        self,
        rows: np.ndarray,
        starts: int,
        advance: Callable[[], None],
        own: np.ndarray | None = None,
    ) -> list[Minimum]:
        """Return where searches ended, the best first.

        Parameters
        ----------
        rows
            Bool array, shape (cases,): to which cases is fitted.
        starts
            How many searches.
        advance
            Called after each.
        own
            Position where the first one starts; all start from the hypercube if None.

        Raises
        ------
        InputError
            If no point of the hypercube can be simulated for these cases.
        """
        if self._screened is None:
            self._screened = self.simulate(self._screen)
        costs = (self._with_priors(self._screened, self._screen, rows) ** 2).sum(axis=1)
        begin = best_starts(self._screen, costs, starts)
        if own is not None and np.isfinite(self.residuals(own[None], rows)).all():
            begin = np.concatenate([own[None], begin])[:starts]
        if not len(begin):
            reason = self.problem.failure(self.problem.box.values(self._screen[0]))
            raise InputError(
                f"none of {len(self._screen)} vectors of parameters within the bounds gives all "
                f"measured cases; the first fails at {reason}; narrow the bounds, or leave out "
                "cases that the cell cannot run"
            )
        found = []
        for start in begin:
            found.append(minimise(lambda p: self.residuals(p, rows), start, self.iterations))
            advance()
        return sorted(found, key=lambda minimum: minimum.cost)

    def freedom(self, rows: np.ndarray) -> int:
        """Return measured numbers and priors - what is fitted to them."""
        problem = self.problem
        numbers = int(problem.known[:, rows].sum()) + int(self._has_prior.sum())
        return numbers - len(problem.box.names) - int(problem.floating.sum())

    def require_enough(self, rows: np.ndarray) -> None:
        """Raise InputError unless there is more to fit to than is fitted."""
        if self.freedom(rows) < 1:
            raise InputError(
                f"{len(self.problem.box.names)} parameters cannot be fitted to {int(rows.sum())} "
                f"cases of {len(self.problem.measured)} outcomes; measure more, fix parameters, "
                "or give them priors"
            )


def own_position(cell: Cell, box: Box) -> np.ndarray:
    """Return where the cell itself lies in the box; the middle where it has no number in it."""
    position = np.full(len(box.names), 0.5)
    for index, (name, parameter) in enumerate(box.parameters.items()):
        value = parameter.start
        if value is None and name in FRESH:
            value = getattr(cell, name).value
        elif value is None:
            try:
                value = cell.parameter(name)
            except InputError:  # a function of the set
                continue
        if parameter.low <= value <= parameter.high:
            only = Box({name: parameter})
            position[index] = only.position(np.array([value]))[0]
    return position
