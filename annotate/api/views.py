"""Studies and their contents."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response as Answered

from annotate import members, study_status, trail
from annotate.counting import counted
from annotate.folder import load_items, load_pool
from annotate.folder.merge import whole_items
from annotate.folder.problems import Problems
from annotate.folder.rows import ItemRow, PromptRow, ResponseRow
from annotate.folder.study_toml import StudySpec, create_study, spec_from
from annotate.models import (
    Action,
    Annotator,
    Answer,
    Assignment,
    Item,
    ItemResponse,
    Judgment,
    Prompt,
    Response,
    Role,
    Study,
)
from annotate.views.access import study_for

from . import examples, filters
from .errors import ConflictError
from .lists import ApiViewSet, StudyViewSet
from .problems import MEDIA_TYPE, ProblemDetails
from .rows import JSON, Lines, as_folder
from .schema import MoveSerializer, Pushed, body_of, row_body
from .serializers import (
    AnnotatorSerializer,
    ItemSerializer,
    JudgmentSerializer,
    PromptSerializer,
    ResponseSerializer,
    SeatsSerializer,
    StudySerializer,
)


@extend_schema_view(
    list=extend_schema(summary="Studies you are a member of", tags=["studies"]),
    retrieve=extend_schema(summary="A study", tags=["studies"]),
)
class Studies(ApiViewSet):
    serializer_class = StudySerializer
    filterset_class = filters.StudyFilter
    lookup_field = lookup_url_kwarg = "slug"

    def enter(self, request: Request, **kwargs: Any) -> None:
        if "slug" in kwargs:
            changes = self.action == "partial_update"
            study_for(request, kwargs["slug"], Role.RESEARCHER if changes else Role.AUDITOR)

    def get_queryset(self) -> QuerySet[Study]:
        seats = Assignment.objects
        return (
            Study.objects.visible_to(self.request.user)
            .prefetch_related("criteria")
            .annotate(
                n_prompts=counted(Prompt.objects.all(), "study"),
                n_responses=counted(Response.objects.all(), "study"),
                n_items=counted(Item.objects.all(), "study"),
                n_annotators=counted(Annotator.objects.all(), "study"),
                n_free=counted(seats.free(), "study"),
                n_held=counted(seats.held(), "study"),
                n_submitted=counted(seats.submitted(), "study"),
            )
        )

    @extend_schema(
        summary="Create a study, as a draft",
        description="For staff accounts. Send what `study.toml` of a study folder holds. You become its owner.",
        tags=["studies"],
        request=body_of(StudySpec),
        responses={201: StudySerializer},
        examples=[examples.STUDY],
    )
    def create(self, request: Request) -> Answered:
        if not request.user.is_staff:
            raise exceptions.PermissionDenied("Only staff accounts create studies.")
        problems = Problems()
        spec = spec_from(request.data, problems) if isinstance(request.data, dict) else None
        problems.raise_any()
        if spec is None:
            raise exceptions.ParseError("Expected an object with the study's settings.")
        try:
            with transaction.atomic():
                study = create_study(spec, status=Study.Status.DRAFT)
                trail.record(study, Action.CREATED)
                members.add(study, request.user, Role.OWNER)
        except IntegrityError as error:
            raise ConflictError("Another study has this short name.") from error
        body = self.get_serializer(self.get_queryset().get(pk=study.pk)).data
        return Answered(body, status.HTTP_201_CREATED, headers={"Location": f"{request.path}{study.slug}/"})

    @extend_schema(
        summary="Open, pause or close a study",
        description="For researchers. A study with open issues is not opened (409).",
        tags=["studies"],
        request=MoveSerializer,
        responses={200: StudySerializer},
        examples=[OpenApiExample("Open it", {"status": "open"}, request_only=True)],
    )
    def partial_update(self, request: Request, slug: str) -> Answered:
        study: Study = self.get_object()
        move = MoveSerializer(data=request.data)
        move.is_valid(raise_exception=True)
        try:
            study_status.check_move(
                study, move.validated_data["status"], anyway=move.validated_data["anyway"]
            )
        except study_status.MoveError as error:
            raise ConflictError(str(error)) from error
        study_status.move(study, Study.Status(move.validated_data["status"]))
        return Answered(self.get_serializer(self.get_object()).data)


class Pushing(StudyViewSet):
    """Rows are stored as a study folder's are: all of them, or none."""

    table: str
    parser_classes = (JSON, Lines)

    def push(self, request: Request, load: Callable[[Path], dict[str, int]]) -> Answered:
        with as_folder({self.table: request.data}) as folder:
            with (folder / f"{self.table}.jsonl").open("rb") as file:
                rows = sum(1 for line in file if line.strip())
            new = load(folder)
        code = status.HTTP_201_CREATED if any(new.values()) else status.HTTP_200_OK
        return Answered({"rows": rows, "new": {k: n for k, n in new.items() if k == self.table}}, code)


