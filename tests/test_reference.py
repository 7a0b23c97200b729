"""Formation by PyBaMM: conservation, energies, models, calibration, failures."""

from __future__ import annotations

import dataclasses
import logging

import numpy as np
import pytest

import cellmodel as cm
from cellmodel.bridge import ageing, readout, reference
from cellmodel.bridge import parameter_values as pv
from cellmodel.bridge.experiment import experiment
from cellmodel.bridge.parameter_values import State
from cellmodel.calibration import calibrate_sei
from cellmodel.step import Term
from cellmodel.variables import VARIABLES

RATE = "SEI reaction exchange current density [A.m-2]"
HOURS = readout.SECONDS_PER_HOUR
EQUIPMENT = "regenerative-cycler"
TWO_PHASE = "nmc811-graphite-silicon"
NAMES = [
    name
    for name in cm.list_cells()
    if cm.load_cell(name).formation == "none"  # the others: test_formation_model.py
]


def phases(cell, side="Negative"):
    """Return what the names of an electrode's materials begin with in PyBaMM."""
    return ("Primary: ", "Secondary: ") if (cell.name, side) == (TWO_PHASE, "Negative") else ("",)


def volume(cell, side):
    return (
        cell.parameter(f"{side} electrode thickness [m]")
        * cell.parameter("Electrode height [m]")
        * cell.parameter("Electrode width [m]")
        * cell.parameter("Number of electrodes connected in parallel to make a cell")
    )


def capacity(cell, side):
    """Return the lithium that an electrode can hold [A h], from its geometry."""
    per_volume = sum(
        cell.parameter(f"{phase}{side} electrode active material volume fraction")
        * cell.parameter(f"{phase}Maximum concentration in {side.lower()} electrode [mol.m-3]")
        for phase in phases(cell, side)
    )
    return volume(cell, side) * per_volume * readout.FARADAY / HOURS


def lithium_in_films(cell, *films):
    """Return the lithium [A h] in films [m] that grew on the spheres of each material."""
    per_volume = sum(
        (film - cell.parameter("Initial SEI thickness [m]"))
        * cell.parameter(f"{phase}Ratio of lithium moles to SEI moles")
        / cell.parameter(f"{phase}SEI partial molar volume [m3.mol-1]")
        * 3
        * cell.parameter(f"{phase}Negative electrode active material volume fraction")
        / cell.parameter(f"{phase}Negative particle radius [m]")
        for phase, film in zip(phases(cell), films, strict=False)
    )
    return volume(cell, "Negative") * per_volume * readout.FARADAY / HOURS


def run(cell, protocol, only_step_ends=False, **method):
    """Return series and raw results of a formation."""
    simulation = reference.simulation(
        cell,
        protocol,
        protocol.defaults(cell),
        reference.Method(**method),
        only_step_ends=only_step_ends,
    )
    series = readout.series(reference.solve(simulation, cell, protocol))
    return series, readout.raw(series, len(protocol.cycles))


def net_loss(results):
    return float((results["charge_energy"] - results["discharge_energy"]).sum())


@pytest.fixture(scope="module")
def two_cycle():
    return cm.load_protocol("two-cycle")


@pytest.fixture(scope="module")
def first_cycle(two_cycle):
    steps = tuple(step for step in two_cycle.steps if step.cycle == 0)
    return dataclasses.replace(two_cycle, cycles=two_cycle.cycles[:1], steps=steps)


@pytest.fixture(scope="module", params=NAMES)
def formed(request, two_cycle):
    cell = cm.load_cell(request.param)
    return cell, cm.simulate_formation(cell, two_cycle, EQUIPMENT)


@pytest.fixture(scope="module")
def lfp():
    return cm.load_cell("lfp-graphite")


@pytest.fixture(scope="module")
def lfp_once(lfp, first_cycle):
    return lfp, run(lfp, first_cycle, model="SPM")[1]


@pytest.fixture(scope="module")
def models(first_cycle):
    cell = cm.load_cell("nmc532-graphite")
    return {
        name: run(cell, first_cycle, model=name, radial_points=20, electrode_points=10)[1]
        for name in reference.MODELS
    }


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    """Return a function that reads a protocol of these cycles."""
    folder = tmp_path_factory.mktemp("protocols")
    variable = 'low = 0.1, high = 320, description = "d", source = "s" }'

    def written(*cycles):
        path = folder / "own.toml"
        path.write_text(
            f"""
title = "t"
source = "s"
[variables]
temperature = {{ default = 298.15, unit = "K", {variable.replace("0.1", "280")}
power = {{ default = 8.0, unit = "W", {variable}
capacity = {{ default = 0.6, unit = "A.h", {variable}
"""
            + "".join(f"[[cycle]]\nsteps = {list(steps)}\n" for steps in cycles)
        )
        return cm.load_protocol(path)

    return written


