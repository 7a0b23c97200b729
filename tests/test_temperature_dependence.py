"""Temperature factors: fits of made-up functions, and what the kernels make of them."""

from __future__ import annotations

import numpy as np
import pytest
from march_cases import FORMATION, NO_HEAT, PARAMETERS, TABLES, form

from cellmodel.bridge.set_tables import GRID, SetTables
from cellmodel.bridge.temperature_dependence import ENERGIES, arrhenius, cubic
from kernels import tables
from kernels.kinetics import GAS

T_REF = 298.15
PLACES = np.linspace(0.1, 0.9, 9)


def _z(T):
    return (1 / T_REF - 1 / T) / GAS


def _same(values):
    return values


def test_the_arrhenius_law_is_measured():
    energy, departure = arrhenius(lambda s, T: 2 * s * np.exp(17e3 * _z(T)), PLACES, T_REF)
    np.testing.assert_allclose(energy, 17e3, rtol=1e-12, atol=0)
    assert departure < 1e-12


def test_two_energies_are_no_arrhenius_law():
    def function(s, T):
        return np.exp((17e3 + 1e3 * s) * _z(T))

    _, departure = arrhenius(function, PLACES, T_REF)
    assert 0.01 < departure < 0.1


def test_a_function_that_changes_its_sign_is_none_either():
    assert arrhenius(lambda s, T: s * (T - 280.0), PLACES, T_REF) == (0.0, np.inf)


def test_a_cubic_times_arrhenius_is_found_again():
    coefficients = np.array([0.3 + PLACES, 0.1 * PLACES, -0.02 - 0.1 * PLACES])

    def function(s, T):
        t = (T - T_REF) / tables.DEGREES
        a, b, c = (np.interp(s, PLACES, row) for row in coefficients)
        return s * np.exp(8e3 * _z(T)) * (1 + a * t + b * t**2 + c * t**3)

    found = cubic(function, PLACES, T_REF, _same, ENERGIES)
    assert found.energy == 8e3
    assert found.departure < 1e-12
    np.testing.assert_allclose(found.coefficients, coefficients, rtol=1e-9, atol=0)


def test_the_departure_is_where_the_fit_is_worst():
    """All but the last place are plain; there the logarithm bends like that of a glass."""

    def function(s, T):
        return np.where(s < 0.85, 1.0, np.exp(-600 / (T - 200.0) + 600 / (T_REF - 200.0)))

    found = cubic(function, PLACES, T_REF, _same, ENERGIES)
    at, T = found.worst
    assert at == PLACES[-1]
    assert found.departure > 0.01
    t = (T - T_REF) / tables.DEGREES
    a, b, c = found.coefficients[:, -1]
    fitted = np.exp(found.energy * _z(T)) * (1 + a * t + b * t**2 + c * t**3)
    error = abs(fitted / function(np.array([at]), T)[0] - 1)
    np.testing.assert_allclose(found.departure, error, rtol=1e-9, atol=0)


# in the kernels


#: row -> what its temperature factor is at 15 K above the reference
FACTORS = {
    "negative_diffusivity": 1.4,
    "positive_diffusivity": 0.7,
    "electrolyte_diffusivity": 1.3,
    "electrolyte_conductivity": 0.8,
    "thermodynamic_factor": 1.5,
    "transference_number": -0.6,
}
WARM = {"ambient_temperature": T_REF + 15.0, "initial_temperature": T_REF + 15.0, **NO_HEAT}


def _tabulated(names):
    """The made-up cell's tables with temperature factors, linear, quadratic and cubic alike."""
    table = SetTables()
    table.coefficients[:], table.flat[:] = TABLES
    t = 15.0 / tables.DEGREES
    for name in names:
        share = (FACTORS[name] - 1) / 3
        table.warm(name, np.outer([share / t, share / t**2, share / t**3], np.ones_like(GRID)))
    return table.coefficients, table.flat


@pytest.mark.kernel
@pytest.mark.parametrize("name", tables.PROPERTIES)
def test_a_temperature_factor_is_a_factor_of_its_row(name):
    steps = FORMATION[:4]
    fine = {"tolerance": 0.3, **WARM}  # the kinetic loss is a small difference of charges
    found = form(steps, tabulated=_tabulated([name]), **fine)
    expected = form(steps, **fine, **{name: PARAMETERS[name] * FACTORS[name]})
    plain = form(steps, **fine)
    assert found.status[0] == expected.status[0] == 0
    # particles whose diffusivity is tabulated have shells in place of modes
    rtol = 1e-4 if name in ("negative_diffusivity", "positive_diffusivity") else 1e-5
    np.testing.assert_allclose(found.outputs, expected.outputs, rtol=rtol, atol=1e-9)
    assert (np.abs(found.energy_out / plain.energy_out - 1) > 5e-5).all()


@pytest.mark.kernel
def test_at_the_reference_temperature_nothing_changes():
    fine = {"tolerance": 0.3, **NO_HEAT}  # the kinetic loss is a small difference of charges
    found = form(FORMATION[:4], tabulated=_tabulated(tables.PROPERTIES), **fine)
    np.testing.assert_array_equal(found.status, 0)
    expected = form(FORMATION[:4], **fine)
    # all properties are tabulated, so particles have shells in place of modes
    np.testing.assert_allclose(found.outputs, expected.outputs, rtol=1e-4, atol=1e-9)


@pytest.mark.kernel
def test_flat_tables_are_never_read():
    coefficients, flat = TABLES
    poisoned = np.where(flat[:, None, None], np.nan, coefficients)
    np.testing.assert_array_equal(form(tabulated=(poisoned, flat)).outputs, form().outputs)
