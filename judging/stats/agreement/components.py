"""Where the variance of ratings lies: items, annotators, the rest; and what a mean of k ratings is worth."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from judging.stats.core.estimate import (
    BoolArray,
    Estimate,
    FloatArray,
    IntArray,
    as_share,
    check_confidence,
    totals,
)
from judging.stats.core.jackknife import jackknife_interval
from judging.stats.core.longform import Ratings, ratings_of

_UNDEFINED = (
    "Items, annotators and the rest can't be told apart: too few ratings share an item or an annotator."
)
_FRAGILE = "No interval: the result hangs on a single item or annotator."
_FEW = "No interval: it takes three items and three annotators."
_CHUNK = 200_000


@dataclass(frozen=True, slots=True)
class VarianceComponents:
    """Components of one rating's variance, in squared units of the scale.

    Parameters
    ----------
    item, annotator, residual : Estimate
        Variance of true quality, of annotators' severity, and of the rest (taste and slips, which single
        ratings do not tell apart). Unbiased, so a small one may come out negative. n is the number of items.
    n_annotators : int
        Number of annotators.
    whole : ndarray, shape (3,)
        The three, in units in which ratings are of the size of 1; NaN where undefined.
    without_item, without_annotator, without_rating : ndarray, shape (items or annotators or ratings, 3)
        The same when one item, annotator or rating is left out, for intervals of what is made of them.
    """

    item: Estimate
    annotator: Estimate
    residual: Estimate
    n_annotators: int
    whole: FloatArray
    without_item: FloatArray
    without_annotator: FloatArray
    without_rating: FloatArray

    def dependability(self, k: int, *, absolute: bool) -> Estimate:
        """Return the reliability of a mean of k annotators' ratings.

        Parameters
        ----------
        k : int
            Number of annotators an item.
        absolute : bool
            True when each item has other annotators, or the level of the mean matters: severity is error.
            False when the same k rate all items and only their order matters.

        Returns
        -------
        Estimate
            item / (item + (annotator + residual) / k) or item / (item + residual / k), negative components
            taken as 0; between 0 and 1, with a two-way interval. Undefined when there is neither item nor
            error variance.

        Raises
        ------
        ValueError
            If `k` is less than one.

        References
        ----------
        Brennan (2001), Generalizability Theory, chapter 2 (Phi and the generalizability coefficient).
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}.")
        n, confidence = self.item.n, self.item.confidence
        if self.item.estimate is None:
            return Estimate.undefined(self.item.reason or _UNDEFINED, n, confidence)

        def share(components: FloatArray) -> FloatArray:
            return _dependability(components, k, absolute)

        point = float(share(self.whole[None])[0])
        if not np.isfinite(point):
            return Estimate.undefined("There is no variance between or within items.", n, confidence)
        replicates = (self.without_item, self.without_annotator, self.without_rating)
        return as_share(_two_way(point, replicates, share, confidence))


