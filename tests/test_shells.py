"""A particle of spherical shells: closed forms, Fick's series, conservation, order, the modes."""

from __future__ import annotations

import functools
import math

import march_cases
import numpy as np
import pytest
from march_cases import FORMATION, TABLES, current, form, trace
from numba import config
from scipy.integrate import quad
from scipy.optimize import brentq

from kernels import tables as t
from kernels import workspace as s
from kernels.parameters import LANES
from kernels.shell_step import (
    find_surface,
    move_shells,
    propose_shells,
    read_shells,
    settle_shells,
    solve_shells,
)
from kernels.shells import BOUNDARIES, SHELLS, VOLUMES, mean_diffusivity
from kernels.status import OK

pytestmark = pytest.mark.kernel

GRID = np.linspace(0.0, 1.0, t.INTERVALS + 1)
RATE = 1e-4  # s-1, D / R^2
WARMTH = 20.0  # K above the reference


def tabulated(diffusivity, derivative, linear=None):
    """Return tables whose negative diffusivity is a function, times 1 + linear (T - T_ref) / 50."""
    level = np.zeros_like(GRID)
    table = np.stack([t.hermite_table(level, level)] * len(t.NAMES))
    table[t.SHAPE_D_N] = t.hermite_table(diffusivity(GRID), derivative(GRID))
    flat = np.ones(len(t.NAMES), dtype=bool)
    flat[t.SHAPE_D_N] = False
    if linear is not None:
        table[t.WARM_D_N] = t.hermite_table(linear + level, level)
        flat[t.WARM_D_N] = False
    return table, flat


CONSTANT = tabulated(np.ones_like, np.zeros_like)
VACANT = tabulated(lambda z: 1.0 - z, lambda z: -np.ones_like(z))


class Particle:
    """One particle in every lane, alike but for the current where `currents` says so."""

    def __init__(self, tabulated, start, currents=1.0):
        self.tabulated, self.currents = tabulated, np.broadcast_to(currents, LANES)
        self.w = np.zeros(s.SIZE)
        self.fill(s.SHELL, start, SHELLS)
        self.fill(s.DIFFUSION, RATE)
        self.fill(s.SHELL_T_REF, 298.15)
        self.fill(s.SHELL_T, 298.15 + WARMTH)
        self.mean = np.full(LANES, float(start))

    def fill(self, row, value, rows=1):
        self.w[row : row + rows * LANES] = value

    def rows(self, row, rows=1):
        return self.w[row : row + rows * LANES].reshape(rows, LANES).squeeze()

    @property
    def shells(self):
        return self.rows(s.SHELL, SHELLS).copy()

    def propose(self, h, before, after):
        """Propose a step over which the mean's rate runs from before to after times currents."""
        self.fill(s.SHELL_H, h)
        self.fill(s.INFLOW_0, before * self.currents)
        self.fill(s.INFLOW_1, 0.0)
        self.fill(s.INFLOW_I, after)
        self.fill(s.SHELL_I_1, self.currents)
        with np.errstate(all="ignore"):
            propose_shells(self.w, 0, *self.tabulated, t.SHAPE_D_N, t.WARM_D_N)
        return self.rows(s.SHELL_XS).copy()

    def step(self, h, before, after, accepted=1.0, drain=False):
        """Take a step; with `drain` the mean stays, as with a uniform sink."""
        surface = self.propose(h, before, after)
        change = 0.0 if drain else 0.5 * h * (before + after) * self.currents
        self.mean += accepted * change
        self.fill(s.SHELL_ACCEPTED, accepted)
        self.fill(s.SHELL_PER_H, 1.0 / h)
        self.fill(s.SHELL_MEAN, self.mean)
        move_shells(self.w, 0)
        self.fill(s.SHELL_H_0, h if accepted else self.rows(s.SHELL_H_0))
        return surface


@functools.cache
def _exact_response(time):
    """(surface - mean) over (tau / 3) ds_mean/dt after a constant flux began: Crank eq. 6.45."""
    roots = [
        brentq(lambda x: np.sin(x) - x * np.cos(x), k * np.pi, (k + 0.5) * np.pi, xtol=1e-13)
        for k in range(1, 1000)
    ]
    squares = np.square(roots)
    return 0.2 - np.sum(2.0 / squares * np.exp(-squares * time))


def test_shells_fill_the_particle_and_get_thinner_towards_the_surface():
    np.testing.assert_allclose(math.fsum(VOLUMES), 1.0, rtol=1e-15, atol=0)
    widths = np.diff(BOUNDARIES)
    np.testing.assert_allclose(widths[1:] / widths[:-1], widths[-1] / widths[-2], rtol=2e-3)
    assert BOUNDARIES[-1] == 1.0
    assert (np.diff(widths) < 0).all()


