"""What is exported in another tool's shape is read back by the reader of that shape, whatever the texts are."""

import json
from pathlib import Path

import pytest

from annotate.models import Answer, Study
from judging.exports.writers import export
from tests.annotate.formats.samples import brought, jsonl

pytestmark = pytest.mark.django_db

TEXTS = ["", "None", "42", "=1+1", "two\nlines", "N/A", '"quoted", and more', "  spaces "]


def won(slug: str) -> set[tuple[str, ...]]:
    """Prompt, both texts in order, and the winner's, of each vote."""
    votes = set()
    given = Answer.objects.filter(criterion__study__slug=slug, criterion__kind="preference")
    for answer in given.select_related("judgment__assignment__item__prompt", "response"):
        item = answer.judgment.assignment.item
        shown = item.item_responses.order_by("response__text").values_list("response__text", flat=True)
        votes.add((item.prompt.text, *shown, answer.response.text if answer.response else ""))
    return votes


@pytest.mark.parametrize("writer", ["trl-preference", "rewardbench", "alpaca-annotations"])
def test_pairs_come_back(tmp_path: Path, writer: str) -> None:
    rows = [
        {
            "user_query": f"Q{n % 2}",
            "response_1": text,
            "response_2": f"other {n}",
            "human_labels": [1 if n % 2 else -2],
        }
        for n, text in enumerate(TEXTS)
    ]
    brought(jsonl(tmp_path / "p.jsonl", rows), "infinity-pairwise", slug="one")
    export(Study.objects.get(slug="one"), tmp_path / "out", writer)
    files = [
        p
        for p in (tmp_path / "out").iterdir()
        if p.suffix in (".json", ".jsonl") and p.name != "manifest.json"
    ]
    done = brought(files, writer, slug="back")
    assert won("back") == won("one")
    empty = [remark for remark in done.reading.remarks if "without words" in remark]
    assert len(empty) == 1


def test_ratings_come_back(tmp_path: Path) -> None:
    rows = [
        {"user_query": "Q", "response": text, "human_labels": [n % 5 + 1]} for n, text in enumerate(TEXTS)
    ]
    brought(jsonl(tmp_path / "r.jsonl", rows), "infinity-absolute", slug="one")
    export(Study.objects.get(slug="one"), tmp_path / "out", "r", escape=False)
    mapping = {"prompt": "prompt", "response": "response", "rating.quality": "by_01"}
    brought(tmp_path / "out" / "wide.quality.csv", slug="back", mapping=mapping)

    def ratings(slug: str) -> set[tuple[str, float | None]]:
        return set(Answer.objects.filter(criterion__study__slug=slug).values_list("response__text", "value"))

    assert ratings("back") == ratings("one")
    assert len(ratings("one")) == len(TEXTS)


def test_sentences_that_are_the_same_come_back(tmp_path: Path) -> None:
    rows = [{"sentence1": "Same.", "sentence2": "Same.", "scores": [5, 4]}]
    rows += [{"sentence1": text, "sentence2": "x", "scores": [1]} for text in TEXTS]
    brought(jsonl(tmp_path / "s.jsonl", rows), "sts", slug="one")
    export(Study.objects.get(slug="one"), tmp_path / "out", "sts")
    path = tmp_path / "out" / "sts.similarity.jsonl"
    back = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(row["sentence1"], row["sentence2"]) for row in back] == [
        (row["sentence1"], row["sentence2"]) for row in rows
    ]
    brought(path, "sts", slug="back")
    for column in ("value", "response__text"):
        one, again = (
            sorted(Answer.objects.filter(criterion__study__slug=slug).values_list(column, flat=True))
            for slug in ("one", "back")
        )
        assert one == again
