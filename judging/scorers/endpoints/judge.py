"""LLM judges behind an OpenAI-compatible ``/chat/completions``. `url` goes up to and with ``/v1``."""

import copy
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from judging.scorers.endpoints import rubrics
from judging.scorers.endpoints.base import Endpoint, PairEndpoint, PointwiseEndpoint, Reading, expected
from judging.scorers.endpoints.client import Call
from judging.scorers.protocol import Identity

LEAST_MASS = 0.5
"""Of the first token's probability that must lie on answers; below it the judge was saying something else."""

J = TypeVar("J", bound="_Chat")


class _Chat(Endpoint):
    """What both kinds of judge have in common.

    Parameters
    ----------
    rubric : str, optional
        Template of what the judge is told.
    paraphrases : sequence of str, optional
        Other wordings of the rubric, for the audit of the judge itself.
    schema : bool
        Ask for JSON by a schema. False for servers that refuse one; the answer is then read from free text.
    logprobs : bool
        Ask for one token and take the expectation over its probabilities: finer than whole numbers.
    temperature, seed, max_tokens
        Sent as they are; None is not sent. A judge asked again gets another seed.
    extra : mapping, optional
        Sent besides, such as ``{"max_completion_tokens": 512}`` for servers that want that name.
    """

    root = "/v1"
    rubric_names: tuple[str, ...] = ()
    default_rubric = ""
    default_paraphrases: tuple[str, ...] = ()

    def __init__(
        self,
        url: str,
        model: str,
        *,
        rubric: str | None = None,
        paraphrases: Sequence[str] | None = None,
        schema: bool = True,
        logprobs: bool = False,
        temperature: float | None = 0.0,
        seed: int | None = 7,
        max_tokens: int | None = 512,
        extra: Mapping[str, Any] | None = None,
        **further: Any,
    ) -> None:
        super().__init__(url, model, **further)
        own = self.default_paraphrases if rubric is None else ()
        self.rubric = rubrics.checked(rubric or self.default_rubric, self.rubric_names)
        self.paraphrases = [
            rubrics.checked(p, self.rubric_names) for p in (own if paraphrases is None else paraphrases)
        ]
        self.schema, self.logprobs = schema, logprobs
        self.temperature, self.seed, self.extra = temperature, seed, dict(extra or {})
        self.max_tokens = 1 if logprobs else max_tokens

    @property
    def settings(self) -> Identity:
        """Rubric, form of the answer, sampling."""
        settings = {"rubric": self.rubric, "schema": self.schema, "logprobs": self.logprobs}
        sampling = {"temperature": self.temperature, "seed": self.seed, "max_tokens": self.max_tokens}
        return settings | sampling | ({"extra": self.extra} if self.extra else {})

    def reworded(self: J, n: int) -> J:
        """The same judge with its n-th paraphrase."""
        other = copy.copy(self)
        other.rubric = self.paraphrases[n]
        return other

    def chat(self, message: str, schema: Mapping[str, Any]) -> Call:
        """One message, and how the answer should look."""
        body: dict[str, Any] = {"model": self.model, "messages": [{"role": "user", "content": message}]}
        seed = None if self.seed is None else self.seed + self.repeat
        sampling = {"temperature": self.temperature, "seed": seed, "max_tokens": self.max_tokens}
        body |= {name: value for name, value in sampling.items() if value is not None} | self.extra
        if self.logprobs:
            return Call("/chat/completions", body | {"logprobs": True, "top_logprobs": 20})
        if not self.schema:
            return Call("/chat/completions", body)
        json_schema = {"name": "judgment", "strict": True, "schema": schema}
        extra = {"response_format": {"type": "json_schema", "json_schema": json_schema}}
        return Call("/chat/completions", body | extra, instead=body)


def _object(**properties: Any) -> dict[str, Any]:
    """A schema whose reason comes first: said before the judgment it can still change it."""
    return {
        "type": "object",
        "properties": {"reason": {"type": "string"}} | properties,
        "required": ["reason", *properties],
        "additionalProperties": False,
    }


def content(body: Any) -> tuple[str, bool]:
    """What the judge said, and whether it was cut short.

    Raises
    ------
    ShapeError
        If this is no chat completion.
    """
    try:
        choice = body["choices"][0]
        text = choice["message"]["content"]
    except (KeyError, IndexError, TypeError) as error:
        raise expected('{"choices": [{"message": {"content": text}}]}', body) from error
    return text if isinstance(text, str) else "", choice.get("finish_reason") == "length"


