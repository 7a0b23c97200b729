"""One temperature for the whole cell: C dT/dt = Q - hA (T - T_ambient)."""

from kernels.compiled import law
from kernels.particle import decay


@law
def temperature_step(T, heat, h, heat_capacity, cooling, ambient):
    """Temperature [K] after h seconds of constant heat [W], exact, also for cooling = 0."""
    _, mean = decay(h * cooling / heat_capacity)
    return T + h * mean * (heat - cooling * (T - ambient)) / heat_capacity
