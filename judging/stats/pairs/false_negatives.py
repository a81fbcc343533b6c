"""Good responses that a scorer puts at the bottom: does it happen more to unusual ones?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from judging.stats.audit.quality import Calibration, calibrated, two_way_estimates
from judging.stats.core.curve import curve_terms
from judging.stats.core.estimate import BoolArray, Estimate, FloatArray, IntArray, as_share
from judging.stats.core.over_prompts import ratio
from judging.stats.similarity.association import ranks_within

_DRAWS = 200


@dataclass(frozen=True, slots=True)
class FalseNegatives:
    """What `false_negatives` found.

    Parameters
    ----------
    unusual, usual : Estimate
        Share of the good responses, the more unusual and the more usual ones, that the scorer puts in its bottom
        third. `n` counts good responses.
    ratio : Estimate
        First over second. `n` counts all good responses.
    fair_unusual, fair_usual, fair_ratio : float or None
        The same for a scorer that follows quality as closely and has no eye for unusualness.
    missed : DataFrame
        Good and unusual responses in the bottom third, the best first: response_id, quality (SDs of true quality
        above the prompt's mean), unusualness, score (both in within-prompt SDs).
    strength : float or None
        Identification strength.
    reason : str or None
        Why nothing is said, or None.
    """

    unusual: Estimate
    usual: Estimate
    ratio: Estimate
    fair_unusual: float | None
    fair_usual: float | None
    fair_ratio: float | None
    missed: pd.DataFrame
    strength: float | None
    reason: str | None = None


def false_negatives(
    ratings: pd.DataFrame,
    responses: pd.DataFrame,
    *,
    covariates: Sequence[str] = ("log_length",),
    rng: np.random.Generator | None = None,
    confidence: float = 0.95,
) -> FalseNegatives:
    """Return how often good responses end in a scorer's bottom third, unusual against usual ones.

    Parameters
    ----------
    ratings, responses, covariates
        As for `underrating`.
    rng : numpy.random.Generator, optional
        Source of chance for the fair scorers; a generator with seed 0 by default.
    confidence : float
        Level of the intervals.

    Returns
    -------
    FalseNegatives
        Undefined with a reason when quality is not identified (strength below 3.2) or there is nothing to divide
        by.

    Raises
    ------
    ValueError
        As `underrating`.

    Notes
    -----
    Within each prompt, good is the top third by calibrated quality (`calibrated`; thirds by (rank - 1/2) / K), missed
    is the bottom third by the score as it is, unusual is above the prompt's median unusualness. Intervals: two-way
    jackknife (`two_way_estimates`), of the ratio on the log scale.

    A ratio above 1 alone is no underrating: where unusual responses are worse on average, good unusual ones are
    nearer to the middle, and any scorer misses more of them. So beside it stands a fair scorer's: 200 times the
    score is made anew as f(calibrated quality) + what covariates account for + the residual in random order within
    the prompt. gamma of unusualness, by errors in variables, is taken out of the score first; f is the cubic of what
    is left, by least squares within prompts: the score's own curve, so that a scorer that tells good answers apart
    badly, unusual or not, is not taken for one that misses the unusual.

    References
    ----------
    judging/stats/README.md, section 4.1; Freedman and Lane (1983), Journal of Business and Economic Statistics
    1:292-298, for permuted residuals.
    """
    calibration = calibrated(ratings, responses, covariates)
    if isinstance(calibration, str):
        return _nothing(calibration, None, confidence)
    if calibration.weak:
        return _nothing(calibration.weak, calibration.strength, confidence)
    raw = calibration.sample.panel.columns[:, -1]
    unusual = _above_median(calibration.unusualness, calibration.prompt)
    low = _place(raw, calibration.prompt) < 1 / 3

    def sums(quality: FloatArray) -> FloatArray:
        return _counts(_place(quality, calibration.prompt) > 2 / 3, low, unusual, calibration)

    total = sums(calibration.quality).sum(axis=0)
    ns = int(total[1]), int(total[3])
    rates = two_way_estimates(
        calibration,
        sums,
        [(lambda s: ratio(s[..., :2]), ns[0]), (lambda s: ratio(s[..., 2:]), ns[1]), (_log_ratio, sum(ns))],
        confidence,
    )
    fair = _fair(calibration, unusual, rng if rng is not None else np.random.default_rng(0))
    return FalseNegatives(
        as_share(rates[0]),
        as_share(rates[1]),
        _exponential(rates[2]),
        *fair,
        _listed(calibration, responses, low & unusual),
        calibration.strength,
    )


def _nothing(reason: str, strength: float | None, confidence: float) -> FalseNegatives:
    """Return the result that says why there is none."""
    none = Estimate.undefined(reason, 0, confidence)
    empty = pd.DataFrame(columns=["response_id", "quality", "unusualness", "score"])
    return FalseNegatives(none, none, none, None, None, None, empty, strength, reason)


def _place(values: FloatArray, prompt: IntArray) -> FloatArray:
    """Return (rank - 1/2) / K within prompts, NaN where unknown."""
    known = (~np.isnan(values)).astype(np.float64)
    return np.asarray((ranks_within(values, prompt) - 0.5) / np.bincount(prompt, known)[prompt])


def _above_median(values: FloatArray, prompt: IntArray) -> BoolArray:
    """Return which values are above the median of their prompt."""
    middle = pd.Series(values).groupby(prompt).transform("median").to_numpy(dtype=np.float64)
    return np.asarray(values > middle)


def _counts(good: BoolArray, low: BoolArray, unusual: BoolArray, calibration: Calibration) -> FloatArray:
    """Return good unusual ones missed and all, good usual ones missed and all, of each prompt."""
    kinds = (good & unusual & low, good & unusual, good & ~unusual & low, good & ~unusual)
    return np.column_stack(
        [
            np.bincount(calibration.prompt, kind.astype(np.float64), minlength=calibration.n_prompts)
            for kind in kinds
        ]
    )


def _log_ratio(sums: FloatArray) -> FloatArray:
    """Return the log of the ratio of two rates, NaN where a count is zero."""
    safe = np.where(sums > 0, sums, np.nan)
    return np.asarray(np.log(safe[..., 0] / safe[..., 1]) - np.log(safe[..., 2] / safe[..., 3]))


def _exponential(e: Estimate) -> Estimate:
    """Return an estimate of a log as one of the number."""
    if e.estimate is None:
        return Estimate.undefined("none of the good usual, or none of the good unusual ones was missed", e.n)
    low = None if e.low is None else math.exp(min(e.low, 700))
    high = None if e.high is None else math.exp(min(e.high, 700))
    return Estimate(math.exp(e.estimate), low, high, e.n, e.reason, e.confidence)


def _fair(
    calibration: Calibration, unusual: BoolArray, rng: np.random.Generator
) -> tuple[float | None, float | None, float | None]:
    """Return rates and ratio of a scorer that follows quality as closely and does not see unusualness."""
    raw = calibration.sample.panel.columns[:, -1]
    blind = calibration.score - calibration.gamma * calibration.unusualness
    terms = curve_terms(calibration.quality, calibration.prompt)
    curve = terms @ (terms.T @ blind)
    residual, expected_score = blind - curve, curve + raw - calibration.score
    good = _place(calibration.quality, calibration.prompt) > 2 / 3
    order = np.argsort(calibration.prompt, kind="stable")
    total = np.zeros(4)
    for _ in range(_DRAWS):
        shuffled = np.empty(len(raw))
        shuffled[order] = residual[order][np.argsort(rng.random(len(raw)) + calibration.prompt[order])]
        low = _place(expected_score + shuffled, calibration.prompt) < 1 / 3
        total += _counts(good, low, unusual, calibration).sum(axis=0)
    if not (total[[1, 3]] > 0).all():
        return None, None, None
    rates = total[0] / total[1], total[2] / total[3]
    return float(rates[0]), float(rates[1]), float(rates[0] / rates[1]) if rates[1] > 0 else None


def _listed(calibration: Calibration, responses: pd.DataFrame, chosen: BoolArray) -> pd.DataFrame:
    """Return the good unusual responses that were missed, the best first."""
    frame = pd.DataFrame(
        {
            "response_id": responses["response_id"].to_numpy()[calibration.sample.kept],
            "quality": calibration.quality,
            "unusualness": calibration.unusualness,
            "score": calibration.sample.panel.columns[:, -1],
        }
    )
    good = _place(calibration.quality, calibration.prompt) > 2 / 3
    return frame[chosen & good].sort_values("quality", ascending=False).reset_index(drop=True)
