"""The audit put to the proof: a small seeded version of `manage.py simulate_audit`, and who few people speak for."""

from __future__ import annotations

import json
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from judging.stats import StudyModel, Verdict, simulated_study, underrating, underratings
from judging.stats.audit.validation import DESIGNS, EFFECTS, prove
from tests.stats.simulation import simulate

UNEQUAL = "96 × 11 × 3 of 22, three give 79 %"


def test_the_command_finds_what_is_planted_and_the_naive_slope_accuses_the_fair() -> None:
    out = StringIO()
    size = ["--prompts", "30", "--responses", "12", "--annotators", "40", "--ratings", "12"]
    call_command("simulate_audit", *size, "--studies", "40", "--jobs", "1", "--json", stdout=out)
    found = json.loads(out.getvalue())
    assert (found["studies"], found["seed"]) == (40, 1)
    lines = {(x["estimator"], x["effect"]): x for x in found["lines"]}
    own = [lines["cross-rater, two-way jackknife", effect] for effect in EFFECTS]
    assert all(abs(x["bias"]) < 3 * x["bias_error"] + 0.01 for x in own)
    assert all(x["coverage"] >= 0.875 for x in own)
    assert own[0]["alarms"] <= 0.125
    assert own[2]["found"] >= 0.9
    naive = lines["naive", 0.0]
    assert naive["bias"] > 5 * naive["bias_error"]
    assert naive["alarms"] > 0.2 > own[0]["alarms"]
    assert naive["coverage"] < min(x["coverage"] for x in own)


def test_the_command_says_what_it_cannot_draw() -> None:
    with pytest.raises(CommandError, match="no more ratings than annotators"):
        call_command("simulate_audit", "--annotators", "5", "--ratings", "6")
    with pytest.raises(CommandError, match="two studies or more"):
        call_command("simulate_audit", "--studies", "1")
    with pytest.raises(CommandError, match="variance of 1"):
        call_command("simulate_audit", "--effects", "2", "--studies", "2", "--jobs", "1")


def test_equal_seeds_give_equal_studies_however_many_jobs() -> None:
    model = StudyModel(8, 5, 8, 4, quality=0.8)
    one, two = (prove(model, (0.0, 0.2), studies=4, seed=3, jobs=jobs) for jobs in (1, 2))
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a.values, b.values)
        np.testing.assert_array_equal(a.told, b.told)
    other = prove(model, (0.0, 0.2), studies=4, seed=4)
    assert not np.array_equal(one[0].values, other[0].values, equal_nan=True)


def test_three_who_gave_nearly_everything_are_not_taken_for_twenty_two() -> None:
    """Of 22 annotators three give 79 %: with M - 1 degrees of freedom the same studies are covered .93 and .90."""
    covered, told, weak = [], [], 0
    for i in range(120):
        study = simulated_study(DESIGNS[UNEQUAL], [0.2], np.random.default_rng((5, i)))
        found = underratings(study.ratings, study.responses, study.scorers)["scorer 1"]
        e = found.underrating
        assert found.effective_annotators == pytest.approx(4.7, abs=0.4)
        covered.append((e.low or 0) <= 0.2 <= (e.high or 0))
        told.append(found.verdict is not Verdict.CANT_TELL)
        weak += found.robust is not None and not found.robust[0] <= 0.2 <= found.robust[1]
    assert np.mean(covered) >= 0.94
    assert np.mean(np.array(covered)[told]) >= 0.93
    assert 0.4 < np.mean(told) < 0.8
    assert weak / 120 <= 0.08


def test_one_who_gave_nearly_everything_is_named() -> None:
    ratings, responses = simulate(1, prompts=12, size=6, seats=6, annotators=6, noise=0.5)
    # One rates everything, two others a third of it.
    first = ratings["prompt_id"].isin(["p0", "p1", "p2", "p3"]) & ratings["annotator_id"].isin(["w1", "w2"])
    found = underrating(ratings[(ratings["annotator_id"] == "w0") | first], responses)
    assert found.n_annotators == 3
    assert found.verdict is Verdict.CANT_TELL
