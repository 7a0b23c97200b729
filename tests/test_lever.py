"""Levers: closed forms, independent differences, switches, and what cannot be changed."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import cellmodel as cm
from cellmodel.cell import SEI_LAWS
from cellmodel.errors import InputError
from cellmodel.factors import load_factors

CELL, PROTOCOL, EQUIPMENT, PLANT = (
    "nmc532-graphite",
    "two-cycle",
    "regenerative-cycler",
    "gigafactory-16gwh",
)
TOTAL = "carbon_footprint_total"
THICKNESS = "Positive electrode thickness [m]"


def footprint_of(formed, plant=PLANT) -> float:
    return float(cm.footprint(formed, plant, "FR")[TOTAL].squeeze())


@pytest.fixture(scope="module")
def found() -> xr.Dataset:
    changes = {"nmc532": -0.05, "coating_heat": -1.0}
    return cm.levers(CELL, PROTOCOL, EQUIPMENT, PLANT, "FR", changes=changes)


@pytest.fixture(scope="module")
def formed() -> xr.Dataset:
    return cm.sweep_formation(CELL, PROTOCOL, EQUIPMENT, tolerance=0.01)


def change(found, name) -> float:
    return float(found["footprint_change"].sel(lever=name))


def test_the_strongest_come_first_and_units_are_said(found):
    sizes = np.abs(found["footprint_change"].values)
    assert np.all(np.diff(sizes) <= 0)
    assert found["footprint_change"].attrs["units"] == "kg kWh-1"
    of = found.sel(lever="positive electrode thickness")
    assert (float(of["change"]), str(of["unit"].values)) == (1.0, "um")
    assert str(found["unit"].sel(lever="nmc532").values) == "kg kg-1"
    assert len(set(found["lever"].values)) == found.sizes["lever"]


def test_a_factor_is_linear_and_its_elasticity_its_share(found, formed):
    base = cm.footprint(formed, PLANT, "FR")
    cathode = base["carbon_footprint"].sel(component="positive_active_material").sum("stage")
    bought = float(base["material_input"].sel(component="positive_active_material"))
    np.testing.assert_allclose(change(found, "nmc532"), -0.05 * bought, rtol=1e-9, atol=0)
    np.testing.assert_allclose(
        found["elasticity"].sel(lever="nmc532"), cathode / base[TOTAL], rtol=1e-9, atol=0
    )
    np.testing.assert_allclose(found.attrs[TOTAL], base[TOTAL], rtol=1e-12, atol=0)


def test_an_end_of_line_yield_divides_all_that_is_bought(found, formed):
    """Closed form for the last step: only transport and end of life do not carry the scrap.

    F = c / y + fixed terms; d/dy of what is proportional to 1 / y is -F_y / y.
    """
    plant = cm.load_plant(PLANT)
    y = plant.values()["end_of_line_yield"]
    ends = [footprint_of(formed, plant.replace(end_of_line_yield=y + d)) for d in (-1e-4, 1e-4)]
    np.testing.assert_allclose(
        change(found, "yield of end of line"), (ends[1] - ends[0]) / 2e-4 / 100, rtol=1e-5, atol=0
    )
    at_half = footprint_of(formed, plant.replace(end_of_line_yield=y / 2))
    scaled = at_half - found.attrs[TOTAL]  # what is proportional to 1 / y, once
    np.testing.assert_allclose(
        change(found, "yield of end of line"), -scaled / y / 100, rtol=1e-5, atol=0
    )


def test_first_cycle_efficiency_by_differences_of_our_own(found):
    """The SEI rate up and down by 5 %: footprint over first-cycle efficiency."""
    cell = cm.load_cell(CELL)
    name = SEI_LAWS[cell.sei]
    rates = cell.parameter(name) * np.array([0.95, 1.05])
    swept = cm.sweep_formation(cell, PROTOCOL, EQUIPMENT, over={name: rates}, tolerance=0.01)
    totals = cm.footprint(swept, PLANT, "FR")[TOTAL].squeeze()
    slope = float(totals.diff(totals.dims[0]).squeeze()) / float(
        swept["first_cycle_efficiency"].diff(totals.dims[0]).squeeze()
    )
    np.testing.assert_allclose(
        change(found, "first-cycle efficiency"), slope / 100, rtol=0.01, atol=0
    )
    assert -1.05 < float(found["elasticity"].sel(lever="first-cycle efficiency")) < -0.8


@pytest.mark.parametrize(
    ("lever", "name", "step", "per"),
    [
        ("positive electrode thickness", THICKNESS, 0.2e-6, 1e-6),
        ("formation temperature", "temperature", 0.2, 1.0),
    ],
)
def test_kernel_levers_by_differences_of_our_own(found, lever, name, step, per):
    cell, protocol = cm.load_cell(CELL), cm.load_protocol(PROTOCOL)
    base = cell.parameter(name) if name == THICKNESS else protocol.defaults(cell)[name]
    over = {name: np.array([base - step, base + step])}
    swept = cm.sweep_formation(cell, protocol, EQUIPMENT, over=over, tolerance=0.01)
    totals = cm.footprint(swept, PLANT, "FR")[TOTAL].squeeze().values
    expected = (totals[1] - totals[0]) / (2 * step) * per
    np.testing.assert_allclose(change(found, lever), expected, rtol=0.01, atol=0)


def test_a_point_of_recycled_nickel_replaces_a_point_of_primary(found, formed):
    """Closed form: kg bought * kg of salt in it * (recycled - primary) / 100."""
    factors = load_factors()
    bought = cm.footprint(formed, PLANT, "FR")["material_input"]
    salt = {part.input: part.amount for part in factors.contents["nmc532"]}["nickel-sulphate"]
    saved = factors.get("nickel-sulphate-recycled").value - factors.get("nickel-sulphate").value
    expected = float(bought.sel(component="positive_active_material")) * salt * saved / 100
    np.testing.assert_allclose(
        change(found, "recycled nickel sulphate"), expected, rtol=1e-9, atol=0
    )


def test_halving_the_step_hardly_matters(found):
    smooth = found["footprint_change_error"].notnull()
    share = abs(found["footprint_change_error"] / found["footprint_change"]).where(smooth)
    assert float(share.max()) < 0.01


def test_cycler_efficiency_is_both_directions(found, formed):
    equipment = cm.load_equipment(EQUIPMENT)
    ends = []
    for d in (-1e-4, 1e-4):
        other = equipment.replace(
            charge_efficiency=equipment.charge_efficiency + d,
            discharge_efficiency=equipment.discharge_efficiency + d,
        )
        swept = cm.sweep_formation(CELL, PROTOCOL, other, tolerance=0.01)
        ends.append(footprint_of(swept))
    expected = (ends[1] - ends[0]) / 2e-4 / 100
    np.testing.assert_allclose(change(found, "cycler efficiency"), expected, rtol=1e-4, atol=0)


def test_switches_are_differences_of_footprints(found, formed):
    totals = cm.footprint(formed, PLANT, ["FR", "DE", "PL", "CN"])[TOTAL]
    for site in ("DE", "PL", "CN"):
        row = found.sel(lever=f"site {site} instead of FR")
        np.testing.assert_allclose(
            row["footprint_change"],
            totals.sel(site=site) - totals.sel(site="FR"),
            rtol=1e-9,
            atol=0,
        )
        assert np.isnan(row["elasticity"])
        assert str(row["unit"].values) == "switch"
    pumped = cm.load_plant(PLANT).replace(heat_source="heat_pump")
    saved = footprint_of(formed, pumped) - footprint_of(formed)
    np.testing.assert_allclose(
        change(found, "heat pump instead of gas boiler"), saved, rtol=1e-9, atol=0
    )


def test_other_plants_and_equipment():
    plant = cm.load_plant("pilot-line").replace(slitting_yield=1.0, heat_source="heat_pump")
    found = cm.levers(CELL, "three-cycle", "laboratory-cycler", plant, "SE", other_sites=["NO"])
    names = found["lever"].values.tolist()
    assert "yield of slitting" not in names  # it cannot get better
    assert "yield of coating" in names
    assert not [name for name in names if name.startswith("heat pump")]
    assert "site NO instead of SE" in names
    # what the linear cycler wastes matters more than the regenerative one's losses
    assert change(found, "cycler efficiency") < 0


def test_what_cannot_be_is_refused(monkeypatch):
    monkeypatch.setattr("cellmodel.chain.sweep_formation", None)  # before any work

    def refused(match, site="FR", **options):
        with pytest.raises(InputError, match=match):
            cm.levers(CELL, PROTOCOL, EQUIPMENT, PLANT, site, **options)

    refused(r"unknown site 'UK'", site="UK")
    refused(r"unknown site 'UK'", other_sites=["UK"])
    refused(r"site must be one site", site=["FR", "DE"])
    refused(r"unknown input 'nmc53'", changes={"nmc53": 1.0})
    refused(r"changes\['nmc532'\] must be a number other than 0, got 0", changes={"nmc532": 0})
    refused(r"coating_yield, changed by 0\.5, must be", changes={"coating_yield": 0.5})
    refused(r"changes must map names to numbers", changes=["nmc532"])
    ideal = cm.load_plant(PLANT).replace(coating_yield=1.0)
    with pytest.raises(InputError, match=r"'coating_yield' is 1, at an end of what it may be"):
        cm.levers(CELL, PROTOCOL, EQUIPMENT, ideal, changes={"coating_yield": -0.1})
