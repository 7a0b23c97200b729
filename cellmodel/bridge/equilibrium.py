"""What a cell would still give if it were discharged infinitely slowly."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.optimize import brentq

from cellmodel.bridge.parameter_values import parameter_values, set_values
from cellmodel.bridge.readout import FARADAY, SECONDS_PER_HOUR
from cellmodel.bridge.set_functions import SIDES, SetFunctions
from cellmodel.bridge.two_phase import is_two_phase
from cellmodel.cell import Cell
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
    per_charge = [sign / _capacity(cell, side) for sign, side in zip((-1, 1), SIDES, strict=True)]

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


def _capacity(cell: Cell, side: str) -> float:
    """Charge of an electrode between empty and full [A h]."""
    Side = side.capitalize()
    volume = cell.parameter(f"{Side} electrode thickness [m]")
    for name in (
        "Electrode width [m]",
        "Electrode height [m]",
        "Number of electrodes connected in parallel to make a cell",
        f"{Side} electrode active material volume fraction",
        f"Maximum concentration in {side} electrode [mol.m-3]",
    ):
        volume *= cell.parameter(name)
    return volume * FARADAY / SECONDS_PER_HOUR
