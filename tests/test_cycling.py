"""Cycling of a formed cell: the seam to formation, ageing, life."""

from __future__ import annotations

import numpy as np
import pytest

import cellmodel as cm
from cellmodel.bridge import ageing, readout, reference
from cellmodel.bridge.parameter_values import State
from cellmodel.cycling import _crossing
from cellmodel.variables import VARIABLES

HOURS = readout.SECONDS_PER_HOUR
FAST = {"model": "SPM", "radial_points": 20}


@pytest.fixture(scope="module")
def cell():
    return cm.load_cell("lfp-graphite")


@pytest.fixture(scope="module")
def formed(cell):
    return cm.simulate_formation(cell, "two-cycle", "regenerative-cycler", model="SPM")


@pytest.fixture(scope="module")
def aged(cell, formed):
    return cm.simulate_cycling(cell, formed, cycles=12, **FAST)


def lithium(cell, negative, positive):
    """Return the lithium in the particles [A h]."""
    area = cell.parameter("Electrode height [m]") * cell.parameter("Electrode width [m]")
    total = 0.0
    for side, stoichiometry in (("Negative", negative), ("Positive", positive)):
        total += (
            stoichiometry
            * cell.parameter(f"{side} electrode thickness [m]")
            * cell.parameter(f"{side} electrode active material volume fraction")
            * cell.parameter(f"Maximum concentration in {side.lower()} electrode [mol.m-3]")
        )
    return total * area * readout.FARADAY / HOURS


def test_no_lithium_is_lost_between_formation_and_cycling(cell, formed):
    protocol = cm.load_protocol("ageing-1c")
    state = State(*(float(formed[name]) for name in cm.cycling.STATE))
    values = protocol.defaults(cell)
    simulation = reference.simulation(cell, protocol, values, reference.Method(**FAST), state=state)
    series = readout.series(reference.solve(simulation, cell, protocol))
    fresh = lithium(cell, cell.negative_stoichiometry.value, cell.positive_stoichiometry.value)
    after = series[readout.LITHIUM][0] * readout.FARADAY / HOURS
    np.testing.assert_allclose(after + float(formed.lithium_loss), fresh, rtol=1e-9, atol=0)
    assert series["sei_thickness_series"][0] == pytest.approx(float(formed.sei_thickness), rel=1e-9)


def test_lithium_lost_in_cycling_is_in_the_film(cell, formed, aged):
    growth = aged.sei_thickness.values - float(formed.sei_thickness)
    per_metre = float(formed.lithium_loss) / (
        float(formed.sei_thickness) - cell.parameter("Initial SEI thickness [m]")
    )
    np.testing.assert_allclose(aged.lithium_loss, growth * per_metre, rtol=1e-5, atol=0)


def test_cells_age(aged):
    """From the second cycle on: the first begins with the state that formation left."""
    for name, way in (
        ("discharge_capacity", -1),
        ("sei_thickness", 1),
        ("lithium_loss", 1),
        ("coulombic_efficiency", 1),
    ):
        assert (way * np.diff(aged[name].values[1:]) > 0).all(), name
    assert (aged.coulombic_efficiency < 1).all()
    assert (aged.energy_efficiency < aged.coulombic_efficiency).all()


def test_a_film_adds_its_ohmic_resistance(cell, formed):
    """Closed form: resistivity x thickness / surface of the particles, in a step of no duration."""
    protocol = cm.load_protocol("ageing-1c").with_variables(discharge_rate=0.01, rest_time=24.0)
    thick = formed.assign(sei_thickness=100 * formed.sei_thickness)
    thin, more = (
        cm.simulate_cycling(cell, start, protocol, cycles=1, **FAST) for start in (formed, thick)
    )
    surface = (
        3
        * cell.parameter("Negative electrode active material volume fraction")
        / cell.parameter("Negative particle radius [m]")
        * cell.parameter("Negative electrode thickness [m]")
        * cell.parameter("Electrode height [m]")
        * cell.parameter("Electrode width [m]")
    )
    growth = float(more.sei_thickness[0] - thin.sei_thickness[0])
    film = cell.parameter("SEI resistivity [Ohm.m]") * growth / surface
    added = float(more.resistance[0] - thin.resistance[0])
    np.testing.assert_allclose(added, film, rtol=0.02, atol=0)


def test_a_formation_that_consumed_more_leaves_less(cell, formed, aged):
    rate = "SEI reaction exchange current density [A.m-2]"
    greedy = cell.replace_parameters({rate: 5 * cell.parameter(rate)})
    worse = cm.simulate_formation(greedy, "two-cycle", "regenerative-cycler", model="SPM")
    assert worse.sei_thickness > formed.sei_thickness
    result = cm.simulate_cycling(cell, worse, cycles=1, **FAST)
    assert result.discharge_capacity[0] < aged.discharge_capacity[0]
    assert result.discharge_energy[0] < aged.discharge_energy[0]


