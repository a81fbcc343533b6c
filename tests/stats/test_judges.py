"""Steadiness, wording, position and length: by hand, against statsmodels, and on judges made with a planted bias."""

import numpy as np
import pytest
import statsmodels.api as sm

from judging.stats.pairs.judges import (
    clustered_mean,
    position_bias,
    prefers_longer,
    retest,
    template_sensitivity,
    verbosity,
)


def test_a_clustered_mean_equals_a_regression_on_a_constant() -> None:
    """statsmodels: OLS on a constant, covariance clustered by prompt, t with G - 1 degrees of freedom.

    Its small-sample factor is G / (G - 1) (n - 1) / (n - k), the last part being 1 for a constant.
    """
    rng = np.random.default_rng(3)
    prompt = np.repeat(np.arange(12), 5)
    values = rng.normal(size=60) + np.repeat(rng.normal(size=12), 5)
    fit = sm.OLS(values, np.ones(60)).fit(cov_type="cluster", cov_kwds={"groups": prompt}, use_t=True)
    found = clustered_mean(values, prompt)
    assert found.estimate == pytest.approx(fit.params[0])
    assert (found.low, found.high) == pytest.approx(tuple(fit.conf_int()[0]))
    assert found.n == 60


def test_means_without_values_or_with_one_prompt_say_why() -> None:
    assert clustered_mean([np.nan], ["a"]).reason == "Nothing was answered."
    one = clustered_mean([1.0, 2.0, np.nan], ["a", "a", "b"])
    assert (one.estimate, one.low, one.reason) == (1.5, None, "All are of one prompt.")


def test_steadiness_by_hand() -> None:
    found = retest([[1.0, 1, 1], [2.0, 2, 5], [7.0, np.nan, 7], [4.0, 4, 4]], ["a", "a", "b", "b"])
    assert found.same.estimate == pytest.approx(2 / 3)
    assert found.spread.estimate == pytest.approx(np.std([2, 2, 5], ddof=1) / 3)
    assert found.same.n == 3
    assert retest([[1, 1], [2, 2]], ["a", "b"]).icc.estimate == pytest.approx(1)
    with pytest.raises(ValueError, match="two columns"):
        retest([[1], [2]], ["a", "b"])


def test_another_wording_shifts_and_still_orders_alike() -> None:
    base = np.array([1.0, 3.0, 5.0, 7.0])
    found = template_sensitivity(base, base + 2, ["a", "a", "b", "b"])
    assert found.shift.estimate == pytest.approx(2)
    assert found.agreement.estimate == pytest.approx(1)


def test_position_by_hand() -> None:
    """Four pairs: twice the same winner, once the first place both times, once the last; one not asked twice."""
    straight = [1, -1, 1, -1, 1]
    swapped = [1, -1, -1, 1, np.nan]
    found = position_bias(straight, swapped, ["a", "a", "b", "b", "b"])
    assert found.consistent.estimate == pytest.approx(0.5)
    assert found.first.estimate == pytest.approx(0.5)
    assert found.bias.estimate == pytest.approx(0)
    assert found.bias.n == 4
    always_first = position_bias([1, 1, 1], [-1, -1, -1], ["a", "b", "c"])
    assert (always_first.first.estimate, always_first.bias.estimate) == (1, 1)
    assert always_first.consistent.estimate == 0


def test_a_planted_bias_is_found_and_an_honest_judge_acquitted() -> None:
    rng = np.random.default_rng(5)
    prompt = np.repeat(np.arange(40), 10)
    better = rng.normal(size=400)
    covered = 0
    for pull in (0.0, 0.4):
        straight = np.sign(better + pull + rng.normal(size=400))
        swapped = np.sign(better - pull + rng.normal(size=400))
        found = position_bias(straight, swapped, prompt).first
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0.5 <= found.high
        assert (found.low > 0.5) == (pull > 0)
    assert covered == 1


def test_the_longer_wins_by_hand() -> None:
    """Won, lost, tied, too alike in length, failed."""
    found = prefers_longer(
        [1, 1, 0, 1, np.nan], [100, 10, 10, 40, 100], [10, 100, 100, 10, 10], ["a", "a", "b", "b", "b"]
    )
    assert found.n == 3
    assert found.estimate == pytest.approx((1 + 0 + 0.5) / 3)


def test_verbosity_is_held_against_people_of_the_same_pairs() -> None:
    """By hand: of four pairs one is of equal length and one nobody judged; the judge takes the longer both times."""
    found = verbosity(
        [1, -1, 1, 0.5], [0.75, 0.5, 1, np.nan], [100, 40, 50, 100], [10, 90, 60, 10], ["a", "b", "b", "c"]
    )
    assert found.judge.estimate == 1
    assert found.people.estimate == pytest.approx((0.75 + 0.5) / 2)
    assert found.excess.estimate == pytest.approx(1 - 0.625)
    assert {e.n for e in (found.judge, found.people, found.excess)} == {2}
    nobody = verbosity([1.0], [np.nan], [100], [10], ["a"])
    assert nobody.excess.reason == "Nothing was answered."
    equal = "No pair that was answered differs in length by more than 30 characters."
    assert verbosity([1.0], [0.5], [100], [90], ["a"]).excess.reason == equal
    assert prefers_longer([1.0], [100], [90], ["a"]).reason == equal
    assert prefers_longer([np.nan], [100], [10], ["a"]).reason == "Nothing was answered."
    with pytest.raises(ValueError, match="equally long"):
        verbosity([1.0], [0.5, 0.5], [100], [10], ["a"])


def test_a_judge_that_shares_peoples_liking_for_length_has_no_bias() -> None:
    """Planted: people and judge prefer the longer one of equal strength; a biased judge adds to it."""
    rng = np.random.default_rng(5)
    prompt, lead = np.repeat(np.arange(80), 10), rng.normal(0, 300, 800)
    chance = 1 / (1 + np.exp(-lead / 600))
    share = rng.binomial(9, chance) / 9
    fair = np.where(rng.random(800) < chance, 1.0, -1.0)
    wordy = np.where(rng.random(800) < np.where(lead > 0, 0.9, 0.1), 1.0, -1.0)
    excess = [verbosity(j, share, 500 + lead, np.full(800, 500), prompt).excess for j in (fair, wordy)]
    assert excess[0].low is not None
    assert excess[0].high is not None
    assert excess[0].low < 0 < excess[0].high
    assert excess[1].low is not None
    assert excess[1].low > 0.15
