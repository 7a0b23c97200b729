"""Negative electrodes of two active materials, graphite ("Primary") and silicon ("Secondary").

Each material has its own particles and its own film; silicon's potential depends on the direction
of the cell's current.
"""

from __future__ import annotations

import pybamm

from cellmodel.errors import InputError

PHASES = ("Primary", "Secondary")
MAXIMUM = "Maximum concentration in negative electrode [mol.m-3]"
MATERIALS = {
    "particle phases": ("2", "1"),
    "open-circuit potential": (("single", "current sigmoid"), "single"),
}
_INITIAL = "Initial concentration in negative electrode [mol.m-3]"
_FILM = "Initial SEI thickness [m]"


def is_two_phase(values: pybamm.ParameterValues) -> bool:
    """Return whether a set has two active materials in its negative electrode."""
    return f"{PHASES[1]}: {MAXIMUM}" in values.keys()  # noqa: SIM118 (ParameterValues is no Mapping)


def options(sei: str) -> dict[str, object]:
    """Return the options of PyBaMM's model for two materials, each with this SEI growth law."""
    return {**MATERIALS, "SEI": ((sei, sei), "none")}


def fresh_phases(values: pybamm.ParameterValues, stoichiometry: float, film: float) -> None:
    """Start both materials at the same stoichiometry [1] and film [m], in place."""
    for phase in PHASES:
        maximum = values[f"{phase}: {MAXIMUM}"]
        values.update(
            {f"{phase}: {_INITIAL}": stoichiometry * maximum, f"{phase}: {_FILM}": film},
            check_already_exists=False,
        )


def require_fresh(name: str) -> None:
    """Raise the InputError of a start that one number per electrode cannot describe."""
    raise InputError(
        f"cell '{name}' has two materials in its negative electrode and can only start fresh: a "
        "formed state has one stoichiometry and one film; choose a cell of one material"
    )


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
