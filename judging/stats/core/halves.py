"""Halves of the annotators: whole people on one side or the other."""

from __future__ import annotations

import itertools
import math

import numpy as np

from judging.stats.core.estimate import FloatArray


def annotator_halves(n: int, splits: int, rng: np.random.Generator) -> FloatArray:
    """Return splits of annotators in halves: all distinct ones if they are few, else random ones.

    Parameters
    ----------
    n : int
        Number of annotators.
    splits : int
        Number of splits; no more than all distinct ones are returned.
    rng : numpy.random.Generator
        Source of chance, which all splits do without.

    Returns
    -------
    ndarray, shape (splits, n)
        1 for the first half, of n // 2 annotators, 0 for the other.
    """
    size = n // 2
    even = n % 2 == 0
    distinct = math.comb(n, size) // (2 if even else 1)
    if distinct <= splits:
        chosen = [c for c in itertools.combinations(range(n), size) if not even or c[0] == 0]
        members = np.array(chosen, dtype=np.int64)
    else:
        members = np.argsort(rng.random((splits, n)), axis=1)[:, :size]
    halves = np.zeros((len(members), n))
    np.put_along_axis(halves, members, 1.0, axis=1)
    return halves
