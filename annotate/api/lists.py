"""What all lists share: cursor pages, filters, `?fields=`, strict parameters, ETags."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.decorators import method_decorator
from django.views.decorators.http import conditional_page
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiParameter
from rest_framework import exceptions, serializers, viewsets
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from annotate.models import Role, Study
from annotate.views.access import study_for

from . import blinding

SEVERAL = ","


class Pages(CursorPagination):
    """Cursor pages: new rows neither shift nor repeat anything."""

    ordering = "pk"
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 1_000

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> tuple[str, ...]:
        hidden = isinstance(view, StudyViewSet) and view.hides_people
        return (blinding.NUMBER,) if hidden else tuple(super().get_ordering(request, queryset, view))

    def get_page_size(self, request: Request) -> int:
        text = request.query_params.get("page_size")
        if text is None:
            return self.page_size
        if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= self.max_page_size):
            expected = f"Expected a whole number from 1 to {self.max_page_size}."
            raise exceptions.ValidationError({"page_size": expected})
        return int(text)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        parameters = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == "page_size":
                parameter["schema"] |= {
                    "minimum": 1,
                    "maximum": self.max_page_size,
                    "default": self.page_size,
                }
        return parameters


class Newest(Pages):
    ordering = "-pk"


class Chosen(serializers.Serializer[Any]):
    """A serializer that leaves out what `?fields=` does not name."""

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        names = self.context.get("fields")
        if not names:
            return fields
        if unknown := sorted(set(names) - set(fields)):
            known = ", ".join(fields)
            raise exceptions.ValidationError({"fields": f"No field {', '.join(unknown)}; there are {known}."})
        return {name: field for name, field in fields.items() if name in names}


class Sent(serializers.Serializer[Any]):
    """A request body. Unknown fields are rejected instead of being ignored."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := sorted(set(data) - set(self.fields))):
            known = ", ".join(self.fields)
            raise exceptions.ValidationError(dict.fromkeys(unknown, f"No such field; there are {known}."))
        return super().to_internal_value(data)


@method_decorator(conditional_page, name="dispatch")
class ApiViewSet(viewsets.GenericViewSet[Any]):
    """Reads have an ETag, and answer 304 if the client already has the content."""

    # What is listed, for the schema; the rows themselves depend on who asks.
    queryset: Any = Study.objects.none()
    # Parameters beside those of filters and pages.
    parameters: ClassVar[tuple[OpenApiParameter, ...]] = ()
    filterset_class: Any = None
    filter_backends = (DjangoFilterBackend,)
    pagination_class: Any = Pages

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.enter(request, **kwargs)
        self._check_parameters(request)

    def enter(self, request: Request, **kwargs: Any) -> None:
        """Find the object of the address, or refuse, before anything else is checked."""

    def _check_parameters(self, request: Request) -> None:
        known = set(self.known_parameters())
        if unknown := sorted(set(request.query_params) - known):
            takes = f"this takes {', '.join(sorted(known))}" if known else "there are none here"
            raise exceptions.ValidationError(dict.fromkeys(unknown, f"No such parameter; {takes}."))
        if "fields" in request.query_params:
            # Refused for an empty list too, of which no row is told.
            serializer: Any = self.get_serializer()
            _ = serializer.fields

    def known_parameters(self) -> Iterable[str]:
        yield from (p.name for p in self.parameters)
        if self.request.method in SAFE_METHODS:
            if self.serializer_class is not None and issubclass(self.serializer_class, Chosen):
                yield "fields"
            if self.action == "list" and self.pagination_class is not None:
                yield from ("cursor", "page_size")
                yield from self.filterset_class.base_filters if self.filterset_class else ()

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """One row, by its name in the study."""
        return Response(self.get_serializer(self.get_object()).data)

    def get_serializer_context(self) -> dict[str, Any]:
        context = super().get_serializer_context()
        names = self.request.query_params.get("fields", "") if self.request else ""
        return context | {"fields": [name.strip() for name in names.split(SEVERAL) if name.strip()]}

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        final = super().finalize_response(request, response, *args, **kwargs)
        # Kept by who asked alone, and asked for again before it is used.
        patch_cache_control(final, private=True, no_cache=True)
        patch_vary_headers(final, ["Authorization", "Cookie"])
        return final


class StudyViewSet(ApiViewSet):
    """Objects of a study: visible to its members only, whose role decides what they may do.

    Rows that people made have other numbers for auditors, and come in the order of those.
    """

    reads: ClassVar[Role] = Role.AUDITOR
    writes: ClassVar[Role] = Role.RESEARCHER
    study: Study

    def enter(self, request: Request, **kwargs: Any) -> None:
        # To who may look, a method that there is not is 405.
        least = self.writes if self.action and request.method not in SAFE_METHODS else self.reads
        self.study = study_for(request, kwargs["slug"], least)
        if self.hides_people and set(request.query_params) & self.personal_filters:
            raise exceptions.PermissionDenied("Auditors see what was answered, not by whom and when.")

    @property
    def blind(self) -> bool:
        return not self.role.includes(Role.RESEARCHER)

    @property
    def hides_people(self) -> bool:
        return self.blind and blinding.made_by_people(self.queryset.model)

    @property
    def personal_filters(self) -> set[str]:
        """With which it could be found out whose a row is: all but those that say otherwise."""
        filterset = self.filterset_class
        return set(filterset.base_filters) - set(filterset.for_auditors) if filterset else set()

    def filter_queryset(self, queryset: Any) -> Any:
        filtered = super().filter_queryset(queryset)
        return blinding.numbered(filtered, self.study) if self.hides_people else filtered

    def get_object(self) -> Any:
        if not self.hides_people:
            return super().get_object()
        number = blinding.stored(self.kwargs[self.lookup_url_kwarg or self.lookup_field])
        return get_object_or_404(self.filter_queryset(self.get_queryset()), **{blinding.NUMBER: number})

    def get_serializer_context(self) -> dict[str, Any]:
        return super().get_serializer_context() | {"blind": self.blind}

    @property
    def role(self) -> Role:
        return Role(self.study.your_role)
