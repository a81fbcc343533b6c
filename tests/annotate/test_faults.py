"""People who vanish and servers that are killed, over real HTTP, on both databases."""

import http.client
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.environment import start_postgres
from tests.serving import Annotator, Server, hidden, manage, served

pytestmark = pytest.mark.xdist_group("servers")

CROWD, OVERLAP = 100, 5
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
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    url = start_postgres() if request.param == "postgres" else f"sqlite:///{tmp_path / 'faults.sqlite3'}"
    manage(url, "manage.py", "migrate", "-v0", "--skip-checks")
    return url


def made(database: str, prompts: int) -> tuple[str, int]:
    sizes = [f"--prompts={prompts}", "--responses=3", f"--seats={OVERLAP}"]
    invite, items = manage(database, "-m", "tests.make_study", "faults", *sizes).split()
    return invite, int(items)


def together(acts: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=act) for act in acts]
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
    invite, items = made(database, prompts=16)
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


class Stubborn(Annotator):
    """Keeps what could not be sent, and sends it again when the server is back."""

    waiting: dict[str, str] | None = None

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


def kill_under_load(server: Server, people: list[Stubborn]) -> None:
    while sum(len(p.acknowledged) for p in people) < 40:
        time.sleep(0.01)
    os.killpg(server.pid, signal.SIGKILL)


def test_a_killed_server_has_every_judgment_that_it_acknowledged(database: str) -> None:
    invite, items = made(database, prompts=8)
    with served(database) as server:
        people = [Stubborn(server.port, "faults", invite) for _ in range(10)]
        together([*(p.until_lost for p in people), lambda: kill_under_load(server, people)])
    acknowledged = {token for p in people for token in p.acknowledged}
    stored = json.loads(shell(database, REPORT))["tokens"]
    assert len(acknowledged) >= 40
    assert any(p.waiting for p in people)
    assert acknowledged <= set(stored)
    with served(database) as server:
        together([lambda p=p: p.again(server.port) for p in people])  # type: ignore[misc]
        Annotator(server.port, "faults", invite).work()
    found = json.loads(shell(database, REPORT))
    assert found["filled"] == [OVERLAP] * items
    assert Counter(found["tokens"]).most_common(1)[0][1] == 1
    assert {token for p in people for token in p.acknowledged} <= set(found["tokens"])
