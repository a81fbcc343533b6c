"""The audit put to the proof: how its estimators do in studies whose truth is known."""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from judging.stats.audit.checks import pigeonhole, split_instruments
from judging.stats.audit.simulation import StudyModel, simulated_study
from judging.stats.audit.slopes import p_values
from judging.stats.audit.underrating import underratings
from judging.stats.audit.verdict import Underrating, Verdict
from judging.stats.core.estimate import BoolArray, FloatArray
from judging.stats.core.multiple import benjamini_hochberg

DESIGNS: dict[str, StudyModel] = {
    "50 × 15 × 25 of 60": StudyModel(),
    "96 × 11 × 3 of 22, three give 79 %": StudyModel(96, 11, 22, 3, by_item=True, heavy=3, heavy_share=0.79),
    "20 × 15 × 25 of 60": StudyModel(prompts=20),
    "50 × 15 × 10 of 60": StudyModel(ratings=10),
    "50 × 15 × 5 of 60": StudyModel(ratings=5),
    "50 × 15 × 25 of the same 25": StudyModel(annotators=25),
    "30 × 8 × 5 of 15": StudyModel(30, 8, 15, 5),
    "20 × 10 × 5 of 10": StudyModel(20, 10, 10, 5),
    "15 × 7 × 5 of the same 5": StudyModel(15, 7, 5, 5),
}
"""Prompts, responses, ratings of each, and annotators; quality and unusualness correlate by -.4."""

T = TypeVar("T")

EFFECTS = (0.0, 0.1, 0.3)
BIASED, FAIR, BIAS = 6, 14, 0.2
RATE = 0.05

ESTIMATORS = (
    "cross-rater, two-way jackknife",
    "the same, Fieller",
    "the same, pigeonhole bootstrap",
    "annotator-split instruments",
    "naive",
)
"""The first is what the audit says; of the last two the interval is over prompts only."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What the estimators said of one simulated study.

    Parameters
    ----------
    values : ndarray, shape (effects, estimators, 3)
        Estimate and ends of the interval; NaN where undefined, infinite ends where the interval has none.
    told : ndarray of bool, shape (effects,)
        Whether the audit gave a verdict other than "can't tell".
    strength : float
        Identification strength; NaN where undefined.
    """

    values: FloatArray
    told: BoolArray
    strength: float


def trial(model: StudyModel, effects: Sequence[float], seed: Sequence[int]) -> Trial:
    """Return what every estimator says of a study drawn with this seed.

    Parameters
    ----------
    model : StudyModel
        What the study is drawn from.
    effects : sequence of float
        Underratings planted, one scorer each.
    seed : sequence of int
        Of the random numbers: equal seeds give equal studies.

    Returns
    -------
    Trial
    """
    rng = np.random.default_rng(seed)
    study = simulated_study(model, effects, rng)
    data = (study.ratings, study.responses, study.scorers)
    results = underratings(*data)
    split = split_instruments(*data, rng=rng)
    drawn = pigeonhole(*data, rng=rng)
    rows = []
    for name in study.scorers:
        r = results[name]
        usual = [(e.estimate, e.low, e.high) for e in (r.underrating, drawn[name], split[name], r.naive)]
        low, high = r.robust or (-math.inf, math.inf)
        rows.append([usual[0], (r.underrating.estimate, low, high), *usual[1:]])
    decided = np.array([results[name].verdict is not Verdict.CANT_TELL for name in study.scorers])
    strength = results[study.scorers[0]].strength
    return Trial(np.array(rows, dtype=np.float64), decided, math.nan if strength is None else strength)


