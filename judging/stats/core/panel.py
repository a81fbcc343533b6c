"""Ratings and responses with contiguous codes, and as padded arrays of prompts of similar size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from judging.stats.core.estimate import BoolArray, FloatArray, IntArray

BUDGET = 50_000  # elements at a time: what fits a processor's cache is twice as fast


@dataclass(frozen=True, slots=True)
class Panel:
    """Ratings and response columns with contiguous integer codes.

    Parameters
    ----------
    prompt : ndarray of int, shape (n_responses,)
        Prompt of each response, 0 to P - 1, each at least once.
    columns : ndarray, shape (n_responses, F)
        What goes beside human quality (unusualness, covariates, score), in units of the caller's choice.
    response, annotator : ndarray of int, shape (n_ratings,)
        Which response each rating is of and who gave it, 0 to M - 1.
    value : ndarray, shape (n_ratings,)
        The ratings; one a response and annotator.
    cluster : ndarray of int, shape (P,), or None
        Where "prompts" are sets of responses to fewer prompts, which prompt each belongs to, from 0: they are left out
        together.
    """

    prompt: IntArray
    columns: FloatArray
    response: IntArray
    annotator: IntArray
    value: FloatArray
    cluster: IntArray | None = None

    @property
    def n_clusters(self) -> int:
        """Number of prompts that are left out one by one."""
        return self.n_prompts if self.cluster is None else int(self.cluster.max()) + 1

    @property
    def n_prompts(self) -> int:
        """Number of prompts P."""
        return int(self.prompt.max()) + 1

    @property
    def n_annotators(self) -> int:
        """Number of annotators M."""
        return int(self.annotator.max()) + 1


@dataclass(frozen=True, slots=True)
class Cells:
    """The prompt-annotator cells of a panel, in the order of their prompts.

    Parameters
    ----------
    prompt, annotator : ndarray of int, shape (C,)
        Which cell it is.
    slot : ndarray of int, shape (C,)
        Running number of the annotator within the prompt.
    of_rating : ndarray of int, shape (n_ratings,)
        Cell of each rating.
    """

    prompt: IntArray
    annotator: IntArray
    slot: IntArray
    of_rating: IntArray

    @classmethod
    def of(cls, panel: Panel) -> Cells:
        """Return the cells of a panel."""
        key = panel.prompt[panel.response] * panel.n_annotators + panel.annotator
        cells, of_rating = np.unique(key, return_inverse=True)
        prompt, annotator = np.divmod(cells, panel.n_annotators)
        return cls(prompt, annotator, slots(prompt), of_rating.astype(np.int64))


@dataclass(frozen=True, slots=True)
class Batch:
    """Some prompts of similar size as padded arrays, K responses and J annotators each.

    Parameters
    ----------
    prompts, cells : ndarray of int, shapes (B,) and (c,)
        Which prompts, and which of all cells are theirs.
    ratings, given : ndarray, shape (B, K, J)
        Ratings, 0 where there is none; and who rated what, 0 or 1.
    columns : ndarray, shape (B, K, F)
        The columns of the panel.
    present : ndarray of bool, shape (B, K)
        Which responses there are.
    version : tuple of ndarray of int, shape (c,) each
        Where in an array of shape (B, 1 + J, ...), whole prompts first, the prompt without the cell's annotator is.
    """

    prompts: IntArray
    cells: IntArray
    ratings: FloatArray
    given: FloatArray
    columns: FloatArray
    present: BoolArray
    version: tuple[IntArray, IntArray]


def batches(panel: Panel, cells: Cells) -> Iterator[Batch]:
    """Yield all prompts of a panel, those of similar size together."""
    slot = slots(panel.prompt)
    sizes = np.bincount(panel.prompt)
    crowds = np.bincount(cells.prompt, minlength=panel.n_prompts)
    place = np.zeros(panel.n_prompts, dtype=np.int64)
    rating_prompt = panel.prompt[panel.response]
    for chosen in _chunks(sizes, crowds):
        shape = (len(chosen), int(sizes[chosen].max()), int(crowds[chosen].max()))
        inside = np.zeros(panel.n_prompts, dtype=bool)
        inside[chosen], place[chosen] = True, np.arange(len(chosen))
        mine, here = inside[rating_prompt], inside[panel.prompt]
        at = (place[rating_prompt[mine]], slot[panel.response[mine]], cells.slot[cells.of_rating[mine]])
        ratings, given = np.zeros(shape), np.zeros(shape)
        ratings[at], given[at] = panel.value[mine], 1.0
        columns, present = np.zeros((*shape[:2], panel.columns.shape[1])), np.zeros(shape[:2], dtype=bool)
        response = (place[panel.prompt[here]], slot[here])
        columns[response], present[response] = panel.columns[here], True
        own = np.flatnonzero(inside[cells.prompt])
        version = (place[cells.prompt[own]], 1 + cells.slot[own])
        yield Batch(chosen, own, ratings, given, columns, present, version)


def slots(group: IntArray) -> IntArray:
    """Return the running number of each element within its group."""
    order = np.argsort(group, kind="stable")
    sizes = np.bincount(group)
    starts = np.cumsum(sizes) - sizes
    slots = np.empty(len(group), dtype=np.int64)
    slots[order] = np.arange(len(group)) - starts[group[order]]
    return slots


def _chunks(sizes: IntArray, crowds: IntArray) -> Iterator[IntArray]:
    """Yield prompts of similar size together, so that padding stays small and so does memory."""
    order = np.lexsort((crowds, sizes))
    start = 0
    for stop in range(1, len(order) + 1):
        if stop < len(order):
            widest = order[start : stop + 1]
            cost = len(widest) * (crowds[widest].max() + 1) * sizes[order[stop]] ** 2
            if cost <= BUDGET and sizes[order[stop]] <= 2 * sizes[order[start]] + 8:
                continue
        yield order[start:stop]
        start = stop
