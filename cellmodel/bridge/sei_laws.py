"""PyBaMM's SEI growth laws as coefficients of the one formula of `kernels.sei`.

After pybamm.models.submodels.interface.sei.sei_growth, whose currents are negative. A row that a
law does not state is 0: it does not have that effect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernels.kinetics import FARADAY

if TYPE_CHECKING:
    from cellmodel.bridge.kernel_rows import Row

EXCHANGE_CURRENT = "SEI reaction exchange current density [A.m-2]"
TRANSFER = "SEI growth transfer coefficient"
OPEN_CIRCUIT_POTENTIAL = "SEI open-circuit potential [V]"
RATE = "SEI kinetic rate constant [m.s-1]"
EC_CONCENTRATION = "EC initial concentration in electrolyte [mol.m-3]"
EC_DIFFUSIVITY = "EC diffusivity [m2.s-1]"
SOLVENT_CONCENTRATION = "Bulk solvent concentration [mol.m-3]"
SOLVENT_DIFFUSIVITY = "SEI solvent diffusivity [m2.s-1]"
LITHIUM_CONCENTRATION = "Lithium interstitial reference concentration [mol.m-3]"
LITHIUM_DIFFUSIVITY = "SEI lithium interstitial diffusivity [m2.s-1]"
ELECTRON_CONDUCTIVITY = "SEI electron conductivity [S.m-1]"
TUNNELLING_BARRIER = "Tunneling barrier factor [m-1]"


def number(name: str) -> Row:
    """Return a row that is a number of the set."""
    return lambda read: read(name)


def constant(value: float) -> Row:
    """Return a row that is the same for every set."""
    return lambda read: value


# transfer to a reaction at the bottom of the film: its potential is that behind the film
_REACTION = {
    "sei_prefactor": number(EXCHANGE_CURRENT),
    "sei_open_circuit_potential": number(OPEN_CIRCUIT_POTENTIAL),
    "sei_reaction_resistance": constant(1.0),
    "sei_film_drop": constant(1.0),
}
# the same by a solvent that has to diffuse through the film
_EC_REACTION = _REACTION | {
    "sei_prefactor": lambda read: FARADAY * read(EC_CONCENTRATION) * read(RATE),
    "sei_slowing": lambda read: read(RATE) / read(EC_DIFFUSIVITY),
}
_SYMMETRIC = {"sei_transfer": constant(0.5)}
_ASYMMETRIC = {"sei_transfer": number(TRANSFER)}
_PER_THICKNESS = {"sei_transport_resistance": constant(1.0)}  # m-1

_STATED: dict[str, dict[str, Row]] = {
    "reaction limited": _REACTION | _SYMMETRIC,
    "reaction limited (asymmetric)": _REACTION | _ASYMMETRIC,
    "solvent-diffusion limited": _PER_THICKNESS
    | {
        "sei_prefactor": lambda read: (
            FARADAY * read(SOLVENT_DIFFUSIVITY) * read(SOLVENT_CONCENTRATION)
        ),
    },
    "electron-migration limited": _PER_THICKNESS
    | {
        "sei_prefactor": number(ELECTRON_CONDUCTIVITY),
        "sei_open_circuit_potential": number(OPEN_CIRCUIT_POTENTIAL),
        "sei_migration": constant(1.0),
    },
    "interstitial-diffusion limited": _PER_THICKNESS
    | {
        "sei_prefactor": lambda read: (
            FARADAY * read(LITHIUM_DIFFUSIVITY) * read(LITHIUM_CONCENTRATION)
        ),
        "sei_transfer": constant(1.0),
    },
    "ec reaction limited": _EC_REACTION | _SYMMETRIC,
    "ec reaction limited (asymmetric)": _EC_REACTION | _ASYMMETRIC,
    "tunnelling limited": _SYMMETRIC
    | {
        "sei_prefactor": number(EXCHANGE_CURRENT),
        "sei_barrier": number(TUNNELLING_BARRIER),
        "sei_reaction_resistance": constant(1.0),
    },
}
_COEFFICIENTS = sorted({row for rows in _STATED.values() for row in rows})

#: every law with all its rows
LAWS: dict[str, dict[str, Row]] = {
    law: dict.fromkeys(_COEFFICIENTS, constant(0.0)) | rows for law, rows in _STATED.items()
}
