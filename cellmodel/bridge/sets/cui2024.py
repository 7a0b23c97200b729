"""Parameter set Cui2024: NMC532 / graphite pouch cell, 0.24 A h, of the formation campaign of Cui
et al. 2024 (Joule; data at github.com/cx26/formation-analysis).

Ours are potentials, capacities, geometry, kinetics and diffusivities of the particles.
Electrolyte, separator, heat, double layers, plating and what else PyBaMM's models ask for are lent
by Mohtat2020 (a cell of the same chemistry), through PyBaMM.

Stoichiometries are lithium per site. The half-cell window of the positive electrode, SOC_p from 0
to 1 with 295 mA h, is taken for 0.652 of its sites (278.2 mA h per gram), from 0.25 to 0.902:
z = 0.25 + 0.652 (1 - SOC_p). The negative electrode holds 306 mA h from x = 0 to 1.
"""

from __future__ import annotations

import pybamm

DONOR = "Mohtat2020"

# Coefficients fitted to the half-cell potentials of the campaign: all terms fall, so that the sum
# does. (height [V], centre, width) of hyperbolic tangents. From 2 to 98 % of the half-cell window
# they leave 0.5 mV rms for the positive (5.6 mV at most) and 1.3 mV for the negative (5.9 mV).
POSITIVE_STEPS = (
    (0.18588, 0.2733, 0.06599),
    (0.15299, 0.41406, 0.09945),
    (0.06222, 0.54144, 0.07343),
    (0.06539, 0.882, 0.05104),
    (0.03248, 0.882, 0.0087),
)
NEGATIVE_STEPS = (
    (0.056, 0.04372, 0.01557),
    (0.05121, 0.17857, 0.11012),
    (0.0126, 0.61722, 0.06576),
    (0.00558, 0.78845, 0.23894),
    (0.33079, 1.02275, 0.02153),
)
# (height [V], decay) of exponentials of the empty negative electrode
NEGATIVE_RISES = ((0.49216, 363.75), (0.69489, 74.476))


def nmc532_potential(sto: pybamm.Symbol) -> pybamm.Symbol:
    """Open-circuit potential of the positive electrode [V].

    One curve for both directions. The half cell ends in a steep fall, from 3.59 V at z = 0.876 to
    2.85 V at 0.902, which a pristine cell, z = 0.944, must have left behind somehow. The fall
    levels off below the window, near 2.45 V. A discharge to 3 V never gets there, and the surface
    of a charging particle climbs the fall within minutes, because the nearly full particle hardly
    conducts lithium: a model of the campaign's 29 protocols with a potential for charge alone, that
    goes on at 3.5 V beyond the window, predicts them no better.

    Parameters
    ----------
    sto
        Stoichiometry z of the surface.
    """
    falls = sum(height * pybamm.tanh((sto - at) / width) for height, at, width in POSITIVE_STEPS)
    end = 1.0 / (1.0 + pybamm.exp(-(sto - 0.90092) / 0.002831))
    return 4.36391 - 0.4523 * sto - falls - 1.0 * end


def graphite_potential(sto: pybamm.Symbol) -> pybamm.Symbol:
    """Open-circuit potential of the negative electrode [V].

    Parameters
    ----------
    sto
        Stoichiometry x of the surface.
    """
    falls = sum(height * pybamm.tanh((sto - at) / width) for height, at, width in NEGATIVE_STEPS)
    rises = sum(height * pybamm.exp(-rate * sto) for height, rate in NEGATIVE_RISES)
    return -0.10044 - 0.01079 * sto - falls + rises


def nmc532_diffusivity(sto: pybamm.Symbol, T: pybamm.Symbol) -> pybamm.Symbol:
    """Diffusivity in the positive particles [m2 s-1], by the square of the vacant sites.

    Lithium in layered oxides hops into pairs of vacancies (Van der Ven and Ceder 2000,
    Electrochem. Solid-State Lett. 3, 301). That leaves lithium behind when a cell is discharged at
    C/5, as measured. The number at z = 0.25 is fitted to the campaign, for particles of 5 um; what
    a full lattice keeps, a hundredth of it, is assumed (a tenth to the tenth of a per cent fit as
    well). It does not depend on temperature: a cell states "Positive particle diffusivity
    activation energy [J.mol-1]".
    """
    vacant = (1.0 - sto) / 0.75
    return 1.5e-14 * (vacant**2 + 0.01)


