"""PyBaMM models of a formation: build and run."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pybamm

from cellmodel.bridge.experiment import CHARGE_BEFORE, CapacityTermination, experiment
from cellmodel.bridge.formation_models import FormationDFN, FormationSPM, FormationSPMe
from cellmodel.bridge.parameter_values import State, parameter_values, set_values
from cellmodel.bridge.passivation_submodels import LEAK
from cellmodel.bridge.readout import PARASITIC, SECONDS_PER_HOUR, read
from cellmodel.bridge.two_phase import is_two_phase, name_as_one, options
from cellmodel.cell import Cell
from cellmodel.errors import InputError, unknown_name
from cellmodel.protocol import Protocol
from cellmodel.quantity import Range
from cellmodel.step import Step
from cellmodel.unpassivated_surface import NAME as UNPASSIVATED_SURFACE

MODELS = {
    "SPM": pybamm.lithium_ion.SPM,
    "SPMe": pybamm.lithium_ion.SPMe,
    "DFN": pybamm.lithium_ion.DFN,
}
FORMATION = {"SPM": FormationSPM, "SPMe": FormationSPMe, "DFN": FormationDFN}
# One film for the whole electrode, as in the kernels. Against PyBaMM's default for SPMe (a film
# at every point) this changes net energy loss by 0.0004 % at C/10 - C/5 and by 0.008 % at C/2,
# and lithium loss by 0.0009 and 0.03 % (OKane2022), in half the time. For SPM it is the default.
X_AVERAGED = {"x-average side reactions": "true", "SEI film resistance": "average"}
# The DFN has a film at every point but its mean resistance. PyBaMM's default, the resistance at
# every point, changes energies by 1e-5 and lithium loss by 2e-5 (OKane2022 at C/5), takes three
# times as long, and makes the solver fail where a leak nearly cancels a hold's current.
X_RESOLVED = {"SEI film resistance": "average"}

# Logarithm of how much wider a particle's innermost volume is than its outermost. Against a uniform
# mesh of as many, the error of the net energy loss is halved (nmc532, C/4, 274 K, 40 points: 0.017
# instead of 0.041 %), and where the diffusivity falls towards the surface that of the energies is a
# quarter (nmc532-graphite-240mah, likewise: 0.5 instead of 2.0 %).
STRETCH = 1.6

# Absolute tolerance of the DFN's potentials [V] and of its current in a hold [nominal capacity per
# hour]. Where solids conduct well and react slowly, rounding errors of the ohmic drops between
# their points move potentials by 1e-8 V, and IDAKLU fails if it shall know them better
# (nvpf-hard-carbon). It changes the net energy loss of three other cells by 2e-6 of it or less.
ROUNDED = 1e-6
_ROUNDED = (
    "Negative electrode potential [V]",
    "Positive electrode potential [V]",
    "Electrolyte potential [V]",
    "Current variable [A]",
)

_POINTS = Range(5, 2000)
_TOLERANCE = Range(1e-14, 1e-2)


def model_with_totals(name: str, cell: Cell) -> pybamm.lithium_ion.BaseModel:
    """Return a PyBaMM model with lumped thermal model and SEI that integrates its own totals.

    Charge, energy and squared current are states of the model, so that they are as accurate as
    the solver, whatever the steps. PyBaMM has energies too, but as large numbers that only grow:
    at rtol 1e-6 they are wrong by 0.2 % of the energy loss of three cycles. We integrate the
    voltage's distance from the middle of its window, and gain a factor of ten:

        E = V_middle Q + integral (V - V_middle) |I| dt.

    Parameters
    ----------
    name
        "SPM", "SPMe" or "DFN".
    cell
        Its SEI law, formation model and voltage window.
    """
    film = X_RESOLVED if name == "DFN" else X_AVERAGED
    models = FORMATION if cell.formation == UNPASSIVATED_SURFACE else MODELS
    phases = options(cell.sei) if is_two_phase(set_values(cell)) else {}
    # PyBaMM leaves the parameter out unless it is told to read it
    contacts = {"contact resistance": "true"} if _contact_resistance(cell) else {}
    model = models[name]({"SEI": cell.sei, "thermal": "lumped", **film, **phases, **contacts})
    if phases:
        name_as_one(model)
    current, voltage = model.variables["Current [A]"], model.variables["Voltage [V]"]
    window = [cell.parameter(f"{end} voltage cut-off [V]") for end in ("Lower", "Upper")]
    middle = sum(window) / 2
    into, out = pybamm.maximum(-current, 0), pybamm.maximum(current, 0)
    rates = {
        "charge_capacity": into,
        "discharge_capacity": out,
        "charge_energy": into * (voltage - middle),
        "discharge_energy": out * (voltage - middle),
        "squared_current_time": current**2,
    }
    if LEAK in model.variables:
        rates[PARASITIC] = model.variables[LEAK]
    states = {total: pybamm.Variable(total) for total in rates}
    for total, state in states.items():
        model.rhs[state] = rates[total] / SECONDS_PER_HOUR
        model.initial_conditions[state] = pybamm.Scalar(0)
        model.variables[total] = state
    for way in ("charge", "discharge"):
        energy, charge = states[f"{way}_energy"], states[f"{way}_capacity"]
        model.variables[f"{way}_energy"] = energy + middle * charge
    return model


def _contact_resistance(cell: Cell) -> float:
    """Return that of the cell [ohm], none where its set does not know it."""
    name = "Contact resistance [Ohm]"
    stated = name in cell.parameters or name in set_values(cell).keys()  # noqa: SIM118
    return cell.parameter(name) if stated else 0.0


@dataclass(frozen=True)
class Method:
    """How PyBaMM solves.

    Parameters
    ----------
    model
        "SPM", "SPMe" or "DFN".
    radial_points, electrode_points
        Mesh of a particle (`STRETCH`), and of each electrode and the separator. Error of the net
        energy loss of a cycle against 300 radial points, the worst of four cells in seven cases of
        three cycles at 274 to 318 K: 0.12 % with 20, 0.05 % with 30, 0.025 % with 40, 0.011 % with
        60; in one more case, of nmc532-graphite-240mah at 274 K, whose diffusivity falls steeply
        towards a full surface: 1.4, 0.8, 0.5, 0.27, and 0.07 % with 120. Points across an electrode
        change less than 0.03 %.
    rtol, atol
        Of IDAKLU; of the DFN's potentials a microvolt at least. 1e-6 and 1e-8 leave up to 0.8 % of
        the net energy loss of a late, slow cycle, 1e-8 and 1e-10 leave 0.03 %.

    Raises
    ------
    InputError
        If there is no such model, or a number is out of range.
    """

    model: str = "SPMe"
    radial_points: int = 40
    electrode_points: int = 20
    rtol: float = 1e-8
    atol: float = 1e-10

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise unknown_name("model", self.model, MODELS)
        _POINTS.check("radial_points", self.radial_points)
        _POINTS.check("electrode_points", self.electrode_points)
        _TOLERANCE.check("rtol", self.rtol)
        _TOLERANCE.check("atol", self.atol)


class _Solver(pybamm.IDAKLUSolver):
    """IDAKLU that tells every step what charge passed before it (`CapacityTermination`), and asks
    the DFN for nothing more exactly than rounding leaves it (`ROUNDED`).
    """

    def step(self, old_solution, model, *times, inputs=None, **options):
        rows = {state.name: slices for state, slices in model.y_slices.items()}
        if "Electrolyte potential [V]" in rows:
            model.atol = np.full(model.len_rhs_and_alg, self.atol)
            for name in _ROUNDED:
                for place in rows.get(name, []):
                    model.atol[place] = max(self.atol, ROUNDED)
        before = 0.0
        if not isinstance(old_solution, pybamm.EmptySolution):
            last = old_solution.last_state
            at = {state.name: rows[0] for state, rows in last.all_models[-1].y_slices.items()}
            y = last.all_ys[-1]
            before = (y[at["discharge_capacity"]] - y[at["charge_capacity"]]).item()
        inputs = {**(inputs or {}), CHARGE_BEFORE: before}
        return super().step(old_solution, model, *times, inputs=inputs, **options)


def simulation(
    cell: Cell,
    protocol: Protocol,
    values: Mapping[str, float],
    method: Method,
    *,
    state: State | None = None,
    free: Collection[str] = (),
    only_step_ends: bool = False,
) -> pybamm.Simulation:
    """Return a protocol ready to run.

    Parameters
    ----------
    cell, protocol, values
        What is done to what; every protocol variable -> number.
    method
        How it is solved.
    state
        Start; the fresh cell if None.
    free
        PyBaMM names of parameters whose value is given anew for each run.
    only_step_ends
        Keep the first and last moment of each step instead of every step of the solver.
    """
    numbers = parameter_values(cell, values["temperature"], state)
    numbers.update(dict.fromkeys(free, "[input]"))
    model = model_with_totals(method.model, cell)
    # PyBaMM's names of axes: x_n, x_s, x_p of layers, r_n and the like of particles and materials
    mesh = {"x": int(method.electrode_points), "r": int(method.radial_points)}
    points = {axis: mesh.get(axis[0], count) for axis, count in model.default_var_pts.items()}
    steps = experiment(protocol, values, cell.parameter("Nominal cell capacity [A.h]"))
    solver = _Solver(
        rtol=method.rtol,
        atol=method.atol,
        output_variables=read(model),
        store_first_last=only_step_ends,
    )
    return pybamm.Simulation(
        model,
        parameter_values=numbers,
        experiment=steps,
        submesh_types={**model.default_submesh_types, **_particle_meshes(model)},
        var_pts=points,
        solver=solver,
        experiment_model_mode=_model_mode(steps, run_again=only_step_ends),
    )


def _particle_meshes(model: pybamm.lithium_ion.BaseModel) -> dict[str, pybamm.MeshGenerator]:
    """Return meshes of the particles that are denser towards their surface."""
    denser = pybamm.MeshGenerator(
        pybamm.Exponential1DSubMesh, {"side": "right", "stretch": STRETCH}
    )
    return {name: denser for name in model.default_submesh_types if name.endswith(" particle")}


def _model_mode(experiment: pybamm.Experiment, *, run_again: bool) -> str:
    """Return how PyBaMM builds the models of the steps: one for all takes half the time.

    But it looks for what ended a step without the inputs of `_Solver`, and where a run goes on from
    another it does not find the currents of two materials.
    """
    ends = [end for step in experiment.steps for end in step.termination]
    by_capacity = any(isinstance(end, CapacityTermination) for end in ends)
    return "legacy" if by_capacity or run_again else "unified"


class _Journal(pybamm.callbacks.LoggingCallback):
    """Keeps why PyBaMM stopped; as a LoggingCallback it replaces the one that only logs it."""

    def __init__(self) -> None:
        super().__init__()
        self.cycle = self.step = 0
        self.reason = ""

    def on_step_start(self, logs: dict) -> None:
        self.cycle, self.step = logs["cycle number"][0] - 1, logs["step number"][0] - 1

    def on_experiment_error(self, logs: dict) -> None:
        self.reason = f"the solver failed: {logs['error']}"

    def on_experiment_infeasible_event(self, logs: dict) -> None:
        """Say nothing: the step's own termination tells."""


