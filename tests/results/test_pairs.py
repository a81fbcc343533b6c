"""Pairs and lists: page, command and JSON on the demo, on real judges, and on a judge with a planted bias."""

from functools import partial
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotate.models import Annotator, Answer, ItemResponse, Response, Study
from judging.folder.scores import load_folder
from judging.frames import preferences
from judging.frames import tables as frames
from judging.models import Embedding, Score, ScoreRun, Verdict
from judging.results import audit
from judging.results.audit.result import RESULT as AUDIT
from judging.results.pairs import report as pairs
from judging.results.pairs.page import beside_audit
from judging.results.pairs.result import RESULT as PAIRS
from judging.stats import Estimate, matched_pairs
from tests.annotate.formats.samples import absolute, brought, jsonl
from tests.factories import make_annotator, make_study
from tests.results.commands import json_of

pytestmark = pytest.mark.any_database("computed from frames, which test_results.py reads from both databases")

pairs_json = partial(json_of, "pairs")


def test_page_and_command_say_the_same(demo: Study, auditor: Client) -> None:
    found = pairs_json("demo")
    assert auditor.get("/studies/demo/pairs/", {"format": "json"}).json() == found
    assert auditor.get("/api/v1/studies/demo/pairs/").json() == found
    assert [r["scorer"] for r in found["matched"]] == ["rm-conventional", "rm-fair", "length"]
    assert [r["scorer"] for r in found["margins"]] == ["rm-conventional", "rm-fair", "length"]
    html = auditor.get("/studies/demo/pairs/").content.decode()
    assert "Simulated." in html
    assert html.count('class="plot"') == 3
    assert html.count('role="img"') == 3
    other = auditor.get("/studies/demo/pairs/", {"scorer": "rm-fair"}).content.decode()
    assert "at the bottom for rm-fair" in other
    assert "Do rm-fair’s margins say" in other
    for wrong in ({"scorer": "nobody"}, {"unusualness": "beauty"}, {"unusualness": "cosine+originality"}):
        assert auditor.get("/studies/demo/pairs/", wrong).status_code == 404


def test_the_demo_shows_the_planted_bias_and_the_trap(demo: Study) -> None:
    biased, fair, _ = pairs_json("demo")["matched"]
    assert biased["usual_preferred"]["low"] > 0.5
    assert fair["usual_preferred"]["low"] < 0.5 < fair["usual_preferred"]["high"]
    # Matched on the human mean alone, the fair scorer seems to prefer the usual, and people held out say why.
    assert fair["naive_usual_preferred"]["low"] > 0.5
    # Its interval begins at 0 within what the split of the annotators moves it.
    assert fair["naive_held_out_gap"]["low"] > -0.01
    assert fair["naive_held_out_gap"]["estimate"] > abs(fair["held_out_gap"]["estimate"])
    assert fair["held_out_gap"]["low"] < 0 < fair["held_out_gap"]["high"]


def test_a_page_rests_on_the_same_frames_as_the_audit(demo: Study) -> None:
    """The function called by hand on the audit's own frames gives the page's number, at the audit's strength."""
    row = pairs.compute(demo, scorer="rm-fair").rated[0]
    found = audit.sources(demo)
    whole = AUDIT.compute(demo, audit.AuditOptions(scorer="rm-fair"))
    by_hand = matched_pairs(
        audit.ratings_of(row.criterion),
        audit.scored_pool(found, "rm-fair"),
        covariates=found.covariates,
        rng=np.random.default_rng(pairs.SEED),
    )
    assert by_hand == row.pairs
    assert row.pairs.strength == pytest.approx(whole.rows[0].result.strength)


def test_queries_do_not_grow_with_scorers(demo: Study) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as made:
            pairs.compute(demo)
        return len(made)

    before = queries()
    pks = list(Response.objects.filter(study=demo).values_list("pk", flat=True))
    for n in range(3):
        run = ScoreRun.objects.create(study=demo, scorer=f"further {n}")
        Score.objects.bulk_create(Score(run=run, response_id=pk, value=float(pk * 7 % 13)) for pk in pks)
    assert queries() == before <= 40


def test_two_real_judges_of_pandalm(shared: Path, db: None, auditor: Client) -> None:
    """Majority votes of pandalm are 422 and 472 (README of the data); judges' agreement counted here by hand."""
    load_folder(shared / "data" / "pandalm")
    study = Study.objects.get(slug="pandalm")
    found = pairs.compute(study)
    assert "rates single responses" in found.no_ratings
    rows = {m.scorer: m for m in found.margins}
    assert list(rows) == ["PandaLM-7B", "gpt-3.5-turbo", "length"]
    assert rows["gpt-3.5-turbo"].n_left_out == 25
    assert rows["PandaLM-7B"].order is None
    # By hand: votes by item, the winner's side, a tie as a half.
    first = frames.first_responses(study)
    lean: dict[int, float] = {}
    for item, response in Answer.objects.values_list("judgment__assignment__item_id", "response_id"):
        lean[item] = lean.get(item, 0) + (0 if response is None else 1 if response == first[item] else -1)
    right = []
    for item, winner in Verdict.objects.filter(run__scorer="PandaLM-7B").values_list("item_id", "winner_id"):
        if lean[item]:
            choice = 0 if winner is None else 1 if winner == first[item] else -1
            right.append((choice * np.sign(lean[item]) + 1) / 2)
    accuracy = rows["PandaLM-7B"].calibration.accuracy
    assert accuracy.n == len(right)
    assert accuracy.estimate == pytest.approx(np.mean(right))
    bias = next(one for one in found.biases if one.scorer == "PandaLM-7B")
    assert bias.position is None
    assert bias.pairwise
    assert bias.length.excess.n > 600
    html = auditor.get("/studies/pandalm/pairs/").content.decode()
    assert "what it chose in each order is not known" in html
    assert "999 pairs, one response ahead in 914, 170 prompts" in html


