"""What a fit compares: measured formations, and the same simulated for many parameter vectors."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import xarray as xr

from cellmodel.bridge.lithium_inventory import STATE, lithium_inventory
from cellmodel.cell import Cell
from cellmodel.design_space import DesignSpace
from cellmodel.equipment import load_equipment
from cellmodel.fit_parameter import FRESH, Box
from cellmodel.kernel_inputs import KernelInputs, kernel_inputs
from cellmodel.kernel_run import formed
from cellmodel.measurements import CASE, COUNT, Group, Measurements
from kernels.status import SENTENCES

EQUIPMENT = "laboratory-cycler"  # a sweep needs one; no outcome depends on it
INVENTORY = "lithium_inventory"
_FIRST_CYCLE = {
    "first_charge_capacity": "charge_capacity",
    "first_discharge_capacity": "discharge_capacity",
    "first_charge_energy": "charge_energy",
    "first_discharge_energy": "discharge_energy",
}


class FitProblem:
    """Measured formations of a cell, and which of its parameters are free.

    Parameters
    ----------
    cell
        Whose parameters are fitted.
    measurements
        What was measured.
    box
        The parameters.
    inventory_origin
        Positive stoichiometry from which measured lithium inventories count; None if that is not
        known, and they are compared up to a constant.

    Raises
    ------
    InputError
        If the kernels do not take a parameter.
    """

    def __init__(
        self,
        cell: Cell,
        measurements: Measurements,
        box: Box,
        inventory_origin: float | None = None,
    ) -> None:
        self.cell, self.measurements, self.box = cell, measurements, box
        self.inventory_origin = inventory_origin
        self.measured = np.array(list(measurements.outcomes.values()))
        self.standard_deviations = np.array(list(measurements.standard_deviations.values()))
        self.known = np.isfinite(self.measured)
        self.floating = np.array(
            [name == INVENTORY and inventory_origin is None for name in measurements.outcomes]
        )
        self._equipment = load_equipment(EQUIPMENT)
        middle = box.values(np.full((1, len(box.names)), 0.5))
        # the cell is tabulated once: only numbers differ from call to call
        self._inputs = [kernel_inputs(self._design(g, middle)) for g in measurements.groups]

    def outcomes(self, values: np.ndarray) -> np.ndarray:
        """Simulate every case for every vector of parameters.

        Parameters
        ----------
        values
            Array, shape (vectors, parameters).

        Returns
        -------
        ndarray
            Shape (vectors, outcomes, cases), in the units of the table; NaN where a case cannot
            be solved. Without an origin, `lithium_inventory` is minus the lithium lost.
        """
        found = np.empty((len(values), *self.measured.shape))
        for group, inputs in zip(self.measurements.groups, self._inputs, strict=True):
            results = self._sweep(group, inputs, values)
            shape = (len(values), group.rows.size)
            for index, name in enumerate(self.measurements.outcomes):
                if name == INVENTORY:
                    simulated = self._inventory(results, values, shape)
                else:
                    simulated = _outcome(results, name).reshape(shape)
                found[:, index, group.rows] = simulated
        return found

    def failure(self, values: np.ndarray) -> str:
        """Return which case cannot be solved with one vector of parameters, and why."""
        for group, inputs in zip(self.measurements.groups, self._inputs, strict=True):
            status = self._sweep(group, inputs, values[None])["status"].values
            if status.any():
                row = group.rows[np.flatnonzero(status)[0]]
                sentence = SENTENCES[int(status[status > 0][0])]
                return f"case {self.measurements.labels[row]}: {sentence}"
        return "every case can be solved"

    def settle(self, outcomes: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return the outcomes with the constant added that fits measured inventories best.

        Parameters
        ----------
        outcomes
            As `outcomes` returns them.
        rows
            Bool array, shape (cases,): which measurements count.
        """
        counts = rows & self.known
        weights = np.where(counts, self.standard_deviations**-2.0, 0.0)
        away = np.where(counts, self.measured - outcomes, 0.0)
        total = weights.sum(axis=-1)
        # NaN where none of the cases that count was measured
        shift = (weights * away).sum(axis=-1) / np.where(total > 0, total, np.nan)
        return outcomes + np.where(self.floating, shift, 0.0)[..., None]

    def residuals(self, outcomes: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return (simulated - measured) / standard deviation, shape (vectors, residuals); 0 where
        nothing was measured.
        """
        away = (self.settle(outcomes, rows) - self.measured) / self.standard_deviations
        return np.where(self.known, away, 0.0)[..., rows].reshape(len(outcomes), -1)

    def _design(self, group: Group, values: np.ndarray) -> DesignSpace:
        """Return every case of every vector as one design, the vectors outermost."""
        vectors, cases = len(values), group.rows.size
        defaults = group.protocol.defaults(self.cell)
        # always swept, so that there is something to sweep
        variables = {"temperature": np.full(cases, defaults["temperature"]), **group.variables}
        over: dict[str, object] = {
            name: (CASE, np.tile(column, vectors))
            for name, column in variables.items()
            if group.protocol.variables[name].unit != COUNT  # the group's protocol has it
        }
        over |= {
            name: (CASE, np.repeat(column, cases))
            for name, column in zip(self.box.names, values.T, strict=True)
            if name not in FRESH
        }
        return DesignSpace(self.cell, group.protocol, self._equipment, over)

    def _sweep(
        self, group: Group, inputs: KernelInputs, values: np.ndarray
    ) -> dict[str, xr.Variable]:
        design = self._design(group, values)
        fresh = {
            name: np.repeat(column, group.rows.size)
            for name, column in zip(self.box.names, values.T, strict=True)
            if name in FRESH
        }
        # where a case starts is no parameter of the design, but a number of the tabulated cell
        cell = dataclasses.replace(inputs.cell, measured={**inputs.cell.measured, **fresh})
        inputs = dataclasses.replace(inputs, design=design, cell=cell)
        return formed(inputs, 0, design.kernel_size)  # labels would take longer than the kernels

    def _inventory(
        self, results: Mapping[str, xr.Variable], values: np.ndarray, shape: tuple[int, int]
    ) -> np.ndarray:
        if self.inventory_origin is None:
            return -results["lithium_loss"].values.reshape(shape)
        columns = dict(zip(self.box.names, values.T[:, :, None], strict=True))
        state = {name: results[name].values.reshape(shape) for name in STATE}
        return lithium_inventory(self.cell, state, columns, self.inventory_origin)


def _outcome(results: Mapping[str, xr.Variable], name: str) -> np.ndarray:
    if name in _FIRST_CYCLE:
        return results[_FIRST_CYCLE[name]].isel(cycle=0).values
    return results[name].values
