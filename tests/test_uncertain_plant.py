"""Years of a ramp in Monte Carlo: each as a plant of its own, the grid in closed form, refusals."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType

import numpy as np
import pytest
from formed_cells import make_formed
from test_ramp import SMALL, small
from test_uncertainty import certain_factors, certain_plant

import cellmodel as cm
from cellmodel.distribution import Draw
from cellmodel.errors import InputError
from cellmodel.factors import load_factors
from cellmodel.formed import INTENSITY
from cellmodel.quantity import Quantity, Range
from cellmodel.ramp import DEFAULT_RAMP, load_ramp, ramp_up

TOTAL = "carbon_footprint_total"
SAMPLES = 200
SHARE = 'share = { value = 0.5, low = 0.3, high = 0.8, unit = "1", source = "test" }'
OWN = """
[grid.DE]
2026 = { value = 0.3, low = 0.2, high = 0.4, unit = "kg kWh-1", source = "test" }
2030 = { value = 0.1, low = 0.05, high = 0.3, unit = "kg kWh-1", source = "test" }
[grid.FR]
2026 = { value = 0.05, low = 0.04, high = 0.07, unit = "kg kWh-1", source = "test" }
"""


def uncertain_electricity(region):
    """The shipped factors, of which only the electricity of one region has a range."""
    factors, key = certain_factors(), ("electricity", region)
    rows = dict(factors.rows) | {key: load_factors().rows[key]}
    return dataclasses.replace(factors, rows=MappingProxyType(rows))


def drawn_of_grid(ramp, factors, sites, **more):
    """Footprints less those of the ramp as it is stated, per kWh of the plant's electricity:
    what the intensity was drawn, less its value (site, year, sample)."""
    grown = ramp_up(make_formed(), ramp, factors)
    plant = certain_plant()
    found = cm.footprint_uncertainty(
        grown, plant, sites, factors, ramp=ramp, samples=SAMPLES, seed=3, **more
    )
    base = cm.footprint(grown, plant, sites, factors)
    return (found[TOTAL] - base[TOTAL]) / base["plant_electricity"], grown


def test_the_share_of_the_grid_to_come_is_drawn_once_for_all_sites(tmp_path):
    """2026 and 2030 are 3 and 7 of the 10 years from the present factor to the share of it."""
    path = small(
        tmp_path, SMALL.replace('share = { value = 0.5, unit = "1", source = "test" }', SHARE)
    )
    factors = certain_factors()
    found, _ = drawn_of_grid(path, factors, ["PL", "NO"])
    share = Draw(3, 0, SAMPLES).number("ramp grid share", 0.5, 0.3, 0.8, Range(0, 10), "ramp grid")
    for site in ("PL", "NO"):
        present = factors.get("electricity", site).value
        for year, weight in ((2026, 0.3), (2030, 0.7)):
            np.testing.assert_allclose(
                found.sel(site=site, year=year),
                present * weight * (share - 0.5),
                rtol=1e-7,  # of a difference of totals
                atol=1e-13,
            )


def test_the_present_grid_is_drawn_as_without_a_ramp(tmp_path):
    factors = uncertain_electricity("PL")
    found, grown = drawn_of_grid(small(tmp_path), factors, ["PL"])
    row = factors.get("electricity", "PL")
    drawn = Draw(3, 0, SAMPLES).number(
        "factor electricity PL", row.value, row.low, row.high, Range(0), row.lineage
    )
    stated = grown["grid_intensity"].sel(site="PL")
    for year in grown["year"].values:
        expected = float(stated.sel(year=year)) * (drawn / row.value - 1)
        np.testing.assert_allclose(found.sel(site="PL", year=year), expected, rtol=1e-7, atol=1e-13)


def test_own_intensities_are_drawn_and_err_together(tmp_path):
    path = small(tmp_path, SMALL + OWN)
    found, _ = drawn_of_grid(path, uncertain_electricity("DE"), ["DE", "FR"])
    for year, numbers in ((2026, (0.3, 0.2, 0.4)), (2030, (0.1, 0.05, 0.3))):
        drawn = Draw(3, 0, SAMPLES).number("ramp grid DE", *numbers, INTENSITY, "ramp grid")
        np.testing.assert_allclose(
            found.sel(site="DE", year=year), drawn - numbers[0], rtol=1e-7, atol=1e-13
        )
    apart, _ = drawn_of_grid(path, certain_factors(), ["DE", "FR"], correlation=0.0)
    together, _ = drawn_of_grid(path, certain_factors(), ["DE", "FR"], correlation=1.0)
    pairs = [
        np.corrcoef(x.sel(site="DE", year=2026), x.sel(site="FR", year=2026))[0, 1]
        for x in (apart, together)
    ]
    assert abs(pairs[0]) < 0.2
    assert pairs[1] > 0.98


@pytest.mark.parametrize("year", [2026, 2028, 2032])
def test_every_year_is_drawn_as_a_plant_of_its_own(year):
    """The grid stays as it is here; the ramp's fields have its ranges of that year."""
    still = Quantity(1.0, "1", "test")
    ramp = dataclasses.replace(load_ramp(DEFAULT_RAMP), grid_share=still)
    factors = certain_factors()
    grown = ramp_up(make_formed(), ramp, factors)
    found = cm.footprint_uncertainty(
        grown, ramp.plant, ["PL"], factors, ramp=ramp, samples=SAMPLES, seed=3
    )
    entries = {name: every[ramp.years.index(year)] for name, every in ramp.fields.items()}
    own = MappingProxyType(dict(ramp.plant.quantities) | entries)
    plant = dataclasses.replace(ramp.plant, quantities=own)
    alone = cm.footprint_uncertainty(make_formed(), plant, ["PL"], factors, samples=SAMPLES, seed=3)
    np.testing.assert_allclose(found[TOTAL].sel(year=year), alone[TOTAL], rtol=1e-12, atol=0)
    assert "utilisation" not in found.coords  # it was drawn
    assert list(found["throughput"].values) == [16, 16, 33, 33, 50, 50, 50]  # a definition


