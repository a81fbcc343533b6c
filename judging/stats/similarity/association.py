"""Correlation of a scorer with people, pooled over prompts and within them, with an interval over prompts."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from judging.stats.core.estimate import Estimate, FloatArray, IntArray, check_confidence
from judging.stats.core.sample import centered

Method = Literal["spearman", "pearson"]
Scope = Literal["pooled", "within"]

FEWEST = 4
"""Items below which no correlation is computed."""

_CLUSTERS = 200
_TINY = 1e-12


def correlation(
    score: npt.ArrayLike,
    human: npt.ArrayLike,
    prompt: npt.ArrayLike,
    method: Method = "spearman",
    scope: Scope = "pooled",
    *,
    confidence: float = 0.95,
) -> Estimate:
    """Return the correlation of two numbers of each item, with an interval that lets prompts vary.

    Parameters
    ----------
    score, human : array_like, shape (n,)
        The two numbers, finite.
    prompt : array_like, shape (n,)
        Prompt of each item; items of a prompt are not independent.
    method : {"spearman", "pearson"}
        On ranks (ties share their mean rank) or on the numbers.
    scope : {"pooled", "within"}
        Over all items as they are, or within prompts: ranked, where ranks are wanted, and centered by
        prompt, then summed over prompts.
    confidence : float
        Level of the interval.

    Returns
    -------
    Estimate
        Between -1 and 1. `n` counts items; within prompts, those that share their prompt with another. Undefined
        with fewer than four of them or when either number does not vary.

    Raises
    ------
    ValueError
        If lengths differ, a number is not finite, a prompt is missing or a choice is unknown.

    Notes
    -----
    Interval: z = artanh r with its delete-one-prompt jackknife error (delete-a-group with more than 200 prompts),
    Student's t with prompts - 1 degrees of freedom, turned back by tanh. Ranks are those of the items that stay.

    References
    ----------
    Spearman (1904), American Journal of Psychology 15:72-101; Fisher (1921), Metron 1:3-32, for z; Efron and
    Tibshirani (1993), An Introduction to the Bootstrap, chapter 11, for the jackknife.
    """
    check_confidence(confidence)
    if method not in ("spearman", "pearson") or scope not in ("pooled", "within"):
        raise ValueError(f"Unknown method {method!r} or scope {scope!r}.")
    x, y, codes = checked_items(score, human, prompt)
    if scope == "within":
        shared = np.bincount(codes, minlength=1)[codes] > 1 if len(codes) else np.zeros(0, dtype=bool)
        x, y, codes = x[shared], y[shared], codes[shared]
    n = len(x)
    if n < FEWEST:
        what = "items share a prompt with another" if scope == "within" else "items"
        return Estimate.undefined(f"only {n} {what}; {FEWEST} are needed", n, confidence)
    codes = np.unique(codes, return_inverse=True)[1].astype(np.int64)
    point, replicates = _point_and_replicates(x, y, codes, method, scope)
    if not math.isfinite(point):
        return Estimate.undefined(_constant(x, y), n, confidence)
    return _interval(point, replicates, n, confidence)


def checked_items(
    score: npt.ArrayLike, human: npt.ArrayLike, prompt: npt.ArrayLike
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Return two numbers of each item and the code of its prompt; refuse what is not finite."""
    x, y = np.asarray(score, dtype=np.float64), np.asarray(human, dtype=np.float64)
    labels = np.asarray(prompt)
    if not x.shape == y.shape == labels.shape or x.ndim != 1:
        raise ValueError("score, human and prompt must be one-dimensional and equally long.")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("Some numbers are NaN or infinite; leave such items out and say how many.")
    if pd.isna(labels).any():
        raise ValueError("Some prompts are missing.")
    return x, y, pd.factorize(labels, sort=True)[0].astype(np.int64)


def ranks_within(values: FloatArray, prompt: IntArray) -> FloatArray:
    """Return the mean rank of each value among those of its prompt, NaN for NaN.

    Ten times as fast as pandas' for the few hundred values that a jackknife ranks again and again.
    """
    order = np.lexsort((values, prompt))  # NaN last
    value, code = values[order], prompt[order]
    begins = np.ones(len(order), dtype=bool)
    begins[1:] = code[1:] != code[:-1]
    differs = begins.copy()
    differs[1:] |= value[1:] != value[:-1]
    first = np.flatnonzero(differs)
    tie = np.cumsum(differs) - 1
    start = np.flatnonzero(begins)[np.cumsum(begins) - 1]
    ranks = np.empty(len(order))
    ranks[order] = first[tie] - start + (np.diff(first, append=len(order))[tie] + 1) / 2
    ranks[np.isnan(values)] = np.nan
    return ranks


