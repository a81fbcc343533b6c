"""Whatever holds prompts and responses into the pool of a study: seen in words first, then stored."""

import contextlib
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction

from annotate import formats
from annotate.folder import FolderError, load_pool
from annotate.folder.problems import Problem, quoted
from annotate.folder.tables import FORMS, TABLES, Row
from annotate.formats import Options, guess
from annotate.formats.existing import existing_pool, ids_of
from annotate.formats.readers.mapped import ROLES
from annotate.formats.source import Source, sources
from annotate.models import Study

# What a column of a pool may be.
POOL_ROLES = {role: ROLES[role] for role in (*guess.POOL, "response_a", "response_b", "source_a", "source_b")}
POOL_TABLES = {
    "responses": {"response_id", "prompt_id", "text", "source"},
    "prompts": {"prompt_id", "text"},
}
CELLS = 3


@dataclass(frozen=True)
class Column:
    name: str
    role: str
    cells: list[str]


@dataclass(frozen=True)
class PoolReading:
    """What files hold for a pool, in words and numbers."""

    read_as: str
    new: dict[str, int]
    remarks: list[str] = field(default_factory=list)
    samples: dict[str, list[Row]] = field(default_factory=dict)


def columns(paths: Sequence[Path], mapping: Mapping[str, str] | None) -> list[Column]:
    """The columns of the first file, what each is taken for, and what stands in it."""
    try:
        source = _files(paths)[0]
        rows = source.head(CELLS)
    except FolderError:
        return []
    taken = _guessed([source]) if mapping is None else mapping
    roles = {name: role for role, named in taken.items() for name in (named, *named.split(","))}
    names = dict.fromkeys(name for row in rows for name in row)
    return [Column(name, roles.get(name, ""), [quoted(row.get(name)) for row in rows]) for name in names]


def read_pool(
    study: Study, paths: Sequence[Path], mapping: Mapping[str, str] | None = None, *, dry_run: bool
) -> PoolReading:
    """Store what the files hold, or only look; FolderError, and nothing stored, where something is wrong.

    Without a mapping, columns are taken for what they are called, and files of other tools for what they are.
    """
    files = _files(paths)
    if mapping is None and (tables := _tables(files)):
        return _of_tables(study, tables, dry_run=dry_run)
    format = "" if mapping else _recognised(files)
    chosen = _guessed(files) if mapping is None and not format else mapping or {}
    if not format and not {"prompt", "response", "response_a"} & chosen.keys():
        raise _unknown(files[0])
    options = Options(slug=study.slug, mapping=chosen, into=existing_pool(study), ids=ids_of(study))
    with formats.read([source.path for source in files], format, options) as reading:
        try:
            new = _loaded(study, reading.folder, dry_run=dry_run)
        except FolderError as error:
            raise reading.origin(error) from error
        read_as = _in_words(chosen) if chosen else f"{reading.format.title}."
        samples = {name: rows for name, rows in reading.samples.items() if name in POOL_TABLES}
        return PoolReading(read_as, new, _remarks(reading, chosen, new), samples)


def _remarks(reading: formats.Reading, mapping: Mapping[str, str], new: Mapping[str, int]) -> list[str]:
    # What is asked, and what was found by its words, is no matter of a pool.
    remarks = [r for r in reading.remarks if not r.startswith(("The files ask no", "Found in the study"))]
    others = [name for name in ("items", "answers", "scores") if reading.counts.get(name)]
    if others:
        remarks.append(
            f"Left out, since a pool has texts alone: {', '.join(others)}. “Import” takes them in."
        )
    if {"response", "source"} <= mapping.keys() and "," not in mapping["response"]:
        again = reading.rows_read - new["responses"]
        if again > 0:
            remarks.append(
                f"{again:,} of {reading.rows_read:,} rows hold a response that is there already, by the same source in "
                "the same words: each counts once. A column of sample numbers keeps them apart."
            )
    elif "response" in mapping and "," not in mapping["response"]:
        remarks.append("No column says who wrote a response: the source of all is “unknown”.")
    return remarks


def _in_words(mapping: Mapping[str, str]) -> str:
    return "; ".join(_meaning(role, column) for role, column in mapping.items()) + "."


def _meaning(role: str, column: str) -> str:
    if role == "response" and "," in column:
        names = " and ".join(f"“{name}”" for name in column.split(","))
        return f"{names} are the responses of one source each"
    return f"“{column}” is {re.split('[;:]', ROLES[role])[0]}"


def _files(paths: Sequence[Path]) -> list[Source]:
    files = [source for path in paths for source in sources(path)]
    mine = [source for source in files if not _other_table(source)]
    return mine or files


def _other_table(source: Source) -> bool:
    """Whether a file is a table of a study folder that holds no texts."""
    stem = source.path.name.partition(".")[0]
    return stem in TABLES and stem not in POOL_TABLES


def _tables(files: Sequence[Source]) -> dict[str, Source]:
    """The files as tables of a study folder, if that is what all of them are."""
    tables = {_table_of(source): source for source in files}
    return {} if "" in tables or len(tables) < len(files) else tables


def _table_of(source: Source) -> str:
    names = {name for row in source.head(CELLS) for name in row}
    fits = source.form in FORMS
    return next((table for table, needed in POOL_TABLES.items() if fits and needed <= names), "")


def _of_tables(study: Study, tables: Mapping[str, Source], *, dry_run: bool) -> PoolReading:
    with _folder(tables) as folder:
        new = _loaded(study, folder, dry_run=dry_run)
    read_as = f"Tables of a study folder: {' and '.join(tables)}."
    return PoolReading(read_as, new, [], {name: source.head(CELLS) for name, source in tables.items()})


@contextlib.contextmanager
def _folder(tables: Mapping[str, Source]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="offbeat-") as name:
        for table, source in tables.items():
            gz = ".gz" if source.path.name.lower().endswith(".gz") else ""
            shutil.copyfile(source.path, Path(name) / f"{table}.{source.form}{gz}")
        yield Path(name)


def _loaded(study: Study, folder: Path, *, dry_run: bool) -> dict[str, int]:
    with transaction.atomic():
        new = load_pool(study, folder)
        transaction.set_rollback(dry_run)
    return new


def _recognised(files: Sequence[Source]) -> str:
    """The format of another tool that fits better than the usual names of columns; empty if there is none."""
    fitting, names = formats.recognised(files), {name for row in files[0].head() for name in row}
    best = [f.name for f in fitting if len(f.mark(names)) >= len(_guessed(files))]
    return best[0] if len(best) == 1 else ""


def _guessed(files: Sequence[Source]) -> dict[str, str]:
    """Role to column by their names; where only the prompt has one, the other columns are a source each."""
    names = list(dict.fromkeys(name for row in files[0].head() for name in row))
    mapping = guess.pool(names)
    others = [name for name in names if name not in mapping.values() and "," not in name]
    if "prompt" in mapping and not {"response", "response_a"} & mapping.keys() and len(others) > 1:
        mapping["response"] = ",".join(others)
    return mapping


def _unknown(source: Source) -> FolderError:
    names = ", ".join(dict.fromkeys(name for row in source.head() for name in row)) or "no rows"
    expected = "columns such as prompt, response and model; say below what yours mean"
    return FolderError([Problem(source.name, 1, "", expected, names)])
