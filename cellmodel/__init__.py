"""From formation protocol to kgCO2e per kWh.

The public API in one screen. Importing it costs next to nothing: each name loads its module when
it is first used, and PyBaMM, Numba and xarray with it.
"""

from __future__ import annotations

import importlib
import os
import sys
import types

# PyBaMM asks for consent and may open a connection when it is imported.
os.environ.setdefault("PYBAMM_DISABLE_TELEMETRY", "true")

__version__ = "0.1.0"

_MODULES = {
    "InputError": "errors",
    "Cell": "cell",
    "list_cells": "cell",
    "load_cell": "cell",
    "Protocol": "protocol",
    "list_protocols": "protocol",
    "load_protocol": "protocol",
    "Equipment": "equipment",
    "list_equipment": "equipment",
    "load_equipment": "equipment",
    "Plant": "plant",
    "list_plants": "plant",
    "load_plant": "plant",
    "Ramp": "ramp",
    "list_ramps": "ramp",
    "load_ramp": "ramp",
    "WasteLoop": "waste_loop",
    "list_waste_loops": "waste_loop",
    "load_waste_loop": "waste_loop",
    "calibrate_sei": "calibration",
    "save_cell": "cell_file",
    "Parameter": "fit_parameter",
    "FormationFit": "fit_result",
    "fit_formation": "formation_fit",
    "compare_formation": "formation_comparison",
    "simulate_formation": "formation",
    "sweep_formation": "sweep",
    "trace_formation": "trace",
    "simulate_cycling": "cycling",
    "ramp_up": "ramp",
    "plant_balance": "plant_year",
    "metal_balance": "metals",
    "Factors": "factors",
    "load_factors": "factors",
    "footprint": "footprint",
    "footprint_uncertainty": "uncertainty",
    "sample_equipment": "uncertainty",
    "list_references": "target",
    "load_reference": "target",
    "target_probability": "target",
    "sobol": "sensitivity",
    "levers": "lever",
    "RuleSet": "rules",
    "list_rules": "rules",
    "load_rules": "rules",
    "RecyclingParameters": "circularity",
    "list_recycling": "circularity",
    "load_recycling": "circularity",
    "foreground": "interchange",
    "write_foreground": "interchange",
    "run_study": "study",
}

__all__ = sorted([*_MODULES, "__version__"])


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'cellmodel' has no attribute {name!r}")
    module = importlib.import_module(f"cellmodel.{_MODULES[name]}")
    return getattr(module, name)


def __dir__() -> list[str]:
    return __all__


class _Package(types.ModuleType):
    """The package itself, with the one name that is both a function and its module.

    Python sets the attribute `footprint` to the submodule whenever that is imported, by whomever.
    A property of the class takes precedence over it, so `cellmodel.footprint` stays the function,
    while `from cellmodel.footprint import ...` takes names from the module as usual.
    """

    @property
    def footprint(self) -> object:
        return __getattr__("footprint")

    @footprint.setter
    def footprint(self, submodule: types.ModuleType) -> None:
        """Ignore what the import system sets: sys.modules keeps the submodule."""


sys.modules[__name__].__class__ = _Package
