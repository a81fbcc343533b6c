from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Exists, OuterRef, Q

if TYPE_CHECKING:
    from annotate.models.study import Study


class JudgmentQuerySet(models.QuerySet["Judgment"]):
    def current(self) -> "JudgmentQuerySet":
        """The last revision of every seat."""
        later = Judgment.objects.filter(assignment=OuterRef("assignment"), revision__gt=OuterRef("revision"))
        return self.filter(~Exists(later))

    def counted(self) -> "JudgmentQuerySet":
        """What statistics use: last revisions that nobody excluded."""
        return self.current().filter(excluded="")

    def in_study(self, study: "Study") -> "JudgmentQuerySet":
        return self.filter(assignment__study=study)

    def made_here(self) -> "JudgmentQuerySet":
        """Submitted on a task page, not loaded from a folder."""
        return self.filter(client_token__isnull=False)


class Judgment(models.Model):
    """One submitted item; a correction is a further revision, and the old one stays."""

    assignment = models.ForeignKey("annotate.Assignment", on_delete=models.PROTECT, related_name="judgments")
    revision = models.PositiveSmallIntegerField(default=1)
    # Made in the browser once a page: sending it twice stores it once. Null: loaded from a folder.
    client_token = models.UUIDField(null=True, blank=True, unique=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    active_ms = models.PositiveBigIntegerField(null=True, blank=True)
    first_ms = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="from opening to the first input"
    )
    changes = models.PositiveIntegerField(null=True, blank=True, help_text="answers that were changed")
    # Responses that were scrolled or opened, by id: {"<response>": how often}.
    looked = models.JSONField(null=True, blank=True)
    # Responses whose end was seen, by id: [<response>, …]. Null: not known, as without JavaScript.
    read_to_end = models.JSONField(null=True, blank=True)
    flag = models.TextField(blank=True, help_text="what the annotator found wrong with the item")
    comment = models.TextField(blank=True)
    excluded = models.TextField(blank=True, help_text="reason; empty: counted")

    objects = JudgmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["assignment", "revision"], name="revision_once_a_seat"),
            models.CheckConstraint(condition=Q(revision__gte=1), name="revision_from_one"),
        ]
        # Both are few among many, and asked for with every look at how a study is going.
        indexes = [
            models.Index(fields=["assignment"], condition=~Q(excluded=""), name="judgment_excluded"),
            models.Index(fields=["assignment"], condition=~Q(flag="", comment=""), name="judgment_remarked"),
        ]

    def __str__(self) -> str:
        return f"{self.assignment_id}.{self.revision}"


class Answer(models.Model):
    """One value in a judgment. It names responses by id, never by side."""

    judgment = models.ForeignKey(Judgment, on_delete=models.PROTECT, related_name="answers")
    criterion = models.ForeignKey("annotate.Criterion", on_delete=models.PROTECT, related_name="answers")
    response = models.ForeignKey(
        "annotate.Response", on_delete=models.PROTECT, null=True, blank=True, related_name="answers"
    )
    other = models.ForeignKey(
        "annotate.Response", on_delete=models.PROTECT, null=True, blank=True, related_name="other_answers"
    )
    value = models.FloatField(null=True, blank=True)
    label = models.CharField(max_length=30, blank=True)
    text = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["judgment", "criterion", "response"], name="answer_once_a_response"
            ),
            models.UniqueConstraint(
                fields=["judgment", "criterion"],
                condition=Q(response=None),
                name="answer_once_without_response",
            ),
            models.CheckConstraint(
                condition=Q(other__isnull=True) | Q(response__isnull=False) & ~Q(other=models.F("response")),
                name="answer_other_is_another",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.judgment_id}:{self.criterion_id}"
