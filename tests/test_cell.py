"""Cells: numbers with provenance on top of a PyBaMM set."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cellmodel as cm
from cellmodel.parameter_name import OWNED_ELSEWHERE, parameter_range, snake_case, unit_of
from cellmodel.quantity import Quantity

BARRIER = "Tunneling barrier factor [m-1]"
THICKNESS = "Positive electrode thickness [m]"


@pytest.fixture(scope="module")
def cell():
    return cm.load_cell("nmc811-graphite-siox")


@pytest.mark.parametrize("name", cm.list_cells())
def test_shipped_cells_state_unit_and_source(name):
    cell = cm.load_cell(name)
    assert cell.name == name
    assert 0 < cell.negative_stoichiometry.value < 0.05
    assert 0.5 < cell.positive_stoichiometry.value < 1
    assert 0.7 < cell.first_cycle_efficiency.value < 1
    assert cell.calibration["protocol"] in cm.list_protocols()
    assert cell.calibration["parameter"] in cell.parameters
    for parameter, quantity in cell.parameters.items():
        assert quantity.unit == (unit_of(parameter) or "1")
        assert quantity.source
    rows = cell.provenance()
    assert all(len(row) == 4 for row in rows)
    named = {row[0] for row in rows}
    assert set(cell.parameters) | set(cell.materials) <= named


def test_lent_numbers_name_their_donor():
    cell = cm.load_cell("lfp-graphite")
    lent = {name for name, quantity in cell.parameters.items() if quantity.donor}
    assert "SEI resistivity [Ohm.m]" in lent
    sources = {row[0]: row[3] for row in cell.provenance()}
    assert all("(lent by " in sources[name] for name in lent)


@pytest.mark.parametrize("name", cm.list_cells())
def test_what_is_assumed_is_named(name):
    cell = cm.load_cell(name)
    rows = {row[0]: row for row in cell.provenance()}
    for entry, quantity in cell.quantities.items():
        if quantity.certainty == "prior" and not quantity.donor:
            assert rows[entry][3].endswith("(assumed)")
    for entry, why in cell.assumptions.items():
        assert why in rows[entry][3]


def test_overrides_come_before_the_set(cell):
    assert cell.parameter(BARRIER) == cell.parameters[BARRIER].value
    assert cell.parameter("Nominal cell capacity [A.h]") == 5.0
    changed = cell.replace_parameters({THICKNESS: 80e-6, BARRIER: 1e8})
    assert changed.parameter(THICKNESS) == 80e-6
    assert changed.parameters[THICKNESS] == Quantity(80e-6, "m", "set by the user")
    assert cell.parameter(THICKNESS) == pytest.approx(75.6e-6)
    with pytest.raises(TypeError):
        cell.parameters[BARRIER] = 1.0


def test_a_quantity_keeps_its_source(cell):
    mine = Quantity(80e-6, "m", "micrograph")
    assert cell.replace_parameters({THICKNESS: mine}).parameters[THICKNESS] == mine


def test_a_function_of_the_set_can_be_replaced_by_a_number(cell):
    name = "Negative particle diffusivity [m2.s-1]"
    assert cell.replace_parameters({name: 3e-14}).parameter(name) == 3e-14


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Positive electrode thicknes [m]": 8e-5}, "Positive electrode thickness"),
        (
            {THICKNESS: 80.0},
            "must be in m above 0 and at most 0.01, got 80.0; did you pass micrometres",
        ),
        ({THICKNESS: -8e-5}, r"Positive electrode thickness \[m\] must be in m above 0"),
        ({THICKNESS: 0}, "must be in m above 0"),
        ({THICKNESS: "80e-6"}, "must be a number in m, got '80e-6'"),
        ({THICKNESS: True}, "must be a number in m, got True"),
        ({THICKNESS: math.nan}, "got nan"),
        ({THICKNESS: Quantity(80.0, "um", "x")}, "the unit must be 'm', got 'um'"),
        ({"Positive electrode porosity": 33.5}, "must be above 0 and below 1, got 33.5"),
        ({"Ambient temperature [K]": 300}, "use the protocol's variable 'temperature'"),
        ({3: 1.0}, "a parameter is named by a string, got 3"),
        ({"Lower voltage cut-off [V]": 4.3, "Upper voltage cut-off [V]": 4.2}, "must lie below"),
        ([1], r"parameters must map names to numbers, got \[1\]"),
    ],
)
def test_wrong_parameters_are_refused(cell, change, message):
    with pytest.raises(cm.InputError, match=message):
        cell.replace_parameters(change)


@given(st.floats())
def test_any_thickness_is_taken_or_refused(value):
    cell = cm.load_cell("nmc811-graphite-siox").replace_parameters({THICKNESS: 80e-6})
    try:
        changed = cell.replace_parameters({THICKNESS: value})
    except cm.InputError:
        assert not 0 < value <= 0.01
    else:
        assert changed.parameter(THICKNESS) == value


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "', 'titel = "', "own.toml: unknown key 'titel'; did you mean 'title'.*allowed"),
        ("tunnelling limited", "magic", "sei must be one of .*tunnelling limited.*got 'magic'"),
        ("[fresh]", "[fersh]", "unknown key 'fersh'; did you mean 'fresh'"),
        ("positive_stoichiometry =", "positive =", r"\[fresh\]: unknown key 'positive'; did you"),
        (
            "value = 0.94,",
            "value = 94,",
            "positive_stoichiometry.value must be above 0 and below 1",
        ),
        (
            "value = 0.94,",
            "value = true,",
            "positive_stoichiometry.value must be a number, got True",
        ),
        ('unit = "1", low = 0.001', 'unit = "%", low = 0.001', "the unit must be '1', got '%'"),
        ("efficiency =", "eficiency =", r"\[first_cycle\]: unknown key 'eficiency'"),
        ("value = 1e-10", "value = 1", "SEI thickness.*value must be .* 1.0; did you pass nano"),
        ('unit = "m"', 'unit = "nm"', "SEI thickness.*: the unit must be 'm', got 'nm'"),
        ("[parameters.", "[parameters.x.", r"\[parameters\] \"x\": unknown key"),
        ("[fresh]", "assumptions = 3\n[fresh]", r"\[assumptions\] must be a table, got 3"),
        ("[fresh]", "assumptions = {x = 1}\n[fresh]", r"\[assumptions\] \"x\" must be a non-empty"),
    ],
)
def test_a_wrong_file_names_file_and_key(tmp_path, old, new, message):
    content = """
