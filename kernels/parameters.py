"""The numbers that describe one cell to the kernels: one row each, SI units, PyBaMM's meaning.

A row index times LANES is where the row starts in a block's workspace, so `w[ROW + lane]` is that
number for one lane.
"""

import numpy as np
from numba import config

# 8 are unrolled and then not vectorised (LLVM 20). A block's numbers outgrow the first cache with
# 32, but the code of a time step does so, too, and is fetched half as often: 5 % faster than 16.
# Without the JIT every lane takes its time.
LANES = 4 if config.DISABLE_JIT else 32

#: name: (lower bound, upper bound), both excluded; outside them the equations do not hold
BOUNDS = {
    "negative_electrode_thickness": (0.0, 1e-2),  # m
    "separator_thickness": (0.0, 1e-2),  # m
    "positive_electrode_thickness": (0.0, 1e-2),  # m
    "electrode_area": (0.0, 1e4),  # m2, all electrode pairs in parallel
    "negative_particle_radius": (0.0, 1e-3),  # m
    "positive_particle_radius": (0.0, 1e-3),  # m
    "negative_active_material_fraction": (0.0, 1.0),
    "positive_active_material_fraction": (0.0, 1.0),
    "negative_porosity": (0.0, 1.0),
    "separator_porosity": (0.0, 1.0 + 1e-9),  # 1 in Marquis2019
    "positive_porosity": (0.0, 1.0),
    "negative_bruggeman_electrolyte": (-1e-9, 10.0),
    "separator_bruggeman_electrolyte": (-1e-9, 10.0),
    "positive_bruggeman_electrolyte": (-1e-9, 10.0),
    "negative_bruggeman_electrode": (-1e-9, 10.0),
    "positive_bruggeman_electrode": (-1e-9, 10.0),
    "negative_conductivity": (0.0, 1e9),  # S m-1
    "positive_conductivity": (0.0, 1e9),  # S m-1
    "current_collector_resistance": (
        -1e-30,
        1.0,
    ),  # Ohm m2, heats the cell, does not lower its voltage (as in PyBaMM)
    "contact_resistance": (-1e-30, 1e3),  # Ohm
    "negative_maximum_concentration": (0.0, 1e6),  # mol m-3
    "positive_maximum_concentration": (0.0, 1e6),  # mol m-3
    "electrolyte_concentration": (0.0, 1e4),  # mol m-3, initial
    "negative_diffusivity": (0.0, 1.0),  # m2 s-1, factor of its table
    "negative_diffusivity_activation": (-1e6, 1e6),  # J mol-1
    "positive_diffusivity": (0.0, 1.0),
    "positive_diffusivity_activation": (-1e6, 1e6),
    "negative_exchange_current": (0.0, 1e6),  # A m-2, factor of its table
    "negative_exchange_current_activation": (-1e6, 1e6),
    "negative_exchange_current_order": (-5.0, 5.0),  # power of the salt concentration
    "positive_exchange_current": (0.0, 1e6),
    "positive_exchange_current_activation": (-1e6, 1e6),
    "positive_exchange_current_order": (-5.0, 5.0),
    "reference_electrolyte_concentration": (
        0.0,
        1e4,
    ),  # mol m-3, at which the exchange currents are tabulated
    "electrolyte_diffusivity": (0.0, 1.0),  # m2 s-1, factor of its table
    "electrolyte_diffusivity_activation": (-1e6, 1e6),
    "electrolyte_conductivity": (0.0, 1e3),  # S m-1, factor of its table
    "electrolyte_conductivity_activation": (-1e6, 1e6),
    "transference_number": (-10.0, 1.0),
    "thermodynamic_factor": (0.0, 1e3),
    "heat_capacity": (0.0, 1e9),  # J K-1, whole cell
    "cooling": (-1e-30, 1e6),  # W K-1, heat transfer coefficient times cooled area
    "ambient_temperature": (233.0, 373.0),  # K
    "initial_temperature": (233.0, 373.0),  # K
    "reference_temperature": (233.0, 373.0),  # K
    # coefficients of sei.growth; reaction and film resistance may each be 0
    "sei_prefactor": (-1e-300, 1e12),  # A m-2
    "sei_transfer": (-1e-300, 1.0 + 1e-9),
    "sei_open_circuit_potential": (-10.0, 10.0),  # V
    "sei_barrier": (-1e-300, 1e15),  # m-1
    "sei_reaction_resistance": (-1e-300, 1e6),
    "sei_slowing": (-1e-300, 1e30),  # m-1
    "sei_transport_resistance": (-1e-300, 1e15),  # m-1
    "sei_migration": (-1e-300, 1.0 + 1e-9),  # 0 or 1
    "sei_film_drop": (-1e-300, 1e6),  # 1: the law sees the potential behind the film, or 0
    "sei_resistivity": (-1e-300, 1e15),  # Ohm m
    "sei_molar_volume": (1e-9, 1.0),  # m3 mol-1; a film must have a thickness to tell its charge
    "sei_lithium_ratio": (0.0, 100.0),  # mol of lithium per mol of SEI
    "sei_activation": (-1e6, 1e6),  # J mol-1
    "sei_initial_thickness": (0.0, 1e-3),  # m
    # of `passivation`; without it nobody reads them, and the first is 0
    "new_surface_stoichiometry": (-1e-300, 1e3),
    "shuttle_current": (-1e-300, 1e6),  # A m-2
    "shuttle_potential": (-10.0, 10.0),  # V
    "shuttle_width": (1e-4, 10.0),  # V
    "oxidation_current": (-1e-300, 1e6),  # A m-2
    "oxidation_potential": (-10.0, 10.0),  # V
    "oxidation_width": (1e-3, 10.0),  # V
    "oxidation_activation": (-1e6, 1e6),  # J mol-1
    "unpassivated_current": (-1e-300, 1e6),  # A m-2
    "passivation_charge": (-1e-300, 1e9),  # C m-2
    "healing_time": (0.0, 1e12),  # s
    "healing_activation": (-1e6, 1e6),  # J mol-1
    "storage_rate": (-1e-300, 1e6),  # C m-2 s-0.5
    "storage_activation": (-1e6, 1e6),  # J mol-1
    "storage_capacity": (0.1, 1e12),  # C m-2, far above the first filling of the store
    "negative_stoichiometry": (0.0, 1.0),
    "positive_stoichiometry": (0.0, 1.0),
    # of `second_phase`; without it nobody reads them, and the first is 0
    "second_active_material_fraction": (-1e-300, 1.0),
    "second_particle_radius": (0.0, 1e-3),  # m
    "second_maximum_concentration": (0.0, 1e6),  # mol m-3
    "second_diffusivity": (0.0, 1.0),  # m2 s-1
    "second_diffusivity_activation": (-1e6, 1e6),  # J mol-1
    "second_exchange_current": (0.0, 1e6),  # A m-2, factor of its table
    "second_exchange_current_activation": (-1e6, 1e6),
    "second_exchange_current_order": (-5.0, 5.0),
    "second_stoichiometry": (0.0, 1.0),
}
BOUNDS |= {f"second_{name}": bounds for name, bounds in BOUNDS.items() if name.startswith("sei_")}
NAMES = tuple(BOUNDS)
COUNT = len(NAMES)
LOWER = np.array([bounds[0] for bounds in BOUNDS.values()])
UPPER = np.array([bounds[1] for bounds in BOUNDS.values()])

