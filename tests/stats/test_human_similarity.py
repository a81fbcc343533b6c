"""Human similarity against a measure: by other libraries, by hand, and in simulated studies."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pingouin
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from sklearn.isotonic import IsotonicRegression

from judging.stats import (
    human_similarity,
    length_ratio,
    similarity_calibration,
    similarity_difference,
    token_jaccard,
)
from judging.stats.core.weighted import partial_correlations, weighted_correlation, weighted_ranks

RHO = 0.7
SEVERITY, NOISE, BETWEEN = 0.4, 1.0, 0.7


def study(
    seed: int, prompts: int = 20, pairs: int = 6, people: int = 12, each: int = 12
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw pairs whose true likeness correlates with the measure `cosine` by RHO, and with `words` less."""
    rng = np.random.default_rng(seed)
    n = prompts * pairs
    prompt = np.repeat(np.arange(prompts), pairs)
    true = rng.normal(size=n) + BETWEEN * rng.normal(size=prompts)[prompt]
    scaled = true / np.sqrt(1 + BETWEEN**2)
    cosine = RHO * scaled + np.sqrt(1 - RHO**2) * rng.normal(size=n)
    table = pd.DataFrame({"pair_id": np.arange(n), "prompt_id": prompt, "cosine": cosine})
    table["words"] = 0.4 * scaled + 0.3 * cosine + rng.normal(size=n)
    table["lengths"] = rng.normal(size=n)
    severity = SEVERITY * rng.normal(size=people)
    who = np.argsort(rng.random((n, people)), axis=1)[:, :each]
    said = true[:, None] + severity[who] + NOISE * rng.normal(size=who.shape)
    answers = pd.DataFrame(
        {"pair_id": np.repeat(np.arange(n), each), "annotator_id": who.ravel(), "value": said.ravel()}
    )
    return answers, table


def test_correlations_are_those_of_scipy_and_pingouin() -> None:
    answers, pairs = study(1)
    found = human_similarity(answers, pairs, "cosine", lexical=["words", "lengths"], resamples=20)
    both = pairs.assign(human=answers.groupby("pair_id")["value"].mean().to_numpy())
    assert found.spearman.estimate == pytest.approx(stats.spearmanr(both["human"], both["cosine"]).statistic)
    assert found.pearson.estimate == pytest.approx(stats.pearsonr(both["human"], both["cosine"]).statistic)
    for x, rest, estimate in (
        ("cosine", ["words", "lengths"], found.given_lexical),
        ("words", ["cosine", "lengths"], found.lexical_given),
    ):
        partial = pingouin.partial_corr(both, x, "human", rest, method="spearman")["r"].iloc[0]
        assert estimate.estimate == pytest.approx(partial, abs=1e-6)
    for method, name in (("spearman", "within_spearman"), ("pearson", "within_pearson")):
        each = both.groupby("prompt_id")[["human", "cosine"]].corr(method).iloc[::2, 1].to_numpy()
        most = 1 - 6 / (6**3 - 6)
        mean = np.tanh(np.arctanh(np.clip(each, -most, most)).mean())
        assert getattr(found, name).estimate == pytest.approx(mean)
        assert found.prompts[method].to_numpy() == pytest.approx(each)


def test_ceiling_and_correction_find_the_truth() -> None:
    """The corrected correlation is that with true likeness, whatever the number of annotators."""
    for each, tolerance in ((12, 0.015), (3, 0.025)):
        found = [
            human_similarity(*study(seed, prompts=60, each=each), "cosine", resamples=0) for seed in range(12)
        ]
        corrected = np.mean([f.corrected_pearson.estimate for f in found if f.corrected_pearson.estimate])
        observed = np.mean([f.pearson.estimate for f in found if f.pearson.estimate])
        assert corrected == pytest.approx(RHO, abs=tolerance)
        assert observed < corrected
        error = (NOISE**2 + SEVERITY**2 * (1 - each / 12) * 12 / 11) / each
        reliability = (1 + BETWEEN**2) / (1 + BETWEEN**2 + error)
        assert np.mean([f.reliability.estimate for f in found if f.reliability.estimate]) == pytest.approx(
            reliability, abs=0.03
        )


