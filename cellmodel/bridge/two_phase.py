"""Negative electrodes of two active materials, graphite ("Primary") and silicon ("Secondary").

Each material has its own particles and its own film; silicon's potential depends on the direction
of the cell's current.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pybamm

Number = float | np.ndarray

PHASES = ("Primary", "Secondary")
MAXIMUM = "Maximum concentration in negative electrode [mol.m-3]"
MATERIALS = {
    "particle phases": ("2", "1"),
    "open-circuit potential": (("single", "current sigmoid"), "single"),
}
_FRACTION = "Negative electrode active material volume fraction"
_INITIAL = "Initial concentration in negative electrode [mol.m-3]"
_FILM = "Initial SEI thickness [m]"


def is_two_phase(values: pybamm.ParameterValues) -> bool:
    """Return whether a set has two active materials in its negative electrode."""
    return f"{PHASES[1]}: {MAXIMUM}" in values.keys()  # noqa: SIM118 (ParameterValues is no Mapping)


def options(sei: str) -> dict[str, object]:
    """Return the options of PyBaMM's model for two materials, each with this SEI growth law."""
    return {**MATERIALS, "SEI": ((sei, sei), "none")}


def start_phases(
    values: pybamm.ParameterValues, stoichiometries: Sequence[float], films: Sequence[float]
) -> None:
    """Start each material at its stoichiometry [1] and film [m], in place."""
    for phase, stoichiometry, film in zip(PHASES, stoichiometries, films, strict=True):
        maximum = values[f"{phase}: {MAXIMUM}"]
        values.update(
            {f"{phase}: {_INITIAL}": stoichiometry * maximum, f"{phase}: {_FILM}": film},
            check_already_exists=False,
        )


def first_stoichiometry(read: Callable[[str], Number], mean: Number, second: Number) -> Number:
    """Return the stoichiometry of graphite from that of the electrode and of silicon [1].

    Parameters
    ----------
    read
        PyBaMM name -> number, or one for each case.
    mean
        Lithium content / capacity of both materials.
    second
        Of silicon.
    """
    first_holds, second_holds = (
        read(f"{phase}: {_FRACTION}") * read(f"{phase}: {MAXIMUM}") for phase in PHASES
    )
    return mean + second_holds / first_holds * (mean - second)


def of_phase(read: Callable[[str], Number], phase: str) -> Callable[[str], Number]:
    """Return what reads the numbers of one of two materials by the names that one material has."""
    return lambda name: read(f"{phase}: {name}" if name in (_FRACTION, MAXIMUM) else name)


def name_as_one(model: pybamm.lithium_ion.BaseModel) -> None:
    """Give the electrode the names that one material has, in place.

    Stoichiometry is lithium content / capacity of both materials; film and potential are those of
    graphite, where the film grows.
    """
    known = model.variables
    negative = model.param.n
    content = capacity = pybamm.Scalar(0)
    for phase, words in ((negative.prim, "primary"), (negative.sec, "secondary")):
        share = phase.epsilon_s_av * phase.c_max
        content += known[f"Average negative {words} particle stoichiometry"] * share
        capacity += share
    known["Negative electrode stoichiometry"] = content / capacity
    for name in (
        "X-averaged negative {}SEI thickness [m]",
        "X-averaged negative electrode {}open-circuit potential [V]",
        "X-averaged negative electrode {}reaction overpotential [V]",
    ):
        known[name.format("")] = known[name.format("primary ")]
