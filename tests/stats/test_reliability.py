"""Reliability of a mean: tables by hand, Cronbach's alpha, and the bootstrap against a loop."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judging.stats import reliability_of_mean
from judging.stats.core.estimate import bootstrap_weights


def long(table: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    unit, annotator = np.indices(table.shape)
    return unit.ravel(), annotator.ravel(), table.ravel()


def drawn(items: int, annotators: int, seed: int = 4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.asarray(rng.normal(size=(items, 1)) + rng.normal(size=(items, annotators)))


def cronbach(table: np.ndarray) -> float:
    k = table.shape[1]
    single, total = table.var(axis=0, ddof=1).sum(), table.sum(axis=1).var(ddof=1)
    return float(k / (k - 1) * (1 - single / total))


def test_two_annotators_by_hand() -> None:
    table = np.array([[1.0, 2], [2, 1], [3, 3], [4, 5]])
    # Deviations (-1.5 -.5 .5 1.5) and (-.75 -1.75 .25 2.25): cov = 5.5 / 3; means 1.5 1.5 3 4.5: var = 6.1875 / 3.
    found = reliability_of_mean(*long(table))
    assert found.estimate == pytest.approx(5.5 / 6.1875)
    assert found.n == 4


@pytest.mark.parametrize("annotators", [2, 3, 4, 5, 8])
def test_all_annotators_on_all_items_is_cronbachs_alpha(annotators: int) -> None:
    table = drawn(20, annotators)
    assert reliability_of_mean(*long(table)).estimate == pytest.approx(cronbach(table))


@pytest.mark.filterwarnings("ignore")
def test_close_to_the_library_when_splits_are_drawn() -> None:
    pingouin = pytest.importorskip("pingouin")
    table = drawn(400, 14)
    oracle = pingouin.cronbach_alpha(pd.DataFrame(table))[0]
    assert oracle == pytest.approx(cronbach(table))
    assert reliability_of_mean(*long(table), splits=200).estimate == pytest.approx(oracle, abs=0.005)


def test_interval_equals_a_loop_on_the_same_resamples() -> None:
    table = drawn(25, 5)
    table[np.random.default_rng(1).random(table.shape) < 0.3] = np.nan
    table = table[(~np.isnan(table)).sum(axis=1) >= 2]
    halves = [list(c) for c in itertools.combinations(range(5), 2)]
    weights = bootstrap_weights(len(table), 30, np.random.default_rng(9)).astype(int)
    draws = []
    for row in weights:
        again, covariance, freedom = np.repeat(table, row, axis=0), 0.0, 0
        for half in halves:
            rest = [j for j in range(5) if j not in half]
            have = ~np.isnan(again[:, half]).all(axis=1) & ~np.isnan(again[:, rest]).all(axis=1)
            means = [np.nanmean(again[have][:, side], axis=1) for side in (half, rest)]
            n = int(have.sum())
            covariance, freedom = covariance + (n - 1) * np.cov(*means)[0, 1], freedom + n - 1
        draws.append(min(1.0, covariance / freedom / np.nanmean(again, axis=1).var(ddof=1)))
    found = reliability_of_mean(*long(table), resamples=30, rng=np.random.default_rng(9))
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])))


@pytest.mark.parametrize(
    ("items", "seats", "annotators", "severity"), [(300, 3, 30, 0.5), (300, 5, 60, 1.0), (300, 3, 3, 1.0)]
)
def test_unbiased_with_unequal_halves_and_shared_severity(
    items: int, seats: int, annotators: int, severity: float
) -> None:
    rng = np.random.default_rng(8)
    gaps = []
    for _ in range(120):
        who = np.argsort(rng.random((items, annotators)), axis=1)[:, :seats]
        quality, strict = 0.7 * rng.normal(size=items), severity * rng.normal(size=annotators)
        said = quality[:, None] + strict[who] + rng.normal(size=who.shape)
        true = np.corrcoef(said.mean(axis=1), quality)[0, 1] ** 2
        unit = np.repeat(np.arange(items), seats)
        found = reliability_of_mean(unit, who.ravel(), said.ravel(), resamples=0, splits=30).estimate
        assert found is not None
        gaps.append(found - true)
    assert np.mean(gaps) == pytest.approx(0, abs=0.012)


def test_random_splits_are_reproducible_and_whole_people() -> None:
    table = drawn(30, 14)
    first = reliability_of_mean(*long(table), rng=np.random.default_rng(1))
    assert first == reliability_of_mean(*long(table), rng=np.random.default_rng(1))
    assert first.low is not None
    assert first.high is not None
    assert first.estimate is not None
    assert first.low < first.estimate < first.high < 1


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), annotators=st.integers(2, 6))
def test_names_and_order_change_nothing(seed: int, annotators: int) -> None:
    table = drawn(12, annotators, seed)
    rng = np.random.default_rng(seed)
    unit, annotator, value = long(table)
    plain = reliability_of_mean(unit, annotator, value, resamples=0)
    shuffle = rng.permutation(len(unit))
    names = rng.permutation(annotators)[annotator] + 100
    again = reliability_of_mean(12 - unit[shuffle], names[shuffle], 3 * value[shuffle] + 1, resamples=0)
    assert again.estimate == pytest.approx(plain.estimate)


def test_undefined_is_none_with_a_reason() -> None:
    assert "Fewer than two annotators" in str(reliability_of_mean([1, 2, 3], [1, 1, 1], [1, 2, 3]).reason)
    assert "Only 2 items" in str(reliability_of_mean(*long(drawn(2, 4))).reason)
    assert "do not vary" in str(reliability_of_mean(*long(np.ones((6, 4)))).reason)
    assert reliability_of_mean([], [], []).estimate is None
    assert reliability_of_mean([1, 2], [1, 2], [np.nan, np.nan]).estimate is None
    opposed = reliability_of_mean(*long(np.array([[1.0, 3], [2, 2], [3, 1]])))
    assert "do not vary" in str(opposed.reason)
    against = reliability_of_mean(*long(np.array([[1.0, 3], [2, 2], [3, 2]])))
    assert against.estimate is not None
    assert against.estimate < 0


def test_wrong_input_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="twice"):
        reliability_of_mean([1, 1], [1, 1], [1, 2])
    with pytest.raises(ValueError, match="infinite"):
        reliability_of_mean([1, 1], [1, 2], [1, np.inf])
    with pytest.raises(ValueError, match="equally long"):
        reliability_of_mean([1], [1, 2], [1, 2])
    with pytest.raises(ValueError, match="labels"):
        reliability_of_mean(np.array([1, None], dtype=object), [1, 2], [1, 2])
    with pytest.raises(ValueError, match="splits"):
        reliability_of_mean([1], [1], [1], splits=0)
