"""Every SEI law in a whole cell: formation by the kernels against PyBaMM, sweeps, calibration."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import cellmodel as cm
from cellmodel.bridge.kernel_cell import kernel_cell
from cellmodel.bridge.parameter_values import parameter_values
from cellmodel.calibration import calibrate_sei
from cellmodel.cell import SEI_LAWS
from cellmodel.parameter_name import unit_of
from cellmodel.quantity import Quantity

PRESENT = "regenerative-cycler"
EXCHANGE_CURRENT = "SEI reaction exchange current density [A.m-2]"
TRANSFER = "SEI growth transfer coefficient"
#: law -> what makes this cell lose some of its lithium; everything else is in Mohtat2020
NUMBERS = {
    "reaction limited": {EXCHANGE_CURRENT: 8e-6},
    "reaction limited (asymmetric)": {EXCHANGE_CURRENT: 1e-4, TRANSFER: 0.3},
    "solvent-diffusion limited": {"SEI solvent diffusivity [m2.s-1]": 1e-20},
    "electron-migration limited": {"SEI electron conductivity [S.m-1]": 1.5e-10},
    "interstitial-diffusion limited": {"SEI lithium interstitial diffusivity [m2.s-1]": 1.8e-15},
    "ec reaction limited": {"SEI kinetic rate constant [m.s-1]": 2e-14},
    "ec reaction limited (asymmetric)": {
        "SEI kinetic rate constant [m.s-1]": 2e-13,
        TRANSFER: 0.3,
    },
    "tunnelling limited": {EXCHANGE_CURRENT: 1.2},
}


def with_law(law, **more):
    """Return the NMC532 cell with this SEI, whose growth depends on temperature."""
    cell = cm.load_cell("nmc532-graphite")
    numbers = {"SEI growth activation energy [J.mol-1]": 38e3} | NUMBERS[law] | more
    given = {name: Quantity(v, unit_of(name) or "1", "test") for name, v in numbers.items()}
    return dataclasses.replace(cell, sei=law, parameters={**cell.parameters, **given})


def tabulated(cell, *own):
    start = (cell.negative_stoichiometry.value, cell.positive_stoichiometry.value)
    return kernel_cell(parameter_values(cell), cell.sei, start, frozenset(own))


@pytest.mark.parametrize("law", SEI_LAWS)
def test_formation_agrees_with_pybamm(law):
    """What DESIGN owes, 10 K above the temperature at which the rates are stated."""
    cell, protocol = with_law(law), cm.load_protocol("two-cycle").with_variables(temperature=308.15)
    expected = cm.simulate_formation(cell, protocol, PRESENT)
    found = cm.sweep_formation(cell, protocol, PRESENT)
    lithium = cell.parameter("Nominal cell capacity [A.h]")
    assert 0.02 < expected.lithium_loss / lithium < 0.25
    for name, within in (
        ("charge_energy", 1e-3),
        ("discharge_energy", 1e-3),
        ("lithium_loss", 5e-3),
    ):
        np.testing.assert_allclose(found[name], expected[name], rtol=within, atol=0, err_msg=name)
    losses = [result.charge_energy - result.discharge_energy for result in (found, expected)]
    np.testing.assert_allclose(*losses, rtol=5e-3, atol=0)
    np.testing.assert_allclose(found.sei_thickness, expected.sei_thickness, rtol=5e-3, atol=0)


@pytest.mark.parametrize("law", SEI_LAWS)
def test_a_swept_parameter_of_a_law_is_that_of_single_cells(law):
    cell = with_law(law)
    for name in NUMBERS[law]:
        value = NUMBERS[law][name]
        swept = tabulated(cell, name).rows({name: np.array([value, 0.5 * value])})
        for case, factor in enumerate((1.0, 0.5)):
            alone = tabulated(with_law(law, **{name: factor * value})).rows({})
            for row, number in alone.items():
                assert np.broadcast_to(swept[row], 2)[case] == number, row


@pytest.mark.parametrize("law", SEI_LAWS)
def test_a_parameter_that_a_law_lacks_is_named(law):
    for name in NUMBERS[law]:
        values = parameter_values(with_law(law))
        del values[name]
        with pytest.raises(cm.InputError, match="the kernels need") as error:
            kernel_cell(values, law, (0.01, 0.95))
        assert f"'{name}'" in str(error.value)


@pytest.mark.parametrize("law", SEI_LAWS)
def test_a_cell_needs_no_parameters_of_other_laws(law):
    cell = with_law(law)
    values, whole = parameter_values(cell), tabulated(cell)
    others = {name for numbers in NUMBERS.values() for name in numbers} - NUMBERS[law].keys()
    for name in others:
        if name in values.keys():  # noqa: SIM118 (ParameterValues is no Mapping)
            del values[name]
    start = (cell.negative_stoichiometry.value, cell.positive_stoichiometry.value)
    assert kernel_cell(values, law, start).rows({}) == whole.rows({})


def test_calibration_fits_the_rate_of_the_law_that_a_cell_has_been_given():
    law, rate = "interstitial-diffusion limited", "SEI lithium interstitial diffusivity [m2.s-1]"
    assert cm.load_cell("nmc532-graphite").calibration["parameter"] != rate
    cell = calibrate_sei(with_law(law, **{rate: 5e-16}), efficiency=0.9)
    assert "first-cycle efficiency 0.9 " in cell.parameters[rate].source
    formed = cm.simulate_formation(cell, "two-cycle", PRESENT)
    np.testing.assert_allclose(formed.first_cycle_efficiency, 0.9, rtol=0, atol=1e-4)


def test_a_law_that_pybamm_has_but_the_kernels_do_not_is_refused_by_name():
    cell = dataclasses.replace(cm.load_cell("nmc532-graphite"), sei="VonKolzenberg2020")
    with pytest.raises(cm.InputError, match=r"unknown SEI growth law 'VonKolzenberg2020'.*all: ec"):
        cm.sweep_formation(cell, "two-cycle", PRESENT)
