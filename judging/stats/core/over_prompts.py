"""Numbers one a prompt in, means with intervals over prompts out."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import numpy.typing as npt

from judging.stats.core.estimate import (
    Estimate,
    FloatArray,
    bootstrap_weights,
    check_confidence,
    percentile_interval,
    unbounded_t_interval,
)

RESAMPLES = 1000
TWO_PROMPTS = "Only two prompts: too few to tell how it varies from prompt to prompt."


def chance_of(prompt: str) -> np.random.Generator:
    """Return the source of chance of one prompt: the same wherever and in whatever order it is measured.

    Parameters
    ----------
    prompt : str
        The prompt's key.

    Returns
    -------
    numpy.random.Generator
        Seeded by a hash of the key.
    """
    return np.random.default_rng(int.from_bytes(hashlib.blake2b(prompt.encode(), digest_size=8).digest()))


def means_over_prompts(
    values: npt.ArrayLike,
    *,
    resamples: int = RESAMPLES,
    rng: np.random.Generator | None = None,
    confidence: float = 0.95,
    undefined: str = "No prompt has what this needs.",
) -> list[Estimate]:
    """Return the mean of each column over prompts with its bootstrap interval.

    Parameters
    ----------
    values : array_like, shape (P, k)
        One row a prompt; NaN where a prompt has no such number.
    resamples : int
        Bootstrap resamples of prompts, the same for every column.
    rng : numpy.random.Generator, optional
        Source of chance; a generator with seed 0 by default.
    confidence : float
        Level of the percentile intervals.
    undefined : str
        Why a column without a number has none.

    Returns
    -------
    list of Estimate, length k
        `n` counts the prompts with a number.

    Raises
    ------
    ValueError
        If `values` does not have two dimensions.

    Notes
    -----
    Prompts weigh alike, whatever their number of responses. A resample with none of a column's prompts leaves
    it undefined there.
    """
    check_confidence(confidence)
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError(f"values must have two dimensions, got {table.ndim}.")
    if not len(table):
        return [Estimate.undefined(undefined, 0, confidence) for _ in table.T]
    draws = resampled_means(table, resamples, rng)
    return [
        _estimate(column, drawn, confidence, undefined)
        for column, drawn in zip(table.T, draws.T, strict=True)
    ]


def mean_of_finite(values: FloatArray) -> float:
    """Return the mean of what is finite.

    Parameters
    ----------
    values : ndarray
        Of any shape.

    Returns
    -------
    float
        NaN when nothing is finite.
    """
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else float("nan")


def column_means(table: FloatArray) -> FloatArray:
    """Return each column's mean over its finite values.

    Parameters
    ----------
    table : ndarray, shape (P, k)

    Returns
    -------
    ndarray, shape (k,)
        NaN for a column without a finite value.
    """
    finite = np.isfinite(table)
    n = finite.sum(axis=0)
    total = np.where(finite, table, 0.0).sum(axis=0)
    return np.asarray(np.divide(total, n, out=np.full(table.shape[1], np.nan), where=n > 0))


def resampled_means(table: FloatArray, resamples: int, rng: np.random.Generator | None) -> FloatArray:
    """Return each column's mean over its finite values in bootstrap resamples of the rows.

    Parameters
    ----------
    table : ndarray, shape (P, k)
        One row a prompt.
    resamples : int
        Number of resamples, the same rows for every column.
    rng : numpy.random.Generator or None
        Source of chance; None for a generator with seed 0.

    Returns
    -------
    ndarray, shape (resamples, k)
        NaN where a resample holds no prompt with a number.
    """
    weights = bootstrap_weights(len(table), resamples, rng if rng is not None else np.random.default_rng(0))
    finite = np.isfinite(table)
    total, n = weights @ np.where(finite, table, 0.0), weights @ finite.astype(np.float64)
    return np.asarray(np.divide(total, n, out=np.full(total.shape, np.nan), where=n > 0))


def _estimate(column: FloatArray, drawn: FloatArray, confidence: float, undefined: str) -> Estimate:
    """Return one column's mean with its interval."""
    n = int(np.isfinite(column).sum())
    if n == 0:
        return Estimate.undefined(undefined, 0, confidence)
    point = mean_of_finite(column)
    if n == 1:
        return Estimate(point, None, None, 1, "Only one prompt.", confidence)
    if n == 2:
        # Resamples of two prompts are the two themselves: an interval between them covers half the time.
        return Estimate(point, None, None, 2, TWO_PROMPTS, confidence)
    return percentile_interval(drawn, point, n, confidence)


def ratio(sums: FloatArray) -> FloatArray:
    """Return first over second sum.

    Parameters
    ----------
    sums : ndarray, shape (..., 2)
        What is counted, and out of how much.

    Returns
    -------
    ndarray, shape (...)
        NaN over nothing.
    """
    below = sums[..., 1]
    return np.asarray(np.divide(sums[..., 0], below, out=np.full(below.shape, np.nan), where=below > 0))


def ratio_over_prompts(
    sums: FloatArray, n: int, confidence: float = 0.95, why: str = "nothing to count"
) -> Estimate:
    """Return a ratio of sums over prompts with an interval that lets prompts vary.

    Parameters
    ----------
    sums : ndarray, shape (P, 2)
        Of each prompt: what is counted, and out of how much.
    n : int
        What the estimate says it rests on.
    confidence : float
        Level of the interval.
    why : str
        The reason when there is nothing to divide by.

    Returns
    -------
    Estimate
        Ratio of the totals with a t interval.

    Notes
    -----
    Delete-one-prompt jackknife, prompts - 1 degrees of freedom, over the prompts that have something to count.
    """
    some = sums[sums[:, 1] > 0]
    if not len(some):
        return Estimate.undefined(why, n, confidence)
    point = float(ratio(some.sum(axis=0)))
    size = len(some)
    if size < 2:
        return Estimate(point, None, None, n, "all are of one prompt", confidence)
    without = ratio(some.sum(axis=0) - some)
    error = math.sqrt((size - 1) / size * float(((without - without.mean()) ** 2).sum()))
    return unbounded_t_interval(point, error, size - 1, n, confidence)
