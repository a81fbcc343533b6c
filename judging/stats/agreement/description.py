"""What people said of each item, and how each of them uses the scale."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from judging.stats.core.counts import Domain, checked_domain, value_counts
from judging.stats.core.estimate import FloatArray, check_confidence, totals
from judging.stats.core.longform import ratings_of


def describe_items(
    unit: npt.ArrayLike, value: npt.ArrayLike, domain: Domain, *, confidence: float = 0.95
) -> pd.DataFrame:
    """Return the distribution of each unit's values and what sums it up.

    Parameters
    ----------
    unit : array_like, shape (n,)
        Unit each value belongs to.
    value : array_like, shape (n,)
        The values; NaN and None are missing.
    domain : sequence, length V
        Admissible values, strictly increasing; mean, variance and bimodality need numbers.
    confidence : float
        Level of the means' t intervals, which are for other annotators.

    Returns
    -------
    DataFrame
        One row a unit, sorted: unit, n (values), count_<value> for each value of the domain, share_<value>
        (the soft label; shares sum to 1), mean with mean_low and mean_high, variance (sample, squared units of
        the scale), entropy_bits (0 to log2 V) and bimodality (0 to 1; 5/9 for an even spread, more for two
        humps). NaN where undefined: shares, mean and entropy without a value, variance and the mean's interval
        with fewer than two, bimodality with fewer than four or no variance, and all number statistics when
        the domain is not of numbers.

    Notes
    -----
    Entropy is -sum p log2 p of the observed shares, without a correction for small n, so it is biased down:
    compare it between units with the same n. Bimodality is Sarle's coefficient with sample moments,
    (g^2 + 1) / (h + 3 (n - 1)^2 / ((n - 2) (n - 3))), g the skewness and h the excess kurtosis, both
    corrected for n. It is also high for one hump with a long tail. The interval of a mean of equal values has no
    width, which says that they were equal, not that further annotators would agree.

    References
    ----------
    Shannon (1948), Bell System Technical Journal 27:379-423; Pfister et al. (2013), Frontiers in Psychology
    4:700, for the bimodality coefficient.
    """
    check_confidence(confidence)
    counts, units = value_counts(unit, value, domain)
    values = checked_domain(domain).to_numpy()
    n = counts.sum(axis=1)
    shares = np.divide(counts, n[:, None], out=np.full(counts.shape, np.nan), where=n[:, None] > 0)
    names = [_name(x) for x in values.tolist()]
    columns: dict[str, npt.NDArray[np.generic]] = {"unit": units, "n": n}
    columns |= {f"count_{name}": counts[:, k] for k, name in enumerate(names)}
    columns |= {f"share_{name}": shares[:, k] for k, name in enumerate(names)}
    numbers = values.astype(np.float64) if values.dtype.kind in "iuf" else None
    columns |= _moments(shares, n.astype(np.float64), numbers, confidence)
    return pd.DataFrame(columns)


def describe_annotators(
    unit: npt.ArrayLike,
    annotator: npt.ArrayLike,
    value: npt.ArrayLike,
    domain: Domain,
    *,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return how each annotator's ratings go with the others' and how he uses the scale.

    Parameters
    ----------
    unit, annotator : array_like, shape (n,)
        Which unit each rating is of and who gave it. Rows of the same annotator and unit are repeats: the
        first counts everywhere, the later ones only for self-consistency. (So give a repeated item the unit
        label of the first showing, and keep the rows in order of time.)
    value : array_like of float, shape (n,)
        Ratings; NaN is missing.
    domain : sequence of numbers, length V
        Admissible values, strictly increasing.
    confidence : float
        Level of the intervals.

    Returns
    -------
    DataFrame
        One row an annotator, sorted: annotator_id, n (units rated), n_shared (also rated by others),
        correlation (Pearson, of his ratings with the mean of the others'; -1 to 1) with correlation_low and
        correlation_high, severity (mean of his rating less the others' mean, in units of the scale; negative is
        stricter) with severity_low and severity_high, mean, sd, range_used (highest
        less lowest over the span of the domain), modal_share (of his most frequent value), values_used (number of
        different values), n_repeats, repeat_agreement (share of repeats with the same value as the first), and
        repeat_distance (mean absolute difference from the first, in units of the scale). NaN where undefined:
        severity without shared units and its interval with one, correlation with fewer than three or no
        variation and its interval with fewer than four or a perfect one, sd with one rating,
        range_used when the domain is one value, and repeats without any.

    Raises
    ------
    ValueError
        If lengths differ, a label is missing, or a value is infinite or outside the domain.

    Notes
    -----
    The correlation is bounded by the reliability of the others' mean, so compare annotators with about the
    same company. Severity is against those who rated the same units, and not corrected for theirs.

    References
    ----------
    Crocker and Algina (1986), Introduction to Classical and Modern Test Theory, chapter 14, for the correlation
    with the rest.
    """
    check_confidence(confidence)
    admissible = checked_domain(domain)
    ratings = ratings_of(unit, annotator, value, repeats=True)
    if (admissible.get_indexer(pd.Index(ratings.value)) < 0).any():
        raise ValueError("Some values are outside the domain.")
    frame = pd.DataFrame({"unit": ratings.unit, "who": ratings.annotator, "value": ratings.value})
    later = frame.duplicated(["unit", "who"])
    first = frame[~later]
    people = ratings.n_annotators
    table = pd.DataFrame({"annotator_id": ratings.annotators})
    table = table.assign(**_with_others(first, people, confidence, admissible.to_numpy(dtype=np.float64)))
    table = table.assign(**_scale_use(first, people, admissible.to_numpy(dtype=np.float64)))
    return table.assign(**_repeats(first, frame[later], people))


