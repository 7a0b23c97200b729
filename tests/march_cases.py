"""A made-up cell of smooth formulas, and cases of it through the kernels: shared by tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cellmodel.compilation import kernels_for
from kernels import parameters, tables
from kernels.cell import TRACE
from kernels.kinetics import FARADAY
from kernels.protocol import CURRENT, NONE, POWER, VALUES, VOLTAGE
from kernels.status import OK

LANES = parameters.LANES

#: round numbers of a 5 A h cell: graphite, layered oxide, 25 degC
PARAMETERS = {
    "negative_electrode_thickness": 80e-6,
    "separator_thickness": 15e-6,
    "positive_electrode_thickness": 70e-6,
    "electrode_area": 0.11,
    "negative_particle_radius": 5e-6,
    "positive_particle_radius": 4e-6,
    "negative_active_material_fraction": 0.65,
    "positive_active_material_fraction": 0.6,
    "negative_porosity": 0.3,
    "separator_porosity": 0.45,
    "positive_porosity": 0.32,
    "negative_bruggeman_electrolyte": 1.5,
    "separator_bruggeman_electrolyte": 1.5,
    "positive_bruggeman_electrolyte": 1.5,
    "negative_bruggeman_electrode": 0.0,
    "positive_bruggeman_electrode": 0.0,
    "negative_conductivity": 200.0,
    "positive_conductivity": 0.5,
    "current_collector_resistance": 0.0,
    "contact_resistance": 1e-3,
    "negative_maximum_concentration": 31000.0,
    "positive_maximum_concentration": 52000.0,
    "electrolyte_concentration": 1000.0,
    "negative_diffusivity": 4e-14,
    "negative_diffusivity_activation": 25e3,
    "positive_diffusivity": 1e-14,
    "positive_diffusivity_activation": 15e3,
    "negative_exchange_current": 4.0,
    "negative_exchange_current_activation": 35e3,
    "negative_exchange_current_order": 0.5,
    "positive_exchange_current": 5.0,
    "positive_exchange_current_activation": 20e3,
    "positive_exchange_current_order": 0.5,
    "reference_electrolyte_concentration": 1000.0,
    "electrolyte_diffusivity": 2.5e-10,
    "electrolyte_diffusivity_activation": 17e3,
    "electrolyte_conductivity": 1.0,
    "electrolyte_conductivity_activation": 17e3,
    "transference_number": 0.26,
    "thermodynamic_factor": 1.5,
    "heat_capacity": 60.0,
    "cooling": 0.05,
    "ambient_temperature": 298.15,
    "initial_temperature": 298.15,
    "reference_temperature": 298.15,
    "sei_prefactor": 1.5,
    "sei_transfer": 0.5,
    "sei_open_circuit_potential": 0.0,
    "sei_barrier": 2.5e8,
    "sei_reaction_resistance": 1.0,
    "sei_slowing": 0.0,
    "sei_transport_resistance": 0.0,
    "sei_migration": 0.0,
    "sei_film_drop": 0.0,
    "sei_resistivity": 2e5,
    "sei_molar_volume": 1.5e-5,
    "sei_lithium_ratio": 1.0,
    "sei_activation": 30e3,
    "sei_initial_thickness": 1e-10,
    # no unpassivated surface
    "new_surface_stoichiometry": 0.0,
    "shuttle_current": 0.0,
    "shuttle_potential": 4.25,
    "shuttle_width": 0.03,
    "oxidation_current": 0.0,
    "oxidation_potential": 4.4,
    "oxidation_width": 0.1,
    "oxidation_activation": 40e3,
    "unpassivated_current": 0.0,
    "passivation_charge": 0.0,
    "healing_time": 3600.0,
    "healing_activation": 35e3,
    "storage_rate": 0.0,
    "storage_activation": 45e3,
    "storage_capacity": 500.0,
    "negative_stoichiometry": 0.01,
    "positive_stoichiometry": 0.96,
    # no second material
    "second_active_material_fraction": 0.0,
    "second_particle_radius": 1.5e-6,
    "second_maximum_concentration": 278000.0,
    "second_diffusivity": 2e-14,
    "second_diffusivity_activation": 0.0,
    "second_exchange_current": 0.6,
    "second_exchange_current_activation": 35e3,
    "second_exchange_current_order": 0.5,
    "second_stoichiometry": 0.01,
}
PARAMETERS |= {f"second_{row}": value for row, value in PARAMETERS.items() if "sei_" in row}
#: SEI laws of unlike form: what they change of the above
LAWS = {
    "tunnelling limited": {},
    "ec reaction limited": {
        "sei_prefactor": FARADAY * 4541.0 * 1e-13,
        "sei_open_circuit_potential": 0.4,
        "sei_barrier": 0.0,
        "sei_slowing": 1e-13 / 1e-18,
        "sei_film_drop": 1.0,
    },
    "interstitial-diffusion limited": {
        "sei_prefactor": FARADAY * 15.0 * 1e-15,
        "sei_transfer": 1.0,
        "sei_barrier": 0.0,
        "sei_reaction_resistance": 0.0,
        "sei_transport_resistance": 1.0,
    },
}
NO_SEI = {"sei_prefactor": 0.0, "sei_resistivity": 0.0}
NO_HEAT = {"cooling": 1e5}  # W K-1: the cell stays at ambient temperature

#: V over stoichiometry, with their derivatives and antiderivatives
NEGATIVE = (
    lambda x: 0.08 + 0.9 * np.exp(-20 * x) + 0.08 * (1 - x),
    lambda x: -18.0 * np.exp(-20 * x) - 0.08,
    lambda x: 0.16 * x - 0.045 * np.exp(-20 * x) - 0.04 * x**2,
)
POSITIVE = (
    lambda y: 4.6 - 1.1 * y + 0.1 * np.cos(5 * y),
    lambda y: -1.1 - 0.5 * np.sin(5 * y),
    lambda y: 4.6 * y - 0.55 * y**2 + 0.02 * np.sin(5 * y),
)


def smooth_tables(
    negative: tuple = NEGATIVE, positive: tuple = POSITIVE, entropic: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return the tables and which of them are flat; potentials are (function, derivative)."""
    grid = np.linspace(0.0, 1.0, tables.INTERVALS + 1)
    level, ones = np.zeros_like(grid), np.ones_like(grid)
    table = np.stack([tables.hermite_table(ones, level)] * len(tables.NAMES))
    flat = np.ones(len(tables.NAMES), dtype=bool)
    for which, (function, derivative, *_) in ((tables.U_N, negative), (tables.U_P, positive)):
        table[which] = tables.hermite_table(function(grid), derivative(grid))
        flat[which] = False
    for which in (tables.DUDT_N, tables.DUDT_P):
        table[which] = tables.hermite_table(entropic * ones, level)
        flat[which] = entropic == 0.0
    return table, flat


