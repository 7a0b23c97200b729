"""Parameter sets of our own, and the cells that use them."""

from __future__ import annotations

import numpy as np
import pybamm
import pytest

import cellmodel as cm
from cellmodel.bridge.parameter_values import fresh_state, parameter_values, shipped_values
from cellmodel.bridge.set_functions import SetFunctions
from cellmodel.bridge.sets import SETS, chayambuka2022, cui2024, weng2021
from cellmodel.cell import OWN_SETS
from kernels.kinetics import FARADAY

CELLS = ("nmc532-graphite-240mah", "nmc111-graphite-2360mah")
DONOR = "Chayambuka2022"
WIDE = np.linspace(0.001, 0.999, 4001)


def evaluate(function, sto, *rest):
    return np.asarray(function(pybamm.Vector(sto), *rest).evaluate()).ravel()


def area(values):
    return (
        values["Electrode width [m]"]
        * values["Electrode height [m]"]
        * values["Number of electrodes connected in parallel to make a cell"]
    )


def capacity(values, side):
    """Return what an electrode holds from empty to full [A h]."""
    moles = (
        area(values)
        * values[f"{side} electrode thickness [m]"]
        * values[f"{side} electrode active material volume fraction"]
        * values[f"Maximum concentration in {side.lower()} electrode [mol.m-3]"]
    )
    return moles * FARADAY / 3600


@pytest.fixture(scope="module")
def values():
    return shipped_values("Cui2024")


@pytest.mark.parametrize("name", SETS)
def test_sets_of_our_own_hold_all_that_their_donor_does(name):
    ours, donor = shipped_values(name), pybamm.ParameterValues(OWN_SETS[name])
    assert set(donor.keys()) <= set(ours.keys())
    assert ours["Electrolyte conductivity [S.m-1]"] is not None
    own, lent = (v["Separator Bruggeman coefficient (electrolyte)"] for v in (ours, donor))
    assert own == lent


@pytest.mark.parametrize(
    ("side", "c_max", "name"),
    [
        ("Negative", 14540.0, "electrode exchange-current density [A.m-2]"),
        ("Positive", 15320.0, "electrode exchange-current density [A.m-2]"),
        ("Negative", 14540.0, "particle diffusivity [m2.s-1]"),
        ("Positive", 15320.0, "particle diffusivity [m2.s-1]"),
    ],
)
def test_tables_of_the_sodium_set_go_on_to_the_ends(side, c_max, name):
    """Known from empty to full, with no other number anywhere than PyBaMM's."""
    ours, donor = shipped_values("Chayambuka2022ToTheEnds"), pybamm.ParameterValues(DONOR)
    content = pybamm.Vector(WIDE)
    at = (content,) if "diff" in name else (pybamm.Scalar(900), content * c_max, c_max)
    found, expected = (v[f"{side} {name}"](*at, pybamm.Scalar(298.15)) for v in (ours, donor))
    tables = [
        [node for node in symbol.pre_order() if isinstance(node, pybamm.Interpolant)]
        for symbol in (found, expected)
    ]
    assert [list(table.x[0][[0, -1]]) for table in tables[0]] == [[0.0, pytest.approx(c_max, 1e-3)]]
    assert tables[1][0].x[0][0] > 0
    numbers = (v.process_symbol(s).evaluate() for v, s in ((ours, found), (donor, expected)))
    np.testing.assert_allclose(*numbers, rtol=1e-12, atol=0)
    assert (ours.process_symbol(found).evaluate() > 0).all()


def test_the_donor_of_a_set_is_named():
    assert set(OWN_SETS) == set(SETS)
    assert OWN_SETS["Chayambuka2022ToTheEnds"] == chayambuka2022.DONOR
    assert OWN_SETS["Cui2024"] == cui2024.DONOR
    assert OWN_SETS["Weng2021"] == weng2021.DONOR
    rows = cm.load_cell("nmc532-graphite-240mah").provenance()
    assert rows[0][3] == "cellmodel; what it lacks is lent by Mohtat2020 of PyBaMM"
    assert cm.load_cell("nmc532-graphite").provenance()[0][3] == "PyBaMM"


def test_an_unknown_set_lists_ours_too():
    with pytest.raises(cm.InputError, match=r"unknown PyBaMM parameter set 'Cui2023'.*Cui2024"):
        shipped_values("Cui2023")


@pytest.mark.parametrize("function", [cui2024.nmc532_potential, cui2024.graphite_potential])
def test_potentials_fall_with_lithium(function):
    assert (np.diff(evaluate(function, WIDE)) < 0).all()


# single readings of the half cells of Cui et al. 2024 (Joule), github.com/cx26/formation-analysis
@pytest.mark.parametrize(
    ("window", "potential"), [(0.04, 3.5935), (0.2, 3.7105), (0.5, 3.8469), (0.9, 4.3926)]
)
def test_the_positive_has_the_measured_potential(window, potential):
    z = np.array([0.25 + 0.652 * (1 - window)])
    assert abs(evaluate(cui2024.nmc532_potential, z)[0] - potential) < 2e-3


