"""Two materials in one electrode: closed forms, conservation, one material in two parts."""

import numpy as np
import pytest
from march_cases import (
    FORMATION,
    NEGATIVE,
    NO_HEAT,
    NO_SEI,
    PARAMETERS,
    TABLES,
    capacities,
    current,
    form,
    rest,
)

from kernels import second_phase, tables
from kernels.kinetics import FARADAY
from kernels.status import ELECTROLYTE_DEPLETED, INVALID_INPUT, OK, STOICHIOMETRY_LIMIT

pytestmark = pytest.mark.kernel

#: like silicon: a fifth of the capacity in small particles
SILICON = {
    "second_active_material_fraction": 0.02,
    "second_particle_radius": 1.5e-6,
    "second_maximum_concentration": 278000.0,
    "second_diffusivity": 2e-14,
    "second_exchange_current": 0.6,
    "second_exchange_current_activation": 35e3,
    "second_exchange_current_order": 0.5,
    "second_stoichiometry": 0.01,
    "second_sei_prefactor": 0.3,
}
SALTLESS = {"transference_number": 1.0 - 1e-12}


def two_tables(potential=NEGATIVE, apart=0.0):
    """Tables of a second material, its branches `apart` [V]; the finer ones are exact already."""
    table, flat = TABLES[0].copy(), TABLES[1].copy()
    grid = np.linspace(0.0, 1.0, tables.INTERVALS + 1)
    level, ones = np.zeros_like(grid), np.ones_like(grid)
    table[tables.U_2] = tables.hermite_table(potential[0](grid), potential[1](grid))
    table[tables.HALF_2] = tables.hermite_table(0.5 * apart * ones, level)
    for which in (tables.U_N_EMPTY, tables.U_2_EMPTY, tables.HALF_2_EMPTY):
        table[which] = tables.hermite_table(level, level)
    return table, flat


SLOPING = (
    lambda x: 0.7 - 0.65 * x + 0.6 * np.exp(-40 * x),
    lambda x: -0.65 - 24.0 * np.exp(-40 * x),
)
HYSTERESIS = two_tables(SLOPING, 0.1)


def second_capacity(**changed):
    p = PARAMETERS | changed
    volume = p["electrode_area"] * p["negative_electrode_thickness"]
    volume *= p["second_active_material_fraction"]
    return FARADAY * volume * p["second_maximum_concentration"]


