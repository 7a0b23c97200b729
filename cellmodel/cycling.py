"""Life of a formed cell by PyBaMM: capacity, energy, efficiency and resistance, cycle by cycle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from cellmodel.cell import Cell, load_cell
from cellmodel.errors import InputError, quoted
from cellmodel.protocol import Protocol, load_protocol
from cellmodel.quantity import Range
from cellmodel.variables import label

STATE = ("negative_stoichiometry", "positive_stoichiometry", "sei_thickness")


def simulate_cycling(
    cell: Cell | str | Path,
    formed: xr.Dataset,
    protocol: Protocol | str | Path = "ageing-1c",
    cycles: int = 500,
    *,
    threshold: float = 0.8,
    model: str = "SPMe",
    radial_points: int = 30,
    electrode_points: int = 20,
    rtol: float = 1e-5,
    atol: float = 1e-7,
) -> xr.Dataset:
    """Cycle a formed cell until it is old.

    The cell starts where its formation ended: same SEI, same lithium in each electrode, particles
    and temperature evened out by the rest in between. The SEI goes on growing by the same law;
    nothing else ages.

    Parameters
    ----------
    cell
        The cell, its name or path. Where `formed` is a case of a sweep over parameters of the
        cell, the values of the case (its scalar coordinates) are taken.
    formed
        Result of `simulate_formation`, or one case of `sweep_formation`; only the
        stoichiometries and `sei_thickness` are used.
    protocol
        One run of it is repeated; name, path or Protocol.
    cycles
        How many times [1].
    threshold
        End of life: discharge capacity / that of the first cycle [1].
    model, radial_points, electrode_points, rtol, atol
        As for `simulate_formation`; the tolerances are looser, because loss per cycle is not the
        difference of large numbers here.

    Returns
    -------
    xarray.Dataset
        Over `cycle`: charge_capacity, discharge_capacity [A h], charge_energy, discharge_energy
        [W h], coulombic_efficiency, energy_efficiency [1], resistance [ohm], sei_thickness [m],
        lithium_loss [A h] since the end of formation; `cycle_life` [1], interpolated, NaN if the
        threshold is not reached within the run (the attribute `cycle_life_note` says so).
        If the cell cannot be cycled any more the rest is NaN and the attribute `stopped` says why.
        `resistance` is the step of the voltage / the step of the current at the moment the first
        discharge of the cycle begins: ohmic, film and charge transfer, at full charge, no
        diffusion.

    Raises
    ------
    InputError
        If `formed` is no single case of this cell, or the first cycle cannot be run.
    """
    from cellmodel.bridge import ageing, reference  # imports PyBaMM, which takes two seconds

    Range(1, 100_000).check("cycles", cycles)
    Range(0, 1, above=True, below=True).check("threshold", threshold)
    cell = load_cell(cell)
    protocol = load_protocol(protocol)
    start = _start(formed)
    cell = _swept_cell(cell, formed)
    method = reference.Method(model, radial_points, electrode_points, rtol, atol)
    values = protocol.defaults(cell)
    results, stopped = ageing.cycle(cell, protocol, values, start, int(cycles), method)
    capacity = results["discharge_capacity"]
    life = _crossing(capacity / capacity[0], threshold)
    results["coulombic_efficiency"] = capacity / results["charge_capacity"]
    results["energy_efficiency"] = results["discharge_energy"] / results["charge_energy"]
    dataset = label(
        {**{name: ("cycle", array) for name, array in results.items()}, "cycle_life": ((), life)},
        {"cycle": np.arange(int(cycles))},
    )
    note = f"first cycle with less than {threshold:g} of the capacity of cycle 0, interpolated"
    if np.isnan(life):
        note = f"NaN: {threshold:g} of the capacity was not reached within {cycles} cycles"
    return dataset.assign_attrs(
        title=f"Ageing of {cell.title}: {protocol.title}",
        cell=cell.name,
        protocol=protocol.name,
        model=f"PyBaMM {model}, {cell.sei} SEI, lumped thermal",
        cycle_life_note=note,
        **({"stopped": stopped} if stopped else {}),
    )


def _start(formed: xr.Dataset) -> tuple[float, float, float]:
    """Return the stoichiometries and SEI thickness at the end of formation."""
    if not isinstance(formed, xr.Dataset):
        raise InputError(
            "formed must be the Dataset of simulate_formation or of sweep_formation, got "
            f"{quoted(formed)}"
        )
    missing = [name for name in STATE if name not in formed]
    if missing:
        raise InputError(f"formed lacks {', '.join(missing)}: pass the whole result of a formation")
    dims = {dim: size for name in STATE for dim, size in formed[name].sizes.items()}
    if dims:
        raise InputError(
            f"formed must be a single case, got the dimensions {dims}; choose one, as by "
            f"formed.isel({', '.join(f'{dim}=0' for dim in dims)})"
        )
    values = tuple(float(formed[name]) for name in STATE)
    if not np.isfinite(values).all():
        raise InputError("formed holds NaN: this case of the sweep could not be solved, see status")
    return values


def _swept_cell(cell: Cell, formed: xr.Dataset) -> Cell:
    """Return the cell of this case: a sweep leaves its values as scalar coordinates."""
    name = formed.attrs.get("cell", cell.name)
    if "cell" in formed.coords:
        name = formed["cell"].item()
    if name != cell.name:
        raise InputError(f"formed is a formation of cell '{name}', not of '{cell.name}'")
    swept = {
        coordinate.attrs["pybamm_name"]: coordinate.item()
        for coordinate in formed.coords.values()
        if coordinate.ndim == 0 and "pybamm_name" in coordinate.attrs
    }
    return cell.replace_parameters(swept)


def _crossing(retention: np.ndarray, threshold: float) -> float:
    """Return the cycle number at which `retention` falls to the threshold, NaN if never."""
    below = np.flatnonzero(retention < threshold)
    if not below.size:
        return np.nan
    after = below[0]
    drop = retention[after - 1] - retention[after]
    return float(after - 1 + (retention[after - 1] - threshold) / drop)
