"""Numbers with unit and source, and TOML files that come from anywhere."""

from __future__ import annotations

import contextlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellmodel.errors import InputError, nearest, unknown_name
from cellmodel.quantity import (
    TEMPERATURE,
    Quantity,
    Range,
    locate,
    read_quantity,
    read_toml,
    shipped,
)

ENTRY = {"value": 2.0, "unit": "W", "source": "a meter", "low": 1, "high": 3}


@pytest.mark.parametrize(
    "value", [1, 1.5, np.float32(1.5), np.float64(1.5), np.int8(1), np.uint64(1)]
)
def test_numbers_of_python_and_numpy_are_numbers(value):
    result = Range(0, 2).check("x", value)
    assert type(result) is float
    assert result == value


@pytest.mark.parametrize(
    "value", [True, np.True_, "1", None, [1.0], np.array(1.0), np.array([1.0]), 1j, b"1"]
)
def test_everything_else_is_no_number(value):
    with pytest.raises(InputError, match=r"x must be a number"):
        Range(0, 2).check("x", value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**400])
def test_numbers_must_be_finite(value):
    with pytest.raises(InputError, match=r"x must be finite, got (nan|inf|-inf)"):
        Range().check("x", value)


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        (Range(0, 1), "between 0 and 1"),
        (Range(0, 1, above=True), "above 0 and at most 1"),
        (Range(0, 1, below=True), "at least 0 and below 1"),
        (Range(0, above=True), "above 0"),
        (Range(high=5), "at most 5"),
    ],
)
def test_messages_say_what_must_hold(bounds, words):
    for check in (bounds.check, bounds.check_array):
        with pytest.raises(InputError, match=f"x must be {words}, got (-1|7).0"):
            check("x", -1 if bounds.low == 0 else 7)


def test_open_ends_are_excluded():
    Range(0, 1).check_array("x", [0, 1])
    with pytest.raises(InputError):
        Range(0, 1, above=True).check("x", 0)
    with pytest.raises(InputError):
        Range(0, 1, below=True).check("x", 1)


def test_celsius_is_recognised():
    message = (
        r"temperature must be in kelvin between 233 and 373, got 25.0; did you pass degrees Celsius"
    )
    with pytest.raises(InputError, match=message):
        TEMPERATURE.check("temperature", 25.0)
    with pytest.raises(InputError, match=message):
        TEMPERATURE.check_array("temperature", [298.15, 25.0])


@pytest.mark.parametrize(
    "values", [[True], ["1"], [None], [1, "a"], [[1], [2, 3]], [1j], {1.0}, [10**400]]
)
def test_arrays_hold_numbers_only(values):
    with pytest.raises(InputError, match=r"x must be an array of numbers"):
        Range().check_array("x", values)


@given(st.lists(st.floats(), min_size=1))
def test_an_array_is_accepted_exactly_if_each_number_is(values):
    bounds = Range(-1, 1e9, above=True)

    def accepted(check, value):
        try:
            check("x", value)
        except InputError:
            return False
        return True

    assert accepted(bounds.check_array, values) == all(accepted(bounds.check, v) for v in values)


def test_a_quantity_is_read():
    assert read_quantity(ENTRY, "f.toml: power") == Quantity(2.0, "W", "a meter", 1.0, 3.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"souce": "x"}, "f.toml: power: unknown key 'souce'; did you mean 'source'?.*allowed"),
        ({"value": True}, "f.toml: power.value must be a number in W, got True"),
        ({"value": "2"}, "f.toml: power.value must be a number in W, got '2'"),
        ({"value": math.inf}, "f.toml: power.value must be in W finite, got inf"),
        ({"value": 4}, "low <= value <= high must hold, got 1, 4, 3"),
        ({"unit": 3}, "f.toml: power.unit must be a non-empty string, got 3"),
        ({"source": " "}, "f.toml: power.source must be a non-empty string"),
    ],
)
def test_a_wrong_quantity_names_file_and_key(change, message):
    with pytest.raises(InputError, match=message):
        read_quantity(ENTRY | change, "f.toml: power")


