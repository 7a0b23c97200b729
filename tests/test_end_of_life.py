"""Energy recovery and disposal: limit cases of the formula, masses, carbon, and the footprint."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_footprint import MASSES, make_formed

import cellmodel as cm
from cellmodel.circularity import Circularity
from cellmodel.composition import ATOMIC_WEIGHTS, load_compositions, mass_shares
from cellmodel.end_of_life import energy_recovery_shares, waste_flows
from cellmodel.errors import InputError
from cellmodel.factors import load_factors
from cellmodel.footprint import STAGES
from cellmodel.recycling import end_of_life_shares, production_shares

SHARE = st.floats(0, 1)
EV, EREC, EER, ED, HEAT, GRID = 5.30, 2.23, 3.14, 0.009, 0.25, 0.381  # kg per kg or kWh
LHV, X_HEAT, X_ELEC = 43.0, 0.3, 0.12  # MJ kg-1, 1, 1
END = STAGES[-1]


def energy_term(b, r3):
    burnt, heat, electricity = energy_recovery_shares(b, r3, LHV, X_HEAT, X_ELEC)
    return burnt * EER + heat * HEAT + electricity * GRID


def formula(a=0.2, b=0.0, r1=0.0, r2=0.0, r3=0.0, quality=1.0):
    """The whole formula, by the shares of the package."""
    own = Circularity(a, quality, quality, r2, r3)
    primary, recycled = production_shares(a, r1, quality)
    lost, recovered = end_of_life_shares(a, r2, quality)
    material = (primary + lost) * EV + (recycled + recovered) * EREC
    return material + energy_term(b, r3) + own.disposed * ED


@given(a=SHARE, b=SHARE, r1=SHARE, r2=SHARE, burnt=SHARE, quality=SHARE)
def test_the_whole_formula_written_out(a, b, r1, r2, burnt, quality):
    """Recommendation (EU) 2021/2279, Annex I; 3.6 MJ are a kWh."""
    r3 = (1 - r2) * burnt
    expected = (
        (1 - r1) * EV
        + r1 * (a * EREC + (1 - a) * EV * quality)
        + (1 - a) * r2 * (EREC - EV * quality)
        + (1 - b) * r3 * (EER - LHV / 3.6 * X_HEAT * HEAT - LHV / 3.6 * X_ELEC * GRID)
        + (1 - r2 - r3) * ED
    )
    found = formula(a, b, r1, r2, r3, quality)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


@given(a=SHARE, b=SHARE)
def test_nothing_recycled_or_burnt_is_made_and_disposed_of(a, b):
    assert formula(a, b) == EV + ED


@given(a=SHARE)
def test_b_of_one_leaves_all_of_energy_recovery_to_the_user_of_the_energy(a):
    assert energy_term(1.0, 1.0) == 0
    assert formula(a, b=1.0, r3=1.0) == EV


@given(r3=SHARE)
def test_b_of_zero_counts_all_of_it(r3):
    expected = r3 * (EER - 43.0 / 3.6 * (0.3 * 0.25 + 0.12 * 0.381))
    np.testing.assert_allclose(energy_term(0.0, r3), expected, rtol=1e-13, atol=1e-15)


@given(r3=SHARE, b=SHARE)
def test_a_of_one_and_of_zero_are_the_same_for_what_is_burnt_and_disposed_of(r3, b):
    """A is about recycling: cut-off and avoided burden differ only where something is recycled."""
    assert formula(1.0, b, r3=r3) == formula(0.0, b, r3=r3)


@given(a=SHARE)
def test_all_recovered_leaves_nothing_to_dispose_of(a):
    expected = EV + (1 - a) * (EREC - EV)
    np.testing.assert_allclose(formula(a, r2=1.0), expected, rtol=1e-13, atol=0)


@given(r2=SHARE)
def test_all_recovered_or_burnt_leaves_nothing_to_dispose_of(r2):
    np.testing.assert_allclose(Circularity(0, 1, 1, r2, 1 - r2).disposed, 0, atol=2e-16)


def test_more_than_everything_is_refused():
    with pytest.raises(InputError, match=r"R2 \+ R3\) must be at most 1, got 0.9 \+ 0.2: what"):
        Circularity(0.2, 1.0, 1.0, 0.9, 0.2)


def recovered_mass(material, factors, rules):
    """kg of a kg that is recovered, walking down what is contained."""
    parts = factors.contents.get(material, ())
    rest = 1 - sum(part.contained for part in parts)
    return rest * rules.circular(material).recovery + sum(
        part.contained * recovered_mass(part.input, factors, rules) for part in parts
    )


def materials():
    cells = [cm.load_cell(name) for name in cm.list_cells()]
    return sorted({x for cell in cells for x in cell.materials.values() if isinstance(x, str)})


@pytest.mark.parametrize("method", ["capacity-cff", "capacity-avoided"])
@pytest.mark.parametrize("material", materials())
def test_every_kilogram_ends_once(material, method):
    """Recovered, burnt or disposed of: mass balance of whatever shipped cells are made of."""
    factors, rules = load_factors(), cm.load_rules(method)
    ends = waste_flows(material, factors, rules)
    burnt = sum(x for (name, _), x in ends["energy_recovery"].items() if name.endswith("-burnt"))
    total = burnt + sum(ends["disposal"].values()) + recovered_mass(material, factors, rules)
    np.testing.assert_allclose(total, 1, rtol=1e-12, atol=0)


def test_what_an_input_brings_is_what_the_product_holds():
    """Metal of the salts by stoichiometry; all of a mixture, without what is cut off."""
    factors, known = load_factors(), load_compositions()
    for product, parts in factors.contents.items():
        if product in factors.recipes:
            np.testing.assert_allclose(sum(p.contained for p in parts), 1, rtol=1e-12, atol=0)
            continue
        for part in parts:
            metal = {"ni": "nickel", "co": "cobalt", "li": "lithium"}[part.input[:2]]
            np.testing.assert_allclose(part.contained, known[product][metal], rtol=2e-3, atol=0)


CARBONATES = ("C3H4O3", "C3H6O3", "C4H8O3")


@pytest.mark.parametrize(
    ("name", "formulas", "hydrogen_fluoride"),
    [
        ("polypropylene", ("CH2",), 0),
        ("organic-carbonates", CARBONATES, 0),
        ("pvdf", ("C2H2F2",), 2),
        ("graphite-synthetic", ("C",), 0),
        ("graphite-natural", ("C",), 0),
        ("carbon-black", ("C",), 0),
    ],
)
def test_burning_is_stoichiometric(name, formulas, hydrogen_fluoride):
    """CO2 from the carbon; heat within 7 % of 13.1 MJ per kg of oxygen (Huggett 1980)."""
    weight = ATOMIC_WEIGHTS
    carbon_dioxide, oxygen = [], []
    for formula_of_one in formulas:
        shares = mass_shares(formula_of_one)
        moles = {symbol: share / weight[symbol] for symbol, share in shares.items()}
        acid = moles.get("F", 0.0) if hydrogen_fluoride else 0.0
        carbon_dioxide.append(moles["C"] * (weight["C"] + 2 * weight["O"]))
        atoms = 2 * moles["C"] + (moles.get("H", 0.0) - acid) / 2 - moles.get("O", 0.0)
        oxygen.append(atoms * weight["O"])
    found = load_factors().get(f"{name}-burnt")
    np.testing.assert_allclose(found.value, np.mean(carbon_dioxide), rtol=5e-3, atol=0)
    assert found.certainty == "derived"
    heat = cm.load_rules("capacity-cff").circularity[name].lower_heating_value
    np.testing.assert_allclose(heat, 13.1 * np.mean(oxygen), rtol=0.07, atol=0)


def test_the_incinerator_recovers():
    """Directive 2008/98/EC, Annex II: at least 0.6 by 2.6 and 1.1, losses of 3 %."""
    at = cm.load_rules("capacity-cff").circularity["polypropylene"].incinerator
    assert 2.6 * at.electricity_efficiency + 1.1 * at.heat_efficiency >= 0.6 * 0.97


def test_cut_off_counts_neither():
    for material in materials():
        ends = waste_flows(material, load_factors(), cm.load_rules("capacity-cutoff"))
        assert ends == {"energy_recovery": {}, "disposal": {}}


def test_a_material_without_parameters_is_disposed_of():
    ends = waste_flows("nvpf", load_factors(), cm.load_rules("capacity-cff"))
    assert ends == {"energy_recovery": {}, "disposal": {("landfill", "GLO"): 1.0}}


def footprint_of_ends(rules="capacity-cff", **options):
    result = cm.footprint(make_formed(), sites=["FR"], rules=rules, **options)
    return result["carbon_footprint"].sel(stage=END, site="FR")


def test_the_separator_and_the_solvent_by_hand():
    """0.9 of the film without its trim, all of the solvent; gas at 0.9 and Germany's mix saved."""
    ends, factors = footprint_of_ends(), load_factors()
    masses = MASSES["nmc811-graphite-siox"]
    gas = sum(factors.get(f"natural-gas-{part}").value for part in ("combustion", "upstream"))
    saved = (0.3 * gas / 0.9 + 0.12 * factors.get("electricity", "DE").value) / 3.6
    film = masses[5] * 0.9 * (factors.get("polypropylene-burnt").value - 43 * saved)
    solvent = masses[4] * 0.875 * (factors.get("organic-carbonates-burnt").value - 15 * saved)
    np.testing.assert_allclose(
        ends.sel(component="energy_recovery"), film + solvent, rtol=1e-12, atol=0
    )
    kept = masses[0] * (0.9 * (0.4827 + 0.0606) + 0.5 * 0.0713) + 0.9 * masses[6]
    left = sum(masses) - kept - 0.9 * masses[5] - 0.875 * masses[4]
    landfill = factors.get("landfill").value
    np.testing.assert_allclose(ends.sel(component="disposal"), left * landfill, rtol=1e-12, atol=0)


