"""Studies: what the file may say, what is found, what is left behind."""

from __future__ import annotations

import csv
import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import cellmodel as cm
from cellmodel.best_design import best_designs
from cellmodel.study_file import Best, Limits, read_study
from cellmodel.study_plan import estimate, plan_study
from cellmodel.table import tables

THICKNESS = "Positive electrode thickness [m]"
STUDY = """
cells = ["nmc532-graphite", "lfp-graphite"]
protocols = ["two-cycle", "three-cycle"]
equipment = ["regenerative-cycler", "laboratory-cycler"]
sites = ["FR", "PL"]
plots = ["formation_energy", "footprint"]

[over]
charge_rate = [0.08, 0.1, 0.2]
temperature = { from = 288.15, to = 318.15, count = 2 }
"Positive electrode thickness [m]" = { relative = true, values = [0.9, 1.0] }

[best]
minimise = "carbon_footprint_total"
at = { site = "PL" }

[admissible]
lowest_negative_potential = { low = 0.0 }
max_cell_temperature = { high = 310.0 }
"""
KEYS = 'cells = ["lfp-graphite"]\nprotocols = ["two-cycle"]\nequipment = ["laboratory-cycler"]\n'

OVER = "[over]\ncharge_rate = [0.1]\n"


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("study") / "study.toml"
    path.write_text(STUDY)
    return path


@pytest.fixture(scope="module")
def outcome(study):
    return cm.run_study(study, study.parent / "results")


def test_the_sweep_has_every_combination(outcome):
    status = outcome.sweep["status"]
    assert status.dims == (
        "protocol", "cell", "charge_rate", "temperature",
        "relative_positive_electrode_thickness",
    )  # fmt: skip
    assert status.shape == (2, 2, 3, 2, 2)
    assert (status == 0).all()
    energy = outcome.sweep["formation_energy"]
    assert energy.dims == (*status.dims, "equipment")
    two = outcome.sweep["discharge_capacity"].sel(protocol="two-cycle")
    assert np.isnan(two.isel(cycle=2)).all()
    assert not np.isnan(two.isel(cycle=1)).any()


def test_relative_means_of_each_cells_own_value(outcome):
    thickness = outcome.sweep["positive_electrode_thickness"]
    for name in ("nmc532-graphite", "lfp-graphite"):
        own = cm.load_cell(name).parameter(THICKNESS)
        np.testing.assert_allclose(thickness.sel(cell=name), [0.9 * own, own], rtol=1e-15, atol=0)
    relative = outcome.sweep["relative_positive_electrode_thickness"]
    assert relative.values.tolist() == [0.9, 1.0]
    assert relative.attrs["long_name"] == "positive electrode thickness / that of the cell"


def test_the_sweep_is_what_sweep_formation_gives(outcome):
    cell = cm.load_cell("lfp-graphite")
    own = cell.parameter(THICKNESS)
    formed = cm.sweep_formation(
        cell,
        cm.load_protocol("three-cycle"),
        cm.load_equipment("laboratory-cycler"),
        over={"charge_rate": [0.08, 0.1, 0.2], "temperature": [318.15], THICKNESS: [0.9 * own]},
    )
    place = {"protocol": "three-cycle", "cell": "lfp-graphite", "equipment": "laboratory-cycler"}
    stored = outcome.sweep.sel(place).isel(temperature=1, relative_positive_electrode_thickness=0)
    for name, variable in formed.squeeze(drop=True).data_vars.items():
        if name != "component_mass":
            # sums over several equipments are rounded in another order than over one
            np.testing.assert_allclose(stored[name], variable, rtol=1e-9, atol=0, err_msg=name)
    co2 = cm.footprint(formed, sites=["PL"])["carbon_footprint_total"].squeeze()
    stored_co2 = stored["carbon_footprint_total"].sel(site="PL")
    np.testing.assert_allclose(stored_co2, co2, rtol=1e-9, atol=0)


def test_the_best_design_is_the_best(outcome):
    sweep, designs = outcome.sweep.load(), outcome.designs
    allowed = (sweep["lowest_negative_potential"] >= 0) & (sweep["max_cell_temperature"] <= 310)
    assert 0 < allowed.sum() < allowed.size
    value = sweep["carbon_footprint_total"].sel(site="PL").where(allowed)
    for cell in ("nmc532-graphite", "lfp-graphite"):
        for equipment in ("regenerative-cycler", "laboratory-cycler"):
            chosen = (
                (designs["cell"] == cell)
                & (designs["equipment"] == equipment)
                & (designs["choice"] == "best")
            )
            best = designs.isel(design=np.flatnonzero(chosen)).squeeze()
            here = value.sel(cell=cell, equipment=equipment)
            assert float(best["carbon_footprint_total"].sel(site="PL")) == float(here.min())
            names = (
                "protocol",
                "charge_rate",
                "temperature",
                "relative_positive_electrode_thickness",
            )
            point = here.sel({name: best[name].item() for name in names})
            assert float(point) == float(here.min())
            assert float(best["temperature"]) == 288.15
            assert "temperature" in best["at_edge"].item()
            assert best["admissible_cases"].item() == int(allowed.sel(cell=cell).sum())
            assert best["cases"].item() == 24


