"""A million random cases: each has finite numbers, or a status that says why not."""

from __future__ import annotations

import numpy as np
import pytest
from random_cases import random_cases, wide

import cellmodel as cm

COUNT = 333_334  # per cell
CHUNK = 1 << 16


@pytest.mark.parametrize("name", ["lfp-graphite", "nmc532-graphite", "nmc811-graphite-siox"])
def test_no_random_case_is_called_solved_with_a_nan(name):
    cell = cm.load_cell(name)
    cases = random_cases(cell, COUNT, wide, seed=11)
    solved = 0
    for start in range(0, COUNT, CHUNK):
        part = {key: (dim, values[start : start + CHUNK]) for key, (dim, values) in cases.items()}
        formed = cm.sweep_formation(cell, "three-cycle", "regenerative-cycler", part)
        good = formed["status"].values == 0
        solved += int(good.sum())
        for variable, array in formed.items():
            if "case" in array.dims and array.dtype.kind == "f":
                rows = array.transpose("case", ...).values.reshape(len(good), -1)
                assert np.isfinite(rows[good]).all(), variable
                formed_only = "cycle" in array.dims or variable == "lithium_loss"
                assert not formed_only or np.isnan(rows[~good]).all(), variable
    assert solved > 0.5 * COUNT
