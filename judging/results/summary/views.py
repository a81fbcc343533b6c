"""The report, as a page and to take along."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotate import trail
from annotate.models import Action, Role, Study
from annotate.views.access import for_members
from judging.results.cache import cached
from judging.results.prepared import is_made_now
from judging.results.summary.files import html, zipped
from judging.results.summary.report import cached_report


@require_GET
@for_members(Role.AUDITOR)
def report(request: HttpRequest, study: Study) -> HttpResponse:
    return render(request, "judging/results/summary.html", {"study": study, "report": cached_report(study)})


@require_GET
@for_members(Role.AUDITOR)
def report_file(request: HttpRequest, study: Study) -> HttpResponse:
    content = html(cached_report(study)).encode()
    return _attached(study, content, f"{study.slug}-report.html", "text/html; charset=utf-8")


@require_GET
@for_members(Role.AUDITOR)
def report_folder(request: HttpRequest, study: Study) -> HttpResponse:
    content = cached(study, "report-folder", lambda: zipped(cached_report(study)))
    return _attached(study, content, f"{study.slug}-report.zip", "application/zip")


def _attached(study: Study, content: bytes, name: str, kind: str) -> HttpResponse:
    # What a worker looks at goes nowhere.
    if not is_made_now():
        trail.note(study, Action.DOWNLOADED, "report", name=name)
    return HttpResponse(
        content, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
