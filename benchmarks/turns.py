"""Times of several works that take turns in one process, so that all feel the same machine."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping

import numpy as np
from contenders import Work

CPU, WALL = 0, 1
LONG = 5.0  # s; a work that takes less runs twice a turn, and the faster run counts

Times = Mapping[str, np.ndarray]


def timed(work: Work) -> tuple[np.ndarray, object]:
    """Return CPU and wall time [s] per protocol of one run, and its result."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = work.run()
    spent = np.array([time.process_time() - cpu, time.perf_counter() - wall])
    return spent / max(work.protocols, 1), result


def minima(works: Mapping[str, Work], rounds: int) -> Times:
    """Return the least CPU and wall time [s] per protocol of each work, shape (rounds, 2)."""
    times = {name: np.empty((rounds, 2)) for name in works}
    for turn in range(rounds):
        for name, work in works.items():
            least = timed(work)[0]
            if least[WALL] * max(work.protocols, 1) < LONG:
                least = np.minimum(least, timed(work)[0])
            times[name][turn] = least
        print(f"round {turn + 1} of {rounds}", file=sys.stderr)
    return times


def ratio(times: Times, slow: str, fast: str, clock: int = CPU) -> float:
    """Return how many times as long one work takes as another: the median over rounds."""
    return float(np.median(times[slow][:, clock] / times[fast][:, clock]))
