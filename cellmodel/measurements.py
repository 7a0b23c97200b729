"""Measured formations: a table of protocols and outcomes, checked before anything is simulated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import xarray as xr

from cellmodel.errors import InputError, quoted, unknown_name
from cellmodel.protocol import Protocol, load_protocol
from cellmodel.quantity import Range
from cellmodel.table_columns import CASE, read_columns
from cellmodel.variables import VARIABLES, cf_unit

#: what may be measured -> what its numbers may be, in the unit of the table of variables
OUTCOMES: Mapping[str, Range] = MappingProxyType(
    {
        name: Range(0, above=True)
        for name in (
            "first_charge_capacity",
            "first_discharge_capacity",
            "first_charge_energy",
            "first_discharge_energy",
            "lithium_inventory",
            "lithium_loss",
            "sei_thickness",
            "nominal_energy",
            "formation_time",
        )
    }
    | {"first_cycle_efficiency": Range(0, 1, above=True, hint="did you pass percent?")}
)
PROTOCOL, SD = "protocol", "_sd"
COUNT = "1"  # unit of a protocol variable that sets how often a cycle is run
DEFAULT_SD = 0.01  # of the mean of an outcome: 1 %, where no standard deviation is given


@dataclass(frozen=True)
class Group:
    """Cases that were formed under one protocol, in as many cycles.

    Parameters
    ----------
    protocol
        The protocol, with the number of cycles that all cases of the group share.
    rows
        Their places in the table, int array.
    variables
        Protocol variable -> its values, one per case of the group.
    """

    protocol: Protocol
    rows: np.ndarray
    variables: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Measurements:
    """A table of measured formations.

    Parameters
    ----------
    groups
        The cases by protocol.
    outcomes
        Name in OUTCOMES -> measured values, one per case; NaN where it was not measured.
    standard_deviations
        Outcome -> those of its values.
    labels
        Names or numbers of the cases.
    title
        What the table is called in sources.
    """

    groups: tuple[Group, ...]
    outcomes: Mapping[str, np.ndarray]
    standard_deviations: Mapping[str, np.ndarray]
    labels: np.ndarray
    title: str

    @property
    def size(self) -> int:
        """Number of cases."""
        return self.labels.size

    def coordinates(self) -> dict[str, xr.Variable]:
        """Return labels and protocol variables over `case`; NaN where a protocol has no such."""
        coords = {CASE: xr.Variable(CASE, self.labels)}
        protocols = np.empty(self.size, dtype=object)
        for group in self.groups:
            protocols[group.rows] = group.protocol.name
            for name, values in group.variables.items():
                variable = group.protocol.variables[name]
                attributes = {"units": cf_unit(variable.unit), "long_name": variable.description}
                if name not in coords:
                    coords[name] = xr.Variable(CASE, np.full(self.size, np.nan), attributes)
                coords[name].values[group.rows] = values
        return coords | {PROTOCOL: xr.Variable(CASE, protocols.astype(str))}

    def groups_by(self, column: str) -> np.ndarray:
        """Return the number of the group of each case, from 0.

        Parameters
        ----------
        column
            "protocol" groups what was formed in the same way, variables included; the name of a
            protocol variable groups cases that share its value.

        Raises
        ------
        InputError
            If the table has no such column, or one group only.
        """
        coords = self.coordinates()
        columns = [name for name in coords if name not in (CASE, PROTOCOL)]
        if column == PROTOCOL:
            _, names = np.unique(coords[PROTOCOL].values, return_inverse=True)
            keys = np.column_stack([names, *(coords[name].values for name in columns)])
        elif column in columns:
            keys = coords[column].values[:, None]
        else:
            raise unknown_name("column to cross-validate by", column, [PROTOCOL, *columns])
        _, group = np.unique(keys, axis=0, return_inverse=True)
        if group.max() == 0:
            raise InputError(
                f"cross-validation by '{column}' needs at least two different ones, got one"
            )
        return group.ravel()


def read_measurements(
    table: object,
    protocol: Protocol | str | Path | Sequence[Protocol | str | Path],
    standard_deviations: Mapping[str, float] | None = None,
    title: str = "",
) -> Measurements:
    """Read a table of measured formations.

    Parameters
    ----------
    table
        Path of a CSV file, pandas.DataFrame or xarray.Dataset over the one dimension `case`. A
        column is a protocol variable, an outcome of OUTCOMES, or an outcome with "_sd" appended,
        its standard deviation; the unit follows in brackets, "temperature [K]" (in a Dataset it
        is the attribute `units`), and may be left out for a ratio only. What was not measured in
        a case is left empty. Columns `protocol` (names) and `case` (labels) are optional.
    protocol
        One, or several that the column `protocol` chooses from.
    standard_deviations
        Outcome -> standard deviation of each of its values, in its unit; a column comes first.
    title
        What the table is called in sources; the name of the file if empty.

    Raises
    ------
    InputError
        If the table is empty, a column or unit is not known, a number is missing or out of range.
    """
    columns, units = read_columns(table)
    if not title:
        title = Path(table).name if isinstance(table, str | Path) else "a table of the user"
    sizes = {len(values) for values in columns.values()}
    size = max(sizes, default=0)
    if not size:
        raise InputError("measurements must have at least one column and one row, got none")
    protocols = _protocols(protocol)
    outcomes = {
        name: _numbers(name, columns[name], units[name], VARIABLES[name].units, bounds, gaps=True)
        for name, bounds in OUTCOMES.items()
        if name in columns
    }
    if not outcomes:
        raise InputError(f"measurements must have at least one outcome: {', '.join(OUTCOMES)}")
    for name, values in outcomes.items():
        if np.isnan(values).all():
            raise InputError(f"measurements: column '{name}' has no entry; remove it")
    known = {name for entry in protocols.values() for name in entry.variables}
    for name in columns:
        owned = name in known or name in (PROTOCOL, CASE)
        if not owned and name.removesuffix(SD) not in outcomes:
            raise unknown_name(
                "column of measurements",
                name,
                [*known, *OUTCOMES, *(o + SD for o in outcomes), PROTOCOL, CASE],
            )
    return Measurements(
        _groups(columns, units, protocols, size),
        MappingProxyType(outcomes),
        MappingProxyType(_standard_deviations(columns, units, outcomes, standard_deviations)),
        _labels(columns.get(CASE), size),
        title,
    )


def _protocols(protocol: object) -> dict[str, Protocol]:
    one = isinstance(protocol, Protocol | str | Path)
    if not one and (not isinstance(protocol, Sequence) or not protocol):
        raise InputError(
            f"protocol must be a Protocol, a name or a non-empty list of them, got "
            f"{quoted(protocol)}"
        )
    loaded = [load_protocol(entry) for entry in ([protocol] if one else protocol)]
    by_name = {entry.name: entry for entry in loaded}
    if len(by_name) < len(loaded):
        raise InputError(
            f"protocols must have different names, got {[entry.name for entry in loaded]}"
        )
    return by_name


def _groups(
    columns: Mapping[str, Sequence],
    units: Mapping[str, str],
    protocols: Mapping[str, Protocol],
    size: int,
) -> tuple[Group, ...]:
    names = [next(iter(protocols))] * size
    if PROTOCOL in columns:
        names = [str(entry) for entry in columns[PROTOCOL]]
    elif len(protocols) > 1:
        raise InputError(
            "measurements under several protocols need the column 'protocol' that names them"
        )
    for name in names:
        if name not in protocols:
            raise unknown_name("protocol of measurements", name, protocols)
    _require_empty(columns, names, protocols)
    groups = []
    for name in dict.fromkeys(names):
        rows = np.flatnonzero(np.array(names) == name)
        variables = {
            key: _numbers(key, columns[key], units[key], variable.unit, variable.bounds, rows)
            for key, variable in protocols[name].variables.items()
            if key in columns
        }
        groups += _equal_counts(Group(protocols[name], rows, MappingProxyType(variables)))
    return tuple(groups)


def _equal_counts(group: Group) -> list[Group]:
    """Return the group in parts whose cases have as many cycles: those are swept together."""
    variables = group.protocol.variables
    counts = [name for name in group.variables if variables[name].unit == COUNT]
    if not counts:
        return [group]
    columns = np.column_stack([group.variables[name] for name in counts])
    parts = []
    for values in np.unique(columns, axis=0):
        mine = (columns == values).all(axis=1)
        protocol = group.protocol.with_variables(**dict(zip(counts, values, strict=True)))
        own = {name: column[mine] for name, column in group.variables.items()}
        parts.append(Group(protocol, group.rows[mine], MappingProxyType(own)))
    return parts


def _require_empty(
    columns: Mapping[str, Sequence], names: Sequence[str], protocols: Mapping[str, Protocol]
) -> None:
    """Refuse a number for a variable that the protocol of its row does not have."""
    for key in {key for entry in protocols.values() for key in entry.variables} & columns.keys():
        for row, name in enumerate(names):
            if key not in protocols[name].variables and not _empty(columns[key][row]):
                raise InputError(
                    f"protocol '{name}' has no variable '{key}': leave it empty in row {row + 1} "
                    f"of measurements, got {quoted(columns[key][row])}"
                )


def _empty(entry: object) -> bool:
    return entry is None or (isinstance(entry, float) and np.isnan(entry))


def _numbers(
    name: str,
    column: Sequence,
    unit: str,
    expected: str,
    bounds: Range,
    rows: Sequence[int] | None = None,
    *,
    gaps: bool = False,
) -> np.ndarray:
    """Return the numbers of a column, those of `rows` only if they are given; NaN in `gaps`."""
    what = f"measurements: column '{name}'"
    if cf_unit(unit) != cf_unit(expected):
        got = f"got '{unit}'" if unit else "got none"
        raise InputError(
            f"{what} must state the unit '{cf_unit(expected)}', as in '{name} "
            f"[{cf_unit(expected)}]', {got}"
        )
    numbers = []
    for row in range(len(column)) if rows is None else rows:
        entry = column[row]
        if not _empty(entry):
            numbers.append(bounds.check(f"{what}, row {row + 1},", entry))
        elif gaps:
            numbers.append(np.nan)
        else:
            raise InputError(f"{what} must not have empty entries, got one in row {row + 1}")
    return np.array(numbers)


def _standard_deviations(
    columns: Mapping[str, Sequence],
    units: Mapping[str, str],
    outcomes: Mapping[str, np.ndarray],
    given: Mapping[str, float] | None,
) -> dict[str, np.ndarray]:
    given = {} if given is None else given
    if not isinstance(given, Mapping):
        raise InputError(f"standard_deviations must map outcomes to numbers, got {quoted(given)}")
    positive = Range(0, above=True)
    for name in given:
        if name not in outcomes:
            raise unknown_name("outcome in standard_deviations", name, outcomes)
    deviations = {}
    for name, values in outcomes.items():
        if name + SD in columns:
            column = columns[name + SD]
            unit = VARIABLES[name].units
            known = np.flatnonzero(np.isfinite(values))
            deviations[name] = np.full(values.size, np.nan)
            deviations[name][known] = _numbers(
                name + SD, column, units[name + SD], unit, positive, known
            )
        else:
            sd = given.get(name, DEFAULT_SD * float(np.nanmean(values)))
            sd = positive.check(f"standard_deviations['{name}']", sd)
            deviations[name] = np.full(values.size, sd)
    return deviations


def _labels(column: Sequence | None, size: int) -> np.ndarray:
    if column is None:
        return np.arange(size)
    labels = np.array([f"{e:g}" if isinstance(e, float) else str(e) for e in column])
    if len(set(labels.tolist())) < size:
        raise InputError("measurements: the labels in column 'case' must differ from each other")
    return labels
