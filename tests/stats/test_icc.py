"""Intraclass correlations against pingouin and by hand, and what is undefined."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from judging.stats import Icc, IccKind, icc, kendall_w, kendall_w_of_sets, one_way_icc
from judging.stats.core.estimate import NO_WIDTH

KINDS: tuple[IccKind, ...] = ("ICC1", "ICC2", "ICC3", "ICC1k", "ICC2k", "ICC3k")
OTHER_NAMES = ("ICC(1,1)", "ICC(A,1)", "ICC(C,1)", "ICC(1,k)", "ICC(A,k)", "ICC(C,k)")


def drawn(items: int, annotators: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.asarray(
        rng.normal(size=(items, 1)) + rng.normal(0, 0.5, annotators) + rng.normal(size=(items, annotators))
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("items", "annotators"), [(8, 3), (40, 6), (12, 2)])
def test_all_six_equal_pingouin(items: int, annotators: int) -> None:
    pingouin = pytest.importorskip("pingouin")
    table = drawn(items, annotators)
    unit, annotator = np.indices(table.shape)
    frame = pd.DataFrame({"u": unit.ravel(), "a": annotator.ravel(), "y": table.ravel()})
    oracle = pingouin.intraclass_corr(frame, targets="u", raters="a", ratings="y").set_index("Type")
    ends = next(name for name in oracle.columns if name.startswith("CI95"))
    for kind, name in zip(KINDS, OTHER_NAMES, strict=True):
        found, row = icc(table, kind), oracle.loc[name]
        assert found.estimate == pytest.approx(row["ICC"])
        assert (found.f, found.df1, found.df2) == pytest.approx((row["F"], row["df1"], row["df2"]))
        assert found.p == pytest.approx(row["pval"])
        assert (found.low, found.high) == pytest.approx(tuple(row[ends]), abs=0.00501)


def test_one_way_for_equal_numbers_is_icc1() -> None:
    table = drawn(20, 4)
    unit = np.indices(table.shape)[0]
    found, other = one_way_icc(unit.ravel(), table.ravel()), icc(table, "ICC1")
    assert [found.estimate, found.low, found.high] == pytest.approx([other.estimate, other.low, other.high])
    assert one_way_icc(unit.ravel(), table.ravel(), k=4).estimate == pytest.approx(
        icc(table, "ICC1k").estimate
    )


def test_one_way_unbalanced_by_hand() -> None:
    # Means 1, 3, 5 of 1, 2, 3 ratings; B = (1 * 64 / 9 + 2 * 4 / 9 + 3 * 16 / 9) / 2, W = (2 + 2) / 3,
    # k0 = (6 - 14 / 6) / 2.
    found = one_way_icc([1, 2, 2, 3, 3, 3], [1.0, 2, 4, 4, 5, 6])
    b, w, k0 = (64 + 8 + 48) / 18, 4 / 3, 11 / 6
    assert found.estimate == pytest.approx((b - w) / (b + (k0 - 1) * w))
    assert found.n == 3


def test_one_way_interval_covers_about_as_often_as_it_says() -> None:
    rng, hit = np.random.default_rng(3), 0
    for _ in range(300):
        unit = np.repeat(np.arange(40), rng.integers(1, 7, 40))
        found = one_way_icc(unit, rng.normal(size=40)[unit] + 1.5 * rng.normal(size=len(unit)))
        assert found.low is not None
        assert found.high is not None
        hit += found.low <= 1 / 3.25 <= found.high
    assert hit / 300 == pytest.approx(0.95, abs=0.035)


def test_items_with_a_gap_are_left_out() -> None:
    table = drawn(10, 3)
    gappy = np.vstack([table, [1, np.nan, 2]])
    assert icc(gappy, "ICC2") == icc(table, "ICC2")


def test_undefined_is_none_with_a_reason() -> None:
    def words(found: Icc) -> str:
        assert found.estimate is None
        return str(found.reason)

    assert "two items" in words(icc(np.array([[1, 2]]), "ICC2"))
    assert "do not vary" in words(icc(np.array([[1, 2], [2, 1], [1, 2]]), "ICC2"))
    assert "do not vary" in words(icc(np.ones((4, 3)), "ICC1"))
    assert "two items" in words(one_way_icc([1, 2], [1, 2]))
    assert "do not vary" in words(one_way_icc([1, 1, 2], [3, 3, 3]))
    shifted = icc(np.array([[1.0, 2], [2, 3], [4, 5]]), "ICC2")
    assert shifted.estimate is not None
    assert shifted.estimate < 1
    assert shifted.low is None
    level = icc(np.array([[1.0, 2], [2, 3], [4, 5]]), "ICC3")
    assert (level.estimate, level.low, level.reason) == (1, None, NO_WIDTH)


def test_wrong_input_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="Unknown kind"):
        icc([[1, 2]], "ICC4")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="finite table"):
        icc([1, 2], "ICC1")
    with pytest.raises(ValueError, match="equally long"):
        one_way_icc([1], [1, 2])
    with pytest.raises(ValueError, match="infinite"):
        one_way_icc([1, 1], [1, np.inf])
    with pytest.raises(ValueError, match="at least 1"):
        one_way_icc([1], [1], k=0)
    with pytest.raises(ValueError, match="finite table"):
        kendall_w([1, 2])


def test_w_is_friedmans_statistic_and_mean_spearman() -> None:
    table = np.round(drawn(15, 4) * 2)
    friedman = stats.friedmanchisquare(*table).statistic
    found = kendall_w(table, resamples=50)
    assert found.estimate == pytest.approx(friedman / (4 * 14))
    untied = drawn(15, 4)
    rho = np.asarray(stats.spearmanr(untied).statistic)[np.triu_indices(4, 1)].mean()
    assert kendall_w(untied, resamples=0).estimate == pytest.approx((3 * rho + 1) / 4)


@pytest.mark.parametrize("ties", [True, False])
def test_w_bootstrap_equals_a_loop(ties: bool) -> None:
    table = np.round(drawn(60, 3)) if ties else drawn(12, 3)
    found = kendall_w(table, resamples=40, rng=np.random.default_rng(2))
    weights = np.random.default_rng(2).integers(0, len(table), size=(40, len(table)))
    draws = [kendall_w(table[row], resamples=0).estimate for row in weights]
    ends = np.quantile(np.array(draws, dtype=float), [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx(tuple(ends))


def test_w_of_sets_is_the_mean_over_items() -> None:
    sets = [drawn(5, 3, seed) for seed in range(6)]
    rows = [
        (item, who, response, table[response, who])
        for item, table in enumerate(sets)
        for response in range(5)
        for who in range(3)
    ]
    found = kendall_w_of_sets(*zip(*rows, strict=True), resamples=50)
    each = [kendall_w(table, resamples=0).estimate for table in sets]
    assert found.estimate == pytest.approx(np.mean(np.array(each, dtype=float)))
    assert found.n == 6
    assert kendall_w_of_sets([1], [1], [1], [1.0]).estimate is None
    with pytest.raises(ValueError, match="twice"):
        kendall_w_of_sets([1, 1], [1, 1], [1, 1], [1.0, 2.0])
