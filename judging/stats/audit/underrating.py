"""Whether a scorer marks unusual responses down at equal true human quality, and whether the data can say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from judging.stats.audit.moments import Moments, cross_rater_moments
from judging.stats.audit.scopes import blank_scope, both_scopes, cannot_at_all, these_people
from judging.stats.audit.shapes import ShapeReplicates, residual_panel, shape_replicates
from judging.stats.audit.slopes import Jackknifed, Parts, jackknifed, solved
from judging.stats.audit.verdict import LIKE_THESE, Underrating
from judging.stats.audit.words import guards
from judging.stats.core.columns import TINY, Prepared, beside_unusualness, prepared, regular_covariates
from judging.stats.core.estimate import Estimate, FloatArray, check_confidence, unbounded_t_interval
from judging.stats.core.sample import Sample, centered, effective_number, sample_of, scored_alike


def underrating(
    ratings: pd.DataFrame,
    responses: pd.DataFrame,
    *,
    covariates: Sequence[str] = ("log_length",),
    second: str | None = None,
    unusualness_reliability: float | None = None,
    smallest_effect: float = 0.3,
    confidence: float = 0.95,
) -> Underrating:
    """Return how far a scorer marks unusual responses down at equal true human quality.

    Parameters
    ----------
    ratings : DataFrame
        Columns prompt_id, response_id, annotator_id, value: one row a rating, higher is better; NaN is
        missing. Any assignment of annotators to responses.
    responses : DataFrame
        Columns prompt_id, response_id, score, unusualness and the covariates: one row a response. A response
        with a missing number is left out and counted.
    covariates : sequence of str
        Columns held constant beside quality. One that does not vary within prompts, or that the covariates
        before it determine, is left out with a note.
    second : str, optional
        Column of responses with a second measure of unusualness whose errors have nothing to do with those of
        the first. The two then instrument each other: the slope is free of their noise.
    unusualness_reliability : float, optional
        Share of the variance of unusualness that is no noise, where it is known: above 0, at most 1. Without it and
        without a second measure nothing is acquitted, since noise in the measure hides underrating.
    smallest_effect : float
        Effect that matters, in SDs of the score per SD of unusualness.
    confidence : float
        Level of the intervals.

    Returns
    -------
    Underrating
        With the verdict "can't tell" and a reason whenever the data do not define the slope or its interval.

    Raises
    ------
    ValueError
        If a column is missing, a number is infinite, an id is missing or repeated, an annotator rated a
        response twice, the two frames put a response under different prompts, or `smallest_effect` is not
        positive.

    Notes
    -----
    Model, all centered within prompt: m = beta q + gamma u + lambda l + e with true quality q; the result is
    -gamma. theta = A^-1 b with the moments of `cross_rater_moments`, which replace the sum of squares of the
    human mean by products of different annotators only.

    V = V_prompt + V_annotator - V_cell, never below V_prompt; each is (n - 1)/n times the sum of squared
    deviations, from their mean, of theta_u with one prompt, annotator or prompt-annotator cell left out.
    Interval by t with min(P, M') - 1 degrees of freedom, M' = 1 / sum of squared shares of the ratings the
    effective number of annotators: where three of 22 give 79 % of the ratings, M' is 4.7, and M - 1 degrees of
    freedom would cover .90 instead of .96 (`simulate_audit`). Where all give as much, M' = M. Replicates
    center anew but keep the full sample's scales; scaling anew changes no coverage (300 simulated data sets in
    each of six cells: equal to .006), unless few responses hold most of the score's variance: then they do.

    That speaks for people like these. `these_people` holds the annotators fixed: V_prompt with P - 1 degrees of
    freedom, about underrating against the mean of what these annotators would rate.

    Fieller's set decides (`robust_interval`); without ends it is "can't tell". Strength is a label: the Schur
    complement of A_qq over its SE by the same jackknife. Deviations from the full-sample value instead of the
    replicates' mean would put the drop of the sum itself into its SE. The verdict also needs the slopes of
    other shapes (`shapes`), see `rule`; and it is "can't tell" where |`selection`| is above 2.

    predicted_naive_bias = -r rho s / ((1 - rho^2) + s) with s = 1/reliability - 1, r = corr(m, q),
    rho = corr(q, u): exact when gamma is 0 and there are no covariates.

    A response with missing ratings from one annotator is fine; one with fewer than two ratings drops out.

    References
    ----------
    judging/stats/README.md, sections 4.1, 4.2, 4.5 and 4.6. Owen (2007), Annals of Applied Statistics
    1:386, for variance over two crossed factors. Westfall and Yarkoni (2016), PLoS ONE 11(3), for the
    naive estimator.
    """
    return underratings(
        ratings, responses, ("score",), covariates=covariates, second=second,
        unusualness_reliability=unusualness_reliability, smallest_effect=smallest_effect, confidence=confidence,
    )["score"]  # fmt: skip


def underratings(
    ratings: pd.DataFrame,
    responses: pd.DataFrame,
    scorers: Sequence[str],
    *,
    covariates: Sequence[str] = ("log_length",),
    second: str | None = None,
    unusualness_reliability: float | None = None,
    smallest_effect: float = 0.3,
    confidence: float = 0.95,
) -> dict[str, Underrating]:
    """Return what `underrating` says of each of several scorers, going through the ratings once.

    Parameters
    ----------
    ratings, covariates, second, unusualness_reliability, smallest_effect, confidence
        As for `underrating`.
    responses : DataFrame
        As for `underrating`, with a column for each scorer instead of score. Where prompt_id says in which set a
        response stood, cluster_id may say to which prompt: sets of a prompt are left out together, and n_prompts
        counts prompts.
    scorers : sequence of str
        Columns of the scorers. Those that scored the same responses share the work.

    Returns
    -------
    dict of str to Underrating
        By scorer, in the order given; each equal to that of `underrating` with this scorer alone.

    Raises
    ------
    ValueError
        As `underrating`.
    """
    check_confidence(confidence)
    if not smallest_effect > 0:
        raise ValueError(f"smallest_effect must be positive, got {smallest_effect}.")
    if unusualness_reliability is not None and not 0 < unusualness_reliability <= 1:
        raise ValueError(
            f"unusualness_reliability must be above 0 and at most 1, got {unusualness_reliability}."
        )
    beside = beside_unusualness(covariates, scorers, second)
    how = Question(second, unusualness_reliability)
    results: dict[str, Underrating] = {}
    for group in scored_alike(responses, scorers):
        sample = sample_of(ratings, responses, beside, tuple(group), clustered=True)
        blank = _blank(sample, smallest_effect, confidence)
        results |= _of_group(sample, blank, tuple(covariates), group, how)
    return {name: results[name] for name in scorers}


def _of_group(
    sample: Sample, blank: Underrating, names: Sequence[str], scorers: Sequence[str], how: Question
) -> dict[str, Underrating]:
    """Return the results of scorers that scored the same responses."""
    ready = prepared(sample, names, scorers, how.second)
    if ready.panel is None or ready.scales is None:
        blank = replace(blank, notes=blank.notes + ready.notes)
        return dict.fromkeys(scorers, cannot_at_all(blank, ready.why_not))
    moments = cross_rater_moments(ready.panel)
    ready, moments, parts = _steady(ready, moments)
    blank = replace(blank, notes=blank.notes + ready.notes)
    flat = cannot_at_all(blank, "The scorer gives all responses to a prompt the same score.")
    results = dict.fromkeys(scorers, flat)
    curves = _curves(ready, moments, how)
    panel = ready.panel
    for i, (name, scale) in enumerate((ready.scales or {}).items()):
        own = [*range(1 + ready.n_beside), 1 + ready.n_beside + i]
        score = None if panel is None else centered(panel.columns[:, own[-1] - 1], panel.prompt)
        results[name] = _of_scorer(
            _Scorer(_only(moments, own), _parts(parts, own), score, (ready.spread, scale), ready.covariates),
            blank, None if curves is None else (curves, i), how,
        )  # fmt: skip
    return results


@dataclass(frozen=True, slots=True)
class Question:
    """How unusualness is measured.

    Parameters
    ----------
    second : str or None
        Column of the second measure.
    reliability : float or None
        Stated reliability of the only measure.
    """

    second: str | None
    reliability: float | None


@dataclass(frozen=True, slots=True)
class _Scorer:
    """One scorer: its moments, its score (centered, in SDs), the units of ratings and score, and the covariates."""

    moments: Moments
    parts: Parts
    score: FloatArray | None
    units: tuple[float, float]
    covariates: Sequence[str]


def _steady(ready: Prepared, moments: Moments) -> tuple[Prepared, Moments, Parts]:
    """Return all without covariates that some replicate can't tell apart: they would void every interval."""
    parts = moments.replicates()
    kept = regular_covariates([moments.total[None], *parts], len(ready.covariates))
    if len(kept) == len(ready.covariates):
        return ready, moments, parts
    width = moments.total.shape[0]
    columns = [0, 1, *(2 + i for i in kept), *range(2 + len(ready.covariates), width)]
    ready = ready.with_covariates(kept)
    return ready, _only(moments, columns), _parts(parts, columns)


