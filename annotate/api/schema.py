"""OpenAPI 3.1 of the API, by drf-spectacular."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from pydantic import BaseModel
from rest_framework import serializers

from annotate.models import Study

from .lists import Chosen, Sent
from .problems import MEDIA_TYPE, ProblemDetails

# What every call may be answered with.
_REFUSALS = {
    "400": "The body or a parameter is not valid.",
    "401": "No token, or one that is not valid.",
    "403": "Your role, or your token, does not allow it.",
    "404": "Not found, or not visible to you.",
    "429": "Too many requests; `Retry-After` says how long to wait.",
    "default": "Any other error.",
}


class Schema(AutoSchema):
    """Adds problem responses, and `?fields=`."""

    def get_override_parameters(self) -> list[Any]:
        view, parameters = (
            self.view,
            [*super().get_override_parameters(), *getattr(self.view, "parameters", ())],
        )
        serializer = getattr(view, "serializer_class", None)
        if self.method == "GET" and serializer is not None and issubclass(serializer, Chosen):
            names = list(serializer(context={}).get_fields())
            schema = {"type": "array", "items": {"type": "string", "enum": names}}
            words = "Only these fields, separated by commas."
            parameters.append(
                OpenApiParameter("fields", schema, style="form", explode=False, description=words)
            )
        return parameters

    def _get_response_bodies(self, *args: Any, **kwargs: Any) -> Any:
        bodies = super()._get_response_bodies(*args, **kwargs)
        for code, words in _REFUSALS.items():
            answer = OpenApiResponse(ProblemDetails, description=words)
            body = self._get_response_for_code(answer, code, [MEDIA_TYPE])  # type: ignore[no-untyped-call]
            bodies.setdefault(code, body)
        return bodies


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "annotate.api.access.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        words = "A token from the page “API tokens” of your account."
        return {"type": "http", "scheme": "bearer", "description": words}


class LogInScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "annotate.api.access.LogInAuthentication"
    name = "log-in"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        words = "The session cookie of this browser."
        return {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": words}


def only_version_1(endpoints: Iterable[tuple[str, Any, str, Any]]) -> list[tuple[str, Any, str, Any]]:
    return [e for e in endpoints if e[0].startswith("/api/v1/")]


# What is sent as one object: nothing else may stand in it.
_SENT = ("Move", "Order", "ExportOrder")


def strict(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Make request bodies required, forbid unnamed fields, and bring their parts where references point."""
    for name in _SENT:
        result["components"]["schemas"][name]["additionalProperties"] = False
    for path in result["paths"].values():
        for operation in path.values():
            if "requestBody" in operation:
                operation["requestBody"]["required"] = True
                for content in operation["requestBody"]["content"].values():
                    schema = content["schema"]
                    parts = schema.get("items", schema).pop("$defs", {})
                    result["components"]["schemas"] |= parts
    return result


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """A request body, described by the loader's own model."""
    return {"application/json": _schema_of(model)}


def row_body(model: type[BaseModel]) -> dict[str, Any]:
    return {
        "application/json": {"type": "array", "items": _schema_of(model)},
        "application/x-ndjson": {"type": "string", "description": "such rows, one a line"},
    }


def _schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """Its parts become components of the whole schema (`strict`), where references look for them."""
    return model.model_json_schema(ref_template="#/components/schemas/{model}")


class Pushed(serializers.Serializer[Any]):
    """The result of sending rows."""

    rows = serializers.IntegerField(help_text="how many were sent")
    new = serializers.DictField(
        child=serializers.IntegerField(), help_text="how many of them are new, by table"
    )


class MoveSerializer(Sent):
    status = serializers.ChoiceField(choices=Study.Status.choices)
    anyway = serializers.BooleanField(
        default=False, help_text="open it even though responses name a model or its maker"
    )
