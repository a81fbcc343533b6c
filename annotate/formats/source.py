"""Rows out of files that other tools wrote: JSON, JSON Lines, CSV, Parquet, Arrow, plain or gzip, a row at a time.

More is forgiven here than in a study folder: NaN, Windows-1252, semicolons, a whole JSON array, a folder of
Hugging Face `datasets`. What was forgiven is said in `remarks`.
"""

import codecs
import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO, Any, TextIO, cast

from django.conf import settings

from annotate.folder.bounds import TooLongError, counted, lines, rows_of
from annotate.folder.problems import FolderError, Problem, quoted
from annotate.folder.tables import PARQUET_ROWS, Lines, Row, Table, TwiceError, unique

DELIMITERS = (",", ";", "\t", "|")
CHUNK = 2**20
# Files of a Hugging Face folder that hold no rows.
NOT_ROWS = {"dataset_infos.json", "dataset_info.json", "state.json", "dataset_dict.json", "manifest.json"}


def _nothing(constant: str) -> float | None:
    # pandas writes a missing value as NaN; an infinity is told when somebody asks for the number.
    return None if constant == "NaN" else float(constant)


_DECODER = json.JSONDecoder(object_pairs_hook=unique, parse_constant=_nothing)


@dataclass
class Source:
    """One file of rows, named as messages name it; `split` is what a Hugging Face folder calls its part."""

    path: Path
    name: str = ""
    split: str = ""
    remarks: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.name = self.name or self.path.name

    @property
    def form(self) -> str:
        return self.path.name.lower().removesuffix(".gz").rpartition(".")[2]

    def rows(self) -> Lines:
        """Line number and row, or a Problem in its place; FolderError where the file can't be read any further."""
        reader = _READERS.get(self.form)
        if reader is None:
            raise self.unreadable(None, f"a file of {', '.join(f'.{form}' for form in _READERS)}", self.name)
        line = 0
        try:
            for line, row in counted(reader(self), self.name):
                yield line, row
        except TooLongError as error:
            raise self.unreadable(line + 1, error.expected, "more") from error
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise self.unreadable(line + 1, "a whole gzip file", str(error)) from error
        except UnicodeDecodeError as error:
            raise self.unreadable(line + 1, f"text in {self.encoding}", str(error)) from error
        except OSError as error:
            raise self.unreadable(line + 1, "a readable file", error.strerror or str(error)) from error

    def unreadable(self, line: int | None, expected: str, found: str) -> FolderError:
        return FolderError([Problem(self.name, line, "", expected, found)])

    def head(self, n: int = 20) -> list[Row]:
        """The first rows that can be read, to see what they look like."""
        rows: list[Row] = []
        for _, row in self.rows():
            if not isinstance(row, Problem):
                rows.append(row)
            if len(rows) == n:
                break
        return rows

    def open(self) -> IO[bytes]:
        if self.path.name.lower().endswith(".gz"):
            return cast(IO[bytes], gzip.open(self.path, "rb"))
        return self.path.open("rb")

    @cached_property
    def encoding(self) -> str:
        with self.open() as file:
            start = file.read(4)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            self.remarks.append(f"{self.name}: read as UTF-16, as its first two bytes say")
            return "utf-16"
        wrong = _not_utf8(self.open)
        if wrong is None:
            return "utf-8-sig"
        self.remarks.append(f"{self.name}: read as Windows-1252, since {wrong} is not UTF-8")
        return "cp1252"

    def text(self) -> TextIO:
        return io.TextIOWrapper(self.open(), encoding=self.encoding, newline="")


def _not_utf8(open_file: Callable[[], IO[bytes]]) -> str | None:
    """Where the file first departs from UTF-8."""
    decoder, lines = codecs.getincrementaldecoder("utf-8")(), 1
    with open_file() as file:
        while chunk := file.read(CHUNK):
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                # What the decoder held back of the chunk before is in front of `object`.
                line = lines + error.object.count(b"\n", 0, error.start)
                return f"byte 0x{error.object[error.start]:02x} on line {line}"
            lines += chunk.count(b"\n")
    return None if decoder.getstate()[0] == b"" else "its last byte"


def _jsonish(source: Source) -> Lines:
    """A JSON array, an object a line, or one object: files called .json hold any of them."""
    with source.text() as text:
        yield from _expanded(_json_values(source, text))


def _json_values(source: Source, text: TextIO) -> Lines:
    stream = _Stream(text)
    first = stream.peek()
    if first == "[":
        stream.at += 1
        yield from _elements(source, stream)
        return
    while stream.peek():
        line = stream.line
        yield line, _value(source, line, stream)


