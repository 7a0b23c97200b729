"""The table of every variable and dimension of our Datasets, and the only way to build one."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import xarray as xr

from cellmodel.errors import unknown_name


@dataclass(frozen=True)
class VariableSpec:
    """What a variable is.

    Parameters
    ----------
    name
        As in the Dataset.
    units
        CF spelling: "W h", "A m-2", "1"; empty for codes and names.
    long_name
        What it means, for people and axis labels.
    dims
        Dimensions it has besides those of the cases.
    pybamm_name
        The same thing in PyBaMM, if it is one of its variables.
    """

    name: str
    units: str
    long_name: str
    dims: tuple[str, ...] = ()
    pybamm_name: str = ""


@dataclass(frozen=True)
class DimensionSpec:
    """What a dimension is; `units` and `long_name` as for variables."""

    name: str
    units: str
    long_name: str


_CYCLE = ("cycle",)
_TIME = ("time",)

_FORMATION = (
    VariableSpec("charge_capacity", "A h", "charge put into the cell", _CYCLE),
    VariableSpec("discharge_capacity", "A h", "charge taken from the cell", _CYCLE),
    VariableSpec("charge_energy", "W h", "energy put into the cell at its terminals", _CYCLE),
    VariableSpec("discharge_energy", "W h", "energy taken from the cell at its terminals", _CYCLE),
    VariableSpec("coulombic_efficiency", "1", "discharge capacity / charge capacity", _CYCLE),
    VariableSpec("energy_efficiency", "1", "discharge energy / charge energy", _CYCLE),
    VariableSpec("first_cycle_efficiency", "1", "coulombic efficiency of the first cycle"),
    VariableSpec("lithium_loss", "A h", "lithium inventory consumed by side reactions"),
    VariableSpec("parasitic_charge", "A h", "charge that leaked inside the cell, lithium not lost"),
    VariableSpec(
        "stored_lithium", "A h", "lithium that the negative electrode keeps for long, not lost"
    ),
    VariableSpec(
        "unpassivated_surface",
        "1",
        "surface without film at the end / all that the first lithiation would create",
    ),
    VariableSpec("highest_negative_stoichiometry", "1", "highest mean negative stoichiometry"),
    VariableSpec(
        "sei_thickness",
        "m",
        "mean SEI thickness of the negative electrode",
        pybamm_name="X-averaged negative SEI thickness [m]",
    ),
    VariableSpec("nominal_energy", "W h", "discharge energy of the last full discharge"),
    VariableSpec("formation_time", "h", "time on the cycler channel"),
    VariableSpec("total_time", "h", "time on the channel and in soak and ageing halls"),
    VariableSpec("charge_time", "h", "time with charging current"),
    VariableSpec("discharge_time", "h", "time with discharging current"),
    VariableSpec("squared_current_time", "A2 h", "time integral of the squared current"),
    VariableSpec("max_cell_temperature", "K", "highest cell temperature"),
    VariableSpec(
        "lowest_negative_potential",
        "V",
        "lowest potential of the negative electrode against lithium; below 0 lithium may plate",
    ),
    VariableSpec("negative_stoichiometry", "1", "mean negative stoichiometry at the end"),
    VariableSpec("positive_stoichiometry", "1", "mean positive stoichiometry at the end"),
    VariableSpec("cycler_energy", "W h", "electricity of the cycler, recovered energy subtracted"),
    VariableSpec("chamber_energy", "W h", "electricity to temper position, soak and ageing halls"),
    VariableSpec("formation_energy", "W h", "electricity of formation: cycler and chambers"),
    VariableSpec(
        "specific_formation_energy", "1", "electricity of formation / nominal energy of the cell"
    ),
    VariableSpec("component_mass", "kg", "mass in one cell", ("component",)),
    VariableSpec("status", "", "outcome of the simulation"),
)

_SERIES = (
    VariableSpec("voltage", "V", "terminal voltage", _TIME, "Voltage [V]"),
    VariableSpec("current", "A", "current, positive on discharge", _TIME, "Current [A]"),
    VariableSpec(
        "cell_temperature", "K", "cell temperature", _TIME, "Volume-averaged cell temperature [K]"
    ),
    VariableSpec("capacity", "A h", "net charge taken out", _TIME, "Discharge capacity [A.h]"),
    VariableSpec("lithium_loss_series", "A h", "lithium consumed so far", _TIME),
    VariableSpec(
        "sei_thickness_series",
        "m",
        "mean SEI thickness of the negative electrode",
        _TIME,
        "X-averaged negative SEI thickness [m]",
    ),
    VariableSpec(
        "negative_stoichiometry_series",
        "1",
        "mean negative stoichiometry",
        _TIME,
        "Negative electrode stoichiometry",
    ),
    VariableSpec(
        "positive_stoichiometry_series",
        "1",
        "mean positive stoichiometry",
        _TIME,
        "Positive electrode stoichiometry",
    ),
    VariableSpec("cycle_index", "1", "index of the cycle", _TIME),
    VariableSpec("step_index", "1", "index of the step within its cycle", _TIME),
)

_CYCLING = (
    VariableSpec(
        "resistance", "ohm", "ohmic and charge-transfer resistance when a discharge begins", _CYCLE
    ),
    VariableSpec("cycle_life", "1", "cycles until the discharge capacity falls to the threshold"),
)

_SITE = ("site",)

_FOOTPRINT = (
    VariableSpec(
        "carbon_footprint",
        "kg kWh-1",
        "CO2-equivalent (GWP100) per kWh of capacity, by stage and component",
        ("stage", "component", "site"),
    ),
    VariableSpec(
        "carbon_footprint_total",
        "kg kWh-1",
        "CO2-equivalent (GWP100) per kWh of capacity, all stages but use",
        _SITE,
    ),
    VariableSpec(
        "carbon_footprint_to_gate",
        "kg kWh-1",
        "CO2-equivalent (GWP100) per kWh of capacity, cradle to gate",
        _SITE,
    ),
    VariableSpec(
        "material_input",
        "kg kWh-1",
        "material bought per kWh of good cells, scrap included",
        ("component",),
    ),
    VariableSpec("plant_electricity", "1", "kWh of electricity per kWh of good cells"),
    VariableSpec("plant_heat", "1", "kWh of useful heat per kWh of good cells"),
    VariableSpec(
        "formation_share_of_plant_electricity", "1", "electricity of formation / plant electricity"
    ),
    VariableSpec("plant_yield", "1", "good cells / cells started"),
    VariableSpec("formation_channels", "1", "channels that the plant's output occupies"),
)

VARIABLES: Mapping[str, VariableSpec] = MappingProxyType(
    {spec.name: spec for block in (_FORMATION, _SERIES, _CYCLING, _FOOTPRINT) for spec in block}
)

DIMENSIONS: Mapping[str, DimensionSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            DimensionSpec("cycle", "1", "formation cycle, counted from 0"),
            DimensionSpec("time", "h", "time since the start on the channel"),
            DimensionSpec("cell", "", "candidate cell"),
            DimensionSpec("component", "", "component of the cell"),
            DimensionSpec("stage", "", "life-cycle stage"),
            DimensionSpec("site", "", "site of the plant"),
        )
    }
)


def label(
    data: Mapping[str, xr.DataArray | xr.Variable | tuple],
    coords: Mapping[Hashable, object] | None = None,
) -> xr.Dataset:
    """Build a Dataset from variables of the table.

    Parameters
    ----------
    data
        Variable name -> DataArray, Variable or (dims, array).
    coords
        Coordinate name -> DataArray, (dims, array) or, for its own dimension, array.

    Returns
    -------
    xarray.Dataset
        Variables with `units`, `long_name` and, where there is one, `pybamm_name`; coordinates
        of the table's dimensions likewise.

    Raises
    ------
    InputError
        If a name is not in the table.
    ValueError
        If a variable lacks a dimension that the table says it has.
    """
    arrays = {}
    for name, content in data.items():
        if name not in VARIABLES:
            raise unknown_name("variable", name, VARIABLES)
        spec = VARIABLES[name]
        if isinstance(content, xr.DataArray):
            array = content.copy(deep=False)
        else:
            array = xr.DataArray(xr.as_variable(content))
        if not set(spec.dims) <= set(array.dims):
            raise ValueError(f"{name} must have the dimensions {spec.dims}, got {array.dims}")
        array.attrs = _attributes(spec, array.attrs)
        arrays[name] = array
    dataset = xr.Dataset(arrays, coords=coords)
    for name, spec in DIMENSIONS.items():
        if name in dataset.coords:
            dataset[name].attrs.update(_attributes(spec, {}))
    return dataset


def _attributes(spec: VariableSpec | DimensionSpec, attributes: Mapping) -> dict:
    # Arithmetic of xarray keeps the attributes of one operand: only flags may stay.
    kept = {key: value for key, value in attributes.items() if key.startswith("flag_")}
    named = {key: getattr(spec, key, "") for key in ("units", "long_name", "pybamm_name")}
    return {key: value for key, value in named.items() if value} | kept


def glossary() -> str:
    """Return a Markdown table of all variables; `dims` are those besides the cases'."""
    rows = ["| name | unit | dims | meaning |", "|---|---|---|---|"]
    for spec in VARIABLES.values():
        cells = (f"`{spec.name}`", spec.units, ", ".join(spec.dims), spec.long_name)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def cf_unit(unit: str) -> str:
    """Return a unit of PyBaMM or of a protocol in CF spelling: "mol.m-3" -> "mol m-3", C -> h-1."""
    special = {"C": "h-1", "": "1", "-": "1", "Ohm": "ohm"}
    if unit in special:
        return special[unit]
    return re.sub(r"\bOhm\b", "ohm", unit.replace(".", " "))
