"""Errors as `application/problem+json` (RFC 9457), whoever raises them."""

from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions, serializers
from rest_framework.response import Response
from rest_framework.views import exception_handler

from annotate.folder import FolderError
from annotate.views import refused

from .errors import BusyError, RowsError, TooLargeError

MEDIA_TYPE = "application/problem+json"
PREFIX = "/api/"


class RowProblem(serializers.Serializer[Any]):
    row = serializers.IntegerField(allow_null=True, help_text="1 is the first; null: no row in particular")
    field = serializers.CharField(allow_blank=True)
    expected = serializers.CharField(required=False)
    found = serializers.CharField(required=False)
    detail = serializers.CharField(required=False, help_text="of a parameter or a field: what is wrong")


class ProblemDetails(serializers.Serializer[Any]):
    """RFC 9457."""

    type = serializers.CharField(help_text="about:blank: see the status")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(required=False)
    errors = RowProblem(many=True, required=False)  # type: ignore[assignment]
    error_count = serializers.IntegerField(required=False, help_text="the first twenty stand in `errors`")


def exception_response(raised: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. Unexpected errors are left to Django, which logs them and calls `server_error`."""
    error = _known(raised)
    response = exception_handler(error, context)
    if response is None:
        return None
    body = problem(response.status_code)
    if isinstance(error, RowsError):
        body |= {"detail": str(error.detail), "errors": error.errors, "error_count": error.count}
    elif isinstance(error, exceptions.ValidationError):
        errors = list(_fields(error.detail))
        body |= {
            "detail": "; ".join(e["detail"] for e in errors),
            "errors": errors,
            "error_count": len(errors),
        }
    elif isinstance(error, exceptions.APIException):
        body["detail"] = str(error.detail)
    response.data = body
    response.content_type = MEDIA_TYPE
    return response


def _known(raised: Exception) -> Exception:
    match raised:
        case FolderError():
            return RowsError(raised)
        case Http404() | PermissionDenied():
            # Django's own words name models.
            kind = exceptions.NotFound if isinstance(raised, Http404) else exceptions.PermissionDenied
            return kind()
        case RequestDataTooBig():
            return TooLargeError()
        case OperationalError():
            return BusyError()
    return raised


def _fields(detail: Any, field: str = "") -> Any:
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _fields(inner, f"{field}.{name}" if field else str(name))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _fields(inner, field)
    else:
        yield {"row": None, "field": "" if field == "non_field_errors" else field, "detail": str(detail)}


def problem(code: int, detail: str = "") -> dict[str, Any]:
    title = TITLES.get(code) or "Error"
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": code}
    return body | ({"detail": detail} if detail else {})


TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported media type",
    422: "Rows that cannot be stored",
    429: "Too many requests",
    500: "Server error",
    503: "Busy",
}


def problem_response(code: int, detail: str = "") -> JsonResponse:
    return JsonResponse(problem(code, detail), status=code, content_type=MEDIA_TYPE)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404 of the whole site: under /api/ a problem, else the page."""
    return (
        problem_response(404)
        if request.path_info.startswith(PREFIX)
        else defaults.page_not_found(request, exception)
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not request.path_info.startswith(PREFIX):
        return refused.bad_request(request, exception)
    why = refused.too_much(exception)
    return problem_response(413 if why else 400, why)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return (
        problem_response(403)
        if request.path_info.startswith(PREFIX)
        else defaults.permission_denied(request, exception)
    )


def server_error(request: HttpRequest) -> HttpResponse:
    detail = "Something went wrong on the server; it has been logged."
    return (
        problem_response(500, detail)
        if request.path_info.startswith(PREFIX)
        else defaults.server_error(request)
    )


@csrf_exempt
def nothing_here(request: HttpRequest) -> HttpResponse:
    """Answer for unknown addresses under /api/."""
    hint = "" if request.path.endswith("/") else " Addresses of the API end with a slash."
    return problem_response(404, f"There is no such address.{hint}")