TABLES = smooth_tables()


@dataclass(frozen=True)
class Step:
    """A protocol step in numbers: A (discharge positive), V or W, and its limits."""

    kind: int
    setpoint: float = 0.0
    voltage_limit: float = NONE
    current_limit: float = NONE
    duration: float = NONE
    charge: float = NONE
    cycle: int = 0

    @property
    def values(self) -> tuple[float, ...]:
        return tuple(getattr(self, name) for name in VALUES)


def current(
    amperes: float,
    until: float = NONE,
    duration: float = NONE,
    charge: float = NONE,
    cycle: int = 0,
) -> Step:
    """A constant current, positive on discharge, until a voltage."""
    return Step(CURRENT, amperes, until, NONE, duration, charge, cycle)


def hold(
    volts: float,
    until: float = NONE,
    duration: float = NONE,
    charge: float = NONE,
    cycle: int = 0,
) -> Step:
    """A constant voltage, until a magnitude of the current."""
    return Step(VOLTAGE, volts, NONE, until, duration, charge, cycle)


def power(
    watts: float,
    until: float = NONE,
    duration: float = NONE,
    charge: float = NONE,
    cycle: int = 0,
) -> Step:
    """A constant power, positive on discharge, until a voltage."""
    return replace(current(watts, until, duration, charge, cycle), kind=POWER)


def rest(duration: float, cycle: int = 0) -> Step:
    """No current."""
    return Step(CURRENT, duration=duration, cycle=cycle)


#: two cycles at C/5 and C/2.5
FORMATION = (
    current(-1.0, until=4.2),
    hold(4.2, until=0.25),
    rest(3600.0),
    current(1.0, until=3.0),
    rest(1800.0),
    current(-2.0, until=4.2, cycle=1),
    hold(4.2, until=0.25, cycle=1),
    rest(3600.0, cycle=1),
    current(2.0, until=3.0, cycle=1),
    rest(1800.0, cycle=1),
)


