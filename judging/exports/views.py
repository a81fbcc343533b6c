"""Exports: choose a format, start it, download it."""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from annotate import trail
from annotate.models import Action, Role, Study
from annotate.views.access import for_members
from annotate.views.desk import posted
from judging import tasks
from judging.exports import export_jobs
from judging.exports.range_response import ranged
from judging.exports.writers import WRITERS
from judging.imports import bad_rows


class ExportForm(forms.Form):
    writer = forms.ChoiceField(
        choices=[(w.name, w.title) for w in WRITERS.values()],
        widget=forms.RadioSelect,
        initial="folder",
        label="Shape",
    )
    escape = forms.BooleanField(
        required=False,
        initial=True,
        label="In CSV, put an apostrophe before texts that begin with = + - @",
        help_text="Otherwise a spreadsheet runs them as formulas. The CSV of a study folder never has it.",
    )


@require_http_methods(["GET", "POST"])
@for_members(Role.RESEARCHER)
def exports(request: HttpRequest, study: Study) -> HttpResponse:
    form = ExportForm(posted(request))
    if request.method == "POST" and form.is_valid():
        _make(request, study, form.cleaned_data["writer"], escape=form.cleaned_data["escape"])
        return redirect("exports", study.slug)
    jobs = export_jobs.listed(study)
    context = {
        "study": study,
        "form": form,
        "writers": WRITERS.values(),
        "jobs": jobs,
        "lists": bad_rows.kept(study),
        "waiting": any(f.status in ("waiting", "running") for f in jobs),
    }
    return render(request, "judging/exports.html", context, status=422 if form.errors else 200)


def _make(request: HttpRequest, study: Study, writer: str, *, escape: bool) -> None:
    job = tasks.start_export(study, writer, escape)
    if job.status == "failed":
        messages.error(request, f"The export failed: {job.record['error']}")
    elif job.status != "done":
        messages.success(request, "The export is being made, and will be listed below.")


@require_safe
@for_members(Role.RESEARCHER)
def download(request: HttpRequest, study: Study, name: str) -> HttpResponseBase:
    """A finished export; interrupted downloads resume."""
    job = export_jobs.find(study, name)
    if job is None or job.status != "done" or not job.path.is_file():
        raise Http404("no such export")
    trail.note(study, Action.DOWNLOADED, job.record["writer"], name=name)
    return ranged(request, job.path, "application/zip")
