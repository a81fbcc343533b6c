import datetime as dt

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

# Held seats come back this long after the annotator's last sign of life.
HOLD = dt.timedelta(minutes=30)
# Of somebody who has done nothing yet: whoever only joins keeps no seat from others for long.
FIRST_HOLD = dt.timedelta(minutes=10)


class AnnotatorQuerySet(models.QuerySet["Annotator"]):
    def persons(self) -> "AnnotatorQuerySet":
        """All but placeholders for labels imported without names: nothing can be said about these."""
        return self.exclude(details__has_key="label_slot")

    def slots(self) -> "AnnotatorQuerySet":
        return self.filter(details__has_key="label_slot")


class Annotator(models.Model):
    """A person who judges in one study, known by a pseudonym only.

    Whoever comes from a panel has a keyed hash of the panel's id for a key; the id itself is stored nowhere.
    """

    class Stage(models.TextChoices):
        CONSENT = "consent"
        INSTRUCTIONS = "instructions"
        CHECK = "check"
        PRACTICE = "practice"
        WORK = "work"
        ENDED = "ended"

    class Outcome(models.TextChoices):
        FINISHED = "finished"
        SCREENED_OUT = "screened_out"
        NO_CONSENT = "no_consent"
        FULL = "full"
        LEFT = "left"

    study = models.ForeignKey("annotate.Study", on_delete=models.PROTECT, related_name="annotators")
    key = models.CharField(max_length=100)
    details = models.JSONField(
        default=dict, blank=True, help_text="further columns of the folder's `annotators`"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    stage = models.CharField(max_length=15, choices=Stage.choices, default=Stage.CONSENT)
    outcome = models.CharField(max_length=15, choices=Outcome.choices, blank=True)
    consented_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0, help_text="at the questions on the instructions")
    session = models.CharField(max_length=200, blank=True, help_text="the panel's id of the visit")
    session_start = models.PositiveIntegerField(default=0, help_text="items submitted before this visit")
    visit_items = models.PositiveIntegerField(
        default=0,
        db_default=0,
        help_text="items of this visit, as far as was known when seats were last taken",
    )
    excluded = models.TextField(blank=True, help_text="reason; empty: counted")
    came_by = models.ForeignKey(
        "annotate.InviteLink", on_delete=models.SET_NULL, null=True, blank=True, related_name="annotators"
    )

    objects = AnnotatorQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "key"], name="annotator_key_once_a_study"),
            models.CheckConstraint(
                condition=Q(stage="ended") | Q(outcome=""), name="annotator_outcome_at_the_end"
            ),
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
        return self.filter(held_too_long(now or timezone.now()))

    def for_annotator(self, annotator: Annotator) -> "AssignmentQuerySet":
        return self.filter(annotator=annotator)

    def open_to(self, annotator: Annotator) -> "AssignmentQuerySet":
        """Free seats at main items that are shown and where this annotator has no seat yet."""
        own = Assignment.objects.for_annotator(annotator)
        return (
            self.free()
            .filter(study_id=annotator.study_id, item__role="main", item__withheld=False)
            .filter(~Exists(own.filter(item=OuterRef("item"))))
        )


def held_too_long(now: dt.datetime) -> Q:
    """Seats held for too long; or for longer than any seat is held: a clock was wrong when they were taken."""
    return Q(status="held") & (Q(expires_at__lt=now) | Q(expires_at__gt=now + 2 * HOLD))


class Assignment(models.Model):
    """A seat: a place for one annotator at one item. An item has as many as it wants judgments, never more."""

    class Status(models.TextChoices):
        FREE = "free"
        HELD = "held"
        SUBMITTED = "submitted"

    study = models.ForeignKey("annotate.Study", on_delete=models.PROTECT, related_name="assignments")
    # Without an index of its own: two that begin with the item are there.
    item = models.ForeignKey(
        "annotate.Item", on_delete=models.PROTECT, related_name="assignments", db_index=False
    )
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
            models.Index(fields=["item", "status"], name="seat_of_item"),
        ]

    def __str__(self) -> str:
        return f"{self.item_id}#{self.number}"


class Draft(models.Model):
    """What an annotator has entered on a page but not submitted: form fields, not answers."""

    assignment = models.OneToOneField(Assignment, on_delete=models.CASCADE, related_name="draft")
    fields = models.JSONField(default=dict)
    saved_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"draft of {self.assignment_id}"
