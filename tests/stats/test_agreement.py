"""Agreement: the library, the bootstrap against a loop over the library, and what must not matter."""

from __future__ import annotations

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from judging.stats import (
    Level,
    brennan_prediger,
    co_membership,
    fleiss_kappa,
    gwet_ac,
    krippendorff_alpha,
    percent_agreement,
    value_counts,
)
from judging.stats.core.estimate import NO_WIDTH, bootstrap_weights

LEVELS: tuple[Level, ...] = ("nominal", "ordinal", "interval", "ratio")


def random_counts(units: int, seed: int = 5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    share = rng.dirichlet(np.ones(5), units)
    return np.array([rng.multinomial(rng.integers(0, 8), p) for p in share])


@pytest.mark.parametrize("level", LEVELS)
def test_alpha_equals_the_library(level: Level) -> None:
    for seed in range(20):
        counts = random_counts(12, seed)
        library = krippendorff.alpha(
            value_counts=counts, value_domain=[1, 2, 3, 4, 5], level_of_measurement=level
        )
        found = krippendorff_alpha(counts, [1, 2, 3, 4, 5], level, resamples=0)
        assert found.estimate == pytest.approx(library, abs=1e-12)


@pytest.mark.parametrize("level", LEVELS)
def test_item_bootstrap_equals_a_loop_over_the_library_on_the_same_resamples(level: Level) -> None:
    counts = random_counts(80)
    pairable = counts[counts.sum(axis=1) >= 2]
    weights = bootstrap_weights(len(pairable), 60, np.random.default_rng(3)).astype(int)
    draws = [
        krippendorff.alpha(
            value_counts=np.repeat(pairable, row, axis=0),
            value_domain=[1, 2, 3, 4, 5],
            level_of_measurement=level,
        )
        for row in weights
    ]
    found = krippendorff_alpha(counts, [1, 2, 3, 4, 5], level, resamples=60, rng=np.random.default_rng(3))
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])), abs=1e-12)
    assert found.n == len(pairable)


@pytest.mark.parametrize("level", LEVELS)
def test_few_units_have_the_jackknife_of_the_library_on_fishers_scale(level: Level) -> None:
    counts = random_counts(14)
    pairable = counts[counts.sum(axis=1) >= 2]
    n = len(pairable)

    def library(table: np.ndarray) -> float:
        return float(
            krippendorff.alpha(value_counts=table, value_domain=[1, 2, 3, 4, 5], level_of_measurement=level)
        )

    without = np.array([library(np.delete(pairable, i, axis=0)) for i in range(n)])
    error = np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum())
    point = library(pairable)
    reach = stats.t.ppf(0.975, n - 1) * error / (1 - point**2)
    found = krippendorff_alpha(counts, [1, 2, 3, 4, 5], level)
    assert found.standard_error == pytest.approx(error)
    assert [found.low, found.high] == pytest.approx(np.tanh(np.arctanh(point) + reach * np.array([-1, 1])))
    shares = [(row @ (row - 1)) / (row.sum() * (row.sum() - 1)) for row in pairable]
    share = percent_agreement(counts)
    usual = stats.ttest_1samp(shares, 0).confidence_interval()
    assert [share.low, share.high] == pytest.approx([max(0, usual.low), min(1, usual.high)])


def test_few_units_are_covered_as_stated() -> None:
    """Ten units of three annotators, 400 sets: percentiles of resampled units cover about .83."""
    rng = np.random.default_rng(4)
    domain = [1, 2, 3, 4, 5]

    def counted(units: int) -> np.ndarray:
        said = np.clip(np.round(3 + rng.normal(size=(units, 1)) + 0.6 * rng.normal(size=(units, 3))), 1, 5)
        return np.stack([(said == v).sum(axis=1) for v in domain], axis=1)

    truth = krippendorff_alpha(counted(200_000), domain, "ordinal", resamples=0).estimate or 0.0
    ends = [krippendorff_alpha(counted(10), domain, "ordinal") for _ in range(400)]
    assert np.mean([(e.low or -1) <= truth <= (e.high or 1) for e in ends]) >= 0.93
    assert all(e.high is None or e.high < 1 for e in ends)


