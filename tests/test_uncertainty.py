"""Monte Carlo of the footprint: N single runs, chunks, correlation, failures."""

from __future__ import annotations

import dataclasses
import time
from types import MappingProxyType

import numpy as np
import pytest
import xarray as xr

import cellmodel as cm
from cellmodel.distribution import Draw
from cellmodel.errors import InputError
from cellmodel.factors import Factors, load_factors
from cellmodel.plant import load_plant
from cellmodel.quantity import Range

TOTAL, GATE = "carbon_footprint_total", "carbon_footprint_to_gate"
SITES = ["FR", "CN"]
CELL, PROTOCOL, EQUIPMENT = "nmc811-graphite-siox", "two-cycle", "regenerative-cycler"


@pytest.fixture(scope="module")
def formed() -> xr.Dataset:
    rates = {"charge_rate": [0.05, 0.1]}
    return cm.sweep_formation(CELL, PROTOCOL, EQUIPMENT, over=rates)


@pytest.fixture(scope="module")
def one(formed) -> xr.Dataset:
    return formed.isel(charge_rate=1)


def certain_factors(*uncertain: str) -> Factors:
    """The shipped factors, of which only those named have a range."""
    shipped = load_factors()
    rows = {
        key: row
        if row.name in uncertain
        else dataclasses.replace(row, low=row.value, high=row.value)
        for key, row in shipped.rows.items()
    }
    return dataclasses.replace(shipped, rows=MappingProxyType(rows))


def certain_plant(*uncertain: str) -> cm.Plant:
    plant = load_plant("gigafactory-16gwh")
    return plant.replace(**{k: v for k, v in plant.values().items() if k not in uncertain})


def test_one_factor_alone_enters_linearly(one):
    """Closed form: footprint + kg bought * (sample - value)."""
    factors, plant = certain_factors("nmc811"), certain_plant()
    result = cm.footprint_uncertainty(one, plant, SITES, factors, samples=500, seed=7)
    base = cm.footprint(one, plant, SITES, factors)
    bought = base["material_input"].sel(component="positive_active_material")
    row = factors.get("nmc811")
    drawn = Draw(7, 0, 500).number(
        "factor nmc811 GLO", row.value, row.low, row.high, Range(0), row.lineage
    )
    expected = base[TOTAL] + bought * (xr.DataArray(drawn, dims="sample") - row.value)
    np.testing.assert_allclose(result[TOTAL], expected, rtol=1e-12, atol=0)


def test_every_sample_is_a_single_run(one):
    """Plant fields: those of the sample put into the plant give the sample's footprint."""
    names = ("coating_yield", "coating_heat", "dry_room_power", "utilisation")
    factors, plant = certain_factors(), certain_plant(*names)
    result = cm.footprint_uncertainty(one, plant, SITES, factors, samples=50, seed=2)
    for name in names:
        assert plant.quantities[name].low < plant.quantities[name].high
    draw = Draw(2, 0, 50)
    families = {"coating_yield": "plant yield", "coating_heat": "plant heat"}
    families["dry_room_power"] = "plant power"
    drawn = {
        name: draw.number(
            f"plant {name}",
            *(getattr(plant.quantities[name], key) for key in ("value", "low", "high")),
            plant.fields()[name],
            families.get(name, ""),
        )
        for name in names
    }
    for i in (0, 17, 49):
        single = plant.replace(**{name: float(values[i]) for name, values in drawn.items()})
        expected = cm.footprint(one, single, SITES, factors)
        for total in (TOTAL, GATE):
            np.testing.assert_allclose(
                result[total].isel(sample=i), expected[total], rtol=1e-12, atol=0
            )


def test_nothing_uncertain_is_the_footprint(one):
    result = cm.footprint_uncertainty(one, certain_plant(), SITES, certain_factors(), samples=3)
    assert result[TOTAL].dims == ("site", "sample")
    expected = cm.footprint(one, certain_plant(), SITES)[TOTAL]
    np.testing.assert_allclose(
        result[TOTAL], expected.expand_dims(sample=3, axis=1), rtol=1e-12, atol=0
    )


def test_recycled_content_never_saves_more_than_the_material_has(one):
    """A salt keeps its part of the cathode's factor, so what recycling replaces is linear."""
    shares = (0.0, 0.5, 1.0)
    found = [
        cm.footprint_uncertainty(
            one, sites="FR", samples=5000, recycled_content={"nickel-sulphate": share}
        )[TOTAL]
        for share in shares
    ]
    np.testing.assert_allclose(found[1], (found[0] + found[2]) / 2, rtol=1e-12, atol=0)
    assert float((found[0] - found[2]).mean()) > 5


