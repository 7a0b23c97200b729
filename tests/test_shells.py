"""Particles cut into shells: where their diffusivity depends on stoichiometry."""

import math

import numpy as np
import pytest
from march_cases import FORMATION, NO_HEAT, PARAMETERS, capacities, form, smooth_tables

from kernels import shells, tables

pytestmark = pytest.mark.kernel


def _with_diffusivity(**shapes):
    """Tables of the made-up cell with a shape of the diffusivity on one or both sides."""
    table, flat = smooth_tables()
    grid = np.linspace(0.0, 1.0, tables.INTERVALS + 1)
    for side, shape in shapes.items():
        which = {"negative": tables.SHAPE_D_N, "positive": tables.SHAPE_D_P}[side]
        values = shape(grid)
        table[which] = tables.hermite_table(values, np.gradient(values, grid, edge_order=2))
        flat[which] = False
    return table, flat


def _constant(s):
    return np.ones_like(s)


def _vacancies(s):
    return 2.0 * (1.02 - s)


VACANCIES = _with_diffusivity(positive=_vacancies)


def test_shells_fill_the_particle():
    np.testing.assert_allclose(sum(shells.VOLUMES), 1.0, rtol=1e-14, atol=0)
    assert shells.BOUNDARIES[0] == 0.0
    assert (np.diff(shells.BOUNDARIES) > 0.0).all()
    assert shells.BOUNDARIES[-1] - shells.BOUNDARIES[-2] == pytest.approx(shells.THINNEST)


def test_a_parabola_is_met_exactly():
    """s = r^2: means over shells, their distances and the way to the surface."""
    a, b = np.array(shells.BOUNDARIES[:-1]), np.array(shells.BOUNDARIES[1:])
    means = 0.6 * (b**5 - a**5) / (b**3 - a**3)
    slopes = 2.0 * np.array(shells.BOUNDARIES[1:-1])
    np.testing.assert_allclose(np.diff(means), slopes * shells.DISTANCES, rtol=1e-12, atol=0)
    surface = means[-1] + shells.INNER_SLOPE * slopes[-1] + shells.OUTER_SLOPE * 2.0
    np.testing.assert_allclose(surface, 1.0, rtol=1e-12, atol=0)


@pytest.mark.parametrize("apart", [1e-6, 1e-3, 0.3])
def test_the_mean_diffusivity_is_the_mean_over_stoichiometry(apart):
    a, b = 0.4, 0.4 + apart
    found = shells.mean_diffusivity(a, a**2, a**3 / 3, b, b**2, b**3 / 3)
    np.testing.assert_allclose(found, (a * a + a * b + b * b) / 3, rtol=1e-6, atol=0)


@pytest.mark.parametrize("sides", [("negative",), ("positive",), ("negative", "positive")])
def test_with_one_diffusivity_shells_do_what_modes_do(sides):
    """The modes are exact for a current linear in time."""
    cut = form(tabulated=_with_diffusivity(**dict.fromkeys(sides, _constant)))
    modes = form()
    assert cut.status == 0
    for name in ("energy_in", "energy_out", "charge_in", "charge_out"):
        np.testing.assert_allclose(getattr(cut, name), getattr(modes, name), rtol=1e-4, atol=0)
    np.testing.assert_allclose(cut["lithium_loss"], modes["lithium_loss"], rtol=2e-4, atol=0)


def test_charge_and_lithium_are_conserved():
    both = _with_diffusivity(positive=_vacancies, negative=lambda s: 0.3 + s)
    result = form(tabulated=both)
    negative, positive = capacities()
    inside = result.charge_in.sum() - result.charge_out.sum()
    taken = (PARAMETERS["positive_stoichiometry"] - result["positive_stoichiometry"]) * positive
    np.testing.assert_allclose(taken, inside, rtol=1e-10, atol=0)
    gained = (result["negative_stoichiometry"] - PARAMETERS["negative_stoichiometry"]) * negative
    np.testing.assert_allclose(gained, inside - result["lithium_loss"], rtol=1e-10, atol=0)


def test_errors_fall_with_the_tolerance():
    exact = form(tabulated=VACANCIES, tolerance=1e-3)
    errors = [
        np.abs(form(tabulated=VACANCIES, tolerance=t).energy_out / exact.energy_out - 1).max()
        for t in (1.0, 0.03)
    ]
    assert errors[0] < 2e-3
    assert errors[1] < 0.5 * errors[0]


def test_a_diffusivity_that_vanishes_leaves_lithium_behind():
    """What a nearly full positive electrode does not take up, a slow discharge would still give."""
    slow = form(tabulated=VACANCIES, **NO_HEAT)
    free = form(**NO_HEAT)
    assert slow["kinetic_loss"] > 1.1 * free["kinetic_loss"]


def test_results_do_not_depend_on_neighbours():
    radii = PARAMETERS["positive_particle_radius"] * np.linspace(0.8, 1.2, 40)
    over = {"positive_particle_radius": radii}
    together = form(FORMATION, over, tabulated=VACANCIES)
    for at in (0, 17, 39):
        alone = form(
            FORMATION, {"positive_particle_radius": radii[at : at + 1]}, tabulated=VACANCIES
        )
        np.testing.assert_array_equal(together.outputs[:, at], alone.outputs[:, 0])


def test_the_shells_of_a_step_share_one_elimination():
    assert math.isclose(shells.GAMMA, 1.0 - 1.0 / math.sqrt(2.0), rel_tol=1e-15)
