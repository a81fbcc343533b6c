"""A study folder in Parquet with a data card, ready for `datasets.load_dataset`."""

import json
from pathlib import Path
from typing import Any

from annotate.folder.writing import Written, sha256
from annotate.models import Study

CARD = "README.md"
REST = """
Answers of practice, gold and repeat items are in the tables (`role` in `items`); no statistic uses them.

## Licence

None is stated. Whoever publishes this set says which, for the texts and for the answers.

## Reading it

```python
from datasets import load_dataset
answers = load_dataset("parquet", data_files="answers.parquet")["train"]
```

`manage.py load_study FOLDER` gives the same study back.
"""


def write_card(study: Study, folder: Path, manifest: dict[str, Any]) -> Written:
    text = card(study, manifest)
    (folder / CARD).write_text(text, encoding="utf-8", newline="\n")
    return Written(CARD, "card", text.count("\n"), sha256(folder / CARD))


def card(study: Study, manifest: dict[str, Any]) -> str:
    """The folder's contents, the people behind it, and what does not count."""
    tables = [f for f in manifest["files"] if f["table"] != "study"]
    lines = [*_front_matter(study, tables), "", f"# {_one_line(study.title)}", "", *_simulated(study)]
    lines += _contents(tables)
    lines += ["## What was asked", "", *_questions(study), ""]
    lines += [
        "## Who answered",
        "",
        f"{study.annotators.count():,} annotators, known by pseudonym only;"
        f" {study.seats} were wanted for each item.",
        "",
        "## What does not count",
        "",
        *_exclusions(manifest),
    ]
    return "\n".join(lines) + REST


def _front_matter(study: Study, tables: list[dict[str, Any]]) -> list[str]:
    languages = sorted(set(study.prompts.values_list("language", flat=True)))
    lines = ["---", f"pretty_name: {json.dumps(study.title, ensure_ascii=False)}", "language:"]
    lines += [f"- {json.dumps(language)}" for language in languages]
    lines += ["tags:", "- human-feedback", "- offbeat"]
    lines += ["- simulated"] if study.simulated else []
    lines += ["configs:"]
    for f in tables:
        lines += [f"- config_name: {f['table']}", f"  data_files: {f['name']}"]
        lines += ["  default: true"] if f["table"] == "answers" else []
    return [*lines, "---"]


def _contents(tables: list[dict[str, Any]]) -> list[str]:
    return [
        "People judged responses to prompts; one row of `answers` is one value that one of them gave.",
        "",
        "| table | rows | file |",
        "|---|---|---|",
        *(f"| {f['table']} | {f['rows']:,} | `{f['name']}` |" for f in tables),
        "",
    ]


def _questions(study: Study) -> list[str]:
    return [f"- **{c.key}** ({c.kind}, on a {c.on}): {_one_line(c.text)}" for c in study.criteria.all()]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _simulated(study: Study) -> list[str]:
    note = "**The annotators and scorers of this study are simulated**: nothing here is about real people or machines."
    return [note, ""] if study.simulated else []


def _exclusions(manifest: dict[str, Any]) -> list[str]:
    rules = manifest["exclusions"]
    if not rules:
        return ["No judgment was excluded.", ""]
    return [
        *(f"- {_one_line(r['rule'])}: {r['judgments']:,} judgments, {r['answers']:,} answers" for r in rules),
        "",
    ]