def test_all_salts_recycled_leave_a_part_of_every_cathode(one):
    """Also where cells with several cathodes share the salts: each keeps its own shares."""
    content = dict.fromkeys(("nickel-sulphate", "cobalt-sulphate"), 1.0)
    other = cm.sweep_formation("nmc532-graphite", PROTOCOL, EQUIPMENT)
    both = cm.sweep_formation(["nmc532-graphite", CELL], PROTOCOL, EQUIPMENT)
    found = cm.footprint_uncertainty(both, sites="FR", samples=3000, recycled_content=content)
    assert float(found[GATE].min()) > 0
    for name, alone in (("nmc532-graphite", other), (CELL, one)):
        single = cm.footprint_uncertainty(
            alone, sites="FR", samples=3000, recycled_content=content
        )[GATE]
        np.testing.assert_allclose(found[GATE].sel(cell=name), single, rtol=1e-9, atol=0)


def test_what_recycling_replaces_is_drawn_with_the_cathode(one):
    """Closed form: kg bought * (share * recycled - share * salt / cathode * drawn cathode)."""
    factors = certain_factors("nmc811", "nickel-sulphate")
    plant, share = certain_plant(), 0.3
    saved = [
        cm.footprint_uncertainty(
            one, plant, "FR", factors, samples=400, seed=3, recycled_content=content
        )[GATE]
        for content in ({}, {"nickel-sulphate": share})
    ]
    base = cm.footprint(one, plant, "FR")["material_input"]
    bought = float(base.sel(component="positive_active_material"))
    row, salt = factors.get("nmc811"), factors.get("nickel-sulphate")
    drawn = Draw(3, 0, 400).number(
        "factor nmc811 GLO", row.value, row.low, row.high, Range(0), row.lineage
    )
    kilograms = {part.input: part.amount for part in factors.contents["nmc811"]}[salt.name]
    recycled = factors.get("nickel-sulphate-recycled").value
    expected = share * bought * kilograms * (salt.value / row.value * drawn - recycled)
    np.testing.assert_allclose((saved[0] - saved[1]).squeeze(), expected, rtol=1e-9, atol=0)


def test_shares_of_electricity_are_those_of_the_footprint(one):
    shares = {"onsite_share": 0.2, "contract_share": {"FR": 0.0}}
    found = cm.footprint_uncertainty(
        one, certain_plant(), "FR", certain_factors(), samples=2, **shares
    )
    expected = cm.footprint(one, certain_plant(), "FR", **shares)[TOTAL]
    np.testing.assert_allclose(found[TOTAL].isel(sample=1), expected, rtol=1e-12, atol=0)


def test_several_rule_sets(one):
    rules = ["capacity-cutoff", "capacity-cff"]
    both = cm.footprint_uncertainty(
        one, sites="FR", samples=300, rules=iter(rules), chunk_size=100
    )[TOTAL]
    assert both.dims == ("rule_set", "site", "sample")
    for name in rules:
        alone = cm.footprint_uncertainty(one, sites="FR", samples=300, rules=name)[TOTAL]
        np.testing.assert_allclose(both.sel(rule_set=name), alone, rtol=1e-12, atol=0)


def test_a_definition_and_what_is_swept_are_certain(one):
    plant = load_plant("gigafactory-16gwh")
    assert plant.quantities["throughput"].certainty == "definition"
    swept = one.assign_coords(
        coating_yield=("coating_yield", [0.9, 0.95]),
        throughput=("throughput", [16.0, 16.0]),
    )
    result = cm.footprint_uncertainty(swept, sites="FR", samples=200)
    assert result[TOTAL].sizes == {"site": 1, "coating_yield": 2, "throughput": 2, "sample": 200}
    same = result[TOTAL].isel(throughput=0), result[TOTAL].isel(throughput=1)
    np.testing.assert_array_equal(*same)
    assert bool((result[TOTAL][0, 0] > result[TOTAL][0, 1]).all())


def test_chunks_do_not_matter(formed):
    whole = cm.footprint_uncertainty(formed, sites=SITES, samples=9000, seed=4)
    for size in (1000, 4097):
        chunked = cm.footprint_uncertainty(
            formed, sites=SITES, samples=9000, seed=4, chunk_size=size
        )
        xr.testing.assert_identical(chunked, whole)
    few = cm.footprint_uncertainty(formed.isel(charge_rate=[1]), sites="CN", samples=40, seed=4)
    part = whole[TOTAL].sel(site=["CN"]).isel(charge_rate=[1], sample=slice(40))
    np.testing.assert_allclose(few[TOTAL], part, rtol=1e-14, atol=0)


