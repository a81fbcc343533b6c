"""A study of 26,000 prompts, 1,000,000 responses and 2,000,000 answers on PostgreSQL: its pages, and the next item.

    python -m tests.bench.bench_large [--share 1.0] [--url postgres://…]

80,000 items were judged by 25 of 2,000 annotators each; 4,000 more, ten a prompt, have free seats. Budgets:
every page under 500 ms, next item under 25 ms at the median. What such a study's results take is computed by a worker:
how long it takes until every page shows its own is told too.
"""

import argparse
import http.client
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg

from tests.environment import start_postgres
from tests.serving import ROOT, Annotator, environment, manage, served

SLUG = "large"
PROMPTS, RESPONSES, ITEMS, FREE, SEATS, ANNOTATORS = 26_000, 1_000_000, 80_000, 4_000, 25, 2_000
# Seconds: a page, and the longest wait for a result.
BUDGET, MADE = 0.5, 900
WORDS = "Time is a river and we are its fish. " * 8

# Every table at once, from numbers: what is made up here is only as large as the real thing.
FILL = """
INSERT INTO annotate_prompt (id, study_id, key, text, language, category)
SELECT p, %(study)s, 'p' || p, 'Prompt ' || p || ': write about time.', 'en', '[]'
FROM generate_series(1, %(prompts)s) p;

INSERT INTO annotate_response (id, study_id, prompt_id, key, text, source, held_back)
SELECT r, %(study)s, CASE WHEN r > %(items)s AND r <= %(items)s + %(free)s THEN (r - %(items)s) / 10 + 1
                     ELSE r %% %(prompts)s + 1 END, 'r' || r, r || ': ' || %(words)s, 'source-' || r %% 40, ''
FROM generate_series(1, %(responses)s) r;

INSERT INTO annotate_item (id, study_id, prompt_id, key, kind, role, withheld, prompt_place, place)
SELECT i, %(study)s, r.prompt_id, 'i' || i, 'single', 'main', false,
       hashint4(r.prompt_id::int) & 2147483647, hashint4(i) & 2147483647
FROM generate_series(1, %(items)s + %(free)s) i JOIN annotate_response r ON r.id = i;

INSERT INTO annotate_itemresponse (item_id, response_id, position)
SELECT i, i, 0 FROM generate_series(1, %(items)s + %(free)s) i;

INSERT INTO annotate_annotator (id, study_id, key, details, created_at, stage, outcome, tries, session, session_start,
                                excluded)
SELECT a, %(study)s, 'a-' || a, '{}', now(), 'work', '', 0, '', 0, '' FROM generate_series(1, %(annotators)s) a;

INSERT INTO annotate_assignment (id, study_id, item_id, number, rank, status, annotator_id, turn, shown, opened_at)
SELECT (i - 1) * %(seats)s + n, %(study)s, i, n, (n::bigint << 31) + t.prompt_place,
       CASE WHEN i <= %(items)s THEN 'submitted' ELSE 'free' END,
       CASE WHEN i <= %(items)s THEN (i * 7 + n * 79) %% %(annotators)s + 1 END,
       CASE WHEN i <= %(items)s THEN i / 80 + 1 ELSE 0 END,
       CASE WHEN i <= %(items)s THEN to_jsonb(ARRAY[i]) END,
       CASE WHEN i <= %(items)s THEN now() - interval '1 day' END
FROM generate_series(1, %(items)s + %(free)s) i JOIN annotate_item t ON t.id = i, generate_series(1, %(seats)s) n;

INSERT INTO annotate_judgment (id, assignment_id, revision, client_token, opened_at, submitted_at, active_ms, first_ms,
                               changes, flag, comment, excluded)
SELECT s, s, 1, gen_random_uuid(), now() - interval '1 day', now() - interval '1 day' + interval '9 s',
       5000 + s %% 9000, 900, 0, '', '', ''
FROM generate_series(1, %(items)s * %(seats)s) s;

INSERT INTO annotate_answer (judgment_id, criterion_id, response_id, value, label, text)
SELECT s, %(criterion)s, (s - 1) / %(seats)s + 1,
       1 + (hashint4((s - 1) / %(seats)s) / 2 + hashint4(s) / 4 & 2147483647) %% 5,
       '', ''
FROM generate_series(1, %(items)s * %(seats)s) s;
"""
TABLES = ["prompt", "response", "item", "itemresponse", "annotator", "assignment", "judgment", "answer"]
MAKE = """
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from annotate.models import Criterion, Study
from annotate.views.access import invite_path
study = Study.objects.create(slug="large", title="Large", seats=%d, seed=7, simulated=True)
criterion = Criterion.objects.create(study=study, key="quality", position=0, on="single", kind="rating",
    measures="quality", text="How good?", scale_low=1, scale_high=5)
user = User.objects.create_superuser("large", password=None)
session = SessionStore()
session.update({"_auth_user_id": str(user.pk), "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
    "_auth_user_hash": user.get_session_auth_hash()})
session.create()
print(study.pk, criterion.pk, session.session_key, invite_path(study))
"""
PAGES = {
    "studies": "/studies/",
    "overview": "/studies/large/",
    "texts": "/studies/large/settings/texts/",
    "criteria": "/studies/large/criteria/",
    "pool": "/studies/large/pool/",
    "items": "/studies/large/items/",
    "members": "/studies/large/members/",
    "monitor": "/studies/large/monitor/",
    "monitor, live part": "/studies/large/monitor/?part=live",
    "one annotator": "/studies/large/monitor/annotators/7/",
    "responses": "/studies/large/responses/",
    "responses, searched": "/studies/large/responses/?words=77777",
    "one response": "/studies/large/responses/7/",
    "agreement": "/studies/large/agreement/",
    "planning": "/studies/large/planning/",
    "runs": "/studies/large/runs/",
    "exports": "/studies/large/exports/",
    "homogeneity": "/studies/large/homogeneity/",
    "similarity": "/studies/large/similarity/",
    "audit": "/studies/large/audit/",
    "pairs and lists": "/studies/large/pairs/",
    "replication": "/studies/large/replication/",
    "judges": "/studies/large/judges/",
    "report": "/studies/large/report/",
}


