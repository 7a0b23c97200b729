"""BPX files as cells: what they state is used, what they lack is named."""

from __future__ import annotations

import copy
import json
import warnings

import numpy as np
import pytest

import cellmodel as cm
from cellmodel.materials import bill_of_materials

bpx = pytest.importorskip("bpx")

EQUIPMENT = "regenerative-cycler"
SET = "Chen2020"
ENTROPY = "Entropic change coefficient [V.K-1]"


def _table(values, name):
    """Return a function of a PyBaMM set as a BPX table over stoichiometry."""
    import pybamm

    at = np.linspace(0.0, 1.0, 201)
    found = values.process_symbol(values[name](pybamm.Vector(at))).evaluate()
    return {"x": at.tolist(), "y": found.ravel().tolist()}


@pytest.fixture(scope="module")
def document():
    """The LG M50 of Chen et al. 2020 as BPX, from PyBaMM's own set."""
    import pybamm

    values = pybamm.ParameterValues(SET)
    param = pybamm.LithiumIonParameters()
    T = pybamm.Scalar(298.15)
    start = {"Negative": (0.0279, 0.9014), "Positive": (0.27, 0.9084)}

    def electrode(side, phase):
        maximum = values[f"Maximum concentration in {side.lower()} electrode [mol.m-3]"]
        radius = values[f"{side} particle radius [m]"]
        fraction = values[f"{side} electrode active material volume fraction"]
        porosity = values[f"{side} electrode porosity"]
        half = pybamm.Scalar(maximum / 2)
        exchange = values.process_symbol(phase.j0(pybamm.Scalar(1000.0), half, T)).evaluate()
        return {
            "Thickness [m]": values[f"{side} electrode thickness [m]"],
            "Porosity": porosity,
            "Transport efficiency": porosity**1.5,
            "Conductivity [S.m-1]": values[f"{side} electrode conductivity [S.m-1]"],
            "Minimum stoichiometry": start[side][0],
            "Maximum stoichiometry": start[side][1],
            "Maximum concentration [mol.m-3]": maximum,
            "Particle radius [m]": radius,
            "Surface area per unit volume [m-1]": 3 * fraction / radius,
            "Diffusivity [m2.s-1]": values[f"{side} particle diffusivity [m2.s-1]"],
            "Diffusivity activation energy [J.mol-1]": 25000.0,
            "OCP [V]": _table(values, f"{side} electrode OCP [V]"),
            ENTROPY: 0.0,
            "Reaction rate constant [mol.m-2.s-1]": 2 * float(exchange) / 96485.33212,
            "Reaction rate constant activation energy [J.mol-1]": 30000.0,
        }

    return {
        "Header": {
            "BPX": "1.1.0",
            "Title": "LG M50",
            "References": "Chen et al. 2020",
            "Model": "DFN",
        },
        "Parameterisation": {
            "Cell": {
                "Electrode area [m2]": 0.1027,
                "External surface area [m2]": 0.00531,
                "Volume [m3]": 2.42e-5,
                "Number of electrode pairs connected in parallel to make a cell": 1,
                "Lower voltage cut-off [V]": 2.5,
                "Upper voltage cut-off [V]": 4.2,
                "Nominal cell capacity [A.h]": 5.0,
                "Reference temperature [K]": 298.15,
                "Density [kg.m-3]": 2400.0,
                "Specific heat capacity [J.K-1.kg-1]": 900.0,
            },
            "Electrolyte": {
                "Cation transference number": 0.2594,
                # expressions, in BPX's own language; fit of Nyman et al. 2008
                "Diffusivity [m2.s-1]": "8.794e-17 * x**2 - 3.972e-13 * x + 4.862e-10",
                "Conductivity [S.m-1]": (
                    "0.1297 * (x / 1000)**3 - 2.51 * (x / 1000)**1.5 + 3.329 * (x / 1000)"
                ),
            },
            "Negative electrode": electrode("Negative", param.n.prim),
            "Positive electrode": electrode("Positive", param.p.prim),
            "Separator": {
                "Thickness [m]": 12e-6,
                "Porosity": 0.47,
                "Transport efficiency": 0.47**1.5,
            },
        },
        "State": {
            "Initial conditions": {
                "Initial state-of-charge": 0.5,
                "Initial temperature [K]": 298.15,
                "Initial electrolyte concentration [mol.m-3]": 1000.0,
            },
            "Thermal environment": {
                "Ambient temperature [K]": 298.15,
                "Heat transfer coefficient [W.m-2.K-1]": 12.0,
            },
        },
    }


