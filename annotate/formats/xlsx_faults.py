"""Cells of an Excel file that have no value though they are not empty: the library that reads sheets gives nothing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO
from xml.etree import ElementTree
from zipfile import ZipFile

# XML from anybody: expat opens nothing, and bounds by itself what entities expand to.
BOOK, RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"


@dataclass(frozen=True, slots=True)
class Fault:
    # Counted from 0.
    column: int
    found: str


def faults_in(archive: ZipFile) -> dict[int, Fault]:
    """By row, the first cell of the first sheet that is an error, or a formula that no program has computed."""
    if (part := _first_sheet(archive)) is None:
        return {}
    faults: dict[int, Fault] = {}
    with archive.open(part) as file:
        for row, column, cell in _cells(file):
            value = cell.findtext("{*}v")
            if cell.get("t") == "e":
                faults.setdefault(row, Fault(column, f"Excel's error {value or '?'}"))
            elif cell.find("{*}f") is not None and value is None:
                faults.setdefault(row, Fault(column, "a formula without its value (save the file in Excel)"))
    return faults


def _cells(file: IO[bytes]) -> Iterator[tuple[int, int, ElementTree.Element]]:
    """Rows counted from 1, columns from 0, whether the file numbers them or not."""
    row, column = 0, -1
    for event, element in ElementTree.iterparse(file, ("start", "end")):  # noqa: S314 - see above
        tag = element.tag.rpartition("}")[2]
        if tag == "row" and event == "start":
            row, column = int(element.get("r") or row + 1), -1
        elif tag == "row":
            element.clear()
        elif tag == "c" and event == "start":
            named = _number(element.get("r", ""))
            column = column + 1 if named is None else named
        elif tag == "c":
            yield row, column, element


def _number(place: str) -> int | None:
    """The column of a place such as B7, counted from 0."""
    letters = re.match("[A-Z]{1,3}", place)
    if letters is None:
        return None
    number = 0
    for letter in letters[0]:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _root(archive: ZipFile, part: str) -> ElementTree.Element:
    return ElementTree.fromstring(archive.read(part))  # noqa: S314 - see above


def _first_sheet(archive: ZipFile) -> str | None:
    """The part that holds it; none where the file has another shape."""
    names = archive.namelist()
    if BOOK not in names or RELATIONS not in names:
        return None
    sheet = _root(archive, BOOK).find("{*}sheets/{*}sheet")
    attributes = sheet.attrib.items() if sheet is not None else ()
    key = next((value for name, value in attributes if name.endswith("}id")), "")
    for relation in _root(archive, RELATIONS):
        if relation.get("Id") == key:
            target = relation.get("Target", "")
            path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            return path if path in names else None
    return None
