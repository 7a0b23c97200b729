"""Salt in the electrolyte where reactions are uneven (`uneven_reaction`): more sources in the
equations of `salt_step`.

The sum of uneven reactions over an electrode is its current, so that salt is conserved. PyBaMM lets
salt migrate with the current of even reactions: what is uneven releases all of its salt, not 1 - t+
of it.

Between means of volumes lies a slope that is exact for even reactions (`electrolyte`). What uneven
ones add up to from the collector on, J, is 0 at both ends of the electrode: a polynomial of fourth
order through the volumes' faces. The slope between means differs from that on a face by a twelfth
of J's second derivative and a 360th of its fourth; that much is moved across it. To the separator
it is the mean of J times the way into the last volume, u / 6 + R / 24 of a source u rising by R.
"""

from kernels import workspace as s
from kernels.compiled import lanes, law
from kernels.electrolyte import CELLS
from kernels.last_volume import NEGATIVE, POSITIVE, let_flow, lift
from kernels.parameters import LANES
from kernels.salt_step import FIRST, LAST, MIDDLE
from kernels.uneven_reaction import describe_side_reactions, distribute
from kernels.vector_math import choose

#: the salt at the end of a step and what the reactions make of it are iterated on, damped: salt
#: that gathers where reactions are faster slows them down, by up to as much again
ITERATIONS = 2
DAMPING = 0.4


@law
def release(w, i, first, step, e):
    """Make of how uneven the reactions of one electrode are, its volumes numbered from the
    collector, what they have to release; rows with MOVED among them are at offset `e`.
    """
    a, b = s.TARGET + first + i, step * LANES
    uneven_0, uneven_1, uneven_2, uneven_3 = w[a], w[a + b], w[a + 2 * b], w[a + 3 * b]
    j_1, j_2, j_3 = uneven_0, uneven_0 + uneven_1, -uneven_3
    moved_1 = (1.0 / 120.0) * (-18.0 * j_1 + 7.0 * j_2 + 2.0 * j_3)
    moved_2 = (1.0 / 120.0) * (12.0 * j_1 - 23.0 * j_2 + 12.0 * j_3)
    moved_3 = (1.0 / 120.0) * (2.0 * j_1 + 7.0 * j_2 - 18.0 * j_3)
    moved = w[s.THROUGH + e + i] * ((1.0 / 6.0) * uneven_3 + (1.0 / 24.0) * w[s.RISE + e + i])
    w[a] = uneven_0 + moved_1
    w[a + b] = uneven_1 + moved_2 - moved_1
    w[a + 2 * b] = uneven_2 + moved_3 - moved_2
    w[a + 3 * b] = uneven_3 - moved_3 - moved
    w[s.MOVED_BEFORE + e + i], w[s.MOVED + e + i] = moved_3, moved


@lanes
def find_uneven(w):
    """What uneven reactions release at the end of the step: TARGET."""
    distribute(w)
    for i in range(LANES):
        release(w, i, FIRST, 1, 0)
        release(w, i, LAST, -1, LANES)
        w[s.TARGET + MIDDLE + i] = w[s.MOVED + i] + w[s.MOVED + LANES + i]


@lanes
def add_uneven(w):
    """Salt at the end of the step with uneven reactions: the equations of `salt_step` once more."""
    for i in range(LANES):
        weight = w[s.WEIGHT + i]
        for k in range(i, i + CELLS * LANES, LANES):
            w[s.TARGET + k] = (1.0 - weight) * w[s.UNEVEN_0 + k] + weight * w[s.UNEVEN_1 + k]
        let_flow(w, i, NEGATIVE)
        let_flow(w, i, POSITIVE)
    for i in range(LANES):
        source = w[s.H + i] * w[s.SOURCE + i]
        carry_n = carry_p = 0.0
        for k in range(FIRST, MIDDLE, LANES):
            n, m = k + i, LAST - k + i
            carry_n += source * w[s.TARGET + n]
            carry_p += source * w[s.TARGET + m]
            w[s.TARGET + n], w[s.TARGET + m] = carry_n, carry_p
            carry_n, carry_p = carry_n * w[s.RATIO + n], carry_p * w[s.RATIO + m - LANES]
        n = MIDDLE + i
        carry_n = carry_p = w[s.PIVOT + n] * (source * w[s.TARGET + n] + carry_n + carry_p)
        moved = w[s.PER_SALT_D + n] * carry_n
        w[s.SALT_C + n] += moved - w[s.UNEVEN_STEP + n]
        w[s.UNEVEN_STEP + n] = moved
        for k in range(MIDDLE - LANES, FIRST - LANES, -LANES):
            n, m = k + i, LAST - k + i
            carry_n = w[s.PIVOT + n] * w[s.TARGET + n] + w[s.RATIO + n] * carry_n
            carry_p = w[s.PIVOT + m] * w[s.TARGET + m] + w[s.RATIO + m - LANES] * carry_p
            moved_n, moved_p = w[s.PER_SALT_D + n] * carry_n, w[s.PER_SALT_D + m] * carry_p
            w[s.SALT_C + n] += moved_n - w[s.UNEVEN_STEP + n]
            w[s.SALT_C + m] += moved_p - w[s.UNEVEN_STEP + m]
            w[s.UNEVEN_STEP + n], w[s.UNEVEN_STEP + m] = moved_n, moved_p


@lanes
def propose_uneven(w):
    """Salt at the end of the step as it makes the reactions uneven, and they the salt."""
    describe_side_reactions(w)
    for i in range(LANES):
        for k in range(i, i + CELLS * LANES, LANES):
            w[s.UNEVEN_1 + k], w[s.UNEVEN_STEP + k] = w[s.UNEVEN_0 + k], 0.0
        w[s.LIFT + i], w[s.LIFT + LANES + i] = lift(w, i, NEGATIVE), lift(w, i, POSITIVE)
    add_uneven(w)
    for _ in range(ITERATIONS):
        find_uneven(w)
        for i in range(LANES):
            for k in range(i, i + CELLS * LANES, LANES):
                w[s.UNEVEN_1 + k] += DAMPING * (w[s.TARGET + k] - w[s.UNEVEN_1 + k])
        add_uneven(w)


@lanes
def keep_uneven(w):
    """Take over what uneven reactions release at the end of accepted steps."""
    find_uneven(w)
    for i in range(LANES):
        accepted = w[s.ACCEPTED + i]
        for k in range(i, i + CELLS * LANES, LANES):
            w[s.UNEVEN_0 + k] = choose(accepted, w[s.TARGET + k], w[s.UNEVEN_0 + k])
        n, m = s.ACROSS + i, s.ACROSS + LANES + i
        w[n] = choose(accepted, w[s.UNEVEN_DLN + MIDDLE - LANES + i], w[n])
        w[m] = choose(accepted, w[s.UNEVEN_DLN + MIDDLE + LANES + i], w[m])
