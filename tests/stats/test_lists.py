"""Matched pairs, missed good responses and calibrated margins in made-up studies whose truth is known."""

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import calibration_curve

from judging.stats import false_negatives, matched_pairs, pair_calibration
from judging.stats.similarity.association import ranks_within
from tests.stats.simulation import simulate


def test_matched_pairs_acquit_fair_scorers_and_are_equal_to_people_held_out() -> None:
    found = [
        matched_pairs(*simulate(seed, prompts=40, size=12, seats=12, annotators=30), splits=1)
        for seed in range(40)
    ]
    shares = [f.usual_preferred for f in found]
    assert np.mean([e.estimate for e in shares]) == pytest.approx(0.5, abs=0.03)
    assert np.mean([(e.low or 0) < 0.5 < (e.high or 0) for e in shares]) >= 0.85
    assert np.mean([f.held_out_gap.estimate for f in found]) == pytest.approx(0, abs=0.07)
    # What judging/stats/README.md says of matching on the human mean alone: the unusual one is a quarter SD worse.
    assert np.mean([f.naive_held_out_gap.estimate for f in found]) == pytest.approx(0.27, abs=0.08)


def test_a_planted_penalty_is_found() -> None:
    frames = simulate(2, prompts=40, size=12, seats=12, annotators=30, effect=0.5)
    pairs = matched_pairs(*frames, splits=2)
    assert pairs.usual_preferred.low is not None
    assert pairs.usual_preferred.low > 0.5
    missed = false_negatives(*frames)
    assert missed.ratio.estimate is not None
    assert missed.fair_ratio is not None
    assert missed.ratio.estimate > 1.5 * missed.fair_ratio
    assert missed.missed["quality"].is_monotonic_decreasing


def test_ratings_that_are_all_the_same_say_nothing() -> None:
    ratings, responses = simulate(3, prompts=5, size=5, seats=4, annotators=6)
    ratings["value"] = 3.0
    assert matched_pairs(ratings, responses).usual_preferred.reason
    assert false_negatives(ratings, responses).reason


def test_margins_that_are_log_odds_are_found_calibrated() -> None:
    rng = np.random.default_rng(0)
    margin = rng.normal(size=2000)
    first = rng.binomial(10, 1 / (1 + np.exp(-margin / 0.5)))
    found = pair_calibration(first, 10 - first, 0 * first, np.arange(2000) // 10, margin)
    assert found.everywhere is not None
    assert found.temperature == pytest.approx(0.5, abs=0.03)
    assert found.everywhere.ece.estimate == pytest.approx(found.everywhere.ece_if_calibrated, abs=0.01)
    # Brier (1950): squared distance to each single vote, written out.
    votes = (first * (1 - found.predicted) ** 2 + (10 - first) * found.predicted**2) / 10
    assert found.everywhere.brier.estimate == pytest.approx(votes.mean())
    assert found.brier_of_half == pytest.approx(0.25)


def test_margins_of_zero_are_no_prediction() -> None:
    assert pair_calibration([1, 2], [2, 1], [0, 0], [1, 2], [0, 0]).reason == "all margins are zero"


def test_bins_equal_those_of_scikit_learn() -> None:
    """One vote a pair, so that shares are labels: scikit-learn's calibration_curve over the same ten bins."""
    rng = np.random.default_rng(1)
    margin = rng.normal(size=600)
    first = rng.binomial(1, 1 / (1 + np.exp(-margin)))
    found = pair_calibration(first, 1 - first, 0 * first, np.arange(600) // 4, margin)
    turned = found.predicted < 0.5
    predicted = np.where(turned, 1 - found.predicted, found.predicted)
    observed, mean = calibration_curve(np.where(turned, 1 - first, first), predicted, n_bins=10)
    assert found.everywhere is not None
    bins = found.everywhere.bins
    assert [b.predicted for b in bins] == pytest.approx(mean.tolist())
    assert [b.share.estimate for b in bins] == pytest.approx(observed.tolist())
    assert sum(b.share.n for b in bins) == 600
    gaps = [abs(b.predicted - (b.share.estimate or 0)) * b.share.n for b in bins]
    assert sum(gaps) / 600 == pytest.approx(found.everywhere.ece.estimate)


def test_pairs_that_divide_people_equally_stay_in_one_stratum() -> None:
    """Three votes: two thirds of the pairs are unanimous, and no cut may run through them."""
    first = np.array([3, 3, 3, 3, 2, 2] * 5)
    found = pair_calibration(first, 3 - first, 0 * first, np.arange(30) // 3, np.linspace(-1, 1, 30))
    assert [(s.name, s.n_pairs) for s in found.strata] == [("agreed", 20), ("divided", 10)]


def test_ranks_within_equal_those_of_pandas() -> None:
    rng = np.random.default_rng(0)
    for n in (0, 1, 40, 400):
        values = rng.integers(0, 9, n).astype(float)
        values[rng.random(n) < 0.2] = np.nan
        prompt = rng.integers(0, 7, n)
        slow = pd.Series(values).groupby(prompt).rank().to_numpy()
        np.testing.assert_array_equal(ranks_within(values, prompt), slow)
