"""Rule sets: how a footprint is counted, as versioned data."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from cellmodel.circularity import Circularity, load_recycling
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

_CUTOFF = Circularity(allocation=1.0, quality_in=1.0, quality_out=1.0, recovery=0.0)
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
_NOTHING: Mapping = MappingProxyType({})


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
        Material -> Circularity; what is not in it is disposed of.
    disposal
        Name of the factor of disposal of what is not in it; "" without recycling parameters.
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
    disposal: str

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

    def circular(self, material: str) -> Circularity:
        """Return what the circular footprint formula needs of a material, by these rules.

        Cut-off: A = 1, and the end of life is that of the used cell, as a whole; what becomes of
        it after the shredder belongs to those who use what is recycled. Avoided burden: A = 0
        and B = 0.
        """
        if self.recycling == "cutoff":
            return _CUTOFF
        own = self.circularity.get(material, dataclasses.replace(_CUTOFF, disposal=self.disposal))
        if self.recycling == "cff":
            return own
        whole = own.incinerator and dataclasses.replace(own.incinerator, allocation=0.0)
        return dataclasses.replace(own, allocation=0.0, incinerator=whole)

    def replace(self, **changes: float | str | bool) -> RuleSet:
        """Return the rule set with other choices or numbers; its title says which.

        Parameters
        ----------
        changes
            `name`; `recycling`, `electricity` and the other choices; `strict`; `vehicle_class`;
            `cutoff_criterion`, `usable_share`, `warranty`.

        Raises
        ------
        InputError
            If a key is unknown, what is given for it is not allowed, or `recycling` needs
            parameters that the rule set does not have.
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
        if others.get("recycling", "cutoff") != "cutoff" and not self.disposal:
            raise InputError(
                f"rule set {self.name!r}: recycling {others['recycling']!r} needs recycling "
                "parameters, and it has none; change one that has them, as 'capacity-cff'"
            )
        changed = ", ".join(key for key in changes if key != "name")
        title = f"{self.title}; {changed} set by the user" if changed else self.title
        return dataclasses.replace(
            self, title=title, quantities=MappingProxyType(quantities), **others
        )


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
    circularity, disposal = _NOTHING, ""
    if "circularity" in table:
        parameters = load_recycling(table["circularity"])
        circularity, disposal = parameters.materials, parameters.disposal
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
        circularity=circularity,
        disposal=disposal,
    )


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
