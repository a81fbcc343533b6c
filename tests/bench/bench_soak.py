"""Twenty minutes of work without rest, and whether the servers' memory grows.

    python -m tests.bench.bench_soak [--minutes 20]

25 annotators on PostgreSQL with four server processes, one submission each every half second to second. Budget: the
servers' memory in the last fifth of the time at most 3 % above that of the second fifth (the first warms up).
"""

import argparse
import statistics
import sys
import threading

from tests.bench import bench_load200 as load
from tests.environment import start_postgres
from tests.serving import Server, manage, served

GROWTH = 1.03


def main(minutes: float) -> int:
    url = start_postgres()
    manage(url, "manage.py", "migrate", "-v0", "--skip-checks")
    load.PROMPTS = max(20, int(15 * minutes))
    invite = load.study(url)
    with served(url, workers=4) as server:
        sizes: list[float] = []
        over = threading.Event()
        watching = threading.Thread(target=watch, args=(server, sizes, over))
        watching.start()
        people = load.crowd(server, invite, 25, minutes * 60, reads=(0.5, 1.0))
        over.set()
        watching.join()
    fifths = [statistics.median(part) for part in parts(sizes, 5)]
    growth = fifths[4] / fifths[1]
    submissions = sum(len(p.seconds) for p in people)
    print(
        f"{minutes:g} minutes, {submissions:,} submissions; MB by fifths of the time: {[round(f) for f in fifths]}"
    )
    print(f"last over second fifth: {growth:.3f} (budget {GROWTH})")
    return 0 if load.right(url, people) and growth <= GROWTH else 1


def watch(server: Server, sizes: list[float], over: threading.Event) -> None:
    while not over.wait(2):
        sizes.append(server.megabytes())


def parts(values: list[float], n: int) -> list[list[float]]:
    return [values[len(values) * k // n : len(values) * (k + 1) // n] for k in range(n)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=20)
    sys.exit(main(parser.parse_args().minutes))
