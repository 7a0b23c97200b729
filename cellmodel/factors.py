"""Emission factors: what a kilogram of material or a kilowatt-hour of energy emits, with source."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from cellmodel.errors import InputError, quoted, unknown_name
from cellmodel.quantity import DATA, Range, check_keys, read_text

if TYPE_CHECKING:
    import xarray as xr

UNITS = {
    "material": "kg kg-1",
    "electricity": "kg kWh-1",
    "fuel": "kg kWh-1",
    "transport": "kg t-1 km-1",
    "delivery": "kg kg-1",
    "treatment": "kg kg-1",
}
CERTAINTIES = ("read", "derived", "user", "prior")  # from the best to the weakest
GWP_SETS = ("AR4", "AR5", "AR6", "CO2 only", "not stated")
ANYWHERE = "GLO"
ONSITE = "electricity-onsite"
CONTRACT = "electricity-contract"
RESIDUAL = "electricity-residual"
GAS = ("natural-gas-combustion", "natural-gas-upstream")  # what a kWh of it emits is their sum
OF_A_SITE = ("electricity", CONTRACT, RESIDUAL)  # not to be taken from elsewhere
OF_SITES = ("electricity", "delivery")  # kinds that a site may have of its own
_GRAMS = "did you pass grams?"
_BOUNDS = {
    "kg kg-1": Range(0, 1e5, "kg kg-1"),
    "kg kWh-1": Range(0, 10, "kg kWh-1", hint=_GRAMS),
    "kg t-1 km-1": Range(0, 10, "kg t-1 km-1", hint=_GRAMS),
}
_AMOUNT = Range(0, 1e4, "per kg")
_CONTAINED = Range(0, 1, "kg kg-1")
_YEAR = Range(1900, 2100)


@dataclass(frozen=True)
class Factor:
    """Emissions per unit, CO2-equivalent with a time horizon of 100 years.

    Parameters
    ----------
    kind
        "material", "electricity", "fuel", "transport", "delivery" (per kg that is delivered) or
        "treatment".
    name, region
        What it is and where it holds: together they are the key. "GLO" holds anywhere. Electricity
        is "electricity" (national mix), "electricity-residual", "electricity-contract" or
        "electricity-onsite"; what is recycled to replace x is "x-recycled", burning x "x-burnt".
    value, low, high
        In `unit`, low <= value <= high; a DataArray where the value is sampled.
    unit
        "kg kg-1", "kg kWh-1" or "kg t-1 km-1", according to the kind.
    year
        That the figure describes; "" if a user does not say.
    gwp_set
        Characterisation factors behind it: "AR4", "AR5", "AR6", "CO2 only" or "not stated".
    lineage
        Family of data, the study or institute behind it; figures of one family share their
        assumptions. "engineering judgement" is one: the estimates of this package.
    licence, source
        Under which terms and from where it comes.
    certainty
        "read" in the source or a quotation of it, "derived" from such figures, "prior" for
        engineering judgement (also: from memory), "user".
    """

    kind: str
    name: str
    region: str
    value: float | xr.DataArray
    low: float
    high: float
    unit: str
    year: str
    gwp_set: str
    lineage: str
    licence: str
    source: str
    certainty: str


@dataclass(frozen=True)
class Ingredient:
    """What a kilogram of a product is made of: an `amount` of `input`, in kg or kWh per kg.

    `contained` is what it brings into the product [kg kg-1]: of a salt its metal, of a film not
    the edges that were cut off, of electricity nothing. Amounts have no range: where factors are
    sampled, they stay.
    """

    product: str
    input: str
    region: str
    amount: float
    unit: str
    source: str
    certainty: str
    contained: float = 0.0


@dataclass(frozen=True)
class Factors:
    """The emission factors of a calculation.

    Parameters
    ----------
    rows
        (name, region) -> Factor.
    recipes
        Product -> its ingredients; the factor of a product is their sum, unless a row gives it.
    contents
        Product -> inputs that its factor includes, whether a recipe or a row gives that factor:
        what may be recycled in it, and recovered from it.
    own
        Names of the rows that a user's file gave.
    """

    rows: Mapping[tuple[str, str], Factor]
    recipes: Mapping[str, tuple[Ingredient, ...]]
    contents: Mapping[str, tuple[Ingredient, ...]] = dataclasses.field(default_factory=dict)
    own: tuple[str, ...] = ()

    def get(self, name: str, region: str = ANYWHERE) -> Factor:
        """Return the factor of `name`, from its row or its recipe.

        Parameters
        ----------
        name
            Of a material, fuel, transport or treatment, or "electricity".
        region
            Where; what has no row for the region takes the one that holds anywhere, or the only
            one it has; electricity is not taken from elsewhere.

        Raises
        ------
        InputError
            If there is none; the nearest names are listed.
        """
        if (name, region) in self.rows:
            return self.rows[name, region]
        if name in self.recipes:
            return self._sum(name)
        regions = [place for known, place in self.rows if known == name]
        if name in OF_A_SITE:
            raise unknown_name("site", region, regions)
        if ANYWHERE in regions:
            return self.rows[name, ANYWHERE]
        if len(regions) == 1:
            return self.rows[name, regions[0]]
        if regions:
            raise unknown_name(f"region of factor {name!r}", region, regions)
        raise unknown_name("emission factor", name, self.names())

    def within(self, product: str, name: str) -> Factor:
        """Return the factor of an input as part of a product's; here it is the input's own.

        Parameters
        ----------
        product
            Name of the factor that includes it.
        name
            Of the input.
        """
        return self.get(name)

    def names(self) -> list[str]:
        """Return every name that has a factor."""
        return sorted({name for name, _ in self.rows} | set(self.recipes))

    def sites(self) -> list[str]:
        """Return the sites whose electricity is known."""
        return sorted(region for name, region in self.rows if name == "electricity")

    def _sum(self, product: str) -> Factor:
        ingredients = self.recipes[product]
        parts = [self.get(entry.input, entry.region) for entry in ingredients]

        def total(field: str) -> float | xr.DataArray:
            return sum(
                entry.amount * getattr(part, field)
                for entry, part in zip(ingredients, parts, strict=True)
            )

        def joined(field: str) -> str:
            texts = {text for part in parts for text in getattr(part, field).split(" + ")}
            return " + ".join(sorted(texts))

        certainties = [entry.certainty for entry in (*ingredients, *parts)]
        return Factor(
            kind="material",
            name=product,
            region=ANYWHERE,
            value=total("value"),
            low=total("low"),
            high=total("high"),
            unit=UNITS["material"],
            year=joined("year"),
            gwp_set=joined("gwp_set"),
            lineage=joined("lineage"),
            licence=joined("licence"),
            source="recipe: " + ", ".join(f"{e.amount:g} {e.input}" for e in ingredients),
            certainty=max(certainties, key=CERTAINTIES.index),
        )


def load_factors(path: str | Path | None = None) -> Factors:
    """Return the shipped emission factors, with a user's own in place of some.

    Parameters
    ----------
    path
        CSV file with the columns name, value, unit, source and, if wanted, any other field of
        `Factor`. A row replaces the shipped row of the same name and region (or adds one), and
        the shipped recipe of that name.

    Raises
    ------
    InputError
        If the file cannot be read, or a row is incomplete, doubled, out of range, in another unit
        than its kind has, or names a certainty or set of warming potentials that does not exist.
    """
    rows: dict[tuple[str, str], Factor] = {}
    recipes = _read_ingredients(DATA / "factors" / "recipes.csv")
    contents = _read_ingredients(DATA / "factors" / "contents.csv") | recipes
    for file in sorted((DATA / "factors").glob("*.csv")):
        if file.stem not in ("recipes", "contents"):
            rows.update(_read_factors(file, {}))
    names: tuple[str, ...] = ()
    if path is not None:
        if not isinstance(path, (str, Path)):
            raise InputError(
                f"factors must be the path of a CSV file or Factors, got {quoted(path)}"
            )
        own = _read_factors(Path(path), rows)
        rows.update(own)
        names = tuple(sorted({name for name, _ in own}))
        recipes = {name: parts for name, parts in recipes.items() if name not in names}
    return Factors(
        MappingProxyType(rows), MappingProxyType(recipes), MappingProxyType(contents), names
    )


def _read_ingredients(path: Path) -> dict[str, tuple[Ingredient, ...]]:
    products: dict[str, tuple[Ingredient, ...]] = {}
    for where, row in _read_rows(path, Ingredient, Ingredient.__annotations__):
        numbers = {
            "amount": _number(row["amount"], f"{where}: amount", _AMOUNT),
            "contained": _number(row["contained"], f"{where}: contained", _CONTAINED),
        }
        ingredient = Ingredient(**(row | numbers))
        products[row["product"]] = (*products.get(row["product"], ()), ingredient)
    return products


def _read_factors(path: Path, shipped: Mapping) -> dict[tuple[str, str], Factor]:
    """Read a CSV of factors; what a user's row leaves out is taken from what is shipped."""
    factors: dict[tuple[str, str], Factor] = {}
    for where, row in _read_rows(path, Factor, ("name", "value", "unit", "source")):
        if row["name"] in OF_A_SITE and "region" not in row:
            raise InputError(f"{where}: {row['name']} needs a region, the site where it is used")
        row.setdefault("region", _region(row["name"], shipped))
        key = (row["name"], row["region"])
        if key in factors:
            raise InputError(f"{where}: {key[0]!r} in {key[1]!r} has a row already")
        if row["name"] in (*OF_A_SITE, ONSITE):
            row.setdefault("kind", "electricity")
        kinds = [known.kind for known in shipped.values() if known.name == row["name"]]
        row.setdefault("kind", kinds[0] if kinds else "material")
        if row["kind"] not in UNITS:
            raise unknown_name("kind of factor", row["kind"], UNITS)
        if row["unit"] != UNITS[row["kind"]]:
            raise InputError(
                f"{where}: the unit of {row['name']}, kind {row['kind']}, must be "
                f"{UNITS[row['kind']]!r}, got {row['unit']!r}"
            )
        _check_region(row, shipped, where)
        bounds = _BOUNDS[row["unit"]]
        numbers = {"value": _number(row["value"], f"{where}: value", bounds)}
        for bound in ("low", "high"):
            text = row.get(bound, row["value"])
            numbers[bound] = _number(text, f"{where}: {bound}", bounds)
        if not numbers["low"] <= numbers["value"] <= numbers["high"]:
            raise InputError(
                f"{where}: low <= value <= high must hold, got {numbers['low']:g}, "
                f"{numbers['value']:g}, {numbers['high']:g}"
            )
        unknown = {"year": "", "gwp_set": "not stated", "licence": "", "certainty": "user"}
        complete = unknown | {"lineage": f"user ({path.name})"} | row | numbers
        if complete["certainty"] not in CERTAINTIES:
            raise unknown_name("certainty", complete["certainty"], CERTAINTIES)
        if complete["gwp_set"] not in GWP_SETS:
            raise unknown_name(f"gwp_set in {where}:", complete["gwp_set"], GWP_SETS)
        if complete["year"]:
            _check_year(complete["year"], f"{where}: year")
        factors[key] = Factor(**complete)
    return factors


