"""Rules for every value in the samples of all readers: each is changed, one by one, and what comes out is looked at."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .samples import NAMES, Sample, sample, tables, versions, written
from .test_every_reader import TEXTS, texts


def other_texts(change: Callable[[str], str]) -> Callable[[Any], Any]:
    return lambda value: change(value) if isinstance(value, str) and value else None


STUDIES = [name for name in NAMES if not sample(name).into and sample(name).format != "table"]
NAMED_BY = {
    "annotators": ("annotator_id",),
    "answers": ("annotator_id", "criterion"),
    "responses": ("source",),
    "prompts": ("category",),
    "scores": ("scorer",),
}


def names_in(study: dict[str, list[dict[str, Any]]]) -> set[str]:
    """How people, sources, categories and scorers are called."""
    values = [
        row.get(column)
        for table, columns in NAMED_BY.items()
        for row in study.get(table, ())
        for column in columns
    ]
    return {name for value in values for name in (value if isinstance(value, list) else [value]) if name}


def as_lines(files: dict[str, Any]) -> dict[str, Any]:
    """CSV as JSON Lines, in which cells may hold anything."""
    return {name.replace(".csv", ".jsonl"): rows for name, rows in files.items()}


# Slots are called by their items, which are called by their texts.
SLOT = re.compile(r"[ps]-[0-9a-f]{16}-label-\d+")
UNSEEN = "\u00a0\u200b\r\u2028\u061c\u2060\ufe0f"


@pytest.mark.parametrize("name", STUDIES)
def test_nobody_is_called_by_what_nobody_sees(tmp_path: Path, name: str) -> None:
    one = sample(name)
    before = tables(one.paths, one)
    assert before is not None
    for file, rows in one.rows.items():
        for path, new in versions(rows, other_texts(lambda text: f"{UNSEEN}{text}{UNSEEN}")):
            study = tables(written(tmp_path / "f", one.rows | {file: new}), one) or {}
            assert not {n for n in names_in(study) - names_in(before) if not SLOT.fullmatch(n)}, path


@pytest.mark.parametrize("name", STUDIES)
@pytest.mark.parametrize("person", ["{{%PROLIFIC_PID%}}", "ann@example.org"])
def test_a_placeholder_is_no_person_and_an_address_no_name(tmp_path: Path, name: str, person: str) -> None:
    one = sample(name)
    for file, rows in one.rows.items():
        for path, new in versions(rows, other_texts(lambda text: person)):
            study = tables(written(tmp_path / "f", one.rows | {file: new}), one) or {}
            assert person not in {row["annotator_id"] for row in study.get("annotators", ())}, path


def vote_words(one: Sample) -> dict[str, str]:
    """The words for a choice in a sample's files, with what the first of the two means."""
    read_so = [r for r in one.gives.get("remarks", ()) if "was read so: " in r]
    pairs = [
        found
        for r in read_so
        for found in re.findall(r'("[^"]*"|-?[\d.]+) as “the (first|second) is (much)?', r)
    ]
    return {json.loads(word): f"{side}_{much}".strip("_") for word, side, much in pairs}


VOTING = [name for name in STUDIES if vote_words(sample(name))]


@pytest.mark.parametrize("name", VOTING)
def test_a_vote_in_other_words_is_refused_until_somebody_says_what_it_means(
    tmp_path: Path, name: str
) -> None:
    """By the one reader of votes: whatever the format, `--values` says what its words mean."""
    one, words = sample(name), vote_words(sample(name))
    coded: dict[Any, str] = {word: f"code {n}" for n, word in enumerate(words)}

    def other(value: Any) -> Any:
        return coded.get(value) if isinstance(value, str | int | float) and value is not True else None

    before, voted = tables(one.paths, one), False
    values = {coded[word]: side for word, side in words.items()}
    for file, rows in one.rows.items():
        for path, new in versions(rows, other):
            paths = written(tmp_path / "f", as_lines(one.rows | {file: new}))
            refused, study = tables(paths, one), tables(paths, one, values=values)
            if refused is None and study is not None:
                voted = True
                assert study.get("answers") == (before or {}).get("answers"), path
    assert voted


@pytest.mark.parametrize("name", STUDIES)
def test_numbers_are_the_same_as_texts(tmp_path: Path, name: str) -> None:
    """As a CSV file has them; Argilla alone tells words from numbers by that."""
    one = sample(name)

    def text(value: Any) -> Any:
        return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    before = tables(one.paths, one)
    for file, rows in one.rows.items():
        for path, new in versions(rows, text):
            after = tables(written(tmp_path / "f", one.rows | {file: new}), one)
            assert after == before or one.format == "argilla", path


@pytest.mark.parametrize("format", sorted(TEXTS.keys() - {"sts"}))
def test_a_response_may_be_a_conversation(tmp_path: Path, format: str) -> None:
    """Sentences that are compared by their meaning are nobody's turns."""
    turns = [{"role": "assistant", "content": [{"type": "text", "text": "As turns."}]}]
    assert "As turns." in texts(tmp_path, format, turns)


@pytest.mark.parametrize("name", STUDIES)
def test_a_prompt_may_be_a_conversation(tmp_path: Path, name: str) -> None:
    one = sample(name)
    prompts = {row["text"] for row in one.gives["prompts"]}

    def as_turns(value: Any) -> Any:
        return [{"role": "user", "content": value}] if isinstance(value, str) and value in prompts else None

    before, taken, refused = tables(one.paths, one), set[str](), set[str]()
    for file, rows in one.rows.items():
        for path, new in versions(rows, as_turns):
            if path.rpartition(".")[2] not in ("content", "value", "turns"):
                paths = written(tmp_path / "f", as_lines(one.rows | {file: new}))
                (taken if tables(paths, one) == before else refused).add(path)
    assert not refused - {"user_prompt"}


@pytest.mark.parametrize("name", STUDIES)
def test_bad_rows_are_left_out_one_by_one(tmp_path: Path, name: str) -> None:
    """Also where all rows of a file stand on one line, as programs write JSON."""
    one = sample(name)
    for file, rows in one.rows.items():
        if isinstance(rows, list):
            line = tmp_path / "f" / f"{Path(file).stem}.json"
            others = written(tmp_path / "f", {f: r for f, r in one.rows.items() if f != file})
            line.write_text(json.dumps([5, *rows, "x"]))
            place = one.paths.index(next(p for p in one.paths if p.name == file))
            paths = [*others[:place], line, *others[place:]]
            assert tables(paths, one) is None
            bad = frozenset({(line.name, 1), (line.name, len(rows) + 2)})
            assert tables(paths, one, skip_bad_rows=True, skipped=bad) == tables(one.paths, one)
