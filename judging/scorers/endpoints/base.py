"""What endpoint scorers of every kind have in common."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import wraps
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from judging.scorers.endpoints.client import Answer, Budget, Call, Client, Limits, ShapeError
from judging.scorers.endpoints.replies import Replies
from judging.scorers.protocol import Embeddings, Identity, Scores, Verdicts

E = TypeVar("E", bound="Endpoint")
R = TypeVar("R")


def _in_shape(read: Callable[[Any, Any], R]) -> Callable[[Any, Any], R]:
    @wraps(read)
    def guarded(self: Any, body: Any) -> R:
        try:
            return read(self, body)
        except ShapeError:
            raise
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise expected("another shape of answer", body) from error

    return guarded


def expected(what: str, body: Any) -> ShapeError:
    """The error for an answer of another shape."""
    return ShapeError(f"expected {what}, found {str(body)[:120]}")


@runtime_checkable
class Remote(Protocol):
    """A scorer that asks elsewhere: it is told what was answered before, where it may call, and how often."""

    def connect(self, *, replies: Replies, allowed: Sequence[str] = (), budget: Budget | None = None) -> None:
        """Set what counts from now on."""
        ...

    @property
    def budget(self) -> Budget:
        """What was used since then."""
        ...


class Endpoint:
    """An endpoint and the model it serves.

    Parameters
    ----------
    url : str
        Without the path that the adapter adds.
    model : str
        As the server calls it.
    revision : str
        Of the model, where the server does not say it: another one makes another run and other calls.
    key_env : str, optional
        Environment variable with the key, ``…_API_KEY``.
    **limits
        Fields of `Limits`.
    """

    adapter = ""
    # Before the path in batch files, where there is no URL to hold it.
    root = ""

    def __init__(
        self, url: str, model: str, *, revision: str = "", key_env: str | None = None, **limits: Any
    ) -> None:
        known = {f.name for f in fields(Limits)}
        if unknown := set(limits) - known:
            raise TypeError(f"unknown: {', '.join(sorted(unknown))}; limits are {', '.join(sorted(known))}")
        self.model, self.revision, self.repeat = model, revision, 0
        self.client = Client(url, key_env, Limits(**limits))

    @property
    def settings(self) -> Identity:
        """What else changes the answers."""
        return {}

    @property
    def identity(self) -> Identity:
        """Adapter, model, revision and what else changes the answers; neither URL nor key."""
        identity = {"adapter": self.adapter, "model": self.model, "revision": self.revision} | self.settings
        return identity | ({"repeat": self.repeat} if self.repeat else {})

    @property
    def at_once(self) -> int:
        """How many responses are asked about before what was answered is stored."""
        return 4 * self.client.limits.concurrency

    @property
    def budget(self) -> Budget:
        """What was used since `connect`."""
        return self.client.budget

    def connect(self, *, replies: Replies, allowed: Sequence[str] = (), budget: Budget | None = None) -> None:
        """Set what was answered before, which private addresses may be called, and how much may be used."""
        self.client.replies, self.client.allowed = replies, tuple(allowed)
        self.client.budget = budget or Budget()

    def repeated(self: E, n: int) -> E:
        """The same, asked for the n-th time: what was answered before does not count."""
        again = copy.copy(self)
        again.repeat = n
        return again

    def __init_subclass__(cls, **more: Any) -> None:
        # An answer may hold anything where a number is expected; no adapter needs to think of all of it.
        super().__init_subclass__(**more)
        if "read" in vars(cls):
            cls.read = _in_shape(cls.read)  # type: ignore[attr-defined]

    def kept_as(self, body: Any) -> Any:
        """What of an answer is kept under the key of a single call. Raises ShapeError."""
        raise NotImplementedError

    def keyed(self, call: Call) -> tuple[str, Call]:
        """A call and the key under which its answer is kept."""
        return call.key(self.adapter, self.model, self.revision, self.repeat), call


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer says: a number, or why not; and the words."""

    value: float = float("nan")
    raw: str = ""
    error: str = ""
    truncated: bool = False


class PointwiseEndpoint(Endpoint):
    """Asks once for each response; adapters say what is asked and how the answer is read."""

    def call(self, prompt: str, response: str) -> Call:
        """What is asked about a response."""
        raise NotImplementedError

    def read(self, body: Any) -> Reading:
        """What the answer says. Raises ShapeError."""
        raise NotImplementedError

    def kept_as(self, body: Any) -> Any:
        """The whole answer."""
        self.read(body)
        return body

    def calls(self, prompt: str, response: str) -> list[tuple[str, Call]]:
        """Everything that is asked about a response, with keys."""
        return [self.keyed(self.call(prompt, response))]

    def score(self, prompts: Sequence[str], responses: Sequence[str]) -> Scores:
        """Return the endpoint's number for each response.

        Parameters
        ----------
        prompts, responses : sequence of str, length n

        Returns
        -------
        Scores
            NaN and an error where there was no answer or it held no number.

        Raises
        ------
        EndpointError, RefusedError
            If no further call would fare better.
        """
        calls = [self.keyed(self.call(p, r)) for p, r in zip(prompts, responses, strict=True)]
        readings = [_reading(self, answer) for answer in self.client.ask(calls, self.read)]
        return Scores(
            np.array([r.value for r in readings], dtype=np.float64),
            np.array([r.truncated for r in readings], dtype=np.bool_),
            [r.error for r in readings],
            [self.client.scrubbed(r.raw) for r in readings],
        )


