"""`corpus` measurements of a pool on disk: loaded with a study folder, and written to one."""

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from annotate.folder import FolderError
from annotate.folder.check import Hashes, Known
from annotate.folder.export import CHUNK, shortest
from annotate.folder.merge import Merge, by_key, keys_of
from annotate.folder.problems import Problem, Problems, quoted
from annotate.folder.rows import (
    INT64,
    Id,
    Number,
    Object,
    Row,
    Text,
    Time,
    Whole,
    iso,
    read,
    text_of,
    whole_of,
)
from annotate.folder.tables import Table, batches
from annotate.folder.writing import Layout, Sheet
from annotate.models import Response, Study
from judging.models import PoolSummary, PoolUnusualness

if TYPE_CHECKING:
    from judging.corpus.measured import Measured

ROWS = 5_000


class PoolRow(Row):
    named_by = "embedder"
    embedder: Annotated[Text, text_of(200)]
    identity: Object
    n_responses: Annotated[Whole, whole_of(0, INT64)]
    computed_at: Time
    digest: Annotated[Text, text_of(64)]
    homogeneity: Object | None = None


class UnusualnessRow(Row):
    embedder: Annotated[Text, text_of(200)]
    response_id: Id
    value: Annotated[Number, Field(ge=0, le=2, description="a number from 0 to 2, or null")] | None = None


@dataclass
class Pools:
    """A folder's tables about a larger pool, and the pool's own files."""

    url: str | None = None
    """The pool on disk, by any URL that fsspec knows."""
    _names: set[str] = field(default_factory=set)
    _counts: dict[str, int] = field(default_factory=dict)
    _brought: "Brought | None" = None

    def check(self, tables: dict[str, Table], known: Known, problems: Problems) -> None:
        broken = known.broken.setdefault("pools", set())
        if "pools" in tables:
            for line, row in read(tables["pools"], PoolRow, problems, broken):
                if row.embedder in self._names:
                    problems.add(tables["pools"].file, line, "embedder", "each once", quoted(row.embedder))
                self._names.add(row.embedder)
        if "unusualness" in tables:
            self._check_unusualness(tables["unusualness"], known, problems)
        if self.url is not None:
            self._brought = Brought(self.url)
            self._names |= {column.name for column in self._brought.columns}
        if self._names:
            known.counts["pools"] = len(self._names)
        self._counts = known.counts

    def _check_unusualness(self, table: Table, known: Known, problems: Problems) -> None:
        hashes, n = Hashes(), 0
        for line, row in read(table, UnusualnessRow, problems):
            n += 1
            hashes.add((row.embedder, row.response_id))
            if row.embedder not in self._names and row.embedder not in known.broken["pools"]:
                problems.add(table.file, line, "embedder", "an embedder of pools", quoted(row.embedder))
            if row.response_id not in known.responses and row.response_id not in known.broken["responses"]:
                problems.add(
                    table.file, line, "response_id", "a response_id of responses", quoted(row.response_id)
                )
        known.counts["unusualness"] = n
        if hashes.repeated():
            _name_repeated(table, hashes.repeated(), problems)

    def write(self, tables: dict[str, Table], merge: Merge) -> None:
        latest: dict[str, PoolSummary] = {}
        if "pools" in tables:
            for line, row in read(tables["pools"], PoolRow, merge.problems):
                latest[row.embedder] = _take(merge, tables["pools"].file, line, row)
        merge.problems.raise_any()
        if "unusualness" in tables:
            for batch in batches(read(tables["unusualness"], UnusualnessRow, merge.problems), ROWS):
                _add(merge, tables["unusualness"].file, latest, batch)
        if self._brought is not None:
            self._counts["unusualness"] = max(
                self._counts.get("unusualness", 0), _bring(merge, self._brought)
            )

    def remove(self, study: Study) -> None:
        PoolUnusualness.objects.filter(pool__study=study).delete()
        PoolSummary.objects.filter(study=study).delete()


def _name_repeated(table: Table, suspects: set[int], problems: Problems) -> None:
    first: dict[object, int] = {}
    for line, row in read(table, UnusualnessRow, Problems()):
        key = (row.embedder, row.response_id)
        if hash(key) in suspects and first.setdefault(key, line) != line:
            expected = "one value for each embedder and response"
            problems.add(table.file, line, "response_id", expected, f"another one, after line {first[key]}")


def _take(merge: Merge, file: str, line: int | None, row: PoolRow) -> PoolSummary:
    """Store it; a pool that was measured anew takes the place of the older one, and its responses' values go."""
    values = row.model_dump(exclude={"embedder"})
    stored = PoolSummary.objects.filter(study=merge.study, name=row.embedder).first()
    if stored is None:
        merge.added("pools", 1)
        return PoolSummary.objects.create(study=merge.study, name=row.embedder, **values)
    if row.computed_at > stored.computed_at:
        if row.digest != stored.digest:
            stored.unusualness.all().delete()
        for name, value in values.items():
            setattr(stored, name, value)
        stored.save()
        merge.added("pools", 1)
    else:
        merge.compare(file, line, {name: getattr(stored, name) for name in values}, values)
    return stored


def _add(
    merge: Merge, file: str, pools: dict[str, PoolSummary], batch: list[tuple[int, UnusualnessRow]]
) -> None:
    responses = keys_of(merge.study.responses.all(), (row.response_id for _, row in batch))
    for name in dict.fromkeys(row.embedder for _, row in batch):
        lines = [(line, row) for line, row in batch if row.embedder == name]
        values = [(line, responses[row.response_id], row.value) for line, row in lines]
        _store(merge, file, pools[name], values)


def _store(
    merge: Merge, file: str, pool: PoolSummary, values: Iterable[tuple[int | None, int, float | None]]
) -> None:
    for batch in batches(values, ROWS):
        there = by_key(pool.unusualness.all(), "response_id", (pk for _, pk, _ in batch))
        stored = {row.response_id: row.value for row in there}
        for line, pk, value in batch:
            if pk in stored:
                merge.compare(file, line, {"value": stored[pk]}, {"value": value})
        new = [PoolUnusualness(pool=pool, response_id=pk, value=v) for _, pk, v in batch if pk not in stored]
        PoolUnusualness.objects.bulk_create(new)
        merge.added("unusualness", len(new))


def _bring(merge: Merge, brought: "Brought") -> int:
    """Store each column's summary, and the values of the study's responses; return how many the pool has."""
    texts, n = _texts(merge.study), 0
    for column in brought.columns:
        file = f"corpus/{column.name}"
        row = PoolRow(
            embedder=column.name,
            identity=column.identity,
            n_responses=column.n_responses,
            computed_at=dt.datetime.fromisoformat(column.computed_at),
            digest=column.digest,
            homogeneity=column.homogeneity,
        )
        summary = _take(merge, file, None, row)
        values = list(_of_its_text(merge, file, texts, brought.values(column, list(texts))))
        _store(merge, file, summary, values)
        n += len(values)
    return n


class Brought:
    """A pool on disk and what was measured of it; FolderError where it can't be read."""

    def __init__(self, url: str) -> None:
        # Imported here: fsspec and pyarrow are for those who have such a pool.
        from judging.corpus.measured import measured
        from judging.corpus.pool import Pool

        with _told(url):
            self.pool = Pool(url)
            self.columns = measured(self.pool)

    def values(
        self, column: "Measured", responses: Sequence[str]
    ) -> Iterator[tuple[str, bytes, float | None]]:
        from judging.corpus.measured import unusualness_of

        with _told(self.pool.url):
            yield from unusualness_of(self.pool, column, responses)


@contextmanager
def _told(url: str) -> Iterator[None]:
    """A pool's problems as problems of a folder."""
    from judging.corpus.pool import PoolError

    try:
        yield
    except PoolError as error:
        raise FolderError([_problem(url, text) for text in error.problems]) from error
    except (OSError, ValueError, KeyError, ImportError) as error:
        why = str(error).partition("\n")[0] or type(error).__name__
        raise FolderError([Problem(url, None, "", "a pool that `corpus` has measured", why)]) from error


def _problem(url: str, text: str) -> Problem:
    """The pool's own words, which say what was expected and found, in a folder's form."""
    place, _, rest = text.partition(": expected ")
    expected, _, found = rest.partition(", found ")
    return (
        Problem(place, None, "", expected, found)
        if found
        else Problem(url, None, "", "a measured pool", text)
    )


def _texts(study: Study) -> dict[str, tuple[int, bytes]]:
    rows = Response.objects.filter(study=study).values_list("key", "pk", "text").iterator(CHUNK)
    return {key: (pk, hashlib.blake2b(text.encode(), digest_size=16).digest()) for key, pk, text in rows}


def _of_its_text(
    merge: Merge,
    file: str,
    texts: dict[str, tuple[int, bytes]],
    values: Iterable[tuple[str, bytes, float | None]],
) -> Iterator[tuple[None, int, float | None]]:
    """The values of the texts that the study has; the same id with another text is a problem."""
    for key, digest, value in values:
        pk, own = texts[key]
        if digest == own:
            yield None, pk, value
        else:
            expected = f"the text that the study has for {quoted(key)}"
            merge.problems.add(file, None, "response_id", expected, "another text in the pool")


def pool_sheets(study: Study) -> Iterator[Sheet]:
    pools = PoolSummary.objects.filter(study=study)
    values = PoolUnusualness.objects.filter(pool__study=study)
    yield Sheet("pools", Layout.of(PoolRow), _pool_rows(study), pools.count())
    yield Sheet("unusualness", Layout.of(UnusualnessRow), _value_rows(study), values.count())


def _pool_rows(study: Study) -> Iterator[dict[str, Any]]:
    for pool in PoolSummary.objects.filter(study=study).order_by("pk"):
        yield {
            "embedder": pool.name,
            "identity": pool.identity,
            "n_responses": pool.n_responses,
            "computed_at": iso(pool.computed_at),
            "digest": pool.digest,
            "homogeneity": pool.homogeneity,
        }


def _value_rows(study: Study) -> Iterator[dict[str, Any]]:
    rows = PoolUnusualness.objects.filter(pool__study=study).order_by("pk")
    for name, key, value in rows.values_list("pool__name", "response__key", "value").iterator(CHUNK):
        yield {"embedder": name, "response_id": key, "value": shortest(value)}