def _constant(x: FloatArray, y: FloatArray) -> str:
    """Return in words what does not vary."""
    if np.ptp(x) == 0:
        return "the scorer gives the same score to all"
    if np.ptp(y) == 0:
        return "people rate all the same"
    return "scores or ratings do not vary within prompts"


def _point_and_replicates(
    x: FloatArray, y: FloatArray, codes: IntArray, method: Method, scope: Scope
) -> tuple[float, FloatArray]:
    """Return the correlation and its values without each group of prompts; NaN where undefined."""
    groups = codes % _CLUSTERS
    if scope == "within":
        if method == "spearman":
            x, y = ranks_within(x, codes), ranks_within(y, codes)
        sums = _sums(centered(x, codes), centered(y, codes), groups)
        total = sums.sum(axis=0)
        both = np.vstack([total, total - sums])
        return _split(_ratio(both[:, 3], both[:, 4], both[:, 5]))
    if method == "pearson":
        sums = _sums(x - x.mean(), y - y.mean(), groups)
        total = sums.sum(axis=0)
        return _split(_from_sums(np.vstack([total, total - sums])))
    tables = [_ranks_without(values, groups) for values in (x, y)]
    stays = np.vstack([np.ones(len(x)), groups != np.arange(groups.max() + 1)[:, None]])
    counts = stays.sum(axis=1)
    a, b = (t - ((t * stays).sum(axis=1) / np.maximum(counts, 1))[:, None] for t in tables)
    a, b = a * stays, b * stays
    return _split(_ratio((a * a).sum(axis=1), (b * b).sum(axis=1), (a * b).sum(axis=1)))


def _split(values: FloatArray) -> tuple[float, FloatArray]:
    """Return the first value and the rest."""
    return float(values[0]), values[1:]


def _sums(x: FloatArray, y: FloatArray, groups: IntArray) -> FloatArray:
    """Return count, sums, squares and products of each group, shape (groups, 6)."""
    columns = (np.ones(len(x)), x, y, x * x, y * y, x * y)
    return np.column_stack([np.bincount(groups, column) for column in columns])


def _from_sums(sums: FloatArray) -> FloatArray:
    """Return Pearson's correlation of each row of count, sums, squares and products."""
    n = np.maximum(sums[:, 0], 1)
    square_x, square_y = sums[:, 3] - sums[:, 1] ** 2 / n, sums[:, 4] - sums[:, 2] ** 2 / n
    # What is left of a constant is rounding error of the sums.
    square_x = np.where(square_x > _TINY * sums[:, 3], square_x, 0.0)
    square_y = np.where(square_y > _TINY * sums[:, 4], square_y, 0.0)
    return _ratio(square_x, square_y, sums[:, 5] - sums[:, 1] * sums[:, 2] / n)


def _ratio(square_x: FloatArray, square_y: FloatArray, product: FloatArray) -> FloatArray:
    """Return product / sqrt(square_x square_y), NaN where either is zero."""
    below = np.sqrt(np.maximum(square_x, 0) * np.maximum(square_y, 0))
    ratio = np.divide(product, below, out=np.full(len(below), np.nan), where=below > 0)
    return np.asarray(np.clip(ratio, -1, 1))


def _ranks_without(values: FloatArray, groups: IntArray) -> FloatArray:
    """Return ranks among all, and among all but each group, shape (1 + groups, n)."""
    table = np.tile(stats.rankdata(values), (int(groups.max()) + 2, 1))
    for group in range(int(groups.max()) + 1):
        gone = np.sort(values[groups == group])
        below = gone.searchsorted(values, "left") + gone.searchsorted(values, "right")
        table[group + 1] -= below / 2
    return table


def _interval(point: float, replicates: FloatArray, n: int, confidence: float) -> Estimate:
    """Return the estimate with its interval by Fisher's z."""
    size = len(replicates)
    if size < 2:
        return Estimate(point, None, None, n, "all items are of one prompt", confidence)
    if abs(point) > 1 - _TINY or not (np.abs(replicates) < 1 - _TINY).all():
        return Estimate(
            point, None, None, n, "the correlation is perfect or undefined without one prompt", confidence
        )
    z = np.arctanh(replicates)
    error = math.sqrt((size - 1) / size * float(((z - z.mean()) ** 2).sum()))
    reach = float(stats.t.ppf((1 + confidence) / 2, size - 1)) * error
    middle = math.atanh(point)
    return Estimate(point, math.tanh(middle - reach), math.tanh(middle + reach), n, None, confidence)
