"""Products of different annotators' ratings: of every pair of responses, and summed where the same people rated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from judging.stats.core.estimate import BoolArray, FloatArray, IntArray
from judging.stats.core.panel import slots


@dataclass(frozen=True, slots=True)
class RatedAlike:
    """Sums over the responses of a prompt that the same annotators rated, G such sets.

    Products of different annotators over pairs of such sets have one divisor, so that a prompt that its annotators
    rated whole needs no product of every pair of its responses.

    Parameters
    ----------
    sums, counts : ndarray, shape (P, G, J)
        Of ratings, and of who rated.
    first, size : ndarray of int, shape (P, G)
        One response of each set, and how many it has.
    """

    sums: FloatArray
    counts: FloatArray
    first: IntArray
    size: IntArray


def rated_alike(ratings: FloatArray, given: FloatArray) -> RatedAlike:
    """Return the sums over responses that the same annotators rated."""
    n_prompts, size, crowd = given.shape
    packed = np.packbits(given.astype(bool), axis=2)
    keyed = np.concatenate(
        [
            np.repeat(np.arange(n_prompts, dtype=">u4"), size).view(np.uint8).reshape(-1, 4),
            packed.reshape(n_prompts * size, -1),
        ],
        axis=1,
    )
    rows = np.ascontiguousarray(keyed).view(f"V{keyed.shape[1]}").ravel()
    _, first, code = np.unique(rows, return_index=True, return_inverse=True)
    # Sorted by prompt first, so codes run on from prompt to prompt.
    prompt = first // size
    slot = slots(prompt.astype(np.int64))
    width = int(slot.max()) + 1
    if width == size:
        each = np.broadcast_to(np.arange(size), (n_prompts, size))
        return RatedAlike(ratings, given, each, np.ones_like(each))
    at = (np.repeat(np.arange(n_prompts), size), slot[code])
    sums, counts = np.zeros((2, n_prompts, width, crowd))
    np.add.at(sums, at, ratings.reshape(-1, crowd))
    np.add.at(counts, at, given.reshape(-1, crowd))
    responses, sizes = np.zeros((2, n_prompts, width), dtype=np.int64)
    responses[prompt, slot], sizes[prompt, slot] = first % size, np.bincount(code)
    return RatedAlike(sums, counts, responses, sizes)


@dataclass(frozen=True, slots=True)
class AlikeVersions:
    """Versions of sets of responses that the same annotators rated.

    Parameters
    ----------
    n, total : ndarray, shape (P, V, G)
        Ratings of a set's responses, and their sum.
    stays : ndarray of bool, shape (P, V, G)
        Which count.
    same : tuple of ndarray, shape (P, V, G, G) each
        As of `same_annotator`, of the sets' sums.
    size : ndarray, shape (P, 1, G)
        How many responses each has.
    """

    n: FloatArray
    total: FloatArray
    stays: BoolArray
    same: tuple[FloatArray, FloatArray, FloatArray]
    size: IntArray

    def between(self, shift: FloatArray) -> FloatArray:
        """Return the sum of B of `cross_rater_moments` over all pairs of responses, shape (P, V)."""
        mean = mean_products(self.n, self.total, self.stays, self.same, shift)
        return np.asarray((self.size * (mean @ self.size[..., None])[..., 0]).sum(axis=2))


def same_annotator(
    ratings: FloatArray, given: FloatArray, away_y: FloatArray, away_r: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the sums over single annotators of y_ij y_i'j, y_ij r_i'j and r_ij r_i'j, shape (P, V, K, K) each."""
    flipped = given.transpose(0, 2, 1)
    both = (given @ flipped)[:, None] - _outer(away_r, away_r)
    product = (ratings @ ratings.transpose(0, 2, 1))[:, None] - _outer(away_y, away_y)
    half = (ratings @ flipped)[:, None] - _outer(away_y, away_r)
    return product, half, both


def different_annotators(
    ratings: FloatArray,
    given: FloatArray,
    away: tuple[FloatArray, FloatArray],
    stays: BoolArray,
    shift: FloatArray,
) -> FloatArray:
    """Return B of `cross_rater_moments` for versions of prompts, shape (P, V, K, K).

    Parameters
    ----------
    ratings, given : ndarray, shape (P, K, J)
        Ratings, 0 where there is none; and who rated what, 0 or 1.
    away : tuple of ndarray, shape (P, V, K) each
        Ratings that each version leaves out, 0 where there is none; and where there is one.
    stays : ndarray of bool, shape (P, V, K)
        Which responses count; products with others are 0.
    shift : ndarray, shape (P, V, 1)
        Taken from every rating first.

    Returns
    -------
    ndarray, shape (P, V, K, K)
    """
    n = given.sum(axis=2)[:, None] - away[1]
    total = ratings.sum(axis=2)[:, None] - away[0]
    return mean_products(n, total, stays, same_annotator(ratings, given, *away), shift)


def mean_products(
    n: FloatArray,
    total: FloatArray,
    stays: BoolArray,
    same: tuple[FloatArray, FloatArray, FloatArray],
    shift: FloatArray,
) -> FloatArray:
    """Return B, the mean product of two different annotators' ratings, for each version of each prompt."""
    product, half, both = same
    c = shift[..., None]
    # Centering the ratings by c turns sum_j y_ij y_i'j into this, without touching single ratings again.
    own = half + half.swapaxes(-1, -2)
    own *= -c
    own += product
    own += c * c * both
    centered = total - n * shift
    products = _outer(centered, centered)
    products -= own
    pairs = _outer(n, n)
    pairs -= both
    usable = (stays[..., :, None] & stays[..., None, :]) & (pairs > 0)
    return np.divide(products, pairs, out=np.zeros_like(pairs), where=usable)


def _outer(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the outer products over the last axis."""
    return np.asarray(a[..., :, None] * b[..., None, :])
