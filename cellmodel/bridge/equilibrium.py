"""What a cell would still give if it were discharged infinitely slowly."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.optimize import brentq

from cellmodel.bridge.parameter_values import parameter_values, set_values
from cellmodel.bridge.set_functions import SIDES, SetFunctions
from cellmodel.bridge.two_phase import is_two_phase
from cellmodel.cell import Cell
from cellmodel.electrode import electrode_capacity
from cellmodel.protocol import Protocol
from kernels.step_control import STOICHIOMETRY_EDGE


def kinetic_loss(
    cell: Cell,
    protocol: Protocol,
    values: Mapping[str, float],
    negative_stoichiometry: float,
    positive_stoichiometry: float,
) -> float:
    """Return the charge [A h] between a state and equilibrium at the last discharge's cut-off.

    Lithium moves from the negative to the positive electrode until the open-circuit potentials at
    the reference temperature differ by the cut-off, or one of the electrodes ends.

    Parameters
    ----------
    cell, protocol, values
        What was formed and how; every protocol variable -> number.
    negative_stoichiometry, positive_stoichiometry
        Mean, at the end [1].

    Returns
    -------
    float
        0 if the cell rests below the cut-off or there was none; NaN for a cell with two negative
        materials.
    """
    if is_two_phase(set_values(cell)):
        return np.nan
    limits = [step.voltage_limit for step in protocol.steps if step.sign > 0]
    limits = [limit for limit in limits if limit is not None]
    if not limits:
        return 0.0
    cut_off = float(limits[-1].evaluate(values, 1.0))
    functions = SetFunctions(parameter_values(cell))
    start = (negative_stoichiometry, positive_stoichiometry)
    capacities = [electrode_capacity(cell.parameter, side) for side in SIDES]
    per_charge = [sign / capacity for sign, capacity in zip((-1, 1), capacities, strict=True)]

    def excess(charge: float) -> float:
        U_n, U_p = (
            functions.potential(side, np.array([s + per * charge]))[0]
            for side, s, per in zip(SIDES, start, per_charge, strict=True)
        )
        return float(U_p - U_n - cut_off)

    most = min(
        (negative_stoichiometry - STOICHIOMETRY_EDGE) / -per_charge[0],
        (1 - STOICHIOMETRY_EDGE - positive_stoichiometry) / per_charge[1],
    )
    if excess(0.0) <= 0.0:
        return 0.0
    return max(most, 0.0) if excess(most) >= 0.0 else float(brentq(excess, 0.0, most))