def _curves(ready: Prepared, moments: Moments, how: Question) -> ShapeReplicates | None:
    """Return the slopes of other shapes; None with two measures of unusualness."""
    panel = None if how.second else residual_panel(ready, moments.total)
    return None if panel is None else shape_replicates(panel)


def _only(moments: Moments, columns: Sequence[int]) -> Moments:
    """Return the moments of some of the columns."""
    return replace(moments, prompt=_square(moments.prompt, columns), cell=_square(moments.cell, columns))


def _parts(parts: Parts, columns: Sequence[int]) -> Parts:
    """Return the replicates of some of the columns."""
    one, two, three = (_square(part, columns) for part in parts)
    return one, two, three


def _square(moments: FloatArray, columns: Sequence[int]) -> FloatArray:
    return np.asarray(moments[:, columns][:, :, columns])


def _of_scorer(
    scorer: _Scorer, blank: Underrating, curves: tuple[ShapeReplicates, int] | None, how: Question
) -> Underrating:
    """Return the result of one scorer."""
    total, both = scorer.moments.total, how.second is not None
    df = min(blank.n_prompts, blank.effective_annotators or 0.0) - 1
    slopes = jackknifed(
        total, scorer.parts, df=df, n=blank.n_responses, confidence=blank.underrating.confidence, second=both
    )
    result = _diagnosed(blank, scorer.moments, both)
    if not np.isfinite(slopes.whole.unusual):
        # Without a slope there is nothing to jackknife; the rest is still worth seeing.
        return cannot_at_all(result, _SINGULAR)
    freedom = result.n_responses - len(scorer.moments.prompt)
    result = _slopes(result, slopes, scorer.covariates, scorer.units, freedom)
    result, slopes, curves = _heavy_tails(result, slopes, curves, scorer)
    if how.reliability is not None:
        result = _attenuated(result, how.reliability)
    result = both_scopes(result, slopes, curves, can_acquit=both or how.reliability is not None)
    return replace(result, notes=result.notes + guards(result))


