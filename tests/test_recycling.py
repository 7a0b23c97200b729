"""The circular footprint formula: its limit cases, and what recycling changes in a material."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cellmodel as cm
from cellmodel.end_of_life import BURNT
from cellmodel.errors import InputError
from cellmodel.factors import load_factors
from cellmodel.recycling import (
    RECYCLED,
    check_effect,
    check_recycled_content,
    end_of_life_shares,
    production_shares,
    recycled_flows,
)

SHARE = st.floats(0, 1)
PRIMARY, SECONDARY = 5.30, 2.23  # nickel sulphate [kg kg-1]


def formula(a, r1, r2, quality_in=1.0, quality_out=1.0, ev=PRIMARY, erec=SECONDARY):
    """Material part of the formula, by the shares of the package."""
    primary, recycled = production_shares(a, r1, quality_in)
    lost, recovered = end_of_life_shares(a, r2, quality_out)
    return (primary + lost) * ev + (recycled + recovered) * erec


def test_the_worked_example_of_nickel_sulphate():
    """Ev 5.30, Erec 2.23, A 0.2, R1 0.06 -> 5.263."""
    np.testing.assert_allclose(formula(0.2, 0.06, 0.0), 5.263, rtol=1e-4, atol=0)


@given(a=SHARE)
def test_nothing_recycled_is_primary_material(a):
    assert formula(a, 0.0, 0.0) == PRIMARY


@given(r1=SHARE, r2=SHARE, quality=SHARE)
def test_a_of_one_is_cut_off(r1, r2, quality):
    """The user of recycled material has all of its benefit, the end of life earns nothing."""
    expected = (1 - r1) * PRIMARY + r1 * SECONDARY
    np.testing.assert_allclose(formula(1.0, r1, r2, quality, quality), expected, rtol=1e-14, atol=0)


@given(r1=SHARE, r2=SHARE)
def test_a_of_zero_is_avoided_burden(r1, r2):
    """Recycled content earns nothing, the end of life all that it saves others."""
    expected = PRIMARY + r2 * (SECONDARY - PRIMARY)
    np.testing.assert_allclose(formula(0.0, r1, r2), expected, rtol=1e-13, atol=0)


@given(a=SHARE, share=SHARE)
def test_a_closed_loop_of_full_quality_does_not_depend_on_a(a, share):
    """R1 = R2: what one gives away the other gets."""
    expected = (1 - share) * PRIMARY + share * SECONDARY
    np.testing.assert_allclose(formula(a, share, share), expected, rtol=1e-13, atol=0)


@given(a=SHARE, r1=SHARE)
def test_a_is_the_share_of_the_benefit_of_recycled_content(a, r1):
    saved = PRIMARY - formula(a, r1, 0.0)
    np.testing.assert_allclose(saved, a * r1 * (PRIMARY - SECONDARY), rtol=1e-9, atol=1e-14)


@given(a=SHARE, r1=SHARE, r2=SHARE, q=SHARE)
def test_quality_lowers_what_recycled_material_stands_for(a, r1, r2, q):
    """Written out, with both quality ratios."""
    expected = (
        (1 - r1) * PRIMARY
        + r1 * (a * SECONDARY + (1 - a) * PRIMARY * q)
        + (1 - a) * r2 * (SECONDARY - PRIMARY * q)
    )
    np.testing.assert_allclose(formula(a, r1, r2, q, q), expected, rtol=1e-12, atol=1e-13)


def flows(material, rules, content=None, factors=None):
    return recycled_flows(material, factors or load_factors(), cm.load_rules(rules), content or {})


def test_cut_off_without_recycled_content_changes_nothing():
    for material in ("nmc811", "copper-foil", "lfp"):
        found = flows(material, "capacity-cutoff")
        assert (found.production, found.end_of_life) == ({}, {})


@pytest.mark.parametrize(
    ("cathode", "moles", "grams"),
    [("nmc811", 0.8, 97.28), ("nmc622", 0.6, 96.93), ("nmc111", 1 / 3, 96.46), ("nca", 0.8, 96.08)],
)
def test_recycled_nickel_in_a_cathode_is_that_of_its_stoichiometry(cathode, moles, grams):
    """Hydrated nickel sulphate, 262.84 g per mol."""
    found = flows(cathode, "capacity-cutoff", {"nickel-sulphate": 0.3})
    amount = moles * 262.84 / grams
    np.testing.assert_allclose(found.production["nickel-sulphate"], -0.3 * amount, rtol=1e-3)
    np.testing.assert_allclose(
        found.production["nickel-sulphate" + RECYCLED], 0.3 * amount, rtol=1e-3
    )
    assert found.end_of_life == {}


def test_recovered_metals_come_from_recipes_and_contents():
    nickel = flows("nmc811", "capacity-cff").end_of_life
    np.testing.assert_allclose(nickel["nickel-sulphate"], -0.8 * 0.9 * 2.161, rtol=1e-12)
    np.testing.assert_allclose(nickel["lithium-hydroxide-recycled"], 0.8 * 0.5 * 0.431, rtol=1e-12)
    copper = flows("copper-foil", "capacity-avoided").end_of_life
    assert copper == {"copper-cathode": -0.9, "copper-cathode-recycled": 0.9}
    assert flows("graphite-siox", "capacity-cff").end_of_life == {}


def test_every_material_in_the_parameters_is_known():
    names = load_factors().names()
    for name, own in cm.load_rules("capacity-cff").circularity.items():
        assert name in names
        if own.recovery:
            assert name + RECYCLED in names
        if own.lower_heating_value:
            assert name + BURNT in names


@pytest.mark.parametrize("name", ["nickel-sulphate", "cobalt-sulphate", "lithium-carbonate"])
def test_recycled_salts_are_042_of_primary(name):
    """At least 58 % less: Machala et al. 2025, doi 10.1038/s41467-025-56063-x."""
    factors = load_factors()
    ratio = factors.get(name + RECYCLED).value / factors.get(name).value
    np.testing.assert_allclose(ratio, 0.42, rtol=2e-3, atol=0)


def test_contents_hold_the_metal_of_the_formula():
    """Nickel, cobalt and lithium of the salts are those of the cathode, mass balance [g]."""
    grams = {
        "nickel-sulphate": ("Ni", 58.693 / 262.84),
        "cobalt-sulphate": ("Co", 58.933 / 281.10),
        "lithium-hydroxide": ("Li", 6.94 / 41.96),
        "lithium-carbonate": ("Li", 2 * 6.94 / 73.89),
    }
    formulas = {
        "nmc811": ({"Ni": 0.8 * 58.693, "Co": 0.1 * 58.933, "Li": 6.94}, 97.28),
        "nmc532": ({"Ni": 0.5 * 58.693, "Co": 0.2 * 58.933, "Li": 6.94}, 96.55),
        "nmc622": ({"Ni": 0.6 * 58.693, "Co": 0.2 * 58.933, "Li": 6.94}, 96.93),
        "nmc111": ({"Ni": 58.693 / 3, "Co": 58.933 / 3, "Li": 6.94}, 96.46),
        "nca": ({"Ni": 0.8 * 58.693, "Co": 0.15 * 58.933, "Li": 6.94}, 96.08),
        "lfp": ({"Li": 6.94}, 157.76),
    }
    contents = load_factors().contents
    for product, (metals, molar_mass) in formulas.items():
        for part in contents[product]:
            metal, share = grams[part.input]
            expected = metals[metal] / molar_mass
            np.testing.assert_allclose(part.amount * share, expected, rtol=2e-3, atol=0)


def test_a_recipe_that_a_user_replaces_keeps_its_contents(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("name,value,unit,source\ncopper-foil,5,kg kg-1,me\n")
    found = flows("copper-foil", "capacity-cff", factors=load_factors(path))
    np.testing.assert_allclose(found.end_of_life["copper-cathode"], -0.8 * 0.9, rtol=1e-12)


def test_what_cannot_be_recycled_is_named():
    with pytest.raises(
        InputError, match=r"recovery of 'graphite-synthetic' must be 0 .* got a rec"
    ):
        flows("graphite-synthetic", "capacity-cutoff", {"graphite-synthetic": 0.1})
    with pytest.raises(InputError, match=r"no emission factor 'graphite-synthetic-recycled'"):
        flows("graphite-synthetic", "capacity-cff", {"graphite-synthetic": 0.1})
    with pytest.raises(
        InputError, match=r"recycled share of 'lipf6' must be 0 .* no such material"
    ):
        flows("lipf6", "capacity-cff", {"lipf6": 0.1})


def test_nothing_is_recycled_twice(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("name,value,unit,source\nnmc811-recycled,5,kg kg-1,me\n")
    with pytest.raises(InputError, match=r"'nickel-sulphate' is in 'nmc811', which is recycled"):
        flows(
            "nmc811",
            "capacity-cutoff",
            {"nmc811": 0.1, "nickel-sulphate": 0.1},
            load_factors(path),
        )


def test_recycled_content_is_checked():
    factors = load_factors()
    assert check_recycled_content(None, factors) == {}
    with pytest.raises(InputError, match=r"recycled_content must map .* got list"):
        check_recycled_content(["nickel-sulphate"], factors)
    with pytest.raises(
        InputError, match=r"'nickel-sulfate'; the nearest known are nickel-sulphate"
    ):
        check_recycled_content({"nickel-sulfate": 0.1}, factors)
    with pytest.raises(InputError, match=r"nickel-sulphate must be between 0 and 1, got 16"):
        check_recycled_content({"nickel-sulphate": 16}, factors)
    with pytest.raises(InputError, match=r"nickel-sulphate has no effect: none .* lfp contains it"):
        check_effect({"nickel-sulphate": 0.1}, {"lfp"}, factors)
