"""The annotator's journey around the task pages: invite → consent → instructions → questions → … → thanks.

A task page asks `away` before it is drawn and `after` once a submission is stored.
"""

from typing import Any
from urllib.parse import quote

from allauth.core.internal import ratelimit
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from annotate import design, invites, languages, seats, stages, visits, workload
from annotate.feedback import feedback
from annotate.models import Annotator, Assignment, InviteLink, Item, Study
from annotate.stages import Outcome, Stage
from annotate.views import access
from annotate.whole_numbers import whole

_PAGES = {Stage.CONSENT: "consent", Stage.INSTRUCTIONS: "instructions", Stage.CHECK: "check"}
# After these an answer that comes late is still taken: it was made in good faith.
_LATE = ("", Outcome.LEFT, Outcome.FINISHED, Outcome.FULL)


def place(annotator: Annotator) -> str:
    """Name of the page where the annotator is now."""
    if annotator.stage == Stage.ENDED or not stages.is_open(annotator.study):
        return "end"
    return _PAGES.get(Stage(annotator.stage), "task")


def away(request: HttpRequest, annotator: Annotator) -> HttpResponse | None:
    """A way to where the annotator must be instead of at a task page, if anywhere."""
    if request.method == "POST":
        working = annotator.stage not in _PAGES and annotator.outcome in _LATE
        return None if working else _go(request, annotator, place(annotator))
    if annotator.stage != Stage.WORK:
        again = annotator.outcome in (Outcome.LEFT, Outcome.FULL)
        (stages.resume if again else stages.settle)(annotator)
    name = place(annotator)
    return None if name == "task" else _go(request, annotator, name)


def after(
    request: HttpRequest, annotator: Annotator, seat: Assignment, following: Assignment | None
) -> HttpResponse | None:
    """A way to the page that comes between a stored submission and the next item, if any."""
    if seat.item.role == Item.Role.PRACTICE:
        return _go(request, annotator, "practice", seat.pk)
    if not stages.is_open(annotator.study):
        return _go(request, annotator, "end")
    if following is None:
        return nothing_left(request, annotator)
    return _go(request, annotator, "break") if stages.break_due(annotator) else None


def retried(request: HttpRequest, annotator: Annotator) -> Assignment | None:
    """A practice item that the annotator wants to answer once more (`?again=<seat>`)."""
    return _practised(annotator).filter(pk=whole(request.GET.get("again", "")) or 0).first()


def revision(seat: Assignment) -> int:
    """How many judgments of the seat its page knows of."""
    return seat.judgments.count() if seat.status == Assignment.Status.SUBMITTED else 0


def _practised(annotator: Annotator) -> QuerySet[Assignment]:
    own = Assignment.objects.for_annotator(annotator).submitted()
    return own.filter(item__role=Item.Role.PRACTICE).select_related("item__prompt")


def nothing_left(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    """A way to the last page, for whoever gets no further seat."""
    stages.nothing_left(annotator)
    return _go(request, annotator, "end")


def _go(request: HttpRequest, annotator: Annotator, name: str, *args: object) -> HttpResponse:
    url = reverse(name, args=[annotator.study.slug, *args])
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)  # type: ignore[attr-defined]


@never_cache
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    link = invites.named(token)
    if link is None:
        languages.speak(request)
        return render(request, "annotate/bad_invite.html", status=404)
    study = link.study
    languages.speak(request, study)
    try:
        # The panel's id of a person goes no further than this.
        if named := access.panel_link(request, link):
            return redirect(named)
    except access.UnnamedError as error:
        return _turned_away(request, link, error)
    visitor = access.visitor(request, study)
    if study.panel_required and not (visitor.annotator or visitor.key):
        return _turned_away(request, link, access.UnnamedError(study.panel_names.get("participant", "")))
    try:
        if request.method == "POST" and (visitor.annotator or stages.takes(study)):
            if not (visitor.annotator or _may_join(request)):
                return _too_many(request, study)
            return _enter(visitor.annotator or invites.let_in(link, visitor.key), visitor.session)
    except invites.LinkEndedError:
        return _link_ended(request, link)
    if not visitor.annotator and link.ended:
        return _link_ended(request, link)
    return _landing(request, study, visitor)


def _may_join(request: HttpRequest) -> bool:
    """Whether so few new people have come from this address lately that they can all be people."""
    rates = {"join": settings.JOIN_RATE}
    return ratelimit.consume(request, app="annotate", action="join", config=rates) is not None


def _too_many(request: HttpRequest, study: Study) -> HttpResponse:
    page = render(request, "annotate/too_many.html", {"study": study}, status=429)
    page.headers["Retry-After"] = "60"
    return page


