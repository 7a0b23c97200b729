"""A study before it runs: its inputs loaded and checked, its size and duration estimated."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numba
import numpy as np
import xarray as xr

from cellmodel.cell import Cell, load_cell
from cellmodel.compilation import is_compiled
from cellmodel.design_space import DesignSpace
from cellmodel.electricity import site_shares
from cellmodel.equipment import FIELDS, Equipment, load_equipment
from cellmodel.errors import InputError, unknown_name
from cellmodel.factors import Factors, load_factors
from cellmodel.fingerprint import fingerprint
from cellmodel.footprint import footprint
from cellmodel.kernel_run import CHUNK_SIZE, sweep_design
from cellmodel.materials import COMPONENTS, SECOND
from cellmodel.own_factors import check_own_names
from cellmodel.parameter_name import snake_case, unit_of
from cellmodel.plant import Plant, load_plant
from cellmodel.protocol import Protocol, load_protocol
from cellmodel.ramp import Ramp, load_ramp, ramp_up
from cellmodel.recycling import check_effect, check_recycled_content, inputs_of
from cellmodel.rules import RuleSet, load_rules
from cellmodel.study_file import StudyFile, read_study
from cellmodel.variables import VARIABLES
from cellmodel.waste_loop import WasteLoop, load_waste_loop

logger = logging.getLogger("cellmodel")

SMALLEST_CHUNK = 2048  # rows; writing a chunk takes as long as forming some hundred cells
CHUNKS = 25  # of a small study: an interruption costs a few per cent
SAMPLE = 512  # cases formed to see how fast this machine is
CASES_PER_SECOND = 2000  # and core, assumed as long as the kernels are not compiled
COMPILING = 20.0  # s
AROUND = {"formation_energy": 1.0, "footprint": 1.0, "trace": 6.0}  # s, for the figures
STARTING = 6.0  # s: PyBaMM, tables of the cells, nominal designs
CYCLING = 15.0  # s, a design that is cycled 500 to 1000 times
PROCESS = 600e6  # bytes of a process with PyBaMM, Numba and matplotlib
COPIES = 4  # of a chunk in memory while it is computed and written
BYTES = 8
OF_THE_PLANT = 5  # further variables of a footprint that differ from year to year
TOTALS = ("carbon_footprint_total", "carbon_footprint_to_gate")


@dataclass(frozen=True)
class Plan:
    """A study whose inputs are loaded and checked.

    Parameters
    ----------
    path, file
        The study file, and what is in it.
    output
        Folder for the results.
    cells, protocols, equipment, plant, factors, rules, ageing, waste_loop, ramp
        What its names stand for; `ageing` is the protocol of [cycling], None without it, and so
        are the last two.
    designs
        (protocol, cell) -> design space. All have the dimension `equipment`, along which the
        fields of the equipment vary.
    """

    path: Path
    file: StudyFile
    output: Path
    cells: tuple[Cell, ...]
    protocols: tuple[Protocol, ...]
    equipment: tuple[Equipment, ...]
    plant: Plant
    factors: Factors
    rules: tuple[RuleSet, ...]
    designs: Mapping[tuple[str, str], DesignSpace]
    ageing: Protocol | None
    waste_loop: WasteLoop | None
    ramp: Ramp | None

    @property
    def sweep_rules(self) -> tuple[RuleSet, ...]:
        """Rule sets that count every case; those over life count the designs, which are cycled."""
        return tuple(one for one in self.rules if one.functional_unit != "life")

    @property
    def cases(self) -> int:
        """Number of formations to be simulated."""
        return sum(design.kernel_size for design in self.designs.values())

    @property
    def rows(self) -> int:
        """Number of designs that are compared: formations times what else varies."""
        return sum(design.size for design in self.designs.values())

    @property
    def chunk_size(self) -> int:
        """Rows that are computed and written at a time."""
        return min(max(self.rows // CHUNKS, SMALLEST_CHUNK), CHUNK_SIZE)

    @property
    def counted_by(self) -> str:
        """Fingerprint of what footprints depend on besides what is formed."""
        file = self.file
        return fingerprint(
            self.plant, self.factors, file.sites, self.sweep_rules, file.recycled_content,
            file.onsite_share, file.contract_share, self.waste_loop, self.ramp,
        )  # fmt: skip

    def evaluate(self, formed: xr.Dataset) -> xr.Dataset:
        """Return the summary of formations with the totals of their footprint."""
        totals = self.footprint(formed, detail=False).drop_vars("material_input")
        merged = formed.merge(totals, join="exact", compat="override")
        return merged.assign_attrs(formed.attrs | totals.attrs)

    def footprint(self, formed: xr.Dataset, *, detail: bool = True) -> xr.Dataset:
        """Return the footprint with the study's plant, sites, factors and rules.

        Rule sets per kWh delivered over life count where `formed` has it. With a ramp it is over
        `year`, in place of years that `formed` has.
        """
        rules = self.rules if "delivered_energy" in formed else self.sweep_rules
        rules = rules if len(rules) > 1 else rules[0]
        inside = inputs_of(formed["component_mass"]["material"].values.flat, self.factors)
        of_ramp = []
        if self.ramp is not None:
            formed = ramp_up(formed.drop_dims("year", errors="ignore"), self.ramp, self.factors)
            of_ramp = [*self.ramp.fields, "grid_intensity"]
        result = footprint(
            formed,
            self.plant,
            self.file.sites,
            self.factors,
            rules=rules,
            recycled_content={n: x for n, x in self.file.recycled_content.items() if n in inside},
            onsite_share=self.file.onsite_share,
            contract_share=self.file.contract_share,
            waste_loop=self.waste_loop,
            detail=detail,
        )
        return result.drop_vars(of_ramp, errors="ignore")


@dataclass(frozen=True)
class Estimate:
    """What a study will take.

    Parameters
    ----------
    seconds
        From start to end, compiling included if it is due.
    memory, disk
        Bytes; disk before compression, so at most.
    compiled
        Whether the kernels are compiled; if not, the speed is an assumption.
    """

    seconds: float
    memory: float
    disk: float
    compiled: bool


def plan_study(study: str | Path, output: str | Path | None = None) -> Plan:
    """Load and check everything that a study names.

    Parameters
    ----------
    study
        Path of the study file.
    output
        Folder for the results, in place of the one in the file.

    Raises
    ------
    InputError
        If anything is wrong; the message begins with the file.
    """
    path = Path(study)
    file = read_study(path)
    try:
        cells = tuple(load_cell(_located(name, path)) for name in file.cells)
        protocols = tuple(load_protocol(_located(name, path)) for name in file.protocols)
        equipment = tuple(load_equipment(_located(name, path)) for name in file.equipment)
        for kind, entries in (("cells", cells), ("protocols", protocols), ("equipment", equipment)):
            names = [entry.name for entry in entries]
            if len(set(names)) < len(names):
                raise InputError(f"{kind} must have different names, got {names}")
        plant = load_plant(_located(file.plant, path))
        factors = load_factors(None if file.factors is None else path.parent / file.factors)
        rules = tuple(load_rules(_located(name, path)) for name in file.rules)
        _check_sites(file, factors)
        factors = _check_bought(file, cells, factors, rules)
        waste_loop = (
            None if file.waste_loop is None else load_waste_loop(_located(file.waste_loop, path))
        )
        ramp = None if file.ramp is None else load_ramp(_located(file.ramp, path))
        _check_ramp(ramp, file)
        _check_rules(rules, cycled=file.cycling is not None)
        ageing = (
            None if file.cycling is None else load_protocol(_located(file.cycling.protocol, path))
        )
        designs = {
            (protocol.name, cell.name): DesignSpace(
                cell, protocol, equipment[0], _over(file, cell, equipment), plant.fields()
            )
            for protocol in protocols
            for cell in cells
        }
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    folder = Path(file.output if output is None else output)
    return Plan(
        path, file, folder, cells, protocols, equipment, plant, factors, rules, designs, ageing,
        waste_loop, ramp,
    )  # fmt: skip


def estimate(plan: Plan) -> Estimate:
    """Return how long a study takes and how large it is; simulates a few cases if that is quick."""
    cycles = 1 + max(step.cycle for protocol in plan.protocols for step in protocol.steps)
    sizes = {"cycle": cycles, "site": len(plan.file.sites)}
    values = sum(
        np.prod([sizes[dim] for dim in spec.dims])
        for spec in VARIABLES.values()
        if set(spec.dims) <= set(sizes)
    )
    # further rule sets: the totals once more each; further years: also what the plant takes
    totals = len(TOTALS) * sizes["site"] * len(plan.sweep_rules)
    values += totals - len(TOTALS) * sizes["site"]
    if plan.ramp is not None:
        values += (len(plan.ramp.years) - 1) * (totals + OF_THE_PLANT)
    around = STARTING + sum(AROUND[name] for name in plan.file.plots)
    if plan.file.cycling is not None:
        formed_differently = len(plan.designs) + len(plan.cells) * len(plan.equipment)
        around += CYCLING * formed_differently
    compiled = is_compiled()
    if compiled:
        per_second = _speed(plan)
    else:
        per_second = CASES_PER_SECOND * numba.get_num_threads()
        around += COMPILING
    return Estimate(
        seconds=around + plan.cases / per_second,
        memory=PROCESS + COPIES * BYTES * float(values) * min(plan.rows, plan.chunk_size),
        disk=BYTES * float(values) * plan.rows,
        compiled=compiled,
    )


def equipment_fields(equipment: tuple[Equipment, ...], fields: set[str]) -> dict[str, xr.DataArray]:
    """Return fields of equipment as arrays along the dimension `equipment`."""
    names = [entry.name for entry in equipment]
    coordinate = {"equipment": ("equipment", names, {"long_name": "formation equipment"})}
    return {
        field: xr.DataArray([getattr(e, field) for e in equipment], coordinate, "equipment")
        for field in sorted(fields)
    }


def relative_name(name: str) -> str:
    """Return the dimension of a parameter that is swept relative to each cell's own value."""
    return f"relative_{snake_case(name)}"


