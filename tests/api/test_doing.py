"""What the API does: make studies, take rows, open, run, export."""

import io
import json
import zipfile
from typing import Any

import pytest

from annotate.api import examples
from annotate.api.problems import MEDIA_TYPE
from annotate.models import Criterion, Item, Membership, Role, Study, TrailEntry
from judging import tasks
from judging.api.docs import the_schema
from judging.models import Score, ScoreRun, ScoringTask
from tests.api.conftest import Asks

pytestmark = pytest.mark.django_db

HERE = "/api/v1/studies/tiny/"
MADE = "/api/v1/studies/metaphors/"


def deeds() -> list[str]:
    """What was done by the API in the study, without who came to it."""
    done = TrailEntry.objects.of_study("tiny").filter(via="API").order_by("pk")
    return list(done.values_list("action", flat=True))


def test_a_study_from_nothing_to_open_by_the_examples_of_the_documentation(asks: Asks) -> None:
    client = asks(is_staff=True)
    made = client.post("/api/v1/studies/", examples.STUDY.value)
    assert made.status_code == 201, made.content
    assert made["Location"] == MADE
    assert (made.json()["status"], made.json()["role"]) == ("draft", "owner")
    assert client.patch(MADE, {"status": "open"}).status_code == 409
    for name, example in (
        ("prompts", examples.PROMPTS),
        ("responses", examples.RESPONSES),
        ("items", examples.ITEMS),
        ("scores", examples.SCORES),
    ):
        sent = client.post(f"{MADE}{name}/", example.value)
        n = len(example.value)
        assert (sent.status_code, sent.json()) == (201, {"rows": n, "new": {name: n}})
        again = client.post(f"{MADE}{name}/", example.value)
        assert (again.status_code, again.json()) == (200, {"rows": n, "new": {name: 0}})
    opened = client.patch(MADE, {"status": "open"})
    assert opened.status_code == 200, opened.content
    assert opened.json()["counts"] == {
        "prompts": 1, "responses": 2, "items": 2, "annotators": 0,
        "seats_free": 10, "seats_held": 0, "seats_submitted": 0,
    }  # fmt: skip
    assert client.patch(MADE, {"status": "draft"}).status_code == 409
    done = (
        TrailEntry.objects.of_study("metaphors").order_by("pk").values_list("action", "via", "by__username")
    )
    assert list(done) == [
        (action, "API", "owner-tiny")
        for action in ("created", "member added", "loaded", "loaded", "loaded", "loaded", "opened")
    ]
    scores = client.get(f"{MADE}scores/").json()["results"]
    assert [(s["response_id"], s["value"]) for s in scores] == [("r1", 0.71), ("r2", 0.34)]


def test_studies_are_made_by_staff_and_names_are_given_once(asks: Asks, study: Study) -> None:
    assert asks().post("/api/v1/studies/", examples.STUDY.value).status_code == 403
    staff = asks(Role.RESEARCHER, is_staff=True)
    taken = staff.post("/api/v1/studies/", examples.STUDY.value | {"slug": study.slug})
    assert taken.status_code == 409
    assert Study.objects.count() == 1
    assert Criterion.objects.exclude(study=study).count() == 0


def test_settings_that_are_wrong_are_named_as_the_loader_names_them(asks: Asks) -> None:
    wrong: dict[str, Any] = json.loads(json.dumps(examples.STUDY.value))
    wrong["criterion"][0]["scale"] = [5, 1]
    wrong["criterion"][0]["surprise"] = 1
    answer = asks(is_staff=True).post("/api/v1/studies/", wrong)
    assert answer.status_code == 422
    assert [e["field"] for e in answer.json()["errors"]] == ["criterion 1, surprise"]
    assert "found" in answer.json()["errors"][0]
    assert Study.objects.count() == 1


def test_one_wrong_row_and_nothing_is_stored(asks: Asks, study: Study) -> None:
    sent = [
        {"response_id": "new", "prompt_id": "p0", "text": "A new one.", "source": "m"},
        {"response_id": "lost", "prompt_id": "nowhere", "text": "x", "source": "m"},
        {"response_id": "odd", "prompt_id": "p0", "text": 7, "source": "m", "colour": "red"},
        "no row",
    ]
    answer = asks().post(HERE + "responses/", sent)
    assert answer.status_code == 422
    body = answer.json()
    assert [(e["row"], e["field"]) for e in body["errors"]] == [
        *((2, "prompt_id"), (3, "text"), (3, "colour"), (4, "")),
    ]
    assert body["error_count"] == 4
    assert body["errors"][0]["expected"] == "a prompt_id of prompts"
    assert body["errors"][0]["found"] == '"nowhere"'
    assert study.responses.count() == 8


