"""Foreground inventory: its structure, its CSV, and the score that brightway finds for it."""

from __future__ import annotations

import csv
import dataclasses
import warnings

import numpy as np
import pytest
import xarray as xr
from test_footprint import make_formed

import cellmodel as cm
from cellmodel.errors import InputError

DATABASE = "cellmodel"
EMISSION = (DATABASE, "co2-equivalent")
OWN = """name,region,value,unit,source
electricity-contract,FR,0.02,kg kWh-1,contract
electricity-residual,FR,0.09,kg kWh-1,residual
copper-foil,,5,kg kg-1,supplier
"""
VARIANTS = {
    "default": {},
    "cff": {
        "rules": "capacity-cff",
        "recycled_content": {"nickel-sulphate": 0.3, "copper-cathode": 0.5},
    },
    "avoided": {"rules": "capacity-avoided"},
    "draft": {"rules": "eu-draft-2024", "recycled_content": {"aluminium-primary": 0.4}},
    "delivered": {"rules": "delivered-cutoff"},
    "cut": {"rules": cm.load_rules("capacity-cutoff").replace(cutoff_criterion=0.01)},
    "cut credits": {
        "rules": cm.load_rules("capacity-avoided").replace(cutoff_criterion=0.09),
        "waste_loop": "annex-xii-2031",
    },
    "loop": {
        "rules": "capacity-cff",
        "waste_loop": "annex-xii-2031",
        "recycled_content": {"nickel-sulphate": 0.3},
    },
    "market": {
        "rules": "capacity-market",
        "onsite_share": 0.1,
        "contract_share": {"FR": 0.5},
        "factors": True,
    },
}


@pytest.fixture(params=VARIANTS)
def case(request, tmp_path):
    """Formed cell and arguments, of `footprint` and of `foreground`."""
    arguments = dict(VARIANTS[request.param])
    if "factors" in arguments:
        arguments["factors"] = tmp_path / "own.csv"
        arguments["factors"].write_text(OWN)
    formed = make_formed().assign(delivered_energy=xr.DataArray(16.0))
    return formed, {"sites": ["FR", "CN"], **arguments}


def solve(activities, demand):
    """Emissions per unit of an activity [kg], by walking the exchanges: a second way to sum."""
    total = 0.0
    for exchange in activities[demand]["exchanges"]:
        if exchange["type"] == "biosphere":
            total += exchange["amount"]
        elif exchange["type"] == "technosphere":
            total += exchange["amount"] * solve(activities, exchange["input"])
    return total


def test_every_exchange_has_its_activity_and_every_activity_one_product(case):
    formed, arguments = case
    activities = cm.foreground(formed, **arguments)
    assert activities[EMISSION]["type"] == "emission"
    for key, activity in activities.items():
        assert {"name", "unit", "type", "exchanges"} <= set(activity)
        made = [e for e in activity["exchanges"] if e["type"] == "production"]
        assert [e["input"] for e in made] == ([] if key == EMISSION else [key])
        for exchange in activity["exchanges"]:
            assert exchange["input"] in activities
            assert np.isfinite(exchange["amount"])
            assert exchange["unit"] == activities[exchange["input"]]["unit"]


def test_the_inventory_adds_up_to_the_footprint(case):
    formed, arguments = case
    activities = cm.foreground(formed, **arguments)
    result = cm.footprint(formed, **arguments)
    for site in arguments["sites"]:
        score = solve(activities, (DATABASE, f"battery-cell {site}"))
        np.testing.assert_allclose(
            score, result["carbon_footprint_total"].sel(site=site), rtol=1e-12, atol=0
        )


def test_stages_and_components_of_the_exchanges_are_those_of_the_footprint(case):
    formed, arguments = case
    activities = cm.foreground(formed, **arguments)
    detail = cm.footprint(formed, **arguments)["carbon_footprint"].sel(site="FR")
    found = xr.zeros_like(detail)
    for exchange in activities[DATABASE, "battery-cell FR"]["exchanges"][1:]:
        place = {"stage": exchange["stage"], "component": exchange["component"]}
        found.loc[place] += exchange["amount"] * solve(activities, exchange["input"])
    np.testing.assert_allclose(found, detail, rtol=1e-11, atol=1e-15)


