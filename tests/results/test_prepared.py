"""Large studies: no page waits for their results; a worker makes them, and pages show the latest with its time."""

import pickle
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.cache import caches
from django.core.management import call_command
from django.test import Client
from django_tasks_db.models import DBTaskResult
from pytest_django import Settings

from annotate.models import Annotator, Judgment, Study, TrailEntry
from judging.results import prepared
from judging.results.audit import report
from judging.results.responses import report as browse
from judging.results.result import NotComputable
from tests.factories import make_study

PAGES = [
    "agreement/",
    "agreement/?format=json",
    "audit/",
    "audit/?format=json",
    "homogeneity/",
    "monitor/",
    "monitor/?part=live",
    "planning/",
    "replication/",
    "report/",
    "responses/",
    "similarity/",
]
ASKED = "/studies/demo/agreement/"
TINY = "/studies/tiny/agreement/"


@pytest.fixture
def patient(settings: Settings, tmp_path: Path) -> Iterator[None]:
    settings.RESULTS_AT_ONCE, settings.WORK_DIR = 5, tmp_path
    # Nothing is cached yet, and which study is large is known by its number: the next test's has the same.
    caches["results"].key_prefix = uuid.uuid4().hex
    yield
    caches["results"].key_prefix = ""


@pytest.fixture
def large(demo: Study, patient: None) -> Study:
    return demo


@pytest.fixture
def tiny(db: None, patient: None) -> Study:
    return make_study(kinds=("single",))


def work() -> None:
    """What a worker does, on this connection: the worker itself closes those that it finds."""
    for row in DBTaskResult.objects.filter(status="READY").order_by("enqueued_at"):
        row.task.call(*row.args_kwargs["args"], **row.args_kwargs["kwargs"])
        row.delete()


def waiting() -> int:
    return DBTaskResult.objects.filter(status="READY").count()


def moments(html: str) -> list[str]:
    return re.findall(r"are as of <time datetime=\"([^\"]+)\"", html)


def numbers(html: str) -> list[str]:
    return re.findall(r"\.\d{3}", html)


def test_pages_say_that_their_results_are_being_made_and_then_show_them(
    large: Study, auditor: Client, settings: Settings
) -> None:
    for page in PAGES:
        first = auditor.get(f"/studies/demo/{page}")
        assert first.status_code == (503 if "json" in page else 202), page
        assert first.headers["Retry-After"] == "10"
    work()
    then = {page: auditor.get(f"/studies/demo/{page}") for page in PAGES}
    assert {page: answer.status_code for page, answer in then.items()} == dict.fromkeys(PAGES, 200)
    settings.RESULTS_AT_ONCE = 10**9
    caches["results"].clear()
    for page, answer in then.items():
        at_once = auditor.get(f"/studies/demo/{page}")
        if "json" in page:
            assert answer.json() == at_once.json()
        else:
            assert len(moments(answer.content.decode())) == (0 if "part" in page else 1), page
            assert moments(at_once.content.decode()) == []


def test_many_who_ask_at_once_make_work_once(tiny: Study, auditor: Client) -> None:
    pages = [auditor.get(TINY).content.decode() for _ in range(3)]
    assert all("Being made" in page and 'http-equiv="refresh"' in page for page in pages)
    assert waiting() == 1


def test_what_is_shown_stays_until_the_next_is_made(large: Study, auditor: Client) -> None:
    auditor.get(ASKED)
    work()
    before = auditor.get(ASKED).content.decode()
    Judgment.objects.filter(assignment__annotator=Annotator.objects.first()).update(excluded="too fast")
    again = auditor.get(ASKED).content.decode()
    assert (moments(again), numbers(again), waiting()) == (moments(before), numbers(before), 0)
    # A minute later.
    caches["default"].clear()
    assert moments(auditor.get(ASKED).content.decode()) == moments(before)
    assert waiting() == 1
    work()
    after = auditor.get(ASKED).content.decode()
    assert moments(after) > moments(before)
    assert numbers(after) != numbers(before)


def test_nothing_is_computed_again_where_nothing_changed(
    tiny: Study, auditor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    auditor.get("/studies/tiny/responses/")
    work()
    before = auditor.get("/studies/tiny/responses/").content.decode()
    caches["default"].clear()
    monkeypatch.setattr(browse, "every_response", None)
    auditor.get("/studies/tiny/responses/")
    work()
    after = auditor.get("/studies/tiny/responses/").content.decode()
    assert moments(after) > moments(before)


def test_why_there_is_no_result_is_told_as_ever(
    large: Study, auditor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise NotComputable("nobody rated anything")

    monkeypatch.setattr(report, "pool_sources", refused)
    auditor.get("/studies/demo/audit/")
    work()
    told = auditor.get("/studies/demo/audit/").content.decode()
    assert "Nothing to show." in told
    assert "nobody rated anything" in told


def test_the_api_says_come_again(tiny: Study, auditor: Client) -> None:
    answer = auditor.get("/api/v1/studies/tiny/agreement/")
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "a worker is making this result" in answer.json()["detail"]
    work()
    assert auditor.get("/api/v1/studies/tiny/agreement/").status_code == 200


def test_the_live_part_keeps_what_it_shows_meanwhile(tiny: Study, auditor: Client) -> None:
    answer = auditor.get("/studies/tiny/monitor/?part=live", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.content) == (204, b"")


def test_a_worker_that_looks_leaves_no_trace_of_a_download(tiny: Study, auditor: Client) -> None:
    assert auditor.get("/studies/tiny/report/report.html").status_code == 202
    work()
    assert not TrailEntry.objects.filter(action="downloaded").exists()
    assert auditor.get("/studies/tiny/report/report.html").status_code == 200
    assert TrailEntry.objects.filter(action="downloaded").count() == 1


def test_whoever_may_not_see_a_study_makes_no_work(tiny: Study, client: Client) -> None:
    client.force_login(User.objects.create_user("stranger"))
    assert client.get(TINY).status_code == 404
    assert waiting() == 0


def test_commands_compute_at_once(large: Study, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("agreement", "demo", "--json")
    assert '"estimate"' in capsys.readouterr().out
    assert waiting() == 0


def test_what_nobody_needs_any_more_is_forgotten(tiny: Study, auditor: Client, tmp_path: Path) -> None:
    gone = tmp_path / "results" / str(tiny.pk + 1) / "some.value"
    gone.parent.mkdir(parents=True)
    gone.write_bytes(b"")
    auditor.get(TINY)
    work()
    assert not gone.parent.exists()
    assert list((tmp_path / "results" / str(tiny.pk)).iterdir())


def test_a_worker_that_died_is_followed_by_another(
    tiny: Study, auditor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "GIVEN_UP", 0)
    auditor.get(TINY)
    auditor.get(TINY)
    assert waiting() == 2


class _Runs:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.trace,)


def test_what_somebody_else_put_there_is_never_run(tiny: Study, auditor: Client, tmp_path: Path) -> None:
    auditor.get(TINY)
    work()
    assert auditor.get(TINY).status_code == 200
    files = [path for path in tmp_path.rglob("*") if path.suffix in {".made", ".value"}]
    assert files
    for path in files:
        path.write_bytes(path.read_bytes()[:32] + pickle.dumps(_Runs(tmp_path / "ran")))
    caches["results"].clear()
    assert auditor.get(TINY).status_code == 202, "made again"
    assert not (tmp_path / "ran").exists()
