"""How many annotators are enough: what fewer of them would have shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from judging.stats.agreement.alpha import krippendorff_alpha
from judging.stats.core.counts import Domain, Level, value_counts
from judging.stats.core.estimate import (
    Estimate,
    FloatArray,
    IntArray,
    bootstrap_weights,
    check_confidence,
    percentile_interval,
)
from judging.stats.core.longform import ratings_of

_COLUMNS = [
    "k", "n_items", "alpha", "alpha_width", "mean_width", "reliability", "reliability_low", "reliability_high",
    "reason",
]  # fmt: skip
_EVERY_K = 30  # up to here each k is tried, then every few


def raters_needed(
    unit: npt.ArrayLike,
    annotator: npt.ArrayLike,
    value: npt.ArrayLike,
    domain: Sequence[float],
    level: Level,
    *,
    clusters: npt.ArrayLike | None = None,
    ks: Sequence[int] | None = None,
    draws: int = 5,
    resamples: int = 200,
    rng: np.random.Generator | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return precision and reliability for 2, 3, ... annotators an item, drawn from those there are.

    Parameters
    ----------
    unit, annotator : array_like, shape (n,)
        Which item each rating is of and who gave it.
    value : array_like of float, shape (n,)
        Ratings; NaN is missing.
    domain : sequence of numbers, length V
        Admissible values, strictly increasing.
    level : {"nominal", "ordinal", "interval", "ratio"}
        Level of measurement, for alpha.
    clusters : array_like, shape (n,), optional
        Items that are resampled together, such as the parts of one screen; by default each on its own.
    ks : sequence of int, optional
        Numbers of annotators; by default from 2 to the median number that items have, each up to 30 and then some.
    draws : int
        Number of random orders of the annotators to average over.
    resamples : int
        Number of bootstrap resamples for each interval.
    rng : numpy.random.Generator, optional
        Source of chance; a generator with seed 0 by default.
    confidence : float
        Level of the intervals.

    Returns
    -------
    DataFrame
        One row a k: k, n_items, alpha, alpha_width (of its item-bootstrap interval), mean_width (of the interval of an
        item's mean of k ratings, in units of the scale), reliability of the mean of k with its ends reliability_low and
        reliability_high, and the reason where it is undefined. NaN where undefined. No rows when most items have fewer
        than two ratings.

    Raises
    ------
    ValueError
        If input is wrong as in `value_counts`, some k is less than two, or the clusters do not fit.

    Notes
    -----
    The items are those with at least the median number of ratings, the same for every k; of each the first k
    annotators of one random order count, so that annotators stay together across items as they would in a smaller
    study. Mean width: 2 z sqrt(s^2 / k), s^2 the mean variance within items. Reliability: 1 - MS within / MS between,
    ICC(1, k): annotators may differ from item to item, so their severity counts as noise. Its interval resamples
    clusters; point and ends are means over the orders.

    References
    ----------
    Shrout and Fleiss (1979), Psychological Bulletin 86:420, for ICC(1, k).
    """
    check_confidence(confidence)
    if ks is not None and any(k < 2 for k in ks):
        raise ValueError("Every k must be at least 2.")
    covered, most = _well_covered(unit, annotator, value, clusters)
    chosen = _default_ks(most) if ks is None else sorted({k for k in ks if k <= most})
    generator = rng if rng is not None else np.random.default_rng(0)
    how = _How(domain, level, clusters is not None, resamples, int(generator.integers(2**31)), confidence)
    orders = [_in_drawn_order(covered, generator) for _ in range(max(1, draws))] if chosen else []
    rows = [_point(orders, k, how) for k in chosen]
    return pd.DataFrame(rows, columns=_COLUMNS).astype({"k": np.int64, "n_items": np.int64})


@dataclass(frozen=True, slots=True)
class _How:
    domain: Domain
    level: Level
    clustered: bool
    resamples: int
    seed: int
    confidence: float


def _well_covered(
    unit: npt.ArrayLike, annotator: npt.ArrayLike, value: npt.ArrayLike, clusters: npt.ArrayLike | None
) -> tuple[pd.DataFrame, int]:
    """Return the ratings of items that have at least as many as half of the items, and how many that is."""
    ratings = ratings_of(unit, annotator, value)
    owner = ratings.unit
    if clusters is not None:
        labels = pd.factorize(np.asarray(clusters), sort=True, use_na_sentinel=False)[0]
        if len(labels) != len(np.asarray(value).ravel()):
            raise ValueError("clusters must have one label a row.")
        owner = labels[~np.isnan(np.asarray(value, dtype=np.float64))]
    frame = pd.DataFrame(
        {"unit": ratings.unit, "person": ratings.annotator, "value": ratings.value, "owner": owner}
    )
    each = frame.groupby("unit").size()
    most = int(np.floor(each.median())) if len(each) else 0
    return frame[frame.groupby("unit")["unit"].transform("size") >= most], most


