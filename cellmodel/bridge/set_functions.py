"""The functions of a PyBaMM parameter set as numbers, evaluated through PyBaMM's own classes.

So regularisations, asymptotes and units are PyBaMM's, and no formula is copied.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pybamm

from cellmodel.errors import InputError
from kernels.kinetics import GAS

TEMPERATURES = np.array([263.15, 283.15, 313.15, 333.15])  # K, where the Arrhenius law is compared
STOICHIOMETRIES = np.array([0.05, 0.2, 0.5, 0.8, 0.95])
ARRHENIUS_AGREEMENT = 1e-6  # relative
POWER_AGREEMENT = 1e-4  # relative; PyBaMM's rounded square roots depart by 1e-5

Number = float | np.ndarray


class SetFunctions:
    """Evaluates the functions of a parameter set.

    Parameters
    ----------
    values
        The set.
    """

    def __init__(self, values: pybamm.ParameterValues) -> None:
        self.values = values
        self.param = pybamm.LithiumIonParameters()
        self.reference_temperature = float(values["Reference temperature [K]"])

    def number(self, name: str) -> float:
        """Return a scalar of the set; a function is accepted if it is the same at 10 and 50 degC.

        Raises
        ------
        InputError
            If the set lacks it, or has a function.
        """
        if name not in self.values.keys():  # noqa: SIM118 (ParameterValues is no Mapping)
            raise InputError(
                f"the kernels need '{name}', which the parameter set does not have; "
                "give the cell this parameter"
            )
        value = self.values[name]
        if isinstance(value, int | float):
            return float(value)
        found = {self._at_temperature(value, T) for T in (283.15, 323.15)} - {None}
        if len(found) != 1:
            raise InputError(
                f"'{name}' must be a constant for the kernels, but the parameter set has a "
                "function; replace it by a number"
            )
        return found.pop()

    def _at_temperature(self, function: object, T: float) -> float | None:
        try:
            symbol = pybamm.Scalar(0) + function(pybamm.Scalar(T))
            return float(self.values.process_symbol(symbol).evaluate())
        except TypeError:  # it takes something else
            return None

    def potential(self, side: str, s: np.ndarray) -> np.ndarray:
        """Open-circuit potential at the reference temperature [V]."""
        T = pybamm.Scalar(self.reference_temperature)
        return self._evaluate(self._phase(side).U(pybamm.Vector(s), T), s.shape)

    def entropic_change(self, side: str, s: np.ndarray) -> np.ndarray:
        """Entropic change of the potential [V K-1]."""
        inside = pybamm.Vector(np.clip(s, 1e-6, 1 - 1e-6))
        return self._evaluate(self._phase(side).dUdT(inside), s.shape)

    def diffusivity(self, side: str, s: Number, T: float) -> np.ndarray:
        """Diffusivity in the particle [m2 s-1]."""
        s = np.asarray(s, dtype=float)
        c = pybamm.Vector(np.atleast_1d(s)) * self._phase(side).c_max
        return self._evaluate(self._phase(side).D(c, pybamm.Scalar(T)), s.shape)

    def exchange_current(
        self, side: str, s: Number, salt: float, T: float, maximum: float | None = None
    ) -> np.ndarray:
        """Exchange current density [A m-2]; `maximum` replaces the set's concentration."""
        values = self.values
        if maximum is not None:
            values = values.copy()
            values.update({f"Maximum concentration in {side} electrode [mol.m-3]": maximum})
        s = np.asarray(s, dtype=float)
        c = pybamm.Vector(np.atleast_1d(s)) * self._phase(side).c_max
        symbol = self._phase(side).j0(pybamm.Scalar(salt), c, pybamm.Scalar(T))
        return self._evaluate(symbol, s.shape, values)

    def electrolyte(self, name: str, c: Number, T: float) -> np.ndarray:
        """Property of the electrolyte, by its PyBaMM name, at a salt concentration [mol m-3]."""
        function = {
            "Electrolyte diffusivity [m2.s-1]": self.param.D_e,
            "Electrolyte conductivity [S.m-1]": self.param.kappa_e,
            "Thermodynamic factor": self.param.thermodynamic_factor,
            "Cation transference number": self.param.t_plus,
        }[name]
        c = np.asarray(c, dtype=float)
        return self._evaluate(function(pybamm.Vector(np.atleast_1d(c)), pybamm.Scalar(T)), c.shape)

    def _phase(self, side: str) -> pybamm.parameters.base_parameters.BaseParameters:
        return self.param.n.prim if side == "negative" else self.param.p.prim

    def _evaluate(
        self,
        symbol: pybamm.Symbol,
        shape: tuple[int, ...],
        values: pybamm.ParameterValues | None = None,
    ) -> np.ndarray:
        processed = (values or self.values).process_symbol(symbol)
        flat = np.asarray(processed.evaluate(), dtype=float).reshape(-1)
        return np.broadcast_to(flat, (int(np.prod(shape)),)).reshape(shape)


def activation_energy(
    function: Callable[[np.ndarray, float], np.ndarray], at: np.ndarray, T_ref: float, name: str
) -> float:
    """Return the activation energy [J mol-1] of function(at, T).

    Raises
    ------
    InputError
        If it does not follow the Arrhenius law between the TEMPERATURES.
    """
    z = (1.0 / T_ref - 1.0 / TEMPERATURES) / GAS
    reference = function(at, T_ref)
    logs = np.array([np.log(function(at, float(T)) / reference) for T in TEMPERATURES])
    energy = float(logs[-1].mean() / z[-1])
    departure = float(np.abs(np.exp(logs - energy * z[:, None]) - 1.0).max())
    if not departure < ARRHENIUS_AGREEMENT:
        raise InputError(
            f"{name} must follow one Arrhenius law for the kernels, but departs from it by "
            f"{departure:.1e} between {TEMPERATURES[0]:g} and {TEMPERATURES[-1]:g} K; use "
            "simulate_formation, or replace it by a number"
        )
    return energy


def order(
    function: Callable[[float], np.ndarray],
    at: np.ndarray,
    reference: float,
    name: str,
    variable: str,
) -> float:
    """Return the power of `variable` in function(variable), one value per stoichiometry.

    Raises
    ------
    InputError
        If it is not a power, the same everywhere.
    """
    base = function(reference)
    logs = np.array([np.log(function(float(value)) / base) for value in at])
    distance = np.log(at / reference)
    power = float(logs[-1].mean() / distance[-1])
    departure = float(np.abs(np.exp(logs - power * distance[:, None]) - 1.0).max())
    if not departure < POWER_AGREEMENT:
        raise InputError(
            f"{name} must be a power of the {variable} for the kernels, but departs from one by "
            f"{departure:.1e}; use simulate_formation"
        )
    return power
