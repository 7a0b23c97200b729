"""The fit of the measured cell to its formation protocols, repeated from a table of measurements.

    python benchmarks/validation.py formation_measured_25_45degC.csv --write

The table (data of Cui et al. 2024, Joule, github.com/cx26/formation-analysis) has no licence and is
no part of the package: a row per protocol with the means over its cells, in the columns of `read`.
As a script it takes about five minutes, prints the tables and puts them into README.md.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from publish import publish, script_parser
from scipy.stats import spearmanr

import cellmodel as cm

CELL, PROTOCOL = "nmc532-graphite-240mah", "two-stage-charge"
CHARGE, DISCHARGE = "first_charge_capacity [A h]", "first_discharge_capacity [A h]"
EFFICIENCY, INVENTORY = "first_cycle_efficiency", "lithium_inventory [A h]"
HOLD = "hold charge [A h]"
OUTCOMES = [CHARGE, HOLD, DISCHARGE, EFFICIENCY, INVENTORY]

# What a difference of each outcome weighs: efficiency as its means scatter, the others round. Those
# of the shipped cell's fit were not recorded. With these, and the priors called inferred below, the
# fit ends where the shipped cell is.
DEVIATIONS = {CHARGE: 0.004, DISCHARGE: 0.002, EFFICIENCY: 0.007, INVENTORY: 0.003}
CHARGE_SD = "first_charge_capacity_sd [A h]"
HOLD_SHARE, LEAST_HOLD = 0.2, 0.0005  # [1] and [A h], standard deviation of the charge of the hold
BEFORE_HOLD = 0.001  # h: a hold that takes nothing

#: charge that a first cycle may lose and be called slow [A h]: of 0.05 the film takes half,
#: most of the rest stays in the electrodes; nothing measured lies between 0.0536 and 0.0556
SLOW_LOSS = 0.055


def searched(
    low: float, high: float, prior: tuple[float, float] | None = None, *, log: bool = True
) -> cm.Parameter:
    """Return a parameter whose first search starts in the middle, not at the shipped cell."""
    middle = math.sqrt(low * high) if log else (low + high) / 2
    mean, sd = prior or (None, None)
    return cm.Parameter(low, high, start=middle, log=log, prior_mean=mean, prior_sd=sd)


POSITIVE = "positive_stoichiometry"

#: name -> range and prior (standard deviation of the logarithm but for energies), and why. Ranges
#: are ours but where one is called recorded: round, and wide enough not to decide, so that only
#: priors and measurements do.
FITTED: Mapping[str, tuple[cm.Parameter, str]] = {
    POSITIVE: (
        searched(0.92, 0.97),
        "pristine NMC holds more than the 0.902 of the half-cell window, less than a full lattice",
    ),
    "Positive particle diffusivity factor": (
        searched(0.3, 2),
        "of 1.5e-14 m2 s-1: usual for NMC, in particles whose radius of 5 um is assumed",
    ),
    "Positive particle diffusivity activation energy [J.mol-1]": (
        searched(10e3, 70e3, (30e3, 15e3), log=False),
        "usual of NMC; prior and upper end recorded with the first fit",
    ),
    "Passivation charge [C.m-2]": (
        searched(400, 1200),
        "12 to 37 mA h, 4 to 12 % of the graphite's capacity: films of first cycles",
    ),
    "Unpassivated surface healing time [s]": (
        searched(1000, 10000),
        "a quarter of an hour to three hours; 1.1 to 1.8 h were explored before the fit",
    ),
    "Unpassivated surface healing activation energy [J.mol-1]": (
        searched(10e3, 80e3, (40e3, 20e3), log=False),
        "a chemical step; prior recorded with the first fit",
    ),
    "Unpassivated surface lithium loss current density [A.m-2]": (
        searched(0.1, 3),
        "0.18 to 1.1 were explored before the fit",
    ),
    "Shuttle current density [A.m-2]": (
        searched(0.5, 10),
        "C/4 to 5C of the cell if all surface were open; 0.9 to 6 were explored before the fit",
    ),
    "Shuttle potential width [V]": (
        searched(0.02, 0.2, (0.03, 0.5)),
        "RT/F is 0.026 V; 0.03 V as explored before it was fitted, the spread inferred",
    ),
    "Electrolyte oxidation current density [A.m-2]": (
        searched(0.0005, 0.05),
        "C/4400 to C/44 of the cell at 4.4 V",
    ),
    "Electrolyte oxidation potential width [V]": (
        searched(0.05, 0.6, (0.1, 0.5)),
        (
            "from 2 RT/F, charge transfer, to flat, transport; upper end recorded; 0.1 V as "
            "explored before it was fitted, the spread inferred"
        ),
    ),
    "Electrolyte oxidation activation energy [J.mol-1]": (
        searched(10e3, 80e3, (40e3, 15e3), log=False),
        "usual; prior recorded with the first fit",
    ),
    "Lithium storage rate [C.m-2.s-0.5]": (
        searched(0.1, 2),
        "0.4 to 8 mA h in ten hours at half filling",
    ),
}


@dataclass(frozen=True)
class Setting:
    """What is fitted, and what a difference of each outcome weighs.

    Parameters
    ----------
    parameters
        Name -> range and prior.
    deviations
        Outcome -> standard deviation [A h] or [1].
    """

    parameters: Mapping[str, cm.Parameter]
    deviations: Mapping[str, float]


SHIPPED = Setting({name: entry for name, (entry, _) in FITTED.items()}, DEVIATIONS)


def uninferred(campaign: pd.DataFrame) -> Setting:
    """Return the setting without what was inferred: no priors of widths, 1 % of every mean."""
    parameters = {
        name: replace(entry, prior_mean=None, prior_sd=None) if "width" in name else entry
        for name, entry in SHIPPED.parameters.items()
    }
    return Setting(parameters, {name: 0.01 * campaign[name].mean() for name in DEVIATIONS})


def read(path: str | Path) -> pd.DataFrame:
    """Return a campaign, a row per protocol: its variables, OUTCOMES, and of the efficiency the
    standard deviation between cells, "sd", and their number, "cells".
    """
    raw = pd.read_csv(path)
    return pd.DataFrame(
        {
            "temperature [K]": raw["temperature_degC"] + 273.15,
            "charge_current_1 [A]": raw["charge_current_1_A"],
            "transition_voltage [V]": raw["transition_voltage_V"],
            "charge_current_2 [A]": raw["charge_current_2_A"],
            "upper_voltage [V]": raw["upper_voltage_V"],
            "hold_time [h]": raw["hold_h"],
            "discharge_current [A]": raw["discharge_current_A"],
            "verification_cycles": raw["verification_cycles"],
            CHARGE: raw["first_charge_Ah"],
            HOLD: raw["cv_hold_charge_Ah"],
            DISCHARGE: raw["first_discharge_Ah"],
            EFFICIENCY: raw["first_cycle_efficiency"],
            INVENTORY: raw["fitted_lithium_inventory_mAh"] / 1000,
            "sd": raw["first_cycle_efficiency_sd"],
            "cells": raw["cells"],
        }
    )


def measurements(campaign: pd.DataFrame, deviation: float) -> pd.DataFrame:
    """Return the table that is fitted: every protocol, then every one again without its hold.

    The charge of the hold is no outcome of its own. A row with next to no hold, whose first charge
    is what was measured less that of the hold, says the same.

    Parameters
    ----------
    campaign
        As `read` returns it.
    deviation
        Standard deviation of the first charge [A h].
    """
    whole = campaign.drop(columns=[HOLD, "sd", "cells"]).assign(**{CHARGE_SD: deviation})
    before = {
        "hold_time [h]": BEFORE_HOLD,
        "verification_cycles": 0,
        CHARGE: campaign[CHARGE] - campaign[HOLD],
        CHARGE_SD: np.maximum(HOLD_SHARE * campaign[HOLD], LEAST_HOLD),
        **dict.fromkeys([DISCHARGE, EFFICIENCY, INVENTORY], np.nan),
    }
    return pd.concat([whole, whole.assign(**before)], ignore_index=True)


def simulated(cell: cm.Cell | str, campaign: pd.DataFrame) -> pd.DataFrame:
    """Return OUTCOMES of a cell as it is, a row per protocol of the campaign."""
    found = cm.compare_formation(cell, PROTOCOL, measurements(campaign, DEVIATIONS[CHARGE]))
    found = found.sel(comparison="simulated")
    whole = {name: found[plain(name)].values[: len(campaign)] for name in DEVIATIONS}
    hold = whole[CHARGE] - found[plain(CHARGE)].values[len(campaign) :]
    return pd.DataFrame({**whole, HOLD: hold}, index=campaign.index)[OUTCOMES]


def plain(name: str) -> str:
    """Return a column's name without its unit."""
    return name.partition(" [")[0]


