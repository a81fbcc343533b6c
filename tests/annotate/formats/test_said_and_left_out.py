"""What is dropped, and what is read otherwise than it stands there, is said."""

import json
from pathlib import Path
from typing import Any

import pytest

from annotate.folder import FolderError
from annotate.formats import Options, read_scores

from .samples import records_of, sample
from .test_cells import PAIR, SINGLE, answers, file, pairs, remarks


def test_a_word_for_nothing_may_mean_a_vote(tmp_path: Path) -> None:
    records = records_of(pairs(tmp_path, "none", "first", "NA"), mapping=PAIR, values={"none": "tie"})
    assert [row["annotator_id"] for row in records["answers"]] == ["w0", "w1"]
    assert answers(records) == [0, 1]
    assert """says "NA", which is nothing""" in remarks(records)


def test_gaps_in_lists_of_labels_are_said(tmp_path: Path) -> None:
    rows = [{"q": "Q", "a": "A", "r": [4, None, "N/A", 2]}]
    records = records_of(
        file(tmp_path, rows, "f.jsonl"), mapping={"prompt": "q", "response": "a", "rating": "r"}
    )
    assert answers(records) == [4, 2]
    assert "A label in 'r' is missing: no answer was made of it. (2 times" in remarks(records)


@pytest.mark.parametrize("cell", ["['1,002', '2']", '["1,002", "2"]'])
def test_decimal_marks_in_lists_in_cells_are_settled_by_all_of_the_column(tmp_path: Path, cell: str) -> None:
    rows = [{"instruction": "Q", "generations": "['a', 'b']", "ratings": cell}]
    with pytest.raises(FolderError, match=r"ratings\.0: expected a column whose commas"):
        records_of(file(tmp_path, rows, "f.jsonl"), "ultrafeedback")
    rows.append({"instruction": "R", "generations": "['c']", "ratings": "['0,5']"})
    records = records_of(file(tmp_path, rows, "g.jsonl"), "ultrafeedback")
    assert [row["value"] for row in records["scores"]] == [1.002, 2, 0.5]


def test_another_category_of_a_prompt_that_comes_again_is_said(tmp_path: Path) -> None:
    about = (("x", "English"), ("x", "English"), ("y", "English"), ("x", "de"))
    rows = [{"q": "Q", "a": f"a{n}", "c": name, "l": tag} for n, (name, tag) in enumerate(about)]
    mapping = {"prompt": "q", "response": "a", "category": "c", "language": "l"}
    records = records_of(file(tmp_path, rows, "f.jsonl"), mapping=mapping)
    assert records["prompts"] == [{"text": "Q", "language": "en", "category": ["x"]}]
    said = "A prompt has another category or language where it comes again: left out there. (2 times"
    assert said in remarks(records)
    assert "Language 'English' was read as en." in remarks(records)


def test_words_that_stand_for_a_prompt_are_said(tmp_path: Path) -> None:
    task = {"id": 7, "data": {"text": "A"}, "annotations": []}
    record = {"id": "7", "fields": {"response": "A"}, "responses": {}}
    for row, mapping in ((task, {}), (record, {}), ({"a": "A"}, {"response": "a"})):
        records = records_of(file(tmp_path, [row], "f.jsonl"), mapping=mapping)
        assert records["prompts"][0]["text"] in ("(task 7)", "(record 7)", "(no prompt)")
        assert "No prompt is given: words in brackets stand for it." in remarks(records)


@pytest.mark.parametrize("name", ["label-studio", "argilla-suggestions", "rewardbench-outputs", "judgebench"])
def test_answers_beside_scores_are_said(name: str) -> None:
    one = sample(name)
    said = read_scores(one.paths, one.format, Options(scorer="s"), lambda record: None)
    assert any("Answers and votes are left out here: import_study brings them in." in s for s in said)


def test_a_table_with_a_column_query_is_no_list_of_queries(tmp_path: Path) -> None:
    path = file(tmp_path, [{"query": "Q", "response": "A"}], "f.jsonl")
    with pytest.raises(FolderError, match="or a mapping of columns"):
        records_of(path)


@pytest.mark.parametrize(
    ("more", "other"),
    [
        ({"id": "1", "better.responses": ["chosen"]}, "argilla"),
        ({"conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]}, "sharegpt"),
        ({"pair_id": "p", "question": "Q", "response_A": "a", "response_B": "b"}, "judgebench"),
    ],
)
def test_where_two_formats_fit_somebody_is_asked(tmp_path: Path, more: dict[str, Any], other: str) -> None:
    """Also where one has more columns: what the other is made of would be left out."""
    path = file(tmp_path, [{"prompt": "Q", "chosen": "A", "rejected": "B"} | more], "f.jsonl")
    with pytest.raises(FolderError, match="one of two that fit: --as ") as error:
        records_of(path)
    assert all(f"--as {name} (by " in str(error.value) for name in ("trl-preference", other))


@pytest.mark.parametrize("indent", [None, 1])
def test_a_bad_row_of_a_file_of_one_line_is_named_by_its_number(tmp_path: Path, indent: int | None) -> None:
    rows: list[dict[str, Any]] = [
        {"q": "Q", "a": f"a{n}", "who": "w", "r": r} for n, r in enumerate([4, 9, 2])
    ]
    path = file(tmp_path, json.dumps(rows, indent=indent), "f.json")
    line = 2 if indent is None else 8
    with pytest.raises(FolderError, match=rf"line {line}, r: expected a whole number from 1 to 5"):
        records_of(path, mapping=SINGLE)
    skipped = frozenset({("f.json", line)})
    assert answers(records_of(path, mapping=SINGLE, skip_bad_rows=True, skipped=skipped)) == [4, 2]
