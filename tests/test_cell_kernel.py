"""One made-up cell through protocols: conservation, closed forms, order of convergence, limits."""

from __future__ import annotations

import dataclasses
import math

import march_cases as cases
import numpy as np
import pytest
from march_cases import (
    FORMATION,
    LANES,
    LAWS,
    NEGATIVE,
    NO_HEAT,
    NO_SEI,
    PARAMETERS,
    POSITIVE,
    current,
    form,
    hold,
    rest,
    smooth_tables,
    trace,
)
from scipy.optimize import brentq

from kernels import parameters, status, workspace
from kernels.cell import idle
from kernels.kinetics import FARADAY, GAS
from kernels.protocol import CURRENT, NONE

pytestmark = pytest.mark.kernel

U_N, U_P = NEGATIVE[0], POSITIVE[0]
LEVEL_N = (lambda x: 0.1 + 0 * x, lambda x: 0 * x)
LEVEL_P = (lambda y: 3.9 + 0 * y, lambda y: 0 * y)
FAST_PARTICLES = {"negative_diffusivity": 1e-10, "positive_diffusivity": 1e-10}
FAST_KINETICS = {"negative_exchange_current": 1e5, "positive_exchange_current": 1e5}
FAST_SALT = {"electrolyte_diffusivity": 1e-6, "electrolyte_conductivity": 1e2}
EACH_LAW = pytest.mark.parametrize("law", LAWS)


def _ohmic(**changed):
    """Resistances of solid, electrolyte, contact [Ohm]."""
    p = PARAMETERS | changed
    solid = sum(
        p[f"{side}_electrode_thickness"] / (3 * p[f"{side}_conductivity"])
        for side in ("negative", "positive")
    )
    pores = p["separator_thickness"] / p["separator_porosity"] ** 1.5
    pores += sum(
        p[f"{side}_electrode_thickness"] / (3 * p[f"{side}_porosity"] ** 1.5)
        for side in ("negative", "positive")
    )
    z = _inverse_temperature(p["initial_temperature"])
    kappa = p["electrolyte_conductivity"] * math.exp(p["electrolyte_conductivity_activation"] * z)
    return (solid + pores / kappa) / p["electrode_area"] + p["contact_resistance"]


def _inverse_temperature(T):
    return (1 / PARAMETERS["reference_temperature"] - 1 / T) / GAS


def _area(side, p):
    fraction, radius = p[f"{side}_active_material_fraction"], p[f"{side}_particle_radius"]
    return 3 * fraction / radius * p[f"{side}_electrode_thickness"] * p["electrode_area"]


def _first_voltage(amperes, **changed):
    """Terminal voltage of the fresh cell in the first instant of a current."""
    p = PARAMETERS | changed
    T = p["initial_temperature"]
    overpotential = 0.0
    for side, start in (
        ("negative", p["negative_stoichiometry"]),
        ("positive", p["positive_stoichiometry"]),
    ):
        j0 = p[f"{side}_exchange_current"] * math.sqrt(start * (1 - start))
        j0 *= math.exp(p[f"{side}_exchange_current_activation"] * _inverse_temperature(T))
        overpotential += math.asinh(amperes / (2 * j0 * _area(side, p)))
    film = p["sei_initial_thickness"] * p["sei_resistivity"] / _area("negative", p)
    voltage = U_P(p["positive_stoichiometry"]) - U_N(p["negative_stoichiometry"])
    return voltage - 2 * GAS * T / FARADAY * overpotential - amperes * (film + _ohmic(**changed))


# conservation


@EACH_LAW
def test_lithium_is_conserved(law):
    result = form(law=law)
    Q_n, Q_p = cases.capacities()
    start = PARAMETERS["negative_stoichiometry"] * Q_n + PARAMETERS["positive_stoichiometry"] * Q_p
    end = result["negative_stoichiometry"] * Q_n + result["positive_stoichiometry"] * Q_p
    assert result["lithium_loss"] > 0.002 * start
    np.testing.assert_allclose(end + result["lithium_loss"], start, rtol=1e-12, atol=0)


