"""The formation model of unpassivated surface in PyBaMM: closed forms, conservation, doors."""

from __future__ import annotations

import ast
import dataclasses
import math
import tomllib
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pybamm
import pytest

import cellmodel as cm
from cellmodel.bridge import parameter_values as pv
from cellmodel.bridge import passivation_submodels as ps
from cellmodel.bridge import readout, reference
from cellmodel.bridge.formation_models import FormationSPMe
from cellmodel.electrode import electrode_capacity
from cellmodel.quantity import Quantity
from cellmodel.unpassivated_surface import NAME, PARAMETERS

ROOT = Path(__file__).parent.parent
COARSE = {"radial_points": 20, "electrode_points": 10}
HOURS = readout.SECONDS_PER_HOUR
NEVER = 1e30  # s
CAPACITY = 5.0  # A h, of the cell below
SURFACE = 3.3596570  # m2, its negative particles: 3 eps / R times thickness, height, width
SHUTTLE = "Shuttle current density [A.m-2]"
OPENING = "New surface stoichiometry"
ONSET = "Shuttle onset potential [V]"
WIDTH = "Shuttle potential width [V]"
OXIDATION = "Electrolyte oxidation current density [A.m-2]"
LOSS = "Unpassivated surface lithium loss current density [A.m-2]"
HEALING_TIME = "Unpassivated surface healing time [s]"
HEALING_ENERGY = "Unpassivated surface healing activation energy [J.mol-1]"
FILM = "Passivation charge [C.m-2]"
STORAGE = "Lithium storage rate [C.m-2.s-0.5]"
STORAGE_ENERGY = "Lithium storage activation energy [J.mol-1]"
STORE = "Lithium storage capacity [C.m-2]"
#: a cell that loses much, of the order of what NMC532 / graphite loses at 25 degC
LOSING = {
    SHUTTLE: 0.5 * CAPACITY / SURFACE,
    ONSET: 4.2,
    WIDTH: 0.03,
    OXIDATION: 0.002 * CAPACITY / SURFACE,
    "Electrolyte oxidation reference potential [V]": 4.25,
    "Electrolyte oxidation potential width [V]": 0.1,
    "Electrolyte oxidation activation energy [J.mol-1]": 40e3,
    LOSS: 0.1 * CAPACITY / SURFACE,
    HEALING_TIME: 4000.0,
    HEALING_ENERGY: 37e3,
    FILM: 0.06 * CAPACITY * HOURS / SURFACE,
    STORAGE: 0.002 * CAPACITY * HOURS / 60 / SURFACE,
    STORAGE_ENERGY: 45e3,
}
OWN = (
    "parasitic_charge",
    "stored_lithium",
    "unpassivated_surface",
    "highest_negative_stoichiometry",  # follows the stoichiometry, a second behind
)
THICK = 3e-7  # m: a film that does not grow any more


def forming(parameters, parameter_set="OKane2022"):
    """Return a cell with the formation model, nothing of it happening but for `parameters`."""
    cell = cm.load_cell("nmc811-graphite-siox")
    absent = {name: value for name, (_, value) in PARAMETERS.items()}
    quantities = {
        name: Quantity(value, "1", "of the test")
        for name, value in (absent | {OPENING: 0.2} | parameters).items()
    }
    return dataclasses.replace(
        cell,
        formation=NAME,
        parameter_set=parameter_set,
        parameters=MappingProxyType({**cell.parameters, **quantities}),
    )


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    """Return a function that makes a protocol of these cycles."""
    path = tmp_path_factory.mktemp("protocols") / "own.toml"
    variable = 'unit = "K", low = 250, high = 330, description = "d", source = "s"'
    heading = 'title = "t"\nsource = "s"\n[variables.temperature]\ndefault = 298.15\n'
    heading += variable.replace(", ", "\n")

    def made(*cycles):
        # a protocol has to measure the capacity; this last discharge is left out again
        written = [*cycles, ["Discharge at C/5 until 2.7 V"]]
        parts = [f"[[cycle]]\nsteps = {list(steps)}" for steps in written]
        path.write_text("\n".join([heading, *parts]))
        protocol = cm.load_protocol(path)
        steps = tuple(step for step in protocol.steps if step.cycle < len(cycles))
        return dataclasses.replace(protocol, cycles=protocol.cycles[:-1], steps=steps)

    return made