def test_diffusivity_between_shells_is_the_mean_over_stoichiometry():
    def values(z):
        return z, np.exp(3 * z), np.exp(3 * z) / 3

    apart = mean_diffusivity(*values(0.2), *values(0.5))
    expected = quad(lambda z: np.exp(3 * z), 0.2, 0.5)[0] / 0.3
    np.testing.assert_allclose(apart, expected, rtol=1e-12, atol=0)
    near = mean_diffusivity(*values(0.2), *values(0.2 + 1e-13))
    np.testing.assert_allclose(near, np.exp(0.6), rtol=1e-11, atol=0)
    both = [mean_diffusivity(*values(0.2), *values(0.2 + d)) for d in (0.999e-4, 1.001e-4)]
    np.testing.assert_allclose(both[0], both[1], rtol=1e-6, atol=0)


@pytest.mark.parametrize("time", [1e-3, 1e-2, 0.05, 0.2, 1.0])
def test_a_constant_flux_is_followed_as_by_ficks_series(time):
    """Time steps grow as they do after a jump."""
    particle, rate, steps = Particle(CONSTANT, 0.4), 1e-6, 40
    lengths = 1.15 ** np.arange(steps)
    for h in lengths / lengths.sum() * time / RATE:
        surface = particle.step(h, rate, rate)
    found = (surface - particle.mean) / (rate / (3 * RATE))
    np.testing.assert_allclose(found, _exact_response(time), rtol=0, atol=0.01 * 0.2)


def test_a_constant_flux_settles_exactly_where_it_should():
    particle, rate = Particle(CONSTANT, 0.3), 1e-6
    for _ in range(40):
        surface = particle.step(5e3, rate, rate)
    np.testing.assert_allclose(surface - particle.mean, 0.2 * rate / (3 * RATE), rtol=1e-9, atol=0)


@pytest.mark.parametrize("rate", [2e-5, -4e-5])
def test_a_steady_flux_with_vacancies_is_a_parabola_of_their_square(rate):
    """D = a (1 - z) under a uniform sink: (1 - z)^2 falls by (rate / 3a) r^2."""
    particle, mean = Particle(VACANT, 0.5), 0.5
    for _ in range(2000):  # of short steps: the sink acts between them
        surface = particle.step(10.0, rate, rate, drain=True) - 10.0 * rate
    fall = rate / (3 * RATE)

    def excess(square):
        profile = quad(lambda r: 3 * r * r * (1 - np.sqrt(square - fall * r * r)), 0, 1)[0]
        return profile - mean

    square = brentq(excess, max(fall, 0.0) + 1e-9, 2.0, xtol=1e-14)
    rise = 1 - np.sqrt(square - fall) - mean
    np.testing.assert_allclose(surface - mean, rise, rtol=2e-3, atol=0)


def _valley(z):
    """A diffusivity that falls to a hundredth about 0.5, and its derivative."""
    dip = 0.99 * np.exp(-(((z - 0.5) / 0.05) ** 2))
    return 1.0 - dip, dip * 2 * (z - 0.5) / 0.05**2


VALLEY = tabulated(lambda z: _valley(z)[0], lambda z: _valley(z)[1])


@pytest.mark.parametrize("rate", [1e-5, 3e-5, 1e-4])
@pytest.mark.parametrize("start", [0.3, 0.42, 0.47])
def test_a_surface_that_is_not_settled_says_so(start, rate):
    """Through a valley of the diffusivity: against where more iterations end."""
    for h in 10.0 ** np.arange(-1, 3.6, 0.5):
        particle = Particle(VALLEY, start)
        particle.step(0.1 * h, 0.0, rate)
        found = particle.propose(h, rate, rate)[0]
        said = particle.rows(s.SHELL_UNSETTLED)[0]
        reading = LANES, *particle.tabulated, t.SHAPE_D_N, t.WARM_D_N
        with np.errstate(all="ignore"):
            for _ in range(12):
                settle_shells(particle.w, LANES)
                read_shells(particle.w, *reading)
                solve_shells(particle.w, LANES, 1.0, True)
            find_surface(particle.w, *reading)
        settled, left = particle.rows(s.SHELL_XS)[0], particle.rows(s.SHELL_UNSETTLED)[0]
        if left < 1e-6:
            assert abs(found - settled) < max(said, 1e-9)


