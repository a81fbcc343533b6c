"""The study desk: a study's overview and its status. Results are judging's pages."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotate import cloning, invites, members, rehearsal, study_status
from annotate.counting import counted
from annotate.forms import CloneForm
from annotate.models import Annotator, Assignment, Item, Judgment, Role, Study
from annotate.readiness import open_issues
from annotate.texts import one_newline
from annotate.views.access import for_members, staff_only

Status = Study.Status
SAID = {
    Status.OPEN: "The study is open: whoever has the link can take part.",
    Status.PAUSED: "The study is paused: nobody gets another item until you reopen it.",
    Status.CLOSED: "The study is closed.",
}


def home(request: HttpRequest) -> HttpResponse:
    there = Study.objects.open().filter(simulated=True).order_by("slug")
    demos = [(study, invites.path(link)) for study in there if (link := invites.usable(study))]
    return render(request, "annotate/home.html", {"demos": demos})


@require_safe
@never_cache
@login_required
def studies(request: HttpRequest) -> HttpResponse:
    rows = (
        Study.objects.visible_to(request.user)
        .order_by("slug")
        .annotate(
            n_items=counted(Item.objects.all(), "study"),
            n_submitted=counted(Assignment.objects.submitted(), "study"),
            n_free=counted(Assignment.objects.free(), "study"),
        )
    )
    return render(request, "annotate/studies.html", {"studies": rows})


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: the data sent, even if empty, with line ends as they are stored.

    Browsers send CRLF: compared with what is stored, every text of several lines would look changed.
    """
    if request.method != "POST":
        return None
    sent = request.POST.copy()
    for name, values in request.POST.lists():
        sent.setlist(name, [one_newline(value) for value in values])
    return sent


def judged(study: Study) -> int:
    """How many judgments there are, corrections apart: of seats an index knows the number."""
    return Assignment.objects.submitted().filter(study=study).count()


@require_safe
@for_members(Role.AUDITOR)
def study(request: HttpRequest, study: Study) -> HttpResponse:
    return _overview(request, study)


def _overview(request: HttpRequest, study: Study, refused: str = "", leaks: bool = False) -> HttpResponse:
    missing = open_issues(study) if _sets_up(study) else []
    link = invites.usable(study) if _sets_up(study) else None
    context = {
        "study": study,
        "criteria": study.criteria.all(),
        "invite": request.build_absolute_uri(invites.path(link)) if link else "",
        "counts": _counts(study),
        "stops": [issue for issue in missing if issue.stops],
        "hints": [issue for issue in missing if not issue.stops],
        "moves": study_status.MOVES[study.status],
        "judged": Judgment.objects.in_study(study).exists(),
        "refused": refused,
        "leaks": leaks,
    }
    return render(request, "annotate/study.html", context, status=409 if refused else 200)


def _sets_up(study: Study) -> bool:
    return Role(study.your_role).includes(Role.RESEARCHER)


def _counts(study: Study) -> dict[str, int]:
    seats = dict(Assignment.objects.filter(study=study).values_list("status").annotate(n=Count("pk")))
    n_seats = sum(seats.values())
    roles = dict(Item.objects.filter(study=study).values_list("role").annotate(n=Count("pk")))
    return {
        "prompts": study.prompts.in_pool().count(),
        "responses": study.responses.in_pool().count(),
        "held_back": study.responses.in_pool().exclude(held_back="").count(),
        "items": sum(roles.values()),
        "other_items": sum(n for role, n in roles.items() if role != Item.Role.MAIN),
        "annotators": Annotator.objects.filter(study=study).count(),
        "seats": n_seats,
        "share": round(100 * seats.get(Assignment.Status.SUBMITTED, 0) / n_seats) if n_seats else 0,
        **{status: seats.get(status, 0) for status in Assignment.Status.values},
    }


@require_POST
@for_members(Role.RESEARCHER)
def move(request: HttpRequest, study: Study) -> HttpResponse:
    """Open, pause or close; a study with open issues is not opened."""
    status = request.POST.get("to", "")
    try:
        study_status.check_move(study, status, anyway="anyway" in request.POST)
    except study_status.MoveError as error:
        return _overview(request, study, str(error), leaks=isinstance(error, study_status.LeaksError))
    if study_status.move(study, Status(status)):
        messages.success(request, SAID[Status(status)])
    return redirect(study)


@require_http_methods(["GET", "POST"])
@staff_only
@for_members(Role.RESEARCHER)
def clone(request: HttpRequest, study: Study) -> HttpResponse:
    form = CloneForm(posted(request), initial={"title": f"{study.title} (copy)"[:300], "slug": ""})
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            copy = cloning.clone(study, form.cleaned_data["slug"], form.cleaned_data["title"])
            members.add(copy, request.user, Role.OWNER)
        messages.success(
            request, "Cloned settings, criteria, texts and items, but no answers. The clone is a draft."
        )
        return redirect(copy)
    context = {"study": study, "form": form}
    return render(request, "annotate/desk_clone.html", context, status=422 if form.errors else 200)


@require_POST
@for_members(Role.RESEARCHER)
def rehearse(request: HttpRequest, study: Study) -> HttpResponse:
    """Try the study as an annotator, from the invite link on."""
    if any(issue.stops for issue in open_issues(study)):
        return _overview(request, study, "The study can’t be tried yet.")
    return redirect(invites.path(invites.first(rehearsal.start(study))))


@require_POST
@for_members(Role.RESEARCHER)
def end_rehearsal(request: HttpRequest, study: Study) -> HttpResponse:
    rehearsal.end(study)
    messages.success(request, "The rehearsal is over, and its answers are thrown away.")
    return redirect(study)
