"""Task pages: one item at a time, submitted and followed by the next in one request."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.core.signing import Signer
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotate import seats, stages, visits
from annotate.models import Annotator, Assignment, Draft
from annotate.views import access, journey
from annotate.views.screen import (
    Form,
    criteria_of,
    draft_fields,
    given,
    looked_at,
    read_answers,
    read_remarks,
    read_to_end,
    screen,
    typed_texts,
    unread_responses,
)
from annotate.whole_numbers import whole

_PAGE = Signer(salt="offbeat.page")


@gzip_page
@never_cache
@require_http_methods(["GET", "POST"])
def task(request: HttpRequest, slug: str) -> HttpResponse:
    annotator = access.known_annotator(request, slug)
    if annotator is None:
        return access.not_invited(request, slug)
    if elsewhere := journey.away(request, annotator):
        return elsewhere
    if request.method == "POST":
        return _submit(request, annotator)
    seat = journey.retried(request, annotator) or seats.next_assignment(annotator)
    notice = "late" if "late" in request.GET else ""
    return _page(request, annotator, seat, filled=_draft(seat), notice=notice)


@gzip_page
@access.for_annotators
@require_GET
def ahead(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    """The page after the one at hand (`?after=<seat>`), made ahead; nothing where another page comes between."""
    after = whole(request.GET.get("after", ""))
    seat = seats.following(annotator, after) if after and _goes_on(annotator) else None
    if seat is None:
        return HttpResponse(status=204)
    return _page(request, annotator, seat, filled=_draft(seat))


def _goes_on(annotator: Annotator) -> bool:
    if annotator.stage != annotator.Stage.WORK or not stages.is_open(annotator.study):
        return False
    every = annotator.study.break_after
    return not every or (visits.done(annotator) + 1 - annotator.session_start) % every != 0


@gzip_page
@access.for_annotators
@require_GET
def back(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    """The last submitted page before a seat (`?before=<seat>`), to change what was said there."""
    if elsewhere := journey.away(request, annotator):
        return elsewhere
    own = Assignment.objects.for_annotator(annotator)
    before = own.filter(pk=whole(request.GET.get("before", "")) or 0).first()
    seat = seats.earlier(annotator, before)
    if seat is None:
        return redirect(f"{reverse('task', args=[annotator.study.slug])}?late")
    return _page(request, annotator, seat, filled=given(seat) | _draft(seat), earlier=True)


@access.for_annotators
@require_POST
def draft(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    form = Form.read(request.POST)
    seat, _next = seats.in_hand(annotator, form.assignment) if form else (None, None)
    if form is None or seat is None:
        return HttpResponse(status=409)
    fields = draft_fields(criteria_of(annotator.study, seat), seat, request.POST)
    if not seats.save_draft(annotator, seat.pk, form.revision, fields):
        return HttpResponse(status=409)
    return JsonResponse({"saved_at": timezone.now()})


def _draft(seat: Assignment | None) -> dict[str, str]:
    kept: Draft | None = getattr(seat, "draft", None)
    return dict(kept.fields) if kept else {}


def _submit(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    form = Form.read(request.POST)
    seat, following = seats.in_hand(annotator, form.assignment) if form else (None, None)
    if form is None or seat is None or not _offered(annotator, seat, request.POST.get("page", "")):
        return _stale(request, annotator)
    skipped = form.skipped and annotator.study.allow_skip
    criteria = criteria_of(annotator.study, seat)
    rows, problems = ([], {}) if skipped else read_answers(criteria, seat, request.POST)
    remarks, too_long = read_remarks(annotator.study, request.POST)
    unread = [] if skipped else unread_responses(annotator.study, form, seat)
    if problems or too_long or unread:
        more: dict[str, Any] = {"remark_problems": too_long, "unread": unread, "status": 422}
        return _page(request, annotator, seat, filled=request.POST, problems=problems, **more)
    submission = seats.Submission(
        rows,
        form.token,
        form.revision,
        form.active_ms,
        form.first_ms,
        form.changes,
        looked_at(form, seat),
        read_to_end(form, seat),
        remarks["flag"],
        remarks["comment"],
        skipped,
    )
    try:
        following = seats.submit(annotator, seat, submission, following)
    except seats.StaleSeatError:
        return _stale(request, annotator)
    return _next(request, annotator, seat, following)


def _offered(annotator: Annotator, seat: Assignment, signature: str) -> bool:
    """Whether the seat is the annotator's, or was when the page was made: pages of others' can't be asked for."""
    mine = seat.annotator_id == annotator.pk
    return mine or constant_time_compare(signature, _PAGE.signature(f"{annotator.pk}:{seat.pk}"))


def _next(
    request: HttpRequest, annotator: Annotator, seat: Assignment, following: Assignment | None
) -> HttpResponse:
    if between := journey.after(request, annotator, seat, following):
        return between
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect("task", annotator.study.slug)
    if following and request.headers.get("X-Ahead") == str(following.pk):
        # The browser shows that page already.
        return JsonResponse({"saved_at": timezone.now()})
    return _page(request, annotator, following, filled=_draft(following), saved=True)


def _stale(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    lost = typed_texts(annotator.study, request.POST)
    seat = seats.next_assignment(annotator)
    if seat is None:
        context = {"study": annotator.study, "annotator": annotator, "lost": lost}
        return _render(request, "annotate/done.html", context, 409)
    return _page(request, annotator, seat, filled=_draft(seat), notice="stale", lost=lost, status=409)


def _page(
    request: HttpRequest,
    annotator: Annotator,
    seat: Assignment | None,
    *,
    filled: Mapping[str, str],
    problems: Mapping[str, str] | None = None,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    if seat is None:
        return journey.nothing_left(request, annotator)
    context: dict[str, Any] = {"study": annotator.study, "annotator": annotator} | more
    if more.get("saved"):
        context["saved_at"] = timezone.now()
    context |= screen(criteria_of(annotator.study, seat), seat, filled, problems or {})
    context |= {
        "token": uuid.uuid4(),
        "page": _PAGE.signature(f"{annotator.pk}:{seat.pk}"),
        "revision": journey.revision(seat),
    }
    context["progress"] = visits.progress(annotator, seat)
    if not request.htmx:  # type: ignore[attr-defined]
        context["invite"] = access.personal_path(annotator)
    return _render(request, "annotate/task.html", context, status)


def _render(request: HttpRequest, name: str, context: dict[str, Any], status: int) -> HttpResponse:
    part = f"{name}#screen" if request.htmx else name  # type: ignore[attr-defined]
    return render(request, part, context, status=status)