def _speed(plan: Plan) -> float:
    """Return the cases formed per second, from a sample in the middle of the first design space."""
    design = next(iter(plan.designs.values()))
    region = {}
    room = SAMPLE
    for dim in reversed(design.kernel_dims):
        length = min(room, design.dims[dim])
        middle = (design.dims[dim] - length) // 2
        region[dim] = slice(middle, middle + length)
        room = max(room // length, 1)
    sample = design.slab(region)
    sweep_design(sample.slab({dim: slice(0, 1) for dim in region}))  # loads the machine code
    start = time.perf_counter()
    sweep_design(sample, plan.file.tolerance)
    return sample.kernel_size / (time.perf_counter() - start)


def _located(name: str, study: Path) -> str:
    """Return a shipped name as it is, and a path as seen from the folder of the study file."""
    is_path = name.endswith(".toml") or "/" in name or "\\" in name
    return str(study.parent / name) if is_path else name


def _check_sites(file: StudyFile, factors: Factors) -> None:
    known = factors.sites()
    for site in file.sites:
        if site not in known:
            raise unknown_name("site", site, known)


def _check_bought(
    file: StudyFile, cells: tuple[Cell, ...], factors: Factors, rules: tuple[RuleSet, ...]
) -> Factors:
    """Return the factors; a row that one cell asks for is no slip where another is counted."""
    content = check_recycled_content(file.recycled_content, factors)
    materials = {
        cell.name: {
            str(entry) for key, entry in cell.materials.items() if key in (*COMPONENTS, SECOND)
        }
        for cell in cells
    }
    of_all = set().union(*materials.values())
    check_effect(content, of_all, factors)
    check_own_names(factors, of_all, rules)
    for cell, own in materials.items():
        idle = sorted(set(content) - inputs_of(own, factors))
        if idle:
            logger.warning("recycled_content of %s: %s contains none", ", ".join(idle), cell)
    site_shares("onsite_share", file.onsite_share, file.sites)
    site_shares("contract_share", file.contract_share, file.sites)
    own_names = tuple(name for name in factors.own if name not in of_all)
    return dataclasses.replace(factors, own=own_names)


def _check_ramp(ramp: Ramp | None, file: StudyFile) -> None:
    twice = [name for name in file.over if ramp is not None and name in ramp.fields]
    if twice:
        raise InputError(
            f"[over] must not have {', '.join(twice)}: ramp {ramp.name!r} sets it; remove it from "
            "the ramp or from the sweep"
        )


def _check_rules(rules: tuple[RuleSet, ...], *, cycled: bool) -> None:
    names = [one.name for one in rules]
    if len(set(names)) < len(names):
        raise InputError(f"rules must have different names, got {names}")
    over_life = [one.name for one in rules if one.functional_unit == "life"]
    if over_life and not cycled:
        raise InputError(
            f"rules {', '.join(over_life)} count per kWh delivered over life: add a table "
            "[cycling], as [cycling] protocol = 'ageing-1c', to have the designs of the table "
            "cycled; it may be empty"
        )
    if len(over_life) == len(rules):
        raise InputError(
            f"rules must have one that does not count over life besides {', '.join(over_life)}: by "
            "it the best designs are found, which are cycled then"
        )


def _over(
    file: StudyFile, cell: Cell, equipment: tuple[Equipment, ...]
) -> dict[str, np.ndarray | xr.DataArray]:
    """Return what is swept for one cell, the equipment included."""
    over: dict[str, np.ndarray | xr.DataArray] = {}
    for name, sweep in file.over.items():
        over[name] = sweep.numbers()
        if sweep.relative:
            dim = relative_name(name)
            words = snake_case(name).replace("_", " ")
            attributes = {"units": "1", "long_name": f"{words} / that of the cell"}
            over[name] = xr.DataArray(
                sweep.numbers() * _own_value(name, cell),
                dims=dim,
                coords={dim: (dim, sweep.numbers(), attributes)},
            )
    return over | equipment_fields(equipment, set(FIELDS) - set(over))


def _own_value(name: str, cell: Cell) -> float:
    if not unit_of(name) and name == snake_case(name):
        raise InputError(
            f"[over] {name}: only a parameter of the cell can be relative, named as in PyBaMM, "
            "'Positive electrode thickness [m]'"
        )
    return cell.parameter(name)
