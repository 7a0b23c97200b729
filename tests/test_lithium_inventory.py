"""Lithium that a formed cell has: conserved, and counted as it was measured."""

from __future__ import annotations

import numpy as np
import pybamm
import pytest

import cellmodel as cm
from cellmodel.bridge.parameter_values import parameter_values


@pytest.mark.parametrize("name", cm.list_cells())
def test_it_is_what_the_fresh_cell_had_less_what_was_lost(name):
    """PyBaMM counts the fresh cell's, both materials of an electrode included."""
    cell = cm.load_cell(name)
    thicker = cell.parameter("Positive electrode thickness [m]") * np.array([1.0, 1.1])
    over = {"temperature": ("case", [298.15, 308.15])}
    over |= {"Positive electrode thickness [m]": ("case", thicker)}
    formed = cm.sweep_formation(cell, "two-cycle", "laboratory-cycler", over=over)
    model = pybamm.lithium_ion.SPM(
        {"particle phases": ("2", "1")} if name == "nmc811-graphite-silicon" else {}
    )
    total = model.param.Q_Li_particles_init  # A h
    for case, thickness in zip(formed.case, thicker, strict=True):
        values = parameter_values(
            cell.replace_parameters({"Positive electrode thickness [m]": thickness})
        )
        fresh = values.evaluate(total)
        if name == "nmc532-graphite-240mah":  # counted from a stoichiometry of 0.25
            fresh -= 0.25 * values.evaluate(model.param.p.prim.Q_init)
        kept = formed.isel(case=case).lithium_inventory + formed.isel(case=case).lithium_loss
        np.testing.assert_allclose(kept, fresh, rtol=1e-10, atol=0)


@pytest.mark.parametrize(
    ("kelvin", "first", "transition", "second", "cycles", "measured"),
    [
        (298.15, 0.0264, 3.72, 0.036, 2, 0.2889),
        (298.15, 0.53, 4.1, 0.49, 1, 0.2648),
        (318.15, 0.0048, 3.86, 0.2544, 0, 0.2932),
        (318.15, 0.31, 3.69, 0.62, 1, 0.2716),
    ],
)
def test_it_is_counted_as_the_campaign_did(kelvin, first, transition, second, cycles, measured):
    """Fitted lithium inventory, means of three cells, data of Cui et al. 2024 (Joule)."""
    protocol = cm.load_protocol("two-stage-charge").with_variables(
        temperature=kelvin, charge_current_1=first, transition_voltage=transition,
        charge_current_2=second, verification_cycles=cycles,
    )  # fmt: skip
    formed = cm.sweep_formation("nmc532-graphite-240mah", protocol, "laboratory-cycler")
    np.testing.assert_allclose(formed.lithium_inventory, measured, rtol=0.03, atol=0)
