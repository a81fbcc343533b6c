"""Problems of a folder, with all that is needed to fix them: file, line, column, expected, found."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

NAMED = 20
LONGEST = 80


def quoted(value: object) -> str:
    """A value as a message shows it: like JSON, cut short, and printable on any terminal."""
    if value is None:
        return "nothing"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    text = json.dumps(value, ensure_ascii=False, default=str)
    # A lone surrogate can be read from JSON but not written to a terminal.
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


@dataclass(frozen=True, slots=True)
class Problem:
    file: str
    line: int | None
    column: str
    expected: str
    found: str

    def __str__(self) -> str:
        unit = "row" if ".parquet" in self.file else "line"
        place = [self.file, f"{unit} {self.line}" if self.line else "", self.column]
        return f"{', '.join(p for p in place if p)}: expected {self.expected}, found {self.found}"


class FolderError(Exception):
    """A folder can't be read or written; the database is unchanged."""

    def __init__(self, problems: Iterable[Problem], count: int | None = None) -> None:
        # All that were kept; those that are named.
        self.every = list(problems)
        self.problems = self.every[:NAMED]
        self.count = len(self.problems) if count is None else count
        super().__init__(str(self))

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems]
        if self.count > len(lines):
            lines.append(f"and {self.count - len(lines):,} more")
        return "\n".join(lines)


class Problems:
    """Collects problems: keeps the first ones and counts the rest, so that memory stays small."""

    def __init__(self, most: int = NAMED) -> None:
        self._most = most
        self.first: list[Problem] = []
        self.count = 0
        self._once: set[tuple[str, str]] = set()

    def add(self, file: str, line: int | None, column: str, expected: str, found: str) -> None:
        self.put(Problem(file, line, column, expected, found))

    def add_once(self, file: str, line: int | None, column: str, expected: str, found: str) -> None:
        """For a problem that every row repeats, such as an unknown column."""
        if (file, column) not in self._once:
            self._once.add((file, column))
            self.add(file, line, column, expected, found)

    def put(self, problem: Problem) -> None:
        self.count += 1
        if len(self.first) < self._most:
            self.first.append(problem)

    @contextmanager
    def noting(self) -> Iterator[None]:
        """An unreadable file is a problem; what follows it is checked anyway."""
        try:
            yield
        except FolderError as error:
            for problem in error.problems:
                if problem not in self.first:
                    self.put(problem)
            self.count += error.count - len(error.problems)

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """An unreadable file ends the check; earlier problems are reported too."""
        with self.noting():
            yield
        self.raise_any()

    def raise_any(self) -> None:
        if self.count:
            raise FolderError(self.first, self.count)
