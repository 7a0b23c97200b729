"""Speed of the kernels, of everything around them and of PyBaMM, measured in one process.

Run as a script it prints the tables and, with --write, puts them into README.md.
Leave the machine to it: CPU time does not count other processes, but caches and clocks feel them.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numba
import numpy as np
import xarray as xr
from cold_start import cold_start
from contenders import (
    Batch,
    Work,
    bare_kernel,
    batch,
    footprint,
    labelled_sweep,
    memory_per_case,
    packing,
    pybamm_spme,
    tabulation,
)
from publish import publish, script_parser
from random_cases import single_case

import cellmodel as cm

CELL = "nmc811-graphite-siox"
RUNS = 2  # in a round; the faster one counts
CPU, WALL = 0, 1
AOT_CACHE = "PYBAMM_CASADI_AOT_CACHE"  # where PyBaMM keeps compiled models
COMPARED = 5  # cases that PyBaMM runs too
PYBAMM = "PyBaMM SPMe, its default tolerances"
TIGHTER, COMPILED = "PyBaMM SPMe, rtol 1e-6, atol 1e-8", f"{PYBAMM}, compiled"
KERNEL, SWEEP, SWEEP_2 = "kernels alone, {}", "`sweep_formation`", "`sweep_formation`, two threads"
FOOTPRINT, PACKING, TABULATION = "`footprint` of a sweep", "packing", "tabulation"
CAPTION = (
    "Every case with its own rates (C/20 to C/3), temperature (283 to 323 K) and geometry "
    f"(+-20 %). Cell {CELL} where no other is named. CPU time, median over rounds of the fastest "
    f"run. Errors: largest of {COMPARED} cases and three cycles, against PyBaMM SPMe with 80 "
    "radial nodes, rtol 1e-7."
)

Times = Mapping[str, np.ndarray]


def several(works: Sequence[Work]) -> Work:
    """Return one work that does all of them, and returns their results."""
    return Work(lambda: [work.run() for work in works], sum(work.protocols for work in works))


def timed(work: Work) -> tuple[tuple[float, float], object]:
    """Return CPU and wall time [s] per protocol of one run, and its result."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = work.run()
    spent = time.process_time() - cpu, time.perf_counter() - wall
    return tuple(seconds / max(work.protocols, 1) for seconds in spent), result


def minima(works: Mapping[str, Work], rounds: int) -> Times:
    """Return the least CPU and wall time [s] per protocol, shape (rounds, 2), of each work.

    The works take turns, so that all of them see the same moods of the machine.
    """
    times = {name: np.empty((rounds, 2)) for name in works}
    for turn in range(rounds):
        for name, work in works.items():
            times[name][turn] = np.min([timed(work)[0] for _ in range(RUNS)], axis=0)
        print(f"round {turn + 1} of {rounds}", file=sys.stderr)
    return times


def ratio(times: Times, slow: str, fast: str, clock: int = CPU) -> float:
    """Return how many times as long one work takes as another: the median over rounds."""
    return float(np.median(times[slow][:, clock] / times[fast][:, clock]))


def net_loss(results: xr.Dataset | Mapping[str, np.ndarray]) -> np.ndarray:
    """Return energy in minus energy out [W h] of each cycle."""
    return np.asarray(results["charge_energy"]) - np.asarray(results["discharge_energy"])


def worst(found: Sequence[np.ndarray], known: Sequence[np.ndarray]) -> float:
    """Return the largest relative difference [%]."""
    return float(100 * np.max(np.abs(np.array(found) / np.array(known[: len(found)]) - 1)))


def compared_cases(cases: Batch) -> tuple[list[tuple[cm.Cell, cm.Protocol]], list[np.ndarray]]:
    """Return the first cases that reach their end, and the net losses the kernels find."""
    formed = cases.sweep()
    chosen = np.flatnonzero(formed["status"] == 0)[:COMPARED]
    points = [single_case(cases.cell, cases.protocol, cases.cases, i) for i in chosen]
    return points, [net_loss(formed.isel(case=i)) for i in chosen]


def all_works(cases: Batch, points: Sequence, *, compiled: bool) -> dict[str, Work]:
    """Return everything that takes part in the rounds."""
    size = cases.size
    works = {KERNEL.format(name): bare_kernel(batch(name, size)) for name in cm.list_cells()}
    works |= {
        SWEEP: labelled_sweep(cases),
        FOOTPRINT: footprint(cases),
        PACKING: packing(cases),
        TABULATION: tabulation(batch(CELL, 1)),
        PYBAMM: several([pybamm_spme(*point) for point in points]),
        TIGHTER: several([pybamm_spme(*point, rtol=1e-6, atol=1e-8) for point in points]),
    }
    if numba.config.NUMBA_NUM_THREADS > 1:
        works[SWEEP_2] = labelled_sweep(cases, threads=2)
    if compiled:  # of one case: each takes minutes to compile
        works[COMPILED] = several([pybamm_spme(*points[0], compiled=True)])
    return works