@EACH_LAW
def test_charge_is_conserved_at_both_electrodes(law):
    result = form(law=law)
    Q_n, Q_p = cases.capacities()
    passed = (result.charge_in - result.charge_out).sum(axis=0)
    x = result["negative_stoichiometry"] - PARAMETERS["negative_stoichiometry"]
    y = result["positive_stoichiometry"] - PARAMETERS["positive_stoichiometry"]
    np.testing.assert_allclose(-y * Q_p, passed, rtol=1e-11, atol=0)
    np.testing.assert_allclose(x * Q_n + result["lithium_loss"], passed, rtol=1e-11, atol=0)


def test_the_film_holds_the_lithium_that_was_lost():
    result = form()
    moles = result["lithium_loss"] / FARADAY / PARAMETERS["sei_lithium_ratio"]
    grown = moles * PARAMETERS["sei_molar_volume"] / _area("negative", PARAMETERS)
    thickness = PARAMETERS["sei_initial_thickness"] + grown
    np.testing.assert_allclose(result["sei_thickness"], thickness, rtol=1e-12, atol=0)


def test_without_sei_all_charge_comes_back_and_some_energy_is_lost():
    charge = current(-1.0, duration=9000.0)
    result = form([charge, rest(60.0), current(1.0, duration=9000.0)], **NO_SEI)
    assert result["lithium_loss"] == 0
    np.testing.assert_allclose(result.charge_out, result.charge_in, rtol=1e-14, atol=0)
    for side in ("negative", "positive"):
        start = PARAMETERS[f"{side}_stoichiometry"]
        np.testing.assert_allclose(result[f"{side}_stoichiometry"], start, rtol=1e-12, atol=0)
    assert 0 < result.energy_out < result.energy_in


@pytest.mark.parametrize("entropic", [0.0, -2e-4])
def test_the_first_law_holds_in_an_insulated_cell(entropic):
    """Electricity put in = heat kept + enthalpy stored, where particles hold no gradients."""
    steps = [current(-2.0, duration=5000.0), rest(100.0), current(3.0, duration=2000.0)]
    result = form(
        steps, cooling=0.0, tolerance=0.01, tabulated=smooth_tables(entropic=entropic),
        **NO_SEI, **FAST_PARTICLES,
    )  # fmt: skip
    course = trace(
        steps, cooling=0.0, tolerance=0.01, tabulated=smooth_tables(entropic=entropic),
        **NO_SEI, **FAST_PARTICLES,
    )  # fmt: skip
    Q_n, Q_p = cases.capacities()
    x, y = course["negative_stoichiometry"], course["positive_stoichiometry"]
    stored = -Q_p * (POSITIVE[2](y[-1]) - POSITIVE[2](y[0]))
    stored -= Q_n * (NEGATIVE[2](x[-1]) - NEGATIVE[2](x[0]))
    # U - T dU/dT at any temperature is U(T_ref) - T_ref dU/dT
    shift = PARAMETERS["reference_temperature"] * entropic
    stored += shift * (Q_p * (y[-1] - y[0]) + Q_n * (x[-1] - x[0]))
    heat = PARAMETERS["heat_capacity"] * (course["temperature"][-1] - course["temperature"][0])
    assert heat > 100
    electricity = result.energy_in - result.energy_out
    np.testing.assert_allclose(heat, electricity - stored, rtol=2e-3, atol=0)


# closed forms


@pytest.mark.parametrize("amperes", [-3.0, -0.1, 0.5])
@pytest.mark.parametrize("T", [278.15, 318.15])
def test_the_first_instant_is_butler_volmer_and_ohm(amperes, T):
    temperatures = {"initial_temperature": T, "ambient_temperature": T}
    course = trace([current(amperes, duration=1.0)], **temperatures)
    expected = _first_voltage(amperes, **temperatures)
    np.testing.assert_allclose(course["voltage"][0], expected, rtol=1e-9, atol=0)


