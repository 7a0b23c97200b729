"""What a study leaves in its output folder besides the sweep: table, figures, provenance."""

from __future__ import annotations

import csv
import hashlib
import json
import logging
import platform
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import xarray as xr

from cellmodel import __version__, plot
from cellmodel.describe import processor, versions
from cellmodel.errors import InputError
from cellmodel.fingerprint import code_fingerprint
from cellmodel.formation import simulate_formation
from cellmodel.output_folder import whole_file
from cellmodel.plot_footprint import footprint_by_component
from cellmodel.protocol import Protocol
from cellmodel.quantity import Quantity
from cellmodel.ramp import Ramp
from cellmodel.study_plan import Plan
from cellmodel.table import write_csv

logger = logging.getLogger("cellmodel")


def write_files(
    plan: Plan, sweep: xr.Dataset, designs: xr.Dataset, footprint: xr.Dataset
) -> tuple[Path, ...]:
    """Write everything, and return the paths.

    Parameters
    ----------
    plan
        The study.
    sweep, designs, footprint
        As in StudyResults.
    """
    table = plan.output / "table.csv"
    write_csv(table, designs)
    files = [table, _write_footprint(plan.output / "footprint.csv", footprint)]
    main = designs["equipment"] == plan.equipment[0].name
    kept = main & ((designs["choice"] == "best") | (designs["protocol"] == plan.protocols[0].name))
    shown = np.flatnonzero(kept)
    for name in plan.file.plots:
        path = plan.output / f"{name}.png"
        if name == "formation_energy":
            drawn = _draw_formation_energy(path, plan, sweep, designs.isel(design=shown))
        elif name == "footprint":
            files += _draw_footprint(path, footprint.isel(design=shown))
            continue
        else:
            drawn = _draw_trace(path, plan)
        files += [path] if drawn else []
    provenance = plan.output / "provenance.json"
    _write_provenance(provenance, plan, footprint, files)
    return (*files, provenance)


def _draw_formation_energy(path: Path, plan: Plan, sweep: xr.Dataset, designs: xr.Dataset) -> bool:
    kernel_dims = next(iter(plan.designs.values())).kernel_dims
    wide = [dim for dim in ("charge_rate", "temperature") if dim in kernel_dims]
    wide += [dim for dim in kernel_dims if dim not in wide]
    wide = [dim for dim in wide if sweep.sizes[dim] > 1]
    if len(wide) < 2:
        logger.warning("no map of formation energy: it needs two swept quantities")
        return False
    x, y = wide[:2]
    needed = sweep[["specific_formation_energy", "status"]]
    place, said = {"protocol": 0}, [plan.protocols[0].name, plan.equipment[0].name]
    for dim in needed.dims:
        if dim == "equipment":
            place[dim] = 0
        elif dim not in (x, y, "cell", "protocol"):
            place[dim] = _nearest(sweep, designs, dim)
            said.append(f"{dim.replace('_', ' ')} {float(sweep[dim][place[dim]]):.3g}")
    figure = plot.formation_energy(
        needed.isel(place).load(), designs, x=x, y=y, note=", ".join(said)
    )
    plot.write_png(path, figure, f"Electricity of formation over {x} and {y}, a panel per cell.")
    return True


def _nearest(sweep: xr.Dataset, designs: xr.Dataset, dim: str) -> int:
    """Return the index along a swept dimension that is nearest to the nominal design."""
    if dim not in sweep.coords or dim not in designs.coords:
        return sweep.sizes[dim] // 2
    nominal = float(designs[dim].values[designs["choice"].values == "nominal"][0])
    return int(np.argmin(np.abs(sweep[dim].to_numpy() - nominal))) if nominal == nominal else 0


