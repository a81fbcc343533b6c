"""Intraclass correlations: how much of the variation of ratings lies between the items."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from judging.stats.core.estimate import Estimate, FloatArray, check_confidence

IccKind = Literal["ICC1", "ICC2", "ICC3", "ICC1k", "ICC2k", "ICC3k"]

_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Icc(Estimate):
    """An intraclass correlation with the F test that it is zero.

    Parameters
    ----------
    estimate, low, high, n, reason, confidence, standard_error
        As in `Estimate`; n is the number of items.
    f : float or None
        Ratio of mean squares; None when there is no variation within items to divide by.
    df1, df2 : float or None
        Its degrees of freedom.
    p : float or None
        Chance of so large a ratio when the items do not differ.
    """

    f: float | None = None
    df1: float | None = None
    df2: float | None = None
    p: float | None = None


@dataclass(frozen=True, slots=True)
class _Squares:
    """Mean squares of an items x annotators table: items, annotators, error, within items."""

    n: int
    k: int
    items: float
    annotators: float
    error: float
    within: float


def icc(ratings: npt.ArrayLike, kind: IccKind, *, confidence: float = 0.95) -> Icc:
    """Return one of the six intraclass correlations of Shrout and Fleiss.

    Parameters
    ----------
    ratings : array_like of float, shape (n_items, k)
        One row an item, one column an annotator. Items with a missing rating (NaN) are left out whole; for
        incomplete designs see `one_way_icc` and `variance_components`.
    kind : {"ICC1", "ICC2", "ICC3", "ICC1k", "ICC2k", "ICC3k"}
        1: other annotators for each item; 2: annotators drawn at random, all rate all, absolute agreement;
        3: these annotators, consistency. With k: of the mean of the k ratings. Also known as ICC(1,1),
        ICC(A,1), ICC(C,1), ICC(1,k), ICC(A,k) and ICC(C,k).
    confidence : float
        Level of the interval.

    Returns
    -------
    Icc
        At most 1; below 0 when items differ less than chance would have it. Undefined with fewer than two
        complete items or annotators, and when the items' means do not vary.

    Raises
    ------
    ValueError
        If the table does not have two dimensions, holds infinity, or the kind is unknown.

    Notes
    -----
    With mean squares of items B, annotators J, error E and within items W:
    ICC1 = (B - W) / (B + (k - 1) W), ICC2 = (B - E) / (B + (k - 1) E + k (J - E) / n),
    ICC3 = (B - E) / (B + (k - 1) E), ICC1k = (B - W) / B, ICC2k = (B - E) / (B + (J - E) / n),
    ICC3k = (B - E) / B. Intervals from F distributions, for ICC2 with Satterthwaite's degrees of freedom; they
    take errors to be normal.

    References
    ----------
    Shrout and Fleiss (1979), Psychological Bulletin 86:420-428; McGraw and Wong (1996), Psychological Methods
    1:30-46.
    """
    check_confidence(confidence)
    if kind not in get_args(IccKind):
        raise ValueError(f"Unknown kind {kind!r}; use one of {', '.join(get_args(IccKind))}.")
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2 or np.isinf(table).any():
        raise ValueError("ratings must be a finite table of items by annotators; NaN is missing.")
    table = table[~np.isnan(table).any(axis=1)]
    n, k = table.shape
    if n < 2 or k < 2:
        return Icc.undefined("Needs two items with a rating by each of two annotators.", n, confidence)
    squares = _squares(table)
    if squares.items <= _ROUNDING * (squares.items + squares.within):
        return Icc.undefined("The items' means do not vary.", n, confidence)
    if kind in ("ICC1", "ICC1k"):
        single = _f_interval(n, float(k), squares.items, squares.within, n * (k - 1), confidence)
    elif kind in ("ICC3", "ICC3k"):
        single = _f_interval(n, float(k), squares.items, squares.error, (n - 1) * (k - 1), confidence)
    else:
        single = _two_way(squares, confidence)
    return _of_mean(single, float(k)) if kind.endswith("k") else single


def one_way_icc(unit: npt.ArrayLike, value: npt.ArrayLike, *, k: int = 1, confidence: float = 0.95) -> Icc:
    """Return the one-way intraclass correlation for any number of ratings an item.

    Parameters
    ----------
    unit : array_like, shape (n,)
        Item each rating belongs to.
    value : array_like of float, shape (n,)
        Ratings; NaN is missing.
    k : int
        1 for a single rating, else of the mean of k ratings (any k, by Spearman and Brown).
    confidence : float
        Level of the interval.

    Returns
    -------
    Icc
        At most 1; `n` is the number of items with a rating. Undefined with fewer than two items, without an
        item that has two ratings, and without variation.

    Raises
    ------
    ValueError
        If lengths differ, a label is missing, a value is infinite, or `k` is less than one.

    Notes
    -----
    (B - W) / (B + (k0 - 1) W) with k0 = (N - sum n_i^2 / N) / (I - 1). The interval is exact for normal errors
    and equal n_i, and approximate otherwise. **All variation between annotators counts as error**, also
    severity that the items share: where a few annotators rate nearly everything this is lower than the
    reliability of the order of the means (`reliability_of_mean`), and may be negative with good data.

    References
    ----------
    Searle, Casella and McCulloch (1992), Variance Components, section 3.6; Donner (1986), International
    Statistical Review 54:67-82.
    """
    check_confidence(confidence)
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}.")
    units, values = np.asarray(unit), np.asarray(value, dtype=np.float64)
    if units.shape != values.shape or values.ndim != 1:
        raise ValueError("unit and value must be one-dimensional and equally long.")
    if pd.isna(units).any() or np.isinf(values).any():
        raise ValueError("Some unit labels are missing or some values infinite.")
    known = ~np.isnan(values)
    code, y = pd.factorize(units[known])[0], values[known]
    sizes = np.bincount(code)
    n, total = len(sizes), len(y)
    if n < 2 or total == n:
        return Icc.undefined("Needs two items, and an item with two ratings.", n, confidence)
    y = y - y.mean()
    means = np.bincount(code, y) / sizes
    between = float((sizes * means**2).sum()) / (n - 1)
    within = float(((y - means[code]) ** 2).sum()) / (total - n)
    if between + within <= 0:
        return Icc.undefined("The ratings do not vary.", n, confidence)
    typical = (total - float((sizes.astype(np.float64) ** 2).sum()) / total) / (n - 1)
    interval = _f_interval(n, typical, between, within, total - n, confidence)
    return interval if k == 1 else _of_mean(interval, float(k))


def _squares(table: FloatArray) -> _Squares:
    """Return the mean squares of a complete table."""
    n, k = table.shape
    table = table - table.mean()
    rows, columns = table.mean(axis=1), table.mean(axis=0)
    within = float(((table - rows[:, None]) ** 2).sum())
    residual = float(((table - rows[:, None] - columns) ** 2).sum())
    items = k * float((rows**2).sum()) / (n - 1)
    if residual <= _ROUNDING * (items + within):
        residual = 0.0
    if within <= _ROUNDING * items:
        within = 0.0
    annotators = n * float((columns**2).sum()) / (k - 1)
    return _Squares(n, k, items, annotators, residual / ((n - 1) * (k - 1)), within / (n * (k - 1)))


def _f_interval(n: int, k: float, between: float, error: float, df2: float, confidence: float) -> Icc:
    """Return (B - E) / (B + (k - 1) E) with its exact F interval."""
    if error == 0:
        return Icc(1.0, 1.0, 1.0, n, None, confidence)
    f, df1, tail = between / error, float(n - 1), (1 - confidence) / 2
    low, high = (f / float(stats.f.ppf(q, df1, df2)) for q in (1 - tail, tail))
    point, low, high = ((x - 1) / (x + k - 1) for x in (f, low, high))
    return Icc(point, low, high, n, None, confidence, None, f, df1, df2, float(stats.f.sf(f, df1, df2)))


def _two_way(s: _Squares, confidence: float) -> Icc:
    """Return ICC2 with the interval of Shrout and Fleiss."""
    n, k = s.n, s.k
    point = (s.items - s.error) / (s.items + (k - 1) * s.error + k * (s.annotators - s.error) / n)
    if s.error == 0:
        reason = "No interval: annotators differ by constants only, so there is no error to judge it by."
        if s.annotators <= _ROUNDING * s.items:
            return Icc(1.0, 1.0, 1.0, n, None, confidence)
        return Icc(point, None, None, n, reason, confidence)
    f, df1, df2 = s.items / s.error, float(n - 1), float((n - 1) * (k - 1))
    ratio = s.annotators / s.error
    a, b = k * point, n * (1 + (k - 1) * point) - k * point
    df = df2 * (a * ratio + b) ** 2 / (df1 * (a * ratio) ** 2 + b**2)
    tail = (1 - confidence) / 2
    lower, upper = stats.f.ppf(1 - tail, df1, df), stats.f.ppf(1 - tail, df, df1)
    rest = k * s.annotators + (k * n - k - n) * s.error
    low = n * (s.items - lower * s.error) / (lower * rest + n * s.items)
    high = n * (upper * s.items - s.error) / (rest + n * upper * s.items)
    p = float(stats.f.sf(f, df1, df2))
    return Icc(
        point, min(float(low), point), max(float(high), point), n, None, confidence, None, f, df1, df2, p
    )


def _of_mean(single: Icc, k: float) -> Icc:
    """Return the correlation of a mean of k ratings, by Spearman and Brown."""
    if single.estimate is None:
        return single
    if 1 + (k - 1) * single.estimate <= _ROUNDING:
        reason = "Single ratings agree so much less than by chance that their mean has no reliability."
        return Icc.undefined(reason, single.n, single.confidence)
    point = _step_up(single.estimate, k)
    tests = (None, single.f, single.df1, single.df2, single.p)
    if single.low is None or single.high is None:
        return Icc(point, None, None, single.n, single.reason, single.confidence, *tests)
    low, high = _step_up(single.low, k), _step_up(single.high, k)
    if not math.isfinite(low):
        reason = "No interval: its lower end lies below every reliability a mean can have."
        return Icc(point, None, None, single.n, reason, single.confidence, *tests)
    return Icc(point, low, high, single.n, None, single.confidence, *tests)


def _step_up(single: float, k: float) -> float:
    """Return k r / (1 + (k - 1) r), minus infinity from -1 / (k - 1) down."""
    below = 1 + (k - 1) * single
    return k * single / below if below > _ROUNDING else -math.inf
