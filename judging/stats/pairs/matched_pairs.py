"""Equally good responses of which one is more unusual: which of them a scorer prefers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from judging.stats.audit.quality import Calibration, calibrated, two_way_estimates
from judging.stats.core.estimate import BoolArray, Estimate, FloatArray, IntArray, as_share
from judging.stats.core.over_prompts import ratio, ratio_over_prompts
from judging.stats.core.sample import centered

TOLERANCE, DISTANCE = 0.1, 0.5


@dataclass(frozen=True, slots=True)
class MatchedPairs:
    """What `matched_pairs` found.

    Parameters
    ----------
    usual_preferred : Estimate
        Share of matched pairs in which the scorer puts the more usual response above (equal scores count
        half); .5 for a fair scorer. `n` counts pairs.
    p : float or None
        Of one half, two-sided.
    held_out_gap : Estimate
        Quality of the usual less that of the unusual response by annotators who had no part in the matching,
        in SDs of true quality: 0 when the pairs are equal. Interval over prompts.
    naive_usual_preferred, naive_held_out_gap : Estimate
        The same matched on the human mean alone, which misleads. Intervals over prompts.
    distance : float or None
        Mean difference in unusualness of matched pairs, in SDs.
    n_pairs, n_prompts, n_annotators : int
        Pairs, prompts with one, and annotators.
    strength : float or None
        Identification strength.
    reason : str or None
        Why nothing is said, or None.
    """

    usual_preferred: Estimate
    p: float | None
    held_out_gap: Estimate
    naive_usual_preferred: Estimate
    naive_held_out_gap: Estimate
    distance: float | None
    n_pairs: int
    n_prompts: int
    n_annotators: int
    strength: float | None
    reason: str | None = None


def matched_pairs(
    ratings: pd.DataFrame,
    responses: pd.DataFrame,
    *,
    covariates: Sequence[str] = ("log_length",),
    tolerance: float = TOLERANCE,
    distance: float = DISTANCE,
    splits: int = 20,
    rng: np.random.Generator | None = None,
    confidence: float = 0.95,
) -> MatchedPairs:
    """Return how often a scorer prefers the usual one of two equally good responses to a prompt.

    Parameters
    ----------
    ratings, responses, covariates
        As for `underrating`. What covariates account for is taken from the score before it is compared.
    tolerance : float
        Pairs differ in calibrated quality by at most this, in SDs of true quality.
    distance : float
        And in unusualness by at least this, in SDs.
    splits : int
        Random halves of the annotators for the held-out check.
    rng : numpy.random.Generator, optional
        Source of chance; a generator with seed 0 by default.
    confidence : float
        Level of the intervals.

    Returns
    -------
    MatchedPairs
        With undefined estimates and a reason when quality is not identified (strength below 3.2) or no pair
        matches.

    Raises
    ------
    ValueError
        As `underrating`, or if a distance is not positive.

    Notes
    -----
    Matching is on E[q | human mean, unusualness] of `calibrated`. Matching on the human mean alone pairs responses
    that are not equally good: in the project's simulation the unusual one of "equal" pairs was .26 SD worse. The
    held-out check shows it: whole annotators are split in halves, pairs matched on one half (covariance with
    unusualness from that half too) and compared by the other half's means, both ways.

    Interval of the share: two-way jackknife over prompts and annotators (`two_way_estimates`), which also allows
    for other pairs being matched. It is weaker than the slope of `underrating`: power .33 against .50 at an effect
    of .1 in the project's simulation. For display beside it, not instead.

    References
    ----------
    judging/stats/README.md, sections 4.2 and 4.3; Lord (1960), Journal of the American Statistical Association
    55:307.
    """
    if not (tolerance > 0 and distance > 0):
        raise ValueError(f"tolerance and distance must be positive, got {tolerance} and {distance}.")
    calibration = calibrated(ratings, responses, covariates)
    if isinstance(calibration, str):
        return _nothing(calibration, None, confidence)
    if calibration.weak:
        return _nothing(calibration.weak, calibration, confidence)
    pairs = _Pairs.of(calibration, distance)
    generator = rng if rng is not None else np.random.default_rng(0)
    n = int(pairs.near(calibration.quality, tolerance).sum())
    if n == 0:
        return _nothing(
            "no two responses to a prompt are near in quality and apart in unusualness",
            calibration,
            confidence,
        )
    [share] = two_way_estimates(calibration, lambda q: pairs.sums(q, tolerance), [(ratio, n)], confidence)
    near = pairs.near(calibration.quality, tolerance)
    gaps = _held_out(calibration, pairs, tolerance, splits, generator, confidence)
    naive = pairs.sums(calibration.naive, tolerance)
    return MatchedPairs(
        usual_preferred=as_share(share),
        p=_p_of_half(share, calibration),
        held_out_gap=gaps[0],
        naive_usual_preferred=as_share(ratio_over_prompts(naive, int(naive[:, 1].sum()), confidence)),
        naive_held_out_gap=gaps[1],
        distance=float(pairs.apart[near].mean()),
        n_pairs=n,
        n_prompts=len(np.unique(pairs.prompt[near])),
        n_annotators=calibration.sample.panel.n_annotators,
        strength=calibration.strength,
    )


def _nothing(reason: str, calibration: Calibration | None, confidence: float) -> MatchedPairs:
    """Return the result that says why there is none."""
    none = Estimate.undefined(reason, 0, confidence)
    people = calibration.sample.panel.n_annotators if calibration else 0
    strength = calibration.strength if calibration else None
    return MatchedPairs(none, None, none, none, none, None, 0, 0, people, strength, reason)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Pairs of responses to a prompt that are apart in unusualness, the usual one first."""

    typical: IntArray
    unusual: IntArray
    prompt: IntArray
    apart: FloatArray
    prefers: FloatArray
    n_prompts: int

    @classmethod
    def of(cls, calibration: Calibration, distance: float) -> _Pairs:
        """Return all pairs at least so far apart."""
        first, second = pairs_within(calibration.prompt)
        gap = calibration.unusualness[second] - calibration.unusualness[first]
        typical, unusual = np.where(gap >= 0, first, second), np.where(gap >= 0, second, first)
        far = np.abs(gap) >= distance
        typical, unusual = typical[far], unusual[far]
        better = np.sign(calibration.score[typical] - calibration.score[unusual])
        return cls(
            typical,
            unusual,
            calibration.prompt[typical],
            np.abs(gap)[far],
            (better + 1) / 2,
            calibration.n_prompts,
        )

    def near(self, quality: FloatArray, tolerance: float) -> BoolArray:
        """Return which pairs are near in quality; none with an unknown one."""
        return np.asarray(np.abs(quality[self.typical] - quality[self.unusual]) <= tolerance)

    def sums(self, quality: FloatArray, tolerance: float) -> FloatArray:
        """Return pairs won by the usual response and pairs, of each prompt."""
        near = self.near(quality, tolerance)
        return self.by_prompt(self.prefers[near], near)

    def by_prompt(self, values: FloatArray, chosen: BoolArray) -> FloatArray:
        """Return sum and number of the chosen pairs' values of each prompt, shape (P, 2)."""
        of = self.prompt[chosen]
        return np.column_stack(
            [np.bincount(of, values, minlength=self.n_prompts), np.bincount(of, minlength=self.n_prompts)]
        )


