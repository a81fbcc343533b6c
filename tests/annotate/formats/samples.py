"""Small files in the published shapes of other tools, made for tests: the texts are ours."""

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from annotate.formats import Options
from judging.imports.study import Imported, import_study

MUCH_FIRST = "Response 1 is much better than Response 2"
SLIGHTLY_SECOND = "Response 2 is slightly better than Response 1"
SIMILAR = "Response 1 and Response 2 are similar / it's hard to tell which one is better"


def jsonl(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def brought(path: Path | list[Path], format: str = "", **options: Any) -> Imported:
    dry_run = options.pop("dry_run", False)
    paths = path if isinstance(path, list) else [path]
    return import_study(paths, format, Options(**{"slug": "in", **options}), dry_run=dry_run)


def absolute(**further: Any) -> list[dict[str, Any]]:
    """Two queries, two responses each, with ragged label lists."""
    labels = [[5, 4, 4], [1, 2], [3, 3, 3, 5], [2, float("nan"), 4]]
    return [
        {"user_query": f"Query {n // 2}?", "response": f"Answer {n}.", "human_labels": row, **further}
        for n, row in enumerate(labels)
    ]


def said(*turns: str) -> list[dict[str, str]]:
    return [{"role": "user" if n % 2 == 0 else "assistant", "content": text} for n, text in enumerate(turns)]


def _battle(winner: str, judge: str = "arena_user_1", **further: Any) -> dict[str, Any]:
    row = {"question_id": f"q-{winner}", "model_a": "ant", "model_b": "bee", "winner": winner, "judge": judge}
    return row | {"conversation_a": said("Sum?", "Two."), "conversation_b": said("Sum?", "Three.")} | further


def _labelled(n: int, user: Any, kind: str, value: dict[str, Any], **further: Any) -> dict[str, Any]:
    result = [{"id": "x", "from_name": "which", "to_name": "t", "type": kind, "value": value}]
    return {
        "id": n,
        "completed_by": user,
        "result": result,
        "was_cancelled": False,
        "created_at": "2026-01-02T03:04:05Z",
    } | further


_PREF = {
    "overall_pref": "A-is-clearly-better",
    "helpful_pref": "Tie",
    "truthful_pref": "B-is-slightly-better",
}

# By format: the files, and what should come in.
SAMPLES: dict[str, tuple[dict[str, Any], dict[str, int]]] = {
    "infinity-absolute": (
        {"a.jsonl": absolute()},
        {"prompts": 2, "responses": 4, "items": 4, "answers": 11, "annotators": 11},
    ),
    "infinity-pairwise": (
        {"p.jsonl": [{"user_query": "Q?", "response_1": "A", "response_2": "B", "human_labels": [2, 0, -1]}]},
        {"prompts": 1, "responses": 2, "items": 1, "answers": 3, "annotators": 3},
    ),
    "infinity-eval": ({"e.jsonl": [{"query": "Q?"}, {"query": "R?"}]}, {"prompts": 2}),
    "infinity-taxonomy": (
        {"t.jsonl": [{"messages": said("Hello?", "Hi."), "categories": [{"category": "Puns"}]}]},
        {"prompts": 1},
    ),
    "alpaca-outputs": (
        {
            "o.json": [
                {"instruction": "I?", "output": f"O{n}", "generator": f"g{n}", "dataset": "koala"}
                for n in (1, 2)
            ]
        },
        {"prompts": 1, "responses": 2},
    ),
    "alpaca-annotations": (
        {
            "a.json": [
                {
                    "instruction": "I?",
                    "output_1": "One",
                    "generator_1": "g1",
                    "output_2": "Two",
                    "generator_2": "g2",
                    "dataset": "koala",
                    "annotator": who,
                    "preference": preference,
                }
                for who, preference in (
                    (3, 1),
                    (4, 2),
                    (3, 2),
                    (5, 0),
                    ("weighted_alpaca_eval_gpt4_turbo", 1.02),
                )
            ]
        },
        # The second answer of annotator 3 is left out, and the machine's is a score.
        {"prompts": 1, "responses": 2, "items": 1, "answers": 3, "annotators": 3, "scores": 1},
    ),
    "mt-bench": (
        {
            "votes.jsonl": [
                {
                    "question_id": 81,
                    "model_a": "ant",
                    "model_b": "bee",
                    "winner": winner,
                    "judge": judge,
                    "turn": turn,
                    "conversation_a": said("Q1", "A1", "Q2", "A2"),
                    "conversation_b": said("Q1", "B1", "Q2", "B2"),
                }
                for winner, judge, turn in (
                    ("model_a", "author_1", 1),
                    ("tie", "expert_2", 1),
                    ("model_b", "author_1", 2),
                    ("model_a", ["gpt-4", "pair-v2"], 1),
                )
            ],
            "answers.jsonl": [
                {
                    "question_id": 81,
                    "answer_id": "x",
                    "model_id": "cat",
                    "choices": [{"index": 0, "turns": ["C1", "C2"]}],
                    "tstamp": 1.5,
                },
                {
                    "question_id": 81,
                    "answer_id": "y",
                    "model_id": "ant",
                    "choices": [{"index": 0, "turns": ["A1", "A2"]}],
                    "tstamp": 1.5,
                },
            ],
            "question.jsonl": [{"question_id": 81, "category": "writing", "turns": ["Q1", "Q2"]}],
        },
        {"prompts": 2, "responses": 6, "items": 2, "answers": 3, "annotators": 2, "scores": 1},
    ),
    "arena": (
        {
            "b.jsonl": [
                _battle("model_a"),
                _battle("tie (bothbad)", "arena_user_2"),
                _battle("model_b", "arena_user_3"),
            ]
        },
        {"prompts": 1, "responses": 2, "items": 1, "answers": 3, "annotators": 3},
    ),
    "arena-hard": (
        {
            "question.jsonl": [{"uid": "u", "category": "hard_prompt", "prompt": "Sum?"}],
            "bee.jsonl": [{"uid": "u", "model": "bee", "messages": said("Sum?", "Three."), "metadata": {}}],
            "ant.jsonl": [
                {
                    "uid": "u",
                    "model": "ant",
                    "messages": [*said("Sum?"), {"role": "assistant", "content": {"answer": "Two."}}],
                }
            ],
            "judged.jsonl": [
                {
                    "uid": "u",
                    "category": "x",
                    "judge": "gpt-4.1",
                    "model": "bee",
                    "baseline": "ant",
                    "games": [{"score": "B>>A"}, {"score": "A=B"}],
                }
            ],
        },
        {"prompts": 1, "responses": 2, "items": 1, "scores": 1},
    ),
    "rewardbench": (
        {
            "r.jsonl": [
                {
                    "prompt": "P?",
                    "chosen": "Yes",
                    "chosen_model": "ant",
                    "rejected": "No",
                    "rejected_model": "bee",
                    "subset": "xstest",
                    "id": 1,
                }
            ]
        },
        {"prompts": 1, "responses": 2, "items": 1, "answers": 1, "annotators": 1},
    ),
    "rewardbench-2": (
        {
            "r.jsonl": [
                {
                    "id": "1",
                    "prompt": "P?",
                    "chosen": ["Yes"],
                    "rejected": ["No", "Na", "Nay"],
                    "num_correct": 1,
                    "num_incorrect": 3,
                    "total_completions": 4,
                    "models": ["a", "b", "c", "d"],
                    "subset": "Focus",
                }
            ]
        },
        {"prompts": 1, "responses": 4, "items": 4, "answers": 4, "annotators": 1},
    ),
    "trl-preference": (
        {
            "t.jsonl": [
                {"prompt": "P?", "chosen": "Yes", "rejected": "No"},
                {"chosen": said("Q?", "Yes"), "rejected": said("Q?", "No")},
                {"prompt": said("R?"), "chosen": said("R?", "Yes")[1:], "rejected": said("R?", "No")[1:]},
            ]
        },
        {"prompts": 3, "responses": 6, "items": 3, "answers": 3, "annotators": 1},
    ),
    "trl-unpaired": (
        {
            "t.jsonl": [
                {"prompt": "P?", "completion": "Yes", "label": True},
                {"prompt": "P?", "completion": "No", "label": False},
            ]
        },
        {"prompts": 1, "responses": 2, "items": 2, "answers": 2, "annotators": 1},
    ),
    "multipref": (
        {
            "m.jsonl": [
                {
                    "comparison_id": "c",
                    "prompt_id": "p",
                    "text": "P?",
                    "completion_a": "Yes",
                    "completion_b": "No",
                    "model_a": "ant",
                    "model_b": "bee",
                    "category": "Brainstorming",
                    "normal_worker_annotations": [
                        {"evaluator": "n1", "time_spent": 3, **_PREF},
                        {"evaluator": "n2", **_PREF},
                    ],
                    "expert_worker_annotations": [{"evaluator": "e1", **_PREF, "overall_pref": "Tie"}],
                }
            ]
        },
        {"prompts": 1, "responses": 2, "items": 1, "answers": 9, "annotators": 3},
    ),
    "ultrafeedback": (
        {
            "u.jsonl": [
                {
                    "instruction": "I?",
                    "source": "flan",
                    "models": ["ant"],
                    "completions": [
                        {
                            "model": "ant",
                            "response": "Yes",
                            "overall_score": 7.5,
                            "fine-grained_score": 4.25,
                            "annotations": {
                                "honesty": {"Rating": "4", "Rationale": "x"},
                                "helpfulness": [{"Rating": "N/A"}],
                            },
                        },
                    ],
                },
                {
                    "instruction": "J?",
                    "generations": ["A", "B"],
                    "generation_models": ["ant", "bee"],
                    "ratings": [5, None],
                },
            ]
        },
        {"prompts": 2, "responses": 3, "scores": 4},
    ),
    "annotated-pairs": (
        {
            "v2.json": {
                "metadata": {"version": "2.0"},
                "annotators": {
                    "h": {"name": "people", "type": "human"},
                    "p": {"description": "Be brief", "type": "principle"},
                },
                "comparisons": [
                    {
                        "id": "1",
                        "prompt": "P?",
                        "response_a": {"text": "Yes", "model": "ant"},
                        "response_b": {"text": "No"},
                        "annotations": {"h": {"pref": "a"}, "p": {"pref": "b"}},
                    },
                    {
                        "id": "2",
                        "prompt": None,
                        "text_a": "One",
                        "text_b": "Two",
                        "annotations": {
                            "h": {"pref": "text_b"},
                            "p": {"pref": None, "no_pref_reason": "not_applicable"},
                        },
                    },
                ],
            }
        },
        {"prompts": 2, "responses": 4, "items": 2, "answers": 2, "annotators": 1, "scores": 1},
    ),
    "sts": (
        {
            "s.csv": [
                {"sentence1": "A cat.", "sentence2": "A dog.", "score": 2.4},
                {"sentence1": "One.", "sentence2": "1.", "score": 5},
            ]
        },
        {"prompts": 2, "responses": 4, "items": 2, "answers": 2, "annotators": 1},
    ),
    "label-studio": (
        {
            "l.json": [
                {
                    "id": 7,
                    "data": {"prompt": "P?", "answer_a": "Yes", "answer_b": "No", "model_a": "ant"},
                    "predictions": [],
                    "annotations": [
                        _labelled(1, 12, "pairwise", {"selected": "left"}),
                        _labelled(
                            2, {"id": 3, "email": "anna@example.org"}, "pairwise", {"selected": "right"}
                        ),
                        _labelled(3, 13, "pairwise", {"selected": "left"}, was_cancelled=True),
                    ],
                }
            ]
        },
        {"prompts": 1, "responses": 2, "items": 1, "answers": 2, "annotators": 2},
    ),
    "argilla": (
        {
            "g.json": [
                {
                    "id": "1",
                    "prompt": "P?",
                    "response": "Yes",
                    "quality.responses": [4, 5, 1],
                    "quality.responses.users": ["u1", "u2", "u3"],
                    "quality.responses.status": ["submitted", "submitted", "discarded"],
                    "quality.suggestion": None,
                },
                {
                    "id": "2",
                    "fields": {"prompt": "P?", "response": "No"},
                    "responses": {"quality": [{"value": 2, "user_id": "u1"}]},
                    "suggestions": {},
                },
            ]
        },
        {"prompts": 1, "responses": 2, "items": 2, "answers": 3, "annotators": 2},
    ),
}


def written(folder: Path, files: dict[str, Any]) -> list[Path]:
    """The files of a sample, as their names say."""
    for name, rows in files.items():
        if name.endswith(".jsonl"):
            jsonl(folder / name, rows)
        elif name.endswith(".csv"):
            with (folder / name).open("w", newline="") as file:
                writer = csv.DictWriter(file, rows[0])
                writer.writeheader()
                writer.writerows(rows)
        else:
            (folder / name).write_text(json.dumps(rows, indent=1))
    return [folder / name for name in files]
