"""PURE: whether answers are as a practice or gold item expects.

`item.expected` names criteria by key, each with what is admitted: a value, a list of values, or, for a kind that
asks each response, an object from response key to one of these. A preference expects a response key or one of tie,
both_good, both_bad, cannot_tell; an odd one out a response key. `explain` is a text for the annotator.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from annotate.kinds import kind_of
from annotate.models import Answer

EXPLAIN = "explain"


def met(expected: Mapping[str, Any] | None, rows: Sequence[Answer]) -> bool | None:
    """Whether all that is expected was answered; None where nothing is. Rows come with criterion and response."""
    wanted = by_criterion(expected)
    if not wanted:
        return None
    return all(
        met_criterion(want, [r for r in rows if r.criterion.key == key]) for key, want in wanted.items()
    )


def by_criterion(expected: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: want for key, want in (expected or {}).items() if key != EXPLAIN}


def met_criterion(want: Any, rows: Sequence[Answer]) -> bool:
    """The same for one criterion and its rows; a question left open meets nothing."""
    if not rows:
        return False
    if not isinstance(want, Mapping):
        return all(_admitted(want, row) for row in rows)
    by_key = {row.response.key: row for row in rows if row.response}
    if not want.keys() <= by_key.keys():
        return False
    together = kind_of(rows[0].criterion).meets(want, by_key)
    return together if together is not None else all(_admitted(one, by_key[key]) for key, one in want.items())


def admissible(want: Any) -> list[Any]:
    return list(want) if isinstance(want, (list, tuple)) else [want]


def _admitted(want: Any, row: Answer) -> bool:
    words = _plain(kind_of(row.criterion).comparable(row))
    return words not in (None, "") and words in map(_plain, admissible(want))


def _plain(value: Any) -> Any:
    """Numbers as numbers, words without regard to case and blanks around."""
    return value.strip().casefold() if isinstance(value, str) else value
