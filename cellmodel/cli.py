"""The command line: run a study, list and show what it may name.

Modules that calculate are imported inside the commands, so that `cellmodel --help` answers at once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from cellmodel import __version__
from cellmodel.errors import InputError

if TYPE_CHECKING:
    from cellmodel.study_plan import Estimate, Plan

WIDTH = 120  # of what is listed and shown, at least; a narrower terminal folds the lines
FACTORS_WIDTH = 170
BAD_INPUT = 2
FAILED = 1
_UNBOUNDED = Console(width=1000)
INTERRUPTED = 130  # 128 + SIGINT, as shells report it

app = typer.Typer(name="cellmodel", no_args_is_help=True, pretty_exceptions_show_locals=False)


class Kind(StrEnum):
    """What can be listed."""

    CELLS = "cells"
    PROTOCOLS = "protocols"
    EQUIPMENT = "equipment"
    PLANTS = "plants"
    RULES = "rules"
    RECYCLING = "recycling"
    RAMPS = "ramps"
    WASTE_LOOPS = "waste-loops"
    REFERENCES = "references"


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """From formation protocol to kgCO2e per kWh of battery cells."""


@app.command()
def run(
    study: Annotated[Path, typer.Argument(help="Study file (.toml).")],
    output: Annotated[
        Path | None, typer.Option(help="Folder for the results, in place of the study's.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how many cases, how long and how large; stop.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Compute again what is there already.")
    ] = False,
) -> None:
    """Run a study: form all candidates, find the best designs, write tables, figures and data.

    When it is run again, only what is missing or has changed is computed.
    """
    with _clear_errors("finished chunks are kept, the same command goes on from there"):
        from cellmodel.study_file import read_study

        read_study(study)  # a typo is found before PyBaMM is imported, which takes seconds
        from cellmodel.study_plan import estimate, plan_study

        messages = Console(stderr=True)
        with _logged(messages):
            plan = plan_study(study, output)
            _say(messages, _size(plan))
            if dry_run:
                _say(Console(), _cost(plan, estimate(plan)))
            else:
                _run(plan, fresh, messages)


@app.command(name="list")
def list_names(kind: Annotated[Kind, typer.Argument(help="What to list.")]) -> None:
    """List what comes with the package: cells, protocols, plants, rule sets and more."""
    with _clear_errors():
        from cellmodel.describe import titles

        _wide().print(titles(kind.value))


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Name of anything that can be listed, or a file.")],
) -> None:
    """Print the values of a cell, protocol, plant, rule set or other input, with their sources."""
    with _clear_errors():
        from cellmodel.describe import describe

        _wide().print(*describe(name), sep="\n")


@app.command()
def factors(
    kind: Annotated[
        str | None,
        typer.Option(help="material, electricity, fuel, transport, delivery or treatment."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Part of the name.")] = None,
    region: Annotated[str | None, typer.Option(help="Region, FR or GLO.")] = None,
    lineage: Annotated[str | None, typer.Option(help="Part of the family of data.")] = None,
    certainty: Annotated[str | None, typer.Option(help="read, derived, user or prior.")] = None,
    own: Annotated[
        Path | None, typer.Option(help="CSV file whose rows replace shipped ones.")
    ] = None,
    check: Annotated[
        Path | None, typer.Option(help="Say what a CSV file of yours would replace; stop.")
    ] = None,
) -> None:
    """List the emission factors with ranges and sources, or check a file of your own."""
    with _clear_errors():
        from cellmodel.factor_table import check_factors, factor_list, select_factors
        from cellmodel.factors import load_factors

        if check is not None:
            for line in check_factors(check):
                _say(Console(), line)
            return
        rows = select_factors(
            load_factors(own), kind=kind, name=name, region=region, lineage=lineage,
            certainty=certainty,
        )  # fmt: skip
        if not rows:
            raise InputError("no factor fits all of that; leave an option out")
        console = Console()
        Console(width=max(console.width, FACTORS_WIDTH)).print(factor_list(rows))


@app.command()
def doctor() -> None:
    """Print versions, processor, threads, and whether the kernels are compiled."""
    with _clear_errors():
        from cellmodel.describe import installation

        for name, value in installation().items():
            _say(Console(), f"{name}: {value}")


def main() -> None:
    """Run the command line."""
    app()


def _run(plan: Plan, fresh: bool, messages: Console) -> None:
    from cellmodel.study import run_study
    from cellmodel.table import notes, tables

    start = time.perf_counter()
    with _progress(messages) as progress:
        results = run_study(plan, fresh=fresh, progress=progress)
    console = Console()
    for table in tables(results.designs, list(plan.file.over)):
        whole = Console(width=max(console.width, _UNBOUNDED.measure(table).maximum))
        whole.print(table)
        whole.print()
    for line in notes(results.designs, plan.file.best, plan.file.admissible):
        _say(console, line)
    names = ", ".join(["sweep.zarr", *(file.name for file in results.files)])
    _say(messages, f"{time.perf_counter() - start:.0f} s; in '{results.folder}': {names}")


@contextmanager
def _clear_errors(when_interrupted: str = "") -> Iterator[None]:
    """Turn bad input and interruption into a sentence and an exit code."""
    console = Console(stderr=True)
    try:
        yield
    except InputError as error:
        console.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        raise typer.Exit(BAD_INPUT) from error
    except OSError as error:  # a disk that is full, a folder that went away
        console.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        raise typer.Exit(FAILED) from error
    except KeyboardInterrupt as error:
        _say(console, f"interrupted; {when_interrupted}" if when_interrupted else "interrupted")
        raise typer.Exit(INTERRUPTED) from error


@contextmanager
def _logged(console: Console) -> Iterator[None]:
    """Print what the package logs."""
    logger = logging.getLogger("cellmodel")
    handler = logging.Handler()
    handler.emit = lambda record: _say(console, record.getMessage())
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@contextmanager
def _progress(console: Console) -> Iterator[Callable[[int, int], None]]:
    """Yield what is told the cases done and in total: a bar on a terminal, some lines elsewhere."""
    if not console.is_terminal:
        yield _Lines(console)
        return
    from rich import progress

    columns = (
        progress.TextColumn("forming"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=console) as bar:
        task = bar.add_task("forming", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class _Lines:
    """A line for every tenth of the work."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.tenths = -1

    def __call__(self, done: int, total: int) -> None:
        tenths = 10 * done // total
        if tenths > self.tenths:
            self.tenths = tenths
            _say(self.console, f"formed {done} of {total} ({100 * done // total} %)")


def _size(plan: Plan) -> str:
    first = next(iter(plan.designs.values()))
    sizes = {"cells": len(plan.cells), "protocols": len(plan.protocols)}
    sizes |= {dim: first.dims[dim] for dim in first.kernel_dims}
    product = " x ".join(f"{size} {name}" for name, size in sizes.items())
    return f"{plan.file.title}: {plan.cases} formations ({product}), {plan.rows} designs"


def _cost(plan: Plan, cost: Estimate) -> str:
    speed = "" if cost.compiled else ", 20 s of it to compile the kernels, once, at assumed speed"
    return (
        f"about {cost.seconds:.0f} s{speed}; about {cost.memory / 1e6:.0f} MB of memory; "
        f"at most {cost.disk / 1e6:.0f} MB in '{plan.output}'"
    )


def _say(console: Console, line: str) -> None:
    console.print(escape(line), highlight=False, soft_wrap=True)


def _wide() -> Console:
    console = Console()
    return Console(width=max(console.width, WIDTH))
