"""A study made of another: its settings, questions, texts and items, and no answers."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from annotate import trail
from annotate.folder import open_seats
from annotate.folder.load import without_query_log
from annotate.folder.merge import by_key
from annotate.folder.tables import batches
from annotate.models import Action, Item, ItemResponse, Prompt, Response, Study

ROWS = 500


def clone(study: Study, slug: str, title: str) -> Study:
    """A new draft with the same settings, criteria, texts and items, and no answers."""
    with transaction.atomic(), without_query_log():
        copy = copied_study(study, slug, title, status=Study.Status.DRAFT)
        copy_content(study, copy, study.prompts.all(), study.responses.all(), study.items.all())
        trail.record(copy, Action.CREATED, cloned_from=study.slug)
        return copy


def copied_study(study: Study, slug: str, title: str, **changes: Any) -> Study:
    copy = Study.objects.get(pk=study.pk)
    copy.pk, copy.slug, copy.title, copy.simulated = None, slug, title, False
    for name, value in changes.items():
        setattr(copy, name, value)
    copy.save(force_insert=True)
    return copy


def copy_content(
    study: Study,
    copy: Study,
    prompts: QuerySet[Prompt],
    responses: QuerySet[Response],
    items: QuerySet[Item],
) -> None:
    """Criteria and these texts and items, with seats. Whatever an item needs is among them."""
    _copied(study.criteria.order_by("pk"), study=copy)
    new_prompts = _copied(prompts.order_by("pk"), study=copy)
    new_responses = _copied(responses.order_by("pk"), {"prompt_id": new_prompts}, study=copy)
    moved = {"prompt_id": new_prompts}
    new_items = _copied(items.order_by("pk"), moved, study=copy, repeat_of=None, role="main")
    _copy_roles(items, new_items)
    shown = ItemResponse.objects.filter(item__in=items.values("pk")).order_by("pk")
    _copied(shown, {"item_id": new_items, "response_id": new_responses})
    open_seats(copy)


def _copied(
    rows: Any, moved: Mapping[str, Mapping[int, int]] | None = None, **changes: Any
) -> dict[int, int]:
    """Copy rows, with foreign keys moved to copies; old primary keys to new ones."""
    copies: dict[int, int] = {}
    for batch in batches(rows.iterator(chunk_size=ROWS), ROWS):
        old = [row.pk for row in batch]
        for row in batch:
            row.pk = None
            for name, value in changes.items():
                setattr(row, name, value)
            for name, new in (moved or {}).items():
                setattr(row, name, new[getattr(row, name)])
        made = type(batch[0])._default_manager.bulk_create(batch)
        copies |= {before: row.pk for before, row in zip(old, made, strict=True)}
    return copies


def _copy_roles(originals: QuerySet[Item], items: Mapping[int, int]) -> None:
    """Roles and repeats come last: only then is what an item repeats there."""
    special = originals.exclude(role=Item.Role.MAIN).order_by("pk").values_list("pk", "role", "repeat_of")
    for part in batches(special.iterator(), ROWS):
        rows = {items[pk]: (role, items[original] if original else None) for pk, role, original in part}
        copies = list(by_key(Item.objects.all(), "pk", rows))
        for copy in copies:
            copy.role, copy.repeat_of_id = rows[copy.pk]
        Item.objects.bulk_update(copies, ["role", "repeat_of"], batch_size=ROWS)
