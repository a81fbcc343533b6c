"""What is known of the gap between kinds of source, and the words for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from judging.stats.core.estimate import Estimate

ESTIMATES = (
    "scorer_gap", "scorer_gap_raw", "human_gap", "human_gap_raw", "contrast", "contrast_raw", "at_equal_quality",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class GroupContrast:
    """How far a scorer sets one kind of source above the others, beside how far people do.

    Parameters
    ----------
    group : str
        The kind of source; every gap is its mean less that of the other responses to the same prompts.
    n_group, n_others, n_prompts, n_annotators, n_ratings : int
        What it rests on: responses of the kind and others, in prompts that have both.
    scorer_gap : Estimate
        In pooled within-prompt SDs of the score.
    scorer_gap_raw : Estimate
        In the scorer's own units.
    human_gap : Estimate
        In pooled within-prompt SDs of true quality; undefined where people's ratings don't say how large one is.
    human_gap_raw : Estimate
        In points of the ratings.
    contrast : Estimate
        `scorer_gap` less `human_gap`: above zero, the scorer likes this kind better than people do.
    contrast_raw : Estimate
        `scorer_gap_raw` minus `human_gap_raw`, in points, where both use one scale; needs no reliable quality.
    p : float or None
        Of no contrast, two-sided; in points where there is no `contrast`.
    at_equal_quality : Estimate
        The scorer's gap, in SDs of the score, that is left at equal true quality and covariates; undefined where the
        ratings don't pin true quality down.
    strength : float or None
        Identification strength of `at_equal_quality`.
    reason : str
        What the numbers say, in words.
    df : float or None
        Degrees of freedom of t in all intervals: the least of prompts and effective annotators, minus 1.
    """

    group: str
    n_group: int
    n_others: int
    n_prompts: int
    n_annotators: int
    n_ratings: int
    scorer_gap: Estimate
    scorer_gap_raw: Estimate
    human_gap: Estimate
    human_gap_raw: Estimate
    contrast: Estimate
    contrast_raw: Estimate
    p: float | None
    at_equal_quality: Estimate
    strength: float | None
    reason: str
    df: float | None = None

    @property
    def beyond_people(self) -> bool:
        """Whether the scorer sets the kinds further apart than people, or the other way round."""
        side = _sign(self.contrast)
        return side != 0 and side * (self.human_gap.estimate or 0.0) >= 0

    @property
    def opposed(self) -> bool:
        """Whether people and the scorer are each sure, and of opposite opinions."""
        return _sign(self.scorer_gap) * _sign(self.human_gap_raw) < 0


def _sign(e: Estimate) -> int:
    """Return on which side of zero an interval lies, 0 where it holds zero or is none."""
    if e.low is None or e.high is None:
        return 0
    return int(e.low > 0) - int(e.high < 0)


def described(result: GroupContrast) -> GroupContrast:
    """Return the result with its reason: what the numbers say, in words."""
    c, kind = result.contrast, result.group
    if result.opposed:
        up, down = ("above", "below") if _sign(result.scorer_gap) > 0 else ("below", "above")
        words = f"The scorer sets {kind} {up} the others, people set it {down} them."
    elif c.estimate is None or c.low is None:
        words = _raw_words(result) or c.reason or "No contrast."
    elif _sign(c) == 0:
        words = "No difference from people's gap is found: the interval of the contrast includes zero."
    elif result.beyond_people:
        way = "above" if _sign(c) > 0 else "below"
        words = f"The scorer sets {kind} {abs(c.estimate):.2f} SD further {way} the others than people do."
    else:
        way = "above" if _sign(c) < 0 else "below"
        words = (
            f"The scorer sets {kind} {abs(c.estimate):.2f} SD less far {way} the others than people do; a scorer that "
            "measures quality with noise falls short in the same way."
        )
    return replace(result, reason=words + _left_words(result))


def _left_words(result: GroupContrast) -> str:
    e, way = result.at_equal_quality, _sign(result.at_equal_quality)
    if e.estimate is None or e.low is None:
        return "" if result.strength is None else " At equal human quality: can't tell."
    if way == 0:
        return " At equal human quality no gap is found."
    return f" At equal human quality {abs(e.estimate):.2f} SD {'above' if way > 0 else 'below'} remain."


def _raw_words(result: GroupContrast) -> str:
    """What the gaps in points say where quality can't be put in SDs."""
    e = result.contrast_raw
    if e.estimate is None or e.low is None:
        return ""
    if _sign(e) == 0:
        return "No difference from people's gap is found in points: the interval includes zero."
    way = "higher" if e.estimate > 0 else "lower"
    return f"The scorer sets {result.group} {abs(e.estimate):.2f} points {way} against the others than people do."