def test_a_difference_of_sites_is_no_surer_with_a_ramp():
    """PL less NO, 90 % of the samples over their median, in the ramp's first year."""
    formed = make_formed()
    options = {"sites": ["PL", "NO"], "samples": 4000, "quantiles": None}

    def width(found):
        difference = found[TOTAL].sel(site="PL") - found[TOTAL].sel(site="NO")
        low, middle, high = np.quantile(difference, [0.05, 0.5, 0.95])
        return (high - low) / middle

    grown = cm.footprint_uncertainty(ramp_up(formed).sel(year=2026), **options)
    assert width(grown) > 0.95 * width(cm.footprint_uncertainty(formed, **options))


def test_years_may_be_chosen_and_chunks_do_not_matter():
    grown = ramp_up(make_formed())
    options = {"sites": ["FR", "PL"], "samples": 60, "seed": 1}
    whole = cm.footprint_uncertainty(grown, **options)[TOTAL]
    assert whole.sizes == {"site": 2, "year": 7, "sample": 60}
    some = cm.footprint_uncertainty(grown.sel(year=[2028, 2031]), chunk_size=7, **options)[TOTAL]
    np.testing.assert_allclose(some, whole.sel(year=[2028, 2031]), rtol=1e-14, atol=0)
    one = cm.footprint_uncertainty(grown.sel(year=2031), **options)[TOTAL]
    np.testing.assert_allclose(one, whole.sel(year=2031), rtol=1e-14, atol=0)


def test_what_is_kept_as_it_is_has_no_attributes():
    """A field without the mark of the ramp is a sweep, and certain."""
    grown = ramp_up(make_formed())
    fixed = grown.assign_coords(
        {
            name: (array.dims, array.values)
            for name, array in grown.coords.items()
            if "ramp" in array.attrs
        }
    )
    plant, factors = certain_plant(), certain_factors()
    found = cm.footprint_uncertainty(fixed, plant, ["FR"], factors, samples=3)[TOTAL]
    expected = cm.footprint(grown, plant, ["FR"], factors)[TOTAL]
    np.testing.assert_allclose(found.isel(sample=2), expected, rtol=1e-12, atol=0)


def test_another_ramp_than_that_of_formed_is_refused(tmp_path):
    path = small(tmp_path)
    grown = ramp_up(make_formed(), path)
    with pytest.raises(InputError, match=r"unknown ramp 'ramp'; .*pass its file, ramp=\.\.\."):
        cm.footprint_uncertainty(grown, sites="FR", samples=2)
    with pytest.raises(InputError, match=r"must have the grid_intensity of ramp 'ramp-16-to-"):
        cm.footprint_uncertainty(grown, sites="FR", samples=2, ramp=DEFAULT_RAMP)
    changed = grown.assign_coords(throughput=2 * grown["throughput"])
    with pytest.raises(InputError, match=r"must have the throughput of ramp 'ramp', whose ranges"):
        cm.footprint_uncertainty(changed, sites="FR", samples=2, ramp=path)
    with pytest.raises(InputError, match=r"formed has no years of a ramp; pass what ramp_up"):
        cm.footprint_uncertainty(make_formed(), sites="FR", samples=2, ramp=path)
