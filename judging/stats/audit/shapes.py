"""The underrating slope when the score is no straight line in quality: other shapes, their flags, the good answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from judging.stats.audit.curved_moments import QUARTIC, CurvedMoments, Sums, curved_moments
from judging.stats.core.columns import TINY, Prepared
from judging.stats.core.estimate import Estimate, FloatArray
from judging.stats.core.jackknife import jackknife_interval, jackknife_variance
from judging.stats.core.panel import Panel

CLEAR = 3.0
"""How many times the pooled slope's standard error that beside a curve may have: beyond, it says nothing."""

ENOUGH = 0.9
"""Share of the responses that must have `QUARTIC` ratings for the curved slope."""


@dataclass(frozen=True, slots=True)
class Shapes:
    """Slopes of other shapes than one straight line for all prompts, in SDs of the score per SD of unusualness.

    Parameters
    ----------
    by_prompt : Estimate
        Underrating when each prompt has its own slope of score on quality.
    curved : Estimate
        Underrating when the score may curve in quality: a regression on q, u and q^2.
    curvature : Estimate
        Of that regression, SDs of the score per squared SD of quality.
    prompts : Estimate
        `by_prompt` less the pooled slope.
    good, bad : Estimate
        Underrating among answers one SD above and below the prompt's mean quality.
    interaction : Estimate
        Rise of underrating for each SD of quality: half of `good` less `bad`.
    curved_good : Estimate
        Underrating one SD above when the score may curve as well: a regression on q, u, q u and q^2.
    curved_interaction : Estimate
        Its rise for each SD of quality in that regression.
    """

    by_prompt: Estimate
    curved: Estimate
    curvature: Estimate
    prompts: Estimate
    good: Estimate
    bad: Estimate
    interaction: Estimate
    curved_good: Estimate
    curved_interaction: Estimate

    @classmethod
    def undefined(cls, reason: str, n: int, confidence: float) -> Shapes:
        """Return none of them, for a reason."""
        return cls(*[Estimate.undefined(reason, n, confidence)] * len(fields(cls)))


@dataclass(frozen=True, slots=True)
class Solved:
    """Slopes of each score from sums: of all data, or of every replicate.

    Parameters
    ----------
    pooled, by_prompt, prompts, good, bad, interaction, curved, curvature, curved_good, curved_interaction : ndarray
        As of `Shapes`, pooled with one slope for all prompts; NaN where the equations are singular.
    """

    pooled: FloatArray
    by_prompt: FloatArray
    prompts: FloatArray
    good: FloatArray
    bad: FloatArray
    interaction: FloatArray
    curved: FloatArray
    curvature: FloatArray
    curved_good: FloatArray
    curved_interaction: FloatArray


def residual_panel(ready: Prepared, total: FloatArray) -> Panel | None:
    """Return unusualness and scores with what covariates account for taken out, and the ratings likewise.

    Parameters
    ----------
    ready : Prepared
        One measure of unusualness.
    total : ndarray, shape (D, D)
        Moments of its panel, of all data.

    Returns
    -------
    Panel or None
        None where the covariates can't be told apart.

    Notes
    -----
    Frisch and Waugh (1933): covariates are measured without error, so the coefficients of unusualness, scores and
    quality on them, pooled within prompts, take them out. To first order a slope does not feel their error, so
    replicates keep those of all data.
    """
    panel = ready.panel
    if panel is None or not ready.covariates:
        return panel
    lengths = list(range(2, 2 + len(ready.covariates)))
    others = [1, *range(2 + len(lengths), total.shape[0])]
    inner = total[np.ix_(lengths, lengths)]
    if abs(np.linalg.det(inner / np.sqrt(np.outer(inner.diagonal(), inner.diagonal())))) <= TINY:
        return None
    fitted = np.linalg.solve(inner, total[np.ix_(lengths, [0, *others])])
    covariates = panel.columns[:, [at - 1 for at in lengths]]
    columns = panel.columns[:, [at - 1 for at in others]] - covariates @ fitted[:, 1:]
    value = panel.value - (covariates @ fitted[:, 0])[panel.response]
    return replace(panel, columns=columns, value=value)


