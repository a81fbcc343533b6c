"""Answers about pairs, ready to be drawn again by prompt and annotator at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from judging.stats.core.batches import batches
from judging.stats.core.estimate import FloatArray, IntArray, bootstrap_weights
from judging.stats.core.longform import order_of

# Per resample: how often each pair counts (R, n), each annotator's weight (R, M).
Draw = tuple[FloatArray, FloatArray]

LEAST_ANNOTATORS = 3
"""Below it annotators are not resampled: nobody stands for others."""


@dataclass(frozen=True, slots=True)
class PairPanel:
    """Pairs that somebody judged and whose measures are all known.

    Parameters
    ----------
    pair : ndarray, shape (n,)
        Labels.
    prompt : ndarray of int, shape (n,)
        Codes from 0.
    prompts : ndarray
        Labels of the codes.
    values, present : ndarray, shape (n, M)
        Each annotator's answer, 0 where missing; and 1 where given.
    columns : ndarray, shape (n, K)
        The measures asked for, in their order.
    n_left_out : int
        Judged pairs that lack a measure.
    """

    pair: npt.NDArray[np.generic]
    prompt: IntArray
    prompts: npt.NDArray[np.generic]
    values: FloatArray
    present: FloatArray
    columns: FloatArray
    n_left_out: int

    @property
    def n(self) -> int:
        """Number of pairs."""
        return len(self.pair)

    @property
    def n_prompts(self) -> int:
        """Number of prompts."""
        return len(self.prompts)

    @property
    def n_annotators(self) -> int:
        """Number of annotators."""
        return int(self.values.shape[1])

    @property
    def df(self) -> int:
        """Degrees of freedom of intervals: the fewer of prompts and resampled annotators, less one."""
        few = self.n_annotators < LEAST_ANNOTATORS
        return (self.n_prompts if few else min(self.n_prompts, self.n_annotators)) - 1

    def means(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return each pair's mean answer and whether it has one, for each row of annotators' weights (R, M)."""
        count = weights @ self.present.T
        total = weights @ self.values.T
        mean = np.divide(total, count, out=np.zeros_like(total), where=count > 0)
        # Equal means must be equal numbers: they tie.
        return np.asarray(np.round(mean, 9), dtype=np.float64), (count > 0).astype(np.float64)

    def all_once(self) -> Draw:
        """Return the data themselves as a single draw."""
        return np.ones((1, self.n)), np.ones((1, self.n_annotators))

    def resampled(self, resamples: int, rng: np.random.Generator) -> Iterator[Draw]:
        """Yield resamples of prompts and annotators in batches; with fewer than three annotators of prompts only."""
        for size in batches(resamples, self.n, 400_000):
            prompts = bootstrap_weights(self.n_prompts, size, rng)[:, self.prompt]
            if self.n_annotators < LEAST_ANNOTATORS:
                yield prompts, np.ones((size, self.n_annotators))
            else:
                yield prompts, bootstrap_weights(self.n_annotators, size, rng)


def pair_panel(answers: pd.DataFrame, pairs: pd.DataFrame, measures: Sequence[str]) -> PairPanel:
    """Return the panel of a long table of answers and a table of pairs.

    Parameters
    ----------
    answers : DataFrame
        Columns pair_id, annotator_id, value; NaN is missing.
    pairs : DataFrame
        Columns pair_id, prompt_id and the measures; pairs without one of them are left out.
    measures : sequence of str
        Columns of numbers.

    Returns
    -------
    PairPanel
        In the order of the pairs' ids.

    Raises
    ------
    ValueError
        If a column or an id is missing, a pair stands twice or is answered but not listed, an annotator answered a
        pair twice, or a number is infinite.
    """
    _check(answers, ("pair_id", "annotator_id"), ("value",), "answers")
    _check(pairs, ("pair_id", "prompt_id"), tuple(measures), "pairs")
    if bool(pairs["pair_id"].duplicated().any()):
        raise ValueError("pairs lists a pair twice.")
    answered = answers.dropna(subset=["value"])
    if bool(answered.duplicated(["pair_id", "annotator_id"]).any()):
        raise ValueError("An annotator answered the same pair twice.")
    if not bool(answered["pair_id"].isin(pairs["pair_id"]).all()):
        raise ValueError("answers has a pair that pairs does not list.")
    judged = pairs[pairs["pair_id"].isin(answered["pair_id"])]
    whole = judged.dropna(subset=list(measures))
    whole = whole.iloc[order_of(whole["pair_id"])]
    answered = answered[answered["pair_id"].isin(whole["pair_id"])]
    row = pd.Index(whole["pair_id"]).get_indexer(pd.Index(answered["pair_id"]))
    person, people = pd.factorize(answered["annotator_id"], sort=True)
    value, present = np.zeros((2, len(whole), len(people)))
    value[row, person] = answered["value"].to_numpy(dtype=np.float64)
    present[row, person] = 1.0
    prompt, prompts = pd.factorize(whole["prompt_id"], sort=True)
    return PairPanel(
        whole["pair_id"].to_numpy(),
        prompt.astype(np.int64),
        np.asarray(prompts),
        value,
        present,
        whole[list(measures)].to_numpy(dtype=np.float64).reshape(len(whole), len(measures)),
        len(judged) - len(whole),
    )


def _check(frame: pd.DataFrame, ids: tuple[str, ...], numbers: tuple[str, ...], name: str) -> None:
    """Raise if a column or an id is missing or a number infinite."""
    missing = [column for column in (*ids, *numbers) if column not in frame.columns]
    if missing:
        raise ValueError(f"{name} lacks the column(s) {', '.join(missing)}.")
    if bool(frame[list(ids)].isna().any(axis=None)):
        raise ValueError(f"{name} has a missing {' or '.join(ids)}.")
    for column in numbers:
        if np.isinf(frame[column].to_numpy(dtype=np.float64, na_value=np.nan)).any():
            raise ValueError(f"{name} has an infinite {column}.")
