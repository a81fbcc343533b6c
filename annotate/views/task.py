"""Task pages: one item at a time, submitted and followed by the next in one request."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from annotate import seats
from annotate.kinds import AnswerError, Kind, Question, Value
from annotate.models import Annotator, Assignment, Criterion, ItemResponse, Response, Study
from annotate.views import access


@dataclass(frozen=True, slots=True)
class Asked:
    """A criterion with its control, ready to draw."""

    criterion: Criterion
    question: Question
    chosen: str
    problem: str


@dataclass(frozen=True, slots=True)
class Card:
    number: int
    text: str
    asked: list[Asked]


@never_cache
@require_http_methods(["GET", "POST"])
def task(request: HttpRequest, slug: str) -> HttpResponse:
    annotator = access.known_annotator(request, slug)
    if annotator is None:
        return access.not_invited(request, slug)
    if request.method == "POST":
        return _submit(request, annotator)
    return _page(request, annotator, seats.next_assignment(annotator))


def _submit(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    form = _Form.read(request.POST)
    seat, following = seats.in_hand(annotator, form.assignment) if form else (None, None)
    if form is None or seat is None:
        return _stale(request, annotator)
    rows, problems = _read_answers(_criteria(annotator.study, seat), seat, request.POST)
    if problems:
        return _page(request, annotator, seat, posted=request.POST, problems=problems, status=422)
    submission = seats.Submission(rows, form.token, form.revision, form.active_ms)
    try:
        following = seats.submit(annotator, seat, submission, following)
    except seats.StaleSeatError:
        return _stale(request, annotator)
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect("task", annotator.study.slug)
    return _page(request, annotator, following, saved=True)


def _stale(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    return _page(request, annotator, seats.next_assignment(annotator), notice="stale", status=409)


@dataclass(frozen=True, slots=True)
class _Form:
    assignment: int
    token: uuid.UUID
    revision: int
    active_ms: int | None

    @classmethod
    def read(cls, posted: Mapping[str, str]) -> "_Form | None":
        """The page's own fields; None when they are not as the page made them."""
        try:
            active = posted.get("active_ms", "")
            return cls(
                int(posted["assignment"]),
                uuid.UUID(posted["token"]),
                int(posted["revision"]),
                # A day is more than any page stays open; beyond it the clock was wrong.
                min(int(active), 86_400_000) if active.isdecimal() else None,
            )
        except (KeyError, ValueError):
            return None


def _criteria(study: Study, seat: Assignment) -> list[Criterion]:
    # Filtered here: all criteria of the study came with the annotator.
    return [criterion for criterion in study.criteria.all() if criterion.on == seat.item.kind]


def _responses(seat: Assignment) -> list[Response]:
    """The item's responses in canonical order."""
    rows = ItemResponse.objects.filter(item=seat.item_id).select_related("response").order_by("position")
    return [row.response for row in rows]


def _read_answers(
    criteria: list[Criterion], seat: Assignment, posted: Mapping[str, str]
) -> tuple[list[tuple[Criterion, Value]], dict[str, str]]:
    canonical = list(
        ItemResponse.objects.filter(item=seat.item_id)
        .order_by("position")
        .values_list("response_id", flat=True)
    )
    rows: list[tuple[Criterion, Value]] = []
    problems: dict[str, str] = {}
    for criterion in criteria:
        try:
            rows += [(criterion, value) for value in Kind(criterion.kind).read(criterion, posted, canonical)]
        except AnswerError as error:
            missing = error.found == "nothing"
            problems[criterion.key] = "Please answer this." if missing else f"Expected {error.expected}."
    return rows, problems


def _page(
    request: HttpRequest,
    annotator: Annotator,
    seat: Assignment | None,
    *,
    posted: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
    notice: str = "",
    saved: bool = False,
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {"study": annotator.study, "notice": notice}
    if saved:
        context["saved_at"] = timezone.now()
    if seat is None:
        context["outlook"] = seats.outlook(annotator)
    else:
        criteria = _criteria(annotator.study, seat)
        context |= _screen(criteria, seat, posted or {}, problems or {}) | {
            "counts": seats.own_counts(annotator)
        }
        context |= {"token": uuid.uuid4(), "revision": 0}
    name = "annotate/task.html" if seat else "annotate/done.html"
    return render(request, f"{name}#screen" if request.htmx else name, context, status=status)  # type: ignore[attr-defined]


def _screen(
    criteria: list[Criterion], seat: Assignment, posted: Mapping[str, str], problems: Mapping[str, str]
) -> dict[str, Any]:
    """What a task page shows: responses in the seat's order, each with the questions that ask about it."""
    by_pk = {r.pk: r for r in _responses(seat)}
    shown = seat.shown or list(by_pk)
    asked = [
        Asked(criterion, question, posted.get(question.field, ""), problems.get(criterion.key, ""))
        for criterion in criteria
        for question in Kind(criterion.kind).questions(criterion, shown)
    ]
    cards = [
        Card(n, by_pk[pk].text, [a for a in asked if a.question.response == pk])
        for n, pk in enumerate(shown, 1)
    ]
    beside = {a.criterion.text for card in cards for a in card.asked}
    return {
        # One question asked of every response is read once, above them.
        "shared": beside.pop() if len(beside) == 1 and len(cards) > 1 else "",
        "seat": seat,
        "item": seat.item,
        "prompt": seat.item.prompt,
        "cards": cards,
        "asked": [a for a in asked if a.question.response is None],
    }
