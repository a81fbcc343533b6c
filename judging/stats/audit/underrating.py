"""Whether a scorer marks unusual responses down at equal true human quality, and whether the data can say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from judging.stats.audit.moments import Moments, cross_rater_moments
from judging.stats.audit.slopes import Jackknifed, Parts, jackknifed, p_values, robust_interval, solved
from judging.stats.audit.verdict import Underrating, Verdict, cannot, judged
from judging.stats.core.columns import TINY, beside_unusualness, prepared
from judging.stats.core.estimate import Estimate, FloatArray, check_confidence, unbounded_t_interval
from judging.stats.core.sample import Sample, effective_number, sample_of, scored_alike


def underrating(
    ratings: pd.DataFrame,
    responses: pd.DataFrame,
    *,
    covariates: Sequence[str] = ("log_length",),
    second: str | None = None,
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
    each of six cells: equal to .006).

    Strength is the Schur complement of A_qq over its SE by the same jackknife. Deviations from the
    full-sample value instead of the replicates' mean would put the drop of the sum itself into its SE.

    Verdict: strength below 3.2 or an undefined interval is "can't tell"; else an interval above 0 is
    "underrates", below 0 "overrates"; else, with x the larger of smallest detectable effect and upper end,
    "no underrating of x or more" if x is at most `smallest_effect`, and "underpowered" if not.

    predicted_naive_bias = -r rho s / ((1 - rho^2) + s) with s = 1/reliability - 1, r = corr(m, q),
    rho = corr(q, u): exact when gamma is 0 and there are no covariates.

    A response with missing ratings from one annotator is fine; one with fewer than two ratings drops out.

    References
    ----------
    judging/stats/README.md, sections 4.1, 4.2 and 4.5. Owen (2007), Annals of Applied Statistics
    1:386, for variance over two crossed factors. Westfall and Yarkoni (2016), PLoS ONE 11(3), for the
    naive estimator.
    """
    found = underratings(
        ratings, responses, ("score",), covariates=covariates, second=second,
        smallest_effect=smallest_effect, confidence=confidence,
    )  # fmt: skip
    return found["score"]


def underratings(
    ratings: pd.DataFrame,
    responses: pd.DataFrame,
    scorers: Sequence[str],
    *,
    covariates: Sequence[str] = ("log_length",),
    second: str | None = None,
    smallest_effect: float = 0.3,
    confidence: float = 0.95,
) -> dict[str, Underrating]:
    """Return what `underrating` says of each of several scorers, going through the ratings once.

    Parameters
    ----------
    ratings, covariates, second, smallest_effect, confidence
        As for `underrating`.
    responses : DataFrame
        As for `underrating`, with a column for each scorer instead of score.
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
    beside = beside_unusualness(covariates, scorers, second)
    found: dict[str, Underrating] = {}
    for group in scored_alike(responses, scorers):
        sample = sample_of(ratings, responses, beside, tuple(group))
        blank = _blank(sample, smallest_effect, confidence)
        found |= _of_group(sample, blank, tuple(covariates), group, second)
    return {name: found[name] for name in scorers}


def _of_group(
    sample: Sample, blank: Underrating, names: Sequence[str], scorers: Sequence[str], second: str | None
) -> dict[str, Underrating]:
    """Return the results of scorers that scored the same responses."""
    ready = prepared(sample, names, scorers, second)
    blank = replace(blank, notes=blank.notes + ready.notes)
    if ready.panel is None or ready.scales is None:
        return dict.fromkeys(scorers, cannot(blank, ready.why_not))
    flat = cannot(blank, "The scorer gives all responses to a prompt the same score.")
    found = dict.fromkeys(scorers, flat)
    moments = cross_rater_moments(ready.panel)
    parts = moments.replicates()
    for i, (name, scale) in enumerate(ready.scales.items()):
        own = [*range(1 + ready.n_beside), 1 + ready.n_beside + i]
        units = (ready.spread, scale)
        found[name] = _of_scorer(
            blank, _only(moments, own), _parts(parts, own), ready.covariates, units, second
        )
    return found


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
    blank: Underrating,
    moments: Moments,
    parts: Parts,
    names: Sequence[str],
    units: tuple[float, float],
    second: str | None,
) -> Underrating:
    """Return the result of one scorer; `units` are the spread of the ratings and the SD of the score."""
    total, both = moments.total, second is not None
    df = min(blank.n_prompts, blank.effective_annotators or 0.0) - 1
    found = jackknifed(
        total, parts, df=df, n=blank.n_responses, confidence=blank.underrating.confidence, second=both
    )
    if not np.isfinite(found.whole.unusual):
        # Without a slope there is nothing to jackknife; the rest is still worth seeing.
        return cannot(_diagnosed(blank, moments, both), _SINGULAR)
    strength, identification, measures_weak = found.strength(second=both)
    result = replace(
        _slopes(_diagnosed(blank, moments, both), found, names, units),
        strength=strength,
        robust=None if both else robust_interval(found),
    )
    return judged(result, found.variance("unusual"), identification, measures_weak=measures_weak)


_SINGULAR = "Quality, unusualness and covariates can't be told apart here. Add annotators and prompts."


def _slopes(
    result: Underrating, found: Jackknifed, names: Sequence[str], units: tuple[float, float]
) -> Underrating:
    """Return the result with its slopes, in SDs and in units."""
    of_rating, of_score = units
    freedom = result.n_responses - result.n_prompts
    slope = found.estimate("unusual", -1.0)
    result = replace(
        result,
        underrating=slope,
        raw=found.estimate("unusual", -of_score),
        total=found.estimate("total", -1.0),
        human=found.estimate("human_sds", -math.sqrt(freedom)),
        human_raw=found.estimate("human", -of_rating),
        covariate_coefficients={
            name: found.estimate("covariates", index=index) for index, name in enumerate(names)
        },
    )
    variance = found.variance("unusual")
    if variance is None or found.df < 1 or slope.estimate is None:
        return result
    error = math.sqrt(variance.total)
    two_sided, one_sided = p_values(slope.estimate, error, found.df)
    quantiles = stats.t.ppf([(1 + found.confidence) / 2, 0.8], found.df)
    return replace(
        result, p=two_sided, p_one_sided=one_sided, standard_error=error,
        smallest_detectable=float(np.sum(quantiles)) * error,
    )  # fmt: skip


def _blank(sample: Sample, smallest_effect: float, confidence: float) -> Underrating:
    """Return the result before anything is estimated."""
    panel, n = sample.panel, len(sample.kept)
    ratings = len(panel.value)
    none = Estimate.undefined("Not estimated.", n, confidence)
    return Underrating(
        underrating=none, p=None, p_one_sided=None, standard_error=None, raw=none, naive=none,
        reliability=None, correlation=None, predicted_naive_bias=None, covariate_coefficients={}, total=none,
        human=none, human_raw=none, robust=None,
        strength=None, effective_annotators=effective_number(panel.annotator) if ratings else None,
        smallest_detectable=None, n_prompts=panel.n_prompts if n else 0, n_responses=n,
        n_annotators=panel.n_annotators if ratings else 0, n_ratings=ratings, verdict=Verdict.CANT_TELL,
        reason="Not estimated.", borderline=False, smallest_effect=smallest_effect,
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
