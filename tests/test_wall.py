"""Wall energy against hand calculation, a time integral, and the figures of physics."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import cellmodel as cm
from cellmodel.wall import chamber_energy, cycler_energy

IDEAL = {
    "rated_rate": 1.0,
    "charge_efficiency": 1.0,
    "discharge_efficiency": 1.0,
    "no_load_loss": 0.0,
    "recovered": 1.0,
    "standby": 0.0,
    "cable_loss": 0.0,
    "position_heat_loss": 0.0,
    "position_heat_capacity": 0.0,
    "heating_cop": 1.0,
    "cooling_cop": 1.0,
    "hall_temperature": 295.0,
    "soak_hall_power": 0.0,
    "ageing_hall_power": 0.0,
    "hall_heat_loss": 0.0,
}
# a cell of 18 W h and 5 A h, charged at C/10 and discharged at C/5
CASE = {
    "charge_energy": 20.0,
    "discharge_energy": 18.0,
    "charge_time": 11.0,
    "discharge_time": 5.0,
    "channel_time": 18.0,
    "squared_current_time": 0.5**2 * 11 + 1.0**2 * 5,
    "nominal_energy": 18.0,
    "nominal_capacity": 5.0,
}


def cycler(**changes):
    case = CASE | {key: value for key, value in changes.items() if key in CASE}
    fields = IDEAL | {key: value for key, value in changes.items() if key in IDEAL}
    return cycler_energy(**case, equipment=fields)


def test_ideal_equipment_takes_what_the_cell_keeps():
    assert cycler() == pytest.approx(2.0, rel=1e-15)
    assert chamber_energy(320.0, 18.0, [("soak", 24.0, 310.0)], 18.0, IDEAL) == 0


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"charge_efficiency": 0.8}, 20 / 0.8 - 18),
        ({"discharge_efficiency": 0.8}, 20 - 18 * 0.8),
        ({"recovered": 0.0}, 20),
        ({"recovered": 0.5, "discharge_efficiency": 0.9}, 20 - 0.5 * 0.9 * 18),
        ({"standby": 0.02, "rated_rate": 2.0}, 2 + 0.02 * 2 * 18 * 18),
        # rated current 5 A, rated power 18 W: 1 % of 18 W at 5 A
        ({"cable_loss": 0.01}, 2 + 0.01 * 18 * (0.25 * 11 + 5) / 25),
    ],
)
def test_each_loss_by_itself(changes, expected):
    assert cycler(**changes) == pytest.approx(expected, rel=1e-14)


def test_efficiency_at_rated_power_is_the_given_one_and_falls_at_low_load():
    def charge_efficiency(load):
        time = 18.0 / (load * 18.0)
        drawn = cycler(
            charge_energy=18.0,
            charge_time=time,
            discharge_energy=0.0,
            discharge_time=0.0,
            charge_efficiency=0.9,
            discharge_efficiency=0.9,
            no_load_loss=0.02,
        )
        return 18.0 / drawn

    assert charge_efficiency(1.0) == pytest.approx(0.9, rel=1e-14)
    assert charge_efficiency(0.1) == pytest.approx(0.1 / (0.1 + 0.02 + 0.1 * (1 / 0.9 - 1.02)))
    loads = [charge_efficiency(load) for load in (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)]
    assert loads == sorted(loads)


def test_a_discharge_that_does_not_cover_the_losses_draws_them():
    fields = {"discharge_efficiency": 0.9, "charge_efficiency": 0.9, "no_load_loss": 0.05}
    case = {"charge_energy": 0.0, "charge_time": 0.0, "discharge_energy": 1.0}
    drawn = cycler(**case, **fields, discharge_time=100.0, recovered=0.3)
    assert drawn == pytest.approx(0.05 * 18 * 100 - 1.0 * (1 - 0.05), rel=1e-14)


def test_the_closed_form_is_the_integral_over_any_course_of_the_load():
    generator = np.random.default_rng(1)
    power = generator.uniform(-18, 18, 2000)  # W, positive charges; one value per 0.01 h
    fields = {"charge_efficiency": 0.88, "discharge_efficiency": 0.85, "no_load_loss": 0.03}
    charging = power > 0
    slope = np.where(charging, 1 / 0.88 - 1.03, 0.97 - 0.85)
    loss = 18 * 0.03 + slope * np.abs(power)
    expected = np.sum(np.where(charging, power + loss, -(-power - loss))) * 0.01
    drawn = cycler(
        charge_energy=power[charging].sum() * 0.01,
        discharge_energy=-power[~charging].sum() * 0.01,
        charge_time=charging.sum() * 0.01,
        discharge_time=(~charging).sum() * 0.01,
        **fields,
    )
    assert drawn == pytest.approx(expected, rel=1e-11)


def test_heat_for_position_and_halls():
    fields = IDEAL | {
        "position_heat_loss": 0.5,
        "position_heat_capacity": 7200.0,
        "heating_cop": 2.0,
        "cooling_cop": 4.0,
        "soak_hall_power": 3.0,
        "ageing_hall_power": 1.0,
        "hall_heat_loss": 0.1,
    }
    # 18 W h of cell; 7200 J/K/kWh is 2 W h/K/kWh
    warm = chamber_energy(305.0, 20.0, [], 18.0, fields)
    assert warm == pytest.approx(0.018 * (2 + 0.5 * 20) * 10 / 2, rel=1e-14)
    cold = chamber_energy(285.0, 20.0, [], 18.0, fields)
    assert cold == pytest.approx(0.018 * (2 + 0.5 * 20) * 10 / 4, rel=1e-14)
    halls = [("soak", 24.0, 315.0), ("ageing", 100.0, 295.0)]
    expected = 0.018 * ((2 + 0.1 * 24) * 20 / 2 + 3 * 24 + 100)
    assert chamber_energy(295.0, 20.0, halls, 18.0, fields) == pytest.approx(expected, rel=1e-14)


def test_dataarrays_give_what_floats_give():
    recovered = xr.DataArray([0.0, 0.5, 1.0], dims="recovered")
    energy = xr.DataArray([20.0, 21.0], dims="charge_rate")
    result = cycler(recovered=recovered, charge_energy=energy, charge_efficiency=0.9)
    assert result.dims == ("charge_rate", "recovered")
    for i, c in enumerate(energy.values):
        for j, r in enumerate(recovered.values):
            one = cycler(recovered=r, charge_energy=c, charge_efficiency=0.9)
            np.testing.assert_allclose(result[i, j], one, rtol=1e-15, atol=0)
    temperature = xr.DataArray([285.0, 305.0], dims="temperature")
    fields = IDEAL | {"position_heat_loss": 0.5}
    chamber = chamber_energy(temperature, energy, [("soak", 1.0, temperature)], 18.0, fields)
    assert chamber.shape == (2, 2)


@given(
    st.floats(0.4, 1),
    st.floats(0.4, 1),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0.3, 3),
)
def test_worse_equipment_never_takes_less(charge, discharge, share, recovered, rate):
    no_load = share * min(1 / charge - 1, 1 - discharge)
    fields = {"no_load_loss": no_load, "recovered": recovered, "rated_rate": rate}
    drawn = cycler(charge_efficiency=charge, discharge_efficiency=discharge, **fields)
    assert drawn >= 2.0 - 1e-12
    worse = cycler(
        charge_efficiency=charge,
        discharge_efficiency=discharge,
        **(fields | {"recovered": recovered / 2, "standby": 0.01, "cable_loss": 0.01}),
    )
    assert worse > drawn


@pytest.mark.parametrize(
    ("efficiency", "recovered", "expected"),
    [(0.95, 1.0, 0.51), (0.92, 1.0, 0.71), (0.85, 1.0, 1.21), (0.85, 0.0, 3.81)],
)
def test_three_cycle_protocol_of_weng(efficiency, recovered, expected):
    """3.24 kWh in and 3.06 out per kWh of cell (Weng et al. 2023), by hand per efficiency."""
    drawn = cycler(
        charge_energy=3.24,
        discharge_energy=3.06,
        charge_efficiency=efficiency,
        discharge_efficiency=efficiency,
        recovered=recovered,
    )
    assert drawn == pytest.approx(expected, abs=0.01)


def test_shipped_cyclers_land_where_the_literature_says():
    """0.5 to 7 kWh per kWh of cell is published for formation and ageing."""
    plant, laboratory = (
        cycler_energy(**CASE, equipment=cm.load_equipment(name).values()) / 18.0
        for name in ("regenerative-cycler", "laboratory-cycler")
    )
    assert 0.3 < plant < 2.0
    assert 2.0 < laboratory < 7.0
