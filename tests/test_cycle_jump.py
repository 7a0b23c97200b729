"""Adaptive cycle jumping on cells whose life is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

import cellmodel as cm
from cellmodel.cycle_jump import March, at_whole_cycles, march

CAPACITY = 2.0  # A h


class Toy:
    """Lithium is lost at `rate(loss)` A h per cycle; the state is (lithium left, loss).

    A fast state relaxes by nine tenths a cycle, so that what follows a leap has to settle.
    """

    def __init__(self, rate, fails_beyond=np.inf):
        self.rate, self.fails_beyond = rate, fails_beyond
        self.visits = []

    def run(self, state):
        lithium, loss, fast = (CAPACITY, 0.0, 0.0) if state is None else state
        if loss > self.fails_beyond:
            raise cm.InputError("nothing left")
        step = 0.0
        for _ in range(50):  # Euler's midpoint rule
            middle = loss + step + 0.01 * self.rate(loss + step)
            step += 0.02 * self.rate(middle)
        end = np.array([lithium - step, loss + step, 0.1 * fast + 0.9 * loss])
        capacity = CAPACITY - end[1] - 0.1 * end[1] ** 2 - 1e-3 * (fast - loss)
        return end, {
            "lithium_loss": end[1],
            "charge_capacity": capacity,
            "discharge_capacity": capacity,
            "film": 3.0 * end[1],
        }

    def course(self, cycles, tolerance=1e-4, stops=()):
        how = March(
            self.run,
            lambda a, b, factor: b + factor * (b - a),
            lambda stop, state: self.visits.append((stop, state)),
        )
        return march(how, cycles, tolerance, stops)


def tunnelling(loss):
    return 5e-3 * np.exp(-loss / 0.05)


def diffusing(loss):
    return 1e-4 / (0.02 + loss)


LAWS = {
    "logarithm of time": (tunnelling, lambda n: 0.05 * np.log1p(n * 5e-3 / 0.05)),
    "root of time": (diffusing, lambda n: np.sqrt(0.02**2 + 2e-4 * n) - 0.02),
    "constant": (lambda loss: 2e-4, lambda n: 2e-4 * n),
    "accelerating": (lambda loss: 1e-4 + 1e-3 * loss, lambda n: 0.1 * np.expm1(1e-3 * n)),
}


@pytest.mark.parametrize(("rate", "closed_form"), LAWS.values(), ids=LAWS)
@pytest.mark.parametrize("tolerance", [1e-3, 1e-4])
def test_loss_follows_the_closed_form(rate, closed_form, tolerance):
    course = Toy(rate).course(1000, tolerance)
    loss = at_whole_cycles(course, 1000)["lithium_loss"]
    exact = closed_form(np.arange(1, 1001))
    assert np.abs(loss - exact).max() < tolerance * CAPACITY
    assert course.simulated < 120


def test_every_result_follows_every_cycle_simulated():
    toy = Toy(diffusing)
    leapt, every = (at_whole_cycles(toy.course(800, t), 800) for t in (1e-4, None))
    for name in every:
        np.testing.assert_allclose(leapt[name], every[name], rtol=0, atol=1e-4 * CAPACITY)


def test_lithium_that_is_kept_counts_as_that_which_is_lost():
    """A little is lost at a constant rate, much kept with the root of time."""

    def run(state):
        lithium, lost, kept = (CAPACITY, 0.0, 0.0) if state is None else state
        lost_now = lost + 1e-5
        kept_now = np.sqrt((0.02 + kept) ** 2 + 2e-4) - 0.02
        end = np.array([lithium + lost - lost_now + kept - kept_now, lost_now, kept_now])
        results = {"lithium_loss": lost_now, "stored_lithium": kept_now}
        return end, results | dict.fromkeys(("charge_capacity", "discharge_capacity"), end[0])

    def ahead(earlier, later, factor):
        return later + factor * (later - earlier)

    course = march(March(run, ahead, lambda stop, state: None), 1000, 1e-4)
    assert course.simulated < 120
    found = at_whole_cycles(course, 1000)
    cycles = np.arange(1, 1001)
    kept = np.sqrt(0.02**2 + 2e-4 * cycles) - 0.02
    for name, exact in (
        ("stored_lithium", kept),
        ("discharge_capacity", CAPACITY - 1e-5 * cycles - kept),
    ):
        np.testing.assert_allclose(found[name], exact, rtol=0, atol=2e-4 * CAPACITY, err_msg=name)


def test_a_smaller_tolerance_is_more_accurate_and_dearer():
    exact = LAWS["root of time"][1](np.arange(1, 2001))
    errors, effort = [], []
    for tolerance in (1e-3, 1e-6):
        course = Toy(diffusing).course(2000, tolerance)
        errors.append(np.abs(at_whole_cycles(course, 2000)["lithium_loss"] - exact).max())
        effort.append(course.simulated)
    assert errors[1] < 0.2 * errors[0]
    assert effort[1] > effort[0]


def test_what_is_conserved_stays_conserved_across_leaps():
    toy = Toy(tunnelling)
    toy.course(3000, 1e-4, stops=(1000, 2000, 3000))
    assert len(toy.visits) == 3
    for _, state in toy.visits:
        np.testing.assert_allclose(state[0] + state[1], CAPACITY, rtol=1e-13, atol=0)


def test_stops_are_visited_where_they_are():
    toy = Toy(tunnelling)
    toy.course(600, 1e-4, stops=(5, 300, 600))
    assert [stop for stop, _ in toy.visits] == [5, 300, 600]
    for stop, state in toy.visits:
        cycle = tunnelling(state[1])
        assert abs(state[1] - LAWS["logarithm of time"][1](stop)) < 1.2 * cycle
    exactly = Toy(tunnelling)
    exactly.course(8, None, stops=(4, 8))
    one_by_one = Toy(tunnelling)
    state = None
    for _ in range(4):
        state, _ = one_by_one.run(state)
    np.testing.assert_array_equal(exactly.visits[0][1], state)


def test_without_a_tolerance_every_cycle_is_run():
    course = Toy(tunnelling).course(50, None)
    assert course.simulated == 50
    assert course.done == list(range(50))


def test_a_leap_over_a_knee_is_taken_back():
    """The rate becomes ten times as large at once: leaps that saw nothing of it are repeated."""

    def knee(loss):
        return 1e-4 if loss < 0.05 else 1e-3

    course = Toy(knee).course(1000, 1e-4)
    assert course.simulated > len(course.done) + 30
    loss = at_whole_cycles(course, 1000)["lithium_loss"]
    every = at_whole_cycles(Toy(knee).course(1000, None), 1000)["lithium_loss"]
    np.testing.assert_allclose(loss, every, rtol=0, atol=5e-4 * CAPACITY)


def test_a_cell_that_dies_leaves_what_was_reached():
    course = Toy(lambda loss: 1e-3, fails_beyond=0.3).course(1000)
    assert course.stopped.endswith("cycles: nothing left")
    capacity = at_whole_cycles(course, 1000)["discharge_capacity"]
    assert np.isfinite(capacity[:300]).all()
    assert np.isnan(capacity[302:]).all()


def test_a_cell_that_cannot_begin_is_an_error():
    with pytest.raises(cm.InputError, match="nothing left"):
        Toy(tunnelling, fails_beyond=-1.0).course(10)


def test_a_cell_that_loses_nothing_is_run_cycle_by_cycle():
    course = Toy(lambda loss: 0.0).course(30)
    assert course.done == list(range(30))