def test_nominal_is_the_cell_and_protocol_as_they_are(outcome):
    designs = outcome.designs
    first = designs.isel(design=0)
    assert [first[name].item() for name in ("cell", "protocol", "equipment", "choice")] == [
        "nmc532-graphite", "two-cycle", "regenerative-cycler", "nominal",
    ]  # fmt: skip
    assert float(first["charge_rate"]) == 0.1
    assert float(first["temperature"]) == 298.15
    assert float(first["relative_positive_electrode_thickness"]) == 1.0
    assert first["charge_rate"].attrs["units"] == "h-1"
    one = cm.sweep_formation(
        cm.load_cell("nmc532-graphite"),
        cm.load_protocol("two-cycle"),
        cm.load_equipment("regenerative-cycler"),
    )
    for name in ("first_cycle_efficiency", "specific_formation_energy", "total_time"):
        np.testing.assert_allclose(first[name], one[name], rtol=1e-12, atol=0)
    assert (designs["choice"].values == "nominal").sum() == 8
    assert (designs["choice"].values == "best").sum() == 4


def test_footprints_of_the_designs_add_up(outcome):
    total = outcome.footprint["carbon_footprint"].sum(["stage", "component"])
    np.testing.assert_allclose(
        total.transpose("design", "site"),
        outcome.designs["carbon_footprint_total"].transpose("design", "site"),
        rtol=1e-12,
        atol=0,
    )


