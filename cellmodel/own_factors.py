"""A user's own factors: rows of names that nothing asks for, most often misspelt ones."""

from __future__ import annotations

import functools
from collections.abc import Iterable

from cellmodel.end_of_life import BURNT
from cellmodel.errors import SLIP, InputError, nearest
from cellmodel.factors import OF_A_SITE, Factors, load_factors
from cellmodel.recycling import RECYCLED
from cellmodel.rules import RuleSet


def idle_names(factors: Factors, asked: Iterable[str]) -> dict[str, str]:
    """Return names of a user's rows that no calculation looks up, each with what may be meant.

    Parameters
    ----------
    factors
        From `load_factors`.
    asked
        What is looked up besides what the package knows: materials of cells.

    Returns
    -------
    dict
        Name -> shipped name that it nearly is and of which the user has no row, or "".
    """
    known = _known()
    idle = {}
    for name in sorted({*factors.own} - known - set(asked)):
        origin = name.removesuffix(RECYCLED).removesuffix(BURNT)
        if origin != name and (origin in known or origin in factors.own):
            continue
        meant = [near + name.removeprefix(origin) for near in _near(origin)]
        idle[name] = next((near for near in meant if near not in factors.own), "")
    return idle


def check_own_names(
    factors: Factors, materials: Iterable[str], rule_sets: Iterable[RuleSet]
) -> list[str]:
    """Return the names of a user's rows that count nowhere, unless one is a slip.

    Parameters
    ----------
    factors
        From `load_factors`.
    materials
        Of the cells.
    rule_sets
        For the disposal that their recycling parameters name.

    Raises
    ------
    InputError
        If a name that counts nowhere is nearly a shipped one, whose own factor stays then.
    """
    asked = set(map(str, materials))
    for one in rule_sets:
        asked |= {one.disposal, *(own.disposal for own in one.circularity.values())}
    idle = idle_names(factors, asked)
    for name, meant in idle.items():
        if meant:
            raise InputError(
                f"factors: your row {name!r} would not count, no cell and no recipe asks for it; "
                f"did you mean {meant!r}? For something else take a name less alike"
            )
    return list(idle)


@functools.cache  # chunk after chunk asks for the names of a table that may be long
def _near(name: str) -> tuple[str, ...]:
    return tuple(nearest(name, _known(), SLIP))


@functools.cache
def _known() -> frozenset[str]:
    return frozenset({*load_factors().names(), *OF_A_SITE})
