"""How many different things a set of responses says: Vendi score, clusters, and both at equal numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from scipy.special import gammaln

from judging.stats.core.estimate import FloatArray, IntArray

DRAWS = 20
"""Subsets over which a Vendi score is averaged when it is rarefied."""

_TOLERANCE = 1e-6


def vendi_score(similarity: npt.ArrayLike, order: float = 1.0) -> float:
    """Return the Vendi score: how many wholly different things would be as diverse as these.

    Parameters
    ----------
    similarity : array_like, shape (n, n)
        Positive semidefinite, 1 on the diagonal; cosines are.
    order : float
        q of the Hill number: 1 is the exponential of Shannon's entropy, larger orders weigh rare things less,
        infinity counts the largest eigenvalue alone.

    Returns
    -------
    float
        Between 1 (all the same) and n (nothing in common); NaN for no responses.

    Raises
    ------
    ValueError
        If the matrix is not square, symmetric, with a diagonal of 1; is not positive semidefinite; or `order` is
        negative.

    Notes
    -----
    With l the eigenvalues of K / n: exp(-sum l ln l) for q = 1, else (sum l^q)^(1 / (1 - q)).

    References
    ----------
    Friedman and Dieng (2023), The Vendi Score, arXiv 2210.02410. Pasarkar and Dieng (2024), Cousins of the Vendi
    Score, for other orders.
    """
    matrix = np.asarray(similarity, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"Need a square matrix of similarities, got {matrix.shape}.")
    if order < 0:
        raise ValueError(f"order must not be negative, got {order}.")
    n = len(matrix)
    if n == 0:
        return float("nan")
    if not np.allclose(np.diag(matrix), 1.0, atol=_TOLERANCE) or not np.allclose(
        matrix, matrix.T, atol=_TOLERANCE
    ):
        raise ValueError("Similarities must be symmetric, with 1 on the diagonal.")
    values = np.asarray(np.linalg.eigvalsh(matrix / n), dtype=np.float64)
    if values[0] < -_TOLERANCE:
        raise ValueError("The similarities are not positive semidefinite.")
    return _hill(values, order)


def rarefied_vendi(
    embeddings: npt.ArrayLike,
    size: int,
    *,
    draws: int = DRAWS,
    rng: np.random.Generator | None = None,
) -> float:
    """Return the Vendi score expected of `size` responses drawn at random: sets of different sizes compare by it.

    Parameters
    ----------
    embeddings : array_like, shape (n, d)
        Unit vectors.
    size : int
        Responses in each subset.
    draws : int
        Random subsets, without replacement; with n = size there is only one, and no chance.
    rng : numpy.random.Generator, optional
        Source of chance; a generator with seed 0 by default.

    Returns
    -------
    float
        Mean over the subsets; NaN when there are fewer than `size` responses.

    Raises
    ------
    ValueError
        If `size` or `draws` is less than 1.

    Notes
    -----
    The eigenvalues of the n x n Gram matrix and of the d x d one are the same but for zeros: the smaller is used.
    """
    unit = np.asarray(embeddings, dtype=np.float64)
    if size < 1 or draws < 1:
        raise ValueError(f"Need size >= 1 and draws >= 1, got {size} and {draws}.")
    if len(unit) < size:
        return float("nan")
    if len(unit) == size:
        return _vendi(unit)
    generator = rng if rng is not None else np.random.default_rng(0)
    return float(np.mean([_vendi(unit[generator.permutation(len(unit))[:size]]) for _ in range(draws)]))


def vendi_by_source(
    embeddings: npt.ArrayLike,
    source: npt.ArrayLike,
    n_sources: int,
    size: int,
    *,
    rng: np.random.Generator | None = None,
) -> FloatArray:
    """Return the Vendi score of `size` responses of each source, and of as many of all sources together.

    Parameters
    ----------
    embeddings : array_like, shape (n, d)
        Unit vectors of one prompt's responses.
    source : array_like of int, shape (n,)
        Source of each response, 0 to n_sources - 1.
    n_sources : int
        Number of sources, S.
    size : int
        Responses in each set.
    rng : numpy.random.Generator, optional
        Source of chance; a generator with seed 0 by default.

    Returns
    -------
    ndarray, shape (S + 1,)
        Sources in order, then all together; NaN where there are fewer than `size` responses.

    Raises
    ------
    ValueError
        If `size` is less than 1.
    """
    unit, codes = np.asarray(embeddings, dtype=np.float64), np.asarray(source, dtype=np.int64)
    generator = rng if rng is not None else np.random.default_rng(0)
    own = [rarefied_vendi(unit[codes == code], size, rng=generator) for code in range(n_sources)]
    return np.array([*own, rarefied_vendi(unit, size, rng=generator)])


@dataclass(frozen=True, slots=True)
class Ideas:
    """Average-linkage clusters of one prompt's responses: one cluster, one idea.

    Parameters
    ----------
    threshold : float
        Least mean cosine between two clusters that are merged.
    labels : ndarray of int, shape (n,)
        Cluster of each response, 0 to k - 1, the largest first.
    sizes : ndarray of int, shape (k,)
        Responses in each cluster.
    """

    threshold: float
    labels: IntArray
    sizes: IntArray

    @property
    def effective(self) -> float:
        """Effective number of ideas: the exponential of the entropy of the clusters' shares."""
        return _hill(self.sizes / self.sizes.sum(), 1.0) if self.sizes.size else float("nan")