@pytest.fixture
def write(tmp_path, document):
    """Return a function that writes the document, changed, and returns its path."""

    def write(change=lambda document: None, name="lgm50"):
        changed = copy.deepcopy(document)
        change(changed)
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(changed), encoding="utf-8")
        return path

    return write


def _without(section, *names):
    def change(document):
        for name in names:
            del document["Parameterisation"][section][name]

    return change


def test_the_document_is_bpx(document):
    bpx.parse_bpx_obj(copy.deepcopy(document))


def test_a_file_is_a_cell(write):
    cell = cm.load_cell(str(write()))
    assert (cell.name, cell.title, cell.source) == ("lgm50", "LG M50", "Chen et al. 2020")
    assert cell.parameter_set == "lgm50.json"
    assert cell.parameter("Positive electrode thickness [m]") == 75.6e-6
    assert cell.parameter("Total heat transfer coefficient [W.m-2.K-1]") == 12.0
    np.testing.assert_allclose(
        cell.parameter("Negative electrode active material volume fraction"), 0.75, atol=0
    )
    changed = cell.replace_parameters({"Positive electrode thickness [m]": 80e-6})
    assert changed.parameter("Positive electrode thickness [m]") == 80e-6


def test_what_a_file_lacks_is_named(write):
    def change(document):
        for side in ("Negative", "Positive"):
            del document["Parameterisation"][f"{side} electrode"][ENTROPY]
        _without("Cell", "Density [kg.m-3]", "Reference temperature [K]")(document)
        del document["State"]

    whole, bare = cm.load_cell(write()), cm.load_cell(write(change, "bare"))
    named = {row[0]: row[3] for row in bare.provenance()}
    assert named["Negative electrode OCP entropic change [V.K-1]"].endswith("(assumed)")
    assert "lent by OKane2022" in named["Separator density [kg.m-3]"]
    assert "lent by OKane2022" in named["Total heat transfer coefficient [W.m-2.K-1]"]
    assert "298.15 K" in named["Reference temperature [K]"]
    assert "1000" in named["Initial electrolyte concentration [mol.m-3]"]
    assert bare.parameter("Reference temperature [K]") == 298.15
    assert set(named) - {row[0] for row in whole.provenance()} == {
        "Negative electrode OCP entropic change [V.K-1]",
        "Positive electrode OCP entropic change [V.K-1]",
        "Total heat transfer coefficient [W.m-2.K-1]",
        "Reference temperature [K]",
        "Initial electrolyte concentration [mol.m-3]",
        *(name for name in named if name.endswith(" density [kg.m-3]")),
    }


def test_what_a_file_defines_besides_is_named(write):
    def change(document):
        lithiation = {"x": [0.0, 1.0], "y": [0.5, 0.1]}
        document["Parameterisation"]["User-defined"] = {"Lithiation OCP [V]": lithiation}

    named = {row[0]: row[3] for row in cm.load_cell(write(change)).provenance()}
    assert named["User-defined"].startswith("Lithiation OCP [V]: without effect if no model knows")


def test_every_number_and_substance_that_is_no_number_of_the_file_is_marked(write):
    cell = cm.load_cell(write())
    for name, _, _, source in cell.provenance()[3:]:
        assert source.endswith("(assumed)") or "(lent by " in source or name in cell.assumptions
    assert "states no substance" in dict(cell.assumptions)["positive_active_material"]


