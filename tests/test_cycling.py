"""Cycling of a formed cell: the seam to formation, ageing, life."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import cellmodel as cm
from cellmodel.bridge import ageing, performance_check, readout, reference
from cellmodel.bridge.passivation_submodels import HIGHEST, STORED, UNPASSIVATED
from cellmodel.cycling import _crossing, _delivered, start_state
from cellmodel.electrode import electrode_capacity
from cellmodel.variables import VARIABLES

HOURS = readout.SECONDS_PER_HOUR
METHOD = {"model": "SPM", "radial_points": 20}
MESH = reference.Method(**METHOD)
FAST = METHOD | {"checks": 0}


@pytest.fixture(scope="module")
def cell():
    return cm.load_cell("lfp-graphite")


@pytest.fixture(scope="module")
def formed(cell):
    return cm.simulate_formation(cell, "two-cycle", "regenerative-cycler", model="SPM")


@pytest.fixture(scope="module")
def old(cell, formed):
    return cm.simulate_cycling(cell, formed, cycles=120, threshold=0.97, **METHOD)


@pytest.fixture(scope="module")
def aged(cell, formed):
    return cm.simulate_cycling(cell, formed, cycles=12, **FAST)


def lithium(cell, negative, positive, film):
    """Return the lithium in the particles and in the film [A h], from geometry alone."""
    area = (
        cell.parameter("Electrode height [m]")
        * cell.parameter("Electrode width [m]")
        * cell.parameter("Number of electrodes connected in parallel to make a cell")
    )
    total = 0.0
    for side, stoichiometry in (("Negative", negative), ("Positive", positive)):
        total += (
            stoichiometry
            * cell.parameter(f"{side} electrode thickness [m]")
            * cell.parameter(f"{side} electrode active material volume fraction")
            * cell.parameter(f"Maximum concentration in {side.lower()} electrode [mol.m-3]")
        )
    total += (
        (film - cell.parameter("Initial SEI thickness [m]"))
        * cell.parameter("Ratio of lithium moles to SEI moles")
        / cell.parameter("SEI partial molar volume [m3.mol-1]")
        * 3
        * cell.parameter("Negative electrode active material volume fraction")
        / cell.parameter("Negative particle radius [m]")
        * cell.parameter("Negative electrode thickness [m]")
    )
    return total * area * readout.FARADAY / HOURS


def fresh_lithium(cell):
    return lithium(
        cell,
        cell.negative_stoichiometry.value,
        cell.positive_stoichiometry.value,
        cell.parameter("Initial SEI thickness [m]"),
    )


def test_no_lithium_is_lost_between_formation_and_cycling(cell, formed):
    protocol = cm.load_protocol("ageing-1c")
    state = start_state(formed)
    values = protocol.defaults(cell)
    simulation = reference.simulation(cell, protocol, values, MESH, state=state)
    series = readout.series(reference.solve(simulation, cell, protocol))
    begin = {name: float(values[0]) for name, values in series.items()}
    of_formation = [
        float(formed[name])
        for name in ("negative_stoichiometry", "positive_stoichiometry", "sei_thickness")
    ]
    of_cycling = [
        begin[f"{name}_series"]
        for name in ("negative_stoichiometry", "positive_stoichiometry", "sei_thickness")
    ]
    np.testing.assert_allclose(of_cycling, of_formation, rtol=1e-10, atol=0)
    fresh = fresh_lithium(cell)
    np.testing.assert_allclose(lithium(cell, *of_formation), fresh, rtol=1e-10, atol=0)
    np.testing.assert_allclose(lithium(cell, *of_cycling), fresh, rtol=1e-10, atol=0)
    in_particles = begin[readout.LITHIUM] * readout.FARADAY / HOURS
    np.testing.assert_allclose(in_particles + formed.lithium_loss, fresh, rtol=1e-10, atol=0)


def campaign(first, second, **values):
    """Form the cell with the formation model by the kernels, currents in A."""
    protocol = cm.load_protocol("two-stage-charge").with_variables(
        verification_cycles=0, charge_current_1=first, charge_current_2=second, **values
    )
    return cm.sweep_formation("nmc532-graphite-240mah", protocol, "laboratory-cycler")


@pytest.fixture(scope="module")
def hasty():
    """Formed in less than two hours: much of the surface is not healed."""
    return campaign(0.53, 0.49, hold_time=0.1, discharge_current=0.24)


def test_everything_that_formation_left_comes_across(hasty):
    """Film, lithium, unpassivated surface, surface opened so far, and store, from the kernels."""
    cell, protocol = cm.load_cell("nmc532-graphite-240mah"), cm.load_protocol("ageing-1c")
    values, state = protocol.defaults(cell), start_state(hasty)

    def cycle(start):
        simulation = reference.simulation(cell, protocol, values, MESH, state=start)
        return readout.series(reference.solve(simulation, cell, protocol))

    series = cycle(state)
    for left, found in {
        "negative_stoichiometry": "negative_stoichiometry_series",
        "positive_stoichiometry": "positive_stoichiometry_series",
        "sei_thickness": "sei_thickness_series",
        "unpassivated_surface": UNPASSIVATED,
        "highest_negative_stoichiometry": HIGHEST,
        "stored_lithium": STORED,
    }.items():
        assert hasty[left] > 0
        np.testing.assert_allclose(series[found][0], hasty[left], rtol=1e-10, atol=0)
    assert hasty.unpassivated_surface > 0.01
    no_film = cell.parameter("Initial SEI thickness [m]")
    fresh = lithium(
        cell, cell.negative_stoichiometry.value, cell.positive_stoichiometry.value, no_film
    )
    inventory = readout.inventory(series)
    np.testing.assert_allclose(inventory[0] + hasty.lithium_loss, fresh, rtol=1e-9, atol=0)
    # the surface heals in the first cycle, and that takes lithium
    healed = readout.inventory(cycle(dataclasses.replace(state, unpassivated_surface=0.0)))
    assert inventory[0] - inventory[-1] > 10 * (healed[0] - healed[-1]) > 0


def test_fast_formation_leaves_less_capacity():
    """It lost lithium on open surface; the films are the same."""
    ageing = cm.load_protocol("ageing-1c").with_variables(discharge_rate=0.2)
    formed = [campaign(0.0264, 0.036), campaign(0.53, 0.49)]
    lost = float(formed[1].lithium_loss - formed[0].lithium_loss)
    assert lost > 0.01
    slow, fast = (
        cm.simulate_cycling("nmc532-graphite-240mah", start, ageing, 1, **FAST) for start in formed
    )
    less = float(slow.discharge_capacity[0] - fast.discharge_capacity[0])
    assert 0.2 * lost < less < lost


def test_what_is_lost_while_cycling_says_where_it_went(hasty):
    """Lithium is lost, kept, or in the particles; charge that is no lithium leaked."""
    cell, protocol = cm.load_cell("nmc532-graphite-240mah"), cm.load_protocol("ageing-1c")
    result = cm.simulate_cycling(cell, hasty, protocol, 3, **FAST)
    assert result.attrs["model"].endswith("SEI, lumped thermal, unpassivated surface")
    values, state = protocol.defaults(cell), start_state(hasty)
    simulation = reference.simulation(cell, protocol, values, MESH, state=state)
    one = readout.series(reference.solve(simulation, cell, protocol))
    np.testing.assert_allclose(result.stored_lithium[0], one[STORED][-1], rtol=1e-3, atol=0)
    kept = result.stored_lithium[0] - hasty.stored_lithium
    assert kept > 0
    assert (result.stored_lithium.diff("cycle") > 0).all()
    assert (result.parasitic_charge > 0).all()
    # charge of the cycle that is not given back stays in the negative electrode, or went
    negative = electrode_capacity(cell.parameter, "negative")
    stoichiometry = one["negative_stoichiometry_series"]
    inside = negative * (stoichiometry[-1] - stoichiometry[0])
    went = result.lithium_loss[0] + kept + result.parasitic_charge[0]
    net = result.charge_capacity[0] - result.discharge_capacity[0]
    np.testing.assert_allclose(net, inside + went, rtol=1e-3, atol=0)
    potential = sum(one[name] for name in readout.NEGATIVE_POTENTIAL)
    np.testing.assert_allclose(
        result.lowest_negative_potential[0], potential.min(), rtol=0, atol=1e-4
    )


def test_lithium_is_conserved_from_fresh_to_old_across_leaps(cell, formed, old):
    """Lost in formation + lost in cycling = what the film holds."""
    surface_film = lithium(cell, 0.0, 0.0, old.sei_thickness[-1])
    lost = formed.lithium_loss + old.lithium_loss[-1]
    off = float(surface_film - lost) / fresh_lithium(cell)
    assert old.attrs["simulated_cycles"] < 40  # so there were leaps
    assert abs(off) < 1e-10


def test_the_start_takes_every_field_of_the_state(formed):
    """A field that the state gains comes across by its name, and may be absent if it has a
    default.
    """
    state = start_state(formed)
    for field in dataclasses.fields(state):
        if field.name in formed:
            assert getattr(state, field.name) == float(formed[field.name])
        else:
            assert getattr(state, field.name) == field.default


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
    with pytest.warns(UserWarning, match="a cell 'lfp-graphite' that has other numbers than the"):
        result = cm.simulate_cycling(cell, worse, cycles=1, **FAST)
    assert result.discharge_capacity[0] < aged.discharge_capacity[0]
    assert result.discharge_energy[0] < aged.discharge_energy[0]


def test_restarting_each_cycle_changes_nothing(cell, formed):
    """Clock and totals start anew each cycle; the cell must not."""
    protocol = cm.load_protocol("two-cycle").with_variables(charge_rate=0.5, later_charge_rate=0.5)
    state = start_state(formed)
    values = protocol.defaults(cell)
    simulation = reference.simulation(cell, protocol, values, MESH, state=state)
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
    assert _crossing(np.array([0.7, 0.6]), 0.8) == 0.0


def test_life_may_refer_to_one_capacity_for_all_formations(cell, formed):
    """A formation that leaves less capacity is then no longer measured by less."""
    poor = formed.assign(positive_stoichiometry=formed.positive_stoichiometry - 0.02)
    first = cm.simulate_cycling(cell, formed, cycles=8, threshold=0.99, **FAST)
    rated = float(first.discharge_capacity[0])
    rich, less, none = (
        cm.simulate_cycling(cell, start, cycles=8, threshold=part, rated_capacity=rated, **FAST)
        for start, part in ((formed, 0.99), (poor, 0.96), (poor, 0.999))
    )
    assert float(rich.cycle_life) == float(first.cycle_life)
    np.testing.assert_allclose(
        np.interp(float(less.cycle_life), less.cycle, less.discharge_capacity), 0.96 * rated,
        rtol=1e-12, atol=0,
    )  # fmt: skip
    assert float(none.cycle_life) == float(none.delivered_energy) == 0.0
    assert none.attrs["cycle_life_note"].endswith(f"0.999 of {rated:g} A h, interpolated")
    with pytest.raises(cm.InputError, match=r"rated_capacity must be in A h above 0, got 0"):
        cm.simulate_cycling(cell, formed, rated_capacity=0)


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
    state = start_state(formed)
    values = protocol.defaults(cell)
    simulation = reference.simulation(cell, protocol, values, MESH, state=state)
    steps = reference.solve(simulation, cell, protocol)
    number, discharge = next((n, step) for n, step in enumerate(protocol.steps) if step.sign > 0)
    start = ageing.CycleEnd.of(steps[0][number]).solution()  # empty: nothing to discharge
    two = (discharge, protocol.steps[0])
    other = dataclasses.replace(protocol, cycles=(tuple(s.template for s in two),), steps=two)
    again = reference.simulation(cell, other, values, MESH, state=state)
    with pytest.raises(
        cm.InputError, match=r"in cycle 0, step 0 \('Discharge at .*, it begins beyond"
    ):
        reference.solve(again, cell, other, start=start)


def test_a_protocol_that_only_discharges_is_refused(cell, formed):
    protocol = cm.load_protocol("ageing-1c").with_variables(discharge_rate=0.01)
    (discharge,) = (step for step in protocol.steps if step.sign > 0)
    alone = dataclasses.replace(protocol, cycles=((discharge.template,),), steps=(discharge,))
    with pytest.raises(cm.InputError, match=r"must charge and discharge .* there was no charge"):
        cm.simulate_cycling(cell, formed, alone, 1, **FAST)


def test_the_values_of_a_swept_case_are_taken(cell, formed):
    thickness = "Positive electrode thickness [m]"
    attrs = {"pybamm_name": thickness}
    case = formed.assign_coords(thickness=((), 60e-6, attrs))
    thin = cm.simulate_cycling(cell, case, cycles=1, **FAST)
    direct = cm.simulate_cycling(
        cell.replace_parameters({thickness: 60e-6}), formed.drop_attrs(), cycles=1, **FAST
    )
    np.testing.assert_allclose(thin.discharge_capacity, direct.discharge_capacity, rtol=1e-12)


def test_the_cell_that_was_formed_is_known_by_its_numbers(cell):
    """Not by its name; what a sweep varied is the case's, whichever door it came through."""
    radius, barrier = "Positive particle radius [m]", "Tunneling barrier factor [m-1]"
    doors = "two-cycle", "regenerative-cycler"
    mine = cell.replace_parameters({barrier: 1.1 * cell.parameter(barrier)})
    swept = {radius: np.array([3e-8, 5e-8])}
    case = cm.sweep_formation(mine, *doors, over=swept).isel(positive_particle_radius=1)
    for own in (mine, mine.replace_parameters({radius: 5e-8})):
        cm.simulate_cycling(own, case, cycles=1, **FAST)
    renamed = dataclasses.replace(mine, title="of another title", source="elsewhere")
    assert renamed.fingerprint() == mine.fingerprint() != cell.fingerprint()
    assert dataclasses.replace(mine, sei="ec reaction limited").fingerprint() != mine.fingerprint()
    with pytest.warns(UserWarning, match=r"other numbers.*; pass the cell that was formed, or"):
        cm.simulate_cycling(cell.name, case, cycles=1, **FAST)


