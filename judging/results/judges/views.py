"""Judges audited as judges, and tried."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from annotate.models import Role, Study
from annotate.views.access import for_members
from judging import tasks
from judging.results.cache import kept
from judging.results.judges.report import as_json, audit_judges, judges
from judging.runs import work as scoring


class ProbeForm(forms.Form):
    scorer = forms.ChoiceField(label="Judge", choices=lambda: [(name, name) for name in judges()])
    responses = forms.IntegerField(label="Responses or pairs", min_value=2, max_value=100_000, initial=100)
    repeats = forms.IntegerField(label="Times asked", min_value=2, max_value=20, initial=3)
    call_budget = forms.IntegerField(required=False, min_value=1, label="At most so many calls")


@require_GET
@for_members(Role.AUDITOR)
def judges_page(request: HttpRequest, study: Study) -> HttpResponse:
    found = kept(study, "judges", lambda: audit_judges(study))
    if request.GET.get("format") == "json":
        return JsonResponse(as_json(study, found))
    return render(request, "judging/results/judges.html", _context(study, ProbeForm()) | {"found": found})


def _context(study: Study, form: ProbeForm) -> dict[str, object]:
    return {"study": study, "form": form, "names": judges()}


@require_POST
@for_members(Role.AUDITOR)
def try_judge(request: HttpRequest, study: Study) -> HttpResponse:
    form = ProbeForm(request.POST)
    if not form.is_valid():
        context = _context(study, form) | {"found": kept(study, "judges", lambda: audit_judges(study))}
        return render(request, "judging/results/judges.html", context, status=422)
    asked = form.cleaned_data
    probe = {"responses": asked["responses"], "repeats": asked["repeats"]}
    try:
        tasks.enqueue(
            scoring.order(
                study, asked["scorer"], probe=probe, asked_by=request.user, call_budget=asked["call_budget"]
            )
        )
    except scoring.BusyError as error:
        messages.warning(request, f"{error}.")
    return redirect("runs", study.slug)
