"""Several scorers at once, two measures of unusualness, people as outcome, and the interval for weak data."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from judging.stats import Verdict, underrating, underratings
from tests.stats.simulation import simulate


def close(one: object, two: object) -> bool:
    """Whether two results are equal but for rounding."""
    a, b = (dataclasses.asdict(x) for x in (one, two))  # type: ignore[call-overload]
    return str(_flat(a)) == str(_flat(b))


def _flat(x: object) -> object:
    if isinstance(x, dict):
        return {key: _flat(value) for key, value in x.items()}
    if isinstance(x, tuple):
        return [_flat(value) for value in x]
    return float(f"{x:.6g}") if isinstance(x, float) else x


def test_several_scorers_give_what_each_gives_alone() -> None:
    ratings, responses = simulate(1, effect=0.3)
    rng = np.random.default_rng(0)
    other = responses["score"] + rng.normal(size=len(responses))
    gaps = other.where(rng.random(len(responses)) > 0.1)
    table = responses.rename(columns={"score": "a"}).assign(b=other, c=gaps, d=2.5)
    found = underratings(ratings, table, ["d", "c", "b", "a"])
    assert list(found) == ["d", "c", "b", "a"]
    for name, result in found.items():
        assert close(result, underrating(ratings, table.rename(columns={name: "score"}))), name
    assert "same score" in found["d"].reason
    assert found["c"].n_responses < found["b"].n_responses
    with pytest.raises(ValueError, match="sequence of names"):
        underratings(ratings, table, "a")
    with pytest.raises(ValueError, match="lacks the column"):
        underratings(ratings, table, ["a", "nobody"])


def test_people_as_outcome_equals_least_squares_on_their_mean() -> None:
    models = pytest.importorskip("statsmodels.api")
    ratings, responses = simulate(2)
    found = underrating(ratings, responses)
    mean = ratings.groupby("response_id")["value"].mean().loc[responses["response_id"]].to_numpy()
    table = responses.assign(human=mean)
    names = ["human", "unusualness", "log_length", "score"]
    frame = table[names] - table.groupby("prompt_id")[names].transform("mean")
    frame[names[1:]] /= np.sqrt((frame[names[1:]] ** 2).sum() / (len(frame) - 30))
    human = models.OLS(frame["human"], frame[names[1:3]]).fit().params["unusualness"]
    assert found.human_raw.estimate == pytest.approx(-human)
    total = models.OLS(frame["score"], frame[names[1:3]]).fit().params["unusualness"]
    assert found.total.estimate == pytest.approx(-total)
    # Quality falls by .4 of its SDs for each SD of unusualness: people like the usual as well.
    assert found.human.estimate == pytest.approx(0.4, abs=0.1)
    assert (found.human.low or 0) < 0.4 < (found.human.high or 0)


def noisy(seed: int, effect: float, reliabilities: tuple[float, float]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A study whose unusualness is measured twice, with error."""
    ratings, responses = simulate(seed, prompts=40, size=12, seats=10, effect=effect, noise=0.8)
    rng = np.random.default_rng([7, seed])
    measures = [
        responses["unusualness"] * r**0.5 + rng.normal(0, (1 - r) ** 0.5, len(responses))
        for r in reliabilities
    ]
    return ratings, responses.assign(unusualness=measures[0], second=measures[1])


@pytest.mark.parametrize("reliabilities", [(0.7, 0.7), (0.8, 0.5)])
def test_two_measures_instrument_each_other(reliabilities: tuple[float, float]) -> None:
    """Noise in unusualness hides underrating; two measures with independent noise bring it back."""
    truth = 0.3 / np.sqrt(1 + 0.09 + 0.12)
    studies = [noisy(seed, 0.3, reliabilities) for seed in range(40)]
    both = [underrating(*study, covariates=(), second="second") for study in studies]
    alone = [underrating(*study, covariates=()) for study in studies]
    assert np.mean([r.underrating.estimate for r in alone]) < truth - 0.03
    errors = np.array([(r.underrating.estimate or 0) - truth for r in both])
    assert abs(errors.mean()) < 3 * errors.std() / np.sqrt(40) + 0.005
    covered = [(r.underrating.low or 0) <= truth <= (r.underrating.high or 0) for r in both]
    assert np.mean(covered) >= 0.85


def test_two_measures_follow_the_two_instrumental_slopes() -> None:
    models = pytest.importorskip("linearmodels.iv")
    ratings, responses = noisy(1, 0.3, (0.7, 0.6))
    # With a rating by the same annotators on every response and no noise, the human mean is true quality.
    mean = ratings.groupby("response_id")["value"].transform("mean")
    exact = ratings.assign(value=mean)
    found = underrating(exact, responses, second="second")
    human = exact.groupby("response_id")["value"].first().loc[responses["response_id"]].to_numpy()
    table = responses.assign(human=human)
    names = ["human", "unusualness", "second", "log_length", "score"]
    frame = table[names] - table.groupby("prompt_id")[names].transform("mean")
    frame /= np.sqrt((frame**2).sum() / (len(frame) - 40))
    slopes = [
        models.IV2SLS(frame["score"], frame[["human", "log_length"]], frame[x], frame[z]).fit().params[x]
        for x, z in (("unusualness", "second"), ("second", "unusualness"))
    ]
    r = np.corrcoef(frame["unusualness"], frame["second"])[0, 1]
    assert found.underrating.estimate == pytest.approx(-np.sqrt(r) * np.mean(slopes))


def test_measures_with_nothing_in_common_tell_nothing() -> None:
    ratings, responses = simulate(3, prompts=40, noise=0.8)
    unrelated = responses.assign(second=np.random.default_rng(0).normal(size=len(responses)))
    found = underrating(ratings, unrelated, second="second")
    assert found.verdict is Verdict.CANT_TELL
    assert found.robust is None
    opposite = underrating(ratings, responses.assign(second=-responses["unusualness"]), second="second")
    assert opposite.verdict is Verdict.CANT_TELL


def test_the_robust_interval_is_the_usual_one_where_quality_is_plain_and_endless_where_it_is_not() -> None:
    plain = underrating(*simulate(4, prompts=60, noise=0.5))
    assert plain.robust is not None
    assert plain.robust == pytest.approx((plain.underrating.low, plain.underrating.high), abs=0.01)
    weak = [underrating(*simulate(s, prompts=15, size=7, seats=5, annotators=5)) for s in range(30)]
    assert all(r.strength is not None for r in weak)
    assert any(r.robust is None for r in weak)
    assert all(r.robust is not None for r in weak if (r.strength or 0) >= 3.2)
    for r in weak:
        if r.robust is not None and r.underrating.estimate is not None:
            assert r.robust[0] <= r.underrating.estimate <= r.robust[1]
