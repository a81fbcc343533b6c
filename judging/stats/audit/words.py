"""Verdicts in sentences: why, for whom, among which answers, and what would overturn or help."""

from __future__ import annotations

from collections.abc import Sequence

from judging.stats.audit.verdict import BORDERLINE, WEAK, Scope, Underrating, Verdict, round_up
from judging.stats.core.estimate import Estimate
from judging.stats.core.jackknife import Variance


def explained(scope: Scope, slope: Variance | None) -> str:
    """Return the reason of a verdict other than "can't tell"."""
    e, ends = scope.underrating, scope.decisive
    if e.estimate is None or ends is None or scope.excluded_effect is None:
        return "Quality, unusualness and covariates can't be told apart here. Add annotators and prompts."
    interval = f"{e.confidence * 100:g} % interval {ends[0]:.2f} to {ends[1]:.2f}, for {scope.people}"
    text = _MAIN[scope.verdict](scope, e.estimate, interval, slope.remedy if slope else "annotators")
    return " ".join([text, *_among(scope), *_label(scope)])


def _convicted(scope: Scope, point: float, interval: str, _: str) -> str:
    if scope.good_alone:
        return (
            f"At equal human quality, unusual responses do not score differently on average ({interval}), but good "
            "ones do."
        )
    way = "below" if scope.verdict is Verdict.UNDERRATES else "above"
    return (
        f"At equal human quality, a response one SD more unusual scores {abs(point):.2f} SD {way} the others "
        f"({interval})."
    )


def _not_convicted(scope: Scope, _: float, interval: str, __: str) -> str:
    return (
        f"The interval includes zero ({interval}), and an underrating of "
        f"{round_up(scope.excluded_effect or 0.0):.2f} SD or more would most likely have shown."
    )


def _open(scope: Scope, _: float, interval: str, remedy: str) -> str:
    if (scope.excluded_effect or 0.0) <= scope.smallest_effect:
        return (
            f"The interval includes zero ({interval}), but unusualness is measured in one way, and nothing says how "
            "reliably: a weak measure hides underrating. Have pairs or originality judged as a second measure."
        )
    if (scope.smallest_detectable or 0.0) <= scope.smallest_effect:
        return (
            f"The interval includes zero ({interval}), but these data do not rule out an underrating of "
            f"{scope.smallest_effect:g} SD, which matters. More {remedy} would help most."
        )
    return (
        f"The interval includes zero ({interval}), but these data would reliably find only an effect of "
        f"{round_up(scope.smallest_detectable or 0.0):.2f} SD or more, and {scope.smallest_effect:g} matters. "
        f"More {remedy} would help most."
    )


def _parted(scope: Scope, point: float, interval: str, _: str) -> str:
    slopes = [f"with one straight line for all prompts it is {point:.2f} SD ({interval})"]
    shapes = scope.shapes
    for name, e in (("a line for each prompt", shapes.by_prompt), ("a curve in quality", shapes.curved)):
        if e.estimate is not None and e.low is not None:
            slopes.append(f"with {name} {_number(e)}")
    return f"The underrating depends on how the score follows quality: {', '.join(slopes)}. {_FLAGS[scope.flags]}"


_FLAGS = {
    ("curvature",): "Flag: curvature. The score is no straight line in quality.",
    ("prompts",): "Flag: prompts. The scorer follows quality better in some prompts than in others.",
    (
        "curvature",
        "prompts",
    ): "Flags: curvature and prompts. The score is no straight line in quality, and the scorer "
    "follows quality better in some prompts than in others.",
    (): "No flag says which is right: curvature and differences between prompts are within chance.",
}

_MAIN = {
    Verdict.UNDERRATES: _convicted,
    Verdict.OVERRATES: _convicted,
    Verdict.NO_UNDERRATING: _not_convicted,
    Verdict.UNDERPOWERED: _open,
    Verdict.DEPENDS: _parted,
}


def _number(e: Estimate) -> str:
    return f"{e.estimate or 0.0:.2f} ({e.low or 0.0:.2f} to {e.high or 0.0:.2f})"


def _among(scope: Scope) -> list[str]:
    """Return what good and bad answers lose, where it is known."""
    good, bad = scope.shapes.good, scope.shapes.bad
    if good.low is None or bad.low is None:
        return []
    return [
        f"Among good responses (one SD above average quality) underrating is {_number(good)} SD, among bad ones "
        f"{_number(bad)}."
    ]


def _label(scope: Scope) -> list[str]:
    """Return how firmly quality is identified, unless it is firmly."""
    if scope.strength is None or scope.strength >= BORDERLINE:
        return []
    word = "weak" if scope.strength < WEAK else "borderline"
    return [
        f"Identification is {word} (strength {scope.strength:.1f}); more annotators would make it firmer."
    ]


def unbounded(result: Underrating, scope: Scope, remedy: str) -> str:
    """Return the reason when no underrating can be ruled out."""
    strength = "unknown" if scope.strength is None else f"{scope.strength:.1f}"
    annotators = (
        ""
        if scope.people != result.people
        else f"{result.effective_annotators or 0.0:.1f} annotators in effect, "
    )
    return (
        f"For {scope.people} the ratings do not pin true quality down well enough: no underrating, however large, is "
        f"ruled out (strength of identification {strength}; {annotators}{result.n_prompts} prompts). "
        f"More {remedy} would help most."
    )


