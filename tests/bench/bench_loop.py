"""Submissions over real HTTP: one annotator's loop, and 25 annotators at once.

    python -m tests.bench.bench_loop [--database sqlite|postgres]

Two server processes on two cores, the load program on the same cores; items of 1.7 KB; overlap 5.
Budgets: one annotator 9 ms of server CPU and 12 ms of wall time a loop; 25 annotators 100 submissions a second, 95th
percentile under 0.35 s.
"""

import argparse
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.environment import start_postgres
from tests.serving import Annotator, manage, served

ITEMS_PROMPTS, RESPONSES, SEATS, WORDS = 50, 10, 5, 350


def main(database: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        url = start_postgres() if database == "postgres" else f"sqlite:///{Path(folder) / 'bench.sqlite3'}"
        manage(url, "manage.py", "migrate", "-v0")
        ok = one_annotator(url) & many_annotators(url)
    return 0 if ok else 1


def _study(url: str, slug: str) -> str:
    sizes = [
        f"--{k}={v}" for k, v in (("prompts", ITEMS_PROMPTS), ("responses", RESPONSES), ("seats", SEATS))
    ]
    out = manage(url, "-m", "tests.make_study", slug, *sizes, f"--words={WORDS}", "--kinds", "single")
    return out.split()[0]


def one_annotator(url: str) -> bool:
    invite = _study(url, "one")
    with served(url) as server:
        Annotator(server.port, "one", invite).work(at_most=50)  # warm both processes
        before, person = server.cpu_seconds(), Annotator(server.port, "one", invite)
        person.work(at_most=400)
        cpu = (server.cpu_seconds() - before) / len(person.seconds) * 1000
    wall = statistics.median(person.seconds) * 1000
    print(
        f"one annotator, {len(person.seconds)} loops: wall {wall:.1f} ms at the median, server CPU {cpu:.1f} ms"
    )
    return cpu <= 9 and wall <= 12


def many_annotators(url: str, n: int = 25) -> bool:
    invite = _study(url, "many")
    with served(url) as server:
        Annotator(server.port, "many", invite).work(at_most=20)
        people = [Annotator(server.port, "many", invite) for _ in range(n)]
        threads = [threading.Thread(target=p.work) for p in people]
        start = time.perf_counter()
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        took = time.perf_counter() - start
    seconds = sorted(s for p in people for s in p.seconds)
    rate, p95 = len(seconds) / took, seconds[int(len(seconds) * 0.95)]
    print(f"{n} annotators, {len(seconds)} submissions: {rate:.0f} a second, 95th percentile {p95:.3f} s")
    return rate >= 100 and p95 < 0.35


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    sys.exit(main(parser.parse_args().database))