def _region(name: str, shipped: Mapping) -> str:
    """Where a row without region belongs: a material sits at the one place it has."""
    regions = [region for known, region in shipped if known == name]
    return regions[0] if len(regions) == 1 else ANYWHERE


def _check_region(row: Mapping[str, str], shipped: Mapping, where: str) -> None:
    """Refuse a row that nothing would take: what is not of a site is looked up anywhere."""
    regions = [region for name, region in shipped if name == row["name"]]
    if row["kind"] in OF_SITES or not regions or row["region"] in (*regions, ANYWHERE):
        return
    raise InputError(
        f"{where}: the region of {row['name']!r} must be {' or '.join(map(repr, regions))}, got "
        f"{row['region']!r}, where no calculation would look for it: leave the region empty"
    )


def _check_year(text: str, what: str) -> None:
    if not text.isdecimal():
        raise InputError(f"{what} must be a whole number as 2023, or empty, got {quoted(text)}")
    _YEAR.check(what, int(text))


def _number(text: str, what: str, bounds: Range) -> float:
    try:
        number = float(text)
    except ValueError:
        raise InputError(f"{what} must be a number as 21.5, got {quoted(text)}") from None
    return bounds.check(what, number)


def _read_rows(path: Path, kind: type, required: object) -> list[tuple[str, dict[str, str]]]:
    """Return ("file, line n", column -> non-empty text) of every row of a CSV file."""
    columns = tuple(field.name for field in dataclasses.fields(kind))
    content = read_text(path)
    try:
        reader = csv.DictReader(io.StringIO(content, newline=""), strict=True)
        header = reader.fieldnames or []
        if len(header) == 1 and ";" in header[0]:
            raise InputError(
                f"{path}: columns must be separated by commas, got semicolons; numbers then need a "
                "decimal point"
            )
        check_keys(dict.fromkeys(header), columns, f"{path}: header", required=tuple(required))
        rows = []
        for row in reader:
            where = f"{path}, line {reader.line_num}"
            if None in row or None in row.values():
                raise InputError(f"{where}: a row must have {len(header)} fields, as the header")
            filled = {key: value.strip() for key, value in row.items() if value.strip()}
            missing = [key for key in required if key not in filled]
            if missing:
                raise InputError(f"{where}: {', '.join(missing)} must not be empty")
            rows.append((where, filled))
    except csv.Error as error:
        raise InputError(f"{path}: is not valid CSV: {error}") from error
    return rows
