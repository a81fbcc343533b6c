"""PURE: responses that give away who wrote them, found by words and phrases.

A word is matched whole. One written in lower case matches however a text writes it ("as an ai language model"); one
with a capital matches as it stands, in capitals too ("Claude", "CLAUDE", but not "claude"), since many names of
products and makers are ordinary words in lower case. A star at the end matches any ending: "gpt-*".
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

AROUND = 60


@dataclass(frozen=True, slots=True)
class Leak:
    """One place in a text: the words found, where, and which entry of the list found them."""

    start: int
    end: int
    text: str
    word: str


def leaks(text: str, words: Sequence[str]) -> list[Leak]:
    """All places in order; of two that overlap the first, and the longer of two that begin together."""
    hits: list[Leak] = []
    lowered = text.lower()
    for word, needle, pattern in _patterns(tuple(words)):
        # Looking for a plain string is fifty times as quick, and it is mostly not there.
        if needle not in lowered:
            continue
        hits += [Leak(m.start(), m.end(), m[0], word) for m in pattern.finditer(text)]
    longest: list[Leak] = []
    for leak in sorted(hits, key=lambda leak: (leak.start, -leak.end)):
        if not longest or leak.start >= longest[-1].end:
            longest.append(leak)
    return longest


def excerpts(text: str, places: Sequence[Leak], around: int = AROUND) -> list[tuple[str, bool]]:
    """The text near the leaks as (piece, is a leak); what lies between is an ellipsis."""
    pieces: list[tuple[str, bool]] = []
    end = 0
    for leak in places:
        start = max(end, leak.start - around)
        if pieces and start > end:
            tail = min(end + around, start)
            pieces += [(text[end:tail], False), *([(" … ", False)] if tail < start else [])]
        elif not pieces and start:
            pieces.append(("… ", False))
        pieces += [(text[start : leak.start], False), (leak.text, True)]
        end = leak.end
    if places:
        pieces.append((text[end : end + around] + (" …" if end + around < len(text) else ""), False))
    return [(piece, is_leak) for piece, is_leak in pieces if piece]


@lru_cache(maxsize=32)
def _patterns(words: tuple[str, ...]) -> list[tuple[str, str, re.Pattern[str]]]:
    """Each entry with the longest plain piece of it, in lower case, and its pattern."""
    pieces = {word: re.split(r"[\s'’*]+", word.lower()) for word in words if word.strip(" *")}
    return [(word, max(pieces[word], key=len), _pattern(word)) for word in pieces]


def _pattern(word: str) -> re.Pattern[str]:
    stem = word.rstrip("*").strip()
    # Typographic apostrophes and any run of spaces are the same to a reader.
    phrase = r"\s+".join(re.escape(part).replace("'", "['’]") for part in stem.split())
    ending = r"[\w.-]*\w" if word.endswith("*") else r"(?!\w)"
    if stem == stem.lower():
        return re.compile(rf"(?<!\w){phrase}{ending}", re.IGNORECASE)
    upper = r"\s+".join(re.escape(part).replace("'", "['’]") for part in stem.upper().split())
    return re.compile(rf"(?<!\w)(?:{phrase}|{upper}){ending}")