def test_lithium_lost_is_lithium_in_the_films(formed):
    cell, result = formed
    films = lithium_in_films(cell, float(result.sei_thickness), float(result.second_sei_thickness))
    np.testing.assert_allclose(result.lithium_loss, films, rtol=1e-6, atol=0)


def test_charge_passed_is_lithium_that_left_the_positive(formed):
    cell, result = formed
    passed = float((result.charge_capacity - result.discharge_capacity).sum())
    left = cell.positive_stoichiometry.value - float(result.positive_stoichiometry)
    np.testing.assert_allclose(passed, left * capacity(cell, "Positive"), rtol=1e-5, atol=0)
    arrived = float(result.negative_stoichiometry) - cell.negative_stoichiometry.value
    arrived = arrived * capacity(cell, "Negative") + float(result.lithium_loss)
    np.testing.assert_allclose(passed, arrived, rtol=1e-5, atol=0)


def test_energies_are_the_integral_of_voltage_and_current(formed):
    _, result = formed
    power = (result.voltage * result.current).values
    time, cycle = result.time.values, result.cycle_index.values
    for index in result.cycle.values:
        here = cycle == index
        # within a step only: the current jumps between steps, in no time
        energy = np.diff(time[here]) * (power[here][1:] + power[here][:-1]) / 2
        assert_close(-energy[energy < 0].sum(), result.charge_energy[index], 1e-4)
        assert_close(energy[energy > 0].sum(), result.discharge_energy[index], 1e-4)


def test_time_and_squared_current_are_integrals(formed, two_cycle):
    cell, result = formed
    current, hours = result.current.values, result.time.values
    mean = (current[1:] + current[:-1]) / 2
    assert_close((np.diff(hours) * mean**2).sum(), result.squared_current_time, 1e-3)
    assert_close(np.diff(hours)[mean < 0].sum(), result.charge_time, 1e-6)
    assert_close(np.diff(hours)[mean > 0].sum(), result.discharge_time, 1e-6)
    rests = 4 * two_cycle.defaults(cell)["rest_time"]
    assert_close(result.charge_time + result.discharge_time + rests, result.formation_time, 1e-6)


def test_the_first_cycle_loses_what_the_cell_says(formed):
    cell, result = formed
    target = cell.first_cycle_efficiency.value
    np.testing.assert_allclose(result.first_cycle_efficiency, target, rtol=0, atol=1e-3)


def test_the_film_passivates(formed):
    """The second cycle loses about a tenth of what the first does, as graphite half cells do."""
    _, result = formed
    loss = result.lithium_loss_series.values
    first = loss[result.cycle_index.values == 0][-1]
    assert 0.07 < (loss[-1] - first) / first < 0.13


def test_the_negative_is_never_full(formed):
    _, result = formed
    assert result.negative_stoichiometry_series.max() < 0.95


@pytest.mark.parametrize("name", NAMES)
def test_the_other_law_is_calibrated_too(name, first_cycle):
    cell = dataclasses.replace(cm.load_cell(name), sei="ec reaction limited")
    _, results = run(cell, first_cycle, only_step_ends=True)
    efficiency = results["discharge_capacity"][0] / results["charge_capacity"][0]
    np.testing.assert_allclose(efficiency, cell.first_cycle_efficiency.value, rtol=0, atol=1e-3)


def test_spme_agrees_with_dfn_at_formation_rates(models):
    for energy in ("charge_energy", "discharge_energy"):
        assert_close(models["SPMe"][energy], models["DFN"][energy], 1e-3)
    assert_close(net_loss(models["SPMe"]), net_loss(models["DFN"]), 5e-3)
    assert_close(models["SPMe"]["lithium_loss"], models["DFN"]["lithium_loss"], 2e-3)


def test_spm_understates_the_net_loss(models):
    shortfall = 1 - net_loss(models["SPM"]) / net_loss(models["DFN"])
    assert 0.002 < shortfall < 0.1


def test_tolerances_and_mesh_are_converged(lfp_once, first_cycle):
    cell, coarse = lfp_once
    _, fine = run(cell, first_cycle, model="SPM", radial_points=120, rtol=1e-8, atol=1e-10)
    assert_close(net_loss(coarse), net_loss(fine), 5e-4)
    assert_close(coarse["lithium_loss"], fine["lithium_loss"], 1e-4)


