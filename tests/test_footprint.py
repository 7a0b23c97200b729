"""Footprint: sums, yields, sweeps, failures, and what others publish."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import xarray as xr

import cellmodel as cm
from cellmodel.errors import InputError
from cellmodel.factors import load_factors
from cellmodel.footprint import STAGES
from cellmodel.materials import COMPONENTS, bill_of_materials
from cellmodel.plant import load_plant, started
from cellmodel.variables import label

RAW, MAKING, DISTRIBUTION, END = STAGES
MATERIALS = {
    "nmc811-graphite-siox": [
        "nmc811",
        "filler-pvdf-carbon",
        "graphite-siox",
        "filler-cmc-sbr-carbon",
        "electrolyte-lipf6",
        "separator-polyolefin",
        "copper-foil",
        "aluminium-foil",
        "steel-nickel-plated",
    ],
    "lfp-graphite": [
        "lfp",
        "filler-carbon-rich",
        "graphite-synthetic",
        "filler-cmc-sbr-carbon",
        "electrolyte-lipf6",
        "separator-polyolefin",
        "copper-foil",
        "aluminium-foil",
        "aluminium-foil",
    ],
}
# kg per kWh: the LG M50 of test_materials; an LFP energy cell of 160 Wh per kg, our assumption
MASSES = {
    "nmc811-graphite-siox": [1.36, 0.057, 0.81, 0.025, 0.42, 0.034, 0.305, 0.123, 0.58],
    "lfp-graphite": [2.05, 0.15, 1.0, 0.04, 1.1, 0.1, 0.65, 0.35, 0.45],
}


def make_formed(cell="nmc811-graphite-siox", energy=18.0, formation=1.0, status=0, **coords):
    """What a formation returns: masses of a cell of `energy` W h, `formation` kWh per kWh."""
    energy = xr.DataArray(energy)
    mass = xr.DataArray(
        np.array(MASSES[cell]) * 18.0 / 1000,
        dims="component",
        coords={"component": list(COMPONENTS), "material": ("component", MATERIALS[cell])},
    )
    data = {
        "component_mass": mass,
        "nominal_energy": energy,
        "formation_energy": formation * energy,
        "formation_time": 30.0 + 0 * energy,
        "status": xr.DataArray(status),
    }
    return label(data, coords)


def test_dimensions_units_and_names():
    result = cm.footprint(make_formed())
    assert result["carbon_footprint"].dims == ("stage", "component", "site")
    assert result["carbon_footprint"].attrs["units"] == "kg kWh-1"
    assert "CO2-equivalent (GWP100) per kWh" in result["carbon_footprint"].attrs["long_name"]
    assert list(result["site"].values) == ["FR", "DE", "PL", "CN"]
    assert list(result["stage"].values) == list(STAGES)
    assert result["plant_electricity"].dims == ()
    assert result.attrs["plant"] == "gigafactory-16gwh"


def test_stages_and_components_sum_to_the_total():
    result = cm.footprint(make_formed(energy=xr.DataArray([16.0, 17.0, 18.0], dims="case")))
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
    for name in ("transport", "used_cell_treatment", "electricity", "nowhere"):
        if name in detail["component"]:
            assert (detail.sel(component=name) > 0).sum("stage").max() == 1


def test_materials_are_mass_times_factor_over_yields():
    plant, factors = load_plant("gigafactory-16gwh"), load_factors()
    result = cm.footprint(make_formed(), plant)
    entering = started(plant, plant.values())
    step_of = {part: step.name for step in plant.steps for part in step.adds}
    for i, component in enumerate(COMPONENTS):
        bought = MASSES["nmc811-graphite-siox"][i] * entering[step_of[component]]
        factor = factors.get(MATERIALS["nmc811-graphite-siox"][i]).value
        np.testing.assert_allclose(
            result["material_input"].sel(component=component), bought, rtol=1e-12, atol=0
        )
        np.testing.assert_allclose(
            result["carbon_footprint"].sel(stage=RAW, component=component, site="DE"),
            bought * factor,
            rtol=1e-12,
            atol=0,
        )


def test_materials_come_to_the_plant():
    """All that is bought, by sea to Europe and by lorry within China."""
    result = cm.footprint(make_formed(), sites=["FR", "CN"])
    freight = result["carbon_footprint"].sel(component="inbound_freight")
    assert float(freight.drop_sel(stage=RAW).max()) == 0
    np.testing.assert_allclose(
        freight.sel(stage=RAW) / result["material_input"].sum(), [0.39, 0.09], rtol=1e-12, atol=0
    )


def test_mass_balance_of_scrap():
    """What is bought leaves in good cells or is treated as scrap."""
    result = cm.footprint(make_formed())
    bought = float(result["material_input"].sum())
    contained = sum(MASSES["nmc811-graphite-siox"])
    scrap = result["carbon_footprint"].sel(stage=MAKING, component="scrap_treatment", site="FR")
    treatment = load_factors().get("cell-pretreatment").value
    np.testing.assert_allclose(scrap / treatment, bought - contained, rtol=1e-10, atol=0)


def test_a_better_first_cycle_divides_everything_in_the_cell():
    """All but the plant's energy per kWh is inversely proportional to the kWh of the cell."""
    energy = xr.DataArray([17.0, 18.0], dims="case")
    detail = cm.footprint(make_formed(energy=energy))["carbon_footprint"]
    materials = detail.sel(stage=RAW).sum("component")
    np.testing.assert_allclose(
        materials.isel(case=0) / materials.isel(case=1), 18 / 17, rtol=1e-12, atol=0
    )