def test_labels_and_quantiles(one):
    samples = cm.footprint_uncertainty(one, sites=SITES, samples=2000, seed=1)
    bands = cm.footprint_uncertainty(
        one, sites=SITES, samples=2000, seed=1, quantiles=[0.05, 0.5, 0.95]
    )
    assert bands[TOTAL].dims == ("site", "quantile")
    assert bands[TOTAL].attrs["units"] == "kg kWh-1"
    assert bands["quantile"].attrs["long_name"] == "share of the samples that lie below"
    assert float(bands["charge_rate"]) == 0.1
    assert bands.attrs["samples"] == 2000
    assert bands.attrs["range_quantiles"] == [0.05, 0.95]
    np.testing.assert_allclose(
        bands[GATE],
        np.quantile(samples[GATE], [0.05, 0.5, 0.95], axis=1).T,
        rtol=1e-12,
        atol=0,
    )


def test_independent_factors_make_the_variance_too_small(one):
    spread = [
        float(cm.footprint_uncertainty(one, sites="FR", samples=4000, correlation=r)[TOTAL].std())
        for r in (0.0, 0.5, 1.0)
    ]
    assert spread[0] * 1.1 < spread[1] < spread[2] / 1.1


def test_uncertain_equipment(one):
    over = cm.sample_equipment(EQUIPMENT, 3000, seed=5)
    assert {dim for dim, _ in over.values()} == {"sample"}
    swept = cm.sweep_formation(CELL, PROTOCOL, EQUIPMENT, over=over)
    middle = swept["formation_energy"].median()
    np.testing.assert_allclose(middle, one["formation_energy"], rtol=0.2, atol=0)
    alone = cm.footprint_uncertainty(swept, certain_plant(), SITES, certain_factors())
    expected = cm.footprint(swept, certain_plant(), SITES, certain_factors())[TOTAL]
    np.testing.assert_allclose(alone[TOTAL], expected, rtol=1e-12, atol=0)
    assert float(alone[TOTAL].sel(site="CN").std()) > 0.3
    both = cm.footprint_uncertainty(swept, sites="CN", seed=5)
    assert both[TOTAL].sizes == {"site": 1, "sample": 3000}
    with pytest.raises(InputError, match="samples must be the 3000 that formed has, got 10"):
        cm.footprint_uncertainty(swept, samples=10)


def test_no_sample_of_equipment_loses_more_without_load_than_in_all():
    lossy = cm.load_equipment(EQUIPMENT)
    wide = dict(lossy.quantities)
    wide["no_load_loss"] = dataclasses.replace(wide["no_load_loss"], low=0.01, high=0.4)
    lossy = dataclasses.replace(lossy, quantities=MappingProxyType(wide))
    over = cm.sample_equipment(lossy, 2000)
    loss = np.minimum(1 / over["charge_efficiency"][1] - 1, 1 - over["discharge_efficiency"][1])
    assert np.any(over["no_load_loss"][1] == loss)
    assert np.all(over["no_load_loss"][1] <= loss)


def test_failed_cases_are_nan(formed):
    status = formed["status"].copy(data=np.array([3, 0], dtype=np.int8))
    result = cm.footprint_uncertainty(formed.assign(status=status), sites="FR", samples=20)
    assert bool(result[TOTAL].isel(charge_rate=0).isnull().all())
    assert bool(result[TOTAL].isel(charge_rate=1).notnull().all())
    bands = cm.footprint_uncertainty(
        formed.assign(status=status), sites="FR", samples=20, quantiles=[0.5]
    )
    assert bool(bands[TOTAL].isel(charge_rate=0).isnull().all())


def test_a_hundred_thousand_samples_of_ten_sites_take_seconds(one):
    sites = ["FR", "DE", "PL", "CN", "HU", "SE", "ES", "US", "KR", "JP"]
    start = time.perf_counter()
    cm.footprint_uncertainty(one, sites=sites, samples=100_000)
    assert time.perf_counter() - start < 10


