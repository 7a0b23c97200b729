"""Samples of a number known by a value and a range, the same ones whatever the chunk."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from cellmodel.errors import InputError, quoted
from cellmodel.quantity import Range

BLOCK = 4096  # samples that come from one state of the generator
_SEED = Range(0, 2**63 - 1)
_SHARE = Range(0, 1)


@dataclass(frozen=True)
class Draw:
    """The samples `start` to `stop` of a Monte Carlo calculation.

    The value is the median, low and high are the two `quantiles`, exactly, however unlike the
    distances are: on either side of the median the number is lognormal with its own sigma,

        ln x = ln value + z s,    s = ln(high / value) / z_high for z > 0, and
                                  s = ln(low / value) / z_low   for z < 0,

    with z standard normal; the density jumps at the median if the sigmas differ, and the mean is
    not the value. A share (unit "1", at most 1: yields, efficiencies) has ln(x / (1 - x)) in place
    of ln x: for a yield near 1 its loss is lognormal, and it never exceeds 1. On a side where a
    logarithm has no room, because value or end are 0 (or a share is 1), x is linear in z. What
    would leave the range that the number may have is put at its end.

    Numbers of one `family` share a part of z, z = sqrt(r) z_family + sqrt(1 - r) z_own, so that
    any two of them have the correlation r. Every name has a stream of its own, so that further
    inputs, another order and chunks leave the samples of the others as they are.

    Parameters
    ----------
    seed
        Of all streams, a whole number from 0.
    start, stop
        Range of the samples.
    correlation
        r within a family, between 0 and 1.
    quantiles
        What low and high are, for instance the 5th and the 95th percentile.

    Raises
    ------
    InputError
        If a number is out of range.
    """

    seed: int
    start: int
    stop: int
    correlation: float = 0.5
    quantiles: tuple[float, float] = (0.05, 0.95)

    def __post_init__(self) -> None:
        if isinstance(self.seed, float) and not self.seed.is_integer():
            raise InputError(f"seed must be a whole number, got {quoted(self.seed)}")
        _SEED.check("seed", self.seed)
        _SHARE.check("correlation", self.correlation)
        check_quantiles(self.quantiles)

    def number(
        self, name: str, value: float, low: float, high: float, bounds: Range, family: str = ""
    ) -> np.ndarray:
        """Return samples of a number (samples,).

        Parameters
        ----------
        name
            Of its stream.
        value, low, high
            Median and the two quantiles.
        bounds
            What the number may be.
        family
            Of numbers that err together; "" for none.
        """
        if not low <= value <= high:
            raise InputError(
                f"{name}: low <= value <= high must hold, got {low:g}, {value:g}, {high:g}"
            )
        normal = self._normal(name)
        if family:
            normal = correlated(self._normal(f"family {family}"), normal, self.correlation)
        return from_normal(normal, value, low, high, bounds, self.quantiles)

    def _normal(self, stream: str) -> np.ndarray:
        key = int.from_bytes(hashlib.sha256(stream.encode()).digest()[:16], "big")
        first, last = self.start // BLOCK, -(-self.stop // BLOCK)
        blocks = [
            np.random.default_rng([int(self.seed), key, block]).standard_normal(BLOCK)
            for block in range(first, last)
        ]
        whole = np.concatenate(blocks)
        return whole[self.start - first * BLOCK : self.stop - first * BLOCK]


def correlated(common: np.ndarray, own: np.ndarray, correlation: float) -> np.ndarray:
    """Return z of a number in a family, from the family's and its own (samples,)."""
    return math.sqrt(correlation) * common + math.sqrt(1 - correlation) * own


def from_normal(
    normal: np.ndarray,
    value: float,
    low: float,
    high: float,
    bounds: Range,
    quantiles: tuple[float, float],
) -> np.ndarray:
    """Return the number at each z, standard normal (samples,); see `Draw`.

    Parameters
    ----------
    normal
        z.
    value, low, high, bounds, quantiles
        As for `Draw.number` and `Draw`.
    """
    is_share = bounds.unit == "1" and bounds.high == 1
    below, above = (
        _side(normal, value, end, NormalDist().inv_cdf(quantile), is_share)
        for end, quantile in zip((low, high), quantiles, strict=True)
    )
    least = np.nextafter(bounds.low, np.inf) if bounds.above else bounds.low
    most = np.nextafter(bounds.high, -np.inf) if bounds.below else bounds.high
    return np.clip(np.where(normal < 0, below, above), least, most)


def check_quantiles(quantiles: object) -> None:
    """Raise InputError unless these are one share below and one above a half."""
    try:
        low, high = quantiles
    except (TypeError, ValueError):
        raise InputError(f"range_quantiles must be two numbers, got {quoted(quantiles)}") from None
    Range(0, 0.5, above=True, below=True).check("the first of range_quantiles", low)
    Range(0.5, 1, above=True, below=True).check("the second of range_quantiles", high)


def _side(
    normal: np.ndarray, value: float, end: float, normal_at_end: float, is_share: bool
) -> np.ndarray:
    """Return the samples of one side of the median."""
    distance = normal / normal_at_end
    if value == end:
        return np.full_like(distance, value)
    middle, outer = (_logarithm(number, is_share) for number in (value, end))
    if not math.isfinite(middle) or not math.isfinite(outer):
        return value + (end - value) * distance
    # far out on the other side, which is not used, the exponential may overflow
    with np.errstate(over="ignore"):
        raised = np.exp(middle + (outer - middle) * distance)
        return 1 / (1 + 1 / raised) if is_share else raised


def _logarithm(number: float, is_share: bool) -> float:
    if number <= 0 or (is_share and number >= 1):
        return math.inf
    return math.log(number / (1 - number)) if is_share else math.log(number)
