"""What may import what, and what importing costs."""

from __future__ import annotations

import subprocess
import sys
import types
from pathlib import Path

import pytest

import cellmodel as cm

ROOT = Path(__file__).parent.parent
HEAVY = {"pybamm", "numba", "xarray", "zarr", "pandas", "matplotlib", "pydantic", "numpy"}


def _run(code: str) -> str:
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout


def test_import_contracts_hold():
    # in a process of its own: import-linter sets logging up for its process and silences ours
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
    checked = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=ROOT
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_importing_is_cheap():
    code = (
        "import time, sys; start = time.process_time(); import cellmodel; "
        "print(time.process_time() - start, *sys.modules)"
    )
    seconds, *modules = _run(code).split()
    assert float(seconds) < 0.3
    assert not HEAVY & set(modules)


def test_listing_and_loading_inputs_needs_no_pybamm():
    code = (
        "import sys, cellmodel as cm; "
        "[cm.load_cell(n) for n in cm.list_cells()]; "
        "[cm.load_protocol(n) for n in cm.list_protocols()]; "
        "[cm.load_equipment(n) for n in cm.list_equipment()]; "
        "print(*sys.modules)"
    )
    assert not {"pybamm", "numba", "xarray"} & set(_run(code).split())


def test_telemetry_is_off_unless_the_user_says_otherwise():
    show = "import os, cellmodel; print(os.environ['PYBAMM_DISABLE_TELEMETRY'])"
    assert _run("import os; os.environ.pop('PYBAMM_DISABLE_TELEMETRY', 0); " + show) == "true\n"
    assert _run("import os; os.environ['PYBAMM_DISABLE_TELEMETRY'] = 'x'; " + show) == "x\n"


def test_the_package_lists_its_public_names():
    assert dir(cm) == cm.__all__
    assert cm.__version__.count(".") == 2


@pytest.mark.parametrize("name", cm.__all__)
def test_every_public_name_exists(name):
    assert not isinstance(getattr(cm, name), types.ModuleType)


def test_an_unknown_attribute_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"module 'cellmodel' has no attribute 'form'"):
        cm.form  # noqa: B018


@pytest.mark.parametrize(
    "first",
    [
        "import cellmodel",
        "import cellmodel.footprint",
        "from cellmodel.footprint import footprint",
        "import importlib; importlib.import_module('cellmodel.footprint')",
    ],
)
def test_footprint_is_the_function_whoever_imports_its_module(first):
    code = f"{first}; import cellmodel as cm; from cellmodel import footprint; import sys; "
    code += "print(type(cm.footprint).__name__, footprint is cm.footprint, "
    code += "footprint is sys.modules['cellmodel.footprint'].footprint)"
    assert _run(code) == "function True True\n"
