"""The study file: what a user writes to have candidates compared. TOML, checked before any work."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pydantic
from pydantic import BaseModel, ConfigDict, Field

from cellmodel.errors import InputError, quoted
from cellmodel.quantity import Range, check_keys, read_toml
from cellmodel.rules import DEFAULT_RULES

FIGURES = ("formation_energy", "footprint", "trace")
MOST_VALUES = 1_000_000  # along one dimension

Name = Annotated[str, Field(min_length=1, max_length=1000)]
Names = Annotated[list[Name], Field(min_length=1, max_length=100)]


class _Table(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True)


class Sweep(_Table):
    """Values of a swept quantity: a list, or a number of values from one to another.

    Parameters
    ----------
    first, last, count
        Keys `from`, `to`, `count`.
    spacing
        "linear" or "logarithmic".
    values
        In place of them; a bare list means the same.
    relative
        Whether the numbers are factors of each cell's own value.
    """

    first: float | None = Field(None, alias="from")
    last: float | None = Field(None, alias="to")
    count: int | None = Field(None, ge=2, le=MOST_VALUES)
    spacing: Literal["linear", "logarithmic"] = "linear"
    values: list[float] | None = Field(None, min_length=1, max_length=MOST_VALUES)
    relative: bool = False

    @pydantic.model_validator(mode="before")
    @classmethod
    def _list(cls, data: object) -> object:
        return {"values": data} if isinstance(data, list) else data

    @pydantic.model_validator(mode="after")
    def _complete(self) -> Sweep:
        ends = (self.first, self.last, self.count)
        if (self.values is None) == any(end is None for end in ends):
            raise ValueError("needs either a list of values, or from, to and count")
        if self.values is not None and any(end is not None for end in ends):
            raise ValueError("takes either a list of values, or from, to and count, not both")
        if self.spacing == "logarithmic" and self.values is None and min(ends[:2]) <= 0:
            raise ValueError("from and to must be above 0 for logarithmic spacing")
        return self

    def numbers(self) -> np.ndarray:
        """Return the values, shape (count,)."""
        if self.values is not None:
            return np.array(self.values, dtype=float)
        space = np.geomspace if self.spacing == "logarithmic" else np.linspace
        return space(self.first, self.last, self.count)


class Best(_Table):
    """What the best design has: the lowest value of a variable, at one of its sites or cycles."""

    minimise: Name = "carbon_footprint_total"
    at: dict[Name, str | int] = {}


class Limits(_Table):
    """What a variable of an admissible design may be, bounds included."""

    low: float | None = None
    high: float | None = None

    @pydantic.model_validator(mode="after")
    def _in_order(self) -> Limits:
        if self.low is None and self.high is None:
            raise ValueError("needs low, high or both")
        if None not in (self.low, self.high) and self.low > self.high:
            raise ValueError("low must not exceed high")
        return self

    def sentence(self, name: str) -> str:
        """Return the limits of the variable `name` in words."""
        bounds = ((">=", self.low), ("<=", self.high))
        return " and ".join(f"{name} {sign} {x:g}" for sign, x in bounds if x is not None)


class Cycling(_Table):
    """How the designs of the table are cycled: by PyBaMM, `simulate_cycling`.

    Parameters
    ----------
    protocol
        Shipped name, or path from the folder of the study file.
    cycles
        Most often.
    threshold
        End of life: discharge capacity / that of the first cycle.
    """

    protocol: Name = "ageing-1c"
    cycles: int = Field(1000, ge=1, le=100_000)
    threshold: float = Field(0.8, gt=0, lt=1)


class StudyFile(_Table):
    """A study as written.

    Parameters
    ----------
    title
        One line for people.
    cells, protocols, equipment
        Shipped names, or paths of .toml files from the folder of the study file.
    plant, factors
        Likewise; `factors` is a CSV file whose rows replace shipped emission factors.
    sites
        Where the plant may stand.
    rules
        Rule sets by which the footprint is counted: shipped names or paths. Several of them give
        results the dimension `rule_set`.
    recycled_content, onsite_share, contract_share, waste_loop
        As for `footprint`; `waste_loop` is a shipped name or a path. What a cell does not contain
        has no recycled content in it.
    ramp
        How the plant grows, for `ramp_up`: shipped name or path. Results get the dimension `year`.
    output
        Folder for the results.
    tolerance
        Of the kernels; see `sweep_formation`.
    plots
        Which figures to draw.
    over
        What is swept; names as for `sweep_formation`.
    best, admissible
        How the best design is chosen, and among which: variable -> limits.
    cycling
        How designs are cycled; None if they are not. Rule sets per kWh delivered over life need it.
    """

    title: Name = "Study"
    cells: Names
    protocols: Names
    equipment: Names
    plant: Name = "gigafactory-16gwh"
    factors: Name | None = None
    sites: Names = ["FR", "DE", "PL", "CN"]
    rules: Names = [DEFAULT_RULES]
    recycled_content: dict[Name, float] = {}
    onsite_share: float | dict[Name, float] = 0.0
    contract_share: float | dict[Name, float] = 0.0
    waste_loop: Name | None = None
    ramp: Name | None = None
    output: Name = "results"
    tolerance: float = Field(1.0, gt=1e-4, le=100)
    plots: list[Literal["formation_energy", "footprint", "trace"]] = list(FIGURES)
    over: dict[Name, Sweep] = Field(min_length=1)
    best: Best = Best()
    admissible: dict[Name, Limits] = {}
    cycling: Cycling | None = None


def read_study(path: str | Path) -> StudyFile:
    """Read a study file.

    Raises
    ------
    InputError
        If it is not TOML, or a key is unknown, missing or has a value that cannot be: the message
        names the file, the key, and what is allowed.
    """
    table = read_toml(path)
    _check_all_keys(table, str(path))
    try:
        study = StudyFile.model_validate(table)
    except pydantic.ValidationError as error:
        raise InputError(f"{path}: {_sentence(error.errors()[0])}") from error
    for key in ("cells", "protocols", "equipment", "sites", "rules", "plots"):
        names = getattr(study, key)
        if len(set(names)) < len(names):
            raise InputError(f"{path}: {key} must differ from each other, got {quoted(names)}")
    for name, sweep in study.over.items():
        Range().check_array(f"{path}: [over] {name}", sweep.numbers())
    return study


def _check_all_keys(table: Mapping[str, Any], path: str) -> None:
    """Compare keys ourselves, because pydantic does not say which ones exist."""
    required = [name for name, field in StudyFile.model_fields.items() if field.is_required()]
    check_keys(table, _keys(StudyFile), path, required=required)
    for key, model in (("over", Sweep), ("admissible", Limits)):
        if isinstance(table.get(key), Mapping):
            for name, entry in table[key].items():
                if isinstance(entry, Mapping):
                    check_keys(entry, _keys(model), f"{path}: [{key}] {name}")
    for key, model in (("best", Best), ("cycling", Cycling)):
        if isinstance(table.get(key), Mapping):
            check_keys(table[key], _keys(model), f"{path}: [{key}]")


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _sentence(error: Mapping[str, Any]) -> str:
    """Return one line for an error of pydantic: the key, what must hold, what was got."""
    key = ".".join(str(part) for part in error["loc"])
    rule = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    rule = re.sub(r"a valid dictionary( or instance of \w+)?", "a table", rule)
    return f"{key}: {rule[:1].lower()}{rule[1:]}, got {quoted(error['input'])}"
