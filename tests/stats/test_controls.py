"""Scorers whose truth is known: held-out people, a planted penalty, and the length of a response."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from judging.stats import StudyModel, held_out_control, simulated_study, underrating
from judging.stats.audit.controls import PLANTED

Frames = tuple[pd.DataFrame, pd.DataFrame]


def study(seed: int, **changes: float) -> Frames:
    model = StudyModel(24, 10, 40, 14, quality=0.6, **changes)  # type: ignore[arg-type]
    drawn = simulated_study(model, [0.0], np.random.default_rng((31, seed)))
    return drawn.ratings, drawn.responses.drop(columns="scorer 1")


def test_held_out_people_are_acquitted_where_the_naive_slope_accuses_them() -> None:
    found = [held_out_control(*study(s), rng=np.random.default_rng(s)) for s in range(30)]
    estimates = np.array([c.underrating.estimate or 0 for c in found])
    assert abs(estimates.mean()) < 3 * estimates.std() / np.sqrt(30)
    assert np.mean([c.passed for c in found]) >= 0.85
    assert all(c.planted == 0 for c in found)
    assert np.mean([c.result.naive.estimate or 0 for c in found]) > 0.08


def test_the_interval_holds_the_noise_of_those_held_out_too() -> None:
    """The control's is wider than the audit's, which takes the score as given."""
    control = held_out_control(*study(1), rng=np.random.default_rng(1))
    inner = control.result.underrating
    assert control.underrating.estimate == inner.estimate
    assert None not in (control.underrating.low, inner.low)
    assert (control.underrating.high or 0) - (control.underrating.low or 0) > (inner.high or 0) - (
        inner.low or 0
    )


def test_a_planted_penalty_is_found_and_has_the_size_that_was_planted() -> None:
    found = [held_out_control(*study(s), planted=PLANTED, rng=np.random.default_rng(s)) for s in range(15)]
    assert np.mean([bool(c.passed) for c in found]) >= 0.6
    assert np.mean([c.underrating.estimate or 0 for c in found]) == pytest.approx(PLANTED, abs=0.05)
    bonus = held_out_control(*study(0), planted=-PLANTED, rng=np.random.default_rng(0))
    assert bonus.passed
    assert (bonus.underrating.high or 0) < 0


def test_who_is_held_out_is_chance_and_repeatable() -> None:
    data = study(2)
    one, two, three = (held_out_control(*data, rng=np.random.default_rng(s)) for s in (5, 5, 6))
    assert one.underrating == two.underrating
    assert one.underrating != three.underrating
    with pytest.raises(ValueError, match="between -1 and 1"):
        held_out_control(*data, planted=1.0, rng=np.random.default_rng(0))


def test_too_few_annotators_cannot_tell() -> None:
    drawn = simulated_study(StudyModel(8, 6, 4, 4), [0.0], np.random.default_rng(0))
    control = held_out_control(drawn.ratings, drawn.responses, rng=np.random.default_rng(0))
    assert control.passed is None
    assert control.reason


@pytest.mark.parametrize("correlation", [0.5, -0.5])
def test_a_scorer_of_length_alone_falls_with_unusualness_only_as_lengths_do(correlation: float) -> None:
    """Audited without length as a covariate: where unusual responses are short it seems to underrate them."""
    ratings, responses = study(3, length_correlation=correlation)
    found = underrating(ratings, responses.assign(score=responses["log_length"]), covariates=())
    assert found.underrating.low is not None
    assert found.underrating.high is not None
    assert found.underrating.low < -correlation < found.underrating.high
    fair = underrating(ratings, responses.assign(score=responses["log_length"]))
    assert fair.underrating.estimate == pytest.approx(0, abs=1e-6)
    assert fair.covariate_coefficients["log_length"].estimate == pytest.approx(1)