def test_one_point_of_first_cycle_efficiency_at_the_cathode_alone():
    """About 0.26 kg per kWh, footprint.md: cathode footprint / efficiency / 100."""
    detail = cm.footprint(make_formed(), sites=["FR"])["carbon_footprint"]
    cathode = float(detail.sel(stage=RAW, component="positive_active_material").squeeze())
    assert 0.2 < cathode / 0.86 / 100 < 0.45


def test_formation_costs_what_was_simulated():
    formation = xr.DataArray([0.5, 1.0, 4.0], dims="equipment")
    result = cm.footprint(make_formed(energy=18.0, formation=formation), sites=["PL"])
    plant, grid = load_plant("gigafactory-16gwh"), load_factors().get("electricity", "PL").value
    formed_per_good = started(plant, plant.values())["formation"]
    part = result["carbon_footprint"].sel(stage=MAKING, component="formation_electricity")
    np.testing.assert_allclose(
        part.squeeze("site"), formation * formed_per_good * grid, rtol=1e-12, atol=0
    )
    share = formation * formed_per_good / result["plant_electricity"]
    np.testing.assert_allclose(
        result["formation_share_of_plant_electricity"], share, rtol=1e-12, atol=0
    )
    assert result["formation_share_of_plant_electricity"].attrs["units"] == "1"


def test_rejected_cells_carry_materials_and_the_energy_of_earlier_steps():
    """Closed form: what enters before formation grows as 1 / yield, what comes later does not."""
    yields = [0.8, 0.9, 1.0]
    result = cm.footprint(make_formed(formation_yield=("formation_yield", yields)), sites=["DE"])
    raw = result["carbon_footprint"].sel(stage=RAW).sum("component").squeeze("site")
    np.testing.assert_allclose(raw * yields, raw[-1].broadcast_like(raw), rtol=1e-12, atol=0)
    plant = load_plant("gigafactory-16gwh")
    for i, value in enumerate(yields):
        single = cm.footprint(make_formed(), plant.replace(formation_yield=value), sites=["DE"])
        np.testing.assert_allclose(
            single["carbon_footprint_total"],
            result["carbon_footprint_total"].isel(formation_yield=i),
            rtol=1e-12,
            atol=0,
        )
    used = result["plant_electricity"].values
    np.testing.assert_allclose(
        (used[0] - used[2]) / (used[1] - used[2]), (1 / 0.8 - 1) / (1 / 0.9 - 1), rtol=1e-9, atol=0
    )


def test_dimensions_of_sweeps_broadcast_and_coordinates_stay():
    formed = make_formed(
        energy=xr.DataArray(np.linspace(15, 19, 6).reshape(2, 3), dims=("rate", "thickness")),
        rate=("rate", [0.1, 0.2]),
        thickness=("thickness", [1.0, 2.0, 3.0]),
        shown=("thickness", [10.0, 20.0, 30.0]),
        utilisation=("utilisation", [0.5, 0.9]),
        heat_pump_cop=3.0,
    )
    result = cm.footprint(formed, sites=["FR", "CN"])
    assert result["carbon_footprint"].dims == (
        "stage",
        "component",
        "site",
        "rate",
        "thickness",
        "utilisation",
    )
    assert result["carbon_footprint_total"].sizes["utilisation"] == 2
    assert list(result["shown"].values) == [10.0, 20.0, 30.0]
    assert float(result["heat_pump_cop"]) == 3.0
    one = cm.footprint(formed.isel(rate=1, thickness=2, utilisation=0), sites=["FR", "CN"])
    np.testing.assert_allclose(
        one["carbon_footprint"],
        result["carbon_footprint"].isel(rate=1, thickness=2, utilisation=0),
        rtol=1e-12,
        atol=0,
    )