def test_a_fixed_time_passes_the_exact_charge_and_lands_exactly():
    result = form([current(-1.3, duration=1234.5), rest(10.0), current(0.7, duration=654.25)])
    np.testing.assert_allclose(result.charge_in, [[1.3 * 1234.5]], rtol=1e-14, atol=0)
    np.testing.assert_allclose(result.charge_out, [[0.7 * 654.25]], rtol=1e-14, atol=0)
    np.testing.assert_allclose(result["charge_time"], 1234.5, rtol=1e-14, atol=0)
    np.testing.assert_allclose(result["discharge_time"], 654.25, rtol=1e-14, atol=0)
    np.testing.assert_allclose(result["formation_time"], 1234.5 + 10 + 654.25, rtol=1e-14, atol=0)
    squared = 1.3**2 * 1234.5 + 0.7**2 * 654.25
    np.testing.assert_allclose(result["squared_current_time"], squared, rtol=1e-13, atol=0)


def test_a_mere_resistor_is_exact():
    """Level potentials and nothing that could limit but resistances: constant voltage and heat."""
    only_ohm = NO_SEI | FAST_PARTICLES | FAST_KINETICS | FAST_SALT
    result = form(
        [current(-2.0, duration=1000.0)], tabulated=smooth_tables(LEVEL_N, LEVEL_P),
        electrolyte_conductivity_activation=0.0, cooling=0.0,
        **only_ohm,
    )  # fmt: skip
    resistance = _ohmic(**FAST_SALT)
    np.testing.assert_allclose(
        result.energy_in, [[2000 * (3.8 + 2 * resistance)]], rtol=3e-6, atol=0
    )
    warmer = 4 * resistance * 1000 / PARAMETERS["heat_capacity"]
    np.testing.assert_allclose(result["max_cell_temperature"] - 298.15, warmer, rtol=1e-2, atol=0)


def test_salt_settles_in_the_steady_profile():
    p = PARAMETERS
    course = trace(
        [current(2.0, duration=5000.0)], tabulated=smooth_tables(LEVEL_N, LEVEL_P),
        negative_stoichiometry=0.9, positive_stoichiometry=0.1,
        **FAST_KINETICS, **FAST_PARTICLES, **NO_SEI, **NO_HEAT,
    )  # fmt: skip
    # the flux of salt is linear in the electrodes; integrate from collector to collector
    lengths = [p["negative_electrode_thickness"], p["separator_thickness"]]
    lengths.append(p["positive_electrode_thickness"])
    porosity = [p[f"{layer}_porosity"] for layer in ("negative", "separator", "positive")]
    ends = np.cumsum([0.0, *lengths])
    x = np.linspace(0.0, ends[-1], 200_001)
    share = np.clip(np.minimum(x / ends[1], (ends[3] - x) / lengths[2]), 0.0, 1.0)
    eps = np.choose(np.searchsorted(ends[1:3], x), porosity)
    flux = (1 - p["transference_number"]) / FARADAY * 2.0 / p["electrode_area"] * share
    slope = -flux / (p["electrolyte_diffusivity"] * eps**1.5)
    c = np.concatenate([[0.0], np.cumsum(0.5 * np.diff(x) * (slope[1:] + slope[:-1]))])
    c += p["electrolyte_concentration"] - np.average(c, weights=eps)
    ratio = np.log(c[x >= ends[2]]).mean() - np.log(c[x <= ends[1]]).mean()
    chi = 2 * (1 - p["transference_number"]) * p["thermodynamic_factor"]
    expected = 3.8 - 2.0 * _ohmic() + chi * GAS * 298.15 / FARADAY * ratio
    assert ratio < -0.1
    np.testing.assert_allclose(course["voltage"][-1], expected, rtol=0, atol=1e-5)


