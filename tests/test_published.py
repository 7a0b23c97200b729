"""Published figures: ours agree with them, or differ by what is stated, for the stated reason."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from published import Row, rows, table

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
NUMBER = re.compile(r"(?<![\w.])\d+\.?\d*")
#: ours / published of every row that is outside, known and explained in the README
OUTSIDE = {
    "electricity of an NMC622 plant": (0.88,),
    "gas of an NMC622 plant": (0.82,),
    "electricity and gas": (0.85,),
    "NMC811, 5 / 50 / 95 %": (0.89, 1.01, 1.01),
    "LFP, 5 / 50 / 95 %": (1.50, 1.77, 2.24),
    "LFP, the same cell with electrodes 2.5 times as thick and 6 % filler": (1.05, 1.29, 1.73),
    "the three together": (1.76,),
    "NMC811, Sweden instead of China": (2.48,),
    "NMC622, Sweden instead of China": (0.24,),
    "graphite alone, newer data": (0.86,),
}
AGREEING = {
    "electricity and gas, lithium-ion cells today; 16 and 50 GWh plant",
    "share of materials, NMC811 in Sweden, heated by electricity",
    "share of the own plant",
    "share of transport, of materials to the plant and of cells from it",
    "NMC811, France instead of China",
    "cell with older and newer data of graphite",
}


def name(row: Row) -> str:
    return row.quantity.partition(" (ours")[0]


def test_every_row_agrees_or_is_stated_to_be_outside():
    assert {name(row) for row in rows() if row.agrees} == AGREEING
    assert {name(row) for row in rows() if not row.agrees} == set(OUTSIDE)


@pytest.mark.parametrize("quantity", OUTSIDE)
def test_deviations_are_the_stated_ones(quantity):
    (row,) = (row for row in rows() if name(row) == quantity)
    np.testing.assert_allclose(np.add(1, row.deviations), OUTSIDE[quantity], rtol=0.04, atol=0)


def test_a_reason_is_given_exactly_where_ours_is_outside():
    assert [name(row) for row in rows() if bool(row.why) == row.agrees] == []


def test_agreement_by_share_rounding_and_range():
    assert Row("", "", "", (100,), (109,)).agrees
    assert not Row("", "", "", (100, 100), (109, 111)).agrees
    assert Row("", "", "%", (3,), (2.5,), rounding=0.5).agrees
    assert not Row("", "", "%", (3,), (2.5,)).agrees
    assert Row("", "", "", (20, 38), (36, 32), is_range=True).agrees
    assert not Row("", "", "", (20, 38), (36, 39), is_range=True).agrees


def test_the_readme_has_the_table_of_today():
    begin, end = (
        f"<!-- published: {word} -->" for word in ("written by benchmarks/published.py", "end")
    )
    written = README.partition(begin)[2].partition(end)[0]
    shown = "\n".join(line for line in written.split("\n") if line.startswith("|"))
    now = table(rows())
    assert NUMBER.sub("#", shown) == NUMBER.sub("#", now), "run benchmarks/published.py --write"
    numbers = [np.array(NUMBER.findall(text), float) for text in (shown, now)]
    np.testing.assert_allclose(*numbers, rtol=0.05, atol=0)