def test_results_do_not_depend_on_what_is_kept(lfp_once, first_cycle, monkeypatch):
    """Nor, but for the solver's tolerance, on whether PyBaMM builds one model for all steps."""
    cell, as_one = lfp_once
    monkeypatch.setattr(reference, "_model_mode", lambda *_, **__: "legacy")
    _, every = run(cell, first_cycle, model="SPM")
    _, ends = run(cell, first_cycle, model="SPM", only_step_ends=True)
    for name in set(every) - {"max_cell_temperature"}:
        assert_close(ends[name], every[name], 1e-9)
        assert_close(as_one[name], every[name], 1e-6)


def test_electrodes_in_parallel_are_one_large_electrode(lfp_once, first_cycle):
    """PyBaMM's own loss of lithium forgets them."""
    lfp, one = lfp_once
    halves = lfp.replace_parameters(
        {
            "Number of electrodes connected in parallel to make a cell": 2,
            "Electrode width [m]": lfp.parameter("Electrode width [m]") / 2,
        }
    )
    _, two = run(halves, first_cycle, model="SPM")
    for name in ("lithium_loss", "charge_capacity", "discharge_energy"):
        assert_close(two[name], one[name], 1e-5)


def test_a_slow_charge_is_not_cut_short_by_default_durations(lfp, first_cycle):
    slow = first_cycle.with_variables(charge_rate=0.02, cut_off_rate=0.03)
    series, results = run(lfp, slow, model="SPM")
    assert results["charge_time"] > 48
    # the charge is slower than the cut-off of the hold, which therefore takes no time
    assert set(series["step_index"]) == {0, 2, 3, 4}


def test_the_dataset_is_labelled(formed):
    _, result = formed
    for name, variable in result.data_vars.items():
        assert variable.attrs.get("units", "") == VARIABLES[name].units
        assert variable.attrs["long_name"]
    assert result.time.attrs["units"] == "h"
    assert (np.diff(result.time) >= 0).all()
    assert int(result.status) == 0
    assert result.status.attrs["flag_meanings"].split()[0] == "ok"
    assert result.attrs["model"] == "PyBaMM SPMe, tunnelling limited SEI, lumped thermal"


def test_series_names_match_the_table():
    for name, pybamm_name in readout.SERIES.items():
        assert VARIABLES[name].pybamm_name == pybamm_name


def test_steps_are_those_of_the_sentences(lfp, two_cycle, load):
    """PyBaMM, reading the protocol's own sentences, gets the same steps."""
    import pybamm

    powers = load(
        ["Charge at 10 W until 4.2 V", "Hold at 4.2 V for 3 hours or until C/20"],
        ["Discharge at 250 mW for 2 hours or until 3 V", "Discharge at {power} W until 2.5 V"],
    )
    for protocol in (two_cycle, powers):
        values = protocol.defaults(lfp)
        ours = experiment(protocol, values, 2.3)
        theirs = pybamm.Experiment(protocol.instructions(values))
        assert ours.cycle_lengths == theirs.cycle_lengths
        for mine, other in zip(ours.steps, theirs.steps, strict=True):
            assert mine.control_kind == other.control_kind
            rate = 2.3 if isinstance(other, pybamm.step.CRate) else 1
            np.testing.assert_allclose(mine.value, other.value * rate, rtol=1e-12, atol=0)
            for limit, its in zip(mine.termination, other.termination, strict=True):
                rate = 2.3 if isinstance(its, pybamm.step.CRateTermination) else 1
                np.testing.assert_allclose(limit.value, its.value * rate, rtol=1e-12, atol=0)
            if " for " in str(other):
                assert mine.duration == other.duration


# step, the limit that ends it, its value in A h, V, A or h
EVERY_KIND = (
    ("Charge at {power} W until {capacity} A.h or until 3.6 V", "capacity", 0.6),
    ("Charge at {power} W until {capacity} A.h or until 3.6 V", "capacity", 0.6),
    ("Rest for 10 minutes", "time", 1 / 6),
    ("Charge at 1 C until 0.3 A.h or for 1 hour", "capacity", 0.3),
    ("Charge at 10 W for 5 hours or until 3.45 V or until 2 A.h", "voltage", 3.45),
    ("Hold at 3.45 V until 0.05 A.h or until C/20", "capacity", 0.05),
    ("Hold at 3.45 V until C/20 or for 3 hours", "current", 0.115),
    ("Hold at 3.45 V until C/10", "skipped", 0),
    ("Discharge at 1 C until 0.5 A.h or until 2.5 V", "capacity", 0.5),
    ("Discharge at 12 W until 0.5 A.h or for 5 minutes", "time", 1 / 12),
    ("Discharge at 12 W until 9 A.h or until 2.5 V", "voltage", 2.5),
    ("Charge at 6 W until 1.8 A or until 3.6 V", "current", 1.8),
    ("Discharge at 3 W until 2.5 V", "voltage", 2.5),
)


