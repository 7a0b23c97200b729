"""Kernel rows made of PyBaMM numbers: which, and how.

A row that depends on a swept number becomes an array by itself; the rows that are not here are
measured on the set's functions (`kernel_cell`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cellmodel.bridge.sei_laws import LAWS, constant, number
from cellmodel.bridge.two_phase import PHASES
from cellmodel.electrode import electrode_area
from cellmodel.errors import unknown_name
from cellmodel.unpassivated_surface import PARAMETERS as UNPASSIVATED_SURFACE
from kernels.parameters import BOUNDS

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


#: made of the factors and energies of `scaled_functions`, which two materials do not have
SCALED_ROWS = ("diffusivity_activation", "exchange_current", "exchange_current_activation")


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
            **{row: name for name, (row, _) in UNPASSIVATED_SURFACE.items()},
        }.items()
    },
}
#: of the film, beside those of its law
FILM: dict[str, Row] = {
    row: number(name)
    for row, name in {
        "sei_resistivity": "SEI resistivity [Ohm.m]",
        "sei_molar_volume": "SEI partial molar volume [m3.mol-1]",
        "sei_lithium_ratio": "Ratio of lithium moles to SEI moles",
        "sei_activation": "SEI growth activation energy [J.mol-1]",
        "sei_initial_thickness": "Initial SEI thickness [m]",
    }.items()
}
#: what nobody reads where there is one material: the fraction 0, and for the rest any number
ONE_MATERIAL: dict[str, Row] = {
    row: constant(0.5 * sum(bounds)) for row, bounds in BOUNDS.items() if row.startswith("second_")
} | {"second_active_material_fraction": constant(0.0)}


def _material(row: str, phase: str) -> dict[str, Row]:
    """Rows of one of two materials: `row` begins their names, `phase` those of PyBaMM."""
    return {
        f"{row}_{end}": number(f"{phase}: {name}")
        for end, name in {
            "particle_radius": "Negative particle radius [m]",
            "active_material_fraction": "Negative electrode active material volume fraction",
            "maximum_concentration": "Maximum concentration in negative electrode [mol.m-3]",
            "diffusivity": "Negative particle diffusivity [m2.s-1]",
        }.items()
    }


def _film(phase: str, sei: str) -> dict[str, Row]:
    """Rows of the film on one of two materials; both start with the same one."""

    def own(row: Row) -> Row:
        return lambda read: row(lambda name: read(f"{phase}: {name}"))

    rows = {name: own(row) for name, row in (FILM | LAWS[sei]).items()}
    return rows | {"sei_initial_thickness": FILM["sei_initial_thickness"]}


def _two_materials(sei: str) -> dict[str, Row]:
    first, second = _material("negative", PHASES[0]), _material("second", PHASES[1])
    film, drop = _film(PHASES[0], sei), LAWS[sei]["sei_film_drop"]

    def drop_of_first(read: Read) -> Number:
        """PyBaMM's law refers the drop over both films to the surface of the second material."""
        surface = read_surface(first, "negative", read) / read_surface(second, "second", read)
        return drop(read) * surface

    def read_surface(material: dict[str, Row], row: str, read: Read) -> Number:
        fraction, radius = f"{row}_active_material_fraction", f"{row}_particle_radius"
        return material[fraction](read) / material[radius](read)

    of_second = {f"second_{name}": row for name, row in _film(PHASES[1], sei).items()}
    return first | second | film | of_second | {"sei_film_drop": drop_of_first}


def rows(sei: str, two_phase: bool = False) -> dict[str, Row]:
    """Return all kernel rows that are made of numbers.

    Parameters
    ----------
    sei
        SEI growth law, PyBaMM's option string.
    two_phase
        Whether the negative electrode has two materials (`two_phase`).

    Raises
    ------
    InputError
        If the law is not one of cell.SEI_LAWS.
    """
    if sei not in LAWS:
        raise unknown_name("SEI growth law", sei, LAWS)
    if two_phase:
        scaled = {f"negative_{row}" for row in SCALED_ROWS}
        return {row: made for row, made in ROWS.items() if row not in scaled} | _two_materials(sei)
    return ROWS | FILM | LAWS[sei] | ONE_MATERIAL


def names(sei: str, two_phase: bool = False) -> set[str]:
    """Return the PyBaMM names of all numbers that may differ from case to case; see `rows`."""
    read: set[str] = set()

    def note(name: str) -> float:
        read.add(name)
        return 1.0

    for function in rows(sei, two_phase).values():
        function(note)
    return read - {"Reference temperature [K]"}
