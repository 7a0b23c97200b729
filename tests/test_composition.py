"""Compositions: formulas, mixtures, and files that are wrong."""

from __future__ import annotations

import numpy as np
import pytest

import cellmodel as cm
from cellmodel.composition import ATOMIC_WEIGHTS, METALS, load_compositions, mass_shares
from cellmodel.errors import InputError
from cellmodel.materials import bill_of_materials


def test_mass_shares_of_a_formula_by_hand():
    shares = mass_shares("LiFePO4")
    total = 6.94 + 55.845 + 30.974 + 4 * 15.999
    np.testing.assert_allclose(shares["Fe"], 55.845 / total, rtol=1e-14, atol=0)
    np.testing.assert_allclose(sum(shares.values()), 1, rtol=1e-14, atol=0)
    assert list(shares) == ["Li", "Fe", "P", "O"]


def test_molar_masses_are_those_that_are_known():
    """NMC811 97.28, LiFePO4 157.76, LiPF6 151.90, Li2CO3 73.89 g per mol."""
    for formula, known in (
        ("LiNi0.8Mn0.1Co0.1O2", 97.28),
        ("LiFePO4", 157.76),
        ("LiPF6", 151.90),
        ("Li2CO3", 73.89),
    ):
        element, atoms = "Li", 2 if formula == "Li2CO3" else 1
        molar = atoms * ATOMIC_WEIGHTS[element] / mass_shares(formula)[element]
        np.testing.assert_allclose(molar, known, rtol=2e-4, atol=0)


def test_elements_that_come_twice_add_up():
    assert mass_shares("LiOLi")["Li"] == mass_shares("Li2O")["Li"]


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("LiXx", r"unknown element in the formula 'LiXx': 'Xx'"),
        ("(Li)2O", r"a formula must be symbols with numbers of atoms.*got '\(Li\)2O'"),
        ("", r"a formula must be symbols"),
        ("lithium", r"a formula must be symbols"),
        ("Li0O", r"atoms of Li in 'Li0O' must be above 0"),
        ("Li2..5O", r"a formula must be symbols"),
    ],
)
def test_what_is_no_formula_is_refused(formula, message):
    with pytest.raises(InputError, match=message):
        mass_shares(formula)


def test_every_material_of_the_shipped_cells_is_known():
    known = load_compositions()
    for name in cm.list_cells():
        for material in bill_of_materials(cm.load_cell(name))["material"].values:
            assert set(known[str(material)]) == set(METALS)
            assert sum(known[str(material)].values()) <= 1 + 1e-12
    assert known["graphite-siox"]["graphite"] == 0.9  # from the recipe of its emission factor
    np.testing.assert_allclose(
        known["electrolyte-lipf6"]["lithium"], 0.125 * 6.94 / 151.902, rtol=1e-5, atol=0
    )
    assert known["pouch-laminate"]["aluminium"] == 0.55
    assert known["carbon-black"]["graphite"] == 0  # carbon, but no graphite


def test_a_sodium_cell_holds_sodium_and_vanadium_and_none_of_the_metals_of_others():
    """Na3V2(PO4)2F3 has 417.8 g per mol, NaPF6 167.95."""
    known = load_compositions()
    for metal, grams in (("sodium", 3 * 22.990), ("vanadium", 2 * 50.942), ("phosphorus", 61.948)):
        np.testing.assert_allclose(known["nvpf"][metal], grams / 417.79, rtol=1e-4, atol=0)
    np.testing.assert_allclose(
        known["electrolyte-napf6"]["sodium"], 0.14 * 22.990 / 167.95, rtol=1e-4, atol=0
    )
    np.testing.assert_allclose(
        known["electrolyte-napf6"]["phosphorus"], 0.14 * 30.974 / 167.95, rtol=1e-4, atol=0
    )
    bought = ("nvpf", "hard-carbon", "electrolyte-napf6")
    assert all(known[name][metal] == 0 for name in bought for metal in ("lithium", "nickel"))
    assert known["hard-carbon"]["graphite"] == 0


def test_own_compositions_add_to_the_shipped_ones(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(
        '[lmfp]\nformula = "LiMn0.6Fe0.4PO4"\nsource = "supplier"\n'
        '[lfp]\nmass_shares = { Li = 0.04, Fe = 0.3, P = 0.18 }\nsource = "assay"\n'
    )
    known = load_compositions(path)
    assert known["lfp"]["iron"] == 0.3
    np.testing.assert_allclose(
        known["lmfp"]["manganese"], mass_shares("LiMn0.6Fe0.4PO4")["Mn"], rtol=1e-14, atol=0
    )
    assert "nmc811" in known
    assert load_compositions()["lfp"]["iron"] != 0.3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[x]\nformula = "Li"\n', r"\[x\]: missing key source"),
        ('[x]\nsource = "s"\n', r"\[x\] must have either a formula or mass_shares"),
        (
            '[x]\nformula = "Li"\nmass_shares = {}\nsource = "s"\n',
            r"\[x\] must have either a formula or mass_shares",
        ),
        ('[x]\nmass_shares = { Fe = 98 }\nsource = "s"\n', r"Fe must be between 0 and 1.*per cent"),
        (
            '[x]\nmass_shares = { Fe = 0.98, Ni = 0.03 }\nsource = "s"\n',
            r"must add up to at most 1, got 1.01",
        ),
        ('[x]\nmass_shares = { Iron = 0.9 }\nsource = "s"\n', r"unknown key 'Iron'"),
        ('[x]\nformula = 3\nsource = "s"\n', r"formula must be a non-empty string, got 3"),
        ('x = "Li"\n', r"\[x\] must be a table, got 'Li'"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, text, message):
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        load_compositions(path)
