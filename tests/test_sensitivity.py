"""Sobol indices: closed forms, agreement of both orders, and ranges that are none."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import xarray as xr

import cellmodel as cm
from cellmodel.errors import InputError
from cellmodel.factors import load_factors

INPUTS = ("nmc532-graphite", "two-cycle", "regenerative-cycler", "gigafactory-16gwh")
THICKNESS = "Positive electrode thickness [m]"


def test_a_linear_footprint_has_indices_in_closed_form():
    """Y = sum a x with x uniform: S = ST = (a width)^2 / sum (a width)^2."""
    over = {"nmc532": (15.0, 20.0), "graphite-synthetic": (5.0, 20.0), "electricity FR": (0.0, 0.2)}
    found = cm.sobol(*INPUTS, over=over, samples=2048, seed=1)
    formed = cm.sweep_formation(*INPUTS[:3])
    base = cm.footprint(formed, INPUTS[3], "FR")
    bought = base["material_input"]
    slopes = {
        "nmc532": bought.sel(component="positive_active_material"),
        "graphite-synthetic": bought.sel(component="negative_active_material"),
        "electricity FR": base["plant_electricity"],
    }
    parts = np.array([(float(slopes[name]) * (b - a)) ** 2 for name, (a, b) in over.items()])
    expected = parts / parts.sum()
    assert found["input"].values.tolist() == list(over)
    for name in ("first_order_index", "total_order_index"):
        index = found[name].sel(site="FR")
        np.testing.assert_allclose(index, expected, rtol=0, atol=0.02)
    assert found["total_order_confidence"].max() < 0.1
    assert np.all(found["first_order_confidence"] > 0)


@pytest.fixture(scope="module")
def whole() -> xr.Dataset:
    over = {
        "charge_rate": (0.05, 0.4),
        THICKNESS: (68e-6, 78e-6),
        "heating_cop": None,
        "coating_yield": None,
        "electricity PL": None,
        "nmc532": (17.9, 18.1),
    }
    return cm.sobol(*INPUTS, over=over, sites=["FR", "PL"], samples=256, seed=2)


def test_the_whole_chain(whole):
    assert whole["first_order_index"].dims == ("site", "input")
    assert whole["first_order_index"].attrs["units"] == "1"
    total, first = whole["total_order_index"], whole["first_order_index"]
    assert float(total.sel(input=THICKNESS).min()) > 0.05
    assert float(total.sel(site="PL", input="electricity PL")) > 0.01
    assert abs(float(total.sel(site="FR", input="electricity PL"))) < 1e-3
    slack = whole["first_order_confidence"] + whole["total_order_confidence"]
    assert bool((first < total + slack + 1e-3).all())
    assert whole.attrs["cases"] == 256 * 8
    ranges = json.loads(whole.attrs["ranges"])
    assert ranges[THICKNESS] == [68e-6, 78e-6, "m"]
    row = load_factors().get("electricity", "PL")
    assert ranges["electricity PL"] == [row.low, row.high, "kg kWh-1"]


def test_the_seed_decides():
    over = {"nmc532": None, "coating_yield": None}
    first, again = (cm.sobol(*INPUTS, over=over, samples=64, seed=s) for s in (1, 1))
    xr.testing.assert_identical(first, again)
    other = cm.sobol(*INPUTS, over=over, samples=64, seed=2)
    assert not np.array_equal(first["total_order_index"], other["total_order_index"])


def test_what_cannot_be_is_refused(monkeypatch):
    monkeypatch.setattr("cellmodel.chain.sweep_formation", None)  # before any work

    def refused(match, over=None, **options):
        with pytest.raises(InputError, match=match):
            cm.sobol(*INPUTS, over={"nmc532": None} if over is None else over, **options)

    refused(r"over\['nmc532'\]: low must be below high, got 20 and 10", {"nmc532": (20.0, 10.0)})
    refused(r"coating_yield must be above 0 and at most 1, got 1\.2", {"coating_yield": (0.9, 1.2)})
    refused(r"must be in h-1|charge_rate must be", {"charge_rate": (-0.1, 0.2)})
    refused(r"over\['nmc532'\] must be \(low, high\) or None, got 3", {"nmc532": 3})
    refused(r"unknown input 'nmc53'; the nearest known are nmc532", {"nmc53": None})
    refused(r"'charge_rate' has no range of its own", {"charge_rate": None})
    refused(r"over must map names to \(low, high\)", {})
    refused(r"samples must be a power of 2, got 100", samples=100)
    refused(r"samples must be between 8", samples=4)
    refused(r"unknown variable of the footprint 'co2'", variable="co2")
    refused(r"unknown site 'UK'", sites="UK")


def test_without_salib_one_is_told_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "SALib.analyze", None)
    with pytest.raises(InputError, match=r"pip install 'cellmodel\[sensitivity\]'"):
        cm.sobol(*INPUTS, over={"nmc532": None})
