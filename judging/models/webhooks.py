"""Webhooks and their deliveries."""

import base64
import secrets
import uuid

from django.db import models
from django.db.models import Q

SECRET = "whsec_"  # noqa: S105 - what every secret begins with


def new_secret() -> str:
    return SECRET + base64.b64encode(secrets.token_bytes(32)).decode()


class Webhook(models.Model):
    """An address to notify of what happens in a study."""

    class Event(models.TextChoices):
        FULL = "study.full", "the study is full: every seat has a judgment"
        RUN = "run.finished", "a scorer's run has ended"
        AGREEMENT = "agreement.reached", "agreement has reached the threshold"
        # Only when somebody asks for it.
        TEST = "test", "a test"

    study = models.ForeignKey("annotate.Study", on_delete=models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=500)
    # What is signed with must be known: it can't be kept as a hash.
    secret = models.CharField(max_length=100, default=new_secret)
    events = models.JSONField(default=list)
    threshold = models.FloatField(null=True, blank=True, help_text="of Krippendorff's alpha")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(threshold__isnull=True) | Q(threshold__gte=-1, threshold__lte=1),
                name="webhook_threshold_of_alpha",
            ),
        ]

    def __str__(self) -> str:
        return self.url

    def wants(self, event: str) -> bool:
        return event == self.Event.TEST or event in self.events


class Delivery(models.Model):
    """One message to one address, and its delivery attempts."""

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True)
    event = models.CharField(max_length=30)
    # What it is about, once: whoever looks twice tells it once.
    key = models.CharField(max_length=200)
    body = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    tried_at = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField(null=True, blank=True, help_text="of the next try; empty: there is none")
    delivered_at = models.DateTimeField(null=True, blank=True)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [models.UniqueConstraint(fields=["webhook", "key"], name="delivery_once_a_thing")]

    def __str__(self) -> str:
        return f"{self.event} to {self.webhook_id}"

    @property
    def failed(self) -> bool:
        """All attempts failed."""
        return self.delivered_at is None and self.next_at is None and self.attempts > 0
