"""Lithium that a cell has not lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from cellmodel.bridge.parameter_values import set_values
from cellmodel.bridge.two_phase import PHASES, is_two_phase, of_phase
from cellmodel.cell import Cell
from cellmodel.electrode import electrode_capacity

Number = TypeVar("Number")  # float, numpy array or xarray.Variable
STATE = ("negative_stoichiometry", "positive_stoichiometry", "stored_lithium")


def lithium_inventory(
    cell: Cell,
    state: Mapping[str, Number],
    parameters: Mapping[str, Number],
    origin: float | None = None,
) -> Number:
    """Return the lithium in the particles of both electrodes, and kept by the negative one [A h].

    Parameters
    ----------
    cell
        Whose geometry counts.
    state
        STATE: mean stoichiometries [1], of both materials if there are two, and what is kept [A h].
    parameters
        PyBaMM name -> value, in place of the cell's.
    origin
        Positive stoichiometry from which lithium in that electrode counts; `cell.inventory_origin`
        if None.
    """

    def read(name: str) -> Number:
        return parameters[name] if name in parameters else cell.parameter(name)

    if origin is None:
        origin = cell.inventory_origin
    two = is_two_phase(set_values(cell))
    readers = [of_phase(read, phase) for phase in PHASES] if two else [read]
    negative = sum(electrode_capacity(reader, "negative") for reader in readers)
    positive = electrode_capacity(read, "positive")
    held = negative * state["negative_stoichiometry"]
    return held + positive * (state["positive_stoichiometry"] - origin) + state["stored_lithium"]
