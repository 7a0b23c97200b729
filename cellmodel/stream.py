"""Sweeps larger than memory: slabs of a design space, each formed and written to a store."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr

from cellmodel.design_space import DesignSpace
from cellmodel.errors import InputError
from cellmodel.fingerprint import code_fingerprint, fingerprint
from cellmodel.kernel_inputs import kernel_inputs
from cellmodel.kernel_run import CHUNK_SIZE, Progress, attributes, cell_fingerprints, sweep_design
from cellmodel.ledger import Region
from cellmodel.materials import bill_of_materials
from cellmodel.store import write_chunks
from cellmodel.variables import label

Key = tuple[str, ...]


def stream_designs(
    path: Path,
    designs: Mapping[Key, DesignSpace],
    outer: Key,
    tolerance: float = 1.0,
    chunk_size: int = CHUNK_SIZE,
    progress: Progress | None = None,
    *,
    evaluate: Callable[[xr.Dataset], xr.Dataset] | None = None,
    depends: str = "",
    fresh: bool = False,
) -> int:
    """Form the cells of several design spaces and write them to one store.

    Parameters
    ----------
    path
        Folder of the store.
    designs
        Labels along the `outer` dimensions -> design space, every combination of the labels in C
        order. All have the same dimensions, of the same sizes.
    outer
        Dimensions between the design spaces, ("protocol", "cell").
    tolerance, chunk_size, progress
        As for `sweep_formation`.
    evaluate
        What to do with the summary of a slab before it is written; adds variables.
    depends
        Fingerprint of what `evaluate` depends on.
    fresh
        Whether to compute again what is there.

    Returns
    -------
    int
        Number of chunks that were there already.

    Raises
    ------
    InputError
        If nothing varies, or the store cannot be written.
    """
    first = next(iter(designs.values()))
    sizes = {dim: len({key[axis] for key in designs}) for axis, dim in enumerate(outer)}
    sizes |= {dim: first.dims[dim] for dim in first.kernel_dims}
    if not sizes:
        raise InputError("with a store, `over` must vary a protocol variable or a parameter")
    inner = {dim: sizes[dim] for dim in first.kernel_dims}
    others = math.prod(first.shape) // math.prod(inner.values())
    lengths = dict.fromkeys(outer, 1) | slab_lengths(inner, max(1, chunk_size // others))
    inputs = {key: kernel_inputs(design) for key, design in designs.items()}
    common = {
        key: fingerprint(
            code_fingerprint(), depends, tolerance, design.cell, design.protocol, design.equipment,
            inputs[key].cell, inputs[key].kinds, inputs[key].cycles,
        )
        for key, design in designs.items()
    }  # fmt: skip
    keys = list(designs)

    def slab(region: Region) -> tuple[Key, DesignSpace]:
        place = [region[dim].start for dim in outer]
        key = keys[int(np.ravel_multi_index(place, [sizes[dim] for dim in outer]))] if outer else ()
        return key, designs[key].slab({dim: region[dim] for dim in inner})

    def inputs_of(region: Region) -> str:
        key, design = slab(region)
        return fingerprint(common[key], dict(design.values))

    def formed(region: Region) -> xr.Dataset:
        key, design = slab(region)
        own = replace(inputs[key], design=design)
        summary = sweep_design(design, tolerance, design.kernel_size, inputs=own)
        result = summary if evaluate is None else evaluate(summary)
        # it follows from the design alone, and need not be repeated for every rate and temperature
        result = result.drop_vars("component_mass")
        return result.reindex(cycle=np.arange(cycles)).expand_dims(
            {dim: [label] for dim, label in zip(outer, key, strict=True)}
        )

    cycles = 1 + max(int(entry.cycles[-1]) for entry in inputs.values())
    sample = formed({dim: slice(0, 1) for dim in lengths})
    frame = _frame(designs, outer, sample, cycles)
    return write_chunks(path, frame, sample, lengths, inputs_of, formed, progress, fresh)


def slab_lengths(sizes: Mapping[str, int], chunk_size: int) -> dict[str, int]:
    """Return how long slabs of at most `chunk_size` cases are along each dimension.

    In C order a slab is contiguous if the dimensions before the one that is cut have length 1,
    and those after it are whole. The cut is even, so that all slabs take about the same time.
    """
    lengths = {}
    room = chunk_size
    for dim, size in reversed(sizes.items()):
        pieces = math.ceil(size / max(room, 1))
        lengths[dim] = math.ceil(size / pieces)
        room = room // size if pieces == 1 else 1
    return {dim: lengths[dim] for dim in sizes}


def _frame(
    designs: Mapping[Key, DesignSpace], outer: Key, sample: xr.Dataset, cycles: int
) -> xr.Dataset:
    """Return the coordinates and the masses of all design spaces."""
    parts = []
    for key, design in designs.items():
        mass = bill_of_materials(design.cell, design.parameters)
        part = label({"component_mass": mass}, design.coords)
        place = dict(zip(outer, key, strict=True))
        parts.append(part.assign_coords(place).assign_attrs(attributes(design)))
    frame = _joined(parts, outer).assign_coords(cycle=np.arange(cycles))
    of_all = {name: value for name, value in sample.attrs.items() if name not in parts[0].attrs}
    # what is a coordinate now is no longer an attribute
    attrs = {name: value for name, value in frame.attrs.items() if name not in frame.coords}
    attrs |= cell_fingerprints(parts) if "cell" in outer else {}
    new = {n: c for n, c in sample.coords.items() if n not in frame.coords and n not in outer}
    return label(dict(frame.data_vars), {**frame.coords, **new}).assign_attrs(of_all | attrs)


def _joined(parts: list[xr.Dataset], outer: Key) -> xr.Dataset:
    """Return the parts along the outer dimensions, only what differs along one has it."""
    if not outer:
        return parts[0]
    dim = outer[-1]
    groups: dict[Key, list[xr.Dataset]] = {}
    for part in parts:
        groups.setdefault(tuple(str(part[name].item()) for name in outer[:-1]), []).append(part)
    joined = [
        xr.concat(
            group, dim, coords="different", data_vars="different", compat="equals", join="outer",
            combine_attrs="drop_conflicts",
        )
        for group in groups.values()
    ]  # fmt: skip
    return _joined(joined, outer[:-1])
