"""Many tests at once: the false discovery rate."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

from judging.stats.core.estimate import FloatArray


def benjamini_hochberg(p: npt.ArrayLike) -> FloatArray:
    """Return p values adjusted for the false discovery rate.

    Parameters
    ----------
    p : array_like, shape (n,)
        P values; NaN marks a test that could not be made.

    Returns
    -------
    ndarray, shape (n,)
        Adjusted p values; a test is a discovery at rate q when its adjusted p is at most q. NaN stays NaN and
        does not count among the tests.

    Raises
    ------
    ValueError
        If `p` does not have one dimension or holds numbers outside 0 to 1.

    Notes
    -----
    The i-th smallest of m becomes the least of m p_(k) / k over k >= i, at most 1. Valid for independent and
    for positively dependent tests, as those of scorers against the same people are.

    References
    ----------
    Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57:289-300.
    """
    values = np.asarray(p, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(f"p must have one dimension, got {values.ndim}.")
    known = ~np.isnan(values)
    if ((values[known] < 0) | (values[known] > 1)).any():
        raise ValueError("P values must be between 0 and 1.")
    adjusted = np.full(len(values), np.nan)
    if known.any():
        adjusted[known] = stats.false_discovery_control(values[known], method="bh")
    return adjusted
