"""Every shipped cell as a parameter set of PyBaMM: `pybamm.ParameterValues("cellmodel NAME")`.

PyBaMM finds them as entry points, `cellmodel.bridge.parameter_sets:NAME` with underscores in the
place of hyphens, each a function that returns the set.
"""

from __future__ import annotations

from collections.abc import Callable

from cellmodel.bridge.parameter_values import parameter_values, set_values
from cellmodel.bridge.two_phase import is_two_phase, options
from cellmodel.cell import list_cells, load_cell
from cellmodel.unpassivated_surface import NAME as UNPASSIVATED_SURFACE


def __getattr__(name: str) -> Callable[[], dict]:
    cell_name = name.replace("_", "-")
    if cell_name not in list_cells():
        raise AttributeError(f"module '{__name__}' has no attribute {name!r}")
    cell = load_cell(cell_name)

    def parameter_set() -> dict:
        return {"chemistry": "lithium_ion", **dict(parameter_values(cell).items())}

    models = (
        "FormationSPM, FormationSPMe and FormationDFN"
        if cell.formation == UNPASSIVATED_SURFACE
        else "PyBaMM's SPM, SPMe and DFN (it has nothing of the formation model)"
    )
    materials = options(cell.sei) if is_two_phase(set_values(cell)) else {"SEI": cell.sei}
    parameter_set.__doc__ = (
        f"{cell.title} ({cell.name} of cellmodel): {cell.source}.\n\n"
        "A cell that has never been charged, at 298.15 K: its lower voltage cut-off is open, since "
        f"it starts below any. For {models} with the options {materials}."
    )
    return parameter_set