def fitted(campaign: pd.DataFrame, setting: Setting, starts: int) -> cm.FormationFit:
    """Fit the cell from scratch: no search starts at its shipped numbers."""
    weights = dict(setting.deviations)
    return cm.fit_formation(
        CELL,
        PROTOCOL,
        measurements(campaign, weights.pop(CHARGE)),
        setting.parameters,
        standard_deviations={plain(name): sd for name, sd in weights.items()},
        inventory_origin=cm.load_cell(CELL).inventory_origin,
        starts=starts,
    )


def unseen(campaign: pd.DataFrame, folds: pd.Series, setting: Setting, starts: int) -> pd.DataFrame:
    """Return OUTCOMES of each fold as the cell predicts them that is fitted to the others.

    The rows with and without the hold of a protocol are left out together.
    """
    found = []
    for fold in folds.unique():
        fit = fitted(campaign[folds != fold], setting, starts)
        found.append(simulated(fit.cell, campaign[folds == fold]))
    return pd.concat(found).loc[campaign.index]


def scores(away: pd.DataFrame, campaign: pd.DataFrame) -> dict[str, float]:
    """Return root mean squares of differences from what was measured; of what `away` has."""
    measured = campaign.loc[away.index]
    slow = measured[CHARGE] - measured[DISCHARGE] < SLOW_LOSS
    points = 100 * away[EFFICIENCY]
    found = {"all": rms(points), "slow": rms(points[slow]), "fast": rms(points[~slow])}
    if CHARGE in away:
        predicted = measured[EFFICIENCY] + away[EFFICIENCY]
        found["rank"] = float(spearmanr(predicted, measured[EFFICIENCY]).statistic)
        for name, short in ((CHARGE, "charge"), (DISCHARGE, "discharge"), (INVENTORY, "inventory")):
            found[short] = rms(100 * away[name] / measured[name])
        found["hold"] = rms(1000 * away[HOLD])
    return found


