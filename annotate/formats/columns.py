"""What is known of a file's columns as a whole: decimal marks, readings of values, what nobody looked at, remarks."""

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from annotate.folder.problems import Problem, quoted

from . import numbers, values
from .conversations import Turn
from .source import Source

NAMED = 12
MOST_CODES = 1000
LONGEST_CODE = 200
MOST_FIELDS = 1000


@lru_cache(4096)
def stem(path: str) -> str:
    """The path of a field without the places in lists that it leads through.

    >>> stem("annotations.0.result.12.value"), stem("7")
    ('annotations.result.value', '7')
    """
    return ".".join(part for part in path.split(".") if not part.isdecimal()) or path


@dataclass
class Unused:
    """A field that nothing was made of, and in how many objects something stood there."""

    name: str
    count: int = 0


@dataclass
class Columns:
    source: Source | None = None
    # The decimal mark, where whoever imports says it, and what coded votes mean.
    decimal: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    codes: Counter[str] = field(default_factory=Counter)
    readings: dict[str, Counter[tuple[str, str]]] = field(default_factory=dict)
    # What is to be said: a text and its count, by what it is about.
    notes: dict[str, tuple[str, int]] = field(default_factory=dict)
    _marks: dict[str, str | None] = field(default_factory=dict)
    # Fields by their stems: those that were there, those that a reader looked at, and the objects of this row.
    _there: dict[str, Unused] = field(default_factory=dict)
    _looked_at: set[str] = field(default_factory=set)
    _entered: set[str] = field(default_factory=set)
    # The conversations of this row: what there is to say of one is said once, however often it is read.
    turns: dict[str, list[Turn]] = field(default_factory=dict)

    # Fields

    def begin(self, row: Mapping[str, Any]) -> None:
        self._entered.clear()
        self.turns.clear()
        self.enter("", row)

    def enter(self, inside: str, row: Mapping[str, Any]) -> None:
        """Count what stands in an object that a reader goes into."""
        if inside in self._entered:
            return
        self._entered.add(inside)
        for name, value in row.items():
            if not _is_nothing(value):
                path = stem(inside + name)
                if (there := self._there.get(path)) is not None:
                    there.count += 1
                elif len(self._there) < MOST_FIELDS:
                    self._there[path] = Unused(path, 1)

    def look_at(self, path: str) -> None:
        self._looked_at.add(stem(path))

    def unused(self) -> list[Unused]:
        """Fields that no reader looked at. What lies in an object that none went into is told with the object."""
        return [there for path, there in self._there.items() if path not in self._looked_at]

    # Readings

    def mark(self, name: str) -> str | None:
        """The decimal mark of a column of texts, by all of its cells."""
        if self.decimal or self.source is None:
            return self.decimal or None
        name = stem(name)
        if name not in self._marks:
            cells = (cell for cell in self._texts(name) if not numbers.is_missing(cell))
            self._marks[name] = numbers.decimal_mark(cells)
            if self._marks[name] == ",":
                self.note(f"Column {name!r}: the comma marks decimals, by all of its cells.")
            elif self._marks[name] == ".":
                self.note(f"Column {name!r}: the point marks decimals, by all of its cells.")
        return self._marks[name]

    def _texts(self, name: str) -> Iterator[str]:
        """The texts of a column; of a field that lies in others, all that stand in the outermost one."""
        outer = name.partition(".")[0]
        for _, row in self.source.rows() if self.source else ():
            if not isinstance(row, Problem):
                yield from _texts_in(row[name] if name in row else row.get(outer))

    def note(self, text: str, about: str = "") -> None:
        """Something to be said once, with its count; of what is the same but for an example, the first is given."""
        first, n = self.notes.get(about or text, (text, 0))
        self.notes[about or text] = first, n + 1

    def meet(self, code: str) -> None:
        """Count a value of a vote, or a word where a number belongs."""
        if len(code) <= LONGEST_CODE and (code in self.codes or len(self.codes) < MOST_CODES):
            self.codes[code] += 1

    def read_as(self, name: str, value: object, meaning: str) -> None:
        """Remember what a code was read as, to be said in words."""
        key, readings = (quoted(value), meaning), self.readings.setdefault(name, Counter())
        if key in readings or len(readings) < MOST_CODES:
            readings[key] += 1

    def remarks(self) -> list[str]:
        """What is to be said of the file's columns."""
        remarks = []
        for name, readings in self.readings.items():
            each = [f"{value} as “{meaning}” ({n:,})" for (value, meaning), n in readings.most_common(NAMED)]
            more = f" and {len(readings) - NAMED:,} more" if len(readings) > NAMED else ""
            remarks.append(f"Field {name!r} was read so: {', '.join(each)}{more}.")
        return remarks + [f"{text} ({n:,} times)" if n > 1 else text for text, n in self.notes.values()]


def _is_nothing(value: object) -> bool:
    return not value if isinstance(value, str | list | dict) else value is None or value != value


def _texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            # A list in a cell; any other text is one.
            value = values.as_list(value) if value.lstrip().startswith("[") else value
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts_in(inner)