class PairEndpoint(Endpoint):
    """Asks about each pair twice, once in each order."""

    def call(self, prompt: str, first: str, second: str) -> Call:
        """What is asked about two responses, shown in this order."""
        raise NotImplementedError

    def read(self, body: Any) -> Reading:
        """Preference for the response shown first, from -1 to 1. Raises ShapeError."""
        raise NotImplementedError

    def kept_as(self, body: Any) -> Any:
        """The whole answer."""
        self.read(body)
        return body

    def calls(self, prompt: str, first: str, second: str) -> list[tuple[str, Call]]:
        """Everything that is asked about a pair, with keys: straight, then swapped."""
        return [
            self.keyed(self.call(prompt, first, second)),
            self.keyed(self.call(prompt, second, first)),
        ]

    def compare(self, prompts: Sequence[str], firsts: Sequence[str], seconds: Sequence[str]) -> Verdicts:
        """Return the preference for the first response of each pair, by both orders.

        Parameters
        ----------
        prompts, firsts, seconds : sequence of str, length n

        Returns
        -------
        Verdicts
            Where one of the two orders failed, both are lost: half a comparison has its position bias in it.

        Raises
        ------
        EndpointError, RefusedError
            If no further call would fare better.
        """
        calls = [
            call
            for triple in zip(prompts, firsts, seconds, strict=True)
            for call in self.calls(triple[0], triple[1], triple[2])
        ]
        readings = [_reading(self, answer) for answer in self.client.ask(calls, self.read)]
        straight, swapped = readings[::2], readings[1::2]
        errors = [a.error or b.error for a, b in zip(straight, swapped, strict=True)]
        return Verdicts(
            _values(straight, errors),
            -_values(swapped, errors),
            errors,
            [
                self.client.scrubbed("\n\n— swapped —\n\n".join(r.raw for r in both if r.raw))
                for both in zip(straight, swapped, strict=True)
            ],
        )


def _values(readings: Sequence[Reading], errors: Sequence[str]) -> npt.NDArray[np.float64]:
    values = [np.nan if error else r.value for r, error in zip(readings, errors, strict=True)]
    return np.array(values, dtype=np.float64)


def _reading(endpoint: PointwiseEndpoint | PairEndpoint, answer: Answer) -> Reading:
    if answer.error:
        return Reading(error=answer.error)
    try:
        return endpoint.read(answer.body)
    except ShapeError as error:
        return Reading(error=str(error))


class EmbeddingEndpoint(Endpoint):
    """Asks for the vectors of many texts in one call, and keeps them one by one.

    Parameters
    ----------
    texts_a_call : int
        How many texts one call holds.
    prefix : str
        Put before every text, as models of the e5 family want it.
    """

    def __init__(
        self, url: str, model: str, *, texts_a_call: int = 32, prefix: str = "", **further: Any
    ) -> None:
        super().__init__(url, model, **further)
        self.texts_a_call, self.prefix = texts_a_call, prefix

    @property
    def settings(self) -> Identity:
        """The prefix."""
        return {"prefix": self.prefix}

    @property
    def at_once(self) -> int:
        """Enough for every connection to have a full call."""
        return 2 * self.client.limits.concurrency * self.texts_a_call

    def call(self, texts: Sequence[str]) -> Call:
        """What is asked."""
        raise NotImplementedError

    def read(self, body: Any) -> list[list[float]]:
        """The vectors, in the order of the texts. Raises ShapeError."""
        raise NotImplementedError

    def calls(self, text: str) -> list[tuple[str, Call]]:
        """What is asked about one text, with its key."""
        return [self.keyed(self.call([self.prefix + text]))]

    def kept_as(self, body: Any) -> Any:
        """The vector."""
        vectors = self.read(body)
        if len(vectors) != 1:
            raise expected("one vector", body)
        return vectors[0]

    def embed(self, texts: Sequence[str]) -> Embeddings:
        """Return a unit vector for each text.

        Parameters
        ----------
        texts : sequence of str, length n

        Returns
        -------
        Embeddings
            Rows of NaN, with an error, where there was no answer.

        Raises
        ------
        EndpointError, RefusedError
            If no further call would fare better.
        """
        keys = [self.calls(text)[0][0] for text in texts]
        text_of = dict(zip(keys, (self.prefix + text for text in texts), strict=True))
        vectors = self.client.replies.known(text_of)
        errors = self._ask([key for key in text_of if key not in vectors], text_of, vectors)
        width = len(next(iter(vectors.values()), []))
        array = np.full((len(keys), width), np.nan)
        for row, key in enumerate(keys):
            if len(vectors.get(key, [])) == width:
                array[row] = vectors.get(key, np.nan)
        with np.errstate(invalid="ignore"):
            array /= np.linalg.norm(array, axis=1, keepdims=True)
        messages = [errors.get(key, "") for key in keys]
        broken = ~np.isfinite(array).all(axis=1)
        return Embeddings(
            array.astype(np.float32),
            np.zeros(len(keys), dtype=np.bool_),
            [
                e or ("a vector of zeros or of another length" if b else "")
                for e, b in zip(messages, broken, strict=True)
            ],
        )

    def _ask(
        self, keys: Sequence[str], text_of: Mapping[str, str], vectors: dict[str, list[float]]
    ) -> dict[str, str]:
        """Fill in the vectors that are not known; returns what went wrong, by key."""
        groups: dict[str, tuple[Sequence[str], Call]] = {}
        for start in range(0, len(keys), self.texts_a_call):
            group = keys[start : start + self.texts_a_call]
            key, call = self.keyed(self.call([text_of[k] for k in group]))
            groups[key] = group, call

        def keep(key: str, body: Any) -> None:
            for one, vector in zip(groups[key][0], self.read(body), strict=False):
                vectors[one] = vector
                self.client.replies.keep(one, vector)

        answers = self.client.ask_anew({key: call for key, (_, call) in groups.items()}, self.read, keep)
        return {
            one: answers[key].error or "fewer vectors than texts"
            for key, (group, _) in groups.items()
            for one in group
            if one not in vectors
        }
