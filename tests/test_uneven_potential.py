"""The side reaction where salt and current make the electrolyte's potential uneven."""

from __future__ import annotations

import numpy as np
import pytest

import cellmodel as cm
from kernels import parameters as p
from kernels import workspace as s
from kernels.cell import idle
from kernels.kinetics import FARADAY, GAS
from kernels.parameters import LANES
from kernels.uneven_potential import even_out

FINE = (np.arange(4000) + 0.5) / 4000  # places across the electrode, from the collector


@pytest.mark.kernel
@pytest.mark.parametrize("drop", [0.0, 0.02, -0.02])  # V, half of I L / (kappa A)
@pytest.mark.parametrize(
    ("empty", "full", "transfer"),
    [(1000.0, 1000.0, 1.0), (900.0, 1300.0, 0.5), (900.0, 1300.0, 1.0), (350.0, 1200.0, 0.5)],
)
def test_it_counts_as_fast_as_the_mean_of_its_exponential(empty, full, drop, transfer):
    """Salt in a parabola, whose means over quarters are the volumes'."""
    salt = empty + (full - empty) * FINE**2
    T, chi, resistance = 300.0, 1.5, 0.01
    w, _, _ = s.room(p.COUNT)
    idle(w)
    w[s.T_1 : s.T_1 + LANES], w[s.CHI : s.CHI + LANES] = T, chi
    w[s.PER_T_REF : s.PER_T_REF + LANES], w[s.Z_1 : s.Z_1 + LANES] = 1.0 / T, 0.0
    w[s.I_1 : s.I_1 + LANES], w[s.R_ELECTROLYTE : s.R_ELECTROLYTE + LANES] = 1.0, resistance
    w[s.SHARE_N : s.SHARE_N + LANES] = drop / resistance
    w[p.ALPHA_SEI : p.ALPHA_SEI + LANES] = transfer
    for volume, mean in enumerate(salt.reshape(4, -1).mean(axis=1)):
        at = volume * LANES
        w[s.SALT_C + at : s.SALT_C + at + LANES] = mean
        w[s.SALT_I + at : s.SALT_I + at + LANES] = 0.0
    even_out(w)
    volts = chi * GAS * T / FARADAY * np.log(salt) - drop * FINE**2
    steepness = transfer * FARADAY / (GAS * T)
    faster = np.exp(steepness * (volts - volts.mean())).mean()
    found = np.exp(steepness * w[s.EVEN_1 : s.EVEN_1 + LANES])
    np.testing.assert_allclose(found, faster, rtol=0.01 * (faster - 1.0) + 0.005, atol=0)


def test_a_fast_charge_of_a_dense_electrode_loses_what_pybamm_says():
    """At the mean potential it would be 0.8 % less."""
    cell = cm.load_cell("nmc811-graphite-siox").replace_parameters(
        {
            "Negative electrode porosity": 0.19,
            "Negative electrode Bruggeman coefficient (electrolyte)": 1.9,
        }
    )
    protocol = cm.load_protocol("two-cycle").with_variables(charge_rate=0.5, temperature=288.0)
    formed = cm.sweep_formation(cell, protocol, "regenerative-cycler")
    known = cm.simulate_formation(cell, protocol, "regenerative-cycler")
    np.testing.assert_allclose(formed.lithium_loss, known.lithium_loss, rtol=5e-3, atol=0)
    for energy in ("charge_energy", "discharge_energy"):
        np.testing.assert_allclose(formed[energy], known[energy], rtol=1e-3, atol=0)
