"""Salt in the last volume of an electrode, at the separator, where two materials react most: there
its profile bends so much within one volume that its neighbours do not tell how.

With g = -dphi/dx, known at both faces, and a source that rises linearly by R across the volume, phi
(`electrolyte`) changes by

    R / 12 - (g_before + g_after) / 2

and its mean is by (g_before - g_after) / 12 below its value midway between the ends; all times
the volume's width. In the most uneven of 300 cases voltages at 1C are off by 0.7 mV, by 1.6 with a
polynomial through the means of four volumes.
"""

from kernels import workspace as s
from kernels.compiled import law
from kernels.electrolyte import SEPARATOR
from kernels.limits import SHORTEST_STEP
from kernels.parameters import LANES
from kernels.salt_step import RISE_BEFORE_EDGE, SALT_EDGE, salt_at
from kernels.tables import CONCENTRATION_LIMIT

#: where the last volumes are, from that of the separator
NEGATIVE, POSITIVE = -1, 1
#: change of ln c: of more, one diffusivity and a linear source in the volume make too much (a cell
#: charged at 360 A m-2 then ran out of salt, which with 16 volumes it does not)
STEEPEST = 0.6
LEAST_LINK = 1e-300  # of a step without length


@law
def rows_of(side):
    """Offset of an electrode among the rows that both have."""
    return 0 if side == NEGATIVE else LANES


@law
def faces(side):
    """Offsets of the faces of a last volume: to the volume before it, to the separator."""
    before, after = (
        (SEPARATOR - 2, SEPARATOR - 1) if side == NEGATIVE else (SEPARATOR + 1, SEPARATOR)
    )
    return before * LANES, after * LANES


@law
def phi_at(w, at, current):
    """phi of a volume at the end of the step [mol m-3]."""
    c = w[s.SALT_C + at] + w[s.SALT_I + at] * current
    return w[s.SALT_PHI + at] + w[s.SALT_D + at] * (c - w[s.SALT + at])


@law
def across(w, i, side):
    """Change of ln c across a last volume at the end of the step, from the collector's side on."""
    e, I = rows_of(side) + i, w[s.I_1 + i]
    before, _ = faces(side)
    at = (SEPARATOR + side) * LANES + i
    phi = phi_at(w, at, I) + w[s.LIFT + e]
    phi_before = phi_at(w, at + side * LANES, I)
    phi_after = phi_at(w, SEPARATOR * LANES + i, I)
    per_source = w[s.H + i] * w[s.SOURCE + i] / max(w[s.LINK + before + i], LEAST_LINK)
    g_before = phi_before - phi - per_source * w[s.MOVED_BEFORE + e]
    g_after = w[s.THROUGH + e] * (phi - phi_after) + per_source * w[s.MOVED + e]
    per_D = w[s.PER_SALT_D + at]
    change = per_D * (per_source * w[s.RISE + e] * (1.0 / 12.0) - 0.5 * (g_before + g_after))
    mean = salt_at(w, i, SEPARATOR + side, I)
    midway = mean + (1.0 / 12.0) * per_D * (g_before - g_after)
    z = min(max(change / max(midway, SALT_EDGE), -STEEPEST), STEEPEST)
    return z * (1.0 + (1.0 / 12.0) * z * z)


@law
def lift(w, i, side):
    """How much higher [mol m-3] the mean of phi over a last volume is than with the change across
    that `salt_step` takes from the volume before, given that of ln c.
    """
    at = (SEPARATOR + side) * LANES + i
    rise = w[s.SALT_AREA + at] - w[s.SALT_AREA + at + side * LANES]
    taken = RISE_BEFORE_EDGE * rise * w[s.PER_SALT_D + at]
    there = w[s.ACROSS + rows_of(side) + i] * w[s.SALT_AT + at]
    square = (1.0 / 24.0) * (there * there - taken * taken)
    return CONCENTRATION_LIMIT * w[s.SALT_SLOPE + at] * square


@law
def let_flow(w, i, side):
    """Add to what volumes release what flows over the step because of a lift."""
    before, after = faces(side)
    m = s.TARGET + SEPARATOR * LANES + i
    n = m + side * LANES
    flow = w[s.LIFT + rows_of(side) + i] * w[s.BOTH + i]
    flow /= max(w[s.H + i], SHORTEST_STEP) * w[s.SOURCE + i]
    to_before, to_after = flow * w[s.LINK + before + i], flow * w[s.LINK + after + i]
    w[n] -= to_before + to_after
    w[n + side * LANES] += to_before
    w[m] += to_after
