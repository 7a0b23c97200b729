"""The functions of a PyBaMM parameter set as numbers, evaluated through PyBaMM's own classes.

So regularisations, asymptotes and units are PyBaMM's, and no formula is copied.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping

import numpy as np
import pybamm

from cellmodel.bridge.two_phase import MATERIALS, PHASES, is_two_phase
from cellmodel.errors import InputError

STOICHIOMETRIES = np.array([0.05, 0.2, 0.5, 0.8, 0.95])
INSIDE = (0.25, 0.75)  # where a position of a table is compared with the stoichiometry
SALT = np.array([300.0, 700.0, 1500.0, 2500.0])  # mol m-3; these two: where functions are compared
WARMTH = np.arange(233.0, 374.0)  # K, where numbers that depend on temperature are known
SIDES = ("negative", "positive")
SECOND = "second"  # material of the negative electrode, where there are two
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
        self.two_phase = is_two_phase(values)
        self.param = pybamm.LithiumIonParameters(MATERIALS if self.two_phase else None)
        self.reference_temperature = float(values["Reference temperature [K]"])

    def number(self, name: str) -> float | np.ndarray:
        """Return a scalar of the set, or its values at WARMTH if it is a function of temperature.

        Raises
        ------
        InputError
            If the set lacks it, or it depends on something else.
        """
        if name not in self.values.keys():  # noqa: SIM118 (ParameterValues is no Mapping)
            raise _lacking(name)
        value = self.values[name]
        if isinstance(value, int | float):
            return float(value)
        found = self._over_temperature(name, value)
        if found is None or np.ptp(found, axis=0).any():
            raise InputError(
                f"'{name}' must be a constant for the kernels, or a function of temperature alone, "
                "but the parameter set has another function; replace it by a number"
            )
        found = found[0]
        return float(found[0]) if np.ptp(found) == 0.0 else found

    def _over_temperature(self, name: str, function: object) -> np.ndarray | None:
        """Values at some stoichiometries (rows) and WARMTH; None if it takes something else."""
        T = pybamm.Vector(WARMTH)
        conductivity = {
            f"{side.capitalize()} electrode conductivity [S.m-1]": domain.sigma
            for side, domain in (("negative", self.param.n), ("positive", self.param.p))
        }
        try:
            symbols = (
                [conductivity[name](pybamm.Scalar(s), T) for s in STOICHIOMETRIES]
                if name in conductivity
                else [pybamm.Scalar(0) + function(T)]
            )
        except TypeError:
            return None
        return np.array([self._evaluate(symbol, WARMTH.shape) for symbol in symbols])

    def reads(self, name: str) -> set[str]:
        """Return the parameters that a function of the set reads besides its arguments."""
        if name not in self.values.keys() or not callable(self.values[name]):  # noqa: SIM118
            return set()
        function = self.values[name]
        taken = inspect.signature(function).parameters.values()
        # those of a BPX file have what the file states bound by keyword
        free = [argument for argument in taken if argument.kind is not argument.KEYWORD_ONLY]
        arguments = [pybamm.InputParameter("argument")] * len(free)
        kinds = pybamm.Parameter | pybamm.FunctionParameter
        tree = (pybamm.Scalar(0) + function(*arguments)).pre_order()
        named = {node.name for node in tree if isinstance(node, kinds)}
        return named.union(*(self.reads(other) for other in named))

    def with_numbers(self, numbers: Mapping[str, float]) -> SetFunctions:
        """Return the functions of the set with other numbers."""
        values = self.values.copy()
        values.update(numbers)
        return SetFunctions(values)

    def name(self, side: str, name: str) -> str:
        """Return the set's name of a property of a side's particles, "{Side} particle radius [m]".

        "{side}" and "{Side}" stand for the electrode; where it has two materials, PyBaMM puts
        "Primary: " or "Secondary: " before.
        """
        electrode = SIDES[0] if side == SECOND else side
        phase = f"{PHASES[side == SECOND]}: " if self.two_phase and side != SIDES[1] else ""
        return phase + name.format(side=electrode, Side=electrode.capitalize())

    def potential(self, side: str, s: np.ndarray, branch: str | None = None) -> np.ndarray:
        """Open-circuit potential at the reference temperature [V], or its branch "lithiation" or
        "delithiation".
        """
        T = pybamm.Scalar(self.reference_temperature)
        return self._evaluate(self._phase(side).U(pybamm.Vector(s), T, branch), s.shape)

    def kinks(self, side: str) -> np.ndarray:
        """Return the stoichiometries at which straight lines of the potential meet."""
        T = pybamm.Scalar(self.reference_temperature)
        symbol = self._processed(self._phase(side).U(pybamm.StateVector(slice(0, 1)), T, None))
        points = [
            np.ravel(node.x[0])[1:-1]
            for node in symbol.pre_order()
            if isinstance(node, pybamm.Interpolant)
            and node.interpolator == "linear"
            and all(
                float(np.ravel(node.children[0].evaluate(y=np.array([s])))[0]) == s for s in INSIDE
            )
        ]
        return np.unique(np.concatenate([[], *points]))

    def entropic_change(self, side: str, s: np.ndarray) -> np.ndarray:
        """Entropic change of the potential [V K-1]."""
        inside = pybamm.Vector(np.clip(s, 1e-6, 1 - 1e-6))
        return self._evaluate(self._phase(side).dUdT(inside), s.shape)

    def exchange_current(self, side: str, s: np.ndarray, salt: float, T: Number) -> np.ndarray:
        """Exchange current density [A m-2]; T is one number, or one per stoichiometry."""
        c = pybamm.Vector(s) * self._phase(side).c_max
        symbol = self._phase(side).j0(pybamm.Scalar(salt), c, _symbol(T))
        return self._evaluate(symbol, s.shape)

    def diffusivity(self, side: str, s: np.ndarray, T: Number) -> np.ndarray:
        """Diffusivity of particles [m2 s-1]; T is one number, or one per stoichiometry."""
        phase = self._phase(side)
        return self._evaluate(phase.D(pybamm.Vector(s) * phase.c_max, _symbol(T)), s.shape)

    def transport(self, name: str, at: np.ndarray, T: Number) -> np.ndarray:
        """Property of the electrolyte at a salt concentration.

        Parameters
        ----------
        name
            PyBaMM's, of diffusivity [m2 s-1], conductivity [S m-1], thermodynamic factor or
            transference number.
        at
            Concentrations [mol m-3].
        T
            Temperature [K], one number or one for each.
        """
        place, T = pybamm.Vector(at), _symbol(T)
        function = {
            "Electrolyte diffusivity [m2.s-1]": self.param.D_e,
            "Electrolyte conductivity [S.m-1]": self.param.kappa_e,
            "Thermodynamic factor": self.param.thermodynamic_factor,
            "Cation transference number": self.param.t_plus,
        }[name]
        return self._evaluate(function(place, T), at.shape)

    def _phase(self, side: str) -> pybamm.parameters.base_parameters.BaseParameters:
        if side == SECOND:
            return self.param.n.sec
        return self.param.n.prim if side == "negative" else self.param.p.prim

    def _processed(self, symbol: pybamm.Symbol) -> pybamm.Symbol:
        try:
            return self.values.process_symbol(symbol)
        except KeyError as error:  # a missing parameter: PyBaMM puts its name in quotes, first
            missing = re.search("'([^']*)'", str(error.args[0]))
            raise _lacking(missing[1] if missing else str(error)) from error

    def _evaluate(self, symbol: pybamm.Symbol, shape: tuple[int, ...]) -> np.ndarray:
        flat = np.asarray(self._processed(symbol).evaluate(), dtype=float).reshape(-1)
        return np.broadcast_to(flat, (int(np.prod(shape)),)).reshape(shape)


def _lacking(name: str) -> InputError:
    return InputError(
        f"the kernels need '{name}', which the parameter set does not have; give the cell this "
        "parameter, or another set if this one is of a half cell or MSMR"
    )


def _symbol(number: Number) -> pybamm.Symbol:
    return pybamm.Vector(number) if np.ndim(number) else pybamm.Scalar(number)


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
