"""Candidate cells: a PyBaMM parameter set, what we put on top of it, and the fresh state."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from cellmodel.errors import InputError, quoted, unknown_name
from cellmodel.parameter_name import parameter_range, unit_of
from cellmodel.quantity import (
    Quantity,
    Range,
    check_keys,
    read_input,
    read_quantity,
    shipped,
    text,
)
from cellmodel.unpassivated_surface import NAME as UNPASSIVATED_SURFACE
from cellmodel.unpassivated_surface import PARAMETERS as UNPASSIVATED_PARAMETERS

#: models of what happens in formation besides SEI growth -> parameters that each needs
FORMATION_MODELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"none": (), UNPASSIVATED_SURFACE: tuple(UNPASSIVATED_PARAMETERS)}
)
#: parameter sets of our own (bridge.sets) -> the set of PyBaMM that lends them what they lack
OWN_SETS: Mapping[str, str] = MappingProxyType(
    {
        "Chayambuka2022ToTheEnds": "Chayambuka2022",
        "Cui2024": "Mohtat2020",
        "Weng2021": "Mohtat2020",
    }
)
#: sets whose source counts lithium in the positive electrode from this stoichiometry on, where the
#: half cell's window ends; the others count all of it
INVENTORY_ORIGINS: Mapping[str, float] = MappingProxyType({"Cui2024": 0.25})
#: PyBaMM's SEI growth laws, by its option strings -> the parameter that sets the rate of each
SEI_LAWS: Mapping[str, str] = MappingProxyType(
    {
        "reaction limited": "SEI reaction exchange current density [A.m-2]",
        "reaction limited (asymmetric)": "SEI reaction exchange current density [A.m-2]",
        "solvent-diffusion limited": "SEI solvent diffusivity [m2.s-1]",
        "electron-migration limited": "SEI electron conductivity [S.m-1]",
        "interstitial-diffusion limited": "SEI lithium interstitial diffusivity [m2.s-1]",
        "ec reaction limited": "SEI kinetic rate constant [m.s-1]",
        "ec reaction limited (asymmetric)": "SEI kinetic rate constant [m.s-1]",
        "tunnelling limited": "SEI reaction exchange current density [A.m-2]",
    }
)
SHORT = 12  # digits of a cell's fingerprint
_FRACTION = Range(0, 1, "1", above=True, below=True)


@dataclass(frozen=True)
class Cell:
    """A candidate cell, never charged.

    Parameters
    ----------
    name, title, source
        File stem, one line for people, where the cell is described.
    parameter_set
        Name of the PyBaMM parameter set, "OKane2022", of one of ours, "Cui2024", or of the BPX
        file in its place.
    parameters
        PyBaMM name -> Quantity: overrides of the set, and numbers it lacks, with their donor.
    sei
        SEI growth law, PyBaMM's option string, one of SEI_LAWS.
    negative_stoichiometry, positive_stoichiometry
        Of the fresh cell: negative electrode empty, positive full [1].
    first_cycle_efficiency
        Measured value to which the SEI rate was calibrated [1]; None where it was not, as of a cell
        fitted to formations.
    calibration
        "protocol" under which, and "parameter" with which it was; empty where it was not.
    materials
        What the bill of materials needs.
    formation
        What happens in formation besides SEI growth, one of FORMATION_MODELS.
    assumptions
        What is assumed or stands for something else and is no number of ours -> how: functions of
        the set ("Positive electrode OCP [V]"), substances.
    bpx
        Text of the BPX file that takes the place of PyBaMM's set, "" if none does.
    """

    name: str
    title: str
    source: str
    parameter_set: str
    parameters: Mapping[str, Quantity]
    sei: str
    negative_stoichiometry: Quantity
    positive_stoichiometry: Quantity
    first_cycle_efficiency: Quantity | None
    calibration: Mapping[str, str]
    materials: Mapping[str, Quantity | str] = field(default_factory=lambda: MappingProxyType({}))
    formation: str = "none"
    assumptions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    bpx: str = field(default="", repr=False)

    @property
    def quantities(self) -> Mapping[str, Quantity]:
        """Every number of ours but those of the materials."""
        entries = {
            "negative stoichiometry, fresh": self.negative_stoichiometry,
            "positive stoichiometry, fresh": self.positive_stoichiometry,
            "first-cycle efficiency, target": self.first_cycle_efficiency,
            **self.parameters,
        }
        return {name: entry for name, entry in entries.items() if entry is not None}

    @property
    def physics(self) -> str:
        """What is modelled besides electrodes and electrolyte, in words."""
        formation = "" if self.formation == "none" else f", {self.formation}"
        return f"{self.sei} SEI, lumped thermal{formation}"

    @property
    def inventory_origin(self) -> float:
        """Stoichiometry of the positive electrode from which its lithium counts [1]."""
        return INVENTORY_ORIGINS.get(self.parameter_set, 0.0)

    def parameter(self, name: str) -> float:
        """Return a number of the cell.

        Parameters
        ----------
        name
            In PyBaMM's spelling, "Positive electrode thickness [m]".

        Returns
        -------
        float
            In the unit that the name states; overrides come before the set.

        Raises
        ------
        InputError
            If neither the cell nor its set has a number of this name.
        """
        if name in self.parameters:
            return self.parameters[name].value
        from cellmodel.bridge.parameter_values import parameter  # imports PyBaMM

        return parameter(self, name)

    def fingerprint(self, swept: Iterable[str] = ()) -> str:
        """Return a short hash of all that is simulated of the cell, whatever it is called.

        Parameters
        ----------
        swept
            Names of parameters that do not count, because they vary.
        """
        from cellmodel.fingerprint import fingerprint  # imports xarray

        numbers = {n: entry.value for n, entry in self.parameters.items() if n not in set(swept)}
        fresh = self.negative_stoichiometry.value, self.positive_stoichiometry.value
        texts = self.parameter_set, self.bpx, self.sei, self.formation
        return fingerprint(numbers, fresh, texts)[:SHORT]

    def replace_parameters(self, values: Mapping[str, float | Quantity]) -> Cell:
        """Return the cell with other numbers.

        Parameters
        ----------
        values
            PyBaMM name -> number in the unit that the name states, or Quantity.

        Raises
        ------
        InputError
            If a name is unknown, belongs to another input, or a number is out of range.
        """
        if not isinstance(values, Mapping):
            raise InputError(f"parameters must map names to numbers, got {quoted(values)}")
        parameters = dict(self.parameters)
        for name, value in values.items():
            self.check_parameter_name(name)
            quantity = value
            if not isinstance(quantity, Quantity):
                quantity = Quantity(value, unit_of(name) or "1", "set by the user")
            _check_unit(name, quantity, name)
            number = parameter_range(name).check(name, quantity.value)
            parameters[name] = dataclasses.replace(quantity, value=number)
        _check_window(parameters, self.name)
        return dataclasses.replace(self, parameters=MappingProxyType(parameters))

    def check_parameter_name(self, name: object) -> None:
        """Raise InputError unless the cell or its PyBaMM set has the parameter `name`."""
        if not isinstance(name, str):
            raise InputError(f"a parameter is named by a string, got {quoted(name)}")
        if name in self.parameters:
            return
        from cellmodel.bridge.parameter_values import parameter_names  # imports PyBaMM

        known = parameter_names(self)
        if name not in known:
            raise unknown_name(f"parameter of cell '{self.name}'", name, known)

    @property
    def origin(self) -> str:
        """Whose the parameter set is."""
        if self.bpx:
            return "a BPX file"
        donor = OWN_SETS.get(self.parameter_set)
        return f"cellmodel; what it lacks is lent by {donor} of PyBaMM" if donor else "PyBaMM"

    def provenance(self) -> list[tuple[str, float | str, str, str]]:
        """Return rows (name, value, unit, source) of everything that is ours, for people.

        A source ends in "(lent by ...)" where another set or cell lends the number, and in
        "(assumed)" where it is engineering judgement.
        """
        rows: list[tuple[str, float | str, str, str]] = [
            ("parameter set", self.parameter_set, "", self.origin),
            ("SEI law", self.sei, "", "PyBaMM"),
            ("formation model", self.formation, "", "cellmodel"),
        ]
        entries = {**self.quantities, **self.materials}
        for name, entry in entries.items():
            if isinstance(entry, Quantity):
                assumed = " (assumed)" if entry.certainty == "prior" else ""
                mark = f" (lent by {entry.donor})" if entry.donor else assumed
                rows.append((name, entry.value, entry.unit, entry.source + mark))
            else:
                why = self.assumptions.get(name)
                rows.append((name, entry, "", f"{why} (assumed)" if why else ""))
        rows += [
            (name, "assumed", "", why)
            for name, why in self.assumptions.items()
            if name not in entries
        ]
        return rows


def list_cells() -> list[str]:
    """Return the names of the cells that come with the package."""
    return list(shipped("cells"))


def load_cell(name: str | Path | Cell) -> Cell:
    """Read a cell.

    Parameters
    ----------
    name
        Name of a shipped cell, path of a .toml file or of a BPX file (.json), or a Cell, which is
        returned as it is. A .toml file may name a BPX file, from its own folder, as its
        parameter_set.

    Returns
    -------
    Cell

    Raises
    ------
    InputError
        If there is no such cell, or the file is wrong: unknown or missing keys, units, numbers
        out of range; or a BPX file lacks what cannot be assumed.
    """
    if isinstance(name, Cell):
        return name
    if isinstance(name, str | Path) and _is_bpx(str(name)):
        return _bpx_cell(Path(name))
    required = ("parameter_set", "sei", "fresh")
    optional = ("first_cycle", "parameters", "materials", "formation", "assumptions")
    path, table, texts = read_input("cells", "cell", name, required, optional)
    texts |= {key: text(table[key], f"{path}: {key}") for key in ("parameter_set", "sei")}
    if texts["sei"] not in SEI_LAWS:
        known = tuple(SEI_LAWS)
        raise InputError(f"{path}: sei must be one of {known}, got {quoted(texts['sei'])}")
    texts["formation"] = text(table.get("formation", "none"), f"{path}: formation")
    stoichiometries = ("negative_stoichiometry", "positive_stoichiometry")
    check_keys(table["fresh"], stoichiometries, f"{path}: [fresh]", required=stoichiometries)
    fresh = {
        key: read_quantity(table["fresh"][key], f"{path}: [fresh] {key}", _FRACTION)
        for key in stoichiometries
    }
    efficiency, calibration = None, {}
    if "first_cycle" in table:
        efficiency, calibration = _read_first_cycle(table["first_cycle"], f"{path}: [first_cycle]")
    parameters = _read_parameters(table.get("parameters", {}), f"{path}: [parameters]")
    materials = _read_materials(table.get("materials", {}), f"{path}: [materials]")
    assumptions = _read_assumptions(table.get("assumptions", {}), f"{path}: [assumptions]")
    if _is_bpx(texts["parameter_set"]):
        stated = _bpx_cell(path.parent / texts["parameter_set"])
        texts["bpx"] = stated.bpx
        lacking = {n: why for n, why in stated.assumptions.items() if n not in materials}
        parameters = {**stated.parameters, **parameters}
        materials = {**stated.materials, **materials}
        assumptions = {**lacking, **assumptions}
    _check_window(parameters, str(path))
    _check_formation(texts["formation"], parameters, str(path))
    return Cell(
        **texts,
        **fresh,
        parameters=MappingProxyType(parameters),
        first_cycle_efficiency=efficiency,
        calibration=MappingProxyType(calibration),
        materials=MappingProxyType(materials),
        assumptions=MappingProxyType(assumptions),
    )


def _is_bpx(name: str) -> bool:
    return name.endswith(".json")


def _bpx_cell(path: Path) -> Cell:
    from cellmodel.bridge.bpx_cell import bpx_cell  # imports PyBaMM

    return bpx_cell(path)


def _read_first_cycle(table: object, where: str) -> tuple[Quantity, dict[str, str]]:
    keys = ("efficiency", "protocol", "parameter")
    check_keys(table, keys, where, required=keys)
    efficiency = read_quantity(table["efficiency"], f"{where} efficiency", _FRACTION)
    return efficiency, {key: text(table[key], f"{where} {key}") for key in keys[1:]}


def _read_parameters(table: object, where: str) -> dict[str, Quantity]:
    if not isinstance(table, Mapping):
        raise InputError(f"{where} must be a table, got {quoted(table)}")
    parameters = {}
    for name, entry in table.items():
        here = f'{where} "{name}"'
        quantity = read_quantity(entry, here)
        _check_unit(name, quantity, here)
        parameter_range(name).check(f"{here}.value", quantity.value)
        parameters[name] = quantity
    return parameters


def _check_unit(name: str, quantity: Quantity, where: str) -> None:
    unit = unit_of(name) or "1"
    if quantity.unit != unit:
        raise InputError(f"{where}: the unit must be '{unit}', got '{quantity.unit}'")


def _read_materials(table: object, where: str) -> dict[str, Quantity | str]:
    if not isinstance(table, Mapping):
        raise InputError(f"{where} must be a table, got {quoted(table)}")
    return {
        name: text(entry, f"{where} {name}")
        if isinstance(entry, str)
        else read_quantity(entry, f"{where} {name}")
        for name, entry in table.items()
    }


def _check_formation(model: str, parameters: Mapping[str, Quantity], where: str) -> None:
    if model not in FORMATION_MODELS:
        raise unknown_name(f"formation model in {where}", model, FORMATION_MODELS)
    needed = FORMATION_MODELS[model]
    lacking = [name for name in needed if name not in parameters]
    if lacking:
        raise InputError(
            f"{where}: formation = {quoted(model)} needs the parameters {', '.join(lacking)} in "
            "[parameters]"
        )
    models = {name for names in FORMATION_MODELS.values() for name in names}
    idle = sorted(models.intersection(parameters) - set(needed))
    if idle:
        raise InputError(
            f"{where}: formation = {quoted(model)} does not read {', '.join(idle)}; remove them or "
            "name the formation model that does"
        )


def _read_assumptions(table: object, where: str) -> dict[str, str]:
    if not isinstance(table, Mapping):
        raise InputError(f"{where} must be a table, got {quoted(table)}")
    return {name: text(entry, f'{where} "{name}"') for name, entry in table.items()}


def _check_window(parameters: Mapping[str, Quantity], where: str) -> None:
    """Compare the cut-offs if the cell itself states both; the shipped sets are in order."""
    lower = parameters.get("Lower voltage cut-off [V]")
    upper = parameters.get("Upper voltage cut-off [V]")
    if lower is not None and upper is not None and not lower.value < upper.value:
        raise InputError(
            f"{where}: the lower voltage cut-off must lie below the upper, got {lower.value:g} "
            f"and {upper.value:g} V"
        )
