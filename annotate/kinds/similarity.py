from collections.abc import Sequence

from .base import ItemKind, Measure, Scaled, Value, number


class Similarity(Scaled):
    """How alike the two responses of a pair are: one row that names both."""

    name = "similarity"
    measures = Measure.SIMILARITY
    item_kinds = (ItemKind.PAIR,)
    compares = True

    def names_response(self, value: Value) -> bool | None:
        return True

    def parse(self, raw: str, response: int | None, responses: Sequence[int]) -> Value:
        return Value(response=responses[0], other=responses[1], value=number(raw))

    def blank(self, responses: Sequence[int] | Sequence[str]) -> Value:
        return Value(response=responses[0], other=responses[1])