def test_several_cells_each_with_their_own_materials():
    names = list(MATERIALS)
    formed = xr.concat(
        [make_formed(name) for name in names],
        xr.DataArray(names, dims="cell", name="cell"),
        coords="different",
        compat="equals",
        data_vars="all",
        join="exact",
    )
    result = cm.footprint(formed)
    for name in names:
        np.testing.assert_allclose(
            result["carbon_footprint"].sel(cell=name),
            cm.footprint(make_formed(name))["carbon_footprint"],
            rtol=1e-12,
            atol=0,
        )


def test_failed_cases_are_nan_and_no_others():
    status = xr.DataArray(np.array([0, 3, 0], dtype=np.int8), dims="case")
    formed = make_formed(energy=xr.DataArray([18.0, np.nan, 17.0], dims="case"), status=status)
    result = cm.footprint(formed)
    for name, array in result.data_vars.items():
        if "case" in array.dims:
            assert bool(array.isel(case=1).isnull().all()), name
            assert bool(array.isel(case=[0, 2]).notnull().all()), name


def test_without_detail_the_totals_are_the_same():
    formed = make_formed(energy=xr.DataArray([16.0, 18.0], dims="case"))
    short, full = cm.footprint(formed, detail=False), cm.footprint(formed)
    assert "carbon_footprint" not in short
    np.testing.assert_allclose(
        short["carbon_footprint_total"], full["carbon_footprint_total"], rtol=1e-12, atol=0
    )


def test_heat_pump_helps_where_electricity_is_clean():
    plant = load_plant("gigafactory-16gwh")
    gas = cm.footprint(make_formed(), plant)["carbon_footprint_total"]
    pump = cm.footprint(make_formed(), plant.replace(heat_source="heat_pump"))
    saved = gas - pump["carbon_footprint_total"]
    assert float(saved.sel(site="FR")) > 3
    assert float(saved.sel(site="PL")) < 1
    assert float(pump["carbon_footprint"].sel(component="heat").sum()) == 0


