"""Formations by PyBaMM, kept on disk: what the kernels are compared with.

A file is named by everything that its content depends on, so what is there is right, and an
interrupted run goes on where it stopped.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.metadata
import inspect
import multiprocessing
import numbers
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pybamm
from random_cases import at_point

import cellmodel as cm
from cellmodel.bridge import readout, reference
from cellmodel.bridge.experiment import experiment
from cellmodel.bridge.parameter_values import parameter_values
from cellmodel.bridge.reference import Method
from cellmodel.errors import InputError
from cellmodel.fingerprint import fingerprint

# Against 300 radial points: 0.007 % of the net energy loss of a cycle, where the diffusivity falls
# steeply towards a full surface 0.07 % (see `Method`). rtol 1e-6 and atol 1e-8 leave 0.8 % in late
# cycles at C/30, which lose a hundredth of their energy, and are no faster.
SPME = Method("SPMe", radial_points=120, electrode_points=20, rtol=1e-8, atol=1e-10)
# What differs from that. Where the diffusivity falls steeply towards a full surface, 120 radial
# points differ from 1000 by up to 19 mV RMS over a first charge and 0.02 % in energies, 300 by 6 mV
# and 0.003 %; where it varies by a factor of a hundred, 120 differ from 1000 by 1.5 mV over charges
# of half an hour, 300 by 0.3: both have cases in which 300 still differ by more than is owed. Two
# materials react unevenly: 20 points across an electrode differ from 40 by up to 0.8 mV, and one
# discharge in 270 meets its limit on a bump with 20, and after it with 40.
FINER = {
    "nmc532-graphite-240mah": {"radial_points": 600},
    "nvpf-hard-carbon": {"radial_points": 600},
    "nmc811-graphite-silicon": {"electrode_points": 40},
}
DFN = Method("DFN", radial_points=60, electrode_points=20, rtol=1e-6, atol=1e-8)
SETTINGS = (
    f"PyBaMM SPMe with {SPME.radial_points} radial and {SPME.electrode_points} electrode nodes, "
    f"rtol {SPME.rtol:g}, atol {SPME.atol:g}"
).replace("e-0", "e-")


def spme(cell: str) -> Method:
    """Return how PyBaMM solves the SPMe of a shipped cell."""
    return dataclasses.replace(SPME, **FINER.get(cell, {}))


SERIES = ("time", "voltage", "cycle_index", "step_index")
SALT = "Electrolyte concentration [mol.m-3]"
SURFACES = tuple(  # of those that a model has
    f"{end} {particle} surface stoichiometry"
    for particle in (
        "negative particle",
        "negative primary particle",
        "negative secondary particle",
        "positive particle",
    )
    for end in ("Minimum", "Maximum")
)
FAILED = "failed"

Results = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Task:
    """A formation in names and numbers, so that another process can run it.

    Parameters
    ----------
    cell, protocol
        Shipped names.
    numbers
        What differs from them; see `random_cases.point`.
    method
        How PyBaMM solves.
    """

    cell: str
    protocol: str
    numbers: Mapping[str, float]
    method: Method

    def inputs(self) -> tuple[cm.Cell, cm.Protocol, dict[str, float]]:
        """Return cell, protocol and the values of the protocol's variables."""
        shipped = cm.load_cell(self.cell), cm.load_protocol(self.protocol)
        cell, protocol = at_point(*shipped, self.numbers)
        return cell, protocol, protocol.defaults(cell)


def references(folder: Path, tasks: Sequence[Task], processes: int) -> list[Results]:
    """Return what PyBaMM finds for each task.

    Parameters
    ----------
    folder
        Where finished ones are kept.
    tasks, processes
        How many of them run at a time.

    Returns
    -------
    list of mapping
        The names of `readout.raw` [A h, W h, h, K], SERIES over time [s, V], `lowest_salt`
        [mol m-3], `emptiest_surface` and `fullest_surface` of a particle [1]; or, if PyBaMM did
        not get to the end, the reason under FAILED.
    """
    folder.mkdir(parents=True, exist_ok=True)
    spawn = multiprocessing.get_context("spawn")  # Numba's threads do not survive a fork
    results = []
    with ProcessPoolExecutor(processes, spawn) as pool:
        for found in pool.map(functools.partial(_kept, folder), tasks):
            results.append(found)
            print(f"\rreference {len(results)} of {len(tasks)}", end="", file=sys.stderr)
    print(file=sys.stderr)
    return results


def _kept(folder: Path, task: Task) -> Results:
    """Return the results of a task from the folder; if they are not there, put them there."""
    file = folder / f"{_key(task)}.npz"
    if not file.exists():
        results = _run(task)
        part = file.with_suffix(f".{os.getpid()}")
        with part.open("wb") as stream:
            np.savez_compressed(stream, **results)
        part.replace(file)  # whole or not at all
    with np.load(file) as kept:
        return dict(kept)


def _key(task: Task) -> str:
    """Return the fingerprint of what PyBaMM is told, of PyBaMM, and of our lines around it."""
    cell, protocol, values = task.inputs()
    told = {
        name: value if isinstance(value, numbers.Real) else getattr(value, "__qualname__", "")
        for name, value in parameter_values(cell, values["temperature"]).items()
    }
    steps = experiment(protocol, values, cell.parameter("Nominal cell capacity [A.h]")).steps
    ours = (reference.model_with_totals, reference.simulation, readout, _run)
    return fingerprint(
        cell.parameter_set,
        told,
        cell.sei,
        [repr(step) for step in steps],
        task.method,
        importlib.metadata.version("pybamm"),
        [inspect.getsource(part) for part in ours],
        reference.X_AVERAGED,
        reference.STRETCH,
    )


def _run(task: Task) -> dict[str, np.ndarray]:
    cell, protocol, values = task.inputs()
    simulation = reference.simulation(cell, protocol, values, task.method)
    surfaces = [name for name in SURFACES if name in simulation.model.variables]
    simulation.solver.output_variables += [SALT, *surfaces]
    try:
        cycles = reference.solve(simulation, cell, protocol)
    except InputError as error:
        return {FAILED: np.array(str(error))}
    over_time = readout.series(cycles)
    results = readout.raw(over_time, len(protocol.cycles))
    results |= {name: over_time[name] for name in SERIES}
    # PyBaMM does not run a hold that is over when it begins
    ran = [s for steps in cycles for s in steps if not isinstance(s, pybamm.EmptySolution)]
    filled = np.concatenate([s[name].entries.ravel() for s in ran for name in surfaces])
    results["lowest_salt"] = min(solution[SALT].entries.min() for solution in ran)
    results["emptiest_surface"], results["fullest_surface"] = filled.min(), filled.max()
    return {name: np.asarray(value) for name, value in results.items()}
