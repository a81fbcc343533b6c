"""Every invariant: a sound study has no fault, and each fault that is planted is found, alone and with its id."""

import datetime as dt
import json
import uuid
from collections.abc import Callable
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Model
from django.utils import timezone

from annotate.invariants import Fault, database_faults, faults
from annotate.kinds import Value, kind_of
from annotate.models import (
    Annotator,
    Answer,
    Assignment,
    Criterion,
    Draft,
    Item,
    ItemResponse,
    Judgment,
    Prompt,
    Response,
    Study,
)
from judging.folder.invariants import INVARIANTS
from judging.models import Embedding, PoolSummary, PoolUnusualness, Score, ScoreRun, ScoringTask, Verdict
from tests.factories import make_study

pytestmark = pytest.mark.django_db


def answer_rows(criterion: Criterion, shown: list[int]) -> list[Value]:
    kind = kind_of(criterion)
    if kind.per_response:
        return [Value(response=r, value=1) for r in shown]
    if kind.compares:
        return [Value(response=shown[0], other=shown[1], value=2)]
    return [Value(response=shown[0], value=1)]


def judge(seat: Assignment, annotator: Annotator) -> Judgment:
    shown = list(ItemResponse.objects.filter(item=seat.item).values_list("response_id", flat=True))
    Assignment.objects.filter(pk=seat.pk).update(
        status="submitted", annotator=annotator, turn=seat.pk, shown=shown[::-1], opened_at=timezone.now()
    )
    judgment = Judgment.objects.create(
        assignment=seat, client_token=uuid.uuid4(), submitted_at=timezone.now()
    )
    Answer.objects.bulk_create(
        Answer(judgment=judgment, criterion=c, response_id=v.response, other_id=v.other, value=v.value)
        for c in seat.item.study.criteria.filter(on=seat.item.kind)
        for v in answer_rows(c, shown)
    )
    return judgment


def filled(slug: str) -> Study:
    study = make_study(slug, prompts=2, seats=2)
    annotator = Annotator.objects.create(study=study, key="ann")
    for seat in Assignment.objects.filter(study=study, number=1).order_by("pk"):
        judge(seat, annotator)
    for role, more in (("gold", {"expected": {"quality": 3}}), ("repeat", {})):
        original = study.items.filter(kind="pair").order_by("pk")[0]
        fields: dict[str, Any] = {"repeat_of": original} if role == "repeat" else more
        item = Item.objects.create(
            study=study, prompt=original.prompt, key=role, kind="pair", role=role, **fields
        )
        for shown in original.item_responses.all():
            ItemResponse.objects.create(item=item, response=shown.response, position=shown.position)
    run = ScoreRun.objects.create(study=study, scorer="m")
    for n, response in enumerate(study.responses.order_by("pk")):
        Score.objects.create(run=run, response=response, value=float(n))
        Embedding.objects.create(run=run, response=response, vector=np.eye(8, dtype="<f4")[n].tobytes())
    for pair in study.items.filter(kind="pair", role="main"):
        Verdict.objects.create(run=run, item=pair, winner=pair.item_responses.all()[0].response, value=1.0)
    ScoringTask.objects.create(study=study, scorer="m", run=run, status="done", total=8, done=8)
    pool = PoolSummary.objects.create(study=study, name="m", n_responses=99, computed_at=timezone.now())
    PoolUnusualness.objects.create(pool=pool, response=study.responses.order_by("pk")[0], value=0.5)
    return study


@pytest.fixture
def study() -> Study:
    filled("other")
    return filled("sound")


def other(model: type[Model], **which: Any) -> Any:
    """A row of the other study."""
    return model._default_manager.filter(study__slug="other", **which).order_by("pk")[0]


def seats(study: Study, **which: Any) -> Any:
    return Assignment.objects.filter(study=study, **which).order_by("pk")


def answers(study: Study, criterion: str) -> Any:
    return Answer.objects.filter(criterion__study=study, criterion__key=criterion).order_by("pk")


def change(row: Any, **columns: Any) -> int:
    type(row)._default_manager.filter(pk=row.pk).update(**columns)
    return int(row.pk)


