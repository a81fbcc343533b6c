"""The whole study folder: annotate's tables and, in the same transaction, the scores."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from django.db import transaction
from django.db.models import F, TextField, Value
from pydantic import AfterValidator, Field

from annotate import folder, trail
from annotate.folder import Exported, FolderError, Form, Loaded, TakesUp
from annotate.folder.check import Hashes, Known, Shows
from annotate.folder.export import CHUNK, shortest
from annotate.folder.load import without_query_log
from annotate.folder.merge import Merge, by_key, keys_of
from annotate.folder.problems import Problem, Problems, quoted
from annotate.folder.progress import Progress, quiet
from annotate.folder.rows import Id, Name, Number, Row, read, refused, text_of
from annotate.folder.tables import Table, batches
from annotate.folder.writing import Layout, Sheet
from annotate.models import Action, ItemResponse, Study
from judging.folder.pools import Pools, pool_sheets
from judging.models import (
    Embedding,
    Score,
    ScoreQuerySet,
    ScoreRun,
    ScoringTask,
    Verdict,
    VerdictQuerySet,
)
from judging.models.webhooks import Webhook
from judging.webhooks import outbox as webhooks

ROWS = 5_000
CORPUS = "corpus"
"""Folder of a pool in which `corpus` keeps what it measured."""


def _drawable(name: str) -> str:
    """Names appear in charts, so they must be valid in XML."""
    if not all(c.isprintable() for c in name):
        raise refused("a name without control characters")
    return name


Drawn = Annotated[Name, AfterValidator(_drawable)]
# Beyond it squares of scores would not fit any more.
Bounded = Annotated[Number, Field(ge=-1e100, le=1e100, description="a number between -1e100 and 1e100")]


class ScoreRow(Row):
    scorer: Annotated[Drawn, text_of(200)]
    item_id: Id | None = None
    response_id: Id | None = None
    value: Bounded | None = None
    version: Annotated[Drawn, text_of(200, 0)] = ""

    @property
    def run(self) -> tuple[str, str]:
        return self.scorer, self.version

    @property
    def of(self) -> tuple[str, str | None, str, str]:
        """The key of a score."""
        response_id = self.response_id if self.item_id is None else None
        return self.item_id or "", response_id, self.scorer, self.version


class Scores:
    """judging's part of a folder; and the webhooks, which survive replacing a study."""

    def __init__(self) -> None:
        self.webhooks: list[Webhook] = []

    def check(self, tables: dict[str, Table], known: Known, problems: Problems) -> None:
        if "scores" in tables:
            check_scores(tables["scores"], known, problems)

    def write(self, tables: dict[str, Table], merge: Merge) -> None:
        if "scores" in tables:
            merge_scores(merge, tables["scores"])
        for hook in self.webhooks:
            settings_of_hook = {
                name: getattr(hook, name) for name in ("url", "secret", "events", "threshold")
            }
            Webhook.objects.create(study=merge.study, **settings_of_hook)
        if self.webhooks:
            webhooks.begin(merge.study)

    def remove(self, study: Study) -> None:
        self.webhooks = list(study.webhooks.order_by("pk"))
        for model in (Embedding, Score, Verdict):
            model._default_manager.filter(run__study=study).delete()
        ScoringTask.objects.filter(study=study).delete()
        ScoreRun.objects.filter(study=study).delete()


def load_folder(
    path: Path | str,
    slug: str | None = None,
    replace: bool = False,
    progress: Progress = quiet,
    takes_up: TakesUp = folder.anyone,
    pool: str | None = None,
) -> Loaded:
    """Load a study folder with its scores: all of it, or FolderError and the database as before.

    `pool` is where a larger pool lies that `corpus` has measured: the folder itself, if it holds one.
    """
    if pool is None and (Path(path) / CORPUS).is_dir():
        pool = str(path)
    return folder.load_folder(path, slug, replace, progress, parts=[Scores(), Pools(pool)], takes_up=takes_up)


def remove_judged(study: Study) -> None:
    """Delete everything that judging stores for a study, before the study itself."""
    for part in (Scores(), Pools()):
        part.remove(study)


