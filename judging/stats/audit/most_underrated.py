"""Single responses to read: where a scorer lies furthest below people."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from judging.stats.audit.moments import cross_rater_moments
from judging.stats.core.columns import NOISE, TINY
from judging.stats.core.estimate import FloatArray
from judging.stats.core.panel import Panel
from judging.stats.core.sample import Sample, centered, sample_of, why_undefined


def most_underrated(ratings: pd.DataFrame, responses: pd.DataFrame, n: int = 10) -> pd.DataFrame:
    """Return the unusual responses whose score lies furthest below what their human quality suggests.

    These are illustrations to read, not tests: a single response has few ratings, and whoever stands at
    the top of a list of residuals stands there partly by chance. The finding is the slope of
    `underrating`.

    Parameters
    ----------
    ratings : DataFrame
        As for `underrating`.
    responses : DataFrame
        Columns prompt_id, response_id, score, unusualness.
    n : int
        Number of responses wanted.

    Returns
    -------
    DataFrame
        At most `n` rows, largest gap first, with columns response_id, prompt_id, human_mean (rating units),
        n_ratings, score (its own units), unusualness, gap (SDs of the residual). Empty when the human
        means hold no reliable quality to compare with.

    Raises
    ------
    ValueError
        As `underrating`, or if `n` is negative.

    Notes
    -----
    With q_i the human mean centered within prompt and v_q, v_e the cross-rater variances of true quality
    and of one rating's error, shrunken quality is s_i = q_i v_q / (v_q + v_e / n_i) (Kelley). The score
    m, centered within prompt, is regressed on s, the slope b never below 0; gap = (b s - m) / SD(b s -
    m), with SD pooled within prompts. Listed are responses with gap > 0 and unusualness at or above their
    prompt's median.

    References
    ----------
    Kelley (1947), Fundamentals of Statistics, for the shrunken mean.
    """
    if n < 0:
        raise ValueError(f"n must not be negative, got {n}.")
    table = score_gaps(ratings, responses)
    middle = table.groupby("prompt_id")["unusualness"].transform("median")
    listed = table[(table["unusualness"] >= middle) & (table["gap"] > 0)]
    return listed.sort_values(["gap", "response_id"], ascending=[False, True]).head(n).reset_index(drop=True)


def score_gaps(ratings: pd.DataFrame, responses: pd.DataFrame) -> pd.DataFrame:
    """Return, for every response, how far its score lies below what its human quality suggests.

    Parameters
    ----------
    ratings, responses : DataFrame
        As for `most_underrated`.

    Returns
    -------
    DataFrame
        Columns as of `most_underrated`, one row a response with a score and two ratings: gap is negative where
        the score lies above. Empty when the human means hold no reliable quality to compare with.

    Raises
    ------
    ValueError
        As `underrating`.

    Notes
    -----
    As in `most_underrated`. A residual, not a verdict on the response.
    """
    sample = sample_of(ratings, responses, ())
    table = _described(sample, responses)
    if table.empty or why_undefined(sample):
        return table.iloc[:0]
    panel = sample.panel
    counts = table["n_ratings"].to_numpy(dtype=np.float64)
    quality = centered(table["human_mean"].to_numpy(dtype=np.float64), panel.prompt)
    score = centered(panel.columns[:, -1], panel.prompt)
    shrunken = _shrunken(quality, counts, panel)
    if shrunken is None or not (shrunken**2).sum() > 0:
        return table.iloc[:0]
    slope = max(0.0, float(shrunken @ score / (shrunken @ shrunken)))
    residual = centered(slope * shrunken - score, panel.prompt)
    spread = math.sqrt(float((residual**2).sum()) / (len(score) - panel.n_prompts))
    if spread <= NOISE * float(np.abs(panel.columns[:, -1]).max()):
        return table.iloc[:0]
    return table.assign(gap=residual / spread)


def _described(sample: Sample, responses: pd.DataFrame) -> pd.DataFrame:
    """Return the analyzed responses with their human mean and number of ratings, gap still missing."""
    panel, kept = sample.panel, sample.kept
    counts = np.bincount(panel.response, minlength=len(kept))
    sums = np.bincount(panel.response, panel.value, minlength=len(kept))
    return pd.DataFrame(
        {
            "response_id": responses["response_id"].to_numpy()[kept],
            "prompt_id": responses["prompt_id"].to_numpy()[kept],
            "human_mean": sums / np.maximum(counts, 1),
            "n_ratings": counts,
            "score": panel.columns[:, -1],
            "unusualness": panel.columns[:, 0],
            "gap": np.zeros(len(kept)),
        }
    )


def _shrunken(quality: FloatArray, counts: FloatArray, panel: Panel) -> FloatArray | None:
    """Return Kelley's shrunken quality of each response, or None when no true quality shows."""
    moments = cross_rater_moments(panel)
    true, observed = float(moments.total[0, 0]), float(moments.mean_square.sum())
    if true <= TINY * observed or observed == 0:
        return None
    sizes = np.bincount(panel.prompt)[panel.prompt]
    of_quality = true / (len(quality) - panel.n_prompts)
    of_error = max(0.0, (observed - true) / float(((1 - 1 / sizes) / counts).sum()))
    return np.asarray(quality * of_quality / (of_quality + of_error / counts))