def run(cell, protocol, state=None, **method):
    """Return series and raw results."""
    method = {"model": "SPM"} | COARSE | method
    simulation = reference.simulation(
        cell, protocol, protocol.defaults(cell), reference.Method(**method), state=state
    )
    series = readout.series(reference.solve(simulation, cell, protocol))
    return series, readout.raw(series, len(protocol.cycles))


def assert_close(actual, desired, rtol):
    np.testing.assert_allclose(actual, desired, rtol=rtol, atol=0)


@pytest.fixture(scope="module")
def fast(load):
    return load(
        ["Charge at 0.3 C until 4.2 V", "Hold at 4.2 V until C/20", "Discharge at C/5 until 2.7 V"],
        ["Charge at C/10 until 4.2 V", "Rest for 1 hour", "Discharge at C/10 until 2.7 V"],
    )


@pytest.fixture(scope="module")
def lost(fast):
    return {
        name: run(forming(LOSING), fast, model=name, rtol=1e-8, atol=1e-10)
        for name in ("SPM", "SPMe", "DFN")
    }


def test_the_surface_is_that_of_the_particles():
    assert_close(SURFACE, _negative("active material volume fraction") * 3 / _radius(), 1e-6)


def _negative(fraction):
    cell = cm.load_cell("nmc811-graphite-siox")
    volume = cell.parameter(f"Negative electrode {fraction}")
    for length in ("Negative electrode thickness", "Electrode height", "Electrode width"):
        volume *= cell.parameter(f"{length} [m]")
    return volume


def _radius():
    return cm.load_cell("nmc811-graphite-siox").parameter("Negative particle radius [m]")


@pytest.mark.parametrize("model", ["SPM", "SPMe", "DFN"])
def test_without_coefficients_it_is_the_plain_model(load, model):
    protocol = load(
        ["Charge at C/3 until 4.1 V", "Hold at 4.1 V until C/10", "Discharge at 10 W until 2.7 V"]
    )
    method = {"model": model, "rtol": 1e-7, "atol": 1e-9}
    plain = run(cm.load_cell("nmc811-graphite-siox"), protocol, **method)[1]
    without = run(forming({}), protocol, **method)[1]
    assert without["parasitic_charge"] == 0
    assert abs(without["stored_lithium"]) < 1e-12
    assert plain["parasitic_charge"] == plain["stored_lithium"] == 0
    assert_close(*(r["highest_negative_stoichiometry"] for r in (without, plain)), 3e-4)
    for name in set(plain) - set(OWN):
        assert_close(without[name], plain[name], 2e-5)


@pytest.mark.parametrize("model", ["SPM", "SPMe", "DFN"])
def test_lithium_is_conserved(lost, model):
    series, results = lost[model]
    cell = forming(LOSING)
    film = series["sei_thickness_series"] - cell.parameter("Initial SEI thickness [m]")
    per_metre = SURFACE * cell.parameter("Ratio of lithium moles to SEI moles")
    per_metre /= cell.parameter("SEI partial molar volume [m3.mol-1]")
    in_film = film * per_metre * readout.FARADAY / HOURS
    total = readout.inventory(series) + series[ps.LOST] + in_film
    assert_close(total, np.full(total.shape, total[0]), 1e-10)
    assert results["stored_lithium"] > 0.01
    assert_close(results["lithium_loss"], in_film[-1] + series[ps.LOST][-1], 1e-8)


@pytest.mark.parametrize("model", ["SPM", "SPMe", "DFN"])
def test_charge_balances_at_the_terminals(lost, model):
    """What went in and did not come out is in the negative electrode, lost, kept, or leaked."""
    series, results = lost[model]
    cell = forming(LOSING)
    holds = _negative("active material volume fraction") * readout.FARADAY / HOURS
    holds *= cell.parameter("Maximum concentration in negative electrode [mol.m-3]")
    stoichiometry = series["negative_stoichiometry_series"]
    inside = holds * (stoichiometry[-1] - stoichiometry[0])
    taken = inside + results["lithium_loss"] + results["stored_lithium"]
    net = (results["charge_capacity"] - results["discharge_capacity"]).sum()
    assert_close(net, taken + results["parasitic_charge"], 1e-8)
    assert results["parasitic_charge"] > 0.03 * CAPACITY


