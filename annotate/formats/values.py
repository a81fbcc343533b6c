"""What people write for a vote, a number or a list: many ways in, one way out."""

import ast
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Vote:
    """A choice between two responses: the place of the winner (0 or 1) or none, and how strong or why."""

    winner: int | None
    strength: int = 1
    label: str = ""

    @property
    def swapped(self) -> "Vote":
        return self if self.winner is None else Vote(1 - self.winner, self.strength)

    @property
    def preference(self) -> float:
        """Above 0 for the first, below 0 for the second."""
        return 0.0 if self.winner is None else float(self.strength if self.winner == 0 else -self.strength)


FIRST, SECOND = Vote(0), Vote(1)
MUCH_FIRST, MUCH_SECOND = Vote(0, 2), Vote(1, 2)
TIE, BOTH_GOOD, BOTH_BAD = Vote(None, 0, "tie"), Vote(None, 0, "both_good"), Vote(None, 0, "both_bad")
CANNOT_TELL = Vote(None, 0, "cannot_tell")

# Words as they come in the formats read here, with everything but letters, digits, < > and = left out.
_WORDS: dict[str, Vote] = {
    **dict.fromkeys(
        ("a", "modela", "left", "first", "response1", "output1", "texta", "responsea", "a>b"), FIRST
    ),
    **dict.fromkeys(
        ("b", "modelb", "right", "second", "response2", "output2", "textb", "responseb", "b>a"), SECOND
    ),
    **dict.fromkeys(("a<b", "chosenb", "answer2", "completionb", "assistantb", "candidate2"), SECOND),
    **dict.fromkeys(("chosena", "answer1", "completiona", "assistanta", "candidate1", "b<a"), FIRST),
    **dict.fromkeys(("a>>b", "b<<a"), MUCH_FIRST),
    **dict.fromkeys(("b>>a", "a<<b"), MUCH_SECOND),
    **dict.fromkeys(("tie", "equal", "same", "draw", "nopreference", "a=b", "b=a", "a==b", "neutral"), TIE),
    **dict.fromkeys(("tienopreference", "similar", "aboutthesame", "nodifference"), TIE),
    **dict.fromkeys(("bothgood", "tiebothgood", "botharegood"), BOTH_GOOD),
    **dict.fromkeys(("bothbad", "tiebothbad", "botharebad"), BOTH_BAD),
    **dict.fromkeys(("cannottell", "canttell", "unsure", "notsure", "hardtotell", "unclear"), CANNOT_TELL),
}
_BETTER = re.compile(
    r"^(?:response|model|output|text|answer|option|completion)?(a|b|1|2|first|second|left|right)is"
    r"(much|clearly|significantly|slightly|alittle|abit)?(?:the)?better(?:than.*)?$"
)
_MUCH = ("much", "clearly", "significantly")


def vote(word: object) -> Vote | None:
    """The vote that a word or phrase says; None when it says none that is known.

    >>> vote("tie (bothbad)").label
    'both_bad'
    >>> vote("Response 2 is much better than Response 1")
    Vote(winner=1, strength=2, label='')
    """
    if not isinstance(word, str):
        return None
    plain = re.sub(r"[^a-z0-9<>=]", "", word.lower())
    if plain in _WORDS:
        return _WORDS[plain]
    if found := _BETTER.match(plain):
        winner = 0 if found[1] in ("a", "1", "first", "left") else 1
        return Vote(winner, 2 if found[2] in _MUCH else 1)
    if "similar" in plain and "hardtotell" in plain:
        return TIE
    return None


def signed(value: float | None) -> Vote | None:
    """2 and 1: the first is much or slightly better; -1 and -2: the second; 0: neither."""
    votes: dict[float, Vote] = {2: MUCH_FIRST, 1: FIRST, 0: TIE, -1: SECOND, -2: MUCH_SECOND}
    return votes.get(value) if value is not None else None


def is_missing(value: object) -> bool:
    """Nothing, NaN, or a word that people write for nothing."""
    if isinstance(value, str):
        return value.strip().lower() in ("", "nan", "na", "n/a", "null", "none", "-")
    return value is None or (isinstance(value, float) and math.isnan(value))


def number(value: object) -> float | None:
    """A finite number, also from a cell of text and with a decimal comma; ValueError for anything else."""
    if is_missing(value):
        return None
    if isinstance(value, list) and len(value) == 1:
        return number(value[0])  # scores nested as [[x]]
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        text = value.strip()
        value = float(text.replace(",", ".") if re.fullmatch(r"-?\d+,\d+", text) else text)
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(value)
    return float(value)


def as_list(value: object) -> list[Any]:
    """A list, also written into a cell as JSON, as Python does it or as numpy does it; ValueError otherwise."""
    if isinstance(value, list | tuple):
        return list(value)
    if is_missing(value):
        return []
    if not isinstance(value, str):
        raise TypeError(value)
    text = value.strip()
    for read in (json.loads, _literal):
        try:
            found = read(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if isinstance(found, list | tuple):
            return list(found)
    if re.fullmatch(r"\[[\s\d.+\-eEnaN]*\]", text):
        return text[1:-1].split()
    raise ValueError(value)


def _literal(text: str) -> object:
    return ast.literal_eval(re.sub(r"\bnan\b", "None", text))


def as_object(value: object) -> Mapping[str, Any]:
    """An object, also written into a cell; ValueError otherwise."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise ValueError(value) from error
    if not isinstance(value, Mapping):
        raise TypeError(value)
    return value


def conversation(value: object) -> list[tuple[str, str]]:
    """(role, text) of each turn of a conversation, content given as text or as parts; ValueError otherwise."""
    turns = as_list(value)
    found = []
    for turn in turns:
        if not isinstance(turn, Mapping) or "role" not in turn or "content" not in turn:
            raise ValueError(turn)
        found.append((str(turn["role"]), content(turn["content"])))
    return found


def content(content: object) -> str:
    if isinstance(content, list):
        parts = [p.get("text") if isinstance(p, Mapping) else p for p in content]
        return "\n".join(str(p) for p in parts if p)
    if isinstance(content, Mapping):
        return str(content.get("answer") or content.get("text") or "")
    return "" if content is None else str(content)


SEPARATOR = "\n\n⸻\n\n"


def joined(turns: list[tuple[str, str]]) -> tuple[str, str]:
    """A conversation as a prompt and a response: what was said to the model, and what it said."""
    asked = SEPARATOR.join(text for role, text in turns if role != "assistant")
    said = SEPARATOR.join(text for role, text in turns if role == "assistant")
    return asked, said
