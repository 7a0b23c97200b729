"""What is timed: the pieces of a sweep from tables to footprint, and PyBaMM."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

import frozen_kernel
import numba
import numpy as np
import xarray as xr
from random_cases import Cases, random_cases

import cellmodel as cm
from cellmodel.bridge.experiment import experiment
from cellmodel.bridge.parameter_values import parameter_values
from cellmodel.bridge.reference import model_with_totals
from cellmodel.compilation import kernels_for
from cellmodel.kernel_inputs import KernelInputs, kernel_inputs
from cellmodel.sweep import design_space
from kernels import workspace
from kernels.cell import TRACE
from kernels.parameters import LANES

ENERGIES = ("charge_energy", "discharge_energy")


@dataclass(frozen=True)
class Work:
    """A piece of work.

    Parameters
    ----------
    run : does it, and returns its result
    protocols : how many protocols it runs at a time; 0 if it is not about that
    """

    run: Callable[[], object]
    protocols: int


@dataclass(frozen=True)
class Batch:
    """Random cases of one cell through the three-cycle protocol."""

    cell: cm.Cell
    protocol: cm.Protocol
    equipment: cm.Equipment
    cases: Cases
    size: int

    def inputs(self) -> KernelInputs:
        """Return the cell tabulated and the protocol numbered."""
        return kernel_inputs(design_space(self.cell, self.protocol, self.equipment, self.cases))

    def sweep(self, **options: int) -> xr.Dataset:
        """Return the public sweep of all cases."""
        return cm.sweep_formation(self.cell, self.protocol, self.equipment, self.cases, **options)


def batch(name: str, size: int) -> Batch:
    """Return random cases of a shipped cell."""
    cell, protocol = cm.load_cell(name), cm.load_protocol("three-cycle")
    equipment = cm.load_equipment("regenerative-cycler")
    return Batch(cell, protocol, equipment, random_cases(cell, size), size)


def bare_kernel(batch: Batch) -> Work:
    """Numbers to numbers on one thread; returns the statuses."""
    inputs = batch.inputs()
    vectors, cell = inputs.vectors(0, batch.size), inputs.cell
    module = kernels_for(*vectors[:2], cell.flat)
    per_cycle = np.empty((4, len(batch.protocol.cycles), batch.size))
    summary = np.empty((len(module.SUMMARY), batch.size))
    status = np.empty(batch.size, dtype=np.int8)

    def run() -> np.ndarray:
        numba.set_num_threads(1)
        module.sweep(
            *vectors, cell.tables, cell.flat, inputs.kinds, inputs.cycles, 1.0,
            per_cycle, summary, status,
        )  # fmt: skip
        return status

    return Work(run, batch.size)


def attempts(batch: Batch) -> float:
    """Return the time steps that a lane takes per protocol, those that it sits out included."""
    inputs = batch.inputs()
    cell, cycles, vectors = inputs.cell, len(batch.protocol.cycles), inputs.vectors(0, batch.size)
    module = kernels_for(*vectors[:2], cell.flat)
    _, tried = module.run(
        *workspace.room(vectors[0].size), *vectors, 0, batch.size, cell.tables,
        cell.flat, inputs.kinds, inputs.cycles, 1.0, module.GROWTH,
        module.opening_step(cell.flat),
        np.empty((4, cycles, batch.size)), np.empty((len(module.SUMMARY), batch.size)),
        np.empty(batch.size, dtype=np.int8), np.empty((0, len(TRACE))),
        module.extensions(*vectors[:2], cell.flat),
    )  # fmt: skip
    return tried * LANES / batch.size


def frozen(cells: int = 256) -> Work:
    """The yardstick on one thread; returns its results."""
    table, results = frozen_kernel.tables(), np.empty((cells, 5))

    def run() -> np.ndarray:
        frozen_kernel.run(table, results)
        return results

    return Work(run, cells)


def tabulation(batch: Batch) -> Work:
    """Functions of the parameter set to tables: once a sweep, whatever its size."""
    return Work(lambda: batch.inputs().cell, 0)


def packing(batch: Batch) -> Work:
    """Design space to vectors."""
    inputs = batch.inputs()
    return Work(lambda: inputs.vectors(0, batch.size)[2], 0)


def labelled_sweep(batch: Batch, threads: int = 1) -> Work:
    """The public `sweep_formation`: tabulation, packing, kernel, wall energy and labels."""

    def run() -> xr.Dataset:
        numba.set_num_threads(threads)
        return batch.sweep()

    return Work(run, batch.size)


def footprint(batch: Batch) -> Work:
    """The footprint of all cases of a sweep at its default four sites; totals only."""
    formed = batch.sweep()
    return Work(lambda: cm.footprint(formed, detail=False), 0)


def pybamm_spme(
    cell: cm.Cell,
    protocol: cm.Protocol,
    rtol: float = 1e-4,
    atol: float = 1e-6,
    *,
    compiled: bool = False,
) -> Work:
    """PyBaMM's SPMe, default mesh, IDAKLU with its default tolerances; returns energies [W h].

    The first run builds the model, and compiles it if asked to; a new geometry needs that again.
    Totals are integrated within the model and only the ends of steps are kept, which is a little
    faster than a plain Simulation.
    """
    import pybamm  # after cellmodel, which turns its telemetry off

    values = protocol.defaults(cell)
    simulation = pybamm.Simulation(
        model_with_totals("SPMe", cell),
        parameter_values=parameter_values(cell, values["temperature"]),
        experiment=experiment(protocol, values, cell.parameter("Nominal cell capacity [A.h]")),
        solver=pybamm.IDAKLUSolver(
            rtol=rtol,
            atol=atol,
            output_variables=["Voltage [V]", *ENERGIES],
            store_first_last=True,
            options={"compile": compiled},
        ),
    )

    def run() -> dict[str, np.ndarray]:
        solution = simulation.solve(calc_esoh=False)
        ends = [cycle.steps[-1] for cycle in solution.cycles]
        return {
            name: np.diff([end[name].entries[-1] for end in ends], prepend=0) for name in ENERGIES
        }

    return Work(run, 1)


def memory_per_case(
    name: str, small: int = 1 << 14, large: int = 1 << 15, chunk_size: int = 1 << 11
) -> float:
    """Bytes per case that a sweep holds at its peak, beyond its inputs and its result.

    Parameters
    ----------
    name
        Of a shipped cell.
    small, large
        Cases of two sweeps, which hold more than a tabulation; their difference leaves out what
        does not grow, a chunk for one.
    chunk_size
        Cases at a time, far fewer than those: every chunk but the first finds results beside it.
    """
    beyond = []
    batch(name, 1).sweep()  # imports and caches are not counted
    for size in (small, large):
        cases = batch(name, size)
        tracemalloc.start()
        result = cases.sweep(chunk_size=chunk_size)
        held, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        beyond.append(peak - held)
        del result  # until here it belongs to what is held
    return (beyond[1] - beyond[0]) / (large - small)
