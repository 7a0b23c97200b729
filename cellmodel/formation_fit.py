"""Fit of a cell's parameters to measured formations, with what the measurements leave open."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import xarray as xr

from cellmodel.cell import Cell, load_cell
from cellmodel.errors import InputError
from cellmodel.fit_parameter import FRESH, Box, Parameter, read_box, unit
from cellmodel.fit_problem import FitProblem
from cellmodel.least_squares import Minimum, best_starts, covariance, minimise, screen
from cellmodel.measurements import Measurements, read_measurements
from cellmodel.protocol import Protocol
from cellmodel.quantity import Quantity, Range
from cellmodel.variables import VARIABLES, label

CONFIDENCE = 0.95
EDGE = 0.005  # of the range: nearer to an end than this is at it
WIDE = 0.8  # of the range: an interval that spans more says next to nothing
TIED = 0.95  # magnitude of a correlation above which two values are known only together
PRIOR_SHARE = 0.9  # of a prior's standard deviation: a wider posterior has learnt nothing
SUFFIX = "-fitted"

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class FormationFit:
    """A fitted cell, how well it fits, and how well its parameters are known.

    Parameters
    ----------
    cell
        With the fitted numbers: source "fitted to ...", certainty "fitted", low and high the ends
        of the 95 % interval, cut off at the bounds. Its name has "-fitted" appended.
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


def fit_formation(
    cell: Cell | str | Path,
    protocol: Protocol | str | Path | Sequence[Protocol | str | Path],
    measurements: object,
    parameters: Mapping[str, tuple[float, float] | Parameter],
    *,
    standard_deviations: Mapping[str, float] | None = None,
    source: str = "",
    inventory_origin: float | None = None,
    starts: int = 6,
    iterations: int = 50,
    seed: int = 0,
    cross_validate: str | None = None,
    fold_starts: int = 2,
    progress: Progress | None = None,
) -> FormationFit:
    """Fit parameters of a cell to measured formations, simulated by the kernels.

    Least squares (scipy's trust region reflective) from several starts: the cell's own values and
    the best points of a Latin hypercube. Derivatives are central differences over 1 % of the range
    to either side, simulated all at once. The standard error comes from the Jacobian at the
    minimum with the variance of the residuals, the interval from Student's t.

    Parameters
    ----------
    cell, protocol
        What was formed and how; several protocols if the table has the column `protocol`.
    measurements
        Path of a CSV file, pandas.DataFrame or xarray.Dataset over `case`. Its columns, each
        headed "name [unit]": protocol variables, at least one outcome of
        `measurements.OUTCOMES` and, optionally, "<outcome>_sd", `protocol` and `case`. Outcomes
        count as independent: with both capacities the efficiency says nothing new.
    parameters
        PyBaMM name -> (low, high) or Parameter. Also "negative_stoichiometry" and
        "positive_stoichiometry" of the fresh cell.
    standard_deviations
        Outcome -> standard deviation in its unit, where there is no column; if neither, 1 % of
        its mean. They weigh outcomes and priors against each other; the scale of the intervals
        comes from the residuals.
    source
        Where the measurements come from, for the fitted numbers' source; the file's name if empty.
    inventory_origin
        `lithium_inventory` = lithium in the fresh cell's particles - lithium_loss, where lithium
        in the positive electrode counts from this stoichiometry [1]. If None, it is compared up
        to a constant, which is fitted: only differences between cases tell.
    starts, iterations
        Searches, and steps of each at most.
    seed
        Of the Latin hypercube.
    cross_validate
        "protocol": leave out one protocol, with its variables, at a time; the name of a column,
        "temperature": all cases that share a value. Each refit starts from a Latin hypercube and
        knows nothing of the other fits.
    fold_starts
        Searches per refit.
    progress
        Called with the searches done and in total.

    Returns
    -------
    FormationFit

    Raises
    ------
    InputError
        If an input is wrong, before anything is simulated; or if no vector within the bounds can
        be simulated for every case.
    """
    cell = load_cell(cell)
    box = read_box(parameters)
    table = read_measurements(measurements, protocol, standard_deviations, source)
    if inventory_origin is not None:
        Range(0, 1).check("inventory_origin", inventory_origin)
    for what, count in (
        ("starts", starts),
        ("iterations", iterations),
        ("fold_starts", fold_starts),
    ):
        _check_count(what, count)
    _check_count("seed", seed, least=0)
    for name in box.names:
        if name not in FRESH:
            cell.check_parameter_name(name)
    folds = None if cross_validate is None else table.groups_by(cross_validate)
    search = _Search(FitProblem(cell, table, box, inventory_origin), iterations, seed, starts)
    everything = np.ones(table.size, dtype=bool)
    search.require_enough(everything)
    if folds is not None:
        for fold in range(folds.max() + 1):
            search.require_enough(folds != fold)
    done, total = 0, starts + (0 if folds is None else (folds.max() + 1) * fold_starts)

    def advance() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    minima = search.minima(everything, starts, advance, own=_own_values(cell, box))
    fit = _fitted(search, minima, table.title)
    if folds is None:
        return fit
    predicted = np.full(search.problem.measured.shape, np.nan)
    for fold in range(folds.max() + 1):
        best = search.minima(folds != fold, fold_starts, advance)[0]
        outcomes = search.simulate(best.position[None])
        unseen = folds == fold
        predicted[:, unseen] = search.problem.settle(outcomes, ~unseen)[0][:, unseen]
    compared = _compared(table, predicted, "predicted")
    return dataclasses.replace(fit, cross_validation=compared, cross_validated_rmse=_rmse(compared))