def rms(values: pd.Series) -> float:
    """Return the root of the mean square."""
    return float(np.sqrt((values**2).mean()))


def validation(
    campaign: pd.DataFrame,
    fit: cm.FormationFit,
    settings: Mapping[str, Setting],
    starts: int,
) -> dict[str, dict[str, float]]:
    """Return the scores of every way to predict the campaign.

    Parameters
    ----------
    campaign
        As `read` returns it.
    fit
        To all of it.
    settings
        What is added to the names of rows -> how is fitted when a part is left out.
    starts
        Searches of each of those fits.
    """
    measured, temperature = campaign[OUTCOMES], campaign["temperature [K]"]
    efficiency = measured[[EFFICIENCY]]
    others = (efficiency.sum() - efficiency) / (len(efficiency) - 1)
    each = pd.Series(campaign.index, campaign.index)
    found = {
        "shipped cell": simulated(CELL, campaign) - measured,
        "fitted again, from scratch": simulated(fit.cell, campaign) - measured,
    }
    for how, setting in settings.items():
        left_out, crossed = (
            unseen(campaign, folds, setting, starts) - measured for folds in (each, temperature)
        )
        found[f"each protocol left out in turn{how}"] = left_out
        found |= {f"{part}{how}": crossed[rows] for part, rows in halves(temperature)}
    scatter = campaign["sd"].to_frame(EFFICIENCY)
    found |= {
        "replicates: noise of their means": scatter.div(np.sqrt(campaign["cells"]), axis=0),
        "replicates: scatter of single cells": scatter,
        "mean of the other protocols": others - efficiency,
    }
    for part, rows in halves(temperature):
        found[f"{part}, by its mean"] = efficiency[~rows].mean() - efficiency[rows]
    return {what: scores(away, campaign) for what, away in found.items()}


