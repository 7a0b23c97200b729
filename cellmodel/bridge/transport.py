"""Transport properties of particles and electrolyte as the kernels read them (`kernels.tables`): a
factor, a shape, an activation energy, and a temperature factor where Arrhenius is not enough.
"""

from __future__ import annotations

import numpy as np

from cellmodel.bridge.set_functions import (
    SALT,
    SIDES,
    STOICHIOMETRIES,
    Number,
    SetFunctions,
)
from cellmodel.bridge.set_tables import GRID, SetTables
from cellmodel.bridge.temperature_dependence import (
    ARRHENIUS_AGREEMENT,
    CUBIC_AGREEMENT,
    ENERGIES,
    arrhenius,
    cubic,
)
from cellmodel.errors import InputError
from kernels import parameters, tables

MOST_SALT = 3000.0  # mol m-3, up to which temperature factors are fitted; held beyond
POLYNOMIAL_AGREEMENT = 1e-4  # relative
TRANSFERENCE = "Cation transference number"
DIFFUSIVITY = "{Side} particle diffusivity [m2.s-1]"
_ELECTROLYTE = {
    "Electrolyte diffusivity [m2.s-1]": "electrolyte_diffusivity",
    "Electrolyte conductivity [S.m-1]": "electrolyte_conductivity",
    "Thermodynamic factor": "thermodynamic_factor",
    TRANSFERENCE: "transference_number",
}


def properties(functions: SetFunctions) -> dict[str, str]:
    """Return the PyBaMM names of properties -> their names in tables.PROPERTIES."""
    particles = {functions.name(side, DIFFUSIVITY): f"{side}_diffusivity" for side in SIDES}
    return particles | _ELECTROLYTE


def tabulate_transport(
    functions: SetFunctions, name: str, salt: float, table: SetTables
) -> tuple[float, float]:
    """Tabulate a property.

    Parameters
    ----------
    functions
        Of the set.
    name
        One of `properties`.
    salt
        Initial concentration [mol m-3].
    table
        Where its shape goes, and its temperature factor if it has one.

    Returns
    -------
    tuple of float
        The property at half lithiation or initial salt and at the reference temperature; its
        activation energy [J mol-1].

    Raises
    ------
    InputError
        If it is not positive (the transference number: below 1) or depends on temperature in
        another way.
    """
    row, T_ref = properties(functions)[name], functions.reference_temperature
    particle = name not in _ELECTROLYTE
    limit, most = (1.0, 1.0) if particle else (tables.CONCENTRATION_LIMIT, MOST_SALT)

    def function(at: np.ndarray, T: Number) -> np.ndarray:
        if particle:
            return functions.diffusivity(row.removesuffix("_diffusivity"), at, T)
        return functions.transport(name, at, T)

    factor = float(function(np.array([0.5 if particle else salt]), T_ref)[0])
    places = np.minimum(GRID * limit, most)
    _require_positive(function(places, T_ref).min(), name, "at the reference temperature")
    which = tables.NAMES.index(f"{row}_shape")
    table.fill(which, lambda position: function(position * limit, T_ref) / factor, 1.0)
    if which == tables.SHAPE_D_E:
        table.fit(tables.POLYNOMIAL_D_E, which, POLYNOMIAL_AGREEMENT)
    energy, departure = arrhenius(function, STOICHIOMETRIES if particle else SALT, T_ref)
    activated = f"{row}_activation" in parameters.NAMES
    if departure < ARRHENIUS_AGREEMENT and (activated or abs(energy) < 1.0):
        return factor, energy
    # the equations have 1 - t_plus, so that t_plus itself may pass through zero
    signed = name == TRANSFERENCE
    best = cubic(
        function,
        places,
        T_ref,
        significant=(lambda f: 1.0 - f) if signed else (lambda f: f),
        energies=ENERGIES if activated else np.zeros(1),
    )
    between = f"between {tables.COLDEST:g} and {tables.WARMEST:g} K"
    if signed and not best.lowest > 0.0:
        raise InputError(
            f"{name} must be below 1 for the kernels, got {1 - best.lowest:g} {between}"
        )
    _require_positive(best.lowest, name, between)
    if not best.departure < CUBIC_AGREEMENT:
        at, T = best.worst
        raise InputError(
            f"{name} must depend on temperature as Arrhenius' law times a cubic for the kernels, "
            f"within {CUBIC_AGREEMENT:.1%}, but departs from it by {best.departure:.1%} at {T:g} K "
            f"and {at:g}{'' if particle else ' mol/m3'}; use simulate_formation, or replace it by "
            "a number"
        )
    table.warm(row, best.coefficients)
    return factor, best.energy


def _require_positive(lowest: float, name: str, where: str) -> None:
    if not lowest > 0.0:
        raise InputError(
            f"{name} must be positive for the kernels, got {lowest:g} {where}; use "
            "simulate_formation, or replace it by a number"
        )