def test_surfaces_run_ahead_as_fick_says():
    """Linear potentials make the voltage a sum of two exact step responses."""
    linear_n = (lambda x: 0.5 - 0.3 * x, lambda x: -0.3 + 0 * x)
    linear_p = (lambda y: 4.5 - 0.9 * y, lambda y: -0.9 + 0 * y)
    course = trace(
        [current(-2.0, duration=2000.0)], tabulated=smooth_tables(linear_n, linear_p),
        tolerance=0.1, **NO_SEI, **NO_HEAT, **FAST_KINETICS, **FAST_SALT,
    )  # fmt: skip
    squares = np.array(
        [
            brentq(lambda q: math.tan(q) - q, k * math.pi + 1e-9, (k + 0.5) * math.pi - 1e-9) ** 2
            for k in range(1, 200)
        ]
    )
    Q_n, Q_p = cases.capacities()
    expected = linear_p[0](PARAMETERS["positive_stoichiometry"])
    expected -= linear_n[0](PARAMETERS["negative_stoichiometry"])
    expected = expected + 2.0 * _ohmic(**FAST_SALT)
    t = course["time"]
    ahead = {}
    for side, Q in (("negative", Q_n), ("positive", Q_p)):
        radius, D = PARAMETERS[f"{side}_particle_radius"], PARAMETERS[f"{side}_diffusivity"]
        tau = radius**2 / D
        series = 0.2 - (2 / squares * np.exp(-np.outer(t / tau, squares))).sum(axis=1)
        ahead[side] = 2.0 * t / Q + 2.0 * tau / (3 * Q) * np.where(t > 0, series, 0.0)
    expected = expected + 0.3 * ahead["negative"] + 0.9 * ahead["positive"]
    late = t > 5.0
    np.testing.assert_allclose(course["voltage"][late], expected[late], rtol=0, atol=3e-4)


@pytest.mark.parametrize(
    ("law", "seconds"),
    [("tunnelling limited", 1.2e4), ("tunnelling limited", 1e6), ("ec reaction limited", 1e6)],
)
def test_at_rest_the_film_follows_its_integrated_law(law, seconds):
    """At a level potential both laws integrate: a logarithm, and a square root."""
    p = PARAMETERS | LAWS[law]
    half = 0.5 * FARADAY / (GAS * 298.15)
    start = p["sei_initial_thickness"]
    if law == "tunnelling limited":
        beta = p["sei_barrier"]
        rate = p["sei_molar_volume"] / FARADAY * p["sei_prefactor"] * math.exp(-half * 0.1)
        exact = math.log(math.exp(beta * start) + beta * rate * seconds) / beta
    else:
        transferred = math.exp(-half * (0.1 - p["sei_open_circuit_potential"]))
        curve = p["sei_slowing"] * transferred / 2
        total = p["sei_molar_volume"] / FARADAY * p["sei_prefactor"] * transferred * seconds
        total += start + curve * start**2
        exact = (math.sqrt(1 + 4 * curve * total) - 1) / (2 * curve)
    tabulated = smooth_tables(negative=LEVEL_N)
    errors = [
        abs(
            form(
                [rest(seconds)], law=law, tabulated=tabulated, tolerance=tolerance,
                negative_stoichiometry=0.9,
            )["sei_thickness"][0] / exact - 1
        )
        for tolerance in (1.0, 1e-3)
    ]  # fmt: skip
    assert errors[0] < 3e-3
    assert errors[1] < 1e-4


def test_the_lowest_negative_potential_is_that_of_the_fullest_negative():
    result = form(FORMATION[:1], **NO_SEI, **FAST_PARTICLES, **FAST_KINETICS)
    fullest = U_N(result["negative_stoichiometry"])
    np.testing.assert_allclose(result["lowest_negative_potential"], fullest, rtol=1e-4, atol=0)


# steps


def test_a_rest_changes_nothing_and_relaxes():
    steps = [current(-2.0, duration=3000.0), rest(1e5)]
    before, after = form(steps[:1], **NO_SEI), form(steps, **NO_SEI)
    np.testing.assert_array_equal(after.charge_in, before.charge_in)
    np.testing.assert_array_equal(after.energy_in, before.energy_in)
    for side in ("negative", "positive"):
        name = f"{side}_stoichiometry"
        np.testing.assert_array_equal(after[name], before[name])
    course = trace(steps, **NO_SEI)
    np.testing.assert_array_equal(course["current"][course["step"] == 1], 0.0)
    settled = U_P(after["positive_stoichiometry"]) - U_N(after["negative_stoichiometry"])
    np.testing.assert_allclose(course["voltage"][-1], settled, rtol=1e-7, atol=0)
    np.testing.assert_allclose(course["temperature"][-1], 298.15, rtol=1e-9, atol=0)


