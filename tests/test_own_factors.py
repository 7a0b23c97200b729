"""Rows of a user's factors that nothing asks for: slips are refused, others are named."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from formed_cells import make_formed

import cellmodel as cm
from cellmodel.errors import InputError
from cellmodel.own_factors import idle_names

HEADER = "name,value,low,high,unit,source\n"
TOTAL = "carbon_footprint_total"


def own(folder, *names):
    path = folder / "own.csv"
    path.write_text(HEADER + "".join(f"{name},5,4,6,kg kg-1,me\n" for name in names))
    return path


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("nmc81", "nmc811"),
        ("NMC811", "nmc811"),
        ("copper foil", "copper-foil"),
        ("nickel-sulfate", "nickel-sulphate"),
        ("nickel-sulfate-recycled", "nickel-sulphate-recycled"),
        ("polypropilene-burnt", "polypropylene-burnt"),
        ("inbound-frieght", "inbound-freight"),
    ],
)
def test_a_misspelt_name_is_refused(tmp_path, name, meant):
    path = own(tmp_path, name)
    with pytest.raises(InputError, match=rf"your row '{name}' would not count.* mean '{meant}'\?"):
        cm.footprint(make_formed(), factors=path)
    with pytest.raises(InputError, match=rf"did you mean '{meant}'"):
        cm.foreground(make_formed(), sites="FR", factors=path)
    with pytest.raises(InputError, match=rf"did you mean '{meant}'"):
        cm.footprint_uncertainty(make_formed(), factors=path, samples=2)


def test_tables_with_more_rows_than_a_footprint_needs_are_welcome(tmp_path):
    """Other cathodes, shipped or one's own, and what is recycled or burnt; strangers are named."""
    names = ("lfp", "nmc811", "nmc811b", "unobtainium", "unobtainium-recycled", "lipf6-recycled")
    path = own(tmp_path, *names, "graphite-natural-burnt")
    formed = make_formed()
    result = cm.footprint(formed, sites="FR", factors=path)
    assert result.attrs["own_factors_not_used"] == "nmc811b, unobtainium"
    plain = cm.footprint(formed, sites="FR", factors=own(tmp_path, "nmc811"))
    np.testing.assert_array_equal(result[TOTAL], plain[TOTAL])
    assert "own_factors_not_used" not in plain.attrs


def test_a_name_that_a_cell_asks_for_is_no_slip(tmp_path):
    path = own(tmp_path, "nmc811b")
    formed = make_formed()
    names = ["nmc811b" if name == "nmc811" else name for name in formed["material"].values]
    formed = formed.assign_coords(material=("component", names))
    assert "own_factors_not_used" not in cm.footprint(formed, factors=path).attrs


def test_so_is_the_disposal_of_ones_own_rules(tmp_path):
    path, rules = own(tmp_path, "landfill-b"), cm.load_rules("capacity-cff")
    with pytest.raises(InputError, match="did you mean 'landfill'"):
        cm.footprint(make_formed(), factors=path, rules=rules)
    asking = dataclasses.replace(rules, disposal="landfill-b")
    cm.footprint(make_formed(), factors=path, rules=asking)


def test_shipped_names_are_all_asked_for():
    assert idle_names(cm.load_factors(), ()) == {}
    for name in cm.load_factors().names():
        assert idle_names(cm.Factors({}, {}, own=(name,)), ()) == {}
