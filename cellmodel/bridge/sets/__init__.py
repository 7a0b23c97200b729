"""Parameter sets of our own, in PyBaMM's form, by the name that a cell gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from cellmodel.bridge.sets import chayambuka2022, cui2024, weng2021

#: name -> function that returns PyBaMM's dictionary of parameters
SETS: Mapping[str, Callable[[], dict[str, object]]] = MappingProxyType(
    {
        "Chayambuka2022ToTheEnds": chayambuka2022.get_parameter_values,
        "Cui2024": cui2024.get_parameter_values,
        "Weng2021": weng2021.get_parameter_values,
    }
)
