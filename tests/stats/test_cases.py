"""Every published case: the classics kept here, and all of the shared table when it is there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from judging.stats import (
    BradleyTerry,
    benjamini_hochberg,
    bradley_terry,
    brennan_prediger,
    cohen_kappa,
    conger_kappa,
    fleiss_kappa,
    gwet_ac,
    icc,
    kendall_w,
    krippendorff_alpha,
    percent_agreement,
    scott_pi,
    value_counts,
    weighted_alpha,
)
from judging.stats.agreement.dawid_skene import DawidSkene, dawid_skene
from judging.stats.core.measurement_error import errors_in_variables_slope
from tests.stats.classics import CLASSICS, DATA

SHARED = Path(__file__).parents[2].parent / "shared" / "reference" / "agreement_cases.json"
Data = dict[str, Any]
Read = Callable[[Data, str], Any]


def classic_cases() -> list[Any]:
    names = ("name", "source", "data", "metric", "level", "expected", "tolerance")
    found = [dict(zip(names, row, strict=True)) for row in CLASSICS]
    return [pytest.param(case | {"data": DATA[case["data"]]}, id=case["name"]) for case in found]


def shared_cases() -> list[Any]:
    if not SHARED.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"{SHARED} is not here"), id="shared")]
    return [
        pytest.param(case, id=f"shared-{case['name']}") for case in json.loads(SHARED.read_text())["cases"]
    ]


def long(data: Data) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[Any]]:
    """Unit, annotator, value and domain of a table of annotators by units."""
    ratings = np.array(data["ratings"], dtype=object)
    annotator, unit = np.indices(ratings.shape)
    return unit.ravel(), annotator.ravel(), ratings.ravel(), data["values"]


def both(data: Data) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """What each of two annotators said, from a contingency table, and the domain."""
    table = np.array(data["table"])
    first, second = (np.repeat(x.ravel(), table.ravel()) for x in np.indices(table.shape))
    return first, second, list(range(len(table)))


def counts(data: Data) -> tuple[np.ndarray, list[Any]]:
    if data["kind"] == "counts_units_x_categories":
        return np.array(data["counts"]), data["values"]
    if data["kind"] == "contingency":
        first, second, domain = both(data)
        unit = np.tile(np.arange(len(first)), 2)
        return value_counts(unit, np.concatenate([first, second]), domain)[0], domain
    unit, _, value, domain = long(data)
    return value_counts(unit, value, domain)[0], domain


def identity(level: str) -> Any:
    return "identity" if level == "nominal" else level


def of_items(data: Data, coefficient: Any, level: str) -> Any:
    return coefficient(*counts(data), identity(level))


def icc_ci(data: Data, _: str) -> list[float | None]:
    found = icc(data["ratings"], "ICC2")
    return [found.low, found.high]


def dawid(data: Data) -> DawidSkene:
    rows = [
        (int(patient), int(observer), value)
        for patient, by in data["responses"].items()
        for observer, values in by.items()
        for value in values
    ]
    patients, observers, said = zip(*rows, strict=True)
    return dawid_skene(patients, observers, said, [1, 2, 3, 4])


def baseball(data: Data, home: bool) -> BradleyTerry:
    first, second, wins, losses = (np.array(x) for x in zip(*data["rows"], strict=True))
    sign = np.repeat([1, -1], len(first))
    return bradley_terry(
        np.tile(first, 2),
        np.tile(second, 2),
        sign,
        weight=np.concatenate([wins, losses]),
        first_matters=home,
    )


def baseball_strengths(data: Data, _: str) -> Any:
    strength = baseball(data, False).strengths.set_index("response")["strength"]
    return np.sort((strength - strength["Baltimore"]).drop("Baltimore"))


def citations(data: Data, _: str) -> Any:
    wins = np.array(data["wins"])
    i, j = np.nonzero(~np.eye(len(wins), dtype=bool))
    strength = bradley_terry(i, j, np.ones(len(i)), weight=wins[i, j]).strengths["strength"].to_numpy()
    return strength - strength[0]


def pudding(data: Data, _: str) -> Any:
    i, j, _n, first, second, ties = np.array(data["rows"]).T
    found = bradley_terry(
        np.tile(i, 3),
        np.tile(j, 3),
        np.repeat([1, -1, 0], len(i)),
        weight=np.concatenate([first, second, ties]),
    )
    return [*found.strengths["worth"], found.tie.estimate]


READ: dict[str, Read] = {
    "krippendorff_alpha": lambda d, level: krippendorff_alpha(*counts(d), level, resamples=0).estimate,  # type: ignore[arg-type]
    "krippendorff_alpha_gwet_weights": lambda d, w: weighted_alpha(*counts(d), w, resamples=0).estimate,  # type: ignore[arg-type]
    "percent_agreement": lambda d, _: percent_agreement(counts(d)[0], resamples=0).estimate,
    "percent_agreement_se": lambda d, _: percent_agreement(counts(d)[0], resamples=0).standard_error,
    "gwet_ac": lambda d, w: of_items(d, gwet_ac, w).estimate,
    "gwet_ac_se": lambda d, w: of_items(d, gwet_ac, w).standard_error,
    "gwet_ac_pe": lambda d, w: of_items(d, gwet_ac, w).expected,
    "fleiss_kappa": lambda d, w: of_items(d, fleiss_kappa, w).estimate,
    "fleiss_kappa_se": lambda d, w: of_items(d, fleiss_kappa, w).standard_error,
    "fleiss_kappa_missing": lambda d, w: of_items(d, fleiss_kappa, w).estimate,
    "fleiss_kappa_missing_se": lambda d, w: of_items(d, fleiss_kappa, w).standard_error,
    "brennan_prediger": lambda d, w: of_items(d, brennan_prediger, w).estimate,
    "brennan_prediger_se": lambda d, w: of_items(d, brennan_prediger, w).standard_error,
    "conger_kappa": lambda d, w: conger_kappa(*long(d), identity(w)).estimate,
    "cohen_kappa": lambda d, w: cohen_kappa(*both(d), identity(w)).estimate,
    "scott_pi": lambda d, w: scott_pi(*both(d), identity(w)).estimate,
    "ICC1": lambda d, _: icc(d["ratings"], "ICC1").estimate,
    "ICC2": lambda d, _: icc(d["ratings"], "ICC2").estimate,
    "ICC3": lambda d, _: icc(d["ratings"], "ICC3").estimate,
    "ICC1k": lambda d, _: icc(d["ratings"], "ICC1k").estimate,
    "ICC2k": lambda d, _: icc(d["ratings"], "ICC2k").estimate,
    "ICC3k": lambda d, _: icc(d["ratings"], "ICC3k").estimate,
    "ICC2_ci95": icc_ci,
    "F1": lambda d, _: icc(d["ratings"], "ICC1").f,
    "F23": lambda d, _: icc(d["ratings"], "ICC3").f,
    "kendall_w": lambda d, _: kendall_w(d["ratings"], resamples=0).estimate,
    "kendall_w_ties": lambda d, _: kendall_w(d["ratings"], resamples=0).estimate,
    "dawid_skene_prevalence": lambda d, _: dawid(d).prevalence,
    "dawid_skene_error_rates_observer1": lambda d, _: dawid(d).error_rates[0],
    "dawid_skene_loglik": lambda d, _: dawid(d).log_likelihood,
    "dawid_skene_map_labels": lambda d, _: dawid(d).labels,
    "bradley_terry_logit_sorted_vs_Baltimore": baseball_strengths,
    "bradley_terry_home_advantage": lambda d, _: baseball(d, True).first.estimate,
    "bradley_terry_abilities_sum1_sorted_with_home": lambda d, _: np.sort(
        baseball(d, True).strengths["worth"]
    ),
    "bradley_terry_logit_vs_first": citations,
    "davidson_worth_and_tie": pudding,
    "errors_in_variables_slope": lambda d, _: (
        errors_in_variables_slope(d["x"], d["y"], d["sigma2_u"]).estimate
    ),
    "ols_slope": lambda d, _: errors_in_variables_slope(d["x"], d["y"], 0.0).estimate,
    "benjamini_hochberg_rejections_q05": lambda d, _: int((benjamini_hochberg(d["p"]) <= 0.05).sum()),
}


def has_single_values(case: dict[str, Any]) -> bool:
    """Whether a standard error is of a table with a unit of one value, which Gwet's formula counts otherwise.

    How his follow from ours is in test_chance.
    """
    return bool(case["metric"].endswith("_se") and (counts(case["data"])[0].sum(axis=1) == 1).any())


@pytest.mark.parametrize("case", [*classic_cases(), *shared_cases()])
def test_published_value(case: dict[str, Any]) -> None:
    if has_single_values(case):
        assert case["name"].startswith("raw4"), "only that table is taken up in test_chance"
        return
    found = READ[case["metric"]](case["data"], case["level"])
    np.testing.assert_allclose(
        np.asarray(found, dtype=float), case["expected"], rtol=0, atol=case["tolerance"]
    )


def test_fuller_standard_error_is_the_published_one() -> None:
    # As remembered from Fuller (1987); the page was not read again.
    corn = DATA["fuller_corn"]
    found = errors_in_variables_slope(corn["x"], corn["y"], corn["sigma2_u"])
    assert found.standard_error == pytest.approx(0.1745, abs=1e-4)


def test_all_shared_cases_are_read() -> None:
    if not SHARED.exists():
        pytest.skip(f"{SHARED} is not here")
    assert len(shared_cases()) == 84
