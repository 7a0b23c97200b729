"""Cycling of a formed cell whose negative electrode has two materials: nothing is lost between."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import cellmodel as cm
from cellmodel.bridge import readout, reference
from cellmodel.cycling import start_state
from cellmodel.electrode import electrode_area

METHOD = {"model": "SPM", "radial_points": 20}
SHARE = "Secondary: Negative electrode active material volume fraction"
PHASES = ("Primary: ", "Secondary: ")
STATE = {  # of formation -> over time, in cycling
    "negative_stoichiometry": "negative_stoichiometry_series",
    "second_negative_stoichiometry": "second_negative_stoichiometry",
    "positive_stoichiometry": "positive_stoichiometry_series",
    "sei_thickness": "sei_thickness_series",
    "second_sei_thickness": "second_sei_thickness",
}


@pytest.fixture(scope="module")
def cell():
    """With more silicon than the shipped one, so that its share counts."""
    return cm.load_cell("nmc811-graphite-silicon").replace_parameters({SHARE: 0.019})


@pytest.fixture(scope="module")
def formed(cell):
    return cm.simulate_formation(cell, "two-cycle", "regenerative-cycler", **METHOD)


@pytest.fixture(scope="module")
def old(cell, formed):
    return cm.simulate_cycling(cell, formed, cycles=60, threshold=0.95, **METHOD)


def in_films(cell, films):
    """Return the lithium in the films [A h], one for each material, from geometry alone."""
    total = 0.0
    for phase, film in zip(PHASES, films, strict=True):
        total += (
            (film - cell.parameter("Initial SEI thickness [m]"))
            * cell.parameter(f"{phase}Ratio of lithium moles to SEI moles")
            / cell.parameter(f"{phase}SEI partial molar volume [m3.mol-1]")
            * 3
            * cell.parameter(f"{phase}Negative electrode active material volume fraction")
            / cell.parameter(f"{phase}Negative particle radius [m]")
        )
    volume = electrode_area(cell.parameter) * cell.parameter("Negative electrode thickness [m]")
    return total * volume * readout.FARADAY / readout.SECONDS_PER_HOUR


def lithium(cell, state):
    """Return the lithium in particles and films [A h], from geometry alone."""
    graphite, silicon = (
        cell.parameter(f"{phase}Negative electrode active material volume fraction")
        * cell.parameter(f"{phase}Maximum concentration in negative electrode [mol.m-3]")
        for phase in PHASES
    )
    positive = cell.parameter("Positive electrode active material volume fraction")
    positive *= cell.parameter("Maximum concentration in positive electrode [mol.m-3]")
    particles = (
        state["negative_stoichiometry"]
        * (graphite + silicon)
        * cell.parameter("Negative electrode thickness [m]")
    )
    particles += (
        state["positive_stoichiometry"]
        * positive
        * cell.parameter("Positive electrode thickness [m]")
    )
    particles *= electrode_area(cell.parameter) * readout.FARADAY / readout.SECONDS_PER_HOUR
    return particles + in_films(cell, (state["sei_thickness"], state["second_sei_thickness"]))


def fresh_lithium(cell):
    film = cell.parameter("Initial SEI thickness [m]")
    fresh = {
        f"{side}_stoichiometry": getattr(cell, f"{side}_stoichiometry").value
        for side in ("negative", "positive")
    }
    return lithium(cell, fresh | {"sei_thickness": film, "second_sei_thickness": film})


@pytest.mark.parametrize("door", ["PyBaMM", "kernels"])
def test_nothing_is_lost_between_formation_and_cycling(cell, formed, door):
    """Stoichiometry and film of both materials, and all lithium; the kernels' case is of a sweep
    over the share of silicon.
    """
    if door == "kernels":
        swept = cm.sweep_formation(
            "nmc811-graphite-silicon",
            "two-cycle",
            "regenerative-cycler",
            {SHARE: ("silicon", [0.015, 0.019])},
        )
        formed = swept.isel(silicon=1)
    protocol = cm.load_protocol("ageing-1c")
    simulation = reference.simulation(
        cell,
        protocol,
        protocol.defaults(cell),
        reference.Method(**METHOD),
        state=start_state(formed),
    )
    series = readout.series(reference.solve(simulation, cell, protocol))
    left = {name: float(formed[name]) for name in STATE}
    begin = {name: float(series[at][0]) for name, at in STATE.items()}
    for name, value in left.items():
        np.testing.assert_allclose(begin[name], value, rtol=1e-10, atol=0, err_msg=name)
    # both are far apart: one number for both would not do
    assert left["second_negative_stoichiometry"] > 2 * left["negative_stoichiometry"]
    assert left["sei_thickness"] > 1.2 * left["second_sei_thickness"]
    fresh = fresh_lithium(cell)
    np.testing.assert_allclose(lithium(cell, left), fresh, rtol=1e-10, atol=0)
    np.testing.assert_allclose(lithium(cell, begin), fresh, rtol=1e-10, atol=0)
    inventory = readout.inventory(series)[0]
    np.testing.assert_allclose(inventory + formed.lithium_loss, fresh, rtol=1e-10, atol=0)


def test_lithium_is_conserved_from_fresh_to_old_across_leaps(cell, formed, old):
    """Lost in formation + lost in cycling = what both films hold."""
    films = float(old.sei_thickness[-1]), float(old.second_sei_thickness[-1])
    lost = float(formed.lithium_loss + old.lithium_loss[-1])
    assert old.attrs["simulated_cycles"] < 40  # so there were leaps
    np.testing.assert_allclose(
        in_films(cell, films), lost, rtol=0, atol=1e-10 * fresh_lithium(cell)
    )


def test_a_cycle_after_the_seam_is_that_of_a_longer_formation(cell):
    """After a day of rest, when particles are even and both materials at one potential."""
    rest = {"rest_time": 24.0}
    two = cm.load_protocol("two-cycle").with_variables(**rest)
    again = [dataclasses.replace(step, cycle=2) for step in two.steps if step.cycle == 1]
    three = dataclasses.replace(
        two, cycles=(*two.cycles, two.cycles[1]), steps=(*two.steps, *again)
    )
    rates = two.defaults(cell)
    protocol = cm.load_protocol("ageing-1c").with_variables(
        charge_rate=rates["later_charge_rate"], discharge_rate=rates["discharge_rate"], **rest
    )
    formed, whole = (
        cm.simulate_formation(cell, course, "regenerative-cycler", **METHOD)
        for course in (two, three)
    )
    cycle = cm.simulate_cycling(
        cell, formed, protocol, 1, checks=0, rtol=1e-8, atol=1e-10, **METHOD
    )
    for way in ("charge", "discharge"):
        for name, tolerance in ((f"{way}_capacity", 1e-8), (f"{way}_energy", 1e-7)):
            known = whole[name][2]
            np.testing.assert_allclose(cycle[name][0], known, rtol=tolerance, atol=0, err_msg=name)
    for name in ("sei_thickness", "second_sei_thickness"):
        np.testing.assert_allclose(cycle[name][0], whole[name], rtol=1e-8, atol=0, err_msg=name)
    lost = whole.lithium_loss - formed.lithium_loss
    np.testing.assert_allclose(cycle.lithium_loss[0], lost, rtol=1e-6, atol=0)


def test_both_films_age_the_cell(old):
    for name in ("sei_thickness", "second_sei_thickness", "lithium_loss"):
        assert (old[name].diff("cycle") > 0).all(), name
    assert (old.discharge_capacity.diff("cycle") < 0).all()
    assert old.check.values.tolist() == [0, 60]
    assert old.check_capacity[1] < old.check_capacity[0]
    assert (old.dc_resistance.diff("check") > 0).all()
    assert (old.pulse_power.diff("check") < 0).all()
    assert 1 < old.cycle_life < 60


def test_the_state_of_one_material_is_not_enough(cell, formed):
    for name in ("second_negative_stoichiometry", "second_sei_thickness"):
        with pytest.raises(cm.InputError, match=r"two materials in its .* state must have second_"):
            cm.simulate_cycling(cell, formed.drop_vars(name), cycles=1)


def test_one_material_has_no_second(formed):
    one = cm.simulate_formation("lfp-graphite", "two-cycle", "regenerative-cycler", **METHOD)
    many = cm.sweep_formation("lfp-graphite", "two-cycle", "regenerative-cycler")
    for name in ("second_negative_stoichiometry", "second_sei_thickness"):
        assert float(one[name]) == float(many[name]) == 0.0
        assert one[name].attrs == many[name].attrs == formed[name].attrs
