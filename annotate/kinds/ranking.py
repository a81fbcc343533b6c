from typing import TYPE_CHECKING

from .base import AnswerError, Placed, Value

if TYPE_CHECKING:
    from annotate.models import Criterion


class Ranking(Placed):
    """Each response's place in an order, counted from 1; equal places are ties."""

    name = "ranking"
    tools = "ranks"
    ranks = True

    def check_value(self, criterion: "Criterion", value: Value, n_responses: int) -> None:
        if value.value is not None and value.value not in range(1, n_responses + 1):
            raise AnswerError("value", f"a whole number from 1 to {n_responses}", value.value)
