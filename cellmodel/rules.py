"""Rule sets: how a footprint is counted, as versioned data."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from cellmodel.errors import InputError, quoted, unknown_name
from cellmodel.quantity import Quantity, Range, check_keys, read_input, read_quantity, shipped, text

STATUSES = ("adopted", "draft", "industry practice", "own proposal")
FUNCTIONAL_UNITS: Mapping[str, str] = MappingProxyType(
    {
        "capacity": "capacity",
        "warranty": "energy delivered over the warranty",
        "life": "energy delivered over the simulated life",
    }
)
RECYCLING: Mapping[str, str] = MappingProxyType(
    {
        "cutoff": "cut-off",
        "cff": "circular footprint formula",
        "avoided": "avoided burden",
    }
)
ELECTRICITY: Mapping[str, str] = MappingProxyType(
    {"location": "location-based", "market": "market-based"}
)
NO_RESIDUAL = ("location", "refuse")
CHARACTERISATION = ("as stated", "AR5", "AR6")
DEFAULT_RULES = "capacity-cutoff"

_SHARE = Range(0, 1, "1", hint="did you pass per cent?")
_CYCLES = Range(0, 10_000, "a-1", above=True)
_NUMBERS: Mapping[str, Range] = MappingProxyType(
    {
        "cutoff_criterion": Range(0, 1, "1", below=True, hint="did you pass per cent?"),
        "usable_share": Range(0, 1, "1", above=True, hint="did you pass per cent?"),
        "warranty": Range(0, 100, "a", above=True),
    }
)
_OF_WARRANTY = ("vehicle_class", "cycles_per_year", "usable_share", "warranty")
_CHOICES: Mapping[str, Iterable[str]] = MappingProxyType(
    {
        "status": STATUSES,
        "functional_unit": FUNCTIONAL_UNITS,
        "recycling": RECYCLING,
        "electricity": ELECTRICITY,
        "without_residual_mix": NO_RESIDUAL,
        "characterisation": CHARACTERISATION,
    }
)
_CIRCULARITY: Mapping[str, Range] = MappingProxyType(
    {"allocation": _SHARE, "quality_in": _SHARE, "quality_out": _SHARE}
)
_NOTHING: Mapping = MappingProxyType({})


@dataclass(frozen=True)
class Circularity:
    """What the circular footprint formula needs of a material.

    Parameters
    ----------
    allocation
        A: share of burdens and credits of recycling that stay with the user of recycled
        material [1].
    quality_in, quality_out
        Quality of recycled material that goes in, and of what is recovered at the end, to that
        of primary material: Qsin/Qp and Qsout/Qp [1].
    recovery
        R2: share that comes back as recycled material at the end of life [1].
    """

    allocation: float
    quality_in: float
    quality_out: float
    recovery: float


@dataclass(frozen=True)
class RuleSet:
    """How a footprint is counted.

    Parameters
    ----------
    name, title, source
        File stem, one line for people, where the rules come from.
    version, status, published, checked
        Of the text behind it; "adopted", "draft", "industry practice" or "own proposal"; the day
        it was published, and the day its status was last looked up, both ISO dates.
    functional_unit
        Per kWh of "capacity", or delivered over the "warranty" or the simulated "life".
    recycling
        "cutoff", "cff" (circular footprint formula) or "avoided" (burden of primary material).
    electricity
        "location" or "market".
    without_residual_mix
        What "market" does at a site without residual mix: takes the "location" mix, or "refuse".
    characterisation
        Set of warming potentials that the factors should have, "AR5", "AR6" or "as stated".
    strict
        Whether factors of several lineages or sets of warming potentials are refused.
    vehicle_class
        Key of `cycles_per_year`; empty unless the functional unit is "warranty".
    quantities
        `cutoff_criterion`, share of the cell's mass below which a component is not counted [1];
        for "warranty" also `usable_share` of the capacity [1] and `warranty` [a].
    cycles_per_year
        Vehicle class -> full equivalent cycles [a-1].
    circularity
        Material -> Circularity; what is not in it is not recycled.
    """

    name: str
    title: str
    source: str
    version: str
    status: str
    published: str
    checked: str
    functional_unit: str
    recycling: str
    electricity: str
    without_residual_mix: str
    characterisation: str
    strict: bool
    vehicle_class: str
    quantities: Mapping[str, Quantity]
    cycles_per_year: Mapping[str, Quantity]
    circularity: Mapping[str, Circularity]

    @property
    def cutoff_criterion(self) -> float:
        """Share of the cell's mass below which a component is not counted [1]."""
        return self.quantities["cutoff_criterion"].value

    def deliveries(self) -> float:
        """Return the kWh delivered over the warranty per kWh of capacity.

        usable share * full equivalent cycles per year * years of warranty.
        """
        cycles = self.cycles_per_year[self.vehicle_class].value
        return self.quantities["usable_share"].value * cycles * self.quantities["warranty"].value

    def replace(self, **changes: float | str | bool) -> RuleSet:
        """Return the rule set with other choices or numbers.

        Parameters
        ----------
        changes
            `name`; `recycling`, `electricity` and the other choices; `strict`; `vehicle_class`;
            `cutoff_criterion`, `usable_share`, `warranty`.

        Raises
        ------
        InputError
            If a key is unknown, or what is given for it is not allowed.
        """
        free = [key for key in _CHOICES if key != "functional_unit"]
        known = ("name", *free, "strict", "vehicle_class", *self.quantities)
        quantities, others = dict(self.quantities), {}
        for key, value in changes.items():
            what = f"rule set {self.name!r}: {key}"
            if key not in known:
                raise unknown_name(f"key of rule set {self.name!r}", key, known)
            if key in quantities:
                number = _NUMBERS[key].check(what, value)
                quantities[key] = Quantity(number, _NUMBERS[key].unit, "set by the user")
            elif key in _CHOICES:
                others[key] = _choice(key, value, what)
            elif key == "vehicle_class":
                others[key] = _vehicle_class(value, self.cycles_per_year, what)
            else:
                others[key] = _flag(value, what) if key == "strict" else text(value, what)
        return dataclasses.replace(self, quantities=MappingProxyType(quantities), **others)


