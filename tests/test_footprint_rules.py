"""The footprint by several rule sets: dimensions, sums, limits, and what is refused."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import xarray as xr
from test_footprint import MASSES, make_formed

import cellmodel as cm
from cellmodel.errors import InputError
from cellmodel.factors import load_factors
from cellmodel.footprint import STAGES

RAW, MAKING, DISTRIBUTION, END = STAGES
ALL = cm.list_rules()
TOTALS = ("carbon_footprint_total", "carbon_footprint_to_gate")


def with_life(formed, delivered=16.0):
    return formed.assign(delivered_energy=xr.DataArray(delivered, attrs={"units": "kW h"}))


@pytest.fixture(scope="module")
def every():
    energy = xr.DataArray([16.0, 17.0, 18.0], dims="case")
    formed = with_life(make_formed(energy=energy))
    return formed, cm.footprint(formed, rules=ALL, recycled_content={"nickel-sulphate": 0.2})


def test_rule_sets_are_a_dimension_that_names_their_kwh(every):
    _, result = every
    assert result["carbon_footprint"].dims == ("rule_set", "stage", "component", "site", "case")
    assert result["carbon_footprint_total"].dims == ("rule_set", "site", "case")
    assert list(result["rule_set"].values) == ALL
    units = result["functional_unit"].to_series()
    assert units["capacity-cff"] == "capacity"
    assert units["eu-draft-2024"] == "energy delivered over the warranty"
    assert units["delivered-cutoff"] == "energy delivered over the simulated life"
    for name in (*TOTALS, "carbon_footprint"):
        assert result[name].attrs["units"] == "kg kWh-1"
        assert "(GWP100) per kWh of the functional unit" in result[name].attrs["long_name"]
    for name in ("material_input", "plant_electricity", "formation_channels"):
        assert "rule_set" not in result[name].dims
    assert json.loads(result.attrs["rules"])["eu-draft-2024"][2] == "draft"


def test_stages_sum_to_the_total_in_every_rule_set(every):
    _, result = every
    detail = result["carbon_footprint"]
    np.testing.assert_allclose(
        detail.sum(["stage", "component"]), result["carbon_footprint_total"], rtol=1e-12, atol=0
    )
    np.testing.assert_allclose(
        detail.sel(stage=[RAW, MAKING]).sum(["stage", "component"]),
        result["carbon_footprint_to_gate"],
        rtol=1e-12,
        atol=0,
    )


def test_all_variants_are_dimensions_of_one_result():
    """Stage, component, site, year, rule set and a sweep in one call; each case is one alone."""
    formed = make_formed(energy=xr.DataArray([16.0, 18.0], dims="case"))
    sites, rules = ["FR", "DE", "PL"], ["capacity-cff", "capacity-market", "eu-draft-2024"]
    choices = {"recycled_content": {"nickel-sulphate": 0.2}, "waste_loop": "annex-xii-2031"}
    grown = cm.ramp_up(formed)
    result = cm.footprint(grown, sites=sites, rules=rules, **choices)
    detail = result["carbon_footprint"]
    sizes = {"rule_set": 3, "stage": 4, "site": 3, "case": 2, "year": 7}
    assert {dim: detail.sizes[dim] for dim in sizes} == sizes
    assert set(detail.dims) == {*sizes, "component"}
    total = result["carbon_footprint_total"]
    summed = detail.sum(["stage", "component"]).transpose(*total.dims)
    np.testing.assert_allclose(summed, total, rtol=1e-12, atol=0)
    point = {"case": 1, "year": 4}
    alone = cm.footprint(grown.isel(point), sites=["PL"], rules="eu-draft-2024", **choices)
    np.testing.assert_allclose(
        total.isel(point).sel(site="PL", rule_set="eu-draft-2024"),
        alone["carbon_footprint_total"].squeeze(),
        rtol=1e-12,
        atol=0,
    )


@pytest.mark.parametrize("name", ALL)
def test_each_rule_set_is_what_it_is_alone(every, name):
    formed, result = every
    one = cm.footprint(formed, rules=name, recycled_content={"nickel-sulphate": 0.2})
    assert "rule_set" not in one.dims
    assert "functional_unit" not in one.coords
    assert one.attrs["rule_set"] == name
    for total in TOTALS:
        np.testing.assert_allclose(one[total], result[total].sel(rule_set=name), rtol=1e-13, atol=0)
    alone = one["carbon_footprint"].reindex_like(result["component"], fill_value=0.0)
    np.testing.assert_allclose(
        alone, result["carbon_footprint"].sel(rule_set=name), rtol=1e-13, atol=0
    )


def test_the_default_is_cut_off_per_kwh_of_capacity():
    default, named = (
        cm.footprint(make_formed()),
        cm.footprint(make_formed(), rules=["capacity-cutoff"]),
    )
    xr.testing.assert_equal(
        default["carbon_footprint"],
        named["carbon_footprint"].squeeze("rule_set", drop=True),
    )
    assert default.attrs["electricity"] == "location-based"
    assert default.attrs["recycling"] == "cut-off"
    assert default.attrs["functional_unit"] == "capacity"
    assert "kWh of capacity" in default["carbon_footprint_total"].attrs["long_name"]
    assert "recycling_credit" not in default["component"]


def test_per_kwh_over_the_warranty():
    """By definition: that per kWh of capacity / (usable share * cycles per year * years)."""
    formed = make_formed()
    capacity = cm.footprint(formed, rules="capacity-cff")
    draft = cm.load_rules("eu-draft-2024")
    for rules in (draft, draft.replace(vehicle_class="M3", warranty=4)):
        result = cm.footprint(formed, rules=rules)
        np.testing.assert_allclose(
            result["carbon_footprint"] * rules.deliveries(),
            capacity["carbon_footprint"],
            rtol=1e-13,
            atol=0,
        )
        words = result["carbon_footprint"].attrs["long_name"]
        assert "per kWh of energy delivered over the warranty" in words


def test_per_kwh_over_the_simulated_life():
    """By definition: kg per kWh of capacity * kWh of capacity / kWh delivered, case by case."""
    delivered = xr.DataArray([8.0, 16.0, 32.0], dims="case", attrs={"units": "kW h"})
    formed = make_formed(energy=xr.DataArray([16.0, 17.0, 18.0], dims="case"))
    formed = formed.assign(delivered_energy=delivered)
    capacity = cm.footprint(formed)["carbon_footprint_total"]
    result = cm.footprint(formed, rules="delivered-cutoff")["carbon_footprint_total"]
    np.testing.assert_allclose(
        result, capacity * formed["nominal_energy"] / 1000 / delivered, rtol=1e-13, atol=0
    )


def test_life_that_only_some_dimension_knows():
    formed = make_formed().assign(delivered_energy=xr.DataArray([10.0, 20.0], dims="protocol"))
    total = cm.footprint(formed, rules="delivered-cutoff", sites=["FR"])["carbon_footprint_total"]
    assert total.dims == ("site", "protocol")
    np.testing.assert_allclose(total[0, 0], 2 * total[0, 1], rtol=1e-13, atol=0)


def test_delivered_energy_is_checked():
    formed = make_formed()
    with pytest.raises(InputError, match=r"'delivered-cutoff': formed must have delivered_energy"):
        cm.footprint(formed, rules="delivered-cutoff")
    with pytest.raises(InputError, match=r"delivered_energy must be above 0 kWh, got -1"):
        cm.footprint(with_life(formed, -1.0), rules="delivered-cutoff")
    wrong = formed.assign(delivered_energy=xr.DataArray(9.0, attrs={"units": "W h"}))
    with pytest.raises(InputError, match=r"delivered_energy must be in 'kW h' per cell, got 'W h'"):
        cm.footprint(wrong, rules="delivered-cutoff")


def test_a_life_that_is_not_known_is_said(every):
    """simulate_cycling gives NaN if the threshold is not reached; an endless life is no number."""
    formed = make_formed().assign(delivered_energy=("protocol", [10.0, np.nan, np.nan]))
    result = cm.footprint(formed, rules=["capacity-cff", "delivered-cutoff"], sites=["FR"])
    assert result.attrs["note"] == (
        "delivered_energy is NaN in 2 of 3 cases: no footprint by delivered-cutoff"
    )
    assert "note" not in cm.footprint(formed, rules="capacity-cff").attrs
    assert "note" not in every[1].attrs
    endless = with_life(make_formed(), np.inf)
    with pytest.raises(InputError, match=r"delivered_energy must be finite .*, got inf; "):
        cm.footprint(endless, rules="delivered-cutoff")


def test_the_three_ways_to_recycle_as_closed_forms():
    """Copper of the negative foil and the salts of NMC811, by hand."""
    rules = ["capacity-cutoff", "capacity-cff", "capacity-avoided"]
    result = cm.footprint(make_formed(), sites=["DE"], rules=rules)["carbon_footprint"]
    result = result.squeeze("site")
    credit = result.sel(stage=END, component="recycling_credit")
    factors = load_factors()

    def saved(name):
        return factors.get(name).value - factors.get(f"{name}-recycled").value

    masses = MASSES["nmc811-graphite-siox"]
    expected = -masses[6] * 0.9 * saved("copper-cathode")
    for name, amount, recovery in (
        ("nickel-sulphate", 2.161, 0.9),
        ("cobalt-sulphate", 0.289, 0.9),
        ("lithium-hydroxide", 0.431, 0.5),
    ):
        expected -= masses[0] * amount * recovery * saved(name)
    np.testing.assert_allclose(credit, [0, 0.8 * expected, expected], rtol=1e-12, atol=0)
    others = result.drop_sel(component=["recycling_credit", "energy_recovery", "disposal"])
    np.testing.assert_allclose(others, others.isel(rule_set=[0, 0, 0]), rtol=1e-13, atol=0)


def test_recycled_content_earns_all_a_fifth_or_nothing():
    """With A = 0.2 recycled input earns a fifth of its benefit; scrap takes its share of it."""
    rules = ["capacity-cutoff", "capacity-cff", "capacity-avoided"]
    options = {"sites": ["FR"], "rules": rules}
    primary = cm.footprint(make_formed(), **options)
    recycled = cm.footprint(make_formed(), recycled_content={"nickel-sulphate": 0.5}, **options)
    saved = (primary["carbon_footprint"] - recycled["carbon_footprint"]).squeeze("site")
    cathode = saved.sel(stage=RAW, component="positive_active_material")
    factors = load_factors()
    difference = (
        factors.get("nickel-sulphate").value - factors.get("nickel-sulphate-recycled").value
    )
    bought = float(primary["material_input"].sel(component="positive_active_material"))
    full = bought * 2.161 * 0.5 * difference
    np.testing.assert_allclose(cathode, [full, 0.2 * full, 0], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(saved.sum(["stage", "component"]), cathode, rtol=1e-9, atol=1e-12)


def test_market_based_electricity(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(
        "name,region,value,unit,source\nelectricity-contract,FR,0.01,kg kWh-1,contract\n"
        "electricity-residual,FR,0.11,kg kWh-1,residual\n"
    )
    result = cm.footprint(
        make_formed(),
        sites=["FR", "PL"],
        factors=path,
        rules=["capacity-cutoff", "capacity-market"],
        onsite_share={"FR": 0.25},
        contract_share={"FR": 0.5},
    )
    used = result["plant_electricity"].item()
    parts = result["carbon_footprint"].sel(
        stage=MAKING, component=["electricity", "formation_electricity"]
    )
    grid = parts.sum("component") / used
    roof = 0.25 * load_factors().get("electricity-onsite").value
    expected = {
        ("capacity-cutoff", "FR"): roof + 0.75 * load_factors().get("electricity", "FR").value,
        ("capacity-market", "FR"): roof + 0.75 * 0.5 * (0.01 + 0.11),
        ("capacity-market", "PL"): load_factors().get("electricity", "PL").value,
    }
    for (rules, site), value in expected.items():
        np.testing.assert_allclose(grid.sel(rule_set=rules, site=site), value, rtol=1e-12, atol=0)
    assert result.attrs["national_mix_for_residual"] == "PL"
    assert result.attrs["electricity"] == "location-based; market-based"


def test_a_ramp_replaces_the_national_mix_and_nothing_else():
    intensity = xr.DataArray(
        [[0.05, 0.01], [0.6, 0.3]],
        dims=("site", "year"),
        coords={"site": ["FR", "CN"], "year": [2026, 2035]},
    )
    formed = make_formed().assign_coords(grid_intensity=intensity)
    rules = ["capacity-cutoff", "capacity-market"]
    result = cm.footprint(formed, sites=["CN", "FR"], rules=rules, onsite_share=0.2)
    used = result["plant_electricity"].item()
    parts = result["carbon_footprint"].sel(component=["electricity", "formation_electricity"])
    grid = parts.sum(["component", "stage"]) / used
    expected = 0.2 * load_factors().get("electricity-onsite").value + 0.8 * intensity
    for name in rules:
        found = grid.sel(rule_set=name)
        np.testing.assert_allclose(
            found, expected.sel(site=["CN", "FR"]).transpose(*found.dims), rtol=1e-12, atol=0
        )
    stated = json.loads(result.attrs["factors"])
    assert stated["electricity FR, of the plant"] == ["ramp", "kg kWh-1", "by the ramp"]
    assert "electricity FR" not in stated
    raw = result["carbon_footprint"].sel(stage=RAW, site="FR", rule_set=rules[0])
    assert float(np.ptp(raw.sum("component").values)) == 0  # foil made on today's grid
    with pytest.raises(InputError, match="grid_intensity of a ramp, which no factor holds"):
        cm.foreground(formed.isel(year=0), sites=["FR"])


def test_sampled_factors_are_counted_sample_by_sample():
    """A factor may be an array over samples: as if each sample were counted alone."""
    factors = load_factors()
    keys = [("nickel-sulphate", "GLO"), ("electricity", "FR"), ("nmc811", "GLO")]
    draws = {
        key: xr.DataArray(factors.rows[key].value * np.array([0.9, 1, 1.2]), dims="sample")
        for key in keys
    }

    def having(value):
        rows = {key: dataclasses.replace(factors.rows[key], value=value(key)) for key in keys}
        return dataclasses.replace(factors, rows={**factors.rows, **rows})

    options = {
        "sites": ["FR", "DE"],
        "rules": ["capacity-cff", "eu-draft-2024"],
        "recycled_content": {"nickel-sulphate": 0.3},
    }
    sampled = cm.footprint(make_formed(), factors=having(draws.get), **options)
    for i in range(3):
        alone = having(lambda key, i=i: float(draws[key][i]))
        one = cm.footprint(make_formed(), factors=alone, **options)
        np.testing.assert_allclose(
            sampled["carbon_footprint"].isel(sample=i), one["carbon_footprint"], rtol=1e-13, atol=0
        )
    assert json.loads(sampled.attrs["factors"])["nmc811 GLO"][0] == "sampled"


def test_the_cut_off_criterion_leaves_small_components_out():
    """Below 1 % of the mass: separator and the negative filler of this cell."""
    rules = cm.load_rules("capacity-cutoff").replace(cutoff_criterion=0.01)
    all_in, cut = cm.footprint(make_formed()), cm.footprint(make_formed(), rules=rules)
    raw = cut["carbon_footprint"].sel(stage=RAW)
    masses = np.array(MASSES["nmc811-graphite-siox"])
    small = raw["component"].values[: masses.size][masses / masses.sum() < 0.01]
    assert list(small) == ["negative_filler", "separator"]
    assert float(np.abs(raw.sel(component=small)).max()) == 0
    touched = [*small, "inbound_freight"]
    others = all_in["carbon_footprint"].drop_sel(component=touched)
    np.testing.assert_allclose(
        cut["carbon_footprint"].drop_sel(component=touched), others, rtol=1e-13, atol=0
    )
    freight = [
        one["carbon_footprint"].sel(stage=RAW, component="inbound_freight") for one in (cut, all_in)
    ]
    bought = all_in["material_input"]
    left = 1 - float(bought.sel(component=small).sum() / bought.sum())
    np.testing.assert_allclose(freight[0], left * freight[1], rtol=1e-13, atol=0)
    xr.testing.assert_equal(cut["material_input"], all_in["material_input"])


@pytest.mark.parametrize("method", ["cff", "avoided"])
def test_what_is_cut_off_has_no_end_of_life(method):
    """As a cell without its foils, but for the whole cell's treatment and transport."""
    foils = ["negative_foil", "positive_foil"]
    formed = make_formed()
    masses = dict(zip(formed["component"].values, MASSES["nmc811-graphite-siox"], strict=True))
    largest = max(masses[foil] for foil in foils) / sum(masses.values())
    rules = cm.load_rules(f"capacity-{method}").replace(cutoff_criterion=1.001 * largest)
    small = [name for name in masses if masses[name] <= max(masses[foil] for foil in foils)]
    result = cm.footprint(formed, sites=["FR"], rules=rules)
    assert f"below the cut-off criterion: {', '.join(small)}" in result.attrs["not_counted"]
    assert "cut-off criterion" not in cm.footprint(formed, sites=["FR"]).attrs["not_counted"]
    bare = formed["component_mass"].where(~formed["component"].isin(small), 0.0)
    without = cm.footprint(
        formed.assign(component_mass=bare), sites=["FR"], rules=f"capacity-{method}"
    )
    ends = ["recycling_credit", "energy_recovery", "disposal"]
    found, expected = (
        one["carbon_footprint"].sel(stage=END, component=ends) for one in (result, without)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=0)
    assert float(expected.sel(component="recycling_credit").squeeze()) < -0.5


