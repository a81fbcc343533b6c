"""How many annotators are enough: what fewer of them would have shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from judging.stats.agreement import krippendorff_alpha
from judging.stats.counts import Domain, Level, value_counts
from judging.stats.estimate import FloatArray, IntArray, check_confidence
from judging.stats.longform import Ratings, ratings_of
from judging.stats.reliability import reliability_of_mean

_COLUMNS = ["k", "n_items", "alpha", "alpha_width", "mean_width", "reliability"]
_MOST_POINTS = 12


def raters_needed(
    unit: npt.ArrayLike,
    annotator: npt.ArrayLike,
    value: npt.ArrayLike,
    domain: Sequence[float],
    level: Level,
    *,
    ks: Sequence[int] | None = None,
    draws: int = 5,
    resamples: int = 200,
    rng: np.random.Generator | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return precision and reliability for 2, 3, ... annotators an item, drawn from those there are.

    Parameters
    ----------
    unit, annotator : array_like, shape (n,)
        Which item each rating is of and who gave it.
    value : array_like of float, shape (n,)
        Ratings; NaN is missing.
    domain : sequence of numbers, length V
        Admissible values, strictly increasing.
    level : {"nominal", "ordinal", "interval", "ratio"}
        Level of measurement, for alpha.
    ks : sequence of int, optional
        Numbers of annotators; by default from 2 to the most that half of the items have, at most a dozen.
    draws : int
        Number of random subsets of each item's annotators to average over.
    resamples : int
        Number of bootstrap resamples for each width of alpha.
    rng : numpy.random.Generator, optional
        Source of chance; a generator with seed 0 by default.
    confidence : float
        Level of the intervals whose widths are given.

    Returns
    -------
    DataFrame
        One row a k: k, n_items (with k ratings or more), alpha, alpha_width (of its item-bootstrap interval),
        mean_width (of the interval of an item's mean of k ratings, in units of the scale) and reliability of
        the mean of k (at most 1). NaN where undefined. No rows when no item has two ratings.

    Raises
    ------
    ValueError
        If input is wrong as in `reliability_of_mean` and `value_counts`, or some k is less than two.

    Notes
    -----
    Each item keeps k of its annotators at random, each item others, as in a study that assigns them item by
    item; the same order serves all k. Mean width: 2 t sqrt(s^2 / k), s^2 the mean variance within items and t
    with their pooled degrees of freedom. Reliability: the variance of true quality, from
    `reliability_of_mean` with all ratings, over the variance of the means of k. So at the last k it may fall
    short of what the same annotators on all items give: severity cancels there. With k the number of all
    an item's annotators the two agree.
    """
    check_confidence(confidence)
    ratings = ratings_of(unit, annotator, value)
    sizes = np.bincount(ratings.unit, minlength=1)
    chosen = _default_ks(sizes) if ks is None else sorted(set(ks))
    if any(k < 2 for k in chosen):
        raise ValueError("Every k must be at least 2.")
    chance = rng if rng is not None else np.random.default_rng(0)
    true = _true_variance(ratings, chance)
    rows: list[list[float]] = []
    orders = [_random_order(ratings.unit, chance) for _ in range(max(1, draws))]
    for k in (k for k in chosen if (sizes >= k).any()):
        wide = (sizes >= k)[ratings.unit]
        found = np.array([
            _one_subset(ratings, wide & (order < k), domain, level, resamples, chance, confidence)
            for order in orders
        ])  # fmt: skip
        alpha, width, within, spread = (_mean(column) for column in found.T)
        n = int((sizes >= k).sum())
        reach = 2 * float(stats.t.ppf((1 + confidence) / 2, n * (k - 1))) * np.sqrt(within / k)
        reliability = min(true / spread, 1.0) if spread > 0 else np.nan
        rows.append([k, n, alpha, width, reach, reliability])
    return pd.DataFrame(rows, columns=_COLUMNS).astype({"k": np.int64, "n_items": np.int64})


def _default_ks(sizes: IntArray) -> list[int]:
    """Return at most a dozen numbers of annotators, closer together where they are small."""
    most = int(np.quantile(sizes[sizes > 0], 0.5, method="higher")) if (sizes > 0).any() else 0
    if most < 2:
        return []
    if most <= _MOST_POINTS + 1:
        return list(range(2, most + 1))
    return sorted({int(k) for k in np.rint(np.geomspace(2, most, _MOST_POINTS))})


def _random_order(unit: IntArray, chance: np.random.Generator) -> IntArray:
    """Return the place of each rating in a random order of its item's, from 0."""
    order = np.lexsort((chance.random(len(unit)), unit))
    starts = np.cumsum(np.bincount(unit, minlength=1)) - np.bincount(unit, minlength=1)
    place = np.empty(len(unit), dtype=np.int64)
    place[order] = np.arange(len(unit)) - starts[unit[order]]
    return place


def _true_variance(ratings: Ratings, chance: np.random.Generator) -> float:
    """Return the variance of true quality between items; NaN where the reliability is undefined."""
    found = reliability_of_mean(ratings.unit, ratings.annotator, ratings.value, resamples=0, rng=chance)
    sizes = np.bincount(ratings.unit, minlength=1)
    rated = sizes >= 2
    if found.estimate is None:
        return float("nan")
    means = np.bincount(ratings.unit, ratings.value)[rated] / sizes[rated]
    return found.estimate * float(means.var(ddof=1))


def _one_subset(
    ratings: Ratings,
    kept: npt.NDArray[np.bool_],
    domain: Domain,
    level: Level,
    resamples: int,
    chance: np.random.Generator,
    confidence: float,
) -> tuple[float, float, float, float]:
    """Return alpha, its width, the variance within items and that of the means, of one subset."""
    unit, value = pd.factorize(ratings.unit[kept])[0], ratings.value[kept]
    counts, _ = value_counts(unit, value, domain)
    alpha = krippendorff_alpha(counts, domain, level, resamples=resamples, rng=chance, confidence=confidence)
    width = alpha.high - alpha.low if alpha.high is not None and alpha.low is not None else np.nan
    size = np.bincount(unit)
    means = np.bincount(unit, value) / size
    within = float(((value - means[unit]) ** 2).sum() / (len(value) - len(size)))
    spread = float(means.var(ddof=1)) if len(means) > 1 else np.nan
    return alpha.estimate if alpha.estimate is not None else np.nan, width, within, spread


def _mean(column: FloatArray) -> float:
    """Return the mean of what is defined, NaN if nothing is."""
    defined = column[np.isfinite(column)]
    return float(defined.mean()) if defined.size else float("nan")
