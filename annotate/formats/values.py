"""Truth values, lists, objects and times out of cells: many ways in, one way out."""

import ast
import contextlib
import datetime as dt
import io
import json
import re
import tokenize
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
    for read in (json.loads, _literal):
        try:
            return read(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    raise ValueError(text[:80])


def _literal(text: str) -> object:
    if len(text) > LONGEST_LITERAL:
        raise ValueError(text[:80])
    return ast.literal_eval(_NanIsNone().visit(ast.parse(_with_commas(text), mode="eval")))


class _NanIsNone(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.copy_location(ast.Constant(None), node) if node.id == "nan" else node


def _with_commas(text: str) -> str:
    """numpy writes no commas between texts and between objects; Python would read two such texts as one."""
    lines, before, places = text.split("\n"), "", []
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except tokenize.TokenError as error:
        raise ValueError(text[:80]) from error
    for token in tokens:
        if token.type != tokenize.NL:
            kind = "text" if token.type == tokenize.STRING else token.string
            if (before, kind) in (("text", "text"), ("}", "{")):
                places.append(token.start)
            before = kind
    for row, column in reversed(places):
        line = lines[row - 1]
        lines[row - 1] = f"{line[:column]}, {line[column:]}"
    return "\n".join(lines)


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
