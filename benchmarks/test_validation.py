"""The validation script in small: measurements made by the kernels are met and found again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from validation import (
    BEFORE_HOLD,
    CELL,
    DEVIATIONS,
    EFFICIENCY,
    FITTED,
    HOLD,
    OUTCOMES,
    PROTOCOL,
    SHIPPED,
    Setting,
    fitted,
    parameter_table,
    read,
    score_table,
    scores,
    simulated,
    uninferred,
    validation,
)

import cellmodel as cm

SHUTTLE, HEALING = "Shuttle current density [A.m-2]", "Unpassivated surface healing time [s]"
#: temperature [degC], first current [A], transition voltage [V], second current [A]: slow and fast
RUNS = [(25, 0.05, 3.7, 0.03), (25, 0.2, 3.8, 0.4), (45, 0.1, 3.8, 0.05), (45, 0.4, 3.7, 0.5)]


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    """What the shipped cell would have given in a campaign of four protocols."""
    celsius, first, transition, second = np.array(RUNS).T
    runs = {
        "temperature": ("case", celsius + 273.15),
        "charge_current_1": ("case", first),
        "transition_voltage": ("case", transition),
        "charge_current_2": ("case", second),
    }
    protocol = cm.load_protocol(PROTOCOL).with_variables(verification_cycles=1)
    formed, before = (
        cm.sweep_formation(
            CELL, protocol.with_variables(hold_time=hours), "laboratory-cycler", over=runs
        )
        for hours in (1.0, BEFORE_HOLD)
    )
    charge, discharge = (
        formed[f"{way}_capacity"].isel(cycle=0).values for way in ("charge", "discharge")
    )
    path = tmp_path_factory.mktemp("campaign") / "measured.csv"
    pd.DataFrame(
        {
            "temperature_degC": celsius,
            "charge_current_1_A": first,
            "transition_voltage_V": transition,
            "charge_current_2_A": second,
            "upper_voltage_V": 4.4,
            "hold_h": 1,
            "discharge_current_A": 0.048,
            "verification_cycles": 1,
            "first_charge_Ah": charge,
            "cv_hold_charge_Ah": charge - before["charge_capacity"].isel(cycle=0).values,
            "first_discharge_Ah": discharge,
            "first_cycle_efficiency": discharge / charge,
            "fitted_lithium_inventory_mAh": 1000 * formed["lithium_inventory"].values,
            "first_cycle_efficiency_sd": 0.009,
            "cells": 9,
        }
    ).to_csv(path, index=False)
    return read(path)


@pytest.fixture(scope="module")
def two():
    """A fit of two of the parameters, which have no priors."""
    return Setting({name: FITTED[name][0] for name in (SHUTTLE, HEALING)}, DEVIATIONS)


@pytest.fixture(scope="module")
def fit(campaign, two):
    return fitted(campaign, two, starts=1)


def test_the_shipped_cell_meets_its_own_measurements(campaign):
    assert (campaign[HOLD] > 0.001).all()
    np.testing.assert_allclose(simulated(CELL, campaign), campaign[OUTCOMES], rtol=1e-6)


def test_a_fit_from_the_middle_of_the_ranges_finds_what_went_in(fit, two):
    found = dict(zip(two.parameters, fit.parameters["fitted_value"].values, strict=True))
    cell = cm.load_cell(CELL)
    for name, entry in two.parameters.items():
        assert abs(entry.start / cell.parameter(name) - 1) > 0.05  # not where it starts
        np.testing.assert_allclose(found[name], cell.parameter(name), rtol=1e-3)


def test_what_was_left_out_is_predicted_and_a_mean_is_no_prediction(campaign, fit, two):
    found = validation(campaign, fit, {"": two}, starts=1)
    for what in ("each protocol left out in turn", "45 °C from the other temperature"):
        assert found[what]["all"] < 0.05
        assert found[what]["rank"] == pytest.approx(1)
    assert found["mean of the other protocols"]["all"] > 5
    assert found["replicates: scatter of single cells"]["fast"] == pytest.approx(0.9)
    assert found["replicates: noise of their means"]["fast"] == pytest.approx(0.3)
    text = score_table(found)
    assert [line.count("|") for line in text.split("\n")] == [10] * (len(found) + 2)


def test_scores_count_slow_and_fast_protocols_apart(campaign):
    away = pd.DataFrame({EFFICIENCY: [0.01, 0.03, 0.01, 0.03]})
    found = scores(away, campaign)
    assert found == pytest.approx({"all": np.sqrt(5), "slow": 1, "fast": 3})


def test_every_parameter_of_the_shipped_fit_is_stated():
    cell = cm.load_cell(CELL)
    shipped = {name for name, entry in cell.parameters.items() if entry.certainty == "fitted"}
    assert set(FITTED) == shipped | {"positive_stoichiometry"}
    for name, (entry, why) in FITTED.items():
        value = cell.positive_stoichiometry if name not in shipped else cell.parameters[name]
        assert entry.low < value.low < value.high < entry.high
        assert why


def test_fitted_numbers_stand_beside_the_shipped_ones(campaign):
    text = parameter_table(fitted(campaign, SHIPPED, starts=1))
    assert text.count("\n") == len(FITTED) + 1
    assert "| 400 to 1200 |  | 774 | " in text


def test_without_what_was_inferred_recorded_priors_stay(campaign):
    setting = uninferred(campaign)
    kept = {name for name, entry in setting.parameters.items() if entry.prior_mean is not None}
    assert kept == {name for name in FITTED if name.endswith("energy [J.mol-1]")}
    assert setting.deviations[EFFICIENCY] == pytest.approx(0.01 * campaign[EFFICIENCY].mean())
