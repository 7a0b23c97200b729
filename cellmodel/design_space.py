"""`over=`: names and arrays -> a validated grid of cases."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import xarray as xr

from cellmodel.cell import Cell
from cellmodel.equipment import FIELDS, Equipment, check_equipment
from cellmodel.errors import InputError, quoted, unknown_name
from cellmodel.parameter_name import parameter_range, snake_case, unit_of
from cellmodel.protocol import Protocol
from cellmodel.quantity import Range
from cellmodel.variables import DIMENSIONS, SAMPLE, VARIABLES, cf_unit

LARGEST_SIZE = 10**9  # cases: three hours at 100,000 cases per second
CASE = "cell"  # dimension of flat cases: every case is a cell; no swept dimension has this name
_INSTEAD = {
    "protocol": "protocol.with_variables({}=...)",
    "equipment": "equipment.replace({}=...)",
    "plant": "plant.replace({}=...)",
    "cell": "cell.replace_parameters({{'{}': ...}})",
}


class DesignSpace:
    """The cases of a sweep: which quantities vary, along which dimensions.

    Parameters
    ----------
    cell, protocol, equipment
        The point around which is swept.
    over
        Name -> 1-D array (its own dimension), DataArray, or ("dim", array). A name is a protocol
        variable, an equipment field, a plant field or a PyBaMM parameter name.
    plant
        Plant field -> what it may be, for those that may be swept: `Plant.fields()`.

    Attributes
    ----------
    values
        Name as in `over` -> DataArray without coordinates.
    dims
        Dimension -> size, in the order of `over`.
    coords
        Coordinates of the results, with units.
    protocol_names, parameter_names, equipment_names, plant_names
        The names of `over` by owner.
    kernel_names, kernel_dims
        Names that need a simulation (protocol variables and PyBaMM parameters), and their
        dimensions.

    Raises
    ------
    InputError
        If a name is unknown, an array is not a non-empty finite array of numbers in range,
        dimensions contradict each other, or there are too many cases.
    """

    def __init__(
        self,
        cell: Cell,
        protocol: Protocol,
        equipment: Equipment,
        over: Mapping[str, object],
        plant: Mapping[str, Range] | None = None,
    ) -> None:
        if not isinstance(over, Mapping):
            raise InputError(f"over must map names to arrays, got {quoted(over)}")
        self.cell = cell
        self.protocol = protocol
        self.equipment = equipment
        self._plant_fields = plant or {}
        owners = {name: self._owner(name) for name in over}
        entries = {name: _read_entry(name, owners[name], over[name]) for name in over}
        self._entries = entries
        self.dims = _sizes(entries)
        _check_size(self.dims)
        self.values = MappingProxyType(
            {name: self._checked(name, owners[name], array) for name, array in entries.items()}
        )
        self.protocol_names = tuple(name for name in over if owners[name] == "protocol")
        self.parameter_names = tuple(name for name in over if owners[name] == "cell")
        self.equipment_names = tuple(name for name in over if owners[name] == "equipment")
        self.plant_names = tuple(name for name in over if owners[name] == "plant")
        self.kernel_names = tuple(name for name in over if owners[name] in ("protocol", "cell"))
        used = {dim for name in self.kernel_names for dim in self.values[name].dims}
        self.kernel_dims = tuple(dim for dim in self.dims if dim in used)
        self.coords = self._coordinates(entries, owners)
        protocol.check(self.protocol_values)
        check_equipment(self.equipment_values)

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of all dimensions."""
        return tuple(self.dims.values())

    @property
    def size(self) -> int:
        """Number of cases."""
        return math.prod(self.shape)

    @property
    def kernel_shape(self) -> tuple[int, ...]:
        """Sizes of the dimensions that need simulations."""
        return tuple(self.dims[dim] for dim in self.kernel_dims)

    @property
    def kernel_size(self) -> int:
        """Number of cases that must be simulated."""
        return math.prod(self.kernel_shape)

    @property
    def protocol_values(self) -> dict[str, float | xr.DataArray]:
        """Every protocol variable -> its values, swept or not, in its unit."""
        swept = {name: self.values[name] for name in self.protocol_names}
        return self.protocol.defaults(self.cell) | swept

    @property
    def equipment_values(self) -> dict[str, float | xr.DataArray]:
        """Every equipment field -> its values, swept or not."""
        return self.equipment.values() | {name: self.values[name] for name in self.equipment_names}

    @property
    def parameters(self) -> dict[str, xr.DataArray]:
        """Every swept PyBaMM parameter -> its values."""
        return {name: self.values[name] for name in self.parameter_names}

    def slab(self, region: Mapping[str, slice]) -> DesignSpace:
        """Return a part of the design space.

        Parameters
        ----------
        region
            Dimension -> slice of its indices; dimensions that are not named stay whole.
        """
        over = {
            name: entry.isel({dim: region[dim] for dim in entry.dims if dim in region})
            for name, entry in self._entries.items()
        }
        return DesignSpace(self.cell, self.protocol, self.equipment, over, self._plant_fields)

    def case_values(self, start: int, stop: int) -> dict[str, xr.Variable]:
        """Return what is swept, for the flat cases `start` to `stop`.

        Parameters
        ----------
        start, stop
            Range of cases, counted in C order over `kernel_dims`.

        Returns
        -------
        dict
            Name in `kernel_names` and `equipment_names` -> values, over CASE in place of
            `kernel_dims`.
        """
        if not 0 <= start <= stop <= self.kernel_size:
            raise ValueError(
                f"cases must lie within 0 and {self.kernel_size}, got {start} to {stop}"
            )
        at = np.unravel_index(np.arange(start, stop), self.kernel_shape or (1,))
        index = {
            dim: xr.Variable(CASE, place) for dim, place in zip(self.kernel_dims, at, strict=False)
        }
        return {
            name: self.values[name].variable.isel(index, missing_dims="ignore")
            for name in (*self.kernel_names, *self.equipment_names)
        }

    def _owner(self, name: object) -> str:
        owners = [
            owner
            for owner, names in (
                ("protocol", self.protocol.variables),
                ("equipment", FIELDS),
                ("plant", self._plant_fields),
            )
            if isinstance(name, str) and name in names
        ]
        if len(owners) > 1:
            raise InputError(
                f"'{name}' is a name of {' and '.join(owners)}: rename the protocol's variable"
            )
        if owners:
            return owners[0]
        if not isinstance(name, str) or name == snake_case(name):
            known = [*self.protocol.variables, *FIELDS, *self._plant_fields]
            error = unknown_name("quantity to sweep", name, known)
            raise InputError(
                f"{error}; a parameter of the cell is swept by its PyBaMM name, "
                "'Positive electrode thickness [m]'"
            )
        self.cell.check_parameter_name(name)
        return "cell"

    def _checked(self, name: str, owner: str, array: xr.DataArray) -> xr.DataArray:
        if owner == "protocol":
            bounds = self.protocol.variables[name].bounds
        elif owner == "equipment":
            bounds = FIELDS[name]
        elif owner == "plant":
            bounds = self._plant_fields[name]
        else:
            bounds = parameter_range(name)
        # the one copy: what the user does to the array later must not change labels of results
        return xr.DataArray(bounds.check_array(name, array.values).copy(), dims=array.dims)

    def _coordinates(
        self, entries: Mapping[str, xr.DataArray], owners: Mapping[str, str]
    ) -> dict[str, xr.Variable]:
        coords: dict[str, xr.Variable] = {}
        for entry in entries.values():
            for dim in entry.indexes:
                if dim in coords and not coords[dim].equals(entry[dim].variable):
                    raise InputError(f"over: two entries label dimension '{dim}' differently")
                coords[dim] = entry[dim].variable
        for name, array in self.values.items():
            key = snake_case(name) if owners[name] == "cell" else name
            attributes = {"units": "1", "long_name": key.replace("_", " ")}
            if owners[name] == "protocol":
                variable = self.protocol.variables[name]
                attributes = {"units": cf_unit(variable.unit), "long_name": variable.description}
            elif owners[name] == "equipment":
                attributes["units"] = FIELDS[name].unit
            elif owners[name] == "cell":
                attributes["units"] = cf_unit(unit_of(name))
                attributes["pybamm_name"] = name
            elif owners[name] == "plant":
                attributes["units"] = self._plant_fields[name].unit
            if key in VARIABLES or (key in self.dims and array.dims != (key,)):
                raise InputError(f"over['{name}']: the name '{key}' is taken; rename the dimension")
            coords[key] = xr.Variable(array.dims, array.values, attributes)
        return coords


