"""Protocol steps of one made-up cell: power, capacity limits, whichever limit comes first."""

from __future__ import annotations

import numpy as np
import pytest
from march_cases import NO_SEI, current, form, hold, power, rest, trace

from kernels.status import OK

pytestmark = pytest.mark.kernel

TO_FULL = current(-1.0, until=4.2)
FRESH = [rest(1.0)]
AHEAD = [current(-1.0, duration=9000.0), rest(600.0)]  # half full, for what discharges


def _passed(steps, last):
    """Charge and energy in and out, and time, of the `last` step after the others."""
    before, after = form(steps), form([*steps, last])
    assert after.status == OK
    sums = ("charge_in", "charge_out", "energy_in", "energy_out")
    passed = [getattr(after, name)[0, 0] - getattr(before, name)[0, 0] for name in sums]
    return *passed, (after["formation_time"] - before["formation_time"])[0]


# power


@pytest.mark.parametrize(
    ("steps", "watts"), [(FRESH, -4.0), (AHEAD, -0.5), (AHEAD, 4.0), (AHEAD, 25.0)]
)
def test_voltage_times_current_is_the_power(steps, watts):
    course = trace([*steps, power(watts, duration=1000.0)])
    powered = course["step"] == len(steps)
    assert powered.sum() > 10
    product = (course["voltage"] * course["current"])[powered]
    np.testing.assert_allclose(product[0], watts, rtol=1e-3, atol=0)  # Newton's last iteration
    np.testing.assert_allclose(product[1:], watts, rtol=1e-5, atol=0)


@pytest.mark.parametrize("watts", [-4.0, 4.0])
def test_energy_is_power_times_time(watts):
    *_, energy_in, energy_out, time = _passed(AHEAD, power(watts, duration=3000.0))
    np.testing.assert_allclose(time, 3000.0, rtol=1e-12, atol=0)
    np.testing.assert_allclose(max(energy_in, energy_out), 12000.0, rtol=1e-4, atol=0)


def test_no_power_is_a_rest():
    powered, rested = trace([*AHEAD, power(0.0, duration=500.0)]), trace([*AHEAD, rest(500.0)])
    np.testing.assert_array_equal(powered["current"][powered["step"] == 2], 0.0)
    np.testing.assert_allclose(powered["voltage"][-1], rested["voltage"][-1], rtol=1e-7, atol=0)


def test_a_power_step_ends_at_its_voltage():
    for steps, step in ((FRESH, power(-4.0, until=4.2)), (AHEAD, power(4.0, until=3.2))):
        course = trace([*steps, step])
        np.testing.assert_allclose(course["voltage"][-1], step.voltage_limit, rtol=0, atol=2.1e-4)


# charge


@pytest.mark.parametrize(
    ("steps", "step"),
    [
        (FRESH, current(-1.0, charge=5000.0)),
        (AHEAD, current(2.0, charge=7000.0)),
        (FRESH, power(-4.0, charge=500.0)),
        (FRESH, power(-4.0, charge=9000.0)),
        (AHEAD, power(4.0, charge=7000.0)),
        ([TO_FULL], hold(4.2, charge=10.0)),
        ([TO_FULL], hold(4.2, charge=300.0)),
        (AHEAD, hold(3.6, charge=1000.0)),
    ],
)
def test_a_charge_limit_passes_exactly_its_charge(steps, step):
    charge_in, charge_out, *_ = _passed(steps, step)
    np.testing.assert_allclose(max(charge_in, charge_out), step.charge, rtol=1e-9, atol=0)
    assert min(charge_in, charge_out) == 0


@pytest.mark.parametrize("step", [power(-4.0, charge=9000.0), hold(4.1, charge=9000.0)])
def test_the_time_to_a_charge_is_that_of_small_steps(step):
    plain, fine = (form([step], tolerance=t, **NO_SEI) for t in (1.0, 0.01))
    np.testing.assert_allclose(plain["formation_time"], fine["formation_time"], rtol=1e-3, atol=0)


def test_the_time_of_a_hold_is_that_of_small_steps():
    """Its current decays along a parabola within each; along straight lines it would be 4e-4."""
    steps = [current(-2.0, until=4.2), hold(4.2, until=0.05)]
    plain, fine = (form(steps, tolerance=t) for t in (1.0, 1e-3))
    np.testing.assert_allclose(plain["formation_time"], fine["formation_time"], rtol=3e-4, atol=0)


def test_each_step_counts_its_own_charge():
    once = form([current(-1.0, charge=3000.0), power(-4.0, charge=2000.0)])
    twice = form([*([current(-1.0, charge=1500.0)] * 2), *([power(-4.0, charge=1000.0)] * 2)])
    np.testing.assert_allclose(once.charge_in, 5000.0, rtol=1e-12, atol=0)
    np.testing.assert_allclose(twice.charge_in, 5000.0, rtol=1e-12, atol=0)


# whichever comes first


@pytest.mark.parametrize("kind", ["current", "power"])
def test_voltage_time_or_charge_whichever_comes_first(kind):
    make, setpoint = {"current": (current, -1.0), "power": (power, -4.0)}[kind]
    far = {"until": 4.2, "duration": 1e6, "charge": 1e6}
    near = {"until": 4.0, "duration": 3000.0, "charge": 2500.0}
    for name, value in near.items():
        alone = form([make(setpoint, **{name: value})])
        among = form([make(setpoint, **(far | {name: value}))])
        np.testing.assert_allclose(among.outputs, alone.outputs, rtol=1e-6, atol=0)
    every = form([make(setpoint, **near)])
    first = min(
        form([make(setpoint, **{name: value})])["formation_time"] for name, value in near.items()
    )
    np.testing.assert_allclose(every["formation_time"], first, rtol=1e-6, atol=0)


def test_current_time_or_charge_of_a_hold_whichever_comes_first():
    far = {"until": 1e-3, "duration": 1e6, "charge": 1e6}
    near = {"until": 0.5, "duration": 700.0, "charge": 200.0}
    times = {}
    for name, value in near.items():
        *_, times[name] = _passed([TO_FULL], hold(4.2, **{name: value}))
        *_, among = _passed([TO_FULL], hold(4.2, **(far | {name: value})))
        np.testing.assert_allclose(among, times[name], rtol=1e-6, atol=0)
    *_, first = _passed([TO_FULL], hold(4.2, **near))
    np.testing.assert_allclose(first, min(times.values()), rtol=1e-6, atol=0)
    assert len({round(time) for time in times.values()}) == 3


# many steps


PULSES = [
    *AHEAD,
    *(
        [
            power(-4.0, charge=200.0),
            rest(60.0),
            current(0.5, duration=30.0),
            hold(3.6, duration=60.0),
        ]
        * 16
    ),
][:64]


def test_a_protocol_of_64_steps_runs():
    assert form(PULSES).status == OK
    assert set(trace(PULSES)["step"]) == set(range(64))


def test_many_short_steps_take_their_time_and_energy():
    result, course = form(PULSES), trace(PULSES)
    np.testing.assert_allclose(result["formation_time"], course["time"][-1], rtol=1e-3, atol=0)
    fine = form(PULSES, tolerance=0.01)
    np.testing.assert_allclose(fine.energy_in, result.energy_in, rtol=1e-3, atol=0)
