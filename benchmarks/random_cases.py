"""Random designs and protocols of a cell, seeded: what benchmarks time and compare.

A box says between which bounds each quantity lies. `usual` is what formation looks like, `wide`
is what the kernels must get right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain

import numpy as np

import cellmodel as cm
from cellmodel.bridge.parameter_values import parameter_names
from cellmodel.bridge.scaled_functions import NEUTRAL
from cellmodel.bridge.two_phase import PHASES
from cellmodel.errors import InputError

RATES = ("charge_rate", "later_charge_rate", "discharge_rate")
FAR = 3  # between bounds further apart than this factor, logarithms are drawn
NEGATIVE, POSITIVE = (f"{side} electrode thickness [m]" for side in ("Negative", "Positive"))
GEOMETRY = (
    NEGATIVE,
    "Separator thickness [m]",
    POSITIVE,
    "Negative particle radius [m]",
    "Positive particle radius [m]",
    "Negative electrode porosity",
    "Separator porosity",
    "Positive electrode porosity",
    "Electrode height [m]",
)
# Not all sets have a number for each diffusivity and conductivity. Where a particle has a function,
# its factor is drawn; where the electrolyte has, porosities and Bruggeman coefficients move it.
TRANSPORT = (
    "Negative electrode active material volume fraction",
    "Positive electrode active material volume fraction",
    "Negative electrode Bruggeman coefficient (electrolyte)",
    "Separator Bruggeman coefficient (electrolyte)",
    "Positive electrode Bruggeman coefficient (electrolyte)",
    "Negative electrode conductivity [S.m-1]",
    "Positive electrode conductivity [S.m-1]",
    "Negative particle diffusivity [m2.s-1]",
    "Positive particle diffusivity [m2.s-1]",
    "Electrolyte diffusivity [m2.s-1]",
    "Electrolyte conductivity [S.m-1]",
    "Initial concentration in electrolyte [mol.m-3]",
    "Cation transference number",
    "Thermodynamic factor",
    "Total heat transfer coefficient [W.m-2.K-1]",
    "Cell volume [m3]",
    "SEI resistivity [Ohm.m]",
)

Bounds = tuple[float, float]
Box = Callable[[cm.Cell], Mapping[str, Bounds]]
Cases = Mapping[str, tuple[str, np.ndarray]]


def usual(cell: cm.Cell) -> dict[str, Bounds]:
    """Return the box of formation as it is: C/20 to C/3, 283 to 323 K, geometry +-20 %."""
    bounds = dict.fromkeys(RATES, (1 / 20, 1 / 3)) | {"temperature": (283.0, 323.0)}
    bounds |= _around(cell, GEOMETRY, 0.8, 1.2)
    # a case with too little negative electrode is refused, and would be cheap: keep them balanced
    return bounds | _around(cell, [NEGATIVE], 1.0, 1.2) | _around(cell, [POSITIVE], 0.8, 1.0)


def wide(cell: cm.Cell) -> dict[str, Bounds]:
    """Return the box of everything at once: C/50 to 1C, 273 to 333 K, geometry and transport
    +-30 %, voltage window, ends of holds, rests, SEI rate over two decades.
    """
    lower, upper = (cell.parameter(f"{end} voltage cut-off [V]") for end in ("Lower", "Upper"))
    bounds = dict.fromkeys(RATES, (1 / 50, 1.0)) | {"temperature": (273.0, 333.0)}
    bounds |= {"cut_off_rate": (1 / 50, 1 / 10), "rest_time": (0.25, 4.0)}
    bounds |= {"lower_voltage": (lower, lower + 0.3), "upper_voltage": (upper - 0.15, upper)}
    bounds |= _around(cell, GEOMETRY + TRANSPORT, 0.7, 1.3)
    return bounds | _around(cell, [cell.calibration["parameter"]], 0.1, 10.0)


def random_cases(cell: cm.Cell, count: int, box: Box = usual, *, seed: int = 0) -> Cases:
    """Return `over` for `sweep_formation` under the three-cycle protocol.

    Parameters
    ----------
    cell
        What is varied.
    count
        Number of cases, along the dimension `case`.
    box
        Cell -> name -> bounds. Values are uniform between them, or their logarithms are.
    seed
        The same seed gives the same cases; more of them begin with the same ones.
    """
    bounds = box(cell)
    shares = np.random.default_rng(seed).random((count, len(bounds)))
    cases = {}
    for (name, (low, high)), share in zip(bounds.items(), shares.T, strict=True):
        far = high > FAR * low
        values = low * (high / low) ** share if far else low + (high - low) * share
        cases[name] = ("case", values)
    return cases


def point(cases: Cases, index: int) -> dict[str, float]:
    """Return the numbers of one case."""
    return {name: float(values[index]) for name, (_, values) in cases.items()}


def at_point(
    cell: cm.Cell, protocol: cm.Protocol, numbers: Mapping[str, float]
) -> tuple[cm.Cell, cm.Protocol]:
    """Return cell and protocol with the numbers of one case, for `simulate_formation`."""
    variables = {name: value for name, value in numbers.items() if name in protocol.variables}
    parameters = {name: value for name, value in numbers.items() if name not in variables}
    return cell.replace_parameters(parameters), protocol.with_variables(**variables)


def _around(cell: cm.Cell, names: Sequence[str], low: float, high: float) -> dict[str, Bounds]:
    """Return the bounds of those that are numbers or have a factor, in multiples of their own; of
    both, where an electrode has two materials.
    """
    bounds, known = {}, set(parameter_names(cell))
    phases = [(name, [f"{phase}: {name}" for phase in PHASES]) for name in names]
    for name in chain.from_iterable(own if known.issuperset(own) else [n] for n, own in phases):
        cell.check_parameter_name(name)  # misspelt, it must not pass for a function
        factor = f"{name.split(' [')[0]} factor"
        try:
            own = cell.parameter(name)
        except InputError:  # a function
            if factor not in NEUTRAL:
                continue
            stated = cell.parameters.get(factor)
            name, own = factor, stated.value if stated else NEUTRAL[factor]
        bounds[name] = (low * own, high * own)
    return bounds