def _read_entry(name: str, owner: str, entry: object) -> xr.DataArray:
    """Return the entry as a DataArray with named dimensions."""
    what = f"over['{name}']"
    if isinstance(entry, xr.DataArray):
        array = entry
    elif isinstance(entry, tuple) and len(entry) == 2 and isinstance(entry[0], str):
        values = Range().check_array(what, entry[1])
        if values.ndim != 1:
            raise InputError(f"{what}: the array of dimension '{entry[0]}' must be 1-D")
        array = xr.DataArray(values, dims=entry[0])
    else:
        values = Range().check_array(what, entry)
        if values.ndim > 1:
            raise InputError(
                f"{what} must be 1-D, got {values.ndim} dimensions; pass an xarray.DataArray to "
                "name them"
            )
        own = snake_case(name) if owner == "cell" else name
        array = xr.DataArray(values, dims=(own,) if values.ndim else ())
    if array.ndim == 0:
        raise InputError(
            f"{what} must be an array, got one value; to fix it use {_INSTEAD[owner].format(name)}"
        )
    return array


def _sizes(entries: Mapping[str, xr.DataArray]) -> dict[str, int]:
    """Return dimension -> size, and raise where entries disagree or names are taken."""
    sizes: dict[str, int] = {}
    for name, array in entries.items():
        for dim, size in zip(array.dims, array.shape, strict=True):
            taken = dim in DIMENSIONS and dim != SAMPLE
            if not isinstance(dim, str) or taken or dim in VARIABLES:
                raise InputError(f"over['{name}']: dimension {dim!r} is taken; rename it")
            if sizes.setdefault(dim, size) != size:
                raise InputError(
                    f"over['{name}']: dimension '{dim}' must have the length {sizes[dim]} that "
                    f"another entry gives it, got {size}"
                )
    return sizes


def _check_size(dims: Mapping[str, int]) -> None:
    size = math.prod(dims.values())
    product = " x ".join(f"{length} {dim}" for dim, length in dims.items())
    if size == 0:
        raise InputError(f"the design space must have at least one case, got {product} = 0")
    if size > LARGEST_SIZE:
        raise InputError(
            f"the design space must have at most {LARGEST_SIZE:.0e} cases, got {product} = "
            f"{size:.2e}; sweep fewer values, or let entries share a dimension"
        )
