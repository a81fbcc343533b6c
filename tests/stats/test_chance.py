"""Chance-corrected agreement: statsmodels, the jackknife of the standard errors, and what is undefined."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from judging.stats import (
    ChanceCorrected,
    Weighting,
    agreement_weights,
    brennan_prediger,
    cohen_kappa,
    conger_kappa,
    fleiss_kappa,
    gwet_ac,
    krippendorff_alpha,
    percent_agreement,
    scott_pi,
    value_counts,
    weighted_alpha,
)
from judging.stats.core.estimate import NO_WIDTH
from tests.stats.classics import DATA
from tests.stats.test_cases import long

inter_rater = pytest.importorskip("statsmodels.stats.inter_rater")

DOMAIN = [1, 2, 3, 4]
FROM_COUNTS = (gwet_ac, fleiss_kappa, brennan_prediger)
WEIGHTS: tuple[Weighting, ...] = ("identity", "ordinal", "linear", "quadratic")


def drawn(units: int, annotators: int, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    true = rng.normal(size=(units, 1))
    noisy = 2.5 + true + rng.normal(size=(units, annotators)) + rng.normal(0, 0.4, annotators)
    return np.clip(np.round(noisy), 1, 4)


def counted(table: np.ndarray) -> np.ndarray:
    return value_counts(np.indices(table.shape)[0].ravel(), table.ravel(), DOMAIN)[0]


def test_two_annotators_equal_statsmodels() -> None:
    a, b = drawn(80, 2).T
    table = np.zeros((4, 4))
    np.add.at(table, (a.astype(int) - 1, b.astype(int) - 1), 1)
    for weights, name in (("identity", None), ("linear", "linear"), ("quadratic", "quadratic")):
        oracle = inter_rater.cohens_kappa(table, wt=name)
        found = cohen_kappa(a, b, DOMAIN, weights)  # type: ignore[arg-type]
        assert found.estimate == pytest.approx(oracle.kappa)
        assert found.standard_error == pytest.approx(oracle.std_kappa * np.sqrt(80 / 79))
    assert scott_pi(a, b, DOMAIN) == fleiss_kappa(counted(np.column_stack([a, b])), DOMAIN)


def test_fleiss_equals_statsmodels() -> None:
    counts = counted(drawn(60, 6))
    assert fleiss_kappa(counts, DOMAIN).estimate == pytest.approx(inter_rater.fleiss_kappa(counts))


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("coefficient", [*FROM_COUNTS, conger_kappa])
def test_standard_errors_are_close_to_the_jackknife(
    coefficient: Callable[..., ChanceCorrected], weights: Weighting
) -> None:
    table = drawn(150, 5)
    table[np.random.default_rng(1).random(table.shape) < 0.2] = np.nan
    table = table[(~np.isnan(table)).sum(axis=1) >= 2]

    def once(rows: np.ndarray) -> ChanceCorrected:
        if coefficient is conger_kappa:
            unit, who = np.indices(rows.shape)
            return conger_kappa(unit.ravel(), who.ravel(), rows.ravel(), DOMAIN, weights)
        return coefficient(counted(rows), DOMAIN, weights)

    found, n = once(table), len(table)
    without = np.array([once(np.delete(table, i, axis=0)).estimate for i in range(n)], dtype=float)
    jackknife = np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum())
    assert found.standard_error == pytest.approx(jackknife, rel=0.03)


def influences(values: Callable[[np.ndarray], float | None], n: int, copies: int = 20_000) -> np.ndarray:
    """What each of n units adds to a statistic, from one more copy of it among so many of all."""
    rows = np.tile(np.arange(n), copies)
    whole = values(rows) or 0.0
    return np.array([((values(np.append(rows, i)) or 0.0) - whole) * (len(rows) + 1) for i in range(n)])


def errors(influence: np.ndarray, single: np.ndarray, estimate: float) -> tuple[float, float]:
    """The standard error, and that of Gwet, who counts a unit with a single value as one without agreement."""
    n = len(influence)
    gwets = influence + estimate * (np.where(single, 0.0, n / (~single).sum()) - 1)
    return tuple(float(np.sqrt((x**2).sum() / (n * (n - 1)))) for x in (influence, gwets))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("coefficient", "weights", "published"),
    [
        (gwet_ac, "identity", 0.14295),
        (gwet_ac, "ordinal", 0.107),
        (gwet_ac, "linear", 0.117),
        (gwet_ac, "quadratic", 0.104),
        (fleiss_kappa, "identity", 0.15302),
        (brennan_prediger, "identity", 0.14472),
    ],
)
def test_a_unit_with_one_value_adds_to_chance_only(
    coefficient: Callable[..., ChanceCorrected], weights: Weighting, published: float
) -> None:
    """On Gwet's table with one such unit; his standard errors follow from the same influences by his convention."""
    unit, _, value, domain = long(DATA["raw4raters_gwet"])
    counts = value_counts(unit, value, domain)[0]
    found = coefficient(counts, domain, weights)
    influence = influences(lambda rows: coefficient(counts[rows], domain, weights).estimate, len(counts))
    ours, gwets = errors(influence, counts.sum(axis=1) == 1, found.estimate or 0.0)
    assert found.standard_error == pytest.approx(ours, rel=1e-3)
    assert gwets == pytest.approx(published, abs=6e-4 if published < 0.14 else 2e-5)
    assert ours < gwets