@pytest.mark.parametrize("stored", [False, True])
def test_a_case_of_several_cells_is_cycled_and_known(cell, tmp_path, stored):
    barrier = "Tunneling barrier factor [m-1]"
    mine = cell.replace_parameters({barrier: 1.1 * cell.parameter(barrier)})
    doors = "two-cycle", "regenerative-cycler"
    over = {"charge_rate": [0.1, 0.2], "Positive particle radius [m]": np.array([3e-8, 5e-8])}
    store = tmp_path / "sweep.zarr" if stored else None
    many = cm.sweep_formation([mine, "nmc622-graphite"], *doors, over=over, store=store)
    place = {"charge_rate": 1, "positive_particle_radius": 1}
    case = many.sel(cell=cell.name).isel(place)
    alone = cm.sweep_formation(mine, *doors, over=over).isel(place)
    both = [cm.simulate_cycling(mine, one, cycles=1, **FAST) for one in (case, alone)]
    np.testing.assert_array_equal(*(aged["discharge_energy"] for aged in both))
    with pytest.warns(UserWarning, match="a cell 'lfp-graphite' that has other numbers than the"):
        cm.simulate_cycling(cell, case, cycles=1, **FAST)
    with pytest.raises(cm.InputError, match="is a formation of cell 'lfp-graphite', not of 'nmc6"):
        cm.simulate_cycling("nmc622-graphite", case, cycles=1, **FAST)