@dataclass(frozen=True, slots=True)
class Line:
    """How one estimator did with one planted effect in one design; each `*_error` is a Monte-Carlo error.

    Parameters
    ----------
    design, estimator : str
        Which.
    effect : float
        Planted underrating.
    n : int
        Number of studies.
    bias, bias_error : float or None
        Mean of estimate minus effect.
    coverage, coverage_error : float or None
        Share of the intervals that hold the effect.
    alarms, alarms_error : float or None
        Share of the intervals that lie on one side of zero: false alarms where nothing is planted. Of the audit only
        those that it reports, not those behind a "can't tell".
    found, found_error : float or None
        Share of the intervals above zero, of the audit likewise: power where something is planted.
    coverage_told : float or None
        Coverage among the studies in which the audit gave a verdict.
    cant_tell : float
        Share of the studies in which the audit says "can't tell".
    strength : float or None
        Median identification strength.
    """

    design: str
    estimator: str
    effect: float
    n: int
    bias: float | None
    bias_error: float | None
    coverage: float | None
    coverage_error: float | None
    alarms: float | None
    alarms_error: float | None
    found: float | None
    found_error: float | None
    coverage_told: float | None
    cant_tell: float
    strength: float | None


def summary(design: str, effects: Sequence[float], trials: Sequence[Trial]) -> list[Line]:
    """Return one line for each effect and estimator.

    Parameters
    ----------
    design : str
        Name of the design.
    effects : sequence of float
        As in the trials.
    trials : sequence of Trial
        Of that design.

    Returns
    -------
    list of Line

    Notes
    -----
    A study in which an estimator is undefined counts neither for nor against it. Monte-Carlo errors:
    SD / sqrt(n) of a mean, sqrt(p (1 - p) / n) of a share.
    """
    values = np.array([t.values for t in trials])
    decided = np.array([t.told for t in trials])
    strengths = np.array([t.strength for t in trials])
    middle = float(np.nanmedian(strengths)) if np.isfinite(strengths).any() else None
    lines = []
    for e, effect in enumerate(effects):
        for i, name in enumerate(ESTIMATORS):
            counts = decided[:, e] if i == 0 else np.ones(len(trials), dtype=bool)
            measures = _measures(values[:, e, i], effect, counts)
            told_coverage = share_of(_covered(values[decided[:, e], e, i], effect))[0]
            weak = float(1 - decided[:, e].mean())
            lines.append(Line(design, name, effect, len(trials), *measures, told_coverage, weak, middle))
    return lines


_Eight = tuple[
    float | None,
    float | None,
    float | None,
    float | None,
    float | None,
    float | None,
    float | None,
    float | None,
]


def _measures(values: FloatArray, effect: float, counts: BoolArray) -> _Eight:
    """Return bias, coverage, alarms and found of one estimator, each with its Monte-Carlo error."""
    estimate, low, high = values.T
    given = ~np.isnan(estimate)
    errors = (estimate - effect)[given]
    bias = float(errors.mean()) if errors.size else None
    error = float(errors.std(ddof=1) / math.sqrt(errors.size)) if errors.size > 1 else None
    ends = ~np.isnan(low)
    above, below = (low > 0) & counts, (high < 0) & counts
    coverage = share_of(_covered(values, effect))
    return bias, error, *coverage, *share_of((above | below)[ends]), *share_of(above[ends])


def _covered(values: FloatArray, effect: float) -> BoolArray:
    """Return which of the intervals there are hold the effect."""
    _, low, high = values.T
    return np.asarray(((low <= effect) & (effect <= high))[~np.isnan(low)])


def share_of(hits: BoolArray) -> tuple[float | None, float | None]:
    """Return a share and its Monte-Carlo error."""
    if not hits.size:
        return None, None
    share = float(hits.mean())
    return share, math.sqrt(share * (1 - share) / hits.size)


@dataclass(frozen=True, slots=True)
class Discoveries:
    """False discovery rate and power among many scorers, with Monte-Carlo errors.

    Parameters
    ----------
    estimator : str
        Which.
    n : int
        Number of studies, each with `BIASED` scorers that underrate by `BIAS` and `FAIR` that do not.
    rate, rate_error : float
        Mean share of the discoveries that are false; 0 where there are none.
    power, power_error : float
        Mean share of the biased scorers that are discovered.
    """

    estimator: str
    n: int
    rate: float
    rate_error: float
    power: float
    power_error: float


