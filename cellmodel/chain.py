"""The whole chain, from any of its inputs to the footprint, for many samples at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import xarray as xr

from cellmodel.cell import Cell
from cellmodel.equipment import FIELDS, Equipment
from cellmodel.errors import InputError, unknown_name
from cellmodel.factors import Factor, Factors
from cellmodel.footprint import footprint
from cellmodel.materials import bill_of_materials
from cellmodel.parameter_name import parameter_range, snake_case, unit_of
from cellmodel.plant import Plant
from cellmodel.protocol import Protocol
from cellmodel.quantity import Range
from cellmodel.sweep import sweep_formation
from cellmodel.uncertain_plant import plant_family
from cellmodel.variables import SAMPLE, cf_unit
from kernels.status import NAMES


@dataclass(frozen=True)
class Chain:
    """Cell, protocol, equipment, plant and factors, and every number in them by its name.

    A name is a protocol variable, an equipment field, a plant field, an emission factor ("nmc811",
    or with its region "electricity FR"), or a PyBaMM parameter of the cell.

    Parameters
    ----------
    cell, protocol, equipment, plant, factors
        The point around which is varied.
    """

    cell: Cell
    protocol: Protocol
    equipment: Equipment
    plant: Plant
    factors: Factors

    def owner(self, name: object) -> str:
        """Return "protocol", "equipment", "plant", "factors" or "cell".

        Raises
        ------
        InputError
            If the name is unknown, or a name of two.
        """
        known = {
            "protocol": self.protocol.variables,
            "equipment": FIELDS,
            "plant": self.plant.quantities,
            "factors": self._factor_names(),
        }
        owners = [owner for owner, names in known.items() if name in names]
        if len(owners) > 1:
            raise InputError(f"'{name}' is a name of {' and '.join(owners)}: rename one of them")
        if owners:
            return owners[0]
        if not isinstance(name, str) or name == snake_case(name) or not unit_of(name):
            names = [entry for entries in known.values() for entry in entries]
            raise unknown_name("input", name, names)
        self.cell.check_parameter_name(name)
        return "cell"

    def value(self, name: str) -> float:
        """Return the number as it is, in its unit."""
        owner = self.owner(name)
        if owner == "protocol":
            return self.protocol.defaults(self.cell)[name]
        if owner == "equipment":
            return self.equipment.values()[name]
        if owner == "plant":
            return self.plant.values()[name]
        return self._factor(name).value if owner == "factors" else self.cell.parameter(name)

    def bounds(self, name: str) -> Range:
        """Return what the number may be, and its unit."""
        owner = self.owner(name)
        if owner == "protocol":
            return self.protocol.variables[name].bounds
        if owner == "equipment":
            return FIELDS[name]
        if owner == "plant":
            return self.plant.fields()[name]
        if owner == "factors":
            return Range(0, 1e5, self._factor(name).unit)
        return parameter_range(name)

    def unit(self, name: str) -> str:
        """Return the unit of the number in CF spelling."""
        return cf_unit(self.bounds(name).unit)

    def own_range(self, name: str) -> tuple[float, float]:
        """Return low and high that come with the number.

        Raises
        ------
        InputError
            If it has none.
        """
        owner = self.owner(name)
        entry: object = None
        if owner == "equipment":
            entry = self.equipment.quantities[name]
        elif owner == "plant":
            entry = self.plant.quantities[name]
        elif owner == "factors":
            entry = self._factor(name)
        elif owner == "cell":
            entry = self.cell.parameters.get(name)
        low, high = getattr(entry, "low", None), getattr(entry, "high", None)
        if low is None or high is None:
            raise InputError(f"'{name}' has no range of its own: give it (low, high)")
        return low, high

    def family(self, name: str) -> str:
        """Return the family whose numbers err together, as in `footprint_uncertainty`; "" if none.

        It is the lineage of a factor, and of a field that steps of the plant share its kind.
        """
        owner = self.owner(name)
        if owner == "plant":
            return plant_family(self.plant, name)
        return f"lineage {self._factor(name).lineage}" if owner == "factors" else ""

    def run(
        self, columns: Mapping[str, np.ndarray], sites: Sequence[str], tolerance: float = 1.0
    ) -> tuple[xr.Dataset, xr.Dataset]:
        """Return what is formed, and its footprint, with numbers of every sample in place of ours.

        Parameters
        ----------
        columns
            Name -> array (samples,).
        sites
            As for `footprint`.
        tolerance
            As for `sweep_formation`.

        Raises
        ------
        InputError
            If a number is out of range, or any sample cannot be formed: an index or a derivative
            of the others would be that of another question.
        """
        owners = {name: self.owner(name) for name in columns}
        by_owner = {
            owner: {name: array for name, array in columns.items() if owners[name] == owner}
            for owner in ("protocol", "equipment", "plant", "factors", "cell")
        }
        simulated = by_owner["protocol"] | by_owner["equipment"] | by_owner["cell"]
        over = {name: (SAMPLE, array) for name, array in simulated.items()}
        plant = {}
        for name, array in by_owner["plant"].items():
            plant[name] = (SAMPLE, self.bounds(name).check_array(name, array))
        factors = self._with_factors(by_owner["factors"])
        self._check_factors(factors, sites)  # before work
        formed = sweep_formation(
            self.cell, self.protocol, self.equipment, over, tolerance=tolerance
        )
        _check_status(formed["status"].values, by_owner["protocol"] | by_owner["cell"])
        result = footprint(formed.assign_coords(plant), self.plant, sites, factors, detail=False)
        return formed, result

    def _factor_names(self) -> set[str]:
        by_region = {f"{name} {region}" for name, region in self.factors.rows}
        regions: dict[str, int] = {}
        for name, _ in self.factors.rows:
            regions[name] = regions.get(name, 0) + 1
        alone = {name for name, count in regions.items() if count == 1}
        return by_region | alone | set(self.factors.recipes)

    def _factor(self, name: str) -> Factor:
        for (own, region), row in self.factors.rows.items():
            if name == f"{own} {region}":
                return row
        return self.factors.get(name)

    def _check_factors(self, factors: Factors, sites: Sequence[str]) -> None:
        for site in sites:
            factors.get("electricity", site)
        for material in bill_of_materials(self.cell)["material"].values.tolist():
            factors.get(material)

    def _with_factors(self, columns: Mapping[str, np.ndarray]) -> Factors:
        rows = dict(self.factors.rows)
        for name, array in columns.items():
            row = self._factor(name)
            values = self.bounds(name).check_array(name, array)
            sampled = dataclasses.replace(row, value=xr.DataArray(values, dims=SAMPLE))
            rows[row.name, row.region] = sampled
        return dataclasses.replace(self.factors, rows=MappingProxyType(rows))


def _check_status(status: np.ndarray, simulated: Mapping[str, np.ndarray]) -> None:
    """Raise if a sample failed, and say where: of the input that they have most in common."""
    failed = status != 0
    if not failed.any():
        return
    where = ""
    if simulated:
        shares = {
            name: np.ptp(array[failed]) / max(np.ptp(array), np.finfo(float).tiny)
            for name, array in simulated.items()
        }
        name = min(shares, key=shares.__getitem__)
        values = simulated[name][failed]
        where = f"; all of these have '{name}' from {values.min():.4g} to {values.max():.4g}"
    raise InputError(
        f"every sample must be solved, but {failed.sum()} of {failed.size} ended with status "
        f"{NAMES[int(status[failed][0])]}{where}; narrow the ranges of protocol and cell"
    )