def test_models_agree_when_slow(load):
    slow = load(["Charge at C/20 until 4.2 V", "Hold at 4.2 V for 2 hours"])
    cell = forming(LOSING | {HEALING_TIME: 20 * HOURS})
    results = {name: run(cell, slow, model=name)[1] for name in reference.MODELS}
    for name in ("parasitic_charge", "lithium_loss", "stored_lithium", "charge_capacity"):
        for model in ("SPM", "SPMe"):
            assert_close(results[model][name], results["DFN"][name], 0.02)


@pytest.mark.parametrize("temperature", [298.15, 318.15])
def test_surface_heals_exponentially(load, temperature):
    rest = load(["Rest for 3 hours"]).with_variables(temperature=temperature)
    cell = forming({HEALING_TIME: 4000.0, HEALING_ENERGY: 37e3})
    state = pv.State(0.3, 0.6, THICK, unpassivated_surface=0.6, highest_negative_stoichiometry=0.9)
    series, results = run(cell, rest, state, rtol=1e-8, atol=1e-10)
    warmer = math.exp(37e3 / 8.314462618 * (1 / 298.15 - 1 / temperature))
    healed = 0.6 * np.exp(-series["time"] / 4000 * warmer)
    np.testing.assert_allclose(series[ps.UNPASSIVATED], healed, rtol=0, atol=1e-6)
    assert results["highest_negative_stoichiometry"] == 0.9
    assert results["parasitic_charge"] == 0


@pytest.mark.parametrize("capacity", [1e6, 4.0])
@pytest.mark.parametrize("temperature", [298.15, 318.15])
def test_lithium_is_kept_until_the_store_is_full(load, temperature, capacity):
    """With the square root of time at first; Vermeulen 1953, Ind. Eng. Chem. 45, 1664."""
    rest = load(["Rest for 20 hours"]).with_variables(temperature=temperature)
    rate, x, before = 0.02, 0.4, 0.0005
    cell = forming({STORAGE: rate, STORAGE_ENERGY: 45e3, STORE: capacity})
    state = pv.State(x, 0.5, THICK, highest_negative_stoichiometry=0.9, stored_lithium=before)
    series, results = run(cell, rest, state, rtol=1e-8, atol=1e-10)
    warmer = math.exp(45e3 / 8.314462618 * (1 / 298.15 - 1 / temperature))
    first = before * HOURS / SURFACE + ps.FIRST_KEPT
    full = -np.expm1(-((rate * warmer / capacity) ** 2) * x * series["time"])
    q = np.sqrt(first**2 + (capacity**2 - first**2) * full)
    assert q[-1] < capacity
    stored = before + (q - first) * SURFACE / HOURS
    assert_close(series[ps.STORED], stored, 2e-3)  # x falls by this while lithium leaves
    assert results["stored_lithium"] > 4 * before
    assert abs(results["lithium_loss"]) < 1e-9 * CAPACITY  # kept is not lost


@pytest.mark.parametrize("model", ["SPM", "SPMe", "DFN"])
def test_a_hold_feeds_the_shuttle(load, model):
    """With the gate open the leak is a constant; at constant lithium the terminals supply it, and
    all that they supply is heat.
    """
    hold = load(["Hold at 4.0 V for 30 hours"])
    leak = 0.5 * 0.1  # A: u of 0.1 A
    cell = forming({SHUTTLE: 0.1 / SURFACE, ONSET: 2.0, HEALING_TIME: NEVER})
    state = pv.State(0.8, 0.3, THICK, unpassivated_surface=0.5, highest_negative_stoichiometry=1.0)
    series, results = run(cell, hold, state, model=model)
    assert_close(results["parasitic_charge"], leak * 30, 1e-6)
    assert_close(-series["current"][-1], leak, 1e-3)
    parameter = cell.parameter
    cooling = parameter("Total heat transfer coefficient [W.m-2.K-1]")
    cooling *= parameter("Cell cooling surface area [m2]")
    warmer = series["cell_temperature"][-1] - 298.15
    assert_close(cooling * warmer, 4.0 * leak, 2e-3)