def _elements(source: Source, stream: "_Stream") -> Lines:
    while (char := stream.peek()) != "]":
        line = stream.line
        if not char:
            raise source.unreadable(line, "the end of the JSON array, ]", "the end of the file")
        yield line, _value(source, line, stream)
        if stream.peek() == ",":
            stream.at += 1
        elif stream.peek() != "]":
            raise source.unreadable(
                stream.line, "a comma or ]", quoted(stream.peek()) or "the end of the file"
            )
    stream.at += 1
    if stream.peek():
        raise source.unreadable(stream.line, "nothing after the JSON array", quoted(stream.peek()))


def _value(source: Source, line: int, stream: "_Stream") -> Row | Problem:
    try:
        value = stream.value()
    except TooLongError as error:
        raise source.unreadable(line, error.expected, "more") from error
    except TwiceError as error:
        raise source.unreadable(
            line, "each field of a JSON object once", f"{quoted(str(error))} twice"
        ) from error
    except json.JSONDecodeError as error:
        raise source.unreadable(line, "a JSON object", f"{error.msg} at character {error.pos + 1}") from error
    except (ValueError, RecursionError) as error:
        raise source.unreadable(line, "a JSON object", str(error)) from error
    return (
        value if isinstance(value, dict) else Problem(source.name, line, "", "a JSON object", quoted(value))
    )


class _Stream:
    """JSON values one after another out of a text that is never whole in memory."""

    def __init__(self, text: TextIO) -> None:
        self._text, self._buffer, self.at, self._ended = text, "", 0, False
        self.line = 1

    def peek(self) -> str:
        """The next character that is no space; nothing at the end."""
        while True:
            rest = re.compile(r"\s*").match(self._buffer, self.at)
            end = rest.end() if rest else self.at
            self._pass(end)
            if self.at < len(self._buffer) or not self._more(CHUNK):
                return self._buffer[self.at : self.at + 1]

    def value(self) -> Any:
        size = CHUNK
        while True:
            try:
                value, end = _DECODER.raw_decode(self._buffer, self.at)
            except json.JSONDecodeError:
                # Cut off, or wrong: only the end of the file tells. Twice as much is read each time.
                if len(self._buffer) - self.at > settings.READ_MOST_LINE:
                    raise TooLongError from None
                if not self._more(size):
                    raise
                size *= 2
                continue
            if end == len(self._buffer) and self._more(size):
                # A number may go on.
                continue
            self._pass(end)
            return value

    def _pass(self, end: int) -> None:
        self.line += self._buffer.count("\n", self.at, end)
        self.at = end

    def _more(self, size: int) -> bool:
        if self._ended:
            return False
        read = self._text.read(size)
        self._ended = not read
        self._buffer, self.at = self._buffer[self.at :] + read, 0
        return bool(read)


def _expanded(rows: Lines) -> Lines:
    """A file that is one object of columns, all equally long, is a table."""
    first = next(rows, None)
    if first is None:
        return
    second = next(rows, None)
    _, row = first
    if second is None and not isinstance(row, Problem) and (table := columns_to_rows(row)) is not None:
        yield from enumerate(table, 1)
        return
    yield first
    if second is not None:
        yield second
        yield from rows


def columns_to_rows(columns: Row) -> list[Row] | None:
    """Rows of an object whose values are lists of one length; None for another object."""
    lengths = {len(value) if isinstance(value, list) else -1 for value in columns.values()}
    if len(columns) < 2 or len(lengths) != 1 or -1 in lengths:
        return None
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def _lines(source: Source) -> Lines:
    """An object a line. A line that is broken is a Problem in its place."""
    with source.text() as text:
        for number, line in enumerate(lines(text), 1):
            if not line.strip():
                continue
            if number == 1 and line.lstrip().startswith("["):
                # An array that somebody called .jsonl.
                yield from _jsonish(source)
                return
            yield number, _line(source, number, line)


def _line(source: Source, number: int, line: str) -> Row | Problem:
    try:
        row = _DECODER.decode(line)
    except TwiceError as error:
        return Problem(source.name, number, str(error), "each field once", "it twice")
    except json.JSONDecodeError as error:
        return Problem(source.name, number, "", "a JSON object", f"{error.msg} at character {error.colno}")
    except (ValueError, RecursionError) as error:
        return Problem(source.name, number, "", "a JSON object", str(error))
    return row if isinstance(row, dict) else Problem(source.name, number, "", "a JSON object", quoted(row))


