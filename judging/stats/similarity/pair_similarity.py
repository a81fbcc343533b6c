"""Likeness over several prompts: per-prompt results in, numbers with intervals over prompts out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
import numpy.typing as npt
from scipy import stats

from judging.stats.core.estimate import (
    BoolArray,
    Estimate,
    FloatArray,
    IntArray,
    check_confidence,
    percentile_interval,
)
from judging.stats.core.over_prompts import (
    RESAMPLES,
    column_means,
    mean_of_finite,
    means_over_prompts,
    resampled_means,
)
from judging.stats.similarity.homogeneity import PromptSimilarity


@dataclass(frozen=True, slots=True)
class PairSimilarity:
    """How alike responses are, within and between sources. `n` of an estimate counts prompts.

    Parameters
    ----------
    within, between : Estimate
        Mean cosine of two responses of one source, and of two different ones.
    inflated : Estimate
        `within` with every response also paired with itself, as the paper has it; for comparison only.
    excess : Estimate
        `within` less `between`, over the prompts that have both.
    pairs_within, pairs_between : tuple of Estimate
        Share of such pairs whose cosine is above each of the thresholds.
    cells : tuple of Estimate
        Share of (source, prompt) cells whose mean cosine is above each threshold: the paper's 79 % above .8.
    distinct, same : tuple of Estimate
        Distinct sources among the nearest N responses, and the own source's share among them, for each N.
    distinct_expected, same_expected : tuple of float or None
        The same by chance, over the same prompts.
    histogram_within, histogram_between : ndarray of int, shape (B,)
        Pairs in each bin of `BINS`, over all prompts.
    n_pairs : int
        Unordered pairs.
    """

    within: Estimate
    between: Estimate
    inflated: Estimate
    excess: Estimate
    pairs_within: tuple[Estimate, ...]
    pairs_between: tuple[Estimate, ...]
    cells: tuple[Estimate, ...]
    distinct: tuple[Estimate, ...]
    distinct_expected: tuple[float | None, ...]
    same: tuple[Estimate, ...]
    same_expected: tuple[float | None, ...]
    histogram_within: IntArray
    histogram_between: IntArray
    n_pairs: int


@dataclass(frozen=True, slots=True)
class SourceMatrix:
    """Mean cosine of two responses of each two sources: the mean over prompts of the prompts' means.

    Parameters
    ----------
    mean, low, high : ndarray, shape (S, S)
        Point and interval over prompts; NaN where no prompt has such a pair, the interval also with one prompt.
    n : ndarray of int, shape (S, S)
        Prompts with such a pair.
    inflated : ndarray, shape (S,)
        The diagonal with self-pairs counted, as in the paper.
    """

    mean: FloatArray
    low: FloatArray
    high: FloatArray
    n: IntArray
    inflated: FloatArray


def pair_similarity(
    prompts: Iterable[PromptSimilarity],
    *,
    among: npt.ArrayLike | None = None,
    resamples: int = RESAMPLES,
    rng: np.random.Generator | None = None,
    confidence: float = 0.95,
) -> PairSimilarity:
    """Return how alike responses are over prompts.

    Parameters
    ----------
    prompts : iterable of PromptSimilarity
        With the same sources, thresholds and neighborhoods. A part of them (a category, say) will do. Gone through
        once: they need not be in memory together.
    among : array_like of bool, shape (S,), optional
        Sources that count for within, between, pairs and cells; all by default. Neighborhoods, histograms and
        number of pairs are always those of the whole pool.
    resamples, rng, confidence
        As in `means_over_prompts`.

    Returns
    -------
    PairSimilarity

    Raises
    ------
    ValueError
        If there is no prompt.

    Notes
    -----
    Per prompt, `within` is the mean over sources of the mean cosine of their pairs, so that a source with more
    responses does not weigh more; `between` is the mean over pairs of sources likewise. Shares of pairs weigh
    pairs alike within a prompt. All are then averaged over prompts.

    References
    ----------
    Jiang et al. (2025), Artificial Hivemind, arXiv 2510.22954, section 3.
    """
    return pair_similarity_of(
        [prompt_pairs(prompt, among) for prompt in prompts],
        resamples=resamples,
        rng=rng,
        confidence=confidence,
    )


@dataclass(frozen=True, slots=True)
class PromptPairs:
    """What `pair_similarity` needs of one prompt: small, so that those of very many prompts fit into one memory.

    Parameters
    ----------
    row : ndarray, shape (4 + 3 T + 4 N,)
        Within, between, inflated, excess; shares above T thresholds; mixing among N sizes of a neighborhood.
    levels, sizes : int
        T and N.
    histograms : ndarray of int, shape (2, B)
        Pairs within and between sources in each bin.
    n_pairs : int
        Unordered pairs.
    """

    row: FloatArray
    levels: int
    sizes: int
    histograms: IntArray
    n_pairs: int


def prompt_pairs(prompt: PromptSimilarity, among: npt.ArrayLike | None = None) -> PromptPairs:
    """Return what `pair_similarity_of` needs of one prompt.

    Parameters
    ----------
    prompt : PromptSimilarity
    among
        As in `pair_similarity`.

    Returns
    -------
    Likeness
    """
    return PromptPairs(
        _row(prompt, _chosen(prompt, among)),
        len(prompt.above),
        len(prompt.distinct),
        np.array([prompt.within, prompt.between]),
        int(prompt.pairs.sum()) // 2,
    )


def pair_similarity_of(
    prompts: Sequence[PromptPairs],
    *,
    resamples: int = RESAMPLES,
    rng: np.random.Generator | None = None,
    confidence: float = 0.95,
) -> PairSimilarity:
    """Return how alike responses are over prompts, from what each of them says.

    Parameters
    ----------
    prompts : sequence of Likeness, length P
        Intervals depend on their order, as resamples draw them by number.
    resamples, rng, confidence
        As in `means_over_prompts`.

    Returns
    -------
    PairSimilarity

    Raises
    ------
    ValueError
        If there is no prompt.
    """
    if not prompts:
        raise ValueError("There is no prompt.")
    n_levels, n_sizes = prompts[0].levels, prompts[0].sizes
    histograms = np.sum([p.histograms for p in prompts], axis=0)
    over = partial(
        means_over_prompts, resamples=resamples, rng=rng, confidence=confidence, undefined=_UNDEFINED
    )
    means = over(np.array([p.row for p in prompts]))
    columns = iter(means)

    def take(n: int) -> tuple[Estimate, ...]:
        return tuple(islice(columns, n))

    within, between, inflated, excess = take(4)
    pairs_within, pairs_between, cells = take(n_levels), take(n_levels), take(n_levels)
    distinct, distinct_expected, same, same_expected = (take(n_sizes) for _ in range(4))
    return PairSimilarity(
        within=within,
        between=between,
        inflated=inflated,
        excess=excess,
        pairs_within=pairs_within,
        pairs_between=pairs_between,
        cells=cells,
        distinct=distinct,
        distinct_expected=tuple(e.estimate for e in distinct_expected),
        same=same,
        same_expected=tuple(e.estimate for e in same_expected),
        histogram_within=histograms[0],
        histogram_between=histograms[1],
        n_pairs=sum(p.n_pairs for p in prompts),
    )


def source_matrix(
    prompts: Sequence[PromptSimilarity],
    *,
    resamples: int = RESAMPLES,
    rng: np.random.Generator | None = None,
    confidence: float = 0.95,
) -> SourceMatrix:
    """Return the mean cosine of every two sources over prompts, with intervals over prompts.

    Parameters
    ----------
    prompts : sequence of PromptSimilarity, length P
    resamples, rng, confidence
        As in `means_over_prompts`.

    Returns
    -------
    SourceMatrix

    Raises
    ------
    ValueError
        If there is no prompt.
    """
    if not prompts:
        raise ValueError("There is no prompt.")
    check_confidence(confidence)
    cells = np.array([p.means for p in prompts])
    shape = cells.shape[1:]
    flat = cells.reshape(len(cells), -1)
    draws = resampled_means(flat, resamples, rng)
    n = np.isfinite(flat).sum(axis=0)
    tail = (1 - confidence) / 2
    low, high = np.full(flat.shape[1], np.nan), np.full(flat.shape[1], np.nan)
    usable = (n > 1) & (np.isfinite(draws).mean(axis=0) >= 0.95)
    if usable.any():
        low[usable], high[usable] = np.nanquantile(draws[:, usable], [tail, 1 - tail], axis=0)
    inflated = np.array([p.inflated_diagonal for p in prompts])
    return SourceMatrix(
        mean=column_means(flat).reshape(shape),
        low=low.reshape(shape),
        high=high.reshape(shape),
        n=n.reshape(shape),
        inflated=column_means(inflated),
    )


def trend(
    prompts: Sequence[PromptSimilarity],
    when: npt.ArrayLike,
    *,
    resamples: int = RESAMPLES,
    rng: np.random.Generator | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Return Spearman's correlation of a source's date with how alike its own responses are.

    Parameters
    ----------
    prompts : sequence of PromptSimilarity, length P
    when : array_like, shape (S,)
        A number that grows with time (a year with fraction, say) for each source; NaN where unknown.
    resamples, rng, confidence
        As in `means_over_prompts`.

    Returns
    -------
    Estimate
        Between -1 and 1; above 0, later sources repeat themselves more. `n` counts dated sources, of which it
        takes three. The interval is over prompts, for these sources: it says nothing of other ones.

    Raises
    ------
    ValueError
        If the dates are not one a source.
    """
    check_confidence(confidence)
    dates = np.asarray(when, dtype=np.float64)
    diagonals = np.array([np.diag(p.means) for p in prompts])
    if diagonals.ndim != 2 or dates.shape != (diagonals.shape[1],):
        raise ValueError("There must be one date a source, and a prompt.")
    usable = np.isfinite(dates) & np.isfinite(diagonals).any(axis=0)
    n = int(usable.sum())
    if n < 3:
        return Estimate.undefined("Fewer than three sources have a date and two responses.", n, confidence)
    table, known = diagonals[:, usable], dates[usable]
    point = float(_spearman(column_means(table)[None], known)[0])
    if not np.isfinite(point):
        return Estimate.undefined("The dates, or the sources' likeness, do not vary.", n, confidence)
    if len(table) == 1:
        return Estimate(point, None, None, n, "Only one prompt.", confidence)
    return percentile_interval(_spearman(resampled_means(table, resamples, rng), known), point, n, confidence)


