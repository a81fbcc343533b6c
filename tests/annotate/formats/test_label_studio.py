"""Label Studio's exports: every kind of result, annotators, predictions; what has no place is named with its tag."""

import json
from pathlib import Path
from typing import Any

import pytest

from annotate.folder import FolderError

from .samples import records_of
from .test_cells import answers, file, remarks

SINGLE = {"prompt": "Q", "response": "A"}
TWO = {"prompt": "Q", "answer_a": "A", "answer_b": "B"}


def result(kind: str, tag: str, to: str = "", **value: Any) -> dict[str, Any]:
    return {"type": kind, "from_name": tag, "to_name": to, "value": value}


def task(data: dict[str, Any], *annotations: Any, **further: Any) -> dict[str, Any]:
    """Each annotation is a list of results, by annotators 1, 2 …"""
    given = [
        results if isinstance(results, dict) else {"completed_by": n, "result": results}
        for n, results in enumerate(annotations, 1)
    ]
    return {"id": 1, "data": data, "annotations": given, **further}


def read(folder: Path, *tasks: dict[str, Any], **options: Any) -> dict[str, Any]:
    return records_of(file(folder, json.dumps(tasks), "f.json"), **options)


def test_several_annotators_with_ratings_numbers_and_words(tmp_path: Path) -> None:
    one = [
        result("rating", "clear", rating=4),
        result("rating", "true", rating=2),
        result("number", "years", number=7.5),
        result("textarea", "why", text=["Short,", "and good."]),
    ]
    records = read(tmp_path, task(SINGLE, one, [result("rating", "clear", rating=5)]))
    given = [(a["annotator_id"], a["criterion"], a.get("value", a.get("text"))) for a in records["answers"]]
    assert given == [
        ("1", "clear", 4),
        ("1", "true", 2),
        ("1", "years", 7.5),
        ("1", "why", "Short,\nand good."),
        ("2", "clear", 5),
    ]


@pytest.mark.parametrize("rating", [4.5, 0, 6, "good", None])
def test_a_rating_that_is_no_number_of_stars_is_named_by_its_result(tmp_path: Path, rating: object) -> None:
    with pytest.raises(FolderError, match=r"line 1, annotations\.0\.result\.0\.value\.rating: expected a"):
        read(tmp_path, task(SINGLE, [result("rating", "clear", rating=rating)]))


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("choices", {"choices": ["helpful"]}, "Choices of 'tag' are no vote between two responses"),
        ("choices", {"choices": ["a", "b"]}, "Choices of 'tag' are no vote between two responses"),
        ("taxonomy", {"taxonomy": [["a", "b"]]}, "A result of type 'taxonomy' has no place in a study"),
        ("labels", {"start": 0, "end": 1, "labels": ["x"]}, "A result of type 'labels' has no place"),
        ("datetime", {"datetime": "2024-05-01"}, "A result of type 'datetime' has no place"),
    ],
)
def test_results_that_have_no_place_are_named_and_counted(
    tmp_path: Path, kind: str, value: dict[str, Any], said: str
) -> None:
    one = [result("rating", "clear", rating=4), result(kind, "tag", **value)]
    records = read(tmp_path, task(SINGLE, one, one))
    assert answers(records) == [4, 4]
    assert said in remarks(records)
    assert "left out. (2 times, first at f.json, line 1)" in remarks(records)


def test_choices_are_votes_in_words_of_the_tag_that_holds_them(tmp_path: Path) -> None:
    one = [result("choices", "better", choices=["Answer 2"]), result("choices", "safe", choices=["yes"])]
    with pytest.raises(FolderError, match=r"--map preference=TAG .* a code is not guessed \(--values"):
        read(tmp_path, task(TWO, one))
    records = read(tmp_path, task(TWO, one), mapping={"preference": "better"}, values={"Answer 2": "second"})
    assert [(a["criterion"], a["response"]) for a in records["answers"]] == [("better", "B")]
    assert """Field 'choices' was read so: "Answer 2" as “the second is better” (1).""" in remarks(records)
    assert "Choices of 'safe' are no vote" in remarks(records)


def test_two_questions_on_both_of_a_pair_stay_two(tmp_path: Path) -> None:
    stars = {("clear_a", "answer_a"): 4, ("clear_b", "answer_b"): 2, ("true_a", "answer_a"): 1}
    one = [result("rating", tag, to, rating=n) for (tag, to), n in stars.items()]
    records = read(tmp_path, task(TWO, one))
    given = [(a["criterion"], a["response"], a["value"]) for a in records["answers"]]
    assert given == [("clear", "A", 4), ("clear", "B", 2), ("true", "A", 1)]


def test_what_is_cancelled_skipped_a_draft_or_said_twice_is_left_out_aloud(tmp_path: Path) -> None:
    stars = [result("rating", "clear", rating=4)]
    records = read(
        tmp_path,
        task(
            SINGLE,
            {"completed_by": 1, "was_cancelled": True, "result": stars},
            {"completed_by": 2, "result": []},
            {"completed_by": 3, "result": stars, "lead_time": 9, "ground_truth": True},
            {"completed_by": {"id": 3, "email": ""}, "result": [result("rating", "clear", rating=1)]},
            drafts=[{"result": stars}],
        ),
    )
    assert [(a["annotator_id"], a["value"]) for a in records["answers"]] == [("3", 4)]
    said = remarks(records)
    assert "A cancelled annotation was left out." in said
    assert "An annotation has no results: nothing was made of it." in said
    assert "the first answer was kept" in said
    for field in ("drafts", "annotations.lead_time", "annotations.ground_truth"):
        assert f"{field!r} (1)" in said


def test_predictions_of_several_tags_are_scores_of_several_names(tmp_path: Path) -> None:
    two = [result("rating", "clear", rating=4), result("rating", "true", rating=2)]
    prediction = {"model_version": "m", "score": 0.9, "result": two}
    records = read(tmp_path, task(SINGLE, predictions=[prediction]))
    assert [(s["scorer"], s["value"]) for s in records["scores"]] == [("m/clear", 4), ("m/true", 2)]
    assert "'predictions.score' (1)" in remarks(records)


MIN = {"id": 1, "annotator": 3, "annotation_id": 7, "lead_time": 2.5}


@pytest.mark.parametrize("rating", [4, "4", [{"rating": 4}], '[{"rating": 4}]', "[{'rating': 4}]"])
def test_ratings_of_json_min_and_csv_come_wrapped_up(tmp_path: Path, rating: object) -> None:
    row = MIN | SINGLE | {"rating": rating}
    assert answers(records_of(file(tmp_path, json.dumps([row]), "f.json"))) == [4]


def test_votes_and_words_of_json_min_by_their_columns(tmp_path: Path) -> None:
    row = MIN | TWO | {"better": [{"selected": "left"}], "note": "So.", "tags": {"choices": ["a", "b"]}}
    path, mapping = file(tmp_path, json.dumps([row]), "f.json"), {"preference": "better", "comment": "note"}
    with pytest.raises(FolderError, match="a code is not guessed"):
        records_of(path, mapping=mapping)
    records = records_of(path, mapping=mapping, values={"left": "first"})
    assert [a.get("response", a.get("text")) for a in records["answers"]] == ["A", "So."]
    assert "'tags' (1)" in remarks(records)
