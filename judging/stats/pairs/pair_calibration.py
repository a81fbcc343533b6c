"""Whether a scorer's margin between two responses says how many people prefer the one to the other."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize, special

from judging.stats.core.estimate import (
    BoolArray,
    Estimate,
    FloatArray,
    IntArray,
    bootstrap_weights,
    percentile_interval,
)
from judging.stats.hivemind.selection import pair_divisiveness

STRATA = ("agreed", "between", "divided")
_BINS = 5
_SHARPEST = 50.0


@dataclass(frozen=True, slots=True)
class Bin:
    """Pairs of about the same predicted share, turned so that the scorer's favorite comes first.

    Parameters
    ----------
    predicted : float
        Mean predicted share, at least one half.
    share : Estimate
        Mean share of annotators who prefer the favorite; `n` counts pairs.
    """

    predicted: float
    share: Estimate


@dataclass(frozen=True, slots=True)
class Calibrated:
    """How well predicted shares fit the shares of annotators in some pairs.

    Parameters
    ----------
    name : str
        Which pairs: "all", or a third by how people part.
    n_pairs : int
        How many.
    brier, log_loss : Estimate
        Mean over pairs of the squared distance of the prediction to single votes (a tie is a half), and of the
        cross-entropy in nats.
    ece : Estimate
        Expected calibration error, over five bins of the prediction.
    ece_if_calibrated : float
        What it would be on average if the predictions were right: people's votes scatter.
    confidence, people : float
        Mean distance from one half, of the predictions and of people's shares.
    bins : tuple of Bin
        The bins of the calibration error that hold a pair, from the least to the most certain.
    """

    name: str
    n_pairs: int
    brier: Estimate
    log_loss: Estimate
    ece: Estimate
    ece_if_calibrated: float
    confidence: float
    people: float
    bins: tuple[Bin, ...] = ()


@dataclass(frozen=True, slots=True)
class PairCalibration:
    """What `pair_calibration` found.

    Parameters
    ----------
    everywhere : Calibrated or None
        Over all pairs; None with a reason.
    strata : tuple of Calibrated
        By thirds of divisiveness, pairs that divide people equally being kept together; those that hold a pair.
    accuracy : Estimate
        Share of pairs with a majority in which the margin points to it; a margin of zero counts half.
    temperature : float or None
        Median over folds of tau: margin / tau is the log odds. None where no fold found the margin to help.
    brier_of_half, brier_of_people : float or None
        Brier score of always saying one half, and of the share of the other annotators.
    n_prompts : int
        Prompts.
    predicted, share : ndarray, shape (n,)
        Predicted and observed share that prefers the first response.
    reason : str or None
        Why there is none.
    """

    everywhere: Calibrated | None
    strata: tuple[Calibrated, ...]
    accuracy: Estimate
    temperature: float | None
    brier_of_half: float | None
    brier_of_people: float | None
    n_prompts: int
    predicted: FloatArray
    share: FloatArray
    reason: str | None = None


def pair_calibration(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    neither: npt.ArrayLike,
    prompt: npt.ArrayLike,
    margin: npt.ArrayLike,
    *,
    folds: int = 5,
    resamples: int = 500,
    rng: np.random.Generator | None = None,
    confidence: float = 0.95,
) -> PairCalibration:
    """Return how well a scorer's margins, or a judge's choices, predict the share of people with each preference.

    Parameters
    ----------
    first, second, neither : array_like, shape (n,)
        Annotators who preferred the first response, the second, and neither. Pairs without any are left out.
    prompt : array_like, shape (n,)
        Prompt of each pair.
    margin : array_like of float, shape (n,)
        Score of the first less that of the second response, or a judge's signed choice; NaN where missing: such
        pairs are left out.
    folds : int
        Parts the prompts are split in; each part is predicted with the tau of the others.
    resamples : int
        Bootstrap resamples of the prompts.
    rng : numpy.random.Generator, optional
        Source of chance; a generator with seed 0 by default.
    confidence : float
        Level of the intervals.

    Returns
    -------
    PairCalibration
        Without results and with a reason when there are fewer than two prompts or all margins are zero.

    Raises
    ------
    ValueError
        If shapes do not fit, a count is negative, a margin is infinite or `folds` is less than two.

    Notes
    -----
    p = 1 / (1 + exp(-margin / tau)); 1 / tau minimizes the cross-entropy with the shares on the prompts of the other
    folds and is never negative: a scorer that goes against people is not calibrated by turning it around, it gets
    p = 1/2. Brier: (p - s)^2 plus the variance of the votes about their share s. ECE: pairs are turned so that p >=
    1/2, and the gaps between mean p and mean share in bins of width .1 averaged; noise makes it positive, so
    beside it stands its mean over 200 draws of votes from p. Intervals: resampled prompts, predictions kept; that of
    ECE lies too high, since resampling adds noise, and is drawn down to the estimate.

    Strata are chosen by the votes that are then predicted: even a right prediction looks too hesitant where people
    happened to agree and too bold where they parted. Compare scorers within a stratum, not strata.

    References
    ----------
    Brier (1950), Monthly Weather Review 78:1-3; Guo et al. (2017), ICML, for ECE and temperature; Pairwise
    Calibrated Rewards, arXiv 2506.06298, for shares of annotators as the target.
    """
    if folds < 2:
        raise ValueError(f"folds must be at least 2, got {folds}.")
    counts, labels, x = _checked(first, second, neither, prompt, margin)
    codes = pd.factorize(labels, sort=True)[0].astype(np.int64)
    n_prompts = int(codes.max(initial=-1)) + 1
    if n_prompts < 2 or not np.abs(x).max(initial=0.0) > 0:
        why = "fewer than two prompts with pairs" if n_prompts < 2 else "all margins are zero"
        none = Estimate.undefined(why, len(x), confidence)
        return PairCalibration(None, (), none, None, None, None, n_prompts, np.empty(0), np.empty(0), why)
    generator = rng if rng is not None else np.random.default_rng(0)
    share = (counts[:, 0] + counts[:, 2] / 2) / counts.sum(axis=1)
    predicted, temperature = _cross_fitted(x, share, codes, min(folds, n_prompts), generator)
    table = _Table(predicted, share, counts, codes, generator, resamples, confidence)
    divided = np.round(pair_divisiveness(counts), 12)
    third = np.searchsorted(np.quantile(divided, [1 / 3, 2 / 3], method="inverted_cdf"), divided)
    parts = [np.flatnonzero(third == number) for number in range(3)]
    strata = tuple(table.of(name, rows) for name, rows in zip(STRATA, parts, strict=True) if len(rows))
    every = np.arange(len(x))
    decided = share != 0.5
    right: FloatArray = np.asarray((np.sign(x) * np.sign(share - 0.5) + 1) / 2, dtype=np.float64)
    accuracy = table.mean(np.asarray(right[decided], dtype=np.float64), every[decided])
    half = float(((0.5 - share) ** 2 + _vote_variance(counts, share)).mean())
    return PairCalibration(
        table.of("all", every),
        strata,
        accuracy,
        temperature,
        half,
        _of_people(counts),
        n_prompts,
        predicted,
        share,
    )


def _checked(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    neither: npt.ArrayLike,
    prompt: npt.ArrayLike,
    margin: npt.ArrayLike,
) -> tuple[FloatArray, npt.NDArray[np.generic], FloatArray]:
    """Return counts, prompts and margins of the pairs that have all."""
    counts = np.column_stack([np.asarray(c, dtype=np.float64) for c in (first, second, neither)])
    labels, x = np.asarray(prompt), np.asarray(margin, dtype=np.float64)
    if labels.shape != (len(counts),) or x.shape != (len(counts),):
        raise ValueError("Counts, prompts and margins must be equally long.")
    if not np.isfinite(counts).all() or (counts < 0).any() or np.isinf(x).any():
        raise ValueError("Counts must not be negative or missing, and margins not infinite.")
    usable = ~np.isnan(x) & (counts.sum(axis=1) > 0)
    return counts[usable], labels[usable], x[usable]


def _cross_fitted(
    x: FloatArray, share: FloatArray, codes: IntArray, folds: int, rng: np.random.Generator
) -> tuple[FloatArray, float | None]:
    """Return predictions with the slope of the other folds, and the median tau."""
    scale = math.sqrt(float((x**2).mean()))
    fold = rng.permutation(int(codes.max()) + 1)[codes] % folds
    predicted, slopes = np.empty(len(x)), []
    for part in range(folds):
        out = fold == part
        slope = _slope(x[~out] / scale, share[~out])
        slopes.append(slope)
        predicted[out] = special.expit(slope * x[out] / scale)
    slope = float(np.median(slopes))
    return predicted, scale / slope if slope > 0 else None


def _slope(x: FloatArray, share: FloatArray) -> float:
    """Return the slope of log odds on x that fits the shares best, between 0 and the steepest allowed."""

    def lean(slope: float) -> float:
        return float(((special.expit(slope * x) - share) * x).sum())

    if lean(0.0) >= 0:
        return 0.0
    if lean(_SHARPEST) <= 0:
        return _SHARPEST
    return float(optimize.brentq(lean, 0.0, _SHARPEST))


def _vote_variance(counts: FloatArray, share: FloatArray) -> FloatArray:
    """Return the variance of votes 1, 0 and 1/2 about their mean."""
    votes = np.array([1.0, 0.0, 0.5])
    return np.asarray((counts * (votes - share[:, None]) ** 2).sum(axis=1) / counts.sum(axis=1))


def _of_people(counts: FloatArray) -> float | None:
    """Return the Brier score of the share of the other annotators, over pairs with two or more."""
    some = counts[counts.sum(axis=1) > 1]
    if not len(some):
        return None
    votes = np.array([1.0, 0.0, 0.5])
    n = some.sum(axis=1)
    others = ((some @ votes)[:, None] - votes) / (n - 1)[:, None]
    return float(((some * (votes - others) ** 2).sum(axis=1) / n).mean())


def _from_the_estimate(e: Estimate) -> Estimate:
    """Return an estimate whose interval reaches down to it: resampling adds noise, which only adds to an error."""
    return e if e.low is None or e.estimate is None else replace(e, low=min(e.low, e.estimate))


@dataclass(frozen=True, slots=True)
class _Table:
    """Predictions and votes, and what is resampled."""

    predicted: FloatArray
    share: FloatArray
    counts: FloatArray
    codes: IntArray
    rng: np.random.Generator
    resamples: int
    confidence: float

    def mean(self, values: FloatArray, rows: IntArray) -> Estimate:
        """Return the mean of values of pairs with an interval over prompts."""
        if not len(rows):
            return Estimate.undefined("no such pairs", 0, self.confidence)
        codes = np.unique(self.codes[rows], return_inverse=True)[1]
        sums = np.column_stack([np.bincount(codes, values), np.bincount(codes)])
        weights = bootstrap_weights(len(sums), self.resamples, self.rng)
        draws = (weights @ sums[:, 0]) / (weights @ sums[:, 1])
        return self._interval(draws, float(values.mean()), len(rows), len(sums))

    def of(self, name: str, rows: IntArray) -> Calibrated:
        """Return the measures over some of the pairs."""
        p, s, counts = self.predicted[rows], self.share[rows], self.counts[rows]
        brier = (p - s) ** 2 + _vote_variance(counts, s)
        loss = -(special.xlogy(s, p) + special.xlogy(1 - s, 1 - p))
        turned: BoolArray = p < 0.5
        p, s = np.where(turned, 1 - p, p), np.where(turned, 1 - s, s)
        votes = counts.sum(axis=1).astype(np.int64)
        drawn = self.rng.binomial(votes, p, size=(200, len(p))) / votes
        codes = np.unique(self.codes[rows], return_inverse=True)[1].astype(np.int64)
        weights = bootstrap_weights(int(codes.max()) + 1, self.resamples, self.rng)
        bins = np.minimum(((p - 0.5) * 2 * _BINS).astype(np.int64), _BINS - 1)
        gap = np.zeros((int(codes.max()) + 1, _BINS))
        np.add.at(gap, (codes, bins), p - s)
        sizes = np.bincount(codes)
        ece = float(np.abs(gap.sum(axis=0)).sum()) / len(p)
        draws = np.abs(weights @ gap).sum(axis=1) / (weights @ sizes)
        ideal = np.stack([((p - drawn) * (bins == b)).sum(axis=1) for b in range(_BINS)])
        return Calibrated(
            name=name,
            n_pairs=len(rows),
            brier=self.mean(brier, rows),
            log_loss=self.mean(np.asarray(loss, dtype=np.float64), rows),
            ece=_from_the_estimate(self._interval(draws, ece, len(rows), len(gap))),
            ece_if_calibrated=float(np.abs(ideal).sum(axis=0).mean()) / len(p),
            confidence=float((p - 0.5).mean()),
            people=float(np.abs(s - 0.5).mean()),
            bins=self._bins(p, s, bins, rows),
        )

    def _bins(
        self, predicted: FloatArray, share: FloatArray, of: IntArray, rows: IntArray
    ) -> tuple[Bin, ...]:
        """Return the bins that hold a pair."""
        members = [of == number for number in np.unique(of)]
        return tuple(Bin(float(predicted[b].mean()), self.mean(share[b], rows[b])) for b in members)

    def _interval(self, draws: FloatArray, point: float, n: int, prompts: int) -> Estimate:
        """Return the percentile interval, none with a single prompt."""
        if prompts < 2:
            return Estimate(point, None, None, n, "all pairs are of one prompt", self.confidence)
        return replace(percentile_interval(draws, point, n, self.confidence), n=n)