def test_leaps_change_nothing(cell, formed, old):
    """Against every cycle simulated."""
    every = cm.simulate_cycling(
        cell, formed, cycles=120, threshold=0.97, jump_tolerance=None, **FAST
    )
    assert every.attrs["simulated_cycles"] == 120
    assert old.attrs["simulated_cycles"] < 40
    for name, tolerance in (
        ("discharge_capacity", 5e-5),
        ("discharge_energy", 2e-4),
        ("sei_thickness", 2e-4),
        ("resistance", 2e-4),
    ):
        np.testing.assert_allclose(old[name], every[name], rtol=tolerance, atol=0, err_msg=name)
    np.testing.assert_allclose(old.cycle_life, every.cycle_life, rtol=2e-3, atol=0)
    np.testing.assert_allclose(old.delivered_energy, every.delivered_energy, rtol=2e-3, atol=0)


def test_delivered_energy_is_the_sum_until_the_threshold(old):
    life = float(old.cycle_life)
    whole = int(life)
    energy = old.discharge_energy.values
    expected = energy[:whole].sum() + (life - whole) * energy[whole]
    np.testing.assert_allclose(old.delivered_energy, expected / 1000, rtol=1e-12, atol=0)
    assert np.isnan(_delivered(np.ones(3), np.nan))


