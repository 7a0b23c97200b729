"""Tables of measured formations: read the same from everywhere, refused where they are wrong."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import cellmodel as cm
from cellmodel.measurements import read_measurements
from cellmodel.protocol import Variable
from cellmodel.quantity import shipped

TABLE = {
    "case": ["a", "b", "c"],
    "temperature [K]": [298.15, 318.15, 298.15],
    "charge_rate [C]": [0.1, 0.2, 0.5],
    "first_charge_capacity [A h]": [5.4, 5.5, 5.3],
    "first_charge_capacity_sd [A h]": [0.05, 0.06, 0.05],
    "first_cycle_efficiency": [0.86, 0.87, 0.85],
}


def _dataset():
    names = {head: head.partition(" ")[0] for head in TABLE}
    units = {"temperature": "K", "charge_rate": "h-1", "first_cycle_efficiency": "1"}
    data = {
        names[head]: ("case", column, {"units": units.get(names[head], "A h")})
        for head, column in TABLE.items()
    }
    return xr.Dataset(data).set_coords("temperature")


def _csv(tmp_path):
    pd.DataFrame(TABLE).to_csv(tmp_path / "measured.csv", index=False)
    return tmp_path / "measured.csv"


@pytest.mark.parametrize("kind", ["csv", "frame", "dataset"])
def test_every_kind_of_table_says_the_same(tmp_path, kind):
    tables = {"csv": _csv(tmp_path), "frame": pd.DataFrame(TABLE), "dataset": _dataset()}
    read = read_measurements(tables[kind], "two-cycle", {"first_cycle_efficiency": 0.004})
    assert read.labels.tolist() == ["a", "b", "c"]
    (group,) = read.groups
    assert group.protocol.name == "two-cycle"
    np.testing.assert_array_equal(group.variables["temperature"], TABLE["temperature [K]"])
    np.testing.assert_array_equal(group.variables["charge_rate"], TABLE["charge_rate [C]"])
    assert list(read.outcomes) == ["first_charge_capacity", "first_cycle_efficiency"]
    np.testing.assert_array_equal(read.outcomes["first_charge_capacity"], [5.4, 5.5, 5.3])
    deviations = read.standard_deviations
    np.testing.assert_array_equal(deviations["first_charge_capacity"], [0.05, 0.06, 0.05])
    np.testing.assert_array_equal(deviations["first_cycle_efficiency"], [0.004] * 3)
    assert read.title == ("measured.csv" if kind == "csv" else "a table of the user")
    coords = read.coordinates()
    assert coords["charge_rate"].attrs["units"] == "h-1"


def test_without_standard_deviations_an_outcome_is_known_to_1_percent():
    read = read_measurements(pd.DataFrame(TABLE), "two-cycle")
    np.testing.assert_allclose(
        read.standard_deviations["first_cycle_efficiency"], [0.0086] * 3, rtol=1e-12
    )


@pytest.fixture
def renamed(tmp_path):
    """A protocol with a variable that two-cycle does not have."""
    text = shipped("protocols")["two-cycle"].read_text("utf-8")
    text = text.replace("later_charge_rate", "check_rate").replace('"two-cycle"', '"renamed"')
    (tmp_path / "renamed.toml").write_text(text, "utf-8")
    return cm.load_protocol(tmp_path / "renamed.toml")


def test_several_protocols_share_a_table(renamed):
    table = pd.DataFrame(
        {
            "protocol": ["renamed", "two-cycle", "renamed"],
            "check_rate [C]": [0.3, np.nan, 0.4],
            "first_cycle_efficiency [1]": [0.86, 0.87, 0.85],
        }
    )
    read = read_measurements(table, ["two-cycle", renamed])
    assert [group.rows.tolist() for group in read.groups] == [[0, 2], [1]]
    assert [list(group.variables) for group in read.groups] == [["check_rate"], []]
    np.testing.assert_array_equal(read.coordinates()["check_rate"].values, [0.3, np.nan, 0.4])
    assert len(set(read.groups_by("protocol").tolist())) == 3
    with pytest.raises(cm.InputError, match=r"'two-cycle' has no variable 'check_rate'.* row 2"):
        read_measurements(table.fillna(0.2), ["two-cycle", renamed])
    with pytest.raises(cm.InputError, match="unknown protocol of measurements 'two-cycle'"):
        read_measurements(table, renamed)
    with pytest.raises(cm.InputError, match="need the column 'protocol'"):
        read_measurements(table.drop(columns="protocol"), ["two-cycle", renamed])


def test_cases_with_as_many_cycles_are_simulated_together():
    protocol = cm.load_protocol("two-cycle")
    count = Variable(2.0, "1", 0.0, 9.0, "check cycles", "a test")
    protocol = dataclasses.replace(protocol, variables={**protocol.variables, "checks": count})
    table = pd.DataFrame(TABLE).assign(**{"checks [1]": [3, 0, 3]})
    read = read_measurements(table, protocol)
    assert [group.rows.tolist() for group in read.groups] == [[1], [0, 2]]
    assert [group.protocol.variables["checks"].default for group in read.groups] == [0, 3]
    np.testing.assert_array_equal(read.groups[1].variables["charge_rate"], [0.1, 0.5])
    np.testing.assert_array_equal(read.coordinates()["checks"].values, [3, 0, 3])


def test_cases_are_grouped_by_what_is_left_out():
    repeated = pd.DataFrame({head: [*column, column[0]] for head, column in TABLE.items()})
    read = read_measurements(repeated.drop(columns="case"), "two-cycle")
    protocols = read.groups_by("protocol")
    assert protocols[0] == protocols[3]  # a replicate would give the answer away
    assert len(set(protocols.tolist())) == 3
    assert read.groups_by("temperature").tolist() == [0, 1, 0, 0]
    with pytest.raises(cm.InputError, match="unknown column to cross-validate by 'temprature'"):
        read.groups_by("temprature")
    same = read_measurements(pd.DataFrame(TABLE).iloc[[0]], "two-cycle")
    with pytest.raises(cm.InputError, match="needs at least two different ones, got one"):
        same.groups_by("protocol")


def _changed(old, new, values=None):
    return pd.DataFrame(
        {(new if h == old else h): (values if values and h == old else c) for h, c in TABLE.items()}
    )


def test_what_was_not_measured_is_left_empty():
    charge = "first_charge_capacity"
    gap = pd.DataFrame(TABLE)
    gap.loc[1, [f"{charge} [A h]", f"{charge}_sd [A h]"]] = np.nan
    read = read_measurements(gap, "two-cycle")
    np.testing.assert_array_equal(read.outcomes[charge], [5.4, np.nan, 5.3])
    np.testing.assert_array_equal(read.standard_deviations[charge], [0.05, np.nan, 0.05])
    read = read_measurements(gap.drop(columns=f"{charge}_sd [A h]"), "two-cycle")
    np.testing.assert_allclose(read.standard_deviations[charge], 0.0535, rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (_changed("temperature [K]", "temprature [K]"), "unknown column .*'temprature'.*temperat"),
        (_changed("temperature [K]", "temperature [degC]"), r"unit 'K', as in .*got 'degC'"),
        (_changed("temperature [K]", "temperature"), r"must state the unit 'K'.*got none"),
        (_changed("temperature [K]", "temperature [K", None), r"headed 'name \[unit\]', got"),
        (_changed("temperature [K]", "charge_rate [h-1]"), "two columns 'charge_rate'"),
        (
            _changed("temperature [K]", "temperature [K]", [25.0, 45.0, 25.0]),
            "row 1, must be in kelvin between .*got 25.0; did you pass degrees Celsius",
        ),
        (
            _changed("charge_rate [C]", "charge_rate [C]", [0.1, np.nan, 0.2]),
            "column 'charge_rate' must not have empty entries, got one in row 2",
        ),
        (
            _changed("charge_rate [C]", "charge_rate [C]", [0.1, "fast", 0.2]),
            "column 'charge_rate', row 2, must be a number in C, got 'fast'",
        ),
        (
            _changed("first_charge_capacity [A h]", "first_charge_capacity [mA h]"),
            "must state the unit 'A h', .*got 'mA h'",
        ),
        (
            _changed(
                "first_charge_capacity_sd [A h]", "first_charge_capacity_sd [A h]", [1, np.nan, 1]
            ),
            "column 'first_charge_capacity_sd' must not have empty entries, got one in row 2",
        ),
        (
            _changed("first_cycle_efficiency", "first_cycle_efficiency", [86.0, 87.0, 85.0]),
            "did you pass percent",
        ),
        (
            _changed(
                "first_charge_capacity_sd [A h]", "first_charge_capacity_sd [A h]", [0.1, 0.0, 0.1]
            ),
            "'first_charge_capacity_sd', row 2, must be above 0",
        ),
        (_changed("first_charge_capacity [A h]", "case2"), "unknown column"),
        (_changed("case", "case", ["a", "a", "b"]), "labels in column 'case' must differ"),
        (pd.DataFrame({"temperature [K]": [298.15]}), "must have at least one outcome: first_"),
        (pd.DataFrame(TABLE).iloc[:0], "at least one column and one row"),
        (pd.DataFrame(), "at least one column and one row"),
        ([1, 2], "a path, a pandas.DataFrame or an xarray.Dataset, got list"),
        (xr.Dataset({"temperature": ("row", [298.15])}), "must have the one dimension 'case'"),
        (_dataset().assign(temperature=298.15), "every variable .* must have the dimension"),
        ("missing.csv", "missing.csv: there is no such file"),
    ],
)
def test_a_wrong_table_is_refused(table, message):
    with pytest.raises(cm.InputError, match=message):
        read_measurements(table, "two-cycle")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"temperature [K],first_cycle_efficiency\n298.15\n", "row 1 must have 2 entries.* got 1"),
        (b"", "at least one column and one row"),
        (b"temperature [K]\n", "at least one column and one row"),
        (b"temperature [K],first_cycle_efficiency\n298.15,\n", "'first_cycle_efficiency' has no"),
        (b"\xff\xfe,b\n", "is not a CSV file in UTF-8"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, content, message):
    (tmp_path / "own.csv").write_bytes(content)
    with pytest.raises(cm.InputError, match=message):
        read_measurements(tmp_path / "own.csv", "two-cycle")


@pytest.mark.parametrize(
    ("deviations", "message"),
    [
        ({"first_cycle_eficiency": 0.01}, "unknown outcome in standard_deviations"),
        ({"first_cycle_efficiency": 0.0}, r"standard_deviations\['first_cycle_eff.*above 0"),
        ([0.01], "must map outcomes to numbers"),
    ],
)
def test_wrong_standard_deviations_are_refused(deviations, message):
    with pytest.raises(cm.InputError, match=message):
        read_measurements(pd.DataFrame(TABLE), "two-cycle", deviations)


@pytest.mark.parametrize("protocol", [[], 3, ["two-cycle", "two-cycle"]])
def test_wrong_protocols_are_refused(protocol):
    with pytest.raises(cm.InputError, match=r"protocols? must"):
        read_measurements(pd.DataFrame(TABLE), protocol)