def test_pandalm_s_judges_are_audited_by_votes_alone(shared: Path, db: None, auditor: Client) -> None:
    """Vectors made up here; the slope against the sums of statistics 4.7, written out from the rows."""
    load_folder(shared / "data" / "pandalm")
    study = Study.objects.get(slug="pandalm")
    assert "`manage.py score pandalm --scorer minilm` first" in pairs.compute(study, scorer="length").no_slope
    embedded(study)
    report = PAIRS.cached(study, PAIRS.options.from_query({}))
    assert [(r.scorer, r.result.n_pairs, r.result.n_votes) for r in report.votes] == [
        ("PandaLM-7B", 999, 2997), ("gpt-3.5-turbo", 974, 2922), ("length", 999, 2997),
    ]  # fmt: skip
    row = report.votes[2]
    pool = frames.responses(study)
    keys = pool["response_id"].tolist()
    unusual, length = (dict(zip(keys, pool[c].tolist(), strict=True)) for c in ("unusualness", "log_length"))
    shown = frames.item_responses(study)
    first, second = (
        shown[shown["position"] == n].set_index("item_id")["response_id"].to_dict() for n in (0, 1)
    )
    votes: dict[int, list[int]] = {}
    for item, response in Answer.objects.values_list("judgment__assignment__item_id", "response_id"):
        votes.setdefault(item, []).append(0 if response is None else 1 if response == first[item] else -1)
    sums = np.zeros((3, 3))
    for item, given in votes.items():
        one, two = first[item], second[item]
        x = np.array([np.mean(given), unusual[one] - unusual[two], length[one] - length[two]])
        products = np.outer(x, x)
        products[0, 0] = np.mean([a * b for i, a in enumerate(given) for j, b in enumerate(given) if i != j])
        sums += products
    slope = -np.linalg.solve(sums[:2, :2], sums[:2, 2])[1] * np.sqrt(sums[1, 1] / sums[2, 2])
    assert row.result.underrating.estimate == pytest.approx(slope)
    # Three people speak for others with two degrees of freedom, for themselves with as many as there are prompts.
    whole, these = row.result.underrating, row.result.these_people.underrating
    assert whole.low < these.low < these.high < whole.high  # type: ignore[operator]
    html = auditor.get("/studies/pandalm/pairs/").content.decode()
    assert "Underrating, by votes alone" in html
    assert "For the people of this study, annotators taken as they are" in html


def test_the_demo_s_votes_leave_open_what_its_ratings_decide(demo: Study, auditor: Client) -> None:
    rows = pairs_json("demo")["preference_underrating"]
    assert [r["scorer"] for r in rows] == ["rm-conventional", "rm-fair", "length"]
    assert all(r["n_pairs"] == 32 and r["verdict"] == "underpowered" for r in rows)
    assert rows[0]["p_adjusted"] >= rows[0]["p_one_sided"]
    assert rows[2]["p_adjusted"] is None
    assert rows[0]["these_people"]["people"] == "the people of this study"
    text = StringIO()
    call_command("pairs", "demo", stdout=text)
    assert "rm-fair against votes on preference: underpowered. Underrating" in text.getvalue()
    assert "32 pairs, 16 prompts, 625 votes, 40 annotators" in text.getvalue()


def embedded(study: Study) -> None:
    """Every response embedded, by vectors made up."""
    run = ScoreRun.objects.create(study=study, scorer="made-up", version="1", computed_here=True)
    rng = np.random.default_rng(1)
    Embedding.objects.bulk_create(
        Embedding(run=run, response_id=pk, vector=rng.normal(size=24).astype("<f4").tobytes())
        for pk in study.responses.order_by("pk").values_list("pk", flat=True)
    )


@pytest.fixture
def tiny(db: None) -> Study:
    """Twelve pairs, two votes each for the first response; a judge that always takes what is shown first."""
    study = make_study("tiny", prompts=12, responses=2, kinds=("pair",), seats=2)
    preference = study.criteria.get(key="preference")
    people = [make_annotator(study, f"a{n}") for n in range(2)]
    run = ScoreRun.objects.create(study=study, scorer="first-taker")
    for item in study.items.all():
        first = ItemResponse.objects.get(item=item, position=0).response
        for person, seat in zip(people, item.assignments.order_by("number"), strict=True):
            seat.annotator, seat.status, seat.expires_at = person, "submitted", None
            seat.save()
            judgment = seat.judgments.create()
            Answer.objects.create(judgment=judgment, criterion=preference, response=first, value=1)
        Verdict.objects.create(run=run, item=item, winner=None, value=0, straight=1, swapped=-1)
    return study


