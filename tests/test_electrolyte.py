"""Salt in finite volumes: steady states, time constant, time course, order, conservation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from march_cases import PARAMETERS
from scipy.integrate import quad
from scipy.linalg import eigh, expm
from scipy.optimize import brentq

from kernels import parameters as p
from kernels import workspace as s
from kernels.cell import idle, settle
from kernels.electrolyte import (
    CELLS,
    ELECTRODE_CELLS,
    SEPARATOR,
    product_of_squares,
    relaxation_time,
    spread,
    theta,
)
from kernels.kinetics import FARADAY
from kernels.parameters import LANES
from kernels.properties import evaluate_diffusivities, keep_concentrations, read_diffusivities
from kernels.salt_step import eliminate, link, locate, substitute, transform
from kernels.tables import (
    CONCENTRATION_LIMIT,
    INTERVALS,
    POLYNOMIAL_D_E,
    SHAPE_D_E,
    hermite_table,
)
from kernels.tables import NAMES as TABLES

pytestmark = pytest.mark.kernel

TRANSFERENCE = 0.2594
#: L_n, L_s, L_p, eps_n, eps_s, eps_p, D_n, D_s, D_p
LAYERS = {
    "alike": (80e-6, 20e-6, 80e-6, 0.3, 0.3, 0.3, 5e-11, 5e-11, 5e-11),
    "graphite | NMC": (85e-6, 12e-6, 76e-6, 0.25, 0.47, 0.335, 2.2e-11, 5.7e-11, 3.4e-11),
    "thin | thick": (40e-6, 25e-6, 120e-6, 0.35, 0.55, 0.22, 6e-11, 1.2e-10, 1.5e-11),
    "thick separator": (50e-6, 200e-6, 60e-6, 0.3, 0.8, 0.3, 4e-11, 2e-10, 4e-11),
}
EACH_CELL = pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
DIFFUSIVITY = 3e-10  # of the free electrolyte, from which the layers' are by their exponents
START = 1000.0


def _workspace(layers):
    """A block of equal cells at rest and at reference temperature."""
    w = np.empty(s.SIZE)
    idle(w)
    lengths, porosity, effective = np.reshape(layers, (3, 3))
    exponents = np.log(effective / DIFFUSIVITY) / np.log(porosity)
    values = dict(PARAMETERS)
    layer_names = ("negative", "separator", "positive")
    for layer, length, share, exponent in zip(
        layer_names, lengths, porosity, exponents, strict=True
    ):
        electrode = "" if layer == "separator" else "_electrode"
        values[f"{layer}{electrode}_thickness"] = length
        values[f"{layer}_porosity"] = share
        values[f"{layer}_bruggeman_electrolyte"] = exponent
    values |= {"electrolyte_diffusivity": DIFFUSIVITY, "electrolyte_concentration": START}
    values |= {"electrolyte_diffusivity_activation": 0.0, "transference_number": TRANSFERENCE}
    values["electrode_area"] = 1.0  # a current is a current density
    for row, name in enumerate(p.NAMES):
        w[row * LANES : (row + 1) * LANES] = values[name]
    for lane in range(LANES):
        settle(w, lane)
        assert w[s.STATUS + lane] == 0
    return w


def _rows(w, first, count=1):
    """A view of numbered rows, (count, lanes)."""
    return w[first : first + count * LANES].reshape(count, LANES)


def _salt(w):
    return _rows(w, s.SALT, CELLS)


def _volumes(w):
    """Salt volume per area of each finite volume [m], (CELLS, lanes)."""
    which = [s.SALT_N] * ELECTRODE_CELLS + [s.SALT_S] + [s.SALT_P] * ELECTRODE_CELLS
    return np.concatenate([_rows(w, row) for row in which])


def _move(w, h, before, after):
    """Move the salt over steps of length h [s] with currents that are linear in time."""
    _rows(w, s.H)[:], _rows(w, s.I_0)[:] = h, before
    link(w)
    eliminate(w)
    substitute(w)
    _salt(w)[:] = _rows(w, s.SALT_C, CELLS) + _rows(w, s.SALT_I, CELLS) * after


def _step(w, h, before, after):
    """The same where the diffusivity is the same everywhere."""
    keep_concentrations(w)
    _move(w, h, before, after)


def _table_step(w, tables, h, before, after):
    """The same with a table of the diffusivity."""
    locate(w)
    read_diffusivities(w, tables)
    transform(w)
    _move(w, h, before, after)


def _uneven(w, seed):
    """Give every lane a salt profile, diffusivities and their integrals of its own."""
    rng = np.random.default_rng(seed)
    _salt(w)[:] = rng.uniform(200.0, 2500.0, (CELLS, LANES))
    _rows(w, s.SALT_PHI, CELLS)[:] = rng.uniform(200.0, 2500.0, (CELLS, LANES))
    _rows(w, s.SALT_D, CELLS)[:] = rng.uniform(0.3, 2.0, (CELLS, LANES))
    _rows(w, s.PER_SALT_D, CELLS)[:] = 1.0 / _rows(w, s.SALT_D, CELLS)
    _rows(w, s.F_FACE, CELLS - 1)[:] = rng.uniform(0.8, 1.2, (CELLS - 1, LANES))


def _fine_volumes(L_n, L_s, L_p, eps_n, eps_s, eps_p, D_n, D_s, D_p, cells=120):
    """Volumes, their porosity, the diffusion matrix [m s-1] and the salt source per A m-2."""
    h = np.repeat([L_n / cells, L_s / cells, L_p / cells], cells)
    eps = np.repeat([eps_n, eps_s, eps_p], cells)
    D = np.repeat([D_n, D_s, D_p], cells)
    between = 1.0 / (0.5 * h[:-1] / D[:-1] + 0.5 * h[1:] / D[1:])
    matrix = np.diag(between, 1) + np.diag(between, -1)
    matrix -= np.diag(matrix.sum(axis=1))
    source = (1.0 - TRANSFERENCE) / FARADAY * np.repeat([1 / L_n, 0.0, -1 / L_p], cells) * h
    return h, eps, matrix, source


def _coarsened(fine):
    """Means of a fine profile over the volumes of the kernels."""
    negative, separator, positive = fine.reshape(3, -1)
    quarters = [side.reshape(ELECTRODE_CELLS, -1).mean(axis=1) for side in (negative, positive)]
    return np.concatenate([quarters[0], [separator.mean()], quarters[1]])


def _steady(layers):
    """Steady profile per A m-2, above the mean."""
    h, eps, matrix, source = _fine_volumes(*layers)
    bordered = np.block([[matrix, (h * eps)[:, None]], [(h * eps)[None], np.zeros((1, 1))]])
    return _coarsened(np.linalg.solve(bordered, np.append(-source, 0.0))[:-1])


# theta


def test_theta_has_its_limits():
    for q in (0.01, 0.03, 0.1):  # the next term is - q**3 / 720
        assert abs(theta(q) - (0.5 + q / 12)) < q**3 / 700 + 1e-13
    np.testing.assert_allclose(theta(0.0), 0.5, rtol=2e-4, atol=0)
    for q in (50.0, 1e3, 1e9):
        np.testing.assert_allclose(theta(q), 1 - 1 / q, rtol=1e-15, atol=0)


@pytest.mark.parametrize("q", [1e-3, 0.01, 0.3, 1.0, 5.0, 15.0])
def test_theta_makes_the_fitted_mode_exact(q):
    weight = theta(q)
    amplification = (1 - (1 - weight) * q) / (1 + weight * q)
    np.testing.assert_allclose(amplification, math.exp(-q), rtol=0, atol=1e-14)


def test_theta_damps_what_is_faster():
    for q in np.geomspace(1e-3, 1e6, 50):
        weight = theta(q)
        for times_faster in (1.0, 4.0, 100.0, 1e4):
            z = q * times_faster
            assert abs((1 - (1 - weight) * z) / (1 + weight * z)) < 1


# time constant


@pytest.mark.parametrize(
    ("name", "short_by"),
    [("alike", 0.015), ("graphite | NMC", 0.02), ("thin | thick", 0.07), ("thick separator", 0.12)],
)
def test_the_time_constant_is_nearly_that_of_the_slowest_mode(name, short_by):
    layers = LAYERS[name]
    h, eps, matrix, _ = _fine_volumes(*layers)
    rates = eigh(-matrix, np.diag(h * eps), eigvals_only=True, subset_by_index=[0, 1])
    assert abs(rates[0]) < 1e-9 * rates[1]  # the total of the salt
    L, porosity, D = np.reshape(layers, (3, 3))
    tau = relaxation_time(*(L / D), *(L * porosity))
    shortfall = 1.0 - tau * rates[1]
    # a Rayleigh quotient errs to one side; mesh error 2e-4
    assert -5e-4 < shortfall < 1.05 * short_by


def test_the_time_constant_scales_with_paths_and_volumes():
    L, porosity, D = np.reshape(LAYERS["graphite | NMC"], (3, 3))
    path, volume = L / D, L * porosity
    tau = relaxation_time(*path, *volume)
    np.testing.assert_allclose(
        relaxation_time(*(3 * path), *(5 * volume)), 15 * tau, rtol=1e-13, atol=0
    )


@EACH_CELL
def test_a_cell_has_the_time_constant_of_its_layers(layers):
    L, porosity, D = np.reshape(layers, (3, 3))
    tau = relaxation_time(*(L / D), *(L * porosity))
    w = _workspace(layers)
    np.testing.assert_allclose(_rows(w, s.RELAXATION) / DIFFUSIVITY, tau, rtol=1e-12, atol=0)


# steady state


@EACH_CELL
def test_a_very_long_step_ends_in_the_steady_profile(layers):
    w = _workspace(layers)
    currents = np.linspace(-8.0, 9.0, LANES)
    _step(w, 1e12, currents, currents)
    expected = _steady(layers)
    profile = (_salt(w) - START) / currents
    largest = np.abs(expected).max()
    np.testing.assert_allclose(
        profile, np.repeat(expected[:, None], LANES, axis=1), rtol=0, atol=1e-4 * largest
    )
    for electrode in (slice(SEPARATOR), slice(SEPARATOR + 1, None)):
        mean = profile[electrode].mean(axis=0)
        np.testing.assert_allclose(mean, expected[electrode].mean(), rtol=1e-4, atol=0)


def test_conductances_are_those_of_both_sides():
    """Volumes in series; faces of their own warmth."""
    w = _workspace(LAYERS["graphite | NMC"])
    L, _, D = np.reshape(LAYERS["graphite | NMC"], (3, 3))
    factors = np.array([0.5, 0.6, 0.7, 0.8, 1.5, 1.6, 1.8, 1.9])
    _rows(w, s.F_FACE, CELLS - 1)[:] = factors[:, None]
    _rows(w, s.H)[:] = 1.0
    link(w)
    between = _rows(w, s.LINK, CELLS - 1)[:, 0]
    per_n, per_p = D[0] * 4 / L[0], D[2] * 4 / L[2]
    to_n, to_p = (1 - 1 / 12) / (2 * per_n), (1 - 1 / 12) / (2 * per_p)
    half = L[1] / (2 * D[1])
    inner = [1 / (to_n + half), 1 / (half + to_p)]
    expected = [per_n, per_n, per_n, *inner, per_p, per_p, per_p]
    np.testing.assert_allclose(between, expected * factors, rtol=1e-12, atol=0)


# diffusivity that varies


def _quadratic(c):
    """Relative diffusivity like that of 1 M LiPF6 by Nyman et al. 2008, at its least in between."""
    c = c / 1000.0
    return 0.3 + 0.7 * (c - 2.0) ** 2


def _tables(shape):
    grid = np.linspace(0.0, 1.0, INTERVALS + 1)
    values = shape(grid * CONCENTRATION_LIMIT)
    tables = np.zeros((len(TABLES), *hermite_table(values, values).shape))
    tables[SHAPE_D_E] = hermite_table(values, np.gradient(values, grid, edge_order=2))
    return tables


def _steady_of(shape, layers, current, total):
    """Means over the volumes of the steady profile, for a total of salt [mol m-2]: the integral of
    the diffusivity is a parabola in the electrodes and a line in the separator.
    """
    L, eps, D = np.reshape(layers, (3, 3))
    flux = (1 - TRANSFERENCE) * current / FARADAY
    grid = np.linspace(0.0, CONCENTRATION_LIMIT, 60_001)
    values = shape(grid)
    phi = np.append(0.0, np.cumsum(0.5 * (values[1:] + values[:-1]) * np.diff(grid)))
    xi = (np.arange(4000) + 0.5) / 4000
    drop = flux * L / D
    rises = [
        -0.5 * drop[0] * xi**2,
        -0.5 * drop[0] - drop[1] * xi,
        -0.5 * drop[0] - drop[1] - drop[2] * (xi - 0.5 * xi**2),
    ]

    def profile(start):
        return [np.interp(start + rise, phi, grid) for rise in rises]

    def excess(start):
        parts = zip(profile(start), L, eps, strict=True)
        return sum(part.mean() * length * share for part, length, share in parts) - total

    start = brentq(excess, phi[0] + max(drop.sum(), 0.0), phi[-1] + min(drop.sum(), 0.0))
    negative, separator, positive = profile(start)
    means = [side.reshape(ELECTRODE_CELLS, -1).mean(axis=1) for side in (negative, positive)]
    logarithms = np.log(negative).mean(), np.log(positive).mean()
    return np.concatenate([means[0], [separator.mean()], means[1]]), logarithms


@pytest.mark.parametrize("start", [900.0, 1500.0, 2200.0])
@pytest.mark.parametrize("name", ["alike", "graphite | NMC"])
def test_the_steady_profile_of_a_diffusivity_that_varies(name, start):
    layers = LAYERS[name]
    w, tables = _workspace(layers), _tables(_quadratic)
    _salt(w)[:] = start
    total = float((_volumes(w) * _salt(w))[:, 0].sum())
    currents = np.linspace(-9.0, 9.0, LANES)
    for share in np.linspace(0.05, 1.0, 20):
        for _ in range(2):
            _table_step(w, tables, 1e5, share * currents, share * currents)
    for lane, current in enumerate(currents):
        expected, (log_n, log_p) = _steady_of(_quadratic, layers, current, total)
        found = _salt(w)[:, lane]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1.5e-3 * np.ptp(expected))
        quarters = found[:ELECTRODE_CELLS], found[:SEPARATOR:-1]
        logs = [0.125 * np.log(product_of_squares(*quarter)) for quarter in quarters]
        # of the concentration overpotential, 50 mV per unit
        assert abs((logs[1] - logs[0]) - (log_p - log_n)) < 0.0015


def test_steps_are_of_second_order_where_the_diffusivity_varies():
    layers, tables = LAYERS["graphite | NMC"], _tables(_quadratic)
    tau = float(_rows(_workspace(layers), s.RELAXATION)[0, 0]) / DIFFUSIVITY
    ends = {}
    for count in (8, 16, 32, 512):
        w, h = _workspace(layers), tau / count
        for k in range(count):
            before, after = (9.0 * math.sin(0.5 * math.pi * t / count) ** 2 for t in (k, k + 1))
            _table_step(w, tables, h, before, after)
        ends[count] = _salt(w)[:, 0].copy()
    errors = [np.abs(ends[count] - ends[512]).max() for count in (8, 16, 32)]
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert errors[0] < 0.02 * np.ptp(ends[512])
    assert ((orders > 1.7) & (orders < 2.4)).all()


def test_a_polynomial_is_read_as_its_table():
    w, tables = _workspace(LAYERS["alike"]), _tables(_quadratic)
    _salt(w)[:] = np.random.default_rng(5).uniform(-100.0, 7000.0, (CELLS, LANES))
    per, first = CONCENTRATION_LIMIT / 1000.0, POLYNOMIAL_D_E
    tables[first, 0, :3] = 0.3 + 0.7 * 4.0, -0.7 * 4.0 * per, 0.7 * per**2
    rows = s.SALT_D, s.SALT_SLOPE, s.SALT_AREA
    locate(w)
    read_diffusivities(w, tables)
    expected = [_rows(w, row, CELLS).copy() for row in rows]
    evaluate_diffusivities(w, tables)
    for row, own in zip(rows, expected, strict=True):
        scale = np.abs(own).max()
        np.testing.assert_allclose(_rows(w, row, CELLS), own, rtol=0, atol=1e-6 * scale)


def test_beyond_its_table_the_diffusivity_stays():
    """Nor does one of 0 make an infinity."""
    w, tables = _workspace(LAYERS["alike"]), _tables(lambda c: 1.0 - c / CONCENTRATION_LIMIT)
    _salt(w)[:] = np.linspace(0.5, 1.5, CELLS)[:, None] * CONCENTRATION_LIMIT
    locate(w)
    read_diffusivities(w, tables)
    transform(w)
    D, phi = _rows(w, s.SALT_D, CELLS)[:, 0], _rows(w, s.SALT_PHI, CELLS)[:, 0]
    assert (D > 0).all()
    assert (_rows(w, s.PER_SALT_D, CELLS) <= 1e6).all()
    assert (np.diff(phi) >= 0).all()


# means of logarithms


@pytest.mark.parametrize(("outer", "edge"), [(1000.0, 1000.0), (200.0, 1000.0), (2500.0, 900.0)])
def test_the_mean_of_the_logarithm_is_that_of_the_profile(outer, edge):
    """A parabola, of which the volumes only hold the means."""

    def profile(x):
        return outer + (edge - outer) * x * x

    means = [4 * quad(profile, k / 4, (k + 1) / 4)[0] for k in range(4)]
    exact = quad(lambda x: np.log(profile(x)), 0, 1)[0]
    found = 0.125 * np.log(product_of_squares(*means))
    np.testing.assert_allclose(found, exact, rtol=0, atol=5e-4)
    if outer != edge:
        assert abs(found - exact) < 0.1 * abs(np.log(means).mean() - exact)
    apart = np.log(np.mean(means)) - exact
    np.testing.assert_allclose(spread(*means, 1 / np.mean(means)), apart, rtol=0.1, atol=1e-15)


# steps


@EACH_CELL
def test_salt_is_conserved_in_steps_of_any_length(layers):
    for h in (1e-6, 1.0, 37.0, 1e3, 1e5, 1e7):
        w = _workspace(layers)
        _uneven(w, 1)
        before = (_volumes(w) * _salt(w)).sum(axis=0)
        drops = np.abs(np.diff(_rows(w, s.SALT_PHI, CELLS), axis=0))
        _move(w, h * np.linspace(1.0, 2.0, LANES), np.linspace(-5, 5, LANES), 3.0)
        lost = np.abs((_volumes(w) * _salt(w)).sum(axis=0) - before)
        # what flows between volumes is rounded, too: in hours, from so uneven a profile, it is much
        flows = (_rows(w, s.LINK, CELLS - 1) * drops).sum(axis=0)
        assert (lost <= 4 * np.finfo(float).eps * (before + flows)).all()
        assert h > 1e3 or (lost <= 1e-12 * before).all()


def test_a_step_of_no_length_changes_nothing():
    w = _workspace(LAYERS["graphite | NMC"])
    _uneven(w, 2)
    before = _salt(w).copy()
    _move(w, 0.0, 4.0, -7.0)
    np.testing.assert_array_equal(_salt(w), before)


def test_uniform_salt_without_current_stays():
    w = _workspace(LAYERS["graphite | NMC"])
    _step(w, 100.0, 0.0, 0.0)
    np.testing.assert_array_equal(_salt(w), START)


def test_a_step_is_affine_in_the_current_at_its_end():
    """Against two dense solutions of the theta method, with uneven salt and diffusivities."""
    w = _workspace(LAYERS["graphite | NMC"])
    _uneven(w, 3)
    start = _salt(w).copy()
    h, before = np.geomspace(0.1, 1e5, LANES), np.linspace(-6.0, 6.0, LANES)
    _move(w, h, before, 0.0)
    constant, slope = _rows(w, s.SALT_C, CELLS), _rows(w, s.SALT_I, CELLS)
    weights, between = _rows(w, s.WEIGHT)[0], _rows(w, s.LINK, CELLS - 1)
    phi, D = _rows(w, s.SALT_PHI, CELLS), _rows(w, s.SALT_D, CELLS)
    share = np.repeat([1.0, 0.0, -1.0], [ELECTRODE_CELLS, 1, ELECTRODE_CELLS]) / ELECTRODE_CELLS
    for lane in range(LANES):
        matrix = np.diag(between[:, lane], 1) + np.diag(between[:, lane], -1)
        matrix -= np.diag(matrix.sum(axis=1))
        left = np.diag(_volumes(w)[:, lane]) - weights[lane] * matrix * D[:, lane]
        for after in (-4.0, 9.0):
            mean = weights[lane] * after + (1 - weights[lane]) * before[lane]
            source = h[lane] * (1 - TRANSFERENCE) / FARADAY * mean * share
            expected = start[:, lane] + np.linalg.solve(left, matrix @ phi[:, lane] + source)
            stepped = constant[:, lane] + slope[:, lane] * after
            np.testing.assert_allclose(stepped, expected, rtol=1e-9, atol=1e-9)


def test_steps_are_of_second_order():
    """A smooth transient, against steps so short that they do not err."""
    layers = LAYERS["graphite | NMC"]
    tau = float(_rows(_workspace(layers), s.RELAXATION)[0, 0]) / DIFFUSIVITY

    def current(t):
        return 10.0 * math.sin(0.5 * math.pi * t / tau) ** 2

    ends = {}
    for count in (8, 16, 32, 512):
        w, h = _workspace(layers), tau / count
        for k in range(count):
            _step(w, h, current(k * h), current(k * h + h))
        ends[count] = _salt(w)[:, 0].copy()
    errors = [np.abs(ends[count] - ends[512]).max() for count in (8, 16, 32)]
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert errors[0] < 0.01 * np.ptp(ends[512])
    assert ((orders > 1.8) & (orders < 2.3)).all()


@pytest.mark.parametrize(
    ("name", "off_by"),
    [
        ("alike", 0.0045),
        ("graphite | NMC", 0.007),
        ("thin | thick", 0.012),
        ("thick separator", 0.06),  # it is one volume
    ],
)
def test_the_time_course_after_a_jump_of_the_current(name, off_by):
    """Against the exponential of a fine mesh; every volume, relative to the steady difference."""
    layers = LAYERS[name]
    h, eps, matrix, source = _fine_volumes(*layers, cells=40)
    w = _workspace(layers)
    length = float(_rows(w, s.RELAXATION)[0, 0]) / DIFFUSIVITY / 8
    # the last entry of the state stays 1: the current
    rates = np.zeros((len(h) + 1, len(h) + 1))
    rates[:-1, :-1] = matrix / (h * eps)[:, None]
    rates[:-1, -1] = source / (h * eps)
    per_step = expm(rates * length)
    exact = np.append(np.zeros(len(h)), 1.0)
    errors = []
    for _ in range(32):
        exact = per_step @ exact
        _step(w, length, 1.0, 1.0)
        errors.append(np.abs(_salt(w)[:, 0] - START - _coarsened(exact[:-1])).max())
    assert max(errors) < off_by * np.ptp(_steady(layers))
    assert errors[-1] < 0.2 * off_by * np.ptp(_steady(layers))
