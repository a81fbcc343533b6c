"""Who did what in a study. Entries are added by `annotate.trail` alone, and none is ever changed or deleted."""

from typing import Any, NoReturn

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q


class Action(models.TextChoices):
    CREATED = "created"
    LOADED = "loaded"
    CHANGED = "changed"
    HELD_BACK = "held back"
    RELEASED = "released"
    OPENED = "opened"
    PAUSED = "paused"
    CLOSED = "closed"
    DELETED = "deleted"
    EXCLUDED = "excluded"
    READMITTED = "readmitted"
    EXPORTED = "exported"
    DOWNLOADED = "downloaded"
    MEMBER_ADDED = "member added"
    ROLE_CHANGED = "role changed"
    MEMBER_REMOVED = "member removed"
    LINK_MADE = "link made"
    LINK_REVOKED = "link revoked"
    RUN_ORDERED = "run ordered"
    RUN_CANCELLED = "run cancelled"


class AppendOnlyError(TypeError):
    """The trail is evidence: entries never change."""


class TrailQuerySet(models.QuerySet["TrailEntry"]):
    def of_study(self, slug: str) -> "TrailQuerySet":
        """Everything that happened under a short name, including in deleted studies."""
        return self.filter(study_slug=slug)

    def goes_on_in(self, study: models.Model) -> int:
        """A study that was replaced hands its trail to the one in its place. Nothing else is ever updated."""
        return super().update(study=study)

    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError

    def delete(self) -> NoReturn:
        raise AppendOnlyError


class TrailEntry(models.Model):
    class Via(models.TextChoices):
        PAGE = "page"
        API = "API"
        COMMAND = "command"

    # A study that is deleted leaves its trail behind, under its short name; so does an account.
    study = models.ForeignKey("annotate.Study", on_delete=models.SET_NULL, null=True, related_name="trail")
    study_slug = models.CharField(max_length=100, db_index=True)
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    by_name = models.CharField(max_length=200)
    via = models.CharField(max_length=10, choices=Via.choices)
    action = models.CharField(max_length=20, choices=Action.choices)
    about = models.CharField(max_length=300, blank=True, help_text="which part of the study")
    details = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    objects = TrailQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "trail entries"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(action__in=Action.values), name="trail_action_known"),
        ]

    def __str__(self) -> str:
        return f"{self.by_name} {self.action} {self.about or self.study_slug}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise AppendOnlyError
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError
