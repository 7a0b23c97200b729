"""Kernels against PyBaMM SPMe on random cases from a wide box around every cell, and against DFN.

Run as a script it prints the table and, with --write, puts it into README.md between its markers.
300 cases of seven cells are 2,100 runs of PyBaMM, about two hours of CPU time; those of two
materials or sodium take ten times as long. They are kept: an interrupted run goes on, and the next
version of the kernels is compared in minutes.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import platformdirs
import xarray as xr
from compare import OWED, Differences, differences, outside, trace_differences
from publish import publish, script_parser
from random_cases import Cases, at_point, point, random_cases, wide
from references import DFN, FAILED, FINER, SETTINGS, Results, Task, references, spme

import cellmodel as cm
from cellmodel.bridge.reference import Method
from kernels.status import NAMES, OK

PROTOCOL, EQUIPMENT = "three-cycle", "regenerative-cycler"
PERCENTILES = (50, 99, 99.9)
INSIDE = "stays within the model's range"
CAPTION = (
    "Median / 99th / 99.9th percentile of the cases (of fewer than a thousand, the last is the "
    "largest). Every case has its own rates (C/50 to 1C), temperature (273 to 333 K), voltage "
    "window, ends of holds, rests, geometry and transport (+-30 %) and SEI rate (two decades); the "
    f"worst of its cycles or steps counts. Against {SETTINGS}"
    + "".join(
        f", of {cell} {count} {name.replace('_points', ' nodes')}"
        for cell, finer in FINER.items()
        for name, count in finer.items()
    )
    + "."
)


@dataclass(frozen=True)
class Sample:
    """Random cases of one cell as the kernels find them.

    Parameters
    ----------
    cell : shipped name
    cases, formed : what they are, what came out
    ran, refused : indices of those that ran to the end, and of those that did not, drawn in between
    """

    cell: str
    cases: Cases
    formed: xr.Dataset
    ran: np.ndarray
    refused: np.ndarray

    def tasks(self, indices: Sequence[int], method: Method) -> list[Task]:
        """Return some of the cases for PyBaMM."""
        return [Task(self.cell, PROTOCOL, point(self.cases, i), method) for i in indices]

    def status(self, index: int) -> str:
        """Return the name of the status of a case."""
        return NAMES[int(self.formed["status"][index])]


Known = Mapping[tuple[str, str], Sequence[Results]]  # cell and kind -> what PyBaMM found


def sample(name: str, count: int) -> Sample:
    """Return the random cases of a shipped cell up to the one that is the `count`th to run."""
    cell = cm.load_cell(name)
    cases = random_cases(cell, 2 * count + 20, wide)
    formed = cm.sweep_formation(cell, PROTOCOL, EQUIPMENT, cases)
    status = formed["status"].values
    ran = np.flatnonzero(status == OK)[:count]
    refused = np.flatnonzero(status[: ran[-1] if ran.size else None] != OK)
    return Sample(name, cases, formed, ran, refused)


def known_results(
    samples: Sequence[Sample], folder: Path, processes: int, *, refused: int, dfn: int
) -> Known:
    """Return what PyBaMM finds.

    Parameters
    ----------
    samples
        The cases of each cell; those that the kernels ran are "ran" in the result.
    folder, processes
        See `references`.
    refused
        How many cases that the kernels did not run PyBaMM tries.
    dfn
        How many of those they ran PyBaMM runs as "dfn", too.
    """
    plan = {}
    for own in samples:
        plan[own.cell, "ran"] = own.tasks(own.ran, spme(own.cell))
        plan[own.cell, "refused"] = own.tasks(own.refused[:refused], spme(own.cell))
        plan[own.cell, "dfn"] = own.tasks(own.ran[:dfn], DFN)
    tasks = [task for several in plan.values() for task in several]
    found = iter(references(folder, tasks, processes))
    return {key: [next(found) for _ in several] for key, several in plan.items()}


def differences_of(own: Sample, known: Known, traces: int) -> list[Differences]:
    """Return the differences of each case that ran; of the first `traces` over time, too."""
    rows = []
    shipped = cm.load_cell(own.cell), cm.load_protocol(PROTOCOL)
    for number, (i, results) in enumerate(zip(own.ran, known[own.cell, "ran"], strict=True)):
        row: Differences = {}
        if FAILED not in results:
            row = differences(own.formed.isel(case=i), results)
            if number < traces:
                inputs = at_point(*shipped, point(own.cases, i))
                trace = cm.trace_formation(*inputs, EQUIPMENT)
                row = {**row, **trace_differences(trace, results)}
        rows.append(row)
    return rows


def differences_to_dfn(
    samples: Sequence[Sample], known: Known
) -> tuple[list[Differences], list[Differences]]:
    """Return those of the kernels and those of PyBaMM's SPMe, of all cells."""
    kernels, spme = [], []
    for own in samples:
        ran, full = known[own.cell, "ran"], known[own.cell, "dfn"]
        for i, reduced, results in zip(own.ran, ran, full, strict=False):
            if FAILED not in results and FAILED not in reduced:
                kernels.append(differences(own.formed.isel(case=i), results))
                spme.append(differences(reduced, results))
    return kernels, spme