_SINGULAR = "Quality, unusualness and covariates can't be told apart here. Add annotators and prompts."

FEW = 0.05
"""Share of the responses below which half of a score's variance is said to be in few; 12 % of a normal score."""


def _heavy_tails(
    result: Underrating, slopes: Jackknifed, curves: tuple[ShapeReplicates, int] | None, scorer: _Scorer
) -> tuple[Underrating, Jackknifed, tuple[ShapeReplicates, int] | None]:
    """Return all with the score's SD jackknifed too, and a note, where few responses hold most of its variance."""
    if scorer.score is None:
        return result, slopes, curves
    squares = np.sort(scorer.score**2)[::-1]
    few = int(np.searchsorted(np.cumsum(squares), squares.sum() / 2)) + 1
    if few >= FEW * len(squares):
        return result, slopes, curves
    note = (
        f"Half of the score's variance is in {few:,} of {len(squares):,} responses, so its SD is not well known: "
        "intervals allow for that, and the slope in the scorer's own units does not rest on it."
    )
    result = replace(result, notes=(*result.notes, note))
    if curves is None:
        return result, slopes, curves
    replicates, at = curves
    pairs = zip(scorer.parts, replicates.moments.parts, strict=True)
    scales = [np.sqrt(part[:, -1, -1] / np.maximum(sums.common[:, 5], 1)) for part, sums in pairs]
    return result, slopes.with_scale(scales), (replicates.with_scale(at, scales), at)


def _attenuated(result: Underrating, reliability: float) -> Underrating:
    """Return the result with how much smaller slopes are than per SD of what the measure measures.

    Of unusualness measured with reliability R, correlated by rho with quality, the slope at equal quality is
    sqrt(R) (1 - rho^2 / R) / (1 - rho^2) of what it is per SD of true unusualness.
    """
    rho = result.correlation or 0.0
    factor = math.sqrt(reliability) * max(0.05, (1 - rho**2 / reliability) / (1 - rho**2))
    these = replace(result.these_people, attenuation=factor)
    return replace(result, attenuation=factor, these_people=these)


