"""The monitor's pages: the study, one annotator, one judgment; and exclusions."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from annotate import exclusions, seats
from annotate.models import Annotator, Judgment, Role, Study
from annotate.views.access import for_members
from judging.monitor import live as monitors
from judging.monitor.annotator_quality import WHOLE, AnnotatorQuality
from judging.monitor.beside import beside_others

LONGEST_REASON = 500
LATEST = 100
A_PAGE = 250


@require_GET
@for_members(Role.RESEARCHER)
def monitor(request: HttpRequest, study: Study) -> HttpResponse:
    context: dict[str, object] = {"study": study, "live": monitors.live(study)}
    if request.GET.get("part") == "live":
        return render(request, "judging/monitor.html#live", context)
    sort = request.GET.get("sort", "-concern")
    people = monitors.people_table(study, sort)
    known = monitors.known_columns(people.value)
    context |= {
        "people": people,
        "page": Paginator(people.value, A_PAGE).get_page(request.GET.get("page")),
        "sort": sort if sort.removeprefix("-") in monitors.COLUMNS else "-concern",
        "columns": [_column(name, sort) for name in known],
        "unknown": [label for name, label in monitors.COLUMNS.items() if name not in known],
        "excluded": monitors.excluded(study),
        "slots": study.annotators.slots().count(),
    }
    return render(request, "judging/monitor.html", context)


def _column(name: str, sort: str) -> dict[str, str]:
    """A column heading: its label, its link's sort order, and the current one for `aria-sort`."""
    standing = {name: "ascending", f"-{name}": "descending"}.get(sort, "")
    order = f"-{name}" if standing == "ascending" else name
    return {"name": name, "label": monitors.COLUMNS[name], "sort": order, "standing": standing}


@require_GET
@for_members(Role.RESEARCHER)
def annotator(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    return _annotator_page(request, _annotator(study, pk))


def _annotator(study: Study, pk: int) -> Annotator:
    return get_object_or_404(study.annotators, pk=pk)


def _annotator_page(request: HttpRequest, person: Annotator, problem: str = "") -> HttpResponse:
    judgments = (
        Judgment.objects.current()
        .filter(assignment__annotator=person)
        .select_related("assignment__item")
        .order_by("-submitted_at", "-pk")
    )
    listed = list(judgments[:LATEST])
    beside = beside_others(person, listed)
    context = {
        "study": person.study,
        "annotator": person,
        "evidence": _evidence_on(person),
        "judgments": [(j, beside.get(j.pk, [])) for j in listed],
        "n_judgments": judgments.count(),
        "problem": problem,
        "reason": request.POST.get("reason", ""),
    }
    return render(request, "judging/annotator.html", context, status=422 if problem else 200)


def _evidence_on(person: Annotator) -> AnnotatorQuality | None:
    table = monitors.people_table(person.study, "annotator").value
    return next((row for row in table if row.annotator.pk == person.pk), None)


@require_GET
@for_members(Role.RESEARCHER)
def judgment(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    return _judgment_page(request, _judgment(study, pk))


def _judgment(study: Study, pk: int) -> Judgment:
    rows = Judgment.objects.in_study(study).select_related(
        "assignment__item__prompt", "assignment__annotator"
    )
    judgment = get_object_or_404(rows, pk=pk)
    judgment.assignment.study = study
    return judgment


def _judgment_page(request: HttpRequest, judgment: Judgment, problem: str = "") -> HttpResponse:
    seat = judgment.assignment
    answers = judgment.answers.select_related("criterion", "response", "other").order_by(
        "criterion__position"
    )
    responses = {r.response_id: r.response for r in seat.item.item_responses.select_related("response")}
    order = seat.shown or list(responses)
    context = {
        "study": seat.study,
        "judgment": judgment,
        "seat": seat,
        "answers": answers.order_by("criterion__position", "pk"),
        "responses": [responses[pk] for pk in order if pk in responses],
        "order_known": bool(seat.shown),
        "skipped": judgment.excluded == seats.SKIPPED,
        "whole": judgment.excluded.startswith(WHOLE),
        "last": seat.judgments.order_by("-revision").first() == judgment,
        "problem": problem,
        "reason": request.POST.get("reason", ""),
    }
    return render(request, "judging/judgment.html", context, status=422 if problem else 200)


def _problem(reason: str) -> str:
    if not reason:
        return "Please give a reason: readers of the results will ask for it."
    if len(reason) > LONGEST_REASON:
        return f"Please keep the reason under {LONGEST_REASON} characters; this has {len(reason):,}."
    if reason == seats.SKIPPED or reason.startswith(WHOLE):
        return f"“{reason}” has a special meaning in Offbeat. Please use other words."
    return ""


def _reason(request: HttpRequest) -> str:
    return " ".join(request.POST.get("reason", "").split())


@require_POST
@for_members(Role.RESEARCHER)
def exclude_annotator(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    person, reason = _annotator(study, pk), _reason(request)
    if problem := _problem(reason):
        return _annotator_page(request, person, problem)
    if not person.excluded:
        exclusions.exclude_annotator(person, reason)
    return redirect("monitor-annotator", study.slug, pk)


@require_POST
@for_members(Role.RESEARCHER)
def readmit_annotator(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    person = _annotator(study, pk)
    if person.excluded:
        exclusions.readmit_annotator(person)
    return redirect("monitor-annotator", study.slug, pk)


@require_POST
@for_members(Role.RESEARCHER)
def exclude_judgment(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    judgment, reason = _judgment(study, pk), _reason(request)
    if problem := _problem(reason):
        return _judgment_page(request, judgment, problem)
    if not judgment.excluded:
        exclusions.exclude(judgment, reason)
    return redirect("monitor-judgment", study.slug, pk)


@require_POST
@for_members(Role.RESEARCHER)
def readmit_judgment(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    judgment = _judgment(study, pk)
    # What was passed over has no answers to count, and a whole exclusion is undone as a whole.
    if judgment.excluded and judgment.excluded != seats.SKIPPED and not judgment.excluded.startswith(WHOLE):
        exclusions.readmit(judgment)
    return redirect("monitor-judgment", study.slug, pk)
