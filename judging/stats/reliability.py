"""How well the mean over annotators would repeat itself with other annotators."""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from judging.stats.estimate import (
    BoolArray,
    Estimate,
    FloatArray,
    batches,
    bootstrap_weights,
    check_confidence,
    percentile_interval,
)


def reliability_of_mean(
    unit: npt.ArrayLike,
    annotator: npt.ArrayLike,
    value: npt.ArrayLike,
    *,
    splits: int = 100,
    resamples: int = 200,
    rng: np.random.Generator | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Return the split-half reliability of each item's mean over its annotators.

    Parameters
    ----------
    unit, annotator : array_like, shape (n,)
        Which item each value belongs to and who gave it.
    value : array_like of float, shape (n,)
        Ratings; NaN is missing.
    splits : int
        Number of random splits of the annotators; all distinct splits are used when there are no more
        than that.
    resamples : int
        Number of bootstrap resamples of the items.
    rng : numpy.random.Generator, optional
        Source of chance; a generator with seed 0 by default.
    confidence : float
        Level of the percentile interval.

    Returns
    -------
    Estimate
        Reliability, at most 1; below 0 when the halves go against each other. `n` is the number of items with
        two or more ratings. Undefined with one annotator, fewer than three such items, or no variance.

    Raises
    ------
    ValueError
        If lengths differ, a label is missing, a value is infinite, an annotator rated an item twice, or
        `splits` is less than one.

    Notes
    -----
    Whole people are put in one half or the other; an item takes part in a split with a rating in each half.
    The correlations of the two half means over items are averaged over the splits as they are, and the
    average is stepped up once: 2 r / (1 + |r|). Averaging Fisher's z would give infinity as soon as one
    split agrees perfectly, and stepping up before averaging would let a single split near -1 dominate.

    The two halves are taken to be parallel. Where annotators differ from item to item, their severity
    stays in the error, as it does in the mean itself. With an odd number of annotators, or when an item's
    annotators fall unevenly, the halves are smaller than half, and the result is slightly too low. The
    interval is for other items and the same annotators.

    References
    ----------
    Spearman (1910) and Brown (1910), British Journal of Psychology 3; the |r| for negative correlations
    is that of Krus and Helmstadter (1993), Educational and Psychological Measurement 53.
    """
    check_confidence(confidence)
    if splits < 1:
        raise ValueError(f"splits must be at least 1, got {splits}.")
    chance = rng if rng is not None else np.random.default_rng(0)
    present, total = _tables(unit, annotator, value)
    if present.shape[1] < 2:
        return Estimate.undefined("Fewer than two annotators, so there are no halves.", 0, confidence)
    rated = np.asarray(present.sum(axis=1)).ravel() >= 2
    n = int(rated.sum())
    if n < 3:
        return Estimate.undefined(
            f"Only {n} items have two or more ratings; three are needed.", n, confidence
        )
    halves = _halves(present.shape[1], splits, chance)
    sums = _half_sums(present[rated], total[rated], halves)
    point = _stepped_up(np.ones((1, n)), sums)[0]
    if not math.isfinite(point):
        return Estimate.undefined("The half means do not vary between items.", n, confidence)
    row = n + 6 * len(halves)
    draws = [_stepped_up(bootstrap_weights(n, size, chance), sums) for size in batches(resamples, row)]
    return percentile_interval(np.concatenate(draws or [np.empty(0)]), float(point), n, confidence)


def _tables(
    unit: npt.ArrayLike, annotator: npt.ArrayLike, value: npt.ArrayLike
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Return who rated what and the centered ratings, both items by annotators."""
    units, people = np.asarray(unit), np.asarray(annotator)
    values = np.asarray(value, dtype=np.float64)
    if not units.shape == people.shape == values.shape or values.ndim != 1:
        raise ValueError("unit, annotator and value must be one-dimensional and equally long.")
    if pd.isna(units).any() or pd.isna(people).any():
        raise ValueError("Some unit or annotator labels are missing.")
    if np.isinf(values).any():
        raise ValueError("Some values are infinite.")
    given = ~np.isnan(values)
    row, unit_labels = pd.factorize(units[given], sort=True)
    column, people_labels = pd.factorize(people[given], sort=True)
    if len(np.unique(row * max(1, len(people_labels)) + column)) != len(row):
        raise ValueError("An annotator rated the same item twice.")
    shape = (len(unit_labels), len(people_labels))
    centered = values[given] - (values[given].mean() if given.any() else 0.0)
    ones = np.ones(len(row))
    return (
        sparse.csr_array((ones, (row, column)), shape=shape),
        sparse.csr_array((centered, (row, column)), shape=shape),
    )


def _halves(n: int, splits: int, rng: np.random.Generator) -> FloatArray:
    """Return 0/1 membership of the first half, shape (splits, n): all distinct splits if they are few."""
    size = n // 2
    even = n % 2 == 0
    distinct = math.comb(n, size) // (2 if even else 1)
    if distinct <= splits:
        chosen = [c for c in itertools.combinations(range(n), size) if not even or c[0] == 0]
        members = np.array(chosen, dtype=np.int64)
    else:
        members = np.argsort(rng.random((splits, n)), axis=1)[:, :size]
    halves = np.zeros((len(members), n))
    np.put_along_axis(halves, members, 1.0, axis=1)
    return halves


def _half_sums(present: sparse.csr_array, total: sparse.csr_array, halves: FloatArray) -> FloatArray:
    """Return per item and split 1, a, b, a a, b b, a b of the half means; zeros if a half has no rating."""
    first, second = halves.T, 1 - halves.T
    counts = (np.asarray(present @ first), np.asarray(present @ second))
    usable: BoolArray = (counts[0] > 0) & (counts[1] > 0)
    a, b = (
        np.divide(np.asarray(total @ half), count, out=np.zeros_like(count), where=usable)
        for half, count in zip((first, second), counts, strict=True)
    )
    return np.stack([usable.astype(np.float64), a, b, a * a, b * b, a * b])


def _stepped_up(weights: FloatArray, sums: FloatArray) -> FloatArray:
    """Return the stepped-up mean split correlation for each row of item weights; NaN where there is none."""
    n, a, b, aa, bb, ab = np.einsum("ri,kis->krs", weights, sums, optimize=True)
    size = np.maximum(n, 1)
    spread_a, spread_b = aa - a * a / size, bb - b * b / size
    # Below this the spread is rounding error of the sums, not variation of the means.
    varied = (n >= 3) & (spread_a > 1e-12 * aa) & (spread_b > 1e-12 * bb)
    scale = np.sqrt(np.where(varied, spread_a * spread_b, 1.0))
    r = np.where(varied, np.clip((ab - a * b / size) / scale, -1, 1), 0.0)
    used = varied.sum(axis=1)
    mean = np.divide(r.sum(axis=1), used, out=np.full(len(weights), np.nan), where=used > 0)
    return np.asarray(2 * mean / (1 + np.abs(mean)))