def held(study: Study, **columns: Any) -> int:
    seat = seats(study, status="free")[0]
    annotator = Annotator.objects.get_or_create(study=study, key="holder")[0]
    soon = timezone.now() + dt.timedelta(minutes=5)
    return change(seat, **{"status": "held", "annotator": annotator, "expires_at": soon} | columns)


def excluded_holder(study: Study) -> int:
    seat = held(study)
    study.annotators.filter(key="holder").update(excluded="fast")
    return seat


def counted_though_excluded(study: Study) -> int:
    person = Annotator.objects.create(study=study, key="bad", excluded="fast")
    return judge(seats(study, status="free")[0], person).pk


def later_revision(study: Study) -> int:
    seat = seats(study, status="submitted")[0]
    change(seat.judgments.get(), revision=3)
    return int(seat.pk)


def emptied(study: Study) -> int:
    judgment = Judgment.objects.filter(assignment=seats(study, status="submitted")[0]).get()
    # Loaded, so that no question must be answered.
    Judgment.objects.filter(pk=judgment.pk).update(client_token=None)
    judgment.answers.all().delete()
    return judgment.pk


def left_out(criterion: str) -> Callable[[Study], int]:
    def plant(study: Study) -> int:
        answer = answers(study, criterion)[0]
        answer.delete()
        return int(answer.judgment_id)

    return plant


def unjudged(study: Study) -> int:
    seat = seats(study, status="free")[0]
    return change(seat, status="submitted", annotator=Annotator.objects.create(study=study, key="late"))


def judged_but_held(study: Study) -> int:
    return change(
        seats(study, status="submitted")[0],
        status="held",
        expires_at=timezone.now() + dt.timedelta(minutes=5),
    )


def one_seat_less(study: Study) -> int:
    seat = seats(study, status="free")[0]
    seat.delete()
    return int(seat.item_id)


def one_seat_more(study: Study) -> int:
    item = study.items.filter(role="main").order_by("pk")[0]
    Assignment.objects.create(study=study, item=item, number=9)
    return item.pk


def overfilled(study: Study) -> int:
    item = Item.objects.get(pk=one_seat_more(study))
    for n, seat in enumerate(item.assignments.free()):
        judge(seat, Annotator.objects.create(study=study, key=f"more-{n}"))
    return item.pk


def one_response_less(study: Study) -> int:
    """Of a pair that nobody has judged."""
    item = Item.objects.get(study=study, role="gold")
    item.item_responses.get(position=1).delete()
    return item.pk


def gap(study: Study) -> int:
    item = Item.objects.get(study=study, role="gold")
    item.item_responses.filter(position=1).update(position=5)
    return item.pk


def other_repeat(study: Study) -> int:
    repeat = Item.objects.get(study=study, role="repeat")
    third = repeat.prompt.responses.order_by("pk")[2]
    repeat.item_responses.filter(position=0).update(response=third)
    return repeat.pk


def of_another_prompt(study: Study) -> int:
    shown = ItemResponse.objects.get(item__study=study, item__role="gold", position=0)
    return change(shown, response=study.responses.order_by("-pk")[0])


def draft(study: Study) -> int:
    return Draft.objects.create(assignment=seats(study, status="free")[0], fields={}).pk


def scored(rows: Any) -> Callable[[Study], Any]:
    return lambda study: rows.objects.filter(run__study=study).order_by("pk")[0]


score, verdict, embedding = scored(Score), scored(Verdict), scored(Embedding)


def unusual(study: Study) -> Any:
    return PoolUnusualness.objects.get(pool__study=study)


def wrong_vector(vector: bytes) -> Callable[[Study], int]:
    return lambda study: change(Embedding.objects.filter(run__study=study).order_by("pk")[3], vector=vector)


def third(study: Study) -> Response:
    return study.prompts.order_by("pk")[0].responses.order_by("pk")[2]