def test_a_charge_ends_at_its_voltage_and_a_hold_at_its_current():
    course = trace()
    for step in (0, 3, 5, 8):
        ended = course["voltage"][course["step"] == step][-1]
        np.testing.assert_allclose(ended, FORMATION[step].voltage_limit, rtol=0, atol=1e-12)
    for step in (1, 6):
        ended = abs(course["current"][course["step"] == step][-1])
        np.testing.assert_allclose(ended, FORMATION[step].current_limit, rtol=3.1e-3, atol=0)


def test_a_step_ends_at_whichever_limit_comes_first():
    by_time = form([current(-1.0, until=4.2, duration=100.0)])
    np.testing.assert_allclose(by_time["formation_time"], 100.0, rtol=1e-14, atol=0)
    by_voltage = form([current(-1.0, until=4.2, duration=1e6)])
    np.testing.assert_array_equal(by_voltage.outputs, form([current(-1.0, until=4.2)]).outputs)
    held = form([FORMATION[0], hold(4.2, until=0.25, duration=30.0)])
    np.testing.assert_allclose(
        held["formation_time"], by_voltage["formation_time"] + 30.0, rtol=1e-14, atol=0
    )


def test_a_step_of_no_time_is_passed_over():
    nothing = [current(-1.0, duration=0.0), hold(4.0, duration=0.0), rest(5e-324)]
    passed_over = form([*nothing, *FORMATION])
    np.testing.assert_allclose(passed_over.outputs, form().outputs, rtol=1e-9, atol=0)


def test_a_hold_below_its_cut_off_current_is_over():
    steps = [*FORMATION[:2], rest(60.0)]
    twice = [*FORMATION[:2], hold(4.2, until=0.3), rest(60.0)]
    np.testing.assert_allclose(form(twice).outputs, form(steps).outputs, rtol=1e-7, atol=0)


def test_the_voltage_of_a_hold_is_that_of_its_current():
    """The current with which a hold ends gives its voltage as the first of the next step."""
    for volts in (4.2, 4.1):
        steps = [current(-1.0, until=volts), hold(volts, duration=700.0)]
        ended = trace(steps)["current"][-1]
        course = trace([*steps, current(ended, duration=1.0)])
        first = course["voltage"][course["step"] == 2][0]
        np.testing.assert_allclose(first, volts, rtol=0, atol=2e-6)


def test_a_hold_jumps_to_the_current_that_its_voltage_needs():
    volts = _first_voltage(-2.0)
    course = trace([hold(volts, duration=1.0)])
    np.testing.assert_allclose(course["current"][0], -2.0, rtol=1e-6, atol=0)


def test_the_current_of_a_hold_falls_smoothly():
    course = trace([current(-2.0, until=4.2), hold(4.2, until=0.02)], **NO_SEI)
    held = np.abs(course["current"][course["step"] == 1])
    assert (np.diff(held) < 0).all()


def test_the_voltage_of_a_charge_rises_smoothly():
    for law in LAWS:
        course = trace([current(-1.0, until=4.2)], law=law)
        assert (np.diff(course["voltage"]) > 0).all()


def test_sums_are_the_integrals_of_the_course():
    result, course = form(tolerance=0.01), trace(tolerance=0.01)
    time, I, V = course["time"], course["current"], course["voltage"]
    same_step = np.diff(course["step"]) == 0
    middle = 0.5 * np.diff(time) * same_step
    for sign, charge, energy in (
        (-1, result.charge_in, result.energy_in),
        (1, result.charge_out, result.energy_out),
    ):
        flow = np.maximum(sign * I, 0.0)
        passed = (middle * (flow[1:] + flow[:-1])).sum()
        np.testing.assert_allclose(charge.sum(), passed, rtol=2e-5, atol=0)
        power = flow * V
        work = (middle * (power[1:] + power[:-1])).sum()
        np.testing.assert_allclose(energy.sum(), work, rtol=2e-4, atol=0)
    np.testing.assert_allclose(result["formation_time"], time[-1], rtol=2e-5, atol=0)
    np.testing.assert_allclose(
        result["squared_current_time"], np.trapezoid(I**2, time), rtol=1e-3, atol=0
    )
    assert course["temperature"].max() == pytest.approx(result["max_cell_temperature"][0], rel=1e-5)


# order of convergence