def test_a_check_measures_capacity_resistance_and_power(cell, formed, old):
    assert old.check.values.tolist() == [0, 120]
    assert old.state_of_charge.values.tolist() == [0.8, 0.5, 0.2]
    # the C/3 capacity lies above that of the 1C cycle, and falls with it
    assert old.check_capacity[0] > old.discharge_capacity[0]
    assert old.check_capacity[1] < old.check_capacity[0]
    # power law of the manual: V (OCV - V) / R at the lower voltage
    lower = cell.parameter("Lower voltage cut-off [V]")
    rest = old.pulse_power * old.dc_resistance / lower + lower
    assert ((rest > 3.0) & (rest < 3.4)).all()  # the plateau of LFP / graphite
    assert (rest.diff("state_of_charge") < 0).all()
    # a pulse of 10 s sees diffusion besides what is instantaneous
    assert (old.dc_resistance.sel(check=0, state_of_charge=0.5) > 0.5 * old.resistance[0]).all()


def test_a_check_sees_the_resistance_of_the_film(cell, formed):
    thick = formed.assign(sei_thickness=100 * formed.sei_thickness)
    thin, more = (
        performance_check.performance_check(cell, 298.15, start_state(start), MESH)(None)
        for start in (formed, thick)
    )
    surface = (
        3
        * cell.parameter("Negative electrode active material volume fraction")
        / cell.parameter("Negative particle radius [m]")
        * cell.parameter("Negative electrode thickness [m]")
        * cell.parameter("Electrode height [m]")
        * cell.parameter("Electrode width [m]")
    )
    growth = 99 * float(formed.sei_thickness)
    film = cell.parameter("SEI resistivity [Ohm.m]") * growth / surface
    added = np.subtract(more["dc_resistance"], thin["dc_resistance"])
    np.testing.assert_allclose(added, film, rtol=0.05, atol=0)
    assert np.less(more["pulse_power"], thin["pulse_power"]).all()


