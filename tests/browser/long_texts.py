"""A study of every kind of question about long texts: for the tests that read them, and to look at by hand."""

import json
from pathlib import Path
from typing import Any

WORDS = 5_000
SETTINGS = """
slug = "long"
title = "Long texts of every kind"
seats = 60
seed = 5
instructions = "Read, then answer."
consent = "You may stop at any time."

[journey]
checks = [{ text = "What counts?", options = ["The whole text", "The first line", "The length"], right = 0 }]

[page]
markup = "markdown"
require_reading = true
allow_skip = true
allow_comment = true
allow_flag = true
"""

# key, on, kind, scale, labels
CRITERIA: list[tuple[str, str, str, list[int], dict[int, str]]] = [
    (
        "quality",
        "single",
        "rating",
        [1, 5],
        {1: "very poor", 2: "poor", 3: "fair", 4: "good", 5: "excellent"},
    ),
    ("original", "single", "rating", [1, 7], {1: "not at all", 4: "somewhat", 7: "very"}),
    ("liking", "single", "rating", [1, 10], {}),
    ("better", "pair", "preference", [], {}),
    ("alike", "pair", "similarity", [0, 10], {0: "nothing in common", 10: "the same"}),
    ("reason", "pair", "text", [], {}),
    ("order", "set", "ranking", [], {}),
    ("groups", "set", "grouping", [], {}),
    ("odd", "set", "odd_one_out", [], {}),
    ("ideas", "set", "number", [], {}),
]
SEPARATOR = "\n\n⸻\n\n"
PROMPT = SEPARATOR.join(
    [
        "System:\n\nYou are a patient teacher.",
        "User:\n\nHow do I sum $x_1 + x_2$ in Python?",
        "Assistant:\n\nLike this:\n\n```python\ndef total(x: list[float]) -> float:\n    return sum(x)  # both\n```",
        "User:\n\nNow write a long story in which somebody learns it, with a table of what they tried.",
    ]
)
WIDE = " | ".join(f"a_long_name_of_column_{n}" for n in range(6))
TABLE = f"| {WIDE} |\n|{'---|' * 6}\n| counting | 3 | little | again | 4 | more |\n"


def response(number: int) -> str:
    """About WORDS words of Markdown, the last of which say which response it is."""
    paragraph = (
        f"Somebody in story {number} sat down and counted what there was to count, one by one, and again. "
        * 12
    )
    n = WORDS // len(paragraph.split())
    code = "```python\nfor step in range(3):\n    print('again', step)\n```"
    middle = "\n\n".join(f"{paragraph.strip()}" for _ in range(n))
    return f"## Story {number}\n\n{TABLE}\n{code}\n\n{middle}\n\nThe end of story {number}."


def write_folder(folder: Path, *, settings: str = SETTINGS, short: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [settings]
    for key, on, kind, scale, labels in CRITERIA:
        lines += [
            "[[criterion]]",
            f'key = "{key}"',
            f'on = "{on}"',
            f'kind = "{kind}"',
            f'text = "Ask {key}?"',
        ]
        lines += [f"scale = {scale}"] if scale else []
        words = ", ".join(f'{point} = "{label}"' for point, label in labels.items())
        lines += [f"labels = {{ {words} }}"] if labels else []
        lines += ["required = false"] if kind == "text" else []
    (folder / "study.toml").write_text("\n".join(lines))
    names = [f"r{n}" for n in range(1, 7)]
    texts = {
        name: f"A short answer, number {n}." if short else response(n) for n, name in enumerate(names, 1)
    }
    items = {
        "one": ("single", names[:1]),
        "two": ("pair", names[:2]),
        "few": ("set", names[:4]),
        "all": ("set", names),
    }
    tables: dict[str, list[dict[str, Any]]] = {
        "prompts": [{"prompt_id": "p", "text": PROMPT}],
        "responses": [
            {"response_id": r, "prompt_id": "p", "text": text, "source": "human"} for r, text in texts.items()
        ],
        "items": [
            {"item_id": key, "kind": kind, "prompt_id": "p", "response_ids": shown}
            for key, (kind, shown) in items.items()
        ]
        + [
            {
                "item_id": "try",
                "kind": "single",
                "prompt_id": "p",
                "response_ids": [names[2]],
                "role": "practice",
                "expected": {"quality": [3, 4, 5]},
            }
        ],
    }
    for name, rows in tables.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder
