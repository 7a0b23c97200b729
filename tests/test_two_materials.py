"""Cells of two negative materials in the kernels: against PyBaMM's SPMe, and what is refused.

Their own tests on a made-up cell are in test_second_phase.py.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pybamm
import pytest

import cellmodel as cm
from cellmodel.bridge import readout, reference
from cellmodel.bridge.kernel_cell import kernel_cell
from cellmodel.bridge.parameter_values import parameter_values
from cellmodel.bridge.set_functions import SECOND, SetFunctions
from cellmodel.bridge.two_phase import PHASES
from cellmodel.cycling import start_state
from kernels import tables

SILICON = "nmc811-graphite-silicon"
EQUIPMENT = "regenerative-cycler"
SHARE = "Secondary: Negative electrode active material volume fraction"
EXACT = {"radial_points": 60, "rtol": 1e-8, "atol": 1e-10}
#: a case drawn at random
CASE = {
    "Secondary: Negative particle radius [m]": 1.3e-6,
    "Primary: Negative particle radius [m]": 6.5e-6,
    "Positive electrode thickness [m]": 70e-6,
    SHARE: 0.019,
}
RATES = {"charge_rate": 0.15, "discharge_rate": 0.28, "temperature": 308.0}
#: reactions run three times as fast near the separator as in the mean, and hardly at the collector
THICK = {
    "Negative electrode thickness [m]": 100e-6,
    "Negative electrode porosity": 0.21,
    "Negative electrode Bruggeman coefficient (electrolyte)": 1.8,
    "Cation transference number": 0.3,
}
FAST = {"charge_rate": 0.15, "discharge_rate": 0.7, "temperature": 318.0}
#: a fast first charge, a third of whose current goes into a film that grows mostly at the separator
FRESH = {
    "Negative electrode thickness [m]": 95e-6,
    "Negative electrode porosity": 0.24,
    "Negative electrode Bruggeman coefficient (electrolyte)": 1.75,
    "Cation transference number": 0.22,
    **{f"{phase}: SEI reaction exchange current density [A.m-2]": 24.0 for phase in PHASES},
}
FIRST = {"charge_rate": 0.9, "discharge_rate": 0.2, "temperature": 298.0}
VARIED = {"random": (CASE, RATES), "thick": (THICK, FAST), "fresh": (FRESH, FIRST)}


@pytest.fixture(scope="module")
def cell():
    return cm.load_cell(SILICON)


@pytest.fixture(scope="module")
def protocol():
    return cm.load_protocol("two-cycle")


@pytest.fixture(scope="module", params=["shipped", "ec reaction limited", *VARIED])
def both(request, cell, protocol):
    """The same formation by kernels and PyBaMM."""
    if request.param == "ec reaction limited":
        cell = dataclasses.replace(cell, sei=request.param)
    elif request.param in VARIED:
        numbers, rates = VARIED[request.param]
        cell, protocol = cell.replace_parameters(numbers), protocol.with_variables(**rates)
    known = cm.simulate_formation(cell, protocol, EQUIPMENT, **EXACT)
    return cm.trace_formation(cell, protocol, EQUIPMENT), known


def test_every_particle_has_as_many_points_as_asked_for(cell, protocol):
    method = reference.Method("SPM", radial_points=33, electrode_points=7)
    simulation = reference.simulation(cell, protocol, protocol.defaults(cell), method)
    (first, *_), *_ = reference.solve(simulation, cell, protocol)
    points = {
        state.name: sum(rows.stop - rows.start for rows in slices)
        for state, slices in first.all_models[0].y_slices.items()
        if "particle concentration" in state.name
    }
    assert len(points) == 3
    assert set(points.values()) == {33}


def test_the_summary_is_that_of_pybamm(both):
    found, known = both
    for name in ("charge_energy", "discharge_energy"):
        np.testing.assert_allclose(found[name], known[name], rtol=3e-4, atol=0)
    net, known_net = (each.charge_energy - each.discharge_energy for each in both)
    np.testing.assert_allclose(net, known_net, rtol=3e-3, atol=0)
    for name in ("lithium_loss", "sei_thickness", "second_sei_thickness"):
        np.testing.assert_allclose(found[name], known[name], rtol=1e-3, atol=0)
    for name in (
        "negative_stoichiometry",
        "second_negative_stoichiometry",
        "highest_negative_stoichiometry",
    ):
        np.testing.assert_allclose(found[name], known[name], rtol=0, atol=2e-4)
    np.testing.assert_allclose(found.kinetic_loss, known.kinetic_loss, rtol=5e-3, atol=0)


def test_kinetic_loss_is_what_a_very_slow_discharge_still_gives(cell, protocol):
    formed = cm.sweep_formation(cell, protocol, EQUIPMENT)
    slow = cm.load_protocol("ageing-1c").with_variables(discharge_rate=1e-3)
    (discharge,) = (step for step in slow.steps if step.sign > 0)
    alone = dataclasses.replace(
        slow, cycles=((discharge.template,),), steps=(dataclasses.replace(discharge, cycle=0),)
    )
    rate = "SEI reaction exchange current density [A.m-2]"
    inert = cell.replace_parameters({f"{phase}: {rate}": 1e-12 for phase in PHASES})
    simulation = reference.simulation(
        inert, alone, alone.defaults(cell), reference.Method("SPM"), state=start_state(formed)
    )
    given = readout.series(reference.solve(simulation, inert, alone))["discharge_capacity"][-1]
    np.testing.assert_allclose(formed.kinetic_loss, given, rtol=0.02, atol=0)


def test_the_course_is_that_of_pybamm(both):
    def steps(course):
        number = course.cycle_index.values * 100 + course.step_index.values
        return {int(n): course.isel(time=number == n) for n in np.unique(number)}

    found, known = map(steps, both)
    assert found.keys() == known.keys()
    for step, ours in found.items():
        theirs = known[step]
        np.testing.assert_allclose(ours.time[-1], theirs.time[-1], rtol=1e-3, atol=0)
        time, known_time = (s.time.values - s.time.values[0] for s in (ours, theirs))
        even = np.linspace(0.0, min(time[-1], known_time[-1]), 2000)[1:-1]
        apart = np.interp(even, time, ours.voltage) - np.interp(even, known_time, theirs.voltage)
        assert np.sqrt((apart**2).mean()) < 1e-3
        lost = np.interp(even, time, ours.lithium_loss_series)
        known_lost = np.interp(even, known_time, theirs.lithium_loss_series)
        assert abs(lost - known_lost).max() < 3e-3 * float(both[1].lithium_loss)


def test_swept_numbers_are_those_of_the_cell(cell, protocol):
    """A sweep over PyBaMM's names is as many cells with those numbers."""
    over = {name: ("case", value * np.array([1.0, 1.1])) for name, value in CASE.items()}
    over |= {name: ("case", np.array([value, value])) for name, value in RATES.items()}
    swept = cm.sweep_formation(cell, protocol, EQUIPMENT, over)
    for case, factor in enumerate((1.0, 1.1)):
        own = cell.replace_parameters({name: factor * value for name, value in CASE.items()})
        one = cm.sweep_formation(own, protocol.with_variables(**RATES), EQUIPMENT)
        assert int(one.status) == 0
        for name in ("charge_energy", "discharge_energy", "lithium_loss", "sei_thickness"):
            np.testing.assert_allclose(swept[name].isel(case=case), one[name], rtol=1e-9, atol=0)


