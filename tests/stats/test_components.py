"""Variance components and two-way intervals: truth in simulations, ANOVA by hand, jackknife by a loop."""

from __future__ import annotations

import krippendorff
import numpy as np
import pytest
from scipy import stats

from judging.stats import (
    Estimate,
    icc,
    krippendorff_alpha,
    krippendorff_alpha_new_annotators,
    percent_agreement,
    percent_agreement_new_annotators,
    value_counts,
    variance_components,
)
from judging.stats.core.estimate import bootstrap_weights

Long = tuple[np.ndarray, np.ndarray, np.ndarray]


def drawn(seed: int, items: int = 60, seats: int = 5, annotators: int = 20) -> Long:
    """Item variance .49, annotator .16, residual .81."""
    rng = np.random.default_rng(seed)
    who = np.argsort(rng.random((items, annotators)), axis=1)[:, :seats]
    quality, severity = 0.7 * rng.normal(size=(items, 1)), 0.4 * rng.normal(size=annotators)
    said = quality + severity[who] + 0.9 * rng.normal(size=who.shape)
    return np.repeat(np.arange(items), seats), who.ravel(), said.ravel()


def numbers(data: Long) -> list[float | None]:
    found = variance_components(*data)
    return [found.item.estimate, found.annotator.estimate, found.residual.estimate]


def test_unbiased_in_incomplete_designs() -> None:
    every = np.array([numbers(drawn(seed)) for seed in range(300)], dtype=float)
    assert every.mean(axis=0) == pytest.approx([0.49, 0.16, 0.81], abs=0.02)


def test_complete_design_is_the_analysis_of_variance() -> None:
    unit, who, value = drawn(1, items=12, seats=4, annotators=4)
    table = np.empty((12, 4))
    table[unit, who] = value
    found = variance_components(unit, who, value)
    for k, kind in ((1, "ICC2"), (4, "ICC2k")):
        assert found.dependability(k, absolute=True).estimate == pytest.approx(
            icc(table, kind).estimate  # type: ignore[arg-type]
        )
    for k, kind in ((1, "ICC3"), (4, "ICC3k")):
        assert found.dependability(k, absolute=False).estimate == pytest.approx(
            icc(table, kind).estimate  # type: ignore[arg-type]
        )


def test_replicates_equal_leaving_out() -> None:
    unit, who, value = drawn(2, items=14, seats=3, annotators=6)
    found = variance_components(unit, who, value)
    unit_squared = (found.item.estimate or 0.0) / found.whole[0]
    for replicates, kept in (
        (found.without_item, [unit != x for x in range(14)]),
        (found.without_annotator, [who != x for x in range(6)]),
        (found.without_rating, [np.arange(len(unit)) != x for x in range(len(unit))]),
    ):
        slow = [numbers((unit[k], who[k], value[k])) for k in kept]
        assert replicates * unit_squared == pytest.approx(np.array(slow, dtype=float))


def test_intervals_are_for_other_annotators_too() -> None:
    hits = np.zeros(2)
    for seed in range(150):
        found = variance_components(*drawn(seed, items=80, seats=4, annotators=12))
        for x, (part, true) in enumerate(
            ((found.annotator, 0.16), (found.dependability(4, absolute=True), 0.49 / (0.49 + 0.97 / 4)))
        ):
            assert part.low is not None
            assert part.high is not None
            hits[x] += part.low <= true <= part.high
    assert hits[1] / 150 > 0.9
    assert hits[0] / 150 > 0.82  # a variance of 12 draws is skewed, its t interval is not


def test_undefined_components_have_a_reason() -> None:
    def why(data: Long) -> str:
        found = variance_components(*data)
        dependability = found.dependability(3, absolute=True)
        assert found.item.estimate is dependability.estimate is None
        return str(dependability.reason)

    one = np.ones(4)
    assert "two annotators, got 4 and 1" in why((np.arange(4), one, np.arange(4.0)))
    assert "told apart" in why((np.arange(4), np.array([1, 1, 2, 2]), np.arange(4.0)))
    assert "told apart" in why((np.array([1, 1, 2, 2]), np.arange(4), np.arange(4.0)))
    assert "got 0 and 0" in why((np.empty(0), np.empty(0), np.empty(0)))
    same = variance_components([1, 1, 2, 2], [1, 2, 1, 2], [3, 3, 3, 3])
    assert same.item.estimate == 0
    assert "no variance" in str(same.dependability(2, absolute=True).reason)
    assert same.item.reason
    with pytest.raises(ValueError, match="at least 1"):
        same.dependability(0, absolute=True)


def rounded(seed: int, items: int, annotators: int) -> Long:
    unit, who, value = drawn(seed, items, annotators, annotators)
    return unit, who, np.clip(np.round(3 + value), 1, 5)


DOMAIN = [1, 2, 3, 4, 5]


def middle(found: Estimate) -> float:
    assert found.low is not None
    assert found.high is not None
    return (found.low + found.high) / 2


def test_no_annotator_agrees_with_himself() -> None:
    for annotators in (5, 10):
        unit, who, value = rounded(3, 300, annotators)
        counts, _ = value_counts(unit, value, DOMAIN)
        alpha = krippendorff_alpha(counts, DOMAIN, "interval")
        new = krippendorff_alpha_new_annotators(unit, who, value, DOMAIN, "interval", resamples=400)
        assert new.estimate == alpha.estimate
        # With self-pairs it would be higher by about (1 - alpha) / annotators: .06 to .13 here.
        assert middle(new) == pytest.approx(alpha.estimate, abs=0.03)
        share = percent_agreement(counts)
        again = percent_agreement_new_annotators(unit, who, value, DOMAIN, resamples=400)
        assert middle(again) == pytest.approx(share.estimate, abs=0.02)