def test_a_particle_that_would_be_drained_has_no_surface_within_range():
    """Slow where it is almost empty: a step that takes more than the outer shells hold."""
    slow = tabulated(lambda z: 0.01 + z, np.ones_like)
    for h in (30.0, 100.0, 300.0):
        particle = Particle(slow, 0.01)
        particle.step(1.0, 0.0, -1e-4)
        assert (particle.propose(h, -1e-4, -1e-4) < 0).all()


def test_lithium_is_conserved_to_rounding():
    particle = Particle(VACANT, 0.5, np.linspace(-1, 1, LANES))
    rng = np.random.default_rng(5)
    before = 0.0
    for _ in range(200):
        h, after = 10 ** rng.uniform(-3, 3.5), 3e-5 * rng.uniform(-1, 1)
        particle.propose(h, before, after)
        end = particle.rows(s.SHELL_I, SHELLS) * particle.currents
        end += particle.rows(s.SHELL_C, SHELLS)
        gained = np.array(VOLUMES) @ (end - particle.shells)
        expected = 0.5 * h * (before + after) * particle.currents
        np.testing.assert_allclose(gained, expected, rtol=1e-9, atol=2e-15)
        accepted = float(rng.random() < 0.8)
        particle.step(h, before, after, accepted)
        np.testing.assert_allclose(
            np.array(VOLUMES) @ particle.shells, particle.mean, rtol=3e-15, atol=0
        )
        before = after if accepted else before


def test_shells_are_moved_as_the_mean_is_corrected():
    particle = Particle(VACANT, 0.5)
    particle.propose(100.0, 1e-5, 1e-5)
    end = (particle.rows(s.SHELL_C, SHELLS) + particle.rows(s.SHELL_I, SHELLS)).copy()
    particle.fill(s.SHELL_ACCEPTED, 1.0)
    particle.fill(s.SHELL_MEAN, 0.5 + 1e-3 - 2e-4)
    move_shells(particle.w, 0)
    np.testing.assert_allclose(particle.shells - end, -2e-4, rtol=1e-9, atol=0)


def test_a_refused_step_leaves_no_trace():
    particle = Particle(VACANT, 0.5)
    particle.step(100.0, 1e-5, 1e-5)
    shells, rates = particle.shells, particle.rows(s.SHELL_RATE, SHELLS).copy()
    particle.step(700.0, 1e-5, 5e-5, accepted=0.0)
    np.testing.assert_array_equal(particle.shells, shells)
    np.testing.assert_array_equal(particle.rows(s.SHELL_RATE, SHELLS), rates)


def test_time_steps_are_of_second_order():
    """A smooth flux over two hours, diffusivity falling by 2: error over eight times the steps."""

    def surface(steps):
        particle, h = Particle(VACANT, 0.3), 7200.0 / steps
        for k in range(steps):
            before, after = (8e-5 * np.sin(np.pi * (k + e) / steps / 2) ** 2 for e in (0, 1))
            end = particle.step(h, before, after)
        return end[0]

    finest = surface(640)
    errors = np.array([abs(surface(steps) - finest) for steps in (10, 20, 40, 80)])
    orders = np.log2(errors[:-1] / errors[1:])
    assert errors[0] < 1e-3
    assert (orders > 1.7).all()


@pytest.mark.parametrize(("tabulated", "rtol"), [(CONSTANT, 1e-6), (VACANT, 0.05)])
def test_the_slope_over_current_is_that_of_the_surface(tabulated, rtol):
    """But for how the diffusivity changes with it."""
    currents = 1.0 + 1e-4 * np.arange(LANES)
    particle = Particle(tabulated, 0.5, currents)
    surface = particle.propose(80.0, 0.0, 4e-5)
    constants, slopes = particle.rows(s.SHELL_XS_C), particle.rows(s.SHELL_XS_I)
    np.testing.assert_allclose(constants + slopes * currents, surface, rtol=1e-14, atol=0)
    np.testing.assert_allclose(np.diff(surface) / 1e-4, slopes[1:], rtol=rtol, atol=0)


def test_diffusivity_follows_the_temperature_beyond_arrhenius():
    """1 + 0.5 * 20 / 50 = 1.2 times as fast: that of a rate so much higher."""
    warm = Particle(tabulated(lambda z: 1.0 - z, lambda z: -np.ones_like(z), 0.5), 0.4)
    fast = Particle(VACANT, 0.4)
    fast.fill(s.DIFFUSION, 1.2 * RATE)
    for _ in range(5):
        found, expected = warm.step(300.0, 3e-5, 3e-5), fast.step(300.0, 3e-5, 3e-5)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=0)


