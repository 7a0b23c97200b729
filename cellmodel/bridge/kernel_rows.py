"""Kernel rows made of PyBaMM numbers: which, and how.

A row that depends on a swept number becomes an array by itself; the rows that are not here are
measured on the set's functions (`kernel_cell`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cellmodel.bridge.sei_laws import LAWS, number
from cellmodel.electrode import electrode_area
from cellmodel.errors import unknown_name
from cellmodel.unpassivated_surface import PARAMETERS as UNPASSIVATED_SURFACE

Number = float | np.ndarray
Read = Callable[[str], Number]
Row = Callable[[Read], Number]

LAYERS = (
    "Negative current collector",
    "Negative electrode",
    "Separator",
    "Positive electrode",
    "Positive current collector",
)


def _electrode(side: str) -> dict[str, Row]:
    Side = side.capitalize()
    return {
        f"{side}_{row}": number(name)
        for row, name in {
            "electrode_thickness": f"{Side} electrode thickness [m]",
            "particle_radius": f"{Side} particle radius [m]",
            "active_material_fraction": f"{Side} electrode active material volume fraction",
            "porosity": f"{Side} electrode porosity",
            "bruggeman_electrolyte": f"{Side} electrode Bruggeman coefficient (electrolyte)",
            "bruggeman_electrode": f"{Side} electrode Bruggeman coefficient (electrode)",
            "conductivity": f"{Side} electrode conductivity [S.m-1]",
            "maximum_concentration": f"Maximum concentration in {side} electrode [mol.m-3]",
        }.items()
    } | {
        f"{side}_diffusivity": lambda read: (
            read(f"{Side} particle diffusivity [m2.s-1]")
            * read(f"{Side} particle diffusivity factor")
        ),
        f"{side}_diffusivity_activation": number(
            f"{Side} particle diffusivity activation energy [J.mol-1]"
        ),
        f"{side}_exchange_current": number(f"{Side} electrode exchange-current density factor"),
        f"{side}_exchange_current_activation": number(
            f"{Side} electrode exchange-current density activation energy [J.mol-1]"
        ),
    }


def _heat_capacity(read: Read) -> Number:
    """Of the whole cell [J K-1]: PyBaMM spreads the layers' mean over the cell's volume."""
    thickness = [read(f"{layer} thickness [m]") for layer in LAYERS]
    density = [
        read(f"{layer} density [kg.m-3]") * read(f"{layer} specific heat capacity [J.kg-1.K-1]")
        for layer in LAYERS
    ]
    mean = sum(a * b for a, b in zip(thickness, density, strict=True)) / sum(thickness)
    return read("Cell volume [m3]") * mean


def _cooling(read: Read) -> Number:
    coefficient = read("Total heat transfer coefficient [W.m-2.K-1]")
    return coefficient * read("Cell cooling surface area [m2]")


def _collectors(read: Read) -> Number:
    return sum(
        read(f"{side} current collector thickness [m]")
        / read(f"{side} current collector conductivity [S.m-1]")
        for side in ("Negative", "Positive")
    )


#: the same for every SEI law
ROWS: dict[str, Row] = {
    **_electrode("negative"),
    **_electrode("positive"),
    "electrode_area": electrode_area,
    "current_collector_resistance": _collectors,
    "heat_capacity": _heat_capacity,
    "cooling": _cooling,
    **{
        row: number(name)
        for row, name in {
            "separator_thickness": "Separator thickness [m]",
            "separator_porosity": "Separator porosity",
            "separator_bruggeman_electrolyte": "Separator Bruggeman coefficient (electrolyte)",
            "contact_resistance": "Contact resistance [Ohm]",
            "electrolyte_concentration": "Initial concentration in electrolyte [mol.m-3]",
            "electrolyte_diffusivity": "Electrolyte diffusivity [m2.s-1]",
            "electrolyte_conductivity": "Electrolyte conductivity [S.m-1]",
            "transference_number": "Cation transference number",
            "thermodynamic_factor": "Thermodynamic factor",
            "ambient_temperature": "Ambient temperature [K]",
            "initial_temperature": "Initial temperature [K]",
            "reference_temperature": "Reference temperature [K]",
            "sei_resistivity": "SEI resistivity [Ohm.m]",
            "sei_molar_volume": "SEI partial molar volume [m3.mol-1]",
            "sei_lithium_ratio": "Ratio of lithium moles to SEI moles",
            "sei_activation": "SEI growth activation energy [J.mol-1]",
            "sei_initial_thickness": "Initial SEI thickness [m]",
            **{row: name for name, (row, _) in UNPASSIVATED_SURFACE.items()},
        }.items()
    },
}


def rows(sei: str) -> dict[str, Row]:
    """Return all kernel rows for an SEI growth law, PyBaMM's option string.

    Raises
    ------
    InputError
        If it is not one of cell.SEI_LAWS.
    """
    if sei not in LAWS:
        raise unknown_name("SEI growth law", sei, LAWS)
    return ROWS | LAWS[sei]


def names(sei: str) -> set[str]:
    """Return the PyBaMM names of all numbers that may differ from case to case under an SEI law."""
    read: set[str] = set()

    def note(name: str) -> float:
        read.add(name)
        return 1.0

    for function in rows(sei).values():
        function(note)
    return read - {"Reference temperature [K]"}
