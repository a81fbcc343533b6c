"""The replication panel: one scorer's on the page, all of them in an overview and as JSON."""

from typing import cast, get_args
from urllib.parse import quote

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotate.models import Criterion, Role, Study
from annotate.views.access import for_members
from judging.results.cache import kept
from judging.results.replication import charts
from judging.results.replication import report as panels
from judging.stats.similarity.association import Method

PAGE = "judging/results/replication.html"


@require_GET
@for_members(Role.AUDITOR)
def replication(request: HttpRequest, study: Study) -> HttpResponse:
    if request.GET.get("format") == "json":
        return JsonResponse(kept(study, "replication-json", lambda: panels.json_of(study)))
    try:
        if "overview" in request.GET:
            every = kept(study, "replication", lambda: panels.report(study))
            return render(
                request, "judging/results/replication_overview.html", {"study": study, "panels": every}
            )
        return render(request, PAGE, _one(request, study))
    except panels.ReplicationError as error:
        return render(request, PAGE, {"study": study, "why": str(error)})


def _one(request: HttpRequest, study: Study) -> dict[str, object]:
    asked, criteria = request.GET.get("scorer", ""), panels.criteria(study)
    criterion, method = _criterion(criteria, request.GET.get("criterion", "")), _method(request)
    try:
        found = kept(
            study, quote(f"replication:{criterion.pk}:{asked}"), lambda: panels.chosen(criterion, asked)
        )
    except KeyError as error:
        raise Http404(f"nothing is known of {asked} and {criterion.key}") from error
    key = quote(f"replication-figure:{criterion.pk}:{asked}:{method}")
    panel = found.panel
    return {
        "study": study,
        "criteria": criteria,
        "scorers": found.scorers,
        "panel": panel,
        "method": method,
        "methods": get_args(Method),
        "figure": kept(study, key, lambda: charts.replication(panel, method).drawn())
        if panel.cells
        else None,
    }


def _criterion(criteria: list[Criterion], key: str) -> Criterion:
    found = [c for c in criteria if key in ("", c.key)]
    if not found:
        raise Http404(f"no rating of quality and no preference called {key}")
    return found[0]


def _method(request: HttpRequest) -> Method:
    named = request.GET.get("method", "spearman")
    if named not in get_args(Method):
        raise Http404(f"no correlation called {named}")
    return cast(Method, named)
