from django.db import models
from django.db.models import Q


class ScoreRun(models.Model):
    """One scorer's numbers for one study: computed here, or brought in from a file."""

    study = models.ForeignKey("annotate.Study", on_delete=models.PROTECT, related_name="score_runs")
    scorer = models.CharField(max_length=200)
    version = models.CharField(max_length=200, blank=True)
    # What exactly was run (model, revision, hash of the weights, software); empty for imported numbers.
    identity = models.JSONField(default=dict, blank=True)
    computed_here = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["study", "scorer", "version"], name="scorer_version_once_a_study"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scorer} {self.version}".strip()


class Score(models.Model):
    """A number for a response; greater is better."""

    run = models.ForeignKey(ScoreRun, on_delete=models.CASCADE, related_name="scores")
    response = models.ForeignKey("annotate.Response", on_delete=models.PROTECT, related_name="scores")
    value = models.FloatField(null=True)
    truncated = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "response"], name="score_once_a_response")]

    def __str__(self) -> str:
        return f"{self.run_id}:{self.response_id}"


class Verdict(models.Model):
    """A pairwise judge's choice in a pair: the winner, null for a tie, and how strongly."""

    run = models.ForeignKey(ScoreRun, on_delete=models.CASCADE, related_name="verdicts")
    item = models.ForeignKey("annotate.Item", on_delete=models.PROTECT, related_name="verdicts")
    winner = models.ForeignKey(
        "annotate.Response", on_delete=models.PROTECT, null=True, blank=True, related_name="verdicts_won"
    )
    value = models.FloatField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "item"], name="verdict_once_an_item")]

    def __str__(self) -> str:
        return f"{self.run_id}:{self.item_id}"


class Embedding(models.Model):
    """A response's vector under one embedder: little-endian 32-bit floats, unit length."""

    run = models.ForeignKey(ScoreRun, on_delete=models.CASCADE, related_name="embeddings")
    response = models.ForeignKey("annotate.Response", on_delete=models.PROTECT, related_name="embeddings")
    vector = models.BinaryField()
    truncated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "response"], name="embedding_once_a_response"),
            models.CheckConstraint(condition=~Q(vector=b""), name="embedding_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}:{self.response_id}"
