"""PURE: text in, numbers out. Heavy libraries are imported when a scorer is made, never before."""

from judging.scorers.protocol import (
    NOT_ASKED,
    AnyScorer,
    Embedder,
    Embeddings,
    PairJudge,
    Scorer,
    Scores,
    Verdicts,
    load,
    load_entry,
)

__all__ = [
    "NOT_ASKED",
    "AnyScorer",
    "Embedder",
    "Embeddings",
    "PairJudge",
    "Scorer",
    "Scores",
    "Verdicts",
    "load",
    "load_entry",
]
