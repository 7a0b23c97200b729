"""References and the probability of meeting a target."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import cellmodel as cm
from cellmodel.errors import InputError
from cellmodel.target import BOUNDARIES
from cellmodel.variables import label


def uncertain(values) -> xr.Dataset:
    gate = xr.DataArray(values, dims=("site", "sample"))
    return label(
        {"carbon_footprint_to_gate": gate, "carbon_footprint_total": gate + 5},
        {"site": ["FR", "PL"]},
    )


@pytest.mark.parametrize("name", cm.list_references())
def test_references_have_value_year_and_source(name):
    reference = cm.load_reference(name)
    assert reference.name == name
    assert reference.boundary in BOUNDARIES
    assert 2015 < reference.year < 2030
    assert reference.source
    assert 10 < reference.value.value < 200
    assert cm.load_reference(reference) is reference


def test_the_figures_are_the_published_ones():
    values = {name: cm.load_reference(name).value for name in cm.list_references()}
    nmc = values["peiseler-2024-nmc811"]
    assert (nmc.low, nmc.value, nmc.high) == (59, 74, 115)
    assert values["northvolt-reference"].value == 98
    assert (values["ivl-2019"].low, values["ivl-2019"].high) == (61, 106)


def test_the_share_of_samples_at_or_below_the_target():
    samples = uncertain(np.array([[10.0, 20, 24, 25, 30], [25, 26, 27, 28, np.nan]]))
    result = cm.target_probability(samples, "peiseler-2024-nmc811", factor=3)
    np.testing.assert_allclose(result["target"], 74 / 3, rtol=1e-15, atol=0)
    np.testing.assert_allclose(result["target_probability"], [0.6, np.nan], rtol=1e-15, atol=0)
    error = np.sqrt(0.6 * 0.4 / 5)
    np.testing.assert_allclose(
        result["target_probability_error"], [error, np.nan], rtol=1e-15, atol=0
    )
    assert result["target_probability"].attrs["units"] == "1"
    assert result.attrs["reference_year"] == 2024
    assert "10.1038/s41467-024-54634-y" in result.attrs["reference_source"]
    half = cm.target_probability(samples, "peiseler-2024-nmc811", factor=74 / 25)
    np.testing.assert_allclose(half["target_probability"][0], 0.8, rtol=1e-15, atol=0)


def test_the_boundary_of_the_reference_decides_what_is_compared(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        'title = "t"\nsource = "s"\nyear = 2025\nboundary = "all stages but use"\n'
        'value = { value = 25, unit = "kg kWh-1", source = "s" }\n'
    )
    samples = uncertain(np.array([[18.0, 22.0], [18.0, 19.0]]))
    result = cm.target_probability(samples, path, 1)
    np.testing.assert_allclose(result["target_probability"], [0.5, 1.0], rtol=1e-15, atol=0)


def test_a_reference_is_per_kwh_of_capacity():
    samples = uncertain(np.ones((2, 3))).assign_attrs(functional_unit="capacity")
    assert float(cm.target_probability(samples, "ivl-2019")["target_probability"][0]) == 1
    delivered = samples.assign_attrs(functional_unit="energy delivered over the warranty")
    with pytest.raises(InputError, match="per kWh of capacity, as the reference is, got per kWh"):
        cm.target_probability(delivered, "ivl-2019")


def test_what_cannot_be_is_refused(tmp_path):
    samples = uncertain(np.ones((2, 3)))
    with pytest.raises(InputError, match=r"unknown reference 'peiseler'; the nearest known are"):
        cm.target_probability(samples, "peiseler")
    with pytest.raises(InputError, match=r"factor must be above 0"):
        cm.target_probability(samples, "ivl-2019", 0)
    with pytest.raises(InputError, match=r"call footprint_uncertainty without quantiles"):
        cm.target_probability(samples.isel(sample=0), "ivl-2019")
    with pytest.raises(InputError, match=r"uncertain must be a Dataset of footprint_uncertainty"):
        cm.target_probability(samples["carbon_footprint_total"], "ivl-2019")
    path = tmp_path / "wrong.toml"
    path.write_text(
        'title = "t"\nsource = "s"\nyear = 2025\nboundary = "cradle to grave"\n'
        'value = { value = 25, unit = "kg kWh-1", source = "s" }\n'
    )
    with pytest.raises(InputError, match=r"unknown boundary .*'cradle to grave'"):
        cm.load_reference(path)
    path.write_text(path.read_text().replace("to grave", "to gate").replace("25, ", "-25, "))
    with pytest.raises(InputError, match=r"value\.value must be in kg kWh-1 above 0"):
        cm.load_reference(path)
