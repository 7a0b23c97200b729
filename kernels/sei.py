"""Growth of the solid-electrolyte interphase on the negative electrode: PyBaMM's laws, each a
scalar function.

The current density is per area of particle surface and counts as a positive number: lithium
consumed.
"""

from kernels.compiled import law
from kernels.kinetics import FARADAY, GAS
from kernels.vector_math import exp

EC_REACTION_LIMITED = 0
TUNNELLING_LIMITED = 1
#: PyBaMM's option strings, in the order of the codes
LAWS = ("ec reaction limited", "tunnelling limited")


@law
def ec_reaction_limited(potential, thickness, T, rate, concentration, diffusivity, open_circuit):
    """Solvent reduction behind a film it must diffuse through [A m-2] (Yang et al. 2017, J. Power
    Sources 360, 28, eqs. 10-11).

    `potential` is that of the reaction, negative electrode against electrolyte less the drop over
    the film [V].
    """
    k = rate * exp(-0.5 * FARADAY / (GAS * T) * (potential - open_circuit))
    return FARADAY * concentration * k / (1.0 + thickness * k / diffusivity)


@law
def tunnelling_limited(potential, thickness, T, exchange_current, barrier):
    """Electrons tunnelling through the film [A m-2] (Tang, Lu, Newman 2012, J. Electrochem. Soc.
    159 A1775, eq. 25).

    `potential` is that of the negative electrode against the electrolyte, film included [V].
    """
    return exchange_current * exp(-0.5 * FARADAY / (GAS * T) * potential - barrier * thickness)
