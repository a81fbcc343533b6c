"""Cross-rater moments of human quality and the columns beside it, for every delete-one replicate at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from judging.stats.audit.different_annotators import AlikeVersions, RatedAlike, rated_alike, same_annotator
from judging.stats.core import panel as panels
from judging.stats.core.estimate import BoolArray, FloatArray, IntArray
from judging.stats.core.panel import Cells, Panel, batches, slots


@dataclass(frozen=True, slots=True)
class Moments:
    """Moment matrices, symmetric, of true quality first and then the columns of the panel (D = 1 + F).

    Parameters
    ----------
    prompt : ndarray, shape (P, D, D)
        One prompt with all its annotators.
    cell : ndarray, shape (C, D, D)
        The prompt of a prompt-annotator cell without the annotator of the cell.
    cell_prompt, cell_annotator : ndarray of int, shape (C,)
        Which cell it is.
    mean_square : ndarray, shape (P,)
        Sum of squares of the human means, which holds their error as well.
    cluster : ndarray of int, shape (P,), or None
        As of the panel.
    """

    prompt: FloatArray
    cell: FloatArray
    cell_prompt: IntArray
    cell_annotator: IntArray
    mean_square: FloatArray
    cluster: IntArray | None = None

    @property
    def total(self) -> FloatArray:
        """Sum over prompts, shape (D, D)."""
        return np.asarray(self.prompt.sum(axis=0))

    @property
    def naive(self) -> FloatArray:
        """Per prompt or cluster, with the human mean in place of true quality, shape (P, D, D)."""
        swapped = self.prompt.copy()
        swapped[:, 0, 0] = self.mean_square
        return swapped if self.cluster is None else summed_by(swapped, self.cluster)

    def replicates(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the totals without one prompt, one annotator, one cell.

        Returns
        -------
        without_prompt, without_annotator, without_cell : ndarray, shape (P or M or C, D, D)
            The same sums over what is left.
        """
        return replicates_of(self.prompt, self.cell, self.cell_prompt, self.cell_annotator, self.cluster)


