"""Scoring as work to be done: ordered by somebody, claimed once, done in batches, watched, cancelled, taken up again.

An order is a row of ScoringTask. What is scored is stored batch by batch, so whoever takes an order over goes on
where the last one stopped.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, transaction

from annotate import trail
from annotate.locks import soon_or_never
from annotate.models import Action, Study
from judging.models import FileReply, Reply, ScoreRun, ScoringTask
from judging.runs.batches import Missing, Progress, ScoringReport, Stored, score_missing
from judging.runs.probing import probe
from judging.runs.registry import UnknownScorerError, build, entry_of, run_of
from judging.scorers import AnyScorer
from judging.scorers.endpoints import Budget, Remote
from judging.webhooks import outbox as webhooks

Status = ScoringTask.Status

__all__ = ["UnknownScorerError", "build", "order", "perform", "run_of", "score"]


class CancelledError(Exception):
    """The run was cancelled."""


class SpentError(Exception):
    """The budget of calls or tokens is used up."""


class LostError(Exception):
    """Another worker has taken the work over: this one was silent for too long."""


class BusyError(ValueError):
    """The scorer is already scoring this study."""


def order(study: Study, scorer: str, **settings: Any) -> ScoringTask:
    """Create an order; nothing is done yet."""
    entry_of(scorer)
    try:
        with transaction.atomic():
            asked_for = {name: value for name, value in settings.items() if name != "asked_by" and value}
            trail.record(study, Action.RUN_ORDERED, f"run of {scorer}", **asked_for)
            return ScoringTask.objects.create(study=study, scorer=scorer, **settings)
    except IntegrityError as error:
        raise BusyError(
            f"{scorer} is already scoring this study; cancel that run, or wait until it ends"
        ) from error


def score(
    study: Study, name: str, progress: Progress = lambda lacking, stored: None, **settings: Any
) -> ScoringReport:
    """Order and do it at once, here; errors are raised and recorded."""
    waiting = ScoringTask.objects.free().filter(study=study, scorer=name, probe={}).first()
    task = waiting or order(study, name, **settings)
    if not task.claim():
        raise BusyError(f"{name}: another worker has taken this run")
    try:
        return perform(task, progress)
    except (KeyboardInterrupt, SystemExit):
        task.finish(Status.CANCELLED)
        raise


def perform(task: ScoringTask, progress: Progress = lambda lacking, stored: None) -> ScoringReport:
    """Do a claimed order, and record how it ended."""
    try:
        with beating(task):
            report = _work(task, progress)
    except LostError:
        raise
    except Exception as error:
        task.finish(*_ending(error))
        webhooks.run_finished(task)
        raise
    task.finish(Status.DONE, task.error)
    webhooks.run_finished(task)
    return report


def _work(task: ScoringTask, progress: Progress) -> ScoringReport:
    scorer, used = build(task.scorer), (task.calls, task.tokens)
    _connect(scorer, task)
    run = run_of(task.study, task.scorer, scorer)
    task.save_progress(run=run, notes=notes(run))

    def save_progress(lacking: Missing, stored: Stored) -> None:
        spent = budget(scorer)
        task.calls, task.tokens = used[0] + spent.used_calls, used[1] + spent.used_tokens
        _save_progress(task, lacking, stored)
        progress(lacking, stored)

    if task.probe:
        report = probe(task.study, task.scorer, scorer, task.probe, save_progress)
    else:
        report = score_missing(run, scorer, save_progress)
    # Only now: what was answered before is used whatever the budget.
    if budget(scorer).spent:
        raise SpentError(f"the budget is used up: {task.calls:,} calls, {task.tokens:,} tokens")
    return replace(report, notes=tuple(task.notes))


def _ending(error: Exception) -> tuple[ScoringTask.Status, str]:
    if isinstance(error, CancelledError):
        return Status.CANCELLED, ""
    if isinstance(error, SpentError):
        return Status.STOPPED, str(error)
    return Status.FAILED, f"{type(error).__name__}: {error}"


def _connect(scorer: AnyScorer, task: ScoringTask) -> None:
    """Give a remote scorer the stored replies, and the rest of its budget."""
    if isinstance(scorer, Remote):
        calls, tokens = task.call_budget, task.token_budget
        budget = Budget(
            calls=None if calls is None else max(0, calls - task.calls),
            tokens=None if tokens is None else max(0, tokens - task.tokens),
        )
        scorer.connect(replies=StoredReplies(task.study), allowed=settings.ENDPOINTS_ALLOWED, budget=budget)


def budget(scorer: AnyScorer) -> Budget:
    return scorer.budget if isinstance(scorer, Remote) else Budget()


class StoredReplies:
    """Endpoints' replies, stored in the database: nothing is paid for twice, by any run, study or server.

    Those that a file brought are known to its study only, and stand back behind what the endpoint said itself.
    """

    def __init__(self, study: Study) -> None:
        self.study = study

    def known(self, keys: Iterable[str]) -> dict[str, Any]:
        keys = list(keys)
        brought = self.study.file_replies.filter(key__in=keys)
        said = Reply.objects.filter(key__in=keys)
        return dict(brought.values_list("key", "body")) | dict(said.values_list("key", "body"))

    def keep(self, key: str, body: Any) -> None:
        Reply.objects.bulk_create([Reply(key=key, body=body)], ignore_conflicts=True)

    def keep_from_file(self, key: str, body: Any) -> None:
        FileReply.objects.bulk_create(
            [FileReply(study=self.study, key=key, body=body)], ignore_conflicts=True
        )


def _save_progress(task: ScoringTask, lacking: Missing, stored: Stored) -> None:
    mine = task.save_progress(
        total=len(lacking.pks),
        stored_before=lacking.stored,
        done=stored.done,
        failed=stored.failed,
        error=stored.error,
        calls=task.calls,
        tokens=task.tokens,
    )
    if not mine:
        raise LostError(f"run {task.pk} of {task.scorer} was taken over by another worker")
    if ScoringTask.objects.filter(pk=task.pk, cancel_asked=True).exists():
        raise CancelledError(f"run {task.pk} of {task.scorer} was cancelled")


def notes(run: ScoreRun) -> list[str]:
    """Warnings for readers of the scores."""
    notes = []
    if unknown := run.unknown_languages():
        knows = ", ".join(run.languages or [])
        notes.append(
            f"Some prompts are in {', '.join(unknown)}; this embedder knows {knows} only, and similarities of other "
            "languages mean little."
        )
    if n := run.study.responses.in_pool().n_blank():
        notes.append(f"{n:,} responses are empty or hold nothing to be seen. They are scored as they are.")
    return notes


# Milliseconds that a heartbeat waits for a lock, and seconds that anybody waits for a heartbeat.
LONGEST_LOCK = 1_000
LONGEST_BEAT = 10


@contextmanager
def beating(task: ScoringTask) -> Iterator[None]:
    """Send heartbeats during a long batch; a worker without heartbeats loses its work."""
    over = threading.Event()

    def beat_until_over() -> None:
        while not over.wait(settings.SCORING_SILENCE / 4):
            # A busy database is no reason to stop: the next beat may get through.
            with suppress(DatabaseError):
                beat(task)

    thread = threading.Thread(target=beat_until_over, daemon=True, name=f"beat of scoring task {task.pk}")
    thread.start()
    try:
        yield
    finally:
        over.set()
        # A database that is gone may keep the last beat for ever; the work is done all the same.
        thread.join(LONGEST_BEAT)


def beat(task: ScoringTask) -> None:
    """One sign of life on a connection of its own, from a thread that others wait for.

    Whoever holds the lock it needs may be among them, so it gives up soon.
    """
    with closing(connection), soon_or_never(LONGEST_LOCK):
        task.save_progress()
