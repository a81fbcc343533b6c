"""What a scorer has not scored yet, scored and stored batch by batch."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Length

from annotate.models import Item, ItemResponse, Response, Study, planted
from judging.models import Embedding, Score, ScoreRun, Verdict
from judging.scorers import NOT_ASKED, AnyScorer, Embedder, PairJudge, Scorer

# Embedders sort what they get by length, so that a batch holds little padding: the more they get, the better they
# sort. A killed run loses at most this many.
EMBEDDED_AT_ONCE = 512
SCORED_AT_ONCE = 64

Rows = type[Embedding] | type[Score] | type[Verdict]


def rows_of(scorer: AnyScorer) -> Rows:
    if isinstance(scorer, Embedder):
        return Embedding
    return Score if isinstance(scorer, Scorer) else Verdict


@dataclass(frozen=True, slots=True)
class Missing:
    """What a run still has to score, by primary key, in the best order."""

    run: ScoreRun
    scorer: AnyScorer
    pks: list[int]
    stored: int

    def batches(self) -> Iterator[list[int]]:
        size = EMBEDDED_AT_ONCE if isinstance(self.scorer, Embedder) else SCORED_AT_ONCE
        size = getattr(self.scorer, "at_once", size)
        for start in range(0, len(self.pks), size):
            yield self.pks[start : start + size]


def missing(study: Study, run: ScoreRun, scorer: AnyScorer) -> Missing:
    """Responses (of a pairwise judge: pairs) without a number in the run; what failed is asked again."""
    rows = rows_of(scorer)
    stored: QuerySet[Any] = rows._default_manager.filter(run=run)
    if rows is not Embedding:
        stored = stored.filter(error="")
    if rows is Verdict:
        lacking = pairs(study).filter(~Exists(stored.filter(item=OuterRef("pk")))).order_by("prompt_id", "pk")
        return Missing(run, scorer, list(lacking.values_list("pk", flat=True)), stored.count())
    pool = study.responses.in_pool().filter(~Exists(stored.filter(response=OuterRef("pk"))))
    # Long texts first: memory runs out at once or never, and the time left is over- and not underrated.
    order = (Length("text").desc(), "pk") if rows is Embedding else ("prompt_id", "pk")
    return Missing(run, scorer, list(pool.order_by(*order).values_list("pk", flat=True)), stored.count())


def pairs(study: Study) -> QuerySet[Item]:
    """The pairs a judge is asked about: of the pool, and neither practice items nor repeats."""
    roles = [Item.Role.MAIN, Item.Role.GOLD]
    shown = Item.objects.filter(study=study, kind="pair", role__in=roles, withheld=False)
    return shown.exclude(planted("item_responses__response__"))


@dataclass(frozen=True, slots=True)
class Stored:
    """Of one batch: how many were done, how many of them failed, and why the first did."""

    done: int
    failed: int
    error: str = ""

    @classmethod
    def of(cls, errors: Sequence[str]) -> "Stored":
        tried = [error for error in errors if error != NOT_ASKED]
        wrong = [error for error in tried if error]
        return cls(len(tried), len(wrong), wrong[0] if wrong else "")


def score_batch(run: ScoreRun, scorer: AnyScorer, pks: Sequence[int]) -> Stored:
    """Score and store one batch; what exceeds the budget is not stored."""
    if isinstance(scorer, Embedder):
        return _embed(run, scorer, pks)
    if isinstance(scorer, Scorer):
        return _score(run, scorer, pks)
    return _compare(run, scorer, pks)


def _embed(run: ScoreRun, embedder: Embedder, pks: Sequence[int]) -> Stored:
    texts = dict(Response.objects.filter(pk__in=pks).values_list("pk", "text"))
    embedded = embedder.embed([texts[pk] for pk in pks])
    errors = _all(embedded.errors, pks)
    packed = embedded.vectors.astype(run.dtype)
    with transaction.atomic():
        Embedding.objects.bulk_create(
            [
                Embedding(run=run, response_id=pk, vector=vector.tobytes(), truncated=bool(cut))
                for pk, vector, cut, error in zip(pks, packed, embedded.truncated, errors, strict=True)
                if not error
            ]
        )
    return Stored.of(errors)


def _score(run: ScoreRun, scorer: Scorer, pks: Sequence[int]) -> Stored:
    rows = {r.pk: r for r in Response.objects.filter(pk__in=pks).select_related("prompt")}
    scored = scorer.score([rows[pk].prompt.text for pk in pks], [rows[pk].text for pk in pks])
    errors = [
        _error(error, bool(np.isnan(value)))
        for error, value in zip(_all(scored.errors, pks), scored.values, strict=True)
    ]
    rows_of_scores = zip(pks, scored.values, scored.truncated, errors, _all(scored.raw, pks), strict=True)
    new = [
        Score(
            run=run,
            response_id=pk,
            value=None if error else float(value),
            truncated=bool(cut),
            error=error,
            raw=raw,
        )
        for pk, value, cut, error, raw in rows_of_scores
        if error != NOT_ASKED
    ]
    with transaction.atomic():
        Score.objects.bulk_create(
            new,
            update_conflicts=True,
            unique_fields=["run", "response"],
            update_fields=["value", "truncated", "error", "raw"],
        )
    return Stored.of(errors)


def _compare(run: ScoreRun, judge: PairJudge, pks: Sequence[int]) -> Stored:
    prompts = dict(Item.objects.filter(pk__in=pks).values_list("pk", "prompt__text"))
    responses: dict[int, list[Response]] = {pk: [] for pk in pks}
    for link in ItemResponse.objects.filter(item__in=pks).select_related("response").order_by("position"):
        responses[link.item_id].append(link.response)
    first, second = ([responses[pk][place].text for pk in pks] for place in (0, 1))
    verdicts = judge.compare([prompts[pk] for pk in pks], first, second)
    preferences = list(zip(verdicts.straight, verdicts.swapped, strict=True))
    errors = [
        _error(error, bool(np.isnan(both).all()))
        for error, both in zip(_all(verdicts.errors, pks), preferences, strict=True)
    ]
    new = [
        verdict(run, pk, responses[pk], (float(straight), float(swapped)), error=error, raw=raw)
        for pk, (straight, swapped), error, raw in zip(
            pks, preferences, errors, _all(verdicts.raw, pks), strict=True
        )
        if error != NOT_ASKED
    ]
    fields = ["winner", "value", "straight", "swapped", "error", "raw"]
    with transaction.atomic():
        Verdict.objects.bulk_create(
            new, update_conflicts=True, unique_fields=["run", "item"], update_fields=fields
        )
    return Stored.of(errors)


def verdict(
    run: ScoreRun,
    item: int,
    responses: Sequence[Response],
    preferences: tuple[float, float],
    *,
    error: str = "",
    raw: str = "",
) -> Verdict:
    """Combine both orders: agreement is a preference, disagreement a tie."""
    straight, swapped = (None if np.isnan(p) else p for p in preferences)
    known = [p for p in (straight, swapped) if p is not None]
    mean = sum(known) / len(known) if known else 0.0
    return Verdict(
        run=run,
        item_id=item,
        winner=None if error or not mean else responses[0 if mean > 0 else 1],
        value=abs(mean) if known and not error else None,
        straight=straight,
        swapped=swapped,
        error=error,
        raw=raw,
    )


def _all(texts: Sequence[str], pks: Sequence[int]) -> Sequence[str]:
    return texts or [""] * len(pks)


LONGEST_ERROR = 500


def _error(error: str, nothing: bool) -> str:
    return error[:LONGEST_ERROR] or ("no score, and no reason given" if nothing else "")


@dataclass(frozen=True, slots=True)
class ScoringReport:
    run: ScoreRun
    computed: int
    stored_before: int
    truncated: int
    failed: int
    notes: tuple[str, ...] = ()


Progress = Callable[[Missing, Stored], None]
"""Called before the first batch and after each one, with what was missing and what was done so far."""


def score_missing(
    run: ScoreRun, scorer: AnyScorer, on_progress: Progress = lambda lacking, stored: None
) -> ScoringReport:
    """Score what the run lacks; every batch is stored at once, so a killed run goes on."""
    lacking = missing(run.study, run, scorer)
    so_far = Stored(0, 0)
    on_progress(lacking, so_far)
    for batch in lacking.batches():
        stored = score_batch(run, scorer, batch)
        so_far = Stored(
            so_far.done + stored.done, so_far.failed + stored.failed, so_far.error or stored.error
        )
        on_progress(lacking, so_far)
    if so_far.done:
        run.save(update_fields=["updated_at"])
    rows = rows_of(scorer)
    cut = 0 if rows is Verdict else rows._default_manager.filter(run=run, truncated=True).count()
    return ScoringReport(run, so_far.done, lacking.stored, cut, so_far.failed)