def fill(url: str, share: float) -> tuple[str, str]:
    """A session of a superuser, and the invite link."""
    manage(url, "manage.py", "migrate", "-v0", "--skip-checks")
    made = manage(url, "manage.py", "shell", "-v0", "-c", MAKE % SEATS).split()
    sizes = {"prompts": PROMPTS, "responses": RESPONSES, "items": ITEMS, "free": FREE}
    numbers = {name: max(1, int(n * share)) for name, n in sizes.items()} | {
        "seats": SEATS,
        "annotators": ANNOTATORS,
    }
    values = {"study": int(made[0]), "criterion": int(made[1]), "words": WORDS, **numbers}
    with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        for statement in FILL.split(";\n"):
            if statement.strip():
                connection.execute(statement, values)
        for table in TABLES:
            named = f"annotate_{table}"
            connection.execute(
                f"SELECT setval(pg_get_serial_sequence('{named}', 'id'), (SELECT max(id) FROM {named}))"
            )
        connection.execute("VACUUM ANALYZE")
    return made[2], made[3]


def ask(port: int, path: str, session: str) -> tuple[int, float]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=900)
    begun = time.perf_counter()
    connection.request("GET", path, headers={"Cookie": f"sessionid={session}"})
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status, time.perf_counter() - begun


@contextmanager
def at_work(url: str) -> Iterator[None]:
    command = [sys.executable, "manage.py", "db_worker", "--interval", "0.2", "-v0"]
    worker = subprocess.Popen(command, cwd=ROOT, env=environment(url))
    try:
        yield
    finally:
        worker.terminate()
        worker.wait(60)


def pages(port: int, session: str) -> bool:
    """Every page as it is asked for first, and again when all results have been made and the worker rests."""
    begun, first = time.perf_counter(), {name: ask(port, path, session) for name, path in PAGES.items()}
    after = {name: made(port, path, session, begun) for name, path in PAGES.items()}
    good = [page(port, name, session, first[name], after[name]) for name in PAGES]
    return all(good)


def made(port: int, path: str, session: str, begun: float) -> float:
    """Seconds until the page shows its result."""
    while ask(port, path, session)[0] == 202 and time.perf_counter() - begun < MADE:
        time.sleep(0.5)
    return time.perf_counter() - begun


def page(port: int, name: str, session: str, first: tuple[int, float], after: float) -> bool:
    status = ask(port, PAGES[name], session)[0]
    again = statistics.median(ask(port, PAGES[name], session)[1] for _ in range(3))
    good = status == 200 and max(first[1], again) < BUDGET
    mark = "" if good else "  ← over budget" if status == 200 else "  ← failed"
    waited = f"made after {after:4.0f} s  " if first[0] == 202 else ""
    print(
        f"{name:22} {status}  first {first[1] * 1000:5.0f} ms  {waited}then {again * 1000:5.0f} ms{mark}",
        flush=True,
    )
    return good


def next_item(port: int, invite: str) -> bool:
    person = Annotator(port, SLUG, invite)
    person.work(at_most=60)
    median = statistics.median(person.seconds) * 1000
    worst = max(person.seconds) * 1000
    print(
        f"next item: median {median:.1f} ms, most {worst:.0f} ms, of {len(person.seconds)} (budget 25 ms)",
        flush=True,
    )
    return median < 25


def main(share: float, url: str) -> int:
    begun = time.perf_counter()
    url = url or start_postgres()
    session, invite = fill(url, share)
    print(f"made in {timedelta(seconds=int(time.perf_counter() - begun))}", flush=True)
    with served(url, workers=1) as server:
        ok = next_item(server.port, invite)
        with at_work(url):
            ok = pages(server.port, session) and ok
        print(f"server: {server.megabytes():.0f} MB")
    return 0 if ok else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--url", default="")
    asked = parser.parse_args()
    sys.exit(main(asked.share, asked.url))
