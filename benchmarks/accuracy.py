"""Kernels against PyBaMM SPMe: at the nominal point and at corners of a +-20 % box in ten
parameters, for every cell.

Run as a script it prints the table and, with --write, puts it into README.md between its markers.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Mapping

import numpy as np
import xarray as xr
from publish import publish, script_parser

import cellmodel as cm

#: DESIGN: what the kernels owe; per cent, and millivolts for the voltage
OWED = {
    "charge energy [%]": 0.1,
    "discharge energy [%]": 0.1,
    "net energy loss [%]": 0.5,
    "lithium loss [%]": 0.5,
    "times at which steps end [%]": 0.2,
    "voltage, RMS over a step [mV]": 1.0,
}
# Both thicknesses move together: with a thick positive electrode alone the negative overfills, and
# the kernels refuse the case.
PARAMETERS = (
    ("Negative electrode thickness [m]", "Positive electrode thickness [m]"),
    ("Negative particle radius [m]",),
    ("Positive particle radius [m]",),
    ("Negative electrode porosity",),
    ("Positive electrode porosity",),
    ("Separator thickness [m]",),
    ("Initial concentration in electrolyte [mol.m-3]",),
    ("SEI reaction exchange current density [A.m-2]",),
    ("Total heat transfer coefficient [W.m-2.K-1]",),
    ("Nominal cell capacity [A.h]",),
)
BOX = 0.2
# Columns of a 2^(10-6) fractional factorial of resolution III: four free factors, six products.
GENERATORS = ((0,), (1,), (2,), (3,), (0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))


def corners() -> list[tuple[int, ...]]:
    """Return the 16 corners, each ten signs."""
    return [
        tuple(int(np.prod([signs[i] for i in generator])) for generator in GENERATORS)
        for signs in itertools.product((-1, 1), repeat=4)
    ]


def at_corner(cell: cm.Cell, signs: tuple[int, ...]) -> cm.Cell:
    """Return the cell with each of the ten parameters 20 % up or down."""
    moved = {
        name: cell.parameter(name) * (1 + BOX * sign)
        for names, sign in zip(PARAMETERS, signs, strict=True)
        for name in names
    }
    return cell.replace_parameters(moved)


def differences(
    cell: cm.Cell, protocol: cm.Protocol, equipment: cm.Equipment
) -> Mapping[str, float]:
    """Return the largest difference of each kind over the cycles or steps of one formation."""
    reference = cm.simulate_formation(
        cell, protocol, equipment, model="SPMe", radial_points=80, rtol=1e-7, atol=1e-9
    )
    kernel = cm.trace_formation(cell, protocol, equipment)

    def net(results: xr.Dataset) -> xr.DataArray:
        return results["charge_energy"] - results["discharge_energy"]

    def percent(a: xr.DataArray, b: xr.DataArray) -> float:
        return float(np.abs(100 * (a / b - 1)).max())

    return dict(
        zip(
            OWED,
            (
                percent(kernel["charge_energy"], reference["charge_energy"]),
                percent(kernel["discharge_energy"], reference["discharge_energy"]),
                percent(net(kernel), net(reference)),
                percent(kernel["lithium_loss"], reference["lithium_loss"]),
                max(_ends(kernel, reference)),
                max(_voltages(kernel, reference)),
            ),
            strict=True,
        )
    )


def _steps(results: xr.Dataset) -> list[xr.Dataset]:
    """Split the course over time into its steps, each with time from its start."""
    change = np.diff(results["step_index"].values, prepend=-1) != 0
    change |= np.diff(results["cycle_index"].values, prepend=-1) != 0
    starts = [*np.flatnonzero(change), results.sizes["time"]]
    parts = [results.isel(time=slice(a, b)) for a, b in itertools.pairwise(starts)]
    return [part.assign_coords(time=part["time"] - part["time"][0]) for part in parts]


def _ends(kernel: xr.Dataset, reference: xr.Dataset) -> list[float]:
    """Differences of the times since the start of the protocol at which its steps end [%]."""
    ends = [
        np.cumsum([float(step["time"][-1]) for step in _steps(results)])
        for results in (kernel, reference)
    ]
    return [100 * abs(a / b - 1) for a, b in zip(*ends, strict=True)]


def _voltages(kernel: xr.Dataset, reference: xr.Dataset) -> list[float]:
    """RMS difference [mV] per step over time, at the times of the kernels, the fewer."""
    result = []
    for ours, theirs in zip(_steps(kernel), _steps(reference), strict=True):
        time = ours["time"].values
        time = time[time <= float(theirs["time"][-1])]
        known = np.interp(time, theirs["time"].values, theirs["voltage"].values)
        square = (ours["voltage"].values[: len(time)] - known) ** 2
        result.append(1000 * float(np.sqrt(np.trapezoid(square, time) / time[-1])))
    return result


def table(protocol: str = "two-cycle", most: int | None = None) -> str:
    """Return the Markdown table: worst difference over all points, the nominal one in brackets."""
    equipment, steps = cm.load_equipment("regenerative-cycler"), cm.load_protocol(protocol)
    names = cm.list_cells()
    columns = []
    for name in names:
        cell = cm.load_cell(name)
        points = [cell, *(at_corner(cell, signs) for signs in corners()[:most])]
        found = []
        for number, point in enumerate(points):
            found.append(differences(point, steps, equipment))
            print(f"{name}: {number + 1} of {len(points)}", file=sys.stderr)
        columns.append([(max(f[kind] for f in found), found[0][kind]) for kind in OWED])
    head = ["largest difference (at the nominal point)", "owed", *names]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for i, (kind, owed) in enumerate(OWED.items()):
        cells = [f"{column[i][0]:.3f} ({column[i][1]:.3f})" for column in columns]
        lines.append("| " + " | ".join([kind, f"{owed:g}", *cells]) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = script_parser(__doc__)
    parser.add_argument("--corners", type=int, default=None, help="only the first so many corners")
    arguments = parser.parse_args()
    publish("accuracy", table(most=arguments.corners), write=arguments.write)


if __name__ == "__main__":
    main()
