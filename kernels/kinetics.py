"""Charge transfer: symmetric Butler-Volmer kinetics, solved for the overpotential."""

import math

from kernels.compiled import law
from kernels.vector_math import exp

FARADAY = 96485.33212  # C mol-1, CODATA 2018 (exact)
GAS = 8.31446261815324  # J mol-1 K-1, CODATA 2018 (exact)


@law
def arrhenius(activation, inverse_temperature):
    """exp(E / R (1 / T_ref - 1 / T)), with (1 / T_ref - 1 / T) / R given [mol J-1]."""
    return exp(activation * inverse_temperature)


@law
def per_thermal_voltage(per_reference, inverse_temperature):
    """F / (R T) [V-1], from 1 / T_ref [K-1] and the argument of `arrhenius`: without a division."""
    return FARADAY / GAS * per_reference - FARADAY * inverse_temperature


@law
def exchange_current(factor, stoichiometry, order, log_salt, activation, inverse_temperature):
    """Exchange current density [A m-2]: factor sqrt(s (1 - s)) (c_e / c_ref)^order, with Arrhenius
    temperature dependence.
    """
    s = min(max(stoichiometry, 1e-8), 1.0 - 1e-8)
    return (
        factor * math.sqrt(s * (1.0 - s)) * exp(order * log_salt + activation * inverse_temperature)
    )
