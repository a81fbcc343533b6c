"""Likeness of responses to different prompts: the floor that other cosines stand on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from judging.stats.core.estimate import (
    Estimate,
    FloatArray,
    IntArray,
    bootstrap_weights,
    check_confidence,
    percentile_interval,
)
from judging.stats.core.over_prompts import RESAMPLES
from judging.stats.similarity.homogeneity import BINS, PromptSimilarity

MOST_VECTORS = 3000
"""Vectors of all prompts together that pairs across prompts are formed of, for shares and histogram."""


@dataclass(frozen=True, slots=True)
class RandomPairs:
    """Likeness of responses to different prompts: the floor that other cosines stand on.

    Parameters
    ----------
    mean : Estimate
        Mean cosine over all pairs of responses to different prompts. `n` counts prompts.
    above : tuple of Estimate
        Share of such pairs above each threshold, from `n_sampled` vectors.
    histogram : ndarray of int, shape (B,)
        Sampled pairs in each bin of `BINS`.
    n_sampled : int
        Vectors that shares and histogram rest on.
    """

    mean: Estimate
    above: tuple[Estimate, ...]
    histogram: IntArray
    n_sampled: int


def random_pairs(
    prompts: Sequence[PromptSimilarity],
    *,
    resamples: int = RESAMPLES,
    rng: np.random.Generator | None = None,
    confidence: float = 0.95,
) -> RandomPairs:
    """Return how alike responses to different prompts are.

    Parameters
    ----------
    prompts : sequence of PromptSimilarity, length P
    resamples, rng, confidence
        As in `means_over_prompts`.

    Returns
    -------
    RandomPairs
        Undefined with fewer than two prompts, without interval with fewer than three.

    Notes
    -----
    With s_p the sum of the n_p unit vectors of prompt p, the mean over all pairs across prompts is exactly
    (|sum s_p|^2 - sum |s_p|^2) / ((sum n_p)^2 - sum n_p^2). In a resample that holds prompt p w_p times, s_p and
    n_p are multiplied by w_p: copies of a prompt are never paired with one another.
    """
    check_confidence(confidence)
    n_prompts = len(prompts)
    thresholds = prompts[0].thresholds if prompts else ()
    if n_prompts < 2:
        why = "Pairs across prompts need two prompts."
        nothing = Estimate.undefined(why, n_prompts, confidence)
        return RandomPairs(nothing, tuple(nothing for _ in thresholds), np.zeros(len(BINS) - 1, np.int64), 0)
    weights = bootstrap_weights(n_prompts, resamples, rng if rng is not None else np.random.default_rng(0))
    sums = np.array([p.vector_sum for p in prompts])
    sizes = np.array([p.counts.sum() for p in prompts], dtype=np.float64)
    share, histogram, n_sampled = _sampled_pairs(prompts, thresholds)
    gram, cross = sums @ sums.T, np.outer(sizes, sizes)
    whole = np.ones((1, n_prompts))

    def estimate(part: FloatArray, of: FloatArray) -> Estimate:
        point = float(_off_diagonal(whole, part)[0] / _off_diagonal(whole, of)[0])
        if n_prompts < 3:
            return Estimate(point, None, None, n_prompts, "Only two prompts.", confidence)
        below = _off_diagonal(weights, of)
        drawn = np.divide(
            _off_diagonal(weights, part), below, out=np.full(len(below), np.nan), where=below > 0
        )
        return percentile_interval(drawn, point, n_prompts, confidence)

    sizes = np.array([len(k) for k in _thinned(prompts)], dtype=np.float64)
    above = tuple(estimate(counts, np.outer(sizes, sizes)) for counts in share)
    return RandomPairs(estimate(gram, cross), above, histogram, n_sampled)


def _off_diagonal(weights: FloatArray, matrix: FloatArray) -> FloatArray:
    """Return, for each row of weights, the weighted sum of the entries that pair different prompts."""
    every = np.einsum("rp,rp->r", weights @ matrix, weights)
    return np.asarray(every - weights**2 @ np.diag(matrix))


def _thinned(prompts: Sequence[PromptSimilarity]) -> list[npt.NDArray[np.float32]]:
    """Return the kept vectors of each prompt, fewer where there are many prompts."""
    each = max(1, MOST_VECTORS // len(prompts))
    return [p.sample[:each] for p in prompts]


def _sampled_pairs(
    prompts: Sequence[PromptSimilarity], thresholds: Sequence[float]
) -> tuple[list[FloatArray], IntArray, int]:
    """Return pairs above each threshold, shape (P, P) each; the histogram; and the number of vectors."""
    thinned = _thinned(prompts)
    vectors = np.concatenate(thinned)
    owner = np.repeat(np.arange(len(thinned)), [len(k) for k in thinned])
    onehot = np.zeros((len(owner), len(thinned)), dtype=np.float32)
    onehot[np.arange(len(owner)), owner] = 1.0
    cosines = vectors @ vectors.T
    shares = [
        (onehot.T @ ((cosines > np.float32(t)).astype(np.float32) @ onehot)).astype(np.float64)
        for t in thresholds
    ]
    first, second = np.triu_indices(len(owner), 1)
    across = owner[first] != owner[second]
    place = ((cosines[first[across], second[across]] + 1) * ((len(BINS) - 1) / 2)).astype(np.int64)
    histogram = np.bincount(np.clip(place, 0, len(BINS) - 2), minlength=len(BINS) - 1)
    return shares, histogram, len(owner)
