"""The paper's subsets, correlations in them, and what selection alone does to them."""

from __future__ import annotations

import csv
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats as scipy_stats

from judging.stats import (
    Cell,
    Family,
    Reading,
    correlation,
    pair_subsets,
    range_restricted,
    rating_subsets,
    replicate_preferences,
    replicate_ratings,
    restriction_null,
)
from judging.stats.core.label_lists import label_counts
from judging.stats.hivemind.selection import TIE_ORDERS

SCALE = [1.0, 2.0, 3.0, 4.0, 5.0]
Made = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


def rated(seed: int, prompts: int = 50, size: int = 15, seats: int = 25, blind: float = 0.0) -> Made:
    """Counts, prompts and scores of made-up responses; the scorer does not see quality where people part."""
    rng = np.random.default_rng(seed)
    shape = (prompts, size)
    quality = rng.normal(0, 0.25, (prompts, 1)) + rng.normal(0, 0.4, shape)
    noise = np.exp(rng.normal(0, 0.35, (*shape, 1)))
    said = 3.4 + quality[..., None] + 1.1 * noise * rng.normal(size=(*shape, seats))
    values = np.clip(np.round(said), 1, 5)
    counts = np.stack([(values == v).sum(axis=2).ravel() for v in SCALE], axis=1)
    seen = np.where((noise[..., 0] > 1) & (blind > 0), 1 - blind, 1.0)
    score = seen * 0.6 * quality / 0.47 + 0.8 * rng.normal(size=shape)
    return counts, np.repeat(np.arange(prompts), size), score.ravel()


def test_range_restriction_by_hand_and_in_a_large_sample() -> None:
    """hivemind.md, section 0: .330 among 750 leaves .224 among the middle 598."""
    assert range_restricted(0.330, 598 / 750) == pytest.approx(0.224, abs=5e-4)
    assert range_restricted(0.322, 598 / 750) == pytest.approx(0.219, abs=5e-4)
    assert range_restricted(0.361, 598 / 750) == pytest.approx(0.247, abs=5e-4)
    assert range_restricted(-0.5, 1.0) == -0.5
    rng = np.random.default_rng(0)
    human = rng.normal(size=200_000)
    score = 0.6 * human + 0.8 * rng.normal(size=200_000)
    middle = np.abs(human) < scipy_stats.norm.ppf(0.75)
    assert np.corrcoef(score[middle], human[middle])[0, 1] == pytest.approx(
        range_restricted(0.6, 0.5), abs=0.01
    )
    with pytest.raises(ValueError, match="0 < share <= 1"):
        range_restricted(0.3, 0.0)


def test_the_fall_in_table_23_is_about_what_restriction_gives(shared: Path) -> None:
    """Mean of the six reward models: .330 over 750, .212 over 598 in the paper; restriction alone gives .224."""
    with (shared / "reference" / "hivemind_tables.csv").open() as file:
        rows = [
            r for r in csv.DictReader(file) if r["paper_table"] == "23" and r["scorer_type"] == "reward_model"
        ]
    full = {r["scorer"]: float(r["spearman"]) for r in rows if r["subset"] == "full"}
    middle = {r["scorer"]: float(r["spearman"]) for r in rows if r["subset"] == "k=0.5"}
    assert len(full) == 6
    average = float(np.mean(list(full.values())))
    assert average == pytest.approx(0.330, abs=5e-4)
    assert np.mean(list(middle.values())) == pytest.approx(0.212, abs=1e-3)
    assert range_restricted(average, 598 / 750) == pytest.approx(0.224, abs=1e-3)


def test_the_null_agrees_with_the_closed_form() -> None:
    """One prompt, normal numbers: the middle half by human mean."""
    rng = np.random.default_rng(1)
    human = rng.normal(size=4000)
    score = 0.5 * human + math.sqrt(0.75) * rng.normal(size=4000)
    r = float(np.corrcoef(human, score)[0, 1])
    middle = np.abs(human - human.mean()) < scipy_stats.norm.ppf(0.75)
    null = restriction_null(score, human, np.zeros(4000), [np.ones(4000), middle], draws=100)
    assert null is not None
    assert null.draws[:, 0, 2] == pytest.approx(r)
    kept = float(middle.mean())
    assert null.draws[:, 1, 2].mean() == pytest.approx(range_restricted(r, kept), abs=0.02)
    assert null.slope == pytest.approx(scipy_stats.linregress(human, score).slope)