def table(columns: Mapping[str, Sequence[Differences]]) -> str:
    """Return the percentiles of each kind of difference, in a column for each title."""
    lines = [f"| difference | owed | {' | '.join(columns)} |"]
    lines.append("|---|--:|" + "---|" * len(columns))
    for kind, owed in OWED.items():
        cells = []
        for rows in columns.values():
            values = [row[kind] for row in rows if kind in row]
            # the higher neighbour: of 300 cases the 99.9th percentile is the largest, no less
            found = np.percentile(values, PERCENTILES, method="higher") if values else ()
            cells.append(" / ".join(f"{value:.2g}" for value in found))
        lines.append(f"| {kind} | {'' if owed is None else f'{owed:g}'} | {' | '.join(cells)} |")
    return "\n".join(lines)


def validity(samples: Sequence[Sample], known: Known) -> str:
    """Return a list of what the kernels refuse, and of what PyBaMM makes of that."""
    lines = []
    for own in samples:
        ran, tried = known[own.cell, "ran"], known[own.cell, "refused"]
        statuses = Counter(own.status(i) for i in own.refused)
        why = ", ".join(f"{count} {status}" for status, count in statuses.most_common())
        text = f"- {own.cell}: the kernels run {len(ran)}, where PyBaMM {_ways(ran)}"
        text += f", and refuse {len(own.refused)} ({why})" if why else ""
        text += f", where PyBaMM, in {len(tried)} tried, {_ways(tried)}" if tried else ""
        lines.append(f"{text}.")
    return "\n".join(lines)


def _ways(known: Sequence[Results]) -> str:
    found = Counter(outside(results) or INSIDE for results in known)
    return ", ".join(f"{way} ({count})" for way, count in found.most_common())


def name_cases(
    samples: Sequence[Sample], columns: Mapping[str, Sequence[Differences]], known: Known
) -> None:
    """Say on stderr which cases to look at: `point(random_cases(cell, index + 1, wide), index)`."""
    for own in samples:
        for kind in OWED:
            values = [row.get(kind, 0.0) for row in columns[own.cell]]
            if any(values):
                index = own.ran[int(np.argmax(values))]
                print(f"{own.cell}, {kind}: {max(values):.2g} in case {index}", file=sys.stderr)
        for index, results in zip(own.ran, known[own.cell, "ran"], strict=True):
            if outside(results):
                print(f"{own.cell}, case {index} runs: PyBaMM {outside(results)}", file=sys.stderr)
        for index, results in zip(own.refused, known[own.cell, "refused"], strict=False):
            if not outside(results):
                text = f"{own.cell}, case {index}, {own.status(index)}: PyBaMM {INSIDE}"
                print(text, file=sys.stderr)


def main() -> None:
    parser = script_parser(__doc__)
    parser.add_argument("--cells", nargs="+", default=cm.list_cells(), help="shipped names")
    parser.add_argument("--cases", type=int, default=300, help="of each cell")
    parser.add_argument("--refused", type=int, default=20, help="cases that PyBaMM tries as well")
    parser.add_argument("--traces", type=int, default=30, help="cases compared over time")
    parser.add_argument("--dfn", type=int, default=0, help="cases compared with DFN")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="at a time")
    parser.add_argument(
        "--references",
        type=Path,
        default=platformdirs.user_cache_path("cellmodel", appauthor=False) / "references",
        help="folder in which PyBaMM's results are kept",
    )
    given = parser.parse_args()
    samples = [sample(name, given.cases) for name in given.cells]
    known = known_results(
        samples, given.references, given.processes, refused=given.refused, dfn=given.dfn
    )
    columns = {own.cell: differences_of(own, known, given.traces) for own in samples}
    name_cases(samples, columns, known)
    if given.dfn:
        to_dfn = differences_to_dfn(samples, known)
        columns |= zip(("kernels against DFN", "SPMe against DFN"), to_dfn, strict=True)
    text = f"{table(columns)}\n\n{CAPTION}\n\n{validity(samples, known)}"
    publish("accuracy", text, write=given.write)


if __name__ == "__main__":
    main()
