"""What there is to know of everything shipped, from cells to references, and of this machine."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType

from rich import box
from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from cellmodel import __version__
from cellmodel.cell import Cell, list_cells, load_cell
from cellmodel.circularity import RecyclingParameters, list_recycling, load_recycling
from cellmodel.equipment import Equipment, list_equipment, load_equipment
from cellmodel.errors import InputError, unknown_name
from cellmodel.plant import Plant, list_plants, load_plant
from cellmodel.protocol import Protocol, list_protocols, load_protocol
from cellmodel.quantity import Quantity, read_toml
from cellmodel.ramp import Ramp, list_ramps, load_ramp
from cellmodel.rules import (
    ELECTRICITY,
    FUNCTIONAL_UNITS,
    RECYCLING,
    RuleSet,
    list_rules,
    load_rules,
)
from cellmodel.target import Reference, list_references, load_reference
from cellmodel.waste_loop import SHARES, WasteLoop, list_waste_loops, load_waste_loop

Input = (
    Cell | Protocol | Equipment | Plant | RuleSet | RecyclingParameters | Ramp | WasteLoop
    | Reference
)  # fmt: skip
KINDS: Mapping[str, tuple[Callable[[], list[str]], Callable[[str], Input]]] = {
    "cells": (list_cells, load_cell),
    "protocols": (list_protocols, load_protocol),
    "equipment": (list_equipment, load_equipment),
    "plants": (list_plants, load_plant),
    "rules": (list_rules, load_rules),
    "recycling": (list_recycling, load_recycling),
    "ramps": (list_ramps, load_ramp),
    "waste-loops": (list_waste_loops, load_waste_loop),
    "references": (list_references, load_reference),
}
#: of files: a key that only they have -> what reads them
FILES: Mapping[str, Callable[[str], Input]] = {
    "parameter_set": load_cell, "cycle": load_protocol, "rated_rate": load_equipment,
    "step": load_plant,
}  # fmt: skip
KNOWN = "cell, protocol, equipment, plant, rule set, recycling, ramp, waste loop or reference"
LIBRARIES = (
    "numpy", "numba", "pybamm", "xarray", "zarr", "pydantic", "typer", "rich", "matplotlib",
)  # fmt: skip


def titles(kind: str) -> Table:
    """Return the names of a kind of input with their titles."""
    names, load = KINDS[kind]
    table = Table(box=None, show_header=False, pad_edge=False)
    for name in names():
        table.add_row(f"[bold]{escape(name)}[/]", escape(load(name).title))
    return table


def describe(name: str) -> list[RenderableType]:
    """Return everything about an input.

    Parameters
    ----------
    name
        Of what comes with the package, or path of a BPX file (.json) or of a cell, protocol,
        equipment or plant of your own (.toml).

    Raises
    ------
    InputError
        If there is none of this name, or the file is none of these.
    """
    owners = {own: load for names, load in KINDS.values() for own in names()}
    if name.endswith(".json"):
        owners[name] = load_cell
    if name.endswith(".toml"):
        owners[name] = _reader(name)
    if name not in owners:
        raise unknown_name(KNOWN, name, owners)
    entry = owners[name](name)
    head = f"[bold]{escape(entry.name)}[/]  {escape(entry.title)}\nsource: {escape(entry.source)}"
    return [head, *_parts(entry)]


def _reader(path: str) -> Callable[[str], Input]:
    """Return what reads a file."""
    table = read_toml(path)
    for key, load in FILES.items():
        if key in table:
            return load
    raise InputError(
        f"{path}: a cell, protocol, equipment or plant must have the key {', '.join(FILES)} "
        f"respectively, got {', '.join(table) or 'none'}"
    )


def _parts(entry: Input) -> list[RenderableType]:
    if isinstance(entry, Cell):
        return _cell_parts(entry)
    if isinstance(entry, Protocol):
        return [_variables(entry), _steps(entry)]
    if isinstance(entry, Plant):
        return [f"heat from {entry.heat_source}", _quantities("fields", entry.quantities)]
    if isinstance(entry, RuleSet):
        return [
            *_choices(entry),
            _quantities("numbers", {**entry.quantities, **entry.cycles_per_year}),
        ]
    if isinstance(entry, RecyclingParameters):
        facts = (
            f"neither recovered nor burnt, or not named here: {escape(entry.disposal)}\n"
            "footprint_uncertainty draws nothing from these ranges"
        )
        return [facts, _quantities("parameters", entry.quantities)]
    if isinstance(entry, Ramp):
        return _ramp_parts(entry)
    if isinstance(entry, WasteLoop):
        return _loop_parts(entry)
    if isinstance(entry, Reference):
        facts = f"of {entry.year}, {escape(entry.boundary)}, per kWh of capacity"
        return [facts, _quantities("footprint", {"value": entry.value})]
    return [_quantities("fields", entry.quantities)]


def _ramp_parts(ramp: Ramp) -> list[RenderableType]:
    """Return the fields year by year, and what is known of the grids."""
    table = _table("fields", "unit", *map(str, ramp.years), "source")
    for field, entries in ramp.fields.items():
        source = f"{entries[0].source} ({entries[0].certainty})"
        numbers = (_number(entry.value) for entry in entries)
        table.add_row(escape(field), escape(entries[0].unit), *numbers, escape(source))
    share = f"intensity in {ramp.grid_target_year} / the present one"
    grids = {share: ramp.grid_share}
    for site, years in ramp.grid.items():
        grids |= {f"{site} {year}": entry for year, entry in years.items()}
    return [f"of plant {escape(ramp.plant.name)}", table, _quantities("grid", grids)]


def _loop_parts(loop: WasteLoop) -> list[RenderableType]:
    """Return the shares, what is recovered of which metal, and the minima of recycled content."""
    recovery = {
        ", ".join(entry.metals)
        + (f" from {', '.join(entry.components)}" if entry.components else ""): entry.share
        for entry in loop.recovery
    }
    parts: list[RenderableType] = [
        escape(loop.status),
        _quantities("shares", {name: getattr(loop, name) for name in SHARES}),
        _quantities("recovery", recovery),
    ]
    if loop.minima:
        table = _table("least recycled content", "share", "source")
        for entry in loop.minima:
            for metal, share in entry.shares.items():
                words = f"{metal} from {entry.deadline}"
                table.add_row(escape(words), _number(share), escape(entry.source))
        parts.append(table)
    return parts


def _cell_parts(cell: Cell) -> list[RenderableType]:
    """Return the cell's own numbers apart from those that others lend and those assumed."""
    facts = f"parameter set {escape(cell.parameter_set)} of {cell.origin}\nmodelled: {cell.physics}"
    numbers = cell.quantities
    lent = {name: entry for name, entry in numbers.items() if entry.donor}
    assumed = {
        name: entry
        for name, entry in numbers.items()
        if name not in lent and entry.certainty == "prior"
    }
    own = {n: entry for n, entry in numbers.items() if n not in lent and n not in assumed}
    tables = {
        "parameters": own,
        "lent: numbers of another set or cell": lent,
        "assumed: engineering judgement": assumed,
    }
    parts: list[RenderableType] = [facts]
    parts += [_quantities(title, entries) for title, entries in tables.items() if entries]
    rest = {n: why for n, why in cell.assumptions.items() if n not in cell.materials}
    if rest:
        table = _table("assumed: what is no number", "how")
        for name, why in rest.items():
            table.add_row(escape(name), escape(why))
        parts.append(table)
    return [*parts, _quantities("materials", cell.materials, cell.assumptions)]


