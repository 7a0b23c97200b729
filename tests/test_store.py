"""Results on disk: what is read is what was computed, and what is not whole is said."""

from __future__ import annotations

import itertools
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import cellmodel as cm
from cellmodel.fingerprint import code_fingerprint, fingerprint
from cellmodel.output_folder import only_writer, output_folder, whole_file
from cellmodel.store import chunk_regions, open_results, write_chunks
from cellmodel.stream import slab_lengths
from cellmodel.variables import label

ROOT = Path(__file__).parent.parent
RATES = np.array([0.05, 0.1, 0.2, 0.4, 0.8])
CELLS = ["first", "second"]
LENGTHS = {"cell": 1, "charge_rate": 2}


def whole() -> xr.Dataset:
    """Return results that are quick to make: dims cell, charge_rate, site."""
    energy = np.arange(10.0).reshape(2, 5) ** 0.5
    energy[1, 2] = np.nan
    return label(
        {
            "formation_energy": (("cell", "charge_rate"), energy),
            "carbon_footprint_total": (
                ("site", "cell", "charge_rate"),
                energy + np.ones((2, 1, 1)),
            ),
            "status": (("cell", "charge_rate"), np.isnan(energy).astype(np.int8)),
            "component_mass": (("component", "cell"), np.ones((1, 2))),
        },
        {
            "cell": CELLS,
            "charge_rate": ("charge_rate", RATES, {"units": "h-1"}),
            "site": ["FR", "PL"],
            "component": ["electrolyte"],
        },
    ).assign_attrs(plant="none")


CHUNKED = ["formation_energy", "carbon_footprint_total", "status"]


def write(path, computed=None, changed=(), fail_at=None, **arguments) -> int:
    """Write `whole()`; note the chunks that are computed, and stop as Ctrl-C does at `fail_at`."""
    results = whole()
    computed = [] if computed is None else computed

    def compute(region):
        if len(computed) == fail_at:
            raise KeyboardInterrupt
        computed.append((region["cell"].start, region["charge_rate"].start))
        return results[CHUNKED].isel(region)

    def depends(region):
        place = (region["cell"].start, region["charge_rate"].start)
        return fingerprint(place, place in changed)

    frame = results.drop_vars(CHUNKED)
    return write_chunks(path, frame, results[CHUNKED], LENGTHS, depends, compute, **arguments)


ALL = [(0, 0), (0, 2), (0, 4), (1, 0), (1, 2), (1, 4)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sweep.zarr"


def test_what_is_read_is_what_was_written(path):
    told, computed = [], []
    assert write(path, computed, progress=lambda *counts: told.append(counts)) == 0
    assert computed == ALL
    assert told == [(0, 10), (2, 10), (4, 10), (5, 10), (7, 10), (9, 10), (10, 10)]
    xr.testing.assert_identical(open_results(path).load(), whole()[list(open_results(path))])
    assert list(open_results(path)) == [
        "formation_energy",
        "component_mass",
        "status",
        *CHUNKED[1:2],
    ]


def test_chunks_cover_every_case_once(path):
    write(path)
    counted = xr.zeros_like(whole()["status"])
    for region in chunk_regions(path):
        counted[region] += 1
    assert (counted == 1).all()


def test_every_array_has_a_checksum_of_its_own(path):
    write(path)
    arrays = list(path.glob("*/zarr.json"))
    assert len(arrays) == 8
    for array in arrays:
        assert {"name": "crc32c"} in json.loads(array.read_text())["codecs"], array


def test_a_second_run_computes_nothing(path):
    write(path)
    computed, told = [], []
    assert write(path, computed, progress=lambda *counts: told.append(counts)) == len(ALL)
    assert (computed, told) == ([], [(10, 10)])
    assert write(path, computed, fresh=True) == 0
    assert computed == ALL


def test_an_interrupted_run_goes_on_where_it_stopped(path):
    with pytest.raises(KeyboardInterrupt):
        write(path, fail_at=4)
    with pytest.raises(
        cm.InputError, match=r"chunk 4 of 6 \(cell 1 to 1, charge_rate 2 to 3\) is m"
    ):
        open_results(path)
    part = open_results(path, partial=True)
    done = np.array([[0, 0, 0, 0, 0], [0, 0, -1, -1, -1]])
    np.testing.assert_array_equal(part["status"], done)
    expected = whole()["carbon_footprint_total"].where(part["status"] == 0)
    np.testing.assert_array_equal(part["carbon_footprint_total"], expected)
    assert part["formation_energy"].attrs["units"] == "W h"
    assert part.attrs == {"plant": "none"}
    computed = []
    assert write(path, computed) == 4
    assert computed == ALL[4:]
    xr.testing.assert_identical(open_results(path)["status"].load(), whole()["status"])


def test_only_what_changed_is_computed_again(path):
    write(path)
    computed = []
    write(path, computed, changed=[(1, 2)])
    assert computed == [(1, 2)]


def test_a_chunk_that_is_gone_is_missed(path):
    write(path)
    (path / "formation_energy" / "c" / "0" / "1").unlink()
    with pytest.raises(
        cm.InputError, match=r"chunk 1 of 6 \(cell 0 to 0, charge_rate 2 to 3\) is d"
    ):
        open_results(path)
    assert np.isnan(open_results(path, verify=False)["formation_energy"][0, 2])
    assert open_results(path, partial=True)["status"].values.tolist()[0] == [0, 0, -1, -1, 0]
    computed = []
    write(path, computed)
    assert computed == [(0, 2)]


def test_every_flipped_bit_is_noticed(path):
    write(path)
    generator = np.random.default_rng(0)
    files = [f for name in CHUNKED for f in (path / name / "c").rglob("*") if f.is_file()]
    assert len(files) == 18
    for file in files:
        content = bytearray(file.read_bytes())
        place = int(generator.integers(len(content)))
        content[place] ^= 1 << int(generator.integers(8))
        original = file.read_bytes()
        file.write_bytes(content)
        with pytest.raises(cm.InputError, match=r"chunk \d of 6 .* is damaged"):
            open_results(path)
        file.write_bytes(original)
    open_results(path)


def test_a_ledger_line_that_was_not_finished_does_not_count(path):
    write(path)
    ledger = path.with_name("sweep.zarr.ledger")
    ledger.write_text(ledger.read_text()[:-20])
    with pytest.raises(cm.InputError, match=r"chunk 5 of 6 .* is missing"):
        open_results(path)
    computed = []
    write(path, computed)
    assert computed == [(1, 4)]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda lines: [lines[0], "{]", *lines[2:]], "the ledger is damaged"),
        (lambda lines: [lines[0], '{"chunk": 99, "inputs": "", "data": ""}'], "ledger is damaged"),
        (lambda lines: [lines[0], '{"chunk": 1}'], "the ledger is damaged"),
        (lambda lines: [lines[0].replace('"format": 1', '"format": 7')], "has format 7, this .* 1"),
        (lambda lines: [], "the ledger is damaged"),
    ],
)
def test_a_damaged_ledger_is_said_and_written_again(path, damage, message):
    write(path)
    ledger = path.with_name("sweep.zarr.ledger")
    ledger.write_text("".join(f"{line}\n" for line in damage(ledger.read_text().splitlines())))
    with pytest.raises(cm.InputError, match=message):
        open_results(path)
    write(path)
    open_results(path)


