"""Bounded least squares for a simulation that is only piecewise smooth, and what it leaves open.

All positions lie in the unit box (`fit_parameter.Box`). The simulation takes many positions at
once, so a Jacobian is one call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

#: positions, shape (vectors, parameters) -> residuals, shape (vectors, residuals); NaN where a
#: simulation failed
Residuals = Callable[[np.ndarray], np.ndarray]

STEP = 0.01  # of the box, to either side: 1e-3 stops in the kinks that events make
TOLERANCE = 1e-5  # of the cost and of the position, relative
SCREENED = 32  # positions looked at per search that is started
IGNORANCE = 1e3  # standard deviation, in boxes, of what nothing constrains


@dataclass(frozen=True)
class Minimum:
    """Where a search ended.

    Parameters
    ----------
    position
        Array, shape (parameters,).
    residuals
        Array, shape (residuals,).
    jacobian
        Their derivatives, shape (residuals, parameters).
    cost
        Half the sum of their squares.
    """

    position: np.ndarray
    residuals: np.ndarray
    jacobian: np.ndarray
    cost: float


def minimise(residuals: Residuals, start: np.ndarray, iterations: int) -> Minimum:
    """Search the unit box for the least sum of squares, with scipy's trust region reflective.

    Parameters
    ----------
    residuals
        Finite at `start`.
    start
        Array, shape (parameters,).
    iterations
        At most so many steps are tried.
    """
    from scipy.optimize import least_squares

    found = least_squares(
        lambda position: residuals(position[None])[0],
        np.clip(start, 0.0, 1.0),
        jac=lambda position: jacobian(residuals, position),
        bounds=(0.0, 1.0),
        x_scale=1.0,
        ftol=TOLERANCE,
        xtol=TOLERANCE,
        gtol=None,
        max_nfev=iterations,
    )
    return Minimum(found.x, found.fun, found.jac, float(found.cost))


def jacobian(residuals: Residuals, position: np.ndarray) -> np.ndarray:
    """Return derivatives by central differences, shape (residuals, parameters).

    One-sided at the edge of the box and where one side cannot be simulated; 0 where neither can,
    so that the others decide.
    """
    steps = STEP * np.eye(position.size)
    stencil = np.clip(np.concatenate([[position], position + steps, position - steps]), 0.0, 1.0)
    values = residuals(stencil)
    here, above, below = values[0], *np.split(values[1:], 2)
    up, down = np.split(np.abs(stencil[1:] - position).sum(axis=1)[:, None], 2)
    failed = ~np.isfinite(above), ~np.isfinite(below)
    rise = np.where(failed[0], here, above) - np.where(failed[1], here, below)
    run = np.where(failed[0], 0.0, up) + np.where(failed[1], 0.0, down)
    return np.divide(rise, run, out=np.zeros_like(rise), where=run > 0).T


def screen(count: int, parameters: int, seed: int) -> np.ndarray:
    """Return a Latin hypercube of positions from which to choose `count` starts."""
    from scipy.stats import qmc

    return qmc.LatinHypercube(parameters, rng=np.random.default_rng(seed)).random(SCREENED * count)


def best_starts(positions: np.ndarray, costs: np.ndarray, count: int) -> np.ndarray:
    """Return at most `count` of the positions with the least finite costs, best first."""
    order = np.argsort(costs, kind="stable")  # NaN come last
    return positions[order[np.isfinite(costs[order])][:count]]


def covariance(jacobian: np.ndarray, scale: float, prior_sd: np.ndarray) -> np.ndarray:
    """Return the covariance of the parameters, shape (parameters, parameters).

    Parameters
    ----------
    jacobian
        Of the data's residuals, priors left out.
    scale
        Variance of those residuals.
    prior_sd
        Standard deviations of the priors; inf where there is none.
    """
    information = jacobian.T @ jacobian / scale
    constraint = prior_sd**-2.0 + IGNORANCE**-2.0  # so that it can be inverted
    return np.linalg.inv(information + np.diag(constraint))
