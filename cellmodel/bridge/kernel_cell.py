"""From a PyBaMM parameter set to what the kernels take: tables of its functions, and numbers.

Any lithium-ion set will do whose exchange currents are those of symmetric Butler-Volmer kinetics
and whose transport properties depend on temperature as Arrhenius says. Both are measured here, and
a set that departs is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass

import numpy as np
import pybamm

from cellmodel.bridge.kernel_rows import Number, names, rows
from cellmodel.bridge.set_functions import (
    STOICHIOMETRIES,
    SetFunctions,
    activation_energy,
    order,
)
from cellmodel.errors import InputError, unknown_name
from kernels import tables

SALT = np.array([300.0, 700.0, 1500.0, 2500.0])  # mol m-3, where properties are compared
SLOPE_STEP = 1e-5  # of the position, for slopes by central differences
SIDES = ("negative", "positive")
#: the set may have functions of these; the kernels take a factor (the row) and a shape (the table)
DIFFUSIVITIES = {side: f"{side.capitalize()} particle diffusivity [m2.s-1]" for side in SIDES}
ELECTROLYTE = {
    "Electrolyte diffusivity [m2.s-1]": (tables.SHAPE_D_E, "electrolyte_diffusivity_activation"),
    "Electrolyte conductivity [S.m-1]": (tables.SHAPE_KAPPA, "electrolyte_conductivity_activation"),
    "Thermodynamic factor": (tables.SHAPE_TDF, None),
    "Cation transference number": (tables.SHAPE_T_PLUS, None),
}
#: what a set may lack, with a stand-in
OPTIONAL = {"Contact resistance [Ohm]": 0.0}


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
        PyBaMM name -> value of every scalar the rows are made of.
    measured
        Kernel row -> what was measured on the set's functions: activation energies, orders,
        factors.
    """

    tables: np.ndarray
    flat: np.ndarray
    sei: str
    numbers: Mapping[str, float]
    measured: Mapping[str, float]

    def rows(self, own: Mapping[str, Number]) -> dict[str, Number]:
        """Return every kernel row, as an array where it depends on one of `own`.

        Parameters
        ----------
        own
            PyBaMM name -> one value per case.
        """

        def read(name: str) -> Number:
            return own[name] if name in own else self.numbers[name]

        measured = dict(self.measured)
        for side in SIDES:
            name = f"Maximum concentration in {side} electrode [mol.m-3]"
            power = measured.pop(f"{side}_exchange_current_power")
            if name in own:
                ratio = own[name] / self.numbers[name]
                measured[f"{side}_exchange_current"] *= ratio**power
        return {row: function(read) for row, function in rows(self.sei).items()} | measured


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
    numbers = _numbers(functions, sei)
    table = _Tables()
    salt = numbers["Initial concentration in electrolyte [mol.m-3]"]
    measured = {"reference_electrolyte_concentration": salt}
    for side, stoichiometry in zip(SIDES, stoichiometries, strict=True):
        measured[f"{side}_stoichiometry"] = stoichiometry
        numbers[DIFFUSIVITIES[side]], energy = _diffusivity(functions, side, table)
        measured[f"{side}_diffusivity_activation"] = energy
        measured |= _exchange_current(functions, side, salt, numbers, own, table)
        _potential(functions, side, table)
    for name, (which, row) in ELECTROLYTE.items():
        numbers[name], energy = _electrolyte(functions, name, which, salt, table)
        if row is not None:
            measured[row] = energy
        elif abs(energy) > 1.0:
            raise InputError(
                f"{name} must not depend on temperature for the kernels, got an activation energy "
                f"of {energy:.0f} J/mol; use simulate_formation, or replace it by a number"
            )
    return KernelCell(table.coefficients, table.flat, sei, numbers, measured)


class _Tables:
    """The tables while they are being filled."""

    def __init__(self) -> None:
        self.coefficients = np.zeros((len(tables.NAMES), tables.INTERVALS, 5))
        self.flat = np.zeros(len(tables.NAMES), dtype=bool)

    def fill(
        self,
        which: int,
        function: Callable[[np.ndarray], np.ndarray],
        constant: float | None = None,
        within: float = 1e-12,
    ) -> None:
        """Tabulate a function of the position; flat if it stays `within` of the `constant`."""
        grid = np.linspace(0.0, 1.0, tables.INTERVALS + 1)
        low, high = np.clip(grid - SLOPE_STEP, 0, 1), np.clip(grid + SLOPE_STEP, 0, 1)
        values, slopes = function(grid), (function(high) - function(low)) / (high - low)
        # PyBaMM's potentials climb by a volt within the first and last interval: keep the cubic
        # there from swinging over
        for i, chord in ((0, values[1] - values[0]), (-1, values[-1] - values[-2])):
            steepest = 3.0 * chord * tables.INTERVALS
            slopes[i] = np.clip(slopes[i], min(0.0, steepest), max(0.0, steepest))
        self.coefficients[which] = tables.hermite_table(values, slopes)
        self.flat[which] = constant is not None and bool(np.all(np.abs(values - constant) < within))


