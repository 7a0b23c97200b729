"""Whole PyBaMM sets with properties that depend on concentration and temperature: formation by the
kernels against PyBaMM, in the cold and in the warm.
"""

from __future__ import annotations

import functools
import importlib.resources
from pathlib import Path

import numpy as np
import pytest

import cellmodel as cm

EQUIPMENT = "regenerative-cycler"
TEMPERATURES = (283.15, 298.15, 308.15)
#: in place of O'Regan's, which vary over decades
SOLID = {
    "Negative particle diffusivity [m2.s-1]": 3e-14,
    "Positive particle diffusivity [m2.s-1]": 1e-14,
}
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    """Return a function from a name to a cell of tests/cells; materials are those of the LG M50."""
    folder = tmp_path_factory.mktemp("cells")
    shipped = importlib.resources.files("cellmodel") / "data/cells/nmc811-graphite-siox.toml"
    _, heading, materials = shipped.read_text(encoding="utf-8").partition("\n[materials]")

    @functools.cache
    def load(name):
        own = (HERE / "cells" / f"{name}.toml").read_text(encoding="utf-8")
        (folder / f"{name}.toml").write_text(own + heading + materials, encoding="utf-8")
        return cm.load_cell(folder / f"{name}.toml")

    return load


def departures(cell, temperature):
    """Return the largest relative departure from PyBaMM of each kind, over the cycles."""
    protocol = cm.load_protocol("two-cycle").with_variables(temperature=temperature)
    found = cm.sweep_formation(cell, protocol, EQUIPMENT)
    expected = cm.simulate_formation(
        cell, protocol, EQUIPMENT, radial_points=100, rtol=1e-7, atol=1e-9
    )
    assert abs(expected.first_cycle_efficiency - cell.first_cycle_efficiency.value) < 0.05
    pairs = {
        name: (found[name], expected[name])
        for name in ("charge_energy", "discharge_energy", "lithium_loss")
    }
    pairs["net_loss"] = tuple(r.charge_energy - r.discharge_energy for r in (found, expected))
    return {name: float(np.abs(a / b - 1).max()) for name, (a, b) in pairs.items()}


def assert_owed(found):
    """What DESIGN section 4 owes."""
    assert found["charge_energy"] < 1e-3
    assert found["discharge_energy"] < 1e-3
    assert found["lithium_loss"] < 5e-3
    assert found["net_loss"] < 5e-3


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_formation_of_ecker_agrees_with_pybamm(load, temperature):
    """Diffusivities over stoichiometry; a conductivity that is Arrhenius' law over T."""
    assert_owed(departures(load("ecker2015"), temperature))


@pytest.mark.parametrize("temperature", [283.15, 298.15])
def test_formation_with_landesfeinds_electrolyte_agrees_with_pybamm(load, temperature):
    assert_owed(departures(load("oregan2022").replace_parameters(SOLID), temperature))


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_formation_of_oregan_agrees_with_pybamm(load, temperature):
    """Diffusivities that vary over decades with stoichiometry."""
    assert_owed(departures(load("oregan2022"), temperature))


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_formation_of_cui_agrees_with_pybamm(load, temperature):
    """Diffusivity of the positive particle proportional to its vacant sites."""
    assert_owed(departures(load("cui2024"), temperature))


def test_formation_of_the_sodium_cell_agrees_with_pybamm():
    """Chayambuka et al. 2022: diffusivities and rates that vary over a factor of 100."""
    assert_owed(departures(cm.load_cell("nvpf-hard-carbon"), 298.15))


@pytest.mark.parametrize("temperature", [278.15, 298.15])
@pytest.mark.filterwarnings("ignore:.*Interpolant 'U_n' lower bound:pybamm.SolverWarning")
def test_dfn_of_the_sodium_cell_runs_at_its_default_tolerances(temperature):
    """Solids that conduct well and react slowly: potentials are lost in rounding errors."""
    protocol = cm.load_protocol("two-cycle").with_variables(temperature=temperature)
    forming = "nvpf-hard-carbon", protocol, EQUIPMENT
    mesh = {"radial_points": 20, "electrode_points": 10}
    dfn = cm.simulate_formation(*forming, model="DFN", **mesh)
    loose = cm.simulate_formation(*forming, model="DFN", **mesh, rtol=1e-6, atol=1e-8)
    for name in ("charge_energy", "discharge_energy", "lithium_loss"):
        np.testing.assert_allclose(dfn[name], loose[name], rtol=2e-5, atol=0)
    less = 1 - cm.sweep_formation(*forming)["discharge_energy"] / dfn["discharge_energy"]
    assert 0.0 < less.min() < less.max() < 0.04


def test_a_sweep_over_temperature_is_that_of_single_cells(load):
    """Heat capacities and a conductivity that depend on temperature become columns."""
    cell, protocol = load("oregan2022"), cm.load_protocol("two-cycle")
    swept = cm.sweep_formation(cell, protocol, EQUIPMENT, over={"temperature": TEMPERATURES})
    for temperature in TEMPERATURES:
        alone = cm.sweep_formation(
            cell, protocol.with_variables(temperature=temperature), EQUIPMENT
        )
        for name in ("charge_energy", "discharge_energy", "lithium_loss"):
            np.testing.assert_array_equal(swept[name].sel(temperature=temperature), alone[name])
