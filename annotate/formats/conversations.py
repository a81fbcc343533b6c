"""Conversations in all the shapes they come in, and how they are written out as a prompt and a response.

Turns of one role are held apart by a line; where several roles speak, each turn says who does.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotate.texts import one_newline

SEPARATOR = "\n\n⸻\n\n"
ROLES = {"human": "user", "gpt": "assistant", "chatgpt": "assistant", "bot": "assistant", "model": "assistant",
         "observation": "tool", "function": "tool", "developer": "system"}  # fmt: skip
# Anthropic's HH writes a conversation as one text.
_HH = re.compile(r"\n\n(Human|Assistant): ?")


@dataclass(frozen=True, slots=True)
class Turn:
    role: str
    text: str
    # What stands in the text as a note, since it is no text itself.
    notes: tuple[str, ...] = ()


def turns(value: object) -> list[Turn]:
    """The turns of a conversation; ValueError for anything else."""
    if isinstance(value, str):
        value = _from_text(value)
    if isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise TypeError(value)
    return [turn if isinstance(turn, Turn) else _turn(turn) for turn in value]


def is_conversation(value: object) -> bool:
    """Whether a value is one, also as JSON in a cell; an empty list is none."""
    if isinstance(value, str) and not value.lstrip().startswith(("[", "{", "Human:")):
        return False
    try:
        return bool(turns(value))
    except (ValueError, TypeError, RecursionError):
        return False


def _from_text(text: str) -> Any:
    if _HH.match(one_newline(text)):
        _, *parts = _HH.split(one_newline(text))
        roles, texts = parts[::2], parts[1::2]
        return [Turn(ROLES.get(r.lower(), r.lower()), t.strip()) for r, t in zip(roles, texts, strict=True)]
    if text.lstrip().startswith(("[", "{")):
        return json.loads(text)
    raise ValueError(text)


def _turn(turn: object) -> Turn:
    if not isinstance(turn, Mapping):
        raise TypeError(turn)
    role, content = turn.get("role", turn.get("from")), turn.get("content", turn.get("value"))
    if not isinstance(role, str) or not {"content", "value", "tool_calls"} & turn.keys():
        raise ValueError(turn)
    text, notes = content_of(content)
    calls = [_call(call) for call in turn.get("tool_calls") or ()]
    if calls:
        text, notes = "\n".join(filter(None, [text, *calls])), [*notes, "tool calls"]
    return Turn(ROLES.get(role.lower(), role.lower()), text, tuple(notes))


def _call(call: object) -> str:
    function = call.get("function", call) if isinstance(call, Mapping) else {}
    if not isinstance(function, Mapping):
        function = {}
    arguments = function.get("arguments", "")
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return f"[tool call: {function.get('name', '?')}({text})]"


def content_of(content: object) -> tuple[str, list[str]]:
    """The text of a turn's content, and what in it is no text: it stands there as a note in brackets."""
    if isinstance(content, list):
        parts = [_part(part) for part in content]
        return "\n".join(text for text, _ in parts if text), [kind for _, kind in parts if kind]
    if isinstance(content, Mapping):
        return one_newline(str(content.get("answer") or content.get("text") or "")), []
    return ("" if content is None else one_newline(str(content))), []


def _part(part: object) -> tuple[str, str]:
    if not isinstance(part, Mapping):
        return one_newline(str(part)), ""
    kind = str(part.get("type", "text"))
    for name in ("text", "refusal", "input_text", "output_text"):
        if isinstance(text := part.get(name), str):
            return one_newline(text), ""
    inner = part.get(kind)
    url = inner.get("url") if isinstance(inner, Mapping) else inner or part.get("url")
    shown = f": {url}" if isinstance(url, str) and not url.startswith("data:") else ""
    name = kind.removeprefix("input_").removesuffix("_url")
    return f"[{name}{shown}]", f"{name} parts"


def written(conversation: Sequence[Turn]) -> str:
    """A conversation as one text: who speaks is said unless there is one speaker only."""
    if len({turn.role for turn in conversation}) == 1:
        return SEPARATOR.join(turn.text for turn in conversation)
    return SEPARATOR.join(f"{turn.role.capitalize()}:\n\n{turn.text}" for turn in conversation)


def split(conversation: Sequence[Turn]) -> tuple[list[Turn], list[Turn]]:
    """All that came before, and what the model said last."""
    at = len(conversation)
    while at and conversation[at - 1].role in ("assistant", "tool"):
        at -= 1
    return list(conversation[:at]), list(conversation[at:])


def by_speaker(conversation: Iterable[Turn], questions: int | None = None) -> tuple[list[Turn], list[Turn]]:
    """What was said to the model and what it said, up to its answer to the given number of questions."""
    given: list[Turn] = []
    answers: list[Turn] = []
    user_turns = 0
    for turn in conversation:
        if turn.role == "user":
            user_turns += 1
            if questions is not None and user_turns > questions:
                break
        (answers if turn.role in ("assistant", "tool") else given).append(turn)
    return given, answers


def without_prompt(prompt: Sequence[Turn], answer: Sequence[Turn]) -> list[Turn]:
    """A response that begins with its own prompt again, without it."""
    prompt_texts = [turn.text for turn in prompt if turn.role != "system"]
    rest = [turn for turn in answer if turn.role != "system"]
    if prompt_texts and [turn.text for turn in rest[: len(prompt_texts)]] == prompt_texts:
        return rest[len(prompt_texts) :]
    return list(answer)
