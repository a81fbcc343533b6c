"""Lists of labels without names, as published data sets hold them: so many an item, some missing."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence

import numpy as np

from judging.stats.core.estimate import IntArray


def label_counts(labels: Iterable[object], values: Sequence[float]) -> IntArray:
    """Return how many annotators gave each value to each item.

    Parameters
    ----------
    labels : iterable of length n
        The labels of each item: a list, tuple or array of numbers, as long as it happens to be; a list as JSON
        text; or None or NaN for an item without labels. Labels that are None, NaN or empty text are missing.
    values : sequence of float, length V
        Admissible values.

    Returns
    -------
    ndarray of int, shape (n, V)
        A row of zeros for an item without labels.

    Raises
    ------
    ValueError
        If an entry is no list, or a label is no number or not admissible; the message counts items from 0.

    Notes
    -----
    Files in the shape of the Infinity-Chat releases (user_query, response, human_labels; user_query, response_1,
    response_2, human_labels with -2 to 2) hold 23 to 26 labels an item and no annotators, so that neither
    intervals over annotators nor underrating can be computed from them.
    """
    column = {float(value): number for number, value in enumerate(values)}
    rows = []
    for item, entry in enumerate(labels):
        row = [0] * len(column)
        for label in _list(entry, item):
            number = _number(label, item)
            if number is None:
                continue
            if number not in column:
                raise ValueError(f"Item {item}: label {label!r} is not one of {list(values)}.")
            row[column[number]] += 1
        rows.append(row)
    return np.array(rows, dtype=np.int64).reshape(len(rows), len(column))


def _list(entry: object, item: int) -> Iterable[object]:
    """Return an item's labels, none for a missing list."""
    if entry is None or (isinstance(entry, float) and math.isnan(entry)):
        return []
    if isinstance(entry, str):
        return _list(_parsed(entry, item), item)
    if isinstance(entry, list | tuple | np.ndarray):
        return list(entry)
    raise ValueError(f"Item {item}: expected a list of labels, found {entry!r}.")


def _parsed(text: str, item: int) -> object:
    """Return what JSON text holds, None for empty text."""
    if not text.strip():
        return None
    try:
        parsed: object = json.loads(text)
    except json.JSONDecodeError:
        parsed = text
    if isinstance(parsed, str):
        raise ValueError(f"Item {item}: {text[:40]!r} is no list of labels.")  # noqa: TRY004
    return parsed


def _number(label: object, item: int) -> float | None:
    """Return a label as a number, None where it is missing."""
    if label is None or (isinstance(label, str) and not label.strip()):
        return None
    try:
        number = float(label)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ValueError(f"Item {item}: label {label!r} is no number.") from None
    return None if math.isnan(number) else number
