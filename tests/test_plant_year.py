"""A plant's year: channels, power, energy, emissions, shares of the steps."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
from formed_cells import make_formed

import cellmodel as cm
from cellmodel.errors import InputError
from cellmodel.factors import load_factors
from cellmodel.plant import load_plant, started
from cellmodel.plant_year import plant_balance

PLANT = "gigafactory-16gwh"


def test_a_year_by_hand():
    """16 GWh a year at 85 % of cells of 18 W h, 30 h each, 0.985^2 of those formed are good."""
    year = plant_balance(make_formed(formation=0.9))
    formed = 16e9 * 0.85 / 18 / 0.985**2
    expected = {
        "annual_output": 13.6,
        "formation_channels": formed * 30 / 8400,
        "formation_channels_needed": formed * 30 / 8400 / 0.85,
        "annual_formation_electricity": formed * 18 * 0.9 / 1e6,
        "formation_average_power": formed * 18 * 0.9 / 1e6 / 8400,
    }
    for name, value in expected.items():
        np.testing.assert_allclose(year[name], value, rtol=1e-12, atol=0)
    assert year["formation_average_power"].attrs["units"] == "MW"
    assert "formation_peak_power" not in year  # no equipment was named


@pytest.mark.parametrize("utilisation", [0.5, 0.85, 1.0])
@pytest.mark.parametrize("efficiency", [0.6, 0.72, 0.87, 0.91])
def test_fixed_loads_are_the_stated_power_whatever_the_cells(efficiency, utilisation):
    """Dry room 6.5 MW of electricity and 8.1 MW of heat while the plant runs, 8400 h a year."""
    plant = load_plant(PLANT).replace(utilisation=utilisation)
    formed = make_formed(energy=18.0 * efficiency / 0.87)
    year = plant_balance(formed.assign(first_cycle_efficiency=efficiency), plant)
    for share, total, stated in (
        ("electricity_share", "annual_electricity", 6.5),
        ("heat_share", "annual_heat", 8.1),
    ):
        power = year[share].sel(step="dry_room") * year[total] * 1000 / 8400
        np.testing.assert_allclose(power, stated, rtol=1e-12, atol=0)
    # a cell that keeps less is one cell all the same: as many, and fewer GWh
    usual = plant_balance(make_formed(), plant)
    for name, ratio in (
        ("formation_channels", 1.0),
        ("formation_channels_needed", 1.0),
        ("annual_heat", 1.0),
        ("annual_output", efficiency / 0.87),
        ("annual_formation_electricity", efficiency / 0.87),  # 1 kWh per kWh of the cell
    ):
        np.testing.assert_allclose(year[name], ratio * usual[name], rtol=1e-12, atol=0)
    channels = cm.footprint(formed.assign(first_cycle_efficiency=efficiency), plant)
    np.testing.assert_allclose(
        channels["formation_channels"], year["formation_channels"], rtol=1e-12, atol=0
    )


@pytest.mark.parametrize("name", cm.list_plants())
@pytest.mark.parametrize("source", ["gas", "heat_pump", "electric"])
def test_the_year_is_the_footprint_times_the_output(name, source):
    plant = load_plant(name).replace(heat_source=source)
    formed = make_formed(first_cycle_efficiency=0.0).drop_vars("first_cycle_efficiency")
    formed = formed.assign(first_cycle_efficiency=xr.DataArray(0.84))
    year, each = plant_balance(formed, plant), cm.footprint(formed, plant)
    output = year["annual_output"]
    for total, specific in (
        ("annual_electricity", "plant_electricity"),
        ("annual_heat", "plant_heat"),
    ):
        np.testing.assert_allclose(year[total], output * each[specific], rtol=1e-12, atol=0)
    of_energy = (
        each["carbon_footprint"]
        .sel(stage="main product production")
        .sel(component=["electricity", "formation_electricity", "heat"])
        .sum("component")
    )
    np.testing.assert_allclose(
        year["annual_plant_emissions"], of_energy * output * 1000, rtol=1e-12, atol=0
    )


@pytest.mark.parametrize("name", cm.list_plants())
@pytest.mark.parametrize("source", ["gas", "heat_pump", "electric"])
def test_shares_of_the_steps_add_up(name, source):
    year = plant_balance(make_formed(), load_plant(name).replace(heat_source=source))
    for share in ("electricity_share", "heat_share"):
        assert year[share].dims == ("step",)
        np.testing.assert_allclose(year[share].sum(), 1, rtol=1e-14, atol=0)
        assert float(year[share].min()) >= 0
    np.testing.assert_allclose(
        year["electricity_share"].sel(step="formation"),
        year["annual_formation_electricity"] / year["annual_electricity"] / 1000,
        rtol=1e-12,
        atol=0,
    )


def test_share_of_one_step_by_hand():
    """Coating: 4 kWh of electricity and 9 of heat per kWh that enters, of what all steps take."""
    formed, plant = make_formed(), load_plant(PLANT)
    year, entering = plant_balance(formed, plant), started(plant, plant.values())["coating"]
    heat = year["annual_heat"] / year["annual_output"]
    np.testing.assert_allclose(
        year["heat_share"].sel(step="coating"), 9 * entering / heat, rtol=1e-12, atol=0
    )
    electric = plant_balance(formed, plant.replace(heat_source="electric"))
    np.testing.assert_allclose(
        electric["electricity_share"].sel(step="coating"),
        13 * entering / (electric["annual_electricity"] / electric["annual_output"]),
        rtol=1e-12,
        atol=0,
    )


def test_drying_takes_the_share_that_others_find():
    """Drying about 39 % of the energy (Bryntesen et al. 2021, Energies 14, 1406)."""
    year = plant_balance(make_formed(formation=2.0))
    energy = (
        year["electricity_share"] * year["annual_electricity"]
        + year["heat_share"] * year["annual_heat"]
    )
    drying = energy.sel(step=["coating", "vacuum_drying"]).sum() / energy.sum()
    np.testing.assert_allclose(drying, 0.39, rtol=0.2, atol=0)


def test_a_plant_without_heat_has_no_shares_of_it():
    plant = load_plant(PLANT)
    zero = {name: 0.0 for name in plant.quantities if name.endswith(("_heat", "_heat_power"))}
    year = plant_balance(make_formed(), plant.replace(**zero))
    assert float(year["annual_heat"]) == 0
    np.testing.assert_array_equal(year["heat_share"], 0.0)
    np.testing.assert_allclose(year["electricity_share"].sum(), 1, rtol=1e-14, atol=0)


def test_peak_of_formation_by_hand():
    """An ideal channel draws what the cell takes: 2 x 1.2 x 18 W h in 22 h, and 1.8 W h in 30 h
    to temper it."""
    ideal = cm.load_equipment("regenerative-cycler").replace(
        no_load_loss=0, charge_efficiency=1, standby=0
    )
    year = plant_balance(make_formed(), equipment=ideal)
    each = 2 * 1.2 * 18 / 22 + 1.8 / 30
    np.testing.assert_allclose(
        year["formation_peak_power"],
        year["formation_channels_needed"] * each / 1e6,
        rtol=1e-12,
        atol=0,
    )
    lossy = plant_balance(make_formed(), equipment=ideal.replace(charge_efficiency=0.8))
    charging = (lossy - year)["formation_peak_power"] * 1e6 / year["formation_channels_needed"]
    np.testing.assert_allclose(charging, 2 * 1.2 * 18 / 22 / 0.8 * 0.2, rtol=1e-9, atol=0)


def test_equipment_is_the_one_that_formed_names_and_its_swept_fields_count():
    formed = make_formed(standby=("standby", [0.0, 0.05]))
    named = plant_balance(formed.assign_attrs(equipment="regenerative-cycler"))
    given = plant_balance(formed, equipment="regenerative-cycler")
    xr.testing.assert_identical(named, given)
    base = cm.load_equipment("regenerative-cycler")
    for i, standby in enumerate((0.0, 0.05)):
        single = plant_balance(make_formed(), equipment=base.replace(standby=standby))
        np.testing.assert_allclose(
            single["formation_peak_power"],
            given["formation_peak_power"].isel(standby=i),
            rtol=1e-13,
            atol=0,
        )
    with pytest.raises(InputError, match=r"'my-cycler'; .*pass its file: equipment="):
        plant_balance(formed.assign_attrs(equipment="my-cycler"))


def test_the_pilot_line_has_linear_cyclers():
    assert load_plant("pilot-line").equipment == "laboratory-cycler"
    assert cm.load_equipment(load_plant("pilot-line").equipment).recovered == 0
    own = plant_balance(make_formed(), "pilot-line", equipment="laboratory-cycler")
    assert "note" not in own.attrs
    other = plant_balance(make_formed(), "pilot-line", equipment="regenerative-cycler")
    assert other.attrs["note"] == (
        "formed with regenerative-cycler; pilot-line forms with laboratory-cycler"
    )
    for name in cm.list_plants():
        assert load_plant(name).equipment in cm.list_equipment()


def test_sweeps_broadcast_and_failed_cases_are_nan():
    status = xr.DataArray(np.array([0, 3, 0], dtype=np.int8), dims="case")
    formed = make_formed(
        energy=xr.DataArray([18.0, np.nan, 17.0], dims="case"),
        status=status,
        utilisation=("utilisation", [0.5, 0.9]),
        coating_heat=("utilisation", [9.0, 8.0]),
    )
    year = plant_balance(formed, equipment="regenerative-cycler")
    for name, array in year.data_vars.items():
        assert bool(array.isel(case=1).isnull().all()), name
        assert bool(array.isel(case=[0, 2]).notnull().all()), name
    single = plant_balance(
        make_formed(energy=17.0),
        load_plant(PLANT).replace(utilisation=0.9, coating_heat=8.0),
        equipment="regenerative-cycler",
    )
    for name in single:
        np.testing.assert_allclose(
            year[name].isel(case=2, utilisation=1), single[name], rtol=1e-12, atol=0
        )


def test_own_factors_count(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("name,region,value,unit,source\nelectricity,FR,0.5,kg kWh-1,meter\n")
    own, usual = plant_balance(make_formed(), factors=path), plant_balance(make_formed())
    more = 0.5 - load_factors().get("electricity", "FR").value
    np.testing.assert_allclose(
        (own - usual)["annual_plant_emissions"].sel(site="FR"),
        more * usual["annual_electricity"] * 1000,
        rtol=1e-9,
        atol=0,
    )


def test_factors_and_their_mixture_are_said_as_in_the_footprint():
    year, each = plant_balance(make_formed(), sites=["FR"]), cm.footprint(make_formed())
    stated = json.loads(year.attrs["factors"])
    names = {"electricity FR", "natural-gas-combustion GLO", "natural-gas-upstream GLO"}
    assert set(stated) == names
    assert stated == {name: json.loads(each.attrs["factors"])[name] for name in names}
    assert year.attrs["factor_lineages"] == "Ember/OWID; IPCC; engineering judgement"
    assert year.attrs["gwp_sets"] == "CO2 only; not stated"
    assert "factors of 3 lineages are added" in year.attrs["mixed"]
    with pytest.raises(InputError, match=r"is strict: factors of 3 lineages .* IPCC: natural-gas"):
        plant_balance(make_formed(), sites=["FR"], strict=True)


def test_strict_allows_factors_of_one_family(tmp_path):
    path = tmp_path / "mine.csv"
    rows = [
        f"{name},{region},0.2,kg kWh-1,meter,AR6,mine\n"
        for name, region in (
            ("electricity", "FR"),
            ("natural-gas-combustion", ""),
            ("natural-gas-upstream", ""),
        )
    ]
    path.write_text("name,region,value,unit,source,gwp_set,lineage\n" + "".join(rows))
    year = plant_balance(make_formed(), sites=["FR"], factors=path, strict=True)
    assert (year.attrs["mixed"], year.attrs["factor_lineages"]) == ("", "mine")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"energy": 0.0}, r"nominal_energy must be above 0, got 0"),
        ({"formation": -0.1}, r"formation_energy must be at least 0, got -1.8"),
        ({"formation_yield": 1.2}, r"formation_yield must be between 0.05 and 1, got 1.2"),
        ({"dry_room_power": -1.0}, r"dry_room_power must be in MW between 0 and 10000, got -1.0"),
        ({"coating_heat": -1.0}, r"coating_heat must be between 0 and 1000, got -1.0"),
        ({"formation_yield": 1e-6}, r"formation_yield must be between 0.05 and 1, got 1e-06"),
    ],
)
def test_impossible_numbers_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        plant_balance(make_formed(**changes))


@pytest.mark.parametrize(
    "name", ["formation_time", "chamber_energy", "charge_energy", "charge_time"]
)
def test_negative_times_and_energies_are_refused(name):
    formed = make_formed()
    with pytest.raises(InputError, match=rf"formed: {name} must be at least 0, got -"):
        plant_balance(formed.assign({name: -1 * formed[name]}))


def test_unknown_names_are_refused():
    formed = make_formed()
    with pytest.raises(InputError, match=r"unknown site 'XX'"):
        plant_balance(formed, sites=["FR", "XX"])
    with pytest.raises(InputError, match="sites must name at least one"):
        plant_balance(formed, sites=[])
    with pytest.raises(InputError, match="sites must differ"):
        plant_balance(formed, sites=["FR", "FR"])
    with pytest.raises(InputError, match=r"formed lacks formation_time"):
        plant_balance(formed.drop_vars("formation_time"))
    with pytest.raises(InputError, match="formed must be a Dataset"):
        plant_balance({"nominal_energy": 18})
    with pytest.raises(InputError, match="charge_time must be at least 0"):
        plant_balance(
            formed.assign(charge_time=-1 * formed["charge_time"]), equipment="laboratory-cycler"
        )
