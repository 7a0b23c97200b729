"""The formation model of unpassivated surface: its parameters.

Graphite that expands while it first fills opens surface that its film does not cover. Until that
surface heals, in hours, a shuttle passes charge through the cell near the top of charge, and
lithium is lost. The equations are in `kernels.passivation`; the evidence is the data of Cui et al.
2024 (Joule): 29 formation protocols of NMC532 / graphite pouch cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

NAME = "unpassivated surface"

#: our parameter names, in PyBaMM's style -> kernel row, what the kernels take for a cell without
#: (none of it); densities are per negative particle surface
PARAMETERS: Mapping[str, tuple[str, float]] = MappingProxyType(
    {
        "New surface stoichiometry": ("new_surface_stoichiometry", 0.0),
        "Shuttle current density [A.m-2]": ("shuttle_current", 0.0),
        "Shuttle onset potential [V]": ("shuttle_potential", 5.0),
        "Shuttle potential width [V]": ("shuttle_width", 0.03),
        "Electrolyte oxidation current density [A.m-2]": ("oxidation_current", 0.0),
        "Electrolyte oxidation reference potential [V]": ("oxidation_potential", 5.0),
        "Electrolyte oxidation potential width [V]": ("oxidation_width", 0.1),
        "Electrolyte oxidation activation energy [J.mol-1]": ("oxidation_activation", 0.0),
        "Unpassivated surface lithium loss current density [A.m-2]": ("unpassivated_current", 0.0),
        "Passivation charge [C.m-2]": ("passivation_charge", 0.0),
        "Unpassivated surface healing time [s]": ("healing_time", 3600.0),
        "Unpassivated surface healing activation energy [J.mol-1]": ("healing_activation", 0.0),
        "Lithium storage rate [C.m-2.s-0.5]": ("storage_rate", 0.0),
        "Lithium storage activation energy [J.mol-1]": ("storage_activation", 0.0),
        "Lithium storage capacity [C.m-2]": ("storage_capacity", 500.0),
    }
)