@EACH_LAW
def test_errors_fall_with_the_tolerance(law):
    """Fixed times, so that nothing but the integration errs; the slope is against the tolerance, of
    the larger error of both energies: either of them passes through 0, being 1e-6.
    """
    steps = [current(-1.0, duration=12000.0), rest(3600.0), current(1.0, duration=10000.0)]
    tolerances = np.array([1.0, 1 / 8, 1 / 64, 1 / 512])
    exact = _integrals(form(steps, law=law, tolerance=1.2e-4))
    errors = np.array(
        [
            np.abs(_integrals(form(steps, law=law, tolerance=tolerance)) / exact - 1)
            for tolerance in tolerances
        ]
    )
    energy, lost = errors[:, :2].max(axis=1), errors[:, 2]
    assert energy[0] < 1e-5
    assert lost[0] < 2e-3
    assert np.polyfit(np.log(tolerances), np.log(energy), 1)[0] > 0.5
    assert lost[-1] < 5e-5


def _integrals(result):
    return np.array([result.energy_in[0, 0], result.energy_out[0, 0], result["lithium_loss"][0]])


# invariances


def test_twice_the_cell_needs_twice_the_energy():
    extensive = ("electrode_area", "heat_capacity", "cooling")
    double = {name: 2 * PARAMETERS[name] for name in extensive}
    double["contact_resistance"] = PARAMETERS["contact_resistance"] / 2
    steps = [
        dataclasses.replace(step, setpoint=2 * step.setpoint)
        if step.kind == CURRENT
        else dataclasses.replace(step, current_limit=2 * step.current_limit)
        for step in FORMATION
    ]
    one, two = form(), form(steps, **double)
    for name in ("charge_in", "charge_out", "energy_in", "energy_out"):
        np.testing.assert_allclose(getattr(two, name), 2 * getattr(one, name), rtol=1e-12, atol=0)
    charges = {"lithium_loss", "parasitic_charge", "stored_lithium", "kinetic_loss"}
    for name in charges:
        np.testing.assert_allclose(two[name], 2 * one[name], rtol=1e-12, atol=0)
    squared = "squared_current_time"
    np.testing.assert_allclose(two[squared], 4 * one[squared], rtol=1e-12, atol=0)
    for name in set(one.summary) - {*charges, squared}:
        np.testing.assert_allclose(two[name], one[name], rtol=1e-12, atol=0)


def test_slower_is_more_efficient_and_warmer_is_less_resistive():
    slow, fast = (
        form([current(-a, duration=10000.0 / a), current(a, duration=9000.0 / a)], **NO_SEI)
        for a in (0.5, 2.0)
    )
    assert slow.energy_in < fast.energy_in
    assert slow.energy_out > fast.energy_out
    cold, warm = (
        form([current(-1.0, duration=9000.0)], initial_temperature=T, ambient_temperature=T)
        for T in (283.15, 318.15)
    )
    assert warm.energy_in < cold.energy_in


# limits

FURIOUS = [current(-10.0, until=6.0)]


@pytest.mark.parametrize(
    ("code", "steps", "changed"),
    [
        (status.INFEASIBLE_STEP, [current(-1.0, until=2.5)], {}),
        (status.INFEASIBLE_STEP, [current(1.0, until=4.0)], {}),
        (status.STOICHIOMETRY_LIMIT, [current(-1.0)], {}),
        (status.STOICHIOMETRY_LIMIT, [current(-1.0, duration=3600.0), current(1.0)], {}),
        (status.STOICHIOMETRY_LIMIT, [rest(NONE)], {}),
        (status.ELECTROLYTE_DEPLETED, FURIOUS, {"electrolyte_diffusivity": 1e-11}),
        (status.TEMPERATURE_LIMIT, FURIOUS, {"cooling": 0.0, "heat_capacity": 5.0}),
        (status.STEP_COUNT_LIMIT, [current(-1.0, until=4.2), hold(4.2, until=1e-20)], {}),
    ],
)  # fmt: skip
def test_what_cannot_be_solved_gets_its_status(code, steps, changed):
    result = form(steps, **changed)
    assert result.status == code
    assert np.isnan(result.outputs).all()