def apart(scope: Scope) -> str:
    """Return the reason when two measures of unusualness have too little in common."""
    return (
        "The two measures of unusualness have too little in common to correct each other: "
        f"strength of identification {scope.strength or 0.0:.1f}, and {WEAK} is needed. "
        "Look at each measure alone, or have more pairs or originality judged."
    )


def no_interval(result: Underrating, scope: Scope, hinges: Sequence[str] = ()) -> str:
    """Return why a scope has no interval or no strength; `hinges`: what there is no slope without."""
    if result.n_prompts < 2:
        return "Only one prompt: nothing shows how the result varies from prompt to prompt. Add prompts."
    if scope.underrating.estimate is None:
        return "Quality, unusualness and covariates can't be told apart here. Add annotators and prompts."
    wide = scope.people == result.people
    if not wide and "prompts" in hinges:
        return "Without one of the prompts there is no slope, so no honest interval. Add prompts."
    if wide and result.n_annotators < 3:
        return (
            "Only two annotators: without one of them no rating error can be seen, so there is no interval for "
            f"{scope.people}. Add annotators."
        )
    if wide and (result.effective_annotators or 0.0) < 2:
        return (
            f"One annotator gave nearly all ratings ({result.effective_annotators:.1f} annotators in effect), so "
            "nothing shows how annotators differ. Have others rate as much."
        )
    if hinges:
        return (
            f"The result hangs on one of the {hinges[0]}: without it there is none, so no honest interval. "
            "Spread the ratings over more annotators and prompts."
        )
    return "The prompts don't differ in how the ratings tell quality apart, so nothing shows how far chance goes."


SELECTED = (
    "Unusual responses were rated {way} often than others (z = {z:+.1f} over prompts). If people passed over what they "
    "disliked, the ratings left make unusual responses look better than they are, and no verdict holds."
)


def selection_words(z: float) -> str:
    """Return what the selection guard says."""
    return SELECTED.format(way="less" if z < 0 else "more", z=z)


def tipping_words(scope: Scope) -> str | None:
    """Return how much shared error the verdict withstands."""
    if scope.good_alone or scope.verdict in (Verdict.CANT_TELL, Verdict.UNDERPOWERED, Verdict.DEPENDS):
        return None
    if scope.tipping_point is None:
        return f"For {scope.people}, no share of error common to all annotators would change the verdict."
    return (
        f"For {scope.people}, the verdict ({scope.verdict_text}) stands unless {scope.tipping_point * 100:.0f} % or "
        "more of what people agree on is error they share."
    )


WEAK_MEASURE = (
    "Unusualness is measured in one way whose reliability is not known. Noise in it hides underrating, so nothing is "
    "acquitted by it: that takes a second measure, or a stated reliability."
)


def guards(result: Underrating) -> tuple[str, ...]:
    """Return what guards the verdict, in sentences for the notes."""
    notes = []
    if result.selection is not None and abs(result.selection) > 2:
        notes.append(selection_words(result.selection))
    if any(would_acquit(scope) for scope in (result, result.these_people)):
        notes.append(WEAK_MEASURE)
    decided = [scope for scope in (result, result.these_people) if scope.verdict is not Verdict.CANT_TELL]
    if (
        decided
        and decided[0].shapes.by_prompt.estimate is not None
        and decided[0].shapes.curved.estimate is None
    ):
        notes.append(decided[0].shapes.curved.reason or "")
    tipping = tipping_words(decided[0]) if decided and result.shapes.by_prompt.estimate is not None else None
    if tipping:
        notes.append(tipping)
    return tuple(notes)


def corroboration_words(two: Underrating, measure: str) -> str:
    """Return what two measures of unusualness that correct each other say."""
    e = two.underrating
    if e.estimate is None:
        return f"Unusualness by {measure} as a second measure does not settle it: {two.reason}"
    size = f"{e.estimate:+.2f} SD" if e.low is None else f"{e.estimate:+.2f} SD ({e.low:.2f} to {e.high:.2f})"
    return (
        f"With {measure} as a second measure of unusualness, each correcting the other, underrating is {size}: "
        f"{two.verdict_text}."
    )


def would_acquit(scope: Scope) -> bool:
    """Return whether a scope would be acquitted if unusualness were known to be measured reliably."""
    effect = scope.excluded_effect
    return scope.verdict is Verdict.UNDERPOWERED and effect is not None and effect <= scope.smallest_effect


def details(result: Underrating) -> str:
    """Return what the reason says beyond the verdict: good and bad answers, how firm, and the people of the study."""
    these = result.these_people
    people = [] if these.reason == result.reason else [these_words(these)]
    return " ".join([*_among(result), *_label(result), *people])


def these_words(these: Scope) -> str:
    """Return the verdict for the people of the study, to follow that for people like these."""
    if these.decisive is None:
        return f"For {these.people}: {these.verdict_text}. {these.reason}"
    low, high = these.decisive
    return (
        f"For {these.people}, annotators taken as they are: {these.verdict_text} ({low:.2f} to {high:.2f})."
    )