def test_own_factors_and_what_the_attributes_say(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(
        "name,region,value,unit,source,gwp_set\n"
        "nmc811,,10,kg kg-1,supplier,AR6\nelectricity,FR,0.01,kg kWh-1,contract,AR6\n"
    )
    own, default = cm.footprint(make_formed(), factors=path), cm.footprint(make_formed())
    own_total, total = (one["carbon_footprint_total"].sel(site="FR") for one in (own, default))
    saved = 11 * default["material_input"].sel(component="positive_active_material")
    saved = saved + 0.046 * default["plant_electricity"]
    np.testing.assert_allclose(own_total, total - saved, rtol=1e-12, atol=0)
    assert "user (mine.csv)" in own.attrs["factor_lineages"]
    assert "2 GWP sets are added" in own.attrs["mixed"]
    assert "lineages are added" in default.attrs["mixed"]
    assert json.loads(default.attrs["factors"])["nmc811 GLO"] == [21.0, "kg kg-1", "prior"]
    assert "use phase" in default.attrs["not_counted"]


def test_channels_of_the_plant():
    """16 GWh a year * 0.85 of 18 W h cells, 30 h each of 8400 h, and those that are rejected."""
    channels = cm.footprint(make_formed())["formation_channels"]
    expected = 16e9 * 0.85 / 18 * 30 / 8400 / (0.985 * 0.985)
    np.testing.assert_allclose(channels, expected, rtol=1e-12, atol=0)


# What others publish [kg kWh-1, cradle to gate]; ranges, not targets: no factor was fitted.
def test_nmc811_lies_where_others_find_it():
    """Peiseler et al. 2024 (doi 10.1038/s41467-024-54634-y): 59 / 74 / 115 (5, 50, 95 %)."""
    gate = cm.footprint(make_formed())["carbon_footprint_to_gate"]
    assert float(gate.min()) > 50
    assert float(gate.max()) < 115
    assert 50 < float(gate.sel(site="FR")) < 75


def test_lfp_energy_cell_is_at_the_upper_end_of_what_others_find():
    """Peiseler et al. 2024: 54 / 62 / 69. Ours is inside in France and some 5 kg above their
    95th percentile in China: synthetic graphite and PVDF are taken from recent, high figures.
    """
    gate = cm.footprint(make_formed("lfp-graphite"))["carbon_footprint_to_gate"]
    assert 54 < float(gate.sel(site="FR")) < 69
    assert 69 < float(gate.sel(site="CN")) < 1.1 * 69


# These bounds watch for change: they were set around our own results, not by a publication.
# The LFP cell is far above energy cells (54-69): a power cell of 97 Wh per kg, with 1.7 times the
# mass per kWh of the energy cell assumed above, and nearly twice its copper and aluminium foil.
@pytest.mark.parametrize(
    ("cell", "energy", "low", "high"),
    [
        ("nmc811-graphite-siox", 18.1, 55, 80),
        ("nmc532-graphite", 17.6, 70, 95),
        ("lfp-graphite", 7.3, 85, 120),
    ],
)
def test_shipped_cells(cell, energy, low, high):
    mass = bill_of_materials(cm.load_cell(cell))
    formed = make_formed(energy=energy).drop_vars(["component_mass", "component", "material"])
    gate = cm.footprint(formed.assign(component_mass=mass))["carbon_footprint_to_gate"]
    assert low < float(gate.min()) < float(gate.max()) < high


def test_materials_dominate_in_france():
    """94 % materials in Northvolt's account of a Swedish cell (etn.se); about 90 % expected."""
    result = cm.footprint(make_formed(), sites=["FR"])
    raw = result["carbon_footprint"].sel(stage=RAW).sum("component")
    share = float((raw / result["carbon_footprint_to_gate"]).squeeze())
    assert 0.85 < share < 0.96


def test_the_grid_alone_saves_little():
    """About 13 % between a Chinese and a French site (footprint of the same cell)."""
    gate = cm.footprint(make_formed())["carbon_footprint_to_gate"]
    saved = 1 - float(gate.sel(site="FR") / gate.sel(site="CN"))
    assert 0.08 < saved < 0.2


def test_formation_share_is_computed_and_within_the_literature():
    """0.5 % (Yuan 2017) to 26 % (chart attributed to Degen et al. 2023)."""
    share = float(cm.footprint(make_formed())["formation_share_of_plant_electricity"])
    assert 0.005 < share < 0.26


def test_unknown_names_are_refused():
    formed = make_formed()
    with pytest.raises(InputError, match=r"unknown site 'UK'"):
        cm.footprint(formed, sites=["FR", "UK"])
    with pytest.raises(InputError, match=r"unknown site 'FRA'; the nearest known are FR"):
        cm.footprint(formed, sites="FRA")
    with pytest.raises(InputError, match=r"unknown plant 'gigafactory'"):
        cm.footprint(formed, plant="gigafactory")
    with pytest.raises(InputError, match="sites must name at least one"):
        cm.footprint(formed, sites=[])
    with pytest.raises(InputError, match="sites must differ"):
        cm.footprint(formed, sites=["FR", "FR"])


def test_a_component_without_factor_is_named():
    formed = make_formed()
    names = list(formed["material"].values)
    names[2] = "unobtainium"
    formed = formed.assign_coords(material=("component", names))
    message = r"component 'negative_active_material' has no emission factor: .*'unobtainium'"
    with pytest.raises(InputError, match=message):
        cm.footprint(formed)


def test_a_component_that_never_enters_is_named():
    formed = make_formed()
    formed = formed.assign_coords(component=["wax", *COMPONENTS[1:]])
    with pytest.raises(InputError, match=r"plant 'gigafactory-16gwh': wax must enter at a step"):
        cm.footprint(formed)


def test_a_step_that_adds_what_is_no_component_is_named():
    plant = load_plant("gigafactory-16gwh")
    steps = [
        dataclasses.replace(step, adds=(*step.adds, "electrolite"))
        if step.name == "filling"
        else step
        for step in plant.steps
    ]
    message = (
        r"unknown component .* adds at filling, 'electrolite'; the nearest known are electrolyte"
    )
    with pytest.raises(InputError, match=message):
        cm.footprint(make_formed(), dataclasses.replace(plant, steps=tuple(steps)))


@pytest.mark.parametrize("efficiency", [-0.1, 0.0, 1.2, 86.0])
def test_a_first_cycle_efficiency_that_cannot_be_is_refused(efficiency):
    formed = make_formed().assign(first_cycle_efficiency=efficiency)
    with pytest.raises(InputError, match=r"first_cycle_efficiency must be above 0 and at most 1"):
        cm.footprint(formed)


def test_swept_plant_fields_are_checked():
    formed = make_formed(formation_yield=("formation_yield", [0.9, 1.1]))
    with pytest.raises(InputError, match=r"formation_yield must be between 0.05 and 1, got 1.1"):
        cm.footprint(formed)
    plant = load_plant("gigafactory-16gwh")
    fewer = {name: q for name, q in plant.quantities.items() if name != "coating_heat"}
    other = type(plant)("own", "t", "s", "gas", plant.steps, fewer)
    with pytest.raises(InputError, match=r"unknown field of plant 'own', swept in formed: 'coat"):
        cm.footprint(make_formed(coating_heat=5.0), other)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("formation_energy", np.inf),
        ("formation_energy", np.nan),
        ("nominal_energy", np.nan),
        ("nominal_energy", np.inf),
        ("formation_time", np.nan),
        ("first_cycle_efficiency", np.nan),
    ],
)
def test_what_is_not_finite_in_a_solved_case_is_refused(name, value):
    """The second case failed, and may hold anything; the third says that it was solved."""
    energy = xr.DataArray(np.array([18.0, np.nan, 18.0]), dims="case")
    status = xr.DataArray(np.array([0, 2, 0], dtype=np.int8), dims="case")
    formed = make_formed(energy=energy, status=status, rate=("case", [0.05, 0.1, 0.2]))
    formed["first_cycle_efficiency"] = 0.9 + 0 * energy
    fine = cm.footprint(formed)["carbon_footprint_total"]
    assert fine.notnull().all("site").values.tolist() == [True, False, True]
    wrong = formed[name].copy(data=[*formed[name].values[:2], value])
    message = rf"formed: {name} must be finite in a case .* got {value} at case = 2; drop the case"
    with pytest.raises(InputError, match=message):
        cm.footprint(formed.assign({name: wrong}))
    by_rate = formed.assign({name: wrong}).swap_dims(case="rate")
    with pytest.raises(InputError, match=rf"got {value} at rate = 0\.2; "):
        cm.footprint(by_rate)


