"""Emission factors: every shipped row is complete, users replace rows, wrong files are refused."""

from __future__ import annotations

import re

import numpy as np
import pytest

from cellmodel.errors import InputError
from cellmodel.factors import CERTAINTIES, UNITS, load_factors

HEADER = "name,value,unit,source\n"


def write(folder, content, name="own.csv"):
    path = folder / name
    path.write_text(content)
    return path


def test_every_shipped_row_is_complete_and_positive():
    factors = load_factors()
    assert len(factors.rows) > 40
    for key, row in factors.rows.items():
        assert key == (row.name, row.region)
        assert 0 < row.low <= row.value <= row.high, key
        assert row.unit == UNITS[row.kind], key
        assert row.certainty in CERTAINTIES, key
        assert 2000 <= int(row.year) <= 2026, key
        for field in ("gwp_set", "lineage", "licence", "source"):
            assert getattr(row, field).strip(), (key, field)
        if row.certainty == "prior":
            assert row.high / row.low > 1.3, key


def test_a_lineage_is_what_the_source_names():
    """A family of data, no class of certainty; estimates of the package are a family too."""
    for row in load_factors().rows.values():
        if row.lineage != "engineering judgement" and not row.source.startswith("As graphite"):
            first = re.split(r"\W", row.lineage)[0]
            assert first.lower() in row.source.lower(), (row.name, row.lineage)


def test_no_shipped_row_comes_from_a_database_that_may_not_be_passed_on():
    for row in load_factors().rows.values():
        text = f"{row.source} {row.licence} {row.lineage}".lower()
        assert "ecoinvent" not in text
        assert "carculator" not in text
        assert "premise" not in text


def test_electricity_of_the_default_sites():
    """Our World in Data after Ember, 2023 [kg kWh-1]."""
    factors = load_factors()
    expected = {"FR": 0.056, "DE": 0.381, "PL": 0.662, "CN": 0.582, "SE": 0.041, "HU": 0.204}
    for site, value in expected.items():
        np.testing.assert_allclose(factors.get("electricity", site).value, value, rtol=0.01, atol=0)


def test_heat_from_gas_is_above_the_stoichiometry_of_combustion():
    factors = load_factors()
    burnt = factors.get("natural-gas-combustion").value + factors.get("natural-gas-upstream").value
    np.testing.assert_allclose(burnt / 0.9, 0.25, rtol=0.01, atol=0)
    np.testing.assert_allclose(
        factors.get("natural-gas-combustion").value, 56.1 * 3.6 / 1000, rtol=1e-3, atol=0
    )


def test_a_recipe_is_the_sum_of_its_ingredients():
    factors = load_factors()
    foil = factors.get("copper-foil")
    copper, grid = factors.get("copper-cathode"), factors.get("electricity", "CN")
    np.testing.assert_allclose(foil.value, copper.value + 8.3 * grid.value, rtol=1e-14, atol=0)
    np.testing.assert_allclose(foil.low, copper.low + 8.3 * grid.low, rtol=1e-14, atol=0)
    assert foil.certainty == "prior"
    assert foil.lineage == "Ember/OWID + engineering judgement"


@pytest.mark.parametrize("product", sorted(load_factors().recipes))
def test_every_recipe_can_be_summed_and_states_its_sources(product):
    factors = load_factors()
    total = factors.get(product)
    assert 0 < total.low <= total.value <= total.high
    for ingredient in factors.recipes[product]:
        assert ingredient.source
        assert ingredient.certainty in CERTAINTIES
        electricity = ingredient.input == "electricity"
        assert ingredient.unit == ("kWh kg-1" if electricity else "1")


def test_a_user_replaces_rows_and_recipes_one_by_one(tmp_path):
    path = write(
        tmp_path,
        "name,region,value,low,high,unit,source\n"
        "nmc811,,10,8,12,kg kg-1,my supplier\n"
        "copper-foil,,5,,,kg kg-1,my supplier\n"
        "electricity,FR,0.02,,,kg kWh-1,my contract\n"
        "electricity,Nowhere,0.3,,,kg kWh-1,my contract\n",
    )
    own, shipped = load_factors(path), load_factors()
    assert own.get("nmc811").value == 10
    assert own.get("nmc811").high == 12
    assert own.get("nmc811").certainty == "user"
    assert own.get("nmc811").lineage == "user (own.csv)"
    assert own.get("copper-foil").value == 5
    assert own.get("electricity", "FR").value == 0.02
    assert "Nowhere" in own.sites()
    assert own.get("lfp") == shipped.get("lfp")
    assert own.get("electricity", "DE") == shipped.get("electricity", "DE")


