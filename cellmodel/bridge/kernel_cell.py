"""From a PyBaMM parameter set to what the kernels take: tables of its functions and one number per kernel row.

Functions are evaluated, never copied: any lithium-ion set will do whose exchange currents are those of symmetric
Butler-Volmer kinetics and whose transport properties depend on temperature as Arrhenius says. Both are measured here,
over the range of the tables, and a set that departs is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass

import numpy as np
import pybamm

from cellmodel.errors import InputError, unknown_name
from kernels import parameters, sei, tables
from kernels.kinetics import GAS

TEMPERATURES = np.array([263.15, 283.15, 313.15, 333.15])  # K, where the Arrhenius law is compared
SALT = np.array([300.0, 700.0, 1500.0, 2500.0])  # mol m-3, where the order in salt is compared
STOICHIOMETRIES = np.array([0.05, 0.2, 0.5, 0.8, 0.95])
AGREEMENT = 1e-6  # relative, of a function with the form the kernels assume
SLOPE_STEP = 1e-5  # of the position, for slopes by central differences

Number = float | np.ndarray
Read = Callable[[str], Number]


@dataclass(frozen=True)
class KernelCell:
    """A cell as the kernels see it.

    Parameters
    ----------
    tables : array, shape (len(kernels.tables.NAMES), INTERVALS, 4)
    flat : bool array, shape (len(kernels.tables.NAMES),), True where a table is constant and need not be read
    sei_law : index into kernels.sei.LAWS
    numbers : PyBaMM name -> value of every scalar the rows are made of
    measured : kernel row -> what was measured on the set's functions: activation energies, orders, factors
    """

    tables: np.ndarray
    flat: np.ndarray
    sei_law: int
    numbers: Mapping[str, float]
    measured: Mapping[str, float]

    def rows(self, own: Mapping[str, Number]) -> dict[str, Number]:
        """Return every kernel row, as arrays where it depends on one of `own` (PyBaMM name -> values)."""

        def read(name: str) -> Number:
            return own[name] if name in own else self.numbers[name]

        measured = dict(self.measured)
        for side in ("negative", "positive"):
            name = f"Maximum concentration in {side} electrode [mol.m-3]"
            power = measured.pop(f"{side}_exchange_current_power")
            if name in own:
                measured[f"{side}_exchange_current"] *= (own[name] / self.numbers[name]) ** power
        return {row: function(read) for row, function in ROWS.items()} | measured


def _electrode(side: str) -> dict[str, Callable[[Read], Number]]:
    Side = side.capitalize()
    return {
        f"{side}_electrode_thickness": lambda p: p(f"{Side} electrode thickness [m]"),
        f"{side}_particle_radius": lambda p: p(f"{Side} particle radius [m]"),
        f"{side}_active_material_fraction": lambda p: p(f"{Side} electrode active material volume fraction"),
        f"{side}_porosity": lambda p: p(f"{Side} electrode porosity"),
        f"{side}_bruggeman_electrolyte": lambda p: p(f"{Side} electrode Bruggeman coefficient (electrolyte)"),
        f"{side}_bruggeman_electrode": lambda p: p(f"{Side} electrode Bruggeman coefficient (electrode)"),
        f"{side}_conductivity": lambda p: p(f"{Side} electrode conductivity [S.m-1]"),
        f"{side}_maximum_concentration": lambda p: p(f"Maximum concentration in {side} electrode [mol.m-3]"),
        f"{side}_diffusivity": lambda p: p(f"{Side} particle diffusivity [m2.s-1]"),
    }


def _heat_capacity(p: Read) -> Number:
    layers = ("Negative current collector", "Negative electrode", "Separator", "Positive electrode", "Positive current collector")
    per_area = sum(
        p(f"{layer} thickness [m]") * p(f"{layer} density [kg.m-3]") * p(f"{layer} specific heat capacity [J.kg-1.K-1]")
        for layer in layers
    )
    return p("Cell volume [m3]") * per_area / sum(p(f"{layer} thickness [m]") for layer in layers)


def _collectors(p: Read) -> Number:
    return sum(
        p(f"{side} current collector thickness [m]") / p(f"{side} current collector conductivity [S.m-1]")
        for side in ("Negative", "Positive")
    )


#: kernel row -> PyBaMM numbers; the rest of the rows is measured on the set's functions
ROWS: dict[str, Callable[[Read], Number]] = {
    **_electrode("negative"),
    **_electrode("positive"),
    "separator_thickness": lambda p: p("Separator thickness [m]"),
    "separator_porosity": lambda p: p("Separator porosity"),
    "separator_bruggeman_electrolyte": lambda p: p("Separator Bruggeman coefficient (electrolyte)"),
    "electrode_area": lambda p: p("Electrode width [m]")
    * p("Electrode height [m]")
    * p("Number of electrodes connected in parallel to make a cell"),
    "current_collector_resistance": _collectors,
    "contact_resistance": lambda p: p("Contact resistance [Ohm]"),
    "electrolyte_concentration": lambda p: p("Initial concentration in electrolyte [mol.m-3]"),
    "electrolyte_diffusivity": lambda p: p("Electrolyte diffusivity [m2.s-1]"),
    "electrolyte_conductivity": lambda p: p("Electrolyte conductivity [S.m-1]"),
    "transference_number": lambda p: p("Cation transference number"),
    "thermodynamic_factor": lambda p: p("Thermodynamic factor"),
    "heat_capacity": _heat_capacity,
    "cooling": lambda p: p("Total heat transfer coefficient [W.m-2.K-1]") * p("Cell cooling surface area [m2]"),
    "ambient_temperature": lambda p: p("Ambient temperature [K]"),
    "initial_temperature": lambda p: p("Initial temperature [K]"),
    "reference_temperature": lambda p: p("Reference temperature [K]"),
    "sei_kinetic_rate": lambda p: p("SEI kinetic rate constant [m.s-1]"),
    "sei_solvent_concentration": lambda p: p("EC initial concentration in electrolyte [mol.m-3]"),
    "sei_solvent_diffusivity": lambda p: p("EC diffusivity [m2.s-1]"),
    "sei_open_circuit_potential": lambda p: p("SEI open-circuit potential [V]"),
    "sei_exchange_current": lambda p: p("SEI reaction exchange current density [A.m-2]"),
    "sei_tunnelling_barrier": lambda p: p("Tunneling barrier factor [m-1]"),
    "sei_resistivity": lambda p: p("SEI resistivity [Ohm.m]"),
    "sei_molar_volume": lambda p: p("SEI partial molar volume [m3.mol-1]"),
    "sei_lithium_ratio": lambda p: p("Ratio of lithium moles to SEI moles"),
    "sei_activation": lambda p: p("SEI growth activation energy [J.mol-1]"),
    "sei_initial_thickness": lambda p: p("Initial SEI thickness [m]"),
}
#: numbers that one of the two laws does not use and a set may lack
_UNUSED = {
    "tunnelling limited": {"SEI kinetic rate constant [m.s-1]", "EC initial concentration in electrolyte [mol.m-3]",
                           "EC diffusivity [m2.s-1]", "SEI open-circuit potential [V]"},
    "ec reaction limited": {"SEI reaction exchange current density [A.m-2]", "Tunneling barrier factor [m-1]"},
}  # fmt: skip
_TYPICAL = {"EC diffusivity [m2.s-1]": 1e-20}  # what must not be zero even where it is not used
#: functions of a set; the kernels take them as a factor (the row) times a shape (the table)
_FUNCTIONS = (
    "Negative particle diffusivity [m2.s-1]", "Positive particle diffusivity [m2.s-1]",
    "Electrolyte diffusivity [m2.s-1]", "Electrolyte conductivity [S.m-1]", "Cation transference number", "Thermodynamic factor",
)  # fmt: skip


def names() -> set[str]:
    """Return the PyBaMM names of all numbers that may differ from case to case."""
    read: set[str] = set()

    def note(name: str) -> float:
        read.add(name)
        return 1.0

    for function in ROWS.values():
        function(note)
    return read - {"Reference temperature [K]"}


def kernel_cell(values: pybamm.ParameterValues, sei_law: str, stoichiometries: tuple[float, float], own: Set[str] = frozenset()) -> KernelCell:
    """Tabulate the functions of a parameter set.

    Parameters
    ----------
    values : the set, complete for SPMe with lumped heat and the SEI law
    sei_law : PyBaMM's option string, one of kernels.sei.LAWS
    stoichiometries : of the fresh negative and positive electrode
    own : PyBaMM names that will differ from case to case; where the set has a function, a number takes its place

    Raises
    ------
    InputError
        If a name is not a kernel input, or a function of the set does not have the form the kernels assume.
    """
    for name in own:
        if name not in names():
            raise unknown_name("parameter of the kernels", name, names())
    if sei_law not in sei.LAWS:
        raise unknown_name("SEI growth law of the kernels", sei_law, sei.LAWS)
    values = values.copy()
    values.update({name: 1.0 for name in own if name in values and not isinstance(values[name], int | float)})
    reader = _Functions(values)
    numbers = {}
    for name in names() | {"Reference temperature [K]"}:
        if name in _FUNCTIONS:
            numbers[name] = 1.0  # set below
        elif name in _UNUSED[sei_law] and name not in values:
            numbers[name] = _TYPICAL.get(name, 0.0)
        elif name == "Contact resistance [Ohm]" and name not in values:
            numbers[name] = 0.0
        else:
            numbers[name] = reader.number(name)

    table = np.zeros((len(tables.NAMES), tables.INTERVALS, 5))
    flat = np.zeros(len(tables.NAMES), dtype=bool)
    measured: dict[str, float] = {"negative_stoichiometry": stoichiometries[0], "positive_stoichiometry": stoichiometries[1]}
    salt = numbers["Initial concentration in electrolyte [mol.m-3]"]
    measured["reference_electrolyte_concentration"] = salt

    def tabulate(which: int, function: Callable[[np.ndarray], np.ndarray], constant: float | None = None) -> None:
        table[which] = _table(function)
        flat[which] = constant is not None and bool(np.all(np.abs(function(np.linspace(0, 1, 41)) - constant) <= 1e-12))

    for index, side in enumerate(("negative", "positive")):
        tabulate((tables.U_N, tables.U_P)[index], lambda s, side=side: reader.potential(side, s))
        tabulate((tables.DUDT_N, tables.DUDT_P)[index], lambda s, side=side: reader.entropic(side, s), 0.0)
        # solid diffusion
        name = f"{side.capitalize()} particle diffusivity [m2.s-1]"
        D = reader.diffusivity
        numbers[name] = float(D(side, 0.5, reader.T_ref))
        measured[f"{side}_diffusivity_activation"] = _activation(
            lambda s, T, side=side: D(side, s, T), STOICHIOMETRIES, reader.T_ref, name
        )
        tabulate((tables.SHAPE_D_N, tables.SHAPE_D_P)[index], lambda s, side=side, name=name: D(side, s, reader.T_ref) / numbers[name], 1.0)
        # exchange current: factor * sqrt(s (1 - s)) * shape(s) * (c_e / c_ref)^order * Arrhenius
        name = f"{side.capitalize()} electrode exchange-current density [A.m-2]"
        j0 = reader.exchange_current
        factor = 2.0 * float(j0(side, 0.5, salt, reader.T_ref))
        measured[f"{side}_exchange_current"] = factor
        measured[f"{side}_exchange_current_activation"] = _activation(
            lambda s, T, side=side: j0(side, s, salt, T), STOICHIOMETRIES, reader.T_ref, name
        )
        measured[f"{side}_exchange_current_order"] = _order(
            lambda c, s, side=side: j0(side, s, c, reader.T_ref), SALT, salt, name, "salt concentration"
        )
        maximum = f"Maximum concentration in {side} electrode [mol.m-3]"
        measured[f"{side}_exchange_current_power"] = (
            _order(lambda c, s, side=side: reader.exchange_current_at(side, s, salt, c), numbers[maximum] * np.array([0.9, 1.1]),
                   numbers[maximum], name, "maximum concentration")
            if maximum in own
            else 0.0
        )  # fmt: skip

        def shape(s: np.ndarray, side: str = side, factor: float = factor) -> np.ndarray:
            s = np.clip(s, 1e-3, 1 - 1e-3)  # PyBaMM rounds the roots off below; the particle is as good as empty there
            return j0(side, s, salt, reader.T_ref) / (factor * np.sqrt(s * (1 - s)))

        tabulate((tables.SHAPE_J_N, tables.SHAPE_J_P)[index], shape)
        flat[(tables.SHAPE_J_N, tables.SHAPE_J_P)[index]] = bool(np.all(np.abs(shape(np.linspace(0, 1, 41)) - 1) < 1e-5))

    # electrolyte, over concentration / CONCENTRATION_LIMIT
    for which, name, row, activated in (
        (tables.SHAPE_D_E, "Electrolyte diffusivity [m2.s-1]", "electrolyte_diffusivity_activation", True),
        (tables.SHAPE_KAPPA, "Electrolyte conductivity [S.m-1]", "electrolyte_conductivity_activation", True),
        (tables.SHAPE_TDF, "Thermodynamic factor", "", False),
        (tables.SHAPE_T_PLUS, "Cation transference number", "", False),
    ):

        def f(c: Number, T: float = reader.T_ref, name: str = name) -> np.ndarray:
            return reader.electrolyte(name, c, T)

        numbers[name] = float(f(salt))
        energy = _activation(f, SALT, reader.T_ref, name)
        if activated:
            measured[row] = energy
        elif abs(energy) > 1.0:
            raise InputError(f"{name} must not depend on temperature for the kernels, got an activation energy of {energy:.0f} J/mol")
        tabulate(which, lambda p, f=f, name=name: f(p * tables.CONCENTRATION_LIMIT) / numbers[name], 1.0)

    return KernelCell(table, flat, sei.LAWS.index(sei_law), numbers, measured)


def _table(function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    grid = np.linspace(0.0, 1.0, tables.INTERVALS + 1)
    low, high = np.clip(grid - SLOPE_STEP, 0, 1), np.clip(grid + SLOPE_STEP, 0, 1)
    values, slopes = function(grid), (function(high) - function(low)) / (high - low)
    # PyBaMM's potentials climb by a volt within the first and last interval: keep the cubic there from swinging over
    for i, chord in ((0, values[1] - values[0]), (-1, values[-1] - values[-2])):
        steepest = 3.0 * chord * tables.INTERVALS
        slopes[i] = np.clip(slopes[i], min(0.0, steepest), max(0.0, steepest))
    return tables.hermite_table(values, slopes)


def _activation(function: Callable[[Number, float], np.ndarray], at: np.ndarray, T_ref: float, name: str) -> float:
    """Activation energy [J mol-1] of function(at, T), after comparing it with the Arrhenius law."""
    reference = function(at, T_ref)
    z = (1.0 / T_ref - 1.0 / TEMPERATURES) / GAS
    logs = np.array([np.log(function(at, T) / reference) for T in TEMPERATURES])
    energy = float(logs[-1].mean() / z[-1])
    departure = float(np.abs(np.exp(logs - energy * z[:, None]) - 1.0).max())
    if not departure < AGREEMENT:
        raise InputError(
            f"{name} must follow one Arrhenius law for the kernels, but departs from it by {departure:.1e} between "
            f"{TEMPERATURES[0]:g} and {TEMPERATURES[-1]:g} K; use simulate_formation, or replace it by a number"
        )
    return energy


def _order(function: Callable[[float, np.ndarray], np.ndarray], at: np.ndarray, reference: float, name: str, variable: str) -> float:
    """Power of one variable in function(variable, stoichiometry), after comparing it with a power law."""
    base = function(reference, STOICHIOMETRIES)
    logs = np.array([np.log(function(float(c), STOICHIOMETRIES) / base) for c in at])
    distance = np.log(at / reference)
    power = float(logs[-1].mean() / distance[-1])
    departure = float(np.abs(np.exp(logs - power * distance[:, None]) - 1.0).max())
    if not departure < 1e-4:  # PyBaMM's rounded square roots depart by 1e-5
        raise InputError(f"{name} must be a power of the {variable} for the kernels, but departs from one by {departure:.1e}")
    return power


class _Functions:
    """Evaluates the functions of a parameter set through PyBaMM's own parameter classes."""

    def __init__(self, values: pybamm.ParameterValues):
        self.values = values
        self.param = pybamm.LithiumIonParameters()
        self.T_ref = float(values["Reference temperature [K]"])

    def _evaluate(self, symbol: pybamm.Symbol, shape: tuple[int, ...], values: pybamm.ParameterValues | None = None) -> np.ndarray:
        result = np.asarray((values or self.values).process_symbol(symbol).evaluate(), dtype=float)
        return np.broadcast_to(result.reshape(-1), (int(np.prod(shape)),)).reshape(shape) if shape else result.reshape(-1)[0]

    def _side(self, side: str):
        return self.param.n.prim if side == "negative" else self.param.p.prim

    def number(self, name: str) -> float:
        """A scalar of the set; a function is accepted if it is the same everywhere we look."""
        if name not in self.values:
            raise InputError(f"the kernels need '{name}', which the parameter set does not have; give the cell this parameter")
        value = self.values[name]
        if isinstance(value, int | float):
            return float(value)
        results = {float(pybamm.ParameterValues({}).process_symbol(pybamm.Scalar(0) + value(*a)).evaluate())
                   for a in ((pybamm.Scalar(283.15),), (pybamm.Scalar(323.15),))} if callable(value) else set()  # fmt: skip
        if len(results) != 1:
            raise InputError(f"'{name}' must be a constant for the kernels, but the parameter set has a function; replace it by a number")
        return results.pop()

    def potential(self, side: str, s: np.ndarray) -> np.ndarray:
        return self._evaluate(self._side(side).U(pybamm.Vector(s), pybamm.Scalar(self.T_ref)), s.shape)

    def entropic(self, side: str, s: np.ndarray) -> np.ndarray:
        return self._evaluate(self._side(side).dUdT(pybamm.Vector(np.clip(s, 1e-6, 1 - 1e-6))), s.shape)

    def diffusivity(self, side: str, s: Number, T: float) -> np.ndarray:
        s = np.asarray(s, dtype=float)
        c = pybamm.Vector(np.atleast_1d(s)) * self._side(side).c_max
        return self._evaluate(self._side(side).D(c, pybamm.Scalar(T)), s.shape)

    def exchange_current(self, side: str, s: Number, salt: float, T: float, values: pybamm.ParameterValues | None = None) -> np.ndarray:
        s = np.asarray(s, dtype=float)
        c = pybamm.Vector(np.atleast_1d(s)) * self._side(side).c_max
        return self._evaluate(self._side(side).j0(pybamm.Scalar(salt), c, pybamm.Scalar(T)), s.shape, values)

    def exchange_current_at(self, side: str, s: Number, salt: float, maximum: float) -> np.ndarray:
        values = self.values.copy()
        values.update({f"Maximum concentration in {side} electrode [mol.m-3]": maximum})
        return self.exchange_current(side, s, salt, self.T_ref, values)

    def electrolyte(self, name: str, c: Number, T: float) -> np.ndarray:
        c = np.asarray(c, dtype=float)
        symbol = {
            "Electrolyte diffusivity [m2.s-1]": self.param.D_e,
            "Electrolyte conductivity [S.m-1]": self.param.kappa_e,
            "Thermodynamic factor": self.param.thermodynamic_factor,
            "Cation transference number": self.param.t_plus,
        }[name](pybamm.Vector(np.atleast_1d(c)), pybamm.Scalar(T))
        return self._evaluate(symbol, c.shape)


assert set(ROWS) | {
    "negative_stoichiometry", "positive_stoichiometry", "reference_electrolyte_concentration",
    "electrolyte_diffusivity_activation", "electrolyte_conductivity_activation",
    *(f"{side}_{row}" for side in ("negative", "positive") for row in
      ("diffusivity_activation", "exchange_current", "exchange_current_activation", "exchange_current_order")),
} == set(parameters.NAMES)  # fmt: skip
