"""Parameters of a fit: bounds, scale and prior, and the unit box in which they are searched."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cellmodel.errors import InputError, quoted
from cellmodel.parameter_name import parameter_range, unit_of
from cellmodel.quantity import Range

#: numbers of a cell's table [fresh] that may be fitted besides its PyBaMM parameters
FRESH = ("negative_stoichiometry", "positive_stoichiometry")
_BETWEEN_0_AND_1 = Range(0, 1, "1", above=True, below=True)


@dataclass(frozen=True)
class Parameter:
    """What is known of a parameter before it is fitted.

    Parameters
    ----------
    low, high
        Between which it is searched, in the unit that its name states.
    start
        Where one of the searches starts; if None, the cell's own value where that lies between
        `low` and `high`, else the middle.
    log
        Whether ratios matter, not differences: then it is searched, and its interval is symmetric,
        in its logarithm. If None, where `low` is above 0.
    prior_mean, prior_sd
        Mean and standard deviation of a normal prior, both or neither: the sd is that of the
        natural logarithm where `log` holds (0.7 is a factor of 2), else in the unit.

    Raises
    ------
    InputError
        If bounds are crossed, a number is not finite or outside the bounds, or a prior is half
        given.
    """

    low: float
    high: float
    start: float | None = None
    log: bool | None = None
    prior_mean: float | None = None
    prior_sd: float | None = None

    def __post_init__(self) -> None:
        low, high = (Range().check(key, getattr(self, key)) for key in ("low", "high"))
        if not low < high:
            raise InputError(f"low must lie below high, got {low:g} and {high:g}")
        if self.log is None:
            object.__setattr__(self, "log", low > 0)
        if not isinstance(self.log, bool):
            raise InputError(f"log must be True, False or None, got {quoted(self.log)}")
        if self.log and low <= 0:
            raise InputError(f"low must be above 0 for a logarithm, got {low:g}; give log=False")
        if self.start is not None:
            Range(low, high).check("start", self.start)
        if (self.prior_mean is None) != (self.prior_sd is None):
            raise InputError("a prior must have both prior_mean and prior_sd, or neither")
        if self.prior_mean is not None:
            Range(0 if self.log else -math.inf, above=self.log).check("prior_mean", self.prior_mean)
            Range(0, above=True).check("prior_sd", self.prior_sd)


@dataclass(frozen=True)
class Box:
    """Parameters by name, and the unit box: 0 at `low`, 1 at `high`, logarithms where asked for.

    Parameters
    ----------
    parameters
        Name -> Parameter.
    """

    parameters: Mapping[str, Parameter]

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters' names, in the order of all arrays here."""
        return tuple(self.parameters)

    @property
    def width(self) -> np.ndarray:
        """Width of each range, in its unit or in that of its natural logarithm."""
        return self._scaled("high") - self._scaled("low")

    def position(self, values: np.ndarray) -> np.ndarray:
        """Return where `values`, shape (..., parameters), lie in the unit box."""
        scaled = np.where(self._log, np.log(np.where(self._log, values, 1.0)), values)
        return (scaled - self._scaled("low")) / self.width

    def values(self, position: np.ndarray) -> np.ndarray:
        """Return the values at places in the unit box, shape (..., parameters)."""
        low, high = (
            np.array([getattr(entry, key) for entry in self.parameters.values()], dtype=float)
            for key in ("low", "high")
        )
        position = np.asarray(position)
        scaled = self._scaled("low") + position * self.width
        values = np.where(self._log, np.exp(np.where(self._log, scaled, 0.0)), scaled)
        # at the ends they themselves, not what rounding makes of them
        values = np.where(position <= 0, low, np.where(position >= 1, high, values))
        return np.clip(values, low, high)

    def prior(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation of the priors in the unit box; inf where none is."""
        entries = self.parameters.values()
        sd = np.array([math.inf if p.prior_sd is None else p.prior_sd for p in entries])
        given = np.array([p.low if p.prior_mean is None else p.prior_mean for p in entries])
        return self.position(given), sd / self.width

    @property
    def _log(self) -> np.ndarray:
        return np.array([entry.log for entry in self.parameters.values()])

    def _scaled(self, key: str) -> np.ndarray:
        return np.array(
            [
                math.log(getattr(entry, key)) if entry.log else float(getattr(entry, key))
                for entry in self.parameters.values()
            ]
        )


def read_box(parameters: object) -> Box:
    """Return the parameters of a fit, checked but for whether a cell has them.

    Parameters
    ----------
    parameters
        PyBaMM name, "negative_stoichiometry" or "positive_stoichiometry" (of the fresh cell) ->
        (low, high) or Parameter.

    Raises
    ------
    InputError
        If there is none, bounds are crossed or out of the parameter's range.
    """
    if not isinstance(parameters, Mapping) or not parameters:
        raise InputError(
            "parameters must map at least one name to (low, high) or a Parameter, got "
            f"{quoted(parameters)}"
        )
    read = {}
    for name, entry in parameters.items():
        if not isinstance(name, str):
            raise InputError(f"a parameter is named by a string, got {quoted(name)}")
        bounds = _BETWEEN_0_AND_1 if name in FRESH else parameter_range(name)
        try:
            parameter = entry if isinstance(entry, Parameter) else _from_pair(entry)
            for key in ("low", "high"):
                bounds.check(key, getattr(parameter, key))
        except InputError as error:
            raise InputError(f"parameters['{name}']: {error}") from None
        read[name] = parameter
    return Box(read)


def unit(name: str) -> str:
    """Return the unit of a fitted parameter, "1" for a ratio."""
    return unit_of(name) or "1"


def _from_pair(entry: object) -> Parameter:
    if not isinstance(entry, Sequence) or isinstance(entry, str) or len(entry) != 2:
        raise InputError(f"must be (low, high) or a Parameter, got {quoted(entry)}")
    return Parameter(*entry)
