"""JSON values one after another: an array, an object a line, one object of columns, and never whole in memory."""

import json
import re
from typing import TYPE_CHECKING, Any, TextIO

from django.conf import settings

from annotate.folder.bounds import TooLongError
from annotate.folder.problems import Problem, quoted
from annotate.folder.tables import Lines, Row, TwiceError, unique

if TYPE_CHECKING:
    from .source import Source

CHUNK = 2**20
# A value takes about a hundred bytes of memory, however short it is: more than these fill what a line may fill.
MOST_VALUES = 1_000_000


def _nothing(constant: str) -> float | None:
    # pandas writes a missing value as NaN; an infinity is told when somebody asks for the number.
    return None if constant == "NaN" else float(constant)


_DECODER = json.JSONDecoder(object_pairs_hook=unique, parse_constant=_nothing)


def check_values(text: str) -> None:
    """Refuse a text of JSON that holds more values than memory; ValueError. Commas of texts count too."""
    if len(text) > MOST_VALUES and sum(map(text.count, ",[{")) > MOST_VALUES:
        raise ValueError(f"more than {MOST_VALUES:,} values in one row")


def jsonish(source: "Source") -> Lines:
    """A JSON array, an object a line, or one object: files called .json hold any of them."""
    with source.text() as text:
        yield from _expanded(_each_its_own(_json_values(source, text)))


def _json_values(source: "Source", text: TextIO) -> Lines:
    stream = _Stream(text)
    first = stream.peek()
    if first == "[":
        stream.at += 1
        yield from _elements(source, stream)
        return
    while stream.peek():
        line = stream.line
        yield line, _value(source, line, stream)


def _each_its_own(rows: Lines) -> Lines:
    """Rows by their lines; several of one line are counted on, so that each can be named, and left out, by itself."""
    number = 0
    for line, row in rows:
        number = max(line, number + 1)
        yield number, row


def _elements(source: "Source", stream: "_Stream") -> Lines:
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


def _value(source: "Source", line: int, stream: "_Stream") -> Row | Problem:
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
            check_values(self._buffer)
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


def json_lines(source: "Source") -> Lines:
    """An object a line. A line that is broken is a Problem in its place."""
    with source.text() as text:
        for number, line in enumerate(source.lines(text), 1):
            if not line.strip():
                continue
            if number == 1 and line.lstrip().startswith("["):
                # An array that somebody called .jsonl.
                yield from jsonish(source)
                return
            yield number, _line(source, number, line)


def _line(source: "Source", number: int, line: str) -> Row | Problem:
    try:
        check_values(line)
        row = _DECODER.decode(line)
    except TwiceError as error:
        return Problem(source.name, number, str(error), "each field once", "it twice")
    except json.JSONDecodeError as error:
        return Problem(source.name, number, "", "a JSON object", f"{error.msg} at character {error.colno}")
    except (ValueError, RecursionError) as error:
        return Problem(source.name, number, "", "a JSON object", str(error))
    return row if isinstance(row, dict) else Problem(source.name, number, "", "a JSON object", quoted(row))
