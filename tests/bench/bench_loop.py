"""Submissions over real HTTP, on the shapes that studies have: one annotator's loop, and 25 annotators at once.

    python -m tests.bench.bench_loop [--database sqlite|postgres] [--shape NAME]

Two server processes on two cores, the load program on the same cores; responses of 1.7 KB. Budgets in every shape: one
annotator 5 ms of server CPU and 8 ms of wall time a loop; 25 annotators 200 submissions a second, 95th percentile under
0.2 s.
"""

import argparse
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

from tests.environment import start_postgres
from tests.serving import Annotator, manage, served

WORDS = 350


class Shape(NamedTuple):
    prompts: int
    responses: int
    seats: int
    kinds: tuple[str, ...]


# Of sets the load program answers a part only, which is refused each time.
SHAPES = {
    "ten singles a prompt": Shape(50, 10, 5, ("single",)),
    "one pair a prompt": Shape(1000, 2, 5, ("pair",)),
    "40 items, 25 seats": Shape(40, 2, 28, ("pair",)),
}
CPU, WALL, RATE, P95 = 5, 8, 200, 0.2


def main(database: str, names: list[str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        url = start_postgres() if database == "postgres" else f"sqlite:///{Path(folder) / 'bench.sqlite3'}"
        manage(url, "manage.py", "migrate", "-v0")
        print(f"{'shape':24}{'loops':>7}{'wall ms':>9}{'CPU ms':>8}{'25: a second':>14}{'p95 s':>8}")
        met = [_tried(url, name, n) for n, name in enumerate(names)]
    return 0 if all(met) else 1


def _tried(url: str, name: str, n: int) -> bool:
    loops, wall, cpu = one_annotator(url, SHAPES[name], f"one-{n}")
    rate, p95 = many_annotators(url, SHAPES[name], f"many-{n}")
    print(f"{name:24}{loops:7}{wall:9.1f}{cpu:8.1f}{rate:14.0f}{p95:8.3f}", flush=True)
    return cpu <= CPU and wall <= WALL and rate >= RATE and p95 < P95


def _study(url: str, slug: str, shape: Shape) -> str:
    sizes = [f"--{name}={getattr(shape, name)}" for name in ("prompts", "responses", "seats")]
    out = manage(url, "-m", "tests.make_study", slug, *sizes, f"--words={WORDS}", "--kinds", *shape.kinds)
    return out.split()[0]


def one_annotator(url: str, shape: Shape, slug: str) -> tuple[int, float, float]:
    """Loops, and milliseconds of each: wall time at the median, and of the server's processors."""
    invite = _study(url, slug, shape)
    with served(url) as server:
        Annotator(server.port, slug, invite).work(at_most=20)  # warm both processes
        before, person = server.cpu_seconds(), Annotator(server.port, slug, invite)
        person.work(at_most=400)
        cpu = (server.cpu_seconds() - before) / len(person.seconds) * 1000
    return len(person.seconds), statistics.median(person.seconds) * 1000, cpu


def many_annotators(url: str, shape: Shape, slug: str, n: int = 25) -> tuple[float, float]:
    """Submissions a second, and the 95th percentile of their seconds."""
    invite = _study(url, slug, shape)
    with served(url) as server:
        Annotator(server.port, slug, invite).work(at_most=20)
        people = [Annotator(server.port, slug, invite) for _ in range(n)]
        threads = [threading.Thread(target=p.work) for p in people]
        start = time.perf_counter()
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        took = time.perf_counter() - start
    seconds = sorted(s for p in people for s in p.seconds)
    return len(seconds) / took, seconds[int(len(seconds) * 0.95)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--shape", action="append", choices=[*SHAPES], help="default: all")
    given = parser.parse_args()
    sys.exit(main(given.database, given.shape or [*SHAPES]))
