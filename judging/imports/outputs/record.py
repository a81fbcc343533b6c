"""One number or choice in somebody's file, and what it may be joined by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class UnreadableError(ValueError):
    """A row that is not what its format says."""


@dataclass(frozen=True, slots=True)
class Named:
    """A response as a file names it: by ids it may have here, by prompt and source, or by its words."""

    ids: tuple[str, ...] = ()
    prompt_id: str = ""
    source: str = ""
    prompt: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """A score of one response, greater is better; None with a reason."""

    scorer: str
    of: Named
    value: float | None
    error: str = ""
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A preference between two responses: 1 the first, -1 the second, 0 a tie; by order where the file says it."""

    scorer: str
    first: Named
    second: Named
    preference: float | None
    straight: float | None = None
    swapped: float | None = None
    error: str = ""
    raw: str = ""


Told = Number | Choice
Row = Mapping[str, Any]


def need(row: Row, name: str) -> Any:
    if row.get(name) is None:
        raise UnreadableError(f"expected {name}, found nothing")
    return row[name]


def elements(row: Row, name: str) -> Sequence[Any]:
    found = need(row, name)
    if not isinstance(found, (list, tuple)):
        raise UnreadableError(f"{name}: expected a list, found {str(found)[:60]!r}")
    return found


def number(value: object) -> float | None:
    """A finite number, also one in a list of its own or in quotes; None for what is none."""
    while isinstance(value, (list, tuple)) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value)
    except ValueError:
        return None
    return found if abs(found) < 1e100 else None


def last_words(value: object) -> str | None:
    """A text, or what was said last in a conversation."""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)) and value and isinstance(value[-1], Mapping):
        said = value[-1].get("content")
        return said if isinstance(said, str) else None
    return None


def scored(scorer: str, of: Named, value: object, raw: str = "") -> Number:
    found = number(value)
    return Number(scorer, of, found, "" if found is not None else f"no number: {str(value)[:80]!r}", raw)
