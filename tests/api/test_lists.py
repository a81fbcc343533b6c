"""Lists: pages by cursor, filters, fields, ETags, and as many queries for many rows as for few."""

import uuid
from typing import Any

import pytest
from django.db import connection
from django.db.models import Value
from django.db.models.functions import Concat
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotate import seats
from annotate.models import Annotator, Answer, Assignment, Judgment, Response, Role, Study
from judging.models import Score, ScoreRun, ScoringTask, Verdict
from tests.api.conftest import Asks
from tests.factories import make_annotator, make_study

pytestmark = pytest.mark.django_db

HERE = "/api/v1/studies/tiny/"


def judge(study: Study, *keys: str) -> None:
    """Each of them answers what they are offered."""
    for key in keys:
        person = Annotator.objects.create(study=study, key=key, stage=Annotator.Stage.WORK)
        seat = seats.next_assignment(person)
        assert seat is not None
        shown = [s.response for s in seat.item.item_responses.all()]
        judgment = Judgment.objects.create(
            assignment=seat, submitted_at=timezone.now(), comment=f"I am {key}", client_token=uuid.uuid4()
        )
        Assignment.objects.filter(pk=seat.pk).update(status=Assignment.Status.SUBMITTED, expires_at=None)
        Assignment.objects.for_annotator(person).held().update(status="free", annotator=None, expires_at=None)
        for criterion in study.criteria.filter(on=seat.item.kind):
            Answer.objects.create(judgment=judgment, criterion=criterion, response=shown[0], value=3)


def score(study: Study, scorer: str = "reward") -> None:
    run = ScoreRun.objects.create(study=study, scorer=scorer)
    Score.objects.bulk_create(
        Score(run=run, response=r, value=n / 7) for n, r in enumerate(study.responses.order_by("pk"))
    )
    for item in study.items.filter(kind="pair"):
        Verdict.objects.create(run=run, item=item, winner=None, value=0)
    ScoringTask.objects.create(study=study, scorer=scorer, status=ScoringTask.Status.DONE)


def rows(client: Any, path: str) -> list[dict[str, Any]]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.content
    return list(answer.json()["results"])


def test_pages_follow_one_another_and_new_rows_shift_nothing(asks: Asks, study: Study) -> None:
    client, found = asks(), []
    page = client.get(HERE + "responses/?page_size=3").json()
    prompt = study.prompts.first()
    while True:
        found += [r["response_id"] for r in page["results"]]
        if page["next"] is None:
            break
        page = client.get(page["next"]).json()
        if len(found) == 3:
            assert prompt is not None
            Response.objects.create(study=study, prompt=prompt, key="late", source="m", text="late")
    assert found == [
        *study.responses.exclude(key="late").order_by("pk").values_list("key", flat=True),
        "late",
    ]


def test_fields_chooses_what_is_told(asks: Asks) -> None:
    assert rows(asks(), HERE + "prompts/?fields=prompt_id,language")[0] == {
        "prompt_id": "p0",
        "language": "en",
    }
    assert asks().get(HERE + "?fields=slug").json() == {"slug": "tiny"}


def test_a_study_tells_its_criteria_and_counts(asks: Asks, study: Study) -> None:
    body = asks().get(HERE).json()
    assert body["role"] == "owner"
    assert [c["key"] for c in body["criteria"]] == ["quality", "preference", "similarity", "grouping"]
    assert body["criteria"][0]["scale"] == [1, 5]
    assert body["counts"] == {
        "prompts": 2, "responses": 8, "items": 12, "annotators": 0,
        "seats_free": 36, "seats_held": 0, "seats_submitted": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "n"),
    [
        ("responses/?prompt_id=p1", 4),
        ("responses/?source=nobody", 0),
        ("responses/?text=Response 3", 2),
        ("responses/?held_back=false", 8),
        ("responses/?held_back=true", 0),
        ("items/?kind=pair", 2),
        ("items/?role=gold", 0),
        ("items/?withheld=false&prompt_id=p0", 6),
        ("prompts/?language=ru", 0),
        ("judgments/?annotator_id=bo", 1),
        ("judgments/?current=true", 2),
        ("judgments/?current=false", 0),
        ("judgments/?counted=true", 2),
        ("judgments/?submitted_before=2020-01-01T00:00:00Z", 0),
        ("annotators/?stage=work", 2),
        ("scores/?scorer=reward&response_id=secret-model-0-0", 1),
        ("scores/?version=2", 0),
        ("verdicts/?scorer=reward", 2),
        ("runs/?status=done", 1),
        ("runs/?scorer=minilm", 0),
    ],
)
def test_filters(asks: Asks, study: Study, query: str, n: int) -> None:
    judge(study, "ann", "bo")
    score(study)
    assert len(rows(asks(), HERE + query)) == n


