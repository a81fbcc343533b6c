"""Orders to score a study, and endpoints' replies."""

import datetime as dt
import secrets
from typing import ClassVar

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from annotate import trail
from annotate.models import Action
from judging.models.scores import ScoreRun


class Reply(models.Model):
    """An endpoint's reply to exactly this call, shared by all studies: nothing is paid for twice."""

    key = models.CharField(max_length=64, primary_key=True)
    body = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "replies"

    def __str__(self) -> str:
        return self.key


class FileReply(models.Model):
    """A reply that somebody brought in a file: it counts in its study alone, for nobody saw the endpoint give it."""

    study = models.ForeignKey("annotate.Study", on_delete=models.CASCADE, related_name="file_replies")
    key = models.CharField(max_length=64)
    body = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "replies from files"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["study", "key"], name="one_file_reply_a_call"),
        ]

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
        abandoned = Q(status=ScoringTask.Status.RUNNING, beat_at__isnull=False) & ~alive
        return self.filter(Q(status=ScoringTask.Status.WAITING) | abandoned)


class ScoringTask(models.Model):
    """One order to score a study. One worker at a time does it."""

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
        """Out of how many, including those of earlier runs."""
        return self.stored_before + self.done - self.failed

    @property
    def wanted(self) -> int:
        return self.stored_before + self.total

    @property
    def seconds_left(self) -> float | None:
        """By the pace of this attempt; None before the first batch."""
        if self.status != self.Status.RUNNING or not self.done or self.claimed_at is None:
            return None
        spent = (timezone.now() - self.claimed_at).total_seconds()
        return max(0.0, spent / self.done * (self.total - self.done))

    def claim(self) -> bool:
        """Claim it, unless a live worker has it; a worker that fell silent has lost it."""
        now, token = timezone.now(), secrets.token_hex(8)
        claimed = (
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
        if claimed:
            self.refresh_from_db()
        return bool(claimed)

    def save_progress(self, **changes: object) -> bool:
        """Write progress down while it is ours; False when another worker has taken it over."""
        mine = ScoringTask.objects.filter(pk=self.pk, worker=self.worker, status=self.Status.RUNNING)
        updated = bool(mine.update(**changes, beat_at=timezone.now()))
        for name, value in changes.items():
            setattr(self, name, value)
        return updated

    def finish(self, status: "ScoringTask.Status", error: str = "") -> None:
        self.save_progress(status=status, error=error, finished_at=timezone.now())

    def cancel(self) -> None:
        """A waiting one ends at once; a running one ends after its current batch."""
        with transaction.atomic():
            waiting = ScoringTask.objects.free().filter(pk=self.pk)
            done = waiting.update(status=self.Status.CANCELLED, finished_at=timezone.now())
            done = done or ScoringTask.objects.active().filter(pk=self.pk).update(cancel_asked=True)
            if done:
                trail.record(self.study, Action.RUN_CANCELLED, f"run of {self.scorer}")
