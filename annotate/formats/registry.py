"""The formats that can be read, what gives each away, and where its field names were checked."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .draft import Draft
from .source import Source

Read = Callable[[Draft, Sequence[Source]], None]


@dataclass(frozen=True)
class Format:
    name: str
    title: str
    read: Read
    # A file with all columns of any of these sets may be one; `.name` is the end of a column's name.
    marks: tuple[frozenset[str], ...]
    # Where the names of its fields were looked up.
    checked: str

    def fits(self, columns: Iterable[str]) -> int:
        """How many columns give the format away; 0 when it can't be this one."""
        there = {part for name in columns for part in (name, name[name.rfind(".") :])}
        return max((len(mark) for mark in self.marks if mark <= there), default=0)


def marks(*sets: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(names.split()) for names in sets)