DAY = dt.timedelta(days=1)
PLANTED: list[tuple[str, Callable[[Study], int]]] = [
    ("response whose prompt is of another study", lambda s: Response.objects.create(
        study=s, prompt=other(Prompt), key="stray", source="m").pk),
    ("item whose prompt is of another study", lambda s: Item.objects.create(
        study=s, prompt=other(Prompt), key="stray", kind="single", role="practice").pk),
    ("item that shows a response to another prompt", of_another_prompt),
    ("item with another number of responses", one_response_less),
    ("not numbered 0, 1, 2", gap),
    ("repeat that shows something else", other_repeat),
    ("gold item that no answer is expected of", lambda s: change(s.items.get(role="gold"), expected=None)),
    ("item withheld though", lambda s: change(s.items.get(role="gold"), withheld=True)),
    ("kind, item and scale", lambda s: change(s.criteria.get(key="quality"), kind="no-such")),
    ("kind, item and scale", lambda s: change(s.criteria.get(key="preference"), on="single")),
    ("kind, item and scale", lambda s: change(s.criteria.get(key="quality"), scale_low=None, scale_high=None)),
    ("kind, item and scale", lambda s: change(s.criteria.get(key="preference"), scale_low=1, scale_high=5)),
    ("seat of another study than its item", lambda s: Assignment.objects.create(
        study=s, item=other(Item, role="gold"), number=1).pk),
    ("seat whose annotator is of another study", lambda s: held(s, annotator=other(Annotator))),
    ("fewer seats than the study wants", one_seat_less),
    ("offers seats beyond", one_seat_more),
    ("more judgments than the study wants", overfilled),
    ("submitted seat without a judgment", unjudged),
    ("seat with a judgment that is not submitted", judged_but_held),
    ("free seat that remembers", lambda s: change(seats(s, status="free")[0], turn=4)),
    ("seat held for longer", lambda s: held(s, expires_at=timezone.now() + DAY)),
    ("seat that shows other responses", lambda s: change(seats(s, status="submitted")[0], shown=[1, 2, 3])),
    ("draft of a seat that nobody has", draft),
    ("seat whose revisions", later_revision),
    ("judgment from the future", lambda s: change(
        Judgment.objects.in_study(s)[0], submitted_at=timezone.now() + DAY)),
    ("excluded annotator who holds a seat", excluded_holder),
    ("judgment of an excluded annotator", counted_though_excluded),
    ("counted judgment without any answer", emptied),
    ("lacks an answer to a required question", left_out("preference")),
    ("lacks an answer to a required question", left_out("grouping")),
    ("answer to a question of another study", lambda s: change(
        Answer.objects.filter(criterion=other(Criterion, key="quality"))[0],
        criterion=s.criteria.get(key="quality"))),
    ("answer to a question that its item does not ask", lambda s: Answer.objects.create(
        judgment=answers(s, "preference")[0].judgment, criterion=s.criteria.get(key="quality"),
        response=answers(s, "preference")[0].response, value=1).pk),
    ("answer about a response that its item does not show", lambda s: change(
        answers(s, "preference")[0], response=third(s))),
    ("answer that compares with a response", lambda s: change(answers(s, "similarity")[0], other=third(s))),
    ("question does not admit", lambda s: change(answers(s, "quality")[2], value=6)),
    ("question does not admit", lambda s: change(answers(s, "quality")[2], value=2.5)),
    ("question does not admit", lambda s: change(answers(s, "quality")[2], value=float("inf"))),
    ("question does not admit", lambda s: change(answers(s, "preference")[1], value=0)),
    ("question does not admit", lambda s: change(answers(s, "preference")[1], label="tie")),
    ("question does not admit", lambda s: change(answers(s, "grouping")[1], value=0.5)),
    ("question does not admit", lambda s: change(answers(s, "similarity")[1], text="words")),
    ("score of a response of another study", lambda s: change(score(s), response=other(Response))),
    ("score that is no finite number", lambda s: change(score(s), value=float("-inf"))),
    ("score beside the error", lambda s: change(score(s), error="timeout")),
    ("verdict on an item that is no pair", lambda s: change(
        verdict(s), item=s.items.filter(kind="set").order_by("pk")[0])),
    ("verdict for a response", lambda s: change(verdict(s), winner=third(s))),
    ("verdict whose strength", lambda s: change(verdict(s), value=float("inf"))),
    ("verdict beside the error", lambda s: change(verdict(s), error="timeout")),
    ("embedding of a response of another study", lambda s: change(embedding(s), response=other(Response))),
    ("no vector of its run's dimension", wrong_vector(b"1234")),
    ("no vector of its run's dimension", wrong_vector(np.full(8, np.nan, "<f4").tobytes())),
    ("no vector of its run's dimension", wrong_vector(np.full(8, 1.0, "<f4").tobytes())),
    ("unusualness in a pool of a response", lambda s: change(unusual(s), response=other(Response))),
    ("unusualness that is not between", lambda s: change(unusual(s), value=2.5)),
    ("scoring of another study", lambda s: change(s.scoring_tasks.get(), run=other(ScoreRun))),
    ("scoring that did more", lambda s: change(s.scoring_tasks.get(), done=9)),
]  # fmt: skip
# What can't be planted without its neighbor: a verdict elsewhere has its winner elsewhere too.
BOTH = {"verdict on an item of another study"}


