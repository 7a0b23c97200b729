"""A coordinate that nearly is a field of the plant must not pass as a label that does nothing."""

from __future__ import annotations

import numpy as np
import pybamm
import pytest
import xarray as xr
from test_footprint import make_formed

import cellmodel as cm
from cellmodel.equipment import FIELDS
from cellmodel.errors import InputError
from cellmodel.parameter_name import snake_case
from cellmodel.variables import DIMENSIONS, VARIABLES


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("formation_yeild", "formation_yield"),
        ("formation_yields", "formation_yield"),
        ("coating-yield", "coating_yield"),
        ("Coating_electricty", "coating_electricity"),
        ("utilization", "utilisation"),
        ("through_put", "throughput"),
        ("endofline_yield", "end_of_line_yield"),
    ],
)
def test_it_is_named_with_what_was_meant(wrong, meant):
    formed = make_formed().assign_coords({wrong: (wrong, [0.8, 0.9])})
    for counted in (cm.footprint, cm.plant_balance, cm.metal_balance):
        with pytest.raises(InputError, match=rf"'{wrong}'; the nearest known are {meant}"):
            counted(formed)


def test_a_misspelt_grid_intensity_is_named():
    intensity = xr.DataArray([[0.05]], {"site": ["FR"], "year": [2030]}, ("site", "year"))
    formed = make_formed().assign_coords(grid_intensities=intensity)
    with pytest.raises(InputError, match=r"'grid_intensities'; the nearest known are grid_intens"):
        cm.footprint(formed, sites=["FR"])


def test_no_name_of_ours_or_of_pybamm_is_taken_for_a_field():
    names = {*VARIABLES, *DIMENSIONS, *FIELDS, "case", "design", "choice", "at_edge"}
    for protocol in cm.list_protocols():
        names |= set(cm.load_protocol(protocol).variables)
    names |= {snake_case(name) for name in pybamm.ParameterValues("OKane2022")}
    names -= {"component", "site", "cell", "component_mass", "nominal_energy", "formation_energy"}
    names -= {"status", "grid_intensity", "first_cycle_efficiency", *make_formed().variables}
    assert len(names) > 200
    formed = make_formed().assign_coords({name: (f"{name} axis", [1.0]) for name in names})
    plain = cm.footprint(make_formed(), sites=["FR"])["carbon_footprint_total"]
    total = cm.footprint(formed, sites=["FR"])["carbon_footprint_total"]
    np.testing.assert_array_equal(total.squeeze(), plain.squeeze())
