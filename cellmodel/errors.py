"""The error of bad input, and its sentences."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST_LISTING = 20
LONGEST_QUOTE = 120


class InputError(ValueError):
    """An input that cannot be used: the message says what must hold, what was got, what to do."""


def quoted(value: object) -> str:
    """`repr(value)`, cut where a hostile or very long value would flood the terminal."""
    text = repr(value)
    return text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 3] + "..."


def unknown_name(kind: str, name: object, known: Iterable[str]) -> InputError:
    """Return the error for a name that is not in a list, with the nearest names.

    Parameters
    ----------
    kind
        What the name stands for, "cell" or "protocol variable".
    name
        What was given.
    known
        The names that exist.

    Returns
    -------
    InputError
        To be raised by the caller.
    """
    names = sorted(known)
    parts = [f"unknown {kind} {quoted(name)}"]
    near = nearest(name, names)
    if near:
        parts.append(f"the nearest known are {', '.join(near)}")
    if not names:
        parts.append("none is known")
    elif len(names) <= LONGEST_LISTING:
        parts.append(f"all: {', '.join(names)}")
    return InputError("; ".join(parts))


#: `cutoff` of `nearest` for slips of the keyboard: names of our variables and dimensions, of
#: equipment, protocols and PyBaMM's parameters resemble a plant's field by 0.83 at most, and
#: nmc622 and nmc811 each other by 0.67
SLIP = 0.85


def nearest(name: object, known: Iterable[str], cutoff: float = 0.5) -> list[str]:
    """Return at most three known names that resemble `name`, best first, whatever its case.

    `cutoff` is how much, from 0 to 1, where the names are the same.
    """
    if not isinstance(name, str) or len(name) > 2 * LONGEST_QUOTE:
        return []
    spelled = {entry.lower(): entry for entry in known}
    return [spelled[key] for key in get_close_matches(name.lower(), spelled, n=3, cutoff=cutoff)]
