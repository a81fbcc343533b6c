"""What a format is: its name, its reader, what gives it away, and where its field names were checked."""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from .records import Records
from .source import Source

Read = Callable[[Records, Sequence[Source]], None]


@dataclass(frozen=True)
class Format:
    name: str
    title: str
    read: Read
    # A file with all columns of any of these sets may be one; `.name` is the end of a column's name.
    marks: tuple[frozenset[str], ...]
    # Where the names of its fields were looked up.
    checked: str
    # Whether such files may hold what machines said, so that they can be joined to a study that is there.
    scores: bool = False
    # What `--map` and the other options say of it, for people.
    options: str = ""
    # What else its rows must be like, where other formats have the same columns.
    fits: Callable[[Mapping[str, object]], bool] | None = None
    # The columns of a file that has no header, where its content gives them away.
    headerless: Callable[[Source], tuple[str, ...]] | None = None
    # Names it had before.
    aliases: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """Its line in the list of formats."""
        holds = "yes" if self.scores else ""
        return f"| `{self.name}` | {self.title} | {holds} | {self.options} | {self.checked} |"

    def mark(self, columns: Iterable[str]) -> frozenset[str]:
        """The columns that give the format away; none when it can't be this one."""
        there = {part for name in columns for part in (name, name[name.rfind(".") :])}
        return max((mark for mark in self.marks if mark <= there), key=len, default=frozenset())


def marks(*sets: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(names.split()) for names in sets)


def discover() -> dict[str, Format]:
    """The formats of all modules in `readers`, by name."""
    from . import readers

    names = sorted(module.name for module in pkgutil.iter_modules(readers.__path__))
    modules = [importlib.import_module(f"{readers.__name__}.{name}") for name in names]
    return {f.name: f for module in modules for f in module.FORMATS}