def test_a_thicker_film_of_formation_makes_the_cell_live_longer(cell, formed):
    """Tunnelling passivates: at equal lithium a film thicker by 1 / barrier slows its own growth
    e-fold, so that the same loss takes e times as many cycles.
    """
    barrier = cell.parameter("Tunneling barrier factor [m-1]")
    thick = formed.assign(sei_thickness=formed.sei_thickness + 1 / barrier)
    first, second = (
        cm.simulate_cycling(cell, start, cycles=150, threshold=0.985, **FAST)
        for start in (formed, thick)
    )
    ratio = float(second.lithium_loss[1:3].mean() / first.lithium_loss[1:3].mean())
    assert np.exp(-1) < ratio < 0.5  # the thin one slows down while these cycles pass
    assert float(second.cycle_life) > 2 * float(first.cycle_life)
    assert float(second.delivered_energy) > 2 * float(first.delivered_energy)


def test_less_lithium_after_formation_is_less_energy_and_a_shorter_life(cell, formed):
    """The same loss per cycle is a larger part of a smaller capacity."""
    poor = formed.assign(positive_stoichiometry=formed.positive_stoichiometry - 0.1)
    rich_life, poor_life = (
        cm.simulate_cycling(cell, start, cycles=60, threshold=0.985, **FAST)
        for start in (formed, poor)
    )
    assert poor_life.discharge_capacity[0] < 0.95 * rich_life.discharge_capacity[0]
    assert float(poor_life.cycle_life) < float(rich_life.cycle_life)
    assert float(poor_life.delivered_energy) < float(rich_life.delivered_energy)


