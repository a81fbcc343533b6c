"""Items, annotators, groupings, the raters-needed curve, and the small helpers, by hand and against libraries."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from judging.stats import (
    adjusted_rand,
    benjamini_hochberg,
    describe_annotators,
    describe_items,
    one_way_icc,
    raters_needed,
)
from judging.stats.agreement.dawid_skene import dawid_skene
from judging.stats.core.measurement_error import errors_in_variables_slope

DOMAIN = [1.0, 2.0, 3.0, 4.0, 5.0]


def test_items_equal_scipy() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(1, 6, 30).astype(float)
    unit = np.repeat(["a", "b", "c"], 10)
    found = describe_items(unit, values, DOMAIN).set_index("unit")
    for name in "abc":
        mine, row = values[unit == name], found.loc[name]
        assert [row[f"count_{x}"] for x in range(1, 6)] == [(mine == x).sum() for x in DOMAIN]
        assert sum(row[f"share_{x}"] for x in range(1, 6)) == pytest.approx(1)
        assert (row["n"], row["mean"], row["variance"]) == (10, mine.mean(), pytest.approx(mine.var(ddof=1)))
        shares = np.bincount(mine.astype(int)) / 10
        assert row["entropy_bits"] == pytest.approx(stats.entropy(shares, base=2))
        g, h = stats.skew(mine, bias=False), stats.kurtosis(mine, bias=False)
        assert row["bimodality"] == pytest.approx((g**2 + 1) / (h + 3 * 81 / 56))


def test_two_camps_are_bimodal_and_one_hump_is_not() -> None:
    camps, hump = [1.0] * 12 + [5.0] * 13, [2.0] * 5 + [3.0] * 15 + [4.0] * 5
    found = describe_items(np.repeat([0, 1], 25), [*camps, *hump], DOMAIN)
    assert found["bimodality"][0] > 0.8
    assert found["bimodality"][1] < 5 / 9


def test_items_with_little_to_say() -> None:
    found = describe_items([0, 1, 2, 2, 3, 3, 3, 3], [np.nan, 3, 3, 4, 5, 5, 5, 5], DOMAIN)
    assert found["n"].tolist() == [0, 1, 2, 4]
    assert found["mean"].isna().tolist() == [True, False, False, False]
    assert found["entropy_bits"].isna().tolist() == [True, False, False, False]
    assert found["entropy_bits"][1:].tolist() == [0, 1, 0]
    assert found["variance"].isna().tolist() == [True, True, False, False]
    assert found["bimodality"].isna().all()
    words = describe_items([0, 0], ["b", "a"], ["a", "b"])
    assert words["entropy_bits"].tolist() == [1]
    assert words[["mean", "variance", "bimodality"]].isna().all(axis=None)


def test_annotators_by_hand() -> None:
    unit = [1, 1, 2, 2, 3, 3, 4, 4, 1, 2]
    who = ["x", "y"] * 4 + ["x", "x"]
    value = [1.0, 2, 2, 4, 3, 3, 4, 5, 1, 4]
    found = describe_annotators(unit, who, value, DOMAIN).set_index("annotator_id")
    assert found["n"].tolist() == found["n_shared"].tolist() == [4, 4]
    assert found["severity"].tolist() == [-1, 1]
    r = np.corrcoef([1, 2, 3, 4], [2, 4, 3, 5])[0, 1]
    assert found["correlation"].tolist() == pytest.approx([r, r])
    assert found["range_used"].tolist() == [0.75, 0.75]
    assert found["modal_share"].tolist() == [0.25, 0.25]
    assert found["values_used"].tolist() == [4, 4]
    assert found.loc[["x"], ["n_repeats", "repeat_agreement", "repeat_distance"]].to_numpy().tolist() == [
        [2, 0.5, 1]
    ]
    assert found.loc[["y"], ["repeat_agreement", "repeat_distance"]].isna().all(axis=None)


def test_leave_one_out_equals_a_loop() -> None:
    rng = np.random.default_rng(1)
    table = rng.integers(1, 6, (30, 5)).astype(float)
    table[rng.random(table.shape) < 0.3] = np.nan
    unit, who = np.indices(table.shape)
    found = describe_annotators(unit.ravel(), who.ravel(), table.ravel(), DOMAIN)
    for j in range(5):
        rest = np.delete(table, j, axis=1)
        both = ~np.isnan(table[:, j]) & ~np.isnan(rest).all(axis=1)
        mine, others = table[both, j], np.nanmean(rest[both], axis=1)
        assert found["correlation"][j] == pytest.approx(np.corrcoef(mine, others)[0, 1])
        assert found["severity"][j] == pytest.approx((mine - others).mean())


def test_annotators_with_little_to_say() -> None:
    found = describe_annotators([1, 2, 3, 3], [1, 1, 2, 3], [3, 3, 4, 4], DOMAIN)
    assert found["correlation"].isna().all()
    assert found["severity"].isna().tolist() == [True, False, False]
    assert found["sd"].isna().tolist() == [False, True, True]
    assert describe_annotators([], [], [], DOMAIN).empty
    assert describe_annotators([1], [1], [3], [3])["range_used"].isna().all()
    with pytest.raises(ValueError, match="outside"):
        describe_annotators([1], [1], [7], DOMAIN)


def test_adjusted_rand_equals_the_library() -> None:
    cluster = pytest.importorskip("sklearn.metrics.cluster")
    rng = np.random.default_rng(2)
    piles = rng.integers(0, 3, (4, 3, 8))  # items, annotators, responses
    item, who, response = (x.ravel() for x in np.indices(piles.shape))
    found = adjusted_rand(item, who, response, piles.ravel(), resamples=100)
    pairs = [(0, 1), (0, 2), (1, 2)]
    each = [np.mean([cluster.adjusted_rand_score(p[a], p[b]) for a, b in pairs]) for p in piles]
    assert found.estimate == pytest.approx(np.mean(each))
    assert found.n == 4
    renamed = adjusted_rand(9 - item, who, 7 - response, 3 * who + 5 - piles.ravel(), resamples=100)
    assert renamed.estimate == pytest.approx(found.estimate)


def test_adjusted_rand_of_the_same_and_of_the_trivial() -> None:
    who, response = np.repeat([0, 1], 4), np.tile(np.arange(4), 2)
    same = adjusted_rand(np.zeros(8), who, response, [1, 1, 2, 2, 7, 7, 5, 5])
    assert (same.estimate, same.low) == (1, None)
    trivial = adjusted_rand(np.zeros(8), who, response, np.ones(8))
    assert trivial.estimate is None
    assert "trivial" in str(trivial.reason)
    assert adjusted_rand([], [], [], []).estimate is None


def test_curve_narrows_and_ends_at_the_reliability_of_all() -> None:
    rng = np.random.default_rng(3)
    unit, who = (x.ravel() for x in np.indices((120, 9)))
    value = np.clip(np.round(3 + rng.normal(size=120)[unit] + rng.normal(size=len(unit))), 1, 5)
    curve = raters_needed(unit, who, value, DOMAIN, "interval", resamples=100)
    assert curve["k"].tolist() == [2, 3, 4, 5, 6, 7, 8, 9]
    assert curve["mean_width"].is_monotonic_decreasing
    assert curve["reliability"].is_monotonic_increasing
    assert curve["alpha_width"].iloc[-1] < curve["alpha_width"].iloc[0]
    whole = one_way_icc(unit, value, k=9)
    assert curve["reliability"].iloc[-1] == pytest.approx(whole.estimate)
    assert (curve["reliability_low"] < curve["reliability"]).all()
    assert (curve["reliability"] < curve["reliability_high"]).all()
    # Items that are resampled together, in pairs: wider.
    paired = raters_needed(unit, who, value, DOMAIN, "interval", clusters=unit // 2, ks=[9], resamples=100)
    assert paired["reliability"].iloc[0] == pytest.approx(whole.estimate)
    with pytest.raises(ValueError, match="one label a row"):
        raters_needed(unit, who, value, DOMAIN, "interval", clusters=[1])
    assert (curve["n_items"] == 120).all()


def test_curve_of_ragged_and_of_empty_designs() -> None:
    unit = np.repeat(np.arange(10), np.arange(1, 11))
    who = np.concatenate([np.arange(n) for n in range(1, 11)])
    value = np.random.default_rng(4).choice(DOMAIN, len(unit))
    curve = raters_needed(unit, who, value, DOMAIN, "ordinal", ks=[2, 5, 10, 11], resamples=20)
    # The same items for every k: those with the median number of ratings, 5, or more.
    assert curve["k"].tolist() == [2, 5]
    assert curve["n_items"].tolist() == [6, 6]
    assert raters_needed([1, 2], [1, 1], [1, 2], DOMAIN, "ordinal").empty
    assert raters_needed([], [], [], DOMAIN, "ordinal").empty
    same = raters_needed([1, 1, 2, 2, 3, 3], [1, 2] * 3, [2] * 6, DOMAIN, "ordinal")
    assert same["reason"].tolist() == ["the means do not vary between items"]
    assert same[["alpha", "alpha_width", "reliability"]].isna().all(axis=None)
    with pytest.raises(ValueError, match="at least 2"):
        raters_needed(unit, who, value, DOMAIN, "ordinal", ks=[1])


def test_adjusted_p_values() -> None:
    found = benjamini_hochberg([0.01, np.nan, 0.04, 0.03])
    assert found.tolist() == pytest.approx([0.03, np.nan, 0.04, 0.04], nan_ok=True)
    assert benjamini_hochberg([]).size == 0
    with pytest.raises(ValueError, match="between 0 and 1"):
        benjamini_hochberg([1.2])
    with pytest.raises(ValueError, match="one dimension"):
        benjamini_hochberg([[0.5]])


def test_slope_without_error_is_least_squares() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=30)
    y = 2 * x + rng.normal(size=30)
    found, oracle = errors_in_variables_slope(x, y, 0.0), stats.linregress(x, y)
    assert (found.estimate, found.standard_error) == pytest.approx((oracle.slope, oracle.stderr))
    assert errors_in_variables_slope([*x, np.nan], [*y, 1], 0.0) == found
    assert "measurement error" in str(errors_in_variables_slope(x, y, 5.0).reason)
    assert "Only 2" in str(errors_in_variables_slope([1, 2], [1, 2], 0.0).reason)
    with pytest.raises(ValueError, match="negative"):
        errors_in_variables_slope(x, y, -1.0)
    with pytest.raises(ValueError, match="equally long"):
        errors_in_variables_slope([1], [1, 2], 0.0)


def test_dawid_skene_finds_planted_classes() -> None:
    rng = np.random.default_rng(6)
    true = rng.choice(3, 200, p=[0.5, 0.3, 0.2])
    item, who = (x.ravel() for x in np.indices((200, 5)))
    said = np.where(rng.random(1000) < 0.8, true[item], rng.integers(0, 3, 1000))
    found = dawid_skene(item, who, said, [0, 1, 2])
    assert found.converged
    assert (found.labels == true).mean() > 0.95
    assert found.posterior.sum(axis=1) == pytest.approx(np.ones(200))
    assert found.error_rates.sum(axis=2) == pytest.approx(np.ones((5, 3)))
    shuffled = rng.permutation(1000)
    again = dawid_skene(item[shuffled], who[shuffled], said[shuffled], [0, 1, 2])
    assert again.posterior == pytest.approx(found.posterior, abs=1e-6)
    with pytest.raises(ValueError, match="no value"):
        dawid_skene([1], [1], [np.nan], [0, 1])
    with pytest.raises(ValueError, match="outside"):
        dawid_skene([1], [1], [5], [0, 1])


def test_intervals_are_those_of_scipy() -> None:
    rng = np.random.default_rng(4)
    quality = rng.normal(size=40)
    said = np.clip(np.round(3 + quality[:, None] + rng.normal(size=(40, 6))), 1, 5)
    unit, who = np.indices(said.shape)
    domain = [1.0, 2.0, 3.0, 4.0, 5.0]
    items = describe_items(unit.ravel(), said.ravel(), domain, confidence=0.9)
    for row in (0, 17):
        found = stats.ttest_1samp(said[row], 0).confidence_interval(0.9)
        assert items[["mean_low", "mean_high"]].to_numpy()[row] == pytest.approx(list(found))
    people = describe_annotators(unit.ravel(), who.ravel(), said.ravel(), domain)
    others = (said.sum(axis=1) - said[:, 2]) / 5
    correlation = stats.pearsonr(said[:, 2], others)
    ends = people[["correlation_low", "correlation_high"]].to_numpy()[2]
    assert people.loc[2, "correlation"] == pytest.approx(correlation.statistic)
    assert ends == pytest.approx(list(correlation.confidence_interval()))
    severity = stats.ttest_1samp(said[:, 2] - others, 0).confidence_interval()
    assert people[["severity_low", "severity_high"]].to_numpy()[2] == pytest.approx(list(severity))


@pytest.mark.parametrize(
    ("offset", "scale"), [(1e9, 1.0), (1e12, 1.0), (0.0, 1e-160), (0.0, 1e-8), (0.0, 1e150)]
)
@pytest.mark.filterwarnings("error")
def test_where_a_scale_begins_and_how_fine_it_is_changes_no_shape(offset: float, scale: float) -> None:
    rng = np.random.default_rng(7)
    said = rng.integers(1, 6, (30, 6)).astype(float)
    unit, who = (x.ravel() for x in np.indices(said.shape))
    moved, domain = said.ravel() * scale + offset, [x * scale + offset for x in DOMAIN]
    plain, other = describe_items(unit, said.ravel(), DOMAIN), describe_items(unit, moved, domain)
    assert other["bimodality"].to_numpy() == pytest.approx(plain["bimodality"].to_numpy())
    assert other["mean"].to_numpy() == pytest.approx(plain["mean"].to_numpy() * scale + offset)
    before, after = (
        describe_annotators(unit, who, said.ravel(), DOMAIN),
        describe_annotators(unit, who, moved, domain),
    )
    for name in ("correlation", "correlation_low", "range_used", "modal_share"):
        assert after[name].to_numpy() == pytest.approx(before[name].to_numpy())
    for name in ("severity", "severity_low", "sd"):
        assert after[name].to_numpy() == pytest.approx(before[name].to_numpy() * scale)