_UNDEFINED = "No prompt has two responses of this kind."


def _chosen(first: PromptSimilarity, among: npt.ArrayLike | None) -> BoolArray:
    """Return which sources count."""
    every = np.ones(len(first.counts), dtype=bool)
    return every if among is None else np.asarray(among, dtype=bool)


def _row(prompt: PromptSimilarity, chosen: BoolArray) -> FloatArray:
    """Return one prompt's numbers, in the order in which `pair_similarity` takes them."""
    part = np.ix_(chosen, chosen)
    means, pairs = prompt.means[part], prompt.pairs[part]
    own, other = np.eye(len(means), dtype=bool), np.triu(np.ones(means.shape, dtype=bool), 1)
    within, between = mean_of_finite(means[own]), mean_of_finite(means[other])
    above = prompt.above[:, chosen][:, :, chosen]
    cells = means[own][np.isfinite(means[own])]
    return np.concatenate(
        [
            [
                within,
                between,
                mean_of_finite(prompt.inflated_diagonal[chosen & (prompt.counts > 1)]),
                within - between,
            ],
            [_share(a[own].sum(), pairs[own].sum()) for a in above],
            [_share(a[other].sum(), pairs[other].sum()) for a in above],
            [float((cells > level).mean()) if cells.size else np.nan for level in prompt.thresholds],
            prompt.distinct,
            prompt.distinct_expected,
            prompt.same,
            prompt.same_expected,
        ]
    )


def _share(part: float, whole: float) -> float:
    """Return part / whole, NaN without a whole."""
    return float(part / whole) if whole else float("nan")


def _spearman(means: FloatArray, when: FloatArray) -> FloatArray:
    """Return each row's rank correlation with the dates; NaN where either does not vary."""
    ranks = stats.rankdata(means, axis=1, nan_policy="propagate")
    ranks = ranks - ranks.mean(axis=1, keepdims=True)
    dates = stats.rankdata(when)
    dates = dates - dates.mean()
    scale = np.sqrt((ranks**2).sum(axis=1) * (dates**2).sum())
    return np.asarray(np.divide(ranks @ dates, scale, out=np.full(len(ranks), np.nan), where=scale > 0))
