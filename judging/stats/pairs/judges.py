"""How steady a machine judge is: asked again, asked in other words, by position and by length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from judging.stats.agreement.icc import Icc, icc
from judging.stats.core.estimate import (
    BoolArray,
    Estimate,
    FloatArray,
    as_share,
    clustered_error,
    unbounded_t_interval,
)

LENGTHS_DIFFER = 30
"""Characters; below it two responses count as equally long, as in AlpacaEval's analysis."""


def clustered_mean(
    values: npt.ArrayLike,
    prompt: npt.ArrayLike,
    *,
    confidence: float = 0.95,
    why_none: str = "Nothing was answered.",
) -> Estimate:
    """Return a mean over responses or pairs, whole prompts taken as drawn.

    Parameters
    ----------
    values : array_like of float, shape (n,)
        NaN is left out.
    prompt : array_like, shape (n,)
        Label of the prompt of each.
    confidence : float
        Level of the t interval, with as many degrees of freedom as there are prompts less one.
    why_none : str
        Why there may be no value.

    Returns
    -------
    Estimate
        n counts values. Undefined without any; without an interval for a single prompt.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    numbers, labels = np.asarray(values, dtype=np.float64), np.asarray(prompt)
    if numbers.shape != labels.shape or numbers.ndim != 1:
        raise ValueError("values and prompt must be one-dimensional and equally long.")
    known = ~np.isnan(numbers)
    numbers, labels = numbers[known], labels[known]
    if not len(numbers):
        return Estimate.undefined(why_none, 0, confidence)
    groups = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    mean = float(numbers.mean())
    error = clustered_error(numbers - mean, groups)
    if error is None:
        return Estimate(mean, None, None, len(numbers), "All are of one prompt.", confidence)
    return unbounded_t_interval(mean, error, int(groups.max()), len(numbers), confidence)


@dataclass(frozen=True, slots=True)
class Retest:
    """What a judge says when it is asked the same again.

    Parameters
    ----------
    same : Estimate
        Share of responses or pairs with the same answer every time.
    spread : Estimate
        Mean standard deviation of the answers to one, in units of the score.
    icc : Icc
        ICC1 of a single answer: 1 if only the responses differ, 0 if only chance speaks.
    """

    same: Estimate
    spread: Estimate
    icc: Icc


def retest(scores: npt.ArrayLike, prompt: npt.ArrayLike, *, confidence: float = 0.95) -> Retest:
    """Return how far a judge agrees with itself.

    Parameters
    ----------
    scores : array_like of float, shape (n, k)
        One row a response or pair, one column a time; rows with a missing answer (NaN) are left out.
    prompt : array_like, shape (n,)
        Label of the prompt of each row.
    confidence : float
        Level of the intervals.

    Returns
    -------
    Retest

    Raises
    ------
    ValueError
        If there are not at least two columns, or the shapes do not fit.
    """
    table, labels = np.asarray(scores, dtype=np.float64), np.asarray(prompt)
    if table.ndim != 2 or table.shape[1] < 2 or labels.shape != table.shape[:1]:
        raise ValueError("scores must have one row a label of prompt, and two columns or more.")
    whole = ~np.isnan(table).any(axis=1)
    table, labels = table[whole], labels[whole]
    same = (np.ptp(table, axis=1) < 1e-9).astype(np.float64) if len(table) else np.zeros(0)
    spread = table.std(axis=1, ddof=1) if len(table) else np.zeros(0)
    return Retest(
        clustered_mean(same, labels, confidence=confidence),
        clustered_mean(spread, labels, confidence=confidence),
        icc(table, "ICC1", confidence=confidence),
    )


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What another wording of the rubric changes.

    Parameters
    ----------
    shift : Estimate
        Mean difference to the rubric as it is, in units of the score.
    agreement : Icc
        ICC3 of both wordings: how far they order the responses alike, shifts apart.
    """

    shift: Estimate
    agreement: Icc


