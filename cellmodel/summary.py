"""The summary table of a formation: what both doors deliver, from what each of them computes."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

from cellmodel.cell import Cell
from cellmodel.materials import bill_of_materials
from cellmodel.protocol import Protocol
from cellmodel.variables import label
from cellmodel.wall import chamber_energy, cycler_energy

Value = float | xr.DataArray


def summarise(
    raw: xr.Dataset,
    cell: Cell,
    protocol: Protocol,
    protocol_values: Mapping[str, Value],
    equipment_values: Mapping[str, Value],
    parameters: Mapping[str, Value],
) -> xr.Dataset:
    """Add efficiencies, wall energies and masses to the raw results of a formation.

    Parameters
    ----------
    raw
        Per cycle charge_capacity, discharge_capacity [A h], charge_energy, discharge_energy
        [W h]; per case lithium_loss [A h], sei_thickness [m], formation_time, charge_time,
        discharge_time [h], squared_current_time [A2 h], max_cell_temperature [K],
        negative_stoichiometry, positive_stoichiometry [1] and status.
    cell, protocol
        What was formed, and how.
    protocol_values
        Every protocol variable -> value in its unit.
    equipment_values
        Every equipment field -> value.
    parameters
        PyBaMM name -> value, for those that differ from the cell's.

    Returns
    -------
    xarray.Dataset
        Simulated values are NaN wherever status is not 0.
    """
    succeeded = raw["status"] == 0
    results = {name: raw[name].where(succeeded) for name in raw.data_vars if name != "status"}
    full = {"cycle": protocol.capacity_cycle, "drop": True}
    nominal_energy = results["discharge_energy"].isel(**full)
    # nominal capacity is nowhere in the table: here it only sizes the cables
    nominal_capacity = results["discharge_capacity"].isel(**full)
    coulombic = _ratio(results["discharge_capacity"], results["charge_capacity"])
    halls = [
        (
            step.hall,
            step.duration.evaluate(protocol_values, 1.0),
            step.temperature.evaluate(protocol_values, 1.0),
        )
        for step in protocol.off_channel
    ]
    cycler = cycler_energy(
        results["charge_energy"].sum("cycle", skipna=False),
        results["discharge_energy"].sum("cycle", skipna=False),
        results["charge_time"],
        results["discharge_time"],
        results["formation_time"],
        results["squared_current_time"],
        nominal_energy,
        nominal_capacity,
        equipment_values,
    )
    chamber = chamber_energy(
        protocol_values["temperature"],
        results["formation_time"],
        halls,
        nominal_energy,
        equipment_values,
    )
    formation = cycler + chamber
    results |= {
        "coulombic_efficiency": coulombic,
        "energy_efficiency": _ratio(results["discharge_energy"], results["charge_energy"]),
        "first_cycle_efficiency": coulombic.isel(cycle=0, drop=True),
        "nominal_energy": nominal_energy,
        "total_time": sum((time for _, time, _ in halls), results["formation_time"]),
        "cycler_energy": cycler,
        "chamber_energy": chamber,
        "formation_energy": formation,
        "specific_formation_energy": formation / nominal_energy,
        # not masked: masses follow from the design alone, and need not know its other dimensions
        "component_mass": bill_of_materials(cell, parameters),
        "status": raw["status"],
    }
    return label(results, raw.coords)


def _ratio(out: xr.DataArray, into: xr.DataArray) -> xr.DataArray:
    """Return `out / into`, NaN for a cycle that does not charge."""
    return out / into.where(into > 0)
