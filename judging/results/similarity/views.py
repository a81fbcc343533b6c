"""How similar people find two responses, against how similar their embeddings are."""

from urllib.parse import quote

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotate.models import Role, Study
from annotate.views.access import for_members
from judging.results.cache import kept
from judging.results.figures import Figure
from judging.results.similarity import report as similarities
from judging.results.similarity.charts import calibration
from judging.results.similarity.report import Row


@require_GET
@for_members(Role.AUDITOR)
def similarity(request: HttpRequest, study: Study) -> HttpResponse:
    if request.GET.get("format") == "json":
        return JsonResponse(kept(study, "similarity-json", lambda: similarities.as_json(study)))
    try:
        found = kept(study, "similarity", lambda: similarities.similarity(study))
    except similarities.SimilarityError as error:
        return render(request, "judging/results/similarity.html", {"study": study, "why": str(error)})
    chosen = _chosen(found.rows, request.GET.get("measure", ""), request.GET.get("criterion", ""))
    context = {
        "study": study,
        "rows": found.rows,
        "comparisons": found.comparisons,
        "chosen": chosen,
        "figure": _figure(study, chosen),
        "apart": similarities.to_read(chosen),
    }
    return render(request, "judging/results/similarity.html", context)


def _chosen(rows: list[Row], measure: str, criterion: str) -> Row:
    """The row asked for, else the first."""
    asked = [
        r
        for r in rows
        if (not measure or r.measure == measure) and (not criterion or r.criterion.key == criterion)
    ]
    if not asked:
        raise Http404(f"nothing is known of {measure} and {criterion}")
    return asked[0]


def _figure(study: Study, row: Row) -> Figure | None:
    if row.calibration.reason:
        return None
    name = f"calibration:{quote(row.measure)}:{row.criterion.pk}"
    return kept(study, name, lambda: calibration(row).drawn())
