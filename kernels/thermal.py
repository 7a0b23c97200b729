"""One temperature for the whole cell: C dT/dt = Q - hA (T - T_ambient)."""

from kernels.compiled import law
from kernels.particle import decay


@law
def response(h, per_heat_capacity, cooling):
    """Kelvin per watt after h seconds of constant heat, exact, also for cooling = 0."""
    _, mean = decay(h * cooling * per_heat_capacity)
    return h * mean * per_heat_capacity


@law
def temperature_step(T, heat, kelvin_per_watt, cooling, ambient):
    """Temperature [K] after a step of constant heat [W]."""
    return T + kelvin_per_watt * (heat - cooling * (T - ambient))
