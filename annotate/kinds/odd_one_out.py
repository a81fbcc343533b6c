from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from annotate.whole_numbers import whole

from .base import AnswerError, Chosen, Control, ItemKind, Option, Value

if TYPE_CHECKING:
    from annotate.models import Criterion


class OddOneOut(Chosen):
    """Which response of a set is unlike the others."""

    name = "odd_one_out"
    control = Control.CHOICE
    item_kinds = (ItemKind.SET,)
    picks = True

    def names_response(self, value: Value) -> bool | None:
        return None if value.value is None else True

    def check_value(self, criterion: "Criterion", value: Value, n_responses: int) -> None:
        if value.value not in (None, 1):
            raise AnswerError("value", "1", value.value)

    def options(self, criterion: "Criterion", shown: Sequence[int]) -> tuple[Option, ...]:
        return tuple(Option(str(r), _("Response %(n)d") % {"n": n}) for n, r in enumerate(shown, 1))

    def parse(self, raw: str, response: int | None, responses: Sequence[int]) -> Value:
        return Value(response=whole(raw), value=1) if raw else Value()

    def unparse(self, value: Value) -> str:
        return "" if value.response is None else str(value.response)
