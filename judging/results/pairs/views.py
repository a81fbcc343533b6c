"""Pairs and lists: equally good pairs, good responses that are missed, and margins beside people's votes."""

from typing import Any
from urllib.parse import quote

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotate.models import Response, Role, Study
from annotate.views.access import for_members
from judging.results import audit as audits
from judging.results.cache import kept
from judging.results.figures import Figure
from judging.results.pairs import charts
from judging.results.pairs import report as lists
from judging.results.pairs.report import Margin, Rated


@require_GET
@for_members(Role.AUDITOR)
def pairs(request: HttpRequest, study: Study) -> HttpResponse:
    measure = request.GET.get("unusualness", audits.COSINE)
    if measure not in audits.NAMES:
        raise Http404(f"no unusualness {measure}")
    if request.GET.get("format") == "json":
        return JsonResponse(lists.kept_json(study, measure))
    found = lists.kept_report(study, measure)
    scorer, criterion = request.GET.get("scorer", ""), request.GET.get("criterion", "")
    rated, margins = _rated(found, scorer, criterion), _margins(found, scorer, criterion)
    if scorer and not rated and not margins:
        raise Http404(f"nothing is known of {scorer} and {criterion}")
    key = quote(f"pairs-figures:{measure}:{scorer}:{criterion}")
    context = {
        "study": study,
        "found": found,
        "figures": kept(study, key, lambda: _figures(found, margins)),
        "rated": rated,
        "read": _to_read(rated),
        "margins": margins,
    }
    return render(request, "judging/results/pairs.html", context)


def _rated(found: lists.Report, scorer: str, criterion: str) -> Rated | None:
    """The one asked for, else the scorer that misses most: length, the baseline, only where nothing else is."""
    asked = [
        r
        for r in found.rated
        if scorer in ("", r.scorer) and criterion in ("", r.criterion.key) and not r.missed.reason
    ]
    return max(asked, key=lambda r: (not r.is_baseline, r.missed.unusual.estimate or 0.0), default=None)


def _margins(found: lists.Report, scorer: str, criterion: str) -> list[Margin]:
    """Everything that one scorer said by one criterion, in each order."""
    asked = [m for m in found.margins if scorer in ("", m.scorer) and criterion in ("", m.criterion.key)] or [
        m for m in found.margins if scorer == m.scorer
    ]
    return [m for m in asked if (m.scorer, m.criterion) == (asked[0].scorer, asked[0].criterion)]


def _figures(found: lists.Report, margins: list[Margin]) -> dict[str, Figure]:
    drawn = {
        "preferred": charts.preferred(found.rated),
        "missed": charts.missed(found.rated),
        "reliability": charts.reliability(margins),
    }
    return {name: figure.drawn() for name, figure in drawn.items() if figure is not None}


def _to_read(row: Rated | None) -> list[dict[str, Any]]:
    if row is None:
        return []
    records = row.missed.missed.head(lists.TO_READ).to_dict("records")
    texts = Response.objects.select_related("prompt").in_bulk([int(r["response_id"]) for r in records])
    return [{str(k): v for k, v in r.items()} | {"response": texts[int(r["response_id"])]} for r in records]