def test_what_is_not_ours_stays(path):
    path.mkdir()
    (path / "diary.txt").write_text("dear diary")
    with pytest.raises(cm.InputError, match="exists and was not written by cellmodel"):
        write(path)
    with pytest.raises(cm.InputError, match="there is no store with a readable ledger"):
        open_results(path)
    assert (path / "diary.txt").exists()


def test_a_damaged_store_is_written_again(path):
    write(path)
    (path / "zarr.json").write_text("no")
    with pytest.raises(cm.InputError, match="cannot be read as a Zarr store"):
        open_results(path)
    assert write(path) == 0
    open_results(path)


def test_there_is_one_writer(path):
    elsewhere = (
        "from pathlib import Path; from cellmodel.output_folder import only_writer\n"
        f"with only_writer(Path({str(path.parent)!r}), 'sweep.zarr'): pass"
    )
    with only_writer(path.parent, path.name):
        run = subprocess.run(
            [sys.executable, "-c", elsewhere], capture_output=True, text=True, cwd=ROOT
        )
        assert "sweep.zarr' is being written by another run; wait for it" in run.stderr
        with pytest.raises(cm.InputError, match=r"sweep.zarr' is being written by another run"):
            write(path)
    write(path)


def test_the_output_folder_must_be_writable(tmp_path):
    file = tmp_path / "file"
    file.touch()
    for folder in (file, file / "below", "/proc/nowhere", "a\0b"):
        with pytest.raises(
            cm.InputError, match="the output folder must be one that can be written"
        ):
            output_folder(folder)
    assert output_folder(tmp_path / "a" / "b").is_dir()


