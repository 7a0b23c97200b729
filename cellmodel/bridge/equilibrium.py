"""What a cell would still give if it were discharged infinitely slowly."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from cellmodel.bridge.parameter_values import parameter_values
from cellmodel.bridge.set_functions import SECOND, SIDES, SetFunctions
from cellmodel.bridge.two_phase import PHASES, first_stoichiometry, of_phase
from cellmodel.cell import Cell
from cellmodel.electrode import electrode_capacity
from cellmodel.protocol import Protocol
from kernels.step_control import STOICHIOMETRY_EDGE

POINTS = 20_001  # of a potential; their inverse is linear in between
HALVINGS = 45  # of the volts between which the negative electrode's potential is

Number = float | np.ndarray


def kinetic_loss(
    cell: Cell,
    protocol: Protocol,
    values: Mapping[str, Number],
    stoichiometries: Mapping[str, Number],
    read: Callable[[str], Number],
) -> np.ndarray:
    """Return the charge [A h] between states and equilibrium at the last discharge's cut-off.

    Lithium moves from the negative to the positive electrode until the open-circuit potentials at
    the reference temperature differ by the cut-off, or one of the electrodes ends. Two negative
    materials come to one potential, that of delithiation.

    Parameters
    ----------
    cell, protocol, values
        What was formed and how; every protocol variable -> number, or one for each case.
    stoichiometries
        Means at the end [1], "negative_stoichiometry", "positive_stoichiometry" and, of the second
        negative material, "second_negative_stoichiometry".
    read
        PyBaMM name -> number, or one for each case, such as `cell.parameter`.

    Returns
    -------
    ndarray
        0 where the cell rests below the cut-off or there was none.
    """
    limits = [step.voltage_limit for step in protocol.steps if step.sign > 0]
    limits = [limit for limit in limits if limit is not None]
    x, y = (np.asarray(stoichiometries[f"{side}_stoichiometry"], dtype=float) for side in SIDES)
    if not limits:
        return np.zeros(x.shape)
    cut_off = limits[-1].evaluate(values, 1.0)
    functions = SetFunctions(parameter_values(cell))
    positive, holds = _inverse(functions, SIDES[1]), electrode_capacity(read, SIDES[1])
    if functions.two_phase:
        x_2 = np.asarray(stoichiometries["second_negative_stoichiometry"], dtype=float)
        contents = first_stoichiometry(read, x, x_2), x_2
        inverses = _inverse(functions, SIDES[0]), _inverse(functions, SECOND, "delithiation")
        capacities = [electrode_capacity(of_phase(read, phase), SIDES[0]) for phase in PHASES]
    else:
        contents, inverses = (x,), (_inverse(functions, SIDES[0]),)
        capacities = [electrode_capacity(read, SIDES[0])]

    def negative_at(potential: np.ndarray) -> np.ndarray:
        parts = zip(capacities, inverses, strict=True)
        return sum(capacity * np.interp(potential, *inverse) for capacity, inverse in parts)

    before = sum(c * content for c, content in zip(capacities, contents, strict=True))
    low = np.full(x.shape, min(potentials[0] for potentials, _ in inverses))
    high = np.full(x.shape, max(potentials[-1] for potentials, _ in inverses))
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        lithium = negative_at(middle) + holds * np.interp(middle + cut_off, *positive)
        too_much = lithium > before + holds * y
        low, high = np.where(too_much, middle, low), np.where(too_much, high, middle)
    return np.maximum(before - negative_at(high), 0.0)


def _inverse(
    functions: SetFunctions, side: str, branch: str | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return potentials, ascending, and the stoichiometries where a material has them."""
    s = np.linspace(STOICHIOMETRY_EDGE, 1.0 - STOICHIOMETRY_EDGE, POINTS)
    falling = np.minimum.accumulate(functions.potential(side, s, branch))
    return falling[::-1], s[::-1]
