"""Load a folder into the database: everything or nothing."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Exists, Max, OuterRef, Q

from annotate import design, trail
from annotate.models import (
    Action,
    Annotator,
    Answer,
    Assignment,
    Item,
    ItemResponse,
    Judgment,
    Response,
    Study,
)

from .answers import merge_answers
from .check import Known, check_tables
from .merge import (
    PARAMETERS,
    Merge,
    merge_annotators,
    merge_items,
    merge_prompts,
    merge_responses,
    merge_settings,
)
from .partitioned import find_partitioned
from .people import People, known_as, of_context
from .problems import FolderError, Problem, Problems
from .progress import Progress, quiet
from .replace import Replaced, remove_study
from .study_toml import StudySpec, read_study
from .tables import Table, batches, find_tables


class Part(Protocol):
    """A table of the folder that isn't annotate's own."""

    def check(self, tables: dict[str, Table], known: Known, problems: Problems) -> None:
        """First pass: report problems, write nothing."""

    def write(self, tables: dict[str, Table], merge: Merge) -> None:
        """Second pass, in the transaction."""

    def remove(self, study: Study) -> None:
        """Delete what rests on the study, before the study goes."""


TakesUp = Callable[[Study], None]


def anyone(study: Study) -> None:
    """From the command line, any study may be changed."""


@dataclass(frozen=True)
class Loaded:
    study: Study
    rows: dict[str, int]
    new: dict[str, int]
    # What there is to say of it.
    remarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        counts = ", ".join(f"{n:,} {table}" for table, n in self.rows.items())
        new = ", ".join(f"{n:,} {table}" for table, n in self.new.items() if n)
        return "\n- ".join([f"{self.study.slug}: {counts} (new: {new or 'nothing'})", *self.remarks])


def load_folder(
    path: Path | str,
    slug: str | None = None,
    replace: bool = False,
    progress: Progress = quiet,
    parts: Sequence[Part] = (),
    takes_up: TakesUp = anyone,
    stored: Known | None = None,
) -> Loaded:
    """Load a study folder. Raises FolderError, and leaves the database as it was, when anything is wrong.

    `takes_up` is asked with a study that is there already, and raises where whoever loads may not change it.
    """
    folder = Path(path)
    people = of_context() or People()
    try:
        with known_as(people):
            spec, tables, known = check_folder(folder, slug, progress, parts, stored, replace=replace)
            with without_query_log(), transaction.atomic():
                loaded = _write(spec, tables, known, replace, progress, parts, takes_up)
                _count_anew()
                return dataclasses.replace(loaded, remarks=people.remarks)
    except IntegrityError as error:
        found = f"a change made at the same time ({str(error).partition(chr(10))[0]}); load again"
        raise FolderError(
            [Problem(folder.name, None, "", "a study that nobody else changes meanwhile", found)]
        ) from error


def _count_anew() -> None:
    """Update PostgreSQL's planner statistics: with old ones it may join whole tables row by row, for hours."""
    if connection.vendor == "postgresql":
        models = (Answer, Assignment, Item, ItemResponse, Judgment, Response)
        with connection.cursor() as cursor:
            cursor.execute(
                "ANALYZE " + ", ".join(connection.ops.quote_name(m._meta.db_table) for m in models)
            )


def check_folder(
    folder: Path,
    slug: str | None = None,
    progress: Progress = quiet,
    parts: Sequence[Part] = (),
    stored: Known | None = None,
    *,
    replace: bool = False,
) -> tuple[StudySpec, dict[str, Table], Known]:
    """The first pass alone: everything is checked, and nothing written."""
    problems = Problems()
    with problems.gathered():
        spec, tables = _find(folder, slug, problems)
        if people := of_context():
            people.slug = spec.slug
            people.stored = frozenset() if replace else _annotators(spec.slug)
        known = check_tables(spec, tables, problems, progress, stored)
        for part in parts:
            part.check(tables, known, problems)
    return spec, tables, known


def _annotators(slug: str) -> frozenset[str]:
    return frozenset(Annotator.objects.filter(study__slug=slug).values_list("key", flat=True).iterator())


