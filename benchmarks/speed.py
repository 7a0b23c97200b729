"""Speed of the kernels, of everything around them and of PyBaMM, measured in one process.

Run as a script it prints the tables and, with --write, puts them into README.md.
Leave the machine to it: CPU time does not count other processes, but caches and clocks feel them.
The two sweeps and the kernels under them run all cases; the rest runs SMALL of them.
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numba
import numpy as np
import xarray as xr
from cold_start import cold_start
from contenders import (
    Work,
    bare_kernel,
    batch,
    footprint,
    frozen,
    labelled_sweep,
    memory_per_case,
    packing,
    pybamm_spme,
    tabulation,
)
from publish import publish, script_parser
from random_cases import at_point, point
from references import SETTINGS, SPME
from turns import CPU, WALL, Times, minima, ratio, timed

import cellmodel as cm

CELL = "nmc811-graphite-siox"
SMALL = 1 << 15  # cases
AOT_CACHE = "PYBAMM_CASADI_AOT_CACHE"  # where PyBaMM keeps compiled models
COMPARED = 5  # cases that PyBaMM runs too
PYBAMM = "PyBaMM SPMe, its default tolerances"
TIGHTER, COMPILED = "PyBaMM SPMe, rtol 1e-6, atol 1e-8", f"{PYBAMM}, compiled, one case"
FROZEN = "frozen reference kernel, one case at a time"
KERNEL, SWEEP, SWEEP_2 = "kernels alone, {}", "`sweep_formation`", "`sweep_formation`, two threads"
FOOTPRINT, PACKING, TABULATION = "`footprint` of a sweep", "packing", "tabulation"
CAPTION = (
    "Every case with its own rates (C/20 to C/3), temperature (283 to 323 K) and geometry "
    f"(+-20 %). Cell {CELL} where no other is named. CPU time, median over rounds of the fastest "
    f"run. Errors: largest of {COMPARED} cases and three cycles, against {SETTINGS}. The frozen "
    "kernel (benchmarks/frozen_kernel.py) is a smaller model that never changes, the yardstick of "
    "later versions."
)


def several(works: Sequence[Work]) -> Work:
    """Return one work that does all of them, and returns their results."""
    return Work(lambda: [work.run() for work in works], sum(work.protocols for work in works))


def net_loss(results: xr.Dataset | Mapping[str, np.ndarray]) -> np.ndarray:
    """Return energy in minus energy out [W h] of each cycle."""
    return np.asarray(results["charge_energy"]) - np.asarray(results["discharge_energy"])


def worst(found: Sequence[np.ndarray], known: Sequence[np.ndarray]) -> float:
    """Return the largest relative difference [%]."""
    return float(100 * np.max(np.abs(np.array(found) / np.array(known[: len(found)]) - 1)))


def compared_cases() -> tuple[list[tuple[cm.Cell, cm.Protocol]], list[np.ndarray]]:
    """Return the first cases that reach their end, and the net losses the kernels find."""
    few = batch(CELL, 8 * COMPARED)
    formed = few.sweep()
    chosen = np.flatnonzero(formed["status"] == 0)[:COMPARED]
    points = [at_point(few.cell, few.protocol, point(few.cases, i)) for i in chosen]
    return points, [net_loss(formed.isel(case=i)) for i in chosen]


def our_works(size: int) -> dict[str, Work]:
    """Return everything of ours that takes part in the rounds, and the yardstick."""
    cases, few = batch(CELL, size), batch(CELL, min(size, SMALL))
    others = [name for name in cm.list_cells() if name != CELL]
    works = {FROZEN: frozen(), KERNEL.format(CELL): bare_kernel(cases)}
    works |= {KERNEL.format(name): bare_kernel(batch(name, few.size)) for name in others}
    works |= {
        SWEEP: labelled_sweep(cases),
        FOOTPRINT: footprint(few),
        PACKING: packing(few),
        TABULATION: tabulation(batch(CELL, 1)),
    }
    if numba.config.NUMBA_NUM_THREADS > 1:
        works[SWEEP_2] = labelled_sweep(cases, threads=2)
    return works


def pybamm_works(points: Sequence, *, compiled: bool) -> dict[str, Work]:
    """Return PyBaMM's part, the same cases for each tolerance."""
    works = {
        PYBAMM: several([pybamm_spme(*point) for point in points]),
        TIGHTER: several([pybamm_spme(*point, rtol=1e-6, atol=1e-8) for point in points]),
    }
    if compiled:  # of one case: each takes minutes to compile
        works[COMPILED] = several([pybamm_spme(*points[0], compiled=True)])
    return works