def _size(values: FloatArray) -> float:
    """Return the span of a scale as a power of two: in such units from its lowest value nothing is rounded away."""
    span = float(np.ptp(values))
    return 2.0 ** math.floor(math.log2(span)) if span > 0 else 1.0


def _name(value: object) -> str:
    """Return a value as part of a column name: 1.0 is 1."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _moments(
    shares: FloatArray, n: FloatArray, values: FloatArray | None, confidence: float
) -> dict[str, npt.NDArray[np.generic]]:
    """Return mean, variance, entropy and bimodality of each row of shares."""
    logs = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
    entropy = -(shares * logs).sum(axis=1) + 0.0
    if values is None:
        nothing = dict.fromkeys(("mean", "mean_low", "mean_high", "variance"), np.full(len(n), np.nan))
        return nothing | {"entropy_bits": entropy, "bimodality": nothing["mean"]}
    mean, scale = shares @ values, _size(values)
    scaled = (values - values[0]) / scale
    away = scaled - (shares @ scaled)[:, None]
    second, third, fourth = ((shares * away**power).sum(axis=1) for power in (2, 3, 4))
    variance = _over(second * n, n - 1, n > 1)
    usable = (n > 3) & (second > 1e-12)
    safe, size = np.where(usable, second, 1.0), np.where(usable, n, 4.0)
    skewness = third / safe**1.5 * np.sqrt(size * (size - 1)) / (size - 2)
    excess = (size - 1) / ((size - 2) * (size - 3)) * ((size + 1) * (fourth / safe**2 - 3) + 6)
    bottom = excess + 3 * (size - 1) ** 2 / ((size - 2) * (size - 3))
    bimodality = _over(skewness**2 + 1, bottom, usable)
    low, high = _around(mean, np.sqrt(variance) * scale, n, confidence)
    columns = (mean, low, high, variance * scale**2, entropy, bimodality)
    names = ("mean", "mean_low", "mean_high", "variance", "entropy_bits", "bimodality")
    return dict(zip(names, columns, strict=True))


def _around(
    mean: FloatArray, sd: FloatArray, n: FloatArray, confidence: float
) -> tuple[FloatArray, FloatArray]:
    """Return the ends of the t intervals of means of n values with so large an SD; NaN with fewer than two."""
    several = n > 1
    t = stats.t.ppf((1 + confidence) / 2, np.where(several, n - 1, 1))
    reach = np.where(several, t * sd / np.sqrt(np.maximum(n, 1)), np.nan)
    return mean - reach, mean + reach


def _over(above: FloatArray, below: FloatArray, where: npt.NDArray[np.bool_]) -> FloatArray:
    """Return the ratio where it is defined, NaN elsewhere."""
    return np.asarray(np.divide(above, below, out=np.full(len(above), np.nan), where=where))


def _with_others(
    first: pd.DataFrame, people: int, confidence: float, domain: FloatArray
) -> dict[str, npt.NDArray[np.generic]]:
    """Return number of ratings, of shared units, correlation with the others' mean, and severity."""
    unit, who, value = (first[name].to_numpy() for name in ("unit", "who", "value"))
    size = _size(domain)
    value = (value - domain[0]) / size
    n, total = np.bincount(unit)[unit], np.bincount(unit, value)[unit]
    shared = n > 1
    person, mine = who[shared], value[shared]
    others = (total[shared] - mine) / (n[shared] - 1)

    def by_person(x: FloatArray) -> FloatArray:
        return totals(person, x, people)

    count = np.bincount(person, minlength=people).astype(np.float64)
    means = [_over(by_person(x), count, count > 0) for x in (mine, others)]
    a, b = (x - mean[person] for x, mean in zip((mine, others), means, strict=True))
    spread = by_person(a * a), by_person(b * b)
    least = count * 1e-12
    varied = (count >= 3) & (spread[0] > least) & (spread[1] > least)
    correlation = np.clip(_over(by_person(a * b), np.sqrt(spread[0] * spread[1]), varied), -1, 1)
    severity = means[0] - means[1]
    variance = _over(by_person((a - b) ** 2), count - 1, count > 1)
    ends = (
        *_fisher(correlation, count, confidence),
        *_around(severity, np.sqrt(variance), count, confidence),
    )
    return {
        "n": np.bincount(who, minlength=people),
        "n_shared": count.astype(np.int64),
        "correlation": correlation,
        "correlation_low": ends[0],
        "correlation_high": ends[1],
        "severity": severity * size,
        "severity_low": ends[2] * size,
        "severity_high": ends[3] * size,
    }