class _Search:
    """Searches over one problem, which share the points of the Latin hypercube."""

    def __init__(self, problem: FitProblem, iterations: int, seed: int, starts: int) -> None:
        self.problem, self.iterations = problem, iterations
        self.prior_mean, self.prior_sd = problem.box.prior()
        self._has_prior = np.isfinite(self.prior_sd)
        self._screen = screen(starts, len(problem.box.names), seed)
        self._screened: np.ndarray | None = None

    def simulate(self, positions: np.ndarray) -> np.ndarray:
        return self.problem.outcomes(self.problem.box.values(positions))

    def residuals(self, positions: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return self._with_priors(self.simulate(positions), positions, rows)

    def _with_priors(
        self, outcomes: np.ndarray, positions: np.ndarray, rows: np.ndarray
    ) -> np.ndarray:
        away = (positions - self.prior_mean)[:, self._has_prior] / self.prior_sd[self._has_prior]
        return np.concatenate([self.problem.residuals(outcomes, rows), away], axis=1)

    def minima(
        self,
        rows: np.ndarray,
        starts: int,
        advance: Callable[[], None],
        own: np.ndarray | None = None,
    ) -> list[Minimum]:
        """Return where the searches ended, the best first."""
        if self._screened is None:
            self._screened = self.simulate(self._screen)
        costs = (self._with_priors(self._screened, self._screen, rows) ** 2).sum(axis=1)
        begin = best_starts(self._screen, costs, starts)
        if own is not None and np.isfinite(self.residuals(own[None], rows)).all():
            begin = np.concatenate([own[None], begin])[:starts]
        if not len(begin):
            reason = self.problem.failure(self.problem.box.values(self._screen[0]))
            raise InputError(
                f"none of {len(self._screen)} vectors of parameters within the bounds gives all "
                f"measured cases; the first fails at {reason}; narrow the bounds, or leave out "
                "cases that the cell cannot run"
            )
        found = []
        for start in begin:
            found.append(minimise(lambda p: self.residuals(p, rows), start, self.iterations))
            advance()
        return sorted(found, key=lambda minimum: minimum.cost)

    def freedom(self, rows: np.ndarray) -> int:
        """Return measured numbers and priors - what is fitted to them."""
        problem = self.problem
        numbers = int(rows.sum()) * len(problem.measured) + int(self._has_prior.sum())
        return numbers - len(problem.box.names) - int(problem.floating.sum())

    def require_enough(self, rows: np.ndarray) -> None:
        """Raise InputError unless there is more to fit to than is fitted."""
        if self.freedom(rows) < 1:
            raise InputError(
                f"{len(self.problem.box.names)} parameters cannot be fitted to {int(rows.sum())} "
                f"cases of {len(self.problem.measured)} outcomes; measure more, fix parameters, "
                "or give them priors"
            )


def _check_count(what: str, count: object, least: int = 1) -> None:
    if isinstance(count, bool) or not isinstance(count, int) or count < least:
        raise InputError(f"{what} must be a whole number of at least {least}, got {count!r}")


def _own_values(cell: Cell, box: Box) -> np.ndarray:
    """Return where the cell itself lies in the box; the middle where it has no number in it."""
    position = np.full(len(box.names), 0.5)
    for index, (name, parameter) in enumerate(box.parameters.items()):
        value = parameter.start
        if value is None and name in FRESH:
            value = getattr(cell, name).value
        elif value is None:
            try:
                value = cell.parameter(name)
            except InputError:  # a function of the set
                continue
        if parameter.low <= value <= parameter.high:
            only = Box({name: parameter})
            position[index] = only.position(np.array([value]))[0]
    return position


def _fitted(search: _Search, minima: list[Minimum], title: str) -> FormationFit:
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
    residuals = _compared(table, simulated, "simulated")
    reasons = _reasons(box, low, high, at_bound, correlation, sd / search.prior_sd)
    quantities = _quantities(table, title, box, values, lows, highs, reasons)
    return FormationFit(
        _with_quantities(problem.cell, quantities),
        parameters,
        matrix,
        residuals,
        _rmse(residuals),
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
        if prior_share[index] > PRIOR_SHARE:
            reasons.append("the prior decides, the measurements add nothing")
        for other, tie in zip(box.names, correlation[index], strict=True):
            if other != name and abs(tie) > TIED:
                reasons.append(f"known only together with '{other}' (correlation {tie:.3f})")
        if reasons:
            found[name] = tuple(reasons)
    return found


def _quantities(
    table: Measurements,
    title: str,
    box: Box,
    values: np.ndarray,
    lows: np.ndarray,
    highs: np.ndarray,
    reasons: Mapping[str, Sequence[str]],
) -> dict[str, Quantity]:
    protocols = ", ".join(dict.fromkeys(group.protocol.name for group in table.groups))
    what = (
        f"fitted to {', '.join(table.outcomes)} of {table.size} formations under {protocols} "
        f"(fit_formation); {title}"
    )
    quantities = {}
    for index, name in enumerate(box.names):
        source = "; ".join([what, *(f"not identifiable: {r}" for r in reasons.get(name, ()))])
        value, low, high = (float(ends[index]) for ends in (values, lows, highs))
        quantities[name] = Quantity(value, unit(name), source, low, high, "fitted")
    return quantities


def _with_quantities(cell: Cell, quantities: Mapping[str, Quantity]) -> Cell:
    fresh = {name: quantity for name, quantity in quantities.items() if name in FRESH}
    others = {name: quantity for name, quantity in quantities.items() if name not in FRESH}
    return dataclasses.replace(
        cell.replace_parameters(others), name=cell.name.removesuffix(SUFFIX) + SUFFIX, **fresh
    )


def _compared(table: Measurements, found: np.ndarray, how: str) -> xr.Dataset:
    coords = {**table.coordinates(), "comparison": ["measured", how, "difference"]}
    data = {
        name: (("comparison", "case"), np.array([measured, mine, mine - measured]))
        for (name, measured), mine in zip(table.outcomes.items(), found, strict=True)
    }
    return label(data, coords)


def _rmse(compared: xr.Dataset) -> xr.Dataset:
    away = compared.sel(comparison="difference", drop=True)
    data = {name: math.sqrt(float((away[name].values ** 2).mean())) for name in away.data_vars}
    roots = label({name: ((), value) for name, value in data.items()})
    for name, variable in roots.items():
        variable.attrs["long_name"] = f"root mean squared difference of {VARIABLES[name].long_name}"
    return roots
