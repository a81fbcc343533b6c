"""Which fields of somebody's own data are the prompt and the responses, where only habit says so."""

import re
from collections.abc import Iterable, Mapping

PROMPT = ("prompt", "instruction", "question", "query", "user_query", "input")
RESPONSE = ("response", "output", "answer", "completion", "text", "generation")
# The habits of a pool's columns, by role; an `id` may be the prompt's or the response's, and is taken for neither.
POOL = {
    "prompt_id": ("prompt_id", "question_id", "instruction_id"),
    "prompt": PROMPT,
    "response_id": ("response_id", "output_id", "answer_id", "completion_id"),
    "response": RESPONSE,
    "source": ("source", "model", "generator", "model_name", "model_id", "llm", "writer", "source_name"),
    "sample": ("sample", "sample_id", "sample_index"),
    "category": ("category",),
    "language": ("language", "lang"),
}
_SIDES = re.compile(r"^(.*?)[-_ ]?(a|b|1|2|left|right)$", re.IGNORECASE)
_FIRST = ("a", "1", "left")


def field(names: Iterable[str], role: str, habits: tuple[str, ...], mapping: Mapping[str, str]) -> str | None:
    """The field of a role: the one named, else the first that is called as such fields are."""
    if role in mapping:
        return mapping[role]
    there = {name.lower(): name for name in names}
    return next((there[habit] for habit in habits if habit in there), None)


def pool(names: Iterable[str]) -> dict[str, str]:
    """Role to column of a table of prompts and responses; a pair of columns gives two responses a row."""
    plain = {re.sub(r"\W+", "_", name.strip().lower()): name for name in names}
    mapping = {
        role: plain[habit]
        for role, habits in POOL.items()
        if (habit := next((h for h in habits if h in plain), None)) is not None
    }
    sides = [name for name in plain if (match := _SIDES.match(name)) and match[1] in RESPONSE]
    if "response" not in mapping and (both := pair(sides, {})) is not None:
        mapping |= {"response_a": plain[both[0]], "response_b": plain[both[1]]}
        for side, habit in zip("ab", both, strict=True):
            end = habit[-1]
            named = next((n for n in plain if re.fullmatch(rf"(source|model|generator)[-_ ]?{end}", n)), None)
            mapping |= {f"source_{side}": plain[named]} if named else {}
    return mapping


def without_side(name: str) -> str:
    """The name that two fields of a pair share.

    >>> without_side("clear_a"), without_side("clear")
    ('clear', 'clear')
    """
    match = _SIDES.match(name)
    return match[1] if match else name


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
