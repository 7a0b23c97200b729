"""The summary table of a formation: what both doors deliver, from what each of them computes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import xarray as xr

from cellmodel.protocol import Protocol
from cellmodel.wall import chamber_energy, cycler_energy
from kernels.status import NAMES

STATUS_FLAGS = MappingProxyType(  # attributes of `status`, as CF wants them
    {"flag_values": np.arange(len(NAMES), dtype=np.int8), "flag_meanings": " ".join(NAMES)}
)
Value = float | xr.Variable


def summarise(
    raw: Mapping[str, xr.Variable],
    protocol: Protocol,
    protocol_values: Mapping[str, Value],
    equipment_values: Mapping[str, Value],
) -> dict[str, xr.Variable]:
    """Add efficiencies and wall energies to the raw results of a formation.

    Variables, not DataArrays: dimensions have names, and nothing is spent on labels.

    Parameters
    ----------
    raw
        Per cycle charge_capacity, discharge_capacity [A h], charge_energy, discharge_energy
        [W h]; per case lithium_loss [A h], sei_thickness [m], formation_time, charge_time,
        discharge_time [h], squared_current_time [A2 h], max_cell_temperature [K],
        negative_stoichiometry, positive_stoichiometry [1]. NaN where it could not be solved.
    protocol
        How it was formed.
    protocol_values
        Every protocol variable -> value in its unit.
    equipment_values
        Every equipment field -> value.

    Returns
    -------
    dict
        `raw` and what follows from it, by name in our table; NaN spreads.
    """
    nominal_energy = raw["discharge_energy"].isel(cycle=protocol.capacity_cycle)
    # nominal capacity is nowhere in the table: here it only sizes the cables
    nominal_capacity = raw["discharge_capacity"].isel(cycle=protocol.capacity_cycle)
    halls = [
        (
            step.hall,
            step.duration.evaluate(protocol_values, 1.0),
            step.temperature.evaluate(protocol_values, 1.0),
        )
        for step in protocol.off_channel
    ]
    cycler = cycler_energy(
        _total(raw["charge_energy"]),
        _total(raw["discharge_energy"]),
        raw["charge_time"],
        raw["discharge_time"],
        raw["formation_time"],
        raw["squared_current_time"],
        nominal_energy,
        nominal_capacity,
        equipment_values,
    )
    chamber = chamber_energy(
        protocol_values["temperature"],
        raw["formation_time"],
        halls,
        nominal_energy,
        equipment_values,
    )
    formation = cycler + chamber
    return dict(raw) | {
        "coulombic_efficiency": _ratio(raw["discharge_capacity"], raw["charge_capacity"]),
        "energy_efficiency": _ratio(raw["discharge_energy"], raw["charge_energy"]),
        "first_cycle_efficiency": first_cycle_efficiency(raw, protocol, protocol_values),
        "nominal_energy": nominal_energy,
        "total_time": sum((time for _, time, _ in halls), raw["formation_time"]),
        "cycler_energy": cycler,
        "chamber_energy": chamber,
        "formation_energy": formation,
        "specific_formation_energy": formation / nominal_energy,
    }


def first_cycle_efficiency(
    raw: Mapping[str, xr.Variable], protocol: Protocol, protocol_values: Mapping[str, Value]
) -> xr.Variable:
    """Return the charge of the first full discharge / charge put in by then.

    Full is one to the cut-off at which the cell is measured, or lower. What shallow cycles before
    it gave back counts as not put in.

    Parameters
    ----------
    raw
        charge_capacity, discharge_capacity [A h] over `cycle`.
    protocol, protocol_values
        As for `summarise`.
    """
    into, out = raw["charge_capacity"], raw["discharge_capacity"]
    efficiency: xr.Variable | float = np.nan
    measured = protocol.cut_offs[protocol.capacity_cycle].evaluate(protocol_values, 1.0)
    for cycle, cut_off in reversed(protocol.cut_offs.items()):
        held = _total(into.isel(cycle=slice(cycle + 1))) - _total(out.isel(cycle=slice(cycle)))
        full = cut_off.evaluate(protocol_values, 1.0) <= measured
        efficiency = _ratio(out.isel(cycle=cycle), held).where(full, efficiency)
    return efficiency


def _total(per_cycle: xr.Variable) -> xr.Variable:
    """Return the sum over the cycles, one after the other: numpy's depends on how many cases."""
    return sum(per_cycle.isel(cycle=cycle) for cycle in range(per_cycle.sizes["cycle"]))


def _ratio(out: xr.Variable, into: xr.Variable) -> xr.Variable:
    """Return `out / into`, NaN for a cycle that does not charge."""
    return out / into.where(into > 0)