def test_surface_opens_as_the_electrode_fills(load):
    charge = load(["Charge at 1 C until 4.2 V"])
    series, _ = run(forming({HEALING_TIME: NEVER}), charge, rtol=1e-8, atol=1e-10)
    x_max = series[ps.HIGHEST]
    opened = np.exp(-x_max[0] / 0.2) - np.exp(-x_max / 0.2)
    np.testing.assert_allclose(series[ps.UNPASSIVATED], opened, rtol=0, atol=1e-5)
    assert opened[-1] > 0.9
    assert_close(x_max[-1], series["negative_stoichiometry_series"].max(), 1e-3)


def test_the_healing_film_takes_its_charge_and_no_more(load):
    """All of the surface that was opened heals: the film has the charge of that."""
    protocol = load(["Charge at C/5 until 4.0 V", "Rest for 30 hours"])
    cell = forming({FILM: LOSING[FILM], HEALING_TIME: 3600.0})
    none = cell.replace_parameters({FILM: 0.0})
    results = [run(each, protocol, rtol=1e-8, atol=1e-10)[1] for each in (cell, none)]
    opened = 1 - math.exp(-results[0]["highest_negative_stoichiometry"] / 0.2)
    start = cell.negative_stoichiometry.value
    opened -= 1 - math.exp(-start / 0.2)
    # the SEI's own law grows less beneath the film
    own = results[1]["lithium_loss"]
    film = LOSING[FILM] * SURFACE / HOURS * opened
    assert film < results[0]["lithium_loss"] < film + own


def test_surface_opens_only_once(load):
    again = load(
        ["Charge at C/5 until 4.0 V", "Discharge at C/5 until 3.0 V"],
        ["Charge at C/5 until 3.9 V"],
    )
    cell = forming({HEALING_TIME: NEVER})
    series, _ = run(cell, again)
    u, cycle = series[ps.UNPASSIVATED], series["cycle_index"]
    assert u[cycle == 0][-1] > 0.5
    np.testing.assert_allclose(u[cycle == 1], u[cycle == 0][-1], rtol=0, atol=1e-5)


@pytest.mark.parametrize("model", ["FormationSPM", "FormationSPMe", "FormationDFN"])
def test_the_leak_follows_its_law_in_every_kind_of_step(model):
    """As a PyBaMM user would do it, with the law evaluated from the solution's own potentials."""
    values = pv.parameter_values(forming(LOSING), state=pv.State(0.6, 0.5, 5e-9, 0.9, 0.6))
    simulation = pybamm.Simulation(
        pybamm.Model(
            model,
            {"SEI": "tunnelling limited", "thermal": "lumped", "SEI film resistance": "average"},
        ),
        parameter_values=values,
        experiment=pybamm.Experiment(
            [
                "Charge at 10 W until 4.1 V",
                "Charge at 1 A until 4.2 V",
                "Hold at 4.2 V for 20 minutes",
                "Rest for 10 minutes",
                "Discharge at 2 A for 10 minutes",
            ]
        ),
        solver=pybamm.IDAKLUSolver(rtol=1e-7, atol=1e-9),
        var_pts=dict.fromkeys(("x_n", "x_s", "x_p", "r_n", "r_p"), 10),
    )
    solution = simulation.solve(calc_esoh=False)

    def entries(name):
        return solution[name].entries

    sides = ("open-circuit potential", "reaction overpotential")
    phi = sum(entries(f"X-averaged positive electrode {part} [V]") for part in sides)
    temperature = entries("Volume-averaged cell temperature [K]")
    warmer = np.exp(40e3 / 8.314462618 * (1 / 298.15 - 1 / temperature))
    gate = 1 / (1 + np.exp(-(phi - 4.2) / 0.03))
    shuttle = LOSING[SHUTTLE] * entries(ps.UNPASSIVATED) * gate
    oxidation = LOSING[OXIDATION] * warmer * np.exp((phi - 4.25) / 0.1)
    leak = entries(ps.LEAK)
    np.testing.assert_allclose(leak, SURFACE * (shuttle + oxidation), rtol=1e-5, atol=1e-7)
    assert leak.max() > 0.03 * CAPACITY
    inside = entries("Current collector current density [A.m-2]")
    area = values["Electrode height [m]"] * values["Electrode width [m]"]
    np.testing.assert_allclose(inside * area, entries("Current [A]") + leak, rtol=0, atol=1e-7)
    counted = entries("Total lithium lost to side reactions [mol]")
    missing = entries("Total lithium lost [mol]")
    assert_close(np.diff(counted)[-1], np.diff(missing)[-1], 1e-3)
    assert_close(counted[-1] - counted[0], missing[-1] - missing[0], 1e-6)