def _write_half(path):
    with whole_file(path) as temporary:
        temporary.write_text("ha")
        raise KeyboardInterrupt


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        _write_half(path)
    assert path.read_text() == "old"
    with whole_file(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["table.csv"]


@given(st.lists(st.integers(1, 12), min_size=1, max_size=4), st.integers(1, 2000))
def test_slabs_are_contiguous_and_of_the_size_asked_for(shape, chunk_size):
    sizes = {f"dim{axis}": size for axis, size in enumerate(shape)}
    lengths = slab_lengths(sizes, chunk_size)
    assert math.prod(lengths.values()) <= chunk_size
    starts = [range(0, sizes[dim], length) for dim, length in lengths.items()]
    numbers = np.arange(math.prod(shape)).reshape(shape)
    seen = []
    for corner in itertools.product(*starts):
        place = [slice(a, a + n) for a, n in zip(corner, lengths.values(), strict=True)]
        seen += numbers[tuple(place)].ravel().tolist()
    assert seen == list(range(numbers.size))


def test_fingerprints_see_content_only():
    one = fingerprint({"a": 1, "b": [1.5, "x", None]}, np.array([1.0, np.nan]))
    other = np.array([1.0, np.nan])
    other[1:].view(np.uint64)[:] |= np.uint64(1)  # another NaN
    assert one == fingerprint({"b": (1.5, "x", None), "a": 1.0}, other)
    different = [
        fingerprint({"a": 1, "b": [1.5, "x", None]}, np.array([[1.0, np.nan]])),
        fingerprint({"a": 1, "b": [1.5, "x"]}, np.array([1.0, np.nan])),
        fingerprint("ab", "c"),
        fingerprint("a", "bc"),
        fingerprint(xr.DataArray([1.0], dims="x")),
        fingerprint(xr.DataArray([1.0], dims="y")),
        fingerprint(True),
        fingerprint(1),
        fingerprint("1"),
    ]
    assert len({one, *different}) == len(different) + 1
    with pytest.raises(TypeError, match="cannot take a fingerprint of object"):
        fingerprint(object())
    assert code_fingerprint() == code_fingerprint()


def test_the_same_inputs_have_the_same_fingerprint_in_another_process():
    code = (
        "import cellmodel as cm; from cellmodel.fingerprint import fingerprint; "
        "print(fingerprint(cm.load_cell('lfp-graphite'), cm.load_protocol('two-cycle')))"
    )
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    here = fingerprint(cm.load_cell("lfp-graphite"), cm.load_protocol("two-cycle"))
    assert run.stdout.strip() == here
    changed = cm.load_protocol("two-cycle").with_variables(charge_rate=0.11)
    assert fingerprint(cm.load_cell("lfp-graphite"), changed) != here


OVER = {
    "charge_rate": [0.08, 0.1, 0.2],
    "recovered": [0.0, 0.9],
    "Positive electrode thickness [m]": [70e-6, 75e-6],
}
INPUTS = (cm.load_protocol("two-cycle"), cm.load_equipment("regenerative-cycler"))


@pytest.fixture(scope="module")
def cells():
    return [cm.load_cell(name) for name in ("nmc811-graphite-siox", "nmc532-graphite")]


@pytest.fixture(scope="module")
def in_memory(cells):
    return cm.sweep_formation(cells, *INPUTS, over=OVER)


@pytest.mark.parametrize("chunk_size", [1, 4, 5, 10**6])
def test_a_sweep_through_the_store_is_the_sweep(cells, in_memory, tmp_path, chunk_size):
    stored = cm.sweep_formation(
        cells, *INPUTS, over=OVER, chunk_size=chunk_size, store=tmp_path / "sweep.zarr"
    )
    xr.testing.assert_identical(stored.load(), in_memory)
    assert not (in_memory["status"] != 0).any()


def test_one_cell_has_no_dimension_cell(cells, in_memory, tmp_path):
    stored = cm.sweep_formation(cells[0], *INPUTS, over=OVER, store=str(tmp_path / "s.zarr"))
    alone = in_memory.isel(cell=0, drop=True).assign_attrs(
        cell=cells[0].name, cell_fingerprint=cells[0].fingerprint(OVER)
    )
    del alone.attrs["cell_fingerprints"]
    xr.testing.assert_equal(stored.load(), alone)
    assert stored.attrs == alone.attrs


def test_a_store_needs_something_that_varies(cells, tmp_path):
    with pytest.raises(cm.InputError, match="with a store, `over` must vary"):
        cm.sweep_formation(cells[0], *INPUTS, over={"recovered": [0.1]}, store=tmp_path / "s.zarr")


def test_a_sweep_that_was_interrupted_goes_on(cells, in_memory, tmp_path):
    def interrupt(done, total):
        if done >= total / 2:
            raise KeyboardInterrupt

    store = tmp_path / "sweep.zarr"
    arguments = {"over": OVER, "chunk_size": 4, "store": store}
    with pytest.raises(KeyboardInterrupt):
        cm.sweep_formation(cells, *INPUTS, **arguments, progress=interrupt)
    assert (open_results(store, partial=True)["status"] == -1).sum() == 6
    told = []
    stored = cm.sweep_formation(cells, *INPUTS, **arguments, progress=lambda *n: told.append(n[0]))
    assert told == [6, 8, 10, 12]
    xr.testing.assert_identical(stored.load(), in_memory)


def test_a_changed_cell_is_formed_again_alone(cells, tmp_path):
    arguments = {"over": OVER, "chunk_size": 4, "store": tmp_path / "sweep.zarr"}
    cm.sweep_formation(cells, *INPUTS, **arguments)
    changed = [cells[0], cells[1].replace_parameters({"Separator porosity": 0.5})]
    told = []
    stored = cm.sweep_formation(
        changed, *INPUTS, **arguments, progress=lambda *n: told.append(n[0])
    )
    assert told[0] == 6
    again = cm.sweep_formation(changed, *INPUTS, over=OVER)
    xr.testing.assert_identical(stored.load(), again)
