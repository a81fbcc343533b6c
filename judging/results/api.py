"""The REST endpoint of every result, with its schema."""

from typing import Any, ClassVar, cast, get_args

from django.http import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from drf_spectacular.utils import OpenApiParameter
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response as Answer

from annotate.api.lists import StudyViewSet
from annotate.api.schema import Schema
from judging.results import find
from judging.results.cache import fingerprint
from judging.results.result import Options, Result, problems_of


class ResultSchema(Schema):
    """What a result says of itself; read when somebody asks for the schema."""

    @property
    def result(self) -> "Result[Any, Any]":
        return cast("ResultView", self.view).result

    def get_summary(self) -> str:
        return self.result.summary

    def get_description(self) -> str:  # type: ignore[override]
        return f"The same as `manage.py {self.result.name} --json`."

    def get_tags(self) -> list[str]:
        return ["results"]

    def get_response_serializers(self) -> Any:
        return {200: self.result.record}


class ResultView(StudyViewSet):
    """Computed from rows when somebody asks, and cached as long as they stay the same."""

    schema = ResultSchema()
    result_name: ClassVar[str]

    # A property: statistics and charts take a second to import, which no server start needs to wait for.
    @property
    def result(self) -> "Result[Any, Any]":
        return find(self.result_name)

    @property
    def parameters(self) -> tuple[OpenApiParameter, ...]:  # type: ignore[override]
        return tuple(_parameters(self.result.options))

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            options = self.result.options.from_query(request.query_params)
        except ValidationError as error:
            raise exceptions.ValidationError(problems_of(error)) from error
        etag = quote_etag(f"{self.result_name}:{options.key}-{fingerprint(self.study)}")
        # Nothing is computed for who has it already.
        unchanged = get_conditional_response(request._request, etag=etag)
        if unchanged is not None:
            return unchanged
        return Answer(self.result.cached_json(self.study, options), headers={"ETag": etag})


def endpoint(name: str) -> type[ResultView]:
    return type(f"{name.capitalize()}Result", (ResultView,), {"result_name": name})


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
