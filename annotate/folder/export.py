"""Write a study as a folder, streamed in the order of primary keys."""

import importlib.metadata
import json
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count

from annotate.kinds import kind_of
from annotate.models import Action, Answer, Criterion, ItemResponse, Judgment, Response, Study, TrailEntry

from .load import without_query_log
from .merge import PARAMETERS, by_key, item_columns, whole_items
from .problems import FolderError, Problem
from .progress import Progress, quiet
from .rows import AnnotatorRow, AnswerRow, ItemRow, PromptRow, ResponseRow, iso
from .study_toml import FILE, StudySpec, render, spec_of
from .tables import batches
from .writing import MANIFEST, Form, Layout, Row, Sheet, Written, new_folder, sha256

CHUNK = 2_000
NEVER_LEFT_OUT = ("prompts", "responses", "items", "answers")
INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True)
class Exported:
    study: Study
    rows: dict[str, int]

    def __str__(self) -> str:
        return f"{self.study.slug}: " + ", ".join(f"{n:,} {table}" for table, n in self.rows.items())


def export_folder(
    study: Study,
    target: Path | str,
    form: Form | None = None,
    progress: Progress = quiet,
    further: Callable[[Study], Iterable[Sheet]] = lambda study: (),
    beside: Callable[[Study, Path, dict[str, Any]], Written] | None = None,
) -> Exported:
    """Write the study to `target`. Raises FolderError, and leaves the target as it was, when that can't be done."""
    form = form or Form()
    with without_query_log(), snapshot(), new_folder(Path(target)) as folder:
        spec = spec_of(study)
        (folder / FILE).write_text(render(spec), encoding="utf-8", newline="\n")
        files = [Written(FILE, "study", 1, sha256(folder / FILE))]
        sheets = [*_sheets(study, progress), *further(study)]
        files += [
            _write(folder, form, sheet) for sheet in sheets if sheet.count or sheet.table in NEVER_LEFT_OUT
        ]
        manifest = _manifest(study, spec, files)
        if beside is not None:
            # A file that says what the manifest says, and stands in it itself.
            manifest["files"].append(asdict(beside(study, folder, manifest)))
        text = json.dumps(manifest, ensure_ascii=False, indent=2)
        (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
    return Exported(study, {file.table: file.rows for file in files[1:]})


@contextmanager
def snapshot() -> Iterator[None]:
    """All tables as of one moment, while annotators keep working."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "sqlite":
        # Django would begin by taking the lock of the one writer.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
    else:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield


def _write(folder: Path, form: Form, sheet: Sheet) -> Written:
    written = form.write(folder, sheet)
    if written.rows != sheet.count:
        raise FolderError(
            [
                Problem(
                    written.name, None, "", f"{sheet.count:,} rows, as in the database", f"{written.rows:,}"
                )
            ]
        )
    return written


def _sheets(study: Study, progress: Progress) -> Iterator[Sheet]:
    yield Sheet("prompts", Layout.of(PromptRow), _prompts(study), study.prompts.count())
    yield Sheet("responses", Layout.of(ResponseRow), _responses(study), study.responses.count())
    yield Sheet("items", Layout.of(ItemRow), _items(study), study.items.count())
    details = Layout.of(AnnotatorRow, _detail_types(study))
    yield Sheet("annotators", details, _annotators(study), study.annotators.count())
    judgments = Judgment.objects.in_study(study)
    n = (
        Answer.objects.filter(judgment__assignment__study=study).count()
        + judgments.filter(answers=None).count()
    )
    yield Sheet("answers", Layout.of(AnswerRow), progress(_answers(study), "writing answers"), n)


def _prompts(study: Study) -> Iterator[Row]:
    query = study.prompts.order_by("pk").values_list("key", "text", "language", "category")
    for row in query.iterator(CHUNK):
        yield dict(zip(PromptRow.model_fields, row, strict=True))


RESPONSE = ("key", "prompt__key", "text", "source", "sample", "params", "held_back")


def _responses(study: Study) -> Iterator[Row]:
    query = study.responses.order_by("pk")
    for row in query.values_list(*RESPONSE).iterator(CHUNK):
        yield dict(zip(ResponseRow.model_fields, row, strict=True))


def _items(study: Study) -> Iterator[Row]:
    for item in whole_items(study).order_by("pk").iterator(CHUNK):
        yield {"item_id": item.key, **item_columns(item)}


def _annotators(study: Study) -> Iterator[Row]:
    columns = study.annotators.order_by("pk").values_list("key", "excluded", "details")
    for key, excluded, details in columns.iterator(CHUNK):
        yield {"annotator_id": key, "excluded": excluded, **details}


def _detail_types(study: Study) -> dict[str, type]:
    """The folder's further columns, each with the one type of its values, or `object`."""
    types: dict[str, set[type]] = defaultdict(set)
    for details in study.annotators.order_by("pk").values_list("details", flat=True).iterator(CHUNK):
        for name, value in details.items():
            narrow = type(value) in (str, bool, float) or (isinstance(value, int) and value in INT64)
            types[name].add(type(value) if narrow else object)
    return {name: kinds.pop() if len(kinds) == 1 else object for name, kinds in types.items()}


JUDGMENT = ("revision", "opened_at", "submitted_at", "active_ms", "excluded")
FURTHER = ("first_ms", "changes", "looked", "read_to_end", "flag", "comment")
SEAT = ("pk", "assignment__item", "assignment__shown", "assignment__item__key", "assignment__annotator__key")
VALUE = ("judgment_id", "criterion__key", "response__key", "other__key", "value", "label", "text")


def _answers(study: Study) -> Iterator[Row]:
    criteria = list(study.criteria.order_by("position"))
    judgments = Judgment.objects.in_study(study).order_by("pk").values_list(*SEAT, *JUDGMENT, *FURTHER)
    for chunk in batches(judgments.iterator(CHUNK), CHUNK):
        responses = _response_keys(chunk)
        answers: dict[int, list[Any]] = defaultdict(list)
        for part in batches((row[0] for row in chunk), PARAMETERS):
            values = Answer.objects.filter(judgment__in=part).order_by("pk").values_list(*VALUE)
            for pk, *value in values:
                answers[pk].append(value)
        for judgment in chunk:
            for value in answers[judgment[0]] or _left_open(judgment[1], criteria):
                yield _answer(judgment, value, responses)


def _response_keys(judgments: list[Any]) -> dict[int, str]:
    links = (
        int(response)
        for _, _, in_order, *_, looked, read, _, _ in judgments
        for response in (*(in_order or ()), *(looked or ()), *(read or ()))
    )
    return {response.pk: response.key for response in by_key(Response.objects.only("key"), "pk", links)}


def _answer(judgment: Any, value: Any, responses: dict[int, str]) -> Row:
    _, _, order, item, annotator, revision, opened_at, submitted_at, active_ms, excluded, *further = judgment
    first_ms, changes, looked, read, flag, comment = further
    criterion, response, other, number, label, text = value
    return {
        "item_id": item,
        "annotator_id": annotator,
        "criterion": criterion,
        "response_id": response,
        "other_id": other,
        "value": shortest(number),
        "label": label,
        "text": text,
        "shown": [responses[pk] for pk in order] if order else None,
        "opened_at": iso(opened_at),
        "submitted_at": iso(submitted_at),
        "active_ms": active_ms,
        "revision": revision,
        "excluded": excluded,
        "first_ms": first_ms,
        "changes": changes,
        "looked": _by_response(looked, responses),
        "read_to_end": None if read is None else [responses[pk] for pk in read if pk in responses],
        "flag": flag,
        "comment": comment,
    }


def _by_response(looked: dict[str, int] | None, responses: dict[int, str]) -> dict[str, int] | None:
    if looked is None:
        return None
    return {responses[int(pk)]: n for pk, n in looked.items() if int(pk) in responses}


def shortest(number: float | None) -> float | int | None:
    """4 stays 4, and no digit is lost."""
    if number is not None and number.is_integer() and abs(number) < 2**53:
        return int(number)
    return number


def _left_open(item: int, criteria: list[Criterion]) -> Iterator[list[Any]]:
    """A judgment whose questions were all left open has no answers; a row without a value keeps it in the table."""
    links = ItemResponse.objects.filter(item=item).order_by("position")
    keys = list(links.values_list("response__key", "item__kind"))
    for criterion in [c for c in criteria if c.on == keys[0][1]][:1]:
        blank = kind_of(criterion).blank([key for key, _ in keys])
        yield [criterion.key, blank.response, blank.other, blank.value, blank.label, blank.text]


def _manifest(study: Study, spec: StudySpec, files: list[Written]) -> dict[str, Any]:
    return {
        "study": study.slug,
        "software": {"name": "offbeat", "version": version()},
        "settings_sha256": spec.sha256,
        "seed": study.seed,
        "files": [asdict(file) for file in files],
        "exclusions": exclusions(study),
        "left_out_at_import": left_out_at_import(study),
    }


def left_out_at_import(study: Study) -> int:
    """Bad rows of imported files that whoever imported them chose to leave out."""
    entries = TrailEntry.objects.filter(study=study, action=Action.LOADED).values_list("details", flat=True)
    return sum((details.get("new") or {}).get("left_out", 0) for details in entries)


def exclusions(study: Study) -> list[dict[str, Any]]:
    """Every reason for exclusion, with the numbers of judgments and answers."""
    excluded = Judgment.objects.in_study(study).exclude(excluded="").order_by("excluded").values("excluded")
    return [
        {"rule": row["excluded"], "judgments": row["judgments"], "answers": row["rows"]}
        for row in excluded.annotate(judgments=Count("pk", distinct=True), rows=Count("answers"))
    ]


def version() -> str:
    try:
        return importlib.metadata.version("offbeat")
    except importlib.metadata.PackageNotFoundError:
        # Run from its source tree, as `make run` does.
        pyproject = settings.BASE_DIR / "pyproject.toml"
        return str(tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]["version"])
