"""The REST endpoint of every result, with its schema."""

from typing import Any, get_args

from django.http import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response as Answer

from annotate.api.lists import StudyViewSet
from judging.results import find
from judging.results.cache import fingerprint
from judging.results.result import Options, Result, problems_of


class ResultView(StudyViewSet):
    """Computed from rows when somebody asks, and cached as long as they stay the same."""

    result: Result[Any, Any]

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            options = self.result.options.from_query(request.query_params)
        except ValidationError as error:
            raise exceptions.ValidationError(problems_of(error)) from error
        etag = quote_etag(f"{self.result.name}:{options.key}-{fingerprint(self.study)}")
        # Nothing is computed for who has it already.
        unchanged = get_conditional_response(request._request, etag=etag)
        if unchanged is not None:
            return unchanged
        return Answer(self.result.cached_json(self.study, options), headers={"ETag": etag})


def endpoint(name: str) -> type[ResultView]:
    result = find(name)
    view = type(
        f"{name.capitalize()}Result",
        (ResultView,),
        {"result": result, "parameters": tuple(_parameters(result.options))},
    )
    described = extend_schema(
        summary=result.summary,
        description=f"The same as `manage.py {name} --json`.",
        tags=["results"],
        responses={200: result.record},
    )
    view.retrieve = described(_own_copy(ResultView.retrieve))  # type: ignore[attr-defined]
    return view


def _own_copy(method: Any) -> Any:
    """A schema is written on the method itself: each endpoint needs its own."""

    def retrieve(self: ResultView, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response: HttpResponseBase = method(self, request, *args, **kwargs)
        return response

    return retrieve


def _parameters(options: type[Options]) -> list[OpenApiParameter]:
    return [
        OpenApiParameter(
            name,
            type=bool if bool in (field.annotation, *get_args(field.annotation)) else str,
            enum=_choices(field),
            default=field.default or None,
            description=field.description or "",
        )
        for name, field in options.model_fields.items()
    ]


def _choices(field: FieldInfo) -> list[Any] | None:
    extra = field.json_schema_extra
    return list(extra["enum"]) if isinstance(extra, dict) and "enum" in extra else None  # type: ignore[arg-type]