def test_the_documentation_shows_what_is_answered(asks: Asks) -> None:
    sent = [
        {"response_id": "new", "prompt_id": "p0", "text": "A new one.", "source": "m"},
        {"response_id": "lost", "prompt_id": "nowhere", "text": "x", "source": "m"},
        {"response_id": "odd", "prompt_id": "p0", "text": 7, "source": "m"},
    ]
    assert asks().post(HERE + "responses/", sent).json() == examples.WRONG.value
    shown = the_schema()["paths"]["/api/v1/studies/{slug}/responses/"]["post"]["responses"]["422"]["content"]
    assert examples.WRONG.value in [e["value"] for e in shown[MEDIA_TYPE]["examples"].values()]


def test_a_row_that_differs_from_what_is_stored_is_refused(asks: Asks, study: Study) -> None:
    sent = [{"prompt_id": "p0", "text": "Something else."}]
    answer = asks().post(HERE + "prompts/", sent)
    assert answer.status_code == 422
    assert "differs from what is stored" in answer.json()["errors"][0]["found"]


def test_json_lines_in_one_go(asks: Asks, study: Study) -> None:
    lines = "".join(
        json.dumps({"response_id": f"n{n}", "prompt_id": "p1", "text": "…", "source": "m"}) + "\n"
        for n in range(500)
    )
    answer = asks().post(HERE + "responses/", lines, content_type="application/x-ndjson")
    assert answer.json() == {"rows": 500, "new": {"responses": 500}}
    broken = asks().post(HERE + "responses/", lines + "{", content_type="application/x-ndjson")
    assert [e["row"] for e in broken.json()["errors"]] == [501]


def test_items_get_their_seats_and_may_repeat_stored_ones(asks: Asks, study: Study) -> None:
    sent = [
        {"item_id": "new", "kind": "pair", "prompt_id": "p0",
         "response_ids": ["secret-model-0-2", "secret-model-0-3"]},
        {"item_id": "again", "kind": "pair", "prompt_id": "p0", "role": "repeat", "repeat_of": "p0-pair-4",
         "response_ids": ["secret-model-0-0", "secret-model-0-1"]},
    ]  # fmt: skip
    answer = asks().post(HERE + "items/", sent)
    assert answer.status_code == 201, answer.content
    new = Item.objects.get(key="new")
    assert [new.assignments.free().count(), Item.objects.get(key="again").assignments.count()] == [3, 0]
    wrong = [sent[0] | {"item_id": "x", "response_ids": ["secret-model-1-2", "nobody"]}]
    refused = asks().post(HERE + "items/", wrong)
    assert {e["field"] for e in refused.json()["errors"]} == {"response_ids"}
    assert len(refused.json()["errors"]) == 2
    assert asks().post(HERE + "items/", sent[:1] * 2).status_code == 422


def test_who_may_send(asks: Asks, study: Study) -> None:
    for name, example in (("prompts", examples.PROMPTS), ("scores", examples.SCORES)):
        assert asks(Role.AUDITOR).post(f"{HERE}{name}/", example.value).status_code == 403
        assert asks(Role.OWNER, scope="read").post(f"{HERE}{name}/", example.value).status_code == 403
    assert asks(Role.AUDITOR).patch(HERE, {"status": "closed"}).status_code == 403
    assert Study.objects.get(pk=study.pk).status == "open"


def test_a_run_from_start_to_scores(asks: Asks, study: Study) -> None:
    client = asks(Role.AUDITOR)
    ordered = client.post(HERE + "runs/", {"scorer": "length"})
    assert ordered.status_code == 202
    assert ordered.json()["status"] == "waiting"
    assert client.post(HERE + "runs/", {"scorer": "length"}).status_code == 409
    tasks.perform.call(ordered.json()["id"])
    done = client.get(ordered["Location"]).json()
    assert (done["status"], done["stored"], done["wanted"]) == ("done", 8, 8)
    stored = client.get(f"{HERE}scorers/{done['scorer_id']}/").json()
    assert (stored["scorer"], stored["n_scores"], stored["computed_here"]) == ("length", 8, True)
    assert len(client.get(HERE + "scores/?scorer=length").json()["results"]) == 8
    assert ScoringTask.objects.get().asked_by == Membership.objects.get(role=Role.AUDITOR).user


