"""A BPX file as a cell: what it lacks is lent by a shipped cell or assumed, and named."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pybamm

from cellmodel.bridge.bpx_file import WARMTH, bpx_sections, bpx_values
from cellmodel.bridge.parameter_values import shipped_values
from cellmodel.cell import Cell, load_cell
from cellmodel.parameter_name import unit_of
from cellmodel.quantity import Quantity, read_text

HIGHEST_OF_LFP = 3.8  # V, upper cut-off up to which a cell is taken for one with LiFePO4
FULL = 0.975  # of the positive electrode, where the fitted potentials of the shipped cells end
EMPTY = 0.005  # of the negative electrode as it comes from the coater
FARADAY = 96485.33212 / 3600  # A h mol-1
DONOR = "OKane2022"
DONOR_SOURCE = "O'Kane et al. 2022, doi 10.1039/D2CP00417H; a BPX file has none"
SIDES = ("Negative", "Positive")
RADIUS = "Negative particle radius [m]"
COOLING = "Total heat transfer coefficient [W.m-2.K-1]"
#: power of the particles' radius: the film grows on the surface of real graphite, which is the same
#: per gram, but is counted per area of the model's spheres
_PER_AREA = {
    "SEI reaction exchange current density [A.m-2]": 1,
    "SEI kinetic rate constant [m.s-1]": 1,
    "SEI partial molar volume [m3.mol-1]": -1,
}
_OF_FILM = ("Tunneling barrier factor [m-1]", "Initial SEI thickness [m]")
_OF_SET = (
    "Ratio of lithium moles to SEI moles",
    "SEI resistivity [Ohm.m]",
    "SEI growth activation energy [J.mol-1]",
    "SEI open-circuit potential [V]",
    "SEI solvent diffusivity [m2.s-1]",
    "SEI electron conductivity [S.m-1]",
    "SEI lithium interstitial diffusivity [m2.s-1]",
    "Bulk solvent concentration [mol.m-3]",
    "Lithium interstitial reference concentration [mol.m-3]",
    "EC initial concentration in electrolyte [mol.m-3]",
    "EC diffusivity [m2.s-1]",
)
_LAYERS = (
    "Negative current collector",
    "Negative electrode",
    "Separator",
    "Positive electrode",
    "Positive current collector",
)


def bpx_cell(path: Path) -> Cell:
    """Read a BPX file as a cell that has never been charged.

    A shipped cell lends the SEI, the loss of the first cycle and the materials: `lfp-graphite` to
    a file whose upper cut-off is at most 3.8 V, `nmc532-graphite` to others. What refers to the
    area of the negative particles is scaled by their radius, so that the same film grows on the
    same real surface per gram of graphite.

    Parameters
    ----------
    path
        A BPX file for SPMe or DFN, with one material per electrode.

    Returns
    -------
    Cell
        Whose SEI rate is lent, not yet fitted to the target: `calibrate_sei` does that.

    Raises
    ------
    InputError
        If the file is wrong, or lacks what cannot be assumed; the message names it.
    """
    text = read_text(path)
    document = bpx_sections(text, str(path))
    values = bpx_values(text, str(path))
    header = document["Header"]
    upper = float(values["Upper voltage cut-off [V]"])
    lender = load_cell("lfp-graphite" if upper <= HIGHEST_OF_LFP else "nmc532-graphite")
    efficiency = _lent(lender.first_cycle_efficiency, lender, "assumed to be the same here")
    capacity = float(values["Nominal cell capacity [A.h]"])
    return Cell(
        name=path.stem,
        title=str(header.get("Title") or path.stem),
        source=str(header.get("References") or f"BPX file {path.name}, which names no reference"),
        parameter_set=path.name,
        parameters=MappingProxyType(_parameters(values, lender)),
        sei=lender.sei,
        negative_stoichiometry=Quantity(
            EMPTY, "1", "Nearly empty, as delivered by the coater", 0.001, 0.02, "prior"
        ),
        positive_stoichiometry=_fresh_positive(values, efficiency.value, capacity),
        first_cycle_efficiency=efficiency,
        calibration=lender.calibration,
        materials=MappingProxyType(_materials(lender, capacity)),
        assumptions=MappingProxyType(_assumptions(document, lender, upper)),
        bpx=text,
    )


def _lent(quantity: Quantity, lender: Cell, words: str, factor: float = 1.0) -> Quantity:
    scaled = {
        key: None if value is None else value * factor
        for key, value in (("low", quantity.low), ("high", quantity.high))
    }
    return dataclasses.replace(
        quantity,
        value=quantity.value * factor,
        source=f"{words}. There: {quantity.source}",
        certainty="prior",
        donor=lender.name,
        **scaled,
    )


def _parameters(values: pybamm.ParameterValues, lender: Cell) -> dict[str, Quantity]:
    """Return the numbers that the models need and the file does not state."""
    known = set(values.keys())
    ratio = float(values[RADIUS]) / lender.parameter(RADIUS)
    lent = {
        name: _lent(
            lender.parameters[name],
            lender,
            f"Scaled by {ratio**power:.3g} for the radius of the negative particles, and not yet "
            "fitted to the first cycle of this cell (calibrate_sei does it)",
            ratio**power,
        )
        for name, power in _PER_AREA.items()
    }
    lent |= {name: _lent(lender.parameters[name], lender, "As there") for name in _OF_FILM}
    donor = shipped_values(DONOR)
    names = list(_OF_SET)
    names += [f"{layer} density [kg.m-3]" for layer in _LAYERS]
    names += [f"{layer} specific heat capacity [J.kg-1.K-1]" for layer in _LAYERS]
    for name in names:
        lent[name] = Quantity(
            float(donor[name]), unit_of(name) or "1", DONOR_SOURCE, certainty="prior", donor=DONOR
        )
    # two lithium in (CH2OCO2Li)2, whose molar volume is used; O'Kane's set counts one
    lent["Ratio of lithium moles to SEI moles"] = Quantity(
        2.0,
        "1",
        "Two lithium in (CH2OCO2Li)2, whose molar volume is used; a BPX file has none",
        certainty="prior",
        donor="Mohtat2020",
    )
    for side in SIDES:
        name = f"{side} electrode OCP entropic change [V.K-1]"
        lent[name] = Quantity(
            0.0, "V.K-1", "The file states none; heat and potential change little", None, None,
            "prior",
        )  # fmt: skip
    missing = {name: quantity for name, quantity in lent.items() if name not in known}
    if not float(values[COOLING]):  # PyBaMM's stand-in for a file that states none: adiabatic
        missing[COOLING] = Quantity(
            10.0, "W.m-2.K-1", f"Still air. {DONOR_SOURCE}", 5.0, 50.0, "prior", DONOR
        )
    return missing


def _fresh_positive(values: pybamm.ParameterValues, efficiency: float, capacity: float) -> Quantity:
    """Return the stoichiometry of the positive electrode before the first charge.

    The file describes a formed cell. Lithium that left the positive electrode for good is what the
    first discharge does not bring back, in the film or in the negative electrode that it leaves
    filled; at least what the latter holds.
    """
    held = {
        side: float(values[f"{side} electrode thickness [m]"])
        * float(values[f"{side} electrode active material volume fraction"])
        * float(values[f"Maximum concentration in {side.lower()} electrode [mol.m-3]"])
        * float(values["Electrode area [m2]"])
        * float(values["Number of electrodes connected in parallel to make a cell"])
        * FARADAY
        for side in SIDES
    }
    lost = (1 / efficiency - 1) * capacity
    left = (float(values["Negative electrode minimum stoichiometry"]) - EMPTY) * held["Negative"]
    formed = float(values["Positive electrode maximum stoichiometry"])
    fresh = formed + max(lost, left) / held["Positive"]
    words = "Assumed: maximum stoichiometry of the file, which describes a formed cell, and what "
    words += f"a first-cycle efficiency of {efficiency:g} leaves behind"
    if fresh > FULL:
        words += f": {fresh:.3f}, but at most {FULL:g}, where the electrode is full"
    return Quantity(max(min(fresh, FULL), min(formed, 1 - 1e-3)), "1", words, certainty="prior")


def _materials(lender: Cell, capacity: float) -> dict[str, Quantity | str]:
    ratio = capacity / lender.parameter("Nominal cell capacity [A.h]")
    materials: dict[str, Quantity | str] = {
        name: entry if isinstance(entry, str) else _lent(entry, lender, "As there")
        for name, entry in lender.materials.items()
        if name != "cell_mass"  # a check of the lender
    }
    materials["housing_mass"] = _lent(
        lender.materials["housing_mass"],
        lender,
        f"Scaled by the nominal capacity, {ratio:.3g} times that of the lender",
        ratio,
    )
    return materials


def _assumptions(document: Mapping, lender: Cell, upper: float) -> dict[str, str]:
    """Return what is no number of ours: substances, and what PyBaMM fills in."""
    why = f"a BPX file states no substance; as {lender.name}, for an upper cut-off of {upper:g} V"
    assumed = {n: why for n, entry in lender.materials.items() if isinstance(entry, str)}
    assumed["SEI law"] = f"a BPX file has none; as {lender.name}"
    assumed["current collectors"] = "a BPX file has none; PyBaMM gives them no thickness"
    assumed["Thermodynamic factor"] = "a BPX file has none; PyBaMM takes 1, an ideal solution"
    if str(document["Header"].get("BPX", "")).startswith("0"):
        assumed["BPX version"] = "below 1; converted by the package bpx, approximately"
    if "Reference temperature [K]" not in document["Parameterisation"]["Cell"]:
        assumed["Reference temperature [K]"] = f"the file states none; {WARMTH:g} K"
    own = document["Parameterisation"].get("User-defined")
    if own:
        assumed["User-defined"] = f"{', '.join(own)}: without effect if no model knows the name"
    state = document.get("State")
    start = (state.get("Initial conditions") if isinstance(state, dict) else None) or {}
    name = "Initial electrolyte concentration [mol.m-3]"
    if start.get(name) is None:
        assumed[name] = "the file states none; PyBaMM takes 1000"
    return assumed
