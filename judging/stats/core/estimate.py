"""One number with its interval, or the reason why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy import stats

from judging.stats.core.batches import batches

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

NO_WIDTH = "No interval: nothing in these data varies enough to show how far chance would move the result."


@dataclass(frozen=True, slots=True)
class Estimate:
    """A statistic with its confidence interval and the number of things it rests on.

    Parameters
    ----------
    estimate : float or None
        Point estimate; None when the statistic is undefined.
    low, high : float or None
        Ends of the confidence interval; None when there is no interval.
    n : int
        Number of units the estimate rests on (its function says which units).
    reason : str or None
        In words, why the estimate or its interval is missing.
    confidence : float
        Level of the interval, between 0 and 1.
    standard_error : float or None
        Standard error, where the statistic has an analytic one.

    Raises
    ------
    ValueError
        If a number is not finite, if only one end of the interval is given, if the ends are in the wrong
        order, or if something is missing without a reason.

    Notes
    -----
    An interval without a width claims certainty that no sample gives (three items on which two annotators
    agree are not 1 [1, 1]): it is dropped, with the reason, and so is a standard error of 0.
    """

    estimate: float | None
    low: float | None
    high: float | None
    n: int
    reason: str | None = None
    confidence: float = 0.95
    standard_error: float | None = None

    def __post_init__(self) -> None:
        """Refuse what would show a reader a number that is none."""
        check_confidence(self.confidence)
        numbers = [x for x in (self.estimate, self.low, self.high) if x is not None]
        if not all(math.isfinite(x) for x in (*numbers, self.standard_error or 0.0)):
            raise ValueError("An estimate and its interval must be finite numbers; use None and a reason.")
        if (self.low is None) != (self.high is None):
            raise ValueError("An interval needs both ends or neither.")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"The interval is reversed: {self.low} > {self.high}.")
        if len(numbers) < 3 and not self.reason:
            raise ValueError("A missing estimate or interval needs a reason.")
        if (
            self.low is not None
            and self.high is not None
            and self.high - self.low <= 1e-12 * max(map(abs, numbers))
        ):
            object.__setattr__(self, "low", None)
            object.__setattr__(self, "high", None)
            object.__setattr__(self, "standard_error", self.standard_error or None)
            object.__setattr__(self, "reason", self.reason or NO_WIDTH)

    @classmethod
    def undefined(cls, reason: str, n: int, confidence: float = 0.95) -> Self:
        """Return the estimate of a statistic that these data do not define.

        Parameters
        ----------
        reason : str
            Why, in words for a researcher.
        n : int
            Number of units there were.
        confidence : float
            Level the interval would have had.

        Returns
        -------
        Estimate
            With None for the estimate and the interval.

        Raises
        ------
        ValueError
            If `reason` is empty.
        """
        return cls(None, None, None, n, reason, confidence)


def check_confidence(confidence: float) -> None:
    """Raise unless a confidence level is strictly between 0 and 1.

    Parameters
    ----------
    confidence : float
        Level of an interval.

    Raises
    ------
    ValueError
        If it is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence}.")


def percentile_interval(draws: FloatArray, point: float, n: int, confidence: float) -> Estimate:
    """Return a point estimate with the percentile interval of its bootstrap draws.

    Parameters
    ----------
    draws : ndarray, shape (resamples,)
        The statistic in each resample; NaN where the resample leaves it undefined.
    point : float
        The statistic in the data.
    n : int
        Number of units that were resampled.
    confidence : float
        Level of the interval.

    Returns
    -------
    Estimate
        Without an interval, and with a reason, when more than 5 % of the resamples leave the statistic
        undefined: the percentiles of the rest would be those of a favorable selection.

    Raises
    ------
    ValueError
        If `confidence` is not between 0 and 1.

    Notes
    -----
    Ends are the (1 - c)/2 and (1 + c)/2 quantiles of the draws.

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 13.
    """
    check_confidence(confidence)
    defined = draws[np.isfinite(draws)]
    if draws.size == 0 or defined.size < 0.95 * draws.size:
        lost = draws.size - defined.size
        reason = (
            f"No interval: {lost} of {draws.size} resamples leave the statistic undefined, "
            "because too few units differ from the rest."
            if draws.size
            else "No interval: no resamples were asked for."
        )
        return Estimate(point, None, None, n, reason, confidence)
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    if high - low <= 1e-12:
        # Rounding error: what is resampled here is of the size of 1.
        return Estimate(point, None, None, n, NO_WIDTH, confidence)
    return Estimate(point, float(low), float(high), n, None, confidence)


def clustered_error(influence: FloatArray, groups: IntArray) -> float | None:
    """Return the standard error of a mean of influences, groups of them being drawn together.

    Parameters
    ----------
    influence : ndarray, shape (n,)
        What each unit adds to the statistic, centered: the statistic is about its true value plus their mean.
    groups : ndarray of int, shape (n,)
        Group of each unit, 0 to G - 1.

    Returns
    -------
    float or None
        None with a single group.

    Notes
    -----
    sqrt(G / (G - 1) sum_g (sum of influence in g)^2) / n; with one unit a group sqrt(sum influence^2 / (n (n - 1))).
    """
    n = int(groups.max()) + 1
    if n < 2:
        return None
    sums = np.bincount(groups, influence)
    return math.sqrt(n / (n - 1) * float((sums**2).sum())) / len(influence)


