"""The API's root, its schema, and documentation for a browser, without third-party files."""

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.generators import SchemaGenerator

from annotate.api.problems import problem_response

SAFE = ("GET", "HEAD")


@csrf_exempt
def root(request: HttpRequest) -> HttpResponse:
    here = request.build_absolute_uri(request.path)
    names = ("studies", "scorers", "schema", "docs")
    return _told(request, {name: f"{here}{name}/" for name in names})


@cache
def the_schema() -> dict[str, Any]:
    """Made once: it takes a second."""
    return dict(SchemaGenerator().get_schema(request=None, public=True))  # type: ignore[no-untyped-call]


@csrf_exempt
def schema(request: HttpRequest) -> HttpResponse:
    return _told(request, the_schema())


def _told(request: HttpRequest, body: dict[str, Any]) -> HttpResponse:
    return JsonResponse(body) if request.method in SAFE else problem_response(405)


@csrf_exempt
def docs(request: HttpRequest) -> HttpResponse:
    return render(request, "judging/api_docs.html") if request.method in SAFE else problem_response(405)
