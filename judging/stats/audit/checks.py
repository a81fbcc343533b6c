"""Two other ways to the underrating slope, as checks: instruments from split annotators, and a two-way bootstrap."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from judging.stats.audit.moments import cross_rater_moments, resampled_moments
from judging.stats.audit.slopes import solved
from judging.stats.core.columns import TINY, Prepared, beside_unusualness, prepared
from judging.stats.core.estimate import (
    Estimate,
    FloatArray,
    IntArray,
    bootstrap_weights,
    check_confidence,
    percentile_interval,
    unbounded_t_interval,
)
from judging.stats.core.halves import annotator_halves
from judging.stats.core.panel import Panel
from judging.stats.core.sample import sample_of

LISTED = 1000
"""Halves of the annotators up to which all of them are gone through: those of twelve people."""


def split_instruments(
    ratings: pd.DataFrame,
    responses: pd.DataFrame,
    scorers: Sequence[str] = ("score",),
    *,
    covariates: Sequence[str] = ("log_length",),
    splits: int = 20,
    confidence: float = 0.95,
    rng: np.random.Generator,
) -> dict[str, Estimate]:
    """Return the underrating by annotator-split instruments: one half's mean instrumented by the other's.

    Parameters
    ----------
    ratings, responses, scorers, covariates
        As for `underratings`. Responses that some scorer did not score are left out for all.
    splits : int
        Random halves of the annotators that are averaged, each in both directions, where more than `LISTED` halves
        can be formed; all of them where not.
    confidence : float
        Level of the interval.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    dict of str to Estimate
        By scorer, as `Underrating.underrating`; `n` counts responses. The interval is over prompts only: it does not
        speak for new annotators and is too narrow as soon as they differ in taste.

    Raises
    ------
    ValueError
        As `underratings`, or if `splits` is less than one.

    Notes
    -----
    Whole annotators are split. Of a response that both halves rated, the halves' means have independent
    errors, so with Z = (q_b, u, l) and X = (q_a, u, l), all centered within prompts, theta = (Z'X)^-1 Z'm; then a and b
    change places. The slope is the mean over directions and over the splits that define it, its variance that of the
    mean influence of prompts, G/(G - 1) sum_g psi_g^2.

    References
    ----------
    Angrist and Krueger (1995), Journal of Business and Economic Statistics 13:225, for split-sample instruments.
    """
    if splits < 1:
        raise ValueError(f"splits must be at least 1, got {splits}.")
    ready, n = ready_for(ratings, responses, scorers, covariates, confidence)
    panel = ready.panel
    if panel is None:
        return {name: Estimate.undefined(ready.why_not, n, confidence) for name in scorers}
    if panel.n_annotators < 2:
        return {name: Estimate.undefined("Only one annotator.", n, confidence) for name in scorers}
    columns = 1 + ready.n_beside
    estimates, leaning = [], []
    distinct = math.comb(panel.n_annotators, panel.n_annotators // 2)
    for half in annotator_halves(panel.n_annotators, LISTED if distinct <= LISTED else splits, rng):
        moments = _half_moments(panel, half == 1)
        for q, z in ((0, 1), (1, 0)):
            rest = list(range(2, 1 + columns))
            theta, influence = instrumented(moments, [z, *rest], [q, *rest], 1 + columns)
            estimates.append(theta)
            leaning.append(influence)
    return _by_scorer(scorers, ready, np.array(estimates), np.array(leaning), (n, confidence))


def ready_for(
    ratings: pd.DataFrame,
    responses: pd.DataFrame,
    scorers: Sequence[str],
    covariates: Sequence[str],
    confidence: float,
) -> tuple[Prepared, int]:
    """Return what can be analyzed of several scorers at once, and how many responses that is.

    Parameters
    ----------
    ratings, responses, scorers, covariates, confidence
        As for `underratings`.

    Returns
    -------
    tuple of Prepared and int

    Raises
    ------
    ValueError
        As `underratings`.
    """
    check_confidence(confidence)
    beside = beside_unusualness(covariates, scorers)
    sample = sample_of(ratings, responses, beside, tuple(scorers))
    return prepared(sample, tuple(covariates), scorers), len(sample.kept)


def _half_moments(panel: Panel, half: np.ndarray) -> FloatArray:
    """Return per prompt the moments of (half's mean, the others' mean, columns), of responses both rated."""
    size = len(panel.prompt)
    table = [np.empty(0), np.empty(0)]
    both = np.ones(size, dtype=bool)
    for i, chosen in enumerate((half[panel.annotator], ~half[panel.annotator])):
        counts = np.bincount(panel.response[chosen], minlength=size)
        sums = np.bincount(panel.response[chosen], panel.value[chosen], minlength=size)
        table[i] = sums / np.maximum(counts, 1)
        both &= counts > 0
    rows = np.column_stack([*table, panel.columns])[both]
    return moments_within(rows, panel.prompt[both], panel.n_prompts)


def moments_within(rows: FloatArray, prompt: IntArray, n_prompts: int) -> FloatArray:
    """Return the sums of products of columns centered within prompts, of each prompt.

    Parameters
    ----------
    rows : ndarray, shape (n, D)
        Columns.
    prompt : ndarray of int, shape (n,)
        Prompt of each row, 0 to n_prompts - 1.
    n_prompts : int
        Number of prompts; one without a row has zeros.

    Returns
    -------
    ndarray, shape (n_prompts, D, D)
    """
    counts = np.maximum(np.bincount(prompt, minlength=n_prompts), 1)[:, None]
    rows = rows - (_sums(rows, prompt, n_prompts) / counts)[prompt]
    return _sums(rows[:, :, None] * rows[:, None, :], prompt, n_prompts)


def _sums(rows: FloatArray, prompt: IntArray, n: int) -> FloatArray:
    """Return the sum of the rows of each prompt."""
    sums = np.zeros((n, *rows.shape[1:]))
    order = np.argsort(prompt, kind="stable")
    present = np.unique(prompt)
    if len(present):
        starts = np.searchsorted(prompt[order], present)
        sums[present] = np.add.reduceat(rows[order], starts, axis=0)
    return sums


def instrumented(
    moments: FloatArray, rows: Sequence[int], unknowns: Sequence[int], first: int, at: int = 1
) -> tuple[FloatArray, FloatArray]:
    """Return an instrumental slope for each score, and each prompt's influence on it.

    Parameters
    ----------
    moments : ndarray, shape (P, D, D)
        Of each prompt.
    rows, unknowns : sequence of int
        Columns of the instruments, and of what they stand for.
    first : int
        The first column of a score.
    at : int
        Which of the unknowns: 0 quality, 1 unusualness.

    Returns
    -------
    theta : ndarray, shape (S,)
    influence : ndarray, shape (P, S)
        NaN where the equations are singular.
    """
    total = moments.sum(axis=0)
    matrix, target = total[np.ix_(rows, unknowns)], total[rows][:, first:]
    level = np.sqrt(np.abs(np.outer(total[rows, rows], total[unknowns, unknowns])))
    if not (level > 0).all() or abs(np.linalg.det(matrix / level)) <= TINY:
        nothing = np.full(target.shape[1], np.nan)
        return nothing, np.full((len(moments), len(nothing)), np.nan)
    theta = np.linalg.solve(matrix, target)
    own = moments[:, rows]
    errors = own[:, :, first:] - own[:, :, unknowns] @ theta
    weight = np.linalg.solve(matrix.T, np.eye(len(rows))[at])
    return theta[at], np.einsum("r,prs->ps", weight, errors)


def _by_scorer(
    scorers: Sequence[str],
    ready: Prepared,
    values: FloatArray,
    leaning: FloatArray,
    about: tuple[int, float],
) -> dict[str, Estimate]:
    """Return the mean slope of each scorer with its interval over prompts."""
    n, confidence = about
    given = list(ready.scales or {})
    # A half that shares few responses with the other may say nothing: then the other splits do.
    defined = np.isfinite(values)
    count = np.maximum(defined.sum(axis=0), 1)
    theta = np.where(defined.any(axis=0), -np.where(defined, values, 0.0).sum(axis=0) / count, np.nan)
    influence = np.where(defined[:, None], leaning, 0.0).sum(axis=0) / count
    clusters = influence.shape[0]
    result = {}
    for name in scorers:
        if name not in given:
            why = "The scorer gives all responses to a prompt the same score."
            result[name] = Estimate.undefined(why, n, confidence)
            continue
        at = given.index(name)
        if not math.isfinite(theta[at]):
            why = "However annotators are split, the halves' means say nothing about each other."
            result[name] = Estimate.undefined(why, n, confidence)
        elif clusters < 2:
            result[name] = Estimate(float(theta[at]), None, None, n, "Only one prompt.", confidence)
        else:
            error = math.sqrt(float((influence[:, at] ** 2).sum()) * clusters / (clusters - 1))
            result[name] = unbounded_t_interval(float(theta[at]), error, clusters - 1, n, confidence)
    return result


def pigeonhole(
    ratings: pd.DataFrame,
    responses: pd.DataFrame,
    scorers: Sequence[str] = ("score",),
    *,
    covariates: Sequence[str] = ("log_length",),
    resamples: int = 250,
    confidence: float = 0.95,
    rng: np.random.Generator,
) -> dict[str, Estimate]:
    """Return the underrating with the interval of a bootstrap over prompts and annotators at once.

    Parameters
    ----------
    ratings, responses, scorers, covariates
        As for `underratings`. Responses that some scorer did not score are left out for all.
    resamples : int
        Number of resamples.
    confidence : float
        Level of the percentile interval.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    dict of str to Estimate
        By scorer, the point of `underratings`; `n` counts responses.

    Raises
    ------
    ValueError
        As `underratings`, or if `resamples` is negative.

    Notes
    -----
    Prompts and annotators are drawn with replacement, each on its own; a rating weighs as much as its prompt times
    its annotator (`resampled_moments`). It overstates the variance a little: the interval is on the safe side.

    References
    ----------
    Owen (2007), Annals of Applied Statistics 1:386. Owen and Eckles (2012), Annals of Applied Statistics 6:895.
    """
    ready, n = ready_for(ratings, responses, scorers, covariates, confidence)
    panel, given = ready.panel, list(ready.scales or {})
    if panel is None:
        return {name: Estimate.undefined(ready.why_not, n, confidence) for name in scorers}
    weights = [bootstrap_weights(m, resamples, rng) for m in (panel.n_prompts, panel.n_annotators)]
    drawn = resampled_moments(panel, weights[0], weights[1])
    total = cross_rater_moments(panel).total
    result = {}
    for name in scorers:
        if name not in given:
            why = "The scorer gives all responses to a prompt the same score."
            result[name] = Estimate.undefined(why, n, confidence)
            continue
        own = [*range(1 + ready.n_beside), 1 + ready.n_beside + given.index(name)]
        point = -float(solved(total[np.ix_(own, own)]).unusual)
        if not math.isfinite(point):
            result[name] = Estimate.undefined("The equations are singular.", n, confidence)
            continue
        draws = -solved(drawn[:, own][:, :, own]).unusual
        interval = percentile_interval(draws, point, n, confidence)
        if (
            interval.low is not None
            and interval.high is not None
            and not interval.low <= point <= interval.high
        ):
            low, high = min(interval.low, point), max(interval.high, point)
            interval = Estimate(point, low, high, n, None, confidence)
        result[name] = interval
    return result
