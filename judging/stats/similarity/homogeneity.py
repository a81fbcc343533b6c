"""How alike the responses to a prompt are, within and between those who wrote them; one prompt at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from judging.stats.core.estimate import FloatArray, IntArray
from judging.stats.similarity.unusualness import unit_vectors

THRESHOLDS = (0.7, 0.8, 0.9)
"""Of cosines whose shares are counted. Cosines of different embedders never share a threshold."""

NEIGHBORS = (5, 10, 50)
"""How many nearest responses are looked at for the mixing of sources; 50 in the paper."""

BINS = np.linspace(-1.0, 1.0, 41)
"""Edges of the histograms of cosines."""

SAMPLED = 50
"""Unit vectors of a prompt sampled for the pairs across prompts."""


@dataclass(frozen=True, slots=True)
class PromptSimilarity:
    """What one prompt's responses say about likeness; `pair_similarity` takes the results of several prompts.

    S sources in a fixed order, T thresholds, B bins, N sizes of a neighborhood. Pairs are ordered: a pair of
    responses of two sources counts once in [s, t] and once in [t, s], one of a single source twice in [s, s].
    No response is paired with itself.

    Parameters
    ----------
    counts : ndarray of int, shape (S,)
        Responses of each source.
    total : ndarray, shape (S, S)
        Sum of the cosines of the pairs.
    pairs : ndarray of int, shape (S, S)
        Number of pairs.
    thresholds : tuple of float, length T
        Cosines above which pairs are counted.
    above : ndarray of int, shape (T, S, S)
        Pairs whose cosine is greater than each threshold.
    within, between : ndarray of int, shape (B,)
        Unordered pairs of one source, and of two, in each bin of `BINS`.
    distinct, distinct_expected : ndarray, shape (N,)
        Mean number of distinct sources among the nearest N responses, and what it would be if neighbors were
        drawn at random; NaN where the prompt has no more than N other responses.
    same, same_expected : ndarray, shape (N,)
        Mean share of the response's own source among them, and by chance; NaN likewise.
    vector_sum : ndarray, shape (d,)
        Sum of the unit vectors.
    sample : ndarray of float32, shape (at most SAMPLED, d)
        Unit vectors drawn at random without replacement.
    """

    counts: IntArray
    total: FloatArray
    pairs: IntArray
    thresholds: tuple[float, ...]
    above: IntArray
    within: IntArray
    between: IntArray
    distinct: FloatArray
    distinct_expected: FloatArray
    same: FloatArray
    same_expected: FloatArray
    vector_sum: FloatArray
    sample: npt.NDArray[np.float32]

    @property
    def means(self) -> FloatArray:
        """Mean cosine of the pairs of each two sources, shape (S, S); NaN where there is no pair."""
        return _ratio(self.total, self.pairs)

    @property
    def inflated_diagonal(self) -> FloatArray:
        """Same-source means with every response also paired with itself, as in the paper; shape (S,).

        (sum of the cosines of distinct pairs + n) / n^2: an excess of (1 - mean) / n over `means`, for comparison
        with published tables only.
        """
        return _ratio(np.diag(self.total) + self.counts, self.counts**2)

    @property
    def mean(self) -> float:
        """Mean cosine of all pairs of the prompt; NaN for a single response."""
        n = int(self.pairs.sum())
        return float(self.total.sum() / n) if n else float("nan")


def prompt_similarity(
    embeddings: npt.ArrayLike,
    source: npt.ArrayLike,
    n_sources: int,
    *,
    thresholds: Sequence[float] = THRESHOLDS,
    neighbors: Sequence[int] = NEIGHBORS,
    rng: np.random.Generator | None = None,
) -> PromptSimilarity:
    """Return how alike one prompt's responses are, within and between sources.

    Parameters
    ----------
    embeddings : array_like, shape (n, d)
        One vector a response, of any length but zero.
    source : array_like of int, shape (n,)
        Source of each response, 0 to n_sources - 1.
    n_sources : int
        Number of sources, S; those that did not answer this prompt have no pairs.
    thresholds : sequence of float
        Cosines above which pairs are counted.
    neighbors : sequence of int
        Sizes of the neighborhoods in which sources are counted.
    rng : numpy.random.Generator, optional
        Draws the sample of vectors; a generator with seed 0 by default.

    Returns
    -------
    PromptSimilarity

    Raises
    ------
    ValueError
        If shapes do not fit, a source is not between 0 and n_sources - 1, or a vector is zero or not finite.

    Notes
    -----
    Sums of cosines come from sums of unit vectors in double precision: with M_s the sum of source s,
    total[s, t] = M_s . M_t, less the self-pairs |e_i|^2 on the diagonal. Counts above thresholds and
    neighborhoods come from the n x n matrix of cosines in single precision, which holds about seven digits.

    Expected numbers by chance draw N of the other n - 1 responses without replacement: source t, with m_t
    responses among them, is met with probability 1 - C(n - 1 - m_t, N) / C(n - 1, N).

    References
    ----------
    Jiang et al. (2025), Artificial Hivemind, arXiv 2510.22954, sections 3 and figure 8 for the neighborhoods.
    """
    vectors, labels = _checked(embeddings, source, n_sources)
    # Responses of one source lie together from here on: what concerns two sources is a block of the matrix.
    order = np.argsort(labels, kind="stable")
    unit, codes = vectors[order], labels[order]
    counts = np.bincount(codes, minlength=n_sources)
    blocks = _blocks(counts)
    sums = np.zeros((n_sources, unit.shape[1]))
    own = np.zeros(n_sources)
    for code, rows in blocks:
        sums[code] = unit[rows].sum(axis=0)
        own[code] = np.vdot(unit[rows], unit[rows])
    single = unit.astype(np.float32)
    cosines = single @ single.T
    within, between = _histograms(cosines, blocks)
    above = _above(cosines, blocks, n_sources, thresholds)
    mixing = _mixing(cosines, codes, counts, neighbors)
    generator = rng if rng is not None else np.random.default_rng(0)
    drawn = np.sort(generator.permutation(len(unit))[:SAMPLED])
    return PromptSimilarity(
        counts=counts,
        total=sums @ sums.T - np.diag(own),
        pairs=np.outer(counts, counts) - np.diag(counts),
        thresholds=tuple(thresholds),
        above=above,
        within=within,
        between=between,
        distinct=mixing[:, 0],
        distinct_expected=mixing[:, 1],
        same=mixing[:, 2],
        same_expected=mixing[:, 3],
        vector_sum=sums.sum(axis=0),
        sample=vectors[drawn].astype(np.float32),
    )


def means_within(embeddings: npt.ArrayLike, group: npt.ArrayLike, n_groups: int) -> FloatArray:
    """Return the mean cosine of two different responses of each group.

    Parameters
    ----------
    embeddings : array_like, shape (n, d)
        One vector a response, of any length but zero.
    group : array_like of int, shape (n,)
        Group of each response, 0 to n_groups - 1.
    n_groups : int

    Returns
    -------
    ndarray, shape (n_groups,)
        NaN for a group with fewer than two responses.

    Raises
    ------
    ValueError
        As `prompt_similarity`.

    Notes
    -----
    (|M|^2 - sum |e_i|^2) / (m (m - 1)) with M the sum of a group's m unit vectors: no n x n matrix is made.
    """
    unit, codes = _checked(embeddings, group, n_groups)
    sums = np.zeros((n_groups, unit.shape[1]))
    np.add.at(sums, codes, unit)
    own = np.bincount(codes, np.einsum("id,id->i", unit, unit), minlength=n_groups)
    m = np.bincount(codes, minlength=n_groups)
    return _ratio(np.einsum("gd,gd->g", sums, sums) - own, m * (m - 1))


def source_codes(labels: Sequence[str], order: Sequence[str]) -> IntArray:
    """Return the place of each label in an order of sources.

    Parameters
    ----------
    labels : sequence of str, length n
    order : sequence of str
        Distinct names.

    Returns
    -------
    ndarray of int, shape (n,)

    Raises
    ------
    ValueError
        If a label is not in the order.
    """
    place = {name: code for code, name in enumerate(order)}
    missing = sorted({label for label in labels if label not in place})
    if missing:
        raise ValueError(f"No such source: {missing[0]!r}.")
    return np.array([place[label] for label in labels], dtype=np.int64)


def cosine_matrix(embeddings: npt.ArrayLike) -> FloatArray:
    """Return the cosine of every two vectors, exactly 1 on the diagonal.

    Parameters
    ----------
    embeddings : array_like, shape (n, d)

    Returns
    -------
    ndarray, shape (n, n)
        Between -1 and 1.

    Raises
    ------
    ValueError
        If a vector is zero or not finite.
    """
    unit = unit_vectors(np.asarray(embeddings, dtype=np.float64))
    cosines = np.clip(unit @ unit.T, -1.0, 1.0)
    np.fill_diagonal(cosines, 1.0)
    return np.asarray(cosines)


def _checked(embeddings: npt.ArrayLike, source: npt.ArrayLike, n_sources: int) -> tuple[FloatArray, IntArray]:
    """Return unit vectors and source codes, or say what does not fit."""
    vectors, codes = np.asarray(embeddings, dtype=np.float64), np.asarray(source, dtype=np.int64)
    if vectors.ndim != 2 or codes.shape != (vectors.shape[0],):
        raise ValueError(f"Need (n, d) embeddings and n sources, got {vectors.shape} and {codes.shape}.")
    if not np.isfinite(vectors).all():
        raise ValueError("Some embeddings hold NaN or infinity.")
    if codes.size and (codes.min() < 0 or codes.max() >= n_sources):
        raise ValueError(f"Sources must be between 0 and {n_sources - 1}.")
    return unit_vectors(vectors), codes


def _ratio(part: npt.NDArray[np.number], whole: npt.NDArray[np.number]) -> FloatArray:
    """Return part / whole, NaN where the whole is 0."""
    shape = np.broadcast_shapes(part.shape, whole.shape)
    return np.asarray(np.divide(part, whole, out=np.full(shape, np.nan), where=whole > 0))


Blocks = list[tuple[int, slice]]
"""Each source that has responses, and its rows."""


def _blocks(counts: IntArray) -> Blocks:
    """Return the rows of each source, when they lie together in the order of sources."""
    ends = np.cumsum(counts)
    return [(int(c), slice(int(ends[c] - counts[c]), int(ends[c]))) for c in np.flatnonzero(counts)]


def _above(
    cosines: npt.NDArray[np.float32], blocks: Blocks, n_sources: int, thresholds: Sequence[float]
) -> IntArray:
    """Return the number of ordered pairs above each threshold, shape (T, S, S), self-pairs left out."""
    counts = np.zeros((len(thresholds), n_sources, n_sources), dtype=np.int64)
    present = [code for code, _ in blocks]
    starts = [rows.start for _, rows in blocks]
    diagonal = np.diag(cosines)
    for place, threshold in enumerate(thresholds):
        level = np.float32(threshold)
        for code, rows in blocks:
            # Columns from the block on: the rest is the same pairs the other way round.
            high = np.count_nonzero(cosines[rows, rows.start :] > level, axis=0)
            later = present.index(code)
            n = np.add.reduceat(high, np.array(starts[later:]) - rows.start)
            n[0] -= np.count_nonzero(diagonal[rows] > level)
            counts[place, code, present[later:]] = n
            counts[place, present[later:], code] = n
    return counts


def _histograms(cosines: npt.NDArray[np.float32], blocks: Blocks) -> tuple[IntArray, IntArray]:
    """Return how many unordered pairs of one source, and of two, lie in each bin."""
    within, between = np.zeros(len(BINS) - 1, np.int64), np.zeros(len(BINS) - 1, np.int64)
    for _, rows in blocks:
        # Twice each pair, and each response with itself.
        within += _in_bins(cosines[rows, rows]) - _in_bins(np.diag(cosines)[rows])
        between += _in_bins(cosines[rows, rows.stop :])
    return within // 2, between


def _in_bins(cosines: npt.NDArray[np.float32]) -> IntArray:
    """Return how many of the cosines lie in each bin."""
    n_bins = len(BINS) - 1
    # Bins are equally wide; what is 1 but for rounding belongs to the last one.
    place = np.clip((cosines + 1) * np.float32(n_bins / 2), 0, n_bins - 1).astype(np.int64)
    return np.bincount(place.ravel(), minlength=n_bins)


def _mixing(
    cosines: npt.NDArray[np.float32], codes: IntArray, counts: IntArray, sizes: Sequence[int]
) -> FloatArray:
    """Return per size: distinct sources among the nearest, expected, share of the own source, expected."""
    n = len(codes)
    mixing = np.full((len(sizes), 4), np.nan)
    usable = [size for size in sizes if size < n - 1]
    if not usable:
        return mixing
    nearest = codes[_nearest(cosines, max(usable))]
    chance_same = float((counts * (counts - 1)).sum() / (n * (n - 1)))
    for place, size in enumerate(sizes):
        if size in usable:
            met = np.zeros((n, len(counts)), dtype=bool)
            np.put_along_axis(met, nearest[:, :size], True, axis=1)
            same = (nearest[:, :size] == codes[:, None]).mean()
            expected = _expected_distinct(counts, size)
            mixing[place] = met.sum(axis=1).mean(), expected, same, chance_same
    return mixing


AT_ONCE = 256
"""Rows that are looked through together: few enough to stay in the processor's cache."""


