"""Underrating from preferences alone: votes on pairs take the place of ratings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from judging.stats.audit.slopes import Jackknifed, jackknifed, p_values, robust_interval, solved
from judging.stats.audit.verdict import Verdict
from judging.stats.core.columns import TINY
from judging.stats.core.estimate import Estimate, FloatArray, IntArray, check_confidence
from judging.stats.core.sample import effective_number

SMALLEST = 0.3


@dataclass(frozen=True, slots=True)
class PreferenceUnderrating:
    """What preferences say of one scorer's underrating.

    Parameters
    ----------
    underrating : Estimate
        Fall of the scorer's margin, in SDs, per SD of the difference in unusualness at equal true preference. Its
        interval is Fieller's set; without ends there is none.
    total, human : Estimate
        The same whatever people prefer; and people's own fall, in votes.
    naive : float or None
        The slope that takes the mean vote for the true preference; it misleads.
    strength : float or None
        Identification strength of true preference; a label beside the interval.
    p_one_sided : float or None
        Of no underrating, by the jackknife.
    n_pairs, n_prompts, n_annotators, n_votes : int
        What it rests on: pairs with a margin and two votes or more.
    n_thin : int
        Pairs with a margin that fewer than two people judged, left out.
    verdict : Verdict
    reason : str
        Why, in words.
    """

    underrating: Estimate
    total: Estimate
    human: Estimate
    naive: float | None
    strength: float | None
    p_one_sided: float | None
    n_pairs: int
    n_prompts: int
    n_annotators: int
    n_votes: int
    n_thin: int
    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True)
class _Votes:
    """Coded votes on pairs: one row a vote, and the columns of each pair."""

    pair: IntArray
    annotator: IntArray
    value: FloatArray
    prompt: IntArray  # of each pair
    columns: FloatArray  # (pairs, F): unusualness, covariates, margin, each with mean square 1


def preference_underrating(
    votes: pd.DataFrame,
    pairs: pd.DataFrame,
    *,
    covariates: Sequence[str] = ("log_length",),
    smallest_effect: float = SMALLEST,
    confidence: float = 0.95,
) -> PreferenceUnderrating:
    """Return whether a scorer's margins fall with unusualness at equal true preference.

    Parameters
    ----------
    votes : DataFrame
        One row a vote: pair_id, annotator_id, and value, above 0 for the pair's first response, below for its
        second, 0 for neither. Only the sign counts.
    pairs : DataFrame
        One row a pair: pair_id, prompt_id, and first minus second of unusualness, of each covariate, and of the
        score (margin). A judge's margin is its choice, 1, 0 or -1, in both orders.
    covariates : sequence of str
        Columns of `pairs` that are held constant. One that does not vary is left out.
    smallest_effect : float
        Effect, in SDs, that would matter; positive.
    confidence : float
        Level of intervals.

    Returns
    -------
    PreferenceUnderrating

    Raises
    ------
    ValueError
        If a column is missing, a pair stands twice, an annotator votes twice on a pair, or a number is not finite.

    Notes
    -----
    Over pairs i with votes v_ij in {-1, 0, 1}, d the differences first minus second, without intercept or centering, so
    that the order of a pair's responses does not matter:

        A_qq = sum_i [(sum_j v_ij)^2 - sum_j v_ij^2] / (n_i (n_i - 1)),  A_qu = sum_i du_i mean_j(v_ij), ...

    and theta = A^-1 b as for ratings; underrating = -theta_u. Prompts and annotators are jackknifed as for
    ratings, t has min(P, M') - 1 degrees of freedom with M' the effective number of annotators, and Fieller's set
    is the interval. Where votes are nearly unanimous they saturate, and the slope is biased by about .02 upwards.

    References
    ----------
    judging/stats/README.md, sections 4.5 to 4.7. Fieller (1954), Journal of the Royal Statistical Society B 16:175.
    """
    check_confidence(confidence)
    if not smallest_effect > 0:
        raise ValueError(f"smallest_effect must be positive, got {smallest_effect}.")
    coded, n_thin = _coded(votes, pairs, covariates)
    n_pairs, n_prompts = len(coded.prompt), len(np.unique(coded.prompt))
    counts = (n_pairs, n_prompts, len(np.unique(coded.annotator)), len(coded.value), n_thin)
    if n_prompts < 2 or counts[2] < 2:
        return _undefined("Fewer than two prompts or annotators.", counts, confidence)
    if not np.isfinite(coded.columns).all():
        return _undefined(
            "The scorer has no margin, or unusualness is the same in all pairs.", counts, confidence
        )
    prompt, without = _moments(coded)
    total = prompt.sum(axis=0)
    df = min(n_prompts, effective_number(coded.annotator)) - 1
    solution = jackknifed(total, without, df=df, n=n_pairs, confidence=confidence)
    if not np.isfinite(solution.whole.unusual):
        why = "True preference, unusualness and covariates can't be told apart here."
        return _undefined(why, counts, confidence)
    return _result(solution, _naive(coded), counts, smallest_effect)


def _coded(votes: pd.DataFrame, pairs: pd.DataFrame, covariates: Sequence[str]) -> tuple[_Votes, int]:
    """Return votes on pairs with a margin and two votes or more, and how many pairs with a margin have fewer."""
    names = ["unusualness", *covariates, "margin"]
    _check(votes, pairs, names)
    scored = pairs[pairs["margin"].notna() & pairs["unusualness"].notna()]
    given = votes[votes["pair_id"].isin(scored["pair_id"])].dropna(subset=["value"])
    n = given.groupby("pair_id")["annotator_id"].size().reindex(scored["pair_id"]).fillna(0)
    enough = scored[n.to_numpy() >= 2].reset_index(drop=True)
    given = given[given["pair_id"].isin(enough["pair_id"])]
    varied = [name for name in names if name not in covariates or (enough[name].to_numpy() != 0).any()]
    raw = enough[varied].to_numpy(dtype=np.float64).reshape(len(enough), len(varied))
    scale = np.sqrt((raw**2).mean(axis=0)) if len(raw) else np.ones(len(varied))
    return _Votes(
        pair=pd.Index(enough["pair_id"]).get_indexer(given["pair_id"]).astype(np.int64),
        annotator=pd.factorize(given["annotator_id"], sort=True)[0].astype(np.int64),
        value=np.sign(given["value"].to_numpy(dtype=np.float64)),
        prompt=pd.factorize(enough["prompt_id"], sort=True)[0].astype(np.int64),
        columns=raw / np.where(scale > TINY, scale, np.nan),
    ), len(scored) - len(enough)


def _check(votes: pd.DataFrame, pairs: pd.DataFrame, names: Sequence[str]) -> None:
    for frame, needed in (
        (votes, ["pair_id", "annotator_id", "value"]),
        (pairs, ["pair_id", "prompt_id", *names]),
    ):
        if missing := [name for name in needed if name not in frame]:
            raise ValueError(f"Missing columns: {', '.join(missing)}.")
    if pairs["pair_id"].duplicated().any():
        raise ValueError("A pair stands twice.")
    if votes.duplicated(["pair_id", "annotator_id"]).any():
        raise ValueError("An annotator votes twice on a pair.")
    numbers = pairs[list(names)].to_numpy(dtype=np.float64)
    if np.isinf(numbers).any() or np.isinf(votes["value"].to_numpy(dtype=np.float64)).any():
        raise ValueError("Numbers must be finite.")


def _moments(votes: _Votes) -> tuple[FloatArray, tuple[FloatArray, FloatArray, FloatArray]]:
    """Return moments by prompt, shape (P, D, D), and totals without each prompt, annotator and cell."""
    n_pairs = len(votes.prompt)
    n, total, square = (
        np.bincount(votes.pair, weights, n_pairs).astype(np.float64)
        for weights in (None, votes.value, votes.value**2)
    )
    whole = _of_pairs(n, total, square, votes.columns)
    # The pair of each vote without that vote; a pair left with one vote drops out.
    at, v = votes.pair, votes.value
    change = _of_pairs(n[at] - 1, total[at] - v, square[at] - v**2, votes.columns[at]) - whole[at]
    prompt = _summed(whole, votes.prompt)
    cell = votes.prompt[at] * (int(votes.annotator.max()) + 1) + votes.annotator
    everything = prompt.sum(axis=0)
    by_annotator = everything + _summed(change, votes.annotator)
    by_cell = everything + _summed(change, np.unique(cell, return_inverse=True)[1])
    return prompt, (everything - prompt, by_annotator, by_cell)


def _of_pairs(n: FloatArray, total: FloatArray, square: FloatArray, columns: FloatArray) -> FloatArray:
    """Return the moment matrix of each pair, shape (pairs, D, D); zero where there are fewer than two votes."""
    stays = (n >= 2).astype(np.float64)
    mean = total / np.maximum(n, 1)
    design = np.column_stack([mean, columns]) * stays[:, None]
    moments = design[:, :, None] * design[:, None, :]
    moments[:, 0, 0] = stays * (total**2 - square) / np.maximum(n * (n - 1), 1)
    return np.asarray(moments)


def _summed(parts: FloatArray, group: IntArray) -> FloatArray:
    sums = np.zeros((int(group.max()) + 1, *parts.shape[1:]))
    np.add.at(sums, group, parts)
    return sums


def _naive(votes: _Votes) -> float | None:
    n, total = (np.bincount(votes.pair, weights, len(votes.prompt)) for weights in (None, votes.value))
    design = np.column_stack([total / n, votes.columns])
    slope = float(solved(design.T @ design).unusual)
    return -slope if math.isfinite(slope) else None


def _undefined(why: str, counts: tuple[int, int, int, int, int], confidence: float) -> PreferenceUnderrating:
    none = Estimate.undefined(why, counts[0], confidence)
    return PreferenceUnderrating(none, none, none, None, None, None, *counts, Verdict.CANT_TELL, why)


def _result(
    solution: Jackknifed, naive: float | None, counts: tuple[int, int, int, int, int], smallest: float
) -> PreferenceUnderrating:
    estimate = solution.estimate("unusual", -1.0)
    strength, variance = solution.strength(second=False)[0], solution.variance("unusual")
    p = None
    if variance is not None and solution.df >= 1 and estimate.estimate is not None:
        p = p_values(estimate.estimate, math.sqrt(variance.total), solution.df)[1]
    ends = robust_interval(solution)
    point = float(-solution.whole.unusual)
    if ends is None:
        why = "No interval: the votes identify true preference too weakly to rule any underrating out."
        slope = Estimate(point, None, None, counts[0], why, solution.confidence)
        verdict = Verdict.CANT_TELL
    else:
        slope = Estimate(point, *ends, counts[0], None, solution.confidence)
        verdict, why = _verdict(ends, smallest)
    total, human = solution.estimate("total", -1.0), solution.estimate("human", -1.0)
    return PreferenceUnderrating(slope, total, human, naive, strength, p, *counts, verdict, why)


def _verdict(ends: tuple[float, float], smallest: float) -> tuple[Verdict, str]:
    low, high = ends
    span = f"the interval from {low:+.2f} to {high:+.2f}"
    if low > 0:
        return (
            Verdict.UNDERRATES,
            f"At equal preference the margin falls with unusualness: {span} lies above 0.",
        )
    if high < 0:
        return (
            Verdict.OVERRATES,
            f"At equal preference the margin rises with unusualness: {span} lies below 0.",
        )
    if high <= smallest:
        return Verdict.NO_UNDERRATING, f"An underrating of {high:.2f} SD or more is unlikely: {span}."
    return Verdict.UNDERPOWERED, f"Too few pairs or people to rule out {smallest:g} SD: {span}."