def test_a_judge_that_takes_the_first_place_is_seen_in_each_order(tiny: Study, auditor: Client) -> None:
    found = pairs.compute(tiny)
    assert [(m.scorer, m.order) for m in found.margins] == [
        ("first-taker", "both"), ("first-taker", "original"), ("first-taker", "reversed"), ("length", None),
    ]  # fmt: skip
    both, original, reverse, _ = found.margins
    assert both.calibration.reason == "all margins are zero"
    assert original.calibration.accuracy.estimate == 1
    assert reverse.calibration.accuracy.estimate == 0
    position = found.biases[0].position
    assert position is not None
    assert (position.consistent.estimate, position.first.estimate, position.bias.estimate) == (0, 1, 1)
    html = auditor.get("/studies/tiny/pairs/").content.decode()
    assert "first response shown last" in html
    assert "undefined: all margins are zero" in html
    embedded(tiny)
    rows = pairs.compute(tiny).votes
    # Neither of two responses is the more unusual one, and a judge is not audited by one order alone.
    assert [r.scorer for r in rows] == ["first-taker", "length"]
    assert "the same for both responses of every pair" in rows[0].result.reason


def test_votes_without_names_carry_no_slope(tiny: Study) -> None:
    embedded(tiny)
    Annotator.objects.filter(study=tiny).update(details={"label_slot": 1})
    report = pairs.compute(tiny)
    assert (report.votes, bool(report.margins)) == ([], True)
    assert "without the names" in report.no_slope
    text = StringIO()
    call_command("pairs", "tiny", stdout=text)
    assert "same winner in both orders 0.000" in text.getvalue()


def test_each_missing_part_says_why(tiny: Study, auditor: Client) -> None:
    make_study("bare", kinds=("set",))
    html = auditor.get("/studies/bare/pairs/").content.decode()
    assert "rating of one response measure quality" in html
    assert "asks which of two responses is better" in html
    assert pairs_json("bare")["matched"] == []
    assert "reason" in pairs_json("bare")
    make_study("asked", kinds=("pair",))
    assert "Nobody has compared two responses yet" in auditor.get("/studies/asked/pairs/").content.decode()
    with pytest.raises(CommandError, match="nothing by 'nobody'"):
        call_command("pairs", "tiny", "--scorer", "nobody", stdout=StringIO())
    with pytest.raises(CommandError, match="no study"):
        call_command("pairs", "none", stdout=StringIO())


def test_who_cannot_tell_has_no_vote(tiny: Study) -> None:
    criterion = tiny.criteria.get(key="preference")
    one = Answer.objects.filter(criterion=criterion).earliest("pk")
    Answer.objects.filter(pk=one.pk).update(response=None, value=0, label="cannot_tell")
    voted = preferences.voted(criterion, preferences.shown_pairs(tiny))
    assert int(voted.counts.sum()) == 23
    assert voted.share.tolist() == [1.0] * 12


@pytest.mark.django_db
def test_labels_without_names_match_no_pairs(tmp_path: Path, auditor: Client) -> None:
    brought(jsonl(tmp_path / "a.jsonl", absolute()))
    call_command("score", "in", "--scorer", "minilm", stdout=StringIO())
    html = auditor.get("/studies/in/pairs/").content.decode()
    assert "without the names of who gave them" in html


WITHIN = "within chance of a fair scorer’s: this neither supports nor contradicts the audit."


@pytest.mark.parametrize(
    ("unusual", "usual", "ratio", "counts", "reading"),
    [
        (0.09, 0.15, Estimate(0.6, 0.2, 1.8, 60), "fewer", f"(9 % and 15 %), which is {WITHIN}"),
        (0.4, 0.1, Estimate(4.0, 1.9, 8.0, 60), "more", "(40 % and 10 %), more than a fair scorer would."),
        (
            0.1,
            0.1,
            Estimate(1.0, None, None, 6, "few"),
            "as many",
            "(10 % and 10 %), of too few for more than that.",
        ),
    ],
)
def test_what_is_missed_stands_beside_the_audit(
    unusual: float, usual: float, ratio: Estimate, counts: str, reading: str
) -> None:
    def share(of: float) -> Estimate:
        return Estimate(of, of / 2, of * 2, 30)

    missed = SimpleNamespace(
        unusual=share(unusual), usual=share(usual), ratio=ratio, fair_ratio=1.2, reason=None
    )
    row: Any = SimpleNamespace(scorer="rm", is_baseline=False, missed=missed)
    of = "as" if counts == "as many" else "than"
    whole = f"rm misses {counts} of the good unusual responses {of} of the good usual ones {reading}"
    assert beside_audit(row) == whole
    row.is_baseline = True
    assert beside_audit(row) == ""
