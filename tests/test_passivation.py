"""Unpassivated surface: leak, healing, lithium lost and kept."""

from dataclasses import replace

import numpy as np
import pytest
from march_cases import (
    NEGATIVE,
    NO_HEAT,
    NO_SEI,
    PARAMETERS,
    POSITIVE,
    capacities,
    current,
    form,
    hold,
    rest,
)

from kernels import passivation
from kernels import workspace as s
from kernels.cell import idle
from kernels.parameters import LANES
from kernels.protocol import CURRENT, SKIP, VOLTAGE
from kernels.status import INFEASIBLE_STEP, OK
from kernels.time_step import follow_side_charge

pytestmark = pytest.mark.kernel

BARE = {"new_surface_stoichiometry": 0.2}
ACTIVE = BARE | {
    "shuttle_current": 1.0,
    "oxidation_current": 0.01,
    "oxidation_potential": 4.3,
    "unpassivated_current": 0.2,
    "passivation_charge": 100.0,
    "storage_rate": 0.05,
}


def test_half_of_the_shuttle_passes_at_its_onset():
    assert passivation.gate(4.25, 4.25, 0.03) == 0.5


def test_the_slope_of_the_leak_is_its_derivative():
    numbers = (3.0, 4.25, 0.03, 0.01, 4.4, 0.1)
    for potential in (3.5, 4.2, 4.25, 4.3, 4.5):
        _, slope = passivation.leak_density(potential, *numbers)
        above, _ = passivation.leak_density(potential + 1e-5, *numbers)
        below, _ = passivation.leak_density(potential - 1e-5, *numbers)
        np.testing.assert_allclose(slope, (above - below) / 2e-5, rtol=1e-6, atol=0)


def test_without_coefficients_nothing_happens():
    plain, bare = form(), form(**BARE)
    assert bare.status == OK
    for name in ("parasitic_charge", "stored_lithium"):
        assert bare[name] == 0.0
    for name in ("charge_in", "charge_out", "energy_in", "energy_out"):
        # a step begins with a search for its current, so that time steps differ
        np.testing.assert_allclose(getattr(bare, name), getattr(plain, name), rtol=2e-5, atol=0)


@pytest.mark.parametrize("storage_capacity", [1e6, 5.0])
def test_charge_and_lithium_are_conserved(storage_capacity):
    result = form(**ACTIVE, storage_capacity=storage_capacity)
    assert result.status == OK
    negative, positive = capacities()
    x_0, y_0 = PARAMETERS["negative_stoichiometry"], PARAMETERS["positive_stoichiometry"]
    inside = result.charge_in.sum() - result.charge_out.sum() - result["parasitic_charge"]
    assert (result["parasitic_charge"] > 100.0).all()
    assert (result["stored_lithium"] > 10.0).all()
    taken = (y_0 - result["positive_stoichiometry"]) * positive
    np.testing.assert_allclose(taken, inside, rtol=1e-10, atol=0)
    consumed = result["lithium_loss"] + result["stored_lithium"]
    gained = (result["negative_stoichiometry"] - x_0) * negative
    np.testing.assert_allclose(gained, inside - consumed, rtol=1e-10, atol=0)


def test_errors_fall_with_the_tolerance():
    names = ("lithium_loss", "parasitic_charge", "stored_lithium")
    exact = form(tolerance=1e-2, **ACTIVE)
    errors = [
        max(abs(form(tolerance=t, **ACTIVE)[n] / exact[n] - 1.0)[0] for n in names)
        for t in (1.0, 0.1)
    ]
    assert errors[0] < 0.015
    assert errors[1] < 0.5 * errors[0]


def test_surface_heals_at_rest():
    hours = np.array([1.0, 2.0, 5.0])
    charge = current(-1.0, duration=3600.0)
    left = form(
        (charge, rest(3600.0)),
        {(1, "duration"): 3600.0 * hours},
        **ACTIVE | NO_HEAT,
    )["unpassivated_surface"]
    # healing_time is an hour, at the reference temperature
    np.testing.assert_allclose(left / left[0], np.exp(-(hours - 1.0)), rtol=1e-6, atol=0)


def test_warm_surface_heals_faster():
    steps = (current(-1.0, duration=3600.0), rest(7200.0))
    warm = {"ambient_temperature": 318.15, "initial_temperature": 318.15}
    left = [
        form(steps, **ACTIVE | NO_HEAT | changed)["unpassivated_surface"] for changed in ({}, warm)
    ]
    assert 0.0 < left[1] < 0.1 * left[0]