def solve(
    simulation: pybamm.Simulation,
    cell: Cell,
    protocol: Protocol,
    *,
    start: pybamm.Solution | None = None,
    inputs: Mapping[str, float] | None = None,
) -> list[list[pybamm.Solution | pybamm.EmptySolution]]:
    """Run a simulation to the end of its protocol.

    Parameters
    ----------
    simulation
        From `simulation`.
    cell, protocol
        For messages and checks.
    start
        State to go on from.
    inputs
        Parameter name -> number, for those that the simulation left free.

    Returns
    -------
    list of list
        The solution of each step of each cycle; an EmptySolution for a hold or a stage that is
        past its limit from the start.

    Raises
    ------
    InputError
        If PyBaMM stopped before the end, for whatever reason, or skipped a charge or discharge.
    """
    journal = _Journal()
    try:
        solution = simulation.solve(
            starting_solution=start, inputs=dict(inputs or {}), callbacks=[journal], calc_esoh=False
        )
    except pybamm.SolverError as error:  # in the first step, or PyBaMM skipped a whole cycle
        cycle = journal.cycle - (0 if start is None else 1)
        raise _stopped(cell, protocol, cycle, journal.step, journal.reason or str(error)) from error
    except KeyError as error:  # a missing parameter: PyBaMM puts its name in quotes, first
        missing = re.search("'([^']*)'", str(error.args[0]))
        raise InputError(
            f"cell '{cell.name}' lacks the parameter '{missing[1] if missing else error}', which "
            "this model needs; add it to the cell's table [parameters], with its donor"
        ) from error
    offset = 0 if start is None else 1  # PyBaMM counts the start as a cycle
    cycles = [cycle.steps for cycle in solution.cycles[offset:]]
    for index in range(len(protocol.cycles)):
        done = cycles[index] if index < len(cycles) else []
        for number, step in enumerate(step for step in protocol.steps if step.cycle == index):
            if number >= len(done):
                fault = journal.reason or "it did not run"
            else:
                fault = _fault(step, done[number])
            if fault:
                raise _stopped(cell, protocol, index, number, fault)
    return cycles


def _fault(step: Step, result: pybamm.Solution | pybamm.EmptySolution) -> str:
    """Return why a step did not do what it should, "" if it did."""
    if isinstance(result, pybamm.EmptySolution):
        # What is past its limit from the start takes no time, as on a cycler: a hold whose current
        # is below it, or a stage whose voltage is beyond it, if there is a next one.
        passed_over = step.kind == "voltage" or step.leads_on
        return "" if passed_over else "it begins beyond its own limits"
    if result.termination == "final time":
        hours = (result.t[-1] - result.t[0]) / SECONDS_PER_HOUR
        return "" if step.time_limit is not None else f"it has no end in {hours:.0f} h"
    if "[experiment]" in result.termination:
        return ""
    return f"it reached a limit of the model: {result.termination.removeprefix('event: ')}"


def _stopped(cell: Cell, protocol: Protocol, cycle: int, step: int, reason: str) -> InputError:
    template = protocol.cycles[cycle][step]
    return InputError(
        f"protocol '{protocol.name}' cannot be run with cell '{cell.name}': in cycle {cycle}, "
        f"step {step} ('{template}'), {reason}; a lower rate, a higher temperature or other "
        "cut-offs may help"
    )