def _fisher(r: FloatArray, n: FloatArray, confidence: float) -> tuple[FloatArray, FloatArray]:
    """Return the ends of Fisher's intervals of correlations; NaN with fewer than four pairs or a perfect one."""
    usable = (n > 3) & (np.abs(r) < 1 - 1e-12)
    middle = np.arctanh(np.where(usable, r, 0.0))
    reach = float(stats.norm.ppf((1 + confidence) / 2)) / np.sqrt(np.where(usable, n - 3, 1.0))
    return tuple(np.where(usable, np.tanh(middle + side * reach), np.nan) for side in (-1, 1))  # type: ignore[return-value]


def _scale_use(first: pd.DataFrame, people: int, domain: FloatArray) -> dict[str, npt.NDArray[np.generic]]:
    """Return mean, standard deviation and what part of the scale each annotator uses."""
    values = first.groupby("who")["value"]
    every, span, size = np.arange(people), float(np.ptp(domain)), _size(domain)
    scaled = ((first["value"] - domain[0]) / size).groupby(first["who"])
    used = first.groupby(["who", "value"]).size().groupby("who")
    reach = (values.max() - values.min()).reindex(every).to_numpy(dtype=np.float64)
    return {
        "mean": values.mean().reindex(every).to_numpy(dtype=np.float64),
        "sd": scaled.std(ddof=1).reindex(every).to_numpy(dtype=np.float64) * size,
        "range_used": reach / span if span > 0 else np.full(people, np.nan),
        "modal_share": (used.max() / used.sum()).reindex(every).to_numpy(dtype=np.float64),
        "values_used": used.size().reindex(every, fill_value=0).to_numpy(dtype=np.int64),
    }


def _repeats(first: pd.DataFrame, later: pd.DataFrame, people: int) -> dict[str, npt.NDArray[np.generic]]:
    """Return how far annotators repeat themselves."""
    both = later.merge(first, on=["unit", "who"], suffixes=("", "_first"))
    who = both["who"].to_numpy(dtype=np.int64)
    gap = (both["value"] - both["value_first"]).abs().to_numpy()
    n = np.bincount(who, minlength=people)
    same = totals(who, (gap == 0).astype(np.float64), people)
    return {
        "n_repeats": n,
        "repeat_agreement": _over(same, n.astype(np.float64), n > 0),
        "repeat_distance": _over(totals(who, gap, people), n.astype(np.float64), n > 0),
    }
