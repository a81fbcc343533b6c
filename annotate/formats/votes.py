"""Votes between two responses. A word means a vote only where its format says so, or whoever imports it does."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from .numbers import as_whole


@dataclass(frozen=True, slots=True)
class Vote:
    """A choice between two responses: the place of the winner (0 or 1) or none, and how strong or why."""

    winner: int | None
    strength: int = 1
    label: str = ""

    @property
    def preference(self) -> float:
        """Above 0 for the first, below 0 for the second."""
        return 0.0 if self.winner is None else float(self.strength if self.winner == 0 else -self.strength)

    @property
    def turned(self) -> "Vote":
        """The same vote, of whoever saw the two in the other order."""
        return self if self.winner is None else replace(self, winner=1 - self.winner)


FIRST, SECOND = Vote(0), Vote(1)
MUCH_FIRST, MUCH_SECOND = Vote(0, 2), Vote(1, 2)
TIE, BOTH_GOOD, BOTH_BAD = Vote(None, 0, "tie"), Vote(None, 0, "both_good"), Vote(None, 0, "both_bad")
CANNOT_TELL = Vote(None, 0, "cannot_tell")

# What `--values` may say that a value means.
MEANINGS: Mapping[str, Vote] = {
    "first": FIRST,
    "second": SECOND,
    "first_much": MUCH_FIRST,
    "second_much": MUCH_SECOND,
    "tie": TIE,
    "both_good": BOTH_GOOD,
    "both_bad": BOTH_BAD,
    "cannot_tell": CANNOT_TELL,
}
WORDS = {
    FIRST: "the first is better",
    SECOND: "the second is better",
    MUCH_FIRST: "the first is much better",
    MUCH_SECOND: "the second is much better",
    TIE: "a tie",
    BOTH_GOOD: "both are good",
    BOTH_BAD: "both are bad",
    CANNOT_TELL: "can't be told",
}

# Words that mean the same everywhere; all but letters, digits, < > and = is left out of them.
TIES: dict[str, Vote] = {
    **dict.fromkeys(("tie", "equal", "same", "draw", "nopreference", "neutral", "tieinconsistent"), TIE),
    **dict.fromkeys(("tienopreference", "similar", "aboutthesame", "nodifference"), TIE),
    **dict.fromkeys(("bothgood", "tiebothgood", "botharegood"), BOTH_GOOD),
    **dict.fromkeys(("bothbad", "tiebothbad", "botharebad"), BOTH_BAD),
    **dict.fromkeys(("cannottell", "canttell", "unsure", "notsure", "hardtotell", "unclear"), CANNOT_TELL),
}
# What nobody has to explain: ties, and our own words.
CLEAR: dict[str, Vote] = TIES | {re.sub("_", "", word): vote for word, vote in MEANINGS.items()}
# Codes, for formats that document them.
MODEL_A_B: Mapping[str, Vote] = TIES | {"modela": FIRST, "modelb": SECOND}
LEFT_RIGHT: Mapping[str, Vote] = TIES | {"left": FIRST, "right": SECOND}
A_OVER_B: Mapping[str, Vote] = {
    **dict.fromkeys(("a>b", "b<a"), FIRST),
    **dict.fromkeys(("b>a", "a<b"), SECOND),
    **dict.fromkeys(("a>>b", "b<<a"), MUCH_FIRST),
    **dict.fromkeys(("b>>a", "a<<b"), MUCH_SECOND),
    **dict.fromkeys(("a=b", "b=a", "a==b"), TIE),
}
_BETTER = re.compile(
    r"^(?:response|model|output|text|answer|option|completion)?(a|b|1|2|first|second|left|right)is"
    r"(much|clearly|significantly|slightly|alittle|abit)?(?:the)?better(?:than.*)?$"
)
_MUCH = ("much", "clearly", "significantly")


def plain(word: str) -> str:
    return re.sub(r"[^a-z0-9<>=]", "", word.lower())


def vote(word: object, known: Mapping[str, Vote] = CLEAR) -> Vote | None:
    """The vote that a word says; None when it says none that is known.

    >>> vote("tie (bothbad)").label
    'both_bad'
    >>> vote("2"), vote("left")
    (None, None)
    """
    return known.get(plain(word)) if isinstance(word, str) else None


def sentence(words: object) -> Vote | None:
    """The vote of a sentence such as “Response 2 is much better than Response 1”."""
    if not isinstance(words, str):
        return None
    text = plain(words)
    if match := _BETTER.match(text):
        winner = 0 if match[1] in ("a", "1", "first", "left") else 1
        return Vote(winner, 2 if match[2] in _MUCH else 1)
    return TIE if "similar" in text and "hardtotell" in text else TIES.get(text)


def code(value: object) -> str:
    """A value as `--values` names it: 1 for 1.0 and "1 "."""
    text = str(as_whole(value)).strip()
    return text[:-2] if re.fullmatch(r"-?\d+\.0", text) else text


def signed(value: float | None) -> Vote | None:
    """2 and 1: the first is much or slightly better; -1 and -2: the second; 0: neither."""
    votes: dict[float, Vote] = {2: MUCH_FIRST, 1: FIRST, 0: TIE, -1: SECOND, -2: MUCH_SECOND}
    return votes.get(value) if value is not None else None
