"""Ranks and correlations of items that count several times, many resamples at once."""

from __future__ import annotations

import numpy as np

from judging.stats.core.estimate import FloatArray, IntArray

_TINY = 1e-12


def weighted_ranks(values: FloatArray, weights: FloatArray, group: IntArray | None = None) -> FloatArray:
    """Return mid-ranks within groups, an item of weight w standing for w copies of it.

    Parameters
    ----------
    values : ndarray, shape (R, n) or (1, n)
        One row a resample; equal values share their mean rank.
    weights : ndarray, shape (R, n)
        How often each item counts; not negative.
    group : ndarray of int, shape (n,), optional
        Items are ranked among those of their group.

    Returns
    -------
    ndarray, shape (R, n)
        Up to a constant of each group; what an item of weight 0 gets means nothing.

    Notes
    -----
    Half the weight of equal values plus the weight of smaller ones.
    """
    groups = np.zeros(values.shape[1], dtype=np.int64) if group is None else group
    order = np.lexsort((values, np.broadcast_to(groups, values.shape)))
    value, owner = np.take_along_axis(values, order, axis=1), groups[order]
    order = np.broadcast_to(order, weights.shape)
    weight = np.take_along_axis(weights, order, axis=1)
    first = np.ones((value.shape[0], 1), dtype=bool)
    another = np.hstack([first, owner[:, 1:] != owner[:, :-1]])
    new = another | np.hstack([first, value[:, 1:] != value[:, :-1]])
    until = np.cumsum(weight, axis=1)
    before = until - weight
    # Sums of weights never fall, so the last start and the next end are running extremes.
    start = np.maximum.accumulate(np.where(new, before, 0.0), axis=1)
    last = np.hstack([new[:, 1:], first])
    end = np.minimum.accumulate(np.where(last, until, np.inf)[:, ::-1], axis=1)[:, ::-1]
    origin = np.maximum.accumulate(np.where(another, before, 0.0), axis=1)
    ranks = np.empty(weights.shape)
    np.put_along_axis(ranks, order, (start + end) / 2 - origin, axis=1)
    return ranks


def weighted_correlation(x: FloatArray, y: FloatArray, weights: FloatArray) -> FloatArray:
    """Return Pearson's correlation of each row, NaN without variation.

    Parameters
    ----------
    x, y : ndarray, shape (R, n)
        Two numbers of each item.
    weights : ndarray, shape (R, n)
        How often each item counts.

    Returns
    -------
    ndarray, shape (R,)
        Between -1 and 1.

    Notes
    -----
    Sums weighted by how often each item counts.
    """
    return weighted_correlations(np.stack(np.broadcast_arrays(x, y), axis=-1), weights)[:, 0, 1]


def weighted_correlations(columns: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the correlation matrix of several numbers of each item for each row, NaN without variation.

    Parameters
    ----------
    columns : ndarray, shape (R, n, K)
        K numbers of each item.
    weights : ndarray, shape (R, n)
        How often each item counts.

    Returns
    -------
    ndarray, shape (R, K, K)
        Ones on the diagonal where defined.

    Notes
    -----
    Sums weighted by how often each item counts.
    """
    total = np.maximum(weights.sum(axis=1), _TINY)[:, None, None]
    mean = np.einsum("rn,rnk->rk", weights, columns)[:, None] / total
    away = columns - mean
    products = np.einsum("rnk,rnl->rkl", away * weights[:, :, None], away, optimize=True)
    square = np.einsum("rkk->rk", products)
    level = np.einsum("rn,rnk->rk", weights, columns**2) + total[:, 0]
    spread = np.where(square > _TINY * level, square, np.nan)
    correlations = products / np.sqrt(spread[:, :, None] * spread[:, None, :])
    return np.asarray(np.clip(correlations, -1, 1))


def partial_correlations(matrices: FloatArray) -> FloatArray:
    """Return the correlation of the first two of several numbers, given the rest, for each matrix.

    Parameters
    ----------
    matrices : ndarray, shape (R, K, K)
        Correlation matrices.

    Returns
    -------
    ndarray, shape (R,)
        Between -1 and 1; NaN where the matrix is undefined or singular.

    Notes
    -----
    -P_12 / sqrt(P_11 P_22) with P the inverse matrix.
    """
    usable = np.asarray(np.isfinite(matrices).all(axis=(1, 2)))
    safe = np.where(usable[:, None, None], matrices, np.eye(matrices.shape[1]))
    usable &= np.linalg.cond(safe) < 1e10
    safe = np.where(usable[:, None, None], safe, np.eye(matrices.shape[1]))
    inverse = np.linalg.inv(safe)
    correlations = -inverse[:, 0, 1] / np.sqrt(inverse[:, 0, 0] * inverse[:, 1, 1])
    return np.asarray(np.where(usable, np.clip(correlations, -1, 1), np.nan))
