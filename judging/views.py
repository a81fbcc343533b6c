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
from judging.methods import parts, simulation
from judging.plots import svg, underrating_chart

TO_READ = 8


@require_GET
@for_members(Role.AUDITOR)
def audit(request: HttpRequest, study: Study) -> HttpResponse:
    measure = _measure(request)
    if request.GET.get("format") == "json":
        key = "audit-json" if measure == audits.COSINE else f"audit-json:{measure}"
        return JsonResponse(kept(study, key, lambda: audits.as_json(study, None, measure)))
    try:
        whole = kept(study, f"audit:{measure}", lambda: audits.report(study, measure))
    except audits.AuditError as error:
        return render(request, "judging/no_audit.html", {"study": study, "why": str(error)})
    chosen = _chosen(whole.rows, request.GET.get("scorer", ""))
    key = f"to-read:{measure}:{chosen.scorer}:{chosen.criterion.pk}"
    context = {
        "study": study,
        "report": whole,
        "rows": whole.rows,
        "chart": kept(study, f"audit-chart:{measure}", lambda: _chart(whole.rows)),
        "chosen": chosen,
        "to_read": kept(study, key, lambda: _to_read(study, chosen)),
        "verdicts": Counter(r.result.verdict_text for r in whole.rows).most_common(),
    }
    return render(request, "judging/audit.html", context)


def _measure(request: HttpRequest) -> str:
    named = request.GET.get("unusualness", audits.COSINE)
    if not set(named.split("+")) <= set(audits.NAMES):
        raise Http404(f"no unusualness {named}")
    return named


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
    frame: pd.DataFrame = audits.to_read(study, row.scorer, row.criterion, TO_READ, row.measure)
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
    return render(request, "judging/methods.html", {"parts": parts(), "simulation": simulation()})
