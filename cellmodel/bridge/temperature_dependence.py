"""How a function of a parameter set depends on temperature: as Arrhenius says, or as Arrhenius
times a cubic in temperature whose coefficients differ from place to place (`kernels.tables`).

Landesfeind's transference number changes its sign and his conductivity bends in an Arrhenius plot,
so that exp(a z + b z**2) at each concentration, z = (1 / T_ref - 1 / T) / R, fits neither (12 % off
in the conductivity between 100 and 2500 mol/m3, ORegan2022); a quadratic leaves 2 %, a cubic 0.3 %.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cellmodel.errors import InputError
from kernels import tables
from kernels.kinetics import GAS

TEMPERATURES = np.array([263.15, 283.15, 313.15, 333.15])  # K, where the Arrhenius law is compared
ARRHENIUS_AGREEMENT = 1e-6  # relative
FITTED = 0.5 * (tables.COLDEST + tables.WARMEST) + 0.5 * (tables.WARMEST - tables.COLDEST) * np.cos(
    np.pi * (np.arange(12) + 0.5) / 12
)  # K, denser towards the ends, where errors are most
CHECKED = np.linspace(tables.COLDEST, tables.WARMEST, 31)  # K, where the cubic is compared
CUBIC_AGREEMENT = 3e-3  # relative
ENERGIES = np.arange(-20e3, 60e3, 1e3)  # J mol-1, of the Arrhenius factor beside a cubic

Function = Callable[[np.ndarray, float | np.ndarray], np.ndarray]  # of place and temperature


@dataclass(frozen=True)
class Cubic:
    """A function as f(place, T_ref) exp(E z) (1 + a t + b t**2 + c t**3), t as in `kernels.tables`.

    Parameters
    ----------
    energy
        E [J mol-1].
    coefficients
        Array, shape (3, places): a, b, c.
    departure, worst
        Largest relative error over places and temperatures, and where it is: place, K.
    lowest
        Least of the values with which errors are compared; if it is not positive there is no fit.
    """

    energy: float
    coefficients: np.ndarray
    departure: float
    worst: tuple[float, float]
    lowest: float


def arrhenius(function: Function, at: np.ndarray, T_ref: float) -> tuple[float, float]:
    """Return the activation energy [J mol-1] of a function, and how far it departs from the law.

    Parameters
    ----------
    function
        Of places and temperature [K], one or one per place.
    at
        Places, shape (n,), at which it must have the same energy.
    T_ref
        Reference temperature [K].

    Returns
    -------
    tuple of float
        Energy; largest relative departure between the TEMPERATURES, infinite if the function is
        not of one sign.
    """
    z = (1.0 / T_ref - 1.0 / TEMPERATURES) / GAS
    ratios = np.array([function(at, float(T)) for T in TEMPERATURES]) / function(at, T_ref)
    if not (ratios > 0.0).all():
        return 0.0, np.inf
    logs = np.log(ratios)
    energy = float(logs[-1].mean() / z[-1])
    return energy, float(np.abs(np.exp(logs - energy * z[:, None]) - 1.0).max())


def require_arrhenius(function: Function, at: np.ndarray, T_ref: float, name: str) -> float:
    """Return the activation energy [J mol-1] of a function that must follow the law.

    Raises
    ------
    InputError
        If it does not.
    """
    energy, departure = arrhenius(function, at, T_ref)
    if not departure < ARRHENIUS_AGREEMENT:
        raise InputError(
            f"{name} must follow one Arrhenius law for the kernels, but departs from it by "
            f"{departure:.1e} between {TEMPERATURES[0]:g} and {TEMPERATURES[-1]:g} K; use "
            "simulate_formation, or replace it by a number"
        )
    return energy


def cubic(
    function: Function,
    at: np.ndarray,
    T_ref: float,
    significant: Callable[[np.ndarray], np.ndarray],
    energies: np.ndarray,
) -> Cubic:
    """Fit a function at each of the places `at`, exact at the reference temperature.

    Parameters
    ----------
    function, at, T_ref
        As for `arrhenius`; positive at T_ref.
    significant
        Of the function's values: what an error is compared with.
    energies
        Of the Arrhenius factor [J mol-1]: the one is taken with which the cubic fits best.
    """
    T = np.concatenate([FITTED, CHECKED])
    shape = (len(T), len(at))
    values = function(np.tile(at, len(T)), np.repeat(T, len(at))).reshape(shape)
    reference, scale = function(at, T_ref), significant(values)
    lowest = float(scale.min())
    if not lowest > 0.0:  # relative errors mean nothing
        return Cubic(0.0, np.zeros((3, len(at))), np.inf, (float(at[0]), T_ref), lowest)
    few = slice(None, None, max(1, len(at) // 50))  # enough to choose the energy

    def departure(energy: float) -> float:
        parts = values[:, few], reference[few], scale[:, few]
        return _fit(*parts, T, T_ref, energy)[1].max()

    energy = float(min(energies, key=departure))
    coefficients, error = _fit(values, reference, scale, T, T_ref, energy)
    worst = np.unravel_index(np.argmax(error), shape)
    where = float(at[worst[1]]), float(T[worst[0]])
    return Cubic(energy, coefficients, float(error[worst]), where, lowest)


def _fit(
    values: np.ndarray,
    reference: np.ndarray,
    scale: np.ndarray,
    T: np.ndarray,
    T_ref: float,
    energy: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Least squares of relative errors at every place: coefficients and all errors."""
    t = ((T - T_ref) / tables.DEGREES)[:, None]
    powers = np.concatenate([t, t**2, t**3], axis=1)
    factor = reference * np.exp(energy / GAS * (1.0 / T_ref - 1.0 / T))[:, None]
    weight = np.abs(factor / scale)[: len(FITTED)]
    matrix = powers[: len(FITTED)].T[None] * weight.T[:, None, :]  # (places, 3, temperatures)
    goal = ((values / factor - 1.0)[: len(FITTED)] * weight).T[:, :, None]
    found = np.linalg.solve(matrix @ matrix.transpose(0, 2, 1), matrix @ goal)[:, :, 0].T
    return found, np.abs(((1.0 + powers @ found) * factor - values) / scale)