def test_a_component_is_cut_off_case_by_case():
    """A separator of 0.9 and of 1.1 % of the mass."""
    formed = make_formed()
    mass = formed["component_mass"]
    rest = mass.drop_sel(component="separator").sum()
    of_case = xr.DataArray([0.009, 0.011], dims="case") / [0.991, 0.989] * rest
    formed = formed.assign(component_mass=mass.where(mass["component"] != "separator", of_case))
    rules = cm.load_rules("capacity-cutoff").replace(cutoff_criterion=0.01)
    result = cm.footprint(formed, sites=["FR"], rules=rules)
    raw = result["carbon_footprint"].sel(stage=RAW, component="separator").squeeze()
    assert raw[0] == 0 < raw[1]
    assert "criterion: negative_filler, separator" in result.attrs["not_counted"]


def test_failed_cases_stay_nan_in_every_rule_set():
    status = xr.DataArray(np.array([0, 3], dtype=np.int8), dims="case")
    formed = make_formed(energy=xr.DataArray([18.0, np.nan], dims="case"), status=status)
    rules = [cm.load_rules(name).replace(cutoff_criterion=0.01) for name in ALL]
    result = cm.footprint(with_life(formed), rules=rules)
    for name in (*TOTALS, "carbon_footprint"):
        assert bool(result[name].isel(case=1).isnull().all())
        assert bool(result[name].isel(case=0).notnull().all())