def _turned_away(request: HttpRequest, link: InviteLink, error: access.UnnamedError) -> HttpResponse:
    """Nobody comes in without a name where one belongs: two strangers would become one annotator."""
    invites.turn_away(link)
    context = {"study": link.study, "parameter": error.parameter, "given": error.given[:100]}
    return render(request, "annotate/unnamed.html", context, status=400)


def _link_ended(request: HttpRequest, link: InviteLink) -> HttpResponse:
    context = {"study": link.study, "link": link, "ended": link.ended or InviteLink.Ended.USED_UP}
    return render(request, "annotate/link_ended.html", context, status=410)


def _enter(annotator: Annotator, session: str) -> HttpResponse:
    stages.arrive(annotator, session)
    to = redirect(place(annotator), annotator.study.slug)
    return access.remember(to, annotator, secure=settings.SECURE)


def _landing(request: HttpRequest, study: Study, visitor: access.Visitor) -> HttpResponse:
    there = stages.open_items(study)
    in_visit = min(there, study.session_items or there)
    context: dict[str, Any] = {"study": study, "annotator": visitor.annotator, "open_items": there}
    context |= {"in_visit": in_visit, "is_open": stages.is_open(study), "unnamed": not visitor.key}
    if there and stages.is_open(study) and not visitor.annotator:
        context["minutes"] = workload.minutes(study, in_visit)
    elif not visitor.annotator:
        context |= _completion(study, Outcome.FULL) | {"soonest": stages.next_release(study)}
    return render(request, "annotate/join.html", context)


def _step(request: HttpRequest, annotator: Annotator, stage: Stage, **more: Any) -> HttpResponse:
    steps = stages.steps(annotator.study)
    context = {"study": annotator.study, "stage": stage.value, "n_steps": len(steps)} | more
    context["step"] = steps.index(stage) + 1 if stage in steps else 0
    context["past"] = annotator.stage != stage
    return render(request, f"annotate/{stage.value}.html", context, status=more.get("status", 200))


