"""Statistics of resampled pairs: each takes a draw of prompts and annotators and returns one number a resample."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from judging.stats.core.estimate import FloatArray
from judging.stats.core.weighted import (
    partial_correlations,
    weighted_correlation,
    weighted_correlations,
    weighted_ranks,
)
from judging.stats.similarity.pair_panel import Draw, PairPanel

FEWEST = 4
"""Pairs below which no correlation is computed, and pairs of a prompt for one within it."""

SPLITS_A_DRAW = 6
Statistic = Callable[[Draw], FloatArray]


def ranked(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Return ranks: Spearman's correlation is Pearson's of ranks."""
    return weighted_ranks(values, weights)


def plain(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the numbers as they are."""
    return np.broadcast_to(values, weights.shape)


Read = Callable[[FloatArray, FloatArray], FloatArray]


def of_measure(panel: PairPanel, read: Read, column: int = 0) -> Statistic:
    """Return the statistic that correlates a measure with people's mean."""
    measure = panel.columns[:, column][None]

    def statistic(draw: Draw) -> FloatArray:
        times, people = draw
        human, answered = panel.means(people)
        weights = times * answered
        return weighted_correlation(read(measure, weights), read(human, weights), weights)

    return statistic


def halves_of(people: int, splits: int, rng: np.random.Generator) -> FloatArray:
    """Return 0/1 membership of the first half, shape (splits, people)."""
    order = np.argsort(rng.random((splits, people)), axis=1)
    return (order < people // 2).astype(np.float64)


def of_halves(panel: PairPanel, halves: FloatArray, read: Read) -> Statistic:
    """Return the statistic that correlates one half of the annotators with the other, averaged over splits."""

    def statistic(draw: Draw) -> FloatArray:
        times, people = draw
        used = halves if len(times) == 1 else halves[:SPLITS_A_DRAW]
        return _mean_of_defined(np.stack([_two_halves(panel, times, people, half, read) for half in used]))

    return statistic


def _two_halves(
    panel: PairPanel, times: FloatArray, people: FloatArray, half: FloatArray, read: Read
) -> FloatArray:
    """Return the correlation of one half's means with the other's."""
    (a, have_a), (b, have_b) = panel.means(people * half), panel.means(people * (1 - half))
    weights = times * have_a * have_b
    return weighted_correlation(read(a, weights), read(b, weights), weights)


def times_noisier(panel: PairPanel, halves: FloatArray) -> Statistic:
    """Return the statistic of how many times noisier a half's means are than the whole's: 2 for even halves."""

    def noise(people: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the variance of each pair's mean, that of one answer being 1, and whether it has an answer."""
        total, square = people @ panel.present.T, (people**2) @ panel.present.T
        some = total > 0
        return np.divide(square, total**2, out=np.zeros_like(total), where=some), some.astype(np.float64)

    def statistic(draw: Draw) -> FloatArray:
        often, people = draw
        whole, _ = noise(people)
        ratios = []
        for half in halves if len(often) == 1 else halves[:SPLITS_A_DRAW]:
            (a, have_a), (b, have_b) = noise(people * half), noise(people * (1 - half))
            weights = often * have_a * have_b
            above, below = (weights * (a + b) / 2).sum(axis=1), (weights * whole).sum(axis=1)
            ratios.append(np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0))
        return _mean_of_defined(np.stack(ratios))

    return statistic


def _mean_of_defined(values: FloatArray) -> FloatArray:
    """Return the mean over the first axis of what is finite, NaN where nothing is."""
    defined = np.isfinite(values)
    count = defined.sum(axis=0)
    total = np.where(defined, values, 0.0).sum(axis=0)
    return np.asarray(np.divide(total, count, out=np.full(values.shape[1], np.nan), where=count > 0))


def stepped(half: FloatArray, times: FloatArray) -> FloatArray:
    """Return the reliability of the whole from the correlation of halves that are so many times noisier."""
    return times * half / (1 + (times - 1) * half)


def root(reliability: FloatArray) -> FloatArray:
    """Return the ceiling; NaN where reliability is not positive."""
    return np.sqrt(np.where(reliability > 0, reliability, np.nan))


def within_prompts(panel: PairPanel, *, ranks: bool) -> Statistic:
    """Return the statistic that averages correlations within prompts on Fisher's scale."""
    member = np.zeros((panel.n, panel.n_prompts))
    member[np.arange(panel.n), panel.prompt] = 1.0

    def statistic(draw: Draw) -> FloatArray:
        times, people = draw
        correlations, count = _by_prompt(panel, people, member, ranks=ranks)
        sizes = np.where(count >= FEWEST, count, np.nan)
        most = 1 - 6 / (sizes**3 - sizes)
        z = np.arctanh(np.clip(correlations, -most, most))
        drawn = times @ (member / member.sum(axis=0))
        weights = np.where(np.isfinite(z), drawn * count, 0.0)
        total = weights.sum(axis=1)
        mean = (weights * np.where(np.isfinite(z), z, 0.0)).sum(axis=1)
        middle = np.divide(mean, total, out=np.full(len(times), np.nan), where=total > 0)
        return np.asarray(np.tanh(middle))

    return statistic


def _by_prompt(
    panel: PairPanel, people: FloatArray, member: FloatArray, *, ranks: bool
) -> tuple[FloatArray, FloatArray]:
    """Return each prompt's correlation and number of pairs, shape (R, P); NaN without variation."""
    human, answered = panel.means(people)
    values = [np.broadcast_to(panel.columns[:, 0], human.shape), human]
    if ranks:
        values = [weighted_ranks(np.ascontiguousarray(v), answered, panel.prompt) for v in values]
    count = answered @ member
    safe = np.maximum(count, 1)
    x, y = (v - ((v * answered) @ member / safe)[:, panel.prompt] for v in values)
    xx, yy, xy = ((a * b * answered) @ member for a, b in ((x, x), (y, y), (x, y)))
    level = 1e-12 * safe * np.maximum(1.0, (panel.columns[:, 0] ** 2).max(initial=0.0))
    varied = (xx > level) & (yy > level) & (count > 1)
    below = np.sqrt(np.where(varied, xx * yy, 1.0))
    return np.where(varied, np.clip(xy / below, -1, 1), np.nan), count


def each_prompt(panel: PairPanel) -> pd.DataFrame:
    """Return each prompt's correlations, where it has pairs enough."""
    member = np.zeros((panel.n, panel.n_prompts))
    member[np.arange(panel.n), panel.prompt] = 1.0
    once = np.ones((1, panel.n_annotators))
    (spearman, count), (pearson, _) = (_by_prompt(panel, once, member, ranks=r) for r in (True, False))
    frame = pd.DataFrame(
        {
            "prompt_id": panel.prompts,
            "n": count[0].astype(np.int64),
            "spearman": spearman[0],
            "pearson": pearson[0],
        }
    )
    return frame[frame["n"] >= FEWEST].dropna().reset_index(drop=True)


def partial(panel: PairPanel, which: int) -> Statistic:
    """Return the statistic of a partial rank correlation with people: of the measure, or of lexical overlap."""
    order = [which, *[k for k in range(panel.columns.shape[1]) if k != which]]

    def statistic(draw: Draw) -> FloatArray:
        times, people = draw
        human, answered = panel.means(people)
        weights = times * answered
        columns = [human, *[panel.columns[:, k][None] for k in order]]
        ranks = np.stack([weighted_ranks(column, weights) for column in columns], axis=-1)
        return partial_correlations(weighted_correlations(ranks, weights))

    return statistic
