"""Rule sets: what is shipped is complete, users write their own, wrong files are refused."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

import cellmodel as cm
from cellmodel.errors import InputError
from cellmodel.rules import DEFAULT_RULES, STATUSES, load_rules

OWN = """
title = "Ours"
source = "we"
version = "2"
status = "own proposal"
published = 2026-01-31
checked = 2026-02-01
functional_unit = "warranty"
vehicle_class = "X"
recycling = "cutoff"
electricity = "location"
cutoff_criterion = { value = 0.02, unit = "1", source = "we" }
usable_share = { value = 0.9, unit = "1", source = "we" }
warranty = { value = 10, unit = "a", source = "we" }
cycles_per_year = { X = { value = 100, unit = "a-1", source = "we" } }
"""
PARAMETERS = """
title = "Ours"
source = "we"
disposal = "landfill"
[class.metals]
allocation = { value = 0.3, unit = "1", source = "we" }
quality_in = { value = 1, unit = "1", source = "we" }
quality_out = { value = 0.8, unit = "1", source = "we" }
[material.copper-cathode]
class = "metals"
recovery = { value = 0.7, unit = "1", source = "we" }
"""


def write(folder, content, name="own.toml"):
    path = folder / name
    path.write_text(content)
    return path


@pytest.mark.parametrize("name", cm.list_rules())
def test_shipped_rule_sets_say_how_current_they_are(name):
    rules = cm.load_rules(name)
    assert rules.name == name
    assert rules.status in STATUSES
    published = datetime.date.fromisoformat(rules.published)
    assert published <= datetime.date.fromisoformat(rules.checked)
    assert rules.version
    assert rules.source
    assert not rules.strict


def test_the_default_is_shipped_and_the_draft_is_called_a_draft():
    assert DEFAULT_RULES in cm.list_rules()
    assert cm.load_rules("eu-draft-2024").status == "draft"


def test_energy_over_the_warranty_of_the_draft():
    """usable 0.93 * 60 per year * 8 years; 55 kg per kWh are 0.123 per kWh delivered."""
    rules = cm.load_rules("eu-draft-2024")
    np.testing.assert_allclose(rules.deliveries(), 446.4, rtol=1e-12, atol=0)
    np.testing.assert_allclose(55 / rules.deliveries(), 0.123, rtol=2e-3, atol=0)
    cycles = {"M1": 60, "N1": 60, "L": 20, "M2": 250, "M3": 250, "N2": 250, "N3": 250}
    for vehicle, number in cycles.items():
        own = rules.replace(vehicle_class=vehicle, warranty=5, usable_share=1)
        np.testing.assert_allclose(own.deliveries(), 5 * number, rtol=1e-12, atol=0)


def test_own_rules(tmp_path):
    rules = load_rules(write(tmp_path, OWN))
    assert rules.name == "own"
    assert (rules.published, rules.checked) == ("2026-01-31", "2026-02-01")
    assert rules.cutoff_criterion == 0.02
    np.testing.assert_allclose(rules.deliveries(), 900, rtol=1e-12, atol=0)
    assert load_rules(rules) is rules


def test_own_recycling_parameters(tmp_path):
    parameters = write(tmp_path, PARAMETERS, "parameters.toml")
    content = OWN.replace('"cutoff"', f'"cff"\ncircularity = "{parameters.as_posix()}"')
    own = load_rules(write(tmp_path, content)).circularity
    assert list(own) == ["copper-cathode"]
    assert own["copper-cathode"].allocation == 0.3
    assert own["copper-cathode"].quality_out == 0.8
    assert own["copper-cathode"].recovery == 0.7


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('version = "2"', "", r"missing key version"),
        ('version = "2"', 'version = "2"\nversoin = 3', r"unknown key 'versoin'; did you mean"),
        ('"own proposal"', '"final"', r"value of .*status: 'final'; all: adopted, dr"),
        ("2026-01-31", '"2026-01-31"', r"published must be a date as 2024-04-30, without quotes"),
        ("2026-01-31", "2026-01-31T10:00:00", r"published must be a date"),
        ('= "warranty"', '= "distance"', r"functional_unit: 'distance'; .*capacity, life, warr"),
        ('= "warranty"', '= "capacity"', r"vehicle_class, .* must not be given unless"),
        ('vehicle_class = "X"', "", r"missing key vehicle_class"),
        ('= "X"', '= "Y"', r"vehicle_class: 'Y'; all: X"),
        ('"cutoff"', '"cff"', r"recycling 'cff' needs circularity"),
        ('"cutoff"', '"none"', r"recycling: 'none'; all: avoided, cff, cutoff"),
        ('"location"', '"green"', r"electricity: 'green'; all: location, market"),
        ('"location"', '"location"\nstrict = 1', r"strict must be true or false, got 1"),
        ('"location"', '"location"\ncharacterisation = "AR4"', r"all: AR5, AR6, as stated"),
        ("value = 0.02", "value = 2", r"criterion.value must be at least 0 and below 1, got"),
        ('10, unit = "a"', '10, unit = "h"', r"warranty: the unit must be 'a', got 'h'"),
        ("value = 100", "value = -100", r"cycles_per_year.X.value must be in a-1 above 0"),
        ('{ X = { value = 100, unit = "a-1", source = "we" } }', "3", r"must be a table, vehic"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused(tmp_path, old, new, message):
    assert old in OWN
    with pytest.raises(InputError, match=message):
        load_rules(write(tmp_path, OWN.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('class = "metals"', 'class = "metal"', r"class of material 'copper-cathode' 'metal'"),
        ("value = 0.7", "value = 70", r"recovery.value must be between 0 and 1, got 70"),
        ("value = 0.3", "value = -0.3", r"allocation.value must be between 0 and 1, got -0.3"),
        ("[material.copper-cathode]", "[material.copper-cathode]\nshare = 1", r"key 'share'"),
        ("quality_in", "qualty_in", r"unknown key 'qualty_in'; did you mean 'quality_in'"),
    ],
)  # fmt: skip
def test_wrong_recycling_parameters_are_refused(tmp_path, old, new, message):
    assert old in PARAMETERS
    parameters = write(tmp_path, PARAMETERS.replace(old, new), "parameters.toml")
    content = OWN.replace('"cutoff"', f'"cff"\ncircularity = "{parameters.as_posix()}"')
    with pytest.raises(InputError, match=message):
        load_rules(write(tmp_path, content))


def test_a_changed_rule_set_says_so():
    shipped = cm.load_rules("eu-draft-2024")
    own = shipped.replace(warranty=10, name="ours").replace(strict=True)
    assert own.title == f"{shipped.title}; warranty set by the user; strict set by the user"
    assert shipped.replace(name="ours").title == shipped.title


@pytest.mark.parametrize("method", ["cff", "avoided"])
def test_recycling_cannot_be_chosen_without_its_parameters(method):
    cutoff = cm.load_rules("capacity-cutoff")
    with pytest.raises(InputError, match=rf"'capacity-cutoff': recycling '{method}' needs recycl"):
        cutoff.replace(recycling=method)
    assert cutoff.replace(recycling="cutoff").recycling == "cutoff"
    chosen = cm.load_rules("capacity-cff").replace(recycling="cutoff").replace(recycling=method)
    assert chosen.circularity == cm.load_rules("capacity-cff").circularity


def test_an_unknown_rule_set_names_the_nearest():
    with pytest.raises(InputError, match=r"unknown rule set 'capacity-cut'; .* capacity-cutoff"):
        cm.load_rules("capacity-cut")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"warrenty": 5}, r"unknown key of rule set 'eu-draft-2024' 'warrenty'; .* warranty"),
        ({"functional_unit": "life"}, r"unknown key of rule set"),
        ({"warranty": 0}, r"warranty must be in a above 0 and at most 100, got 0"),
        ({"recycling": "none"}, r"unknown value of .* recycling: 'none'"),
        ({"vehicle_class": "M9"}, r"unknown value of .* vehicle_class: 'M9'"),
        ({"strict": "yes"}, r"strict must be true or false, got 'yes'"),
        ({"name": ""}, r"name must be a non-empty string"),
    ],
)
def test_changes_are_checked(changes, message):
    with pytest.raises(InputError, match=message):
        cm.load_rules("eu-draft-2024").replace(**changes)
