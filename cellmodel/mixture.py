"""Mixtures: factors whose data families or sets of warming potentials should not be added."""

from __future__ import annotations

import json
from collections.abc import Mapping

import xarray as xr

from cellmodel.errors import InputError
from cellmodel.factors import Factor
from cellmodel.rules import RuleSet

NEUTRAL = "CO2 only"  # fits every set of warming potentials
BY_RAMP = "by the ramp"  # instead of the certainty of a factor


def families(used: Mapping[str, Factor], field: str) -> dict[str, list[str]]:
    """Return lineages or sets of warming potentials, each with the factors that are of it.

    Parameters
    ----------
    used
        What it is -> Factor.
    field
        "lineage" or "gwp_set"; that of a sum names several, joined by " + ".
    """
    found: dict[str, list[str]] = {}
    for key, row in sorted(used.items()):
        for part in getattr(row, field).split(" + "):
            found.setdefault(part, []).append(key)
    return dict(sorted(found.items()))


def stated(used: Mapping[str, Factor]) -> dict[str, str]:
    """Return attributes that name the factors used: as JSON what it is -> number, unit, certainty;
    their lineages and sets of warming potentials.
    """
    entries = {key: [_number(row), row.unit, row.certainty] for key, row in sorted(used.items())}
    return {
        "factors": json.dumps(entries),
        "factor_lineages": "; ".join(families(used, "lineage")),
        "gwp_sets": "; ".join(families(used, "gwp_set")),
    }


def _number(row: Factor) -> float | str:
    if row.certainty == BY_RAMP:
        return "ramp"
    return "sampled" if isinstance(row.value, xr.DataArray) else row.value


def mixture(used: Mapping[str, Factor], rules: RuleSet) -> str:
    """Return sentences that say what is mixed, empty if nothing is."""
    sentences = []
    lineages, sets = families(used, "lineage"), families(used, "gwp_set")
    sets.pop(NEUTRAL, None)
    for what, found in (("lineages", lineages), ("GWP sets", sets)):
        if len(found) > 1:
            sentences.append(f"factors of {len(found)} {what} are added. ")
    if rules.characterisation != "as stated":
        others = [
            key for name, keys in sets.items() if name != rules.characterisation for key in keys
        ]
        if others:
            sentences.append(f"{len(set(others))} factors are not of {rules.characterisation}. ")
    return "".join(sentences)


def refuse_mixture(used: Mapping[str, Factor], rules: RuleSet) -> None:
    """Raise InputError if something is mixed, naming what."""
    found = mixture(used, rules).strip()
    if not found:
        return
    listed = [
        f"{name}: {', '.join(keys)}"
        for field in ("lineage", "gwp_set")
        for name, keys in families(used, field).items()
    ]
    raise InputError(
        f"rule set {rules.name!r} is strict: {found} Give factors of one lineage and one set of "
        f"warming potentials, or do without strict. {'; '.join(listed)}"
    )
