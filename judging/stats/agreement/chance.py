"""Agreement beyond chance from counts: Gwet's AC, Fleiss' kappa, Brennan and Prediger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from judging.stats.core.counts import NO_PAIRS, ONE_UNIT, Domain, Level, checked_counts
from judging.stats.core.estimate import Estimate, FloatArray, clustered_error, t_interval
from judging.stats.core.weights import Weighting, agreement_weights

_ALL_BY_CHANCE = (
    "All agreement is what chance gives here, so there is nothing to correct: values do not vary."
)
_ONE_VALUE = "The domain holds a single value, so there is nothing to agree on."

# (shares of the values per unit, weights) to (chance agreement, what each unit adds to it).
_Chance = Callable[[FloatArray, FloatArray], tuple[float, FloatArray]]


@dataclass(frozen=True, slots=True)
class ChanceCorrected(Estimate):
    """A coefficient (observed - expected) / (1 - expected) with what it is made of.

    Parameters
    ----------
    estimate, low, high, n, reason, confidence, standard_error
        As in `Estimate`; n is the number of units with two or more values, or of clusters that hold one.
    observed : float or None
        Weighted share of agreeing pairs of annotators, 0 to 1; None without pairs.
    expected : float or None
        What chance would give under this coefficient's model, 0 to 1; None without pairs.
    """

    observed: float | None = None
    expected: float | None = None


def gwet_ac(
    counts: npt.ArrayLike,
    domain: Domain,
    weights: Weighting = "identity",
    *,
    clusters: npt.ArrayLike | None = None,
    confidence: float = 0.95,
) -> ChanceCorrected:
    """Return Gwet's AC1 (identity weights) or AC2 (other weights) with its linearized standard error.

    Parameters
    ----------
    counts : array_like of int, shape (n_units, V)
        Number of annotators who gave each value. Rows with one value count for chance agreement only, rows
        without any for nothing.
    domain : sequence, length V
        Admissible values, strictly increasing; numbers unless `weights` is identity.
    weights : {"identity", "ordinal", "linear", "quadratic"}
        As in `agreement_weights`.
    clusters : array_like, shape (n_units,), optional
        Units with the same label are taken to be drawn together.
    confidence : float
        Level of the t interval, with one degree of freedom less than units (clusters) with two values.

    Returns
    -------
    ChanceCorrected
        At most 1, and defined even when all values are equal (then 1). Undefined without a unit that has two
        values and for a domain of one value; without an interval when there is one unit.

    Raises
    ------
    ValueError
        If shapes do not fit, counts are negative or fractional, the domain is not increasing, or the
        weighting is unknown.

    Notes
    -----
    p_a = mean over units with n_u >= 2 of sum_k n_uk (n*_uk - 1) / (n_u (n_u - 1)), n*_uk = sum_l w_kl n_ul;
    p_e = sum(w) / (V (V - 1)) sum_k p_k (1 - p_k), p_k the mean share of value k over all rated units;
    AC = (p_a - p_e) / (1 - p_e). The variance is that of the units' influences: with N units, N' of them with
    two values, (N / N') [n_u >= 2] (p_au - p_a) / (1 - p_e) from what was observed, and from chance
    -(1 - AC) / (1 - p_e) times twice the unit's part of p_e less p_e. Gwet gives units with a single value a part
    in p_a too, which makes the standard error too large where they are many; without such units it is his.

    References
    ----------
    Gwet (2008), British Journal of Mathematical and Statistical Psychology 61:29-48. Gwet (2014), Handbook of
    Inter-Rater Reliability, 4th edition.
    """

    def chance_agreement(shares: FloatArray, w: FloatArray) -> tuple[float, FloatArray]:
        mean, scale = shares.mean(axis=0), w.sum() / (len(w) * (len(w) - 1))
        each = scale * (shares @ (1 - mean))
        expected = float(scale * (mean * (1 - mean)).sum())
        return expected, 2 * (each - expected)

    return _corrected(counts, domain, weights, clusters, confidence, chance_agreement)


def fleiss_kappa(
    counts: npt.ArrayLike,
    domain: Domain,
    weights: Weighting = "identity",
    *,
    clusters: npt.ArrayLike | None = None,
    confidence: float = 0.95,
) -> ChanceCorrected:
    """Return Fleiss' kappa, weighted or not, with its linearized standard error.

    Parameters
    ----------
    counts, domain, weights, clusters, confidence
        As in `gwet_ac`.

    Returns
    -------
    ChanceCorrected
        At most 1. Undefined without a unit that has two values and when all values are equal.

    Notes
    -----
    As `gwet_ac`, with p_e = sum_kl w_kl p_k p_l. Annotators are taken to be interchangeable; with two of them
    this is Scott's pi. The standard error does not assume that there is no agreement, as Fleiss' of 1971 does.

    References
    ----------
    Fleiss (1971), Psychological Bulletin 76:378-382; missing values and variance after Gwet (2014), Handbook
    of Inter-Rater Reliability, 4th edition.
    """

    def chance_agreement(shares: FloatArray, w: FloatArray) -> tuple[float, FloatArray]:
        mean = shares.mean(axis=0)
        expected = float(mean @ w @ mean)
        return expected, 2 * (shares @ (w @ mean) - expected)

    return _corrected(counts, domain, weights, clusters, confidence, chance_agreement)


def brennan_prediger(
    counts: npt.ArrayLike,
    domain: Domain,
    weights: Weighting = "identity",
    *,
    clusters: npt.ArrayLike | None = None,
    confidence: float = 0.95,
) -> ChanceCorrected:
    """Return Brennan and Prediger's coefficient, weighted or not, with its standard error.

    Parameters
    ----------
    counts, domain, weights, clusters, confidence
        As in `gwet_ac`. The domain matters: a value nobody gave lowers chance agreement.

    Returns
    -------
    ChanceCorrected
        At most 1. Undefined without a unit that has two values and for a domain of one value.

    Notes
    -----
    As `gwet_ac`, with p_e = sum(w) / V^2: chance spreads evenly over the domain.

    References
    ----------
    Brennan and Prediger (1981), Educational and Psychological Measurement 41:687-699; variance after Gwet
    (2014), Handbook of Inter-Rater Reliability, 4th edition.
    """

    def chance_agreement(shares: FloatArray, w: FloatArray) -> tuple[float, FloatArray]:
        return float(w.sum() / len(w) ** 2), np.zeros(len(shares))

    return _corrected(counts, domain, weights, clusters, confidence, chance_agreement)


def _corrected(
    counts: npt.ArrayLike,
    domain: Domain,
    weights: Weighting,
    clusters: npt.ArrayLike | None,
    confidence: float,
    chance_agreement: _Chance,
) -> ChanceCorrected:
    """Return the coefficient of one model of chance."""
    level: Level = "nominal" if weights == "identity" else "interval"
    table, values, groups = checked_counts(counts, domain, level, clusters, confidence, least=1)
    pairable = table.sum(axis=1) >= 2
    if not pairable.any():
        return ChanceCorrected.undefined(NO_PAIRS, 0, confidence)
    n = len(np.unique(groups[pairable]))
    if len(values) < 2:
        return ChanceCorrected.undefined(_ONE_VALUE, n, confidence)
    w = agreement_weights(values.tolist(), weights)
    chance = chance_agreement(table / table.sum(axis=1, keepdims=True), w)
    return corrected(observed_agreement(table, w), chance, (groups, n), confidence)


def observed_agreement(table: FloatArray, w: FloatArray) -> tuple[float, FloatArray]:
    """Return the mean agreement of units that have pairs, and what each unit adds to it: nothing without a pair."""
    size = table.sum(axis=1)
    pairable = size >= 2
    agreeing = (table * (table @ w - 1)).sum(axis=1) / np.where(pairable, size * (size - 1), 1)
    mean = float(agreeing[pairable].mean())
    return mean, np.where(pairable, agreeing - mean, 0.0) * (len(size) / int(pairable.sum()))


def corrected(
    observed_part: tuple[float, FloatArray],
    expected_part: tuple[float, FloatArray],
    units: tuple[npt.NDArray[np.int64], int],
    confidence: float,
) -> ChanceCorrected:
    """Return the coefficient of observed and expected agreement, each with what every unit adds to it.

    `units` are the group of each unit and the number of groups that have pairs.
    """
    (observed, on_observed), (expected, on_expected), (groups, n) = observed_part, expected_part, units
    if expected >= 1 - 1e-12:
        empty = ChanceCorrected.undefined(_ALL_BY_CHANCE, n, confidence)
        return replace(empty, observed=observed, expected=expected)
    point = (observed - expected) / (1 - expected)
    influence = (on_observed - (1 - point) * on_expected) / (1 - expected)
    error = clustered_error(influence, groups) if n > 1 else None
    interval = t_interval(point, error, n - 1, n, confidence, reason=ONE_UNIT)
    return ChanceCorrected(
        interval.estimate,
        interval.low,
        interval.high,
        n,
        interval.reason,
        confidence,
        interval.standard_error,
        observed,
        expected,
    )