def test_graphite_that_is_burnt_counts_its_carbon():
    """All graphite burnt: 3.66 kg of CO2 per kg less what its heat displaces, and no landfill."""
    rules, factors = cm.load_rules("capacity-cff"), load_factors()
    graphite = rules.circularity["graphite-synthetic"]
    burnt = dataclasses.replace(
        rules,
        circularity={
            **rules.circularity,
            "graphite-synthetic": dataclasses.replace(graphite, energy_recovery=1.0),
        },
    )
    change = (footprint_of_ends(burnt) - footprint_of_ends()).sum("component")
    gas = sum(factors.get(f"natural-gas-{part}").value for part in ("combustion", "upstream"))
    saved = (0.3 * gas / 0.9 + 0.12 * factors.get("electricity", "DE").value) * 32.8 / 3.6
    mass = 0.9 * MASSES["nmc811-graphite-siox"][2]
    expected = mass * (3.66 - saved - factors.get("landfill").value)
    np.testing.assert_allclose(change, expected, rtol=1e-12, atol=0)


def test_a_user_replaces_factors_and_must_have_those_of_what_is_burnt(tmp_path):
    own = tmp_path / "own.csv"
    own.write_text("name,value,unit,source\nlandfill,0.0178,kg kg-1,me\n")
    twice = footprint_of_ends(factors=own).sel(component="disposal")
    once = footprint_of_ends().sel(component="disposal")
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-12, atol=0)
    rules = cm.load_rules("capacity-cff")
    steel = dataclasses.replace(rules.circularity["polypropylene"], energy_recovery=0.5)
    wrong = dataclasses.replace(
        rules, circularity={**rules.circularity, "steel-nickel-plated": steel}
    )
    with pytest.raises(InputError, match=r"of 'steel-nickel-plated' must be 0 .* 'steel-nickel-pl"):
        footprint_of_ends(wrong)


