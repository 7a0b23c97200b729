"""Metals: balances, closed forms, the two ledgers, and what others publish."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from formed_cells import MASSES, make_formed
from hypothesis import given, settings
from hypothesis import strategies as st

import cellmodel as cm
from cellmodel.composition import METALS, load_compositions, mass_shares
from cellmodel.errors import InputError
from cellmodel.materials import COMPONENTS, SECOND, bill_of_materials
from cellmodel.metals import metal_balance, scrap_shares
from cellmodel.plant import load_plant, started
from cellmodel.quantity import DATA
from cellmodel.ramp import ramp_up
from cellmodel.waste_loop import DEFAULT_LOOP, WasteLoop, list_waste_loops, load_waste_loop

PLANT = "gigafactory-16gwh"
YIELDS = [name for name in load_plant(PLANT).quantities if name.endswith("_yield")]
NICKEL = mass_shares("LiNi0.8Mn0.1Co0.1O2")["Ni"]


def check_balance(balance: xr.Dataset) -> None:
    """Bought is in cells and scrap, scrap is recovered or lost, what returns is not bought."""
    in_scrap = balance["metal_in_scrap"].sum("step")
    pairs = [
        (balance["metal_input"], balance["metal_in_cells"] + in_scrap),
        (in_scrap, balance["metal_recovered"] + balance["metal_lost"]),
        (balance["metal_input"], balance["metal_bought"] + balance["metal_returned"]),
        (
            balance["metal_bought"],
            balance["metal_in_cells"]
            + balance["metal_lost"]
            + balance["metal_recovered"]
            - balance["metal_returned"],
        ),
    ]
    for left, right in pairs:
        np.testing.assert_allclose(left, right, rtol=1e-12, atol=1e-15)
    for name in balance.data_vars:
        if name.startswith("metal_"):
            assert float(balance[name].min()) >= 0, name


@settings(deadline=None, max_examples=25)
@given(
    yields=st.lists(st.floats(0.05, 1), min_size=len(YIELDS), max_size=len(YIELDS)),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)),
    recovery=st.lists(st.floats(0, 1), min_size=len(METALS), max_size=len(METALS)),
    material=st.sampled_from(["nmc811", "lfp", "nvpf"]),
)
def test_the_balance_closes_whatever_the_plant(yields, shares, recovery, material):
    plant = load_plant(PLANT).replace(**dict(zip(YIELDS, yields, strict=True)))
    names = ("recycled_share", "returned_share", "recycled_in_purchases")
    loop = load_waste_loop(DEFAULT_LOOP).replace(
        recovery=dict(zip(METALS, recovery, strict=True)), **dict(zip(names, shares, strict=True))
    )
    balance = metal_balance(make_formed(material=material), plant, loop)
    check_balance(balance)
    for ledger in ("recycled_content_article_8", "recycled_content_r1"):
        content = balance[ledger].dropna("metal")
        assert float(content.min()) >= 0
        assert float(content.max()) <= 1 + 1e-12


@pytest.mark.parametrize("name", list_waste_loops())
@pytest.mark.parametrize("plant", cm.list_plants())
def test_the_balance_closes_for_what_is_shipped(name, plant):
    for material in ("nmc811", "lfp", "nvpf"):
        check_balance(metal_balance(make_formed(material=material), plant, name))


def test_scrap_of_a_component_by_hand():
    """The separator enters at assembly: 0.985, 0.995, 0.985 and 0.985 are still to come."""
    scrap = metal_balance(make_formed())["scrap"].sel(component="separator")
    mass = MASSES["separator"]
    expected = {
        "coating": 0.0,
        "assembly": mass / (0.995 * 0.985**2) * (1 / 0.985 - 1),
        "filling": mass / 0.985**2 * (1 / 0.995 - 1),
        "formation": mass / 0.985 * (1 / 0.985 - 1),
        "end_of_line": mass * (1 / 0.985 - 1),
    }
    for step, value in expected.items():
        np.testing.assert_allclose(scrap.sel(step=step), value, rtol=1e-12, atol=0)
    np.testing.assert_allclose(scrap.sum(), sum(expected.values()), rtol=1e-12, atol=0)


def test_all_scrap_is_what_the_footprint_buys_beyond_the_cell():
    formed = make_formed()
    balance, co2 = metal_balance(formed), cm.footprint(formed)
    bought = co2["material_input"].sel(component=list(COMPONENTS))
    contained = xr.DataArray(
        list(MASSES.values()), dims="component", coords={"component": list(COMPONENTS)}
    )
    np.testing.assert_allclose(
        balance["scrap"].sum("step").sel(component=list(COMPONENTS)),
        bought - contained,
        rtol=1e-12,
        atol=0,
    )


def test_scrap_shares_telescope():
    plant = load_plant("pilot-line")
    shares = scrap_shares(plant, plant.values(), [*COMPONENTS, SECOND])
    entering = started(plant, plant.values())
    for step in plant.steps:
        for component in step.adds:
            np.testing.assert_allclose(
                shares.sel(component=component).sum(), entering[step.name] - 1, rtol=1e-12, atol=0
            )


def test_nickel_by_hand():
    """95 % recycled, 90 % of that recovered and returned."""
    balance = metal_balance(make_formed(), loop="annex-xii-2027").sel(metal="nickel")
    plant = load_plant(PLANT)
    entering = started(plant, plant.values())
    active, can = MASSES["positive_active_material"] * NICKEL, MASSES["housing"] * 0.015
    needed = active * entering["mixing"] + can * entering["assembly"]
    np.testing.assert_allclose(balance["metal_in_cells"], active + can, rtol=1e-12, atol=0)
    np.testing.assert_allclose(balance["metal_input"], needed, rtol=1e-12, atol=0)
    np.testing.assert_allclose(
        balance["metal_recovered"], 0.95 * 0.9 * (needed - active - can), rtol=1e-12, atol=0
    )
    np.testing.assert_allclose(
        balance["recycled_content_article_8"],
        0.95 * 0.9 * (1 - 1 / entering["mixing"]),  # the can is no active material
        rtol=1e-12,
        atol=0,
    )


def test_own_scrap_counts_in_one_ledger_and_not_in_the_other():
    loop = load_waste_loop(DEFAULT_LOOP)
    own = metal_balance(make_formed(), loop=loop)
    assert float(own["recycled_content_article_8"].sel(metal="cobalt")) > 0.05
    assert float(own["recycled_content_r1"].sel(metal="cobalt")) == 0
    bought = metal_balance(make_formed(), loop=loop.replace(recycled_in_purchases=0.2))
    np.testing.assert_allclose(
        bought["recycled_content_r1"].sel(metal="cobalt"), 0.2, rtol=1e-12, atol=0
    )
    content = own["recycled_content_article_8"]
    np.testing.assert_allclose(
        bought["recycled_content_article_8"], content + 0.2 * (1 - content), rtol=1e-12, atol=0
    )
    open_loop = metal_balance(make_formed(), loop=loop.replace(returned_share=0))
    assert float(open_loop["recycled_content_article_8"].max()) == 0
    xr.testing.assert_allclose(
        open_loop["metal_recovered"], own["metal_recovered"], rtol=1e-14, atol=0
    )
    np.testing.assert_allclose(
        open_loop["metal_bought"], open_loop["metal_input"], rtol=1e-14, atol=0
    )


def test_a_perfect_plant_has_no_scrap_and_a_perfect_loop_loses_nothing():
    plant = load_plant(PLANT)
    perfect = metal_balance(make_formed(), plant.replace(**dict.fromkeys(YIELDS, 1.0)))
    np.testing.assert_array_equal(perfect["scrap"], 0.0)
    np.testing.assert_allclose(
        perfect["metal_bought"], perfect["metal_in_cells"], rtol=1e-14, atol=0
    )
    assert float(perfect["recycled_content_article_8"].max()) == 0
    loop = load_waste_loop(DEFAULT_LOOP).replace(
        recycled_share=1, recovery=dict.fromkeys(METALS, 1.0)
    )
    closed = metal_balance(make_formed(), plant, loop)
    np.testing.assert_array_equal(closed["metal_lost"], 0.0)
    np.testing.assert_allclose(closed["metal_bought"], closed["metal_in_cells"], rtol=1e-12, atol=0)


def test_what_the_law_asks_for():
    minimum = metal_balance(make_formed())["recycled_content_minimum"]
    for deadline, shares in (
        ("2031-08-18", {"cobalt": 0.16, "lithium": 0.06, "nickel": 0.06}),
        ("2036-08-18", {"cobalt": 0.26, "lithium": 0.12, "nickel": 0.15}),
    ):
        of_day = minimum.sel(deadline=deadline).dropna("metal").to_series().to_dict()
        assert of_day == shares


def test_metals_per_kilowatt_hour_are_those_that_others_find():
    """NMC811: Ni 0.75, Co 0.094, Mn 0.088, Li 0.111 kg per kWh (Olivetti et al. 2017, Joule 1,
    229, from memory): materials of a cell with 1.58 kg of NMC811 per kWh, the LG M50 has less.
    """
    mass = bill_of_materials(cm.load_cell("nmc811-graphite-siox"))
    formed = make_formed(energy=18.1).drop_vars(["component_mass", "component", "material"])
    held = metal_balance(formed.assign(component_mass=mass))["metal_in_cells"]
    for metal, value in {
        "nickel": 0.75,
        "cobalt": 0.094,
        "manganese": 0.088,
        "lithium": 0.111,
    }.items():
        assert 0.75 * value < float(held.sel(metal=metal)) < 1.1 * value, metal


def test_iron_of_the_cathode_is_lost_and_that_of_the_can_is_not():
    loop = load_waste_loop(DEFAULT_LOOP)
    assert loop.recovered("iron", "positive_active_material") == 0
    assert loop.recovered("iron", "housing") == 0.9
    own = loop.replace(recovery={"lithium": 0.7})
    assert own.recovered("lithium", "electrolyte") == 0.7
    assert own.recovered("cobalt", "electrolyte") == loop.recovered("cobalt", "electrolyte")


def test_sodium_and_vanadium_of_the_shipped_cell_by_hand():
    """Na3V2(PO4)2F3: 3 sodium and 2 vanadium in 417.8 g; NaPF6 and CMC bring a little more Na."""
    mass = bill_of_materials(cm.load_cell("nvpf-hard-carbon"))
    formed = make_formed().drop_vars("material").assign(component_mass=mass)
    balance = metal_balance(formed, PLANT)
    check_balance(balance)
    active = float(mass.sel(component="positive_active_material")) / 0.018
    in_cells = balance["metal_in_cells"]
    np.testing.assert_allclose(
        in_cells.sel(metal="vanadium"), active * 2 * 50.942 / 417.79, rtol=1e-4, atol=0
    )
    electrolyte = float(mass.sel(component="electrolyte")) / 0.018
    binder = float(mass.sel(component=["positive_filler", "negative_filler"]).sum()) / 0.018
    least = active * 3 * 22.990 / 417.79 + electrolyte * 0.14 * 22.990 / 167.95
    assert least < float(in_cells.sel(metal="sodium")) < least + 0.04 * binder
    assert float(in_cells.sel(metal=["nickel", "lithium", "cobalt"]).max()) < 1e-3  # plated can
    lost = balance["metal_lost"] / balance["metal_in_scrap"].sum("step")
    # until somebody refines them
    np.testing.assert_allclose(lost.sel(metal=["sodium", "vanadium"]), 1, rtol=1e-12, atol=0)


def test_recovery_set_for_a_metal_holds_for_every_component():
    loop = load_waste_loop(DEFAULT_LOOP).replace(recovery={"iron": 0.5})
    assert {loop.recovered("iron", component) for component in COMPONENTS} == {0.5}


def test_sweeps_and_years_broadcast_and_failed_cases_are_nan():
    status = xr.DataArray(np.array([0, 3], dtype=np.int8), dims="case")
    formed = make_formed(energy=xr.DataArray([18.0, np.nan], dims="case"), status=status)
    balance = metal_balance(ramp_up(formed))
    for name, array in balance.data_vars.items():
        if name != "recycled_content_minimum":  # that of the law holds for every case
            assert bool(array.isel(case=1).isnull().all()), name
    good = balance.isel(case=0)
    assert good["scrap"].dims == ("step", "component", "year")
    assert good["metal_input"].dims == ("metal", "year")
    check_balance(good)
    assert bool((good["metal_bought"].sel(metal="nickel").diff("year") != 0).all())


def test_several_cells_each_with_their_own_materials():
    names = ["nmc811", "lfp"]
    formed = xr.concat(
        [make_formed(material=name) for name in names],
        xr.DataArray(names, dims="cell", name="cell"),
        coords="different",
        compat="equals",
        data_vars="all",
        join="exact",
    )
    result = metal_balance(formed).drop_vars("recycled_content_minimum")  # has no cell
    for name in names:
        single = metal_balance(make_formed(material=name))
        for variable in result:
            np.testing.assert_allclose(
                result[variable].sel(cell=name), single[variable], rtol=1e-12, atol=0
            )


def test_shipped_loops_are_complete():
    assert list_waste_loops() == ["annex-xii-2027", "annex-xii-2031"]
    for name, nickel, lithium in (("annex-xii-2027", 0.9, 0.5), ("annex-xii-2031", 0.95, 0.8)):
        loop = load_waste_loop(name)
        assert load_waste_loop(loop) is loop
        assert loop.recycled_share.value == 0.95
        for metal in ("nickel", "cobalt", "copper"):
            assert loop.recovered(metal, "positive_active_material") == nickel
        assert loop.recovered("lithium", "positive_active_material") == lithium
        for entry in loop.recovery:
            assert entry.share.source
            assert entry.share.certainty
            assert entry.share.low <= entry.share.value <= entry.share.high


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"recycled_share": 1.1}, r"recycled_share must be between 0 and 1, got 1.1"),
        ({"recycled_share": 95}, r"got 95.0; did you pass per cent"),
        ({"returned_share": -0.1}, r"returned_share must be between 0 and 1, got -0.1"),
        ({"recycled_in_purchase": 0.1}, r"unknown share of a waste loop 'recycled_in_purchase'"),
        ({"recovery": {"nickel": 2}}, r"recovery of nickel must be between 0 and 1, got 2.0"),
        ({"recovery": {"nickle": 0.9}}, r"unknown metal 'nickle'; the nearest known are nickel"),
    ],
)
def test_impossible_shares_are_refused(values, message):
    with pytest.raises(InputError, match=message):
        load_waste_loop(DEFAULT_LOOP).replace(**values)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("recycled_share = { value = 0.95", "recycled_share = { value = 1.2", r"between 0 and 1"),
        ('metals = ["lithium"]', 'metals = ["lithum"]', r"unknown entry of metals .*'lithum'"),
        ('metals = ["lithium"]', "metals = 3", r"metals must be a list of names, got 3"),
        ('metals = ["lithium"]', 'metals = ["nickel"]', r"add a \[\[recovery\]\] of lithium"),
        (
            'metals = ["lithium"]',
            'metals = ["lithium", "nickel"]',
            r"nickel from all components must have one",
        ),
        ('["positive_active_material"]', '["cathode"]', r"unknown entry of components .*'cathode'"),
        ('deadline = "2031-08-18"', 'deadline = "2031"', r"deadline must be a day"),
        ("cobalt = 0.16", "cobalt = 16", r"cobalt must be between 0 and 1.*per cent"),
        ("cobalt = 0.16", "lead = 0.85", r"unknown key 'lead'"),
        ('status = "in force"', "", r"missing key status"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, old, new, message):
    content = (DATA / "waste_loops" / f"{DEFAULT_LOOP}.toml").read_text()
    assert old in content
    path = tmp_path / "loop.toml"
    path.write_text(content.replace(old, new))
    with pytest.raises(InputError, match=message):
        load_waste_loop(path)


def test_unknown_names_and_negative_masses_are_refused(tmp_path):
    formed = make_formed()
    with pytest.raises(InputError, match=r"unknown waste loop 'annex'"):
        metal_balance(formed, loop="annex")
    strange = formed.assign_coords(
        material=("component", ["unobtainium", *formed["material"].values[1:]])
    )
    message = r"'positive_active_material' has no composition: unknown material 'unobtainium'"
    with pytest.raises(InputError, match=message):
        metal_balance(strange)
    path = tmp_path / "own.toml"
    path.write_text('[unobtainium]\nformula = "CoO"\nsource = "test"\n')
    held = metal_balance(strange, compositions=path)["metal_in_cells"].sel(metal="cobalt")
    share = load_compositions(path)["unobtainium"]["cobalt"]
    np.testing.assert_allclose(held, 1.36 * share, rtol=1e-12, atol=0)
    with pytest.raises(InputError, match="component_mass must be at least 0"):
        metal_balance(formed.assign(component_mass=-1 * formed["component_mass"]))
    with pytest.raises(InputError, match=r"formation_yield must be between 0.05 and 1, got 1.2"):
        metal_balance(make_formed(formation_yield=1.2))
    wax = formed.assign_coords(component=["wax", *COMPONENTS[1:]])
    with pytest.raises(InputError, match=r"plant 'gigafactory-16gwh': wax must enter at a step"):
        metal_balance(wax)
    assert isinstance(load_waste_loop(DEFAULT_LOOP), WasteLoop)