def _choices(rules: RuleSet) -> list[str]:
    """Return lines about what a rule set chooses, and about how current it is."""
    lines = [
        f"{rules.status}, version {rules.version} of {rules.published}, checked {rules.checked}",
        f"per kWh of {FUNCTIONAL_UNITS[rules.functional_unit]}"
        + (f", vehicle class {rules.vehicle_class}" if rules.vehicle_class else ""),
        f"recycling: {RECYCLING[rules.recycling]}",
        f"electricity: {ELECTRICITY[rules.electricity]}",
        f"characterisation: {rules.characterisation}{', strict' if rules.strict else ''}",
    ]
    for name, own in rules.circularity.items():
        lines.append(
            f"{name}: A {own.allocation:g}, R2 {own.recovery:g}, "
            f"quality in {own.quality_in:g}, out {own.quality_out:g}"
            + (f", R3 {own.energy_recovery:g}" if own.energy_recovery else "")
        )
    if rules.disposal:
        lines.append(f"neither recovered (R2) nor burnt (R3): {rules.disposal}")
    return [escape(line) for line in lines]


def _quantities(
    title: str,
    quantities: Mapping[str, Quantity | str],
    assumptions: Mapping[str, str] = MappingProxyType({}),
) -> Table:
    table = _table(title, "value", "unit", "low", "high", "source")
    for name, entry in quantities.items():
        if isinstance(entry, str):
            why = f"assumed: {assumptions[name]}" if name in assumptions else ""
            table.add_row(escape(name), escape(entry), "", "", "", escape(why))
            continue
        certainty = f" ({entry.certainty})" if entry.certainty else ""
        donor = f"; lent by {entry.donor}" if entry.donor else ""
        table.add_row(
            escape(name), _number(entry.value), escape(entry.unit), _number(entry.low),
            _number(entry.high), escape(f"{entry.source}{donor}{certainty}"),
        )  # fmt: skip
    return table


