"""Whether machines underrate unusual answers, at equal human quality."""

from judging.audit.contrasts import ContrastRow, Contrasts, Grouping
from judging.audit.rows import ControlRow, Report, Row, adjusted_p, as_json, audit, json_of, report, to_read
from judging.audit.sources import (
    COSINE,
    NAMES,
    USUAL,
    Asked,
    AuditError,
    Sources,
    Unusual,
    by_words,
    named_ratings,
    ratings_of,
    scored_pool,
    sources,
)

__all__ = [
    "COSINE",
    "NAMES",
    "USUAL",
    "Asked",
    "AuditError",
    "ContrastRow",
    "Contrasts",
    "ControlRow",
    "Grouping",
    "Report",
    "Row",
    "Sources",
    "Unusual",
    "adjusted_p",
    "as_json",
    "audit",
    "by_words",
    "json_of",
    "named_ratings",
    "ratings_of",
    "report",
    "scored_pool",
    "sources",
    "to_read",
]
