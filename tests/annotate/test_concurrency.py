"""25 annotators over real HTTP at a real server with two processes, on both databases."""

import json
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.environment import start_postgres
from tests.serving import Annotator, manage, migrate, served

ANNOTATORS, OVERLAP = 25, 5

REPORT = """
import json
from django.db.models import Count
from annotate.models import Assignment, Judgment
seats = Assignment.objects.filter(study__slug="crowd")
print(json.dumps({
    "statuses": dict(seats.values_list("status").annotate(n=Count("pk"))),
    "most": max(seats.submitted().values("item").annotate(n=Count("pk")).values_list("n", flat=True)),
    "twice": seats.submitted().values("item", "annotator").annotate(n=Count("pk")).filter(n__gt=1).count(),
    "tokens": [str(t) for t in Judgment.objects.values_list("client_token", flat=True)],
}))
"""


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return start_postgres() if request.param == "postgres" else f"sqlite:///{tmp_path / 'crowd.sqlite3'}"


def test_a_crowd_fills_the_study_exactly(database: str) -> None:
    migrate(database)
    sizes = ["--prompts=20", "--responses=3", f"--seats={OVERLAP}"]
    invite, items = manage(database, "-m", "tests.make_study", "crowd", *sizes).split()
    with served(database) as server:
        people = [Annotator(server.port, "crowd", invite) for _ in range(ANNOTATORS)]
        threads = [threading.Thread(target=p.work, daemon=True) for p in people]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        # Whoever was told "all held by others" comes back; so does the crowd, until nothing is left.
        Annotator(server.port, "crowd", invite).work()
    found = json.loads(manage(database, "manage.py", "shell", "-v0", "-c", REPORT))
    assert found["statuses"] == {"submitted": int(items) * OVERLAP}
    assert found["most"] == OVERLAP
    assert found["twice"] == 0
    acknowledged = [token for p in people for token in p.acknowledged]
    stored = Counter(found["tokens"])
    assert set(stored.values()) == {1}
    assert set(acknowledged) <= set(stored)
    assert len(acknowledged) >= len(stored) - int(items)
