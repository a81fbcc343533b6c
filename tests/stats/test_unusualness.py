"""Unusualness: the closed form equals the matrix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judging.stats import unusualness


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


def test_wrong_input_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="zero vector"):
        unusualness([[1, 0], [0, 0]], [1, 1])
    with pytest.raises(ValueError, match="infinity"):
        unusualness(np.array([[1, 0], [np.inf, 0]]), [1, 1])
    with pytest.raises(ValueError, match="labels"):
        unusualness([[1, 0]], [1, 1])
    with pytest.raises(ValueError, match="missing"):
        unusualness([[1, 0], [1, 1]], np.array(["a", None], dtype=object))
