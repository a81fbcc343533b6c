"""A small study of every kind, as rows of tables; folders and the database as such rows."""

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps

from annotate.folder import FolderError, Form, load_folder
from annotate.models import Study

Row = dict[str, Any]
Tables = dict[str, list[Row]]

FORMS = [Form(name, gzip) for name in ("jsonl", "csv", "parquet") for gzip in (False, True)]

DEFAULTS: Row = {"language": "en", "category": [], "role": "main", "revision": 1}

STUDY = """
slug = "small"
title = "Small"
seats = 2
seed = 5

[[criterion]]
key = "quality"
on = "single"
kind = "rating"
measures = "quality"
text = "How good?"
scale = [1, 5]
labels = { 1 = "poor", 5 = "great" }

[[criterion]]
key = "better"
on = "pair"
kind = "preference"
text = "Which is better?"

[[criterion]]
key = "alike"
on = "pair"
kind = "similarity"
text = "How alike?"
scale = [0, 4]

[[criterion]]
key = "piles"
on = "set"
kind = "grouping"
text = "Which belong together?"

[[criterion]]
key = "rank"
on = "set"
kind = "ranking"
text = "Best first"

[[criterion]]
key = "odd"
on = "set"
kind = "odd_one_out"
text = "Which is the odd one?"
required = false

[[criterion]]
key = "ideas"
on = "set"
kind = "number"
text = "How many ideas?"
required = false

[[criterion]]
key = "why"
on = "single"
kind = "text"
text = "Why?"
required = false
"""


def small() -> Tables:
    """One item of each kind, two annotators."""
    return {
        "prompts": [
            {"prompt_id": "p1", "text": "Write about time."},
            {"prompt_id": "p2", "text": "Name a bakery."},
        ],
        "responses": [
            {"response_id": f"r{n}", "prompt_id": "p1", "text": f"Time is {n}.", "source": "m"}
            for n in range(1, 5)
        ]
        + [{"response_id": "other", "prompt_id": "p2", "text": "", "source": "human"}],
        "items": [
            {"item_id": "one", "kind": "single", "prompt_id": "p1", "response_ids": ["r1"]},
            {"item_id": "two", "kind": "pair", "prompt_id": "p1", "response_ids": ["r1", "r2"]},
            {"item_id": "set", "kind": "set", "prompt_id": "p1", "response_ids": ["r1", "r2", "r3"]},
        ],
        "answers": [
            {
                "item_id": "one",
                "annotator_id": "ann",
                "criterion": "quality",
                "response_id": "r1",
                "value": 4,
            },
            {
                "item_id": "one",
                "annotator_id": "bob",
                "criterion": "quality",
                "response_id": "r1",
                "value": 2,
            },
            {"item_id": "two", "annotator_id": "ann", "criterion": "better", "value": 0, "label": "tie"},
        ],
        "annotators": [{"annotator_id": "ann", "country": "DE"}, {"annotator_id": "bob", "age": 30}],
    }


def write_folder(folder: Path, tables: Tables, study: str = STUDY) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.toml").write_text(study, encoding="utf-8", newline="\n")
    for name, rows in tables.items():
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8", newline="\n")
    return folder


def read_tables(folder: Path) -> Tables:
    """The .jsonl tables of a folder, read without the code that is tested."""
    tables = {}
    for path in folder.iterdir():
        name, _, form = path.name.partition(".")
        if form in ("jsonl", "jsonl.gz"):
            raw = gzip.decompress(path.read_bytes()) if form.endswith("gz") else path.read_bytes()
            tables[name] = [json.loads(line) for line in raw.decode().split("\n") if line]
    return tables


def plain(value: Any) -> Any:
    """A number is its value: in JSON PostgreSQL gives large ones back as whole numbers, and 0 for -0."""
    match value:
        case dict():
            return {key: plain(inner) for key, inner in value.items()}
        case list():
            return [plain(inner) for inner in value]
        case bool() | str() | None:
            return value
    return float(value) + 0.0


def normal(rows: Iterable[Row]) -> list[str]:
    """Rows without order, with absent = null = default."""
    told = (
        {k: plain(v) for k, v in row.items() if v not in (None, "") and v != DEFAULTS.get(k)} for row in rows
    )
    return sorted(json.dumps(row, sort_keys=True) for row in told)


def assert_same(out: Tables, source: Tables) -> None:
    people = {row["annotator_id"] for row in source.get("answers", [])}
    expected = {"annotators": [{"annotator_id": name} for name in sorted(people)], "answers": [], **source}
    for name, rows in expected.items():
        assert normal(out.get(name, [])) == normal(rows), name
    assert set(out) <= set(expected)


def database() -> dict[str, int]:
    """Row counts of every table of ours."""
    models = [model for app in ("annotate", "judging") for model in apps.get_app_config(app).get_models()]
    return {model.__name__: model._default_manager.count() for model in models}


def delete(study: Study) -> None:
    from annotate.folder.replace import remove_study

    remove_study(study)


def problems_of(folder: Path) -> list[str]:
    with pytest.raises(FolderError) as caught:
        load_folder(folder)
    return str(caught.value).split("\n")
