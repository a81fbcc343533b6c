"""Results for researchers and auditors."""

from collections import Counter
from urllib.parse import quote, urlencode

import pandas as pd
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotate.models import Response, Role, Study
from annotate.views.access import for_members
from judging.results import audit as audits
from judging.results.cache import kept
from judging.results.figures import Figure
from judging.results.summary.charts import forest

TO_READ = 8


@require_GET
@for_members(Role.AUDITOR)
def audit(request: HttpRequest, study: Study) -> HttpResponse:
    asked = _asked(request)
    if request.GET.get("format") == "json":
        key = "audit-json" if asked == audits.USUAL else f"audit-json:{asked.key}"
        return JsonResponse(kept(study, key, lambda: audits.as_json(study, None, asked)))
    try:
        whole = kept(study, f"audit:{asked.key}", lambda: audits.report(study, asked))
    except audits.AuditError as error:
        return render(request, "judging/results/no_audit.html", {"study": study, "why": str(error)})
    chosen = _chosen(whole.rows, request.GET.get("scorer", ""))
    key = quote(f"to-read:{asked.key}:{chosen.scorer}:{chosen.criterion.pk}")
    context = {
        "study": study,
        "report": whole,
        "rows": whole.rows,
        "figures": kept(study, f"audit-figures:{asked.key}", lambda: _figures(whole.rows)),
        "chosen": chosen,
        "to_read": kept(study, key, lambda: _to_read(study, chosen, asked)),
        "verdicts": Counter(r.result.verdict_text for r in whole.rows).most_common(),
        "query": _query(whole),
    }
    return render(request, "judging/results/audit.html", context)


def _asked(request: HttpRequest) -> audits.Asked:
    measure = request.GET.get("unusualness", audits.COSINE)
    if not set(measure.split("+")) <= set(audits.NAMES):
        raise Http404(f"no unusualness {measure}")
    return audits.Asked(measure, request.GET.get("embedder", ""), request.GET.get("groups", ""))


def _query(whole: audits.Report) -> str:
    """What the reader chose, for the links of the page; what goes without saying is left out."""
    chosen = {"unusualness": whole.unusual.name}
    if len(whole.embedders) > 1:
        chosen["embedder"] = whole.named
    if whole.contrasts.grouping is not None and len(whole.contrasts.available) > 1:
        chosen["groups"] = whole.contrasts.grouping.name
    return urlencode(chosen)


def _chosen(rows: list[audits.Row], scorer: str) -> audits.Row:
    """The row asked for, else the one with the largest estimate: the one to look at first."""
    named = [r for r in rows if r.scorer == scorer]
    if scorer and not named:
        raise Http404(f"no scores by {scorer}")
    return (named or sorted(rows, key=lambda r: -(r.result.underrating.estimate or -9.0)))[0]


def _figures(rows: list[audits.Row]) -> list[Figure]:
    """One a criterion."""
    by: dict[str, list[audits.Row]] = {}
    for row in rows:
        by.setdefault(row.criterion.key, []).append(row)
    return [
        forest(own, "scorers" if n == 0 else f"scorers-{key}").drawn()
        for n, (key, own) in enumerate(by.items())
    ]


def _to_read(study: Study, row: audits.Row, asked: audits.Asked) -> list[dict[str, object]]:
    frame: pd.DataFrame = audits.to_read(study, row.scorer, row.criterion, TO_READ, asked)
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