def test_a_formed_cell_goes_on_where_it_ended(lost, load):
    _, results = lost["SPM"]
    names = [field.name for field in dataclasses.fields(pv.State)]
    state = pv.State(**{name: float(results[name]) for name in names})
    rest = load(["Rest for 1 minute"])
    series, _ = run(forming(LOSING), rest, state)
    for name, there in (
        ("unpassivated_surface", ps.UNPASSIVATED),
        ("highest_negative_stoichiometry", ps.HIGHEST),
        ("stored_lithium", ps.STORED),
    ):
        assert_close(series[there][0], results[name], 1e-12)
    ended = readout.inventory(lost["SPM"][0])[-1]
    assert_close(readout.inventory(series)[0], ended, 1e-9)


def test_the_highest_stoichiometry_is_at_least_the_present_one():
    values = pv.parameter_values(forming({}), state=pv.State(0.7, 0.4, 1e-9))
    assert values[ps.INITIAL[ps.HIGHEST]] == 0.7


def test_the_dataset_has_the_losses_apart(fast):
    result = cm.simulate_formation(
        forming(LOSING), fast, "regenerative-cycler", "SPM", radial_points=20
    )
    assert result.attrs["model"].endswith("lumped thermal, unpassivated surface")
    for name in ("parasitic_charge", "stored_lithium", "lithium_loss"):
        assert result[name].attrs["units"] == "A h"
        assert float(result[name]) > 0.01
    assert_close(result.lithium_loss_series[-1], result.lithium_loss, 1e-12)


@pytest.mark.parametrize(
    ("option", "value"),
    [("thermal", "x-full"), ("operating mode", "voltage"), ("particle phases", ("2", "1"))],
)
def test_options_that_do_not_go_with_formation_are_refused(option, value):
    with pytest.raises(
        pybamm.OptionError, match=rf"'{option}' must be one of .* for FormationSPMe"
    ):
        FormationSPMe({option: value})


def test_models_and_cells_are_entry_points_of_pybamm():
    entries = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    assert set(entries["pybamm_parameter_sets"]) == {f"cellmodel {n}" for n in cm.list_cells()}
    for name in entries["pybamm_models"]:
        assert pybamm.Model(name, build=False).name.endswith(", formation")
    for name in cm.list_cells():
        values = pybamm.ParameterValues(f"cellmodel {name}")
        ours = pv.parameter_values(cm.load_cell(name))
        assert values.keys() == ours.keys()
        for key in (
            "Maximum concentration in positive electrode [mol.m-3]",
            "Ambient temperature [K]",
        ):
            assert values[key] == ours[key]
        assert name in pybamm.parameter_sets.get_docstring(f"cellmodel {name}")


@pytest.mark.parametrize("name", cm.list_cells())
def test_a_set_says_which_models_and_options_it_goes_with(name):
    """As a PyBaMM user would do it: every parameter that they need is there."""
    words = pybamm.parameter_sets.get_docstring(f"cellmodel {name}")
    options = ast.literal_eval(words[words.index("{") : words.rindex("}") + 1])
    model = (
        pybamm.Model("FormationSPMe", options)
        if "FormationSPMe" in words
        else pybamm.lithium_ion.SPMe(options)
    )
    assert ("FormationSPMe" in words) == (cm.load_cell(name).formation == NAME)
    values = pybamm.ParameterValues(f"cellmodel {name}")
    experiment = pybamm.Experiment(["Charge at C/10 for 1 minute"])
    solution = pybamm.Simulation(model, parameter_values=values, experiment=experiment).solve(
        calc_esoh=False
    )
    assert solution["Total lithium lost [mol]"].entries[-1] > 0


