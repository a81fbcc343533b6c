"""What preferences alone say of underrating, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from judging.stats.audit.verdict import Scope, Verdict, round_up
from judging.stats.audit.words import these_words
from judging.stats.core.jackknife import Variance

if TYPE_CHECKING:
    from judging.stats.audit.preference_underrating import PreferenceUnderrating


def explained(scope: Scope, slope: Variance | None, agreement: float | None) -> str:
    """Return the reason of a verdict that has an interval."""
    point, ends = scope.underrating.estimate or 0.0, scope.decisive or (0.0, 0.0)
    interval = f"95 % interval {ends[0]:.2f} to {ends[1]:.2f}, for {scope.people}"
    if scope.verdict in (Verdict.UNDERRATES, Verdict.OVERRATES):
        way = "falls" if scope.verdict is Verdict.UNDERRATES else "rises"
        return (
            f"Where people like both responses equally well, the margin {way} by {abs(point):.2f} SD for each SD of "
            f"difference in unusualness ({interval})."
        )
    if scope.verdict is Verdict.DEPENDS:
        return (
            f"The margin {'falls' if point > 0 else 'rises'} by {abs(point):.2f} SD for each SD of difference in "
            f"unusualness ({interval}), but people agree so much on these pairs (mean product of two votes "
            f"{agreement or 0.0:.2f} of 1) that votes no longer say by how much one response is better, and what they "
            "leave out looks like underrating or its opposite. Have responses rated."
        )
    return f"The interval includes zero ({interval}), but {_still_open(scope)} {_remedy(scope, slope)}"


def _still_open(scope: Scope) -> str:
    if _unmeasured(scope):
        return "unusualness is measured in one way, and nothing says how reliably: a weak measure hides underrating."
    if (scope.smallest_detectable or 0.0) <= scope.smallest_effect:
        return f"these votes do not rule out an underrating of {scope.smallest_effect:g} SD, which matters."
    return (
        f"these votes would reliably find only an effect of {round_up(scope.smallest_detectable or 0.0):.2f} SD or "
        f"more, and {scope.smallest_effect:g} matters."
    )


def _unmeasured(scope: Scope) -> bool:
    return (scope.excluded_effect or 0.0) <= scope.smallest_effect


def _remedy(scope: Scope, slope: Variance | None) -> str:
    if _unmeasured(scope):
        return "Have similarity or originality judged as a second measure, and responses rated."
    return f"More {slope.remedy if slope else 'annotators'} would help most."


def saturated(agreement: float) -> str:
    """Return the note on votes that people nearly agree on."""
    return (
        f"People agree so much on these pairs (mean product of two votes {agreement:.2f} of 1) that votes hardly say "
        "by how much one response is better: no slope convicts."
    )


def no_interval(result: PreferenceUnderrating, scope: Scope) -> str:
    """Return why a scope has no interval."""
    wide = scope.people == result.people
    if wide and result.n_annotators < 3:
        return (
            f"Only {'one annotator' if result.n_annotators == 1 else 'two annotators'}: without one of them no error "
            f"of votes can be seen, so there is no interval for {scope.people}. Add annotators."
        )
    annotators = f"{result.effective_annotators or 0.0:.1f} annotators in effect, " if wide else ""
    strength = "unknown" if scope.strength is None else f"{scope.strength:.1f}"
    return (
        f"For {scope.people} the votes do not pin true preference down well enough: no underrating, however large, is "
        f"ruled out (strength of identification {strength}; {annotators}{result.n_prompts} prompts)."
    )


def together(whole: Scope, these: Scope) -> str:
    """Return the reason for people like these, with what holds for the people of the study."""
    return whole.reason if whole.reason == these.reason else f"{whole.reason} {these_words(these)}"