def _draw_footprint(path: Path, footprint: xr.Dataset) -> list[Path]:
    """Draw a figure per rule set: they may count different kilowatt-hours."""
    words = "Carbon footprint by component, a bar per site and design."
    if "year" in footprint.dims:
        footprint = footprint.isel(year=-1)  # where the ramp leads
        words += f" Of {footprint['year'].item()}."
    if "rule_set" not in footprint.dims:
        plot.write_png(path, footprint_by_component(footprint), words)
        return [path]
    drawn = []
    for name in footprint["rule_set"].values.tolist():
        one = footprint.sel(rule_set=name)
        known = one["carbon_footprint_total"].notnull().all("site")
        if not known.any():
            logger.warning("no bars by %s: no design has a life", name)
            continue
        own = path.with_name(f"{path.stem}-{name}{path.suffix}")
        figure = footprint_by_component(one.isel(design=np.flatnonzero(known)))
        plot.write_png(own, figure, f"{words} Counted by {name}.")
        drawn.append(own)
    return drawn


def _draw_trace(path: Path, plan: Plan) -> bool:
    logger.info("simulating one formation with PyBaMM for its trace")
    try:
        formed = simulate_formation(plan.cells[0], plan.protocols[0], plan.equipment[0])
    except InputError as error:  # what PyBaMM cannot run must not cost the rest of the results
        logger.warning("no trace: %s", error)
        return False
    words = "Voltage, current, temperature and SEI thickness over the time of a formation."
    plot.write_png(path, plot.formation_trace(formed), words)
    return True


def _write_footprint(path: Path, footprint: xr.Dataset) -> Path:
    """Write the numbers behind the bars, and of all years: a row per site and component."""
    emissions = footprint["carbon_footprint"]
    outer = [dim for dim in ("design", "rule_set", "year") if dim in emissions.dims]
    emissions = emissions.transpose(*outer, "site", "stage", "component")
    names = ("cell", "choice", "protocol", "equipment")
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*names, *emissions.dims[1:], "carbon_footprint [kg kWh-1]"])
        for design in range(emissions.sizes["design"]):
            own = [footprint[name].values[design] for name in names]
            for place, value in np.ndenumerate(emissions.values[design]):
                if value != 0:
                    labels = [
                        footprint[d].values[i]
                        for d, i in zip(emissions.dims[1:], place, strict=True)
                    ]
                    writer.writerow([*own, *labels, value])
    return path


def _write_provenance(path: Path, plan: Plan, footprint: xr.Dataset, files: list[Path]) -> None:
    """Write what the results were made of: versions, inputs with their sources, hashes."""
    content = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"cellmodel": __version__, "python": platform.python_version(), **versions()},
        "code": code_fingerprint(),
        "machine": {"processor": processor(), "system": platform.platform()},
        "study": {
            "file": str(plan.path),
            "sha256": _digest(plan.path),
            "content": plan.file.model_dump(by_alias=True, exclude_none=True),
        },
        "cells": {cell.name: _rows(cell.provenance()) for cell in plan.cells},
        "protocols": {p.name: _variables(p) for p in plan.protocols},
        "equipment": {e.name: _quantities(e.quantities) for e in plan.equipment},
        "plant": {plan.plant.name: _quantities(plan.plant.quantities)},
        "ramp": {plan.ramp.name: _years(plan.ramp)} if plan.ramp else {},
        "footprint": {str(k): v for k, v in footprint.attrs.items() if k != "factors"},
        "factors": json.loads(footprint.attrs["factors"]),
        "files": {file.name: _digest(file) for file in files},
    }
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, allow_nan=False), encoding="utf-8")


def _rows(rows: list[tuple]) -> list[dict]:
    return [dict(zip(("name", "value", "unit", "source"), row, strict=True)) for row in rows]


def _variables(protocol: Protocol) -> dict[str, dict]:
    return {name: asdict(variable) for name, variable in protocol.variables.items()}


def _quantities(quantities: Mapping[str, Quantity]) -> dict[str, dict]:
    return {name: asdict(quantity) for name, quantity in quantities.items()}


def _years(ramp: Ramp) -> dict[str, list[dict]]:
    return {name: [asdict(entry) for entry in entries] for name, entries in ramp.fields.items()}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