def test_what_is_written(outcome):
    names = sorted(path.name for path in outcome.folder.iterdir() if path.name[0] != ".")
    assert names == [
        "footprint.csv", "footprint.png", "formation_energy.png", "provenance.json", "sweep.zarr",
        "sweep.zarr.ledger", "table.csv",
    ]  # fmt: skip
    with (outcome.folder / "table.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    assert rows[0]["cell"] == "nmc532-graphite"
    assert float(rows[0]["charge_rate [h-1]"]) == 0.1
    value = float(outcome.designs["carbon_footprint_total"].isel(design=0).sel(site="PL"))
    assert float(rows[0]["carbon_footprint_total site PL [kg kWh-1]"]) == value
    with (outcome.folder / "footprint.csv").open(newline="", encoding="utf-8") as file:
        parts = [row for row in csv.DictReader(file) if row["site"] == "PL"]
    first = [
        p
        for p in parts
        if [p[k] for k in rows[0] if k in p] == [rows[0][k] for k in rows[0] if k in p]
    ]
    total = sum(float(part["carbon_footprint [kg kWh-1]"]) for part in first)
    np.testing.assert_allclose(total, value, rtol=1e-12, atol=0)


def test_provenance_names_what_the_results_are_made_of(outcome, study):
    content = json.loads((outcome.folder / "provenance.json").read_text())
    assert content["versions"]["cellmodel"] == cm.__version__
    assert {"pybamm", "numba", "numpy", "xarray", "zarr"} <= set(content["versions"])
    assert content["study"]["content"]["over"]["charge_rate"]["values"] == [0.08, 0.1, 0.2]
    assert set(content["files"]) == {
        "table.csv", "footprint.csv", "formation_energy.png", "footprint.png",
    }  # fmt: skip
    assert all(len(digest) == 64 for digest in content["files"].values())
    rows = content["cells"]["lfp-graphite"]
    assert any("lent by OKane2022" in row["source"] for row in rows)
    assert content["equipment"]["laboratory-cycler"]["charge_efficiency"]["source"]
    assert content["factors"]["electricity PL"][1] == "kg kWh-1"
    assert content["study"]["file"] == str(study)


def test_a_second_run_forms_nothing_but_the_nominal_designs(outcome, study, caplog):
    told = []
    with caplog.at_level("INFO", "cellmodel"):
        again = cm.run_study(study, outcome.folder, progress=lambda *counts: told.append(counts))
    assert told == [(48, 48)]
    assert "4 of 4 chunks were there already" in caplog.text
    xr.testing.assert_identical(again.sweep.load(), outcome.sweep.load())
    xr.testing.assert_identical(again.designs, outcome.designs)


def test_an_interrupted_study_goes_on(outcome, study, tmp_path):
    def interrupt(done, total):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cm.run_study(study, tmp_path, progress=interrupt)
    told = []
    again = cm.run_study(study, tmp_path, progress=lambda *counts: told.append(counts[0]))
    assert told == [12, 24, 36, 48]
    xr.testing.assert_identical(again.sweep.load(), outcome.sweep.load())


def test_estimates_are_of_the_right_size(study, outcome):
    plan = plan_study(study)
    assert (plan.cases, plan.rows) == (48, 96)
    cost = estimate(plan)
    stored = sum(v.nbytes for v in outcome.sweep.data_vars.values())
    assert stored <= cost.disk < 3 * stored
    assert 1 < cost.seconds < 200
    assert cost.memory > 1e8
    assert cost.compiled


def test_the_shipped_study_is_large_enough():
    plan = plan_study(Path(__file__).parent.parent / "examples" / "candidates.toml")
    assert len(plan.cells) == 3
    assert plan.cases // len(plan.protocols) >= 20_000
    assert plan.file.sites == ["FR", "DE", "PL", "CN"]
    assert [design.kernel_dims for design in plan.designs.values()] == 6 * [
        ("charge_rate", "temperature", "relative_positive_electrode_thickness")
    ]


def test_no_design_may_be_admissible(outcome):
    limits = {"max_cell_temperature": Limits(high=200.0)}
    best = Best(minimise="total_time")
    region = {"protocol": slice(0, 2), "cell": slice(0, 2)}
    found = best_designs(outcome.sweep, [region], best, limits)
    assert [(dict(c.place), c.admissible, c.cases) for c in found.values()] == [({}, 0, 24)] * 4


def test_a_study_without_an_admissible_design_says_so(tmp_path, caplog):
    path = tmp_path / "study.toml"
    path.write_text(
        KEYS + 'plots = ["formation_energy"]\n[over]\ncharge_rate = [0.1, 0.2]\n'
        '[best]\nminimise = "discharge_energy"\nat = { cycle = 1 }\n'
        "[admissible]\nmax_cell_temperature = { high = 200.0 }\n"
    )
    outcome = cm.run_study(path, tmp_path / "results")
    assert outcome.designs["choice"].values.tolist() == ["nominal"]
    assert "no admissible design of lfp-graphite with laboratory-cycler" in caplog.text
    assert "no map of formation energy: it needs two swept quantities" in caplog.text


def test_plant_and_equipment_can_be_swept(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(
        KEYS + "plots = []\n[over]\nrecovered = [0.0, 1.0]\nformation_yield = [0.95, 0.99]\n"
        "[best]\nminimise = 'specific_formation_energy'"
    )
    outcome = cm.run_study(path, tmp_path / "results")
    dims = set(outcome.sweep["formation_energy"].dims)
    assert dims == {"protocol", "cell", "recovered", "equipment"}
    best = outcome.designs.isel(design=-1)
    assert [best[name].item() for name in ("choice", "recovered", "formation_yield")] == [
        "best", 1.0, 0.95,
    ]  # fmt: skip
    assert best["cases"].item() == 4
    assert outcome.designs["recovered"].values[0] == 0.0  # of the laboratory cycler


RULES = 'sites = ["FR", "PL"]\nrules = ["capacity-cutoff", "eu-draft-2024"]\n'


def test_rule_sets_are_counted_side_by_side(tmp_path):
    path = tmp_path / "study.toml"
    best = 'at = { site = "FR", rule_set = "capacity-cutoff" }\n'
    path.write_text(
        KEYS + RULES + 'plots = ["footprint"]\n[over]\ncharge_rate = [0.1, 0.2]\n[best]\n' + best
    )
    outcome = cm.run_study(path, tmp_path / "results")
    names = ["capacity-cutoff", "eu-draft-2024"]
    assert outcome.sweep["rule_set"].values.tolist() == names
    assert outcome.designs["functional_unit"].dims == ("rule_set",)
    formed = cm.sweep_formation("lfp-graphite", "two-cycle", "laboratory-cycler")
    alone = cm.footprint(formed, sites=["FR", "PL"], rules=names)["carbon_footprint_total"]
    nominal = outcome.designs.isel(design=0)["carbon_footprint_total"]
    np.testing.assert_allclose(nominal.transpose(*alone.dims), alone, rtol=1e-12, atol=0)
    with (outcome.folder / "table.csv").open(newline="", encoding="utf-8") as file:
        row = next(csv.DictReader(file))
    head = "carbon_footprint_total rule_set eu-draft-2024 site PL [kg kWh-1]"
    assert float(row[head]) == float(nominal.sel(rule_set="eu-draft-2024", site="PL"))
    with (outcome.folder / "footprint.csv").open(newline="", encoding="utf-8") as file:
        parts = [
            float(part["carbon_footprint [kg kWh-1]"])
            for part in csv.DictReader(file)
            if (part["choice"], part["site"]) == ("nominal", "PL")
            and part["rule_set"] == "eu-draft-2024"
        ]
    np.testing.assert_allclose(sum(parts), float(row[head]), rtol=1e-12, atol=0)
    assert {file.name for file in outcome.files if file.suffix == ".png"} == {
        f"footprint-{name}.png" for name in names
    }
    (shown,) = tables(outcome.designs, ["charge_rate"])
    heads = [column.header for column in shown.columns]
    assert heads[-1] == "kgCO2e\n/kWh\neu-draft-2024\nPL"
    cells = [str(cell) for cell in shown.columns[-1].cells if str(cell)]
    assert cells[0] == f"{float(row[head]):.3g}"
    content = json.loads((outcome.folder / "provenance.json").read_text())
    assert "eu-draft-2024" in json.loads(content["footprint"]["rules"])


def test_other_rules_are_another_study(tmp_path):
    path = tmp_path / "study.toml"
    text = KEYS + 'sites = ["FR"]\nplots = []\n[over]\ncharge_rate = [0.1, 0.2]\n'
    text += '[best]\nat = { site = "FR" }\n'
    path.write_text(text)
    cutoff = cm.run_study(path, tmp_path / "results").designs["carbon_footprint_total"]
    path.write_text('rules = ["eu-draft-2024"]\n' + text)
    draft = cm.run_study(path, tmp_path / "results").designs["carbon_footprint_total"]
    assert draft.dims == cutoff.dims  # one rule set makes no dimension
    assert (draft < cutoff / 100).all()


BOUGHT = """
sites = ["FR", "PL"]
rules = ["capacity-cutoff", "capacity-market"]
onsite_share = 0.1
contract_share = { FR = 0.5 }
waste_loop = "annex-xii-2031"
ramp = "ramp-16-to-50gwh"
factors = "own.csv"
plots = ["footprint"]
[over]
charge_rate = [0.1, 0.2]
[best]
at = { site = "FR", rule_set = "capacity-cutoff", year = 2030 }
[recycled_content]
lithium-carbonate = 0.2
nickel-sulphate = 0.3
"""
ROWS = "name,region,value,unit,source\nelectricity-contract,FR,0.02,kg kWh-1,contract\n"


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grown")
    (folder / "own.csv").write_text(ROWS)
    path = folder / "study.toml"
    path.write_text(
        KEYS.replace('["lfp-graphite"]', '["lfp-graphite", "nmc532-graphite"]') + BOUGHT
    )
    return folder, cm.run_study(path, folder / "results")


@pytest.mark.parametrize(
    ("cell", "content"),
    [
        ("lfp-graphite", {"lithium-carbonate": 0.2}),
        ("nmc532-graphite", {"lithium-carbonate": 0.2, "nickel-sulphate": 0.3}),
    ],
)
def test_what_is_bought_and_how_the_plant_grows_count_as_in_footprint(grown, cell, content):
    folder, outcome = grown
    formed = cm.sweep_formation(cell, "two-cycle", "laboratory-cycler")
    factors = folder / "own.csv"
    expected = cm.footprint(
        cm.ramp_up(formed, "ramp-16-to-50gwh", factors),
        sites=["FR", "PL"],
        factors=factors,
        rules=["capacity-cutoff", "capacity-market"],
        recycled_content=content,
        onsite_share=0.1,
        contract_share={"FR": 0.5},
        waste_loop="annex-xii-2031",
    )
    nominal = outcome.designs["cell"].values.tolist().index(cell)
    total = expected["carbon_footprint_total"]
    designs = outcome.designs["carbon_footprint_total"].isel(design=nominal)
    np.testing.assert_allclose(designs.transpose(*total.dims), total, rtol=1e-12, atol=0)
    assert outcome.sweep["carbon_footprint_total"].sizes["year"] == 7
    summed = outcome.footprint["carbon_footprint"].sum(["stage", "component"])
    np.testing.assert_allclose(
        summed.isel(design=nominal).transpose(*total.dims), total, rtol=1e-12, atol=0
    )


def test_files_of_a_study_over_years(grown):
    _, outcome = grown
    with (outcome.folder / "table.csv").open(newline="", encoding="utf-8") as file:
        row = next(csv.DictReader(file))
    total = outcome.designs["carbon_footprint_total"].isel(design=0)
    place = {"rule_set": "capacity-market", "year": 2028, "site": "PL"}
    words = " ".join(f"{dim} {label}" for dim, label in place.items())
    assert float(row[f"carbon_footprint_total {words} [kg kWh-1]"]) == float(total.sel(place))
    with (outcome.folder / "footprint.csv").open(newline="", encoding="utf-8") as file:
        parts = [
            float(part["carbon_footprint [kg kWh-1]"])
            for part in csv.DictReader(file)
            if all(part[dim] == str(label) for dim, label in place.items())
            and (part["cell"], part["choice"]) == (row["cell"], row["choice"])
        ]
    np.testing.assert_allclose(sum(parts), float(total.sel(place)), rtol=1e-12, atol=0)
    (shown,) = tables(outcome.designs, ["charge_rate"])
    assert shown.title == "Formation with laboratory-cycler in 2032"
    first = next(str(cell) for cell in shown.columns[-1].cells if str(cell))
    last = total.sel(rule_set="capacity-market", site="PL", year=2032)
    assert first == f"{float(last):.1f}"
    content = json.loads((outcome.folder / "provenance.json").read_text())
    throughput = content["ramp"]["ramp-16-to-50gwh"]["throughput"]
    assert [entry["value"] for entry in throughput] == [16, 16, 33, 33, 50, 50, 50]
    assert content["footprint"]["waste_loop"] == "annex-xii-2031"
    assert content["study"]["content"]["recycled_content"]["nickel-sulphate"] == 0.3


def test_the_size_of_a_study_over_years(grown):
    folder, outcome = grown
    stored = sum(v.nbytes for v in outcome.sweep.data_vars.values())
    assert stored <= estimate(plan_study(folder / "study.toml")).disk < 3 * stored


@pytest.mark.parametrize("key", ["recycled_content", "onsite_share", "waste_loop", "ramp"])
def test_what_is_bought_is_part_of_what_a_result_depends_on(grown, key):
    folder, _ = grown
    own = {
        "recycled_content": BOUGHT.replace("nickel-sulphate = 0.3", "nickel-sulphate = 0.4"),
        "onsite_share": BOUGHT.replace("onsite_share = 0.1", "onsite_share = 0.2"),
        "waste_loop": BOUGHT.replace("annex-xii-2031", "annex-xii-2027"),
        "ramp": BOUGHT.replace('ramp = "ramp-16-to-50gwh"\n', "").replace(", year = 2030", ""),
    }[key]
    path = folder / f"{key}.toml"
    path.write_text(KEYS.replace("lfp-graphite", "nmc532-graphite") + own)
    same = folder / "same.toml"
    same.write_text(KEYS.replace("lfp-graphite", "nmc532-graphite") + BOUGHT)
    assert plan_study(path).counted_by != plan_study(same).counted_by
    assert plan_study(folder / "study.toml").counted_by == plan_study(same).counted_by


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("recycled_content = { nickel-sulfate = 0.2 }\n", r"'nickel-sulfate'; the nearest known"),
        ("recycled_content = { nickel-sulphate = 20 }\n", r"between 0 and 1, got 20"),
        ("recycled_content = { nickel-sulphate = 0.2 }\n", r"nickel-sulphate has no effect: none"),
        ("recycled_content = 0.2\n", r"recycled_content: should be a table, got 0.2"),
        ("onsite_share = { US = 0.2 }\n", r"unknown site of onsite_share 'US'"),
        ("contract_share = 20\n", r"contract_share must be between 0 and 1, got 20"),
        ('waste_loop = "annex-12"\n', r"unknown waste loop 'annex-12'"),
        ('ramp = "ramp-to-50"\n', r"unknown ramp 'ramp-to-50'"),
        ('ramps = "ramp-16-to-50gwh"\n', r"unknown key 'ramps'; did you mean 'ramp'"),
    ],
)
def test_wrong_purchases_and_ramps_are_refused_before_work(tmp_path, text, message):
    path = tmp_path / "study.toml"
    path.write_text(text + KEYS + OVER)
    with pytest.raises(cm.InputError, match=message):
        plan_study(path)


