import datetime as dt
import hashlib
import secrets

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q
from django.utils import timezone

# Written down at most so often: a script that asks ten times a second is no reason to write ten times a second.
NOTED_EVERY = dt.timedelta(minutes=10)


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def valid(self) -> "ApiTokenQuerySet":
        return self.filter(expires_at__gt=timezone.now(), revoked_at=None, user__is_active=True)

    def named(self, secret: str) -> "ApiTokenQuerySet":
        """The token that this secret is. Its hash is looked up, so that no comparison tells how much was right."""
        return self.filter(digest=_digest(secret))


class ApiToken(models.Model):
    """A key with which a script acts as its owner. Only its hash is stored: it is shown once."""

    class Scope(models.TextChoices):
        READ = "read"
        WRITE = "write", "read and write"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    scope = models.CharField(max_length=5, choices=Scope.choices, default=Scope.READ)
    prefix = models.CharField(max_length=12, help_text="its first characters, to recognise it by")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True, help_text="to ten minutes")

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(scope__in=["read", "write"]), name="api_token_scope_known"),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}… of {self.user_id}"

    @classmethod
    def make(cls, user: User, name: str, scope: str, days: int) -> tuple["ApiToken", str]:
        """A new token, and the secret that is not stored."""
        # 256 random bits: nothing to guess, so a fast hash is enough.
        secret = f"ofb_{secrets.token_urlsafe(32)}"
        expires = timezone.now() + dt.timedelta(days=days)
        token = cls.objects.create(
            user=user, name=name, scope=scope, prefix=secret[:10], digest=_digest(secret), expires_at=expires
        )
        return token, secret

    @property
    def valid(self) -> bool:
        return self.revoked_at is None and self.expires_at > timezone.now()

    @property
    def may_write(self) -> bool:
        return self.scope == self.Scope.WRITE

    def note_use(self) -> None:
        now = timezone.now()
        if self.used_at is None or self.used_at < now - NOTED_EVERY:
            ApiToken.objects.filter(pk=self.pk).update(used_at=now)

    def revoke(self) -> None:
        ApiToken.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=timezone.now())


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
