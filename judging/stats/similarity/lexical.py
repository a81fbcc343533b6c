"""How alike texts are by their words and lengths alone: what an embedding should know more than."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from judging.stats.core.estimate import FloatArray
from judging.stats.similarity.overlap import words_of


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
        If lengths differ, or a single text is given for a list of them.

    Notes
    -----
    |A and B| / |A or B| of the sets of words, case and punctuation aside.

    References
    ----------
    Jaccard (1912), New Phytologist 11:37-50.
    """
    _check_lists(first, second)
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
        If lengths differ, or a single text is given for a list of them.

    Notes
    -----
    (min + 1) / (max + 1), so that empty texts have a ratio too.
    """
    _check_lists(first, second)
    lengths = [(len(a) + 1, len(b) + 1) for a, b in zip(first, second, strict=True)]
    return np.array([min(pair) / max(pair) for pair in lengths], dtype=np.float64)


def lexical_unusualness(texts: Sequence[str], prompt: npt.ArrayLike) -> FloatArray:
    """Return 1 minus the mean tf-idf cosine of each response to the other responses of its prompt.

    Parameters
    ----------
    texts : sequence of str, length n
        The responses.
    prompt : array_like, shape (n,)
        Label of the prompt each response answers.

    Returns
    -------
    ndarray, shape (n,)
        Between 0 (all use the same words) and 1 (no word in common); no unit. NaN for the only response of a
        prompt. A response without a word is at 1 from all others.

    Raises
    ------
    ValueError
        If there is not one label a text, a label is missing, or a single text is given for a list of them.

    Notes
    -----
    Words are runs of two letters or digits or more, in lower case; weights are tf · idf with idf =
    ln((1 + K) / (1 + df)) + 1 over the K responses of the prompt. No model is needed and no language assumed,
    so it is the baseline beside what an embedder says; it takes a paraphrase for something new.

    References
    ----------
    Salton and Buckley (1988), Information Processing and Management 24:513-523; scikit-learn's TfidfVectorizer.
    """
    _check_lists(texts)
    labels = np.asarray(prompt)
    if labels.shape != (len(texts),):
        raise ValueError(f"Need one label a text, got {labels.shape} for {len(texts)} texts.")
    if pd.isna(labels).any():
        raise ValueError("Some prompt labels are missing.")
    values = np.full(len(texts), np.nan)
    for rows in pd.Series(range(len(texts))).groupby(labels).indices.values():
        if len(rows) > 1:
            values[rows] = _within([texts[i] for i in rows])
    return values


def _check_lists(*lists: Sequence[str]) -> None:
    """Raise if a text is given for a list of texts: its letters would be compared."""
    if any(isinstance(texts, str) for texts in lists):
        raise ValueError("Give a list of texts, not one text.")


def _within(texts: list[str]) -> FloatArray:
    """Return the numbers of one prompt's responses."""
    # Half a second, which most that use judging.stats need not wait.
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer()
    tokens = words.build_analyzer()
    if not any(tokens(text) for text in texts):
        return np.ones(len(texts))
    weights = words.fit_transform(texts)
    total = np.asarray(weights.sum(axis=0)).ravel()
    own = np.asarray(weights.multiply(weights).sum(axis=1)).ravel()
    return np.asarray(np.clip(1 - (weights @ total - own) / (len(texts) - 1), 0.0, 1.0))