def test_counts_beyond_32_and_64_bits_are_counted() -> None:
    small = np.array([[5, 1], [1, 5], [3, 3]])
    for size in (10**9, 5 * 10**9):
        for level in LEVELS:
            huge = krippendorff_alpha(small * size, [1, 2], level)
            less = krippendorff_alpha(small * 10**6, [1, 2], level)
            assert [huge.estimate, huge.low, huge.high] == pytest.approx(
                [less.estimate, less.low, less.high], abs=1e-6
            )
        for coefficient in (gwet_ac, fleiss_kappa, brennan_prediger):
            huge, less = (coefficient(small * n, [1, 2]) for n in (size, 10**6))
            assert [huge.estimate, huge.low, huge.high] == pytest.approx(
                [less.estimate, less.low, less.high], abs=1e-6
            )


def test_clusters_are_drawn_whole() -> None:
    counts = random_counts(300)
    clusters = np.arange(300) // 5
    pairable = counts.sum(axis=1) >= 2
    kept, label = counts[pairable], clusters[pairable]
    weights = bootstrap_weights(60, 50, np.random.default_rng(1)).astype(int)
    draws = [
        krippendorff.alpha(value_counts=np.repeat(kept, row[label], axis=0), level_of_measurement="nominal")
        for row in weights
    ]
    found = krippendorff_alpha(
        counts, range(5), "nominal", clusters=clusters, resamples=50, rng=np.random.default_rng(1)
    )
    assert found.n == 60
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])), abs=1e-12)
    single = krippendorff_alpha(counts, range(5), "nominal", clusters=np.zeros(300))
    assert single.low is None
    assert single.reason is not None
    assert "only one" in single.reason
    shares = percent_agreement(counts, clusters=clusters)
    assert shares.estimate == percent_agreement(counts).estimate
    assert shares.n == 60


def test_interval_does_not_depend_on_the_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = random_counts(80)
    at_once = krippendorff_alpha(counts, range(5), "ordinal", resamples=40)
    monkeypatch.setattr(
        "judging.stats.agreement.alpha.batches", lambda total, _: [7] * (total // 7) + [total % 7]
    )
    assert krippendorff_alpha(counts, range(5), "ordinal", resamples=40) == at_once


@settings(max_examples=60, deadline=None)
@given(
    counts=hnp.arrays(np.int64, st.tuples(st.integers(1, 8), st.just(4)), elements=st.integers(0, 4)),
    level=st.sampled_from(LEVELS),
    seed=st.integers(0, 100),
)
def test_order_of_items_and_empty_rows_change_nothing(counts: np.ndarray, level: Level, seed: int) -> None:
    values = [1, 2, 3, 4]
    plain = krippendorff_alpha(counts, values, level, resamples=0)
    shuffled = np.random.default_rng(seed).permutation(counts)
    padded = np.vstack([np.zeros((2, 4), dtype=int), shuffled, np.eye(4, dtype=int)])
    again = krippendorff_alpha(padded, values, level, resamples=0)
    assert again.n == plain.n
    assert again.reason == plain.reason
    if plain.estimate is None:
        assert again.estimate is None
    else:
        assert again.estimate == pytest.approx(plain.estimate, abs=1e-12)
        assert plain.estimate <= 1
    assert (percent_agreement(padded, resamples=0).estimate is None) == (plain.n == 0)


@settings(max_examples=30, deadline=None)
@given(
    values=st.lists(st.integers(1, 5), min_size=2, max_size=30).filter(lambda v: len(set(v)) > 1),
    annotators=st.integers(2, 6),
    level=st.sampled_from(LEVELS),
)
def test_perfect_agreement_is_one(values: list[int], annotators: int, level: Level) -> None:
    unit, value = np.repeat(np.arange(len(values)), annotators), np.repeat(values, annotators)
    counts, _ = value_counts(unit, value, [1, 2, 3, 4, 5])
    assert krippendorff_alpha(counts, [1, 2, 3, 4, 5], level, resamples=20).estimate == pytest.approx(1)
    assert percent_agreement(counts, resamples=20).estimate == 1


def test_undefined_alpha_is_none_with_a_reason() -> None:
    lonely = krippendorff_alpha(np.eye(3, dtype=int), range(3), "nominal")
    assert (lonely.estimate, lonely.n) == (None, 0)
    assert "two or more" in str(lonely.reason)
    same = krippendorff_alpha([[3, 0], [2, 0]], range(2), "nominal")
    assert (same.estimate, same.n) == (None, 2)
    assert "same value" in str(same.reason)
    one = krippendorff_alpha([[1, 1]], range(2), "nominal")
    assert one.estimate == 0
    assert one.low is None
    rare = krippendorff_alpha([[2, 0]] * 5 + [[1, 1]], range(2), "nominal")
    assert rare.low is None
    assert "same value" in str(rare.reason)
    rare = krippendorff_alpha([[2, 0]] * 60 + [[1, 1]], range(2), "nominal")
    assert rare.low is None
    assert "resamples" in str(rare.reason)
    nobody = percent_agreement(np.zeros((0, 3), dtype=int))
    assert (nobody.estimate, nobody.n) == (None, 0)


def test_value_counts_skips_missing_values_and_keeps_their_unit() -> None:
    counts, units = value_counts(["b", "a", "b", "c"], [1.0, 2.0, 2.0, np.nan], [1, 2])
    assert units.tolist() == ["a", "b", "c"]
    assert counts.tolist() == [[0, 1], [1, 1], [0, 0]]


def test_wrong_input_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match=r"7\.0.* outside"):
        value_counts([1, 1], [1.0, 7.0], [1, 2])
    with pytest.raises(ValueError, match="increasing"):
        value_counts([1], [1], [2, 1])
    with pytest.raises(ValueError, match="length"):
        value_counts([1], [1, 2], [1, 2])
    with pytest.raises(ValueError, match="missing"):
        value_counts(np.array([None, "a"], dtype=object), [1, 2], [1, 2])
    with pytest.raises(ValueError, match="whole numbers"):
        krippendorff_alpha([[0.5, 2]], [1, 2], "nominal")
    with pytest.raises(ValueError, match="whole numbers"):
        krippendorff_alpha([[-1, 2]], [1, 2], "nominal")
    with pytest.raises(ValueError, match="columns"):
        krippendorff_alpha([[1, 2]], [1, 2, 3], "nominal")
    with pytest.raises(ValueError, match="numbers"):
        krippendorff_alpha([[1, 2]], ["a", "b"], "ordinal")
    with pytest.raises(ValueError, match="Unknown level"):
        krippendorff_alpha([[1, 2]], [1, 2], "cardinal")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="confidence"):
        krippendorff_alpha([[1, 2]], [1, 2], "nominal", confidence=95)
    with pytest.raises(ValueError, match="label"):
        percent_agreement([[1, 2]], clusters=[1, 2])


