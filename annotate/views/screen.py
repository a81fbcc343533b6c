"""What a task page shows, and what comes back from it."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from annotate.kinds import (
    LONGEST_TYPED,
    AnswerError,
    Control,
    Question,
    TooLongError,
    Value,
    kind_of,
    within_limit,
)
from annotate.models import Assignment, Criterion, ItemResponse, Study
from annotate.whole_numbers import whole

# A day is more than any page stays open; beyond it the clock was wrong.
# What the column holds; nobody corrects an answer so often.
_MOST_REVISIONS = 32_000
_LONGEST_MS = 86_400_000
_LONGEST_LOOKED = 10_000
_LONGEST_FIELD = 100_000
REMARKS = ("flag", "comment")
MEASURED = ("active_ms", "first_ms", "changes", "looked", "read_to_end")


@dataclass(frozen=True, slots=True)
class QuestionControl:
    """A criterion with its control, ready to draw."""

    criterion: Criterion
    question: Question
    chosen: str
    problem: str

    @property
    def says_problem(self) -> bool:
        """Of several controls of one question, those that are answered are not at fault; what is typed may be."""
        return bool(self.problem) and (not self.chosen or self.question.control == Control.TYPED)


@dataclass(frozen=True, slots=True)
class Card:
    number: int
    response: int
    text: str
    controls: list[QuestionControl]


@dataclass(frozen=True, slots=True)
class Form:
    """The page's own fields."""

    assignment: int
    token: uuid.UUID
    revision: int
    active_ms: int | None = None
    first_ms: int | None = None
    changes: int | None = None
    looked: dict[str, int] = field(default_factory=dict)
    read_to_end: set[int] | None = None
    skipped: bool = False

    @classmethod
    def read(cls, posted: Mapping[str, str]) -> "Form | None":
        """None when they are not as the page made them."""
        try:
            revision = int(posted["revision"])
            if revision not in range(_MOST_REVISIONS):
                return None
            return cls(
                int(posted["assignment"]),
                uuid.UUID(posted["token"]),
                revision,
                _count(posted, "active_ms"),
                _count(posted, "first_ms"),
                _count(posted, "changes"),
                _looked(posted.get("looked", "")),
                _read(posted.get("read_to_end", "")),
                posted.get("skip") == "1",
            )
        except (KeyError, ValueError):
            return None


def _count(posted: Mapping[str, str], name: str) -> int | None:
    count = whole(posted.get(name, "")[:12])
    return None if count is None else min(count, _LONGEST_MS)


def _looked(raw: str) -> dict[str, int]:
    try:
        counts = json.loads(raw[:_LONGEST_LOOKED]) if raw else {}
    except (ValueError, RecursionError):
        return {}
    if not isinstance(counts, dict):
        return {}
    return {k: min(n, _LONGEST_MS) for k, n in counts.items() if type(n) is int and n > 0}


def _read(raw: str) -> set[int] | None:
    """None where no script said anything."""
    try:
        responses = json.loads(raw[:_LONGEST_LOOKED]) if raw else None
    except (ValueError, RecursionError):
        return None
    return {pk for pk in responses if type(pk) is int} if isinstance(responses, list) else None


def read_to_end(form: Form, seat: Assignment) -> list[int] | None:
    """Responses of the page whose end was on the screen; None where that is not known."""
    return None if form.read_to_end is None else sorted(form.read_to_end.intersection(seat.shown or []))


def unread_responses(study: Study, form: Form, seat: Assignment) -> list[int]:
    """Responses that the study wants read to their end, and that were not: nobody without JavaScript is held up."""
    read = read_to_end(form, seat)
    if read is None or not study.require_reading:
        return []
    return [pk for pk in seat.shown or [] if pk not in read]


def looked_at(form: Form, seat: Assignment) -> dict[str, int] | None:
    """Only responses that the page showed."""
    there = {str(pk) for pk in seat.shown or []}
    return {k: n for k, n in form.looked.items() if k in there} or None


