"""A ramp: years as a dimension, each as a plant of its own, and the grid by year."""

from __future__ import annotations

import numpy as np
import pytest
from formed_cells import make_formed

import cellmodel as cm
from cellmodel.errors import InputError
from cellmodel.factors import load_factors
from cellmodel.plant import load_plant
from cellmodel.plant_year import plant_balance
from cellmodel.quantity import DATA
from cellmodel.ramp import DEFAULT_RAMP, list_ramps, load_ramp, ramp_up

SITES = ["FR", "PL"]
SMALL = """
title = "Two years"
source = "test"
plant = "gigafactory-16gwh"
years = [2026, 2030]
[fields.throughput]
value = [16, 50]
unit = "GWh a-1"
source = "test"
[grid_target]
year = 2033
share = { value = 0.5, unit = "1", source = "test" }
"""


def small(tmp_path, text=SMALL):
    path = tmp_path / "ramp.toml"
    path.write_text(text)
    return path


def test_ramps_that_come_with_the_package():
    assert list_ramps() == [DEFAULT_RAMP]
    ramp = load_ramp(DEFAULT_RAMP)
    assert load_ramp(ramp) is ramp
    assert ramp.name == DEFAULT_RAMP
    throughput = [entry.value for entry in ramp.fields["throughput"]]
    assert (throughput[0], throughput[-1]) == (16, 50)
    for entries in ramp.fields.values():
        assert len(entries) == len(ramp.years)
        for entry in entries:
            assert entry.source
            assert entry.certainty
            assert entry.low <= entry.value <= entry.high
    assert ramp.grid_share.low < ramp.grid_share.value < ramp.grid_share.high


def test_the_ramp_begins_and_ends_at_the_shipped_plants():
    """Its fixed loads; in its last year also the yields, but for those that no field sets."""
    ramp = load_ramp(DEFAULT_RAMP)
    for year, plant in ((0, "gigafactory-16gwh"), (-1, "gigafactory-50gwh")):
        own = load_plant(plant).values()
        for field, entries in ramp.fields.items():
            if field.endswith("power") or (year == -1 and field != "throughput"):
                np.testing.assert_allclose(entries[year].value, own[field], rtol=1e-12, atol=0)


