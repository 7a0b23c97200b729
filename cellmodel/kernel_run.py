"""One design space through the kernels, chunk by chunk, into a labelled Dataset."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

import numpy as np
import xarray as xr

from cellmodel.bridge.equilibrium import kinetic_loss
from cellmodel.bridge.lithium_inventory import lithium_inventory
from cellmodel.compilation import kernels_for
from cellmodel.design_space import CASE, DesignSpace
from cellmodel.kernel_inputs import KernelInputs, kernel_inputs
from cellmodel.materials import bill_of_materials
from cellmodel.summary import STATUS_FLAGS, summarise
from cellmodel.variables import label

CHUNK_SIZE = 1 << 16  # cases: about a second of work on one core
SECONDS_PER_HOUR = 3600.0
_PER_CYCLE = ("charge_capacity", "discharge_capacity", "charge_energy", "discharge_energy")
_IN_HOURS = {
    "lithium_loss",
    "parasitic_charge",
    "stored_lithium",
    "kinetic_loss",
    "formation_time",
    "charge_time",
    "discharge_time",
    "squared_current_time",
}

Progress = Callable[[int, int], None]


def sweep_design(
    design: DesignSpace,
    tolerance: float = 1.0,
    chunk_size: int = CHUNK_SIZE,
    progress: Progress | None = None,
    inputs: KernelInputs | None = None,
) -> xr.Dataset:
    """Form every cell of a validated design space; see `sweep.sweep_formation`.

    `inputs` spares tabulating the cell once more.
    """
    inputs = inputs or kernel_inputs(design)
    # first, so that what it takes meanwhile is free again before the results need room
    mass = bill_of_materials(design.cell, design.parameters)
    results: dict[str, xr.Variable] = {}
    for start in range(0, design.kernel_size, int(chunk_size)):
        stop = min(start + int(chunk_size), design.kernel_size)
        for name, values in formed(inputs, start, stop, tolerance).items():
            if name not in results:
                sizes = values.sizes | {CASE: design.kernel_size}
                empty = np.empty(tuple(sizes.values()), values.dtype)
                results[name] = xr.Variable(values.dims, empty, values.attrs)
            results[name][{CASE: slice(start, stop)}] = values
        if progress is not None:
            progress(stop, design.kernel_size)
    shape = dict(zip(design.kernel_dims, design.kernel_shape, strict=True))
    unfolded = {
        name: values.unstack({CASE: shape}).transpose(*shape, ...)
        for name, values in results.items()
    }
    status = unfolded.pop("status")
    coords = {**design.coords, "cycle": np.arange(int(inputs.cycles[-1]) + 1)}
    labelled = label({**unfolded, "component_mass": mass, "status": status}, coords)
    return labelled.assign_attrs(attributes(design))


def formed(
    inputs: KernelInputs, start: int, stop: int, tolerance: float = 1.0
) -> dict[str, xr.Variable]:
    """Return the summary of the flat cases `start` to `stop`, over CASE, without labels; it does
    not depend on how cases are grouped.
    """
    design, cell = inputs.design, inputs.cell
    base, columns, own = inputs.vectors(start, stop)
    module = kernels_for(base, columns, cell.flat)
    per_cycle = np.empty((len(_PER_CYCLE), int(inputs.cycles[-1]) + 1, stop - start))
    summary = np.empty((len(module.SUMMARY), stop - start))
    status = np.empty(stop - start, dtype=np.int8)
    module.sweep(
        base, columns, own, cell.tables, cell.flat, inputs.kinds, inputs.cycles,
        float(tolerance), per_cycle, summary, status,
    )  # fmt: skip
    per_cycle /= SECONDS_PER_HOUR
    raw = {
        name: xr.Variable(("cycle", CASE), values)
        for name, values in zip(_PER_CYCLE, per_cycle, strict=True)
    }
    for name, values in zip(module.SUMMARY, summary, strict=True):
        if name in _IN_HOURS:
            values /= SECONDS_PER_HOUR
        raw[name] = xr.Variable(CASE, values)
    swept = design.case_values(start, stop)
    parameters = {name: swept[name] for name in design.parameter_names}
    raw["lithium_inventory"] = lithium_inventory(design.cell, raw, parameters)
    values = design.protocol_values | {name: swept[name] for name in design.protocol_names}
    if cell.two_phase:  # the kernels know equilibrium of one material only
        plain = {name: getattr(value, "values", value) for name, value in values.items()}

        def read(name: str) -> float | np.ndarray:
            own = name in parameters
            return parameters[name].values if own else design.cell.parameter(name)

        charge = kinetic_loss(design.cell, design.protocol, plain, raw, read)
        raw["kinetic_loss"] = xr.Variable(CASE, charge)
    results = summarise(
        raw,
        design.protocol,
        values,
        design.equipment_values | {name: swept[name] for name in design.equipment_names},
    )
    return results | {"status": xr.Variable(CASE, status, STATUS_FLAGS)}


def attributes(design: DesignSpace) -> dict[str, str]:
    """Return what was formed, how and with what, for the attributes of results."""
    return {
        "cell": design.cell.name,
        "cell_fingerprint": design.cell.fingerprint(design.parameter_names),
        "protocol": design.protocol.name,
        "equipment": design.equipment.name,
        "model": f"kernels: SPMe, {design.cell.physics}",
    }


def cell_fingerprints(results: Iterable[xr.Dataset]) -> dict[str, str]:
    """Return the attribute by which joint results know cells: name -> fingerprint, as JSON."""
    known = {result.attrs["cell"]: result.attrs["cell_fingerprint"] for result in results}
    return {"cell_fingerprints": json.dumps(known)}
