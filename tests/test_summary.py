"""The summary table, from raw results made up by hand."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import cellmodel as cm
from cellmodel.summary import summarise
from cellmodel.variables import label
from cellmodel.wall import chamber_energy, cycler_energy

PROTOCOL = cm.load_protocol("two-cycle").with_variables(upper_voltage=4.2, lower_voltage=2.5)
CELL = cm.load_cell("nmc811-graphite-siox")
EQUIPMENT = cm.load_equipment("regenerative-cycler")
PER_CYCLE = {
    "charge_capacity": [5.8, 5.0],
    "discharge_capacity": [4.9, 4.95],
    "charge_energy": [21.0, 18.6],
    "discharge_energy": [17.8, 18.0],
}
PER_CASE = {
    "lithium_loss": 0.6,
    "sei_thickness": 8e-9,
    "formation_time": 40.0,
    "charge_time": 20.0,
    "discharge_time": 10.0,
    "squared_current_time": 18.0,
    "max_cell_temperature": 299.0,
    "negative_stoichiometry": 0.02,
    "positive_stoichiometry": 0.9,
}


@pytest.fixture(scope="module")
def raw():
    """Three equal cases, of which the last has failed."""
    works = np.array([1.0, 1.0, np.nan])
    results = {n: xr.Variable(("cycle", "case"), np.outer(v, works)) for n, v in PER_CYCLE.items()}
    return results | {name: xr.Variable("case", value * works) for name, value in PER_CASE.items()}


@pytest.fixture(scope="module")
def summary(raw):
    equipment = EQUIPMENT.values() | {"recovered": xr.Variable("recovered", [0.0, 1.0])}
    return summarise(raw, PROTOCOL, PROTOCOL.defaults(CELL), equipment)


def test_every_number_is_in_the_table_and_there_once(summary, raw):
    labelled = label(summary)  # refuses names that are not in the table
    assert set(raw) < set(summary)
    assert labelled["charge_energy"].sizes == {"cycle": 2, "case": 3}
    assert labelled["cycler_energy"].sizes == {"case": 3, "recovered": 2}
    assert labelled["chamber_energy"].sizes == {"case": 3}


def test_derived_numbers(summary):
    one = label(summary).isel(case=0, recovered=1)
    assert float(one["first_cycle_efficiency"]) == pytest.approx(4.9 / 5.8, rel=1e-14)
    np.testing.assert_allclose(one["energy_efficiency"], [17.8 / 21, 18 / 18.6], rtol=1e-14, atol=0)
    assert float(one["nominal_energy"]) == 18.0
    assert float(one["total_time"]) == pytest.approx(40 + 24 + 48 + 168, rel=1e-14)
    equipment = EQUIPMENT.values() | {"recovered": 1.0}
    cycler = cycler_energy(39.6, 35.8, 20.0, 10.0, 40.0, 18.0, 18.0, 4.95, equipment)
    halls = [("soak", 24.0, 313.15), ("ageing", 48.0, 313.15), ("ageing", 168.0, 295.15)]
    chamber = chamber_energy(298.15, 40.0, halls, 18.0, equipment)
    assert float(one["cycler_energy"]) == pytest.approx(cycler, rel=1e-13)
    assert float(one["chamber_energy"]) == pytest.approx(chamber, rel=1e-13)
    assert float(one["formation_energy"]) == pytest.approx(cycler + chamber, rel=1e-13)
    assert float(one["specific_formation_energy"]) == pytest.approx(
        (cycler + chamber) / 18.0, rel=1e-13
    )


def test_the_first_cycle_ends_with_the_first_full_discharge():
    """Shallow cycles before it, and a first charge in two cycles, are part of it."""
    raw = {
        "charge_capacity": [5.8, 1.4, 1.4, 5.0],
        "discharge_capacity": [1.3, 1.35, 4.9, 4.95],
        "charge_energy": [21.0, 5.0, 5.0, 18.6],
        "discharge_energy": [4.8, 4.9, 17.8, 18.0],
    }
    raw = {name: xr.Variable("cycle", values) for name, values in raw.items()}
    raw |= {name: xr.Variable((), value) for name, value in PER_CASE.items()}
    shallow = cm.load_protocol("fast-formation").with_variables(
        shallow_cycles=2, upper_voltage=4.2, lower_voltage=2.5
    )
    # down to the lower voltage, and below, the first discharge is a full one already
    cases = xr.Variable("case", [3.9, 2.51, 2.5, 2.4])
    values = shallow.defaults(CELL) | {"turning_voltage": cases}
    found = summarise(raw, shallow, values, EQUIPMENT.values())["first_cycle_efficiency"]
    put_in = 5.8 - 1.3 + 1.4 - 1.35 + 1.4 - 4.9 + 5.0
    expected = [4.95 / put_in, 4.95 / put_in, 1.3 / 5.8, 1.3 / 5.8]
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=0)


def test_a_failed_case_is_nan_and_spoils_no_other(summary):
    for variable in summary.values():
        missing = np.moveaxis(np.isnan(variable.values), variable.get_axis_num("case"), 0)
        assert missing[2].all()
        assert not missing[:2].any()


def test_a_cycle_without_charge_has_no_efficiency(raw):
    none = raw["charge_capacity"] * xr.Variable("cycle", [0, 1])
    result = summarise(
        raw | {"charge_capacity": none}, PROTOCOL, PROTOCOL.defaults(CELL), EQUIPMENT.values()
    )
    assert np.isnan(result["first_cycle_efficiency"]).all()


def test_cases_do_not_see_each_other():
    """numpy adds eight and more numbers pairwise if they lie in a row, but rows one by one."""
    rng = np.random.default_rng(6)
    raw = {name: xr.Variable(("cycle", "case"), rng.random((20, 5))) for name in PER_CYCLE}
    raw |= {name: xr.Variable("case", rng.random(5)) for name in PER_CASE}
    rest = PROTOCOL, PROTOCOL.defaults(CELL), EQUIPMENT.values()
    together = summarise(raw, *rest)
    for case in range(5):
        alone = summarise({n: v.isel(case=slice(case, case + 1)) for n, v in raw.items()}, *rest)
        for name, values in alone.items():
            np.testing.assert_array_equal(values, together[name].isel(case=slice(case, case + 1)))


def test_a_fast_formation_loses_no_three_quarters_of_its_charge():
    """The plant makes as many cells as they hold kWh, so this number moves every footprint."""
    cell = "nmc111-graphite-2360mah"
    formed = cm.sweep_formation(cell, "fast-formation", EQUIPMENT)
    ratio = formed.discharge_capacity[-1] / formed.charge_capacity[0]
    np.testing.assert_allclose(formed.first_cycle_efficiency, ratio, rtol=0.01, atol=0)
    assert formed.coulombic_efficiency[0] < 0.25
