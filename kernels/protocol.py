"""A protocol as numbers: the kind of each step (the same for every case) and its values (free for
every case).
"""

CURRENT = 0  # constant current until a voltage or a time
VOLTAGE = 1  # constant voltage until a current or a time
REST = 2  # no current for a time

#: values of a step, in the order of their last index
VALUES = ("setpoint", "limit", "duration")
SETPOINT = 0  # A (discharge positive) or V
LIMIT = 1  # V for a current step, A (magnitude) for a voltage step; NONE if it has none
DURATION = 2  # s; NONE if unlimited
NONE = 1e30  # large, not infinite: inf - inf would be a NaN