def test_the_band_of_nmc811_covers_the_published_one(one):
    """Peiseler et al. 2024, doi 10.1038/s41467-024-54634-y: 59 / 74 / 115 (5, 50, 95 %).

    Ours, at a Chinese site: 52 / 73 / 109. No range was fitted; our low cathode factor is lower.
    """
    low, middle, high = cm.footprint_uncertainty(
        one, sites="CN", samples=20_000, quantiles=[0.05, 0.5, 0.95]
    )[GATE].squeeze()
    assert 0.85 * 59 < float(low) < 59
    np.testing.assert_allclose(middle, 74, rtol=0.1, atol=0)
    np.testing.assert_allclose(high, 115, rtol=0.1, atol=0)


def test_what_cannot_be_is_refused(one):
    with pytest.raises(InputError, match=r"unknown site 'UK'"):
        cm.footprint_uncertainty(one, sites=["FR", "UK"], samples=10)
    with pytest.raises(InputError, match=r"formed: formation_energy must be at least 0, got -1"):
        cm.footprint_uncertainty(one.assign(formation_energy=xr.DataArray(-1.0)))
    with pytest.raises(InputError, match=r"formed: nominal_energy must be above 0, got 0"):
        cm.footprint_uncertainty(one.assign(nominal_energy=xr.DataArray(0.0)))
    with pytest.raises(InputError, match=r"samples must be at least 1|samples must be between 1"):
        cm.footprint_uncertainty(one, samples=0)
    with pytest.raises(InputError, match=r"samples must be a whole number, got 1\.5"):
        cm.footprint_uncertainty(one, samples=1.5)
    with pytest.raises(InputError, match=r"quantiles must be between 0 and 1, got 1\.2"):
        cm.footprint_uncertainty(one, quantiles=[0.5, 1.2])
    with pytest.raises(InputError, match=r"correlation must be between 0 and 1"):
        cm.footprint_uncertainty(one, correlation=-0.1)
    with pytest.raises(
        InputError, match=r"samples x cases and rule sets x sites must be at most 1e\+08"
    ):
        cm.footprint_uncertainty(one, samples=10**8, sites=SITES)
    with pytest.raises(InputError, match=r"formed must be a Dataset"):
        cm.footprint_uncertainty("results.zarr", samples=10)
    with pytest.raises(InputError, match=r"formed lacks nominal_energy"):
        cm.footprint_uncertainty(one.drop_vars("nominal_energy"), samples=10)
    with pytest.raises(InputError, match=r"formation_yield must be between 0.05 and 1"):
        cm.footprint_uncertainty(one.assign_coords(formation_yield=1.2), samples=10)
    row = dataclasses.replace(load_factors().get("nmc811"), low=30.0)
    wrong = dataclasses.replace(load_factors(), rows={("nmc811", "GLO"): row})
    with pytest.raises(InputError, match=r"nmc811 GLO: low <= value <= high must hold"):
        cm.footprint_uncertainty(one, factors=dataclasses.replace(
            wrong, rows=dict(load_factors().rows) | dict(wrong.rows)
        ), samples=10)  # fmt: skip


def test_rules_and_recycled_content_count_in_every_sample(one):
    """Closed form: nothing but copper is uncertain, and R1 of it is replaced."""
    factors, plant = certain_factors("copper-cathode"), certain_plant()
    content = {"copper-cathode": 0.5}
    plain = cm.footprint_uncertainty(one, plant, SITES, factors, samples=50)
    with_it = cm.footprint_uncertainty(
        one, plant, SITES, factors, samples=50, recycled_content=content
    )
    bought = cm.footprint(one, plant, SITES, factors)["material_input"]
    row, recycled = factors.get("copper-cathode"), factors.get("copper-cathode-recycled")
    drawn = Draw(0, 0, 50).number(
        "factor copper-cathode GLO", row.value, row.low, row.high, Range(0, 1e5), row.lineage
    )
    kilograms = float(bought.sel(component="negative_foil"))
    expected = 0.5 * kilograms * (recycled.value - drawn)
    found = (with_it[TOTAL] - plain[TOTAL]).sel(site="FR")
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=0)
    warranty = cm.footprint_uncertainty(
        one, plant, SITES, factors, samples=5, rules="eu-draft-2024"
    )
    assert "warranty" in warranty[TOTAL].attrs["long_name"]
    own = cm.footprint(one, plant, SITES, certain_factors(), rules="eu-draft-2024")
    fixed = cm.footprint_uncertainty(
        one, plant, SITES, certain_factors(), samples=2, rules="eu-draft-2024"
    )
    np.testing.assert_allclose(fixed[TOTAL].isel(sample=0), own[TOTAL], rtol=1e-12, atol=0)
