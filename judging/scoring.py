"""Run scorers over a study's responses: in batches, resumably, only what is missing."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from annotate.models import Response, Study
from judging.models import Embedding, Score, ScoreRun
from judging.scorers import Embedder, Scorer, load

BATCH = 64


@dataclass(frozen=True, slots=True)
class Report:
    run: ScoreRun
    computed: int
    stored_before: int
    truncated: int


class UnknownScorerError(ValueError):
    """A name that the setting SCORERS does not have."""


@cache
def made(name: str) -> Embedder | Scorer:
    if name not in settings.SCORERS:
        raise UnknownScorerError(f"no scorer named {name!r}; there are {', '.join(sorted(settings.SCORERS))}")
    return load(settings.SCORERS[name])


def score(study: Study, name: str, progress: Callable[[int, int], None] = lambda done, total: None) -> Report:
    """Score what the scorer has not scored yet; every batch is stored at once, so a killed run goes on."""
    scorer = made(name)
    run = run_of(study, name, scorer)
    rows = Embedding if isinstance(scorer, Embedder) else Score
    missing = list(_missing(study, run, rows).values_list("pk", flat=True))
    stored = rows.objects.filter(run=run).count()
    for start in range(0, len(missing), BATCH):
        _score_batch(run, scorer, missing[start : start + BATCH])
        progress(min(start + BATCH, len(missing)), len(missing))
    if missing:
        run.save(update_fields=["updated_at"])
    return Report(run, len(missing), stored, rows.objects.filter(run=run, truncated=True).count())


def run_of(study: Study, name: str, scorer: Embedder | Scorer) -> ScoreRun:
    """The run of exactly this scorer: another model, weights or version makes another run."""
    identity = scorer.identity
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:12]
    run, _ = ScoreRun.objects.get_or_create(
        study=study, scorer=name, version=digest, defaults={"identity": identity, "computed_here": True}
    )
    return run


def _missing(study: Study, run: ScoreRun, rows: type[Embedding] | type[Score]) -> QuerySet[Response]:
    have = rows.objects.filter(run=run, response=OuterRef("pk"))
    return Response.objects.filter(study=study).filter(~Exists(have)).order_by("prompt_id", "pk")


def _score_batch(run: ScoreRun, scorer: Embedder | Scorer, pks: Sequence[int]) -> None:
    responses = list(Response.objects.filter(pk__in=pks).select_related("prompt").order_by("pk"))
    texts = [r.text for r in responses]
    if isinstance(scorer, Embedder):
        embedded = scorer.embed(texts)
        _store_vectors(run, responses, embedded.vectors, embedded.truncated)
        return
    scored = scorer.score([r.prompt.text for r in responses], texts)
    with transaction.atomic():
        Score.objects.bulk_create(
            Score(run=run, response=r, value=None if np.isnan(v) else float(v), truncated=bool(t))
            for r, v, t in zip(responses, scored.values, scored.truncated, strict=True)
        )


def _store_vectors(
    run: ScoreRun,
    responses: Sequence[Response],
    vectors: npt.NDArray[np.float32],
    truncated: npt.NDArray[np.bool_],
) -> None:
    packed = vectors.astype("<f4")
    with transaction.atomic():
        Embedding.objects.bulk_create(
            Embedding(run=run, response=r, vector=v.tobytes(), truncated=bool(t))
            for r, v, t in zip(responses, packed, truncated, strict=True)
        )
