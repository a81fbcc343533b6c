"""What selecting items by people's labels does to a correlation by itself, whatever the scorer is like."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from judging.stats.core.batches import batches
from judging.stats.core.columns import NOISE
from judging.stats.core.curve import curve_terms
from judging.stats.core.estimate import BoolArray, FloatArray, IntArray
from judging.stats.core.sample import centered
from judging.stats.similarity.association import FEWEST, Method, Scope, checked_items, ranks_within

CELLS: tuple[tuple[Method, Scope], ...] = (
    ("spearman", "pooled"),
    ("spearman", "within"),
    ("pearson", "pooled"),
    ("pearson", "within"),
)
"""Correlations that are looked at in every subset, in this order."""


def range_restricted(correlation: float, share: float) -> float:
    """Return what is left of a correlation among the middle items when nothing changes but the range.

    Parameters
    ----------
    correlation : float
        Of all items, between -1 and 1.
    share : float
        Share of items kept, those whose human mean is nearest to the middle; above 0, at most 1.

    Returns
    -------
    float
        The correlation among them.

    Raises
    ------
    ValueError
        If a number is out of its range.

    Notes
    -----
    For a bivariate normal: with c the quantile that cuts off (1 - share) / 2 and u^2 = 1 - 2 c phi(c) / share the
    variance that is left, r u / sqrt(1 - r^2 + r^2 u^2). The regression line and the scatter about it are the
    same in the subset as in all, and still the correlation falls.

    References
    ----------
    Pearson (1903), Philosophical Transactions A 200:1-66; Thorndike (1949), Personnel Selection, case 2.
    """
    if not -1 <= correlation <= 1 or not 0 < share <= 1:
        raise ValueError(f"Need -1 <= correlation <= 1 and 0 < share <= 1, got {correlation} and {share}.")
    if share == 1:
        return correlation
    cut = float(stats.norm.ppf((1 + share) / 2))
    variance = 1 - 2 * cut * float(stats.norm.pdf(cut)) / share
    return correlation * math.sqrt(variance) / math.sqrt(1 - correlation**2 + correlation**2 * variance)


@dataclass(frozen=True, slots=True)
class Restriction:
    """Correlations that a scorer with one curve everywhere would have in each subset.

    Parameters
    ----------
    draws : ndarray, shape (draws, subsets, 4)
        Of made-up scores, in the order of `CELLS`; NaN where undefined.
    slope : float
        Of the score on the human mean, within prompts.
    curve : ndarray, shape (n,)
        The score that the curve gives each item.
    """

    draws: FloatArray
    slope: float
    curve: FloatArray


def restriction_null(
    score: npt.ArrayLike,
    human: npt.ArrayLike,
    prompt: npt.ArrayLike,
    subsets: Sequence[npt.ArrayLike],
    *,
    draws: int = 500,
    rng: np.random.Generator | None = None,
) -> Restriction | None:
    """Return correlations in subsets of scores that follow people by the same curve in every subset.

    Parameters
    ----------
    score, human : array_like, shape (n,)
        The scorer's number and the annotators' mean of each item, finite.
    prompt : array_like, shape (n,)
        Prompt of each item.
    subsets : sequence of array_like of bool, shape (n,) or (orders, n)
        Items of each subset, of each order of tied items; made-up scorers are dealt out to the orders.
    draws : int
        Number of made-up scorers.
    rng : numpy.random.Generator, optional
        Source of chance; a generator with seed 0 by default.

    Returns
    -------
    Restriction or None
        None when people or scores do not vary within prompts, so that there is no curve.

    Raises
    ------
    ValueError
        As in `correlation`, or if a subset has another length.

    Notes
    -----
    Within prompts, score = prompt's level + f(human mean) + residual, f a cubic by least squares over all items,
    everything centered by prompt. A made-up scorer keeps levels and f, and gets the residuals in random order
    within their prompt, with what they happen to share with the terms of f taken out and their size kept, so that
    over all items the same curve fits it exactly and as closely. It has no eye for how much people disagree; the
    labels, and so the subsets, stay as they are. Whatever its correlation loses in a subset, it loses to the
    selection. A straight line would take for blindness what a ceiling of the ratings or a concave score does.

    The curve is that on the annotators' mean, which is noisier for responses people part on. Simulated at 50 x 15 x
    25 with scorers that follow true quality (250 studies), 3.2 % of the cells lay below its central 95 % where
    2.5 % should (a straight line: 3.4), 3.8 % where the score is concave in quality (150 studies; a line: 7.6);
    among similar responses 1.3 to 1.6 %, among divisive ones 4.4 to 5.6 %.

    References
    ----------
    Freedman and Lane (1983), Journal of Business and Economic Statistics 1:292-298, for permuted residuals;
    judging/stats/README.md, section 4.3, for the fall that selection alone gives.
    """
    x, y, codes = checked_items(score, human, prompt)
    order = np.argsort(codes, kind="stable")
    masks = [np.atleast_2d(np.asarray(s, dtype=bool)) for s in subsets]
    if any(m.shape[1:] != x.shape for m in masks):
        raise ValueError("Every subset needs one entry an item.")
    x, y, codes, masks = x[order], y[order], codes[order], [m[:, order] for m in masks]
    if not len(x):
        return None
    human_part, score_part = centered(y, codes), centered(x, codes)
    square = float(human_part @ human_part)
    if square <= 1e-12 * float(y @ y) or np.ptp(score_part) <= NOISE * float(np.abs(x).max()):
        return None
    slope = float(human_part @ score_part) / square
    terms = curve_terms(y, codes)
    bent = terms @ (terms.T @ score_part)
    fitted, residual = x - score_part + bent, score_part - bent
    scatter = math.sqrt(float(residual @ residual))
    generator = rng if rng is not None else np.random.default_rng(0)
    results = []
    for size in batches(draws, len(x)):
        shuffled = residual[np.argsort(generator.random((size, len(x))) + codes, axis=1)]
        shuffled -= (shuffled @ terms) @ terms.T
        norms = np.sqrt(np.einsum("ri,ri->r", shuffled, shuffled))
        shuffled *= np.divide(scatter, norms, out=np.ones(size), where=norms > 0)[:, None]
        results.append(_in_subsets(fitted + shuffled, y, codes, masks))
    curve = np.empty(len(x))
    curve[order] = fitted
    return Restriction(np.concatenate(results or [np.empty((0, len(masks), 4))]), slope, curve)


def _in_subsets(
    scores: FloatArray, human: FloatArray, codes: IntArray, masks: Sequence[BoolArray]
) -> FloatArray:
    """Return the four correlations of every row of scores in every subset, shape (rows, subsets, 4)."""
    correlations = np.full((len(scores), len(masks), 4), np.nan)
    spread = np.ptp(scores, axis=1, keepdims=True)
    pooled = np.argsort(scores, axis=1)
    # Items lie together by prompt: with a step between prompts one sort ranks within them all.
    inside = np.argsort((scores - scores.min(axis=1, keepdims=True)) / (2 * spread) + codes, axis=1)
    for number, orders in enumerate(masks):
        for first, members in enumerate(orders):
            rows = slice(first, None, len(orders))
            if members.sum() >= FEWEST:
                correlations[rows, number, 0] = _of_ranks(pooled[rows], members, _ranks(human, members, None))
                correlations[rows, number, 2] = _of_values(
                    scores[rows], members, _values(human, members, None), None
                )
            shared = members & (np.bincount(codes, members)[codes] > 1)
            if shared.sum() >= FEWEST:
                correlations[rows, number, 1] = _of_ranks(
                    inside[rows], shared, _ranks(human, shared, codes), codes
                )
                correlations[rows, number, 3] = _of_values(
                    scores[rows], shared, _values(human, shared, codes), codes
                )
    return correlations


def _ranks(human: FloatArray, members: BoolArray, codes: IntArray | None) -> FloatArray:
    """Return the members' centered ranks, 0 for the others."""
    result = np.zeros(len(human))
    if codes is None:
        ranks = stats.rankdata(human[members])
        result[members] = ranks - ranks.mean()
    else:
        own = np.unique(codes[members], return_inverse=True)[1]
        result[members] = centered(ranks_within(human[members], own), own)
    return result


