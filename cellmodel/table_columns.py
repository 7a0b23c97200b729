"""Columns of a user's table, with their units: CSV file, pandas.DataFrame or xarray.Dataset."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from cellmodel.errors import InputError, quoted

CASE = "case"
LARGEST_FILE = 10_000_000  # bytes


def read_columns(table: object) -> tuple[dict[str, Sequence], dict[str, str]]:
    """Return values and units of the columns by name; "" where no unit is stated.

    Parameters
    ----------
    table
        As in `measurements.read_measurements`.

    Raises
    ------
    InputError
        If it is no such table, cannot be read, or names a column twice.
    """
    if isinstance(table, xr.Dataset):
        if set(table.dims) != {CASE}:
            raise InputError(
                f"measurements must have the one dimension 'case', got {tuple(table.dims)}"
            )
        over = {str(n): v for n, v in table.variables.items() if v.dims == (CASE,)}
        if len(over) < len(table.variables):
            raise InputError("every variable of measurements must have the dimension 'case'")
        units = {name: str(variable.attrs.get("units", "")) for name, variable in over.items()}
        return {name: variable.values for name, variable in over.items()}, units
    if isinstance(table, str | Path):
        return _by_name(*_read_csv(Path(table)))
    import pandas as pd  # xarray brings it

    if not isinstance(table, pd.DataFrame):
        raise InputError(
            "measurements must be a path, a pandas.DataFrame or an xarray.Dataset, got "
            f"{type(table).__name__}"
        )
    columns = [table.iloc[:, place].to_numpy() for place in range(table.shape[1])]
    return _by_name(list(table.columns), columns)


def _by_name(
    heads: Sequence[object], columns: Sequence[Sequence]
) -> tuple[dict[str, Sequence], dict[str, str]]:
    names, units = [], []
    for head in heads:
        match = re.fullmatch(r"\s*(\w+)\s*(?:\[([^\[\]]*)\])?\s*", str(head))
        if match is None:
            raise InputError(
                f"a column of measurements is headed 'name [unit]', got {quoted(head)}"
            )
        names.append(match[1])
        units.append((match[2] or "").strip())
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InputError(f"measurements have two columns '{twice[0]}'; remove one")
    return dict(zip(names, columns, strict=True)), dict(zip(names, units, strict=True))


def _read_csv(path: Path) -> tuple[list[str], list[list[object]]]:
    try:
        if not path.is_file():
            raise InputError(f"{path}: there is no such file")
        if path.stat().st_size > LARGEST_FILE:
            raise InputError(f"{path}: a table must have at most {LARGEST_FILE} bytes")
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if any(entry.strip() for entry in row)]
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: is not a CSV file in UTF-8: {error}") from error
    heads, body = (rows[0], rows[1:]) if rows else ([], [])
    for line, row in enumerate(body, start=1):
        if len(row) != len(heads):
            raise InputError(
                f"{path}: row {line} must have {len(heads)} entries, as the heading has, got "
                f"{len(row)}"
            )
    return heads, [[_entry(row[i]) for row in body] for i in range(len(heads))]


def _entry(text: str) -> object:
    try:
        return float(text) if text.strip() else np.nan
    except ValueError:
        return text.strip()