def test_show_takes_a_file(write):
    from typer.testing import CliRunner

    from cellmodel import cli

    output = CliRunner().invoke(cli.app, ["show", str(write())]).output
    assert "parameter set lgm50.json of a BPX file" in output
    assert "lent: numbers of another set or cell" in output
    assert "Thermodynamic factor" in output.partition("assumed: what is no number")[2]


def test_what_refers_to_the_particles_area_follows_their_radius(write):
    def finer(document):
        electrode = document["Parameterisation"]["Negative electrode"]
        electrode["Particle radius [m]"] /= 2
        electrode["Surface area per unit volume [m-1]"] *= 2

    coarse, fine = cm.load_cell(write()), cm.load_cell(write(finer, "fine"))
    ratio = {name: fine.parameter(name) / coarse.parameter(name) for name in coarse.parameters}
    for name, expected in (
        ("SEI reaction exchange current density [A.m-2]", 0.5),
        ("SEI partial molar volume [m3.mol-1]", 2.0),
        ("Tunneling barrier factor [m-1]", 1.0),
    ):
        np.testing.assert_allclose(ratio[name], expected, rtol=1e-12, atol=0)


def test_numbers_of_the_file_come_before_those_of_others(write):
    def change(document):
        document["Parameterisation"]["User-defined"] = {"SEI resistivity [Ohm.m]": 1234.5}

    cell = cm.load_cell(write(change))
    assert cell.parameter("SEI resistivity [Ohm.m]") == 1234.5
    assert "SEI resistivity [Ohm.m]" not in cell.parameters


@pytest.mark.parametrize(("formed", "expected"), [(0.85, 0.85), (0.9084, 0.9084), (0.96, None)])
def test_the_lithium_of_formation_is_added_to_the_positive_electrode(write, formed, expected):
    def change(document):
        document["Parameterisation"]["Positive electrode"]["Maximum stoichiometry"] = formed

    cell = cm.load_cell(write(change))
    capacity = 0.1027 * 75.6e-6 * 0.665 * 63104 * 96485.33212 / 3600
    lost = (1 / cell.first_cycle_efficiency.value - 1) * 5.0
    fresh = cell.positive_stoichiometry.value
    if expected is None:
        assert fresh == 0.975
    else:
        np.testing.assert_allclose(fresh, min(expected + lost / capacity, 0.975), rtol=1e-9, atol=0)


def test_kernels_form_it_as_pybamm_does(write):
    cell = cm.load_cell(write())
    found = cm.sweep_formation(cell, "two-cycle", EQUIPMENT)
    expected = cm.simulate_formation(cell, "two-cycle", EQUIPMENT, rtol=1e-8, atol=1e-10)
    assert found.status == 0
    for name in ("charge_energy", "discharge_energy"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-3, atol=0)
    loss = [r.charge_energy - r.discharge_energy for r in (found, expected)]
    np.testing.assert_allclose(*loss, rtol=5e-3, atol=0)
    np.testing.assert_allclose(found.lithium_loss, expected.lithium_loss, rtol=5e-3, atol=0)
    assert 0.8 < found.first_cycle_efficiency < 0.95
    assert bill_of_materials(cell).sum() > 0.05


def test_a_sweep_takes_the_numbers_of_the_file_as_arrays(write):
    cell = cm.load_cell(write())
    name = "Positive electrode thickness [m]"
    swept = cm.sweep_formation(cell, "two-cycle", EQUIPMENT, over={name: [70e-6, 75.6e-6]})
    alone = cm.sweep_formation(cell, "two-cycle", EQUIPMENT)
    np.testing.assert_array_equal(
        swept.charge_energy.isel(positive_electrode_thickness=1), alone.charge_energy
    )


