"""Growth of the solid-electrolyte interphase on the negative electrode: one formula, of which
PyBaMM's laws are choices of coefficients.

    E = exp(-alpha F / (R T) (phi - U) - beta L)
    j = A ((1 - m) E + m max(U - phi, 0)) / (a + L (b E + d))

phi is the potential of the negative electrode against the electrolyte, L the film's thickness.
Electrons reach the reaction by transfer (E), by tunnelling (E with beta) or by migration (m = 1);
a is the resistance of the reaction, b and d those of the film. The current density is per area of
particle surface and counts as a positive number: lithium consumed. The temperature dependence of
the whole is Arrhenius's (`kinetics.arrhenius`). References: Marquis 2020 (thesis, Oxford), section
5.6.4; Yang et al. 2017, J. Power Sources 360, 28; Tang, Lu, Newman 2012, J. Electrochem. Soc. 159
A1775. `cellmodel.bridge.sei_laws` has the coefficients of each law.
"""

from kernels.compiled import law
from kernels.vector_math import exp

LEAST_RESISTANCE = 1e-30  # a division by zero would be a NaN where nothing drives the growth


@law
def growth(
    potential, thickness, F_per_RT, prefactor, transfer, open_circuit, barrier, reaction, slowing,
    transport, migration,
):  # fmt: skip
    """Current density of the side reaction [A m-2], and how much it falls per metre of film.

    Parameters
    ----------
    potential : V, phi above: behind the film or with its drop, as the law has it
    thickness : m
    F_per_RT : V-1
    prefactor : A above, A m-2 (V-1 if m = 1)
    transfer, open_circuit, barrier : alpha; U, V; beta, m-1
    reaction, slowing, transport : a; b, m-1; d, m-1; none below 0, and not all three 0
    migration : m above, 0 or 1
    """
    transferred = exp(-transfer * F_per_RT * (potential - open_circuit) - barrier * thickness)
    drive = (1.0 - migration) * transferred + migration * max(open_circuit - potential, 0.0)
    resistance = reaction + thickness * (slowing * transferred + transport)
    per_resistance = 1.0 / max(resistance, LEAST_RESISTANCE)
    current = prefactor * drive * per_resistance
    # -d ln(j) / dL, from all that depends on L: barrier and resistance
    tunnelled = (1.0 - migration) * barrier
    fall = tunnelled * (reaction + thickness * transport) + slowing * transferred + transport
    return current, current * fall * per_resistance
