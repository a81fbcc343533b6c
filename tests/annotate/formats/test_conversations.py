"""One reader of conversations, for all formats that hold some."""

import json
from pathlib import Path
from typing import Any

import pytest

from annotate.formats import conversations
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


PNG = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBOR"}}
TOOL = {"type": "tool_use", "id": "t", "name": "weather", "input": {"city": "Oslo"}}
WEATHER = '[tool call: weather({"city": "Oslo"})]'


@pytest.mark.parametrize(
    ("turn", "text"),
    [
        # Anthropic
        ({"role": "assistant", "content": [{"type": "text", "text": "I look."}, TOOL]}, f"I look.\n{WEATHER}"),
        ({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "4 C"}]},
         "[tool result: 4 C]"),
        ({"role": "user", "content": [PNG, {"type": "text", "text": "What?"}]}, "[image]\nWhat?"),
        ({"role": "assistant", "content": [{"type": "thinking", "thinking": "hm"}]}, "[thinking: hm]"),
        # OpenAI
        ({"role": "assistant", "content": None, "refusal": "I can't."}, "I can't."),
        ({"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
         "[tool call: f({})]"),
        ({"role": "assistant", "content": None, "audio": {"id": "a", "transcript": "Hello."}}, "[audio: Hello.]"),
        # Gemini
        ({"role": "model", "parts": [{"text": "A"}, {"functionCall": {"name": "f", "args": {"x": 1}}}]},
         'A\n[tool call: f({"x": 1})]'),
        ({"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"y": 2}}}]},
         '[tool result: {"y": 2}]'),
        ({"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": "x"}}]}, "[inlineData]"),
        # ShareGPT, and others
        ({"from": "gpt", "value": "A"}, "A"),
        ({"speaker": "bot", "text": "A"}, "A"),
        ({"type": "human", "content": "A"}, "A"),
        ({"author": {"role": "assistant"}, "content": {"content_type": "text", "parts": ["A"]}}, "A"),
        ({"role": "user", "content": {"foo": "bar"}}, '{"foo": "bar"}'),
    ],
)  # fmt: skip
def test_a_turn_is_read_in_every_shape(tmp_path: Path, turn: dict[str, Any], text: str) -> None:
    assert [one.text for one in conversations.turns([turn])] == [text]
    assert texts(tmp_path, {"prompt": [turn], "chosen": "A", "rejected": "B"})[0] == text


def test_speakers_may_be_types(tmp_path: Path) -> None:
    turns = [
        {"type": "human", "content": "Q"},
        {"type": "ai", "content": "A"},
        {"type": "human", "content": "R"},
    ]
    text, responses, _ = texts(
        tmp_path, {"prompt": turns, "chosen": [{"type": "ai", "content": "B"}], "rejected": "C"}
    )
    assert text == SEPARATOR.join(("User:\n\nQ", "Assistant:\n\nA", "User:\n\nR"))
    assert responses == ["B", "C"]


def test_parts_need_no_turn_around_them(tmp_path: Path) -> None:
    words = {"type": "text", "text": "A cat.", "citations": ["x"]}
    row = {"prompt": [PNG, {"type": "text", "text": "What?"}], "chosen": [words, TOOL], "rejected": "B"}
    text, responses, remarks = texts(tmp_path, row)
    assert (text, responses) == ("[image]\nWhat?", [f"A cat.\n{WEATHER}", "B"])
    assert "In 'prompt' image parts are no text" in remarks
    assert "Turns in 'chosen' have a field 'content.citations': left out." in remarks


@pytest.mark.parametrize("role", ["tool", "system", "critic"])
def test_whoever_speaks_alone_is_named_where_nobody_expects_it(tmp_path: Path, role: str) -> None:
    row = {"prompt": "Q", "chosen": [{"role": role, "content": "A"}], "rejected": "B"}
    assert texts(tmp_path, row)[1] == [f"{role.capitalize()}:\n\nA", "B"]


def test_the_system_prompt_beside_a_conversation_is_part_of_the_prompt(tmp_path: Path) -> None:
    turns = [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]
    text, responses, _ = texts(tmp_path, {"conversations": turns, "system": "Be brief."}, "sharegpt")
    assert text == SEPARATOR.join(("System:\n\nBe brief.", "User:\n\nQ"))
    assert responses == ["A"]


@pytest.mark.parametrize("name", ["messages", "contents", "conversations"])
@pytest.mark.parametrize("system", ["Be brief.", {"parts": [{"text": "Be brief."}]}])
def test_a_whole_request_is_a_conversation(tmp_path: Path, name: str, system: Any) -> None:
    row = {"prompt": {name: said("Q"), "system": system}, "chosen": "A", "rejected": "B"}
    assert texts(tmp_path, row)[0] == SEPARATOR.join(("System:\n\nBe brief.", "User:\n\nQ"))


def test_fields_of_turns_that_nothing_is_made_of_are_named(tmp_path: Path) -> None:
    chosen = [{"role": "assistant", "content": "A", "reasoning_content": "hm", "weight": 0, "name": ""}]
    _, responses, remarks = texts(tmp_path, {"prompt": "Q", "chosen": chosen, "rejected": "B"})
    assert responses == ["A", "B"]
    assert "Turns in 'chosen' have a field 'reasoning_content': left out." in remarks
    assert "'weight': left out" in remarks
    assert "'name'" not in remarks


@pytest.mark.parametrize(
    "cell",
    [
        json.dumps(said("Q", "A", "R")),
        str(said("Q", "A", "R")),
        str(said("Q", "A", "R")).replace("}, {", "}\n {"),
        "Human: Q\n\nAssistant: A\n\nHuman: R\n\nAssistant:",
    ],
)
def test_a_cell_holds_a_conversation_as_json_or_as_python_writes_it(tmp_path: Path, cell: str) -> None:
    text, responses, remarks = texts(tmp_path, {"prompt": cell, "chosen": "A", "rejected": "B"})
    assert text == SEPARATOR.join(("User:\n\nQ", "Assistant:\n\nA", "User:\n\nR"))
    assert responses == ["A", "B"]
    assert "Texts in 'prompt' hold a conversation: they were read as one." in remarks


@pytest.mark.parametrize(
    "text", ['{"role": "assistant", "content": "x"}', "{'a': 1}", "[1, 2]", '["a"]', "[x]"]
)
def test_objects_and_lists_that_models_wrote_are_texts(tmp_path: Path, text: str) -> None:
    assert texts(tmp_path, {"prompt": "JSON?", "chosen": text, "rejected": "B"})[1] == [text, "B"]


def test_a_text_that_begins_with_its_prompt_is_said(tmp_path: Path) -> None:
    row = {"prompt": "Why?", "chosen": "Why? So.", "rejected": "Whyever."}
    _, responses, remarks = texts(tmp_path, row)
    assert responses == ["Why? So.", "Whyever."]
    assert "'chosen' begins with the words of its prompt: it stands as it is." in remarks
    assert "'rejected' begins" not in remarks
