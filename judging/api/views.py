"""Scorers, runs, scores, and results."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404, HttpResponseBase
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response as Answered

from annotate import trail
from annotate.api import examples
from annotate.api.errors import ConflictError
from annotate.api.lists import ApiViewSet, Newest, StudyViewSet
from annotate.api.views import Pushing, push_schema
from annotate.models import Action, Role
from judging import tasks
from judging.exports import export_jobs
from judging.exports.range_response import ranged
from judging.folder.scores import ScoreRow, import_scores
from judging.models import Score, ScoreRun, ScoringTask, Verdict
from judging.runs import work as scoring
from judging.runs.registry import class_of

from .serializers import (
    ExportOrder,
    ExportSerializer,
    OrderSerializer,
    RunSerializer,
    ScorerSerializer,
    ScoreSerializer,
    StoredSerializer,
    VerdictSerializer,
)


@extend_schema_view(list=extend_schema(summary="Scorers that can be run here", tags=["scorers"]))
class Scorers(ApiViewSet):
    serializer_class = ScorerSerializer
    pagination_class = None

    @extend_schema(responses=ScorerSerializer(many=True))
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Answered:
        rows = [{"scorer": n, "implementation": class_of(n)} for n in sorted(settings.SCORERS)]
        return Answered(ScorerSerializer(rows, many=True).data)


@extend_schema_view(
    list=extend_schema(summary="Scorers with scores in the study", tags=["scorers"]),
    retrieve=extend_schema(summary="One of them", tags=["scorers"]),
)
class Stored(StudyViewSet):
    queryset = ScoreRun.objects.none()
    serializer_class = StoredSerializer
    lookup_field = lookup_url_kwarg = "pk"

    def get_queryset(self) -> QuerySet[ScoreRun]:
        return ScoreRun.objects.with_counts(self.study)


class RunFilter(filters.FilterSet):
    scorer = filters.CharFilter()
    status = filters.ChoiceFilter(choices=ScoringTask.Status.choices)


@extend_schema_view(
    list=extend_schema(summary="Runs, the latest first", tags=["runs"]),
    retrieve=extend_schema(summary="A run and its progress", tags=["runs"]),
)
class Runs(StudyViewSet):
    queryset = ScoringTask.objects.none()
    serializer_class, filterset_class, pagination_class = RunSerializer, RunFilter, Newest
    lookup_field = lookup_url_kwarg = "pk"
    # As on the page: an auditor points the application at machines.
    writes = Role.AUDITOR

    def get_queryset(self) -> QuerySet[ScoringTask]:
        return self.study.scoring_tasks.all()

    @extend_schema(
        summary="Start a run",
        description="A worker does it; get the run to see its progress.",
        tags=["runs"],
        request=OrderSerializer,
        responses={202: RunSerializer},
        examples=[OpenApiExample("Embed the pool", {"scorer": "minilm"}, request_only=True)],
    )
    def create(self, request: Request, slug: str) -> Answered:
        settings = OrderSerializer(data=request.data)
        settings.is_valid(raise_exception=True)
        try:
            order = scoring.order(self.study, asked_by=request.user, **settings.validated_data)
        except scoring.BusyError as error:
            raise ConflictError(f"{error}.") from error
        tasks.enqueue(order)
        headers = {"Location": f"{request.path}{order.pk}/"}
        return Answered(self.get_serializer(order).data, status.HTTP_202_ACCEPTED, headers=headers)

    @extend_schema(
        summary="Cancel a run",
        description="Scores stored so far stay.",
        tags=["runs"],
        responses={202: RunSerializer},
    )
    def destroy(self, request: Request, slug: str, pk: int) -> Answered:
        task: ScoringTask = self.get_object()
        task.cancel()
        task.refresh_from_db()
        return Answered(self.get_serializer(task).data, status.HTTP_202_ACCEPTED)


class ScoreFilter(filters.FilterSet):
    scorer = filters.CharFilter(field_name="run__scorer")
    version = filters.CharFilter(field_name="run__version")
    response_id = filters.CharFilter(field_name="response__key")


@extend_schema_view(list=extend_schema(summary="Scores of responses", tags=["scores"]))
class Scores(Pushing):
    queryset = Score.objects.none()
    table, serializer_class, filterset_class = "scores", ScoreSerializer, ScoreFilter

    def get_queryset(self) -> QuerySet[Score]:
        of = Score.objects.filter(run__study=self.study).select_related("run", "response")
        return of.defer("raw", "response__text", "run__identity")

    @push_schema("scores", ScoreRow, examples.SCORES)
    def create(self, request: Request, slug: str) -> Answered:
        return self.push(request, self._load)

    def _load(self, folder: Any) -> dict[str, int]:
        return {"scores": import_scores(self.study, folder / "scores.jsonl")["new"]}


class VerdictFilter(filters.FilterSet):
    scorer = filters.CharFilter(field_name="run__scorer")
    version = filters.CharFilter(field_name="run__version")
    item_id = filters.CharFilter(field_name="item__key")


@extend_schema_view(list=extend_schema(summary="Judges' choices in pairs", tags=["scores"]))
class Verdicts(StudyViewSet):
    queryset = Verdict.objects.none()
    serializer_class, filterset_class = VerdictSerializer, VerdictFilter

    def get_queryset(self) -> QuerySet[Verdict]:
        of = Verdict.objects.filter(run__study=self.study).select_related("run", "item", "winner")
        return of.defer("raw", "winner__text", "run__identity")


class Exports(StudyViewSet):
    serializer_class = ExportSerializer
    pagination_class = None
    reads = Role.RESEARCHER

    @extend_schema(
        summary="Exports, the latest first", tags=["exports"], responses=ExportSerializer(many=True)
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Answered:
        return Answered(ExportSerializer(export_jobs.listed(self.study), many=True).data)

    @extend_schema(
        summary="Make an export",
        description="Made at once, or by a worker if the study is large: then poll until its status is `done`.",
        tags=["exports"],
        request=ExportOrder,
        responses={201: ExportSerializer, 202: ExportSerializer},
        examples=[OpenApiExample("For R", {"writer": "r"}, request_only=True)],
    )
    def create(self, request: Request, slug: str) -> Answered:
        order = ExportOrder(data=request.data)
        order.is_valid(raise_exception=True)
        export = tasks.start_export(
            self.study, order.validated_data["writer"], order.validated_data["escape"]
        )
        if export.status == "failed":
            raise ConflictError(f"The export failed: {export.record['error']}")
        code = status.HTTP_201_CREATED if export.status == "done" else status.HTTP_202_ACCEPTED
        headers = {"Location": f"{request.path}{export.name}/"}
        return Answered(ExportSerializer(export).data, code, headers=headers)

    @extend_schema(summary="An export, and what is in it", tags=["exports"])
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Answered:
        return Answered(ExportSerializer(self._found(kwargs["name"])).data)

    @extend_schema(
        summary="Download an export",
        description="A .zip; `Range` resumes an interrupted download.",
        tags=["exports"],
        responses={
            (200, "application/zip"): OpenApiTypes.BINARY,
            (206, "application/zip"): OpenApiTypes.BINARY,
        },
    )
    def download(self, request: Request, slug: str, name: str) -> HttpResponseBase:
        export = self._found(name)
        if export.status != "done" or not export.path.is_file():
            raise Http404
        trail.note(self.study, Action.DOWNLOADED, export.record["writer"], name=name)
        return ranged(request._request, export.path, "application/zip")

    def _found(self, name: str) -> export_jobs.ExportJob:
        export = export_jobs.find(self.study, name)
        if export is None:
            raise Http404
        return export