def nmc532_exchange_current_density(
    c_e: pybamm.Symbol, c_s_surf: pybamm.Symbol, c_s_max: pybamm.Symbol, T: pybamm.Symbol
) -> pybamm.Symbol:
    """Exchange current density of the positive electrode [A m-2], at 298.15 K: 20 mA for the whole
    cell at half filling and 1 mol per litre, a round number near the fits to the campaign (20 to
    28 mA). The activation energy is the cell's.
    """
    return 1.2488e-7 * c_e**0.5 * c_s_surf**0.5 * (c_s_max - c_s_surf) ** 0.5


def graphite_exchange_current_density(
    c_e: pybamm.Symbol, c_s_surf: pybamm.Symbol, c_s_max: pybamm.Symbol, T: pybamm.Symbol
) -> pybamm.Symbol:
    """Exchange current density of the negative electrode [A m-2], at 298.15 K: 20 mA for the whole
    cell at half filling and 1 mol per litre, fitted to the campaign within a factor of 1.6. The
    activation energy is the cell's.
    """
    return 3.6930e-7 * c_e**0.5 * c_s_surf**0.5 * (c_s_max - c_s_surf) ** 0.5


def get_parameter_values() -> dict[str, object]:
    """Return the set as PyBaMM wants it: name -> number or function."""
    donor = pybamm.ParameterValues(DONOR)
    lent = {name: donor[name] for name in donor.keys()}  # noqa: SIM118 (is no Mapping)
    return lent | {
        "citations": [DONOR],
        # electrodes: capacities from the campaign; thicknesses and fractions are usual ones, not
        # measured, and the area follows
        "Electrode width [m]": 0.04,
        "Electrode height [m]": 0.0366,
        "Number of electrodes connected in parallel to make a cell": 6.0,
        "Nominal cell capacity [A.h]": 0.24,
        "Current function [A]": 0.24,
        "Lower voltage cut-off [V]": 3.0,
        "Upper voltage cut-off [V]": 4.4,
        "Open-circuit voltage at 0% SOC [V]": 3.0,
        "Open-circuit voltage at 100% SOC [V]": 4.4,
        # 0.05 ohm, assumed for the whole cell, less what the electrolyte gives
        "Contact resistance [Ohm]": 0.02,
        "Negative electrode thickness [m]": 6.532e-5,
        "Negative electrode active material volume fraction": 0.64,
        "Negative electrode porosity": 0.3,
        "Negative particle radius [m]": 1e-5,
        "Maximum concentration in negative electrode [mol.m-3]": 31090.0,  # 372 mA h g-1
        "Negative electrode OCP [V]": graphite_potential,
        "Negative electrode exchange-current density [A.m-2]": graphite_exchange_current_density,
        # high enough to be of no effect at C/5: mean and surface differ by 0.003
        "Negative particle diffusivity [m2.s-1]": 1e-13,
        "Positive electrode thickness [m]": 6.497e-5,
        "Positive electrode active material volume fraction": 0.6,
        "Positive electrode porosity": 0.3,
        "Positive particle radius [m]": 5e-6,
        "Maximum concentration in positive electrode [mol.m-3]": 49300.0,  # 278.2 mA h g-1
        "Positive electrode OCP [V]": nmc532_potential,
        "Positive electrode exchange-current density [A.m-2]": nmc532_exchange_current_density,
        "Positive particle diffusivity [m2.s-1]": nmc532_diffusivity,
        # that of Mohtat2020 reaches -10 mV K-1 where the electrode is nearly full
        "Positive electrode OCP entropic change [V.K-1]": 0.0,
        # housing: a small pouch, not measured
        "Negative current collector thickness [m]": 1e-5,
        "Positive current collector thickness [m]": 1.5e-5,
        "Cell cooling surface area [m2]": 0.0042,
        "Cell volume [m3]": 2.3e-6,
        "Initial concentration in negative electrode [mol.m-3]": 0.01 * 31090.0,
        "Initial concentration in positive electrode [mol.m-3]": 0.88 * 49300.0,
    }
