"""judging's tables in the API."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from annotate.api.lists import Chosen, Sent
from judging.exports.writers import WRITERS
from judging.models import Score, ScoreRun, ScoringTask, Verdict


class ScorerSerializer(serializers.Serializer[Any]):
    """A scorer that can be run here."""

    scorer = serializers.CharField(read_only=True)
    implementation = serializers.CharField(read_only=True, help_text="dotted name")


class StoredSerializer(Chosen, serializers.ModelSerializer[ScoreRun]):
    """A scorer with scores in the study: computed here, or imported."""

    n_scores = serializers.IntegerField(read_only=True)
    n_verdicts = serializers.IntegerField(read_only=True)
    n_embeddings = serializers.IntegerField(read_only=True)
    identity = serializers.DictField(read_only=True, help_text="the exact scorer, model and settings")

    class Meta:
        model = ScoreRun
        fields = [
            *("id", "scorer", "version", "computed_here", "probe", "identity", "created_at", "updated_at"),
            *("n_scores", "n_verdicts", "n_embeddings"),
        ]
        read_only_fields = fields


class RunSerializer(Chosen, serializers.ModelSerializer[ScoringTask]):
    """An order to score the study's pool, and its progress."""

    stored = serializers.IntegerField(read_only=True, help_text="scored, including by earlier runs")
    wanted = serializers.IntegerField(read_only=True, help_text="out of how many; 0 until it is known")
    scorer_id = serializers.IntegerField(
        source="run_id",
        read_only=True,
        allow_null=True,
        help_text="the entry of `scorers` that holds its scores",
    )
    notes = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = ScoringTask
        fields = [
            *("id", "scorer", "status", "scorer_id", "stored", "wanted", "failed", "calls", "tokens"),
            *("call_budget", "token_budget", "asked_at", "started_at", "finished_at", "error", "notes"),
        ]
        read_only_fields = fields


class OrderSerializer(Sent):
    scorer = serializers.ChoiceField(choices=[])
    call_budget = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1, allow_null=True)
    token_budget = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1, allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        # By what is set up now, not when this module was loaded.
        fields["scorer"] = serializers.ChoiceField(choices=sorted(settings.SCORERS))
        return fields


class ScoreSerializer(Chosen, serializers.ModelSerializer[Score]):
    scorer = serializers.CharField(source="run.scorer", read_only=True)
    version = serializers.CharField(source="run.version", read_only=True)
    response_id = serializers.CharField(source="response.key", read_only=True)

    class Meta:
        model = Score
        fields = ["scorer", "version", "response_id", "value", "truncated", "error"]
        read_only_fields = fields


class VerdictSerializer(Chosen, serializers.ModelSerializer[Verdict]):
    scorer = serializers.CharField(source="run.scorer", read_only=True)
    version = serializers.CharField(source="run.version", read_only=True)
    item_id = serializers.CharField(source="item.key", read_only=True)
    response_id = serializers.CharField(
        source="winner.key",
        default=None,
        allow_null=True,
        read_only=True,
        help_text="the winner; null for a tie",
    )

    class Meta:
        model = Verdict
        fields = ["scorer", "version", "item_id", "response_id", "value", "straight", "swapped", "error"]
        read_only_fields = fields


class ExportSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(read_only=True)
    writer = serializers.CharField(source="record.writer", read_only=True)
    status = serializers.ChoiceField(choices=["waiting", "running", "done", "failed"], read_only=True)
    made_at = serializers.DateTimeField(read_only=True)
    rows = serializers.DictField(
        source="record.rows", default=dict, child=serializers.IntegerField(), read_only=True
    )
    left_out = serializers.DictField(
        source="record.left_out", default=dict, child=serializers.IntegerField(), read_only=True
    )
    size = serializers.IntegerField(read_only=True, help_text="bytes of the .zip")
    error = serializers.CharField(source="record.error", default="", read_only=True)


class ExportOrder(Sent):
    writer = serializers.ChoiceField(choices=list(WRITERS), default="folder")
    escape = serializers.BooleanField(
        default=True,
        help_text="in CSV, put an apostrophe before texts that a spreadsheet would run as formulas",
    )
