import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


def new_token() -> str:
    return secrets.token_urlsafe(16)


class InviteLink(models.Model):
    """A link by which annotators come. It may have an end, a most of people, and may be revoked.

    A study's first link is signed, and has no row until somebody comes by it: any study can be handed out at once.
    """

    class Ended(models.TextChoices):
        REVOKED = "revoked"
        EXPIRED = "expired"
        USED_UP = "used up"

    study = models.ForeignKey("annotate.Study", on_delete=models.CASCADE, related_name="invite_links")
    token = models.CharField(max_length=300, unique=True, default=new_token)
    label = models.CharField(max_length=100, help_text="Whom it is for. Annotators never see it.")
    expires_at = models.DateTimeField(null=True, blank=True)
    most = models.PositiveIntegerField(null=True, blank=True, help_text="people who may come by it")
    turned_away = models.PositiveIntegerField(
        default=0, help_text="times it was opened by somebody whom the panel's parameters did not name"
    )
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=Q(most=None) | Q(most__gte=1), name="link_lets_somebody_in"),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def came(self) -> int:
        """How many; counted beforehand where many links are shown at once."""
        counted: int | None = self.__dict__.get("n_came")
        if counted is None:
            counted = self.annotators.count() if self.pk else 0
        return counted

    @property
    def ended(self) -> Ended | None:
        """Why nobody new can join by it; those who joined can continue."""
        if self.revoked_at is not None:
            return self.Ended.REVOKED
        if self.expires_at is not None and self.expires_at <= timezone.now():
            return self.Ended.EXPIRED
        if self.most is not None and self.came >= self.most:
            return self.Ended.USED_UP
        return None
