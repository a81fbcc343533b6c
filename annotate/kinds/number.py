from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from .base import LARGEST, AnswerError, Control, Kind, Question, Value

if TYPE_CHECKING:
    from annotate.models import Criterion


class Number(Kind):
    """A number about the item: any, or between the ends of the criterion's scale."""

    name = "number"
    control = Control.TYPED
    typed = "number"
    numeric = True
    bounded = True

    def check_value(self, criterion: "Criterion", value: Value, n_responses: int) -> None:
        if value.value is not None and not abs(value.value) <= LARGEST:  # NaN is not either
            raise AnswerError("value", "a number between minus and plus a million million", value.value)
        low, high = criterion.scale_low, criterion.scale_high
        if value.value is None or low is None or high is None:
            return
        if not low <= value.value <= high:
            raise AnswerError("value", f"a number from {low} to {high}", value.value)

    def questions(self, criterion: "Criterion", shown: Sequence[int]) -> list[Question]:
        low, high = criterion.scale_low, criterion.scale_high
        return [replace(question, low=low, high=high) for question in super().questions(criterion, shown)]