def test_restarting_each_cycle_changes_nothing(cell, formed):
    """Clock and totals start anew each cycle; the cell must not."""
    protocol = cm.load_protocol("two-cycle").with_variables(charge_rate=0.5, later_charge_rate=0.5)
    state = State(*(float(formed[name]) for name in cm.cycling.STATE))
    values = protocol.defaults(cell)
    simulation = reference.simulation(cell, protocol, values, reference.Method(**FAST), state=state)
    whole = readout.raw(readout.series(reference.solve(simulation, cell, protocol)), 2)
    ageing_protocol = cm.load_protocol("ageing-1c").with_variables(
        charge_rate=0.5, discharge_rate=values["discharge_rate"], rest_time=values["rest_time"]
    )
    parts = cm.simulate_cycling(
        cell, formed, ageing_protocol, cycles=2, rtol=1e-6, atol=1e-8, **FAST
    )
    for name in ("charge_capacity", "discharge_energy"):
        np.testing.assert_allclose(parts[name], whole[name], rtol=5e-5, atol=0)
    np.testing.assert_allclose(parts.lithium_loss[-1], whole["lithium_loss"], rtol=1e-3, atol=0)


def test_cycle_life_is_interpolated():
    assert _crossing(np.array([1.0, 0.9, 0.7, 0.6]), 0.8) == pytest.approx(1.5)
    assert np.isnan(_crossing(np.array([1.0, 0.9, np.nan, np.nan]), 0.8))


def test_cycle_life_says_whether_it_was_reached(cell, formed, aged):
    assert np.isnan(aged.cycle_life)
    assert aged.attrs["cycle_life_note"].startswith("NaN: 0.8 of the capacity was not reached")
    retention = (aged.discharge_capacity / aged.discharge_capacity[0]).values
    soon = cm.simulate_cycling(
        cell, formed, cycles=5, threshold=float(retention[2:4].mean()), **FAST
    )
    assert 2 < float(soon.cycle_life) < 3
    assert soon.attrs["cycle_life_note"].startswith("first cycle with less than 0.9")


def test_a_cell_that_gives_up_leaves_what_was_reached(cell, formed, monkeypatch):
    solve, calls = reference.solve, []

    def give_up(*args, **kwargs):
        calls.append(1)
        if len(calls) > 2:
            raise cm.InputError("no lithium left")
        return solve(*args, **kwargs)

    monkeypatch.setattr(ageing.reference, "solve", give_up)
    result = cm.simulate_cycling(cell, formed, cycles=4, **FAST)
    assert np.isfinite(result.discharge_capacity.values).tolist() == [True, True, False, False]
    assert result.attrs["stopped"] == "after 2 cycles: no lithium left"


def test_a_step_that_fails_later_is_named(cell, formed):
    """PyBaMM counts the state that a cycle starts from as a cycle of its own."""
    protocol = cm.load_protocol("ageing-1c")
    state = State(*(float(formed[name]) for name in cm.cycling.STATE))
    values = protocol.defaults(cell)
    simulation = reference.simulation(cell, protocol, values, reference.Method(**FAST), state=state)
    steps = reference.solve(simulation, cell, protocol)
    start = ageing._restart(steps[0][2])  # charged: the charge that follows has nothing to do
    with pytest.raises(
        cm.InputError, match=r"in cycle 0, step 0 \('Charge at .*, it begins beyond"
    ):
        reference.solve(simulation, cell, protocol, start=start)


def test_the_values_of_a_swept_case_are_taken(cell, formed):
    thickness = "Positive electrode thickness [m]"
    attrs = {"pybamm_name": thickness}
    case = formed.assign_coords(thickness=((), 60e-6, attrs))
    thin = cm.simulate_cycling(cell, case, cycles=1, **FAST)
    direct = cm.simulate_cycling(
        cell.replace_parameters({thickness: 60e-6}), formed, cycles=1, **FAST
    )
    np.testing.assert_allclose(thin.discharge_capacity, direct.discharge_capacity, rtol=1e-12)


def test_the_dataset_is_labelled(aged):
    for name, variable in aged.data_vars.items():
        assert variable.attrs.get("units", "") == VARIABLES[name].units


def test_wrong_inputs_are_refused(cell, formed):
    with pytest.raises(cm.InputError, match=r"must be the Dataset of simulate_formation"):
        cm.simulate_cycling(cell, 0.8)
    with pytest.raises(cm.InputError, match=r"formed lacks sei_thickness"):
        cm.simulate_cycling(cell, formed.drop_vars("sei_thickness"))
    two = formed.expand_dims(charge_rate=2)
    with pytest.raises(cm.InputError, match=r"single case, got .*formed.isel\(charge_rate=0\)"):
        cm.simulate_cycling(cell, two)
    with pytest.raises(cm.InputError, match=r"formed holds NaN"):
        cm.simulate_cycling(cell, formed.assign(sei_thickness=np.nan))
    with pytest.raises(cm.InputError, match=r"cell 'lfp-graphite', not of 'nmc532-graphite'"):
        cm.simulate_cycling(cm.load_cell("nmc532-graphite"), formed)
    with pytest.raises(cm.InputError, match=r"cycles must be between 1 and 100000, got 0"):
        cm.simulate_cycling(cell, formed, cycles=0)
    with pytest.raises(cm.InputError, match=r"threshold must be above 0 and below 1, got 80.0"):
        cm.simulate_cycling(cell, formed, threshold=80)
