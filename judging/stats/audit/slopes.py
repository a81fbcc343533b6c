"""Slopes from moments of true quality, with their two-way jackknife and what is left of quality beside the rest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from judging.stats.core.columns import TINY
from judging.stats.core.estimate import Estimate, FloatArray, t_quantile, unbounded_t_interval
from judging.stats.core.jackknife import Variance, jackknife_variance

Parts = tuple[FloatArray, FloatArray, FloatArray]
"""Replicates without one prompt, one annotator, one cell, as of `Moments.replicates`."""

LONE = 1
"""How many of the parts count where the annotators are fixed: those without a prompt."""


@dataclass(frozen=True, slots=True)
class Solution:
    """What one or many moment matrices say; NaN where the equations are singular.

    Parameters
    ----------
    unusual, total, human : ndarray, shape (...,)
        Rise per unit of unusualness: of the score at equal quality, of the score whatever the quality, and of
        quality. All beside the covariates.
    covariates : ndarray, shape (..., C)
        Rise of the score per unit of each covariate at equal quality.
    left : ndarray, shape (...,)
        True quality left beside unusualness and covariates: a Schur complement.
    relevance : ndarray, shape (...,)
        Sum of products of the two measures of unusualness; with one measure, its square.
    human_sds : ndarray, shape (...,)
        `human` over the square root of the sum of squares of true quality; NaN where that is not positive.
    cross : ndarray, shape (...,)
        left times unusual, a product that stays regular where left is near zero; NaN with two measures.
    """

    unusual: FloatArray
    total: FloatArray
    human: FloatArray
    covariates: FloatArray
    left: FloatArray
    relevance: FloatArray
    human_sds: FloatArray
    cross: FloatArray


def solved(moments: FloatArray, *, second: bool = False) -> Solution:
    """Return the slopes that moments of (quality, unusualness, covariates, [second measure,] score) imply.

    Parameters
    ----------
    moments : ndarray, shape (..., D, D)
        Moment matrices.
    second : bool
        Whether the last column but one is a second measure of unusualness; the two then instrument each other.

    Returns
    -------
    Solution
        With two measures per SD of what they have in common, if each column has unit SD.

    Notes
    -----
    theta = A^-1 b, quality partialed out last: with r the other unknowns, c = A_rr^-1 b_r and d = A_rr^-1 A_rq,
    left = A_qq - A_qr d, theta_q = (b_q - A_qr c) / left and theta_r = c - d theta_q.

    Two measures u1, u2 of one unusualness with independent errors: the rows of A belong to the instruments. As
    each of the two slopes is theta / lambda_k, lambda_k the correlation of measure k with what both measure,
    and r12 = lambda_1 lambda_2, theta is about sqrt(r12) (theta_1 + theta_2) / 2, within 1.2 % while one
    reliability is at most twice the other.
    """
    size = moments.shape[-1] - 1
    if not second:
        order = list(range(size))
        return _one_way(moments, order, order)
    z, rest = size - 1, list(range(2, size - 1))
    one = _one_way(moments, [0, z, *rest], [0, 1, *rest])
    two = _one_way(moments, [0, 1, *rest], [0, z, *rest])
    common = moments[..., 1, z]
    squares = moments[..., 1, 1] * moments[..., z, z]
    r = np.divide(common, np.sqrt(squares), out=np.zeros_like(common), where=squares > 0)
    scale = np.sqrt(np.where(r > TINY, r, np.nan)) / 2
    return Solution(
        unusual=scale * (one.unusual + two.unusual),
        total=scale * (one.total + two.total),
        human=scale * (one.human + two.human),
        covariates=(one.covariates + two.covariates) / 2,
        left=(one.left + two.left) / 2,
        relevance=common,
        human_sds=scale * (one.human_sds + two.human_sds),
        cross=np.full_like(common, np.nan),
    )


def _one_way(moments: FloatArray, rows: Sequence[int], unknowns: Sequence[int]) -> Solution:
    """Return the solution of the normal equations of `rows` for the slopes of `unknowns`, quality first."""
    matrix = moments[..., np.array(rows)[:, None], np.array(unknowns)]
    target = moments[..., rows, -1]
    size = np.sqrt(np.abs(np.diagonal(moments, axis1=-2, axis2=-1)))
    size = np.where(size > 0, size, 1.0)
    down, across = size[..., rows[1:]], size[..., unknowns[1:]]
    inner = matrix[..., 1:, 1:] / (down[..., :, None] * across[..., None, :])
    determinant = np.linalg.det(inner)
    filled = np.where((np.abs(determinant) > TINY)[..., None, None], inner, np.eye(inner.shape[-1]))
    sides = np.stack([target[..., 1:], matrix[..., 1:, 0]], axis=-1) / down[..., None]
    solution = np.linalg.solve(filled, sides) / across[..., None]
    c, d = solution[..., 0], solution[..., 1]
    square = matrix[..., 0, 0]
    left = square - (matrix[..., 0, 1:] * d).sum(axis=-1)
    part = target[..., 0] - (matrix[..., 0, 1:] * c).sum(axis=-1)
    level = np.where(square != 0, np.abs(square), 1.0)
    regular = np.abs(determinant) > TINY
    usable = regular & (np.abs(determinant * left / level) > TINY)
    quality = np.divide(part, left, out=np.full_like(part, np.nan), where=usable)
    theta = c - d * quality[..., None]
    outer = np.where(regular, 1.0, np.nan)
    root = np.sqrt(np.maximum(square, 0.0))
    return Solution(
        unusual=theta[..., 0],
        total=c[..., 0] * outer,
        human=d[..., 0] * outer,
        covariates=theta[..., 1:],
        left=left * outer,
        relevance=moments[..., rows[1], unknowns[1]],
        human_sds=np.divide(d[..., 0] * outer, root, out=np.full_like(root, np.nan), where=root > 0),
        cross=(c[..., 0] * left - d[..., 0] * part) * outer,
    )


@dataclass(frozen=True, slots=True)
class Jackknifed:
    """The solution of all data and of every replicate, and how intervals follow from them."""

    whole: Solution
    parts: tuple[Solution, ...]
    df: float
    n: int
    confidence: float

    def of_these_people(self, n_prompts: int) -> Jackknifed:
        """Return the same with the annotators fixed: prompts alone vary."""
        return replace(self, parts=self.parts[:LONE], df=n_prompts - 1)

    def with_scale(self, scales: Sequence[FloatArray]) -> Jackknifed:
        """Return the same with the score in other units in every replicate."""
        parts = [
            replace(
                part, unusual=part.unusual / scale, total=part.total / scale, cross=part.cross / scale,
                covariates=part.covariates / scale[:, None],
            )
            for part, scale in zip(self.parts, scales, strict=True)
        ]  # fmt: skip
        return replace(self, parts=tuple(parts))

    @property
    def hinges(self) -> tuple[str, ...]:
        """What there is no slope without: one of the prompts, annotators, or an annotator's ratings of a prompt."""
        names = ("prompts", "annotators", "annotators' ratings of a prompt")
        return tuple(
            name
            for name, part in zip(names, self.parts, strict=False)
            if not (np.isfinite(part.unusual).all() and np.isfinite(part.left).all())
        )

    def variance(self, name: str, index: int | None = None) -> Variance | None:
        """Return the two-way variance of an attribute of the solution, or of one of its columns."""
        values = [getattr(part, name) for part in self.parts]
        return jackknife_variance(values if index is None else [v[..., index] for v in values])

    def estimate(self, name: str, sign: float = 1.0, index: int | None = None) -> Estimate:
        """Return sign times an attribute with its interval; a reason where it is undefined."""
        value = getattr(self.whole, name)
        point = sign * float(value if index is None else value[..., index])
        if not math.isfinite(point):
            return Estimate.undefined("The equations are singular.", self.n, self.confidence)
        variance = self.variance(name, index)
        if variance is None or self.df < 1:
            return Estimate(point, None, None, self.n, "No interval.", self.confidence)
        return unbounded_t_interval(
            point, abs(sign) * math.sqrt(variance.total), self.df, self.n, self.confidence
        )

    def strength(self, *, second: bool) -> tuple[float | None, Variance | None, bool]:
        """Return the identification strength, its variance, and whether the measures are what is weak."""
        strengths = [self._strength("left")]
        if second:
            strengths.append(self._strength("relevance"))
        values = [value for value, _ in strengths]
        if None in values:
            return None, None, values[0] is not None
        weakest = int(np.argmin(np.array(values, dtype=np.float64)))
        return *strengths[weakest], weakest == 1

    def _strength(self, name: str) -> tuple[float | None, Variance | None]:
        variance, value = self.variance(name), float(getattr(self.whole, name))
        if variance is None or not variance.total > 0 or not math.isfinite(value):
            return None, variance
        return value / math.sqrt(variance.total), variance


