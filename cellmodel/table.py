"""The table of a study: what each cell costs to form, as it is and at its best design."""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from rich.markup import escape
from rich.table import Table

from cellmodel.output_folder import whole_file
from cellmodel.parameter_name import snake_case
from cellmodel.study_file import Best, Limits
from kernels.status import SENTENCES

AT_EDGE = "*"


@dataclass(frozen=True)
class Column:
    """A column for people.

    Parameters
    ----------
    head
        Its heading, unit included.
    variable
        Variable or coordinate of the designs.
    digits
        After the decimal point; four significant digits if None.
    factor, offset
        What is shown is value * factor + offset.
    """

    head: str
    variable: str
    digits: int | None
    factor: float = 1.0
    offset: float = 0.0

    def show(self, design: xr.Dataset) -> str:
        """Return the number of one design, as text."""
        value = float(design[self.variable]) * self.factor + self.offset
        mark = AT_EDGE if self.variable in _edges(design) else ""
        if math.isnan(value):
            return "-"
        return (f"{value:.4g}" if self.digits is None else f"{value:.{self.digits}f}") + mark


RESULTS = (
    Column("first\ncycle\n[%]", "first_cycle_efficiency", 1, 100),
    Column("formation\n[kWh/kWh]", "specific_formation_energy", 3),
    Column("channel\n[h]", "formation_time", 1),
    Column("in all\n[h]", "total_time", 0),
    Column("plant\nelectr.\n[%]", "formation_share_of_plant_electricity", 1, 100),
    Column("peak\n[°C]", "max_cell_temperature", 1, 1, -273.15),
)
LIFE = Column("life\n[cycles]", "cycle_life", 0)
_READABLE: Mapping[str, tuple[str, int | None, float, float]] = {
    "m": ("µm", 1, 1e6, 0),
    "K": ("°C", 1, 1, -273.15),
    "h-1": ("C", 3, 1, 0),
    "1": ("1", 3, 1, 0),
}
_HYPHENATED = {"temperature": "temper-\nature", "thickness": "thick-\nness"}


def tables(designs: xr.Dataset, swept: Sequence[str]) -> Iterator[Table]:
    """Yield a table for the terminal per equipment, of the last year if there are several.

    Parameters
    ----------
    designs
        As in StudyResults.
    swept
        Names of the swept quantities, as in `over`.
    """
    when = ""
    if "year" in designs.dims:
        designs = designs.isel(year=-1)  # the others are in the CSV file
        when = f" in {designs['year'].item()}"
    life = [LIFE] if "cycle_life" in designs else []
    columns = [*_swept_columns(designs, swept), *RESULTS, *life]
    for equipment in dict.fromkeys(designs["equipment"].values.tolist()):
        chosen = designs.isel(design=designs["equipment"].values == equipment)
        table = Table(
            title=f"Formation with {escape(equipment)}{when}", box=None, padding=(0, 1, 0, 0),
            title_justify="left", pad_edge=False,
        )  # fmt: skip
        table.add_column("design", no_wrap=True)
        for column in columns:
            table.add_column(escape(column.head), justify="right", no_wrap=True)
        for place in _places(chosen["carbon_footprint_total"]):
            words = "\n".join(map(str, place.values()))
            table.add_column(f"kgCO2e\n/kWh\n{escape(words)}", justify="right", no_wrap=True)
        cell = None
        for index in range(chosen.sizes["design"]):
            design = chosen.isel(design=index)
            if design["cell"].item() != cell:
                if cell is not None:
                    table.add_row()
                cell = design["cell"].item()
                table.add_row(f"[bold]{escape(cell)}[/]")
            table.add_row(*_row(design, columns))
        yield table


def notes(designs: xr.Dataset, best: Best, admissible: Mapping[str, Limits]) -> list[str]:
    """Return the sentences under the tables.

    Parameters
    ----------
    designs
        As in StudyResults.
    best, admissible
        As in the study file.
    """
    at = "".join(f" at {dim} {label}" for dim, label in best.at.items())
    conditions = ["status ok", *(limits.sentence(name) for name, limits in admissible.items())]
    lines = [f"best: lowest {best.minimise}{at} where {', '.join(conditions)}"]
    for cell in dict.fromkeys(designs["cell"].values.tolist()):
        own = designs.isel(design=np.flatnonzero(designs["cell"].values == cell))
        found, cases = (own[name].values[0] for name in ("admissible_cases", "cases"))
        lines.append(f"{cell}: {found} of {cases} designs are admissible")
        for status in np.unique(own["status"].values[own["status"].values > 0]):
            lines.append(f"{cell}, failed: {SENTENCES[int(status)]}")
    if any(designs["at_edge"].values):
        lines.append(f"{AT_EDGE} at an end of its range: a wider range may hold a better design")
    return lines


def write_csv(path: Path, designs: xr.Dataset) -> None:
    """Write every number of every design, one row each, the units in the headings."""
    names = ["cell", "choice", "protocol", "equipment"]
    names += [n for n in designs.coords if designs[n].dims == ("design",) and n not in names]
    columns = {_head(designs[name]): designs[name].values.tolist() for name in names}
    for variable in designs.data_vars.values():
        if variable.dims == ("design",):
            columns[_head(variable)] = variable.values.tolist()
        elif set(variable.dims) <= {"design", "rule_set", "year", "site", "cycle"}:
            for place in _places(variable):
                words = " ".join(f"{dim} {label}" for dim, label in place.items())
                columns[_head(variable, words)] = variable.sel(place).values.tolist()
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def _swept_columns(designs: xr.Dataset, swept: Sequence[str]) -> list[Column]:
    columns = []
    for name in swept:
        key = name if name in designs.coords else snake_case(name)
        units = designs[key].attrs.get("units", "1")
        unit, digits, factor, offset = _READABLE.get(units, (units, None, 1, 0))
        words = (
            key.replace("_electrode", "")
            .replace("_", "\n")
            .replace("temperature", "temper-\nature")
        )
        columns.append(Column(f"{words}\n[{unit}]", key, digits, factor, offset))
    return columns


def _row(design: xr.Dataset, columns: Sequence[Column]) -> list[str]:
    name = f" {design['choice'].item()}, {design['protocol'].item()}"
    if design["status"].item() != 0:
        return [escape(name), "failed"]
    total = design["carbon_footprint_total"]
    values = [float(total.sel(place)) for place in _places(total)]
    shown = ["-" if math.isnan(x) else f"{x:.1f}" if abs(x) >= 1 else f"{x:.3g}" for x in values]
    return [escape(name), *(column.show(design) for column in columns), *shown]


def _places(variable: xr.DataArray) -> list[dict[str, object]]:
    """Return dimension -> label of every value of a design, site by site within a rule set."""
    order = ("rule_set", "year", "site", "cycle")
    dims = sorted((str(dim) for dim in variable.dims if dim != "design"), key=order.index)
    labels = itertools.product(*(variable[dim].values.tolist() for dim in dims))
    return [dict(zip(dims, place, strict=True)) for place in labels]


def _edges(design: xr.Dataset) -> set[str]:
    dims = design["at_edge"].item().split(", ")
    return {*dims, *(dim.removeprefix("relative_") for dim in dims)}


def _head(variable: xr.DataArray, label: str = "") -> str:
    units = variable.attrs.get("units", "")
    parts = [str(variable.name), label, f"[{units}]" if units else ""]
    return " ".join(part for part in parts if part)
