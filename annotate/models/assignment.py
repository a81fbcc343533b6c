import datetime as dt

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone


class Annotator(models.Model):
    """A person who judges in one study, known by a pseudonym only."""

    study = models.ForeignKey("annotate.Study", on_delete=models.PROTECT, related_name="annotators")
    key = models.CharField(max_length=100)
    details = models.JSONField(
        default=dict, blank=True, help_text="further columns of the folder's `annotators`"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "key"], name="annotator_key_once_a_study"),
        ]

    def __str__(self) -> str:
        return self.key


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def free(self) -> "AssignmentQuerySet":
        return self.filter(status=Assignment.Status.FREE)

    def held(self) -> "AssignmentQuerySet":
        return self.filter(status=Assignment.Status.HELD)

    def submitted(self) -> "AssignmentQuerySet":
        return self.filter(status=Assignment.Status.SUBMITTED)

    def expired(self, now: dt.datetime | None = None) -> "AssignmentQuerySet":
        return self.held().filter(expires_at__lt=now or timezone.now())

    def for_annotator(self, annotator: Annotator) -> "AssignmentQuerySet":
        return self.filter(annotator=annotator)

    def open_to(self, annotator: Annotator) -> "AssignmentQuerySet":
        """Free seats at items where this annotator has no seat yet; repeats only after their original."""
        own = Assignment.objects.for_annotator(annotator)
        original_judged = own.submitted().filter(item=OuterRef("item__repeat_of"))
        return (
            self.free()
            .filter(study_id=annotator.study_id)
            .filter(~Exists(own.filter(item=OuterRef("item"))))
            .filter(Q(item__repeat_of=None) | Exists(original_judged))
        )


class Assignment(models.Model):
    """A seat: a place for one annotator at one item. An item has as many as it wants judgments, never more."""

    class Status(models.TextChoices):
        FREE = "free"
        HELD = "held"
        SUBMITTED = "submitted"

    study = models.ForeignKey("annotate.Study", on_delete=models.PROTECT, related_name="assignments")
    item = models.ForeignKey("annotate.Item", on_delete=models.PROTECT, related_name="assignments")
    number = models.PositiveIntegerField(help_text="1, 2, … within the item")
    # Free seats are offered in this order: every prompt gets its first annotator before any gets its second.
    rank = models.PositiveBigIntegerField(default=0)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.FREE)
    annotator = models.ForeignKey(
        Annotator, on_delete=models.PROTECT, null=True, blank=True, related_name="assignments"
    )
    turn = models.PositiveIntegerField(default=0, help_text="order among the seats an annotator holds")
    # Response ids in displayed order: stored when the seat is taken, the same on every reload. Null: not known.
    shown = models.JSONField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "number"], name="seat_number_once_an_item"),
            models.UniqueConstraint(fields=["item", "annotator"], name="annotator_once_an_item"),
            models.CheckConstraint(
                condition=Q(status="free", annotator__isnull=True, expires_at__isnull=True)
                | Q(status="held", annotator__isnull=False, expires_at__isnull=False)
                | Q(status="submitted", annotator__isnull=False),
                name="seat_status_fits_annotator",
            ),
            models.CheckConstraint(condition=Q(number__gte=1), name="seat_number_from_one"),
        ]
        indexes = [
            models.Index(fields=["study", "status", "rank"], name="seat_offer"),
            models.Index(fields=["annotator", "status", "turn"], name="seat_of_annotator"),
        ]

    def __str__(self) -> str:
        return f"{self.item_id}#{self.number}"