@pytest.mark.parametrize(
    ("temperature", "first", "second", "transition"),
    [(298.15, 0.0264, 0.036, 3.72), (308.15, 0.05, 0.2, 3.7)],
)
def test_kernels_form_the_measured_cell_as_pybamm_does(temperature, first, second, transition):
    protocol = cm.load_protocol("two-stage-charge").with_variables(
        temperature=temperature,
        charge_current_1=first,
        charge_current_2=second,
        transition_voltage=transition,
        verification_cycles=1,
    )
    doors = ("nmc532-graphite-240mah", protocol, "laboratory-cycler")
    found = cm.sweep_formation(*doors)
    expected = cm.simulate_formation(*doors, radial_points=100, rtol=1e-8, atol=1e-10)
    for name, rtol in (
        ("charge_energy", 1e-3),
        ("discharge_energy", 1e-3),
        ("lithium_loss", 5e-3),
        ("stored_lithium", 5e-3),
        ("parasitic_charge", 5e-3),
        ("formation_time", 2e-3),
    ):
        assert_close(found[name].values, expected[name].values, rtol)
    assert_close(found["kinetic_loss"], expected["kinetic_loss"], 0.02)
    efficiency = float(found.first_cycle_efficiency - expected.first_cycle_efficiency)
    assert abs(efficiency) < 1e-3


@pytest.mark.parametrize(
    ("temperature", "first", "transition"), [(288.15, 0.18, 3.9), (299.0, 0.399, 3.73)]
)
def test_voltages_of_a_first_charge_are_those_of_pybamm(temperature, first, transition):
    """From a full surface, where diffusivity falls steeply; the second stage begins after 88 s."""
    protocol = cm.load_protocol("two-stage-charge").with_variables(
        temperature=temperature,
        charge_current_1=first,
        charge_current_2=0.1,
        transition_voltage=transition,
        verification_cycles=0,
    )
    doors = ("nmc532-graphite-240mah", protocol, "laboratory-cycler")
    found = cm.trace_formation(*doors)
    expected = cm.simulate_formation(*doors, radial_points=600)
    for step in range(5):
        (time, voltage), (known_time, known) = (
            (s.time.values[s.step_index == step], s.voltage.values[s.step_index == step])
            for s in (found, expected)
        )
        time, known_time = time - time[0], known_time - known_time[0]
        within = time <= known_time[-1]
        error = (voltage - np.interp(time, known_time, known))[within] ** 2
        rms = math.sqrt(np.trapezoid(error, time[within]) / time[within][-1])
        assert rms < 1e-3, step


def test_kernels_fill_a_store_as_pybamm_does():
    """One of a tenth of the capacity, so that formation fills it to nine tenths and more."""
    cell = cm.load_cell("nmc532-graphite-240mah").replace_parameters({STORE: 60.0})
    protocol = cm.load_protocol("two-stage-charge").with_variables(temperature=308.15)
    found = cm.sweep_formation(cell, protocol, "laboratory-cycler")
    expected = cm.simulate_formation(cell, protocol, "laboratory-cycler", radial_points=100)
    surface = 0.1102  # m2
    assert 0.9 < float(expected.stored_lithium) * HOURS / surface / 60.0 < 1.0
    for name in ("stored_lithium", "lithium_loss", "discharge_capacity", "charge_capacity"):
        assert_close(found[name].values, expected[name].values, 1e-3)


def test_kernels_follow_a_film_that_takes_half_the_current():
    """What heals is found with what opens; extrapolated, both swing from one step to the next."""
    name = "nmc111-graphite-2360mah"
    charge = "Passivation charge [C.m-2]"
    cell = cm.load_cell(name)
    cell = cell.replace_parameters({charge: 4.5 * cell.parameter(charge)})
    protocol = cm.load_protocol("three-cycle").with_variables(
        temperature=318.0, charge_rate=0.024, later_charge_rate=0.9, discharge_rate=0.15
    )
    doors = (cell, protocol, "laboratory-cycler")
    found, expected = cm.sweep_formation(*doors), cm.simulate_formation(*doors)
    assert expected.first_cycle_efficiency < 0.6
    for quantity, rtol in (
        ("charge_energy", 1e-3), ("discharge_energy", 1e-3), ("lithium_loss", 5e-3),
        ("formation_time", 2e-3), ("sei_thickness", 5e-3), ("lithium_inventory", 1e-3),
    ):  # fmt: skip
        assert_close(found[quantity].values, expected[quantity].values, rtol)


