from typing import TYPE_CHECKING

from .base import LARGEST, AnswerError, Control, Kind, Value

if TYPE_CHECKING:
    from annotate.models import Criterion


class Number(Kind):
    """Any number about the item."""

    name = "number"
    control = Control.TYPED
    typed = "number"
    numeric = True

    def check_value(self, criterion: "Criterion", value: Value, n_responses: int) -> None:
        if value.value is not None and not abs(value.value) <= LARGEST:  # NaN is not either
            raise AnswerError("value", "a number between minus and plus a million million", value.value)