@pytest.mark.parametrize(
    ("x", "potential"), [(0.02, 0.5023), (0.2, 0.1781), (0.5, 0.1348), (0.9, 0.0988)]
)
def test_the_negative_has_the_measured_potential(x, potential):
    assert abs(evaluate(cui2024.graphite_potential, np.array([x]))[0] - potential) < 4e-3


def test_the_electrodes_hold_what_was_measured(values):
    assert capacity(values, "Negative") == pytest.approx(0.306, rel=1e-3)
    assert 0.652 * capacity(values, "Positive") == pytest.approx(0.295, rel=1e-3)


@pytest.mark.parametrize("side", ["Negative", "Positive"])
def test_the_exchange_current_at_half_filling_is_20_milliampere(values, side):
    full = values[f"Maximum concentration in {side.lower()} electrode [mol.m-3]"]
    function = values[f"{side} electrode exchange-current density [A.m-2]"]
    density = float(
        function(
            pybamm.Scalar(1000), pybamm.Scalar(full / 2), pybamm.Scalar(full), pybamm.Scalar(300)
        ).evaluate()
    )
    surface = (
        3
        / values[f"{side} particle radius [m]"]
        * values[f"{side} electrode active material volume fraction"]
        * values[f"{side} electrode thickness [m]"]
        * area(values)
    )
    assert density * surface == pytest.approx(0.020, rel=1e-3)


def test_the_positive_diffuses_by_pairs_of_vacant_sites_down_to_a_floor(values):
    """The pairs, less the floor, fall to a quarter where half the sites are vacant."""
    D = evaluate(cui2024.nmc532_diffusivity, WIDE, pybamm.Scalar(298.15))
    times = values["Positive particle radius [m]"] ** 2 / D
    assert np.interp(0.25, WIDE, times) == pytest.approx(1650, rel=2e-3)
    assert np.interp(0.625, WIDE, times) == pytest.approx(1650 * 1.01 / 0.26, rel=2e-3)
    assert (np.diff(D) < 0).all()
    assert D[-1] / 1.5e-14 == pytest.approx(0.01, rel=0.02)


@pytest.mark.parametrize("name", CELLS)
def test_a_pristine_cell_has_a_voltage(name):
    cell = cm.load_cell(name)
    start = fresh_state(cell)
    functions = SetFunctions(parameter_values(cell))
    voltage = (
        functions.potential("positive", np.array([start.positive_stoichiometry]))
        - functions.potential("negative", np.array([start.negative_stoichiometry]))
    )[0]
    assert 0.5 < voltage < 3.0


def test_kinetics_are_carried_over_per_gram_of_graphite():
    fitted, other = (cm.load_cell(name) for name in CELLS)
    spheres = [
        3 / (2240 * cell.parameter("Negative particle radius [m]")) for cell in (fitted, other)
    ]  # m2 kg-1
    names = [
        name
        for name in fitted.parameters
        if "current density" in name and "exchange-current" not in name
    ]
    assert len(names) == 3
    for name in (*names, "Passivation charge [C.m-2]", "Lithium storage rate [C.m-2.s-0.5]"):
        per_gram = [c.parameter(name) * s for c, s in zip((fitted, other), spheres, strict=True)]
        np.testing.assert_allclose(*per_gram, rtol=1e-3, atol=0)
    film = "SEI partial molar volume [m3.mol-1]"  # so that the film is as thick for the same charge
    thick = [c.parameter(film) / s for c, s in zip((fitted, other), spheres, strict=True)]
    np.testing.assert_allclose(*thick, rtol=1e-3, atol=0)


def test_slow_formation_fills_the_cell_as_measured():
    """25 degC, 26.4 mA to 3.72 V, then 36 mA: 0.2995 A h in, 0.2476 A h out, lithium inventory
    289 mA h (Cui et al. 2024): within 1 %, but for the charge, 1.1 % too much.
    """
    cell = cm.load_cell(CELLS[0])
    protocol = cm.load_protocol("two-stage-charge").with_variables(
        charge_current_1=0.0264,
        transition_voltage=3.72,
        charge_current_2=0.036,
        verification_cycles=0,
    )
    result = cm.simulate_formation(
        cell, protocol, "regenerative-cycler", model="SPM", radial_points=40
    )
    charge, discharge = float(result.charge_capacity[0]), float(result.discharge_capacity[0])
    assert charge == pytest.approx(0.2995, rel=0.0125)
    assert discharge == pytest.approx(0.2476, rel=0.01)
    sites = capacity(shipped_values("Cui2024"), "Positive")
    inventory = 0.306 * float(result.negative_stoichiometry)
    inventory += (float(result.positive_stoichiometry) - 0.25) * sites
    assert inventory == pytest.approx(0.2889, rel=0.01)