def test_a_warm_formation_trades_capacity_for_life(cell, formed):
    """It grows a thicker film, which costs lithium once and slows what is lost later."""
    warm = cm.simulate_formation(
        cell,
        cm.load_protocol("two-cycle").with_variables(temperature=318.15),
        "regenerative-cycler",
        model="SPM",
    )
    assert warm.sei_thickness > formed.sei_thickness
    cool_life, warm_life = (
        cm.simulate_cycling(cell, start, cycles=100, threshold=0.985, **FAST)
        for start in (formed, warm)
    )
    assert warm_life.discharge_capacity[0] < cool_life.discharge_capacity[0]
    assert float(warm_life.cycle_life) > 1.2 * float(cool_life.cycle_life)


def test_a_check_that_fails_is_nan_and_says_so(cell, formed, monkeypatch):
    def refuse(*args):
        def check(state):
            raise cm.InputError("no charge left")

        return check

    monkeypatch.setattr("cellmodel.bridge.performance_check.performance_check", refuse)
    result = cm.simulate_cycling(cell, formed, cycles=1, **METHOD)
    assert np.isnan(result.dc_resistance).all()
    assert result.attrs["check_note"] == "NaN after 1 cycles: no charge left"
    assert np.isfinite(result.discharge_capacity).all()


def test_the_dataset_is_labelled(old):
    for name, variable in old.data_vars.items():
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
    for name, value, message in (
        ("negative_stoichiometry", -0.1, r"must be above 0 and below 1, got -0.1"),
        ("positive_stoichiometry", 2.0, r"must be above 0 and below 1, got 2.0"),
        ("sei_thickness", 0.0, r"must be in m above 0 and at most 0.001, got 0.0"),
        ("sei_thickness", "thin", r"must be a number in m, got 'thin'"),
        ("unpassivated_surface", -1.0, r"must be between -0.001 and 1.001, got -1.0"),
        ("stored_lithium", -5.0, r"must be in A h at least -1e-06, got -5.0"),
    ):
        with pytest.raises(cm.InputError, match=f"formed: {name} {message}"):
            cm.simulate_cycling(cell, formed.assign({name: value}))
    with pytest.raises(cm.InputError, match=r"cell 'lfp-graphite', not of 'nmc532-graphite'"):
        cm.simulate_cycling(cm.load_cell("nmc532-graphite"), formed)
    with pytest.raises(cm.InputError, match=r"cycles must be between 1 and 100000, got 0"):
        cm.simulate_cycling(cell, formed, cycles=0)
    with pytest.raises(cm.InputError, match=r"checks must be between 0 and 100, got -1"):
        cm.simulate_cycling(cell, formed, checks=-1)
    with pytest.raises(cm.InputError, match=r"jump_tolerance must be between 1e-07 and 0.01"):
        cm.simulate_cycling(cell, formed, jump_tolerance=0.5)
    with pytest.raises(cm.InputError, match=r"threshold must be above 0 and below 1, got 80.0"):
        cm.simulate_cycling(cell, formed, threshold=80)
