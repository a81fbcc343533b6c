"""Results for researchers and auditors."""

from collections import Counter

import pandas as pd
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET

from annotate.models import Response, Role, Study
from annotate.views.access import for_members
from judging import audit as audits
from judging.cached import kept
from judging.methods import parts
from judging.plots import svg, underrating_chart

TO_READ = 8


@require_GET
@for_members(Role.AUDITOR)
def audit(request: HttpRequest, study: Study) -> HttpResponse:
    if request.GET.get("format") == "json":
        return JsonResponse(kept(study, "audit-json", lambda: audits.as_json(study)))
    try:
        rows = kept(study, "audit", lambda: audits.audit(study))
    except audits.AuditError as error:
        return render(request, "judging/no_audit.html", {"study": study, "why": str(error)})
    chosen = _chosen(rows, request.GET.get("scorer", ""))
    context = {
        "study": study,
        "rows": rows,
        "chart": kept(study, "audit-chart", lambda: _chart(rows)),
        "chosen": chosen,
        "to_read": kept(
            study, f"to-read:{chosen.scorer}:{chosen.criterion.pk}", lambda: _to_read(study, chosen)
        ),
        "embedder": rows[0].unusualness,
        "truncated": kept(study, "truncated", lambda: audits.sources(study).truncated),
        "verdicts": Counter(r.result.verdict_text for r in rows).most_common(),
    }
    return render(request, "judging/audit.html", context)


def _chosen(rows: list[audits.Row], scorer: str) -> audits.Row:
    """The row asked for, else the one with the largest estimate: the one to look at first."""
    named = [r for r in rows if r.scorer == scorer]
    if scorer and not named:
        raise Http404(f"no scores by {scorer}")
    return (named or sorted(rows, key=lambda r: -(r.result.underrating.estimate or -9.0)))[0]


def _chart(rows: list[audits.Row]) -> str:
    return mark_safe(
        svg(underrating_chart(rows), "Underrating of each scorer with 95 % interval; table below")
    )


def _to_read(study: Study, row: audits.Row) -> list[dict[str, object]]:
    frame: pd.DataFrame = audits.to_read(study, row.scorer, row.criterion, TO_READ)
    texts = {
        r.pk: r
        for r in Response.objects.filter(pk__in=[int(i) for i in frame["response_id"]]).select_related(
            "prompt"
        )
    }
    return [
        {str(k): v for k, v in record.items()} | {"response": texts[int(record["response_id"])]}
        for record in frame.to_dict("records")
    ]


@require_GET
def methods(request: HttpRequest) -> HttpResponse:
    return render(request, "judging/methods.html", {"parts": parts()})