def test_the_null_draws_equal_scipy_on_the_same_scores() -> None:
    """The fast correlations in subsets, against scipy on the same draws made slowly."""
    rng = np.random.default_rng(2)
    prompt = np.repeat(np.arange(6), 2)
    human, score = rng.normal(size=12), rng.normal(size=12)
    members = np.ones(12, dtype=bool)
    members[[1, 4]] = False
    null = restriction_null(score, human, prompt, [members], draws=3, rng=np.random.default_rng(7))
    assert null is not None
    # The same draws again, slowly.
    chance = np.random.default_rng(7)
    order = np.argsort(chance.random((3, 12)) + prompt, axis=1)
    for draw in range(3):
        of_score, *terms = (
            x - np.array([x[prompt == p].mean() for p in prompt]) for x in (score, human, human**2, human**3)
        )
        basis = np.column_stack(terms)
        curve = basis @ np.linalg.lstsq(basis, of_score, rcond=None)[0]
        moved = (of_score - curve)[order[draw]]
        moved = moved - basis @ np.linalg.lstsq(basis, moved, rcond=None)[0]
        moved *= np.linalg.norm(of_score - curve) / np.linalg.norm(moved)
        made = score - of_score + curve + moved
        x, y = made[members], human[members]
        assert null.draws[draw, 0, 0] == pytest.approx(scipy_stats.spearmanr(x, y).statistic)
        assert null.draws[draw, 0, 2] == pytest.approx(scipy_stats.pearsonr(x, y).statistic)


def slow_within(
    x: NDArray[np.float64], y: NDArray[np.float64], prompt: NDArray[np.int64], ranks: bool
) -> float:
    parts = []
    for p in np.unique(prompt):
        a, b = x[prompt == p], y[prompt == p]
        if len(a) > 1:
            if ranks:
                a, b = scipy_stats.rankdata(a), scipy_stats.rankdata(b)
            parts.append(np.column_stack([a - a.mean(), b - b.mean()]))
    table = np.vstack(parts)
    return float(table[:, 0] @ table[:, 1] / math.sqrt((table[:, 0] ** 2).sum() * (table[:, 1] ** 2).sum()))


@pytest.mark.parametrize("scope", ["pooled", "within"])
@pytest.mark.parametrize("method", ["spearman", "pearson"])
def test_correlation_and_its_jackknife_equal_scipy_prompt_by_prompt(method: str, scope: str) -> None:
    rng = np.random.default_rng(3)
    prompt = rng.permutation(np.repeat(np.arange(7), [1, 4, 5, 6, 3, 5, 4]))
    x, y = np.round(rng.normal(size=28), 1), rng.integers(1, 6, 28).astype(float)

    def slow(keep: NDArray[np.bool_]) -> float:
        if scope == "within":
            return slow_within(x[keep], y[keep], prompt[keep], method == "spearman")
        if method == "spearman":
            return float(scipy_stats.spearmanr(x[keep], y[keep]).statistic)
        return float(scipy_stats.pearsonr(x[keep], y[keep]).statistic)

    found = correlation(x, y, prompt, method, scope)  # type: ignore[arg-type]
    shared = [p for p in range(7) if scope == "pooled" or (prompt == p).sum() > 1]
    assert found.n == (28 if scope == "pooled" else 27)
    point = slow(np.ones(28, dtype=bool))
    without = np.arctanh([slow(prompt != p) for p in shared])
    size = len(shared)
    error = math.sqrt((size - 1) / size * ((without - without.mean()) ** 2).sum())
    reach = scipy_stats.t.ppf(0.975, size - 1) * error
    assert found.estimate == pytest.approx(point)
    assert found.low == pytest.approx(math.tanh(math.atanh(point) - reach))
    assert found.high == pytest.approx(math.tanh(math.atanh(point) + reach))


def test_what_has_no_correlation_says_why() -> None:
    four = np.arange(4.0)
    assert "only 3 items" in str(correlation(four[:3], four[:3], [0, 0, 1]).reason)
    assert "same score" in str(correlation(np.ones(4), four, [0, 0, 1, 1]).reason)
    assert "rate all the same" in str(correlation(four, np.ones(4), [0, 0, 1, 1], "pearson").reason)
    assert "share a prompt" in str(correlation(four, four, [0, 1, 2, 3], "spearman", "within").reason)
    assert "one prompt" in str(correlation(four, [1, 0, 3, 2], [0, 0, 0, 0]).reason)
    perfect = correlation(four, four, [0, 0, 1, 1])
    assert (perfect.estimate, perfect.low) == (1.0, None)
    with pytest.raises(ValueError, match="NaN or infinite"):
        correlation([1.0, np.nan], [1.0, 2.0], [0, 0])


