"""How far a response lies from the others to the same prompt."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from judging.stats.estimate import FloatArray


def unusualness(embeddings: npt.ArrayLike, prompt: npt.ArrayLike) -> FloatArray:
    """Return 1 minus the mean cosine of each response to the other responses of its prompt.

    Parameters
    ----------
    embeddings : array_like, shape (n, d)
        One vector a response; any length but zero.
    prompt : array_like, shape (n,)
        Label of the prompt each response answers.

    Returns
    -------
    ndarray, shape (n,)
        Between 0 (all say the same) and 2; no unit. NaN for the only response of a prompt: there is nothing
        to compare it with, and the caller must leave it out.

    Raises
    ------
    ValueError
        If shapes do not fit, a label is missing, or a vector is zero or not finite.

    Notes
    -----
    With unit vectors e_i and their sum s over the K responses of the prompt,
    u_i = 1 - (e_i . s - e_i . e_i) / (K - 1): the mean over the off-diagonal of the cosine matrix in O(n d).
    The self-pair is left out, so u does not shrink in small pools.
    """
    vectors = np.asarray(embeddings, dtype=np.float64)
    labels = np.asarray(prompt)
    if vectors.ndim != 2 or labels.shape != (vectors.shape[0],):
        raise ValueError(f"Need (n, d) embeddings and n labels, got {vectors.shape} and {labels.shape}.")
    if not np.isfinite(vectors).all():
        raise ValueError("Some embeddings hold NaN or infinity.")
    if pd.isna(labels).any():
        raise ValueError("Some prompt labels are missing.")
    if labels.size == 0:
        return np.empty(0)
    unit = unit_vectors(vectors)
    code = pd.factorize(labels)[0]
    rows = np.arange(labels.size)
    members = sparse.csr_array((np.ones(labels.size), (code, rows)), shape=(int(code.max()) + 1, labels.size))
    total = np.asarray(members @ unit)[code]
    others = np.bincount(code)[code] - 1
    to_others = np.einsum("id,id->i", unit, total) - np.einsum("id,id->i", unit, unit)
    mean = np.divide(to_others, others, out=np.full(labels.size, np.nan), where=others > 0)
    return np.asarray(np.clip(1 - mean, 0.0, 2.0))


def unit_vectors(vectors: FloatArray) -> FloatArray:
    """Return the vectors scaled to length 1.

    Parameters
    ----------
    vectors : ndarray, shape (n, d)
        Finite.

    Returns
    -------
    ndarray, shape (n, d)

    Raises
    ------
    ValueError
        If a vector is zero.
    """
    largest = np.abs(vectors).max(axis=1, keepdims=True, initial=0.0)
    if (largest == 0).any():
        row = int(np.flatnonzero(largest[:, 0] == 0)[0])
        raise ValueError(f"Embedding {row} is the zero vector, which has no direction.")
    # Dividing by the largest entry first keeps the squares from overflowing or vanishing.
    scaled = vectors / largest
    return np.asarray(scaled / np.linalg.norm(scaled, axis=1, keepdims=True))
