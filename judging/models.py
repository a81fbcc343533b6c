import datetime as dt
import secrets
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from annotate import trail
from annotate.counting import counted
from annotate.models import Action, Prompt, Study
from judging.models_webhooks import Delivery, Webhook  # noqa: F401 - Django looks for models here


class ScoreRunQuerySet(models.QuerySet["ScoreRun"]):
    def audited(self) -> "ScoreRunQuerySet":
        """Without the runs that only try a judge's steadiness."""
        return self.filter(probe="")

    def with_counts(self, study: Study) -> "ScoreRunQuerySet":
        """A study's runs and how many responses or pairs each has, by kind."""
        counts = {
            f"n_{kind}": counted(rows.objects.all(), "run")
            for kind, rows in (("scores", Score), ("verdicts", Verdict), ("embeddings", Embedding))
        }
        return self.filter(study=study).annotate(**counts).order_by("scorer", "pk")


class ScoreRun(models.Model):
    """One scorer's numbers for one study: computed here, or brought in from a file."""

    study = models.ForeignKey("annotate.Study", on_delete=models.PROTECT, related_name="score_runs")
    scorer = models.CharField(max_length=200)
    version = models.CharField(max_length=200, blank=True)
    # What exactly was run (model, revision, hash of the weights, software); empty for imported numbers.
    identity = models.JSONField(default=dict, blank=True)
    computed_here = models.BooleanField(default=False)
    # A judge asked again, or by another template, to see how steady it is: "repeat 2", "template 1".
    probe = models.CharField(max_length=100, blank=True)
    # Of the vectors, little-endian; and the languages the embedder knows, null where that is not known.
    dtype = models.CharField(max_length=3, choices=[("<f4", "float32"), ("<f2", "float16")], default="<f4")
    languages = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ScoreRunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["study", "scorer", "version"], name="scorer_version_once_a_study"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scorer} {self.version}".strip()

    @property
    def measured_at(self) -> dt.datetime:
        return self.updated_at

    def unknown_languages(self) -> list[str]:
        """Languages of the study's prompts that its embedder does not know."""
        return [] if self.languages is None else unknown_languages(self.study_id, self.languages)


def unknown_languages(study_id: int, known: list[str]) -> list[str]:
    asked = Prompt.objects.filter(study=study_id).values_list("language", flat=True).distinct()
    return sorted({code for code in asked if code.lower().replace("_", "-").split("-")[0] not in known})


class ScoreQuerySet(models.QuerySet["Score"]):
    def failed(self) -> "ScoreQuerySet":
        return self.exclude(error="")

    def insert(self, rows: Iterable[tuple[int, int, float | None, str, str]]) -> None:
        """Many (run, response, value, error, raw) at once: objects would take more time than all else together."""
        columns = ["run_id", "response_id", "value", "error", "raw", "truncated"]
        quoted = ", ".join(map(connection.ops.quote_name, columns))
        table = connection.ops.quote_name(self.model._meta.db_table)
        places = ", ".join(["%s"] * len(columns))
        with connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO {table} ({quoted}) VALUES ({places})",  # noqa: S608
                [(*row, False) for row in rows],
            )


class Score(models.Model):
    """A number for a response, greater is better; or null and why there is none."""

    run = models.ForeignKey(ScoreRun, on_delete=models.CASCADE, related_name="scores")
    response = models.ForeignKey("annotate.Response", on_delete=models.PROTECT, related_name="scores")
    value = models.FloatField(null=True)
    truncated = models.BooleanField(default=False)
    error = models.CharField(max_length=500, blank=True)
    # What the machine said word for word, where it said more than a number.
    raw = models.TextField(blank=True)

    objects = ScoreQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "response"], name="score_once_a_response")]

    def __str__(self) -> str:
        return f"{self.run_id}:{self.response_id}"


class VerdictQuerySet(models.QuerySet["Verdict"]):
    def given(self) -> "VerdictQuerySet":
        """Choices and ties, without what failed."""
        return self.filter(error="")

    def failed(self) -> "VerdictQuerySet":
        return self.exclude(error="")


