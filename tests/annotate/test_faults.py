"""People who vanish and servers that are killed, over real HTTP, on both databases."""

import http.client
import json
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.environment import crash_postgres, restart_postgres, start_postgres
from tests.serving import Annotator, Server, hidden, manage, migrate, run, served
from tests.size import sized

CROWD, PROMPTS, OVERLAP = sized(40, 100), sized(8, 16), 5
SETTINGS = "DJANGO_SETTINGS_MODULE"
GONE = (ConnectionError, http.client.HTTPException, TimeoutError)

REPORT = """
import json
from django.db.models import Count
from annotate.models import Assignment, Item, Judgment
seats = Assignment.objects.all()
filled = dict(seats.submitted().values_list("item").annotate(n=Count("pk")))
print(json.dumps({
    "statuses": dict(seats.values_list("status").annotate(n=Count("pk"))),
    "filled": [filled.get(pk, 0) for pk in Item.objects.values_list("pk", flat=True)],
    "twice": seats.submitted().values("item", "annotator").annotate(n=Count("pk")).filter(n__gt=1).count(),
    "tokens": [str(t) for t in Judgment.objects.values_list("client_token", flat=True)],
}))
"""
# Half an hour passes for every seat that somebody holds.
LATER = """
import datetime as dt
from django.utils import timezone
from annotate.models import Assignment
past = timezone.now() - dt.timedelta(seconds=1)
print(Assignment.objects.filter(status="held").update(expires_at=past))
"""


def shell(database: str, code: str) -> str:
    return manage(database, "manage.py", "shell", "-v0", "-c", code)


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return start_postgres() if request.param == "postgres" else f"sqlite:///{tmp_path / 'faults.sqlite3'}"


@pytest.fixture
def database(empty: str) -> str:
    url = empty
    migrate(url)
    return url


def made(database: str, prompts: int, words: int = 12) -> tuple[str, int]:
    sizes = [f"--prompts={prompts}", "--responses=3", f"--seats={OVERLAP}", f"--words={words}"]
    invite, items = manage(database, "-m", "tests.make_study", "faults", *sizes).split()
    return invite, int(items)


def together(acts: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=act, daemon=True) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Visitor(Annotator):
    """Works for a while, then vanishes with seats in hand, stops properly, or goes on to the end."""

    def visit(self, chance: random.Random) -> None:
        how = chance.choice(["vanish", "vanish", "stop", "stay"])
        self.work(at_most=10**9 if how == "stay" else chance.randint(0, 3))
        if how == "stop":
            _, page = self.request("GET", "/rate/faults/")
            if b'class="answer"' in page:
                self.request("POST", "/rate/faults/leave/", hidden(page))
            self.close()


def test_a_crowd_that_comes_and_goes_leaves_exactly_the_judgments_wanted(database: str) -> None:
    invite, items = made(database, prompts=PROMPTS)
    with served(database) as server:
        people = [Visitor(server.port, "faults", invite) for _ in range(CROWD)]
        together([lambda p=p, i=i: p.visit(random.Random(i)) for i, p in enumerate(people)])  # type: ignore[misc]
        vanished = int(shell(database, LATER))
        # Who comes later finds the seats of those who never came back.
        late = [Annotator(server.port, "faults", invite) for _ in range(OVERLAP + 1)]
        for person in late:
            person.work()
    found = json.loads(shell(database, REPORT))
    assert vanished > 0
    assert found["filled"] == [OVERLAP] * items
    assert found["statuses"] == {"submitted": items * OVERLAP}
    assert found["twice"] == 0
    assert Counter(found["tokens"]).most_common(1)[0][1] == 1
    assert {t for p in [*people, *late] for t in p.acknowledged} == set(found["tokens"])


def test_two_deployments_that_migrate_at_once_wait_for_each_other(empty: str) -> None:
    done: list[subprocess.CompletedProcess[str]] = []
    together([lambda: done.append(run(empty, "manage.py", "migrate", "--skip-checks"))] * 2)
    assert [(d.returncode, d.stderr) for d in done] == [(0, ""), (0, "")]
    assert sum("Applying annotate.0001" in d.stdout for d in done) == 1
    assert sum("No migrations to apply" in d.stdout for d in done) == 1


