"""Formation of a whole design space by the kernels: one row per case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import xarray as xr

from cellmodel.cell import Cell, load_cell
from cellmodel.design_space import DesignSpace
from cellmodel.equipment import Equipment, load_equipment
from cellmodel.errors import InputError
from cellmodel.kernel_run import CHUNK_SIZE, Progress, cell_fingerprints, sweep_design
from cellmodel.plant import plant_fields
from cellmodel.protocol import Protocol, load_protocol
from cellmodel.quantity import Range
from cellmodel.variables import label


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
        1 for the stated accuracy (README). Smaller is more accurate, and slower.
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
    attributes = joined.attrs | cell_fingerprints(results)
    return label(dict(joined.data_vars), joined.coords).assign_attrs(attributes)
