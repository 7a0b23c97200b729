"""The chain: every number by its name, and its numbers where they belong."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import cellmodel as cm
from cellmodel.chain import Chain
from cellmodel.errors import InputError
from cellmodel.factors import load_factors

THICKNESS = "Positive electrode thickness [m]"


@pytest.fixture(scope="module")
def chain() -> Chain:
    return Chain(
        cm.load_cell("nmc532-graphite"),
        cm.load_protocol("two-cycle"),
        cm.load_equipment("regenerative-cycler"),
        cm.load_plant("pilot-line"),
        load_factors(),
    )


@pytest.mark.parametrize(
    ("name", "owner", "unit"),
    [
        ("charge_rate", "protocol", "h-1"),
        ("standby", "equipment", "1"),
        ("coating_yield", "plant", "1"),
        ("nmc532", "factors", "kg kg-1"),
        ("nmc532 GLO", "factors", "kg kg-1"),
        ("graphite-siox", "factors", "kg kg-1"),
        ("electricity FR", "factors", "kg kWh-1"),
        ("road-freight", "factors", "kg t-1 km-1"),
        (THICKNESS, "cell", "m"),
    ],
)
def test_every_name_has_an_owner_and_a_unit(chain, name, owner, unit):
    assert chain.owner(name) == owner
    assert chain.unit(name) == unit
    assert chain.bounds(name).contains(np.float64(chain.value(name)))


def test_own_ranges(chain):
    assert chain.own_range("standby") == (0.01, 0.03)
    assert chain.own_range("nmc532") == (11, 30)
    quantity = chain.plant.quantities["coating_yield"]
    assert chain.own_range("coating_yield") == (quantity.low, quantity.high)
    with pytest.raises(InputError, match=r"'charge_rate' has no range of its own: give it"):
        chain.own_range("charge_rate")


def test_names_that_are_none(chain):
    with pytest.raises(InputError, match=r"unknown input 'coating_yeild'; .*coating_yield"):
        chain.owner("coating_yeild")
    with pytest.raises(InputError, match=r"unknown input 'electricity'"):
        chain.owner("electricity")  # of which site?
    with pytest.raises(InputError, match=r"unknown parameter .*'Positive electrode thikness \[m\]"):
        chain.owner("Positive electrode thikness [m]")


def test_samples_are_single_runs(chain):
    """One sample of everything at once is the chain built by hand with these numbers."""
    numbers = {
        "charge_rate": [0.1, 0.2],
        "standby": [0.02, 0.03],
        "coating_yield": [0.9, 0.95],
        THICKNESS: [70e-6, 72e-6],
        "electricity PL": [0.6, 0.7],
        "electrolyte-lipf6": [4.0, 5.0],
    }
    columns = {name: np.array(values) for name, values in numbers.items()}
    formed, result = chain.run(columns, ["PL"])
    assert formed["status"].dims == ("sample",)
    for i in range(2):
        at = {name: values[i] for name, values in numbers.items()}
        single = cm.sweep_formation(
            chain.cell.replace_parameters({THICKNESS: at[THICKNESS]}),
            chain.protocol.with_variables(charge_rate=at["charge_rate"]),
            chain.equipment.replace(standby=at["standby"]),
        )
        shipped = dict(chain.factors.rows)
        for key in (("electricity", "PL"), ("electrolyte-lipf6", "GLO")):
            name = " ".join(key) if key[0] == "electricity" else key[0]
            shipped[key] = dataclasses.replace(chain.factors.get(*key), value=at[name])
        factors = dataclasses.replace(chain.factors, rows=shipped)
        plant = chain.plant.replace(coating_yield=at["coating_yield"])
        expected = cm.footprint(single, plant, ["PL"], factors)
        for total in ("carbon_footprint_total", "carbon_footprint_to_gate"):
            np.testing.assert_allclose(
                result[total].isel(sample=i), expected[total], rtol=1e-12, atol=0
            )


def test_failed_samples_are_named(chain):
    columns = {
        THICKNESS: np.array([70e-6, 71e-6, 72e-6]),
        "Maximum concentration in negative electrode [mol.m-3]": np.array([28e3, 28e3, 5e3]),
    }
    message = r"but 1 of 3 ended with status stoichiometry_limit; all of these have '.*' from "
    with pytest.raises(InputError, match=message):
        chain.run(columns, ["FR"])


def test_what_is_wrong_is_refused_before_work(chain, monkeypatch):
    monkeypatch.setattr("cellmodel.chain.sweep_formation", None)
    with pytest.raises(InputError, match=r"unknown site 'UK'"):
        chain.run({"charge_rate": np.array([0.1])}, ["UK"])
    with pytest.raises(InputError, match=r"coating_yield must be between 0.05 and 1, got 1\.1"):
        chain.run({"coating_yield": np.array([1.1])}, ["FR"])
    with pytest.raises(InputError, match=r"nmc532 must be in kg kg-1 between 0 and 100000, got -1"):
        chain.run({"nmc532": np.array([-1.0])}, ["FR"])