def test_masses_are_finite_and_times_not_negative():
    formed = make_formed()
    mass = formed["component_mass"].copy()
    mass.loc["separator"] = np.nan
    with pytest.raises(InputError, match=r"component_mass must be finite .* component = separator"):
        cm.footprint(formed.assign(component_mass=mass))
    with pytest.raises(InputError, match=r"formation_time must be at least 0, got -30$"):
        cm.footprint(formed.assign(formation_time=-1 * formed["formation_time"]))


@pytest.mark.parametrize("sites", [3, None, [3], [["FR"]]])
def test_sites_that_are_no_names_are_refused_everywhere(sites):
    """One check: of all that take sites."""
    formed, message = (
        make_formed(),
        r"sites must be names of sites, as \[\"FR\".*, got (3|None|\['FR'\])",
    )
    cell = ("nmc811-graphite-siox", "two-cycle", "regenerative-cycler")
    with pytest.raises(InputError, match=message):
        cm.footprint(formed, sites=sites)
    with pytest.raises(InputError, match=message):
        cm.footprint_uncertainty(formed, sites=sites, samples=2)
    with pytest.raises(InputError, match=message):
        cm.foreground(formed, sites=sites)
    with pytest.raises(InputError, match=message):
        cm.plant_balance(formed, sites=sites)
    with pytest.raises(InputError, match=f"other_{message}"):
        cm.levers(*cell, other_sites=sites)
    with pytest.raises(InputError, match=message):
        cm.sobol(*cell, over={"coating_yield": (0.9, 0.95)}, sites=sites, samples=8)


def test_what_is_no_formation_is_refused():
    with pytest.raises(InputError, match="formed must be a Dataset"):
        cm.footprint({"nominal_energy": 18})
    with pytest.raises(InputError, match="formed lacks component_mass, formation_energy"):
        cm.footprint(make_formed().drop_vars(["component_mass", "formation_energy"]))
    with pytest.raises(InputError, match="must have the coordinate 'material'"):
        cm.footprint(make_formed().drop_vars("material"))
