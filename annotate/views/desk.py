"""The study desk: what staff see of a study before its results (those are judging's pages)."""

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from annotate.models import Annotator, Assignment, Item, Prompt, Response, Study
from annotate.views.access import invite_path, staff_only


def home(request: HttpRequest) -> HttpResponse:
    demos = [(s, invite_path(s)) for s in Study.objects.filter(simulated=True).order_by("slug")]
    return render(request, "annotate/home.html", {"demos": demos})


def _count(rows: QuerySet[Item] | QuerySet[Assignment]) -> Coalesce:
    per_study = (
        rows.filter(study=OuterRef("pk")).order_by().values("study").annotate(n=Count("pk")).values("n")
    )
    return Coalesce(Subquery(per_study, output_field=IntegerField()), 0)


@staff_only
def studies(request: HttpRequest) -> HttpResponse:
    rows = Study.objects.order_by("slug").annotate(
        n_items=_count(Item.objects.all()),
        n_submitted=_count(Assignment.objects.submitted()),
        n_free=_count(Assignment.objects.free()),
    )
    return render(request, "annotate/studies.html", {"studies": rows})


@staff_only
def study(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Study, slug=slug)
    context = {
        "study": found,
        "criteria": found.criteria.all(),
        "invite": request.build_absolute_uri(invite_path(found)),
        "counts": _counts(found),
    }
    return render(request, "annotate/study.html", context)


def _counts(study: Study) -> dict[str, int]:
    seats = dict(Assignment.objects.filter(study=study).values_list("status").annotate(n=Count("pk")))
    return {
        "prompts": Prompt.objects.filter(study=study).count(),
        "responses": Response.objects.filter(study=study).count(),
        "items": Item.objects.filter(study=study).count(),
        "annotators": Annotator.objects.filter(study=study).count(),
        **{status: seats.get(status, 0) for status in Assignment.Status.values},
    }
