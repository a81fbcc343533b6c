"""What the data say of one scorer to people like these, and to these people: intervals, verdict, reason."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from scipy import stats

from judging.stats.audit.shapes import ShapeReplicates, Shapes
from judging.stats.audit.shared_error import SharedError
from judging.stats.audit.slopes import Jackknifed, p_values, robust_interval, robust_t
from judging.stats.audit.verdict import THESE, WEAK, Scope, Underrating, Verdict, rule
from judging.stats.audit.words import (
    WEAK_MEASURE,
    apart,
    corroboration_words,
    explained,
    no_interval,
    selection_words,
    these_words,
    unbounded,
    would_acquit,
)
from judging.stats.core.estimate import Estimate
from judging.stats.core.jackknife import Variance

S = TypeVar("S", bound=Scope)

NO_SHAPES = "Two measures of unusualness that correct each other have no such slope."


def both_scopes(
    result: Underrating,
    slopes: Jackknifed,
    shapes: tuple[ShapeReplicates, int] | None,
    *,
    can_acquit: bool,
) -> Underrating:
    """Return the result with verdicts for people like these and for the people of the study.

    Parameters
    ----------
    result : Underrating
        With all that does not depend on a scope.
    slopes : Jackknifed
        The pooled slope.
    shapes : tuple of ShapeReplicates and int, or None
        Slopes of other shapes, and which score; None with two measures of unusualness.
    can_acquit : bool
        Whether unusualness is measured well enough to say that there is no underrating.

    Returns
    -------
    Underrating
    """
    these = _measured(result.these_people, slopes.of_these_people(result.n_prompts), shapes)
    whole = _measured(result, slopes, shapes)
    fixed = slopes.of_these_people(result.n_prompts)
    these = _judged(whole, these, fixed, shapes, can_acquit)
    whole = _judged(whole, whole, slopes, shapes, can_acquit)
    # The wider claim is the one that shared error threatens first.
    if whole.verdict is Verdict.CANT_TELL:
        these = _tipped(these, fixed, shapes)
    else:
        whole = _tipped(whole, slopes, shapes)
    return replace(whole, these_people=these, reason=_both_reasons(whole.reason, these))


def _both_reasons(reason: str, these: Scope) -> str:
    """Return the reason for people like these, and what holds for the people of the study if it is something else."""
    return reason if these.reason == reason else f"{reason} {these_words(these)}"


def _measured(scope: S, slopes: Jackknifed, shapes: tuple[ShapeReplicates, int] | None) -> S:
    """Return a scope with its slopes, intervals and strength."""
    if shapes is None:
        curves = Shapes.undefined(NO_SHAPES, slopes.n, slopes.confidence)
    else:
        curves = shapes[0].shapes(shapes[1], len(slopes.parts), slopes.df, slopes.confidence)
    return measured(replace(scope, shapes=curves), slopes, two=shapes is None)


def measured(scope: S, slopes: Jackknifed, *, two: bool = False) -> S:
    """Return a scope with its slope, intervals and strength.

    Parameters
    ----------
    scope : Scope
        Whom it speaks for.
    slopes : Jackknifed
        The slope of all data and of its replicates.
    two : bool
        Whether two measures of unusualness correct each other.

    Returns
    -------
    Scope
    """
    slope, variance = slopes.estimate("unusual", -1.0), slopes.variance("unusual")
    strength, _, _ = slopes.strength(second=two)
    scope = replace(scope, underrating=slope, strength=strength)
    if not two:
        scope = replace(scope, robust=robust_interval(slopes))
    if variance is None or slopes.df < 1 or slope.estimate is None:
        return scope
    error = math.sqrt(variance.total)
    quantiles = stats.t.ppf([(1 + slopes.confidence) / 2, 0.8], slopes.df)
    return replace(
        scope, standard_error=error, smallest_detectable=float(np.sum(quantiles)) * error,
        **_decision(scope, slopes, error, two=two),
    )  # fmt: skip


def _decision(scope: Scope, slopes: Jackknifed, error: float, *, two: bool) -> dict[str, Any]:
    """Return the interval that decides, and the p values of its test."""
    slope = scope.underrating
    t = None if two else robust_t(slopes)
    if t is None:
        both, one = p_values(slope.estimate or 0.0, error, slopes.df)
    else:
        both, one = p_values(t, 1.0, slopes.df)
    ends = scope.robust
    if two and slope.low is not None and slope.high is not None:
        ends = (slope.low, slope.high) if (scope.strength or 0.0) >= WEAK else None
    return {"decisive": ends, "p": both, "p_one_sided": one}


def _judged(
    result: Underrating,
    scope: S,
    slopes: Jackknifed,
    shapes: tuple[ShapeReplicates, int] | None,
    can_acquit: bool,
) -> S:
    """Return a scope with its verdict and its reason."""
    if scope.underrating.low is None or scope.strength is None:
        return cannot(scope, no_interval(result, scope, slopes.hinges))
    _, identification, measures_weak = slopes.strength(second=shapes is None)
    if scope.decisive is None:
        if measures_weak:
            return cannot(scope, apart(scope))
        return cannot(scope, unbounded(result, scope, _remedy(identification)), keep=True)
    if result.selection is not None and abs(result.selection) > 2:
        return cannot(scope, selection_words(result.selection), keep=True)
    verdict, good_alone = rule(scope, can_acquit=can_acquit)
    scope = replace(scope, verdict=verdict, good_alone=good_alone)
    return replace(scope, reason=explained(scope, slopes.variance("unusual")))


def _tipped(scope: S, slopes: Jackknifed, shapes: tuple[ShapeReplicates, int] | None) -> S:
    """Return a scope with how much shared error its verdict withstands."""
    if shapes is None:
        return scope
    error = SharedError(*shapes, n_parts=len(slopes.parts), df=slopes.df, confidence=slopes.confidence)
    return replace(scope, tipping_point=error.tipping_point(scope))


def _remedy(variance: Variance | None) -> str:
    return variance.remedy if variance else "annotators"


def cannot(scope: S, reason: str, *, keep: bool = False) -> S:
    """Return a scope with the verdict "can't tell" and the reason on every estimate that is missing."""
    names = ["underrating"]
    if isinstance(scope, Underrating):
        names += ["raw", "naive", "total", "human", "human_raw"]
    given: dict[str, Estimate] = {name: getattr(scope, name) for name in names}
    missing = {name: replace(e, reason=reason) for name, e in given.items() if e.low is None}
    ends = {} if keep else {"decisive": None}
    return replace(
        scope, **missing, **ends, verdict=Verdict.CANT_TELL, good_alone=False, reason=reason  # type: ignore[arg-type]
    )  # fmt: skip


def blank_scope(people: str, n: int, smallest_effect: float, confidence: float) -> dict[str, Any]:
    """Return the fields of a scope before anything is estimated."""
    reason = "Not estimated."
    return {
        "people": people, "underrating": Estimate.undefined(reason, n, confidence), "robust": None, "decisive": None,
        "p": None, "p_one_sided": None, "standard_error": None, "smallest_detectable": None, "strength": None,
        "shapes": Shapes.undefined(reason, n, confidence), "smallest_effect": smallest_effect,
        "verdict": Verdict.CANT_TELL, "good_alone": False, "reason": reason, "tipping_point": None,
    }  # fmt: skip


def cannot_at_all(result: Underrating, reason: str) -> Underrating:
    """Return the result with the verdict "can't tell" in both scopes."""
    return replace(cannot(result, reason), these_people=cannot(result.these_people, reason))


def these_people(n: int, smallest_effect: float, confidence: float) -> Scope:
    """Return the scope of the people of a study before anything is estimated."""
    return Scope(**blank_scope(THESE, n, smallest_effect, confidence))


def corroborated(result: Underrating, twos: Mapping[str, Underrating]) -> Underrating:
    """Return the result of one measure of unusualness with what others say that correct it.

    Parameters
    ----------
    result : Underrating
        Of the first measure alone.
    twos : mapping of str to Underrating
        By name of a second measure: of both, each the other's instrument.

    Returns
    -------
    Underrating
        With a note of each second slope.

    Notes
    -----
    Acquitted where it would be if its measure were known to be reliable, and with a second one it is, and with none
    underrated: of the larger of the effects they rule out (judging/stats/README.md, section 4.6 (h)).
    """
    notes = tuple(corroboration_words(two, measure) for measure, two in twos.items())
    if any(two.verdict in (Verdict.UNDERRATES, Verdict.DEPENDS) for two in twos.values()):
        return replace(result, notes=result.notes + notes)
    these = _acquitted(result.these_people, [two.these_people for two in twos.values()])
    whole = _acquitted(result, list(twos.values()))
    if whole.verdict is not result.verdict or these.verdict is not result.these_people.verdict:
        notes = (*(note for note in result.notes if note != WEAK_MEASURE), *notes)
    else:
        notes = result.notes + notes
    reason = result.reason.replace(these_words(result.these_people), these_words(these))
    if whole.verdict is not result.verdict:
        reason = _both_reasons(whole.reason, these)
    return replace(whole, these_people=these, notes=notes, reason=reason)


def _acquitted(scope: S, twos: Sequence[Scope]) -> S:
    one = scope.excluded_effect
    ruled_out = [two.excluded_effect or math.inf for two in twos if two.verdict is Verdict.NO_UNDERRATING]
    if not would_acquit(scope) or one is None or not ruled_out:
        return scope
    factor = scope.attenuation * one / max(one, min(ruled_out))
    scope = replace(scope, verdict=Verdict.NO_UNDERRATING, attenuation=factor)
    return replace(scope, reason=explained(scope, None))
