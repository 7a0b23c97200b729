"""The charge that a cell would still give, were it discharged without end: from equilibrium."""

from kernels import workspace as s
from kernels.compiled import lanes
from kernels.limits import open_circuit_voltage
from kernels.step_control import STOICHIOMETRY_EDGE

HALVINGS = 8  # of the interval in which the charge left is; within it the voltage is linear


@lanes
def charge_left(w, i, tables):
    """Charge [C] that a discharge without end would still take down to the last cut-off."""
    x, y, cut_off = w[s.X + i], w[s.Y + i], w[s.CUT_OFF + i]
    per_x, per_y = -w[s.Q_N + i], w[s.Q_P + i]
    low, before = 0.0, open_circuit_voltage(tables, x, y)
    high = min((x - STOICHIOMETRY_EDGE) / -per_x, (1.0 - STOICHIOMETRY_EDGE - y) / per_y)
    after = open_circuit_voltage(tables, x + per_x * high, y + per_y * high)
    if cut_off >= before:
        return 0.0
    if after >= cut_off:
        return max(high, 0.0)
    for _ in range(HALVINGS):
        charge = 0.5 * (low + high)
        voltage = open_circuit_voltage(tables, x + per_x * charge, y + per_y * charge)
        if voltage > cut_off:
            low, before = charge, voltage
        else:
            high, after = charge, voltage
    return low + (high - low) * (before - cut_off) / (before - after)
