"""One design space through the kernels, chunk by chunk, into a labelled Dataset."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr

from cellmodel.compilation import kernels
from cellmodel.design_space import DesignSpace
from cellmodel.kernel_inputs import KernelInputs, kernel_inputs
from cellmodel.summary import summarise
from cellmodel.variables import label

CHUNK_SIZE = 1 << 16  # cases: about a second of work on one core
SECONDS_PER_HOUR = 3600.0
_PER_CYCLE = ("charge_capacity", "discharge_capacity", "charge_energy", "discharge_energy")
_IN_HOURS = {
    "lithium_loss",
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
    raw = Raw(design.kernel_size, int(inputs.cycles[-1]) + 1)
    for start in range(0, design.kernel_size, int(chunk_size)):
        stop = min(start + int(chunk_size), design.kernel_size)
        raw.fill(inputs, start, stop, tolerance)
        if progress is not None:
            progress(stop, design.kernel_size)
    return finish(design, raw.dataset(design))


class Raw:
    """Outputs of the kernels for a range of cases: arrays that are filled chunk by chunk."""

    def __init__(self, cases: int, cycles: int) -> None:
        module = kernels()
        self.per_cycle = np.empty((len(_PER_CYCLE), cycles, cases))
        self.summary = np.empty((len(module.SUMMARY), cases))
        self.status = np.empty(cases, dtype=np.int8)

    def fill(self, inputs: KernelInputs, start: int, stop: int, tolerance: float) -> None:
        """Compute the cases `start` to `stop`; results do not depend on how cases are grouped."""
        base, columns, own = inputs.vectors(start, stop)
        cell = inputs.cell
        kernels().sweep(
            base, columns, own, cell.tables, cell.flat, inputs.kinds, inputs.cycles,
            float(tolerance), self.per_cycle[:, :, start:stop], self.summary[:, start:stop],
            self.status[start:stop],
        )  # fmt: skip

    def dataset(self, design: DesignSpace) -> xr.Dataset:
        """Return the raw results with the dimensions and units of the public ones."""
        shape, dims = design.kernel_shape, design.kernel_dims
        data: dict[str, tuple] = {}
        for name, values in zip(_PER_CYCLE, self.per_cycle, strict=True):
            cycles = np.moveaxis(values.reshape(len(values), *shape), 0, -1)
            data[name] = ((*dims, "cycle"), cycles / SECONDS_PER_HOUR)
        for name, values in zip(kernels().SUMMARY, self.summary, strict=True):
            scale = SECONDS_PER_HOUR if name in _IN_HOURS else 1.0
            data[name] = (dims, (values / scale).reshape(shape))
        data["status"] = (dims, self.status.reshape(shape))
        cycle = {"cycle": np.arange(self.per_cycle.shape[1])}
        return status_flags(label(data, {**design.coords, **cycle}))


def finish(design: DesignSpace, raw: xr.Dataset) -> xr.Dataset:
    """Return the public summary of raw results."""
    summary = summarise(
        raw,
        design.cell,
        design.protocol,
        design.protocol_values,
        design.equipment_values,
        design.parameters,
    )
    return summary.assign_attrs(attributes(design))


def attributes(design: DesignSpace) -> dict[str, str]:
    """Return what was formed, how and with what, for the attributes of results."""
    return {
        "cell": design.cell.name,
        "protocol": design.protocol.name,
        "equipment": design.equipment.name,
        "model": "kernels: SPMe, lumped thermal, SEI " + design.cell.sei,
    }


def status_flags(dataset: xr.Dataset) -> xr.Dataset:
    """Return the Dataset with the CF flags of its status."""
    from kernels.status import NAMES

    dataset["status"].attrs |= {
        "flag_values": np.arange(len(NAMES), dtype=np.int8),
        "flag_meanings": " ".join(NAMES),
    }
    return dataset
