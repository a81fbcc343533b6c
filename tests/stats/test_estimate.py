"""The result object never shows a number that is none, and bootstrap weights are what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from judging.stats import Estimate
from judging.stats.core.estimate import batches, bootstrap_weights, percentile_interval


def test_undefined_has_a_reason_and_no_number() -> None:
    found = Estimate.undefined("Nobody rated anything.", 0)
    assert (found.estimate, found.low, found.high, found.n) == (None, None, None, 0)
    assert found.reason == "Nobody rated anything."


@pytest.mark.parametrize(
    ("estimate", "low", "high", "reason", "words"),
    [
        (math.nan, 0.0, 1.0, None, "finite"),
        (0.5, -math.inf, 1.0, None, "finite"),
        (0.5, 0.1, None, "half", "both ends"),
        (0.5, 0.9, 0.1, None, "reversed"),
        (0.5, None, None, None, "needs a reason"),
        (None, None, None, "", "needs a reason"),
    ],
)
def test_a_number_that_is_none_is_refused(
    estimate: float | None, low: float | None, high: float | None, reason: str | None, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        Estimate(estimate, low, high, 5, reason)


def test_bootstrap_weights_are_multinomial() -> None:
    weights = bootstrap_weights(40, 4000, np.random.default_rng(0))
    assert (weights.sum(axis=1) == 40).all()
    assert weights.mean(axis=0) == pytest.approx(np.ones(40), abs=0.08)
    assert weights.var(axis=0).mean() == pytest.approx(1 - 1 / 40, abs=0.02)
    with pytest.raises(ValueError, match="n >= 1"):
        bootstrap_weights(0, 5, np.random.default_rng(0))


def test_batches_add_up() -> None:
    assert batches(1000, 1_250) == [1000]
    assert batches(7, 10**9) == [1] * 7
    assert batches(0, 5) == []
    assert sum(batches(1000, 30_000)) == 1000
    with pytest.raises(ValueError, match="negative"):
        batches(-1, 5)


def test_too_many_undefined_resamples_leave_no_interval() -> None:
    draws = np.linspace(0, 1, 101)
    found = percentile_interval(draws, 0.5, 9, 0.9)
    assert (found.low, found.high) == pytest.approx((0.05, 0.95))
    draws[:10] = np.nan
    lost = percentile_interval(draws, 0.5, 9, 0.9)
    assert (lost.estimate, lost.low) == (0.5, None)
    assert "10 of 101" in str(lost.reason)
    assert percentile_interval(np.empty(0), 0.5, 9, 0.9).low is None