def measure(size: int, rounds: int, *, compiled: bool) -> str:
    """Return both tables."""
    cases = batch(CELL, size)
    points, by_kernels = compared_cases(cases)
    works = all_works(cases, points, compiled=compiled)
    first = {name: timed(work) for name, work in works.items()}  # warm-up; PyBaMM builds models
    if compiled and not any(Path(os.environ[AOT_CACHE]).iterdir()):
        raise SystemExit("PyBaMM did not compile its model: it needs gcc or clang")
    times = minima(works, rounds)
    method = {"radial_points": 80, "rtol": 1e-7, "atol": 1e-9}
    known = [net_loss(cm.simulate_formation(*p, cases.equipment, **method)) for p in points]
    errors = dict.fromkeys((KERNEL.format(CELL), SWEEP, SWEEP_2), worst(by_kernels, known))
    setup = {}
    for name in (name for name in (PYBAMM, TIGHTER, COMPILED) if name in works):
        spent, results = first[name]
        errors[name] = worst([net_loss(result) for result in results], known)
        setup[name] = spent[WALL] - np.median(times[name][:, WALL])
    return f"{speeds(times, errors)}\n\n{CAPTION}\n\n{costs(times, setup, size)}"


def speeds(times: Times, errors: Mapping[str, float]) -> str:
    """Return the table of protocols per second."""
    heads = ("protocols per second and core", "times PyBaMM's", "error of net energy loss [%]")
    lines = [f"| three-cycle protocol | {' | '.join(heads)} |", "|---|--:|--:|--:|"]
    seconds = {name: float(np.median(times[name][:, CPU])) for name in times}
    for name in sorted(times.keys() - {PACKING, TABULATION, FOOTPRINT}, key=seconds.get):
        title = name
        if name == SWEEP_2:
            title += f", {ratio(times, SWEEP, SWEEP_2, WALL):.2f} times as fast as one"
        faster = _digits(ratio(times, PYBAMM, name))
        error = f"{errors[name]:.2f}" if name in errors else ""
        lines.append(f"| {title} | {_digits(1 / seconds[name])} | {faster} | {error} |")
    return "\n".join(lines)


def costs(times: Times, setup: Mapping[str, float], size: int) -> str:
    """Return the table of what is paid once, or besides."""
    with tempfile.TemporaryDirectory() as folder:
        cold, cached = (cold_start(Path(folder)) for _ in range(2))
    beyond = 100 * (ratio(times, SWEEP, KERNEL.format(CELL)) - 1)
    seconds = {name: float(np.median(times[name][:, CPU])) for name in times}
    rows = {
        "compiling the kernels, once a machine": f"{cold - cached:.0f} s",
        "start of a process with compiled kernels": f"{cached:.1f} s",
        "tabulating a cell, once a sweep": f"{seconds[TABULATION]:.2f} s",
        "packing, per case": f"{1e6 * seconds[PACKING] / size:.2f} µs",
        f"`sweep_formation` of {size:,} cases beyond the kernels": f"{beyond:.0f} %",
        "memory beyond inputs and outputs, per case": f"{memory_per_case(CELL):.0f} bytes",
        "`footprint` at four sites, per case": f"{1e6 * seconds[FOOTPRINT] / size:.1f} µs",
    }
    rows |= {f"set-up of a new geometry, {name}": f"{spent:.0f} s" for name, spent in setup.items()}
    return "\n".join(["| besides | |", "|---|--:|", *(f"| {a} | {b} |" for a, b in rows.items())])


def _digits(value: float) -> str:
    """Return a number as a reader wants it: 12,300, 45.6, 0.78."""
    return f"{float(f'{value:.3g}'):,}".removesuffix(".0")


def main() -> None:
    parser = script_parser(__doc__)
    parser.add_argument("--cases", type=int, default=1 << 15, help="in a sweep")
    parser.add_argument("--rounds", type=int, default=3, help="of which the median counts")
    parser.add_argument(
        "--compiled", action="store_true", help="PyBaMM compiled, too: ten minutes to set up"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ[AOT_CACHE] = folder  # set-up includes its compilation
        text = measure(arguments.cases, arguments.rounds, compiled=arguments.compiled)
    publish("speed", text, write=arguments.write)


if __name__ == "__main__":
    main()
