"""OpenAI-style ``/embeddings``. `url` goes up to and with ``/v1``."""

from collections.abc import Sequence
from typing import Any

from judging.scorers.endpoints.base import EmbeddingEndpoint, expected
from judging.scorers.endpoints.client import Call
from judging.scorers.protocol import Identity


class Embeddings(EmbeddingEndpoint):
    """Any server that speaks it.

    Parameters
    ----------
    dimensions : int, optional
        For models that can give shorter vectors.
    """

    adapter, root = "openai embeddings", "/v1"

    def __init__(self, url: str, model: str, *, dimensions: int | None = None, **further: Any) -> None:
        super().__init__(url, model, **further)
        self.dimensions = dimensions

    @property
    def settings(self) -> Identity:
        """Prefix and dimensions."""
        return super().settings | {"dimensions": self.dimensions}

    def call(self, texts: Sequence[str]) -> Call:
        """What is asked."""
        body: dict[str, Any] = {"model": self.model, "input": list(texts), "encoding_format": "float"}
        return Call("/embeddings", body | ({"dimensions": self.dimensions} if self.dimensions else {}))

    def read(self, body: Any) -> list[list[float]]:
        """The vectors, sorted by their index. Raises ShapeError."""
        try:
            rows = sorted(body["data"], key=lambda row: row["index"])
            return [[float(x) for x in row["embedding"]] for row in rows]
        except (KeyError, TypeError, ValueError) as error:
            raise expected('{"data": [{"index": n, "embedding": [number, …]}]}', body) from error
