"""Conversations in all the shapes they come in, and how they are written out as a prompt and a response.

Turns of one role are held apart by a line; where several roles speak, each turn says who does.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotate.texts import one_newline

from .values import written_value

SEPARATOR = "\n\n⸻\n\n"
ROLES = {
    "human": "user",
    **dict.fromkeys(("gpt", "chatgpt", "ai", "bot", "model", "function_call", "tool_call"), "assistant"),
    **dict.fromkeys(("observation", "function", "tool_response", "function_response"), "tool"),
    "developer": "system",
}
# What a turn's speaker and words are called: by OpenAI and Anthropic, ShareGPT, Gemini and others.
SPEAKERS = ("role", "from", "speaker", "author")
# LangChain calls the speaker a type; other types are those of parts.
SPEAKING_TYPES = ("human", "ai", "system", "tool")
CONTENTS = ("content", "value", "parts", "text")
# What may hold the turns of a conversation, and what may hold its system prompt beside them.
TURNS = ("messages", "contents", "conversations", "conversation")
SYSTEMS = ("system", "system_instruction", "systemInstruction", "system_prompt")
# Words and calls that stand beside a turn's content.
BESIDE = ("tool_calls", "function_call", "refusal", "audio")
# Anthropic's HH writes a conversation as one text.
_HH = re.compile(r"\n\n(Human|Assistant): ?")


@dataclass(frozen=True, slots=True)
class Turn:
    role: str
    text: str
    # What stands in the text as a note, since it is no text itself.
    notes: tuple[str, ...] = ()
    # Fields that nothing is made of.
    dropped: tuple[str, ...] = ()


def turns(value: object) -> list[Turn]:
    """The turns of a conversation; ValueError for anything else."""
    if isinstance(value, str):
        value = _from_text(value)
    if isinstance(value, Mapping):
        value = _within(value)
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


def are_parts(value: object) -> bool:
    """Whether a value is the content of a turn in parts, without the turn."""
    return isinstance(value, list) and bool(value) and all(map(_is_part, value))


def _is_part(value: object) -> bool:
    if not isinstance(value, Mapping) or any(name in value for name in SPEAKERS):
        return False
    return isinstance(kind := value.get("type"), str) and kind not in SPEAKING_TYPES


def _within(value: Mapping[str, Any]) -> list[Any]:
    """One turn; or the turns of a request, with its system prompt before them."""
    held = next((value[name] for name in TURNS if isinstance(value.get(name), list)), None)
    if held is None or any(isinstance(value.get(name), str) for name in SPEAKERS):
        return [value]
    system = next((value[name] for name in SYSTEMS if value.get(name)), None)
    before: list[Any] = [
        {**(system if isinstance(system, Mapping) else {"content": system}), "role": "system"}
    ]
    return [*(before if system else ()), *held]


def _from_text(text: str) -> Any:
    text = one_newline(text)
    marked = f"\n\n{text}" if text.startswith("Human:") and "\n\nAssistant:" in text else text
    if _HH.match(marked):
        _, *parts = _HH.split(marked)
        roles, texts = parts[::2], parts[1::2]
        turns = [Turn(ROLES.get(r.lower(), r.lower()), t.strip()) for r, t in zip(roles, texts, strict=True)]
        # A prompt ends with the mark behind which the model goes on.
        return turns if turns[-1].text else turns[:-1]
    value = written_value(text) if text.lstrip().startswith(("[", "{")) else None
    # An object in a text is one, and be it like a turn: models are asked for such.
    if isinstance(value, list) or (isinstance(value, Mapping) and any(name in value for name in TURNS)):
        return value
    raise ValueError(text)


def _turn(turn: object) -> Turn:
    if not isinstance(turn, Mapping):
        raise TypeError(turn)
    speaker = next((name for name in SPEAKERS if name in turn), "")
    speaker = speaker or ("type" if turn.get("type") in SPEAKING_TYPES else "")
    role = turn.get(speaker)
    role = role.get("role") if isinstance(role, Mapping) else role
    held = next((name for name in CONTENTS if name in turn), "")
    if not isinstance(role, str) or not (held or any(turn.get(name) for name in BESIDE)):
        raise ValueError(turn)
    text, notes = content_of(turn.get(held))
    more, further = _beside(turn)
    dropped = (*_others(turn, {speaker, held, *BESIDE}), *_unsaid(held, turn.get(held)))
    text = "\n".join(filter(None, [text, *more]))
    return Turn(ROLES.get(role.lower(), role.lower()), text, (*notes, *further), dropped)


def _others(value: Mapping[str, Any], used: set[str]) -> list[str]:
    """Fields in which something stands that nothing is made of."""
    return [
        str(name) for name, there in value.items() if name not in used and there not in (None, "", [], {})
    ]


def _unsaid(held: str, content: object) -> list[str]:
    """What stands in a content beside its words, and in its parts beside theirs."""
    if isinstance(content, Mapping):
        said = next((name for name in ("parts", "answer", "text") if content.get(name)), None)
        return [f"{held}.{name}" for name in _others(content, {said, "content_type"})] if said else []
    parts = content if isinstance(content, list) else ()
    texts = [part for part in parts if isinstance(part, Mapping) and isinstance(part.get("text"), str)]
    return [f"{held}.{name}" for part in texts for name in _others(part, {"type", "text"})]


def _beside(turn: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Calls, a refusal and what was spoken, which OpenAI puts beside the content."""
    calls = [*(turn.get("tool_calls") or ()), *([turn["function_call"]] if turn.get("function_call") else ())]
    texts, notes = [_call(call) for call in calls], ["tool calls"] if calls else []
    if isinstance(refusal := turn.get("refusal"), str):
        texts.append(one_newline(refusal))
    if isinstance(audio := turn.get("audio"), Mapping):
        texts.append(f"[audio: {audio.get('transcript') or '?'}]")
        notes.append("audio parts")
    return texts, notes


