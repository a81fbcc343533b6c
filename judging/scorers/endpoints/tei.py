"""Text Embeddings Inference: ``/predict`` for reward models and classifiers, ``/embed`` for embedders.

References
----------
Hugging Face, Text Embeddings Inference 1.9, OpenAPI description.
"""

from collections.abc import Sequence
from typing import Any

from judging.scorers.endpoints.base import EmbeddingEndpoint, PointwiseEndpoint, Reading, expected
from judging.scorers.endpoints.client import Call
from judging.scorers.endpoints.rubrics import filled
from judging.scorers.protocol import Identity


class Predict(PointwiseEndpoint):
    """``/predict`` with raw scores.

    Parameters
    ----------
    template : str, optional
        Text with ``{prompt}`` and ``{response}``: the server has no chat template, so a reward model's is written
        here as its model card says. Without one, prompt and response go as a pair, as cross-encoders want them.
    label : str, optional
        Which of several outputs is the score.
    """

    adapter = "tei predict"

    def __init__(
        self, url: str, model: str, *, template: str | None = None, label: str | None = None, **further: Any
    ) -> None:
        super().__init__(url, model, **further)
        self.template, self.label = template, label

    @property
    def settings(self) -> Identity:
        """Template and label."""
        return {"template": self.template, "label": self.label}

    def call(self, prompt: str, response: str) -> Call:
        """What is asked about a response."""
        text = self.template and filled(self.template, prompt=prompt, response=response)
        # A list in a list: a flat list of two texts would be one pair, and one text comes back flat.
        inputs = [[text]] if text else [[prompt, response]]
        return Call("/predict", {"inputs": inputs, "raw_scores": True, "truncate": True})

    def read(self, body: Any) -> Reading:
        """The raw score. Raises ShapeError."""
        try:
            scores = {one["label"]: float(one["score"]) for one in body[0]}
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise expected('[[{"label": text, "score": number}]]', body) from error
        if self.label is None and len(scores) == 1:
            return Reading(next(iter(scores.values())))
        if self.label not in scores:
            raise expected(f"the label {self.label!r} (name one by `label`)", sorted(scores))
        return Reading(scores[self.label])


class Embed(EmbeddingEndpoint):
    """``/embed``. `model` and `revision` say what the server serves; they are stored, not sent."""

    adapter = "tei embed"

    def call(self, texts: Sequence[str]) -> Call:
        """What is asked."""
        return Call("/embed", {"inputs": list(texts), "normalize": True, "truncate": True})

    def read(self, body: Any) -> list[list[float]]:
        """The vectors. Raises ShapeError."""
        try:
            return [[float(x) for x in vector] for vector in body]
        except (TypeError, ValueError) as error:
            raise expected("[[number, …], …]", body) from error
