"""Texts that give away who wrote them, and texts that only look so."""

import json
from pathlib import Path

import pytest
from django.conf import settings

from annotate.leaks import excerpts, leaks

DEMO = Path(__file__).parents[2] / "fixtures" / "demo"

NAMED = [
    ("As an AI language model, I have no taste.", "As an AI"),
    ("as a large\nlanguage model I can't", "as a large\nlanguage model"),
    ("Well, I’m an AI, you know.", "I’m an AI"),
    ("I'm Claude, and I wrote this.", "Claude"),
    ("I WAS MADE BY ANTHROPIC", "ANTHROPIC"),
    ("ChatGPT's answer", "ChatGPT"),
    ("(GPT-4o)", "GPT-4o"),
    ("gpt-3.5-turbo.", "gpt-3.5-turbo"),
    ("trained by OpenAI.", "trained by"),
    ("Qwen: hello", "Qwen"),
]
INNOCENT = [
    "A gemini and a llama walk into a grok.",  # everyday words in lower case
    "Claudette sang; the mistral blew.",
    "An airline's aim: as an aide, as an aim.",
    "The word egptian is misspelt.",
    "",
]


@pytest.mark.parametrize(("text", "found"), NAMED)
def test_a_name_is_found_whole(text: str, found: str) -> None:
    places = leaks(text, settings.LEAK_WORDS)
    assert places[0].text == found
    assert text[places[0].start : places[0].end] == found


@pytest.mark.parametrize("text", INNOCENT)
def test_other_words_are_left_alone(text: str) -> None:
    assert leaks(text, settings.LEAK_WORDS) == []


def test_places_come_in_order_and_never_overlap() -> None:
    text = "ChatGPT by OpenAI: as an AI language model …"
    places = leaks(text, ["OpenAI", "as an ai", "as an ai language model", "ChatGPT", "  ", "*"])
    assert [p.text for p in places] == ["ChatGPT", "OpenAI", "as an AI language model"]


def test_an_excerpt_holds_every_leak_and_what_stands_around() -> None:
    text = "x" * 200 + " GPT " + "y" * 200 + " Claude " + "z" * 200
    pieces = excerpts(text, leaks(text, ["GPT", "Claude"]), around=10)
    assert [piece for piece, leak in pieces if leak] == ["GPT", "Claude"]
    whole = "".join(piece for piece, _ in pieces)
    assert whole == "… " + "x" * 9 + " GPT " + "y" * 9 + " … " + "y" * 9 + " Claude " + "z" * 9 + " …"
    near = "GPT and Claude"
    assert "".join(piece for piece, _ in excerpts(near, leaks(near, ["GPT", "Claude"]))) == near
    assert excerpts(text, []) == []


def test_the_demo_has_none() -> None:
    lines = (DEMO / "responses.jsonl").read_text(encoding="utf-8").splitlines()
    assert lines
    assert [
        row["response_id"] for row in map(json.loads, lines) if leaks(row["text"], settings.LEAK_WORDS)
    ] == []