def test_a_cell_whose_recycled_content_has_no_effect_is_named(tmp_path, caplog):
    path = tmp_path / "study.toml"
    cells = KEYS.replace('["lfp-graphite"]', '["lfp-graphite", "nmc622-graphite"]')
    content = "recycled_content = { lithium-carbonate = 0.1, nickel-sulphate = 0.2 }\n"
    path.write_text(content + cells + OVER)
    plan_study(path)
    assert caplog.messages == ["recycled_content of nickel-sulphate: lfp-graphite contains none"]


def test_a_misspelt_factor_is_refused_before_work(tmp_path):
    rows = "name,value,unit,source\n{},5,kg kg-1,me\n"
    path = tmp_path / "study.toml"
    path.write_text('factors = "own.csv"\n' + KEYS + OVER)
    (tmp_path / "own.csv").write_text(rows.format("aluminum-foil"))
    with pytest.raises(cm.InputError, match=r"study.toml: .* did you mean 'aluminium-foil'\?"):
        plan_study(path)
    (tmp_path / "own.csv").write_text(rows.format("unobtainium"))
    formed = cm.sweep_formation("lfp-graphite", "two-cycle", "laboratory-cycler")
    assert plan_study(path).footprint(formed).attrs["own_factors_not_used"] == "unobtainium"


