"""Equipment: every field with unit, range and source."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cellmodel as cm
from cellmodel.equipment import FIELDS, check_equipment
from cellmodel.quantity import shipped


@pytest.fixture
def equipment():
    return cm.load_equipment("regenerative-cycler")


@pytest.mark.parametrize("name", cm.list_equipment())
def test_shipped_equipment_states_unit_range_and_source(name):
    equipment = cm.load_equipment(name)
    assert equipment.name == name
    assert equipment.quantities.keys() == FIELDS.keys()
    for field, quantity in equipment.quantities.items():
        assert quantity.unit == FIELDS[field].unit
        assert quantity.low is not None
        assert quantity.high is not None
        assert quantity.source
        assert getattr(equipment, field) == quantity.value == equipment.values()[field]


def test_fields_are_replaced_and_the_equipment_stays(equipment):
    changed = equipment.replace(recovered=0.5, hall_temperature=300)
    assert changed.recovered == changed.quantities["recovered"].value == 0.5
    assert changed.quantities["recovered"].source == "set by the user"
    assert changed.quantities["hall_temperature"].unit == "K"
    assert equipment.recovered == 0.95
    with pytest.raises(AttributeError):
        equipment.recovered = 0.5
    with pytest.raises(TypeError):
        equipment.quantities["recovered"] = None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recoverd": 0.5}, "unknown equipment field 'recoverd'; the nearest known are recovered"),
        ({"recovered": 95}, "recovered must be between 0 and 1, got 95.0; did you pass per cent"),
        ({"hall_temperature": 22}, "hall_temperature must be in kelvin .* degrees Celsius"),
        ({"standby": True}, "standby must be a number, got True"),
        ({"rated_rate": 0}, "rated_rate must be in h-1 between 0.01 and 100, got 0.0"),
        ({"heating_cop": math.inf}, "heating_cop must be between 0.3 and 20, got inf"),
        ({"no_load_loss": 0.3}, "no_load_loss must not exceed the whole loss at rated power, 0.1"),
        ({"discharge_efficiency": 0.99}, "lower no_load_loss or discharge_efficiency"),
    ],
)
def test_wrong_values_are_refused(equipment, change, message):
    with pytest.raises(cm.InputError, match=message):
        equipment.replace(**change)


@given(st.sampled_from(sorted(FIELDS)), st.floats())
def test_any_number_is_taken_or_refused(field, value):
    try:
        changed = cm.load_equipment("regenerative-cycler").replace(**{field: value})
    except cm.InputError:
        return
    check_equipment(changed.values())
    assert math.isfinite(value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[standby]", "[stand_by]", "unknown key 'stand_by'; did you mean 'standby'. allowed keys"),
        ('unit = "h-1"', 'unit = "h"', "rated_rate: the unit must be 'h-1', got 'h'"),
        ("value = 1.0", "vlaue = 1.0", "rated_rate: unknown key 'vlaue'; did you mean 'value'"),
        ("value = 0.90", "value = 0.999", "own.toml: no_load_loss must not exceed"),
        ("value = 0.90", "value = 90", "charge_efficiency.value must be between .* per cent"),
    ],
)
def test_a_wrong_file_names_file_and_key(tmp_path, old, new, message):
    content = shipped("equipment")["regenerative-cycler"].read_text()
    assert old in content
    content = content.replace(old, new, 1).replace("high = 0.93", "high = 0.9999")
    (tmp_path / "own.toml").write_text(content)
    with pytest.raises(cm.InputError, match=message) as error:
        cm.load_equipment(tmp_path / "own.toml")
    assert "own.toml" in str(error.value)


def test_unknown_equipment_is_refused():
    with pytest.raises(cm.InputError, match=r"unknown equipment 'cycler'; .*regenerative-cycler"):
        cm.load_equipment("cycler")
