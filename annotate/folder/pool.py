"""Prompts and responses alone, added to a stored study: all of them, or nothing."""

from pathlib import Path

from django.db import transaction

from annotate import trail
from annotate.models import Action, Study

from .check import Known, check_prompts, check_responses
from .load import without_query_log
from .merge import Merge, merge_prompts, merge_responses, withhold
from .problems import Problem, Problems
from .tables import find_tables


def load_pool(study: Study, folder: Path) -> dict[str, int]:
    """What is new, by table. Raises FolderError, and leaves the study as it was, when anything is wrong."""
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
