"""The subset correlations of the Artificial Hivemind paper, each beside what its selection alone would give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from judging.stats.core.estimate import Estimate, FloatArray
from judging.stats.core.longform import order_of
from judging.stats.hivemind.range_restriction import CELLS, restriction_null
from judging.stats.hivemind.selection import Family, Subset, pair_subsets, rating_subsets
from judging.stats.similarity.association import Method, Scope, correlation

_RANGE = (2.5, 97.5)
_ROUNDING = 1e-9


class Reading(StrEnum):
    """How a subset's correlation stands to what its selection alone would give."""

    EXPLAINED = "as selection alone gives"
    BELOW = "lower than selection alone gives"
    ABOVE = "higher than selection alone gives"
    UNDEFINED = "undefined"


@dataclass(frozen=True, slots=True)
class Cell:
    """One correlation in one subset.

    Parameters
    ----------
    family : Family
        By what the subset is selected.
    setting : float or None
        k of Tukey's fences, or the percent kept.
    label : str
        The rule as the paper names it.
    method : {"spearman", "pearson"}
        On ranks or on the numbers.
    scope : {"pooled", "within"}
        Over all items, or within prompts.
    found : Estimate
        The correlation, its interval over prompts, and how many items it rests on.
    null : Estimate
        Mean and central 95 % of the same correlation for scorers with one curve everywhere; undefined
        with a reason. `n` as in `found`.
    reading : Reading
        Whether the selection alone explains the correlation.
    """

    family: Family
    setting: float | None
    label: str
    method: Method
    scope: Scope
    found: Estimate
    null: Estimate
    reading: Reading


def replicate_ratings(
    counts: npt.ArrayLike,
    values: Sequence[float],
    prompt: npt.ArrayLike,
    score: npt.ArrayLike,
    *,
    draws: int = 500,
    rng: np.random.Generator | None = None,
    confidence: float = 0.95,
) -> list[Cell]:
    """Return a scorer's correlation with mean ratings in the paper's subsets, and what selection alone gives.

    Parameters
    ----------
    counts : array_like of int, shape (n, V)
        How many annotators gave each value to each response. Responses without a label are left out.
    values : sequence of float, length V
        What the columns mean.
    prompt : array_like, shape (n,)
        Prompt of each response.
    score : array_like of float, shape (n,)
        The scorer's numbers, NaN where missing: such responses are left out.
    draws : int
        Number of made-up scorers behind the null.
    rng : numpy.random.Generator, optional
        Source of chance; a generator with seed 0 by default.
    confidence : float
        Level of the intervals.

    Returns
    -------
    list of Cell
        For the full set, Tukey's k = 3 … 0.5 and the top 16 … 2 % by entropy: Spearman and Pearson, pooled and
        within prompts.

    Raises
    ------
    ValueError
        If shapes do not fit or a score is infinite.

    Notes
    -----
    Subsets: `rating_subsets`. Correlations: `correlation`. Null: to the full correlation is added how much each
    made-up scorer of `restriction_null` changes from the full set to the subset; shown are mean and central
    95 %. A correlation is read as lower (higher) than selection alone gives when it lies below (above) them. With
    60 cells some lie outside by chance, and neighbors go together.

    References
    ----------
    Jiang et al. (2025), Artificial Hivemind, arXiv 2510.22954, Tables 23 and 24.
    """
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != len(values):
        raise ValueError(f"counts must have shape (n, {len(values)}), got {table.shape}.")
    numbers, labels = np.asarray(score, dtype=np.float64), np.asarray(prompt)
    _check(numbers, labels, len(table))
    table, labels, numbers = _in_order(table, labels, numbers)
    if not len(table):
        return []
    human = table @ np.asarray(values, dtype=np.float64) / table.sum(axis=1)
    subsets = rating_subsets(table, values)
    return _panel(numbers, human, labels, subsets, draws, rng, confidence)


