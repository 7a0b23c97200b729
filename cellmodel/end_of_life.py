"""End of life of what is not recycled: energy recovery and disposal of the circular formula.

Every kilogram of a component ends once: recovered (see recycling), burnt for its energy, or
disposed of. By cut-off neither of the last two counts, as they are of what the shredder leaves.
"""

from __future__ import annotations

from collections.abc import Iterator

from cellmodel.circularity import Circularity
from cellmodel.errors import InputError, unknown_name
from cellmodel.factors import ANYWHERE, GAS, Factors
from cellmodel.rules import RuleSet

BURNT = "-burnt"  # what the name of the factor of burning a material ends with
ENERGY_RECOVERY, DISPOSAL = "energy_recovery", "disposal"
MEGAJOULES = 3.6  # per kWh
Flows = dict[tuple[str, str], float]


def energy_recovery_shares(
    allocation: float,
    energy_recovery: float,
    lower_heating_value: float,
    heat_efficiency: float,
    electricity_efficiency: float,
) -> tuple[float, float, float]:
    """Return what energy recovery counts of burning, heat and electricity per kilogram.

    The term of the circular footprint formula,

        (1 - B) R3 (E_ER - LHV X_heat E_SE,heat - LHV X_elec E_SE,elec),

    is the first number [kg kg-1] times E_ER plus the others [kWh kg-1], which are negative,
    times E_SE,heat and E_SE,elec.

    Parameters
    ----------
    allocation, energy_recovery
        B and R3 [1].
    lower_heating_value
        LHV [MJ kg-1].
    heat_efficiency, electricity_efficiency
        X_heat and X_elec [1].

    References
    ----------
    Commission Recommendation (EU) 2021/2279, Annex I, circular footprint formula.
    """
    burnt = (1 - allocation) * energy_recovery
    energy = burnt * lower_heating_value / MEGAJOULES
    return burnt, -energy * heat_efficiency, -energy * electricity_efficiency


def waste_flows(material: str, factors: Factors, rules: RuleSet) -> dict[str, Flows]:
    """Return what energy recovery and disposal take of factors, per kilogram at the end of life.

    Parameters
    ----------
    material
        Name of the factor of a component; what its inputs bring into it ends as they do.
    factors
        For what the material contains, and whether there is a factor of burning it.
    rules
        Their method and parameters.

    Returns
    -------
    dict
        "energy_recovery" and "disposal" -> (factor, region) -> amount [kg kg-1, kWh kg-1];
        negative where it displaces.

    Raises
    ------
    InputError
        If something is burnt that has no factor "x-burnt", or where no electricity is known.
    """
    ends: dict[str, Flows] = {ENERGY_RECOVERY: {}, DISPOSAL: {}}

    def add(end: str, factor: str, region: str, amount: float) -> None:
        if amount:
            ends[end][factor, region] = ends[end].get((factor, region), 0.0) + amount

    for name, mass in _contained(material, factors):
        own = rules.circular(name)
        if own.disposal:
            add(DISPOSAL, own.disposal, ANYWHERE, mass * own.disposed)
        if own.energy_recovery and mass:
            _check_factors(name, own, factors, rules)
            at = own.incinerator
            burnt, heat, electricity = energy_recovery_shares(
                at.allocation,
                own.energy_recovery,
                own.lower_heating_value,
                at.heat_efficiency,
                at.electricity_efficiency,
            )
            add(ENERGY_RECOVERY, name + BURNT, ANYWHERE, mass * burnt)
            for fuel in GAS:
                add(ENERGY_RECOVERY, fuel, ANYWHERE, mass * heat / at.boiler_efficiency)
            add(ENERGY_RECOVERY, "electricity", at.region, mass * electricity)
    return ends


def _contained(material: str, factors: Factors, mass: float = 1.0) -> Iterator[tuple[str, float]]:
    """Yield what a material holds and how much of it, each kilogram once: first its own rest."""
    parts = factors.contents.get(material, ())
    yield material, mass * (1 - sum(part.contained for part in parts))
    for part in parts:
        yield from _contained(part.input, factors, mass * part.contained)


def _check_factors(name: str, own: Circularity, factors: Factors, rules: RuleSet) -> None:
    if name + BURNT not in factors.names():
        raise InputError(
            f"energy recovery of {name!r} must be 0 by rule set {rules.name!r}, got "
            f"{own.energy_recovery:g}: there is no emission factor {name + BURNT!r}; add a row of "
            "that name to your factors"
        )
    if own.incinerator.region not in factors.sites():
        what = f"region of the incinerator of rule set {rules.name!r}, which needs electricity:"
        raise unknown_name(what, own.incinerator.region, factors.sites())
