"""Likeness within and between sources: closed forms against loops over pairs, and intervals over prompts."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from judging.stats import (
    PromptSimilarity,
    cosine_matrix,
    means_over_prompts,
    means_within,
    pair_similarity,
    prompt_similarity,
    random_pairs,
    source_codes,
    source_matrix,
    trend,
)
from judging.stats.similarity.homogeneity import BINS


def made(seed: int, sizes: list[int], width: int = 6, shared: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    source = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return rng.normal(size=(len(source), width)) + shared * rng.normal(size=width), source


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), sizes=st.lists(st.integers(0, 6), min_size=1, max_size=4))
def test_sums_counts_and_histograms_are_those_of_a_loop_over_pairs(seed: int, sizes: list[int]) -> None:
    vectors, source = made(seed, sizes)
    found = prompt_similarity(vectors, source, len(sizes), thresholds=(0.2, 0.7))
    cosine = cosine_matrix(vectors)
    total, pairs = np.zeros((len(sizes),) * 2), np.zeros((len(sizes),) * 2)
    above, histogram = np.zeros((2, len(sizes), len(sizes))), np.zeros(len(BINS) - 1)
    for i, j in combinations(range(len(source)), 2):
        for s, t in ((source[i], source[j]), (source[j], source[i])):
            total[s, t] += cosine[i, j]
            pairs[s, t] += 1
            above[:, s, t] += cosine[i, j] > np.array([0.2, 0.7])
        histogram += np.histogram(cosine[i, j], BINS)[0]
    assert found.total == pytest.approx(total, abs=1e-9)
    assert (found.pairs == pairs).all()
    assert (found.above == above).all()
    assert (found.within + found.between == histogram).all()
    same = source[:, None] == source[None, :]
    assert found.within.sum() == (same.sum() - len(source)) / 2


def test_the_inflated_diagonal_is_the_mean_of_the_whole_block_self_pairs_included() -> None:
    vectors, source = made(3, [5, 3, 1])
    found = prompt_similarity(vectors, source, 3)
    cosine = cosine_matrix(vectors)
    for s, n in enumerate([5, 3, 1]):
        block = cosine[np.ix_(source == s, source == s)]
        assert found.inflated_diagonal[s] == pytest.approx(block.mean())
        if n > 1:
            mean = found.means[s, s]
            assert mean == pytest.approx(block[~np.eye(n, dtype=bool)].mean())
            assert found.inflated_diagonal[s] - mean == pytest.approx((1 - mean) / n)
    assert np.isnan(found.means[2, 2])
    assert means_within(vectors, source, 3) == pytest.approx(np.diag(found.means), nan_ok=True)


def test_self_pairs_inflate_the_paper_s_diagonal_as_much_as_its_fifty_samples_say() -> None:
    """50 of 2,500 pairs are a response with itself: .8 shows as .804 (hivemind.md, section 2)."""
    direction = np.zeros((50, 51))
    direction[:, 0], direction[np.arange(50), np.arange(1, 51)] = np.sqrt(0.8), np.sqrt(0.2)
    found = prompt_similarity(direction, np.zeros(50, dtype=int), 1)
    assert found.means[0, 0] == pytest.approx(0.8)
    assert found.inflated_diagonal[0] == pytest.approx(0.8 + 0.2 / 50)


def test_neighbors_are_counted_as_a_loop_counts_them() -> None:
    vectors, source = made(5, [6, 4, 3])
    found = prompt_similarity(vectors, source, 3, neighbors=(2, 5, 12, 50))
    cosine = cosine_matrix(vectors)
    np.fill_diagonal(cosine, -9)
    for place, size in enumerate((2, 5)):
        near = [source[np.argsort(-row)[:size]] for row in cosine]
        assert found.distinct[place] == pytest.approx(np.mean([len(set(n)) for n in near]))
        own = [(n == s).mean() for n, s in zip(near, source, strict=True)]
        assert found.same[place] == pytest.approx(np.mean(own))
    # With no more than N others every response is a neighbor: nothing is told by that.
    assert np.isnan(found.distinct[2:]).all()
    assert np.isnan(found.same_expected[2:]).all()


@pytest.mark.parametrize("n", [52, 300, 611])
def test_neighbors_in_a_large_pool_are_those_of_whole_sorted_rows(n: int) -> None:
    vectors, source = made(n, [n - 40, 25, 15])
    # Answers that say the same stand as near as can be, and as near as each other.
    vectors[10:14] = vectors[9]
    found = prompt_similarity(vectors, source, 3, neighbors=(5, 50))
    order = np.argsort(source, kind="stable")
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True))[order].astype(np.float32)
    cosine = unit @ unit.T
    np.fill_diagonal(cosine, -9)
    nearest = source[order][np.argsort(-cosine, axis=1, kind="stable")]
    for place, size in enumerate((5, 50)):
        distinct = [len(set(row[:size])) for row in nearest]
        assert found.distinct[place] == pytest.approx(np.mean(distinct))
        assert found.same[place] == pytest.approx((nearest[:, :size] == source[order][:, None]).mean())


def test_what_chance_would_give_is_the_mean_over_all_neighborhoods() -> None:
    source = np.repeat([0, 1, 2], [3, 2, 2])
    found = prompt_similarity(np.random.default_rng(0).normal(size=(7, 4)), source, 4, neighbors=(3,))
    distinct, same = [], []
    for i in range(7):
        others = [source[j] for j in range(7) if j != i]
        for chosen in combinations(others, 3):
            distinct.append(len(set(chosen)))
            same.append(np.mean([c == source[i] for c in chosen]))
    assert found.distinct_expected[0] == pytest.approx(np.mean(distinct))
    assert found.same_expected[0] == pytest.approx(np.mean(same))


def several(n: int = 6, sizes: tuple[int, ...] = (4, 3, 5)) -> list[PromptSimilarity]:
    return [prompt_similarity(*made(seed, list(sizes)), len(sizes), neighbors=(2,)) for seed in range(n)]


def test_over_prompts_sources_and_prompts_weigh_alike() -> None:
    prompts = several()
    found = pair_similarity(prompts)
    within = [np.diag(p.means).mean() for p in prompts]
    between = [p.means[np.triu_indices(3, 1)].mean() for p in prompts]
    assert found.within.estimate == pytest.approx(np.mean(within))
    assert found.between.estimate == pytest.approx(np.mean(between))
    assert found.excess.estimate == pytest.approx(np.mean(within) - np.mean(between))
    assert found.within.n == 6
    assert found.n_pairs == 6 * 12 * 11 / 2
    cells = [(np.diag(p.means) > 0.7).mean() for p in prompts]
    assert found.cells[0].estimate == pytest.approx(np.mean(cells))
    inflated = [p.inflated_diagonal.mean() for p in prompts]
    assert found.inflated.estimate == pytest.approx(np.mean(inflated))
    part = pair_similarity(prompts, among=[True, True, False])
    assert part.between.estimate == pytest.approx(np.mean([p.means[0, 1] for p in prompts]))


def test_the_interval_is_the_bootstrap_of_the_mean() -> None:
    """scipy's bootstrap as the independent implementation."""
    values = np.random.default_rng(1).lognormal(size=40)
    found = means_over_prompts(values[:, None], resamples=20_000)[0]
    nothing = means_over_prompts(np.empty((0, 2)), undefined="No prompt.")
    assert [(e.estimate, e.n, e.reason) for e in nothing] == [(None, 0, "No prompt.")] * 2
    other = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((other.low, other.high), rel=0.02)