@pytest.mark.parametrize("sent", [{"scorer": "nobody"}, {}, {"scorer": "length", "call_budget": 0}])
def test_a_run_of_nothing_is_refused(asks: Asks, sent: dict[str, Any]) -> None:
    answer = asks().post(HERE + "runs/", sent)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] in ("scorer", "call_budget")
    assert not ScoringTask.objects.exists()


def test_a_waiting_run_is_cancelled(asks: Asks) -> None:
    order = asks().post(HERE + "runs/", {"scorer": "length"}).json()["id"]
    assert asks().delete(f"{HERE}runs/{order}/").json()["status"] == "cancelled"
    assert deeds() == ["run ordered", "run cancelled"]


def test_numbers_computed_here_are_not_added_to(asks: Asks, study: Study) -> None:
    run = ScoreRun.objects.create(study=study, scorer="mine", version="1", computed_here=True)
    sent = [{"scorer": "mine", "version": "1", "response_id": "secret-model-0-0", "value": 1.0}]
    answer = asks().post(HERE + "scores/", sent)
    assert answer.status_code == 422
    assert not Score.objects.filter(run=run).exists()


def test_an_export_is_made_and_downloaded(asks: Asks, study: Study) -> None:
    client = asks(Role.RESEARCHER)
    made = client.post(HERE + "exports/", {"writer": "folder"})
    assert made.status_code == 201, made.content
    assert made.json()["status"] == "done"
    assert made.json()["rows"]["responses"] == 8
    file: Any = client.get(made["Location"] + "file/")
    assert file["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(b"".join(file.streaming_content))) as archive:
        assert any(name.endswith("/responses.jsonl") for name in archive.namelist())
    part: Any = client.get(made["Location"] + "file/", HTTP_RANGE="bytes=0-3")
    assert (part.status_code, b"".join(part.streaming_content)) == (206, b"PK\x03\x04")
    assert deeds() == ["exported", "downloaded", "downloaded"]
    assert client.get(HERE + "exports/").json()[0]["name"] == made.json()["name"]
    assert asks(Role.AUDITOR).get(HERE + "exports/").status_code == 403
    assert client.get(HERE + "exports/tiny-folder-20200101-000000-abcd/").status_code == 404


NINES = "9" * 5_000
ODD_RANGES = {
    f"bytes=0-{NINES}": 200, f"bytes={NINES}-": 200, f"bytes=-{NINES}": 200, "bytes=٣-": 200, "lines=1-2": 200,
    "bytes=999999999999999999-": 416, "bytes=-0": 416,
}  # fmt: skip


@pytest.mark.parametrize(("span", "status"), ODD_RANGES.items(), ids=range(len(ODD_RANGES)))
def test_an_odd_range_is_none(asks: Asks, study: Study, span: str, status: int) -> None:
    client = asks(Role.RESEARCHER)
    made = client.post(HERE + "exports/", {"writer": "folder"})
    assert client.get(made["Location"] + "file/", HTTP_RANGE=span).status_code == status


def test_a_large_export_is_left_to_a_worker(asks: Asks, study: Study, settings: Any) -> None:
    settings.EXPORT_AT_ONCE = -1
    made = asks().post(HERE + "exports/", {})
    assert (made.status_code, made.json()["status"]) == (202, "waiting")
    assert asks().get(made["Location"] + "file/").status_code == 404


def test_results_say_what_the_command_line_says(asks: Asks, study: Study) -> None:
    client = asks(Role.AUDITOR)
    assert client.get(HERE + "agreement/").json()["study"] == "tiny"
    assert client.get(HERE + "audit/").json()["scorers"] == []
    assert client.get(HERE + "audit/").json()["reason"]
    assert "measures" in client.get(HERE + "similarity/").json()
    assert "manage.py score" in client.get(HERE + "homogeneity/").json()["reason"]


def test_scorers_that_can_be_run_say_nothing_of_the_machines_they_ask(asks: Asks, settings: Any) -> None:
    settings.SCORERS = {"judge": {"class": "a.b.Judge", "url": "http://gpu.internal"}, "length": "c.Length"}
    found = asks(None).get("/api/v1/scorers/").json()
    assert found == [
        {"scorer": "judge", "implementation": "a.b.Judge"},
        {"scorer": "length", "implementation": "c.Length"},
    ]
