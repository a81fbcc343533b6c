"""A study's settings, in pages: texts, journey, task page, panel."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.forms import BaseFormSet, ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from annotate import planting, study_templates, trail
from annotate.forms import CheckForms, JourneyForm, NewStudyForm, PageForm, PanelForm, TextsForm, check_rows
from annotate.models import Action, Role, Study
from annotate.views.access import for_members, staff_only
from annotate.views.desk import judged, posted

SECTIONS: "dict[str, tuple[str, type[ModelForm[Study]]]]" = {
    "texts": ("Title and texts", TextsForm),
    "journey": ("Journey", JourneyForm),
    "page": ("Task page", PageForm),
    "panel": ("Panel", PanelForm),
}


@require_http_methods(["GET", "POST"])
@staff_only
def new(request: HttpRequest) -> HttpResponse:
    form = NewStudyForm(posted(request))
    if request.method == "POST" and form.is_valid():
        study = form.save(commit=False)
        study_templates.start(study, form.cleaned_data["template"], request.user)
        return redirect("pool", study.slug)
    return render(request, "annotate/desk_new.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@for_members(Role.RESEARCHER)
def settings(request: HttpRequest, study: Study, section: str = "texts") -> HttpResponse:
    if section not in SECTIONS:
        raise Http404
    form = SECTIONS[section][1](posted(request), instance=study)
    checks = _checks(request, study) if section == "journey" else None
    if request.method == "POST" and _valid(form, checks):
        _save(section, form, checks)
        messages.success(request, "Saved.")
        return redirect("settings", study.slug, section)
    wrong = request.method == "POST"
    if wrong:
        # The head of the page tells the study as it is, not as it was typed.
        study = Study.objects.visible_to(request.user).get(pk=study.pk)
    context = {
        "study": study,
        "form": form,
        "checks": checks,
        "section": section,
        "sections": [(name, title) for name, (title, _) in SECTIONS.items()],
        "judged": judged(study),
    }
    return render(request, "annotate/desk_settings.html", context, status=422 if wrong else 200)


def _checks(request: HttpRequest, study: Study) -> "BaseFormSet[Any]":
    return CheckForms(posted(request), initial=check_rows(study), prefix="check")


def _valid(form: "ModelForm[Study]", checks: "BaseFormSet[Any] | None") -> bool:
    # Both are asked, so that the errors of both are said.
    return all([form.is_valid(), checks is None or checks.is_valid()])


def _save(section: str, form: "ModelForm[Study]", checks: "BaseFormSet[Any] | None") -> None:
    if checks is not None and checks.has_changed():
        form.instance.checks = [f.cleaned_data["check"] for f in checks if f.cleaned_data.get("check")]
    with transaction.atomic():
        before = Study.objects.select_for_update().get(pk=form.instance.pk)
        study = form.save()
        if changed := trail.differences(before, study):
            trail.record(study, Action.CHANGED, SECTIONS[section][0].lower(), **changed)
        if "seats" in form.changed_data:
            planting.fit_seats(study)


@require_POST
@login_required
def markdown(request: HttpRequest) -> HttpResponse:
    """A Markdown text as annotators will see it."""
    text = request.POST.get(request.GET.get("of", "instructions"), "")
    return render(request, "annotate/desk_markdown.html", {"text": text})
