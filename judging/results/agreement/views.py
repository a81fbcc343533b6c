"""Tables of items and annotators, as CSV."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from annotate import trail
from annotate.models import Action, Criterion, Role, Study
from annotate.views.access import for_members
from judging.results.agreement import tables


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
    rows = tables.TABLES[table](criterion)
    if rows is None:
        raise Http404(f"{key} has no table of {table}")
    name = f"{study.slug}-{key}-{table}.csv"
    trail.note(study, Action.DOWNLOADED, "agreement", name=name)
    response = HttpResponse(tables.as_csv(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
