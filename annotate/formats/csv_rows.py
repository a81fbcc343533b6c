"""Rows of CSV and TSV as spreadsheets and scripts write them: which mark holds cells apart, and what quotes mean."""

import csv
import itertools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from django.conf import settings

from annotate.cells import looks_guarded
from annotate.folder.problems import Problem, quoted
from annotate.folder.tables import Lines, Row
from annotate.texts import trimmed

if TYPE_CHECKING:
    from .source import Source

DELIMITERS = (",", ";", "\t", "|")
# Of the lines inside a cell, so many look like rows of their own if nobody meant the quote.
SWALLOWED = 0.8


class CsvFile:
    """One file; `text` opens it anew, since some questions need all of it."""

    def __init__(self, source: "Source") -> None:
        self.source = source
        self.given_delimiter = ""
        self.delimiter = ","
        self._guarded = 0

    def rows(self) -> Lines:
        csv.field_size_limit(settings.READ_MOST_LINE)
        self._look()
        letters, self._guarded = self._quotes_are_letters(), 0
        yield from self._rows(letters=letters)
        if self._guarded:
            cells = f"{self._guarded:,} cell{'s' if self._guarded > 1 else ''}"
            self.source.remark(
                f"{cells} with an apostrophe before a sign of formulas: it is taken as part of the text, though "
                "exports put it there as a guard (--raw-cells leaves it out)"
            )
        if self.delimiter != ",":
            self.source.remark(f"columns are separated by {quoted(self.delimiter)}")
        if letters:
            self.source.remark("quotes were read as letters, not as marks around cells")

    def first(self, n: int) -> list[list[str]]:
        """The cells of the first lines, header or not; none where they can't be read."""
        csv.field_size_limit(settings.READ_MOST_LINE)
        self._look()
        letters = self._quotes_are_letters()
        with self.source.text() as text:
            try:
                return list(
                    itertools.islice(filter(any, self._reader(self.source.lines(text), letters=letters)), n)
                )
            except csv.Error:
                return []

    def _look(self) -> None:
        with self.source.text() as text:
            first = next(self.source.lines(text), "")
        # Excel's own way to name the mark.
        stripped = first.rstrip("\r\n")
        if stripped.lower().startswith("sep=") and len(stripped) == 5:
            self.given_delimiter = stripped[4]
        self.delimiter = self.given_delimiter or _delimiter(first)

    def _quotes_are_letters(self) -> bool:
        if self.source.quotes:
            return self.source.quotes == "letters"
        return self.delimiter == "\t" and not self._quoted_tsv()

    def _quoted_tsv(self) -> bool:
        """Whether every quote at the start of a cell is one around it, as by a program that writes such files."""
        seen = False
        with self.source.text() as text:
            for line in self.source.lines(text):
                for cell in line.rstrip("\r\n").split("\t"):
                    if cell.startswith('"'):
                        inner = cell[1:-1]
                        if len(cell) < 2 or not cell.endswith('"') or inner.replace('""', "").count('"'):
                            return self._whole_when_quoted()
                        seen = True
        return seen

    def _whole_when_quoted(self) -> bool:
        """Cells that span lines: only if the file has no other reading."""

        def widths(*, letters: bool) -> set[int]:
            with self.source.text() as text:
                try:
                    return {len(cells) for cells in self._reader(text, letters=letters) if any(cells)}
                except csv.Error:
                    return set()

        return len(widths(letters=False)) == 1 != len(widths(letters=True))

    def _reader(self, text: Iterable[str], *, letters: bool) -> Any:
        if letters:
            return csv.reader(text, delimiter=self.delimiter, strict=True, quoting=csv.QUOTE_NONE)
        return csv.reader(text, delimiter=self.delimiter, strict=True)

    def _rows(self, *, letters: bool) -> Lines:
        with self.source.text() as text:
            physical = _Kept(self.source.lines(text))
            if self.given_delimiter:
                next(physical)
            reader = self._reader(physical, letters=letters)
            line = skipped = 1 if self.given_delimiter else 0
            try:
                header = self._header(reader, physical)
                line = reader.line_num + skipped + 1
                if self.source.header:
                    line = 1
                for cells in reader:
                    if any(cells):
                        self._check_swallowed(line, physical.taken(), header)
                        yield line, self._named(line, header, cells)
                    physical.forget()
                    line = reader.line_num + skipped + 1
            except csv.Error as error:
                # The row began there, wherever its quotes lead.
                expected = "a CSV row whose quotes enclose cells (--quotes letters where they don't)"
                raise self.source.unreadable(line, expected, str(error)) from error

    def _header(self, reader: Iterator[list[str]], physical: "_Kept") -> list[str]:
        # pandas leaves the heading of its index empty.
        cells = list(self.source.header) or next(reader, [])
        physical.forget()
        header = [trimmed(cell) or f"column {n}" for n, cell in enumerate(cells, 1)]
        seen = set[str]()
        for name in header:
            if name in seen:
                raise self.source.unreadable(
                    1, "a header that names each column once", f"{quoted(name)} twice"
                )
            seen.add(name)
        return header

    def _named(self, line: int, header: list[str], cells: list[str]) -> Row | Problem:
        if len(cells) != len(header):
            return Problem(
                self.source.name, line, "", f"{len(header)} cells, as in the header", str(len(cells))
            )
        self._guarded += sum(map(looks_guarded, cells))
        return dict(zip(header, cells, strict=True))

    def _check_swallowed(self, line: int, taken: list[str], header: list[str]) -> None:
        """A cell over several lines, each of which would be a row of its own: a quote that nobody meant."""
        lines = [line for line in taken if line.strip()]
        enough = 2 if len(header) > 2 else 4
        if self.source.quotes or len(lines) < enough or len(header) < 2:
            return
        alone = csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE)
        # A few may hold a comma more in a text.
        rows = sum(len(cells) == len(header) for cells in alone)
        if rows >= SWALLOWED * len(lines):
            expected = "cells that end where they begin (--quotes letters, or --quotes cells if it is meant)"
            found = f"a quoted cell that swallows {len(taken) - 1} more line{'s' if len(taken) > 2 else ''}"
            raise self.source.unreadable(line, expected, found)


class _Kept(Iterator[str]):
    """Lines, of which those since the last row are kept."""

    def __init__(self, source: Iterator[str]) -> None:
        self._source, self._taken = source, list[str]()

    def __next__(self) -> str:
        line = next(self._source)
        self._taken.append(line)
        return line

    def taken(self) -> list[str]:
        return self._taken

    def forget(self) -> None:
        self._taken = []


def _delimiter(header: str) -> str:
    def columns(delimiter: str) -> int:
        try:
            return len(next(csv.reader([header], delimiter=delimiter), []))
        except csv.Error:
            return 0

    return max(DELIMITERS, key=columns)
