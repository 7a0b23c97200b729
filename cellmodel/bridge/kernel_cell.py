"""From a PyBaMM parameter set to what the kernels take: tables of its functions, and numbers.

Any lithium-ion set will do whose exchange currents are those of symmetric Butler-Volmer kinetics
and follow Arrhenius, and whose transport properties depend on temperature as
`temperature_dependence` can say. All this is measured here, and a set that departs is refused by
name. Where the negative electrode has two materials, the second is a third side.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from functools import partial

import numpy as np
import pybamm

from cellmodel.bridge.kernel_rows import Number, names, rows
from cellmodel.bridge.scaled_functions import NEUTRAL
from cellmodel.bridge.set_functions import (
    SALT,
    SECOND,
    SIDES,
    STOICHIOMETRIES,
    WARMTH,
    SetFunctions,
    order,
)
from cellmodel.bridge.set_tables import SetTables
from cellmodel.bridge.temperature_dependence import require_arrhenius
from cellmodel.bridge.transport import DIFFUSIVITY, properties, tabulate_transport
from cellmodel.bridge.two_phase import is_two_phase
from cellmodel.errors import InputError, unknown_name
from cellmodel.unpassivated_surface import PARAMETERS as UNPASSIVATED_SURFACE
from kernels import parameters, tables

INITIAL_SALT = "Initial concentration in electrolyte [mol.m-3]"
#: what a set may lack, with a stand-in
OPTIONAL = {"Contact resistance [Ohm]": 0.0, **NEUTRAL} | {
    name: absent for name, (_, absent) in UNPASSIVATED_SURFACE.items()
}
EXCHANGE_CURRENT = "{Side} electrode exchange-current density [A.m-2]"
MAXIMUM = "Maximum concentration in {side} electrode [mol.m-3]"
OPEN_CIRCUIT = "{Side} electrode OCP [V]"
ENTROPIC_CHANGE = "{Side} electrode OCP entropic change [V.K-1]"
BRANCHES = {
    branch: f"{{Side}} electrode {branch} OCP [V]" for branch in ("lithiation", "delithiation")
}
#: side -> its tables of potential, entropic change and exchange current
_TABLES = {
    "negative": (tables.U_N, tables.DUDT_N, tables.SHAPE_J_N),
    "positive": (tables.U_P, tables.DUDT_P, tables.SHAPE_J_P),
    SECOND: (tables.U_2, tables.DUDT_2, tables.SHAPE_J_2),
}
COARSE, LEAST = 2.0 / tables.INTERVALS, 5e-5  # stoichiometries at which tables level off
SAME = 1e-6  # V, or relative: what may part functions that have to be one


@dataclass(frozen=True)
class KernelCell:
    """A cell as the kernels see it.

    Parameters
    ----------
    tables
        Array, shape (len(kernels.tables.NAMES), INTERVALS, COLUMNS).
    flat
        Bool array, shape (len(kernels.tables.NAMES),): True where a table is constant.
    sei
        SEI growth law, PyBaMM's option string.
    two_phase
        Whether the negative electrode has two materials.
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
    two_phase: bool
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
        made = {row: function(read) for row, function in rows(self.sei, self.two_phase).items()}
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
    known = names(sei, is_two_phase(values))
    for name in own:
        if name not in known:
            raise unknown_name(f"parameter of the kernels with '{sei}' SEI", name, known)
    values = values.copy()
    values.update({n: 1.0 for n in own if not isinstance(values.get(n, 0.0), int | float)})
    functions = SetFunctions(values)
    if own:
        _require_independence(functions, known, own)
    numbers = _numbers(functions, known)
    table = SetTables()
    salt = numbers[INITIAL_SALT]
    measured = {"reference_electrolyte_concentration": salt}
    powers = {}
    starts = dict(zip(SIDES, stoichiometries, strict=True))
    if functions.two_phase:
        starts[SECOND] = starts[SIDES[0]]
    for side, stoichiometry in starts.items():
        measured[f"{side}_stoichiometry"] = stoichiometry
        measured |= _exchange_current(functions, side, salt, table)
        powers[f"{side}_exchange_current"] = _powers(functions, side, salt, own)
        _potential(functions, side, table)
    for name, row in properties(functions).items():
        numbers[name], energy = tabulate_transport(functions, name, salt, table)
        if f"{row}_activation" in parameters.NAMES:
            measured[f"{row}_activation"] = energy
    if functions.two_phase:
        _hysteresis(functions, table)
        for side in (SIDES[0], SECOND):
            name = functions.name(side, DIFFUSIVITY)
            numbers[name], energy = _plain_diffusivity(functions, side, name)
            measured[f"{side}_diffusivity_activation"] = energy
    return KernelCell(
        table.coefficients, table.flat, sei, functions.two_phase, numbers, measured, powers
    )


def _numbers(functions: SetFunctions, known: Set[str]) -> dict[str, Number]:
    lacking = {
        name: value
        for name, value in OPTIONAL.items()
        if name not in functions.values.keys()  # noqa: SIM118 (ParameterValues is no Mapping)
    }
    plain = (known | {"Reference temperature [K]"}) - properties(functions).keys() - lacking.keys()
    if functions.two_phase:
        plain -= {functions.name(SECOND, DIFFUSIVITY)}
    return {name: functions.number(name) for name in sorted(plain)} | lacking