def t_interval(
    point: float, error: float | None, df: int, n: int, confidence: float, *, reason: str = "No interval."
) -> Estimate:
    """Return a coefficient of agreement with its t interval, cut at 1.

    Parameters
    ----------
    point : float
        The statistic.
    error : float or None
        Its standard error; None leaves it without an interval.
    df : int
        Degrees of freedom.
    n : int
        Number of units.
    confidence : float
        Level of the interval.
    reason : str
        Why there is no interval, when there is none.

    Returns
    -------
    Estimate
        With `error` as its standard error.
    """
    if error is None or df < 1:
        return Estimate(point, None, None, n, reason, confidence)
    wide = unbounded_t_interval(point, error, df, n, confidence)
    return wide if wide.high is None else replace(wide, high=min(wide.high, max(1.0, point)))


def unbounded_t_interval(point: float, error: float, df: float, n: int, confidence: float) -> Estimate:
    """Return a point estimate with its t interval.

    Parameters
    ----------
    point : float
        The statistic.
    error : float
        Its standard error.
    df : float
        Degrees of freedom.
    n : int
        Number of units.
    confidence : float
        Level of the interval.

    Returns
    -------
    Estimate
        With `error` as its standard error.
    """
    reach = t_quantile(confidence, df) * error
    return Estimate(point, point - reach, point + reach, n, None, confidence, error)


@lru_cache(maxsize=1000)
def t_quantile(confidence: float, df: float) -> float:
    """Return how many standard errors an interval reaches on either side.

    Parameters
    ----------
    confidence : float
        Its level.
    df : float
        Degrees of freedom of Student's t.

    Returns
    -------
    float
    """
    return float(stats.t.ppf((1 + confidence) / 2, df))


def as_share(e: Estimate) -> Estimate:
    """Return the estimate of a share with its interval cut at 0 and 1.

    Parameters
    ----------
    e : Estimate
        Of something between 0 and 1.

    Returns
    -------
    Estimate
    """
    if e.low is None or e.high is None:
        return e
    return replace(e, low=max(0.0, e.low), high=min(1.0, e.high))


def totals(code: IntArray, values: FloatArray, size: int = 0) -> FloatArray:
    """Return the sum of values of each code.

    Parameters
    ----------
    code : ndarray of int, shape (n,)
        Codes from 0.
    values : ndarray, shape (n,)
        What to add up.
    size : int
        Least number of codes.

    Returns
    -------
    ndarray, shape (max(size, largest code + 1),)
        Zero for a code without a value.
    """
    return np.asarray(np.bincount(code, values, minlength=size), dtype=np.float64)


def bootstrap_weights(n: int, resamples: int, rng: np.random.Generator) -> FloatArray:
    """Return how often each of n units is drawn in each bootstrap resample.

    Parameters
    ----------
    n : int
        Number of units.
    resamples : int
        Number of resamples.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    ndarray, shape (resamples, n)
        Multinomial counts; each row sums to n.

    Raises
    ------
    ValueError
        If `n` is less than one or `resamples` is negative.

    Notes
    -----
    Drawing n indices and counting them has the multinomial distribution (n; 1/n, ..., 1/n) and is about ten
    times as fast as `Generator.multinomial`, which walks through n binomials.
    """
    if n < 1 or resamples < 0:
        raise ValueError(f"Need n >= 1 and resamples >= 0, got n={n}, resamples={resamples}.")
    drawn = rng.integers(0, n, size=(resamples, n))
    drawn += np.arange(resamples)[:, None] * n
    counts = np.bincount(drawn.ravel(), minlength=resamples * n)
    return counts.reshape(resamples, n).astype(np.float64)


def resampled_ratio(
    sums: FloatArray,
    point: float,
    n: int,
    resamples: int,
    rng: np.random.Generator | None,
    confidence: float,
) -> Estimate:
    """Return a ratio of two sums over groups with the percentile interval of resampled groups.

    Parameters
    ----------
    sums : ndarray, shape (G, 2)
        Of each group: what is counted, and out of how much.
    point : float
        The ratio of their totals.
    n : int
        What the estimate says it rests on.
    resamples : int
        Number of bootstrap resamples of the groups; 0 for no interval.
    rng : numpy.random.Generator or None
        Source of chance; a generator with seed 0 by default.
    confidence : float
        Level of the interval.

    Returns
    -------
    Estimate
        As from `percentile_interval`.
    """
    generator = rng if rng is not None else np.random.default_rng(0)
    drawn = [bootstrap_weights(len(sums), size, generator) @ sums for size in batches(resamples, len(sums))]
    top, bottom = np.concatenate(drawn or [np.empty((0, 2))]).T
    return percentile_interval(top / bottom, point, n, confidence)