@dataclass(frozen=True, slots=True)
class ShapeReplicates:
    """Slopes of other shapes of several scorers, of all data and of every replicate.

    Parameters
    ----------
    whole : Solved
    parts : tuple of Solved
        Without one prompt, one annotator, one cell.
    moments, quartic : CurvedMoments or None
        What they were solved from; quartic of responses with at least `QUARTIC` ratings, None where those are too few.
    n, n_quartic : int
        Responses, and those with at least `QUARTIC` ratings.
    """

    whole: Solved
    parts: tuple[Solved, Solved, Solved]
    moments: CurvedMoments
    quartic: CurvedMoments | None
    n: int
    n_quartic: int

    def shapes(self, scorer: int, parts: int, df: float, confidence: float) -> Shapes:
        """Return the slopes of one scorer.

        Parameters
        ----------
        scorer : int
            Which one, in the order of the columns.
        parts : int
            1 to leave out prompts alone (these people), 3 for prompts and annotators (people like these).
        df : float
            Degrees of freedom of the intervals.
        confidence : float
            Their level.
        """
        estimates = {
            field.name: self._estimate(field.name, scorer, parts, df, confidence) for field in fields(Shapes)
        }
        return Shapes(**estimates)

    def with_scale(self, scorer: int, scales: Sequence[FloatArray]) -> ShapeReplicates:
        """Return the same with one score in other units in every replicate, shapes (P,), (M,) and (C,)."""
        moments = self.moments.with_scale(scorer, scales)
        quartic = None
        if self.quartic is not None:
            quartic = moments if self.quartic is self.moments else self.quartic.with_scale(scorer, scales)
        return _solved(moments, quartic, self.n, self.n_quartic)

    def why_no_curve(self, scorer: int, parts: int) -> str | None:
        """Return in words why nothing can be said of a curve in quality, or None."""
        if self.quartic is None:
            return (
                f"Whether the score curves in quality can't be told: it needs {QUARTIC} ratings of a response, and "
                f"{self.n_quartic:,} of {self.n:,} have as many."
            )
        pooled, curved = (self._error(name, scorer, parts) for name in ("pooled", "curved"))
        if pooled is None or curved is None or curved > CLEAR * pooled:
            return (
                "Whether the score curves in quality can't be told: the ratings do not pin down the square of "
                "quality well enough."
            )
        return None

    def _error(self, name: str, scorer: int, parts: int) -> float | None:
        variance = jackknife_variance([getattr(part, name)[:, scorer] for part in self.parts[:parts]])
        return None if variance is None else variance.total**0.5

    def _estimate(self, name: str, scorer: int, parts: int, df: float, confidence: float) -> Estimate:
        quartic = name.startswith("curv")
        n = self.n_quartic if quartic else self.n
        why_not = self.why_no_curve(scorer, parts) if quartic else None
        if why_not:
            return Estimate.undefined(why_not, n, confidence)
        point = float(getattr(self.whole, name)[scorer])
        if not np.isfinite(point):
            return Estimate.undefined("The equations are singular.", n, confidence)
        spread = [getattr(part, name)[:, scorer] for part in self.parts[:parts]]
        return jackknife_interval(point, spread, df, n, confidence)


def shape_replicates(panel: Panel) -> ShapeReplicates:
    """Return the slopes of other shapes, of all data and of every replicate.

    Parameters
    ----------
    panel : Panel
        Of `residual_panel`.

    Returns
    -------
    ShapeReplicates
    """
    counts = np.bincount(panel.response, minlength=len(panel.prompt))
    enough = int((counts >= QUARTIC).sum())
    moments = curved_moments(panel)
    quartic = None
    if enough >= ENOUGH * len(counts):
        # With five ratings everywhere nothing drops out of the one that does not drop out of the other.
        quartic = moments if counts.min() > QUARTIC else curved_moments(panel, QUARTIC)
    return _solved(moments, quartic, len(counts), enough)


def _solved(moments: CurvedMoments, quartic: CurvedMoments | None, n: int, n_quartic: int) -> ShapeReplicates:
    """Return the slopes of moments and of their replicates."""
    one, two, three = (
        solved_shapes(moments.parts[i], None if quartic is None else quartic.parts[i]) for i in range(3)
    )
    whole = solved_shapes(moments.whole, None if quartic is None else quartic.whole)
    return ShapeReplicates(whole, (one, two, three), moments, quartic, n, n_quartic)


