"""Does an annotator's choice between two responses go with the same annotator's ratings of them?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from judging.stats.core.estimate import (
    Estimate,
    check_confidence,
    resampled_ratio,
)

_NONE = "Nobody chose between two responses that the same person had rated differently."
_ONE = "No interval: only one annotator both chose and rated."


def choice_consistency(
    ratings: pd.DataFrame,
    choices: pd.DataFrame,
    *,
    resamples: int = 1000,
    rng: np.random.Generator | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Return the share of choices that name the response which the same annotator rated higher.

    Parameters
    ----------
    ratings : DataFrame
        Columns annotator_id, response_id, value: higher is better, NaN is missing. Several ratings of a response
        by an annotator count by their mean.
    choices : DataFrame
        Columns annotator_id, first, second (response ids), preference: above 0 the first, below 0 the second; 0
        and NaN are no choice and are left out.
    resamples : int
        Number of bootstrap resamples of the annotators.
    rng : numpy.random.Generator, optional
        Source of chance; a generator with seed 0 by default.
    confidence : float
        Level of the percentile interval.

    Returns
    -------
    Estimate
        A share between 0 and 1; 0.5 when choices have nothing to do with ratings. `n` is the number of choices
        between two responses that the annotator had rated, and differently. Undefined without one; without an
        interval when they are all of one annotator.

    Raises
    ------
    ValueError
        If a column or an id is missing, or a number is infinite.

    Notes
    -----
    Choices weigh the same; annotators are resampled with all their choices. Equal ratings say nothing about the
    choice and are left out, so the share is not comparable between a coarse and a fine scale.

    References
    ----------
    Thurstone (1927), Psychological Review 34:273-286, for choices and ratings as two readings of one scale.
    """
    check_confidence(confidence)
    _check(ratings, ("annotator_id", "response_id"), "value")
    _check(choices, ("annotator_id", "first", "second"), "preference")
    own = ratings.dropna(subset=["value"]).groupby(["annotator_id", "response_id"])["value"].mean()
    chosen = choices[choices["preference"].fillna(0) != 0]
    gaps = [
        own.reindex(pd.MultiIndex.from_frame(chosen[["annotator_id", side]])).to_numpy(dtype=np.float64)
        for side in ("first", "second")
    ]
    gap = gaps[0] - gaps[1]
    usable = np.isfinite(gap) & (gap != 0)
    sign = np.sign(chosen["preference"].to_numpy(dtype=np.float64))[usable]
    agrees = (sign == np.sign(gap[usable])).astype(np.float64)
    n = len(agrees)
    if n == 0:
        return Estimate.undefined(_NONE, 0, confidence)
    person = pd.factorize(chosen["annotator_id"].to_numpy()[usable], sort=True)[0]
    people, point = int(person.max()) + 1, float(agrees.mean())
    if people == 1:
        return Estimate(point, None, None, n, _ONE, confidence)
    sums = np.column_stack([np.bincount(person, agrees), np.bincount(person).astype(np.float64)])
    return resampled_ratio(sums, point, n, resamples, rng, confidence)


def _check(frame: pd.DataFrame, ids: tuple[str, ...], number: str) -> None:
    """Raise if a column or an id is missing or a number infinite."""
    missing = [name for name in (*ids, number) if name not in frame.columns]
    if missing:
        raise ValueError(f"The columns {', '.join(missing)} are missing.")
    if bool(frame[list(ids)].isna().any(axis=None)):
        raise ValueError(f"Some of {', '.join(ids)} are missing.")
    if np.isinf(frame[number].to_numpy(dtype=np.float64, na_value=np.nan)).any():
        raise ValueError(f"Some of {number} are infinite.")
