"""Plants: yields, fixed and variable energy, shipped totals, refused input."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from cellmodel.errors import InputError
from cellmodel.plant import (
    DEFAULT_PLANT,
    Plant,
    energy_use,
    list_plants,
    load_plant,
    plant_fields,
    started,
)
from cellmodel.quantity import DATA

SHIPPED = ("gigafactory-16gwh", "gigafactory-50gwh", "pilot-line")


def test_plants_that_come_with_the_package():
    assert list_plants() == list(SHIPPED)
    for name in SHIPPED:
        plant = load_plant(name)
        assert plant.name == name
        assert load_plant(plant) is plant
        for quantity in plant.quantities.values():
            assert quantity.source
            assert quantity.certainty
            assert quantity.low <= quantity.value <= quantity.high


def test_fields_that_a_sweep_may_name():
    fields = plant_fields()
    for name in (
        "dry_room_power",
        "dry_room_heat_power",
        "heat_pump_cop",
        "formation_yield",
        "coating_heat",
        "utilisation",
        "throughput",
    ):
        assert name in fields
    assert fields["dry_room_heat_power"].unit == "MW"
    assert fields["coating_heat"].unit == "1"
    assert "formation_electricity" not in fields  # simulated


def test_cells_started_are_the_inverse_product_of_downstream_yields():
    plant = load_plant(DEFAULT_PLANT)
    values = plant.values()
    entering = started(plant, values)
    yields = [values.get(f"{step.name}_yield", 1.0) for step in plant.steps]
    for i, step in enumerate(plant.steps):
        np.testing.assert_allclose(entering[step.name], 1 / np.prod(yields[i:]), rtol=1e-14, atol=0)
    np.testing.assert_allclose(1 / entering["dry_room"], 0.9, rtol=0.02, atol=0)


def test_energy_of_two_steps_by_hand():
    plant = load_plant(DEFAULT_PLANT)
    values = dict.fromkeys(plant.values(), 0.0) | {
        "throughput": 10.0,
        "utilisation": 0.5,
        "operating_hours": 8000.0,
        "boiler_efficiency": 0.8,
        "heat_pump_cop": 2.5,
        "dry_room_power": 5.0,
        "dry_room_heat_power": 2.5,
        "coating_electricity": 3.0,
        "coating_heat": 8.0,
    }
    values |= {name: 1.0 for name in values if name.endswith("_yield")}
    values |= {"coating_yield": 0.9, "formation_yield": 0.8}
    use = energy_use(plant, values, 0.6)
    fixed = 8000 / (10 * 0.5 * 1000)  # h per MWh of output
    np.testing.assert_allclose(use.electricity, 5 * fixed + 3 / 0.72, rtol=1e-14, atol=0)
    np.testing.assert_allclose(use.heat, 2.5 * fixed + 8 / 0.72, rtol=1e-14, atol=0)
    np.testing.assert_allclose(use.gas, use.heat / 0.8, rtol=1e-14, atol=0)
    np.testing.assert_allclose(use.formation, 0.6 / 0.8, rtol=1e-14, atol=0)


def test_heat_sources_move_energy_from_gas_to_electricity():
    gas = load_plant(DEFAULT_PLANT)
    uses = {
        source: energy_use(plant, plant.values(), 1.0)
        for source in ("gas", "heat_pump", "electric")
        for plant in [gas.replace(heat_source=source, heat_pump_cop=3)]
    }
    heat = uses["gas"].heat
    assert uses["heat_pump"].gas == 0
    for source, electricity in (("heat_pump", heat / 3), ("electric", heat)):
        np.testing.assert_allclose(
            uses[source].electricity, uses["gas"].electricity + electricity, rtol=1e-14, atol=0
        )


def test_totals_lie_within_published_ones():
    """20.3-37.5 kWh per kWh (Degen et al. 2023), 41.5 with 21.4 of gas (Degen & Schuette 2022)."""
    totals = {}
    for name in ("gigafactory-16gwh", "gigafactory-50gwh"):
        plant = load_plant(name)
        use = energy_use(plant, plant.values(), 1.0)
        totals[name] = use.electricity + use.formation + use.heat
        assert 20.3 < totals[name] < 41.5
        assert 12 < use.electricity + use.formation < 20.1
        assert 10 < use.heat < 21.4
    assert totals["gigafactory-50gwh"] < totals["gigafactory-16gwh"]


def test_a_half_empty_plant_pays_its_fixed_loads_twice():
    plant = load_plant(DEFAULT_PLANT)
    full = energy_use(plant, plant.values() | {"utilisation": 1.0}, 1.0)
    half = energy_use(plant, plant.values() | {"utilisation": 0.5}, 1.0)
    fixed = (6.5 + 4.0) * 8400 / 16_000
    np.testing.assert_allclose(half.electricity - full.electricity, fixed, rtol=1e-12, atol=0)


def test_values_broadcast():
    plant = load_plant(DEFAULT_PLANT)
    swept = xr.DataArray([0.9, 1.0], dims="formation_yield")
    load = xr.DataArray([0.5, 0.7, 0.9], dims="utilisation")
    use = energy_use(plant, plant.values() | {"formation_yield": swept, "utilisation": load}, 1.0)
    assert dict(use.electricity.sizes) == {"utilisation": 3, "formation_yield": 2}
    assert use.formation.dims == ("formation_yield",)


def test_replace_keeps_the_original_and_records_who_set_it():
    plant = load_plant(DEFAULT_PLANT)
    other = plant.replace(formation_yield=0.9, heat_source="electric")
    assert isinstance(other, Plant)
    assert other.values()["formation_yield"] == 0.9
    assert other.quantities["formation_yield"].source == "set by the user"
    assert plant.values()["formation_yield"] == 0.985
    assert (plant.heat_source, other.heat_source) == ("gas", "electric")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"formation_yeild": 0.9}, r"unknown plant field 'formation_yeild'; .* formation_yield"),
        ({"formation_yield": 0}, r"formation_yield must be between 0.05 and 1, got 0.0"),
        ({"formation_yield": 98}, r"got 98.0; did you pass per cent"),
        ({"coating_heat": -1}, r"coating_heat must be between 0 and 1000, got -1.0"),
        ({"throughput": float("nan")}, r"throughput must be in GWh a-1 .* got nan"),
        ({"utilisation": "full"}, r"utilisation must be a number, got 'full'"),
        ({"heat_source": "coal"}, r"unknown heat source 'coal'; .*all: electric, gas, heat_pump"),
    ],
)
def test_wrong_values_are_refused(values, message):
    with pytest.raises(InputError, match=message):
        load_plant(DEFAULT_PLANT).replace(**values)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "mixing"', 'name = "coating"', r"there is a step 'coating' already"),
        ('name = "mixing"', 'name = "Mixing room"', r"lower case letters"),
        ("formation = true", "formation = false", r"one step must have formation = true, got 0"),
        ("throughput = {", "thruput = {", r"unknown key 'thruput'; did you mean 'throughput'"),
        ('unit = "GWh a-1"', 'unit = "MWh a-1"', r"the unit must be 'GWh a-1', got 'MWh a-1'"),
        ('adds = ["electrolyte"]', "adds = 3", r"adds must be a list of components"),
        (
            'adds = ["electrolyte"]',
            'adds = ["electrolyte", "separator"]',
            r"\(filling\): separator must enter at one step",
        ),
        (
            'electricity = { value = 0.5, unit = "1", low = 0.2, high = 1, source = "Eng',
            'electricity = 0.5 # { value = 0.5, source = "Eng',
            r'must be a table with value, unit and source, as { value = 1.0, unit = "1".* got 0.5',
        ),
        ('heat_source = "gas"', 'heat_source = "oil"', r"unknown heat source 'oil'"),
        (
            "yield = { value = 0.985",
            "yield = { value = 1.2",
            r"yield.value must be between 0.05 and 1",
        ),
        (
            "formation = true",
            'formation = true\nelectricity = { value = 1, unit = "1", source = "x" }',
            r"the electricity of formation is simulated",
        ),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, old, new, message):
    content = (DATA / "plants" / f"{DEFAULT_PLANT}.toml").read_text()
    path = tmp_path / "plant.toml"
    path.write_text(content.replace(old, new))
    with pytest.raises(InputError, match=message) as caught:
        load_plant(path)
    assert "plant.toml" in str(caught.value) or "heat source" in str(caught.value)


def test_an_unknown_plant_names_the_nearest():
    with pytest.raises(InputError, match=r"unknown plant 'gigafactory-16'; .*gigafactory-16gwh"):
        load_plant("gigafactory-16")
