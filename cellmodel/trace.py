"""Formation of one cell by the kernels, with its course over time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from cellmodel.cell import Cell
from cellmodel.compilation import kernels_for
from cellmodel.equipment import Equipment
from cellmodel.errors import InputError
from cellmodel.kernel_inputs import kernel_inputs
from cellmodel.kernel_run import SECONDS_PER_HOUR, sweep_design
from cellmodel.protocol import Protocol
from cellmodel.sweep import design_space
from cellmodel.variables import label

MOST_ROWS = 200_000
_SERIES = {
    "voltage": "voltage",
    "current": "current",
    "temperature": "cell_temperature",
    "negative_stoichiometry": "negative_stoichiometry_series",
    "positive_stoichiometry": "positive_stoichiometry_series",
    "sei_thickness": "sei_thickness_series",
}


def trace_formation(
    cell: Cell | str | Path,
    protocol: Protocol | str | Path,
    equipment: Equipment | str | Path,
    *,
    tolerance: float = 1.0,
) -> xr.Dataset:
    """Form a cell with the kernels: what `simulate_formation` returns, a thousand times sooner.

    Parameters
    ----------
    cell, protocol, equipment
        What is formed, how, and with what; names and paths are loaded.
    tolerance
        As for `sweep_formation`; what is over time is computed with a tenth of it. The time steps
        are those of the kernels, so a smaller one also gives more points.

    Returns
    -------
    xarray.Dataset
        The summary of `sweep_formation` and, over `time` [h], what `simulate_formation` gives:
        voltage [V], current [A], cell_temperature [K], capacity [A h], lithium_loss_series [A h],
        sei_thickness_series [m], stoichiometries [1], indices of cycle and of the step within it.

    Raises
    ------
    InputError
        If an input is wrong, or the case cannot be solved.
    """
    from kernels.cell import TRACE
    from kernels.status import OK, SENTENCES

    design = design_space(cell, protocol, equipment, None)
    inputs = kernel_inputs(design)
    summary = sweep_design(design, tolerance, inputs=inputs)
    base, _, _ = inputs.vectors(0, 1)
    rows = np.empty((MOST_ROWS, len(TRACE)))
    tables, flat = inputs.cell.tables, inputs.cell.flat
    used, status = kernels_for(base, np.empty(0, dtype=np.int64), flat).trace(
        base, tables, flat, inputs.kinds, inputs.cycles, float(tolerance), rows
    )
    if status != OK:
        raise InputError(
            f"cell '{design.cell.name}' cannot be formed with protocol '{design.protocol.name}': "
            f"{SENTENCES[status]}"
        )
    columns = dict(zip(TRACE, rows[:used].T, strict=True))
    step = columns["step"].astype(int)
    cycle = inputs.cycles[step]
    within = step - np.searchsorted(inputs.cycles, cycle)  # PyBaMM counts steps from the cycle's
    series = {name: ("time", columns[column]) for column, name in _SERIES.items()}
    series |= {"step_index": ("time", within), "cycle_index": ("time", cycle)}
    hours, current = columns["time"] / SECONDS_PER_HOUR, columns["current"]
    charge = np.cumsum(0.5 * np.diff(hours) * (current[1:] + current[:-1]))  # linear in between
    series |= {
        "capacity": ("time", np.append(0.0, charge)),
        "lithium_loss_series": ("time", columns["lithium_loss"] / SECONDS_PER_HOUR),
    }
    over_time = label(series, {"time": hours})
    return summary.merge(over_time).assign_attrs(summary.attrs)
