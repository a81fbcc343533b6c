"""What guards a verdict: selection, shared error, weak measures, heavy tails, rare covariates, and whom it is about."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from django.core.management import call_command
from scipy.stats import t as student

from judging.stats import (
    StudyModel,
    Underrating,
    Verdict,
    corroborated,
    simulated_study,
    underrating,
    underratings,
)
from judging.stats.audit.conditions import BASE, CONDITIONS, condition_line, outcomes
from judging.stats.audit.curved_moments import curved_moments
from judging.stats.audit.shapes import slope_by_prompt, solved_shapes
from judging.stats.audit.twists import Twist
from judging.stats.core.columns import prepared
from judging.stats.core.sample import clustered_z, sample_of
from tests.stats.simulation import simulate, slow_underrating

Frames = tuple[pd.DataFrame, pd.DataFrame]


def twisted(twist: Twist, effect: float = 0.0, seed: int = 1) -> Frames:
    study = simulated_study(replace(BASE, twist=twist), [effect], np.random.default_rng(seed))
    return study.ratings, study.responses.rename(columns={"scorer 1": "score"})


def test_the_people_of_the_study_are_held_fixed() -> None:
    """Prompts alone are left out, with P - 1 degrees of freedom."""
    ratings, responses = simulate(3, prompts=6, size=5, seats=4, annotators=7, noise=0.8)
    slow = slow_underrating(ratings, responses, [])
    replicates = np.array(slow["replicates"][0])  # type: ignore[index]
    error = np.sqrt(5 / 6 * ((replicates - replicates.mean()) ** 2).sum())
    these = underrating(ratings, responses, covariates=()).these_people
    assert these.underrating.estimate == pytest.approx(slow["estimate"])
    assert these.standard_error == pytest.approx(error)
    reach = student.ppf(0.975, 5) * error
    assert these.underrating.high == pytest.approx((these.underrating.estimate or 0) + reach)


def test_two_annotators_can_speak_for_themselves_alone() -> None:
    ratings, responses = simulate(3, prompts=30, size=12, seats=2, annotators=2, noise=0.4, effect=0.5)
    found = underrating(ratings, responses)
    assert found.verdict is Verdict.CANT_TELL
    assert "Only two annotators" in found.reason
    assert found.these_people.verdict is Verdict.UNDERRATES
    assert "For the people of this study, annotators taken as they are: underrates" in found.reason


def test_one_text_s_formatting_voids_no_audit() -> None:
    ratings, responses = simulate(1)
    plain = underrating(ratings, responses)
    header = responses.assign(headers=0.0)
    header.loc[7, "headers"] = 1.0
    found = underrating(ratings, header, covariates=("log_length", "headers"))
    assert found.underrating == plain.underrating
    assert found.verdict is plain.verdict
    assert any("headers left out: it varies in 1 of 30 prompts, and 5 are needed" in n for n in found.notes)
    # It varies in many prompts, but without one of them it is what length makes of it.
    length = responses["log_length"] + np.where(responses["prompt_id"] == "p3", responses.index % 3, 0.0)
    twin = underrating(ratings, responses.assign(twin=length), covariates=("log_length", "twin"))
    assert any(
        "twin left out: it says nothing of its own without one of the prompts" in n for n in twin.notes
    )
    assert twin.underrating == plain.underrating


def test_passed_over_answers_are_seen_and_silence_the_verdict() -> None:
    found = underrating(*twisted(Twist(passing=0.8)), covariates=())
    assert found.selection is not None
    assert found.selection < -2
    assert found.verdict is found.these_people.verdict is Verdict.CANT_TELL
    assert any("were rated less often" in note for note in found.notes)
    # The jackknife's interval lies far from zero, and nothing but this guard stops it.
    assert (found.underrating.low or 0) > 0


def test_ratings_missing_at_random_are_seldom_taken_for_selection() -> None:
    z = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        prompt = np.repeat(np.arange(20), 8)
        z.append(clustered_z(rng.normal(size=160), rng.binomial(10, 0.8, 160).astype(float), prompt))
    assert np.mean([abs(x or 0) > 2 for x in z]) < 0.09
    one, two = np.array([1.0, 2, 4, 0, 1, 5]), np.array([3.0, 1, 1, 2, 2, 0])
    products = [
        ((one[rows] - one[rows].mean()) * (two[rows] - two[rows].mean())).sum()
        for rows in (slice(3), slice(3, 6))
    ]
    expected = sum(products) / np.sqrt(sum(p**2 for p in products))
    assert clustered_z(one, two, np.repeat([0, 1], 3)) == pytest.approx(expected)
    assert clustered_z(one, np.full(6, 9.0), np.repeat([0, 1], 3)) is None


def test_skips_are_counted_where_they_are_stored() -> None:
    ratings, responses = simulate(2)
    assert underrating(ratings, responses).selection is None
    skips = (responses["unusualness"] > 0.5).astype(float)
    found = underrating(ratings, responses.assign(skips=skips))
    assert found.selection is not None
    assert found.selection < -2
    assert found.verdict is Verdict.CANT_TELL


def test_the_tipping_point_is_where_the_slopes_without_shared_error_stop() -> None:
    ratings, responses = twisted(Twist(), 0.3)
    found = underrating(ratings, responses, covariates=())
    assert found.verdict is Verdict.UNDERRATES
    assert found.tipping_point is not None
    assert 0.1 < found.tipping_point < 0.9
    assert any(
        f"unless {found.tipping_point * 100:.0f} % or more of what people agree on" in n for n in found.notes
    )
    stronger = underrating(*twisted(Twist(), 0.5), covariates=())
    assert (stronger.tipping_point or 1) > found.tipping_point


def test_shared_error_is_taken_out_of_the_moments() -> None:
    """Error of SD .5 beside quality of SD .5 is half of what people agree on; without it no bias is left."""
    slopes = []
    for seed in range(25):
        ratings, responses = twisted(Twist(shared_error=0.5), seed=seed)
        ready = prepared(sample_of(ratings, responses, (), ("score",)), (), ("score",))
        assert ready.panel is not None
        whole = curved_moments(ready.panel, 4).whole
        less = whole.less_shared_error(0.5)
        slopes.append(
            (*solved_shapes(whole, whole).pooled, *solved_shapes(less, less).pooled, *slope_by_prompt(less))
        )
    biased, pooled, by_prompt = np.mean(slopes, axis=0)
    assert biased > 0.08
    assert abs(pooled) < 0.05
    assert abs(by_prompt) < 0.05


def test_a_weak_measure_does_not_acquit() -> None:
    ratings, responses = simulate(9, prompts=60, size=12, noise=0.8)
    found = underrating(ratings, responses)
    assert found.verdict is Verdict.UNDERPOWERED
    assert "measured in one way" in found.reason
    sure = underrating(ratings, responses, unusualness_reliability=1)
    assert sure.verdict is Verdict.NO_UNDERRATING
    weaker = underrating(ratings, responses, unusualness_reliability=0.8)
    rho = weaker.correlation or 0
    factor = np.sqrt(0.8) * (1 - rho**2 / 0.8) / (1 - rho**2)
    assert weaker.excluded_effect == pytest.approx((sure.excluded_effect or 0) / factor)
    with pytest.raises(ValueError, match="unusualness_reliability"):
        underrating(ratings, responses, unusualness_reliability=1.5)


def test_a_second_measure_acquits_with_the_first() -> None:
    ratings, responses = simulate(9, prompts=60, size=12, noise=0.8)
    rng = np.random.default_rng(2)
    second = responses["unusualness"] + rng.normal(0, 0.4, len(responses))
    one = underrating(ratings, responses)
    two = underrating(ratings, responses.assign(second=second), second="second")
    found = corroborated(one, {"originality": two})
    assert two.verdict is found.verdict is Verdict.NO_UNDERRATING
    assert (found.excluded_effect or 0) >= (two.excluded_effect or 1)
    assert "With originality as a second measure" in found.notes[-1]
    accused = replace(two, verdict=Verdict.UNDERRATES)
    assert corroborated(one, {"originality": two, "similarity": accused}).verdict is Verdict.UNDERPOWERED


def test_heavy_tails_are_named_and_the_score_s_sd_is_jackknifed() -> None:
    ratings, responses = twisted(Twist())
    rng = np.random.default_rng(0)
    wild = responses.assign(score=responses["score"] + 30 * (rng.random(len(responses)) < 0.01))
    plain, heavy = (underrating(ratings, frame, covariates=()) for frame in (responses, wild))
    assert not any("score's variance" in note for note in plain.notes)
    assert any("Half of the score's variance is in" in note for note in heavy.notes)
    # With the SD fixed the standard error would be that of the raw slope, in SDs.
    assert heavy.raw.standard_error is not None
    scale = (heavy.raw.estimate or 0) / (heavy.underrating.estimate or 1)
    assert heavy.standard_error != pytest.approx(heavy.raw.standard_error / abs(scale), rel=1e-3)
    assert plain.standard_error == pytest.approx(
        (plain.raw.standard_error or 0) / abs((plain.raw.estimate or 0) / (plain.underrating.estimate or 1))
    )


def test_fieller_s_set_decides_and_one_without_ends_tells_nothing() -> None:
    strengths = []
    for seed in range(12):
        study = simulated_study(StudyModel(15, 7, 5, 5), [0.3], np.random.default_rng(seed))
        found = underratings(study.ratings, study.responses, study.scorers, covariates=())["scorer 1"]
        assert (found.verdict is Verdict.CANT_TELL) == (found.robust is None)
        if found.robust is None:
            assert "no underrating, however large, is ruled out" in found.reason
        else:
            assert (found.p or 0) < 0.05 or found.robust[0] <= 0 <= found.robust[1]
            strengths.append(found.strength)
    assert strengths


def result_of(name: str, studies: int = 12) -> dict[str, float]:
    condition = CONDITIONS[name]
    line = condition_line(name, condition, outcomes(condition, studies=studies, seed=3))
    return {"wrong": line.wrong, "found": line.found, "pooled": line.pooled_alarms} | line.verdicts


def test_a_small_version_of_the_conditions() -> None:
    """The whole is in fixtures/reference/audit_simulation.json, and on the methods page."""
    assert result_of("base, planted 0.3")["found"] >= 0.9
    curved = result_of("concave score, u-shaped unusualness", 20)
    assert curved["wrong"] < curved["pooled"]
    assert curved[Verdict.DEPENDS] > 0
    good = result_of("good unusual answers down by 0.3, bad ones up")
    assert good["found"] >= 0.5
    assert good[Verdict.NO_UNDERRATING] <= 0.1
    assert result_of("unusual and disliked answers passed over", 6)[Verdict.CANT_TELL] == 1
    assert result_of("unusualness of reliability 0.4, planted 0.3")[Verdict.NO_UNDERRATING] == 0


def test_the_command_prints_conditions() -> None:
    out = StringIO()
    name = "unusual and disliked answers passed over"
    call_command("simulate_audit", "--condition", name, "--studies", "3", "--jobs", "1", "--json", stdout=out)
    (line,) = json.loads(out.getvalue())["conditions"]
    assert (line["condition"], line["n"]) == (name, 3)
    assert line["verdicts"]["can't tell"] == 1


def told(found: Underrating) -> str:
    return " ".join([found.reason, *found.notes])


def test_every_verdict_names_whom_it_is_about_and_the_good_answers() -> None:
    found = underrating(*twisted(Twist(), 0.3), covariates=())
    for words in (
        "for people like these",
        "For the people of this study",
        "Among good responses",
        "among bad ones",
    ):
        assert words in told(found)
    few = underrating(*simulate(4, prompts=30, size=8, seats=3, noise=0.8), covariates=())
    assert "it needs 4 ratings of a response, and 0 of 240 have as many" in told(few)