def test_two_way_draws_equal_a_loop_over_pairs() -> None:
    unit, who, value = rounded(4, 50, 10)
    rng = np.random.default_rng(6)
    times, drawn_people = bootstrap_weights(50, 20, rng), bootstrap_weights(10, 20, rng)
    draws, shares = [], []
    for w, c in zip(times, drawn_people, strict=True):
        observed = agreeing = total = used = alone = 0.0
        weights = np.zeros(len(unit))
        for u in range(50):
            mine = np.flatnonzero(unit == u)
            pairs = [(i, j, c[who[i]] * c[who[j]]) for i in mine for j in mine if i != j]
            size, people = sum(p for *_, p in pairs), c[who[mine]].sum()
            if size == 0:
                continue
            observed += w[u] * people / size * sum(p * (value[i] - value[j]) ** 2 for i, j, p in pairs)
            agreeing += w[u] / size * sum(p * (value[i] == value[j]) for i, j, p in pairs)
            used += w[u]
            total += w[u] * people
            # A value weighs by the pairs it forms.
            weights[mine] = w[u] * people / size * c[who[mine]] * (people - c[who[mine]])
            alone += w[u] * (c[who[mine]] ** 2).sum()
        gaps = (value[:, None] - value[None]) ** 2
        expected = weights @ gaps @ weights / (total - alone / total)
        draws.append(1 - observed / expected)
        shares.append(agreeing / used)
    found = krippendorff_alpha_new_annotators(
        unit, who, value, DOMAIN, "interval", resamples=20, rng=np.random.default_rng(6)
    )
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])))
    share = percent_agreement_new_annotators(
        unit, who, value, DOMAIN, resamples=20, rng=np.random.default_rng(6)
    )
    assert (share.low, share.high) == pytest.approx(tuple(np.quantile(shares, [0.025, 0.975])))


@pytest.mark.parametrize("clusters", [None, 2])
def test_few_annotators_have_the_jackknife_over_both(clusters: int | None) -> None:
    """Three annotators, with gaps: resamples of them leave alpha undefined, leaving one out does not."""
    unit, who, value = rounded(8, 30, 4)
    value[np.random.default_rng(1).random(len(value)) < 0.2] = np.nan
    value[unit == 3] = [2, np.nan, np.nan, np.nan]
    owner = unit if clusters is None else unit // clusters

    def alpha(rows: np.ndarray) -> float:
        table = np.full((30, 4), np.nan)
        table[unit[rows], who[rows]] = value[rows]
        return float(krippendorff.alpha(table.T, level_of_measurement="interval"))

    def variance(replicates: list[float]) -> float:
        n = len(replicates)
        return float((n - 1) / n * ((np.array(replicates) - np.mean(replicates)) ** 2).sum())

    given = ~np.isnan(value)
    paired = given & (np.bincount(unit, given)[unit] > 1)
    owners, cells = np.unique(owner[paired]), np.unique(np.column_stack([owner, who])[paired], axis=0)
    parts = [
        variance([alpha(owner != o) for o in owners]),
        variance([alpha(who != w) for w in range(4)]),
        variance([alpha((owner != o) | (who != w)) for o, w in cells]),
    ]
    error = np.sqrt(max(parts[0] + parts[1] - parts[2], parts[0]))
    point = alpha(np.ones(len(unit), dtype=bool))
    share = np.bincount(who[given]) / given.sum()
    reach = stats.t.ppf(0.975, 1 / (share**2).sum() - 1) * error / (1 - point**2)
    new = krippendorff_alpha_new_annotators(unit, who, value, DOMAIN, "interval", clusters=owner)
    assert new.estimate == pytest.approx(point)
    assert new.standard_error == pytest.approx(error)
    assert [new.low, new.high] == pytest.approx(np.tanh(np.arctanh(point) + reach * np.array([-1, 1])))
    agreeing = percent_agreement_new_annotators(unit, who, value, DOMAIN, clusters=owner)
    assert agreeing.low is not None
    assert agreeing.n == new.n == len(owners)


@pytest.mark.parametrize("scale", [1e-160, 1e-8, 1e150])
def test_components_of_any_scale(scale: float) -> None:
    unit, who, value = rounded(4, 12, 5)
    plain, scaled = variance_components(unit, who, value), variance_components(unit, who, value * scale)
    for k in (1, 5):
        one, two = (x.dependability(k, absolute=True) for x in (plain, scaled))
        assert [two.estimate, two.low, two.high] == pytest.approx([one.estimate, one.low, one.high])
    if scale > 1e-100:
        assert scaled.item.low == pytest.approx((plain.item.low or 0) * scale**2)
    shifted = variance_components(unit, who, value + 1e12)
    assert shifted.item.estimate == pytest.approx(plain.item.estimate)


def test_two_way_undefined_and_wrong_input() -> None:
    unit, who, value = rounded(5, 9, 2)
    few = krippendorff_alpha_new_annotators(unit, who, value, DOMAIN, "nominal")
    assert few.low is None
    assert "fewer than three" in str(few.reason)
    alone = percent_agreement_new_annotators([1, 2], [1, 2], [1, 2], DOMAIN)
    assert alone.estimate is None
    clustered = krippendorff_alpha_new_annotators(
        *rounded(5, 9, 4), DOMAIN, "nominal", clusters=np.repeat(np.arange(3), 12), resamples=50
    )
    assert clustered.n == 3
    with pytest.raises(ValueError, match="two clusters"):
        krippendorff_alpha_new_annotators(unit, who, value, DOMAIN, "nominal", clusters=np.arange(18))
    with pytest.raises(ValueError, match="a row"):
        krippendorff_alpha_new_annotators(unit, who, value, DOMAIN, "nominal", clusters=[1])