def test_subsets_follow_the_rules() -> None:
    counts, _, _ = rated(4)
    subsets = rating_subsets(counts, SCALE)
    assert [s.label for s in subsets][:4] == ["full", "k = 3.0", "k = 2.5", "k = 2.0"]
    assert subsets[-1].label == "top 2 %"
    means = np.array([np.repeat(SCALE, row).mean() for row in counts])
    q1, q3 = np.percentile(means, [25, 75])
    inside = (means >= q1 - 0.5 * (q3 - q1)) & (means <= q3 + 0.5 * (q3 - q1))
    assert (subsets[6].members == [inside]).all()
    entropy = np.array([scipy_stats.entropy(row, base=2) for row in counts])
    (chosen,) = subsets[-1].members
    assert entropy[chosen].min() >= entropy[~chosen].max() - 1e-9
    assert chosen.sum() >= 15
    # Equal labels in another order are equally divisive, and the threshold takes them all.
    tied = rating_subsets([[5, 5, 0], [0, 5, 5], [5, 0, 5], [9, 1, 0]], [1, 2, 3])
    assert tied[-1].members.tolist() == [[True, True, True, False]]


def test_pair_subsets_follow_the_rules_and_the_papers_sizes(shared: Path) -> None:
    rng = np.random.default_rng(5)
    counts = rng.multinomial(25, [0.4, 0.4, 0.2], size=500)
    subsets = pair_subsets(*counts.T)
    with (shared / "reference" / "hivemind_tables.csv").open() as file:
        sizes = {int(r["n"]) for r in csv.DictReader(file) if r["paper_table"] == "26"}
    assert {int(row.sum()) for s in subsets for row in s.members} == sizes
    disagreed = next(s for s in subsets if s.family is Family.DISAGREED and s.setting == 60)
    unclear = 1 - (np.maximum(counts[:, 0], counts[:, 1]) + counts[:, 2] / 2) / 25
    for row in disagreed.members:
        assert unclear[row].min() >= unclear[~row].max() - 1e-12
    similar = next(s for s in subsets if s.family is Family.SIMILAR and s.setting == 60)
    for row in similar.members:
        assert counts[row, 2].min() >= counts[~row, 2].max()


