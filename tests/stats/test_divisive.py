"""The slope where people disagree: against two-stage least squares, and in studies whose truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from judging.stats import Divisive, StudyModel, divisive_slopes, simulated_study

Frames = tuple[pd.DataFrame, pd.DataFrame]


def study(seed: int, *, fall: float = 0.0, prompts: int = 30, ratings: int = 12) -> Frames:
    """Half of the responses divide people; there the score follows quality by `fall` less."""
    model = StudyModel(prompts, 12, 36, ratings, quality=0.8, taste=0.0, noise=0.7, cut=False)
    drawn = simulated_study(model, [0.0], np.random.default_rng((21, seed)))
    rng = np.random.default_rng((22, seed))
    responses = drawn.responses.rename(columns={"scorer 1": "score"})
    divides = rng.random(len(responses)) < 0.5
    means = drawn.ratings.groupby("response_id")["value"].mean()
    score = responses["score"] - fall * divides * (responses["response_id"].map(means) - 3)
    noisy = divides[drawn.ratings["response_id"]] * rng.normal(0, 1.5, len(drawn.ratings))
    return drawn.ratings.assign(value=drawn.ratings["value"] + noisy), responses.assign(score=score)


def found(data: Frames, **options: object) -> Divisive:
    return divisive_slopes(*data, rng=np.random.default_rng(0), **options)["score"]  # type: ignore[arg-type]


def test_one_split_equals_two_stage_least_squares_both_ways() -> None:
    models = pytest.importorskip("linearmodels.iv")
    ratings, responses = study(1)
    result = found((ratings, responses), splits=1)
    third = pd.Series(
        np.random.default_rng(0).permutation(36) % 3,
        index=pd.factorize(ratings["annotator_id"], sort=True)[1],
    )
    own = ratings["value"] - ratings.groupby("annotator_id")["value"].transform("mean")
    part = ratings["annotator_id"].map(third)
    table = responses.copy()
    for name, k in (("a", 0), ("b", 1)):
        table[name] = table["response_id"].map(ratings[part == k].groupby("response_id")["value"].mean())
    table["spread"] = table["response_id"].map(own[part == 2].groupby(ratings["response_id"]).var())
    table = table.dropna().sort_values(["prompt_id", "spread"])
    place, size = table.groupby("prompt_id").cumcount(), table.groupby("prompt_id")["a"].transform("size")
    sd = responses[["score", "unusualness", "log_length"]]
    sd = sd - sd.groupby(responses["prompt_id"]).transform("mean")
    scale = float(np.sqrt((sd["score"] ** 2).sum() / (len(sd) - 30)))
    for slope, half in (
        (result.slope_low, place < size // 2),
        (result.slope_high, place >= size - size // 2),
    ):
        rows = table[half]
        names = ["a", "b", "unusualness", "log_length", "score"]
        x = rows[names] - rows.groupby("prompt_id")[names].transform("mean")
        ways = [
            models.IV2SLS(x["score"], x[["unusualness", "log_length"]], x[q], x[z]).fit().params[q]
            for q, z in (("a", "b"), ("b", "a"))
        ]
        assert slope.estimate == pytest.approx(np.mean(ways) / scale)


@pytest.mark.parametrize("fall", [0.0, 0.4])
def test_a_scorer_that_follows_quality_less_where_people_part_is_found_and_no_other(fall: float) -> None:
    results = [found(study(seed, fall=fall), splits=8) for seed in range(30)]
    below = np.mean([(r.difference.high or 0) < 0 for r in results])
    above = np.mean([(r.difference.low or 0) > 0 for r in results])
    if fall:
        assert below >= 0.35
        assert all("less where they disagree" in r.reason for r in results if (r.difference.high or 0) < 0)
    else:
        assert below + above <= 0.14
        errors = np.array([r.difference.estimate or 0 for r in results])
        assert abs(errors.mean()) < 3 * errors.std() / np.sqrt(30)
        # The slope among chosen responses is not attenuated: validity .5 over quality's SD of .8 points.
        assert np.mean([r.slope_high.estimate for r in results]) == pytest.approx(0.5 / 0.8, abs=0.06)


def test_divisive_is_told_from_unusual() -> None:
    ratings, responses = study(2)
    apart = found((ratings, responses), splits=2).correlation
    assert (apart.low or 0) < 0.1
    assert abs(apart.estimate or 1) < 0.15
    spread = ratings.groupby("response_id")["value"].std()
    same = responses.assign(unusualness=responses["response_id"].map(spread))
    assert (found((ratings, same), splits=2).correlation.estimate or 0) > 0.7


def test_too_few_ratings_say_so() -> None:
    thin = found(study(3, ratings=3))
    assert thin.difference.estimate is None
    assert "six ratings" in thin.reason
    assert thin.correlation.estimate is not None
    ratings, responses = study(4)
    assert "same score" in found((ratings, responses.assign(score=1.0))).reason
    with pytest.raises(ValueError, match="splits"):
        found((ratings, responses), splits=0)