def test_a_swept_field_that_the_ramp_sets_is_refused_before_work(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text('ramp = "ramp-16-to-50gwh"\n' + KEYS + "[over]\nutilisation = [0.7, 0.9]\n")
    with pytest.raises(cm.InputError, match=r"\[over\] must not have utilisation: ramp 'ramp-16"):
        plan_study(path)


def test_the_best_of_several_years_needs_a_year(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text('ramp = "ramp-16-to-50gwh"\n' + KEYS + OVER + '[best]\nat = { site = "FR" }\n')
    with pytest.raises(cm.InputError, match=r"one per year; .* at = \{ year = 2026 \}"):
        cm.run_study(path, tmp_path / "results")


LIFE = (
    'rules = ["capacity-cutoff", "delivered-cutoff"]\nsites = ["FR", "PL"]\nplots = ["footprint"]\n'
)
CYCLING = "[cycling]\ncycles = 40\nthreshold = 0.97\n"
THICKER = """
[over]
"Positive electrode thickness [m]" = { relative = true, values = [1.0, 1.1] }
[best]
at = { site = "FR" }
"""


def test_designs_are_counted_over_the_life_they_are_cycled_for(tmp_path):
    cells = KEYS.replace("lfp-graphite", "nmc811-graphite-siox")
    cells = cells.replace('"laboratory-cycler"', '"laboratory-cycler", "regenerative-cycler"')
    path = tmp_path / "study.toml"
    path.write_text(LIFE + cells + THICKER + CYCLING)
    outcome = cm.run_study(path, tmp_path / "results")
    assert "rule_set" not in outcome.sweep.dims  # every case is counted by what needs no life
    designs = outcome.designs
    assert designs["rule_set"].values.tolist() == ["capacity-cutoff", "delivered-cutoff"]
    life = designs["cycle_life"].values
    assert (
        np.ptp(life[designs["choice"].values == "nominal"]) == 0
    )  # how it was formed, not by which equipment
    assert 0 < life.min() < life.max() < 40  # another thickness, another life
    total, delivered = designs["carbon_footprint_total"], designs["delivered_energy"]
    kilowatt_hours = designs["nominal_energy"] / 1000
    assert (delivered < kilowatt_hours * life).all()
    assert (delivered > 0.9 * kilowatt_hours * life).all()  # at 1 C, down to 97 %
    np.testing.assert_allclose(
        total.sel(rule_set="delivered-cutoff") * delivered,
        total.sel(rule_set="capacity-cutoff") * kilowatt_hours,
        rtol=1e-12,
        atol=0,
    )
    summed = outcome.footprint["carbon_footprint"].sum(["stage", "component"])
    np.testing.assert_allclose(summed, total.transpose(*summed.dims), rtol=1e-12, atol=0)
    names = {file.name for file in outcome.files}
    assert {"footprint-capacity-cutoff.png", "footprint-delivered-cutoff.png"} <= names
    with (outcome.folder / "table.csv").open(newline="", encoding="utf-8") as file:
        *_, row = csv.DictReader(file)
    assert float(row["delivered_energy [kW h]"]) == float(delivered[-1])
    shown, _ = tables(designs, ["Positive electrode thickness [m]"])
    assert "life\n\\[cycles]" in [column.header for column in shown.columns]


def test_a_nominal_design_alone_is_the_cell_that_was_formed(tmp_path, caplog):
    """Its cell states a number that the sweep varies: a warning of another cell would be wrong."""
    path = tmp_path / "study.toml"
    rate = '[over]\n"SEI reaction exchange current density [A.m-2]" = '
    rate += "{ relative = true, values = [1.1, 1.2] }\n"
    none = '[best]\nat = { site = "FR" }\n[admissible]\nfirst_cycle_efficiency = { low = 0.999 }\n'
    path.write_text(LIFE + KEYS + rate + none + "[cycling]\ncycles = 2\nthreshold = 0.999\n")
    outcome = cm.run_study(path, tmp_path / "results")
    assert "no admissible design of lfp-graphite" in caplog.text
    assert outcome.designs["choice"].values.tolist() == ["nominal"]
    assert 0 < outcome.designs["cycle_life"].item() < 2


def test_a_life_that_is_not_reached_is_left_out_and_said(tmp_path, caplog):
    path = tmp_path / "study.toml"
    path.write_text(LIFE + KEYS + THICKER + "[cycling]\ncycles = 2\n")
    outcome = cm.run_study(path, tmp_path / "results")
    assert "was not reached within 2 cycles; raise cycles or threshold" in caplog.text
    assert "no bars by delivered-cutoff" in caplog.text
    total = outcome.designs["carbon_footprint_total"]
    assert total.sel(rule_set="delivered-cutoff").isnull().all()
    assert total.sel(rule_set="capacity-cutoff").notnull().all()
    (shown,) = tables(outcome.designs, ["Positive electrode thickness [m]"])
    assert "-" in [str(cell) for cell in shown.columns[-1].cells]


def test_counting_over_life_needs_cycling_and_another_rule_set(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(LIFE + KEYS + OVER)
    with pytest.raises(
        cm.InputError, match=r"delivered-cutoff count .* life: add a table \[cycling"
    ):
        plan_study(path)
    path.write_text('rules = ["delivered-cutoff"]\n' + KEYS + OVER + "[cycling]\n")
    with pytest.raises(cm.InputError, match="must have one that does not count over life"):
        plan_study(path)
    path.write_text(KEYS + OVER + "[cycling]\nprotocol = 'ageing'\n")
    with pytest.raises(cm.InputError, match="unknown protocol 'ageing'"):
        plan_study(path)
    path.write_text(KEYS + OVER + "[cycling]\ncycle = 3\n")
    with pytest.raises(cm.InputError, match=r"\[cycling\]: unknown key 'cycle'"):
        plan_study(path)
    path.write_text('rules = ["capacity-cutof"]\n' + KEYS + OVER)
    with pytest.raises(cm.InputError, match="unknown rule set 'capacity-cutof'"):
        plan_study(path)


def test_what_pybamm_cannot_run_costs_the_trace_alone(tmp_path, monkeypatch, caplog):
    def refuse(*_):
        raise cm.InputError("step 3 is infeasible")

    monkeypatch.setattr("cellmodel.study_files.simulate_formation", refuse)
    path = tmp_path / "study.toml"
    path.write_text(KEYS + 'plots = ["trace"]\n' + OVER + "[best]\nminimise = 'total_time'")
    outcome = cm.run_study(path, tmp_path / "results")
    assert "no trace: step 3 is infeasible" in caplog.text
    assert [file.name for file in outcome.files] == [
        "table.csv",
        "footprint.csv",
        "provenance.json",
    ]


def test_paths_are_seen_from_the_study_file(tmp_path):
    own = Path(cm.__file__).parent / "data" / "cells" / "lfp-graphite.toml"
    (tmp_path / "cells").mkdir()
    text = own.read_text().replace('name = "lfp-graphite"', 'name = "mine"')
    (tmp_path / "cells" / "mine.toml").write_text(text)
    path = tmp_path / "study.toml"
    path.write_text(KEYS.replace("lfp-graphite", "cells/mine.toml") + "[over]\ncharge_rate = [0.1]")
    assert [cell.name for cell in plan_study(path).cells] == ["mine"]


def test_defaults_are_stated():
    file = Path(__file__).parent.parent / "examples" / "candidates.toml"
    written = tomllib.loads(file.read_text())
    study = read_study(file)
    assert (study.output, study.plant) == (written["output"], written["plant"])
    assert study.over["charge_rate"].numbers().shape == (20,)
    np.testing.assert_allclose(study.over["charge_rate"].numbers()[[0, -1]], [0.05, 0.5], atol=0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cells = [", r"study.toml: is not valid TOML"),
        (KEYS, r"study.toml: missing key over"),
        (
            KEYS.replace("cells", "cels") + OVER,
            r"unknown key 'cels'; did you mean 'cells'\? allowed",
        ),
        (
            KEYS + "[over]\ncharge_rate = { from = 1, to = 2, cout = 3 }",
            r"\[over\] charge_rate: unkn",
        ),
        (
            KEYS + "[over]\ncharge_rate = { from = 1, to = 2 }",
            r"either a list of values, or from, to",
        ),
        (
            KEYS + "[over]\ncharge_rate = { values = [1], count = 3 }",
            r"or from, to and count, not both",
        ),
        (
            KEYS + "[over]\ncharge_rate = { from = 0, to = 1, count = 3, spacing = 'logarithmic' }",
            r"ab",
        ),
        (
            KEYS + "[over]\ncharge_rate = { from = 0.1, to = 1, count = 1 }",
            r"count: should be greater",
        ),
        (
            KEYS + "[over]\ncharge_rate = ['0.1']",
            r"over.charge_rate.values.0: should be a valid num",
        ),
        (
            KEYS + "[over]\ncharge_rate = [true]",
            r"over.charge_rate.values.0: should be a valid number",
        ),
        (
            KEYS + "[over]\ncharge_rate = [inf]",
            r"over.charge_rate.values.0: should be a finite number",
        ),
        (KEYS + "[over]\ncharge_rate = 0.1", r"over.charge_rate: should be a table, got 0.1"),
        (KEYS + "over = 3", r"over: should be a table, got 3"),
        (KEYS + "[over]", r"over: dictionary should have at least 1 item"),
        (
            KEYS + "[over]\ncharge_rat = [0.1]",
            r"unknown quantity to sweep 'charge_rat'.* charge_rate",
        ),
        (
            KEYS + "[over]\ncharge_rate = [0.0]",
            r"charge_rate must be in C between 0.001 and 5, got 0",
        ),
        (KEYS + "[over]\ntemperature = [25.0]", r"temperature must be in kelvin .*Celsius"),
        (KEYS + "[over]\n'Positive electrode tickness [m]' = [1e-5]", r"nearest .* thickness"),
        (
            KEYS + "[over]\ncharge_rate = { relative = true, values = [1.0] }",
            r"only a parameter of th",
        ),
        (
            KEYS
            + "[over]\ncharge_rate = {from = 0.1, to = 1, count = 1000000}\n"
            + "temperature = {from = 290, to = 300, count = 1000000}",
            r"at most 1e\+09 cases, got 1000000 charge_rate x 1000000 temperature",
        ),
        (
            KEYS.replace("lfp-graphite", "lfp-grafite") + OVER,
            r"unknown cell 'lfp-grafite'.*lfp-graph",
        ),
        (KEYS.replace("two-cycle", "two-cycles") + OVER, r"unknown protocol 'two-cycles'"),
        (KEYS.replace("laboratory", "lab") + OVER, r"unknown equipment 'lab-cycler'"),
        (KEYS.replace("lfp-graphite", "no.toml") + OVER, r"no.toml: there is no such file"),
        (
            KEYS.replace('["lfp-graphite"]', '["lfp-graphite", "lfp-graphite"]') + OVER,
            r"cells must d",
        ),
        (
            KEYS + 'plant = "gigafactory"\n' + OVER,
            r"unknown plant 'gigafactory'.*gigafactory-16gwh",
        ),
        (KEYS + 'factors = "mine.csv"\n' + OVER, r"mine.csv"),
        (KEYS + 'sites = ["FR", "XX"]\n' + OVER, r"unknown site 'XX'"),
        (KEYS + "sites = []\n" + OVER, r"sites: list should have at least 1 item"),
        (KEYS + "tolerance = 0\n" + OVER, r"tolerance: should be greater than 0.0001, got 0"),
        (
            KEYS + 'plots = ["all"]\n' + OVER,
            r"plots.0: should be 'formation_energy', 'footprint' or",
        ),
        (KEYS + OVER + "[admissible]\nstatus = {}", r"admissible.status: needs low, high or both"),
        (KEYS + OVER + "[admissible]\nstatus = { low = 2, high = 1 }", r"low must not exceed high"),
        (
            KEYS + OVER + "[admissible]\nstatus = { lo = 2 }",
            r"\[admissible\] status: unknown key 'lo'",
        ),
        (
            KEYS + OVER + "[best]\nminimize = 'x'",
            r"\[best\]: unknown key 'minimize'; did you mean 'mi",
        ),
        (KEYS + "a" + ".a" * 20_000 + " = 1", r"a key may have at most 50 dotted parts"),
        ("x = " + "[" * 100_000, r"is nested too deeply"),
    ],
)
def test_a_study_file_that_is_wrong_is_refused(tmp_path, text, message):
    path = tmp_path / "study.toml"
    path.write_text(text)
    with pytest.raises(cm.InputError, match=message) as raised:
        plan_study(path)
    assert str(path) in str(raised.value)
    assert len(str(raised.value)) < 1500


@pytest.mark.parametrize(
    ("best", "message"),
    [
        (
            "minimise = 'carbon_footprint'",
            "unknown variable .* 'carbon_footprint'.*carbon_footprint_t",
        ),
        ("minimise = 'carbon_footprint_total'", r"one per site; say which .* at = { site = 'FR' }"),
        ("at = { site = 'FF' }", "unknown site 'FF'"),
        (
            "at = { cycle = 1 }",
            r"unknown dimension of carbon_footprint_total in \[best\] at 'cycle'",
        ),
        (
            "minimise = 'discharge_energy'",
            r"one per cycle; say which to minimise: at = { cycle = 0 }",
        ),
        ("minimise = 'component_mass'", r"one per component; say which to minimise"),
    ],
)
def test_a_choice_that_cannot_be_made_is_refused_before_the_sweep(tmp_path, best, message):
    path = tmp_path / "study.toml"
    path.write_text(KEYS + OVER + "[best]\n" + best)
    with pytest.raises(cm.InputError, match=message):
        cm.run_study(path, tmp_path / "results")
    assert not (tmp_path / "results" / "sweep.zarr").exists()


def test_an_output_folder_that_cannot_be_written_is_refused_before_work(study, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(cm.InputError, match="the output folder must be one that can be written to"):
        cm.run_study(study, tmp_path / "file")
