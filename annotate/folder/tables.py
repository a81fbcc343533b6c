"""Find and stream the tables of a folder: .jsonl, .csv or .parquet, plain or gzip, in constant memory."""

import contextlib
import csv
import gzip
import json
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import IO, Any, NoReturn, TypeVar, cast

from django.conf import settings

from .bounds import TooLongError, check_parquet, counted, lines, repeated_texts, rows_of
from .problems import FolderError, Problem, Problems, quoted

TABLES = ("prompts", "responses", "items", "answers", "annotators", "scores", "pools", "unusualness")
FORMS = ("jsonl", "csv", "parquet")
PARQUET_ROWS = 5_000
# Marks a text column of a parquet file whose cells are JSON, because its values have no one type.
JSON_MARK = {b"offbeat": b"json"}

T = TypeVar("T")
Row = dict[str, Any]
# A row that can't be read is a Problem in its place, so that the rest of the file is still looked at.
Lines = Iterator[tuple[int, Row | Problem]]


class TwiceError(ValueError):
    pass


def unique(pairs: list[tuple[str, Any]]) -> Row:
    row = dict(pairs)
    if len(row) != len(pairs):
        seen = set[str]()
        # `add` says nothing, so the first name that was there already is the one.
        raise TwiceError(next(name for name, _ in pairs if name in seen or seen.add(name)))  # type: ignore[func-returns-value]
    return row


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


_DECODER = json.JSONDecoder(object_pairs_hook=unique, parse_constant=_refuse)


def json_value(text: str) -> Any:
    """JSON without the NaN and Infinity that no database stores, and with each key once."""
    return _DECODER.decode(text)


