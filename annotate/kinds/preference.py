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


class Preference(Chosen):
    """Which response of a pair is better, slightly or much; or why neither is."""

    name = "preference"
    measures = Measure.QUALITY
    control = Control.SIDES
    item_kinds = (ItemKind.PAIR,)
    labeled = True
    prefers = True
    numeric = True

    def names_response(self, value: Value) -> bool | None:
        return None

    def check_value(self, criterion: "Criterion", value: Value, n_responses: int) -> None:
        if value.response is not None:
            if value.value not in (1, 2):
                expected = "1 (slightly) or 2 (much) where a response is preferred"
                raise AnswerError("value", expected, value.value)
            if value.label:
                raise AnswerError("label", "none where a response is preferred", value.label)
        elif value.value is not None:
            if value.value != 0:
                raise AnswerError("value", "0 where no response is preferred", value.value)
            if value.label not in NoPreference.values:
                raise AnswerError("label", f"one of {', '.join(NoPreference.values)}", value.label)
        elif value.label:
            raise AnswerError("value", "0 beside a label", None)

    def options(self, criterion: "Criterion", shown: Sequence[int]) -> tuple[Option, ...]:
        first, second = shown
        return (
            Option(f"{first}:2", _("First much better")),
            Option(f"{first}:1", _("First slightly better")),
            Option(NoPreference.TIE.value, str(NoPreference.TIE.label)),
            Option(f"{second}:1", _("Second slightly better")),
            Option(f"{second}:2", _("Second much better")),
            *(Option(n.value, str(n.label)) for n in NoPreference if n is not NoPreference.TIE),
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