def test_fixed_loads_follow_the_stated_law():
    ramp = load_ramp(DEFAULT_RAMP)
    for field, entries in ramp.fields.items():
        if field.endswith("power"):
            for capacity, entry in zip(ramp.fields["throughput"], entries, strict=True):
                law = entries[0].value * (capacity.value / 16) ** 0.8
                np.testing.assert_allclose(entry.value, law, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("year", range(7))
def test_every_year_is_a_plant_of_its_own(year):
    ramp = load_ramp(DEFAULT_RAMP)
    grown = ramp_up(make_formed(), ramp)
    own = {field: entries[year].value for field, entries in ramp.fields.items()}
    plant = ramp.plant.replace(**own)
    together, alone = plant_balance(grown, sites=SITES), plant_balance(make_formed(), plant, SITES)
    assert together["annual_output"].dims == ("year",)
    for name in alone:
        if name != "annual_plant_emissions":  # the grid has changed
            np.testing.assert_allclose(
                together[name].isel(year=year), alone[name], rtol=1e-12, atol=0
            )
    each, single = cm.footprint(grown, sites=SITES), cm.footprint(make_formed(), plant, SITES)
    assert each["carbon_footprint"].dims == ("stage", "component", "site", "year")
    for name in ("material_input", "plant_electricity", "plant_yield"):
        np.testing.assert_allclose(each[name].isel(year=year), single[name], rtol=1e-12, atol=0)
    saved = (single["carbon_footprint_total"] - each["carbon_footprint_total"].isel(year=year)).sel(
        site=SITES
    )
    present = np.array([load_factors().get("electricity", site).value for site in SITES])
    less = present - grown["grid_intensity"].sel(site=SITES).isel(year=year).values
    np.testing.assert_allclose(saved, less * float(single["plant_electricity"]), rtol=1e-9, atol=0)


def test_a_new_module_costs_before_it_delivers():
    """Energy per kWh rises in the year in which capacity is added, and falls over all years."""
    result = plant_balance(ramp_up(make_formed()))
    per_kwh = (result["annual_electricity"] + result["annual_heat"]) / result["annual_output"]
    assert float(per_kwh.sel(year=2028)) > float(per_kwh.sel(year=2027))
    assert float(per_kwh.sel(year=2026)) == float(per_kwh.max())
    assert float(per_kwh.sel(year=2032)) == float(per_kwh.min())
    assert bool((result["annual_output"].diff("year") > 0).all())


def test_the_grid_is_a_straight_line_from_the_shipped_value_to_the_target(tmp_path):
    """Factors are of 2023: 2026 and 2030 are 3 and 7 of the 10 years to half."""
    grown = ramp_up(make_formed(), small(tmp_path))
    present = load_factors().get("electricity", "DE")
    assert present.year == "2023"
    np.testing.assert_allclose(
        grown["grid_intensity"].sel(site="DE"),
        present.value * np.array([0.85, 0.65]),
        rtol=1e-12,
        atol=0,
    )
    assert grown["grid_intensity"].attrs["units"] == "kg kWh-1"
    assert set(grown["site"].values) == set(load_factors().sites())


def test_own_grid_figures_take_the_place_of_the_target(tmp_path):
    own = (
        SMALL
        + """
[grid.DE]
2026 = { value = 0.3, unit = "kg kWh-1", source = "contract" }
2030 = { value = 0.1, unit = "kg kWh-1", source = "contract" }
[grid.FR]
2033 = { value = 0.006, unit = "kg kWh-1", source = "plan" }
"""
    )
    intensity = ramp_up(make_formed(), small(tmp_path, own))["grid_intensity"]
    np.testing.assert_allclose(intensity.sel(site="DE"), [0.3, 0.1], rtol=1e-12, atol=0)
    np.testing.assert_allclose(
        intensity.sel(site="FR"), [0.056 - 0.05 * 0.3, 0.056 - 0.05 * 0.7], rtol=1e-12, atol=0
    )


def test_after_the_target_the_grid_stays(tmp_path):
    ramp = load_ramp(small(tmp_path, SMALL.replace("[2026, 2030]", "[2033, 2040]")))
    np.testing.assert_allclose(ramp.grid_intensity("DE", 0.4, 2023), [0.2, 0.2], rtol=1e-12, atol=0)
    # a present value of the target's year or later has the change behind it
    np.testing.assert_allclose(ramp.grid_intensity("DE", 0.4, 2035), [0.4, 0.4], rtol=1e-12, atol=0)


def test_own_present_factors_without_a_year_count_for_the_first(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("name,region,value,unit,source\nelectricity,FR,0.7,kg kWh-1,meter\n")
    grown = ramp_up(make_formed(), small(tmp_path), path)
    expected = [0.7, 0.7 - 0.35 * 4 / 7]
    np.testing.assert_allclose(grown["grid_intensity"].sel(site="FR"), expected, rtol=1e-12, atol=0)


def test_other_electricity_than_the_ramp_began_with_is_refused(tmp_path):
    """It would not count: the ramp's intensities take its place."""
    path = tmp_path / "mine.csv"
    path.write_text("name,region,value,unit,source\nelectricity,FR,0.7,kg kWh-1,meter\n")
    own, shipped = ramp_up(make_formed(), factors=path), ramp_up(make_formed())
    for count in (cm.footprint, plant_balance, cm.footprint_uncertainty):
        with pytest.raises(InputError, match=r"factors have 0\.7 .* in FR, .* began with 0\.056; "):
            count(shipped, sites=["PL", "FR"], factors=path)
        with pytest.raises(InputError, match=r"factors have 0\.056 .* in FR, .* began with 0\.7; "):
            count(own.sel(year=[2026]), sites=["FR"])
        count(shipped, sites=["PL"], factors=path)  # nothing is ignored there
    more = cm.footprint(own, sites=["FR"], factors=path)["carbon_footprint_total"]
    less = cm.footprint(shipped, sites=["FR"])["carbon_footprint_total"]
    assert bool((more > less).all())


@pytest.mark.parametrize("efficiency", [0.7, 0.86, 0.93])
def test_fixed_loads_of_every_year_are_those_of_the_ramp(efficiency):
    ramp = load_ramp(DEFAULT_RAMP)
    formed = make_formed().assign(first_cycle_efficiency=efficiency)
    year = plant_balance(ramp_up(formed, ramp), ramp.plant, SITES)
    for share, total, field in (
        ("electricity_share", "annual_electricity", "dry_room_power"),
        ("heat_share", "annual_heat", "dry_room_heat_power"),
    ):
        power = year[share].sel(step="dry_room") * year[total] * 1000 / 8400
        stated = [entry.value for entry in ramp.fields[field]]
        np.testing.assert_allclose(power, stated, rtol=1e-12, atol=0)


def test_sweeps_and_years_broadcast():
    grown = ramp_up(make_formed(coating_heat=("coating_heat", [8.0, 9.0])))
    result = cm.footprint(grown, sites=SITES)
    assert result["carbon_footprint_total"].sizes == {"site": 2, "coating_heat": 2, "year": 7}
    assert list(result["year"].values) == list(range(2026, 2033))
    np.testing.assert_allclose(
        result["carbon_footprint"].sum(["stage", "component"]),
        result["carbon_footprint_total"],
        rtol=1e-12,
        atol=0,
    )


def test_years_are_not_set_twice():
    formed = make_formed()
    with pytest.raises(InputError, match=r"must not have year, grid_intensity, throughput"):
        ramp_up(ramp_up(formed))
    with pytest.raises(InputError, match=r"must not have utilisation already; ramp 'ramp-16"):
        ramp_up(make_formed(utilisation=("utilisation", [0.5, 0.9])))
    with pytest.raises(InputError, match="formed must be a Dataset"):
        ramp_up([1, 2])


def test_a_ramp_of_fields_that_the_plant_lacks_is_refused(tmp_path):
    content = (DATA / "plants" / "gigafactory-16gwh.toml").read_text()
    own = tmp_path / "own.toml"
    own.write_text(content.replace('name = "coating"', 'name = "extruding"'))
    text = SMALL.replace('"gigafactory-16gwh"', f'"{own}"')
    text += '[fields.extruding_yield]\nvalue = [0.9, 0.95]\nunit = "1"\nsource = "test"\n'
    grown = ramp_up(make_formed(), small(tmp_path, text))
    assert plant_balance(grown, own)["annual_output"].sizes == {"year": 2}
    with pytest.raises(InputError, match=r"unknown field of plant 'gigafactory-16gwh'.*'extruding"):
        plant_balance(grown, "gigafactory-16gwh")


def test_a_grid_intensity_without_sites_is_refused():
    for wrong in (0.3, ("year", [0.3, 0.2])):
        formed = make_formed().assign_coords(grid_intensity=wrong)
        for count in (cm.footprint, plant_balance):
            with pytest.raises(InputError, match=r"grid_intensity must have the dimension site .*"):
                count(formed)


def test_a_site_without_grid_intensity_is_named():
    grown = ramp_up(make_formed()).sel(site=["FR", "PL"])
    with pytest.raises(InputError, match=r"whose grid intensity formed should have: 'CN'"):
        cm.footprint(grown, sites=["FR", "CN"])
    negative = grown.assign_coords(grid_intensity=-1 * grown["grid_intensity"])
    with pytest.raises(InputError, match=r"grid_intensity must be in kg kWh-1 between 0 and 10"):
        cm.footprint(negative, sites=["FR"])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[2026, 2030]", "[2030, 2026]", r"years must rise, got \[2030, 2026\]"),
        ("[2026, 2030]", "[]", r"years must be a list of calendar years"),
        ("[2026, 2030]", "[26, 30]", r"years must be between 1990 and 2100, got 26"),
        ("[2026, 2030]", "[2026.5, 2030]", r"years must be a whole year, got 2026.5"),
        ("value = [16, 50]", "value = [16]", r"throughput.value must be a list of 2 numbers"),
        ("value = [16, 50]", "value = 16", r"throughput.value must be a list of 2 numbers"),
        ("value = [16, 50]", "value = [16, -1]", r"throughput.value must be in GWh a-1 above 0"),
        ('unit = "GWh a-1"', 'unit = "MWh a-1"', r"the unit must be 'GWh a-1'"),
        ("[fields.throughput]", "[fields.thruput]", r"unknown key 'thruput'; did you mean"),
        ('plant = "gigafactory-16gwh"', 'plant = "mill"', r"unknown plant 'mill'"),
        ("value = 0.5", "value = 50", r"share.value must be between 0 and 10.*per cent"),
        ("year = 2033\n", "", r"\[grid_target\]: missing key year"),
        (
            "[grid_target]",
            '[grid.XX]\n2030 = {value = 1, unit = "1", source = "x"}\n[grid_target]',
            r"unknown site in .* 'XX'",
        ),
        (
            "[grid_target]",
            '[grid.FR]\n2030 = {value = 56, unit = "kg kWh-1", source = "x"}\n[grid_target]',
            r"FR 2030.value must be in kg kWh-1 between 0 and 10, got 56.0; did you pass grams",
        ),
        ("[grid_target]", "[grid]\nFR = 3\n[grid_target]", r"FR must be a table of years, got 3"),
        (
            "[grid_target]",
            '[grid.FR]\nsoon = {value = 1, unit = "kg kWh-1", source = "x"}\n[grid_target]',
            r"FR must be a number, got 'soon'",
        ),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, old, new, message):
    assert old in SMALL
    with pytest.raises(InputError, match=message):
        load_ramp(small(tmp_path, SMALL.replace(old, new)))


def test_an_unknown_ramp_names_the_nearest():
    with pytest.raises(InputError, match=r"unknown ramp 'ramp-16'; .*ramp-16-to-50gwh"):
        load_ramp("ramp-16")