def first_token(body: Any) -> dict[str, float]:
    """Probabilities of the candidates for the first token, by their text without spaces.

    Raises
    ------
    ShapeError
        If the server sent none.
    """
    try:
        candidates = body["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        pairs = [(str(one["token"]).strip(), math.exp(float(one["logprob"]))) for one in candidates]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise expected('{"choices": [{"logprobs": {"content": [{"top_logprobs": …}]}}]}', body) from error
    probabilities: dict[str, float] = {}
    for token, p in pairs:
        probabilities[token] = probabilities.get(token, 0.0) + p
    return probabilities


def expectation(probabilities: Mapping[str, float], values: Mapping[str, float]) -> Reading:
    """Mean of the values under the probabilities, over those tokens that stand for a value."""
    mass = {token: p for token, p in probabilities.items() if token in values}
    total = sum(mass.values())
    raw = json.dumps({token: round(p, 6) for token, p in probabilities.items()}, ensure_ascii=False)
    if total < LEAST_MASS:
        return Reading(raw=raw, error=f"only {total:.0%} of the probability lies on an answer")
    return Reading(sum(values[token] * p for token, p in mass.items()) / total, raw)


def said_json(text: str) -> dict[str, Any]:
    """The JSON object in a text, however it is wrapped; empty if there is none."""
    start = text.find("{")
    while start >= 0:
        try:
            parsed, _ = json.JSONDecoder().raw_decode(text, start)
        except ValueError:
            start = text.find("{", start + 1)
            continue
        if isinstance(parsed, dict):
            return parsed
        start = text.find("{", start + 1)
    return {}


_NUMBER = r"[-+]?\d+(?:\.\d+)?"
_NAMED = re.compile(rf"(?:score|rating|grade)\b[^\d\n+-]{{0,20}}({_NUMBER})(?:\s*/\s*\d+)?", re.IGNORECASE)
_BRACKETED = re.compile(rf"\[\[\s*({_NUMBER})\s*\]\]")
_ALONE = re.compile(rf"\s*\**({_NUMBER})\**(?:\s*/\s*\d+)?\s*\.?\s*")


def said_number(text: str) -> float | None:
    """The number a judge gave in free text; None if it gave none, or several that differ."""
    value = said_json(text).get("score")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and _ALONE.fullmatch(value):
        text = value
    for pattern in (_BRACKETED, _NAMED):
        numbers = {float(number) for number in pattern.findall(text)}
        if numbers:
            return numbers.pop() if len(numbers) == 1 else None
    alone = _ALONE.fullmatch(text)
    return float(alone[1]) if alone else None


class Judge(_Chat, PointwiseEndpoint):
    """Grades one response at a time.

    Parameters
    ----------
    low, high : int
        The scale.
    **further
        See `_Chat` and `Endpoint`.

    Raises
    ------
    ValueError
        If the scale is none, or `logprobs` is wanted for a scale with points of several digits: these are several
        tokens, and the first one's probabilities say little.
    """

    adapter = "openai judge"
    rubric_names = ("prompt", "response")
    default_rubric, default_paraphrases = rubrics.POINTWISE, rubrics.POINTWISE_PARAPHRASES

    def __init__(self, url: str, model: str, *, low: int = 1, high: int = 10, **further: Any) -> None:
        super().__init__(url, model, **further)
        if not low < high:
            raise ValueError(f"a scale goes up: expected low < high, found {low} and {high}")
        if self.logprobs and not 0 <= low < high <= 9:
            raise ValueError(f"logprobs need points of one digit, such as 1 to 9; found {low} to {high}")
        self.low, self.high = low, high

    @property
    def settings(self) -> Identity:
        """Rubric, scale, form of the answer, sampling."""
        return super().settings | {"low": self.low, "high": self.high}

    def call(self, prompt: str, response: str) -> Call:
        """What is asked about a response."""
        scale = {"low": str(self.low), "high": str(self.high)}
        message = rubrics.filled(self.rubric, prompt=prompt, response=response, **scale)
        points = {"type": "integer", "minimum": self.low, "maximum": self.high}
        return self.chat(message, _object(score=points))

    def read(self, body: Any) -> Reading:
        """The grade. Raises ShapeError."""
        if self.logprobs:
            points = {str(n): float(n) for n in range(self.low, self.high + 1)}
            return expectation(first_token(body), points)
        reply, cut = content(body)
        value = said_number(reply)
        if value is None:
            return Reading(
                raw=reply, error="cut short before the grade" if cut else "no grade in what it said"
            )
        if not self.low <= value <= self.high:
            return Reading(raw=reply, error=f"a grade of {value:g} on a scale from {self.low} to {self.high}")
        return Reading(value, reply)


_CHOICES = {"A": 1.0, "B": -1.0, "TIE": 0.0, "C": 0.0}
_CHOSEN = re.compile(r"\[\[\s*(A|B|C|tie)\s*\]\]", re.IGNORECASE)
_LETTER = re.compile(r"\W*(?:(?:response|answer|winner)\W+(?:is\W+)?)?(A|B|tie)\b\W*", re.IGNORECASE)


def said_choice(text: str) -> float | None:
    """1 for A, -1 for B, 0 for a tie; None if the text names none, or several."""
    value = said_json(text).get("winner")
    if isinstance(value, str):
        return _CHOICES.get(value.strip().upper())
    choices = {choice.upper() for choice in _CHOSEN.findall(text)}
    if len(choices) == 1:
        return _CHOICES[choices.pop()]
    alone = _LETTER.fullmatch(text)
    return _CHOICES[alone[1].upper()] if alone else None


class PairwiseJudge(_Chat, PairEndpoint):
    """Chooses between two responses, asked in both orders."""

    adapter = "openai pairwise judge"
    rubric_names = ("prompt", "first", "second")
    default_rubric, default_paraphrases = rubrics.PAIRWISE, rubrics.PAIRWISE_PARAPHRASES

    def call(self, prompt: str, first: str, second: str) -> Call:
        """What is asked about two responses, in this order."""
        message = rubrics.filled(self.rubric, prompt=prompt, first=first, second=second)
        return self.chat(message, _object(winner={"type": "string", "enum": ["A", "B", "tie"]}))

    def read(self, body: Any) -> Reading:
        """Preference for the response shown first. Raises ShapeError."""
        if self.logprobs:
            return expectation(first_token(body), {"A": 1.0, "B": -1.0, "tie": 0.0, "Tie": 0.0})
        reply, cut = content(body)
        value = said_choice(reply)
        if value is None:
            return Reading(
                raw=reply, error="cut short before the choice" if cut else "no choice in what it said"
            )
        return Reading(value, reply)
