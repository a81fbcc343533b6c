"""What the API tells of annotate's tables, in the words of the study folder (annotate/folder/README.md)."""

from typing import Any

from rest_framework import serializers

from annotate.folder.study_toml import criterion_spec
from annotate.models import Annotator, Criterion, Item, Judgment, Prompt, Response, Study

from . import blinding
from .lists import Chosen


class CriterionSerializer(serializers.ModelSerializer[Criterion]):
    measures = serializers.CharField(
        read_only=True, help_text="what it measures, for the audit; may be empty"
    )
    scale = serializers.ListField(child=serializers.IntegerField(), read_only=True)
    choices = serializers.ListField(
        child=serializers.CharField(),
        read_only=True,
        allow_null=True,
        help_text="of a preference, what may be said beside its points; null: all there is",
    )

    class Meta:
        model = Criterion
        fields = ["key", "on", "kind", "measures", "text", "scale", "labels", "choices", "required"]
        read_only_fields = fields

    def to_representation(self, instance: Criterion) -> dict[str, Any]:
        return dict(criterion_spec(instance).model_dump(warnings=False))


class Counts(serializers.Serializer[Any]):
    prompts = serializers.IntegerField(source="n_prompts", read_only=True)
    responses = serializers.IntegerField(source="n_responses", read_only=True)
    items = serializers.IntegerField(source="n_items", read_only=True)
    annotators = serializers.IntegerField(source="n_annotators", read_only=True)
    seats_free = serializers.IntegerField(source="n_free", read_only=True)
    seats_held = serializers.IntegerField(source="n_held", read_only=True)
    seats_submitted = serializers.IntegerField(source="n_submitted", read_only=True)


class StudySerializer(Chosen, serializers.ModelSerializer[Study]):
    role = serializers.CharField(source="your_role", read_only=True, help_text="yours in it")
    criteria = CriterionSerializer(many=True, read_only=True)
    counts = Counts(source="*", read_only=True)

    class Meta:
        model = Study
        fields = [
            *("slug", "title", "status", "simulated", "seats", "seed", "created_at", "role"),
            *("instructions", "consent", "panel_required", "criteria", "counts"),
        ]
        read_only_fields = fields


class PromptSerializer(Chosen, serializers.ModelSerializer[Prompt]):
    prompt_id = serializers.CharField(source="key", read_only=True)
    category = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = Prompt
        fields = ["prompt_id", "text", "language", "category"]
        read_only_fields = fields


class ResponseSerializer(Chosen, serializers.ModelSerializer[Response]):
    response_id = serializers.CharField(source="key", read_only=True)
    prompt_id = serializers.CharField(source="prompt.key", read_only=True)
    params = serializers.DictField(read_only=True, allow_null=True)

    class Meta:
        model = Response
        fields = ["response_id", "prompt_id", "text", "source", "sample", "params", "held_back"]
        read_only_fields = fields


class ItemSerializer(Chosen, serializers.ModelSerializer[Item]):
    item_id = serializers.CharField(source="key", read_only=True)
    prompt_id = serializers.CharField(source="prompt.key", read_only=True)
    response_ids = serializers.SerializerMethodField(help_text="in canonical order")
    expected = serializers.DictField(read_only=True, allow_null=True)
    repeat_of = serializers.CharField(source="repeat_of.key", read_only=True, default=None, allow_null=True)

    class Meta:
        model = Item
        fields = [
            *("item_id", "kind", "prompt_id", "response_ids", "role", "expected", "repeat_of", "withheld"),
        ]
        read_only_fields = fields

    def get_response_ids(self, item: Item) -> list[str]:
        return [link.response.key for link in item.item_responses.all()]


class SeatsSerializer(Chosen, serializers.ModelSerializer[Item]):
    """An item's seats, counted by status."""

    item_id = serializers.CharField(source="key", read_only=True)
    free = serializers.IntegerField(read_only=True)
    held = serializers.IntegerField(read_only=True)
    submitted = serializers.IntegerField(read_only=True)
    excluded = serializers.IntegerField(
        read_only=True, help_text="submitted seats whose judgment does not count"
    )

    class Meta:
        model = Item
        fields = ["item_id", "kind", "role", "free", "held", "submitted", "excluded"]
        read_only_fields = fields


class AnnotatorSerializer(Chosen, serializers.ModelSerializer[Annotator]):
    """By pseudonym: nothing else is known about the person."""

    annotator_id = serializers.CharField(source="key", read_only=True, help_text="a pseudonym")
    outcome = serializers.CharField(read_only=True, help_text="how it ended; empty if it has not")
    details = serializers.DictField(read_only=True, help_text="further columns of the study's folder")
    submitted = serializers.IntegerField(read_only=True, help_text="seats with a judgment")

    class Meta:
        model = Annotator
        fields = ["annotator_id", "details", "created_at", "stage", "outcome", "excluded", "submitted"]
        read_only_fields = fields


class AnswerSerializer(serializers.Serializer[Any]):
    criterion = serializers.CharField(source="criterion.key", read_only=True)
    response_id = serializers.CharField(source="response.key", default=None, allow_null=True, read_only=True)
    other_id = serializers.CharField(source="other.key", default=None, allow_null=True, read_only=True)
    value = serializers.FloatField(read_only=True, allow_null=True)
    label = serializers.CharField(read_only=True)  # type: ignore[assignment]
    text = serializers.CharField(read_only=True)


class JudgmentSerializer(Chosen, serializers.ModelSerializer[Judgment]):
    """One submitted item. Auditors do not see who submitted it, when, or in what words."""

    item_id = serializers.CharField(source="assignment.item.key", read_only=True)
    annotator_id = serializers.CharField(
        source="assignment.annotator.key",
        read_only=True,
        help_text="a pseudonym; null for auditors",
        allow_null=True,
    )
    id = serializers.IntegerField(read_only=True, help_text="of the row; another number for auditors")
    current = serializers.BooleanField(source="is_current", read_only=True, help_text="the latest revision")
    shown = serializers.SerializerMethodField(help_text="response ids in the order in which they were shown")
    answers = AnswerSerializer(many=True, read_only=True)

    class Meta:
        model = Judgment
        fields = [
            *("id", "item_id", "annotator_id", "revision", "current", "excluded", "shown", "opened_at"),
            *("submitted_at", "active_ms", "first_ms", "changes", "flag", "comment", "answers"),
        ]
        read_only_fields = fields

    # What would tell one annotator from another.
    personal = (
        *("annotator_id", "opened_at", "submitted_at", "active_ms", "first_ms", "changes", "shown"),
        *("flag", "comment"),
    )

    def get_shown(self, judgment: Judgment) -> list[str] | None:
        if judgment.assignment.shown is None:
            return None
        keys = {s.response_id: s.response.key for s in judgment.assignment.item.item_responses.all()}
        return [keys[pk] for pk in judgment.assignment.shown]

    def to_representation(self, instance: Judgment) -> dict[str, Any]:
        row: dict[str, Any] = super().to_representation(instance)
        if self.context["blind"]:
            if "id" in row:
                row["id"] = blinding.number_of(instance)
            row |= {name: None for name in self.personal if name in row}
            if row.get("excluded"):
                row["excluded"] = "excluded"
            for answer in row.get("answers", []):
                answer["text"] = ""
        return row
