"""Kendall's W: how far annotators put things in the same order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from judging.stats.core.batches import batches
from judging.stats.core.estimate import (
    Estimate,
    FloatArray,
    bootstrap_weights,
    check_confidence,
    percentile_interval,
    resampled_ratio,
)


def kendall_w(
    ratings: npt.ArrayLike,
    *,
    resamples: int = 1000,
    rng: np.random.Generator | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Return Kendall's coefficient of concordance, corrected for ties.

    Parameters
    ----------
    ratings : array_like of float, shape (n_things, m)
        Ratings or ranks of the same things, one column an annotator. Things with a missing value (NaN) are
        left out whole.
    resamples : int
        Number of bootstrap resamples of the things; 0 for no interval.
    rng : numpy.random.Generator, optional
        Source of chance; a generator with seed 0 by default.
    confidence : float
        Level of the percentile interval.

    Returns
    -------
    Estimate
        Between 0 and 1; `n` is the number of complete things. Undefined with fewer than two things or
        annotators, and when every annotator ties all things.

    Raises
    ------
    ValueError
        If the table does not have two dimensions or holds infinity.

    Notes
    -----
    W = 12 S / (m^2 (n^3 - n) - m sum(t^3 - t)), with S the sum of squares of the things' rank sums about their
    mean, mid-ranks, and t the sizes of the ties of each annotator. For m annotators the mean of their
    Spearman correlations is (m W - 1) / (m - 1), so W is about 1 / m when they agree by chance only: do not
    compare W between numbers of annotators. Resampled things are ranked anew, in their resample.

    References
    ----------
    Kendall and Babington Smith (1939), Annals of Mathematical Statistics 10:275-287; Siegel and Castellan
    (1988), Nonparametric Statistics for the Behavioral Sciences, section 9.3, for ties.
    """
    check_confidence(confidence)
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2 or np.isinf(table).any():
        raise ValueError("ratings must be a finite table of things by annotators; NaN is missing.")
    table = table[~np.isnan(table).any(axis=1)]
    n, m = table.shape
    if n < 2 or m < 2:
        return Estimate.undefined("Needs two things that two annotators put in order.", n, confidence)
    point = _concordance(table)
    if not np.isfinite(point):
        return Estimate.undefined("Every annotator ties everything, so there is no order.", n, confidence)
    generator = rng if rng is not None else np.random.default_rng(0)
    draws = [
        _resampled(table, bootstrap_weights(n, size, generator)) for size in batches(resamples, table.size)
    ]
    return percentile_interval(np.concatenate(draws or [np.empty(0)]), point, n, confidence)


def kendall_w_of_sets(
    item: npt.ArrayLike,
    annotator: npt.ArrayLike,
    response: npt.ArrayLike,
    rank: npt.ArrayLike,
    *,
    resamples: int = 1000,
    rng: np.random.Generator | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Return the mean over items of Kendall's W of the item's responses, with an item-bootstrap interval.

    Parameters
    ----------
    item, annotator, response : array_like, shape (n,)
        Whose rank of what in which set.
    rank : array_like of float, shape (n,)
        Ranks or ratings; NaN is missing. An annotator counts for an item when he ranked all that anybody
        ranked there.
    resamples : int
        Number of bootstrap resamples of the items.
    rng : numpy.random.Generator, optional
        Source of chance; a generator with seed 0 by default.
    confidence : float
        Level of the percentile interval.

    Returns
    -------
    Estimate
        Between 0 and 1; `n` is the number of items where W is defined. Undefined without one.

    Raises
    ------
    ValueError
        If lengths differ, a rank is infinite, or an annotator ranked a response of an item twice.

    Notes
    -----
    Each item weighs the same. See `kendall_w`: W is about 1 / m when m annotators agree by chance only.
    """
    check_confidence(confidence)
    columns = {"item": item, "annotator": annotator, "response": response}
    frame = pd.DataFrame({name: np.asarray(column) for name, column in columns.items()})
    frame["rank"] = np.asarray(rank, dtype=np.float64)
    frame = frame.dropna()
    if np.isinf(frame["rank"].to_numpy()).any():
        raise ValueError("Some ranks are infinite.")
    if bool(frame.duplicated(["item", "annotator", "response"]).any()):
        raise ValueError("An annotator ranked the same response of an item twice.")
    each = np.array([_of_one_set(part) for _, part in frame.groupby("item", sort=True)])
    each = each[np.isfinite(each)]
    if each.size == 0:
        return Estimate.undefined("No item has two responses that two annotators ranked.", 0, confidence)
    return mean_over_items(each, resamples, rng, confidence)


def mean_over_items(
    each: FloatArray, resamples: int, rng: np.random.Generator | None, confidence: float
) -> Estimate:
    """Return the mean of one number an item with its item-bootstrap interval; `each` is not empty."""
    n, point = len(each), float(each.mean())
    if n == 1:
        return Estimate(point, None, None, 1, "No interval: there is only one item.", confidence)
    return resampled_ratio(np.column_stack([each, np.ones(n)]), point, n, resamples, rng, confidence)


def _of_one_set(part: pd.DataFrame) -> float:
    """Return W of one item's responses; NaN where it is undefined."""
    table = part.pivot(index="response", columns="annotator", values="rank").to_numpy()
    table = table[:, ~np.isnan(table).any(axis=0)]
    return _concordance(table) if min(table.shape) >= 2 else float("nan")


def _concordance(table: FloatArray) -> float:
    """Return W of a complete table; NaN when all is tied."""
    n, m = table.shape
    ranks = stats.rankdata(table, axis=0)
    squares = float(((ranks.sum(axis=1) - m * (n + 1) / 2) ** 2).sum())
    # An annotator's ranks have the sum of squares (n^3 - n - sum(t^3 - t)) / 12.
    most = m * float(((ranks - (n + 1) / 2) ** 2).sum())
    return squares / most if most > 0 else float("nan")


def _resampled(table: FloatArray, weights: FloatArray) -> FloatArray:
    """Return W for each row of weights; mid-ranks come from cumulative weights of the sorted values."""
    n, m = table.shape
    rank_sum, most = np.zeros_like(weights), np.zeros(len(weights))
    for column in table.T:
        values, code = np.unique(column, return_inverse=True)
        onehot = np.zeros((n, len(values)))
        onehot[np.arange(n), code] = 1.0
        tied = weights @ onehot if len(values) * 4 < n else _grouped(weights, code, len(values))
        middle = np.cumsum(tied, axis=1) - tied / 2 - n / 2
        rank_sum += middle[:, code]
        most += (tied * middle**2).sum(axis=1)
    squares = (weights * rank_sum**2).sum(axis=1)
    return np.asarray(np.divide(squares, m * most, out=np.full(len(weights), np.nan), where=most > 0))


def _grouped(weights: FloatArray, code: npt.NDArray[np.int64], size: int) -> FloatArray:
    """Return the sums of the columns of weights by code, shape (R, size)."""
    order = np.argsort(code, kind="stable")
    starts = np.searchsorted(code[order], np.arange(size))
    return np.asarray(np.add.reduceat(weights[:, order], starts, axis=1))
