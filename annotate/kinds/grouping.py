from collections.abc import Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from .base import LARGEST, AnswerError, Measure, Placed, Value

if TYPE_CHECKING:
    from annotate.models import Answer, Criterion


class Grouping(Placed):
    """Which responses of a set belong together. The numbers of groups mean nothing."""

    name = "grouping"
    measures = Measure.SIMILARITY
    tools = "piles"
    groups = True

    def check_value(self, criterion: "Criterion", value: Value, n_responses: int) -> None:
        # A name and no quantity: other tools count groups from 0, or call what is in none of them -1.
        number = value.value
        if number is not None and not (abs(number) <= LARGEST and float(number).is_integer()):
            raise AnswerError("value", "a whole number, the same for all in the group", number)

    def meets(self, want: Mapping[str, Any], given: "Mapping[str, Answer]") -> bool | None:
        group = {key: given[key].value for key in want}
        if None in group.values():
            return False
        return all((want[a] == want[b]) == (group[a] == group[b]) for a, b in combinations(want, 2))

    def together(self, values: Mapping[str, Any], names: Mapping[str, str]) -> str | None:
        """“Response 1 + Response 3 | Response 2”."""
        members: dict[Any, list[str]] = {}
        for key, name in names.items():
            if values.get(key) is not None:
                members.setdefault(values[key], []).append(name)
        return " | ".join(" + ".join(group) for group in members.values()) or _("no answer")
