"""Vendi scores and clusters: published values, scikit-learn, and enumeration of all subsets."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import stats
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score, roc_curve

from judging.stats import best_threshold, cosine_matrix, ideas, rarefied_count, rarefied_vendi
from judging.stats.similarity.diversity import vendi_score


def unit(seed: int, n: int, d: int) -> np.ndarray:
    found = np.random.default_rng(seed).normal(size=(n, d)) + 0.8
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def test_published_vendi_scores() -> None:
    """The two worked examples in the README of vertaix/Vendi-Score: 2.1573 and 2.9999."""
    assert vendi_score([[1.0, 0.9, 0.0], [0.9, 1.0, 0.0], [0.0, 0.0, 1.0]]) == pytest.approx(2.1573, abs=5e-5)
    samples = np.array([0, 0, 10, 10, 20, 20])
    assert vendi_score(np.exp(-np.abs(np.subtract.outer(samples, samples)))) == pytest.approx(
        2.9999, abs=1e-4
    )


@pytest.mark.parametrize("order", [0.5, 1.0, 2.0, np.inf])
def test_bounds_of_the_vendi_score(order: float) -> None:
    assert vendi_score(np.ones((7, 7)), order) == pytest.approx(1.0)
    assert vendi_score(np.eye(7), order) == pytest.approx(7.0)
    # Groups that are alike within and share nothing between count once each, weighed by size.
    blocks = np.kron(np.eye(3), np.ones((4, 4)))
    assert vendi_score(blocks, order) == pytest.approx(3.0)


def test_the_score_of_order_two_is_the_inverse_of_the_mean_squared_similarity() -> None:
    cosine = cosine_matrix(unit(1, 9, 5))
    assert vendi_score(cosine, 2.0) == pytest.approx(1 / (cosine**2).mean())


@pytest.mark.parametrize(("n", "d"), [(12, 4), (5, 30)])
def test_both_gram_matrices_give_the_same_score(n: int, d: int) -> None:
    vectors = unit(2, n, d)
    assert rarefied_vendi(vectors, n) == pytest.approx(vendi_score(cosine_matrix(vectors)))


def test_a_rarefied_score_is_the_mean_over_all_subsets() -> None:
    vectors = unit(3, 7, 4)
    every = np.mean([vendi_score(cosine_matrix(vectors[list(c)])) for c in combinations(range(7), 3)])
    assert rarefied_vendi(vectors, 3, draws=3000) == pytest.approx(every, abs=0.01)
    assert np.isnan(rarefied_vendi(vectors, 8))


def test_rarefied_counts_are_the_mean_over_all_subsets() -> None:
    owner = np.repeat(np.arange(4), [4, 2, 1, 1])
    for n in range(1, 9):
        every = np.mean([len({owner[i] for i in c}) for c in combinations(range(8), n)])
        assert rarefied_count([4, 2, 1, 1], n) == pytest.approx(every)
    assert np.isnan(rarefied_count([4, 2, 1, 1], 9))


def test_clusters_are_those_of_scikit_learn() -> None:
    cosine = cosine_matrix(unit(4, 60, 8))
    for found in ideas(cosine, [0.5, 0.7, 0.9]):
        other = AgglomerativeClustering(
            n_clusters=None, metric="precomputed", linkage="average", distance_threshold=1 - found.threshold
        ).fit(1 - cosine)
        assert adjusted_rand_score(found.labels, other.labels_) == 1.0
        assert len(found.sizes) == other.n_clusters_
        assert (np.diff(found.sizes) <= 0).all()
        assert (np.bincount(found.labels) == found.sizes).all()
        assert found.effective == pytest.approx(np.exp(stats.entropy(found.sizes)))


def test_small_and_equal_sets() -> None:
    assert [len(i.sizes) for i in ideas(np.ones((5, 5)), [0.9, 1.0])] == [1, 1]
    assert [len(i.sizes) for i in ideas(np.eye(5), [0.9])] == [5]
    assert ideas([[1.0]], [0.5])[0].effective == pytest.approx(1.0)
    assert np.isnan(ideas(np.empty((0, 0)), [0.5])[0].effective)
    assert np.isnan(vendi_score(np.empty((0, 0))))


def test_wrong_input_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="1 on the diagonal"):
        vendi_score([[2.0, 0.0], [0.0, 2.0]])
    with pytest.raises(ValueError, match="positive semidefinite"):
        vendi_score([[1.0, -0.9, -0.9], [-0.9, 1.0, -0.9], [-0.9, -0.9, 1.0]])
    with pytest.raises(ValueError, match="square"):
        ideas(np.ones((2, 3)), [0.5])
    with pytest.raises(ValueError, match="n >= 1"):
        rarefied_count([1], 0)
    with pytest.raises(ValueError, match="size >= 1"):
        rarefied_vendi(np.eye(2), 0)


def test_the_best_threshold_is_the_one_of_the_roc_curve() -> None:
    rng = np.random.default_rng(0)
    same = rng.random(200) < 0.3
    cosine = np.where(same, rng.normal(0.75, 0.1, 200), rng.normal(0.55, 0.12, 200)).round(2)
    found = best_threshold(np.append(cosine, np.nan), np.append(same, True))
    false, true, levels = roc_curve(same, cosine, drop_intermediate=False)
    assert found is not None
    assert found.sensitivity + found.specificity == pytest.approx((true + 1 - false).max())
    assert found.cosine in levels
    assert (found.n_same, found.n_other) == (same.sum(), (~same).sum())
    assert best_threshold([0.1, 0.2], [True, True]) is None
