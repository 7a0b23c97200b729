"""From a PyBaMM parameter set to what the kernels take: tables of its functions, and numbers.

Any lithium-ion set will do whose exchange currents are those of symmetric Butler-Volmer kinetics
and follow Arrhenius, and whose transport properties depend on temperature as
`temperature_dependence` can say. All this is measured here, and a set that departs is refused by
name.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Set
from dataclasses import dataclass

import numpy as np
import pybamm

from cellmodel.bridge.kernel_rows import Number, names, rows
from cellmodel.bridge.scaled_functions import NEUTRAL
from cellmodel.bridge.set_functions import (
    SALT,
    SIDES,
    STOICHIOMETRIES,
    WARMTH,
    SetFunctions,
    order,
)
from cellmodel.bridge.set_tables import SetTables
from cellmodel.bridge.temperature_dependence import require_arrhenius
from cellmodel.bridge.transport import PROPERTIES, tabulate_transport
from cellmodel.errors import InputError, unknown_name
from cellmodel.unpassivated_surface import PARAMETERS as UNPASSIVATED_SURFACE
from kernels import parameters, tables

INITIAL_SALT = "Initial concentration in electrolyte [mol.m-3]"
#: what a set may lack, with a stand-in
OPTIONAL = {"Contact resistance [Ohm]": 0.0, **NEUTRAL} | {
    name: absent for name, (_, absent) in UNPASSIVATED_SURFACE.items()
}


@dataclass(frozen=True)
class KernelCell:
    """A cell as the kernels see it.

    Parameters
    ----------
    tables
        Array, shape (len(kernels.tables.NAMES), INTERVALS, 5).
    flat
        Bool array, shape (len(kernels.tables.NAMES),): True where a table is constant.
    sei
        SEI growth law, PyBaMM's option string.
    numbers
        PyBaMM name -> value of every scalar the rows are made of; where it depends on temperature,
        its values at set_functions.WARMTH, of which a case takes that of its surroundings.
    measured
        Kernel row -> what was measured on the set's functions: activation energies, orders,
        factors.
    powers
        Kernel row -> PyBaMM name -> power with which the measured row changes with that number.
    """

    tables: np.ndarray
    flat: np.ndarray
    sei: str
    numbers: Mapping[str, Number]
    measured: Mapping[str, float]
    powers: Mapping[str, Mapping[str, float]]

    def rows(self, own: Mapping[str, Number]) -> dict[str, Number]:
        """Return every kernel row, as an array where it depends on one of `own`.

        Parameters
        ----------
        own
            PyBaMM name -> one value per case.
        """

        def read(name: str) -> Number:
            value = own[name] if name in own else self.numbers[name]
            if name not in own and np.ndim(value):
                return np.interp(read("Ambient temperature [K]"), WARMTH, value)
            return value

        measured: dict[str, Number] = dict(self.measured)
        for row, powers in self.powers.items():
            for name, power in powers.items():
                if name in own:
                    measured[row] = measured[row] * (own[name] / self.numbers[name]) ** power
        made = {row: function(read) for row, function in rows(self.sei).items()}
        # what a cell puts on top of a function of its set, beside what was measured on it
        for row in made.keys() & measured.keys():
            combine = operator.add if row.endswith("_activation") else operator.mul
            measured[row] = combine(measured[row], made[row])
        return made | measured


def kernel_cell(
    values: pybamm.ParameterValues,
    sei: str,
    stoichiometries: tuple[float, float],
    own: Set[str] = frozenset(),
) -> KernelCell:
    """Tabulate the functions of a parameter set.

    Parameters
    ----------
    values
        The set, complete for SPMe with lumped heat and this SEI law.
    sei
        SEI growth law, PyBaMM's option string, one of cell.SEI_LAWS.
    stoichiometries
        Of the fresh negative and positive electrode.
    own
        PyBaMM names that will differ from case to case; where the set has a function, a constant
        takes its place.

    Raises
    ------
    InputError
        If a name is not a kernel input, or a function of the set does not have the form the
        kernels assume.
    """
    for name in own:
        if name not in names(sei):
            raise unknown_name(f"parameter of the kernels with '{sei}' SEI", name, names(sei))
    values = values.copy()
    values.update({n: 1.0 for n in own if not isinstance(values.get(n, 0.0), int | float)})
    functions = SetFunctions(values)
    if own:
        _require_independence(functions, sei, own)
    numbers = _numbers(functions, sei)
    table = SetTables()
    salt = numbers[INITIAL_SALT]
    measured = {"reference_electrolyte_concentration": salt}
    powers = {}
    for side, stoichiometry in zip(SIDES, stoichiometries, strict=True):
        measured[f"{side}_stoichiometry"] = stoichiometry
        measured |= _exchange_current(functions, side, salt, table)
        powers[f"{side}_exchange_current"] = _powers(functions, side, salt, own)
        _potential(functions, side, table)
    for name, row in PROPERTIES.items():
        numbers[name], energy = tabulate_transport(functions, name, salt, table)
        if f"{row}_activation" in parameters.NAMES:
            measured[f"{row}_activation"] = energy
    return KernelCell(table.coefficients, table.flat, sei, numbers, measured, powers)


def _numbers(functions: SetFunctions, sei: str) -> dict[str, Number]:
    lacking = {
        name: value
        for name, value in OPTIONAL.items()
        if name not in functions.values.keys()  # noqa: SIM118 (ParameterValues is no Mapping)
    }
    plain = (names(sei) | {"Reference temperature [K]"}) - PROPERTIES.keys() - lacking.keys()
    return {name: functions.number(name) for name in sorted(plain)} | lacking


def _potential(functions: SetFunctions, side: str, table: SetTables) -> None:
    index = SIDES.index(side)
    table.fill((tables.U_N, tables.U_P)[index], lambda s: functions.potential(side, s))
    table.fill(
        (tables.DUDT_N, tables.DUDT_P)[index], lambda s: functions.entropic_change(side, s), 0.0
    )


def _exchange_current(
    functions: SetFunctions, side: str, salt: float, table: SetTables
) -> dict[str, float]:
    """Measure factor sqrt(s (1 - s)) shape(s) (c_e / c_ref)^order, and Arrhenius."""
    name = f"{side.capitalize()} electrode exchange-current density [A.m-2]"
    T_ref = functions.reference_temperature
    factor = 2.0 * float(functions.exchange_current(side, np.array([0.5]), salt, T_ref)[0])

    def shape(s: np.ndarray) -> np.ndarray:
        # PyBaMM rounds the roots off below a thousandth; such a particle is as good as empty
        s = np.clip(s, 1e-3, 1 - 1e-3)
        return functions.exchange_current(side, s, salt, T_ref) / (factor * np.sqrt(s * (1 - s)))

    table.fill((tables.SHAPE_J_N, tables.SHAPE_J_P)[SIDES.index(side)], shape, 1.0, within=1e-5)
    return {
        f"{side}_exchange_current": factor,
        f"{side}_exchange_current_activation": require_arrhenius(
            lambda s, T: functions.exchange_current(side, s, salt, T), STOICHIOMETRIES, T_ref, name
        ),
        f"{side}_exchange_current_order": order(
            lambda c: functions.exchange_current(side, STOICHIOMETRIES, c, T_ref),
            SALT,
            salt,
            name,
            "salt concentration",
        ),
    }


def _powers(functions: SetFunctions, side: str, salt: float, own: Set[str]) -> dict[str, float]:
    """Measure how an exchange current at given stoichiometry and salt changes with numbers that
    are swept: the maximum concentration, and the initial one of the salt, to which some refer it.
    """
    T_ref = functions.reference_temperature
    powers = {}
    for name in _referred(side) & own:
        value = float(functions.values[name])
        power = order(
            lambda v, name=name: functions.with_numbers({name: v}).exchange_current(
                side, STOICHIOMETRIES, salt, T_ref
            ),
            value * np.array([0.9, 1.1]),
            value,
            f"{side.capitalize()} electrode exchange-current density [A.m-2]",
            name,
        )
        if abs(power) > 1e-9:
            powers[name] = power
    return powers


def _referred(side: str) -> set[str]:
    return {f"Maximum concentration in {side} electrode [mol.m-3]", INITIAL_SALT}


def _require_independence(functions: SetFunctions, sei: str, own: Set[str]) -> None:
    """Refuse to sweep a number that a function of the set reads besides its arguments."""
    kinetics = {f"{side.capitalize()} electrode exchange-current density [A.m-2]" for side in SIDES}
    potentials = {
        f"{side.capitalize()} electrode OCP {what}"
        for side in SIDES
        for what in ("[V]", "entropic change [V.K-1]")
    }
    for name in sorted(names(sei) | kinetics | potentials):
        measured = {INITIAL_SALT} if name in kinetics else set()
        hidden = functions.reads(name) & own - measured
        if hidden:
            raise InputError(
                f"'{min(hidden)}' cannot be swept, because the parameter set's '{name}' is a "
                "function of it; replace that function by a number"
            )
