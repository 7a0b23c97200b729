"""A hash of everything a result depends on: values, inputs, and the code itself."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib.resources
import numbers
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np
import xarray as xr

# files that show results but do not make them
PRESENTATION = (
    "__main__.py", "cli.py", "describe.py", "plot.py", "plot_footprint.py", "plot_target.py",
    "provenance.py", "table.py",
)  # fmt: skip
LIBRARIES = ("numba", "numpy", "pybamm", "xarray")


def fingerprint(*parts: object) -> str:
    """Return the SHA-256 of inputs, 64 hexadecimal digits.

    Parameters
    ----------
    parts
        Numbers, strings, None, arrays, DataArrays, Datasets, and mappings, sequences and
        dataclasses of them. Equal content gives equal digits in any process; the order of a
        mapping does not count, nor do the bits of a NaN.
    """
    digest = hashlib.sha256()
    for piece in _encoded(parts):
        digest.update(len(piece).to_bytes(8, "little"))
        digest.update(piece)
    return digest.hexdigest()


@functools.cache
def code_fingerprint() -> str:
    """Return the hash of the code that computes results, and of the libraries under it."""
    sources = {
        f"{package}/{path.name}": path.read_bytes()
        for package in ("kernels", "cellmodel", "cellmodel.bridge", "cellmodel.bridge.sets")
        for path in importlib.resources.files(package).iterdir()
        if path.name.endswith(".py") and path.name not in PRESENTATION
    }
    return fingerprint(sources, {name: version(name) for name in LIBRARIES})


def _encoded(value: object) -> Iterator[bytes]:
    """Yield what is hashed: a tag for the type, then the content."""
    if value is None or isinstance(value, (bool, str, Path)):
        kind = "path" if isinstance(value, Path) else type(value).__name__
        yield f"{kind}:{value}".encode()
    elif isinstance(value, bytes):
        yield b"bytes"
        yield value
    elif isinstance(value, numbers.Number):
        yield f"number:{float(value)!r}".encode()
    elif isinstance(value, np.ndarray):
        yield from _array(value)
    elif isinstance(value, (xr.DataArray, xr.Variable)):
        yield f"dims:{value.dims}".encode()
        yield from _array(value.to_numpy())
    elif isinstance(value, xr.Dataset):
        yield from _encoded({str(name): value[name] for name in value.variables})
    elif isinstance(value, Mapping):
        yield f"mapping:{len(value)}".encode()
        for key in sorted(value, key=repr):
            yield from _encoded(key)
            yield from _encoded(value[key])
    elif isinstance(value, (tuple, list)):
        yield f"sequence:{len(value)}".encode()
        for entry in value:
            yield from _encoded(entry)
    elif dataclasses.is_dataclass(value):
        yield f"dataclass:{type(value).__name__}".encode()
        for field in dataclasses.fields(value):
            yield from _encoded(getattr(value, field.name))
    else:
        raise TypeError(f"cannot take a fingerprint of {type(value).__name__}")


def _array(array: np.ndarray) -> Iterator[bytes]:
    if array.dtype.kind in "OUT":  # all kinds of strings
        yield f"strings:{array.shape}".encode()
        yield from _encoded([str(entry) for entry in array.flat])
        return
    if array.dtype.kind == "f":
        array = np.where(np.isnan(array), np.nan, array)  # a NaN has many bit patterns
    yield f"array:{array.dtype.str}{array.shape}".encode()
    yield np.ascontiguousarray(array).tobytes()
