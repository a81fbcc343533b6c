"""Steadiness, wording, position and length: by hand, against statsmodels, and on judges made with a planted bias."""

import numpy as np
import pytest
import statsmodels.api as sm

from judging.stats.judges import (
    clustered_mean,
    position_bias,
    prefers_longer,
    steadiness,
    template_sensitivity,
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
    found = steadiness([[1.0, 1, 1], [2.0, 2, 5], [7.0, np.nan, 7], [4.0, 4, 4]], ["a", "a", "b", "b"])
    assert found.same.estimate == pytest.approx(2 / 3)
    assert found.spread.estimate == pytest.approx(np.std([2, 2, 5], ddof=1) / 3)
    assert found.same.n == 3
    assert steadiness([[1, 1], [2, 2]], ["a", "b"]).icc.estimate == pytest.approx(1)
    with pytest.raises(ValueError, match="two columns"):
        steadiness([[1], [2]], ["a", "b"])


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
    assert found.pull.estimate == pytest.approx(0)
    assert found.pull.n == 4
    always_first = position_bias([1, 1, 1], [-1, -1, -1], ["a", "b", "c"])
    assert (always_first.first.estimate, always_first.pull.estimate) == (1, 1)
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
