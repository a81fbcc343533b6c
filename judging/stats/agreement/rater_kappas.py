"""Agreement beyond chance where it matters who said what: Conger's, Cohen's and Scott's coefficients."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from judging.stats.agreement.chance import ChanceCorrected, corrected, fleiss_kappa, observed_agreement
from judging.stats.core.counts import NO_PAIRS, Domain, checked_domain, value_counts
from judging.stats.core.estimate import BoolArray, FloatArray, IntArray, check_confidence
from judging.stats.core.weights import Weighting, agreement_weights


def conger_kappa(
    unit: npt.ArrayLike,
    annotator: npt.ArrayLike,
    value: npt.ArrayLike,
    domain: Domain,
    weights: Weighting = "identity",
    *,
    confidence: float = 0.95,
) -> ChanceCorrected:
    """Return Conger's kappa, Cohen's for any number of annotators, with its linearized standard error.

    Parameters
    ----------
    unit, annotator : array_like, shape (n,)
        Which unit each value belongs to and who gave it.
    value : array_like, shape (n,)
        The values; NaN and None are missing.
    domain : sequence, length V
        Admissible values, strictly increasing; numbers unless `weights` is identity.
    weights : {"identity", "ordinal", "linear", "quadratic"}
        As in `agreement_weights`.
    confidence : float
        Level of the t interval.

    Returns
    -------
    ChanceCorrected
        At most 1; `n` is the number of units with two or more values. Undefined without such a unit and when
        all values are equal.

    Raises
    ------
    ValueError
        If lengths differ, a label is missing, a value is outside the domain, an annotator gave two values
        to a unit, or the weighting is unknown.

    Notes
    -----
    p_a as in `gwet_ac`; p_e is the mean over ordered pairs of different annotators g, h of
    sum_kl w_kl p_gk p_hl, with p_gk the share of value k among all that annotator g gave. Unlike Fleiss'
    kappa it does not count different scale use as disagreement by chance. Annotators who gave few values
    weigh as much in p_e as the others: don't use it where most gave a handful.

    The influence of unit i on p_gk is (N / N_g) ([g said k] - [g rated i] p_gk), N units with a value, N_g
    of annotator g's.

    References
    ----------
    Conger (1980), Psychological Bulletin 88:322-328; Gwet (2014), Handbook of Inter-Rater Reliability, 4th
    edition, for missing values.
    """
    check_confidence(confidence)
    admissible, w = checked_domain(domain), agreement_weights(domain, weights)
    unit_code, person, code, _ = coded(unit, annotator, value, admissible)
    counts, size = _table(unit_code, code, len(admissible))
    n = int((size >= 2).sum())
    if n == 0:
        return ChanceCorrected.undefined(NO_PAIRS, 0, confidence)
    chance = _by_different_annotators(unit_code, person, code, w)
    return corrected(observed_agreement(counts, w), chance, (np.arange(len(size)), n), confidence)


def cohen_kappa(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    domain: Domain,
    weights: Weighting = "identity",
    *,
    confidence: float = 0.95,
) -> ChanceCorrected:
    """Return Cohen's kappa of two annotators, weighted or not, with its linearized standard error.

    Parameters
    ----------
    first, second : array_like, shape (n_units,)
        What the one and the other said of each unit; units with a missing value are left out.
    domain : sequence, length V
        Admissible values, strictly increasing; numbers unless `weights` is identity.
    weights : {"identity", "ordinal", "linear", "quadratic"}
        As in `agreement_weights`.
    confidence : float
        Level of the t interval.

    Returns
    -------
    ChanceCorrected
        As from `conger_kappa`.

    Raises
    ------
    ValueError
        If lengths differ, a value is outside the domain, or the weighting is unknown.

    Notes
    -----
    (p_a - p_e) / (1 - p_e) with p_e = sum_kl w_kl p_1k p_2l. The standard error is that of Fleiss, Cohen and
    Everitt times sqrt(n / (n - 1)).

    References
    ----------
    Cohen (1960), Educational and Psychological Measurement 20:37-46; Cohen (1968), Psychological Bulletin
    70:213-220; Fleiss, Cohen and Everitt (1969), Psychological Bulletin 72:323-327.
    """
    unit, who, value = _both(first, second)
    return conger_kappa(unit, who, value, domain, weights, confidence=confidence)


def scott_pi(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    domain: Domain,
    weights: Weighting = "identity",
    *,
    confidence: float = 0.95,
) -> ChanceCorrected:
    """Return Scott's pi of two annotators, weighted or not: Cohen's kappa with the shares of both pooled.

    Parameters
    ----------
    first, second, domain, weights, confidence
        As in `cohen_kappa`.

    Returns
    -------
    ChanceCorrected
        As from `fleiss_kappa`.

    References
    ----------
    Scott (1955), Public Opinion Quarterly 19:321-325.
    """
    unit, _, value = _both(first, second)
    return fleiss_kappa(value_counts(unit, value, domain)[0], domain, weights, confidence=confidence)


def _both(first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[IntArray, IntArray, npt.NDArray[np.generic]]:
    """Return the units both have a value for in long form: unit, annotator (0 or 1), value."""
    a, b = pd.Series(np.asarray(first)), pd.Series(np.asarray(second))
    if len(a) != len(b):
        raise ValueError(f"first and second differ in length: {len(a)} and {len(b)}.")
    both = (a.notna() & b.notna()).to_numpy()
    n = int(both.sum())
    value = pd.concat([a[both], b[both]]).to_numpy()
    return np.tile(np.arange(n), 2), np.repeat([0, 1], n), value


def coded(
    unit: npt.ArrayLike, annotator: npt.ArrayLike, value: npt.ArrayLike, admissible: pd.Index
) -> tuple[IntArray, IntArray, IntArray, BoolArray]:
    """Return unit, annotator and value of each rating that is not missing, as codes, and which rows these are."""
    frame = pd.DataFrame({"unit": np.asarray(unit), "who": np.asarray(annotator), "value": np.asarray(value)})
    if bool(frame[["unit", "who"]].isna().any(axis=None)):
        raise ValueError("Some unit or annotator labels are missing.")
    present = frame["value"].notna()
    complete = frame[present]
    if bool(complete.duplicated(["unit", "who"]).any()):
        raise ValueError("An annotator gave two values to the same unit.")
    code = admissible.get_indexer(pd.Index(complete["value"]))
    if (code < 0).any():
        raise ValueError(f"Value {complete['value'].to_numpy()[code < 0][0]!r} is outside the domain.")
    rows, people = (pd.factorize(complete[name], sort=True)[0] for name in ("unit", "who"))
    return rows.astype(np.int64), people.astype(np.int64), code.astype(np.int64), present.to_numpy()


def _table(unit: IntArray, code: IntArray, size: int) -> tuple[FloatArray, IntArray]:
    """Return how many gave each value to each unit, and how many values it has."""
    n = int(unit.max(initial=-1)) + 1
    counts = np.bincount(unit * size + code, minlength=n * size).reshape(n, size)
    return counts.astype(np.float64), counts.sum(axis=1)


def _by_different_annotators(
    unit: IntArray, person: IntArray, code: IntArray, w: FloatArray
) -> tuple[float, FloatArray]:
    """Return chance agreement of two different annotators and what each unit adds to it."""
    n, people = int(unit.max()) + 1, int(person.max()) + 1
    if people < 2:
        return 0.0, np.zeros(n)
    shares, counts = _table(person, code, len(w))
    shares /= counts[:, None]
    # What annotator g meets in the others: sum over h of W p_h, without his own.
    met = (shares.sum(axis=0) - shares) @ w
    expected = float((shares * met).sum() / (people * (people - 1)))
    mean = (shares * met).sum(axis=1)
    each = n / counts[person] * (met[person, code] - mean[person])
    added = np.bincount(unit, each, minlength=n) * 2 / (people * (people - 1))
    return expected, added
