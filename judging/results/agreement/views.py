"""How far annotators agree: the page, its JSON, and tables of items and annotators to take along."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from annotate import trail
from annotate.models import Action, Criterion, Role, Study
from annotate.views.access import for_members
from judging.results import agreement as agreements
from judging.results.agreement import tables
from judging.results.cache import kept


@require_GET
@for_members(Role.AUDITOR)
def agreement(request: HttpRequest, study: Study) -> HttpResponse:
    found, looks = kept(study, "agreement", lambda: agreements.page(study))
    if request.GET.get("format") == "json":
        return JsonResponse(agreements.as_json(study, found))
    parts = list(zip(found.details, looks, strict=True))
    context = {
        "study": study,
        "entries": found.entries,
        "parts": parts,
        "for_researchers": Role(study.your_role).includes(Role.RESEARCHER),
    }
    return render(request, "judging/results/agreement.html", context)


@require_GET
@for_members(Role.AUDITOR)
def agreement_items(request: HttpRequest, study: Study, key: str) -> HttpResponse:
    """Every item's distribution and soft label, as CSV."""
    return _csv(study, key, "items")


@require_GET
@for_members(Role.RESEARCHER)
def agreement_annotators(request: HttpRequest, study: Study, key: str) -> HttpResponse:
    """How each annotator's answers go with the others', as CSV."""
    return _csv(study, key, "annotators")


def _csv(study: Study, key: str, table: str) -> HttpResponse:
    criterion = get_object_or_404(Criterion.objects.select_related("study"), study=study, key=key)
    found = tables.TABLES[table](criterion)
    if found is None:
        raise Http404(f"{key} has no table of {table}")
    name = f"{study.slug}-{key}-{table}.csv"
    trail.note(study, Action.DOWNLOADED, "agreement", name=name)
    response = HttpResponse(tables.as_csv(found), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
