"""Tables read for a block of lanes: the same numbers as `lookup` gives one at a time."""

from __future__ import annotations

import numpy as np
import pytest
from numba import config

from kernels.block_lookup import read_block, read_values
from kernels.parameters import LANES
from kernels.tables import COLUMNS, INTERVALS, NAMES, U_P, hermite_table, lookup

pytestmark = pytest.mark.kernel

AT, VALUE, SLOPE, AREA = (k * LANES for k in range(4))  # rows of a workspace of our own
GRID = np.linspace(0.0, 1.0, INTERVALS + 1)
EDGES = np.array([0.0, 1.0, -0.0, 5e-324, 1.0 - 1e-16, *GRID[1:4], GRID[-2], 0.5])
BEYOND = np.array([-1e-9, -3.0, -np.inf, 1.0 + 1e-9, 7.0, 1e300, np.inf])


@pytest.fixture(scope="module")
def tables():
    made = np.zeros((len(NAMES), INTERVALS, COLUMNS))
    kinks = np.random.default_rng(4).uniform(0, 1, INTERVALS)
    made[U_P] = hermite_table(np.exp(-3 * GRID), -3 * np.exp(-3 * GRID), kinks, 2.0 - kinks)
    return made


def _blocks(positions):
    return np.resize(positions, (-(-positions.size // LANES), LANES))


@pytest.mark.parametrize("factor", [1.0, 0.25])
@pytest.mark.parametrize(
    "positions", [np.random.default_rng(3).uniform(0, 1, 40 * LANES), EDGES, BEYOND]
)
def test_a_block_is_read_as_each_of_its_lanes(tables, positions, factor):
    for block in _blocks(positions):
        w, v = np.full(4 * LANES, np.nan), np.full(4 * LANES, np.nan)
        w[:LANES] = v[:LANES] = block
        read_block(w, tables, U_P, AT, VALUE, SLOPE, AREA)
        each = np.array([lookup(tables, U_P, position) for position in block]).T
        np.testing.assert_allclose(w[LANES:], each.ravel(), rtol=1e-15, atol=1e-14)
        read_values(v, tables, U_P, AT, factor, VALUE)
        scaled = [lookup(tables, U_P, position * factor)[0] for position in block]
        np.testing.assert_allclose(v[VALUE:SLOPE], scaled, rtol=1e-15, atol=0)
        assert np.isnan(v[SLOPE:]).all()


@pytest.mark.skipif(config.DISABLE_JIT, reason="Python makes no integer of a NaN")
def test_what_is_no_number_stays_none_and_touches_no_other_lane(tables):
    w = np.zeros(4 * LANES)
    w[:LANES:2] = np.nan
    read_block(w, tables, U_P, AT, VALUE, SLOPE, AREA)
    read = w[LANES:].reshape(3, LANES)
    assert np.isnan(read[:, ::2]).all()
    np.testing.assert_array_equal(
        read[:, 1::2].T, np.broadcast_to(lookup(tables, U_P, 0.0), (LANES // 2, 3))
    )