def jackknifed(
    total: FloatArray,
    parts: Sequence[FloatArray],
    *,
    df: float,
    n: int,
    confidence: float,
    second: bool = False,
) -> Jackknifed:
    """Return the solutions of a moment matrix and of its replicates."""
    return Jackknifed(
        solved(total, second=second), tuple(solved(part, second=second) for part in parts), df, n, confidence
    )


def p_values(point: float, error: float, df: float) -> tuple[float, float]:
    """Return the two-sided p of no effect and the one-sided p of no underrating."""
    if error == 0:
        return (1.0 if point == 0 else 0.0), (0.0 if point > 0 else 1.0)
    t = point / error
    return float(2 * stats.t.sf(abs(t), df)), float(stats.t.sf(t, df))


def robust_interval(slopes: Jackknifed) -> tuple[float, float] | None:
    """Return the underratings that are not refuted when quality may be weakly identified; None if unbounded.

    Parameters
    ----------
    found : Jackknifed
        Of one measure of unusualness.

    Returns
    -------
    tuple of float, or None
        Least and greatest underrating x that is not refuted. None when the set has no ends, which happens as
        soon as the identification strength is below the quantile of t: then the data refute nothing.

    Notes
    -----
    Fieller: underrating is -G / L with G `cross` and L `left`, both of which stay regular when L is near 0. At the
    true x, G + x L is zero on average, so x is kept while (G + x L)^2 <= t^2 Var(G + x L), the variance by
    the same two-way jackknife and never below that over prompts.

    References
    ----------
    Fieller (1954), Journal of the Royal Statistical Society B 16:175. Anderson and Rubin (1949), Annals of
    Mathematical Statistics 20:46.
    """
    pairs = [(part.cross, part.left) for part in slopes.parts]
    return fieller((float(slopes.whole.cross), float(slopes.whole.left)), pairs, slopes.df, slopes.confidence)


