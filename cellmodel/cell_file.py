"""A cell written as the TOML file that `load_cell` reads."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

from cellmodel.cell import Cell, load_cell
from cellmodel.errors import InputError
from cellmodel.output_folder import output_folder, whole_file
from cellmodel.quantity import QUANTITY_KEYS, Quantity


def save_cell(cell: Cell, path: str | Path) -> Path:
    """Write a cell with the provenance of its numbers.

    Parameters
    ----------
    cell
        What is written: everything that is not in its PyBaMM set.
    path
        Of a .toml file, which is replaced; its folder is made. Written whole or not at all. The BPX
        file under a cell that has one is written beside it.

    Returns
    -------
    Path
        Where it is.

    Raises
    ------
    InputError
        If the file cannot be written, or `load_cell` would not read back an equal cell.
    """
    if not isinstance(cell, Cell):
        raise InputError(f"save_cell takes a Cell, got {type(cell).__name__}")
    path = Path(path)
    if path.suffix != ".toml":
        raise InputError(f"a cell is saved to a .toml file, got '{path}'")
    output_folder(path.parent)
    try:
        if cell.bpx:
            with whole_file(path.parent / cell.parameter_set) as temporary:
                temporary.write_text(cell.bpx, encoding="utf-8", newline="\n")
        with whole_file(path) as temporary:
            temporary.write_text(cell_toml(cell), encoding="utf-8", newline="\n")
            if load_cell(temporary) != cell:
                raise InputError("the file would not give back the same cell")
    except (InputError, OSError, ValueError) as error:  # ValueError: text that is not Unicode
        raise InputError(f"cell '{cell.name}' cannot be saved to '{path}': {error}") from error
    return path


def cell_toml(cell: Cell) -> str:
    """Return the text of a cell's file."""
    # every text field is a key of the same name, whatever a cell may come to have
    texts = {
        field.name: value
        for field in dataclasses.fields(cell)
        if field.name != "bpx" and isinstance(value := getattr(cell, field.name), str) and value
    }
    lines = [f"{_key(key)} = {_value(value)}" for key, value in texts.items()]
    lines += ["", "[fresh]"]
    lines += [
        f"{key} = {_inline(getattr(cell, key))}"
        for key in ("negative_stoichiometry", "positive_stoichiometry")
    ]
    if cell.first_cycle_efficiency is not None:
        lines += ["", "[first_cycle]", f"efficiency = {_inline(cell.first_cycle_efficiency)}"]
    lines += [f"{_key(key)} = {_value(value)}" for key, value in cell.calibration.items()]
    for name, quantity in cell.parameters.items():
        lines += ["", f"[parameters.{_key(name)}]"]
        lines += [f"{key} = {_value(value)}" for key, value in _entries(quantity).items()]
    lines += ["", "[assumptions]"] if cell.assumptions else []
    lines += [f"{_key(name)} = {_value(why)}" for name, why in cell.assumptions.items()]
    lines += ["", "[materials]"] if cell.materials else []
    lines += [
        f"{_key(name)} = {_inline(entry) if isinstance(entry, Quantity) else _value(entry)}"
        for name, entry in cell.materials.items()
    ]
    return "\n".join(lines) + "\n"


def _entries(quantity: Quantity) -> Mapping[str, str | float]:
    entries = {key: getattr(quantity, key) for key in QUANTITY_KEYS}
    return {key: value for key, value in entries.items() if value is not None and value != ""}


def _inline(quantity: Quantity) -> str:
    pairs = (f"{key} = {_value(value)}" for key, value in _entries(quantity).items())
    return f"{{ {', '.join(pairs)} }}"


def _key(key: str) -> str:
    bare = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if bare else _value(key)


def _value(value: str | float) -> str:
    if isinstance(value, str):
        # a basic string of TOML is one of JSON, but for the delete character
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(float(value))  # the shortest text that reads back as the same number
