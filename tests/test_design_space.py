"""`over=`: what may be swept, how entries combine, what is refused before work starts."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

import cellmodel as cm
from cellmodel.design_space import CASE, DesignSpace
from cellmodel.quantity import Range

THICKNESS = "Positive electrode thickness [m]"
INPUTS = (
    # both numbers are stated, so that PyBaMM is needed only where a test is about its names
    cm.load_cell("nmc811-graphite-siox"),
    cm.load_protocol("two-cycle").with_variables(upper_voltage=4.2, lower_voltage=2.5),
    cm.load_equipment("regenerative-cycler"),
)


def space(over, plant=None):
    return DesignSpace(*INPUTS, over, plant)


def test_each_array_is_a_dimension():
    result = space(
        {
            "charge_rate": [0.05, 0.1, 0.2],
            THICKNESS: np.linspace(60e-6, 90e-6, 4),
            "recovered": (0.5, 1.0),
            "throughput": np.array([16, 50]),
        },
        plant={"throughput": Range(0, 1e4, "GWh a-1")},
    )
    assert result.dims == {
        "charge_rate": 3,
        "positive_electrode_thickness": 4,
        "recovered": 2,
        "throughput": 2,
    }
    assert result.shape == (3, 4, 2, 2)
    assert result.size == 48
    assert result.kernel_names == ("charge_rate", THICKNESS)
    assert result.kernel_dims == ("charge_rate", "positive_electrode_thickness")
    assert result.kernel_size == 12
    assert (result.equipment_names, result.plant_names) == (("recovered",), ("throughput",))
    assert (result.protocol_names, result.parameter_names) == (("charge_rate",), (THICKNESS,))
    attributes = {name: coord.attrs for name, coord in result.coords.items()}
    assert attributes["charge_rate"]["units"] == "h-1"
    assert attributes["positive_electrode_thickness"] == {
        "units": "m",
        "long_name": "positive electrode thickness",
        "pybamm_name": THICKNESS,
    }
    assert attributes["throughput"]["units"] == "GWh a-1"
    assert xr.Dataset(coords=result.coords).sizes == result.dims


def test_values_are_the_defaults_with_the_swept_in_place():
    result = space({"charge_rate": [0.05, 0.1], "recovered": [0.5]})
    assert result.protocol_values.keys() == INPUTS[1].variables.keys()
    assert result.protocol_values["discharge_rate"] == 0.2
    np.testing.assert_array_equal(result.protocol_values["charge_rate"], [0.05, 0.1])
    np.testing.assert_array_equal(result.equipment_values["recovered"], [0.5])
    assert result.equipment_values["standby"] == INPUTS[2].standby
    assert space({"Tunneling barrier factor [m-1]": [1e7]}).parameters.keys() == {
        "Tunneling barrier factor [m-1]"
    }


def test_entries_that_share_a_dimension_vary_together():
    result = space(
        {
            "charge_rate": ("case", [0.05, 0.1, 0.2]),
            "temperature": xr.DataArray(
                [298.15, 308.15, 318.15], dims="case", coords={"case": ["a", "b", "c"]}
            ),
            "rest_time": xr.DataArray([[1.0, 2.0]] * 3, dims=("case", "rest")),
        }
    )
    assert result.dims == {"case": 3, "rest": 2}
    cases = result.case_values(0, 6)
    np.testing.assert_array_equal(cases["charge_rate"], [0.05, 0.05, 0.1, 0.1, 0.2, 0.2])
    np.testing.assert_array_equal(cases["rest_time"], [1, 2] * 3)
    assert {values.dims for values in cases.values()} == {(CASE,)}
    data = xr.Dataset(coords=result.coords)
    assert list(data["case"].values) == ["a", "b", "c"]
    assert data["temperature"].dims == ("case",)


def test_equipment_follows_the_dimensions_of_the_cases():
    result = space(
        {
            "charge_rate": ("case", [0.05, 0.1]),
            "standby": xr.DataArray([[0.0, 0.01], [0.02, 0.03]], dims=("case", "cycler")),
            "recovered": ("cycler", [0.5, 1.0]),
        }
    )
    cases = result.case_values(1, 2)
    assert cases["standby"].sizes == {CASE: 1, "cycler": 2}
    np.testing.assert_array_equal(cases["standby"], [[0.02, 0.03]])
    assert cases["recovered"].dims == ("cycler",)


def test_values_are_copies():
    rates = np.array([0.05, 0.1])
    result = space({"charge_rate": rates})
    rates *= 2
    np.testing.assert_array_equal(result.coords["charge_rate"], [0.05, 0.1])


def test_an_entry_may_follow_the_dimension_of_another():
    result = space({"charge_rate": [0.1, 0.2], "later_charge_rate": ("charge_rate", [0.2, 0.4])})
    assert result.dims == {"charge_rate": 2}
    assert xr.Dataset(coords=result.coords)["later_charge_rate"].dims == ("charge_rate",)


def test_nothing_swept_is_one_case():
    result = space({})
    assert (result.size, result.kernel_size, result.case_values(0, 1)) == (1, 1, {})
    equipment_only = space({"recovered": [0.5, 1.0]})
    assert (equipment_only.size, equipment_only.kernel_size) == (2, 1)
    assert equipment_only.case_values(0, 1).keys() == {"recovered"}


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(0, 300), st.integers(0, 300)
)
def test_any_chunking_gives_the_cases_in_order(sizes, first, second):
    names = ("charge_rate", "discharge_rate", "rest_time", "soak_time")
    over = {name: np.arange(1, n + 1) / 8 for name, n in zip(names, sizes, strict=False)}
    result = space(over)
    start, stop = sorted((min(first, result.kernel_size), min(second, result.kernel_size)))
    expected = list(itertools.product(*over.values()))[start:stop]
    cases = result.case_values(start, stop)
    np.testing.assert_array_equal(
        np.transpose([cases[name] for name in over]).reshape(-1, len(over)),
        np.reshape(expected, (-1, len(over))),
    )


def test_cases_outside_the_space_are_an_error():
    with pytest.raises(ValueError, match=r"cases must lie within 0 and 2, got 1 to 3"):
        space({"charge_rate": [0.1, 0.2]}).case_values(1, 3)


@pytest.mark.parametrize(
    ("over", "message"),
    [
        (
            {"charge_rte": [0.1]},
            "unknown quantity to sweep 'charge_rte'; the nearest .*charge_rate",
        ),
        ({"recoverd": [0.1]}, "unknown quantity to sweep 'recoverd'; .*recovered.*PyBaMM name"),
        ({"positive_electrode_thickness": [8e-5]}, "swept by its PyBaMM name, 'Positive electrode"),
        ({"Positive electrode thicknes [m]": [8e-5]}, "Positive electrode thickness"),
        ({3: [0.1]}, "unknown quantity to sweep 3"),
        ({"Ambient temperature [K]": [300.0]}, "use the protocol's variable 'temperature'"),
        ({"charge_rate": 0.1}, "must be an array, .*protocol.with_variables.charge_rate=...."),
        ({"recovered": np.float64(0.1)}, "must be an array, .*equipment.replace.recovered=...."),
        ({THICKNESS: xr.DataArray(8e-5)}, r"cell.replace_parameters\({'Positive electrode th"),
        ({"charge_rate": []}, "at least one case, got 0 charge_rate = 0"),
        ({"charge_rate": [[0.1, 0.2]]}, "must be 1-D, got 2 dimensions; pass an xarray.DataArray"),
        ({"charge_rate": ["0.1"]}, r"over\['charge_rate'\] must be an array of numbers"),
        ({"charge_rate": "0.1"}, r"over\['charge_rate'\] must be an array of numbers"),
        ({"charge_rate": [True]}, "must be an array of numbers, got values of type bool"),
        ({"charge_rate": xr.DataArray([True], dims="x")}, "array of numbers in C, .* type bool"),
        ({"charge_rate": [0.1, math.nan]}, r"over\['charge_rate'\] must be finite, got nan"),
        ({"charge_rate": [0.1, math.inf]}, "must be finite, got inf"),
        ({"charge_rate": [0.1, 0.0]}, "charge_rate must be in C between 0.001 and 5, got 0.0"),
        ({"charge_rate": [0.1, -0.1]}, "charge_rate must be in C between"),
        ({"temperature": [298.15, 25.0]}, "temperature must be in kelvin .* did you pass degrees"),
        ({THICKNESS: [75.0]}, "did you pass micrometres"),
        ({"throughput": [-1.0]}, "throughput must be in GWh a-1 between 0 and 10000, got -1.0"),
        ({"charge_rate": ("x", [[0.1]])}, "the array of dimension 'x' must be 1-D"),
        ({"charge_rate": ("cycle", [0.1])}, "dimension 'cycle' is taken; rename it"),
        ({"charge_rate": (CASE, [0.1])}, "dimension 'cell' is taken; rename it"),
        ({"charge_rate": ("status", [0.1])}, "dimension 'status' is taken; rename it"),
        (
            {"charge_rate": ("x", [0.1]), "temperature": ("x", [300.0, 310.0])},
            "dimension 'x' must have the length 1 that another entry gives it, got 2",
        ),
        (
            {"charge_rate": ("temperature", [0.1]), "temperature": ("x", [300.0])},
            "the name 'temperature' is taken",
        ),
        (
            {
                "charge_rate": xr.DataArray([0.1, 0.2], dims="x", coords={"x": [1, 2]}),
                "temperature": xr.DataArray([300.0, 310.0], dims="x", coords={"x": [2, 1]}),
            },
            "two entries label dimension 'x' differently",
        ),
        (
            {"lower_voltage": [2.5, 4.2]},
            "lie below the 4.2 V where the step before ends, got 4.2 V",
        ),
        (
            {"lower_voltage": [2.5, 3.0], "upper_voltage": [4.2, 2.9]},
            "lie below the 2.9 V where the step before ends, got 3 V; put the cut-offs in order",
        ),
        ({"no_load_loss": [0.01, 0.4]}, "no_load_loss must not exceed the whole loss at rated"),
        ([1], r"over must map names to arrays, got \[1\]"),
    ],
)
def test_what_cannot_be_swept_is_refused(over, message):
    with pytest.raises(cm.InputError, match=message):
        space(over, plant={"throughput": Range(0, 1e4, "GWh a-1")})


def test_too_many_cases_are_refused_with_their_number():
    many = np.linspace(0.1, 0.2, 10_000)
    names = ("charge_rate", "discharge_rate", "rest_time")
    message = (
        "at most 1e.09 cases, got 10000 charge_rate x 10000 discharge_rate x 10000 rest_time = "
        r"1.00e\+12; sweep fewer"
    )
    with pytest.raises(cm.InputError, match=message):
        space(dict.fromkeys(names, many))


def test_a_name_with_two_owners_is_refused():
    with pytest.raises(cm.InputError, match=r"'recovered' is a name of equipment and plant"):
        space({"recovered": [0.5]}, plant={"recovered": Range()})


@settings(deadline=None)
@given(st_numpy.arrays(st_numpy.scalar_dtypes(), st_numpy.array_shapes(min_dims=0, max_dims=2)))
def test_any_array_is_taken_or_refused(array):
    try:
        result = space({"charge_rate": array})
    except cm.InputError:
        return
    values = result.values["charge_rate"].values
    assert values.dtype == float
    assert np.all((values >= 0.001) & (values <= 5))


def test_a_slab_is_a_part_of_the_cases():
    factor = xr.DataArray([0.9, 1.0, 1.1], {"factor": [0.9, 1.0, 1.1]}, "factor")
    whole = space(
        {"charge_rate": [0.05, 0.1, 0.2], "recovered": [0.0, 1.0], THICKNESS: 75e-6 * factor}
    )
    part = whole.slab({"charge_rate": slice(1, 2), "factor": slice(0, 2)})
    assert part.dims == {"charge_rate": 1, "recovered": 2, "factor": 2}
    assert part.coords["factor"].values.tolist() == [0.9, 1.0]
    cases = whole.case_values(0, whole.kernel_size)
    for name, values in part.case_values(0, part.kernel_size).items():
        expected = cases[name] if name == "recovered" else cases[name][3:5]
        np.testing.assert_array_equal(values, expected)
    assert part.coords["charge_rate"].attrs == whole.coords["charge_rate"].attrs
