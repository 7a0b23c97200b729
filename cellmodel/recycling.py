"""Recycling: the circular footprint formula, and what it changes in a material.

Cut-off and avoided burden are its limits: A = 1 and A = 0. The terms of the material are here,
those of energy recovery and disposal in end_of_life. Production scrap that returns is another
matter: it lowers what is bought, by any rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cellmodel.circularity import Circularity
from cellmodel.composition import METALS, load_compositions
from cellmodel.errors import InputError, unknown_name
from cellmodel.factors import Factors
from cellmodel.quantity import Range
from cellmodel.rules import RuleSet
from cellmodel.waste_loop import WasteLoop

RECYCLED = "-recycled"  # what the name of a recycled material's factor ends with
_SHARE = Range(0, 1, "1", hint="did you pass per cent?")


@dataclass(frozen=True)
class Recycled:
    """What recycling adds to a kilogram of a material.

    Parameters
    ----------
    production
        Factor -> amount [kg kg-1] that recycled content adds to what is bought; negative where
        it takes primary material away.
    end_of_life
        Factor -> amount [kg kg-1] that recovery adds at the end of life.
    """

    production: Mapping[str, float]
    end_of_life: Mapping[str, float]


def production_shares(
    allocation: float, recycled_content: float, quality_in: float = 1.0
) -> tuple[float, float]:
    """Return how much primary and recycled material a kilogram of input counts as.

    The first terms of the circular footprint formula,

        (1 - R1) Ev + R1 (A Erec + (1 - A) Ev Qsin / Qp),

    are the first number times Ev plus the second times Erec.

    Parameters
    ----------
    allocation, recycled_content, quality_in
        A, R1 and Qsin/Qp [1].

    References
    ----------
    Commission Recommendation (EU) 2021/2279, Annex I, circular footprint formula.
    """
    primary = (1 - recycled_content) + recycled_content * (1 - allocation) * quality_in
    return primary, recycled_content * allocation


def end_of_life_shares(
    allocation: float, recovery: float, quality_out: float = 1.0
) -> tuple[float, float]:
    """Return how much primary and recycled material the end of life of a kilogram counts as.

    The term (1 - A) R2 (ErecEoL - Ev* Qsout / Qp), with the recycling process and the primary
    material of the input itself, as `production_shares`.

    Parameters
    ----------
    allocation, recovery, quality_out
        A, R2 and Qsout/Qp [1].
    """
    share = (1 - allocation) * recovery
    return -share * quality_out, share


def check_recycled_content(
    recycled_content: Mapping[str, float] | None, factors: Factors
) -> dict[str, float]:
    """Return recycled content per material [1].

    Raises
    ------
    InputError
        If it is no mapping, a material has no factor, or a share is not between 0 and 1.
    """
    given = {} if recycled_content is None else recycled_content
    if not isinstance(given, Mapping):
        raise InputError(
            "recycled_content must map materials to shares, as {'nickel-sulphate': 0.2}, got "
            f"{type(given).__name__}"
        )
    for name in given:
        if name not in factors.names():
            raise unknown_name("material of recycled_content", name, factors.names())
    return {name: _SHARE.check(f"recycled_content of {name}", s) for name, s in given.items()}


def inputs_of(materials: Iterable[str], factors: Factors) -> set[str]:
    """Return the materials and whatever their factors include."""
    return {name for material in materials for name, *_ in _inputs(material, factors)}


def check_effect(recycled_content: Mapping[str, float], materials: set, factors: Factors) -> None:
    """Raise InputError if a recycled content is of something that no material contains."""
    inside = inputs_of(materials, factors)
    idle = sorted(name for name in recycled_content if name not in inside)
    if idle:
        raise InputError(
            f"recycled_content of {', '.join(idle)} has no effect: none of the materials "
            f"{', '.join(sorted(materials))} contains it; they contain {', '.join(sorted(inside))}"
        )


def recycled_flows(
    material: str, factors: Factors, rules: RuleSet, recycled_content: Mapping[str, float]
) -> Recycled:
    """Return what recycling of a material and of the inputs in it changes, by a rule set.

    Parameters
    ----------
    material
        Name of the factor of a component.
    factors
        For what the material contains, and whether there is a factor of what is recycled.
    rules
        Their method and parameters.
    recycled_content
        Material -> R1 [1].

    Raises
    ------
    InputError
        If recycled content or recovery has no parameters or no factor "x-recycled", or is given
        for a material and for an input of it.
    """
    production: dict[str, float] = {}
    end_of_life: dict[str, float] = {}

    def add(flows: dict[str, float], name: str, amount: float) -> None:
        if amount:
            flows[name] = flows.get(name, 0.0) + amount

    counted: list[tuple[str, ...]] = []
    for name, amount, path in _inputs(material, factors):
        share = recycled_content.get(name, 0.0)
        own = _circularity(name, rules, share)
        primary, recycled = production_shares(own.allocation, share, own.quality_in)
        lost, recovered = end_of_life_shares(own.allocation, own.recovery, own.quality_out)
        if not (share or recovered):
            continue
        _check_twice(path, counted)
        counted.append(path)
        if recycled or recovered:
            _check_factor(name, factors, rules, share)
        add(production, name, amount * (primary - 1))
        add(production, name + RECYCLED, amount * recycled)
        add(end_of_life, name, amount * lost)
        add(end_of_life, name + RECYCLED, amount * recovered)
    return Recycled(production, end_of_life)


def returned_flows(
    material: str,
    component: str,
    factors: Factors,
    rules: RuleSet,
    recycled_content: Mapping[str, float],
    loop: WasteLoop,
) -> dict[str, float]:
    """Return factor -> amount that a kilogram of production scrap changes by its return [kg kg-1].

    A metal that comes back from scrap replaces what would be bought of the input that brings it,
    with the recycled content R1 that this has by the rules, and is refined at the cost of what is
    recycled to replace it:

        returned (Erec - (the first terms of the circular footprint formula)).

    Not so where no factor "x-recycled" says what refining costs (graphite, salt of the electrolyte)
    or no shipped composition what metal the input brings.

    Parameters
    ----------
    material, component
        Of the scrap; of the component depends what is recovered.
    factors, rules, recycled_content
        As for `recycled_flows`.
    loop
        What is recycled, recovered and returned.

    Raises
    ------
    InputError
        If recycled content is given for what contains a returned input, or is a part of it.
    """
    known = load_compositions()
    flows: dict[str, float] = {}
    counted = [path for name, _, path in _inputs(material, factors) if recycled_content.get(name)]
    returned: list[tuple[str, ...]] = []
    for name, amount, path in _inputs(material, factors):
        metals = [metal for metal in METALS if known.get(name, {}).get(metal)]
        inside = any(path[: len(other)] == other for other in returned)
        if inside or not metals or name + RECYCLED not in factors.names():
            continue
        returned.append(path)
        for other in counted:
            if other != path:
                outer, inner = sorted((path, other), key=len)
                _check_twice(inner, [outer])
        recovered = min(loop.recovered(metal, component) for metal in metals)
        back = amount * loop.recycled_share.value * recovered * loop.returned_share.value
        share = recycled_content.get(name, 0.0)
        own = _circularity(name, rules, share)
        primary, recycled = production_shares(own.allocation, share, own.quality_in)
        for factor, change in ((name, -primary * back), (name + RECYCLED, (1 - recycled) * back)):
            flows[factor] = flows.get(factor, 0.0) + change
    return flows


def _inputs(
    material: str, factors: Factors, amount: float = 1.0, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, float, tuple[str, ...]]]:
    """Yield a material and everything in it: name, kg per kg, and the way to it."""
    path = (*path, material)
    yield material, amount, path
    for part in factors.contents.get(material, ()):
        yield from _inputs(part.input, factors, amount * part.amount, path)


def _circularity(name: str, rules: RuleSet, share: float) -> Circularity:
    if share and rules.recycling != "cutoff" and name not in rules.circularity:
        raise InputError(
            f"recycled share of {name!r} must be 0 by rule set {rules.name!r}, got {share:g}: "
            "its recycling parameters have no such material; add a [material] to your own table"
        )
    return rules.circular(name)


def _check_factor(name: str, factors: Factors, rules: RuleSet, share: float) -> None:
    if name + RECYCLED not in factors.names():
        raise InputError(
            f"recycled share and recovery of {name!r} must be 0 by rule set {rules.name!r}, got a "
            f"recycled share of {share:g}: there is no emission factor {name + RECYCLED!r}; add a "
            "row of that name to your factors"
        )


def _check_twice(path: tuple[str, ...], counted: list[tuple[str, ...]]) -> None:
    for other in counted:
        if path[: len(other)] == other:
            raise InputError(
                f"recycling must not be counted twice: {path[-1]!r} is in {other[-1]!r}, which is "
                "recycled itself; give recycled content and recovery for one of them"
            )
