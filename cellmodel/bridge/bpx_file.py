"""BPX files (Battery Parameter eXchange) as pybamm.ParameterValues."""

from __future__ import annotations

import copy
import functools
import json
import re
import warnings
from collections.abc import Mapping

import pybamm

from cellmodel.errors import InputError

WARMTH = 298.15  # K, where a file names no reference temperature
#: what the lumped thermal model needs of a file and nothing can stand in for
_CELL = ("External surface area [m2]", "Volume [m3]")
_SECTIONS = ("Cell", "Negative electrode", "Positive electrode", "Electrolyte", "Separator")


def bpx_sections(text: str, where: str) -> Mapping[str, Mapping]:
    """Return the sections of a BPX file that can be a cell.

    Parameters
    ----------
    text
        Of the file.
    where
        Its name, for messages.

    Raises
    ------
    InputError
        If it is no BPX file, or lacks what cannot be assumed, which the message names.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: is not valid JSON: {error}") from error
    if not isinstance(document, dict) or not {"Header", "Parameterisation"} <= document.keys():
        raise InputError(f"{where}: a BPX file has the sections Header and Parameterisation")
    stated = document["Parameterisation"]
    if not isinstance(stated, dict):
        raise InputError(f"{where}: Parameterisation must be an object")
    lacking = [name for name in _SECTIONS if not isinstance(stated.get(name), dict)]
    if "Cell" not in lacking:
        lacking += [f"Cell / {name}" for name in _CELL if name not in stated["Cell"]]
    if lacking:
        raise InputError(
            f"{where}: lacks {', '.join(lacking)}, which cannot be assumed; formation needs a file "
            "for SPMe or DFN that states the size of the cell"
        )
    for side in ("Negative electrode", "Positive electrode"):
        if "Particle" in stated[side]:
            raise InputError(
                f"{where}: {side} is a blend of materials (Particle); a BPX cell has one material "
                "per electrode"
            )
        potential = stated[side].get("OCP [V]")
        if isinstance(potential, int | float):
            raise InputError(
                f"{where}: {side} / OCP [V] must depend on the stoichiometry, got {potential:g}; "
                "what the section User-defined states in its place is not used"
            )
    return document


@functools.lru_cache(maxsize=16)
def bpx_values(text: str, where: str) -> pybamm.ParameterValues:
    """Return what a BPX file states, as PyBaMM reads it; shared, so copy it before you change it.

    Parameters
    ----------
    text, where
        As for `bpx_sections`.

    Raises
    ------
    InputError
        As for `bpx_sections`; if the `bpx` package is missing; or it finds the file wrong.
    """
    document = copy.deepcopy(bpx_sections(text, where))
    try:
        from bpx import BPX  # noqa: F401 (PyBaMM imports it where it is needed)
    except ImportError as error:
        raise InputError(
            f"{where}: BPX files need the package bpx: pip install 'cellmodel[bpx]'"
        ) from error
    document["Parameterisation"]["Cell"].setdefault("Reference temperature [K]", WARMTH)
    state = document.get("State")
    if isinstance(state, dict) and isinstance(state.get("Initial conditions"), dict):
        # formation starts from the fresh cell, so that PyBaMM need not solve for this one
        state["Initial conditions"].pop("Initial state-of-charge", None)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # defaults that PyBaMM chose: provenance names them
            return pybamm.ParameterValues.create_from_bpx_obj(document)
    except KeyError as error:
        raise InputError(f"{where}: lacks {error}, which cannot be assumed") from error
    except Exception as error:  # pydantic's, and whatever an expression of the file raises
        faults = getattr(error, "errors", None)
        reason = "; ".join(_fault(fault) for fault in faults()) if faults else str(error)
        raise InputError(f"{where}: is not a BPX file that PyBaMM can read: {reason}") from error


def _fault(fault: Mapping) -> str:
    place = " / ".join(str(part) for part in fault["loc"])
    words = re.sub(r"\s+", " ", fault["msg"])
    return f"{place}: {words}" if place else words