@pytest.mark.parametrize("model", ["SPMe", "DFN"])
def test_every_kind_of_step_ends_at_its_first_limit(lfp, load, model):
    sentences = [step for step, *_ in EVERY_KIND]
    protocol = load(sentences[:-2], sentences[-2:])
    result = cm.simulate_formation(
        lfp, protocol, EQUIPMENT, model, radial_points=20, electrode_points=10
    )
    number = result.cycle_index.values * (len(EVERY_KIND) - 2) + result.step_index.values
    for index, (step, ends_by, limit) in enumerate(EVERY_KIND):
        time, current, voltage = (
            result[name].values[number == index] for name in ("time", "current", "voltage")
        )
        if ends_by == "skipped":
            assert time.size == 0
            continue
        passed = abs(np.trapezoid(current, time))
        end = {"voltage": voltage[-1], "current": abs(current[-1]), "time": time[-1] - time[0]}
        assert_close({**end, "capacity": passed}[ends_by], limit, 1e-4)
        way = protocol.steps[index].sign
        assert (current * way >= 0).all()
        if protocol.steps[index].kind == "power":
            power = 8 if "{power}" in step else float(step.split()[2])
            assert_close(voltage * current, np.full(time.shape, way * power), 1e-5)


def test_a_capacity_counts_from_its_step_in_every_cycle(lfp, load):
    steps = ("Charge at 1 C until 0.7 A.h", "Discharge at 3 W until 0.2 A.h or until 2.5 V")
    protocol = load((*steps, "Discharge at 3 W until 2.5 V"))
    method = reference.Method("SPM", radial_points=20, electrode_points=10)
    run = ageing.one_cycle(lfp, protocol, protocol.defaults(lfp), State(0.3, 0.5, 5e-9), method)
    state, charged = None, []
    for _ in range(3):
        state, results = run(state)
        charged.append(results["charge_capacity"])
    assert_close(charged, np.full(3, 0.7), 1e-6)


def test_calibration_finds_the_shipped_rate_again(lfp):
    shipped = lfp.parameter(RATE)
    found = calibrate_sei(lfp.replace_parameters({RATE: shipped / 30}))
    np.testing.assert_allclose(found.parameter(RATE), shipped, rtol=0.01, atol=0)
    assert "first-cycle efficiency 0.904" in found.parameters[RATE].source


def test_calibration_counts_what_a_formation_counts(lfp):
    """Of a protocol that begins with shallow cycles, the efficiency of its first full discharge."""
    fast = cm.load_protocol("fast-formation").with_variables(shallow_cycles=1, turning_voltage=3.3)
    found = calibrate_sei(lfp, fast, efficiency=0.78)
    formed = cm.sweep_formation(found, fast, EQUIPMENT)
    np.testing.assert_allclose(formed.first_cycle_efficiency, 0.78, rtol=0, atol=1e-3)
    assert formed.coulombic_efficiency[0] < 0.7


def test_an_efficiency_out_of_reach_is_an_error(lfp):
    without = lfp.replace_parameters({RATE: 1e-9})
    with pytest.raises(cm.InputError, match=r"no 'SEI reaction .* first-cycle efficiency of 0.99"):
        calibrate_sei(without, efficiency=0.99)
    with pytest.raises(cm.InputError, match=r"efficiency must be above 0 and below 1, got 1.2"):
        calibrate_sei(lfp, efficiency=1.2)


def test_an_infeasible_step_is_named_and_pybamm_keeps_quiet(lfp, two_cycle, capfd):
    level = logging.getLogger("pybamm.logger").level
    high = two_cycle.with_variables(upper_voltage=5.9)
    message = (
        r"protocol 'two-cycle' cannot be run with cell 'lfp-graphite': in cycle 0, step 0 "
        r"\('Charge at \{charge_rate\} C until \{upper_voltage\} V'\), it reached a limit of the "
        r"model: Maximum voltage \[V\]; a lower rate"
    )
    with pytest.raises(cm.InputError, match=message):
        cm.simulate_formation(lfp, high, EQUIPMENT, model="SPM")
    assert logging.getLogger("pybamm.logger").level == level
    assert capfd.readouterr() == ("", "")


