from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client

from annotate.folder import FolderError
from annotate.models import Annotator, Answer, Assignment, Item, Judgment, Prompt, Response, Study
from judging.results.agreement import agreement

from .samples import MUCH_FIRST, SIMILAR, SLIGHTLY_SECOND, absolute, brought, jsonl, records_of

pytestmark = pytest.mark.django_db


def test_absolute_ratings_come_in_with_ragged_lists_and_nan(tmp_path: Path) -> None:
    found = brought(jsonl(tmp_path / "human-absolute.jsonl", absolute()))
    assert found.reading.format.name == "infinity-absolute"
    assert (Prompt.objects.count(), Response.objects.count(), Item.objects.count()) == (2, 4, 4)
    values = Answer.objects.filter(response__text="Answer 2.").values_list("value", flat=True)
    assert sorted(v for v in values if v is not None) == [3, 3, 3, 5]
    assert Answer.objects.count() == 3 + 2 + 4 + 2
    assert any("missing" in remark and "line 4" in remark for remark in found.reading.remarks)


def test_labels_without_names_are_slots_and_said_so(tmp_path: Path) -> None:
    found = brought(jsonl(tmp_path / "a.jsonl", absolute()))
    assert any("a slot of its own" in remark for remark in found.reading.remarks)
    # Nobody is taken for a person met at another item.
    assert Annotator.objects.count() == Judgment.objects.count() == 11
    assert all(a.details == {"label_slot": True} for a in Annotator.objects.all())


def test_a_place_in_the_lists_of_one_form_is_one_person(tmp_path: Path) -> None:
    rows = [
        {
            "user_query": "Q?",
            "response": f"A{n}",
            "human_labels": [n, 3, 5],
            "form_id": 7,
            "question_id": f"Q{n}",
        }
        for n in (1, 2, 4)
    ]
    found = brought(jsonl(tmp_path / "a.jsonl", rows))
    people = Counter(Judgment.objects.values_list("assignment__annotator__key", flat=True))
    assert people == {"form-7-rater-01": 3, "form-7-rater-02": 3, "form-7-rater-03": 3}
    assert any("one person" in remark for remark in found.reading.remarks)
    # Lists of different length can't be of the same people in the same order.
    rows[1]["human_labels"] = [2, 2]
    other = brought(jsonl(tmp_path / "b.jsonl", rows), slug="ragged")
    assert any("a slot of its own" in remark for remark in other.reading.remarks)


def test_no_seat_stands_open_that_nobody_meant(tmp_path: Path) -> None:
    brought(jsonl(tmp_path / "a.jsonl", absolute()))
    study = Study.objects.get()
    assert (study.seats, study.status) == (2, "draft")
    assert not Assignment.objects.free().exists()


def test_preferences_come_in_from_codes_and_from_sentences(tmp_path: Path) -> None:
    base = {"user_query": "Q?", "response_1": "One", "response_2": "Two"}
    coded = [{**base, "human_labels": [2, 1, 0, -1, -2]}]
    worded = [{**base, "human_labels_raw": [MUCH_FIRST, SIMILAR, SLIGHTLY_SECOND, None]}]
    brought(jsonl(tmp_path / "c.jsonl", coded))
    columns = ("response__text", "value", "label")
    assert list(Answer.objects.order_by("pk").values_list(*columns)) == [
        ("One", 2, ""),
        ("One", 1, ""),
        (None, 0, "tie"),
        ("Two", 1, ""),
        ("Two", 2, ""),
    ]
    found = brought(jsonl(tmp_path / "w.jsonl", worded), "infinity-pairwise", slug="w")
    said = Answer.objects.filter(criterion__study__slug="w").order_by("pk")
    assert list(said.values_list(*columns)) == [("One", 2, ""), (None, 0, "tie"), ("Two", 1, "")]
    assert any("hard to tell" in remark for remark in found.reading.remarks)


def test_taxonomy_brings_revised_queries_and_their_categories(tmp_path: Path) -> None:
    said = [{"role": "user", "content": "hi, pun?"}, {"role": "assistant", "content": "Nuts."}]
    kinds = [
        {"category": "Creative Content Generation", "type": "predefined"},
        {"category": "Puns", "type": "new"},
    ]
    rows: list[dict[str, Any]] = [
        {
            "messages": said,
            "categories": kinds,
            "lm_judge_annotation": {"revised_query": "A pun?", "original_query": "x"},
        },
        {"messages": said, "categories": [], "lm_judge_annotation": {"revised_query": None}, "toxic": False},
    ]
    found = brought(jsonl(tmp_path / "t.jsonl", rows))
    assert found.reading.format.name == "infinity-taxonomy"
    assert list(Prompt.objects.order_by("pk").values_list("text", "category")) == [
        ("A pun?", ["Creative Content Generation", "Puns"]),
        ("hi, pun?", []),
    ]
    assert [field.name for field in found.reading.unused] == ["categories.type", "toxic"]


