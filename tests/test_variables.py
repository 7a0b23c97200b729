"""The table of variables, and Datasets built through it."""

from __future__ import annotations

import cf_xarray.units  # noqa: F401  registers the CF spelling
import numpy as np
import pint
import pytest
import xarray as xr

import cellmodel as cm
from cellmodel.equipment import FIELDS
from cellmodel.protocol import UNITS
from cellmodel.variables import DIMENSIONS, VARIABLES, cf_unit, label


def _dimensionality(unit):
    return pint.get_application_registry().Unit(unit).dimensionality


def test_every_unit_is_readable():
    for spec in (*VARIABLES.values(), *DIMENSIONS.values()):
        if spec.units:
            _dimensionality(spec.units)
        assert spec.long_name
        assert spec.name.isidentifier()
    for name in cm.list_cells():
        for quantity in cm.load_cell(name).parameters.values():
            _dimensionality(cf_unit(quantity.unit))
    for unit in (*UNITS, *(bounds.unit for bounds in FIELDS.values())):
        _dimensionality(cf_unit(unit))


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("C", "h-1"),
        ("A.h", "A h"),
        ("mol.m-3", "mol m-3"),
        ("", "1"),
        ("Ohm.m", "ohm m"),
        ("C.m-2.s-0.5", "C m-2 s-0.5"),
    ],
)
def test_units_in_cf_spelling(unit, expected):
    assert cf_unit(unit) == expected


def test_a_dataset_carries_units_and_names():
    status = xr.DataArray([0], dims="x", attrs={"flag_values": [0], "units": "wrong"})
    data = label(
        {"charge_energy": (("x", "cycle"), np.ones((1, 2))), "status": status},
        {"cycle": [0, 1], "x": ("x", [3.0], {"units": "m"})},
    )
    assert data["charge_energy"].attrs == {
        "units": "W h",
        "long_name": "energy put into the cell at its terminals",
    }
    assert data["cycle"].attrs["long_name"] == DIMENSIONS["cycle"].long_name
    assert data["status"].attrs == {"flag_values": [0], "long_name": "outcome of the simulation"}
    assert data["x"].attrs == {"units": "m"}
    assert status.attrs["units"] == "wrong"


def test_names_and_dimensions_must_be_those_of_the_table():
    with pytest.raises(cm.InputError, match=r"unknown variable 'energy'; .*charge_energy"):
        label({"energy": (("x",), [1.0])})
    with pytest.raises(ValueError, match=r"charge_energy must have the dimensions \('cycle',\)"):
        label({"charge_energy": (("x",), [1.0])})
