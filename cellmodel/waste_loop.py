"""Where production waste goes: recycled share, recovery of each metal, return to production."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from cellmodel.composition import METALS
from cellmodel.errors import InputError, quoted, unknown_name
from cellmodel.materials import COMPONENTS, SECOND
from cellmodel.quantity import Quantity, Range, check_keys, read_input, read_quantity, shipped, text

DEFAULT_LOOP = "annex-xii-2027"
SHARES = ("recycled_share", "returned_share", "recycled_in_purchases")
_SHARE = Range(0, 1, "1", hint="did you pass per cent?")


@dataclass(frozen=True)
class Recovery:
    """What recyclers get back of some metals: of all components, or of those named."""

    metals: tuple[str, ...]
    components: tuple[str, ...]
    share: Quantity


@dataclass(frozen=True)
class Minimum:
    """Recycled share that active materials must have from a day on, metal -> share [1]."""

    deadline: str
    source: str
    shares: Mapping[str, float]


@dataclass(frozen=True)
class WasteLoop:
    """What becomes of production waste.

    Parameters
    ----------
    name, title, source
        File stem, one line for people, where the figures come from.
    status
        Whether the rule behind it is in force.
    recycled_share
        Share of production waste that is recycled [1].
    returned_share
        Share of the recovered metal that enters the own production again [1].
    recycled_in_purchases
        Recycled share of the metal that is bought, from other sources [1].
    recovery
        Metal recovered / metal in what is recycled [1]; an entry that names components goes
        before one that does not.
    minima
        Least recycled content by deadline.
    """

    name: str
    title: str
    source: str
    status: str
    recycled_share: Quantity
    returned_share: Quantity
    recycled_in_purchases: Quantity
    recovery: tuple[Recovery, ...]
    minima: tuple[Minimum, ...]

    def recovered(self, metal: str, component: str) -> float:
        """Return the share of a metal that recyclers recover from a component [1].

        Raises
        ------
        InputError
            If no entry is about this metal.
        """
        fitting = [entry for entry in self.recovery if metal in entry.metals]
        named = [entry for entry in fitting if component in entry.components]
        general = [entry for entry in fitting if not entry.components]
        if not named and not general:
            raise InputError(f"waste loop {self.name!r}: add a [[recovery]] of {metal}")
        return (named or general)[0].share.value

    def replace(self, *, recovery: Mapping[str, float] | None = None, **shares: float) -> WasteLoop:
        """Return the loop with other numbers.

        Parameters
        ----------
        recovery
            Metal -> share recovered, from whatever component [1].
        shares
            recycled_share, returned_share or recycled_in_purchases = number [1].

        Raises
        ------
        InputError
            If a name is unknown, or a share is not between 0 and 1.
        """
        changed = {}
        for name, value in shares.items():
            if name not in SHARES:
                raise unknown_name("share of a waste loop", name, SHARES)
            changed[name] = _by_user(name, value)
        entries = list(self.recovery)
        for metal, value in (recovery or {}).items():
            if metal not in METALS:
                raise unknown_name("metal", metal, METALS)
            entries = [
                dataclasses.replace(
                    entry, metals=tuple(name for name in entry.metals if name != metal)
                )
                for entry in entries
            ]
            entries.append(Recovery((metal,), (), _by_user(f"recovery of {metal}", value)))
        return dataclasses.replace(self, recovery=tuple(entries), **changed)


def _by_user(what: str, value: float) -> Quantity:
    return Quantity(_SHARE.check(what, value), "1", "set by the user")


def list_waste_loops() -> list[str]:
    """Return the names of the waste loops that come with the package."""
    return list(shipped("waste_loops"))


def load_waste_loop(name: str | Path | WasteLoop) -> WasteLoop:
    """Read a waste loop.

    Parameters
    ----------
    name
        Name of a shipped waste loop, path of a .toml file, or a WasteLoop, returned as it is.

    Raises
    ------
    InputError
        If there is none, or the file is wrong: unknown or missing keys, metals, components,
        shares that are not between 0 and 1, a metal without recovery, a doubled one.
    """
    if isinstance(name, WasteLoop):
        return name
    path, table, texts = read_input(
        "waste_loops", "waste loop", name, ("status", *SHARES, "recovery"), ("minimum",)
    )
    recovery = tuple(
        _read_recovery(entry, f"{path}: [[recovery]] {number}")
        for number, entry in enumerate(_tables(table["recovery"], f"{path}: recovery"), start=1)
    )
    _check_complete(recovery, str(path))
    return WasteLoop(
        **texts,
        status=text(table["status"], f"{path}: status"),
        **{share: read_quantity(table[share], f"{path}: {share}", _SHARE) for share in SHARES},
        recovery=recovery,
        minima=tuple(
            _read_minimum(entry, f"{path}: [[minimum]]")
            for entry in _tables(table.get("minimum", []), f"{path}: minimum")
        ),
    )


def _tables(value: object, where: str) -> list:
    if not isinstance(value, list):
        raise InputError(f"{where} must be tables in double brackets, got {quoted(value)}")
    return value


def _read_recovery(entry: object, where: str) -> Recovery:
    check_keys(entry, ("metals", "components", "share"), where, ("metals", "share"))
    names = {"metals": METALS, "components": (*COMPONENTS, SECOND)}
    found = {}
    for key, known in names.items():
        listed = entry.get(key, [])
        if not isinstance(listed, list):
            raise InputError(f"{where}: {key} must be a list of names, got {quoted(listed)}")
        for name in listed:
            if name not in known:
                raise unknown_name(f"entry of {key} in {where}:", name, known)
        found[key] = tuple(listed)
    return Recovery(**found, share=read_quantity(entry["share"], f"{where} share", _SHARE))


def _check_complete(recovery: tuple[Recovery, ...], where: str) -> None:
    pairs = [
        (metal, component)
        for entry in recovery
        for metal in entry.metals
        for component in entry.components or ("all components",)
    ]
    for metal in METALS:
        if (metal, "all components") not in pairs:
            raise InputError(f"{where}: add a [[recovery]] of {metal} from all components")
    for metal, component in pairs:
        if pairs.count((metal, component)) > 1:
            raise InputError(f"{where}: {metal} from {component} must have one [[recovery]]")


def _read_minimum(entry: object, where: str) -> Minimum:
    check_keys(entry, ("deadline", "source", *METALS), where, ("deadline", "source"))
    deadline = text(entry["deadline"], f"{where} deadline")
    try:
        datetime.date.fromisoformat(deadline)
    except ValueError:
        raise InputError(
            f"{where} deadline must be a day, '2031-08-18', got {deadline!r}"
        ) from None
    shares = {
        metal: _SHARE.check(f"{where} {metal}", entry[metal]) for metal in METALS if metal in entry
    }
    return Minimum(deadline, text(entry["source"], f"{where} source"), MappingProxyType(shares))
