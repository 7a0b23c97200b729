"""Numbers with unit, source and range, and the TOML files they are read from."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cellmodel.errors import InputError, nearest, quoted, unknown_name

DATA = Path(__file__).parent / "data"
LARGEST_FILE = 1_000_000  # bytes; the shipped files have a few thousand
MOST_KEY_PARTS = 50  # tomllib takes time with the square of them: 7 s for 20,000
QUANTITY_KEYS = ("value", "unit", "source", "low", "high", "certainty", "donor")


@dataclass(frozen=True)
class Range:
    """What a number may be.

    Parameters
    ----------
    low, high
        The bounds, in `unit`.
    unit
        Unit of the number, "1" for a ratio.
    above, below
        Whether `low` and `high` themselves are excluded.
    hint
        What the user has probably done if the number lies outside.
    """

    low: float = -math.inf
    high: float = math.inf
    unit: str = "1"
    above: bool = False
    below: bool = False
    hint: str = ""

    def __str__(self) -> str:
        low = f"{'above' if self.above else 'at least'} {self.low:g}"
        high = f"{'below' if self.below else 'at most'} {self.high:g}"
        if math.isinf(self.low) and math.isinf(self.high):
            return "finite"
        if math.isinf(self.high):
            return low
        if math.isinf(self.low):
            return high
        if self.above or self.below:
            return f"{low} and {high}"
        return f"between {self.low:g} and {self.high:g}"

    def contains(self, values: np.ndarray) -> np.ndarray:
        """Return where finite `values` lie in the range."""
        low = values > self.low if self.above else values >= self.low
        high = values < self.high if self.below else values <= self.high
        return np.isfinite(values) & low & high

    def check(self, what: str, value: object) -> float:
        """Return `value` as a float.

        Raises
        ------
        InputError
            If it is not a number (a bool or a string is none), not finite or out of range.
        """
        number = isinstance(value, (int, float, np.integer, np.floating))
        if not number or isinstance(value, bool):
            raise InputError(
                f"{what} must be a number{self._in_unit()}, got {quoted(value)} "
                f"({type(value).__name__})"
            )
        try:
            result = float(value)
        except OverflowError:
            result = math.inf
        if not self.contains(np.float64(result)):
            raise self._error(what, result)
        return result

    def check_array(self, what: str, values: object) -> np.ndarray:
        """Return `values` as a float array of the same shape, copied only if they are none;
        raises as `check` does.
        """
        try:
            array = np.asarray(values)
        except ValueError as error:  # ragged nested lists
            raise InputError(f"{what} must be an array of numbers, got {quoted(values)}") from error
        if array.dtype.kind not in "iuf":
            raise InputError(
                f"{what} must be an array of numbers{self._in_unit()}, got values of type "
                f"{array.dtype}: {quoted(values)}"
            )
        array = array.astype(float, copy=False)
        outside = ~self.contains(array)
        if outside.any():
            raise self._error(what, float(array[outside].flat[0]))
        return array

    def _in_unit(self) -> str:
        name = {"K": "kelvin", "1": ""}.get(self.unit, self.unit)
        return f" in {name}" if name else ""

    def _error(self, what: str, value: float) -> InputError:
        hint = f"; {self.hint}" if self.hint and math.isfinite(value) else ""
        return InputError(f"{what} must be{self._in_unit()} {self}, got {value!r}{hint}")


TEMPERATURE = Range(233, 373, "K", hint="did you pass degrees Celsius?")


@dataclass(frozen=True)
class Quantity:
    """A number that can be traced.

    Parameters
    ----------
    value
        The number.
    unit
        Its unit, "1" for a ratio.
    source
        Where it comes from.
    low, high
        Range in which the true value is expected.
    certainty
        How well it is known; "prior" marks engineering judgement.
    donor
        Name of the PyBaMM set that lent it, if the cell's own set lacks it.
    """

    value: float
    unit: str
    source: str
    low: float | None = None
    high: float | None = None
    certainty: str = ""
    donor: str = ""


def read_quantity(table: object, where: str, bounds: Range | None = None) -> Quantity:
    """Read a table `{ value =, unit =, source =, low =, high =, certainty =, donor = }`.

    Parameters
    ----------
    table
        What the TOML file holds.
    where
        File and key, for messages.
    bounds
        What value, low and high may be, and the unit they must have.

    Raises
    ------
    InputError
        If keys are missing or unknown, or a number is out of `bounds`.
    """
    if not isinstance(table, Mapping):
        unit = "1" if bounds is None else bounds.unit
        raise InputError(
            f"{where} must be a table with value, unit and source, as {{ value = 1.0, "
            f'unit = "{unit}", source = "..." }}, got {quoted(table)}'
        )
    check_keys(table, QUANTITY_KEYS, where, required=("value", "unit", "source"))
    texts = {
        key: text(table[key], f"{where}.{key}")
        for key in ("unit", "source", "certainty", "donor")
        if key in table
    }
    if bounds is not None and texts["unit"] != bounds.unit:
        raise InputError(f"{where}: the unit must be '{bounds.unit}', got '{texts['unit']}'")
    limits = bounds or Range(unit=texts["unit"])
    numbers = {
        key: limits.check(f"{where}.{key}", table[key])
        for key in ("value", "low", "high")
        if key in table
    }
    low, high = numbers.get("low", -math.inf), numbers.get("high", math.inf)
    if not low <= numbers["value"] <= high:
        raise InputError(
            f"{where}: low <= value <= high must hold, got {low:g}, {numbers['value']:g}, {high:g}"
        )
    return Quantity(**numbers, **texts)


def text(value: object, where: str) -> str:
    """Return `value` if it is a string that says something."""
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{where} must be a non-empty string, got {quoted(value)}")
    return value


def check_keys(
    table: object, allowed: Collection[str], where: str, required: Collection[str] = ()
) -> None:
    """Raise InputError unless `table` is a table with allowed and all required keys."""
    if not isinstance(table, Mapping):
        raise InputError(f"{where} must be a table, got {quoted(table)}")
    for key in table:
        if key not in allowed:
            near = nearest(key, allowed)
            meant = f"; did you mean {near[0]!r}?" if near else ";"
            raise InputError(
                f"{where}: unknown key {quoted(key)}{meant} allowed keys: {', '.join(allowed)}"
            )
    missing = [key for key in required if key not in table]
    if missing:
        raise InputError(f"{where}: missing key {', '.join(missing)}")


def read_text(path: Path) -> str:
    """Return the text of an input file.

    Raises
    ------
    InputError
        If there is no such file, or it is too large or not UTF-8.
    """
    try:
        if not path.is_file():  # a folder, a pipe and a device would otherwise block or surprise
            raise InputError(f"{path}: there is no such file")
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    if len(content) > LARGEST_FILE:
        raise InputError(f"{path}: a file must have at most {LARGEST_FILE} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text (byte {error.start})") from error


def read_toml(path: str | Path) -> dict:
    """Read a TOML file that may come from anywhere.

    Parameters
    ----------
    path
        The file, at most 1 MB, UTF-8.

    Raises
    ------
    InputError
        If there is no such file, or it is too large, not UTF-8, not TOML, or nested so deeply
        that reading it would take the interpreter down.
    """
    path = Path(path)
    document = read_text(path)
    _check_dotted_keys(document, path)
    try:
        return tomllib.loads(document)
    except RecursionError as error:
        raise InputError(f"{path}: is nested too deeply") from error
    except ValueError as error:  # TOMLDecodeError, and integers of more than 4300 digits
        raise InputError(f"{path}: is not valid TOML: {error}") from error


def _check_dotted_keys(document: str, path: Path) -> None:
    """Refuse keys of many parts before the parser spends its time on them."""
    without_quotes = re.sub(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', "q", document)
    for run in re.finditer(r"[\w. \t-]+", without_quotes):
        if run.group().count(".") > MOST_KEY_PARTS:
            line = without_quotes.count("\n", 0, run.start()) + 1
            raise InputError(
                f"{path}: line {line}: a key may have at most {MOST_KEY_PARTS} dotted parts"
            )


def shipped(kind: str) -> dict[str, Path]:
    """Return the files that come with the package, name -> path.

    Parameters
    ----------
    kind
        Folder in data: "cells", "protocols", "equipment" or "plants".
    """
    return {path.stem: path for path in sorted((DATA / kind).glob("*.toml"))}


def locate(kind: str, singular: str, name: str | Path) -> Path:
    """Return the file of a shipped name, or the path itself if a path was given.

    Parameters
    ----------
    kind
        Folder in data, as for `shipped`.
    singular
        What one of them is called in messages.
    name
        A shipped name; anything that ends in .toml or holds a path separator is a path.
    """
    if isinstance(name, Path):
        return name
    if not isinstance(name, str):
        raise InputError(f"a {singular} is loaded by name or path, got {quoted(name)}")
    if name.endswith(".toml") or "/" in name or "\\" in name:
        return Path(name)
    files = shipped(kind)
    if name not in files:
        raise unknown_name(singular, name, files)
    return files[name]


def read_input(
    kind: str,
    singular: str,
    name: str | Path,
    required: Collection[str],
    optional: Collection[str] = (),
) -> tuple[Path, dict, dict[str, str]]:
    """Read the file of a cell, protocol, equipment or plant.

    Parameters
    ----------
    kind, singular, name
        As for `locate`.
    required, optional
        Its keys besides title and source, which it must have, and name, which it may have.

    Returns
    -------
    Path, dict, dict
        Where it is, what it holds, and its name, title and source.
    """
    path = locate(kind, singular, name)
    table = read_toml(path)
    required = ("title", "source", *required)
    check_keys(table, ("name", *required, *optional), str(path), required=required)
    words = {"name": path.stem, **table}
    return path, table, {k: text(words[k], f"{path}: {k}") for k in ("name", "title", "source")}
