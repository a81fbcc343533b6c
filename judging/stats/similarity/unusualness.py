"""How far a response lies from the others to the same prompt."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse, stats
from scipy.cluster.hierarchy import fcluster, linkage

from judging.stats.core.estimate import FloatArray, IntArray


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
    unit, code = _checked(embeddings, prompt)
    if code.size == 0:
        return np.empty(0)
    rows = np.arange(code.size)
    members = sparse.csr_array((np.ones(code.size), (code, rows)), shape=(int(code.max()) + 1, code.size))
    total = np.asarray(members @ unit)[code]
    others = np.bincount(code)[code] - 1
    to_others = np.einsum("id,id->i", unit, total) - np.einsum("id,id->i", unit, unit)
    mean = np.divide(to_others, others, out=np.full(code.size, np.nan), where=others > 0)
    return np.asarray(np.clip(1 - mean, 0.0, 2.0))


def cluster_unusualness(
    embeddings: npt.ArrayLike, prompt: npt.ArrayLike, *, alike: float = 0.25
) -> FloatArray:
    """Return minus the logarithm of the share of its prompt's pool that falls into a response's cluster.

    Parameters
    ----------
    embeddings, prompt
        As for `unusualness`.
    alike : float
        Share of the pairs of a prompt, on average over prompts, that are close enough to join.

    Returns
    -------
    ndarray, shape (n,)
        In nats, from 0 (the whole pool says the same) to log K (alone among K). NaN for the only response of a
        prompt.

    Raises
    ------
    ValueError
        As `unusualness`, or if `alike` is not between 0 and 1.

    Notes
    -----
    u_i = -log(size of i's cluster / K). Clusters: average linkage on 1 - cosine within the prompt, cut at one
    distance for the whole study, the mean over prompts of the `alike` quantile of their pairs' distances. One
    distance for all, so that a prompt to which everybody says the same has few clusters. Memory and time
    grow with the square of the largest pool.

    References
    ----------
    Sokal and Michener (1958), University of Kansas Science Bulletin 38:1409, for average linkage.
    """
    if not 0 < alike < 1:
        raise ValueError(f"alike must be between 0 and 1, got {alike}.")
    unit, code = _checked(embeddings, prompt)
    result = np.full(code.size, np.nan)
    pools = [rows for rows in _pools(code) if len(rows) > 1]
    if not pools:
        return result
    cut = float(np.mean([np.quantile(_distances(unit[rows]), alike) for rows in pools]))
    for rows in pools:
        cluster = fcluster(linkage(_distances(unit[rows]), "average"), cut, "distance")
        result[rows] = -np.log(np.bincount(cluster)[cluster] / len(rows))
    return np.asarray(np.abs(result))


def neighbor_unusualness(
    embeddings: npt.ArrayLike, prompt: npt.ArrayLike, *, neighbors: int = 5
) -> FloatArray:
    """Return the rank, within its prompt, of a response's distance to its nearest neighbors.

    Parameters
    ----------
    embeddings, prompt
        As for `unusualness`.
    neighbors : int
        How many nearest responses count; all others where there are fewer.

    Returns
    -------
    ndarray, shape (n,)
        Between 0 (in the densest company) and 1 (the loneliest). NaN for the only response of a prompt.

    Raises
    ------
    ValueError
        As `unusualness`, or if `neighbors` is less than one.

    Notes
    -----
    d_i is the mean of 1 - cosine to the k nearest responses of the prompt; u_i = (rank of d_i - 1/2) / K, ties
    at their middle rank. Nearest neighbors see a small group apart as usual company, which the mean
    over the pool does not; ranks free it of the embedder's scale.

    References
    ----------
    Ramaswamy, Rastogi and Shim (2000), SIGMOD Record 29(2):427, for ranking by distance to the k-th neighbor.
    """
    if neighbors < 1:
        raise ValueError(f"neighbors must be at least 1, got {neighbors}.")
    unit, code = _checked(embeddings, prompt)
    result = np.full(code.size, np.nan)
    for rows in _pools(code):
        if len(rows) > 1:
            result[rows] = _density_rank(unit[rows], min(neighbors, len(rows) - 1))
    return result


def perceived_unusualness(pairs: pd.DataFrame) -> pd.Series:
    """Return how unlike the others people find each response, from similarity answers to pairs.

    Parameters
    ----------
    pairs : DataFrame
        Columns response_id, other_id, value: one row an answer, higher is more alike; NaN is missing.

    Returns
    -------
    Series
        Minus the mean similarity to the responses it was paired with, by response_id, in points of the
        scale; every pair counts once, however many judged it. Only responses that some answer is about.

    Raises
    ------
    ValueError
        If a column or an id is missing, a response is paired with itself, or a value is infinite.

    Notes
    -----
    u_i = -(1 / J_i) sum_j s_ij with s_ij the mean answer to the pair and J_i the number of its pairs. It depends on
    which partners a response had: pairs made at random keep that fair.
    """
    table = _given(pairs, ["response_id", "other_id"], "pairs")
    if bool((table["response_id"] == table["other_id"]).any()):
        raise ValueError("A response is paired with itself.")
    turned = table.rename(columns={"response_id": "other_id", "other_id": "response_id"})
    both = pd.concat([table, turned]).groupby(["response_id", "other_id"])["value"].mean()
    return -both.groupby("response_id").mean().rename("unusualness")


def rated_unusualness(ratings: pd.DataFrame) -> pd.Series:
    """Return how original people find each response: the mean of its ratings, severity taken out.

    Parameters
    ----------
    ratings : DataFrame
        Columns response_id, annotator_id, value: one row a rating, higher is more original; NaN is missing.

    Returns
    -------
    Series
        By response_id, in points of the scale, about the mean of all ratings.

    Raises
    ------
    ValueError
        If a column or an id is missing or a value is infinite.

    Notes
    -----
    u_i is the mean over annotators j of y_ij - (mean of j's ratings - mean of all). With one assignment for all
    responses this is the plain mean; where assignments differ, severe annotators pull nobody down.
    """
    table = _given(ratings, ["response_id", "annotator_id"], "ratings")
    value = table["value"]
    severity = value.groupby(table["annotator_id"]).transform("mean") - value.mean()
    return (value - severity).groupby(table["response_id"]).mean().rename("unusualness")


def _given(frame: pd.DataFrame, ids: list[str], name: str) -> pd.DataFrame:
    """Return ids and values that are not missing; refuse missing ids and infinite values."""
    lacking = [column for column in [*ids, "value"] if column not in frame.columns]
    if lacking:
        raise ValueError(f"{name} lacks the column(s) {', '.join(lacking)}.")
    if bool(frame[ids].isna().any(axis=None)):
        raise ValueError(f"{name} has a missing id.")
    table = frame[[*ids, "value"]].dropna(subset=["value"]).astype({"value": np.float64})
    if np.isinf(table["value"].to_numpy()).any():
        raise ValueError("value holds an infinite number.")
    return table


def _checked(embeddings: npt.ArrayLike, prompt: npt.ArrayLike) -> tuple[FloatArray, IntArray]:
    """Return unit vectors and the prompts as codes."""
    vectors = np.asarray(embeddings, dtype=np.float64)
    labels = np.asarray(prompt)
    if vectors.ndim != 2 or labels.shape != (vectors.shape[0],):
        raise ValueError(f"Need (n, d) embeddings and n labels, got {vectors.shape} and {labels.shape}.")
    if not np.isfinite(vectors).all():
        raise ValueError("Some embeddings hold NaN or infinity.")
    if pd.isna(labels).any():
        raise ValueError("Some prompt labels are missing.")
    return unit_vectors(vectors), pd.factorize(labels, sort=True)[0].astype(np.int64)


def _pools(code: IntArray) -> list[IntArray]:
    """Return the rows of each prompt."""
    order = np.argsort(code, kind="stable")
    return [rows for rows in np.split(order, np.cumsum(np.bincount(code))[:-1]) if len(rows)]


def _distances(unit: FloatArray) -> FloatArray:
    """Return 1 - cosine of all pairs in scipy's condensed order."""
    cosine = unit @ unit.T
    return np.asarray(np.clip(1 - cosine[np.triu_indices(len(unit), 1)], 0.0, 2.0))


def _density_rank(unit: FloatArray, k: int) -> FloatArray:
    """Return the scaled rank of the mean distance to the k nearest of one pool."""
    distance = np.clip(1 - unit @ unit.T, 0.0, 2.0)
    np.fill_diagonal(distance, np.inf)
    nearest = np.partition(distance, k - 1, axis=1)[:, :k].mean(axis=1)
    # Equal texts differ in the last digits of their products; that is no difference in rank.
    return np.asarray((stats.rankdata(nearest.round(12)) - 0.5) / len(unit))


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