def _find(folder: Path, slug: str | None, problems: Problems) -> tuple[StudySpec, dict[str, Table]]:
    """Settings and tables; missing files are reported before anything is read."""
    if not folder.is_dir():
        raise FolderError(
            [Problem(str(folder), None, "", "a folder", "a file" if folder.exists() else "nothing")]
        )
    tables = find_tables(folder, problems)
    find_partitioned(folder, tables)
    needed = ["prompts", "responses"]
    if "answers" not in tables:
        # A study that nobody has answered yet has no answers, but then nothing else says what its items are.
        needed.append("items")
    for name in needed:
        if name not in tables:
            problems.add(
                f"{name}.jsonl", None, "", f"this file (or .csv, .parquet, .gz) in {folder}", "nothing"
            )
    spec = read_study(folder, problems, slug)
    if spec is None or problems.count:
        raise FolderError(problems.first, problems.count)
    return spec, tables


def _write(
    spec: StudySpec,
    tables: dict[str, Table],
    known: Known,
    replace: bool,
    progress: Progress,
    parts: Sequence[Part],
    takes_up: TakesUp,
) -> Loaded:
    problems = Problems()
    study = Study.objects.select_for_update().filter(slug=spec.slug).first()
    replaced = None
    if study is not None:
        takes_up(study)
    if study is not None and replace:
        replaced = Replaced.of(study, tables.get("answers"))
        for part in parts:
            part.remove(study)
        remove_study(study)
        study = None
    if study is None:
        study = Study.objects.create(slug=spec.slug, **spec.stored)
    merge = Merge(study, problems)
    _merge_tables(merge, spec, tables, known, progress)
    for part in parts:
        part.write(tables, merge)
    problems.raise_any()
    if replaced is not None:
        replaced.give_back(study)
    open_seats(study)
    new = {name: merge.new.get(name, 0) for name in (*known.counts, "judgments")}
    if any(new.values()):
        came = {name: n for name, n in new.items() if n}
        trail.record(study, Action.LOADED, new=came, replaced=replaced is not None)
    return Loaded(study, known.counts, new)


def _merge_tables(
    merge: Merge, spec: StudySpec, tables: dict[str, Table], known: Known, progress: Progress
) -> None:
    merge_settings(merge, spec)
    # Answers can't be read against other criteria than those stored.
    merge.problems.raise_any()
    merge_prompts(merge, tables["prompts"])
    merge_responses(merge, tables["responses"])
    merge_items(merge, known, tables.get("items"))
    merge.problems.raise_any()
    if "annotators" in tables:
        merge_annotators(merge, tables["annotators"])
    if "answers" in tables:
        merge_answers(merge, tables["answers"], progress)


def open_seats(study: Study) -> int:
    """Give every main item the free seats it still wants; an excluded judgment frees a new one. Returns how many.

    Practice, gold and repeat items have none waiting: everybody who comes gets a seat of their own there.
    """
    later = Judgment.objects.filter(assignment=OuterRef("assignment"), revision__gt=OuterRef("revision"))
    excluded = Judgment.objects.filter(~Q(excluded=""), ~Exists(later), assignment=OuterRef("pk"))
    opened = 0
    items = (
        study.items.filter(role=Item.Role.MAIN)
        .order_by("pk")
        .values_list("pk", "prompt_place")
        .iterator(chunk_size=PARAMETERS)
    )
    for chunk in batches(items, PARAMETERS):
        seats = Assignment.objects.filter(item__in=[pk for pk, _ in chunk]).order_by()
        counts = {
            pk: (last, counted)
            for pk, last, counted in seats.values("item_id")
            .annotate(last=Max("number"), counted=Count("pk", filter=~Exists(excluded)))
            .values_list("item_id", "last", "counted")
        }
        new = [seat for pk, place in chunk for seat in _new_seats(study, pk, place, *counts.get(pk, (0, 0)))]
        Assignment.objects.bulk_create(new)
        opened += len(new)
    return opened


def _new_seats(study: Study, item: int, prompt_place: int, last: int, counted: int) -> Iterator[Assignment]:
    for number in range(last + 1, last + 1 + study.seats - counted):
        rank = design.seat_rank(number, prompt_place)
        yield Assignment(study=study, item_id=item, number=number, rank=rank)


@contextmanager
def without_query_log() -> Iterator[None]:
    """With DEBUG on, Django keeps the text of every query, which for a large folder is all of the folder."""
    debug = settings.DEBUG
    settings.DEBUG = False
    try:
        yield
    finally:
        settings.DEBUG = debug
