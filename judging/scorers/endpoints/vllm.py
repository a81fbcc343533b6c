"""vLLM's own paths for reward models and rerankers. `url` is the server's, without ``/v1``.

References
----------
vLLM's documentation of pooling models; ``vllm serve MODEL --runner pooling``.
"""

from typing import Any

from judging.scorers.endpoints.base import PointwiseEndpoint, Reading, expected
from judging.scorers.endpoints.client import Call
from judging.scorers.protocol import Identity


class _Pooling(PointwiseEndpoint):
    """A conversation in, one number out, without sigmoid or softmax: with one logit these saturate or are 1.

    Parameters
    ----------
    max_tokens : int, optional
        What the model reads; the server cuts longer conversations there, and they are marked.
    """

    path = ""

    def __init__(self, url: str, model: str, *, max_tokens: int | None = None, **further: Any) -> None:
        super().__init__(url, model, **further)
        self.max_tokens = max_tokens

    @property
    def settings(self) -> Identity:
        """How much is read."""
        return {"max_tokens": self.max_tokens}

    def call(self, prompt: str, response: str) -> Call:
        """What is asked about a response."""
        conversation = [{"role": "user", "content": prompt}, {"role": "assistant", "content": response}]
        body: dict[str, Any] = {"model": self.model, "messages": conversation, "use_activation": False}
        # -1: as long as the model reads.
        return Call(self.path, body | {"truncate_prompt_tokens": self.max_tokens or -1} | self.more())

    def more(self) -> dict[str, Any]:
        """What this path wants besides."""
        return {}

    def cut(self, body: Any) -> bool:
        """Whether the server used as many tokens as it may."""
        used = (body.get("usage") or {}).get("prompt_tokens") if isinstance(body, dict) else None
        return self.max_tokens is not None and isinstance(used, int) and used >= self.max_tokens


class Classify(_Pooling):
    """``/classify``: a reward model served as a classifier.

    Parameters
    ----------
    label : int
        Which of several outputs is the score.
    """

    adapter, path = "vllm classify", "/classify"

    def __init__(self, url: str, model: str, *, label: int | None = None, **further: Any) -> None:
        super().__init__(url, model, **further)
        self.label = label

    @property
    def settings(self) -> Identity:
        """How much is read, and which output."""
        return super().settings | {"label": self.label}

    def read(self, body: Any) -> Reading:
        """The raw output. Raises ShapeError."""
        try:
            probs = body["data"][0]["probs"]
            if self.label is None and len(probs) != 1:
                raise expected("one output (name one by `label`)", probs)
            value = float(probs[self.label or 0])
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise expected('{"data": [{"probs": [number]}]}', body) from error
        return Reading(value, truncated=self.cut(body))


class Pooling(_Pooling):
    """``/pooling``: the same for servers without ``/classify``, and for reward models that score every token.

    Parameters
    ----------
    every_token : bool
        The model scores every token; the last one's score is the conversation's.
    """

    adapter, path = "vllm pooling", "/pooling"

    def __init__(self, url: str, model: str, *, every_token: bool = False, **further: Any) -> None:
        super().__init__(url, model, **further)
        self.every_token = every_token

    @property
    def settings(self) -> Identity:
        """How much is read, and whether every token is scored."""
        return super().settings | {"every_token": self.every_token}

    def more(self) -> dict[str, Any]:
        """The task."""
        return {"task": "token_classify" if self.every_token else "classify"}

    def read(self, body: Any) -> Reading:
        """The raw output; of the last token where every one has one. Raises ShapeError."""
        try:
            data = body["data"][0]["data"]
            last = data[-1] if self.every_token else data
            (value,) = last if isinstance(last, list) else [last]
            return Reading(float(value), truncated=self.cut(body))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise expected('{"data": [{"data": [number]}]}', body) from error


class Score(PointwiseEndpoint):
    """``/score``: a cross-encoder's number for prompt and response.

    Parameters
    ----------
    old_names : bool
        For servers that know ``text_1`` and ``text_2`` only.
    """

    adapter = "vllm score"

    def __init__(self, url: str, model: str, *, old_names: bool = False, **further: Any) -> None:
        super().__init__(url, model, **further)
        self.names = ("text_1", "text_2") if old_names else ("queries", "documents")

    def call(self, prompt: str, response: str) -> Call:
        """What is asked about a response."""
        query, document = self.names
        return Call("/score", {"model": self.model, query: prompt, document: [response]})

    def read(self, body: Any) -> Reading:
        """The score. Raises ShapeError."""
        try:
            return Reading(float(body["data"][0]["score"]))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise expected('{"data": [{"score": number}]}', body) from error