@pytest.mark.parametrize("name", ["submitted_after", "submitted_before"])
@pytest.mark.parametrize("time", ["0001-01-01T00:00:00%2B23:59", "9999-12-31T23:59:59-23:59", "9" * 5_000])
def test_times_past_the_calendars_ends_are_refused(asks: Asks, name: str, time: str) -> None:
    answer = asks().get(f"{HERE}judgments/?{name}={time}")
    assert answer.status_code == 400
    assert name in answer.content.decode()


def test_one_row_by_its_name_in_the_study(asks: Asks, study: Study) -> None:
    Response.objects.filter(key="secret-model-0-0").update(key="org/model v1?#1")
    judge(study, "ann")
    client = asks()
    assert client.get(HERE + "responses/org/model%20v1%3F%231/").json()["response_id"] == "org/model v1?#1"
    assert client.get(HERE + "items/p0-pair-4/").json()["kind"] == "pair"
    assert client.get(HERE + "annotators/ann/").json()["submitted"] == 1
    assert client.get(HERE + "prompts/p0/").json()["text"].startswith("Prompt number 0")


def test_seats_are_counted(asks: Asks, study: Study) -> None:
    judge(study, "ann", "bo")
    seats.next_assignment(make_annotator(study, "cy"))
    body = rows(asks(), HERE + "seats/")
    totals = {name: sum(row[name] for row in body) for name in ("free", "held", "submitted", "excluded")}
    stored = {s: Assignment.objects.filter(study=study, status=s).count() for s in Assignment.Status.values}
    assert totals == stored | {"excluded": 0}
    assert totals["submitted"] == 2
    Judgment.objects.filter(assignment__annotator__key="bo").update(excluded="too fast")
    assert sum(row["excluded"] for row in rows(asks(), HERE + "seats/")) == 1


def test_auditors_see_what_was_answered_and_not_by_whom(asks: Asks, study: Study) -> None:
    judge(study, "ann", "bo")
    Judgment.objects.filter(assignment__annotator__key="bo").update(excluded="bo is too fast")
    auditor = asks(Role.AUDITOR)
    answer = auditor.get(HERE + "judgments/")
    found = answer.json()["results"]
    assert len(found) == 2
    assert found[0]["answers"][0]["value"] == 3.0
    for words in ('ann"', "bo ", 'bo"', "I am", "T0", "T1"):
        assert words not in answer.content.decode()
    assert sorted(row["excluded"] for row in found) == ["", "excluded"]
    assert "annotator_id" in found[0]
    for name in ("annotator_id=ann", "submitted_after=2020-01-01T00:00:00Z"):
        assert auditor.get(f"{HERE}judgments/?{name}").status_code == 403
    researcher = rows(asks(Role.RESEARCHER), HERE + "judgments/")
    assert [r["annotator_id"] for r in researcher] == ["ann", "bo"]


def test_who_has_it_already_is_told_so(asks: Asks, study: Study) -> None:
    client = asks()
    for path in ("prompts/", "prompts/p0/", "", "agreement/"):
        first = client.get(HERE + path)
        etag = first["ETag"]
        assert "private" in first["Cache-Control"]
        assert client.get(HERE + path, HTTP_IF_NONE_MATCH=etag).status_code == 304
        assert client.get(HERE + path, HTTP_IF_NONE_MATCH='"other"').status_code == 200
    etag = client.get(HERE + "prompts/")["ETag"]
    study.prompts.filter(key="p0").update(text="Another one.")
    assert client.get(HERE + "prompts/", HTTP_IF_NONE_MATCH=etag).status_code == 200


LISTS = [
    *("prompts", "responses", "items", "seats", "annotators", "judgments"),
    *("scorers", "runs", "scores", "verdicts"),
]


@pytest.mark.parametrize("name", LISTS)
def test_many_rows_take_as_many_queries_as_few(asks: Asks, study: Study, name: str) -> None:
    client = asks()
    judge(study, "ann")
    score(study)
    client.get(HERE + f"{name}/")
    with CaptureQueriesContext(connection) as few:
        n_few = len(rows(client, HERE + f"{name}/"))
    judge(study, *"bcdefghij")
    big = make_study("big", prompts=5)
    for found in (big.prompts, big.responses, big.items):
        found.update(study=study, key=Concat(Value("big-"), "key"))
    big.assignments.update(study=study)
    for scorer in "stuv":
        score(study, scorer)
    with CaptureQueriesContext(connection) as many:
        n_many = len(rows(client, HERE + f"{name}/"))
    assert n_many > n_few
    assert len(many) == len(few) <= 13, [q["sql"][:120] for q in many.captured_queries]


def test_studies_take_as_many_queries_however_many_there_are(asks: Asks) -> None:
    from annotate import members
    from annotate.models import Membership

    client = asks()
    client.get("/api/v1/studies/")
    with CaptureQueriesContext(connection) as few:
        assert len(rows(client, "/api/v1/studies/")) == 1
    user = Membership.objects.get().user
    for slug in "abcd":
        members.add(make_study(slug), user, Role.AUDITOR)
    with CaptureQueriesContext(connection) as many:
        assert len(rows(client, "/api/v1/studies/")) == 5
    assert len(many) == len(few)