def test_a_particle_that_is_too_full_may_be_led_away_but_not_stay():
    """Steps may end a little beyond the edge, by the straight line of their last seconds."""
    full = {"negative_stoichiometry": 0.9991, "positive_stoichiometry": 0.3, **NO_SEI}
    course = trace([current(2.0, duration=600.0)], **full)
    assert course["negative_stoichiometry"][0] > 0.999 > course["negative_stoichiometry"][-1]
    for steps in ([rest(600.0)], [current(-2.0, duration=600.0)]):
        assert form(steps, **full).status == status.STOICHIOMETRY_LIMIT


@pytest.mark.parametrize(
    "step",
    [
        current(math.nan, duration=1.0),
        current(math.inf, duration=1.0),
        current(-math.inf, duration=1.0),
        current(1.0, until=math.nan, duration=1.0),
        current(1.0, until=-1.0, duration=1.0),
        current(1.0, duration=math.nan),
        current(1.0, duration=-1.0),
        hold(math.nan, duration=1.0),
        hold(4.0, until=-0.1),
        cases.Step(CURRENT, duration=-1.0),
        current(1.0, charge=-1.0),
        hold(4.0, charge=math.nan),
        cases.power(math.inf, duration=1.0),
        cases.power(-2.0, until=math.nan),
    ],
)
def test_steps_that_make_no_sense_are_invalid(step):
    result = form([rest(1.0), step, rest(1.0)])
    assert result.status == status.INVALID_INPUT
    assert np.isnan(result.outputs).all()


def test_every_parameter_outside_its_bounds_is_invalid():
    over = {name: [] for name in parameters.NAMES}
    for name, (low, high) in parameters.BOUNDS.items():
        for wrong in (low, high, np.nextafter(low, -np.inf), math.nan, math.inf, -math.inf):
            for other in parameters.NAMES:
                over[other].append(wrong if other == name else PARAMETERS[other])
    result = form([rest(1.0)], over)
    assert len(result.status) == 6 * parameters.COUNT
    assert (result.status == status.INVALID_INPUT).all()
    assert np.isnan(result.outputs).all()


def test_lanes_without_a_case_hold_harmless_numbers():
    w, _, _ = workspace.room(parameters.COUNT)
    idle(w)
    assert (w[workspace.STATUS : workspace.STATUS + parameters.LANES] == status.OK).all()
    assert np.isfinite(w).all()


def test_the_made_up_cell_is_inside_its_bounds():
    assert set(PARAMETERS) == set(parameters.NAMES)
    assert form([rest(1.0)]).status == status.OK


HOSTILE = [
    {"electrode_area": -1.0},
    {"electrolyte_diffusivity": 1e-13},
    {"negative_diffusivity": 1e-18},
    {"positive_exchange_current": 1e-20},
    {"heat_capacity": 1e-3, "cooling": 0.0},
    {"positive_stoichiometry": math.nan},
    {"sei_reaction_resistance": 0.0},
]


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda changed: next(iter(changed)))
def test_a_lane_that_fails_leaves_its_neighbours_alone(hostile):
    """Neither the lanes beside it nor the blocks that reuse its workspace see it."""
    alone = form(FORMATION[:2]).outputs
    over = {name: np.full(3 * LANES, PARAMETERS[name]) for name in hostile}
    wrong = np.zeros(3 * LANES, dtype=bool)
    wrong[[0, 3, LANES - 1]] = True  # of the first block, and of a part of the second
    wrong[LANES : LANES + 5] = True
    for name, value in hostile.items():
        over[name][wrong] = value
    result = form(FORMATION[:2], over)
    assert (result.status[wrong] != status.OK).all()
    assert (result.status[~wrong] == status.OK).all()
    np.testing.assert_array_equal(result.outputs[:, ~wrong], np.repeat(alone, (~wrong).sum(), 1))


def test_the_place_of_a_lane_makes_no_difference():
    for law in LAWS:
        result = form(FORMATION[:5], {"electrode_area": np.full(2 * LANES, 0.1)}, law=law)
        first = np.repeat(result.outputs[:, :1], 2 * LANES, axis=1)
        np.testing.assert_array_equal(result.outputs, first)
