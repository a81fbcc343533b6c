"""The six verdicts, and what an audit of one scorer says of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from judging.stats.audit.shapes import Shapes
from judging.stats.core.estimate import Estimate

WEAK = 3.2
"""Identification strength below which quality is weakly identified: its square is below 10, the bar for instruments."""

BORDERLINE = 6.0
"""Identification strength below which coverage of the jackknife interval is nearer .9 than .95."""

LIKE_THESE = "people like these"
THESE = "the people of this study"


class Verdict(StrEnum):
    """What the data allow to say about a scorer."""

    UNDERRATES = "underrates"
    OVERRATES = "overrates"
    NO_UNDERRATING = "no underrating of x or more"
    UNDERPOWERED = "underpowered"
    CANT_TELL = "can't tell"
    DEPENDS = "depends on the shape"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What the data say of one scorer as some circle of people judges; standardized by pooled within-prompt SDs.

    Parameters
    ----------
    people : str
        Whom it speaks for: `LIKE_THESE`, new annotators and prompts, or `THESE`, the annotators fixed.
    underrating : Estimate
        Fall of the score, in SDs, per SD of unusualness at equal true human quality, with its jackknife interval. `n`
        counts responses. Positive: marked down.
    robust : tuple of float or None
        Fieller's interval of it, which needs no quality to be identified and decides; None when it has no ends.
    decisive : tuple of float or None
        The interval that decides: `robust`, or with two measures of unusualness that of the jackknife, if both quality
        and what the measures share are identified.
    p, p_one_sided : float or None
        Of no effect, two-sided; and of no underrating, one-sided: by the test whose unrefuted values are `decisive`.
    standard_error : float or None
        Of `underrating`, over prompts and, for `LIKE_THESE`, annotators.
    smallest_detectable : float or None
        Effect found with 80 % power at this standard error, in the units of `underrating`.
    strength : float or None
        Identification strength: true-quality variation left after unusualness and covariates, over its SE.
    shapes : Shapes
        The slope when score and quality are no straight line, and among good and bad answers.
    smallest_effect : float
        The effect that matters, as asked.
    verdict : Verdict
        One of six.
    good_alone : bool
        Whether good unusual answers are underrated though unusual ones on average are not.
    reason : str
        Why, and what would help, in plain sentences.
    tipping_point : float or None
        Share of what people agree on at which, were it error they share, the verdict would be another; None where there
        is no verdict or no such share.
    attenuation : float
        How much smaller slopes are than per SD of true unusualness, where its reliability is known.
    """

    people: str
    underrating: Estimate
    robust: tuple[float, float] | None
    decisive: tuple[float, float] | None
    p: float | None
    p_one_sided: float | None
    standard_error: float | None
    smallest_detectable: float | None
    strength: float | None
    shapes: Shapes
    smallest_effect: float
    verdict: Verdict
    good_alone: bool
    reason: str
    tipping_point: float | None
    attenuation: float = 1.0

    @property
    def borderline(self) -> bool:
        """Whether there is a verdict though quality is not firmly identified."""
        return (
            self.verdict is not Verdict.CANT_TELL and self.strength is not None and self.strength < BORDERLINE
        )

    @property
    def excluded_effect(self) -> float | None:
        """Smallest underrating the data speak against, on average or of good answers: detectable and upper ends."""
        if self.smallest_detectable is None or self.decisive is None:
            return None
        shapes = self.shapes
        curves = (shapes.by_prompt.high, shapes.curved.high, shapes.good.high)
        highest = max(
            self.smallest_detectable, self.decisive[1], *(high for high in curves if high is not None)
        )
        return highest / self.attenuation

    @property
    def flags(self) -> tuple[str, ...]:
        """Which signs there are that the slope depends on the shape: curvature, prompts."""
        signs = {"curvature": self.shapes.curvature, "prompts": self.shapes.prompts}
        return tuple(name for name, e in signs.items() if sign(e) != 0)

    @property
    def verdict_text(self) -> str:
        """The verdict in words, with its number, rounded up, where it has one."""
        if self.good_alone:
            return "underrates good unusual answers"
        if self.verdict is Verdict.NO_UNDERRATING and self.excluded_effect is not None:
            return f"no underrating of {round_up(self.excluded_effect):.2f} or more"
        return str(self.verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Underrating(Scope):
    """What `underrating` says of one scorer: for people like these, and in `these_people` for those of the study.

    Parameters
    ----------
    these_people : Scope
        The same with the annotators fixed.
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
    effective_annotators : float or None
        1 / sum of squared shares of the ratings used.
    n_prompts, n_responses, n_annotators, n_ratings : int
        What the estimate rests on.
    selection : float or None
        z of the within-prompt covariance of unusualness with how often a response was rated (or passed over);
        None where that does not vary.
    n_incomplete, n_thin : int
        Responses left out for want of a score, unusualness or covariate; and for want of two ratings of
        theirs or of another response to the prompt.
    notes : tuple of str
        What was left out, in words.
    """

    these_people: Scope
    raw: Estimate
    naive: Estimate
    reliability: float | None
    correlation: float | None
    predicted_naive_bias: float | None
    covariate_coefficients: Mapping[str, Estimate]
    total: Estimate
    human: Estimate
    human_raw: Estimate
    effective_annotators: float | None
    n_prompts: int
    n_responses: int
    n_annotators: int
    n_ratings: int
    selection: float | None = None
    n_incomplete: int = 0
    n_thin: int = 0
    notes: tuple[str, ...] = ()


def sign(e: Estimate) -> int:
    """Return on which side of zero an interval lies, 0 where it holds zero or is none."""
    if e.low is None or e.high is None:
        return 0
    return int(e.low > 0) - int(e.high < 0)


def rule(scope: Scope, *, can_acquit: bool) -> tuple[Verdict, bool]:
    """Return the verdict of slopes and intervals, and whether good unusual answers alone are underrated.

    Parameters
    ----------
    scope : Scope
        With its intervals.
    can_acquit : bool
        Whether unusualness is measured well enough to say that there is no underrating.

    Returns
    -------
    tuple of Verdict and bool

    Notes
    -----
    Without a bounded interval "can't tell". "Underrates" and "overrates" are said where the pooled slope, that with
    each prompt its own line and that beside a curve, as far as they are defined, lie on the same side of zero; where
    they part, "depends on the shape". Where the pooled slope holds zero, good answers one SD above average may be
    underrated all the same (`good_underrated`), which then is also why the others part. Else, with x the larger
    of smallest detectable effect and all upper ends, that among good answers too, "no underrating of x or more" if x
    is at most `smallest_effect`, and "underpowered" if not.
    """
    shapes, ends = scope.shapes, scope.decisive
    if ends is None or scope.excluded_effect is None:
        return Verdict.CANT_TELL, False
    pooled = int(ends[0] > 0) - int(ends[1] < 0)
    others = [sign(e) for e in (shapes.by_prompt, shapes.curved) if e.low is not None]
    if not pooled and good_underrated(shapes):
        return Verdict.UNDERRATES, True
    if any(other != pooled for other in others):
        return Verdict.DEPENDS, False
    if pooled:
        return (Verdict.UNDERRATES if pooled > 0 else Verdict.OVERRATES), False
    acquitted = can_acquit and scope.excluded_effect <= scope.smallest_effect
    return (Verdict.NO_UNDERRATING if acquitted else Verdict.UNDERPOWERED), False


ONE_SIDED = 0.84
"""A one-sided bound lies so much nearer than the end of a two-sided interval, at 95 %; with few df nearer still."""


def good_underrated(shapes: Shapes) -> bool:
    """Return whether good unusual answers are underrated more than others, and at all.

    Parameters
    ----------
    shapes : Shapes
        With their intervals.

    Returns
    -------
    bool

    Notes
    -----
    Underrating rises with quality: its interval lies above zero, and a one-sided bound of it beside a curve as well,
    since a curve alone makes good answers differ from bad ones. Among good answers a one-sided bound lies above zero,
    and a curve leaves more than half of it. Where nothing can be said of a curve the whole interval among good answers
    must lie above zero. In simulations (200 studies) where good unusual answers go down by .3 and bad ones up, this
    finds 80 %, where the interval among good answers alone, with a curve that explains it as the exception, found 69 %;
    wrong verdicts fell from 6.0 to 3.0 % where only the best are told apart, from 6.0 to 4.5 % where validity varies.
    """
    good, beside, rise = shapes.good, shapes.curved_good, shapes.curved_interaction
    if sign(shapes.interaction) <= 0 or good.estimate is None:
        return False
    if rise.low is None or beside.estimate is None:
        return sign(good) > 0
    return _bounded_above_zero(rise) and _bounded_above_zero(good) and beside.estimate >= good.estimate / 2


def _bounded_above_zero(e: Estimate) -> bool:
    """Whether a one-sided bound lies above zero."""
    return e.estimate is not None and e.low is not None and e.estimate > ONE_SIDED * (e.estimate - e.low)


def round_up(x: float) -> float:
    """Return x rounded up to two decimals, forgiving rounding error in the ninth."""
    return math.ceil(x * 100 - 1e-7) / 100