def variance_components(
    unit: npt.ArrayLike, annotator: npt.ArrayLike, value: npt.ArrayLike, *, confidence: float = 0.95
) -> VarianceComponents:
    """Return the variance components of a crossed item x annotator design with any ratings missing.

    Parameters
    ----------
    unit, annotator : array_like, shape (n,)
        Which item each rating is of and who gave it.
    value : array_like of float, shape (n,)
        Ratings; NaN is missing.
    confidence : float
        Level of the intervals, which are for other items and other annotators.

    Returns
    -------
    VarianceComponents
        Undefined with fewer than two items or annotators, and when the assignment does not tell the
        components apart (one rating an item, or each annotator on one item).

    Raises
    ------
    ValueError
        If lengths differ, a label is missing, a value is infinite, or an annotator rated an item twice.

    Notes
    -----
    Henderson's method I. With N ratings, sums S_i over n_i ratings of an item, R_j over m_j of an annotator, G
    over all, I items and J annotators: T_I = sum S_i^2 / n_i - G^2 / N, T_J = sum R_j^2 / m_j - G^2 / N and
    T_0 = sum y^2 - G^2 / N have the expectations (N - a) item + (I - b) annotator + (I - 1) residual,
    (J - a) item + (N - b) annotator + (J - 1) residual, (N - a) item + (N - b) annotator + (N - 1) residual,
    with a = sum n_i^2 / N and b = sum m_j^2 / N. Takes who rates what to have nothing to do with quality and severity.

    Intervals by a two-way delete-one jackknife, V_item + V_annotator - V_rating, never below V_item, and t with
    min(I, J) - 1 degrees of freedom, as in `underrating`; no annotator is ever duplicated.

    References
    ----------
    Henderson (1953), Biometrics 9:226-252; Searle, Casella and McCulloch (1992), Variance Components, chapter 5.
    """
    check_confidence(confidence)
    ratings, of_unit = _scaled(ratings_of(unit, annotator, value))
    n, people = ratings.n_units, ratings.n_annotators
    empty = np.empty((0, 3))
    reason = (
        f"Needs two items and two annotators, got {n} and {people}." if min(n, people) < 2 else _UNDEFINED
    )
    terms = _terms(ratings) if min(n, people) >= 2 else None
    point = _solved(terms.whole[None], terms.scale)[0] if terms is not None else np.full(3, np.nan)
    if terms is None or not np.isfinite(point).all():
        missing = Estimate.undefined(reason, n, confidence)
        return VarianceComponents(missing, missing, missing, people, np.full(3, np.nan), empty, empty, empty)
    replicates = tuple(_solved(terms.whole + change, terms.scale) for change in terms.changes)
    item, severity, rest = (
        _two_way(float(point[x]), replicates, _column(x), confidence, of_unit**2) for x in range(3)
    )
    return VarianceComponents(item, severity, rest, people, point, *replicates)


def _scaled(ratings: Ratings) -> tuple[Ratings, float]:
    """Return centered ratings of the size of 1, so that no square runs over or under, and their unit."""
    if not ratings.value.size:
        return ratings, 1.0
    value = ratings.value - ratings.value.mean()
    size = float(np.abs(value).max())
    unit = 2.0 ** math.floor(math.log2(size)) if size > 0 else 1.0
    return replace(ratings, value=value / unit), unit


def _column(x: int) -> Callable[[FloatArray], FloatArray]:
    """Return the function that picks one component."""
    return lambda components: np.asarray(components[:, x])


@dataclass(frozen=True, slots=True)
class _Terms:
    """The nine sums, and how they change without each item, annotator and rating, one row each.

    The sums are I, J, N, sum n^2, sum m^2, sum S^2 / n, sum R^2 / m, sum y^2 and G.
    """

    whole: FloatArray
    changes: tuple[FloatArray, FloatArray, FloatArray]

    @property
    def scale(self) -> float:
        """Mean square of the centered ratings."""
        return float(self.whole[7] / self.whole[2])


def _terms(ratings: Ratings) -> _Terms:
    """Return the sums of the centered ratings and their changes."""
    i, j, y = ratings.unit, ratings.annotator, ratings.value - ratings.value.mean()
    n, m = np.bincount(i).astype(np.float64), np.bincount(j).astype(np.float64)
    s, r = totals(i, y), totals(j, y)
    sums = [len(n), len(m), len(y), n @ n, m @ m, s @ (s / n), r @ (r / m), y @ y, y.sum()]
    # Without one rating, what is left of its item and of its annotator.
    of_item, of_annotator = _one_less(i, n, s, y), _one_less(j, m, r, y)
    no_item = _summed(i, of_annotator)
    no_annotator = _summed(j, of_item)
    items = [-np.ones_like(n), no_item[0], -n, -n * n, no_item[1], -s * s / n, no_item[2]]
    people = [no_annotator[0], -np.ones_like(m), -m, no_annotator[1], -m * m, no_annotator[2], -r * r / m]
    cells = [of_item[0], of_annotator[0], -np.ones_like(y), of_item[1], of_annotator[1]]
    cells += [of_item[2], of_annotator[2], -y * y, -y]
    items += [-totals(i, y * y), -s]
    people += [-totals(j, y * y), -r]
    changes = (np.column_stack(items), np.column_stack(people), np.column_stack(cells))
    return _Terms(np.array(sums, dtype=np.float64), changes)


