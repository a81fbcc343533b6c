from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .base import AnswerError, Control, Kind, Value

if TYPE_CHECKING:
    from annotate.models import Criterion


class Text(Kind):
    """Words about the item."""

    name = "text"
    control = Control.TYPED
    typed = "text"

    def check_value(self, criterion: "Criterion", value: Value, n_responses: int) -> None:
        if value.value is not None:
            raise AnswerError("value", "null, since the words are in text", value.value)

    def parse(self, raw: str, response: int | None, responses: Sequence[int]) -> Value:
        return Value(text=raw)

    def unparse(self, value: Value) -> str:
        return value.text

    def expectation(self, criterion: "Criterion", rows: Sequence[Value], tolerance: int = 0) -> Any:
        return next((row.text for row in rows if row.text), None)
