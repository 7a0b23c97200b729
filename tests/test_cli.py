"""The command line, end to end: what it prints, what it leaves, how it ends."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

import cellmodel as cm
from cellmodel import cli
from cellmodel.quantity import DATA, Quantity
from cellmodel.store import open_results

ROOT = Path(__file__).parent.parent
STUDY = """
title = "Two rates"
cells = ["nmc532-graphite"]
protocols = ["two-cycle"]
equipment = ["regenerative-cycler"]
sites = ["FR"]
plots = []

[over]
charge_rate = [0.1, 0.2]

[best]
at = { site = "FR" }

[admissible]
max_cell_temperature = { high = 333.15 }
"""
NAMES = [
    *cm.list_cells(), *cm.list_protocols(), *cm.list_equipment(), *cm.list_plants(),
    *cm.list_rules(), *cm.list_recycling(), *cm.list_ramps(), *cm.list_waste_loops(),
    *cm.list_references(),
]  # fmt: skip


@pytest.fixture
def study(tmp_path) -> Path:
    path = tmp_path / "study.toml"
    path.write_text(STUDY)
    return path


def call(*arguments: object):
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def process(*arguments: object, **options) -> subprocess.Popen:
    command = [sys.executable, "-m", "cellmodel", *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, **options
    )


def test_help_loads_nothing_heavy():
    code = (
        "import sys, time; start = time.process_time(); import cellmodel.cli; "
        "print(time.process_time() - start, *sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    seconds, *modules = run.stdout.split()
    assert float(seconds) < 0.5
    heavy = {"numpy", "xarray", "pybamm", "numba", "zarr", "matplotlib", "pydantic", "pandas"}
    assert not heavy & set(modules)


def test_help_names_the_commands():
    result = call("--help")
    assert result.exit_code == 0
    for name in ("run", "list", "show", "factors", "doctor"):
        assert f" {name} " in result.output
    assert "--dry-run" in call("run", "--help").output


def test_version():
    result = call("--version")
    assert (result.exit_code, result.output.strip()) == (0, cm.__version__)


KINDS = (
    "cells", "protocols", "equipment", "plants", "rules", "recycling", "ramps", "waste-loops",
    "references",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_list(kind):
    result = call("list", kind)
    assert result.exit_code == 0
    names = getattr(cm, f"list_{kind.replace('-', '_')}")()
    assert len(result.output.splitlines()) >= len(names) > 0
    for name in names:
        assert name in result.output


@pytest.mark.parametrize("name", NAMES)
def test_show_prints_values_with_units_and_sources(name):
    result = call("show", name)
    assert result.exit_code == 0
    assert name in result.output
    assert "source" in result.output


def test_show_names_donors_and_ranges():
    output = " ".join(call("show", "lfp-graphite").output.split())
    assert "lent by OKane2022" in output
    assert "parameter set Prada2013 of PyBaMM" in output
    steps = call("show", "two-cycle").output
    assert "Charge at {charge_rate} C until {upper_voltage} V" in steps
    assert "0.001" in steps


def test_show_of_a_set_of_our_own_names_its_donor_and_the_formation_model():
    output = " ".join(call("show", "nmc111-graphite-2360mah").output.split())
    assert "set Weng2021 of cellmodel; what it lacks is lent by Mohtat2020 of PyBaMM" in output
    assert "solvent-diffusion limited SEI, lumped thermal, unpassivated surface" in output
    assert output.count("lent by nmc532-graphite-240mah") == output.count("Carried over from") == 11


def test_show_takes_files_of_ones_own(tmp_path):
    path = tmp_path / "mine.toml"
    cell = cm.load_cell("lfp-graphite")
    number = Quantity(0.41, "V", "fitted to my.csv", 0.4, 0.43, "fitted")
    cm.save_cell(cell.replace_parameters({"SEI open-circuit potential [V]": number}), path)
    row = next(line for line in call("show", str(path)).output.splitlines() if "0.41" in line)
    assert "fitted to my.csv" in row
    own = {"protocols": "two-cycle", "equipment": "laboratory-cycler", "plants": "pilot-line"}
    for kind, name in own.items():
        path.write_text((DATA / kind / f"{name}.toml").read_text())
        assert call("show", str(path)).output == call("show", name).output
    path.write_text('title = "t"')
    result = call("show", str(path))
    assert result.exit_code == 2
    assert "a cell, protocol, equipment or plant must have the key parameter_set" in result.stderr
    assert "there is no such file" in call("show", str(tmp_path / "none.toml")).stderr


def test_show_sets_apart_what_is_lent_and_what_is_assumed():
    output = call("show", "nmc622-graphite").output
    parts = ["parameters", "lent: numbers of", "assumed: engineering", "assumed: what is no number"]
    places = [output.index(part) for part in (*parts, "materials")]
    assert places == sorted(places)
    own, lent, assumed, no_number, _ = (
        output[a:b] for a, b in zip(places, [*places[1:], None], strict=True)
    )
    assert "Positive electrode thickness [m]" in own
    assert "SEI partial molar volume" in lent
    assert "Initial SEI thickness [m]" in assumed
    assert "Positive electrode OCP [V]" in no_number
    assert "of NMC532 (Mohtat2020)" in no_number


def test_show_of_recycling_parameters_has_ranges_and_says_that_none_is_drawn():
    output = call("show", "pef-2021").output
    row = next(line for line in output.splitlines() if "incinerator: heat_efficiency" in line)
    assert row.split()[2:6] == ["0.3", "1", "0.1", "0.5"]
    assert "nickel-sulphate (metals): recovery" in output
    assert "draws nothing from these ranges" in output


def test_show_of_an_unknown_name_lists_the_nearest():
    result = call("show", "nmc811-graphite")
    assert result.exit_code == 2
    assert "rule set, recycling, ramp, waste loop or reference 'nmc811-graphite'" in result.stderr
    assert "the nearest known are nmc811-graphite-siox" in result.stderr
    assert "Traceback" not in result.output


def test_show_of_a_ramp_has_a_column_per_year():
    ramp = cm.load_ramp("ramp-16-to-50gwh")
    lines = call("show", ramp.name).output.splitlines()
    (heads,) = [line.split() for line in lines if line.split()[:2] == ["name", "unit"]][:1]
    assert heads == ["name", "unit", *map(str, ramp.years), "source"]
    (row,) = [line.split() for line in lines if line.split()[:1] == ["throughput"]]
    assert row[3:10] == [f"{entry.value:g}" for entry in ramp.fields["throughput"]]
    assert any("intensity in 2035" in line and "0.65" in line for line in lines)


def test_show_of_a_waste_loop_has_recovery_and_minima():
    output = " ".join(call("show", "annex-xii-2031").output.split())
    assert "recycled_share 0.95" in output
    assert "cobalt, copper, nickel 0.95" in output
    assert "iron, phosphorus from" in output
    assert "lithium from 2036-08-18 0.12" in output


def test_show_of_a_reference_has_year_and_boundary():
    output = " ".join(call("show", "peiseler-2024-nmc811").output.split())
    assert "of 2024, cradle to gate, per kWh of capacity" in output
    assert "value 74 kg kWh-1 59 115 Median" in output


def test_show_of_a_rule_set_says_how_current_it_is():
    output = " ".join(call("show", "eu-draft-2024").output.split())
    assert "draft, version Ares(2024)3131389 of 2024-04-30, checked " in output
    assert "vehicle class M1" in output
    assert "recycling: circular footprint formula" in output
    assert "nickel-sulphate: A 0.2, R2 0.9" in output


def test_factors_are_listed_and_filtered(tmp_path):
    everything = call("factors")
    assert everything.exit_code == 0
    for name in ("nmc811", "copper-foil", "road-freight", "natural-gas-upstream"):
        assert name in everything.stdout
    output = call("factors", "--kind", "electricity", "--region", "FR", "--lineage", "ember").stdout
    assert "0.056" in output
    assert "Ember/OWID" in output
    assert " DE " not in output
    prior = call("factors", "--certainty", "prior", "--name", "GRAPHITE").stdout
    names = {line.split()[0] for line in prior.splitlines() if line[1:2].strip()}
    assert "graphite-natural" in names
    assert "graphite-synthetic" not in names  # read, not judged
    path = tmp_path / "own.csv"
    path.write_text("name,value,unit,source\nlfp,5,kg kg-1,my supplier\n")
    mine = call("factors", "--certainty", "user", "--own", path).stdout
    assert "lfp" in mine
    assert "my supplier" in mine
    assert "unknown kind of factor 'food'" in call("factors", "--kind", "food").stderr
    nothing = call("factors", "--kind", "fuel", "--name", "nmc811")
    assert (nothing.exit_code, nothing.stdout) == (2, "")
    assert "no factor fits" in nothing.stderr


def test_factors_of_ones_own_are_checked(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(
        "name,region,value,low,high,unit,source,gwp_set,lineage\n"
        "nmc811,,10,9,11,kg kg-1,me,AR6,mine\n"
        "copper-foil,,9.5,9,10,kg kg-1,me,AR5,mine\n"
        "nickel-sulphate,,2,,,kg kg-1,me,AR6,other\n"
        "graphite-synthetic-recycled,,1,0.5,2,kg kg-1,me,AR6,mine\n"
        "unobtainium,,1,0.5,2,kg kg-1,me,AR6,mine\n"
        "alumnium-foil,,8,7,9,kg kg-1,me,AR6,mine\n"
        "electricity-contract,FR,0.01,0.005,0.02,kg kWh-1,me,AR6,mine\n"
    )
    result = call("factors", "--check", path)
    assert result.exit_code == 0
    output = result.stdout
    assert "7 rows, all readable" in output
    assert "nmc811 GLO: 10 replaces 21 kg kg-1; outside the known range of 12 to 40" in output
    assert "copper-foil GLO: 9.5 replaces the recipe, 8.933 kg kg-1\n" in output
    assert "2 replaces 4 kg kg-1; outside the known range of 2.5 to 20, look again" in output
    assert "look again; no range: it will count as certain" in output
    assert "is new, recycled graphite-synthetic" in output
    assert "unobtainium GLO: 1 kg kg-1 is new; no shipped recipe or cell asks for it" in output
    assert "asks for it, and a footprint refuses it: did you mean aluminium-foil?" in output
    assert "electricity-contract FR: 0.01 kg kWh-1 is new\n" in output
    assert "mixed: its rows are of 2 GWP sets: AR5, AR6" in output
    assert "mixed: its rows are of several lineages: mine, other" in output
    path.write_text("name,value,unit,source\nlfp,-5,kg kg-1,me\n")
    refused = call("factors", "--check", path)
    assert refused.exit_code == 2
    assert "line 2: value must be" in refused.stderr


def test_doctor():
    output = call("doctor").output
    for line in (
        "cellmodel: ",
        "pybamm: ",
        "processor: ",
        "threads: ",
        "kernels: ",
        "telemetry: off",
    ):
        assert line in output


def test_run_prints_a_table_and_writes(study, tmp_path):
    result = call("run", study, "--output", tmp_path / "results")
    assert result.exit_code == 0, result.output
    assert (
        "Two rates: 2 formations (1 cells x 1 protocols x 2 charge_rate), 2 designs"
        in result.stderr
    )
    assert "formed 2 of 2 (100 %)" in result.stderr
    assert "in '" in result.stderr
    assert "sweep.zarr, table.csv, footprint.csv, provenance.json" in result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].strip() == "Formation with regenerative-cycler"
    assert all(len(line) <= cli.WIDTH for line in lines[:8])
    assert any("nominal, two-cycle" in line and "0.100" in line for line in lines)
    assert any("best, two-cycle" in line and "0.200*" in line for line in lines)
    assert (
        "best: lowest carbon_footprint_total at site FR where status ok, max_cell_temp"
        in result.stdout
    )
    assert "nmc532-graphite: 2 of 2 designs are admissible" in result.stdout
    again = call("run", study, "--output", tmp_path / "results")
    assert "1 of 1 chunks were there already" in again.stderr
    assert again.stdout == result.stdout
    fresh = call("run", study, "--output", tmp_path / "results", "--fresh")
    assert "were there already" not in fresh.stderr
    assert fresh.stdout == result.stdout


def test_a_terminal_gets_a_bar():
    terminal = Console(file=io.StringIO(), force_terminal=True, width=100)
    with cli._progress(terminal) as progress:
        progress(10, 40)
        progress(40, 40)
    assert "40/40" in terminal.file.getvalue()


def test_other_places_get_a_line_per_tenth():
    lines = Console(file=io.StringIO(), force_terminal=False)
    with cli._progress(lines) as progress:
        for done in range(0, 1001, 20):
            progress(done, 1000)
    printed = lines.file.getvalue().splitlines()
    assert len(printed) == 11
    assert printed[3] == "formed 300 of 1000 (30 %)"


def test_a_dry_run_writes_nothing(study, tmp_path):
    result = call("run", study, "--output", tmp_path / "results", "--dry-run")
    assert result.exit_code == 0
    assert "2 formations" in result.stderr
    assert "about " in result.stdout
    assert " MB of memory" in result.stdout
    assert "MB of memory; at most" in result.stdout
    assert f"'{tmp_path / 'results'}'" in result.stdout
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cells = [", "is not valid TOML"),
        (STUDY.replace("charge_rate", "charge_rat"), "the nearest known are charge_rate"),
        (STUDY.replace("[0.1, 0.2]", "[-0.1]"), "charge_rate must be in C between 0.001 and 5"),
        (STUDY.replace("nmc532", "[red]"), "unknown cell '[red]-graphite'"),
        (STUDY.replace("at = ", "att = "), "[best]: unknown key 'att'"),
        (
            STUDY + "status_code = { low = 0 }",
            "unknown variable to choose a design by 'status_code'",
        ),
        ("x = " + "[" * 100_000, "is nested too deeply"),
    ],
)
def test_bad_input_ends_with_one_message_and_code_2(tmp_path, text, message):
    path = tmp_path / "study.toml"
    path.write_text(text)
    result = call("run", path, "--output", tmp_path / "results")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Traceback" not in result.output
    assert result.stderr.splitlines()[-1].startswith("error: ")
    assert message in result.stderr


def test_a_missing_file_and_a_bad_folder_are_bad_input(study, tmp_path):
    missing = call("run", tmp_path / "none.toml")
    assert missing.exit_code == 2
    assert "none.toml: there is no such file" in missing.stderr
    blocked = call("run", study, "--output", study)
    assert blocked.exit_code == 2
    assert "the output folder must be one that can be written to" in blocked.stderr


def test_a_disk_that_fails_is_said_without_a_traceback(study, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cellmodel.study_files.write_csv", full)
    result = call("run", study, "--output", tmp_path / "results")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].endswith("No space left on device")
    assert "Traceback" not in result.output


def test_the_real_program_forms_draws_and_traces(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(
        STUDY.replace("plots = []", "").replace("[best]", "temperature = [298.15, 308.15]\n[best]")
    )
    running = process("run", path, "--output", tmp_path / "results")
    output, messages = running.communicate(timeout=200)
    assert running.returncode == 0, messages
    assert "Formation with regenerative-cycler" in output
    assert "simulating one formation with PyBaMM" in messages
    for name in ("formation_energy.png", "footprint.png", "trace.png"):
        assert (tmp_path / "results" / name).stat().st_size > 10_000
    assert (open_results(tmp_path / "results" / "sweep.zarr")["status"] == 0).all()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for a child process alone")
def test_ctrl_c_keeps_what_is_finished(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(STUDY.replace("[0.1, 0.2]", "{ from = 0.05, to = 0.5, count = 200000 }"))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's "&" ignores it
    running = process("run", path, "--output", tmp_path / "results")
    signal.signal(signal.SIGINT, before)
    store = tmp_path / "results" / "sweep.zarr"
    ledger = store.with_name("sweep.zarr.ledger")
    start = time.monotonic()
    while not (ledger.exists() and ledger.read_text().count("\n") > 2):
        assert time.monotonic() - start < 150
        assert running.poll() is None, running.stderr.read()
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    output, messages = running.communicate(timeout=60)
    assert running.returncode == 130, messages
    assert "Traceback" not in output + messages
    assert messages.splitlines()[-1] == (
        "interrupted; finished chunks are kept, the same command goes on from there"
    )
    status = open_results(store, partial=True)["status"]
    assert 2000 < (status == 0).sum() < status.size
    assert ((status == 0) | (status == -1)).all()
