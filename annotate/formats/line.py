"""One row of somebody's file: its fields by name, and what is wrong with them told with file and line.

What a cell means is read here, for every format: a text, an id, a number, a vote, a truth value, a time.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from annotate.folder.problems import Problem, quoted
from annotate.texts import one_newline, trimmed

from . import conversations, numbers, values, votes
from .columns import Columns, stem
from .conversations import Turn
from .votes import Vote

VALUES = "--values VALUE=first|second|tie|…"


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
    columns: Columns = field(default_factory=Columns, repr=False)

    def wrong(self, name: str, expected: str, found: object) -> WrongError:
        shown = str(found) if found in ("nothing", "neither", "none") else quoted(found)
        return WrongError(Problem(self.file, self.at, self.inside + name, expected, shown))

    def get(self, name: str) -> Any:
        """A field by its name, or by its path with dots; nothing where it is missing or NaN."""
        self.columns.look_at(self.inside + name)
        value: Any = self.row.get(name)
        if value is None and "." in name:
            value, path = self.row, self.inside
            for part in name.split("."):
                if path != self.inside and isinstance(value, Mapping):
                    self.columns.enter(path, value)
                value, path = _inside(value, part), f"{path}{part}."
                self.columns.look_at(path[:-1])
        return None if isinstance(value, float) and value != value else value

    def has(self, name: str) -> bool:
        """Whether something stands there. “None” and “NA” are words."""
        return self.get(name) not in (None, "")

    # Texts and ids

    def text(self, name: str, expected: str = "text") -> str:
        """A text, and be it empty; what a tool turned into a number is a text again."""
        value = self.get(name)
        if isinstance(value, str):
            return one_newline(value)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float | Decimal):
            self.columns.note(
                f"Field {name!r} holds numbers where texts belong: they came in as they are written."
            )
            return str(value)
        if isinstance(value, dt.date):
            return value.isoformat()
        raise self.wrong(name, expected, value)

    def text_or(self, name: str, default: str) -> str:
        value = self.get(name)
        if value is None or value == "":
            return default
        return self.key(name) if isinstance(value, int | float) else self.text(name)

    def key(self, name: str) -> str:
        """An id: text or a number. White space around it is nobody's meaning."""
        value = numbers.as_whole(self.get(name))
        if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
            raise self.wrong(name, "an id", value)
        key = trimmed(str(value))
        if key != str(value):
            self.columns.note(f"Ids in {name!r} had white space around them, which was taken away.")
        return key

    # Numbers, votes, truth

    def number(self, name: str) -> float | None:
        return self._number(name, self.get(name), self.get(name))

    def whole(self, name: str) -> int | None:
        number = self.number(name)
        if number is not None and not number.is_integer():
            raise self.wrong(name, "a whole number", self.get(name))
        return None if number is None else int(number)

    def _number(self, name: str, value: object, shown: object) -> float | None:
        field = self._field(name)
        if (meaning := self._meaning(value)) and numbers.is_plain(meaning):
            self.columns.read_as(field, value, meaning)
            return float(meaning)
        if isinstance(value, str):
            if numbers.is_missing(value):
                self._missing(field, value)
                return None
            if not numbers.is_number(value):
                self.columns.meet(votes.code(value))
        if isinstance(value, bool):
            self.columns.read_as(field, value, str(int(value)))
        try:
            return numbers.number(value, self._mark(name, value))
        except (numbers.AmbiguousError, ValueError, TypeError) as error:
            expected = "a number (--values WORD=NUMBER)" if isinstance(value, str) else "a number"
            expected = numbers.EITHER if isinstance(error, numbers.AmbiguousError) else expected
            raise self.wrong(name, expected, shown) from None

    def means(self, name: str) -> bool:
        """Whether `--values` says what a field means."""
        return bool(self._meaning(self.get(name)))

    def _field(self, name: str) -> str:
        """What remarks call a field; an element of a list has the list's name."""
        first = name.partition(".")[0]
        return stem(self.inside + name).rpartition(".")[2] if first.isdecimal() else first

    def _meaning(self, value: object) -> str:
        """What `--values` says of a value."""
        if value is None or isinstance(value, list | Mapping):
            return ""
        return self.columns.values.get(votes.code(value), "")

    def _missing(self, field: str, value: object) -> None:
        """A word for nothing, where a number or a vote belongs, is said."""
        if isinstance(value, str) and value.strip():
            self.columns.read_as(field, value, "missing")

    def _mark(self, name: str, value: object) -> str | None:
        """The decimal mark of a number, by its column where it needs that."""
        plain = not isinstance(value, str) or not numbers.needs_mark(value)
        if plain and not self.columns.decimal:
            return "."
        mark = self.columns.mark(self.inside + name)
        if mark is None and self.columns.source and isinstance(value, str) and numbers.is_number(value):
            raise numbers.AmbiguousError(value)
        return mark

    def score(self, name: str) -> tuple[float | None, str]:
        """A machine's number, or none and why; a row without the field is no row of scores."""
        if name not in self.row:
            raise self.wrong(name, "a score", None)
        return _score(self.get(name), self.number(name))

    def scores(self, name: str, like: str) -> list[tuple[float | None, str]]:
        """A machine's numbers, one for each text of another list."""
        raw, texts = self.elements(name), self.elements(like)
        if len(raw) != len(texts):
            raise self.wrong(name, f"as many scores as texts, which are {len(texts)}", len(raw))
        return [_score(*both) for both in zip(raw, self.numbers(name), strict=True)]

    def vote(self, name: str, known: Mapping[str, Vote] = votes.CLEAR, expected: str = "") -> Vote | None:
        """A vote, by `--values` or by the words of the format; none where nothing stands."""
        value, field = self.get(name), self._field(name)
        meaning = self._meaning(value)
        if not numbers.is_missing(value):
            self.columns.meet(votes.code(value))
        elif not meaning:
            self._missing(field, value)
            return None
        vote = votes.MEANINGS[meaning] if meaning in votes.MEANINGS else votes.vote(value, known)
        if vote is None:
            expected = expected or "a vote in words"
            raise self.wrong(name, f"{expected}; a code is not guessed ({VALUES})", value)
        self.columns.read_as(field, value, votes.WORDS[vote])
        return vote

    def needed_vote(self, name: str, known: Mapping[str, Vote] = votes.CLEAR, expected: str = "") -> Vote:
        if (vote := self.vote(name, known, expected)) is None:
            raise self.wrong(name, expected or "a vote", self.get(name))
        return vote

    def truth(self, name: str) -> bool:
        value, meaning = self.get(name), self._meaning(self.get(name))
        try:
            truth = values.truth(meaning if meaning and numbers.is_plain(meaning) else value)
        except ValueError:
            self.columns.meet(votes.code(value))
            raise self.wrong(name, "true or false (--values VALUE=1|0)", value) from None
        if not isinstance(self.get(name), bool):
            self.columns.read_as(name, self.get(name), "yes" if truth else "no")
        return truth

    def time(self, name: str) -> str | None:
        """An ISO 8601 time; what can't be understood is left out, and counted."""
        if not self.has(name):
            return None
        if (time := values.time(self.get(name))) is None:
            shown = quoted(self.get(name))
            text = f"A time in {name!r} can't be understood, such as {shown}: left out."
            self.columns.note(text, about=f"time in {name!r}")
        return time

    # Lists and objects

    def elements(self, name: str) -> list[Any]:
        try:
            return values.as_list(self.get(name))
        except (ValueError, TypeError):
            raise self.wrong(name, "a list", self.get(name)) from None

    def numbers(self, name: str) -> list[float | None]:
        """A list of numbers, gaps and all."""
        return [self._number(f"{name}.{place}", v, v) for place, v in enumerate(self.elements(name))]

    def texts(self, name: str) -> list[str]:
        """A list of texts, each of which may be empty."""
        elements = self.elements(name)
        inner = self.inner(name, {str(place): value for place, value in enumerate(elements)})
        return [inner.text(str(place)) for place in range(len(elements))]

    def lines(self, name: str, of: int | None = None) -> list["Line"]:
        """The objects of a list, each as a line of its own."""
        lines, elements = [], self.elements(name)
        if of is not None and len(elements) != of:
            raise self.wrong(name, f"a list of {of}", elements)
        for place, value in enumerate(elements):
            if not isinstance(value, Mapping):
                raise self.wrong(f"{name}.{place}", "an object", value)
            lines.append(self.inner(f"{name}.{place}", value))
        return lines

    def inner(self, name: str, row: Mapping[str, Any]) -> "Line":
        inside = f"{self.inside}{name}."
        self.columns.enter(inside, row)
        return replace(self, row=row, inside=inside)

    def object(self, name: str) -> Mapping[str, Any]:
        try:
            return values.as_object(self.get(name))
        except (ValueError, TypeError):
            raise self.wrong(name, "an object", self.get(name)) from None

    # Conversations

    def conversation(self, name: str) -> list[Turn]:
        path, value = self.inside + name, self.get(name)
        if path not in self.columns.turns:
            self.columns.turns[path] = self._conversation(name, value)
        return self.columns.turns[path]

    def _conversation(self, name: str, value: Any) -> list[Turn]:
        try:
            turns = conversations.turns(value)
        except (ValueError, TypeError, RecursionError):
            raise self.wrong(name, "a conversation: a list of {role, content}", value) from None
        for note in (note for turn in turns for note in turn.notes):
            self.columns.note(f"In {name!r} {note} are no text: they stand there as a note in brackets.")
        for dropped in dict.fromkeys(name for turn in turns for name in turn.dropped):
            self.columns.note(f"Turns in {name!r} have a field {dropped!r}: left out.")
        if isinstance(value, str):
            self.columns.note(f"Texts in {name!r} hold a conversation: they were read as one.")
        if len(roles := dict.fromkeys(turn.role for turn in turns)) > 1:
            self.columns.note(f"Field {name!r} was read as a conversation of {', '.join(roles)}.")
        return turns

    def turns(self, name: str, role: str = "user") -> list[Turn]:
        """A conversation; or a text, or the parts of one, as the one turn of whoever says it."""
        if conversations.are_parts(value := self.get(name)):
            return self._conversation(name, [{"role": role, "content": value}])
        if conversations.is_conversation(value):
            return self.conversation(name)
        return [Turn(role, self.text(name, "text or a conversation"))]

    def words(self, name: str) -> str:
        """A text, or a conversation written out as one."""
        return conversations.written(self.turns(name))

    def words_or_none(self, name: str) -> str | None:
        return None if self.get(name) is None else self.words(name)

    def answer(self, name: str, prompt: Sequence[Turn] = ()) -> str:
        """A response: a text, or of a conversation what comes after the prompt."""
        turns = self.turns(name, "assistant")
        rest = conversations.without_prompt(prompt, turns)
        if len(rest) < len(turns):
            self.columns.note(f"Field {name!r} begins with the prompt, which was cut off there.")
        elif _begins_with(turns, prompt):
            self.columns.note(f"Field {name!r} begins with the words of its prompt: it stands as it is.")
        if any(turn.role == "user" for turn in rest) and not prompt:
            rest = conversations.split(rest)[1]
        return conversations.written(rest) if rest else ""

    def answer_or_none(self, name: str) -> str | None:
        return None if self.get(name) is None else self.answer(name)

    def answers(self, name: str, prompt: Sequence[Turn] = ()) -> list[str]:
        """The same of each element of a list."""
        inner = self.inner(name, {str(place): value for place, value in enumerate(self.elements(name))})
        return [inner.answer(place, prompt) for place in inner.row]


def _begins_with(turns: Sequence[Turn], prompt: Sequence[Turn]) -> bool:
    asked = prompt[-1].text.strip() if prompt else ""
    rest = turns[0].text.removeprefix(asked) if turns and asked else ""
    return bool(rest) and rest != turns[0].text and not rest[0].isalnum()


def _inside(value: object, part: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(part)
    if isinstance(value, list) and part.isdecimal() and len(part) < 6 and int(part) < len(value):
        return value[int(part)]
    return None


def _score(raw: object, value: float | None) -> tuple[float | None, str]:
    return value, "" if value is not None else f"no number: {str(raw)[:80]!r}"