def replicate_preferences(
    counts: npt.ArrayLike,
    prompt: npt.ArrayLike,
    margin: npt.ArrayLike,
    *,
    draws: int = 500,
    rng: np.random.Generator | None = None,
    confidence: float = 0.95,
) -> list[Cell]:
    """Return the correlation of score differences with mean preferences in the paper's subsets of pairs.

    Parameters
    ----------
    counts : array_like of int, shape (n, 5)
        How many annotators found the second response much better, slightly better, neither, the first slightly
        and the first much better. Pairs without a label are left out.
    prompt : array_like, shape (n,)
        Prompt of each pair.
    margin : array_like of float, shape (n,)
        Score of the first response less that of the second, or a judge's signed choice; NaN where missing.
    draws, rng, confidence
        As in `replicate_ratings`.

    Returns
    -------
    list of Cell
        For the full set and the top 95 … 60 % by ties and by disagreement.

    Raises
    ------
    ValueError
        If shapes do not fit or a margin is infinite.

    Notes
    -----
    The human number is the mean of -2, -1, 0, 1, 2. Which response comes first is arbitrary, and pooled
    correlations hang on it a little. Else as `replicate_ratings`, with subsets by `pair_subsets`: where pairs tie at
    the cut, correlation and ends of its interval are means over the orders of the tied, and the made-up scorers are
    dealt out to these orders. The order of the rows plays no part.

    References
    ----------
    Jiang et al. (2025), Artificial Hivemind, arXiv 2510.22954, Tables 25 and 26.
    """
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != 5:
        raise ValueError(f"counts must have shape (n, 5), got {table.shape}.")
    numbers, labels = np.asarray(margin, dtype=np.float64), np.asarray(prompt)
    _check(numbers, labels, len(table))
    table, labels, numbers = _in_order(table, labels, numbers)
    if not len(table):
        return []
    human = table @ np.arange(-2.0, 3.0) / table.sum(axis=1)
    generator = rng if rng is not None else np.random.default_rng(0)
    votes = table[:, 3:].sum(axis=1), table[:, :2].sum(axis=1), table[:, 2]
    return _panel(numbers, human, labels, pair_subsets(*votes, rng=generator), draws, generator, confidence)


def _in_order(
    table: FloatArray, labels: npt.NDArray[np.generic], numbers: FloatArray
) -> tuple[FloatArray, npt.NDArray[np.generic], FloatArray]:
    """Return the usable items sorted by all that is known of them, so that chance meets them in one order."""
    usable = ~np.isnan(numbers) & (table.sum(axis=1) > 0)
    table, labels, numbers = table[usable], labels[usable], numbers[usable]
    order = order_of(labels, numbers, *table.T)
    return table[order], labels[order], numbers[order]


def _check(numbers: FloatArray, labels: npt.NDArray[np.generic], n: int) -> None:
    """Raise if there is not one finite or missing number, and one prompt, an item."""
    if numbers.shape != (n,) or labels.shape != (n,):
        raise ValueError(f"Need one number and one prompt an item, got {numbers.shape} and {labels.shape}.")
    if np.isinf(numbers).any():
        raise ValueError("Some numbers are infinite.")


def _panel(
    score: FloatArray,
    human: FloatArray,
    prompt: npt.NDArray[np.generic],
    subsets: list[Subset],
    draws: int,
    rng: np.random.Generator | None,
    confidence: float,
) -> list[Cell]:
    """Return every cell with its null."""
    null = restriction_null(score, human, prompt, [s.members for s in subsets], draws=draws, rng=rng)
    cells: list[Cell] = []
    for number, subset in enumerate(subsets):
        for which, (method, scope) in enumerate(CELLS):
            observed = _averaged(
                [
                    correlation(score[m], human[m], prompt[m], method, scope, confidence=confidence)
                    for m in subset.members
                ]
            )
            full = cells[which].found if number else observed
            drawn = None if null is None else null.draws[:, [0, number], which]
            expected = _expected(drawn, observed, full)
            cells.append(
                Cell(
                    subset.family, subset.setting, subset.label, method, scope,
                    observed, expected, _reading(observed, expected),
                )
            )  # fmt: skip
    return cells


def _averaged(orders: Sequence[Estimate]) -> Estimate:
    """Return the mean over orders of tied pairs; undefined, or without an interval, where one of them is."""
    n = round(sum(e.n for e in orders) / len(orders))
    # None becomes NaN, and one NaN makes the mean one.
    table = np.array([[e.estimate, e.low, e.high] for e in orders], dtype=np.float64)
    point, low, high = (float(x) if np.isfinite(x) else None for x in table.mean(axis=0))
    low, high = (None, None) if point is None else (low, high)
    reason = next((e.reason for e in orders if e.reason), None)
    return Estimate(point, low, high, n, reason, orders[0].confidence)


def _expected(drawn: FloatArray | None, observed: Estimate, full: Estimate) -> Estimate:
    """Return the full correlation changed as the selection changes made-up ones, or why there is none."""
    if drawn is None:
        return Estimate.undefined("scores or ratings do not vary within prompts", observed.n)
    if observed.estimate is None or full.estimate is None or not len(drawn) or not np.isfinite(drawn).all():
        return Estimate.undefined(observed.reason or "undefined for some made-up scorers", observed.n)
    changed = np.clip(full.estimate + drawn[:, 1] - drawn[:, 0], -1, 1)
    low, high = np.percentile(changed, _RANGE)
    mean = float(changed.mean())
    return Estimate(mean, min(float(low), mean), max(float(high), mean), observed.n)


def _reading(observed: Estimate, null: Estimate) -> Reading:
    """Return how a correlation stands to its null, which has no width where nothing was selected."""
    if observed.estimate is None or null.estimate is None:
        return Reading.UNDEFINED
    low = null.estimate if null.low is None else null.low
    high = null.estimate if null.high is None else null.high
    if observed.estimate < low - _ROUNDING:
        return Reading.BELOW
    return Reading.ABOVE if observed.estimate > high + _ROUNDING else Reading.EXPLAINED
