"""From a design space to the vectors the kernels take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cellmodel.bridge.kernel_cell import KernelCell, kernel_cell
from cellmodel.bridge.kernel_rows import names
from cellmodel.bridge.parameter_values import parameter_values, set_values
from cellmodel.bridge.two_phase import is_two_phase
from cellmodel.design_space import DesignSpace
from cellmodel.errors import InputError, unknown_name
from cellmodel.unpassivated_surface import NAME as UNPASSIVATED_SURFACE
from kernels import parameters
from kernels.protocol import CURRENT, NONE, POWER, SKIP, VOLTAGE

CAPACITY = "Nominal cell capacity [A.h]"  # turns rates into currents
TEMPERATURES = ("Ambient temperature [K]", "Initial temperature [K]")  # the protocol's
_KINDS = {"current": CURRENT, "voltage": VOLTAGE, "power": POWER}
Number = float | np.ndarray


@dataclass(frozen=True)
class KernelInputs:
    """A design space as the kernels see it.

    Parameters
    ----------
    design : the cases
    cell : tables and numbers of the cell
    kinds, cycles : int64 arrays, shape (steps,)
    """

    design: DesignSpace
    cell: KernelCell
    kinds: np.ndarray
    cycles: np.ndarray

    def vectors(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return base, columns and own of `kernels.sweep.sweep` for the flat cases `start` to
        `stop`.
        """
        design = self.design
        case = design.case_values(start, stop)
        own = {name: case[name].values for name in design.parameter_names}
        values = design.protocol.defaults(design.cell) | {
            name: case[name].values for name in design.protocol_names
        }
        capacity = own.pop(CAPACITY) if CAPACITY in own else design.cell.parameter(CAPACITY)
        rows = self.cell.rows(own | dict.fromkeys(TEMPERATURES, values["temperature"]))
        entries: list[Number] = [rows[name] for name in parameters.NAMES]

        for step in design.protocol.steps:
            entries += [NONE if n is None else n for n in step.numbers(values, capacity)]
        varying = [i for i, entry in enumerate(entries) if np.ndim(entry)]
        base = np.array([0.0 if np.ndim(entry) else entry for entry in entries])
        shape = (len(varying), stop - start)
        return (
            base,
            np.array(varying, dtype=np.int64),
            np.array([entries[i] for i in varying], dtype=float).reshape(shape),
        )


def kernel_inputs(design: DesignSpace) -> KernelInputs:
    """Tabulate the cell and number the steps.

    Raises
    ------
    InputError
        If a swept parameter is not an input of the kernels, or the cell's functions do not have
        the form they take.
    """
    cell, steps = design.cell, design.protocol.steps
    two_phase = is_two_phase(set_values(cell))
    if two_phase and cell.formation == UNPASSIVATED_SURFACE:
        raise InputError(
            f"the formation model '{cell.formation}' has one material in the negative electrode, "
            f"cell '{cell.name}' has two; use the formation model 'none'"
        )
    known = names(cell.sei, two_phase) - set(TEMPERATURES) | {CAPACITY}
    for name in design.parameter_names:
        if name not in known:
            kind = f"parameter that the kernels take with '{cell.sei}' SEI"
            raise unknown_name(kind, name, known)
    kinds = np.array([_KINDS[step.kind] + SKIP * step.leads_on for step in steps], dtype=np.int64)
    tabulated = kernel_cell(
        parameter_values(cell, scaled=False),
        cell.sei,
        (cell.negative_stoichiometry.value, cell.positive_stoichiometry.value),
        own=set(design.parameter_names) - {CAPACITY},
    )
    return KernelInputs(
        design, tabulated, kinds, np.array([step.cycle for step in steps], dtype=np.int64)
    )
