"""What about an annotator's work is worth a look: by intervals and beside the others, so that few are by chance."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from judging.monitor.annotator_quality import AnnotatorQuality

# An item in less than a second of active time was not read.
HASTY = 1.0
# Shares, and SDs of severity, beyond which the whole interval lies.
OFTEN, ONE_SIDED, ALIKE, STRICT = 0.25, 0.65, 0.2, 1.0


def with_concerns(rows: Sequence[AnnotatorQuality]) -> list[AnnotatorQuality]:
    """The same rows, each with its concerns."""
    known = [row.rest.estimate for row in rows if row.rest.estimate is not None]
    median = float(np.median(known)) if len(known) > 2 else None
    return [replace(row, concerns=_concerns(row, median)) for row in rows]


def _concerns(row: AnnotatorQuality, median: float | None) -> dict[str, str]:
    """Columns of the table, and what is unusual there in words."""
    seen = {
        "gold": row.gold_says_something and 2 * row.gold_met < row.gold,
        "active": row.active_s is not None and row.active_s < HASTY,
        "fast": _above(row.fast.low, OFTEN),
        "again": row.same_expected is not None and _above(row.same_again.low, row.same_expected + ALIKE),
        "first": _above(row.first_side.low, ONE_SIDED) or _below(row.first_side.high, 1 - ONE_SIDED),
        "rest": median is not None and median > 0 and _below(row.rest.high, median / 2),
        "severity": _above(row.severity.low, STRICT) or _below(row.severity.high, -STRICT),
    }
    return {name: WORDS[name] for name, is_unusual in seen.items() if is_unusual}


WORDS = {
    "gold": "missed most gold items",
    "active": "under a second an item",
    "fast": "often much faster than usual",
    "again": "often answers as on the previous screen",
    "first": "keeps to one side of pairs",
    "rest": "follows the others less than half as much as is usual",
    "severity": "far stricter or milder than the others",
}


def _above(value: float | None, bound: float) -> bool:
    return value is not None and value > bound


def _below(value: float | None, bound: float) -> bool:
    return value is not None and value < bound
