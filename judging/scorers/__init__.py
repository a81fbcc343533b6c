"""PURE: text in, numbers out. Heavy libraries are imported when a scorer is made, never before."""

from judging.scorers.protocol import Embedder, Embeddings, Scorer, Scores, load

__all__ = ["Embedder", "Embeddings", "Scorer", "Scores", "load"]
