"""What a formation returns, made by hand: for the tests of plant, ramp and metals."""

from __future__ import annotations

import numpy as np
import xarray as xr

from cellmodel.materials import COMPONENTS
from cellmodel.variables import label

NAMES = {
    "nmc811": ["nmc811", "filler-pvdf-carbon", "graphite-siox", "filler-cmc-sbr-carbon"],
    "lfp": ["lfp", "filler-carbon-rich", "graphite-synthetic", "filler-cmc-sbr-carbon"],
    "nvpf": ["nvpf", "filler-pvdf-carbon", "hard-carbon", "filler-cmc-sbr-carbon"],
}
REST = [
    "electrolyte-lipf6",
    "separator-polyolefin",
    "copper-foil",
    "aluminium-foil",
    "steel-nickel-plated",
]
# kg per kWh of a cell as the LG M50 of test_materials; any would do
MASSES = dict(
    zip(COMPONENTS, [1.36, 0.057, 0.81, 0.025, 0.42, 0.034, 0.305, 0.123, 0.58], strict=True)
)


def make_formed(energy=18.0, formation=1.0, status=0, material="nmc811", **coords) -> xr.Dataset:
    """A cell of `energy` W h that takes `formation` kWh per kWh and 30 h, 22 h of them charging."""
    energy = xr.DataArray(energy)
    mass = xr.DataArray(
        np.array(list(MASSES.values())) * 18.0 / 1000,
        dims="component",
        coords={
            "component": list(COMPONENTS),
            "material": ("component", [*NAMES[material], *REST]),
        },
    )
    data = {
        "component_mass": mass,
        "nominal_energy": energy,
        "formation_energy": formation * energy,
        "formation_time": 30.0 + 0 * energy,
        "charge_energy": (1.2 * energy).expand_dims(cycle=2),
        "charge_time": 22.0 + 0 * energy,
        "chamber_energy": 0.1 * energy,
        "status": xr.DataArray(status),
    }
    return label(data, coords)
