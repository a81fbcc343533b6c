"""What Prometheus asks for: requests of all server processes together, and what waits in the database."""

import os
from collections.abc import Iterator

from django.db.models import Count, Model, QuerySet
from django_tasks_db.models import DBTaskResult
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from annotate.models import Assignment, Study

# `manage.py serve` sets it, so that its processes count together.
FOLDER = "PROMETHEUS_MULTIPROC_DIR"

REQUESTS = Counter("offbeat_requests", "Requests answered", ["view", "method", "status"])
SECONDS = Histogram(
    "offbeat_request_seconds",
    "Seconds from a request to its answer",
    ["view"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 0.5, 1, 2.5, 10),
)


class Stored(Collector):
    """Counts over indexed columns only: what is asked for every few seconds must cost nothing."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        studies = GaugeMetricFamily("offbeat_studies", "Studies by status", labels=["status"])
        for status, n in _by_status(Study.objects.lasting()).items():
            studies.add_metric([status], n)
        yield studies
        held = Assignment.objects.held().filter(study__in=Study.objects.open().lasting())
        at_work = held.aggregate(n=Count("annotator", distinct=True))["n"]
        yield GaugeMetricFamily("offbeat_annotators_at_work", "Annotators who hold seats", value=at_work)
        tasks = GaugeMetricFamily("offbeat_tasks", "Background work that waits or runs", labels=["status"])
        waiting = _by_status(DBTaskResult.objects.filter(status__in=["READY", "RUNNING"]))
        for status in ("READY", "RUNNING"):
            tasks.add_metric([status.lower()], waiting.get(status, 0))
        yield tasks

    def describe(self) -> list[GaugeMetricFamily]:
        return []


def _by_status(rows: QuerySet[Model]) -> dict[str, int]:
    return dict(rows.order_by().values_list("status").annotate(n=Count("pk")))


def exposition() -> bytes:
    counted, stored = REGISTRY, CollectorRegistry()
    if FOLDER in os.environ:
        counted = CollectorRegistry()
        MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    stored.register(Stored())
    return generate_latest(counted) + generate_latest(stored)