def test_mixtures_are_refused_when_asked(tmp_path):
    with pytest.raises(InputError, match=r"'capacity-cutoff' is strict: factors of . lineages are"):
        cm.footprint(make_formed(), strict=True)
    strict = cm.load_rules("capacity-cutoff").replace(strict=True)
    with pytest.raises(InputError, match=r"Ember/OWID: .*electricity CN"):
        cm.footprint(make_formed(), rules=[strict])
    rows = json.loads(cm.footprint(make_formed(), sites=["FR"]).attrs["factors"])
    lines = ["kind,name,region,value,unit,source,gwp_set,lineage"]
    for key, (value, unit, _) in rows.items():
        name, region = key.split()
        kind = load_factors().get(name, region).kind
        lines.append(f"{kind},{name},{region},{value},{unit},me,AR6,mine")
    path = tmp_path / "own.csv"
    path.write_text("\n".join(lines))
    own = cm.footprint(make_formed(), sites=["FR"], factors=path, rules=strict)
    assert own.attrs["mixed"] == ""
    assert own.attrs["factor_lineages"] == "mine"
    np.testing.assert_allclose(
        own["carbon_footprint_total"],
        cm.footprint(make_formed(), sites=["FR"])["carbon_footprint_total"],
        rtol=1e-12,
        atol=0,
    )
    older = strict.replace(characterisation="AR5")
    with pytest.raises(InputError, match=rf"strict: {len(rows)} factors are not of AR5"):
        cm.footprint(make_formed(), sites=["FR"], factors=path, rules=older)
    path.write_text("\n".join(lines).replace("me,AR6", "me,AR5", 1))
    with pytest.raises(InputError, match=r"factors of 2 GWP sets are added"):
        cm.footprint(make_formed(), sites=["FR"], factors=path, rules=strict)


def test_a_credit_larger_than_the_factor_is_refused(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("name,value,unit,source\nnmc811,3,kg kg-1,me\n")
    with pytest.raises(InputError, match=r"saves 5\.01 kg per kg of 'nmc811', more than its whole"):
        cm.footprint(make_formed(), factors=path, recycled_content={"nickel-sulphate": 1})


def test_wrong_rules_and_contents_are_refused():
    formed = make_formed()
    for rules, message in (
        ([], "rules must name at least one rule set"),
        (3, "rules must be a rule set, its name, or several of them, got 3"),
        ([3], "a rule set is loaded by name or path, got 3"),
        (["capacity-cff", "capacity-cff"], "rules must differ from each other in name"),
        ("capacity", "unknown rule set 'capacity'"),
    ):
        with pytest.raises(InputError, match=message):
            cm.footprint(formed, rules=rules)
    with pytest.raises(InputError, match=r"lithium-carbonate has no effect: none of the materials"):
        cm.footprint(formed, recycled_content={"lithium-carbonate": 0.2})
    with pytest.raises(InputError, match=r"steel-nickel-plated' must be 0 .* no emission factor"):
        cm.footprint(formed, recycled_content={"steel-nickel-plated": 0.2})
