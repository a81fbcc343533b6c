"""Scoring as work: claimed once, cancelled, taken over after a kill. Workers are real processes."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from pytest_django.fixtures import Settings

from annotate.models import Study
from judging import tasks
from judging.models import Score, ScoringTask
from judging.runs import work as scoring
from judging.runs.batches import Missing, Stored
from tests.factories import make_study

ROOT = Path(__file__).parents[3]
Status = ScoringTask.Status


@pytest.fixture
def study(db: None) -> Study:
    return make_study(prompts=2, responses=4, kinds=["single"])


def test_an_order_is_claimed_once(study: Study) -> None:
    order = scoring.order(study, "length")
    other = ScoringTask.objects.get()
    assert order.claim()
    assert not other.claim()
    assert ScoringTask.objects.get().attempts == 1


def test_one_scorer_has_one_order_at_a_time(study: Study) -> None:
    scoring.order(study, "length")
    with pytest.raises(scoring.BusyError, match="is already scoring this study"):
        scoring.order(study, "length")
    scoring.order(study, "minilm")


def test_an_order_for_nobody_is_refused(study: Study) -> None:
    with pytest.raises(scoring.UnknownScorerError, match="there are length"):
        scoring.order(study, "gpt")


def test_who_fell_silent_has_lost_the_work(study: Study) -> None:
    dead = scoring.order(study, "length")
    assert dead.claim()
    ScoringTask.objects.update(beat_at=timezone.now() - dt.timedelta(hours=1))
    heir = ScoringTask.objects.get()
    assert heir.claim()
    assert not dead.save_progress(done=3)
    with pytest.raises(scoring.LostError):
        scoring.perform(dead)
    scoring.perform(heir)
    found = ScoringTask.objects.get()
    assert (found.status, found.done, found.attempts) == (Status.DONE, 8, 2)


def test_a_cancelled_order_stops_at_the_next_batch(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("judging.runs.batches.SCORED_AT_ONCE", 3)
    order = scoring.order(study, "length")

    def cancel(lacking: Missing, stored: Stored) -> None:
        if stored.done == 3:
            ScoringTask.objects.get().cancel()

    assert order.claim()
    with pytest.raises(scoring.CancelledError):
        scoring.perform(order, cancel)
    found = ScoringTask.objects.get()
    assert (found.status, found.done, found.total, Score.objects.count()) == (Status.CANCELLED, 6, 8, 6)
    assert found.finished_at is not None
    assert scoring.score(study, "length").computed == 2


def test_what_nobody_has_begun_is_cancelled_at_once(study: Study) -> None:
    order = scoring.order(study, "length")
    tasks.enqueue(order)
    order.cancel()
    assert ScoringTask.objects.get().status == Status.CANCELLED
    assert tasks.perform.call(order.pk) == "nothing to do"
    assert tasks.watch.call(order.pk) == "over"
    assert Score.objects.count() == 0


def test_what_went_wrong_is_written_down(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("judging.scorers.length.Length.score", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        scoring.score(study, "length")
    found = ScoringTask.objects.get()
    assert (found.status, found.error) == (Status.FAILED, "ZeroDivisionError: division by zero")


def test_time_left_follows_the_pace(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    order = scoring.order(study, "length")
    assert order.seconds_left is None
    assert order.claim()
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    order.save_progress(done=2, total=8, claimed_at=now - dt.timedelta(seconds=10))
    assert order.seconds_left == 30


SLOW = '''
import os
import time
from pathlib import Path
import numpy as np
from judging.scorers import Scores

HERE = Path(__file__).parent

class Slow:
    """One response at a time, and so many by one process until there is the file that lets it go on."""
    identity = {"model": "slow"}
    at_once = 1
    scored = 0

    def score(self, prompts, responses):
        Slow.scored += 1
        (HERE / f"began-{os.getpid()}").touch()
        while Slow.scored > 5 and not (HERE / "go-on").exists():
            time.sleep(0.01)
        return Scores(np.array([float(len(r)) for r in responses]), np.zeros(len(responses), dtype=bool))
'''


class Worker:
    """A real db_worker on the test database, with a slow scorer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "slow.py").write_text(SLOW)
        (folder / "scorers.toml").write_text('[slow]\nclass = "slow.Slow"\n')
        self.environment = {
            **os.environ,
            "DATABASE_URL": _database_url(),
            "SCORERS_FILE": str(folder / "scorers.toml"),
            "PYTHONPATH": f"{folder}:{ROOT}",
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, *more: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "manage.py", "db_worker", "--no-reload", "--no-startup-delay", "-v0"]
        process = subprocess.Popen(
            [*command, "--interval=0.1", *more], cwd=ROOT, env=self.environment, stderr=subprocess.DEVNULL
        )
        self.processes.append(process)
        return process


