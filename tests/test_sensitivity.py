"""Sobol indices: closed forms, agreement of both orders, and ranges that are none."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import xarray as xr

import cellmodel as cm
from cellmodel.distribution import Draw
from cellmodel.errors import InputError
from cellmodel.factors import load_factors
from cellmodel.quantity import Range

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


def lognormal_parts(correlation: float, names: tuple[str, ...]) -> np.ndarray:
    """What each factor adds to the footprint [kg kWh-1], as footprint_uncertainty draws it."""
    bought = cm.footprint(cm.sweep_formation(*INPUTS[:3]), INPUTS[3], "FR")["material_input"]
    component = {
        "nmc532": "positive_active_material",
        "graphite-synthetic": "negative_active_material",
        "copper-cathode": "negative_foil",
    }
    draw = Draw(5, 0, 2**18, correlation)
    parts = []
    for name in names:
        row = load_factors().get(name)
        drawn = draw.number(name, row.value, row.low, row.high, Range(0, 1e5), row.lineage)
        parts.append(float(bought.sel(component=component[name])) * drawn)
    return np.array(parts)


def test_correlated_lognormal_factors_have_the_index_of_their_lineage():
    """Y = sum a x: the share of a group is the variance of its own sum, that of its samples."""
    names = ("nmc532", "copper-cathode", "graphite-synthetic")
    over = dict.fromkeys(names)
    found = cm.sobol(*INPUTS, over=over, samples=4096, seed=1, distribution="lognormal")
    lineage = "lineage engineering judgement"
    assert found["input"].values.tolist() == [lineage, "graphite-synthetic"]
    assert json.loads(found.attrs["groups"]) == {lineage: ["nmc532", "copper-cathode"]}
    assert found.attrs["cases"] == 4096 * 4
    nmc, copper, graphite = lognormal_parts(0.5, names)
    share = np.var(nmc + copper) / (np.var(nmc + copper) + np.var(graphite))
    for name in ("first_order_index", "total_order_index"):
        index = found[name].sel(site="FR")
        np.testing.assert_allclose(index, [share, 1 - share], rtol=0, atol=0.03)


def test_lognormal_without_correlation_has_an_index_of_every_input():
    names = ("nmc532", "copper-cathode", "graphite-synthetic")
    found = cm.sobol(
        *INPUTS,
        over=dict.fromkeys(names),
        samples=4096,
        distribution="lognormal",
        correlation=0,
    )
    assert found["input"].values.tolist() == list(names)
    variances = np.var(lognormal_parts(0.0, names), axis=1)
    np.testing.assert_allclose(
        found["total_order_index"].sel(site="FR"), variances / variances.sum(), rtol=0, atol=0.03
    )


def test_choices_stay_uniform_and_shares_below_1():
    over = {
        "charge_rate": (0.05, 0.4),
        "coating_yield": None,
        "assembly_yield": None,
        "discharge_efficiency": None,
        "nmc532": None,
    }
    found = cm.sobol(*INPUTS, over=over, samples=64, distribution="lognormal")
    assert found["input"].values.tolist() == [
        "charge_rate",
        "plant yield",
        "discharge_efficiency",
        "nmc532",
    ]
    assert np.isfinite(found["total_order_index"]).all()


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
    refused(r"coating_yield must be between 0.05 and 1, got 1\.2", {"coating_yield": (0.9, 1.2)})
    refused(r"must be in h-1|charge_rate must be", {"charge_rate": (-0.1, 0.2)})
    refused(r"over\['nmc532'\] must be \(low, high\) or None, got 3", {"nmc532": 3})
    refused(r"unknown input 'nmc53'; the nearest known are nmc532", {"nmc53": None})
    refused(r"'charge_rate' has no range of its own", {"charge_rate": None})
    refused(r"over must map names to \(low, high\)", {})
    refused(r"samples must be a power of 2, got 100", samples=100)
    refused(r"samples must be between 8", samples=4)
    refused(r"unknown variable of the footprint 'co2'", variable="co2")
    refused(r"unknown site 'UK'", sites="UK")
    refused(r"unknown distribution 'normal'", distribution="normal")
    refused(r"correlation must be between 0 and 1, got 2", correlation=2)
    refused(r"the first of range_quantiles must be", range_quantiles=(0.6, 0.9))


def test_without_salib_one_is_told_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "SALib.analyze", None)
    with pytest.raises(InputError, match=r"pip install 'cellmodel\[sensitivity\]'"):
        cm.sobol(*INPUTS, over={"nmc532": None})
