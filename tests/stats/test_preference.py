"""Bradley-Terry against choix and a general optimizer, coverage of its intervals, circles among triads."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import optimize

from judging.stats import Transitivity, bradley_terry, transitivity


def games(
    seed: int, *, items: int = 6, n: int = 300, side: float = 0.0, nu: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """First, second, preference and the true strengths (mean 0)."""
    rng = np.random.default_rng(seed)
    strength = rng.normal(size=items)
    strength -= strength.mean()
    first = rng.integers(0, items, n)
    second = (first + rng.integers(1, items, n)) % items
    half = (strength[first] - strength[second] + side) / 2
    terms = np.column_stack([np.exp(half), np.full(n, nu), np.exp(-half)])
    below = np.cumsum(terms / terms.sum(axis=1, keepdims=True), axis=1)
    return first, second, 1.0 - (rng.random((n, 1)) > below[:, :2]).sum(axis=1), strength


def test_equal_to_choix() -> None:
    choix = pytest.importorskip("choix")
    first, second, preference, _ = games(1)
    won = np.where(preference > 0, first, second)
    lost = np.where(preference > 0, second, first)
    oracle = choix.opt_pairwise(6, list(zip(won.tolist(), lost.tolist(), strict=True)))
    found = bradley_terry(first, second, preference).strengths["strength"]
    assert found.to_numpy() == pytest.approx(oracle - oracle.mean(), abs=1e-5)


@pytest.mark.parametrize(("side", "nu"), [(0.0, 0.0), (0.6, 0.0), (0.0, 0.8), (0.6, 0.8)])
def test_is_the_maximum_a_general_optimizer_finds(side: float, nu: float) -> None:
    first, second, preference, _ = games(2, side=side, nu=nu)

    def loss(theta: np.ndarray) -> float:
        half = (theta[first] - theta[second] + (theta[6] if side else 0)) / 2
        terms = np.column_stack([half, np.full(len(half), theta[7] if nu else -np.inf), -half])
        chosen = terms[np.arange(len(half)), (1 - preference).astype(int)]
        return float((np.logaddexp.reduce(terms, axis=1) - chosen).sum() + theta[:6].sum() ** 2)

    best = optimize.minimize(loss, np.zeros(8), method="BFGS", options={"gtol": 1e-7})
    found = bradley_terry(first, second, preference, first_matters=side != 0)
    assert found.log_likelihood == pytest.approx(-best.fun, abs=1e-6)
    assert found.strengths["strength"].to_numpy() == pytest.approx(best.x[:6], abs=1e-4)
    if side:
        assert found.first.estimate == pytest.approx(best.x[6], abs=1e-4)
    if nu:
        assert found.tie.estimate == pytest.approx(np.exp(best.x[7]), abs=1e-4)


def test_intervals_cover() -> None:
    hits, sides, ties = 0, 0, 0
    for seed in range(200):
        *data, strength = games(seed, n=250, side=0.4, nu=0.5)
        found = bradley_terry(*data, first_matters=True)
        table = found.strengths
        hits += int(((table["low"] <= strength) & (strength <= table["high"])).sum())
        assert found.first.low is not None
        assert found.first.high is not None
        assert found.tie.low is not None
        assert found.tie.high is not None
        sides += found.first.low <= 0.4 <= found.first.high
        ties += found.tie.low <= 0.5 <= found.tie.high
    assert hits / 1200 == pytest.approx(0.95, abs=0.02)
    assert sides / 200 == pytest.approx(0.95, abs=0.045)
    assert ties / 200 == pytest.approx(0.95, abs=0.045)


def test_clusters_of_copies_count_once() -> None:
    first, second, preference, _ = games(4)
    plain = bradley_terry(first, second, preference).strengths
    thrice = [np.repeat(x, 3) for x in (first, second, preference)]
    copied = bradley_terry(*thrice).strengths
    honest = bradley_terry(*thrice, clusters=np.repeat(np.arange(300), 3)).strengths
    assert copied["standard_error"].to_numpy() == pytest.approx(
        plain["standard_error"].to_numpy() / np.sqrt(3)
    )
    assert honest["standard_error"].to_numpy() == pytest.approx(plain["standard_error"].to_numpy(), rel=0.15)
    alone = bradley_terry(first, second, preference, clusters=np.zeros(300))
    assert "one cluster" in str(alone.reason)
    assert alone.strengths["low"].isna().all()


def test_order_names_and_swapped_sides_change_nothing() -> None:
    first, second, preference, _ = games(5, nu=0.7)
    rng = np.random.default_rng(0)
    shuffle, swap = rng.permutation(300), rng.random(300) < 0.5
    one, other = np.where(swap, second, first), np.where(swap, first, second)
    sign = np.where(swap, -preference, preference)
    plain = bradley_terry(first, second, preference)
    again = bradley_terry(5 - one[shuffle], 5 - other[shuffle], sign[shuffle])
    assert again.strengths["strength"].to_numpy()[::-1] == pytest.approx(
        plain.strengths["strength"].to_numpy()
    )
    assert again.tie.estimate == pytest.approx(plain.tie.estimate)
    missing = bradley_terry([*first, 0], [*second, 1], [*preference, np.nan])
    assert missing.n == plain.n


def test_ties_can_be_halved_or_dropped() -> None:
    first, second, preference, _ = games(6, nu=0.7)
    kept = preference != 0
    dropped = bradley_terry(first, second, preference, ties="drop")
    assert dropped.strengths.equals(bradley_terry(first[kept], second[kept], preference[kept]).strengths)
    halved = bradley_terry(first, second, preference, ties="half")
    assert halved.n == 300
    assert halved.tie.estimate is None


@pytest.mark.parametrize(
    ("first", "second", "preference", "words"),
    [
        ([], [], [], "no preference"),
        (["a"], ["b"], [0], "ties"),
        (["a", "b", "a"], ["b", "c", "c"], [1, 1, 1], "never lost"),
        (["a", "b", "c", "d"], ["b", "a", "d", "c"], [1, 1, 1, 1], "never compared"),
    ],
)
def test_no_maximum_is_said_in_words(
    first: list[str], second: list[str], preference: list[float], words: str
) -> None:
    found = bradley_terry(first, second, preference)
    assert words in str(found.reason)
    assert found.strengths["strength"].isna().all()
    assert found.log_likelihood is None


def test_an_advantage_that_cannot_be_told_apart() -> None:
    found = bradley_terry(["a"] * 4, ["b"] * 4, [1, 1, -1, 1], first_matters=True)
    assert "told apart" in str(found.reason)
    always = bradley_terry(["a", "b"], ["b", "a"], [1, 1], first_matters=True)
    assert "same side" in str(always.reason)


def test_wrong_input_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="itself"):
        bradley_terry(["a"], ["a"], [1])
    with pytest.raises(ValueError, match="equally long"):
        bradley_terry(["a"], ["b"], [1, 1])
    with pytest.raises(ValueError, match="Weights"):
        bradley_terry(["a"], ["b"], [1], weight=[-1])
    with pytest.raises(ValueError, match="Unknown ties"):
        bradley_terry(["a"], ["b"], [1], ties="split")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="labels"):
        bradley_terry(np.array([None], dtype=object), ["b"], [1])


def slow_share(rows: list[tuple[str, str, float]]) -> tuple[int, int]:
    beats = {(a, b) if sign > 0 else (b, a) for a, b, sign in rows if sign}
    names = sorted({x for pair in beats for x in pair})
    triads = circles = 0
    for three in itertools.combinations(names, 3):
        wins = [sum((a, b) in beats for b in three) for a in three]
        if sum(wins) == 3:
            triads, circles = triads + 1, circles + (wins == [1, 1, 1])
    return triads, circles


def test_triads_equal_a_loop() -> None:
    rng = np.random.default_rng(7)
    rows = [
        (who, a, b, float(rng.integers(-1, 2)))
        for who in "xyz"
        for a, b in itertools.combinations("abcdefg", 2)
        if rng.random() < 0.9
    ]
    found = transitivity(*zip(*rows, strict=True), resamples=50)
    for _, row in found.annotators.iterrows():
        mine = [(a, b, sign) for who, a, b, sign in rows if who == row["annotator_id"]]
        assert (row["triads"], row["circular"]) == slow_share(mine)
    total: dict[tuple[str, str], float] = {}
    for _, a, b, sign in rows:
        total[a, b] = total.get((a, b), 0) + sign
    triads, circles = slow_share([(a, b, sign) for (a, b), sign in total.items()])
    assert found.majority.estimate == pytest.approx(1 - circles / triads)
    assert found.majority.n == triads


def test_condorcet_and_coin_tosses() -> None:
    votes = {"x": "abc", "y": "bca", "z": "cab"}
    rows = [
        (who, one, other, 1.0 if order.index(one) < order.index(other) else -1.0)
        for who, order in votes.items()
        for one, other in itertools.combinations("abc", 2)
    ]
    found: Transitivity = transitivity(*zip(*rows, strict=True))
    assert (found.within.estimate, found.majority.estimate) == (1, 0)
    rng = np.random.default_rng(0)
    pairs = list(itertools.combinations(range(40), 2))
    first, second = np.array(pairs).T
    tossed = transitivity(np.zeros(len(pairs)), first, second, rng.integers(0, 2, len(pairs)) * 2 - 1)
    assert tossed.within.estimate == pytest.approx(0.75, abs=0.02)
    assert "one annotator" in str(tossed.within.reason)
    nothing = transitivity([1], ["a"], ["b"], [1])
    assert (nothing.within.estimate, nothing.majority.estimate) == (None, None)
    with pytest.raises(ValueError, match="itself"):
        transitivity([1], ["a"], ["a"], [1])