TABLE = """
title = "Ours"
source = "we"
disposal = "landfill"
[incinerator]
allocation = { value = 1, unit = "1", source = "we" }
heat_efficiency = { value = 0.3, unit = "1", source = "we" }
electricity_efficiency = { value = 0.12, unit = "1", source = "we" }
boiler_efficiency = { value = 0.9, unit = "1", source = "we" }
region = "DE"
[class.plastics]
allocation = { value = 0.5, unit = "1", source = "we" }
quality_in = { value = 1, unit = "1", source = "we" }
quality_out = { value = 1, unit = "1", source = "we" }
[material.polypropylene]
class = "plastics"
recovery = { value = 0.3, unit = "1", source = "we" }
energy_recovery = { value = 0.7, unit = "1", source = "we" }
lower_heating_value = { value = 43, unit = "MJ kg-1", source = "we" }
"""
RULES = """
title = "Ours"
source = "we"
version = "1"
status = "own proposal"
published = 2026-01-31
checked = 2026-02-01
functional_unit = "capacity"
recycling = "cff"
circularity = "TABLE"
electricity = "location"
cutoff_criterion = { value = 0, unit = "1", source = "we" }
"""


def own_rules(folder, table):
    (folder / "table.toml").write_text(table)
    path = folder / "rules.toml"
    path.write_text(RULES.replace("TABLE", (folder / "table.toml").as_posix()))
    return cm.load_rules(path)