def test_intervals_cover_and_pairs_alone_would_not() -> None:
    """A small share of the simulation in the docstring."""
    covered = []
    for seed in range(40):
        found = human_similarity(*study(seed, prompts=15), "cosine", resamples=100)
        e = found.corrected_pearson
        assert e.low is not None
        assert e.high is not None
        covered.append(e.low <= RHO <= e.high)
    assert np.mean(covered) >= 0.87


def test_order_and_names_change_nothing() -> None:
    answers, pairs = study(3, each=5)
    before = human_similarity(answers, pairs, "cosine", lexical=["words"], resamples=0)
    renamed = answers.assign(annotator_id="a" + (40 - answers["annotator_id"]).astype(str))
    after = human_similarity(
        renamed.sample(frac=1, random_state=1), pairs.sample(frac=1, random_state=2), "cosine",
        lexical=["words"], resamples=0,
    )  # fmt: skip
    for name in ("spearman", "pearson", "within_spearman", "within_pearson", "given_lexical"):
        assert getattr(before, name).estimate == pytest.approx(getattr(after, name).estimate)


def test_one_measure_against_another() -> None:
    answers, pairs = study(4, prompts=40)
    found = similarity_difference(answers, pairs, "cosine", "words", resamples=200)
    one, other = (
        human_similarity(answers, pairs, m, resamples=0).spearman.estimate for m in ("cosine", "words")
    )
    assert one is not None
    assert other is not None
    assert found.difference.estimate == pytest.approx(one - other)
    assert found.p is not None
    assert found.p < 0.05
    assert found.difference.low is not None
    assert found.difference.low > 0
    same = pairs.assign(again=pairs["cosine"])
    nothing = similarity_difference(answers, same, "cosine", "again", resamples=50)
    assert nothing.difference.estimate == pytest.approx(0)
    assert nothing.p is None, "no difference and no error: nothing to test"


def test_no_difference_is_seldom_found() -> None:
    alarms = []
    for seed in range(60):
        answers, pairs = study(seed, prompts=15)
        rng = np.random.default_rng([seed, 1])
        one, other = (pairs["cosine"] + rng.normal(size=len(pairs)) for _ in range(2))
        found = similarity_difference(
            answers, pairs.assign(one=one, other=other), "one", "other", resamples=100
        )
        assert found.p is not None
        alarms.append(found.p < 0.05)
    assert np.mean(alarms) <= 0.12


def test_calibration_is_isotonic_and_out_of_fold() -> None:
    answers, pairs = study(5)
    found = similarity_calibration(answers, pairs, "cosine", resamples=30)
    human = answers.groupby("pair_id")["value"].mean().to_numpy()
    whole = IsotonicRegression(out_of_bounds="clip").fit(pairs["cosine"], human)
    assert found.curve["expected"].to_numpy() == pytest.approx(whole.predict(found.curve["measure"]))
    assert (found.curve["low"] <= found.curve["high"]).all()
    assert found.pairs["human_mean"].to_numpy() == pytest.approx(human)
    # One fold by hand: what the prompts of the other folds teach.
    some = found.pairs
    same_fold = np.random.default_rng(0).permutation(20)[pairs["prompt_id"]] % 10
    others = same_fold != same_fold[0]
    fitted = IsotonicRegression(out_of_bounds="clip").fit(pairs["cosine"][others], human[others])
    assert some["expected"].to_numpy()[~others] == pytest.approx(fitted.predict(pairs["cosine"][~others]))
    assert found.noise_floor == pytest.approx(
        np.sqrt((answers.groupby("pair_id")["value"].var().mean()) / 12), rel=1e-6
    )
    assert found.noise_floor is not None
    assert found.rmse is not None
    assert found.rmse_constant is not None
    assert found.noise_floor < found.rmse < found.rmse_constant


def test_an_overstatement_that_was_planted_is_found_and_none_is_not() -> None:
    for planted in (0.0, 0.5):
        found = []
        for seed in range(8):
            answers, pairs = study(seed, prompts=40)
            rng = np.random.default_rng([seed, 2])
            unusual = -0.5 * pairs["cosine"] + rng.normal(size=len(pairs))
            # People find unusual pairs less alike than the measure says.
            fall = planted * unusual / unusual.std()
            less = answers.assign(value=answers["value"] - answers["pair_id"].map(fall))
            result = similarity_calibration(
                less, pairs.assign(unusual=unusual), "cosine", unusualness="unusual", resamples=40
            )
            e = result.overstatement
            assert e.estimate is not None
            assert e.low is not None
            found.append((e.estimate, e.low > 0))
        estimates, alarms = zip(*found, strict=True)
        assert np.mean(estimates) == pytest.approx(planted, abs=0.08)
        assert np.mean(alarms) >= 0.9 if planted else np.mean(alarms) <= 0.25