def _slopes(
    result: Underrating, slopes: Jackknifed, names: Sequence[str], units: tuple[float, float], freedom: int
) -> Underrating:
    """Return the result with the slopes that are the same for all whom it speaks for, in SDs and in units."""
    of_rating, of_score = units
    return replace(
        result,
        raw=slopes.estimate("unusual", -of_score),
        total=slopes.estimate("total", -1.0),
        human=slopes.estimate("human_sds", -math.sqrt(freedom)),
        human_raw=slopes.estimate("human", -of_rating),
        covariate_coefficients={
            name: slopes.estimate("covariates", index=index) for index, name in enumerate(names)
        },
    )


def _blank(sample: Sample, smallest_effect: float, confidence: float) -> Underrating:
    """Return the result before anything is estimated."""
    panel, n = sample.panel, len(sample.kept)
    ratings = len(panel.value)
    none = Estimate.undefined("Not estimated.", n, confidence)
    return Underrating(
        **blank_scope(LIKE_THESE, n, smallest_effect, confidence),
        these_people=these_people(n, smallest_effect, confidence),
        raw=none, naive=none, reliability=None, correlation=None, predicted_naive_bias=None,
        covariate_coefficients={}, total=none, human=none, human_raw=none,
        effective_annotators=effective_number(panel.annotator) if ratings else None,
        n_prompts=panel.n_clusters if n else 0, n_responses=n,
        n_annotators=panel.n_annotators if ratings else 0, n_ratings=ratings, selection=sample.selection,
        n_incomplete=sample.n_incomplete, n_thin=sample.n_thin, notes=sample.notes,
    )  # fmt: skip


def _diagnosed(result: Underrating, moments: Moments, second: bool) -> Underrating:
    """Return the result with the naive slope and what is known of quality."""
    plain = moments
    if second:
        d = moments.total.shape[0]
        plain = _only(moments, [*range(d - 2), d - 1])
    reliability, correlation, bias = _diagnostics(plain.total, plain)
    return replace(
        result, naive=_naive(plain, result), reliability=reliability, correlation=correlation,
        predicted_naive_bias=bias,
    )  # fmt: skip


def _naive(moments: Moments, blank: Underrating) -> Estimate:
    """Return minus the OLS slope of unusualness beside the human mean, with a prompt-clustered interval."""
    confidence, n = blank.naive.confidence, blank.n_responses
    parts = moments.naive
    total = parts.sum(axis=0)
    slope = float(solved(total).unusual)
    if not math.isfinite(slope):
        return Estimate.undefined("The human means do not vary on their own within prompts.", n, confidence)
    clusters = len(parts)
    if clusters < 2:
        return Estimate(-slope, None, None, n, "No interval: there is only one prompt.", confidence)
    theta = np.linalg.solve(total[:-1, :-1], total[:-1, -1])
    leaning = parts[:, :-1, -1] - parts[:, :-1, :-1] @ theta
    weight = np.linalg.solve(total[:-1, :-1], np.eye(len(theta))[1])
    error = math.sqrt(float(((leaning @ weight) ** 2).sum()) * clusters / (clusters - 1))
    return unbounded_t_interval(-slope, error, clusters - 1, n, confidence)


def _diagnostics(total: FloatArray, moments: Moments) -> tuple[float | None, float | None, float | None]:
    """Return reliability, correlation of quality and unusualness, and the naive bias they predict."""
    observed = float(moments.mean_square.sum())
    quality, unusual, score = float(total[0, 0]), float(total[1, 1]), float(total[-1, -1])
    reliability = quality / observed if observed > 0 else None
    if reliability is None or reliability <= 0:
        return reliability, None, None
    rho = float(total[0, 1]) / math.sqrt(quality * unusual)
    r = float(total[0, -1]) / math.sqrt(quality * score)
    if abs(rho) >= 1:
        return reliability, None, None
    noise = 1 / reliability - 1
    # By chance reliability may come out above 1; then there is no noise that could predict a bias.
    left = (1 - rho**2) + noise
    bias = -r * rho * noise / left if abs(r) < 1 and left > TINY else None
    return reliability, rho, bias
