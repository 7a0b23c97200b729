"""Random designs and protocols of a cell, seeded: what benchmarks time and tests compare."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

import cellmodel as cm

GEOMETRY = (
    "Negative electrode thickness [m]",
    "Separator thickness [m]",
    "Positive electrode thickness [m]",
    "Negative particle radius [m]",
    "Positive particle radius [m]",
    "Negative electrode porosity",
    "Separator porosity",
    "Positive electrode porosity",
    "Electrode height [m]",
)
RATES = ("charge_rate", "later_charge_rate", "discharge_rate")

Cases = Mapping[str, tuple[str, np.ndarray]]


def random_cases(
    cell: cm.Cell,
    protocol: cm.Protocol,
    count: int,
    *,
    seed: int = 0,
    rates: tuple[float, float] = (1 / 20, 1 / 3),
    temperatures: tuple[float, float] = (283.0, 323.0),
    spread: float = 0.2,
) -> Cases:
    """Return `over` for `sweep_formation`: each case with rates, temperature, geometry of its own.

    Parameters
    ----------
    cell, protocol
        What is varied.
    count
        Number of cases, along the dimension `case`.
    seed
        The same seed gives the same cases; more of them begin with the same ones.
    rates
        Range of charge and discharge rates [C]; their logarithms are uniform.
    temperatures
        Range of the temperature [K] of the chamber, and of the cell at the start.
    spread
        Geometry lies within this share of the cell's own, either way; the negative electrode is
        not thinner, the positive not thicker than that.
    """
    known = [name for name in RATES if name in protocol.variables]
    ranges = dict.fromkeys(known, np.log(rates)) | {"temperature": temperatures}
    ranges |= dict.fromkeys(GEOMETRY, (1 - spread, 1 + spread))
    # a case with too little negative electrode is refused, and would be cheap: keep them balanced
    ranges |= {"Negative electrode thickness [m]": (1, 1 + spread)}
    ranges |= {"Positive electrode thickness [m]": (1 - spread, 1)}
    shares = np.random.default_rng(seed).random((count, len(ranges)))
    drawn = {name: np.interp(shares[:, i], (0, 1), ranges[name]) for i, name in enumerate(ranges)}
    drawn |= {name: np.exp(drawn[name]) for name in known}
    drawn |= {name: cell.parameter(name) * drawn[name] for name in GEOMETRY}
    return {name: ("case", values) for name, values in drawn.items()}


def single_case(
    cell: cm.Cell, protocol: cm.Protocol, cases: Cases, index: int
) -> tuple[cm.Cell, cm.Protocol]:
    """Return one of the cases as a cell and a protocol, for `simulate_formation`."""
    values = {name: float(array[index]) for name, (_, array) in cases.items()}
    variables = {name: value for name, value in values.items() if name in protocol.variables}
    parameters = {name: value for name, value in values.items() if name not in variables}
    return cell.replace_parameters(parameters), protocol.with_variables(**variables)