def replicates_of(
    prompt: FloatArray,
    cell: FloatArray,
    cell_prompt: IntArray,
    cell_annotator: IntArray,
    cluster: IntArray | None = None,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the totals without one prompt, one annotator, one cell of anything that adds up over prompts.

    Parameters
    ----------
    prompt, cell : ndarray, shapes (P, ...) and (C, ...)
        One prompt with all its annotators, and the prompt of a cell without the annotator of the cell.
    cell_prompt, cell_annotator : ndarray of int, shape (C,)
        Which cell it is.
    cluster : ndarray of int, shape (P,), or None
        Which prompts are left out together.

    Returns
    -------
    without_prompt, without_annotator, without_cell : ndarray, shape (P or M or C, ...)
    """
    change = cell - prompt[cell_prompt]
    by_annotator = summed_by(change, cell_annotator)
    total = prompt.sum(axis=0)
    if cluster is not None:
        prompt = summed_by(prompt, cluster)
        own = cluster[cell_prompt] * len(by_annotator) + cell_annotator
        change = summed_by(change, np.unique(own, return_inverse=True)[1])
    return total - prompt, total + by_annotator, total + change


def summed_by(parts: FloatArray, group: IntArray) -> FloatArray:
    """Return the sums of rows of each group, numbered from 0."""
    sums = np.zeros((int(group.max()) + 1, *parts.shape[1:]))
    np.add.at(sums, group, parts)
    return sums


def cross_rater_moments(panel: Panel) -> Moments:
    """Return the moments of every prompt, whole and without each of its annotators.

    Parameters
    ----------
    panel : Panel
        Any assignment of annotators to responses.

    Returns
    -------
    Moments
        In the units of the panel.

    Raises
    ------
    ValueError
        If the panel holds no rating.

    Notes
    -----
    For one prompt with K responses that have two or more ratings, ratings y_ij centered by the mean of
    response means, n_i ratings of response i, S_i = sum_j y_ij and q_i = S_i / n_i:

        B[i, i'] = (S_i S_i' - sum_j y_ij y_i'j) / (n_i n_i' - number of annotators who rated both)
        A_qq = tr B - sum(B) / K

    so only products of different annotators enter and their errors cancel on average; all other moments
    are plain sums of products of columns centered over those K responses. Without an annotator the same
    is computed anew, responses left with fewer than two ratings dropped and everything centered over the
    rest.

    References
    ----------
    judging/stats/README.md, section 4.5. Fuller (1987), Measurement Error Models, for errors in
    variables.
    """
    if panel.value.size == 0:
        raise ValueError("The panel holds no rating.")
    depth = 1 + panel.columns.shape[1]
    cells = Cells.of(panel)
    whole, square = np.zeros((panel.n_prompts, depth, depth)), np.zeros(panel.n_prompts)
    left = np.zeros((len(cells.prompt), depth, depth))
    for batch in batches(panel, cells):
        moments, means = _versions(batch.ratings, batch.given, batch.columns)
        whole[batch.prompts], square[batch.prompts] = moments[:, 0], means[:, 0]
        left[batch.cells] = moments[batch.version]
    return Moments(whole, left, cells.prompt, cells.annotator, square, panel.cluster)


def _versions(ratings: FloatArray, given: FloatArray, columns: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the moments of padded prompts, whole and without each annotator.

    `ratings` and `given` (who rated what, 0 or 1) have shape (P, K, J), `columns` (P, K, F); the moments have
    shape (P, 1 + J, D, D) and the sums of squared means (P, 1 + J).
    """
    n_prompts, size, crowd = ratings.shape
    count = np.maximum(given.sum(axis=2), 1)
    # Any constant near the mean will do here: it keeps the shift below free of cancellation.
    ratings = (ratings - (ratings.sum(axis=2) / count).mean(axis=1)[:, None, None]) * given
    shared = rated_alike(ratings, given)
    step = max(1, panels.BUDGET // (n_prompts * max(size, shared.sums.shape[1] ** 2)))
    parts = [
        _without(ratings, given, columns, shared, slice(low, low + step)) for low in range(0, crowd + 1, step)
    ]
    return np.concatenate([p[0] for p in parts], axis=1), np.concatenate([p[1] for p in parts], axis=1)


def _away(table: FloatArray, versions: slice) -> FloatArray:
    """Return what some versions leave out of a table, shape (P, K, J): nothing, then each annotator, (P, V, K)."""
    none = np.zeros((len(table), 1, table.shape[1]))
    return np.concatenate([none, table.transpose(0, 2, 1)], axis=1)[:, versions]


def _without(
    ratings: FloatArray, given: FloatArray, columns: FloatArray, shared: RatedAlike, versions: slice
) -> tuple[FloatArray, FloatArray]:
    """Return the moments of some versions of prompts."""
    n = given.sum(axis=2)[:, None] - _away(given, versions)
    total = ratings.sum(axis=2)[:, None] - _away(ratings, versions)
    squares = (ratings**2).sum(axis=2)[:, None] - _away(ratings**2, versions)
    stays = n >= 2
    away = _away(shared.sums, versions), _away(shared.counts, versions)
    sets = AlikeVersions(
        shared.counts.sum(axis=2)[:, None] - away[1],
        shared.sums.sum(axis=2)[:, None] - away[0],
        np.take_along_axis(stays, shared.first[:, None], axis=2),
        same_annotator(shared.sums, shared.counts, *away),
        shared.size[:, None],
    )
    return _moments_of(n, total, stays, (squares, total, n), sets, columns)


def _moments_of(
    n: FloatArray,
    total: FloatArray,
    stays: BoolArray,
    own: tuple[FloatArray, FloatArray, FloatArray],
    sets: AlikeVersions,
    columns: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return the moments, shape (P, V, D, D), and the sums of squared means, (P, V), of versions of prompts.

    `n` and `total` are the ratings of each response and their sum, `stays` which responses count, `own` the sums over
    single annotators of y^2, y r and r^2, r telling who rated, (P, V, K) each; `columns` has shape (P, K, F).
    """
    kept = np.maximum(stays.sum(axis=2), 1)[:, :, None]
    mean = np.divide(total, n, out=np.zeros_like(total), where=stays)
    shift = mean.sum(axis=2, keepdims=True) / kept
    quality = np.where(stays, mean - shift, 0.0)
    alone = own[0] - shift * (2 * own[1] - shift * own[2])
    pairs = n * n - own[2]
    square = np.divide(
        (total - n * shift) ** 2 - alone, pairs, out=np.zeros_like(total), where=stays & (pairs > 0)
    )
    true_square = square.sum(axis=2) - sets.between(shift) / kept[:, :, 0]
    masked = np.where(stays[..., None], columns[:, None], 0.0)
    centered = np.where(stays[..., None], masked - masked.sum(axis=2, keepdims=True) / kept[..., None], 0.0)
    design = np.concatenate([quality[..., None], centered], axis=3)
    moments = design.transpose(0, 1, 3, 2) @ design
    observed = moments[:, :, 0, 0].copy()
    moments[:, :, 0, 0] = true_square
    return moments, observed


def resampled_moments(panel: Panel, prompt_weight: FloatArray, annotator_weight: FloatArray) -> FloatArray:
    """Return the moments of a panel whose prompts and annotators are weighted, as a bootstrap draws them.

    Parameters
    ----------
    panel : Panel
        Any assignment of annotators to responses.
    prompt_weight, annotator_weight : ndarray, shapes (R, P) and (R, M)
        How often each is drawn, in each of R resamples.

    Returns
    -------
    ndarray, shape (R, D, D)
        As the total of `cross_rater_moments`, which unit weights give.

    Notes
    -----
    A rating weighs as much as its prompt times its annotator. Two copies of an annotator are one person, so products of
    an annotator with himself are left out, whichever copies they are of: sum_j w_j^2 y_ij y_i'j is taken
    away. A response with ratings from fewer than two different annotators drops out of a resample.
    """
    resamples = len(prompt_weight)
    depth = 1 + panel.columns.shape[1]
    moments = np.zeros((resamples, depth, depth))
    order = np.argsort(panel.prompt[panel.response], kind="stable")
    bounds = np.cumsum(np.bincount(panel.prompt[panel.response], minlength=panel.n_prompts))
    slot = slots(panel.prompt)
    for p, rows in enumerate(np.split(order, bounds[:-1])):
        people, person = np.unique(panel.annotator[rows], return_inverse=True)
        members = np.flatnonzero(panel.prompt == p)
        ratings, given = np.zeros((2, len(members), len(people)))
        at = (slot[panel.response[rows]], person)
        ratings[at], given[at] = panel.value[rows], 1.0
        ratings -= given * panel.value[rows].mean()
        own = _drawn(ratings, given, panel.columns[members], annotator_weight[:, people])
        moments += prompt_weight[:, p, None, None] * own
    return moments


def _drawn(ratings: FloatArray, given: FloatArray, columns: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the moments of one prompt, ratings and given of shape (K, J), for weights of shape (R, J)."""
    square, shared = weight * weight, rated_alike(ratings[None], given[None])
    sums, counts = shared.sums[0], shared.counts[0]
    width = len(sums)

    def of_one(a: FloatArray, b: FloatArray) -> FloatArray:
        products = (a[:, None] * b[None]).reshape(width * width, -1)
        return np.asarray((square @ products.T).reshape(1, len(weight), width, width))

    n, total, twice = (weight @ given.T)[None], (weight @ ratings.T)[None], (square @ given.T)[None]
    stays = n * n > twice
    sets = AlikeVersions(
        (weight @ counts.T)[None], (weight @ sums.T)[None], stays[:, :, shared.first[0]],
        (of_one(sums, sums), of_one(sums, counts), of_one(counts, counts)), shared.size[:, None],
    )  # fmt: skip
    own = (square @ (ratings**2).T)[None], (square @ ratings.T)[None], twice
    return np.asarray(_moments_of(n, total, stays, own, sets, columns[None])[0][0])
