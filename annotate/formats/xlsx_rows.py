"""The first sheet of an Excel file."""

import io
import zipfile
import zlib
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from django.conf import settings
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from annotate.folder.bounds import MB
from annotate.folder.problems import Problem, quoted
from annotate.folder.tables import Lines

from .xlsx_faults import Fault, faults_in

if TYPE_CHECKING:
    from .source import Source

# What the readers of archives, XML and sheets raise at a file that is none, or is encrypted.
UNREADABLE = (
    zipfile.BadZipFile, zlib.error, EOFError, CalamineError, LookupError, RuntimeError, ValueError, ParseError,
)  # fmt: skip
# All of a sheet is in memory at once.
MOST_BYTES = 512 * MB


def rows(source: "Source") -> Lines:
    sheet, faults = _sheet(source)
    # Rows are numbered as Excel does it; a file whose columns are named by whoever imports has no heading.
    header, first = list(source.header), sheet.start[0] + 1 if sheet.start else 1
    left = sheet.start[1] if sheet.start else 0
    for line, cells in enumerate(sheet.iter_rows(), first):
        values = [_value(cell) for cell in cells]
        if fault := faults.get(line):
            place = fault.column - left
            name = header[place] if place < len(header) else ""
            yield line, Problem(source.name, line, name, "a value", fault.found)
            if not header:
                return
        elif not any(value not in (None, "") for value in values):
            continue
        elif not header:
            header = [str(value or "").strip() or f"column {n}" for n, value in enumerate(values, 1)]
            if twice := next((name for name in header if header.count(name) > 1), None):
                raise source.unreadable(
                    line, "a header that names each column once", f"{quoted(twice)} twice"
                )
            _check_merged(source, sheet, line)
        elif len(values) != len(header):
            yield (
                line,
                Problem(source.name, line, "", f"{len(header)} cells, as in the header", str(len(values))),
            )
        else:
            yield line, dict(zip(header, values, strict=True))


def _check_merged(source: "Source", sheet: CalamineSheet, header: int) -> None:
    """Below the header, a merged cell holds its value once: rows would be without it."""
    for (first, _), (last, _) in sheet.merged_cell_ranges or ():
        if last >= header:
            found = (
                f"one cell in rows {first + 1} to {last + 1}" if last > first else "one cell in two columns"
            )
            raise source.unreadable(first + 1, "cells that are not merged (unmerge them)", found)


def _sheet(source: "Source") -> tuple[CalamineSheet, dict[int, Fault]]:
    with source.open() as file:
        content = file.read(settings.UPLOAD_MOST_BYTES + 1)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(info.file_size for info in archive.infolist()) > MOST_BYTES:
                raise source.unreadable(None, f"at most {MOST_BYTES // MB:,} MB, unpacked", "more")
            faults = faults_in(archive)
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheet = book.get_sheet_by_index(0)
    except UNREADABLE as error:
        raise source.unreadable(
            None, "a whole .xlsx file", str(error).partition("\n")[0] or "another"
        ) from error
    others = book.sheet_names[1:]
    if others:
        source.remark(f"only the first sheet was read, not {', '.join(map(quoted, others))}")
    return sheet, faults


def _value(cell: object) -> object:
    # Excel knows no whole numbers.
    return int(cell) if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53 else cell
