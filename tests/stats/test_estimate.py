"""The result object never shows a number that is none, and bootstrap weights are what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from judging.stats import (
    Estimate,
    Weighting,
    brennan_prediger,
    fleiss_kappa,
    gwet_ac,
    krippendorff_alpha,
    one_way_icc,
    percent_agreement,
    value_counts,
)
from judging.stats.core.batches import batches
from judging.stats.core.estimate import NO_WIDTH, bootstrap_weights, percentile_interval

WEIGHTINGS: tuple[Weighting, ...] = ("identity", "ordinal", "linear", "quadratic")


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


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (0.0, 0.0), (-0.5, -0.5 + 1e-16), (1e-20, 1e-20)])
def test_an_interval_without_a_width_is_none(low: float, high: float) -> None:
    found = Estimate(low, low, high, 3, standard_error=0.0)
    assert (found.estimate, found.low, found.high) == (low, None, None)
    assert (found.reason, found.standard_error) == (NO_WIDTH, None)
    narrow = Estimate(0.5, 0.5, 0.5 + 1e-6, 10**9, standard_error=1e-7)
    assert (narrow.low, narrow.high, narrow.reason) == (0.5, 0.5 + 1e-6, None)


@pytest.mark.parametrize("rows", [[(2, 2), (4, 4), (5, 5)], [(1, 2), (2, 1)], [(1, 1), (2, 2)] * 40])
def test_no_statistic_of_agreement_is_sure_of_itself_where_nothing_varies(
    rows: list[tuple[int, int]],
) -> None:
    """Three items on which two annotators agree; two on which they differ by as much; eighty that agree."""
    values = np.array(rows)
    items, _raters = np.indices(values.shape)
    table, _ = value_counts(items.ravel(), values.ravel(), range(1, 6))
    with_se = [
        s(table, range(1, 6), w) for s in (gwet_ac, fleiss_kappa, brennan_prediger) for w in WEIGHTINGS
    ]
    found = [krippendorff_alpha(table, range(1, 6), "ordinal"), percent_agreement(table), *with_se]
    found.append(one_way_icc(items.ravel(), values.ravel()))
    assert [(e.low, e.high) for e in found if e.low == e.high and e.low is not None] == []
    assert all(e.reason for e in found if e.low is None)


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
