"""A table of results: columns with titles, units and a word of help; the same rows as page, CSV, LaTeX and JSON."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import pandas as pd

from judging.results.figures import csv_of
from judging.stats import Estimate

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Link:
    """A cell that leads somewhere, or has a quiet word below it."""

    text: str
    href: str = ""
    note: str = ""
    lang: str = ""
    """Of a text that is not the page's own."""

    def __str__(self) -> str:
        return self.text


Cell = Estimate | Link | str | float | int | None


@dataclass(frozen=True)
class Column(Generic[R]):
    """One column. `digits` and `sign` are for the page; files keep full precision.

    `style`: "" a number or text, "percent" a share, "p" a p value, "why" a sentence that needs room, "state" a word
    that says whether all is well ("yes" or "no", or neither).
    """

    key: str
    title: str
    value: Callable[[R], Cell]
    unit: str = ""
    help: str = ""
    digits: int = 2
    sign: str = ""
    style: str = ""
    sort: str = ""
    """How the rows are sorted by it, if they are: "ascending" or "descending"."""


@dataclass(frozen=True)
class Table:
    """`key` names its files; `title` is its caption. The first column names the rows."""

    key: str
    title: str
    columns: Sequence[Column[Any]]
    rows: Sequence[Sequence[Cell]]
    notes: Sequence[str] = field(default=())

    @classmethod
    def of(
        cls,
        key: str,
        title: str,
        columns: Sequence[Column[R]],
        records: Sequence[R],
        notes: Sequence[str] = (),
    ) -> "Table":
        return cls(key, title, columns, [[c.value(r) for c in columns] for r in records], notes)

    @property
    def lines(self) -> list[list[tuple[Column[Any], Cell]]]:
        """Rows for a page: each cell with its column."""
        return [list(zip(self.columns, row, strict=True)) for row in self.rows]

    @property
    def flat_columns(self) -> list[str]:
        """An estimate takes four columns of a file: itself, the ends of its interval, and n."""
        wide = {
            c.key
            for n, c in enumerate(self.columns)
            if any(isinstance(row[n], Estimate) for row in self.rows)
        }
        return [
            name
            for c in self.columns
            for name in (
                (c.key, f"{c.key}_low", f"{c.key}_high", f"{c.key}_n") if c.key in wide else (c.key,)
            )
        ]

    @property
    def records(self) -> list[dict[str, str | float | int | None]]:
        """Rows as a file holds them, by the names of `flat_columns`."""
        return [
            {
                name: value
                for column, cell in zip(self.columns, row, strict=True)
                for name, value in _flat(column.key, cell)
            }
            for row in self.rows
        ]

    @property
    def csv(self) -> str:
        names = self.flat_columns
        return csv_of(names, [[record.get(name) for name in names] for record in self.records])

    @property
    def latex(self) -> str:
        titles = [f"{c.title}, {c.unit}" if c.unit else c.title for c in self.columns]
        rows = [[_short(column, cell) for column, cell in line] for line in self.lines]
        frame = pd.DataFrame(rows, columns=titles)
        return frame.to_latex(index=False, escape=True, caption=self.title, label=f"tab:{self.key}")


def _flat(key: str, cell: Cell) -> list[tuple[str, str | float | int | None]]:
    if isinstance(cell, Estimate):
        return [
            (key, cell.estimate),
            (f"{key}_low", cell.low),
            (f"{key}_high", cell.high),
            (f"{key}_n", cell.n),
        ]
    return [(key, str(cell) if isinstance(cell, Link) else cell)]


def _short(column: Column[Any], cell: Cell) -> str:
    """A cell as it is printed on paper."""
    if cell is None or (isinstance(cell, Estimate) and cell.estimate is None):
        return "--"
    if isinstance(cell, Estimate):
        ends = "" if cell.low is None else f" [{_number(column, cell.low)}, {_number(column, cell.high)}]"
        return _number(column, cell.estimate) + ends
    return _number(column, cell) if isinstance(cell, float) else str(cell)


def _number(column: Column[Any], value: float | None) -> str:
    if value is None:
        return "--"
    if column.style == "percent":
        return f"{value:.{column.digits}%}"
    return f"{value:{column.sign}.{column.digits}f}"
