"""PyBaMM parameter names: their unit, our name for the dimension, what the number may be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from cellmodel.errors import InputError
from cellmodel.quantity import TEMPERATURE, Range

# Numbers that another input owns: two owners would silently disagree.
OWNED_ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        "Ambient temperature [K]": "the protocol's variable 'temperature'",
        "Initial temperature [K]": "the protocol's variable 'temperature'",
        "Current function [A]": "the protocol's rates",
        "Initial concentration in negative electrode [mol.m-3]": "negative_stoichiometry in the "
        "cell's table [fresh]",
        "Initial concentration in positive electrode [mol.m-3]": "positive_stoichiometry in the "
        "cell's table [fresh]",
    }
)

_METRES = "did you pass micrometres?"
# First match wins. PyBaMM accepts any finite number here and returns finite nonsense.
_RANGES: tuple[tuple[str, Range], ...] = (
    (r"temperature .*\[K\]$", TEMPERATURE),
    (r"porosity|active material volume fraction", Range(0, 1, above=True, below=True)),
    (r"transference number", Range(0, 1)),
    (r"(charge|growth) transfer coefficient", Range(0, 1, above=True, below=True)),
    (r"(cut-off|SOC) \[V\]$", Range(0, 6)),
    (r"SEI thickness \[m\]$", Range(0, 1e-5, above=True, hint="did you pass nanometres?")),
    (r"thickness \[m\]$", Range(0, 0.01, above=True, hint=_METRES)),
    (r"particle radius \[m\]$", Range(0, 1e-3, above=True, hint=_METRES)),
    (r"(height|width|length|diameter) .*\[m\]$", Range(0, 1000, above=True)),
    (r"heat transfer coefficient|Bruggeman|plated|reference concentration for free", Range(0)),
    (
        r"potential width|healing time| factor$|New surface stoichiometry",
        Range(0, above=True),
    ),
    (r"(Shuttle|oxidation|loss) current density|storage rate|Passivation charge", Range(0)),
    (r"entropic change|potential|volume change|offset", Range()),
    (
        (
            r"diffusivity|concentration|capacity|density|area|volume|conductivity|Tunneling"
            r"|exchange.current|Thermodynamic factor|Number of|Ratio of"
        ),
        Range(0, above=True),
    ),
    (r"resist|activation energy|rate constant", Range(0)),
)


def unit_of(name: str) -> str:
    """Return the unit at the end of a PyBaMM name, "" if it has none."""
    match = re.search(r"\[([^\[\]]*)\]\s*$", name)
    return match.group(1) if match else ""


def snake_case(name: str) -> str:
    """Return "positive_electrode_thickness" for "Positive electrode thickness [m]"."""
    without_unit = re.sub(r"\[[^\[\]]*\]\s*$", "", name)
    return re.sub(r"[^a-z0-9]+", "_", without_unit.lower()).strip("_")


def parameter_range(name: str) -> Range:
    """Return what the PyBaMM parameter `name` may be.

    Raises
    ------
    InputError
        If another input owns this number.
    """
    if name in OWNED_ELSEWHERE:
        raise InputError(f"'{name}' cannot be set here: use {OWNED_ELSEWHERE[name]}")
    unit = unit_of(name) or "1"
    for pattern, bounds in _RANGES:
        if re.search(pattern, name):
            return replace(bounds, unit=unit)
    return Range(unit=unit)
