"""The page of every result, and the same as JSON."""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET
from pydantic import ValidationError

from annotate.models import Role, Study
from annotate.readiness import field_of_measure
from annotate.views.access import for_members
from judging.results import find
from judging.results.methods import parts
from judging.results.result import NoCriterion, NotComputable, NotEmbedded, Options, Result, problems_of


def page(name: str) -> Callable[..., HttpResponseBase]:
    """The view of a result: `?format=json` gives its JSON, anything else its page."""

    def view(request: HttpRequest, study: Study) -> HttpResponse:
        result = find(name)
        options = _options(result, request)
        if request.GET.get("format") == "json":
            return JsonResponse(result.cached_json(study, options))
        return render(request, result.template, page_context(result, request, study, options))

    view.__name__ = name
    return require_GET(for_members(Role.AUDITOR)(view))


def _options(result: Result[Any, Any], request: HttpRequest) -> Options:
    try:
        options: Options = result.options.from_query(request.GET.dict(), page=True)
    except ValidationError as error:
        raise Http404(str(problems_of(error))) from error
    return options


def page_context(
    result: Result[Any, Any], request: HttpRequest, study: Study, options: Options
) -> dict[str, Any]:
    context = {"study": study, "tab": result.name} | result.page_beside(study)
    try:
        options = result.narrowed(request, study, options)
        report = result.cached(study, options)
        return context | {"report": report} | result.context(request, study, options, report)
    except NotComputable as error:
        return context | {"why": str(error), "fix": fix_of(study, error)}


def fix_of(study: Study, error: NotComputable) -> tuple[str, str] | None:
    """Where a researcher can change that it isn't computable, and what to do there."""
    if not Role(study.your_role).includes(Role.RESEARCHER):
        return None
    if isinstance(error, NotEmbedded):
        return reverse("runs", args=[study.slug]), "Start a run"
    if isinstance(error, NoCriterion) and (field := field_of_measure(study, *error.traits)):
        return field, "Say what a criterion measures"
    return None


@require_GET
def methods(request: HttpRequest) -> HttpResponse:
    return render(request, "judging/methods.html", {"parts": parts()})


@require_GET
def methods_topic(request: HttpRequest, topic: str) -> HttpResponse:
    part = next((part for part in parts() if part.fragment == topic), None)
    if part is None:
        raise Http404(f"no topic called {topic}")
    return render(
        request, "judging/methods_topic.html", {"part": part, "parts": parts(), "html": part.html()}
    )