@pytest.mark.parametrize("noise", [1e-7, 3e-5])
def test_unusualness_that_is_the_measure_but_for_rounding_overstates_nothing(noise: float) -> None:
    """In a pool of two a response's unusualness is one less the pair's cosine, as precisely as vectors are stored."""
    answers, pairs = study(3, prompts=40)
    rounding = np.random.default_rng(1).normal(scale=noise, size=len(pairs))
    unusual = pairs.assign(unusual=1 - pairs["cosine"] + rounding)
    found = similarity_calibration(answers, unusual, "cosine", unusualness="unusual", resamples=20)
    assert found.overstatement.estimate is None
    assert found.overstatement.reason == "Unusualness does not vary at an equal measure."


def test_words_and_lengths() -> None:
    first = ["The river of time.", "", "same same words", "?!"]
    second = ["Time is a river", "", "Same words.", "…"]
    assert token_jaccard(first, second) == pytest.approx([2 / 6, np.nan, 1.0, np.nan], nan_ok=True)
    assert length_ratio(["abc", "", "ab"], ["a", "", "ab"]) == pytest.approx([0.5, 1.0, 1.0])
    with pytest.raises(ValueError, match="zip"):
        token_jaccard(["a"], [])


copies = hnp.arrays(np.int64, 7, elements=st.integers(0, 3))


@settings(max_examples=60, deadline=None)
@given(
    values=hnp.arrays(np.float64, 7, elements=st.integers(0, 3).map(float)),
    weights=copies.filter(lambda w: bool((w > 0).sum() > 1)),
)
def test_weights_stand_for_copies(values: np.ndarray, weights: np.ndarray) -> None:
    whole = np.repeat(np.arange(7), weights)
    expected = stats.rankdata(values[whole])
    found = weighted_ranks(values[None], weights[None].astype(float))[0][whole]
    assert found - found.mean() == pytest.approx(expected - expected.mean())
    other = np.arange(7.0) ** 2
    r = weighted_correlation(values[None], other[None], weights[None].astype(float))[0]
    if np.ptp(values[whole]) and np.ptp(other[whole]):
        assert r == pytest.approx(np.corrcoef(values[whole], other[whole])[0, 1])
    else:
        assert np.isnan(r)


def test_a_singular_matrix_has_no_partial_correlation() -> None:
    assert np.isnan(partial_correlations(np.ones((1, 3, 3)))[0])
    assert partial_correlations(np.array([[[1, 0.5, 0], [0.5, 1, 0], [0, 0, 1.0]]]))[0] == pytest.approx(0.5)


def test_what_is_undefined_says_why() -> None:
    answers, pairs = study(6, prompts=3, pairs=4, people=4, each=4)
    alone = human_similarity(answers[answers["annotator_id"] == 0], pairs, "cosine", resamples=20)
    assert alone.ceiling.estimate is None
    assert "fewer than two annotators" in str(alone.ceiling.reason)
    assert alone.spearman.low is not None, "prompts can still be drawn"
    one = human_similarity(answers, pairs.assign(prompt_id=1), "cosine", resamples=20)
    assert one.spearman.estimate is not None
    assert one.spearman.reason == "No interval: all pairs are of one prompt."
    flat = human_similarity(answers.assign(value=3.0), pairs, "cosine", resamples=20)
    assert flat.spearman.estimate is None
    assert flat.spearman.reason
    few = human_similarity(answers[answers["pair_id"] < 3], pairs, "cosine")
    assert few.spearman.estimate is None
    assert few.spearman.n == 3
    assert similarity_calibration(answers, pairs.assign(prompt_id=1), "cosine").reason
    holes = pairs.assign(cosine=pairs["cosine"].where(pairs["pair_id"] > 2))
    assert human_similarity(answers, holes, "cosine", resamples=0).n_left_out == 3
    with pytest.raises(ValueError, match="lacks the column"):
        human_similarity(answers, pairs, "sine")
    with pytest.raises(ValueError, match="answered the same pair twice"):
        human_similarity(pd.concat([answers, answers]), pairs, "cosine")