def batches(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    rows = iter(rows)
    while batch := list(islice(rows, size)):
        yield batch


@dataclass(frozen=True)
class Table:
    path: Path

    @property
    def file(self) -> str:
        return self.path.name

    @cached_property
    def form(self) -> str:
        return self.path.name.removesuffix(".gz").rpartition(".")[2]

    @property
    def gzipped(self) -> bool:
        return self.path.suffix == ".gz"

    def rows(self) -> Lines:
        """Line number and row; raises FolderError where the file becomes unreadable."""
        if self.form not in FORMS:
            raise self.unreadable(None, "a .jsonl, .csv or .parquet file, plain or .gz", quoted(self.file))
        line = 0
        try:
            with self._open() as file:
                for line, row in counted(_READERS[self.form](self, file), self.file):
                    yield line, row
        except TooLongError as error:
            raise self.unreadable(line + 1, error.expected, "more") from error
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise self.unreadable(line + 1, "a whole gzip file", str(error)) from error
        except OSError as error:
            raise self.unreadable(line + 1, "a readable file", error.strerror or str(error)) from error

    def unreadable(self, line: int | None, expected: str, found: str) -> FolderError:
        return FolderError([Problem(self.file, line, "", expected, found)])

    def _open(self) -> IO[bytes]:
        if not self.gzipped:
            return self.path.open("rb")
        if self.path.stat().st_size == 0:
            raise EOFError("an empty file")
        return cast(IO[bytes], gzip.open(self.path, "rb"))


def _jsonl(table: Table, file: IO[bytes]) -> Lines:
    for line, raw in enumerate(lines(file), 1):
        if raw.strip():
            yield line, _object(table.file, line, raw.rstrip(b"\r\n"))


def _object(file: str, line: int, raw: bytes) -> Row | Problem:
    try:
        row = json_value(raw.decode("utf-8-sig" if line == 1 else "utf-8"))
    except UnicodeDecodeError as error:
        return Problem(file, line, "", "UTF-8", f"byte 0x{raw[error.start]:02x} at place {error.start + 1}")
    except TwiceError as error:
        return Problem(file, line, str(error), "each column once", "it twice")
    except json.JSONDecodeError as error:
        return Problem(file, line, "", "a JSON object", f"{error.msg} at character {error.colno}")
    except (ValueError, RecursionError) as error:
        return Problem(file, line, "", "a JSON object", str(error))
    if not isinstance(row, dict):
        return Problem(file, line, "", "a JSON object", quoted(row))
    return row


def _decoded(table: Table, file: IO[bytes]) -> Iterator[str]:
    for line, raw in enumerate(lines(file), 1):
        try:
            yield raw.decode("utf-8-sig" if line == 1 else "utf-8")
        except UnicodeDecodeError as error:
            found = f"byte 0x{raw[error.start]:02x} at place {error.start + 1}"
            raise table.unreadable(line, "UTF-8", found) from error


def _csv(table: Table, file: IO[bytes]) -> Lines:
    csv.field_size_limit(settings.READ_MOST_LINE)
    reader = csv.reader(_decoded(table, file), strict=True)
    try:
        header = next(reader, [])
        _check_header(table, header)
        line = reader.line_num + 1
        for cells in reader:
            if cells:
                yield line, _by_name(table.file, line, header, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        raise table.unreadable(reader.line_num, "a CSV row", str(error)) from error


def _check_header(table: Table, header: list[str]) -> None:
    seen = set[str]()
    for name in header:
        if not name or name in seen:
            raise table.unreadable(1, "a header that names each column once", quoted(name))
        seen.add(name)


def _by_name(file: str, line: int, header: list[str], cells: list[str]) -> Row | Problem:
    if len(cells) != len(header):
        return Problem(file, line, "", f"{len(header)} cells, as in the header", str(len(cells)))
    return dict(zip(header, cells, strict=True))


def _parquet(table: Table, file: IO[bytes]) -> Lines:
    # Imported here since it costs 60 MB, and most folders have no parquet.
    import pyarrow as pa
    import pyarrow.parquet as pq

    with contextlib.ExitStack() as stack:
        source = file
        if table.gzipped:
            # A parquet file is read from its end, so it is unpacked to disk first.
            source = stack.enter_context(tempfile.TemporaryFile())
            shutil.copyfileobj(file, source)
        line = 0
        try:
            metadata = pq.read_metadata(source)
            check_parquet(metadata)
            source.seek(0)
            dictionaries = repeated_texts(metadata)
            parquet = pq.ParquetFile(source, pre_buffer=False, read_dictionary=dictionaries)
            marked = [f.name for f in parquet.schema_arrow if (f.metadata or {}).items() >= JSON_MARK.items()]
            for batch in parquet.iter_batches(PARQUET_ROWS):
                for row in rows_of(_to_microseconds(batch)):
                    line += 1
                    yield line, _unmark(row, marked)
        except TooLongError:
            raise
        except (pa.ArrowException, OSError, ValueError) as error:
            # The first line says it; what follows are pyarrow's own sources.
            found = str(error).partition("\n")[0]
            raise table.unreadable(line + 1, "a whole parquet file", found) from error


def _to_microseconds(batch: Any) -> Any:
    """Python's times have no nanoseconds; pyarrow would bring in pandas for them."""
    import pyarrow as pa

    for i, field in enumerate(batch.schema):
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns":
            cast_to = pa.timestamp("us", tz=field.type.tz)
            batch = batch.set_column(i, field.name, batch.column(i).cast(cast_to, safe=False))
    return batch


def _unmark(row: Row, marked: list[str]) -> Row:
    for name in marked:
        if row[name] is not None:
            row[name] = json_value(row[name])
    return row


_READERS: dict[str, Callable[[Table, IO[bytes]], Lines]] = {"jsonl": _jsonl, "csv": _csv, "parquet": _parquet}


def find_tables(folder: Path, problems: Problems) -> dict[str, Table]:
    """A folder's tables by name; two files for one table are a problem, and so is a misspelled name."""
    tables: dict[str, Table] = {}
    for path in sorted(folder.iterdir()):
        table = Table(path)
        name = path.name.partition(".")[0]
        if table.form not in FORMS or path.name.removesuffix(".gz") != f"{name}.{table.form}":
            continue
        if name in tables:
            problems.add(path.name, None, "", f"one file of {name}", f"{tables[name].file} beside it")
        elif name in TABLES:
            tables[name] = table
        elif (intended := _near_miss(name)) is not None:
            problems.add(path.name, None, "", f"the name {intended}.{table.form}", quoted(path.name))
    return tables


def _near_miss(name: str) -> str | None:
    plain = name.lower().rstrip("s")
    return next((table for table in TABLES if table.rstrip("s") == plain), None)
