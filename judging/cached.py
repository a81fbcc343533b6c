"""Results recomputed from rows, kept as long as the rows they rest on stay the same."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from django.core.cache import cache
from django.db.models import Count, Max

from annotate.models import Answer, Judgment, Study
from judging.models import Embedding, Score, ScoreRun

T = TypeVar("T")

DAY = 86_400


def _code_version() -> str:
    folder = Path(__file__).parent
    files = sorted([*folder.glob("*.py"), *folder.glob("stats/*.py")])
    return hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()[:16]


CODE = _code_version()


def fingerprint(study: Study) -> str:
    """Changes with every answer, exclusion, score and release of the code."""
    rows = [
        Answer.objects.filter(criterion__study=study).aggregate(Max("pk"), Count("pk")),
        Judgment.objects.in_study(study).exclude(excluded="").aggregate(Max("pk"), Count("pk")),
        ScoreRun.objects.filter(study=study).aggregate(Max("pk"), Max("updated_at"), Count("pk")),
        Score.objects.filter(run__study=study).aggregate(Max("pk"), Count("pk")),
        Embedding.objects.filter(run__study=study).aggregate(Max("pk"), Count("pk")),
    ]
    text = repr([CODE, study.pk, *[sorted(r.items()) for r in rows]])
    return hashlib.sha256(text.encode()).hexdigest()


def kept(study: Study, name: str, compute: Callable[[], T]) -> T:
    key = f"{name}:{fingerprint(study)}"
    found = cache.get(key)
    if found is None:
        found = compute()
        cache.set(key, found, DAY)
    return found  # type: ignore[no-any-return]
