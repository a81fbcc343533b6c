"""Rows out of files that other tools wrote: JSON, JSON Lines, CSV, Parquet, Arrow, plain or gzip, a row at a time.

More is forgiven here than in a study folder: NaN, Windows-1252, semicolons, a whole JSON array, a folder of
Hugging Face `datasets`. What was forgiven is said in `remarks`.
"""

import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO, Any, TextIO, cast

from django.conf import settings

from annotate.folder.bounds import TooLongError, counted, lines, rows_of
from annotate.folder.problems import FolderError, Problem, quoted
from annotate.folder.tables import PARQUET_ROWS, Lines, Row, Table

from .csv_rows import CsvFile
from .encodings import EXPECTED, Encoding, UnknownEncodingError, encoding_of
from .json_rows import json_lines, jsonish
from .options import Options

MARK = "\ufeff"
# Of lines without a row, blank ones and those inside cells, so many are read.
LINES_A_ROW = 2
# Files of a Hugging Face folder that hold no rows.
NOT_ROWS = {"dataset_infos.json", "dataset_info.json", "state.json", "dataset_dict.json", "manifest.json"}


@dataclass
class Source:
    """One file of rows, named as messages name it; `split` is what a Hugging Face folder calls its part."""

    path: Path
    name: str = ""
    split: str = ""
    # What whoever imports says of the file: its encoding, what quotes mean in it, the columns that no header names.
    given_encoding: str = ""
    quotes: str = ""
    header: tuple[str, ...] = ()
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
        except UnicodeError as error:
            raise self.unreadable(
                line + 1, f"text in {self.encoding.name} (--encoding)", str(error)
            ) from error
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

    def cells(self, n: int) -> list[list[str]]:
        """The first lines of a file of cells, its header among them if it has one."""
        return CsvFile(self).first(n) if self.form in ("csv", "tsv", "txt") else []

    def open(self) -> IO[bytes]:
        if self.path.name.lower().endswith(".gz"):
            return cast(IO[bytes], gzip.open(self.path, "rb"))
        return self.path.open("rb")

    def remark(self, text: str) -> None:
        """Say something of the file, once."""
        if (remark := f"{self.name}: {text}") not in self.remarks:
            self.remarks.append(remark)

    @cached_property
    def encoding(self) -> Encoding:
        try:
            encoding = encoding_of(self.open, self.given_encoding)
        except UnknownEncodingError as error:
            raise self.unreadable(None, EXPECTED, error.found) from None
        if encoding.remark:
            self.remark(encoding.remark)
        return encoding

    def lines(self, text: TextIO) -> Iterator[str]:
        """Lines of a text; what marked the start of a file that was put behind another is no part of one."""
        for number, line in enumerate(lines(text), 1):
            if number > LINES_A_ROW * settings.READ_MOST_ROWS:
                raise self.unreadable(
                    number, f"at most {LINES_A_ROW * settings.READ_MOST_ROWS:,} lines", "more"
                )
            if line.startswith(MARK):
                self.remark(f"a byte order mark inside the file, on line {number}, was taken away")
                line = line.lstrip(MARK)
            yield line

    def text(self) -> TextIO:
        encoding = self.encoding
        return io.TextIOWrapper(self.open(), encoding=encoding.name, errors=encoding.errors, newline="")


def _csv(source: Source) -> Lines:
    return CsvFile(source).rows()


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


def _xlsx(source: Source) -> Lines:
    # Imported here since few files are one.
    from .xlsx_rows import rows

    return rows(source)


_READERS: dict[str, Callable[[Source], Lines]] = {
    "jsonl": json_lines,
    "ndjson": json_lines,
    "json": jsonish,
    "csv": _csv,
    "tsv": _csv,
    "txt": _csv,
    "parquet": _parquet,
    "arrow": _arrow,
    "feather": _arrow,
    "xlsx": _xlsx,
}


def is_rows(name: str) -> bool:
    """Whether a file of this name may hold rows, or says something about a folder of them."""
    return name in NOT_ROWS or Source(Path(name)).form in _READERS


def sources(path: Path, split: str = "", options: Options | None = None) -> list[Source]:
    """The files of rows at a path: the file itself, or those of a Hugging Face `datasets` folder."""
    files = _sources(path, split)
    if options is not None:
        for source in files:
            source.given_encoding, source.quotes, source.header = (
                options.encoding,
                options.quotes,
                options.header,
            )
    return files


def _sources(path: Path, split: str) -> list[Source]:
    if path.is_file():
        return [Source(path)]
    if not path.is_dir():
        raise FolderError([Problem(str(path), None, "", "a file or a folder", "nothing")])
    sources = [s for s in _in_folder(path) if not split or s.split == split]
    if not sources:
        there = sorted({s.split for s in _in_folder(path)})
        expected = f"one of the splits {', '.join(there)}" if there else "a file of rows"
        raise FolderError(
            [Problem(path.name, None, "split" if split else "", expected, quoted(split or None))]
        )
    return sources


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
