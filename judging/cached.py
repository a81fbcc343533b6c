"""Results recomputed from rows, kept as long as the rows they rest on stay the same."""

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from django.core.cache import caches
from django.db.models import Count, Max
from django.utils import timezone

from annotate.models import Annotator, Answer, Criterion, Item, Judgment, Response, Study
from judging.models import Embedding, PoolSummary, PoolUnusualness, Score, ScoreRun

T = TypeVar("T")

DAY = 86_400
MINUTE = 60


def _code_version() -> str:
    folder = Path(__file__).parent
    files = sorted(folder.rglob("*.py"))
    return hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()[:16]


CODE = _code_version()


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


def kept(study: Study, name: str, compute: Callable[[], T]) -> T:
    return _kept(f"{name}:{fingerprint(study)}", compute, DAY)


def kept_by(name: str, asked: object, compute: Callable[[], T]) -> T:
    """What follows from what was asked alone, whatever study it is for."""
    return _kept(f"{name}:{_hashed(CODE, asked)}", compute, DAY)


def _kept(key: str, compute: Callable[[], T], seconds: int) -> T:
    cache = caches["results"]
    found = cache.get(key)
    if found is None:
        found = compute()
        cache.set(key, found, seconds)
    return found  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Dated(Generic[T]):
    """A result and when it was looked at last."""

    at: dt.datetime
    value: T


def kept_a_minute(study: Study, name: str, compute: Callable[[], T], stamp: str) -> Dated[T]:
    """The result as of at most a minute ago: a page that asks every few seconds computes it once a minute.

    `stamp` is what must show at once: with another one the result is looked at anew.
    """
    return _kept(
        f"{name}:{study.pk}:{_hashed(CODE, stamp)}",
        lambda: Dated(timezone.now(), kept(study, name, compute)),
        MINUTE,
    )
