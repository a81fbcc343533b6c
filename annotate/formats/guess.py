"""Which fields of somebody's own data are the prompt and the responses, where only habit says so."""

import re
from collections.abc import Iterable, Mapping

PROMPT = ("prompt", "instruction", "question", "query", "user_query", "input")
RESPONSE = ("response", "output", "answer", "completion", "text", "generation")
_SIDES = re.compile(r"^(.*?)[-_ ]?(a|b|1|2|left|right)$", re.IGNORECASE)
_FIRST = ("a", "1", "left")


def field(names: Iterable[str], role: str, habits: tuple[str, ...], mapping: Mapping[str, str]) -> str | None:
    """The field of a role: the one named, else the first that is called as such fields are."""
    if role in mapping:
        return mapping[role]
    there = {name.lower(): name for name in names}
    return next((there[habit] for habit in habits if habit in there), None)


def pair(names: Iterable[str], mapping: Mapping[str, str]) -> tuple[str, str] | None:
    """The two fields of a pair: those named, else two that differ by a or b, 1 or 2, left or right."""
    if "response_a" in mapping and "response_b" in mapping:
        return mapping["response_a"], mapping["response_b"]
    sides: dict[str, dict[bool, str]] = {}
    for name in names:
        if match := _SIDES.match(name):
            sides.setdefault(match[1].lower(), {})[match[2].lower() in _FIRST] = name
    both = [
        s for stem, s in sides.items() if len(s) == 2 and not re.search(r"model|source|generator|id$", stem)
    ]
    return (both[0][True], both[0][False]) if len(both) == 1 else None