def export_folder(
    study: Study, target: Path | str, form: Form | None = None, progress: Progress = quiet
) -> Exported:
    """Write a study with its scores to a folder; FolderError leaves the folder unchanged."""
    return folder.export_folder(study, target, form, progress, further=further_sheets)


def import_scores(study: Study, path: Path | str, progress: Progress = quiet) -> dict[str, int]:
    """Add one file of scores to a study; FolderError leaves the database unchanged."""
    table, problems = Table(Path(path)), Problems()
    if not table.path.is_file():
        raise FolderError([Problem(str(path), None, "", "a file of scores", "nothing")])
    with problems.gathered():
        known = known_of(study)
        check_scores(table, known, problems)
    with without_query_log(), transaction.atomic():
        merge = Merge(Study.objects.select_for_update().get(pk=study.pk), problems)
        merge_scores(merge, table, progress)
        problems.raise_any()
        if new := merge.new.get("scores", 0):
            trail.record(study, Action.LOADED, f"scores of {table.file}", new={"scores": new})
    return {"scores": known.counts["scores"], "new": new}


def known_of(study: Study) -> Known:
    """What scores may refer to in a stored study."""
    known = Known(responses=dict(study.responses.values_list("key", "prompt__key").iterator()))
    responses_of: dict[str, list[str]] = defaultdict(list)
    pairs = ItemResponse.objects.filter(item__study=study, item__kind="pair").order_by("item", "position")
    for item, response in pairs.values_list("item__key", "response__key").iterator():
        responses_of[item].append(response)
    known.items = {key: Shows("", ()) for key in study.items.values_list("key", flat=True).iterator()}
    known.items |= {key: Shows("pair", tuple(responses)) for key, responses in responses_of.items()}
    return known


def check_scores(table: Table, known: Known, problems: Problems) -> None:
    hashes, n = Hashes(), 0
    for line, row in read(table, ScoreRow, problems):
        n += 1
        hashes.add(row.of)
        for column, expected, found in _score_problems(known, row):
            problems.add(table.file, line, column, expected, found)
    known.counts["scores"] = n
    _name_repeated(table, hashes.repeated(), problems)


def _score_problems(known: Known, row: ScoreRow) -> Iterator[tuple[str, str, str]]:
    if row.item_id is None:
        if row.response_id is None:
            yield "response_id", "a response_id, or an item_id for a pairwise judge", "nothing"
        elif row.response_id not in known.responses and row.response_id not in known.broken["responses"]:
            yield "response_id", "a response_id of responses", quoted(row.response_id)
        return
    if (shows := known.items.get(row.item_id)) is None:
        if not known.has_item(row.item_id):
            yield "item_id", "an item_id of items", quoted(row.item_id)
    elif shows.kind != "pair":
        yield "item_id", "a pair", f"{quoted(row.item_id)}, which is none"
    elif row.response_id is not None and row.response_id not in shows.responses:
        yield (
            "response_id",
            f"one of {', '.join(map(quoted, shows.responses))}, or null for a tie",
            quoted(row.response_id),
        )


def _name_repeated(table: Table, suspects: set[int], problems: Problems) -> None:
    if not suspects:
        return
    first: dict[object, int] = {}
    for line, row in read(table, ScoreRow, Problems()):
        if hash(row.of) in suspects and first.setdefault(row.of, line) != line:
            expected = "one score for each scorer, version and response or item"
            problems.add(table.file, line, "scorer", expected, f"another one, after line {first[row.of]}")


def merge_scores(merge: Merge, table: Table, progress: Progress = quiet) -> None:
    runs = {(run.scorer, run.version): run for run in ScoreRun.objects.filter(study=merge.study)}
    for batch in batches(progress(read(table, ScoreRow, merge.problems), "storing scores"), ROWS):
        for scorer, version in dict.fromkeys(row.run for _, row in batch):
            if (scorer, version) not in runs:
                run = ScoreRun.objects.create(study=merge.study, scorer=scorer, version=version)
                runs[scorer, version] = run
        response_ids = (row.response_id for _, row in batch if row.response_id is not None)
        responses = keys_of(merge.study.responses.all(), response_ids)
        _merge_pointwise(merge, table.file, runs, responses, [one for one in batch if one[1].item_id is None])
        _merge_pairwise(
            merge, table.file, runs, responses, [one for one in batch if one[1].item_id is not None]
        )