def _default_ks(most: int) -> list[int]:
    """Return every k up to 30, then a few further ones."""
    if most <= _EVERY_K:
        return list(range(2, most + 1))
    further = np.linspace(_EVERY_K, most, min(7, most - _EVERY_K + 1)).round().astype(int)
    return sorted({*range(2, _EVERY_K + 1), *map(int, further)})


def _in_drawn_order(answers: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    """Return each item's ratings in one random order of annotators: `turn` 0, 1, ...; the first k are a study of k."""
    person, people = pd.factorize(answers["person"], sort=True)
    place = generator.permutation(len(people))[person]
    ordered = answers.assign(place=place).sort_values(["unit", "place"])
    return ordered.assign(turn=ordered.groupby("unit").cumcount())


def _point(orders: Sequence[pd.DataFrame], k: int, how: _How) -> list[object]:
    """Return a row of the table."""
    results = [_once(frame[frame["turn"] < k], k, how) for frame in orders]
    alpha, width, mean_width = (float(np.mean([f[i] for f in results])) for i in range(3))
    reliability = _averaged([f[3] for f in results])
    ends = [np.nan if x is None else x for x in (reliability.estimate, reliability.low, reliability.high)]
    n_items = int(orders[0]["unit"].nunique())
    return [k, n_items, alpha, width, mean_width, *ends, reliability.reason or ""]


def _once(frame: pd.DataFrame, k: int, how: _How) -> tuple[float, float, float, Estimate]:
    """Return alpha, the width of its interval, that of an item's mean, and the reliability of means, in one order."""
    counts, names = value_counts(frame["unit"].to_numpy(), frame["value"].to_numpy(), how.domain)
    owner = frame.drop_duplicates("unit").set_index("unit")["owner"].loc[list(names)].to_numpy()
    alpha = krippendorff_alpha(
        counts, how.domain, how.level, clusters=owner if how.clustered else None, resamples=how.resamples,
        rng=np.random.default_rng(how.seed), confidence=how.confidence,
    )  # fmt: skip
    width = np.nan if alpha.low is None or alpha.high is None else alpha.high - alpha.low
    table = frame.groupby("unit")["value"].agg(["mean", "var"]).loc[list(names)]
    means, variances = table["mean"].to_numpy(), table["var"].to_numpy()
    z = float(stats.norm.ppf((1 + how.confidence) / 2))
    reach = 2 * z * float(np.sqrt(variances.mean() / k))
    point = np.nan if alpha.estimate is None else alpha.estimate
    return point, width, reach, _one_way(means, variances, k, owner, how)


def _one_way(means: FloatArray, variances: FloatArray, k: int, owner: IntArray, how: _How) -> Estimate:
    """Return the reliability of the mean of k from the variance between and within items, clusters resampled."""
    codes, labels = pd.factorize(owner, sort=True)
    if len(labels) < 3:
        return Estimate.undefined(f"only {len(labels)} items; three are needed", len(labels))
    drawn = bootstrap_weights(len(labels), how.resamples, np.random.default_rng(how.seed))
    weights = np.vstack([np.ones(len(means)), drawn[:, codes]])
    n = weights.sum(axis=1)
    centered = means - means.mean()
    square = (weights @ centered**2 - (weights @ centered) ** 2 / n) / np.maximum(n - 1, 1)
    within = weights @ variances / n
    varied = square > 1e-12
    draws = np.where(varied, 1 - within / (k * np.where(varied, square, 1.0)), np.nan)
    if not varied[0]:
        return Estimate.undefined("the means do not vary between items", len(labels))
    return percentile_interval(draws[1:], float(draws[0]), len(labels), how.confidence)


def _averaged(estimates: Sequence[Estimate]) -> Estimate:
    """Return the mean of the orders' estimates and of the ends of their intervals."""
    missing = next((e for e in estimates if e.estimate is None), None)
    if missing is not None:
        return missing
    point = float(np.mean([e.estimate for e in estimates if e.estimate is not None]))
    lows = [e.low for e in estimates if e.low is not None]
    highs = [e.high for e in estimates if e.high is not None]
    if len(lows) < len(estimates):
        return Estimate(point, None, None, estimates[0].n, "no interval in some of the draws")
    low, high = float(np.mean(lows)), float(np.mean(highs))
    return Estimate(point, min(low, point), max(high, point), estimates[0].n)
