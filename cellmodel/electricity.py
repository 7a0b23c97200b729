"""Where a plant's electricity comes from: own generation, contract, residual or national mix."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cellmodel.errors import InputError, unknown_name
from cellmodel.factors import CONTRACT, ONSITE, RESIDUAL, Factors
from cellmodel.quantity import Range
from cellmodel.rules import RuleSet

Shares = float | Mapping[str, float]
_SHARE = Range(0, 1, "1", hint="did you pass per cent?")


def site_shares(what: str, given: Shares, sites: Iterable[str]) -> dict[str, float]:
    """Return a share per site [1].

    Parameters
    ----------
    what
        Name of the argument, for messages.
    given
        One share for all sites, or site -> share; a site that is left out has 0.

    Raises
    ------
    InputError
        If a site is unknown, or a share is no number between 0 and 1.
    """
    sites = list(sites)
    if not isinstance(given, Mapping):
        return dict.fromkeys(sites, _SHARE.check(what, given))
    for site in given:
        if site not in sites:
            raise unknown_name(f"site of {what}", site, sites)
    return {site: _SHARE.check(f"{what} of {site}", given.get(site, 0.0)) for site in sites}


def supply(
    rules: RuleSet, site: str, factors: Factors, onsite_share: float, contract_share: float
) -> dict[tuple[str, str], float]:
    """Return what a kilowatt-hour at a site is made of: (factor, region) -> share [1].

    Own generation comes first. Location-based, the rest is the national mix and contracts do not
    count. Market-based, contracts cover their share of the rest, and the residual mix what then
    remains.

    Parameters
    ----------
    rules
        For "location" or "market", and what to do without residual mix.
    site
        Region of the factors.
    factors
        With the rows "electricity-onsite", "electricity-contract", "electricity-residual".
    onsite_share, contract_share
        Share generated at the site, and share of the rest that is under contract [1].

    Raises
    ------
    InputError
        If a row is missing.
    """
    bought = 1.0 - onsite_share
    parts = {(ONSITE, factors.get(ONSITE, site).region): onsite_share} if onsite_share else {}
    if rules.electricity == "market" and contract_share:
        if (CONTRACT, site) not in factors.rows:
            raise InputError(
                f"rule set {rules.name!r}: contract_share of site {site!r} must be 0, got "
                f"{contract_share:g}: there is no emission factor {CONTRACT!r} for {site!r}; add "
                "the row to your factors"
            )
        parts[CONTRACT, site] = bought * contract_share
        bought *= 1.0 - contract_share
    if rules.electricity == "market" and (RESIDUAL, site) in factors.rows:
        mix = RESIDUAL
    elif rules.electricity == "market" and bought and rules.without_residual_mix == "refuse":
        raise InputError(
            f"rule set {rules.name!r}: site {site!r} must have a residual mix: add a row "
            f"{RESIDUAL!r} to your factors, or allow without_residual_mix = 'location'"
        )
    else:
        mix = "electricity"
    parts[mix, site] = bought
    return {key: share for key, share in parts.items() if share}
