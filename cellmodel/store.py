"""A Dataset on disk that is written chunk by chunk, and verified when it is read.

Zarr reads a chunk that is not there as its fill value without a word, and does not know whether a
chunk belongs to the inputs at hand. So a ledger lies beside the store (plain Zarr v3). What has no
line in it, or another fingerprint, is not there.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import xarray as xr
import zarr
from zarr.codecs import Crc32cCodec, ZstdCodec

from cellmodel.errors import InputError
from cellmodel.fingerprint import fingerprint
from cellmodel.ledger import (
    Layout,
    Region,
    append_chunk,
    ledger_of,
    read_ledger,
    write_ledger,
)
from cellmodel.output_folder import only_writer, output_folder
from cellmodel.variables import VARIABLES

NOT_COMPUTED = -1  # status of cases whose chunk is not there
COMPRESSORS = (ZstdCodec(level=1), Crc32cCodec())  # Zstandard alone does not notice a flipped bit


def write_chunks(
    path: Path,
    frame: xr.Dataset,
    like: xr.Dataset,
    lengths: Mapping[str, int],
    depends: Callable[[Region], str],
    compute: Callable[[Region], xr.Dataset],
    progress: Callable[[int, int], None] | None = None,
    fresh: bool = False,
) -> int:
    """Write a store, or what is missing, damaged or out of date in it.

    Parameters
    ----------
    path
        Folder of the store.
    frame
        Coordinates of all dimensions, and the variables that are written at once.
    like
        Any piece of the chunked variables: their dimensions, types and attributes.
    lengths
        Dimension -> length of a chunk; every chunked variable has all of these dimensions.
    depends
        Region of a chunk -> fingerprint of everything its values depend on.
    compute
        Region of a chunk -> its variables.
    progress
        Called with the cases done and in total, at the start and after each chunk.
    fresh
        Whether to compute chunks that are there and whole again.

    Returns
    -------
    int
        Number of chunks that were there and whole.

    Raises
    ------
    InputError
        If the folder cannot be written, is in use, or holds something else.
    """
    path = Path(path)
    output_folder(path.parent)
    variables = {str(name): [list(v.dims), v.dtype.str] for name, v in like.data_vars.items()}
    layout = Layout({str(dim): size for dim, size in frame.sizes.items()}, dict(lengths), variables)
    wanted = [depends(region) for region in layout.regions]
    with only_writer(path.parent, path.name):
        kept = {} if fresh else _usable(path, layout, wanted)
        _refuse_others(path)
        write_ledger(path, layout, kept)  # first: from here on, what it does not list is not there
        if kept:  # labels and masses may have changed where chunks have not
            _without_fixed_strings(frame).to_zarr(path, mode="a", consolidated=False)
        else:
            _create(path, frame, like, layout)
        total = sum(_cases(region) for region in layout.regions)
        done = sum(_cases(layout.regions[index]) for index in kept)
        if progress is not None:
            progress(done, total)
        for index, region in enumerate(layout.regions):
            if index in kept:
                continue
            part = _bare(compute(region), layout)
            whole = {dim: slice(0, size) for dim, size in part.sizes.items()}
            part.to_zarr(path, region=whole | region, mode="r+", consolidated=False)
            append_chunk(path, {"chunk": index, "inputs": wanted[index], "data": fingerprint(part)})
            done += _cases(region)
            if progress is not None:
                progress(done, total)
    return len(kept)


def open_results(path: str | Path, *, partial: bool = False, verify: bool = True) -> xr.Dataset:
    """Open a store for reading.

    Parameters
    ----------
    path
        Folder of the store, "results/sweep.zarr".
    partial
        Whether to accept a store that is not finished, or damaged: the cases of chunks that are
        not there have `status` -1 and NaN, and the Dataset is read into memory.
    verify
        Whether to read every chunk once and compare it with its fingerprint in the ledger.

    Returns
    -------
    xarray.Dataset
        Read from disk where and when it is used.

    Raises
    ------
    InputError
        If there is no store, or, unless `partial`, a chunk is missing, unfinished or damaged.
    """
    path = Path(path)
    layout, entries = read_ledger(path)
    stored = _open(path)
    faults = {
        index: "is missing: the run was interrupted, or still runs"
        for index in range(len(layout.regions))
        if index not in entries
    }
    if verify:
        for index, entry in entries.items():
            fault = _fault(stored, layout, index, entry)
            if fault:
                faults[index] = fault
    if not faults:
        return stored
    if not partial:
        first = min(faults)
        more = f" ({len(faults) - 1} more are not there either)" if len(faults) > 1 else ""
        raise InputError(
            f"{path}: {layout.name(first)} {faults[first]}{more}; the same run computes what is "
            "not there, or read the rest by open_results(path, partial=True)"
        )
    return _without(stored, layout, faults)


def chunk_regions(path: str | Path) -> list[dict[str, slice]]:
    """Return the part of every chunk, to go through results that do not fit in memory."""
    return read_ledger(Path(path))[0].regions


def _open(path: Path) -> xr.Dataset:
    """Return what is in a store, in the order of our table, whatever the ledger says."""
    try:
        stored = xr.open_zarr(path, chunks=None, consolidated=False)
    except Exception as error:  # a damaged store may raise anything
        raise InputError(f"{path}: cannot be read as a Zarr store: {error}") from error
    names = sorted(stored.data_vars, key=list(VARIABLES).index)
    strings = {
        name: (coordinate.dims, np.array(coordinate.to_numpy().tolist()), coordinate.attrs)
        for name, coordinate in stored.coords.items()
        if coordinate.dtype.kind in "OT"
    }
    return stored[names].assign_coords(strings)


def _without(stored: xr.Dataset, layout: Layout, faults: Mapping[int, str]) -> xr.Dataset:
    """Return the Dataset in memory, without the chunks that are not there."""
    there = stored.drop_vars(list(layout.variables)).load()
    arrays = {
        name: xr.DataArray(
            np.full([layout.sizes[dim] for dim in dims], _fill(kind), kind),
            dims=dims,
            attrs=stored[name].attrs,
        )
        for name, (dims, kind) in layout.variables.items()
    }
    for index, region in enumerate(layout.regions):
        if index not in faults:
            for name, array in arrays.items():
                array[region] = stored[name].isel(region).to_numpy()
    return there.assign(arrays)[list(stored.data_vars)].assign_attrs(stored.attrs)


def _usable(path: Path, layout: Layout, wanted: list[str]) -> dict[int, dict]:
    """Return the ledger's entries of chunks that can stay as they are."""
    try:
        found, entries = read_ledger(path)
        stored = _open(path)
    except InputError:
        return {}
    if found != layout:
        return {}
    return {
        index: entry
        for index, entry in entries.items()
        if entry["inputs"] == wanted[index] and not _fault(stored, layout, index, entry)
    }