def family(model: StudyModel, seed: Sequence[int]) -> FloatArray:
    """Return the one-sided p values of biased and then fair scorers: of the audit, and of the naive slope.

    Parameters
    ----------
    model : StudyModel
        What the study is drawn from.
    seed : sequence of int
        Of the random numbers.

    Returns
    -------
    ndarray, shape (2, BIASED + FAIR)
        NaN where the audit can't tell.
    """
    study = simulated_study(model, [BIAS] * BIASED + [0.0] * FAIR, np.random.default_rng(seed))
    results = underratings(study.ratings, study.responses, study.scorers)
    return np.array([_p_values(results[name]) for name in study.scorers]).T


def _p_values(result: Underrating) -> tuple[float, float]:
    """Return the audit's one-sided p and that of the naive slope."""
    e, naive = result.naive, math.nan
    if e.estimate is not None and e.standard_error is not None:
        naive = p_values(e.estimate, e.standard_error, result.n_prompts - 1)[1]
    if result.verdict is Verdict.CANT_TELL or result.p_one_sided is None:
        return math.nan, naive
    return result.p_one_sided, naive


def discoveries(families: Sequence[FloatArray]) -> list[Discoveries]:
    """Return how Benjamini and Hochberg's rule at 5 % does with the p values of `family`.

    Parameters
    ----------
    families : sequence of ndarray
        One a study.

    Returns
    -------
    list of Discoveries
        Of the audit and of the naive slope.
    """
    lines = []
    for i, name in enumerate((ESTIMATORS[0], ESTIMATORS[-1])):
        rejected = np.array([benjamini_hochberg(p[i]) <= RATE for p in families])
        false, true = rejected[:, BIASED:].sum(axis=1), rejected[:, :BIASED].mean(axis=1)
        rate = false / np.maximum(rejected.sum(axis=1), 1)
        n = len(families)
        errors = [float(x.std(ddof=1) / math.sqrt(n)) for x in (rate, true)]
        lines.append(Discoveries(name, n, float(rate.mean()), errors[0], float(true.mean()), errors[1]))
    return lines


def prove(
    model: StudyModel, effects: Sequence[float] = EFFECTS, *, studies: int, seed: int = 1, jobs: int = 1
) -> list[Trial]:
    """Return what the estimators say of many studies.

    Parameters
    ----------
    model : StudyModel
        What the studies are drawn from.
    effects : sequence of float
        Underratings planted, one scorer each.
    studies : int
        How many.
    seed : int
        Study i is drawn with (seed, i): the same ones however many jobs.
    jobs : int
        Processes.

    Returns
    -------
    list of Trial
        In the order of the studies.
    """
    return each_study(partial(trial, model, effects), studies, seed, jobs)


def prove_family(model: StudyModel, *, studies: int, seed: int = 1, jobs: int = 1) -> list[FloatArray]:
    """Return the p values of `family` in many studies.

    Parameters
    ----------
    model, studies, seed, jobs
        As for `prove`.

    Returns
    -------
    list of ndarray
        In the order of the studies.
    """
    return each_study(partial(family, model), studies, seed, jobs)


def each_study(work: Callable[[Sequence[int]], T], studies: int, seed: int, jobs: int) -> list[T]:
    """Return the work done for each of so many studies, in their order; study i has the seed (seed, i)."""
    seeds = [(seed, i) for i in range(studies)]
    if jobs == 1:
        with threadpool_limits(1):
            return [work(s) for s in seeds]
    # Spawned, since a process that holds database connections and threads is not safely forked.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, initializer=_one_thread) as pool:
        return list(pool.map(work, seeds, chunksize=max(1, min(20, studies // (4 * jobs)))))


def _one_thread() -> None:
    """Leave the other cores to the other processes."""
    threadpool_limits(1)
