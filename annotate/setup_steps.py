"""The way from nothing to an open study, and how far a draft has come on it."""

from dataclasses import dataclass

from django.urls import reverse

from annotate.models import Item, Study


@dataclass(frozen=True, slots=True)
class Step:
    """`page` is the name of its page's address."""

    page: str
    label: str
    url: str
    done: bool


def steps(study: Study) -> list[Step]:
    item_kinds = set(study.criteria.order_by().values_list("on", flat=True))
    items = study.items.filter(role=Item.Role.MAIN, withheld=False).order_by()
    there = set(items.values_list("kind", flat=True).distinct())
    return [
        _step(study, "pool", "Texts", done=study.responses.exists()),
        _step(study, "criteria", "Questions", done=bool(item_kinds)),
        _step(study, "items", "Items", done=bool(item_kinds) and item_kinds <= there),
        _step(study, "settings", "Journey", "texts", done=bool(study.instructions.strip())),
        _step(study, "study", "Check and open", done=study.status != Study.Status.DRAFT),
    ]


def _step(study: Study, page: str, label: str, *args: str, done: bool) -> Step:
    return Step(page, label, reverse(page, args=[study.slug, *args]), done)


def next_step(study: Study) -> str:
    """Where to go on: the first step that a draft has not done."""
    return next((step.url for step in steps(study) if not step.done), study.get_absolute_url())
