"""Bill of materials of a cell, from its own geometry."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import xarray as xr

from cellmodel.electrode import electrode_area
from cellmodel.errors import InputError, quoted, unknown_name
from cellmodel.quantity import Quantity, Range
from cellmodel.variables import label

if TYPE_CHECKING:
    from cellmodel.cell import Cell

# Roles, not substances: every cell has the same ones, and the coordinate `material` of a bill
# of materials names what fills them, which is also the name of the emission factor.
COMPONENTS = (
    "positive_active_material",
    "positive_filler",
    "negative_active_material",
    "negative_filler",
    "electrolyte",
    "separator",
    "negative_foil",
    "positive_foil",
    "housing",
)
# of cells with two negative active materials, such as silicon beside graphite, next to the first
SECOND = "negative_second_active_material"
_DENSITY = Range(0, 25_000, "kg m-3", above=True, hint="did you pass g cm-3?")
_SHARE = Range(0, 1, "1", below=True, hint="did you pass per cent?")
_FOIL = Range(0, 1e-3, "m", above=True, hint="did you pass um?")
NUMBERS: Mapping[str, Range] = MappingProxyType(
    {
        "positive_active_density": _DENSITY,
        "negative_active_density": _DENSITY,
        "positive_filler_density": _DENSITY,
        "negative_filler_density": _DENSITY,
        "electrolyte_density": _DENSITY,
        "separator_density": _DENSITY,
        "negative_foil_density": _DENSITY,
        "positive_foil_density": _DENSITY,
        "electrolyte_excess": Range(1, 5, "1"),
        "housing_mass": Range(0, 100, "kg"),
    }
)
OPTIONAL: Mapping[str, Range] = MappingProxyType(
    {
        "positive_filler_share": _SHARE,
        "negative_filler_share": _SHARE,
        "positive_foil_thickness": _FOIL,
        "negative_foil_thickness": _FOIL,
        "cell_mass": Range(0, 1000, "kg", above=True),
    }
)
_SECOND_DENSITY = "negative_second_active_density"


def bill_of_materials(
    cell: Cell, parameters: Mapping[str, float | xr.DataArray] | None = None
) -> xr.DataArray:
    """Return the mass of every component of one cell.

    With area A = width * height * electrodes in parallel, thickness L, active fraction a and
    porosity p of an electrode: active material a L A rho; filler (binder and conductive carbon)
    either the volume that active material and pores leave, (1 - a - p) L A rho, or, where the
    cell states a mass share s of the coating, s / (1 - s) of the active material (for sets whose
    fractions leave no or too much room). PyBaMM's A counts each coated face once and a foil is
    coated on both: a foil weighs A t rho / 2. The separator has the area A. Electrolyte fills
    the pores of electrodes and separator, times an excess for head space and wetting.
    Fractions that add up to more than 1 leave no filler; they are not refused here. A cell that
    names a second negative active material has both, by the volume fractions that PyBaMM calls
    "Primary: " and "Secondary: ".

    Parameters
    ----------
    cell
        Its geometry, and [materials]: names, densities, foils, housing.
    parameters
        PyBaMM name -> number or DataArray, in place of the cell's: what a sweep varies. Others
        than those of the geometry do no harm.

    Returns
    -------
    xarray.DataArray
        `component_mass` (component, and the dimensions of `parameters`) [kg per cell], with the
        coordinate `material` (component): the name of the emission factor. `component` has
        "negative_second_active_material" where the cell has one.

    Raises
    ------
    InputError
        If [materials] lacks an entry, or has an unknown one or a wrong unit.
    """
    known = _check(cell)
    given = parameters or {}

    def of(name: str) -> float | xr.DataArray:
        return given[name] if name in given else cell.parameter(name)

    def number(key: str) -> float:
        return known[key].value

    area = electrode_area(of)
    masses = {"housing": number("housing_mass")}
    pores = area * of("Separator thickness [m]") * of("Separator porosity")
    masses["separator"] = (
        area
        * of("Separator thickness [m]")
        * (1 - of("Separator porosity"))
        * number("separator_density")
    )
    for side, Side in (("positive", "Positive"), ("negative", "Negative")):
        porosity = of(f"{Side} electrode porosity")
        volume = area * of(f"{Side} electrode thickness [m]")
        fraction = f"{Side} electrode active material volume fraction"
        kinds = {f"{side}_active_material": (fraction, f"{side}_active_density")}
        if side == "negative" and SECOND in known:
            kinds = {
                "negative_active_material": (f"Primary: {fraction}", "negative_active_density"),
                SECOND: (f"Secondary: {fraction}", _SECOND_DENSITY),
            }
        own = {name: of(key) * volume * number(density) for name, (key, density) in kinds.items()}
        masses |= own
        share = f"{side}_filler_share"
        if share in known:
            filler = number(share) / (1 - number(share)) * sum(own.values())
        else:
            active = sum(of(key) for key, _ in kinds.values())
            room = xr.DataArray(1 - active - porosity).clip(min=0)
            filler = room * volume * number(f"{side}_filler_density")
        thickness = f"{Side} current collector thickness [m]"
        if f"{side}_foil_thickness" in known and thickness not in given:
            foil = number(f"{side}_foil_thickness")
        else:
            foil = of(thickness)
        masses[f"{side}_filler"] = filler
        masses[f"{side}_foil"] = area * foil / 2 * number(f"{side}_foil_density")
        pores = pores + porosity * volume
    masses["electrolyte"] = pores * number("electrolyte_density") * number("electrolyte_excess")

    names = list(COMPONENTS)
    if SECOND in known:
        names.insert(names.index("negative_active_material") + 1, SECOND)
    arrays = xr.broadcast(*(xr.DataArray(masses[name]) for name in names))
    result = xr.concat(arrays, "component", coords="minimal", compat="override", join="exact")
    result = result.assign_coords(
        component=names, material=("component", [str(known[name]) for name in names])
    )
    return label({"component_mass": result})["component_mass"]


def _check(cell: Cell) -> Mapping[str, Quantity | str]:
    """Return the [materials] of the cell if they are complete and right."""
    where = f"cell {cell.name!r}, [materials]"
    needed, allowed = (*COMPONENTS, *NUMBERS), {**NUMBERS, **OPTIONAL, _SECOND_DENSITY: _DENSITY}
    if SECOND in cell.materials or _SECOND_DENSITY in cell.materials:
        needed = (*needed, SECOND, _SECOND_DENSITY)
    for name, entry in cell.materials.items():
        if name in (*COMPONENTS, SECOND):
            if not isinstance(entry, str):
                raise InputError(f"{where} {name} must be the name of a material, got {entry!r}")
        elif name not in allowed:
            raise unknown_name(f"entry of {where},", name, (*COMPONENTS, SECOND, *allowed))
        elif not isinstance(entry, Quantity) or entry.unit != allowed[name].unit:
            raise InputError(
                f"{where} {name} must be a quantity in {allowed[name].unit!r}, got {quoted(entry)}"
            )
        else:
            allowed[name].check(f"{where} {name}", entry.value)
    missing = [name for name in needed if name not in cell.materials]
    if missing:
        raise InputError(f"{where}: add {', '.join(missing)}; the bill of materials needs them")
    return cell.materials