def ideas(similarity: npt.ArrayLike, thresholds: npt.ArrayLike) -> list[Ideas]:
    """Return the clusters that responses form at each threshold.

    Parameters
    ----------
    similarity : array_like, shape (n, n)
        Symmetric cosines.
    thresholds : array_like of float, shape (T,)
        Cosines of this embedder: another's mean something else.

    Returns
    -------
    list of Ideas, length T
        The higher the threshold, the more ideas.

    Raises
    ------
    ValueError
        If the matrix is not square and symmetric.

    Notes
    -----
    Agglomerative clustering with average linkage on 1 - cosine, cut where the mean distance between two clusters
    exceeds 1 - threshold. Unlike single linkage it does not chain through in-betweens, and unlike matching
    against the first member (NoveltyBench) it does not depend on the order of the responses, but for ties.

    References
    ----------
    Sokal and Michener (1958), for average linkage. Zhang et al. (2025), NoveltyBench, arXiv 2504.05228, for
    distinct ideas as a measure of diversity.
    """
    matrix = np.asarray(similarity, dtype=np.float64)
    if (
        matrix.ndim != 2
        or matrix.shape[0] != matrix.shape[1]
        or not np.allclose(matrix, matrix.T, atol=_TOLERANCE)
    ):
        raise ValueError("Need a square, symmetric matrix of similarities.")
    levels = np.asarray(thresholds, dtype=np.float64).ravel()
    if len(matrix) < 2:
        only = np.zeros(len(matrix), dtype=np.int64)
        return [Ideas(float(t), only, np.ones(len(matrix), dtype=np.int64)) for t in levels]
    distance = squareform(np.clip(1 - matrix, 0.0, None), checks=False)
    tree = linkage(distance, "average")
    return [_cut(tree, float(level)) for level in levels]


@dataclass(frozen=True, slots=True)
class Threshold:
    """The cosine that best tells pairs people find the same from those they do not.

    Parameters
    ----------
    cosine : float
        Pairs with at least this cosine are taken for the same.
    sensitivity, specificity : float
        Share of the same pairs that are at or above it, and of the others that are below: in the pairs it was
        chosen on, so a little flattering.
    n_same, n_other : int
        Pairs it rests on.
    """

    cosine: float
    sensitivity: float
    specificity: float
    n_same: int
    n_other: int


