"""Embedders by sentence-transformers: any model, by its name or a folder."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from judging.scorers.protocol import Embeddings, Identity


def weights_of(model: str) -> Identity:
    """What pins a model in a folder: one sha256 over its weights, its configuration and its tokenizer.

    Parameters
    ----------
    model : str
        A folder, or the name of a model that is in the local cache.

    Returns
    -------
    dict
        ``sha256``; empty for a name, which the revision must pin.
    """
    kinds = {".safetensors", ".bin", ".json", ".jinja", ".model", ".txt"}
    files = sorted(p for p in Path(model).glob("**/*") if p.suffix in kinds)
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as weights:
            digest.update(hashlib.file_digest(weights, "sha256").digest())
    return {"sha256": digest.hexdigest()} if files else {}


class SentenceEmbedder:
    """Any model that sentence-transformers loads. It runs on a GPU where there is one.

    Parameters
    ----------
    model : str
        Folder, or a name that the local cache knows: nothing is downloaded.
    prefix : str
        Put before every text; the e5 family wants ``"query: "``.
    prompt : str, optional
        Name of one of the model's own prompts, put before every text.
    languages : iterable of str, optional
        Codes of the languages the model knows; without them nothing is warned about.
    max_tokens : int, optional
        What is read of a text; the model's own limit if that is smaller.
    revision : str, optional
        Of a model by name.
    batch_size : int
        Texts computed at once.
    """

    def __init__(
        self,
        model: str,
        *,
        prefix: str = "",
        prompt: str | None = None,
        languages: Iterable[str] | None = None,
        max_tokens: int | None = None,
        revision: str | None = None,
        batch_size: int = 32,
    ) -> None:
        os.environ["HF_HUB_OFFLINE"] = "1"
        from sentence_transformers import SentenceTransformer
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()  # type: ignore[no-untyped-call]
        self.name, self.revision, self.batch_size = model, revision, batch_size
        self._model = SentenceTransformer(model, revision=revision, local_files_only=True)
        own = self._model.max_seq_length
        limits = [n for n in (own, max_tokens) if n]
        self.max_tokens = min(limits) if limits else None
        if self.max_tokens:
            self._model.max_seq_length = self.max_tokens
        if prompt is not None and prompt not in self._model.prompts:
            raise ValueError(
                f"{model} has no prompt {prompt!r}; it has {', '.join(self._model.prompts) or 'none'}"
            )
        self.prefix = (self._model.prompts[prompt] or "") + prefix if prompt is not None else prefix
        self.languages = None if languages is None else frozenset(languages)

    @property
    def identity(self) -> Identity:
        """Model, hash of its weights, what is put before texts, and the version of what runs it."""
        return {
            "model": Path(self.name).name if Path(self.name).exists() else self.name,
            "revision": self.revision,
            **weights_of(self.name),
            "prefix": self.prefix,
            "max_tokens": self.max_tokens,
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
        """
        whole = [self.prefix + text for text in texts]
        # No prompt of the model's own besides: it would be put before the prefix unasked.
        vectors = self._model.encode(
            whole,
            prompt="",
            batch_size=self.batch_size,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return Embeddings(np.asarray(vectors, dtype=np.float32), self._truncated(whole))

    def _truncated(self, texts: Sequence[str]) -> npt.NDArray[np.bool_]:
        cut = np.zeros(len(texts), dtype=np.bool_)
        # A token is a character at least, so a short text needs no counting.
        long = [n for n, text in enumerate(texts) if self.max_tokens and len(text) > self.max_tokens - 2]
        if long:
            tokens: Any = self._model.tokenizer([texts[i] for i in long], truncation=False, verbose=False)
            cut[long] = [len(ids) > (self.max_tokens or 0) for ids in tokens["input_ids"]]
        return cut