def test_a_step_that_passes_no_charge_is_an_error(lfp, first_cycle):
    shallow = first_cycle.with_variables(lower_voltage=3.55, discharge_rate=2.0)
    with pytest.raises(cm.InputError, match=r"step 3 .*, it begins beyond its own limits"):
        run(lfp, shallow, model="SPM")


def test_a_stage_past_its_voltage_is_passed_over(lfp, first_cycle):
    slow, hold, *rest = first_cycle.steps
    fast = dataclasses.replace(slow, value=Term("1", "C"), leads_on=True)
    assert slow.leads_on
    staged = dataclasses.replace(
        first_cycle,
        cycles=((slow.template, *first_cycle.cycles[0]),),
        steps=(slow, fast, hold, *rest),
    )
    for name, value in run(lfp, first_cycle, model="SPM")[1].items():
        assert_close(run(lfp, staged, model="SPM")[1][name], value, rtol=1e-9)


def test_holds_and_rests_may_be_left_out():
    """With no time they do nothing, by both doors; a moment of them does next to nothing."""
    doors = "nmc532-graphite-240mah", EQUIPMENT
    two_stage = cm.load_protocol("two-stage-charge").with_variables(verification_cycles=1)
    without, moment = (
        two_stage.with_variables(hold_time=hours, rest_time=hours) for hours in (0, 1e-6)
    )
    expected = cm.simulate_formation(doors[0], without, doors[1])
    for found, rtol in (
        (cm.sweep_formation(doors[0], without, doors[1]), 1e-3),
        (cm.trace_formation(doors[0], without, doors[1]), 1e-3),
        (cm.simulate_formation(doors[0], moment, doors[1]), 1e-5),
    ):
        for name in ("charge_capacity", "discharge_energy", "lithium_loss", "formation_time"):
            np.testing.assert_allclose(found[name], expected[name], rtol=rtol, atol=0)
    assert set(expected.step_index.values) == {0, 1, 2, 3, 4}


def test_a_missing_parameter_is_named(lfp, two_cycle):
    without = {k: v for k, v in lfp.parameters.items() if not k.startswith("SEI resistivity")}
    bare = dataclasses.replace(lfp, parameters=without)
    with pytest.raises(cm.InputError, match=r"lacks the parameter 'SEI resistivity \[Ohm.m\]'"):
        cm.simulate_formation(bare, two_cycle, EQUIPMENT)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "spme"}, r"unknown model 'spme'; the nearest known are SPMe"),
        ({"radial_points": 2}, r"radial_points must be between 5 and 2000, got 2.0"),
        ({"rtol": 0.5}, r"rtol must be between 1e-14 and 0.01, got 0.5"),
        ({"atol": "1e-6"}, r"atol must be a number, got '1e-6'"),
    ],
)
def test_wrong_options_are_refused(lfp, two_cycle, options, message):
    with pytest.raises(cm.InputError, match=message):
        cm.simulate_formation(lfp, two_cycle, EQUIPMENT, **options)


def test_wrong_parameters_are_refused(lfp):
    with pytest.raises(cm.InputError, match=r"unknown PyBaMM parameter set 'Prada2014'.*Prada2013"):
        pv.parameter(dataclasses.replace(lfp, parameter_set="Prada2014"), "Positive particle")
    with pytest.raises(cm.InputError, match=r"unknown parameter of cell 'lfp-graphite'"):
        pv.parameter(lfp, "Positive electrode thicknes [m]")
    with pytest.raises(cm.InputError, match=r"'Positive electrode OCP \[V\]' is a function"):
        pv.parameter(lfp, "Positive electrode OCP [V]")


def test_parameter_values_are_ours_to_change(lfp):
    values = pv.parameter_values(lfp, 300.0)
    values["Contact resistance [Ohm]"] = 7.0
    assert pv.parameter_values(lfp)["Contact resistance [Ohm]"] == 0
    assert values["Reference temperature [K]"] == 298  # as the set has it, not 298.15
    assert values["Ambient temperature [K]"] == values["Initial temperature [K]"] == 300


def assert_close(actual, desired, rtol):
    np.testing.assert_allclose(actual, desired, rtol=rtol, atol=0)
