"""SEI growth: limits of the formula, and each of PyBaMM's laws as its coefficients."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from cellmodel.bridge.sei_laws import LAWS
from cellmodel.cell import SEI_LAWS
from kernels.kinetics import FARADAY, GAS
from kernels.parameters import BOUNDS
from kernels.sei import growth

pytestmark = pytest.mark.kernel

T = 305.0
F_PER_RT = FARADAY / (GAS * T)
RT_F = GAS * T / FARADAY  # V
POTENTIALS = (-0.3, -0.05, 0.0, 0.1, 0.39, 0.41, 1.5)
THICKNESSES = (1e-10, 3e-9, 2e-7)
#: rows of the formula, in the order of its arguments
ROWS = (
    "sei_prefactor",
    "sei_transfer",
    "sei_open_circuit_potential",
    "sei_barrier",
    "sei_reaction_resistance",
    "sei_slowing",
    "sei_transport_resistance",
    "sei_migration",
)
NUMBERS = {
    "SEI reaction exchange current density [A.m-2]": 3.0,
    "SEI growth transfer coefficient": 0.3,
    "SEI open-circuit potential [V]": 0.4,
    "SEI kinetic rate constant [m.s-1]": 1e-13,
    "EC initial concentration in electrolyte [mol.m-3]": 4541.0,
    "EC diffusivity [m2.s-1]": 2e-18,
    "Bulk solvent concentration [mol.m-3]": 2636.0,
    "SEI solvent diffusivity [m2.s-1]": 2.5e-22,
    "Lithium interstitial reference concentration [mol.m-3]": 15.0,
    "SEI lithium interstitial diffusivity [m2.s-1]": 1e-20,
    "SEI electron conductivity [S.m-1]": 8.95e-14,
    "Tunneling barrier factor [m-1]": 2.3e8,
}
(J_0, ALPHA, U, K, C_EC, D_EC, C_SOL, D_SOL, C_LI, D_LI, KAPPA, BETA) = NUMBERS.values()


def _rows(law):
    return {row: function(NUMBERS.__getitem__) for row, function in LAWS[law].items()}


def _current(law, potential, thickness, **changed):
    rows = _rows(law) | changed
    current, _ = growth(potential, thickness, F_PER_RT, *(rows[row] for row in ROWS))
    return current


def _ec(alpha):
    def law(phi, L):
        k = K * math.exp(-alpha * (phi - U) / RT_F)
        return FARADAY * C_EC * k / (1 + L * k / D_EC)

    return law


#: the laws as they stand in the literature, phi behind the film where the second entry says so
TRANSCRIBED = {
    "reaction limited": (lambda phi, L: J_0 * math.exp(-0.5 * (phi - U) / RT_F), True),
    "reaction limited (asymmetric)": (
        lambda phi, L: J_0 * math.exp(-ALPHA * (phi - U) / RT_F),
        True,
    ),
    "solvent-diffusion limited": (lambda phi, L: FARADAY * D_SOL * C_SOL / L, False),
    "electron-migration limited": (
        lambda phi, L: KAPPA * (U - phi) / L if phi < U else 0.0,
        False,
    ),
    "interstitial-diffusion limited": (
        lambda phi, L: FARADAY * D_LI * C_LI / L * math.exp(-phi / RT_F),
        False,
    ),
    "ec reaction limited": (_ec(0.5), True),
    "ec reaction limited (asymmetric)": (_ec(ALPHA), True),
    "tunnelling limited": (
        lambda phi, L: J_0 * math.exp(-0.5 * phi / RT_F) * math.exp(-BETA * L),
        False,
    ),
}


def test_every_law_of_a_cell_has_its_coefficients():
    assert set(LAWS) == set(SEI_LAWS) == set(TRANSCRIBED)


@pytest.mark.parametrize("law", LAWS)
def test_a_law_is_its_coefficients(law):
    transcribed, behind_film = TRANSCRIBED[law]
    for phi, L in itertools.product(POTENTIALS, THICKNESSES):
        np.testing.assert_allclose(
            _current(law, phi, L), transcribed(phi, L), rtol=1e-12, atol=0, err_msg=f"{phi} {L}"
        )
    assert _rows(law)["sei_film_drop"] == behind_film


@pytest.mark.parametrize("law", LAWS)
def test_coefficients_are_within_the_bounds_of_their_rows(law):
    rows = _rows(law)
    assert set(rows) == {*ROWS, "sei_film_drop"}
    for row, value in rows.items():
        low, high = BOUNDS[row]
        assert low < value < high, row


@pytest.mark.parametrize(
    ("law", "needed"),
    [
        ("reaction limited", {J_0, U}),
        ("reaction limited (asymmetric)", {J_0, U, ALPHA}),
        ("solvent-diffusion limited", {D_SOL, C_SOL}),
        ("electron-migration limited", {KAPPA, U}),
        ("interstitial-diffusion limited", {D_LI, C_LI}),
        ("ec reaction limited", {K, C_EC, D_EC, U}),
        ("ec reaction limited (asymmetric)", {K, C_EC, D_EC, U, ALPHA}),
        ("tunnelling limited", {J_0, BETA}),
    ],
)
def test_a_law_needs_no_parameters_of_others(law, needed):
    read = set()
    for function in LAWS[law].values():
        function(lambda name: read.add(NUMBERS[name]) or NUMBERS[name])
    assert read == needed


@pytest.mark.parametrize("law", LAWS)
def test_the_parameter_of_the_rate_sets_it(law):
    """A tenth of it is a tenth of the growth, where the growth is not limited by something else."""
    less = NUMBERS | {SEI_LAWS[law]: 0.1 * NUMBERS[SEI_LAWS[law]]}
    rows = {row: function(less.__getitem__) for row, function in LAWS[law].items()}
    slower, _ = growth(0.3, 1e-12, F_PER_RT, *(rows[row] for row in ROWS))
    np.testing.assert_allclose(slower, 0.1 * _current(law, 0.3, 1e-12), rtol=1e-5, atol=0)


@pytest.mark.parametrize("law", LAWS)
def test_currents_are_not_negative_and_do_not_rise_with_potential_or_thickness(law):
    found = np.array([[_current(law, phi, L) for L in THICKNESSES] for phi in POTENTIALS])
    assert (found >= 0).all()
    assert (found[0] > 0).all()
    assert (np.diff(found, axis=0) <= 0).all()
    assert (np.diff(found, axis=1) <= 0).all()


@pytest.mark.parametrize("law", LAWS)
def test_a_prefactor_of_zero_grows_nothing(law):
    assert _current(law, -0.3, 1e-10, sei_prefactor=0.0) == 0.0


def test_resistances_of_reaction_and_film_add():
    both = dict.fromkeys(("sei_reaction_resistance", "sei_transport_resistance"), 0.0)
    for L in THICKNESSES:
        parts = [
            1 / _current("reaction limited", 0.1, L, **{**both, row: resistance})
            for row, resistance in (
                ("sei_reaction_resistance", 2.0),
                ("sei_transport_resistance", 5e7),
            )
        ]
        together = _current(
            "reaction limited", 0.1, L, sei_reaction_resistance=2.0, sei_transport_resistance=5e7
        )
        np.testing.assert_allclose(1 / together, sum(parts), rtol=1e-13, atol=0)


def test_ec_without_a_film_is_reaction_limited_and_behind_a_thick_one_diffusion_limited():
    for phi in POTENTIALS:
        k = K * math.exp(-0.5 * (phi - U) / RT_F)
        thin = _current("ec reaction limited", phi, 0.0)
        np.testing.assert_allclose(thin, FARADAY * C_EC * k, rtol=1e-13, atol=0)
    for L in (1e-6, 1e-5):
        thick = _current("ec reaction limited", -0.3, L)
        np.testing.assert_allclose(thick, FARADAY * C_EC * D_EC / L, rtol=1e-4, atol=0)


def test_transfer_falls_by_a_decade_per_slope_and_tunnelling_by_e_per_length():
    decade = math.log(10) * RT_F
    for law, alpha in (
        ("reaction limited (asymmetric)", ALPHA),
        ("interstitial-diffusion limited", 1.0),
    ):
        higher = _current(law, 0.1 + decade / alpha, 5e-9)
        np.testing.assert_allclose(higher, _current(law, 0.1, 5e-9) / 10, rtol=1e-13, atol=0)
    thicker = _current("tunnelling limited", 0.1, 5e-9 + 1 / BETA)
    thin = _current("tunnelling limited", 0.1, 5e-9)
    np.testing.assert_allclose(thicker, thin / math.e, rtol=1e-13, atol=0)


def test_electrons_do_not_migrate_above_the_open_circuit_potential():
    assert _current("electron-migration limited", U + 1e-9, 1e-9) == 0.0
    assert _current("electron-migration limited", U - 1e-9, 1e-9) > 0.0


def test_hostile_coefficients_give_no_nan():
    """A formula without any resistance, and exponentials beyond the range of a double."""
    none = dict.fromkeys(("sei_reaction_resistance", "sei_slowing", "sei_transport_resistance"), 0)
    assert _current("reaction limited", 0.1, 1e-9, **none, sei_prefactor=0.0) == 0.0
    assert _current("reaction limited", 0.1, 1e-9, **none) > 0.0
    for phi in (-1e300, 1e300):
        assert not math.isnan(_current("electron-migration limited", phi, 1e-9))


@pytest.mark.parametrize("law", LAWS)
def test_the_fall_is_the_derivative_over_thickness(law):
    rows, L, step = _rows(law), 5e-9, 5e-13
    for potential in POTENTIALS:
        _, fall = growth(potential, L, F_PER_RT, *(rows[row] for row in ROWS))
        ahead, behind = (_current(law, potential, L + sign * step) for sign in (1, -1))
        np.testing.assert_allclose(
            fall, (behind - ahead) / (2 * step), rtol=1e-5, atol=1e-9 * behind / L
        )
