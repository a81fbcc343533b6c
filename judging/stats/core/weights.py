"""How much agreement there is in two different values: Gwet's weights."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from judging.stats.core.counts import Domain, checked_domain
from judging.stats.core.estimate import FloatArray

Weighting = Literal["identity", "ordinal", "linear", "quadratic"]


def agreement_weights(domain: Domain, weights: Weighting) -> FloatArray:
    """Return the weight of agreement of each pair of values.

    Parameters
    ----------
    domain : sequence, length V
        Admissible values, strictly increasing; numbers unless `weights` is identity.
    weights : {"identity", "ordinal", "linear", "quadratic"}
        Identity: 1 for equal values, else 0. Ordinal: by ranks. Linear and quadratic: by the distance of the
        values.

    Returns
    -------
    ndarray, shape (V, V)
        Symmetric, 1 on the diagonal, 0 for the farthest pair.

    Raises
    ------
    ValueError
        If the domain is not increasing, holds words where numbers are needed, or the weighting is unknown.

    Notes
    -----
    Linear: 1 - |a - b| / (max - min). Quadratic: 1 - (a - b)^2 / (max - min)^2. Ordinal, with ranks k and l:
    1 - M(k, l) / M(1, V), M(k, l) = (|k - l| + 1) |k - l| / 2, the number of pairs of ranks from k to l.

    References
    ----------
    Gwet (2014), Handbook of Inter-Rater Reliability, 4th edition, chapter 3. Linear weights are those of
    Cicchetti and Allison (1971), quadratic ones of Fleiss and Cohen (1973).
    """
    if weights not in get_args(Weighting):
        raise ValueError(f"Unknown weights {weights!r}; use one of {', '.join(get_args(Weighting))}.")
    values = checked_domain(domain).to_numpy()
    size = len(values)
    if weights == "identity" or size == 1:
        return np.eye(size)
    if values.dtype.kind not in "iuf":
        raise ValueError(f"Weights {weights} need a domain of numbers.")
    position = np.arange(size) if weights == "ordinal" else values
    gap = np.abs(np.subtract.outer(position, position).astype(np.float64))
    if weights == "ordinal":
        gap = gap * (gap + 1) / 2
    elif weights == "quadratic":
        gap = gap**2
    return np.asarray(1.0 - gap / gap.max())
