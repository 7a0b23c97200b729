"""One temperature for the whole cell: C dT/dt = Q - hA (T - T_ambient)."""

from kernels.compiled import law
from kernels.particle import decay


@law
def response(h, per_heat_capacity, cooling):
    """Kelvin per watt after h seconds of constant heat, and of heat that grows linearly from 0
    to one watt; exact, also for cooling = 0.
    """
    z = h * cooling * per_heat_capacity
    _, mean = decay(z)
    late = (1.0 - mean) / z if z > 1e-4 else 0.5 - z * (1.0 / 6.0 - z / 24.0)
    return h * mean * per_heat_capacity, h * late * per_heat_capacity


@law
def temperature_step(T, heat, change, per_watt, per_watt_late, cooling, ambient):
    """Temperature [K] after a step over which the heat [W] changes linearly by `change`."""
    return T + per_watt * (heat - cooling * (T - ambient)) + per_watt_late * change