def test_conger_and_percent_agreement_with_a_unit_of_one_value() -> None:
    unit, who, value, domain = long(DATA["raw4raters_gwet"])
    counts = value_counts(unit, value, domain)[0]
    n, single = len(counts), counts.sum(axis=1) == 1
    cells = [np.flatnonzero(unit == u) for u in range(n)]

    def conger(rows: np.ndarray) -> float | None:
        at = np.concatenate([cells[r] for r in rows])
        number = np.repeat(np.arange(len(rows)), [len(cells[r]) for r in rows])
        return conger_kappa(number, who[at], value[at], domain).estimate

    found = conger_kappa(unit, who, value, domain)
    ours, gwets = errors(influences(conger, n, 2000), single, found.estimate or 0.0)
    assert found.standard_error == pytest.approx(ours, rel=5e-3)
    # What irrCAC 1.3 prints for this table, as remembered: the page was not read again.
    assert gwets == pytest.approx(0.14917, abs=1e-4)
    share = percent_agreement(counts)
    shares = [(row @ (row - 1)) / (row.sum() * (row.sum() - 1)) for row in counts[~single]]
    assert share.standard_error == pytest.approx(np.std(shares, ddof=1) / np.sqrt(len(shares)))
    influence = influences(lambda rows: percent_agreement(counts[rows], resamples=0).estimate, n)
    # Published: .12561.
    assert errors(influence, single, share.estimate or 0.0)[1] == pytest.approx(0.12561, abs=2e-5)


def test_all_who_could_agree_do_so_no_interval_is_made_of_the_rest() -> None:
    counts = [[5, 0]] * 8 + [[0, 5]] * 8 + [[1, 0]]
    for coefficient in FROM_COUNTS:
        found = coefficient(counts, [0, 1])
        assert (found.estimate, found.low, found.standard_error, found.reason) == (1, None, None, NO_WIDTH)


def test_clusters_widen_and_single_units_are_the_default() -> None:
    counts = np.repeat(counted(drawn(30, 4)), 3, axis=0)
    plain = gwet_ac(counts, DOMAIN)
    alone = gwet_ac(counts, DOMAIN, clusters=np.arange(90))
    together = gwet_ac(counts, DOMAIN, clusters=np.repeat(np.arange(30), 3))
    assert plain == alone
    once = gwet_ac(counts[::3], DOMAIN)
    assert together.standard_error == pytest.approx(once.standard_error)
    assert together.estimate == pytest.approx(once.estimate)
    assert together.n == 30


def test_gwets_weights_in_alpha() -> None:
    counts = counted(drawn(40, 4))
    for weights, level in (("identity", "nominal"), ("quadratic", "interval")):
        found = weighted_alpha(counts, DOMAIN, weights, resamples=20)  # type: ignore[arg-type]
        other = krippendorff_alpha(counts, DOMAIN, level, resamples=20)  # type: ignore[arg-type]
        assert [found.estimate, found.low, found.high] == pytest.approx(
            [other.estimate, other.low, other.high]
        )


def test_weights_by_hand() -> None:
    assert agreement_weights([1, 2, 4], "linear")[0].tolist() == pytest.approx([1, 2 / 3, 0])
    assert agreement_weights([1, 2, 4], "quadratic")[0].tolist() == pytest.approx([1, 8 / 9, 0])
    assert agreement_weights([1, 2, 4], "ordinal")[0].tolist() == pytest.approx([1, 2 / 3, 0])
    assert agreement_weights(["a", "b"], "identity").tolist() == [[1, 0], [0, 1]]


def test_undefined_is_none_with_a_reason() -> None:
    same = np.array([[3, 0], [2, 0]])
    assert fleiss_kappa(same, [0, 1]).estimate is None
    assert "do not vary" in str(fleiss_kappa(same, [0, 1]).reason)
    assert fleiss_kappa(same, [0, 1]).observed == 1
    assert gwet_ac(same, [0, 1]).estimate == 1
    assert "single value" in str(gwet_ac([[2], [3]], [1]).reason)
    lonely = gwet_ac(np.eye(2, dtype=int), [0, 1])
    assert (lonely.estimate, lonely.n) == (None, 0)
    one = gwet_ac([[1, 1], [1, 0]], [0, 1])
    assert (one.low, one.n) == (None, 1)
    assert cohen_kappa([1, np.nan], [np.nan, 1], [1, 2]).estimate is None
    assert conger_kappa([1, 2], [1, 1], [1, 2], [1, 2]).estimate is None


def test_wrong_input_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="Unknown weights"):
        agreement_weights([1, 2], "cubic")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="numbers"):
        agreement_weights(["a", "b"], "linear")
    with pytest.raises(ValueError, match="numbers"):
        gwet_ac([[1, 1]], ["a", "b"], "quadratic")
    with pytest.raises(ValueError, match="length"):
        cohen_kappa([1], [1, 2], [1, 2])
    with pytest.raises(ValueError, match="outside"):
        cohen_kappa([1, 9], [1, 2], [1, 2])
    with pytest.raises(ValueError, match="two values"):
        conger_kappa([1, 1], [1, 1], [1, 2], [1, 2])
    with pytest.raises(ValueError, match="labels"):
        conger_kappa(np.array([1, None], dtype=object), [1, 1], [1, 2], [1, 2])
