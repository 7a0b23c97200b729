"""Growth of the solid-electrolyte interphase: all of PyBaMM's laws in one formula.

    E = exp(-alpha F / (R T) (phi - U) - beta L)
    j = A ((1 - m) E + m max(U - phi, 0)) / (a + L (b E + d))
"""

from kernels.compiled import law
from kernels.kinetics import FARADAY, GAS
from kernels.vector_math import exp


@law
def side_current(phi, L, T, A, alpha, U, beta, a, b, d, m):
    """Current density per particle area [A m-2], counted positive, and its decrease per metre."""
    E = exp(alpha * (FARADAY / GAS) * (U - phi) / T - beta * L)
    resistance = 1.0 / (a + L * (b * E + d))
    j = A * ((1.0 - m) * E + m * max(U - phi, 0.0)) * resistance
    fall = (beta * (1.0 - m) * a + b * E + d * (1.0 + (1.0 - m) * beta * L)) * resistance
    return j, j * fall
