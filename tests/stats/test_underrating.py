"""The errors-in-variables slope against slow and independent computations, and what it refuses to say."""

from __future__ import annotations

import itertools
import math
import tracemalloc
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from judging.stats import (
    Panel,
    StudyModel,
    Verdict,
    cross_rater_moments,
    most_underrated,
    simulated_study,
    underrating,
    underratings,
)
from tests.size import sized
from tests.stats.simulation import score_sd, simulate, slow_slope, slow_underrating

Frames = tuple[pd.DataFrame, pd.DataFrame]


def block() -> Frames:
    return simulate(3, prompts=6, size=5, seats=4, annotators=7, noise=0.8)


def itemwise() -> Frames:
    return simulate(4, prompts=7, size=6, seats=3, annotators=8, itemwise=True, noise=0.8)


def ragged() -> Frames:
    """Unequal prompts, two to five ratings a response: leaving an annotator out drops responses."""
    ratings, responses = simulate(5, prompts=6, size=7, seats=5, annotators=6, itemwise=True, noise=0.8)
    rng = np.random.default_rng(5)
    place = ratings.groupby("response_id").cumcount()
    wanted = ratings["response_id"].map(
        pd.Series(rng.integers(2, 6, len(responses)), index=responses["response_id"])
    )
    gone = responses.groupby("prompt_id").cumcount() >= responses["prompt_id"].str[1:].astype(int) + 2
    ratings, responses = ratings[place < wanted], responses[~gone]
    ratings = ratings[ratings["response_id"].isin(responses["response_id"])]
    return ratings.reset_index(drop=True), responses.reset_index(drop=True)


def paged() -> Frames:
    """Each prompt's responses are rated in two parts by different people: sets that the same annotators rated."""
    ratings, responses = simulate(6, prompts=6, size=6, seats=7, annotators=7, noise=0.8)
    part = responses.set_index("response_id")["prompt_id"].groupby(level=0).first()
    second = ratings["response_id"].map(dict(zip(part.index, np.arange(len(part)) % 2 == 1, strict=True)))
    of_second = ratings["annotator_id"].isin(["w0", "w2", "w4"]) | (ratings["annotator_id"] == "w6")
    return ratings[second == of_second].reset_index(drop=True), responses


def panel_of(ratings: pd.DataFrame, responses: pd.DataFrame, names: list[str]) -> Panel:
    """Return the panel with columns in SDs, as the specification scales them."""
    deviation = responses[names] - responses.groupby("prompt_id")[names].transform("mean")
    sd = np.sqrt((deviation**2).sum() / (len(responses) - responses["prompt_id"].nunique()))
    return Panel(
        pd.factorize(responses["prompt_id"])[0].astype(np.int64),
        (responses[names] / sd).to_numpy(),
        pd.Index(responses["response_id"]).get_indexer(pd.Index(ratings["response_id"])).astype(np.int64),
        pd.factorize(ratings["annotator_id"])[0].astype(np.int64),
        ratings["value"].to_numpy(),
    )


@pytest.mark.parametrize("design", [block, itemwise, ragged, paged])
@pytest.mark.parametrize("covariates", [[], ["log_length"], ["log_length", "other"]])
def test_equals_a_literal_transcription_with_every_replicate(design: object, covariates: list[str]) -> None:
    ratings, responses = design()  # type: ignore[operator]
    responses["other"] = np.random.default_rng(0).normal(size=len(responses))
    slow = slow_underrating(ratings, responses, covariates)
    found = underrating(ratings, responses, covariates=covariates)
    assert found.underrating.estimate == pytest.approx(slow["estimate"])
    assert found.underrating.low == pytest.approx(slow["low"])
    assert found.underrating.high == pytest.approx(slow["high"])
    assert found.standard_error == pytest.approx(slow["standard_error"])
    assert found.strength == pytest.approx(slow["strength"])
    parts = cross_rater_moments(
        panel_of(ratings, responses, ["unusualness", *covariates, "score"])
    ).replicates()
    for fast, literal in zip(parts, slow["replicates"], strict=True):  # type: ignore[arg-type]
        assert sorted(slow_slope(m) for m in fast) == pytest.approx(literal)


def test_small_batches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ratings, responses = ragged()
    at_once = underrating(ratings, responses)
    monkeypatch.setattr("judging.stats.core.panel.BUDGET", 40)
    batched = underrating(ratings, responses)
    assert batched.underrating.low == pytest.approx(at_once.underrating.low)
    assert batched.strength == pytest.approx(at_once.strength)