def read_remarks(study: Study, posted: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """What the page's own fields say of it, as far as the study asks for them, and what is wrong with it."""
    remarks, problems = dict.fromkeys(REMARKS, ""), {}
    for name, allowed in {"flag": study.allow_flag, "comment": study.allow_comment}.items():
        try:
            remarks[name] = within_limit(name, clean(posted.get(name, "").strip())) if allowed else ""
        except TooLongError as error:
            problems[name] = _said(error)
    return remarks, problems


def clean(text: str) -> str:
    """As both databases can store it."""
    return text.replace("\0", "").encode(errors="replace").decode()


def criteria_of(study: Study, seat: Assignment) -> list[Criterion]:
    # Filtered here: all criteria of the study came with the annotator.
    return [criterion for criterion in study.criteria.all() if criterion.on == seat.item.kind]


def read_answers(
    criteria: list[Criterion], seat: Assignment, posted: Mapping[str, str]
) -> tuple[list[tuple[Criterion, Value]], dict[str, str]]:
    canonical = _canonical(seat)
    read: list[tuple[Criterion, Value]] = []
    problems: dict[str, str] = {}
    for criterion in criteria:
        try:
            read += [(criterion, value) for value in kind_of(criterion).read(criterion, posted, canonical)]
        except AnswerError as error:
            problems[criterion.key] = _said(error)
    return read, problems


def _canonical(seat: Assignment) -> list[int]:
    """The item's responses in its own order, whatever order the seat shows."""
    if seat.shown and len(seat.shown) == 1:
        return list(seat.shown)
    rows = ItemResponse.objects.filter(item=seat.item_id).order_by("position")
    return list(rows.values_list("response_id", flat=True))


def _said(error: AnswerError) -> str:
    if isinstance(error, TooLongError):
        return _("This is too long: %(limit)s characters at most.") % {
            "limit": number_format(LONGEST_TYPED, force_grouping=True)
        }
    return _("Please answer this.") if error.found == "nothing" else _("This is not one of the answers here.")


def draft_fields(criteria: list[Criterion], seat: Assignment, posted: Mapping[str, str]) -> dict[str, str]:
    """What a draft keeps of a page: answers as far as they go, remarks, and what was measured."""
    shown = seat.shown or []
    fields = [q.field for c in criteria for q in kind_of(c).questions(c, shown)]
    names = [*fields, *REMARKS, *MEASURED]
    return {name: clean(posted[name])[:_LONGEST_FIELD] for name in names if posted.get(name)}


def given(seat: Assignment) -> dict[str, str]:
    """The fields of the page as the last judgment at the seat filled them."""
    last = seat.judgments.order_by("-revision").first()
    if last is None:
        return {}
    fields = {"flag": last.flag, "comment": last.comment}
    if last.read_to_end is not None:
        fields["read_to_end"] = json.dumps(last.read_to_end)
    for answer in last.answers.select_related("criterion"):
        value = Value(answer.response_id, answer.other_id, answer.value, answer.label, answer.text)
        name, text = kind_of(answer.criterion).written(answer.criterion, value)
        fields[name] = text
    return fields


def typed_texts(study: Study, posted: Mapping[str, str]) -> list[str]:
    """The words somebody typed: what can't be stored is at least shown, to copy."""
    fields = [f"c{c.pk}" for c in study.criteria.all() if kind_of(c).typed == "text"]
    return [posted[name].strip() for name in (*fields, *REMARKS) if posted.get(name, "").strip()]


def screen(
    criteria: list[Criterion], seat: Assignment, filled: Mapping[str, str], problems: Mapping[str, str]
) -> dict[str, Any]:
    """Responses in the seat's order, each with the questions that ask about it."""
    rows = ItemResponse.objects.filter(item=seat.item_id).order_by("position")
    texts: dict[int, str] = dict(rows.values_list("response_id", "response__text"))
    shown = seat.shown or list(texts)
    controls = [
        QuestionControl(criterion, question, filled.get(question.field, ""), problems.get(criterion.key, ""))
        for criterion in criteria
        for question in kind_of(criterion).questions(criterion, shown)
    ]
    alone = len(shown) == 1
    cards = [
        Card(n, pk, texts[pk], [] if alone else [a for a in controls if a.question.response == pk])
        for n, pk in enumerate(shown, 1)
    ]
    beside = {a.criterion.text for card in cards for a in card.controls}
    return {
        # One question asked of every response is read once, above them.
        "shared": beside.pop() if len(beside) == 1 else "",
        "seat": seat,
        "item": seat.item,
        "prompt": seat.item.prompt,
        "cards": cards,
        "controls": [a for a in controls if alone or a.question.response is None],
        "piled": [c for c in criteria if kind_of(c).tools == "piles"],
        "ranked": [c for c in criteria if kind_of(c).tools == "ranks"],
        "filled": filled,
        "longest_typed": LONGEST_TYPED,
    }
