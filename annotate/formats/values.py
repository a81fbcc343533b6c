"""Truth values, lists, objects and times out of cells: many ways in, one way out."""

import ast
import datetime as dt
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from .numbers import as_whole, is_missing

# Beyond it only JSON is read: Python's own reader takes 500 bytes of memory for each one it reads.
LONGEST_LITERAL = 2**16
_TRUTH = {
    **dict.fromkeys(("true", "t", "yes", "y", "1", "1.0"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0", "0.0"), False),
}


def truth(value: object) -> bool:
    """Yes or no, by the words and numbers that mean it; ValueError for any other.

    >>> truth(1.0), truth("FALSE"), truth("0.0"), truth("no")
    (True, False, False, False)
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float | Decimal):
        value = str(as_whole(value))
    word = value.strip().lower() if isinstance(value, str) else ""
    if word not in _TRUTH:
        raise ValueError(value)
    return _TRUTH[word]


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
            elements = read(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if isinstance(elements, list | tuple):
            return list(elements)
    if re.fullmatch(r"\[[\s\d.+\-eEnaN]*\]", text):
        return text[1:-1].split()
    raise ValueError(value)


def _literal(text: str) -> object:
    if len(text) > LONGEST_LITERAL:
        raise ValueError(text[:80])
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


def time(value: object) -> str | None:
    """An ISO 8601 time, also from seconds or milliseconds since 1970; None for what can't be understood.

    >>> time("1717171717"), time(1717171717000)
    ('2024-05-31T16:08:37+00:00', '2024-05-31T16:08:37+00:00')
    """
    if isinstance(value, str) and re.fullmatch(r"\d{9,13}(\.\d+)?", value.strip()):
        value = float(value)
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e14:
        seconds = value / 1000 if value >= 1e11 else value
        moment = dt.datetime.fromtimestamp(seconds, dt.UTC)
        return moment.isoformat()
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    return value.isoformat() if isinstance(value, dt.datetime) else None