def list_rules() -> list[str]:
    """Return the names of the rule sets that come with the package."""
    return list(shipped("rules"))


def load_rules(name: str | Path | RuleSet) -> RuleSet:
    """Read a rule set.

    Parameters
    ----------
    name
        Name of a shipped rule set, path of a .toml file, or a RuleSet, which is returned as is.

    Raises
    ------
    InputError
        If there is no such rule set, or the file is wrong: unknown or missing keys, choices that
        do not exist, units, numbers out of range.
    """
    if isinstance(name, RuleSet):
        return name
    dates = ("published", "checked")
    required = (
        "version", *dates, "status", "functional_unit", "recycling", "electricity",
        "cutoff_criterion",
    )  # fmt: skip
    usual = {"without_residual_mix": "location", "characterisation": "as stated", "strict": False}
    optional = (*usual, "circularity", *_OF_WARRANTY)
    path, table, texts = read_input("rules", "rule set", name, required, optional)
    filled = usual | table
    choices = {key: _choice(key, filled[key], f"{path}: {key}") for key in _CHOICES}
    warranty = [key for key in _OF_WARRANTY if key in table]
    if choices["functional_unit"] == "warranty":
        check_keys(table, table, str(path), required=_OF_WARRANTY)
    elif warranty:
        raise InputError(
            f"{path}: {', '.join(warranty)} must not be given unless functional_unit is 'warranty'"
        )
    if choices["recycling"] != "cutoff" and "circularity" not in table:
        raise InputError(
            f"{path}: recycling {choices['recycling']!r} needs circularity, the name or path of a "
            "table of recycling parameters"
        )
    cycles = _cycles(table.get("cycles_per_year", {}), f"{path}: cycles_per_year")
    vehicle = table.get("vehicle_class", "")
    return RuleSet(
        **texts,
        **choices,
        version=text(table["version"], f"{path}: version"),
        **{key: _date(table[key], f"{path}: {key}") for key in dates},
        strict=_flag(filled["strict"], f"{path}: strict"),
        vehicle_class=vehicle and _vehicle_class(vehicle, cycles, f"{path}: vehicle_class"),
        quantities=MappingProxyType(
            {
                key: read_quantity(table[key], f"{path}: {key}", bounds)
                for key, bounds in _NUMBERS.items()
                if key in table
            }
        ),
        cycles_per_year=cycles,
        circularity=_circularity(table["circularity"]) if "circularity" in table else _NOTHING,
    )


def _circularity(name: object) -> Mapping[str, Circularity]:
    """Read a table of recycling parameters: classes of materials, and the materials in them."""
    path, table, _ = read_input(
        "recycling", "table of recycling parameters", name, ("class", "material")
    )
    if not isinstance(table["class"], Mapping) or not isinstance(table["material"], Mapping):
        raise InputError(f"{path}: must have tables [class.<name>] and [material.<name>]")
    classes = {}
    for key, entry in table["class"].items():
        where = f"{path}: class {key}"
        check_keys(entry, _CIRCULARITY, where, required=tuple(_CIRCULARITY))
        classes[key] = {
            field: read_quantity(entry[field], f"{where}: {field}", bounds).value
            for field, bounds in _CIRCULARITY.items()
        }
    materials = {}
    for key, entry in table["material"].items():
        where = f"{path}: material {key}"
        check_keys(entry, ("class", "recovery"), where, required=("class", "recovery"))
        if entry["class"] not in classes:
            raise unknown_name(f"class of material {key!r}", entry["class"], classes)
        recovery = read_quantity(entry["recovery"], f"{where}: recovery", _SHARE).value
        materials[key] = Circularity(**classes[entry["class"]], recovery=recovery)
    return MappingProxyType(materials)


def _cycles(table: object, where: str) -> Mapping[str, Quantity]:
    if not isinstance(table, Mapping):
        raise InputError(f"{where} must be a table, vehicle class -> quantity, got {quoted(table)}")
    return MappingProxyType(
        {key: read_quantity(entry, f"{where}.{key}", _CYCLES) for key, entry in table.items()}
    )


def _vehicle_class(value: object, cycles: Mapping[str, Quantity], what: str) -> str:
    if not isinstance(value, str) or value not in cycles:
        raise unknown_name(f"value of {what}:", value, cycles)
    return value


def _choice(key: str, value: object, what: str) -> str:
    if not isinstance(value, str) or value not in _CHOICES[key]:
        raise unknown_name(f"value of {what}:", value, _CHOICES[key])
    return value


def _flag(value: object, what: str) -> bool:
    if not isinstance(value, bool):
        raise InputError(f"{what} must be true or false, got {quoted(value)}")
    return value


def _date(value: object, what: str) -> str:
    if not isinstance(value, datetime.date) or isinstance(value, datetime.datetime):
        raise InputError(
            f"{what} must be a date as 2024-04-30, without quotes, got {quoted(value)}"
        )
    return value.isoformat()