def _summed(code: IntArray, columns: tuple[FloatArray, ...]) -> list[FloatArray]:
    """Return the sums of columns by code."""
    return [totals(code, column) for column in columns]


def _one_less(code: IntArray, count: FloatArray, total: FloatArray, y: FloatArray) -> tuple[FloatArray, ...]:
    """Return how groups, sum n^2 and sum S^2/n change without each rating."""
    n, s = count[code], total[code]
    remaining = np.divide((s - y) ** 2, n - 1, out=np.zeros_like(y), where=n > 1)
    return -(n == 1).astype(np.float64), 1 - 2 * n, remaining - s**2 / n


def _solved(terms: FloatArray, scale: float) -> FloatArray:
    """Return the three components for each row of sums, shape (rows, 3); NaN where they can't be told apart."""
    parts = [_solve_part(terms[x : x + _CHUNK]) for x in range(0, len(terms), _CHUNK)]
    solutions = np.concatenate(parts or [np.empty((0, 3))])
    # What is left of a component that is zero is rounding error.
    return np.asarray(np.where(np.abs(solutions) < 1e-10 * scale, 0.0, solutions))


def _solve_part(terms: FloatArray) -> FloatArray:
    """Solve Henderson's equations for each row."""
    items, people, n, squared_n, squared_m, by_item, by_annotator, square, grand = terms.T
    safe = np.maximum(n, 1)
    a, b, middle = squared_n / safe, squared_m / safe, grand**2 / safe
    # T_I, T_J and T_0 - T_I, each row of coefficients scaled to 1, by Cramer's rule: millions at once.
    rows = (
        (n - a, items - b, items - 1, by_item - middle),
        (people - a, n - b, people - 1, by_annotator - middle),
        (np.zeros_like(n), n - items, n - items, square - by_item),
    )
    size = [np.maximum(np.maximum(np.abs(x), np.abs(y)), np.abs(z)) for x, y, z, _ in rows]
    regular: BoolArray = np.minimum(np.minimum(size[0], size[1]), size[2]) > 1e-9
    scaled = [[x / np.where(regular, big, 1.0) for x in row] for row, big in zip(rows, size, strict=True)]
    x, y, z, known = zip(*scaled, strict=True)
    determinant = _determinant(x, y, z)
    regular &= np.abs(determinant) > 1e-10
    below = np.where(regular, determinant, 1.0)
    parts = (_determinant(known, y, z), _determinant(x, known, z), _determinant(x, y, known))
    return np.column_stack([np.where(regular, part / below, np.nan) for part in parts])


def _determinant(
    x: tuple[FloatArray, ...], y: tuple[FloatArray, ...], z: tuple[FloatArray, ...]
) -> FloatArray:
    """Return the determinants of 3 x 3 matrices given by their columns."""
    first = x[0] * (y[1] * z[2] - y[2] * z[1])
    second = x[1] * (y[0] * z[2] - y[2] * z[0])
    third = x[2] * (y[0] * z[1] - y[1] * z[0])
    return np.asarray(first - second + third)


def _dependability(parts: FloatArray, k: int, absolute: bool) -> FloatArray:
    """Return the dependability for each row of components; NaN without any variance."""
    item, annotator, residual = np.maximum(parts, 0.0).T
    total = item + (residual + (annotator if absolute else 0.0)) / k
    return np.asarray(np.divide(item, total, out=np.full(len(parts), np.nan), where=total > 0))


def _two_way(
    point: float,
    replicates: tuple[FloatArray, ...],
    statistic: Callable[[FloatArray], FloatArray],
    confidence: float,
    unit: float = 1.0,
) -> Estimate:
    """Return a statistic of the components, in so large units, with the interval of the two-way jackknife."""
    n, people = len(replicates[0]), len(replicates[1])
    if min(n, people) < 3:
        return Estimate(point * unit, None, None, n, _FEW, confidence)
    values = [statistic(part) for part in replicates]
    e = jackknife_interval(point, values, min(n, people) - 1, n, confidence, undefined=_FRAGILE)
    if e.low is None or e.high is None or e.standard_error is None:
        return replace(e, estimate=point * unit)
    return Estimate(point * unit, e.low * unit, e.high * unit, n, None, confidence, e.standard_error * unit)
