"""Filters of lists. Invalid values are rejected."""

from datetime import UTC
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django_filters import rest_framework as filters
from django_filters.fields import IsoDateTimeField

from annotate.kinds import ItemKind
from annotate.models import Annotator, Item, Prompt, Response, Study
from annotate.models.judgment import JudgmentQuerySet


def true_or_false(name: str = "", **kwargs: Any) -> filters.ChoiceFilter:
    """A strict boolean: anything else is an error instead of being ignored."""

    def chosen(queryset: QuerySet[Any], field: str, value: str) -> QuerySet[Any]:
        return queryset.filter(**{field: value == "true"})

    choices = [("true", "true"), ("false", "false")]
    return filters.ChoiceFilter(field_name=name or None, choices=choices, method=chosen, **kwargs)


class _TimeField(IsoDateTimeField):
    """Times that are a time in UTC too: at the calendar's ends some are none."""

    def clean(self, value: Any) -> Any:
        time = super().clean(value)
        try:
            return time and time.astimezone(UTC)
        except OverflowError as error:
            raise ValidationError("Expected a time of the years 1 to 9999, in UTC too.") from error


class TimeFilter(filters.IsoDateTimeFilter):
    field_class = _TimeField


class StudyFilter(filters.FilterSet):
    status = filters.ChoiceFilter(choices=Study.Status.choices)
    simulated = true_or_false("simulated")


class PromptFilter(filters.FilterSet):
    language = filters.CharFilter()
    text = filters.CharFilter(lookup_expr="icontains", help_text="words in it")

    class Meta:
        model = Prompt
        fields: list[str] = []


class ResponseFilter(filters.FilterSet):
    prompt_id = filters.CharFilter(field_name="prompt__key")
    source = filters.CharFilter()
    text = filters.CharFilter(lookup_expr="icontains", help_text="words in it")
    held_back = filters.ChoiceFilter(
        choices=[("true", "true"), ("false", "false")], method="held", help_text="whether nobody is shown it"
    )

    class Meta:
        model = Response
        fields: list[str] = []

    def held(self, queryset: QuerySet[Response], name: str, value: str) -> QuerySet[Response]:
        return queryset.exclude(held_back="") if value == "true" else queryset.filter(held_back="")


class ItemFilter(filters.FilterSet):
    prompt_id = filters.CharFilter(field_name="prompt__key")
    kind = filters.ChoiceFilter(choices=ItemKind.choices)
    role = filters.ChoiceFilter(choices=Item.Role.choices)
    withheld = true_or_false("withheld")


class AnnotatorFilter(filters.FilterSet):
    stage = filters.ChoiceFilter(choices=Annotator.Stage.choices)
    outcome = filters.ChoiceFilter(choices=Annotator.Outcome.choices)


class JudgmentFilter(filters.FilterSet):
    item_id = filters.CharFilter(field_name="assignment__item__key")
    annotator_id = filters.CharFilter(
        field_name="assignment__annotator__key", help_text="a pseudonym; not for auditors"
    )
    current = true_or_false("is_current", help_text="last revisions only, or earlier ones only")
    counted = filters.ChoiceFilter(
        choices=[("true", "true")], method="that_count", help_text="what statistics use"
    )
    submitted_after = TimeFilter(field_name="submitted_at", lookup_expr="gte")
    submitted_before = TimeFilter(field_name="submitted_at", lookup_expr="lt")

    # By the others it could be found out whose a judgment is.
    for_auditors = ("item_id", "current", "counted")

    def that_count(self, queryset: JudgmentQuerySet, name: str, value: str) -> JudgmentQuerySet:
        return queryset.counted().filter(
            assignment__item__withheld=False, assignment__item__role=Item.Role.MAIN
        )
