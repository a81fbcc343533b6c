"""One table of the report."""

from dataclasses import dataclass
from typing import NamedTuple

from judging.results.figures import Cell, Head, rounded
from judging.stats import Estimate

ENDS = ("low", "high")
"""The columns that hold an interval's ends; the one before them holds its estimate."""


class Ranged(NamedTuple):
    """An estimate and its interval, as one cell of a page."""

    estimate: Cell
    low: Cell
    high: Cell


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of the report's details, and a CSV file of its folder."""

    key: str
    title: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def shown(self) -> list[list[Cell | Ranged]]:
        """The rows as a page shows them: a number and its interval in one cell."""
        ranged = {n for n in range(len(self.columns)) if self.columns[n + 1 : n + 3] == ENDS}
        return [
            [Ranged(*row[n : n + 3]) if n in ranged else row[n] for n in self._starts()] for row in self.rows
        ]

    @property
    def heads(self) -> list[Head]:
        """The columns of `shown`, and whether each holds plain numbers."""
        return [Head.of(self.columns[n], [row[n] for row in self.rows]) for n in self._starts()]

    def _starts(self) -> list[int]:
        return [n for n, name in enumerate(self.columns) if name not in ENDS]


def three(e: Estimate) -> tuple[Cell, Cell, Cell]:
    return rounded(e.estimate), rounded(e.low), rounded(e.high)