def _csv(source: Source) -> Lines:
    csv.field_size_limit(settings.READ_MOST_LINE)
    with source.text() as text:
        delimiter = _delimiter(next(lines(text), ""))
        text.seek(0)
        reader = csv.reader(lines(text), delimiter=delimiter, strict=True)
        try:
            header = _header(source, next(reader, []))
            line = reader.line_num + 1
            for cells in reader:
                if any(cells):
                    yield line, _named(source, line, header, cells)
                line = reader.line_num + 1
        except csv.Error as error:
            raise source.unreadable(reader.line_num, "a CSV row", str(error)) from error
    if delimiter != ",":
        source.remarks.append(f"{source.name}: columns are separated by {quoted(delimiter)}")


def _delimiter(header: str) -> str:
    def columns(delimiter: str) -> int:
        try:
            return len(next(csv.reader([header], delimiter=delimiter), []))
        except csv.Error:
            return 0

    return max(DELIMITERS, key=columns)


def _header(source: Source, cells: list[str]) -> list[str]:
    # pandas leaves the heading of its index empty.
    header = [cell.strip() or f"column {n}" for n, cell in enumerate(cells, 1)]
    seen = set[str]()
    for name in header:
        if name in seen:
            raise source.unreadable(1, "a header that names each column once", f"{quoted(name)} twice")
        seen.add(name)
    return header


def _named(source: Source, line: int, header: list[str], cells: list[str]) -> Row | Problem:
    if len(cells) != len(header):
        return Problem(source.name, line, "", f"{len(header)} cells, as in the header", str(len(cells)))
    return dict(zip(header, cells, strict=True))


def _parquet(source: Source) -> Lines:
    return Table(source.path).rows()


def _arrow(source: Source) -> Lines:
    # Imported here since it costs 60 MB, and most files are no arrow.
    import pyarrow as pa

    line = 0
    with source.open() as file:
        try:
            try:
                reader = pa.ipc.open_stream(file)
                batches: Any = reader
            except pa.ArrowInvalid:
                file.seek(0)
                opened = pa.ipc.open_file(file)
                batches = (opened.get_batch(i) for i in range(opened.num_record_batches))
            for batch in batches:
                for start in range(0, batch.num_rows, PARQUET_ROWS):
                    for row in rows_of(batch.slice(start, PARQUET_ROWS)):
                        line += 1
                        yield line, row
        except TooLongError:
            raise
        except (pa.ArrowException, ValueError) as error:
            found = str(error).partition("\n")[0]
            raise source.unreadable(line + 1, "a whole Arrow file", found) from error


_READERS: dict[str, Callable[[Source], Lines]] = {
    "jsonl": _lines,
    "ndjson": _lines,
    "json": _jsonish,
    "csv": _csv,
    "tsv": _csv,
    "txt": _csv,
    "parquet": _parquet,
    "arrow": _arrow,
    "feather": _arrow,
}


def is_rows(name: str) -> bool:
    """Whether a file of this name may hold rows, or says something about a folder of them."""
    return name in NOT_ROWS or Source(Path(name)).form in _READERS


def sources(path: Path, split: str = "") -> list[Source]:
    """The files of rows at a path: the file itself, or those of a Hugging Face `datasets` folder."""
    if path.is_file():
        return [Source(path)]
    if not path.is_dir():
        raise FolderError([Problem(str(path), None, "", "a file or a folder", "nothing")])
    found = [s for s in _in_folder(path) if not split or s.split == split]
    if not found:
        there = sorted({s.split for s in _in_folder(path)})
        expected = f"one of the splits {', '.join(there)}" if there else "a file of rows"
        raise FolderError(
            [Problem(path.name, None, "split" if split else "", expected, quoted(split or None))]
        )
    return found


def _in_folder(folder: Path) -> list[Source]:
    files = [p for p in sorted(folder.rglob("*")) if p.is_file() and p.name not in NOT_ROWS]
    files = [p for p in files if not any(part.startswith(".") for part in p.relative_to(folder).parts)]
    rows = [p for p in files if Source(p).form in _READERS and Source(p).form != "txt"]
    return [Source(p, p.relative_to(folder).as_posix(), _split(folder, p)) for p in rows]


def _split(folder: Path, path: Path) -> str:
    """`train/data-00000-of-00001.arrow` and `data/train-00000-of-00001.parquet` are both of `train`."""
    stem = re.sub(r"-\d{5}-of-\d{5}.*$", "", path.name)
    if stem not in ("data", path.name):
        return stem
    parent = path.relative_to(folder).parent.name
    return parent if parent not in ("", "data") else path.name.partition(".")[0]
