"""Parameter set Chayambuka2022ToTheEnds: PyBaMM's Chayambuka2022 with tables from empty to full.

Its tables of diffusivity and rate of reaction (Chayambuka et al. 2022, Electrochim. Acta 404,
139764) end up to 132 mol m-3 before a particle is empty or full. Where a discharge ends the surface
of hard carbon is emptier than that. Here each table goes on along its last piece, which is what
PyBaMM does too, with a warning each time.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import pybamm

DONOR = "Chayambuka2022"
_TABLES = (
    "{} particle diffusivity [m2.s-1]",
    "{} electrode exchange-current density [A.m-2]",
)


def get_parameter_values() -> dict[str, object]:
    """Return the set as PyBaMM wants it: name -> number or function."""
    donor = pybamm.ParameterValues(DONOR)
    lent = {name: donor[name] for name in donor.keys()}  # noqa: SIM118 (is no Mapping)
    continued = {
        name: _to_the_ends(lent[name], lent[f"Maximum concentration in {side} electrode [mol.m-3]"])
        for side in ("negative", "positive")
        for name in (table.format(side.capitalize()) for table in _TABLES)
    }
    return lent | continued | {"citations": [DONOR]}


def _to_the_ends(function: Callable[..., pybamm.Symbol], full: float) -> Callable:
    """Return the function with every table in it known from 0 to `full` [mol m-3]."""

    @functools.wraps(function)
    def whole(*arguments: object) -> pybamm.Symbol:
        return _continued(function(*arguments), full)

    return whole


def _continued(symbol: pybamm.Symbol, full: float) -> pybamm.Symbol:
    if not symbol.children:
        return symbol
    children = [_continued(child, full) for child in symbol.children]
    if not isinstance(symbol, pybamm.Interpolant):
        return symbol.create_copy(new_children=children)
    x, y = symbol.x[0], symbol.y
    beyond = np.array([0.0, full])
    slopes = np.diff(y)[[0, -1]] / np.diff(x)[[0, -1]]
    low, high = y[[0, -1]] + slopes * (beyond - x[[0, -1]])
    if x[0] > 0.0:
        x, y = np.append(0.0, x), np.append(low, y)
    if x[-1] < full:
        x, y = np.append(x, full), np.append(y, high)
    return pybamm.Interpolant(x, y, children, symbol.name)
