"""The audit of orders and of ratings inside sets: page, JSON and command against sums written out."""

from io import StringIO
from itertools import combinations

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client

from annotate.models import Answer, Criterion, Item, Response, Study
from judging.frames import tables as frames
from judging.models import Embedding, Score, ScoreRun
from tests.factories import make_annotator, make_item, make_study
from tests.results.commands import json_of

pytestmark = pytest.mark.any_database("computed from frames, which test_results.py reads from both databases")

PEOPLE, PROMPTS, SIZE = 6, 14, 7


@pytest.fixture
def ordered(db: None) -> Study:
    """Everybody puts a set of each prompt in order and rates it; a scorer that takes off half an SD of unusualness."""
    study = make_study("ordered", prompts=PROMPTS, responses=SIZE, kinds=("set",), seats=PEOPLE)
    Criterion.objects.filter(study=study).delete()
    made = {"study": study, "on": "set", "text": "How good?", "measures": "quality"}
    order = Criterion.objects.create(**made, position=0, key="order", kind="ranking")
    scale = {"scale_low": 1, "scale_high": 5}
    rating = Criterion.objects.create(**made, **scale, position=1, key="good", kind="rating")
    _embedded(study)
    rng = np.random.default_rng(5)
    pool = frames.responses(study).set_index("response_id")
    spread = float(pool["unusualness"].std())
    quality = {pk: float(rng.normal()) for pk in pool.index}
    run = ScoreRun.objects.create(study=study, scorer="rm")
    Score.objects.bulk_create(
        Score(
            run=run, response_id=pk, value=q + rng.normal(scale=0.4) - 0.8 * pool["unusualness"][pk] / spread
        )
        for pk, q in quality.items()
    )
    people = [make_annotator(study, f"a{n}") for n in range(PEOPLE)]
    for item in study.items.all():
        shown = list(item.item_responses.order_by("position").values_list("response_id", flat=True))
        for person, seat in zip(people, item.assignments.order_by("number"), strict=True):
            seat.annotator, seat.status, seat.expires_at = person, "submitted", None
            seat.save()
            judgment = seat.judgments.create()
            seen = {pk: quality[pk] + rng.normal(scale=0.7) for pk in shown}
            for place, pk in enumerate(sorted(shown, key=lambda pk: -seen[pk]), 1):
                points = float(np.clip(np.round(3 + seen[pk]), 1, 5))
                Answer.objects.create(judgment=judgment, criterion=order, response_id=pk, value=place)
                Answer.objects.create(judgment=judgment, criterion=rating, response_id=pk, value=points)
    return study


def _embedded(study: Study) -> None:
    run = ScoreRun.objects.create(study=study, scorer="made-up", version="1", computed_here=True)
    rng = np.random.default_rng(1)
    Embedding.objects.bulk_create(
        Embedding(run=run, response_id=pk, vector=rng.normal(size=8).astype("<f4").tobytes())
        for pk in study.responses.order_by("pk").values_list("pk", flat=True)
    )


def _beaten(values: dict[int, float], shown: list[int]) -> list[float]:
    """The share of the others that each stands above, counted."""
    return [
        float(np.mean([(values[a] > values[b]) + (values[a] == values[b]) / 2 for b in shown if b != a]))
        for a in shown
    ]


def _slope(study: Study, key: str, sign: int) -> float:
    """Minus the slope of unusualness, by pairs of different people in each set; length is the same everywhere."""
    unusual = frames.responses(study).set_index("response_id")["unusualness"].to_dict()
    score = dict(Score.objects.filter(run__scorer="rm").values_list("response_id", "value"))
    sums = np.zeros((3, 3))
    for item in Item.objects.filter(study=study):
        given: dict[int, dict[int, float]] = {}
        rows = Answer.objects.filter(judgment__assignment__item=item, criterion__key=key)
        for who, pk, value in rows.values_list("judgment__assignment__annotator_id", "response_id", "value"):
            given.setdefault(who, {})[int(pk or 0)] = sign * float(value or 0)
        shown = sorted(next(iter(given.values())))
        beats = np.array([_beaten(v, shown) for v in given.values()])
        beats -= beats.mean(axis=1, keepdims=True)
        columns = np.array([[beats[:, k].mean(), unusual[pk], score[pk]] for k, pk in enumerate(shown)])
        columns -= columns.mean(axis=0)
        own = columns.T @ columns
        own[0, 0] = np.mean([one @ two for one, two in combinations(beats, 2)])
        sums += own
    scale = np.sqrt(sums[1, 1] / sums[2, 2])
    return -float(np.linalg.solve(sums[:2, :2], sums[:2, 2])[1] * scale)


def test_orders_and_ratings_inside_sets_are_audited(ordered: Study, auditor: Client) -> None:
    record = json_of("audit", "ordered")
    rows = {(r["scorer"], r["criterion"]): r for r in record["scorers"]}
    assert list(rows) == [("rm", "good"), ("length", "good"), ("rm", "order"), ("length", "order")]
    assert rows["rm", "order"]["outcome"] == "orders of sets"
    assert rows["rm", "good"]["outcome"] == "ratings inside sets"
    for key, sign in (("order", -1), ("good", 1)):
        row = rows["rm", key]
        assert row["underrating"]["estimate"] == pytest.approx(_slope(ordered, key, sign))
        assert (row["n_prompts"], row["n_responses"], row["n_annotators"]) == (
            PROMPTS,
            PROMPTS * SIZE,
            PEOPLE,
        )
        assert row["n_pool"] == PROMPTS * SIZE
        assert row["verdict"] == "underrates"
        assert row["split_instruments"]["estimate"] is not None
    assert {c["criterion"] for c in record["controls"]} == {"good", "order"}
    assert record["contrasts"] == []
    html = auditor.get("/studies/ordered/audit/").content.decode()
    assert "on order (orders of sets):" in html
    assert "Share of its set it stands above" in html
    assert "rm on good" in html
    text = StringIO()
    call_command("audit", "ordered", stdout=text)
    assert f"{PROMPTS} prompts, {PROMPTS * SIZE} places in sets, {PEOPLE} annotators" in text.getvalue()


def test_sets_of_one_prompt_are_no_prompts_of_their_own(ordered: Study) -> None:
    """A second set of three a prompt: more places, as many prompts, and no check that would take sets for prompts."""
    people = list(ordered.annotators.order_by("pk"))
    order = ordered.criteria.get(key="order")
    for prompt in ordered.prompts.all():
        pool = list(Response.objects.filter(prompt=prompt).order_by("pk")[:3])
        item = make_item(ordered, prompt, f"{prompt.key}-again", "set", pool)
        for person, seat in zip(people, item.assignments.order_by("number"), strict=True):
            seat.annotator, seat.status, seat.expires_at = person, "submitted", None
            seat.save()
            judgment = seat.judgments.create()
            for place, response in enumerate(pool, 1):
                Answer.objects.create(judgment=judgment, criterion=order, response=response, value=place)
    row = next(
        r for r in json_of("audit", "ordered")["scorers"] if (r["scorer"], r["criterion"]) == ("rm", "order")
    )
    assert (row["n_prompts"], row["n_responses"]) == (PROMPTS, PROMPTS * (SIZE + 3))
    assert row["underrating"]["low"] is not None
    assert "sets of one prompt" in row["pigeonhole"]["reason"]