def _nearest(cosines: npt.NDArray[np.float32], most: int) -> IntArray:
    """Return the columns of each row's `most` largest cosines, the largest first, shape (n, most); never itself.

    Columns are dealt out to groups. `most` groups reach the `most`-th largest of the groups' maxima, so at least so
    many cosines do: only those that reach it, not many more, have to be sorted.
    """
    n = len(cosines)
    nearest = np.empty((n, most), dtype=np.int64)
    width = max(1, n // (4 * most))
    groups = n // width
    for low in range(0, n, AT_ONCE):
        part = cosines[low : low + AT_ONCE].copy()
        rows = np.arange(len(part))
        part[rows, low + rows] = -2.0
        top = part[:, : groups * width].reshape(len(part), width, groups).max(axis=1)
        enough = np.partition(top, groups - most, axis=1)[:, groups - most]
        row, column = np.nonzero(part >= enough[:, None])
        place = np.arange(len(row)) - np.searchsorted(row, rows)[row]
        # One line a row, filled up with what comes last.
        values = np.full((len(part), int(place.max()) + 1), np.inf, dtype=np.float32)
        columns = np.zeros(values.shape, dtype=np.int64)
        values[row, place], columns[row, place] = -part[row, column], column
        order = np.argsort(values, axis=1, kind="stable")[:, :most]
        nearest[low : low + AT_ONCE] = np.take_along_axis(columns, order, axis=1)
    return nearest


def _expected_distinct(counts: IntArray, size: int) -> float:
    """Return the expected number of distinct sources among `size` others drawn at random, over all responses."""
    n = int(counts.sum())
    everywhere = _met(counts, n - 1, size).sum()
    own = _met(counts - 1, n - 1, size) - _met(counts, n - 1, size)
    return float(everywhere + (own * counts).sum() / n)


def _met(members: IntArray, n: int, size: int) -> FloatArray:
    """Return the chance that `size` drawn from n hold at least one of m members: 1 - C(n - m, k) / C(n, k)."""
    m = np.maximum(members, 0).astype(np.float64)
    possible = n - m >= size
    others = np.where(possible, n - m, size)
    log = gammaln(others + 1) - gammaln(others - size + 1) - gammaln(n + 1) + gammaln(n - size + 1)
    return np.asarray(np.where(possible, 1 - np.exp(log), 1.0))