def test_a_quantity_needs_unit_source_and_the_right_unit():
    with pytest.raises(InputError, match=r"power: missing key unit, source"):
        read_quantity({"value": 1}, "power")
    with pytest.raises(
        InputError, match=r"power must be a table with value, unit and source, as .* got 3"
    ):
        read_quantity(3, "power")
    with pytest.raises(InputError, match=r"power: the unit must be 'kW', got 'W'"):
        read_quantity(ENTRY, "power", Range(unit="kW"))


def _write(folder, content):
    path = folder / "some.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a = ", "some.toml: is not valid TOML: Invalid value .*line 1|end of document"),
        ("a = 1\na = 2", "is not valid TOML: Cannot overwrite a value"),
        ("a = " + "9" * 5000, "is not valid TOML"),
        ("a = " + "[" * 100_000, "is nested too deeply"),
        ("a = " + "{b=" * 100_000, "is nested too deeply"),
        (".".join("a" * 20_000) + " = 1", "line 1: a key may have at most 50 dotted parts"),
        ("x = 1\n" + ".".join(['"a"'] * 20_000) + " = 1", "line 2: a key may have"),
        ("[" + " . ".join("a" * 20_000) + "]", "a key may have at most"),
        (r'"=\"".' + ".".join("a" * 20_000) + " = 1", "a key may have at most"),
        ("#" * 1_000_001, "a file must have at most 1000000 bytes"),
        (b"a = '\xff'", r"is not UTF-8 text \(byte 5\)"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_hostile_toml_is_refused(tmp_path, content, message):
    with pytest.raises(InputError, match=message):
        read_toml(_write(tmp_path, content))


def test_long_sentences_and_arrays_are_not_mistaken_for_keys(tmp_path):
    numbers = ", ".join(["0.125"] * 500)
    path = _write(tmp_path, f'\ufeffa = [{numbers}]\nsource = "{"e.g. this. " * 100}"')
    assert len(read_toml(path)["a"]) == 500


def test_what_is_no_file_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "none.toml", "/dev/zero", "a\0.toml"):
        with pytest.raises(InputError, match=r"there is no such file"):
            read_toml(path)
    with pytest.raises(InputError, match=r"cannot be read"):
        read_toml(tmp_path / ("a" * 5000))


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(tmp_path_factory, content):
    try:
        path = _write(tmp_path_factory.mktemp("toml"), content)
    except UnicodeEncodeError:  # lone surrogates cannot be in a file
        return
    with contextlib.suppress(InputError):
        assert isinstance(read_toml(path), dict)


def test_names_and_paths_are_told_apart(tmp_path):
    assert locate("cells", "cell", "lfp-graphite") == shipped("cells")["lfp-graphite"]
    assert locate("cells", "cell", "lfp-graphite.toml").parts == ("lfp-graphite.toml",)
    assert locate("cells", "cell", "here/lfp-graphite").parts == ("here", "lfp-graphite")
    assert locate("cells", "cell", tmp_path) == tmp_path
    with pytest.raises(InputError, match=r"a cell is loaded by name or path, got 3"):
        locate("cells", "cell", 3)


def test_an_unknown_name_comes_with_its_neighbours():
    assert str(unknown_name("cell", "nmc-811", ["nmc811-graphite", "lfp"])) == (
        "unknown cell 'nmc-811'; the nearest known are nmc811-graphite; all: lfp, nmc811-graphite"
    )
    assert "all:" not in str(unknown_name("cell", "a", [f"a{i}" for i in range(21)]))
    assert "none is known" in str(unknown_name("cell", "a", []))
    assert len(str(unknown_name("cell", "a" * 10**6, ["a"]))) < 300
    assert nearest("TEMPERATURE", ["temperature"]) == ["temperature"]
    assert nearest(3, ["temperature"]) == []
