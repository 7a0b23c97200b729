"""A cell as pybamm.ParameterValues: its set, what the cell puts on top, and where it starts."""

from __future__ import annotations

import functools
import numbers
from dataclasses import dataclass

import pybamm

from cellmodel.bridge.bpx_file import bpx_values
from cellmodel.bridge.passivation_submodels import HIGHEST, INITIAL, STORED, UNPASSIVATED
from cellmodel.bridge.scaled_functions import NEUTRAL, SCALED, scale
from cellmodel.bridge.sets import SETS
from cellmodel.bridge.two_phase import first_stoichiometry, is_two_phase, start_phases
from cellmodel.cell import Cell
from cellmodel.errors import InputError, quoted, unknown_name
from cellmodel.unpassivated_surface import NAME as UNPASSIVATED_SURFACE

OPEN_VOLTAGE = 0.0  # V: a fresh cell starts below any cut-off, where PyBaMM would stop at once


@dataclass(frozen=True)
class State:
    """Where a simulation starts: uniform particles, one film on each material.

    Parameters
    ----------
    negative_stoichiometry, positive_stoichiometry
        Mean lithium content / maximum [1].
    sei_thickness
        Film on the negative electrode [m]; of two materials, on the first.
    unpassivated_surface
        Of the negative electrode / all that its first lithiation would create [1].
    highest_negative_stoichiometry
        That it ever had [1]; the present one where that is higher.
    stored_lithium
        Kept by the negative electrode for long [A h], not part of its stoichiometry.
    second_negative_stoichiometry, second_sei_thickness
        Of the second negative material [1, m]; the first has the rest of the mean. Not read where
        there is one material.
    """

    negative_stoichiometry: float
    positive_stoichiometry: float
    sei_thickness: float
    unpassivated_surface: float = 0.0
    highest_negative_stoichiometry: float = 0.0
    stored_lithium: float = 0.0
    second_negative_stoichiometry: float | None = None
    second_sei_thickness: float | None = None


def fresh_state(cell: Cell) -> State:
    """Return the state of a cell that has never been charged."""
    negative, film = cell.negative_stoichiometry.value, cell.parameter("Initial SEI thickness [m]")
    return State(
        negative,
        cell.positive_stoichiometry.value,
        film,
        second_negative_stoichiometry=negative,
        second_sei_thickness=film,
    )


def parameter_values(
    cell: Cell,
    temperature: float = 298.15,
    state: State | None = None,
    *,
    scaled: bool = True,
) -> pybamm.ParameterValues:
    """Return what PyBaMM needs to simulate `cell`.

    Parameters
    ----------
    cell
        Its parameters come before those of its set. The set's reference temperature stays: 298 K
        in Prada2013, 298.15 K in most others.
    temperature
        Of the surroundings, and of the cell at the start [K].
    state
        Start; the fresh cell if None.
    scaled
        Whether the functions carry their factors (`scaled_functions`); the kernels have rows.

    Returns
    -------
    pybamm.ParameterValues
        A copy, yours to change. The lower cut-off is opened (the protocol's steps have their own).

    Raises
    ------
    InputError
        If PyBaMM has no such set, or the state lacks the second of two negative materials.
    """
    state = state or fresh_state(cell)
    values = set_values(cell).copy()
    values.update(
        {name: quantity.value for name, quantity in cell.parameters.items()},
        check_already_exists=False,
    )
    if scaled:
        scale(values)
    start = {"negative": state.negative_stoichiometry, "positive": state.positive_stoichiometry}
    if is_two_phase(set_values(cell)):
        _start_phases(cell, values, start.pop("negative"), state)
    values.update(
        {
            f"Initial concentration in {side} electrode [mol.m-3]": stoichiometry
            * cell.parameter(f"Maximum concentration in {side} electrode [mol.m-3]")
            for side, stoichiometry in start.items()
        }
        | {
            "Initial SEI thickness [m]": state.sei_thickness,
            "Ambient temperature [K]": temperature,
            "Initial temperature [K]": temperature,
            "Lower voltage cut-off [V]": OPEN_VOLTAGE,
        },
        check_already_exists=False,
    )
    if cell.formation == UNPASSIVATED_SURFACE:
        values.update(
            {
                INITIAL[UNPASSIVATED]: state.unpassivated_surface,
                INITIAL[HIGHEST]: max(
                    state.highest_negative_stoichiometry, state.negative_stoichiometry
                ),
                INITIAL[STORED]: state.stored_lithium,
            },
            check_already_exists=False,
        )
    return values


def _start_phases(cell: Cell, values: pybamm.ParameterValues, mean: float, state: State) -> None:
    second = state.second_negative_stoichiometry
    if second is None or state.second_sei_thickness is None:
        raise InputError(
            f"cell '{cell.name}' has two materials in its negative electrode: its state must have "
            "second_negative_stoichiometry and second_sei_thickness; form the cell again"
        )
    first = first_stoichiometry(cell.parameter, mean, second)
    films = (state.sei_thickness, state.second_sei_thickness)
    start_phases(values, (first, second), films)


def parameter(cell: Cell, name: str) -> float:
    """Return a number of the cell's PyBaMM set.

    Parameters
    ----------
    cell
        Its own parameters come first.
    name
        In PyBaMM's spelling.

    Raises
    ------
    InputError
        If there is no such parameter, or it is a function.
    """
    if name in cell.parameters:
        return cell.parameters[name].value
    values = set_values(cell)
    if name in NEUTRAL:
        return NEUTRAL[name]
    if name not in values.keys():  # noqa: SIM118 (ParameterValues is no Mapping)
        raise unknown_name(f"parameter of cell '{cell.name}'", name, parameter_names(cell))
    value = values[name]
    if not isinstance(value, numbers.Real):
        raise InputError(
            f"'{name}' is a function in the parameter set '{cell.parameter_set}', not a number; "
            f"give cell '{cell.name}' a constant by replace_parameters or in its table [parameters]"
        )
    return float(value)


def parameter_names(cell: Cell) -> list[str]:
    """Return the names of all parameters of the cell, functions included."""
    known = set(set_values(cell).keys()) | set(cell.parameters)
    known |= {name for function in SCALED if function in known for name in SCALED[function]}
    return sorted(known - {"chemistry", "citations"})


def set_values(cell: Cell) -> pybamm.ParameterValues:
    """Return the set under a cell, PyBaMM's or that of its BPX file; shared, copy before changes.

    Raises
    ------
    InputError
        If PyBaMM has no such set, or the BPX file is wrong.
    """
    if cell.bpx:
        return bpx_values(cell.bpx, cell.parameter_set)
    return shipped_values(cell.parameter_set)


@functools.cache
def shipped_values(name: str) -> pybamm.ParameterValues:
    """Return a set as PyBaMM or we ship it; shared, so copy it before you change it.

    Raises
    ------
    InputError
        If there is no such set.
    """
    if name in SETS:
        return pybamm.ParameterValues(SETS[name]())
    if name not in pybamm.parameter_sets:
        raise unknown_name("PyBaMM parameter set", name, {*pybamm.parameter_sets, *SETS})
    try:
        return pybamm.ParameterValues(name)
    except Exception as error:  # a set is a plug-in: its code may raise anything
        raise InputError(f"PyBaMM cannot load its set {quoted(name)}: {error}") from error
