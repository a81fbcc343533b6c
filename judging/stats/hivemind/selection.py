"""The subsets that the Artificial Hivemind paper selects by the very labels it then correlates with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from judging.stats.core.estimate import BoolArray, FloatArray

TUKEY = (3.0, 2.5, 2.0, 1.5, 1.0, 0.5)
"""Multiples of the interquartile range."""

MOST_DIVISIVE = (16, 14, 12, 10, 8, 6, 4, 2)
"""Percent of ratings kept by entropy."""

KEPT_PAIRS = (95, 90, 85, 80, 75, 70, 65, 60)
"""Percent of pairs kept, by ties and by disagreement."""


TIE_ORDERS = 20
"""Random orders of pairs that tie at a cut, over which results are averaged."""


class Family(StrEnum):
    """By what a subset is selected."""

    FULL = "full"
    SIMILAR = "similar"
    DISAGREED = "disagreed"


@dataclass(frozen=True, slots=True)
class Subset:
    """Some of the items, and the rule that chose them.

    Parameters
    ----------
    family : Family
        Everything, those of similar human quality, or those people disagree on.
    setting : float or None
        k of Tukey's fences, or the percent kept; None for everything.
    members : ndarray of bool, shape (orders, n)
        Which items are in it: one row, or where equal items tie at the cut one for each of several orders of them.
    fences : bool
        Whether the setting is k of Tukey's fences.
    """

    family: Family
    setting: float | None
    members: BoolArray
    fences: bool = False

    @property
    def label(self) -> str:
        """The rule as the paper names it."""
        if self.setting is None:
            return "full"
        return f"k = {self.setting:.1f}" if self.fences else f"top {self.setting:g} %"


def rating_subsets(counts: npt.ArrayLike, values: Sequence[float]) -> list[Subset]:
    """Return everything, the ratings within Tukey's fences, and the most divisive ones.

    Parameters
    ----------
    counts : array_like of int, shape (n, V)
        How many annotators gave each value to each response; every response has at least one.
    values : sequence of float, length V
        What the columns mean.

    Returns
    -------
    list of Subset
        Full; similar with k = 3, 2.5 … 0.5; disagreed with the top 16, 14 … 2 %.

    Raises
    ------
    ValueError
        If a response has no label or shapes do not fit.

    Notes
    -----
    Similar: Q1 - k IQR <= mean <= Q3 + k IQR over the means of all responses to all prompts, so "similar" is to
    the others of the study, not to the others of the prompt. Disagreed: Shannon entropy of the labels, in
    bits, at or above its percentile 100 - p; ties at the threshold are all kept. Percentiles interpolate
    linearly, as numpy's do.

    References
    ----------
    Jiang et al. (2025), Artificial Hivemind, arXiv 2510.22954, section 4, Tables 23 and 24, and the authors' code;
    Tukey (1977), Exploratory Data Analysis, for the fences.
    """
    table = _checked(counts, len(values))
    shares = table / table.sum(axis=1, keepdims=True)
    mean = shares @ np.asarray(values, dtype=np.float64)
    # Entropies of equal labels in another order differ by rounding error, and would miss the threshold.
    entropy = np.round(label_entropy(table), 12)
    low, high = np.percentile(mean, [25, 75])
    subsets = [Subset(Family.FULL, None, np.ones((1, len(table)), dtype=bool))]
    for k in TUKEY:
        reach = k * (high - low)
        inside = (mean >= low - reach) & (mean <= high + reach)
        subsets.append(Subset(Family.SIMILAR, k, inside[None], fences=True))
    for percent in MOST_DIVISIVE:
        threshold = np.round(np.percentile(entropy, 100 - percent), 12)
        subsets.append(Subset(Family.DISAGREED, percent, (entropy >= threshold)[None]))
    return subsets


def pair_subsets(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    neither: npt.ArrayLike,
    *,
    rng: np.random.Generator | None = None,
) -> list[Subset]:
    """Return everything, the pairs with the most ties, and the pairs people disagree on most.

    Parameters
    ----------
    first, second, neither : array_like, shape (n,)
        Annotators who preferred the first response, the second, and neither; at least one a pair.
    rng : numpy.random.Generator, optional
        Source of chance for the orders of pairs that tie; a generator with seed 0 by default.

    Returns
    -------
    list of Subset
        Full; similar and disagreed with the top 95, 90 … 60 %.

    Raises
    ------
    ValueError
        If a pair has no label or shapes do not fit.

    Notes
    -----
    Similar: ranked by the number of answers "similar, or hard to tell". Disagreed: ranked by
    1 - (max(C1, C2) + C0 / 2) / C. Exactly round(percent of n) pairs are kept. With few annotators most pairs tie
    (863 of the 999 in PandaLM's test set with three), and which of the equals at the cut stay is arbitrary: the
    authors' code keeps the first ones. Here it is drawn `TIE_ORDERS` times, the same orders for every percent.

    References
    ----------
    Jiang et al. (2025), Artificial Hivemind, arXiv 2510.22954, Tables 25 and 26, and the authors' code.
    """
    counts = _checked(np.column_stack([np.asarray(x) for x in (first, second, neither)]), 3)
    n = len(counts)
    subsets = [Subset(Family.FULL, None, np.ones((1, n), dtype=bool))]
    lots = (rng if rng is not None else np.random.default_rng(0)).random((TIE_ORDERS, n))
    for family, measure in ((Family.SIMILAR, counts[:, 2]), (Family.DISAGREED, pair_divisiveness(counts))):
        falling = -np.round(measure, 12)
        orders = np.array([np.lexsort((lot, falling)) for lot in lots])
        ranked = np.sort(falling)
        for percent in KEPT_PAIRS:
            size = round(n * percent / 100)
            tied = 0 < size < n and ranked[size - 1] == ranked[size]
            chosen = orders[:, :size] if tied else orders[:1, :size]
            members = np.zeros((len(chosen), n), dtype=bool)
            np.put_along_axis(members, chosen, True, axis=1)
            subsets.append(Subset(family, percent, members))
    return subsets


def label_entropy(counts: npt.ArrayLike) -> FloatArray:
    """Return the Shannon entropy of each row of counts.

    Parameters
    ----------
    counts : array_like, shape (n, V)
        Not negative, each row with a sum above zero.

    Returns
    -------
    ndarray, shape (n,)
        In bits, 0 to log2 V.

    Notes
    -----
    -sum p log2 p, not corrected for the number of labels.
    """
    table = np.asarray(counts, dtype=np.float64)
    shares = table / table.sum(axis=1, keepdims=True)
    logs = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
    return np.asarray(-(shares * logs).sum(axis=1) + 0.0)


def pair_divisiveness(counts: npt.ArrayLike) -> FloatArray:
    """Return how evenly annotators part over each pair.

    Parameters
    ----------
    counts : array_like, shape (n, 3)
        Annotators for the first response, for the second, and for neither; each row with a sum above zero.

    Returns
    -------
    ndarray, shape (n,)
        0 when all prefer the same response, 1/2 when they are divided evenly or all see a tie.

    Notes
    -----
    1 - (max(C1, C2) + C0 / 2) / C.

    References
    ----------
    Jiang et al. (2025), Artificial Hivemind, arXiv 2510.22954.
    """
    table = np.asarray(counts, dtype=np.float64)
    return np.asarray(1 - (table[:, :2].max(axis=1) + table[:, 2] / 2) / table.sum(axis=1))


def _checked(counts: npt.ArrayLike, columns: int) -> FloatArray:
    """Return the counts as floats; refuse a row without a label."""
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != columns:
        raise ValueError(f"counts must have shape (n, {columns}), got {table.shape}.")
    if not np.isfinite(table).all() or (table < 0).any() or (table.sum(axis=1) <= 0).any():
        raise ValueError("Every item needs at least one label, and no count may be negative.")
    return table
