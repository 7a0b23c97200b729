"""Fit of a cell's parameters to measured formations."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from cellmodel.cell import Cell, load_cell
from cellmodel.errors import InputError
from cellmodel.fit_parameter import FRESH, Parameter, read_box
from cellmodel.fit_problem import FitProblem
from cellmodel.fit_result import FormationFit, compared, fitted, root_mean_square
from cellmodel.fit_search import FitSearch, own_position
from cellmodel.measurements import read_measurements
from cellmodel.protocol import Protocol
from cellmodel.quantity import Range

logger = logging.getLogger("cellmodel")

Progress = Callable[[int, int], None]


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
        `measurements.OUTCOMES` (left empty where it was not measured) and, optionally,
        "<outcome>_sd", `protocol` and `case`. Outcomes count as independent: with both capacities
        the efficiency says nothing new.
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
        `lithium_inventory` counts lithium in the positive electrode from this stoichiometry [1]. If
        None, it is compared up to a constant, which is fitted: only differences between cases tell.
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
        What these measurements do not tell is named in the log, as a warning.

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
    search = FitSearch(FitProblem(cell, table, box, inventory_origin), iterations, seed, starts)
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

    minima = search.minima(everything, starts, advance, own=own_position(cell, box))
    fit = fitted(search, minima, table.title)
    if fit.unidentifiable:
        logger.warning(
            "not identifiable from these measurements: %s; print(fit) says why",
            ", ".join(fit.unidentifiable),
        )
    if folds is None:
        return fit
    predicted = np.full(search.problem.measured.shape, np.nan)
    for fold in range(folds.max() + 1):
        best = search.minima(folds != fold, fold_starts, advance)[0]
        outcomes = search.simulate(best.position[None])
        left_out = folds == fold
        predicted[:, left_out] = search.problem.settle(outcomes, ~left_out)[0][:, left_out]
    unseen = compared(table, predicted, "predicted")
    return dataclasses.replace(
        fit, cross_validation=unseen, cross_validated_rmse=root_mean_square(unseen)
    )


def _check_count(what: str, count: object, least: int = 1) -> None:
    if isinstance(count, bool) or not isinstance(count, int) or count < least:
        raise InputError(f"{what} must be a whole number of at least {least}, got {count!r}")
