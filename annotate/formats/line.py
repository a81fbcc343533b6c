"""One row of somebody's file: its fields by name, and what is wrong with them told with file and line."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from annotate.folder.problems import Problem, quoted

from . import values
from .values import Vote


class WrongError(Exception):
    """A field that is not as its format says."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Line:
    file: str
    at: int
    row: Mapping[str, Any]
    # Where the row lies inside another, as in `annotations.3.`
    inside: str = ""

    def wrong(self, name: str, expected: str, found: object) -> WrongError:
        shown = str(found) if found in ("nothing", "neither", "none") else quoted(found)
        return WrongError(Problem(self.file, self.at, self.inside + name, expected, shown))

    def get(self, name: str) -> Any:
        """A field by its name, or by its path with dots; nothing where it is missing or NaN."""
        value: Any = self.row.get(name)
        if value is None and "." in name:
            value = self.row
            for part in name.split("."):
                value = value.get(part) if isinstance(value, Mapping) else None
        return None if isinstance(value, float) and value != value else value

    def has(self, name: str) -> bool:
        return not values.is_missing(self.get(name))

    def text(self, name: str, expected: str = "text") -> str:
        value = self.get(name)
        if not isinstance(value, str) or not value:
            raise self.wrong(name, expected, value)
        return value

    def text_or(self, name: str, default: str) -> str:
        value = self.get(name)
        if value is None or value == "":
            return default
        if isinstance(value, int | float):
            return self.key(name)
        return self.text(name)

    def key(self, name: str) -> str:
        """An id: text or a number."""
        value = self.get(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
            raise self.wrong(name, "an id", value)
        return str(value)

    def number(self, name: str) -> float | None:
        try:
            return values.number(self.get(name))
        except ValueError:
            raise self.wrong(name, "a number", self.get(name)) from None

    def score(self, name: str) -> tuple[float | None, str]:
        """A machine's number, or none and why."""
        raw = self.get(name)
        return _score(raw, self.number(name))

    def scores(self, name: str, like: str) -> list[tuple[float | None, str]]:
        """A machine's numbers, one for each text of another list."""
        raw, texts = self.elements(name), self.elements(like)
        if len(raw) != len(texts):
            raise self.wrong(name, f"as many scores as texts, which are {len(texts)}", len(raw))
        return [_score(*both) for both in zip(raw, self.numbers(name), strict=True)]

    def ids(self, place: object) -> tuple[str, ...]:
        """Ids that a response may have in a study made of the same set."""
        if self.get("id") is None:
            return ()
        return tuple(f"{self.key('id')}{mark}{place}" for mark in (":", "-", "_", "/", "."))

    def elements(self, name: str) -> list[Any]:
        try:
            return values.as_list(self.get(name))
        except (ValueError, TypeError):
            raise self.wrong(name, "a list", self.get(name)) from None

    def numbers(self, name: str) -> list[float | None]:
        """A list of numbers, gaps and all."""
        found: list[float | None] = []
        for place, value in enumerate(self.elements(name)):
            try:
                found.append(values.number(value))
            except ValueError:
                raise self.wrong(f"{name}.{place}", "a number", value) from None
        return found

    def lines(self, name: str, of: int | None = None) -> list["Line"]:
        """The objects of a list, each as a line of its own."""
        found, elements = [], self.elements(name)
        if of is not None and len(elements) != of:
            raise self.wrong(name, f"a list of {of}", elements)
        for place, value in enumerate(elements):
            if not isinstance(value, Mapping):
                raise self.wrong(f"{name}.{place}", "an object", value)
            found.append(self.inner(f"{name}.{place}", value))
        return found

    def inner(self, name: str, row: Mapping[str, Any]) -> "Line":
        return Line(self.file, self.at, row, f"{self.inside}{name}.")

    def object(self, name: str) -> Mapping[str, Any]:
        try:
            return values.as_object(self.get(name))
        except (ValueError, TypeError):
            raise self.wrong(name, "an object", self.get(name)) from None

    def vote(self, name: str, expected: str = "a vote, such as model_a, model_b, tie or both_bad") -> Vote:
        found = values.vote(self.get(name))
        if found is None:
            raise self.wrong(name, expected, self.get(name))
        return found

    def conversation(self, name: str) -> list[tuple[str, str]]:
        try:
            return values.conversation(self.get(name))
        except (ValueError, TypeError):
            raise self.wrong(name, "a conversation: a list of {role, content}", self.get(name)) from None

    def words(self, name: str) -> str:
        """A text, or a conversation written out as one."""
        value = self.get(name)
        if isinstance(value, list):
            return values.SEPARATOR.join(text for _, text in self.conversation(name))
        return self.text(name, "text or a conversation")

    def words_or_none(self, name: str) -> str | None:
        return None if self.get(name) is None else self.words(name)

    def answer(self, name: str) -> str:
        """A text, or what was said last in a conversation."""
        value = self.get(name)
        return self.conversation(name)[-1][1] if isinstance(value, list) and value else self.text(name)

    def answer_or_none(self, name: str) -> str | None:
        return None if self.get(name) is None else self.answer(name)

    def element_answer(self, name: str, place: int) -> str:
        """The same of one element of a list."""
        inner = {str(place): self.elements(name)[place]}
        return Line(self.file, self.at, inner, f"{self.inside}{name}.").answer(str(place))

    def time(self, name: str) -> str | None:
        """An ISO 8601 time, also from seconds since 1970; nothing for what is no time."""
        value = self.get(name)
        if isinstance(value, dt.datetime):
            return value.isoformat()
        if isinstance(value, int | float) and 0 < value < 1e11:
            return dt.datetime.fromtimestamp(value, dt.UTC).isoformat()
        try:
            return dt.datetime.fromisoformat(value).isoformat() if isinstance(value, str) else None
        except ValueError:
            return None


def _score(raw: object, value: float | None) -> tuple[float | None, str]:
    return value, "" if value is not None else f"no number: {str(raw)[:80]!r}"
