"""The result of a fit: the fitted cell, how well it fits, and what the measurements leave open."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import xarray as xr

from cellmodel.cell import Cell
from cellmodel.fit_parameter import FRESH, Box, unit
from cellmodel.fit_search import FitSearch
from cellmodel.least_squares import Minimum, covariance
from cellmodel.measurements import Measurements
from cellmodel.quantity import Quantity
from cellmodel.variables import VARIABLES, label

CONFIDENCE = 0.95
EDGE = 0.005  # of the range: nearer to an end than this is at it
WIDE = 0.8  # of the range: an interval that spans more says next to nothing
TIED = 0.95  # magnitude of a correlation above which two values are known only together
PRIOR_SHARE = 0.9  # of a prior's standard deviation: a wider posterior has learnt nothing
SUFFIX = "-fitted"


@dataclass(frozen=True)
class FormationFit:
    """A fitted cell, how well it fits, and how well its parameters are known.

    Parameters
    ----------
    cell
        With the fitted numbers: source "fitted to ...", certainty "fitted", low and high the ends
        of the 95 % interval, cut off at the bounds. Its name has "-fitted" appended, its source the
        measurements. What the cell was calibrated to before is no longer true, and left out.
    parameters
        Over `input`: fitted_value, standard_error, interval_low, interval_high, each in the unit
        of the coordinate `unit`, and at_bound.
    correlation
        Over `input` and `input_other` [1].
    residuals
        One variable per outcome over `comparison` (measured, simulated, difference) and `case`.
    rmse
        One variable per outcome: root of the mean squared difference.
    unidentifiable
        Name -> why its value is not to be trusted; empty if all are known.
    costs
        Half the weighted sum of squares where each search ended, least first: where they differ,
        there are several minima, and more `starts` may find a better one.
    cross_validation
        As `residuals`, with what is predicted for cases that the fit has not seen; None unless
        asked for.
    cross_validated_rmse
        As `rmse`, of those predictions.
    """

    cell: Cell
    parameters: xr.Dataset
    correlation: xr.DataArray
    residuals: xr.Dataset
    rmse: xr.Dataset
    unidentifiable: Mapping[str, tuple[str, ...]]
    costs: tuple[float, ...]
    cross_validation: xr.Dataset | None = None
    cross_validated_rmse: xr.Dataset | None = None

    def __str__(self) -> str:
        lines = [f"{self.cell.name}: {self.residuals.sizes['case']} cases", "", "parameter"]
        for name in self.parameters["input"].values:
            row = self.parameters.sel(input=name)
            value, low, high = (
                float(row[key]) for key in ("fitted_value", "interval_low", "interval_high")
            )
            lines.append(f"  {name}: {value:.4g}, 95 % between {low:.4g} and {high:.4g}")
        lines += ["", "root mean squared difference"]
        for name, variable in self.rmse.items():
            line = f"  {name} [{variable.attrs['units']}]: {float(variable):.4g}"
            if self.cross_validated_rmse is not None:
                line += f", of cases not seen {float(self.cross_validated_rmse[name]):.4g}"
            lines.append(line)
        if self.unidentifiable:
            lines += ["", "not identifiable from these measurements"]
        for name, reasons in self.unidentifiable.items():
            lines.append(f"  {name}: {'; '.join(reasons)}")
        return "\n".join(lines)


def fitted(search: FitSearch, minima: list[Minimum], title: str) -> FormationFit:
    """Return the result at the best of the minima, without cross-validation.

    Parameters
    ----------
    search
        The search that found them.
    minima
        For all cases, best first.
    title
        Where the measurements come from.
    """
    from scipy.stats import t

    problem, best = search.problem, minima[0]
    box, data = problem.box, best.residuals[: problem.measured.size]
    freedom = search.freedom(np.ones(problem.measurements.size, dtype=bool))
    variance = max(float(data @ data) / freedom, np.finfo(float).tiny)
    spread = covariance(best.jacobian[: data.size], variance, search.prior_sd)
    sd = np.sqrt(np.diag(spread))
    reach = float(t.ppf((1 + CONFIDENCE) / 2, freedom)) * sd
    low, high = best.position - reach, best.position + reach
    at_bound = np.minimum(best.position, 1 - best.position) < EDGE
    values, lows, highs = (box.values(np.clip(u, 0, 1)) for u in (best.position, low, high))
    correlation = spread / np.outer(sd, sd)
    logs = np.array([entry.log for entry in box.parameters.values()])
    inputs = {
        "input": list(box.names),
        "unit": ("input", [unit(name) for name in box.names]),
    }
    parameters = label(
        {
            "fitted_value": ("input", values),
            "standard_error": ("input", sd * box.width * np.where(logs, values, 1.0)),
            "interval_low": ("input", lows),
            "interval_high": ("input", highs),
            "at_bound": ("input", at_bound),
        },
        inputs,
    )
    matrix = label(
        {"correlation": (("input", "input_other"), correlation)},
        {"input": list(box.names), "input_other": list(box.names)},
    )["correlation"]
    table = problem.measurements
    simulated = problem.settle(problem.outcomes(values[None]), np.ones(table.size, dtype=bool))[0]
    residuals = compared(table, simulated, "simulated")
    reasons = _reasons(box, low, high, at_bound, correlation, sd / search.prior_sd)
    protocols = ", ".join(dict.fromkeys(group.protocol.name for group in table.groups))
    what = (
        f"fitted to {', '.join(table.outcomes)} of {table.size} formations under {protocols} "
        f"(fit_formation); {title}"
    )
    quantities = _quantities(what, box, values, lows, highs, reasons)
    return FormationFit(
        _fitted_cell(problem.cell, quantities, what),
        parameters,
        matrix,
        residuals,
        root_mean_square(residuals),
        MappingProxyType(reasons),
        tuple(minimum.cost for minimum in minima),
    )


def _reasons(
    box: Box,
    low: np.ndarray,
    high: np.ndarray,
    at_bound: np.ndarray,
    correlation: np.ndarray,
    prior_share: np.ndarray,
) -> dict[str, tuple[str, ...]]:
    """Return why which parameters are not known, by name."""
    found = {}
    spanned = np.clip(high, 0, 1) - np.clip(low, 0, 1)
    for index, name in enumerate(box.names):
        reasons = []
        if at_bound[index]:
            reasons.append("the value lies at an end of its range")
        if spanned[index] > WIDE:
            reasons.append(f"the 95 % interval spans {100 * spanned[index]:.0f} % of the range")
        elif not at_bound[index] and (low[index] < 0 or high[index] > 1):
            reasons.append("the 95 % interval reaches beyond the range")
        if prior_share[index] > PRIOR_SHARE:
            reasons.append("the prior decides, the measurements add nothing")
        for other, tie in zip(box.names, correlation[index], strict=True):
            if other != name and abs(tie) > TIED:
                reasons.append(f"known only together with '{other}' (correlation {tie:.3f})")
        if reasons:
            found[name] = tuple(reasons)
    return found


def _quantities(
    what: str,
    box: Box,
    values: np.ndarray,
    lows: np.ndarray,
    highs: np.ndarray,
    reasons: Mapping[str, Sequence[str]],
) -> dict[str, Quantity]:
    quantities = {}
    for index, name in enumerate(box.names):
        source = "; ".join([what, *(f"not identifiable: {r}" for r in reasons.get(name, ()))])
        value, low, high = (float(ends[index]) for ends in (values, lows, highs))
        quantities[name] = Quantity(value, unit(name), source, low, high, "fitted")
    return quantities


def _fitted_cell(cell: Cell, quantities: Mapping[str, Quantity], what: str) -> Cell:
    fresh = {name: quantity for name, quantity in quantities.items() if name in FRESH}
    others = {name: quantity for name, quantity in quantities.items() if name not in FRESH}
    return dataclasses.replace(
        cell.replace_parameters(others),
        name=cell.name.removesuffix(SUFFIX) + SUFFIX,
        source=f"{cell.source}; {what}",
        first_cycle_efficiency=None,
        calibration=MappingProxyType({}),
        **fresh,
    )


def compared(table: Measurements, found: np.ndarray, how: str) -> xr.Dataset:
    """Return measured and found outcomes and their difference, over `comparison` and `case`.

    Parameters
    ----------
    table
        The measurements.
    found
        Array, shape (outcomes, cases).
    how
        "simulated" or "predicted".
    """
    coords = {**table.coordinates(), "comparison": ["measured", how, "difference"]}
    data = {
        name: (("comparison", "case"), np.array([measured, mine, mine - measured]))
        for (name, measured), mine in zip(table.outcomes.items(), found, strict=True)
    }
    return label(data, coords)


def root_mean_square(comparison: xr.Dataset) -> xr.Dataset:
    """Return the root of the mean squared difference of each outcome of `compared`."""
    known = comparison.sel(comparison="measured", drop=True).notnull()
    away = comparison.sel(comparison="difference", drop=True)
    data = {
        name: math.sqrt(float((away[name].values[known[name].values] ** 2).mean()))
        for name in away.data_vars
    }
    roots = label({name: ((), value) for name, value in data.items()})
    for name, variable in roots.items():
        variable.attrs["long_name"] = f"root mean squared difference of {VARIABLES[name].long_name}"
    return roots
