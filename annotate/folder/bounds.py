"""Limits of what is read: lines, tables, archives. More is refused before it fills memory or disk.

A few bytes can stand for a lot of them: compressed, repeated by number, or as one text that a million rows refer to.
"""

import io
from collections.abc import Iterable, Iterator
from typing import IO, Any, AnyStr, TypeVar

from django.conf import settings

from .problems import FolderError, Problem

MB = 2**20
# A well-made archive is read in small pieces; one that wants more at once has a directory or a header of that size.
PIECE = 4 * MB

T = TypeVar("T")


class TooLongError(ValueError):
    """A line, value or row longer than any study's."""

    def __init__(self) -> None:
        self.expected = f"at most {settings.READ_MOST_LINE // MB:,} MB in a line, a value or a row"
        super().__init__(self.expected)


def too_many_rows() -> str:
    return f"at most {settings.READ_MOST_ROWS:,} rows"


def lines(file: IO[AnyStr]) -> Iterator[AnyStr]:
    """A file's lines; TooLongError for one that would fill memory."""
    most = settings.READ_MOST_LINE
    while line := file.readline(most + 1):
        if len(line) > most:
            raise TooLongError
        yield line


def counted(rows: Iterable[tuple[int, T]], file: str) -> Iterator[tuple[int, T]]:
    """The same rows, up to the limit."""
    most = settings.READ_MOST_ROWS
    for n, (line, row) in enumerate(rows, 1):
        if n > most:
            raise FolderError([Problem(file, line, "", too_many_rows(), "more")])
        yield line, row


class Pieces(io.RawIOBase):
    """A file that allows small reads only: hostile archives have huge directories and headers."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file, self._name = file, name

    def read(self, size: int = -1) -> bytes:
        piece = b"" if size > PIECE else self._file.read(size if size >= 0 else PIECE + 1)
        if max(size, len(piece)) > PIECE:
            expected = f"headers of at most {PIECE // MB} MB in an archive"
            raise FolderError([Problem(self._name, None, "", expected, "more")])
        return piece

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError) as error:
            raise EOFError("it names a place outside itself") from error

    def tell(self) -> int:
        return self._file.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True


def check_parquet(metadata: Any) -> None:
    """A Parquet file's metadata; ValueError if it is too large."""
    if metadata.num_rows > settings.READ_MOST_ROWS:
        raise ValueError(f"{metadata.num_rows:,} rows, and {too_many_rows()} are read")
    most = 10 * settings.READ_MOST_ROWS
    for column in _columns(metadata):
        if column.num_values > most:
            named = f"{column.num_values:,} values in {column.path_in_schema}"
            raise ValueError(f"{named}, and at most {most:,} are read at once")


def repeated_texts(metadata: Any) -> list[str]:
    """Columns whose texts are stored once and referred to by number: read so, they stay as small as they are.

    Those in lists and structs are unpacked by Arrow, which ends at two gigabytes by itself.
    """
    return sorted(
        {
            column.path_in_schema
            for column in _columns(metadata)
            if column.physical_type == "BYTE_ARRAY"
            and "." not in column.path_in_schema
            and any("DICTIONARY" in encoding for encoding in column.encodings)
        }
    )


def _columns(metadata: Any) -> Iterator[Any]:
    for group in range(metadata.num_row_groups):
        columns = metadata.row_group(group)
        for n in range(columns.num_columns):
            yield columns.column(n)


def rows_of(batch: Any) -> Iterator[dict[str, Any]]:
    """Rows of an Arrow batch, as many at a time as fit; TooLongError for a row that does not fit alone."""
    start, size = 0, max(1, batch.num_rows)
    while start < batch.num_rows:
        piece = batch.slice(start, size)
        if sum(_weight(column) for column in piece.columns) > settings.READ_MOST_LINE:
            if size == 1:
                raise TooLongError
            size = max(1, size // 8)
            continue
        yield from piece.to_pylist()
        start += size


def _weight(array: Any) -> int:
    """Upper bound of the bytes that the values take as Python objects."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = array.type
    if pa.types.is_dictionary(kind):
        texts = pa.types.is_string(kind.value_type) or pa.types.is_large_string(kind.value_type)
        texts = texts or pa.types.is_binary(kind.value_type) or pa.types.is_large_binary(kind.value_type)
        longest = pc.max(pc.binary_length(array.dictionary)).as_py() if texts else 16
        return len(array) * (longest or 0)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return 16 * len(array) + _weight(array.flatten())
    if pa.types.is_struct(kind):
        return sum(_weight(inner) for inner in array.flatten())
    return int(array.nbytes)
