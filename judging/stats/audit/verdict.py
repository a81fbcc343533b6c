"""The five verdicts, what an audit of one scorer found, and the words for it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from judging.stats.audit.slopes import Variance
from judging.stats.core.estimate import Estimate

WEAK = 3.2
"""Identification strength below which nothing is said: its square is below 10, the bar for instruments."""

BORDERLINE = 6.0
"""Identification strength below which coverage is nearer .9 than .95 among studies that pass `WEAK`."""


class Verdict(StrEnum):
    """What the data allow to say about a scorer."""

    UNDERRATES = "underrates"
    OVERRATES = "overrates"
    NO_UNDERRATING = "no underrating of x or more"
    UNDERPOWERED = "underpowered"
    CANT_TELL = "can't tell"


@dataclass(frozen=True, slots=True)
class Underrating:
    """What `underrating` found. Standardized means pooled within-prompt SDs; positive means marked down.

    Parameters
    ----------
    underrating : Estimate
        Fall of the score, in SDs, per SD of unusualness at equal true human quality. `n` counts responses.
    p, p_one_sided : float or None
        Of no effect, two-sided; and of no underrating, one-sided.
    standard_error : float or None
        Two-way (prompts and annotators), in the units of `underrating`.
    raw : Estimate
        The same fall in the scorer's own units per pooled within-prompt SD of unusualness.
    naive : Estimate
        The same slope with the human mean taken for true quality and a prompt-clustered interval: biased,
        shown for comparison.
    reliability : float or None
        Within-prompt reliability of the human mean, A_qq over the sum of its squares; negative when
        annotators agree less than by chance.
    correlation : float or None
        Within-prompt correlation of true quality and unusualness, disattenuated; None when quality is not
        identified well enough for it to lie between -1 and 1.
    predicted_naive_bias : float or None
        How far above the truth `naive` is expected to lie if there is no underrating; without covariates.
    covariate_coefficients : mapping of str to Estimate
        SDs of the score per SD of each covariate that was kept.
    total : Estimate
        Fall of the score per SD of unusualness whatever the quality, the covariates held constant.
    human, human_raw : Estimate
        Fall of human quality per SD of unusualness, the covariates held constant: in SDs of true quality, and
        in points of the ratings. Positive: people too like the usual better.
    robust : tuple of float or None
        Interval of `underrating` that does not need quality to be identified; None when it has no ends.
    strength : float or None
        Identification strength: true-quality variation left after unusualness and covariates, over its SE.
    effective_annotators : float or None
        1 / sum of squared shares of the ratings used.
    smallest_detectable : float or None
        Effect found with 80 % power at this standard error, in the units of `underrating`.
    n_prompts, n_responses, n_annotators, n_ratings : int
        What the estimate rests on.
    verdict : Verdict
        One of five.
    reason : str
        Why, and what would help, in plain sentences.
    borderline : bool
        Whether the strength is at least 3.2 but below 6.
    smallest_effect : float
        The effect that matters, as asked.
    n_incomplete, n_thin : int
        Responses left out for want of a score, unusualness or covariate; and for want of two ratings of
        theirs or of another response to the prompt.
    notes : tuple of str
        What was left out, in words.
    """

    underrating: Estimate
    p: float | None
    p_one_sided: float | None
    standard_error: float | None
    raw: Estimate
    naive: Estimate
    reliability: float | None
    correlation: float | None
    predicted_naive_bias: float | None
    covariate_coefficients: Mapping[str, Estimate]
    total: Estimate
    human: Estimate
    human_raw: Estimate
    robust: tuple[float, float] | None
    strength: float | None
    effective_annotators: float | None
    smallest_detectable: float | None
    n_prompts: int
    n_responses: int
    n_annotators: int
    n_ratings: int
    verdict: Verdict
    reason: str
    borderline: bool
    smallest_effect: float
    n_incomplete: int = 0
    n_thin: int = 0
    notes: tuple[str, ...] = ()

    @property
    def excluded_effect(self) -> float | None:
        """Smallest underrating the data speak against: the larger of detectable effect and upper end."""
        if self.smallest_detectable is None or self.underrating.high is None:
            return None
        return max(self.smallest_detectable, self.underrating.high)

    @property
    def verdict_text(self) -> str:
        """The verdict in words, with its number, rounded up, where it has one."""
        if self.verdict is Verdict.NO_UNDERRATING and self.excluded_effect is not None:
            return f"no underrating of {_round_up(self.excluded_effect):.2f} or more"
        return str(self.verdict)


def judged(
    result: Underrating,
    slope: Variance | None,
    identification: Variance | None,
    *,
    measures_weak: bool = False,
) -> Underrating:
    """Return the result with its verdict and reason, given the variances of slope and identification."""
    if result.underrating.low is None or result.strength is None:
        return cannot(result, _why_no_interval(result))
    if result.strength < WEAK:
        if measures_weak:
            return cannot(result, _apart_words(result))
        return cannot(result, _weak_words(result, identification.remedy if identification else "annotators"))
    verdict = _rule(result)
    result = replace(result, verdict=verdict, borderline=result.strength < BORDERLINE)
    return replace(result, reason=_words(result, slope.remedy if slope else "annotators"))


def _rule(result: Underrating) -> Verdict:
    """Return the verdict of a result that is identified and has an interval."""
    low, high, x = result.underrating.low, result.underrating.high, result.excluded_effect
    if low is None or high is None or x is None:
        return Verdict.CANT_TELL
    if low > 0:
        return Verdict.UNDERRATES
    if high < 0:
        return Verdict.OVERRATES
    return Verdict.NO_UNDERRATING if x <= result.smallest_effect else Verdict.UNDERPOWERED


def _round_up(x: float) -> float:
    """Return x rounded up to two decimals, forgiving rounding error in the ninth."""
    return math.ceil(x * 100 - 1e-7) / 100


def _why_no_interval(result: Underrating) -> str:
    """Return why a result has no interval or no strength."""
    if result.n_prompts < 2:
        return "Only one prompt: nothing shows how the result varies from prompt to prompt. Add prompts."
    if result.n_annotators < 3:
        return (
            "Only two annotators: without one of them no rating error can be seen, so there is no interval. "
            "Add annotators."
        )
    if result.underrating.estimate is None:
        return "Quality, unusualness and covariates can't be told apart here. Add annotators and prompts."
    if (result.effective_annotators or 0.0) < 2:
        return (
            f"One annotator gave nearly all ratings ({result.effective_annotators:.1f} annotators in effect), so "
            "nothing shows how annotators differ. Have others rate as much."
        )
    return (
        "The result hangs on a single prompt or annotator: without it there is none, so no honest interval. "
        "Spread the ratings over more annotators and prompts."
    )


def _weak_words(result: Underrating, remedy: str) -> str:
    """Return the reason when identification is too weak."""
    return (
        "The ratings do not pin true quality down well enough: "
        f"strength of identification {result.strength:.1f}, and {WEAK} is needed "
        f"({result.effective_annotators:.1f} annotators in effect, {result.n_prompts} prompts). "
        f"More {remedy} would help most."
    )


def _apart_words(result: Underrating) -> str:
    """Return the reason when two measures of unusualness have too little in common."""
    return (
        "The two measures of unusualness have too little in common to correct each other: "
        f"strength of identification {result.strength:.1f}, and {WEAK} is needed. "
        "Look at each measure alone, or have more pairs or originality judged."
    )


def _words(result: Underrating, remedy: str) -> str:
    """Return the reason of a verdict other than "can't tell"."""
    found = result.underrating
    if found.estimate is None or found.low is None or found.high is None or result.excluded_effect is None:
        return _why_no_interval(result)
    interval = f"{found.confidence * 100:g} % interval {found.low:.2f} to {found.high:.2f}"
    detectable = f"{_round_up(result.smallest_detectable or 0.0):.2f}"
    if result.verdict in (Verdict.UNDERRATES, Verdict.OVERRATES):
        way = "below" if result.verdict is Verdict.UNDERRATES else "above"
        text = (
            f"At equal human quality, a response one SD more unusual scores "
            f"{abs(found.estimate):.2f} SD {way} the others ({interval})."
        )
    elif result.verdict is Verdict.NO_UNDERRATING:
        text = (
            f"The interval includes zero ({interval}), and an underrating of "
            f"{_round_up(result.excluded_effect):.2f} SD or more would most likely have shown."
        )
    else:
        text = (
            f"The interval includes zero ({interval}), but these data would reliably find "
            f"only an effect of {detectable} SD or more, and {result.smallest_effect:g} matters. "
            f"More {remedy} would help most."
        )
    if result.borderline:
        text += (
            f" Identification is borderline (strength {result.strength:.1f}); "
            "more annotators would make it firmer."
        )
    return text


def cannot(result: Underrating, reason: str) -> Underrating:
    """Return the result with the verdict "can't tell" and the reason on every estimate that is missing."""
    names = ("underrating", "raw", "naive", "total", "human", "human_raw")
    given: dict[str, Estimate] = {name: getattr(result, name) for name in names}
    told = {
        name: replace(estimate, reason=reason) for name, estimate in given.items() if estimate.low is None
    }
    return replace(result, **told, verdict=Verdict.CANT_TELL, reason=reason, borderline=False)  # type: ignore[arg-type]