def test_quality_equals_the_average_over_all_split_halves_in_a_block() -> None:
    ratings, responses = block()
    panel = panel_of(ratings, responses, ["unusualness", "score"])
    found = cross_rater_moments(panel).prompt[:, 0, 0]
    for p, (_, rows) in enumerate(ratings.groupby("prompt_id", sort=False)):
        table = rows.pivot_table(index="response_id", columns="annotator_id", values="value").to_numpy()
        table = table - table.mean(axis=0)
        products = [
            table[:, list(half)].mean(axis=1) @ np.delete(table, half, axis=1).mean(axis=1)
            for half in itertools.combinations(range(4), 2)
        ]
        assert found[p] == pytest.approx(np.mean(products))


def test_equals_fuller_s_corn_slope() -> None:
    """Each response has two annotators of its own, sqrt(57) above and below x: error variance 57."""
    x = np.array([70, 97, 53, 64, 95, 64, 50, 70, 94, 69, 51.0])
    y = np.array([86, 115, 90, 86, 110, 91, 99, 96, 99, 104, 96.0])
    panel = Panel(
        np.zeros(11, dtype=np.int64),
        y[:, None],
        np.repeat(np.arange(11), 2),
        np.arange(22),
        (x[:, None] + np.sqrt(57) * np.array([1, -1])).ravel(),
    )
    moments = cross_rater_moments(panel)
    assert moments.total[0, 1] / moments.total[0, 0] == pytest.approx(0.4232, abs=6e-5)
    assert moments.total[0, 1] / moments.mean_square.sum() == pytest.approx(0.3440, abs=6e-5)


@pytest.mark.filterwarnings("ignore")
def test_close_to_split_half_instruments_and_naive_equals_clustered_ols() -> None:
    models = pytest.importorskip("linearmodels.iv")
    ratings, responses = simulate(8, prompts=30, size=12, seats=6, annotators=20)
    names = ["score", "unusualness", "log_length"]
    frame = responses[names] - responses.groupby("prompt_id")[names].transform("mean")
    frame /= np.sqrt((frame**2).sum() / (len(frame) - 30))
    seat = ratings.groupby("response_id").cumcount()
    table = ratings.assign(seat=seat).pivot_table(index="response_id", columns="seat", values="value")
    table = table.loc[responses["response_id"]].reset_index(drop=True)
    table = table - table.groupby(responses["prompt_id"]).transform("mean")
    slopes = []
    for half in itertools.combinations(range(6), 3):
        one = table[list(half)].mean(axis=1).rename("q")
        two = table.drop(columns=list(half)).mean(axis=1).rename("z")
        slopes.append(models.IV2SLS(frame["score"], frame[names[1:]], one, two).fit().params["unusualness"])
    found = underrating(ratings, responses)
    assert found.underrating.estimate == pytest.approx(-np.mean(slopes), abs=0.01)
    exog = frame[names[1:]].assign(q=table.mean(axis=1))
    clusters = pd.Series(pd.factorize(responses["prompt_id"])[0])
    ols = models.IV2SLS(frame["score"], exog, None, None).fit(cov_type="clustered", clusters=clusters)
    assert found.naive.estimate == pytest.approx(-ols.params["unusualness"])
    half_width = 2.0452296 * ols.std_errors["unusualness"] * math.sqrt(30 / 29)
    assert found.naive.high == pytest.approx(found.naive.estimate + half_width, rel=1e-6)


STUDIES = sized(60, 400)


@pytest.mark.parametrize("effect", [0.0, 0.3])
def test_simulated_truth_is_covered_and_the_naive_slope_raises_false_alarms(effect: float) -> None:
    truth = effect / score_sd(effect)
    studies = [underrating(*simulate(seed, effect=effect), covariates=()) for seed in range(STUDIES)]
    found = [study.underrating for study in studies]
    error = np.array([(e.estimate or 0) - truth for e in found])
    covered = np.mean([(e.low or 0) <= truth <= (e.high or 0) for e in found])
    assert abs(error.mean()) < 3 * error.std() / math.sqrt(STUDIES) + 0.005
    assert covered >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / STUDIES)
    naive = np.array([(s.naive.estimate or 0) - truth for s in studies])
    assert naive.mean() > 0.06
    assert np.mean([s.correlation or 0 for s in studies]) == pytest.approx(-0.4, abs=0.05)
    predicted = np.mean([s.predicted_naive_bias or 0 for s in studies])
    if effect == 0:
        assert predicted == pytest.approx(naive.mean(), abs=0.015)
        alarms = np.mean([(s.naive.low or 0) > 0 for s in studies])
        assert alarms > 0.15
        assert np.mean([s.verdict is Verdict.UNDERRATES for s in studies]) < 0.075
    else:
        assert np.mean([s.verdict is Verdict.UNDERRATES for s in studies]) > 0.8


def test_length_is_held_constant() -> None:
    ratings, responses = simulate(2, prompts=60, size=12, noise=0.5, length_effect=0.5)
    found = underrating(ratings, responses)
    sd = math.sqrt(1 + 0.25)
    assert found.covariate_coefficients["log_length"].estimate == pytest.approx(0.5 / sd, abs=0.1)
    assert found.underrating.estimate == pytest.approx(0, abs=0.12)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000))
