"""Production scrap that returns: less is bought, refining counts, both ledgers stay."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import xarray as xr
from formed_cells import make_formed

import cellmodel as cm
from cellmodel.composition import load_compositions
from cellmodel.errors import InputError
from cellmodel.factors import Factors, load_factors
from cellmodel.metals import metal_balance
from cellmodel.waste_loop import load_waste_loop

LOOP = "annex-xii-2027"
RAW = "raw material acquisition and pre-processing"
TOTAL = "carbon_footprint_total"
BROUGHT = {"nickel": "nickel-sulphate", "cobalt": "cobalt-sulphate", "copper": "copper-cathode"}
PRINTED = 2e-3  # amounts in contents.csv have three decimals


@pytest.fixture
def formed() -> xr.Dataset:
    """A pouch cell: its housing brings no nickel, which would return as steel."""
    cell = make_formed()
    names = ["pouch-laminate" if n == "steel-nickel-plated" else n for n in cell.material.values]
    return cell.assign_coords(material=("component", names))


def saved(formed: xr.Dataset, loop: object = LOOP, **arguments) -> xr.DataArray:
    """What the return of scrap saves, by component [kg kWh-1]."""
    with_loop, without = (
        cm.footprint(formed, sites="FR", waste_loop=one, **arguments)["carbon_footprint"]
        for one in (loop, None)
    )
    return (without - with_loop).squeeze()


def saving(factors: Factors, name: str) -> float:
    return factors.get(name).value - factors.get(f"{name}-recycled").value


def test_what_the_metal_balance_returns_replaces_what_is_bought(formed):
    """kg of metal returned / metal in what brings it * (primary - recycled)."""
    loop = load_waste_loop(LOOP).replace(recovery={"lithium": 0.0, "aluminium": 0.0})
    returned = metal_balance(formed, loop=loop)["metal_returned"]
    known, factors = load_compositions(), load_factors()
    expected = sum(
        float(returned.sel(metal=metal)) / known[name][metal] * saving(factors, name)
        for metal, name in BROUGHT.items()
    )
    assert expected > 0.5
    np.testing.assert_allclose(saved(formed, loop).sum(), expected, rtol=PRINTED, atol=0)


def test_lithium_of_the_cathode_by_hand(formed):
    """0.431 kg of hydroxide per kg, of the scrap 95 % recycled, of which 50 % recovered."""
    loop = load_waste_loop(LOOP)
    without = loop.replace(recovery={"lithium": 0.0})
    component = {"component": "positive_active_material"}
    scrap = metal_balance(formed)["scrap"].sel(component).sum("step")
    expected = 0.431 * 0.95 * 0.5 * float(scrap) * saving(load_factors(), "lithium-hydroxide")
    found = (saved(formed, loop) - saved(formed, without)).sel(component).sum()
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=0)


def test_it_changes_raw_materials_only_and_what_has_a_factor(formed):
    change = saved(formed)
    assert float(abs(change.drop_sel(stage=RAW)).max()) == 0
    changed = set(change["component"].values[change.sel(stage=RAW).values != 0])
    assert changed == {"positive_active_material", "negative_foil", "positive_foil", "housing"}
    attributes = cm.footprint(formed, sites="FR", waste_loop=LOOP).attrs
    assert attributes["waste_loop"] == LOOP
    assert "returned scrap where no factor says" in attributes["not_counted"]
    assert "credits for recycled material" in cm.footprint(formed, sites="FR").attrs["not_counted"]


def test_recycled_share_of_purchases_is_said_not_to_count(formed):
    """It is for the metal balance; the footprint takes recycled_content."""
    bought = load_waste_loop(LOOP).replace(recycled_in_purchases=0.3)
    plain, found = (cm.footprint(formed, sites="FR", waste_loop=one) for one in (LOOP, bought))
    np.testing.assert_array_equal(found[TOTAL], plain[TOTAL])
    assert "recycled_in_purchases of the waste loop" in found.attrs["not_counted"]
    assert "recycled_in_purchases" not in plain.attrs["not_counted"]


@pytest.mark.parametrize("share", ["recycled_share", "returned_share"])
def test_nothing_recycled_or_returned_is_no_loop(formed, share):
    np.testing.assert_array_equal(saved(formed, load_waste_loop(LOOP).replace(**{share: 0.0})), 0)


def test_the_same_by_any_method_of_recycling(formed):
    """Scrap that runs around is no R1 and no R2: it only lowers what is bought."""
    first, *others = (
        saved(formed, rules=f"capacity-{method}").sum() for method in ("cutoff", "cff", "avoided")
    )
    np.testing.assert_allclose(others, first, rtol=1e-9, atol=0)


def test_it_replaces_recycled_material_where_that_is_bought(formed):
    """By cut-off, all nickel bought recycled: what returns changes nothing about nickel."""
    loop = load_waste_loop(LOOP).replace(
        recovery=dict.fromkeys(("cobalt", "lithium", "copper", "aluminium"), 0.0)
    )
    none = saved(formed, loop, recycled_content={"nickel-sulphate": 1.0})
    np.testing.assert_allclose(none, 0, rtol=0, atol=1e-12)
    half = saved(formed, loop, recycled_content={"nickel-sulphate": 0.5}).sum()
    np.testing.assert_allclose(half, saved(formed, loop).sum() / 2, rtol=1e-9, atol=0)


def test_both_ledgers_stay(formed):
    """Article 8 counts what returns as recycled content; R1 does not."""
    balance = metal_balance(formed, loop=LOOP).sel(metal="nickel")
    assert float(balance["recycled_content_article_8"]) > 0.05
    assert float(balance["recycled_content_r1"]) == 0


def test_what_the_cut_off_criterion_leaves_out_returns_nothing(formed):
    rules = cm.load_rules("capacity-cutoff").replace(cutoff_criterion=0.045)
    change = saved(formed, rules=rules)
    assert float(change.sel(component="positive_foil").sum()) == 0
    assert float(change.sel(component="negative_foil").sum()) > 0


@pytest.mark.parametrize("cell", cm.list_cells())
def test_the_salts_bring_the_nickel_cobalt_and_lithium_of_every_cathode(cell):
    known, contents = load_compositions(), load_factors().contents
    cathode = cm.load_cell(cell).materials["positive_active_material"]
    brought = dict.fromkeys(("nickel", "cobalt", "lithium"), 0.0)
    for part in contents.get(cathode, ()):
        (metal,) = (name for name, share in known[part.input].items() if share)
        brought[metal] += part.amount * known[part.input][metal]
        np.testing.assert_allclose(part.contained, known[cathode][metal], rtol=PRINTED, atol=0)
    held = [known[cathode][metal] for metal in brought]
    np.testing.assert_allclose(list(brought.values()), held, rtol=PRINTED, atol=0)


def test_uncertain_factors_return_what_the_footprint_does(formed):
    shipped = load_factors()
    rows = {
        key: dataclasses.replace(row, low=row.value, high=row.value)
        for key, row in shipped.rows.items()
    }
    plant = cm.load_plant("gigafactory-16gwh")
    plant = plant.replace(**plant.values())
    factors = dataclasses.replace(shipped, rows=rows)
    found = cm.footprint_uncertainty(formed, plant, "FR", factors, samples=2, waste_loop=LOOP)
    expected = cm.footprint(formed, plant, "FR", waste_loop=LOOP)[TOTAL]
    np.testing.assert_allclose(found[TOTAL].isel(sample=1), expected, rtol=1e-12, atol=0)


def test_what_cannot_be_is_refused(formed, tmp_path):
    with pytest.raises(InputError, match="unknown waste loop"):
        cm.footprint(formed, sites="FR", waste_loop="annex-12")
    own = tmp_path / "own.csv"
    own.write_text("name,value,unit,source\ncopper-foil-recycled,3,kg kg-1,supplier\n")
    with pytest.raises(InputError, match="'copper-cathode' is in 'copper-foil', which is"):
        cm.footprint(
            formed, sites="FR", factors=own, waste_loop=LOOP,
            recycled_content={"copper-cathode": 0.2},
        )  # fmt: skip