def _database_url() -> str:
    s = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{s['NAME']}"
    # Workers on the test database, not on the one it was made beside; the test server listens at a socket.
    socket = s["OPTIONS"].get("host", "")
    address = f"{s['HOST']}:{s['PORT']}".strip(":")
    return f"postgres://{s['USER']}:{s['PASSWORD']}@{address}/{s['NAME']}" + (
        f"?host={socket}" if socket else ""
    )


@pytest.fixture
def worker(shared_database: None, tmp_path: Path) -> Iterator[Worker]:
    made = Worker(tmp_path)
    yield made
    for process in made.processes:
        process.kill()
        process.wait()


def wait_until(true: Callable[[], bool]) -> None:
    while not true():
        time.sleep(0.05)


def half_an_hour_passes() -> None:
    """Nobody has shown a sign of life since, and what was put off is due."""
    past = timezone.now() - dt.timedelta(minutes=30)
    ScoringTask.objects.active().update(beat_at=past)
    DBTaskResult.objects.filter(run_after__gt=past).update(run_after=past)


def test_a_killed_worker_loses_nothing(worker: Worker, settings: Settings) -> None:
    study = make_study(prompts=3, responses=10, kinds=["single"])
    settings.SCORERS = {"slow": {"class": "slow.Slow"}}
    order = scoring.order(study, "slow")
    tasks.enqueue(order)
    first = worker.start()
    wait_until(lambda: Score.objects.count() == 5)
    first.send_signal(signal.SIGKILL)
    first.wait()
    kept = set(Score.objects.values_list("pk", flat=True))
    assert len(kept) == 5
    assert ScoringTask.objects.get().status == Status.RUNNING
    half_an_hour_passes()
    (worker.folder / "go-on").touch()
    worker.start()
    wait_until(lambda: not ScoringTask.objects.active().exists())
    task = ScoringTask.objects.get()
    assert (task.status, task.attempts, Score.objects.count()) == (Status.DONE, 2, 30)
    assert (task.stored_before, task.done) == (5, 25)
    assert kept <= set(Score.objects.values_list("pk", flat=True))


def test_two_workers_share_the_queue(worker: Worker, settings: Settings) -> None:
    settings.SCORERS = {"slow": {"class": "slow.Slow"}}
    for n in range(4):
        tasks.enqueue(scoring.order(make_study(f"s{n}", prompts=1, responses=8, kinds=["single"]), "slow"))
    for name in ("one", "two"):
        worker.start(f"--worker-id={name}")
    wait_until(lambda: len(list(worker.folder.glob("began-*"))) == 2)
    (worker.folder / "go-on").touch()
    wait_until(lambda: not ScoringTask.objects.active().exists())
    assert set(ScoringTask.objects.values_list("status", "attempts", "done")) == {(Status.DONE, 1, 8)}
    assert Score.objects.count() == 32
    done = DBTaskResult.objects.successful().filter(task_path="judging.tasks.perform")
    assert {tuple(ids) for ids in done.values_list("worker_ids", flat=True)} == {("one",), ("two",)}