def push_schema(what: str, model: Any, example: OpenApiExample) -> Any:
    return extend_schema(
        summary=f"Send {what}",
        description=(
            f"Rows of the table `{what}` of a study folder: a JSON list, or JSON Lines. All are stored, or none; "
            "rows that are there already change nothing, and one that differs from what is stored is an error."
        ),
        tags=[what],
        request=row_body(model),
        responses={
            200: Pushed,
            201: Pushed,
            (422, MEDIA_TYPE): OpenApiResponse(
                ProblemDetails, "What is wrong, row by row; nothing was stored.", [examples.WRONG]
            ),
        },
        examples=[example],
    )


@extend_schema_view(
    list=extend_schema(summary="Prompts", tags=["prompts"]),
    retrieve=extend_schema(summary="A prompt", tags=["prompts"]),
)
class Prompts(Pushing):
    queryset = Prompt.objects.none()
    table, serializer_class, filterset_class = "prompts", PromptSerializer, filters.PromptFilter
    lookup_field = lookup_url_kwarg = "key"

    def get_queryset(self) -> QuerySet[Prompt]:
        return self.study.prompts.all()

    @push_schema("prompts", PromptRow, examples.PROMPTS)
    def create(self, request: Request, slug: str) -> Answered:
        return self.push(request, lambda folder: load_pool(self.study, folder))


@extend_schema_view(
    list=extend_schema(summary="Responses", tags=["responses"]),
    retrieve=extend_schema(summary="A response", tags=["responses"]),
)
class Responses(Pushing):
    queryset = Response.objects.none()
    table, serializer_class, filterset_class = "responses", ResponseSerializer, filters.ResponseFilter
    lookup_field = lookup_url_kwarg = "key"

    def get_queryset(self) -> QuerySet[Response]:
        return self.study.responses.select_related("prompt").defer("prompt__text")

    @push_schema("responses", ResponseRow, examples.RESPONSES)
    def create(self, request: Request, slug: str) -> Answered:
        return self.push(request, lambda folder: load_pool(self.study, folder))


@extend_schema_view(
    list=extend_schema(summary="Items", tags=["items"]),
    retrieve=extend_schema(summary="An item", tags=["items"]),
)
class Items(Pushing):
    queryset = Item.objects.none()
    table, serializer_class, filterset_class = "items", ItemSerializer, filters.ItemFilter
    lookup_field = lookup_url_kwarg = "key"

    def get_queryset(self) -> QuerySet[Item]:
        return whole_items(self.study)

    @push_schema("items", ItemRow, examples.ITEMS)
    def create(self, request: Request, slug: str) -> Answered:
        return self.push(request, lambda folder: load_items(self.study, folder))


@extend_schema_view(list=extend_schema(summary="Seats of each item, counted", tags=["seats"]))
class Seats(StudyViewSet):
    queryset = Item.objects.none()
    serializer_class = SeatsSerializer
    filterset_class = filters.ItemFilter

    def get_queryset(self) -> QuerySet[Item]:
        uncounted = Judgment.objects.current().exclude(excluded="")
        seats = Assignment.objects
        return self.study.items.annotate(
            free=counted(seats.free(), "item"),
            held=counted(seats.held(), "item"),
            submitted=counted(seats.submitted(), "item"),
            excluded=counted(uncounted, "assignment__item"),
        )


@extend_schema_view(
    list=extend_schema(
        summary="Annotators, by pseudonym", description="Not for auditors.", tags=["annotators"]
    ),
    retrieve=extend_schema(summary="An annotator", description="Not for auditors.", tags=["annotators"]),
)
class Annotators(StudyViewSet):
    queryset = Annotator.objects.none()
    serializer_class, filterset_class = AnnotatorSerializer, filters.AnnotatorFilter
    lookup_field = lookup_url_kwarg = "key"
    reads = Role.RESEARCHER

    def get_queryset(self) -> QuerySet[Annotator]:
        submitted = counted(Assignment.objects.submitted(), "annotator")
        return self.study.annotators.annotate(submitted=submitted)


@extend_schema_view(
    list=extend_schema(
        summary="Judgments with their answers",
        description="Auditors see nothing that tells one annotator from another.",
        tags=["judgments"],
    ),
    retrieve=extend_schema(summary="A judgment", tags=["judgments"]),
)
class Judgments(StudyViewSet):
    queryset = Judgment.objects.none()
    serializer_class, filterset_class = JudgmentSerializer, filters.JudgmentFilter
    lookup_field = lookup_url_kwarg = "pk"

    def get_queryset(self) -> QuerySet[Judgment]:
        later = Judgment.objects.filter(assignment=OuterRef("assignment"), revision__gt=OuterRef("revision"))
        answers = Answer.objects.select_related("criterion", "response", "other").defer(
            "response__text", "other__text"
        )
        links = ItemResponse.objects.select_related("response").defer("response__text")
        return (
            Judgment.objects.in_study(self.study)
            .annotate(is_current=~Exists(later))
            .select_related("assignment__item", "assignment__annotator")
            .prefetch_related(
                # Not as they were stored: that is the order in which somebody saw the responses.
                Prefetch("answers", answers.order_by("criterion__position", "response_id", "other_id")),
                Prefetch("assignment__item__item_responses", links),
            )
        )
