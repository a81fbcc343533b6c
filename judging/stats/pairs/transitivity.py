"""Do preferences make an order? Triads of responses and the circles among them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from judging.stats.core.batches import batches
from judging.stats.core.estimate import (
    Estimate,
    FloatArray,
    IntArray,
    bootstrap_weights,
    check_confidence,
    percentile_interval,
)

_NO_TRIAD = "Nobody compared three responses with each other, all without a tie."


@dataclass(frozen=True, slots=True)
class Transitivity:
    """Share of triads without a circle (a over b, b over c, c over a); 0.75 when preferences are coin tosses.

    Parameters
    ----------
    annotators : DataFrame
        One row an annotator with a complete triad: annotator_id, triads, circular, transitive (share).
    within : Estimate
        Share over all annotators' triads; n is their number, and they are resampled.
    majority : Estimate
        Share of triads of the majority's preferences; n is the number of triads. Without an interval: resampled
        majorities are noisier than the real one, so their circles say too much.
    """

    annotators: pd.DataFrame
    within: Estimate
    majority: Estimate


def transitivity(
    annotator: npt.ArrayLike,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    preference: npt.ArrayLike,
    *,
    resamples: int = 1000,
    rng: np.random.Generator | None = None,
    confidence: float = 0.95,
) -> Transitivity:
    """Return how many triads of preferences are transitive, by annotator and for the majority.

    Parameters
    ----------
    annotator : array_like, shape (n,)
        Who preferred.
    first, second : array_like, shape (n,)
        The two responses; labels must tell responses to different prompts apart.
    preference : array_like of float, shape (n,)
        Above 0 the first, below 0 the second, 0 a tie, NaN missing. Several answers of an annotator to one
        pair count by the sign of their sum of signs.
    resamples : int
        Number of bootstrap resamples of the annotators, for `within`.
    rng : numpy.random.Generator, optional
        Source of chance; a generator with seed 0 by default.
    confidence : float
        Level of the percentile intervals.

    Returns
    -------
    Transitivity
        Shares between 0 and 1; undefined without a triad whose three pairs are all decided.

    Raises
    ------
    ValueError
        If lengths differ, a label is missing, or a response is compared with itself.

    Notes
    -----
    A triad counts when all its three pairs were decided (ties and split majorities are no decision); it is
    circular when a beats b, b beats c and c beats a or the reverse. A circular majority of transitive people is
    possible (Condorcet), so neither share implies the other.

    References
    ----------
    Kendall and Babington Smith (1940), Biometrika 31:324-345.
    """
    check_confidence(confidence)
    votes, people, pairs = _votes(annotator, first, second, preference)
    triads = _triads(pairs)
    counted = _circles(votes, triads)
    some = counted[:, 0] > 0
    frame = pd.DataFrame(
        {
            "annotator_id": people[some],
            "triads": counted[some, 0],
            "circular": counted[some, 1],
            "transitive": 1 - counted[some, 1] / counted[some, 0],
        }
    )
    generator = rng if rng is not None else np.random.default_rng(0)
    within = _within(counted[some].astype(np.float64), resamples, generator, confidence)
    majority = _majority(votes, triads, confidence)
    return Transitivity(frame, within, majority)


def _votes(
    annotator: npt.ArrayLike, first: npt.ArrayLike, second: npt.ArrayLike, preference: npt.ArrayLike
) -> tuple[FloatArray, npt.NDArray[np.generic], IntArray]:
    """Return signs (annotators x pairs), the annotators, and the pairs' responses in increasing code."""
    who, one, other = np.asarray(annotator), np.asarray(first), np.asarray(second)
    sign = np.asarray(preference, dtype=np.float64)
    if sign.ndim != 1 or not who.shape == one.shape == other.shape == sign.shape:
        raise ValueError("annotator, first, second and preference must be equally long.")
    if any(bool(pd.isna(x).any()) for x in (who, one, other)):
        raise ValueError("Some labels are missing.")
    if (one == other).any():
        raise ValueError("A response is compared with itself.")
    known = ~np.isnan(sign)
    person, people = pd.factorize(who[known], sort=True)
    codes = pd.factorize(np.concatenate([one[known], other[known]]), sort=True)[0].astype(np.int64)
    ends = codes.reshape(2, -1)
    low, high = ends.min(axis=0), ends.max(axis=0)
    toward = np.sign(sign[known]) * np.where(ends[0] < ends[1], 1.0, -1.0)
    pairs, column = np.unique(np.column_stack([low, high]), axis=0, return_inverse=True)
    votes = np.zeros((len(people), len(pairs)))
    np.add.at(votes, (person, column.ravel()), toward)
    return np.sign(votes), np.asarray(people), pairs.astype(np.int64)


def _triads(pairs: IntArray) -> IntArray:
    """Return the columns of the pairs ab, bc, ac of each triad a < b < c, shape (T, 3)."""
    table = pd.DataFrame({"a": pairs[:, 0], "b": pairs[:, 1], "column": np.arange(len(pairs))})
    both = table.merge(table, left_on="b", right_on="a", suffixes=("", "_next"))
    closed = both.merge(table, left_on=["a", "b_next"], right_on=["a", "b"], suffixes=("", "_across"))
    return closed[["column", "column_next", "column_across"]].to_numpy(dtype=np.int64)


def _circles(votes: FloatArray, triads: IntArray) -> IntArray:
    """Return decided triads and circles for each row of signs, shape (rows, 2)."""
    circles = np.zeros((len(votes), 2), dtype=np.int64)
    start = 0
    for size in batches(len(votes), max(1, len(triads))):
        ab, bc, ac = (votes[start : start + size][:, column] for column in triads.T)
        circles[start : start + size, 0] = ((ab != 0) & (bc != 0) & (ac != 0)).sum(axis=1)
        circles[start : start + size, 1] = ((ab != 0) & (ab == bc) & (ab == -ac)).sum(axis=1)
        start += size
    return circles


def _within(
    counted: FloatArray, resamples: int, generator: np.random.Generator, confidence: float
) -> Estimate:
    """Return the share over all annotators' triads."""
    n = len(counted)
    if n == 0:
        return Estimate.undefined(_NO_TRIAD, 0, confidence)
    total = counted.sum(axis=0)
    point = float(1 - total[1] / total[0])
    if n == 1:
        return Estimate(point, None, None, 1, "No interval: only one annotator has a triad.", confidence)
    sums = [bootstrap_weights(n, size, generator) @ counted for size in batches(resamples, n)]
    drawn = np.concatenate(sums or [np.empty((0, 2))])
    return percentile_interval(1 - drawn[:, 1] / drawn[:, 0], point, n, confidence)


def _majority(votes: FloatArray, triads: IntArray, confidence: float) -> Estimate:
    """Return the share of the majority's triads that are transitive."""
    total, circles = _circles(np.sign(votes.sum(axis=0, keepdims=True)), triads)[0]
    if total == 0:
        return Estimate.undefined("No triad has a majority for each of its pairs.", 0, confidence)
    reason = (
        "No interval: a majority of resampled annotators is noisier than the real one, so circles only add."
    )
    return Estimate(float(1 - circles / total), None, None, int(total), reason, confidence)
