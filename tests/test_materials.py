"""Bill of materials: closed forms, sweeps, completeness, and the weight of real cells."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType

import numpy as np
import pytest
import xarray as xr

from cellmodel.cell import Cell, list_cells, load_cell
from cellmodel.errors import InputError
from cellmodel.factors import load_factors
from cellmodel.footprint import footprint
from cellmodel.materials import COMPONENTS, SECOND, bill_of_materials
from cellmodel.quantity import Quantity

GEOMETRY = {
    "Electrode width [m]": 0.5,
    "Electrode height [m]": 0.1,
    "Number of electrodes connected in parallel to make a cell": 4.0,
    "Separator thickness [m]": 20e-6,
    "Separator porosity": 0.5,
    "Positive electrode active material volume fraction": 0.6,
    "Positive electrode porosity": 0.3,
    "Positive electrode thickness [m]": 80e-6,
    "Positive current collector thickness [m]": 16e-6,
    "Negative electrode active material volume fraction": 0.65,
    "Negative electrode porosity": 0.3,
    "Negative electrode thickness [m]": 90e-6,
    "Negative current collector thickness [m]": 10e-6,
}


def make_cell(**changes) -> Cell:
    """A cell whose every number is its own, so that nothing needs PyBaMM."""
    template = load_cell("nmc811-graphite-siox")
    materials = dict(template.materials)
    for name in ("positive_filler_share", "negative_filler_share", "cell_mass"):
        del materials[name]
    materials |= {
        name: Quantity(value, materials[name].unit, "test")
        for name, value in {
            "positive_active_density": 4800.0,
            "negative_active_density": 2200.0,
            "positive_filler_density": 1800.0,
            "negative_filler_density": 1300.0,
            "electrolyte_density": 1200.0,
            "electrolyte_excess": 1.2,
            "separator_density": 900.0,
            "housing_mass": 0.01,
        }.items()
    }
    materials |= changes
    materials = {name: entry for name, entry in materials.items() if entry is not None}
    return dataclasses.replace(
        template,
        name="test",
        parameters=MappingProxyType(
            {name: Quantity(value, "1", "test") for name, value in GEOMETRY.items()}
        ),
        materials=MappingProxyType(materials),
    )


def test_masses_by_hand():
    mass = bill_of_materials(make_cell())
    area = 0.5 * 0.1 * 4
    pores = area * (80e-6 * 0.3 + 90e-6 * 0.3 + 20e-6 * 0.5)
    expected = {
        "positive_active_material": area * 80e-6 * 0.6 * 4800,
        "positive_filler": area * 80e-6 * 0.1 * 1800,
        "negative_active_material": area * 90e-6 * 0.65 * 2200,
        "negative_filler": area * 90e-6 * 0.05 * 1300,
        "electrolyte": pores * 1200 * 1.2,
        "separator": area * 20e-6 * 0.5 * 900,
        "negative_foil": area * 10e-6 * 8960 / 2,
        "positive_foil": area * 16e-6 * 2700 / 2,
        "housing": 0.01,
    }
    assert mass.dims == ("component",)
    assert tuple(mass["component"].values) == COMPONENTS
    assert mass.attrs["units"] == "kg"
    for component, value in expected.items():
        np.testing.assert_allclose(mass.sel(component=component), value, rtol=1e-12, atol=0)


def test_a_stated_share_of_filler_takes_the_place_of_the_remaining_volume():
    share = Quantity(0.05, "1", "test")
    mass = bill_of_materials(make_cell(positive_filler_share=share))
    filler = mass.sel(component="positive_filler")
    coating = filler + mass.sel(component="positive_active_material")
    np.testing.assert_allclose(filler / coating, 0.05, rtol=1e-12, atol=0)


def test_fractions_above_one_leave_no_filler():
    mass = bill_of_materials(make_cell(), {"Positive electrode porosity": 0.5})
    assert float(mass.sel(component="positive_filler")) == 0.0


def test_own_foil_thickness_counts_unless_it_is_swept():
    cell = make_cell(negative_foil_thickness=Quantity(8e-6, "m", "test"))
    own = bill_of_materials(cell).sel(component="negative_foil")
    swept = bill_of_materials(cell, {"Negative current collector thickness [m]": 16e-6})
    np.testing.assert_allclose(own, 0.2 * 8e-6 * 8960 / 2, rtol=1e-12, atol=0)
    np.testing.assert_allclose(swept.sel(component="negative_foil"), 2 * own, rtol=1e-12, atol=0)


def test_swept_geometry_broadcasts_and_equals_single_cells():
    thickness = xr.DataArray([60e-6, 80e-6, 100e-6], dims="thickness")
    porosity = xr.DataArray([0.25, 0.35], dims="porosity")
    names = ("Positive electrode thickness [m]", "Negative electrode porosity")
    swept = bill_of_materials(make_cell(), dict(zip(names, (thickness, porosity), strict=True)))
    assert dict(swept.sizes) == {"component": 9, "thickness": 3, "porosity": 2}
    for i in range(3):
        for j in range(2):
            values = (float(thickness[i]), float(porosity[j]))
            single = bill_of_materials(make_cell(), dict(zip(names, values, strict=True)))
            np.testing.assert_allclose(
                swept.isel(thickness=i, porosity=j), single, rtol=1e-13, atol=0
            )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"housing_mass": None}, r"add housing_mass; the bill of materials needs"),
        ({"housing_mas": Quantity(1, "kg", "x")}, r"'housing_mas'; .* housing_mass"),
        ({"electrolyte": Quantity(1, "kg", "x")}, r"electrolyte must be the name of a material"),
        ({"housing_mass": Quantity(10, "g", "x")}, r"housing_mass must be a quantity in 'kg'"),
        ({"housing_mass": "light"}, r"housing_mass must be a quantity in 'kg', got 'light'"),
        (
            {"positive_active_density": Quantity(0.0, "kg m-3", "x")},
            r"positive_active_density must be in kg m-3 above 0 and at most 25000, got 0.0",
        ),
        ({"positive_filler_share": Quantity(5.0, "1", "x")}, r"did you pass per cent"),
    ],
)
def test_wrong_materials_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        bill_of_materials(make_cell(**changes))


@pytest.mark.parametrize("name", list_cells())
def test_masses_of_shipped_cells_add_up_to_the_cell(name):
    """LG M50 68-70 g, A123 26650 70-76 g; can masses are judged, so this is a weak check.

    It is none for the pouch cell, whose mass is itself an estimate from the volume of its set.
    """
    cell = load_cell(name)
    mass = bill_of_materials(cell)
    measured = cell.materials["cell_mass"]
    np.testing.assert_allclose(mass.sum(), measured.value, rtol=0.05, atol=0)
    factors = load_factors()
    for material in mass["material"].values:
        assert factors.get(str(material)).value > 0


def test_masses_per_kilowatt_hour_are_those_of_inventories():
    """NMC811 cells by Dai et al. 2019 and later: CAM 1.28, graphite 0.73, electrolyte 0.60,
    copper 0.44, aluminium foil 0.10, cell 3.6 kg per kWh. The LG M50 is a 21700: steel can,
    less electrolyte, thinner copper.
    """
    mass = bill_of_materials(load_cell("nmc811-graphite-siox")) / 0.0181  # kWh
    bands = {
        "positive_active_material": (1.1, 1.5),
        "negative_active_material": (0.65, 0.9),
        "electrolyte": (0.3, 0.7),
        "negative_foil": (0.25, 0.55),
        "positive_foil": (0.08, 0.15),
    }
    for component, (low, high) in bands.items():
        assert low < float(mass.sel(component=component)) < high, component
    assert 3.4 < float(mass.sum()) < 4.2


FRACTION = "Negative electrode active material volume fraction"


def test_more_silicon_is_more_silicon_in_the_bill_and_in_the_footprint():
    cell = load_cell("nmc811-graphite-silicon")
    before = bill_of_materials(cell)
    added = 0.01
    shifted = {
        f"Primary: {FRACTION}": cell.parameter(f"Primary: {FRACTION}") - added,
        f"Secondary: {FRACTION}": cell.parameter(f"Secondary: {FRACTION}") + added,
    }
    after = bill_of_materials(cell.replace_parameters(shifted))
    assert list(before["component"].values).index(SECOND) == 3
    assert before["material"].sel(component=SECOND).item() == "silicon"
    volume = np.prod(
        [
            cell.parameter(name)
            for name in (
                "Electrode width [m]",
                "Electrode height [m]",
                "Number of electrodes connected in parallel to make a cell",
                "Negative electrode thickness [m]",
            )
        ]
    )
    changed = after - before
    np.testing.assert_allclose(changed.sel(component=SECOND), added * volume * 2330, rtol=1e-10)
    np.testing.assert_allclose(
        changed.sel(component="negative_active_material"), -added * volume * 2240, rtol=1e-10
    )
    same = ["positive_active_material", "electrolyte", "negative_foil", "housing"]
    assert float(np.abs(changed.sel(component=same)).max()) == 0
    energies = {"nominal_energy": 18.0, "formation_energy": 40.0}
    one, other = (
        footprint(xr.Dataset({"component_mass": mass, **energies}), sites=["FR"])
        for mass in (before, after)
    )
    bought = other["material_input"].sel(component=SECOND)
    factor = load_factors().get("silicon").value
    np.testing.assert_allclose(
        other["carbon_footprint"].sel(component=SECOND).sum(), bought * factor, rtol=1e-12, atol=0
    )
    assert float(bought) > 1.5 * float(one["material_input"].sel(component=SECOND))


def test_a_sweep_of_silicon_broadcasts():
    cell = load_cell("nmc811-graphite-silicon")
    shares = xr.DataArray([0.0, 0.015, 0.05], dims="silicon")
    mass = bill_of_materials(cell, {f"Secondary: {FRACTION}": shares})
    np.testing.assert_allclose(
        mass.sel(component=SECOND) / mass.sel(component=SECOND)[1], shares / 0.015, rtol=1e-12
    )
    assert "silicon" in mass.sel(component="negative_filler").dims


def test_a_second_active_material_needs_its_density_and_its_name():
    density = Quantity(2330.0, "kg m-3", "test")
    with pytest.raises(InputError, match="add negative_second_active_density"):
        bill_of_materials(make_cell(negative_second_active_material="silicon"))
    with pytest.raises(InputError, match="add negative_second_active_material"):
        bill_of_materials(make_cell(negative_second_active_density=density))
