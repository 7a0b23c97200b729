"""Emission factors for people: a list that can be filtered, and a check of one's own file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich import box
from rich.markup import escape
from rich.table import Table

from cellmodel.errors import nearest, unknown_name
from cellmodel.factors import CERTAINTIES, UNITS, Factor, Factors, load_factors
from cellmodel.mixture import NEUTRAL, families
from cellmodel.own_factors import idle_names
from cellmodel.recycling import RECYCLED


def select_factors(
    factors: Factors,
    *,
    kind: str | None = None,
    name: str | None = None,
    region: str | None = None,
    lineage: str | None = None,
    certainty: str | None = None,
) -> list[Factor]:
    """Return the rows, and the sums of the recipes, that fit all that is given.

    Parameters
    ----------
    factors
        What to choose from.
    kind, region, certainty
        As in the row.
    name, lineage
        Any part of it, in whatever case.

    Raises
    ------
    InputError
        If there is no such kind, region or certainty.
    """
    sums = [factors.get(product) for product in factors.recipes]
    rows = [*factors.rows.values(), *sums]
    known = {"kind": UNITS, "region": {row.region for row in rows}, "certainty": CERTAINTIES}
    for field, value in (("kind", kind), ("region", region), ("certainty", certainty)):
        if value is not None and value not in known[field]:
            raise unknown_name(f"{field} of factor", value, known[field])
        rows = [row for row in rows if value is None or getattr(row, field) == value]
    for field, value in (("name", name), ("lineage", lineage)):
        rows = [
            row for row in rows if value is None or value.lower() in getattr(row, field).lower()
        ]
    return sorted(rows, key=lambda row: (list(UNITS).index(row.kind), row.name, row.region))


def factor_list(rows: list[Factor]) -> Table:
    """Return a table of factors with everything that a row says."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in ("name", "region"):
        table.add_column(head, overflow="fold", max_width=26)
    for head in ("value", "low", "high"):
        table.add_column(head, justify="right")
    for head in ("unit", "year", "GWP set", "lineage", "certainty"):
        table.add_column(head, overflow="fold")
    table.add_column("source", overflow="fold", min_width=24)
    for row in rows:
        texts = (row.unit, row.year, row.gwp_set, row.lineage, row.certainty, row.source)
        numbers = (f"{number:.4g}" for number in (row.value, row.low, row.high))
        table.add_row(escape(row.name), escape(row.region), *numbers, *map(escape, texts))
    return table


def check_factors(path: str | Path) -> list[str]:
    """Return what a user's CSV file does to the shipped factors, a sentence a line.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    InputError
        If it would be refused.
    """
    shipped, own = load_factors(), load_factors(path)
    changed = {key: row for key, row in own.rows.items() if row != shipped.rows.get(key)}
    idle = idle_names(own, ())
    lines = [f"{path}: {len(changed)} rows, all readable"]
    for key, row in sorted(changed.items()):
        lines.append(f"{row.name} {row.region}: {_effect(key, row, shipped, idle)}")
    used = {f"{name} {region}": row for (name, region), row in changed.items()}
    sets = set(families(used, "gwp_set")) - {NEUTRAL}
    if len(sets) > 1:
        lines.append(f"mixed: its rows are of {len(sets)} GWP sets: {', '.join(sorted(sets))}")
    if len(families(used, "lineage")) > 1:
        lines.append(
            f"mixed: its rows are of several lineages: {', '.join(families(used, 'lineage'))}"
        )
    lines.append(
        f"{len(own.rows) - len(changed)} shipped rows stay; where they are added to these, the "
        "attribute 'mixed' of the footprint says so, and strict=True refuses it"
    )
    return lines


def _effect(key: tuple[str, str], row: Factor, shipped: Factors, idle: Mapping[str, str]) -> str:
    """Return what one row of the user does."""
    words = []
    old = shipped.rows.get(key)
    if old is None and row.name in shipped.recipes:
        old = shipped.get(row.name)
        words.append(f"{row.value:g} replaces the recipe, {old.value:.4g} {row.unit}")
    elif old is None:
        words.append(f"{row.value:g} {row.unit} is new{_use(row, shipped, idle)}")
    else:
        words.append(f"{row.value:g} replaces {old.value:g} {row.unit}")
    if old is not None and not old.low <= row.value <= old.high:
        words.append(f"outside the known range of {old.low:.4g} to {old.high:.4g}, look again")
    if row.low == row.high:
        words.append("no range: it will count as certain")
    return "; ".join(words)


def _use(row: Factor, shipped: Factors, idle: Mapping[str, str]) -> str:
    """Return a warning if nothing shipped asks for a new row."""
    if row.name not in idle:
        origin = row.name.removesuffix(RECYCLED)
        return f", recycled {origin}" if row.name != origin else ""
    words = "; no shipped recipe or cell asks for it"
    if idle[row.name]:
        return f"{words}, and a footprint refuses it: did you mean {idle[row.name]}?"
    near = nearest(row.name, shipped.names())
    return words + (f", did you mean {near[0]}?" if near else "")