class Verdict(models.Model):
    """A pairwise judge's choice in a pair: the winner, null for a tie, and how strongly.

    With an `error` there is no choice, and the missing winner is no tie.
    """

    run = models.ForeignKey(ScoreRun, on_delete=models.CASCADE, related_name="verdicts")
    item = models.ForeignKey("annotate.Item", on_delete=models.PROTECT, related_name="verdicts")
    winner = models.ForeignKey(
        "annotate.Response", on_delete=models.PROTECT, null=True, blank=True, related_name="verdicts_won"
    )
    value = models.FloatField(null=True)
    # Preference for the item's first response (1 it, -1 the other, 0 tie) as asked with it first, and with it last.
    straight = models.FloatField(null=True)
    swapped = models.FloatField(null=True)
    error = models.CharField(max_length=500, blank=True)
    raw = models.TextField(blank=True)

    objects = VerdictQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "item"], name="verdict_once_an_item")]

    def __str__(self) -> str:
        return f"{self.run_id}:{self.item_id}"


class EmbeddingQuerySet(models.QuerySet["Embedding"]):
    def array(self, dtype: str) -> tuple[list[int], npt.NDArray[np.float32]]:
        """Responses' primary keys in order and their vectors, one row each, shape (n, d)."""
        rows = list(self.order_by("response_id").values_list("response_id", "vector"))
        stored = np.frombuffer(b"".join(bytes(vector) for _, vector in rows), dtype=dtype)
        # -1 can't be worked out for no rows at all.
        return [pk for pk, _ in rows], stored.reshape(len(rows), -1 if rows else 0).astype(np.float32)


class Embedding(models.Model):
    """A response's vector under one embedder: floats as the run's dtype says, unit length."""

    run = models.ForeignKey(ScoreRun, on_delete=models.CASCADE, related_name="embeddings")
    response = models.ForeignKey("annotate.Response", on_delete=models.PROTECT, related_name="embeddings")
    vector = models.BinaryField()
    truncated = models.BooleanField(default=False)

    objects = EmbeddingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "response"], name="embedding_once_a_response"),
            models.CheckConstraint(condition=~Q(vector=b""), name="embedding_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}:{self.response_id}"


class PoolSummary(models.Model):
    """What `corpus` measured of a pool that stays on disk, by one embedder's column."""

    study = models.ForeignKey("annotate.Study", on_delete=models.PROTECT, related_name="pool_summaries")
    name = models.CharField(max_length=200, help_text="of the column: the embedder's, or one given to it")
    identity = models.JSONField(default=dict, blank=True)
    n_responses = models.PositiveBigIntegerField()
    computed_at = models.DateTimeField()
    digest = models.CharField(max_length=64, help_text="of the embeddings that it was measured on")
    # Homogeneity of the whole pool as `corpus homogeneity` tells it; null where only unusualness was measured.
    homogeneity = models.JSONField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "name"], name="pool_column_once_a_study")]
        verbose_name_plural = "pool summaries"

    def __str__(self) -> str:
        return f"{self.name}, over {self.n_responses:,} responses on disk, {self.computed_at:%Y-%m-%d}"

    @property
    def scorer(self) -> str:
        return self.name

    @property
    def measured_at(self) -> dt.datetime:
        return self.computed_at

    def unknown_languages(self) -> list[str]:
        """None are known: what languages a column's embedder knows is not told on disk."""
        return []

    @property
    def truncated(self) -> int:
        """Responses of the whole pool that were longer than the embedder reads, as far as is known."""
        return int((self.homogeneity or {}).get("truncated", 0))


class PoolUnusualness(models.Model):
    """How unusual a response is against its whole pool on disk; null for the only response to a prompt."""

    pool = models.ForeignKey(PoolSummary, on_delete=models.CASCADE, related_name="unusualness")
    response = models.ForeignKey("annotate.Response", on_delete=models.PROTECT, related_name="+")
    value = models.FloatField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pool", "response"], name="pool_unusualness_once_a_response"),
        ]

    def __str__(self) -> str:
        return f"{self.pool_id}:{self.response_id}"


class Reply(models.Model):
    """What an endpoint answered to exactly this call, whichever study asked: nothing is paid for twice."""

    key = models.CharField(max_length=64, primary_key=True)
    body = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "replies"

    def __str__(self) -> str:
        return self.key