def _fault(stored: xr.Dataset, layout: Layout, index: int, entry: Mapping) -> str:
    """Return what is wrong with a chunk that the ledger lists, "" if nothing is."""
    try:
        part = _bare(stored.isel(layout.regions[index]), layout).load()
    except Exception as error:  # codecs raise what they like
        return f"is damaged: {error}"
    return "" if fingerprint(part) == entry["data"] else "is damaged, or was changed by others"


def _bare(part: xr.Dataset, layout: Layout) -> xr.Dataset:
    """Return the chunked variables alone, with their dimensions in order."""
    arrays = {n: part[n].variable.transpose(*dims) for n, (dims, _) in layout.variables.items()}
    return xr.Dataset(arrays)


def _create(path: Path, frame: xr.Dataset, like: xr.Dataset, layout: Layout) -> None:
    if path.exists():
        shutil.rmtree(path)
    frame = _without_fixed_strings(frame)
    encoding = {name: {"compressors": COMPRESSORS} for name in frame.variables}
    frame.to_zarr(path, mode="w", zarr_format=3, consolidated=False, encoding=encoding)
    group = zarr.open_group(path, mode="r+")
    for name, (dims, kind) in layout.variables.items():
        group.create_array(
            name,
            shape=[layout.sizes[dim] for dim in dims],
            chunks=[layout.lengths.get(dim, layout.sizes[dim]) for dim in dims],
            dtype=kind,
            fill_value=_fill(kind),
            compressors=COMPRESSORS,
            dimension_names=dims,
            attributes={key: _plain(value) for key, value in like[name].attrs.items()},
        )


def _fill(kind: str) -> float | int:
    return np.nan if np.dtype(kind).kind == "f" else NOT_COMPUTED


def _plain(value: object) -> object:
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


def _without_fixed_strings(dataset: xr.Dataset) -> xr.Dataset:
    """Return the Dataset with strings of any length: Zarr v3 has no others yet."""
    return dataset.assign_coords(
        {n: c.astype(object) for n, c in dataset.coords.items() if c.dtype.kind == "U"}
    )


def _cases(region: Region) -> int:
    return math.prod(part.stop - part.start for part in region.values())


def _refuse_others(path: Path) -> None:
    if path.exists() and not ledger_of(path).exists():
        raise InputError(
            f"'{path}' exists and was not written by cellmodel (it has no ledger beside it); move "
            "it, or choose another output folder"
        )