def test_csv_holds_every_exchange_with_all_digits(tmp_path):
    activities = cm.foreground(make_formed(), sites="PL")
    path = tmp_path / "foreground.csv"
    cm.write_foreground(activities, path)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    amounts = [e["amount"] for a in activities.values() for e in a["exchanges"]]
    assert [float(row["amount"]) for row in rows] == amounts
    cathode = next(row for row in rows if row["component"] == "positive_active_material")
    assert (cathode["input"], cathode["unit"]) == ("nmc811 GLO", "kilogram")
    assert "Kelly et al. 2021" in next(r["comment"] for r in rows if r["activity"] == "nmc811 GLO")


def test_what_is_no_single_case_is_refused():
    energy = xr.DataArray([17.0, 18.0], dims="case")
    with pytest.raises(InputError, match=r"a single case, got the dimensions .*'case': 2"):
        cm.foreground(make_formed(energy=energy))
    with pytest.raises(InputError, match="could not be solved, see status"):
        cm.foreground(make_formed(status=3))
    with pytest.raises(InputError, match="rules must be a single rule set"):
        cm.foreground(make_formed(), rules=["capacity-cff", "capacity-cutoff"])
    with pytest.raises(InputError, match="database must be a name"):
        cm.foreground(make_formed(), database="")


@dataclasses.dataclass(frozen=True)
class Brightway:
    """The modules of brightway, working in a folder of this test."""

    data: object
    calc: object
    processing: object

    def exchanges(self):
        """(row, column, amount, kind) of all exchanges, as the database holds them."""
        for activity in self.data.Database(DATABASE):
            for exchange in activity.exchanges():
                yield exchange.input.id, activity.id, exchange["amount"], exchange["type"]

    def double(self):
        """The database in double precision; what brightway processes itself is in single."""
        package = self.processing.create_datapackage()
        rows = list(self.exchanges())
        for matrix, kinds in (
            ("technosphere_matrix", ("production", "technosphere")),
            ("biosphere_matrix", ("biosphere",)),
        ):
            chosen = [row for row in rows if row[3] in kinds]
            package.add_persistent_vector(
                matrix=matrix,
                indices_array=np.array(
                    [row[:2] for row in chosen], dtype=self.processing.INDICES_DTYPE
                ),
                data_array=np.array([row[2] for row in chosen]),
                flip_array=np.array([row[3] == "technosphere" for row in chosen]),
            )
        emission = self.data.get_node(database=DATABASE, code=EMISSION[1]).id
        package.add_persistent_vector(
            matrix="characterization_matrix",
            indices_array=np.array([(emission, emission)], dtype=self.processing.INDICES_DTYPE),
            data_array=np.array([1.0]),
        )
        return package


@pytest.fixture
def brightway(tmp_path, monkeypatch):
    folder = tmp_path / "brightway"
    folder.mkdir()
    monkeypatch.setenv("BRIGHTWAY2_DIR", str(folder))
    with warnings.catch_warnings():
        # a hint, at import, that a faster solver could be installed
        warnings.filterwarnings("ignore", message=r"\s*It seems like you have an AMD/INTEL")
        data = pytest.importorskip("bw2data", exc_type=ImportError)
        calc = pytest.importorskip("bw2calc", exc_type=ImportError)
        import bw_processing
    data.projects.change_base_directories(base_dir=folder, project_name="test", update=False)
    assert str(data.projects.dir).startswith(str(folder))
    return Brightway(data, calc, bw_processing)


def test_brightway_finds_the_same_score(case, brightway):
    """To 1e-9 in double precision, and to what single precision leaves by its own way."""
    formed, arguments = case
    brightway.data.Database(DATABASE).write(cm.foreground(formed, **arguments))
    method = brightway.data.Method(("climate change", "GWP100"))
    method.register(unit="kg CO2-eq")
    method.write([(EMISSION, 1.0)])
    package = brightway.double()
    for site in arguments["sites"]:
        expected = float(cm.footprint(formed, **arguments)["carbon_footprint_total"].sel(site=site))
        cell = brightway.data.get_node(database=DATABASE, code=f"battery-cell {site}")
        exact = brightway.calc.LCA({cell.id: 1}, data_objs=[package])
        exact.lci()
        exact.lcia()
        np.testing.assert_allclose(exact.score, expected, rtol=1e-9, atol=0)
        demand, objects, _ = brightway.data.prepare_lca_inputs({cell: 1}, method=method.name)
        usual = brightway.calc.LCA(demand, data_objs=objects)
        usual.lci()
        usual.lcia()
        np.testing.assert_allclose(usual.score, expected, rtol=1e-6, atol=0)