def halves(temperature: pd.Series) -> list[tuple[str, pd.Series]]:
    """Return the rows of each temperature, and what predicting them from the others is called."""
    return [
        (f"{kelvin - 273.15:.0f} °C from the other temperature", temperature == kelvin)
        for kelvin in temperature.unique()
    ]


def score_table(found: Mapping[str, Mapping[str, float]]) -> str:
    """Return the scores as Markdown."""
    heads = {
        "all": "efficiency, all [points]",
        "slow": "slow",
        "fast": "fast",
        "rank": "rank correlation",
        "charge": "first charge [%]",
        "discharge": "first discharge [%]",
        "inventory": "lithium inventory [%]",
        "hold": "charge of the hold [mA h]",
    }
    lines = [f"| root mean squares | {' | '.join(heads.values())} |", "|---|" + "--:|" * len(heads)]
    for what, row in found.items():
        entries = [_digits(name, row.get(name)) for name in heads]
        lines.append(f"| {what} | {' | '.join(entries)} |")
    return "\n".join(lines)


def _digits(name: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if name == "rank" else f"{value:.2f}"


def parameter_table(fit: cm.FormationFit) -> str:
    """Return what was fitted as Markdown, beside the shipped cell."""
    shipped = cm.load_cell(CELL)
    lines = [
        "| parameter | searched | prior | shipped | fitted again [95 %] | why |",
        "|---|--:|--:|--:|--:|---|",
    ]
    for name, (entry, why) in FITTED.items():
        row = fit.parameters.sel(input=name)
        value, low, high = (
            _short(row[key]) for key in ("fitted_value", "interval_low", "interval_high")
        )
        own = shipped.positive_stoichiometry if name == POSITIVE else shipped.parameters[name]
        lines.append(
            f"| {name} | {entry.low:g} to {entry.high:g} | {prior(entry)} | {_short(own.value)} | "
            f"{value} [{low}-{high}] | {why} |"
        )
    return "\n".join(lines)


def _short(value: float) -> str:
    return f"{float(f'{float(value):.3g}'):g}"


def prior(entry: cm.Parameter) -> str:
    """Return a prior in words; "" where there is none."""
    if entry.prior_mean is None:
        return ""
    if entry.log:
        return f"{entry.prior_mean:g}, factor {math.exp(entry.prior_sd):.1f}"
    return f"{entry.prior_mean:g} +- {entry.prior_sd:g}"


def main() -> None:
    parser = script_parser(__doc__)
    parser.add_argument("table", type=Path, help="measured formations, a CSV file")
    parser.add_argument("--starts", type=int, default=6, help="searches of the fit to all rows")
    parser.add_argument("--fold-starts", type=int, default=2, help="of each other fit")
    given = parser.parse_args()
    logging.getLogger("cellmodel").setLevel(logging.ERROR)  # else 30 fits say what is not known
    campaign = read(given.table)
    fit = fitted(campaign, SHIPPED, given.starts)
    settings = {"": SHIPPED, ", nothing inferred": uninferred(campaign)}
    found = validation(campaign, fit, settings, given.fold_starts)
    slow = (campaign[CHARGE] - campaign[DISCHARGE] < SLOW_LOSS).sum()
    caption = (
        f"{len(campaign)} protocols; slow are the {slow} that lose less than "
        f"{1000 * SLOW_LOSS:g} mA h in the first cycle. Weights of the fit: "
        + ", ".join(f"{plain(name)} {sd:g}" for name, sd in DEVIATIONS.items())
        + f" [A h, 1]. Searches from {given.starts} different starts end at chi-squares of "
        + ", ".join(f"{2 * cost:.1f}" for cost in fit.costs)
        + ", priors included; not one of them, nor any with a part left out, starts at the shipped "
        "numbers. Nothing inferred: each outcome weighs by 1 % of its mean, widths have no prior."
    )
    publish(
        "validation",
        f"{score_table(found)}\n\n{caption}\n\n{parameter_table(fit)}",
        write=given.write,
    )


if __name__ == "__main__":
    main()