def test_names_order_and_units_change_nothing(seed: int) -> None:
    ratings, responses = ragged()
    plain = underrating(ratings, responses)
    rng = np.random.default_rng(seed)
    people = ratings["annotator_id"].unique()
    names = dict(zip(people, rng.permutation(len(people)).tolist(), strict=True))
    shuffled = ratings.sample(frac=1, random_state=seed)
    shuffled = shuffled.assign(
        annotator_id=shuffled["annotator_id"].map(names), value=7 - 2 * (5 - shuffled["value"])
    )
    other = responses.sample(frac=1, random_state=seed + 1)
    other = other.assign(score=100 + 1e6 * other["score"], unusualness=3 + 0.01 * other["unusualness"])
    again = underrating(shuffled, other)
    for one, two in ((again.underrating, plain.underrating), (again.naive, plain.naive)):
        assert (one.estimate, one.low, one.high) == pytest.approx((two.estimate, two.low, two.high))
    assert again.raw.estimate == pytest.approx(1e6 * (plain.raw.estimate or 0))
    assert again.strength == pytest.approx(plain.strength)
    assert again.reliability == pytest.approx(plain.reliability)
    assert (again.verdict, again.n_ratings) == (plain.verdict, plain.n_ratings)


@pytest.mark.parametrize("name", ["score", "unusualness", "value"])
def test_numbers_far_from_zero_are_not_taken_for_constant(name: str) -> None:
    ratings, responses = block()
    plain = underrating(ratings, responses)
    far = [t.assign(**{name: t[name] + 1e12}) if name in t else t for t in (ratings, responses)]
    found = underrating(*far)
    assert found.verdict == plain.verdict
    assert found.underrating.estimate == pytest.approx(plain.underrating.estimate, abs=1e-3)


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.sampled_from([1.0, 2.0, 5.0, math.nan]), min_size=12, max_size=12),
    scores=st.lists(st.sampled_from([0.0, 1.0, 1e90, -3.0, math.nan]), min_size=4, max_size=4),
    unusual=st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=4, max_size=4),
)
def test_no_small_study_breaks_it(values: list[float], scores: list[float], unusual: list[float]) -> None:
    ratings = pd.DataFrame(
        {
            "prompt_id": np.repeat(["a", "a", "b", "b"], 3),
            "response_id": np.repeat([1, 2, 3, 4], 3),
            "annotator_id": np.tile(["x", "y", "z"], 4),
            "value": values,
        }
    )
    responses = pd.DataFrame(
        {
            "prompt_id": ["a", "a", "b", "b"],
            "response_id": [1, 2, 3, 4],
            "score": scores,
            "unusualness": unusual,
        }
    )
    found = underrating(ratings, responses, covariates=())
    assert found.reason
    assert len(most_underrated(ratings, responses)) <= 4


