"""Divisive is not unusual: whether a scorer follows people's quality as well where they disagree."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from judging.stats.audit.checks import instrumented, moments_within, ready_for
from judging.stats.core.columns import Prepared
from judging.stats.core.estimate import BoolArray, Estimate, FloatArray, IntArray, unbounded_t_interval
from judging.stats.core.panel import Panel

THIRDS = 3


@dataclass(frozen=True, slots=True)
class Divisive:
    """How a scorer follows human quality where people disagree and where they agree.

    Parameters
    ----------
    slope_high, slope_low : Estimate
        Rise of the score, in pooled within-prompt SDs, per point of true human quality, unusualness and covariates
        held constant: among the responses of a prompt that people disagree on more, and among the others.
    difference : Estimate
        The first less the second: below zero, the scorer follows quality less where people disagree.
    p : float or None
        Of no difference, two-sided.
    correlation : Estimate
        Of divisiveness and unusualness within prompts, as observed: the noise of both makes it smaller.
    reason : str
        What the numbers say, in words.
    """

    slope_high: Estimate
    slope_low: Estimate
    difference: Estimate
    p: float | None
    correlation: Estimate
    reason: str

    @classmethod
    def undefined(
        cls, reason: str, n: int = 0, confidence: float = 0.95, correlation: Estimate | None = None
    ) -> Divisive:
        """Return none of them, for a reason."""
        none = Estimate.undefined(reason, n, confidence)
        return cls(none, none, none, None, correlation or none, reason)


def divisive_slopes(
    ratings: pd.DataFrame,
    responses: pd.DataFrame,
    scorers: Sequence[str] = ("score",),
    *,
    covariates: Sequence[str] = ("log_length",),
    splits: int = 20,
    confidence: float = 0.95,
    rng: np.random.Generator,
) -> dict[str, Divisive]:
    """Return the slope of scores on human quality among divisive and among other responses, by held-out thirds.

    Parameters
    ----------
    ratings, responses, scorers, covariates
        As for `underratings`. Responses that some scorer did not score are left out for all.
    splits : int
        Random divisions of the annotators into thirds that are averaged.
    confidence : float
        Level of the intervals.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    dict of str to Divisive
        By scorer; `n` counts responses. Undefined, with a reason, unless responses have about six ratings: a third
        of the annotators must be two to disagree.

    Raises
    ------
    ValueError
        As `underratings`, or if `splits` is less than one.

    Notes
    -----
    To choose divisive responses by the ratings that are then correlated restricts their range and their reliability,
    and makes any scorer look worse there. So one third of the annotators chooses: of each prompt the half of the
    responses with the larger variance of that third's ratings, each less the annotator's mean. Among either half,
    the mean q_a of the second third and q_b of the last have independent errors: with Z = (q_b, unusualness,
    covariates) and X = (q_a, the same), centered within prompt and half, theta = (Z'X)^-1 Z'm; then a and b change
    places. Slopes are means over splits and directions. Variance: that of the mean influence of prompts,
    G/(G - 1) sum_g psi_g^2, and Student's t with G - 1 degrees of freedom; the interval is over prompts only.

    References
    ----------
    judging/stats/README.md, sections 4.2 and 4.3. Angrist and Krueger (1995), Journal of Business and Economic
    Statistics 13:225, for split-sample instruments.
    """
    if splits < 1:
        raise ValueError(f"splits must be at least 1, got {splits}.")
    ready, n = ready_for(ratings, responses, scorers, covariates, confidence)
    about = (n, confidence)
    if ready.panel is None or ready.scales is None:
        return dict.fromkeys(scorers, Divisive.undefined(ready.why_not, *about))
    halves = [_split(ready.panel, ready, rng) for _ in range(splits)]
    correlation = _correlation(ready.panel, about)
    flat = Divisive.undefined(
        "The scorer gives all responses to a prompt the same score.", *about, correlation
    )
    result = dict.fromkeys(scorers, flat)
    if any(part is None for part in halves):
        thin = Divisive.undefined(_THIN, *about, correlation)
        return dict.fromkeys(scorers, thin)
    theta = np.mean([part[0] for part in halves if part is not None], axis=0)
    influence = np.mean([part[1] for part in halves if part is not None], axis=0)
    for at, name in enumerate(ready.scales):
        result[name] = _of_scorer(
            theta[:, at] / ready.spread, influence[..., at] / ready.spread, about, correlation
        )
    return result


_THIN = (
    "A third of the annotators must be two or more on a response to disagree on it, and the other two thirds "
    "must have rated it too: about six ratings a response are needed."
)


def _split(panel: Panel, ready: Prepared, rng: np.random.Generator) -> tuple[FloatArray, FloatArray] | None:
    """Return slopes, shape (2, S), and influences, (2, P, S), among divisive and other responses; None if too thin."""
    third = (rng.permutation(panel.n_annotators) % THIRDS)[panel.annotator]
    size = len(panel.prompt)
    counts = [np.bincount(panel.response[third == k], minlength=size) for k in range(THIRDS)]
    means = [
        np.bincount(panel.response[third == k], panel.value[third == k], minlength=size)
        / np.maximum(counts[k], 1)
        for k in (0, 1)
    ]
    usable = (counts[0] > 0) & (counts[1] > 0) & (counts[2] > 1)
    spread = _disagreement(panel, third == 2)
    halves = _halves(spread, usable, panel.prompt, rng)
    rows = np.column_stack([*means, panel.columns])
    beside = list(range(2, 2 + ready.n_beside))
    thetas, influences = [], []
    for half in halves:
        moments = moments_within(rows[half], panel.prompt[half], panel.n_prompts)
        ways = [
            instrumented(moments, [z, *beside], [q, *beside], 2 + ready.n_beside, at=0)
            for q, z in ((0, 1), (1, 0))
        ]
        thetas.append(np.mean([w[0] for w in ways], axis=0))
        influences.append(np.mean([w[1] for w in ways], axis=0))
    slopes = np.array(thetas), np.array(influences)
    return slopes if np.isfinite(slopes[0]).all() else None


def _disagreement(panel: Panel, chosen: BoolArray) -> FloatArray:
    """Return the variance of the chosen ratings of each response, each less its annotator's mean; NaN below two."""
    own = np.bincount(panel.annotator, panel.value) / np.maximum(np.bincount(panel.annotator), 1)
    value = (panel.value - own[panel.annotator])[chosen]
    response, size = panel.response[chosen], len(panel.prompt)
    n = np.bincount(response, minlength=size)
    mean = np.bincount(response, value, minlength=size) / np.maximum(n, 1)
    squares = np.bincount(response, (value - mean[response]) ** 2, minlength=size)
    return np.where(n > 1, squares / np.maximum(n - 1, 1), np.nan)


def _halves(
    spread: FloatArray, usable: BoolArray, prompt: IntArray, rng: np.random.Generator
) -> tuple[BoolArray, BoolArray]:
    """Return which responses are in the upper and in the lower half of their prompt; ties fall by chance."""
    rows = np.flatnonzero(usable)
    order = rows[np.lexsort((rng.random(len(rows)), spread[rows], prompt[rows]))]
    sizes = np.bincount(prompt[order], minlength=int(prompt.max()) + 1)
    place = np.arange(len(order)) - (np.cumsum(sizes) - sizes)[prompt[order]]
    half = (sizes // 2)[prompt[order]]
    upper, lower = np.zeros((2, len(prompt)), dtype=bool)
    lower[order[place < half]] = True
    upper[order[place >= sizes[prompt[order]] - half]] = True
    return upper, lower


def _of_scorer(
    theta: FloatArray, influence: FloatArray, about: tuple[int, float], correlation: Estimate
) -> Divisive:
    """Return the result of slopes, shape (2,), and influences, shape (2, P)."""
    high, low = (_estimate(float(t), i, about) for t, i in zip(theta, influence, strict=True))
    difference = _estimate(float(theta[0] - theta[1]), influence[0] - influence[1], about)
    p = None
    if difference.estimate is not None and difference.standard_error:
        t = abs(difference.estimate) / difference.standard_error
        p = float(2 * stats.t.sf(t, influence.shape[1] - 1))
    return Divisive(high, low, difference, p, correlation, _words(difference))


def _estimate(point: float, influence: FloatArray, about: tuple[int, float]) -> Estimate:
    """Return a point with its interval over prompts."""
    n, confidence = about
    clusters = len(influence)
    if clusters < 2:
        return Estimate(point, None, None, n, "Only one prompt: no interval.", confidence)
    error = math.sqrt(float((influence**2).sum()) * clusters / (clusters - 1))
    return unbounded_t_interval(point, error, clusters - 1, n, confidence)


def _correlation(panel: Panel, about: tuple[int, float]) -> Estimate:
    """Return the within-prompt correlation of divisiveness and unusualness, its interval over prompts."""
    n, confidence = about
    spread = np.sqrt(_disagreement(panel, np.ones(len(panel.value), dtype=bool)))
    rows = np.column_stack([spread, panel.columns[:, 0]])
    moments = moments_within(rows, panel.prompt, panel.n_prompts)
    (a, c), (_, b) = moments.sum(axis=0)
    if not min(a, b) > 0:
        return Estimate.undefined("People disagree on all responses alike.", n, confidence)
    r = float(c / math.sqrt(a * b))
    own = moments[:, 0, 1] / math.sqrt(a * b) - r / 2 * (moments[:, 0, 0] / a + moments[:, 1, 1] / b)
    return _estimate(r, own, about)


def _words(difference: Estimate) -> str:
    """Return in words what the difference says."""
    if difference.low is None or difference.high is None:
        return difference.reason or "No interval."
    if difference.high < 0:
        return "The scorer follows people's quality less where they disagree."
    if difference.low > 0:
        return "The scorer follows people's quality more where they disagree."
    return "No difference is found between responses that people disagree on and others."