def test_the_interval_covers() -> None:
    rng = np.random.default_rng(0)
    found = means_over_prompts(rng.normal(2.0, 1.0, (40, 400)))
    hits = [e.low is not None and e.high is not None and e.low <= 2.0 <= e.high for e in found]
    assert 0.90 <= np.mean(hits) <= 0.97


def test_what_is_undefined_says_why() -> None:
    lone = prompt_similarity([[1.0, 0.0]], [0], 2)
    found = pair_similarity([lone])
    assert found.within.estimate is None
    assert found.within.reason == "No prompt has two responses of this kind."
    one = pair_similarity([prompt_similarity(*made(0, [3, 3]), 2)])
    assert one.within.estimate is not None
    assert one.within.low is None
    assert one.within.reason == "Only one prompt."
    assert random_pairs([lone]).mean.reason == "Pairs across prompts need two prompts."
    matrix = source_matrix([lone])
    assert np.isnan(matrix.mean).all()
    assert (matrix.n == 0).all()
    with pytest.raises(ValueError, match="no prompt"):
        pair_similarity([])


def test_the_matrix_of_sources_is_the_mean_over_the_prompts_that_have_both() -> None:
    prompts = [*several(5), prompt_similarity(*made(9, [4, 0, 2]), 3)]
    found = source_matrix(prompts)
    assert found.mean[0, 2] == pytest.approx(np.mean([p.means[0, 2] for p in prompts]))
    assert found.mean[0, 1] == pytest.approx(np.mean([p.means[0, 1] for p in prompts[:5]]))
    assert found.n.tolist() == [[6, 5, 6], [5, 5, 5], [6, 5, 6]]
    assert (found.low <= found.mean).all()
    assert (found.mean <= found.high).all()
    assert found.mean == pytest.approx(found.mean.T)


def test_pairs_across_prompts_are_those_of_a_loop() -> None:
    made_up = [made(seed, [3, 2], shared=2.0) for seed in range(4)]
    prompts = [prompt_similarity(*one, 2, thresholds=(0.1,)) for one in made_up]
    found = random_pairs(prompts)
    cosine = cosine_matrix(np.concatenate([v for v, _ in made_up]))
    owner = np.repeat(np.arange(4), 5)
    across = cosine[owner[:, None] != owner[None, :]]
    assert found.mean.estimate == pytest.approx(across.mean())
    # All vectors fit, so the sample is everything.
    assert found.above[0].estimate == pytest.approx((across > 0.1).mean())
    assert found.histogram.sum() == 150
    assert found.mean.low is not None
    assert random_pairs(prompts[:2]).mean.reason == "Only two prompts."


def test_the_trend_is_scipy_s_rank_correlation() -> None:
    prompts = several(5, (4, 3, 5, 4))
    when = [2024.5, 2023.0, np.nan, 2025.2]
    within = np.mean([np.diag(p.means) for p in prompts], axis=0)
    found = trend(prompts, when)
    expected = stats.spearmanr([2024.5, 2023.0, 2025.2], within[[0, 1, 3]]).statistic
    assert found.estimate == pytest.approx(expected)
    assert found.n == 3
    assert trend(prompts, [1, np.nan, np.nan, 2]).reason is not None


def test_wrong_input_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        prompt_similarity(np.ones((2, 2)), [0, 2], 2)
    with pytest.raises(ValueError, match="NaN"):
        prompt_similarity([[np.nan, 1.0]], [0], 1)
    with pytest.raises(ValueError, match="zero vector"):
        prompt_similarity([[0.0, 0.0]], [0], 1)
    with pytest.raises(ValueError, match="No such source: 'x'"):
        source_codes(["x"], ["a"])