def _numbers(functions: SetFunctions, sei: str) -> dict[str, float]:
    lacking = {
        name: value
        for name, value in OPTIONAL.items()
        if name not in functions.values.keys()  # noqa: SIM118 (ParameterValues is no Mapping)
    }
    measured = {*DIFFUSIVITIES.values(), *ELECTROLYTE}
    plain = (names(sei) | {"Reference temperature [K]"}) - measured - lacking.keys()
    return {name: functions.number(name) for name in sorted(plain)} | lacking


def _potential(functions: SetFunctions, side: str, table: _Tables) -> None:
    index = SIDES.index(side)
    table.fill((tables.U_N, tables.U_P)[index], lambda s: functions.potential(side, s))
    table.fill(
        (tables.DUDT_N, tables.DUDT_P)[index], lambda s: functions.entropic_change(side, s), 0.0
    )


def _diffusivity(functions: SetFunctions, side: str, table: _Tables) -> tuple[float, float]:
    """Return the diffusivity at half lithiation and its activation energy."""
    T_ref = functions.reference_temperature
    factor = float(functions.diffusivity(side, 0.5, T_ref))
    energy = activation_energy(
        lambda s, T: functions.diffusivity(side, s, T), STOICHIOMETRIES, T_ref, DIFFUSIVITIES[side]
    )
    table.fill(
        (tables.SHAPE_D_N, tables.SHAPE_D_P)[SIDES.index(side)],
        lambda s: functions.diffusivity(side, s, T_ref) / factor,
        1.0,
    )
    return factor, energy


def _exchange_current(
    functions: SetFunctions,
    side: str,
    salt: float,
    numbers: Mapping[str, float],
    own: Set[str],
    table: _Tables,
) -> dict[str, float]:
    """Measure factor sqrt(s (1 - s)) shape(s) (c_e / c_ref)^order c_max^power, and Arrhenius."""
    name = f"{side.capitalize()} electrode exchange-current density [A.m-2]"
    maximum = f"Maximum concentration in {side} electrode [mol.m-3]"
    T_ref = functions.reference_temperature
    factor = 2.0 * float(functions.exchange_current(side, 0.5, salt, T_ref))

    def shape(s: np.ndarray) -> np.ndarray:
        # PyBaMM rounds the roots off below a thousandth; such a particle is as good as empty
        s = np.clip(s, 1e-3, 1 - 1e-3)
        return functions.exchange_current(side, s, salt, T_ref) / (factor * np.sqrt(s * (1 - s)))

    table.fill((tables.SHAPE_J_N, tables.SHAPE_J_P)[SIDES.index(side)], shape, 1.0, within=1e-5)
    power = 0.0
    if maximum in own:
        power = order(
            lambda c: functions.exchange_current(side, STOICHIOMETRIES, salt, T_ref, c),
            numbers[maximum] * np.array([0.9, 1.1]),
            numbers[maximum],
            name,
            "maximum concentration",
        )
    return {
        f"{side}_exchange_current": factor,
        f"{side}_exchange_current_activation": activation_energy(
            lambda s, T: functions.exchange_current(side, s, salt, T), STOICHIOMETRIES, T_ref, name
        ),
        f"{side}_exchange_current_order": order(
            lambda c: functions.exchange_current(side, STOICHIOMETRIES, c, T_ref),
            SALT,
            salt,
            name,
            "salt concentration",
        ),
        f"{side}_exchange_current_power": power,
    }


def _electrolyte(
    functions: SetFunctions, name: str, which: int, salt: float, table: _Tables
) -> tuple[float, float]:
    """Return a property at the initial concentration and its activation energy."""
    T_ref = functions.reference_temperature
    factor = float(functions.electrolyte(name, salt, T_ref))
    energy = activation_energy(lambda c, T: functions.electrolyte(name, c, T), SALT, T_ref, name)
    table.fill(
        which,
        lambda p: functions.electrolyte(name, p * tables.CONCENTRATION_LIMIT, T_ref) / factor,
        1.0,
    )
    return factor, energy
