"""The audit where its assumptions break: which verdicts it gives, and whether they are right."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from judging.stats.audit.simulation import StudyModel, simulated_study
from judging.stats.audit.twists import Twist
from judging.stats.audit.underrating import underratings
from judging.stats.audit.validation import each_study, share_of
from judging.stats.audit.verdict import Scope, Verdict, sign

BASE = StudyModel(40, 12, 40, 10, quality=0.5)


@dataclass(frozen=True, slots=True)
class Condition:
    """A model and what is planted in it.

    Parameters
    ----------
    model : StudyModel
        What studies are drawn from.
    effect : float
        Underrating planted.
    second : bool
        Whether the audit uses the second measure of unusualness.
    reliability : float or None
        What the audit is told of the reliability of unusualness.
    these_people : bool
        Whether it is the verdict for the people of the study that is looked at, and its own target.
    """

    model: StudyModel
    effect: float = 0.0
    second: bool = False
    reliability: float | None = 1.0
    these_people: bool = False


def _broken(twist: Twist, effect: float = 0.0, **how: object) -> Condition:
    return replace(Condition(replace(BASE, twist=twist), effect), **how)  # type: ignore[arg-type]


_FEW = {
    "60 × 11, 3 annotators rate all": StudyModel(60, 11, 3, 3, quality=0.5, noise=0.9),
    "60 × 11, 5 annotators rate all": StudyModel(60, 11, 5, 5, quality=0.5, noise=0.9),
    "60 × 11, 8 annotators rate all": StudyModel(60, 11, 8, 8, quality=0.5, noise=0.9),
    "60 × 11 × 3 of 5, drawn for each response": StudyModel(
        60, 11, 5, 3, quality=0.5, noise=0.9, by_item=True
    ),
    "60 × 11 × 3 of 8, drawn for each response": StudyModel(
        60, 11, 8, 3, quality=0.5, noise=0.9, by_item=True
    ),
}
_WEAK = {
    "20 × 10 × 5 of 10": StudyModel(20, 10, 10, 5),
    "15 × 7 × 5 of the same 5": StudyModel(15, 7, 5, 5),
    "30 × 8 × 3 of 30": StudyModel(30, 8, 30, 3),
    "12 × 12 × 4 of 20": StudyModel(12, 12, 20, 4),
}

CONDITIONS: dict[str, Condition] = {
    "base": Condition(BASE),
    "base, planted 0.1": Condition(BASE, 0.1),
    "base, planted 0.3": Condition(BASE, 0.3),
    "score flat above average, only bad answers unusual": _broken(
        Twist("flat above average", "high only for bad")
    ),
    "score flat above average, only the best unusual": _broken(
        Twist("flat above average", "high only for the best")
    ),
    "only the best told apart, only bad answers unusual": _broken(
        Twist("only the best told apart", "high only for bad")
    ),
    "concave score, u-shaped unusualness": _broken(Twist("concave", "u-shaped")),
    "more valid where unusual answers are worse": _broken(Twist(varying=0.4)),
    "error shared by all annotators, SD 0.25": _broken(Twist(shared_error=0.25)),
    "error shared by all annotators, SD 0.5": _broken(Twist(shared_error=0.5)),
    "annotators talk in threes": _broken(Twist(huddle=0.5)),
    "each prompt rated by one of two camps": _broken(Twist(camps=0.3)),
    "annotators choose items by taste": _broken(Twist(choosy=1.0)),
    "unusual and disliked answers passed over": _broken(Twist(passing=0.8)),
    "unusualness of reliability 0.7, planted 0.3": _broken(Twist(reliability=0.7), 0.3, reliability=None),
    "unusualness of reliability 0.4, planted 0.3": _broken(Twist(reliability=0.4), 0.3, reliability=None),
    "the same, two measures": _broken(Twist(reliability=0.4), 0.3, second=True),
    "heavy-tailed score": _broken(Twist(tails=2.1)),
    "good unusual answers down by 0.3, bad ones up": _broken(Twist(interaction=0.3)),
    **{f"{name}, planted {x:g}": Condition(m, x) for name, m in _WEAK.items() for x in (0.0, 0.3)},
    **{f"{name} (these people)": Condition(m, these_people=True) for name, m in _FEW.items()},
}
"""40 × 12 × 10 of 40 with the SD of quality 0.5, unless the name says otherwise; unusualness is known to be measured
well unless it is not."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the audit says of one study.

    Parameters
    ----------
    verdict : str
        One of `VERDICTS`.
    estimate, target : float
        Pooled slope, and what it should be.
    ends : tuple of float or None
        The interval that decides.
    pooled : int
        On which side of zero the pooled slope's jackknife interval lies.
    tipping_point : float or None
        Share of shared error that turns the verdict.
    excluded : float or None
        Least underrating that is ruled out.
    """

    verdict: str
    estimate: float
    target: float
    ends: tuple[float, float] | None
    pooled: int
    tipping_point: float | None
    excluded: float | None


GOOD = "underrates good unusual answers"
VERDICTS = (*(str(v) for v in Verdict), GOOD)


def outcome(condition: Condition, seed: Sequence[int]) -> Outcome:
    """Return what the audit says of a study drawn with this seed.

    Parameters
    ----------
    condition : Condition
        What it is drawn from.
    seed : sequence of int
        Of the random numbers.

    Returns
    -------
    Outcome
    """
    study = simulated_study(condition.model, [condition.effect], np.random.default_rng(seed))
    scorer = study.scorers[0]
    result = underratings(
        study.ratings, study.responses, [scorer], covariates=(),
        second="second" if condition.second else None,
        unusualness_reliability=None if condition.second else condition.reliability,
    )[scorer]  # fmt: skip
    scope: Scope = result.these_people if condition.these_people else result
    target = condition.effect
    if condition.these_people:
        target += condition.model.validity * study.mean_taste / condition.model.quality
    estimate = scope.underrating.estimate
    return Outcome(
        GOOD if scope.good_alone else str(scope.verdict), math.nan if estimate is None else estimate, target,
        scope.decisive, sign(scope.underrating), scope.tipping_point, scope.excluded_effect,
    )  # fmt: skip


def outcomes(condition: Condition, *, studies: int, seed: int = 1, jobs: int = 1) -> list[Outcome]:
    """Return what the audit says of many studies of one condition, in their order, however many jobs."""
    return each_study(partial(outcome, condition), studies, seed, jobs)


@dataclass(frozen=True, slots=True)
class ConditionLine:
    """How the audit does under one condition; each `*_error` is a Monte-Carlo error.

    Parameters
    ----------
    condition : str
        Its name in `CONDITIONS`.
    effect : float
        Planted underrating.
    n : int
        Number of studies.
    bias, bias_error : float
        Mean of the pooled slope less its target.
    pooled_alarms : float
        Share of studies in which the pooled slope's interval alone lies off zero.
    wrong, wrong_error : float
        Share of wrong verdicts: "underrates" or "overrates" where nothing is planted; "overrates" or no underrating of
        less than planted where something is.
    found, found_error : float
        Share of "underrates", of all answers or the good ones.
    coverage, coverage_error : float or None
        Of the interval that decides, among studies where it has ends.
    bounded : float
        Share of studies where it has.
    verdicts : mapping of str to float
        Share of each verdict.
    tipping_point : float or None
        Median share of shared error that "underrates" and "overrates" withstand.
    claim_holds : float or None
        Of those where error is shared: share whose tipping point is not above the true share, so that what they say is
        true.
    """

    condition: str
    effect: float
    n: int
    bias: float
    bias_error: float
    pooled_alarms: float
    wrong: float
    wrong_error: float
    found: float
    found_error: float
    coverage: float | None
    coverage_error: float | None
    bounded: float
    verdicts: dict[str, float]
    tipping_point: float | None
    claim_holds: float | None


def condition_line(name: str, condition: Condition, results: Sequence[Outcome]) -> ConditionLine:
    """Return how the audit does, from what it says of studies of a condition."""
    errors = np.array([r.estimate - r.target for r in results])
    errors = errors[np.isfinite(errors)]
    convicted = [r for r in results if r.verdict in (Verdict.UNDERRATES, Verdict.OVERRATES, GOOD)]
    covered = np.array(
        [r.ends[0] <= r.target <= r.ends[1] for r in results if r.ends is not None], dtype=bool
    )
    underrated = np.array([r.verdict in (Verdict.UNDERRATES, GOOD) for r in results])
    wrong = np.array([_wrong(r, condition) for r in results])
    points = [r.tipping_point for r in convicted if r.tipping_point is not None]
    share = shared_share(condition.model)
    holds = [r.tipping_point is not None and r.tipping_point <= share for r in convicted] if share else []
    counts = Counter(r.verdict for r in results)
    coverage = share_of(covered)
    return ConditionLine(
        condition=name, effect=condition.effect, n=len(results), bias=float(errors.mean()),
        bias_error=float(errors.std(ddof=1) / math.sqrt(errors.size)),
        pooled_alarms=float(np.mean([r.pooled != 0 for r in results])),
        wrong=float(wrong.mean()), wrong_error=share_of(wrong)[1] or 0.0,
        found=float(underrated.mean()), found_error=share_of(underrated)[1] or 0.0,
        coverage=coverage[0], coverage_error=coverage[1], bounded=len(covered) / len(results),
        verdicts={v: counts[v] / len(results) for v in VERDICTS},
        tipping_point=float(np.median(points)) if points else None,
        claim_holds=float(np.mean(holds)) if holds else None,
    )  # fmt: skip


def _wrong(result: Outcome, condition: Condition) -> bool:
    """Whether a verdict is wrong; that of these people where annotators' tastes are the target, only against it."""
    side = {Verdict.UNDERRATES: 1, GOOD: 1, Verdict.OVERRATES: -1}.get(result.verdict, 0)
    if condition.model.twist.interaction:
        return side < 0
    if condition.these_people:
        return side != 0 and side * result.target <= 0
    if condition.effect == 0:
        return side != 0
    acquitted = result.verdict == Verdict.NO_UNDERRATING
    return side < 0 or (acquitted and result.excluded is not None and result.excluded <= condition.effect)


def shared_share(model: StudyModel) -> float:
    """Return which share of what annotators agree on is error that they share."""
    return model.twist.shared_error**2 / (model.quality**2 + model.twist.shared_error**2)