def _potential(functions: SetFunctions, side: str, table: SetTables) -> None:
    potential, entropic_change, _ = _TABLES[side]
    kinks = functions.kinks(side)
    table.fill(potential, lambda s: functions.potential(side, s), kinks=kinks)
    table.fill(entropic_change, lambda s: functions.entropic_change(side, s), 0.0)


def _hysteresis(functions: SetFunctions, table: SetTables) -> None:
    """Tabulate half of what the branches of the second material's potential are apart; the mean
    must be its potential at equilibrium.
    """

    def branch(name: str, s: np.ndarray) -> np.ndarray:
        return functions.potential(SECOND, s, name)

    middle = functions.potential(SECOND, STOICHIOMETRIES)
    mean = sum(branch(name, STOICHIOMETRIES) for name in BRANCHES) / len(BRANCHES)
    if np.abs(mean - middle).max() > SAME:
        name, *ends = (functions.name(SECOND, n) for n in (OPEN_CIRCUIT, *BRANCHES.values()))
        raise InputError(
            f"'{name}' must be the mean of '{ends[0]}' and '{ends[1]}' for the kernels; use "
            "simulate_formation"
        )
    first, second = (partial(functions.potential, side) for side in (SIDES[0], SECOND))
    _finer_where_empty(table, tables.U_N, tables.U_N_EMPTY, first)
    _finer_where_empty(table, tables.U_2, tables.U_2_EMPTY, second)
    _finer_where_empty(
        table,
        tables.HALF_2,
        tables.HALF_2_EMPTY,
        lambda s: 0.5 * (branch("delithiation", s) - branch("lithiation", s)),
    )


def _finer_where_empty(
    table: SetTables, which: int, finer: int, function: Callable[[np.ndarray], np.ndarray]
) -> None:
    """Tabulate a function of stoichiometry, and what its table lacks near 0, where it climbs."""
    table.fill(which, lambda s: function(np.maximum(s, COARSE)))
    coarse = table.coefficients[which : which + 1].copy()

    def lacking(position: np.ndarray) -> np.ndarray:
        s = position * tables.EMPTY
        tabulated = np.array([tables.lookup(coarse, 0, float(x))[0] for x in s])
        return function(np.maximum(s, LEAST)) - tabulated

    table.fill(finer, lacking)


def _plain_diffusivity(functions: SetFunctions, side: str, name: str) -> tuple[float, float]:
    """Return diffusivity [m2 s-1] and activation energy [J mol-1] of one of two materials."""
    T_ref = functions.reference_temperature
    values = functions.diffusivity(side, STOICHIOMETRIES, T_ref)
    if not (values.min() > 0.0 and np.ptp(values) < SAME * values.max()):
        raise InputError(
            f"'{name}' must be positive and the same at every stoichiometry for the kernels, where "
            "an electrode has two materials; replace it by a number, or use simulate_formation"
        )
    energy = require_arrhenius(
        lambda s, T: functions.diffusivity(side, s, T), STOICHIOMETRIES, T_ref, name
    )
    return float(values[0]), energy


def _exchange_current(
    functions: SetFunctions, side: str, salt: float, table: SetTables
) -> dict[str, float]:
    """Measure factor sqrt(s (1 - s)) shape(s) (c_e / c_ref)^order, and Arrhenius."""
    name = functions.name(side, EXCHANGE_CURRENT)
    T_ref = functions.reference_temperature
    factor = 2.0 * float(functions.exchange_current(side, np.array([0.5]), salt, T_ref)[0])

    def shape(s: np.ndarray) -> np.ndarray:
        # PyBaMM rounds the roots off below a thousandth; such a particle is as good as empty
        s = np.clip(s, 1e-3, 1 - 1e-3)
        return functions.exchange_current(side, s, salt, T_ref) / (factor * np.sqrt(s * (1 - s)))

    table.fill(_TABLES[side][2], shape, 1.0, within=1e-5)
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
    for name in {functions.name(side, MAXIMUM), INITIAL_SALT} & own:
        value = float(functions.values[name])
        power = order(
            lambda v, name=name: functions.with_numbers({name: v}).exchange_current(
                side, STOICHIOMETRIES, salt, T_ref
            ),
            value * np.array([0.9, 1.1]),
            value,
            functions.name(side, EXCHANGE_CURRENT),
            name,
        )
        if abs(power) > 1e-9:
            powers[name] = power
    return powers


def _require_independence(functions: SetFunctions, known: Set[str], own: Set[str]) -> None:
    """Refuse to sweep a number that a function of the set reads besides its arguments."""
    sides = (*SIDES, SECOND)
    kinetics = {functions.name(side, EXCHANGE_CURRENT) for side in sides}
    potentials = {
        functions.name(side, name)
        for side in sides
        for name in (OPEN_CIRCUIT, ENTROPIC_CHANGE, *BRANCHES.values())
    }
    for name in sorted(known | kinetics | potentials):
        measured = {INITIAL_SALT} if name in kinetics else set()
        hidden = functions.reads(name) & own - measured
        if hidden:
            raise InputError(
                f"'{min(hidden)}' cannot be swept, because the parameter set's '{name}' is a "
                "function of it; replace that function by a number"
            )