def template_sensitivity(
    base: npt.ArrayLike, other: npt.ArrayLike, prompt: npt.ArrayLike, *, confidence: float = 0.95
) -> Sensitivity:
    """Return how another wording of the rubric moves a judge's scores.

    Parameters
    ----------
    base, other : array_like of float, shape (n,)
        Scores of the same responses by the rubric and by its paraphrase; NaN where one failed.
    prompt : array_like, shape (n,)
        Label of the prompt of each.
    confidence : float
        Level of the intervals.

    Returns
    -------
    Sensitivity
    """
    both = np.column_stack([np.asarray(base, dtype=np.float64), np.asarray(other, dtype=np.float64)])
    shift = clustered_mean(both[:, 1] - both[:, 0], prompt, confidence=confidence)
    return Sensitivity(shift, icc(both, "ICC3", confidence=confidence))


@dataclass(frozen=True, slots=True)
class Position:
    """What the order of two responses does to a judge.

    Parameters
    ----------
    consistent : Estimate
        Share of pairs with the same winner (or a tie) in both orders.
    first : Estimate
        Share of choices that fall on the response shown first, ties as halves; .5 without bias.
    bias : Estimate
        Mean preference for what is shown first, from -1 to 1; 0 without bias.
    """

    consistent: Estimate
    first: Estimate
    bias: Estimate


def position_bias(
    original_order: npt.ArrayLike,
    reversed_order: npt.ArrayLike,
    prompt: npt.ArrayLike,
    *,
    confidence: float = 0.95,
) -> Position:
    """Return how a judge's choice follows the order in which responses are shown.

    Parameters
    ----------
    original_order, reversed_order : array_like of float, shape (n,)
        Preference for the same response of each pair, shown first and shown second, from -1 to 1; pairs not asked
        in both orders (NaN) are left out.
    prompt : array_like, shape (n,)
        Label of the prompt of each pair.
    confidence : float
        Level of the intervals.

    Returns
    -------
    Position

    Raises
    ------
    ValueError
        If a preference is infinite.

    Notes
    -----
    Each pair stands in both places, so what is better in it drops out: bias = mean (straight - swapped) / 2.
    """
    in_original, in_reversed = (
        np.asarray(original_order, dtype=np.float64),
        np.asarray(reversed_order, dtype=np.float64),
    )
    if np.isinf(in_original).any() or np.isinf(in_reversed).any():
        raise ValueError("A preference must not be infinite.")
    answered = ~(np.isnan(in_original) | np.isnan(in_reversed))
    labels, in_original, in_reversed = (
        np.asarray(prompt)[answered],
        in_original[answered],
        in_reversed[answered],
    )
    consistent = (np.sign(in_original) == np.sign(in_reversed)).astype(np.float64)
    first = (2 + np.sign(in_original) - np.sign(in_reversed)) / 4
    return Position(
        as_share(clustered_mean(consistent, labels, confidence=confidence)),
        as_share(clustered_mean(first, labels, confidence=confidence)),
        clustered_mean((in_original - in_reversed) / 2, labels, confidence=confidence),
    )


def prefers_longer(
    preference: npt.ArrayLike,
    first_length: npt.ArrayLike,
    second_length: npt.ArrayLike,
    prompt: npt.ArrayLike,
    *,
    confidence: float = 0.95,
) -> Estimate:
    """Return the share of pairs of unequal length in which the longer response wins, ties as halves.

    Parameters
    ----------
    preference : array_like of float, shape (n,)
        For the first response, from -1 to 1; NaN is left out.
    first_length, second_length : array_like of float, shape (n,)
        Characters; pairs that differ by `LENGTHS_DIFFER` or less are left out.
    prompt : array_like, shape (n,)
        Label of the prompt of each pair.
    confidence : float
        Level of the interval.

    Returns
    -------
    Estimate
        .5 if length goes with nothing. Longer responses may be better, so a share above .5 is a bias only as far
        as it exceeds that of people judging the same pairs.

    References
    ----------
    AlpacaEval, ``analyze.py``.
    """
    lead = np.asarray(first_length, dtype=np.float64) - np.asarray(second_length, dtype=np.float64)
    unequal: BoolArray = np.abs(lead) > LENGTHS_DIFFER
    wins: FloatArray = (1 + np.sign(np.asarray(preference, dtype=np.float64)) * np.sign(lead)) / 2
    why = _no_pairs(~np.isnan(wins))
    return as_share(
        clustered_mean(wins[unequal], np.asarray(prompt)[unequal], confidence=confidence, why_none=why)
    )