def best_threshold(cosine: npt.ArrayLike, same: npt.ArrayLike) -> Threshold | None:
    """Return the cosine threshold with the largest sum of sensitivity and specificity.

    Parameters
    ----------
    cosine : array_like, shape (n,)
        Of pairs of responses; NaN is left out.
    same : array_like of bool, shape (n,)
        Whether people find the pair the same.

    Returns
    -------
    Threshold or None
        None unless there are pairs of both kinds. Of equally good thresholds the highest.

    References
    ----------
    Youden (1950), Cancer 3:32-35, for the index.
    """
    values, labels = np.asarray(cosine, dtype=np.float64), np.asarray(same, dtype=bool)
    known = np.isfinite(values)
    values, labels = values[known], labels[known]
    n_same, n_other = int(labels.sum()), int((~labels).sum())
    if not n_same or not n_other:
        return None
    levels = np.unique(values)[::-1]
    hit = np.array([(values[labels] >= level).mean() for level in levels])
    spared = np.array([(values[~labels] < level).mean() for level in levels])
    best = int(np.argmax(hit + spared))
    return Threshold(float(levels[best]), float(hit[best]), float(spared[best]), n_same, n_other)


def rarefied_count(sizes: npt.ArrayLike, n: int) -> float:
    """Return how many different ideas `n` responses drawn at random hold, in expectation.

    Parameters
    ----------
    sizes : array_like of int, shape (k,)
        Responses of each idea.
    n : int
        Responses drawn, without replacement.

    Returns
    -------
    float
        Between 1 and k; NaN when there are fewer than `n` responses.

    Raises
    ------
    ValueError
        If `n` is less than 1 or a size is negative.

    Notes
    -----
    sum over ideas of 1 - C(N - N_i, n) / C(N, n).

    References
    ----------
    Hurlbert (1971), Ecology 52:577-586, for the correct expectation of Sanders' rarefaction.
    """
    members = np.asarray(sizes, dtype=np.float64)
    if n < 1 or (members < 0).any():
        raise ValueError("Need n >= 1 and sizes that are not negative.")
    total = float(members.sum())
    if total < n:
        return float("nan")
    others = total - members
    possible = others >= n
    above = gammaln(np.where(possible, others, n) + 1) - gammaln(np.where(possible, others, n) - n + 1)
    log = above - gammaln(total + 1) + gammaln(total - n + 1)
    return float((1 - np.where(possible, np.exp(log), 0.0)).sum())


def _vendi(unit: FloatArray) -> float:
    """Return the Vendi score of unit vectors under cosine similarity."""
    n, width = unit.shape
    gram = unit @ unit.T if n <= width else unit.T @ unit
    return _hill(np.linalg.eigvalsh(gram / n), 1.0)


def _hill(shares: FloatArray, order: float) -> float:
    """Return the Hill number of shares; what is not above 0 counts as none."""
    positive = shares[shares > 1e-12]
    positive = positive / positive.sum()
    if order == 1:
        return float(np.exp(-(positive * np.log(positive)).sum()))
    if np.isinf(order):
        return float(1 / positive.max())
    return float((positive**order).sum() ** (1 / (1 - order)))


def _cut(tree: FloatArray, threshold: float) -> Ideas:
    """Return the clusters of a tree at a threshold, the largest first."""
    # Forgiving rounding: what is as alike as the threshold says belongs together.
    raw = fcluster(tree, 1 - threshold + 1e-9, "distance").astype(np.int64) - 1
    sizes = np.bincount(raw)
    order = np.lexsort((_first_seen(raw, len(sizes)), -sizes))
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return Ideas(threshold, rank[raw].astype(np.int64), sizes[order].astype(np.int64))


def _first_seen(labels: npt.NDArray[np.int64], k: int) -> IntArray:
    """Return where each label occurs first."""
    first = np.full(k, len(labels), dtype=np.int64)
    np.minimum.at(first, labels, np.arange(len(labels)))
    return first
