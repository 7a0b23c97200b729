"""Measured formations beside those of a cell as it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from cellmodel.cell import Cell, load_cell
from cellmodel.fit_parameter import Box
from cellmodel.fit_problem import FitProblem
from cellmodel.fit_result import compared
from cellmodel.measurements import read_measurements
from cellmodel.protocol import Protocol


def compare_formation(
    cell: Cell | str | Path,
    protocol: Protocol | str | Path | Sequence[Protocol | str | Path],
    measurements: object,
) -> xr.Dataset:
    """Simulate measured formations with the kernels; nothing is fitted.

    Parameters
    ----------
    cell, protocol, measurements
        As for `fit_formation`. Protocols may differ in the number of their cycles.

    Returns
    -------
    xarray.Dataset
        Every outcome of the table over `comparison` (measured, simulated, difference) and `case`,
        in the unit of its column; NaN where a case cannot be solved. `lithium_inventory` is that of
        `sweep_formation`, without a constant to fit.

    Raises
    ------
    InputError
        If an input is wrong.
    """
    cell = load_cell(cell)
    table = read_measurements(measurements, protocol)
    problem = FitProblem(cell, table, Box({}), cell.inventory_origin)
    return compared(table, problem.outcomes(np.empty((1, 0)))[0], "simulated")
