from typing import TYPE_CHECKING

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Expression, F, Q, Value
from django.urls import reverse

from annotate.kinds import KINDS, ItemKind, Measure, choices
from annotate.models.membership import Membership, Role

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User


class StudyQuerySet(models.QuerySet["Study"]):
    def lasting(self) -> "StudyQuerySet":
        """All but rehearsals."""
        return self.filter(rehearsal_of=None)

    def open(self) -> "StudyQuerySet":
        return self.filter(status=Study.Status.OPEN)

    def visible_to(self, user: "User | AnonymousUser", least: Role = Role.AUDITOR) -> "StudyQuerySet":
        """Studies in which the user has this role or more; which role, each says as `your_role`."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        if user.is_superuser:
            return self.lasting()._as(Value(Role.OWNER.value))
        # Both conditions and the role are those of one membership: a user has no more than one in a study, and none in
        # a rehearsal.
        own = self.filter(memberships__user=user, memberships__role__in=least.and_above)
        return own._as(F("memberships__role"))

    def _as(self, role: Expression | F) -> "StudyQuerySet":
        named = {"your_role": role}
        return self.annotate(**named)


def prolific_names() -> dict[str, str]:
    """What the panel Prolific calls its parameters; other panels have other names."""
    return {"participant": "PROLIFIC_PID", "study": "STUDY_ID", "session": "SESSION_ID"}


class Study(models.Model):
    class Status(models.TextChoices):
        DRAFT = "draft"
        OPEN = "open"
        PAUSED = "paused"
        CLOSED = "closed"

    class Layout(models.TextChoices):
        SIDE_BY_SIDE = "side_by_side", "side by side (stacked on a phone)"
        STACKED = "stacked"

    class Markup(models.TextChoices):
        PLAIN = "plain", "plain text"
        MARKDOWN = "markdown", "safe Markdown"

    slug = models.SlugField(max_length=100, unique=True)
    title = models.CharField(max_length=300)
    seats = models.PositiveSmallIntegerField(
        default=1, help_text="independent annotators wanted for each item"
    )
    seed = models.BigIntegerField(default=0, help_text="order of items, sides and sets follow from it")
    simulated = models.BooleanField(default=False)
    instructions = models.TextField(blank=True)
    consent = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)

    # A copy in which a researcher tries the study; it is thrown away, and no list, count or result has it.
    rehearsal_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="rehearsals"
    )

    # The annotator's journey.
    language = models.CharField(max_length=10, blank=True, help_text="of the pages; empty: the browser's")
    minutes = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="a session takes; empty: estimated"
    )
    session_items = models.PositiveIntegerField(default=0, help_text="items of one session; 0: all there are")
    break_after = models.PositiveIntegerField(default=0, help_text="items between two breaks; 0: none")
    # Questions on the instructions: [{"text", "options": [...], "right": index}].
    checks = models.JSONField(default=list, blank=True)
    check_tries = models.PositiveSmallIntegerField(default=2, help_text="then the annotator is screened out")

    # What a task page looks like and allows.
    layout = models.CharField(max_length=15, choices=Layout.choices, default=Layout.SIDE_BY_SIDE)
    markup = models.CharField(max_length=10, choices=Markup.choices, default=Markup.PLAIN)
    sync_scroll = models.BooleanField(default=False, help_text="the boxes of a pair scroll together")
    require_reading = models.BooleanField(
        default=False, help_text="the end of every response is to be seen before its page is submitted"
    )
    allow_skip = models.BooleanField(default=False)
    allow_flag = models.BooleanField(default=False)
    allow_comment = models.BooleanField(default=False)
    edit_minutes = models.PositiveIntegerField(
        default=10, help_text="for how long an answer may be changed; 0: not"
    )

    # Panels: names of the parameters of their links, and a completion code for each outcome.
    panel_names = models.JSONField(default=prolific_names, blank=True)
    panel_required = models.BooleanField(
        default=False, help_text="only people whom a panel's link names may take part"
    )
    completion_codes = models.JSONField(default=dict, blank=True)
    return_url = models.CharField(
        max_length=500, blank=True, default="https://app.prolific.com/submissions/complete?cc=CODE"
    )

    objects = StudyQuerySet.as_manager()
    # Of whoever asked, on studies from `visible_to`.
    your_role: str

    class Meta:
        verbose_name_plural = "studies"
        constraints = [
            models.CheckConstraint(condition=Q(seats__gte=1), name="study_wants_a_seat"),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "open", "paused", "closed"]), name="study_status_known"
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    def get_absolute_url(self) -> str:
        return reverse("study", args=[self.slug])

    def role_of(self, user: "User | AnonymousUser") -> Role | None:
        """The user's role in the study; a superuser's is the highest. None without access."""
        if not (user.is_authenticated and user.is_active):
            return None
        if user.is_superuser:
            return Role.OWNER
        membership = Membership.objects.filter(study=self, user=user).first()
        return Role(membership.role) if membership else None


class Criterion(models.Model):
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="criteria")
    key = models.CharField(
        max_length=100, validators=[RegexValidator(r"^[A-Za-z0-9][\w-]*$", "letters, digits, - and _")]
    )
    position = models.PositiveSmallIntegerField()
    on = models.CharField(max_length=10, choices=ItemKind.choices)
    kind = models.CharField(max_length=20, choices=choices)
    measures = models.CharField(max_length=20, choices=Measure.choices, blank=True)
    text = models.TextField()
    scale_low = models.IntegerField(null=True, blank=True)
    scale_high = models.IntegerField(null=True, blank=True)
    labels = models.JSONField(default=dict, blank=True, help_text="label of a point of the scale")
    choices = models.JSONField(
        null=True,
        blank=True,
        help_text="of a preference, what may be said beside the points; null: all there is",
    )
    required = models.BooleanField(default=True)

    class Meta:
        verbose_name_plural = "criteria"
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["study", "key"], name="criterion_key_once_a_study"),
            models.UniqueConstraint(fields=["study", "position"], name="criterion_position_once_a_study"),
            models.CheckConstraint(condition=Q(on__in=ItemKind.values), name="criterion_on_known"),
            models.CheckConstraint(
                condition=Q(measures__in=["", *Measure.values]), name="criterion_measures_known"
            ),
            models.CheckConstraint(
                condition=(
                    Q(scale_low__isnull=False, scale_high__gt=F("scale_low"))
                    | Q(scale_low__isnull=True, scale_high__isnull=True)
                ),
                name="criterion_scale_has_two_ends",
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def points(self) -> list[int]:
        """The points of the scale, low to high; none for a kind without one."""
        kind = KINDS.get(self.kind)
        if kind is None or not kind.scaled or self.scale_low is None or self.scale_high is None:
            return []
        return list(range(self.scale_low, self.scale_high + 1))

    def label_of(self, point: int) -> str:
        return str(self.labels.get(str(point), ""))


class Item(models.Model):
    """What one screen asks about."""

    class Role(models.TextChoices):
        MAIN = "main"
        PRACTICE = "practice"
        GOLD = "gold"
        REPEAT = "repeat"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="items")
    prompt = models.ForeignKey("annotate.Prompt", on_delete=models.PROTECT, related_name="items")
    key = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=ItemKind.choices)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MAIN)
    expected = models.JSONField(null=True, blank=True)
    repeat_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="repeats"
    )
    withheld = models.BooleanField(default=False, help_text="shown to nobody: a response of it is held back")
    # Seeded place of the item among those of its prompt and of the prompt among prompts.
    prompt_place = models.PositiveIntegerField(default=0)
    place = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "key"], name="item_key_once_a_study"),
            models.CheckConstraint(condition=Q(kind__in=ItemKind.values), name="item_kind_known"),
            models.CheckConstraint(
                condition=Q(role__in=["main", "practice", "gold", "repeat"]), name="item_role_known"
            ),
            models.CheckConstraint(
                condition=Q(role="repeat", repeat_of__isnull=False)
                | (~Q(role="repeat") & Q(repeat_of__isnull=True)),
                name="item_repeats_an_item",
            ),
        ]
        # Gold items and repeats are looked for with every block of seats, and most items are neither.
        indexes = [
            models.Index(fields=["study", "role"], name="item_of_role"),
            models.Index(fields=["study"], condition=Q(withheld=True), name="item_withheld"),
        ]

    def __str__(self) -> str:
        return self.key


class ItemResponse(models.Model):
    """A response that an item shows, in the item's canonical order."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="item_responses")
    response = models.ForeignKey("annotate.Response", on_delete=models.PROTECT, related_name="item_responses")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["item", "position"], name="item_position_once"),
            models.UniqueConstraint(fields=["item", "response"], name="item_response_once"),
        ]

    def __str__(self) -> str:
        return f"{self.item_id}:{self.position}"
