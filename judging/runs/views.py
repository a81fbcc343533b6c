"""Scoring in the browser: start a run, watch it, cancel it, see what went wrong."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from annotate.models import Role, Study
from annotate.views.access import for_members
from annotate.views.desk import posted
from judging import tasks
from judging.models import ScoreRun, ScoringTask
from judging.runs import work as scoring

LATEST = 50


class OrderForm(forms.Form):
    scorer = forms.ChoiceField(choices=lambda: [(name, name) for name in sorted(settings.SCORERS)])
    call_budget = forms.IntegerField(
        required=False,
        min_value=1,
        label="Maximum calls",
        help_text="To an endpoint. Leave empty for no limit.",
    )
    token_budget = forms.IntegerField(required=False, min_value=1, label="Maximum tokens")


@require_GET
@for_members(Role.AUDITOR)
def runs(request: HttpRequest, study: Study) -> HttpResponse:
    if request.GET.get("part") == "live":
        return render(request, "judging/runs.html#live", _live(study))
    return _page(request, study, OrderForm())


def _page(request: HttpRequest, study: Study, form: OrderForm) -> HttpResponse:
    context = _live(study) | {"form": form, "stored": ScoreRun.objects.with_counts(study)}
    context["brings_files"] = Role(study.your_role).includes(Role.RESEARCHER)
    return render(request, "judging/runs.html", context, status=422 if form.errors else 200)


def _live(study: Study) -> dict[str, object]:
    rows = list(study.scoring_tasks.select_related("asked_by", "run").order_by("-pk")[:LATEST])
    waiting = any(task.status == ScoringTask.Status.WAITING for task in rows)
    return {"study": study, "tasks": rows, "active": any(t.active for t in rows), "waiting": waiting}


@require_POST
@for_members(Role.AUDITOR)
def start(request: HttpRequest, study: Study) -> HttpResponse:
    form = OrderForm(posted(request))
    if not form.is_valid():
        return _page(request, study, form)
    settings = form.cleaned_data
    try:
        tasks.enqueue(scoring.order(study, settings.pop("scorer"), asked_by=request.user, **settings))
    except scoring.BusyError as error:
        messages.warning(request, f"{error}.")
    return redirect("runs", study.slug)


@require_POST
@for_members(Role.AUDITOR)
def cancel(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    get_object_or_404(ScoringTask, pk=pk, study=study).cancel()
    return redirect("runs", study.slug)


@require_GET
@for_members(Role.AUDITOR)
def run(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    """What exactly was run, and what got no number."""
    score_run = get_object_or_404(ScoreRun, pk=pk, study=study)
    scores = score_run.scores.failed().select_related("response").order_by("pk")
    verdicts = score_run.verdicts.failed().select_related("item").order_by("pk")
    context = {
        "study": study,
        "run": score_run,
        "n_failed": scores.count() + verdicts.count(),
        "failed": [*scores[:LATEST], *verdicts[:LATEST]][:LATEST],
        "unknown": score_run.unknown_languages(),
    }
    return render(request, "judging/run.html", context)
