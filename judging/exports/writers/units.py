"""Items with the counted answers to one criterion, a few hundred at a time."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch, QuerySet

from annotate.folder.export import shortest
from annotate.folder.rows import iso
from annotate.folder.tables import batches
from annotate.models import Answer, Criterion, Item, ItemResponse, Judgment, Response
from judging.frames.tables import COUNTED_ROLES

ITEMS = 300


@dataclass(frozen=True, slots=True)
class UnitAnswer:
    """One counted answer. Responses are named by key."""

    annotator: str
    response: str | None
    value: float | int | None
    label: str
    text: str
    shown: list[str] | None
    submitted_at: str | None


@dataclass(frozen=True, slots=True)
class Unit:
    item: Item
    responses: list[Response]
    answers: list[UnitAnswer]

    @property
    def key(self) -> str:
        return self.item.key

    @property
    def prompt(self) -> str:
        return self.item.prompt.text

    def of(self, response: Response) -> list[UnitAnswer]:
        return [g for g in self.answers if g.response == response.key]


def counted_items(criterion: Criterion) -> QuerySet[Item]:
    """Items whose answers count: main ones that nobody withheld."""
    return Item.objects.filter(
        study=criterion.study, kind=criterion.on, role__in=COUNTED_ROLES, withheld=False
    )


def counted_answers(criterion: Criterion) -> QuerySet[Answer]:
    return Answer.objects.filter(
        criterion=criterion,
        judgment__in=Judgment.objects.counted(),
        judgment__assignment__item__in=counted_items(criterion),
    )


VALUES = (
    "judgment__assignment__item_id",
    "judgment__assignment__annotator__key",
    "response__key",
    "value",
    "label",
    "text",
    "judgment__assignment__shown",
    "judgment__submitted_at",
)


def units(criterion: Criterion) -> Iterator[Unit]:
    """In the order of primary keys, those without an answer too."""
    ordered = ItemResponse.objects.order_by("position").select_related("response")
    items = counted_items(criterion).order_by("pk").select_related("prompt")
    whole = items.prefetch_related(Prefetch("item_responses", ordered))
    for batch in batches(whole.iterator(ITEMS), ITEMS):
        answers = _answers_of(criterion, batch)
        for item in batch:
            yield Unit(item, [row.response for row in item.item_responses.all()], answers[item.pk])


def _answers_of(criterion: Criterion, items: list[Item]) -> dict[int, list[UnitAnswer]]:
    keys = {row.response_id: row.response.key for item in items for row in item.item_responses.all()}
    answers: dict[int, list[UnitAnswer]] = defaultdict(list)
    # The judgments of these items alone: a query over all of the study, for each batch of it, would be quadratic.
    judgments = Judgment.objects.counted().filter(assignment__item__in=[item.pk for item in items])
    rows = Answer.objects.filter(criterion=criterion, judgment__in=judgments)
    for item, annotator, response, value, label, text, order, time in rows.order_by("pk").values_list(
        *VALUES
    ):
        in_order = [keys[pk] for pk in order] if order and all(pk in keys for pk in order) else None
        answers[item].append(
            UnitAnswer(annotator, response, shortest(value), label, text, in_order, iso(time))
        )
    return answers


def category(unit: Unit) -> str:
    """The subset or data set for other tools: the prompt's first category, else the study."""
    there: list[Any] = unit.item.prompt.category
    return str(there[0]) if there else unit.item.study.slug
