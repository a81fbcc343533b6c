"""The Runs page: start, watch, cancel, and what went wrong."""

import datetime as dt
import json
import re
from typing import cast

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from pytest_django import DjangoAssertNumQueries

from annotate.models import Study
from judging import tasks
from judging.models import Score, ScoreRun, ScoringTask
from judging.runs import work as scoring
from tests.factories import make_study


@pytest.fixture
def staff(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_user("ada", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def study(db: None) -> Study:
    return make_study(prompts=2, responses=4, kinds=["single"])


def page(client: Client, name: str = "runs", *args: object) -> str:
    return client.get(reverse(name, args=["tiny", *args])).content.decode()


def test_a_run_is_started_watched_and_done(staff: Client, study: Study) -> None:
    assert "None so far" in page(staff)
    answer = staff.post(reverse("start-run", args=["tiny"]), {"scorer": "length", "call_budget": "5"})
    assert answer.status_code == 302
    order = ScoringTask.objects.get()
    assert (order.asked_by.username, order.call_budget) == ("ada", 5)  # type: ignore[union-attr]
    shown = page(staff)
    assert "waiting" in shown
    assert 'hx-trigger="every 2s"' in shown
    assert DBTaskResult.objects.ready().filter(task_path="judging.tasks.perform").count() == 1
    assert tasks.perform.call(order.pk) == "done"
    shown = page(staff)
    assert "8 of 8" in shown
    assert "every 2s" not in shown
    assert "by ada" not in shown
    assert ">ada" in shown


def test_a_running_one_shows_its_progress_and_the_time_left(staff: Client, study: Study) -> None:
    order = scoring.order(study, "length")
    order.claim()
    order.save_progress(done=2, total=8, claimed_at=timezone.now() - dt.timedelta(seconds=10))
    part = staff.get(reverse("runs", args=["tiny"]) + "?part=live").content.decode()
    assert "<html" not in part
    assert "2 of 8" in part
    assert "s left" in part


def test_cancelling(staff: Client, study: Study) -> None:
    waiting, running = scoring.order(study, "length"), scoring.order(study, "minilm")
    running.claim()
    for task in (waiting, running):
        assert staff.post(reverse("cancel-run", args=["tiny", task.pk])).status_code == 302
    waiting.refresh_from_db()
    running.refresh_from_db()
    assert waiting.status == "cancelled"
    assert (running.status, running.cancel_asked) == ("running", True)
    assert "stopping" in page(staff)


def test_the_same_scorer_is_not_started_twice(staff: Client, study: Study) -> None:
    for _ in range(2):
        answer = staff.post(reverse("start-run", args=["tiny"]), {"scorer": "length"}, follow=True)
    assert "is already scoring this study" in answer.content.decode()
    assert ScoringTask.objects.count() == 1


def test_what_can_not_be_run_is_said_at_its_field(staff: Client, study: Study) -> None:
    answer = staff.post(reverse("start-run", args=["tiny"]), {"scorer": "gpt", "call_budget": "0"})
    assert answer.status_code == 422
    assert "gpt is not one of the available choices" in answer.content.decode()


def test_failures_are_listed_with_what_was_said(staff: Client, study: Study) -> None:
    run = ScoreRun.objects.create(study=study, scorer="judge", version="v", identity={"model": "m"})
    response = study.responses.earliest("pk")
    Score.objects.create(run=run, response=response, error="no grade in what it said", raw="<b>Hm.</b>")
    shown = page(staff, "run", run.pk)
    assert "no grade in what it said" in shown
    assert "&lt;b&gt;Hm." in shown
    assert response.key in shown


def test_others_see_nothing(client: Client, study: Study) -> None:
    path = reverse("runs", args=["tiny"])
    assert client.get(path).status_code == 302
    client.force_login(User.objects.create_user("eve"))
    assert client.get(path).status_code == 404
    assert client.post(reverse("start-run", args=["tiny"]), {"scorer": "length"}).status_code == 404
    assert ScoringTask.objects.count() == 0


def test_queries_do_not_grow_with_runs(
    staff: Client, study: Study, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for n in range(12):
        run = ScoreRun.objects.create(study=study, scorer=f"s{n}")
        ScoringTask.objects.create(study=study, scorer=f"s{n}", status="done", run=run)
    with django_assert_max_num_queries(9):
        page(staff)


def send(client: Client, text: str, **asked: str) -> HttpResponse:
    file = SimpleUploadedFile("scores.jsonl", text.encode())
    return cast(
        HttpResponse,
        client.post(reverse("scores-files", args=["tiny"]), {"sent": file, **asked}, follow=True),
    )


def test_another_tool_s_scores_are_looked_at_and_then_stored(staff: Client, study: Study) -> None:
    keys = list(study.responses.order_by("pk").values_list("key", flat=True))
    rows = [{"response_id": key, "score": n} for n, key in enumerate([*keys[:3], "of-another-study"])]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    shown = send(staff, text, format="table", scorer="rm").content.decode()
    assert re.search(r"Matched</dt><dd>3<", shown)
    assert "Line 4: no response with the id of-another-study" in shown
    assert not Score.objects.exists()
    stored = staff.post(
        reverse("scores-look", args=["tiny"]), {"format": "table", "scorer": "rm", "load": "1"}, follow=True
    ).content.decode()
    assert "3 numbers are stored" in stored
    assert dict(Score.objects.values_list("response__key", "value")) == dict(
        zip(keys[:3], (0, 1, 2), strict=True)
    )
    gone = staff.get(reverse("scores-look", args=["tiny"]), follow=True).content.decode()
    assert "Send it again" in gone


def test_a_study_folder_s_scores_are_stored_at_once_or_not_at_all(staff: Client, study: Study) -> None:
    key = study.responses.earliest("pk").key
    good = json.dumps({"scorer": "rm", "response_id": key, "value": 1.5})
    wrong = json.dumps({"scorer": "rm", "response_id": "nobody", "value": 1.5})
    answer = send(staff, f"{good}\n{wrong}\n")
    assert answer.status_code == 422
    assert "Nothing was stored" in answer.content.decode()
    assert not Score.objects.exists()
    assert "1 scores read, 1 of them new" in send(staff, f"{good}\n").content.decode()
    assert Score.objects.get().value == 1.5


def test_what_is_no_file_of_that_tool_is_refused_with_its_line(staff: Client, study: Study) -> None:
    answer = send(staff, '{"a": 1}\n', format="rewardbench", scorer="rm")
    assert answer.status_code == 422
    assert "scores.jsonl" in answer.content.decode()
    assert staff.post(reverse("scores-files", args=["tiny"])).status_code == 422