class Stubborn(Annotator):
    """Keeps what could not be sent, and sends it again when the server is back."""

    waiting: dict[str, str] | None = None

    refused: int = 0

    def through_the_outage(self) -> None:
        """Sends again whatever was answered by 503, as the page does, until all is done."""
        while not self._done():
            time.sleep(0.1)
        self.close()

    def _done(self) -> bool:
        if self.waiting is not None:
            status, _ = self.request("POST", "/rate/faults/", self.waiting)
            if status == 503:
                return False
            self.acknowledged += [self.waiting["token"]] if status == 200 else []
            self.waiting = None
        try:
            self.work()
        except RuntimeError as error:
            if "status 503" not in str(error):
                raise
            self.refused += 1
            self.waiting = self.sent or None
            return False
        status, page = self.request("GET", "/rate/faults/")
        return status < 400 and b'class="answer"' not in page

    def until_lost(self) -> None:
        try:
            self.work()
        except GONE:
            self.waiting = self.sent

    def again(self, port: int) -> None:
        self.port = port
        if self.waiting is not None:
            status, _ = self.request("POST", "/rate/faults/", self.waiting)
            if status == 200:
                self.acknowledged.append(self.waiting["token"])
            self.close()
        self.work()


KILLED_AFTER = 40


def kill_under_load(server: Server, people: list[Stubborn]) -> None:
    while sum(len(p.acknowledged) for p in people) < KILLED_AFTER:
        time.sleep(0.01)
    os.killpg(server.pid, signal.SIGKILL)


def test_a_killed_server_has_every_judgment_that_it_acknowledged(database: str) -> None:
    # More items than are answered before the kill: nobody is done by then.
    invite, items = made(database, prompts=10)
    assert items > KILLED_AFTER
    with served(database) as server:
        people = [Stubborn(server.port, "faults", invite) for _ in range(10)]
        together([*(p.until_lost for p in people), lambda: kill_under_load(server, people)])
    acknowledged = {token for p in people for token in p.acknowledged}
    stored = json.loads(shell(database, REPORT))["tokens"]
    assert len(acknowledged) >= KILLED_AFTER
    assert any(p.waiting for p in people)
    assert acknowledged <= set(stored)
    with served(database) as server:
        together([lambda p=p: p.again(server.port) for p in people])  # type: ignore[misc]
        Annotator(server.port, "faults", invite).work()
    found = json.loads(shell(database, REPORT))
    assert found["filled"] == [OVERLAP] * items
    assert Counter(found["tokens"]).most_common(1)[0][1] == 1
    assert {token for p in people for token in p.acknowledged} <= set(found["tokens"])


@pytest.mark.parametrize("empty", ["postgres"], indirect=True)
def test_a_database_that_crashes_under_load_is_found_again(database: str) -> None:
    invite, items = made(database, prompts=4)
    with served(database) as server:
        people = [Stubborn(server.port, "faults", invite) for _ in range(8)]

        def outage() -> None:
            while sum(len(p.acknowledged) for p in people) < 30:
                time.sleep(0.01)
            crash_postgres(database)
            while not any(p.refused for p in people):
                time.sleep(0.01)
            restart_postgres(database)

        together([*(p.through_the_outage for p in people), outage])
        assert urlopen(f"http://127.0.0.1:{server.port}/readyz").status == 200
        Annotator(server.port, "faults", invite).work()
    found = json.loads(shell(database, REPORT))
    acknowledged = {token for p in people for token in p.acknowledged}
    assert acknowledged <= set(found["tokens"])
    assert found["filled"] == [OVERLAP] * items
    assert found["twice"] == 0
    assert Counter(found["tokens"]).most_common(1)[0][1] == 1


FULL_DISK = """
import resource
from django.core.management import CommandError, call_command
# SQLite's own files are smaller.
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
try:
    call_command("export_study", "faults", {out!r}, verbosity=0)
except CommandError as error:
    print(error)
"""


def test_on_a_full_disk_an_export_says_so_and_leaves_nothing(database: str, tmp_path: Path) -> None:
    made(database, prompts=8, words=3000)
    (tmp_path / "out").mkdir()
    told = shell(database, FULL_DISK.format(out=str(tmp_path / "out" / "export")))
    assert "a folder that can be written, found" in told
    assert "File too large" in told
    assert list((tmp_path / "out").iterdir()) == []