def solved_shapes(sums: Sums, quartic: Sums | None) -> Solved:
    """Return the slopes that sums imply.

    Parameters
    ----------
    sums : Sums
        Of responses with two ratings.
    quartic : Sums or None
        Of responses with `QUARTIC` ratings.

    Returns
    -------
    Solved

    Notes
    -----
    pooled: -(A_qq b_u - A_uq b_q) / (A_qq A_uu - A_uq^2). by_prompt: minus the ratio of summed determinants of the
    prompts, each over K - 1 and from products of different annotators. good, bad: -(gamma + delta) and -(gamma - delta)
    of m = beta q + gamma u + delta q u, q in SDs. curved: m = beta q + beta_2 q^2 + gamma u. curved_good: all four.

    References
    ----------
    judging/stats/README.md, section 4.6 (a) and (b).
    """
    square, df = sums.common[..., 0], sums.common[..., 5]
    sd = np.sqrt(np.where((square > 0) & (df > 0), square / np.maximum(df, 1), np.nan))[..., None]
    pooled = _coefficients(sums, ("q", "u"))
    varying = _coefficients(sums, ("q", "u", "qu"))
    by_prompt = slope_by_prompt(sums)
    step = varying[..., 2, :] * sd
    nothing = np.full_like(by_prompt, np.nan)
    curve = (nothing, nothing, nothing, nothing)
    if quartic is not None:
        bent, both = _coefficients(quartic, _BENT), _coefficients(quartic, ("q", "u", "qu", "qq"))
        squared = bent[..., 2, :] * sd**2
        rise = -both[..., 2, :] * sd
        curve = (-bent[..., 1, :], squared, rise - both[..., 1, :], rise)
    return Solved(
        pooled=-pooled[..., 1, :],
        by_prompt=by_prompt,
        prompts=by_prompt + pooled[..., 1, :],
        good=-varying[..., 1, :] - step,
        bad=-varying[..., 1, :] + step,
        interaction=-step,
        curved=curve[0],
        curvature=curve[1],
        curved_good=curve[2],
        curved_interaction=curve[3],
    )


def slope_by_prompt(sums: Sums) -> FloatArray:
    """Return the underrating of each score when each prompt has its own line, shape (..., S)."""
    return -_divided(sums.own[..., 1:, 5], sums.own[..., :1, 5])


def curved_slope(quartic: Sums) -> FloatArray:
    """Return the underrating of each score beside a curve in quality, shape (..., S)."""
    common, u = quartic.common, quartic.own[..., 0, :]
    qq, uu, ss = common[..., 0, None], u[..., 1, None], common[..., 1, None]
    qu, qs, us = u[..., 0, None], common[..., 2, None], u[..., 4, None]
    own = quartic.own[..., 1:, :]
    bq, bu, bs = own[..., 0], own[..., 1], own[..., 4]
    # Cramer's rule, which is much faster here than one call a matrix.
    a, b, c = uu * ss - us * us, qu * ss - us * qs, qu * us - uu * qs
    det = qq * a - qu * b + qs * c
    top = qq * (bu * ss - us * bs) - bq * b + qs * (qu * bs - bu * qs)
    return -_divided(top, np.where(np.abs(det) > TINY * np.abs(qq * uu * ss), det, 0.0))


_BENT = ("q", "u", "qq")
_ROW = {"q": 0, "u": 1, "qu": 3, "qq": 4}
"""Place of a regressor's products with the columns in `Sums.own`."""


def _matrix(sums: Sums) -> dict[frozenset[str], FloatArray]:
    """Return the moments of the regressors with each other."""
    common, u = sums.common, sums.own[..., 0, :]
    return {
        frozenset("q"): common[..., 0],
        frozenset(["q", "u"]): u[..., 0],
        frozenset("u"): u[..., 1],
        frozenset(["q", "qu"]): u[..., 4],
        frozenset(["u", "qu"]): u[..., 3],
        frozenset(["qu"]): common[..., 3],
        frozenset(["q", "qq"]): common[..., 2],
        frozenset(["u", "qq"]): u[..., 4],
        frozenset(["qu", "qq"]): common[..., 4],
        frozenset(["qq"]): common[..., 1],
    }


def _square(sums: Sums, names: Sequence[str]) -> FloatArray:
    """Return the moments of some regressors with each other, shape (..., len(names), len(names))."""
    moments = _matrix(sums)
    return np.stack([np.stack([moments[frozenset([i, j])] for j in names], -1) for i in names], -2)


def _coefficients(sums: Sums, names: Sequence[str]) -> FloatArray:
    """Return the coefficients of regressors, shape (..., len(names), S); NaN where they can't be told apart."""
    a = _square(sums, names)
    b = np.stack([sums.own[..., 1:, _ROW[name]] for name in names], axis=-2)
    level = np.sqrt(np.abs(np.diagonal(a, axis1=-2, axis2=-1)))
    level = np.where(level > 0, level, 1.0)
    unit = a / (level[..., :, None] * level[..., None, :])
    regular = np.abs(np.linalg.det(unit)) > TINY
    unit = np.where(regular[..., None, None], unit, np.eye(len(names)))
    theta = np.linalg.solve(unit, b / level[..., None]) / level[..., None]
    return np.asarray(np.where(regular[..., None, None], theta, np.nan), dtype=np.float64)


def _divided(top: FloatArray, bottom: FloatArray) -> FloatArray:
    """Return a quotient, NaN where the denominator is 0."""
    bottom = np.broadcast_to(bottom, top.shape)
    quotient = np.full(top.shape, np.nan)
    np.divide(top, bottom, out=quotient, where=bottom != 0)
    return quotient