def pairs_within(prompt: IntArray) -> tuple[IntArray, IntArray]:
    """Return all pairs of rows that share a prompt, as two arrays of row numbers."""
    order = np.argsort(prompt, kind="stable")
    blocks = np.split(order, np.cumsum(np.bincount(prompt))[:-1])
    blocks_of_pairs = [(block[i], block[j]) for block in blocks for i, j in [np.triu_indices(len(block), 1)]]
    if not blocks_of_pairs:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    return np.concatenate([a for a, _ in blocks_of_pairs]), np.concatenate([b for _, b in blocks_of_pairs])


def _p_of_half(share: Estimate, calibration: Calibration) -> float | None:
    """Return the two-sided p of a share of one half."""
    if share.estimate is None or not share.standard_error:
        return None
    return float(2 * stats.t.sf(abs(share.estimate - 0.5) / share.standard_error, calibration.df))


def _held_out(
    calibration: Calibration,
    pairs: _Pairs,
    tolerance: float,
    splits: int,
    rng: np.random.Generator,
    confidence: float,
) -> tuple[Estimate, Estimate]:
    """Return the held-out gap of pairs matched on calibrated quality and on the human mean alone."""
    panel, size = calibration.sample.panel, len(calibration.prompt)
    sums = np.zeros((2, calibration.n_prompts, 2))
    for _ in range(splits):
        half = rng.permutation(panel.n_annotators)[panel.annotator] % 2
        means, counts = [], []
        for side in (0, 1):
            mine = half == side
            n = np.bincount(panel.response[mine], minlength=size)
            total = np.bincount(panel.response[mine], panel.value[mine], minlength=size)
            means.append(np.divide(total, n, out=np.full(size, np.nan), where=n > 0))
            counts.append(n.astype(np.float64))
        for side in (0, 1):
            other = means[1 - side]
            gap = (other[pairs.typical] - other[pairs.unusual]) / calibration.unit
            matched = _half_quality(calibration, means[side], counts[side])
            for number, quality in enumerate(matched):
                near = pairs.near(quality, tolerance) & ~np.isnan(gap)
                sums[number] += pairs.by_prompt(gap[near], near)
    calibrated_gap, naive_gap = (
        ratio_over_prompts(s, round(float(s[:, 1].sum()) / max(1, 2 * splits)), confidence) for s in sums
    )
    return calibrated_gap, naive_gap


def _half_quality(
    calibration: Calibration, mean: FloatArray, counts: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return calibrated quality and mean of one half of the annotators, NaN where it did not rate."""
    has = ~np.isnan(mean)
    calibrated_half, naive = np.full(len(mean), np.nan), np.full(len(mean), np.nan)
    if not has.any():
        return calibrated_half, naive
    prompt = np.unique(calibration.prompt[has], return_inverse=True)[1].astype(np.int64)
    own, unusual = centered(mean[has], prompt), centered(calibration.unusualness[has], prompt)
    naive[has] = own / calibration.unit
    moments = calibration.given.with_covariance(own, unusual, prompt)
    if moments is not None:
        calibrated_half[has] = moments.predicted(own, unusual, counts[has], prompt) / calibration.unit
    return calibrated_half, naive