title = "t"
source = "s"
parameter_set = "OKane2022"
sei = "tunnelling limited"
[fresh]
negative_stoichiometry = { value = 0.005, unit = "1", low = 0.001, source = "s" }
positive_stoichiometry = { value = 0.94, unit = "1", source = "s" }
[first_cycle]
efficiency = { value = 0.86, unit = "1", source = "s" }
protocol = "two-cycle"
parameter = "Tunneling barrier factor [m-1]"
[parameters."Initial SEI thickness [m]"]
value = 1e-10
unit = "m"
source = "s"
"""
    path = tmp_path / "own.toml"
    path.write_text(content)
    assert cm.load_cell(path).name == "own"
    assert old in content
    path.write_text(content.replace(old, new, 1))
    with pytest.raises(cm.InputError, match=message) as error:
        cm.load_cell(path)
    assert "own.toml" in str(error.value)


def test_unknown_cells_are_refused():
    with pytest.raises(
        cm.InputError, match=r"unknown cell 'nmc811-graphit'; .*nmc811-graphite-siox"
    ):
        cm.load_cell("nmc811-graphit")
    with pytest.raises(cm.InputError, match=r"own.toml: there is no such file"):
        cm.load_cell("own.toml")


@pytest.mark.parametrize(
    ("name", "unit", "dimension"),
    [
        ("Positive electrode thickness [m]", "m", "positive_electrode_thickness"),
        ("Thermodynamic factor", "", "thermodynamic_factor"),
        ("Maximum concentration in negative electrode [mol.m-3]", "mol.m-3", None),
        (
            "Negative electrode Bruggeman coefficient (electrolyte)",
            "",
            "negative_electrode_bruggeman_coefficient_electrolyte",
        ),
        ("SEI growth activation energy [J.mol-1]", "J.mol-1", "sei_growth_activation_energy"),
    ],
)
def test_pybamm_names_state_their_unit(name, unit, dimension):
    assert unit_of(name) == unit
    assert dimension is None or snake_case(name) == dimension


@pytest.mark.parametrize("set_name", ["OKane2022", "Mohtat2020", "Prada2013", "Chen2020"])
def test_the_ranges_hold_all_numbers_of_shipped_sets(set_name):
    pybamm = pytest.importorskip("pybamm")
    for name, value in pybamm.ParameterValues(set_name).items():
        if isinstance(value, (int, float)) and name not in OWNED_ELSEWHERE:
            assert parameter_range(name).check(name, value) == value


def test_what_a_cell_did_not_get_from_its_donor_is_named():
    """Formation of the fitted cell, electrodes of another: both must be seen."""
    rows = {name: why for name, _, _, why in cm.load_cell("nmc111-graphite-2360mah").provenance()}
    assert rows["Shuttle current density [A.m-2]"].startswith("Carried over from nmc532-graphite-2")
    for side in ("Positive", "Negative"):
        kinetics = rows[f"{side} electrode exchange-current density [A.m-2]"]
        assert "Mohtat2020" in kinetics
        assert "not carried over" in kinetics