def measure(size: int, rounds: int, *, compiled: bool) -> str:
    """Return both tables."""
    points, by_kernels = compared_cases()
    pybamm = pybamm_works(points, compiled=compiled)
    first = {name: timed(work) for name, work in pybamm.items()}  # builds models
    if compiled and not any(Path(os.environ[AOT_CACHE]).iterdir()):
        raise SystemExit("PyBaMM did not compile its model: it needs gcc or clang")
    times = minima(our_works(size) | pybamm, rounds)
    equipment, method = cm.load_equipment("regenerative-cycler"), dataclasses.asdict(SPME)
    known = [net_loss(cm.simulate_formation(*point, equipment, **method)) for point in points]
    errors = dict.fromkeys((KERNEL.format(CELL), SWEEP, SWEEP_2), worst(by_kernels, known))
    setup = {}
    for name, (spent, results) in first.items():
        errors[name] = worst([net_loss(result) for result in results], known)
        setup[name] = spent[WALL] - np.median(times[name][:, WALL])
    return f"{speeds(times, errors)}\n\n{CAPTION}\n\n{costs(times, setup, size)}"


def speeds(times: Times, errors: Mapping[str, float]) -> str:
    """Return the table of protocols per second."""
    heads = (
        "protocols per second and core",
        "times PyBaMM's",
        "times the frozen kernel's",
        "error of net energy loss [%]",
    )
    lines = [f"| three-cycle protocol | {' | '.join(heads)} |", "|---" + "|--:" * len(heads) + "|"]
    seconds = {name: float(np.median(times[name][:, CPU])) for name in times}
    for name in sorted(times.keys() - {PACKING, TABULATION, FOOTPRINT}, key=seconds.get):
        title = name
        if name == SWEEP_2:
            title += f", {ratio(times, SWEEP, SWEEP_2, WALL):.2f} times as fast as one"
        faster = [_digits(ratio(times, other, name)) for other in (PYBAMM, FROZEN)]
        error = f"{errors[name]:.2f}" if name in errors else ""
        cells = [title, _digits(1 / seconds[name]), *faster, error]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def costs(times: Times, setup: Mapping[str, float], size: int) -> str:
    """Return the table of what is paid once, or besides."""
    with tempfile.TemporaryDirectory() as folder:
        cold, cached = (cold_start(Path(folder)) for _ in range(2))
    few = min(size, SMALL)
    beyond = 100 * (ratio(times, SWEEP, KERNEL.format(CELL)) - 1)
    memory = memory_per_case(CELL)
    seconds = {name: float(np.median(times[name][:, CPU])) for name in times}
    rows = {
        "compiling the kernels, once a machine": f"{cold - cached:.0f} s",
        "start of a process with compiled kernels": f"{cached:.1f} s",
        "tabulating a cell, once a sweep": f"{seconds[TABULATION]:.2f} s",
        "packing, per case": f"{1e6 * seconds[PACKING] / few:.2f} µs",
        f"`sweep_formation` of {size:,} cases beyond the kernels": f"{beyond:.0f} %",
        "memory beyond inputs and outputs, per case": f"{memory:.0f} bytes"
        if memory > 0
        else "none",
        "`footprint` at four sites, per case": f"{1e6 * seconds[FOOTPRINT] / few:.1f} µs",
    }
    rows |= {f"set-up of a new geometry, {name}": f"{spent:.0f} s" for name, spent in setup.items()}
    return "\n".join(["| besides | |", "|---|--:|", *(f"| {a} | {b} |" for a, b in rows.items())])


def _digits(value: float) -> str:
    """Return a number as a reader wants it: 12,300, 45.6, 0.78."""
    return f"{float(f'{value:.3g}'):,}".removesuffix(".0")


def main() -> None:
    parser = script_parser(__doc__)
    parser.add_argument("--cases", type=int, default=SMALL, help="in a sweep; 1000000 for print")
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
