"""Results recomputed from rows, kept as long as the rows they rest on stay the same."""

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.core.cache import caches
from django.db.models import Count, Max
from django.utils import timezone

from annotate.models import Annotator, Answer, Criterion, Item, Judgment, Response, Study
from judging.models import Embedding, PoolSummary, PoolUnusualness, Score, ScoreRun
from judging.release import CODE
from judging.results import prepared

T = TypeVar("T")

DAY = 86_400
MINUTE = 60


def _hashed(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def fingerprint(study: Study) -> str:
    """Changes with every answer, revision, exclusion, readmission, setting, score and release of the code."""
    counted = [
        Answer.objects.filter(criterion__study=study).aggregate(Max("pk"), Count("pk")),
        Judgment.objects.in_study(study).aggregate(Max("pk"), Count("pk")),
        ScoreRun.objects.filter(study=study).aggregate(Max("pk"), Max("updated_at"), Count("pk")),
        Score.objects.filter(run__study=study).aggregate(Max("pk"), Count("pk")),
        Embedding.objects.filter(run__study=study).aggregate(Max("pk"), Count("pk")),
        PoolSummary.objects.filter(study=study).aggregate(Max("pk"), Max("computed_at"), Count("pk")),
        PoolUnusualness.objects.filter(pool__study=study).aggregate(Max("pk"), Count("pk")),
    ]
    return _hashed(CODE, study.pk, [sorted(r.items()) for r in counted], exclusions(study), _settings(study))


def exclusions(study: Study) -> str:
    """Changes when somebody or something stops counting or counts again: a count would miss an exchange."""
    return _hashed(
        [
            list(rows.order_by("pk").values_list("pk", flat=True))
            for rows in (
                Judgment.objects.in_study(study).exclude(excluded=""),
                Annotator.objects.filter(study=study).exclude(excluded=""),
                Response.objects.filter(study=study).exclude(held_back=""),
                Item.objects.filter(study=study, withheld=True),
            )
        ]
    )


def _settings(study: Study) -> list[object]:
    """What the answers are taken for: the study's and its criteria's columns, and the roles of items."""
    criteria = Criterion.objects.filter(study=study).order_by("pk").values_list()
    roles = Item.objects.filter(study=study).values_list("role").annotate(Count("pk"), Max("pk"))
    return [study.simulated, list(criteria), sorted(roles)]


def cached(study: Study, name: str, compute: Callable[[], T]) -> T:
    """The result; of a large study the one that a worker made last, in a request: none waits for so long."""
    if prepared.waits(study):
        return prepared.latest(study, name).value  # type: ignore[no-any-return]
    mark = fingerprint(study)
    if prepared.is_made_now():
        return prepared.made(study, name, mark, compute)  # type: ignore[no-any-return]
    key, cache = f"{name}:{mark}", caches["results"]
    value = cache.get(key)
    if value is None:
        if prepared.notice(study):
            return prepared.latest(study, name).value  # type: ignore[no-any-return]
        value = compute()
        cache.set(key, value, DAY)
    return value  # type: ignore[no-any-return]


def unless_large(study: Study, name: str, compute: Callable[[], T]) -> T:
    """What is computed with every request, because it says how things are now; of a large study as `cached`."""
    large = prepared.is_made_now() or prepared.waits(study) or prepared.notice(study)
    return cached(study, name, compute) if large else compute()


def cached_by(name: str, inputs: object, compute: Callable[[], T]) -> T:
    """What follows from these inputs alone, whatever study it is for."""
    return _cached(f"{name}:{_hashed(CODE, inputs)}", compute, DAY)


def _cached(key: str, compute: Callable[[], T], seconds: int) -> T:
    cache = caches["results"]
    value = cache.get(key)
    if value is None:
        value = compute()
        cache.set(key, value, seconds)
    return value  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Dated(Generic[T]):
    """A result and when it was looked at last."""

    at: dt.datetime
    value: T


def cached_a_minute(study: Study, name: str, compute: Callable[[], T], stamp: str) -> Dated[T]:
    """The result as of at most a minute ago: a page that asks every few seconds computes it once a minute.

    `stamp` is what must show at once: with another one the result is looked at anew.
    """

    def dated() -> Dated[T]:
        return Dated(timezone.now(), cached(study, name, compute))

    if prepared.is_made_now():
        return dated()
    if prepared.waits(study) or prepared.notice(study):
        latest = prepared.latest(study, name)
        return Dated(latest.at, latest.value)
    return _cached(f"{name}:{study.pk}:{_hashed(CODE, stamp)}", dated, MINUTE)