def test_b_of_one_in_an_own_table_and_avoided_burden_which_takes_it_all(tmp_path):
    rules, factors = own_rules(tmp_path, TABLE), load_factors()
    ends = waste_flows("polypropylene", factors, rules)
    assert ends == {"energy_recovery": {}, "disposal": {}}
    avoided = waste_flows("polypropylene", factors, rules.replace(recycling="avoided"))
    assert avoided["energy_recovery"]["polypropylene-burnt", "GLO"] == 0.7
    np.testing.assert_allclose(
        avoided["energy_recovery"]["electricity", "DE"], -0.7 * 43 / 3.6 * 0.12, rtol=1e-14, atol=0
    )


def test_a_material_may_have_a_disposal_of_its_own(tmp_path):
    table = TABLE.replace("value = 0.7", "value = 0.2") + 'disposal = "cell-pretreatment"\n'
    ends = waste_flows("polypropylene", load_factors(), own_rules(tmp_path, table))
    assert list(ends["disposal"]) == [("cell-pretreatment", "GLO")]
    np.testing.assert_allclose(
        ends["disposal"]["cell-pretreatment", "GLO"], 0.5, rtol=1e-15, atol=0
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("value = 0.7", "value = 0.71", r"polypropylene: .*at most 1, got 0.3 \+ 0.71"),
        ('disposal = "landfill"\n', "", r"missing key disposal"),
        ('disposal = "landfill"', "disposal = 1", r"disposal must be a non-empty string"),
        ('"MJ kg-1"', '"kW h kg-1"', r"lower_heating_value: the unit must be 'MJ kg-1'"),
        ("value = 43", "value = 43000", r"lower_heating_value.* did you pass kJ"),
        ("lower_heating_value = {", "lower_heating = {", r"unknown key 'lower_heating'; did you"),
        ("[incinerator]", "[class.incinerator]", r"class incinerator: unknown key"),
        ('region = "DE"\n', "", r"incinerator: missing key region"),
        ("boiler_efficiency = { value = 0.9", "boiler_efficiency = { value = 90", r"per cent"),
    ],
)  # fmt: skip
def test_a_wrong_table_is_refused(tmp_path, old, new, message):
    assert old in TABLE
    with pytest.raises(InputError, match=message):
        own_rules(tmp_path, TABLE.replace(old, new))


def test_what_is_burnt_needs_its_heating_value_and_an_incinerator(tmp_path):
    no_heat = "\n".join(TABLE.splitlines()[:-1])
    with pytest.raises(InputError, match=r"missing key lower_heating_value"):
        own_rules(tmp_path, no_heat)
    before, after = TABLE.split("[incinerator]")
    with pytest.raises(InputError, match=r"energy_recovery needs a table \[incinerator\]"):
        own_rules(tmp_path, before + after[after.index("[class") :])


def test_a_region_without_electricity_is_named(tmp_path):
    rules = own_rules(tmp_path, TABLE.replace('"DE"', '"EU"'))
    with pytest.raises(
        InputError, match=r"unknown region of the incinerator of .*needs elec.*'EU'"
    ):
        waste_flows("polypropylene", load_factors(), rules)


def test_what_counts_is_said():
    for rules, said in (("capacity-cutoff", True), ("capacity-cff", False)):
        words = cm.footprint(make_formed(), sites=["FR"], rules=rules).attrs["not_counted"]
        assert ("energy recovery and final disposal at the end of life" in words) == said
        assert "energy recovery and final disposal of production scrap" in words
