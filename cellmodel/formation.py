"""Formation of a cell: one case by PyBaMM, the reference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from cellmodel.cell import Cell, load_cell
from cellmodel.equipment import Equipment, load_equipment
from cellmodel.materials import bill_of_materials
from cellmodel.protocol import Protocol, load_protocol
from cellmodel.summary import STATUS_FLAGS, summarise
from cellmodel.variables import label
from kernels.status import OK


def simulate_formation(
    cell: Cell | str | Path,
    protocol: Protocol | str | Path,
    equipment: Equipment | str | Path,
    model: str = "SPMe",
    *,
    radial_points: int = 40,
    electrode_points: int = 20,
    rtol: float = 1e-8,
    atol: float = 1e-10,
) -> xr.Dataset:
    """Form a fresh cell with PyBaMM: one case, with its course over time.

    Parameters
    ----------
    cell, protocol, equipment
        What is formed, how, and with what; names and paths are loaded.
    model
        "SPM", "SPMe" or "DFN", each with SEI and lumped thermal model.
    radial_points, electrode_points
        Mesh of a particle, and of each electrode and the separator. A diffusivity that collapses
        where the particle is full needs more than the default: with 40 points the efficiency of
        nmc532-graphite-240mah is off by 0.12 points at 15 degC, with 100 by 0.02.
    rtol, atol
        Tolerances of the solver. These defaults leave at most 0.03 % of the net energy loss (energy
        in - energy out) of any cycle; 1e-6 and 1e-8 leave up to 0.81 % of the loss of a late, slow
        cycle that loses little, in hardly less time (four shipped cells with SPMe: 0.8 to 1.3 times
        that of the defaults; DFN: 0.6 to 0.75).

    Returns
    -------
    xarray.Dataset
        The summary that `sweep_formation` gives too (dimension `cycle`), and over `time` [h]
        voltage [V], current [A] (positive on discharge), cell_temperature [K], capacity [A h],
        lithium_loss_series [A h], sei_thickness_series [m], the stoichiometries of both
        electrodes, and the indices of cycle and step. Times are the steps of the solver; each
        step of the protocol begins where the one before ended, so that two rows may share a time.

    Raises
    ------
    InputError
        If the protocol cannot be run to its end with this cell; the message names the step.
    """
    from cellmodel.bridge import readout, reference  # imports PyBaMM, which takes two seconds
    from cellmodel.bridge.equilibrium import kinetic_loss
    from cellmodel.bridge.lithium_inventory import lithium_inventory

    cell = load_cell(cell)
    protocol = load_protocol(protocol)
    equipment = load_equipment(equipment)
    values = protocol.defaults(cell)
    method = reference.Method(model, radial_points, electrode_points, rtol, atol)
    simulation = reference.simulation(cell, protocol, values, method)
    over_time = readout.series(reference.solve(simulation, cell, protocol))
    raw = {
        name: xr.Variable(("cycle",) * np.ndim(value), value)
        for name, value in readout.raw(over_time, len(protocol.cycles)).items()
    }
    kinetic = kinetic_loss(cell, protocol, values, raw, cell.parameter)
    raw["kinetic_loss"] = xr.Variable((), kinetic)
    raw["lithium_inventory"] = lithium_inventory(cell, raw, {})
    results = summarise(raw, protocol, values, equipment.values()) | {
        "component_mass": bill_of_materials(cell),
        # what cannot be run has raised; the codes are those of sweep_formation
        "status": xr.Variable((), np.int8(OK), STATUS_FLAGS),
    }
    summary = label(results, {"cycle": np.arange(len(protocol.cycles))})
    dataset = summary.merge(_over_time(over_time))
    return dataset.assign_attrs(
        title=f"Formation of {cell.title}: {protocol.title}",
        cell=cell.name,
        cell_fingerprint=cell.fingerprint(),
        protocol=protocol.name,
        equipment=equipment.name,
        model=f"PyBaMM {model}, {cell.physics}",
    )


def _over_time(over_time: dict[str, np.ndarray]) -> xr.Dataset:
    from cellmodel.bridge.readout import SECONDS_PER_HOUR, SERIES, inventory

    lithium = inventory(over_time)
    arrays = {name: over_time[name] for name in (*SERIES, "cycle_index", "step_index")} | {
        "capacity": over_time["discharge_capacity"] - over_time["charge_capacity"],
        "lithium_loss_series": lithium[0] - lithium,
    }
    time = over_time["time"] / SECONDS_PER_HOUR
    return label({name: ("time", array) for name, array in arrays.items()}, {"time": time})
