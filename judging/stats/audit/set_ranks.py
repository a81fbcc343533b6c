"""Places within sets as an outcome: how many of the others in a set a response beats."""

from __future__ import annotations

import numpy as np
import pandas as pd

from judging.stats.core.sample import numbers, require


def set_ranks(answers: pd.DataFrame, *, best_first: bool) -> pd.DataFrame:
    """Return what each annotator's order of a set says of each response, whatever the size of the set.

    Parameters
    ----------
    answers : DataFrame
        One row an answer: item_id (the set), annotator_id, response_id, and value, a place or a rating; NaN where there
        is none.
    best_first : bool
        Whether small values are good, as places are; with ratings large ones are.

    Returns
    -------
    DataFrame
        The answers that have a value and another of its annotator in its set, in their order, with value the share of
        these others that the response stands above, ties as halves.

    Raises
    ------
    ValueError
        If a column is missing, a value is not finite, or an annotator placed a response twice in a set.

    Notes
    -----
    (K - r) / (K - 1), r the mean rank of the response among the K that the annotator placed, 1 the best. Of random
    others its expectation does not depend on K, as that of r does, so sets of several sizes have one scale.
    """
    require(answers, ["item_id", "annotator_id", "response_id", "value"], "answers")
    given = answers.assign(value=numbers(answers, ["value"])[:, 0]).dropna(subset=["value"])
    if given.duplicated(["item_id", "annotator_id", "response_id"]).any():
        raise ValueError("An annotator placed a response twice in a set.")
    sets = given.groupby(["item_id", "annotator_id"], sort=False)["value"]
    rank, size = sets.rank(ascending=best_first), sets.transform("size")
    several = (size > 1).to_numpy()
    share = np.divide(size - rank, size - 1, out=np.full(len(given), np.nan), where=several)
    return given.assign(value=share)[several]