def shelled(*shapes):
    """Return the tables of the made-up cell, shapes of diffusivities as given, or constant."""
    table, flat = TABLES[0].copy(), TABLES[1].copy()
    for which, shape in shapes:
        slopes = np.gradient(shape(GRID), 1 / t.INTERVALS)
        table[which] = t.hermite_table(shape(GRID), slopes)
        flat[which] = False
    return table, flat


EVEN = shelled((t.SHAPE_D_N, np.ones_like), (t.SHAPE_D_P, np.ones_like))
STEEP = shelled(
    (t.SHAPE_D_N, lambda z: np.exp(-4 * z)), (t.SHAPE_D_P, lambda z: 0.04 + 1.9 * (1 - z))
)


def test_a_cell_of_constant_diffusivity_is_that_of_the_modes():
    slow = {"negative_diffusivity": 1e-14, "positive_diffusivity": 5e-15}
    modes, shells = form(**slow), form(tabulated=EVEN, **slow)
    assert (modes.status == OK).all()
    assert (shells.status == OK).all()
    for name in ("charge_in", "charge_out", "energy_in", "energy_out"):
        np.testing.assert_allclose(
            getattr(shells, name), getattr(modes, name), rtol=7e-4, atol=0, err_msg=name
        )
    np.testing.assert_allclose(shells["lithium_loss"], modes["lithium_loss"], rtol=1e-3, atol=0)


def test_the_surface_does_not_jump_with_the_current():
    """The first voltage is that of the fresh surface, however slow diffusion is; and where a step
    goes on as the last one did, voltage does, too.
    """
    slow = {"negative_diffusivity": 1e-16, "positive_diffusivity": 1e-16}
    steps = [current(-1.0, duration=60.0), current(-1.0, duration=60.0)]
    modes, shells = trace(steps, **slow), trace(steps, tabulated=STEEP, **slow)
    np.testing.assert_allclose(shells["voltage"][0], modes["voltage"][0], rtol=1e-9, atol=0)
    second = np.flatnonzero(shells["step"] == 1)[0]
    before, after = shells["voltage"][second - 1 : second + 1]
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-6)


def test_time_steps_of_a_cell_are_fine_enough():
    found, fine = form(tabulated=STEEP), form(tabulated=STEEP, tolerance=1e-2)
    net, expected = (r.energy_in - r.energy_out for r in (found, fine))
    np.testing.assert_allclose(found.energy_in, fine.energy_in, rtol=5e-4, atol=0)
    np.testing.assert_allclose(found.energy_out, fine.energy_out, rtol=5e-4, atol=0)
    np.testing.assert_allclose(net, expected, rtol=5e-3, atol=0)


def test_lithium_of_a_cell_is_conserved():
    found = form(tabulated=STEEP)
    Q_n, Q_p = march_cases.capacities()
    p = march_cases.PARAMETERS
    gained = Q_n * (found["negative_stoichiometry"] - p["negative_stoichiometry"])
    given = Q_p * (p["positive_stoichiometry"] - found["positive_stoichiometry"])
    np.testing.assert_allclose(gained + found["lithium_loss"], given, rtol=1e-9, atol=0)


def test_results_do_not_depend_on_who_shares_the_block():
    radii = np.linspace(2e-6, 5e-6, 23)
    together = form(over={"positive_particle_radius": radii}, tabulated=STEEP)
    assert (together.status == OK).all()
    for case in (0, 7, 22):
        alone = form(tabulated=STEEP, positive_particle_radius=radii[case])
        np.testing.assert_array_equal(alone.outputs[:, 0], together.outputs[:, case])


@pytest.mark.skipif(config.DISABLE_JIT, reason="plain Python makes no integer of a NaN")
def test_whatever_cannot_be_solved_has_a_status():
    """Currents and diffusivities far beyond use: never a number that is none."""
    rng = np.random.default_rng(3)
    over = {
        (0, "setpoint"): -(10 ** rng.uniform(-1, 2, 200)),
        "negative_diffusivity": 10 ** rng.uniform(-17, -12, 200),
        "positive_diffusivity": 10 ** rng.uniform(-17, -12, 200),
    }
    blocked = shelled(
        (t.SHAPE_D_N, lambda z: np.maximum(0.9 - z, 0.0)), (t.SHAPE_D_P, lambda z: 1 - z)
    )
    found = form((current(-1.0, until=4.2), *FORMATION[1:5]), over, tabulated=blocked)
    assert (found.status != OK).any()
    assert (found.status == OK).any()
    assert np.isfinite(found.outputs[:, found.status == OK]).all()
    assert np.isnan(found.outputs[:, found.status != OK]).all()
