"""Pools that stay on disk, as `corpus` measured them."""

import datetime as dt

from django.db import models


class PoolSummary(models.Model):
    """What `corpus` measured of a pool that stays on disk, by one embedder's column."""

    study = models.ForeignKey("annotate.Study", on_delete=models.PROTECT, related_name="pool_summaries")
    name = models.CharField(max_length=200, help_text="of the column: the embedder's, or one given to it")
    identity = models.JSONField(default=dict, blank=True)
    n_responses = models.PositiveBigIntegerField()
    computed_at = models.DateTimeField()
    digest = models.CharField(max_length=64, help_text="of the embeddings that it was measured on")
    # Homogeneity of the whole pool as `corpus homogeneity` tells it; null where only unusualness was measured.
    homogeneity = models.JSONField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "name"], name="pool_column_once_a_study")]
        verbose_name_plural = "pool summaries"

    def __str__(self) -> str:
        return f"{self.name}, over {self.n_responses:,} responses on disk, {self.computed_at:%Y-%m-%d}"

    @property
    def scorer(self) -> str:
        return self.name

    @property
    def measured_at(self) -> dt.datetime:
        return self.computed_at

    def unknown_languages(self) -> list[str]:
        """None are known: what languages a column's embedder knows is not told on disk."""
        return []

    @property
    def truncated(self) -> int:
        """Responses of the whole pool that were longer than the embedder reads, as far as is known."""
        return int((self.homogeneity or {}).get("truncated", 0))


class PoolUnusualness(models.Model):
    """How unusual a response is against its whole pool on disk; null for the only response to a prompt."""

    pool = models.ForeignKey(PoolSummary, on_delete=models.CASCADE, related_name="unusualness")
    response = models.ForeignKey("annotate.Response", on_delete=models.PROTECT, related_name="+")
    value = models.FloatField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pool", "response"], name="pool_unusualness_once_a_response"),
        ]

    def __str__(self) -> str:
        return f"{self.pool_id}:{self.response_id}"