def test_a_cell_file_may_build_on_a_bpx_file(write, tmp_path):
    write()
    (tmp_path / "own.toml").write_text("""
title = "t"
source = "s"
parameter_set = "lgm50.json"
sei = "ec reaction limited"
[fresh]
negative_stoichiometry = { value = 0.005, unit = "1", source = "s" }
positive_stoichiometry = { value = 0.94, unit = "1", source = "s" }
[first_cycle]
efficiency = { value = 0.86, unit = "1", source = "s" }
protocol = "two-cycle"
parameter = "SEI kinetic rate constant [m.s-1]"
[parameters."SEI resistivity [Ohm.m]"]
value = 5e4
unit = "Ohm.m"
source = "mine"
[materials]
positive_active_material = "nmc811"
""")
    cell = cm.load_cell(tmp_path / "own.toml")
    assert cell.parameters["SEI resistivity [Ohm.m]"].source == "mine"
    assert cell.parameter("Positive electrode thickness [m]") == 75.6e-6
    assert cell.materials["positive_active_material"] == "nmc811"
    assert "positive_active_material" not in cell.assumptions
    assert "negative_active_material" in cell.assumptions


def test_a_cell_of_a_file_is_saved_with_the_file(write, tmp_path):
    cell = cm.load_cell(write())
    path = cm.save_cell(cell, tmp_path / "elsewhere" / "mine.toml")
    assert cm.load_cell(path) == cell
    assert len(list(path.parent.glob("*.json"))) == 1


def test_a_changed_file_is_another_cell(write):
    from cellmodel.fingerprint import fingerprint

    def change(document):
        document["Parameterisation"]["Separator"]["Thickness [m]"] = 15e-6

    first, path = cm.load_cell(write()), write(change)
    assert fingerprint(cm.load_cell(path)) != fingerprint(first)
    assert first.parameter("Separator thickness [m]") == 12e-6


def _blend(document):
    electrode = document["Parameterisation"]["Negative electrode"]
    electrode["Particle"] = {"Graphite": {}, "Silicon": {}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_without("Cell", "Volume [m3]"), r"lgm50.json: lacks Cell / Volume \[m3\], which cannot"),
        (
            lambda document: [
                document["Parameterisation"].pop(name) for name in ("Electrolyte", "Separator")
            ],
            "lacks Electrolyte, Separator, which cannot be assumed",
        ),
        (_without("Positive electrode", "OCP [V]"), r"Positive electrode / OCP \[V\]: Field requi"),
        (_without("Electrolyte", "Cation transference number"), "Cation transference number: Fiel"),
        (
            lambda document: document["Parameterisation"]["Negative electrode"].update(
                {"OCP [V]": 0}
            ),
            r"Negative electrode / OCP \[V\] must depend on the stoichiometry, got 0; what the",
        ),
        (_blend, "Negative electrode is a blend of materials"),
        (lambda document: document.pop("Header"), "sections Header and Parameterisation"),
        (
            lambda document: document["Parameterisation"]["Electrolyte"].update(
                {"Conductivity [S.m-1]": "__import__('os').getcwd()"}
            ),
            "Conductivity",
        ),
    ],
)
def test_wrong_files_are_refused(write, change, message):
    with pytest.raises(cm.InputError, match=message):
        cm.load_cell(write(change))


def test_files_that_are_none_are_refused(tmp_path):
    with pytest.raises(cm.InputError, match=r"none.json: there is no such file"):
        cm.load_cell(tmp_path / "none.json")
    path = tmp_path / "broken.json"
    path.write_text("{")
    with pytest.raises(cm.InputError, match=r"broken.json: is not valid JSON"):
        cm.load_cell(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(cm.InputError, match="is not UTF-8"):
        cm.load_cell(path)


def test_reading_warns_of_nothing(write):
    def change(document):
        del document["State"]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cm.load_cell(write(change)).bpx
