"""How alike two texts are by their words and lengths alone: what an embedding should know more than."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from judging.stats.estimate import FloatArray
from judging.stats.overlap import words_of


def token_jaccard(first: Sequence[str], second: Sequence[str]) -> FloatArray:
    """Return the share of different words of two texts that both have.

    Parameters
    ----------
    first, second : sequence of str, length n
        The texts of each pair.

    Returns
    -------
    ndarray, shape (n,)
        Between 0 and 1. NaN where neither text has a word.

    Raises
    ------
    ValueError
        If lengths differ.

    Notes
    -----
    |A and B| / |A or B| of the sets of words, case and punctuation aside.

    References
    ----------
    Jaccard (1912), New Phytologist 11:37-50.
    """
    words = [[set(words_of(text)) for text in texts] for texts in (first, second)]
    shares = [len(a & b) / len(a | b) if a | b else np.nan for a, b in zip(*words, strict=True)]
    return np.array(shares, dtype=np.float64)


def length_ratio(first: Sequence[str], second: Sequence[str]) -> FloatArray:
    """Return how far two texts differ in length.

    Parameters
    ----------
    first, second : sequence of str, length n
        The texts of each pair.

    Returns
    -------
    ndarray, shape (n,)
        Length of the shorter over that of the longer, in characters and one more each: 1 for equal lengths.

    Raises
    ------
    ValueError
        If lengths differ.

    Notes
    -----
    (min + 1) / (max + 1), so that empty texts have a ratio too.
    """
    lengths = [(len(a) + 1, len(b) + 1) for a, b in zip(first, second, strict=True)]
    return np.array([min(pair) / max(pair) for pair in lengths], dtype=np.float64)
