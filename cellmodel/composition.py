"""What metals a material holds: from its formula, its stated mass shares, or its recipe."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from cellmodel.errors import InputError, quoted, unknown_name
from cellmodel.factors import load_factors
from cellmodel.quantity import DATA, Range, check_keys, read_toml, text

# g mol-1: standard atomic weights 2021, abridged: Prohaska et al. 2022, Pure Appl. Chem. 94, 573,
# doi 10.1515/pac-2019-0603
ATOMIC_WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "H": 1.008, "Li": 6.94, "B": 10.81, "C": 12.011, "N": 14.007, "O": 15.999, "F": 18.998,
        "Na": 22.990, "Mg": 24.305, "Al": 26.982, "Si": 28.085, "P": 30.974, "S": 32.06,
        "Ti": 47.867, "V": 50.942, "Mn": 54.938, "Fe": 55.845, "Co": 58.933, "Ni": 58.693,
        "Cu": 63.546, "Zr": 91.224,
    }
)  # fmt: skip
# Carbon counts only in graphite: a formula with carbon is that of graphite, other materials with
# carbon state none.
METALS: Mapping[str, str] = MappingProxyType(
    {
        "nickel": "Ni",
        "cobalt": "Co",
        "manganese": "Mn",
        "vanadium": "V",
        "lithium": "Li",
        "sodium": "Na",
        "iron": "Fe",
        "phosphorus": "P",
        "copper": "Cu",
        "aluminium": "Al",
        "graphite": "C",
    }
)
_KEYS = ("formula", "mass_shares", "source", "certainty")
_ATOMS = Range(0, 1000, "1", above=True)
_SHARE = Range(0, 1, "1", hint="did you pass per cent?")
_TOLERANCE = 1e-9  # of the sum of a recipe's parts


def mass_shares(formula: str) -> dict[str, float]:
    """Return element -> share of the mass of a chemical formula.

    Parameters
    ----------
    formula
        "LiNi0.8Mn0.1Co0.1O2": symbols with numbers of atoms, no brackets.

    Raises
    ------
    InputError
        If it is not such a formula, or an element has no atomic weight here.
    """
    parts = re.findall(r"([A-Z][a-z]?)(\d+\.?\d*|\.\d+)?", formula)
    if not parts or "".join(symbol + number for symbol, number in parts) != formula:
        raise InputError(
            f"a formula must be symbols with numbers of atoms, 'LiNi0.8Mn0.1Co0.1O2', got "
            f"{quoted(formula)}"
        )
    masses: dict[str, float] = {}
    for symbol, number in parts:
        if symbol not in ATOMIC_WEIGHTS:
            raise unknown_name(f"element in the formula {formula!r}:", symbol, ATOMIC_WEIGHTS)
        atoms = _ATOMS.check(f"atoms of {symbol} in {formula!r}", float(number or 1))
        masses[symbol] = masses.get(symbol, 0.0) + atoms * ATOMIC_WEIGHTS[symbol]
    total = sum(masses.values())
    return {symbol: mass / total for symbol, mass in masses.items()}


def load_compositions(path: str | Path | None = None) -> Mapping[str, Mapping[str, float]]:
    """Return material -> metal -> share of its mass [1]; a material may hold none.

    Shipped recipes of emission factors whose parts add up to 1 kg per kg are compositions too.

    Parameters
    ----------
    path
        TOML file with a table per material: `formula` or `mass_shares` ({ Fe = 0.98 }, or {} for
        none), and source; its tables add to the shipped ones or replace them.

    Raises
    ------
    InputError
        If the file cannot be read, or a table has not one of formula and mass_shares, or one
        that cannot be understood.
    """
    known = dict(_shipped())
    if path is not None:
        known |= _read(Path(path))
    return MappingProxyType(known)


@functools.cache
def _shipped() -> Mapping[str, Mapping[str, float]]:
    known = _read(DATA / "compositions.toml")
    recipes = load_factors().recipes

    def resolve(material: str) -> Mapping[str, float] | None:
        if material in known:
            return known[material]
        parts = [part for part in recipes.get(material, ()) if part.unit == "1"]
        if abs(sum(part.amount for part in parts) - 1) > _TOLERANCE:
            return None
        shares = dict.fromkeys(METALS, 0.0)
        for part in parts:
            inner = resolve(part.input)
            if inner is None:
                return None
            for metal in METALS:
                shares[metal] += part.amount * inner[metal]
        return shares

    for product in recipes:
        shares = resolve(product)
        if shares is not None:
            known[product] = MappingProxyType(shares)
    return MappingProxyType(known)


def _read(path: Path) -> dict[str, Mapping[str, float]]:
    compositions: dict[str, Mapping[str, float]] = {}
    for material, entry in read_toml(path).items():
        where = f"{path}: [{material}]"
        check_keys(entry, _KEYS, where, ("source",))
        text(entry["source"], f"{where} source")
        if ("formula" in entry) == ("mass_shares" in entry):
            raise InputError(f"{where} must have either a formula or mass_shares")
        if "formula" in entry:
            formula = text(entry["formula"], f"{where} formula")
            elements = mass_shares(formula)
        else:
            elements = _stated(entry["mass_shares"], f"{where} mass_shares")
        compositions[material] = MappingProxyType(
            {metal: elements.get(symbol, 0.0) for metal, symbol in METALS.items()}
        )
    return compositions


def _stated(table: object, where: str) -> dict[str, float]:
    check_keys(table, ATOMIC_WEIGHTS, where)
    shares = {symbol: _SHARE.check(f"{where} {symbol}", share) for symbol, share in table.items()}
    if sum(shares.values()) > 1 + _TOLERANCE:
        raise InputError(f"{where} must add up to at most 1, got {sum(shares.values()):g}")
    return shares
