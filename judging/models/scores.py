"""Runs of scorers: scores, verdicts and embeddings."""

import datetime as dt
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from django.db import connection, models
from django.db.models import Q

from annotate.counting import counted
from annotate.models import Study, planted


class ScoreRunQuerySet(models.QuerySet["ScoreRun"]):
    def audited(self) -> "ScoreRunQuerySet":
        """Without the runs that only try a judge's steadiness."""
        return self.filter(probe="")

    def with_counts(self, study: Study) -> "ScoreRunQuerySet":
        """A study's runs and how many responses or pairs each has, by kind."""
        counts = {
            f"n_{kind}": counted(rows.objects.all(), "run")
            for kind, rows in (("scores", Score), ("verdicts", Verdict), ("embeddings", Embedding))
        }
        return self.filter(study=study).annotate(**counts).order_by("scorer", "pk")


class ScoreRun(models.Model):
    """One scorer's numbers for one study: computed here, or brought in from a file."""

    study = models.ForeignKey("annotate.Study", on_delete=models.PROTECT, related_name="score_runs")
    scorer = models.CharField(max_length=200)
    version = models.CharField(max_length=200, blank=True)
    # What exactly was run (model, revision, hash of the weights, software); empty for imported numbers.
    identity = models.JSONField(default=dict, blank=True)
    computed_here = models.BooleanField(default=False)
    # A judge asked again, or by another template, to see how steady it is: "repeat 2", "template 1".
    probe = models.CharField(max_length=100, blank=True)
    # Of the vectors, little-endian; and the languages the embedder knows, null where that is not known.
    dtype = models.CharField(max_length=3, choices=[("<f4", "float32"), ("<f2", "float16")], default="<f4")
    languages = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ScoreRunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["study", "scorer", "version"], name="scorer_version_once_a_study"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scorer} {self.version}".strip()

    @property
    def measured_at(self) -> dt.datetime:
        return self.updated_at

    def unknown_languages(self) -> list[str]:
        """Languages of the study's prompts that its embedder does not know."""
        return [] if self.languages is None else unknown_languages(self.study_id, self.languages)


def unknown_languages(study_id: int, known: list[str]) -> list[str]:
    prompts = Study(pk=study_id).prompts.in_pool()
    languages = prompts.values_list("language", flat=True).distinct()
    return sorted({code for code in languages if code.lower().replace("_", "-").split("-")[0] not in known})


class ScoreQuerySet(models.QuerySet["Score"]):
    def in_pool(self) -> "ScoreQuerySet":
        return self.exclude(planted("response__"))

    def failed(self) -> "ScoreQuerySet":
        return self.exclude(error="")

    def insert(self, rows: Iterable[tuple[int, int, float | None, str, str]]) -> None:
        """Many (run, response, value, error, raw) at once: objects would take more time than all else together."""
        columns = ["run_id", "response_id", "value", "error", "raw", "truncated"]
        quoted = ", ".join(map(connection.ops.quote_name, columns))
        table = connection.ops.quote_name(self.model._meta.db_table)
        places = ", ".join(["%s"] * len(columns))
        with connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO {table} ({quoted}) VALUES ({places})",  # noqa: S608
                [(*row, False) for row in rows],
            )


class Score(models.Model):
    """A number for a response, greater is better; or null and why there is none."""

    run = models.ForeignKey(ScoreRun, on_delete=models.CASCADE, related_name="scores")
    response = models.ForeignKey("annotate.Response", on_delete=models.PROTECT, related_name="scores")
    value = models.FloatField(null=True)
    truncated = models.BooleanField(default=False)
    error = models.CharField(max_length=500, blank=True)
    # What the machine said word for word, where it said more than a number.
    raw = models.TextField(blank=True)

    objects = ScoreQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "response"], name="score_once_a_response")]

    def __str__(self) -> str:
        return f"{self.run_id}:{self.response_id}"


class VerdictQuerySet(models.QuerySet["Verdict"]):
    def in_pool(self) -> "VerdictQuerySet":
        return self.exclude(planted("item__item_responses__response__"))

    def usable(self) -> "VerdictQuerySet":
        """Choices and ties, without what failed."""
        return self.filter(error="")

    def failed(self) -> "VerdictQuerySet":
        return self.exclude(error="")


class Verdict(models.Model):
    """A pairwise judge's choice in a pair: the winner, null for a tie, and how strongly.

    With an `error` there is no choice, and the missing winner is no tie.
    """

    run = models.ForeignKey(ScoreRun, on_delete=models.CASCADE, related_name="verdicts")
    item = models.ForeignKey("annotate.Item", on_delete=models.PROTECT, related_name="verdicts")
    winner = models.ForeignKey(
        "annotate.Response", on_delete=models.PROTECT, null=True, blank=True, related_name="verdicts_won"
    )
    value = models.FloatField(null=True)
    # Preference for the item's first response (1 it, -1 the other, 0 tie) as asked with it first, and with it last.
    straight = models.FloatField(null=True)
    swapped = models.FloatField(null=True)
    error = models.CharField(max_length=500, blank=True)
    raw = models.TextField(blank=True)

    objects = VerdictQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "item"], name="verdict_once_an_item")]

    def __str__(self) -> str:
        return f"{self.run_id}:{self.item_id}"


class EmbeddingQuerySet(models.QuerySet["Embedding"]):
    def in_pool(self) -> "EmbeddingQuerySet":
        return self.exclude(planted("response__"))

    def array(self, dtype: str) -> tuple[list[int], npt.NDArray[np.float32]]:
        """Responses' primary keys in order and their vectors, one row each, shape (n, d)."""
        rows = list(self.order_by("response_id").values_list("response_id", "vector"))
        stored = np.frombuffer(b"".join(bytes(vector) for _, vector in rows), dtype=dtype)
        # -1 can't be worked out for no rows at all.
        return [pk for pk, _ in rows], stored.reshape(len(rows), -1 if rows else 0).astype(np.float32)


class Embedding(models.Model):
    """A response's vector under one embedder: floats as the run's dtype says, unit length."""

    run = models.ForeignKey(ScoreRun, on_delete=models.CASCADE, related_name="embeddings")
    response = models.ForeignKey("annotate.Response", on_delete=models.PROTECT, related_name="embeddings")
    vector = models.BinaryField()
    truncated = models.BooleanField(default=False)

    objects = EmbeddingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "response"], name="embedding_once_a_response"),
            models.CheckConstraint(condition=~Q(vector=b""), name="embedding_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}:{self.response_id}"
