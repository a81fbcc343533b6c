"""Machine scores, scoring runs, and webhooks."""

from judging.models.pools import PoolSummary, PoolUnusualness
from judging.models.scores import (
    Embedding,
    EmbeddingQuerySet,
    Score,
    ScoreQuerySet,
    ScoreRun,
    ScoreRunQuerySet,
    Verdict,
    VerdictQuerySet,
    unknown_languages,
)
from judging.models.webhooks import Delivery, Webhook
from judging.models.work import FileReply, Reply, ScoringTask, ScoringTaskQuerySet

__all__ = [
    "Delivery",
    "Embedding",
    "EmbeddingQuerySet",
    "FileReply",
    "PoolSummary",
    "PoolUnusualness",
    "Reply",
    "Score",
    "ScoreQuerySet",
    "ScoreRun",
    "ScoreRunQuerySet",
    "ScoringTask",
    "ScoringTaskQuerySet",
    "Verdict",
    "VerdictQuerySet",
    "Webhook",
    "unknown_languages",
]