@dataclass(frozen=True)
class Result:
    """What the kernels returned; SI."""

    status: np.ndarray  # (cases,)
    charge_in: np.ndarray  # (cycles, cases)
    charge_out: np.ndarray
    energy_in: np.ndarray
    energy_out: np.ndarray
    summary: Mapping[str, np.ndarray]  # (cases,)

    def __getitem__(self, name: str) -> np.ndarray:
        return self.summary[name]

    @property
    def outputs(self) -> np.ndarray:
        """Everything but the status, (rows, cases)."""
        sums = np.concatenate([self.charge_in, self.charge_out, self.energy_in, self.energy_out])
        return np.concatenate([sums, np.array(list(self.summary.values()))])


Name = str | tuple[int, str]  # a row of the parameters, or (step, a value of it)


def form(
    steps: Sequence[Step] = FORMATION,
    over: Mapping[Name, object] | None = None,
    *,
    tabulated: tuple[np.ndarray, np.ndarray] = TABLES,
    law: str = "tunnelling limited",
    tolerance: float = 1.0,
    **changed: float,
) -> Result:
    """March the cell of PARAMETERS, with some `changed`; `over` gives values case by case."""
    over = over or {}
    base = _base(steps, LAWS[law] | changed)
    columns = np.array([_column(name) for name in over], dtype=np.int64)
    own = np.array(np.broadcast_arrays(*map(np.atleast_1d, over.values())), dtype=float)
    own = own.reshape(len(over), -1) if over else np.empty((0, 1))
    kinds, cycles = _arrays(steps)
    cases = own.shape[1]
    module = kernels_for(base, columns, tabulated[1])
    per_cycle = np.empty((4, cycles.max() + 1, cases))
    summary = np.empty((len(module.SUMMARY), cases))
    status = np.empty(cases, dtype=np.int8)
    with np.errstate(all="ignore"):  # plain NumPy warns where compiled code does not
        module.sweep(
            base, columns, own, *tabulated, kinds, cycles, tolerance, per_cycle, summary,
            status,
        )  # fmt: skip
    return Result(status, *per_cycle, dict(zip(module.SUMMARY, summary, strict=True)))


def trace(
    steps: Sequence[Step] = FORMATION,
    *,
    tabulated: tuple[np.ndarray, np.ndarray] = TABLES,
    law: str = "tunnelling limited",
    tolerance: float = 1.0,
    **changed: float,
) -> dict[str, np.ndarray]:
    """Return the course of one case by column name."""
    rows = np.empty((20_000, len(TRACE)))
    with np.errstate(all="ignore"):
        base = _base(steps, LAWS[law] | changed)
        module = kernels_for(base, np.empty(0, dtype=np.int64), tabulated[1])
        count, status = module.trace(base, *tabulated, *_arrays(steps), tolerance, rows)
    if status != OK or count == len(rows):
        raise RuntimeError(f"the case ended with status {status} after {count} rows")
    return dict(zip(TRACE, rows[:count].T, strict=True))


def capacities(**changed: float) -> tuple[float, float]:
    """Charge of the negative and the positive electrode between empty and full [C]."""
    p = PARAMETERS | changed
    return tuple(
        FARADAY
        * p["electrode_area"]
        * p[f"{side}_electrode_thickness"]
        * p[f"{side}_active_material_fraction"]
        * p[f"{side}_maximum_concentration"]
        for side in ("negative", "positive")
    )


def _base(steps: Sequence[Step], changed: Mapping[str, float]) -> np.ndarray:
    rows = PARAMETERS | changed
    if len(rows) > len(PARAMETERS):
        raise KeyError(f"no parameters of the kernels: {set(changed) - set(PARAMETERS)}")
    values = [value for step in steps for value in step.values]
    return np.array([rows[name] for name in parameters.NAMES] + values)


def _column(name: Name) -> int:
    if isinstance(name, str):
        return parameters.NAMES.index(name)
    step, value = name
    return parameters.COUNT + step * len(VALUES) + VALUES.index(value)


def _arrays(steps: Sequence[Step]) -> tuple[np.ndarray, np.ndarray]:
    return (
        np.array([step.kind for step in steps], dtype=np.int64),
        np.array([step.cycle for step in steps], dtype=np.int64),
    )
