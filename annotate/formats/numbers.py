"""Numbers as people and spreadsheets write them. Which mark is the decimal one is settled for a whole column."""

import math
import re
from collections.abc import Iterable
from decimal import Decimal

_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?")
# A space, a narrow one, or an apostrophe between groups of three says nothing about the decimal mark.
_GROUPS = re.compile(r"(?<=\d)[ \u00a0\u202f\u2009'’](?=\d{3}(?!\d))")
_POINT = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
_COMMA = re.compile(r"[+-]?([1-9]\d{0,2}(\.\d{3})+|\d+)(,\d+)?")

MISSING = ("", "nan", "na", "n/a", "<na>", "null", "none", "-")
EITHER = "a column whose commas mark either thousands or decimals (--decimal . or --decimal ,)"


class AmbiguousError(ValueError):
    """A number that its column doesn't settle."""


def is_missing(value: object) -> bool:
    """Nothing, NaN, or a word that people write for no number and no vote. For texts these are words."""
    if isinstance(value, str):
        return value.strip().lower() in MISSING
    return value is None or (isinstance(value, float | Decimal) and math.isnan(value))


def parse(text: str, decimal: str) -> float | None:
    """The number, if its decimal mark is the given one.

    >>> parse("1,002", "."), parse("1,002", ","), parse("0,5", ".")
    (1002.0, 1.002, None)
    """
    text = _GROUPS.sub("", text.strip())
    if decimal == ".":
        if _PLAIN.fullmatch(text):
            return float(text)
        return float(text.replace(",", "")) if _POINT.fullmatch(text) else None
    if _COMMA.fullmatch(text):
        return float(text.replace(".", "").replace(",", "."))
    # No mark at all, or an exponent.
    return float(text) if _PLAIN.fullmatch(text) and "." not in text else None


def decimal_mark(texts: Iterable[str]) -> str | None:
    """The mark by which every number of a column can be read; none where both do, differently, or neither does."""
    point = comma = True
    marked = False
    for text in texts:
        by_point, by_comma = parse(text, "."), parse(text, ",")
        if by_point is None and by_comma is None:
            # No number at all: told where it is read.
            continue
        point, comma = point and by_point is not None, comma and by_comma is not None
        marked = marked or "," in text or by_point is None
    if not marked:
        return "."
    return None if point == comma else "." if point else ","


def is_plain(text: str) -> bool:
    return bool(_PLAIN.fullmatch(text.strip()))


def is_number(text: str) -> bool:
    """Whether a text is a number by either mark."""
    return parse(text, ".") is not None or parse(text, ",") is not None


def needs_mark(text: str) -> bool:
    """Whether only its column can tell what a number is: it has a comma, or a point that may mark thousands."""
    return not is_plain(text) or parse(text, ",") not in (None, parse(text, "."))


def number(value: object, mark: str | None = None) -> float | None:
    """A finite number, also from a cell; None for a missing one; ValueError for anything else.

    `mark` is the decimal mark of the column; by itself a cell is read if only one mark fits.
    """
    if is_missing(value):
        return None
    if isinstance(value, list) and len(value) == 1:
        return number(value[0], mark)  # scores nested as [[x]]
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        value = _cell(value, mark)
    if not isinstance(value, int | float | Decimal) or not _is_finite(value):
        raise ValueError(str(value)[:80])
    return float(value)


def _is_finite(value: float | Decimal) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        # A whole number beyond all floats.
        return False


def as_whole(value: object) -> object:
    """An int for 1.0, as pandas writes the whole numbers of a column with gaps; anything else as it is."""
    if isinstance(value, float | Decimal) and math.isfinite(value) and value == int(value):
        return int(value)
    return value


def _cell(text: str, mark: str | None) -> float:
    mark = mark or decimal_mark([text])
    if mark is None:
        raise AmbiguousError(text)
    if (parsed := parse(text, mark)) is None:
        raise ValueError(text)
    return parsed
