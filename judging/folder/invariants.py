"""Invariants of machine scores, together with those of annotators' rows."""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from annotate import invariants
from annotate.invariants import Invariant
from annotate.models import ItemResponse, Study
from judging.models import Embedding, PoolUnusualness, Score, Verdict

# Rounding to float16 moves a unit vector's length by less.
UNIT = 0.01


def _of_runs(rows: Any) -> Callable[[Study], QuerySet[Any]]:
    return lambda study: rows.objects.filter(run__study=study)


_scores, _verdicts, _embeddings = map(_of_runs, (Score, Verdict, Embedding))


def _unusual(study: Study) -> QuerySet[PoolUnusualness]:
    return PoolUnusualness.objects.filter(pool__study=study)


def _not_finite(column: str) -> Q:
    # Beyond the largest number lie the infinities, and PostgreSQL's NaN, which it holds for greater than all.
    return Q(**{f"{column}__gt": sys.float_info.max}) | Q(**{f"{column}__lt": -sys.float_info.max})


def _winner_elsewhere(study: Study) -> QuerySet[Verdict]:
    in_item = ItemResponse.objects.filter(item=OuterRef("item"), response=OuterRef("winner"))
    return _verdicts(study).filter(~Exists(in_item), winner__isnull=False)


def _no_vectors(study: Study) -> Iterator[int]:
    """Embeddings whose bytes are not so many floats as their run's first, all finite and of unit length."""
    for run in study.score_runs.all():
        size = None
        rows = run.embeddings.order_by("pk").values_list("pk", "vector")
        for pk, vector in rows.iterator():
            size = size or len(vector)
            if len(vector) != size or size % np.dtype(run.dtype).itemsize:
                yield pk
                continue
            length = float(np.linalg.norm(np.frombuffer(bytes(vector), run.dtype).astype(float)))
            if not abs(length - 1) <= UNIT:  # NaN is not either
                yield pk


INVARIANTS: list[Invariant] = [
    *invariants.INVARIANTS,
    Invariant("score of a response of another study", "Score",
              lambda s: _scores(s).exclude(response__study=s)),
    Invariant("score that is no finite number", "Score", lambda s: _scores(s).filter(_not_finite("value"))),
    Invariant("score beside the error that there is none", "Score",
              lambda s: _scores(s).filter(value__isnull=False).exclude(error="")),
    Invariant("verdict on an item of another study", "Verdict",
              lambda s: _verdicts(s).exclude(item__study=s)),
    Invariant("verdict on an item that is no pair", "Verdict", lambda s: _verdicts(s).exclude(item__kind="pair")),
    Invariant("verdict for a response that its item does not show", "Verdict", _winner_elsewhere),
    Invariant("verdict whose strength is no finite number", "Verdict",
              lambda s: _verdicts(s).filter(_not_finite("value"))),
    Invariant("verdict beside the error that there is none", "Verdict",
              lambda s: _verdicts(s).filter(winner__isnull=False).exclude(error="")),
    Invariant("embedding of a response of another study", "Embedding",
              lambda s: _embeddings(s).exclude(response__study=s)),
    Invariant("embedding that is no vector of its run's dimension, finite and of length one", "Embedding",
              _no_vectors),
    Invariant("unusualness in a pool of a response of another study", "PoolUnusualness",
              lambda s: _unusual(s).exclude(response__study=s)),
    Invariant("unusualness that is not between 0 and 2", "PoolUnusualness",
              lambda s: _unusual(s).filter(Q(value__lt=0) | Q(value__gt=2))),
    Invariant("scoring of another study than its run", "ScoringTask",
              lambda s: s.scoring_tasks.filter(run__isnull=False).exclude(run__study=s)),
    Invariant("scoring that did more than there was", "ScoringTask",
              lambda s: s.scoring_tasks.filter(done__gt=F("total"))),
]  # fmt: skip