def test_freight_to_a_site_of_the_user(tmp_path):
    path = write(
        tmp_path, "name,region,value,unit,source\ninbound-freight,FR,0.2,kg kg-1,by rail\n"
    )
    own = load_factors(path)
    assert own.get("inbound-freight", "FR").value == 0.2
    assert own.get("inbound-freight", "DE") == load_factors().get("inbound-freight")


def test_an_ingredient_of_the_user_changes_the_product(tmp_path):
    path = write(tmp_path, HEADER + "graphite-synthetic,4.9,kg kg-1,my supplier\n")
    own = load_factors(path)
    np.testing.assert_allclose(own.get("graphite-siox").value, 0.9 * 4.9 + 0.1 * 20, rtol=1e-14)
    assert own.get("graphite-siox").certainty == "prior"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name,valeu,unit,source\n", r"unknown key 'valeu'; did you mean 'value'"),
        ("name,value,unit\nx,1,kg kg-1\n", r"missing key source"),
        (HEADER + "nmc811,-1,kg kg-1,me\n", r"line 2: value must be .* got -1.0"),
        (HEADER + "nmc811,inf,kg kg-1,me\n", r"line 2: value must be .* got inf"),
        (HEADER + "nmc811,much,kg kg-1,me\n", r"value must be a number as 21.5, got 'much'"),
        (HEADER + "nmc811,1,kg kWh-1,me\n", r"of nmc811, kind material, must be 'kg kg-1', got"),
        ("name;value\nnmc811;2,1\n", r"separated by commas, got semicolons"),
        (HEADER + "nmc811,,kg kg-1,me\n", r"line 2: value must not be empty"),
        (HEADER + "nmc811,1,kg kg-1\n", r"a row must have 4 fields"),
        (HEADER + "lfp,1,kg kg-1,me\nlfp,2,kg kg-1,me\n", r"line 3: 'lfp' in 'GLO' has a row"),
        (HEADER + "electricity,0.1,kg kWh-1,me\n", r"electricity needs a region"),
        ("name,value,low,unit,source\nlfp,1,2,kg kg-1,me\n", r"low <= value <= high must hold"),
        ("kind,name,value,unit,source\nfood,x,1,kg kg-1,me\n", r"unknown kind of factor 'food'"),
        ("", r"missing key name"),
        (
            "name,region,value,unit,source\nelectricity,FR,56,kg kWh-1,me\n",
            r"must be in kg kWh-1 between 0 and 10, got 56.0; did you pass grams",
        ),
        (
            "name,region,value,unit,source\nnmc811,CN,10,kg kg-1,me\n",
            r"line 2: the region of 'nmc811' must be 'GLO', got 'CN'.* leave the region empty",
        ),
        (
            "name,region,value,unit,source\ngraphite-synthetic,QC,10,kg kg-1,me\n",
            r"must be 'CN', got 'QC'",
        ),
        (
            "name,value,unit,source,gwp_set\nlfp,7,kg kg-1,me,AR7\n",
            r"unknown gwp_set in .*line 2: 'AR7'; .*AR6",
        ),
        (
            "name,value,unit,source,year\nlfp,7,kg kg-1,me,2021.5\n",
            r"line 2: year must be a whole number as 2023, or empty, got '2021.5'",
        ),
        (
            "name,value,unit,source,year\nlfp,7,kg kg-1,me,20211\n",
            r"line 2: year must be between 1900 and 2100, got 20211",
        ),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, content, message):
    with pytest.raises(InputError, match=message):
        load_factors(write(tmp_path, content))


def test_a_file_that_is_none_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        load_factors(tmp_path / "missing.csv")
    with pytest.raises(InputError, match="there is no such file"):
        load_factors(tmp_path)
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is not UTF-8 text"):
        load_factors(tmp_path / "binary.csv")
    with pytest.raises(InputError, match="at most 1000000 bytes"):
        load_factors(write(tmp_path, HEADER + "x" * 1_000_001))
    with pytest.raises(InputError, match="path of a CSV file"):
        load_factors(3)


def test_an_unknown_factor_names_the_nearest():
    with pytest.raises(InputError, match=r"unknown emission factor 'nmc812'; .* nmc811"):
        load_factors().get("nmc812")
    with pytest.raises(InputError, match=r"unknown site 'FRA'; the nearest known are FR"):
        load_factors().get("electricity", "FRA")