class ScoringTaskQuerySet(models.QuerySet["ScoringTask"]):
    def active(self) -> "ScoringTaskQuerySet":
        return self.filter(status__in=ScoringTask.ACTIVE)

    def free(self) -> "ScoringTaskQuerySet":
        """Waiting, or left behind by a worker that was killed."""
        now, silence = timezone.now(), dt.timedelta(seconds=settings.SCORING_SILENCE)
        # A sign of life from the future is none: a clock was wrong.
        alive = Q(beat_at__range=(now - silence, now + silence))
        left = Q(status=ScoringTask.Status.RUNNING, beat_at__isnull=False) & ~alive
        return self.filter(Q(status=ScoringTask.Status.WAITING) | left)


class ScoringTask(models.Model):
    """One order to score a study, from asking to its end. One worker at a time does it."""

    class Status(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        CANCELLED = "cancelled"
        STOPPED = "stopped", "stopped at its budget"
        FAILED = "failed"

    ACTIVE = (Status.WAITING, Status.RUNNING)

    study = models.ForeignKey("annotate.Study", on_delete=models.PROTECT, related_name="scoring_tasks")
    scorer = models.CharField(max_length=200)
    # Not to score the pool but to try a judge: {"responses": …, "repeats": …}.
    probe = models.JSONField(default=dict, blank=True)
    call_budget = models.PositiveIntegerField(null=True, blank=True)
    token_budget = models.PositiveIntegerField(null=True, blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    asked_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True, help_text="by the latest worker")
    finished_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    cancel_asked = models.BooleanField(default=False)
    worker = models.CharField(max_length=100, blank=True)
    beat_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    run = models.ForeignKey(
        ScoreRun, on_delete=models.SET_NULL, null=True, blank=True, related_name="scoring_tasks"
    )
    total = models.PositiveIntegerField(default=0)
    stored_before = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    calls = models.PositiveIntegerField(default=0)
    tokens = models.PositiveBigIntegerField(default=0)
    error = models.TextField(blank=True)
    notes = models.JSONField(default=list, blank=True)

    objects = ScoringTaskQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["study", "scorer"],
                condition=Q(status__in=["waiting", "running"]),
                name="scoring_once_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["waiting", "running", "done", "cancelled", "stopped", "failed"]),
                name="scoring_status_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scorer} on {self.study_id}: {self.status}"

    @property
    def active(self) -> bool:
        return self.status in self.ACTIVE

    @property
    def stored(self) -> int:
        """Of all there are; what an earlier run did included."""
        return self.stored_before + self.done - self.failed

    @property
    def wanted(self) -> int:
        return self.stored_before + self.total

    @property
    def seconds_left(self) -> float | None:
        """As the pace of this attempt says; None before the first batch."""
        if self.status != self.Status.RUNNING or not self.done or self.claimed_at is None:
            return None
        spent = (timezone.now() - self.claimed_at).total_seconds()
        return max(0.0, spent / self.done * (self.total - self.done))

    def claim(self) -> bool:
        """Take it, unless somebody has it; whoever had it and fell silent has lost it."""
        now, token = timezone.now(), secrets.token_hex(8)
        taken = (
            ScoringTask.objects.free()
            .filter(pk=self.pk)
            .update(
                status=self.Status.RUNNING,
                worker=token,
                beat_at=now,
                claimed_at=now,
                started_at=Coalesce(F("started_at"), now),
                attempts=F("attempts") + 1,
                done=0,
            )
        )
        if taken:
            self.refresh_from_db()
        return bool(taken)

    def tell(self, **changes: object) -> bool:
        """Write progress down while it is ours; False when another worker has taken it over."""
        mine = ScoringTask.objects.filter(pk=self.pk, worker=self.worker, status=self.Status.RUNNING)
        told = bool(mine.update(**changes, beat_at=timezone.now()))
        for name, value in changes.items():
            setattr(self, name, value)
        return told

    def finish(self, status: "ScoringTask.Status", error: str = "") -> None:
        self.tell(status=status, error=error, finished_at=timezone.now())

    def cancel(self) -> None:
        """One that nobody has begun ends here; one that runs ends at its next batch."""
        with transaction.atomic():
            waiting = ScoringTask.objects.free().filter(pk=self.pk)
            done = waiting.update(status=self.Status.CANCELLED, finished_at=timezone.now())
            done = done or ScoringTask.objects.active().filter(pk=self.pk).update(cancel_asked=True)
            if done:
                trail.record(self.study, Action.RUN_CANCELLED, f"run of {self.scorer}")
