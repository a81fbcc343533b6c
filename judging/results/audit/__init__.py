"""Whether machines underrate unusual answers, at equal human quality."""

from judging.results.audit.inputs import (
    Sources,
    Unusual,
    by_words,
    named_ratings,
    pool_sources,
    ratings_of,
    scored_pool,
    sources,
)
from judging.results.audit.options import COSINE, DEFAULTS, NAMES, AuditOptions
from judging.results.audit.report import Audit, Row

__all__ = [
    "COSINE",
    "DEFAULTS",
    "NAMES",
    "Audit",
    "AuditOptions",
    "Row",
    "Sources",
    "Unusual",
    "by_words",
    "named_ratings",
    "pool_sources",
    "ratings_of",
    "scored_pool",
    "sources",
]
