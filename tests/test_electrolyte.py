"""Salt profile and time constant against finite volumes; mean of the logarithm by quadrature."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.linalg import eigh

from kernels.electrolyte import mean_log, unit_profile
from kernels.kinetics import FARADAY

pytestmark = pytest.mark.kernel

TRANSFERENCE = 0.2594
#: L_n, L_s, L_p, eps_n, eps_s, eps_p, D_n, D_s, D_p
LAYERS = {
    "alike": (80e-6, 20e-6, 80e-6, 0.3, 0.3, 0.3, 5e-11, 5e-11, 5e-11),
    "graphite | NMC": (85e-6, 12e-6, 76e-6, 0.25, 0.47, 0.335, 2.2e-11, 5.7e-11, 3.4e-11),
    "thin | thick": (40e-6, 25e-6, 120e-6, 0.35, 0.55, 0.22, 6e-11, 1.2e-10, 1.5e-11),
    "thick separator": (50e-6, 200e-6, 60e-6, 0.3, 0.8, 0.3, 4e-11, 2e-10, 4e-11),
}


def _profile(L_n, L_s, L_p, eps_n, eps_s, eps_p, D_n, D_s, D_p, transference):
    """The profile by thicknesses, porosities and effective diffusivities."""
    volumes = (L_n * eps_n, L_s * eps_s, L_p * eps_p)
    return unit_profile(L_n, L_s, L_p, *volumes, 1 / D_n, 1 / D_s, 1 / D_p, transference)


def _mean_log_ratio(mean_p, drop_p, mean_n, drop_n):
    ratio_p = mean_log(math.log(mean_p), drop_p / mean_p)
    return ratio_p - mean_log(math.log(mean_n), drop_n / mean_n)


def _finite_volumes(L_n, L_s, L_p, eps_n, eps_s, eps_p, D_n, D_s, D_p, cells=120):
    """Volumes, their porosity, the diffusion matrix [m s-1] and the salt source per A m-2."""
    h = np.repeat([L_n / cells, L_s / cells, L_p / cells], cells)
    eps = np.repeat([eps_n, eps_s, eps_p], cells)
    D = np.repeat([D_n, D_s, D_p], cells)
    between = 1.0 / (0.5 * h[:-1] / D[:-1] + 0.5 * h[1:] / D[1:])
    matrix = np.diag(between, 1) + np.diag(between, -1)
    matrix -= np.diag(matrix.sum(axis=1))
    source = (1.0 - TRANSFERENCE) / FARADAY * np.repeat([1 / L_n, 0.0, -1 / L_p], cells) * h
    return h, eps, matrix, source


@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
def test_the_profile_conserves_salt(layers):
    u_n, u_s, u_p, d_n, d_p, _ = _profile(*layers, TRANSFERENCE)
    L, eps = np.array(layers[:3]), np.array(layers[3:6])
    assert (
        abs((L * eps * [u_n, u_s, u_p]).sum()) < 1e-15 * (L * eps * np.abs([u_n, u_s, u_p])).sum()
    )
    assert u_n > u_s > u_p
    assert d_n > 0
    assert d_p > 0


@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
def test_the_profile_is_the_steady_one(layers):
    h, eps, matrix, source = _finite_volumes(*layers)
    bordered = np.block([[matrix, (h * eps)[:, None]], [(h * eps)[None], np.zeros((1, 1))]])
    c = np.linalg.solve(bordered, np.append(-source, 0.0))[:-1].reshape(3, -1)
    u_n, u_s, u_p, d_n, d_p, _ = _profile(*layers, TRANSFERENCE)
    np.testing.assert_allclose([u_n, u_s, u_p], c.mean(axis=1), rtol=2e-4, atol=1e-9)
    # interface value + d (1 - xi^2), xi = 0 at the current collector
    xi = (np.arange(c.shape[1]) + 0.5) / c.shape[1]
    np.testing.assert_allclose(
        u_n - 2 / 3 * d_n + d_n * (1 - xi**2), c[0], rtol=1e-3, atol=1e-3 * u_n
    )
    np.testing.assert_allclose(
        u_p + 2 / 3 * d_p - d_p * (1 - xi[::-1] ** 2), c[2], rtol=1e-3, atol=1e-3 * u_n
    )


@pytest.mark.parametrize(
    ("name", "short_by"),
    [("alike", 0.015), ("graphite | NMC", 0.02), ("thin | thick", 0.07), ("thick separator", 0.12)],
)
def test_the_time_constant_is_nearly_that_of_the_slowest_mode(name, short_by):
    layers = LAYERS[name]
    h, eps, matrix, _ = _finite_volumes(*layers)
    rates = eigh(-matrix, np.diag(h * eps), eigvals_only=True, subset_by_index=[0, 1])
    assert abs(rates[0]) < 1e-9 * rates[1]  # the total of the salt
    tau = _profile(*layers, TRANSFERENCE)[-1]
    shortfall = 1.0 - tau * rates[1]
    assert (
        -5e-4 < shortfall < 1.05 * short_by
    )  # a Rayleigh quotient errs to one side; mesh error 2e-4


def test_profile_and_time_scale_with_length_diffusivity_and_transference():
    layers = np.array(LAYERS["graphite | NMC"])
    base = np.array(_profile(*layers, TRANSFERENCE))
    longer = np.array(_profile(*(layers * np.repeat([3.0, 1.0, 1.0], 3)), TRANSFERENCE))
    faster = np.array(_profile(*(layers * np.repeat([1.0, 1.0, 5.0], 3)), TRANSFERENCE))
    np.testing.assert_allclose(longer, base * [3, 3, 3, 3, 3, 9], rtol=1e-13, atol=0)
    np.testing.assert_allclose(faster, base / 5, rtol=1e-13, atol=0)
    half = np.array(_profile(*layers, 1.0 - 0.5 * (1.0 - TRANSFERENCE)))
    np.testing.assert_allclose(half, base * [0.5, 0.5, 0.5, 0.5, 0.5, 1.0], rtol=1e-13, atol=0)


def _mean_log(mean, drop):
    """Mean over 0 < xi < 1 of ln(mean - 2/3 drop + drop (1 - xi^2))."""
    return quad(lambda xi: math.log(mean + drop * (1 / 3 - xi**2)), 0, 1, epsabs=1e-13)[0]


@pytest.mark.parametrize(
    ("drop_p", "drop_n"), [(0.0, 0.0), (150.0, 80.0), (-200.0, -120.0), (300.0, -100.0)]
)
def test_the_mean_log_ratio_is_of_third_order_in_the_drops(drop_p, drop_n):
    exact = {}
    for part in (1.0, 0.5):
        # in the positive electrode the profile is the interface value minus drop (1 - xi^2)
        exact[part] = _mean_log(900.0, -part * drop_p) - _mean_log(1100.0, part * drop_n)
        error = _mean_log_ratio(900.0, part * drop_p, 1100.0, part * drop_n) - exact[part]
        largest = max(abs(part * drop_p) / 900, abs(part * drop_n) / 1100)
        assert abs(error) <= 0.01 * largest**3 + 1e-14


def test_the_mean_log_ratio_of_flat_profiles_is_the_logarithm():
    np.testing.assert_allclose(
        _mean_log_ratio(500.0, 0.0, 1500.0, 0.0), math.log(1 / 3), rtol=1e-14, atol=0
    )
    assert abs(_mean_log_ratio(1000.0, 50.0, 1000.0, 50.0)) < 1e-18
