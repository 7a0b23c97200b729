"""Factors and activation energies on functions of a parameter set.

A set gives diffusivities and exchange currents as functions; a cell may scale them without stating
them anew: by "... factor" [1] and by exp(E / R (1 / T_ref - 1 / T)), E = "... activation energy
[J.mol-1]", on top of what the function has.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pybamm

SIDES = ("negative", "positive")


def _of(side: str) -> dict[str, tuple[str, str]]:
    Side = side.capitalize()
    return {
        f"{name} {unit}": (f"{name} factor", f"{name} activation energy [J.mol-1]")
        for name, unit in (
            (f"{Side} particle diffusivity", "[m2.s-1]"),
            (f"{Side} electrode exchange-current density", "[A.m-2]"),
        )
    }


#: function of the set -> its factor, its additional activation energy
SCALED: Mapping[str, tuple[str, str]] = MappingProxyType(_of("negative") | _of("positive"))
#: every factor and energy, with the number that changes nothing
NEUTRAL: Mapping[str, float] = MappingProxyType(
    {factor: 1.0 for factor, _ in SCALED.values()} | {energy: 0.0 for _, energy in SCALED.values()}
)


def scale(values: pybamm.ParameterValues) -> None:
    """Put the factors and energies that `values` state onto its functions, in place."""
    for name, names in SCALED.items():
        stated = [known in values.keys() for known in names]  # noqa: SIM118 (is no Mapping)
        if any(stated):
            values.update({name: _scaled(values[name], *names, *stated)})


def _scaled(function: object, factor: str, energy: str, has_factor: bool, has_energy: bool):
    def multiplier(T: pybamm.Symbol) -> pybamm.Symbol:
        result = pybamm.Parameter(factor) if has_factor else pybamm.Scalar(1)
        if has_energy:
            T_ref = pybamm.Parameter("Reference temperature [K]")
            result *= pybamm.exp(
                pybamm.Parameter(energy) / pybamm.constants.R * (1 / T_ref - 1 / T)
            )
        return result

    def value(*arguments: pybamm.Symbol) -> pybamm.Symbol:
        return function(*arguments) if callable(function) else pybamm.Scalar(function)

    def diffusivity(sto: pybamm.Symbol, T: pybamm.Symbol) -> pybamm.Symbol:
        return value(sto, T) * multiplier(T)

    def exchange_current(
        c_e: pybamm.Symbol, c_s_surf: pybamm.Symbol, c_s_max: pybamm.Symbol, T: pybamm.Symbol
    ) -> pybamm.Symbol:
        return value(c_e, c_s_surf, c_s_max, T) * multiplier(T)

    return diffusivity if "diffusivity" in factor else exchange_current
