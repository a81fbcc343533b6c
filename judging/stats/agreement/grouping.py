"""Groupings: do annotators put the same responses together?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from judging.stats.agreement.ranks import mean_over_items
from judging.stats.core.estimate import Estimate, FloatArray, check_confidence


def adjusted_rand(
    item: npt.ArrayLike,
    annotator: npt.ArrayLike,
    response: npt.ArrayLike,
    group: npt.ArrayLike,
    *,
    resamples: int = 1000,
    rng: np.random.Generator | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Return the adjusted Rand index, averaged over pairs of annotators of an item and then over items.

    Parameters
    ----------
    item, annotator, response, group : array_like, shape (n,)
        As in `co_membership`.
    resamples : int
        Number of bootstrap resamples of the items.
    rng : numpy.random.Generator, optional
        Source of chance; a generator with seed 0 by default.
    confidence : float
        Level of the percentile interval.

    Returns
    -------
    Estimate
        At most 1, about 0 for groupings at random with the same sizes of groups. `n` is the number of items
        with a pair of annotators for whom the index is defined: both placed two responses, and not both put
        all in one group or all apart. Undefined without such an item.

    Raises
    ------
    ValueError
        If lengths differ or an annotator placed a response of an item twice.

    Notes
    -----
    Over the N pairs of responses that both annotators placed, with T_a and T_b pairs together and T_ab
    together in both: ARI = (T_ab - T_a T_b / N) / ((T_a + T_b) / 2 - T_a T_b / N). Self-pairs never count, and
    items, not pairs of annotators, are resampled.

    References
    ----------
    Hubert and Arabie (1985), Journal of Classification 2:193-218.
    """
    check_confidence(confidence)
    pairs = co_membership(item, annotator, response, group)
    each = np.array([_mean_index(part) for _, part in pairs.groupby("item_id", sort=True)])
    each = each[np.isfinite(each)]
    if each.size == 0:
        reason = "No item has two annotators who placed the same responses and did not both do the trivial."
        return Estimate.undefined(reason, 0, confidence)
    return mean_over_items(each, resamples, rng, confidence)


def co_membership(
    item: npt.ArrayLike, annotator: npt.ArrayLike, response: npt.ArrayLike, group: npt.ArrayLike
) -> pd.DataFrame:
    """Return, for each grouping, whether each unordered pair of responses lies in one group.

    Parameters
    ----------
    item, annotator, response : array_like, shape (n,)
        Whose grouping of what each row belongs to.
    group : array_like, shape (n,)
        Group the response was put in. Numbers mean nothing across annotators; a missing group is a response
        that was not placed and forms no pair.

    Returns
    -------
    DataFrame
        Columns unit (int, one a pair of responses of one item), item_id, annotator_id, response and other (the
        pair's labels, in order) and value (1 together, 0 apart). Feed unit and value to `value_counts` with
        domain (0, 1), and one item label a unit as `clusters` to the agreement, because the pairs of one item
        are not independent.

    Raises
    ------
    ValueError
        If lengths differ or an annotator placed a response of an item twice.
    """
    inputs = {"item_id": item, "annotator_id": annotator, "response": response, "group": group}
    arrays = {name: np.asarray(column) for name, column in inputs.items()}
    if len({array.shape for array in arrays.values()}) != 1:
        raise ValueError("item, annotator, response and group differ in length.")
    placed = pd.DataFrame(arrays).dropna()
    if bool(placed.duplicated(["item_id", "annotator_id", "response"]).any()):
        raise ValueError("An annotator placed the same response of an item twice.")
    placed["code"] = pd.factorize(placed["response"], sort=True)[0]
    pairs = placed.merge(placed, on=["item_id", "annotator_id"], suffixes=("", "_other"))
    pairs = pairs[pairs["code"] < pairs["code_other"]]
    unit = pairs.groupby(["item_id", "code", "code_other"], sort=True).ngroup()
    together = pairs["group"] == pairs["group_other"]
    table = pairs.rename(columns={"response_other": "other"}).assign(
        unit=unit, value=together.astype("int64")
    )
    columns = ["unit", "item_id", "annotator_id", "response", "other", "value"]
    return table[columns].reset_index(drop=True)


def _mean_index(part: pd.DataFrame) -> float:
    """Return the mean adjusted Rand index of the pairs of annotators of one item; NaN if there is none."""
    who, unit = pd.factorize(part["annotator_id"])[0], pd.factorize(part["unit"])[0]
    placed: FloatArray = np.zeros((who.max() + 1, unit.max() + 1))
    together = np.zeros_like(placed)
    placed[who, unit], together[who, unit] = 1.0, part["value"]
    above = np.triu_indices(len(placed), 1)
    n = (placed @ placed.T)[above]
    mine = together @ placed.T
    first, second, both = mine[above], mine.T[above], (together @ together.T)[above]
    expected = np.divide(first * second, n, out=np.zeros_like(n), where=n > 0)
    room = (first + second) / 2 - expected
    usable = room > 1e-12 * np.maximum(n, 1)
    index = (both[usable] - expected[usable]) / room[usable]
    return float(index.mean()) if index.size else float("nan")
