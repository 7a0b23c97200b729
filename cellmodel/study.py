"""Run a study: form the candidates over a design space, find the best designs, write it down."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from cellmodel.best_design import GROUPS, Choice, best_designs, check_choice
from cellmodel.design_space import DesignSpace
from cellmodel.equipment import FIELDS
from cellmodel.errors import InputError
from cellmodel.kernel_run import Progress, attributes, sweep_design
from cellmodel.output_folder import only_writer, output_folder
from cellmodel.parameter_name import snake_case
from cellmodel.store import chunk_regions, open_results
from cellmodel.stream import stream_designs
from cellmodel.study_files import write_files
from cellmodel.study_life import cycle_designs
from cellmodel.study_plan import Plan, equipment_fields, plan_study, relative_name

logger = logging.getLogger("cellmodel")

OUTER = ("protocol", "cell")
STORE = "sweep.zarr"


@dataclass(frozen=True)
class StudyResults:
    """What a study found.

    Parameters
    ----------
    folder
        Where it is written.
    sweep
        Every case: dims protocol, cell, the swept ones, equipment (cycle, site, component, and
        rule_set if there are several); read from disk where it is used.
    designs
        The designs of the table, over `design`, with the coordinates `choice` ("nominal" or
        "best"), cell, protocol, equipment, the swept quantities, `cases`, `admissible_cases`,
        and `at_edge`, the swept quantities that are at an end of their range. If the study has
        them cycled, also cycle_life and delivered_energy, and totals by all rule sets.
    footprint
        The footprint of `designs` by stage and component.
    files
        What was written.
    """

    folder: Path
    sweep: xr.Dataset
    designs: xr.Dataset
    footprint: xr.Dataset
    files: tuple[Path, ...]


def run_study(
    study: str | Path | Plan,
    output: str | Path | None = None,
    *,
    fresh: bool = False,
    progress: Progress | None = None,
) -> StudyResults:
    """Run a study and write its results.

    Rule sets per kWh delivered over life count the designs of the table, nominal and best, once
    the study's table [cycling] has them cycled; best designs are found by the other rule sets.
    The sweep is written chunk by chunk to `sweep.zarr` in the output folder. If the study is
    interrupted, or an input changed, running it again computes only what is missing or changed.

    Parameters
    ----------
    study
        Path of the study file, or a Plan.
    output
        Folder for the results, in place of the one in the file.
    fresh
        Whether to compute again what is there.
    progress
        Called with the cases done and in total after each chunk.

    Raises
    ------
    InputError
        If anything is wrong, before work starts.
    """
    plan = study if isinstance(study, Plan) else plan_study(study, output)
    folder = output_folder(plan.output)
    with only_writer(folder):
        nominal = list(_nominal_designs(plan))
        try:
            check_choice(nominal[0], plan.file.best, plan.file.admissible)
        except InputError as error:
            raise InputError(f"{plan.path}: {error}") from error
        kept = stream_designs(
            folder / STORE,
            plan.designs,
            OUTER,
            plan.file.tolerance,
            plan.chunk_size,
            progress,
            evaluate=plan.evaluate,
            depends=plan.counted_by,
            fresh=fresh,
        )
        regions = chunk_regions(folder / STORE)
        if kept:
            logger.info("%d of %d chunks were there already", kept, len(regions))
        # what was there has been verified by now, and the rest has just been written
        sweep = open_results(folder / STORE, verify=False)
        best = best_designs(sweep, regions, plan.file.best, plan.file.admissible)
        designs = _together([*nominal, *_best_designs(sweep, best)], best)
        if plan.file.cycling is not None:
            designs = cycle_designs(plan, designs)
        details = plan.footprint(designs)
        files = write_files(plan, sweep, designs, details)
    return StudyResults(folder, sweep, designs, details, files)


def _nominal_designs(plan: Plan) -> Iterator[xr.Dataset]:
    """Yield every cell formed by each protocol as it is, with each equipment."""
    over = equipment_fields(plan.equipment, set(FIELDS))
    for (protocol, cell), design in plan.designs.items():
        alone = DesignSpace(design.cell, design.protocol, plan.equipment[0], over)
        result = plan.evaluate(sweep_design(alone, plan.file.tolerance))
        # its point names what is swept elsewhere, so that its fingerprint leaves that out, too
        result = result.assign_attrs(attributes(design))
        own = _own_point(plan, design)
        place = {"protocol": protocol, "cell": cell, "choice": "nominal", "at_edge": ""}
        for index in range(len(plan.equipment)):
            yield result.isel(equipment=index).assign_coords(own | place)


def _own_point(plan: Plan, design: DesignSpace) -> dict[str, xr.Variable]:
    """Return the values that the swept quantities have without the sweep, by coordinate."""
    point = {}
    for name in design.protocol_names:
        point[name] = design.protocol.defaults(design.cell)[name]
    for name in design.plant_names:
        point[name] = plan.plant.values()[name]
    for name in design.parameter_names:
        try:
            point[snake_case(name)] = design.cell.parameter(name)
        except InputError:  # a function of concentration or temperature in the cell's set
            point[snake_case(name)] = math.nan
        if plan.file.over[name].relative:
            point[relative_name(name)] = 1.0
    return {name: xr.Variable((), x, design.coords[name].attrs) for name, x in point.items()}


def _best_designs(
    sweep: xr.Dataset, best: Mapping[tuple[str, str], Choice]
) -> Iterator[xr.Dataset]:
    for labels, choice in best.items():
        if not choice.place:
            logger.warning("no admissible design of %s with %s", *labels)
            continue
        edges = [
            dim
            for dim, index in choice.place.items()
            if dim not in OUTER and sweep.sizes[dim] > 1 and index in (0, sweep.sizes[dim] - 1)
        ]
        point = sweep.sel(dict(zip(GROUPS, labels, strict=True))).isel(choice.place).load()
        yield point.assign_coords(choice="best", at_edge=", ".join(edges))


def _together(points: list[xr.Dataset], best: Mapping[tuple[str, str], Choice]) -> xr.Dataset:
    """Return the designs along `design`: cell by cell, nominal before best."""
    cells = list(dict.fromkeys(cell for cell, _ in best))
    points = sorted(
        points, key=lambda point: (cells.index(point["cell"].item()), point["choice"] == "best")
    )
    counted = []
    for point in points:
        choice = best[point["cell"].item(), point["equipment"].item()]
        counted.append(point.assign_coords(cases=choice.cases, admissible_cases=choice.admissible))
    of_the_case = [
        name
        for name, coordinate in points[0].coords.items()
        if name not in points[0].dims and coordinate.dims != ("rule_set",)
    ]
    joined = xr.concat(
        counted, "design", data_vars="all", coords=[*of_the_case, "cases", "admissible_cases"],
        join="outer", compat="equals", combine_attrs="drop_conflicts",
    )  # fmt: skip
    attributes = {name: v for name, v in joined.attrs.items() if name not in joined.coords}
    return joined.drop_attrs(deep=False).assign_attrs(attributes)
