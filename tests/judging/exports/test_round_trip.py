"""What is exported in another tool's shape is read back by the reader of that shape, whatever the texts are."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annotate.models import Answer, Study
from judging.exports.writers import WRITERS, export
from judging.folder.scores import load_folder
from tests.annotate.formats.samples import brought, jsonl

pytestmark = pytest.mark.django_db

TEXTS = [
    "",
    "None",
    "42",
    "1.0",
    "=1+1",
    "two\nlines",
    "N/A",
    '"quoted", and more',
    "  spaces ",
    "[1, 2]",
    "true",
]
PAIR = {
    "prompt": "q",
    "response_a": "a",
    "source_a": "x",
    "response_b": "b",
    "source_b": "y",
    "annotator": "who",
}
SINGLE = {"prompt": "q", "response": "a", "source": "x", "annotator": "who", "rating.quality": "r"}


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Every text beside another one, and one text beside itself by two sources: rated, preferred, compared."""
    both = [(text, f"other {n}") for n, text in enumerate(TEXTS)] + [("same", "same")]
    pairs = [
        {"q": f"Q{n % 2}", "a": a, "x": "m1", "b": b, "y": "m2", "who": f"w{n % 3}", "s": n % 5,
         "v": "first" if n % 2 else "second_much"}
        for n, (a, b) in enumerate(both)
    ]  # fmt: skip
    singles = [row | {"r": n % 5 + 1} for n, row in enumerate(pairs)]
    mapping = PAIR | {"preference": "v", "similarity": "s"}
    brought(jsonl(tmp_path / "p.jsonl", pairs), slug="one", mapping=mapping)
    brought(jsonl(tmp_path / "s.jsonl", singles), slug="one", mapping=SINGLE)
    return Study.objects.get(slug="one")


def votes(slug: str) -> set[tuple[str, ...]]:
    """Prompt, both texts, and the winner's with its source, of each vote."""
    given = Answer.objects.filter(criterion__study__slug=slug, criterion__kind="preference")
    rows = set()
    for answer in given.select_related("judgment__assignment__item__prompt", "response"):
        item = answer.judgment.assignment.item
        shown = item.item_responses.order_by("response__text").values_list("response__text", flat=True)
        winner = answer.response
        rows.add((item.prompt.text, *shown, *((winner.text, winner.source) if winner else ())))
    return rows


def numbers(slug: str, kind: str, *further: str) -> list[tuple[Any, ...]]:
    """Of each rating or similarity: prompt, texts and value."""
    given = Answer.objects.filter(criterion__study__slug=slug, criterion__kind=kind)
    columns = ("response__prompt__text", "response__text", "other__text", "value", *further)
    return sorted(given.values_list(*columns), key=repr)


def files(study: Study, folder: Path, writer: str, **options: Any) -> list[Path]:
    export(study, folder, writer, **options)
    return [
        p for p in folder.iterdir() if p.suffix in (".json", ".jsonl", ".csv") and p.name != "manifest.json"
    ]


def a_folder(study: Study, folder: Path, writer: str) -> None:
    export(study, folder, writer)
    load_folder(folder, slug="back")
    assert votes("back") == votes("one")
    for kind in ("rating", "similarity"):
        assert numbers("back", kind, "response__source") == numbers("one", kind, "response__source")


def winners(study: Study, folder: Path, writer: str) -> None:
    done = brought(files(study, folder, writer), writer, slug="back")
    assert votes("back") == votes("one")
    assert len(votes("one")) == len(TEXTS) + 1
    assert len([remark for remark in done.reading.remarks if "without words" in remark]) == 1


def desirable(study: Study, folder: Path, writer: str) -> None:
    brought(files(study, folder, writer), writer, slug="back")
    clear = [
        (prompt, text, None, float(value > 3))
        for prompt, text, _, value in numbers("one", "rating")
        if value != 3
    ]
    assert numbers("back", "rating") == sorted(clear, key=repr)


def tables(study: Study, folder: Path, writer: str) -> None:
    files(study, folder, writer, escape=False)
    mapping = {"prompt": "prompt", "response": "response", "source": "source"}
    mapping |= {"rating.quality": ",".join(f"by_w{n}" for n in range(3))}
    brought(folder / "wide.quality.csv", slug="back", mapping=mapping)
    assert numbers("back", "rating", "response__source") == numbers("one", "rating", "response__source")


def test_a_guard_against_formulas_is_said(study: Study, tmp_path: Path) -> None:
    """Nobody can tell it from an apostrophe that somebody wrote."""
    mapping = {"prompt": "prompt", "response": "response", "rating.quality": "by_w0,by_w1,by_w2"}
    for escape, said in ((True, 1), (False, 0)):
        export(study, tmp_path / str(escape), "r", escape=escape)
        done = brought(tmp_path / str(escape) / "wide.quality.csv", slug=f"back-{escape}", mapping=mapping)
        guarded = [
            r for r in done.reading.remarks if "1 cell with an apostrophe before a sign of formulas" in r
        ]
        assert len(guarded) == said


def labels(study: Study, folder: Path, writer: str) -> None:
    """Into a study that has the texts, and no answers."""
    export(study, folder / "texts")
    for table in ("answers", "annotators"):
        (folder / "texts" / f"{table}.jsonl").unlink()
    load_folder(folder / "texts", slug="back")
    for path in files(study, folder / "labels", writer):
        brought(path, writer, slug="back")
    assert votes("back") == votes("one")
    assert numbers("back", "rating") == numbers("one", "rating")


def sentences(study: Study, folder: Path, writer: str) -> None:
    brought(files(study, folder, writer), writer, slug="back")
    back, one = (numbers(slug, "similarity") for slug in ("back", "one"))
    assert [row[1:] for row in back] == sorted((row[1:] for row in one), key=repr)


ROUND_TRIPS: dict[str, Callable[[Study, Path, str], None]] = {
    **dict.fromkeys(("folder", "huggingface"), a_folder),
    **dict.fromkeys(("trl-preference", "rewardbench", "alpaca-annotations"), winners),
    "trl-unpaired": desirable,
    "r": tables,
    "crowd-kit": labels,
    "sts": sentences,
}


def test_every_writer_that_a_reader_reads_is_tried() -> None:
    assert set(ROUND_TRIPS) == {writer.name for writer in WRITERS.values() if writer.read_as}


@pytest.mark.parametrize("writer", ROUND_TRIPS)
def test_an_export_comes_back(study: Study, tmp_path: Path, writer: str) -> None:
    ROUND_TRIPS[writer](study, tmp_path / "out", writer)


def test_ratings_of_slots_come_back(tmp_path: Path) -> None:
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
