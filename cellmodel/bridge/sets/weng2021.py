"""Parameter set Weng2021: NMC111 / graphite pouch cell, 2.36 A h, of Weng et al. 2021 (Joule; data
at doi 10.7302/pa3f-4w30).

Mohtat2020 (NMC532 / graphite pouch cell of the same laboratory, 5 A h), cut to size: potentials,
transport, kinetics, thicknesses and fractions are that set's, not measured on this cell.
"""

from __future__ import annotations

import pybamm

DONOR = "Mohtat2020"
# 2.36 A h of the 4.7 A h that the donor has once it is formed, to 4.2 V
SIZE = 2.36 / 4.7


def get_parameter_values() -> dict[str, object]:
    """Return the set as PyBaMM wants it: name -> number or function."""
    donor = pybamm.ParameterValues(DONOR)
    lent = {name: donor[name] for name in donor.keys()}  # noqa: SIM118 (is no Mapping)
    sized = ("Electrode width [m]", "Cell cooling surface area [m2]", "Cell volume [m3]")
    return (
        lent
        | {name: SIZE * lent[name] for name in sized}
        | {
            "citations": [DONOR],
            "Nominal cell capacity [A.h]": 2.36,
            "Current function [A]": 2.36,
            "Lower voltage cut-off [V]": 3.0,
            "Upper voltage cut-off [V]": 4.2,
            "Open-circuit voltage at 0% SOC [V]": 3.0,
            "Open-circuit voltage at 100% SOC [V]": 4.2,
        }
    )
