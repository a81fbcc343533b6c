"""Slopes of other shapes: against an independent oracle in blocks, and by slow enumeration in any design."""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from judging.stats import StudyModel, cross_rater_moments, simulated_study
from judging.stats.audit.curved_moments import curved_moments
from judging.stats.audit.shapes import ShapeReplicates, residual_panel, shape_replicates
from judging.stats.core.columns import prepared
from judging.stats.core.panel import Panel
from judging.stats.core.sample import effective_number, sample_of
from tests.stats.simulation import simulate

FIELDS = {"by_prompt": "det", "curved": "quad", "curvature": "quad_curv", "good": "inter_good"}


@pytest.fixture(scope="module")
def oracle(shared: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("robust_slopes", shared / "reference/robust_slopes.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def replicates_of(
    ratings: pd.DataFrame, responses: pd.DataFrame, scorers: tuple[str, ...], covariates: tuple[str, ...] = ()
) -> tuple[ShapeReplicates, Panel]:
    ready = prepared(sample_of(ratings, responses, covariates, scorers), covariates, scorers)
    assert ready.panel is not None
    panel = residual_panel(ready, cross_rater_moments(ready.panel).total)
    assert panel is not None
    return shape_replicates(panel), panel


@pytest.mark.parametrize(
    "model", [StudyModel(40, 12, 40, 10, quality=0.5), StudyModel(12, 6, 9, 6, quality=1.0)]
)
def test_block_designs_equal_the_oracle(oracle: ModuleType, model: StudyModel) -> None:
    """shared/reference/robust_slopes.py, which scales anew in each replicate: so ends to .01 alone."""
    study = simulated_study(model, [0.1, 0.3], np.random.default_rng(1))
    found, panel = replicates_of(study.ratings, study.responses, tuple(study.scorers))
    df = min(model.prompts, effective_number(panel.annotator)) - 1
    for i, name in enumerate(study.scorers):
        expected = oracle.alt(study.ratings, study.responses, name)
        shapes = found.shapes(i, 3, df, 0.95)
        assert found.whole.pooled[i] == pytest.approx(expected["pooled"][0], abs=1e-9)
        for ours, theirs in FIELDS.items():
            assert getattr(found.whole, ours)[i] == pytest.approx(expected[theirs][0], abs=1e-9), ours
            e = getattr(shapes, ours)
            if model.prompts == 40:
                assert (e.low, e.high) == pytest.approx(expected[theirs][1:], abs=0.01), ours


def gaps() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Five to seven of eight annotators a response, chosen anew for each."""
    ratings, responses = simulate(5, prompts=3, size=5, seats=7, annotators=8, itemwise=True, noise=0.8)
    drop = np.random.default_rng(1).random(len(ratings)) < 0.15
    return ratings[~drop].reset_index(drop=True), responses


def mean_product(*ratings: dict[int, float]) -> float:
    """The mean product of ratings of responses, each by another annotator."""
    products = [
        np.prod([table[j] for table, j in zip(ratings, people, strict=True)])
        for people in itertools.product(*ratings)
        if len(set(people)) == len(people)
    ]
    return float(np.mean(products))


def test_incomplete_designs_equal_a_slow_enumeration() -> None:
    ratings, responses = gaps()
    ready = prepared(sample_of(ratings, responses, (), ("score",)), (), ("score",))
    assert ready.panel is not None
    panel = ready.panel
    expected_common, expected_own = np.zeros(6), np.zeros((2, 7))
    for p in range(panel.n_prompts):
        members = np.flatnonzero(panel.prompt == p)
        tables = []
        for i in members:
            rows = panel.response == i
            tables.append(dict(zip(panel.annotator[rows].tolist(), panel.value[rows].tolist(), strict=True)))
        middle = np.mean([np.mean(list(t.values())) for t in tables])
        tables = [{j: y - middle for j, y in t.items()} for t in tables]
        k = len(tables)
        between = np.array([[mean_product(a, b) for b in tables] for a in tables])
        h = np.eye(k) - 1 / k
        d = between.sum() / k**2
        q = np.array([np.mean(list(t.values())) for t in tables])
        q2 = np.diag(h @ between @ h)
        q3 = np.array([mean_product(t, t, t) for t in tables]) - 3 * d * q
        q4 = np.array([mean_product(t, t, t, t) for t in tables]) - 6 * d * q2 - 3 * d**2
        x = panel.columns[members] - panel.columns[members].mean(axis=0)
        u = x[:, 0]
        crossed = u @ between @ x
        expected_common += [
            q2.sum(), q4.sum() - q2.sum() ** 2 / k, q3.sum(), q2 @ u**2 - crossed[0] / k,
            q3 @ u - q2.sum() * (q @ u) / k, k - 1,
        ]  # fmt: skip
        first, less = q2.sum() * (u @ x) / (k - 1), crossed / (k - 1)
        columns = [q @ x, u @ x, (x**2).sum(axis=0), (q * u) @ x, q2 @ x, first - less, first]
        expected_own += np.stack(columns, axis=1)
    found = curved_moments(panel)
    np.testing.assert_allclose(found.whole.common, expected_common, atol=1e-10)
    np.testing.assert_allclose(found.whole.own, expected_own, atol=1e-10)


@pytest.mark.parametrize(
    "make", [gaps, lambda: simulate(3, prompts=6, size=5, seats=6, annotators=7, noise=0.8)]
)
def test_every_replicate_is_that_of_its_own_ratings(
    make: Callable[[], tuple[pd.DataFrame, pd.DataFrame]],
) -> None:
    ratings, responses = make()
    ready = prepared(sample_of(ratings, responses, (), ("score",)), (), ("score",))
    assert ready.panel is not None
    panel = ready.panel
    found = curved_moments(panel, 4)
    people = panel.annotator
    for j in range(panel.n_annotators):
        keep = people != j
        left = Panel(panel.prompt, panel.columns, panel.response[keep], people[keep], panel.value[keep])
        again = curved_moments(left, 4).whole
        np.testing.assert_allclose(found.parts[1].common[j], again.common, atol=1e-9)
        np.testing.assert_allclose(found.parts[1].own[j], again.own, atol=1e-9)
    first = panel.prompt[panel.response] == 0
    small = Panel(
        panel.prompt[panel.prompt == 0], panel.columns[panel.prompt == 0], panel.response[first],
        np.unique(people[first], return_inverse=True)[1], panel.value[first],
    )  # fmt: skip
    np.testing.assert_allclose(
        found.whole.own - found.parts[0].own[0], curved_moments(small, 4).whole.own, atol=1e-9
    )


def test_covariates_are_partialled_out_and_the_pooled_slope_stays() -> None:
    ratings, responses = simulate(2, prompts=30, size=12, noise=0.8, length_effect=0.5)
    names = ["unusualness", "log_length", "score"]
    found, _ = replicates_of(ratings, responses, ("score",), ("log_length",))
    ready = prepared(sample_of(ratings, responses, ("log_length",), ("score",)), ("log_length",), ("score",))
    assert ready.panel is not None
    total = cross_rater_moments(ready.panel).total
    assert found.whole.pooled[0] == pytest.approx(-np.linalg.solve(total[:-1, :-1], total[:-1, -1])[1])
    mixed = responses.assign(score=responses["score"] + 3 * responses["log_length"])
    again, _ = replicates_of(ratings, mixed, ("score",), ("log_length",))
    # A score with more length in it differs in its SD alone.
    within = [f[names] - f.groupby("prompt_id")[names].transform("mean") for f in (responses, mixed)]
    ratio = float(np.sqrt((within[1]["score"] ** 2).sum() / (within[0]["score"] ** 2).sum()))
    for name in ("by_prompt", "curved", "good"):
        assert getattr(again.whole, name)[0] * ratio == pytest.approx(getattr(found.whole, name)[0])


def test_a_curve_needs_four_ratings_of_a_response() -> None:
    ratings, responses = simulate(2, prompts=12, size=6, seats=3, noise=0.8)
    shapes = replicates_of(ratings, responses, ("score",))[0].shapes(0, 3, 11, 0.95)
    assert shapes.by_prompt.low is not None
    assert shapes.curved.estimate is None
    assert "needs 4 ratings of a response, and 0 of 72" in (shapes.curved.reason or "")
