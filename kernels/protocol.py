"""A protocol as numbers: the kind of each step (the same for every case) and its values (free for
every case). Whichever limit comes first ends a step.
"""

CURRENT = 0  # rests are current steps, too
VOLTAGE = 1
POWER = 2
SKIP = 4  # added to the kind of a step that may begin beyond its limits, and is then skipped

#: values of a step, in the order of their last index
VALUES = (
    "setpoint",  # A, V or W; positive discharges
    "voltage_limit",  # V
    "current_limit",  # A, magnitude, which the current falls to
    "duration",  # s
    "charge",  # C, magnitude, passed since the step began
)
NONE = 1e30  # no limit; large, not infinite: inf - inf would be a NaN
