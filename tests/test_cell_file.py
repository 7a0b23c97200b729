"""A saved cell is the same cell when it is loaded."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cellmodel as cm
from cellmodel.quantity import Quantity

BARRIER = "Tunneling barrier factor [m-1]"


@pytest.mark.parametrize("name", cm.list_cells())
def test_shipped_cells_come_back(tmp_path, name):
    cell = cm.load_cell(name)
    path = cm.save_cell(cell, tmp_path / "new folder" / "mine.toml")
    back = cm.load_cell(path)
    assert back == cell
    assert back.provenance() == cell.provenance()
    assert list(back.parameters) == list(cell.parameters)


@given(
    value=st.floats(1e-300, 1e300),
    spread=st.floats(0, 0.5),
    source=st.text(min_size=1).filter(str.strip),
    certainty=st.sampled_from(["", "fitted"]),
)
def test_every_quantity_comes_back(tmp_path_factory, value, spread, source, certainty):
    low, high = value * (1 - spread), value * (1 + spread)
    quantity = Quantity(value, "m-1", source, low, high, certainty)
    cell = cm.load_cell("nmc532-graphite").replace_parameters({BARRIER: quantity})
    path = cm.save_cell(cell, tmp_path_factory.mktemp("cells") / "mine.toml")
    assert cm.load_cell(path).parameters[BARRIER] == quantity


def test_an_old_file_is_kept_if_the_cell_cannot_be_saved(tmp_path):
    cell = cm.load_cell("nmc532-graphite")
    path = cm.save_cell(cell, tmp_path / "mine.toml")
    before = path.read_bytes()
    for broken in (
        dataclasses.replace(cell, source=""),
        dataclasses.replace(cell, title="\ud800"),
        cell.replace_parameters({BARRIER: Quantity(1e8, "m-1", "x", low=2e8)}),
    ):
        with pytest.raises(
            cm.InputError, match=r"'nmc532-graphite' cannot be saved to .*mine.toml"
        ):
            cm.save_cell(broken, path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["mine.toml"]


def test_wrong_targets_are_refused(tmp_path):
    cell = cm.load_cell("nmc532-graphite")
    with pytest.raises(cm.InputError, match=r"saved to a .toml file, got .*mine.json"):
        cm.save_cell(cell, tmp_path / "mine.json")
    with pytest.raises(cm.InputError, match="takes a Cell, got str"):
        cm.save_cell("nmc532-graphite", tmp_path / "mine.toml")
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(cm.InputError, match="cannot be saved"):
        cm.save_cell(cell, tmp_path / "folder.toml")
