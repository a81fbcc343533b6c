"""Loading again: the same is skipped, the new is added, a difference is a problem, and --replace loses nothing."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from annotate.folder import FolderError, load_folder
from annotate.models import Annotator, Answer, Assignment, Criterion, Judgment, Response, Study

from .small import STUDY, Tables, assert_same, database, read_tables, small, write_folder

pytestmark = pytest.mark.django_db

DIFFERS = "which differs from what is stored; load with --replace or under another --slug"


@pytest.fixture
def loaded(tmp_path: Path) -> Study:
    return load_folder(write_folder(tmp_path / "first", small())).study


def refused(folder: Path, **options: Any) -> list[str]:
    before = database()
    with pytest.raises(FolderError) as caught:
        load_folder(folder, **options)
    assert database() == before
    return str(caught.value).split("\n")


def judge_here(study: Study, item: str = "two", name: str = "bob", value: float = 1) -> Judgment:
    """As the task page does: a seat taken, a judgment with a token, its answers."""
    seat = Assignment.objects.filter(item__key=item, study=study).free().earliest("number")
    seat.annotator = study.annotators.get_or_create(key=name)[0]
    seat.status = Assignment.Status.SUBMITTED
    seat.save()
    judgment = Judgment.objects.create(assignment=seat, client_token=uuid.uuid4())
    criterion = Criterion.objects.get(study=study, key="better")
    response = Response.objects.get(study=study, key="r2")
    Answer.objects.create(judgment=judgment, criterion=criterion, response=response, value=value)
    return judgment


ALIKE = {"criterion": "alike", "response_id": "s0"}
ROW = {"item_id": "two", "annotator_id": "bob", "criterion": "better", "response_id": "r2", "value": 1}


def test_loading_again_changes_nothing(loaded: Study, tmp_path: Path) -> None:
    before = database()
    again = load_folder(tmp_path / "first")
    assert database() == before
    assert again.study == loaded
    assert str(again) == "small: 2 prompts, 5 responses, 3 items, 2 annotators, 3 answers (new: nothing)"


def test_another_slug_makes_another_study(loaded: Study, tmp_path: Path) -> None:
    other = load_folder(tmp_path / "first", slug="other").study
    assert other.slug == "other"
    assert database()["Answer"] == 6
    [message] = refused(tmp_path / "first", slug="no good")
    assert message == 'study.toml, slug: expected up to 100 letters, digits, - and _, found "no good"'


def test_new_rows_are_added(loaded: Study, tmp_path: Path) -> None:
    tables = small()
    tables["prompts"].append({"prompt_id": "p3", "text": "New"})
    tables["responses"].append({"response_id": "new", "prompt_id": "p3", "text": "New", "source": "m"})
    tables["items"].append({"item_id": "four", "kind": "single", "prompt_id": "p3", "response_ids": ["new"]})
    tables["annotators"].append({"annotator_id": "cy"})
    tables["answers"] += [
        {"item_id": "four", "annotator_id": "cy", "criterion": "quality", "response_id": "new", "value": 1},
        # A further answer in a judgment that is there, a further revision, a further annotator at a full item.
        {
            **ROW,
            "annotator_id": "ann",
            "criterion": "alike",
            "response_id": "r1",
            "other_id": "r2",
            "value": 4,
        },
        {**tables["answers"][0], "revision": 2, "value": 5, "opened_at": "2026-11-22T10:00:00Z"},
        {**tables["answers"][0], "annotator_id": "cy"},
    ]
    text = STUDY + '[[criterion]]\nkey = "more"\non = "single"\nkind = "text"\ntext = "More?"\n'
    new = load_folder(write_folder(tmp_path / "second", tables, text)).new
    assert new == {"prompts": 1, "responses": 1, "items": 1, "annotators": 1, "answers": 4, "judgments": 3}
    assert [c.key for c in loaded.criteria.all()][-2:] == ["why", "more"]
    seats = Assignment.objects.filter(item__key="one").order_by("number")
    assert [s.annotator.key if s.annotator else None for s in seats] == ["ann", "bob", "cy"]
    assert seats[0].opened_at is not None
    assert Assignment.objects.filter(item__key="four").count() == 2
    assert not any(load_folder(tmp_path / "second").new.values())


def test_rows_that_the_folder_no_longer_has_stay(loaded: Study, tmp_path: Path) -> None:
    tables = small()
    tables["answers"], tables["items"] = tables["answers"][:1], tables["items"][:1]
    before = database()
    load_folder(write_folder(tmp_path / "second", tables))
    assert database() == before


def change(table: str, **columns: object) -> Any:
    return lambda tables: tables[table][-1].update(columns)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            change("prompts", text="Other"),
            'prompts.jsonl, line 2, text: expected "Name a bakery.", found "Other"',
        ),
        (change("prompts", category=["x"]), 'prompts.jsonl, line 2, category: expected [], found ["x"]'),
        (
            change("responses", prompt_id="p1"),
            'responses.jsonl, line 5, prompt_id: expected "p2", found "p1"',
        ),
        (change("responses", params={}), "responses.jsonl, line 5, params: expected nothing, found {}"),
        (
            change("items", response_ids=["r2", "r1", "r3"]),
            'items.jsonl, line 3, response_ids: expected ["r1", "r2", "r3"], found ["r2", "r1", "r3"]',
        ),
        (change("items", role="practice"), 'items.jsonl, line 3, role: expected "main", found "practice"'),
        (
            change("annotators", age=31),
            'annotators.jsonl, line 2, details: expected {"age": 30}, found {"age": 31}',
        ),
        (
            change("answers", response_id="r1", value=1, label=None),
            'answers.jsonl, line 3, response_id: expected nothing, found "r1"',
        ),
        (
            change("answers", label="both_bad"),
            'answers.jsonl, line 3, label: expected "tie", found "both_bad"',
        ),
        (change("answers", active_ms=4), "answers.jsonl, line 3, active_ms: expected nothing, found 4"),
        (change("answers", excluded="fast"), 'answers.jsonl, line 3, excluded: expected "", found "fast"'),
        (
            change("answers", shown=["r2", "r1"]),
            'answers.jsonl, line 3, shown: expected nothing, found ["r2", "r1"]',
        ),
        (
            change("answers", revision=2, shown=["r2", "r1"]),
            'answers.jsonl, line 3, shown: expected nothing, found ["r2", "r1"]',
        ),
    ],
)
def test_a_row_that_differs_is_a_problem(loaded: Study, spoil: Any, message: str, tmp_path: Path) -> None:
    tables = small()
    spoil(tables)
    assert f"{message}, {DIFFERS}" in refused(write_folder(tmp_path / "second", tables))


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("seats = 2", "seats = 3", "seats: expected 2, found 3"),
        ('"Why?"', '"Why not?"', 'criterion why, text: expected "Why?", found "Why not?"'),
        ("scale = [0, 4]", "scale = [0, 5]", "criterion alike, scale: expected [0, 4], found [0, 5]"),
    ],
)
def test_settings_that_differ(loaded: Study, before: str, after: str, message: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "second", small(), STUDY.replace(before, after))
    assert refused(folder) == [f"study.toml, {message}, {DIFFERS}"]


def test_a_new_criterion_comes_after_those_there_are(loaded: Study, tmp_path: Path) -> None:
    first = '[[criterion]]\nkey = "first"\non = "single"\nkind = "text"\ntext = "?"\n\n[[criterion]]'
    [message] = refused(write_folder(tmp_path / "second", small(), STUDY.replace("[[criterion]]", first, 1)))
    assert message.startswith('study.toml, criterion: expected ["quality", "better"')


def test_a_free_seat_is_taken_before_one_is_added(loaded: Study, tmp_path: Path) -> None:
    held = Assignment.objects.filter(item__key="set").order_by("number")[0]
    held.status, held.annotator = Assignment.Status.HELD, loaded.annotators.get(key="ann")
    held.expires_at = timezone.now()
    held.save()
    tables = small()
    row = {"item_id": "set", "criterion": "ideas", "value": 2}
    tables["annotators"] += [{"annotator_id": "cy"}]
    tables["answers"] += [{**row, "annotator_id": name} for name in ("bob", "cy")]
    load_folder(write_folder(tmp_path / "second", tables))
    seats = Assignment.objects.filter(item__key="set").order_by("number")
    assert [(s.status, s.annotator.key if s.annotator else None) for s in seats] == [
        ("held", "ann"),
        ("submitted", "bob"),
        ("submitted", "cy"),
    ]


def test_an_annotator_who_holds_the_seat_gets_it(loaded: Study, tmp_path: Path) -> None:
    held = Assignment.objects.filter(item__key="set").order_by("number")[0]
    held.status, held.annotator = Assignment.Status.HELD, loaded.annotators.get(key="ann")
    held.expires_at = timezone.now()
    held.save()
    tables = small()
    tables["answers"].append({"item_id": "set", "annotator_id": "ann", "criterion": "ideas", "value": 2})
    load_folder(write_folder(tmp_path / "second", tables))
    taken = Assignment.objects.get(pk=held.pk)
    assert taken.status == Assignment.Status.SUBMITTED
    assert taken.expires_at is None
    assert Assignment.objects.filter(item__key="set").count() == 2


def test_judgments_made_here_stay(loaded: Study, tmp_path: Path) -> None:
    judgment = judge_here(loaded)
    assert not any(load_folder(tmp_path / "first").new.values())
    assert judgment.answers.count() == 1


def test_a_judgment_made_here_takes_no_further_answers(loaded: Study, tmp_path: Path) -> None:
    judge_here(loaded)
    tables = small()
    tables["answers"].append(ROW)
    assert not any(load_folder(write_folder(tmp_path / "second", tables)).new.values())
    tables["answers"].append({**ROW, "criterion": "alike", "response_id": "r1", "other_id": "r2"})
    assert refused(write_folder(tmp_path / "second", tables)) == [
        f'answers.jsonl, line 5, criterion: expected nothing, found "alike", {DIFFERS}'
    ]


def test_replace_loads_anew(loaded: Study, tmp_path: Path) -> None:
    tables = small()
    tables["prompts"][0]["text"] = "Changed"
    tables["items"].append(
        {**tables["items"][0], "item_id": "one again", "role": "repeat", "repeat_of": "one"}
    )
    for _ in range(2):
        study = load_folder(write_folder(tmp_path / "second", tables), replace=True).study
    assert study.pk != loaded.pk
    assert Study.objects.count() == 1
    assert study.prompts.get(key="p1").text == "Changed"
    assert Annotator.objects.count() == 2


def test_replace_leaves_other_studies_alone(loaded: Study, tmp_path: Path) -> None:
    load_folder(tmp_path / "first", slug="other")
    before = database()
    load_folder(tmp_path / "first", replace=True)
    # The trail says that it was loaded again; all else is as before.
    assert database() == before | {"TrailEntry": before["TrailEntry"] + 1}
    assert set(Study.objects.values_list("slug", flat=True)) == {"small", "other"}


def test_replace_is_all_or_nothing(loaded: Study, tmp_path: Path) -> None:
    tables = small()
    tables["answers"][0]["value"] = 7
    refused(write_folder(tmp_path / "second", tables), replace=True)
    assert Study.objects.get() == loaded


def test_replace_refuses_to_lose_a_judgment_made_here(loaded: Study, tmp_path: Path) -> None:
    judge_here(loaded)
    lost = "answers.jsonl: expected every judgment made here, found 1 judgment that --replace would lose: "
    assert refused(tmp_path / "first", replace=True) == [f"{lost}two by bob (revision 1)"]
    # The same judgment with another value would be lost no less.
    tables = small()
    tables["answers"].append({**ROW, "value": 2})
    assert refused(write_folder(tmp_path / "second", tables), replace=True) == [
        f"{lost}two by bob (revision 1)"
    ]


def test_replace_names_the_first_few(tmp_path: Path) -> None:
    tables: Tables = {k: v for k, v in small().items() if k not in ("answers", "annotators")}
    folder = write_folder(tmp_path / "first", tables, STUDY.replace("seats = 2", "seats = 9"))
    study = load_folder(folder).study
    for n in range(5):
        judge_here(study, name=f"a{n}")
    assert refused(folder, replace=True) == [
        "answers.jsonl: expected every judgment made here, found 5 judgments that --replace would lose: "
        "two by a0 (revision 1), two by a1 (revision 1), two by a2 (revision 1) and 2 more"
    ]


def test_replace_keeps_judgments_made_here_that_the_folder_has(loaded: Study, tmp_path: Path) -> None:
    from annotate.folder import export_folder

    token = judge_here(loaded).client_token
    export_folder(loaded, tmp_path / "out")
    study = load_folder(tmp_path / "out", replace=True).study
    judgment = Judgment.objects.made_here().get()
    assert judgment.client_token == token
    assert judgment.assignment.annotator == study.annotators.get(key="bob")
    tables = small()
    tables["answers"].append(ROW)
    assert_same(read_tables(tmp_path / "out"), tables)
    # Still made here, so still not to be lost.
    refused(tmp_path / "first", replace=True)


def test_answers_of_one_judgment_may_lie_far_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from annotate.folder import answers

    monkeypatch.setattr(answers, "ROWS", 2)
    tables = small()
    tables["responses"] += [
        {"response_id": f"s{n}", "prompt_id": "p2", "text": "", "source": "m"} for n in range(4)
    ]
    tables["items"] += [
        {"item_id": f"pair{n}", "kind": "pair", "prompt_id": "p2", "response_ids": ["s0", f"s{n}"]}
        for n in (1, 2, 3)
    ]
    rows = [{"item_id": f"pair{n}", "annotator_id": "ann", "criterion": "better"} for n in (1, 2, 3)]
    late = {"opened_at": "2026-11-22T10:00:00Z", "revision": 2}
    tables["answers"] += [
        *[{**row, **late} for row in rows],
        *rows,
        *[{**row, **late, **ALIKE, "other_id": f"s{n}"} for n, row in enumerate(rows, 1)],
    ]
    study = load_folder(write_folder(tmp_path / "in", tables)).study
    assert Assignment.objects.filter(item__key__startswith="pair").submitted().count() == 3
    assert Judgment.objects.filter(assignment__item__key__startswith="pair").count() == 6
    seat = Assignment.objects.submitted().get(item__key="pair1", study=study)
    assert seat.opened_at is not None
    assert not any(load_folder(tmp_path / "in").new.values())
