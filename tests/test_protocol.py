"""Protocols: sentences with variables, read once, refused early."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import cellmodel as cm
from cellmodel.step import Term, parse_step

UNITS = {
    "rate": "C", "current": "A", "power": "W", "upper": "V", "capacity": "A.h", "time": "h",
    "minutes": "min", "hot": "K",
}  # fmt: skip
VOLTAGES = {"upper_voltage": 4.2, "lower_voltage": 2.5}


@pytest.fixture
def protocol():
    return cm.load_protocol("two-cycle").with_variables(**VOLTAGES)


@pytest.fixture
def values(protocol):
    return {name: variable.default for name, variable in protocol.variables.items()}


def step(template):
    return parse_step(template, 0, UNITS, "p.toml")


@pytest.mark.parametrize(
    ("template", "kind", "numbers"),
    [
        ("Charge at {rate} C until {upper} V", "current", (-2.0, 4.0, None, None, None)),
        ("Discharge at C/5 until 2.5V", "current", (1.0, 2.5, None, None, None)),
        ("Charge at 500 mA for 30 minutes", "current", (-0.5, None, None, 1800, None)),
        (
            "Charge at {current} A for 2 hours or until 3.9 V",
            "current",
            (-3, 3.9, None, 7200, None),
        ),
        ("Discharge at C/10 until 0.5 A.h", "current", (0.5, None, None, None, 1800)),
        (
            "Discharge at 1 C until {capacity} A.h or until 3.0 V",
            "current",
            (5.0, 3.0, None, None, 5400),
        ),
        (
            "Discharge at 1 C until 3 V or for 10 s or until 500mA.h",
            "current",
            (5.0, 3.0, None, 10, 1800),
        ),
        ("Charge at 10 W until 4.2 V", "power", (-10, 4.2, None, None, None)),
        ("Discharge at {power} W for 2 hours", "power", (7.0, None, None, 7200, None)),
        (
            "Charge at 250 mW until 2 A.h or until C/5 or until 4.2 V or for {time} h",
            "power",
            (-0.25, 4.2, 1.0, 7200, 7200),
        ),
        ("Hold at {upper} V until C/20", "voltage", (4.0, None, 0.25, None, None)),
        (
            "Hold at 4.2 V for 1 hour or until {rate} C",
            "voltage",
            (4.2, None, 2.0, 3600, None),
        ),
        (
            "Hold at 4.2 V until C/20 or for 3 hours",
            "voltage",
            (4.2, None, 0.25, 10800, None),
        ),
        ("Hold at 4.2 V until 50 mA", "voltage", (4.2, None, 0.05, None, None)),
        ("Hold at 4.2 V for {time} hours", "voltage", (4.2, None, None, 7200, None)),
        ("Hold at 4.2 V until 0.1 A.h", "voltage", (4.2, None, None, None, 360)),
        ("Rest for {minutes} minutes", "current", (0.0, None, None, 600, None)),
        ("Rest for 10 s", "current", (0.0, None, None, 10, None)),
    ],
)
def test_steps_are_read_in_si(template, kind, numbers):
    variables = {
        "rate": 0.4, "current": 3.0, "power": 7.0, "upper": 4.0, "capacity": 1.5, "time": 2.0,
        "minutes": 10.0,
    }  # fmt: skip
    read = step(template)
    assert read.kind == kind
    found = read.numbers(variables, 5.0)
    assert found._fields == ("setpoint", "voltage_limit", "current_limit", "duration", "charge")
    for expected, number in zip(numbers, found, strict=True):
        assert number == (None if expected is None else pytest.approx(expected, rel=1e-12))


def test_numbers_of_a_step_broadcast():
    variables = {"rate": np.array([0.2, 0.4]), "capacity": np.array([1.0, 2.0])}
    read = step("Charge at {rate} C until {capacity} A.h or until 4.2 V").numbers(variables, 5.0)
    np.testing.assert_allclose(read.setpoint, [-1.0, -2.0], rtol=1e-15, atol=0)
    np.testing.assert_allclose(read.charge, [3600.0, 7200.0], rtol=1e-15, atol=0)
    assert read.voltage_limit == 4.2


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("Charge at 3 Ohm until 4.2 V", "'Charge at 3 Ohm until 4.2 V' is not supported; supp"),
        ("Charge at {rate} Ohm until 4.2 V", "is not supported"),
        ("Run US06 (A)", "is not supported"),
        ("Charge at 1 C until 80%", "is not supported"),
        ("Charge at -1 C until 4.2 V", "is not supported"),
        ("Charge at 1 C until 4.2 V until 4.3 V", "is not supported"),
        ("Charge at 1 C or until 4.2 V for 1 hour", "is not supported"),
        ("Charge at 1 C until 4.2 V for 1 hour", "is not supported"),
        ("Charge at 1 C until 4.2 V or 1 A.h", "is not supported"),
        ("Charge at 1 C until 1 hour", "is not supported"),
        ("Charge at 1 C until 1 W", "is not supported"),
        ("Charge at 1 A.h until 4.2 V", "is not supported"),
        ("Hold at 10 W for 1 hour", "is not supported"),
        ("Charge at C/{rate} until 4.2 V", "is not supported"),
        ("charge at 1 C until 4.2 V", "is not supported"),
        ("", "is not supported"),
        ("Charge at 1 C", "must end by voltage or capacity or time, got no end"),
        ("Charge at 1 C until C/20", "must end by voltage or capacity or time, got current"),
        ("Discharge at 1 C until 3 V or until 1 A", "time, got voltage and current"),
        ("Charge at 3 W", "must end by voltage or current or capacity or time, got no end"),
        ("Discharge at 3 W until 1 A", "must end by voltage or capacity or time, got current"),
        ("Hold at 4.2 V", "must end by current or capacity or time, got no end"),
        ("Hold at 4.2 V until 4.1 V", "must end by current or capacity or time, got voltage"),
        ("Rest", "must end by time, got no end"),
        ("Rest until 4 V", "must end by time, got voltage"),
        ("Rest until 1 A.h or for 1 hour", "must end by time, got capacity and time"),
        ("Charge at 1 C until 4.2 V or until 4.3 V", "two limits of one kind; keep the one that"),
        ("Charge at 1 C until 0 A.h", "'0 A.h' must be above 0, got 0.0"),
        ("Charge at 0 C until 4.2 V", "'0 C' must be above 0, got 0.0"),
        ("Charge at C/0 until 4.2 V", "the rate C/0 must be above 0, got 0.0"),
        ("Rest for 0 hours", "'0 hours' must be above 0"),
        (
            "Charge at {rte} C until 4.2 V",
            "unknown variable in .*'rte'; the nearest known are rate",
        ),
        (
            "Charge at {upper} C until 4.2 V",
            "'{upper}' stands where unit 'C' is needed, but .* 'V'",
        ),
        ("Charge at {rate} C until {rate} V", "'{rate}' stands where unit 'V' is needed"),
        ("Rest for {minutes} hours", "'{minutes}' stands where unit 'h' is needed"),
        ("Charge at {current} mA for 1 hour", "'{current}' stands where unit 'mA' is needed"),
        ("Charge at {rate} W for 1 hour", "'{rate}' stands where unit 'W' is needed"),
        ("Charge at 1 C until {current} A.h", "'{current}' stands where unit 'A.h' is needed"),
        (3, "step 3 must be a string"),
        ("Rest for " + "9" * 10**6 + " hours", "must be a string of at most 300 characters"),
    ],
)
def test_a_step_that_is_not_supported_is_named(template, message):
    with pytest.raises(cm.InputError, match=f"p.toml: step .*{message}|{message}"):
        step(template)


@given(st.text(max_size=60))
def test_any_sentence_is_read_or_refused(template):
    try:
        read = step(template)
    except cm.InputError:
        return
    assert any(limit is not None for limit in read.numbers(dict.fromkeys(UNITS, 1.0), 1.0)[1:])


def test_terms_broadcast():
    rate = Term("{rate}", "C")
    result = rate.evaluate({"rate": np.array([[0.1], [0.2]])}, np.array([5.0, 10.0]))
    np.testing.assert_allclose(result, [[0.5, 1.0], [1.0, 2.0]], rtol=1e-15, atol=0)
    assert Term("1", "C", 1 / 20).evaluate({}, 5.0) == 0.25


@pytest.mark.parametrize("name", cm.list_protocols())
def test_shipped_protocols_state_unit_range_and_source(name):
    protocol = cm.load_protocol(name)
    assert protocol.name == name
    for variable in protocol.variables.values():
        assert variable.description
        assert variable.source
        assert variable.low < variable.high
    assert protocol.variables["temperature"].unit == "K"
    assert protocol.capacity_cycle == len(protocol.cycles) - 1
    halls = [] if name == "ageing-1c" else ["soak", "ageing", "ageing"]
    assert [hall.hall for hall in protocol.off_channel] == halls


@pytest.mark.parametrize("name", cm.list_protocols())
def test_pybamm_reads_the_instructions(name):
    pybamm = pytest.importorskip("pybamm")
    protocol = cm.load_protocol(name)
    rate = "charge_rate" if "charge_rate" in protocol.variables else "charge_current_1"
    protocol = protocol.with_variables(**VOLTAGES, **{rate: 0.0012345678})
    values = {key: variable.default for key, variable in protocol.variables.items()}
    experiment = pybamm.Experiment(protocol.instructions(values))
    assert len(experiment.steps) == len(protocol.steps)
    for theirs, ours in zip(experiment.steps, protocol.steps, strict=True):
        numbers = ours.numbers(values, 1.0)
        assert theirs.value == pytest.approx(numbers.setpoint, rel=1e-15)
        if numbers.duration is not None:
            assert theirs.duration == numbers.duration


def test_numbers_are_written_without_exponent(protocol, values):
    steps = protocol.instructions(values | {"rest_time": 0.00101, "cut_off_rate": 5e-4})[0]
    assert steps[1] == "Hold at 4.2 V until 0.0005 C"
    assert steps[2] == "Rest for 0.00101 hours"


def test_variables_are_replaced_and_the_protocol_stays(protocol):
    changed = protocol.with_variables(charge_rate=np.float64(0.2), temperature=318.15)
    assert changed.variables["charge_rate"].default == 0.2
    assert changed.variables["charge_rate"].source == "set by the user"
    assert protocol.variables["charge_rate"].default == 0.1
    with pytest.raises(TypeError):
        protocol.variables["charge_rate"] = None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"charge_rte": 0.1},
            "unknown variable of protocol 'two-cycle' 'charge_rte'; .* charge_rate",
        ),
        (
            {"temperature": 25.0},
            "temperature must be in kelvin .* got 25.0; did you pass degrees C",
        ),
        ({"charge_rate": 0}, "charge_rate must be in C between 0.001 and 5, got 0.0"),
        ({"charge_rate": -0.1}, "charge_rate must be in C between"),
        ({"charge_rate": "0.1"}, "charge_rate must be a number in C, got '0.1'"),
        ({"charge_rate": True}, "charge_rate must be a number in C, got True"),
        ({"charge_rate": math.nan}, "charge_rate must be .* got nan"),
        ({"charge_rate": [0.1, 0.2]}, r"charge_rate must be a number in C, got \[0.1, 0.2\]"),
        ({"lower_voltage": 4.3}, "cycle 0: the cut-off of 'Discharge.*must lie below the 4.2 V"),
        ({"lower_voltage": 4.2}, "got 4.2 V; put the cut-offs in order"),
    ],
)
def test_wrong_values_are_refused(protocol, change, message):
    with pytest.raises(cm.InputError, match=message):
        protocol.with_variables(**change)


@given(st.floats(allow_nan=True))
def test_a_rate_is_accepted_exactly_in_its_range(rate):
    protocol = cm.load_protocol("two-cycle")
    try:
        changed = protocol.with_variables(charge_rate=rate)
    except cm.InputError:
        assert not 0.001 <= rate <= 5
    else:
        assert changed.variables["charge_rate"].default == rate


def test_all_values_are_checked_together(protocol, values):
    with pytest.raises(cm.InputError, match=r"needs a value for variable 'charge_rate'"):
        protocol.check({k: v for k, v in values.items() if k != "charge_rate"})
    with pytest.raises(cm.InputError, match=r"unknown variable of protocol .* 'extra'"):
        protocol.check(values | {"extra": 1.0})
    with pytest.raises(
        cm.InputError, match=r"lie below the 3 V where the step before ends, got 3.5"
    ):
        protocol.check(
            values
            | {"upper_voltage": xr.DataArray([4.2, 3.0], dims="upper")}
            | {"lower_voltage": xr.DataArray([2.5, 2.7, 3.5], dims="lower")}
        )


def test_defaults_come_from_the_cell(protocol):
    class Stub:
        name = "stub"

        def __init__(self, lower):
            self.lower = lower

        def parameter(self, name):
            return {"Upper voltage cut-off [V]": 4.1, "Lower voltage cut-off [V]": self.lower}[name]

    shipped = cm.load_protocol("two-cycle")
    values = shipped.defaults(Stub(2.6))
    assert (values["upper_voltage"], values["lower_voltage"]) == (4.1, 2.6)
    assert protocol.defaults(Stub(2.6))["upper_voltage"] == 4.2
    with pytest.raises(cm.InputError, match=r"lower_voltage .taken from 'Lower voltage cut-off"):
        shipped.defaults(Stub(-1.0))
    with pytest.raises(cm.InputError, match=r"put the cut-offs in order"):
        shipped.defaults(Stub(4.1))


def _written(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    content = """
title = "t"
source = "s"
[variables]
temperature = {default = 298.15, unit = "K", low = 280, high = 320, description = "d", source = "s"}
rate = { default = 0.1, unit = "C", low = 0.01, high = 1, description = "d", source = "s" }
[[cycle]]
repeat = 2
steps = ["Charge at {rate} C until 3.6 V", "Discharge at 0.5 C until 2 V"]
[[off_channel]]
name = "soak"
duration = 24
temperature = "{temperature}"
hall = "soak"
"""
    for old, new in changes:
        assert old in content
        content = content.replace(old, new)
    path = tmp_path / "own.toml"
    path.write_text(content)
    return path


def test_a_protocol_of_the_user_is_read(tmp_path):
    protocol = cm.load_protocol(str(_written(tmp_path)))
    assert protocol.name == "own"
    assert [s.cycle for s in protocol.steps] == [0, 0, 1, 1]
    (soak,) = protocol.off_channel
    assert soak.duration.evaluate({}, 1.0) == 24
    assert soak.temperature.evaluate({"temperature": 300.0}, 1.0) == 300


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'title = "t"',
            'titel = "t"',
            "unknown key 'titel'; did you mean 'title'. allowed keys: n",
        ),
        ('title = "t"', "", "own.toml: missing key title"),
        ('title = "t"', "title = 3", "own.toml: title must be a non-empty string, got 3"),
        ("298.15", "25.0", "temperature.default must be in kelvin between 280 and 320, got 25.0"),
        ("298.15", "true", "temperature.default must be a number in kelvin, got True"),
        ("low = 280", "low = 7", "temperature.low must be in kelvin between 233 and 373, got 7.0"),
        ("low = 280", "low = 330", "low <= high must hold, got 330 and 320"),
        ("default = 0.1,", "defualt = 0.1,", r"\[variables\] rate: unknown key 'defualt'"),
        ("low = 0.01", "low = 0", "rate.low must be in C above 0, got 0.0"),
        ('unit = "C"', 'unit = "c"', "rate: the unit must be one of C, A, .*, got 'c'"),
        ('unit = "K"', 'unit = "C"', "must have the variable 'temperature' with unit 'K'"),
        ("temperature =", "hot =", "must have the variable 'temperature'"),
        ("rate =", '"charge rate" =', "a name must be lower-case letters"),
        ("repeat = 2", "repeat = 0", "repeat must be a whole number above 0, got 0"),
        ("repeat = 2", "repeat = true", "repeat must be a whole number above 0, got True"),
        ("repeat = 2", "repeat = 1000000000", "at most 64 steps are supported"),
        ("[[cycle]]", "[cycle]", r"\[\[cycle\]\] must be a list of at least one table"),
        ("steps = [", "steps = [[1], ", r"step \[1\] must be a string"),
        ("0.5 C until", "0.5 Ohm until", "'Discharge at 0.5 Ohm until 2 V' is not supported"),
        ("0.5 C until 2 V", "0.5 C for 1 hour", "one step must discharge to a cut-off"),
        ("0.5 C until 2 V", "0.5 C until 2 V or until 1 A.h", "one step must discharge to a cut"),
        ("until 2 V", "until 3.6 V", "must lie below the 3.6 V where the step before ends"),
        ('hall = "soak"', 'hall = "sauna"', "hall must be one of soak, ageing, got 'sauna'"),
        ("duration = 24", "duration = 0", "duration must be in h above 0, got 0.0"),
        ("duration = 24", 'duration = "{rate}"', "'{rate}' stands where unit 'h' is needed"),
        ("duration = 24", 'duration = "24"', "must be a number or '{variable}', got '24'"),
        ('"{temperature}"', "40", "temperature must be in kelvin .*got 40.0; did you pass degrees"),
    ],
)
def test_a_wrong_file_names_file_and_key(tmp_path, old, new, message):
    with pytest.raises(cm.InputError, match=message) as error:
        cm.load_protocol(_written(tmp_path, (old, new)))
    assert "own.toml" in str(error.value) or "protocol 'own'" in str(error.value)


def test_an_unknown_protocol_is_refused():
    with pytest.raises(
        cm.InputError, match=r"unknown protocol 'tow-cycle'; the nearest .* two-cycle"
    ):
        cm.load_protocol("tow-cycle")


def test_64_steps_are_read_and_65_refused(tmp_path):
    changes = [("repeat = 2", "repeat = 1"), ("steps = [", "steps = [" + 62 * "'Rest for 1 s', ")]
    assert len(cm.load_protocol(_written(tmp_path, *changes)).steps) == 64
    changes[1] = ("steps = [", "steps = [" + 63 * "'Rest for 1 s', ")
    with pytest.raises(cm.InputError, match=r"at most 64 steps are supported, got 65"):
        cm.load_protocol(_written(tmp_path, *changes))


def _loaded(tmp_path: Path, *steps: str) -> cm.Protocol:
    """Return a protocol of one cycle with these steps, then one full cycle."""
    written = ", ".join(f"'{step}'" for step in steps)
    cycle = f"[[cycle]]\nsteps = [{written}]\n[[cycle]]\nrepeat = 1"
    return cm.load_protocol(_written(tmp_path, ("[[cycle]]", cycle), ("repeat = 2\n", "\n")))


@pytest.mark.parametrize("also", ["", "for 1 hour or ", "until 1 A.h or ", "until 1 A or "])
@pytest.mark.parametrize("between", [[], ["Rest for 1 h"], ["Hold at 3.6 V for 1 h"]])
def test_the_current_turns_inside_the_cut_off_whatever_ended_the_step(tmp_path, also, between):
    steps = f"Charge at 1 W {also}until 3.6 V", *between, "Discharge at 1 W until 3.7 V or for 1 h"
    message = "cut-off of 'Discharge at 1 W .*' must lie below the 3.6 V .*, got 3.7 V; put the"
    with pytest.raises(cm.InputError, match=message):
        _loaded(tmp_path, *steps)


@pytest.mark.parametrize("between", ["Hold at 3.8 V for 1 h", "Charge at 1 W for 1 h"])
def test_a_voltage_that_is_not_known_bounds_nothing(tmp_path, between):
    back = "Discharge at 1 W until 3.7 V", "Discharge at 1 W until 3 V"
    assert _loaded(tmp_path, "Charge at 1 W until 3.6 V", between, *back).steps


def test_stages_of_one_charge_may_share_a_cut_off(tmp_path):
    stages = ("Charge at 1 C until 3.6 V", "Rest for 1 h", "Charge at C/5 until 3.6 V")
    assert _loaded(tmp_path, *stages, "Hold at 3.6 V for 1 h", "Charge at C/50 until 3.6 V").steps


@pytest.mark.parametrize(
    ("discharges", "cycle"),
    [
        (("Discharge at 1 C until 1 A.h", "Discharge at C/10 until 2.0 V"), 1),
        (("Discharge at 10 W until 2.0 V", "Charge at 10 W until 1 A.h"), 1),
        (("Discharge at 1 C until 1 A.h or until 2.0 V",), 0),
        (("Discharge at 1 C for 1 hour or until 2.0 V",), 0),
        (
            ("Discharge at 1 C until 1 A.h", "Charge at 1 C for 1 h", "Discharge at 1 C until 2 V"),
            0,
        ),
    ],
)
def test_the_cell_is_measured_where_it_discharges_once_and_fully(tmp_path, discharges, cycle):
    written = ", ".join(f"'{step}'" for step in discharges)
    later = f"[[cycle]]\nsteps = ['Charge at 1 C until 3.6 V', {written}]\n[[off_channel]]"
    changes = [("repeat = 2", "repeat = 1"), ("[[off_channel]]", later)]
    protocol = cm.load_protocol(_written(tmp_path, *changes))
    assert protocol.capacity_cycle == cycle


@pytest.mark.parametrize(
    "step",
    [
        "Charge at 5 W until 3.6 V",
        "Charge at 0.2 C until 3.6 V or until 0.5 A.h",
        "Charge at 5 W until 0.5 A.h",
    ],
)
def test_the_kernels_take_every_step_as_pybamm_does(tmp_path, step):
    cell, protocol = cm.load_cell("lfp-graphite"), _loaded(tmp_path, step)
    equipment = cm.load_equipment("regenerative-cycler")
    swept = cm.sweep_formation(cell, protocol, equipment)
    known = cm.simulate_formation(cell, protocol, equipment)
    assert swept.status == 0
    for name in ("charge_capacity", "charge_energy", "discharge_energy", "formation_time"):
        # the kernels' errors are shares of the cell's capacity: the second cycle of a cell that is
        # full already charges 0.6 % of it
        of_capacity = 1e-5 * float(known[name].max())
        np.testing.assert_allclose(swept[name], known[name], rtol=1e-3, atol=of_capacity)


COUNTED = (
    ("repeat = 2", 'repeat = "{more}"\nsteps = ["Rest for 1 s"]\n[[cycle]]'),
    (
        "rate =",
        'more = {default = 2, unit = "1", low = 0, high = 63, description="d", source="s"}\nrate =',
    ),
)


def test_a_variable_counts_cycles(tmp_path):
    protocol = cm.load_protocol(_written(tmp_path, *COUNTED))
    assert [s.cycle for s in protocol.steps] == [0, 1, 2, 2]
    assert len(protocol.cycles) == 3
    none = protocol.with_variables(more=0, rate=0.3)
    assert [s.cycle for s in none.steps] == [0, 0]
    assert none.cycles == protocol.cycles[2:]
    assert none.with_variables(more=2, rate=0.1).steps == protocol.steps
    assert len(protocol.with_variables(more=62).steps) == 64
    with pytest.raises(cm.InputError, match=r"protocol 'own': at most 64 steps .*, got 65"):
        protocol.with_variables(more=63)
    with pytest.raises(cm.InputError, match=r"more must be a whole number, got 1.5"):
        protocol.with_variables(more=1.5)
    with pytest.raises(cm.InputError, match=r"more must be between 0 and 63, got -1.0"):
        protocol.with_variables(more=-1)


@pytest.mark.parametrize("values", [3.0, [2.0, 3.0], xr.DataArray([2.0], dims="more")])
def test_a_count_of_cycles_is_not_swept(tmp_path, values):
    protocol = cm.load_protocol(_written(tmp_path, *COUNTED))
    known = {name: variable.default for name, variable in protocol.variables.items()}
    protocol.check(known)
    message = "'more' sets how many steps protocol 'own' has, .*; use protocol.with_variables"
    with pytest.raises(cm.InputError, match=message):
        protocol.check(known | {"more": values})
    if np.ndim(values):
        with pytest.raises(cm.InputError, match=message):
            cm.sweep_formation("lfp-graphite", protocol, "regenerative-cycler", {"more": values})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"{more}"', '"{rate}"', r"repeat: '{rate}' must have the unit '1', got 'C'"),
        ('"{more}"', '"{mroe}"', r"repeat; 'mroe'; the nearest known are more"),
        ('"{more}"', '"more"', r"repeat must be a whole number above 0, got 'more'; for a number"),
        ("default = 2,", "default = 2.5,", "more.default must be a whole number, got 2.5"),
        ("default = 2,", "default = 'x',", "more.default must be a number, got 'x'"),
        ("high = 63", "high = 65", "more.high must be between 0 and 64, got 65.0"),
        ("at {rate} C", "at {more} C", "'{more}' stands where unit 'C' is needed"),
    ],
)
def test_a_wrong_count_of_cycles_is_refused(tmp_path, old, new, message):
    with pytest.raises(cm.InputError, match=message):
        cm.load_protocol(_written(tmp_path, *COUNTED, (old, new)))


def test_only_a_stage_that_is_followed_up_may_be_passed_over(tmp_path):
    protocol = _loaded(
        tmp_path,
        "Charge at 1 C until 3.5 V",  # a stage follows
        "Charge at C/5 until 3.6 V",  # a hold follows
        "Hold at 3.6 V until C/20",
        "Discharge at 1 C until 3 V",  # a stage follows
        "Discharge at 1 C until 2 V",  # a rest follows
        "Rest for 1 h",
    )
    assert [step.leads_on for step in protocol.steps[:6]] == [True, True, False, True, False, False]


def test_two_stage_charge_is_the_campaign_of_cui():
    protocol = cm.load_protocol("two-stage-charge").with_variables(
        temperature=298.15, charge_current_1=0.0264, transition_voltage=3.72,
        charge_current_2=0.036, upper_voltage=4.4, lower_voltage=3.0, hold_time=1.0,
        discharge_current=0.048, rest_time=0.001, verification_cycles=5,
    )  # fmt: skip
    assert [sum(s.cycle == c for s in protocol.steps) for c in range(6)] == [5, 4, 4, 4, 4, 4]
    values = protocol.defaults(cm.load_cell("lfp-graphite"))
    numbers = [step.numbers(values, 1.0) for step in protocol.steps[:5]]
    assert [n.setpoint for n in numbers] == [-0.0264, -0.036, 4.4, 0.0, 0.048]
    assert [n.voltage_limit for n in numbers] == [3.72, 4.4, None, None, 3.0]
    assert [n.duration for n in numbers] == [None, None, 3600, pytest.approx(3.6), None]
    alone = protocol.with_variables(verification_cycles=0)
    assert alone.capacity_cycle == 0
    assert alone.cycles == protocol.cycles[:1]


def test_fast_formation_has_five_shallow_cycles():
    protocol = cm.load_protocol("fast-formation")
    holds = [step for step in protocol.steps if step.kind == "voltage"]
    assert len(holds) == 5
    assert protocol.steps[-1].is_full_discharge
