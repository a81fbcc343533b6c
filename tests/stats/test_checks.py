"""Annotator-split instruments against two-stage least squares; the pigeonhole bootstrap against a slow one."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from judging.stats import Panel, cross_rater_moments, pigeonhole, split_instruments, underratings
from judging.stats.audit.moments import resampled_moments
from tests.stats.simulation import simulate, slow_moments


def within(table: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    return table[names] - table.groupby("prompt_id")[names].transform("mean")


def test_all_splits_that_can_be_listed_equal_two_stage_least_squares_in_both_directions() -> None:
    models = pytest.importorskip("linearmodels.iv")
    ratings, responses = simulate(1, prompts=20, effect=0.2, annotators=5, seats=5)
    found = split_instruments(ratings, responses, splits=1, rng=np.random.default_rng(4))["score"]
    sd = np.sqrt((within(responses, ["unusualness", "score"]) ** 2).sum() / (len(responses) - 20))
    ways = []
    for half in itertools.combinations(sorted(ratings["annotator_id"].unique()), 2):
        first = ratings["annotator_id"].isin(half).to_numpy()
        table = responses.copy()
        for column, rows in (("a", first), ("b", ~first)):
            table[column] = table["response_id"].map(ratings[rows].groupby("response_id")["value"].mean())
        x = within(table.dropna(), ["a", "b", "unusualness", "log_length", "score"])
        for q, z in (("a", "b"), ("b", "a")):
            model = models.IV2SLS(x["score"], x[["unusualness", "log_length"]], x[q], x[z])
            ways.append(model.fit().params["unusualness"])
    assert len(ways) == 20
    assert found.estimate == pytest.approx(-np.mean(ways) * sd["unusualness"] / sd["score"])
    again = split_instruments(ratings, responses, splits=1, rng=np.random.default_rng(99))["score"]
    assert again == found


def test_the_split_is_close_to_the_audit_and_narrower_where_annotators_differ() -> None:
    ratings, responses = simulate(2, effect=0.3, taste=0.6)
    split = split_instruments(ratings, responses, rng=np.random.default_rng(0))["score"]
    audit = underratings(ratings, responses, ["score"])["score"].underrating
    assert split.estimate == pytest.approx(audit.estimate, abs=0.03)
    assert (split.high or 0) - (split.low or 0) < (audit.high or 0) - (audit.low or 0)
    with pytest.raises(ValueError, match="splits"):
        split_instruments(ratings, responses, splits=0, rng=np.random.default_rng(0))


def test_weighted_moments_equal_those_of_a_study_with_copies() -> None:
    """A prompt drawn twice is two prompts; an annotator drawn twice is one person, whose copies form no pair."""
    ratings, responses = simulate(3, prompts=4, size=5, seats=4, annotators=6)
    prompt, _ = pd.factorize(responses["prompt_id"])
    row = pd.Index(responses["response_id"]).get_indexer(pd.Index(ratings["response_id"]))
    person, people = pd.factorize(ratings["annotator_id"])
    columns = responses[["unusualness", "score"]].to_numpy()
    panel = Panel(prompt, columns, row.astype(np.int64), person, ratings["value"].to_numpy())
    ones = resampled_moments(panel, np.ones((1, 4)), np.ones((1, len(people))))
    assert ones[0] == pytest.approx(cross_rater_moments(panel).total)
    twice = np.array([[2.0, 1, 0, 1]])
    parts = cross_rater_moments(panel).prompt
    assert resampled_moments(panel, twice, np.ones((1, len(people))))[0] == pytest.approx(
        2 * parts[0] + parts[1] + parts[3]
    )
    # Whoever is drawn is drawn as often: twice everybody is nobody new, so means and their products stay.
    doubled = resampled_moments(panel, np.ones((1, 4)), np.full((1, len(people)), 2.0))[0]
    assert doubled == pytest.approx(ones[0])
    slow = slow_moments(ratings, dict(zip(responses["response_id"], columns, strict=True)))
    assert ones[0] == pytest.approx(slow)


def test_the_bootstrap_has_the_audits_point_and_covers_on_the_safe_side() -> None:
    truth, covered = 0.3 / np.sqrt(1 + 0.09 + 0.12), []
    for seed in range(20):
        ratings, responses = simulate(seed, prompts=20, size=8, seats=8, annotators=20, effect=0.3)
        found = pigeonhole(ratings, responses, resamples=120, rng=np.random.default_rng(seed))["score"]
        audit = underratings(ratings, responses, ["score"])["score"].underrating
        assert found.estimate == pytest.approx(audit.estimate)
        covered.append((found.low or 0) <= truth <= (found.high or 0))
    assert np.mean(covered) >= 0.85
