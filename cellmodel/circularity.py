"""Parameters of the circular footprint formula: what becomes of each material, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cellmodel.errors import InputError, unknown_name
from cellmodel.quantity import Quantity, Range, check_keys, read_input, read_quantity, shipped, text

_SHARE = Range(0, 1, "1", hint="did you pass per cent?")
_CLASS: Mapping[str, Range] = MappingProxyType(
    {"allocation": _SHARE, "quality_in": _SHARE, "quality_out": _SHARE}
)
_BURNT: Mapping[str, Range] = MappingProxyType(
    {
        "energy_recovery": _SHARE,
        "lower_heating_value": Range(0, 150, "MJ kg-1", hint="did you pass kJ?"),
    }
)
_INCINERATOR: Mapping[str, Range] = MappingProxyType(
    {
        "allocation": _SHARE,
        "heat_efficiency": _SHARE,
        "electricity_efficiency": _SHARE,
        "boiler_efficiency": Range(0, 1.1, "1", above=True, hint="did you pass per cent?"),
    }
)
_ROUNDING = 1e-12  # of the sum of two shares


@dataclass(frozen=True)
class Incinerator:
    """Where energy is recovered from what is burnt.

    Parameters
    ----------
    allocation
        B: share of burdens and credits of energy recovery that go to the user of the energy [1].
    heat_efficiency, electricity_efficiency
        X_heat and X_elec: energy delivered to the lower heating value of what is burnt [1].
    boiler_efficiency
        Of the gas boiler whose heat is displaced [1].
    region
        Where electricity is displaced: region of its factor.
    """

    allocation: float
    heat_efficiency: float
    electricity_efficiency: float
    boiler_efficiency: float
    region: str


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
    energy_recovery
        R3: share that is burnt for its energy at the end of life [1].
    lower_heating_value
        LHV [MJ kg-1].
    disposal
        Name of the factor E_D of what is neither recovered nor burnt; "" if that is not counted.
    incinerator
        Needed if `energy_recovery` is above 0.

    Raises
    ------
    InputError
        If more is recovered and burnt than there is.
    """

    allocation: float
    quality_in: float
    quality_out: float
    recovery: float
    energy_recovery: float = 0.0
    lower_heating_value: float = 0.0
    disposal: str = ""
    incinerator: Incinerator | None = None

    def __post_init__(self) -> None:
        if self.recovery + self.energy_recovery > 1 + _ROUNDING:
            raise InputError(
                "recovery + energy_recovery (R2 + R3) must be at most 1, got "
                f"{self.recovery:g} + {self.energy_recovery:g}: what is burnt is not recovered; "
                "lower one of them"
            )

    @property
    def disposed(self) -> float:
        """Share that is disposed of, 1 - R2 - R3 [1]."""
        return max(1 - self.recovery - self.energy_recovery, 0.0)


@dataclass(frozen=True)
class RecyclingParameters:
    """A table of recycling parameters.

    Parameters
    ----------
    name, title, source
        File stem, one line for people, where the figures come from.
    materials
        Material -> Circularity.
    disposal
        Name of the factor of disposal of all other materials.
    quantities
        "class: field" or "material (class): field" -> what the file says; its range is for people,
        no uncertainty is drawn from it.
    """

    name: str
    title: str
    source: str
    materials: Mapping[str, Circularity]
    disposal: str
    quantities: Mapping[str, Quantity]


def list_recycling() -> list[str]:
    """Return the names of the tables of recycling parameters that come with the package."""
    return list(shipped("recycling"))


def load_recycling(name: object) -> RecyclingParameters:
    """Read a table of recycling parameters: classes of materials, and the materials in them.

    Parameters
    ----------
    name
        Name of a shipped table, or path of a .toml file.

    Raises
    ------
    InputError
        If there is none, or it is wrong: unknown or missing keys, units, numbers out of range,
        more recovered and burnt than there is, something burnt and no incinerator.
    """
    path, table, texts = read_input(
        "recycling",
        "table of recycling parameters",
        name,
        ("disposal", "class", "material"),
        ("incinerator",),
    )
    if not isinstance(table["class"], Mapping) or not isinstance(table["material"], Mapping):
        raise InputError(f"{path}: must have tables [class.<name>] and [material.<name>]")
    disposal = text(table["disposal"], f"{path}: disposal")
    quantities: dict[str, Quantity] = {}

    def numbers_of(
        what: str, entry: Mapping, bounds: Mapping[str, Range], where: str
    ) -> dict[str, float]:
        read = {
            field: read_quantity(entry[field], f"{where}: {field}", own)
            for field, own in bounds.items()
        }
        quantities.update({f"{what}: {field}": quantity for field, quantity in read.items()})
        return {field: quantity.value for field, quantity in read.items()}

    incinerator = None
    if "incinerator" in table:
        entry, where = table["incinerator"], f"{path}: incinerator"
        check_keys(entry, (*_INCINERATOR, "region"), where, required=(*_INCINERATOR, "region"))
        region = text(entry["region"], f"{where}: region")
        numbers = numbers_of("incinerator", entry, _INCINERATOR, where)
        incinerator = Incinerator(**numbers, region=region)
    classes = {}
    for key, entry in table["class"].items():
        where = f"{path}: class {key}"
        check_keys(entry, _CLASS, where, required=tuple(_CLASS))
        classes[key] = numbers_of(key, entry, _CLASS, where)
    materials = {}
    for key, entry in table["material"].items():
        where = f"{path}: material {key}"
        needed = ("class", "recovery")
        check_keys(entry, (*needed, *_BURNT, "disposal"), where, required=needed)
        if entry["class"] not in classes:
            raise unknown_name(f"class of material {key!r}", entry["class"], classes)
        what = f"{key} ({entry['class']})"
        numbers = numbers_of(what, entry, {"recovery": _SHARE}, where)
        if any(field in entry for field in _BURNT):
            check_keys(entry, entry, where, required=tuple(_BURNT))
            if incinerator is None:
                raise InputError(
                    f"{where}: energy_recovery needs a table [incinerator] with its allocation, "
                    "efficiencies and region"
                )
            numbers |= numbers_of(what, entry, _BURNT, where)
        own = text(entry.get("disposal", disposal), f"{where}: disposal")
        try:
            materials[key] = Circularity(
                **classes[entry["class"]], **numbers, disposal=own, incinerator=incinerator
            )
        except InputError as error:
            raise InputError(f"{where}: {error}") from error
    return RecyclingParameters(
        **texts,
        materials=MappingProxyType(materials),
        disposal=disposal,
        quantities=MappingProxyType(quantities),
    )
