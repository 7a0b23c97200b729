"""Every notebook of the examples runs from top to bottom, and is committed as it ran."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))


def _outputs(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs(path, tmp_path, monkeypatch):
    # The kernel is a process of its own: it finds this checkout, and what it writes stays away.
    search = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(search))
    monkeypatch.setenv("PYBAMM_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    folder = shutil.copytree(path.parent, tmp_path / "examples")
    notebook = nbformat.read(folder / path.name, as_version=4)
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources).execute()
    printed = [o.text for o in _outputs(notebook) if o.get("name") == "stderr"]
    assert not [text for text in printed if "Warning" in text]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_is_committed_as_it_ran(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert {output.output_type for output in _outputs(notebook)} <= {
        "stream",
        "display_data",
        "execute_result",
    }
    assert notebook.metadata.kernelspec.name == "python3"
    assert not any(cell.metadata for cell in notebook.cells), "times of execution, perhaps"
    for output in _outputs(notebook):
        output.get("data", {}).pop("image/png", None)  # spells anything, somewhere
    assert not re.findall(r"/(?:home|root|tmp|Users|work)/", nbformat.writes(notebook))