def found(study: Study) -> list[Fault]:
    return list(faults(study, INVARIANTS))


def test_a_sound_study_has_no_fault(study: Study) -> None:
    assert found(study) == []


@pytest.mark.parametrize(
    ("says", "plant"), PLANTED, ids=[f"{n}-{says}" for n, (says, _) in enumerate(PLANTED)]
)
def test_a_planted_fault_is_found_with_its_id(study: Study, says: str, plant: Callable[[Study], int]) -> None:
    pk = plant(study)
    told = found(study)
    assert [fault.says for fault in told if says in fault.says]
    assert pk in next(fault.ids for fault in told if says in fault.says)


def test_a_verdict_on_another_studys_item_is_found(study: Study) -> None:
    pk = change(verdict(study), item=other(Item, kind="pair", role="gold"))
    assert {f.says for f in found(study) if pk in f.ids} >= BOTH


def test_every_invariant_has_a_fault_that_was_planted() -> None:
    untried = {i.says for i in INVARIANTS if not any(says in i.says for says, _ in PLANTED)}
    assert untried == BOTH


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite stores NaN as NULL")
def test_nan_is_no_number(study: Study) -> None:
    wrong = {
        change(score(study), value=float("nan")),
        change(answers(study, "quality")[2], value=float("nan")),
    }
    assert {fault.ids[0] for fault in found(study)} == wrong


def check(*args: str) -> tuple[str, str]:
    out = StringIO()
    try:
        call_command("check_study", *args, stdout=out)
    except CommandError as error:
        return out.getvalue(), str(error)
    return out.getvalue(), ""


def test_the_command_says_what_is_wrong_and_ends_with_it(study: Study) -> None:
    assert check("sound") == ("sound: as it must be\n", "")
    pk = change(score(study), value=float("inf"))
    text, error = check("sound")
    assert text == f"sound:\n  wrong: score that is no finite number: 1 (Score {pk})\n"
    assert error == "1 check failed."
    assert check("other")[1] == ""
    told = json.loads(check("--all", "--json")[0])
    assert [s["study"] for s in told["studies"]] == [None, "other", "sound"]
    assert told["studies"][2]["faults"] == [
        {"says": "score that is no finite number", "table": "Score", "doubt": False, "n": 1, "ids": [pk]}
    ]
    assert "no study 'nobody'" in check("nobody")[1]


def test_a_doubt_is_told_and_is_no_error(study: Study) -> None:
    overfilled(study)
    text, error = check("sound")
    assert "doubt: item with more judgments" in text
    assert error == ""


def test_no_more_ids_are_told_than_anybody_reads(study: Study) -> None:
    Assignment.objects.filter(study=study, status="free").delete()
    (fault,) = found(study)
    assert (fault.n, len(fault.ids)) == (study.items.filter(role="main").count(), 12)


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL lets no row point to nothing")
@pytest.mark.django_db(transaction=True)
def test_rows_that_point_to_nothing_are_found(study: Study) -> None:
    assert list(database_faults()) == []
    judgment = Judgment.objects.in_study(study)[0]
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM annotate_judgment WHERE id = %s", [judgment.pk])
    (fault,) = database_faults()
    assert (fault.says, fault.table) == ("row without its annotate_judgment", "annotate_answer")
    assert fault.n == len(fault.ids) > 0
