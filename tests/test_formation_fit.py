"""Fits: what was put in is found again, and what cannot be known is named."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

import cellmodel as cm
from cellmodel.fit_parameter import read_box
from cellmodel.fit_problem import FitProblem
from cellmodel.measurements import read_measurements
from cellmodel.quantity import Quantity
from kernels.kinetics import FARADAY

RATE = "SEI reaction exchange current density [A.m-2]"
BARRIER = "Tunneling barrier factor [m-1]"
RADIUS = "Positive particle radius [m]"
FRACTION = "Positive electrode active material volume fraction"
WIDTH, HEIGHT = "Electrode width [m]", "Electrode height [m]"
CONDUCTIVITY = "Positive electrode conductivity [S.m-1]"
CASES = 14
TRUTH = {RATE: 2.0, BARRIER: 3.2e8, RADIUS: 4.5e-6}
BOUNDS = {RATE: (0.05, 50), BARRIER: (5e7, 2e9), RADIUS: (1e-6, 2e-5)}
NOISE = 0.002
INVENTORY = 6.0  # A h, from which measured lithium is counted down


def _protocols():
    rng = np.random.default_rng(11)
    return {
        "temperature": np.resize([288.15, 298.15, 318.15], CASES),
        "charge_rate": np.geomspace(0.03, 0.6, CASES),
        "discharge_rate": rng.permutation(np.geomspace(0.05, 0.8, CASES)),
        "rest_time": rng.uniform(0.5, 60, CASES),
    }


def _measured(cell, seed=0, noise=NOISE):
    over = {name: ("case", column) for name, column in _protocols().items()}
    formed = cm.sweep_formation(cell, "two-cycle", "laboratory-cycler", over=over)
    assert not formed["status"].any()
    scatter = 1 + noise * np.random.default_rng(seed).standard_normal((3, CASES))
    first = formed.isel(cycle=0)
    units = {"temperature": "K", "charge_rate": "C", "discharge_rate": "C", "rest_time": "h"}
    return pd.DataFrame(
        {f"{name} [{units[name]}]": column for name, column in _protocols().items()}
        | {
            "first_charge_capacity [A h]": first["charge_capacity"].values * scatter[0],
            "first_discharge_capacity [A h]": first["discharge_capacity"].values * scatter[1],
            "lithium_inventory [A h]": INVENTORY - formed["lithium_loss"].values * scatter[2],
        }
    )


@pytest.fixture(scope="module")
def cell():
    return cm.load_cell("nmc532-graphite")


@pytest.fixture(scope="module")
def table(cell):
    return _measured(cell.replace_parameters(TRUTH))


@pytest.fixture(scope="module")
def fit(cell, table):
    return cm.fit_formation(cell, "two-cycle", table, BOUNDS, starts=3, source="a simulation")


# what is found


def test_what_was_put_in_lies_in_the_intervals(fit):
    for name, truth in TRUTH.items():
        row = fit.parameters.sel(input=name)
        assert row["interval_low"] < truth < row["interval_high"]
        # and they are narrow, of ranges of a factor 20 to 1000
        assert row["interval_high"] / row["interval_low"] < 3
        assert not row["at_bound"]
    assert fit.parameters["unit"].values.tolist() == ["A.m-2", "m-1", "m"]


def test_residuals_are_what_the_fitted_cell_leaves(fit, table):
    over = {name: ("case", column) for name, column in _protocols().items()}
    formed = cm.sweep_formation(fit.cell, "two-cycle", "laboratory-cycler", over=over)
    simulated = fit.residuals.sel(comparison="simulated")
    for name, way in (
        ("first_charge_capacity", "charge"),
        ("first_discharge_capacity", "discharge"),
    ):
        expected = formed[f"{way}_capacity"].isel(cycle=0)
        # one cell goes through PyBaMM's numbers, the other through the sweep's
        np.testing.assert_allclose(simulated[name], expected, rtol=1e-6, atol=0)
        away = fit.residuals.sel(comparison="difference")[name].values
        np.testing.assert_allclose(away, simulated[name] - table[f"{name} [A h]"], rtol=1e-9)
        np.testing.assert_allclose(fit.rmse[name], np.sqrt((away**2).mean()), rtol=1e-12)
    # up to the constant, chosen so that nothing is left on average
    np.testing.assert_allclose(
        simulated["lithium_inventory"] + formed["lithium_loss"], INVENTORY, rtol=1e-3
    )
    left = fit.residuals["lithium_inventory"].sel(comparison="difference")
    assert abs(left.mean()) < 1e-9
    assert fit.residuals["charge_rate"].attrs["units"] == "h-1"
    assert fit.rmse["first_charge_capacity"].attrs["units"] == "A h"


def test_what_is_left_is_the_noise(fit, table):
    for name in ("first_charge_capacity", "first_discharge_capacity"):
        noise = NOISE * table[f"{name} [A h]"].mean()
        assert 0.5 * noise < fit.rmse[name] < 1.5 * noise


def test_the_fitted_cell_says_where_its_numbers_come_from(fit, cell, tmp_path):
    assert fit.cell.name == "nmc532-graphite-fitted"
    for name in TRUTH:
        quantity, row = fit.cell.parameters[name], fit.parameters.sel(input=name)
        assert quantity.value == row["fitted_value"]
        assert (quantity.low, quantity.high) == (row["interval_low"], row["interval_high"])
        assert quantity.source.startswith(
            "fitted to first_charge_capacity, first_discharge_capacity, lithium_inventory of 14 "
            "formations under two-cycle (fit_formation); a simulation"
        )
        assert quantity.certainty == "fitted"
    others = {n: q for n, q in fit.cell.parameters.items() if n not in TRUTH}
    assert others == {n: q for n, q in cell.parameters.items() if n not in TRUTH}
    assert fit.cell.source.startswith(f"{cell.source}; fitted to first_charge_capacity, ")
    assert cm.load_cell(cm.save_cell(fit.cell, tmp_path / "fitted.toml")) == fit.cell


def test_a_fit_is_not_undone_by_what_the_cell_was_calibrated_to_before(fit, cell, tmp_path):
    """One efficiency of another cell: after the fit it is neither measured nor met."""
    target = cell.first_cycle_efficiency
    fitted = cm.load_cell(cm.save_cell(fit.cell, tmp_path / "fitted.toml"))
    assert target.source not in {row[3] for row in fitted.provenance()}
    given = {"protocol": "two-cycle", "efficiency": target.value, "parameter": RATE}
    for lacking in given:
        some = {name: value for name, value in given.items() if name != lacking}
        with pytest.raises(cm.InputError, match=r"fitted' was calibrated to no eff.*; pass proto"):
            cm.calibrate_sei(fitted, **some)
    again = cm.calibrate_sei(fitted, **given)
    assert again.parameter(RATE) != pytest.approx(fitted.parameter(RATE), rel=0.01)
    assert again.parameters[RATE].source.endswith("'two-cycle'; set by the user")


def test_a_fit_is_frozen_and_repeatable(fit, cell, table):
    with pytest.raises(dataclasses.FrozenInstanceError):
        fit.cell = cell
    done = []
    again = cm.fit_formation(
        cell, "two-cycle", table, BOUNDS, starts=3, progress=lambda *at: done.append(at)
    )
    assert again.parameters.identical(fit.parameters)
    assert again.costs == fit.costs
    assert list(fit.costs) == sorted(fit.costs)
    assert done == [(1, 3), (2, 3), (3, 3)]


def test_all_starts_find_one_minimum(fit):
    np.testing.assert_allclose(fit.costs, fit.costs[0], rtol=0.01, atol=0)


def test_intervals_shrink_with_the_noise(fit, cell):
    quiet = _measured(cell.replace_parameters(TRUTH), noise=NOISE / 10)
    found = cm.fit_formation(cell, "two-cycle", quiet, BOUNDS, starts=1)
    ratio = found.parameters["standard_error"] / fit.parameters["standard_error"]
    np.testing.assert_allclose(ratio, 0.1, rtol=0.3, atol=0)


def test_the_fresh_cell_can_be_fitted(cell):
    truth = dataclasses.replace(
        cell, positive_stoichiometry=Quantity(0.965, "1", "x")
    ).replace_parameters({FRACTION: 0.44})
    found = cm.fit_formation(
        cell,
        "two-cycle",
        _measured(truth),
        {"positive_stoichiometry": (0.9, 0.98), FRACTION: (0.35, 0.55)},
        starts=1,
    )
    quantity = found.cell.positive_stoichiometry
    assert quantity.low < 0.965 < quantity.high
    assert quantity.certainty == "fitted"
    assert found.cell.parameters[FRACTION].value == pytest.approx(0.44, rel=0.02)
    assert found.cell.negative_stoichiometry == cell.negative_stoichiometry


# what cannot be known


def test_two_numbers_that_only_their_product_matters_of_are_named(cell, table, caplog):
    found = cm.fit_formation(
        cell, "two-cycle", table, {WIDTH: (0.1, 0.4), HEIGHT: (0.5, 2)}, starts=2
    )
    assert found.correlation.sel(input=WIDTH, input_other=HEIGHT) < -0.99
    for name, other in ((WIDTH, HEIGHT), (HEIGHT, WIDTH)):
        reasons = found.unidentifiable[name]
        assert any(reason.startswith(f"known only together with '{other}'") for reason in reasons)
        assert any("interval spans" in reason for reason in reasons)
        assert "not identifiable: known only together" in found.cell.parameters[name].source
        assert f"{name}: " in str(found).partition("not identifiable")[2]
    assert f"not identifiable from these measurements: {WIDTH}, {HEIGHT}; print(" in caplog.text
    area = np.prod([found.cell.parameters[name].value for name in (WIDTH, HEIGHT)])
    assert area == pytest.approx(cell.parameter(WIDTH) * cell.parameter(HEIGHT), rel=0.02)


def test_a_number_without_influence_is_named(cell, table):
    free = {**BOUNDS, CONDUCTIVITY: (50, 500)}
    found = cm.fit_formation(cell, "two-cycle", table, free, starts=1)
    assert any("interval spans 100 %" in why for why in found.unidentifiable[CONDUCTIVITY])
    quantity = found.cell.parameters[CONDUCTIVITY]
    assert (quantity.low, quantity.high) == (50, 500)
    given = cm.Parameter(50, 500, prior_mean=200, prior_sd=0.1)
    found = cm.fit_formation(cell, "two-cycle", table, {CONDUCTIVITY: given}, starts=1)
    assert found.unidentifiable[CONDUCTIVITY] == (
        "the prior decides, the measurements add nothing",
    )
    assert found.cell.parameters[CONDUCTIVITY].value == pytest.approx(200, rel=0.02)


def test_a_value_at_a_bound_is_named(cell, table):
    found = cm.fit_formation(cell, "two-cycle", table, BOUNDS | {RADIUS: (1e-6, 2e-6)}, starts=1)
    assert found.parameters["at_bound"].sel(input=RADIUS)
    assert "the value lies at an end of its range" in found.unidentifiable[RADIUS]


def test_an_interval_beyond_the_range_is_named(cell, table):
    """The table does not say where the value ends, the bound does."""
    found = cm.fit_formation(cell, "two-cycle", table, BOUNDS | {RATE: (1.7, 50)}, starts=1)
    row = found.parameters.sel(input=RATE)
    assert row["interval_low"] == 1.7
    assert not row["at_bound"]
    assert "the 95 % interval reaches beyond the range" in found.unidentifiable[RATE]


def test_a_fit_reads_well(fit):
    text = str(fit)
    assert text.startswith("nmc532-graphite-fitted: 14 cases\n")
    rmse = float(fit.rmse["first_charge_capacity"])
    assert f"\n  first_charge_capacity [A h]: {rmse:.4g}\n" in text
    for name, value in zip(
        fit.parameters["input"].values, fit.parameters["fitted_value"], strict=1
    ):
        assert f"{name}: {float(value):.4g}, 95 % between" in text


def test_what_was_not_measured_does_not_count(cell, table):
    """An empty entry weighs what one without any accuracy weighs: nothing."""
    head = "lithium_inventory"
    gaps = [2, 9]
    empty, vague = table.copy(), table.assign(**{f"{head}_sd [A h]": 0.05})
    empty.loc[gaps, f"{head} [A h]"] = np.nan
    vague.loc[gaps, f"{head}_sd [A h]"] = 1e9
    sd = {head: 0.05}
    found, expected = (
        cm.fit_formation(cell, "two-cycle", one, {RATE: (0.05, 50)}, starts=1, **given)
        for one, given in ((empty, {"standard_deviations": sd}), (vague, {}))
    )
    np.testing.assert_allclose(
        found.parameters["fitted_value"], expected.parameters["fitted_value"], rtol=1e-9, atol=0
    )
    away = found.residuals[head].sel(comparison="difference")
    assert away.isnull().sum() == len(gaps)
    np.testing.assert_allclose(found.rmse[head], np.sqrt((away**2).mean()), rtol=1e-12, atol=0)
    # two numbers fewer tell of the scatter
    freedom = 3 * CASES - 2
    ratio = found.parameters["standard_error"] / expected.parameters["standard_error"]
    np.testing.assert_allclose(ratio**2, freedom / (freedom - 2), rtol=1e-6, atol=0)


# cross-validation


def test_what_is_left_out_is_predicted_by_a_fit_of_the_rest(cell, table):
    columns = ["first_charge_capacity [A h]", "first_discharge_capacity [A h]"]
    settings = table[[c for c in table if c not in (*columns, "lithium_inventory [A h]")]]
    table = pd.concat([settings, table[columns]], axis=1)
    found = cm.fit_formation(
        cell, "two-cycle", table, BOUNDS, starts=1, cross_validate="temperature"
    )
    hot = table["temperature [K]"].to_numpy() == 318.15
    rest = cm.fit_formation(cell, "two-cycle", table[~hot], BOUNDS, starts=3)
    over = {name: ("case", column[hot]) for name, column in _protocols().items()}
    formed = cm.sweep_formation(rest.cell, "two-cycle", "laboratory-cycler", over=over)
    predicted = found.cross_validation["first_charge_capacity"].sel(comparison="predicted")
    expected = formed["charge_capacity"].isel(cycle=0)
    np.testing.assert_allclose(predicted[hot], expected, rtol=1e-3, atol=0)
    away = found.cross_validation["first_charge_capacity"].sel(comparison="difference")
    np.testing.assert_allclose(
        found.cross_validated_rmse["first_charge_capacity"], np.sqrt((away**2).mean()), rtol=1e-12
    )
    assert ", of cases not seen 0.0" in str(found)


def test_an_outlier_is_not_seen_by_its_own_prediction(cell):
    """A row that is left out cannot pull its own prediction; in the fit itself it does."""
    exact = _measured(cell.replace_parameters({RATE: 2.0}), noise=0).iloc[:6]
    outcome = "first_discharge_capacity"
    wrong = exact.copy()
    wrong.loc[3, f"{outcome} [A h]"] *= 0.9
    done = []
    found = cm.fit_formation(
        cell,
        "two-cycle",
        wrong,
        {RATE: (0.05, 50)},
        starts=1,
        fold_starts=1,
        cross_validate="protocol",
        progress=lambda *at: done.append(at),
    )
    truth = exact[f"{outcome} [A h]"][3]
    own = found.residuals[outcome].sel(comparison="simulated", case=3)
    unseen = found.cross_validation[outcome].sel(comparison="predicted", case=3)
    assert abs(own - truth) > 1e-3
    assert abs(unseen - truth) < 1e-5
    assert done[-1] == (7, 7)


# a cell as it is


def test_a_table_is_compared_with_what_the_cell_gives():
    """Protocols of several lengths in one table; nothing is fitted, no constant either."""
    table = pd.DataFrame(
        {
            "temperature [K]": [298.15, 318.15, 308.15],
            "charge_current_1 [A]": [0.0264, 0.31, 0.1],
            "verification_cycles": [2, 1, 0],
            "first_charge_capacity [A h]": [0.3, 0.33, 0.31],
            "first_cycle_efficiency": [0.83, 0.75, np.nan],
            "lithium_inventory [A h]": [0.289, 0.272, 0.285],
        }
    )
    name = "nmc532-graphite-240mah"
    found = cm.compare_formation(name, "two-stage-charge", table)
    for case in range(3):
        protocol = cm.load_protocol("two-stage-charge").with_variables(
            temperature=table["temperature [K]"][case],
            charge_current_1=table["charge_current_1 [A]"][case],
            verification_cycles=table["verification_cycles"][case],
        )
        formed = cm.sweep_formation(name, protocol, "laboratory-cycler")
        one = found.sel(case=case, comparison="simulated")
        for outcome, expected in (
            ("first_charge_capacity", formed.charge_capacity[0]),
            ("first_cycle_efficiency", formed.first_cycle_efficiency),
            ("lithium_inventory", formed.lithium_inventory),
        ):
            np.testing.assert_allclose(one[outcome], expected, rtol=1e-12, atol=0)
    away = found.sel(comparison="difference", case=2)
    np.testing.assert_allclose(
        away.first_charge_capacity,
        found.first_charge_capacity.sel(comparison="simulated", case=2) - 0.31,
        rtol=1e-12, atol=0,
    )  # fmt: skip
    assert np.isnan(away.first_cycle_efficiency)


# the problem


def test_outcomes_are_those_of_the_sweep(cell):
    table = _measured(cell).drop(columns="lithium_inventory [A h]")
    table["protocol"] = np.resize(["two-cycle", "three-cycle"], CASES)
    table["lithium_loss [A h]"] = table["nominal_energy [W h]"] = 1.0
    table["first_cycle_efficiency"] = 0.9
    read = read_measurements(table, ["two-cycle", "three-cycle"])
    problem = FitProblem(cell, read, read_box({RATE: (0.05, 50), RADIUS: (1e-6, 2e-5)}))
    vectors = np.array([[1.0, 3e-6], [3.0, 5e-6], [1.0, 5e-6]])
    found = problem.outcomes(vectors)
    for place, name in enumerate(("two-cycle", "three-cycle")):
        over = {key: ("case", column[place::2]) for key, column in _protocols().items()}
        over |= {RATE: ("vector", vectors[:, 0]), RADIUS: ("vector", vectors[:, 1])}
        formed = cm.sweep_formation(cell, name, "laboratory-cycler", over=over)
        for index, outcome in enumerate(read.outcomes):
            per_cycle = outcome.removeprefix("first_")
            if per_cycle in ("charge_capacity", "discharge_capacity"):
                expected = formed[per_cycle].isel(cycle=0)
            else:
                expected = formed[outcome]
            np.testing.assert_array_equal(found[:, index, place::2], expected.T)


def test_the_inventory_is_the_lithium_in_the_particles(cell):
    """Lithium is conserved: what the fresh cell held and did not lose is in the formed one."""
    origin = 0.3
    read = read_measurements(_measured(cell), "two-cycle")
    free = {FRACTION: (0.3, 0.5), "positive_stoichiometry": (0.9, 0.98)}
    problem = FitProblem(cell, read, read_box(free), inventory_origin=origin)
    found = problem.outcomes(np.array([[0.42, 0.95]]))[0, 2]
    changed = dataclasses.replace(
        cell, positive_stoichiometry=Quantity(0.95, "1", "x")
    ).replace_parameters({FRACTION: 0.42})
    over = {name: ("case", column) for name, column in _protocols().items()}
    formed = cm.sweep_formation(changed, "two-cycle", "laboratory-cycler", over=over)

    def capacity(side):
        Side = side.capitalize()
        names = (
            f"{Side} electrode thickness [m]",
            f"{Side} electrode active material volume fraction",
            f"Maximum concentration in {side} electrode [mol.m-3]",
            WIDTH,
            HEIGHT,
            "Number of electrodes connected in parallel to make a cell",
        )
        return np.prod([changed.parameter(name) for name in names]) * FARADAY / 3600

    held = formed["negative_stoichiometry"] * capacity("negative")
    held = held + (formed["positive_stoichiometry"] - origin) * capacity("positive")
    np.testing.assert_allclose(found, held, rtol=1e-6, atol=0)


# bad input


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"parameters": {"Positive particle radios [m]": (1e-6, 1e-5)}},
            "Positive particle radius",
        ),
        ({"parameters": {"Negative current collector density [kg.m-3]": "x"}}, "low, high"),
        ({"parameters": {"Plated lithium density": (1, 2)}}, "unknown parameter"),
        ({"cell": "nmc532-grafite"}, "unknown cell"),
        ({"protocol": "two-cycles"}, "unknown protocol"),
        ({"starts": 0}, "starts must be a whole number of at least 1, got 0"),
        ({"iterations": 1.5}, "iterations must be a whole number of at least 1, got 1.5"),
        ({"fold_starts": True}, "fold_starts must be a whole number"),
        ({"seed": -1}, "seed must be a whole number of at least 0, got -1"),
        ({"inventory_origin": 1.5}, "inventory_origin must be between 0 and 1, got 1.5"),
        ({"cross_validate": "temprature"}, "unknown column to cross-validate by 'temprature'"),
        (
            {"parameters": {"Open-circuit voltage at 0% SOC [V]": (2, 3)}},
            "unknown parameter that the kernels take",
        ),
    ],
)
def test_wrong_input_is_refused_before_anything_is_simulated(table, monkeypatch, change, message):
    monkeypatch.setattr(FitProblem, "outcomes", lambda *_: pytest.fail("it was simulated"))
    arguments = {"cell": "nmc532-graphite", "protocol": "two-cycle", "parameters": BOUNDS} | change
    with pytest.raises(cm.InputError, match=message):
        cm.fit_formation(measurements=table, **arguments)


def test_more_must_be_measured_than_is_fitted(cell, table):
    with pytest.raises(cm.InputError, match="3 parameters cannot be fitted to 1 cases of 3 outco"):
        cm.fit_formation(cell, "two-cycle", table.iloc[:1], BOUNDS)
    with pytest.raises(cm.InputError, match="3 parameters cannot be fitted to 1 cases of 3 outco"):
        cm.fit_formation(cell, "two-cycle", table.iloc[:2], BOUNDS, cross_validate="protocol")


def test_a_case_that_nothing_within_the_bounds_can_run_is_named(cell, table):
    labels = {"case": [f"run {row}" for row in range(CASES)], "upper_voltage [V]": 4.2}
    table = table.assign(**labels)
    table.loc[4, "upper_voltage [V]"] = 4.6  # more than the negative electrode can take
    with pytest.raises(cm.InputError, match=r"first fails at case run 4: .*narrow the bounds"):
        cm.fit_formation(cell, "two-cycle", table, {RADIUS: (1e-6, 5e-6)}, starts=1)
