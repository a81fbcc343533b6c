"""Add prompts and responses, or items, to a stored study: everything or nothing."""

from pathlib import Path

from django.db import transaction

from annotate import trail
from annotate.models import Action, Study

from .check import Known, Shows, check_items, check_prompts, check_responses
from .load import open_seats, without_query_log
from .merge import Merge, by_key, merge_items, merge_prompts, merge_responses, withhold
from .problems import Problem, Problems
from .rows import ItemRow, read
from .tables import Table, find_tables


def load_pool(study: Study, folder: Path) -> dict[str, int]:
    """Add them; returns how many are new, by table. FolderError leaves the study unchanged."""
    problems = Problems()
    with problems.gathered():
        tables = find_tables(folder, problems)
        if not {"prompts", "responses"} & set(tables):
            problems.put(Problem(folder.name, None, "", "prompts or responses", "neither"))
        known = Known()
        if "prompts" in tables:
            check_prompts(known, tables["prompts"], problems)
        known.prompts |= set(study.prompts.values_list("key", flat=True))
        if "responses" in tables:
            check_responses(known, tables["responses"], problems)
    with without_query_log(), transaction.atomic():
        merge = Merge(Study.objects.select_for_update().get(pk=study.pk), problems)
        if "prompts" in tables:
            merge_prompts(merge, tables["prompts"])
        if "responses" in tables:
            merge_responses(merge, tables["responses"])
        problems.raise_any()
        withhold(study)
        new = {name: merge.new.get(name, 0) for name in ("prompts", "responses")}
        if any(new.values()):
            trail.record(study, Action.LOADED, "pool", new=new)
    return new


def load_items(study: Study, folder: Path) -> dict[str, int]:
    """What is new of a table of items over the stored pool, with seats. FolderError, and nothing, as above."""
    problems = Problems()
    with problems.gathered():
        table = find_tables(folder, problems)["items"]
        known = _shown_by(study, table)
        check_items(known, table, problems)
    with without_query_log(), transaction.atomic():
        merge = Merge(Study.objects.select_for_update().get(pk=study.pk), problems)
        merge_items(merge, known, table)
        problems.raise_any()
        open_seats(study)
        new = {"items": merge.new.get("items", 0)}
        if any(new.values()):
            trail.record(study, Action.LOADED, "items", new=new)
    return new


def _shown_by(study: Study, table: Table) -> Known:
    """The study's objects that the rows name: the pool may be large, and the rows few."""
    responses, items, originals = set[str](), set[str](), set[str]()
    for _, row in read(table, ItemRow, Problems()):
        responses |= set(row.response_ids)
        items.add(row.item_id)
        originals |= {row.repeat_of} if row.repeat_of else set()
    query = study.responses.select_related("prompt").only("key", "prompt__key")
    known = Known(prompts=set(study.prompts.values_list("key", flat=True)))
    known.responses = {r.key: r.prompt.key for r in by_key(query, "key", sorted(responses))}
    for item in by_key(study.items.only("key", "kind"), "key", sorted(originals - items)):
        known.items[item.key] = Shows(item.kind, ())
    return known