def _values(human: FloatArray, members: BoolArray, codes: IntArray | None) -> FloatArray:
    """Return the members' centered values."""
    own = np.zeros(int(members.sum()), dtype=np.int64)
    if codes is not None:
        own = np.unique(codes[members], return_inverse=True)[1]
    return centered(human[members], own)


def _of_ranks(
    order: IntArray, members: BoolArray, human: FloatArray, codes: IntArray | None = None
) -> FloatArray:
    """Return Spearman's correlation of each row with the members' centered human ranks."""
    square = float(human @ human)
    sizes = np.bincount(np.zeros(len(human), dtype=np.int64) if codes is None else codes, members)
    spread = float((sizes * (sizes**2 - 1)).sum()) / 12
    if square <= 0 or spread <= 0:
        return np.full(len(order), np.nan)
    # The members met so far are a member's rank, up to a constant of its prompt, which centered ranks cancel.
    place = np.cumsum(members[order], axis=1, dtype=np.float64)
    return np.asarray(np.einsum("ri,ri->r", place, human[order]) / math.sqrt(square * spread))


def _of_values(
    scores: FloatArray, members: BoolArray, human: FloatArray, codes: IntArray | None
) -> FloatArray:
    """Return Pearson's correlation of each row with the members' centered human means."""
    chosen = scores[:, members]
    own = np.zeros(chosen.shape[1], dtype=np.int64)
    if codes is not None:
        own = np.unique(codes[members], return_inverse=True)[1]
    starts = np.flatnonzero(np.diff(own, prepend=-1))
    means = np.add.reduceat(chosen, starts, axis=1) / np.bincount(own)
    chosen = chosen - means[:, own]
    below = np.sqrt(np.einsum("ri,ri->r", chosen, chosen) * float(human @ human))
    return np.asarray(np.divide(chosen @ human, below, out=np.full(len(scores), np.nan), where=below > 0))
