"""Human quality of each response, calibrated by what its unusualness says about it as well."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from judging.stats.audit.moments import Moments, cross_rater_moments
from judging.stats.audit.slopes import solved
from judging.stats.audit.verdict import WEAK
from judging.stats.core.columns import VARIED, pooled_scales, prompts_varied
from judging.stats.core.estimate import Estimate, FloatArray, IntArray, unbounded_t_interval
from judging.stats.core.jackknife import jackknife_variance
from judging.stats.core.panel import Panel
from judging.stats.core.sample import Sample, centered, effective_number, sample_of, why_undefined

PerPrompt = Callable[[FloatArray], FloatArray]
Value = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, slots=True)
class Given:
    """Within-prompt variances of quality and unusualness, their covariance, and the error of one rating.

    Parameters
    ----------
    quality, unusual, both, error : float
        V_q, V_u, C and V_e of `calibrated`, in the units of the moments.
    """

    quality: float
    unusual: float
    both: float
    error: float

    @classmethod
    def of(cls, total: FloatArray, mean: FloatArray, counts: FloatArray, prompt: IntArray) -> Given | None:
        """Return them from moments and human means; None when they do not fit each other."""
        freedom = len(mean) - len(np.unique(prompt))
        true, unusual, both = (float(x) / freedom for x in (total[0, 0], total[1, 1], total[0, 1]))
        if true <= 0 or both**2 >= true * unusual:
            return None
        sizes = np.bincount(prompt)[prompt]
        noise = float(mean @ mean) - float(total[0, 0])
        return cls(true, unusual, both, max(0.0, noise / float(((1 - 1 / sizes) / counts).sum())))

    def with_covariance(self, mean: FloatArray, unusual: FloatArray, prompt: IntArray) -> Given | None:
        """Return the same with the covariance that other human means have; None when it does not fit."""
        freedom = len(mean) - len(np.unique(prompt))
        if freedom < 1:
            return None
        both = float(mean @ unusual) / freedom
        return replace(self, both=both) if both**2 < self.quality * self.unusual else None

    def predicted(
        self, mean: FloatArray, unusual: FloatArray, counts: FloatArray, prompt: IntArray
    ) -> FloatArray:
        """Return the best linear prediction of quality, centered, in the ratings' unit."""
        observed = self.quality + self.error / counts
        determinant = observed * self.unusual - self.both**2
        on_mean = (self.quality * self.unusual - self.both**2) / determinant
        on_unusual = self.both * (observed - self.quality) / determinant
        return centered(on_mean * mean + on_unusual * unusual, prompt)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Responses with calibrated quality, all centered within prompts.

    Parameters
    ----------
    sample : Sample
        What was analyzed; ratings in units of their own standard deviation.
    moments : Moments
        Cross-rater moments of quality, unusualness, covariates and score, the last three in within-prompt SDs.
    quality : ndarray, shape (n,)
        E[q | human mean, unusualness] in SDs of true quality.
    naive : ndarray, shape (n,)
        The human mean, in the same unit.
    unusualness, score : ndarray, shape (n,)
        In their within-prompt SDs; the score less what covariates account for.
    beta, gamma : float
        Of the score on true quality and on unusualness; errors in variables.
    unit : float
        One SD of true quality, in the ratings' unit.
    strength : float or None
        Identification strength: true-quality variation that unusualness and covariates leave, over its standard error.
    given : Given
        The variances that the calibration rests on.
    """

    sample: Sample
    moments: Moments
    quality: FloatArray
    naive: FloatArray
    unusualness: FloatArray
    score: FloatArray
    beta: float
    gamma: float
    unit: float
    strength: float | None
    given: Given

    @property
    def prompt(self) -> IntArray:
        """Prompt of each response."""
        return self.sample.panel.prompt

    @property
    def quality_in_ratings(self) -> FloatArray:
        """Calibrated quality in the unit that `beta` goes with."""
        return self.quality * self.unit

    @property
    def n_prompts(self) -> int:
        """Number of prompts."""
        return self.sample.panel.n_prompts

    @property
    def df(self) -> float:
        """Degrees of freedom of intervals: those of `underrating`."""
        return min(self.n_prompts, effective_number(self.sample.panel.annotator)) - 1

    @property
    def weak(self) -> str | None:
        """Why quality is not identified well enough, or None when it is."""
        if self.strength is not None and self.strength >= WEAK:
            return None
        problem = "has no standard error" if self.strength is None else f"is {self.strength:.1f}"
        return (
            f"The ratings do not pin true quality down well enough: the strength of identification {problem}, "
            f"and {WEAK} is needed."
        )


def calibrated(
    ratings: pd.DataFrame, responses: pd.DataFrame, covariates: Sequence[str] = ("log_length",)
) -> Calibration | str:
    """Return each response's quality given both its human mean and its unusualness.

    Parameters
    ----------
    ratings, responses, covariates
        As for `underrating`. A covariate that does not vary is left out.

    Returns
    -------
    Calibration or str
        In words why there is none.

    Raises
    ------
    ValueError
        As `underrating`.

    Notes
    -----
    With V_q, V_u and C the within-prompt variances of true quality and unusualness and their covariance, from
    products of different annotators, and V_e the error variance of one rating, the best linear predictor
    of q from (human mean of n ratings, u) has the coefficients (V_q, C) [[V_q + V_e / n, C], [C, V_u]]^-1. Pairs
    matched on the human mean alone are not equal in true quality when C is not 0: the mean of the unusual
    one is drawn towards another expectation.

    References
    ----------
    judging/stats/README.md, sections 4.1 and 4.2; Lord (1960), Journal of the American Statistical Association
    55:307, for matching on a fallible measure.
    """
    sample = sample_of(ratings, responses, tuple(covariates))
    why_not = why_undefined(sample)
    if why_not:
        return why_not
    panel = sample.panel
    if np.ptp(panel.value) == 0:
        return "All ratings are the same, so they say nothing about quality."
    away = centered(panel.columns, panel.prompt)
    scales = pooled_scales(panel)
    if scales[0] == 0 or scales[-1] == 0:
        return "Unusualness or the score does not vary between the responses to a prompt."
    scaled_columns = away / np.where(scales > 0, scales, 1.0)
    # As in `underrating`: a covariate that varies in a few prompts is no covariate.
    needed = min(VARIED, panel.n_prompts)
    covariate = range(1, len(scales) - 1)
    rare = [i for i in covariate if prompts_varied(scaled_columns[:, i], panel.prompt) < needed]
    columns = np.delete(scaled_columns, rare, axis=1)
    value = (panel.value - panel.value.mean()) / panel.value.std()
    scaled = replace(sample, panel=replace(panel, columns=columns, value=value))
    return _fitted(scaled, cross_rater_moments(scaled.panel))


def _fitted(sample: Sample, moments: Moments) -> Calibration | str:
    """Return the calibration of a scaled sample."""
    total, columns, prompt = moments.total, sample.panel.columns, sample.panel.prompt
    sums, counts = _margins(sample.panel)
    mean = centered(sums / counts, prompt)
    given = Given.of(total, mean, counts, prompt)
    if given is None:
        return "The human means hold no reliable quality that differs from unusualness."
    try:
        theta = np.linalg.solve(total[:-1, :-1], total[:-1, -1])
    except np.linalg.LinAlgError:
        return "Quality, unusualness and covariates rise and fall together."
    unit = math.sqrt(given.quality)
    return Calibration(
        sample=sample,
        moments=moments,
        quality=given.predicted(mean, columns[:, 0], counts, prompt) / unit,
        naive=mean / unit,
        unusualness=columns[:, 0],
        score=columns[:, -1] - columns[:, 1:-1] @ theta[2:],
        beta=float(theta[0]),
        gamma=float(theta[1]),
        unit=unit,
        strength=_strength(moments),
        given=given,
    )


def _margins(panel: Panel) -> tuple[FloatArray, FloatArray]:
    """Return sum and number of the ratings of each response."""
    size = len(panel.prompt)
    sums: FloatArray = np.bincount(panel.response, panel.value, minlength=size).astype(np.float64)
    return sums, np.bincount(panel.response, minlength=size).astype(np.float64)


def _strength(moments: Moments) -> float | None:
    """Return the identification strength, that of `underrating`, or None without a standard error."""
    variance = jackknife_variance([solved(part).left for part in moments.replicates()])
    if variance is None or variance.total <= 0:
        return None
    return float(solved(moments.total[None]).left[0]) / math.sqrt(variance.total)


def two_way_estimates(
    calibration: Calibration,
    per_prompt: PerPrompt,
    values: Sequence[tuple[Value, int]],
    confidence: float = 0.95,
) -> list[Estimate]:
    """Return functions of per-prompt sums that rest on calibrated quality, for new prompts and annotators.

    Parameters
    ----------
    found : Calibration
        The responses.
    per_prompt : callable
        From calibrated quality, shape (n,), NaN where unknown, to sums, shape (P, k).
    values : sequence of (callable, int)
        From sums over prompts, shape (..., k), to a statistic, shape (...), NaN where undefined; and what the
        estimate says it rests on.
    confidence : float
        Level of the intervals.

    Returns
    -------
    list of Estimate
        With t intervals, min(prompts, effective annotators) - 1 degrees of freedom.

    Notes
    -----
    Delete-one jackknife over prompts, annotators and their cells, as for `underrating`. Without an annotator,
    means, moments, calibration and whatever is chosen by them are computed anew; without a cell, the means
    of its prompt.
    """
    sums = per_prompt(calibration.quality)
    total = sums.sum(axis=0)
    replicates = _without_annotators(calibration, per_prompt)
    by_prompt = total - sums
    by_annotator = np.array([without.sum(axis=0) for without, _ in replicates])
    by_cell = np.concatenate([total + without[rated] - sums[rated] for without, rated in replicates])
    df = calibration.df
    return [
        _two_way_estimate(
            float(value(total)), [value(s) for s in (by_prompt, by_annotator, by_cell)], df, n, confidence
        )
        for value, n in values
    ]


def _two_way_estimate(
    point: float, parts: list[FloatArray], df: float, n: int, confidence: float
) -> Estimate:
    """Return a point with its interval from the values without a prompt, an annotator, a cell."""
    if not math.isfinite(point):
        return Estimate.undefined("too few to compare", n, confidence)
    variance = jackknife_variance(parts)
    if variance is None or df < 1:
        return Estimate(
            point, None, None, n, "without one prompt or annotator it would be undefined", confidence
        )
    return unbounded_t_interval(point, math.sqrt(variance.total), df, n, confidence)


def _without_annotators(calibration: Calibration, per_prompt: PerPrompt) -> list[tuple[FloatArray, IntArray]]:
    """Return the per-prompt sums without each annotator, and the prompts he rated in."""
    panel = calibration.sample.panel
    sums, counts = _margins(panel)
    totals = calibration.moments.replicates()[1]
    order = np.argsort(panel.annotator, kind="stable")
    starts = np.searchsorted(panel.annotator[order], np.arange(panel.n_annotators + 1))
    replicates = []
    for annotator in range(panel.n_annotators):
        mine = order[starts[annotator] : starts[annotator + 1]]
        rows = panel.response[mine]
        left, said = counts.copy(), sums.copy()
        left[rows] -= 1
        said[rows] -= panel.value[mine]
        quality = _anew(calibration, totals[annotator], said, left)
        replicates.append((per_prompt(quality), np.unique(panel.prompt[rows])))
    return replicates


def _anew(calibration: Calibration, total: FloatArray, sums: FloatArray, counts: FloatArray) -> FloatArray:
    """Return calibrated quality from other sums, NaN for a response without ratings."""
    has = counts > 0
    prompt = np.unique(calibration.prompt[has], return_inverse=True)[1].astype(np.int64)
    mean = centered(sums[has] / counts[has], prompt)
    given = Given.of(total, mean, counts[has], prompt)
    quality = np.full(len(counts), np.nan)
    if given is not None:
        unusual = centered(calibration.unusualness[has], prompt)
        quality[has] = given.predicted(mean, unusual, counts[has], prompt) / calibration.unit
    return quality