def test_co_membership_forms_each_unordered_pair_once() -> None:
    item = ["i"] * 6 + ["k"] * 2
    who = ["x"] * 3 + ["y"] * 3 + ["x"] * 2
    response = ["a", "b", "c", "c", "a", "b", "a", "b"]
    pile = [1, 1, 2, 9, 9, np.nan, 1, 1]
    pairs = co_membership(item, who, response, pile)
    assert pairs.columns.tolist() == ["unit", "item_id", "annotator_id", "response", "other", "value"]
    of_x = pairs[(pairs["item_id"] == "i") & (pairs["annotator_id"] == "x")]
    assert sorted(of_x["value"]) == [0, 0, 1]
    of_y = pairs[pairs["annotator_id"] == "y"]
    assert of_y["value"].tolist() == [1]
    apart = of_x[of_x["unit"] == of_y["unit"].iloc[0]]
    assert apart["value"].tolist() == [0]
    assert pairs["unit"].nunique() == 4
    with pytest.raises(ValueError, match="twice"):
        co_membership(["i", "i"], ["x", "x"], ["a", "a"], [1, 2])


def test_same_groupings_under_other_pile_numbers_agree_perfectly() -> None:
    rng = np.random.default_rng(2)
    true = rng.integers(0, 3, (8, 6))
    item, response = (x.ravel() for x in np.indices(true.shape))
    pairs = co_membership(
        np.tile(item, 2),
        np.repeat([0, 1], item.size),
        np.tile(response, 2),
        np.concatenate([true.ravel(), 7 - 2 * true.ravel()]),
    )
    counts, units = value_counts(pairs["unit"], pairs["value"], (0, 1))
    clusters = pairs.drop_duplicates("unit").set_index("unit")["item_id"].loc[units.tolist()]
    found = krippendorff_alpha(counts, (0, 1), "nominal", clusters=clusters)
    assert (found.estimate, found.low, found.high, found.n) == (1, None, None, 8)
    assert found.reason == NO_WIDTH
