"""200 annotators at once on PostgreSQL with four server processes, for two minutes, over real HTTP.

    python -m tests.bench.bench_load200 [--annotators 200] [--seconds 120]

They come within 20 seconds, and each reads for 2 to 6 seconds before an answer, which is fast for items of 1.7 KB.
Budgets: no error, every judgment that was acknowledged is stored once and no other, none beyond the seats; 95th
percentile of a submission under 300 ms.
The load program runs on the same cores as servers and database.
"""

import argparse
import json
import random
import statistics
import sys
import threading
import time
from dataclasses import dataclass

from tests.environment import start_postgres
from tests.serving import Annotator, Server, manage, served

READS = (2.0, 6.0)
ARRIVING = 20.0
PROMPTS, RESPONSES, SEATS, WORDS = 40, 10, 40, 350
STORED = """
import json
from annotate.models import Item, Judgment
from django.db.models import Count, Q
full = Item.objects.annotate(n=Count("assignments", filter=Q(assignments__status="submitted")))
print(json.dumps({
    "tokens": [str(t) for t in Judgment.objects.values_list("client_token", flat=True)],
    "surplus": full.filter(n__gt=%d).count(),
}))
"""


@dataclass
class Worker(Annotator):
    """Works until the time is over; what went wrong is kept."""

    wrong: str = ""

    def until_over(self) -> None:
        # Nobody comes in the same instant as all others.
        time.sleep(self.chance.uniform(0, ARRIVING))
        try:
            self.work()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told below
            self.wrong = repr(error)
        if time.monotonic() < self.ends:
            self.wrong = self.wrong or "nothing left to do"


def study(url: str) -> str:
    sizes = [f"--prompts={PROMPTS}", f"--responses={RESPONSES}", f"--seats={SEATS}", f"--words={WORDS}"]
    return manage(url, "-m", "tests.make_study", "load", *sizes, "--kinds", "single").split()[0]


def crowd(
    server: Server, invite: str, n: int, seconds: float, reads: tuple[float, float] = READS
) -> list[Worker]:
    ends = time.monotonic() + seconds
    people = [
        Worker(server.port, "load", invite, reads=reads, chance=random.Random(i), ends=ends) for i in range(n)
    ]
    threads = [threading.Thread(target=p.until_over) for p in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return people


def warmed(server: Server, invite: str) -> Worker:
    """Who works first. A connection lies with one process: so many that none of the processes is missed."""
    first = Worker(server.port, "load", invite)
    for done in range(1, 81):
        first.work(at_most=done)
    return first


def right(url: str, people: list[Worker]) -> bool:
    """Whether exactly what was acknowledged is stored."""
    stored = json.loads(manage(url, "manage.py", "shell", "-v0", "-c", STORED % SEATS))
    acknowledged = [token for p in people for token in p.acknowledged]
    lost, more = set(acknowledged) - set(stored["tokens"]), len(stored["tokens"]) - len(set(acknowledged))
    wrong = [p.wrong for p in people if p.wrong]
    print(
        f"errors {len(wrong)} {wrong[:2]}; lost {len(lost)}; surplus {more}; overfull items {stored['surplus']}"
    )
    return not (wrong or lost or more or stored["surplus"])


def main(annotators: int, seconds: float) -> int:
    url = start_postgres()
    manage(url, "manage.py", "migrate", "-v0", "--skip-checks")
    invite = study(url)
    with served(url, workers=4) as server:
        first = warmed(server, invite)
        before = server.cpu_seconds()
        people = crowd(server, invite, annotators, seconds)
        cpu = server.cpu_seconds() - before
    took = sorted(s for p in people for s in p.seconds)
    p95 = took[int(len(took) * 0.95)]
    print(
        f"{annotators} annotators, {len(took):,} submissions in {seconds:.0f} s: median "
        f"{statistics.median(took) * 1000:.0f} ms, 95th percentile {p95 * 1000:.0f} ms, most {took[-1] * 1000:.0f} ms; "
        f"server CPU {cpu / len(took) * 1000:.1f} ms a submission"
    )
    return 0 if right(url, [first, *people]) and p95 < 0.3 else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--annotators", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=120)
    asked = parser.parse_args()
    sys.exit(main(asked.annotators, asked.seconds))