def _call(call: object) -> str:
    function = call.get("function", call) if isinstance(call, Mapping) else {}
    if not isinstance(function, Mapping):
        function = {}
    arguments = next((function[name] for name in ("arguments", "input", "args") if name in function), "")
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return f"[tool call: {function.get('name', '?')}({text})]"


def content_of(content: object) -> tuple[str, list[str]]:
    """The text of a turn's content, and what in it is no text: it stands there as a note in brackets."""
    if isinstance(content, Mapping) and isinstance(content.get("parts"), list):
        content = content["parts"]
    if isinstance(content, list):
        parts = [_part(part) for part in content]
        return "\n".join(text for text, _ in parts if text), [kind for _, kind in parts if kind]
    if isinstance(content, Mapping):
        text = content.get("answer") or content.get("text")
        if text is None and content:
            return json.dumps(content, ensure_ascii=False), ["objects"]
        return one_newline(str(text or "")), []
    return ("" if content is None else one_newline(str(content))), []


def _part(part: object) -> tuple[str, str]:
    if not isinstance(part, Mapping):
        return one_newline(str(part)), ""
    # Gemini names the kind of a part by its one field.
    kind = str(part.get("type") or next(iter(part), "text"))
    if kind in ("tool_use", "functionCall", "function_call"):
        inner = part.get(kind)
        return _call(inner if isinstance(inner, Mapping) else part), "tool calls"
    if kind in ("tool_result", "functionResponse", "function_response"):
        return f"[tool result: {_result(part, kind)}]", "tool results"
    for name in ("text", "refusal", "input_text", "output_text"):
        if isinstance(text := part.get(name), str):
            return one_newline(text), ""
    inner = part.get(kind)
    url = inner.get("url") if isinstance(inner, Mapping) else inner or part.get("url")
    shown = f": {url}" if isinstance(url, str) and not url.startswith("data:") else ""
    name = kind.removeprefix("input_").removesuffix("_url")
    return f"[{name}{shown}]", f"{name} parts"


def _result(part: Mapping[str, Any], kind: str) -> str:
    inner = part.get(kind)
    result = inner.get("response") if isinstance(inner, Mapping) else part.get("content")
    if isinstance(result, str | list):
        return content_of(result)[0]
    return json.dumps(result, ensure_ascii=False)


def written(conversation: Sequence[Turn]) -> str:
    """A conversation as one text: who speaks is said unless it is the one whose turn it is anyway."""
    if {turn.role for turn in conversation} in ({"user"}, {"assistant"}):
        return SEPARATOR.join(turn.text for turn in conversation)
    return SEPARATOR.join(f"{turn.role.capitalize()}:\n\n{turn.text}" for turn in conversation)


_SPOKEN = re.compile(r"([A-Z][a-z_]+):\n\n(.*)", re.DOTALL)


def read(text: str) -> list[Turn]:
    """The turns of a conversation that `written` made one text of; where nobody is said to speak, turns without a role.

    >>> [turn.role for turn in read(written([Turn("user", "Hi"), Turn("assistant", "Hello")]))]
    ['user', 'assistant']
    """
    parts = text.split(SEPARATOR)
    spoken = [_SPOKEN.fullmatch(part) for part in parts]
    if len(parts) > 1 and all(spoken):
        return [Turn(said[1].lower(), said[2]) for said in spoken if said]
    return [Turn("", part) for part in parts]


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
