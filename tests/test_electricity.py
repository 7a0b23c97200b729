"""Where electricity comes from: own generation, contract, residual or national mix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cellmodel as cm
from cellmodel.electricity import site_shares, supply
from cellmodel.errors import InputError
from cellmodel.factors import load_factors

ROWS = """name,region,value,unit,source
electricity-contract,FR,0.02,kg kWh-1,contract
electricity-residual,FR,0.09,kg kWh-1,residual
electricity-onsite,DE,0.03,kg kWh-1,own roof
"""
LOCATION = cm.load_rules("capacity-cutoff")
MARKET = cm.load_rules("capacity-market")


@pytest.fixture(scope="module")
def factors(tmp_path_factory):
    path = tmp_path_factory.mktemp("factors") / "own.csv"
    path.write_text(ROWS)
    return load_factors(path)


def test_location_based_is_the_national_mix_whatever_the_contract(factors):
    assert supply(LOCATION, "FR", factors, 0.0, 1.0) == {("electricity", "FR"): 1.0}


def test_own_generation_comes_first_then_contract_then_residual(factors):
    found = supply(MARKET, "FR", factors, 0.2, 0.75)
    expected = {
        ("electricity-onsite", "GLO"): 0.2,
        ("electricity-contract", "FR"): 0.6,
        ("electricity-residual", "FR"): 0.2,
    }
    assert found.keys() == expected.keys()
    np.testing.assert_allclose(list(found.values()), list(expected.values()), rtol=1e-14, atol=0)


@given(onsite=st.floats(0, 1), contract=st.floats(0, 1))
def test_shares_add_up_to_one(factors, onsite, contract):
    for rules in (LOCATION, MARKET):
        np.testing.assert_allclose(
            sum(supply(rules, "FR", factors, onsite, contract).values()), 1, rtol=1e-14, atol=0
        )


def test_own_generation_is_that_of_the_site_if_there_is_a_row(factors):
    assert ("electricity-onsite", "DE") in supply(LOCATION, "DE", factors, 1.0, 0.0)
    assert supply(LOCATION, "PL", factors, 1.0, 0.0) == {("electricity-onsite", "GLO"): 1.0}


def test_without_residual_mix_the_national_one_or_nothing(factors):
    assert supply(MARKET, "PL", factors, 0.0, 0.0) == {("electricity", "PL"): 1.0}
    strict = MARKET.replace(without_residual_mix="refuse")
    assert supply(strict, "FR", factors, 0.0, 0.0) == {("electricity-residual", "FR"): 1.0}
    with pytest.raises(InputError, match=r"site 'PL' must have a residual mix: add a row 'electri"):
        supply(strict, "PL", factors, 0.0, 0.0)


def test_a_contract_needs_its_factor(factors):
    with pytest.raises(
        InputError, match=r"contract_share of site 'PL' must be 0, got 0.5: there is"
    ):
        supply(MARKET, "PL", factors, 0.0, 0.5)


def test_shares_per_site():
    assert site_shares("onsite_share", 0.1, ["FR", "DE"]) == {"FR": 0.1, "DE": 0.1}
    assert site_shares("onsite_share", {"DE": 1}, ["FR", "DE"]) == {"FR": 0.0, "DE": 1.0}
    with pytest.raises(InputError, match=r"unknown site of onsite_share 'GB'; all: DE, FR"):
        site_shares("onsite_share", {"GB": 0.1}, ["FR", "DE"])
    with pytest.raises(InputError, match=r"contract_share must be between 0 and 1, got 20"):
        site_shares("contract_share", 20, ["FR"])
    with pytest.raises(InputError, match=r"contract_share of FR must be between 0 and 1, got -1"):
        site_shares("contract_share", {"FR": -1}, ["FR"])


def test_a_contract_or_residual_mix_needs_its_site(tmp_path):
    for name in ("electricity-contract", "electricity-residual"):
        path = tmp_path / "own.csv"
        path.write_text(f"name,value,unit,source\n{name},0.1,kg kWh-1,me\n")
        with pytest.raises(InputError, match=f"{name} needs a region"):
            load_factors(path)
