"""What must hold for every coefficient: perfect agreement is 1, names and order and empty rows change nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from judging.stats import (
    Estimate,
    Level,
    Weighting,
    brennan_prediger,
    conger_kappa,
    fleiss_kappa,
    gwet_ac,
    icc,
    kendall_w,
    krippendorff_alpha,
    krippendorff_alpha_new_annotators,
    one_way_icc,
    percent_agreement,
    percent_agreement_new_annotators,
    reliability_of_mean,
    value_counts,
    variance_components,
    weighted_alpha,
)

DOMAIN = [1.0, 2.0, 3.0, 4.0]
Table = NDArray[np.float64]
Statistic = Callable[[Table], Estimate]
WEIGHTS: tuple[Weighting, ...] = ("identity", "ordinal", "linear", "quadratic")
LEVELS: tuple[Level, ...] = ("nominal", "ordinal", "interval", "ratio")


def long(table: Table) -> tuple[NDArray[np.int64], NDArray[np.int64], Table]:
    unit, annotator = np.indices(table.shape)
    return unit.ravel(), annotator.ravel(), table.ravel()


def counted(table: Table) -> NDArray[np.int64]:
    unit, _, value = long(table)
    return value_counts(unit, value, DOMAIN)[0]


def dependability(table: Table, absolute: bool) -> Estimate:
    return variance_components(*long(table)).dependability(3, absolute=absolute)


STATISTICS: dict[str, Statistic] = {
    "percent": lambda t: percent_agreement(counted(t), resamples=0),
    "percent, new": lambda t: percent_agreement_new_annotators(*long(t), DOMAIN, resamples=0),
    "one-way": lambda t: one_way_icc(long(t)[0], long(t)[2]),
    "one-way of 3": lambda t: one_way_icc(long(t)[0], long(t)[2], k=3),
    "reliability": lambda t: reliability_of_mean(*long(t), resamples=0),
    "absolute": partial(dependability, absolute=True),
    "relative": partial(dependability, absolute=False),
    "W": lambda t: kendall_w(t, resamples=0),
}
for level in LEVELS:
    STATISTICS[f"alpha {level}"] = lambda t, x=level: krippendorff_alpha(counted(t), DOMAIN, x, resamples=0)  # type: ignore[misc]
    STATISTICS[f"alpha {level}, new"] = lambda t, x=level: krippendorff_alpha_new_annotators(  # type: ignore[misc]
        *long(t), DOMAIN, x, resamples=0
    )
for weights in WEIGHTS:
    STATISTICS[f"AC {weights}"] = lambda t, w=weights: gwet_ac(counted(t), DOMAIN, w)  # type: ignore[misc]
    STATISTICS[f"Fleiss {weights}"] = lambda t, w=weights: fleiss_kappa(counted(t), DOMAIN, w)  # type: ignore[misc]
    STATISTICS[f"BP {weights}"] = lambda t, w=weights: brennan_prediger(counted(t), DOMAIN, w)  # type: ignore[misc]
    STATISTICS[f"Conger {weights}"] = lambda t, w=weights: conger_kappa(*long(t), DOMAIN, w)  # type: ignore[misc]
    STATISTICS[f"alpha, weights {weights}"] = lambda t, w=weights: weighted_alpha(  # type: ignore[misc]
        counted(t), DOMAIN, w, resamples=0
    )
for kind in ("ICC1", "ICC2", "ICC3", "ICC1k", "ICC2k", "ICC3k"):
    STATISTICS[kind] = lambda t, x=kind: icc(t, x)  # type: ignore[misc]

tables = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 9), st.integers(1, 5)),
    elements=st.sampled_from([*DOMAIN, *DOMAIN, np.nan]),
)
every = pytest.mark.parametrize("name", STATISTICS)


def close(a: Estimate, b: Estimate) -> bool:
    """Whether two estimates are the same but for rounding."""
    if a.estimate is None or b.estimate is None:
        return a.estimate is b.estimate and a.reason == b.reason
    if (a.low is None) != (b.low is None):
        return False
    pairs = [(a.estimate, b.estimate), (a.low or 0, b.low or 0), (a.high or 0, b.high or 0)]
    return a.n == b.n and all(np.isclose(x, y, rtol=1e-6, atol=1e-8) for x, y in pairs)


@every
@settings(max_examples=12, deadline=None)
@given(table=tables, seed=st.integers(0, 99))
def test_order_of_items_and_annotators_changes_nothing(name: str, table: Table, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shuffled = table[rng.permutation(len(table))][:, rng.permutation(table.shape[1])]
    assert close(STATISTICS[name](table), STATISTICS[name](shuffled))


@every
@settings(max_examples=12, deadline=None)
@given(table=tables)
def test_empty_rows_and_columns_change_nothing(name: str, table: Table) -> None:
    rows = np.vstack([table, np.full((2, table.shape[1]), np.nan)])
    assert close(STATISTICS[name](table), STATISTICS[name](rows))
    if name[:3] not in ("ICC", "W"):  # these are for complete tables
        wide = np.hstack([rows, np.full((len(rows), 2), np.nan)])
        assert close(STATISTICS[name](table), STATISTICS[name](wide))


@every
@settings(max_examples=12, deadline=None)
@given(table=tables)
def test_ranges_hold_and_undefined_has_a_reason(name: str, table: Table) -> None:
    found = STATISTICS[name](table)
    if found.estimate is None:
        assert found.reason
        assert (found.low, found.high, found.standard_error) == (None, None, None)
        return
    # Below -1 is possible where single values raise chance agreement, or weights do.
    least = -1.0 if name in ("AC identity", "BP identity") else -np.inf
    least = 0.0 if name.split()[0].strip(",") in ("percent", "W", "absolute", "relative") else least
    assert least - 1e-9 <= found.estimate <= 1 + 1e-9
    if found.low is not None and found.high is not None:
        assert found.low <= found.estimate + 1e-9
        assert found.estimate <= found.high + 1e-9


@every
@settings(max_examples=8, deadline=None)
@given(
    values=st.lists(st.sampled_from(DOMAIN), min_size=4, max_size=12).filter(lambda v: len(set(v)) > 1),
    annotators=st.integers(2, 5),
)
def test_perfect_agreement_is_one(name: str, values: list[float], annotators: int) -> None:
    found = STATISTICS[name](np.repeat(np.array(values)[:, None], annotators, axis=1))
    assert found.estimate == pytest.approx(1)


@pytest.mark.parametrize("name", [n for n in STATISTICS if n.endswith(("identity", "nominal", "percent"))])
@settings(max_examples=12, deadline=None)
@given(table=tables, seed=st.integers(0, 99))
def test_names_of_nominal_values_change_nothing(name: str, table: Table, seed: int) -> None:
    renamed = np.random.default_rng(seed).permutation(DOMAIN)
    other = np.where(np.isnan(table), np.nan, renamed[np.nan_to_num(table, nan=1).astype(int) - 1])
    assert close(STATISTICS[name](table), STATISTICS[name](other))