def fieller(
    whole: tuple[float, float], parts: Sequence[tuple[FloatArray, FloatArray]], df: float, confidence: float
) -> tuple[float, float] | None:
    """Return the ends of `robust_interval` from (cross, left) of all data and of the replicates, or None."""
    variances = _covariances(parts)
    if not math.isfinite(whole[0]) or variances is None or df < 1:
        return None
    quantile = t_quantile(confidence, df) ** 2
    ends = [_kept_values(*whole, quantile * v) for v in variances]
    known = [end for end in ends if end]
    if not known or any(math.isinf(x) for end in known for x in end):
        return None
    return min(end[0] for end in known), max(end[1] for end in known)


def robust_t(slopes: Jackknifed) -> float | None:
    """Return the t value of no underrating in the test whose unrefuted values are `robust_interval`."""
    top = float(slopes.whole.cross)
    variances = _covariances([(part.cross, part.left) for part in slopes.parts])
    if not math.isfinite(top) or variances is None or slopes.df < 1:
        return None
    variance = max(float(v[0, 0]) for v in variances)
    if variance <= 0:
        return None
    return -math.copysign(1.0, float(slopes.whole.left)) * top / math.sqrt(variance)


def _covariances(parts: Sequence[tuple[FloatArray, FloatArray]]) -> list[FloatArray] | None:
    """Return the covariances of (cross, left) over prompts and, unless annotators are fixed, over both."""
    covariances = [c for c in map(_covariance, parts) if c is not None]
    if len(covariances) < len(parts):
        return None
    by_prompt, *crossed = covariances
    return [by_prompt, by_prompt + crossed[0] - crossed[1]] if crossed else [by_prompt]


def _covariance(part: tuple[FloatArray, FloatArray]) -> FloatArray | None:
    """Return the jackknife covariance of (cross, left) over one way of leaving out."""
    both = np.column_stack(part)
    if len(both) < 2 or not np.isfinite(both).all():
        return None
    centered = both - both.mean(axis=0)
    return np.asarray((len(both) - 1) / len(both) * centered.T @ centered)


def _kept_values(top: float, bottom: float, v: FloatArray) -> tuple[float, ...]:
    """Return the ends of {x: (top + x bottom)^2 <= v_gg + 2 x v_gl + x^2 v_ll}; infinite, or none at all."""
    a, b, c = float(bottom**2 - v[1, 1]), float(top * bottom - v[0, 1]), float(top**2 - v[0, 0])
    if not a > 0:
        return (-math.inf, math.inf)
    root = b * b - a * c
    if root < 0:
        return ()
    return ((-b - math.sqrt(root)) / a, (-b + math.sqrt(root)) / a)
