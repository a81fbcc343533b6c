"""The underrating slope when the score is no straight line in quality: other shapes, their flags, the good answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from scipy import stats

from judging.stats.audit.curved_moments import QUARTIC, CurvedMoments, Sums, curved_moments
from judging.stats.core.columns import TINY, Prepared
from judging.stats.core.estimate import Estimate, FloatArray
from judging.stats.core.panel import Panel

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
    curved_good : Estimate
        Underrating one SD above when the score may curve as well: a regression on q, u, q u and q^2.
    """

    by_prompt: Estimate
    curved: Estimate
    curvature: Estimate
    prompts: Estimate
    good: Estimate
    bad: Estimate
    curved_good: Estimate

    @classmethod
    def undefined(cls, reason: str, n: int, confidence: float) -> Shapes:
        """Return none of them, for a reason."""
        return cls(*[Estimate.undefined(reason, n, confidence)] * len(fields(cls)))


@dataclass(frozen=True, slots=True)
class Solved:
    """Slopes of each score from sums: of all data, or of every replicate.

    Parameters
    ----------
    pooled, by_prompt, curved, curvature, good, bad, curved_good : ndarray, shape (..., S)
        As of `Shapes`, pooled with one slope for all prompts; NaN where the equations are singular.
    """

    pooled: FloatArray
    by_prompt: FloatArray
    prompts: FloatArray
    good: FloatArray
    bad: FloatArray
    curved: FloatArray
    curvature: FloatArray
    curved_good: FloatArray


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

    def _estimate(self, name: str, scorer: int, parts: int, df: float, confidence: float) -> Estimate:
        quartic = name.startswith("curv")
        n = self.n_quartic if quartic else self.n
        if quartic and self.quartic is None:
            why = f"A curve needs {QUARTIC} ratings of a response; {self.n_quartic} of {self.n} have as many."
            return Estimate.undefined(why, n, confidence)
        point = float(getattr(self.whole, name)[scorer])
        if not np.isfinite(point):
            return Estimate.undefined("The equations are singular.", n, confidence)
        spread = [getattr(part, name)[:, scorer] for part in self.parts[:parts]]
        return jackknife_estimate(point, spread, df, n, confidence)


def jackknife_estimate(
    point: float, replicates: Sequence[FloatArray], df: float, n: int, confidence: float
) -> Estimate:
    """Return a point with its t interval from replicates without prompts alone, or prompts, annotators and cells."""
    error = jackknife_error(replicates)
    if error is None or df < 1:
        why = "Without one prompt or annotator it would be undefined." if df >= 1 else "Too few annotators."
        return Estimate(point, None, None, n, why, confidence)
    reach = float(stats.t.ppf((1 + confidence) / 2, df)) * error
    return Estimate(point, point - reach, point + reach, n, None, confidence, error)


def jackknife_error(replicates: Sequence[FloatArray]) -> float | None:
    """Return the standard error from replicates: V_prompt, or V_prompt + V_annotator - V_cell and at least V_prompt."""
    if any(len(part) < 2 or not np.isfinite(part).all() for part in replicates):
        return None
    v = [float((len(p) - 1) / len(p) * ((p - p.mean()) ** 2).sum()) for p in replicates]
    return float(np.sqrt(v[0] if len(v) == 1 else max(v[0] + v[1] - v[2], v[0])))


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
    parts = [solved_shapes(moments.parts[i], None if quartic is None else quartic.parts[i]) for i in range(3)]
    whole = solved_shapes(moments.whole, None if quartic is None else quartic.whole)
    return ShapeReplicates(whole, (parts[0], parts[1], parts[2]), moments, quartic, len(counts), enough)


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
    The project's statistics.md, section 4.6 (a) and (b).
    """
    square, df = sums.common[..., 0], sums.common[..., 5]
    sd = np.sqrt(np.where((square > 0) & (df > 0), square / np.maximum(df, 1), np.nan))[..., None]
    pooled = _coefficients(sums, ("q", "u"))
    varying = _coefficients(sums, ("q", "u", "qu"))
    by_prompt = _divided(sums.own[..., 1:, 5], sums.own[..., :1, 5])
    step = varying[..., 2, :] * sd
    nothing = np.full_like(by_prompt, np.nan)
    curve = (nothing, nothing, nothing)
    if quartic is not None:
        bent, both = _coefficients(quartic, ("q", "u", "qq")), _coefficients(quartic, ("q", "u", "qu", "qq"))
        curve = (-bent[..., 1, :], bent[..., 2, :] * sd**2, -both[..., 1, :] - both[..., 2, :] * sd)
    return Solved(
        pooled=-pooled[..., 1, :],
        by_prompt=-by_prompt,
        prompts=pooled[..., 1, :] - by_prompt,
        good=-varying[..., 1, :] - step,
        bad=-varying[..., 1, :] + step,
        curved=curve[0],
        curvature=curve[1],
        curved_good=curve[2],
    )


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


def _coefficients(sums: Sums, names: Sequence[str]) -> FloatArray:
    """Return the coefficients of regressors, shape (..., len(names), S); NaN where they can't be told apart."""
    moments = _matrix(sums)
    a = np.stack([np.stack([moments[frozenset([i, j])] for j in names], -1) for i in names], -2)
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