def pairs_of_three_judges(seed: int = 3, n: int = 120) -> Made:
    """Counts, prompts and margins: with three annotators most pairs tie at every cut."""
    rng = np.random.default_rng(seed)
    lean = rng.normal(size=n)
    said = np.clip(np.round(lean[:, None] + rng.normal(0, 1.2, (n, 3))), -2, 2)
    counts = np.stack([(said == v).sum(axis=1) for v in range(-2, 3)], axis=1)
    return counts, rng.permutation(np.repeat(np.arange(n // 8), 8)), lean + rng.normal(size=n)


def numbers(cells: list[Cell]) -> NDArray[np.float64]:
    ends = [(e.estimate, e.low, e.high, e.n) for c in cells for e in (c.found, c.null)]
    return np.array(ends, dtype=np.float64)


def test_the_order_of_rows_plays_no_part() -> None:
    counts, prompt, margin = pairs_of_three_judges()
    rated_counts, rated_prompt, score = rated(9, prompts=12, size=6, seats=4)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        order, other = rng.permutation(len(margin)), rng.permutation(len(score))
        plain = replicate_preferences(counts, prompt, margin, draws=60)
        again = replicate_preferences(counts[order], prompt[order], margin[order], draws=60)
        assert [c.reading for c in again] == [c.reading for c in plain]
        np.testing.assert_array_equal(numbers(again), numbers(plain))
        of_ratings = [
            replicate_ratings(rated_counts[x], SCALE, rated_prompt[x], score[x], draws=20)
            for x in (np.arange(len(score)), other)
        ]
        np.testing.assert_array_equal(numbers(of_ratings[0]), numbers(of_ratings[1]))


def test_ties_at_the_cut_are_averaged_over_their_orders() -> None:
    counts, prompt, margin = pairs_of_three_judges()
    cell = next(
        c for c in replicate_preferences(counts, prompt, margin, draws=20)
        if (c.family, c.setting, c.method, c.scope) == (Family.SIMILAR, 60, "pearson", "pooled")
    )  # fmt: skip
    # Slowly, over many orders of the tied: 20 orders come near their mean.
    rng, size, slow = np.random.default_rng(0), round(0.6 * len(margin)), []
    human = counts @ np.arange(-2, 3) / 3
    for _ in range(4000):
        chosen = np.lexsort((rng.random(len(margin)), -counts[:, 2]))[:size]
        slow.append(np.corrcoef(human[chosen], margin[chosen])[0, 1])
    assert np.std(slow) > 0.005
    assert cell.found.estimate == pytest.approx(np.mean(slow), abs=4 * np.std(slow) / math.sqrt(TIE_ORDERS))


def test_a_fair_scorer_falls_and_the_null_explains_it() -> None:
    """judging/stats/README.md 4.3: subset correlations of an equally valid scorer fall. Twenty studies, seeded."""
    falls, readings = [], Counter[Reading]()
    for seed in range(20):
        cells = replicate_ratings(*_in_order(rated(seed)), draws=100)
        pooled = {c.label: c for c in cells if (c.method, c.scope) == ("spearman", "pooled")}
        middle, full = pooled["k = 0.5"], pooled["full"]
        assert middle.found.estimate is not None
        assert full.found.estimate is not None
        falls.append(full.found.estimate - middle.found.estimate)
        readings.update(c.reading for c in cells if c.family is not Family.FULL)
    assert np.mean(falls) > 0.08
    assert readings[Reading.BELOW] <= 0.07 * readings.total()
    assert readings[Reading.ABOVE] <= 0.08 * readings.total()


def test_a_scorer_that_is_blind_where_people_part_is_seen() -> None:
    found = []
    for seed in range(5):
        cells = replicate_ratings(*_in_order(rated(seed, prompts=120, blind=1.0)), draws=100)
        cell = next(
            c for c in cells if c.label == "top 16 %" and (c.method, c.scope) == ("pearson", "within")
        )
        found.append(cell.reading)
    assert found.count(Reading.BELOW) >= 4


def _in_order(made: Made) -> tuple[NDArray[np.int64], list[float], NDArray[np.int64], NDArray[np.float64]]:
    counts, prompt, score = made
    return counts, SCALE, prompt, score


def test_missing_scores_and_labels_are_left_out_and_nothing_gives_nothing() -> None:
    counts, prompt, score = rated(6, prompts=8, size=6)
    score[:3] = np.nan
    counts[4] = 0
    cells = replicate_ratings(counts, SCALE, prompt, score, draws=20)
    assert cells[0].found.n == 48 - 4
    assert replicate_ratings(counts, SCALE, prompt, np.full(48, np.nan)) == []
    constant = replicate_ratings(counts, SCALE, prompt, np.ones(48), draws=20)
    assert {c.reading for c in constant} == {Reading.UNDEFINED}
    assert all(c.found.reason and c.null.reason for c in constant)
    with pytest.raises(ValueError, match="infinite"):
        replicate_ratings(counts, SCALE, prompt, np.full(48, np.inf))


def test_pairs_have_cells_too() -> None:
    rng = np.random.default_rng(8)
    lean = rng.normal(size=200)
    said = np.clip(np.round(lean[:, None] + rng.normal(0, 1.2, (200, 25))), -2, 2)
    counts = np.stack([(said == v).sum(axis=1) for v in range(-2, 3)], axis=1)
    cells = replicate_preferences(counts, np.repeat(np.arange(20), 10), lean + rng.normal(size=200), draws=50)
    assert len(cells) == 17 * 4
    first = cells[0]
    mean = counts @ np.arange(-2, 3) / 25
    assert first.found.n == 200
    assert mean.std() > 0.5
    assert first.found.estimate is not None
    assert 0.5 < first.found.estimate < 0.9


def test_label_lists_are_read_tolerantly() -> None:
    """Made-up rows in the shape of the released human_labels: ragged, with gaps, as lists or as JSON text."""
    ragged = [[1, 2, 2], np.array([5.0, np.nan]), "[3, null, 3]", None, float("nan"), "", (4,), "null"]
    assert label_counts(ragged, SCALE).tolist() == [
        [1, 2, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 2, 0, 0], [0] * 5, [0] * 5, [0] * 5, [0, 0, 0, 1, 0], [0] * 5,
    ]  # fmt: skip
    assert label_counts([["2", -2, ""]], range(-2, 3)).tolist() == [[1, 0, 0, 0, 1]]
    assert label_counts([], SCALE).shape == (0, 5)
    for bad, words in (
        ([[6]], "label 6 is not one of"),
        ([["good"]], "'good' is no number"),
        (["[1, 2"], "no list of labels"),
        ([3], "expected a list"),
    ):
        with pytest.raises(ValueError, match=words):
            label_counts(bad, SCALE)