def test_the_course_of_the_loss_is_that_of_pybamm(fresh_charge):
    """A film's thickness would not tell it: lithium is lost beside it."""
    doors = ("nmc532-graphite-240mah", fresh_charge, "laboratory-cycler")
    found = cm.trace_formation(*doors)
    expected = cm.simulate_formation(*doors, radial_points=100)
    loss = np.interp(expected.time, found.time, found.lithium_loss_series)
    final = float(expected.lithium_loss)
    np.testing.assert_allclose(loss, expected.lithium_loss_series, rtol=0, atol=5e-3 * final)
    assert_close(found.lithium_loss_series[-1], found.lithium_loss, 1e-3)
    film = found.sei_thickness_series - found.sei_thickness_series[0]
    by_film = np.interp(expected.time, found.time, final * film / film[-1])
    assert np.abs(by_film - expected.lithium_loss_series).max() > 0.1 * final


@pytest.fixture
def fresh_charge():
    """Fast and cool, so that more than a third of the loss is beside the film."""
    return cm.load_protocol("two-stage-charge").with_variables(
        charge_current_1=0.53, charge_current_2=0.49, transition_voltage=4.1, verification_cycles=0
    )


def test_slow_and_warm_formation_gets_to_its_end():
    """The oxidation of the electrolyte stays below the least currents of the campaign's box."""
    over = {
        "temperature": np.array([278.15, 318.15, 333.15]),
        "charge_current_1": np.array([0.0024, 0.72]),
        "charge_current_2": np.array([0.0024, 0.72]),
        "transition_voltage": np.array([3.5, 4.1]),
    }
    protocol = cm.load_protocol("two-stage-charge").with_variables(verification_cycles=0)
    found = cm.sweep_formation("nmc532-graphite-240mah", protocol, "laboratory-cycler", over=over)
    assert (found.status == 0).all()
    assert (found.first_cycle_efficiency > 0.3).all()
    slow = found.sel(charge_current_1=0.0024, charge_current_2=0.0024, temperature=333.15)
    assert (slow.parasitic_charge / slow.formation_time < 0.5 * 0.0024).all()


def test_a_long_rest_at_full_charge_is_self_discharge():
    """What leaks and is kept meanwhile leaves the negative electrode; README tells how much."""
    cell = cm.load_cell("nmc532-graphite-240mah")
    negative = electrode_capacity(cell.parameter, "negative")
    two_stage = cm.load_protocol("two-stage-charge").with_variables(verification_cycles=0)
    for kelvin, points, slope in ((298.15, 7.3, 51), (318.15, 13.7, 75)):
        slow = two_stage.with_variables(
            charge_current_1=0.0264, transition_voltage=3.72, charge_current_2=0.036,
            temperature=kelvin,
        )  # fmt: skip
        short, long = (
            cm.trace_formation(cell, slow.with_variables(rest_time=hours), "laboratory-cycler")
            for hours in (0.01, 72)
        )
        lost = short.first_cycle_efficiency - long.first_cycle_efficiency
        np.testing.assert_allclose(100 * lost, points, rtol=0, atol=0.1)
        rest = long.isel(time=long.step_index.values == 3)
        settled = rest.sel(time=rest.time > rest.time[0] + 1)
        days = float(settled.time[-1] - settled.time[0]) / 24
        fall = 1e3 * float(settled.voltage[0] - settled.voltage[-1]) / days
        np.testing.assert_allclose(fall, slope, rtol=0.03, atol=0)
        stoichiometry = rest.negative_stoichiometry_series
        given = negative * float(stoichiometry[0] - stoichiometry[-1])
        gone = sum(
            float(long[name] - short[name])
            for name in ("parasitic_charge", "stored_lithium", "lithium_loss")
        )
        # sums over the protocol: the discharge after a long rest is shorter, and keeps less
        np.testing.assert_allclose(gone, given, rtol=0.05, atol=0)
