"""Designs over indices: what is asked for comes out, evenly, differently, and the same for the same seed."""

from collections import Counter
from itertools import chain, combinations, pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from annotate import design

SIZES = st.integers(0, 14)
SEEDS = st.integers(-5, 5)


def uses(n: int, chosen: list[tuple[int, ...]]) -> list[int]:
    counts = Counter(chain.from_iterable(chosen))
    return [counts[i] for i in range(n)]


@given(n=SIZES, wanted=st.none() | st.integers(0, 20), seed=SEEDS)
def test_some_are_different_indices_in_order(n: int, wanted: int | None, seed: int) -> None:
    chosen = design.some(n, wanted, seed, "p")
    assert chosen == sorted(set(chosen))
    assert len(chosen) == (n if wanted is None else min(n, wanted))
    assert set(chosen) <= set(range(n))
    # Who asks for more gets those there are and others.
    assert set(chosen) <= set(design.some(n, None if wanted is None else wanted + 1, seed, "p"))


@given(n=SIZES, wanted=st.integers(0, 100), seed=SEEDS)
def test_random_pairs_are_different_and_even(n: int, wanted: int, seed: int) -> None:
    pairs = design.random_pairs(n, wanted, seed, "p")
    assert len(pairs) == min(wanted, n * (n - 1) // 2)
    assert len({frozenset(pair) for pair in pairs}) == len(pairs)
    assert all(a != b for a, b in pairs)
    assert not pairs or max(uses(n, pairs)) - min(uses(n, pairs)) <= 2  # type: ignore[arg-type]
    assert design.random_pairs(n, wanted + 3, seed, "p")[:wanted] == pairs or wanted > 0


def test_the_seed_and_the_prompt_decide() -> None:
    assert design.random_pairs(12, 9, 1, "p") == design.random_pairs(12, 9, 1, "p")
    assert design.random_pairs(12, 9, 1, "p") != design.random_pairs(12, 9, 2, "p")
    assert design.random_pairs(12, 9, 1, "p") != design.random_pairs(12, 9, 1, "q")
    assert design.sets(12, 4, 5, 1, "p") != design.sets(12, 4, 5, 2, "p")


def test_either_of_a_pair_may_stand_first() -> None:
    ascending = sum(a < b for a, b in design.random_pairs(60, 900, 3))
    assert 380 < ascending < 520


def test_pairs_of_a_pool_of_a_thousand_are_quick() -> None:
    assert len(design.random_pairs(1_000, 1_500, 1)) == 1_500


def line(n: int) -> list[list[float]]:
    """Points on a line whose gaps grow, so that no two distances are the same."""
    at = [2.0**i for i in range(n)]
    return [[abs(a - b) for b in at] for a in at]


@given(n=st.integers(2, 12), wanted=st.integers(0, 18), seed=SEEDS)
def test_strata_are_equal_parts_in_order_of_distance(n: int, wanted: int, seed: int) -> None:
    far = line(n)
    parts = design.strata(far)
    sizes = [len(pairs) for pairs in parts.values()]
    assert sum(sizes) == n * (n - 1) // 2
    assert max(sizes) - min(sizes) <= 1
    spans = [[far[a][b] for a, b in pairs] for pairs in parts.values() if pairs]
    assert all(max(low) < min(high) for low, high in pairwise(spans))
    chosen = design.strata_pairs(far, wanted, seed)
    for name, pairs in chosen.items():
        assert {frozenset(p) for p in pairs} <= {frozenset(p) for p in parts[name]}
        assert len(pairs) == min(len(parts[name]), wanted // 3 + (name in ("far", "near")[: wanted % 3]))


def test_strata_leave_out_what_is_taken() -> None:
    far = line(8)
    first = {frozenset(p) for pairs in design.strata_pairs(far, 9, 1).values() for p in pairs}
    second = design.strata_pairs(far, 9, 1, taken=first)
    assert not first & {frozenset(p) for pairs in second.values() for p in pairs}
    assert [len(pairs) for pairs in second.values()] == [3, 3, 3]


def test_strata_use_each_response_about_equally_often() -> None:
    chosen = design.strata_pairs(line(20), 30, 5)
    counts = uses(20, [p for pairs in chosen.values() for p in pairs])
    assert sum(counts) == 60
    assert max(counts) <= 5


@given(
    values=st.lists(st.none() | st.integers(0, 20).map(lambda n: n / 4), max_size=10),
    delta=st.sampled_from([0.0, 0.25, 0.5]),
    wanted=st.integers(0, 50),
)
def test_equal_pairs_are_all_pairs_that_are_close_enough(
    values: list[float | None], delta: float, wanted: int
) -> None:
    pairs = design.equal_pairs(values, delta, wanted, 1)
    close = {
        frozenset((i, j))
        for i, j in combinations(range(len(values)), 2)
        if (v := values[i]) is not None and (w := values[j]) is not None and abs(v - w) <= delta
    }
    assert {frozenset(pair) for pair in pairs} <= close
    assert len(pairs) == min(wanted, len(close))


def test_a_difference_of_just_delta_counts() -> None:
    # 4.1 − 3.6 is 0.4999… or 0.5000…1 in floating point.
    assert len(design.equal_pairs([4.1, 3.6], 0.5, 1, 1)) == 1
    assert len(design.equal_pairs([0.3, 0.1], 0.2, 1, 1)) == 1


@example(n=6, size=4, wanted=11, seed=3)
@given(n=SIZES, size=st.integers(3, 8), wanted=st.integers(0, 12), seed=SEEDS)
def test_sets_are_different_and_even(n: int, size: int, wanted: int, seed: int) -> None:
    chosen = design.sets(n, size, wanted, seed, "p")
    assert all(len(set(s)) == size for s in chosen)
    assert len({frozenset(s) for s in chosen}) == len(chosen)
    if n > size:
        counts = uses(n, chosen)
        assert not chosen or max(counts) - min(counts) <= 2
    else:
        assert len(chosen) == (1 if n == size and wanted else 0)


@pytest.mark.parametrize(
    ("n", "share", "count"), [(0, 0.5, 0), (3, 0.1, 1), (40, 0.1, 4), (10, 1.0, 10), (9, 0, 0)]
)
def test_repeats_are_a_share(n: int, share: float, count: int) -> None:
    assert len(design.repeated(n, share, 1)) == count
