"""PURE: whether answers are as a practice or gold item expects.

`item.expected` names criteria by key, each with what is admitted: a value, a list of values, or, for a kind that
asks each response, an object from response key to one of these. A preference expects a response key or one of tie,
both_good, both_bad, cannot_tell; an odd one out a response key. `explain` is a text for the annotator.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from annotate.kinds import Kind
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
    if rows[0].criterion.kind == Kind.GROUPING:
        return _same_piles(want, {key: by_key[key].value for key in want})
    return all(_admitted(one, by_key[key]) for key, one in want.items())


def admissible(want: Any) -> list[Any]:
    return list(want) if isinstance(want, (list, tuple)) else [want]


def _admitted(want: Any, row: Answer) -> bool:
    said = _said(row)
    return said is not None and said in map(_plain, admissible(want))


def _said(row: Answer) -> str | float | None:
    """What of the row an expected value is compared with."""
    if row.criterion.kind in (Kind.PREFERENCE, Kind.ODD_ONE_OUT):
        words = row.response.key if row.response else row.label
    elif row.value is not None:
        return row.value
    else:
        words = row.text
    return words.strip().casefold() or None


def _plain(value: Any) -> Any:
    """Numbers as numbers, words without regard to case and blanks around."""
    return value.strip().casefold() if isinstance(value, str) else value


def _same_piles(want: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    """Pile numbers mean nothing: what counts is which responses lie together."""
    if None in given.values():
        return False
    return all((want[a] == want[b]) == (given[a] == given[b]) for a, b in combinations(want, 2))
