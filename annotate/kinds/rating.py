from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .base import Measure, Scaled, Value

if TYPE_CHECKING:
    from annotate.models import Criterion


class Rating(Scaled):
    """A point of a scale for each response."""

    name = "rating"
    measures = Measure.QUALITY
    per_response = True
    rates = True

    def expectation(self, criterion: "Criterion", rows: Sequence[Value], tolerance: int = 0) -> Any:
        wanted = super().expectation(criterion, rows, tolerance)
        # Of a single response no key is needed.
        return next(iter(wanted.values())) if wanted and len(rows) == 1 else wanted