def same(frame: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    return frame.assign(**columns)


def test_each_degenerate_study_says_why() -> None:
    ratings, responses = block()
    first = ratings["prompt_id"] == "p0"
    one_each = ratings.groupby("response_id").head(1)
    people = ratings["annotator_id"]
    two = ratings[people.isin(people.unique()[:2])]
    pair = same(two, annotator_id=two.groupby("response_id").cumcount())
    said = {
        "Only one prompt": (ratings[first], responses),
        "Only one annotator": (same(one_each, annotator_id="w"), responses),
        "No prompt has two responses": (one_each, responses),
        "Only two annotators": (pair, responses),
        "same score": (ratings, same(responses, score=2.0)),
        "Unusualness does not vary": (ratings, same(responses, unusualness=0.3)),
        "All ratings are the same": (same(ratings, value=3.0), responses),
        "No response has a rating": (ratings, same(responses, response_id=responses["response_id"] + "x")),
        "and log_length rise and fall together": (
            ratings,
            same(responses, log_length=2 * responses["unusualness"]),
        ),
    }
    for words, (people_say, machine_says) in said.items():
        found = underrating(people_say, machine_says)
        assert found.verdict is Verdict.CANT_TELL, words
        assert words in found.reason
        assert found.underrating.low is None
        assert found.reason.startswith(found.underrating.reason or "none")
        assert found.verdict_text == "can't tell"
        assert isinstance(most_underrated(people_say, machine_says), pd.DataFrame)
    empty = underrating(ratings.iloc[:0], responses.iloc[:0])
    assert (empty.verdict, empty.n_responses) == (Verdict.CANT_TELL, 0)
    assert most_underrated(ratings.iloc[:0], responses.iloc[:0]).empty


def test_prompt_means_alone_are_no_quality() -> None:
    ratings, responses = block()
    level = ratings.groupby("prompt_id")["value"].transform("mean").round()
    found = underrating(same(ratings, value=level), responses)
    assert found.verdict is Verdict.CANT_TELL
    assert found.reliability is None or found.reliability <= 1
    assert most_underrated(same(ratings, value=level), responses).empty


def test_missing_numbers_drop_out_and_are_counted() -> None:
    ratings, responses = simulate(1)
    gaps = responses.copy()
    gaps.loc[:4, "score"] = np.nan
    gaps.loc[5:6, "log_length"] = np.nan
    found = underrating(ratings, gaps)
    without = underrating(ratings, responses.iloc[7:])
    assert found.n_incomplete == 7
    assert found.underrating == without.underrating
    assert any("7 rated response(s)" in note for note in found.notes)
    assert any("70 rating(s)" in note for note in without.notes)
    missing = same(ratings, value=ratings["value"].where(ratings["response_id"] != "r0"))
    assert underrating(missing, responses).n_responses == found.n_responses + 6
    thin = ratings[(ratings["response_id"] != "r0") | ~ratings.duplicated("response_id")]
    assert underrating(thin, responses).n_thin == 1


def test_constant_and_redundant_covariates_are_left_out_with_a_note() -> None:
    ratings, responses = simulate(1)
    more = responses.assign(
        language=responses["prompt_id"].str[1:].astype(float), words=3 - 2 * responses["log_length"]
    )
    found = underrating(ratings, more, covariates=("language", "log_length", "words"))
    plain = underrating(ratings, responses)
    assert found.underrating.estimate == pytest.approx(plain.underrating.estimate)
    assert list(found.covariate_coefficients) == ["log_length"]
    assert any("language left out: it does not vary" in note for note in found.notes)
    assert any("words left out: it follows" in note for note in found.notes)


def test_wrong_input_is_refused_in_words() -> None:
    ratings, responses = block()
    infinite = responses.copy()
    infinite.loc[0, "score"] = np.inf
    wrong = {
        "score holds a value that is infinite": (ratings, infinite),
        "value holds a value that is infinite": (same(ratings, value=-np.inf), responses),
        "lacks the column.* log_length": (ratings, responses.drop(columns="log_length")),
        "lacks the column.* value": (ratings.drop(columns="value"), responses),
        "rated the same response twice": (pd.concat([ratings, ratings.iloc[:1]]), responses),
        "lists 'r0' twice": (ratings, pd.concat([responses, responses.iloc[:1]])),
        "under different prompts": (same(ratings, prompt_id="p0"), responses),
        "missing annotator_id": (same(ratings, annotator_id=None), responses),
        "must hold numbers": (ratings, same(responses, score="high")),
    }
    for words, (people_say, machine_says) in wrong.items():
        with pytest.raises(ValueError, match=words):
            underrating(people_say, machine_says)
    with pytest.raises(ValueError, match="smallest_effect"):
        underrating(ratings, responses, smallest_effect=0)
    with pytest.raises(ValueError, match="sequence"):
        underrating(ratings, responses, covariates="log_length")
    with pytest.raises(ValueError, match="distinct"):
        underrating(ratings, responses, covariates=("score",))
    with pytest.raises(ValueError, match="negative"):
        most_underrated(ratings, responses, n=-1)


def test_reported_numbers_fit_together() -> None:
    found = underrating(*simulate(11, effect=0.3))
    e, se = found.underrating, found.standard_error
    assert e.estimate is not None
    assert e.high is not None
    assert se is not None
    assert found.effective_annotators is not None
    # Of 30 annotators who rated almost equally much.
    upper, power = (student.ppf(q, found.effective_annotators - 1) for q in (0.975, 0.8))
    assert upper == pytest.approx(2.0452296, rel=0.01)
    assert e.high - e.estimate == pytest.approx(upper * se, rel=1e-6)
    assert found.smallest_detectable == pytest.approx((upper + power) * se, rel=1e-6)
    assert found.p == pytest.approx(2 * (found.p_one_sided or 0))
    assert 20 < found.effective_annotators <= 30
    assert found.correlation is not None
    assert -1 < found.correlation < 0
    assert (found.n_prompts, found.n_responses, found.n_annotators, found.n_ratings) == (30, 300, 30, 3000)


def test_thousands_of_responses_of_one_prompt_take_no_products_of_all_pairs() -> None:
    """Two prompts of 3,000 responses: products of all pairs took 12 seconds."""
    model = StudyModel(2, 3000, 20, 5, quality=0.8)
    study = simulated_study(model, [0.2], np.random.default_rng(0))
    tracemalloc.start()
    try:
        found = underratings(study.ratings, study.responses, study.scorers)["scorer 1"]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3000**2 * 8, "one matrix of one prompt's pairs is more"
    assert found.n_responses == 6000
