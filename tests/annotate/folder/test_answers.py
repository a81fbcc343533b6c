"""What answers become in the database: seats, judgments, items that nobody wrote down."""

import json
from pathlib import Path

import pytest

from annotate import design
from annotate.folder import export_folder, load_folder, open_seats
from annotate.models import Assignment, Item, Judgment

from .small import assert_same, read_tables, small, write_folder

pytestmark = pytest.mark.django_db


def test_answers_become_seats_judgments_and_rows(tmp_path: Path) -> None:
    tables = small()
    for row in tables["answers"][:2]:
        row["shown"] = ["r1"]
    later = {**tables["answers"][0], "revision": 2, "value": 5, "opened_at": "2026-11-22T10:00:00Z"}
    tables["answers"].insert(0, later)
    study = load_folder(write_folder(tmp_path / "in", tables)).study
    one = Item.objects.get(key="one")
    assert one.prompt_place == design.place(5, "prompt", "p1")
    assert one.place == design.place(5, "item", "one")
    seats = list(one.assignments.order_by("number"))
    assert [(s.number, s.status, s.annotator.key if s.annotator else None) for s in seats] == [
        (1, "submitted", "ann"),
        (2, "submitted", "bob"),
    ]
    assert [s.rank for s in seats] == [design.seat_rank(n, one.prompt_place) for n in (1, 2)]
    assert seats[0].shown == [study.responses.get(key="r1").pk]
    assert seats[0].opened_at is not None
    assert sorted(Judgment.objects.filter(assignment=seats[0]).values_list("revision", "client_token")) == [
        (1, None),
        (2, None),
    ]
    two = Assignment.objects.filter(item__key="two").order_by("number")
    assert [s.status for s in two] == ["submitted", "free"]
    assert [s.status for s in Assignment.objects.filter(item__key="set")] == ["free", "free"]


def test_seats_beyond_those_wanted_stay(tmp_path: Path) -> None:
    tables = small()
    del tables["annotators"]
    answer = tables["answers"][0]
    tables["answers"] = [{**answer, "annotator_id": f"a{n}"} for n in range(4)]
    study = load_folder(write_folder(tmp_path / "in", tables)).study
    assert Assignment.objects.filter(item__key="one").submitted().count() == 4
    assert Assignment.objects.filter(item__key="one").free().count() == 0
    assert open_seats(study) == 0


def test_an_excluded_judgment_frees_a_new_seat(tmp_path: Path) -> None:
    tables = small()
    tables["answers"][0]["excluded"] = "too fast"
    study = load_folder(write_folder(tmp_path / "in", tables)).study
    assert [s.status for s in Assignment.objects.filter(item__key="one").order_by("number")] == [
        "submitted",
        "submitted",
        "free",
    ]
    export_folder(study, tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["exclusions"] == [{"rule": "too fast", "judgments": 1, "answers": 1}]
    assert read_tables(tmp_path / "out")["answers"][0]["excluded"] == "too fast"


def test_free_and_held_seats_are_not_exported(tmp_path: Path) -> None:
    study = load_folder(write_folder(tmp_path / "in", small())).study
    seat = Assignment.objects.free().earliest("pk")
    seat.status, seat.annotator, seat.expires_at = "held", study.annotators.get(key="bob"), study.created_at
    seat.save()
    export_folder(study, tmp_path / "out")
    assert_same(read_tables(tmp_path / "out"), small())


def test_without_items_answers_about_responses_make_singles(tmp_path: Path) -> None:
    tables = small()
    del tables["items"]
    tables["answers"] = [{**row, "item_id": "r1"} for row in tables["answers"][:2]]
    export_folder(load_folder(write_folder(tmp_path / "in", tables)).study, tmp_path / "out")
    assert read_tables(tmp_path / "out")["items"] == [
        {"item_id": "r1", "kind": "single", "prompt_id": "p1", "response_ids": ["r1"]}
    ]


def test_a_study_that_nobody_has_answered(tmp_path: Path) -> None:
    tables = {name: rows for name, rows in small().items() if name not in ("answers", "annotators")}
    study = load_folder(write_folder(tmp_path / "in", tables)).study
    assert study.assignments.free().count() == 3 * 2
    export_folder(study, tmp_path / "out")
    assert_same(read_tables(tmp_path / "out"), tables)
    assert (tmp_path / "out" / "answers.jsonl").read_bytes() == b""


def test_a_chain_of_repeats_in_any_order(tmp_path: Path) -> None:
    tables = small()
    one = tables["items"][0]
    repeats = [("c", "b"), ("b", "a"), ("a", "one")]
    tables["items"][:0] = [{**one, "item_id": key, "role": "repeat", "repeat_of": of} for key, of in repeats]
    export_folder(load_folder(write_folder(tmp_path / "in", tables)).study, tmp_path / "out")
    assert_same(read_tables(tmp_path / "out"), tables)


def test_a_judgment_with_every_question_left_open_is_kept(tmp_path: Path) -> None:
    study = load_folder(write_folder(tmp_path / "in", small())).study
    seat = Assignment.objects.filter(item__key="set").earliest("pk")
    seat.status, seat.annotator = "submitted", study.annotators.get(key="bob")
    seat.save()
    Judgment.objects.create(assignment=seat)
    export_folder(study, tmp_path / "out")
    row = {"item_id": "set", "annotator_id": "bob", "criterion": "piles", "response_id": "r1", "value": None}
    assert row in read_tables(tmp_path / "out")["answers"]
    load_folder(tmp_path / "out", slug="again")
    assert Judgment.objects.filter(assignment__study__slug="again").count() == Judgment.objects.count() / 2
