"""The second pass, first half: settings, texts, items and annotators are stored, unless they already are."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from django.db.models import Model, Prefetch, QuerySet

from annotate import design
from annotate.models import Annotator, Item, ItemResponse, Prompt, Response, Study
from annotate.texts import one_newline, trimmed

from .check import Known
from .problems import Problems, quoted
from .rows import AnnotatorRow, ItemRow, PromptRow, ResponseRow, read
from .study_toml import FILE, CriterionSpec, StudySpec, criterion_of, criterion_spec
from .tables import Table, batches

# Texts may be long, so fewer of them are held at once than of answers.
TEXTS = 1_000
# SQLite may be built to take no more than 999 parameters in a query.
PARAMETERS = 900
# Columns that say how something is called.
NAMES = {"source", "category"}

M = TypeVar("M", bound=Model)


def by_key(query: QuerySet[M], field: str, keys: Iterable[object], at_once: int = PARAMETERS) -> Iterator[M]:
    """The rows whose `field` is one of the keys, however many keys there are."""
    for part in batches(dict.fromkeys(keys), at_once):
        yield from query.filter(**{f"{field}__in": part})


def keys_of(query: QuerySet[Any], keys: Iterable[str]) -> dict[str, int]:
    """Primary keys by key. Not model objects: a related manager would fetch the fields that `only()` left out."""
    pks: dict[str, int] = {}
    for part in batches(dict.fromkeys(keys), PARAMETERS):
        pks.update(query.filter(key__in=part).values_list("key", "pk"))
    return pks


class Merge:
    """Adds what is new, leaves what is the same, and reports what differs."""

    def __init__(self, study: Study, problems: Problems) -> None:
        self.study, self.problems = study, problems
        self.new: dict[str, int] = {}

    def added(self, table: str, n: int) -> None:
        self.new[table] = self.new.get(table, 0) + n

    def differs(self, file: str, line: int | None, column: str, stored: object, found: object) -> None:
        advice = "which differs from what is stored; load with --replace or under another --slug"
        self.problems.add(file, line, column, quoted(stored), f"{quoted(found)}, {advice}")

    def compare(self, file: str, line: int | None, stored: dict[str, Any], loaded: dict[str, Any]) -> None:
        for column, value in loaded.items():
            before = trimmed_in(stored[column]) if column in NAMES else stored[column]
            if comparable(before) != comparable(value):
                self.differs(file, line, column, stored[column], value)


def trimmed_in(value: Any) -> Any:
    """Names as they come in now; some were stored before there was one rule for what stands around them."""
    return list(map(trimmed, value)) if isinstance(value, list) else trimmed(value)


def comparable(value: Any) -> Any:
    """JSON as both databases return it: PostgreSQL turns a large float into a whole number.

    Texts that were stored before there was one rule for newlines are the same by it.
    """
    match value:
        case dict():
            return {k: comparable(v) for k, v in value.items()}
        case list() | tuple():
            return [comparable(v) for v in value]
        case str():
            return one_newline(value)
        case int() if abs(value) >= 2**53:
            try:
                return float(value)
            except OverflowError:
                return value
    return value


def merge_settings(merge: Merge, spec: StudySpec) -> None:
    stored = {name: getattr(merge.study, name) for name in StudySpec.own}
    merge.compare(FILE, None, stored, {name: getattr(spec, name) for name in StudySpec.own})
    for name, table in spec.tables.items():
        # Only what the file says: a setting that it leaves out is left as it is.
        before = type(table).of(merge.study).values
        for key in sorted(table.model_fields_set):
            if before[key] != (value := table.values[key]):
                merge.differs(FILE, None, f"{name}, {key}", before[key], value)
    criteria = {c.key: criterion_spec(c) for c in merge.study.criteria.order_by("position")}
    common = [key for key in criteria if key in spec.criteria]
    if list(spec.criteria)[: len(common)] != common:
        merge.differs(FILE, None, "criterion", common, list(spec.criteria))
        return
    for key in common:
        _compare_criterion(merge, criteria[key], spec.criteria[key])
    _add_criteria(merge, [c for c in spec.criterion if c.key not in criteria])


def _compare_criterion(merge: Merge, stored: CriterionSpec, loaded: CriterionSpec) -> None:
    for name, value in loaded.model_dump().items():
        if (before := getattr(stored, name)) != value:
            merge.differs(FILE, None, f"criterion {loaded.key}, {name}", before, value)


def _add_criteria(merge: Merge, specs: Sequence[CriterionSpec]) -> None:
    last = merge.study.criteria.order_by("-position").first()
    start = last.position + 1 if last else 0
    for position, spec in enumerate(specs, start):
        criterion = criterion_of(spec, position)
        criterion.study = merge.study
        criterion.save()


def merge_prompts(merge: Merge, table: Table) -> None:
    for batch in batches(read(table, PromptRow, merge.problems), TEXTS):
        stored = {
            p.key: p for p in by_key(merge.study.prompts.all(), "key", (row.prompt_id for _, row in batch))
        }
        new = []
        for line, row in batch:
            columns = {"text": row.text, "language": row.language, "category": row.category}
            if (prompt := stored.get(row.prompt_id)) is None:
                new.append(Prompt(study=merge.study, key=row.prompt_id, **columns))
            else:
                merge.compare(table.file, line, vars(prompt), columns)
        Prompt.objects.bulk_create(new)
        merge.added("prompts", len(new))


def merge_responses(merge: Merge, table: Table) -> None:
    for batch in batches(read(table, ResponseRow, merge.problems), TEXTS):
        query = merge.study.responses.select_related("prompt").defer("prompt__text")
        stored = {r.key: r for r in by_key(query, "key", (row.response_id for _, row in batch))}
        prompts = keys_of(merge.study.prompts.all(), (row.prompt_id for _, row in batch))
        new = []
        for line, row in batch:
            columns = row.model_dump(exclude={"response_id", "prompt_id"})
            if row.response_id in stored and not row.held_back:
                # Held back here meanwhile, of which the folder knows nothing.
                del columns["held_back"]
            if (response := stored.get(row.response_id)) is None:
                prompt_id = prompts[row.prompt_id]
                new.append(Response(study=merge.study, key=row.response_id, prompt_id=prompt_id, **columns))
            else:
                before = vars(response) | {"prompt_id": response.prompt.key}
                merge.compare(table.file, line, before, {"prompt_id": row.prompt_id, **columns})
        Response.objects.bulk_create(new)
        merge.added("responses", len(new))


def merge_items(merge: Merge, known: Known, table: Table | None) -> None:
    """Repeats after their originals: one pass over the table for each length of a chain of repeats."""
    depths = {key: _depth(known, key) for key in known.repeats}
    for depth in range(max(depths.values(), default=0) + 1):
        rows = _item_rows(merge, known, table)
        for batch in batches(
            ((line, row) for line, row in rows if depths.get(row.item_id, 0) == depth), TEXTS
        ):
            _merge_items(merge, table.file if table else "items", batch)
    withhold(merge.study)


def _depth(known: Known, key: str) -> int:
    depth = 0
    while key in known.repeats:
        key, depth = known.repeats[key], depth + 1
    return depth


def _item_rows(merge: Merge, known: Known, table: Table | None) -> Iterator[tuple[int, ItemRow]]:
    if table is not None:
        yield from read(table, ItemRow, merge.problems)
        return
    for line, key in enumerate(known.items, 1):
        yield line, ItemRow(item_id=key, kind="single", prompt_id=known.responses[key], response_ids=[key])


def _merge_items(merge: Merge, file: str, batch: Sequence[tuple[int, ItemRow]]) -> None:
    stored = {
        item.key: item for item in by_key(whole_items(merge.study), "key", (row.item_id for _, row in batch))
    }
    prompts = keys_of(merge.study.prompts.all(), (row.prompt_id for _, row in batch))
    originals = (row.repeat_of for _, row in batch if row.repeat_of)
    repeated = keys_of(merge.study.items.all(), originals)
    new: dict[str, Item] = {}
    for line, row in batch:
        if (item := stored.get(row.item_id)) is None:
            original = repeated[row.repeat_of] if row.repeat_of else None
            new[row.item_id] = _item(merge.study, row, prompts[row.prompt_id], original)
        else:
            merge.compare(file, line, item_columns(item), row.model_dump(exclude={"item_id"}))
    Item.objects.bulk_create(new.values())
    _add_item_responses(merge, new, [row for _, row in batch if row.item_id in new])
    merge.added("items", len(new))


def withhold(study: Study) -> None:
    """An item is withheld while a response that it shows is held back.

    By keys, from the few responses that are held back: PostgreSQL knows nothing yet of rows that this transaction
    brought, and joined whole tables row by row, for hours.
    """
    held_back = list(study.responses.exclude(held_back="").order_by().values_list("pk", flat=True))
    links = ItemResponse.objects.filter(item__study=study)
    now = {link.item_id for link in by_key(links, "response_id", held_back)}
    before = set(study.items.filter(withheld=True).values_list("pk", flat=True))
    for items, withheld in ((now - before, True), (before - now, False)):
        for part in batches(sorted(items), PARAMETERS):
            study.items.filter(pk__in=part).update(withheld=withheld)


def whole_items(study: Study) -> QuerySet[Item]:
    links = ItemResponse.objects.order_by("position").select_related("response").defer("response__text")
    query = study.items.select_related("prompt", "repeat_of").defer("prompt__text")
    return query.prefetch_related(Prefetch("item_responses", links))


def _item(study: Study, row: ItemRow, prompt_id: int, original: int | None) -> Item:
    return Item(
        study=study,
        key=row.item_id,
        prompt_id=prompt_id,
        kind=row.kind,
        role=row.role,
        expected=row.expected,
        repeat_of_id=original,
        prompt_place=design.place(study.seed, "prompt", row.prompt_id),
        place=design.place(study.seed, "item", row.item_id),
    )


def item_columns(item: Item) -> dict[str, Any]:
    return {
        "kind": item.kind,
        "prompt_id": item.prompt.key,
        "response_ids": [link.response.key for link in item.item_responses.all()],
        "role": item.role,
        "expected": item.expected,
        "repeat_of": item.repeat_of.key if item.repeat_of else None,
    }


def _add_item_responses(merge: Merge, new: dict[str, Item], rows: Sequence[ItemRow]) -> None:
    responses = keys_of(merge.study.responses.all(), (key for row in rows for key in row.response_ids))
    ItemResponse.objects.bulk_create(
        [
            ItemResponse(item=new[row.item_id], response_id=responses[key], position=position)
            for row in rows
            for position, key in enumerate(row.response_ids)
        ]
    )


def merge_annotators(merge: Merge, table: Table) -> None:
    for batch in batches(read(table, AnnotatorRow, merge.problems), TEXTS):
        stored = {
            a.key: a for a in by_key(merge.study.annotators.all(), "key", (r.annotator_id for _, r in batch))
        }
        new = []
        for line, row in batch:
            if (annotator := stored.get(row.annotator_id)) is None:
                columns = {"details": row.details, "excluded": row.excluded}
                new.append(Annotator(study=merge.study, key=row.annotator_id, **columns))
            else:
                loaded = {"details": row.details} | ({"excluded": row.excluded} if row.excluded else {})
                merge.compare(table.file, line, vars(annotator), loaded)
        Annotator.objects.bulk_create(new)
        merge.added("annotators", len(new))