Lines = list[tuple[int, ScoreRow]]
Runs = dict[tuple[str, str], ScoreRun]


def _merge_pointwise(merge: Merge, file: str, runs: Runs, responses: dict[str, int], lines: Lines) -> None:
    runs_of_batch = {runs[row.run].pk for _, row in lines}
    query = Score.objects.filter(run__in=runs_of_batch)
    pks = (responses[row.response_id or ""] for _, row in lines)
    stored = {(s.run_id, s.response_id): s for s in by_key(query, "response_id", pks)}
    new = []
    for line, row in lines:
        run, response = runs[row.run], responses[row.response_id or ""]
        if (score := stored.get((run.pk, response))) is not None:
            merge.compare(file, line, {"value": score.value}, {"value": row.value})
        elif _may_add(merge, file, line, run):
            new.append((run.pk, response, row.value, "", ""))
    Score.objects.insert(new)
    merge.added("scores", len(new))


def _merge_pairwise(merge: Merge, file: str, runs: Runs, responses: dict[str, int], lines: Lines) -> None:
    items = keys_of(merge.study.items.all(), (row.item_id for _, row in lines if row.item_id is not None))
    names = {pk: key for key, pk in responses.items()}
    query = Verdict.objects.filter(run__in={runs[row.run].pk for _, row in lines})
    stored = {(v.run_id, v.item_id): v for v in by_key(query, "item_id", items.values())}
    new = []
    for line, row in lines:
        run, item = runs[row.run], items[row.item_id or ""]
        if (verdict := stored.get((run.pk, item))) is not None:
            winner = verdict.winner_id and names.get(verdict.winner_id, verdict.winner_id)
            before = {"response_id": winner, "value": verdict.value}
            merge.compare(file, line, before, {"response_id": row.response_id, "value": row.value})
        elif _may_add(merge, file, line, run):
            winner_id = responses[row.response_id] if row.response_id else None
            new.append(Verdict(run=run, item_id=item, winner_id=winner_id, value=row.value))
    Verdict.objects.bulk_create(new)
    merge.added("scores", len(new))


def _may_add(merge: Merge, file: str, line: int, run: ScoreRun) -> bool:
    """Runs computed here hold nothing that was computed elsewhere."""
    if run.computed_here:
        expected = "another scorer or version, since this one's scores were computed here"
        merge.problems.add(file, line, "scorer", expected, quoted(str(run)))
    return not run.computed_here


def further_sheets(study: Study) -> Iterator[Sheet]:
    yield from score_sheets(study)
    yield from pool_sheets(study)


def score_sheets(study: Study) -> Iterator[Sheet]:
    scores, verdicts = _told(study)
    yield Sheet("scores", Layout.of(ScoreRow), _score_rows(study), scores.count() + verdicts.count())


def _told(study: Study) -> tuple[ScoreQuerySet, VerdictQuerySet]:
    """What a folder tells of a study's scorers. A score that failed is null; a verdict's null would be a tie."""
    of_study = {"run__study": study, "run__probe": ""}
    return Score.objects.filter(**of_study), Verdict.objects.usable().filter(**of_study)


def _score_rows(study: Study) -> Iterator[dict[str, Any]]:
    nothing = Value(None, output_field=TextField())
    pointwise, pairwise = _told(study)
    scores = pointwise.annotate(key=F("response__key"), item_key=nothing)
    verdicts = pairwise.annotate(key=F("winner__key"), item_key=F("item__key"))
    for query in (scores, verdicts):
        rows = query.order_by("pk").values_list("run__scorer", "item_key", "key", "value", "run__version")
        for scorer, item, response, value, version in rows.iterator(CHUNK):
            yield dict(
                zip(ScoreRow.model_fields, (scorer, item, response, shortest(value), version), strict=True)
            )
