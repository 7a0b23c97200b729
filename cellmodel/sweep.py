"""Formation of a whole design space by the kernels: one row per case."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from cellmodel.cell import Cell, load_cell
from cellmodel.compilation import kernels
from cellmodel.design_space import DesignSpace
from cellmodel.equipment import Equipment, load_equipment
from cellmodel.errors import InputError
from cellmodel.kernel_inputs import KernelInputs, kernel_inputs
from cellmodel.plant import plant_fields
from cellmodel.protocol import Protocol, load_protocol
from cellmodel.quantity import Range
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


def sweep_formation(
    cell: Cell | str | Path | Sequence[Cell | str | Path],
    protocol: Protocol | str | Path,
    equipment: Equipment | str | Path,
    over: Mapping[str, object] | None = None,
    *,
    tolerance: float = 1.0,
    chunk_size: int = CHUNK_SIZE,
    progress: Progress | None = None,
    store: str | Path | None = None,
) -> xr.Dataset:
    """Form every cell of a design space.

    Parameters
    ----------
    cell
        One cell, or a list of them: then the result has the dimension `cell`.
    protocol, equipment
        How, and with what; names and paths of all three are loaded.
    over
        Name -> array; see `DesignSpace`. A name is a protocol variable, an equipment field, a plant
        field (kept for `footprint`) or a PyBaMM parameter name; a parameter that the set has as a
        function becomes a constant.
    tolerance
        1 for the stated accuracy (README); time-step errors fall in proportion, run time rises with
        1 / sqrt.
    chunk_size
        Cases computed at a time; results do not depend on it.
    progress
        Called with the cases done and in total after each chunk.
    store
        Folder of a Zarr store, "results/sweep.zarr". Each chunk is written there as soon as it is
        computed, so that the sweep may be larger than memory, and the same call after an
        interruption computes only what is missing.

    Returns
    -------
    xarray.Dataset
        The variables of DESIGN's summary table over (cell,) the swept dimensions (, cycle); NaN
        where `status` is not 0. With `store`, read from there when used.

    Raises
    ------
    InputError
        If an input is wrong, before anything is computed. A case that cannot be solved gets a
        status instead.
    """
    Range(1e-4, 100, above=True).check("tolerance", tolerance)
    Range(1).check("chunk_size", chunk_size)
    if isinstance(cell, Cell | str | Path):
        design = design_space(cell, protocol, equipment, over)
        if store is None:
            return sweep_design(design, tolerance, chunk_size, progress)
        return _streamed(store, {(): design}, (), tolerance, chunk_size, progress)
    if not isinstance(cell, Sequence) or not cell:
        raise InputError(f"cell must be a Cell, a name or a non-empty list of them, got {cell!r}")
    cells = [load_cell(entry) for entry in cell]
    if len({entry.name for entry in cells}) < len(cells):
        raise InputError(f"cells must have different names, got {[entry.name for entry in cells]}")
    designs = [design_space(entry, protocol, equipment, over) for entry in cells]
    if store is not None:
        by_cell = {(design.cell.name,): design for design in designs}
        return _streamed(store, by_cell, ("cell",), tolerance, chunk_size, progress)
    total = sum(design.kernel_size for design in designs)
    results, done = [], 0
    for design in designs:
        before = done

        def advance(count: int, _: int, before: int = before) -> None:
            if progress is not None:
                progress(before + count, total)

        results.append(sweep_design(design, tolerance, chunk_size, advance))
        done += design.kernel_size
    return join_cells(results, [entry.name for entry in cells])


def _streamed(
    store: str | Path,
    designs: Mapping[tuple[str, ...], DesignSpace],
    outer: tuple[str, ...],
    *rest: object,
) -> xr.Dataset:
    from cellmodel.store import open_results  # Zarr is imported only where it is used
    from cellmodel.stream import stream_designs

    stream_designs(Path(store), designs, outer, *rest)
    return open_results(store, verify=False)


def design_space(
    cell: Cell | str | Path,
    protocol: Protocol | str | Path,
    equipment: Equipment | str | Path,
    over: Mapping[str, object] | None,
) -> DesignSpace:
    """Return the validated cases of a sweep; names and paths are loaded."""
    inputs = load_cell(cell), load_protocol(protocol), load_equipment(equipment)
    return DesignSpace(*inputs, over or {}, plant=plant_fields())


def join_cells(results: Sequence[xr.Dataset], names: Sequence[str]) -> xr.Dataset:
    """Return the results of several cells along the dimension `cell`."""
    joined = xr.concat(
        results,
        xr.DataArray(list(names), dims="cell", name="cell"),
        data_vars="all",
        join="outer",
        combine_attrs="drop_conflicts",
    )
    return label(dict(joined.data_vars), joined.coords).assign_attrs(joined.attrs)


def sweep_design(
    design: DesignSpace,
    tolerance: float = 1.0,
    chunk_size: int = CHUNK_SIZE,
    progress: Progress | None = None,
    inputs: KernelInputs | None = None,
) -> xr.Dataset:
    """Form every cell of a validated design space; see `sweep_formation`.

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
            base, columns, own, cell.tables, cell.flat, cell.sei_law, inputs.kinds, inputs.cycles,
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
