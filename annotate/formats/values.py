"""Truth values, lists, objects and times out of cells: many ways in, one way out."""

import ast
import contextlib
import datetime as dt
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from .json_rows import check_values
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
    with contextlib.suppress(ValueError):
        if isinstance(elements := written_value(text), list | tuple):
            return list(elements)
    if re.fullmatch(r"\[[\s\d.+\-eEnaN]*\]", text):
        return text[1:-1].split()
    raise ValueError(value)


def written_value(text: str) -> object:
    """What is written into a cell as JSON, as Python does it or as numpy does it; ValueError otherwise."""
    text = text.strip()
    check_values(text)
    for read in (json.loads, _literal, _array):
        try:
            return read(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    raise ValueError(text[:80])


def _array(text: str) -> object:
    """numpy writes no commas between objects."""
    _check_short(text)
    return _literal(re.sub(r"\}\s*\n\s*\{", "}, {", text))


def _literal(text: str) -> object:
    _check_short(text)
    return ast.literal_eval(re.sub(r"\bnan\b", "None", text))


def _check_short(text: str) -> None:
    if len(text) > LONGEST_LITERAL:
        raise ValueError(text[:80])


def as_object(value: object) -> Mapping[str, Any]:
    """An object, also written into a cell; ValueError otherwise."""
    if isinstance(value, str):
        try:
            check_values(value)
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise ValueError(value) from error
    if not isinstance(value, Mapping):
        raise TypeError(value)
    return value


# Seconds since 1970 of the years that anybody may have judged in, 2001 to 2096; and how many of a unit one has.
EPOCHS, UNITS = (1e9, 4e9), (1, 1e3, 1e6, 1e9)


def time(value: object) -> str | None:
    """An ISO 8601 time, also from seconds, or parts of them, since 1970; None for what can't be understood.

    >>> time("1717171717"), time(1717171717000), time(20240531), time(12345)
    ('2024-05-31T16:08:37+00:00', '2024-05-31T16:08:37+00:00', '2024-05-31T00:00:00', None)
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and re.fullmatch(r"\d{10,19}(\.\d+)?", value.strip()):
        value = float(value)
    if isinstance(value, int | float | Decimal):
        seconds = [float(value) / unit for unit in UNITS if EPOCHS[0] * unit <= value <= EPOCHS[1] * unit]
        value = dt.datetime.fromtimestamp(seconds[0], dt.UTC) if seconds else str(value)
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    return value.isoformat() if isinstance(value, dt.date) else None