(
    L_N, L_S, L_P, AREA, R_N, R_P, EPS_SN, EPS_SP, EPS_N, EPS_S, EPS_P, B_N, B_S, B_P, B_SN, B_SP,
    SIGMA_N, SIGMA_P,
    R_CC, R_CONTACT, C_MAX_N, C_MAX_P, C_E, D_N, E_D_N, D_P, E_D_P, J_N, E_J_N, O_J_N, J_P, E_J_P,
    O_J_P, C_E_REF,
    D_E, E_D_E, KAPPA, E_KAPPA, T_PLUS, TDF, HEAT_CAPACITY, COOLING, T_AMB, T_INIT, T_REF,
    A_SEI, ALPHA_SEI, U_SEI, BETA_SEI, REACTION_SEI, SLOWING_SEI, TRANSPORT_SEI, MIGRATION_SEI,
    DROP_SEI, RHO_SEI, V_SEI, Z_SEI, E_SEI, L_SEI_0,
    NEW_SURFACE, SHUTTLE, U_SHUTTLE, W_SHUTTLE,
    OXIDATION, U_OXIDATION, W_OXIDATION, E_OXIDATION, UNPASSIVATED, PASSIVATION,
    HEALING_TIME, E_HEALING, STORAGE, E_STORAGE, STORE_CAPACITY, X_0, Y_0,
    EPS_2, R_2, C_MAX_2, D_2, E_D_2, J_2, E_J_2, O_J_2, X_2_0,
    A_SEI_2, ALPHA_SEI_2, U_SEI_2, BETA_SEI_2, REACTION_SEI_2, SLOWING_SEI_2, TRANSPORT_SEI_2,
    MIGRATION_SEI_2, DROP_SEI_2, RHO_SEI_2, V_SEI_2, Z_SEI_2, E_SEI_2, L_SEI_2_0,
) = range(0, COUNT * LANES, LANES)  # fmt: skip
