"""Pairs and lists and the replication panel of a study of the Artificial Hivemind's size: 31,250 answers.

    python -m tests.bench.bench_pairs

750 responses to 50 prompts with 25 ratings each, 500 pairs with 25 preferences each, two scorers, and a judge that
was asked in both orders; made up, in SQLite, through Django's test client. Budgets, of the
processor, since the machine is shared: either page under 3 s uncached and under 150 ms cached.
"""

import datetime as dt
import statistics
import sys
import time
import uuid
from itertools import combinations

import numpy as np

from tests.bench.bench_report import PEOPLE, PROMPTS, SEATS, SOURCES, make, rate
from tests.bench.inside import application, staff

PAIRS = 10
COLD_S, CACHED_MS = 3.0, 150


def compare(slug: str) -> None:
    """Ten pairs a prompt, 25 preferences each; a judge leans to what is shown first."""
    from django.utils import timezone

    from annotate.models import Answer, Assignment, Criterion, Judgment, Study
    from judging.models import ScoreRun, Verdict
    from tests.factories import make_item

    rng, now = np.random.default_rng(8), timezone.now()
    study = Study.objects.get(slug=slug)
    asked = Criterion.objects.create(
        study=study,
        key="preference",
        position=1,
        on="pair",
        kind="preference",
        text="Which?",
        measures="quality",
    )
    people = list(study.annotators.order_by("pk"))
    run = ScoreRun.objects.create(study=study, scorer="judge")
    seats, margins, items = [], {}, {}
    for prompt in study.prompts.all():
        pool = list(prompt.responses.order_by("pk"))
        pairs = list(combinations(range(len(pool)), 2))
        crew = rng.permutation(PEOPLE)[:SEATS]
        for n in rng.permutation(len(pairs))[:PAIRS]:
            pair = [pool[k] for k in pairs[n]]
            item = make_item(study, prompt, f"{prompt.key}-{n}", "pair", pair)
            margins[item.pk], items[item.pk] = rng.normal(), pair
            for seat in item.assignments.order_by("number"):
                seat.annotator, seat.status, seat.shown = people[crew[seat.number - 1]], "submitted", []
                seats.append(seat)
    Assignment.objects.bulk_update(seats, ["annotator", "status"], batch_size=2000)
    opened = now - dt.timedelta(minutes=1)
    judgments = Judgment.objects.bulk_create(
        (
            Judgment(assignment=s, client_token=uuid.uuid4(), opened_at=opened, submitted_at=now)
            for s in seats
        ),
        batch_size=2000,
    )
    Answer.objects.bulk_create(
        (
            _preference(judgment, asked, items[seat.item_id], margins[seat.item_id] + rng.normal())
            for judgment, seat in zip(judgments, seats, strict=True)
        ),
        batch_size=2000,
    )
    Verdict.objects.bulk_create(_verdict(run, pk, items[pk], m + rng.normal()) for pk, m in margins.items())


def _preference(judgment, asked, pair, lean):  # type: ignore[no-untyped-def]
    from annotate.models import Answer

    strength = min(2, abs(round(lean)))
    chosen = None if strength == 0 else pair[0] if lean > 0 else pair[1]
    label = "" if strength else "tie"
    return Answer(judgment=judgment, criterion=asked, response=chosen, value=strength, label=label)


def _verdict(run, item, pair, lean):  # type: ignore[no-untyped-def]
    from judging.models import Verdict

    orders = float(np.sign(lean + 0.4)), float(np.sign(lean - 0.4))
    both = sum(orders) / 2
    winner = None if both == 0 else pair[0] if both > 0 else pair[1]
    return Verdict(
        run=run, item_id=item, winner=winner, value=abs(both), straight=orders[0], swapped=orders[1]
    )


def main() -> int:
    with application():
        return measure()


def measure() -> int:
    from django.core.cache import caches
    from django.db import connection, reset_queries, transaction

    with transaction.atomic():
        make("large", PROMPTS, SOURCES, 1)
        rate("large")
        compare("large")
    client = staff()
    client.get("/methods/")  # what is imported once is no part of a page
    over = 0
    for page in ("pairs/", "replication/", "replication/?criterion=preference", "replication/?overview"):
        path, cold = f"/studies/large/{page}", float("inf")
        for _ in range(3):
            caches["results"].clear()
            reset_queries()
            begun = time.process_time()
            if client.get(path).status_code != 200:
                raise RuntimeError(path)
            cold, queries = min(cold, time.process_time() - begun), len(connection.queries)
        cached = statistics.median(_seconds(client, path) for _ in range(7)) * 1000
        print(
            f"{page}: {cold:.2f} s of the processor uncached in {queries} queries (budget {COLD_S:.0f}), "
            f"{cached:.0f} ms cached (budget {CACHED_MS})"
        )
        over += cold > COLD_S or cached > CACHED_MS
    return int(over > 0)


def _seconds(client, path: str) -> float:  # type: ignore[no-untyped-def]
    begun = time.process_time()
    client.get(path)
    return time.process_time() - begun


if __name__ == "__main__":
    sys.exit(main())
