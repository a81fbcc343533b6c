from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotate.whole_numbers import whole

from .base import AnswerError, Chosen, Control, ItemKind, Measure, Option, Value, number, plain

if TYPE_CHECKING:
    from annotate.models import Criterion


class NoPreference(models.TextChoices):
    """Why a preference names no response."""

    TIE = "tie", gettext_lazy("About the same")
    BOTH_GOOD = "both_good", gettext_lazy("Both good")
    BOTH_BAD = "both_bad", gettext_lazy("Both bad")
    CANNOT_TELL = "cannot_tell", gettext_lazy("Cannot tell")


# How much better a response may be: 1, 2 or 3 strengths make 3, 5 or 7 points with the tie between them.
STRENGTHS = (1, 2, 3)
USUAL_STRENGTHS = 2
_FIRST = {
    1: gettext_lazy("First slightly better"),
    2: gettext_lazy("First much better"),
    3: gettext_lazy("First very much better"),
}
_SECOND = {
    1: gettext_lazy("Second slightly better"),
    2: gettext_lazy("Second much better"),
    3: gettext_lazy("Second very much better"),
}


def strengths(criterion: "Criterion") -> range:
    return range(1, (criterion.scale_high or USUAL_STRENGTHS) + 1)


def extra_choices(criterion: "Criterion") -> list[NoPreference]:
    """What may be said beside the points: all there is, unless the criterion says which."""
    extra: list[NoPreference] = [choice for choice in NoPreference if choice != NoPreference.TIE]
    return extra if criterion.choices is None else [c for c in extra if c.value in criterion.choices]


class Preference(Chosen):
    """Which response of a pair is better, and by how much; or why neither is."""

    name = "preference"
    measures = Measure.QUALITY
    control = Control.SIDES
    item_kinds = (ItemKind.PAIR,)
    labeled = True
    prefers = True
    numeric = True
    two_sided = True

    def names_response(self, value: Value) -> bool | None:
        return None

    def check_value(self, criterion: "Criterion", value: Value, n_responses: int) -> None:
        if value.response is not None:
            if value.value not in strengths(criterion):
                named = {1: "slightly", 2: "much", 3: "very much"}
                given = " or ".join(f"{n} ({named[n]})" for n in strengths(criterion))
                raise AnswerError("value", f"{given} where a response is preferred", value.value)
            if value.label:
                raise AnswerError("label", "none where a response is preferred", value.label)
        elif value.value is not None:
            if value.value != 0:
                raise AnswerError("value", "0 where no response is preferred", value.value)
            labels = [NoPreference.TIE.value, *(choice.value for choice in extra_choices(criterion))]
            if value.label not in labels:
                raise AnswerError("label", f"one of {', '.join(labels)}", value.label)
        elif value.label:
            raise AnswerError("value", "0 beside a label", None)

    def options(self, criterion: "Criterion", shown: Sequence[int]) -> tuple[Option, ...]:
        first, second = shown
        some = strengths(criterion)
        one = len(some) == 1
        return (
            *(Option(f"{first}:{n}", _("First better") if one else str(_FIRST[n])) for n in reversed(some)),
            Option(NoPreference.TIE.value, str(NoPreference.TIE.label)),
            *(Option(f"{second}:{n}", _("Second better") if one else str(_SECOND[n])) for n in some),
            *(Option(choice.value, str(choice.label)) for choice in extra_choices(criterion)),
        )

    def parse(self, raw: str, response: int | None, responses: Sequence[int]) -> Value:
        if raw in NoPreference.values:
            return Value(value=0, label=raw)
        chosen, _, strength = raw.partition(":")
        return Value(response=whole(chosen), value=number(strength)) if raw else Value()

    def unparse(self, value: Value) -> str:
        chosen = f"{value.response}:{plain(value.value)}" if value.response is not None else ""
        return value.label or chosen

    @property
    def reasons(self) -> Mapping[str, Any]:
        return dict(NoPreference.choices)
