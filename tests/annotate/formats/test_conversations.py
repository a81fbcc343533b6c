"""One reader of conversations, for all formats that hold some."""

import json
from pathlib import Path
from typing import Any

import pytest

from annotate.formats.conversations import SEPARATOR

from .samples import jsonl, records_of

SYSTEM = {"role": "system", "content": "Be brief."}
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}


def said(*turns: str) -> list[dict[str, str]]:
    return [{"role": "user" if n % 2 == 0 else "assistant", "content": text} for n, text in enumerate(turns)]


def texts(folder: Path, row: dict[str, Any], format: str = "trl-preference") -> tuple[str, list[str], str]:
    records = records_of([jsonl(folder / "f.jsonl", [row])], format)
    responses = [response["text"] for response in records["responses"]]
    return records["prompts"][0]["text"], responses, "\n".join(records["remarks"])


@pytest.mark.parametrize(
    "prompt", ["Q", said("Q"), json.dumps(said("Q")), [{"from": "human", "value": "Q"}], said("Q")[0]]
)
@pytest.mark.parametrize("whole", [True, False])
def test_a_prompt_in_any_shape_stands_in_no_response(tmp_path: Path, prompt: Any, whole: bool) -> None:
    rows = {"chosen": said("Q", "A"), "rejected": said("Q", "B")}
    if not whole:
        rows = {name: turns[1:] for name, turns in rows.items()}
    text, responses, remarks = texts(tmp_path, {"prompt": prompt, **rows})
    assert (text, responses) == ("Q", ["A", "B"])
    assert ("begins with the prompt, which was cut off" in remarks) == whole


def test_roles_are_kept_where_several_speak(tmp_path: Path) -> None:
    row = {"prompt": [SYSTEM, *said("Hi", "Hello.", "A joke?")], "chosen": "Knock.", "rejected": "No."}
    text, responses, remarks = texts(tmp_path, row)
    assert text == SEPARATOR.join(
        ("System:\n\nBe brief.", "User:\n\nHi", "Assistant:\n\nHello.", "User:\n\nA joke?")
    )
    assert responses == ["Knock.", "No."]
    assert "'prompt' was read as a conversation of system, user, assistant" in remarks


def test_tool_calls_and_parts_stand_there_as_notes(tmp_path: Path) -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.org/cat.png"}}
    prompt = [{"role": "user", "content": [image, {"type": "text", "text": "What is this?"}]}]
    chosen = [{"role": "assistant", "content": None, "tool_calls": [CALL]}]
    text, responses, remarks = texts(tmp_path, {"prompt": prompt, "chosen": chosen, "rejected": "A dog."})
    assert text == "[image: https://example.org/cat.png]\nWhat is this?"
    assert responses == ['[tool call: weather({"city": "Oslo"})]', "A dog."]
    assert "image parts are no text" in remarks
    assert "tool calls are no text" in remarks


def test_one_text_may_hold_a_conversation(tmp_path: Path) -> None:
    start = "\n\nHuman: Q?\n\nAssistant: Yes?\n\nHuman: R?\n\nAssistant:"
    text, responses, _ = texts(tmp_path, {"chosen": f"{start} A", "rejected": f"{start} B"})
    assert text == SEPARATOR.join(("User:\n\nQ?", "Assistant:\n\nYes?", "User:\n\nR?"))
    assert responses == ["A", "B"]


@pytest.mark.parametrize(
    ("turn", "responses"), [(1, ["a1", "b1"]), (2, [f"a1{SEPARATOR}a2", f"b1{SEPARATOR}b2"])]
)
def test_turns_are_counted_by_role(tmp_path: Path, turn: int, responses: list[str]) -> None:
    sides = {f"conversation_{s}": [SYSTEM, *said("Q1", f"{s}1", "Q2", f"{s}2")] for s in "ab"}
    row = {
        "question_id": "q",
        "model_a": "m",
        "model_b": "n",
        "winner": "model_a",
        "judge": "j",
        "turn": turn,
    }
    assert texts(tmp_path, row | sides, "mt-bench")[1] == responses


def test_a_list_of_numbers_is_a_text(tmp_path: Path) -> None:
    row = {"id": 1, "model_a": "m", "model_b": "n", "prompt": "Primes?", "winner": "model_a"}
    row |= {"response_a": "[2, 3]", "response_b": '{"primes": [2, 3]}'}
    assert texts(tmp_path, row, "arena")[1] == ["[2, 3]", '{"primes": [2, 3]}']
    turns = {"prompt": '["P", "Q"]', "response_a": '["a", null]', "response_b": '["b", "c"]'}
    assert texts(tmp_path, row | turns, "arena")[:2] == (
        f"P{SEPARATOR}Q",
        [f"a{SEPARATOR}", f"b{SEPARATOR}c"],
    )
