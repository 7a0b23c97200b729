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
_INPUT = ("input",)
_TIME = ("time",)

_FORMATION = (
    VariableSpec("charge_capacity", "A h", "charge put into the cell", _CYCLE),
    VariableSpec("discharge_capacity", "A h", "charge taken from the cell", _CYCLE),
    VariableSpec("charge_energy", "W h", "energy put into the cell at its terminals", _CYCLE),
    VariableSpec("discharge_energy", "W h", "energy taken from the cell at its terminals", _CYCLE),
    VariableSpec("coulombic_efficiency", "1", "discharge capacity / charge capacity", _CYCLE),
    VariableSpec("energy_efficiency", "1", "discharge energy / charge energy", _CYCLE),
    VariableSpec("first_cycle_efficiency", "1", "coulombic efficiency of the first full cycle"),
    VariableSpec("lithium_loss", "A h", "lithium inventory consumed by side reactions"),
    VariableSpec(
        "lithium_inventory", "A h", "lithium that is not lost, counted as the cell's source does"
    ),
    VariableSpec("parasitic_charge", "A h", "charge passed by shuttle and electrolyte oxidation"),
    VariableSpec("stored_lithium", "A h", "lithium that the negative electrode keeps, reversibly"),
    VariableSpec(
        "kinetic_loss", "A h", "charge that an infinitely slow discharge would still give"
    ),
    VariableSpec("unpassivated_surface", "1", "unpassivated surface / all that expansion opens"),
    VariableSpec("highest_negative_stoichiometry", "1", "highest mean negative stoichiometry"),
    VariableSpec(
        "sei_thickness",
        "m",
        "mean SEI thickness of the negative electrode",
        pybamm_name="X-averaged negative SEI thickness [m]",
    ),
    VariableSpec(
        "second_sei_thickness",
        "m",
        "mean SEI thickness of the second negative material, 0 without one",
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
    VariableSpec(
        "second_negative_stoichiometry",
        "1",
        "mean stoichiometry of the second negative material at the end, 0 without one",
    ),
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
    VariableSpec(
        "delivered_energy",
        "kW h",
        "energy taken from the cell until its discharge capacity falls to the threshold",
    ),
    VariableSpec("check_capacity", "A h", "charge of a C/3 discharge from full", ("check",)),
    VariableSpec(
        "dc_resistance",
        "ohm",
        "step of the voltage / current after a discharge pulse of 1 C for 10 s from rest",
        ("check", "state_of_charge"),
    ),
    VariableSpec(
        "pulse_power",
        "W",
        "discharge power for 10 s down to the lower voltage, from the resistance of the pulse",
        ("check", "state_of_charge"),
    ),
)

_FIT = (
    VariableSpec("first_charge_capacity", "A h", "charge put into the cell in the first cycle"),
    VariableSpec(
        "first_discharge_capacity", "A h", "charge taken from the cell in the first cycle"
    ),
    VariableSpec("first_charge_energy", "W h", "energy put into the cell in the first cycle"),
    VariableSpec("first_discharge_energy", "W h", "energy taken from the cell in the first cycle"),
    VariableSpec("fitted_value", "", "value of a parameter, in its unit", _INPUT),
    VariableSpec("standard_error", "", "standard error of a value, in its unit", _INPUT),
    VariableSpec("interval_low", "", "lower end of the 95 % interval, in its unit", _INPUT),
    VariableSpec("interval_high", "", "upper end of the 95 % interval, in its unit", _INPUT),
    VariableSpec("at_bound", "", "whether a value lies at an end of its range", _INPUT),
    VariableSpec(
        "correlation", "1", "correlation of two fitted parameters", ("input", "input_other")
    ),
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

_STEP = ("step",)

_PLANT = (
    VariableSpec("annual_output", "GW h a-1", "good cells per year"),
    VariableSpec("annual_electricity", "GW h a-1", "electricity of the plant per year"),
    VariableSpec("annual_heat", "GW h a-1", "useful heat of the plant per year"),
    VariableSpec("annual_formation_electricity", "MW h a-1", "electricity of formation per year"),
    VariableSpec(
        "annual_plant_emissions",
        "t a-1",
        "CO2-equivalent (GWP100) of the plant's electricity and gas per year",
        _SITE,
    ),
    VariableSpec(
        "formation_channels_needed", "1", "channels that full utilisation occupies, no spares"
    ),
    VariableSpec("formation_average_power", "MW", "electricity of formation / operating hours"),
    VariableSpec(
        "formation_peak_power", "MW", "power of formation if all channels needed charge at once"
    ),
    VariableSpec("electricity_share", "1", "share of the plant's electricity", _STEP),
    VariableSpec("heat_share", "1", "share of the plant's useful heat", _STEP),
    VariableSpec(
        "grid_intensity", "kg kWh-1", "CO2-equivalent (GWP100) of electricity in the year", _SITE
    ),
)

_METAL = ("metal",)

_METALS = (
    VariableSpec(
        "scrap",
        "kg kWh-1",
        "production waste per kWh of good cells, by step and component",
        ("step", "component"),
    ),
    VariableSpec("metal_input", "kg kWh-1", "metal in what enters production", _METAL),
    VariableSpec("metal_in_cells", "kg kWh-1", "metal in the good cells", _METAL),
    VariableSpec("metal_in_scrap", "kg kWh-1", "metal in production waste", ("metal", "step")),
    VariableSpec("metal_recovered", "kg kWh-1", "metal recovered from production waste", _METAL),
    VariableSpec(
        "metal_lost", "kg kWh-1", "metal in production waste that is not recovered", _METAL
    ),
    VariableSpec(
        "metal_returned", "kg kWh-1", "metal from own waste that enters production again", _METAL
    ),
    VariableSpec(
        "metal_bought", "kg kWh-1", "metal bought from outside: input less returned", _METAL
    ),
    VariableSpec(
        "recycled_content_article_8",
        "1",
        "recycled share of the metal in active materials, own production waste included",
        _METAL,
    ),
    VariableSpec(
        "recycled_content_r1",
        "1",
        "recycled share of the metal bought (R1): own production waste does not count",
        _METAL,
    ),
    VariableSpec(
        "recycled_content_minimum",
        "1",
        "least recycled share of the metal in active materials by law",
        ("metal", "deadline"),
    ),
)

_LEVER = ("lever",)

_SENSITIVITY = (
    VariableSpec("target", "kg kWh-1", "CO2-equivalent (GWP100) per kWh that is to be met"),
    VariableSpec("target_probability", "1", "share of the samples that meet the target"),
    VariableSpec(
        "target_probability_error", "1", "standard error of that share from their number alone"
    ),
    VariableSpec(
        "first_order_index", "1", "share of the variance that the input explains alone", _INPUT
    ),
    VariableSpec(
        "first_order_confidence", "1", "half width of its 95 % confidence interval", _INPUT
    ),
    VariableSpec(
        "total_order_index", "1", "share of the variance with all interactions of the input", _INPUT
    ),
    VariableSpec(
        "total_order_confidence", "1", "half width of its 95 % confidence interval", _INPUT
    ),
    VariableSpec(
        "footprint_change",
        "kg kWh-1",
        "CO2-equivalent (GWP100) per kWh of capacity that the lever adds",
        _LEVER,
    ),
    VariableSpec(
        "footprint_change_error",
        "kg kWh-1",
        "what halving the step of the difference changes in it",
        _LEVER,
    ),
    VariableSpec(
        "elasticity", "1", "relative change of the footprint / relative change of the lever", _LEVER
    ),
)

VARIABLES: Mapping[str, VariableSpec] = MappingProxyType(
    {
        spec.name: spec
        for block in (
            _FORMATION,
            _SERIES,
            _CYCLING,
            _FIT,
            _FOOTPRINT,
            _PLANT,
            _METALS,
            _SENSITIVITY,
        )
        for spec in block
    }
)

SAMPLE = "sample"  # the one dimension of the table that entries of a sweep may have

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
            DimensionSpec("step", "", "step of production"),
            DimensionSpec("year", "", "calendar year"),
            DimensionSpec("metal", "", "metal, phosphorus or graphite"),
            DimensionSpec("deadline", "", "day from which a rule applies"),
            DimensionSpec("check", "1", "cycles done before a performance check"),
            DimensionSpec("state_of_charge", "1", "charge left / capacity found by the check"),
            DimensionSpec("comparison", "", "measured, simulated or predicted, and the difference"),
            DimensionSpec("input", "", "quantity that is fitted or varied"),
            DimensionSpec("input_other", "", "fitted parameter"),
            DimensionSpec(SAMPLE, "1", "sample of uncertain inputs"),
            DimensionSpec("quantile", "1", "share of the samples that lie below"),
            DimensionSpec("lever", "", "engineering change"),
            DimensionSpec("measure", "", "engineering change on top of those before it"),
            DimensionSpec("rule_set", "", "rules by which the footprint is counted"),
            DimensionSpec("functional_unit", "", "what the kWh of a rule set are"),
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
    return re.sub(r"\bOhm\b", "ohm", re.sub(r"\.(?!\d)", " ", unit))  # "s-0.5" keeps its point