def test_eval_brings_the_queries(tmp_path: Path) -> None:
    brought(jsonl(tmp_path / "e.jsonl", [{"query": f"Q{n}?"} for n in range(100)]))
    assert Prompt.objects.count() == 100
    assert not Item.objects.exists()


def test_what_is_wrong_is_told_with_file_line_and_field(tmp_path: Path) -> None:
    rows = absolute()
    rows[1]["human_labels"] = [1, "six"]
    rows[2]["human_labels"] = [9]
    del rows[3]["response"]
    with pytest.raises(FolderError) as error:
        brought(jsonl(tmp_path / "a.jsonl", rows), "infinity-absolute")
    assert str(error.value).splitlines() == [
        'a.jsonl, line 2, human_labels.1: expected a number (--values WORD=NUMBER), found "six"',
        "a.jsonl, line 3, human_labels.0: expected a whole number from 1 to 5, found 9",
        "a.jsonl, line 4, response: expected text or a conversation, found nothing",
    ]
    assert not Study.objects.exists()


def test_what_the_folder_refuses_is_told_of_the_file_it_came_from(tmp_path: Path) -> None:
    rows = absolute()
    rows[2]["response"] = "half \ud83d a pair"
    with pytest.raises(FolderError) as error:
        brought(jsonl(tmp_path / "a.jsonl", rows))
    assert str(error.value).startswith(
        "a.jsonl, line 3, responses.text: expected text without lone surrogates"
    )


def test_the_same_file_again_adds_nothing_and_a_longer_one_what_is_new(tmp_path: Path) -> None:
    rows = absolute()
    brought(jsonl(tmp_path / "a.jsonl", rows[:3]))
    again = brought(jsonl(tmp_path / "a.jsonl", rows[:3]))
    assert not any(again.new.values())
    more = brought(jsonl(tmp_path / "a.jsonl", rows))
    assert {t: n for t, n in more.new.items() if n} == {
        "responses": 1,
        "items": 1,
        "answers": 2,
        "annotators": 2,
        "judgments": 2,
    }


def test_a_dry_run_says_the_same_and_stores_nothing(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", absolute())
    seen = brought(path, dry_run=True)
    assert not Study.objects.exists()
    brought(path)
    assert {t: n for t, n in seen.new.items() if n} == {
        "prompts": 2,
        "responses": 4,
        "items": 4,
        "answers": 11,
        "annotators": 11,
    }
    looked = brought(path, dry_run=True, slug="in")
    assert not any(looked.new.values())


def test_agreement_is_computed_of_slots(tmp_path: Path) -> None:
    brought(jsonl(tmp_path / "a.jsonl", absolute()))
    entries = agreement(Study.objects.get())
    assert all(entry.alpha.estimate is not None for entry in entries)


def test_no_page_tells_of_slots_as_if_they_were_people(tmp_path: Path, admin_client: Client) -> None:
    brought(jsonl(tmp_path / "a.jsonl", absolute()))
    page = admin_client.get("/studies/in/monitor/").content.decode()
    assert "11 labels were imported without naming the annotator" in page
    assert "-label-01" not in page
    assert "-label-01" not in admin_client.get("/studies/in/agreement/").content.decode()
    # Whoever has a name beside them is told of.
    named = Annotator.objects.order_by("pk")[0]
    Annotator.objects.filter(pk=named.pk).update(key="anna", details={})
    caches["results"].clear()
    assert "anna" in admin_client.get("/studies/in/monitor/").content.decode()


@pytest.mark.parametrize("name", ["human_labels", "human_labels_raw"])
@pytest.mark.parametrize(
    ("labels", "given"),
    [
        ([MUCH_FIRST, SLIGHTLY_SECOND, SIMILAR], [("A", 2), ("B", 1), (None, 0)]),
        (["strong pref. 1", "weak pref. 2", "neutral"], [("A", 2), ("B", 1), (None, 0)]),
        ([2, "-1", 0.0], [("A", 2), ("B", 1), (None, 0)]),
    ],
)
def test_documented_words_are_known_in_either_column(
    tmp_path: Path, name: str, labels: list[Any], given: list[tuple[str | None, int]]
) -> None:
    row = {"user_query": "Q?", "response_1": "A", "response_2": "B", name: labels}
    records = records_of([jsonl(tmp_path / "p.jsonl", [row])])
    assert [(answer.get("response"), answer["value"]) for answer in records["answers"]] == given
    assert any(f"Field {name!r} was read so: " in remark for remark in records["remarks"])


def test_other_words_are_read_as_whoever_imports_says(tmp_path: Path) -> None:
    row = {"user_query": "Q?", "response_1": "A", "response_2": "B", "human_labels": ["one", "two"]}
    path = jsonl(tmp_path / "p.jsonl", [row])
    with pytest.raises(FolderError, match=r"human_labels\.0: expected one of -2, -1, 0, 1, 2, or .*--values"):
        records_of([path])
    records = records_of([path], values={"one": "first", "two": "second_much"})
    assert [answer["value"] for answer in records["answers"]] == [1, 2]
