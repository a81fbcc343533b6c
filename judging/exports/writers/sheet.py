"""Files written row by row, with spreadsheet formulas escaped."""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from annotate.cells import harmless
from annotate.folder.writing import Written, sha256

Row = dict[str, Any]


@dataclass
class Output:
    """The files of one export, their row counts, and what was left out and why."""

    folder: Path
    # Whether a text that a spreadsheet would calculate gets an apostrophe in front.
    escape: bool = True
    files: list[Written] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    # What the database says: rows written and left out come to as many.
    expected: Counter[str] = field(default_factory=Counter)
    came: Counter[str] = field(default_factory=Counter)

    def leave_out(self, of: str, why: str, n: int = 1) -> None:
        self.left_out[why] += n
        self.came[of] += n

    def wrote(self, of: str, n: int = 1) -> None:
        self.came[of] += n

    def add(self, name: str, table: str, rows: int) -> None:
        self.files.append(Written(name, table, rows, sha256(self.folder / name)))

    def text(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8", newline="\n")
        self.add(name, "text", text.count("\n"))

    def jsonl(self, name: str, table: str, rows: Iterable[Row]) -> None:
        count = 0
        with (self.folder / name).open("w", encoding="utf-8", newline="\n") as file:
            for row in rows:
                file.write(
                    json.dumps(row, ensure_ascii=False)
                    .replace("\u2028", "\\u2028")
                    .replace("\u2029", "\\u2029")
                )
                file.write("\n")
                count += 1
        self.add(name, table, count)

    def json_list(self, name: str, table: str, rows: Iterable[Row]) -> None:
        """One JSON array, a row a line."""
        count = 0
        with (self.folder / name).open("w", encoding="utf-8", newline="\n") as file:
            file.write("[")
            for row in rows:
                file.write(",\n" if count else "\n")
                file.write(json.dumps(row, ensure_ascii=False))
                count += 1
            file.write("\n]\n")
        self.add(name, table, count)

    def csv(self, name: str, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """With a byte order mark, by which spreadsheets and SPSS know UTF-8."""
        count = 0
        with (self.folder / name).open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([self._cell(column) for column in columns])
            for row in rows:
                writer.writerow([self._cell(cell) for cell in row])
                count += 1
        self.add(name, table, count)

    def _cell(self, cell: Any) -> Any:
        if isinstance(cell, list | dict):
            cell = json.dumps(cell, ensure_ascii=False)
        return harmless(cell) if self.escape else cell
