"""Variances and intervals from leaving one thing out at a time: one way, or two ways and their cells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from judging.stats.core.estimate import NO_WIDTH, Estimate, FloatArray, t_quantile, unbounded_t_interval

NOT_WITHOUT_ONE = "No interval: without one of the units or annotators there would be no result."


@dataclass(frozen=True, slots=True)
class Variance:
    """Jackknife variance and its parts.

    Parameters
    ----------
    total : float
        Of both ways together.
    prompts, annotators : float
        Of leaving out prompts (or units), and what annotators add to that.
    """

    total: float
    prompts: float
    annotators: float

    @property
    def remedy(self) -> str:
        """What there should be more of to make it smaller."""
        return "prompts" if self.prompts > self.annotators else "annotators"


def jackknife_variance(replicates: Sequence[FloatArray]) -> Variance | None:
    """Return the variance of a statistic from its replicates.

    Parameters
    ----------
    replicates : sequence of ndarray, one or three
        The statistic without one prompt (or unit); and, for new annotators too, without one annotator and without
        one prompt-annotator cell, shapes (P,), (M,) and (C,).

    Returns
    -------
    Variance or None
        None when a replicate is undefined or there are fewer than two of a kind.

    Notes
    -----
    V = V_prompt + V_annotator - V_cell, never below V_prompt, each (n - 1)/n times the sum of squared deviations of
    the replicates from their mean. With prompts alone, annotators fixed, it is V_prompt.

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 11. Owen (2007), Annals of Applied
    Statistics 1:386, for two crossed factors.
    """
    if any(len(part) < 2 or not np.isfinite(part).all() for part in replicates):
        return None
    by_prompt, *crossed = (
        float((len(part) - 1) / len(part) * ((part - part.mean()) ** 2).sum()) for part in replicates
    )
    annotators = crossed[0] - crossed[1] if crossed else 0.0
    return Variance(max(by_prompt + annotators, by_prompt), by_prompt, annotators)


def jackknife_interval(
    point: float,
    replicates: Sequence[FloatArray],
    df: float,
    n: int,
    confidence: float,
    *,
    undefined: str = NOT_WITHOUT_ONE,
) -> Estimate:
    """Return a point estimate with the t interval of its jackknife.

    Parameters
    ----------
    point : float
        The statistic in all data.
    replicates : sequence of ndarray
        As for `jackknife_variance`.
    df : float
        Degrees of freedom.
    n : int
        Number of units.
    confidence : float
        Level of the interval.
    undefined : str
        Why there is no interval when a replicate is undefined.

    Returns
    -------
    Estimate
    """
    variance = jackknife_variance(replicates)
    if variance is None:
        return Estimate(point, None, None, n, undefined, confidence)
    if df < 1:
        return Estimate(point, None, None, n, "Too few annotators.", confidence)
    return unbounded_t_interval(point, math.sqrt(variance.total), df, n, confidence)


def bounded_interval(e: Estimate, df: float) -> Estimate:
    """Return a coefficient that can't reach beyond -1 and 1 with its t interval laid on Fisher's scale.

    Parameters
    ----------
    e : Estimate
        With a standard error.
    df : float
        Its degrees of freedom.

    Returns
    -------
    Estimate
        Ends between -1 and 1, the same standard error. Without an interval, as `e`, where that has none or
        where the point is at -1 or 1.

    Notes
    -----
    tanh(artanh r -+ t SE / (1 - r^2)), SE / (1 - r^2) the delta method's standard error of artanh r. An estimate of
    alpha from few units is skewed: a symmetric interval reaches above 1.

    References
    ----------
    Fisher (1921), Metron 1:3-32.
    """
    if e.estimate is None or e.standard_error is None:
        return e
    room = 1 - e.estimate**2
    if room <= 1e-12:
        return Estimate(e.estimate, None, None, e.n, NO_WIDTH, e.confidence)
    middle = math.atanh(e.estimate)
    reach = t_quantile(e.confidence, df) * e.standard_error / room
    low, high = math.tanh(middle - reach), math.tanh(middle + reach)
    return Estimate(e.estimate, low, high, e.n, None, e.confidence, e.standard_error)
