"""What a practice item expected, beside what was answered, in the words of the page it stood on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from annotate import expected
from annotate.kinds import kind_of
from annotate.models import Answer, Assignment, Criterion, Response


@dataclass(frozen=True, slots=True)
class Line:
    """One thing expected. `about` says of which response, where there are several."""

    question: str
    about: str
    given: str
    wanted: str
    met: bool


@dataclass(frozen=True, slots=True)
class Feedback:
    met: bool | None
    lines: list[Line]
    explain: str


def feedback(seat: Assignment) -> Feedback:
    last = seat.judgments.order_by("-revision").first()
    rows = list(last.answers.select_related("criterion", "response")) if last else []
    wants = expected.by_criterion(seat.item.expected)
    names = _names(seat)
    criteria = seat.item.study.criteria.filter(key__in=wants)
    lines = [line for c in criteria for line in _lines(c, wants[c.key], rows, names)]
    explain = str((seat.item.expected or {}).get(expected.EXPLAIN, ""))
    return Feedback(expected.met(seat.item.expected, rows), lines, explain)


def _names(seat: Assignment) -> dict[str, str]:
    """What the page calls each response, by key."""
    shown = [pk for pk in seat.shown or [] if isinstance(pk, int)]
    keys = dict(Response.objects.filter(pk__in=shown).values_list("pk", "key"))
    if len(shown) == 2:
        words = [_("First"), _("Second")]
    else:
        words = [_("Response %(number)s") % {"number": n} for n in range(1, len(shown) + 1)]
    return {keys[pk]: word for pk, word in zip(shown, words, strict=True)}


def _lines(criterion: Criterion, want: Any, rows: list[Answer], names: dict[str, str]) -> list[Line]:
    own = [row for row in rows if row.criterion_id == criterion.pk]
    if not isinstance(want, Mapping):
        return [_line(criterion, "", want, own, names)]
    if (wanted := kind_of(criterion).together(want, names)) is not None:
        values = {row.response.key: row.value for row in own if row.response}
        given = kind_of(criterion).together(values, names) or ""
        return [Line(criterion.text, "", given, wanted, expected.met_criterion(want, own))]
    by_key = {row.response.key: [row] for row in own if row.response}
    about = names if len(names) > 1 else {}
    return [
        _line(criterion, about.get(key, ""), one, by_key.get(key, []), names) for key, one in want.items()
    ]


def _line(criterion: Criterion, about: str, want: Any, rows: list[Answer], names: dict[str, str]) -> Line:
    given = ", ".join(dict.fromkeys(_given(criterion, row, names) for row in rows)) or _("no answer")
    admitted = [kind_of(criterion).in_words(criterion, one, names) for one in expected.admissible(want)]
    wanted = _(" or ").join(admitted)
    return Line(criterion.text, about, given, wanted, expected.met_criterion(want, rows))


def _given(criterion: Criterion, row: Answer, names: dict[str, str]) -> str:
    words = kind_of(criterion).comparable(row)
    return _("no answer") if words is None else kind_of(criterion).in_words(criterion, words, names)
