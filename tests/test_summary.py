"""The summary table, from raw results made up by hand."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import cellmodel as cm
from cellmodel.design_space import DesignSpace
from cellmodel.summary import summarise
from cellmodel.variables import VARIABLES
from cellmodel.wall import chamber_energy, cycler_energy

THICKNESS = "Positive electrode thickness [m]"
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
def space():
    return DesignSpace(
        cm.load_cell("nmc811-graphite-siox"),
        cm.load_protocol("two-cycle"),
        cm.load_equipment("regenerative-cycler"),
        {"charge_rate": [0.1, 0.2], THICKNESS: [70e-6, 75e-6, 80e-6], "recovered": [0.0, 1.0]},
    )


@pytest.fixture(scope="module")
def raw(space):
    shape = space.kernel_shape
    dims = space.kernel_dims
    status = np.zeros(shape, dtype=np.int8)
    status[1, 2] = 3
    arrays = {name: ((*dims, "cycle"), np.tile(v, (*shape, 1))) for name, v in PER_CYCLE.items()}
    arrays |= {name: (dims, np.full(shape, value)) for name, value in PER_CASE.items()}
    return xr.Dataset(arrays | {"status": (dims, status)}, coords={"cycle": [0, 1], **space.coords})


@pytest.fixture(scope="module")
def summary(space, raw):
    return summarise(
        raw,
        space.cell,
        space.protocol,
        space.protocol_values,
        space.equipment_values,
        space.parameters,
    )


def test_every_number_of_the_table_is_there_once(summary, space):
    assert set(summary.data_vars) <= set(VARIABLES)
    for name, variable in summary.data_vars.items():
        assert variable.attrs["long_name"] == VARIABLES[name].long_name
        assert variable.attrs.get("units", "") == VARIABLES[name].units
    assert summary["charge_energy"].dims == (*space.kernel_dims, "cycle")
    assert summary["cycler_energy"].sizes == space.dims
    assert set(summary["component_mass"].dims) == {"component", "positive_electrode_thickness"}
    assert summary["recovered"].attrs["units"] == "1"


def test_derived_numbers(summary, space):
    one = summary.isel(charge_rate=0, positive_electrode_thickness=0, recovered=1)
    assert float(one["first_cycle_efficiency"]) == pytest.approx(4.9 / 5.8, rel=1e-14)
    np.testing.assert_allclose(one["energy_efficiency"], [17.8 / 21, 18 / 18.6], rtol=1e-14, atol=0)
    assert float(one["nominal_energy"]) == 18.0
    assert float(one["total_time"]) == pytest.approx(40 + 24 + 48 + 168, rel=1e-14)
    equipment = space.equipment.values() | {"recovered": 1.0}
    cycler = cycler_energy(39.6, 35.8, 20.0, 10.0, 40.0, 18.0, 18.0, 4.95, equipment)
    halls = [("soak", 24.0, 313.15), ("ageing", 48.0, 313.15), ("ageing", 168.0, 295.15)]
    chamber = chamber_energy(298.15, 40.0, halls, 18.0, equipment)
    assert float(one["cycler_energy"]) == pytest.approx(cycler, rel=1e-13)
    assert float(one["chamber_energy"]) == pytest.approx(chamber, rel=1e-13)
    assert float(one["formation_energy"]) == pytest.approx(cycler + chamber, rel=1e-13)
    assert float(one["specific_formation_energy"]) == pytest.approx(
        (cycler + chamber) / 18.0, rel=1e-13
    )


def test_a_failed_case_is_nan_and_spoils_no_other(summary):
    failed = summary["status"] != 0
    assert int(failed.sum()) == 1
    simulated = summary.drop_vars(["status", "component_mass"])
    for variable in simulated.data_vars.values():
        assert bool(variable.isnull().where(failed, ~variable.isnull()).all())


def test_a_cycle_without_charge_has_no_efficiency(space, raw):
    discharge_only = raw.assign(charge_capacity=raw["charge_capacity"] * [0, 1])
    result = summarise(
        discharge_only,
        space.cell,
        space.protocol,
        space.protocol_values,
        space.equipment_values,
        space.parameters,
    )
    assert bool(result["first_cycle_efficiency"].isnull().all())
