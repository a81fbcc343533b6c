"""The sign of life of a worker: it gets through, it waits for no lock, and nobody waits for it without end."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.db.backends.signals import connection_created
from pytest_django.fixtures import Settings

from judging.models import ScoringTask
from judging.runs import work
from tests.factories import make_study

LONG = 60


@pytest.fixture
def task(shared_database: None, monkeypatch: pytest.MonkeyPatch) -> ScoringTask:
    if connection.vendor == "sqlite":
        # Without a limit of its own a heartbeat would wait as long as all connections do.
        monkeypatch.setitem(connections.settings["default"]["OPTIONS"], "timeout", 10 * LONG)
    task = work.order(make_study(prompts=1, kinds=["single"]), "length")
    assert task.claim()
    return task


def test_a_heartbeat_shows(task: ScoringTask, settings: Settings) -> None:
    settings.SCORING_SILENCE = 0.04
    first = shown = ScoringTask.objects.get().beat_at
    with work.beating(task):
        while shown == first:
            shown = ScoringTask.objects.get().beat_at


@contextmanager
def locked() -> Iterator[None]:
    """The row, and on PostgreSQL its table, is locked by this thread."""
    with transaction.atomic(), connection.cursor() as cursor:
        ScoringTask.objects.update(notes=["locked"])
        if connection.vendor == "postgresql":
            cursor.execute(f"LOCK TABLE {ScoringTask._meta.db_table} IN ACCESS EXCLUSIVE MODE")
        yield


@pytest.mark.timeout(LONG)
def test_whoever_holds_the_lock_may_wait_for_the_heartbeat(task: ScoringTask, settings: Settings) -> None:
    settings.SCORING_SILENCE = 0.04
    connected = threading.Event()
    with locked(), signalled(connected), work.beating(task):
        assert connected.wait(LONG)
    assert task.save_progress(done=1)


@contextmanager
def signalled(connected: threading.Event) -> Iterator[None]:
    """The event is set as soon as a thread reaches the database."""

    def signal(**_: object) -> None:
        connected.set()

    connection_created.connect(signal)
    try:
        yield
    finally:
        connection_created.disconnect(signal)


def test_a_heartbeat_waits_for_no_lock(task: ScoringTask, settings: Settings) -> None:
    outcomes: Queue[bool] = Queue()

    def beat() -> None:
        try:
            work.beat(task)
            outcomes.put(True)
        except DatabaseError:
            outcomes.put(False)

    with locked():
        threading.Thread(target=beat, daemon=True).start()
        assert not outcomes.get(timeout=LONG)
    threading.Thread(target=beat, daemon=True).start()
    assert outcomes.get(timeout=LONG)


def test_nobody_waits_for_a_heartbeat_without_end(
    task: ScoringTask, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SCORING_SILENCE = 0.04
    stuck, release = threading.Event(), threading.Event()

    def hang(_: ScoringTask) -> None:
        stuck.set()
        release.wait()

    monkeypatch.setattr(work, "beat", hang)
    monkeypatch.setattr(work, "LONGEST_BEAT", 0.01)
    with work.beating(task):
        assert stuck.wait(LONG)
    assert not release.is_set()
    release.set()
