"""Who may do what in a study. Annotators have no account and no membership: a link makes them one."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class Role(models.TextChoices):
    """What a member may do, from least to most; each role may do all that those before it may."""

    # Sees results, not who gave which answer.
    AUDITOR = "auditor"
    # Sets up, invites, watches, excludes, exports.
    RESEARCHER = "researcher"
    # Also says who is a member, and reads the trail.
    OWNER = "owner"

    def includes(self, other: "Role") -> bool:
        order = list(Role)
        return order.index(self) >= order.index(other)

    @property
    def and_above(self) -> list[str]:
        return [role.value for role in Role if role.includes(self)]


class Membership(models.Model):
    study = models.ForeignKey("annotate.Study", on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "user"], name="member_once_a_study"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="member_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.study}: {self.role}"
