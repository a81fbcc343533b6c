"""Unusualness: the closed form equals the matrix."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judging.stats import (
    cluster_unusualness,
    neighbor_unusualness,
    perceived_unusualness,
    rated_unusualness,
    unusualness,
)


def by_matrix(vectors: np.ndarray, prompt: np.ndarray) -> np.ndarray:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosine = unit @ unit.T
    np.fill_diagonal(cosine, np.nan)
    cosine[prompt[:, None] != prompt[None, :]] = np.nan
    return np.asarray(1 - np.nanmean(cosine, axis=1))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), size=st.integers(2, 12), prompts=st.integers(1, 4))
def test_equals_the_mean_over_the_cosine_matrix(seed: int, size: int, prompts: int) -> None:
    rng = np.random.default_rng(seed)
    prompt = rng.permutation(np.repeat(np.arange(prompts), size))
    vectors = rng.normal(size=(len(prompt), 7)) * rng.lognormal(0, 3, (len(prompt), 1))
    assert unusualness(vectors, prompt) == pytest.approx(by_matrix(vectors, prompt), abs=1e-12)


def test_values_by_hand() -> None:
    vectors = [[1, 0], [2, 0], [0, 3], [5, 5]]
    found = unusualness(vectors, ["a", "a", "a", "b"])
    assert found[:3].tolist() == [0.5, 0.5, 1.0]
    assert np.isnan(found[3])
    assert unusualness(np.ones((5, 3)), ["p"] * 5) == pytest.approx(np.zeros(5), abs=1e-15)
    assert unusualness([[1e-200, 0], [1e200, 0]], [0, 0]).tolist() == [0.0, 0.0]
    assert unusualness(np.empty((0, 4)), np.array([])).shape == (0,)


def on_circle(*degrees: float) -> np.ndarray:
    angle = np.deg2rad(degrees)
    return np.column_stack([np.cos(angle), np.sin(angle)])


def test_share_of_the_cluster_by_hand() -> None:
    """Three alike, two alike, one alone: shares 1/2, 1/3, 1/6."""
    vectors = on_circle(0, 1, 2, 90, 91, 180)
    found = cluster_unusualness(vectors, ["a"] * 6)
    assert found == pytest.approx(-np.log([1 / 2] * 3 + [1 / 3] * 2 + [1 / 6]))
    # One distance for the whole study: the prompt where all say the same has one cluster.
    both = cluster_unusualness(np.vstack([vectors, on_circle(0, 1, 2, 3)]), ["a"] * 6 + ["b"] * 4)
    assert both[6:] == pytest.approx(np.zeros(4))
    assert np.isnan(cluster_unusualness(vectors[:1], ["a"])).all()
    assert cluster_unusualness(np.ones((4, 2)), ["a"] * 4).tolist() == [0.0] * 4


def test_clusters_equal_scikit_learn_s() -> None:
    cluster = pytest.importorskip("sklearn.cluster")
    rng = np.random.default_rng(1)
    vectors, prompt = rng.normal(size=(40, 3)), np.repeat([0, 1], 20)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    distance = np.clip(1 - unit @ unit.T, 0, 2)
    pairs = [distance[a : a + 20, a : a + 20][np.triu_indices(20, 1)] for a in (0, 20)]
    cut = np.mean([np.quantile(d, 0.25) for d in pairs])
    found = cluster_unusualness(vectors, prompt)
    for a in (0, 20):
        labels = cluster.AgglomerativeClustering(
            n_clusters=None, distance_threshold=cut, metric="precomputed", linkage="average"
        ).fit_predict(distance[a : a + 20, a : a + 20])
        assert found[a : a + 20] == pytest.approx(-np.log(np.bincount(labels)[labels] / 20))


def test_rank_of_the_distance_to_neighbors_equals_scikit_learn_s() -> None:
    neighbors = pytest.importorskip("sklearn.neighbors")
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(30, 4))
    model = neighbors.NearestNeighbors(n_neighbors=5, metric="cosine").fit(vectors)
    mean = model.kneighbors()[0].mean(axis=1)
    found = neighbor_unusualness(vectors, np.zeros(30))
    assert found == pytest.approx((np.argsort(np.argsort(mean)) + 0.5) / 30)
    # A pair apart keeps itself company: lonely for the mean over the pool, not for the nearest neighbor.
    vectors = on_circle(0, 3, 6, 9, 12, 120, 120)
    assert unusualness(vectors, [0] * 7).argmax() in (5, 6)
    nearest = neighbor_unusualness(vectors, [0] * 7, neighbors=1)
    assert nearest[5:] == pytest.approx([1 / 7, 1 / 7])
    assert neighbor_unusualness(np.ones((3, 2)), [0] * 3).tolist() == [0.5] * 3
    assert np.isnan(neighbor_unusualness([[1, 0]], [0])).all()


def test_what_people_perceive_by_hand() -> None:
    pairs = pd.DataFrame(
        {
            "response_id": [1, 1, 2, 1, 4],
            "other_id": [2, 2, 1, 3, 1],
            "value": [4.0, 5.0, 3.0, 2.0, np.nan],
        }
    )
    # The pair of 1 and 2 counts once, whichever came first: mean 4; that of 1 and 3 is 2.
    assert perceived_unusualness(pairs).to_dict() == {1: -3.0, 2: -4.0, 3: -2.0}
    ratings = pd.DataFrame(
        {
            "response_id": [1, 1, 2, 2, 3, 3],
            "annotator_id": ["a", "b"] * 3,
            "value": [1.0, 3.0, 2.0, 4.0, 3.0, 5.0],
        }
    )
    assert rated_unusualness(ratings).to_dict() == {1: 2.0, 2: 3.0, 3: 4.0}
    # Without the severe one's rating of 3 it would look better by a point, were severity left in.
    assert rated_unusualness(ratings.drop(index=4))[3] < 5
    assert rated_unusualness(ratings.iloc[:0]).empty
    assert perceived_unusualness(pairs.iloc[:0]).empty


def test_wrong_input_to_the_other_measures_is_refused() -> None:
    with pytest.raises(ValueError, match="alike"):
        cluster_unusualness([[1, 0]], [0], alike=1)
    with pytest.raises(ValueError, match="neighbors"):
        neighbor_unusualness([[1, 0]], [0], neighbors=0)
    pairs = pd.DataFrame({"response_id": [1], "other_id": [1], "value": [1.0]})
    with pytest.raises(ValueError, match="itself"):
        perceived_unusualness(pairs)
    with pytest.raises(ValueError, match=r"lacks the column.* other_id"):
        perceived_unusualness(pairs.drop(columns="other_id"))
    with pytest.raises(ValueError, match="missing id"):
        perceived_unusualness(pairs.assign(other_id=None))
    with pytest.raises(ValueError, match="infinite"):
        perceived_unusualness(pairs.assign(other_id=2, value=np.inf))
    ratings = pd.DataFrame({"response_id": [1], "annotator_id": [1], "value": [np.inf]})
    with pytest.raises(ValueError, match="infinite"):
        rated_unusualness(ratings)
    with pytest.raises(ValueError, match="missing id"):
        rated_unusualness(ratings.assign(annotator_id=None))
    with pytest.raises(ValueError, match="lacks"):
        rated_unusualness(ratings.drop(columns="value"))


def test_wrong_input_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="zero vector"):
        unusualness([[1, 0], [0, 0]], [1, 1])
    with pytest.raises(ValueError, match="infinity"):
        unusualness(np.array([[1, 0], [np.inf, 0]]), [1, 1])
    with pytest.raises(ValueError, match="labels"):
        unusualness([[1, 0]], [1, 1])
    with pytest.raises(ValueError, match="missing"):
        unusualness([[1, 0], [1, 1]], np.array(["a", None], dtype=object))
