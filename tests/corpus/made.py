"""A made-up embedder for tests of the machinery: its vectors follow from the text alone, and mean nothing."""

import hashlib
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from judging.scorers import Embeddings

DIMENSIONS = 16


def vector(text: str) -> np.ndarray[Any, np.dtype[np.float32]]:
    seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
    made = np.random.default_rng(seed).normal(size=DIMENSIONS) + 1
    return (made / np.linalg.norm(made)).astype(np.float32)


class Made:
    model = "made"

    @property
    def identity(self) -> dict[str, Any]:
        return {"model": self.model, "dimensions": DIMENSIONS}

    def embed(self, texts: Sequence[str]) -> Embeddings:
        return Embeddings(np.array([vector(t) for t in texts]), np.array([len(t) > 60 for t in texts]))


class Other(Made):
    model = "another"


class Slow(Made):
    """Takes its time, so that a test can cut in."""

    def embed(self, texts: Sequence[str]) -> Embeddings:
        time.sleep(0.4)
        return super().embed(texts)
