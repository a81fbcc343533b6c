"""Write tables in any format, and move a finished folder into place at once."""

import contextlib
import csv
import gzip
import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from .problems import FolderError, Problem, quoted
from .rows import Row as TableRow
from .rows import columns, value_cell
from .tables import JSON_MARK, PARQUET_ROWS, TABLES, batches

MANIFEST = "manifest.json"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns of a table with their types; what an optional column is taken for where it's left out."""

    columns: dict[str, type]
    defaults: Row = field(default_factory=dict)
    # Columns that annotate/folder/README.md doesn't know: the type all their values have, or `object`.
    further: dict[str, type] = field(default_factory=dict)

    @classmethod
    def of(cls, model: type[TableRow], further: dict[str, type] | None = None) -> "Layout":
        fields = model.model_fields.items()
        defaults = {name: info.default for name, info in fields if not info.is_required() and name != "value"}
        return cls(columns(model), defaults, further or {})

    @property
    def names(self) -> list[str]:
        return [*self.columns, *self.further]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table to be written, and how many rows the database says it has."""

    table: str
    layout: Layout
    rows: Iterable[Row]
    count: int


@dataclass(frozen=True, slots=True)
class Written:
    """A finished file, as the manifest tells it."""

    name: str
    table: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Form:
    """How tables are written: jsonl, csv or parquet, plain or gzip."""

    name: str = "jsonl"
    gzip: bool = False

    def write(self, folder: Path, sheet: Sheet) -> Written:
        path = folder / f"{sheet.table}.{self.name}{'.gz' if self.gzip else ''}"
        with contextlib.ExitStack() as stack:
            file: IO[bytes] = stack.enter_context(path.open("wb"))
            if self.gzip:
                # No name and no time inside, so that the same study gives the same bytes.
                zipped = gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0)
                file = cast(IO[bytes], stack.enter_context(zipped))
            count = _WRITERS[self.name](file, sheet.layout, sheet.rows)
        return Written(path.name, sheet.table, count, sha256(path))


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_jsonl(file: IO[bytes], layout: Layout, rows: Iterable[Row]) -> int:
    defaults, count = layout.defaults, 0
    for row in rows:
        written = {k: v for k, v in row.items() if k not in defaults or (v is not None and v != defaults[k])}
        file.write(_one_line(written))
        count += 1
    return count


def _one_line(row: Row) -> bytes:
    text = json.dumps(row, ensure_ascii=False)
    if not text.isascii():
        # Many readers take these for the end of a line.
        for end in ("\x85", "\u2028", "\u2029"):
            text = text.replace(end, f"\\u{ord(end):04x}")
    return text.encode() + b"\n"


def _write_csv(file: IO[bytes], layout: Layout, rows: Iterable[Row]) -> int:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text)
    writer.writerow(layout.names)
    count = 0
    for row in rows:
        writer.writerow([_cell(row.get(name), layout.columns.get(name)) for name in layout.names])
        count += 1
    # The file is the caller's to close, and gzip writes its end only then.
    text.detach()
    return count


def _cell(value: Any, kind: type | None) -> str:
    if value is None:
        return ""
    if kind is str:
        return str(value)
    return value_cell(value) if kind is None else json.dumps(value, ensure_ascii=False)


def _write_parquet(file: IO[bytes], layout: Layout, rows: Iterable[Row]) -> int:
    # Imported here since it costs 60 MB, and most folders have no parquet.
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {**layout.columns, **layout.further}
    schema = pa.schema([_parquet_field(name, kind) for name, kind in kinds.items()])
    count = 0
    with pq.ParquetWriter(file, schema) as writer:
        for batch in batches(rows, PARQUET_ROWS):
            cells = [
                {name: _parquet_cell(row.get(name), kind) for name, kind in kinds.items()} for row in batch
            ]
            writer.write_batch(pa.RecordBatch.from_pylist(cells, schema))
            count += len(batch)
    return count


def _parquet_field(name: str, kind: type) -> Any:
    import pyarrow as pa

    types = {
        str: pa.string(),
        int: pa.int64(),
        float: pa.float64(),
        bool: pa.bool_(),
        list: pa.list_(pa.string()),
    }
    if kind in types:
        return pa.field(name, types[kind])
    return pa.field(name, pa.string(), metadata=JSON_MARK)


def _parquet_cell(value: Any, kind: type) -> Any:
    as_json = value is not None and kind in (dict, object)
    return json.dumps(value, ensure_ascii=False) if as_json else value


_WRITERS: dict[str, Callable[[IO[bytes], Layout, Iterable[Row]], int]] = {
    "jsonl": _write_jsonl,
    "csv": _write_csv,
    "parquet": _write_parquet,
}


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder to fill: it replaces the target on success, and disappears on failure."""
    target = target.absolute()
    new = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        _check_target(target)
        new.mkdir(parents=True)
        yield new
        _swap(new, target)
    except OSError as error:
        expected = "a folder that can be written"
        raise FolderError([Problem(str(target), None, "", expected, error.strerror or str(error))]) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)


OURS = {"study", "manifest", *TABLES}
# First words of the names of files that other exports write.
OURS |= {"README", "long", "wide", "read", "preferences", "unpaired", "soft_labels", "crowdkit", "sts"}
OURS |= {"annotations", "rewardbench", "agreement", "audit"}


def _check_target(target: Path) -> None:
    """Only an earlier export is overwritten, and only if nothing else was put there."""
    expected = "an empty folder, an earlier export, or nothing"
    if target.exists() and not target.is_dir():
        raise FolderError([Problem(str(target), None, "", expected, "a file")])
    there = {path.name for path in target.iterdir()} if target.is_dir() else set()
    others = sorted(there - _exported(target)) if there else []
    if others:
        more = f" and {len(others) - 1:,} more" if len(others) > 1 else ""
        raise FolderError([Problem(str(target), None, "", expected, f"{quoted(others[0])}{more} in it")])


def _exported(target: Path) -> set[str]:
    try:
        manifest = json.loads((target / MANIFEST).read_bytes())
        named = {MANIFEST, *(str(file["name"]) for file in manifest["files"])}
        # Only plain files with names of ours: a manifest may say anything.
        return {n for n in named if n.split(".")[0] in OURS and (target / n).is_file()}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _swap(new: Path, target: Path) -> None:
    if not (target / MANIFEST).exists():
        # Onto an empty folder, or onto nothing.
        new.rename(target)
        return
    old = new.with_suffix(".old")
    target.rename(old)
    try:
        new.rename(target)
    except OSError:
        old.rename(target)
        raise
    shutil.rmtree(old)