def test_results_do_not_depend_on_chunks(cell, protocol):
    over = {SHARE: np.linspace(0.011, 0.019, 7)}
    whole, parts = (
        cm.sweep_formation(cell, protocol, EQUIPMENT, over, chunk_size=size) for size in (100, 2)
    )
    assert (whole.status == 0).all()
    for name in whole:
        np.testing.assert_array_equal(whole[name], parts[name])


def test_potentials_are_those_of_pybamm_down_to_empty(cell):
    values = parameter_values(cell, scaled=False)
    made, functions = kernel_cell(values, cell.sei, (0.005, 0.949)), SetFunctions(values)
    s = np.geomspace(1e-4, 0.999, 500)
    lith, delith = (functions.potential(SECOND, s, b) for b in ("lithiation", "delithiation"))
    for which, finer, known in (
        (tables.U_N, tables.U_N_EMPTY, functions.potential("negative", s)),
        (tables.U_2, tables.U_2_EMPTY, 0.5 * (lith + delith)),
        (tables.HALF_2, tables.HALF_2_EMPTY, 0.5 * (delith - lith)),
    ):
        found = [
            tables.lookup(made.tables, which, at)[0]
            + tables.lookup(made.tables, finer, at / tables.EMPTY)[0]
            for at in s
        ]
        np.testing.assert_allclose(found, known, rtol=0, atol=3e-5)


def test_names_of_one_material_are_refused(cell, protocol):
    for name in ("Negative particle radius [m]", "SEI resistivity [Ohm.m]"):
        with pytest.raises(cm.InputError, match="Primary: "):
            cm.sweep_formation(cell, protocol, EQUIPMENT, {name: [1e-6, 2e-6]})


def test_unpassivated_surface_is_refused(cell, protocol):
    both = dataclasses.replace(cell, formation="unpassivated surface")
    with pytest.raises(cm.InputError, match=r"one material in the negative electrode, .* has two"):
        cm.sweep_formation(both, protocol, EQUIPMENT)


@pytest.mark.parametrize(
    ("name", "function", "message"),
    [
        (
            "Secondary: Negative particle diffusivity [m2.s-1]",
            lambda s, T: 1e-14 * (1 + s),
            "the same at every stoichiometry",
        ),
        (
            "Primary: Negative particle diffusivity [m2.s-1]",
            lambda s, T: 1e-14 * (1 + T / 298),
            "must follow one Arrhenius law",
        ),
        (
            "Secondary: Negative electrode OCP [V]",
            lambda s: 0.5 - 0.4 * s,
            "must be the mean of 'Secondary: Negative electrode lithiation OCP",
        ),
        (
            "Secondary: Negative electrode exchange-current density [A.m-2]",
            lambda c_e, c_s, c_max, T: 1e-5 * (1 + c_e / 1000) * pybamm.sqrt(c_s * (c_max - c_s)),
            "Secondary: Negative electrode exchange-current .* power of the salt",
        ),
    ],
)
def test_functions_that_the_kernels_cannot_take_are_refused_by_name(cell, name, function, message):
    values = parameter_values(cell, scaled=False)
    values.update({name: function})
    with pytest.raises(cm.InputError, match=message):
        kernel_cell(values, cell.sei, (0.005, 0.949))
