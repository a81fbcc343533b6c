"""A curve through what goes together within prompts: smooth, and with few terms."""

from __future__ import annotations

import numpy as np

from judging.stats.core.estimate import FloatArray, IntArray
from judging.stats.core.sample import centered

DEGREE = 3
"""Of the curve."""


def curve_terms(values: FloatArray, prompt: IntArray) -> FloatArray:
    """Return an orthonormal basis of the powers of some values, centered within prompts.

    Parameters
    ----------
    values : ndarray, shape (n,)
        What the curve is of, in any unit; they vary within prompts.
    prompt : ndarray of int, shape (n,)
        Prompt of each.

    Returns
    -------
    ndarray, shape (n, terms)
        B, with B'B = 1: B B'y is the least-squares curve of centered numbers y. At most `DEGREE` terms, fewer
        where few different values leave higher powers nothing of their own.
    """
    unit = (values - values.mean()) / values.std()
    powers = np.column_stack([centered(unit**k, prompt) for k in range(1, DEGREE + 1)])
    basis, size, _ = np.linalg.svd(powers / np.sqrt((powers**2).sum(axis=0)), full_matrices=False)
    return np.asarray(basis[:, size > 1e-6])