def _variables(protocol: Protocol) -> Table:
    table = _table("variables", "default", "unit", "low", "high", "what it is; source")
    for name, entry in protocol.variables.items():
        default = entry.default if isinstance(entry.default, str) else _number(entry.default)
        words = f"{entry.description}; {entry.source}"
        table.add_row(
            escape(name), escape(default), entry.unit, _number(entry.low), _number(entry.high),
            escape(words),
        )  # fmt: skip
    return table


def _steps(protocol: Protocol) -> Table:
    table = Table(title="steps", title_justify="left", box=None, show_header=False, pad_edge=False)
    for cycle, steps in enumerate(protocol.cycles, start=1):
        for step in steps:
            table.add_row(f"cycle {cycle}", escape(step))
    for stay in protocol.off_channel:
        duration, temperature = stay.duration.template, stay.temperature.template
        words = f"{stay.name}: {duration} h at {temperature} K in the {stay.hall} hall"
        table.add_row("off channel", escape(words))
    return table


def _table(title: str, *heads: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("name", overflow="fold", max_width=34)
    for head in heads:
        table.add_column(head, justify="right" if head in ("low", "high") else "left")
    return table


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def installation() -> dict[str, str]:
    """Return what decides speed and results on this machine."""
    import numba

    from cellmodel.compilation import cache_folder, is_compiled

    telemetry = os.environ.get("PYBAMM_DISABLE_TELEMETRY", "false").lower()
    return {
        "cellmodel": __version__,
        "python": platform.python_version(),
        **versions(),
        "system": platform.platform(),
        "processor": processor(),
        "threads": str(numba.get_num_threads()),
        "kernels": f"{'compiled' if is_compiled() else 'not compiled yet'}, in {cache_folder()}",
        "PyBaMM telemetry": "not switched off" if telemetry == "false" else "off",
    }


def processor() -> str:
    """Return the name of the processor."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2] for line in file if line.startswith("model name")]
    except OSError:  # not Linux
        names = []
    return names[0].strip() if names else platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Return the versions of the libraries that results are made with."""
    return {name: _version(name) for name in LIBRARIES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