def _no_pairs(answered: BoolArray) -> str:
    """Return why no pair says anything about length."""
    if not answered.any():
        return "Nothing was answered."
    return f"No pair that was answered differs in length by more than {LENGTHS_DIFFER} characters."


@dataclass(frozen=True, slots=True)
class Verbosity:
    """How often the longer response wins. Each `n` counts the pairs that differ in length.

    Parameters
    ----------
    judge, people : Estimate
        Share of the same pairs in which the judge and the annotators prefer the longer one, ties as halves.
    excess : Estimate
        The first less the second: what the judge likes about length beyond what people do.
    """

    judge: Estimate
    people: Estimate
    excess: Estimate


def verbosity(
    preference: npt.ArrayLike,
    share: npt.ArrayLike,
    first_length: npt.ArrayLike,
    second_length: npt.ArrayLike,
    prompt: npt.ArrayLike,
    *,
    confidence: float = 0.95,
) -> Verbosity:
    """Return how much more a judge prefers longer responses than people do on the same pairs.

    Parameters
    ----------
    preference : array_like of float, shape (n,)
        Above 0 for the first response, below for the second, 0 for neither; NaN is left out.
    share : array_like of float, shape (n,)
        Share of annotators who prefer the first response, a tie as a half; NaN is left out.
    first_length, second_length : array_like of float, shape (n,)
        Characters; pairs that differ by `LENGTHS_DIFFER` or less are left out.
    prompt : array_like, shape (n,)
        Label of the prompt of each pair.
    confidence : float
        Level of the intervals.

    Returns
    -------
    Verbosity
        Undefined without a pair that both judged and whose lengths differ.

    Raises
    ------
    ValueError
        If the shapes differ or a number is infinite.

    Notes
    -----
    Longer responses may be better, and people may like length too, so what is above one half is a bias only as far as
    people of the same pairs do not go along. Intervals are of the pairs' differences and take prompts as drawn.

    References
    ----------
    AlpacaEval, ``analyze.py``, for the pairs that count; Zheng et al. (2023), Judging LLM-as-a-Judge, NeurIPS.
    """
    lead = np.asarray(first_length, dtype=np.float64) - np.asarray(second_length, dtype=np.float64)
    judged, people = np.asarray(preference, dtype=np.float64), np.asarray(share, dtype=np.float64)
    labels = np.asarray(prompt)
    if not judged.shape == people.shape == lead.shape == labels.shape:
        raise ValueError("preference, share, lengths and prompt must be equally long.")
    if np.isinf(judged).any() or np.isinf(people).any():
        raise ValueError("Preferences and shares must not be infinite.")
    answered: BoolArray = ~np.isnan(judged) & ~np.isnan(people)
    known = (np.abs(lead) > LENGTHS_DIFFER) & answered
    why = _no_pairs(answered)
    judge = (1 + np.sign(judged[known]) * np.sign(lead[known])) / 2
    crowd = np.where(lead[known] > 0, people[known], 1 - people[known])
    won, liked, beyond = (
        clustered_mean(values, labels[known], confidence=confidence, why_none=why)
        for values in (judge, crowd, judge - crowd)
    )
    return Verbosity(as_share(won), as_share(liked), beyond)