@access.for_annotators
@require_http_methods(["GET", "POST"])
def consent(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    if place(annotator) != "consent":
        return _go(request, annotator, place(annotator))
    if request.method == "GET":
        return _step(request, annotator, Stage.CONSENT)
    if request.POST.get("agree") == "no":
        stages.end(annotator, Outcome.NO_CONSENT)
    else:
        stages.advance(annotator)
    return _go(request, annotator, place(annotator))


@access.for_annotators
@require_http_methods(["GET", "POST"])
def instructions(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    """The step; whoever is past it may read them again."""
    here = place(annotator) == "instructions"
    if request.method == "GET" and (here or annotator.stage in (Stage.CHECK, Stage.PRACTICE, Stage.WORK)):
        return _step(request, annotator, Stage.INSTRUCTIONS)
    if here:
        stages.advance(annotator)
    return _go(request, annotator, place(annotator))


@access.for_annotators
@require_http_methods(["GET", "POST"])
def check(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    if place(annotator) != "check":
        return _go(request, annotator, place(annotator))
    if request.method == "GET":
        return _questions(request, annotator, [])
    study = annotator.study
    chosen = [request.POST.get(f"q{n}", "") for n in range(len(study.checks))]
    missing = [n for n, answer in enumerate(chosen) if not answer]
    wrong = [] if missing else stages.wrong_answers(study, chosen)
    if missing:
        return _questions(request, annotator, chosen, missing=missing)
    if not wrong:
        stages.advance(annotator)
    elif (tries := whole(request.POST.get("tries", ""))) is None or not stages.check_failed(annotator, tries):
        return _go(request, annotator, "check")
    elif annotator.stage == Stage.CHECK:
        return _questions(request, annotator, chosen, wrong=wrong)
    return _go(request, annotator, place(annotator))


def _questions(
    request: HttpRequest,
    annotator: Annotator,
    chosen: list[str],
    *,
    missing: list[int] | None = None,
    wrong: list[int] | None = None,
) -> HttpResponse:
    study = annotator.study
    missing, wrong = missing or [], wrong or []
    questions = [
        {
            "field": f"q{n}",
            "text": check["text"],
            "options": _shuffled(annotator, n, check["options"]),
            "chosen": chosen[n] if chosen and n not in wrong else "",
            "was": _option(check["options"], chosen[n]) if n in wrong else "",
            "missing": n in missing,
        }
        for n, check in enumerate(study.checks)
    ]
    more = {"questions": questions, "tries": annotator.tries, "left": study.check_tries - annotator.tries}
    status = 422 if missing or wrong else 200
    return _step(request, annotator, Stage.CHECK, **more, wrong=len(wrong), status=status)


def _shuffled(annotator: Annotator, question: int, options: list[str]) -> list[tuple[str, str, str]]:
    """Value, text and key of each: in an order of the annotator's own, so that no place is known for the right one."""

    def place(number: int) -> float:
        return design.fraction(annotator.study.seed, annotator.pk, "check", question, number)

    order = sorted(range(len(options)), key=place)
    return [(str(number), options[number], str(key)) for key, number in enumerate(order, 1)]


def _option(options: list[str], chosen: str) -> str:
    place = whole(chosen)
    return options[place] if place is not None and place < len(options) else chosen


@access.for_annotators
@require_GET
def practice(request: HttpRequest, annotator: Annotator, seat: int) -> HttpResponse:
    """What was expected of a practice item, beside what the annotator answered."""
    practised = get_object_or_404(_practised(annotator), pk=seat)
    remaining = Assignment.objects.for_annotator(annotator).held().filter(item__role=Item.Role.PRACTICE)
    more = {"seat": practised, "feedback": feedback(practised), "remaining": remaining.count()}
    more["retry"] = f"{reverse('task', args=[annotator.study.slug])}?again={seat}"
    return _step(request, annotator, Stage.PRACTICE, **more)


@access.for_annotators
@require_GET
def pause(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    """A break between two items."""
    if place(annotator) != "task":
        return _go(request, annotator, place(annotator))
    context = {"study": annotator.study, "done": visits.done(annotator), "left": visits.items_left(annotator)}
    return render(request, "annotate/break.html", context | _elsewhere(request, annotator))


def _elsewhere(request: HttpRequest, annotator: Annotator) -> dict[str, str]:
    """A panel's own link leads anybody back; others get a link of their own."""
    return {} if stages.from_panel(annotator) else {"personal": access.personal_link(request, annotator)}


@access.for_annotators
@require_POST
def leave(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    if annotator.stage != Stage.ENDED:
        stages.end(annotator, Outcome.LEFT)
    return _go(request, annotator, "end")


@access.for_annotators
@require_POST
def resume(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    """Go on after an end that was not the last word."""
    stages.another_round(annotator)
    return _go(request, annotator, place(annotator))


@access.for_annotators
@require_GET
def end(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    """The last page, or a wait, or what has become of the study."""
    study, done = annotator.study, visits.done(annotator)
    outlook = seats.outlook(annotator)
    case = annotator.outcome or ("waiting" if stages.is_open(study) else study.status)
    held = Assignment.objects.for_annotator(annotator).held()
    if case == "waiting" and (annotator.stage != Stage.WORK or held.exists()):
        return _go(request, annotator, place(annotator))
    context = {"study": study, "case": case, "done": done, "outlook": outlook} | _elsewhere(
        request, annotator
    )
    context["more"] = stages.is_open(study) and _may_go_on(annotator, outlook)
    return render(request, "annotate/end.html", context | _completion(study, _paid_as(case, done)))


def _may_go_on(annotator: Annotator, outlook: seats.Outlook) -> bool:
    if annotator.outcome == Outcome.FINISHED:
        another = bool(visits.room(annotator)) or not stages.from_panel(annotator)
        return another and bool(outlook.free) and not annotator.excluded
    return annotator.outcome in (Outcome.LEFT, Outcome.NO_CONSENT)


def _paid_as(case: str, done: int) -> str:
    """The outcome whose completion code is shown: whoever the study itself stops has done their part."""
    if case in Outcome.values:
        return case
    if case == "waiting":
        return ""
    stopped = Outcome.FINISHED if case == Study.Status.CLOSED else Outcome.LEFT
    return stopped if done else Outcome.FULL


def _completion(study: Study, outcome: str) -> dict[str, str]:
    """The panel's code for the outcome, and the address where it is handed in."""
    code = str(study.completion_codes.get(outcome, ""))
    back = study.return_url.replace("CODE", quote(code, safe=""))
    return {"code": code, "back": back if code and back.startswith(("https://", "http://")) else ""}


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The browser sent no token, or an old one: say what to do about it."""
    match = request.resolver_match
    kwargs = match.kwargs if match else {}
    study = Study.objects.filter(slug=kwargs.get("slug", "")).first()
    if "token" in kwargs:
        link = invites.named(kwargs["token"])
        study = link.study if link else None
    languages.speak(request, study)
    context = {"back": request.get_full_path(), "framed": bool(settings.FRAME_ANCESTORS)}
    page = render(request, "annotate/csrf.html", context, status=403)
    stranger = "slug" in kwargs and access.known_annotator(request, kwargs["slug"]) is None
    return access.without_invite(page) if stranger else page