def stored(hours, capacity):
    """Return what a half-full electrode keeps at rest, in all [C] and per surface [C m-2]."""
    half = {"negative_stoichiometry": 0.5, "positive_stoichiometry": 0.6}
    numbers = BARE | {"storage_rate": 0.01, "storage_capacity": capacity} | half | NO_SEI | NO_HEAT
    result = form((rest(1.0),), {(0, "duration"): 3600.0 * hours}, **numbers)
    surface = 3.0 * PARAMETERS["negative_active_material_fraction"]
    surface *= PARAMETERS["negative_electrode_thickness"] * PARAMETERS["electrode_area"]
    surface /= PARAMETERS["negative_particle_radius"]
    return result["stored_lithium"], result["stored_lithium"] / surface


def test_an_endless_store_fills_with_the_square_root_of_time():
    hours = np.array([1.0, 4.0, 100.0])
    kept, density = stored(hours, 1e9)
    negative, _ = capacities()
    start = passivation.STORE_AT_START
    # what is kept lowers x; to first order its mean counts
    x = 0.5 - kept / negative * (2.0 / 3.0)
    expected = np.sqrt(start**2 + 0.01**2 * x * 3600.0 * hours) - start
    np.testing.assert_allclose(density, expected, rtol=1e-4, atol=0)


def test_a_store_gets_full():
    hours, capacity = np.array([1.0, 4.0, 20.0, 100.0, 1000.0]), 2.0
    _, density = stored(hours, capacity)
    start = passivation.STORE_AT_START
    # Vermeulen 1953, Ind. Eng. Chem. 45, 1664
    full = -np.expm1(-((0.01 / capacity) ** 2) * 0.5 * 3600.0 * hours)
    expected = np.sqrt(start**2 + (capacity**2 - start**2) * full) - start
    # x falls by this while lithium is kept
    np.testing.assert_allclose(density, expected, rtol=1e-3, atol=0)
    assert (density < capacity).all()
    np.testing.assert_allclose(density[-1], capacity - start, rtol=1e-9, atol=0)


def test_kinetic_loss_is_what_equilibrium_would_still_give():
    result = form()
    negative, positive = capacities()
    x = result["negative_stoichiometry"] - result["kinetic_loss"] / negative
    y = result["positive_stoichiometry"] + result["kinetic_loss"] / positive
    np.testing.assert_allclose(POSITIVE[0](y) - NEGATIVE[0](x), 3.0, rtol=1e-4, atol=0)


def test_a_stage_that_is_past_its_limit_is_passed_over():
    first = current(-1.0, until=1.0)
    others = (current(-1.0, until=4.0), hold(4.0, until=0.25), current(1.0, until=3.0))
    assert form((first, *others)).status == INFEASIBLE_STEP
    passed = form((replace(first, kind=first.kind + SKIP), *others))
    alone = form(others)
    # no charge passes, but the next step knows a voltage to begin from: time steps differ
    np.testing.assert_allclose(passed.outputs, alone.outputs, rtol=1e-6, atol=1e-12)


def test_surface_heals_on_the_way_from_a_time_step_to_a_limit():
    """A step may end before or beyond a limit, by a way that is taken on straight lines."""
    w = np.empty(s.SIZE)
    idle(w)
    beyond, tau = np.linspace(-40.0, 40.0, LANES), 1000.0
    rows = {
        s.SURFACE: 0.5, s.SURFACE_1: 0.45, s.H: 200.0, s.ACCEPTED: 1.0, s.FINISHED: 1.0,
        s.BEYOND: beyond, s.HEALING_1: 1.0 / tau,
    }  # fmt: skip
    for row, value in rows.items():
        w[row : row + LANES] = value
    passivation.keep(w)
    left = w[s.SURFACE : s.SURFACE + LANES]
    np.testing.assert_allclose(left, 0.45 * np.exp(-beyond / tau), rtol=1e-3, atol=0)


@pytest.mark.parametrize(("kind", "moves"), [(CURRENT, True), (VOLTAGE, False)])
def test_surface_and_voltage_follow_what_the_step_consumed(kind, moves):
    """By as much as the mean stoichiometry, along the slope; a voltage that is held stays."""
    w = np.empty(s.SIZE)
    idle(w)
    rows = {
        s.KIND: kind, s.XS: 0.4, s.V_1: 3.7, s.POT_N: 0.1, s.SLOPE_N: -2.0, s.AREA_N: 0.3,
        s.S_N: 5.0, s.Q_N: 1e-4, s.J_0: 1e-3, s.J_GUESS: 1e-3, s.H: 100.0, s.SIDE_CHARGE: 0.3,
    }  # fmt: skip
    for row, value in rows.items():
        w[row : row + LANES] = value
    follow_side_charge(w)
    x = -1e-4 * 5.0 * (0.3 - 0.1) if moves else 0.0
    expected = {s.XS: 0.4 + x, s.POT_N: 0.1 - 2.0 * x, s.V_1: 3.7 + 2.0 * x, s.SIDE_SHIFT: x}
    expected[s.AREA_N] = 0.3 + 0.1 * x
    for row, value in expected.items():
        np.testing.assert_allclose(w[row : row + LANES], value, rtol=1e-13, atol=0)