@pytest.mark.parametrize("through", [-3.0, -1e-3, 0.0, 0.2, 40.0])
@pytest.mark.parametrize("distance", [-12.0, -0.3, 0.0, 1.0, 25.0])
def test_currents_of_given_surfaces_share_one_potential(through, distance):
    own, own_2 = 0.8, 0.1
    I_2 = second_phase.share_of_second(through, own, own_2, distance)
    apart = np.arcsinh((through - I_2) / own) - np.arcsinh(I_2 / own_2)
    np.testing.assert_allclose(apart, distance, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("law", ["tunnelling limited", "ec reaction limited"])
def test_charge_and_lithium_are_conserved(law):
    result = form(tabulated=HYSTERESIS, law=law, **SILICON)
    assert result.status == OK
    negative, positive = capacities()
    negative += second_capacity(**SILICON)
    passed = result.charge_in.sum() - result.charge_out.sum()
    taken = (PARAMETERS["positive_stoichiometry"] - result["positive_stoichiometry"]) * positive
    np.testing.assert_allclose(taken, passed, rtol=1e-10, atol=0)
    gained = (result["negative_stoichiometry"] - 0.01) * negative
    assert (result["lithium_loss"] > 0.01 * positive).all()
    np.testing.assert_allclose(gained, passed - result["lithium_loss"], rtol=1e-10, atol=0)


def test_both_films_take_lithium():
    one = form(tabulated=HYSTERESIS, **SILICON | {"second_sei_prefactor": 0.0})
    two = form(tabulated=HYSTERESIS, **SILICON)
    assert (two["lithium_loss"] > 1.01 * one["lithium_loss"]).all()


def test_one_material_in_two_parts_is_one_material():
    """Without salt and side reactions, where PyBaMM's two forms of SPMe are one."""
    same = {f"second_{name}": PARAMETERS[f"negative_{name}"] for name in (
        "particle_radius", "maximum_concentration", "diffusivity", "diffusivity_activation",
        "exchange_current", "exchange_current_activation", "exchange_current_order",
        "stoichiometry",
    )}  # fmt: skip
    plain = SALTLESS | NO_SEI | NO_HEAT | {"second_sei_prefactor": 0.0}
    part = 0.3 * PARAMETERS["negative_active_material_fraction"]
    rest_of_it = PARAMETERS["negative_active_material_fraction"] - part
    halves = {
        "negative_active_material_fraction": rest_of_it,
        "second_active_material_fraction": part,
    }
    whole = form(tolerance=0.01, **plain)
    parts = form(tabulated=two_tables(), tolerance=0.01, **plain, **same, **halves)
    assert parts.status == OK
    for name in ("charge_in", "charge_out", "energy_in", "energy_out"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-5, atol=0)
    for name in ("negative_stoichiometry", "highest_negative_stoichiometry"):
        np.testing.assert_allclose(parts[name], whole[name], rtol=1e-4, atol=0)


def test_a_slow_cycle_loses_the_area_between_the_branches():
    """Nearly all charge goes into the second material on one branch and out on the other."""
    slow = (current(-0.05, duration=36000.0), current(0.05, duration=36000.0, cycle=1))
    most = SILICON | NO_SEI | {"second_sei_prefactor": 0.0}
    most |= {"negative_active_material_fraction": 0.01, "negative_stoichiometry": 0.03}
    lost = [
        form(slow, tabulated=two_tables(SLOPING, apart), **most | {"second_stoichiometry": 0.1})
        for apart in (0.0, 0.2)
    ]
    none, some = (result.energy_in.sum() - result.energy_out.sum() for result in lost)
    share = (some - none) / (0.2 * 0.05 * 36000.0)
    assert 0.9 < share < 1.0


def test_errors_fall_with_the_tolerance():
    def numbers(tolerance):
        result = form(tabulated=HYSTERESIS, tolerance=tolerance, **SILICON)
        assert result.status == OK
        energies = result.energy_in.sum(), result.energy_out.sum()
        return np.array([*energies, result["lithium_loss"][0]])

    exact = numbers(3e-3)
    errors = [np.abs(numbers(tolerance) / exact - 1.0).max() for tolerance in (1.0, 0.1)]
    assert errors[0] < 1e-3
    assert errors[1] < 0.4 * errors[0]


def test_a_case_does_not_see_the_others():
    rng = np.random.default_rng(5)
    over = {
        "second_active_material_fraction": rng.uniform(0.01, 0.04, 40),
        "second_exchange_current": rng.uniform(0.2, 2.0, 40),
        "ambient_temperature": rng.uniform(283.0, 323.0, 40),
        "electrode_area": rng.uniform(0.05, 0.2, 40),
    }
    together = form(over=over, tabulated=HYSTERESIS, **SILICON)
    backwards = form(
        over={name: values[::-1] for name, values in over.items()}, tabulated=HYSTERESIS, **SILICON
    )
    assert (together.status == OK).sum() > 30
    np.testing.assert_array_equal(together.outputs, backwards.outputs[:, ::-1])
    for case in (0, 17, 39):
        alone = form(
            over={name: values[case : case + 1] for name, values in over.items()},
            tabulated=HYSTERESIS,
            **SILICON,
        )
        np.testing.assert_array_equal(alone.outputs[:, 0], together.outputs[:, case])


def test_cases_that_cannot_be_solved_get_a_status():
    fast = (current(-60.0, duration=600.0), *FORMATION[1:])
    cooled = SILICON | NO_HEAT
    assert form(fast, tabulated=HYSTERESIS, **cooled).status == ELECTROLYTE_DEPLETED
    drained = (current(-1.0, duration=3600.0), current(1.0, duration=7200.0), rest(60.0))
    assert form(drained, tabulated=HYSTERESIS, **SILICON).status == STOICHIOMETRY_LIMIT
    # where another case has a second material, one without is no cell of these equations
    shares = np.array([0.02, 0.0, -1.0, 1.0, np.nan])
    over = {"second_active_material_fraction": shares}
    status = form(over=over, tabulated=HYSTERESIS, **SILICON).status
    np.testing.assert_array_equal(status, [OK] + 4 * [INVALID_INPUT])


@pytest.mark.parametrize("decades", [0.3, 1.0])
def test_absurd_cells_end_in_a_status_or_finite_outputs(decades):
    rng = np.random.default_rng(int(10 * decades))
    shape = (len(SILICON), 64)
    factors = 10 ** rng.uniform(-decades, decades, shape)
    over = dict(zip(SILICON, np.array([*SILICON.values()])[:, None] * factors, strict=True))
    over["electrode_area"] = 0.11 * 10 ** rng.uniform(-decades, decades, 64)
    result = form(over=over, tabulated=HYSTERESIS, **SILICON)
    solved = result.status == OK
    assert solved.any()
    result["kinetic_loss"][solved] = 0.0  # NaN: two materials have none
    assert np.isfinite(result.outputs[:, solved]).all()
    assert np.isnan(result.outputs[:, ~solved]).all()
    assert (result["lithium_loss"][solved] >= 0.0).all()
